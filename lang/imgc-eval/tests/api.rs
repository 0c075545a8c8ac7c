//! What callers rely on beside the language itself: origins, sources, sessions,
//! limits, and entries that are not there.

use imgc_diag::codes;
use imgc_eval::{Limits, MemoryWorld, Options, Place, Session, evaluate};

fn world() -> MemoryWorld {
    imgc_stdlib::modules()
        .iter()
        .fold(MemoryWorld::new(), |world, (name, text)| {
            world.module(name, text)
        })
}

const APP: &str = r#"let debian = import std/debian; in
debian.image {
  packages = ["tzdata", "ca-certificates"];
  users = [{ name = "app"; uid = 10001; }];
  files = { "/etc/motd" = ./motd; };
  config = { user = "app"; };
}
"#;

#[test]
fn origins_point_at_the_users_text() {
    let world = world().file("images/app.img", APP).file("images/motd", "x");
    let evaluated = evaluate(&world, "images/app.img", &Options::default());
    assert_eq!(evaluated.diagnostics, []);
    let text = |place: Place| {
        let span = evaluated.origins.get("app", &place)?;
        assert_eq!(span.file.as_str(), "images/app.img", "{place:?}");
        APP.get(span.range.start as usize..span.range.end as usize)
    };
    assert_eq!(text(Place::Package("tzdata".into())), Some("\"tzdata\""));
    assert_eq!(text(Place::User("app".into())), Some("\"app\""));
    assert_eq!(text(Place::Group("app".into())), Some("\"app\""));
    assert_eq!(text(Place::File("/etc/motd".into())), Some("\"/etc/motd\""));
    assert_eq!(text(Place::Config("user".into())), Some("\"app\""));
    // What the module fills in is shown where the module was called.
    for place in [Place::Image, Place::Suite, Place::Variant, Place::Packages] {
        assert!(
            text(place).is_some_and(|text| text.starts_with("debian.image {")),
            "the call"
        );
    }
    assert_eq!(text(Place::Package("nope".into())), None);
    let plan = evaluated.plan.expect("a plan");
    let sources: Vec<&String> = plan.sources.values().collect();
    assert_eq!(sources, ["images/motd"]);
    let files: Vec<&str> = evaluated.sources.keys().map(|f| f.as_str()).collect();
    assert_eq!(files, ["images/app.img", "std/debian"]);
}

#[test]
fn layout_and_comments_change_no_plan() {
    let options = Options::default();
    let world = world().file("motd", "x");
    let one = evaluate(&world.clone().file("app.img", APP), "app.img", &options);
    let spaced = APP.replace("; ", ";\n   # a comment\n ");
    let two = evaluate(&world.file("app.img", spaced), "app.img", &options);
    assert!(one.plan.is_some());
    assert_eq!(one.plan, two.plan);
}

#[test]
fn a_session_gives_what_a_fresh_evaluation_gives() {
    let options = Options::default();
    let first = world()
        .file("app.img", "import ./lib.img")
        .file("lib.img", "image {}");
    let second = first.clone().file("lib.img", "image { name = \"other\"; }");
    let mut session = Session::new();
    for world in [&first, &second, &first] {
        let again = session.evaluate(world, "app.img", &options);
        let fresh = evaluate(world, "app.img", &options);
        assert_eq!(again.plan, fresh.plan);
        assert_eq!(again.diagnostics, fresh.diagnostics);
        assert!(again.plan.is_some());
    }
    // Another entry of the same session has other numbers, and the same answer.
    let lib = session.evaluate(&second, "lib.img", &options);
    assert_eq!(lib.plan, evaluate(&second, "lib.img", &options).plan);
}

#[test]
fn entries_that_are_not_there() {
    let world = world().file("app.img", "image {}").file("bin.img", [0xff]);
    let codes_of = |entry: &str| {
        let evaluated = evaluate(&world, entry, &Options::default());
        assert_eq!(evaluated.plan, None, "{entry}");
        let codes = evaluated.diagnostics.iter().map(|found| found.code);
        codes.collect::<Vec<_>>()
    };
    assert_eq!(codes_of("ap.img"), [codes::FILE_NOT_FOUND]);
    assert_eq!(codes_of("../app.img"), [codes::PATH_OUTSIDE_PROJECT]);
    assert_eq!(codes_of("/app.img"), [codes::PATH_OUTSIDE_PROJECT]);
    assert_eq!(codes_of("bin.img"), [codes::UNREADABLE_FILE]);
    assert_eq!(codes_of(""), [codes::UNREADABLE_FILE]);
    assert!(
        evaluate(&world, "./app.img", &Options::default())
            .plan
            .is_some()
    );
}

#[test]
fn a_syntax_error_is_the_only_report_of_what_it_hides() {
    let world = world().file("app.img", "image { name = ; usres = []; }");
    let evaluated = evaluate(&world, "app.img", &Options::default());
    assert_eq!(
        evaluated.diagnostics.len(),
        1,
        "{:?}",
        evaluated.diagnostics
    );
    assert_eq!(evaluated.plan, None);
}

/// The deepest evaluation fits in the stack, also of an unoptimised build.
#[test]
fn the_depth_limit_comes_before_the_end_of_the_stack() {
    let cases = [
        // Through lambdas, through builtins, and through records of defaults.
        "let f = g => g g; in f f",
        "let f = g => map g [g]; in f f",
        "let f = g => fold (a => b => b b) g [g]; in f f",
        "let f = g => [{ a = if true && true then 1 + -(g g) else 1; }]; in f f",
        "let f = { g, x ? 1 } => g { g; }; in f { g = f; }",
        "let f = g => \"${g g}\"; in f f",
    ];
    let options = Options {
        limits: Limits {
            depth: u32::MAX,
            ..Limits::default()
        },
        ..Options::default()
    };
    for text in cases {
        let world = world().file("app.img", text);
        for options in [&options, &Options::default()] {
            let evaluated = evaluate(&world, "app.img", options);
            let codes: Vec<_> = evaluated.diagnostics.iter().map(|d| d.code).collect();
            assert_eq!(codes, [codes::NESTED_TOO_DEEP], "{text}");
        }
    }
}

#[test]
fn a_long_chain_of_imports_is_refused_or_evaluated_but_never_overflows() {
    let mut world = world().file("m20000.img", "1");
    for number in 0..3000 {
        let text = format!("import ./m{}.img", number + 1);
        world = world.file(&format!("m{number}.img"), text);
    }
    let evaluated = evaluate(
        &world.file("m3000.img", "image {}"),
        "m0.img",
        &Options::default(),
    );
    assert!(evaluated.plan.is_some(), "{:?}", evaluated.diagnostics);
}
