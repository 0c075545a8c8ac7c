//! What is reported, and how evaluation goes on behind it.

use super::{check, first_diagnostic, run};
use crate::queries;
use crate::queries::testing::TestDb;

#[test]
fn mistakes_are_told_where_they_happen() {
    check(&[
        (
            "9223372036854775807 + 1",
            "IMG0307 9223372036854775807 + 1: the result is no 64-bit number",
        ),
        (
            "let n = 9223372036854775807; in n * 2",
            "IMG0307 n * 2: the result is no 64-bit number",
        ),
        (
            "-9223372036854775807 - 2",
            "IMG0307 -9223372036854775807 - 2: the result is no 64-bit number",
        ),
        (
            "let n = -9223372036854775807 - 1; in -n",
            "IMG0307 -n: the result is no 64-bit number",
        ),
        (
            "assert 1 > 2 else \"one ${\"is\"} less\" then 3",
            "IMG0309 1 > 2: one is less",
        ),
        ("let f = x => div x 0; in f 1", "IMG0306 0: this is zero"),
    ]);
}

#[test]
fn a_mistake_does_not_hide_the_others() {
    check(&[
        (
            "[div 1 0, 2, at 5 []]",
            "IMG0306 0: this is zero\nIMG0310 5: there is no item 5: the list is empty",
        ),
        (
            "let r = { a = div 1 0; b = at 0 []; }; in [r.a, r.b]",
            "IMG0306 0: this is zero\nIMG0310 0: there is no item 0: the list is empty",
        ),
        (
            "div 1 0 + at 0 []",
            "IMG0306 0: this is zero\nIMG0310 0: there is no item 0: the list is empty",
        ),
        (
            "let f = a => b => 1; in f (div 1 0) (at 0 [])",
            "IMG0306 0: this is zero\nIMG0310 0: there is no item 0: the list is empty",
        ),
        (
            "\"${fail \"a\"} ${fail \"b\"}\"",
            "IMG0309 fail \"a\": a\nIMG0309 fail \"b\": b",
        ),
        // What is made of a failure is no further mistake.
        (
            "let x = div 1 0; in [x + 1, x + 2, [x]]",
            "IMG0306 0: this is zero",
        ),
        (
            "let f = n => let x = div n 0; y = at 0 []; in x + y; in f 1",
            "IMG0306 0: this is zero\nIMG0310 0: there is no item 0: the list is empty",
        ),
        (
            "map (n => n + 1) [1, div 1 0, 9223372036854775807]",
            "IMG0306 0: this is zero\nIMG0307 n + 1: the result is no 64-bit number",
        ),
        (
            "match Some (div 1 0) { Some n => n; None => at 0 []; }",
            "IMG0306 0: this is zero",
        ),
        (
            "let f = { a ? div 1 0, b } => b; in [f { b = 1; }]",
            "IMG0306 0: this is zero",
        ),
        (
            "if div 1 0 > 1 then fail \"a\" else fail \"b\"",
            "IMG0306 0: this is zero",
        ),
    ]);
}

#[test]
fn a_failure_leaves_a_hole_and_not_more() {
    let db = TestDb::one("let x = [1, div 1 0, 3]; in x");
    let outcome = queries::value(&db.db, db.item("x"));
    let items = outcome.value.as_ref().and_then(|value| value.as_list());
    let items = items.expect("a list");
    assert_eq!(items.iter().filter(|item| item.is_failed()).count(), 1);
    assert_eq!(items.len(), 3);
}

#[test]
fn calls_that_led_there_are_shown() {
    let text = "let g = x => div x 0; f = x => g (x + 1); in f 1";
    let db = TestDb::one(text);
    let found = first_diagnostic(&db, "");
    let related: Vec<&str> = found
        .related
        .iter()
        .map(|related| &text[related.span.range.start as usize..related.span.range.end as usize])
        .collect();
    assert_eq!(related, ["f 1", "g (x + 1)", "div x 0"]);
}

#[test]
fn many_mistakes_are_cut_off() {
    let zeros = vec!["div 1 0"; 1000].join(", ");
    let found = run(&format!("[{zeros}]"));
    assert_eq!(found.lines().count(), crate::problem::MAX_PROBLEMS);
}

#[test]
fn used_bindings_are_known_in_order() {
    let db = TestDb::one("let a = 1; b = 2; f = x => x + a; in [f b, f 1]");
    let outcome = queries::value(&db.db, db.item(""));
    assert_eq!(outcome.used, [db.item("f"), db.item("b"), db.item("a")]);
    assert!(outcome.steps > 5);
}
