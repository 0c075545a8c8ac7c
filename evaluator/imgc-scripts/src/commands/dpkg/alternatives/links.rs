//! The links of a group: finding out where they lead, and setting them.

use std::fmt::Display;

use bstr::{BStr, BString, ByteSlice as _};

use super::group::{Choice, Group};
use super::{Step, wrong};
use crate::Errno;
use crate::process::Process;
use crate::stop::Stop;

/// Where the groups and links are.
pub(super) struct Place {
    root: BString,
    altdir: BString,
    admindir: Option<BString>,
    dpkg: BString,
    pub(super) force: bool,
    pub(super) quiet: bool,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Found {
    Nothing,
    Link(BString),
    Other,
}

impl Place {
    pub(super) fn new(process: &Process<'_, '_>) -> Self {
        let env = |name: &str| {
            process
                .env
                .get(BStr::new(name))
                .filter(|v| !v.is_empty())
                .cloned()
        };
        Self {
            root: env("DPKG_ROOT").unwrap_or_default(),
            altdir: "/etc/alternatives".into(),
            admindir: None,
            dpkg: env("DPKG_ADMINDIR").unwrap_or_else(|| "/var/lib/dpkg".into()),
            force: false,
            quiet: false,
        }
    }

    pub(super) fn set(&mut self, option: &[u8], value: BString) {
        match option {
            b"--altdir" => self.altdir = value,
            b"--admindir" => self.admindir = Some(value),
            b"--root" => {
                let trimmed = value.trim_end_with(|c| c == '/');
                self.dpkg = [trimmed, b"/var/lib/dpkg"].concat().into();
                self.root = trimmed.into();
            }
            b"--instdir" => self.root = value.trim_end_with(|c| c == '/').into(),
            _ => {}
        }
    }

    /// Says what is done.
    pub(super) fn inform(&self, process: &mut Process<'_, '_>, message: impl Display) {
        if !self.quiet {
            process.out(format!("update-alternatives: {message}\n"));
        }
    }

    /// A path of the system that is worked on.
    pub(super) fn real(&self, path: &[u8]) -> BString {
        [self.root.as_slice(), path].concat().into()
    }

    fn admin(&self) -> BString {
        let own = || [self.dpkg.as_slice(), b"/alternatives"].concat().into();
        self.admindir.clone().unwrap_or_else(own)
    }

    fn admin_file(&self, name: &[u8]) -> BString {
        [self.admin().as_slice(), b"/", name].concat().into()
    }

    /// The path of a name in `/etc/alternatives`, as links say it.
    fn alt(&self, name: &[u8]) -> BString {
        [self.altdir.as_slice(), b"/", name].concat().into()
    }

    // Groups.

    /// Reads a group. None where there is no such group.
    pub(super) fn load(&self, process: &mut Process<'_, '_>, name: &BStr) -> Step<Option<Group>> {
        let bytes = match process.machine.files.read(&self.admin_file(name)) {
            Ok(bytes) => bytes,
            Err(Errno::NoEntry) => return Ok(None),
            Err(error) => return wrong(process, format_args!("cannot open {name}: {error}")),
        };
        process.machine.spend(1 + bytes.len() as u64 / 64)?;
        let files = &process.machine.files;
        match Group::parse(name, &bytes, |file| files.exists(&self.real(file))) {
            Ok(group) => Ok(Some(group)),
            Err(error) => wrong(process, error),
        }
    }

    /// The names of all groups, sorted.
    pub(super) fn names(&self, process: &Process<'_, '_>) -> Vec<BString> {
        let names = process
            .machine
            .files
            .list(&self.admin())
            .unwrap_or_default();
        let backup = |name: &BString| name.starts_with(b".") || name.ends_with(b".dpkg-tmp");
        names.into_iter().filter(|name| !backup(name)).collect()
    }

    /// All groups, sorted by name.
    pub(super) fn all(&self, process: &mut Process<'_, '_>) -> Step<Vec<Group>> {
        let mut groups = Vec::new();
        for name in self.names(process) {
            groups.extend(self.load(process, name.as_ref())?);
        }
        Ok(groups)
    }

    // Links.

    fn found(&self, process: &Process<'_, '_>, path: &[u8]) -> Found {
        let path = self.real(path);
        match process.machine.files.read_link(&path) {
            Ok(target) => Found::Link(target),
            Err(Errno::Invalid) => Found::Other,
            Err(_) => Found::Nothing,
        }
    }

    fn points_to(&self, process: &Process<'_, '_>, path: &[u8]) -> Option<BString> {
        match self.found(process, path) {
            Found::Link(target) => Some(target),
            _ => None,
        }
    }

    /// What the group's link leads to now.
    pub(super) fn target(&self, process: &Process<'_, '_>, group: &Group) -> Option<BString> {
        self.points_to(process, &self.alt(&group.name))
    }

    /// What the group's link leads to now. Where that is none of the choices, the group
    /// is no longer automatic; where it is nothing, it is again.
    pub(super) fn current(&self, process: &Process<'_, '_>, group: &mut Group) -> Option<BString> {
        let current = self.target(process, group);
        match &current {
            Some(file) if group.choice(file).is_some() => {}
            Some(file) => {
                let there = process.machine.files.exists(&self.real(file));
                group.set_manual(there);
            }
            None => group.set_manual(false),
        }
        current
    }

    /// Whether a choice has a slave whose file is there.
    fn can_install(&self, process: &Process<'_, '_>, choice: &Choice, slave: &[u8]) -> bool {
        let file = choice.slave(slave);
        file.is_some_and(|file| process.machine.files.exists(&self.real(file)))
    }

    /// Takes the links of `wanted` over, and renames those that were elsewhere.
    pub(super) fn evolve(
        &self,
        process: &mut Process<'_, '_>,
        group: &mut Group,
        wanted: &Group,
        current: Option<&BStr>,
        choice: &Choice,
    ) -> Step<()> {
        if group.link != wanted.link && self.points_to(process, &group.link).is_some() {
            let (name, from, to) = (&group.name, &group.link, &wanted.link);
            self.inform(
                process,
                format_args!("renaming {name} link from {from} to {to}"),
            );
            self.rename(process, from, to)?;
        }
        group.set_link(wanted.link.as_ref());
        for slave in &wanted.slaves {
            let old = group.slave(&slave.name).map(|old| old.link.clone());
            if let Some(old) = old.filter(|old| *old != slave.link) {
                let file = if current == Some(choice.file.as_ref()) {
                    choice.slave(&slave.name)
                } else {
                    let shown = current.and_then(|current| group.choice(current));
                    shown.and_then(|shown| shown.slave(&slave.name))
                };
                if self.points_to(process, &old).is_some() {
                    let there = |file: &BStr| process.machine.files.exists(&self.real(file));
                    if file.is_some_and(there) {
                        let (name, to) = (&slave.name, &slave.link);
                        self.inform(
                            process,
                            format_args!("renaming {name} slave link from {old} to {to}"),
                        );
                        self.rename(process, &old, &slave.link)?;
                    } else {
                        self.remove(process, &old)?;
                    }
                }
            }
            group.set_slave(slave);
        }
        Ok(())
    }

    /// Brings links and file in line with the group: with `new` chosen, else as they are.
    pub(super) fn update(
        &self,
        process: &mut Process<'_, '_>,
        group: &mut Group,
        current: Option<BString>,
        new: Option<BString>,
    ) -> Step<()> {
        if group.choices.is_empty() {
            return self.remove_group(process, group);
        }
        self.make_folders(process);
        let mut ready = Vec::new();
        if let Some(new) = new.filter(|new| current.as_ref() != Some(new)) {
            let mode = group.status();
            let (name, link) = (&group.name, &group.link);
            self.inform(
                process,
                format_args!("using {new} to provide {link} ({name}) in {mode} mode"),
            );
            ready = self.prepare(process, group, &new)?;
        } else if self.broken(process, group) {
            let mut current = current;
            if current
                .as_ref()
                .is_some_and(|file| group.choice(file).is_none())
            {
                current = group.best(current.as_ref()).map(|best| best.file.clone());
                group.set_manual(false);
            }
            if let Some(current) = current {
                ready = self.prepare(process, group, &current)?;
            }
        }
        if group.modified {
            let text = group.text();
            let path = self.admin_file(&group.name);
            self.write(process, &path, text)?;
        }
        for (from, to) in ready {
            self.rename(process, &from, &to)?;
        }
        Ok(())
    }

    /// Whether the links are not as the group has them.
    fn broken(&self, process: &Process<'_, '_>, group: &Group) -> bool {
        let leads = |link: &[u8], file: &[u8]| {
            self.points_to(process, link)
                .is_some_and(|target| target == file)
        };
        if !leads(&group.link, &self.alt(&group.name)) {
            return true;
        }
        let current = self.target(process, group);
        let Some(choice) = current.and_then(|current| group.choice(&current)) else {
            return true;
        };
        group.slaves.iter().any(|slave| {
            let alt = self.alt(&slave.name);
            if self.can_install(process, choice, &slave.name) {
                let file = choice.slave(&slave.name).unwrap_or_default();
                !leads(&slave.link, &alt) || !leads(&alt, file)
            } else {
                self.found(process, &slave.link) != Found::Nothing
                    || self.found(process, &alt) != Found::Nothing
            }
        })
    }

    /// Makes the folders that dpkg's package brings, where it is not installed.
    fn make_folders(&self, process: &mut Process<'_, '_>) {
        for folder in [self.real(&self.altdir), self.admin()] {
            // Where that is not possible, what follows says why.
            let _ = process.machine.files.mkdir_all(&folder, 0o755);
        }
    }

    /// Makes the links beside their places. Gives what to rename to what.
    fn prepare(
        &self,
        process: &mut Process<'_, '_>,
        group: &Group,
        file: &[u8],
    ) -> Step<Vec<(BString, BString)>> {
        let mut ready = Vec::new();
        let choice = group.choice(file).cloned();
        self.prepare_one(process, &mut ready, &group.name, &group.link, file)?;
        for slave in &group.slaves {
            let there = choice
                .as_ref()
                .filter(|c| self.can_install(process, c, &slave.name));
            if let Some(file) = there.and_then(|choice| choice.slave(&slave.name)) {
                self.prepare_one(process, &mut ready, &slave.name, &slave.link, file)?;
                continue;
            }
            if self.may_remove(process, &slave.link) {
                self.remove(process, &slave.link)?;
            }
            self.remove(process, &self.alt(&slave.name))?;
        }
        Ok(ready)
    }

    fn prepare_one(
        &self,
        process: &mut Process<'_, '_>,
        ready: &mut Vec<(BString, BString)>,
        name: &[u8],
        link: &[u8],
        file: &[u8],
    ) -> Step<()> {
        let alt = self.alt(name);
        let needed = match self.found(process, link) {
            _ if self.force => true,
            Found::Nothing => true,
            Found::Link(target) => target != alt,
            Found::Other => false,
        };
        let mut steps = vec![(alt.clone(), BString::from(file))];
        if needed {
            steps.push((link.into(), alt));
        }
        for (link, target) in steps {
            let temporary = BString::from([link.as_slice(), b".dpkg-tmp"].concat());
            self.remove(process, &temporary)?;
            let real = self.real(&temporary);
            if let Err(error) = process.machine.files.symlink(&target, &real) {
                let message = format!("error creating symbolic link '{temporary}': {error}");
                return wrong(process, message);
            }
            ready.push((temporary, link));
        }
        Ok(())
    }

    fn may_remove(&self, process: &Process<'_, '_>, link: &[u8]) -> bool {
        self.force || self.found(process, link) != Found::Other
    }

    fn remove_group(&self, process: &mut Process<'_, '_>, group: &Group) -> Step<()> {
        let slaves = group.slaves.iter().map(|slave| (&slave.name, &slave.link));
        for (name, link) in [(&group.name, &group.link)].into_iter().chain(slaves) {
            if self.may_remove(process, link) {
                self.remove(process, link)?;
            }
            self.remove(process, &self.alt(name))?;
        }
        let path = self.admin_file(&group.name);
        match process.machine.files.unlink(&path) {
            Ok(()) | Err(Errno::NoEntry) => Ok(()),
            Err(error) => wrong(process, format_args!("cannot remove '{path}': {error}")),
        }
    }

    // Files.

    fn remove(&self, process: &mut Process<'_, '_>, path: &[u8]) -> Step<()> {
        match process.machine.files.unlink(&self.real(path)) {
            Ok(()) | Err(Errno::NoEntry | Errno::NotDirectory) => Ok(()),
            Err(error) => wrong(
                process,
                format_args!("cannot remove '{}': {error}", path.as_bstr()),
            ),
        }
    }

    fn rename(&self, process: &mut Process<'_, '_>, from: &[u8], to: &[u8]) -> Step<()> {
        let done = process
            .machine
            .files
            .rename(&self.real(from), &self.real(to));
        match done {
            Ok(()) => Ok(()),
            Err(error) => wrong(
                process,
                format_args!("cannot rename '{}': {error}", from.as_bstr()),
            ),
        }
    }

    fn write(&self, process: &mut Process<'_, '_>, path: &BString, text: Vec<u8>) -> Step<()> {
        let temporary = [path.as_slice(), b".dpkg-tmp"].concat();
        let mode = 0o666 & !process.umask;
        let files = &mut process.machine.files;
        let written = files
            .write(&temporary, text, mode)
            .and_then(|_| files.rename(&temporary, path));
        if let Some(stop) = process.machine.files.fault.take() {
            return Err(Stop::into(stop));
        }
        match written {
            Ok(()) => Ok(()),
            Err(error) => wrong(process, format_args!("unable to write '{path}': {error}")),
        }
    }
}
