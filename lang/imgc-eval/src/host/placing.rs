//! Files in their places: what each key of `files` adds to an image, and the files of
//! images that are made from each other.
//!
//! Files are shared between images, and what was placed once is not placed again. Only
//! programs are looked at again when an image is for another platform.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Arch, Content, File, FileDigest, FileNode, ImagePath, Platform};

use crate::look;
use crate::origins::Place;
use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::{FileSource, FileValue, Origin, Value};

use super::combine::Joint;
use super::files::file_of;
use super::{field_site, image_path, keep};

/// How many files one image may add.
const MAX_FILES: usize = 200_000;
/// What putting a file in its place is counted as: it is put together and sorted in.
const PLACE: usize = 64;

/// What an image says to put at a path.
#[derive(Debug, PartialEq)]
pub(super) struct Entry {
    /// The path.
    pub(super) path: ImagePath,
    /// What.
    pub(super) file: Arc<FileValue>,
    /// Where the path is written.
    pub(super) key: Site,
    /// Where the file is written.
    pub(super) at: Site,
}

/// The platform that programs must be for, and where it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target {
    /// The platform.
    pub(super) platform: Platform,
    /// Where it is said, if it is.
    pub(super) site: Option<Site>,
}

/// The files of an image, sorted by path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Files {
    placed: Vec<Arc<Placed>>,
    /// What the programs are for.
    platform: Platform,
}

/// One file in its place.
#[derive(Debug, PartialEq)]
pub(super) struct Placed {
    /// The file.
    pub(super) file: File,
    /// Where its content stands in the project.
    pub(super) source: Option<(FileDigest, String)>,
    /// What put it there. A folder puts many.
    entry: Arc<Entry>,
}

/// Files while they are put in their places.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<ImagePath, Arc<Placed>>);

/// Reads the field `files`. What is wrong is left out and remembered in `failed`.
pub(super) fn entries(call: &mut Call<'_>, value: &Value, failed: &mut bool) -> Vec<Arc<Entry>> {
    let mut entries = Vec::new();
    let Some(record) = value.as_record() else {
        *failed = true;
        return entries;
    };
    if keep(failed, call.step(record.values.len())).is_none() {
        return entries;
    }
    for (name, file) in record.iter() {
        let key = field_site(call, value, name);
        let path = image_path(call, name, key);
        let found = file_of(call, file);
        let (Some(path), Some(found)) = (keep(failed, path), keep(failed, found)) else {
            continue;
        };
        if keep(failed, call.allocate(size_of::<Entry>() + name.len())).is_none() {
            break;
        }
        entries.push(Arc::new(Entry {
            path,
            file: found,
            key,
            at: call.site_of_value(file),
        }));
    }
    entries
}

impl Files {
    /// No files.
    pub(super) fn none(platform: Platform) -> Self {
        Self {
            placed: Vec::new(),
            platform,
        }
    }

    /// The files of an image that says these entries. What is wrong is remembered in
    /// `failed`.
    pub(super) fn new(
        call: &mut Call<'_>,
        entries: &[Arc<Entry>],
        target: Target,
        failed: &mut bool,
    ) -> Self {
        let placed: Vec<Arc<Placed>> = place(call, entries, target, failed)
            .0
            .into_values()
            .collect();
        let files = Self {
            placed,
            platform: target.platform,
        };
        let lies = files.below(call, &files.placed);
        keep(failed, lies);
        files
    }

    /// These with programs for another platform.
    pub(super) fn aim(
        self: &Arc<Self>,
        call: &mut Call<'_>,
        target: Target,
        failed: &mut bool,
    ) -> Arc<Self> {
        if self.platform == target.platform {
            return self.clone();
        }
        let mut all = Self::clone(self);
        all.platform = target.platform;
        if keep(failed, call.step(all.placed.len())).is_none() {
            return self.clone();
        }
        for placed in &mut all.placed {
            if matches!(placed.entry.file.source, FileSource::Binary(_)) {
                let mut places = Places::default();
                let again = put(call, &mut places, &placed.entry, target);
                keep(failed, again);
                if let Some((_, new)) = places.0.pop_first() {
                    *placed = new;
                }
            }
        }
        Arc::new(all)
    }

    /// These and the files of new entries.
    pub(super) fn join_new(
        &self,
        call: &mut Call<'_>,
        entries: &[Arc<Entry>],
        target: Target,
        joint: &Joint,
        failed: &mut bool,
    ) -> Eval<Self> {
        let new = place(call, entries, target, failed).0;
        let new = Self {
            placed: new.into_values().collect(),
            platform: target.platform,
        };
        self.join(call, &new, joint, failed)
    }

    /// The files of both, which are for one platform. Two different files at one path are
    /// a conflict.
    pub(super) fn join(
        &self,
        call: &mut Call<'_>,
        other: &Self,
        joint: &Joint,
        failed: &mut bool,
    ) -> Eval<Self> {
        if other.placed.is_empty() {
            return Ok(self.clone());
        }
        self.count(call, other)?;
        let mut conflicts = Vec::new();
        let all = merged(&self.placed, &other.placed, |old, new| {
            if old.file == new.file || new.yields_to(old) {
                return old.clone();
            }
            if !old.yields_to(new) {
                conflicts.push((old.clone(), new.clone()));
            }
            new.clone()
        });
        for (old, new) in &conflicts {
            *failed = true;
            let message = format!("two different files at `{}`", new.file.path);
            joint.conflict_of(call, message, old.entry.key, new.entry.key);
        }
        let all = self.with(all);
        all.fits(call, &other.placed)?;
        Ok(all)
    }

    /// These, with the new entries in the place of those of the same path, and of the
    /// files that stand where theirs do.
    pub(super) fn replace(
        &self,
        call: &mut Call<'_>,
        entries: &[Arc<Entry>],
        target: Target,
        failed: &mut bool,
    ) -> Eval<Self> {
        let gone: BTreeSet<&ImagePath> = entries.iter().map(|entry| &entry.path).collect();
        call.step(self.placed.len())?;
        let rest = self.placed.iter();
        let rest = rest.filter(|placed| !gone.contains(&placed.entry.path));
        let rest = Arc::new(self.with(rest.cloned().collect()));
        // What stays must fit the platform, what goes need not.
        let rest = rest.aim(call, target, failed);
        let new: Vec<Arc<Placed>> = place(call, entries, target, failed)
            .0
            .into_values()
            .collect();
        let new = self.with(new);
        rest.count(call, &new)?;
        let all = merged(&rest.placed, &new.placed, |old, new| {
            let kept = if new.yields_to(old) { old } else { new };
            kept.clone()
        });
        let mut all = self.with(all);
        all.platform = target.platform;
        all.fits(call, &new.placed)?;
        Ok(all)
    }

    /// Every file, by path.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &Placed> {
        self.placed.iter().map(|placed| &**placed)
    }

    /// Where they are written. What a folder holds is written where the folder is.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, Site)> {
        let files = self.placed.iter();
        files.map(|placed| (Place::File(placed.file.path.to_string()), placed.entry.key))
    }

    /// The digests of what is fetched, and where they are written.
    pub(super) fn fetched(&self) -> impl Iterator<Item = (Place, Origin)> {
        let fetched = self
            .placed
            .iter()
            .filter_map(|placed| match &placed.entry.file.source {
                FileSource::Fetched(fetched) => Some(fetched),
                FileSource::Archive(archive) => match &archive.archive {
                    FileSource::Fetched(fetched) => Some(fetched),
                    _ => None,
                },
                _ => None,
            });
        fetched.map(|fetched| (Place::Fetched(fetched.digest.hex()), fetched.at))
    }

    /// About how many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.placed.iter().map(|placed| placed.bytes()).sum()
    }

    fn with(&self, placed: Vec<Arc<Placed>>) -> Self {
        Self {
            placed,
            platform: self.platform,
        }
    }

    /// Counts the work of going over both.
    fn count(&self, call: &mut Call<'_>, other: &Self) -> Eval<()> {
        let count = self.placed.len() + other.placed.len();
        call.step(count * 2 + 1)?;
        call.allocate(count * size_of::<Arc<Placed>>())
    }

    fn fits(&self, call: &mut Call<'_>, new: &[Arc<Placed>]) -> Eval<()> {
        if let [.., last] = new
            && self.placed.len() > MAX_FILES
        {
            return Err(too_many(call, last.entry.key));
        }
        self.below(call, new)
    }

    fn get(&self, path: &str) -> Option<&Arc<Placed>> {
        let at = |placed: &Arc<Placed>| placed.file.path.as_str().cmp(path);
        let at = self.placed.binary_search_by(at).ok()?;
        Some(&self.placed[at])
    }

    /// Reports what lies below something that is no folder, where one of the two is new.
    fn below(&self, call: &mut Call<'_>, new: &[Arc<Placed>]) -> Eval<()> {
        let mut pairs: BTreeMap<&ImagePath, (&Arc<Placed>, &Arc<Placed>)> = BTreeMap::new();
        for placed in new {
            let path = placed.file.path.as_str();
            call.step(path.matches('/').count())?;
            let mut ancestors = path.match_indices('/').skip(1);
            let file = ancestors
                .find_map(|(at, _)| self.get(&path[..at]).filter(|above| !above.is_folder()));
            if let Some(file) = file {
                pairs.insert(&placed.file.path, (placed, file));
            }
            let inner = format!("{path}/");
            if !placed.is_folder() {
                let before = |placed: &Arc<Placed>| placed.file.path.as_str() < inner.as_str();
                let first = self.placed.partition_point(before);
                let inside = self.placed.get(first);
                let inside = inside.filter(|at| at.file.path.as_str().starts_with(&inner));
                if let Some(inside) = inside {
                    pairs.insert(&inside.file.path, (inside, placed));
                }
            }
        }
        let failed = !pairs.is_empty();
        for (path, (placed, above)) in pairs {
            let above_path = &above.file.path;
            let message = format!("`{path}` lies below `{above_path}`, which is no folder");
            let problem = Problem::new(codes::DUPLICATE_PATH, placed.entry.key, message);
            call.report(problem.label(above.entry.key, "it is here"));
        }
        if failed { Err(Failed) } else { Ok(()) }
    }
}

impl Places {
    /// Puts one node in its place.
    pub(super) fn add(
        &mut self,
        call: &mut Call<'_>,
        entry: &Arc<Entry>,
        path: ImagePath,
        node: FileNode,
        source: Option<(FileDigest, String)>,
    ) -> Eval<()> {
        let text = match &node {
            FileNode::Regular {
                content: Content::Text(text),
                ..
            } => text.len(),
            _ => 0,
        };
        call.step(PLACE)?;
        call.allocate(size_of::<Placed>() + path.as_str().len() + text)?;
        if self.0.len() >= MAX_FILES {
            return Err(too_many(call, entry.key));
        }
        let placed = Placed {
            file: File {
                path: path.clone(),
                node,
                user: entry.file.user.clone(),
                group: entry.file.group.clone(),
            },
            source,
            entry: entry.clone(),
        };
        let message = format!("two entries put a file at `{path}`");
        if let Some(earlier) = self.0.insert(path, Arc::new(placed)) {
            let problem = Problem::new(codes::DUPLICATE_PATH, entry.key, message)
                .label(earlier.entry.key, "the other one is here");
            return Err(call.report(problem));
        }
        Ok(())
    }
}

impl Placed {
    fn is_folder(&self) -> bool {
        matches!(
            self.file.node,
            FileNode::Directory { .. } | FileNode::Archive { .. }
        )
    }

    /// Whether it is a folder of which nothing is said, and the other one is a folder.
    fn yields_to(&self, other: &Self) -> bool {
        matches!(self.file.node, FileNode::Directory { keep: true, .. }) && other.is_folder()
    }

    fn bytes(&self) -> usize {
        let text = match &self.file.node {
            FileNode::Regular {
                content: Content::Text(text),
                ..
            } => text.len(),
            _ => 0,
        };
        size_of::<Self>() + 2 * self.file.path.as_str().len() + text
    }
}

fn too_many(call: &mut Call<'_>, site: Site) -> Failed {
    let message = format!("an image adds at most {MAX_FILES} files");
    call.report(Problem::new(codes::BUDGET_EXCEEDED, site, message))
}

/// Both sorted lists as one. Where a path is in both, `choose` says which it is.
fn merged(
    first: &[Arc<Placed>],
    second: &[Arc<Placed>],
    mut choose: impl FnMut(&Arc<Placed>, &Arc<Placed>) -> Arc<Placed>,
) -> Vec<Arc<Placed>> {
    let mut all = Vec::with_capacity(first.len() + second.len());
    let (mut one, mut two) = (first.iter().peekable(), second.iter().peekable());
    while let (Some(left), Some(right)) = (one.peek(), two.peek()) {
        match left.file.path.cmp(&right.file.path) {
            Ordering::Less => all.extend(one.next().cloned()),
            Ordering::Greater => all.extend(two.next().cloned()),
            Ordering::Equal => {
                all.push(choose(left, right));
                one.next();
                two.next();
            }
        }
    }
    all.extend(one.cloned());
    all.extend(two.cloned());
    all
}

/// Puts every entry in its place.
fn place(call: &mut Call<'_>, entries: &[Arc<Entry>], target: Target, failed: &mut bool) -> Places {
    let mut places = Places::default();
    for entry in entries {
        let put = put(call, &mut places, entry, target);
        keep(failed, put);
    }
    places
}

fn put(call: &mut Call<'_>, places: &mut Places, entry: &Arc<Entry>, target: Target) -> Eval<()> {
    let (path, value) = (&entry.path, &entry.file);
    let mut content = None;
    let node = match &value.source {
        FileSource::Text(text) => FileNode::Regular {
            content: Content::Text(text.to_string()),
            mode: value.mode.unwrap_or(0o644) | value.bits,
            capabilities: value.capabilities.clone(),
        },
        FileSource::Symlink(target) => FileNode::Symlink {
            target: target.to_string(),
        },
        FileSource::Directory(None) => FileNode::Directory {
            mode: value.mode.unwrap_or(0o755) | value.bits,
            keep: false,
        },
        FileSource::Directory(Some((source, origin))) => {
            if path.as_str() == "/" && (value.mode.is_some() || value.bits != 0) {
                let message = "the root of the image keeps its mode";
                let problem = Problem::new(codes::INVALID_ARGUMENT, entry.at, message);
                return Err(call.report(problem.help("leave `mode` out")));
            }
            let site = call.site_of(*origin);
            look::project_folder(call, source, site, "use `file`")?;
            return super::project::place_folder(call, places, entry, source, site);
        }
        FileSource::Project(source, origin) | FileSource::Regular(source, origin) => {
            let site = call.site_of(*origin);
            match look::project_stat(call, source, site)? {
                None if matches!(value.source, FileSource::Regular(..)) => {
                    let message = "this is a folder, and `file` takes a file";
                    let problem = Problem::new(codes::INVALID_ARGUMENT, site, message);
                    return Err(call.report(problem.help("use `directory`")));
                }
                None => {
                    return super::project::place_folder(call, places, entry, source, site);
                }
                Some(executable) => {
                    let mode = if executable { 0o755 } else { 0o644 };
                    let mode = value.mode.unwrap_or(mode) | value.bits;
                    let (mut node, from) = super::project::content(call, source, mode, site)?;
                    if let FileNode::Regular { capabilities, .. } = &mut node {
                        capabilities.clone_from(&value.capabilities);
                    }
                    content = Some(from);
                    node
                }
            }
        }
        FileSource::Fetched(fetched) => FileNode::Regular {
            content: super::fetch::content(fetched),
            mode: value.mode.unwrap_or(0o644) | value.bits,
            capabilities: value.capabilities.clone(),
        },
        FileSource::Archive(unpacked) => {
            let from = match &unpacked.archive {
                FileSource::Fetched(fetched) => super::fetch::content(fetched),
                FileSource::Regular(source, origin) => {
                    let site = call.site_of(*origin);
                    look::project_file(call, source, site)?;
                    let (node, from) = super::project::content(call, source, 0, site)?;
                    content = Some(from);
                    let FileNode::Regular { content, .. } = node else {
                        return Err(Failed);
                    };
                    content
                }
                _ => return Err(Failed),
            };
            let node = FileNode::Archive {
                content: from,
                strip: unpacked.strip,
                exclude: unpacked.exclude.clone(),
                include: unpacked.include.clone(),
                setuid: unpacked.setuid,
            };
            // Nothing is at the root but what the archive puts there.
            return places.add(call, entry, path.clone(), node, content);
        }
        FileSource::Binary(programs) => {
            let arch = target.platform.arch;
            let fits = |wanted: &Option<Arch>| wanted.is_none_or(|wanted| wanted == arch);
            let program = programs.iter().find(|(arch, ..)| fits(arch));
            let Some((_, source, origin)) = program else {
                let message = format!("there is no program for {arch} here");
                let mut problem = Problem::new(codes::WRONG_ARCHITECTURE, entry.at, message)
                    .note(format!("the image is for {}", target.platform))
                    .help(format!("add `{arch} = ./…;`"));
                if let Some(site) = target.site {
                    problem = problem.label(site, "the platform is set here");
                }
                return Err(call.report(problem));
            };
            let site = call.site_of(*origin);
            super::project::check_program(call, source, site, target)?;
            let mode = value.mode.unwrap_or(0o755);
            let (node, from) = super::project::content(call, source, mode, site)?;
            content = Some(from);
            node
        }
    };
    check_started(call, entry, &node)?;
    if path.as_str() == "/" {
        let message = "`/` is the root of the image: only a folder of the project can be put there";
        return Err(call.report(Problem::new(codes::BAD_IMAGE_PATH, entry.key, message)));
    }
    places.add(call, entry, path.clone(), node, content)
}

/// Checks that what asks for more than its user may do can be started at all.
fn check_started(call: &mut Call<'_>, entry: &Entry, node: &FileNode) -> Eval<()> {
    let FileNode::Regular {
        mode, capabilities, ..
    } = node
    else {
        return Ok(());
    };
    if (capabilities.is_empty() && mode & 0o6000 == 0) || mode & 0o111 != 0 {
        return Ok(());
    }
    let what = match mode & 0o6000 {
        0 => "capabilities are",
        0o2000 => "`setgid` is",
        _ => "`setuid` is",
    };
    let message = format!("{what} for programs, and nobody may execute this file");
    let problem = Problem::new(codes::INVALID_ARGUMENT, entry.at, message);
    Err(call.report(problem.help("give it a mode such as `0o755`")))
}
