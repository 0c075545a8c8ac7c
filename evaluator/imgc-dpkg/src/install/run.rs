//! The walk over the steps: packages, their scripts and their triggers, one after another.

use std::rc::Rc;

use imgc_scripts::{Call, Machine, Reader, Setup};
use imgc_tree::{Content, Data, Node, Tree, TreePath};

use super::status::{State, Statuses};
use super::{Done, Installed, Note, Options, Schedule, ScriptName, Step, by_name};
use crate::fragment::{EntryNode, SharedLibrary};
use crate::placing::{Rules, Union};
use crate::triggers::{Directives, Hears, Triggers};
use crate::{
    Fragment, InstallError, System, conffile, database, diversions, statoverride, triggers,
};

/// The most of a failed script's output that is reported, in bytes.
const LOG: usize = 2_000;

/// Where the policy for services is: it says of each whether a script may start it.
const POLICY: &str = "usr/sbin/policy-rc.d";

/// An installation that is going on.
pub(super) struct Run<'a, 'r> {
    machine: Machine<'r>,
    union: Union<'a>,
    options: &'a Options<'a>,
    fragments: &'a [&'a Fragment],
    /// By fragment.
    packages: Vec<Progress>,
    statuses: Statuses,
    triggers: Triggers,
    /// What was there before, if anything.
    system: Option<&'a System>,
    skipped: Vec<Note>,
    /// Whether the policy for services is in the tree.
    policy: bool,
    stated: Vec<Done>,
}

/// Tells the schedule what a package triggered.
struct Heard<'s> {
    schedule: &'s mut dyn Schedule,
    /// The package that is being worked on.
    package: usize,
}

impl Hears for Heard<'_> {
    fn told(&mut self, interested: usize, awaited: bool) {
        let waiting = awaited.then_some(self.package);
        self.schedule.activate(interested, waiting);
    }
}

/// How far a package is.
struct Progress {
    state: State,
    /// Its place among the packages of the union, once it is in the tree.
    placed: Option<usize>,
    directives: Directives,
}

impl<'a, 'r> Run<'a, 'r> {
    /// Nothing is installed yet but what `system` has, whose packages are the first of
    /// `fragments`. Without one, an empty tree with dpkg's folders.
    pub(super) fn new(
        fragments: &'a [&'a Fragment],
        system: Option<&'a System>,
        options: &'a Options<'a>,
        reader: &'r dyn Reader,
    ) -> Result<Self, InstallError> {
        let (union, tree) = match system {
            None => Union::new(options.arch, options.epoch, options.filter),
            Some(system) => {
                let union = Union::over(system, options.filter, options.epoch)?;
                (union, system.tree.clone())
            }
        };
        let there = system.map_or(0, |system| system.packages.len());
        let named = by_name(fragments, options);
        let mut tree = tree;
        // With some for what scripts make.
        let entries = fragments.iter().map(|fragment| fragment.entries.len());
        let entries: usize = entries.sum();
        tree.reserve(entries + entries / 2);
        if system.is_none() {
            database::folders(&mut tree, options)?;
        }
        if system.is_none_or(|system| system.filter.is_empty()) {
            database::filter(&mut tree, options)?;
        }
        if named.get("base-files").is_some_and(|at| *at >= there) {
            database::fstab(&mut tree, options)?;
        }
        let dpkg = named.get("dpkg").copied();
        let dpkg = dpkg.map_or("1.22.21", |index| fragments[index].package.version.as_str());
        let setup = Setup {
            arch: options.arch.to_owned(),
            epoch: options.epoch,
            dpkg: dpkg.to_owned(),
            limits: options.limits,
        };
        let mut packages = Vec::with_capacity(fragments.len());
        for fragment in fragments {
            let directives = fragment.file("triggers").map(triggers::parse).transpose();
            packages.push(Progress {
                state: State::Absent,
                placed: None,
                directives: directives
                    .map_err(|source| InstallError::Control {
                        package: fragment.package.qualified(),
                        source,
                    })?
                    .unwrap_or_default(),
            });
        }
        let mut machine = Machine::new(tree, reader, setup);
        for text in fragments[there..]
            .iter()
            .flat_map(|fragment| &fragment.texts)
        {
            if let Data::Inline(bytes) = &text.data {
                machine.know_bytes(text.sha256, bytes);
            }
        }
        for entry in fragments[there..]
            .iter()
            .flat_map(|fragment| &fragment.entries)
        {
            if let EntryNode::Regular(content) = &entry.node
                && SharedLibrary::is_looked_for(&entry.path, content.size)
            {
                let library = entry.library.as_ref().map(SharedLibrary::library);
                machine.know_library(content.sha256, library);
            }
        }
        let statuses = Statuses::default();
        let mut triggers = Triggers::default();
        if let Some(system) = system {
            for (at, stanza) in system.stanzas.iter().enumerate() {
                statuses.keep(&fragments[at].package, stanza);
                let progress = &mut packages[at];
                (progress.state, progress.placed) = (State::Installed, Some(at));
            }
            for (key, stanza) in &system.gone {
                statuses.keep_gone(key, stanza);
            }
            let places = (0..there).map(|at| (fragments[at].package.qualified(), at));
            triggers.read(&system.triggers, &places.collect());
        }
        Ok(Self {
            machine,
            union,
            options,
            fragments,
            packages,
            statuses,
            triggers,
            system,
            skipped: Vec::new(),
            policy: false,
            stated: Vec::new(),
        })
    }

    /// Does one step, and tells `schedule` what it triggered.
    pub(super) fn step(
        &mut self,
        step: Step,
        schedule: &mut dyn Schedule,
    ) -> Result<(), InstallError> {
        let (Step::Extract(index)
        | Step::Unpack(index)
        | Step::Configure(index)
        | Step::Triggers(index)) = step;
        let mut heard = Heard {
            schedule,
            package: index,
        };
        match step {
            Step::Extract(_) => self.place(index, None)?,
            Step::Unpack(_) => self.unpack(index, &mut heard)?,
            Step::Configure(_) => self.configure(index, &mut heard)?,
            Step::Triggers(_) => self.triggered(index)?,
        }
        heard.schedule.done();
        self.hear(&mut heard);
        Ok(())
    }

    /// Writes what is left to write.
    pub(super) fn finish(mut self) -> Result<Installed, InstallError> {
        self.machine.finish().map_err(stopped)?;
        let policy = format!("/{POLICY}");
        if self.policy && self.machine.files.is_file(policy.as_bytes()) {
            let path = TreePath::new(POLICY.as_bytes()).expect("a plain path");
            self.machine.files.names_mut().remove(&path);
        }
        let effects = self.machine.effects().to_vec();
        let declined = self.machine.declined().to_vec();
        let unknown = self.machine.unknown().iter().cloned().collect();
        let mut tree = self.machine.files.into_tree();
        clear_tmp(&mut tree, self.system);
        self.union
            .finish(&mut tree)
            .map_err(InstallError::Database)?;
        database::write(&mut tree, &self.union, self.system, self.options)?;
        Ok(Installed {
            tree,
            effects,
            declined,
            unknown,
            skipped: self.skipped,
            stated: self.stated,
        })
    }

    fn place(&mut self, index: usize, rules: Option<&Rules>) -> Result<(), InstallError> {
        let files = &mut self.machine.files;
        // A file of two architectures is compared with the one that is there.
        let tree = match self.options.foreign.is_empty() {
            true => files.names_mut(),
            false => files.tree_mut(),
        };
        self.packages[index].placed = Some(self.union.packages.len());
        self.union.add(tree, self.fragments[index], rules)
    }

    fn unpack(&mut self, index: usize, heard: &mut Heard<'_>) -> Result<(), InstallError> {
        let fragment = self.fragments[index];
        let package = &fragment.package;
        let name = package.qualified();
        let conffiles = fragment
            .conffiles()
            .map_err(|source| InstallError::Control {
                package: name.clone(),
                source,
            })?;
        let lines: Vec<String> = conffiles.iter().map(newconffile).collect();
        self.statuses.add(package, &fragment.control, &lines);
        self.note_skipped(index);
        if fragment.file("preinst").is_some() {
            self.control_files("var/lib/dpkg/tmp.ci/", index)?;
            self.script(index, ScriptName::Preinst, &["install"])?;
            let folder = TreePath::new(b"var/lib/dpkg/tmp.ci").expect("a plain path");
            self.machine.files.names_mut().remove(&folder);
        }
        if self.packages[index].placed.is_none() {
            let rules = self.rules();
            self.place(index, Some(&rules))?;
        }
        self.control_files(&format!("var/lib/dpkg/info/{name}."), index)?;
        let placed = &self.union.packages[self.packages[index].placed.expect("it was placed")];
        database::list(self.machine.files.names_mut(), placed, self.options)?;
        self.set(index, State::Unpacked);
        let Self {
            triggers, packages, ..
        } = self;
        let directives = &packages[index].directives;
        triggers.add(index, &directives.interests);
        let installed = |index: usize| packages[index].state == State::Installed;
        for one in &directives.activates {
            triggers.activate(&one.trigger, one.noawait, installed, heard);
        }
        for entry in &fragment.entries {
            triggers.touch(entry.archived().as_bytes(), false, installed, heard);
        }
        Ok(())
    }

    fn configure(&mut self, index: usize, heard: &mut Heard<'_>) -> Result<(), InstallError> {
        let Self {
            triggers, packages, ..
        } = self;
        let installed = |index: usize| packages[index].state == State::Installed;
        for one in &packages[index].directives.activates {
            triggers.activate(&one.trigger, one.noawait, installed, heard);
        }
        let placed = self.packages[index].placed.expect("it was unpacked before");
        let files = &mut self.machine.files;
        // They are compared with what a script may have written.
        for (at, _) in &self.union.packages[placed].waiting {
            files.settle(at);
        }
        self.union.place_conffiles(files.names_mut(), placed)?;
        self.set(index, State::HalfConfigured);
        self.state(index)?;
        self.script(index, ScriptName::Postinst, &["configure", ""])?;
        self.set(index, State::Installed);
        Ok(())
    }

    fn triggered(&mut self, index: usize) -> Result<(), InstallError> {
        let names = self.triggers.take(index).join(" ");
        self.script(index, ScriptName::Postinst, &["triggered", &names])
    }

    /// Runs a package's script, if it has it.
    fn script(
        &mut self,
        index: usize,
        script: ScriptName,
        args: &[&str],
    ) -> Result<(), InstallError> {
        let fragment = self.fragments[index];
        let Some(bytes) = fragment.file(script.as_str()) else {
            return Ok(());
        };
        let name = &fragment.package.name;
        if self.options.skip.contains(name) || self.options.stated.has(name) {
            return Ok(());
        }
        self.defer_status()?;
        self.forbid_services();
        let name = fragment.package.qualified();
        let all = self.fragments.iter().zip(&self.packages).enumerate();
        let instances = all.filter(|(at, (other, progress))| {
            let there = *at == index || progress.state != State::Absent;
            there && other.package.name == fragment.package.name
        });
        let status = self
            .machine
            .script(&Call {
                package: &name,
                arch: &fragment.package.architecture,
                instances: instances.count(),
                script: script.as_str(),
                bytes,
                args,
            })
            .map_err(stopped)?;
        if status != 0 {
            let log = self.machine.log();
            let log = &log[log.len().saturating_sub(LOG)..];
            return Err(InstallError::Failed {
                package: name,
                script,
                status,
                log: String::from_utf8_lossy(log).into_owned(),
            });
        }
        Ok(())
    }

    /// Reads what dpkg-trigger left behind: lines `TRIGGER PACKAGE…`, with `-` for a
    /// package that does not wait.
    fn hear(&mut self, heard: &mut Heard<'_>) {
        let path = b"/var/lib/dpkg/triggers/Unincorp";
        let Ok(bytes) = self.machine.files.read(path) else {
            return;
        };
        if bytes.is_empty() {
            return;
        }
        for line in String::from_utf8_lossy(&bytes).lines() {
            let Some((trigger, waiting)) = line.split_once(' ') else {
                continue;
            };
            let packages = &self.packages;
            let installed = |index: usize| packages[index].state == State::Installed;
            let noawait = waiting == "-";
            match trigger.strip_prefix('/') {
                Some(path) => self
                    .triggers
                    .touch(path.as_bytes(), noawait, installed, heard),
                None => self.triggers.activate(trigger, noawait, installed, heard),
            }
        }
        let path = TreePath::new(path).expect("a plain path");
        let node = Node::file(Content::inline(Vec::new()), 0o644, self.options.epoch);
        // The file is there: it was read.
        let _kept = self.machine.files.names_mut().insert(&path, node);
    }

    /// Puts a policy in place that lets no service start, as whoever makes a system in a
    /// folder does. It is there from before the first script, and taken away at the end.
    fn forbid_services(&mut self) {
        let path = TreePath::new(POLICY.as_bytes()).expect("a plain path");
        if self.policy || !self.machine.files.is_directory(b"/usr/sbin") {
            return;
        }
        // The policy of what was there before stays.
        if self
            .system
            .is_some_and(|system| system.tree.get(&path).is_some())
        {
            return;
        }
        let text = b"#!/bin/sh\nexit 101\n".to_vec();
        let node = Node::file(Content::inline(text), 0o755, self.options.epoch);
        // The folder is there, and the tree takes a file in it.
        self.policy = self.machine.files.names_mut().insert(&path, node).is_ok();
    }

    fn defer_status(&mut self) -> Result<(), InstallError> {
        let statuses = self.statuses.clone();
        let text = Rc::new(move || statuses.text());
        let deferred = self.machine.files.defer(b"/var/lib/dpkg/status", text);
        deferred.map_err(|_| {
            let path = TreePath::new(b"var/lib/dpkg/status").expect("a plain path");
            InstallError::Database(imgc_tree::InsertError::NoParent(path))
        })
    }

    fn set(&mut self, index: usize, state: State) {
        self.packages[index].state = state;
        self.statuses.set(&self.fragments[index].package, state);
    }

    /// Writes a package's control files, each to `prefix` and its name.
    fn control_files(&mut self, prefix: &str, index: usize) -> Result<(), InstallError> {
        let tree = self.machine.files.names_mut();
        for (name, file) in &self.fragments[index].files {
            let text = format!("{prefix}{name}");
            database::put(tree, &text, file, self.options)?;
        }
        Ok(())
    }

    /// What scripts have told dpkg about files so far.
    fn rules(&mut self) -> Rules {
        let files = &mut self.machine.files;
        let mut read = |path: &[u8]| files.read(path).unwrap_or_default();
        let diverted = read(b"/var/lib/dpkg/diversions");
        let overrides = read(b"/var/lib/dpkg/statoverride");
        let passwd = read(b"/etc/passwd");
        let group = read(b"/etc/group");
        Rules {
            diversions: diversions::Diversions::parse(&diverted),
            overrides: statoverride::parse(
                &overrides,
                |name| statoverride::id_of(&passwd, name),
                |name| statoverride::id_of(&group, name),
            ),
        }
    }

    fn note_skipped(&mut self, index: usize) {
        if self
            .options
            .skip
            .contains(&self.fragments[index].package.name)
        {
            self.skipped.push(self.note(index));
        }
    }

    fn note(&self, index: usize) -> Note {
        let fragment = self.fragments[index];
        let has = |script: &ScriptName| fragment.files.contains_key(script.as_str());
        Note {
            package: fragment.package.qualified(),
            version: fragment.package.version.clone(),
            scripts: ScriptName::ALL.into_iter().filter(has).collect(),
        }
    }

    /// Does what the image states in the place of a package's scripts.
    fn state(&mut self, index: usize) -> Result<(), InstallError> {
        let package = &self.fragments[index].package;
        if !self.options.stated.has(&package.name) {
            return Ok(());
        }
        let tree = self.machine.files.tree_mut();
        let touched = self.options.stated.apply(&package.name, tree);
        let touched = touched.map_err(|reason| InstallError::Stated {
            package: package.name.clone(),
            reason,
        })?;
        let note = self.note(index);
        self.stated.push(Done { note, touched });
        Ok(())
    }
}

/// The line of a conffile that is not configured yet.
/// Removes what scripts left in `/tmp`, as mmdebstrap does at its end. What a base has
/// there stays.
fn clear_tmp(tree: &mut Tree, system: Option<&System>) {
    let folder = TreePath::new(b"tmp").expect("a plain path");
    let is_new = |path: &TreePath| system.is_none_or(|system| system.tree.get(path).is_none());
    let left: Vec<TreePath> = tree
        .children(&folder)
        .map(|(path, _)| path.clone())
        .collect();
    for path in left.iter().filter(|path| is_new(path)) {
        tree.remove(path);
    }
}

fn newconffile(conffile: &conffile::Conffile) -> String {
    format!("{} newconffile", conffile.path)
}

fn stopped(stop: imgc_scripts::Stop) -> InstallError {
    InstallError::Script(Box::new(stop))
}
