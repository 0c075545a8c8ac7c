//! The examples run.

use crate::place::{Built, PLACE, build, built, copy_examples};
use crate::podman::Container;

/// What the web example answers, on a suite that says `os` of itself.
fn serves(name: &str, image: &Built, page: &str, os: &str) -> Container {
    let container = Container::start(name, &image.layout);
    assert!(container.get(8080, "/").contains(page));
    assert!(
        container
            .get(8080, "/id")
            .ends_with("uid=10001 gid=10001\n")
    );
    let zone = container.get(8080, "/zone");
    assert!(zone.contains("zones: yes\n") && zone.contains(os), "{zone}");
    assert!(container.get(8080, "/nowhere").starts_with("HTTP/1.1 404"));
    container
}

fn is_a_debian(container: &Container, codename: &str) {
    let id = container.exec(&["id"]);
    assert_eq!(
        id.succeeds().stdout,
        "uid=10001(app) gid=10001(app) groups=10001(app)\n"
    );
    let release = container.exec(&["cat", "/etc/os-release"]);
    let release = &release.succeeds().stdout;
    let named = release
        .lines()
        .any(|line| line == format!("VERSION_CODENAME={codename}"));
    assert!(named, "{release}");
    let shell = container.exec(&["sh", "-c", "echo $((6 * 7))"]);
    assert_eq!(shell.succeeds().stdout, "42\n");
}

#[test]
fn the_web_example() {
    let image = built("web", "amd64");
    let container = serves("web", &image, "nothing was executed", "(trixie)");
    assert!(container.get(8080, "/zone").contains("certificates: yes\n"));
    is_a_debian(&container, "trixie");
    let mode = container.exec(&[
        "stat",
        "-c",
        "%a %u:%g",
        "/srv/www/index.html",
        "/usr/bin/server",
    ]);
    assert_eq!(mode.succeeds().stdout, "644 0:0\n755 0:0\n");
    let zone = container.exec(&["date", "-d", "@0", "+%H:%M"]);
    zone.succeeds();
    assert_eq!(container.stop(), "0", "SIGTERM ends it in good order");
}

#[test]
fn the_web_example_on_bookworm() {
    let project = PLACE.join("out/web-bookworm-project");
    copy_examples(&project);
    let file = project.join("web/app.img");
    let text = std::fs::read_to_string(&file).expect("the example");
    assert!(text.contains("\"trixie\""));
    std::fs::write(&file, text.replace("\"trixie\"", "\"bookworm\"")).expect("the example");
    let image = build(&file, "amd64", &PLACE.join("out/web-bookworm.oci"));
    let container = serves("web-bookworm", &image, "nothing was executed", "(bookworm)");
    is_a_debian(&container, "bookworm");
}

#[test]
fn the_python_example() {
    let image = built("python", "amd64");
    let container = Container::start("python", &image.layout);
    let answer = container.get(8000, "/Debian");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(body["greeting"], "Hello, Debian!");
    assert_eq!(body["python"], "3.13");
    assert_eq!(body["uid"], 10_001);
    assert_eq!(body["folder"], "/srv/app");
    is_a_debian(&container, "trixie");
    // The standard library's parts in C find their libraries.
    let script = "import ssl, sqlite3, lzma, zoneinfo; print(ssl.OPENSSL_VERSION[:7])";
    let modules = container.exec(&["/usr/bin/python3", "-c", script]);
    assert_eq!(modules.succeeds().stdout, "OpenSSL\n");
    assert_eq!(container.stop(), "0", "SIGTERM ends it in good order");
}

#[test]
fn the_distroless_example() {
    let image = built("distroless", "amd64");
    let container = serves("distroless", &image, "without a shell", "(trixie)");
    for program in ["/bin/sh", "/bin/bash", "/usr/bin/apt"] {
        assert_ne!(
            container.exec(&[program, "-c", "true"]).code,
            Some(0),
            "{program} is there"
        );
    }
    assert_eq!(container.stop(), "0", "SIGTERM ends it in good order");
}
