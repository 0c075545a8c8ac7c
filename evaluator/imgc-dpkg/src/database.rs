//! dpkg's database in a tree: `/var/lib/dpkg`, as dpkg leaves it behind.
//!
//! Written are `status`, `arch`, `info/` (with `format`, without which dpkg ignores
//! `info/NAME:ARCH.*`), the interests in triggers, and the empty folders that dpkg
//! expects. Left out are locks and backups, `available` (apt systems have none), and
//! `diversions` and `statoverride`, which dpkg makes with their first line.

use std::collections::{BTreeMap, BTreeSet};

use imgc_tree::{Content, InsertError, Node, Tree, TreePath};

use crate::control::Stanza;
use crate::fragment::ControlFile;
use crate::fragment::EntryNode;
use crate::placing::{Placed, Union};
use crate::triggers::{self, Directives};
use crate::{ControlError, InstallError, Options, System, SystemError, conffile, merged};

const ROOT: &str = "var/lib/dpkg";

/// Makes what dpkg expects to find before there is a package.
pub(crate) fn folders(tree: &mut Tree, options: &Options<'_>) -> Result<(), InstallError> {
    let mut folder = Folder {
        tree,
        epoch: options.epoch,
    };
    for name in ["alternatives", "info", "parts", "triggers", "updates"] {
        folder.directory(name)?;
    }
    let archs = [options.arch].into_iter();
    let archs = archs.chain(options.foreign.iter().map(String::as_str));
    let archs: String = archs.map(|arch| format!("{arch}\n")).collect();
    folder.file("arch", archs.into_bytes())?;
    folder.file("info/format", b"1\n".to_vec())?;
    folder.file("status", Vec::new())?;
    folder.file("triggers/Unincorp", Vec::new())
}

/// Makes the `/etc/fstab` that a system has which nobody has configured yet. Tools that
/// make one write it before there is a package.
pub(crate) fn fstab(tree: &mut Tree, options: &Options<'_>) -> Result<(), InstallError> {
    let path = TreePath::new(b"etc/fstab").expect("a plain path");
    let text = b"# UNCONFIGURED FSTAB FOR BASE SYSTEM\n".to_vec();
    let node = Node::file(Content::inline(text), 0o644, options.epoch);
    tree.make_parents(&path, options.epoch)
        .and_then(|()| tree.insert(&path, node))
        .map_err(InstallError::Database)?;
    Ok(())
}

/// Writes the settings by which dpkg in the image leaves out what the image leaves out.
pub(crate) fn filter(tree: &mut Tree, options: &Options<'_>) -> Result<(), InstallError> {
    if options.filter.is_empty() {
        return Ok(());
    }
    let path = TreePath::new(b"etc/dpkg/dpkg.cfg.d/imgc").expect("a plain path");
    let text = options.filter.settings().into_bytes();
    let node = Node::file(Content::inline(text), 0o644, options.epoch);
    tree.make_parents(&path, options.epoch)
        .and_then(|()| tree.insert(&path, node))
        .map_err(InstallError::Database)?;
    Ok(())
}

/// Writes a package's control file to `path`, relative to the root.
pub(crate) fn put(
    tree: &mut Tree,
    path: &str,
    file: &ControlFile,
    options: &Options<'_>,
) -> Result<(), InstallError> {
    let mut folder = Folder {
        tree,
        epoch: options.epoch,
    };
    let name = path
        .strip_prefix(ROOT)
        .and_then(|rest| rest.strip_prefix('/'));
    let name = name.expect("control files go into dpkg's folder");
    folder.put(name, file.bytes.clone(), file.mode, file.mtime)
}

/// Writes the list of a package's files, and its `md5sums` if it brings none.
pub(crate) fn list(
    tree: &mut Tree,
    placed: &Placed<'_>,
    options: &Options<'_>,
) -> Result<(), InstallError> {
    let name = placed.fragment.package.qualified();
    let mut folder = Folder {
        tree,
        epoch: options.epoch,
    };
    folder.file(&format!("info/{name}.list"), lines(placed))?;
    if placed.kept.is_none() && !placed.fragment.files.contains_key("md5sums") {
        folder.file(&format!("info/{name}.md5sums"), md5sums(placed))?;
    }
    Ok(())
}

/// Writes what is known when all packages of `union` are installed: their states, the
/// interests in triggers, and the lists of those that lost a file to another. What was said of
/// those of `system` stays as it stands there.
pub(crate) fn write(
    tree: &mut Tree,
    union: &Union<'_>,
    system: Option<&System>,
    options: &Options<'_>,
) -> Result<(), InstallError> {
    check_conffiles(union)?;
    let mut stanzas = BTreeMap::new();
    let mut interests = Interests::after(system);
    let mut conffiles = Vec::new();
    for placed in &union.packages {
        conffiles.push(
            Conffiles::of(placed).map_err(|source| InstallError::Control {
                package: placed.fragment.package.qualified(),
                source,
            })?,
        );
        if !placed.lost.is_empty() {
            list(tree, placed, options)?;
        }
    }
    let mut folder = Folder {
        tree,
        epoch: options.epoch,
    };
    for (index, placed) in union.packages.iter().enumerate() {
        let package = &placed.fragment.package;
        let name = package.qualified();
        let wrong = |source| InstallError::Control {
            package: name.clone(),
            source,
        };
        let key = (package.name.as_str(), package.architecture.as_str());
        if let Some(kept) = placed.kept {
            stanzas.insert(key, kept.to_owned());
            continue;
        }
        let made = stanza(index, placed, &conffiles).map_err(wrong)?;
        stanzas.insert(key, made);
        interests.add(placed, &name).map_err(wrong)?;
    }
    for ((name, arch), stanza) in system.iter().flat_map(|system| &system.gone) {
        stanzas.insert((name, arch), stanza.clone());
    }
    let status: Vec<u8> = stanzas
        .into_values()
        .flat_map(|text| (text + "\n").into_bytes())
        .collect();
    folder.file("status", status)?;
    if interests.files.len() > interests.before {
        folder.file("triggers/File", interests.files.into_bytes())?;
    }
    for (trigger, packages) in interests.names {
        if !interests.changed.contains(&trigger) {
            continue;
        }
        folder.file(&format!("triggers/{trigger}"), packages.into_bytes())?;
    }
    Ok(())
}

/// What was there before keeps its conffiles, and takes none over.
fn check_conffiles(union: &Union<'_>) -> Result<(), InstallError> {
    for placed in &union.packages {
        for (path, owner) in &placed.lost {
            let two = [placed, &union.packages[*owner]];
            if two.iter().all(|one| one.kept.is_none()) {
                continue;
            }
            for one in two {
                let package = one.fragment.package.qualified();
                let control = |source| InstallError::Control {
                    package: package.clone(),
                    source,
                };
                let conffiles = one.fragment.conffiles().map_err(control)?;
                let is_it = |known: &conffile::Conffile| {
                    known.path.trim_start_matches('/').as_bytes() == path.as_bytes()
                };
                if conffiles.iter().any(is_it) {
                    let path = path.clone();
                    return Err(SystemError::Conffile { path, package }.into());
                }
            }
        }
    }
    Ok(())
}

/// The folder of the database.
struct Folder<'a> {
    tree: &'a mut Tree,
    epoch: i64,
}

impl Folder<'_> {
    fn path(&mut self, name: &str) -> Result<TreePath, InstallError> {
        let path = TreePath::new(format!("{ROOT}/{name}").as_bytes());
        // Names come from checked packages, suffixes and triggers: only their length is left.
        let path =
            path.map_err(|_| InstallError::Database(InsertError::NoParent(TreePath::root())))?;
        self.tree
            .make_parents(&path, self.epoch)
            .map_err(InstallError::Database)?;
        Ok(path)
    }

    /// Makes a folder unless it is there.
    fn directory(&mut self, name: &str) -> Result<(), InstallError> {
        let path = self.path(name)?;
        if self.tree.get(&path).is_some_and(Node::is_directory) {
            return Ok(());
        }
        let node = Node::directory(0o755, self.epoch);
        self.tree
            .insert(&path, node)
            .map_err(InstallError::Database)?;
        Ok(())
    }

    fn file(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), InstallError> {
        self.put(name, bytes, 0o644, self.epoch)
    }

    fn put(
        &mut self,
        name: &str,
        bytes: Vec<u8>,
        mode: u32,
        mtime: i64,
    ) -> Result<(), InstallError> {
        let path = self.path(name)?;
        let node = Node::file(Content::inline(bytes), mode, mtime.min(self.epoch));
        self.tree
            .insert(&path, node)
            .map_err(InstallError::Database)?;
        Ok(())
    }
}

/// The packages that are interested in triggers, in the order of installation.
#[derive(Default)]
struct Interests {
    /// The lines of `triggers/File`.
    files: String,
    /// The lines of `triggers/NAME`.
    names: BTreeMap<String, String>,
    /// How long `files` was before there was anything new.
    before: usize,
    /// The names that have something new.
    changed: BTreeSet<String>,
}

impl Interests {
    /// Those that `system` has.
    fn after(system: Option<&System>) -> Self {
        let mut names = system
            .map(|system| system.triggers.clone())
            .unwrap_or_default();
        let files = names.remove("File").unwrap_or_default();
        Self {
            before: files.len(),
            files,
            names,
            changed: BTreeSet::new(),
        }
    }

    fn add(&mut self, placed: &Placed<'_>, name: &str) -> Result<(), ControlError> {
        for interest in placed
            .fragment
            .file("triggers")
            .map_or(Ok(Directives::default()), triggers::parse)?
            .interests
        {
            let option = if interest.noawait { "/noawait" } else { "" };
            if interest.trigger.starts_with('/') {
                self.files
                    .push_str(&format!("{} {name}{option}\n", interest.trigger));
            } else {
                self.changed.insert(interest.trigger.clone());
                let lines = self.names.entry(interest.trigger).or_default();
                lines.push_str(&format!("{name}{option}\n"));
            }
        }
        Ok(())
    }
}

/// What is known of a package's conffiles.
struct Conffiles<'a> {
    all: Vec<conffile::Conffile>,
    /// The MD5 of each that is a file of the package, by its path as written.
    md5: BTreeMap<String, &'a str>,
}

impl<'a> Conffiles<'a> {
    fn of(placed: &Placed<'a>) -> Result<Self, ControlError> {
        let all = placed.fragment.conffiles()?;
        let files = if all.is_empty() {
            BTreeMap::new()
        } else {
            placed.fragment.md5()
        };
        let md5 = all.iter().filter_map(|one| {
            let path = TreePath::new(one.path.as_bytes()).ok()?;
            let path = merged::place(&path, false).ok()?;
            let md5 = files.get(&path)?;
            if placed.excluded.contains(&path) {
                return None;
            }
            Some((one.path.clone(), *md5))
        });
        Ok(Self {
            md5: md5.collect(),
            all,
        })
    }

    fn has(&self, path: &str) -> bool {
        self.md5.contains_key(path)
    }
}

/// The stanza in `status` of the package with this index.
fn stanza(
    index: usize,
    placed: &Placed<'_>,
    conffiles: &[Conffiles<'_>],
) -> Result<String, ControlError> {
    let mut lines = Vec::new();
    for conffile in &conffiles[index].all {
        let path = TreePath::new(conffile.path.as_bytes());
        let path = path.map_err(|_| ControlError::Conffile(conffile.path.clone()))?;
        let owner = placed.lost.get(&path).copied();
        let never_had = placed.never_had.contains(&path);
        // dpkg takes the MD5 of a conffile that another package has already from that
        // package's conffile. Without one it has its word for one not installed.
        let source = owner.filter(|_| never_had).unwrap_or(index);
        let md5 = conffiles[source].md5.get(&conffile.path).copied();
        let mut line = format!("{} {}", conffile.path, md5.unwrap_or("newconffile"));
        if never_had || owner.is_some_and(|owner| conffiles[owner].has(&conffile.path)) {
            line.push_str(" obsolete");
        }
        if conffile.remove_on_upgrade {
            line.push_str(" remove-on-upgrade");
        }
        lines.push(line);
    }
    Stanza::parse(&placed.fragment.control)?.installed(&lines)
}

/// The paths that dpkg knows as the package's, as archived.
fn lines(placed: &Placed<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    for entry in &placed.fragment.entries {
        let path = entry.archived();
        if !placed.lost.contains_key(path) {
            text.push(b'/');
            text.extend_from_slice(if path.is_root() {
                b"."
            } else {
                path.as_bytes()
            });
            text.push(b'\n');
        }
    }
    text
}

/// What dpkg writes for a package that brings no `md5sums`: one line for each file
/// that it unpacked.
fn md5sums(placed: &Placed<'_>) -> Vec<u8> {
    let known = placed.fragment.md5();
    let mut others = BTreeSet::new();
    let mut text = Vec::new();
    for entry in &placed.fragment.entries {
        let path = entry.archived();
        // A hard link to another package's file is that file, and dpkg has no MD5 of it.
        let linked = matches!(&entry.node, EntryNode::HardLink(target) if others.contains(target));
        if placed.excluded.contains(&entry.path) {
            continue;
        }
        if linked || placed.never_had.contains(path) {
            others.insert(&entry.path);
        } else if let Some(md5) = known.get(&entry.path) {
            text.extend_from_slice(md5.as_bytes());
            text.extend_from_slice(b"  ");
            text.extend_from_slice(path.as_bytes());
            text.push(b'\n');
        }
    }
    text
}
