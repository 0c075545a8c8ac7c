//! What callers rely on beside the language itself: origins, sources, sessions,
//! limits, and entries that are not there.

use std::sync::{Arc, Mutex};

use imgc_diag::{Severity, codes};
use imgc_eval::{
    Counters, Entry, Evaluated, Limits, MemoryWorld, Options, Place, Session, Stat, World,
    WorldError,
};
use imgc_plan::FileDigest;

fn evaluate(world: &MemoryWorld, entry: &str, options: &Options) -> Evaluated {
    imgc_eval::evaluate(Arc::new(world.clone()), entry, options)
}

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
fn origins_name_the_fields_that_images_stand_in() {
    let text = "{ web = image { name = \"app\"; }; worker = image {}; }";
    let world = world().file("all.img", text).file("one.img", "image {}");
    let all = evaluate(&world, "all.img", &Options::default());
    assert_eq!(all.diagnostics, []);
    assert_eq!(all.origins.field("app"), Some("web"));
    assert_eq!(all.origins.field("worker"), Some("worker"));
    assert_eq!(all.origins.field("web"), None);
    let one = evaluate(&world, "one.img", &Options::default());
    assert_eq!(one.origins.field("one"), None);
}

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
    assert_eq!(files, ["images/app.img", "std/debian", "std/recipe"]);
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

/// A world that changes between questions.
#[derive(Debug)]
struct Changing(Mutex<MemoryWorld>);

impl Changing {
    fn new(world: MemoryWorld) -> Arc<Self> {
        Arc::new(Self(Mutex::new(world)))
    }

    fn now(&self) -> std::sync::MutexGuard<'_, MemoryWorld> {
        self.0.lock().expect("nobody panics with it")
    }

    fn set(&self, world: &MemoryWorld) {
        *self.now() = world.clone();
    }

    fn write(&self, path: &str, text: &str) {
        let mut world = self.now();
        *world = std::mem::take(&mut *world).file(path, text);
    }
}

impl World for Changing {
    fn stat(&self, path: &str) -> Result<Stat, WorldError> {
        self.now().stat(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        self.now().list(path)
    }

    fn digest(&self, path: &str) -> Result<(FileDigest, u64), WorldError> {
        self.now().digest(path)
    }

    fn read(&self, path: &str, offset: u64, len: usize) -> Result<Vec<u8>, WorldError> {
        self.now().read(path, offset, len)
    }

    fn std_module(&self, name: &str) -> Option<String> {
        self.now().std_module(name)
    }

    fn std_modules(&self) -> Vec<String> {
        self.now().std_modules()
    }
}

#[test]
fn a_session_gives_what_a_fresh_evaluation_gives() {
    let options = Options::default();
    let first = world()
        .file("app.img", "import ./lib.img")
        .file("lib.img", "image {}");
    let second = first.clone().file("lib.img", "image { name = \"other\"; }");
    let changing = Changing::new(first.clone());
    let mut session = Session::new(changing.clone());
    for world in [&first, &second, &first] {
        changing.set(world);
        session.refresh();
        let again = session.evaluate("app.img", &options);
        let fresh = evaluate(world, "app.img", &options);
        assert_eq!(again.plan, fresh.plan);
        assert_eq!(again.diagnostics, fresh.diagnostics);
        assert!(again.plan.is_some());
    }
    // Without a refresh the world is not asked again.
    changing.set(&second);
    let lib = session.evaluate("lib.img", &options);
    assert_eq!(lib.plan, evaluate(&first, "lib.img", &options).plan);
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
    for world in worlds {
        let fresh = evaluate(&world, "main.img", &options);
        let mut session = Session::new(Arc::new(world));
        session.evaluate("a.img", &options);
        let again = session.evaluate("main.img", &options);
        assert_eq!(again.diagnostics, fresh.diagnostics);
        assert_eq!(again.plan, fresh.plan);
    }
}

/// A session over a project, warm: everything has been checked and evaluated once.
fn warm(world: MemoryWorld) -> (Arc<Changing>, Session) {
    let changing = Changing::new(world);
    let mut session = Session::new(changing.clone());
    let evaluated = session.evaluate("app.img", &Options::default());
    assert_eq!(evaluated.diagnostics, []);
    assert!(evaluated.plan.is_some());
    (changing, session)
}

/// What is done after a file got another text.
fn after(changing: &Changing, session: &mut Session, path: &str, text: &str) -> Counters {
    let before = session.counters();
    changing.write(path, text);
    session.refresh();
    let evaluated = session.evaluate("app.img", &Options::default());
    assert_eq!(evaluated.diagnostics, []);
    let fresh = evaluate(&changing.now().clone(), "app.img", &Options::default());
    assert_eq!(evaluated.plan, fresh.plan);
    assert_eq!(evaluated.origins, fresh.origins);
    session.counters().since(before)
}

const LIB: &str = "let
  one = 2 - 1;
  two = one + 1;
  three = \"3\";
in {
  name = two;
  label = three;
  f = x => x + one;
}
";

fn project() -> MemoryWorld {
    world()
        .file("lib.img", LIB)
        .file("motd", "hello")
        .file("other", "hello")
        .file(
            "app.img",
            "let
  lib = import ./lib.img;
  motd = readFile ./motd;
  label = lib.label;
in {
  one = image { config = { labels = { motd = motd; label = label; }; }; };
  two = image { files = { \"/n\" = toString (lib.f lib.name); \"/other\" = ./other; }; };
}
",
        )
}

#[test]
fn nothing_is_done_for_a_comment() {
    let (changing, mut session) = warm(project());
    let commented = format!("# A comment that moves everything.\n\n{LIB}");
    let done = after(&changing, &mut session, "lib.img", &commented);
    let none = Counters::default();
    assert_eq!((done.parsed, done.resolved), (1, 1));
    assert_eq!(
        (done.inferred, done.evaluated),
        (none.inferred, none.evaluated)
    );
    // Nor for nothing at all.
    assert_eq!(after(&changing, &mut session, "lib.img", &commented), none);
}

#[test]
fn only_what_depends_on_a_change_is_done_again() {
    let (changing, mut session) = warm(project());
    // `one` has the type and value of before: the types and values of others stay.
    let same = LIB.replace("one = 2 - 1;", "one = 3 - 2;");
    let done = after(&changing, &mut session, "lib.img", &same);
    assert_eq!((done.parsed, done.inferred, done.evaluated), (1, 1, 1));
    // Another value of the same type: no other types, and the values of `one`, `two`,
    // `name`, `f`, of what takes them from the module, and of the image that has them.
    let other = LIB.replace("one = 2 - 1;", "one = 3 - 1;");
    let done = after(&changing, &mut session, "lib.img", &other);
    assert_eq!(done.inferred, 1);
    assert!((4..=7).contains(&done.evaluated), "{done:?}");
    // Another type: also the types of those that use it.
    let other = LIB.replace(
        "three = \"3\";",
        "three = if one == 1 then \"3\" else toString one;",
    );
    let done = after(&changing, &mut session, "lib.img", &other);
    assert!((3..=6).contains(&done.inferred), "{done:?}");
}

#[test]
fn a_file_that_changes_is_read_again_by_its_readers() {
    let (changing, mut session) = warm(project());
    let done = after(&changing, &mut session, "motd", "another text");
    assert_eq!((done.parsed, done.resolved, done.inferred), (0, 0, 0));
    // `motd`, and the image that it is in.
    assert_eq!(done.evaluated, 2);
    let done = after(&changing, &mut session, "other", "another text");
    assert_eq!((done.inferred, done.evaluated), (0, 1));
    let done = after(&changing, &mut session, "unrelated", "another text");
    assert_eq!(done, Counters::default());
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
            .filter(|found| found.severity == Severity::Error);
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
            "{ \"an app b\" = 1; }.an-app-b",
            Some("{ \"an app b\" = 1; }.\"an app b\""),
        ),
        ("import std/debain", Some("import std/debian")),
        (
            "image { platform = \"linux/amd46\"; }",
            Some("image { platform = \"linux/amd64\"; }"),
        ),
        // Computed: the text there is not the name, though it is as long.
        (
            "image { platform = platform (\"linux\" + \"/amd46\"); }",
            None,
        ),
        (
            "let a = \"linux/amd4\"; b = \"6\"; in image { platform = platform (a+b+\"\"+\"\"); }",
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
    let text = "image { platform = platform (fold (t => _n => t + t) \"linux\" (range 0 20)); }";
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

fn codes_of(text: &str, options: &Options) -> Vec<imgc_diag::Code> {
    let world = world().file("app.img", text);
    let shown = imgc_eval::show(Arc::new(world), "app.img", options);
    assert_eq!(shown.text.is_some(), shown.diagnostics.is_empty(), "{text}");
    shown.diagnostics.iter().map(|found| found.code).collect()
}

/// Nothing that nests deep overflows a stack, also in an unoptimised build.
#[test]
fn deep_calls_are_evaluated_or_refused() {
    // Functions that call each other: directly, through a builtin, and in a record.
    let wrap = |step: &str| format!("fold (f => _n => x => {step}) (x => x) (range 0 50000) 1");
    for step in [
        "f x + 1",
        "sum (map f [x])",
        "{ a = if true then -(f x) else 1; }.a",
    ] {
        let codes = codes_of(&wrap(step), &Options::default());
        let refused = [codes::NESTED_TOO_DEEP, codes::BUDGET_EXCEEDED];
        assert!(
            codes.iter().all(|code| refused.contains(code)),
            "{step}: {codes:?}"
        );
    }
}

#[test]
fn a_long_chain_of_bindings_is_evaluated_or_refused() {
    let chain = |count: usize, step: &str| {
        let steps = (1..count).map(|n| {
            let before = format!("a{}", n - 1);
            format!("a{n} = {};\n", step.replace("before", &before))
        });
        format!(
            "let a0 = 0;\n{} in a{}",
            steps.collect::<String>(),
            count - 1
        )
    };
    let options = Options::default();
    for (step, count) in [
        ("before + 1", 6_000),
        ("if true then before + 1 else 0", 900),
        ("fold (a => b => a + before) 0 [1]", 900),
    ] {
        assert_eq!(codes_of(&chain(count, step), &options), [], "{step}");
    }
    let text = chain(20_000, "if true then before + 1 else 0");
    assert_eq!(codes_of(&text, &options), [codes::NESTED_TOO_DEEP]);
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

fn with_arguments(arguments: &[(&str, &str)]) -> Options {
    let arguments = arguments.iter();
    Options {
        arguments: arguments
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect(),
        ..Options::default()
    }
}

/// The text of a program's value, or what is said first.
fn shown(text: &str, options: &Options) -> String {
    let shown = imgc_eval::show(Arc::new(world().file("app.img", text)), "app.img", options);
    shown.text.unwrap_or_else(|| {
        let first = shown.diagnostics.first().expect("a reason");
        format!("{}: {} {:?}", first.code, first.message, first.notes)
    })
}

#[test]
fn arguments_are_read_by_their_types() {
    let text = "{ version : String, port : Int ? 80, debug ? false, tags ? [\"x\"] } =>
      [\"${version}:${toString port}\"] ++ (if debug then tags else [])";
    let value = |arguments: &[(&str, &str)]| shown(text, &with_arguments(arguments));
    assert_eq!(value(&[("version", "1.2 \"x\"")]), "[\"1.2 \\\"x\\\":80\"]");
    assert_eq!(
        value(&[
            ("version", "1"),
            ("port", "8080"),
            ("debug", "true"),
            ("tags", "[\"a\"]")
        ]),
        "[\"1:8080\", \"a\"]"
    );
    assert_eq!(value(&[]), "<function>");
    assert!(
        value(&[("port", "1")])
            .starts_with("IMG0601: this is a function: it needs `--arg version=…`")
    );
    assert!(value(&[("verson", "1")]).starts_with("IMG0602: there is no argument `verson`"));
    assert!(
        value(&[("version", "1"), ("port", "http")]).starts_with("IMG0603: the argument `port`")
    );
    assert!(value(&[("version", "1"), ("port", "1; x = 2")]).starts_with("IMG0603"));
    assert!(
        value(&[("version", "1"), ("tags", "[1]")]).starts_with("IMG0603: the argument `tags`")
    );
    // Built, it is called with its defaults.
    let text = "{ name ? \"web\" } => image { name; }";
    let world = world().file("app.img", text);
    let evaluated = evaluate(&world, "app.img", &Options::default());
    assert_eq!(evaluated.diagnostics, []);
    assert_eq!(evaluated.plan.expect("a plan").images[0].name, "web");
}

#[test]
fn a_field_is_chosen() {
    let select = |text: &str, name: &str, arguments: &[(&str, &str)]| {
        let mut options = with_arguments(arguments);
        options.select = Some(name.to_owned());
        shown(text, &options)
    };
    assert_eq!(select("{ a = 1; b = div 1 0; }", "a", &[]), "1");
    assert!(select("{ a = 1; }", "b", &[]).starts_with("IMG0604: `app.img` has no field `b`"));
    assert_eq!(select("{ a = { n } => n + 1; }", "a", &[("n", "2")]), "3");
    assert_eq!(
        select("{ n } => { a = n; b = 2; }", "a", &[("n", "2")]),
        "2"
    );
    assert!(select("{ n } => { a = n; }", "c", &[("n", "2")]).starts_with("IMG0604"));
    assert_eq!(
        select("toMap [{ name = \"a\"; value = 1; }]", "a", &[]),
        "1"
    );
    let world = world().file("app.img", "{ web = image {}; other = image {}; }");
    let options = Options {
        select: Some("web".to_owned()),
        ..Options::default()
    };
    let plan = evaluate(&world, "app.img", &options).plan.expect("a plan");
    let names: Vec<&str> = plan
        .images
        .iter()
        .map(|image| image.name.as_str())
        .collect();
    assert_eq!(names, ["web"]);
}

const DOCUMENTED: &str = "## A library.
let
  ## Adds one.
  ##
  ## ```img
  ## (import ./app.img).inc 1
  ## ```
  add = n => n + 1;
in {
  ## Exported.
  inc = add;
  name = \"x\";
}
";

#[test]
fn a_file_says_what_is_in_it() {
    let mut session = Session::new(Arc::new(world().file("app.img", DOCUMENTED)));
    let info = session.module("app.img");
    assert_eq!(info.doc.as_deref(), Some("A library."));
    assert_eq!(
        info.ty.as_deref(),
        Some("{ inc : Int -> Int, name : String }")
    );
    let found: Vec<(&str, bool, &str)> = info
        .bindings
        .iter()
        .map(|binding| (binding.name.as_str(), binding.public, binding.ty.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("add", false, "Int -> Int"),
            ("inc", true, "Int -> Int"),
            ("name", true, "String")
        ]
    );
    assert_eq!(info.bindings[1].doc.as_deref(), Some("Exported."));
    assert_eq!(
        session.type_of("app.img", Some("add")).as_deref(),
        Some("Int -> Int")
    );
    assert_eq!(session.type_of("app.img", Some("none")), None);
    assert_eq!(session.type_of("none.img", None), None);
    let examples = session.examples("app.img");
    assert_eq!(examples.len(), 1);
    assert_eq!(examples[0].name, "add");
    assert_eq!(examples[0].code, "(import ./app.img).inc 1\n");
    let range = examples[0].span.range;
    let text = &DOCUMENTED[range.start as usize..range.end as usize];
    assert_eq!(text, "## (import ./app.img).inc 1");
    let at = DOCUMENTED.find("n + 1").expect("it is there") as u32;
    let (span, ty) = session.type_at("app.img", at).expect("a type");
    assert_eq!(
        (span.range.start, span.range.end, ty.as_str()),
        (at, at + 1, "Int")
    );
}

#[test]
fn values_have_a_form_in_json() {
    let json = |text: &str| {
        let world = Arc::new(world().file("app.img", text));
        imgc_eval::show(world, "app.img", &Options::default()).json
    };
    assert_eq!(
        json("{ a = [1, -2]; b = \"x\"; c = Some true; d = None; }"),
        Some(serde_json::json!({ "a": [1, -2], "b": "x", "c": { "Some": true }, "d": "None" }))
    );
    assert_eq!(json("{ f = x => x; }"), None);
    assert_eq!(json("{}"), Some(serde_json::json!({})));
}

/// What a budget refuses is told alike by a fresh session, a warm one, and many threads.
#[test]
fn an_exhausted_budget_is_told_alike_everywhere() {
    let text = |last: &str| {
        let images = (0..6).map(|n| {
            format!("i{n} = image {{ files = {{ \"/a\" = toString (sum (map (x => x + {n}) (range 0 400))); }}; }};")
        });
        format!("{{ {} last = {last}; }}", images.collect::<String>())
    };
    let options = Options {
        limits: Limits {
            steps: 15_000,
            ..Limits::default()
        },
        ..Options::default()
    };
    let big = text("image { files = { \"/a\" = toString (sum (range 0 9000)); }; }");
    let changing = Changing::new(world().file("app.img", text("image {}")));
    let fresh = evaluate(&world().file("app.img", &big), "app.img", &options);
    let codes: Vec<_> = fresh.diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, [codes::BUDGET_EXCEEDED]);
    let mut session = Session::new(changing.clone());
    for _ in 0..3 {
        changing.write("app.img", &text("image {}"));
        session.refresh();
        session.evaluate("app.img", &Options::default());
        changing.write("app.img", &big);
        session.refresh();
        let again = session.evaluate("app.img", &options);
        assert_eq!(again.diagnostics, fresh.diagnostics);
        assert_eq!(again.plan, None);
    }
    // With more, there is a plan.
    assert!(
        session
            .evaluate("app.img", &Options::default())
            .plan
            .is_some()
    );
}
