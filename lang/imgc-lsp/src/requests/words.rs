//! Words about what stands or may stand at a place: hover, completion, signature help.

use imgc_diag::FileId;
use imgc_ide::{Completion, Documented};
use lsp_types as lsp;
use serde_json::{Value, json};

use crate::convert::{Lines, completion_kind, markdown, without_places};
use crate::snap::{Answer, Snap};

/// What there is to say about what stands at a place.
pub(super) fn hover(snap: &Snap, params: lsp::HoverParams) -> Answer<Option<lsp::Hover>> {
    let (file, lines, offset) = snap.place(&params.text_document_position_params)?;
    let hover = snap.analysis.hover(&file, offset)?;
    Ok(hover.map(|hover| lsp::Hover {
        contents: lsp::HoverContents::Markup(markdown(hover.text)),
        range: Some(lines.range(hover.range)),
    }))
}

/// What may be written at a place.
pub(super) fn completion(
    snap: &Snap,
    params: lsp::CompletionParams,
) -> Answer<lsp::CompletionList> {
    let (file, lines, offset) = snap.place(&params.text_document_position)?;
    let found = snap.analysis.completions(&file, offset)?;
    let is_package = |completion: &Completion| completion.kind == imgc_ide::CompletionKind::Package;
    let root = snap.root.to_string_lossy();
    Ok(lsp::CompletionList {
        // Of very many packages only the first are told.
        is_incomplete: found.iter().any(is_package),
        items: found
            .into_iter()
            .map(|completion| item(snap, &lines, &root, completion))
            .collect(),
    })
}

fn item(snap: &Snap, lines: &Lines, root: &str, of: Completion) -> lsp::CompletionItem {
    let is_snippet = of.is_snippet && snap.client.snippets;
    let text = if of.is_snippet && !is_snippet {
        without_places(&of.insert)
    } else {
        of.insert
    };
    let further = lines.edits(&of.further);
    lsp::CompletionItem {
        sort_text: Some(format!("{:02}{}", of.rank.min(99), of.label)),
        filter_text: Some(of.label.trim_matches('"').to_owned()),
        kind: Some(completion_kind(of.kind)),
        detail: of.detail,
        insert_text_format: Some(if is_snippet {
            lsp::InsertTextFormat::SNIPPET
        } else {
            lsp::InsertTextFormat::PLAIN_TEXT
        }),
        text_edit: Some(lsp::CompletionTextEdit::Edit(
            lines.replacement(of.range, &text),
        )),
        additional_text_edits: (!further.is_empty()).then_some(further),
        data: of.documented.map(|documented| data(&documented, root)),
        label: of.label,
        ..Default::default()
    }
}

/// What a completion is about, for the way to the editor and back.
fn data(of: &Documented, root: &str) -> Value {
    match of {
        Documented::Builtin(name) => json!([root, "builtin", name]),
        Documented::Export(file, name) => json!([root, "export", file.as_str(), name]),
        Documented::Binding(file, at) => json!([root, "binding", file.as_str(), at]),
        Documented::Module(name) => json!([root, "module", name]),
        Documented::Package(folder, name) => json!([root, "package", folder, name]),
        Documented::Text(text) => json!([root, "text", text]),
    }
}

fn documented(data: &Value) -> Option<Documented> {
    let text = |at: usize| data.get(at)?.as_str().map(str::to_owned);
    Some(match data.get(1)?.as_str()? {
        "builtin" => Documented::Builtin(text(2)?),
        "export" => Documented::Export(FileId::new(&text(2)?), text(3)?),
        "binding" => {
            let at = u32::try_from(data.get(3)?.as_u64()?).ok()?;
            Documented::Binding(FileId::new(&text(2)?), at)
        }
        "module" => Documented::Module(text(2)?),
        "package" => Documented::Package(text(2)?, text(3)?),
        "text" => Documented::Text(text(2)?),
        _ => return None,
    })
}

/// A completion with its documentation.
pub(super) fn resolve(
    snaps: &[Snap],
    mut item: lsp::CompletionItem,
) -> Answer<lsp::CompletionItem> {
    let Some(data) = item.data.clone() else {
        return Ok(item);
    };
    let root = data.get(0).and_then(Value::as_str).unwrap_or_default();
    let snap = snaps.iter().find(|snap| snap.root.to_str() == Some(root));
    if let (Some(snap), Some(documented)) = (snap, documented(&data)) {
        let text = snap.analysis.resolve_completion(&documented)?;
        item.documentation = text.map(|text| lsp::Documentation::MarkupContent(markdown(text)));
    }
    Ok(item)
}

/// The function that is being called at a place.
pub(super) fn signature(
    snap: &Snap,
    params: lsp::SignatureHelpParams,
) -> Answer<Option<lsp::SignatureHelp>> {
    let (file, _, offset) = snap.place(&params.text_document_position_params)?;
    let Some(found) = snap.analysis.signature(&file, offset)? else {
        return Ok(None);
    };
    // Labels are counted in the units of JavaScript, whatever the positions are.
    let units = |at: usize| {
        let before = found.label.get(..at).unwrap_or_default();
        u32::try_from(before.encode_utf16().count()).unwrap_or_default()
    };
    let parameters = found.parameters.iter().enumerate();
    let parameters = parameters.map(|(at, range)| lsp::ParameterInformation {
        label: lsp::ParameterLabel::LabelOffsets([units(range.start), units(range.end)]),
        documentation: found
            .field_doc
            .filter(|_| found.active == Some(at))
            .map(|doc| lsp::Documentation::MarkupContent(markdown(doc.to_owned()))),
    });
    let active = found.active.and_then(|active| u32::try_from(active).ok());
    Ok(Some(lsp::SignatureHelp {
        signatures: vec![lsp::SignatureInformation {
            parameters: Some(parameters.collect()),
            documentation: found
                .doc
                .clone()
                .map(|doc| lsp::Documentation::MarkupContent(markdown(doc))),
            label: found.label.clone(),
            active_parameter: active,
        }],
        active_signature: Some(0),
        active_parameter: active,
    }))
}
