//! What can be folded: brackets, `let`s, texts and comments of several lines.

use imgc_eval::FileView;
use imgc_syntax::{SyntaxKind, SyntaxToken, TextRange};

use crate::{Context, Encoding, LineIndex};

/// A piece that can be folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// The piece. It has a line end in it.
    pub range: TextRange,
    /// What it is.
    pub kind: FoldKind,
}

/// What is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoldKind {
    /// Code or text.
    Region,
    /// Comments.
    Comment,
}

/// What can be folded, in order.
pub(crate) fn folds(_: &Context<'_>, view: &FileView<'_>) -> Vec<Fold> {
    let root = view.parse().syntax();
    let text = view.text();
    let is_long = |range: TextRange| {
        let text = text.get(std::ops::Range::<usize>::from(range));
        text.is_some_and(|text| text.contains('\n'))
    };
    let nodes = root.descendants().filter(|node| {
        matches!(
            node.kind(),
            SyntaxKind::Record
                | SyntaxKind::RecordPattern
                | SyntaxKind::TypeRecord
                | SyntaxKind::List
                | SyntaxKind::Let
                | SyntaxKind::Match
                | SyntaxKind::Str
        )
    });
    let mut found: Vec<Fold> = nodes
        .map(|node| Fold {
            range: node.text_range(),
            kind: FoldKind::Region,
        })
        .collect();
    let mut open: Option<TextRange> = None;
    for token in root.tokens() {
        if matches!(token.kind(), SyntaxKind::Comment | SyntaxKind::DocComment) {
            let range = token.text_range();
            open = Some(open.map_or(range, |before| before.cover(range)));
        } else if !is_one_line_end(token) {
            found.extend(open.take().map(comment));
        }
    }
    found.extend(open.map(comment));
    found.retain(|fold| is_long(fold.range));
    found.sort_by_key(|fold| (fold.range.start(), std::cmp::Reverse(fold.range.end())));
    let index = LineIndex::new(text);
    let line = |at| index.position(text, at, Encoding::Utf8).line;
    // What begins and ends on the same lines is folded once.
    found.dedup_by_key(|fold| (line(fold.range.start()), line(fold.range.end())));
    found
}

fn comment(range: TextRange) -> Fold {
    let kind = FoldKind::Comment;
    Fold { range, kind }
}

fn is_one_line_end(token: SyntaxToken<'_>) -> bool {
    token.kind() == SyntaxKind::Whitespace
        && token.text().bytes().filter(|byte| *byte == b'\n').count() <= 1
}
