//! Where a value of one type may stand in the place of another, although the types
//! are not the same: a string where a file is needed, a record where a map is.

use imgc_plan::Arch;

use super::hosts::Host;
use super::ty::{Arena, Heads, Node, Sym, Ty};
use super::unify::{Clash, Fits, Mode, Step, clash, within};

/// Whether every value of `found` is one of `expected`.
pub(super) fn fits(found: Host, expected: Host) -> bool {
    matches!(
        (found, expected),
        (Host::String | Host::Path, Host::File)
            | (Host::Path, Host::Program | Host::Source)
            | (Host::Source, Host::File)
            | (Host::Int | Host::String, Host::Owner | Host::Port)
    )
}

/// Debian's names of the architectures.
pub(super) fn architectures() -> Vec<&'static str> {
    Arch::ALL.iter().map(|arch| arch.debian()).collect()
}

impl Arena {
    /// The type that a variable must become so that its values can stand where `host`
    /// is needed, where it can't become that.
    pub(super) fn less_than(&self, var: u32, host: Host) -> Option<Host> {
        let heads = self.vars[var as usize].heads;
        if heads.has(Heads::of(&[host])) {
            return None;
        }
        let can = |plain: &Host| heads.has(Heads::of(&[*plain])) && fits(*plain, host);
        let mut plain = [Host::Int, Host::String, Host::Path]
            .into_iter()
            .filter(can);
        let only = plain.next()?;
        plain.next().is_none().then_some(only)
    }

    /// Compares two types of different kinds.
    pub(super) fn converts(&mut self, a: Ty, left: Node, b: Ty, right: Node, depth: u32) -> Fits {
        let differ = Clash::Types {
            found: a,
            expected: b,
        };
        match (left, right) {
            (Node::Host(x), Node::Host(y)) if fits(x, y) => Ok(()),
            (Node::Host(x), Node::Map(_)) if x.is_schema() => match self.schema(x) {
                Some(table) => self.compare(table, b, Mode::Less, depth + 1),
                None => clash(differ),
            },
            (Node::Record(row), Node::Map(value)) => {
                let flat = self.flatten(row);
                if flat.tail.is_some_and(|tail| !self.is_poison(tail)) {
                    return clash(differ);
                }
                for field in flat.fields {
                    let fits = self.compare(field.ty, value, Mode::Less, depth + 1);
                    within(fits, Step::Field(field.name))?;
                }
                Ok(())
            }
            (Node::Record(row), Node::Host(Host::Program)) => {
                let flat = self.flatten(row);
                if flat.tail.is_some_and(|tail| !self.is_poison(tail)) {
                    return clash(differ);
                }
                let known = architectures();
                let is_unknown = |name: &Sym| !known.contains(&&**self.name(*name));
                let names = flat.fields.iter().map(|field| field.name);
                let unknown: Vec<Sym> = names.filter(is_unknown).collect();
                if !unknown.is_empty() {
                    let known = known.into_iter().map(|name| self.symbol(&name.into()));
                    let known = known.collect();
                    return clash(Clash::Unknown(unknown, known));
                }
                let path = self.host(Host::Path);
                for field in flat.fields {
                    let fits = self.compare(field.ty, path, Mode::Less, depth + 1);
                    within(fits, Step::Field(field.name))?;
                }
                Ok(())
            }
            _ => clash(differ),
        }
    }
}
