//! What the builtins of lists, strings and records do. Those that make parts of
//! images are in `host/`.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{codes, did_you_mean};

use crate::builtins::Builtin;
use crate::hir::MAX_NAME;
use crate::problem::{Problem, list_names};
use crate::span::Span;
use crate::value::{Data, List, Record, RecordField, Value};

use super::{Eval, Evaluator, Failed};

/// The longest text that `readFile` reads, in bytes.
const MAX_READ: usize = 1024 * 1024;

impl Evaluator<'_> {
    /// The value of a builtin with all its arguments.
    pub(super) fn builtin(
        &mut self,
        builtin: Builtin,
        mut arguments: Vec<Value>,
        call: Span,
    ) -> Eval {
        self.step(1, call)?;
        // The last argument is the data, so that `|>` reads well.
        let last = arguments.pop().ok_or(Failed)?;
        let rest = arguments.as_slice();
        match (builtin, rest) {
            (Builtin::Image, []) => self.host_image(&last, call),
            (Builtin::DebianPackages, []) => self.host_packages(&last, call),
            (Builtin::File, []) => self.host_file(&last, call),
            (Builtin::Directory, []) => self.host_directory(&last, call),
            (Builtin::Symlink, []) => self.host_symlink(&last, call),
            (Builtin::Binary, []) => self.host_binary(&last, call),
            (Builtin::ReadFile, []) => self.read_file(&last, call),
            (Builtin::Map, [function]) => {
                let items = self.items(builtin, &last)?;
                let mut values = Vec::new();
                for item in &items.items {
                    self.step(1, call)?;
                    values.push(self.apply(function.clone(), item.clone(), function.span, call)?);
                }
                self.list(values, call)
            }
            (Builtin::Filter, [function]) => {
                let items = self.items(builtin, &last)?;
                let mut values = Vec::new();
                for item in &items.items {
                    self.step(1, call)?;
                    let kept = self.apply(function.clone(), item.clone(), function.span, call)?;
                    let Data::Bool(kept) = kept.data else {
                        return Err(self.mismatch(
                            builtin,
                            &kept,
                            "a function that gives a truth value",
                        ));
                    };
                    if kept {
                        values.push(item.clone());
                    }
                }
                self.list(values, call)
            }
            (Builtin::Fold, [function, first]) => {
                let items = self.items(builtin, &last)?;
                let mut value = first.clone();
                for item in &items.items {
                    self.step(1, call)?;
                    value = self.apply2(function, value, item.clone(), call)?;
                }
                Ok(value)
            }
            (Builtin::Concat, []) => {
                let lists = self.items(builtin, &last)?;
                let mut values = Vec::new();
                for list in &lists.items {
                    let items = self.items(builtin, list)?;
                    self.step(1 + items.items.len(), call)?;
                    // Counted before the list grows: one list may be in it many times.
                    self.allocate(items.items.len() * size_of::<Value>(), call)?;
                    values.extend(items.items.iter().cloned());
                }
                self.list(values, call)
            }
            (Builtin::Contains, [wanted]) => {
                let items = self.items(builtin, &last)?;
                let mut found = false;
                for item in &items.items {
                    found = found || self.equal(wanted, item, call)?;
                }
                let data = Data::Bool(found);
                Ok(Value { data, span: call })
            }
            (Builtin::Length, []) => {
                let items = self.items(builtin, &last)?;
                let data = Data::Int(items.items.len() as i64);
                Ok(Value { data, span: call })
            }
            (Builtin::Range, [first]) => self.range(first, &last, call),
            (Builtin::Sort, []) => self.sort(&last, call),
            (Builtin::Join, [separator]) => self.join(separator, &last, call),
            (Builtin::Split, [separator]) => self.split(separator, &last, call),
            (Builtin::ToString, []) => match &last.data {
                Data::Str(_) => Ok(last),
                Data::Int(number) => self.string(&number.to_string(), call),
                Data::Bool(truth) => self.string(&truth.to_string(), call),
                _ => Err(self.mismatch(builtin, &last, "a number, a truth value or a string")),
            },
            (Builtin::Names, []) => {
                let record = self.fields(builtin, &last)?;
                self.step(record.fields.len(), call)?;
                let names = record.fields.iter().map(|field| Value {
                    data: Data::Str(field.name.clone()),
                    span: field.span,
                });
                self.list(names.collect(), call)
            }
            (Builtin::Values, []) => {
                let record = self.fields(builtin, &last)?;
                self.step(record.fields.len(), call)?;
                let values = record.fields.iter().map(|field| field.value.clone());
                self.list(values.collect(), call)
            }
            (Builtin::Has, [name]) => {
                let name = self.text(builtin, name)?;
                self.step(name.len() / 64, call)?;
                let record = self.fields(builtin, &last)?;
                let data = Data::Bool(record.get(&name).is_some());
                Ok(Value { data, span: call })
            }
            (Builtin::Get, [name]) => {
                let text = self.text(builtin, name)?;
                self.step(text.len() / 64, call)?;
                self.select(&last, &text, name.span, last.span)
            }
            (Builtin::ToRecord, []) => self.record_of_pairs(&last, call),
            // Not reached: `apply` gives each builtin as many arguments as it takes.
            _ => Err(Failed),
        }
    }

    /// Reports an argument of the wrong type.
    fn mismatch(&mut self, builtin: Builtin, value: &Value, takes: &str) -> Failed {
        let message = format!(
            "`{}` takes {takes}, and this is {}",
            builtin.name(),
            value.kind()
        );
        let call = self.calls.last().copied().unwrap_or(value.span);
        let problem = Problem::new(codes::WRONG_TYPE, value.span, message).about(value);
        self.report(problem.label(call, "in this call"))
    }

    fn items(&mut self, builtin: Builtin, value: &Value) -> Eval<Arc<List>> {
        match &value.data {
            Data::List(list) => Ok(list.clone()),
            _ => Err(self.mismatch(builtin, value, "a list")),
        }
    }

    fn fields(&mut self, builtin: Builtin, value: &Value) -> Eval<Arc<Record>> {
        match &value.data {
            Data::Record(record) => Ok(record.clone()),
            _ => Err(self.mismatch(builtin, value, "a record")),
        }
    }

    fn text(&mut self, builtin: Builtin, value: &Value) -> Eval<Arc<str>> {
        match &value.data {
            Data::Str(text) => Ok(text.clone()),
            _ => Err(self.mismatch(builtin, value, "a string")),
        }
    }

    fn range(&mut self, first: &Value, end: &Value, call: Span) -> Eval {
        let (Data::Int(from), Data::Int(to)) = (&first.data, &end.data) else {
            let wrong = if let Data::Int(_) = first.data {
                end
            } else {
                first
            };
            return Err(self.mismatch(Builtin::Range, wrong, "two numbers"));
        };
        let count = usize::try_from(i128::from(*to) - i128::from(*from)).unwrap_or(0);
        // Counted before anything is made.
        self.step(count, call)?;
        self.allocate(count.saturating_mul(size_of::<Value>()), call)?;
        let numbers = (*from..*to).map(|number| Value {
            data: Data::Int(number),
            span: call,
        });
        self.list(numbers.collect(), call)
    }

    fn sort(&mut self, list: &Value, call: Span) -> Eval {
        let items = self.items(Builtin::Sort, list)?;
        let takes = "a list of numbers or a list of strings";
        for item in &items.items {
            let fits = matches!(
                (&items.items[0].data, &item.data),
                (Data::Int(_), Data::Int(_)) | (Data::Str(_), Data::Str(_))
            );
            if !fits {
                return Err(self.mismatch(Builtin::Sort, item, takes));
            }
        }
        let cost = |item: &Value| match &item.data {
            Data::Str(text) => 1 + text.len() / 64,
            _ => 1,
        };
        let rounds = items.items.len().checked_ilog2().unwrap_or(0) as usize + 1;
        let cost: usize = items.items.iter().map(cost).sum();
        self.step(cost.saturating_mul(rounds), call)?;
        let mut sorted = items.items.clone();
        sorted.sort_by(|a, b| match (&a.data, &b.data) {
            (Data::Int(a), Data::Int(b)) => a.cmp(b),
            (Data::Str(a), Data::Str(b)) => a.cmp(b),
            _ => std::cmp::Ordering::Equal,
        });
        self.list(sorted, call)
    }

    fn join(&mut self, separator: &Value, list: &Value, call: Span) -> Eval {
        let separator = self.text(Builtin::Join, separator)?;
        let items = self.items(Builtin::Join, list)?;
        let mut text = String::new();
        for (index, item) in items.items.iter().enumerate() {
            self.step(1, call)?;
            let Data::Str(piece) = &item.data else {
                return Err(self.mismatch(Builtin::Join, item, "a list of strings"));
            };
            // Counted before the text grows.
            self.allocate(piece.len() + separator.len(), call)?;
            if index > 0 {
                text.push_str(&separator);
            }
            text.push_str(piece);
        }
        self.string(&text, call)
    }

    fn split(&mut self, separator: &Value, text: &Value, call: Span) -> Eval {
        let between = self.text(Builtin::Split, separator)?;
        if between.is_empty() {
            let problem = Problem::new(
                codes::INVALID_ARGUMENT,
                separator.span,
                "`split` needs a separator that is not empty",
            );
            return Err(self.report(problem.label(call, "in this call")));
        }
        let text = self.text(Builtin::Split, text)?;
        self.step(text.len() / 16, call)?;
        let mut parts = Vec::new();
        for part in text.split(&*between) {
            self.step(1, call)?;
            self.allocate(size_of::<Value>(), call)?;
            parts.push(self.string(part, call)?);
        }
        self.list(parts, call)
    }

    fn record_of_pairs(&mut self, list: &Value, call: Span) -> Eval {
        let items = self.items(Builtin::ToRecord, list)?;
        let takes = "a list of records with `name` and `value`";
        let mut fields: BTreeMap<Arc<str>, RecordField> = BTreeMap::new();
        for item in &items.items {
            self.step(1, call)?;
            let Data::Record(pair) = &item.data else {
                return Err(self.mismatch(Builtin::ToRecord, item, takes));
            };
            let (Some(name), Some(value), 2) =
                (pair.get("name"), pair.get("value"), pair.fields.len())
            else {
                return Err(self.mismatch(Builtin::ToRecord, item, takes));
            };
            let text = self.text(Builtin::ToRecord, &name.value)?;
            if text.len() > MAX_NAME {
                let message = format!("the name of a field has at most {MAX_NAME} bytes");
                let problem = Problem::new(codes::INVALID_ARGUMENT, name.value.span, message);
                return Err(self.report(problem.label(call, "in this call")));
            }
            let field = RecordField {
                name: text.clone(),
                span: name.value.span,
                value: value.value.clone(),
            };
            if let Some(earlier) = fields.insert(text.clone(), field) {
                let message = format!("the field `{text}` is set twice");
                let problem = Problem::new(codes::DUPLICATE_FIELD, name.value.span, message)
                    .label(earlier.span, "it is set here first")
                    .label(call, "in this call");
                return Err(self.report(problem));
            }
        }
        self.record(fields.into_values().collect(), call)
    }

    fn read_file(&mut self, value: &Value, call: Span) -> Eval {
        let Data::Path(path) = &value.data else {
            let failed = self.mismatch(Builtin::ReadFile, value, "a path such as `./motd`");
            return Err(failed);
        };
        self.project_file(path, value.span)?;
        let bytes = match self.world.read(path, 0, MAX_READ + 1) {
            Ok(bytes) => bytes,
            Err(error) => return Err(self.world_problem(&error, path, value.span)),
        };
        let message = if bytes.len() > MAX_READ {
            "`readFile` reads at most 1 MiB, and this file is longer"
        } else {
            match std::str::from_utf8(&bytes) {
                Ok(text) => return self.string(text, call),
                Err(_) => "`readFile` reads text, and this file is not UTF-8",
            }
        };
        let problem = Problem::new(codes::UNREADABLE_FILE, value.span, message);
        Err(self.report(problem.help("put the file into the image by its path instead")))
    }

    /// Words for an unknown name of a closed set.
    pub(crate) fn unknown_name(
        &mut self,
        mut problem: Problem,
        span: Span,
        name: &str,
        known: &[&str],
    ) -> Failed {
        if self.is_full() {
            return Failed;
        }
        problem = match did_you_mean(name, known.iter().copied()) {
            Some(similar) => problem.did_you_mean(span, name, similar),
            None => problem.note(format!("known are {}", list_names(known))),
        };
        self.report(problem)
    }
}
