//! A file as a whole: symbols, tokens, hints, lenses, folds, selections.

use imgc_ide::Symbol;
use lsp_types as lsp;
use serde_json::json;

use crate::convert::{Lines, fold_kind, symbol_kind};
use crate::snap::{Answer, Snap};
use crate::tokens::{difference, encode};

/// The bindings of a file.
pub(super) fn symbols(
    snap: &Snap,
    params: lsp::DocumentSymbolParams,
) -> Answer<lsp::DocumentSymbolResponse> {
    let uri = params.text_document.uri;
    let file = snap.file(&uri)?;
    let lines = snap.lines(&file)?;
    let found = snap.analysis.symbols(&file)?;
    if snap.client.tree_of_symbols {
        let tree = found.iter().map(|symbol| tree(&lines, symbol)).collect();
        return Ok(lsp::DocumentSymbolResponse::Nested(tree));
    }
    let mut flat = Vec::new();
    flatten(&lines, &uri, None, &found, &mut flat);
    Ok(lsp::DocumentSymbolResponse::Flat(flat))
}

#[expect(
    deprecated,
    reason = "the structure has a field that nobody uses any more"
)]
fn tree(lines: &Lines, of: &Symbol) -> lsp::DocumentSymbol {
    let children: Vec<_> = of.children.iter().map(|inner| tree(lines, inner)).collect();
    lsp::DocumentSymbol {
        name: of.name.clone(),
        detail: None,
        kind: symbol_kind(of.kind),
        tags: None,
        deprecated: None,
        range: lines.range(of.range),
        selection_range: lines.range(of.name_range),
        children: (!children.is_empty()).then_some(children),
    }
}

fn flatten(
    lines: &Lines,
    uri: &lsp::Uri,
    container: Option<&str>,
    symbols: &[Symbol],
    found: &mut Vec<lsp::SymbolInformation>,
) {
    for symbol in symbols {
        found.push(information(lines, uri, container, symbol));
        flatten(lines, uri, Some(&symbol.name), &symbol.children, found);
    }
}

#[expect(
    deprecated,
    reason = "the structure has a field that nobody uses any more"
)]
fn information(
    lines: &Lines,
    uri: &lsp::Uri,
    container: Option<&str>,
    of: &Symbol,
) -> lsp::SymbolInformation {
    lsp::SymbolInformation {
        name: of.name.clone(),
        kind: symbol_kind(of.kind),
        tags: None,
        deprecated: None,
        location: lsp::Location {
            uri: uri.clone(),
            range: lines.range(of.name_range),
        },
        container_name: container.map(str::to_owned),
    }
}

/// The bindings of all files.
pub(super) fn workspace_symbols(
    snaps: &[Snap],
    params: lsp::WorkspaceSymbolParams,
) -> Answer<Vec<lsp::SymbolInformation>> {
    let mut found = Vec::new();
    for snap in snaps {
        for symbol in snap.analysis.workspace_symbols(&params.query)? {
            let Some(uri) = snap.uri(&symbol.file) else {
                continue;
            };
            let lines = snap.lines(&symbol.file)?;
            let container = symbol.file.to_string();
            let information = information(&lines, &uri, Some(&container), &symbol.symbol);
            found.push(information);
        }
    }
    Ok(found)
}

fn encoded(snap: &Snap, uri: &lsp::Uri) -> Answer<Vec<lsp::SemanticToken>> {
    let file = snap.file(uri)?;
    let lines = snap.lines(&file)?;
    let tokens = snap.analysis.semantic_tokens(&file)?;
    Ok(encode(&lines, &tokens))
}

/// The sorts of all words of a file.
pub(super) fn tokens(
    snap: &Snap,
    params: lsp::SemanticTokensParams,
) -> Answer<lsp::SemanticTokens> {
    let uri = params.text_document.uri;
    let data = encoded(snap, &uri)?;
    Ok(lsp::SemanticTokens {
        result_id: Some(snap.tell(&uri, data.clone())),
        data,
    })
}

/// What changed of them.
pub(super) fn tokens_delta(
    snap: &Snap,
    params: lsp::SemanticTokensDeltaParams,
) -> Answer<lsp::SemanticTokensFullDeltaResult> {
    let uri = params.text_document.uri;
    let data = encoded(snap, &uri)?;
    let before = snap.told(&uri, &params.previous_result_id);
    let result_id = Some(snap.tell(&uri, data.clone()));
    Ok(match before {
        Some(before) => lsp::SemanticTokensFullDeltaResult::TokensDelta(lsp::SemanticTokensDelta {
            result_id,
            edits: difference(&before, &data),
        }),
        None => lsp::SemanticTokensFullDeltaResult::Tokens(lsp::SemanticTokens { result_id, data }),
    })
}

/// The sorts of the words of a part of a file.
pub(super) fn tokens_range(
    snap: &Snap,
    params: lsp::SemanticTokensRangeParams,
) -> Answer<lsp::SemanticTokens> {
    let file = snap.file(&params.text_document.uri)?;
    let lines = snap.lines(&file)?;
    let range = lines.bytes(params.range);
    let mut tokens = snap.analysis.semantic_tokens(&file)?;
    tokens.retain(|token| token.range.intersect(range).is_some());
    Ok(lsp::SemanticTokens {
        result_id: None,
        data: encode(&lines, &tokens),
    })
}

/// Types, versions and sizes beside what is written.
pub(super) fn hints(snap: &Snap, params: lsp::InlayHintParams) -> Answer<Vec<lsp::InlayHint>> {
    let file = snap.file(&params.text_document.uri)?;
    let lines = snap.lines(&file)?;
    let range = lines.bytes(params.range);
    let found = snap
        .analysis
        .inlay_hints(&file, range, snap.built(&file))?
        .into_iter();
    let found = found.map(|hint| lsp::InlayHint {
        position: lines.position(hint.offset),
        padding_left: Some(hint.label.starts_with(' ')),
        label: lsp::InlayHintLabel::String(hint.label.trim_start().to_owned()),
        kind: (hint.kind == imgc_ide::HintKind::Type).then_some(lsp::InlayHintKind::TYPE),
        text_edits: None,
        tooltip: None,
        padding_right: None,
        data: None,
    });
    Ok(found.collect())
}

/// The images of a file. The command is the editor's: nothing is built here.
pub(super) fn lenses(snap: &Snap, params: lsp::CodeLensParams) -> Answer<Vec<lsp::CodeLens>> {
    let file = snap.file(&params.text_document.uri)?;
    let lines = snap.lines(&file)?;
    let found = snap.analysis.lenses(&file, snap.built(&file))?.into_iter();
    let found = found.map(|lens| {
        let target = snap.root.join(&lens.target);
        lsp::CodeLens {
            range: lines.range(lens.range),
            command: Some(lsp::Command {
                title: match lens.size {
                    Some(size) => format!("build ({size})"),
                    None => "build".to_owned(),
                },
                command: "imgc.build".to_owned(),
                arguments: Some(vec![json!(target.to_string_lossy())]),
            }),
            data: None,
        }
    });
    Ok(found.collect())
}

/// What can be folded.
pub(super) fn folds(
    snap: &Snap,
    params: lsp::FoldingRangeParams,
) -> Answer<Vec<lsp::FoldingRange>> {
    let file = snap.file(&params.text_document.uri)?;
    let lines = snap.lines(&file)?;
    let found = snap.analysis.folds(&file)?.into_iter();
    let found = found.map(|fold| {
        let range = lines.range(fold.range);
        lsp::FoldingRange {
            start_line: range.start.line,
            start_character: Some(range.start.character),
            end_line: range.end.line,
            end_character: Some(range.end.character),
            kind: Some(fold_kind(fold.kind)),
            collapsed_text: None,
        }
    });
    Ok(found.collect())
}

/// The ranges around places.
pub(super) fn selections(
    snap: &Snap,
    params: lsp::SelectionRangeParams,
) -> Answer<Vec<lsp::SelectionRange>> {
    let file = snap.file(&params.text_document.uri)?;
    let lines = snap.lines(&file)?;
    let mut found = Vec::new();
    for position in params.positions {
        let ranges = snap.analysis.selections(&file, lines.offset(position))?;
        let mut outer: Option<lsp::SelectionRange> = None;
        for range in ranges.into_iter().rev() {
            outer = Some(lsp::SelectionRange {
                range: lines.range(range),
                parent: outer.map(Box::new),
            });
        }
        found.extend(outer);
    }
    Ok(found)
}
