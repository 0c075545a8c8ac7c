//! Changes: formatting and code actions.

use imgc_ide::ActionKind;
use lsp_types as lsp;

use crate::convert::Lines;
use crate::publish::tell;
use crate::snap::{Answer, Snap};

/// Brings a file into the one style.
pub(super) fn format(
    snap: &Snap,
    params: lsp::DocumentFormattingParams,
) -> Answer<Vec<lsp::TextEdit>> {
    let (text, lines) = snap.open(&params.text_document.uri)?;
    Ok(lines.edits(&imgc_ide::format(&text)))
}

/// The same for a part.
pub(super) fn format_range(
    snap: &Snap,
    params: lsp::DocumentRangeFormattingParams,
) -> Answer<Vec<lsp::TextEdit>> {
    let (text, lines) = snap.open(&params.text_document.uri)?;
    let range = lines.bytes(params.range);
    Ok(lines.edits(&imgc_ide::format_range(&text, range)))
}

/// The same for what was typed.
pub(super) fn format_typed(
    snap: &Snap,
    params: lsp::DocumentOnTypeFormattingParams,
) -> Answer<Vec<lsp::TextEdit>> {
    let at = params.text_document_position;
    let (text, lines) = snap.open(&at.text_document.uri)?;
    let offset = lines.offset(at.position);
    let Some(typed) = params.ch.chars().next() else {
        return Ok(Vec::new());
    };
    Ok(lines.edits(&imgc_ide::format_typed(&text, offset, typed)))
}

/// What can be changed at a range.
pub(super) fn actions(
    snap: &Snap,
    params: lsp::CodeActionParams,
) -> Answer<lsp::CodeActionResponse> {
    let file = snap.file(&params.text_document.uri)?;
    let lines: Lines = snap.lines(&file)?;
    let found = snap.found(&file)?;
    let range = lines.bytes(params.range);
    let told = tell(snap, &[(file.clone(), found.clone())].into())?;
    let told = told.get(&file).map(Vec::as_slice).unwrap_or_default();
    let mut actions = Vec::new();
    for action in snap.analysis.actions(&file, range, &found)? {
        let kind = match action.kind {
            ActionKind::QuickFix => lsp::CodeActionKind::QUICKFIX,
            ActionKind::Extract => lsp::CodeActionKind::REFACTOR_EXTRACT,
            ActionKind::Rewrite => lsp::CodeActionKind::REFACTOR_REWRITE,
            ActionKind::FixAll => lsp::CodeActionKind::SOURCE_FIX_ALL,
        };
        let is_wanted = params.context.only.as_ref().is_none_or(|only| {
            let mut only = only.iter();
            only.any(|wanted| {
                kind == *wanted || kind.as_str().starts_with(&format!("{}.", wanted.as_str()))
            })
        });
        if !is_wanted {
            continue;
        }
        let mends = action.mends.and_then(|at| told.get(at).cloned());
        let action = lsp::CodeAction {
            title: action.title,
            kind: Some(kind),
            diagnostics: mends.map(|diagnostic| vec![diagnostic]),
            edit: Some(snap.changes(&action.changes)?),
            is_preferred: action.is_preferred.then_some(true),
            ..Default::default()
        };
        actions.push(lsp::CodeActionOrCommand::CodeAction(action));
    }
    Ok(actions)
}
