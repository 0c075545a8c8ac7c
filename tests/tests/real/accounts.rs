//! Users, bits and capabilities: as Debian's own commands make them, and as the kernel takes
//! them in a container.

use std::path::{Path, PathBuf};
use std::process::Command;

use imgc_tests::fidelity::epoch_of_lock;

use crate::place::{PLACE, build, call, imgc_command, run};
use crate::podman::Container;

/// The packages of both images.
const PACKAGES: &str = r#"let debian = import std/debian; in
{
  bare = debian.image { packages = ["adduser", "passwd"]; };
  full = debian.image {
    packages = ["adduser", "passwd"];
    users = [
      {
        name = "ada"; uid = 1001; shell = "/bin/bash"; createHome = true; groups = ["audio", "www-data"];
        subuids = [{ start = 100_000; count = 65_536; }]; subgids = [{ start = 100_000; count = 65_536; }];
      },
      {
        name = "plain"; uid = 1002; shell = "/bin/sh"; home = "/home/plain";
        subuids = [{ start = 165_536; count = 65_536; }]; subgids = [{ start = 165_536; count = 65_536; }];
      },
      { name = "errands"; uid = 202; gid = 65_534; system = true; },
      { name = "queue"; uid = 203; system = true; home = "/var/lib/queue"; createHome = true; },
    ];
  };
}
"#;

/// What Debian's commands are asked for, to the same end.
const COMMANDS: [&str; 4] = [
    "useradd -u 1001 -m -s /bin/bash -G audio,www-data ada",
    "useradd -u 1002 -s /bin/sh plain",
    "adduser --quiet --system --uid 202 errands",
    "adduser --quiet --system --group --uid 203 --home /var/lib/queue queue",
];

const IMAGE: &str = r#"let debian = import std/debian; in
debian.image {
  name = "rights";
  users = [{ name = "ada"; uid = 1001; groups = ["audio", "www-data"]; createHome = true; }];
  files = {
    "/srv/drop" = directory { mode = 0o777; sticky = true; };
    "/srv/drop/roots" = "of root";
    "/srv/shared" = directory { mode = 0o770; setgid = true; group = "www-data"; };
    "/usr/local/bin/whose" = symlink "../../bin/id";
    "/usr/local/bin/nowhere" = symlink "/not/there";
  };
  attributes = {
    "/usr/bin/perl" = { capabilities = ["cap_net_bind_service"]; };
    "/usr/bin/id" = { setuid = true; };
    "/usr/bin/passwd" = { setuid = false; };
  };
  packages = ["passwd"];
  config = { user = "ada"; cmd = ["/bin/sleep", "600"]; };
}
"#;

/// Binds a port on loopback.
const BIND: &str = "use Socket; socket(S, PF_INET, SOCK_STREAM, 0) or die \"socket: $!\\n\"; \
    bind(S, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die \"bind: $!\\n\"; \
    listen(S, 1) or die \"listen: $!\\n\"; print \"it listens\\n\"";

/// A project of one file.
fn project(name: &str, text: &str) -> PathBuf {
    let folder = PLACE.join("out").join(name);
    std::fs::create_dir_all(folder.join(".git")).expect("a folder");
    let file = folder.join("app.img");
    std::fs::write(&file, text).expect("a file");
    file
}

#[track_caller]
fn imgc(args: &[&str]) -> String {
    run(imgc_command().args(args)).succeeds().stdout.clone()
}

/// The files of an image in a folder.
fn exported(file: &Path, name: &str) -> PathBuf {
    let folder = file.with_file_name(name);
    let (image, to) = (
        format!("{}#{name}", file.display()),
        format!("dir:{}", folder.display()),
    );
    imgc(&["export", &image, "-o", &to]);
    folder
}

#[test]
fn users_are_what_useradd_and_adduser_write() {
    let file = project("accounts-project", PACKAGES);
    let (theirs, ours) = (exported(&file, "bare"), exported(&file, "full"));
    let lock = std::fs::read_to_string(file.with_file_name("imgc.lock")).expect("a lock");
    let root = theirs.to_str().expect("a path in UTF-8");
    for command in COMMANDS {
        let mut chroot = Command::new("chroot");
        chroot
            .args([root, "sh", "-c", command])
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("SOURCE_DATE_EPOCH", epoch_of_lock(&lock).to_string());
        run(&mut chroot).succeeds();
    }
    for name in ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"] {
        let text = |root: &Path| {
            let path = root.join("etc").join(name);
            let owner = call("stat", &["-c", "%a %u:%g", path.to_str().expect("a path")]);
            owner + &std::fs::read_to_string(path).expect("a file")
        };
        assert_eq!(text(&ours), text(&theirs), "/etc/{name}");
    }
    let homes = |root: &Path| {
        let find = "find home var/lib/queue -printf '%p %y %m %U:%G %s\\n' | LC_ALL=C sort";
        // A folder's size is the file system's affair.
        let script = format!(
            "cd '{}' && {find} | sed '/ d /s/ [0-9]*$//'",
            root.display()
        );
        call("sh", &["-c", &script])
    };
    let there = homes(&theirs);
    assert!(
        there.contains("home/ada/.bashrc f 644 1001:1001"),
        "{there}"
    );
    assert_eq!(homes(&ours), there);
}

#[test]
fn a_user_may_what_the_image_says() {
    let file = project("rights-project", IMAGE);
    let layout = PLACE.join("out/rights.oci");
    build(&file, "amd64", &layout);
    let container = Container::start("rights", &layout);
    let shell = |script: &str| container.exec(&["sh", "-c", script]);
    let prints = |script: &str| shell(script).succeeds().stdout.clone();

    assert_eq!(prints("groups"), "ada audio www-data\n");
    assert_eq!(
        prints("stat -c '%U:%G %a' ~ && cd && touch x && echo ok"),
        "ada:ada 700\nok\n"
    );
    assert_eq!(
        prints("ls -A /etc/skel | sort"),
        prints("ls -A ~ | grep -v ^x$ | sort")
    );

    // A capability of the file, and of no copy.
    let bind = format!("perl -e '{BIND}' 80");
    assert_eq!(prints(&bind), "it listens\n");
    let copy = format!("cp /usr/bin/perl /tmp/perl && /tmp/perl -e '{BIND}'");
    let refused = shell(&format!("{copy} 80"));
    assert!(
        refused.stderr.contains("bind: Permission denied"),
        "{refused:?}"
    );
    assert_eq!(prints(&format!("{copy} 8080")), "it listens\n");

    // The program runs as its owner; the one that was told not to does not.
    assert_eq!(prints("id -u; id -ru; whose -u"), "0\n1001\n0\n");
    assert_eq!(
        prints("stat -c %a /usr/bin/passwd /usr/bin/chsh"),
        "755\n4755\n"
    );

    // In a sticky folder everybody may write, and nobody take away what is another's.
    assert_eq!(prints("stat -c %a /tmp /srv/drop"), "1777\n1777\n");
    assert_eq!(
        prints("echo mine > /tmp/a && echo mine > /srv/drop/a && cat /tmp/a"),
        "mine\n"
    );
    let removed = shell("rm -f /srv/drop/roots");
    assert!(
        removed.stderr.contains("Operation not permitted"),
        "{removed:?}"
    );
    assert_eq!(
        prints("touch /srv/shared/new && stat -c '%U:%G' /srv/shared/new"),
        "ada:www-data\n"
    );
    assert_eq!(prints("readlink /usr/local/bin/nowhere"), "/not/there\n");
}

#[test]
fn bits_and_capabilities_are_shown_and_carried() {
    let file = project("rights-look-project", IMAGE);
    let path = file.to_str().expect("a path in UTF-8");
    let long = imgc(&["ls", "-l", path, "/usr/bin"]);
    let line = |name: &str| {
        let found = long.lines().find(|line| line.contains(&format!(" {name}")));
        found.unwrap_or_else(|| panic!("{name} is not in\n{long}"))
    };
    assert!(
        line("perl ").ends_with("perl [cap_net_bind_service=ep]"),
        "{long}"
    );
    assert!(line("id").starts_with("-rwsr-xr-x"), "{long}");
    assert!(imgc(&["ls", "-l", path, "/srv"]).contains("drwxrwxrwt"));
    let json = imgc(&["ls", "--json", path, "/usr/bin/perl"]);
    assert!(
        json.contains("\"capabilities\": \"cap_net_bind_service=ep\""),
        "{json}"
    );

    let inspected = imgc(&["inspect", path]);
    for said in [
        "/usr/bin/id: setuid 0",
        "/usr/bin/perl: cap_net_bind_service=ep",
        "/usr/bin/chage: setgid 42",
    ] {
        assert!(inspected.contains(said), "{said} is not in\n{inspected}");
    }
    assert!(!inspected.contains("/usr/bin/passwd: "), "{inspected}");

    let archive = file.with_file_name("rights.tar");
    let archive = archive.to_str().expect("a path in UTF-8");
    imgc(&["export", path, "-o", &format!("tar:{archive}")]);
    let listed = call(
        "tar",
        &[
            "--xattrs",
            "--xattrs-include=*",
            "-tvvf",
            archive,
            "usr/bin/id",
        ],
    );
    assert!(listed.starts_with("-rwsr-xr-x"), "{listed}");
    let unpacked = file.with_file_name("unpacked");
    std::fs::create_dir_all(&unpacked).expect("a folder");
    let to = unpacked.to_str().expect("a path in UTF-8");
    let include = "--xattrs-include=security.capability";
    call(
        "tar",
        &["--xattrs", include, "-xpf", archive, "-C", to, "usr/bin"],
    );
    let program = unpacked.join("usr/bin/perl");
    let shown = call("getcap", &[program.to_str().expect("a path in UTF-8")]);
    assert!(shown.ends_with(" cap_net_bind_service=ep\n"), "{shown}");

    let other = IMAGE.replace("setuid = true", "group = \"audio\"");
    let other = project(
        "rights-other-project",
        &other.replace("[\"cap_net_bind_service\"]", "[]"),
    );
    let outcome = run(imgc_command().args(["diff", "--files", path]).arg(&other));
    for said in [
        "/usr/bin/perl  (capabilities)",
        "/usr/bin/id  (mode, owner)",
    ] {
        assert!(
            outcome.stdout.contains(said),
            "{said} is not in\n{outcome:?}"
        );
    }
}
