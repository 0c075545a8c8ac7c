//! The values of literals: integers, escapes, and strings with their indentation removed.
//! It decodes what the lexer has found, and reports nothing: `check` turns its errors into words.

use std::borrow::Cow;

use text_size::{TextRange, TextSize};

use crate::ast::{AstNode as _, Interpolation, Str, StrPart};
use crate::kind::SyntaxKind;
use crate::tree::{SyntaxElement, SyntaxToken};

/// Why a text is no integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntError {
    /// Beyond 64 bits.
    TooLarge,
    /// A character at this offset that is no digit of this base.
    BadDigit { offset: usize, base: u32 },
    /// A base prefix with no digit after it.
    NoDigits,
    /// A decimal number that begins with `0`.
    LeadingZero,
    /// A `_` that is not between two digits, at this offset.
    BadUnderscore { offset: usize },
}

/// Value of an integer such as `10_000`, `0o755`, `0x1f`.
pub(crate) fn parse_int(text: &str) -> Result<i64, IntError> {
    let (prefix, base) = match text.as_bytes() {
        [b'0', b'o', ..] => (2, 8),
        [b'0', b'x', ..] => (2, 16),
        _ => (0, 10),
    };
    let digits = text.get(prefix..).unwrap_or_default();
    if digits.is_empty() {
        return Err(IntError::NoDigits);
    }
    let mut value = Some(0_i64);
    let mut after_digit = false;
    for (offset, character) in digits.char_indices() {
        let offset = offset + prefix;
        if character == '_' {
            if !after_digit || offset + 1 == text.len() {
                return Err(IntError::BadUnderscore { offset });
            }
            after_digit = false;
            continue;
        }
        let digit = character
            .to_digit(base)
            .ok_or(IntError::BadDigit { offset, base })?;
        after_digit = true;
        value = value
            .and_then(|value| value.checked_mul(i64::from(base)))
            .and_then(|value| value.checked_add(i64::from(digit)));
    }
    if base == 10 && digits.len() > 1 && digits.starts_with('0') {
        return Err(IntError::LeadingZero);
    }
    value.ok_or(IntError::TooLarge)
}

/// The character that an escape stands for, or nothing if there is no such escape.
pub(crate) fn decode_escape(text: &str) -> Option<char> {
    match text {
        r"\n" => Some('\n'),
        r"\t" => Some('\t'),
        r"\r" => Some('\r'),
        "\\\"" => Some('"'),
        r"\\" => Some('\\'),
        r"\$" => Some('$'),
        _ => {
            let digits = text.strip_prefix(r"\u{")?.strip_suffix('}')?;
            let plain = (1..=6).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            plain.then(|| {
                u32::from_str_radix(digits, 16)
                    .ok()
                    .and_then(char::from_u32)
            })?
        }
    }
}

/// The parts of a string, decoded.
pub(crate) fn string_parts<'t>(string: &Str<'t>) -> Vec<StrPart<'t>> {
    let pieces = pieces(string);
    let mut parts = Parts::default();
    if string.is_indented() {
        let common = common_indentation(&pieces);
        walk_lines(&pieces, |line| match line {
            Line::Start {
                indent,
                blank,
                rest,
                range,
            } => {
                let stripped = if blank {
                    ""
                } else {
                    indent.get(common..).unwrap_or_default()
                };
                parts.push(stripped.into(), range);
                parts.push(unix(rest), range);
            }
            Line::Continued { text, range } => parts.push(unix(text), range),
            Line::Piece(piece) => parts.push_piece(piece),
        });
    } else {
        for &piece in &pieces {
            parts.push_piece(piece);
        }
    }
    parts.done
}

/// Where the leading blanks of every line that counts for the indentation stand.
pub(crate) fn indentations<'t>(string: &Str<'t>) -> Vec<(TextRange, &'t str)> {
    let mut found = Vec::new();
    walk_lines(&pieces(string), |line| {
        if let Line::Start {
            indent,
            blank: false,
            range,
            ..
        } = line
        {
            found.push((TextRange::at(range.start(), TextSize::of(indent)), indent));
        }
    });
    found
}

/// The parts of a string as the tree has them.
#[derive(Clone, Copy)]
enum Piece<'t> {
    Text(SyntaxToken<'t>),
    Escape(SyntaxToken<'t>),
    Interpolation(Interpolation<'t>),
}

/// What [`walk_lines`] meets in an indented string.
enum Line<'a> {
    /// The text at the start of a line, up to the line's end or the next piece.
    Start {
        indent: &'a str,
        blank: bool,
        rest: &'a str,
        range: TextRange,
    },
    /// Text after an escape or interpolation in the same line.
    Continued { text: &'a str, range: TextRange },
    /// An escape or interpolation.
    Piece(Piece<'a>),
}

fn pieces<'t>(string: &Str<'t>) -> Vec<Piece<'t>> {
    let element = |element| match element {
        SyntaxElement::Token(token) => match token.kind() {
            SyntaxKind::StrText => Some(Piece::Text(token)),
            SyntaxKind::StrEscape => Some(Piece::Escape(token)),
            _ => None,
        },
        SyntaxElement::Node(node) => Interpolation::cast(node).map(Piece::Interpolation),
    };
    string
        .syntax()
        .children_with_tokens()
        .filter_map(element)
        .collect()
}

/// Goes over an indented string line by line, without the line end after the opening `"""`.
fn walk_lines<'a>(pieces: &[Piece<'a>], mut visit: impl FnMut(Line<'a>)) {
    let mut at_start = true;
    for (index, &piece) in pieces.iter().enumerate() {
        let Piece::Text(token) = piece else {
            if at_start {
                let range = TextRange::empty(piece_start(piece));
                visit(Line::Start {
                    indent: "",
                    blank: false,
                    rest: "",
                    range,
                });
            }
            visit(Line::Piece(piece));
            at_start = false;
            continue;
        };
        let mut text = token.text();
        let mut start = token.text_range().start();
        if index == 0
            && let Some((head, tail)) = text.split_once('\n')
            && head.trim().is_empty()
        {
            text = tail;
            start = token.text_range().end() - TextSize::of(tail);
        }
        let last_piece = index + 1 == pieces.len();
        for line in text.split_inclusive('\n') {
            let range = TextRange::at(start, TextSize::of(line));
            start = range.end();
            if at_start {
                let body = line.trim_start_matches([' ', '\t']);
                let indent = &line[..line.len() - body.len()];
                let ended = line.ends_with('\n') || last_piece;
                let blank = ended && body.trim_end_matches(['\r', '\n']).is_empty();
                visit(Line::Start {
                    indent,
                    blank,
                    rest: body,
                    range,
                });
            } else {
                visit(Line::Continued { text: line, range });
            }
            at_start = line.ends_with('\n');
        }
    }
}

fn piece_start(piece: Piece<'_>) -> TextSize {
    match piece {
        Piece::Text(token) | Piece::Escape(token) => token.text_range().start(),
        Piece::Interpolation(node) => node.range().start(),
    }
}

/// Length of the longest blanks that all lines with text begin with.
fn common_indentation(pieces: &[Piece<'_>]) -> usize {
    let mut common: Option<&str> = None;
    walk_lines(pieces, |line| {
        if let Line::Start {
            indent,
            blank: false,
            ..
        } = line
        {
            let shared = match common {
                None => indent.len(),
                Some(so_far) => so_far
                    .bytes()
                    .zip(indent.bytes())
                    .take_while(|(a, b)| a == b)
                    .count(),
            };
            common = Some(&indent[..shared]);
        }
    });
    common.map_or(0, str::len)
}

/// Text with line ends as Unix has them.
fn unix(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") {
        text.replace("\r\n", "\n").into()
    } else {
        text.into()
    }
}

/// Parts of a string under construction.
#[derive(Default)]
struct Parts<'t> {
    done: Vec<StrPart<'t>>,
}

impl<'t> Parts<'t> {
    fn push(&mut self, more: Cow<'t, str>, more_range: TextRange) {
        if more.is_empty() {
            return;
        }
        if let Some(StrPart::Text { text, range }) = self.done.last_mut() {
            text.to_mut().push_str(&more);
            *range = range.cover(more_range);
        } else {
            self.done.push(StrPart::Text {
                text: more,
                range: more_range,
            });
        }
    }

    fn push_piece(&mut self, piece: Piece<'t>) {
        match piece {
            Piece::Text(token) => self.push(token.text().into(), token.text_range()),
            Piece::Escape(token) => {
                // An escape that does not exist has been reported; it stands for nothing.
                if let Some(character) = decode_escape(token.text()) {
                    self.push(character.to_string().into(), token.text_range());
                }
            }
            Piece::Interpolation(node) => self.done.push(StrPart::Interpolation(node)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        assert_eq!(parse_int("0"), Ok(0));
        assert_eq!(parse_int("10_000"), Ok(10_000));
        assert_eq!(parse_int("0o755"), Ok(0o755));
        assert_eq!(parse_int("0x1f"), Ok(31));
        assert_eq!(parse_int("9223372036854775807"), Ok(i64::MAX));
        assert_eq!(parse_int("9223372036854775808"), Err(IntError::TooLarge));
        assert_eq!(
            parse_int("0o789"),
            Err(IntError::BadDigit { offset: 3, base: 8 })
        );
        assert_eq!(
            parse_int("12ab"),
            Err(IntError::BadDigit {
                offset: 2,
                base: 10
            })
        );
        assert_eq!(parse_int("0755"), Err(IntError::LeadingZero));
        assert_eq!(parse_int("0x"), Err(IntError::NoDigits));
        assert_eq!(
            parse_int("1__0"),
            Err(IntError::BadUnderscore { offset: 2 })
        );
        assert_eq!(parse_int("10_"), Err(IntError::BadUnderscore { offset: 2 }));
        assert_eq!(
            parse_int("0o_7"),
            Err(IntError::BadUnderscore { offset: 2 })
        );
    }

    #[test]
    fn escapes() {
        assert_eq!(decode_escape(r"\n"), Some('\n'));
        assert_eq!(decode_escape(r"\u{1F600}"), Some('😀'));
        assert_eq!(decode_escape(r"\u{D800}"), None);
        assert_eq!(decode_escape(r"\u{}"), None);
        assert_eq!(decode_escape(r"\u{+41}"), None);
        assert_eq!(decode_escape(r"\q"), None);
    }
}
