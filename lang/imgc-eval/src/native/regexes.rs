//! What the builtins of regular expressions do. Searching takes time in proportion to
//! the text times the size of the compiled expression, which is bounded.

use std::sync::Arc;

use imgc_diag::codes;
use regex::{Match, Regex, RegexBuilder};

use super::effort::Effort;
use super::text;
use crate::problem::Problem;
use crate::vm::call::{Call, Eval};
use crate::vm::value::Value;

/// The largest compiled expression, in bytes.
const MAX_COMPILED: usize = 256 * 1024;
/// The longest expression, in bytes.
const MAX_PATTERN: usize = 8 * 1024;
/// How deep groups nest.
const MAX_NESTED: u32 = 100;

/// How many compiled expressions are remembered.
const MAX_KNOWN: usize = 64;

/// `capture`
pub(crate) fn capture(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    with(call, &arguments[0], |call, regex| {
        let (string, effort) = searched(call, regex, &arguments[1])?;
        call.step(effort.capture(string.len()))?;
        let Some(found) = regex.captures(string) else {
            return call.option(None);
        };
        let groups = found.iter().skip(1);
        let groups = groups.map(|group| group.map_or("", |group| group.as_str()));
        let groups = super::strings::parts(call, groups)?;
        call.option(Some(groups))
    })
}

/// `findAll`
pub(crate) fn find_all(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    with(call, &arguments[0], |call, regex| {
        let (string, effort) = searched(call, regex, &arguments[1])?;
        let mut found = Vec::new();
        each(call, (regex, &effort), string, |call, piece| {
            found.push(call.string(piece.as_str())?);
            Ok(())
        })?;
        call.list_of(found)
    })
}

/// `matches`
pub(crate) fn matches(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    with(call, &arguments[0], |call, regex| {
        let (string, _) = searched(call, regex, &arguments[1])?;
        Ok(call.bool(regex.is_match(string)))
    })
}

/// `replaceAll`
pub(crate) fn replace_all(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    with(call, &arguments[0], |call, regex| {
        let replacement = text(&arguments[1])?;
        let (string, effort) = searched(call, regex, &arguments[2])?;
        call.allocate(string.len())?;
        let groups = replacement.matches('$').count();
        let mut replaced = String::new();
        let mut rest = 0;
        each(call, (regex, &effort), string, |call, found| {
            replaced.push_str(&string[rest..found.start()]);
            rest = found.end();
            // A name of a group takes at least two bytes, and each may stand for the whole.
            let longest = replacement.len() + groups.saturating_mul(found.len());
            call.step(1 + groups * 4 + longest / 64)?;
            call.allocate(longest)?;
            if groups == 0 {
                replaced.push_str(replacement);
                return Ok(());
            }
            call.step(effort.capture(found.len()))?;
            if let Some(captures) = regex.captures_at(string, found.start()) {
                captures.expand(replacement, &mut replaced);
            }
            Ok(())
        })?;
        replaced.push_str(&string[rest..]);
        Ok(Value::Str(call.origin, Arc::new(replaced)))
    })
}

/// `splitRegex`
pub(crate) fn split_regex(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    with(call, &arguments[0], |call, regex| {
        let (string, effort) = searched(call, regex, &arguments[1])?;
        let mut parts = Vec::new();
        let mut rest = 0;
        each(call, (regex, &effort), string, |call, found| {
            parts.push(call.string(&string[rest..found.start()])?);
            rest = found.end();
            Ok(())
        })?;
        parts.push(call.string(&string[rest..])?);
        call.list_of(parts)
    })
}

/// Does something with a compiled expression, which is remembered. It is taken out and
/// put back: a clone would begin without what searching has found out about it.
fn with(
    call: &mut Call<'_>,
    value: &Value,
    work: impl FnOnce(&mut Call<'_>, &Regex) -> Eval,
) -> Eval {
    let (pattern, regex) = compile(call, value)?;
    let result = work(call, &regex);
    let known = call.regexes();
    if known.len() >= MAX_KNOWN {
        known.clear();
    }
    known.insert(pattern, regex);
    result
}

/// Compiles an expression, or reports what is wrong with it.
fn compile(call: &mut Call<'_>, value: &Value) -> Eval<(String, Regex)> {
    let pattern = text(value)?;
    // Compiling takes much longer than reading, also for what is short.
    call.step(10 + pattern.len() / 4)?;
    if let Some(known) = call.regexes().remove_entry(pattern) {
        return Ok(known);
    }
    call.step(Effort::of(pattern).compiling)?;
    let compiled = (pattern.len() <= MAX_PATTERN).then(|| {
        RegexBuilder::new(pattern)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(2 * MAX_COMPILED)
            .nest_limit(MAX_NESTED)
            .build()
    });
    let message = match compiled {
        Some(Ok(regex)) => return Ok((pattern.to_owned(), regex)),
        Some(Err(regex::Error::Syntax(why))) => {
            // The first lines show the expression; the last says what is wrong.
            let why = why.lines().last().unwrap_or_default();
            let why = why.strip_prefix("error: ").unwrap_or(why);
            format!("this is no regular expression: {why}")
        }
        None | Some(Err(_)) => "this regular expression is too large".to_owned(),
    };
    let site = call.site_of_value(value);
    Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)))
}

/// The text that is searched, counted: the more so, the more work the expression is.
fn searched<'a>(call: &mut Call<'_>, regex: &Regex, value: &'a Value) -> Eval<(&'a str, Effort)> {
    let string = text(value)?;
    let effort = Effort::of(regex.as_str());
    call.step(effort.search(string.len(), string.is_ascii()))?;
    Ok((string, effort))
}

/// Does something with each match. A search may read to the end of the text before it
/// finds that a match is short, so what is left is counted for each.
fn each<'a>(
    call: &mut Call<'_>,
    (regex, effort): (&Regex, &Effort),
    string: &'a str,
    mut work: impl FnMut(&mut Call<'_>, Match<'a>) -> Eval<()>,
) -> Eval<()> {
    let ascii = string.is_ascii();
    for found in regex.find_iter(string) {
        call.step(effort.ahead(string.len() - found.end(), ascii))?;
        call.allocate(size_of::<Value>())?;
        work(call, found)?;
    }
    Ok(())
}
