//! Types while they are inferred: nodes in an arena, which are shared and never
//! copied without need. Every node can be led to another (union-find).
//!
//! It holds types. It neither compares nor shows them.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::site::Site;

use super::hosts::Host;

/// How deep types may nest, and so how deep anything here calls itself.
pub(super) const MAX_DEPTH: u32 = 400;

/// How many nodes the types of one binding may have while they are inferred.
pub(super) const MAX_NODES: usize = 300_000;

/// How many pairs of nodes are compared for one binding.
pub(super) const MAX_WORK: u64 = 20_000_000;

/// How many things are looked at one by one: of more there is an index.
pub(super) const FEW: usize = 16;

/// The level of variables that a use of the type puts others in the place of.
pub(super) const GENERIC: u32 = u32::MAX;

/// A type: the index of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ty(pub(super) u32);

/// A name of a field or tag: an index into [`Arena::names`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sym(u32);

/// What a type is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    /// The same as another.
    Link(Ty),
    /// Not known yet: an index into [`Arena::vars`].
    Var(u32),
    /// Something that is wrong and has been reported: fits everything.
    Poison,
    /// What a tag without a payload carries.
    Nothing,
    /// A type of the host without parts.
    Host(Host),
    /// `[T]`
    List(Ty),
    /// `Map T`
    Map(Ty),
    /// `A -> B`
    Function(Ty, Ty),
    /// `{ a : T }`
    Record(Row),
    /// `A | B T`
    Union(Row),
}

/// Fields or tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The first of [`Arena::fields`].
    start: u32,
    /// How many.
    len: u32,
    /// More of them: a variable, or a record or union that it became. A field that is
    /// here hides one of the same name in there.
    pub(super) tail: Option<Ty>,
}

/// A field of a record, or a tag of a union and what it carries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// Its name.
    pub(super) name: Sym,
    /// Its type.
    pub(super) ty: Ty,
    /// Whether it may be missing.
    pub(super) optional: bool,
}

/// A row with all that its tail became, sorted by [`Sym`].
#[derive(Debug, Clone)]
pub(super) struct Flat {
    /// Every field.
    pub(super) fields: Vec<Field>,
    /// A variable, or poison. `None`: there is no more.
    pub(super) tail: Option<Ty>,
}

/// What is known of a variable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Var {
    /// How many `let`s deep it belongs.
    pub(super) level: u32,
    /// What it may become.
    pub(super) heads: Heads,
    /// Whether it stands for more fields or tags, and not for a type.
    pub(super) row: bool,
    /// Whether all its parts must be comparable.
    pub(super) equal: bool,
    /// The literals whose type it is: an index into [`Arena::literals`], 0 for none.
    pub(super) literals: u32,
}

/// A set of the outermost parts of types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Heads(pub(super) u32);

impl Heads {
    /// A list.
    pub(super) const LIST: Self = Self(1 << 27);
    /// A map.
    pub(super) const MAP: Self = Self(1 << 28);
    /// A function.
    pub(super) const FUNCTION: Self = Self(1 << 29);
    /// A record.
    pub(super) const RECORD: Self = Self(1 << 30);
    /// A union.
    pub(super) const UNION: Self = Self(1 << 31);
    /// Any type.
    pub(super) const ANY: Self = Self(u32::MAX);
    /// What an integer literal may be.
    pub(super) const INT: Self = Self::of(&[Host::Int, Host::Mode, Host::Port, Host::Owner]);
    /// What a string literal may be.
    pub(super) const STRING: Self = Self::of(&[
        Host::String,
        Host::Package,
        Host::Platform,
        Host::Suite,
        Host::Variant,
        Host::Port,
        Host::Owner,
        Host::File,
    ]);
    /// What a path literal may be.
    pub(super) const PATH: Self = Self::of(&[Host::Path, Host::File, Host::Program, Host::Source]);
    /// What has an order.
    pub(super) const ORDERED: Self = Self::of(&[Host::Int, Host::String]);
    /// What `${}` takes.
    pub(super) const TEXT: Self = Self::of(&[
        Host::String,
        Host::Package,
        Host::Platform,
        Host::Suite,
        Host::Variant,
    ]);
    /// What `toString` takes.
    pub(super) const SHOWN: Self = Self(
        Self::TEXT.0 | Self::of(&[Host::Int, Host::Bool, Host::Mode, Host::Port, Host::Path]).0,
    );
    /// What a number of a `match` may be.
    pub(super) const NUMBER: Self = Self::of(&[Host::Int, Host::Mode]);
    /// What can be compared, if its parts can.
    pub(super) const EQUAL: Self = Self(
        Self::SHOWN.0 & !Self::of(&[Host::Port]).0
            | Self::of(&[
                Host::Data,
                Host::User,
                Host::Group,
                Host::Config,
                Host::Attributes,
                Host::Archive,
                Host::Layers,
                Host::IdRange,
                Host::Health,
            ])
            .0
            | Self::LIST.0
            | Self::MAP.0
            | Self::RECORD.0
            | Self::UNION.0,
    );

    /// These types of the host.
    pub(super) const fn of(hosts: &[Host]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < hosts.len() {
            bits |= 1 << hosts[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// What both sets have.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether all of `other` is in here.
    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The only type that is left, if it is one of the host.
    pub(super) fn only(self) -> Option<Host> {
        if self.0.count_ones() != 1 {
            return None;
        }
        self.first()
    }

    /// The first type of the host in the set: what a literal is if nothing says more.
    pub(super) fn first(self) -> Option<Host> {
        Host::ALL.get(self.0.trailing_zeros() as usize).copied()
    }
}

/// Literals, as a tree of those that came together.
#[derive(Debug, Clone)]
pub(super) enum Literals {
    /// None.
    None,
    /// One of this binding.
    One(Site),
    /// Those of a scheme.
    Many(Arc<[Site]>),
    /// Those of two variables.
    Both(u32, u32),
}

/// A node, and what helps to walk over it.
#[derive(Debug, Clone, Copy)]
struct Slot {
    node: Node,
    /// Whether no variable was in it when it was made.
    ground: bool,
    /// The last walk that was here.
    stamp: u32,
    /// What that walk made of it.
    mark: u32,
}

/// The types of one binding.
#[derive(Debug)]
pub(super) struct Arena {
    slots: Vec<Slot>,
    fields: Vec<Field>,
    /// What is known of the variables.
    pub(super) vars: Vec<Var>,
    pub(super) literals: Vec<Literals>,
    /// The literals that became a type whose literals are checked.
    pub(super) checks: Vec<(u32, Host)>,
    names: Vec<Arc<str>>,
    /// The symbols of all names, where there are more than [`FEW`].
    symbols: BTreeMap<Arc<str>, Sym>,
    walk: u32,
    /// The level of variables that are made now.
    pub(super) level: u32,
    /// Work done so far.
    pub(super) work: u64,
    /// The work up to which a comparison does not remember what it has seen.
    pub(super) patience: u64,
    /// Pairs that one comparison has seen.
    pub(super) seen: BTreeSet<(Ty, Ty)>,
    /// The tables of the host's records, once they are needed.
    pub(super) tables: [Option<Ty>; 9],
}

/// Poison.
pub(super) const POISON: Ty = Ty(0);
/// What a bare tag carries.
pub(super) const NOTHING: Ty = Ty(1);

/// The types without parts, which every arena begins with.
const BASE: usize = NOTHING.0 as usize + 1 + Host::ALL.len();

thread_local! {
    /// Arenas that are not in use: most bindings are so small that to make one is most of
    /// the work.
    static SPARE: RefCell<Vec<Arena>> = const { RefCell::new(Vec::new()) };
}

impl Arena {
    /// An empty arena, which may have been used before.
    pub(super) fn take() -> Self {
        let spare = SPARE.with(|spare| spare.borrow_mut().pop());
        spare.unwrap_or_else(Self::new)
    }

    /// Empties the arena, and keeps its memory for another binding.
    pub(super) fn give_back(mut self) {
        /// Larger ones, and more of them, are not kept.
        const MOST: usize = 10_000;
        const SPARES: usize = 16;
        if self.slots.capacity() > MOST || self.fields.capacity() > MOST {
            return;
        }
        self.slots.truncate(BASE);
        for slot in &mut self.slots {
            slot.stamp = 0;
        }
        self.fields.clear();
        self.vars.clear();
        self.literals.truncate(1);
        self.checks.clear();
        self.names.clear();
        self.symbols.clear();
        self.walk = 0;
        self.level = 0;
        self.work = 0;
        self.patience = 0;
        self.seen.clear();
        self.tables = [None; 9];
        SPARE.with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < SPARES {
                spare.push(self);
            }
        });
    }

    /// An arena with the types that have no parts.
    pub(super) fn new() -> Self {
        let mut arena = Self {
            slots: Vec::with_capacity(64),
            fields: Vec::new(),
            vars: Vec::with_capacity(16),
            literals: vec![Literals::None],
            checks: Vec::new(),
            names: Vec::new(),
            symbols: BTreeMap::new(),
            walk: 0,
            level: 0,
            work: 0,
            patience: 0,
            seen: BTreeSet::new(),
            tables: [None; 9],
        };
        arena.push(Node::Poison, true);
        arena.push(Node::Nothing, true);
        for host in Host::ALL {
            arena.push(Node::Host(host), true);
        }
        arena
    }

    fn push(&mut self, node: Node, ground: bool) -> Ty {
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.slots.push(Slot {
            node,
            ground,
            stamp: 0,
            mark: 0,
        });
        Ty(index)
    }

    /// Whether the types became too large to go on.
    pub(super) fn is_full(&self) -> bool {
        self.slots.len() > MAX_NODES || self.fields.len() > MAX_NODES || self.work > MAX_WORK
    }

    /// The symbol of a name.
    pub(super) fn symbol(&mut self, name: &Arc<str>) -> Sym {
        if let Some(symbol) = self.known_symbol(name) {
            return symbol;
        }
        let symbol = Sym(u32::try_from(self.names.len()).unwrap_or(u32::MAX));
        self.names.push(name.clone());
        if self.names.len() == FEW {
            let names = self.names.iter().cloned();
            self.symbols = names.zip((0..).map(Sym)).collect();
        } else if self.names.len() > FEW {
            self.symbols.insert(name.clone(), symbol);
        }
        symbol
    }

    /// The symbol of a name that has one.
    pub(super) fn known_symbol(&self, name: &str) -> Option<Sym> {
        if self.names.len() >= FEW {
            return self.symbols.get(name).copied();
        }
        let at = self.names.iter().position(|known| **known == *name)?;
        u32::try_from(at).ok().map(Sym)
    }

    /// The name of a symbol.
    pub(super) fn name(&self, symbol: Sym) -> &Arc<str> {
        &self.names[symbol.0 as usize]
    }

    /// A type of the host.
    pub(super) fn host(&self, host: Host) -> Ty {
        Ty(NOTHING.0 + 1 + host as u32)
    }

    /// `[T]`
    pub(super) fn list(&mut self, item: Ty) -> Ty {
        let ground = self.is_ground(item);
        self.push(Node::List(item), ground)
    }

    /// `Map T`
    pub(super) fn map(&mut self, value: Ty) -> Ty {
        let ground = self.is_ground(value);
        self.push(Node::Map(value), ground)
    }

    /// `A -> B`
    pub(super) fn function(&mut self, parameter: Ty, result: Ty) -> Ty {
        let ground = self.is_ground(parameter) && self.is_ground(result);
        self.push(Node::Function(parameter, result), ground)
    }

    /// A record. The fields come in any order, each name once.
    pub(super) fn record(&mut self, fields: Vec<Field>, tail: Option<Ty>) -> Ty {
        let (row, ground) = self.row(fields, tail);
        self.push(Node::Record(row), ground)
    }

    /// A union. The tags come in any order, each once.
    pub(super) fn union(&mut self, tags: Vec<Field>, tail: Option<Ty>) -> Ty {
        let (row, ground) = self.row(tags, tail);
        self.push(Node::Union(row), ground)
    }

    fn row(&mut self, mut fields: Vec<Field>, tail: Option<Ty>) -> (Row, bool) {
        if !fields.is_sorted_by_key(|field| field.name) {
            fields.sort_unstable_by_key(|field| field.name);
        }
        let start = u32::try_from(self.fields.len()).unwrap_or(u32::MAX);
        let len = u32::try_from(fields.len()).unwrap_or(u32::MAX);
        let ground = tail.is_none() && fields.iter().all(|field| self.is_ground(field.ty));
        self.fields.extend(fields);
        (Row { start, len, tail }, ground)
    }

    /// A variable that may become any type.
    pub(super) fn fresh(&mut self) -> Ty {
        self.variable(Var {
            level: self.level,
            heads: Heads::ANY,
            row: false,
            equal: false,
            literals: 0,
        })
    }

    /// A variable that may become one of these.
    pub(super) fn fresh_of(&mut self, heads: Heads) -> Ty {
        if let Some(host) = heads.only() {
            return self.host(host);
        }
        self.variable(Var {
            level: self.level,
            heads,
            row: false,
            equal: false,
            literals: 0,
        })
    }

    /// A variable for more fields or tags.
    pub(super) fn fresh_row(&mut self) -> Ty {
        self.variable(Var {
            level: self.level,
            heads: Heads::ANY,
            row: true,
            equal: false,
            literals: 0,
        })
    }

    /// The type of a literal.
    pub(super) fn literal(&mut self, heads: Heads, site: Site) -> Ty {
        let literals = u32::try_from(self.literals.len()).unwrap_or(u32::MAX);
        self.literals.push(Literals::One(site));
        self.variable(Var {
            level: self.level,
            heads,
            row: false,
            equal: false,
            literals,
        })
    }

    /// A variable.
    pub(super) fn variable(&mut self, var: Var) -> Ty {
        let index = u32::try_from(self.vars.len()).unwrap_or(u32::MAX);
        self.vars.push(var);
        self.push(Node::Var(index), false)
    }

    /// What stands for the type now.
    pub(super) fn find(&mut self, ty: Ty) -> Ty {
        let mut root = ty;
        while let Node::Link(next) = self.slots[root.0 as usize].node {
            root = next;
        }
        let mut at = ty;
        while let Node::Link(next) = self.slots[at.0 as usize].node {
            self.slots[at.0 as usize].node = Node::Link(root);
            at = next;
        }
        root
    }

    /// What the type is: never a link.
    pub(super) fn node(&mut self, ty: Ty) -> Node {
        let root = self.find(ty);
        self.slots[root.0 as usize].node
    }

    /// What the type is, and what stands for it.
    pub(super) fn resolve(&mut self, ty: Ty) -> (Ty, Node) {
        let root = self.find(ty);
        (root, self.slots[root.0 as usize].node)
    }

    /// Leads a type, which stands for itself, to another.
    pub(super) fn link(&mut self, from: Ty, to: Ty) {
        if from != to {
            self.slots[from.0 as usize].node = Node::Link(to);
        }
    }

    /// Whether the type is known to have no variable in it.
    pub(super) fn is_ground(&self, ty: Ty) -> bool {
        self.slots[ty.0 as usize].ground
    }

    /// Whether the type is poison.
    pub(super) fn is_poison(&mut self, ty: Ty) -> bool {
        matches!(self.node(ty), Node::Poison)
    }

    /// Begins a walk, in which [`Arena::enter`] is true once for each node.
    pub(super) fn begin_walk(&mut self) {
        self.walk += 1;
    }

    /// Whether this walk was not at the node before.
    pub(super) fn enter(&mut self, ty: Ty) -> bool {
        let slot = &mut self.slots[ty.0 as usize];
        let new = slot.stamp != self.walk;
        slot.stamp = self.walk;
        new
    }

    /// What this walk made of the node, if it was there.
    pub(super) fn mark(&self, ty: Ty) -> Option<u32> {
        let slot = &self.slots[ty.0 as usize];
        (slot.stamp == self.walk).then_some(slot.mark)
    }

    /// Says what this walk made of the node.
    pub(super) fn set_mark(&mut self, ty: Ty, mark: u32) {
        let slot = &mut self.slots[ty.0 as usize];
        slot.stamp = self.walk;
        slot.mark = mark;
    }

    /// The fields that stand in the row itself.
    pub(super) fn own_fields(&self, row: Row) -> &[Field] {
        &self.fields[row.start as usize..(row.start + row.len) as usize]
    }

    /// Field `index` of the row itself.
    pub(super) fn own_field(&self, row: Row, index: usize) -> Option<Field> {
        self.own_fields(row).get(index).copied()
    }

    /// The field of that name of a record, or what more the record may have: a variable or
    /// poison. Neither: it has no such field, or is no record.
    pub(super) fn field(&mut self, record: Ty, name: Sym) -> Result<Field, Option<Ty>> {
        /// A row of more parts is made one, if that does not copy many fields for few.
        const PARTS: usize = 32;
        let (root, node) = self.resolve(record);
        let Node::Record(row) = node else {
            return Err(None);
        };
        let mut at = row;
        let (mut parts, mut fields) = (0, 0);
        loop {
            let own = self.own_fields(at);
            let len = own.len();
            if let Ok(index) = own.binary_search_by_key(&name, |field| field.name) {
                return Ok(own[index]);
            }
            let Some(tail) = at.tail else {
                return Err(None);
            };
            let (tail, node) = self.resolve(tail);
            let Node::Record(more) = node else {
                return Err(Some(tail));
            };
            fields += len;
            at = more;
            parts += 1;
            if parts > PARTS && parts * 8 > fields {
                let flat = self.flatten(row);
                let (row, _) = self.row(flat.fields, flat.tail);
                self.slots[root.0 as usize].node = Node::Record(row);
                at = row;
                (parts, fields) = (0, 0);
            }
        }
    }

    /// The row with what its tail became.
    pub(super) fn flatten(&mut self, row: Row) -> Flat {
        let mut fields = self.own_fields(row).to_vec();
        let mut tail = row.tail;
        let mut extended = false;
        while let Some(next) = tail {
            let (root, node) = self.resolve(next);
            let (Node::Record(more) | Node::Union(more)) = node else {
                tail = Some(root);
                break;
            };
            extended = true;
            fields.extend_from_slice(self.own_fields(more));
            tail = more.tail;
        }
        if extended {
            // Stable: of two fields of one name the outer one stays.
            fields.sort_by_key(|field| field.name);
            fields.dedup_by_key(|field| field.name);
        }
        Flat { fields, tail }
    }

    /// The literals of two variables together.
    pub(super) fn join_literals(&mut self, a: u32, b: u32) -> u32 {
        if a == b || b == 0 {
            return a;
        }
        if a == 0 {
            return b;
        }
        let index = u32::try_from(self.literals.len()).unwrap_or(u32::MAX);
        self.literals.push(Literals::Both(a, b));
        index
    }

    /// Every literal of a variable, each once, in the order in which they were met.
    pub(super) fn literal_sites(&self, literals: u32) -> Vec<Site> {
        let mut seen = BTreeSet::new();
        self.new_literal_sites(literals, &mut |at| seen.insert(at))
    }

    /// The same of parts of the tree that are `new`. A part is told by where its data is.
    pub(super) fn new_literal_sites(
        &self,
        literals: u32,
        new: &mut dyn FnMut(usize) -> bool,
    ) -> Vec<Site> {
        /// Nobody reads the findings of more. What is left is looked at when it is evaluated.
        const MOST: usize = 2_000;
        let mut sites: Vec<Site> = Vec::new();
        if let Literals::One(site) = &self.literals[literals as usize] {
            sites.push(*site);
            return sites;
        }
        let mut stack = vec![literals];
        while let Some(index) = stack.pop() {
            let literals = &self.literals[index as usize];
            let data = match literals {
                Literals::Many(many) => many.as_ptr() as usize,
                other => std::ptr::from_ref(other) as usize,
            };
            if sites.len() >= MOST || !new(data) {
                continue;
            }
            match literals {
                Literals::None => {}
                Literals::One(site) => sites.push(*site),
                Literals::Many(many) => sites.extend_from_slice(many),
                Literals::Both(a, b) => {
                    stack.push(*b);
                    stack.push(*a);
                }
            }
        }
        sites
    }
}

impl Flat {
    /// The field of that name.
    pub(super) fn get(&self, name: Sym) -> Option<Field> {
        let at = self.fields.binary_search_by_key(&name, |field| field.name);
        at.ok().map(|at| self.fields[at])
    }
}
