//! What the operators do. A left side that nobody else holds is changed in its place.

use std::cmp::Ordering;
use std::sync::Arc;

use imgc_diag::codes;

use crate::ir::BinaryOp;
use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::compare;
use crate::vm::value::{Record, Value};

/// How many bytes a value takes in a list.
const CELL: usize = size_of::<Value>();

/// How many names are looked for among those that were put into a record before.
const FEW: usize = 8;

/// How many bytes a number or a truth value has at most as text.
const LONGEST: usize = 20;

/// The value of `a op b`.
pub(super) fn binary(call: &mut Call<'_>, op: BinaryOp, a: Value, b: Value) -> Eval {
    if a.is_failed() || b.is_failed() {
        return Err(Failed);
    }
    match op {
        BinaryOp::Add => match (a, b) {
            (Value::Str(_, a), Value::Str(_, b)) => append(call, a, &b),
            (a, b) => arithmetic(call, &a, &b, i64::checked_add),
        },
        BinaryOp::Subtract => arithmetic(call, &a, &b, i64::checked_sub),
        BinaryOp::Multiply => arithmetic(call, &a, &b, i64::checked_mul),
        BinaryOp::Concat => concat(call, a, b),
        BinaryOp::Update => update(call, a, b),
        BinaryOp::Equal => ordered(call, &a, &b, Ordering::is_eq),
        BinaryOp::NotEqual => ordered(call, &a, &b, Ordering::is_ne),
        BinaryOp::Less => ordered(call, &a, &b, Ordering::is_lt),
        BinaryOp::LessEqual => ordered(call, &a, &b, Ordering::is_le),
        BinaryOp::Greater => ordered(call, &a, &b, Ordering::is_gt),
        BinaryOp::GreaterEqual => ordered(call, &a, &b, Ordering::is_ge),
    }
}

/// `-a`
pub(super) fn negate(call: &mut Call<'_>, a: &Value) -> Eval {
    let number = a.as_int().ok_or(Failed)?;
    number
        .checked_neg()
        .map(|number| call.int(number))
        .ok_or_else(|| overflow(call))
}

/// `a + b` of strings.
pub(super) fn append(call: &mut Call<'_>, mut a: Arc<String>, b: &str) -> Eval {
    if let Some(text) = Arc::get_mut(&mut a) {
        call.allocate(b.len())?;
        call.step(b.len() / 64)?;
        text.push_str(b);
    } else {
        call.allocate(a.len() + b.len() + 4 * CELL)?;
        call.step((a.len() + b.len()) / 64)?;
        let mut text = String::with_capacity(a.len() + b.len());
        text.push_str(&a);
        text.push_str(b);
        a = Arc::new(text);
    }
    Ok(Value::Str(call.origin, a))
}

/// All of some strings, and of what `toString` takes, as one string.
pub(super) fn join(call: &mut Call<'_>, parts: &mut [Value]) -> Eval {
    // Counted before anything is made.
    let mut size = 0usize;
    for part in parts.iter() {
        size = size.saturating_add(match part {
            Value::Str(_, text) => text.len(),
            Value::Path(_, path) => path.len() + 2,
            Value::Int(..) | Value::Bool(..) => LONGEST,
            _ => return Err(Failed),
        });
    }
    call.allocate(size + 4 * CELL)?;
    let mut joined = Arc::default();
    let mut first = 0;
    let is_alone = parts.len() == 1;
    if let Some(Value::Str(_, text)) = parts.first_mut() {
        // Who goes on with a string of its own need not copy that.
        if is_alone || Arc::get_mut(text).is_some() {
            joined = std::mem::take(text);
            size -= joined.len();
            first = 1;
        }
    }
    let rest = &parts[first..];
    call.step(size / 64)?;
    if rest.is_empty() {
        return Ok(Value::Str(call.origin, joined));
    }
    let text = Arc::get_mut(&mut joined).ok_or(Failed)?;
    text.reserve(size);
    for part in rest {
        match part {
            Value::Str(_, part) => text.push_str(part),
            Value::Path(_, path) => text.push_str(&crate::path::shown(path)),
            Value::Int(_, number) => text.push_str(itoa::Buffer::new().format(*number)),
            Value::Bool(_, truth) => text.push_str(if *truth { "true" } else { "false" }),
            _ => return Err(Failed),
        }
    }
    Ok(Value::Str(call.origin, joined))
}

fn ordered(call: &mut Call<'_>, a: &Value, b: &Value, holds: fn(Ordering) -> bool) -> Eval {
    let order = compare::order(call, a, b)?;
    Ok(call.bool(holds(order)))
}

fn arithmetic(
    call: &mut Call<'_>,
    a: &Value,
    b: &Value,
    result: fn(i64, i64) -> Option<i64>,
) -> Eval {
    let (a, b) = (a.as_int().ok_or(Failed)?, b.as_int().ok_or(Failed)?);
    result(a, b)
        .map(|number| call.int(number))
        .ok_or_else(|| overflow(call))
}

/// Reports that a number is too large.
pub(crate) fn overflow(call: &mut Call<'_>) -> Failed {
    let message = "the result is no 64-bit number";
    let problem = Problem::new(codes::INTEGER_OVERFLOW, call.site(), message);
    call.report(problem)
}

fn concat(call: &mut Call<'_>, a: Value, b: Value) -> Eval {
    let (Value::List(_, mut a), Value::List(_, b)) = (a, b) else {
        return Err(Failed);
    };
    if let Some(items) = Arc::get_mut(&mut a) {
        call.step(b.len())?;
        call.allocate(b.len() * CELL)?;
        match Arc::try_unwrap(b) {
            Ok(mut more) => items.append(&mut more),
            Err(more) => items.extend_from_slice(&more),
        }
    } else if b.is_empty() {
        return Ok(Value::List(call.origin, a));
    } else if a.is_empty() {
        return Ok(Value::List(call.origin, b));
    } else {
        let count = a.len() + b.len();
        call.step(count)?;
        call.allocate((count + 2) * CELL)?;
        let mut items = Vec::with_capacity(count);
        items.extend_from_slice(&a);
        items.extend_from_slice(&b);
        a = Arc::new(items);
    }
    Ok(Value::List(call.origin, a))
}

/// The fields of both; where both have one, that of `b`.
fn update(call: &mut Call<'_>, a: Value, b: Value) -> Eval {
    let (Value::Record(_, a), Value::Record(_, b)) = (a, b) else {
        return Err(Failed);
    };
    let (left, right) = (a.values.len(), b.values.len());
    let result = if right == 0 {
        a
    } else if left == 0 || Arc::ptr_eq(&a.names, &b.names) {
        b
    } else if right <= left / 8 {
        insert(call, a, &b)?
    } else {
        merge(call, a, b)?
    };
    Ok(Value::Record(call.origin, result))
}

/// Puts few fields into many.
fn insert(call: &mut Call<'_>, mut a: Arc<Record>, b: &Record) -> Eval<Arc<Record>> {
    let count = a.values.len();
    if Arc::get_mut(&mut a).is_none() {
        call.step(count / 4)?;
        call.allocate((count + 2) * CELL)?;
        let mut values = Vec::with_capacity(count + b.values.len());
        values.extend_from_slice(&a.values);
        let names = a.names.clone();
        a = Arc::new(Record { names, values });
    }
    let record = Arc::get_mut(&mut a).ok_or(Failed)?;
    // Names that others hold too may come again.
    let before = match Arc::get_mut(&mut record.names) {
        None if b.names.len() <= FEW => Some(record.names.clone()),
        _ => None,
    };
    if let Some(before) = &before
        && let Some(names) = call.meter.layouts.inserted(before, &b.names)
    {
        call.step(b.values.len() * (1 + count / 64))?;
        call.allocate(2 * b.values.len() * CELL)?;
        for (name, value) in b.iter() {
            let at = names.binary_search(name).map_err(|_| Failed)?;
            if before.binary_search(name).is_ok() {
                record.values[at] = value.clone();
            } else {
                record.values.insert(at, value.clone());
            }
        }
        record.names = names;
        return Ok(a);
    }
    for (name, value) in b.iter() {
        let names = &record.names;
        call.step(1 + names.len().checked_ilog2().unwrap_or(0) as usize / 4)?;
        match names.binary_search(name) {
            Ok(at) => record.values[at] = value.clone(),
            Err(at) => {
                call.step((names.len() - at) / 4)?;
                call.allocate(2 * CELL)?;
                if Arc::get_mut(&mut record.names).is_none() {
                    call.step(record.names.len() / 4)?;
                    call.allocate(record.names.len() * CELL)?;
                }
                Arc::make_mut(&mut record.names).insert(at, name.clone());
                record.values.insert(at, value.clone());
            }
        }
    }
    if let Some(before) = before.filter(|before| !Arc::ptr_eq(before, &record.names)) {
        call.meter.layouts.insert(before, &b.names, &record.names);
    }
    Ok(a)
}

/// Goes through both side by side.
fn merge(call: &mut Call<'_>, a: Arc<Record>, b: Arc<Record>) -> Eval<Arc<Record>> {
    let count = a.values.len() + b.values.len();
    call.step(count)?;
    call.allocate((count + 2) * 2 * CELL)?;
    // Names that nobody else holds do not come again.
    let held = |side: &Arc<Record>| Arc::strong_count(side).max(Arc::strong_count(&side.names)) > 1;
    if held(&a)
        && held(&b)
        && let Some(merged) = call.meter.layouts.merged(&a.names, &b.names)
    {
        let values = merged.picks.iter().map(|(at, is_right)| {
            let side = if *is_right { &b } else { &a };
            side.values[*at as usize].clone()
        });
        let values = values.collect();
        let names = merged.names.clone();
        return Ok(Arc::new(Record { names, values }));
    }
    let mut names = Vec::with_capacity(count);
    let mut values = Vec::with_capacity(count);
    let (x, left) = owned(a);
    let (y, right) = owned(b);
    let (mut x, mut y) = (x.into_iter(), y.into_iter());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    while let (Some(p), Some(q)) = (x.as_slice().first(), y.as_slice().first()) {
        let order = if Arc::ptr_eq(p, q) {
            Ordering::Equal
        } else {
            p.as_bytes().cmp(q.as_bytes())
        };
        if order == Ordering::Less {
            names.extend(x.next());
            values.extend(left.next());
        } else {
            if order == Ordering::Equal {
                x.next();
                left.next();
            }
            names.extend(y.next());
            values.extend(right.next());
        }
    }
    names.extend(x.chain(y));
    values.extend(left.chain(right));
    Ok(Arc::new(Record::new(names, values)))
}

/// The names and values of a record. They are moved if nobody else holds it.
fn owned(record: Arc<Record>) -> (Vec<Arc<str>>, Vec<Value>) {
    let (names, values) = match Arc::try_unwrap(record) {
        Ok(record) => (record.names, record.values),
        Err(record) => (record.names.clone(), record.values.clone()),
    };
    (Arc::unwrap_or_clone(names), values)
}
