//! What is remembered, and what is done again.

use std::collections::BTreeSet;

use super::testing::TestDb;
use super::{infer, scheme, value};
use crate::vm::value::Value;

fn int(db: &TestDb, name: &str) -> i64 {
    match &value(&db.db, db.item(name)).value {
        Some(Value::Int(_, number)) => *number,
        other => panic!("{other:?}"),
    }
}

#[test]
fn equal_answers_stop_what_is_done_again() {
    let mut db = TestDb::one("let one = 2 - 1; two = one + 1; in { three = two + one; }");
    assert_eq!(int(&db, "three"), 3);
    let before = db.db.counters();
    // The same value in another way.
    db.set(
        "main.img",
        "let one = 3 - 2; two = one + 1; in { three = two + one; }",
    );
    assert_eq!(int(&db, "three"), 3);
    let done = db.db.counters().since(before);
    assert_eq!((done.parsed, done.evaluated, done.inferred), (1, 1, 0));
    let before = db.db.counters();
    // Another value of the same type.
    db.set(
        "main.img",
        "let one = 3 - 1; two = one + 1; in { three = two + one; }",
    );
    assert_eq!(int(&db, "three"), 5);
    scheme(&db.db, db.item("three"));
    let done = db.db.counters().since(before);
    assert_eq!(done.evaluated, 3);
    let before = db.db.counters();
    db.set(
        "main.img",
        "# A comment.\nlet one = 3 - 1; two = one + 1; in { three = two + one; }",
    );
    assert_eq!(int(&db, "three"), 5);
    for item in db.all() {
        infer(&db.db, item);
    }
    let done = db.db.counters().since(before);
    assert_eq!((done.parsed, done.evaluated), (1, 0));
}

#[test]
fn origins_lead_back_to_bindings() {
    let db = TestDb::one("let a = [1, 2]; in { b = a; c = 3; }");
    let mut texts = BTreeSet::new();
    for name in ["a", "b", "c"] {
        let outcome = value(&db.db, db.item(name));
        let origin = outcome
            .value
            .as_ref()
            .and_then(Value::origin)
            .expect("a place");
        texts.insert(db.text(super::Db::site(&db.db, origin)));
    }
    assert_eq!(texts, ["3".to_owned(), "[1, 2]".to_owned()].into());
}
