//! Evaluation: expressions to values, with a budget.
//!
//! Strict, and on demand: a `let` binding is evaluated when it is first used, and
//! once. Frames stand in one arena, so that values hold no cycles. Failures are
//! reported where they happen; [`Failed`] only says that there is no value.

mod budget;
mod builtins;
mod calls;
mod operators;
mod show;

use imgc_diag::codes;
use std::sync::Arc;

use crate::builtins::Builtin;
use crate::hir::{ExprId, ExprKind, Module, Part};
use crate::options::Options;
use crate::problem::{MAX_PROBLEMS, Problem};
use crate::span::Span;
use crate::value::{Closure, Data, List, MAX_VALUE_DEPTH, Record, RecordField, Value, depth_of};
use crate::world::World;

use budget::Budget;

/// There is no value, and the reason has been reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// What evaluating an expression gives.
pub(crate) type Eval<T = Value> = Result<T, Failed>;

/// A module that is ready to run.
#[derive(Debug)]
pub(crate) struct Loaded<'a> {
    /// The module.
    pub(crate) module: &'a Module,
    /// The modules that it imports, by number. `None`: that import has been
    /// reported.
    pub(crate) imports: Vec<Option<u32>>,
    /// Whether it is a file of the project, and no module of imgc.
    pub(crate) project: bool,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    parent: Option<u32>,
    first: u32,
}

#[derive(Debug, Clone)]
enum Slot {
    Pending(u32, ExprId),
    Running,
    Done(Value),
    Failed,
}

/// One evaluation.
pub(crate) struct Evaluator<'a> {
    /// The outside.
    pub(crate) world: &'a dyn World,
    /// What the caller asked for.
    pub(crate) options: &'a Options,
    /// What has been found wrong.
    pub(crate) problems: Vec<Problem>,
    modules: &'a [Loaded<'a>],
    roots: Vec<Option<Eval>>,
    frames: Vec<Frame>,
    slots: Vec<Slot>,
    /// How many closures were made: see [`Evaluator::release`].
    closures: u64,
    budget: Budget,
    /// The calls under way, outermost first, by the place of the call.
    calls: Vec<Span>,
}

/// The arena at one moment.
#[derive(Debug, Clone, Copy)]
struct Mark {
    frames: usize,
    slots: usize,
    closures: u64,
}

impl<'a> Evaluator<'a> {
    /// An evaluation of `modules`.
    pub(crate) fn new(
        world: &'a dyn World,
        options: &'a Options,
        modules: &'a [Loaded<'a>],
    ) -> Self {
        Self {
            world,
            options,
            problems: Vec::new(),
            modules,
            roots: modules.iter().map(|_| None).collect(),
            frames: Vec::new(),
            slots: Vec::new(),
            closures: 0,
            budget: Budget::new(&options.limits),
            calls: Vec::new(),
        }
    }

    /// The value of a module, evaluated once.
    pub(crate) fn module(&mut self, module: u32) -> Eval {
        if let Some(value) = &self.roots[module as usize] {
            return value.clone();
        }
        let value = self.eval(module, self.modules[module as usize].module.root, None);
        self.roots[module as usize] = Some(value.clone());
        value
    }

    /// Whether a place is in a file of the project.
    pub(crate) fn in_project(&self, span: Span) -> bool {
        self.modules[span.module as usize].project
    }

    /// The place to show for what happens at `span`: in a module of imgc, the call
    /// that led there from the project.
    pub(crate) fn project_span(&self, span: Span) -> Span {
        if self.in_project(span) {
            return span;
        }
        let call = self.calls.iter().rev().find(|&&call| self.in_project(call));
        call.copied().unwrap_or(span)
    }

    /// Reports a problem. One in a module of imgc also shows the call that led
    /// there from the project.
    pub(crate) fn report(&mut self, mut problem: Problem) -> Failed {
        if problem.is_silent {
            return Failed;
        }
        let call = self.project_span(problem.span);
        problem = problem.label(call, "in this call");
        if !self.is_full() {
            self.problems.push(problem);
        }
        Failed
    }

    /// Whether nothing more is reported. The words for a mistake need not be looked
    /// for then: many mistakes must not take long.
    pub(crate) fn is_full(&self) -> bool {
        self.budget.exhausted || self.problems.len() >= MAX_PROBLEMS
    }

    /// The bytes of all values so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.budget.bytes()
    }

    /// Counts steps. Every loop over data that a program made calls this.
    pub(crate) fn step(&mut self, count: usize, span: Span) -> Eval<()> {
        self.budget
            .step(count as u64)
            .map_err(|problem| self.exhaust(problem, span))
    }

    /// Counts bytes that a value takes.
    pub(crate) fn allocate(&mut self, bytes: usize, span: Span) -> Eval<()> {
        let live = self.slots.len() * size_of::<Slot>() + self.frames.len() * size_of::<Frame>();
        self.budget
            .allocate(bytes as u64, live as u64)
            .map_err(|problem| self.exhaust(problem, span))
    }

    fn exhaust(&mut self, problem: budget::Exhausted, span: Span) -> Failed {
        let failed = self.report(problem.problem(span));
        self.budget.exhausted = true;
        failed
    }

    /// Makes a list.
    pub(crate) fn list(&mut self, items: Vec<Value>, span: Span) -> Eval {
        self.allocate(items.len() * size_of::<Value>(), span)?;
        let depth = self.nest(depth_of(items.iter()), span)?;
        Ok(Value {
            data: Data::List(Arc::new(List { items, depth })),
            span,
        })
    }

    /// Makes a record of fields that are sorted by name, each name once.
    pub(crate) fn record(&mut self, fields: Vec<RecordField>, span: Span) -> Eval {
        self.allocate(fields.len() * size_of::<RecordField>(), span)?;
        let depth = self.nest(depth_of(fields.iter().map(|field| &field.value)), span)?;
        Ok(Value {
            data: Data::Record(Arc::new(Record { fields, depth })),
            span,
        })
    }

    /// Makes a string.
    pub(crate) fn string(&mut self, text: &str, span: Span) -> Eval {
        self.allocate(text.len(), span)?;
        Ok(Value {
            data: Data::Str(text.into()),
            span,
        })
    }

    fn nest(&mut self, depth: u32, span: Span) -> Eval<u32> {
        if depth > MAX_VALUE_DEPTH {
            let problem = Problem::new(
                codes::NESTED_TOO_DEEP,
                span,
                format!("lists and records nest more than {MAX_VALUE_DEPTH} levels deep here"),
            );
            return Err(self.report(problem));
        }
        Ok(depth)
    }

    fn mark(&self) -> Mark {
        Mark {
            frames: self.frames.len(),
            slots: self.slots.len(),
            closures: self.closures,
        }
    }

    /// Drops the frames that were made since `mark`, if no closure was made since
    /// then: only closures refer to frames.
    fn release(&mut self, mark: Mark) {
        if self.closures == mark.closures {
            self.frames.truncate(mark.frames);
            self.slots.truncate(mark.slots);
        }
    }

    fn push_frame(&mut self, parent: Option<u32>) -> u32 {
        let frame = self.frames.len() as u32;
        self.frames.push(Frame {
            parent,
            first: self.slots.len() as u32,
        });
        frame
    }

    /// Evaluates an expression in a frame.
    pub(crate) fn eval(&mut self, module: u32, expr: ExprId, frame: Option<u32>) -> Eval {
        let span = self.span(module, expr);
        if let Err(problem) = self.budget.enter() {
            return Err(self.exhaust(problem, span));
        }
        let value = self.eval_inner(module, expr, frame, span);
        self.budget.leave();
        value.and_then(Value::sound)
    }

    /// Where an expression is written.
    fn span(&self, module: u32, expr: ExprId) -> Span {
        self.modules[module as usize].module.exprs[expr.0 as usize].span
    }

    fn eval_inner(&mut self, module: u32, expr: ExprId, frame: Option<u32>, span: Span) -> Eval {
        self.step(1, span)?;
        let modules = self.modules;
        let loaded = &modules[module as usize];
        let data = match &loaded.module.exprs[expr.0 as usize].kind {
            ExprKind::Poison => return Err(Failed),
            ExprKind::Int(number) => Data::Int(*number),
            ExprKind::Bool(truth) => Data::Bool(*truth),
            ExprKind::Str(text) => Data::Str(text.clone()),
            ExprKind::Path(path) => Data::Path(path.clone()),
            ExprKind::Builtin(Builtin::DefaultPlatform) => {
                Data::Str(self.options.platform.to_string().into())
            }
            ExprKind::Builtin(builtin) => Data::Builtin(*builtin, [].into()),
            ExprKind::Lambda(_) => {
                self.closures += 1;
                Data::Lambda(Closure {
                    module,
                    expr,
                    frame,
                })
            }
            ExprKind::Interpolation(parts) => {
                return self.interpolate(module, parts, frame, span);
            }
            ExprKind::List(items) => return self.eval_list(module, items, frame, span),
            ExprKind::Record(fields) => return self.eval_record(module, fields, frame, span),
            ExprKind::Import(index) => {
                let target = loaded.imports.get(*index as usize).copied().flatten();
                return self.module(target.ok_or(Failed)?);
            }
            ExprKind::Local { up, slot } => return self.local(frame, *up, *slot, span),
            ExprKind::Let { bindings, body } => {
                return self.eval_let(module, bindings, *body, frame);
            }
            ExprKind::If {
                condition,
                then,
                otherwise,
            } => {
                let truth = self.truth(module, *condition, frame, "the condition of an `if`")?;
                return self.eval(module, if truth { *then } else { *otherwise }, frame);
            }
            ExprKind::And(a, b) => {
                let truth = self.truth(module, *a, frame, "the left side of `&&`")?
                    && self.truth(module, *b, frame, "the right side of `&&`")?;
                Data::Bool(truth)
            }
            ExprKind::Or(a, b) => {
                let truth = self.truth(module, *a, frame, "the left side of `||`")?
                    || self.truth(module, *b, frame, "the right side of `||`")?;
                Data::Bool(truth)
            }
            ExprKind::Not(a) => Data::Bool(!self.truth(module, *a, frame, "the operand of `!`")?),
            ExprKind::Negate(a) => return self.negate(module, *a, frame, span),
            ExprKind::Binary(op, a, b) => {
                return self.binary(*op, (module, *a), (module, *b), frame, span);
            }
            ExprKind::Apply(function, argument) => {
                let function_span = self.span(module, *function);
                let function = self.eval(module, *function, frame);
                let argument = self.eval(module, *argument, frame);
                return self.apply(function?, argument?, function_span, span);
            }
            ExprKind::Select(record, name, name_span) => {
                let record_span = self.span(module, *record);
                let record = self.eval(module, *record, frame)?;
                return self.select(&record, name, *name_span, record_span);
            }
        };
        Ok(Value { data, span })
    }

    fn interpolate(&mut self, module: u32, parts: &[Part], frame: Option<u32>, span: Span) -> Eval {
        let mut text = String::new();
        let mut failed = false;
        for part in parts {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Expr(expr) => {
                    let Ok(value) = self.eval(module, *expr, frame) else {
                        failed = true;
                        continue;
                    };
                    if let Data::Str(piece) = &value.data {
                        self.allocate(piece.len(), span)?;
                        text.push_str(piece);
                        continue;
                    }
                    let at = self.span(module, *expr);
                    let mut problem = Problem::new(
                        codes::WRONG_TYPE,
                        at,
                        format!("`${{}}` takes a string, and this is {}", value.kind()),
                    )
                    .came_from(value.span);
                    if let Data::Int(_) | Data::Bool(_) = value.data {
                        problem = problem.help("write `${toString …}`");
                    }
                    self.report(problem);
                    failed = true;
                }
            }
        }
        if failed {
            return Err(Failed);
        }
        self.string(&text, span)
    }

    /// A part of a literal. All parts are evaluated, so that the mistakes in all of
    /// them are shown.
    fn part(&mut self, module: u32, expr: ExprId, frame: Option<u32>) -> Value {
        let span = self.span(module, expr);
        self.eval(module, expr, frame).unwrap_or(Value {
            data: Data::Failed,
            span,
        })
    }

    fn eval_list(&mut self, module: u32, items: &[ExprId], frame: Option<u32>, span: Span) -> Eval {
        let values = items.iter().map(|&item| self.part(module, item, frame));
        let values: Vec<Value> = values.collect();
        self.list(values, span)
    }

    fn eval_record(
        &mut self,
        module: u32,
        fields: &[crate::hir::Field],
        frame: Option<u32>,
        span: Span,
    ) -> Eval {
        let values = fields.iter().map(|field| RecordField {
            name: field.name.clone(),
            span: field.span,
            value: self.part(module, field.value, frame),
        });
        let values: Vec<RecordField> = values.collect();
        self.record(values, span)
    }

    fn eval_let(
        &mut self,
        module: u32,
        bindings: &[ExprId],
        body: ExprId,
        frame: Option<u32>,
    ) -> Eval {
        let span = self.span(module, body);
        self.step(bindings.len(), span)?;
        let mark = self.mark();
        let inner = self.push_frame(frame);
        let pending = bindings.iter().map(|&expr| Slot::Pending(module, expr));
        self.slots.extend(pending);
        self.allocate(0, span)?;
        let value = self.eval(module, body, Some(inner));
        self.release(mark);
        value
    }

    /// The value of a variable. A binding is evaluated when it is first asked for.
    fn local(&mut self, frame: Option<u32>, up: u32, slot: u32, span: Span) -> Eval {
        let mut frame = frame;
        for _ in 0..up {
            frame = frame.and_then(|at| self.frames[at as usize].parent);
        }
        // Names were resolved against the same nesting of frames.
        let frame = frame.expect("a variable's frame exists while its scope runs");
        let at = (self.frames[frame as usize].first + slot) as usize;
        match &self.slots[at] {
            Slot::Done(value) => Ok(value.clone()),
            Slot::Failed => Err(Failed),
            Slot::Pending(module, expr) => {
                let (module, expr) = (*module, *expr);
                self.slots[at] = Slot::Running;
                let value = self.eval(module, expr, Some(frame));
                self.slots[at] = value.clone().map_or(Slot::Failed, Slot::Done);
                value
            }
            Slot::Running => {
                // Cycles are found before anything runs.
                let problem = Problem::new(
                    codes::BINDING_CYCLE,
                    span,
                    "this binding needs its own value".to_owned(),
                );
                Err(self.report(problem))
            }
        }
    }

    fn truth(&mut self, module: u32, expr: ExprId, frame: Option<u32>, what: &str) -> Eval<bool> {
        let value = self.eval(module, expr, frame)?;
        let Data::Bool(truth) = value.data else {
            let at = self.span(module, expr);
            let problem = Problem::new(
                codes::WRONG_TYPE,
                at,
                format!("{what} is `true` or `false`, and this is {}", value.kind()),
            )
            .came_from(value.span);
            return Err(self.report(problem));
        };
        Ok(truth)
    }
}
