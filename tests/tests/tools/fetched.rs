//! Files from elsewhere, and programs that need what the image does not have.

use std::io::Write as _;

use imgc_tests::archive::{packages, sum};
use imgc_tests::deb::Deb;
use imgc_tests::elf;
use imgc_tests::layout::Layout;
use imgc_tests::sandbox::Sandbox;
use imgc_tests::server::Fault;

use crate::{ends, run};

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

/// A compressed archive of a program and a page.
fn archive() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, mode, text) in [
        ("app-1.0/bin/run", 0o700, "#!/bin/sh\n"),
        ("app-1.0/doc/page", 0o600, "words\n"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        header.set_mode(mode);
        header.set_mtime(1_700_000_000);
        header.set_uid(1000);
        header.set_gid(1000);
        tar.append_data(&mut header, path, text.as_bytes())
            .expect("an entry");
    }
    let tar = tar.into_inner().expect("an archive");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).expect("written");
    gzip.finish().expect("a stream")
}

fn fetch(sandbox: &Sandbox, path: &str, sha256: &str) -> String {
    let url = sandbox.server.url(path);
    format!("fetch {{ url = \"{url}\"; sha256 = \"{sha256}\"; }}")
}

#[test]
fn what_is_fetched_comes_once_and_is_there_without_a_network() {
    let sandbox = Sandbox::new();
    let (bytes, program) = (archive(), vec![b'x'; 300_000]);
    sandbox.server.put("app.tar.gz", bytes.clone());
    sandbox.server.put("program", program.clone());
    let app = fetch(&sandbox, "app.tar.gz", &sum(&bytes));
    let one = fetch(&sandbox, "program", &sum(&program));
    let image = |user: u32| {
        format!(
            "image {{ files = {{
              \"/opt/app\" = unpack {{ source = {app}; strip = 1; exclude = [\"/doc/*\"]; user = {user}; }};
              \"/usr/bin/program\" = file {{ source = {one}; mode = 0o755; }};
            }}; }}"
        )
    };
    sandbox.write("app.img", image(7));
    run(&sandbox, &["check", "app.img"]).succeeds();
    assert_eq!(
        sandbox.server.take_requests(),
        [],
        "checking fetches nothing"
    );
    // What breaks off goes on where it broke.
    sandbox.server.fail_once("program", Fault::Cut(100_000));
    let built = run(&sandbox, &["build", "app.img", "-o", "oci:app.oci"]);
    let digest = built.digest();
    let requests = sandbox.server.take_requests();
    let from = |path: &str| -> Vec<usize> {
        let of = requests.iter().filter(|one| one.path == path);
        of.map(|one| one.from).collect()
    };
    assert_eq!(from("app.tar.gz"), [0]);
    assert_eq!(from("program").len(), 2, "{requests:?}");
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    let mode = |path: &str| {
        let entry = &tree[path];
        (entry.mode, entry.ids.0)
    };
    assert_eq!(mode("opt/app/bin/run"), (0o755, 7));
    assert_eq!(mode("usr/bin/program"), (0o755, 0));
    assert!(!tree.contains_key("opt/app/doc/page"), "{:?}", tree.keys());
    // Another image of the same files asks nobody.
    sandbox.write("app.img", image(8));
    let other = run(&sandbox, &["build", "--offline", "app.img"]).digest();
    assert_ne!(other, digest);
    sandbox.write("app.img", image(7));
    assert_eq!(
        run(&sandbox, &["build", "--offline", "app.img"]).digest(),
        digest
    );
    assert_eq!(sandbox.server.take_requests(), []);
}

#[test]
fn other_bytes_are_refused_and_their_digest_is_told() {
    let sandbox = Sandbox::new();
    sandbox.server.put("app", b"hello\n".to_vec());
    let zeros = "0".repeat(64);
    let image = format!(
        "image {{ files = {{ \"/app\" = {}; }}; }}",
        fetch(&sandbox, "app", &zeros)
    );
    sandbox.write("app.img", &image);
    let failed = run(&sandbox, &["build", "app.img"]);
    let found = sum(b"hello\n");
    failed.fails(1, &["IMG0551", "is not the file that is asked for", &found]);
    sandbox.write("app.img", image.replace(&zeros, &found));
    run(&sandbox, &["build", "app.img"]).digest();
    sandbox.server.remove("app");
    sandbox.write("app.img", image.replace(&zeros, &sum(b"other")));
    let gone = run(&sandbox, &["build", "app.img"]);
    gone.fails(1, &["IMG0551", "can't be fetched", "not found"]);
    let offline = run(&sandbox, &["build", "--offline", "app.img"]);
    offline.fails(1, &["IMG0551", "--offline forbids"]);
}

#[test]
fn an_archive_that_means_no_good_is_told_where_it_is_named() {
    let sandbox = Sandbox::new();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    header.set_mode(0o777);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    tar.append_link(&mut header, "a", "../../etc")
        .expect("a link");
    let bytes = tar.into_inner().expect("an archive");
    sandbox.server.put("app.tar", bytes.clone());
    let app = fetch(&sandbox, "app.tar", &sum(&bytes));
    let image = format!("image {{ files = {{ \"/opt\" = unpack {{ source = {app}; }}; }}; }}");
    sandbox.write("app.img", image);
    let failed = run(&sandbox, &["build", "app.img"]);
    failed.fails(1, &["IMG0552", "a link that leads out of it", "app.img:1"]);
    sandbox.has_no_layout();
}

/// An archive with two libraries.
fn libraries() -> Sandbox {
    let library = |needed: &[&str]| elf::dynamic(None, needed);
    let folder = "usr/lib/x86_64-linux-gnu";
    let mut all = packages();
    all.push(
        Deb::new("libtiny6", "1", "amd64")
            .file(&format!("{folder}/libtiny.so.6"), 0o644, library(&[]))
            .file(&LOADER[1..], 0o755, library(&[])),
    );
    all.push(
        Deb::new("libmore2", "1", "amd64")
            .file(
                &format!("{folder}/libmore.so.2"),
                0o644,
                library(&["libtiny.so.6"]),
            )
            .field("Depends", "libtiny6"),
    );
    Sandbox::with_packages(&all)
}

fn program(packages: &str, more: &str) -> String {
    format!(
        "let debian = import std/debian; in debian.image {{
          variant = \"distroless\"; suite = \"trixie\";
          packages = [{packages}];
          files = {{ \"/usr/bin/app\" = file {{ source = ./app; mode = 0o755; }}; }};
          {more}
        }}"
    )
}

#[test]
fn a_program_without_its_libraries_is_refused_and_the_packages_are_named() {
    let sandbox = libraries();
    let needed = ["libmore.so.2", "libtiny.so.6"];
    sandbox.write("app", elf::dynamic(Some(LOADER), &needed));
    sandbox.write("app.img", program("\"noise\"", ""));
    let failed = run(&sandbox, &["build", "app.img"]);
    failed.fails(
        1,
        &[
            "IMG0553",
            "`/usr/bin/app` can't be started",
            "its interpreter /lib64/ld-linux-x86-64.so.2 is missing: it is in libtiny6",
            "libmore.so.2 is missing: it is in libmore2",
            "libtiny.so.6 is missing: it is in libtiny6",
            "add to the packages: \"libmore2\", \"libtiny6\"",
        ],
    );
    // What was unpacked tells without a build, as far as names of packages do.
    let checked = run(&sandbox, &["check", "app.img"]);
    let said = ["IMG0553", "libmore.so.2 is missing: it is in libmore2"];
    ends(&checked, 1, &said);
    let text = crate::text(&sandbox, "app.img");
    run(&sandbox, &["check", "--fix", "app.img"]);
    let fixed = crate::text(&sandbox, "app.img");
    assert!(
        fixed.contains("\"noise\", \"libmore2\", \"libtiny6\""),
        "{fixed}"
    );
    sandbox.write("app.img", text);
    // Without an index of contents, names of packages tell.
    sandbox
        .server
        .change("trixie/main/Contents-amd64.gz", Vec::clear);
    for path in sandbox.server.paths() {
        if path.contains("main/by-hash") {
            sandbox.server.remove(&path);
        }
    }
    let fresh = run(&sandbox, &["build", "--store", "other", "app.img"]);
    fresh.fails(1, &["libmore.so.2 is missing: it is in libmore2"]);
    // What is named is enough.
    sandbox.write(
        "app.img",
        program("\"noise\", \"libmore2\", \"libtiny6\"", ""),
    );
    run(&sandbox, &["build", "app.img"]).digest();
    let one = run(&sandbox, &["build", "app.img"]).digest();
    sandbox.write("app", elf::dynamic(Some(LOADER), &["libmore.so.2"]));
    assert_ne!(run(&sandbox, &["build", "app.img"]).digest(), one);
}

#[test]
fn what_is_provided_from_outside_need_not_be_there() {
    let sandbox = libraries();
    sandbox.write(
        "app",
        elf::dynamic(Some(LOADER), &["libcuda.so.1", "libtiny.so.6"]),
    );
    sandbox.write("app.img", program("\"libtiny6\"", ""));
    let failed = run(&sandbox, &["build", "app.img"]);
    failed.fails(
        1,
        &[
            "libcuda.so.1 is missing",
            "provided = { \"libcuda.so.1\" = \"WHO\"; }",
        ],
    );
    let provided = "provided = { \"libcuda.so.1\" = \"the driver of the host\"; };";
    sandbox.write("app.img", program("\"libtiny6\"", provided));
    let first = run(&sandbox, &["build", "app.img"]).digest();
    // Words are not meaning.
    let words = provided.replace("the driver", "what is");
    sandbox.write("app.img", program("\"libtiny6\"", &words));
    let again = run(&sandbox, &["build", "app.img", "--offline"]);
    assert_eq!(again.digest(), first);
}

#[test]
fn annotations_and_checks_of_health_are_shown() {
    let sandbox = Sandbox::new();
    let image = |title: &str| {
        format!(
            "image {{
              annotations = {{ \"org.opencontainers.image.title\" = \"{title}\"; }};
              config.healthcheck = {{ test = [\"/bin/app\", \"--check\"]; interval = \"1m30s\"; retries = 3; }};
            }}"
        )
    };
    sandbox.write("app.img", image("one"));
    sandbox.write("other.img", image("two"));
    let inspected = run(&sandbox, &["inspect", "app.img", "--json"]);
    let document = crate::document(inspected.succeeds());
    let titles = &document["annotations"]["org.opencontainers.image.title"];
    assert_eq!(titles, "one");
    assert_eq!(
        document["config"]["Healthcheck"],
        serde_json::json!({
            "Test": ["CMD", "/bin/app", "--check"],
            "Interval": 90_000_000_000_u64,
            "Retries": 3,
        })
    );
    let shown = run(&sandbox, &["diff", "app.img", "other.img"]);
    ends(&shown, 0, &[]);
    assert!(
        shown.stdout.contains("org.opencontainers.image.title"),
        "{shown:?}"
    );
    assert!(!shown.stdout.contains("Healthcheck"), "{shown:?}");
}
