//! The machine: one loop over the operations of functions, with a stack of its own.
//!
//! Calls of the language never nest natively: who waits for a value is a [`Frame`].
//! Only another top-level binding is evaluated by another machine.

use std::sync::Arc;

use imgc_diag::codes;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::builtins::{Builtin, Run};
use crate::ir::BinaryOp;
use crate::problem::Problem;
use crate::queries::{Db, Item};
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed, exhausted};
use crate::vm::code::{Capture, Code, Function, Op, Part, Partial, Plain};
use crate::vm::demand;
use crate::vm::loops::Loop;
use crate::vm::meter::{Exhausted, Meter};
use crate::vm::operators;
use crate::vm::value::{Origin, Record, Tagged, Value};

/// How many calls are shown beside a mistake in a function.
const SHOWN_CALLS: usize = 3;
/// How many calls are looked at for that.
const SEEN_CALLS: usize = 1_000;
/// How many steps a call is, beside the operations of the function.
pub(super) const CALL: usize = 2;
/// How many steps a call of a builtin is that is a value.
const CALL_OF_VALUE: usize = 8;
/// The stack is counted in pieces of so many values or frames.
const PIECE: usize = 1_024;

/// The evaluation of one top-level binding.
pub(super) struct Machine<'a> {
    /// The database.
    pub(super) db: &'a dyn Db,
    /// What is wrong.
    pub(super) problems: Vec<Problem<Site>>,
    /// The other bindings that were used.
    pub(super) used: Vec<Item>,
    /// The same, to ask.
    known: Known,
    /// What is used up.
    pub(super) meter: Meter,
    /// Values that are worked on.
    pub(super) stack: Vec<Value>,
    pub(super) frames: Vec<Frame>,
    /// How many problems have been told which calls led to them.
    traced: usize,
    pc: usize,
    base: usize,
    tables: Vec<Table>,
    by_code: FxHashMap<usize, usize>,
    last_table: usize,
    /// How much of the stack has been counted.
    counted: usize,
    counted_frames: usize,
}

/// The values of other bindings that some code mentions.
struct Table {
    /// Keeps the code, so that no other has its address.
    code: Arc<Code>,
    values: Vec<Option<Value>>,
}

/// It is asked, and never gone through.
type Known = FxHashSet<Item>;

/// Who waits for a value.
pub(super) enum Frame {
    /// A function, at a call.
    Function {
        function: Arc<Function>,
        pc: usize,
        base: usize,
    },
    /// A builtin that calls functions.
    Loop(Box<Loop>),
    /// More arguments for what comes back.
    Rest {
        arguments: Vec<Value>,
        origin: Origin,
    },
}

/// What comes next.
pub(super) enum Next {
    /// A function goes on: see `pc` and `base`.
    Run(Arc<Function>),
    /// The function below that many arguments on the stack is called.
    Call(usize, Origin),
    /// There is a value for who waits.
    Value(Value),
    /// There is none.
    Failed,
}

/// Why the operations of a function stopped.
enum Exit {
    Return,
    Failed,
    Call(usize),
    CallFields(u32),
    Higher(Builtin),
}

impl<'a> Machine<'a> {
    /// A machine for a binding.
    pub(super) fn new(db: &'a dyn Db, item: Item) -> Self {
        Self {
            db,
            problems: Vec::new(),
            used: Vec::new(),
            known: Known::default(),
            meter: Meter::new(item, db.settings().limits(db)),
            stack: Vec::new(),
            frames: Vec::new(),
            traced: 0,
            pc: 0,
            base: 0,
            tables: Vec::new(),
            by_code: FxHashMap::default(),
            last_table: 0,
            counted: 0,
            counted_frames: 0,
        }
    }

    /// The value of a binding.
    pub(super) fn evaluate(&mut self, code: Arc<Code>) -> Option<Value> {
        self.stack.push(Value::Failed);
        self.base = 1;
        let mut next = Next::Run(Arc::new(Function {
            code,
            part: 0,
            captures: Vec::new(),
            arguments: Vec::new(),
        }));
        loop {
            next = match next {
                Next::Run(function) => self.run(function),
                Next::Call(count, origin) => self.call(count, origin),
                Next::Value(value) => match self.frames.pop() {
                    None => return Some(value),
                    Some(Frame::Function { function, pc, base }) => {
                        self.pc = pc;
                        self.base = base;
                        self.stack.push(value);
                        Next::Run(function)
                    }
                    Some(Frame::Loop(frame)) => self.resume(frame, value),
                    Some(Frame::Rest { arguments, origin }) => {
                        let count = arguments.len();
                        self.stack.push(value);
                        self.stack.extend(arguments);
                        Next::Call(count, origin)
                    }
                },
                Next::Failed if self.meter.stopped => return None,
                Next::Failed => match self.frames.pop() {
                    None => return None,
                    Some(Frame::Function { function, pc, base }) => {
                        self.base = base;
                        match self.catch(function.part(), pc - 1) {
                            Some(pc) => {
                                self.pc = pc;
                                Next::Run(function)
                            }
                            None => {
                                self.stack.truncate(base - 1);
                                Next::Failed
                            }
                        }
                    }
                    Some(Frame::Loop(_) | Frame::Rest { .. }) => Next::Failed,
                },
            };
        }
    }

    /// A function waits for what comes.
    fn wait(
        &mut self,
        function: Arc<Function>,
        origin: Origin,
        next: impl FnOnce(&mut Self) -> Next,
    ) -> Next {
        let (pc, base) = (self.pc, self.base);
        self.frames.push(Frame::Function { function, pc, base });
        if self.frames.len() > self.counted_frames || self.stack.len() > self.counted {
            let size = PIECE * (size_of::<Frame>() + size_of::<Value>());
            self.counted_frames = self.counted_frames.max(self.frames.len() + PIECE);
            self.counted = self.counted.max(self.stack.len() + PIECE);
            if self.context(origin).allocate(size).is_err() {
                return Next::Failed;
            }
        }
        next(self)
    }

    /// Remembers that another binding is used.
    pub(super) fn uses(&mut self, item: Item) {
        if self.known.insert(item) {
            self.used.push(item);
        }
    }

    /// What a builtin may ask.
    pub(super) fn context(&mut self, origin: Origin) -> Call<'_> {
        Call {
            db: self.db,
            origin,
            problems: &mut self.problems,
            meter: &mut self.meter,
        }
    }

    /// Calls the function below the arguments on the stack.
    pub(super) fn call(&mut self, count: usize, origin: Origin) -> Next {
        let at = self.stack.len() - count - 1;
        if self.stack[at..].iter().any(Value::is_failed) {
            self.stack.truncate(at);
            return Next::Failed;
        }
        match std::mem::replace(&mut self.stack[at], Value::Failed) {
            Value::Function(_, function) => {
                let missing = function.missing();
                if count < missing {
                    let more = self.stack.split_off(at + 1);
                    self.stack.pop();
                    return self.partial(&function, more, origin);
                }
                if count > missing {
                    let arguments = self.stack.split_off(at + 1 + missing);
                    self.frames.push(Frame::Rest { arguments, origin });
                }
                if !function.arguments.is_empty() {
                    let own = function.arguments.iter().cloned();
                    self.stack.splice(at + 1..at + 1, own);
                }
                if self.context(origin).step(CALL).is_err() {
                    return Next::Failed;
                }
                self.pc = 0;
                self.base = at + 1;
                Next::Run(function)
            }
            Value::Builtin(_, partial) => {
                let mut arguments = partial.arguments.clone();
                arguments.extend(self.stack.drain(at + 1..));
                self.stack.pop();
                self.apply(partial.builtin, arguments, origin)
            }
            _ => {
                self.stack.truncate(at);
                Next::Failed
            }
        }
    }

    /// Calls the function below the fields of a record literal. One that takes that
    /// record apart gets the fields.
    fn call_fields(&mut self, code: &Code, shape: u32, origin: Origin) -> Next {
        let shape = &code.shapes[shape as usize];
        let given = &shape.names;
        let at = self.stack.len() - given.len() - 1;
        let pattern = match &self.stack[at] {
            Value::Function(_, function) => function.part().pattern,
            _ => None,
        };
        let Some(pattern) = pattern else {
            let values = self.pop_many(given.len());
            let names = given.clone();
            let size = (values.len() + 4) * size_of::<Value>();
            if self.context(origin).allocate(size).is_err() {
                return Next::Failed;
            }
            let record = Arc::new(Record { names, values });
            self.stack
                .push(Value::Record(code.origin.of(shape.expr), record));
            return self.call(1, origin);
        };
        let top = std::mem::replace(&mut self.stack[at], Value::Failed);
        let Value::Function(_, function) = top else {
            return Next::Failed;
        };
        let wanted = &function.code.patterns[pattern as usize];
        if self.context(origin).step(CALL + 1 + wanted.len()).is_err() {
            return Next::Failed;
        }
        let base = at + 1;
        if given.len() == 1 && given[..] == wanted[..] {
            // The slot of the record is not read.
            self.stack.insert(base, Value::Failed);
        } else {
            let end = base + given.len();
            self.stack.push(Value::Failed);
            for name in wanted {
                let found = given
                    .iter()
                    .position(|given| Arc::ptr_eq(given, name) || given == name);
                let value = match found {
                    Some(found) => std::mem::replace(&mut self.stack[base + found], Value::Failed),
                    None => Value::Failed,
                };
                self.stack.push(value);
            }
            self.stack.drain(base..end);
        }
        // The first operation is done.
        self.pc = 1;
        self.base = base;
        Next::Run(function)
    }

    /// A function with some of its arguments.
    fn partial(&mut self, function: &Function, more: Vec<Value>, origin: Origin) -> Next {
        let mut arguments = function.arguments.clone();
        arguments.extend(more);
        let count = arguments.len() + function.captures.len();
        let mut context = self.context(origin);
        let counted = context.step(count);
        if counted
            .and_then(|()| context.allocate((count + 8) * size_of::<Value>()))
            .is_err()
        {
            return Next::Failed;
        }
        let function = Function {
            code: function.code.clone(),
            part: function.part,
            captures: function.captures.clone(),
            arguments,
        };
        Next::Value(Value::Function(origin, Arc::new(function)))
    }

    /// Calls a builtin with any number of arguments.
    fn apply(&mut self, builtin: Builtin, mut arguments: Vec<Value>, origin: Origin) -> Next {
        if self.context(origin).step(CALL_OF_VALUE).is_err() {
            return Next::Failed;
        }
        let arity = builtin.arity();
        if arguments.len() < arity {
            let size = (arguments.len() + 4) * size_of::<Value>();
            if self.context(origin).allocate(size).is_err() {
                return Next::Failed;
            }
            let partial = Partial { builtin, arguments };
            return Next::Value(Value::Builtin(origin, Arc::new(partial)));
        }
        if arguments.len() > arity {
            let arguments = arguments.split_off(arity);
            self.frames.push(Frame::Rest { arguments, origin });
        }
        match builtin.run() {
            Run::Plain(run) => {
                let value = run(&mut self.context(origin), &arguments);
                self.trace(Some(origin));
                value.map_or(Next::Failed, Next::Value)
            }
            Run::Higher(_) => self.start(builtin, arguments, origin),
            Run::Constant(_) => Next::Failed,
        }
    }

    /// Tells problems that are new which calls led to them, the outermost first.
    #[inline]
    pub(super) fn trace(&mut self, call: Option<Origin>) {
        if self.traced != self.problems.len() {
            self.trace_new(call);
        }
    }

    #[cold]
    fn trace_new(&mut self, call: Option<Origin>) {
        let mut sites: Vec<Site> = Vec::new();
        for frame in self.frames.iter().take(SEEN_CALLS) {
            let Frame::Function { function, pc, .. } = frame else {
                continue;
            };
            let site = self.db.site(origin_at(function, pc - 1));
            if sites.len() < SHOWN_CALLS && !sites.contains(&site) {
                sites.push(site);
            }
        }
        if let Some(call) = call {
            sites.push(self.db.site(call));
        }
        for problem in &mut self.problems[self.traced..] {
            for site in &sites {
                *problem = problem.clone().label(*site, "in this call");
            }
        }
        self.traced = self.problems.len();
    }

    /// Where a failure at an operation is caught: what comes next there.
    fn catch(&mut self, part: &Part, pc: usize) -> Option<usize> {
        if self.meter.stopped {
            return None;
        }
        let pc = pc as u32;
        let first = part.guards.partition_point(|guard| guard.end <= pc);
        let guard = part.guards[first..]
            .iter()
            .find(|guard| guard.start <= pc)?;
        self.stack.truncate(self.base + guard.depth as usize);
        self.stack.push(Value::Failed);
        Some(guard.end as usize)
    }

    /// The value of another top-level binding.
    fn global(&mut self, code: &Arc<Code>, index: u32, origin: Origin) -> Eval {
        let key = Arc::as_ptr(code) as usize;
        let known = self.tables.get(self.last_table);
        if !known.is_some_and(|table| Arc::ptr_eq(&table.code, code)) {
            let next = self.tables.len();
            let table = *self.by_code.entry(key).or_insert(next);
            if table == next {
                self.tables.push(Table {
                    code: code.clone(),
                    values: vec![None; code.globals.len()],
                });
            }
            self.last_table = table;
        }
        let table = self.last_table;
        if let Some(value) = &self.tables[table].values[index as usize] {
            return if value.is_failed() {
                Err(Failed)
            } else {
                Ok(value.clone())
            };
        }
        let value = demand::global(self, code, index, origin);
        let known = value.clone().unwrap_or(Value::Failed);
        self.tables[table].values[index as usize] = Some(known);
        value
    }

    /// Runs a function from `pc` on, and what it calls.
    fn run(&mut self, mut function: Arc<Function>) -> Next {
        loop {
            let next = match self.operate(&function) {
                Exit::Return => {
                    let value = self.stack.pop().unwrap_or(Value::Failed);
                    self.stack.truncate(self.base);
                    let value = match self.again(&function, value) {
                        Ok(()) => {
                            self.pc = 0;
                            continue;
                        }
                        Err(value) => value,
                    };
                    self.stack.pop();
                    let is_function = |frame: &mut Frame| matches!(frame, Frame::Function { .. });
                    match self.frames.pop_if(is_function) {
                        Some(Frame::Function {
                            function: waiting,
                            pc,
                            base,
                        }) => {
                            self.pc = pc;
                            self.base = base;
                            self.stack.push(value);
                            function = waiting;
                            continue;
                        }
                        _ => return Next::Value(value),
                    }
                }
                Exit::Failed => {
                    self.stack.truncate(self.base - 1);
                    return Next::Failed;
                }
                Exit::Call(count) => {
                    let origin = origin_at(&function, self.pc - 1);
                    self.wait(function, origin, |machine| machine.call(count, origin))
                }
                Exit::CallFields(shape) => {
                    let origin = origin_at(&function, self.pc - 1);
                    let code = function.code.clone();
                    self.wait(function, origin, |machine| {
                        machine.call_fields(&code, shape, origin)
                    })
                }
                Exit::Higher(builtin) => {
                    let origin = origin_at(&function, self.pc - 1);
                    self.wait(function, origin, |machine| {
                        let at = machine.stack.len() - builtin.arity();
                        let arguments = machine.stack.split_off(at);
                        machine.start(builtin, arguments, origin)
                    })
                }
            };
            match next {
                Next::Run(called) => function = called,
                other => return other,
            }
        }
    }

    /// Runs the operations of a function from `pc` on.
    #[expect(clippy::too_many_lines, reason = "one arm for each operation")]
    fn operate(&mut self, function: &Arc<Function>) -> Exit {
        let code = &function.code;
        let part = function.part();
        let ops = part.ops.as_slice();
        let base = self.base;
        let mut pc = self.pc;
        'ops: loop {
            if self.meter.tick()
                && let Err(why) = self.meter.refill(self.db.spent())
            {
                return self.exhaust(why, origin_at(function, pc));
            }
            let op = ops[pc];
            pc += 1;
            // What an operation gives on the stack; an error is a failure.
            let done: Eval<()> = 'op: {
                match op {
                    Op::Const(at) => self.stack.push(code.constants[at as usize].clone()),
                    Op::Load(slot) => {
                        let value = self.stack[base + slot as usize].clone();
                        if value.is_failed() {
                            break 'op Err(Failed);
                        }
                        self.stack.push(value);
                    }
                    Op::Move(slot) => {
                        let slot = &mut self.stack[base + slot as usize];
                        let value = std::mem::replace(slot, Value::Failed);
                        if value.is_failed() {
                            break 'op Err(Failed);
                        }
                        self.stack.push(value);
                    }
                    Op::Capture(at) => {
                        let value = function.captures[at as usize].clone();
                        if value.is_failed() {
                            break 'op Err(Failed);
                        }
                        self.stack.push(value);
                    }
                    Op::Binary(op) => {
                        let b = self.stack.pop().unwrap_or(Value::Failed);
                        let top = self.stack.len() - 1;
                        if let (Value::Int(_, a), Value::Int(_, b)) = (&self.stack[top], &b)
                            && let Some(value) = numbers(op, *a, *b, origin_at(function, pc - 1))
                        {
                            self.stack[top] = value;
                            continue 'ops;
                        }
                        let a = std::mem::replace(&mut self.stack[top], Value::Failed);
                        let mut call = self.context(origin_at(function, pc - 1));
                        match operators::binary(&mut call, op, a, b) {
                            Ok(value) => self.stack[top] = value,
                            Err(Failed) => break 'op Err(Failed),
                        }
                    }
                    Op::JumpIfFalse(to) => match self.stack.pop() {
                        Some(Value::Bool(_, true)) => {}
                        Some(Value::Bool(_, false)) => pc = to as usize,
                        _ => break 'op Err(Failed),
                    },
                    Op::Jump(to) => pc = to as usize,
                    Op::Call(count) => {
                        self.pc = pc;
                        return Exit::Call(count as usize);
                    }
                    Op::CallFields(shape) => {
                        self.pc = pc;
                        return Exit::CallFields(shape);
                    }
                    Op::Return => return Exit::Return,
                    Op::Slide(count) => {
                        let value = self.stack.pop().unwrap_or(Value::Failed);
                        let keep = self.stack.len() - count as usize;
                        self.stack.truncate(keep);
                        self.stack.push(value);
                    }
                    Op::CallHigher(builtin) => {
                        let at = self.stack.len() - builtin.arity();
                        if self.stack[at..].iter().any(Value::is_failed) {
                            break 'op Err(Failed);
                        }
                        self.pc = pc;
                        return Exit::Higher(builtin);
                    }
                    Op::CallPlain(plain) => {
                        let Plain { run, arity } = code.plains[plain as usize];
                        let at = self.stack.len() - arity;
                        if self.stack[at..].iter().any(Value::is_failed) {
                            break 'op Err(Failed);
                        }
                        let origin = origin_at(function, pc - 1);
                        let mut call = Call {
                            db: self.db,
                            origin,
                            problems: &mut self.problems,
                            meter: &mut self.meter,
                        };
                        let value = run(&mut call, &self.stack[at..]);
                        self.trace(Some(origin));
                        match value {
                            Ok(value) => {
                                self.stack.truncate(at);
                                self.stack.push(value);
                            }
                            Err(Failed) => break 'op Err(Failed),
                        }
                    }
                    Op::Global(index) => {
                        self.pc = pc;
                        match self.global(code, index, origin_at(function, pc - 1)) {
                            Ok(value) => self.stack.push(value),
                            Err(Failed) => break 'op Err(Failed),
                        }
                    }
                    Op::Select(name) => {
                        let Some(Value::Record(_, record)) = self.stack.pop() else {
                            break 'op Err(Failed);
                        };
                        match record.get(&code.names[name as usize]) {
                            Some(value) if !value.is_failed() => self.stack.push(value.clone()),
                            _ => break 'op Err(Failed),
                        }
                    }
                    Op::TestTag(tag, to) => match self.stack.last() {
                        Some(Value::Tag(_, tagged)) => {
                            let tag = &code.names[tag as usize];
                            if !Arc::ptr_eq(tag, &tagged.tag) && *tag != tagged.tag {
                                pc = to as usize;
                            }
                        }
                        _ => break 'op Err(Failed),
                    },
                    Op::TestConst(at, to) => {
                        let matches = match (self.stack.last(), &code.constants[at as usize]) {
                            (Some(Value::Int(_, a)), Value::Int(_, b)) => a == b,
                            (Some(Value::Bool(_, a)), Value::Bool(_, b)) => a == b,
                            (Some(Value::Str(_, a)), Value::Str(_, b)) => a == b,
                            _ => break 'op Err(Failed),
                        };
                        if !matches {
                            pc = to as usize;
                        }
                    }
                    other => {
                        let origin = origin_at(function, pc - 1);
                        match self.rare(other, function, base, origin) {
                            Ok(None) => {}
                            Ok(Some(to)) => pc = to as usize,
                            Err(Failed) => break 'op Err(Failed),
                        }
                    }
                }
                Ok(())
            };
            if done.is_err() {
                self.trace(None);
                match self.catch(part, pc - 1) {
                    Some(to) => pc = to,
                    None => return Exit::Failed,
                }
            }
        }
    }

    /// Operations that are not the most frequent ones. Gives where to go on, if not
    /// at the next operation.
    fn rare(
        &mut self,
        op: Op,
        function: &Arc<Function>,
        base: usize,
        origin: Origin,
    ) -> Eval<Option<u32>> {
        let code = &function.code;
        match op {
            Op::Closure(part) => {
                let captures = &code.parts[part as usize].captures;
                self.context(origin)
                    .allocate((captures.len() + 6) * size_of::<Value>())?;
                let mut values = Vec::with_capacity(captures.len());
                for capture in captures {
                    values.push(match *capture {
                        Capture::Copy(slot) => self.stack[base + slot as usize].clone(),
                        Capture::Move(slot) => {
                            let slot = &mut self.stack[base + slot as usize];
                            std::mem::replace(slot, Value::Failed)
                        }
                        Capture::Outer(at) => function.captures[at as usize].clone(),
                    });
                }
                let made = Function {
                    code: code.clone(),
                    part,
                    captures: values,
                    arguments: Vec::new(),
                };
                self.stack.push(Value::Function(origin, Arc::new(made)));
            }
            Op::List(count) => {
                let items = self.pop_many(count as usize);
                let list = self.context(origin).list_of(items)?;
                self.stack.push(list);
            }
            Op::Record(shape) => {
                let names = code.shapes[shape as usize].names.clone();
                let values = self.pop_many(names.len());
                let size = (values.len() + 4) * size_of::<Value>();
                self.context(origin).allocate(size)?;
                let record = Record { names, values };
                self.stack.push(Value::Record(origin, Arc::new(record)));
            }
            Op::Join(count) => {
                let at = self.stack.len() - count as usize;
                let mut call = Call {
                    db: self.db,
                    origin,
                    problems: &mut self.problems,
                    meter: &mut self.meter,
                };
                let text = operators::join(&mut call, &mut self.stack[at..])?;
                self.stack.truncate(at);
                self.stack.push(text);
            }
            Op::Tag(tag) => {
                let payload = self.stack.pop();
                self.context(origin).allocate(4 * size_of::<Value>())?;
                let tag = code.names[tag as usize].clone();
                let tagged = Tagged { tag, payload };
                self.stack.push(Value::Tag(origin, Arc::new(tagged)));
            }
            Op::Payload => {
                let Some(Value::Tag(_, tagged)) = self.stack.pop() else {
                    return Err(Failed);
                };
                let payload = match Arc::try_unwrap(tagged) {
                    Ok(tagged) => tagged.payload,
                    Err(tagged) => tagged.payload.clone(),
                };
                self.stack.push(payload.ok_or(Failed)?);
            }
            Op::Not => match self.stack.pop() {
                Some(Value::Bool(_, truth)) => self.stack.push(Value::Bool(origin, !truth)),
                _ => return Err(Failed),
            },
            Op::Negate => {
                let value = self.stack.pop().unwrap_or(Value::Failed);
                let value = operators::negate(&mut self.context(origin), &value)?;
                self.stack.push(value);
            }
            Op::And(to) => match self.stack.last() {
                Some(Value::Bool(_, false)) => return Ok(Some(to)),
                Some(Value::Bool(_, true)) => {
                    self.stack.pop();
                }
                _ => return Err(Failed),
            },
            Op::Or(to) => match self.stack.last() {
                Some(Value::Bool(_, true)) => return Ok(Some(to)),
                Some(Value::Bool(_, false)) => {
                    self.stack.pop();
                }
                _ => return Err(Failed),
            },
            Op::Unpack(slot, pattern) => {
                let names = &code.patterns[pattern as usize];
                self.context(origin).step(names.len())?;
                let slot = &mut self.stack[base + slot as usize];
                let Value::Record(_, record) = std::mem::replace(slot, Value::Failed) else {
                    return Err(Failed);
                };
                self.unpack(names, record);
            }
            Op::Default(slot, to) => {
                if !self.stack[base + slot as usize].is_failed() {
                    return Ok(Some(to));
                }
            }
            Op::Store(slot) => {
                let value = self.stack.pop().unwrap_or(Value::Failed);
                self.stack[base + slot as usize] = value;
            }
            Op::Constant(builtin) => {
                let Run::Constant(run) = builtin.run() else {
                    return Err(Failed);
                };
                let value = run(&mut self.context(origin))?;
                self.stack.push(value);
            }
            Op::Assert => {
                let Some(Value::Str(_, message)) = self.stack.pop() else {
                    return Err(Failed);
                };
                let site = self.db.site(origin);
                let problem = Problem::new(codes::ASSERTION_FAILED, site, message.as_str());
                return Err(self.context(origin).report(problem));
            }
            _ => return Err(Failed),
        }
        Ok(None)
    }

    /// Pushes the fields of a pattern. The record's values are moved if nobody else
    /// holds it.
    fn unpack(&mut self, names: &[Arc<str>], mut record: Arc<Record>) {
        let found = |record: &Record, name: &Arc<str>| record.names.binary_search(name).ok();
        if let Some(own) = Arc::get_mut(&mut record) {
            for name in names {
                let value = found(own, name).map(|at| &mut own.values[at]);
                let value = value.map(|value| std::mem::replace(value, Value::Failed));
                self.stack.push(value.unwrap_or(Value::Failed));
            }
        } else {
            for name in names {
                let value = found(&record, name).map(|at| record.values[at].clone());
                self.stack.push(value.unwrap_or(Value::Failed));
            }
        }
    }

    fn pop_many(&mut self, count: usize) -> Vec<Value> {
        let at = self.stack.len() - count;
        let mut values = Vec::with_capacity(count);
        values.extend(self.stack.drain(at..));
        values
    }

    #[cold]
    fn exhaust(&mut self, why: Exhausted, origin: Origin) -> Exit {
        if let Some(problem) = exhausted(self.db, why, self.db.site(origin)) {
            self.problems.push(problem);
            self.trace(None);
        }
        Exit::Failed
    }
}

/// Where the operation of a function is written.
fn origin_at(function: &Function, pc: usize) -> Origin {
    let expr = function.part().exprs[pc];
    function.code.origin.of(expr)
}

/// The value of an operator between numbers. `None`: there is more to it.
#[inline]
fn numbers(op: BinaryOp, a: i64, b: i64, origin: Origin) -> Option<Value> {
    let truth = match op {
        BinaryOp::Add => return a.checked_add(b).map(|n| Value::Int(origin, n)),
        BinaryOp::Subtract => return a.checked_sub(b).map(|n| Value::Int(origin, n)),
        BinaryOp::Multiply => return a.checked_mul(b).map(|n| Value::Int(origin, n)),
        BinaryOp::Equal => a == b,
        BinaryOp::NotEqual => a != b,
        BinaryOp::Less => a < b,
        BinaryOp::LessEqual => a <= b,
        BinaryOp::Greater => a > b,
        BinaryOp::GreaterEqual => a >= b,
        BinaryOp::Concat | BinaryOp::Update => return None,
    };
    Some(Value::Bool(origin, truth))
}
