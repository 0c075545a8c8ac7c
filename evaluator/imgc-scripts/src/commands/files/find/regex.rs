//! find's regular expressions, written as the crate `regex` has them.

use bstr::{BString, ByteSlice as _};
use regex::bytes::{Regex, RegexBuilder};

use crate::stop::Stop;

/// Which characters are special, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `\|`, `\(`, `\)`; `+` and `?` as they are; no counts.
    Emacs,
    /// `\|`, `\(`, `\)`, `\{`, `\+`, `\?`.
    Basic,
    /// All as they are.
    Extended,
}

impl Syntax {
    pub(super) fn named(name: &BString) -> Result<Self, Stop> {
        match &name[..] {
            b"emacs" | b"findutils-default" => Ok(Self::Emacs),
            b"posix-basic" | b"grep" | b"sed" | b"ed" => Ok(Self::Basic),
            b"posix-extended" | b"egrep" | b"posix-egrep" | b"posix-awk" | b"gnu-awk" => {
                Ok(Self::Extended)
            }
            _ => Err(Stop::unsupported(format!(
                "find's -regextype {name} is not known"
            ))),
        }
    }

    /// What `letter` is, bare or behind a backslash: true for an operator.
    fn operator(self, letter: char, escaped: bool) -> bool {
        match (self, letter) {
            (_, '*' | '.' | '^' | '$' | '[') => !escaped,
            (Self::Emacs, '+' | '?') | (Self::Extended, _) => !escaped,
            (Self::Emacs, '{' | '}') => false,
            (Self::Emacs | Self::Basic, _) => escaped,
        }
    }
}

/// A regular expression that a whole path must be of.
pub(super) fn compile(pattern: &BString, syntax: Syntax, fold: bool) -> Result<Regex, Stop> {
    let unknown = || Stop::unsupported(format!("the regular expression {pattern} is not known"));
    let text = pattern.to_str().map_err(|_| unknown())?;
    let mut out = String::from("^(?:");
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let (c, escaped) = match c {
            '\\' => (rest.next().ok_or_else(unknown)?, true),
            c => (c, false),
        };
        match c {
            '[' if !escaped => set(&mut rest, &mut out).ok_or_else(unknown)?,
            '*' | '.' | '^' | '$' | '+' | '?' | '|' | '(' | ')' | '{' | '}' => {
                if !syntax.operator(c, escaped) {
                    out.push('\\');
                }
                out.push(c);
            }
            // Back references and classes of other tools.
            c if escaped && c.is_ascii_alphanumeric() => match c {
                'b' | 'B' | 'w' | 'W' | 's' | 'S' => {
                    out.push('\\');
                    out.push(c);
                }
                _ => return Err(unknown()),
            },
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out.push_str(")$");
    let mut builder = RegexBuilder::new(&out);
    builder
        .case_insensitive(fold)
        .dot_matches_new_line(true)
        .size_limit(1 << 20);
    builder.build().map_err(|_| unknown())
}

/// A set in brackets: a backslash in it is a backslash.
fn set(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    let mut first = true;
    loop {
        match rest.next()? {
            ']' if !first => {
                out.push(']');
                return Some(());
            }
            '[' if rest.peek() == Some(&':') => {
                out.push('[');
                loop {
                    let c = rest.next()?;
                    out.push(c);
                    if c == ':' && rest.peek() == Some(&']') {
                        rest.next();
                        out.push(']');
                        break;
                    }
                    if !(c == ':' || c.is_ascii_lowercase()) {
                        return None;
                    }
                }
            }
            '[' if matches!(rest.peek(), Some('.' | '=')) => return None,
            c @ ('[' | ']' | '\\' | '&' | '~' | '^') => {
                out.push('\\');
                out.push(c);
            }
            '-' if first || rest.peek() == Some(&']') => out.push_str("\\-"),
            c => out.push(c),
        }
        first = false;
    }
}
