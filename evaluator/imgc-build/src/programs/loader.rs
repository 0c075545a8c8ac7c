//! Where a dynamic loader finds the libraries of a program: the rules of glibc's ld.so(8),
//! and those of musl for programs that name its loader.
//!
//! What depends on the machine that runs the image is left out: folders for newer
//! processors only have what other folders have too.

use std::collections::BTreeMap;
use std::rc::Rc;

use imgc_plan::Arch;
use imgc_tree::{Kind, Tree, TreePath};

use super::elf::Facts;
use crate::BuildError;

/// How many files one program may come to.
const MAX_LOADED: usize = 4096;

/// Whose rules are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    Glibc,
    Musl,
}

/// Gives what is known of a dynamic ELF file of the tree. None for any other.
pub(super) type Read<'a> = dyn Fn(&TreePath) -> Result<Option<Rc<Facts>>, BuildError> + 'a;

/// An image, as a loader sees it.
pub(super) struct Loader<'a> {
    pub(super) tree: &'a Tree,
    pub(super) arch: Arch,
    pub(super) read: &'a Read<'a>,
    /// `LD_LIBRARY_PATH` of the image.
    pub(super) environment: Vec<String>,
    /// `/etc/ld.so.cache`: paths by name.
    pub(super) cache: BTreeMap<String, Vec<String>>,
}

/// A file that has been loaded.
pub(super) struct Loaded {
    pub(super) path: TreePath,
    /// The names that it was asked for by, and its own.
    names: Vec<String>,
    pub(super) facts: Rc<Facts>,
    /// The folder that `$ORIGIN` stands for.
    origin: String,
    /// What asked for it.
    by: Option<usize>,
}

/// What loading comes to.
#[derive(Default)]
pub(super) struct Linked {
    pub(super) loaded: Vec<Loaded>,
    /// Names that nothing was found for, and which of the loaded asks for them.
    pub(super) missing: Vec<(String, usize)>,
    /// Versions that a library does not have: its name, the version, which of the loaded asks
    /// for it, and which is the library.
    pub(super) versions: Vec<(String, String, usize, usize)>,
}

impl Loaded {
    fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

impl Loader<'_> {
    /// Loads a program, and all libraries that it needs, breadth first.
    pub(super) fn link(
        &self,
        path: &TreePath,
        facts: Rc<Facts>,
        rules: Rules,
    ) -> Result<Linked, BuildError> {
        let mut linked = Linked::default();
        linked.loaded.push(Loaded {
            names: facts.soname.iter().cloned().collect(),
            facts,
            origin: folder_of(&absolute(path)),
            path: path.clone(),
            by: None,
        });
        let mut at = 0;
        while at < linked.loaded.len() && linked.loaded.len() < MAX_LOADED {
            let facts = Rc::clone(&linked.loaded[at].facts);
            for name in &facts.needed {
                self.need(&mut linked, name, at, rules)?;
            }
            at += 1;
        }
        if rules == Rules::Glibc {
            linked.check_versions();
        }
        Ok(linked)
    }

    fn need(
        &self,
        linked: &mut Linked,
        name: &str,
        by: usize,
        rules: Rules,
    ) -> Result<(), BuildError> {
        // musl's C library is its loader.
        let is_own = rules == Rules::Musl && (name == "libc.so" || name.starts_with("libc.musl-"));
        if is_own || linked.loaded.iter().any(|known| known.is_called(name)) {
            return Ok(());
        }
        let Some((path, found, facts)) = self.find(linked, name, by, rules)? else {
            if !linked.missing.iter().any(|(known, _)| known == name) {
                linked.missing.push((name.to_owned(), by));
            }
            return Ok(());
        };
        if let Some(known) = linked.loaded.iter_mut().find(|known| known.path == path) {
            known.names.push(name.to_owned());
            return Ok(());
        }
        let mut names = vec![name.to_owned()];
        names.extend(facts.soname.clone());
        linked.loaded.push(Loaded {
            path,
            names,
            facts,
            origin: folder_of(&found),
            by: Some(by),
        });
        Ok(())
    }

    /// The file that a name stands for: without links, as it was found, and what is known
    /// of it.
    fn find(
        &self,
        linked: &Linked,
        name: &str,
        by: usize,
        rules: Rules,
    ) -> Result<Option<(TreePath, String, Rc<Facts>)>, BuildError> {
        if name.contains('/') {
            let path = self.expand(name, &linked.loaded[by].origin);
            return self.library(&path);
        }
        for path in self.places(linked, name, by, rules) {
            if let Some(found) = self.library(&path)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Every path that is tried for a name, in order.
    fn places(&self, linked: &Linked, name: &str, by: usize, rules: Rules) -> Vec<String> {
        let asker = &linked.loaded[by];
        let mut folders: Vec<String> = Vec::new();
        let mut add = |list: &Option<String>, origin: &str| {
            let list = list.iter().flat_map(|list| list.split(':'));
            let list = list.filter(|folder| !folder.is_empty());
            folders.extend(list.map(|folder| self.expand(folder, origin)));
        };
        let chain = || std::iter::successors(Some(by), |at| linked.loaded[*at].by);
        match rules {
            Rules::Glibc => {
                if asker.facts.runpath.is_none() {
                    for above in chain().map(|at| &linked.loaded[at]) {
                        if above.facts.runpath.is_none() {
                            add(&above.facts.rpath, &above.origin);
                        }
                    }
                }
                for folder in &self.environment {
                    add(&Some(folder.clone()), &asker.origin);
                }
                add(&asker.facts.runpath, &asker.origin);
            }
            Rules::Musl => {
                for folder in &self.environment {
                    add(&Some(folder.clone()), &asker.origin);
                }
                for above in chain().map(|at| &linked.loaded[at]) {
                    let own = above.facts.runpath.as_ref().or(above.facts.rpath.as_ref());
                    add(&own.cloned(), &above.origin);
                }
            }
        }
        let mut places: Vec<String> = folders
            .iter()
            .map(|folder| format!("{}/{name}", folder.trim_end_matches('/')))
            .collect();
        match rules {
            Rules::Glibc => {
                places.extend(self.cache.get(name).into_iter().flatten().cloned());
                if !asker.facts.no_default {
                    places.extend(usual(self.arch, name));
                }
            }
            Rules::Musl => {
                let folders = ["/lib", "/usr/local/lib", "/usr/lib"];
                places.extend(folders.map(|folder| format!("{folder}/{name}")));
            }
        }
        places
    }

    /// The library at a path, if there is one for the image's architecture.
    fn library(&self, path: &str) -> Result<Option<(TreePath, String, Rc<Facts>)>, BuildError> {
        let Some(resolved) = file(self.tree, path) else {
            return Ok(None);
        };
        let facts = (self.read)(&resolved)?;
        let facts = facts.filter(|facts| facts.kind == self.arch.elf());
        Ok(facts.map(|facts| (resolved, path.to_owned(), facts)))
    }

    /// A path with what stands for folders in it.
    fn expand(&self, path: &str, origin: &str) -> String {
        let lib = format!("lib/{}", self.arch.multiarch());
        path.replace("${ORIGIN}", origin)
            .replace("$ORIGIN", origin)
            .replace("${LIB}", &lib)
            .replace("$LIB", &lib)
    }
}

impl Linked {
    /// Looks whether every library has the versions that are asked of it. One that has no
    /// versions at all is taken as it is.
    fn check_versions(&mut self) {
        for (at, asker) in self.loaded.iter().enumerate() {
            for (file, version) in &asker.facts.asks {
                let library = self.loaded.iter().position(|one| one.is_called(file));
                let Some(library) = library else { continue };
                let has = &self.loaded[library].facts.has;
                let seen = |known: &(String, String, usize, usize)| {
                    known.0 == *file && known.1 == *version
                };
                if !has.is_empty() && !has.contains(version) && !self.versions.iter().any(seen) {
                    let asked = (file.clone(), version.clone(), at, library);
                    self.versions.push(asked);
                }
            }
        }
    }
}

/// The folders that glibc of Debian looks into at the end, with a name.
pub(super) fn usual(arch: Arch, name: &str) -> [String; 4] {
    let triplet = arch.multiarch();
    [
        format!("/lib/{triplet}/{name}"),
        format!("/usr/lib/{triplet}/{name}"),
        format!("/lib/{name}"),
        format!("/usr/lib/{name}"),
    ]
}

/// The regular file that an absolute path leads to.
pub(super) fn file(tree: &Tree, path: &str) -> Option<TreePath> {
    // As Linux has it (PATH_MAX).
    if path.len() > 4096 {
        return None;
    }
    let parts = path.strip_prefix('/')?.split('/');
    let mut at: Vec<&str> = Vec::new();
    for part in parts {
        match part {
            "" | "." => {}
            // A folder that is a link may have another one above it.
            ".." => {
                let here = TreePath::new(at.join("/").as_bytes()).ok()?;
                let above = tree.resolve(&here)?.parent().unwrap_or_else(TreePath::root);
                let rest: Vec<&str> = path.split('/').collect();
                let used = rest.iter().position(|part| *part == "..")?;
                let rest = rest.get(used + 1..)?.join("/");
                let joined = format!("/{}/{rest}", String::from_utf8_lossy(above.as_bytes()));
                return file(tree, &joined);
            }
            part => at.push(part),
        }
    }
    let resolved = tree.resolve(&TreePath::new(at.join("/").as_bytes()).ok()?)?;
    let is_file = tree
        .get(&resolved)
        .is_some_and(|node| matches!(node.kind, Kind::Regular(_)));
    is_file.then_some(resolved)
}

pub(super) fn absolute(path: &TreePath) -> String {
    format!("/{}", String::from_utf8_lossy(path.as_bytes()))
}

fn folder_of(path: &str) -> String {
    path.rsplit_once('/')
        .map_or("", |(folder, _)| folder)
        .to_owned()
}
