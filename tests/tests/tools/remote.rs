//! Modules by HTTP: pinned, kept, verified.

use imgc_tests::sandbox::Sandbox;
use sha2::{Digest as _, Sha256};

use crate::web::Web;
use crate::{ends, run, text};

const MODULE: &str = "{ greeting = \"hello\"; }\n";

/// A project whose image takes its label from a module of `web`.
fn project(web: &Web, address: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    web.put("lib.img", MODULE);
    let program = format!(
        "let lib = import \"{address}\"; in image {{ config = {{ labels = {{ said = lib.greeting; }}; }}; }}"
    );
    sandbox.write("app.img", program);
    sandbox
}

fn sha256(bytes: impl AsRef<[u8]>) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn lock(sandbox: &Sandbox) -> String {
    std::fs::read_to_string(sandbox.project("imgc.lock")).unwrap_or_default()
}

#[test]
fn a_build_pins_what_it_fetches_and_fetches_once() {
    let web = Web::start();
    let address = web.url("lib.img");
    let sandbox = project(&web, &address);
    sandbox.build();
    let size = MODULE.len();
    let section = format!(
        "[[module]]\naddress = \"{address}\"\nsha256 = \"{}\"\nsize = {size}\n",
        sha256(MODULE)
    );
    assert!(lock(&sandbox).contains(&section), "{}", lock(&sandbox));
    assert_eq!(web.take_requests().len(), 1);

    // With the pin and the store, nothing is fetched, whatever the server has now.
    web.put("lib.img", "{ greeting = \"changed\"; }\n");
    run(&sandbox, &["build", "--locked", "app.img"]).succeeds();
    run(&sandbox, &["build", "--offline", "app.img"]).succeeds();
    run(&sandbox, &["check"]).succeeds();
    let eval = run(
        &sandbox,
        &["eval", "-e", &format!("(import \"{address}\").greeting")],
    );
    eval.succeeds();
    assert_eq!(eval.stdout, "\"hello\"\n");
    assert_eq!(web.take_requests(), []);
}

#[test]
fn what_is_not_pinned_is_only_fetched_by_build_and_update() {
    let web = Web::start();
    let sandbox = project(&web, &web.url("lib.img"));
    run(&sandbox, &["build", "--locked", "app.img"]).fails(1, &["lib.img", "--locked"]);
    run(&sandbox, &["build", "--offline", "app.img"]).fails(1, &["lib.img", "switched off"]);
    run(&sandbox, &["check"]).fails(1, &["imgc update"]);
    run(&sandbox, &["eval", "app.img"]).fails(1, &["imgc update"]);
    assert_eq!(web.take_requests(), []);
    assert!(!sandbox.project("imgc.lock").exists());

    let outcome = run(&sandbox, &["update", "app.img"]);
    outcome.succeeds();
    let line = format!("+ {} sha256:{}\n", web.url("lib.img"), sha256(MODULE));
    assert!(outcome.stdout.ends_with(&line), "{outcome:?}");
    run(&sandbox, &["eval", "app.img"]).succeeds();
}

#[test]
fn changed_bytes_are_refused_with_both_digests() {
    let web = Web::start();
    let sandbox = project(&web, &web.url("lib.img"));
    sandbox.build();
    let changed = "{ greeting = \"changed\"; }\n";
    web.put("lib.img", changed);
    let elsewhere = sandbox.path("other-store");
    let elsewhere = elsewhere.to_str().expect("UTF-8");
    let (old, new) = (sha256(MODULE), sha256(changed));
    let before = lock(&sandbox);
    for command in [&["build"][..], &["build", "--locked"]] {
        let args = [command, &["--store", elsewhere, "app.img"]].concat();
        run(&sandbox, &args).fails(1, &[&old, &new, "imgc update"]);
    }
    run(&sandbox, &["check", "--store", elsewhere]).fails(1, &["switched off"]);
    assert_eq!(lock(&sandbox), before);

    let update = run(&sandbox, &["update", "app.img"]);
    update.succeeds();
    assert!(
        update
            .stdout
            .contains(&format!("sha256:{old} -> sha256:{new}")),
        "{update:?}"
    );
    assert!(lock(&sandbox).contains(&new) && !lock(&sandbox).contains(&old));
}

#[test]
fn a_pin_that_nothing_imports_is_dropped() {
    let web = Web::start();
    let sandbox = project(&web, &web.url("lib.img"));
    web.put("other.img", "{ a = 1; }");
    sandbox.write("other.img", format!("import \"{}\"", web.url("other.img")));
    sandbox.build();
    run(&sandbox, &["update", "other.img"]).succeeds();
    assert!(lock(&sandbox).contains("/lib.img") && lock(&sandbox).contains("/other.img"));
    sandbox.write("other.img", "1");
    web.put("third.img", "image {}");
    sandbox.write("app.img", format!("import \"{}\"", web.url("third.img")));
    let outcome = run(&sandbox, &["update", "app.img"]);
    outcome.succeeds();
    let said: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said[0].starts_with("- ") && said[0].contains("/lib.img sha256:"),
        "{said:?}"
    );
    let lock = lock(&sandbox);
    assert!(
        lock.contains("/third.img") && lock.matches("[[module]]").count() == 1,
        "{lock}"
    );
}

#[test]
fn redirects_are_followed_to_safe_places_only() {
    let web = Web::start();
    let other = Web::start();
    other.put("moved.img", MODULE);
    web.redirect("a.img", &other.url("moved.img"));
    web.redirect("b.img", "/lib.img");
    for name in ["a.img", "b.img"] {
        let sandbox = project(&web, &web.url(name));
        sandbox.build();
        assert!(
            lock(&sandbox).contains(&web.url(name)),
            "the address stays as it is written"
        );
    }
    web.redirect("round.img", "/round.img");
    web.redirect("far.img", "http://mirror.example/lib.img");
    web.redirect("file.img", "file:///etc/passwd");
    for (name, words) in [
        ("round.img", "redirects more than"),
        ("far.img", "http: is refused for mirror.example"),
        ("file.img", "file:///etc/passwd"),
    ] {
        let sandbox = project(&web, &web.url(name));
        run(&sandbox, &["build", "app.img"]).fails(1, &[words]);
        assert_eq!(lock(&sandbox), "");
        sandbox.has_no_layout();
    }
}

#[test]
fn odd_modules_are_refused() {
    let web = Web::start();
    let large = "#".repeat((16 << 20) + 1);
    web.put("large.img", large);
    web.put("bytes.img", [0xff, 0xfe]);
    for (address, words) in [
        (web.url("none.img"), "no such file"),
        (web.url("large.img"), "larger than 16 MiB"),
        (web.url("bytes.img"), "UTF-8"),
        ("http://mirror.example/lib.img".to_owned(), "IMG0125"),
    ] {
        let sandbox = project(&web, &address);
        run(&sandbox, &["build", "app.img"]).fails(1, &[words]);
        assert_eq!(lock(&sandbox), "", "{address}");
    }
}

#[test]
fn a_module_is_no_file_of_the_project() {
    let web = Web::start();
    web.put("evil.img", "{ secret = readFile ./secret.txt; }");
    web.put("import.img", "import ./other.img");
    for name in ["evil.img", "import.img"] {
        let sandbox = Sandbox::new();
        sandbox.write("secret.txt", "s3cret");
        sandbox.write("other.img", "1");
        sandbox.write("app.img", format!("import \"{}\"", web.url(name)));
        let outcome = run(&sandbox, &["update", "app.img"]);
        ends(&outcome, 1, &[name]);
        assert!(!outcome.stderr.contains("s3cret"), "{outcome:?}");
    }
}

#[test]
fn a_lock_that_was_tampered_with_is_refused() {
    let web = Web::start();
    let sandbox = project(&web, &web.url("lib.img"));
    sandbox.build();
    let wrong = lock(&sandbox).replace(&sha256(MODULE), &sha256("other"));
    sandbox.write("imgc.lock", wrong);
    run(&sandbox, &["build", "app.img"]).fails(1, &[&sha256(MODULE), &sha256("other")]);
    let bad = text(&sandbox, "imgc.lock").replace("sha256 = ", "sha1 = ");
    sandbox.write("imgc.lock", bad);
    run(&sandbox, &["build", "app.img"]).fails(1, &["imgc.lock"]);
    run(&sandbox, &["check"]).fails(1, &["imgc.lock"]);
}
