//! The questions of editors, each with who answers it.

mod edits;
mod outline;
mod places;
mod pulls;
mod words;

use lsp_server::Request;
use lsp_types as lsp;
use lsp_types::request as ask;

use crate::server::{Server, is};

/// Gives a question to who answers it. Says whether anybody does.
pub(crate) fn route(server: &mut Server, request: Request) -> bool {
    words(server, request)
        .or_else(|request| places(server, request))
        .or_else(|request| outline(server, request))
        .or_else(|request| edits(server, request))
        .or_else(|request| pulls(server, request))
        .is_ok()
}

/// Not one of these: the question goes on.
type Routed = Result<(), Request>;

fn words(server: &mut Server, request: Request) -> Routed {
    match () {
        () if is::<ask::HoverRequest>(&request) => server.answer(
            request,
            |p: &lsp::HoverParams| &p.text_document_position_params.text_document.uri,
            words::hover,
        ),
        () if is::<ask::Completion>(&request) => server.answer(
            request,
            |p: &lsp::CompletionParams| &p.text_document_position.text_document.uri,
            words::completion,
        ),
        () if is::<ask::ResolveCompletionItem>(&request) => {
            server.answer_all(request, words::resolve);
        }
        () if is::<ask::SignatureHelpRequest>(&request) => server.answer(
            request,
            |p: &lsp::SignatureHelpParams| &p.text_document_position_params.text_document.uri,
            words::signature,
        ),
        () => return Err(request),
    }
    Ok(())
}

fn places(server: &mut Server, request: Request) -> Routed {
    match () {
        () if is::<ask::GotoDefinition>(&request) => server.answer(
            request,
            |p: &lsp::GotoDefinitionParams| &p.text_document_position_params.text_document.uri,
            places::definition,
        ),
        () if is::<ask::References>(&request) => server.answer(
            request,
            |p: &lsp::ReferenceParams| &p.text_document_position.text_document.uri,
            places::references,
        ),
        () if is::<ask::DocumentHighlightRequest>(&request) => server.answer(
            request,
            |p: &lsp::DocumentHighlightParams| &p.text_document_position_params.text_document.uri,
            places::highlights,
        ),
        () if is::<ask::PrepareRenameRequest>(&request) => server.answer(
            request,
            |p: &lsp::TextDocumentPositionParams| &p.text_document.uri,
            places::prepare_rename,
        ),
        () if is::<ask::Rename>(&request) => server.answer(
            request,
            |p: &lsp::RenameParams| &p.text_document_position.text_document.uri,
            places::rename,
        ),
        () if is::<ask::WillRenameFiles>(&request) => {
            server.answer_all(request, places::moves);
        }
        () if is::<ask::DocumentLinkRequest>(&request) => server.answer(
            request,
            |p: &lsp::DocumentLinkParams| &p.text_document.uri,
            places::links,
        ),
        () if is::<ask::CallHierarchyPrepare>(&request) => server.answer(
            request,
            |p: &lsp::CallHierarchyPrepareParams| {
                &p.text_document_position_params.text_document.uri
            },
            places::callable,
        ),
        () if is::<ask::CallHierarchyIncomingCalls>(&request) => server.answer(
            request,
            |p: &lsp::CallHierarchyIncomingCallsParams| &p.item.uri,
            places::callers,
        ),
        () if is::<ask::CallHierarchyOutgoingCalls>(&request) => server.answer(
            request,
            |p: &lsp::CallHierarchyOutgoingCallsParams| &p.item.uri,
            places::callees,
        ),
        () => return Err(request),
    }
    Ok(())
}

fn outline(server: &mut Server, request: Request) -> Routed {
    match () {
        () if is::<ask::DocumentSymbolRequest>(&request) => server.answer(
            request,
            |p: &lsp::DocumentSymbolParams| &p.text_document.uri,
            outline::symbols,
        ),
        () if is::<ask::WorkspaceSymbolRequest>(&request) => {
            server.answer_all(request, outline::workspace_symbols);
        }
        () if is::<ask::SemanticTokensFullRequest>(&request) => server.answer(
            request,
            |p: &lsp::SemanticTokensParams| &p.text_document.uri,
            outline::tokens,
        ),
        () if is::<ask::SemanticTokensFullDeltaRequest>(&request) => server.answer(
            request,
            |p: &lsp::SemanticTokensDeltaParams| &p.text_document.uri,
            outline::tokens_delta,
        ),
        () if is::<ask::SemanticTokensRangeRequest>(&request) => server.answer(
            request,
            |p: &lsp::SemanticTokensRangeParams| &p.text_document.uri,
            outline::tokens_range,
        ),
        () if is::<ask::InlayHintRequest>(&request) => server.answer(
            request,
            |p: &lsp::InlayHintParams| &p.text_document.uri,
            outline::hints,
        ),
        () if is::<ask::CodeLensRequest>(&request) => server.answer(
            request,
            |p: &lsp::CodeLensParams| &p.text_document.uri,
            outline::lenses,
        ),
        () if is::<ask::FoldingRangeRequest>(&request) => server.answer(
            request,
            |p: &lsp::FoldingRangeParams| &p.text_document.uri,
            outline::folds,
        ),
        () if is::<ask::SelectionRangeRequest>(&request) => server.answer(
            request,
            |p: &lsp::SelectionRangeParams| &p.text_document.uri,
            outline::selections,
        ),
        () => return Err(request),
    }
    Ok(())
}

fn edits(server: &mut Server, request: Request) -> Routed {
    match () {
        () if is::<ask::Formatting>(&request) => server.answer(
            request,
            |p: &lsp::DocumentFormattingParams| &p.text_document.uri,
            edits::format,
        ),
        () if is::<ask::RangeFormatting>(&request) => server.answer(
            request,
            |p: &lsp::DocumentRangeFormattingParams| &p.text_document.uri,
            edits::format_range,
        ),
        () if is::<ask::OnTypeFormatting>(&request) => server.answer(
            request,
            |p: &lsp::DocumentOnTypeFormattingParams| &p.text_document_position.text_document.uri,
            edits::format_typed,
        ),
        () if is::<ask::CodeActionRequest>(&request) => server.answer(
            request,
            |p: &lsp::CodeActionParams| &p.text_document.uri,
            edits::actions,
        ),
        () => return Err(request),
    }
    Ok(())
}

fn pulls(server: &mut Server, request: Request) -> Routed {
    match () {
        () if is::<ask::DocumentDiagnosticRequest>(&request) => server.answer(
            request,
            |p: &lsp::DocumentDiagnosticParams| &p.text_document.uri,
            pulls::document,
        ),
        () if is::<ask::WorkspaceDiagnosticRequest>(&request) => {
            server.answer_all(request, pulls::workspace);
        }
        () => return Err(request),
    }
    Ok(())
}
