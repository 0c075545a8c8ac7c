//! Lines as packages have them.

use crate::Machine;
use crate::testing::machine;

fn ran(lines: &str, args: &[&str]) -> (Machine<'static>, u8) {
    let mut m = machine();
    m.put("/usr/bin/systemd-tmpfiles", "\u{7f}ELF", 0o755);
    m.put(
        "/etc/passwd",
        "root:x:0:0::/root:/bin/sh\nu:x:7:8::/:/bin/sh\n",
        0o644,
    );
    m.put("/etc/group", "root:x:0:\ng:x:9:\n", 0o644);
    m.put("/usr/lib/tmpfiles.d/x.conf", lines, 0o644);
    let status = m
        .run(&[&["systemd-tmpfiles", "--create", "x.conf"], args].concat())
        .status;
    (m, status)
}

#[test]
fn folders_files_and_links() {
    let (mut m, status) = ran(
        "d /var/lib/a/b 0750 u g 10d -\nd /var/lib/a 0700\nf /etc/f - - - - two words\\nline\n\
         L /etc/l - - - - ../x\nL+ /etc/tmp - - - - y\nL+ /tmp - - - - z\nd! /boot-only\n\
         f^ /etc/secret - - - - s\nd /var/lib/%m\nL? /etc/no - - - - /nowhere\n",
        &[],
    );
    assert_eq!(status, 0);
    let stat = |m: &Machine<'_>, path: &str| {
        let stat = m.files.stat(path.as_bytes(), false).unwrap();
        (stat.mode, stat.uid, stat.gid)
    };
    assert_eq!(stat(&m, "/var/lib/a"), (0o700, 0, 0));
    assert_eq!(stat(&m, "/var/lib/a/b"), (0o750, 7, 9));
    assert_eq!(stat(&m, "/etc/f"), (0o644, 0, 0));
    assert_eq!(m.text("/etc/f"), "two words\nline");
    assert_eq!(m.files.read_link(b"/etc/l").unwrap(), "../x");
    assert_eq!(m.files.read_link(b"/tmp").unwrap(), "z");
    for path in ["/boot-only", "/etc/secret", "/var/lib/%m", "/etc/no"] {
        assert!(m.files.lnode(path.as_bytes()).is_none(), "{path}");
    }
}

#[test]
fn what_is_there_is_adjusted() {
    let mut m = machine();
    m.put("/usr/bin/systemd-tmpfiles", "\u{7f}ELF", 0o755);
    m.put(
        "/etc/passwd",
        "root:x:0:0::/root:/bin/sh\nu:x:7:8::/:/bin/sh\n",
        0o644,
    );
    m.put("/srv/x/f", "abc", 0o600);
    m.put("/srv/x/g", "abc", 0o600);
    m.put(
        "/etc/tmpfiles.d/x.conf",
        "d /srv/x 0711 u -\nz /srv/*/f 0640 u -\nw+ /srv/x/f - - - - def\nd /srv/y :0700 :u\nf /srv/x/g :0644 - - - new\n\
         Z /srv/z ~2750\nC /srv/c - - - - /srv/x\n",
        0o644,
    );
    m.put("/srv/y/k", "", 0o644);
    m.put("/srv/z/plain", "", 0o644);
    // A file of root in another's folder is not trusted.
    assert_eq!(
        m.run(&["systemd-tmpfiles", "--create", "x.conf"]).status,
        73
    );
    let stat = |path: &str| {
        let stat = m.files.stat(path.as_bytes(), false).unwrap();
        (stat.mode, stat.uid)
    };
    assert_eq!(stat("/srv/x"), (0o711, 7));
    assert_eq!(stat("/srv/x/f"), (0o600, 0));
    assert_eq!(stat("/srv/x/g"), (0o600, 0));
    assert_eq!(stat("/srv/y"), (0o755, 0));
    assert_eq!(stat("/srv/z"), (0o2750, 0));
    assert_eq!(stat("/srv/z/plain"), (0o640, 0));
    assert_eq!(stat("/srv/c/f"), (0o600, 0));
    assert_eq!(m.text("/srv/x/f"), "abcdef");
    assert_eq!(m.text("/srv/x/g"), "abc");
}

#[test]
fn wrong_lines_have_a_status() {
    assert_eq!(ran("d /a 0755 nobody -\n", &[]).1, 65);
    assert_eq!(ran("Y /a\n", &[]).1, 65);
    assert_eq!(ran("d /etc/passwd\n", &[]).1, 0);
    let (m, status) = ran("d /a\nd /b\n", &["--prefix=/b"]);
    assert_eq!(status, 0);
    assert!(!m.files.exists(b"/a"));
    assert!(m.files.exists(b"/b"));
}
