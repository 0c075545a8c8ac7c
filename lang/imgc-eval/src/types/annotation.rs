//! Types as they are written, to types.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;

use crate::ir::{ExprId, Rest, TypeExpr};
use crate::problem::Problem;

use super::hosts::Host;
use super::infer::Infer;
use super::ty::{Arena, Field, Heads, MAX_DEPTH, NOTHING, Node, POISON, Ty};

/// The variables that a written type names.
pub(super) type Names = BTreeMap<Arc<str>, Ty>;

impl Arena {
    /// The type that is written. `names` are its variables, which may be known already.
    pub(super) fn written(&mut self, written: &TypeExpr, names: &mut Names) -> Ty {
        self.written_in(written, names, 0)
    }

    fn written_in(&mut self, written: &TypeExpr, names: &mut Names, depth: u32) -> Ty {
        if depth > MAX_DEPTH {
            return POISON;
        }
        match written {
            TypeExpr::Poison => POISON,
            TypeExpr::Host(name, arguments) => match (&**name, arguments.as_slice()) {
                ("Map", [value]) => {
                    let value = self.written_in(value, names, depth + 1);
                    self.map(value)
                }
                (name, []) => match Host::find(name) {
                    Some(host) => self.host(host),
                    None => POISON,
                },
                _ => POISON,
            },
            TypeExpr::Variable(name) => match names.get(name) {
                Some(ty) => *ty,
                None => {
                    let ty = self.fresh();
                    names.insert(name.clone(), ty);
                    ty
                }
            },
            TypeExpr::List(item) => {
                let item = self.written_in(item, names, depth + 1);
                self.list(item)
            }
            TypeExpr::Function(parameter, result) => {
                let parameter = self.written_in(parameter, names, depth + 1);
                let result = self.written_in(result, names, depth + 1);
                self.function(parameter, result)
            }
            TypeExpr::Record(given, rest) => {
                let mut fields = Vec::with_capacity(given.len());
                for field in given {
                    let ty = self.written_in(&field.ty, names, depth + 1);
                    fields.push(Field {
                        name: self.symbol(&field.name),
                        ty,
                        optional: field.optional,
                    });
                }
                let tail = self.rest(rest, names);
                self.record(fields, tail)
            }
            TypeExpr::Union(given, rest) => {
                let mut tags = Vec::with_capacity(given.len());
                for (tag, payload) in given {
                    let ty = match payload {
                        Some(payload) => self.written_in(payload, names, depth + 1),
                        None => NOTHING,
                    };
                    tags.push(Field {
                        name: self.symbol(tag),
                        ty,
                        optional: false,
                    });
                }
                let tail = self.rest(rest, names);
                self.union(tags, tail)
            }
        }
    }

    fn rest(&mut self, rest: &Rest, names: &mut Names) -> Option<Ty> {
        match rest {
            Rest::Closed => None,
            Rest::Open => Some(self.fresh_row()),
            Rest::Named(name) => {
                // Rows have names of their own: `r` is not `...r`.
                let key: Arc<str> = format!("...{name}").into();
                let ty = match names.get(&key) {
                    Some(ty) => *ty,
                    None => {
                        let ty = self.fresh_row();
                        names.insert(key, ty);
                        ty
                    }
                };
                Some(ty)
            }
        }
    }
}

impl Infer<'_> {
    /// The type that is written, and the variables that it names.
    pub(super) fn annotation(&mut self, written: &TypeExpr) -> (Ty, Names) {
        let mut names = Names::new();
        let ty = self.arena.written(written, &mut names);
        (ty, names)
    }

    /// Makes sure that the variables of a binding's annotation still stand for any
    /// type, each for another.
    pub(super) fn keep_variables(&mut self, value: ExprId, names: &Names) {
        let mut seen: BTreeMap<Ty, &Arc<str>> = BTreeMap::new();
        for (name, ty) in names {
            let (root, node) = self.arena.resolve(*ty);
            let bare = name.trim_start_matches('.');
            let message = match node {
                Node::Poison => continue,
                Node::Var(index) => {
                    let var = self.arena.vars[index as usize];
                    if let Some(other) = seen.insert(root, name) {
                        let other = other.trim_start_matches('.');
                        format!(
                            "the annotation says that `{other}` and `{bare}` may differ, and here they are the same"
                        )
                    } else if var.level < self.arena.level {
                        format!(
                            "the annotation says that `{bare}` may be any type, and here it is that of a variable around it"
                        )
                    } else if var.equal && !var.row {
                        format!(
                            "the annotation says that `{bare}` may be any type, and here it must be one that can be compared"
                        )
                    } else if var.heads != Heads::ANY {
                        let words = self.wanted(root);
                        format!(
                            "the annotation says that `{bare}` may be any type, and here it must be {words}"
                        )
                    } else {
                        continue;
                    }
                }
                _ => {
                    let text = self.text(root);
                    format!(
                        "the annotation says that `{bare}` may be any type, and here it is `{text}`"
                    )
                }
            };
            let place = self.site(value);
            self.report(
                Problem::new(codes::ANNOTATION_TOO_GENERAL, place, message)
                    .help("write the type that it is, or leave the annotation out"),
            );
            return;
        }
    }
}
