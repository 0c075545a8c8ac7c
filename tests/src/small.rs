//! Small packages by one line each, with bytes that do not compress, and always the same
//! for the same line.

use crate::archive::{Archive, Suite, sum};
use crate::deb::Deb;
use crate::sandbox::Sandbox;

/// What stands in the script of a package that nobody can interpret.
const UNKNOWN: &str = "#!/bin/sh\nset -e\nfrobnicate --all\n";

/// What stands in a script that everybody can.
const KNOWN: &str = "#!/bin/sh\nset -e\nmkdir -p /var/lib/scripted\n\
     echo \"$DPKG_MAINTSCRIPT_PACKAGE $2\" >/var/lib/scripted/state\n";

/// What stands in the script of a package that changes its own file.
const MEDDLING: &str = "#!/bin/sh\nset -e\n\
     echo more >>/usr/share/\"$DPKG_MAINTSCRIPT_PACKAGE\"/data\n";

/// The package of a line:
/// `NAME VERSION [bytes=N] [needs=NAME] [script=known|meddling|unknown]`.
///
/// # Panics
/// Where the line is another.
pub fn package(line: &str) -> Deb {
    let mut words = line.split_whitespace();
    let name = words.next().expect("a name");
    let version = words.next().expect("a version");
    let mut deb = Deb::new(name, version, "all");
    let mut bytes = 200;
    for word in words {
        deb = match word.split_once('=') {
            Some(("bytes", number)) => {
                bytes = number.parse().expect("a number of bytes");
                deb
            }
            Some(("needs", other)) => deb.field("Depends", other),
            Some(("script", "known")) => deb.control("postinst", KNOWN, 0o755),
            Some(("script", "meddling")) => deb.control("postinst", MEDDLING, 0o755),
            Some(("script", "unknown")) => deb.control("postinst", UNKNOWN, 0o755),
            _ => panic!("`{word}` says nothing about a package"),
        };
    }
    let path = format!("usr/share/{name}/data");
    let text = noise(&format!("{name} {version}"), bytes);
    deb.file(&path, 0o644, text)
}

/// So many digits that come of `seed`.
fn noise(seed: &str, bytes: usize) -> String {
    let mut text = seed.to_owned();
    let mut last = sum(seed.as_bytes());
    while text.len() < bytes {
        text.push_str(&last);
        last = sum(last.as_bytes());
    }
    text.truncate(bytes.max(seed.len()));
    text
}

/// Puts packages in the place of those that the archive has, on a day of a month that
/// begins with a Saturday.
pub fn publish(sandbox: &Sandbox, packages: &[Deb], day: usize) {
    let week = ["Fri", "Sat", "Sun", "Mon", "Tue", "Wed", "Thu"];
    let date = format!("{}, {day:02} Nov 2025 10:00:00 UTC", week[day % 7]);
    let suite = Suite {
        name: "trixie",
        label: "Debian",
    };
    let mut archive = Archive::default();
    archive.add_suite(&sandbox.key, suite, packages, &date);
    for (path, bytes) in archive.files() {
        sandbox.server.put(&format!("debian/{path}"), bytes.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_always_the_same_package() {
        let line = "hello 1.0 bytes=5000 needs=libhello script=known";
        let (one, two) = (package(line), package(line));
        assert_eq!(one.build(), two.build());
        assert!(one.build().len() > 2000, "its bytes do not compress");
        assert!(one.paragraph().contains("Depends: libhello"));
        assert_ne!(package("hello 1.1 bytes=5000").build(), one.build());
    }
}
