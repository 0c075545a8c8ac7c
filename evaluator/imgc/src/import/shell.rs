//! The commands of a RUN: a list of simple commands, as far as it is one. What is more than
//! that (pipes, loops, substitutions) is kept as text. Runs nothing, and knows no command.

use crate::import::words::{self, Variables};

/// One command of a RUN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its line in the Dockerfile.
    pub(super) line: usize,
    /// It as it is written.
    pub(super) raw: String,
    /// What it is, or why that can't be told.
    pub(super) command: Result<Command, String>,
}

/// A simple command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Command {
    /// Its words, the name first. None where it only sets variables.
    pub(super) words: Vec<String>,
    /// The file that its output replaces.
    pub(super) output: Option<String>,
}

/// Words that begin more than a simple command.
const GRAMMAR: [&str; 11] = [
    "if", "for", "while", "until", "case", "function", "select", "{", "!", "then", "do",
];

/// Reads the commands of `text`. Variables that are set on the way are known to those that
/// follow. `line_at` gives the line of an offset.
pub(super) fn parts(
    text: &str,
    line_at: &dyn Fn(usize) -> usize,
    variables: &mut Variables,
) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let start = at + (text[at..].len() - text[at..].trim_start().len());
        let end = end_of(text, start);
        let raw = text[start..end.at].trim_end();
        at = end.next.max(start + 1).min(text.len());
        if raw.is_empty() || raw.starts_with('#') {
            continue;
        }
        let command = match end.strange {
            Some(why) => Err(why.to_owned()),
            None => simple(raw, variables),
        };
        settle(raw, &command, variables);
        let command = command.map(|read| Command {
            words: read.words,
            output: read.output,
        });
        parts.push(Part {
            line: line_at(start),
            raw: raw.split_whitespace().collect::<Vec<_>>().join(" "),
            command,
        });
    }
    parts
}

/// Where a command ends, where the next begins, and what about it is not simple.
struct End {
    at: usize,
    next: usize,
    strange: Option<&'static str>,
}

fn end_of(text: &str, start: usize) -> End {
    let mut strange = None;
    let first = text[start..].split_whitespace().next().unwrap_or_default();
    if GRAMMAR.contains(&first) || first.starts_with('(') {
        // Where it ends only a shell's parser knows.
        return End {
            at: text.len(),
            next: text.len(),
            strange: Some("it is a program for a shell"),
        };
    }
    let bytes = text.as_bytes();
    let mut at = start;
    let mut open = 0_usize;
    let mut in_double = false;
    while let Some(byte) = bytes.get(at) {
        let pair = bytes.get(at..at + 2).unwrap_or_default();
        match byte {
            b'\\' => at += 1,
            b'\'' if !in_double => {
                at = text[at + 1..]
                    .find('\'')
                    .map_or(text.len(), |end| at + 1 + end);
            }
            b'"' => in_double = !in_double,
            b'`' => {
                strange = Some("it takes the output of another command");
                at = text[at + 1..]
                    .find('`')
                    .map_or(text.len(), |end| at + 1 + end);
            }
            b'$' if pair == b"$(" => {
                strange = Some("it takes the output of another command");
                open += 1;
                at += 1;
            }
            b'(' if open > 0 => open += 1,
            b')' if open > 0 => open -= 1,
            _ if in_double || open > 0 => {}
            b'(' | b')' => strange = Some("it is a program for a shell"),
            b'<' => strange = Some("it reads from elsewhere"),
            b'&' if pair == b"&&" => {
                return End {
                    at,
                    next: at + 2,
                    strange,
                };
            }
            b'&' if at > start && bytes[at - 1] == b'>' => {}
            b'&' => strange = Some("it runs in the background"),
            b'|' if pair == b"||" => {
                let rest = &text[at + 2..];
                let other = rest.trim_start();
                let end = other.find([';', '&', '\n']).unwrap_or(other.len());
                if !matches!(other[..end].trim(), "true" | ":") {
                    strange = Some("what it does depends on another command");
                }
                // Both sides are one command.
                at += 1;
            }
            b'|' => strange = Some("its output goes to another command"),
            b';' | b'\n' => {
                return End {
                    at,
                    next: at + 1,
                    strange,
                };
            }
            _ => {}
        }
        at += 1;
    }
    let at = at.min(text.len());
    End {
        at,
        next: text.len(),
        strange,
    }
}

/// A command with the variables that it sets.
struct Read {
    words: Vec<String>,
    output: Option<String>,
    set: Vec<(String, String)>,
}

/// Reads a simple command.
fn simple(raw: &str, variables: &Variables) -> Result<Read, String> {
    let mut read = Read {
        words: Vec::new(),
        output: None,
        set: Vec::new(),
    };
    let mut redirect = None;
    for word in shell_words(raw) {
        if word == "||" {
            break;
        }
        if word.starts_with('#') {
            break;
        }
        if redirect.is_none()
            && let Some((number, rest)) = word.split_once('>')
            && number
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'&')
        {
            let (append, target) = match rest.strip_prefix('>') {
                Some(target) => (true, target),
                None => (false, rest),
            };
            if target.is_empty() {
                redirect = Some((number.to_owned(), append));
            } else {
                put_output(&mut read, number, append, target, variables)?;
            }
            continue;
        }
        if let Some((number, append)) = redirect.take() {
            put_output(&mut read, &number, append, &word, variables)?;
            continue;
        }
        if word.contains('>') && !word.contains(['\'', '"', '\\']) {
            return Err("its output goes elsewhere".to_owned());
        }
        if word.starts_with('~') {
            return Err("`~` depends on who runs it".to_owned());
        }
        if !word.contains(['\'', '"', '$']) && word.contains('{') && word.contains('}') {
            return Err("braces mean something else in each shell".to_owned());
        }
        let value = words::expand(&word, variables, '\\')?;
        if read.words.is_empty()
            && let Some((name, _)) = word.split_once('=')
            && is_name(name)
        {
            let value = value[name.len() + 1..].to_owned();
            read.set.push((name.to_owned(), value));
            continue;
        }
        read.words.push(value);
    }
    Ok(read)
}

/// Splits at spaces outside of quotes and of `${…}`, and around `||`.
fn shell_words(raw: &str) -> Vec<String> {
    let spaced = words::split(raw, '\\');
    let mut out = Vec::new();
    for word in spaced {
        match word.split_once("||") {
            Some((left, _)) if !word.contains(['\'', '"', '$']) => {
                if !left.is_empty() {
                    out.push(left.to_owned());
                }
                out.push("||".to_owned());
            }
            _ => out.push(word),
        }
    }
    out
}

fn put_output(
    read: &mut Read,
    number: &str,
    append: bool,
    target: &str,
    variables: &Variables,
) -> Result<(), String> {
    let target = words::expand(target, variables, '\\')?;
    if target == "/dev/null" || target.starts_with('&') {
        return Ok(());
    }
    if append || !(number.is_empty() || number == "1") || read.output.is_some() {
        return Err("its output is added to a file".to_owned());
    }
    read.output = Some(target);
    Ok(())
}

/// What a command does to the variables of those that follow.
fn settle(raw: &str, command: &Result<Read, String>, variables: &mut Variables) {
    match command {
        Ok(read) if read.words.is_empty() => {
            for (name, value) in &read.set {
                variables.set(name, value.clone());
            }
        }
        Ok(read) if read.words[0] == "export" => {
            for word in &read.words[1..] {
                if let Some((name, value)) = word.split_once('=') {
                    variables.set(name, value.to_owned());
                }
            }
        }
        Ok(read) if ["read", "unset", "eval", ".", "source"].contains(&read.words[0].as_str()) => {
            read.words[1..]
                .iter()
                .for_each(|word| variables.forget(word));
        }
        Ok(_) => {}
        Err(_) => {
            // Whatever it sets can't be known.
            for word in words::split(raw, '\\') {
                if let Some((name, _)) = word.split_once('=')
                    && is_name(name)
                {
                    variables.forget(name);
                }
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !text.is_empty() && text.bytes().all(is_part) && !text.as_bytes()[0].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Option<Vec<String>>)> {
        let mut variables = Variables::default();
        variables.set("V", "1.2".to_owned());
        parts(text, &|_| 1, &mut variables)
            .into_iter()
            .map(|part| (part.raw, part.command.ok().map(|command| command.words)))
            .collect()
    }

    #[test]
    fn commands_are_split() {
        let found = read("set -eux; A=x; apt-get  update && echo \"a && b\" 'c;d' $A ${V}");
        let words: Vec<Vec<String>> = found.into_iter().filter_map(|(_, words)| words).collect();
        assert_eq!(words[0], ["set", "-eux"]);
        assert!(words[1].is_empty());
        assert_eq!(words[2], ["apt-get", "update"]);
        assert_eq!(words[3], ["echo", "a && b", "c;d", "x", "1.2"]);
    }

    #[test]
    fn what_is_not_simple_is_kept_as_text() {
        for text in [
            "curl x | sh",
            "a $(b && c) d",
            "a `b`",
            "a || b",
            "a < b",
            "a &",
            "echo $X",
            "a >> b",
            "mkdir -p /a/{b,c}",
            "for x in a b; do c; done",
            "(cd x && make)",
        ] {
            let found = read(&format!("{text} && last"));
            assert_eq!(found[0].1, None, "{text}");
            assert!(found[0].0.starts_with(text), "{found:?}");
        }
        let found = read("X=$(date) && foo $X && bar");
        assert_eq!((&found[1].1, found[2].1.is_some()), (&None, true));
    }

    #[test]
    fn output_and_what_may_fail() {
        let mut variables = Variables::default();
        let text = "echo a > /x; b >/dev/null 2>&1 || true; c";
        let found = parts(text, &|_| 1, &mut variables);
        let command = |at: usize| found[at].command.clone().expect("a command");
        assert_eq!(command(0).output.as_deref(), Some("/x"));
        assert_eq!(
            (command(1).words, command(1).output),
            (vec!["b".to_owned()], None)
        );
        assert_eq!(command(2).words, ["c"]);
    }

    #[test]
    fn nothing_makes_it_panic() {
        for text in [
            "'",
            "\"",
            "`",
            "$(",
            "\\",
            "a ||",
            "é && 'é",
            "&&;;\n",
            "${",
            "a>",
        ] {
            read(text);
        }
    }
}
