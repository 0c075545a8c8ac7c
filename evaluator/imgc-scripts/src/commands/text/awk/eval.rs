//! The values of an awk program's expressions.

use std::cell::RefCell;
use std::rc::Rc;

use super::array::Array;
use super::run::{Awk, Flow, Run, Slot};
use super::syntax::{Comparison, Expr, Function, Operator, Place, Var};
use super::value::Value;
use crate::commands::text::spend_on;
use crate::stop::{Stop, Why};

impl Awk<'_, '_, '_> {
    pub(super) fn truth(&mut self, expr: &Expr) -> Run<bool> {
        Ok(self.eval(expr)?.is_true(self.version))
    }

    /// The value of an expression.
    pub(super) fn eval(&mut self, expr: &Expr) -> Run<Value> {
        match expr {
            Expr::Number(number) => return Ok(Value::Number(*number)),
            Expr::Text(text) => return Ok(Value::Text(Rc::clone(text))),
            Expr::Place(place) => return self.read(place),
            _ => {}
        }
        self.enter()?;
        let value = self.compound(expr);
        self.depth -= 1;
        value
    }

    /// The value of an expression that has parts. Every kind has a function of its own,
    /// so that this one, which nests, needs little of the stack.
    fn compound(&mut self, expr: &Expr) -> Run<Value> {
        match expr {
            Expr::Number(_) | Expr::Text(_) | Expr::Place(_) => self.eval(expr),
            Expr::Regex(source) => self.matches_record(source),
            Expr::Assign(place, operator, right) => self.assign_place(place, *operator, right),
            Expr::If(condition, then, other) => self.choose(condition, then, other),
            Expr::Logic(any, parts) => self.logic(*any, parts),
            Expr::Not(inner) => self.not(inner),
            Expr::Negative(inner) => self.signed(inner, -1.0),
            Expr::Positive(inner) => self.signed(inner, 1.0),
            Expr::Chain(first, rest) => self.chain(first, rest),
            Expr::Concat(parts) => self.concat(parts),
            Expr::Compare(comparison, left, right) => self.comparison(*comparison, left, right),
            Expr::Match(negated, left, right) => self.matching(*negated, left, right),
            Expr::In(keys, array) => self.member(keys, *array),
            Expr::Step(place, by, before) => self.step(place, *by, *before),
            Expr::Call(number, args) => self.call(*number, args),
            Expr::Builtin(which, args) => self.builtin(*which, args),
            Expr::Getline(source, place) => self.getline(source, place.as_ref()),
            Expr::Group(_) => {
                Err(Stop::unsupported("awk has a list where a value is wanted").into())
            }
        }
    }

    fn matches_record(&mut self, source: &Rc<[u8]>) -> Run<Value> {
        let pattern = self.pattern(source)?;
        let whole = self.whole();
        spend_on(self.process, whole.len())?;
        Ok(Value::truth(pattern.is_match(&whole)?))
    }

    fn choose(&mut self, condition: &Expr, then: &Expr, other: &Expr) -> Run<Value> {
        let chosen = if self.truth(condition)? { then } else { other };
        self.eval(chosen)
    }

    /// `||`, or `&&` where `any` is false: the first part that settles it does so.
    fn logic(&mut self, any: bool, parts: &[Expr]) -> Run<Value> {
        for part in parts {
            if self.truth(part)? == any {
                return Ok(Value::truth(any));
            }
        }
        Ok(Value::truth(!any))
    }

    fn not(&mut self, inner: &Expr) -> Run<Value> {
        Ok(Value::truth(!self.truth(inner)?))
    }

    fn signed(&mut self, inner: &Expr, sign: f64) -> Run<Value> {
        Ok(Value::Number(sign * self.eval(inner)?.number(self.version)))
    }

    fn chain(&mut self, first: &Expr, rest: &[(Operator, Expr)]) -> Run<Value> {
        let mut number = self.eval(first)?.number(self.version);
        for (operator, part) in rest {
            let right = self.eval(part)?.number(self.version);
            number = calculate(*operator, number, right);
        }
        Ok(Value::Number(number))
    }

    fn concat(&mut self, parts: &[Expr]) -> Run<Value> {
        let mut text = Vec::new();
        for part in parts {
            let value = self.eval(part)?;
            text.extend_from_slice(&self.string(&value));
        }
        if text.len() > self.process.machine.setup.limits.file {
            return Err(Stop::new(Why::Budget("a string of awk gets too long")).into());
        }
        self.kept(text.len())?;
        Ok(Value::Text(text.into()))
    }

    /// Counts bytes that may be kept, in an array for one.
    pub(super) fn kept(&mut self, bytes: usize) -> Run<()> {
        Ok(self.process.machine.spend(bytes as u64 / 16)?)
    }

    fn comparison(&mut self, comparison: Comparison, left: &Expr, right: &Expr) -> Run<Value> {
        let left = self.eval(left)?;
        let right = self.eval(right)?;
        Ok(Value::truth(self.compare(comparison, &left, &right)))
    }

    fn matching(&mut self, negated: bool, left: &Expr, right: &Expr) -> Run<Value> {
        let text = self.eval(left)?;
        let text = self.string(&text);
        let pattern = self.pattern_of(right)?;
        spend_on(self.process, text.len())?;
        Ok(Value::truth(pattern.is_match(&text)? != negated))
    }

    fn member(&mut self, keys: &[Expr], array: Var) -> Run<Value> {
        let key = self.key(keys)?;
        let array = self.array(array)?;
        let found = array.borrow_mut().has(&key);
        Ok(Value::truth(found))
    }

    fn step(&mut self, place: &Place, by: f64, before: bool) -> Run<Value> {
        let old = self.read(place)?.number(self.version);
        self.store(place, Value::Number(old + by))?;
        Ok(Value::Number(if before { old } else { old + by }))
    }

    pub(super) fn assign_place(
        &mut self,
        place: &Place,
        operator: Option<Operator>,
        right: &Expr,
    ) -> Run<Value> {
        let right = self.eval(right)?;
        let value = match operator {
            None => right,
            Some(operator) => {
                let right = right.number(self.version);
                let left = self.read(place)?.number(self.version);
                Value::Number(calculate(operator, left, right))
            }
        };
        self.store(place, value.clone())?;
        Ok(value)
    }

    pub(super) fn compare(&self, comparison: Comparison, left: &Value, right: &Value) -> bool {
        let numbers = left
            .comparable(self.version)
            .zip(right.comparable(self.version));
        let order = match numbers {
            Some((left, right)) => left.partial_cmp(&right),
            None => Some(self.string(left).cmp(&self.string(right))),
        };
        match comparison {
            Comparison::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Comparison::LessEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Comparison::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
            Comparison::NotEqual => !order.is_some_and(std::cmp::Ordering::is_eq),
            Comparison::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            Comparison::GreaterEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        }
    }

    fn call(&mut self, number: usize, args: &[Expr]) -> Run<Value> {
        let program = self.program;
        let function: &Function = &program.functions[number];
        let frame = self.frame(function, args)?;
        self.frames.push(frame);
        let flow = self.block(&function.body);
        self.frames.pop();
        match flow? {
            Flow::Return(value) => Ok(value),
            Flow::On => Ok(Value::None),
            _ => Err(Stop::unsupported("awk leaves a function by next").into()),
        }
    }

    /// The variables with which a function begins.
    fn frame(&mut self, function: &Function, args: &[Expr]) -> Run<Vec<Slot>> {
        if args.len() > function.params.len() {
            return Err(Stop::unsupported("a function of awk gets too many arguments").into());
        }
        let mut frame = Vec::new();
        for (at, param) in function.params.iter().enumerate() {
            let slot = match (args.get(at), param) {
                (Some(Expr::Place(Place::Var(var))), Some(true)) => Slot::Array(self.array(*var)?),
                (Some(arg), _) => match self.passed(arg) {
                    Some(array) => Slot::Array(array),
                    None => Slot::Scalar(self.eval(arg)?),
                },
                (None, Some(true)) => Slot::Array(Rc::default()),
                (None, _) => Slot::Scalar(Value::None),
            };
            frame.push(slot);
        }
        Ok(frame)
    }

    /// The array that an argument is, if it is one.
    pub(super) fn passed(&self, arg: &Expr) -> Option<Rc<RefCell<Array>>> {
        match arg {
            Expr::Place(Place::Var(var)) => self.array(*var).ok(),
            _ => None,
        }
    }
}

fn calculate(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide if left == 0.0 && right == 0.0 => -f64::NAN,
        Operator::Divide => left / right,
        Operator::Remainder => left % right,
        Operator::Power => left.powf(right),
    }
}
