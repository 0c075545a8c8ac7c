//! The bindings of a file as a tree, and the top-level ones of all files as a list.

use imgc_diag::FileId;
use imgc_eval::FileView;
use imgc_syntax::ast::{self, AstNode as _};
use imgc_syntax::{SyntaxNode, TextRange};

use crate::Context;

/// How deep records stand in each other in the tree.
const DEEPEST: usize = 12;

/// The most symbols of one answer about all files.
const MOST: usize = 500;

/// A binding or field of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The whole of it.
    pub range: TextRange,
    /// Its name.
    pub name_range: TextRange,
    /// What is in it.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SymbolKind {
    /// A module that is imported.
    Module,
    /// A function.
    Function,
    /// Any other value.
    Value,
    /// A field of a record.
    Field,
    /// A record.
    Record,
    /// A type that is declared.
    Type,
    /// A text.
    Text,
    /// A number.
    Number,
    /// A truth value.
    Truth,
    /// A list.
    List,
}

/// A symbol in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceSymbol {
    /// The file.
    pub file: FileId,
    /// The symbol, without what is in it.
    pub symbol: Symbol,
}

/// The bindings of a file.
pub(crate) fn of_file(_: &Context<'_>, view: &FileView<'_>) -> Vec<Symbol> {
    let mut found = Vec::new();
    if let Some(expr) = view.parse().tree().expr() {
        walk(&expr, 0, &mut found);
    }
    found
}

/// The top-level bindings of the project's files whose names have the letters of `query`,
/// in that order.
pub(crate) fn in_workspace(context: &Context<'_>, query: &str) -> Vec<WorkspaceSymbol> {
    let mut found = Vec::new();
    for file in context.semantics.files() {
        let Some(view) = context.semantics.file(&file) else {
            continue;
        };
        if !view.is_project_file() {
            continue;
        }
        for mut symbol in of_file(context, &view) {
            if is_like(&symbol.name, query) {
                symbol.children.clear();
                let file = file.clone();
                found.push(WorkspaceSymbol { file, symbol });
            }
            if found.len() == MOST {
                return found;
            }
        }
    }
    found
}

/// Whether a name has all letters of a query, in order.
pub(crate) fn is_like(name: &str, query: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    let mut wanted = query.chars().flat_map(char::to_lowercase);
    wanted.all(|wanted| letters.any(|letter| letter == wanted))
}

fn walk(expr: &ast::Expr<'_>, depth: usize, found: &mut Vec<Symbol>) {
    if depth > DEEPEST {
        return;
    }
    match expr {
        ast::Expr::Let(e) => {
            for declared in e.type_decls() {
                if let Some(name) = declared.name() {
                    found.push(Symbol {
                        name: name.text().to_owned(),
                        kind: SymbolKind::Type,
                        range: declared.range(),
                        name_range: name.range(),
                        children: Vec::new(),
                    });
                }
            }
            for bound in e.bindings() {
                found.extend(binding(&bound, depth, false));
            }
            found.sort_by_key(|symbol| symbol.range.start());
            if let Some(body) = e.body() {
                walk(&body, depth, found);
            }
        }
        ast::Expr::Record(e) => {
            for field in e.bindings() {
                found.extend(binding(&field, depth, true));
            }
        }
        ast::Expr::Paren(e) => {
            if let Some(inner) = e.expr() {
                walk(&inner, depth, found);
            }
        }
        ast::Expr::Lambda(e) => {
            if let Some(body) = e.body() {
                walk(&body, depth, found);
            }
        }
        // What a function is given, as `debian.image { … }`.
        ast::Expr::Apply(e) => {
            for part in [e.function(), e.argument()].into_iter().flatten() {
                if matches!(part, ast::Expr::Apply(_) | ast::Expr::Record(_)) {
                    walk(&part, depth + 1, found);
                }
            }
        }
        ast::Expr::Binary(e) => {
            for part in [e.left(), e.right()].into_iter().flatten() {
                walk(&part, depth + 1, found);
            }
        }
        _ => {}
    }
}

fn binding(of: &ast::Binding<'_>, depth: usize, is_field: bool) -> Option<Symbol> {
    let path = of.key_path()?;
    let name = path.syntax().text().to_owned();
    if name.is_empty() {
        return None;
    }
    let value = of.value();
    let mut children = Vec::new();
    if let Some(value) = &value {
        walk(value, depth + 1, &mut children);
    }
    let kind = match &value {
        Some(value) => kind_of(value, is_field),
        None if is_field => SymbolKind::Field,
        None => SymbolKind::Value,
    };
    Some(Symbol {
        name,
        kind,
        range: of.range(),
        name_range: path.range(),
        children,
    })
}

fn kind_of(value: &ast::Expr<'_>, is_field: bool) -> SymbolKind {
    match value {
        ast::Expr::Import(_) => SymbolKind::Module,
        ast::Expr::Lambda(_) => SymbolKind::Function,
        ast::Expr::Record(_) => SymbolKind::Record,
        ast::Expr::List(_) => SymbolKind::List,
        ast::Expr::Str(_) | ast::Expr::Path(_) => SymbolKind::Text,
        ast::Expr::Literal(literal) => match literal.value() {
            Some(ast::LiteralValue::Bool(_)) => SymbolKind::Truth,
            _ => SymbolKind::Number,
        },
        ast::Expr::Paren(inner) => match inner.expr() {
            Some(inner) => kind_of(&inner, is_field),
            None => SymbolKind::Value,
        },
        _ if is_field => SymbolKind::Field,
        _ => SymbolKind::Value,
    }
}

/// The name of the top-level binding that a node stands in, and where the name stands.
pub(crate) fn top_level<'t>(node: SyntaxNode<'t>) -> Option<(String, ast::Binding<'t>)> {
    let bindings = node.ancestors().filter_map(ast::Binding::cast);
    let binding = bindings.last()?;
    let name = binding.key_path()?.syntax().text().to_owned();
    Some((name, binding))
}
