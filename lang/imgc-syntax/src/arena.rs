//! The nodes that the grammar's actions make, and the weaving of nodes and tokens into a tree.
//! Nodes hold no text: the text comes from the tokens, all of them, so nothing can be lost.

use rowan::{GreenNode, GreenNodeBuilder, Language as _, TextRange};

use crate::MAX_DEPTH;
use crate::error::{Errors, SyntaxCode, SyntaxError};
use crate::kind::{Img, SyntaxKind};
use crate::lex::Token;
use crate::text::range;

/// Number of a node in its [`Arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

/// A node: its kind, the tokens it covers (by index, `start..end`), its children in order.
#[derive(Debug, Clone)]
struct Node {
    kind: SyntaxKind,
    start: u32,
    end: u32,
    children: Vec<NodeId>,
}

/// All nodes of one parse. Flat, so that deep trees need no deep stack to build or drop.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    nodes: Vec<Node>,
}

impl Arena {
    /// Adds a node over the tokens `start..end`.
    pub(crate) fn node(
        &mut self,
        kind: SyntaxKind,
        start: u32,
        end: u32,
        children: Vec<NodeId>,
    ) -> NodeId {
        let id = NodeId(u32::try_from(self.nodes.len()).expect("fewer nodes than bytes of source"));
        self.nodes.push(Node {
            kind,
            start,
            end,
            children,
        });
        id
    }

    /// Adds a `Let` from the head of one and its body.
    pub(crate) fn let_in(&mut self, head: NodeId, body: NodeId, start: u32, end: u32) -> NodeId {
        let mut children = self
            .get(head)
            .map(|head| head.children.clone())
            .unwrap_or_default();
        children.push(body);
        self.node(SyntaxKind::Let, start, end, children)
    }

    /// Appends a child to a node that ends before it.
    pub(crate) fn append(&mut self, parent: NodeId, child: NodeId) {
        let end = self.get(child).map_or(0, |child| child.end);
        if let Some(parent) = self.nodes.get_mut(parent.0 as usize) {
            parent.end = parent.end.max(end);
            parent.children.push(child);
        }
    }

    /// How many nodes there are.
    pub(crate) fn mark(&self) -> usize {
        self.nodes.len()
    }

    /// Forgets the nodes made since a mark. Nothing may refer to them.
    pub(crate) fn reset(&mut self, mark: usize) {
        self.nodes.truncate(mark);
    }

    fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    /// The tree: the root's children in a `File` that holds every token. Nodes too deep become
    /// `Error` nodes without structure; the first is reported.
    pub(crate) fn weave(
        &self,
        source: &str,
        tokens: &[Token],
        children: &[NodeId],
        errors: &mut Errors,
    ) -> GreenNode {
        let mut weaver = Weaver {
            arena: self,
            source,
            tokens,
            at: 0,
            builder: GreenNodeBuilder::new(),
            too_deep: None,
        };
        weaver
            .builder
            .start_node(Img::kind_to_raw(SyntaxKind::File));
        for &child in children {
            weaver.emit(child, 0);
        }
        weaver.tokens_up_to(tokens.len());
        weaver.builder.finish_node();
        if let Some(place) = weaver.too_deep {
            let message = format!("expressions stand in one another more than {MAX_DEPTH} deep");
            errors.push(
                SyntaxError::new(SyntaxCode::TooDeep, place, message)
                    .help("give parts of it a name with `let`"),
            );
        }
        weaver.builder.finish()
    }
}

struct Weaver<'a> {
    arena: &'a Arena,
    source: &'a str,
    tokens: &'a [Token],
    at: usize,
    builder: GreenNodeBuilder<'static>,
    too_deep: Option<TextRange>,
}

impl Weaver<'_> {
    /// Emits a node. Recursive, but no deeper than a few calls for each level of [`MAX_DEPTH`].
    fn emit(&mut self, id: NodeId, depth: usize) {
        let arena = self.arena;
        let Some(node) = arena.get(id) else { return };
        self.tokens_up_to(node.start as usize);
        let depth = depth + usize::from(node.kind.is_expr());
        if depth > MAX_DEPTH {
            if self.too_deep.is_none() {
                self.too_deep = self
                    .tokens
                    .get(self.at)
                    .map(|token| range(token.start as usize, token.end as usize));
            }
            self.builder.start_node(Img::kind_to_raw(SyntaxKind::Error));
        } else {
            self.builder.start_node(Img::kind_to_raw(match node.kind {
                SyntaxKind::LetHead => SyntaxKind::Let,
                kind => kind,
            }));
            for &child in &node.children {
                self.emit(child, depth);
            }
        }
        self.tokens_up_to(node.end as usize);
        self.builder.finish_node();
    }

    fn tokens_up_to(&mut self, end: usize) {
        while self.at < end {
            let Some(token) = self.tokens.get(self.at) else {
                return;
            };
            if !token.is_empty() {
                self.builder
                    .token(Img::kind_to_raw(token.kind), token.text(self.source));
            }
            self.at += 1;
        }
    }
}
