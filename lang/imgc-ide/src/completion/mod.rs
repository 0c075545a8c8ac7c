//! What may be written where the cursor is. A word that nobody writes is put there, and
//! what the language makes of that says what is wanted.

mod fields;
mod literals;
mod names;
mod resolve;

use imgc_diag::FileId;
use imgc_eval::FileView;
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxKind, SyntaxNode, TextRange, TextSize};

use crate::syntax::{is_in_comment, node_at, significant_after, significant_before};
use crate::{Context, TextEdit};

pub(crate) use resolve::resolve;

/// The word that is put at the cursor.
const MARKER: &str = "zzCursor";

/// Something that may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What it is called.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// A few words beside it: a type, a version.
    pub detail: Option<String>,
    /// What is replaced.
    pub range: TextRange,
    /// What stands there afterwards. In a snippet `$0` and `${1:…}` are places for the
    /// cursor, and `\$`, `\}` and `\\` stand for themselves.
    pub insert: String,
    /// Whether `insert` is a snippet.
    pub is_snippet: bool,
    /// Edits elsewhere in the file.
    pub further: Vec<TextEdit>,
    /// Where it stands among the others: lower is nearer.
    pub rank: u8,
    /// What there is to say about it.
    pub documented: Option<Documented>,
}

/// What a completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionKind {
    /// A word of the language.
    Keyword,
    /// A piece of code with places to fill.
    Snippet,
    /// A name that is bound.
    Variable,
    /// A function.
    Function,
    /// A field.
    Field,
    /// A tag.
    Tag,
    /// A type.
    Type,
    /// A module.
    Module,
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A package.
    Package,
    /// One of a few texts.
    Value,
}

/// What a completion is about, to be asked for its documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Documented {
    /// A name of the host.
    Builtin(String),
    /// A field of the record that a file ends in.
    Export(FileId, String),
    /// What is bound in a file, at that byte.
    Binding(FileId, u32),
    /// A module.
    Module(String),
    /// A package that files of a folder name.
    Package(String, String),
    /// These words.
    Text(String),
}

/// Where a completion is asked for.
pub(crate) struct Place<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) view: &'a FileView<'a>,
    /// What is replaced: the word at the cursor.
    pub(crate) range: TextRange,
    /// What of it stands before the cursor.
    pub(crate) prefix: String,
}

impl Place<'_> {
    /// A completion that writes its label.
    pub(crate) fn plain(&self, label: &str, kind: CompletionKind, rank: u8) -> Completion {
        Completion {
            label: label.to_owned(),
            kind,
            detail: None,
            range: self.range,
            insert: label.to_owned(),
            is_snippet: false,
            further: Vec::new(),
            rank,
            documented: None,
        }
    }

    /// A completion that writes a snippet.
    pub(crate) fn snippet(&self, label: &str, insert: &str, rank: u8) -> Completion {
        Completion {
            insert: insert.to_owned(),
            is_snippet: true,
            ..self.plain(label, CompletionKind::Snippet, rank)
        }
    }
}

/// What may be written at a byte, the nearest first.
pub(crate) fn completions(
    context: &Context<'_>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Vec<Completion> {
    let root = view.parse().syntax();
    if is_in_comment(root, offset) {
        return Vec::new();
    }
    let mut found = match literals::completions(context, view, offset) {
        Some(found) => found,
        None => in_code(context, view, offset),
    };
    found.sort_by(|a, b| (a.rank, &a.label).cmp(&(b.rank, &b.label)));
    found.dedup_by(|a, b| a.label == b.label && a.kind == b.kind);
    found
}

fn in_code(context: &Context<'_>, view: &FileView<'_>, offset: TextSize) -> Vec<Completion> {
    let word = word_at(view.text(), offset);
    let before = TextRange::new(word.start(), offset);
    let prefix = view.text()[std::ops::Range::<usize>::from(before)].to_owned();
    if prefix.starts_with(|first: char| first.is_ascii_digit()) {
        return Vec::new();
    }
    let Some((sketch, marker)) = sketch_at(context, view, offset) else {
        return Vec::new();
    };
    let place = Place {
        context,
        view: &sketch,
        range: word,
        prefix,
    };
    let mut found = Vec::new();
    let node = node_at(sketch.parse().syntax(), marker);
    at_node(&place, node, marker, &mut found);
    found.retain(|completion| is_wanted(&completion.label, &place.prefix));
    found
}

fn at_node(
    place: &Place<'_>,
    node: SyntaxNode<'_>,
    marker: TextRange,
    found: &mut Vec<Completion>,
) {
    match node.kind() {
        SyntaxKind::TypeName | SyntaxKind::TypeVar | SyntaxKind::ErrorType => {
            names::types(place, marker, found);
        }
        SyntaxKind::Ref => {
            // The first word of what may become a binding is a name or a value.
            names::expression(place, node, marker, found);
        }
        SyntaxKind::Name => {
            let Some(parent) = node.parent() else { return };
            match parent.kind() {
                SyntaxKind::Select => {
                    if let Some(select) = ast::Select::cast(parent) {
                        fields::selected(place, &select, found);
                    }
                }
                SyntaxKind::KeyPath => fields::keys(place, parent, marker, found),
                SyntaxKind::NamePattern
                    if parent.parent().map(SyntaxNode::kind) == Some(SyntaxKind::Arm) =>
                {
                    fields::arms(place, parent, found);
                }
                SyntaxKind::PatternField => fields::taken(place, parent, found),
                _ => {}
            }
        }
        _ => {}
    }
}

/// The file with the marker in the place of the word at a byte, and where it stands.
pub(crate) fn sketch_at<'c>(
    context: &Context<'c>,
    view: &FileView<'_>,
    offset: TextSize,
) -> Option<(FileView<'c>, TextRange)> {
    let text = view.text();
    let word = word_at(text, offset);
    let root = view.parse().syntax();
    let before = significant_before(root, word.start()).map(imgc_syntax::SyntaxToken::kind);
    let after = significant_after(root, word.end()).map(imgc_syntax::SyntaxToken::kind);
    let begins = matches!(
        before,
        Some(SyntaxKind::LBrace | SyntaxKind::Semi | SyntaxKind::LetKw)
    );
    let goes_on = matches!(
        after,
        Some(
            SyntaxKind::Eq
                | SyntaxKind::Colon
                | SyntaxKind::Dot
                | SyntaxKind::Semi
                | SyntaxKind::Arrow
                | SyntaxKind::Comma
                | SyntaxKind::Question
        )
    );
    let mut around = crate::syntax::ancestors_at(root, word.start());
    let bracket = around.find(|node| {
        let range = node.text_range();
        matches!(
            node.kind(),
            SyntaxKind::Match | SyntaxKind::Record | SyntaxKind::Let | SyntaxKind::RecordPattern
        ) && range.start() < word.start()
            && word.start() <= range.end()
    });
    let is_arm = bracket.is_some_and(|node| node.kind() == SyntaxKind::Match)
        && before != Some(SyntaxKind::LetKw);
    let end = match (begins, goes_on) {
        (true, false) if is_arm => " => 0;",
        (true, false) => ";",
        _ => "",
    };
    let (start, stop) = (usize::from(word.start()), usize::from(word.end()));
    let sketch = format!("{}{MARKER}{end}{}", text.get(..start)?, text.get(stop..)?);
    let marker = TextRange::at(word.start(), TextSize::of(MARKER));
    let sketch = context.semantics.sketch(&view.id(), &sketch)?;
    Some((sketch, marker))
}

/// The word around a byte; empty where there is none.
fn word_at(text: &str, offset: TextSize) -> TextRange {
    let offset = usize::from(offset);
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = text.get(..offset).unwrap_or_default();
    let start = before.trim_end_matches(is_word).len();
    let after = text.get(offset..).unwrap_or_default();
    let end = offset + (after.len() - after.trim_start_matches(is_word).len());
    let size = |at: usize| TextSize::new(u32::try_from(at).unwrap_or(u32::MAX));
    TextRange::new(size(start), size(end))
}

/// Whether a label has what was written: its first letter, and the others in order.
pub(crate) fn is_wanted(label: &str, prefix: &str) -> bool {
    let mut wanted = prefix.chars();
    let Some(first) = wanted.next() else {
        return true;
    };
    let label = label.trim_start_matches(['"', '.', '/']);
    let begins = label.chars().next();
    begins.is_some_and(|begins| begins.eq_ignore_ascii_case(&first))
        && crate::symbols::is_like(label, prefix)
}
