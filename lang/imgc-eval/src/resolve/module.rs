//! A file's top-level bindings: those of the `let`s at its head, and the fields of the
//! record that it ends in.

use std::sync::Arc;

use imgc_syntax::TextRange;
use imgc_syntax::ast::{self, AstNode as _};

use crate::ir::{Expr, ExprId, ItemName, TypeExpr};
use crate::queries::Item;

use super::fields::{Content, Place};
use super::scope::Bound;
use super::{Binding, Lowerer};

impl Lowerer<'_> {
    /// Lowers everything.
    pub(super) fn file(&mut self, file: &ast::File<'_>) {
        let mut rest = file.expr();
        let mut range = file.range();
        loop {
            rest = match rest {
                Some(ast::Expr::Paren(e)) => e.expr(),
                Some(ast::Expr::Let(e)) => {
                    range = e.range();
                    self.outer_let(&e);
                    e.body()
                }
                rest => break self.ending(rest.as_ref(), range, file.range()),
            };
        }
        while !self.scopes.is_empty() {
            self.close();
        }
    }

    fn ending(&mut self, ending: Option<&ast::Expr<'_>>, range: TextRange, file: TextRange) {
        if let Some(ast::Expr::Record(record)) = ending {
            return self.exports(record);
        }
        let range = ending.map_or(range, |expr| expr.range());
        self.begin();
        let root = self.expr_or_poison(ending.cloned(), range);
        // What follows was meant to be part of it.
        let whole = range.cover_offset(file.end());
        let item = (self.item_of(&ItemName::Root), ItemName::Root);
        self.item(item, (range, whole), None, (root, None));
    }

    fn exports(&mut self, record: &ast::Record<'_>) {
        let (fields, nameless) = self.fields(record);
        let mut names = Vec::new();
        for (name, place) in fields.0 {
            let Place {
                range,
                content,
                whole,
            } = place;
            let item = ItemName::Export(name.clone());
            let item = (self.item_of(&item), item);
            names.push(name.clone());
            self.begin();
            let (doc, body) = match content {
                Content::Value(written) => {
                    let annotation = written.annotation.as_ref().map(|ty| self.annotation(ty));
                    let value = self.written(&name, &written);
                    (written.doc, (value, annotation))
                }
                Content::Nested(fields) => (None, (self.record_of(fields, range), None)),
            };
            self.item(item, (range, whole), doc, body);
        }
        self.nameless(nameless);
        self.lowered.items.exports = Some(names);
    }

    fn outer_let(&mut self, e: &ast::Let<'_>) {
        let bindings = self.bindings(e);
        let mut items = Vec::new();
        self.open(e, &bindings, |lowerer, name| {
            let outer = lowerer.scopes.iter();
            let number = outer.filter(|scope| scope.find(name).is_some()).count();
            let name = ItemName::Let(name.clone(), number as u32);
            let item = lowerer.item_of(&name);
            items.push((item, name));
            Bound::Item(item)
        });
        let first = self.lowered.bindings.len();
        for (at, (named, item)) in bindings
            .named
            .into_iter()
            .zip(items.iter().cloned())
            .enumerate()
        {
            self.scope().current = Some(at);
            self.begin();
            let (doc, body) = match named.written {
                Some(written) => {
                    let annotation = written.annotation.as_ref().map(|ty| self.annotation(ty));
                    let value = self.written(&named.name, &written);
                    (written.doc, (value, annotation))
                }
                None => (None, (self.body.add(named.range, Expr::Poison), None)),
            };
            self.item(item, (named.range, named.whole), doc, body);
        }
        self.scope().current = None;
        self.nameless(bindings.nameless);
        self.body = super::BodyBuilder::default();
        let (problems, cut) = self.scope().cut_loops();
        for problem in problems {
            self.report(problem);
        }
        for at in cut {
            let range = self.scope().slots[at].range;
            self.begin();
            let root = self.body.add(range, Expr::Poison);
            // It stands where those of this `let` begin, in their order.
            let doc = self.lowered.bindings.remove(first + at).doc;
            self.item(items[at].clone(), (range, range), doc, (root, None));
            if let Some(binding) = self.lowered.bindings.pop() {
                self.lowered.bindings.insert(first + at, binding);
            }
        }
    }

    /// Begins with the body of a binding.
    fn begin(&mut self) {
        self.item_problems = self.lowered.problems.len();
        self.bodies += 1;
    }

    /// Notes the binding whose body has been lowered: where its name stands, and the whole
    /// of it.
    fn item(
        &mut self,
        (item, item_name): (Item, ItemName),
        (name, whole): (TextRange, TextRange),
        doc: Option<String>,
        (root, annotation): (ExprId, Option<TypeExpr>),
    ) {
        let damaged = self.is_damaged(whole);
        if damaged {
            self.lowered.problems.truncate(self.item_problems);
        }
        let (body, spans) = self.body.finish(root, annotation, damaged);
        self.lowered.bindings.push(Binding {
            item,
            name: item_name,
            body: Arc::new(body),
            spans,
            place: name,
            doc,
        });
    }
}
