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

/// What was evaluated before in a session has no say in the order of anything.
#[test]
fn a_session_keeps_the_order_of_a_fresh_evaluation() {
    let options = Options::default();
    let worlds = [
        world()
            .file("main.img", "(import ./b.img) // (import ./a.img)")
            .file("a.img", "{ two = image {}; }")
            .file("b.img", "{ one = image {}; }"),
        world()
            .file("main.img", "[import ./b.img, import ./a.img, nope]")
            .file("a.img", "[1 + true]")
            .file("b.img", "[1 - true]"),
        world()
            .file("main.img", "import ./b.img")
            .file("a.img", "[import ./b.img]")
            .file("b.img", "[import ./a.img]"),
    ];
    for world in &worlds {
        let mut session = Session::new();
        session.evaluate(world, "a.img", &options);
        let again = session.evaluate(world, "main.img", &options);
        let fresh = evaluate(world, "main.img", &options);
        assert_eq!(again.diagnostics, fresh.diagnostics);
        assert_eq!(again.plan, fresh.plan);
    }
}

#[test]
fn many_mistakes_are_cut_and_take_no_time() {
    let names = |prefix: &str, end: &str| -> String {
        (0..10_000).map(|n| format!("{prefix}{n}{end}")).collect()
    };
    for text in [
        format!(
            "let {} in [{}]",
            names("abc", " = 1;\n"),
            names("abd", ", ")
        ),
        format!(
            "let r = {{ {} }}; in [{}]",
            names("abc", " = 1;\n"),
            names("r.abd", ", ")
        ),
        format!(
            "({{ {} ... }} => 1) {{ }} + ({{ {} b }} => b) {{ {} }}",
            names("abc", ", "),
            names("abc", " ? 1, "),
            names("abd", " = 1; ")
        ),
        format!("let {} in 1", names("_a", " = _a0 + _a1;\n")),
    ] {
        let world = world().file("app.img", &text);
        let evaluated = evaluate(&world, "app.img", &Options::default());
        let errors = evaluated
            .diagnostics
            .iter()
            .filter(|found| found.severity == imgc_diag::Severity::Error);
        assert!((1..=200).contains(&errors.count()));
        assert!(evaluated.diagnostics.len() <= 400);
        assert_eq!(evaluated.plan, None);
    }
}

#[test]
fn warnings_do_not_crowd_out_errors() {
    let unused: String = (0..1_000).map(|n| format!("a{n} = 1;\n")).collect();
    let text = format!("let {unused} in nope");
    let evaluated = evaluate(
        &world().file("app.img", text),
        "app.img",
        &Options::default(),
    );
    let codes: Vec<_> = evaluated
        .diagnostics
        .iter()
        .map(|found| found.code)
        .collect();
    assert_eq!(
        codes
            .iter()
            .filter(|code| **code == codes::UNBOUND_NAME)
            .count(),
        1
    );
    assert_eq!(evaluated.plan, None);
}

#[test]
fn all_sources_together_are_bounded() {
    let comment = format!("#{}", " ".repeat(imgc_syntax::MAX_SOURCE - 200));
    let text = |body: &str| format!("{comment}\n{body}");
    let world = world()
        .file(
            "app.img",
            text("{ a = import ./a.img; b = import ./b.img; }"),
        )
        .file("a.img", text("image {}"))
        .file("b.img", text("image {}"));
    let evaluated = evaluate(&world, "app.img", &Options::default());
    let codes: Vec<_> = evaluated
        .diagnostics
        .iter()
        .map(|found| found.code)
        .collect();
    assert_eq!(codes, [codes::BUDGET_EXCEEDED]);
}

/// What the machine would offer to write, for the only mistake of a program.
fn fix(text: &str) -> Option<String> {
    let evaluated = evaluate(
        &world().file("app.img", text),
        "app.img",
        &Options::default(),
    );
    let [found] = evaluated.diagnostics.as_slice() else {
        panic!("{:?}", evaluated.diagnostics);
    };
    let edit = found.fixes.first()?.edits.first()?;
    let range = edit.span.range.start as usize..edit.span.range.end as usize;
    let mut fixed = text.to_owned();
    fixed.replace_range(range, &edit.text);
    Some(fixed)
}

#[test]
fn fixes_change_names_where_they_are_written() {
    let cases = [
        ("image { usres = []; }", Some("image { users = []; }")),
        (
            "image { \"usres\" = []; }",
            Some("image { \"users\" = []; }"),
        ),
        (
            "{ pakages = 1; }.packages",
            Some("{ pakages = 1; }.pakages"),
        ),
        (
            "{ \"a b c\" = 1; }.a-b-c",
            Some("{ \"a b c\" = 1; }.\"a b c\""),
        ),
        ("import std/debain", Some("import std/debian")),
        (
            "image { platform = \"linux/amd46\"; }",
            Some("image { platform = \"linux/amd64\"; }"),
        ),
        // Computed: the text there is not the name, though it is as long.
        ("image { platform = \"linux\" + \"/amd46\"; }", None),
        (
            "let a = \"linux/amd4\"; b = \"6\"; in image { platform = a+b+\"\"+\"\"; }",
            None,
        ),
    ];
    for (text, fixed) in cases {
        assert_eq!(fix(text).as_deref(), fixed, "{text}");
    }
    // A word of the language is quoted.
    let text = "{ \"in\" = 1; }.inn";
    assert_eq!(fix(text).as_deref(), Some("{ \"in\" = 1; }.\"in\""));
}

#[test]
fn words_about_a_long_string_are_short() {
    let text = "image { platform = fold (t => _n => t + t) \"linux\" (range 0 20); }";
    let evaluated = evaluate(
        &world().file("app.img", text),
        "app.img",
        &Options::default(),
    );
    assert_eq!(evaluated.diagnostics.len(), 1);
    assert!(evaluated.diagnostics[0].message.len() < 2_000);
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
