//! Software that people run, in images that nothing was executed for: servers, clients,
//! interpreters, and the tools that read what maintainer scripts left behind.
//!
//! One image has all of it, built once: what is tested is that each program finds what its
//! package's scripts make.

use std::path::Path;
use std::sync::LazyLock;

use crate::place::{Built, PLACE, build};
use crate::podman::Container;

const IMAGE: &str = r#"let debian = import std/debian; in
debian.image {
  name = "software";
  suite = "trixie";
  packages = [
    "apache2", "ca-certificates", "default-jre-headless", "git", "libapache2-mod-php", "locales",
    "nginx", "openssl", "postgresql-17", "python3-venv",
  ];
  # What is said here is not left to scripts: a locale that can be made, and the user and the
  # folders of a server whose clusters are made where it runs.
  effects = {
    locales = {
      files = {
        "/etc/default/locale" = "LANG=C.UTF-8\n";
        "/etc/locale.gen" = "de_DE.UTF-8 UTF-8\n";
      };
    };
    postgresql-common = {
      users = [{ name = "postgres"; uid = 970; home = "/var/lib/postgresql"; shell = "/bin/bash"; }];
      files = {
        "/run/postgresql" = directory { mode = 0o775; setgid = true; user = "postgres"; group = "postgres"; };
      };
      attributes = { "/var/lib/postgresql" = { user = "postgres"; group = "postgres"; }; };
    };
    "postgresql-17" = {
      files = { "/var/log/postgresql" = directory { mode = 0o775; sticky = true; group = "postgres"; }; };
    };
  };
  files = {
    "/var/www/html/sum.php" = "<?php echo 'six times seven is ' . 6 * 7 . ', ' . PHP_SAPI . \"\\n\";";
  };
}
"#;

static SOFTWARE: LazyLock<Built> = LazyLock::new(|| {
    let project = PLACE.join("out/software-project");
    std::fs::create_dir_all(project.join(".git")).expect("a folder");
    let file = project.join("app.img");
    std::fs::write(&file, IMAGE).expect("a file");
    build(&file, "amd64", &PLACE.join("out/software.oci"))
});

/// A container of it in which nothing runs yet.
fn idle(name: &str) -> Container {
    container(name, &["sleep", "600"])
}

fn container(name: &str, command: &[&str]) -> Container {
    let layout: &Path = &SOFTWARE.layout;
    Container::start_with(name, layout, command)
}

/// What a shell script in it prints. It has to go well.
#[track_caller]
fn shell(container: &Container, script: &str) -> String {
    let outcome = container.exec(&["sh", "-euc", script]);
    assert_eq!(
        outcome.code,
        Some(0),
        "{script}\n{}{}",
        outcome.stdout,
        outcome.stderr
    );
    outcome.stdout
}

#[test]
fn nginx_serves() {
    let nginx = container("nginx", &["nginx", "-g", "daemon off;"]);
    let answer = nginx.get(80, "/");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.contains("Server: nginx"), "{answer}");
    assert!(nginx.get(80, "/nothing").starts_with("HTTP/1.1 404"));
    // Its workers are those that its configuration names.
    let users = shell(
        &nginx,
        "stat -c %U /proc/[0-9]*/exe | sort -u | tr '\\n' ' '",
    );
    assert!(users.contains("www-data"), "{users}");
}

#[test]
fn apache_serves_php() {
    let apache = container("apache", &["apachectl", "-D", "FOREGROUND"]);
    let answer = apache.get(80, "/sum.php");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(
        answer.ends_with("six times seven is 42, apache2handler\n"),
        "{answer}"
    );
    let modules = shell(&apache, "a2query -m");
    for module in [
        "php8.4 (enabled by maintainer script)",
        "mpm_prefork (enabled by ",
    ] {
        assert!(modules.contains(module), "{modules}");
    }
    assert!(shell(&apache, "a2query -s").contains("000-default (enabled by "));
    // The same interpreter on the command line, with the same modules switched on.
    let php = shell(
        &apache,
        "php -r 'echo json_encode([PHP_SAPI, extension_loaded(\"readline\")]);'",
    );
    assert_eq!(php, "[\"cli\",true]");
}

#[test]
fn postgresqls_client_connects_to_its_server() {
    let container = idle("postgresql");
    // A cluster has secrets: an image has none, and who starts it makes it.
    assert_eq!(shell(&container, "ls -A /var/lib/postgresql"), "");
    shell(
        &container,
        "su postgres -c '/usr/lib/postgresql/17/bin/initdb -D /var/lib/postgresql/data -A trust' >/dev/null
         su postgres -c '/usr/lib/postgresql/17/bin/pg_ctl -D /var/lib/postgresql/data -w -l /tmp/log start' >/dev/null",
    );
    // `psql` is Debian's wrapper, which looks for a client of the right version.
    let answer = shell(
        &container,
        "psql -h 127.0.0.1 -U postgres -Atc 'select 6 * 7, current_user'",
    );
    assert_eq!(answer, "42|postgres\n");
    let answer = shell(
        &container,
        "su postgres -c \"psql -Atc 'show unix_socket_directories'\"",
    );
    assert_eq!(
        answer, "/var/run/postgresql\n",
        "the folder of its socket is there, and its own"
    );
}

#[test]
fn python_makes_an_environment() {
    let container = idle("venv");
    shell(&container, "python3 -m venv /tmp/venv");
    let script = "import sys; print(sys.prefix, sys.base_prefix)";
    let python = container.exec(&["/tmp/venv/bin/python", "-c", script]);
    assert_eq!(python.succeeds().stdout, "/tmp/venv /usr\n");
    let pip = container.exec(&["/tmp/venv/bin/pip", "--version"]);
    let said = &pip.succeeds().stdout;
    assert!(
        said.contains("/tmp/venv/lib/python3.13/site-packages/pip"),
        "{said}"
    );
}

#[test]
fn java_runs() {
    let container = idle("java");
    let version = container.exec(&["java", "-version"]);
    let said = &version.succeeds().stderr;
    assert!(said.starts_with("openjdk version \"21"), "{said}");
    // `java` is an alternative, and so is every program beside it.
    let display = shell(&container, "update-alternatives --display java");
    assert!(display.starts_with("java - auto mode\n"), "{display}");
    let best = "link currently points to /usr/lib/jvm/java-21-openjdk-amd64/bin/java\n";
    assert!(
        display.contains(best) && display.contains("link java is /usr/bin/java\n"),
        "{display}"
    );
    let settings = container.exec(&["java", "-XshowSettings:properties", "-version"]);
    let said = &settings.succeeds().stderr;
    assert!(
        said.contains("java.home = /usr/lib/jvm/java-21-openjdk-amd64\n"),
        "{said}"
    );
}

#[test]
fn alternatives_are_as_their_packages_asked() {
    let container = idle("alternatives");
    for (name, value, slave) in [
        ("awk", "/usr/bin/mawk", "slave nawk is /usr/bin/nawk"),
        ("editor", "", ""),
        (
            "pager",
            "/bin/more",
            "slave pager.1.gz is /usr/share/man/man1/pager.1.gz",
        ),
        (
            "php",
            "/usr/bin/php8.4",
            "slave php.1.gz is /usr/share/man/man1/php.1.gz",
        ),
        (
            "psql.1.gz",
            "/usr/share/postgresql/17/man/man1/psql.1.gz",
            "link psql.1.gz is",
        ),
    ] {
        let display = container.exec(&["update-alternatives", "--display", name]);
        if value.is_empty() {
            assert_ne!(display.code, Some(0), "nothing in it is an {name}");
            continue;
        }
        let display = &display.succeeds().stdout;
        let now = format!("link currently points to {value}\n");
        assert!(
            display.contains(&now) && display.contains(slave),
            "{display}"
        );
    }
    // Nothing is broken: the tool finds nothing to mend.
    let mended = shell(
        &container,
        "for n in $(update-alternatives --get-selections | cut -d' ' -f1); do update-alternatives --auto $n; done 2>&1",
    );
    assert_eq!(mended, "");
}

#[test]
fn the_locale_is_known() {
    let container = idle("locale");
    let locale = shell(
        &container,
        "LC_ALL=C.UTF-8 locale 2>&1; LC_ALL=C.UTF-8 locale charmap; locale -a",
    );
    assert!(locale.contains("LC_CTYPE=\"C.UTF-8\"\n"), "{locale}");
    assert!(
        locale.contains("\nUTF-8\n") && locale.contains("\nC.utf8\n"),
        "{locale}"
    );
    assert!(!locale.contains("Cannot set"), "{locale}");
    // What the package is for can be done where the image runs.
    shell(&container, "locale-gen");
    let date = shell(&container, "LC_ALL=de_DE.UTF-8 date -u -d @0 +%A");
    assert_eq!(date, "Donnerstag\n");
}

#[test]
fn git_clones() {
    let container = idle("git");
    let said = shell(
        &container,
        "export HOME=/tmp
         git config --global user.name A; git config --global user.email a@mail.example
         git init -q -b main /tmp/one; cd /tmp/one; echo hello >file; git add file
         git commit -q -m first
         git clone -q /tmp/one /tmp/two; cd /tmp/two
         cat file; git log --format='%an %s'; git fsck --strict; git gc -q",
    );
    assert_eq!(said, "hello\nA first\n");
}

#[test]
fn openssl_trusts_the_bundle() {
    let container = idle("openssl");
    // What the scripts made: a bundle, and a link by the hash of each certificate.
    let bundle = shell(
        &container,
        "grep -c BEGIN /etc/ssl/certs/ca-certificates.crt
         find /etc/ssl/certs -type l -name '*.0' | wc -l
         find /etc/ssl/certs -xtype l | wc -l
         openssl verify -no-CAfile -CApath /etc/ssl/certs /usr/share/ca-certificates/mozilla/ISRG_Root_X1.crt",
    );
    let lines: Vec<&str> = bundle.lines().collect();
    let count = |at: usize| lines[at].parse::<usize>().expect("a number");
    assert!(
        count(0) > 100 && count(1) > 100 && count(2) == 0,
        "{bundle}"
    );
    assert!(lines[3].ends_with("ISRG_Root_X1.crt: OK"), "{bundle}");
    // A server whose certificate is of an authority of its own.
    shell(
        &container,
        "cd /tmp
         openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=authority 2>/dev/null
         openssl req -newkey rsa:2048 -nodes -keyout key -out csr -subj /CN=localhost 2>/dev/null
         openssl x509 -req -in csr -CA ca.crt -CAkey ca.key -out crt -days 2 2>/dev/null
         openssl s_server -accept 4433 -key key -cert crt -www >/dev/null 2>&1 &
         for i in $(seq 50); do openssl s_client -connect localhost:4433 </dev/null >/dev/null 2>&1 && exit; sleep 0.1; done; exit 1",
    );
    let connect = "echo | openssl s_client -connect localhost:4433 -verify_return_error -verify_hostname localhost 2>&1";
    let refused = container.exec(&["sh", "-c", connect]);
    assert_ne!(
        refused.code,
        Some(0),
        "nobody vouches for it yet: {}",
        refused.stdout
    );
    assert!(
        refused
            .stdout
            .contains("unable to get local issuer certificate"),
        "{}",
        refused.stdout
    );
    // The authority is added as on any Debian.
    let added = shell(
        &container,
        "cp /tmp/ca.crt /usr/local/share/ca-certificates/; update-ca-certificates 2>&1",
    );
    assert!(added.contains("1 added, 0 removed"), "{added}");
    let said = shell(&container, connect);
    assert!(said.contains("Verify return code: 0 (ok)"), "{said}");
}
