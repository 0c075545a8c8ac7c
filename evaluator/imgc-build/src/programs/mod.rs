//! Whether the programs among an image's own files can be started: their loader is there,
//! every library that they need, and of each library the versions that are asked for.
//!
//! It looks at files, and starts nothing. Packages see to their own programs by what they
//! depend on; here it is about files that nobody said such things of.

mod ahead;
mod elf;
mod loader;
mod naming;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::rc::Rc;

use imgc_layer::Contents;
use imgc_plan::{File, FileNode, Image};
use imgc_tree::{Content, Kind, Tree, TreePath};

use self::elf::Facts;
use self::loader::{Linked, Loader, Rules, absolute, file, usual};
use crate::BuildError;

pub use ahead::lacking;

/// The largest ELF file that is looked into, in bytes.
const MAX_ELF: u64 = 2 << 30;

/// The largest cache of libraries that is read, in bytes.
const MAX_CACHE: u64 = 64 << 20;

/// A program or library among the image's own files that can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its path in the image, as the image names it.
    pub path: String,
    /// What it lacks: at least one thing.
    pub lacks: Vec<Lack>,
}

/// What a program lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lack {
    /// Its interpreter is not there.
    Interpreter {
        /// Its path.
        path: String,
        /// The packages that have it, if that is known.
        packages: Vec<String>,
    },
    /// A library is not there.
    Library {
        /// Its name.
        name: String,
        /// What asks for it.
        by: String,
        /// Where the image has it, in a folder that is not looked into.
        elsewhere: Option<String>,
        /// The packages that have it, if that is known.
        packages: Vec<String>,
    },
    /// A library is there, without a version of its interface.
    Version {
        /// The library's name.
        library: String,
        /// The version.
        version: String,
        /// What asks for it.
        by: String,
        /// Where the library is.
        at: String,
    },
    /// Its headers can't be read.
    Damaged,
}

impl Lack {
    /// The packages that would help.
    pub fn packages(&self) -> &[String] {
        match self {
            Self::Interpreter { packages, .. } | Self::Library { packages, .. } => packages,
            Self::Version { .. } | Self::Damaged => &[],
        }
    }

    /// By what name the image may say that it is provided from outside.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Interpreter { path, .. } => Some(path),
            Self::Library { name, .. } => Some(name),
            Self::Version { library, .. } => Some(library),
            Self::Damaged => None,
        }
    }
}

/// An own file that is looked at.
struct Own<'a> {
    /// As the image names it.
    name: &'a str,
    path: TreePath,
    facts: Rc<Facts>,
}

/// What an own file is, as far as it is looked at.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// A dynamic ELF file.
    Dynamic(Facts),
    /// A program whose headers can't be read.
    Damaged,
    /// The script that a container of the image begins with: its interpreter.
    Script(String),
}

/// What a container of the image begins with.
fn first(image: &Image) -> Option<&str> {
    let config = &image.config;
    let first = config.entrypoint.first().or(config.cmd.first());
    first.map(String::as_str)
}

/// The own file that a container of the image may begin with: it may come out of an archive.
pub(crate) fn starts(image: &Image) -> Option<&str> {
    first(image).filter(|first| {
        let mut files = image.files.iter();
        files.any(|file| {
            let is_archive = matches!(file.node, FileNode::Archive { .. });
            let rest = first.strip_prefix(file.path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || is_archive)
        })
    })
}

/// What of `files` is looked at, by their places there.
pub(crate) fn found(
    image: &Image,
    files: &[File],
    contents: &dyn Contents,
) -> Result<Vec<(usize, Found)>, BuildError> {
    let first = first(image);
    let mut all = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let FileNode::Regular { content, mode, .. } = &file.node else {
            continue;
        };
        let is_first = first == Some(file.path.as_str());
        let content = match content {
            imgc_plan::Content::Text(text) if is_first => Content::inline(text.as_bytes()),
            imgc_plan::Content::Source { digest, size } => Content {
                size: *size,
                sha256: *digest.as_bytes(),
                data: imgc_tree::Data::Outside,
            },
            _ => continue,
        };
        let start = start(&content, contents).map_err(|error| reading(&error))?;
        if let Some(script) = start.strip_prefix(b"#!")
            && is_first
        {
            all.extend(interpreter(script).map(|path| (at, Found::Script(path))));
        }
        if !elf::is_elf(&start) {
            continue;
        }
        let bytes = contents.read(&content, MAX_ELF);
        match elf::read(&bytes.map_err(|error| reading(&error))?) {
            Ok(Some(facts)) if facts.kind == image.platform.arch.elf() => {
                all.push((at, Found::Dynamic(facts)));
            }
            Ok(_) => {}
            // What nobody can start may be anything.
            Err(elf::Damaged) if mode & 0o111 != 0 => all.push((at, Found::Damaged)),
            Err(elf::Damaged) => {}
        }
    }
    Ok(all)
}

/// Whether libraries have to be looked into for these.
pub(crate) fn needs_libraries(found: &[(usize, Found)]) -> bool {
    let mut found = found.iter();
    found.any(|(_, found)| matches!(found, Found::Dynamic(_)))
}

/// The first bytes of a file: what the kernel looks at (`BINPRM_BUF_SIZE`).
fn start(content: &Content, contents: &dyn Contents) -> std::io::Result<Vec<u8>> {
    let mut start = Vec::new();
    contents.open(content)?.take(256).read_to_end(&mut start)?;
    Ok(start)
}

/// The interpreter of a script, from what is behind `#!`. None where it is not absolute.
fn interpreter(script: &[u8]) -> Option<String> {
    let line = script.split(|&b| b == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let path = line.split_whitespace().next()?;
    path.starts_with('/').then(|| path.to_owned())
}

fn reading(error: &std::io::Error) -> BuildError {
    BuildError::Reading(error.to_string())
}

/// Checks the dynamic ELF files among an image's own files against its finished tree.
pub(crate) fn check(
    image: &Image,
    files: &[File],
    found: Vec<(usize, Found)>,
    tree: &Tree,
    contents: &dyn Contents,
) -> Result<Vec<Program>, BuildError> {
    let mut programs = Vec::new();
    let mut own = Vec::new();
    for (at, found) in found {
        let name = files[at].path.as_str();
        // Something else may have taken its place.
        let Some(path) = file(tree, name) else {
            continue;
        };
        let lack = match found {
            Found::Dynamic(facts) => {
                let facts = Rc::new(facts);
                own.push(Own { name, path, facts });
                continue;
            }
            Found::Damaged => Lack::Damaged,
            Found::Script(path) if file(tree, &path).is_none() => {
                if image.provided.contains_key(&path) {
                    continue;
                }
                Lack::Interpreter {
                    path,
                    packages: Vec::new(),
                }
            }
            Found::Script(_) => continue,
        };
        programs.push(Program {
            path: name.to_owned(),
            lacks: vec![lack],
        });
    }
    if own.is_empty() {
        return Ok(programs);
    }
    let known = RefCell::new(BTreeMap::new());
    for one in &own {
        known
            .borrow_mut()
            .insert(one.path.clone(), Some(Rc::clone(&one.facts)));
    }
    let read = |path: &TreePath| -> Result<Option<Rc<Facts>>, BuildError> {
        if let Some(known) = known.borrow().get(path) {
            return Ok(known.clone());
        }
        let facts = match tree.get(path).map(|node| &node.kind) {
            Some(Kind::Regular(content)) => read_facts(content, contents)?,
            _ => None,
        };
        known.borrow_mut().insert(path.clone(), facts.clone());
        Ok(facts)
    };
    let environment = image.config.env.get("LD_LIBRARY_PATH");
    let environment = environment.iter().flat_map(|text| text.split([':', ';']));
    let loader = Loader {
        tree,
        arch: image.platform.arch,
        read: &read,
        environment: environment
            .filter(|folder| folder.starts_with('/'))
            .map(str::to_owned)
            .collect(),
        cache: cache(tree, contents)?,
    };
    let mut checking = Checking {
        image,
        loader,
        // What is in the image by its name, wherever it is.
        names: RefCell::new(None),
    };
    let (started, others): (Vec<&Own<'_>>, Vec<&Own<'_>>) =
        own.iter().partition(|own| own.facts.interpreter.is_some());
    // A library that a program loads is looked at with that program.
    let mut loaded = BTreeSet::new();
    for one in started {
        let lacks = checking.program(one, &mut loaded)?;
        programs.extend(with(one, lacks));
    }
    for one in others {
        if !loaded.contains(&one.path) {
            let lacks = checking.library(one)?;
            programs.extend(with(one, lacks));
        }
    }
    programs.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(programs)
}

fn with(own: &Own<'_>, lacks: Vec<Lack>) -> Option<Program> {
    let path = own.name.to_owned();
    (!lacks.is_empty()).then_some(Program { path, lacks })
}

fn read_facts(content: &Content, contents: &dyn Contents) -> Result<Option<Rc<Facts>>, BuildError> {
    let bytes = contents.read(content, MAX_ELF);
    let bytes = bytes.map_err(|error| reading(&error))?;
    if !elf::is_elf(&bytes) {
        return Ok(None);
    }
    Ok(elf::read(&bytes).ok().flatten().map(Rc::new))
}

/// What `/etc/ld.so.cache` has: paths by name.
fn cache(
    tree: &Tree,
    contents: &dyn Contents,
) -> Result<BTreeMap<String, Vec<String>>, BuildError> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let Some(path) = file(tree, "/etc/ld.so.cache") else {
        return Ok(all);
    };
    if let Some(Kind::Regular(content)) = tree.get(&path).map(|node| &node.kind) {
        let bytes = contents.read(content, MAX_CACHE);
        let bytes = bytes.map_err(|error| reading(&error))?;
        for (name, path) in imgc_dpkg::cached_libraries(&bytes).unwrap_or_default() {
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            all.entry(text(name)).or_default().push(text(path));
        }
    }
    Ok(all)
}

struct Checking<'a> {
    image: &'a Image,
    loader: Loader<'a>,
    names: RefCell<Option<BTreeMap<String, Vec<TreePath>>>>,
}

impl Checking<'_> {
    fn is_provided(&self, name: &str) -> bool {
        self.image.provided.contains_key(name)
    }

    /// A program, which its interpreter loads.
    fn program(
        &mut self,
        own: &Own<'_>,
        loaded: &mut BTreeSet<TreePath>,
    ) -> Result<Vec<Lack>, BuildError> {
        let mut lacks = Vec::new();
        let interpreter = own.facts.interpreter.as_deref().unwrap_or_default();
        if file(self.loader.tree, interpreter).is_none() && !self.is_provided(interpreter) {
            lacks.push(Lack::Interpreter {
                path: interpreter.to_owned(),
                packages: Vec::new(),
            });
        }
        let name = interpreter.rsplit('/').next().unwrap_or_default();
        let rules = match name.starts_with("ld-musl-") {
            true => Rules::Musl,
            false => Rules::Glibc,
        };
        let linked = self.loader.link(&own.path, Rc::clone(&own.facts), rules)?;
        loaded.extend(linked.loaded.iter().map(|one| one.path.clone()));
        for (name, by) in &linked.missing {
            if !self.is_provided(name) {
                lacks.push(self.lack(name, &linked, *by));
            }
        }
        self.versions(&linked, &mut lacks);
        Ok(lacks)
    }

    /// A library that no program of the image's own asks for: something will load it, which
    /// may have loaded others. What it needs must be in the image, wherever that is.
    fn library(&mut self, own: &Own<'_>) -> Result<Vec<Lack>, BuildError> {
        let mut lacks = Vec::new();
        let rules = Rules::Glibc;
        let linked = self.loader.link(&own.path, Rc::clone(&own.facts), rules)?;
        for (name, by) in &linked.missing {
            if !self.is_provided(name) && self.elsewhere(name)?.is_none() {
                lacks.push(self.lack(name, &linked, *by));
            }
        }
        self.versions(&linked, &mut lacks);
        Ok(lacks)
    }

    fn lack(&self, name: &str, linked: &Linked, by: usize) -> Lack {
        Lack::Library {
            name: name.to_owned(),
            by: absolute(&linked.loaded[by].path),
            elsewhere: self.elsewhere(name).ok().flatten(),
            packages: Vec::new(),
        }
    }

    fn versions(&self, linked: &Linked, lacks: &mut Vec<Lack>) {
        for (library, version, by, at) in &linked.versions {
            if !self.is_provided(library) {
                lacks.push(Lack::Version {
                    library: library.clone(),
                    version: version.clone(),
                    by: absolute(&linked.loaded[*by].path),
                    at: absolute(&linked.loaded[*at].path),
                });
            }
        }
    }

    /// Where the image has a library of that name for its architecture.
    fn elsewhere(&self, name: &str) -> Result<Option<String>, BuildError> {
        let mut names = self.names.borrow_mut();
        let names = names.get_or_insert_with(|| {
            let mut all: BTreeMap<String, Vec<TreePath>> = BTreeMap::new();
            for (path, node) in self.loader.tree.iter() {
                if matches!(node.kind, Kind::Regular(_) | Kind::Symlink(_)) {
                    let name = String::from_utf8_lossy(path.name()).into_owned();
                    all.entry(name).or_default().push(path.clone());
                }
            }
            all
        });
        for path in names.get(name).into_iter().flatten() {
            let path = absolute(path);
            let Some(resolved) = file(self.loader.tree, &path) else {
                continue;
            };
            let facts = (self.loader.read)(&resolved)?;
            if facts.is_some_and(|facts| facts.kind == self.image.platform.arch.elf()) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }
}

/// The paths at which a package may have what is lacking, the best first.
fn wanted(lack: &Lack, image: &Image) -> Vec<String> {
    match lack {
        Lack::Library {
            name,
            elsewhere: None,
            ..
        } if !name.contains('/') => usual(image.platform.arch, name).to_vec(),
        Lack::Interpreter { path, .. } => match path.strip_prefix("/usr/") {
            Some(rest) => vec![path.clone(), format!("/{rest}")],
            None => vec![path.clone(), format!("/usr{path}")],
        },
        _ => Vec::new(),
    }
}
