//! Values as JSON: for `toJson`, and for `imgc eval --json`.

use serde_json::{Map, Number, Value as Json};

use imgc_diag::codes;

use crate::problem::Problem;
use crate::queries::{Db, Item};
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::show::outside;
use crate::vm::value::Value;

/// Deeper than types nest.
const DEEPEST: u32 = 1_000;

/// How many bytes an object takes that has a few fields: its first node.
const OBJECT: usize = 640;
/// How many bytes a field takes beside its name.
const FIELD: usize = 2 * (size_of::<String>() + size_of::<Json>());

/// The value of a binding as JSON. `Err`: what is wrong, which may be nothing new.
pub(crate) fn to_json(db: &dyn Db, item: Item, value: &Value) -> Result<Json, Vec<Problem<Site>>> {
    outside(db, item, value, from_value)
}

/// A value as JSON, counted. A tag is its name, or an object with its name and
/// payload; a path is a string.
///
/// # Errors
/// What has no text, such as a function or an image, is reported.
pub(crate) fn from_value(call: &mut Call<'_>, value: &Value) -> Eval<Json> {
    convert(call, value, 0)
}

fn convert(call: &mut Call<'_>, value: &Value, depth: u32) -> Eval<Json> {
    call.step(1)?;
    call.allocate(size_of::<Json>())?;
    if depth > DEEPEST {
        return Err(Failed);
    }
    Ok(match value {
        Value::Failed => return Err(Failed),
        Value::Int(_, number) => Json::Number(Number::from(*number)),
        Value::Bool(_, truth) => Json::Bool(*truth),
        Value::Str(_, text) => string(call, text)?,
        Value::Path(_, path) => string(call, &crate::path::shown(path))?,
        Value::List(_, items) => {
            let mut array = Vec::with_capacity(items.len());
            for item in items.iter() {
                array.push(convert(call, item, depth + 1)?);
            }
            Json::Array(array)
        }
        Value::Record(_, record) => {
            call.allocate(OBJECT)?;
            let mut object = Map::new();
            for (name, value) in record.iter() {
                call.step(4)?;
                call.allocate(name.len() + FIELD)?;
                object.insert(name.to_string(), convert(call, value, depth + 1)?);
            }
            Json::Object(object)
        }
        Value::Tag(_, tagged) => match &tagged.payload {
            None => string(call, &tagged.tag)?,
            Some(payload) => {
                call.allocate(OBJECT)?;
                let payload = convert(call, payload, depth + 1)?;
                let mut object = Map::new();
                object.insert(tagged.tag.to_string(), payload);
                Json::Object(object)
            }
        },
        Value::Data(_, document) => {
            count(call, &document.value)?;
            document.value.clone()
        }
        Value::Function(..) | Value::Builtin(..) => return Err(none(call, value, "a function")),
        Value::Packages(..) => return Err(none(call, value, "a value of `debianPackages`")),
        Value::File(..) => return Err(none(call, value, "a file")),
        Value::Image(..) => return Err(none(call, value, "an image")),
        Value::Index(..) => return Err(none(call, value, "an index")),
    })
}

/// Counts a document as if it were made.
pub(crate) fn count(call: &mut Call<'_>, value: &Json) -> Eval<()> {
    let mut values = vec![value];
    while let Some(value) = values.pop() {
        call.step(1)?;
        call.allocate(size_of::<Json>())?;
        match value {
            Json::String(text) => call.allocate(text.len())?,
            Json::Array(items) => values.extend(items),
            Json::Object(fields) => {
                call.allocate(OBJECT)?;
                for (name, value) in fields {
                    call.allocate(name.len() + FIELD)?;
                    values.push(value);
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
    Ok(())
}

fn string(call: &mut Call<'_>, text: &str) -> Eval<Json> {
    call.allocate(text.len())?;
    call.step(text.len() / 64)?;
    Ok(Json::String(text.to_owned()))
}

fn none(call: &mut Call<'_>, value: &Value, kind: &str) -> Failed {
    let message = format!("{kind} has no JSON");
    let problem = Problem::new(codes::INVALID_ARGUMENT, call.site_of_value(value), message);
    call.report(problem)
}
