//! Any text becomes tokens that are the text, byte for byte.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut at = 0;
    for token in imgc_syntax::parse(text).syntax().tokens() {
        assert_eq!(usize::from(token.text_range().start()), at);
        assert!(!token.text().is_empty());
        at += token.text().len();
    }
    assert_eq!(at, text.len());
});
