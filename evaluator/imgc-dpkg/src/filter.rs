//! Paths that are not unpacked: dpkg's `path-exclude` and `path-include`.
//!
//! A pattern is one of fnmatch(3) without special slashes: `*` takes any part of a path.
//! The last pattern that matches decides; all of `exclude` come before all of `include`.
//! A folder, or a link that may lead to one, stays where something below it may be
//! included. What is left out is the package's all the same: dpkg's list has it.

use imgc_scripts::fnmatch;

use crate::fragment::{Entry, EntryNode};

/// What is left out of all packages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PathFilter {
    exclude: Vec<Pattern>,
    include: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    text: String,
    /// How many bytes stand for themselves, at the front.
    plain: usize,
}

impl PathFilter {
    /// What matches one of `exclude` is left out, unless it matches one of `include`.
    /// The patterns are absolute.
    pub fn new(exclude: &[String], include: &[String]) -> Self {
        let patterns = |all: &[String]| all.iter().map(|text| Pattern::new(text)).collect();
        Self {
            exclude: patterns(exclude),
            include: patterns(include),
        }
    }

    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.exclude.is_empty()
    }

    /// Whether a path, which is absolute, is left out, whatever may be below it.
    pub fn leaves_out_path(&self, path: &[u8]) -> bool {
        any(&self.exclude, path) && !any(&self.include, path)
    }

    /// The file of settings that has dpkg do the same.
    pub(crate) fn settings(&self) -> String {
        let exclude = self.exclude.iter().map(|one| ("exclude", one));
        let include = self.include.iter().map(|one| ("include", one));
        exclude
            .chain(include)
            .map(|(what, pattern)| format!("path-{what}={}\n", pattern.text))
            .collect()
    }

    /// Whether an entry is left out.
    pub(crate) fn leaves_out(&self, entry: &Entry) -> bool {
        if self.is_empty() {
            return false;
        }
        let archived = entry.archived().as_bytes();
        let path = [b"/", archived].concat();
        if !any(&self.exclude, &path) || any(&self.include, &path) {
            return false;
        }
        let may_hold = matches!(entry.node, EntryNode::Directory | EntryNode::Symlink(_));
        !(may_hold && self.include.iter().any(|one| one.may_be_below(&path)))
    }
}

impl Pattern {
    fn new(text: &str) -> Self {
        let plain = text.find(['*', '?', '[', '\\']).unwrap_or(text.len());
        Self {
            text: text.to_owned(),
            plain,
        }
    }

    fn plain(&self) -> &[u8] {
        &self.text.as_bytes()[..self.plain]
    }

    fn matches(&self, path: &[u8]) -> bool {
        // Most paths are no match by their front alone.
        path.starts_with(self.plain())
            && fnmatch(&self.text.as_bytes()[self.plain..], &path[self.plain..])
    }

    /// dpkg's own measure: the path goes on from what stands for itself.
    fn may_be_below(&self, path: &[u8]) -> bool {
        let mut front = self.plain();
        while let Some(shorter) = front.strip_suffix(b"/") {
            front = shorter;
        }
        path.starts_with(front)
    }
}

fn any(patterns: &[Pattern], path: &[u8]) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}
