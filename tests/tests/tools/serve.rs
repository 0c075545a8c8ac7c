//! `imgc serve`: what is answered, and what is not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::symlink;

use imgc_tests::sandbox::Sandbox;

use crate::client::{Serving, ask, digest, get, send};
use crate::run;

const PACKAGES: &str = "let debian = import std/debian; in debian.image {
  suite = \"trixie\"; variant = \"essential\"; packages = [\"hello\", \"noise\"];
  files = { \"/etc/motd\" = ./motd; };
}";

fn image(text: &str) -> String {
    format!("image {{ files = {{ \"/etc/motd\" = \"{text}\"; }}; }}")
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", image("first"));
    sandbox
}

/// All blobs that a manifest names.
fn blobs(manifest: &serde_json::Value) -> Vec<String> {
    let layers = manifest["layers"].as_array().expect("layers").iter();
    let all = layers.chain([&manifest["config"]]);
    all.map(|blob| blob["digest"].as_str().expect("a digest").to_owned())
        .collect()
}

#[test]
fn a_pull_gives_what_a_build_gives() {
    let sandbox = sandbox();
    sandbox.write("motd", "hello\n");
    sandbox.write("team/web.img", PACKAGES.replace("./motd", "../motd"));
    std::fs::create_dir(sandbox.project(".git")).expect("a folder");
    let serving = Serving::start(&sandbox, &[]);
    assert_eq!(serving.get("/v2/").json(), serde_json::json!({}));
    for (name, file) in [("app", "app.img"), ("team/web", "team/web.img")] {
        let manifest = serving.manifest(name, "latest");
        assert_eq!(manifest.status, 200, "{manifest:?}");
        let built = run(&sandbox, &["build", file, "-o", &format!("oci:{file}.oci")]);
        assert_eq!(manifest.digest(), built.digest());
        assert_eq!(
            manifest.header("Docker-Content-Digest"),
            Some(&*manifest.digest())
        );
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        assert_eq!(manifest.header("Content-Type"), Some(media_type));
        assert_eq!(
            serving.manifest(name, &manifest.digest()).body,
            manifest.body
        );
        for blob in blobs(&manifest.json()) {
            let target = format!("/v2/{name}/blobs/{blob}");
            let answer = serving.get(&target);
            assert_eq!((answer.status, answer.digest()), (200, blob));
            let head = ask(&serving.address, "HEAD", &target, "");
            let length = answer.body.len().to_string();
            assert_eq!(head.header("Content-Length"), Some(&*length));
            assert_eq!((head.status, head.body.len()), (200, 0));
        }
        let tags = serving.get(&format!("/v2/{name}/tags/list")).json();
        assert_eq!(
            tags,
            serde_json::json!({ "name": name, "tags": ["latest"] })
        );
    }
    // The pins are written as a build writes them.
    let lock = crate::text(&sandbox, "team/imgc.lock");
    assert!(lock.contains("hello"), "{lock}");
}

#[test]
fn an_edit_is_seen_at_the_next_pull() {
    let sandbox = sandbox();
    let serving = Serving::start(&sandbox, &["-v"]);
    let first = serving.manifest("app", "latest");
    sandbox.write("app.img", image("second"));
    let second = serving.manifest("app", "latest");
    assert_ne!(first.digest(), second.digest());
    // Who is in the middle of a pull gets the rest of what it began.
    for old in blobs(&first.json()) {
        assert_eq!(serving.get(&format!("/v2/app/blobs/{old}")).status, 200);
    }
    assert_eq!(serving.manifest("app", &first.digest()).status, 200);
    sandbox.write("app.img", image("first"));
    assert_eq!(serving.manifest("app", "latest").digest(), first.digest());
    std::fs::remove_file(sandbox.project("app.img")).expect("a file");
    serving
        .manifest("app", "latest")
        .is_error(404, "NAME_UNKNOWN");
}

#[test]
fn a_mistake_is_told_in_short_to_the_client_and_in_full_to_the_server() {
    let sandbox = sandbox();
    sandbox.write("broken.img", "image { nam = \"app\"; }");
    sandbox.write("none.img", "{ a = 1; }");
    let none =
        "let d = import std/debian; in d.image { suite = \"trixie\"; packages = [\"nope\"]; }";
    sandbox.write("missing.img", none);
    let mut serving = Serving::start(&sandbox, &[]);
    let message = serving
        .manifest("broken", "latest")
        .is_error(404, "MANIFEST_UNKNOWN");
    assert!(message.starts_with("broken.img:1: IMG"), "{message}");
    assert!(
        message.contains("nam") && !message.contains('\n'),
        "{message}"
    );
    let tags = serving.get("/v2/broken/tags/list");
    tags.is_error(404, "MANIFEST_UNKNOWN");
    let message = serving
        .manifest("none", "latest")
        .is_error(404, "MANIFEST_UNKNOWN");
    assert!(message.contains("IMG0313"), "{message}");
    let message = serving
        .manifest("missing", "latest")
        .is_error(404, "MANIFEST_UNKNOWN");
    assert!(
        message.contains("IMG0512") && message.contains("nope"),
        "{message}"
    );
    sandbox.write("broken.img", image("mended"));
    assert_eq!(serving.manifest("broken", "latest").status, 200);
    let outcome = serving.end("INT");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    for words in ["image { nam = \"app\"; }", "[\"nope\"]", "IMG0313"] {
        assert!(outcome.stderr.contains(words), "{words}: {outcome:?}");
    }
    assert!(!outcome.stderr.contains("GET /v2/"), "only with -v");
}

#[test]
fn the_images_of_a_record_are_tags() {
    let sandbox = sandbox();
    let record = |names: &str| {
        let fields = names.split(' ').map(|name| {
            format!(
                "{name} = image {{ name = \"own-{name}\"; files = {{ \"/n\" = \"{name}\"; }}; }};"
            )
        });
        format!("{{ {} }}", fields.collect::<String>())
    };
    sandbox.write("many.img", record("web worker"));
    sandbox.write("main.img", record("web default"));
    sandbox.write("only.img", record("web"));
    let serving = Serving::start(&sandbox, &[]);
    for (name, expected) in [
        ("many", "web worker"),
        ("main", "default latest web"),
        ("only", "latest web"),
    ] {
        let tags = serving.get(&format!("/v2/{name}/tags/list")).json();
        let expected: Vec<&str> = expected.split(' ').collect();
        assert_eq!(tags["tags"], serde_json::json!(expected), "{name}");
    }
    let of = |name: &str, tag: &str| {
        let manifest = serving.manifest(name, tag);
        assert_eq!(manifest.status, 200, "{manifest:?}");
        manifest.digest()
    };
    let web = run(&sandbox, &["build", "many.img#web", "-o", "oci:web"]).digest();
    assert_eq!(of("many", "web"), web);
    assert_ne!(of("many", "worker"), web);
    assert_eq!(of("only", "latest"), of("only", "web"));
    assert_eq!(of("main", "latest"), of("main", "default"));
    let message = serving
        .manifest("many", "latest")
        .is_error(404, "MANIFEST_UNKNOWN");
    assert!(message.ends_with("its tags are web, worker"), "{message}");
    // By its digest alone, after a start: all are built to find it.
    let other = Serving::start(&sandbox, &[]);
    assert_eq!(other.manifest("many", &web).status, 200);
    let unknown = other.manifest("many", &digest(b"other"));
    unknown.is_error(404, "MANIFEST_UNKNOWN");
}

#[test]
fn nothing_outside_the_folder_has_a_name() {
    let sandbox = sandbox();
    sandbox.write("inner/a.img", image("inner"));
    sandbox.write("inner/Upper.img", image("upper"));
    sandbox.write("inner/.hidden.img", image("hidden"));
    sandbox.write("inner/.git/x.img", image("git"));
    sandbox.write("inner/text.txt", "s3cret");
    std::fs::write(sandbox.path("far.img"), image("far")).expect("a file");
    let link = |to: &str, name: &str| {
        symlink(to, sandbox.project("inner").join(name)).expect("a link");
    };
    link("../app.img", "out.img");
    link("..", "up");
    link("text.txt", "text.img");
    link("/etc", "etc");
    link("a.img", "in.img");
    let mut serving = Serving::start(&sandbox, &["inner", "-v"]);
    assert_eq!(serving.manifest("a", "latest").status, 200);
    assert_eq!(serving.manifest("in", "latest").status, 200);
    for name in [
        "..",
        "../app",
        "../../far",
        "a/../../app",
        "./a",
        "a/.",
        "/a",
        "//a",
        "a//",
        "%2e%2e/app",
        "..%2fapp",
        "%2e%2e%2fapp",
        "..%5capp",
        "..\\app",
        "a%00",
        "a.img%00",
        "out",
        "up/app",
        "up",
        "text",
        "etc/passwd",
        "Upper",
        ".hidden",
        ".git/x",
        "inner/a",
        "~",
        "a?",
        "a#",
        "\u{2024}\u{2024}/app",
        "a\u{202e}",
    ] {
        let answer = serving.manifest(name, "latest");
        let is_error = (400..500).contains(&answer.status);
        let text = String::from_utf8_lossy(&answer.body);
        assert!(is_error && !text.contains("s3cret"), "{name}: {answer:?}");
        assert!(
            !text.contains(&*sandbox.path("").to_string_lossy()),
            "{text}"
        );
    }
    for target in [
        "/",
        "/etc/passwd",
        "/v2/../etc/passwd",
        "/v2/_catalog",
        "*",
        "a",
    ] {
        let answer = serving.get(target);
        assert!((400..500).contains(&answer.status), "{target}: {answer:?}");
    }
    let outcome = serving.end("TERM");
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("GET /v2/%2e%2e/app/manifests/latest 400 ")
    );
    assert!(!outcome.stderr.contains('\u{202e}'), "a line is plain text");
}

#[test]
fn nothing_else_of_the_store_is_served() {
    let sandbox = sandbox();
    sandbox.write("inner/a.img", image("inner"));
    let secret = sandbox.build();
    let layout = imgc_tests::layout::Layout::open(&sandbox.project("app.oci"));
    assert_eq!(layout.digest, secret);
    let serving = Serving::start(&sandbox, &["inner"]);
    let own = serving.manifest("a", "latest");
    let manifest = std::fs::read(
        sandbox
            .project("app.oci/blobs/sha256")
            .join(&secret["sha256:".len()..]),
    );
    let manifest = serde_json::from_slice(&manifest.expect("a manifest")).expect("JSON");
    for blob in blobs(&manifest).iter().chain([&secret, &own.digest()]) {
        let answer = serving.get(&format!("/v2/a/blobs/{blob}"));
        answer.is_error(404, "BLOB_UNKNOWN");
    }
    serving
        .manifest("a", &secret)
        .is_error(404, "MANIFEST_UNKNOWN");
    // What one name has, another one has not.
    sandbox.write("inner/b.img", image("other"));
    let layer = &blobs(&own.json())[0];
    assert_eq!(serving.manifest("b", "latest").status, 200);
    let answer = serving.get(&format!("/v2/b/blobs/{layer}"));
    answer.is_error(404, "BLOB_UNKNOWN");
}

#[test]
fn a_pull_goes_on_where_it_stopped() {
    let sandbox = sandbox();
    let serving = Serving::start(&sandbox, &[]);
    let manifest = serving.manifest("app", "latest").json();
    let layer = &blobs(&manifest)[0];
    let target = format!("/v2/app/blobs/{layer}");
    let whole = serving.get(&target).body;
    let range = |range: &str| {
        ask(
            &serving.address,
            "GET",
            &target,
            &format!("Range: bytes={range}\r\n"),
        )
    };
    let (first, rest) = (range("0-9"), range("10-"));
    assert_eq!((first.status, rest.status), (206, 206));
    let size = whole.len();
    let expected = format!("bytes 10-{}/{size}", size - 1);
    assert_eq!(rest.header("Content-Range"), Some(&*expected));
    assert_eq!([first.body, rest.body].concat(), whole);
    let end = range("-3");
    assert_eq!(end.body, whole[size - 3..]);
    let beyond = range(&format!("{size}-"));
    assert_eq!(beyond.status, 416);
    assert_eq!(
        beyond.header("Content-Range"),
        Some(&*format!("bytes */{size}"))
    );
    let conditional = "Range: bytes=3-\r\nIf-Range: \"other\"\r\n";
    let answer = ask(&serving.address, "GET", &target, conditional);
    assert_eq!((answer.status, answer.body), (200, whole));
}

#[test]
fn it_can_only_be_read() {
    let sandbox = sandbox();
    let serving = Serving::start(&sandbox, &[]);
    let layer = digest(b"x");
    for (method, target) in [
        ("POST", "/v2/app/blobs/uploads/".to_owned()),
        ("PUT", "/v2/app/manifests/latest".to_owned()),
        ("PATCH", "/v2/app/blobs/uploads/1".to_owned()),
        ("DELETE", format!("/v2/app/blobs/{layer}")),
        ("DELETE", "/v2/app/manifests/latest".to_owned()),
        ("OPTIONS", "/v2/".to_owned()),
    ] {
        let body = "x".repeat(100_000);
        let length = format!("Content-Length: {}\r\n", body.len());
        let host = &serving.address;
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{length}\r\n{body}");
        let answer = send(&serving.address, &request);
        answer.is_error(405, "UNSUPPORTED");
        assert_eq!(answer.header("Allow"), Some("GET, HEAD"));
    }
}

#[test]
fn who_pulls_at_the_same_time_has_one_build() {
    let sandbox = sandbox();
    sandbox.write("web.img", PACKAGES);
    sandbox.write("motd", "hello\n");
    let serving = Serving::start(&sandbox, &[]);
    let digests: Vec<String> = std::thread::scope(|scope| {
        let pull = || {
            let manifest = serving.manifest("web", "latest");
            assert_eq!(manifest.status, 200, "{manifest:?}");
            manifest.digest()
        };
        let pulls: Vec<_> = (0..12).map(|_| scope.spawn(pull)).collect();
        pulls
            .into_iter()
            .map(|pull| pull.join().expect("a digest"))
            .collect()
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]));
    let mut fetched: Vec<String> = sandbox
        .server
        .take_requests()
        .into_iter()
        .map(|request| request.path)
        .filter(|path| path.ends_with(".deb"))
        .collect();
    let all = fetched.len();
    fetched.sort();
    fetched.dedup();
    assert!(
        all > 2 && fetched.len() == all,
        "each package once: {fetched:?}"
    );
}

#[test]
fn files_of_one_folder_share_a_lock_that_keeps_all_pins() {
    let sandbox = sandbox();
    let names: Vec<String> = (0..3).map(|number| format!("app{number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let package = ["hello", "noise", "scripted"][number % 3];
        let text = PACKAGES.replace("\"hello\", \"noise\"", &format!("\"{package}\""));
        sandbox.write(
            &format!("{name}.img"),
            text.replace("./motd", &format!("\"{number}\"")),
        );
    }
    let serving = Serving::start(&sandbox, &[]);
    std::thread::scope(|scope| {
        for name in &names {
            scope.spawn(|| assert_eq!(serving.manifest(name, "latest").status, 200));
        }
    });
    for name in &names {
        let file = format!("{name}.img");
        run(&sandbox, &["build", "--locked", &file]).succeeds();
    }
}

#[test]
fn locked_pins_nothing() {
    let sandbox = sandbox();
    sandbox.write("web.img", PACKAGES);
    sandbox.write("motd", "hello\n");
    let serving = Serving::start(&sandbox, &["--locked"]);
    let answer = serving.manifest("web", "latest");
    let message = answer.is_error(404, "MANIFEST_UNKNOWN");
    assert!(message.contains("imgc.lock"), "{message}");
    assert!(!sandbox.project("imgc.lock").exists());
    run(&sandbox, &["update", "web.img"]).succeeds();
    assert_eq!(serving.manifest("web", "latest").status, 200);
}

#[test]
fn it_ends_in_good_order() {
    let sandbox = sandbox();
    let mut serving = Serving::start(&sandbox, &[]);
    let mut idle = TcpStream::connect(&serving.address).expect("it listens");
    idle.write_all(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect("it reads");
    assert_eq!(serving.manifest("app", "latest").status, 200);
    let outcome = serving.end("INT");
    assert_eq!(
        (outcome.code, &*outcome.stderr),
        (Some(0), ""),
        "{outcome:?}"
    );
    let mut rest = String::new();
    idle.read_to_string(&mut rest).expect("the end");
    assert!(rest.ends_with("{}"), "{rest}");
    let store = sandbox.path("home/.cache/imgc/v1");
    let left = std::fs::read_dir(store.join("tmp"))
        .expect("a store")
        .count();
    assert_eq!(left, 0, "nothing temporary is left");
}

#[test]
fn it_is_for_this_machine_unless_told_otherwise() {
    let sandbox = sandbox();
    let mut serving = Serving::start(&sandbox, &[]);
    assert!(serving.address.starts_with("127.0.0.1:"));
    let port = serving
        .address
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    // What a page in a browser could have asked, by a name that leads here.
    for host in ["evil.example", "127.0.0.1.evil.example", ""] {
        let request = format!("GET /v2/ HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n");
        send(&serving.address, &request).is_error(403, "DENIED");
    }
    let named = format!("GET /v2/ HTTP/1.0\r\nHost: localhost:{port}\r\n\r\n");
    assert_eq!(send(&serving.address, &named).status, 200);
    assert_eq!(serving.end("INT").stderr, "");

    let all = ["serve", "--listen", "0.0.0.0:0"];
    let mut open = Serving::of(sandbox.run().args(&all).spawn());
    let port = open.address.rsplit(':').next().expect("a port").to_owned();
    let here = format!("127.0.0.1:{port}");
    assert_eq!(get(&here, "/v2/").status, 200);
    let named = "GET /v2/ HTTP/1.0\r\nHost: registry.example\r\n\r\n";
    assert_eq!(send(&here, named).status, 200);
    let outcome = open.end("INT");
    assert_eq!(outcome.code, Some(0));
    assert!(
        outcome
            .stderr
            .starts_with("warning: whoever reaches 0.0.0.0:"),
        "{outcome:?}"
    );
}

#[test]
fn what_can_t_be_served_is_said() {
    let sandbox = sandbox();
    let serving = Serving::start(&sandbox, &[]);
    run(&sandbox, &["serve", "--listen", &serving.address]).fails(1, &["in use", "127.0.0.1:0"]);
    run(&sandbox, &["serve", "nowhere"]).fails(1, &["nowhere"]);
    run(&sandbox, &["serve", "app.img"]).fails(1, &["app.img is not a folder"]);
    run(&sandbox, &["serve", "--listen", "here"]).fails(1, &["can't listen at here"]);
}
