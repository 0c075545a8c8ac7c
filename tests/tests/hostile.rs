//! Programs that want to take everything: each ends in a diagnostic at a place, never in a
//! crash, and takes less than 1 GiB. How long each takes is printed, and not judged.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests write files, start the program, and say what they measured"
)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use imgc_tests::sandbox::{Sandbox, imgc};

/// The most memory that a program may take, in KiB.
const MEMORY: u64 = 1024 * 1024;

/// Checks `main.img` of the sandbox, evaluated too, and looks for `code` at `place`
/// (`main.img:1:2`, or only the beginning of that).
#[track_caller]
fn refused(sandbox: &Sandbox, what: &str, code: &str, place: &str) {
    let begin = Instant::now();
    let stderr = std::fs::File::create(sandbox.path("stderr")).expect("a file");
    let mut child = Command::new(imgc())
        .args(["eval", "main.img", "--color", "never"])
        .env_clear()
        .env("HOME", sandbox.path("home"))
        .env("XDG_CACHE_HOME", sandbox.path("home/.cache"))
        .current_dir(sandbox.path("project"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .expect("the program starts");
    let mut peak = 0;
    let status = loop {
        if let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", child.id())) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            peak = peak.max(kib.unwrap_or(0));
        }
        if let Some(status) = child.try_wait().expect("the program ends") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    println!(
        "{what}: {:.2} s, {} MiB",
        begin.elapsed().as_secs_f64(),
        peak / 1024
    );
    let stderr = std::fs::read_to_string(sandbox.path("stderr")).expect("UTF-8");
    assert_eq!(status.code(), Some(1), "{what}: {stderr}");
    assert!(!stderr.contains("panicked"), "{what}: {stderr}");
    assert!(stderr.contains(code), "{what}: no {code} in {stderr}");
    assert!(stderr.contains(place), "{what}: no {place} in {stderr}");
    assert!(
        stderr.len() < 1 << 20,
        "{what}: {} bytes of words",
        stderr.len()
    );
    assert!(peak < MEMORY, "{what}: {} MiB", peak / 1024);
}

/// As [`refused`], for a program of one file.
#[track_caller]
fn program(what: &str, text: impl AsRef<[u8]>, code: &str, place: &str) {
    let sandbox = Sandbox::with_packages(&[]);
    sandbox.write("main.img", text);
    refused(&sandbox, what, code, place);
}

/// `let` bindings, each made from the one before, and the last one as the value.
fn chain(first: &str, next: impl Fn(usize) -> String, count: usize) -> String {
    let mut text = format!("let\n  x0 = {first};\n");
    for n in 1..=count {
        text.push_str(&format!("  x{n} = {};\n", next(n - 1)));
    }
    text + &format!("in x{count}\n")
}

#[test]
fn nested_brackets() {
    for (open, close) in [("[", "]"), ("(", ")"), ("{ a = ", "; }"), ("(x => ", ")")] {
        let deep = 100_000;
        let text = format!("{}1{}", open.repeat(deep), close.repeat(deep));
        program(&format!("{deep} {open}"), &text, "IMG01", "main.img:1:");
        let text = open.repeat(deep);
        program(
            &format!("{deep} {open} open"),
            &text,
            "IMG01",
            "main.img:1:",
        );
    }
    let types = format!("(1 : {}Int{})", "[".repeat(100_000), "]".repeat(100_000));
    program("nested types", &types, "IMG01", "main.img:1:");
    let arrows = format!("(1 : {}Int)", "Int -> ".repeat(100_000));
    program("a long type", &arrows, "IMG0", "main.img:1:");
}

#[test]
fn long_chains() {
    let sums = format!("{}\"a\"", "1 + ".repeat(100_000));
    program("a long sum", &sums, "IMG0", "main.img:1:");
    let calls = chain(
        "n => n + 9223372036854775807",
        |n| format!("n => x{n} n"),
        20_000,
    );
    let calls = calls.replace("in x20000", "in x20000 1");
    program("calls in calls", &calls, "IMG0", "main.img:");
    let demands = chain(
        "assert false else \"the end\" then 1",
        |n| format!("x{n} + 1"),
        20_000,
    );
    program("bindings on bindings", &demands, "IMG0", "main.img:");
}

#[test]
fn values_that_double() {
    let strings = chain("\"ab\"", |n| format!("x{n} + x{n}"), 80);
    program("doubling strings", &strings, "IMG0311", "main.img:");
    let lists = chain("[1]", |n| format!("x{n} ++ x{n}"), 80);
    program("doubling lists", &lists, "IMG0311", "main.img:");
    let texts = chain("\"ab\"", |n| format!("\"${{x{n}}}${{x{n}}}\""), 80);
    program("doubling templates", &texts, "IMG0311", "main.img:");
    let folded = "fold (text => n => text + text) \"ab\" (range 0 100)";
    program("doubling in a fold", folded, "IMG0311", "main.img:1:");
    let functions = chain("n => n + 1", |n| format!("n => x{n} (x{n} n)"), 60);
    let functions = functions.replace("in x60", "in x60 1");
    program("doubling calls", &functions, "IMG0311", "main.img:");
}

#[test]
fn endless_work() {
    let endless = "range 0 (4611686018427387904)";
    program("range 0 (2^62)", endless, "IMG0311", "main.img:1:");
    let nested = "let r = range 0 100000; in \
         fold (a => n => fold (b => m => b + m) a r) 0 r";
    program("folds in folds", nested, "IMG0311", "main.img:1:");
    let repeated = "textLength (join (join \"x\" (map toString (range 0 20000))) \
         (map toString (range 0 20000)))";
    program("a long separator", repeated, "IMG0311", "main.img:1:");
}

#[test]
fn types_that_double() {
    let pairs = chain(
        "x => x",
        |n| format!("x => {{ a = x{n} x; b = x{n} x; }}"),
        100,
    );
    let pairs = pairs.replace("in x100", "in x100 1 + 1");
    program("types of doubling records", &pairs, "IMG03", "main.img:");
    let functions = chain("x => f => f x x", |n| format!("x => x{n} (x{n} x)"), 40);
    let functions = functions.replace("in x40", "in x40 + 1");
    program(
        "types of doubling functions",
        &functions,
        "IMG03",
        "main.img:",
    );
    let mut types = "let\n  type T0 = Int;\n".to_owned();
    for n in 1..100 {
        let before = n - 1;
        types.push_str(&format!(
            "  type T{n} = {{ a : T{before}, b : T{before} }};\n"
        ));
    }
    types.push_str("in (1 : T99)\n");
    program("declared types that double", &types, "IMG0", "main.img:");
    program(
        "a function of itself",
        "(f => f f) (f => f f)",
        "IMG03",
        "main.img:1:",
    );
}

#[test]
fn circles() {
    let sandbox = Sandbox::with_packages(&[]);
    sandbox.write("main.img", "{ a = (import ./b.img).b; }");
    sandbox.write("b.img", "{ b = (import ./c.img).c; }");
    sandbox.write("c.img", "{ c = (import ./main.img).a; }");
    refused(&sandbox, "an import circle", "IMG04", ".img:1:");
    program(
        "a binding of itself",
        "let a = b; b = a; in a",
        "IMG02",
        "main.img:1:",
    );
}

#[test]
fn ways_out_of_the_project() {
    let sandbox = Sandbox::with_packages(&[]);
    std::fs::write(sandbox.path("secret"), "secret").expect("a file");
    std::os::unix::fs::symlink(sandbox.path("secret"), sandbox.project("link")).expect("a link");
    std::os::unix::fs::symlink("..", sandbox.project("up")).expect("a link");
    for (text, what) in [
        ("readFile ../secret", "a path out"),
        ("readFile ./a/../../secret", "a path in and out"),
        ("readFile ./link", "a link out"),
        ("readFile ./up/secret", "a linked folder out"),
        ("import ../main.img", "an import out"),
        ("import ./up/secret.img", "an import through a link"),
        (
            "image { files = { \"/a\" = ./link; }; }",
            "a file through a link",
        ),
    ] {
        sandbox.write("main.img", text);
        refused(&sandbox, what, "IMG04", "main.img:1:");
    }
}

#[test]
fn texts_that_are_no_programs() {
    let mut large = b"# ".to_vec();
    large.resize(100 << 20, b'x');
    program("a source of 100 MB", &large, "IMG01", "main.img");
    let mut tokens = Vec::new();
    while tokens.len() < 15 << 20 {
        tokens.extend_from_slice(b"a ");
    }
    program("fifteen MiB of names", &tokens, "IMG01", "main.img");
    program(
        "bytes that are no text",
        b"{ a = \"\xff\xfe\"; }",
        "IMG04",
        "main.img",
    );
    let bidi = "let level = \"user\u{202e} \u{2066}# admin\u{2069} \u{2066}\"; in level";
    program("bidi controls", bidi, "IMG0103", "main.img:1:");
    program("a NUL", "1\0", "IMG01", "main.img:1:");
    let diagnostics = "nope ".repeat(200_000);
    program("many mistakes", diagnostics, "IMG0", "main.img:1:");
}
