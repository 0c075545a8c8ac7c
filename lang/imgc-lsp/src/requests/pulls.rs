//! Diagnostics that the editor asks for.

use std::collections::BTreeSet;

use imgc_diag::FileId;
use lsp_types as lsp;

use crate::publish;
use crate::snap::{Answer, Snap};

/// What is wrong with a file.
pub(super) fn document(
    snap: &Snap,
    params: lsp::DocumentDiagnosticParams,
) -> Answer<lsp::DocumentDiagnosticReport> {
    let file = snap.file(&params.text_document.uri)?;
    let found = snap.found(&file)?;
    let mut told = publish::tell(snap, &[(file.clone(), found)].into())?;
    let items = told.remove(&file).unwrap_or_default();
    let full = lsp::FullDocumentDiagnosticReport {
        result_id: None,
        items,
    };
    Ok(lsp::RelatedFullDocumentDiagnosticReport {
        related_documents: None,
        full_document_diagnostic_report: full,
    }
    .into())
}

/// What is wrong with all files.
pub(super) fn workspace(
    snaps: &[Snap],
    params: lsp::WorkspaceDiagnosticParams,
) -> Answer<lsp::WorkspaceDiagnosticReport> {
    let mut items = Vec::new();
    for snap in snaps {
        let mut told = publish::check(snap)?;
        // Files that were wrong may be right now.
        let known: BTreeSet<FileId> = params
            .previous_result_ids
            .iter()
            .filter_map(|known| snap.file(&known.uri).ok())
            .collect();
        for file in known {
            told.entry(file).or_default();
        }
        for (file, items_of_file) in told {
            let Some(uri) = snap.uri(&file) else { continue };
            let version = snap.documents.version(&uri);
            let full = lsp::WorkspaceFullDocumentDiagnosticReport {
                uri,
                version: version.map(i64::from),
                full_document_diagnostic_report: lsp::FullDocumentDiagnosticReport {
                    // A number, so that the file is asked for again.
                    result_id: Some("1".to_owned()),
                    items: items_of_file,
                },
            };
            items.push(lsp::WorkspaceDocumentDiagnosticReport::Full(full));
        }
    }
    Ok(lsp::WorkspaceDiagnosticReport { items })
}
