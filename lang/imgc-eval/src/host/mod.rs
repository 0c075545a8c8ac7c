//! The host's schemas: from values of the language to parts of a plan.
//!
//! Schemas are closed: a field that they don't know is a mistake. As many mistakes
//! as possible are reported at once, each at the literal that it is in. What a
//! part of an image is called in messages is its path: `users[1].uid`.

mod config;
mod files;
mod image;
mod project;
mod users;

use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::ImagePath;

use crate::eval::{Eval, Evaluator, Failed};
use crate::problem::{Problem, list_names};
use crate::span::Span;
use crate::value::{Data, List, Record, Value};

pub(crate) use image::{bad_name, is_image_name};
pub(crate) use project::world_problem;

/// Takes the value and remembers a failure.
fn keep<T>(failed: &mut bool, value: Eval<T>) -> Option<T> {
    *failed |= value.is_err();
    value.ok()
}

/// An article for the messages: a sentence about what is expected.
fn expected(what: &str, takes: &str, value: &Value) -> Problem {
    let message = format!("{what} is {takes}, and this is {}", value.kind());
    Problem::new(codes::WRONG_TYPE, value.span, message).about(value)
}

impl Evaluator<'_> {
    /// The record that `value` is. Reports every field that is not in `known`, and
    /// every one of `required` that is missing.
    fn host_record(
        &mut self,
        what: &str,
        value: &Value,
        known: &[&str],
        required: &[&str],
        failed: &mut bool,
    ) -> Eval<Arc<Record>> {
        let Data::Record(record) = &value.data else {
            return Err(self.report(expected(what, "a record", value)));
        };
        self.step(record.fields.len(), value.span)?;
        let mut misspelt = false;
        for field in &record.fields {
            if known.contains(&&*field.name) {
                continue;
            }
            misspelt = true;
            let message = format!("unknown field `{}`: {what} has no such field", field.name);
            let problem = Problem::new(codes::UNKNOWN_IMAGE_FIELD, field.span, message);
            self.unknown_name(problem, field.span, &field.name, known);
        }
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|name| record.get(name).is_none())
            .collect();
        // A misspelt name is one mistake, not also a missing field.
        if !missing.is_empty() && !misspelt {
            let word = if missing.len() == 1 {
                "field"
            } else {
                "fields"
            };
            let message = format!("{what} needs the {word} {}", list_names(&missing));
            let at = value.span.first_byte();
            self.report(Problem::new(codes::MISSING_FIELD, at, message));
        }
        *failed |= misspelt || !missing.is_empty();
        Ok(record.clone())
    }

    fn host_list(&mut self, what: &str, value: &Value) -> Eval<Arc<List>> {
        let Data::List(list) = &value.data else {
            return Err(self.report(expected(what, "a list", value)));
        };
        self.step(list.items.len(), value.span)?;
        Ok(list.clone())
    }

    /// A string without NUL.
    fn host_string(&mut self, what: &str, value: &Value) -> Eval<Arc<str>> {
        if let Data::Str(text) = &value.data {
            // It is looked through and copied, also where a list has it many times.
            self.step(text.len() / 64, value.span)?;
            self.allocate(text.len(), value.span)?;
        }
        match &value.data {
            Data::Str(text) if text.contains('\0') => {
                let message = format!("{what} can't hold a NUL character");
                let problem = Problem::new(codes::INVALID_ARGUMENT, value.span, message);
                Err(self.report(problem))
            }
            Data::Str(text) => Ok(text.clone()),
            Data::Int(_) | Data::Bool(_) => {
                let problem = expected(what, "a string", value);
                Err(self.report(problem.help("write it in quotes, or use `toString`")))
            }
            _ => Err(self.report(expected(what, "a string", value))),
        }
    }

    fn host_bool(&mut self, what: &str, value: &Value) -> Eval<bool> {
        match value.data {
            Data::Bool(truth) => Ok(truth),
            _ => Err(self.report(expected(what, "`true` or `false`", value))),
        }
    }

    fn host_strings(&mut self, what: &str, value: &Value) -> Eval<Vec<(Arc<str>, Span)>> {
        if let Data::Str(_) = value.data {
            let problem = expected(what, "a list of strings", value);
            return Err(self.report(problem.help("write it as a list: `[\"…\"]`")));
        }
        let list = self.host_list(what, value)?;
        let mut strings = Vec::new();
        let mut failed = false;
        for (index, item) in list.items.iter().enumerate() {
            let text = self.host_string(&format!("`{}[{index}]`", what.trim_matches('`')), item);
            strings.extend(keep(&mut failed, text).map(|text| (text, item.span)));
        }
        if failed { Err(Failed) } else { Ok(strings) }
    }

    /// A path inside the image.
    fn host_image_path(&mut self, what: &str, value: &Value) -> Eval<ImagePath> {
        if let Data::Path(_) = value.data {
            let problem = expected(what, "a path in the image", value);
            let help = "a path in the image is a string: `\"/srv/data\"`";
            return Err(self.report(problem.help(help)));
        }
        let text = self.host_string(what, value)?;
        self.image_path(&text, value.span)
    }

    fn image_path(&mut self, text: &str, span: Span) -> Eval<ImagePath> {
        ImagePath::new(text).map_err(|error| {
            let mut problem = Problem::new(codes::BAD_IMAGE_PATH, span, format!("{error}"));
            if error == imgc_plan::ImagePathError::Relative && !text.is_empty() {
                problem = problem.help(format!("write `\"/{}\"`", text.trim_start_matches("./")));
            }
            self.report(problem)
        })
    }

    /// A number from 0 to the largest id. 4294967295 means "no id" to the kernel.
    fn host_id(&mut self, what: &str, value: &Value) -> Eval<u32> {
        let Data::Int(number) = value.data else {
            return Err(self.report(expected(what, "a number", value)));
        };
        match u32::try_from(number) {
            Ok(id) if id != u32::MAX => Ok(id),
            _ => {
                let message = format!("{what} is a number from 0 to 4294967294, not {number}");
                let problem = Problem::new(codes::BAD_ID, value.span, message);
                Err(self.report(problem))
            }
        }
    }
}
