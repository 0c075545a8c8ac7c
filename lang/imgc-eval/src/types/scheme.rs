//! Finished types: plain data that bindings give to each other.
//!
//! Equal types are equal data: parts are shared wherever they are the same, and
//! variables are numbered in the order in which they appear.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::site::Site;

use super::hosts::Host;
use super::ty::{
    Arena, FEW, Field, Heads, Literals, MAX_DEPTH, NOTHING, Node, POISON, Row, Ty, Var,
};

/// How large the type of a binding may be: parts, fields and tags.
pub(super) const MAX_SIZE: usize = 100_000;

/// How many literals of one binding stay open. Further ones are what they are first:
/// a number, a string, a path.
const MAX_LITERALS: usize = 1_000;

/// A type that may be used with any types in the place of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scheme {
    /// The parts, each after those that it is made of. The last is the type itself.
    pub(super) nodes: Box<[Part]>,
    /// What the variables may be.
    pub(super) vars: Box<[SchemeVar]>,
}

/// A part of a finished type; numbers are other parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Poison,
    Nothing,
    Host(Host),
    Var(u32),
    List(u32),
    Map(u32),
    Function(u32, u32),
    Record(Box<[SchemeField]>, Option<u32>),
    Union(Box<[SchemeField]>, Option<u32>),
}

/// A field or tag of a finished type. They are sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SchemeField {
    pub(super) name: Arc<str>,
    pub(super) ty: u32,
    pub(super) optional: bool,
}

/// A variable of a finished type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SchemeVar {
    pub(super) heads: Heads,
    pub(super) row: bool,
    pub(super) equal: bool,
    /// Where the literals are that have this type.
    pub(super) literals: Arc<[Site]>,
}

/// A type that is too large to go on with.
#[derive(Debug, Clone, Copy)]
pub(super) struct TooLarge;

impl Scheme {
    /// The type of what has been reported.
    pub(crate) fn poison() -> Self {
        Self {
            nodes: Box::new([Part::Poison]),
            vars: Box::new([]),
        }
    }

    /// Whether it is the type of something that has been reported.
    pub(crate) fn is_poison(&self) -> bool {
        matches!(self.root(), Part::Poison)
    }

    /// The type itself.
    pub(super) fn root(&self) -> &Part {
        self.nodes.last().unwrap_or(&Part::Poison)
    }

    pub(super) fn part(&self, index: u32) -> &Part {
        &self.nodes[index as usize]
    }
}

impl Part {
    /// Does something with the number of every part that it is made of.
    fn for_each(&self, mut see: impl FnMut(u32)) {
        match self {
            Self::Poison | Self::Nothing | Self::Host(_) | Self::Var(_) => {}
            Self::List(part) | Self::Map(part) => see(*part),
            Self::Function(parameter, result) => {
                see(*parameter);
                see(*result);
            }
            Self::Record(fields, tail) | Self::Union(fields, tail) => {
                fields.iter().for_each(|field| see(field.ty));
                tail.iter().copied().for_each(see);
            }
        }
    }
}

/// Makes a scheme of types in an arena.
struct Builder<'a> {
    arena: &'a mut Arena,
    nodes: Vec<Part>,
    vars: Vec<SchemeVar>,
    /// Parts that are there, so that equal ones are one, where there are more than [`FEW`].
    known: BTreeMap<Part, u32>,
    literals: usize,
    size: usize,
    limit: usize,
}

impl Arena {
    /// The finished type. Every variable that is left is one of the scheme.
    pub(super) fn finish(&mut self, ty: Ty) -> Result<Scheme, TooLarge> {
        self.scheme_of(ty, MAX_SIZE)
    }

    /// The same, of at most so many parts.
    pub(super) fn scheme_of(&mut self, ty: Ty, limit: usize) -> Result<Scheme, TooLarge> {
        self.begin_walk();
        let mut builder = Builder {
            arena: self,
            nodes: Vec::new(),
            vars: Vec::new(),
            known: BTreeMap::new(),
            literals: 0,
            size: 0,
            limit,
        };
        let root = builder.part(ty, 0)?;
        let Builder {
            mut nodes, vars, ..
        } = builder;
        // The type itself was the last to be made, unless it is also a part of itself,
        // which no type is.
        nodes.truncate(root as usize + 1);
        Ok(Scheme {
            nodes: nodes.into(),
            vars: vars.into(),
        })
    }

    /// The type with new variables.
    pub(super) fn instantiate(&mut self, scheme: &Scheme) -> Ty {
        let mut vars: Vec<Option<Ty>> = vec![None; scheme.vars.len()];
        let mut types: Vec<Ty> = Vec::with_capacity(scheme.nodes.len());
        for part in &scheme.nodes {
            let ty = self.scheme_part(scheme, part, &types, &mut vars);
            types.push(ty);
        }
        types.last().copied().unwrap_or(POISON)
    }

    /// A part of the type with new variables.
    pub(super) fn instantiate_part(&mut self, scheme: &Scheme, part: u32) -> Ty {
        let end = part as usize + 1;
        let mut needed = vec![false; end];
        needed[part as usize] = true;
        for index in (0..end).rev() {
            if needed[index] {
                scheme.nodes[index].for_each(|child| needed[child as usize] = true);
            }
        }
        let mut vars: Vec<Option<Ty>> = vec![None; scheme.vars.len()];
        let mut types: Vec<Ty> = vec![POISON; end];
        for index in 0..end {
            if needed[index] {
                types[index] = self.scheme_part(scheme, &scheme.nodes[index], &types, &mut vars);
            }
        }
        types[part as usize]
    }

    fn scheme_part(
        &mut self,
        scheme: &Scheme,
        part: &Part,
        types: &[Ty],
        vars: &mut [Option<Ty>],
    ) -> Ty {
        let at = |index: &u32| types[*index as usize];
        match part {
            Part::Poison => POISON,
            Part::Nothing => NOTHING,
            Part::Host(host) => self.host(*host),
            Part::Var(index) => {
                let index = *index as usize;
                match vars[index] {
                    Some(ty) => ty,
                    None => {
                        let ty = self.scheme_variable(&scheme.vars[index]);
                        vars[index] = Some(ty);
                        ty
                    }
                }
            }
            Part::List(item) => self.list(at(item)),
            Part::Map(value) => self.map(at(value)),
            Part::Function(parameter, result) => self.function(at(parameter), at(result)),
            Part::Record(fields, tail) => {
                let tail = tail.as_ref().map(at);
                let fields = self.scheme_fields(fields, types);
                self.record(fields, tail)
            }
            Part::Union(tags, tail) => {
                let tail = tail.as_ref().map(at);
                let tags = self.scheme_fields(tags, types);
                self.union(tags, tail)
            }
        }
    }

    fn scheme_fields(&mut self, fields: &[SchemeField], types: &[Ty]) -> Vec<Field> {
        let fields = fields.iter().map(|field| Field {
            name: self.symbol(&field.name),
            ty: types[field.ty as usize],
            optional: field.optional,
        });
        fields.collect()
    }

    fn scheme_variable(&mut self, var: &SchemeVar) -> Ty {
        let mut literals = 0;
        if !var.literals.is_empty() {
            literals = u32::try_from(self.literals.len()).unwrap_or(u32::MAX);
            self.literals.push(Literals::Many(var.literals.clone()));
        }
        self.variable(Var {
            level: self.level,
            heads: var.heads,
            row: var.row,
            equal: var.equal,
            literals,
        })
    }
}

impl Builder<'_> {
    fn part(&mut self, ty: Ty, depth: u32) -> Result<u32, TooLarge> {
        let (root, node) = self.arena.resolve(ty);
        if let Some(done) = self.arena.mark(root) {
            return Ok(done);
        }
        if depth > MAX_DEPTH {
            return Err(TooLarge);
        }
        let part = match node {
            Node::Link(_) | Node::Poison => Part::Poison,
            Node::Nothing => Part::Nothing,
            Node::Host(host) => Part::Host(host),
            Node::List(item) => Part::List(self.part(item, depth + 1)?),
            Node::Map(value) => Part::Map(self.part(value, depth + 1)?),
            Node::Function(parameter, result) => {
                let parameter = self.part(parameter, depth + 1)?;
                Part::Function(parameter, self.part(result, depth + 1)?)
            }
            Node::Record(row) => {
                let (fields, tail) = self.row(row, depth)?;
                Part::Record(fields, tail)
            }
            Node::Union(row) => {
                let (tags, tail) = self.row(row, depth)?;
                Part::Union(tags, tail)
            }
            Node::Var(index) => self.variable(index),
        };
        let index = self.add(part)?;
        self.arena.set_mark(root, index);
        Ok(index)
    }

    fn add(&mut self, part: Part) -> Result<u32, TooLarge> {
        if let Some(known) = self.find(&part) {
            return Ok(known);
        }
        self.size += match &part {
            Part::Record(fields, _) | Part::Union(fields, _) => fields.len() + 1,
            _ => 1,
        };
        if self.size > self.limit {
            return Err(TooLarge);
        }
        let index = u32::try_from(self.nodes.len()).map_err(|_| TooLarge)?;
        if self.nodes.len() == FEW {
            self.known = self.nodes.iter().cloned().zip(0..).collect();
        }
        if self.nodes.len() >= FEW {
            self.known.insert(part.clone(), index);
        }
        self.nodes.push(part);
        Ok(index)
    }

    fn find(&self, part: &Part) -> Option<u32> {
        if self.nodes.len() > FEW {
            return self.known.get(part).copied();
        }
        let at = self.nodes.iter().position(|known| known == part)?;
        u32::try_from(at).ok()
    }

    fn row(&mut self, row: Row, depth: u32) -> Result<(Box<[SchemeField]>, Option<u32>), TooLarge> {
        let flat = self.arena.flatten(row);
        let arena = &*self.arena;
        let mut named: Vec<(Arc<str>, Field)> = flat
            .fields
            .iter()
            .map(|field| (arena.name(field.name).clone(), *field))
            .collect();
        // The order of symbols is that of their first mention, which is not the type's.
        named.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let mut fields = Vec::with_capacity(named.len());
        for (name, field) in named {
            fields.push(SchemeField {
                name,
                ty: self.part(field.ty, depth + 1)?,
                optional: field.optional,
            });
        }
        let tail = match flat.tail {
            Some(tail) => Some(self.part(tail, depth + 1)?),
            None => None,
        };
        Ok((fields.into(), tail))
    }

    fn variable(&mut self, index: u32) -> Part {
        let var = self.arena.vars[index as usize];
        let mut literals: Arc<[Site]> = Arc::from([]);
        if var.literals != 0 {
            self.literals += 1;
            if self.literals > MAX_LITERALS
                && let Some(host) = var.heads.first()
            {
                return Part::Host(host);
            }
            literals = self.arena.literal_sites(var.literals).into();
        }
        let number = u32::try_from(self.vars.len()).unwrap_or(u32::MAX);
        self.vars.push(SchemeVar {
            heads: var.heads,
            row: var.row,
            equal: var.equal,
            literals,
        });
        Part::Var(number)
    }
}
