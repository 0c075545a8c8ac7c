//! A mirror of a suite as the real one has it at this moment, signed anew, and of what stands
//! beside it, with nothing in that. Mirrors have some indices late or not at all, those of
//! the less common architectures and of contents above all, and then no signature of Debian's
//! is over what they have. The packages are Debian's, from the real mirror.

use std::path::PathBuf;
use std::process::Command;

use imgc_tests::archive::{Archive, Suite};
use imgc_tests::fidelity;
use imgc_tests::key::Key;
use imgc_tests::server::Server;

use crate::place::{PLACE, call};

/// Debian's keys.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// When the suites say that they were made.
const DATE: &str = "Sat, 01 Nov 2025 09:00:00 UTC";

/// The mirror, and the configuration that has its key beside Debian's.
pub(crate) struct Mirror {
    server: Server,
    configuration: PathBuf,
}

impl Mirror {
    /// A mirror of trixie for these architectures, in Debian's words. `name` is of a folder.
    pub(crate) fn new(name: &str, arches: &[&str]) -> Self {
        let key = Key::new();
        let folder = PLACE.join("out").join(format!("{name}-mirror"));
        std::fs::create_dir_all(folder.join("imgc")).expect("a folder");
        let (real, _) = fidelity::mirrors();
        let fetch = |file: &str| {
            let to = folder.join("file");
            let path = to.to_str().expect("a path of text");
            let from = format!("{real}/dists/trixie/main/{file}");
            call("/usr/lib/apt/apt-helper", &["download-file", &from, path]);
            let bytes = std::fs::read(&to).expect("the index");
            std::fs::remove_file(to).expect("the file goes");
            bytes
        };
        let mut files = Vec::new();
        for arch in arches {
            for file in [
                format!("binary-{arch}/Packages.xz"),
                format!("Contents-{arch}.gz"),
            ] {
                files.push((format!("main/{file}"), fetch(&file)));
            }
        }
        let server = Server::start();
        let serve = |folder: &str, archive: &Archive| {
            for (path, bytes) in archive.files() {
                server.put(&format!("{folder}/{path}"), bytes.clone());
            }
        };
        let suite = |name, label| Suite { name, label };
        let mut archive = Archive::default();
        archive.add_indices(&key, suite("trixie", "Debian"), DATE, arches, &files);
        archive.add_suite_for(&key, suite("trixie-updates", "Debian"), &[], DATE, arches);
        serve("debian", &archive);
        let mut archive = Archive::default();
        let security = suite("trixie-security", "Debian-Security");
        archive.add_suite_for(&key, security, &[], DATE, arches);
        serve("debian-security", &archive);
        let keys = folder.join("keys.gpg");
        let mut all = std::fs::read(KEYS).expect("Debian's keys");
        all.extend(key.public_bytes());
        std::fs::write(&keys, all).expect("a file");
        let text = ["debian", "debian-security"]
            .map(|name| format!("[archive.{name}]\nkeyring = \"{}\"\n", keys.display()));
        std::fs::write(folder.join("imgc/config.toml"), text.concat()).expect("a file");
        Self {
            server,
            configuration: folder,
        }
    }

    /// Has `imgc` ask this mirror, and the real one for what it has not.
    pub(crate) fn serve<'c>(&self, imgc: &'c mut Command) -> &'c mut Command {
        let (real, _) = fidelity::mirrors();
        let security = self.server.url("debian-security");
        imgc.env("XDG_CONFIG_HOME", &self.configuration)
            .env("NO_PROXY", "127.0.0.1")
            .args(["--mirror", &format!("debian={}", self.server.url("debian"))])
            .args(["--mirror", &format!("debian={real}")])
            .args(["--mirror", &format!("debian-security={security}")])
    }
}
