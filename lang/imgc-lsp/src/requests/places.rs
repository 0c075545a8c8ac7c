//! Places: definitions, references, another name, links, calls.

use imgc_ide::{Call, CallItem, Changes, Move};
use lsp_types as lsp;

use crate::snap::{Answer, Failure, Snap};
use crate::uri;

/// Where what stands at a place is defined.
pub(super) fn definition(
    snap: &Snap,
    params: lsp::GotoDefinitionParams,
) -> Answer<Vec<lsp::Location>> {
    let (file, _, offset) = snap.place(&params.text_document_position_params)?;
    let mut found = Vec::new();
    for location in snap.analysis.definition(&file, offset)? {
        found.extend(snap.location(&location)?);
    }
    Ok(found)
}

/// Every place that means what stands at a place.
pub(super) fn references(snap: &Snap, params: lsp::ReferenceParams) -> Answer<Vec<lsp::Location>> {
    let (file, _, offset) = snap.place(&params.text_document_position)?;
    let with = params.context.include_declaration;
    let mut found = Vec::new();
    for reference in snap.analysis.references(&file, offset, with)? {
        found.extend(snap.location(&reference.location)?);
    }
    Ok(found)
}

/// The same in one file.
pub(super) fn highlights(
    snap: &Snap,
    params: lsp::DocumentHighlightParams,
) -> Answer<Vec<lsp::DocumentHighlight>> {
    let (file, lines, offset) = snap.place(&params.text_document_position_params)?;
    let found = snap.analysis.highlights(&file, offset)?;
    let found = found.into_iter().map(|reference| lsp::DocumentHighlight {
        range: lines.range(reference.location.text_range()),
        kind: Some(if reference.is_definition {
            lsp::DocumentHighlightKind::WRITE
        } else {
            lsp::DocumentHighlightKind::READ
        }),
    });
    Ok(found.collect())
}

/// The name at a place that could be another.
pub(super) fn prepare_rename(
    snap: &Snap,
    params: lsp::TextDocumentPositionParams,
) -> Answer<lsp::PrepareRenameResponse> {
    let (file, lines, offset) = snap.place(&params)?;
    match snap.analysis.prepare_rename(&file, offset)? {
        Ok(range) => Ok(lsp::PrepareRenameResponse::Range(lines.range(range))),
        Err(error) => Err(Failure::Refused(error.0)),
    }
}

/// The changes that give what stands at a place another name.
pub(super) fn rename(snap: &Snap, params: lsp::RenameParams) -> Answer<lsp::WorkspaceEdit> {
    let (file, _, offset) = snap.place(&params.text_document_position)?;
    match snap.analysis.rename(&file, offset, &params.new_name)? {
        Ok(changes) => snap.changes(&changes),
        Err(error) => Err(Failure::Refused(error.0)),
    }
}

/// The changes that keep paths right when files get other names.
pub(super) fn moves(
    snaps: &[Snap],
    params: lsp::RenameFilesParams,
) -> Answer<Option<lsp::WorkspaceEdit>> {
    let mut all: Option<lsp::WorkspaceEdit> = None;
    for snap in snaps {
        let inner = |uri: &str| {
            let path = uri::path(&uri::of_text(uri)?)?;
            Some(path.strip_prefix(&snap.root).ok()?.to_str()?.to_owned())
        };
        // What leaves a project leaves nothing that could be written.
        let moves = params.files.iter().filter_map(|file| {
            let (from, to) = (inner(&file.old_uri)?, inner(&file.new_uri)?);
            (!from.is_empty() && !to.is_empty()).then_some(Move { from, to })
        });
        let moves: Vec<Move> = moves.collect();
        if moves.is_empty() {
            continue;
        }
        let changes: Changes = snap.analysis.moves(&moves)?;
        let edit = snap.changes(&changes)?;
        match &mut all {
            None => all = Some(edit),
            Some(all) => join(all, edit),
        }
    }
    Ok(all)
}

/// Adds the changes of another project.
fn join(all: &mut lsp::WorkspaceEdit, other: lsp::WorkspaceEdit) {
    if let (Some(all), Some(other)) = (&mut all.changes, other.changes) {
        all.extend(other);
    }
    if let (Some(lsp::DocumentChanges::Edits(all)), Some(lsp::DocumentChanges::Edits(other))) =
        (&mut all.document_changes, other.document_changes)
    {
        all.extend(other);
    }
}

/// The paths and modules of a file.
pub(super) fn links(
    snap: &Snap,
    params: lsp::DocumentLinkParams,
) -> Answer<Vec<lsp::DocumentLink>> {
    let file = snap.file(&params.text_document.uri)?;
    let lines = snap.lines(&file)?;
    let found = snap.analysis.links(&file)?.into_iter();
    let found = found.filter_map(|link| {
        let target = match link.target {
            imgc_ide::LinkTarget::File(file) => snap.uri(&file)?,
            imgc_ide::LinkTarget::Address(address) => uri::of_text(&address)?,
        };
        Some(lsp::DocumentLink {
            range: lines.range(link.range),
            target: Some(target),
            tooltip: None,
            data: None,
        })
    });
    Ok(found.collect())
}

/// The function at a place.
pub(super) fn callable(
    snap: &Snap,
    params: lsp::CallHierarchyPrepareParams,
) -> Answer<Option<Vec<lsp::CallHierarchyItem>>> {
    let (file, _, offset) = snap.place(&params.text_document_position_params)?;
    let Some(found) = snap.analysis.callable(&file, offset)? else {
        return Ok(None);
    };
    Ok(item(snap, &found)?.map(|item| vec![item]))
}

fn item(snap: &Snap, of: &CallItem) -> Answer<Option<lsp::CallHierarchyItem>> {
    let Some(uri) = snap.uri(&of.file) else {
        return Ok(None);
    };
    let lines = snap.lines(&of.file)?;
    Ok(Some(lsp::CallHierarchyItem {
        name: of.name.clone(),
        kind: lsp::SymbolKind::FUNCTION,
        tags: None,
        detail: Some(of.file.to_string()),
        uri,
        range: lines.range(of.range),
        selection_range: lines.range(of.name_range),
        data: None,
    }))
}

/// Who calls a function.
pub(super) fn callers(
    snap: &Snap,
    params: lsp::CallHierarchyIncomingCallsParams,
) -> Answer<Vec<lsp::CallHierarchyIncomingCall>> {
    let file = snap.file(&params.item.uri)?;
    let lines = snap.lines(&file)?;
    let offset = lines.offset(params.item.selection_range.start);
    let mut found = Vec::new();
    for call in snap.analysis.callers(&file, offset)? {
        let Some(from) = item(snap, &call.item)? else {
            continue;
        };
        let from_ranges = ranges(snap, &call, &call.item.file)?;
        found.push(lsp::CallHierarchyIncomingCall { from, from_ranges });
    }
    Ok(found)
}

/// What a function calls.
pub(super) fn callees(
    snap: &Snap,
    params: lsp::CallHierarchyOutgoingCallsParams,
) -> Answer<Vec<lsp::CallHierarchyOutgoingCall>> {
    let file = snap.file(&params.item.uri)?;
    let lines = snap.lines(&file)?;
    let offset = lines.offset(params.item.selection_range.start);
    let mut found = Vec::new();
    for call in snap.analysis.callees(&file, offset)? {
        let Some(to) = item(snap, &call.item)? else {
            continue;
        };
        let from_ranges = ranges(snap, &call, &file)?;
        found.push(lsp::CallHierarchyOutgoingCall { to, from_ranges });
    }
    Ok(found)
}

fn ranges(snap: &Snap, call: &Call, file: &imgc_diag::FileId) -> Answer<Vec<lsp::Range>> {
    let lines = snap.lines(file)?;
    let places = call.places.iter();
    Ok(places.map(|place| lines.range(*place)).collect())
}
