//! What the builtins of strings do. Every one counts what it reads and makes before it
//! does so.

use std::sync::Arc;

use imgc_diag::codes;

use super::{int, list, text};
use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

/// How many bytes a value takes in a list.
const CELL: usize = size_of::<Value>();

/// `characters`
pub(crate) fn characters(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let string = text(&arguments[0])?;
    let mut buffer = [0; 4];
    let mut items = Vec::new();
    for character in string.chars() {
        call.step(1)?;
        call.allocate(CELL)?;
        items.push(call.string(character.encode_utf8(&mut buffer))?);
    }
    call.list_of(items)
}

/// `endsWith`
pub(crate) fn ends_with(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (end, string) = two(call, arguments)?;
    Ok(call.bool(string.ends_with(end)))
}

/// `fail`
pub(crate) fn fail(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let problem = Problem::new(codes::ASSERTION_FAILED, call.site(), text(&arguments[0])?);
    Err(call.report(problem))
}

/// `hasText`
pub(crate) fn has_text(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (part, string) = two(call, arguments)?;
    call.step(string.len() / 6)?;
    Ok(call.bool(string.contains(part)))
}

/// `indent`
pub(crate) fn indent(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let count = usize::try_from(int(&arguments[0])?.max(0)).unwrap_or(usize::MAX);
    let string = text(&arguments[1])?;
    call.step(string.len() / 16)?;
    call.allocate(string.len())?;
    let mut indented = String::new();
    for line in string.split_inclusive('\n') {
        call.step(2)?;
        if line != "\n" && line != "\r\n" {
            call.allocate(count)?;
            indented.extend(std::iter::repeat_n(' ', count));
        }
        indented.push_str(line);
    }
    call.made_string(indented)
}

/// `join`
pub(crate) fn join(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let separator = text(&arguments[0])?;
    let items = list(&arguments[1])?;
    call.step(items.len())?;
    let mut length = separator
        .len()
        .saturating_mul(items.len().saturating_sub(1));
    for item in items {
        length = length.saturating_add(text(item)?.len());
    }
    // Counted before anything is made, and made in one piece.
    call.allocate(length)?;
    let mut joined = String::with_capacity(length);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(text(item)?);
    }
    call.step(joined.len() / 64)?;
    Ok(Value::Str(call.origin, Arc::new(joined)))
}

/// `lines`
pub(crate) fn lines(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let string = text(&arguments[0])?;
    call.step(string.len() / 16)?;
    parts(call, string.lines())
}

/// `lower`
pub(crate) fn lower(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let string = text(&arguments[0])?;
    call.step(string.len() / 64)?;
    call.made_string(string.to_ascii_lowercase())
}

/// `padLeft`
pub(crate) fn pad_left(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let wanted = usize::try_from(int(&arguments[0])?.max(0)).unwrap_or(usize::MAX);
    let (fill, string) = (text(&arguments[1])?, text(&arguments[2])?);
    call.step(string.len() / 16)?;
    let missing = wanted.saturating_sub(string.chars().count());
    if fill.is_empty() && missing > 0 {
        let site = call.site_of_value(&arguments[1]);
        let message = "`padLeft` needs something to fill with";
        return Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)));
    }
    // A character has at most four bytes.
    call.step(missing / 4)?;
    call.allocate(missing.saturating_mul(4).saturating_add(string.len()))?;
    let mut padded: String = fill.chars().cycle().take(missing).collect();
    padded.push_str(string);
    Ok(Value::Str(call.origin, Arc::new(padded)))
}

/// `removePrefix`
pub(crate) fn remove_prefix(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (prefix, string) = two(call, arguments)?;
    match string.strip_prefix(prefix) {
        Some(rest) => call.string(rest),
        None => Ok(arguments[1].clone()),
    }
}

/// `removeSuffix`
pub(crate) fn remove_suffix(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (suffix, string) = two(call, arguments)?;
    match string.strip_suffix(suffix) {
        Some(rest) => call.string(rest),
        None => Ok(arguments[1].clone()),
    }
}

/// `repeat`
pub(crate) fn repeat(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let count = usize::try_from(int(&arguments[0])?.max(0)).unwrap_or(usize::MAX);
    let string = text(&arguments[1])?;
    let length = string.len().saturating_mul(count);
    call.step(length / 64)?;
    call.allocate(length)?;
    // An empty string is the same however often it is repeated.
    let repeated = if string.is_empty() {
        String::new()
    } else {
        string.repeat(count)
    };
    Ok(Value::Str(call.origin, Arc::new(repeated)))
}

/// `replace`
pub(crate) fn replace(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (from, to, string) = (
        text(&arguments[0])?,
        text(&arguments[1])?,
        text(&arguments[2])?,
    );
    not_empty(call, "replace", "text to replace", &arguments[0])?;
    call.step(string.len() / 6 + from.len() / 64)?;
    call.allocate(string.len())?;
    let mut replaced = String::new();
    let mut rest = 0;
    for (at, _) in string.match_indices(from) {
        // Counted before the text grows.
        call.step(3 + to.len() / 64)?;
        call.allocate(to.len())?;
        replaced.push_str(&string[rest..at]);
        replaced.push_str(to);
        rest = at + from.len();
    }
    replaced.push_str(&string[rest..]);
    Ok(Value::Str(call.origin, Arc::new(replaced)))
}

/// `slice`
pub(crate) fn slice(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let bound = |value: &Value| {
        let number = int(value)?.max(0);
        Ok(usize::try_from(number).unwrap_or(usize::MAX))
    };
    let (from, to) = (bound(&arguments[0])?, bound(&arguments[1])?);
    let string = text(&arguments[2])?;
    call.step(string.len().min(to.saturating_mul(4)) / 16)?;
    let offset = |string: &str, count: usize| {
        let mut ends = string.char_indices().map(|(at, _)| at);
        ends.nth(count).unwrap_or(string.len())
    };
    let rest = &string[offset(string, from)..];
    call.string(&rest[..offset(rest, to.saturating_sub(from))])
}

/// `split`
pub(crate) fn split(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (separator, string) = two(call, arguments)?;
    not_empty(call, "split", "separator", &arguments[0])?;
    call.step(string.len() / 6)?;
    parts(call, string.split(separator))
}

/// `startsWith`
pub(crate) fn starts_with(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let (start, string) = two(call, arguments)?;
    Ok(call.bool(string.starts_with(start)))
}

/// `textLength`
pub(crate) fn text_length(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let string = text(&arguments[0])?;
    call.step(string.len() / 64)?;
    Ok(call.int(string.chars().count() as i64))
}

/// `toInt`
pub(crate) fn to_int(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let string = text(&arguments[0])?;
    let digits = string.strip_prefix('-').unwrap_or(string);
    let decimal = digits.len() <= 19 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = string.parse().ok().filter(|_| decimal);
    let number = number.map(|number| call.int(number));
    call.option(number)
}

/// `toString`
pub(crate) fn to_string(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    match &arguments[0] {
        Value::Str(_, text) => Ok(Value::Str(call.origin, text.clone())),
        Value::Int(_, number) => call.string(itoa::Buffer::new().format(*number)),
        Value::Bool(_, truth) => call.made_string(truth.to_string()),
        Value::Path(_, path) => call.made_string(crate::path::shown(path)),
        _ => Err(Failed),
    }
}

/// `trim`
pub(crate) fn trim(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let string = text(&arguments[0])?;
    call.step(string.len() / 12)?;
    call.string(string.trim())
}

/// `upper`
pub(crate) fn upper(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let string = text(&arguments[0])?;
    call.step(string.len() / 64)?;
    call.made_string(string.to_ascii_uppercase())
}

/// A list of parts of a string, each counted before it is made.
pub(super) fn parts<'a>(call: &mut Call<'_>, parts: impl Iterator<Item = &'a str>) -> Eval {
    let mut items = Vec::new();
    for part in parts {
        call.step(1)?;
        call.allocate(CELL)?;
        items.push(call.string(part)?);
    }
    call.list_of(items)
}

/// Two strings, the first of which is looked for in the second.
fn two<'a>(call: &mut Call<'_>, arguments: &'a [Value]) -> Eval<(&'a str, &'a str)> {
    let (a, b) = (text(&arguments[0])?, text(&arguments[1])?);
    call.step(a.len() / 64)?;
    Ok((a, b))
}

fn not_empty(call: &mut Call<'_>, builtin: &str, what: &str, value: &Value) -> Eval<()> {
    if !text(value)?.is_empty() {
        return Ok(());
    }
    let message = format!("`{builtin}` needs a {what} that is not empty");
    let problem = Problem::new(codes::INVALID_ARGUMENT, call.site_of_value(value), message);
    Err(call.report(problem))
}
