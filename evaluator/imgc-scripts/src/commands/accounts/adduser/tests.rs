//! What adduser leaves behind, as both of Debian's versions do.

use crate::Machine;
use crate::testing::machine;

fn prepared(codename: &str) -> Machine<'static> {
    let mut m = machine();
    match codename {
        "bookworm" => m.put("/usr/sbin/groupmems", "", 0o755),
        _ => m.put("/usr/share/perl5/Debian/AdduserRetvalues.pm", "", 0o644),
    }
    m.put(
        "/etc/login.defs",
        "UID_MIN 1000\nUID_MAX 60000\nPASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\nUSERGROUPS_ENAB yes\n",
        0o644,
    );
    m.put(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/sh\n",
        0o644,
    );
    m.put(
        "/etc/group",
        "root:x:0:\nshadow:x:42:\nusers:x:100:\nnogroup:x:65534:\n",
        0o644,
    );
    m.put("/etc/shadow", "root:*:20412:0:99999:7:::\n", 0o640);
    m.put(
        "/etc/gshadow",
        "root:*::\nshadow:*::\nusers:*::\nnogroup:*::\n",
        0o640,
    );
    m.put("/etc/subuid", "", 0o644);
    m.put("/etc/subgid", "", 0o644);
    m.put("/etc/skel/.profile", "p\n", 0o644);
    m.put("/etc/skel/.profile.dpkg-old", "p\n", 0o644);
    m.put("/usr/sbin/adduser", "#!/usr/bin/perl\n", 0o755);
    m.files.symlink(b"adduser", b"/usr/sbin/addgroup").unwrap();
    m
}

#[test]
fn system_users_count_up_from_100() {
    let mut m = prepared("trixie");
    let args = [
        "adduser",
        "--system",
        "--home",
        "/run/sshd",
        "--no-create-home",
        "sshd",
    ];
    assert_eq!(m.run(&args).status, 0);
    let args = [
        "adduser",
        "--system",
        "--group",
        "--gecos",
        "A, B",
        "--home",
        "/var/lib/a",
        "a",
    ];
    assert_eq!(m.run(&args).status, 0);
    assert_eq!(
        m.text("/etc/passwd"),
        "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/sh\n\
         sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n\
         a:x:101:101:A, B:/var/lib/a:/usr/sbin/nologin\n"
    );
    assert!(
        m.text("/etc/shadow")
            .ends_with("\nsshd:!:20412::::::\na:!:20412::::::\n")
    );
    assert!(m.text("/etc/group").ends_with("\na:x:101:\n"));
    assert!(m.text("/etc/gshadow").ends_with("\na:!::\n"));
    let home = m.files.stat(b"/var/lib/a", true).unwrap();
    assert_eq!((home.mode, home.uid, home.gid), (0o755, 101, 101));
    assert!(!m.files.exists(b"/var/lib/a/.profile"));
    assert_eq!(m.run(&args).status, 0);
    assert_eq!(m.run(&["adduser", "--system", "root"]).status, 13);
}

#[test]
fn comments_have_parts_in_the_old_version() {
    let mut m = prepared("bookworm");
    let args = [
        "adduser",
        "--system",
        "--quiet",
        "--gecos",
        "The Server",
        "s",
    ];
    assert_eq!(m.run(&args).out, "");
    assert!(
        m.text("/etc/passwd")
            .ends_with("s:x:100:65534:The Server,,,:/nonexistent:/usr/sbin/nologin\n")
    );
    assert_eq!(m.run(&["adduser", "--system", "root"]).status, 1);
}

#[test]
fn groups() {
    let mut m = prepared("trixie");
    assert_eq!(
        m.run(&["addgroup", "--system", "--quiet", "--force-badname", "_ssh"])
            .status,
        0
    );
    assert_eq!(m.run(&["addgroup", "--system", "_ssh"]).status, 0);
    assert_eq!(m.run(&["addgroup", "people"]).status, 0);
    assert_eq!(m.run(&["addgroup", "people"]).status, 11);
    assert_eq!(m.run(&["addgroup", "--gid", "42", "x"]).status, 21);
    assert_eq!(m.run(&["adduser", "root", "people"]).status, 0);
    assert_eq!(m.run(&["adduser", "root", "nope"]).status, 12);
    assert!(
        m.text("/etc/group")
            .ends_with("\n_ssh:x:101:\npeople:x:1000:root\n")
    );
    assert_eq!(m.run(&["addgroup", "--system", "A b"]).status, 31);
}

#[test]
fn people_have_a_home_and_join_users() {
    let mut m = prepared("trixie");
    let args = ["adduser", "--disabled-password", "--gecos", "", "u"];
    assert_eq!(m.run(&args).status, 0);
    assert!(
        m.text("/etc/passwd")
            .ends_with("\nu:x:1000:1000::/home/u:/bin/bash\n")
    );
    assert!(m.text("/etc/group").contains("users:x:100:u\n"));
    assert_eq!(m.text("/etc/subuid"), "u:100000:65536\n");
    let home = m.files.stat(b"/home/u", true).unwrap();
    assert_eq!((home.mode, home.uid, home.gid), (0o700, 1000, 1000));
    let names = m.files.list(b"/home/u").unwrap();
    assert_eq!(names, [".profile"]);
    m.run_with(&["adduser", "v"], "").unwrap_err();
}
