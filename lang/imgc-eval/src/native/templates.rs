//! `render`: a text with names in it.

use std::sync::Arc;

use imgc_diag::{codes, did_you_mean};

use super::{map, text};
use crate::problem::{Problem, list_names};
use crate::vm::call::{Call, Eval};
use crate::vm::value::Value;

/// `render`
pub(crate) fn render(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let names = map(&arguments[0])?;
    let template = text(&arguments[1])?;
    call.step(template.len() / 16 + names.values.len())?;
    call.allocate(template.len())?;
    let mut used = vec![false; names.values.len()];
    let mut unknown = Vec::new();
    let mut rendered = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        rendered.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            let line = line_of(template, after);
            let message = format!("`{{{{` on line {line} of the template has no `}}}}`");
            return wrong(call, &arguments[1], message);
        };
        let name = name.trim();
        call.step(3 + name.len() / 64)?;
        match names.names.binary_search_by(|known| (**known).cmp(name)) {
            Ok(at) => {
                used[at] = true;
                let value = text(&names.values[at])?;
                // Counted before the text grows.
                call.step(value.len() / 64)?;
                call.allocate(value.len())?;
                rendered.push_str(value);
            }
            Err(_) => unknown.push((name, line_of(template, after))),
        }
        rest = after;
    }
    rendered.push_str(rest);
    if let Some((name, line)) = unknown.first() {
        let message = format!("line {line} of the template names `{name}`, which is not given");
        let site = call.site_of_value(&arguments[1]);
        let problem = Problem::new(codes::INVALID_ARGUMENT, site, message);
        let known: Vec<&str> = names.names.iter().map(|name| &**name).collect();
        let problem = match did_you_mean(name, known.iter().copied()) {
            Some(similar) => problem.help(format!("did you mean `{similar}`?")),
            None => problem.note(format!("given are {}", list_names(&known))),
        };
        return Err(call.report(problem));
    }
    let unused = names.names.iter().zip(&used).filter(|(_, used)| !**used);
    let unused: Vec<&str> = unused.map(|(name, _)| &**name).collect();
    if let Some(first) = unused.first() {
        let site = call.site_of_field(&arguments[0], first);
        let message = format!("the template does not use {}", list_names(&unused));
        return Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)));
    }
    Ok(Value::Str(call.origin, Arc::new(rendered)))
}

/// The number of the line on which `rest` begins, a part of `whole`'s end.
fn line_of(whole: &str, rest: &str) -> usize {
    let before = &whole[..whole.len() - rest.len()];
    1 + before.matches('\n').count()
}

fn wrong(call: &mut Call<'_>, value: &Value, message: String) -> Eval {
    let site = call.site_of_value(value);
    Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)))
}
