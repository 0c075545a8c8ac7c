//! What may stand at the end of a line: commands, names, fields. Reads no keys.

use imgc_syntax::SyntaxKind;

use super::state::{COMMANDS, State};
use imgc_eval::builtin_docs;

/// The words of the language that an expression may begin with, or go on with.
const WORDS: [&str; 10] = [
    "assert", "else", "false", "if", "import", "in", "let", "match", "then", "true",
];

/// Where the word at the end of `line` begins, and what it may become, sorted.
pub(super) fn complete(state: &mut State, line: &str) -> (usize, Vec<String>) {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let start = line.trim_end_matches(is_word).len();
    let word = &line[start..];
    if line.starts_with(':') && !line.contains(' ') {
        let commands = COMMANDS.iter().map(|(name, ..)| (*name).to_owned());
        return (0, keep(commands, line));
    }
    if let Some(before) = line[..start].strip_suffix('.') {
        let fields = base(before).and_then(|base| state.quiet_type(&base));
        let fields = fields.map(|ty| fields_of(&ty)).unwrap_or_default();
        return (start, keep(fields.into_iter(), word));
    }
    let module = line[..start].strip_suffix("std/");
    if module.is_some_and(|before| before.trim_end().ends_with("import") || before.starts_with(':'))
    {
        let modules = imgc_stdlib::modules().iter();
        return (
            start,
            keep(modules.map(|(name, _)| (*name).to_owned()), word),
        );
    }
    let builtins = builtin_docs().map(|doc| doc.name.to_owned());
    let words = WORDS.iter().map(|word| (*word).to_owned());
    let names = state.defined().into_iter().chain(builtins).chain(words);
    (start, keep(names, word))
}

fn keep(names: impl Iterator<Item = String>, word: &str) -> Vec<String> {
    let mut names: Vec<String> = names.filter(|name| name.starts_with(word)).collect();
    names.sort();
    names.dedup();
    names
}

/// The expression that ends `text`, as far as a `.` behind it reaches: names and selects,
/// or something in brackets.
fn base(text: &str) -> Option<String> {
    let mut depth = 0_usize;
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' => depth = depth.checked_sub(1)?,
            _ if depth > 0 => {}
            c if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '"') => {}
            _ => break,
        }
        start = at;
    }
    let base = &text[start..];
    (!base.is_empty() && depth == 0).then(|| base.to_owned())
}

/// The names of the fields of a record's type, as it is shown.
fn fields_of(ty: &str) -> Vec<String> {
    let Some(inner) = ty
        .trim()
        .strip_prefix('{')
        .and_then(|ty| ty.strip_suffix('}'))
    else {
        return Vec::new();
    };
    let mut fields = Vec::new();
    let mut depth = 0_usize;
    let mut word: Option<String> = None;
    let mut named = false;
    for token in imgc_syntax::parse(inner).syntax().tokens() {
        if token.kind().is_trivia() {
            continue;
        }
        match token.text() {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => depth = depth.saturating_sub(1),
            "," if depth == 0 => named = false,
            ":" if depth == 0 && !named => {
                fields.extend(word.take());
                named = true;
            }
            "?" => {}
            text if depth == 0 && !named => {
                let plain = token.kind() != SyntaxKind::BadToken;
                word = plain.then(|| text.to_owned());
            }
            _ => {}
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_from_a_type() {
        let ty =
            "{ a : Int, b ? : { c : Int, d : [Int] }, PATH : String, f : a -> { e : Int }, ... }";
        assert_eq!(fields_of(ty), ["a", "b", "PATH", "f"]);
        assert_eq!(fields_of("{ a : Int }"), ["a"]);
        for none in ["Int", "{ }", "[{ a : Int }]", "{ a : Int } -> Int }"] {
            assert!(fields_of(none).len() <= 1, "{none}");
        }
    }

    #[test]
    fn the_base_reaches_back_over_brackets() {
        for (text, found) in [
            ("a", Some("a")),
            ("1 + a.b", Some("a.b")),
            ("f (import std/debian)", Some("(import std/debian)")),
            ("map f { a = 1; }", Some("{ a = 1; }")),
            ("1 + ", None),
            (")", None),
        ] {
            assert_eq!(base(text).as_deref(), found, "{text}");
        }
    }
}
