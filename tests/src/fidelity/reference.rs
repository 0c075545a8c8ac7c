//! Trees that mmdebstrap makes. It is called with nothing but the suites that `imgc`
//! takes packages from, and the time that `imgc` gives to what scripts write.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process::{Command, Stdio};

use super::Tree;

/// Runs mmdebstrap where the machine has the name that it has for `imgc`, too. The settings
/// of some packages hold it.
const NAMED: &str = r#"hostname localhost && exec mmdebstrap "$@""#;

/// What mmdebstrap is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The suite: `trixie`.
    pub suite: &'a str,
    /// The packages that are asked for. The essential ones and apt come by themselves.
    pub packages: &'a [String],
    /// The time of everything, in seconds since 1970.
    pub epoch: u64,
    /// Lines of dpkg's settings, for the machine that makes the tree and for the tree.
    pub dpkg: &'a [String],
    /// Where it may work. The quickest is a file system in memory.
    pub folder: &'a Path,
}

/// mmdebstrap failed. It holds the end of what it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed(pub String);

/// The newest date of an archive in the lock in `text`, in seconds since 1970: the time
/// of everything in the images that are built with it.
///
/// # Panics
/// Where the lock has no date.
pub fn epoch_of_lock(text: &str) -> u64 {
    let dates = text.lines().filter_map(|line| line.strip_prefix("date = "));
    // The dates are all in UTC and equally long.
    let newest = dates.max().expect("a lock has dates");
    let mut command = Command::new("date");
    command.args(["--utc", "+%s", "--date", newest]);
    let output = command.output().expect("date can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let seconds = text.trim().parse();
    seconds.unwrap_or_else(|_| panic!("`date` does not know {newest}"))
}

/// The addresses of Debian's archive and of its security archive in this machine's apt
/// sources.
///
/// # Panics
/// Where there are none.
pub fn mirrors() -> (String, Option<String>) {
    let mut command = Command::new("apt-get");
    command.args([
        "indextargets",
        "--format",
        "$(REPO_URI)",
        "Created-By: Packages",
    ]);
    let output = command.output().expect("apt-get can be started");
    let text = String::from_utf8_lossy(&output.stdout);
    let ending = |end: &str| {
        let mut addresses = text.lines().map(|line| line.trim_end_matches('/'));
        addresses
            .find(|address| address.ends_with(end))
            .map(str::to_owned)
    };
    let debian = ending("/debian").expect("this machine's apt sources name a mirror of Debian");
    (debian, ending("/debian-security"))
}

impl Reference<'_> {
    /// Has mmdebstrap make the tree.
    ///
    /// # Errors
    /// mmdebstrap fails.
    ///
    /// # Panics
    /// Where mmdebstrap is not installed.
    pub fn make(&self) -> Result<Tree, Failed> {
        let archive = self.folder.join("reference.tar");
        let mut command = self.command(&archive);
        let output = command
            .output()
            .expect("mmdebstrap can be started: tests/run installs it");
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let lines: Vec<&str> = said.lines().collect();
            let last = lines[lines.len().saturating_sub(20)..].join("\n");
            return Err(Failed(last));
        }
        let file = File::open(&archive).expect("mmdebstrap wrote an archive");
        let mut tree = Tree::default();
        tree.apply(BufReader::new(file));
        std::fs::remove_file(&archive).expect("the archive can be taken away");
        Ok(tree)
    }

    fn command(&self, archive: &Path) -> Command {
        let mut command = Command::new("unshare");
        command
            .args(["--uts", "sh", "-c", NAMED, "sh"])
            .env("SOURCE_DATE_EPOCH", self.epoch.to_string())
            .env("TMPDIR", self.folder)
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .args(["--quiet", "--variant=minbase"]);
        let mut packages = self.packages.to_vec();
        if self.suite == "bookworm" {
            // Before trixie, a chroot of mmdebstrap is merged only where it is asked for.
            command.arg("--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr");
            packages.insert(0, "usr-is-merged".to_owned());
        }
        let options = self.dpkg.iter();
        command.args(options.map(|line| format!("--dpkgopt={line}")));
        if !packages.is_empty() {
            command.arg(format!("--include={}", packages.join(",")));
        }
        command.arg(self.suite).arg(archive);
        let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let (debian, security) = mirrors();
        let suite = self.suite;
        for (mirror, dist) in [
            (Some(&debian), suite.to_owned()),
            (Some(&debian), format!("{suite}-updates")),
            (security.as_ref(), format!("{suite}-security")),
        ] {
            if let Some(mirror) = mirror {
                command.arg(format!("deb [signed-by={keys}] {mirror} {dist} main"));
            }
        }
        command
    }
}
