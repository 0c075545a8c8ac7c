//! Every example of a recipe runs: as its user, with no capability, on a root that can't be
//! written to, with `/tmp` in memory. It answers, and ends at its stop signal.

use std::process::Command;
use std::sync::LazyLock;

use crate::place::{PLACE, call, copy_examples, imgc_command, recipes, run};
use crate::podman::{Container, confined_output};

/// One layout with the image of every example, all built by one command.
static LAYOUT: LazyLock<String> = LazyLock::new(|| {
    let project = PLACE.join("out/recipes-project");
    copy_examples(&project);
    let layout = PLACE.join("out/recipes.oci");
    let mut command = imgc_command();
    command.arg("build");
    for recipe in recipes() {
        command.arg(project.join("recipes").join(recipe).join("app.img"));
    }
    let outcome = run(command.arg("-o").arg(format!("oci:{}", layout.display())));
    outcome.succeeds();
    for recipe in recipes() {
        assert!(
            outcome.stdout.contains(&format!("{recipe} sha256:")),
            "{recipe}"
        );
    }
    format!("oci:{}", layout.display())
});

/// The example's image.
fn source(recipe: &str) -> String {
    format!("{}:{recipe}", *LAYOUT)
}

/// Starts the example `recipe`, which runs as the user of the recipes.
#[track_caller]
fn start(recipe: &str, options: &[&str]) -> Container {
    let container = Container::confined(&format!("recipe-{recipe}"), &source(recipe), options, &[]);
    assert_eq!(
        container.status("Uid"),
        "65532\t65532\t65532\t65532",
        "{recipe}"
    );
    assert_eq!(
        container.status("Gid"),
        "65532\t65532\t65532\t65532",
        "{recipe}"
    );
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert_eq!(container.status(set), "0000000000000000", "{recipe}: {set}");
    }
    container
}

/// What the example prints when it is run with `arguments`, which has to go well.
#[track_caller]
fn prints(recipe: &str, arguments: &[&str]) -> String {
    let outcome = confined_output(&source(recipe), &[], arguments);
    outcome.succeeds().stdout.clone()
}

/// What an image of the text `recipe` prints: a file of a project of its own.
#[track_caller]
fn build(name: &str, text: &str) -> String {
    let folder = PLACE.join("out").join(format!("recipe-{name}"));
    std::fs::create_dir_all(folder.join(".git")).expect("a folder");
    let file = folder.join("app.img");
    std::fs::write(&file, text).expect("a file");
    let layout = PLACE.join("out").join(format!("recipe-{name}.oci"));
    let mut command = imgc_command();
    command.arg("build").arg(file);
    run(command.arg("-o").arg(format!("oci:{}", layout.display()))).succeeds();
    format!("oci:{}", layout.display())
}

#[test]
fn programs_of_every_language_answer() {
    for (recipe, port, says, code) in [
        ("python", 8000, "Hello from Python 3, as 65532.\n", "0"),
        ("node", 8000, "Hello from Node.js, as 65532.\n", "0"),
        (
            "ruby",
            8000,
            "{\"hello\":\"from Ruby\",\"uid\":65532}\n",
            "0",
        ),
        ("perl", 8000, "Hello from Perl, as 65532.\n", "0"),
        // The virtual machine says which signal it was, after its own good order.
        ("java", 8000, "Hello from Java 21.\n", "143"),
        ("go", 8080, "Hello from a static program.\n", "0"),
        ("rust", 8080, "Hello from a static program.\n", "0"),
        ("base", 8080, "Hello from base.\n", "0"),
        ("cc", 8080, "Hello from cc.\n", "0"),
    ] {
        let container = start(recipe, &[]);
        let answer = container.get(port, "/");
        assert!(answer.ends_with(says), "{recipe}: {answer}");
        assert_eq!(container.stop(), code, "{recipe}: {}", container.logs());
    }
}

#[test]
fn web_servers_serve() {
    for (recipe, path, says) in [
        ("nginx", "/", "<p>Hello from nginx.</p>\n"),
        ("apache", "/", "<p>Hello from Apache.</p>\n"),
        ("haproxy", "/health", "well\n"),
    ] {
        let container = start(recipe, &[]);
        let answer = container.get(8080, path);
        assert!(
            answer.starts_with("HTTP/1.") && answer.ends_with(says),
            "{recipe}: {answer}"
        );
        assert_eq!(container.stop(), "0", "{recipe}: {}", container.logs());
        let asked = format!("GET {path} HTTP/1.0");
        assert!(
            container.logs().contains(&asked),
            "{recipe}: {}",
            container.logs()
        );
    }
    let apache = start("apache", &[]);
    assert!(
        apache.get(8080, "/old").contains("\r\nLocation: "),
        "a file of its own is read"
    );
    let static_site = start("static", &[]);
    assert!(
        static_site
            .get(8080, "/")
            .contains("Hello without a shell.")
    );
    assert!(
        static_site
            .get(8080, "/zone")
            .contains("certificates: yes\n")
    );
    for program in ["/bin/sh", "/bin/bash"] {
        assert_ne!(
            static_site.exec(&[program, "-c", "true"]).code,
            Some(0),
            "{program}"
        );
    }
}

/// A record of FastCGI 1.0: <https://fastcgi-archives.github.io/FastCGI_Specification.html>.
fn record(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short record");
    let [high, low] = length.to_be_bytes();
    [&[1, kind, 0, 1, high, low, 0, 0], content].concat()
}

#[test]
fn php_answers_a_web_server() {
    let mut parameters = Vec::new();
    for (name, value) in [
        ("SCRIPT_FILENAME", "/srv/www/index.php"),
        ("REQUEST_METHOD", "GET"),
    ] {
        parameters.extend([name.len(), value.len()].map(|len| u8::try_from(len).expect("short")));
        parameters.extend_from_slice(name.as_bytes());
        parameters.extend_from_slice(value.as_bytes());
    }
    // Begin as a responder, the parameters, their end, and no input.
    let request = [
        record(1, &[0, 1, 0, 0, 0, 0, 0, 0]),
        record(4, &parameters),
        record(4, &[]),
        record(5, &[]),
    ];
    let container = start("php", &[]);
    let answer = container.ask(9000, &request.concat());
    assert!(answer.contains("Hello from PHP 8, as 65532.\n"), "{answer}");
    assert_eq!(container.stop(), "0", "{}", container.logs());
    assert_eq!(prints("php-cli", &[]), "Hello from PHP 8, as 65532.\n");
}

#[test]
fn redis_keeps_values() {
    let mut container = start("redis", &[]);
    assert_eq!(container.until(&["redis-cli", "ping"]), "PONG\n");
    let told = container.exec(&["redis-cli", "config", "get", "maxmemory"]);
    assert_eq!(told.succeeds().stdout, "maxmemory\n67108864\n");
    container
        .exec(&["redis-cli", "set", "a", "kept"])
        .succeeds();
    assert_eq!(container.stop(), "0", "{}", container.logs());
    container.again();
    assert_eq!(container.until(&["redis-cli", "get", "a"]), "kept\n");
}

#[test]
fn memcached_answers() {
    let container = start("memcached", &[]);
    let answer = container.ask(11211, b"version\r\nset a 0 0 1\r\n1\r\nget a\r\nquit\r\n");
    assert!(answer.starts_with("VERSION 1."), "{answer}");
    assert!(
        answer.ends_with("STORED\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
        "{answer}"
    );
    assert_eq!(container.stop(), "0");
}

#[test]
fn postgresql_makes_its_cluster_once() {
    let nothing = confined_output(&source("postgresql"), &[], &[]);
    assert_eq!(nothing.code, Some(1), "no password, no cluster");
    assert!(
        nothing.stderr.contains("set POSTGRES_PASSWORD"),
        "{}",
        nothing.stderr
    );

    let secret = "--env=POSTGRES_PASSWORD=it's a \\secret\\";
    let mut container = start("postgresql", &[secret, "--env=POSTGRES_DB=shop-1"]);
    let select =
        |question: &'static str| ["psql", "--host=127.0.0.1", "-d", "shop-1", "-Atc", question];
    let right = |container: &Container, question: &'static str| {
        let script = "PGPASSWORD=\"it's a \\secret\\\\\" exec \"$@\"";
        let args = [&["sh", "-c", script, "-"][..], &select(question)].concat();
        container.until(&args)
    };
    assert_eq!(right(&container, "select count(*) from visit"), "1\n");
    let wrong = container.exec(&select("select 1"));
    assert_ne!(
        wrong.code,
        Some(0),
        "no password, no answer: {}",
        wrong.stdout
    );
    let told = right(
        &container,
        "select current_setting('max_connections'), current_user",
    );
    assert_eq!(told, "50|postgres\n");
    right(&container, "insert into visit (page) values ('new')");
    assert_eq!(container.stop(), "0", "{}", container.logs());

    container.again();
    assert_eq!(right(&container, "select count(*) from visit"), "2\n");
    let made = container.logs().matches("makes a new cluster").count();
    assert_eq!(made, 1, "{}", container.logs());
}

#[test]
fn mariadb_makes_its_database_once() {
    let nothing = confined_output(&source("mariadb"), &[], &[]);
    assert_eq!(nothing.code, Some(1), "no password, no database");
    assert!(
        nothing.stderr.contains("set MARIADB_ROOT_PASSWORD"),
        "{}",
        nothing.stderr
    );

    let mut container = start(
        "mariadb",
        &[
            "--env=MARIADB_ROOT_PASSWORD=it's a \\secret\\",
            "--env=MARIADB_DATABASE=shop_-1",
            "--env=MARIADB_USER=clerk",
            "--env=MARIADB_PASSWORD=other",
        ],
    );
    let root = "--password=it's a \\secret\\";
    let select = |user: &'static str, password: &'static str, question: &'static str| {
        [
            "mariadb",
            "--host=127.0.0.1",
            "--user",
            user,
            password,
            "-NBe",
            question,
        ]
    };
    assert_eq!(
        container.until(&select("root", root, "select 6 * 7")),
        "42\n"
    );
    for (user, password) in [
        ("root", "--skip-password"),
        ("", "--skip-password"),
        ("clerk", root),
    ] {
        let wrong = container.exec(&select(user, password, "select 1"));
        assert_ne!(wrong.code, Some(0), "{user} is let in: {}", wrong.stdout);
    }
    let table =
        "create table `shop_-1`.visit (page text); insert into `shop_-1`.visit values ('new')";
    container
        .exec(&select("clerk", "--password=other", table))
        .succeeds();
    // An underscore in the name of a database is that, and no pattern.
    container
        .exec(&select("root", root, "create database `shopx-1`"))
        .succeeds();
    let other = "create table `shopx-1`.visit (page text)";
    let other = container.exec(&select("clerk", "--password=other", other));
    assert_ne!(other.code, Some(0), "another database: {}", other.stdout);
    assert_eq!(container.stop(), "0", "{}", container.logs());

    container.again();
    let count = select(
        "clerk",
        "--password=other",
        "select count(*) from `shop_-1`.visit",
    );
    assert_eq!(container.until(&count), "1\n");
    let made = container.logs().matches("makes a new database").count();
    assert_eq!(made, 1, "{}", container.logs());

    drop(container);
    let open = start("mariadb", &["--env=MARIADB_ALLOW_EMPTY_ROOT_PASSWORD=1"]);
    let answer = select("root", "--skip-password", "select 6 * 7");
    assert_eq!(open.until(&answer), "42\n");
}

#[test]
fn tools_work() {
    assert!(prints("curl", &["--version"]).starts_with("curl "));
    assert!(prints("git", &["--version"]).starts_with("git version "));
    assert_eq!(
        prints("busybox", &["sh", "-c", "echo $((6 * 7)) $(id -u)"]),
        "42 65532\n"
    );
    let script = "for tool in curl dig file ip less lsof nc openssl ping ps strace vi; do command -v $tool || exit 1; done; id -u";
    let found = prints("debug", &["bash", "-c", script]);
    assert!(found.ends_with("/vi\n65532\n"), "{found}");
}

#[test]
fn debians_own_images_are_small() {
    let script = "date -d @0 +%H%Z; id -u; ls /usr/share/doc/tar; command -v apt";
    let minimal = confined_output(&source("minimal"), &[], &["sh", "-c", script]);
    assert_eq!(minimal.stdout, "01CET\n0\ncopyright\n");
    assert_eq!(minimal.code, Some(127), "there is no apt");
    let slim = prints(
        "slim",
        &[
            "sh",
            "-c",
            "ls /usr/share/doc/tar; command -v apt; date -d @0 +%H%Z",
        ],
    );
    assert_eq!(slim, "copyright\n/usr/bin/apt\n00UTC\n");
}

#[test]
fn time_zone_locale_and_authorities_are_options() {
    let folder = PLACE.join("out/recipe-options");
    std::fs::create_dir_all(&folder).expect("a folder");
    let pem = folder.join("office.pem").display().to_string();
    let key = folder.join("key").display().to_string();
    call(
        "openssl",
        &[
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &pem,
            "-days",
            "2",
            "-subj",
            "/CN=office",
        ],
    );
    let image = build(
        "options",
        r#"let recipe = import std/recipe; in
recipe.make {
  title = "Options";
  description = "Every option of a recipe";
  variant = "essential";
  packages = ["openssl"];
} {
  timezone = "America/New_York";
  locale = "de_DE.UTF-8";
  authorities = { office = ./office.pem; };
  files = { "/srv/office.pem" = ./office.pem; };
  config = { labels = { "org.opencontainers.image.title" = "Mine"; }; env = { A = "b"; }; };
}
"#,
    );
    let script = "date -d @0 '+%A %H %Z'; cat /etc/timezone; echo $LANG $A
        openssl verify -no-CApath -CAfile /etc/ssl/certs/ca-certificates.crt /srv/office.pem
        openssl verify -no-CAfile -CApath /etc/ssl/certs /srv/office.pem";
    let said = confined_output(&image, &[], &["sh", "-c", script]);
    assert_eq!(
        said.succeeds().stdout,
        "Mittwoch 19 EST\nAmerica/New_York\nde_DE.UTF-8 b\n/srv/office.pem: OK\n/srv/office.pem: OK\n"
    );
}

#[test]
fn wrong_options_are_refused() {
    let folder = PLACE.join("out/recipe-wrong");
    std::fs::create_dir_all(folder.join(".git")).expect("a folder");
    for (options, said) in [
        (
            "timezone = \"Europe/Nowhere\";",
            "/usr/share/zoneinfo/Europe/Nowhere is not there",
        ),
        (
            "timezone = \"UTC\"; effects = { tzdata = { files = { \"/etc/timezone\" = \"x\"; }; }; };",
            "say the effects of tzdata already",
        ),
    ] {
        let text = format!("let tools = import std/tools; in tools.curl {{ {options} }}\n");
        std::fs::write(folder.join("app.img"), text).expect("a file");
        let mut command = imgc_command();
        command.current_dir(&folder).args(["build", "app.img"]);
        run(&mut command).fails(1, &[said]);
    }
}

#[test]
fn a_program_in_rust_finds_its_libraries() {
    let folder = PLACE.join("out/recipe-program");
    std::fs::create_dir_all(&folder).expect("a folder");
    let program = "fn main() { println!(\"{:?}\", std::env::var(\"LANG\")); std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(1))).unwrap_err(); }";
    std::fs::write(folder.join("main.rs"), program).expect("a file");
    let binary = folder.join("program");
    let mut compiler = Command::new("rustc");
    compiler.arg("-o").arg(&binary).arg(folder.join("main.rs"));
    run(&mut compiler).succeeds();
    let image = build(
        "program",
        "let rust = import std/rust; in rust.app { files = { \"/usr/bin/app\" = ./program; }; }\n",
    );
    let said = confined_output(&image, &[], &[]);
    assert_eq!(said.succeeds().stdout, "Ok(\"C.UTF-8\")\n");
}
