//! What builtins do that make no parts of images.

pub(crate) mod data;
mod effort;
pub(crate) mod files;
pub(crate) mod hashing;
pub(crate) mod lists;
pub(crate) mod maps;
pub(crate) mod numbers;
pub(crate) mod parsers;
pub(crate) mod regexes;
pub(crate) mod strings;
pub(crate) mod templates;

use crate::vm::call::{Eval, Failed};
use crate::vm::value::{Record, Value};

/// A builtin that calls functions. The machine does it step by step, so that calls do
/// not nest natively.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Higher {
    /// `all`
    All,
    /// `any`
    Any,
    /// `concatMap`
    ConcatMap,
    /// `filter`
    Filter,
    /// `filterMap`
    FilterMap,
    /// `find`
    Find,
    /// `fold`
    Fold,
    /// `groupBy`
    GroupBy,
    /// `iterate`
    Iterate,
    /// `map`
    Map,
    /// `mapValues`
    MapValues,
    /// `partition`
    Partition,
    /// `sortBy`
    SortBy,
}

/// The number that an argument is.
fn int(value: &Value) -> Eval<i64> {
    value.as_int().ok_or(Failed)
}

/// The text that an argument is.
fn text(value: &Value) -> Eval<&str> {
    value.as_str().ok_or(Failed)
}

/// The items of the list that an argument is.
fn list(value: &Value) -> Eval<&[Value]> {
    value.as_list().ok_or(Failed)
}

/// The map that an argument is.
fn map(value: &Value) -> Eval<&Record> {
    value.as_record().ok_or(Failed)
}

/// The path that an argument is.
fn path(value: &Value) -> Eval<&str> {
    match value {
        Value::Path(_, path) => Ok(path),
        _ => Err(Failed),
    }
}
