//! Any text becomes tokens that are the text, byte for byte.
#![no_main]

use imgc_syntax::NodeOrToken;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let tree = imgc_syntax::parse(text).syntax();
    let tokens = tree
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token);
    let mut at = 0;
    for token in tokens {
        assert_eq!(usize::from(token.text_range().start()), at);
        assert!(!token.text().is_empty());
        at += token.text().len();
    }
    assert_eq!(at, text.len());
});
