//! Calls, and the matching of arguments with record patterns.

use std::collections::BTreeSet;

use crate::hir::{ExprKind, Lambda, Parameter, ParameterField};
use crate::problem::{Problem, list_names};
use crate::span::Span;
use crate::value::{Closure, Data, MAX_VALUE_DEPTH, Record, Value, depth_of};
use imgc_diag::{codes, did_you_mean};

use super::{Eval, Evaluator, Failed, Slot};

impl Evaluator<'_> {
    /// The value of `function argument`. `at` is where the function is written,
    /// `call` the whole call.
    pub(crate) fn apply(&mut self, function: Value, argument: Value, at: Span, call: Span) -> Eval {
        match function.data {
            Data::Lambda(closure) => {
                self.calls.push(call);
                let value = self.call(closure, argument, call);
                self.calls.pop();
                value
            }
            Data::Builtin(builtin, arguments) => {
                let mut arguments = arguments.to_vec();
                arguments.push(argument);
                if arguments.len() < builtin.arity() {
                    self.allocate(arguments.len() * size_of::<Value>(), call)?;
                    if depth_of(arguments.iter()) > MAX_VALUE_DEPTH {
                        return Err(self.report(Problem::new(
                            codes::NESTED_TOO_DEEP,
                            call,
                            format!("values nest more than {MAX_VALUE_DEPTH} levels deep here"),
                        )));
                    }
                    return Ok(Value {
                        data: Data::Builtin(builtin, arguments.into()),
                        span: call,
                    });
                }
                self.calls.push(call);
                let value = self.builtin(builtin, arguments, call);
                self.calls.pop();
                value
            }
            _ => {
                let problem = Problem::new(
                    codes::NOT_A_FUNCTION,
                    at,
                    format!("this is {}, not a function", function.kind()),
                )
                .came_from(function.span)
                .help("a list has `,` between its items, and a record `;` after each field");
                Err(self.report(problem))
            }
        }
    }

    /// `f a b`, for builtins that call functions.
    pub(super) fn apply2(&mut self, function: &Value, a: Value, b: Value, call: Span) -> Eval {
        let at = function.span;
        let partial = self.apply(function.clone(), a, at, call)?;
        self.apply(partial, b, at, call)
    }

    fn call(&mut self, closure: Closure, argument: Value, call: Span) -> Eval {
        let modules = self.modules;
        let expr = &modules[closure.module as usize].module.exprs[closure.expr.0 as usize];
        let ExprKind::Lambda(lambda) = &expr.kind else {
            return Err(Failed);
        };
        let mark = self.mark();
        let slots = self.bind(closure, lambda, argument, call)?;
        let frame = self.push_frame(closure.frame);
        self.slots.extend(slots);
        self.allocate(0, call)?;
        let value = self.eval(closure.module, lambda.body, Some(frame));
        self.release(mark);
        value
    }

    fn bind(
        &mut self,
        closure: Closure,
        lambda: &Lambda,
        argument: Value,
        call: Span,
    ) -> Eval<Vec<Slot>> {
        let Parameter::Fields { fields, open, span } = &lambda.parameter else {
            return Ok(vec![Slot::Done(argument)]);
        };
        let Data::Record(record) = &argument.data else {
            let problem = Problem::new(
                codes::WRONG_TYPE,
                argument.span,
                format!("expected a record, found {}", argument.kind()),
            )
            .label(*span, "the function takes these fields")
            .label(call, "it is called here");
            return Err(self.report(problem));
        };
        self.step(fields.len() + record.fields.len(), call)?;
        let known = *open || self.only_known(record, fields, *span);
        let mut slots = Vec::new();
        let mut missing = Vec::new();
        let mut failed = !known;
        for field in fields {
            if let Some(found) = record.get(&field.name) {
                slots.push(Slot::Done(found.value.clone()));
            } else if let Some(default) = field.default {
                match self.eval(closure.module, default, closure.frame) {
                    Ok(value) => slots.push(Slot::Done(value)),
                    Err(Failed) => failed = true,
                }
            } else {
                missing.push(&*field.name);
            }
        }
        // A misspelt name is one mistake, not also a missing field.
        if !missing.is_empty() && known {
            let word = if missing.len() == 1 {
                "field"
            } else {
                "fields"
            };
            let message = format!("missing {word} {}", list_names(&missing));
            let problem = Problem::new(
                codes::MISSING_ARGUMENT_FIELD,
                argument.span.first_byte(),
                message,
            )
            .label(*span, "the function needs it");
            self.report(problem);
            failed = true;
        }
        if failed {
            return Err(Failed);
        }
        Ok(slots)
    }

    /// Reports every field of a record that a closed pattern does not have.
    fn only_known(&mut self, record: &Record, fields: &[ParameterField], pattern: Span) -> bool {
        let names: BTreeSet<&str> = fields.iter().map(|field| &*field.name).collect();
        let mut known = true;
        for field in &record.fields {
            if names.contains(&*field.name) {
                continue;
            }
            known = false;
            if self.is_full() {
                return known;
            }
            let free = fields
                .iter()
                .filter(|known| record.get(&known.name).is_none());
            let similar = did_you_mean(&field.name, free.map(|known| &*known.name));
            let mut problem = Problem::new(
                codes::UNKNOWN_ARGUMENT_FIELD,
                field.span,
                format!("unknown field `{}`", field.name),
            );
            problem = match similar {
                Some(similar) => problem.did_you_mean(field.span, &field.name, similar),
                None => {
                    let names: Vec<&str> = fields.iter().map(|known| &*known.name).collect();
                    problem.note(format!("the fields are {}", list_names(&names)))
                }
            };
            if self.in_project(pattern) {
                problem = problem.label(pattern, "the function takes these fields");
            }
            self.report(problem);
        }
        known
    }

    /// The field of a record.
    pub(super) fn select(
        &mut self,
        record: &Value,
        name: &str,
        name_span: Span,
        record_span: Span,
    ) -> Eval {
        let Data::Record(fields) = &record.data else {
            let problem = Problem::new(
                codes::WRONG_TYPE,
                record_span,
                format!("only records have fields, and this is {}", record.kind()),
            )
            .came_from(record.span);
            return Err(self.report(problem));
        };
        if let Some(field) = fields.get(name) {
            return Ok(field.value.clone());
        }
        if self.is_full() {
            return Err(Failed);
        }
        let names = fields.fields.iter().map(|field| &*field.name);
        let similar = did_you_mean(name, names.clone());
        let mut problem = Problem::new(
            codes::UNKNOWN_FIELD,
            name_span,
            format!("the record has no field `{name}`"),
        );
        problem = match similar {
            Some(similar) => problem.did_you_mean(name_span, name, similar),
            None if fields.fields.is_empty() => problem.note("the record is empty"),
            None => {
                let names: Vec<&str> = names.collect();
                problem.note(format!("its fields are {}", list_names(&names)))
            }
        };
        Err(self.report(problem))
    }
}
