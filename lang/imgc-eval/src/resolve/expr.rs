//! Expressions: names become variables, bindings or builtins, paths become paths from
//! the project root, sugar goes away.

use std::sync::Arc;

use imgc_diag::{codes, did_you_mean};
use imgc_syntax::TextRange;
use imgc_syntax::ast::{self, AstNode as _};

use crate::builtins::{Builtin, builtin_docs};
use crate::ir::{BinaryOp, Expr, ExprId, Field, MAX_NAME, ModuleName, Part};
use crate::path;
use crate::problem::Problem;

use super::Lowerer;
use super::fields::{Content, Fields, MAX_KEYS, Place, Written};
use super::record::Meaning;
use super::scope::Bound;

impl Lowerer<'_> {
    pub(super) fn expr_or_poison(
        &mut self,
        expr: Option<ast::Expr<'_>>,
        range: TextRange,
    ) -> ExprId {
        match expr {
            Some(expr) => self.expr(&expr),
            None => self.body.add(range, Expr::Poison),
        }
    }

    // The depth of a tree is bounded by the parser, so this may be recursive.
    pub(super) fn expr(&mut self, expr: &ast::Expr<'_>) -> ExprId {
        let range = expr.range();
        let lowered = match expr {
            ast::Expr::Let(e) => return self.let_in(e),
            ast::Expr::Lambda(e) => return self.lambda(e),
            ast::Expr::Match(e) => return self.match_on(e),
            ast::Expr::Binary(e) => return self.binary(e),
            ast::Expr::Tag(e) => return self.tag(e),
            ast::Expr::Select(e) => return self.select(e),
            // The span of what is inside is the smaller one.
            ast::Expr::Paren(e) => return self.expr_or_poison(e.expr(), range),
            ast::Expr::Record(e) => {
                let (fields, nameless) = self.fields(e);
                self.nameless(nameless);
                return self.record_of(fields, range);
            }
            ast::Expr::Ref(e) => return self.variable(e.text(), range),
            ast::Expr::If(e) => Expr::If {
                condition: self.expr_or_poison(e.condition(), range),
                then: self.expr_or_poison(e.then_branch(), range),
                otherwise: self.expr_or_poison(e.else_branch(), range),
            },
            ast::Expr::Assert(e) => Expr::Assert {
                condition: self.expr_or_poison(e.condition(), range),
                message: self.expr_or_poison(e.message(), range),
                body: self.expr_or_poison(e.body(), range),
            },
            ast::Expr::Ascribe(e) => {
                let inner = self.expr_or_poison(e.expr(), range);
                match e.ty() {
                    Some(ty) => Expr::Ascribe(inner, self.annotation(&ty)),
                    None => return inner,
                }
            }
            ast::Expr::Unary(e) => {
                let operand = self.expr_or_poison(e.operand(), range);
                match e.op() {
                    Some(ast::UnaryOp::Not) => Expr::Not(operand),
                    Some(ast::UnaryOp::Neg) => Expr::Negate(operand),
                    None => Expr::Poison,
                }
            }
            ast::Expr::Apply(e) => Expr::Apply(
                self.expr_or_poison(e.function(), range),
                self.expr_or_poison(e.argument(), range),
            ),
            ast::Expr::Literal(e) => match e.value() {
                Some(ast::LiteralValue::Int(number)) => {
                    let id = self.body.add(range, Expr::Int(number));
                    if e.is_octal() {
                        self.body.octal(id);
                    }
                    return id;
                }
                Some(ast::LiteralValue::Bool(truth)) => Expr::Bool(truth),
                None => Expr::Poison,
            },
            ast::Expr::Str(e) => self.str(e),
            ast::Expr::Path(e) => match self.path(e) {
                Some(path) => Expr::Path(path.into()),
                None => Expr::Poison,
            },
            ast::Expr::Import(e) => self.import(e),
            ast::Expr::List(e) => Expr::List(e.elements().map(|item| self.expr(&item)).collect()),
            ast::Expr::Error(_) => Expr::Poison,
        };
        self.body.add(range, lowered)
    }

    fn binary(&mut self, e: &ast::Binary<'_>) -> ExprId {
        let range = e.range();
        let left = self.expr_or_poison(e.left(), range);
        let right = self.expr_or_poison(e.right(), range);
        let op = match e.op() {
            None => return self.body.add(range, Expr::Poison),
            Some(ast::BinaryOp::Pipe) => return self.body.add(range, Expr::Apply(right, left)),
            Some(ast::BinaryOp::Or) => return self.body.add(range, Expr::Or(left, right)),
            Some(ast::BinaryOp::And) => return self.body.add(range, Expr::And(left, right)),
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
        let id = self.body.add(range, Expr::Binary(op, left, right));
        if let Some(token) = e.op_token() {
            self.body.part(id, 0, token.text_range());
        }
        id
    }

    fn tag(&mut self, e: &ast::Tag<'_>) -> ExprId {
        let payload = e.payload().map(|payload| self.expr(&payload));
        let place = e.name().map(|name| name.range());
        let Some(name) = e.name().and_then(|name| self.tag_name(&name)) else {
            return self.body.add(e.range(), Expr::Poison);
        };
        // A parameter that begins with a capital has been reported.
        if self.scopes.iter().any(|scope| scope.find(&name).is_some()) {
            return self.body.add(e.range(), Expr::Poison);
        }
        let id = self.body.add(e.range(), Expr::Tag(name, payload));
        if let Some(place) = place {
            self.body.part(id, 0, place);
        }
        id
    }

    fn select(&mut self, e: &ast::Select<'_>) -> ExprId {
        let base = self.expr_or_poison(e.base(), e.range());
        let Some((name, range)) = e.key().and_then(|key| self.key(&key)) else {
            return self.body.add(e.range(), Expr::Poison);
        };
        let id = self.body.add(e.range(), Expr::Select(base, name));
        self.body.part(id, 0, range);
        id
    }

    fn str(&mut self, e: &ast::Str<'_>) -> Expr {
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
            [] => Expr::Str("".into()),
            [Part::Text(text)] => Expr::Str(text.clone()),
            _ => Expr::Interpolation(parts),
        }
    }

    /// A path literal as a path from the project root.
    fn path(&mut self, e: &ast::Path<'_>) -> Option<String> {
        let (range, text) = (e.range(), e.text());
        let folder = match self.folder() {
            Ok(folder) => folder,
            Err(why) => {
                self.report(Problem::new(codes::PATH_OUTSIDE_PROJECT, range, why));
                return None;
            }
        };
        let resolved = path::resolve(folder, text);
        if resolved.is_none() {
            let message = format!("`{text}` leads out of the project");
            self.report(
                Problem::new(codes::PATH_OUTSIDE_PROJECT, range, message)
                    .note("an image is made from the files of its project only")
                    .help("move or copy the file into the project"),
            );
        }
        resolved
    }

    fn import(&mut self, e: &ast::Import<'_>) -> Expr {
        let (target, range) = match e.target() {
            Some(ast::ImportTarget::Std { module, range }) => {
                let name = module.strip_prefix("std/").unwrap_or(module);
                (ModuleName::Std(name.into()), range)
            }
            Some(ast::ImportTarget::File(file)) => {
                let Some(path) = self.path(&file) else {
                    return Expr::Poison;
                };
                (ModuleName::Project(path.into()), file.range())
            }
            Some(ast::ImportTarget::Remote { address, range }) => {
                // The parser has reported other addresses.
                let schemes = [
                    "https://",
                    "oci://",
                    "http://localhost",
                    "http://127.",
                    "http://[::1]",
                ];
                if !schemes.iter().any(|scheme| address.starts_with(scheme)) {
                    return Expr::Poison;
                }
                (ModuleName::Remote(address.into()), range)
            }
            None => return Expr::Poison,
        };
        let module = self.owner().0.file(&target);
        self.lowered.imports.push((target, range));
        if self.circular {
            return Expr::Poison;
        }
        Expr::Import(module)
    }

    /// The use of a name.
    pub(super) fn variable(&mut self, name: &str, range: TextRange) -> ExprId {
        let mut scopes = self.scopes.iter_mut().rev();
        let found = match scopes.find_map(|scope| scope.look_up(name, range)) {
            Some(slot) => {
                let meaning = Meaning::Bound(slot.range);
                let found = match slot.bound {
                    Bound::Local(local) => Expr::Local(local),
                    Bound::Item(item) => {
                        if std::mem::replace(&mut slot.mentioned_in, self.bodies) != self.bodies {
                            self.body.mention(item);
                        }
                        Expr::Item(item)
                    }
                };
                self.note_use(range, meaning);
                found
            }
            None => match Builtin::find(name) {
                Some(builtin) => {
                    self.note_use(range, Meaning::Builtin(builtin));
                    Expr::Builtin(builtin)
                }
                None => {
                    self.unbound(name, range);
                    Expr::Poison
                }
            },
        };
        self.body.add(range, found)
    }

    fn unbound(&mut self, name: &str, range: TextRange) {
        if self.room[1] == 0 {
            return;
        }
        let bound = self.scopes.iter().rev().flat_map(|scope| &scope.slots);
        let names = bound
            .map(|slot| &*slot.name)
            .chain(builtin_docs().map(|doc| doc.name));
        let similar = did_you_mean(name, names).map(str::to_owned);
        let message = format!("the name `{name}` is not bound here");
        let mut problem = Problem::new(codes::UNBOUND_NAME, range, message);
        let default = self
            .defaults
            .iter()
            .rev()
            .find(|default| default.1.contains(name));
        if let Some((field, _)) = default {
            let help = format!(
                "a default does not see the other parameters: write `{field} ? None`, and in the \
                 function `withDefault … {field}`"
            );
            problem = problem.help(help);
        } else if let Some(help) = habit(name) {
            problem = problem.help(help);
        } else if let Some(similar) = similar {
            problem = problem.did_you_mean(range, name, &similar);
            // It is not said too that nothing uses what was meant.
            for scope in &mut self.scopes {
                scope.mark(&similar);
            }
        }
        self.report(problem);
    }

    /// The name that a key is, and where it is written.
    pub(super) fn key(&mut self, key: &ast::Key<'_>) -> Option<(Arc<str>, TextRange)> {
        let range = key.range();
        if let Some(text) = key.text() {
            return Some((self.bounded(&text, range)?, range));
        }
        // The names in it are used all the same.
        if let ast::Key::Str(string) = key {
            self.str(string);
        }
        self.report(
            Problem::new(
                codes::DYNAMIC_KEY,
                range,
                "the name of a field is fixed: it has no `${}`",
            )
            .help(
                "`toMap [{ name = …; value = …; }]` makes a map with computed names, and `get` \
                 reads one",
            ),
        );
        None
    }

    /// The tag that a name is.
    pub(super) fn tag_name(&mut self, name: &ast::Name<'_>) -> Option<Arc<str>> {
        self.bounded(name.text(), name.range())
    }

    fn bounded(&mut self, name: &str, range: TextRange) -> Option<Arc<str>> {
        if name.len() <= MAX_NAME {
            return Some(name.into());
        }
        let message = format!("the name of a field has at most {MAX_NAME} bytes");
        self.report(Problem::new(codes::BUDGET_EXCEEDED, range, message));
        None
    }

    /// The fields of a record, and what stands under no name of its own.
    pub(super) fn fields<'t>(&mut self, e: &ast::Record<'t>) -> (Fields<'t>, Vec<Written<'t>>) {
        let mut fields = Fields::default();
        let mut nameless = Vec::new();
        for binding in e.bindings() {
            let written = Written::new(&binding);
            let keys: Vec<_> = binding.keys().iter().map(|key| self.key(key)).collect();
            // A key that is no name has been reported.
            let keys: Option<Vec<_>> = keys.into_iter().collect();
            let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
                nameless.push(written);
                continue;
            };
            if written.value.is_none() && keys.len() > 1 {
                // The parser has reported it.
                continue;
            }
            if let Err(problem) = fields.insert(&keys, &written) {
                self.report(*problem);
                nameless.push(written);
            }
        }
        (fields, nameless)
    }

    /// The record of these fields. Nested ones are at the place of their key.
    pub(super) fn record_of(&mut self, fields: Fields<'_>, range: TextRange) -> ExprId {
        let mut list = Vec::new();
        let mut places = Vec::new();
        for (name, Place { range, content, .. }) in fields.0 {
            let (annotation, value) = match content {
                Content::Value(written) => {
                    let annotation = written.annotation.as_ref().map(|ty| self.annotation(ty));
                    (annotation, self.written(&name, &written))
                }
                Content::Nested(fields) => (None, self.nested(fields, range)),
            };
            places.push(range);
            list.push(Field {
                name,
                annotation,
                value,
            });
        }
        let id = self.body.add(range, Expr::Record(list));
        for (part, range) in places.into_iter().enumerate() {
            self.body.part(id, part, range);
        }
        id
    }

    /// A record behind a key, unless very many stand in each other: the parser does not
    /// count them as nesting.
    fn nested(&mut self, fields: Fields<'_>, range: TextRange) -> ExprId {
        if self.nested >= 2 * MAX_KEYS {
            let message = "records stand too deep in each other here";
            self.report(Problem::new(codes::TOO_DEEP, range, message));
            return self.body.add(range, Expr::Poison);
        }
        self.nested += 1;
        let id = self.record_of(fields, range);
        self.nested -= 1;
        id
    }
}

/// What to write in the place of a word that other languages have.
fn habit(name: &str) -> Option<&'static str> {
    Some(match name {
        "null" | "nil" | "undefined" | "none" => {
            "there is no such value: leave the field out, or write `None`, and `Some x` for a value"
        }
        "not" => "write `!` for \"not\"",
        "and" => "write `&&` for \"and\"",
        "or" => "write `||` for \"or\"",
        "inherit" => "a field that is named as its value is written `name;`",
        "elif" | "elsif" => "write `else if`",
        "debian" => "write `let debian = import std/debian; in …`",
        "mkIf" | "optional" | "optionals" => "write `if … then … else …`",
        _ => return None,
    })
}
