//! The bindings of a `let`: what they bind, and inner `let`s in order of dependency.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_syntax::TextRange;
use imgc_syntax::ast::{self, AstNode as _};

use crate::ir::{Expr, ExprId, LetBinding};
use crate::problem::Problem;

use super::Lowerer;
use super::fields::Written;
use super::scope::{Bound, Scope};

/// A binding of a `let`.
#[derive(Debug)]
pub(super) struct Named<'t> {
    /// The name.
    pub(super) name: Arc<str>,
    /// Where it stands.
    pub(super) range: TextRange,
    /// What it is bound to. `None`: what is wrong has been reported.
    pub(super) written: Option<Written<'t>>,
    /// Where the whole binding stands.
    pub(super) whole: TextRange,
}

/// The bindings of a `let`.
#[derive(Debug, Default)]
pub(super) struct Bindings<'t> {
    /// The bindings, sorted by name, each name once.
    pub(super) named: Vec<Named<'t>>,
    /// What is bound to no name of its own. The names in it are used all the same.
    pub(super) nameless: Vec<Written<'t>>,
}

impl Lowerer<'_> {
    /// The bindings of a `let`. Reports what is wrong with their names.
    pub(super) fn bindings<'t>(&mut self, e: &ast::Let<'t>) -> Bindings<'t> {
        let mut found = Bindings::default();
        let mut seen: BTreeMap<Arc<str>, TextRange> = BTreeMap::new();
        for binding in e.bindings() {
            let written = Written::new(&binding);
            let whole = written.whole;
            let keys = binding.keys();
            let Some(first) = keys.first() else { continue };
            let Some((name, range)) = self.key(first) else {
                found.nameless.push(written);
                continue;
            };
            let twice = seen.get(&name).copied();
            if keys.len() > 1 || matches!(first, ast::Key::Str(_)) {
                let path = binding.key_path();
                let at = path.map_or(first.range(), |path| path.range());
                let problem = Problem::new(
                    codes::LET_PATH,
                    at,
                    "`let` binds plain names, without `.` and quotes",
                );
                self.report(problem.help(format!("write `{name} = {{ … }};`")));
                found.nameless.push(written);
                if twice.is_none() {
                    // Nothing more is said about the name.
                    seen.insert(name.clone(), range);
                    found.named.push(Named {
                        name,
                        range,
                        written: None,
                        whole,
                    });
                }
                continue;
            }
            if let Some(earlier) = twice {
                let message = format!("`{name}` is bound twice in this `let`");
                let problem = Problem::new(codes::DUPLICATE_NAME, range, message);
                self.report(problem.label(earlier, "it is bound here first"));
                found.nameless.push(written);
                continue;
            }
            let written = if binding.is_shorthand() {
                if self.is_whole {
                    let message = format!("`{name}` has no value in this `let`");
                    let problem = Problem::new(codes::MISSING_EQUALS, range, message);
                    self.report(problem.help(format!("write `{name} = …;`")));
                }
                None
            } else {
                Some(written)
            };
            seen.insert(name.clone(), range);
            found.named.push(Named {
                name,
                range,
                written,
                whole,
            });
        }
        found.named.sort_by(|a, b| a.name.cmp(&b.name));
        found
    }

    /// Opens the scope of a `let`.
    pub(super) fn open(
        &mut self,
        e: &ast::Let<'_>,
        bindings: &Bindings<'_>,
        mut bound: impl FnMut(&mut Self, &Arc<str>) -> Bound,
    ) {
        let mut scope = Scope::default();
        for named in &bindings.named {
            let bound = bound(self, &named.name);
            scope.bind(named.name.clone(), named.range, bound);
        }
        // What was reported is not reported as unused too.
        for (slot, named) in scope.slots.iter_mut().zip(&bindings.named) {
            slot.used = named.written.is_none();
        }
        self.scopes.push(scope);
        self.declare_types(e);
        self.note_scope(Some(e.range()));
    }

    /// Closes the innermost scope, and reports what nothing uses.
    pub(super) fn close(&mut self) -> Scope {
        let scope = self.scopes.pop().expect("a scope was opened");
        if self.is_whole {
            for slot in scope.slots.iter().filter(|slot| !slot.used) {
                if !slot.name.starts_with('_') {
                    let message = format!("nothing uses `{}`", slot.name);
                    let problem = Problem::warning(codes::UNUSED_BINDING, slot.range, message);
                    self.report(problem.help("remove it, or let its name begin with `_`"));
                }
            }
            for (name, declared) in &scope.types {
                if !declared.used {
                    let message = format!("nothing uses the type `{name}`");
                    let problem = Problem::warning(codes::UNUSED_BINDING, declared.range, message);
                    self.report(problem.help("remove it"));
                }
            }
        }
        scope
    }

    /// The innermost scope.
    pub(super) fn scope(&mut self) -> &mut Scope {
        self.scopes.last_mut().expect("a scope was opened")
    }

    /// Lowers what a name is set to, without its annotation.
    pub(super) fn written(&mut self, name: &Arc<str>, written: &Written<'_>) -> ExprId {
        match &written.value {
            Some(value) => self.expr(value),
            None => self.variable(name, written.range),
        }
    }

    /// Lowers what nobody can name, for the names that it uses.
    pub(super) fn nameless(&mut self, written: Vec<Written<'_>>) {
        for value in written.iter().filter_map(|written| written.value.as_ref()) {
            self.expr(value);
        }
    }

    /// An inner `let`.
    pub(super) fn let_in(&mut self, e: &ast::Let<'_>) -> ExprId {
        let bindings = self.bindings(e);
        self.open(e, &bindings, |lowerer, name| {
            Bound::Local(lowerer.body.local(name.clone()))
        });
        let mut values = Vec::new();
        for (at, named) in bindings.named.iter().enumerate() {
            self.scope().current = Some(at);
            values.push(match &named.written {
                Some(written) => {
                    let annotation = written.annotation.as_ref().map(|ty| self.annotation(ty));
                    (annotation, self.written(&named.name, written))
                }
                None => (None, self.body.add(named.range, Expr::Poison)),
            });
        }
        self.scope().current = None;
        self.nameless(bindings.nameless);
        let (problems, cut) = self.scope().cut_loops();
        for problem in problems {
            self.report(problem);
        }
        for at in cut {
            self.body.poison(values[at].1);
        }
        let body = self.expr_or_poison(e.body(), e.range());
        let scope = self.close();
        let (order, needed) = scope.order();
        let mut places = Vec::new();
        let mut bindings = Vec::new();
        for at in order {
            let slot = &scope.slots[at];
            let Bound::Local(local) = slot.bound else {
                continue;
            };
            places.push(slot.range);
            let (annotation, value) = (values[at].0.take(), values[at].1);
            bindings.push(LetBinding {
                local,
                annotation,
                value,
            });
        }
        let expr = Expr::Let {
            bindings,
            needed,
            body,
        };
        let id = self.body.add(e.range(), expr);
        for (part, range) in places.into_iter().enumerate() {
            self.body.part(id, part, range);
        }
        id
    }
}
