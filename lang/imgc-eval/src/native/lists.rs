//! What the builtins of lists do that call no functions.

use std::cmp::Ordering;
use std::sync::Arc;

use imgc_diag::codes;

use super::{int, list, text};
use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::compare;
use crate::vm::value::{Record, Value};

/// How many bytes a value takes in a list.
const CELL: usize = size_of::<Value>();

/// `at`
pub(crate) fn at(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let number = int(&arguments[0])?;
    let items = list(&arguments[1])?;
    let item = usize::try_from(number).ok().and_then(|at| items.get(at));
    if let Some(item) = item {
        return sound(item);
    }
    let message = match items.len() {
        0 => format!("there is no item {number}: the list is empty"),
        1 => format!("there is no item {number}: the list has only item 0"),
        count => format!(
            "there is no item {number}: the list has items 0 to {}",
            count - 1
        ),
    };
    let site = call.site_of_value(&arguments[0]);
    Err(call.report(Problem::new(codes::INDEX_OUT_OF_RANGE, site, message)))
}

/// `concat`
pub(crate) fn concat(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let mut all = Vec::new();
    for items in list(&arguments[0])? {
        let items = list(items)?;
        call.step(1 + items.len())?;
        // Counted before the list grows: one list may be in it many times.
        call.allocate(items.len() * CELL)?;
        all.extend_from_slice(items);
    }
    call.list_of(all)
}

/// `contains`
pub(crate) fn contains(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let found = position(call, arguments)?;
    Ok(call.bool(found.is_some()))
}

/// `drop`
pub(crate) fn drop(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let items = list(&arguments[1])?;
    part(call, &items[within(int(&arguments[0])?, items)..])
}

/// `head`
pub(crate) fn head(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let item = list(&arguments[0])?.first();
    let item = item.map(sound).transpose()?;
    call.option(item)
}

/// `indexOf`
pub(crate) fn index_of(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let found = position(call, arguments)?;
    let found = found.map(|at| call.int(at as i64));
    call.option(found)
}

/// `last`
pub(crate) fn last(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let item = list(&arguments[0])?.last();
    let item = item.map(sound).transpose()?;
    call.option(item)
}

/// `length`
pub(crate) fn length(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    Ok(call.int(list(&arguments[0])?.len() as i64))
}

/// `range`
pub(crate) fn range(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (from, to) = (int(&arguments[0])?, int(&arguments[1])?);
    let count = i128::from(to) - i128::from(from);
    let count = usize::try_from(count.max(0)).unwrap_or(usize::MAX);
    // Counted before anything is made.
    call.step(count)?;
    call.allocate(count.saturating_mul(CELL))?;
    let origin = call.origin;
    let numbers = (from..to).map(|number| Value::Int(origin, number));
    Ok(Value::List(origin, Arc::new(numbers.collect())))
}

/// `reverse`
pub(crate) fn reverse(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let items = list(&arguments[0])?;
    call.step(items.len())?;
    let reversed = items.iter().rev().cloned().collect();
    call.list_of(reversed)
}

/// `sort`
pub(crate) fn sort(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let items = list(&arguments[0])?;
    count_sort(call, items)?;
    if items.iter().all(|item| matches!(item, Value::Str(..))) {
        let mut keys: Vec<(u64, &str, &Value)> = Vec::with_capacity(items.len());
        for item in items {
            let text = text(item)?;
            keys.push((beginning(text), text, item));
        }
        keys.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)));
        return call.list_of(keys.iter().map(|key| key.2.clone()).collect());
    }
    let mut sorted = items.to_vec();
    sorted.sort_by(order);
    call.list_of(sorted)
}

/// The items, sorted by the keys that stand at the same places.
pub(crate) fn sorted_by(
    call: &mut Call<'_>,
    keys: &[Value],
    items: Vec<Value>,
) -> Eval<Vec<Value>> {
    count_sort(call, keys)?;
    let mut pairs: Vec<(&Value, Value)> = keys.iter().zip(items).collect();
    pairs.sort_by(|a, b| order(a.0, b.0));
    Ok(pairs.into_iter().map(|(_, item)| item).collect())
}

/// `take`
pub(crate) fn take(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let items = list(&arguments[1])?;
    part(call, &items[..within(int(&arguments[0])?, items)])
}

/// `unique`
pub(crate) fn unique(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let items = list(&arguments[0])?;
    call.allocate(items.len() * 2 * size_of::<u32>())?;
    let sorted = merge_sort(call, items)?;
    let mut first = vec![true; items.len()];
    for pair in sorted.windows(2) {
        // Of equal items, the one that stands first in the list is sorted first.
        let (a, b) = (pair[0] as usize, pair[1] as usize);
        first[b] = !compare::equal(call, &items[a], &items[b])?;
    }
    let kept = items.iter().zip(&first).filter(|(_, first)| **first);
    let kept = kept.map(|(item, _)| item.clone()).collect();
    call.list_of(kept)
}

/// `zip`
pub(crate) fn zip(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (a, b) = (list(&arguments[0])?, list(&arguments[1])?);
    let count = a.len().min(b.len());
    call.step(count)?;
    call.allocate(count * 6 * CELL)?;
    let names: Arc<Vec<Arc<str>>> = Arc::new(vec!["first".into(), "second".into()]);
    let origin = call.origin;
    let pairs = a.iter().zip(b).map(|(a, b)| {
        let names = names.clone();
        let values = vec![a.clone(), b.clone()];
        Value::Record(origin, Arc::new(Record { names, values }))
    });
    let pairs = pairs.collect();
    call.list_of(pairs)
}

/// A value that is no failure.
fn sound(value: &Value) -> Eval {
    if value.is_failed() {
        return Err(Failed);
    }
    Ok(value.clone())
}

fn within(number: i64, items: &[Value]) -> usize {
    usize::try_from(number.max(0)).map_or(items.len(), |number| number.min(items.len()))
}

fn part(call: &mut Call<'_>, items: &[Value]) -> Eval {
    call.step(items.len() / 4)?;
    call.allocate(items.len() * CELL)?;
    Ok(Value::List(call.origin, Arc::new(items.to_vec())))
}

fn position(call: &mut Call<'_>, arguments: &[Value]) -> Eval<Option<usize>> {
    for (at, item) in list(&arguments[1])?.iter().enumerate() {
        if compare::equal(call, &arguments[0], item)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Counts what sorting numbers or strings takes; a failure can't be sorted.
fn count_sort(call: &mut Call<'_>, keys: &[Value]) -> Eval<()> {
    let mut cost = 0usize;
    for key in keys {
        cost = cost.saturating_add(match key {
            Value::Str(_, text) => 1 + text.len() / 64,
            Value::Int(..) => 1,
            _ => return Err(Failed),
        });
    }
    let rounds = keys.len().checked_ilog2().unwrap_or(0) as usize + 1;
    call.step(cost.saturating_mul(rounds))
}

/// The first bytes of a text as a number: texts of which this differs are in its order.
fn beginning(text: &str) -> u64 {
    let mut bytes = [0; 8];
    let count = text.len().min(8);
    bytes[..count].copy_from_slice(&text.as_bytes()[..count]);
    u64::from_be_bytes(bytes)
}

/// The order of numbers, or of strings by their bytes.
fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Int(_, a), Value::Int(_, b)) => a.cmp(b),
        (Value::Str(_, a), Value::Str(_, b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Int(..), _) => Ordering::Less,
        (_, Value::Int(..)) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

/// The numbers of the items in sorted order; equal ones stay as they are. Comparing
/// counts and may fail, which the sort of the library can't.
fn merge_sort(call: &mut Call<'_>, items: &[Value]) -> Eval<Vec<u32>> {
    let mut from: Vec<u32> = (0..items.len() as u32).collect();
    let mut to = Vec::with_capacity(from.len());
    let mut width = 1;
    while width < from.len() {
        to.clear();
        for pair in from.chunks(width * 2) {
            let (mut a, mut b) = pair.split_at(width.min(pair.len()));
            while let ([x, rest @ ..], [y, more @ ..]) = (a, b) {
                let order = compare::order(call, &items[*x as usize], &items[*y as usize])?;
                if order == Ordering::Greater {
                    to.push(*y);
                    b = more;
                } else {
                    to.push(*x);
                    a = rest;
                }
            }
            to.extend_from_slice(a);
            to.extend_from_slice(b);
        }
        std::mem::swap(&mut from, &mut to);
        width *= 2;
    }
    Ok(from)
}
