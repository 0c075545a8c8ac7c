//! The commands that scripts call, in one table.
//!
//! A native stands for a program that can't be interpreted: a binary, or a script in
//! Perl or Python. Programs that are shell scripts are interpreted, and have no native.
//!
//! Each does what its program does *in a tree that is being made*: nothing is mounted,
//! no service runs, there is no terminal. An option or a form that it does not know is a
//! [`Stop`](crate::Stop), never a guess.

pub(crate) mod accounts;
pub(crate) mod archive;
pub(crate) mod caches;
pub(crate) mod debconf;
pub(crate) mod declined;
pub(crate) mod dictionaries;
pub(crate) mod dpkg;
pub(crate) mod files;
pub(crate) mod services;
pub(crate) mod system;
pub(crate) mod text;
pub(crate) mod web;

use std::collections::BTreeMap;

use crate::process::{Outcome, Process};

/// A command.
pub(crate) struct Native {
    /// Its name, without a folder.
    pub(crate) name: &'static str,
    pub(crate) origin: Origin,
    pub(crate) run: fn(&mut Process<'_, '_>) -> Outcome,
}

/// Where a command's program comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From a package of the essential set: it is there even in an image that leaves that
    /// set out.
    Essential,
    /// A shell script of the essential set: it is interpreted where it is in the tree, and
    /// this stands for it in an image that leaves that set out.
    Script,
    /// From whatever package has it: it is there where its program is in the tree.
    Package,
    /// As `Package`, in place of a program in Perl, Python or shell, whose known versions
    /// have these SHA-256 digests, in hexadecimal.
    Helper(&'static [&'static str]),
}

/// A maintainer script in a language that is not interpreted, known to the byte.
pub(crate) struct Recognised {
    /// The SHA-256 of its bytes, in hexadecimal.
    pub(crate) sha256: &'static str,
    pub(crate) run: fn(&mut Process<'_, '_>) -> Outcome,
}

/// The scripts of this digest, if it is known.
pub(crate) fn recognised(sha256: &str) -> Option<&'static Recognised> {
    let mut known = dictionaries::SCRIPTS.iter();
    known.find(|script| script.sha256 == sha256)
}

/// Programs of the essential set that have no native version and that a script may want.
/// An image that leaves that set out must not take them as missing.
pub(crate) const ESSENTIAL: &[&str] = &[
    "add-shell",
    "base32",
    "blkid",
    "chcon",
    "clear",
    "clear_console",
    "cpgr",
    "cppw",
    "csplit",
    "debconf",
    "debconf-apt-progress",
    "debconf-copydb",
    "diff3",
    "dir",
    "dircolors",
    "dmesg",
    "dpkg-deb",
    "dpkg-preconfigure",
    "dpkg-reconfigure",
    "dpkg-split",
    "factor",
    "fallocate",
    "findfs",
    "findmnt",
    "groupmems",
    "hardlink",
    "hostid",
    "iconvconfig",
    "infocmp",
    "ldd",
    "localedef",
    "lsblk",
    "lscpu",
    "mcookie",
    "mkswap",
    "more",
    "namei",
    "newusers",
    "numfmt",
    "pr",
    "prlimit",
    "ptx",
    "remove-shell",
    "renice",
    "reset",
    "rgrep",
    "savelog",
    "script",
    "sdiff",
    "service",
    "setarch",
    "shadowconfig",
    "shred",
    "taskset",
    "tic",
    "toe",
    "tzselect",
    "update-shells",
    "vigr",
    "vipw",
    "wall",
    "whereis",
    "zcmp",
    "zdiff",
    "zdump",
    "zegrep",
    "zfgrep",
    "zgrep",
    "zic",
];

/// Every command, by name.
pub(crate) fn table() -> BTreeMap<&'static str, &'static Native> {
    let modules = [
        accounts::NATIVES,
        archive::NATIVES,
        caches::NATIVES,
        debconf::NATIVES,
        declined::NATIVES,
        dictionaries::NATIVES,
        dpkg::NATIVES,
        files::NATIVES,
        services::NATIVES,
        system::NATIVES,
        text::NATIVES,
        web::NATIVES,
        crate::shell::NATIVES,
    ];
    let all = modules.into_iter().flatten().copied().flatten();
    all.map(|native| (native.name, native)).collect()
}
