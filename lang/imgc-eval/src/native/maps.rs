//! What the builtins of maps do that call no functions.

use std::sync::Arc;

use imgc_diag::codes;

use super::{list, map, text};
use crate::ir::MAX_NAME;
use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::{Record, Value};

/// How many bytes a value takes in a list.
const CELL: usize = size_of::<Value>();

/// `entries`
pub(crate) fn entries(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let record = map(&arguments[0])?;
    call.step(record.values.len())?;
    let names: Arc<Vec<Arc<str>>> = Arc::new(vec!["name".into(), "value".into()]);
    let origin = call.origin;
    let mut items = Vec::with_capacity(record.values.len());
    for (name, value) in record.iter() {
        call.allocate(8 * CELL)?;
        let names = names.clone();
        let values = vec![call.string(name)?, value.clone()];
        items.push(Value::Record(origin, Arc::new(Record { names, values })));
    }
    call.list_of(items)
}

/// `get`
pub(crate) fn get(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let found = find(call, &arguments[0], &arguments[1])?;
    call.option(found)
}

/// `getOr`
pub(crate) fn get_or(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let found = find(call, &arguments[0], &arguments[2])?;
    Ok(found.unwrap_or_else(|| arguments[1].clone()))
}

/// `has`
pub(crate) fn has(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let name = text(&arguments[0])?;
    let record = map(&arguments[1])?;
    call.step(name.len() / 64 + halves(record))?;
    Ok(call.bool(record.get(name).is_some()))
}

/// `names`
pub(crate) fn names(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let record = map(&arguments[0])?;
    call.step(record.values.len())?;
    let mut names = Vec::with_capacity(record.values.len());
    for (name, value) in record.iter() {
        let origin = value.origin().unwrap_or(call.origin);
        names.push(call.string(name)?.at(origin));
    }
    call.list_of(names)
}

/// `remove`
pub(crate) fn remove(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let unwanted = list(&arguments[0])?;
    let record = map(&arguments[1])?;
    let count = record.values.len();
    // Each is looked for by halves.
    call.step(unwanted.len().saturating_mul(2 + halves(record)) + count)?;
    call.allocate(count)?;
    let mut kept = vec![true; count];
    for name in unwanted {
        let name = text(name)?;
        call.step(name.len() / 64)?;
        if let Ok(at) = record.names.binary_search_by(|n| (**n).cmp(name)) {
            kept[at] = false;
        }
    }
    let fields = record.iter().zip(&kept).filter(|(_, kept)| **kept);
    let (names, values) = fields.map(|((n, v), _)| (n.clone(), v.clone())).unzip();
    call.record(Arc::new(names), values)
}

/// `toMap`
pub(crate) fn to_map(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let items = list(&arguments[0])?;
    let rounds = items.len().checked_ilog2().unwrap_or(0) as usize / 4 + 1;
    call.step(items.len().saturating_mul(rounds))?;
    call.allocate(items.len() * 4 * CELL)?;
    let mut fields: Vec<(&Value, &str, &Value)> = Vec::with_capacity(items.len());
    for item in items {
        let pair = map(item)?;
        let name = pair.get("name").ok_or(Failed)?;
        let value = pair.get("value").ok_or(Failed)?;
        check_name(call, name)?;
        let text = text(name)?;
        call.step(text.len() / 64 * rounds)?;
        call.allocate(text.len() + 4 * CELL)?;
        fields.push((name, text, value));
    }
    fields.sort_by(|a, b| a.1.as_bytes().cmp(b.1.as_bytes()));
    let twice = fields.windows(2).find(|pair| pair[0].1 == pair[1].1);
    if let Some([first, second]) = twice {
        let message = format!("the name `{}` is given twice", second.1);
        let (site, first) = (call.site_of_value(second.0), call.site_of_value(first.0));
        let problem = Problem::new(codes::DUPLICATE_FIELD, site, message);
        return Err(call.report(problem.label(first, "it is given here first")));
    }
    let names = fields.iter().map(|(_, name, _)| Arc::from(*name)).collect();
    let values = fields
        .iter()
        .map(|(_, _, value)| (*value).clone())
        .collect();
    call.record(Arc::new(names), values)
}

/// `values`
pub(crate) fn values(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let record = map(&arguments[0])?;
    call.step(record.values.len())?;
    call.list_of(record.values.clone())
}

/// `withDefault`
pub(crate) fn with_default(_call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let Value::Tag(_, tagged) = &arguments[1] else {
        return Err(Failed);
    };
    let payload = tagged.payload.as_ref();
    let value = payload.unwrap_or(&arguments[0]);
    if value.is_failed() {
        return Err(Failed);
    }
    Ok(value.clone())
}

/// Reports text that is too long for the name of a field.
pub(crate) fn check_name(call: &mut Call<'_>, name: &Value) -> Eval<()> {
    if text(name)?.len() <= MAX_NAME {
        return Ok(());
    }
    let message = format!("the name of a field has at most {MAX_NAME} bytes");
    let problem = Problem::new(codes::INVALID_ARGUMENT, call.site_of_value(name), message);
    Err(call.report(problem))
}

/// What it takes to find a name in a large record; in a small one it takes next to nothing.
fn halves(record: &Record) -> usize {
    record.values.len().checked_ilog2().unwrap_or(0) as usize / 4
}

fn find(call: &mut Call<'_>, name: &Value, record: &Value) -> Eval<Option<Value>> {
    let name = text(name)?;
    let record = map(record)?;
    call.step(name.len() / 64 + halves(record))?;
    match record.get(name) {
        Some(Value::Failed) => Err(Failed),
        found => Ok(found.cloned()),
    }
}
