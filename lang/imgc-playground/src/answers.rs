//! What the page is answered, as it goes out. The words are those of the language.

use imgc_diag::{Diagnostic, Severity};
use imgc_ide::{Completion, CompletionKind, SemanticToken, TokenType};
use serde::Serialize;

use crate::drawing::Drawn;
use crate::places::{Edit, Lines, Piece};

/// Something that is wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    code: String,
    title: &'static str,
    severity: &'static str,
    message: String,
    /// A few words about the place.
    label: String,
    #[serde(flatten)]
    place: Piece,
    notes: Vec<String>,
    help: Option<String>,
    related: Vec<Related>,
    fixes: Vec<Fix>,
}

/// Another place that explains a finding.
#[derive(Debug, Serialize)]
struct Related {
    #[serde(flatten)]
    place: Piece,
    text: String,
}

/// A change that mends a finding.
#[derive(Debug, Serialize)]
struct Fix {
    title: String,
    edits: Vec<Edit>,
}

/// What a file comes to.
#[derive(Debug, Serialize)]
pub(crate) struct Evaluated {
    /// What only evaluation finds.
    pub(crate) findings: Vec<Finding>,
    /// Its images, if it has a plan.
    pub(crate) images: Option<Vec<Drawn>>,
    /// How many more images there are.
    pub(crate) more: usize,
    /// The plan as JSON.
    pub(crate) json: Option<String>,
    /// The value of a file without images.
    pub(crate) value: Option<String>,
    /// Whether it is a function, which is not called.
    #[serde(rename = "isFunction")]
    pub(crate) is_function: bool,
}

/// What there is to say about a place.
#[derive(Debug, Serialize)]
pub(crate) struct Hover {
    /// What it is about.
    #[serde(flatten)]
    pub(crate) place: Piece,
    /// The words, as Markdown.
    pub(crate) text: String,
}

/// Something that may be written.
#[derive(Debug, Serialize)]
pub(crate) struct Offer {
    label: String,
    kind: &'static str,
    detail: Option<String>,
    #[serde(flatten)]
    place: Piece,
    insert: String,
    #[serde(rename = "isSnippet")]
    is_snippet: bool,
    further: Vec<Edit>,
    rank: u8,
}

/// A word with its sort.
#[derive(Debug, Serialize)]
pub(crate) struct Token {
    #[serde(flatten)]
    place: Piece,
    sort: &'static str,
}

impl Finding {
    pub(crate) fn of(found: &Diagnostic, lines: &Lines) -> Self {
        let related = found.related.iter().map(|label| Related {
            place: lines.of_span(&label.span),
            text: label.text.clone(),
        });
        let fixes = found.fixes.iter().map(|fix| {
            let edits = fix.edits.iter().map(|edit| Edit {
                piece: lines.of_span(&edit.span),
                text: edit.text.clone(),
            });
            Fix {
                title: fix.title.clone(),
                edits: edits.collect(),
            }
        });
        Self {
            code: found.code.to_string(),
            title: found.code.title(),
            severity: match found.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message: found.message.clone(),
            label: found.primary.text.clone(),
            place: lines.of_span(&found.primary.span),
            notes: found.notes.clone(),
            help: found.help.clone(),
            related: related.collect(),
            fixes: fixes.collect(),
        }
    }
}

impl Offer {
    pub(crate) fn of(found: &Completion, file: &imgc_diag::FileId, lines: &Lines) -> Self {
        let further = found.further.iter().map(|edit| lines.edit(file, edit));
        Self {
            label: found.label.clone(),
            kind: kind(found.kind),
            detail: found.detail.clone(),
            place: lines.piece(file, found.range),
            insert: found.insert.clone(),
            is_snippet: found.is_snippet,
            further: further.collect(),
            rank: found.rank,
        }
    }
}

impl Token {
    pub(crate) fn of(found: &SemanticToken, file: &imgc_diag::FileId, lines: &Lines) -> Self {
        Self {
            place: lines.piece(file, found.range),
            sort: sort(found.ty),
        }
    }
}

fn kind(kind: CompletionKind) -> &'static str {
    match kind {
        CompletionKind::Keyword => "keyword",
        CompletionKind::Snippet => "snippet",
        CompletionKind::Variable => "variable",
        CompletionKind::Function => "function",
        CompletionKind::Field => "property",
        CompletionKind::Tag => "enum",
        CompletionKind::Type => "type",
        CompletionKind::Module => "namespace",
        CompletionKind::File => "file",
        CompletionKind::Folder => "folder",
        CompletionKind::Package => "package",
        CompletionKind::Value => "constant",
    }
}

fn sort(ty: TokenType) -> &'static str {
    match ty {
        TokenType::Keyword => "keyword",
        TokenType::Comment => "comment",
        TokenType::String => "string",
        TokenType::Number => "number",
        TokenType::Operator => "operator",
        TokenType::Namespace => "namespace",
        TokenType::Function => "function",
        TokenType::Variable => "variable",
        TokenType::Parameter => "parameter",
        TokenType::Property => "property",
        TokenType::Type | TokenType::TypeParameter => "type",
        TokenType::EnumMember => "tag",
    }
}
