//! The types of the host's names, read once from the table's signatures.

use std::sync::{Arc, LazyLock};

use crate::builtins::{Builtin, Limit};

use super::annotation::Names;
use super::scheme::Scheme;
use super::ty::{Arena, Heads, Node};

/// The types of all builtins, by number.
static SCHEMES: LazyLock<Vec<Arc<Scheme>>> = LazyLock::new(|| {
    let schemes = Builtin::all().map(|builtin| Arc::new(read(builtin)));
    schemes.collect()
});

/// The type of a builtin.
pub(super) fn scheme(builtin: Builtin) -> Arc<Scheme> {
    let known = SCHEMES.get(usize::from(builtin.0));
    known.cloned().unwrap_or_else(|| Arc::new(Scheme::poison()))
}

/// The name of a builtin.
pub(super) fn name(builtin: Builtin) -> &'static str {
    builtin.doc().name
}

fn read(builtin: Builtin) -> Scheme {
    let written = crate::resolve::signature(builtin.doc().signature);
    let mut arena = Arena::new();
    let mut names = Names::new();
    let ty = arena.written(&written, &mut names);
    for (name, limit) in builtin.limits() {
        let Some(variable) = names.get(*name) else {
            continue;
        };
        let Node::Var(index) = arena.node(*variable) else {
            continue;
        };
        let var = &mut arena.vars[index as usize];
        match limit {
            Limit::Ordered => var.heads = Heads::ORDERED,
            Limit::Shown => var.heads = Heads::SHOWN,
            Limit::Equal => {
                var.heads = Heads::EQUAL;
                var.equal = true;
            }
        }
    }
    arena.finish(ty).unwrap_or_else(|_| Scheme::poison())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_signature_is_read_whole() {
        for builtin in Builtin::all() {
            let scheme = scheme(builtin);
            let text = super::super::show(&scheme);
            assert!(!text.contains('_'), "{}: {text}", name(builtin));
            let written = builtin.doc().signature;
            let count = |text: &str| text.matches("->").count();
            assert_eq!(count(written), count(&text), "{}: {text}", name(builtin));
        }
    }
}
