//! The tree: every token of a source and the nodes over them, in three flat tables.
//!
//! Nodes stand in the order of the source, each before what is in it, so that a walk is a walk
//! over a table, and a node is a number. A [`SyntaxNode`] borrows the tree and is cheap to copy.
//! It says what is there, and knows no grammar.

use std::fmt;
use std::hash::{Hash, Hasher};

use text_size::{TextRange, TextSize};

use crate::kind::SyntaxKind;
use crate::lex::Token;
use crate::text::range;

/// A source with its tokens and nodes. The first node is the root: it holds every token.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Tree {
    source: Box<str>,
    tokens: Vec<Token>,
    nodes: Vec<Node>,
}

/// A node: the tokens it covers, `first..last`, and the nodes in it, which stand after it up to
/// `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    kind: SyntaxKind,
    first: u32,
    last: u32,
    after: u32,
    parent: u32,
}

/// A node of a syntax tree.
#[derive(Clone, Copy)]
pub struct SyntaxNode<'t> {
    tree: &'t Tree,
    id: u32,
}

/// A token of a syntax tree.
#[derive(Clone, Copy)]
pub struct SyntaxToken<'t> {
    tree: &'t Tree,
    index: u32,
}

/// A node or a token of a syntax tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SyntaxElement<'t> {
    /// A node.
    Node(SyntaxNode<'t>),
    /// A token.
    Token(SyntaxToken<'t>),
}

/// A tree while it is made: nodes are opened and closed in the order of the source.
#[derive(Debug)]
pub(crate) struct TreeBuilder {
    nodes: Vec<Node>,
    /// The node that is open.
    open: u32,
}

impl TreeBuilder {
    /// Begins with the root.
    pub(crate) fn new(nodes: usize) -> Self {
        let mut builder = Self {
            nodes: Vec::with_capacity(nodes + 1),
            open: 0,
        };
        builder.open(0);
        builder
    }

    /// Opens a node that begins with the token `first`, in the one that is open.
    pub(crate) fn open(&mut self, first: u32) {
        let id = number(self.nodes.len());
        self.nodes.push(Node {
            kind: SyntaxKind::File,
            first,
            last: first,
            after: id + 1,
            parent: self.open,
        });
        self.open = id;
    }

    /// Closes the node that is open. It ends before the token `last`.
    pub(crate) fn close(&mut self, kind: SyntaxKind, last: u32) {
        let after = number(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(self.open as usize) {
            node.kind = kind;
            node.last = last;
            node.after = after;
            self.open = node.parent;
        }
    }

    /// The tree of a source and its tokens. The root is still open.
    pub(crate) fn finish(mut self, source: &str, tokens: Vec<Token>) -> Tree {
        self.close(SyntaxKind::File, number(tokens.len()));
        Tree {
            source: source.into(),
            tokens,
            nodes: self.nodes,
        }
    }
}

/// A count of nodes or tokens. There are no more tokens than bytes of source, and a few nodes for
/// each.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("bounded by the number of tokens")
}

impl Tree {
    /// The root.
    pub(crate) fn root(&self) -> SyntaxNode<'_> {
        SyntaxNode { tree: self, id: 0 }
    }

    /// Where a token begins; after the last one, where the source ends.
    fn offset(&self, token: u32) -> usize {
        let token = self.tokens.get(token as usize);
        token.map_or(self.source.len(), |token| token.start as usize)
    }
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tree").field(&self.source).finish()
    }
}

impl<'t> SyntaxNode<'t> {
    fn data(self) -> Node {
        self.tree.nodes[self.id as usize]
    }

    /// What kind of node it is.
    #[must_use]
    pub fn kind(self) -> SyntaxKind {
        self.data().kind
    }

    /// Where it stands in the source, without blanks and comments around it.
    #[must_use]
    pub fn text_range(self) -> TextRange {
        let node = self.data();
        range(self.tree.offset(node.first), self.tree.offset(node.last))
    }

    /// The source that it is made of.
    #[must_use]
    pub fn text(self) -> &'t str {
        let range = self.text_range();
        self.tree
            .source
            .get(std::ops::Range::<usize>::from(range))
            .unwrap_or_default()
    }

    /// The node that it stands in.
    #[must_use]
    pub fn parent(self) -> Option<SyntaxNode<'t>> {
        let id = self.data().parent;
        (self.id != 0).then_some(Self { id, ..self })
    }

    /// The node itself, and those that it stands in, the innermost first.
    pub fn ancestors(self) -> impl Iterator<Item = SyntaxNode<'t>> + use<'t> {
        std::iter::successors(Some(self), |node| node.parent())
    }

    /// The nodes that stand directly in it.
    pub fn children(self) -> impl Iterator<Item = SyntaxNode<'t>> + use<'t> {
        let end = self.data().after;
        let mut next = self.id + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(Self { id: next, ..self })?;
            next = child.data().after;
            Some(child)
        })
    }

    /// The nodes and tokens that stand directly in it.
    pub fn children_with_tokens(self) -> impl Iterator<Item = SyntaxElement<'t>> + use<'t> {
        let node = self.data();
        self.elements(node.first, self.id + 1, node)
    }

    /// The nodes and tokens that follow it in the node that it stands in.
    pub fn following(self) -> impl Iterator<Item = SyntaxElement<'t>> + use<'t> {
        let node = self.data();
        let parent = self.parent().map_or(node, Self::data);
        self.elements(node.last, node.after, parent)
    }

    /// The elements of a node from a token and a node on.
    fn elements(
        self,
        mut token: u32,
        mut next: u32,
        of: Node,
    ) -> impl Iterator<Item = SyntaxElement<'t>> + use<'t> {
        let tree = self.tree;
        std::iter::from_fn(move || {
            loop {
                if next < of.after {
                    let child = tree.nodes[next as usize];
                    if child.first <= token {
                        let id = std::mem::replace(&mut next, child.after);
                        token = child.last;
                        return Some(SyntaxElement::Node(Self { tree, id }));
                    }
                }
                if token >= of.last {
                    return None;
                }
                let index = token;
                token += 1;
                if !tree.tokens[index as usize].is_empty() {
                    return Some(SyntaxElement::Token(SyntaxToken { tree, index }));
                }
            }
        })
    }

    /// The node itself and every node in it, in the order of the source.
    pub fn descendants(self) -> impl Iterator<Item = SyntaxNode<'t>> + use<'t> {
        (self.id..self.data().after).map(move |id| Self { id, ..self })
    }

    /// Every token in it, in the order of the source.
    pub fn tokens(self) -> impl DoubleEndedIterator<Item = SyntaxToken<'t>> + use<'t> {
        let node = self.data();
        tokens(self.tree, node.first..node.last)
    }

    /// The tokens before it, whatever they stand in, the nearest first.
    pub fn tokens_before(self) -> impl Iterator<Item = SyntaxToken<'t>> + use<'t> {
        tokens(self.tree, 0..self.data().first).rev()
    }
}

/// Tokens that have a text.
fn tokens(
    tree: &Tree,
    range: std::ops::Range<u32>,
) -> impl DoubleEndedIterator<Item = SyntaxToken<'_>> {
    let tokens = range.map(move |index| SyntaxToken { tree, index });
    tokens.filter(|token| !token.data().is_empty())
}

impl<'t> SyntaxToken<'t> {
    fn data(self) -> Token {
        self.tree.tokens[self.index as usize]
    }

    /// What kind of token it is.
    #[must_use]
    pub fn kind(self) -> SyntaxKind {
        self.data().kind
    }

    /// Where it stands in the source.
    #[must_use]
    pub fn text_range(self) -> TextRange {
        let token = self.data();
        TextRange::new(TextSize::new(token.start), TextSize::new(token.end))
    }

    /// The source that it is made of.
    #[must_use]
    pub fn text(self) -> &'t str {
        self.data().text(&self.tree.source)
    }
}

impl<'t> SyntaxElement<'t> {
    /// What kind of node or token it is.
    #[must_use]
    pub fn kind(self) -> SyntaxKind {
        match self {
            Self::Node(node) => node.kind(),
            Self::Token(token) => token.kind(),
        }
    }

    /// Where it stands in the source.
    #[must_use]
    pub fn text_range(self) -> TextRange {
        match self {
            Self::Node(node) => node.text_range(),
            Self::Token(token) => token.text_range(),
        }
    }

    /// The token that it is.
    #[must_use]
    pub fn into_token(self) -> Option<SyntaxToken<'t>> {
        match self {
            Self::Node(_) => None,
            Self::Token(token) => Some(token),
        }
    }
}

impl PartialEq for SyntaxNode<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && std::ptr::eq(self.tree, other.tree)
    }
}

impl Eq for SyntaxNode<'_> {}

impl Hash for SyntaxNode<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Debug for SyntaxNode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.kind(), self.text_range())
    }
}

impl fmt::Display for SyntaxNode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl PartialEq for SyntaxToken<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && std::ptr::eq(self.tree, other.tree)
    }
}

impl Eq for SyntaxToken<'_> {}

impl Hash for SyntaxToken<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

impl fmt::Debug for SyntaxToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.kind(), self.text_range())
    }
}
