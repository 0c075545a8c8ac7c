//! A syntax tree to a module: names become frames and slots, paths become paths
//! from the project root, sugar goes away.
//!
//! Reports what is wrong with names and keys. It looks at one file: it reads no
//! other module, runs nothing, and leaves a [`ExprKind::Poison`] where the parser
//! or it has reported something.

use imgc_diag::{codes, did_you_mean};
use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{Parse, TextRange};

use crate::builtins::{Builtin, builtin_docs};
use crate::cycles;
use crate::hir::{
    BinaryOp, Expr, ExprId, ExprKind, Field, Import, Lambda, MAX_NAME, Module, ModuleName,
    Parameter, ParameterField, Part,
};
use crate::path;
use crate::problem::{MAX_PROBLEMS, Problem};
use crate::record::Fields;
use crate::span::Span;

/// A module, and what is wrong with its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lowered {
    /// The module.
    pub(crate) module: Module,
    /// What is wrong, in the order of the source.
    pub(crate) problems: Vec<Problem>,
}

/// Lowers the tree of module number `module`, whose name is `name`.
pub(crate) fn lower(parse: &Parse, module: u32, name: &ModuleName) -> Lowered {
    let file = parse.tree();
    let mut lowerer = Lowerer {
        module,
        name: name.clone(),
        is_whole: parse.errors().is_empty(),
        exprs: Vec::new(),
        imports: Vec::new(),
        problems: Vec::new(),
        room: [MAX_PROBLEMS; 2],
        scopes: Vec::new(),
    };
    let root = lowerer.expr_or_poison(file.expr(), file.range());
    lowerer.problems.sort_by_key(|problem| problem.span);
    Lowered {
        module: Module {
            exprs: lowerer.exprs,
            root,
            imports: lowerer.imports,
        },
        problems: lowerer.problems,
    }
}

/// The names of one frame.
struct Scope {
    names: Vec<(Arc<str>, Span)>,
    /// The slot of each name.
    slots: BTreeMap<Arc<str>, usize>,
    /// The binding that is being lowered, in a `let`.
    current: Option<usize>,
    /// For each binding of a `let`: the bindings that it names, and where.
    uses: Vec<Vec<(usize, Span)>>,
    /// Whether anything names the slot.
    used: Vec<bool>,
}

impl Scope {
    fn new(names: Vec<(Arc<str>, Span)>) -> Self {
        let slots = names.iter().enumerate();
        Self {
            slots: slots
                .map(|(slot, (name, _))| (name.clone(), slot))
                .collect(),
            uses: vec![Vec::new(); names.len()],
            used: vec![false; names.len()],
            names,
            current: None,
        }
    }
}

struct Lowerer {
    module: u32,
    name: ModuleName,
    /// Whether the parser found nothing wrong. What seems to be missing in a repaired
    /// tree is no mistake of its own.
    is_whole: bool,
    exprs: Vec<Expr>,
    imports: Vec<Import>,
    problems: Vec<Problem>,
    /// How many more warnings and mistakes are reported.
    room: [usize; 2],
    scopes: Vec<Scope>,
}

impl Lowerer {
    fn span(&self, range: TextRange) -> Span {
        Span {
            module: self.module,
            start: range.start().into(),
            end: range.end().into(),
        }
    }

    /// Notes a finding, unless there are very many already.
    fn report(&mut self, problem: Problem) {
        let room = &mut self.room[usize::from(problem.is_error())];
        if *room > 0 {
            *room -= 1;
            self.problems.push(problem);
        }
    }

    fn add(&mut self, range: TextRange, kind: ExprKind) -> ExprId {
        let id = ExprId(self.exprs.len() as u32);
        self.exprs.push(Expr {
            span: self.span(range),
            kind,
        });
        id
    }

    fn expr_or_poison(&mut self, expr: Option<ast::Expr>, range: TextRange) -> ExprId {
        match expr {
            Some(expr) => self.expr(&expr),
            None => self.add(range, ExprKind::Poison),
        }
    }

    // The depth of a tree is bounded by the parser, so this may be recursive.
    fn expr(&mut self, expr: &ast::Expr) -> ExprId {
        let range = expr.range();
        let kind = match expr {
            ast::Expr::Let(e) => self.let_in(e),
            ast::Expr::Lambda(e) => self.lambda(e),
            ast::Expr::If(e) => ExprKind::If {
                condition: self.expr_or_poison(e.condition(), range),
                then: self.expr_or_poison(e.then_branch(), range),
                otherwise: self.expr_or_poison(e.else_branch(), range),
            },
            ast::Expr::Binary(e) => self.binary(e),
            ast::Expr::Unary(e) => {
                let operand = self.expr_or_poison(e.operand(), range);
                match e.op() {
                    Some(ast::UnaryOp::Not) => ExprKind::Not(operand),
                    Some(ast::UnaryOp::Neg) => ExprKind::Negate(operand),
                    None => ExprKind::Poison,
                }
            }
            ast::Expr::Apply(e) => ExprKind::Apply(
                self.expr_or_poison(e.function(), range),
                self.expr_or_poison(e.argument(), range),
            ),
            ast::Expr::Select(e) => {
                let base = self.expr_or_poison(e.base(), range);
                match e.key().and_then(|key| self.key(&key)) {
                    Some((name, span)) => ExprKind::Select(base, name, span),
                    None => ExprKind::Poison,
                }
            }
            ast::Expr::Literal(e) => match e.value() {
                Some(ast::LiteralValue::Int(number)) => ExprKind::Int(number),
                Some(ast::LiteralValue::Bool(truth)) => ExprKind::Bool(truth),
                None => ExprKind::Poison,
            },
            ast::Expr::Str(e) => self.str(e),
            ast::Expr::Path(e) => self
                .path(e)
                .map_or(ExprKind::Poison, |path| ExprKind::Path(path.into())),
            ast::Expr::Import(e) => self.import(e),
            ast::Expr::List(e) => {
                let items = e.elements().map(|item| self.expr(&item)).collect();
                ExprKind::List(items)
            }
            ast::Expr::Record(e) => {
                let fields = self.record(e);
                Self::sorted(&mut self.exprs, fields)
            }
            ast::Expr::Paren(e) => {
                // The span of what is inside is the smaller one.
                return self.expr_or_poison(e.expr(), range);
            }
            ast::Expr::Ref(e) => self.variable(&e.text(), range),
            ast::Expr::Error(_) => ExprKind::Poison,
        };
        self.add(range, kind)
    }

    fn binary(&mut self, e: &ast::Binary) -> ExprKind {
        let range = e.range();
        let left = self.expr_or_poison(e.left(), range);
        let right = self.expr_or_poison(e.right(), range);
        let op = match e.op() {
            None => return ExprKind::Poison,
            Some(ast::BinaryOp::Pipe) => return ExprKind::Apply(right, left),
            Some(ast::BinaryOp::Or) => return ExprKind::Or(left, right),
            Some(ast::BinaryOp::And) => return ExprKind::And(left, right),
            Some(ast::BinaryOp::Eq) => BinaryOp::Equal,
            Some(ast::BinaryOp::NotEq) => BinaryOp::NotEqual,
            Some(ast::BinaryOp::Lt) => BinaryOp::Less,
            Some(ast::BinaryOp::LtEq) => BinaryOp::LessEqual,
            Some(ast::BinaryOp::Gt) => BinaryOp::Greater,
            Some(ast::BinaryOp::GtEq) => BinaryOp::GreaterEqual,
            Some(ast::BinaryOp::Update) => BinaryOp::Update,
            Some(ast::BinaryOp::Concat) => BinaryOp::Concat,
            Some(ast::BinaryOp::Add) => BinaryOp::Add,
            Some(ast::BinaryOp::Sub) => BinaryOp::Subtract,
            Some(ast::BinaryOp::Mul) => BinaryOp::Multiply,
        };
        ExprKind::Binary(op, left, right)
    }

    fn str(&mut self, e: &ast::Str) -> ExprKind {
        let mut parts = Vec::new();
        for part in e.parts() {
            parts.push(match part {
                ast::StrPart::Text { text, .. } => Part::Text(text.into()),
                ast::StrPart::Interpolation(inner) => {
                    Part::Expr(self.expr_or_poison(inner.expr(), inner.range()))
                }
            });
        }
        match parts.as_slice() {
            [] => ExprKind::Str("".into()),
            [Part::Text(text)] => ExprKind::Str(text.clone()),
            _ => ExprKind::Interpolation(parts),
        }
    }

    /// A path literal as a path from the project root.
    fn path(&mut self, e: &ast::Path) -> Option<String> {
        let (span, text) = (self.span(e.range()), e.text());
        let ModuleName::Project(file) = &self.name else {
            let message = "a module of imgc has no files of its own".to_owned();
            self.report(Problem::new(codes::PATH_OUTSIDE_PROJECT, span, message));
            return None;
        };
        let resolved = path::resolve(path::folder(file), &text);
        if resolved.is_none() {
            let message = format!("`{text}` leads out of the project");
            self.report(
                Problem::new(codes::PATH_OUTSIDE_PROJECT, span, message)
                    .note("an image is made from the files of its project only")
                    .help("move or copy the file into the project"),
            );
        }
        resolved
    }

    fn import(&mut self, e: &ast::Import) -> ExprKind {
        let (target, range) = match e.target() {
            Some(ast::ImportTarget::Std { module, range }) => {
                let name = module.strip_prefix("std/").unwrap_or(&module);
                (ModuleName::Std(name.into()), range)
            }
            Some(ast::ImportTarget::File(file)) => {
                let Some(path) = self.path(&file) else {
                    return ExprKind::Poison;
                };
                (ModuleName::Project(path.into()), file.range())
            }
            None => return ExprKind::Poison,
        };
        let span = self.span(range);
        self.imports.push(Import { span, target });
        ExprKind::Import((self.imports.len() - 1) as u32)
    }

    fn variable(&mut self, name: &str, range: TextRange) -> ExprKind {
        let span = self.span(range);
        for (up, scope) in self.scopes.iter_mut().rev().enumerate() {
            let Some(&slot) = scope.slots.get(name) else {
                continue;
            };
            scope.used[slot] = true;
            if let Some(current) = scope.current {
                scope.uses[current].push((slot, span));
            }
            return ExprKind::Local {
                up: up as u32,
                slot: slot as u32,
            };
        }
        if let Some(builtin) = Builtin::find(name) {
            return ExprKind::Builtin(builtin);
        }
        if self.room[1] == 0 {
            return ExprKind::Poison;
        }
        let bound = self.scopes.iter().rev().flat_map(|scope| &scope.names);
        let names = bound
            .map(|(name, _)| name.as_ref())
            .chain(builtin_docs().map(|doc| doc.name as &str));
        let similar = did_you_mean(name, names);
        let mut problem = Problem::new(
            codes::UNBOUND_NAME,
            span,
            format!("the name `{name}` is not bound here"),
        );
        if let Some(similar) = similar {
            problem = problem.did_you_mean(span, name, similar);
        }
        self.report(problem);
        ExprKind::Poison
    }

    fn let_in(&mut self, e: &ast::Let) -> ExprKind {
        let mut names: Vec<(Arc<str>, Span)> = Vec::new();
        let mut bound: BTreeMap<Arc<str>, Span> = BTreeMap::new();
        let mut values = Vec::new();
        // What is bound to no name. The names in it are used all the same.
        let mut nameless = Vec::new();
        let mut spoilt = Vec::new();
        for binding in e.bindings() {
            let keys = binding.keys();
            let Some(first) = keys.first() else { continue };
            let Some((name, span)) = self.key(first) else {
                nameless.push(binding.value());
                continue;
            };
            let twice = bound.get(&name).copied();
            if keys.len() > 1 || matches!(first, ast::Key::Str(_)) {
                let at = self.span(
                    binding
                        .key_path()
                        .map_or(first.range(), |path| path.range()),
                );
                let problem = Problem::new(
                    codes::LET_PATH,
                    at,
                    "`let` binds plain names, without `.` and quotes".to_owned(),
                );
                self.report(problem.help(format!("write `{name} = {{ … }};`")));
                nameless.push(binding.value());
                if twice.is_none() {
                    // Nothing more is said about the name.
                    spoilt.push(names.len());
                    bound.insert(name.clone(), span);
                    names.push((name, span));
                    values.push((None, binding.range()));
                }
                continue;
            }
            if let Some(earlier) = twice {
                let message = format!("`{name}` is bound twice in this `let`");
                let problem = Problem::new(codes::DUPLICATE_NAME, span, message)
                    .label(earlier, "it is bound here first");
                self.report(problem);
                nameless.push(binding.value());
                continue;
            }
            if binding.is_shorthand() && self.is_whole {
                let message = format!("`{name}` has no value in this `let`");
                let problem = Problem::new(codes::MISSING_EQUALS, span, message);
                self.report(problem.help(format!("write `{name} = …;`")));
            }
            bound.insert(name.clone(), span);
            names.push((name, span));
            values.push((binding.value(), binding.range()));
        }
        let mut scope = Scope::new(names);
        for slot in spoilt {
            scope.used[slot] = true;
        }
        self.scopes.push(scope);
        let mut bindings = Vec::new();
        for (index, (value, range)) in values.into_iter().enumerate() {
            self.innermost().current = Some(index);
            bindings.push(self.expr_or_poison(value, range));
        }
        self.innermost().current = None;
        for value in nameless.into_iter().flatten() {
            self.expr(&value);
        }
        self.report_cycles(&bindings);
        let body = self.expr_or_poison(e.body(), e.range());
        if let Some(scope) = self.scopes.pop() {
            self.report_unused(&scope);
        }
        ExprKind::Let { bindings, body }
    }

    fn report_unused(&mut self, scope: &Scope) {
        if !self.is_whole {
            return;
        }
        for ((name, span), used) in scope.names.iter().zip(&scope.used) {
            if !used && !name.starts_with('_') {
                let message = format!("nothing uses `{name}`");
                self.report(
                    Problem::warning(codes::UNUSED_BINDING, *span, message)
                        .help("remove it, or let its name begin with `_`"),
                );
            }
        }
    }

    fn innermost(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("a scope was pushed")
    }

    /// Reports every loop among the bindings of the innermost scope, and makes
    /// the bindings in it fail silently.
    fn report_cycles(&mut self, bindings: &[ExprId]) {
        let scope = self.scopes.last().expect("a scope was pushed");
        let edges: Vec<Vec<usize>> = scope
            .uses
            .iter()
            .map(|uses| uses.iter().map(|(target, _)| *target).collect())
            .collect();
        let mut problems = Vec::new();
        let found = cycles::find(&edges);
        for nodes in &found.loops {
            let steps: Vec<(usize, usize)> = (0..nodes.len())
                .map(|at| (nodes[at], nodes[(at + 1) % nodes.len()]))
                .collect();
            let place = |(from, to): (usize, usize)| {
                let found = scope.uses[from].iter().find(|(target, _)| *target == to);
                found.map_or(scope.names[from].1, |(_, span)| *span)
            };
            let name = |node: usize| &scope.names[node].0;
            let mut problem = if let [node] = nodes.as_slice() {
                let message = format!("`{}` is defined by itself", name(*node));
                Problem::new(codes::BINDING_CYCLE, place(steps[0]), message)
            } else {
                let way = cycles::way(nodes.iter().map(|&node| name(node).to_string()));
                let message = format!("bindings are defined by each other: {way}");
                Problem::new(codes::BINDING_CYCLE, place(steps[0]), message)
            };
            for &step in steps.iter().skip(1).take(8) {
                let text = format!("`{}` uses `{}` here", name(step.0), name(step.1));
                problem = problem.label(place(step), text);
            }
            problems
                .push(problem.note("no binding may need itself, a function neither: lists are worked on with `map`, `filter` and `fold`"));
        }
        for problem in problems {
            self.report(problem);
        }
        for node in found.loops.into_iter().flatten().chain(found.others) {
            self.exprs[bindings[node].0 as usize].kind = ExprKind::Poison;
        }
    }

    fn lambda(&mut self, e: &ast::Lambda) -> ExprKind {
        let mut names = Vec::new();
        let parameter = match e.pattern() {
            None => return ExprKind::Poison,
            Some(ast::Pattern::Name(pattern)) => {
                if let Some(name) = pattern.name() {
                    names.push((name.text().into(), self.span(name.range())));
                }
                Parameter::Any
            }
            Some(ast::Pattern::Record(pattern)) => {
                let fields = self.pattern_fields(&pattern);
                names.extend(fields.iter().map(|field| (field.name.clone(), field.span)));
                Parameter::Fields {
                    fields,
                    open: pattern.has_rest(),
                    span: self.span(pattern.range()),
                }
            }
        };
        self.scopes.push(Scope::new(names));
        let body = self.expr_or_poison(e.body(), e.range());
        self.scopes.pop();
        ExprKind::Lambda(Arc::new(Lambda { parameter, body }))
    }

    /// The fields of a pattern. Defaults are lowered outside of the function.
    fn pattern_fields(&mut self, pattern: &ast::RecordPattern) -> Vec<ParameterField> {
        let mut fields: Vec<ParameterField> = Vec::new();
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        for field in pattern.fields() {
            let Some(name) = field.name() else { continue };
            let (text, span) = (name.text(), self.span(name.range()));
            let default = field.default().map(|default| self.expr(&default));
            if let Some(&earlier) = seen.get(&text) {
                let message = format!("the field `{text}` is twice in this pattern");
                let problem = Problem::new(codes::DUPLICATE_NAME, span, message)
                    .label(earlier, "it is here first");
                self.report(problem);
                continue;
            }
            seen.insert(text.clone(), span);
            fields.push(ParameterField {
                name: text.into(),
                span,
                default,
            });
        }
        fields
    }

    /// The name that a key is, and where it is written.
    fn key(&mut self, key: &ast::Key) -> Option<(Arc<str>, Span)> {
        let span = self.span(key.range());
        if let Some(text) = key.text() {
            if text.len() <= MAX_NAME {
                return Some((text.into(), span));
            }
            let message = format!("the name of a field has at most {MAX_NAME} bytes");
            self.report(Problem::new(codes::BUDGET_EXCEEDED, span, message));
            return None;
        }
        // The names in it are used all the same.
        self.uses_in(key);
        self.report(
            Problem::new(
                codes::DYNAMIC_KEY,
                span,
                "the name of a field is fixed: it has no `${}`".to_owned(),
            )
            .help("`toRecord [{ name = …; value = …; }]` makes a record with computed names, and `get` reads one"),
        );
        None
    }

    fn uses_in(&mut self, key: &ast::Key) {
        if let ast::Key::Str(string) = key {
            self.str(string);
        }
    }

    fn record(&mut self, e: &ast::Record) -> Fields {
        let mut fields = Fields::default();
        for binding in e.bindings() {
            let range = binding.range();
            let keys: Vec<_> = binding.keys().iter().map(|key| self.key(key)).collect();
            // A key that is no name has been reported.
            let keys: Option<Vec<_>> = keys.into_iter().collect();
            let value = match binding.value() {
                Some(value) => self.expr(&value),
                None => match keys.as_deref() {
                    Some([(name, _)]) => {
                        let name = name.clone();
                        let kind = self.variable(&name, range);
                        self.add(range, kind)
                    }
                    _ => self.add(range, ExprKind::Poison),
                },
            };
            let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
                continue;
            };
            if let Err(problem) = fields.insert(&keys, value) {
                self.report(*problem);
            }
        }
        fields
    }

    /// The record of these fields. Nested ones are at the place of their key.
    fn sorted(exprs: &mut Vec<Expr>, fields: Fields) -> ExprKind {
        let mut list = Vec::new();
        for (name, span, entry) in fields.into_sorted() {
            let value = match entry {
                Ok(expr) => expr,
                Err(nested) => {
                    let kind = Self::sorted(exprs, nested);
                    exprs.push(Expr { span, kind });
                    ExprId((exprs.len() - 1) as u32)
                }
            };
            list.push(Field { name, span, value });
        }
        ExprKind::Record(list)
    }
}
