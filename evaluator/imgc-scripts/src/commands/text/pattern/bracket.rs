//! Reads bracket expressions: `[^a-z[:digit:]]`.

use super::Fault;
use super::parse::{BYTES, Class, Node, Parser, Set, character};

/// A bracket expression, whose `[` is read.
pub(super) fn bracket(parser: &mut Parser<'_>) -> Result<Node, Fault> {
    const UNMATCHED: Fault = Fault::Invalid("Unmatched [, [^, [:, [., or [=");
    let mut set = Set::default();
    if parser.source.get(parser.at) == Some(&b'^') {
        set.negated = true;
        parser.at += 1;
    }
    let first = parser.at;
    loop {
        let rest = &parser.source[parser.at..];
        if rest.is_empty() {
            return Err(UNMATCHED);
        }
        if rest[0] == b']' && parser.at > first {
            let inside = &parser.source[first..parser.at];
            if parser.grep()
                && inside.len() > 1
                && inside.starts_with(b":")
                && inside.ends_with(b":")
            {
                return Err(Fault::Invalid(
                    "character class syntax is [[:space:]], not [:space:]",
                ));
            }
            parser.at += 1;
            break;
        }
        if let Some(name) = rest.strip_prefix(b"[:") {
            let end = find(name, b":]").ok_or(UNMATCHED)?;
            let class =
                Class::named(&name[..end]).ok_or(Fault::Invalid("Invalid character class name"))?;
            set.classes.push(class);
            parser.at += end + 4;
            continue;
        }
        let low = bracket_item(parser)?;
        let rest = &parser.source[parser.at..];
        if rest.first() == Some(&b'-') && rest.get(1).is_some_and(|&b| b != b']') {
            parser.at += 1;
            let high = bracket_item(parser)?;
            if high < low {
                return match parser.awk() {
                    true => Err(Fault::Unsupported("a range is reversed".to_owned())),
                    false => Err(Fault::Invalid("Invalid range end")),
                };
            }
            set.ranges.push((low, high));
        } else {
            set.ranges.push((low, low));
        }
    }
    Ok(Node::Set(set))
}

/// One character in brackets, as a code point or byte.
fn bracket_item(parser: &mut Parser<'_>) -> Result<u32, Fault> {
    let rest = &parser.source[parser.at..];
    for (open, close) in [(b"[.", b".]"), (b"[=", b"=]")] {
        if let Some(name) = rest.strip_prefix(open) {
            let end = find(name, close).ok_or(Fault::Invalid("Unmatched [, [^, [:, [., or [="))?;
            let one = character(&name[..end], parser.utf8);
            parser.at += end + 4;
            return match one {
                Some((node, len)) if len == end => Ok(code(&node)),
                _ => Err(Fault::Invalid("Invalid collation character")),
            };
        }
    }
    if rest.first() == Some(&b'\\') && parser.escapes() {
        let from = parser.at;
        if let Some(&next) = rest.get(1) {
            // sed leaves a backslash alone that makes no control character.
            parser.at += 2;
            if let Some(node) = parser.control(next) {
                return Ok(code(&node));
            }
            if parser.awk() {
                parser.at = from + 1;
                let (node, len) =
                    character(&rest[1..], parser.utf8).unwrap_or((Node::Char('\\'), 0));
                parser.at += len;
                return Ok(code(&node));
            }
            parser.at = from;
        }
    }
    let (node, len) =
        character(rest, parser.utf8).ok_or(Fault::Invalid("Unmatched [, [^, [:, [., or [="))?;
    parser.at += len;
    Ok(code(&node))
}

fn code(node: &Node) -> u32 {
    match node {
        Node::Char(char) => u32::from(*char),
        // No code point: bytes of broken text are kept above all of them.
        Node::Byte(byte) => BYTES + u32::from(*byte),
        _ => 0,
    }
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|part| part == needle)
}
