//! A Debian archive in memory: pool, indices and signed releases.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use sha2::{Digest as _, Sha256};

use crate::deb::{Deb, xz};
use crate::key::Key;

/// The architectures that it has.
const ARCHES: [&str; 2] = ["amd64", "arm64"];

/// The moment of its releases.
const DATE: &str = "Sat, 01 Nov 2025 08:00:00 UTC";

/// A script that makes a folder, and a file that says how dpkg called it.
const POSTINST: &str = "\
#!/bin/sh
set -e
mkdir -p /var/lib/scripted
if [ \"$1\" = configure ]; then
    echo \"$DPKG_MAINTSCRIPT_PACKAGE $1\" >/var/lib/scripted/state
    chmod 0640 /var/lib/scripted/state
fi
";

/// A script that calls the program of its package, which nobody knows.
const UNKNOWN: &str = "\
#!/bin/sh
set -e
case \"$1\" in
    configure) frobnicate --into \"/var/lib/$DPKG_MAINTSCRIPT_PACKAGE\" 2>/dev/null || true ;;
esac
";

/// An archive: its files by path (`dists/…`, `pool/…`).
#[derive(Debug, Clone, Default)]
pub struct Archive {
    files: BTreeMap<String, Vec<u8>>,
}

/// What a suite says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Suite<'a> {
    /// The folder below `dists`: `trixie`, `trixie-updates`.
    pub name: &'a str,
    /// The `Label`: `Debian`, `Debian-Security`.
    pub label: &'a str,
}

impl Archive {
    /// An archive of one suite with `packages` for both architectures.
    pub fn new(key: &Key, suite: Suite<'_>, packages: &[Deb]) -> Self {
        let mut archive = Self::default();
        archive.add_suite(key, suite, packages, DATE);
        archive
    }

    /// Adds a suite, or replaces one.
    pub fn add_suite(&mut self, key: &Key, suite: Suite<'_>, packages: &[Deb], date: &str) {
        self.add_suite_for(key, suite, packages, date, &ARCHES);
    }

    /// The same for these architectures.
    pub fn add_suite_for(
        &mut self,
        key: &Key,
        suite: Suite<'_>,
        packages: &[Deb],
        date: &str,
        arches: &[&str],
    ) {
        let mut sums = Vec::new();
        for arch in arches {
            let mut index = String::new();
            for deb in packages
                .iter()
                .filter(|deb| deb.arch == *arch || deb.arch == "all")
            {
                index.push_str(&self.add_package(deb));
                index.push('\n');
            }
            let folder = format!("main/binary-{arch}");
            let packed = xz(index.as_bytes());
            sums.push((
                format!("{folder}/Packages"),
                sum(index.as_bytes()),
                index.len(),
            ));
            sums.push((format!("{folder}/Packages.xz"), sum(&packed), packed.len()));
            self.add_contents(suite.name, arch, packages, &mut sums);
            let dist = format!("dists/{}/{folder}", suite.name);
            let by_hash = format!("{dist}/by-hash/SHA256/{}", sum(&packed));
            self.files.insert(by_hash, packed.clone());
            self.files.insert(format!("{dist}/Packages.xz"), packed);
        }
        self.sign(key, suite, date, arches, &sums);
    }

    /// Adds a suite whose packages stand elsewhere: its indices, by their paths below the
    /// suite.
    pub fn add_indices(
        &mut self,
        key: &Key,
        suite: Suite<'_>,
        date: &str,
        arches: &[&str],
        indices: &[(String, Vec<u8>)],
    ) {
        let mut sums = Vec::new();
        for (path, bytes) in indices {
            sums.push((path.clone(), sum(bytes), bytes.len()));
            self.files
                .insert(format!("dists/{}/{path}", suite.name), bytes.clone());
        }
        self.sign(key, suite, date, arches, &sums);
    }

    fn sign(
        &mut self,
        key: &Key,
        suite: Suite<'_>,
        date: &str,
        arches: &[&str],
        sums: &[(String, String, usize)],
    ) {
        let release = release(suite, date, arches, sums);
        let path = format!("dists/{}/InRelease", suite.name);
        self.files
            .insert(path, key.clear_sign(&release).into_bytes());
    }

    /// Adds the index of which files packages have.
    fn add_contents(
        &mut self,
        suite: &str,
        arch: &str,
        packages: &[Deb],
        sums: &mut Vec<(String, String, usize)>,
    ) {
        let of = packages
            .iter()
            .filter(|deb| deb.arch == arch || deb.arch == "all");
        let lines = of.flat_map(|deb| {
            deb.paths()
                .map(|path| format!("{path} misc/{}\n", deb.name))
        });
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(lines.concat().as_bytes()).expect("written");
        let packed = gzip.finish().expect("a stream");
        let path = format!("main/Contents-{arch}.gz");
        sums.push((path.clone(), sum(&packed), packed.len()));
        let by_hash = format!("dists/{suite}/main/by-hash/SHA256/{}", sum(&packed));
        self.files.insert(by_hash, packed.clone());
        self.files.insert(format!("dists/{suite}/{path}"), packed);
    }

    /// Adds a package to the pool and gives its paragraph for an index.
    fn add_package(&mut self, deb: &Deb) -> String {
        let bytes = deb.build();
        let initial = &deb.name[..1];
        let path = format!("pool/main/{initial}/{}/{}", deb.name, deb.file_name());
        let mut text = deb.paragraph();
        write!(
            text,
            "Filename: {path}\nSize: {}\nSHA256: {}\n",
            bytes.len(),
            sum(&bytes)
        )
        .expect("a string takes any text");
        self.files.insert(path, bytes);
        text
    }

    /// The files, by path.
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }
}

/// SHA-256 in hexadecimal digits.
pub fn sum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

fn release(
    suite: Suite<'_>,
    date: &str,
    arches: &[&str],
    sums: &[(String, String, usize)],
) -> String {
    let Suite { name, label } = suite;
    let arches = arches.join(" ");
    let mut text = format!(
        "Origin: Debian\nLabel: {label}\nSuite: {name}\nVersion: 13\nCodename: {name}\nDate: {date}\n\
         Acquire-By-Hash: yes\nArchitectures: all {arches}\nComponents: main\n\
         Description: A small archive for tests\nSHA256:\n"
    );
    for (path, sum, size) in sums {
        writeln!(text, " {sum} {size:>8} {path}").expect("a string takes any text");
    }
    text
}

/// Packages like Debian's in small: two essential ones, a program with a library,
/// one with a maintainer script, one whose script nobody can interpret, one for each
/// architecture.
pub fn packages() -> Vec<Deb> {
    let mut debs = vec![
        Deb::new("base-passwd", "3.6.7", "all")
            .field("Essential", "yes")
            .field("Priority", "required")
            .file(
                "usr/share/base-passwd/passwd.master",
                0o644,
                "root:*:0:0:root:/root:/bin/bash\nnobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
            )
            .file(
                "usr/share/base-passwd/group.master",
                0o644,
                "root:*:0:\nstaff:*:50:\nnogroup:*:65534:\n",
            ),
        Deb::new("noise", "1:2.0-1", "all")
            .file("usr/share/doc/noise/copyright", 0o644, "MIT\n")
            .file("etc/noise.conf", 0o644, "loud = no\n")
            .control("conffiles", "/etc/noise.conf\n", 0o644),
        Deb::new("scripted", "0.1", "all")
            .file("usr/lib/scripted/data", 0o644, "data\n")
            .control("postinst", POSTINST, 0o755),
        Deb::new("unknown", "7", "all")
            .file("usr/bin/frobnicate", 0o755, "\x7fELF\x02\x01\x01\0")
            .control("postinst", UNKNOWN, 0o755),
    ];
    for arch in ARCHES {
        debs.push(
            Deb::new("base-files", "13.8", arch)
                .field("Essential", "yes")
                .field("Priority", "required")
                .folder("usr/bin")
                .folder("usr/lib")
                .folder("usr/sbin")
                .symlink("bin", "usr/bin")
                .symlink("lib", "usr/lib")
                .symlink("sbin", "usr/sbin")
                .folder("etc")
                .folder("root")
                .folder_of_mode("tmp", 0o1777)
                .file(
                    "usr/lib/os-release",
                    0o644,
                    "ID=debian\nVERSION_CODENAME=trixie\n",
                )
                .symlink("etc/os-release", "../usr/lib/os-release"),
        );
        debs.push(
            Deb::new("libhello1", "2.10-3", arch)
                .field("Multi-Arch", "same")
                .file("usr/lib/libhello.so.1", 0o644, vec![b'x'; 70_000]),
        );
        debs.push(
            Deb::new("hello", "2.10-3", arch)
                .field("Depends", "libhello1 (>= 2.0)")
                .file("usr/bin/hello", 0o755, format!("hello for {arch}\n"))
                .hard_link("usr/bin/hello-again", "usr/bin/hello")
                .symlink("usr/bin/hi", "hello")
                .owned_file("usr/bin/hello-staff", 0o2755, (0, 50), "for staff\n"),
        );
    }
    debs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_lists_what_is_there() {
        let key = Key::new();
        let suite = Suite {
            name: "trixie",
            label: "Debian",
        };
        let archive = Archive::new(&key, suite, &packages());
        let release = &archive.files()["dists/trixie/InRelease"];
        let release = String::from_utf8_lossy(release);
        let index = &archive.files()["dists/trixie/main/binary-arm64/Packages.xz"];
        assert!(release.contains(&sum(index)));
        assert!(
            archive
                .files()
                .contains_key("pool/main/n/noise/noise_2.0-1_all.deb")
        );
    }
}
