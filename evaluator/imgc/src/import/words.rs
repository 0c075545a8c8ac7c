//! Words of a Dockerfile: quotes, escapes and variables, as its reference has them. Knows no
//! instruction.

use std::collections::{BTreeMap, BTreeSet};

/// How deep `${A:-${B}}` may stand in itself, and how long a value may become.
const MAX_DEPTH: usize = 8;
const MAX_LENGTH: usize = 1 << 14;

/// What variables stand for.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables {
    known: BTreeMap<String, String>,
    /// Those that have a value which can't be known here.
    unknown: BTreeSet<String>,
    /// Whether others may have a value that is not known.
    pub(super) open: bool,
}

impl Variables {
    /// Gives a variable a value.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.unknown.remove(name);
        self.known.insert(name.to_owned(), value);
    }

    /// Says that a variable's value can't be known.
    pub(super) fn forget(&mut self, name: &str) {
        self.known.remove(name);
        self.unknown.insert(name.to_owned());
    }

    /// The value of a variable, if it is known.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.known.get(name).map(String::as_str)
    }
}

/// Replaces variables and takes quotes away.
///
/// # Errors
/// Why the value can't be known.
pub(super) fn expand(text: &str, variables: &Variables, escape: char) -> Result<String, String> {
    Expansion {
        variables,
        escape,
        keep_quotes: false,
    }
    .all(text, 0)
}

/// As [`expand`], for the text of a here-document: quotes are characters there.
///
/// # Errors
/// As [`expand`].
pub(super) fn expand_document(text: &str, variables: &Variables) -> Result<String, String> {
    Expansion {
        variables,
        escape: '\\',
        keep_quotes: true,
    }
    .all(text, 0)
}

struct Expansion<'a> {
    variables: &'a Variables,
    escape: char,
    keep_quotes: bool,
}

impl Expansion<'_> {
    fn all(&self, text: &str, depth: usize) -> Result<String, String> {
        if depth > MAX_DEPTH {
            return Err("its variables are nested too deep".to_owned());
        }
        let mut out = String::new();
        let mut at = 0;
        let mut in_double = false;
        while let Some(c) = text[at..].chars().next() {
            if out.len() > MAX_LENGTH {
                return Err("its value is too long".to_owned());
            }
            at += c.len_utf8();
            match c {
                '\'' if !in_double && !self.keep_quotes => {
                    let end = text[at..].find('\'').ok_or("a quote is not closed")?;
                    out.push_str(&text[at..at + end]);
                    at += end + 1;
                }
                '"' if !self.keep_quotes => in_double = !in_double,
                c if c == self.escape => match text[at..].chars().next() {
                    Some(next) => {
                        let is_special = next == '$' || next == self.escape;
                        let plain = in_double || self.keep_quotes;
                        if plain && !is_special && !(next == '"' && in_double) {
                            out.push(c);
                        }
                        out.push(next);
                        at += next.len_utf8();
                    }
                    None => out.push(c),
                },
                '$' => out.push_str(&self.variable(text, &mut at, depth)?),
                c => out.push(c),
            }
        }
        if in_double {
            return Err("a quote is not closed".to_owned());
        }
        Ok(out)
    }

    /// The value of the variable whose `$` is right before `at`.
    fn variable(&self, text: &str, at: &mut usize, depth: usize) -> Result<String, String> {
        let rest = &text[*at..];
        let Some(inner) = rest.strip_prefix('{') else {
            let name = name_at(rest);
            if name.is_empty() {
                return Ok("$".to_owned());
            }
            *at += name.len();
            return self.value(name, None, depth);
        };
        let end = closing(inner).ok_or("a `${` is not closed")?;
        *at += end + 2;
        let inner = &inner[..end];
        let name = name_at(inner);
        if name.is_empty() {
            return Err(format!("`${{{inner}}}` is no variable"));
        }
        let form = &inner[name.len()..];
        self.value(name, (!form.is_empty()).then_some(form), depth)
    }

    fn value(&self, name: &str, form: Option<&str>, depth: usize) -> Result<String, String> {
        let variables = self.variables;
        let value = variables.get(name);
        let is_unknown = variables.unknown.contains(name) || (value.is_none() && variables.open);
        if is_unknown {
            return Err(format!("the value of `{name}` is not known here"));
        }
        let missing = || format!("`{name}` has no value in the Dockerfile");
        let Some(form) = form else {
            return value.map(str::to_owned).ok_or_else(missing);
        };
        let (wants_text, form) = match form.strip_prefix(':') {
            Some(form) => (true, form),
            None => (false, form),
        };
        let value = value.filter(|value| !(wants_text && value.is_empty()));
        if let Some(other) = form.strip_prefix('-') {
            return match value {
                Some(value) => Ok(value.to_owned()),
                None => self.all(other, depth + 1),
            };
        }
        if let Some(other) = form.strip_prefix('+') {
            return match value {
                Some(_) => self.all(other, depth + 1),
                None => Ok(String::new()),
            };
        }
        if form.starts_with('?') {
            return value.map(str::to_owned).ok_or_else(missing);
        }
        Err(format!("this form of `${{{name}…}}` is not known"))
    }
}

/// The name of a variable at the beginning.
fn name_at(text: &str) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return "";
    }
    &text[..text.find(|c| !is_part(c)).unwrap_or(text.len())]
}

/// Where the `}` is that ends what begins here.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

/// Splits at spaces that are not quoted. Quotes and escapes stay.
pub(super) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == escape && quote != Some('\'') {
            word.push(c);
            word.extend(chars.next());
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            None => {}
        }
        word.push(c);
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// `NAME=VALUE NAME=VALUE`, or the old `NAME VALUE`: names, and values as they are written.
///
/// # Errors
/// What is wrong with it.
pub(super) fn pairs(text: &str, escape: char) -> Result<Vec<(String, String)>, String> {
    let words = split(text, escape);
    let first = words.first().ok_or("it names nothing")?;
    if !first.contains('=') {
        let name = first.clone();
        let value = text.trim_start()[name.len()..].trim();
        if value.is_empty() {
            return Err(format!("`{name}` has no value"));
        }
        return Ok(vec![(name, value.to_owned())]);
    }
    let pair = |word: &String| {
        let pair = word.split_once('=');
        let (name, value) = pair.ok_or_else(|| format!("`{word}` has no `=`"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    words.iter().map(pair).collect()
}

/// The strings of `["a", "b"]`. None where it is no such list.
pub(super) fn list(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    if !text.starts_with('[') {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// The words of an instruction that takes a list or words.
///
/// # Errors
/// As [`expand`].
pub(super) fn words(
    text: &str,
    variables: &Variables,
    escape: char,
) -> Result<Vec<String>, String> {
    let words = match list(text) {
        Some(words) => words,
        None => split(text, escape),
    };
    words
        .iter()
        .map(|word| expand(word, variables, escape))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_replaced() {
        let mut variables = Variables::default();
        variables.set("A", "1".to_owned());
        variables.set("EMPTY", String::new());
        variables.forget("TARGETARCH");
        let expand = |text: &str| expand(text, &variables, '\\');
        for (text, expected) in [
            ("$A/x", "1/x"),
            ("${A}${A}", "11"),
            ("${B:-two}", "two"),
            ("${EMPTY:-two}", "two"),
            ("${EMPTY-two}", ""),
            ("${A:+yes}${B:+no}", "yes"),
            ("${B:-${A}2}", "12"),
            ("'$A'", "$A"),
            ("\"$A b\"", "1 b"),
            ("\\$A", "$A"),
            ("a\\ b", "a b"),
            ("5$", "5$"),
        ] {
            assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "$B",
            "${TARGETARCH:-x}",
            "${A#x}",
            "${A",
            "'a",
            "\"a",
            "${}",
        ] {
            assert!(expand(text).is_err(), "{text}");
        }
        assert!(expand(&"${B:-".repeat(1000)).is_err());
        let deep = format!("{}{}", "${B:-".repeat(40), "}".repeat(40));
        assert!(expand(&deep).is_err());
    }

    #[test]
    fn both_forms_of_pairs() {
        let both = pairs("A=1 B=\"two words\" C=a\\ b", '\\').expect("pairs");
        assert_eq!(both.len(), 3);
        assert_eq!(both[1], ("B".to_owned(), "\"two words\"".to_owned()));
        let old = pairs("A  one two", '\\').expect("a pair");
        assert_eq!(old, [("A".to_owned(), "one two".to_owned())]);
        assert!(pairs("A=1 B", '\\').is_err());
        assert!(pairs("A", '\\').is_err());
    }
}
