//! Two profiles, as libpam-runtime and a package after it install them.

use crate::Machine;
use crate::testing::machine;

const UNIX: &str = "Name: Unix authentication\nDefault: yes\nPriority: 256\nAuth-Type: Primary\nAuth:\n\
    \t[success=end default=ignore]\tpam_unix.so nullok try_first_pass\nAuth-Initial:\n\
    \t[success=end default=ignore]\tpam_unix.so nullok\nSession-Type: Additional\nSession:\n\
    \trequired\tpam_unix.so\n";
const SYSTEMD: &str = "Name: Sessions\nDefault: yes\nPriority: 0\nSession-Interactive-Only: yes\n\
    Session-Type: Additional\nSession:\n\toptional\tpam_systemd.so\n";

fn prepared() -> Machine<'static> {
    let mut m = machine();
    m.put("/usr/sbin/pam-auth-update", "#!/usr/bin/perl -w\n", 0o755);
    m.put("/usr/share/pam-configs/unix", UNIX, 0o644);
    let text = |kind: &str| {
        format!(
            "# {kind}\n# here are the per-package modules (the \"Primary\" block)\n$x\n\
             # here's the fallback if no module succeeds\n{kind}\trequisite\tpam_deny.so\n\
             # and here are more per-package modules (the \"Additional\" block)\n$y\n\
             # end of pam-auth-update config\n"
        )
    };
    for kind in ["auth", "account", "password", "session"] {
        m.put(&format!("/usr/share/pam/common-{kind}"), &text(kind), 0o644);
    }
    m.put(
        "/usr/share/pam/common-session-noninteractive",
        &text("session"),
        0o644,
    );
    m.put("/etc/pam.d/other", "", 0o644);
    m.put("/var/lib/pam/x", "", 0o644);
    let mut templates = String::new();
    for (name, kind) in [
        (
            "profiles",
            "multiselect\nChoices-C: ${profile_names}\nChoices: ${profiles}",
        ),
        ("conflicts", "error"),
        ("override", "boolean\nDefault: false"),
        ("no_profiles_chosen", "error"),
        ("title", "title"),
    ] {
        templates += &format!("Template: libpam-runtime/{name}\nType: {kind}\nDescription: d\n\n");
    }
    m.put(
        "/var/lib/dpkg/info/libpam-runtime.templates",
        &templates,
        0o644,
    );
    m
}

#[test]
fn the_first_time_it_must_be_forced() {
    let mut m = prepared();
    assert_eq!(m.run(&["pam-auth-update", "--package"]).status, 0);
    assert!(!m.files.exists(b"/etc/pam.d/common-auth"));
    assert_eq!(
        m.run(&["pam-auth-update", "--root", "", "--package", "--force"])
            .status,
        0
    );
    let auth = m.text("/etc/pam.d/common-auth");
    assert!(auth.contains(
        "block)\nauth\t[success=1 default=ignore]\tpam_unix.so nullok\n# here's the fallback"
    ));
    let account = m.text("/etc/pam.d/common-account");
    assert!(account.contains("block)\naccount\t[default=1]\t\t\tpam_permit.so\n# here's"));
    let session = m.text("/etc/pam.d/common-session");
    assert!(session.contains("block)\nsession\trequired\tpam_unix.so \n# end of"));
    assert_eq!(m.text("/var/lib/pam/seen"), "unix\n");
    assert_eq!(
        m.text("/var/lib/pam/session"),
        "Module: null\n[default=1]\t\t\tpam_permit.so\nModule: unix\nrequired\tpam_unix.so\n"
    );
    assert_eq!(
        m.text("/var/lib/pam/auth"),
        "Module: unix\n[success=end default=ignore]\tpam_unix.so nullok\n"
    );
}

#[test]
fn another_profile_joins_and_leaves() {
    let mut m = prepared();
    m.run(&["pam-auth-update", "--package", "--force"]);
    let before = m.text("/etc/pam.d/common-session");
    m.put("/usr/share/pam-configs/systemd", SYSTEMD, 0o644);
    assert_eq!(m.run(&["pam-auth-update", "--package"]).status, 0);
    let session = m.text("/etc/pam.d/common-session");
    assert!(
        session
            .contains("session\trequired\tpam_unix.so \nsession\toptional\tpam_systemd.so \n# end")
    );
    assert!(
        !m.text("/etc/pam.d/common-session-noninteractive")
            .contains("systemd")
    );
    assert_eq!(m.text("/var/lib/pam/seen"), "unix\nsystemd\n");
    // A person's option stays.
    let changed = session.replace("pam_systemd.so ", "pam_systemd.so debug");
    m.put("/etc/pam.d/common-session", &changed, 0o644);
    assert_eq!(m.run(&["pam-auth-update", "--package"]).status, 0);
    assert!(
        m.text("/etc/pam.d/common-session")
            .contains("pam_systemd.so debug\n")
    );
    assert_eq!(m.run(&["pam-auth-update", "--remove", "systemd"]).status, 0);
    assert_eq!(m.text("/etc/pam.d/common-session"), before);
}
