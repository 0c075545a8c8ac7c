//! The nodes that the grammar's actions make, and the weaving of nodes and tokens into a tree.
//! Nodes hold no text: the text comes from the tokens, all of them, so nothing can be lost.

use crate::MAX_DEPTH;
use crate::error::{Errors, SyntaxCode, SyntaxError};
use crate::kind::SyntaxKind;
use crate::lex::Token;
use crate::text::range;
use crate::tree::{Tree, TreeBuilder};

/// Number of a node in its [`Arena`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeId(u32);

/// A node: its kind, the tokens it covers (by index, `start..end`), its children in order (by index
/// in the arena's list of them).
#[derive(Debug, Clone, Copy)]
struct Node {
    kind: SyntaxKind,
    start: u32,
    end: u32,
    first: u32,
    count: u32,
}

/// All nodes of one parse. Flat, so that deep trees need no deep stack to build or drop.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    nodes: Vec<Node>,
    children: Vec<NodeId>,
}

/// A state of an [`Arena`] to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    nodes: usize,
    children: usize,
}

impl Arena {
    /// An empty one, with room for what so many tokens come to in real programs.
    pub(crate) fn for_tokens(tokens: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(tokens),
            children: Vec::with_capacity(tokens),
        }
    }

    /// Adds a node over the tokens `start..end`.
    pub(crate) fn node(
        &mut self,
        kind: SyntaxKind,
        start: u32,
        end: u32,
        children: &[NodeId],
    ) -> NodeId {
        let first = self.children.len();
        self.children.extend_from_slice(children);
        self.finish(kind, start, end, first)
    }

    /// Adds a node whose children are those of `head`, and then `more`.
    pub(crate) fn splice(
        &mut self,
        kind: SyntaxKind,
        (start, end): (u32, u32),
        (head, more): (NodeId, Option<NodeId>),
    ) -> NodeId {
        let first = self.children.len();
        self.children.extend_from_within(self.children_of(head));
        self.children.extend(more);
        self.finish(kind, start, end, first)
    }

    /// Adds a bracket's node. What stands in it in a `Typed` node becomes its own.
    pub(crate) fn wrap(
        &mut self,
        kind: SyntaxKind,
        start: u32,
        end: u32,
        children: &[NodeId],
    ) -> NodeId {
        if let [inner, more @ ..] = children
            && self.kind(*inner) == Some(SyntaxKind::Typed)
        {
            return self.splice(kind, (start, end), (*inner, more.first().copied()));
        }
        self.node(kind, start, end, children)
    }

    /// Adds a `Binary` over two operands.
    pub(crate) fn binary(&mut self, left: NodeId, right: NodeId) -> NodeId {
        let start = self.get(left).map_or(0, |left| left.start);
        let end = self.get(right).map_or(start, |right| right.end);
        self.node(SyntaxKind::Binary, start, end, &[left, right])
    }

    /// Adds a `Match` from what is looked at and its arms.
    pub(crate) fn match_on(&mut self, of: NodeId, arms: NodeId, start: u32, end: u32) -> NodeId {
        let first = self.children.len();
        self.children.push(of);
        self.children.extend_from_within(self.children_of(arms));
        self.finish(SyntaxKind::Match, start, end, first)
    }

    /// Adds a node with the children from `first` on.
    fn finish(&mut self, kind: SyntaxKind, start: u32, end: u32, first: usize) -> NodeId {
        let id = NodeId(number(self.nodes.len()));
        self.nodes.push(Node {
            kind,
            start,
            end,
            first: number(first),
            count: number(self.children.len() - first),
        });
        id
    }

    /// Appends a child to a node that ends before it.
    pub(crate) fn append(&mut self, parent: NodeId, child: NodeId) {
        let end = self.get(child).map_or(0, |child| child.end);
        let first = self.children.len();
        self.children.extend_from_within(self.children_of(parent));
        self.children.push(child);
        let count = number(self.children.len() - first);
        if let Some(parent) = self.nodes.get_mut(parent.0 as usize) {
            parent.end = parent.end.max(end);
            parent.first = number(first);
            parent.count = count;
        }
    }

    /// A node and all in it, for tests.
    #[cfg(test)]
    pub(crate) fn shown(&self, id: NodeId) -> String {
        let children: Vec<String> = self.children(id).iter().map(|&id| self.shown(id)).collect();
        let Some(node) = self.get(id) else {
            return String::new();
        };
        format!(
            "({:?} {}..{} {})",
            node.kind,
            node.start,
            node.end,
            children.join(" ")
        )
    }

    /// What kind of node it is.
    pub(crate) fn kind(&self, id: NodeId) -> Option<SyntaxKind> {
        self.get(id).map(|node| node.kind)
    }

    /// The children of a node.
    pub(crate) fn children(&self, id: NodeId) -> &[NodeId] {
        self.children.get(self.children_of(id)).unwrap_or_default()
    }

    /// What there is now.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            nodes: self.nodes.len(),
            children: self.children.len(),
        }
    }

    /// Forgets the nodes made since a mark. Nothing may refer to them.
    pub(crate) fn reset(&mut self, mark: Mark) {
        self.nodes.truncate(mark.nodes);
        self.children.truncate(mark.children);
    }

    fn get(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    fn children_of(&self, id: NodeId) -> std::ops::Range<usize> {
        self.get(id).map_or(0..0, |node| {
            let first = node.first as usize;
            first..first + node.count as usize
        })
    }

    /// The tree: the root's children in a `File` that holds every token. Nodes too deep become
    /// `Error` nodes without structure; the first is reported.
    pub(crate) fn weave(
        &self,
        source: &str,
        tokens: Vec<Token>,
        children: &[NodeId],
        errors: &mut Errors,
    ) -> Tree {
        let mut weaver = Weaver {
            arena: self,
            tokens: number(tokens.len()),
            at: 0,
            tree: TreeBuilder::new(self.nodes.len()),
            too_deep: None,
        };
        for &child in children {
            weaver.emit(child, 0);
        }
        if let Some(at) = weaver.too_deep {
            let message =
                format!("expressions or types stand in one another more than {MAX_DEPTH} deep");
            let place = tokens.get(at as usize);
            let place = place.map(|token| range(token.start as usize, token.end as usize));
            errors.push(
                SyntaxError::new(SyntaxCode::TooDeep, place.unwrap_or_default(), message)
                    .help("give parts of it a name with `let`"),
            );
        }
        weaver.tree.finish(source, tokens)
    }
}

/// `Name` or `Name T` in a type: one type, or the alternative of a union. What follows decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Headed {
    /// The tokens of the name.
    name: (u32, u32),
    argument: Option<NodeId>,
}

impl Headed {
    pub(crate) fn new(start: u32, end: u32, argument: Option<NodeId>) -> Self {
        Self {
            name: (start, end),
            argument,
        }
    }

    pub(crate) fn into_type(self, arena: &mut Arena, start: u32, end: u32) -> NodeId {
        let head = arena.node(SyntaxKind::TypeName, self.name.0, self.name.1, &[]);
        match self.argument {
            None => head,
            Some(argument) => arena.node(SyntaxKind::TypeApply, start, end, &[head, argument]),
        }
    }

    pub(crate) fn into_alternative(self, arena: &mut Arena, start: u32, end: u32) -> NodeId {
        let name = arena.node(SyntaxKind::Name, self.name.0, self.name.1, &[]);
        match self.argument {
            None => arena.node(SyntaxKind::TypeAlternative, start, end, &[name]),
            Some(payload) => arena.node(SyntaxKind::TypeAlternative, start, end, &[name, payload]),
        }
    }
}

struct Weaver<'a> {
    arena: &'a Arena,
    /// How many tokens there are.
    tokens: u32,
    /// The token that is next.
    at: u32,
    tree: TreeBuilder,
    /// The first token of the first node that is too deep.
    too_deep: Option<u32>,
}

impl Weaver<'_> {
    /// Emits a node. Recursive, but no deeper than a few calls for each level of [`MAX_DEPTH`].
    fn emit(&mut self, id: NodeId, depth: usize) {
        let arena = self.arena;
        let Some(node) = arena.get(id) else { return };
        self.advance(node.start);
        let depth = depth + usize::from(node.kind.is_expr() || node.kind.is_type());
        self.tree.open(self.at);
        let kind = if depth > MAX_DEPTH {
            self.too_deep.get_or_insert(self.at);
            if node.kind.is_type() {
                SyntaxKind::ErrorType
            } else {
                SyntaxKind::Error
            }
        } else {
            for &child in arena.children(id) {
                self.emit(child, depth);
            }
            match node.kind {
                // Heads and arms on their own, where the rest was not understood.
                SyntaxKind::LetHead => SyntaxKind::Let,
                SyntaxKind::Arms | SyntaxKind::Typed => SyntaxKind::Error,
                kind => kind,
            }
        };
        self.advance(node.end);
        self.tree.close(kind, self.at);
    }

    /// Goes on to a token. Never back: every token is in one place.
    fn advance(&mut self, to: u32) {
        self.at = self.at.max(to.min(self.tokens));
    }
}

/// A count of nodes. There are fewer than four for each token, and children are copied once at most
/// for each level that [`Arena::splice`] and [`Arena::append`] add.
fn number(count: usize) -> u32 {
    u32::try_from(count).expect("bounded by the number of tokens")
}
