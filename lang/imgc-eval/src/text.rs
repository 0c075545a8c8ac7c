//! Text of the language: how names and strings are written, and how much of them is
//! shown. It knows no values.

/// The longest words of a finding, in bytes.
const LONGEST_WORDS: usize = 1_000;

/// Whether a field's name can stand without quotes. Words of the language are
/// quoted.
pub(crate) fn is_plain(name: &str) -> bool {
    const WORDS: [&str; 15] = [
        "let", "in", "if", "then", "else", "import", "true", "false", "match", "with", "assert",
        "type", "or", "and", "rec",
    ];
    let first = name.bytes().next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !WORDS.contains(&name)
}

/// Appends a string as a literal.
pub(crate) fn quote(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '$' => text.push_str("\\$"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            control if control.is_control() => {
                text.push_str(&format!("\\u{{{:x}}}", u32::from(control)));
            }
            plain => text.push(plain),
        }
    }
    text.push('"');
}

/// The words, cut where they are too long. They may quote what a program made.
pub(crate) fn short(mut words: String) -> String {
    if words.len() > LONGEST_WORDS {
        let mut end = LONGEST_WORDS;
        while !words.is_char_boundary(end) {
            end -= 1;
        }
        words.truncate(end);
        words.push('…');
        words.shrink_to_fit();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_cut_between_characters() {
        assert_eq!(short("é".repeat(500)), "é".repeat(500));
        assert_eq!(
            short(format!("a{}", "é".repeat(501))),
            format!("a{}…", "é".repeat(499))
        );
    }
}
