//! Programs as text: reading them from the disk, and what their tokens say. Nothing is
//! evaluated here.

use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use imgc_syntax::ast::{AstNode as _, Binding, Expr};
use imgc_syntax::{Parse, SyntaxKind, SyntaxNode, SyntaxToken};

use crate::describe::{self, Problem};

/// The path that stands for standard input.
pub(crate) const STANDARD_INPUT: &str = "-";

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// A file that can't be read, is no text, or is larger than any program.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
pub(crate) fn read(path: &Path) -> Result<String, Problem> {
    let failed = |error: std::io::Error| describe::disk("read", path, &error);
    let limit = imgc_syntax::MAX_SOURCE as u64 + 1;
    let mut bytes = Vec::new();
    if path == Path::new(STANDARD_INPUT) {
        let mut input = std::io::stdin().lock().take(limit);
        input.read_to_end(&mut bytes).map_err(failed)?;
    } else {
        let file = std::fs::File::open(path).map_err(failed)?;
        file.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 == limit {
        let size = imgc_syntax::MAX_SOURCE >> 20;
        let message = format!("{} is larger than {size} MiB", path.display());
        return Err(Problem::new(message));
    }
    String::from_utf8(bytes)
        .map_err(|_| Problem::new(format!("{} is not text in UTF-8", path.display())))
}

/// Whether more must follow: a bracket, a `let` or an indented string is open, or the
/// text ends in an operator.
pub(crate) fn is_open(text: &str) -> bool {
    use SyntaxKind as K;
    let mut depth = 0_i64;
    let mut last = None;
    let parse = imgc_syntax::parse(text);
    for token in tokens(&parse) {
        let is_long = token.text() == "\"\"\"";
        match token.kind() {
            K::LParen | K::LBracket | K::LBrace | K::InterpOpen | K::LetKw => depth += 1,
            K::RParen | K::RBracket | K::RBrace | K::InterpClose | K::InKw => depth -= 1,
            K::StrOpen if is_long => depth += 1,
            K::StrClose if is_long => depth -= 1,
            _ => {}
        }
        last = Some(token.text());
    }
    depth > 0 || last.is_some_and(|last| GOES_ON.contains(&last))
}

/// What no program ends in.
const GOES_ON: [&str; 24] = [
    "!", "!=", "&&", "*", "+", "++", "-", "->", "//", "<", "<=", "=", "==", "=>", ">", ">=",
    "else", "if", "in", "match", "then", "|>", "||", "import",
];

/// Every token but blanks and comments.
fn tokens(parse: &Parse) -> Vec<SyntaxToken<'_>> {
    let tokens = parse.syntax().tokens();
    tokens.filter(|token| !token.kind().is_trivia()).collect()
}

/// What a text defines that is one definition: `name` of `name = EXPR`, with a type or
/// without, or `type Name` of `type Name = TYPE`.
pub(crate) fn definition(text: &str) -> Option<String> {
    let parse = imgc_syntax::parse(text);
    let tokens = tokens(&parse);
    let [first, second, ..] = tokens.as_slice() else {
        return None;
    };
    let is_type = first.text() == "type" && second.text() != "=";
    if !is_type && (first.kind() != SyntaxKind::Ident || !matches!(second.text(), "=" | ":")) {
        return None;
    }
    let wrapped = format!("let {}\nin 0", closed(text));
    let parse = imgc_syntax::parse(&wrapped);
    let Some(Expr::Let(group)) = parse.tree().expr() else {
        return None;
    };
    if group.bindings().count() + group.type_decls().count() != 1 {
        return None;
    }
    Some(if is_type {
        format!("type {}", second.text())
    } else {
        first.text().to_owned()
    })
}

/// The definition as a binding: with its `;`.
pub(crate) fn closed(text: &str) -> String {
    let text = text.trim();
    let end = if text.ends_with(';') { "" } else { "\n;" };
    format!("{text}{end}")
}

/// The top-level bindings of a program: of the `let`s at its head, and of the record that
/// it ends in. Each with its name, and where it stands, without its `;`.
pub(crate) fn bindings(text: &str) -> Vec<(String, Range<usize>)> {
    let parse = imgc_syntax::parse(text);
    let (mut bindings, end) = head(&parse);
    if let Some(Expr::Record(record)) = end {
        bindings.extend(record.bindings());
    }
    let named = bindings.iter().filter_map(|binding| {
        let name = binding.keys().first()?.text()?;
        Some((name.into_owned(), range(binding.syntax())))
    });
    named.collect()
}

/// The program that evaluates the private bindings at the head of `text` instead of what
/// it ends in. None where there are none. Everything stays in its place.
pub(crate) fn with_private_bindings(text: &str) -> Option<String> {
    let parse = imgc_syntax::parse(text);
    let (bindings, end) = head(&parse);
    let mut names: Vec<String> = bindings.iter().filter_map(name).collect();
    names.sort();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let fields: String = names
        .iter()
        .map(|name| format!(" {name} = {name};"))
        .collect();
    let Range { start, end } = range(end?.syntax());
    Some(format!(
        "{}{{{fields} }}{}",
        text.get(..start)?,
        text.get(end..)?
    ))
}

/// The bindings of the `let`s that a program begins with, and what it ends in. Nothing of
/// a program with syntax errors.
fn head(parse: &Parse) -> (Vec<Binding<'_>>, Option<Expr<'_>>) {
    let mut bindings = Vec::new();
    if !parse.errors().is_empty() {
        return (bindings, None);
    }
    let mut at = parse.tree().expr();
    while let Some(Expr::Let(group)) = &at {
        bindings.extend(group.bindings());
        at = group.body();
    }
    (bindings, at)
}

fn range(node: SyntaxNode<'_>) -> Range<usize> {
    let range = node.text_range();
    range.start().into()..range.end().into()
}

/// The name of a binding that has a single name that can be used by itself.
fn name(binding: &Binding<'_>) -> Option<String> {
    let keys = binding.keys();
    let [key] = keys.as_slice() else { return None };
    let name = key.text()?;
    let plain = key
        .syntax()
        .tokens()
        .any(|token| token.kind() == SyntaxKind::Ident);
    plain.then(|| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_whether_more_must_follow() {
        for open in [
            "(",
            "[1,",
            "let a = 1;",
            "\"\"\"\n  x",
            "1 +",
            "x =>",
            "{ a = [ }",
            "\"${",
        ] {
            assert!(is_open(open), "{open}");
        }
        for whole in [
            "1",
            "let a = 1; in a",
            "\"\"\"\n  x\n  \"\"\"",
            "[1]",
            "\"(\"",
            "# (",
            ")",
            "\"a",
        ] {
            assert!(!is_open(whole), "{whole}");
        }
    }

    #[test]
    fn definitions_are_told_from_expressions() {
        for (text, found) in [
            ("a = 1", Some("a")),
            ("a = 1;", Some("a")),
            ("f = x => x # one", Some("f")),
            ("a : Int = 1", Some("a")),
            ("type T = A | B Int", Some("type T")),
            ("a", None),
            ("a == 1", None),
            ("{ a = 1; }", None),
            ("a = 1; b = 2;", None),
            ("", None),
        ] {
            assert_eq!(definition(text).as_deref(), found, "{text}");
        }
    }

    #[test]
    fn private_bindings_take_the_place_of_the_end() {
        let text = "let a = 1; b = a; in\n{ c = b; }\n";
        let expected = "let a = 1; b = a; in\n{ a = a; b = b; }\n";
        assert_eq!(with_private_bindings(text).as_deref(), Some(expected));
        assert_eq!(with_private_bindings("{ c = 1; }"), None);
        assert_eq!(with_private_bindings("let a = "), None);
        let names = bindings(text)
            .into_iter()
            .map(|(name, range)| (name, &text[range]));
        let names: Vec<_> = names.collect();
        let expected = [("a", "a = 1"), ("b", "b = a"), ("c", "c = b")];
        let expected = expected.map(|(name, text)| (name.to_owned(), text));
        assert_eq!(names, expected);
    }
}
