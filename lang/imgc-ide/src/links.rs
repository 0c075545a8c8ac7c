//! The paths, modules and addresses of a file, and where they lead.

use imgc_diag::FileId;
use imgc_eval::{FileView, Stat, Target};
use imgc_syntax::TextRange;
use imgc_syntax::ast::{self, AstNode as _};

use crate::Context;

/// A piece of text that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The text.
    pub range: TextRange,
    /// Where it leads.
    pub target: LinkTarget,
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkTarget {
    /// To a file.
    File(FileId),
    /// To an address on the web.
    Address(String),
}

/// The links of a file, in order.
pub(crate) fn links(context: &Context<'_>, view: &FileView<'_>) -> Vec<Link> {
    let names = view.names();
    let mut found: Vec<Link> = Vec::new();
    for used in &names.uses {
        if let Target::Module(file) = &used.target {
            let is_remote = file.as_str().contains("://");
            let target = if is_remote {
                LinkTarget::Address(file.to_string())
            } else if context.semantics.text(file).is_some() {
                LinkTarget::File(file.clone())
            } else {
                continue;
            };
            let range = used.range;
            found.push(Link { range, target });
        }
    }
    let paths = view.parse().syntax().descendants();
    for path in paths.filter_map(ast::Path::cast) {
        let range = path.range();
        if found.iter().any(|link| link.range == range) {
            continue;
        }
        let target = context.semantics.resolve(&view.id(), path.text());
        if let Some(target) = target
            && matches!(context.semantics.stat(&target), Ok(Stat::File { .. }))
        {
            let target = LinkTarget::File(FileId::new(&target));
            found.push(Link { range, target });
        }
    }
    found.retain(|link| {
        !matches!(&link.target, LinkTarget::Address(address) if !address.starts_with("http"))
    });
    found.sort_by_key(|link| link.range.start());
    found
}
