//! Formatting keeps the meaning, is the same when done twice, and leaves a text with
//! errors alone.
#![no_main]

use imgc_syntax::SyntaxKind;
use libfuzzer_sys::fuzz_target;

/// The tokens that mean something, and the comments, without blanks at their ends. Commas
/// may be put after the last element, or taken away.
fn significant(text: &str) -> Vec<String> {
    imgc_syntax::parse(text)
        .syntax()
        .tokens()
        .filter(|token| !matches!(token.kind(), SyntaxKind::Whitespace | SyntaxKind::Comma))
        .map(|token| token.text().trim_end().to_owned())
        .collect()
}

fuzz_target!(|text: &str| {
    let parse = imgc_syntax::parse(text);
    if !parse.errors().is_empty() {
        return;
    }
    let once = imgc_syntax::format(text).expect("a text without errors has a form");
    let twice = imgc_syntax::format(&once).expect("so has its form");
    assert_eq!(once, twice);
    assert!(imgc_syntax::parse(&once).errors().is_empty());
    assert_eq!(significant(text), significant(&once));
});
