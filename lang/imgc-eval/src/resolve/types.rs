//! Written types: names of declared types are replaced by what they stand for.
//!
//! What a file's types grow to is bounded, so that short declarations can't stand for
//! endless types. No types of expressions are known here.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{codes, did_you_mean};
use imgc_syntax::TextRange;
use imgc_syntax::ast::{self, AstNode as _};

use crate::cycles;
use crate::ir::{Rest, TypeExpr, TypeField};
use crate::problem::Problem;

use super::Lowerer;
use super::record::Meaning;

/// How many parts one use of a declared type may stand for.
const MAX_ONE: usize = 10_000;
/// How many parts all uses of declared types of a file may stand for.
pub(super) const MAX_ALL: usize = 500_000;
/// How deep the parts of a type may stand in each other.
const MAX_DEPTH: usize = 200;

/// The types of the host, with the number of their arguments.
const HOST: &[(&str, usize)] = &[
    ("Archive", 0),
    ("Attributes", 0),
    ("Bool", 0),
    ("Config", 0),
    ("Data", 0),
    ("Effects", 0),
    ("File", 0),
    ("Group", 0),
    ("Health", 0),
    ("IdRange", 0),
    ("Image", 0),
    ("Index", 0),
    ("Int", 0),
    ("Layers", 0),
    ("Map", 1),
    ("Mode", 0),
    ("Owner", 0),
    ("Package", 0),
    ("Packages", 0),
    ("Path", 0),
    ("Platform", 0),
    ("Port", 0),
    ("Program", 0),
    ("Source", 0),
    ("String", 0),
    ("Suite", 0),
    ("User", 0),
    ("Variant", 0),
];

/// A type that a `let` declares.
#[derive(Debug)]
pub(super) struct Declared {
    /// Where its name stands.
    pub(super) range: TextRange,
    /// Whether anything names it.
    pub(super) used: bool,
    params: Vec<Arc<str>>,
    ty: Measured,
}

/// A type and how large it is.
#[derive(Debug, Clone)]
struct Measured {
    ty: TypeExpr,
    /// How many parts it has.
    size: usize,
    /// How deep they stand in each other.
    depth: usize,
    /// Whether a part is poison.
    spoilt: bool,
}

/// Why a declared type can't be written out.
enum Refused {
    TooLarge,
    NoFields(Arc<str>),
    Twice(Arc<str>),
}

/// How much of a type has been written out.
struct Meter {
    size: usize,
    room: usize,
    deepest: usize,
}

impl Measured {
    fn poison() -> Self {
        Self {
            ty: TypeExpr::Poison,
            size: 1,
            depth: 1,
            spoilt: true,
        }
    }

    /// A type without parts.
    fn leaf(ty: TypeExpr) -> Self {
        Self {
            ty,
            size: 1,
            depth: 1,
            spoilt: false,
        }
    }
}

/// What the parts of a type sum up to.
#[derive(Default)]
struct Sum {
    size: usize,
    depth: usize,
    spoilt: bool,
}

impl Sum {
    /// Counts a part, and gives its type back.
    fn take(&mut self, part: Measured) -> TypeExpr {
        self.size += part.size;
        self.depth = self.depth.max(part.depth);
        self.spoilt |= part.spoilt;
        part.ty
    }

    fn whole(self, ty: TypeExpr) -> Measured {
        Measured {
            ty,
            size: self.size + 1,
            depth: self.depth + 1,
            spoilt: self.spoilt,
        }
    }
}

impl Lowerer<'_> {
    /// The type that something says it has.
    pub(super) fn annotation(&mut self, ty: &ast::Type<'_>) -> TypeExpr {
        self.ty(ty, None).ty
    }

    /// Puts the types that a `let` declares into the innermost scope.
    pub(super) fn declare_types(&mut self, e: &ast::Let<'_>) {
        let mut found: BTreeMap<Arc<str>, (TextRange, ast::TypeDecl<'_>)> = BTreeMap::new();
        for declaration in e.type_decls() {
            let Some(name) = declaration.name() else {
                continue;
            };
            let (text, range): (Arc<str>, _) = (name.text().into(), name.range());
            if let Some((earlier, _)) = found.get(&text) {
                let message = format!("the type `{text}` is declared twice in this `let`");
                let problem = Problem::new(codes::DUPLICATE_NAME, range, message);
                self.report(problem.label(*earlier, "it is declared here first"));
                continue;
            }
            found.insert(text, (range, declaration));
        }
        let names: Vec<Arc<str>> = found.keys().cloned().collect();
        let uses: Vec<Vec<(usize, TextRange)>> = found
            .values()
            .map(|(_, declaration)| {
                let names_in = declaration.ty().into_iter().flat_map(|ty| {
                    let nodes = ty.syntax().descendants();
                    nodes.filter_map(ast::TypeName::cast)
                });
                names_in
                    .filter_map(|name| {
                        let at = names.binary_search_by(|other| (**other).cmp(name.text()));
                        Some((at.ok()?, name.range()))
                    })
                    .collect()
            })
            .collect();
        let edges: Vec<Vec<usize>> = uses
            .iter()
            .map(|uses| uses.iter().map(|(target, _)| *target).collect())
            .collect();
        let loops = cycles::find(&edges);
        for nodes in &loops.loops {
            self.recursive(nodes, &names, &uses);
        }
        let mut cut: Vec<usize> = loops.loops.concat();
        cut.extend(loops.others);
        for &at in &cut {
            self.declare(
                &names[at],
                found[&names[at]].0,
                Vec::new(),
                Measured::poison(),
            );
        }
        // In order of dependency: the declarations that a type needs are there.
        let mut done = vec![false; names.len()];
        for at in cut {
            done[at] = true;
        }
        let mut way: Vec<(usize, usize)> = Vec::new();
        for start in 0..names.len() {
            way.push((start, 0));
            while let Some((at, next)) = way.last_mut() {
                let at = *at;
                if done[at] {
                    way.pop();
                } else if let Some(&target) = edges[at].get(*next) {
                    *next += 1;
                    way.push((target, 0));
                } else {
                    way.pop();
                    done[at] = true;
                    let (range, declaration) = &found[&names[at]];
                    self.declaration(&names[at], *range, declaration);
                }
            }
        }
    }

    fn declare(&mut self, name: &Arc<str>, range: TextRange, params: Vec<Arc<str>>, ty: Measured) {
        let declared = Declared {
            range,
            used: ty.spoilt,
            params,
            ty,
        };
        self.scope().types.insert(name.clone(), declared);
    }

    fn declaration(&mut self, name: &Arc<str>, range: TextRange, declaration: &ast::TypeDecl<'_>) {
        let mut params: Vec<Arc<str>> = Vec::new();
        for param in declaration.params() {
            let text: Arc<str> = param.text().into();
            if params.contains(&text) {
                let message = format!("the parameter `{text}` is twice in this declaration");
                let problem = Problem::new(codes::DUPLICATE_NAME, param.range(), message);
                self.report(problem);
            }
            params.push(text);
        }
        let mut ty = match declaration.ty() {
            Some(ty) => self.ty(&ty, Some(&params)),
            None => Measured::poison(),
        };
        if ty.spoilt {
            // Nothing more is said about what is made of it.
            ty = Measured::poison();
        }
        self.declare(name, range, params, ty);
    }

    fn recursive(&mut self, nodes: &[usize], names: &[Arc<str>], uses: &[Vec<(usize, TextRange)>]) {
        let (from, to) = (nodes[0], nodes[1 % nodes.len()]);
        let mut places = uses[from].iter().filter(|(target, _)| *target == to);
        let Some((_, place)) = places.next() else {
            return;
        };
        let message = if let [node] = nodes {
            format!("the type `{}` is made of itself", names[*node])
        } else {
            let way = cycles::way(nodes.iter().map(|&node| names[node].to_string()));
            format!("types are made of each other: {way}")
        };
        self.report(
            Problem::new(codes::RECURSIVE_TYPE, *place, message)
                .note("every value of the language is finite, and so is its type"),
        );
    }

    // The depth of a tree is bounded by the parser, so this may be recursive.
    fn ty(&mut self, ty: &ast::Type<'_>, params: Option<&[Arc<str>]>) -> Measured {
        let mut sum = Sum::default();
        match ty {
            ast::Type::Error(_) => Measured::poison(),
            ast::Type::Name(name) => self.named(name, Vec::new()),
            ast::Type::Apply(apply) => {
                let arguments = apply.args().map(|argument| self.ty(&argument, params));
                let arguments = arguments.collect();
                match apply.head() {
                    Some(head) => self.named(&head, arguments),
                    None => Measured::poison(),
                }
            }
            ast::Type::Var(variable) => {
                let name = variable.text();
                match self.check_variable(name, variable.range(), params) {
                    true => Measured::leaf(TypeExpr::Variable(name.into())),
                    false => Measured::poison(),
                }
            }
            ast::Type::List(list) => {
                let element = sum.take(self.optional(list.element(), params));
                sum.whole(TypeExpr::List(element.into()))
            }
            ast::Type::Function(function) => {
                let parameter = sum.take(self.optional(function.parameter(), params));
                let result = sum.take(self.optional(function.result(), params));
                sum.whole(TypeExpr::Function(parameter.into(), result.into()))
            }
            ast::Type::Record(record) => {
                let mut fields: BTreeMap<Arc<str>, (TextRange, TypeField)> = BTreeMap::new();
                for field in record.fields() {
                    let ty = sum.take(self.optional(field.ty(), params));
                    let Some((name, range)) = field.key().and_then(|key| self.key(&key)) else {
                        continue;
                    };
                    if let Some((earlier, _)) = fields.get(&name) {
                        let message = format!("the field `{name}` is twice in this type");
                        let problem = Problem::new(codes::DUPLICATE_FIELD, range, message);
                        self.report(problem.label(*earlier, "it is here first"));
                        continue;
                    }
                    let field = TypeField {
                        name: name.clone(),
                        optional: field.is_optional(),
                        ty,
                    };
                    fields.insert(name, (range, field));
                }
                let rest = match record.rest() {
                    ast::TypeRowRest::Closed => Rest::Closed,
                    ast::TypeRowRest::Open => Rest::Open,
                    ast::TypeRowRest::Named(name) => {
                        let text = name.text();
                        match self.check_variable(text, name.range(), params) {
                            true => Rest::Named(text.into()),
                            false => Rest::Open,
                        }
                    }
                };
                let fields = fields.into_values().map(|(_, field)| field).collect();
                sum.whole(TypeExpr::Record(fields, rest))
            }
            ast::Type::Union(union) => {
                let mut tags: BTreeMap<Arc<str>, (TextRange, Option<TypeExpr>)> = BTreeMap::new();
                for tag in union.alternatives() {
                    let payload = tag.payload().map(|ty| sum.take(self.ty(&ty, params)));
                    let Some(name) = tag.name() else { continue };
                    let range = name.range();
                    let Some(name) = self.tag_name(&name) else {
                        continue;
                    };
                    sum.size += 1;
                    if let Some((earlier, _)) = tags.get(&name) {
                        let message = format!("the tag `{name}` is twice in this type");
                        let problem = Problem::new(codes::DUPLICATE_FIELD, range, message);
                        self.report(problem.label(*earlier, "it is here first"));
                        continue;
                    }
                    tags.insert(name, (range, payload));
                }
                let rest = if union.is_open() {
                    Rest::Open
                } else {
                    Rest::Closed
                };
                let tags = tags.into_iter().map(|(name, (_, payload))| (name, payload));
                sum.whole(TypeExpr::Union(tags.collect(), rest))
            }
        }
    }

    fn optional(&mut self, ty: Option<ast::Type<'_>>, params: Option<&[Arc<str>]>) -> Measured {
        ty.map_or_else(Measured::poison, |ty| self.ty(&ty, params))
    }

    /// Whether a variable is none of the types that users write with a small letter.
    fn check_case(&mut self, name: &str, range: TextRange) -> bool {
        let meant = match name {
            "int" | "integer" | "number" => "Int",
            "string" | "str" | "text" => "String",
            "bool" | "boolean" => "Bool",
            "path" => "Path",
            "image" => "Image",
            "index" => "Index",
            _ => return true,
        };
        let message = format!("there is no type `{name}` here: types begin with a capital");
        let problem = Problem::new(codes::UNKNOWN_TYPE, range, message);
        self.report(problem.did_you_mean(range, name, meant));
        false
    }

    /// Whether a variable may stand here: in a declaration only its parameters.
    fn check_variable(
        &mut self,
        name: &str,
        range: TextRange,
        params: Option<&[Arc<str>]>,
    ) -> bool {
        let Some(params) = params else {
            return self.check_case(name, range);
        };
        if params.iter().any(|param| **param == *name) {
            return true;
        }
        let message = format!("`{name}` is no parameter of this type");
        let problem = Problem::new(codes::UNKNOWN_TYPE, range, message);
        let similar = did_you_mean(name, params.iter().map(|param| &**param));
        self.report(match similar {
            Some(similar) => problem.did_you_mean(range, name, similar),
            None => problem.help(format!("write `type Name {name} = …`")),
        });
        false
    }

    /// A type by its name.
    fn named(&mut self, name: &ast::TypeName<'_>, arguments: Vec<Measured>) -> Measured {
        let (text, range) = (name.text(), name.range());
        let mut scopes = self.scopes.iter_mut().rev();
        let declared = scopes.find_map(|scope| scope.types.get_mut(&*text));
        let host = || HOST.iter().find(|(name, _)| *name == text);
        let count = match &declared {
            Some(declared) if declared.ty.spoilt => return Measured::poison(),
            Some(declared) => declared.params.len(),
            None => match host() {
                Some((_, count)) => *count,
                None => {
                    self.unknown_type(text, range);
                    return Measured::poison();
                }
            },
        };
        if arguments.len() != count {
            if let Some(declared) = declared {
                declared.used = true;
            }
            let takes = match count {
                0 => "no types".to_owned(),
                1 => "one type".to_owned(),
                _ => format!("{count} types"),
            };
            let message = format!("`{text}` takes {takes}, not {}", arguments.len());
            let problem = Problem::new(codes::TYPE_ARGUMENTS, range, message);
            let example = if text == "Map" { "Map Int" } else { "Pair Int" };
            self.report(match count {
                0 => problem,
                _ => problem.help(format!("the types stand behind the name: `{example}`")),
            });
            return Measured::poison();
        }
        let Some(declared) = declared else {
            let mut sum = Sum::default();
            let arguments = arguments.into_iter().map(|argument| sum.take(argument));
            let ty = TypeExpr::Host(text.into(), arguments.collect());
            return sum.whole(ty);
        };
        declared.used = true;
        if let Some(recorded) = &mut self.recorded {
            let meaning = Meaning::Type(declared.range);
            recorded.uses.push((range, meaning));
        }
        let arguments = declared.params.iter().cloned().zip(arguments).collect();
        let mut meter = Meter {
            size: 0,
            room: self.type_room.min(MAX_ONE),
            deepest: 0,
        };
        let ty = substitute(&declared.ty.ty, &arguments, 1, &mut meter);
        self.type_room -= meter.size.min(self.type_room);
        let problem = match ty {
            Ok(ty) => {
                return Measured {
                    ty,
                    size: meter.size,
                    depth: meter.deepest,
                    spoilt: arguments.values().any(|argument| argument.spoilt),
                };
            }
            Err(Refused::TooLarge) => {
                // It is said once.
                declared.ty = Measured::poison();
                Problem::new(
                    codes::TYPE_TOO_LARGE,
                    range,
                    format!("the type that `{text}` stands for is too large here"),
                )
                .note(format!(
                    "written out, a declared type has at most {MAX_ONE} parts, {MAX_DEPTH} deep, \
                 and all uses in one file at most {MAX_ALL}"
                ))
            }
            Err(Refused::NoFields(param)) => Problem::new(
                codes::TYPE_ARGUMENTS,
                range,
                format!("`{param}` stands for further fields of a record in `{text}`"),
            )
            .help("give it a record type or a type variable"),
            Err(Refused::Twice(field)) => Problem::new(
                codes::DUPLICATE_FIELD,
                range,
                format!("the field `{field}` is twice in the type that `{text}` stands for here"),
            ),
        };
        self.report(problem);
        Measured::poison()
    }

    fn unknown_type(&mut self, text: &str, range: TextRange) {
        if self.room[1] == 0 {
            return;
        }
        let declared = self.scopes.iter().flat_map(|scope| scope.types.keys());
        let names = declared.map(|name| &**name);
        let similar = did_you_mean(text, names.chain(HOST.iter().map(|(name, _)| *name)));
        let message = format!("there is no type `{text}` here");
        let problem = Problem::new(codes::UNKNOWN_TYPE, range, message);
        self.report(match similar {
            Some(similar) => problem.did_you_mean(range, text, similar),
            None => problem.help(match text {
                "List" | "Array" | "Vec" | "Seq" => {
                    "the type of a list is written `[Int]`".to_owned()
                }
                "Optional" | "Option" | "Maybe" => {
                    "a value that may be missing is `Some Int | None`".to_owned()
                }
                "Number" | "Integer" | "Float" | "Double" => "numbers are `Int`".to_owned(),
                "Boolean" => "truth values are `Bool`".to_owned(),
                "Text" | "Str" => "texts are `String`".to_owned(),
                "Dict" | "Object" | "Record" => {
                    "records are `{ name : Int }`, maps are `Map Int`".to_owned()
                }
                _ => format!("a union of one tag is written `| {text}`"),
            }),
        });
    }
}

// How deep a type is, is bounded where it is declared.
fn substitute(
    ty: &TypeExpr,
    arguments: &BTreeMap<Arc<str>, Measured>,
    depth: usize,
    meter: &mut Meter,
) -> Result<TypeExpr, Refused> {
    meter.count(1, depth)?;
    let mut inner = |ty: &TypeExpr| substitute(ty, arguments, depth + 1, meter);
    Ok(match ty {
        TypeExpr::Poison => TypeExpr::Poison,
        TypeExpr::Variable(name) => match arguments.get(name) {
            Some(argument) => {
                meter.count(argument.size, depth + argument.depth)?;
                argument.ty.clone()
            }
            None => ty.clone(),
        },
        TypeExpr::Host(name, list) => {
            let list = list.iter().map(inner).collect::<Result<_, _>>()?;
            TypeExpr::Host(name.clone(), list)
        }
        TypeExpr::List(element) => TypeExpr::List(inner(element)?.into()),
        TypeExpr::Function(parameter, result) => {
            TypeExpr::Function(inner(parameter)?.into(), inner(result)?.into())
        }
        TypeExpr::Union(tags, rest) => {
            let tags = tags.iter().map(|(name, payload)| {
                let payload = payload.as_ref().map(&mut inner).transpose()?;
                Ok((name.clone(), payload))
            });
            let tags = tags.collect::<Result<Vec<_>, _>>()?;
            meter.count(tags.len(), depth)?;
            TypeExpr::Union(tags, rest.clone())
        }
        TypeExpr::Record(fields, rest) => {
            let fields = fields.iter().map(|field| {
                Ok(TypeField {
                    name: field.name.clone(),
                    optional: field.optional,
                    ty: inner(&field.ty)?,
                })
            });
            let mut fields = fields.collect::<Result<Vec<_>, _>>()?;
            let rest = match rest {
                Rest::Named(name) => match arguments.get(name) {
                    None => rest.clone(),
                    Some(argument) => {
                        meter.count(argument.size, depth + argument.depth)?;
                        further(&mut fields, name, &argument.ty)?
                    }
                },
                Rest::Closed | Rest::Open => rest.clone(),
            };
            TypeExpr::Record(fields, rest)
        }
    })
}

/// Puts a record type in the place of the named rest of another.
fn further(
    fields: &mut Vec<TypeField>,
    name: &Arc<str>,
    argument: &TypeExpr,
) -> Result<Rest, Refused> {
    match argument {
        TypeExpr::Poison => Ok(Rest::Open),
        TypeExpr::Variable(variable) => Ok(Rest::Named(variable.clone())),
        TypeExpr::Record(more, rest) => {
            fields.extend(more.iter().cloned());
            fields.sort_by(|a, b| a.name.cmp(&b.name));
            match fields.windows(2).find(|pair| pair[0].name == pair[1].name) {
                Some(pair) => Err(Refused::Twice(pair[0].name.clone())),
                None => Ok(rest.clone()),
            }
        }
        _ => Err(Refused::NoFields(name.clone())),
    }
}

impl Meter {
    fn count(&mut self, size: usize, depth: usize) -> Result<(), Refused> {
        self.size = self.size.saturating_add(size);
        self.deepest = self.deepest.max(depth);
        if self.size > self.room || depth > MAX_DEPTH {
            return Err(Refused::TooLarge);
        }
        Ok(())
    }
}
