//! What the operators do, and equality.

use imgc_diag::codes;
use std::cmp::Ordering;

use crate::hir::{BinaryOp, ExprId};
use crate::problem::Problem;
use crate::span::Span;
use crate::value::{Data, Record, Value};

use super::{Eval, Evaluator, Failed};

impl Evaluator<'_> {
    pub(super) fn negate(
        &mut self,
        module: u32,
        operand: ExprId,
        frame: Option<u32>,
        span: Span,
    ) -> Eval {
        let value = self.eval(module, operand, frame)?;
        let Data::Int(number) = value.data else {
            let at = self.span(module, operand);
            let problem = Problem::new(
                codes::WRONG_TYPE,
                at,
                format!("`-` takes a number, and this is {}", value.kind()),
            )
            .came_from(value.span);
            return Err(self.report(problem));
        };
        let Some(number) = number.checked_neg() else {
            return Err(self.overflow(span));
        };
        let data = Data::Int(number);
        Ok(Value { data, span })
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        left: (u32, ExprId),
        right: (u32, ExprId),
        frame: Option<u32>,
        span: Span,
    ) -> Eval {
        let left_span = self.span(left.0, left.1);
        let right_span = self.span(right.0, right.1);
        let left = self.eval(left.0, left.1, frame);
        let right = self.eval(right.0, right.1, frame);
        let (left, right) = (left?, right?);
        match op {
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply => {
                self.arithmetic(op, (&left, left_span), (&right, right_span), span)
            }
            BinaryOp::Concat => {
                let Data::List(a) = &left.data else {
                    return Err(self.operand(op, &left, left_span, "lists"));
                };
                let Data::List(b) = &right.data else {
                    return Err(self.operand(op, &right, right_span, "lists"));
                };
                self.step(a.items.len() + b.items.len(), span)?;
                let items = a.items.iter().chain(&b.items).cloned().collect();
                self.list(items, span)
            }
            BinaryOp::Update => {
                let Data::Record(a) = &left.data else {
                    return Err(self.operand(op, &left, left_span, "records"));
                };
                let Data::Record(b) = &right.data else {
                    return Err(self.operand(op, &right, right_span, "records"));
                };
                self.update(a, b, span)
            }
            BinaryOp::Equal | BinaryOp::NotEqual => {
                let equal = self.equal(&left, &right, span)?;
                let data = Data::Bool(equal == (op == BinaryOp::Equal));
                Ok(Value { data, span })
            }
            BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => {
                let order = match (&left.data, &right.data) {
                    (Data::Int(a), Data::Int(b)) => a.cmp(b),
                    (Data::Str(a), Data::Str(b)) => {
                        self.step(a.len().min(b.len()) / 64, span)?;
                        a.cmp(b)
                    }
                    (Data::Int(_), _) => {
                        let sides = ((&left, left_span), (&right, right_span));
                        return Err(self.second(op, sides.0, sides.1, "two numbers"));
                    }
                    (Data::Str(_), _) => {
                        let sides = ((&left, left_span), (&right, right_span));
                        return Err(self.second(op, sides.0, sides.1, "two strings"));
                    }
                    _ => {
                        let takes = "two numbers or two strings";
                        return Err(self.operand(op, &left, left_span, takes));
                    }
                };
                let data = Data::Bool(match op {
                    BinaryOp::Less => order == Ordering::Less,
                    BinaryOp::LessEqual => order != Ordering::Greater,
                    BinaryOp::Greater => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                });
                Ok(Value { data, span })
            }
        }
    }

    fn arithmetic(
        &mut self,
        op: BinaryOp,
        (left, left_span): (&Value, Span),
        (right, right_span): (&Value, Span),
        span: Span,
    ) -> Eval {
        if let (BinaryOp::Add, Data::Str(a)) = (op, &left.data) {
            let Data::Str(b) = &right.data else {
                return Err(self.second(op, (left, left_span), (right, right_span), "two strings"));
            };
            self.allocate(a.len() + b.len(), span)?;
            return self.string(&format!("{a}{b}"), span);
        }
        let Data::Int(a) = left.data else {
            let takes = match op {
                BinaryOp::Add => "two numbers or two strings",
                _ => "numbers",
            };
            return Err(self.operand(op, left, left_span, takes));
        };
        let Data::Int(b) = right.data else {
            return Err(self.second(op, (left, left_span), (right, right_span), "two numbers"));
        };
        let number = match op {
            BinaryOp::Add => a.checked_add(b),
            BinaryOp::Subtract => a.checked_sub(b),
            _ => a.checked_mul(b),
        };
        let Some(number) = number else {
            return Err(self.overflow(span));
        };
        let data = Data::Int(number);
        Ok(Value { data, span })
    }

    /// Reports an operand that its operator does not take.
    fn operand(&mut self, op: BinaryOp, value: &Value, at: Span, takes: &str) -> Failed {
        let problem = mismatch(op, value, at, takes);
        self.report(problem)
    }

    /// Reports a second operand that does not go with the first.
    fn second(
        &mut self,
        op: BinaryOp,
        (left, left_span): (&Value, Span),
        (right, right_span): (&Value, Span),
        takes: &str,
    ) -> Failed {
        let mut problem = mismatch(op, right, right_span, &format!("{takes} here"))
            .label(left_span, format!("this is {}", left.kind()))
            .came_from(left.span);
        if let (Data::Str(_), Data::Int(_) | Data::Bool(_)) = (&left.data, &right.data) {
            problem = problem.help("`toString` makes a string of it");
        }
        self.report(problem)
    }

    fn overflow(&mut self, span: Span) -> Failed {
        let message = "the result is no 64-bit number".to_owned();
        self.report(Problem::new(codes::INTEGER_OVERFLOW, span, message))
    }

    /// The fields of both records; where both have one, that of `b`.
    fn update(&mut self, a: &Record, b: &Record, span: Span) -> Eval {
        self.step(a.fields.len() + b.fields.len(), span)?;
        let mut fields = Vec::with_capacity(a.fields.len() + b.fields.len());
        let (mut left, mut right) = (a.fields.iter().peekable(), b.fields.iter().peekable());
        loop {
            match (left.peek(), right.peek()) {
                (Some(x), Some(y)) => match x.name.cmp(&y.name) {
                    Ordering::Less => fields.extend(left.next().cloned()),
                    Ordering::Greater => fields.extend(right.next().cloned()),
                    Ordering::Equal => {
                        left.next();
                        fields.extend(right.next().cloned());
                    }
                },
                (Some(_), None) => fields.extend(left.next().cloned()),
                (None, Some(_)) => fields.extend(right.next().cloned()),
                (None, None) => return self.record(fields, span),
            }
        }
    }

    /// Whether two values are the same data. Each pair that is looked at is a step,
    /// also where both sides are shared: sharing must not be seen.
    pub(super) fn equal(&mut self, a: &Value, b: &Value, span: Span) -> Eval<bool> {
        self.step(1, span)?;
        Ok(match (&a.data, &b.data) {
            (Data::Int(a), Data::Int(b)) => a == b,
            (Data::Bool(a), Data::Bool(b)) => a == b,
            (Data::Str(a), Data::Str(b)) | (Data::Path(a), Data::Path(b)) => {
                self.step(a.len().min(b.len()) / 64, span)?;
                a == b
            }
            (Data::List(a), Data::List(b)) => {
                if a.items.len() != b.items.len() {
                    return Ok(false);
                }
                for (a, b) in a.items.iter().zip(&b.items) {
                    if !self.equal(a, b, span)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Data::Record(a), Data::Record(b)) => {
                let names = |record: &Record| record.fields.len();
                if names(a) != names(b) {
                    return Ok(false);
                }
                for (a, b) in a.fields.iter().zip(&b.fields) {
                    if a.name != b.name || !self.equal(&a.value, &b.value, span)? {
                        return Ok(false);
                    }
                }
                true
            }
            _ => {
                let same = a.kind() == b.kind();
                let message = if same {
                    format!("can't compare {} with another", a.kind())
                } else {
                    format!("can't compare {} with {}", a.kind(), b.kind())
                };
                let problem = Problem::new(codes::NOT_COMPARABLE, span, message)
                    .about(a)
                    .about(b)
                    .came_from(a.span)
                    .came_from(b.span);
                return Err(self.report(problem));
            }
        })
    }
}

fn mismatch(op: BinaryOp, value: &Value, at: Span, takes: &str) -> Problem {
    let message = format!(
        "`{}` takes {takes}, and this is {}",
        op.symbol(),
        value.kind()
    );
    let problem = Problem::new(codes::WRONG_TYPE, at, message).came_from(value.span);
    match (op, &value.data) {
        (BinaryOp::Add, Data::List(_)) => problem.help("`++` joins lists"),
        (BinaryOp::Add, Data::Record(_)) => problem.help("`//` joins records"),
        (BinaryOp::Concat, Data::Str(_)) => problem.help("`+` joins strings"),
        _ => problem,
    }
}
