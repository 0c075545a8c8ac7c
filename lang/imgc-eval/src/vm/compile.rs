//! A body to code.
//!
//! Native recursion is as deep as the text nests, which the parser bounds. Nothing
//! here runs, and nothing fails: what is wrong has been reported before.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::builtins::{Builtin, Run};
use crate::ir::{
    Arm, ArmPattern, Body, Expr, ExprId, Field, Lambda, LetBinding, LocalId, Parameter, Payload,
    RecordPattern,
};
use crate::queries::SourceFile;
use crate::vm::code::{Capture, Code, Global, Guard, Op, Part, Partial, Plain, Shape};
use crate::vm::liveness;
use crate::vm::numbered::Numbered;
use crate::vm::value::{Origin, Tagged, Value};

/// The builtin that an interpolation does by itself.
static TO_STRING: LazyLock<Option<Builtin>> = LazyLock::new(|| Builtin::find("toString"));

/// Compiles the body of a binding. `origin` is that of its expression 0.
pub(crate) fn compile(body: &Body, origin: Origin) -> Code {
    let code = Code {
        origin,
        parts: vec![Part::default()],
        constants: Vec::new(),
        names: Vec::new(),
        plains: Vec::new(),
        shapes: Vec::new(),
        patterns: Vec::new(),
        globals: Vec::new(),
    };
    let whole = Scope {
        part: Part::with_room(body.exprs.len()),
        ..Scope::default()
    };
    let mut compiler = Compiler {
        body,
        code,
        names: Numbered::default(),
        globals: Numbered::default(),
        modules: BTreeMap::new(),
        to_string: *TO_STRING,
        scopes: vec![whole],
    };
    compiler.expr(body.root);
    compiler.emit(Op::Return, body.root);
    let part = compiler.finish(0);
    compiler.code.parts[0] = part;
    compiler.code.names = compiler.names.into_list();
    compiler.code.globals = compiler.globals.into_list();
    compiler.code
}

struct Compiler<'a> {
    body: &'a Body,
    code: Code,
    names: Numbered<Arc<str>>,
    globals: Numbered<Global>,
    /// Variables that are modules.
    modules: BTreeMap<LocalId, SourceFile>,
    /// The builtin that an interpolation does by itself.
    to_string: Option<Builtin>,
    /// The functions around, outermost first.
    scopes: Vec<Scope>,
}

/// A function that is being compiled.
#[derive(Default)]
struct Scope {
    part: Part,
    slots: BTreeMap<LocalId, u32>,
    captured: Vec<LocalId>,
    /// How many slots are in use.
    depth: u32,
    /// The operations before which a slot gets its value.
    births: Vec<(u32, u32)>,
}

/// Where a variable is.
enum Place {
    Slot(u32),
    Captured(u32),
}

impl Compiler<'_> {
    fn scope(&mut self) -> &mut Scope {
        self.scopes
            .last_mut()
            .expect("a function is being compiled")
    }

    fn here(&mut self) -> u32 {
        self.scope().part.ops.len() as u32
    }

    /// Adds an operation. How it changes the depth is said by the caller.
    fn emit(&mut self, op: Op, expr: ExprId) -> u32 {
        let at = self.here();
        let part = &mut self.scope().part;
        part.ops.push(op);
        part.exprs.push(expr);
        at
    }

    /// Adds an operation that pops that many values and pushes one.
    fn make(&mut self, op: Op, expr: ExprId, pops: usize) {
        self.emit(op, expr);
        let scope = self.scope();
        scope.depth = scope.depth + 1 - pops as u32;
    }

    /// Lets a jump lead here.
    fn land(&mut self, jump: u32) {
        let here = self.here();
        match &mut self.scope().part.ops[jump as usize] {
            Op::Jump(to)
            | Op::JumpIfFalse(to)
            | Op::And(to)
            | Op::Or(to)
            | Op::TestTag(_, to)
            | Op::TestConst(_, to)
            | Op::Default(_, to) => *to = here,
            _ => {}
        }
    }

    /// The function is whole: its last uses are found.
    fn finish(&mut self, arity: u32) -> Part {
        let scope = self.scopes.pop().unwrap_or_default();
        let mut part = scope.part;
        part.arity = arity;
        liveness::move_last_uses(&mut part, &scope.births, &mut self.code.parts);
        part
    }

    fn name(&mut self, name: &Arc<str>) -> u32 {
        self.names.number(name)
    }

    fn constant(&mut self, value: Value) -> u32 {
        self.code.constants.push(value);
        self.code.constants.len() as u32 - 1
    }

    fn global(&mut self, global: Global, expr: ExprId) {
        let at = self.globals.number(&global);
        self.make(Op::Global(at), expr, 0);
    }

    /// The value that has just been pushed is that of a variable.
    fn bind(&mut self, local: Option<LocalId>) {
        let here = self.here();
        let scope = self.scope();
        let slot = scope.depth - 1;
        scope.births.push((here, slot));
        if let Some(local) = local {
            scope.slots.insert(local, slot);
        }
    }

    fn place(&mut self, local: LocalId) -> Place {
        let scope = self.scope();
        if let Some(&slot) = scope.slots.get(&local) {
            return Place::Slot(slot);
        }
        let known = scope.captured.iter().position(|known| *known == local);
        let at = known.unwrap_or_else(|| {
            scope.captured.push(local);
            scope.captured.len() - 1
        });
        Place::Captured(at as u32)
    }

    /// An expression whose failure does not end what is around it.
    fn guarded(&mut self, expr: ExprId) {
        let start = self.here();
        let depth = self.scope().depth;
        self.expr(expr);
        let end = self.here();
        let safe = end == start + 1
            && matches!(
                self.scope().part.ops[start as usize],
                Op::Const(_) | Op::Closure(_)
            );
        if !safe {
            let guard = Guard { start, end, depth };
            self.scope().part.guards.push(guard);
        }
    }

    fn expr(&mut self, id: ExprId) {
        let body = self.body;
        let origin = self.code.origin.of(id);
        let constant = match body.expr(id) {
            Expr::Int(number) => Value::Int(origin, *number),
            Expr::Bool(truth) => Value::Bool(origin, *truth),
            Expr::Str(text) => Value::Str(origin, Arc::new(text.to_string())),
            Expr::Path(path) => Value::Path(origin, Arc::new(path.clone())),
            Expr::Tag(tag, None) => Value::Tag(
                origin,
                Arc::new(Tagged {
                    tag: tag.clone(),
                    payload: None,
                }),
            ),
            Expr::Builtin(builtin) => match builtin.run() {
                Run::Constant(_) => return self.make(Op::Constant(*builtin), id, 0),
                Run::Plain(_) | Run::Higher(_) => self.builtin(*builtin, id),
            },
            other => return self.compound(id, other),
        };
        let at = self.constant(constant);
        self.make(Op::Const(at), id, 0);
    }

    fn builtin(&self, builtin: Builtin, id: ExprId) -> Value {
        let arguments = Vec::new();
        let partial = Partial { builtin, arguments };
        Value::Builtin(self.code.origin.of(id), Arc::new(partial))
    }

    fn compound(&mut self, id: ExprId, expr: &Expr) {
        match expr {
            Expr::Interpolation(parts) => {
                for part in parts {
                    match part {
                        crate::ir::Part::Text(text) => {
                            let origin = self.code.origin.of(id);
                            let text = Value::Str(origin, Arc::new(text.to_string()));
                            let at = self.constant(text);
                            self.make(Op::Const(at), id, 0);
                        }
                        crate::ir::Part::Expr(part) => self.guarded(self.shown(*part)),
                    }
                }
                self.make(Op::Join(parts.len() as u32), id, parts.len());
            }
            Expr::List(items) => {
                for item in items {
                    self.guarded(*item);
                }
                self.make(Op::List(items.len() as u32), id, items.len());
            }
            Expr::Record(fields) => {
                let shape = self.shape(fields, id);
                self.make(Op::Record(shape), id, fields.len());
            }
            Expr::Import(module) => self.global(Global::Module(*module), id),
            Expr::Item(name) => self.global(Global::Item(*name), id),
            Expr::Local(local) if self.modules.contains_key(local) => {
                let module = self.modules[local];
                self.global(Global::Module(module), id);
            }
            Expr::Local(local) => {
                let op = match self.place(*local) {
                    Place::Slot(slot) => Op::Load(slot),
                    Place::Captured(at) => Op::Capture(at),
                };
                self.make(op, id, 0);
            }
            Expr::Let {
                bindings,
                needed,
                body,
            } => self.bindings(&bindings[..*needed], *body, id),
            Expr::Lambda(_) => self.lambda(id),
            Expr::If {
                condition,
                then,
                otherwise,
            } => {
                self.expr(*condition);
                let if_false = self.emit(Op::JumpIfFalse(0), *condition);
                self.scope().depth -= 1;
                self.expr(*then);
                let end = self.emit(Op::Jump(0), id);
                self.scope().depth -= 1;
                self.land(if_false);
                self.expr(*otherwise);
                self.land(end);
            }
            Expr::Binary(op, a, b) => {
                self.guarded(*a);
                self.expr(*b);
                self.make(Op::Binary(*op), id, 2);
            }
            Expr::And(a, b) => self.either(Op::And(0), *a, *b),
            Expr::Or(a, b) => self.either(Op::Or(0), *a, *b),
            Expr::Not(a) => {
                self.expr(*a);
                self.make(Op::Not, id, 1);
            }
            Expr::Negate(a) => {
                self.expr(*a);
                self.make(Op::Negate, id, 1);
            }
            Expr::Apply(..) => self.apply(id),
            Expr::Select(record, name) => {
                let global = match self.body.expr(*record) {
                    Expr::Import(module) => Some(Global::Export(*module, name.clone())),
                    Expr::Item(item) => Some(Global::Field(*item, name.clone())),
                    Expr::Local(local) => {
                        let module = self.modules.get(local);
                        module.map(|module| Global::Export(*module, name.clone()))
                    }
                    _ => None,
                };
                if let Some(global) = global {
                    return self.global(global, id);
                }
                self.expr(*record);
                let name = self.name(name);
                self.make(Op::Select(name), id, 1);
            }
            Expr::Tag(tag, Some(payload)) => {
                self.expr(*payload);
                let tag = self.name(tag);
                self.make(Op::Tag(tag), id, 1);
            }
            Expr::Match { scrutinee, arms } => self.arms(*scrutinee, arms, id),
            Expr::Assert {
                condition,
                message,
                body,
            } => {
                self.expr(*condition);
                let if_false = self.emit(Op::JumpIfFalse(0), *condition);
                self.scope().depth -= 1;
                let if_true = self.emit(Op::Jump(0), id);
                self.land(if_false);
                self.expr(*message);
                self.emit(Op::Assert, *condition);
                self.scope().depth -= 1;
                self.land(if_true);
                self.expr(*body);
            }
            Expr::Ascribe(inner, _) => self.expr(*inner),
            _ => self.make(Op::Fail, id, 0),
        }
    }

    /// Pushes the fields of a record literal.
    fn shape(&mut self, fields: &[Field], expr: ExprId) -> u32 {
        for field in fields {
            self.guarded(field.value);
        }
        let names = fields.iter().map(|field| field.name.clone()).collect();
        let names = Arc::new(names);
        self.code.shapes.push(Shape { names, expr });
        self.code.shapes.len() as u32 - 1
    }

    /// What a part of an interpolation shows: joining does what `toString` does.
    fn shown(&self, part: ExprId) -> ExprId {
        match self.body.expr(part) {
            Expr::Apply(function, argument) => match self.body.expr(*function) {
                Expr::Builtin(builtin) if self.to_string == Some(*builtin) => *argument,
                _ => part,
            },
            _ => part,
        }
    }

    fn either(&mut self, op: Op, a: ExprId, b: ExprId) {
        self.expr(a);
        let end = self.emit(op, a);
        self.scope().depth -= 1;
        self.expr(b);
        self.land(end);
    }

    fn bindings(&mut self, bindings: &[LetBinding], body: ExprId, id: ExprId) {
        let depth = self.scope().depth;
        for binding in bindings {
            // A module is not evaluated as a whole because it has a name.
            if let Expr::Import(module) = self.body.expr(binding.value) {
                self.modules.insert(binding.local, *module);
                continue;
            }
            self.guarded(binding.value);
            self.bind(Some(binding.local));
        }
        let used = self.scope().depth - depth;
        self.expr(body);
        self.slide(used, id);
    }

    /// Drops values below the top.
    fn slide(&mut self, count: u32, id: ExprId) {
        if count > 0 {
            self.emit(Op::Slide(count), id);
            self.scope().depth -= count;
        }
    }

    /// A call with all its arguments: `f a b` is one.
    fn apply(&mut self, id: ExprId) {
        let mut calls = Vec::new();
        let mut head = id;
        while let Expr::Apply(function, argument) = self.body.expr(head) {
            calls.push((head, *argument));
            head = *function;
        }
        calls.reverse();
        if let Expr::Builtin(builtin) = self.body.expr(head)
            && builtin.arity() > 0
            && calls.len() >= builtin.arity()
        {
            let (own, rest) = calls.split_at(builtin.arity());
            for (_, argument) in own {
                self.guarded(*argument);
            }
            let at = own.last().map_or(id, |(call, _)| *call);
            let arity = own.len();
            let op = match builtin.run() {
                Run::Plain(run) => {
                    self.code.plains.push(Plain { run, arity });
                    Op::CallPlain(self.code.plains.len() as u32 - 1)
                }
                Run::Higher(_) | Run::Constant(_) => Op::CallHigher(*builtin),
            };
            self.make(op, at, arity);
            if !rest.is_empty() {
                for (_, argument) in rest {
                    self.guarded(*argument);
                }
                self.make(Op::Call(rest.len() as u32), id, rest.len() + 1);
            }
            return;
        }
        if let [(call, argument)] = calls[..]
            && let Expr::Lambda(lambda) = self.body.expr(head)
            && !matches!(self.body.expr(lambda.body), Expr::Lambda(_))
        {
            return self.applied(lambda, head, argument, call);
        }
        self.guarded(head);
        if let [(_, argument)] = calls[..]
            && let Expr::Record(fields) = self.body.expr(argument)
        {
            let shape = self.shape(fields, argument);
            return self.make(Op::CallFields(shape), id, fields.len() + 1);
        }
        for (_, argument) in &calls {
            self.guarded(*argument);
        }
        self.make(Op::Call(calls.len() as u32), id, calls.len() + 1);
    }

    /// A function that is called where it is written: its body, after its argument.
    fn applied(&mut self, lambda: &Lambda, head: ExprId, argument: ExprId, id: ExprId) {
        let depth = self.scope().depth;
        match (&lambda.parameter, self.body.expr(argument)) {
            (Parameter::Fields(pattern), Expr::Record(fields)) if fits(pattern, fields) => {
                for field in fields {
                    self.guarded(field.value);
                    let mut wanted = pattern.fields.iter();
                    let bound = wanted.find(|wanted| wanted.name == field.name);
                    self.bind(bound.map(|bound| bound.local));
                }
                for field in &pattern.fields {
                    let given = fields.iter().any(|given| given.name == field.name);
                    if let Some(default) = field.default.filter(|_| !given) {
                        self.guarded(default);
                        self.bind(Some(field.local));
                    }
                }
            }
            (Parameter::Fields(pattern), _) => {
                self.guarded(argument);
                self.bind(None);
                self.fields(depth, pattern, head);
            }
            (Parameter::Any(local, _), _) => {
                self.guarded(argument);
                self.bind(*local);
            }
        }
        let used = self.scope().depth - depth;
        self.expr(lambda.body);
        self.slide(used, id);
    }

    /// A function. One that gives a function directly takes the arguments of both.
    fn lambda(&mut self, id: ExprId) {
        let body = self.body;
        let mut lambdas: Vec<(ExprId, &Lambda)> = Vec::new();
        let mut inner = id;
        while let Expr::Lambda(lambda) = body.expr(inner) {
            lambdas.push((inner, lambda));
            inner = lambda.body;
        }
        let at = self.code.parts.len();
        self.code.parts.push(Part::default());
        self.scopes.push(Scope {
            depth: lambdas.len() as u32,
            ..Scope::default()
        });
        for (slot, (_, lambda)) in lambdas.iter().enumerate() {
            if let Parameter::Any(Some(local), _) = &lambda.parameter {
                self.scope().slots.insert(*local, slot as u32);
            }
        }
        for (slot, (lambda_id, lambda)) in lambdas.iter().enumerate() {
            if let Parameter::Fields(pattern) = &lambda.parameter {
                self.fields(slot as u32, pattern, *lambda_id);
            }
        }
        self.expr(inner);
        self.emit(Op::Return, inner);
        let captured = std::mem::take(&mut self.scope().captured);
        let mut part = self.finish(lambdas.len() as u32);
        part.pattern = match (&lambdas[..], part.ops.first()) {
            ([_], Some(Op::Unpack(0, pattern))) => Some(*pattern),
            _ => None,
        };
        part.captures = captured
            .into_iter()
            .map(|local| match self.place(local) {
                Place::Slot(slot) => Capture::Copy(slot),
                Place::Captured(at) => Capture::Outer(at),
            })
            .collect();
        self.code.parts[at] = part;
        self.make(Op::Closure(at as u32), id, 0);
    }

    /// Takes a record apart that stands in a slot.
    fn fields(&mut self, slot: u32, pattern: &RecordPattern, id: ExprId) {
        let names = pattern.fields.iter().map(|field| field.name.clone());
        let at = self.code.patterns.len() as u32;
        let names = names.collect();
        self.code.patterns.push(names);
        self.emit(Op::Unpack(slot, at), id);
        let first = self.scope().depth;
        let here = self.here();
        for (index, field) in pattern.fields.iter().enumerate() {
            let slot = first + index as u32;
            self.scope().births.push((here, slot));
            self.scope().slots.insert(field.local, slot);
        }
        self.scope().depth += pattern.fields.len() as u32;
        for (index, field) in pattern.fields.iter().enumerate() {
            let Some(default) = field.default else {
                continue;
            };
            let slot = first + index as u32;
            let present = self.emit(Op::Default(slot, 0), default);
            self.guarded(default);
            self.emit(Op::Store(slot), default);
            self.scope().depth -= 1;
            self.land(present);
        }
    }

    fn arms(&mut self, scrutinee: ExprId, arms: &[Arm], id: ExprId) {
        self.expr(scrutinee);
        let depth = self.scope().depth;
        let mut ends = Vec::new();
        let mut closed = false;
        for arm in arms {
            self.scope().depth = depth;
            let origin = self.code.origin.of(id);
            let test = match &arm.pattern {
                ArmPattern::Tag(tag, _) => {
                    let tag = self.name(tag);
                    Some(Op::TestTag(tag, 0))
                }
                ArmPattern::Int(number) => {
                    let at = self.constant(Value::Int(origin, *number));
                    Some(Op::TestConst(at, 0))
                }
                ArmPattern::Str(text) => {
                    let text = Arc::new(text.to_string());
                    let at = self.constant(Value::Str(origin, text));
                    Some(Op::TestConst(at, 0))
                }
                ArmPattern::Bool(truth) => {
                    let at = self.constant(Value::Bool(origin, *truth));
                    Some(Op::TestConst(at, 0))
                }
                ArmPattern::Any(_) | ArmPattern::Poison => None,
            };
            let test = test.map(|test| self.emit(test, id));
            match &arm.pattern {
                ArmPattern::Tag(_, Payload::Any(local)) => {
                    self.emit(Op::Payload, id);
                    self.bind(*local);
                }
                ArmPattern::Tag(_, Payload::Fields(pattern)) => {
                    self.emit(Op::Payload, id);
                    self.bind(None);
                    self.fields(depth - 1, pattern, id);
                }
                ArmPattern::Any(local) => self.bind(*local),
                _ => {}
            }
            if arm.pattern == ArmPattern::Poison {
                self.make(Op::Fail, id, 0);
            } else {
                self.expr(arm.body);
            }
            let used = self.scope().depth - depth;
            self.slide(used, id);
            match test {
                Some(test) => {
                    ends.push(self.emit(Op::Jump(0), id));
                    self.land(test);
                }
                None => {
                    closed = true;
                    break;
                }
            }
        }
        self.scope().depth = depth;
        if !closed {
            self.emit(Op::Fail, id);
        }
        for end in ends {
            self.land(end);
        }
    }
}

/// Whether a record literal has every field of a pattern that has no default.
fn fits(pattern: &RecordPattern, fields: &[Field]) -> bool {
    let mut wanted = pattern.fields.iter();
    wanted.all(|wanted| {
        wanted.default.is_some() || fields.iter().any(|given| given.name == wanted.name)
    })
}
