//! Writes a regular expression's tree in the syntax of the linear engine.

use std::fmt::Write as _;

use super::Flags;
use super::parse::{BYTES, Class, Look, Node, Set};

/// `node` in the engine's syntax.
pub(super) fn translate(node: &Node, flags: Flags) -> String {
    let mut out = String::new();
    push(node, flags, &mut out);
    out
}

fn push(node: &Node, flags: Flags, out: &mut String) {
    match node {
        Node::Empty => out.push_str("(?:)"),
        Node::Char(char) => push_char(*char, out),
        Node::Byte(byte) => {
            let _ = write!(out, "(?-u:\\x{byte:02X})");
        }
        Node::Any => out.push_str(match (flags.utf8, flags.lines) {
            (true, false) => "(?s:.)",
            (true, true) => "[^\\n]",
            (false, false) => "(?s-u:.)",
            (false, true) => "(?-u:[^\\n])",
        }),
        Node::Set(set) => push_set(set, flags, out),
        Node::Look(look) => out.push_str(match look {
            Look::LineStart if flags.lines => "(?m:^)",
            Look::LineEnd if flags.lines => "(?m:$)",
            Look::LineStart | Look::Start => "\\A",
            Look::LineEnd | Look::End => "\\z",
            Look::WordStart if flags.utf8 => "\\b{start}",
            Look::WordStart => "(?-u:\\b{start})",
            Look::WordEnd if flags.utf8 => "\\b{end}",
            Look::WordEnd => "(?-u:\\b{end})",
            Look::Word if flags.utf8 => "\\b",
            Look::Word => "(?-u:\\b)",
            Look::NoWordBefore if flags.utf8 => "\\b{start-half}",
            Look::NoWordBefore => "(?-u:\\b{start-half})",
            Look::NoWordAfter if flags.utf8 => "\\b{end-half}",
            Look::NoWordAfter => "(?-u:\\b{end-half})",
            Look::NotWord if flags.utf8 => "\\B",
            Look::NotWord => "(?-u:\\B)",
        }),
        Node::Group(inner, _) => {
            out.push('(');
            push(inner, flags, out);
            out.push(')');
        }
        // Patterns with these have another matcher.
        Node::Back(_) => {}
        Node::Repeat(inner, min, max) => {
            out.push_str("(?:");
            push(inner, flags, out);
            out.push(')');
            let _ = match (min, max) {
                (0, None) => write!(out, "*"),
                (1, None) => write!(out, "+"),
                (0, Some(1)) => write!(out, "?"),
                (min, None) => write!(out, "{{{min},}}"),
                (min, Some(max)) => write!(out, "{{{min},{max}}}"),
            };
        }
        Node::Concat(all) => {
            for node in all {
                // A branch of an alternation in a sequence is always in a group.
                push(node, flags, out);
            }
        }
        Node::Alt(all) => {
            out.push_str("(?:");
            for (number, node) in all.iter().enumerate() {
                if number > 0 {
                    out.push('|');
                }
                push(node, flags, out);
            }
            out.push(')');
        }
    }
}

fn push_char(char: char, out: &mut String) {
    if char.is_ascii_alphanumeric() {
        out.push(char);
    } else {
        let _ = write!(out, "\\x{{{:X}}}", u32::from(char));
    }
}

fn push_set(set: &Set, flags: Flags, out: &mut String) {
    if !flags.utf8 {
        out.push_str("(?-u:");
        push_bytes(set, flags, out);
        out.push(')');
        return;
    }
    // Broken bytes are no members of a set of characters; only a set that names one
    // has it.
    let bytes: Vec<u32> = set
        .ranges
        .iter()
        .filter(|(low, high)| *low >= BYTES && low == high)
        .map(|(low, _)| low - BYTES)
        .collect();
    if !bytes.is_empty() && !set.negated {
        out.push_str("(?:");
        for byte in bytes {
            let _ = write!(out, "(?-u:\\x{byte:02X})|");
        }
    } else {
        out.push_str("(?:");
    }
    out.push_str(if set.negated { "[^" } else { "[" });
    if set.negated && flags.lines {
        out.push_str("\\n");
    }
    let mut empty = true;
    for &(low, high) in &set.ranges {
        if low >= BYTES {
            continue;
        }
        let high = high.min(0x10_ffff);
        let _ = write!(
            out,
            "\\x{{{:X}}}-\\x{{{:X}}}",
            scalar(low, true),
            scalar(high, false)
        );
        empty = false;
    }
    for class in &set.classes {
        out.push_str(unicode(*class));
        empty = false;
    }
    if empty {
        // Nothing: `&&` with what can't be.
        out.push_str("a&&b");
    }
    out.push_str("])");
}

/// A code point that is a character: surrogates are none.
fn scalar(code: u32, low: bool) -> u32 {
    match code {
        0xd800..=0xdfff if low => 0xe000,
        0xd800..=0xdfff => 0xd7ff,
        other => other,
    }
}

fn push_bytes(set: &Set, flags: Flags, out: &mut String) {
    out.push_str(if set.negated { "[^" } else { "[" });
    if set.negated && flags.lines {
        out.push_str("\\n");
    }
    let byte = |code: u32| {
        if code >= BYTES {
            code - BYTES
        } else {
            code.min(0xff)
        }
    };
    for &(low, high) in &set.ranges {
        let _ = write!(out, "\\x{:02X}-\\x{:02X}", byte(low), byte(high));
    }
    for class in &set.classes {
        let _ = write!(out, "[:{}:]", class.name());
    }
    out.push(']');
}

/// A class among all characters, about as glibc's C.UTF-8 has it, and exactly so among
/// ASCII's.
fn unicode(class: Class) -> &'static str {
    match class {
        Class::Alnum => "\\p{Alphabetic}[:digit:]",
        Class::Alpha => "\\p{Alphabetic}",
        Class::Blank => "\\t\\p{Zs}",
        Class::Cntrl => "\\p{Cc}\\x{2028}\\x{2029}",
        Class::Digit => "[:digit:]",
        Class::Graph => "[^\\p{C}\\p{Z}]",
        Class::Lower => "\\p{Lowercase}",
        Class::Print => "[^\\p{C}\\p{Zl}\\p{Zp}]",
        Class::Punct => "[:punct:]\\p{P}\\p{S}",
        Class::Space => "\\t-\\r\\p{Z}",
        Class::Upper => "\\p{Uppercase}",
        Class::Xdigit => "[:xdigit:]",
    }
}

impl Class {
    /// Its name in a bracket expression.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Alnum => "alnum",
            Self::Alpha => "alpha",
            Self::Blank => "blank",
            Self::Cntrl => "cntrl",
            Self::Digit => "digit",
            Self::Graph => "graph",
            Self::Lower => "lower",
            Self::Print => "print",
            Self::Punct => "punct",
            Self::Space => "space",
            Self::Upper => "upper",
            Self::Xdigit => "xdigit",
        }
    }
}
