//! `imgc why` and `imgc tree`: who needs whom, from the lock alone.

use imgc_tests::deb::Deb;
use imgc_tests::sandbox::{Outcome, Sandbox};
use serde_json::Value;

const APP: &str = "(import std/debian).image { name = \"app\"; suite = \"trixie\"; \
    variant = \"essential\"; packages = [\"app\"]; recommends = true; }";

fn sandbox() -> Sandbox {
    let size = |deb: Deb, kib: &str| deb.field("Installed-Size", kib);
    let sandbox = Sandbox::with_packages(&[
        Deb::new("app", "1", "all")
            .field("Pre-Depends", "libc (>= 2)")
            .field("Depends", "mailer, libssl (>= 3) | gnutls")
            .field("Recommends", "extra, absent"),
        Deb::new("base", "1", "all")
            .field("Essential", "yes")
            .field("Depends", "libc"),
        Deb::new("extra", "1", "all"),
        Deb::new("exim", "4", "all")
            .field("Provides", "mailer")
            .field("Depends", "libssl"),
        size(Deb::new("libc", "2.5", "all"), "12000").field("Depends", "libgcc"),
        size(Deb::new("libgcc", "14", "all"), "1000").field("Depends", "libc"),
        Deb::new("libssl", "3.1", "all").field("Depends", "libc"),
    ]);
    sandbox.write("app.img", APP);
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run().args(args).outcome()
}

/// A project whose lock is there.
fn locked() -> Sandbox {
    let sandbox = sandbox();
    run(&sandbox, &["update", "app.img"]).succeeds();
    sandbox
}

#[test]
fn the_shortest_chain() {
    let sandbox = locked();
    let why = |name: &str| {
        run(&sandbox, &["why", name, "app.img"])
            .succeeds()
            .stdout
            .clone()
    };
    assert_eq!(why("app"), "app 1: asked for\n");
    assert_eq!(why("base"), "base 1: of the variant essential\n");
    assert_eq!(
        why("libgcc"),
        "app 1: asked for\n  Pre-Depends libc (>= 2): libc 2.5\n    Depends libgcc: libgcc 14\n"
    );
    assert_eq!(
        why("exim:all"),
        "app 1: asked for\n  Depends mailer: exim 4\n"
    );
    assert_eq!(
        why("libssl"),
        "app 1: asked for\n  Depends libssl (>= 3) | gnutls: libssl 3.1\n"
    );
    assert_eq!(
        why("extra"),
        "app 1: asked for\n  Recommends extra: extra 1\n"
    );
    // What the store has is enough.
    sandbox.server.take_requests();
    run(&sandbox, &["why", "--offline", "extra", "app.img"]).succeeds();
    assert_eq!(sandbox.server.take_requests(), []);
}

#[test]
fn everything_that_needs_it() {
    let sandbox = locked();
    let all = run(&sandbox, &["why", "--all", "libc", "app.img"]);
    assert_eq!(
        all.succeeds().stdout,
        "libc 2.5\n  app 1: Pre-Depends libc (>= 2)\n  base 1: Depends libc\n  \
         libgcc 14: Depends libc\n  libssl 3.1: Depends libc\n"
    );
    let json = run(&sandbox, &["why", "--json", "libgcc", "app.img"]);
    let document: Value = serde_json::from_str(&json.succeeds().stdout).expect("JSON");
    let image = &document["images"][0];
    assert_eq!(image["chain"][0]["because"], "asked");
    assert_eq!(image["chain"][1]["relation"], "libc (>= 2)");
    assert_eq!(image["chain"][2]["package"], "libgcc");
    assert_eq!(image["needed_by"][0]["package"], "libc");
}

#[test]
fn what_is_not_there_is_said() {
    let sandbox = locked();
    run(&sandbox, &["why", "ssl", "app.img"]).fails(1, &["`ssl`", "`app`", "libssl"]);
    run(&sandbox, &["tree", "--invert", "nothing", "app.img"]).fails(1, &["nothing"]);
    run(&sandbox, &["tree", "--json", "--depth", "1", "app.img"]).fails(2, &[]);
    sandbox.write("app.img", APP.replace("[\"app\"]", "[\"extra\"]"));
    let before = crate::text(&sandbox, "imgc.lock");
    run(&sandbox, &["why", "extra", "app.img"]).fails(1, &["imgc.lock", "imgc build"]);
    assert_eq!(crate::text(&sandbox, "imgc.lock"), before);
    sandbox.write("app.img", "image { name = \"app\"; }");
    run(&sandbox, &["tree", "app.img"]).fails(1, &["packages"]);
}

#[test]
fn a_tree_shows_each_package_once_with_what_is_below_it() {
    let sandbox = locked();
    let tree = run(&sandbox, &["tree", "app.img"]);
    let expected = "\
app 1 (asked for)
├── libc 2.5
│   └── libgcc 14
│       └── libc 2.5 (*)
├── exim 4
│   └── libssl 3.1
│       └── libc 2.5 (*)
├── libssl 3.1 (*)
└── extra 1 (Recommends)
base 1 (of the variant essential)
└── libc 2.5 (*)
";
    assert_eq!(tree.succeeds().stdout, expected);
    let flat = run(&sandbox, &["tree", "--depth", "1", "--size", "app.img"]);
    let expected = "\
app 1 (asked for)
├── libc 2.5, 12 MB
├── exim 4
├── libssl 3.1
└── extra 1 (Recommends)
base 1 (of the variant essential)
└── libc 2.5, 12 MB
";
    assert_eq!(flat.succeeds().stdout, expected);
    assert!(flat.stderr.contains("7 packages, 13 MB"), "{flat:?}");
}

#[test]
fn an_inverted_tree_leads_to_who_asked() {
    let sandbox = locked();
    let tree = run(&sandbox, &["tree", "--invert", "libssl", "app.img"]);
    let expected = "\
libssl 3.1
├── app 1 (asked for)
└── exim 4
    └── app 1 (asked for)
";
    assert_eq!(tree.succeeds().stdout, expected);
    let json = run(&sandbox, &["tree", "--json", "app.img"]);
    let document: Value = serde_json::from_str(&json.succeeds().stdout).expect("JSON");
    let image = &document["images"][0];
    assert_eq!(image["suite"], "trixie");
    assert_eq!(image["packages"].as_array().map(Vec::len), Some(7));
    let libc = &image["packages"][4];
    assert_eq!(
        (&libc["name"], &libc["installed_size"]),
        (&"libc".into(), &12_288_000.into())
    );
    assert_eq!(libc["needs"][0]["packages"][0], "libgcc");
}
