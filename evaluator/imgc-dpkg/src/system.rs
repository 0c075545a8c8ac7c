//! A tree in which dpkg has installed packages: its database, read back, so that more can be
//! installed over them. What was left half done there is refused, and so is what this crate
//! could not go on from as dpkg would.
//!
//! The packages become fragments as if they had just been unpacked: who is there, whose
//! each file is, and the scripts that may run again. Their files stay where they are.

use std::collections::BTreeMap;

use imgc_scripts::Reader;
use imgc_tree::{Content, Kind, Node, Tree, TreePath};

use crate::control::Stanza;
use crate::diversions::Diversions;
use crate::fragment::{ControlFile, Entry, EntryNode};
use crate::{ControlError, Fragment, Package, PathFilter, merged};

const ROOT: &str = "var/lib/dpkg";

/// The control files of an installed package that may be asked for again.
const FILES: [&str; 2] = ["conffiles", "postinst"];

/// How `Status` says that a package is installed, and nothing is left to do.
const INSTALLED: &str = "install ok installed";

/// How it says that a package is gone, and its configuration is not.
const REMOVED: &str = "deinstall ok config-files";

/// What dpkg may be told in its settings that changes nothing that is installed.
const HARMLESS: [&str; 5] = ["debug", "force-unsafe-io", "log", "no-debsig", "no-pager"];

/// A tree with dpkg's database in it.
#[derive(Debug, Clone)]
pub struct System {
    /// All files.
    pub tree: Tree,
    /// The installed packages, in the order of the database.
    pub(crate) packages: Vec<Fragment>,
    /// Their stanzas in the database, as they stand there.
    pub(crate) stanzas: Vec<String>,
    /// What the database has beside them: packages that are gone, by name and architecture.
    pub(crate) gone: BTreeMap<(String, String), String>,
    /// Who is interested in which triggers: the files of dpkg's folder, by name. `File` has
    /// those that are paths.
    pub(crate) triggers: BTreeMap<String, String>,
    /// Where files go that have other places than their packages say.
    pub(crate) diversions: Diversions,
    /// What dpkg's settings there leave out.
    pub(crate) filter: PathFilter,
}

/// Why nothing can be installed over a tree.
#[derive(Debug, thiserror::Error)]
pub enum SystemError {
    /// It has no database of dpkg.
    #[error("it has no /var/lib/dpkg/status: dpkg knows no packages there")]
    NoDatabase,
    /// A file of the database can't be read.
    #[error("/{path} can't be read: {reason}")]
    Read {
        /// The file, without its leading slash.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A stanza of the database is wrong.
    #[error("/var/lib/dpkg/status is wrong")]
    Control(#[from] ControlError),
    /// A package is neither installed nor removed.
    #[error(
        "its package {package} is in the state `{status}`: only `{INSTALLED}` can be gone on from"
    )]
    State {
        /// The package.
        package: String,
        /// Its `Status`.
        status: String,
    },
    /// A package is of another architecture.
    #[error("its package {package} is for {architecture}")]
    Architecture {
        /// The package.
        package: String,
        /// Its architecture.
        architecture: String,
    },
    /// A folder that is a link in a tree with merged /usr.
    #[error("its /{0} is no link into /usr: only a merged /usr can be installed over")]
    NotMerged(String),
    /// dpkg has something left to do there.
    #[error("dpkg has left work undone in /{0}")]
    Unfinished(String),
    /// A setting of dpkg that would change what is installed.
    #[error("/{path} tells dpkg `{setting}`, which imgc does not do")]
    Setting {
        /// The file, without its leading slash.
        path: String,
        /// The setting.
        setting: String,
    },
    /// A package is to be installed whose configuration is still there.
    #[error("its package {0} was removed and left its configuration")]
    Removed(String),
    /// A conffile changes its owner.
    #[error("the conffile /{path} of {package} would become another package's")]
    Conffile {
        /// The conffile, without its leading slash.
        path: TreePath,
        /// The package that has it.
        package: String,
    },
    /// Files are left out by the tree's own settings, and others by the image's.
    #[error("its dpkg leaves out files already, so that `exclude` and `include` can't be said too")]
    Filters,
}

/// Reads files of a tree.
struct Files<'a> {
    tree: &'a Tree,
    reader: &'a dyn Reader,
}

impl System {
    /// Reads the database in `tree`, which is for `arch`.
    ///
    /// # Errors
    /// A [`SystemError`].
    pub fn read(tree: Tree, arch: &str, reader: &dyn Reader) -> Result<Self, SystemError> {
        let files = Files {
            tree: &tree,
            reader,
        };
        let status = files.text(&format!("{ROOT}/status"))?;
        let mut status = status.ok_or(SystemError::NoDatabase)?;
        if !status.ends_with('\n') {
            status.push('\n');
        }
        files.check_merged(arch)?;
        files.check_finished()?;
        if let Some(archs) = files.text(&format!("{ROOT}/arch"))?
            && let Some(other) = archs.lines().find(|line| !line.is_empty() && *line != arch)
        {
            return Err(SystemError::Architecture {
                package: "dpkg".to_owned(),
                architecture: other.to_owned(),
            });
        }
        let mut packages = Vec::new();
        let mut stanzas = Vec::new();
        let mut gone = BTreeMap::new();
        for text in stanzas_of(&status) {
            let stanza = Stanza::parse(text)?;
            let package = stanza.package()?;
            let found = stanza.get("Status").unwrap_or_default();
            if found == REMOVED {
                gone.insert((package.name, package.architecture), text.to_owned());
                continue;
            }
            let waits = ["Triggers-Pending", "Triggers-Awaited"];
            if found != INSTALLED || waits.iter().any(|field| stanza.get(field).is_some()) {
                return Err(SystemError::State {
                    package: package.qualified(),
                    status: found.to_owned(),
                });
            }
            if ![arch, "all"].contains(&&*package.architecture) {
                return Err(SystemError::Architecture {
                    package: package.qualified(),
                    architecture: package.architecture,
                });
            }
            packages.push(files.fragment(package, text)?);
            stanzas.push(text.to_owned());
        }
        let triggers = files.triggers()?;
        let filter = files.filter()?;
        let diversions = files.bytes(&format!("{ROOT}/diversions"))?;
        let diversions = Diversions::parse(&diversions.unwrap_or_default());
        Ok(Self {
            packages,
            stanzas,
            gone,
            triggers,
            diversions,
            filter,
            tree,
        })
    }

    /// The installed packages with their stanzas in the database, in its order.
    pub fn installed(&self) -> impl Iterator<Item = (&Package, &str)> {
        let packages = self.packages.iter().map(|fragment| &fragment.package);
        packages.zip(self.stanzas.iter().map(String::as_str))
    }

    /// The installed packages as fragments, in the order of the database. Steps of an
    /// installation over this tree name them by their places, and what is installed by the
    /// places after them.
    pub fn fragments(&self) -> &[Fragment] {
        &self.packages
    }
}

/// The packages that a tree says it has, also where dpkg would know none: in its database,
/// or, as images without dpkg have it, in the folder `status.d` beside that. Sorted.
///
/// # Errors
/// [`SystemError::Read`], [`SystemError::Control`].
pub fn listed(tree: &Tree, reader: &dyn Reader) -> Result<Vec<Package>, SystemError> {
    let files = Files { tree, reader };
    let mut texts: Vec<String> = Vec::new();
    texts.extend(files.text(&format!("{ROOT}/status"))?);
    let folder = format!("{ROOT}/status.d");
    for name in files.names(&folder) {
        if !name.ends_with(".md5sums") {
            texts.extend(files.text(&format!("{folder}/{name}"))?);
        }
    }
    let mut packages = Vec::new();
    for text in texts.iter().flat_map(|text| stanzas_of(text)) {
        let stanza = Stanza::parse(text)?;
        let status = stanza.get("Status").unwrap_or(INSTALLED);
        if status.ends_with(" installed") {
            packages.push(stanza.package()?);
        }
    }
    let key = |package: &Package| (package.name.clone(), package.architecture.clone());
    packages.sort_by_key(key);
    packages.dedup_by_key(|package| key(package));
    Ok(packages)
}

/// The most bytes that a file of dpkg's database may have.
const LARGEST: u64 = 256 << 20;

/// The stanzas of a status file, each with the newline at its end.
fn stanzas_of(text: &str) -> impl Iterator<Item = &str> {
    let all = text.split_inclusive("\n\n");
    let all = all.map(|stanza| match stanza.strip_suffix("\n\n") {
        Some(stanza) => &text[offset(text, stanza)..=offset(text, stanza) + stanza.len()],
        None => stanza,
    });
    all.filter(|stanza| !stanza.trim().is_empty())
}

/// Where a part of a text begins in it.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}

impl Files<'_> {
    /// The bytes of a file, links followed. None where there is none.
    fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, SystemError> {
        let failed = |reason: String| SystemError::Read {
            path: path.to_owned(),
            reason,
        };
        let at = TreePath::new(path.as_bytes()).map_err(|error| failed(error.to_string()))?;
        let at = self.tree.resolve(&at);
        let node = at.and_then(|at| self.tree.get(&at));
        match node.map(|node| &node.kind) {
            None => Ok(None),
            Some(Kind::Regular(content)) if content.size > LARGEST => {
                Err(failed("it is too large".to_owned()))
            }
            Some(Kind::Regular(content)) => {
                let bytes = self.reader.read(content).map_err(failed)?;
                Ok(Some(bytes.to_vec()))
            }
            Some(_) => Err(failed("it is no file".to_owned())),
        }
    }

    fn text(&self, path: &str) -> Result<Option<String>, SystemError> {
        let bytes = self.bytes(path)?;
        let text = bytes.map(String::from_utf8).transpose();
        text.map_err(|_| SystemError::Read {
            path: path.to_owned(),
            reason: "it is not UTF-8".to_owned(),
        })
    }

    /// What is in a folder, by name; nothing where it is not there.
    fn names(&self, folder: &str) -> Vec<String> {
        let path = TreePath::new(folder.as_bytes()).ok();
        let path = path.and_then(|path| self.tree.resolve(&path));
        let Some(path) = path else {
            return Vec::new();
        };
        let children = self.tree.children(&path);
        children
            .map(|(path, _)| String::from_utf8_lossy(path.name()).into_owned())
            .collect()
    }

    fn check_merged(&self, arch: &str) -> Result<(), SystemError> {
        for name in merged::links(arch).chain(merged::ALIASES) {
            let path = TreePath::new(name.as_bytes()).expect("a short plain name");
            match self.tree.get(&path).map(|node| &node.kind) {
                Some(Kind::Symlink(target)) if merged::is_link(name.as_bytes(), target) => {}
                None if merged::links(arch).all(|link| link != name) => {}
                _ => return Err(SystemError::NotMerged(name.to_owned())),
            }
        }
        Ok(())
    }

    /// Nothing is left that dpkg would do when it is called next.
    fn check_finished(&self) -> Result<(), SystemError> {
        let waiting = format!("{ROOT}/triggers/Unincorp");
        if self.bytes(&waiting)?.is_some_and(|bytes| !bytes.is_empty()) {
            return Err(SystemError::Unfinished(waiting));
        }
        let updates = format!("{ROOT}/updates");
        match self.names(&updates).is_empty() {
            true => Ok(()),
            false => Err(SystemError::Unfinished(updates)),
        }
    }

    /// An installed package, as if it had been unpacked.
    fn fragment(&self, package: Package, stanza: &str) -> Result<Fragment, SystemError> {
        let name = package.qualified();
        let mut control_files = BTreeMap::new();
        for file in FILES {
            if let Some(bytes) = self.bytes(&format!("{ROOT}/info/{name}.{file}"))? {
                let control_file = ControlFile {
                    mode: 0o755,
                    mtime: 0,
                    bytes,
                };
                control_files.insert(file.to_owned(), control_file);
            }
        }
        let list = format!("{ROOT}/info/{name}.list");
        let lines = self.bytes(&list)?.ok_or_else(|| SystemError::Read {
            path: list.clone(),
            reason: "it is not there".to_owned(),
        })?;
        let mut entries = Vec::new();
        for line in lines.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let wrong = |error: imgc_tree::PathError| SystemError::Read {
                path: list.clone(),
                reason: error.to_string(),
            };
            let archived = TreePath::new(line).map_err(wrong)?;
            let there = self.tree.resolve(&archived);
            let there = there.and_then(|there| self.tree.get(&there));
            let is_folder = there.is_some_and(Node::is_directory);
            let path = merged::place(&archived, is_folder).map_err(wrong)?;
            entries.push(self.entry(path, archived));
        }
        Ok(Fragment {
            package,
            control: stanza.to_owned(),
            files: control_files,
            entries,
            texts: Vec::new(),
        })
    }

    /// What stands at a path of a package's list. What is not there was left out.
    fn entry(&self, path: TreePath, archived: TreePath) -> Entry {
        let node = self.tree.get(&path);
        let kind = match node.map(|node| &node.kind) {
            Some(Kind::Directory) => EntryNode::Directory,
            Some(Kind::Symlink(target)) => EntryNode::Symlink(target.clone()),
            Some(Kind::Regular(content)) => EntryNode::Regular(content.clone()),
            Some(&Kind::CharDevice { major, minor }) => EntryNode::CharDevice { major, minor },
            Some(&Kind::BlockDevice { major, minor }) => EntryNode::BlockDevice { major, minor },
            Some(Kind::Fifo) => EntryNode::Fifo,
            None => EntryNode::Regular(Content::inline(Vec::new())),
        };
        Entry {
            original: (archived != path).then_some(archived),
            meta: node.map(|node| node.meta.clone()).unwrap_or_default(),
            path,
            node: kind,
            md5: None,
            library: None,
        }
    }

    fn triggers(&self) -> Result<BTreeMap<String, String>, SystemError> {
        let folder = format!("{ROOT}/triggers");
        let mut all = BTreeMap::new();
        for name in self.names(&folder) {
            if ["Unincorp", "Lock"].contains(&&*name) {
                continue;
            }
            if let Some(text) = self.text(&format!("{folder}/{name}"))? {
                all.insert(name, text);
            }
        }
        Ok(all)
    }

    /// What dpkg's settings leave out.
    fn filter(&self) -> Result<PathFilter, SystemError> {
        let folder = "etc/dpkg/dpkg.cfg.d";
        let mut names = self.names(folder);
        // As run-parts takes them.
        names.retain(|name| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
            name.bytes().all(plain)
        });
        names.sort_unstable();
        let paths = names.iter().map(|name| format!("{folder}/{name}"));
        let paths = paths.chain(["etc/dpkg/dpkg.cfg".to_owned()]);
        let (mut exclude, mut include) = (Vec::new(), Vec::new());
        for path in paths {
            let text = self.text(&path)?.unwrap_or_default();
            for line in text.lines().map(str::trim) {
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let (name, value) = line.split_once(['=', ' ', '\t']).unwrap_or((line, ""));
                let value = value.trim().trim_matches('"').to_owned();
                match name.trim_start_matches("--") {
                    // The last pattern that matches decides.
                    "path-exclude" if include.is_empty() => exclude.push(value),
                    "path-include" => include.push(value),
                    known if HARMLESS.contains(&known) => {}
                    _ => {
                        let setting = line.to_owned();
                        return Err(SystemError::Setting { path, setting });
                    }
                }
            }
        }
        Ok(PathFilter::new(&exclude, &include))
    }
}
