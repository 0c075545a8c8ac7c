//! Programs and what they evaluate to. Types are not looked at here.

mod builtins;
mod hostile;
mod mistakes;
mod programs;

use imgc_diag::{Diagnostic, FileId, Span};

use crate::MemoryWorld;
use crate::queries;
use crate::queries::testing::TestDb;
use crate::site::Site;

/// What the file ends in, as text; or what is wrong, as `CODE text-there: message`.
fn run(text: &str) -> String {
    run_db(&TestDb::one(text))
}

fn run_db(db: &TestDb) -> String {
    let mistakes = db.mistakes();
    if !mistakes.is_empty() {
        return mistakes.join("\n");
    }
    let public = db.items().exports.clone();
    let items = match public {
        None => vec![db.item("")],
        Some(names) => names.iter().map(|name| db.item(name)).collect(),
    };
    let mut shown = Vec::new();
    let mut seen = Vec::new();
    let mut waiting = items.clone();
    let mut problems = Vec::new();
    while let Some(item) = waiting.pop() {
        let outcome = queries::value(&db.db, item);
        if seen.contains(&item) {
            continue;
        }
        seen.push(item);
        problems.extend(outcome.problems.iter().cloned());
        waiting.extend(outcome.used.iter().copied());
    }
    if !problems.is_empty() {
        return db.shown(&problems).join("\n");
    }
    for item in &items {
        let outcome = queries::value(&db.db, *item);
        let Some(value) = &outcome.value else {
            return "failed".to_owned();
        };
        match super::show::show(&db.db, *item, value) {
            Ok(text) => shown.push(text),
            Err(problems) if problems.is_empty() => return "failed".to_owned(),
            Err(problems) => return db.shown(&problems).join("\n"),
        }
    }
    shown.join(" ")
}

/// Checks programs against what they evaluate to.
#[track_caller]
fn check(programs: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (program, expected) in programs {
        let found = run(program);
        if found != *expected {
            wrong.push(format!(
                "{program}\n  gives    {found}\n  and not  {expected}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// The finding of a binding as it is shown.
fn first_diagnostic(db: &TestDb, name: &str) -> Diagnostic {
    let outcome = queries::value(&db.db, db.item(name));
    let problem = outcome.problems[0].clone();
    let place = |site: Site| {
        let spans = &db
            .lowered()
            .get(site.item.name(&db.db))
            .expect("a binding")
            .spans;
        Span::new(FileId::new("main.img"), spans.get(site.at))
    };
    problem.map(place).diagnostic("")
}

/// A project with a few files.
fn world() -> MemoryWorld {
    MemoryWorld::new()
        .file("motd", "Hello.\n")
        .file("site/index.html", "<!doctype html>\n")
        .file("site/css/site.css", "body {}\n")
        .file("app.json", "{\"port\": 8080}\n")
        .file("app.toml", "port = 8080\n")
        .file("app.yaml", "port: 8080\n")
        .file("bad.json", "{\n  \"port\": ,\n}\n")
        .file("bad.toml", "a = 1\nb = \n")
        .file("bad.yaml", "a: 1\nb: [\n")
        .file("binary", [0xff, 0xfe])
        .file("long", vec![b'x'; 1024 * 1024 + 1])
        .symlink("out", "../secret")
}
