//! What the tests of commands stand on.

use std::rc::Rc;
use std::sync::Arc;

use bstr::BString;
use imgc_tree::{Content, Data, Tree};

use crate::process::Process;
use crate::streams::Fd;
use crate::{Limits, Machine, Reader, Setup, Stop};

/// Reads only what is in the tree itself.
#[derive(Debug)]
pub(crate) struct Inline;

impl Reader for Inline {
    fn read(&self, content: &Content) -> Result<Arc<[u8]>, String> {
        match &content.data {
            Data::Inline(bytes) => Ok(Arc::clone(bytes)),
            _ => Err("it is not in the tree".to_owned()),
        }
    }
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) status: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A machine with folders as a minimal Debian has them, and no programs: those of the
/// essential set are there all the same.
pub(crate) fn machine() -> Machine<'static> {
    let setup = Setup {
        arch: "amd64".to_owned(),
        epoch: 1_763_596_800,
        dpkg: "1.22.21".to_owned(),
        limits: Limits::default(),
    };
    let mut machine = Machine::new(Tree::new(setup.epoch), &Inline, setup);
    for folder in [
        "/usr/bin",
        "/usr/sbin",
        "/usr/lib",
        "/etc",
        "/tmp",
        "/root",
        "/var/lib/dpkg/info",
        "/var/lib/dpkg/triggers",
        "/var/lib/dpkg/alternatives",
    ] {
        machine
            .files
            .mkdir_all(folder.as_bytes(), 0o755)
            .expect("a plain folder");
    }
    for link in ["bin", "sbin", "lib"] {
        let at = format!("/{link}");
        let target = format!("usr{at}");
        machine
            .files
            .symlink(target.as_bytes(), at.as_bytes())
            .expect("a link");
    }
    machine
}

impl Machine<'_> {
    /// Puts a file at `path`, with the folders above it.
    pub(crate) fn put(&mut self, path: &str, text: &str, mode: u32) {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !folder.is_empty() {
            self.files
                .mkdir_all(folder.as_bytes(), 0o755)
                .expect("a folder");
        }
        self.files
            .write(path.as_bytes(), text.into(), mode)
            .expect("a file");
        self.files.chmod(path.as_bytes(), mode).expect("a file");
    }

    /// The text at `path`.
    pub(crate) fn text(&mut self, path: &str) -> String {
        let bytes = self.files.read(path.as_bytes()).expect("a file");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Runs a command with `input` on its standard input.
    pub(crate) fn run_with(&mut self, args: &[&str], input: &str) -> Result<Ran, Stop> {
        let (one, out) = Fd::output();
        let (two, err) = Fd::output();
        let zero = Fd::input(input.as_bytes());
        self.spend_anew();
        let status = Process {
            machine: self,
            args: args.iter().map(|&arg| BString::from(arg)).collect(),
            env: Rc::new(
                [
                    ("LC_ALL".into(), "C.UTF-8".into()),
                    ("PATH".into(), crate::machine::PATH.into()),
                ]
                .into(),
            ),
            cwd: "/".into(),
            umask: 0o022,
            fds: [(0, zero), (1, one), (2, two)].into(),
        }
        .start()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Ran {
            status: status.0,
            out: text(out.take()),
            err: text(err.take()),
        })
    }

    /// Runs a command that must not stop.
    pub(crate) fn run(&mut self, args: &[&str]) -> Ran {
        self.run_with(args, "").expect("no stop")
    }
}
