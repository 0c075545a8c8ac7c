//! What a body is compiled to: short operations for a machine with a stack.
//!
//! Every value that an operation works on is on the stack, above the frame's first
//! slot. Variables are slots, or are captured by the function. Nothing here runs.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::builtins::Builtin;
use crate::ir::{BinaryOp, ExprId};
use crate::queries::{Item, SourceFile};
use crate::vm::call::{Call, Eval};
use crate::vm::value::{Origin, Value};

/// A function of the language: code, and the values that it took along.
#[derive(Debug)]
pub(crate) struct Function {
    /// The code of the binding that it is written in.
    pub(crate) code: Arc<Code>,
    /// Which part of the code it is.
    pub(crate) part: u32,
    /// The values of variables from outside.
    pub(crate) captures: Vec<Value>,
    /// The arguments that it has so far; fewer than it takes.
    pub(crate) arguments: Vec<Value>,
}

/// A function of the host with some of its arguments.
#[derive(Debug)]
pub(crate) struct Partial {
    /// Which.
    pub(crate) builtin: Builtin,
    /// The arguments that it has so far; fewer than it takes.
    pub(crate) arguments: Vec<Value>,
}

/// What a top-level binding is compiled to.
#[derive(Debug)]
pub(crate) struct Code {
    /// The origin of the binding's expression 0.
    pub(crate) origin: Origin,
    /// The binding itself, then every function in it.
    pub(crate) parts: Vec<Part>,
    /// Values that are written in the text.
    pub(crate) constants: Vec<Value>,
    /// Names of fields and tags.
    pub(crate) names: Vec<Arc<str>>,
    /// Builtins that are called.
    pub(crate) plains: Vec<Plain>,
    /// Record literals.
    pub(crate) shapes: Vec<Shape>,
    /// Record patterns.
    pub(crate) patterns: Vec<Pattern>,
    /// Other top-level bindings.
    pub(crate) globals: Vec<Global>,
}

/// A builtin that calls no functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain {
    /// What it does.
    pub(crate) run: fn(&mut Call<'_>, &[Value]) -> Eval,
    /// How many arguments it takes.
    pub(crate) arity: usize,
}

/// A record literal.
#[derive(Debug)]
pub(crate) struct Shape {
    /// Its names.
    pub(crate) names: Arc<Vec<Arc<str>>>,
    /// The expression.
    pub(crate) expr: ExprId,
}

/// The fields that a record pattern takes, in the order of their slots.
pub(crate) type Pattern = Vec<Arc<str>>;

/// A binding, or one function in it.
#[derive(Debug, Default)]
pub(crate) struct Part {
    /// How many arguments it takes. They are its first slots.
    pub(crate) arity: u32,
    /// The pattern of its argument, if that is a record and the only argument. It is
    /// taken apart by the first operation.
    pub(crate) pattern: Option<u32>,
    /// What it does.
    pub(crate) ops: Vec<Op>,
    /// The expression of each operation.
    pub(crate) exprs: Vec<ExprId>,
    /// Where failures are caught, by `end`. Of those with one end, inner ones first.
    pub(crate) guards: Vec<Guard>,
    /// Where the values of variables from outside come from.
    pub(crate) captures: Vec<Capture>,
}

impl Part {
    /// An empty one, with room for about as many operations as there are expressions.
    pub(crate) fn with_room(exprs: usize) -> Self {
        let room = (exprs + 1).min(MUCH_ROOM);
        Self {
            ops: Vec::with_capacity(room),
            exprs: Vec::with_capacity(room),
            ..Self::default()
        }
    }
}

/// The most operations that room is made for before they are there.
const MUCH_ROOM: usize = 32;

/// Operations whose failure gives [`Value::Failed`] in the place of a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    /// The first operation.
    pub(crate) start: u32,
    /// The operation after the last: where it goes on.
    pub(crate) end: u32,
    /// How many slots are in use there, without the value.
    pub(crate) depth: u32,
}

/// Where a function that is made takes a variable's value from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Capture {
    /// A slot that is needed later.
    Copy(u32),
    /// A slot that is not.
    Move(u32),
    /// What the function around it captured.
    Outer(u32),
}

/// Another top-level binding.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Global {
    /// A private one of the same module.
    Item(Item),
    /// A field of a private one. Where that is an import, only that public binding of
    /// the module is evaluated.
    Field(Item, Arc<str>),
    /// A module as a value.
    Module(SourceFile),
    /// A public binding of a module.
    Export(SourceFile, Arc<str>),
}

/// An operation. What it pops and pushes is on the stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Op {
    /// Pushes a value of the text.
    Const(u32),
    /// Pushes a copy of a slot.
    Load(u32),
    /// Pushes what is in a slot, which nothing reads again.
    Move(u32),
    /// Pushes what the function captured.
    Capture(u32),
    /// Pushes the value of another top-level binding.
    Global(u32),
    /// Pushes the value of a builtin that is no function.
    Constant(Builtin),
    /// Pushes the function of that part.
    Closure(u32),
    /// Pops values and pushes the list of them.
    List(u32),
    /// Pops the values of a shape and pushes the record.
    Record(u32),
    /// Pops strings, and what `toString` takes, and pushes all of them as one string.
    Join(u32),
    /// Pops a record and pushes its field of that name.
    Select(u32),
    /// Pops a payload and pushes it with that tag.
    Tag(u32),
    /// Pops two values and pushes one.
    Binary(BinaryOp),
    /// Pops a truth value and pushes the other one.
    Not,
    /// Pops a number and pushes its negative.
    Negate,
    /// Goes on elsewhere.
    Jump(u32),
    /// Pops a truth value and goes on elsewhere if it is false.
    JumpIfFalse(u32),
    /// Goes on elsewhere if the top is false, else pops it.
    And(u32),
    /// Goes on elsewhere if the top is true, else pops it.
    Or(u32),
    /// Pops that many arguments, then a function, and calls it.
    Call(u32),
    /// Pops the fields of a shape, then a function, and calls it with that record.
    CallFields(u32),
    /// Pops the arguments of a builtin that calls no functions, and calls it.
    CallPlain(u32),
    /// Pops the arguments of a builtin that calls functions, and begins it.
    CallHigher(Builtin),
    /// Goes on elsewhere if the top has another tag.
    TestTag(u32, u32),
    /// Goes on elsewhere if the top is not equal to a constant.
    TestConst(u32, u32),
    /// Puts the payload of the top in its place.
    Payload,
    /// Takes the record in a slot apart: pushes the fields of a pattern. A field that
    /// is missing is [`Value::Failed`] until [`Op::Default`] gives it a value.
    Unpack(u32, u32),
    /// Goes on elsewhere if a slot has a value.
    Default(u32, u32),
    /// Pops a value into a slot.
    Store(u32),
    /// Drops that many values below the top.
    Slide(u32),
    /// Fails with the popped string as the message.
    Assert,
    /// Fails: the reason has been reported.
    Fail,
    /// Gives the top to who called.
    Return,
}

impl Function {
    /// What it does.
    pub(crate) fn part(&self) -> &Part {
        &self.code.parts[self.part as usize]
    }

    /// How many arguments are missing.
    pub(crate) fn missing(&self) -> usize {
        self.part().arity as usize - self.arguments.len()
    }
}

/// Functions are equal if they are the same one, or have the same code and captured
/// nothing. Others count as different: this is asked only to save work.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || Arc::ptr_eq(&self.code, &other.code)
                && self.part == other.part
                && self.captures.is_empty()
                && other.captures.is_empty()
                && self.arguments.is_empty()
                && other.arguments.is_empty()
    }
}

impl PartialEq for Partial {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || self.builtin == other.builtin
                && self.arguments.is_empty()
                && other.arguments.is_empty()
    }
}

/// Functions may hold functions in very long chains, also where types are finite.
/// They are dropped one after the other, not one in the other.
impl Drop for Function {
    fn drop(&mut self) {
        drop_flat(&mut self.captures);
        drop_flat(&mut self.arguments);
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        drop_flat(&mut self.arguments);
    }
}

thread_local! {
    static NESTED: Cell<u32> = const { Cell::new(0) };
    static WAITING: RefCell<Vec<Vec<Value>>> = const { RefCell::new(Vec::new()) };
}

fn drop_flat(values: &mut Vec<Value>) {
    const DEEPEST: u32 = 8;
    if values.is_empty() {
        return;
    }
    let values = std::mem::take(values);
    // While a thread ends there is no such state, and nothing is deep.
    let Ok(nested) = NESTED.try_with(Cell::get) else {
        return;
    };
    if nested >= DEEPEST {
        WAITING.with_borrow_mut(|waiting| waiting.push(values));
        return;
    }
    NESTED.set(nested + 1);
    drop(values);
    if nested == 0 {
        while let Some(values) = WAITING.with_borrow_mut(Vec::pop) {
            drop(values);
        }
    }
    NESTED.set(nested);
}
