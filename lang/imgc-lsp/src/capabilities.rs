//! What the server can do, and what the editor said that it can.

use imgc_ide::Encoding;
use lsp_types as lsp;

use crate::tokens::legend;

/// What the editor can do, as far as it matters.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// The unit of its columns.
    pub(crate) encoding: Encoding,
    /// Whether completions may be snippets.
    pub(crate) snippets: bool,
    /// Whether symbols may be a tree.
    pub(crate) tree_of_symbols: bool,
    /// Whether it asks for diagnostics itself.
    pub(crate) pulls: bool,
    /// Whether it can be told to ask for diagnostics again.
    pub(crate) refreshes: bool,
    /// Whether it can be told to ask for lenses again, and for hints.
    pub(crate) lens_refreshes: bool,
    pub(crate) hint_refreshes: bool,
    /// Whether it watches files when it is asked to.
    pub(crate) watches: bool,
    /// Whether edits may say the versions that they are for.
    pub(crate) versioned_edits: bool,
    /// Whether the addresses of codes are shown.
    pub(crate) code_addresses: bool,
}

impl Client {
    /// What a client says when it begins.
    pub(crate) fn new(said: &lsp::ClientCapabilities) -> Self {
        let general = said.general.as_ref();
        let encodings = general.and_then(|general| general.position_encodings.as_ref());
        let has = |kind| encodings.is_some_and(|known| known.contains(&kind));
        let encoding = if has(lsp::PositionEncodingKind::UTF8) {
            Encoding::Utf8
        } else {
            Encoding::Utf16
        };
        let text = said.text_document.as_ref();
        let workspace = said.workspace.as_ref();
        let completion = text.and_then(|text| text.completion.as_ref());
        let item = completion.and_then(|completion| completion.completion_item.as_ref());
        let symbols = text.and_then(|text| text.document_symbol.as_ref());
        let watching = workspace.and_then(|of| of.did_change_watched_files.as_ref());
        let edit = workspace.and_then(|workspace| workspace.workspace_edit.as_ref());
        let published = text.and_then(|text| text.publish_diagnostics.as_ref());
        let refresh = workspace.and_then(|workspace| workspace.diagnostic.as_ref());
        let lenses = workspace.and_then(|workspace| workspace.code_lens.as_ref());
        let hints = workspace.and_then(|workspace| workspace.inlay_hint.as_ref());
        Self {
            encoding,
            snippets: item.and_then(|item| item.snippet_support) == Some(true),
            tree_of_symbols: symbols
                .and_then(|symbols| symbols.hierarchical_document_symbol_support)
                == Some(true),
            pulls: text.is_some_and(|text| text.diagnostic.is_some()),
            refreshes: refresh.and_then(|refresh| refresh.refresh_support) == Some(true),
            lens_refreshes: lenses.and_then(|lenses| lenses.refresh_support) == Some(true),
            hint_refreshes: hints.and_then(|hints| hints.refresh_support) == Some(true),
            watches: watching.and_then(|watching| watching.dynamic_registration) == Some(true),
            versioned_edits: edit.and_then(|edit| edit.document_changes) == Some(true),
            code_addresses: published.and_then(|published| published.code_description_support)
                != Some(false),
        }
    }
}

/// What the server can do.
pub(crate) fn server(client: &Client) -> lsp::ServerCapabilities {
    let encoding = match client.encoding {
        Encoding::Utf8 => lsp::PositionEncodingKind::UTF8,
        _ => lsp::PositionEncodingKind::UTF16,
    };
    let words = |text: &[&str]| Some(text.iter().map(|&c| c.to_owned()).collect::<Vec<_>>());
    lsp::ServerCapabilities {
        position_encoding: Some(encoding),
        text_document_sync: Some(lsp::TextDocumentSyncCapability::Options(
            lsp::TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(lsp::TextDocumentSyncKind::INCREMENTAL),
                save: Some(lsp::TextDocumentSyncSaveOptions::Supported(true)),
                ..Default::default()
            },
        )),
        hover_provider: Some(lsp::HoverProviderCapability::Simple(true)),
        completion_provider: Some(lsp::CompletionOptions {
            resolve_provider: Some(true),
            trigger_characters: words(&[".", "\"", "/", "="]),
            ..Default::default()
        }),
        signature_help_provider: Some(lsp::SignatureHelpOptions {
            trigger_characters: words(&[" ", "{", "("]),
            retrigger_characters: words(&[";", ","]),
            ..Default::default()
        }),
        definition_provider: yes(),
        references_provider: yes(),
        document_highlight_provider: yes(),
        document_symbol_provider: yes(),
        workspace_symbol_provider: yes(),
        code_action_provider: Some(lsp::CodeActionProviderCapability::Options(
            lsp::CodeActionOptions {
                code_action_kinds: Some(vec![
                    lsp::CodeActionKind::QUICKFIX,
                    lsp::CodeActionKind::REFACTOR_EXTRACT,
                    lsp::CodeActionKind::REFACTOR_REWRITE,
                    lsp::CodeActionKind::SOURCE_FIX_ALL,
                ]),
                ..Default::default()
            },
        )),
        code_lens_provider: Some(lsp::CodeLensOptions {
            resolve_provider: Some(false),
        }),
        document_formatting_provider: yes(),
        document_range_formatting_provider: yes(),
        document_on_type_formatting_provider: Some(lsp::DocumentOnTypeFormattingOptions {
            first_trigger_character: "\n".to_owned(),
            more_trigger_character: words(&[";", "}", "]"]),
        }),
        rename_provider: Some(lsp::OneOf::Right(lsp::RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: Default::default(),
        })),
        document_link_provider: Some(lsp::DocumentLinkOptions {
            resolve_provider: Some(false),
            work_done_progress_options: Default::default(),
        }),
        folding_range_provider: Some(lsp::FoldingRangeProviderCapability::Simple(true)),
        selection_range_provider: Some(lsp::SelectionRangeProviderCapability::Simple(true)),
        call_hierarchy_provider: Some(lsp::CallHierarchyServerCapability::Simple(true)),
        inlay_hint_provider: yes(),
        semantic_tokens_provider: Some(
            lsp::SemanticTokensServerCapabilities::SemanticTokensOptions(
                lsp::SemanticTokensOptions {
                    legend: legend(),
                    range: Some(true),
                    full: Some(lsp::SemanticTokensFullOptions::Delta { delta: Some(true) }),
                    ..Default::default()
                },
            ),
        ),
        diagnostic_provider: Some(lsp::DiagnosticServerCapabilities::Options(
            lsp::DiagnosticOptions {
                identifier: Some("imgc".to_owned()),
                inter_file_dependencies: true,
                workspace_diagnostics: true,
                work_done_progress_options: Default::default(),
            },
        )),
        workspace: Some(lsp::WorkspaceServerCapabilities {
            workspace_folders: Some(lsp::WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(lsp::OneOf::Left(true)),
            }),
            file_operations: Some(lsp::WorkspaceFileOperationsServerCapabilities {
                will_rename: Some(all_files()),
                did_rename: Some(all_files()),
                ..Default::default()
            }),
        }),
        ..Default::default()
    }
}

/// Every file and folder: whatever can be written as a path.
fn all_files() -> lsp::FileOperationRegistrationOptions {
    let filter = lsp::FileOperationFilter {
        scheme: Some("file".to_owned()),
        pattern: lsp::FileOperationPattern {
            glob: "**/*".to_owned(),
            matches: None,
            options: None,
        },
    };
    lsp::FileOperationRegistrationOptions {
        filters: vec![filter],
    }
}

/// It is there, and has no options.
fn yes<T>() -> Option<lsp::OneOf<bool, T>> {
    Some(lsp::OneOf::Left(true))
}
