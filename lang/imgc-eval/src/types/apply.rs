//! Functions and their calls.

use imgc_diag::codes;

use crate::ir::{Expr, ExprId, ItemName, Lambda, ModuleName, Parameter, RecordPattern};
use crate::problem::Problem;
use crate::queries::Item;
use crate::site::{At, Site};

use super::hosts::Host;
use super::infer::Infer;
use super::report::Why;
use super::ty::{Field, Heads, Node, POISON, Ty};

impl<'a> Infer<'a> {
    /// The type of a function of the language. `expected` is a type of functions that
    /// it must fit.
    pub(super) fn lambda(
        &mut self,
        id: ExprId,
        lambda: &Lambda,
        expected: Option<(Ty, &Why<'_>)>,
    ) -> Ty {
        let wanted = expected.and_then(|(ty, why)| match self.arena.node(ty) {
            Node::Function(parameter, result) => Some((parameter, result, why)),
            _ => None,
        });
        let updates = self.updates.len();
        let parameter = match &lambda.parameter {
            Parameter::Any(local, annotation) => {
                let ty = match annotation {
                    Some(annotation) => {
                        let (ty, _) = self.annotation(annotation);
                        if let Some((given, ..)) = wanted
                            && let Err(mismatch) = self.arena.subsume(given, ty)
                        {
                            self.pattern_mismatch(At::part(id, 0), given, ty, *mismatch);
                        }
                        ty
                    }
                    None => match wanted {
                        Some((given, ..)) => given,
                        None => self.arena.fresh(),
                    },
                };
                if let Some(local) = local {
                    self.bind(*local, ty);
                }
                ty
            }
            Parameter::Fields(pattern) => {
                let ty = self.pattern_type(pattern);
                if let Some((given, ..)) = wanted
                    && let Err(mismatch) = self.arena.subsume(given, ty)
                {
                    self.pattern_mismatch(At::part(id, 0), given, ty, *mismatch);
                }
                ty
            }
        };
        let result = match wanted {
            Some((_, result, why)) => {
                let why = Why::Result(why);
                self.check(lambda.body, result, &why);
                result
            }
            None => self.infer(lambda.body),
        };
        if let Parameter::Fields(pattern) = &lambda.parameter {
            self.settle_updates(updates, false);
            self.defaults(pattern, parameter);
        }
        self.settle_updates(updates, false);
        self.arena.function(parameter, result)
    }

    /// The type of what a record pattern takes. Its variables get their types.
    pub(super) fn pattern_type(&mut self, pattern: &RecordPattern) -> Ty {
        let mut fields = Vec::with_capacity(pattern.fields.len());
        for field in &pattern.fields {
            let ty = match &field.annotation {
                Some(annotation) => self.annotation(annotation).0,
                None => self.arena.fresh(),
            };
            self.bind(field.local, ty);
            fields.push(Field {
                name: self.arena.symbol(&field.name),
                ty,
                optional: field.default.is_some(),
            });
        }
        let tail = pattern.open.then(|| self.arena.fresh_row());
        self.arena.record(fields, tail)
    }

    /// Checks the defaults of a pattern. What the function does with a field says what
    /// its default must be, so they come after the body.
    fn defaults(&mut self, pattern: &RecordPattern, record: Ty) {
        let Node::Record(row) = self.arena.node(record) else {
            return;
        };
        for field in &pattern.fields {
            let Some(default) = field.default else {
                continue;
            };
            let name = self.arena.symbol(&field.name);
            let known = self.arena.own_fields(row).iter();
            let known = known.copied().find(|known| known.name == name);
            if let Some(known) = known {
                self.check(default, known.ty, &Why::Default(&field.name));
            }
        }
    }

    /// `f a b`: the function first, then the arguments. Functions among them come last,
    /// when more is known of what they get.
    pub(super) fn apply(&mut self, id: ExprId, expected: Option<Ty>) -> Ty {
        let mut calls = Vec::new();
        let mut callee = id;
        while let Expr::Apply(function, argument) = self.expr(callee) {
            calls.push((callee, *function, *argument));
            callee = *function;
        }
        calls.reverse();
        let head = self.infer(callee);
        let count = self.arity(head);
        let mut function = head;
        let mut waiting: Vec<(usize, ExprId, Ty)> = Vec::new();
        for (index, (call, before, argument)) in calls.iter().enumerate() {
            if let Node::Var(var) = self.arena.node(function)
                && self.arena.vars[var as usize].heads.has(Heads::FUNCTION)
            {
                // The arguments so far may say what it is.
                self.arguments(callee, count, &mut waiting);
            }
            let (root, node) = self.arena.resolve(function);
            match node {
                Node::Function(parameter, result) => {
                    waiting.push((index, *argument, parameter));
                    function = result;
                }
                Node::Var(var) if self.arena.vars[var as usize].heads.has(Heads::FUNCTION) => {
                    let parameter = self.arena.fresh();
                    let result = self.arena.fresh();
                    let wanted = self.arena.function(parameter, result);
                    if let Err(mismatch) = self.arena.unify(root, wanted) {
                        let at = At::whole(*before);
                        self.mismatch(at, root, wanted, &Why::Nothing, *mismatch);
                    }
                    waiting.push((index, *argument, parameter));
                    function = result;
                }
                other => {
                    if matches!(other, Node::Poison) {
                        self.arguments(callee, count, &mut waiting);
                    } else {
                        self.not_a_function((*call, *before, *argument), root, index);
                        // How many there are is wrong, and so where each of them is.
                        for (_, argument, _) in waiting {
                            self.infer(argument);
                        }
                    }
                    for (_, _, argument) in &calls[index..] {
                        self.infer(*argument);
                    }
                    return POISON;
                }
            }
            self.note(*call, function);
        }
        if let Some(expected) = expected {
            self.foresee(function, expected);
        }
        self.arguments(callee, count, &mut waiting);
        function
    }

    /// Tells a call what its result must be, so that the functions and records that it
    /// gets are looked at with that in mind. What may be converted on the way out, as
    /// a string to a file, is left open.
    fn foresee(&mut self, result: Ty, expected: Ty) {
        let (root, node) = self.arena.resolve(result);
        match (node, self.arena.node(expected)) {
            (Node::List(a), Node::List(b)) | (Node::Map(a), Node::Map(b)) => self.foresee(a, b),
            (
                Node::Var(_),
                Node::Var(_)
                | Node::Poison
                | Node::Host(Host::File | Host::Owner | Host::Port | Host::Program | Host::Source),
            ) => {}
            (Node::Var(index), _) => {
                let var = self.arena.vars[index as usize];
                if var.heads == Heads::ANY && !var.equal {
                    // A variable that may be anything: this can fail only where the
                    // arguments will.
                    let _ = self.arena.unify(root, expected);
                }
            }
            _ => {}
        }
    }

    /// How many arguments a type takes.
    fn arity(&mut self, ty: Ty) -> usize {
        let mut count = 0;
        let mut at = ty;
        while let Node::Function(_, result) = self.arena.node(at) {
            count += 1;
            at = result;
            if count > 100 {
                break;
            }
        }
        count
    }

    fn arguments(&mut self, callee: ExprId, count: usize, waiting: &mut Vec<(usize, ExprId, Ty)>) {
        let arguments = std::mem::take(waiting);
        let (mut swapped, mut told) = (false, false);
        for functions in [false, true] {
            for (index, argument, parameter) in &arguments {
                if self.waits(*argument) == functions {
                    let wanted = self.arena.node(*parameter);
                    let is_lambda = matches!(self.expr(*argument), Expr::Lambda(_));
                    if told || swapped && is_lambda {
                        // It stands where the other should, or is as wrong as the other
                        // is: one mistake.
                        self.infer(*argument);
                        continue;
                    }
                    let why = Why::Argument {
                        callee,
                        name: self.callee_name(callee),
                        index: *index,
                        count,
                        // What a builtin takes of any type is what others say.
                        host: matches!(self.expr(callee), Expr::Builtin(_))
                            && self.arena.is_ground(*parameter),
                    };
                    self.check(*argument, *parameter, &why);
                    if self.is_wrong(*argument) {
                        swapped |= matches!(wanted, Node::Function(..));
                        told |= self.is_incomparable();
                    }
                }
            }
        }
    }

    /// Whether an argument is a function that says nothing of what it takes, so that
    /// the other arguments come first.
    fn waits(&self, argument: ExprId) -> bool {
        let Expr::Lambda(lambda) = self.expr(argument) else {
            return false;
        };
        match &lambda.parameter {
            Parameter::Any(_, annotation) => annotation.is_none(),
            Parameter::Fields(pattern) => {
                pattern.fields.iter().all(|field| field.default.is_none())
            }
        }
    }

    fn not_a_function(
        &mut self,
        (call, at, argument): (ExprId, ExprId, ExprId),
        ty: Ty,
        index: usize,
    ) {
        let message = format!("this is {}, not a function", self.words(ty));
        let mut problem = Problem::new(codes::NOT_A_FUNCTION, self.site(at), message);
        problem = self.with_origin(problem, at);
        if index > 0 {
            let count = if index == 1 {
                "one argument".to_owned()
            } else {
                format!("{index} arguments")
            };
            problem = problem.note(format!("the function takes {count}"));
        }
        problem =
            problem.help("a list has `,` between its items, and a record `;` after each field");
        problem = self.option_advice(problem, ty);
        problem = self.index_advice(problem, (call, at, argument), ty);
        self.report(problem);
    }

    /// What the function of a call is called.
    pub(super) fn callee_name(&self, callee: ExprId) -> Option<&'a str> {
        match self.expr(callee) {
            Expr::Builtin(builtin) => Some(super::builtin_types::name(*builtin)),
            Expr::Item(item) => match item.name(self.db) {
                ItemName::Let(name, _) | ItemName::Export(name) => Some(name),
                ItemName::Root => None,
            },
            Expr::Local(local) => Some(&self.body.locals[local.0 as usize]),
            Expr::Select(_, name) => Some(name),
            _ => None,
        }
    }

    /// Where the pattern stands that takes argument `index` of a call, if that is in
    /// the project.
    pub(super) fn definition(&self, callee: ExprId, index: usize) -> Option<Site> {
        let (item, mut at) = self.value_of(callee)?;
        let body = crate::queries::body(self.db, item).as_ref()?;
        for _ in 0..index {
            at = match body.expr(at) {
                Expr::Lambda(lambda) => lambda.body,
                _ => return None,
            };
        }
        match body.expr(at) {
            Expr::Lambda(_) => Some(Site::part(item, at, 0)),
            _ => None,
        }
    }

    /// The expression that a name stands for, if that is in the project.
    pub(super) fn value_of(&self, id: ExprId) -> Option<(Item, ExprId)> {
        let (item, at) = self.origin_of(id)?;
        let in_project = matches!(item.file(self.db).name(self.db), ModuleName::Project(_));
        (in_project && (item, at) != (self.item, id) || matches!(self.expr(id), Expr::Lambda(_)))
            .then_some((item, at))
    }

    /// The expression that a name stands for, in whatever module.
    pub(super) fn origin_of(&self, id: ExprId) -> Option<(Item, ExprId)> {
        /// Names of names are followed so far.
        const HOPS: usize = 8;
        let (mut item, mut at) = match self.expr(id) {
            Expr::Local(local) => (self.item, self.locals[local.0 as usize].value?),
            Expr::Select(record, name) => {
                let item = self.export_of(self.module_of(*record)?, name)?;
                let body = crate::queries::body(self.db, item).as_ref()?;
                (item, body.root)
            }
            _ => (self.item, id),
        };
        for _ in 0..HOPS {
            let body = crate::queries::body(self.db, item).as_ref()?;
            let Expr::Item(other) = body.expr(at) else {
                break;
            };
            item = *other;
            at = crate::queries::body(self.db, item).as_ref()?.root;
        }
        Some((item, at))
    }
}
