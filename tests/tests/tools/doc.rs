//! `imgc doc`.

use imgc_tests::sandbox::Sandbox;

use crate::run;

const LIB: &str = "\
## Numbers, with `care`.
let
  ## Hidden.
  two = 2;
in
{
  ## Doubles a number.
  ##
  ## ```img
  ## (import ./lib.img).double 2 == 4
  ## ```
  double = x => x * two;

  ## See <script>alert(1)</script>.
  last = 1;
}
";

#[test]
fn a_module_is_described_in_markdown() {
    let sandbox = Sandbox::new();
    sandbox.write("lib.img", LIB);
    let outcome = run(&sandbox, &["doc", "lib.img"]);
    outcome.succeeds();
    let text = &outcome.stdout;
    assert!(
        text.starts_with("# lib.img\n\nNumbers, with `care`.\n"),
        "{text}"
    );
    assert!(text.contains("\n## `double`\n"), "{text}");
    assert!(text.contains("Int -> Int"), "{text}");
    assert!(
        text.contains("```img\n(import ./lib.img).double 2 == 4\n```"),
        "{text}"
    );
    assert!(!text.contains("Hidden"), "{text}");
    let all = run(&sandbox, &["doc", "--all", "lib.img"]);
    all.succeeds();
    assert!(
        all.stdout.contains("## `two` (private)\n"),
        "{}",
        all.stdout
    );
}

#[test]
fn html_is_whole_and_harmless() {
    let sandbox = Sandbox::new();
    sandbox.write("lib.img", LIB);
    for args in [
        &["doc", "--format", "html", "lib.img"][..],
        &["doc", "--format", "html", "--builtins"],
        &["doc", "--format", "html"],
    ] {
        let outcome = run(&sandbox, args);
        outcome.succeeds();
        let html = &outcome.stdout;
        well_formed(html);
        assert!(html.starts_with("<!DOCTYPE html>\n"), "{html}");
        assert!(!html.contains("<script"), "{html}");
        assert!(
            !html.contains("src=") && !html.contains("stylesheet"),
            "{html}"
        );
    }
    let html = run(&sandbox, &["doc", "--format", "html", "lib.img"]).stdout;
    assert!(html.contains("<section id=\"double\">"), "{html}");
    assert!(html.contains("&lt;script&gt;"), "{html}");
    assert!(html.contains("<code>care</code>"), "{html}");
}

#[test]
fn modules_of_imgc_and_builtins_are_described() {
    let sandbox = Sandbox::new();
    let one = run(&sandbox, &["doc", "std/debian"]);
    one.succeeds();
    assert!(one.stdout.starts_with("# std/debian\n"), "{}", one.stdout);
    let all = run(&sandbox, &["doc"]);
    assert!(all.stdout.contains("# std/debian\n"), "{}", all.stdout);
    let builtins = run(&sandbox, &["doc", "--builtins"]);
    builtins.succeeds();
    assert!(
        builtins.stdout.contains("### `map`\n"),
        "{}",
        builtins.stdout
    );
    run(&sandbox, &["doc", "std/nothing"]).fails(1, &["std/nothing"]);
    run(&sandbox, &["doc", "--builtins", "a.img"]).fails(2, &[]);
    sandbox.write("broken.img", "{ a = nowhere; }");
    run(&sandbox, &["doc", "broken.img"]).fails(1, &["nowhere"]);
}

#[test]
fn pages_go_to_a_folder_with_an_index() {
    let sandbox = Sandbox::new();
    sandbox.write("lib.img", LIB);
    sandbox.write("sub/other.img", "## Others.\n{ a = 1; }\n");
    let args = [
        "doc",
        "--format",
        "html",
        "-o",
        "manual",
        "lib.img",
        "sub/other.img",
    ];
    let outcome = run(&sandbox, &args);
    outcome.succeeds();
    assert_eq!(
        outcome.stdout,
        "manual/lib.html\nmanual/sub-other.html\nmanual/index.html\n"
    );
    for page in outcome.stdout.lines() {
        well_formed(&crate::text(&sandbox, page));
    }
    let index = crate::text(&sandbox, "manual/index.html");
    assert!(index.contains("href=\"lib.html\"") && index.contains("href=\"sub-other.html\""));
    let args = ["doc", "-o", "manual", "lib.img"];
    run(&sandbox, &args).succeeds();
    assert!(crate::text(&sandbox, "manual/lib.md").starts_with("# lib.img"));
}

/// Every element ends where it should, and no `<` or `&` stands alone.
#[track_caller]
fn well_formed(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let body = html.strip_prefix("<!DOCTYPE html>").expect("a document");
    for (at, _) in body.match_indices('&') {
        let end = body[at..].find(';').unwrap_or(usize::MAX);
        // The nesting of styles has a mark of its own, which is not used.
        assert!(end < 8, "{}", &body[at..]);
    }
    let mut pieces = body.split('<');
    assert_eq!(pieces.next().map(str::trim), Some(""));
    for piece in pieces {
        let (tag, text) = piece.split_once('>').unwrap_or_else(|| panic!("<{piece}"));
        let in_style = open.last() == Some(&"style");
        assert!(in_style || !text.contains('>'), "{text}");
        let name = tag.trim_end_matches('/').split_whitespace().next();
        let name = name.unwrap_or_else(|| panic!("<{piece}"));
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
