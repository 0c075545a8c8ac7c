//! Drawing is bounded and never panics, whatever the source and the places in it.

use std::collections::BTreeMap;

use imgc_diag::{Diagnostic, FileId, Span, SpanRange, codes, from_syntax, render};
use imgc_syntax::parse;
use proptest::prelude::*;

fn span(file: &str, start: usize, end: usize) -> Span {
    let offset = |at| u32::try_from(at).expect("a small source");
    Span {
        file: FileId::new(file),
        range: SpanRange {
            start: offset(start),
            end: offset(end),
        },
    }
}

fn error(start: usize, end: usize) -> Diagnostic {
    Diagnostic::error(codes::WRONG_TYPE, span("app.img", start, end), "a message")
        .with_label("here")
}

fn draw(diagnostic: &Diagnostic, source: &str) -> String {
    let texts = BTreeMap::from([(FileId::new("app.img"), source.to_owned())]);
    render(diagnostic, &texts, false, 100)
}

/// The columns of a line under a label, from the first after the gutter.
fn line<'a>(drawn: &'a str, with: &str) -> &'a str {
    drawn
        .lines()
        .find(|line| line.contains(with))
        .unwrap_or_else(|| panic!("no {with} in\n{drawn}"))
}

#[test]
fn a_long_line_of_brackets() {
    for source in ["(".repeat(100_000), format!("[{}", "é, ".repeat(60_000))] {
        let parse = parse(&source);
        for found in parse.errors() {
            let diagnostic = from_syntax(&FileId::new("app.img"), found);
            let drawn = draw(&diagnostic, &source);
            assert!(drawn.chars().count() < 2_000, "{drawn}");
            assert!(drawn.contains('…'), "{drawn}");
        }
    }
}

#[test]
fn the_place_in_a_long_line_is_true() {
    let source = format!("# note\n{}@{}", "é".repeat(70_000), "b".repeat(70_000));
    let at = source.find('@').expect("it is there");
    let drawn = draw(&error(at, at + 1), &source);
    assert!(drawn.contains("[app.img:2:70001]"), "{drawn}");
    let shown = line(&drawn, "@");
    assert!(shown.chars().count() < 220, "{shown}");
    assert!(shown.contains("│ …é") && shown.ends_with("b…"), "{shown}");
    let under = line(&drawn, "┬");
    let column = |line: &str, wanted: char| line.chars().position(|c| c == wanted);
    assert_eq!(column(shown, '@'), column(under, '┬'), "{drawn}");
}

#[test]
fn places_far_from_each_other_in_one_line() {
    let source = format!("[{}]{}", "a, ".repeat(30_000), ";".repeat(500));
    let end = source.find(']').expect("it is there");
    let diagnostic = error(end, end + 1).with_related(span("app.img", 0, 1), "opened here");
    let drawn = draw(&diagnostic, &source);
    assert!(drawn.contains("[app.img:1:90002]"), "{drawn}");
    let shown = line(&drawn, "[a, a");
    assert!(shown.contains("a…") && shown.contains("]"), "{shown}");
    assert!(drawn.contains("opened here"), "{drawn}");
    // A label over all of it shows both its ends.
    let drawn = draw(&error(0, end + 1), &source);
    let shown = line(&drawn, "[a, a");
    assert!(shown.contains("a…") && shown.contains("]"), "{shown}");
    assert!(shown.chars().count() < 240, "{shown}");
}

#[test]
fn wide_characters_keep_the_columns() {
    let source = format!("{}=;", "語".repeat(3_000));
    let at = source.find('=').expect("it is there");
    let drawn = draw(&error(at, at + 1), &source);
    assert!(drawn.contains("[app.img:1:3001]"), "{drawn}");
    let width = |text: &str| -> usize {
        let wide = |c: char| if c == '語' { 2 } else { 1 };
        text.chars().map(wide).sum()
    };
    let (shown, under) = (line(&drawn, "="), line(&drawn, "┬"));
    let before = |line: &str, end: char| width(line.split(end).next().unwrap_or_default());
    assert_eq!(before(shown, '='), before(under, '┬'), "{drawn}");
}

#[test]
fn a_label_of_many_lines_marks_its_first() {
    let source = format!("let\n{}in a", "  a = 1;\n".repeat(10_000));
    let drawn = draw(&error(0, source.len()), &source);
    assert!(drawn.contains("[app.img:1:1]"), "{drawn}");
    assert!(line(&drawn, "let").ends_with("let…"), "{drawn}");
    assert!(drawn.lines().count() < 12, "{drawn}");
    // One of few lines is shown whole.
    let drawn = draw(&error(4, 4 + 9 * 5), &source);
    assert_eq!(drawn.matches("a = 1;").count(), 6, "{drawn}");
}

#[test]
fn lines_between_places_are_left_out() {
    let source = "a\n".repeat(2_000);
    let diagnostic = error(2_000, 2_001).with_related(span("app.img", 3_800, 3_801), "there");
    let drawn = draw(&diagnostic, &source);
    assert!(drawn.contains("[app.img:1001:1]"), "{drawn}");
    assert!(drawn.contains("[app.img:1901:1]"), "{drawn}");
    assert!(drawn.lines().count() < 20, "{drawn}");
}

#[test]
fn empty_places_at_the_end_are_drawn() {
    for (source, header) in [
        ("", "[app.img:1:1]"),
        ("a", "[app.img:1:2]"),
        ("a\n", "[app.img:2:1]"),
        ("a\r\nbc", "[app.img:2:3]"),
    ] {
        let drawn = draw(&error(source.len(), source.len()), source);
        assert!(drawn.contains(header), "{drawn}");
        assert!(drawn.contains("here"), "{drawn}");
        assert!(
            !drawn.contains('?'),
            "a line end is no bad character: {drawn}"
        );
    }
}

#[test]
fn long_words_and_many_places_are_cut() {
    let long = "word ".repeat(100_000);
    let mut diagnostic = Diagnostic::error(codes::WRONG_TYPE, span("app.img", 0, 1), long.clone())
        .with_label(long.clone())
        .with_help(long.clone());
    for at in 0..5_000 {
        diagnostic = diagnostic
            .with_related(span("app.img", at, at + 1), "there")
            .with_note(long.clone());
    }
    let drawn = draw(&diagnostic, &"a b\n".repeat(2_000));
    assert!(drawn.len() < 60_000, "{}", drawn.len());
}

/// Text with what is hard to draw in it.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[a-z =;]{0,400}",
        "[語é\t\r\n\u{301}🦀]{0,40}",
        Just("\n".repeat(30)),
        Just("\r\n".to_owned()),
        Just("(".repeat(70_000)),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(
        source in text(),
        other in text(),
        ranges in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<bool>()), 1..8),
        raw in (0_u32..9_000_000, any::<u32>()),
        words in "[a-z\n]{0,20}",
        width in 1_usize..300,
        color in any::<bool>(),
    ) {
        let mut diagnostic = error(0, 0);
        diagnostic.primary.span.range = SpanRange { start: raw.0, end: raw.1 };
        for (index, (start, length, elsewhere)) in ranges.iter().enumerate() {
            let text = if *elsewhere { &other } else { &source };
            let start = start.index(text.len() + 1);
            let end = start + length.index(text.len() + 2 - start.min(text.len()));
            let file = if *elsewhere { "lib.img" } else { "app.img" };
            if index == 0 && !elsewhere {
                diagnostic.primary.span = span(file, start, end);
            } else {
                diagnostic = diagnostic.with_related(span(file, start, end), words.clone());
            }
        }
        let texts = BTreeMap::from([
            (FileId::new("app.img"), source),
            (FileId::new("lib.img"), other),
        ]);
        let drawn = render(&diagnostic, &texts, color, width);
        prop_assert!(drawn.contains("IMG0301"));
        prop_assert!(!drawn.contains("Failed to read"));
        prop_assert!(drawn.chars().count() < 100_000);
    }
}
