//! The documentation of a completion, made when somebody looks at it.

use imgc_eval::builtin_docs;
use imgc_syntax::TextSize;

use super::Documented;
use crate::Context;
use crate::hover::{export_doc, of_builtin, of_package};
use crate::symbol;

/// What there is to say about a completion, in Markdown.
pub(crate) fn resolve(context: &Context<'_>, of: &Documented) -> Option<String> {
    match of {
        Documented::Builtin(name) => {
            let mut docs = builtin_docs();
            docs.find(|doc| doc.name == name).map(of_builtin)
        }
        Documented::Export(file, name) => export_doc(&context.semantics.file(file)?, name),
        Documented::Binding(file, at) => {
            let view = context.semantics.file(file)?;
            let names = view.names();
            let (_, meant) = symbol::at(&view, &names, TextSize::new(*at))?;
            match meant {
                symbol::Meant::Binding(_, range) => {
                    symbol::binder(view.parse().syntax(), range)?.doc
                }
                _ => None,
            }
        }
        Documented::Module(name) => {
            let text = context.semantics.std_module(name)?;
            imgc_syntax::parse(&text).tree().doc()
        }
        Documented::Package(folder, name) => {
            let facts = context.catalogue.package(folder, name)?;
            Some(of_package(&facts))
        }
        Documented::Text(text) => Some(text.clone()),
    }
}
