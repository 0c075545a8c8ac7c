//! Equality and order of values. Each pair that is looked at is a step, also where
//! both sides are shared: sharing must not be seen.
//!
//! Where a value was written plays no part. Native recursion is as deep as types
//! nest, and bounded here once more.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

/// Deeper than types nest.
const DEEPEST: u32 = 1_000;

/// Whether two values are the same data.
pub(crate) fn equal(call: &mut Call<'_>, a: &Value, b: &Value) -> Eval<bool> {
    Ok(order(call, a, b)? == Ordering::Equal)
}

/// The order of two values of one type: of numbers, of strings by their bytes, of
/// lists by their items, and any fixed one of what has no order in the language.
pub(crate) fn order(call: &mut Call<'_>, a: &Value, b: &Value) -> Eval<Ordering> {
    order_in(call, a, b, 0)
}

fn order_in(call: &mut Call<'_>, a: &Value, b: &Value, depth: u32) -> Eval<Ordering> {
    call.step(1)?;
    if depth > DEEPEST {
        return Err(Failed);
    }
    Ok(match (a, b) {
        (Value::Int(_, a), Value::Int(_, b)) => a.cmp(b),
        (Value::Bool(_, a), Value::Bool(_, b)) => a.cmp(b),
        (Value::Str(_, a), Value::Str(_, b)) => {
            call.step(a.len().min(b.len()) / 64)?;
            a.as_bytes().cmp(b.as_bytes())
        }
        (Value::Path(_, a), Value::Path(_, b)) => a.cmp(b),
        (Value::List(_, a), Value::List(_, b)) => {
            // Lists of other lengths are told apart without looking into them.
            let mut result = a.len().cmp(&b.len());
            for (a, b) in a.iter().zip(b.iter()) {
                if result != Ordering::Equal {
                    break;
                }
                result = order_in(call, a, b, depth + 1)?;
            }
            result
        }
        (Value::Record(_, a), Value::Record(_, b)) => {
            let mut result = a.names.len().cmp(&b.names.len());
            if result == Ordering::Equal && !Arc::ptr_eq(&a.names, &b.names) {
                call.step(a.names.len())?;
                result = a.names.cmp(&b.names);
            }
            for (a, b) in a.values.iter().zip(&b.values) {
                if result != Ordering::Equal {
                    break;
                }
                result = order_in(call, a, b, depth + 1)?;
            }
            result
        }
        (Value::Tag(_, a), Value::Tag(_, b)) => match a.tag.cmp(&b.tag) {
            Ordering::Equal => match (&a.payload, &b.payload) {
                (Some(a), Some(b)) => order_in(call, a, b, depth + 1)?,
                (a, b) => a.is_some().cmp(&b.is_some()),
            },
            other => other,
        },
        (Value::Data(_, a), Value::Data(_, b)) => json(call, &a.value, &b.value)?,
        // A number or a string in the place of a port or an owner.
        (Value::Int(..), Value::Str(..)) => Ordering::Less,
        (Value::Str(..), Value::Int(..)) => Ordering::Greater,
        _ => return Err(Failed),
    })
}

/// The same of documents, which nest at most as deep as parsers let them.
fn json(call: &mut Call<'_>, a: &Json, b: &Json) -> Eval<Ordering> {
    call.step(1)?;
    Ok(match (a, b) {
        (Json::Bool(a), Json::Bool(b)) => a.cmp(b),
        (Json::Number(a), Json::Number(b)) => match (a.as_i128(), b.as_i128()) {
            (Some(a), Some(b)) => a.cmp(&b),
            // `1` is not `1.0`: what is written is compared.
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => {
                let fraction = |n: &serde_json::Number| n.as_f64().unwrap_or(f64::NAN);
                fraction(a).total_cmp(&fraction(b))
            }
        },
        (Json::String(a), Json::String(b)) => {
            call.step(a.len().min(b.len()) / 64)?;
            a.cmp(b)
        }
        (Json::Array(a), Json::Array(b)) => {
            let mut result = a.len().cmp(&b.len());
            for (a, b) in a.iter().zip(b) {
                if result != Ordering::Equal {
                    break;
                }
                result = json(call, a, b)?;
            }
            result
        }
        (Json::Object(a), Json::Object(b)) => {
            let mut result = a.len().cmp(&b.len());
            for (a, b) in a.iter().zip(b) {
                if result != Ordering::Equal {
                    break;
                }
                result = match a.0.cmp(b.0) {
                    Ordering::Equal => json(call, a.1, b.1)?,
                    other => other,
                };
            }
            result
        }
        (a, b) => rank(a).cmp(&rank(b)),
    })
}

fn rank(value: &Json) -> u8 {
    match value {
        Json::Null => 0,
        Json::Bool(_) => 1,
        Json::Number(_) => 2,
        Json::String(_) => 3,
        Json::Array(_) => 4,
        Json::Object(_) => 5,
    }
}
