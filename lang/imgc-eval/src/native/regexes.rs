//! What the builtins of regular expressions do. Searching takes time in proportion to
//! the text times the size of the compiled expression, which is bounded.

use std::sync::Arc;

use imgc_diag::codes;
use regex::{Captures, Regex, RegexBuilder};

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

/// What compiling is counted as.
const COMPILING: usize = 20_000;
/// How many compiled expressions are remembered.
const MAX_KNOWN: usize = 64;

/// `capture`
pub(crate) fn capture(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let regex = compile(call, &arguments[0])?;
    let string = searched(call, &regex, &arguments[1])?;
    let Some(found) = regex.captures(string) else {
        return call.option(None);
    };
    let groups = found.iter().skip(1);
    let groups = groups.map(|group| group.map_or("", |group| group.as_str()));
    let groups = super::strings::parts(call, groups)?;
    call.option(Some(groups))
}

/// `findAll`
pub(crate) fn find_all(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let regex = compile(call, &arguments[0])?;
    let string = searched(call, &regex, &arguments[1])?;
    let mut found = Vec::new();
    each(call, &regex, string, |call, captures| {
        let piece = captures.get(0).map_or("", |found| found.as_str());
        found.push(call.string(piece)?);
        Ok(())
    })?;
    call.list_of(found)
}

/// `matches`
pub(crate) fn matches(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let regex = compile(call, &arguments[0])?;
    let string = searched(call, &regex, &arguments[1])?;
    Ok(call.bool(regex.is_match(string)))
}

/// `replaceAll`
pub(crate) fn replace_all(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let regex = compile(call, &arguments[0])?;
    let replacement = text(&arguments[1])?;
    let string = searched(call, &regex, &arguments[2])?;
    call.allocate(string.len())?;
    let groups = replacement.matches('$').count();
    let mut replaced = String::new();
    let mut rest = 0;
    each(call, &regex, string, |call, captures| {
        let Some(found) = captures.get(0) else {
            return Ok(());
        };
        replaced.push_str(&string[rest..found.start()]);
        rest = found.end();
        // A name of a group takes at least two bytes, and each may stand for the whole.
        let longest = replacement.len() + groups.saturating_mul(found.len());
        call.step(1 + groups * 4 + longest / 64)?;
        call.allocate(longest)?;
        captures.expand(replacement, &mut replaced);
        Ok(())
    })?;
    replaced.push_str(&string[rest..]);
    Ok(Value::Str(call.origin, Arc::new(replaced)))
}

/// `splitRegex`
pub(crate) fn split_regex(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let regex = compile(call, &arguments[0])?;
    let string = searched(call, &regex, &arguments[1])?;
    let mut parts = Vec::new();
    let mut rest = 0;
    each(call, &regex, string, |call, captures| {
        if let Some(found) = captures.get(0) {
            parts.push(call.string(&string[rest..found.start()])?);
            rest = found.end();
        }
        Ok(())
    })?;
    parts.push(call.string(&string[rest..])?);
    call.list_of(parts)
}

/// Compiles an expression, or reports what is wrong with it.
fn compile(call: &mut Call<'_>, value: &Value) -> Eval<Regex> {
    let pattern = text(value)?;
    // Compiling takes much longer than reading, also for what is short.
    call.step(10 + pattern.len() / 16)?;
    if let Some(known) = call.regexes().get(pattern) {
        return Ok(known.clone());
    }
    call.step(COMPILING + pattern.len() * 20)?;
    let compiled = (pattern.len() <= MAX_PATTERN).then(|| {
        RegexBuilder::new(pattern)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(2 * MAX_COMPILED)
            .nest_limit(MAX_NESTED)
            .build()
    });
    let message = match compiled {
        Some(Ok(regex)) => {
            let known = call.regexes();
            if known.len() >= MAX_KNOWN {
                known.clear();
            }
            known.insert(pattern.to_owned(), regex.clone());
            return Ok(regex);
        }
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

/// The text that is searched, counted: the more so, the longer the expression is.
fn searched<'a>(call: &mut Call<'_>, regex: &Regex, value: &'a Value) -> Eval<&'a str> {
    let string = text(value)?;
    let weight = 1 + regex.as_str().len() / 16;
    call.step((string.len() / 4).saturating_mul(weight))?;
    Ok(string)
}

/// Does something with each match. A search may read to the end of the text before it
/// finds that a match is short, so what is left is counted for each.
fn each<'a>(
    call: &mut Call<'_>,
    regex: &Regex,
    string: &'a str,
    mut work: impl FnMut(&mut Call<'_>, &Captures<'a>) -> Eval<()>,
) -> Eval<()> {
    for captures in regex.captures_iter(string) {
        let start = captures.get(0).map_or(0, |found| found.end());
        call.step(1 + (string.len() - start) / 1_024)?;
        call.allocate(size_of::<Value>())?;
        work(call, &captures)?;
    }
    Ok(())
}
