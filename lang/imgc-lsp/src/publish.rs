//! Diagnostics that the server tells without being asked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imgc_diag::{Diagnostic, FileId};
use lsp_types as lsp;

use crate::convert::Lines;
use crate::diagnostics::Teller;
use crate::snap::{Answer, Snap};

/// Everything that is wrong with a project, ready to be told: also that nothing is wrong,
/// for open files.
pub(crate) fn check(snap: &Snap) -> Answer<BTreeMap<FileId, Vec<lsp::Diagnostic>>> {
    let mut found = snap.analysis.diagnostics()?;
    for (file, further) in &*snap.evaluated {
        let known = found.entry(file.clone()).or_default();
        for diagnostic in further {
            if !known.contains(diagnostic) {
                known.push(diagnostic.clone());
            }
        }
    }
    for (path, _) in snap.documents.iter() {
        if let Ok(inner) = path.strip_prefix(&snap.root)
            && let Some(inner) = inner.to_str()
        {
            found.entry(FileId::new(inner)).or_default();
        }
    }
    tell(snap, &found)
}

/// What is wrong with some files, as far as each of them alone tells.
pub(crate) fn check_files(
    snap: &Snap,
    files: &BTreeSet<String>,
) -> Answer<BTreeMap<FileId, Vec<lsp::Diagnostic>>> {
    let mut found = BTreeMap::new();
    for file in files {
        let id = FileId::new(file);
        let mut of_file = snap.analysis.file_diagnostics(&id)?;
        of_file.extend(snap.evaluated.get(&id).into_iter().flatten().cloned());
        found.insert(id, of_file);
    }
    tell(snap, &found)
}

/// Diagnostics by file as LSP has them.
pub(crate) fn tell(
    snap: &Snap,
    found: &BTreeMap<FileId, Vec<Diagnostic>>,
) -> Answer<BTreeMap<FileId, Vec<lsp::Diagnostic>>> {
    // The texts that are needed, at one moment.
    let mut lines: BTreeMap<FileId, Lines> = BTreeMap::new();
    let spans = found.values().flatten().flat_map(|diagnostic| {
        let related = diagnostic.related.iter().map(|label| &label.span);
        related.chain([&diagnostic.primary.span])
    });
    for span in spans {
        if !lines.contains_key(&span.file) {
            lines.insert(span.file.clone(), snap.lines(&span.file)?);
        }
    }
    let mut teller = Teller {
        host: &*snap.host,
        client: &snap.client,
        address: &|file| snap.uri(file),
        text: &|_| Some(Arc::from("")),
        lines,
    };
    let told = found
        .iter()
        .map(|(file, found)| (file.clone(), teller.all(found)));
    Ok(told.collect())
}
