//! Source text to a lossless tree and errors.
//!
//! [`parse`] never fails: it returns a tree whose text is the source, byte for byte, and the list
//! of mistakes. [`ast`] reads the tree by meaning. [`format()`] writes a source in the one style.
//! This crate knows no files, names or values.

mod arena;
pub mod ast;
mod bindings;
mod brackets;
mod check;
mod classify;
mod doc;
mod error;
mod format;
mod group;
mod kind;
mod lex;
mod literal;
mod operators;
mod segment;
mod shape;
mod text;
mod tree;
mod wording;

pub use error::{Edit, SyntaxCode, SyntaxError};
pub use format::format;
pub use kind::SyntaxKind;
pub use text_size::{TextRange, TextSize};
pub use tree::{SyntaxElement, SyntaxNode, SyntaxToken};

use tree::{Tree, TreeBuilder};

/// Largest source that is parsed, in bytes. A larger one is refused with an error.
pub const MAX_SOURCE: usize = 16 << 20;

/// Most tokens in a source that is parsed, blanks included. Bounds the memory that a hostile source
/// of one-byte tokens takes; real ones of [`MAX_SOURCE`] hardly have as many.
pub const MAX_TOKENS: usize = 4 << 20;

/// Deepest nesting of expressions in a tree. What is deeper becomes an `Error` node, with an error.
/// So every walk over a tree may be recursive.
pub const MAX_DEPTH: usize = 200;

/// What [`parse`] yields: a tree and errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parse {
    tree: Tree,
    errors: Vec<SyntaxError>,
}

impl Parse {
    /// The tree's root, to be read by meaning.
    #[must_use]
    pub fn tree(&self) -> ast::File<'_> {
        ast::File::from_root(self.syntax())
    }

    /// The tree's root, of kind `File`.
    #[must_use]
    pub fn syntax(&self) -> SyntaxNode<'_> {
        self.tree.root()
    }

    /// The mistakes, in the order of the source.
    #[must_use]
    pub fn errors(&self) -> &[SyntaxError] {
        &self.errors
    }
}

/// Parses a source. Never fails and never panics, whatever the text.
///
/// The tree's text is the source. Only a source beyond [`MAX_SOURCE`] or [`MAX_TOKENS`] is not looked
/// at: its tree is one bad token, or empty from 4 GiB on, where offsets end.
#[must_use]
pub fn parse(source: &str) -> Parse {
    parse_as(source, segment::Entry::Expr)
}

/// Parses a source that is one type, such as `(a -> b) -> [a] -> [b]`. Else as [`parse`]; the type
/// is [`ast::File::ty`].
#[must_use]
pub fn parse_type(source: &str) -> Parse {
    parse_as(source, segment::Entry::Type)
}

fn parse_as(source: &str, entry: segment::Entry) -> Parse {
    if source.len() > MAX_SOURCE {
        return refuse(source, format!("is larger than {} MiB", MAX_SOURCE >> 20));
    }
    let mut lexed = lex::lex(source);
    if lexed.tokens.len() > MAX_TOKENS {
        return refuse(source, format!("has more than {MAX_TOKENS} tokens"));
    }
    let sigs = brackets::balance(source, &mut lexed);
    let lex::Lexed {
        tokens, mut errors, ..
    } = lexed;
    let mut parser = segment::SegmentParser::new(source, &tokens, &mut errors);
    let children = group::parse(&mut parser, &sigs, entry);
    let arena = parser.arena;
    check::characters(source, &mut errors);
    check::imports(source, &tokens, &mut errors);
    check::literals(source, &tokens, &mut errors);
    let tree = arena.weave(source, tokens, &children, &mut errors);
    check::indented_strings(&tree, &mut errors);
    Parse {
        tree,
        errors: errors.finish(source),
    }
}

/// The answer to a source that is too large.
fn refuse(source: &str, why: String) -> Parse {
    // From 4 GiB on offsets end.
    let (source, tokens) = match u32::try_from(source.len()) {
        Ok(end) => {
            let kind = SyntaxKind::BadToken;
            (
                source,
                vec![lex::Token {
                    kind,
                    start: 0,
                    end,
                }],
            )
        }
        Err(_) => ("", Vec::new()),
    };
    let error = SyntaxError::new(
        SyntaxCode::SourceTooLarge,
        TextRange::default(),
        format!("this source {why}"),
    )
    .help("large data belongs in a file of its own, taken in by a path such as `./data.bin`");
    Parse {
        tree: TreeBuilder::new(0).finish(source, tokens),
        errors: vec![error],
    }
}
