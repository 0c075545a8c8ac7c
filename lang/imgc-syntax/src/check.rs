//! Mistakes inside of tokens: numbers, escapes, indentation, characters that must not be there.
//! They do not change the tree.

use text_size::{TextRange, TextSize};

use crate::ast::{AstNode as _, Str};
use crate::error::{Errors, SyntaxCode, SyntaxError};
use crate::kind::SyntaxKind;
use crate::lex::Token;
use crate::literal::{self, IntError};
use crate::text::{quoted, range, size};
use crate::tree::{SyntaxElement, Tree};

/// Whether a character must not be in a source: NUL, and those that change the direction of text,
/// with which a file can look different from what it means.
pub(crate) fn is_forbidden(character: char) -> bool {
    matches!(character, '\0' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reports forbidden characters.
pub(crate) fn characters(source: &str, errors: &mut Errors) {
    // The first bytes of all that is forbidden. Most sources have none of them.
    if !source.bytes().any(|byte| matches!(byte, 0 | 0xe2)) {
        return;
    }
    for (at, character) in source
        .char_indices()
        .filter(|(_, character)| is_forbidden(*character))
    {
        let code = u32::from(character);
        let what = if character == '\0' {
            "a NUL character".to_owned()
        } else {
            format!("a character that changes the direction of text (U+{code:04X})")
        };
        errors.push(
            SyntaxError::new(
                SyntaxCode::ForbiddenCharacter,
                range(at, at + character.len_utf8()),
                format!("the source contains {what}"),
            )
            .help(format!("remove it; in a string, write `\\u{{{code:x}}}`")),
        );
    }
}

/// Reports `import`s of strings that are no address, or are computed.
pub(crate) fn imports(source: &str, tokens: &[Token], errors: &mut Errors) {
    let keywords = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.kind == SyntaxKind::ImportKw);
    for (at, _) in keywords {
        let after = tokens.get(at + 1..).unwrap_or_default();
        let Some(open) = after.iter().position(|token| !token.kind.is_trivia()) else {
            continue;
        };
        let Some(open) = after.get(open..).filter(|rest| {
            rest.first()
                .is_some_and(|first| first.kind == SyntaxKind::StrOpen)
        }) else {
            continue;
        };
        // Plain text is one token. Anything else is an escape or `${`.
        let place = |first: &Token, last: &Token| range(first.start as usize, last.end as usize);
        let error = match open {
            [first, text, close, ..]
                if text.kind == SyntaxKind::StrText && close.kind == SyntaxKind::StrClose =>
            {
                let address = text.text(source);
                // Whether `http://` leads to this machine, is for who fetches it.
                let is_address = [
                    "https://",
                    "http://localhost",
                    "http://127.",
                    "http://[::1]",
                    "oci://",
                ]
                .iter()
                .any(|scheme| address.starts_with(scheme));
                if is_address || close.is_empty() {
                    // A string without an end has been reported.
                    continue;
                }
                SyntaxError::new(
                    SyntaxCode::BadImport,
                    place(first, close),
                    format!("{} is no address of a module", quoted(address)),
                )
            }
            [first, ..] => SyntaxError::new(
                SyntaxCode::BadImport,
                place(first, first),
                "the address of an import is plain text, in one line",
            ),
            [] => continue,
        };
        errors.push(error.help(
            "a file is imported by its path, `import ./lib.img`, what is elsewhere by `\"https://…\"` or `\"oci://…\"`",
        ));
    }
}

/// Reports mistakes in literals of one token.
pub(crate) fn literals(source: &str, tokens: &[Token], errors: &mut Errors) {
    for token in tokens {
        let place = range(token.start as usize, token.end as usize);
        match token.kind {
            SyntaxKind::Int => integer(token.text(source), place, errors),
            SyntaxKind::StrEscape => escape(token.text(source), place, errors),
            SyntaxKind::PathText => path(token.text(source), place, errors),
            _ => {}
        }
    }
}

/// Reports mistakes in the layout of indented strings.
pub(crate) fn indented_strings(tree: &Tree, errors: &mut Errors) {
    let strings = tree.root().descendants().filter_map(Str::cast);
    for string in strings.filter(Str::is_indented) {
        indented(&string, errors);
    }
}

fn integer(text: &str, whole: TextRange, errors: &mut Errors) {
    let digit_at = |offset: usize| {
        let length = text
            .get(offset..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
        TextRange::at(whole.start() + size(offset), size(length))
    };
    let error = match literal::parse_int(text) {
        Ok(_) => return,
        Err(IntError::TooLarge) => SyntaxError::new(
            SyntaxCode::IntegerTooLarge,
            whole,
            "this integer is too large",
        )
        .label("does not fit in 64 bits")
        .help(format!("the largest integer is {}", i64::MAX)),
        Err(IntError::NoDigits) => {
            SyntaxError::new(SyntaxCode::BadNumber, whole, "this number has no digits")
        }
        Err(IntError::LeadingZero) => {
            let error = SyntaxError::new(
                SyntaxCode::BadNumber,
                whole,
                "a decimal number does not begin with `0`",
            );
            let digits = text.trim_start_matches(['0', '_']);
            if !digits.is_empty() && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7')) {
                let octal = format!("0o{digits}");
                error
                    .help(format!(
                        "an octal number, such as a mode, is written `{octal}`"
                    ))
                    .edit(whole, octal)
            } else {
                error.help("remove the zeros")
            }
        }
        Err(IntError::BadUnderscore { offset }) => SyntaxError::new(
            SyntaxCode::BadNumber,
            digit_at(offset),
            "`_` must stand between two digits",
        ),
        Err(IntError::BadDigit { offset, base }) => {
            let digit = text.get(offset..).and_then(|rest| rest.chars().next());
            let digit = quoted(&digit.map(String::from).unwrap_or_default());
            let base = match base {
                8 => "octal",
                16 => "hexadecimal",
                _ => "decimal",
            };
            SyntaxError::new(
                SyntaxCode::BadNumber,
                digit_at(offset),
                format!("{digit} is no {base} digit"),
            )
        }
    };
    errors.push(error);
}

fn escape(text: &str, place: TextRange, errors: &mut Errors) {
    if literal::decode_escape(text).is_some() {
        return;
    }
    let shown = quoted(text);
    let error = SyntaxError::new(
        SyntaxCode::BadEscape,
        place,
        format!("there is no escape {shown}"),
    );
    errors.push(if text.starts_with(r"\u") {
        error.help(r"write `\u{…}` with one to six hexadecimal digits of a Unicode character")
    } else {
        error
            .help(r#"the escapes are `\n`, `\t`, `\r`, `\"`, `\\`, `\$`, `\u{…}`; a backslash is `\\`"#)
            .edit(TextRange::empty(place.start()), "\\")
    });
}

fn path(text: &str, whole: TextRange, errors: &mut Errors) {
    if let Some(at) = text.find("//") {
        let place = TextRange::at(whole.start() + size(at), TextSize::new(2));
        errors.push(
            SyntaxError::new(SyntaxCode::BadPath, place, "this path has an empty part")
                .help("write one `/`")
                .edit(place, "/"),
        );
    }
}

fn indented(string: &Str<'_>, errors: &mut Errors) {
    let last = string.syntax().tokens().next_back();
    if last.is_none_or(|last| last.kind() != SyntaxKind::StrClose) {
        // It has no end, which is reported; what is in it may be anything.
        return;
    }
    let mut tokens = string.syntax().children_with_tokens().skip(1);
    let first = tokens.next();
    // An empty string, `""""""`, is fine.
    let starts_well = first.as_ref().is_none_or(|first| match first {
        SyntaxElement::Token(token) => {
            token.kind() == SyntaxKind::StrClose
                || token
                    .text()
                    .split_once('\n')
                    .is_some_and(|(head, _)| head.trim().is_empty())
        }
        SyntaxElement::Node(_) => false,
    });
    if !starts_well {
        let start = string.range().start();
        errors.push(
            SyntaxError::new(
                SyntaxCode::IndentedStringStart,
                TextRange::at(start, TextSize::new(3)),
                "the text must begin on the line after `\"\"\"`",
            )
            .help("begin a new line after `\"\"\"`, or write a one-line string with one `\"`"),
        );
    }
    mixed_indentation(string, errors);
}

/// Reports the first line whose indentation does not go with the others.
fn mixed_indentation(string: &Str<'_>, errors: &mut Errors) {
    let lines = literal::indentations(string);
    let Some((first, model)) = lines.iter().find(|(_, blanks)| !blanks.is_empty()) else {
        return;
    };
    let tabs = model.starts_with('\t');
    let (used, other) = if tabs {
        ("tabs", ' ')
    } else {
        ("spaces", '\t')
    };
    let Some((place, blanks)) = lines.iter().find(|(_, blanks)| blanks.contains(other)) else {
        return;
    };
    let at = blanks.find(other).unwrap_or_default();
    let run = blanks.get(at..).unwrap_or_default();
    let length = run.len() - run.trim_start_matches(other).len();
    let wrong = TextRange::at(place.start() + size(at), size(length));
    let mut error = SyntaxError::new(
        SyntaxCode::MixedIndentation,
        wrong,
        "tabs and spaces are mixed in the indentation of this text",
    )
    .related(*first, format!("indented with {used} here"));
    let common = lines
        .iter()
        .map(|(_, blanks)| blanks.find('\t').unwrap_or(blanks.len()))
        .min();
    if !tabs && common.is_some_and(|common| common > 0) {
        error = error.help("indent with spaces; a tab that belongs to the text is written `\\t`");
        for (place, blanks) in &lines {
            for (offset, _) in blanks.match_indices('\t') {
                let start = place.start() + size(offset);
                error = error.edit(TextRange::at(start, TextSize::new(1)), "\\t");
            }
        }
    } else {
        error = error.help(format!("indent every line with {used}"));
    }
    errors.push(error);
}
