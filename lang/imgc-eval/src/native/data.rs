//! What the builtins do that look into JSON, TOML and YAML, and write them.

use std::sync::Arc;

use imgc_diag::{codes, did_you_mean};
use serde_json::Value as Json;

use super::text;
use crate::problem::{Problem, list_names};
use crate::text::{is_plain, quote};
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::json;
use crate::vm::value::{Document, Value};

/// How many bytes a value takes in a list.
const CELL: usize = size_of::<Value>();

/// `asBool`
pub(crate) fn as_bool(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let document = data(&arguments[0])?;
    match document.value {
        Json::Bool(truth) => Ok(call.bool(truth)),
        _ => Err(other(call, &arguments[0], document, "a truth value")),
    }
}

/// `asInt`
pub(crate) fn as_int(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let document = data(&arguments[0])?;
    match document.value.as_i64() {
        Some(number) => Ok(call.int(number)),
        None => Err(other(
            call,
            &arguments[0],
            document,
            "a whole number of 64 bits",
        )),
    }
}

/// `asList`
pub(crate) fn as_list(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let document = data(&arguments[0])?;
    let Json::Array(items) = &document.value else {
        return Err(other(call, &arguments[0], document, "a list"));
    };
    call.step(items.len())?;
    call.allocate(items.len() * CELL)?;
    let mut list = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        list.push(inner(call, document, item, &format!("[{index}]"))?);
    }
    Ok(Value::List(call.origin, Arc::new(list)))
}

/// `asMap`
pub(crate) fn as_map(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let document = data(&arguments[0])?;
    let Json::Object(fields) = &document.value else {
        return Err(other(call, &arguments[0], document, "an object"));
    };
    call.step(fields.len())?;
    let mut sorted: Vec<(&String, &Json)> = fields.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut names: Vec<Arc<str>> = Vec::with_capacity(sorted.len());
    let mut values = Vec::with_capacity(sorted.len());
    for (name, value) in sorted {
        call.allocate(name.len() + CELL)?;
        names.push(name.as_str().into());
        values.push(inner(call, document, value, &step_to(name))?);
    }
    call.record(Arc::new(names), values)
}

/// `asString`
pub(crate) fn as_string(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let document = data(&arguments[0])?;
    match &document.value {
        Json::String(text) => call.string(text),
        _ => Err(other(call, &arguments[0], document, "a string")),
    }
}

/// `asText`
pub(crate) fn as_text(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let document = data(&arguments[0])?;
    match &document.value {
        Json::String(text) => call.string(text),
        Json::Number(number) => call.made_string(number.to_string()),
        Json::Bool(truth) => call.made_string(truth.to_string()),
        _ => {
            let wanted = "a string, number or truth value";
            Err(other(call, &arguments[0], document, wanted))
        }
    }
}

/// `field`
pub(crate) fn field(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let name = text(&arguments[0])?;
    let document = data(&arguments[1])?;
    let Json::Object(fields) = &document.value else {
        return Err(other(call, &arguments[1], document, "an object"));
    };
    call.step(name.len() / 64)?;
    if let Some(value) = fields.get(name) {
        return inner(call, document, value, &step_to(name));
    }
    let message = format!("`{}` has no field `{name}`", document.place);
    let site = call.site_of_value(&arguments[0]);
    let problem = Problem::new(codes::UNKNOWN_FIELD, site, message);
    if call.is_full() {
        return Err(Failed);
    }
    let known: Vec<&str> = fields.keys().map(String::as_str).collect();
    let problem = match did_you_mean(name, known.iter().copied()) {
        Some(similar) => problem.did_you_mean(site, name, similar),
        None => problem.note(format!("its fields are {}", list_names(&known))),
    };
    Err(call.report(problem.label(call.site_of_value(&arguments[1]), "it was read here")))
}

/// `isNull`
pub(crate) fn is_null(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let truth = data(&arguments[0])?.value.is_null();
    Ok(call.bool(truth))
}

/// `optionalField`
pub(crate) fn optional_field(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let name = text(&arguments[0])?;
    let document = data(&arguments[1])?;
    let Json::Object(fields) = &document.value else {
        return Err(other(call, &arguments[1], document, "an object"));
    };
    call.step(name.len() / 64)?;
    let value = fields.get(name).filter(|value| !value.is_null());
    let value = value.map(|value| inner(call, document, value, &step_to(name)));
    call.option(value.transpose()?)
}

/// `toJson`
pub(crate) fn to_json(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let value = json::from_value(call, &arguments[0])?;
    call.made_string(value.to_string())
}

/// `toToml`
pub(crate) fn to_toml(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let value = json::from_value(call, &arguments[0])?;
    // Every character is looked at, and may need an escape.
    call.step(text_bytes(&value).saturating_mul(2))?;
    let written = match &value {
        Json::Object(_) => ::toml::to_string(&value).map_err(|why| why.to_string()),
        _ => Err("only a record or map can be a whole TOML text".to_owned()),
    };
    match written {
        Ok(text) => call.made_string(text),
        Err(why) => {
            let message = format!("this has no TOML: {}", why.trim());
            let site = call.site_of_value(&arguments[0]);
            Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)))
        }
    }
}

/// How many bytes the texts of a value have.
fn text_bytes(value: &Json) -> usize {
    let mut bytes = 0;
    let mut values = vec![value];
    while let Some(value) = values.pop() {
        match value {
            Json::String(text) => bytes += text.len(),
            Json::Array(items) => values.extend(items),
            Json::Object(fields) => {
                bytes += fields.keys().map(String::len).sum::<usize>();
                values.extend(fields.values());
            }
            _ => {}
        }
    }
    bytes
}

/// The document that an argument is.
fn data(value: &Value) -> Eval<&Document> {
    match value {
        Value::Data(_, document) => Ok(document),
        _ => Err(Failed),
    }
}

/// A part of a document, counted as if it were made: it is.
fn inner(call: &mut Call<'_>, document: &Document, value: &Json, step: &str) -> Eval {
    json::count(call, value)?;
    call.allocate(document.place.len() + step.len() + 8 * CELL)?;
    call.step(4)?;
    let colon = if document.place.contains(": ") {
        ""
    } else {
        ": "
    };
    // The way begins with a name, not with a dot.
    let step = if colon.is_empty() {
        step
    } else {
        step.trim_start_matches('.')
    };
    let place = format!("{}{colon}{step}", document.place).into();
    let value = value.clone();
    Ok(Value::Data(
        call.origin,
        Arc::new(Document { value, place }),
    ))
}

fn step_to(name: &str) -> String {
    let mut step = ".".to_owned();
    if is_plain(name) {
        step.push_str(name);
    } else {
        quote(name, &mut step);
    }
    step
}

/// Reports data of another kind.
fn other(call: &mut Call<'_>, value: &Value, document: &Document, wanted: &str) -> Failed {
    let found = match &document.value {
        Json::Null => "null".to_owned(),
        Json::Bool(truth) => format!("`{truth}`"),
        Json::Number(number) => format!("the number {number}"),
        Json::String(_) => "a string".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    };
    let message = format!("`{}` is {found}, and {wanted} is needed", document.place);
    let site = call.site();
    let read = call.site_of_value(value);
    let problem = Problem::new(codes::WRONG_TYPE, site, message);
    call.report(problem.label(read, "it comes from here"))
}
