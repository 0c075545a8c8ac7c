//! apt with folders of its own, on the archives that imgc takes packages from: an oracle
//! that installs nothing, and knows nothing of what is installed on this machine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use imgc_tests::archive::sum;
use imgc_tests::fidelity;
use imgc_tests::sandbox::Outcome;

use crate::place::{PLACE, run};

/// apt, and the indices of a suite.
pub(crate) struct Oracle {
    folder: PathBuf,
    /// The architectures beside amd64.
    foreign: Vec<String>,
    /// The text of each index, of one architecture after another: the release, its updates,
    /// its security updates.
    pub(crate) indices: Vec<String>,
    /// SHA-256 of each archive's `InRelease`.
    pub(crate) releases: BTreeSet<String>,
}

/// A package and its version: `NAME=VERSION`, and `NAME:ARCH=VERSION` for one of a foreign
/// architecture.
pub(crate) type Named = String;

/// A number for a folder: tests run side by side.
fn fresh() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Oracle {
    /// Fetches the indices of a suite for amd64.
    pub(crate) fn new(suite: &str) -> Self {
        Self::beside(suite, &[])
    }

    /// Fetches them for amd64 and for foreign architectures.
    pub(crate) fn beside(suite: &str, foreign: &[&str]) -> Self {
        let folder = PLACE.join("oracle").join(format!("{suite}-{}", fresh()));
        for part in ["etc", "lists/partial", "archives/partial"] {
            std::fs::create_dir_all(folder.join(part)).expect("a folder");
        }
        let (debian, security) = fidelity::mirrors();
        let security = security.expect("this machine's apt sources name a security archive");
        let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let mut sources = String::new();
        for (mirror, dist) in [
            (&debian, suite.to_owned()),
            (&debian, format!("{suite}-updates")),
            (&security, format!("{suite}-security")),
        ] {
            sources.push_str(&format!("deb [signed-by={keys}] {mirror} {dist} main\n"));
        }
        let write = |name: &str, text: &str| {
            std::fs::write(folder.join(name), text).expect("a file");
        };
        write("sources.list", &sources);
        let shown = folder.display();
        let archs: String = foreign.iter().map(|arch| format!(" \"{arch}\";")).collect();
        write(
            "apt.conf",
            &format!(
                "APT::Architecture \"amd64\";\nAPT::Architectures {{ \"amd64\";{archs} }};\n\
                 APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n\
                 Acquire::Check-Valid-Until \"true\";\nAcquire::Check-Date \"true\";\n\
                 Acquire::GzipIndexes \"false\";\n\
                 Dir::Etc \"{shown}/etc\";\nDir::Etc::sourcelist \"{shown}/sources.list\";\n\
                 Dir::Etc::sourceparts \"{shown}/etc\";\nDir::Etc::parts \"{shown}/etc\";\n\
                 Dir::State \"{shown}\";\nDir::State::lists \"{shown}/lists\";\n\
                 Dir::Cache \"{shown}\";\nDir::Cache::archives \"{shown}/archives\";\n"
            ),
        );
        write("status-none", "");
        let oracle = Self {
            folder,
            foreign: foreign.iter().map(|&arch| arch.to_owned()).collect(),
            indices: Vec::new(),
            releases: BTreeSet::new(),
        };
        let mut update = oracle.command("none");
        run(update.args(["update", "--error-on=any"])).succeeds();
        oracle.read(suite)
    }

    /// What tells it from others.
    pub(crate) fn name(&self) -> String {
        let name = self.folder.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    fn read(mut self, suite: &str) -> Self {
        let lists = self.folder.join("lists");
        let mut found: BTreeMap<(usize, usize), String> = BTreeMap::new();
        for entry in std::fs::read_dir(lists).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.to_string_lossy().into_owned();
            if name.ends_with("_InRelease") {
                let bytes = std::fs::read(&path).expect("a file");
                self.releases.insert(sum(&bytes));
            }
            if name.ends_with("_Packages") {
                let dists = [
                    suite.to_owned(),
                    format!("{suite}-updates"),
                    format!("{suite}-security"),
                ];
                let is = |dist: &String| name.contains(&format!("_dists_{dist}_"));
                let at = dists.iter().position(is).expect("one of the three");
                let is = |arch: &String| name.ends_with(&format!("binary-{arch}_Packages"));
                let arch = self.foreign.iter().position(is).map_or(0, |arch| arch + 1);
                found.insert(
                    (arch, at),
                    std::fs::read_to_string(&path).expect("an index"),
                );
            }
        }
        assert_eq!(self.releases.len(), 3, "three archives");
        self.indices = found.into_values().collect();
        self
    }

    fn command(&self, status: &str) -> Command {
        let mut command = Command::new("apt-get");
        let status = self.folder.join(format!("status-{status}"));
        command
            .env("APT_CONFIG", self.folder.join("apt.conf"))
            .env("LC_ALL", "C")
            .current_dir(&self.folder)
            .args(["-o", &format!("Dir::State::status={}", status.display())]);
        command
    }

    /// The stanzas of all indices, as their fields.
    pub(crate) fn stanzas(&self) -> impl Iterator<Item = BTreeMap<&str, &str>> {
        let texts = self.indices.iter().flat_map(|text| text.split("\n\n"));
        texts.filter(|text| !text.trim().is_empty()).map(|text| {
            let lines = text.lines().filter(|line| !line.starts_with(' '));
            lines.filter_map(|line| line.split_once(": ")).collect()
        })
    }

    /// The architecture with a colon before it, if it is a foreign one.
    pub(crate) fn qualifier(&self, arch: &str) -> String {
        match self.foreign.iter().any(|known| known == arch) {
            true => format!(":{arch}"),
            false => String::new(),
        }
    }

    /// Writes the status of a system with these packages.
    pub(crate) fn install(&self, status: &str, packages: &BTreeSet<Named>) {
        let mut text = String::new();
        let mut written = BTreeSet::new();
        for stanza in self.indices.iter().flat_map(|text| text.split("\n\n")) {
            let line = |name: &str| {
                let mut lines = stanza.lines();
                lines.find_map(|line| line.strip_prefix(name).map(str::trim))
            };
            let (Some(name), Some(version)) = (line("Package:"), line("Version:")) else {
                continue;
            };
            let arch = self.qualifier(line("Architecture:").unwrap_or_default());
            let named = format!("{name}{arch}={version}");
            if packages.contains(&named) && written.insert(named) {
                let (first, rest) = stanza.trim_start().split_once('\n').expect("many lines");
                text.push_str(&format!(
                    "{first}\nStatus: install ok installed\n{rest}\n\n"
                ));
            }
        }
        assert_eq!(&written, packages, "all are in the indices");
        std::fs::write(self.folder.join(format!("status-{status}")), text).expect("a file");
    }

    /// What `apt-get install -s` adds to a system, or what it says instead. Nothing that is
    /// there may go.
    pub(crate) fn solve(
        &self,
        status: &str,
        recommends: bool,
        packages: &[String],
    ) -> Result<BTreeSet<Named>, String> {
        let mut command = self.command(status);
        command.args(["-o", &format!("APT::Install-Recommends={recommends}")]);
        command.args(["install", "-s", "--"]).args(packages);
        let Outcome {
            code,
            stdout,
            stderr,
        } = run(&mut command);
        if code != Some(0) || stdout.lines().any(|line| line.starts_with("Remv ")) {
            return Err(format!("{stdout}{stderr}"));
        }
        let added = stdout.lines().filter_map(|line| {
            let mut words = line.strip_prefix("Inst ")?.split(' ');
            let name = words.next()?;
            let version = words.find_map(|word| word.strip_prefix('('))?;
            Some(format!("{name}={version}"))
        });
        Ok(added.collect())
    }
}
