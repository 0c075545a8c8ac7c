//! The system as scripts see it: files, what package is being worked on, a budget.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;

use bstr::BString;
use imgc_tree::Tree;

use crate::commands::{self, Native};
use crate::effects::{Declined, Effect, Line};
use crate::process::{Process, Status};
use crate::stop::{Stop, Why};
use crate::streams::Fd;
use crate::{Files, Library, Limits, Reader, shell};

/// The folders in which programs are looked for, as dpkg sets them for scripts.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a machine is, beside its files.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Debian's name of the architecture.
    pub arch: String,
    /// The moment that nothing is newer than, in seconds since 1970. For scripts it
    /// is now.
    pub epoch: i64,
    /// The version of dpkg that is said to run: `1.22.21`.
    pub dpkg: String,
    /// The bounds.
    pub limits: Limits,
}

/// A system on which scripts run.
pub struct Machine<'r> {
    /// Its files.
    pub files: Files<'r>,
    pub(crate) setup: Setup,
    /// debconf's questions and answers.
    pub(crate) debconf: commands::debconf::Database,
    pub(crate) natives: Rc<BTreeMap<&'static str, &'static Native>>,
    /// The maintainer script that runs: its path, and its bytes.
    pub(crate) current: Option<(BString, Rc<[u8]>)>,
    /// Parsed scripts, by their text.
    pub(crate) parsed: shell::Cache,
    /// Compiled regular expressions.
    pub(crate) patterns: commands::text::pattern::Patterns,
    /// The packages of dpkg's `status`, as it was read last.
    pub(crate) packages: commands::dpkg::Known,
    /// What ldconfig found in files, by their digests; none where they are no libraries.
    pub(crate) libraries: BTreeMap<[u8; 32], Option<Rc<Library>>>,
    /// How the program ldconfig of this digest calls itself.
    pub(crate) ldconfig: Option<([u8; 32], Rc<[u8]>)>,
    pub(crate) declined: Vec<Declined>,
    /// Programs that a native version stands for which was made after others.
    pub(crate) unknown: BTreeSet<String>,
    /// What scripts wrote to their standard output and error, for people.
    pub(crate) log: Vec<u8>,
    pub(crate) depth: usize,
    /// How many compound commands are being run within each other.
    pub(crate) nesting: usize,
    /// The next number for a temporary name or a process.
    pub(crate) serial: u32,
    steps: u64,
    script_steps: u64,
}

/// A script to run.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The package, with its architecture where dpkg writes it.
    pub package: &'a str,
    /// Its architecture: `amd64`, `all`.
    pub arch: &'a str,
    /// For how many architectures it is there, this one counted.
    pub instances: usize,
    /// `preinst`, `config`, `postinst`.
    pub script: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Its arguments: `configure` and ``.
    pub args: &'a [&'a str],
}

impl<'r> Machine<'r> {
    /// A machine on `tree`, whose contents `reader` gives.
    pub fn new(tree: Tree, reader: &'r dyn Reader, setup: Setup) -> Self {
        Self {
            files: Files::new(tree, reader, setup.epoch, &setup.limits),
            debconf: commands::debconf::Database::default(),
            natives: Rc::new(commands::table()),
            current: None,
            parsed: shell::Cache::default(),
            patterns: Default::default(),
            packages: Default::default(),
            libraries: BTreeMap::new(),
            ldconfig: None,
            declined: Vec::new(),
            unknown: BTreeSet::new(),
            log: Vec::new(),
            depth: 0,
            nesting: 0,
            serial: 4242,
            steps: setup.limits.steps,
            script_steps: 0,
            setup,
        }
    }

    /// Tells the bytes of the file whose SHA-256 is `sha256`. What is not told is asked of
    /// the [`Reader`](crate::Reader) when it is read.
    pub fn know_bytes(&mut self, sha256: [u8; 32], bytes: &[u8]) {
        self.files.know(sha256, bytes);
    }

    /// Tells what the file whose SHA-256 is `sha256` is as a library; none: it is none.
    /// What is not told is read from the file when it is asked for.
    pub fn know_library(&mut self, sha256: [u8; 32], library: Option<Library>) {
        self.libraries.insert(sha256, library.map(Rc::new));
    }

    /// Runs a maintainer script, as dpkg would. Gives its exit status.
    ///
    /// # Errors
    /// A [`Stop`] with its place; the tree is then of no use.
    pub fn script(&mut self, call: &Call<'_>) -> Result<u8, Stop> {
        self.script_steps = self.setup.limits.script_steps;
        self.files.line = Line {
            package: call.package.to_owned(),
            script: call.script.to_owned(),
            ..Line::default()
        };
        let (name, _) = call.package.split_once(':').unwrap_or((call.package, ""));
        let dpkg = self.setup.dpkg.clone();
        let instances = call.instances.to_string();
        let env = [
            ("DEBCONF_NONINTERACTIVE_SEEN", "true"),
            ("DEBIAN_FRONTEND", "noninteractive"),
            ("DPKG_ADMINDIR", "/var/lib/dpkg"),
            ("DPKG_FORCE", "security-mac,downgrade"),
            ("DPKG_MAINTSCRIPT_ARCH", call.arch),
            ("DPKG_MAINTSCRIPT_DEBUG", "0"),
            ("DPKG_MAINTSCRIPT_NAME", call.script),
            ("DPKG_MAINTSCRIPT_PACKAGE", name),
            ("DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT", instances.as_str()),
            ("DPKG_ROOT", ""),
            ("DPKG_RUNNING_VERSION", dpkg.as_str()),
            ("HOME", "/root"),
            ("LC_ALL", "C.UTF-8"),
            ("PATH", PATH),
            ("PWD", "/"),
        ];
        let path = match call.script {
            "preinst" => "/var/lib/dpkg/tmp.ci/preinst".to_owned(),
            script => format!("/var/lib/dpkg/info/{}.{script}", call.package),
        };
        self.current = Some((path.as_str().into(), call.bytes.into()));
        let mut args = vec![BString::from(path.as_str())];
        args.extend(call.args.iter().map(|&arg| BString::from(arg)));
        let argv = args.clone();
        let (out, log) = Fd::output();
        let mut process = Process {
            machine: self,
            args,
            env: Rc::new(env.map(|(k, v)| (k.into(), v.into())).into()),
            cwd: "/".into(),
            umask: 0o022,
            fds: BTreeMap::from([(0, Fd::Null), (1, out.clone()), (2, out)]),
        };
        let done = process.interpret(call.bytes);
        let log = log.take();
        self.log.extend_from_slice(&log);
        match done {
            Ok(Status(status)) => Ok(status),
            Err(mut stop) => {
                stop.place.package = call.package.to_owned();
                if stop.place.script.is_empty() {
                    stop.place.script = call.script.to_owned();
                }
                if stop.place.argv.is_empty() && stop.place.line == 0 {
                    stop.place.argv = argv;
                }
                Err(stop)
            }
        }
    }

    /// Writes what is kept in memory to the files where it belongs: debconf's database.
    ///
    /// # Errors
    /// A [`Stop`] where a file can't be written.
    pub fn finish(&mut self) -> Result<(), Stop> {
        commands::debconf::write(self)
    }

    /// What scripts did, in order.
    pub fn effects(&self) -> &[Effect] {
        &self.files.effects
    }

    /// The work that was declined by policy, in order.
    pub fn declined(&self) -> &[Declined] {
        &self.declined
    }

    /// Programs in Perl, Python or shell that were run by a native version which was made
    /// after other versions of them: their paths, sorted.
    pub fn unknown(&self) -> &BTreeSet<String> {
        &self.unknown
    }

    /// What scripts wrote to their standard output and error.
    pub fn log(&self) -> &[u8] {
        &self.log
    }

    /// Counts `steps` against the budgets.
    ///
    /// # Errors
    /// A [`Stop`] when one is used up.
    pub(crate) fn spend(&mut self, steps: u64) -> Result<(), Stop> {
        if self.script_steps < steps || self.steps < steps {
            return Err(Stop::new(Why::Budget("too many steps")));
        }
        self.script_steps -= steps;
        self.steps -= steps;
        Ok(())
    }

    /// Gives the next script its budget.
    #[cfg(test)]
    pub(crate) fn spend_anew(&mut self) {
        self.script_steps = self.setup.limits.script_steps;
    }

    /// A number that was not given before: for temporary names and process ids.
    pub(crate) fn next_serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    /// Notes work that is declined by policy.
    pub(crate) fn decline(&mut self, reason: &'static str) {
        let line = self.files.line.clone();
        self.declined.push(Declined { line, reason });
    }
}

impl fmt::Debug for Machine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Machine")
            .field("files", &self.files)
            .field("setup", &self.setup)
            .finish_non_exhaustive()
    }
}
