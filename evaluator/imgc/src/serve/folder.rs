//! The `.img` files of a folder as the images of a registry: the repository `a/b` is the
//! file `a/b.img`, built when it is pulled. Nothing else of the folder, and nothing
//! outside it, has a name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use imgc_diag::Severity;
use imgc_oci::Whole;
use imgc_oci::serve::{Images, Refusal, Wanted};
use imgc_store::BlobDigest;

use crate::build;
use crate::describe;
use crate::progress::Progress;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::{Source, Work};

/// The tag that is meant where none is said, and the field that it names where a file has
/// several images.
const LATEST: &str = "latest";
const DEFAULT: &str = "default";

/// A folder that is served.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    work: Work,
    locked: bool,
    terminal: Terminal,
    /// A lock for each folder with an `imgc.lock`: one at a time reads it and adds to it.
    lanes: Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>>,
    /// The images that there have been warnings about.
    warned: Mutex<BTreeSet<BlobDigest>>,
}

impl Folder {
    /// The folder `root`, absolute and without links.
    pub(super) fn new(root: PathBuf, work: Work, locked: bool, terminal: &Terminal) -> Self {
        Self {
            root,
            work,
            locked,
            terminal: terminal.clone(),
            lanes: Mutex::default(),
            warned: Mutex::default(),
        }
    }

    /// The file of a repository.
    fn file(&self, name: &str) -> Result<PathBuf, Refusal> {
        file(&self.root, name).ok_or(Refusal::NoName)
    }

    /// Evaluates a file. What is wrong is told to whoever started the server in full, and
    /// to the client in a line.
    fn evaluate(&self, file: &Path) -> Result<Source, Refusal> {
        let target = Target {
            file: file.to_owned(),
            select: None,
        };
        self.work.refresh();
        let looked = self.work.look(&target, build::policy(self.locked));
        let source = looked.map_err(|problem| {
            let message = problem.message.clone();
            self.terminal.failure(&problem.into());
            Refusal::Failed(message)
        })?;
        let evaluated = &source.evaluated;
        if evaluated.plan.is_some() {
            return Ok(source);
        }
        self.terminal
            .diagnostics(&evaluated.diagnostics, &evaluated.sources);
        let mut errors = evaluated
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error);
        let first = errors.next().map(|error| describe::short(error, &source));
        Err(Refusal::Failed(first.unwrap_or_default()))
    }

    fn lane(&self, file: &Path) -> Arc<Mutex<()>> {
        let folder = file.parent().unwrap_or(&self.root).to_owned();
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(folder).or_default())
    }

    fn realise(&self, name: &str, wanted: Wanted<'_>) -> Result<Vec<Whole>, Refusal> {
        let file = self.file(name)?;
        let progress = Progress::new(false, self.terminal.verbose);
        let lane = self.lane(&file);
        let alone = lane.lock().unwrap_or_else(PoisonError::into_inner);
        let mut source = self.evaluate(&file)?;
        if let Wanted::Tag(tag) = wanted {
            let tags = tags(&source);
            match tags.get(tag) {
                Some(image) => source.keep(image),
                None => {
                    let tags: Vec<&str> = tags.keys().map(String::as_str).collect();
                    let tags = tags.join(", ");
                    let message = format!("{name} has no image `{tag}`: its tags are {tags}");
                    return Err(Refusal::NoTag(message));
                }
            }
        }
        let failed = |error: describe::Report| {
            let message = error.short(&source);
            self.show(error.show(&source, &self.terminal));
            Refusal::Failed(message)
        };
        let lock = build::pin(&self.work, &source, self.locked, &progress).map_err(failed)?;
        drop(alone);
        let built = build::make(&self.work, &source, lock, &progress).map_err(failed)?;
        for (name, image) in built.iter().flat_map(|product| &product.images) {
            let digest = image.image.manifest.digest;
            let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
            if warned.insert(digest) {
                build::warn(name, image, &self.terminal);
            }
        }
        if progress.realised().0 > 0 {
            build::note_work(&progress);
            if let Err(problem) = self.work.make_room() {
                self.terminal.warning(&problem);
            }
        }
        Ok(built.into_iter().map(|product| product.whole).collect())
    }

    fn show(&self, failure: Failure) {
        self.terminal.failure(&failure);
    }
}

impl Images for Folder {
    fn tags(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let file = self.file(name)?;
        let lane = self.lane(&file);
        let _alone = lane.lock().unwrap_or_else(PoisonError::into_inner);
        let source = self.evaluate(&file)?;
        Ok(tags(&source).into_keys().collect())
    }

    fn build(&self, name: &str, wanted: Wanted<'_>) -> Result<Vec<Whole>, Refusal> {
        self.realise(name, wanted)
    }
}

/// `NAME.img` below `root`, if that is a file there, and not a link to somewhere else. The
/// registry lets only names of repositories through; this does not rely on it.
fn file(root: &Path, name: &str) -> Option<PathBuf> {
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.');
    if !name.split('/').all(is_plain) || name.contains(['\\', '\0']) {
        return None;
    }
    let file = root.join(format!("{name}.img")).canonicalize().ok()?;
    let is_image = file.extension().is_some_and(|extension| extension == "img");
    let inner = file.strip_prefix(root).ok()?;
    // A link may lead to a file that has no name of its own here.
    let is_hidden = inner
        .components()
        .any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
    (is_image && !is_hidden && file.is_file()).then_some(file)
}

/// The tags of a file, and the image or index that each names.
fn tags(source: &Source) -> BTreeMap<String, String> {
    let plan = source.plan();
    let images = plan.images.iter().map(|image| &image.name);
    let images = images.filter(|name| plan.index_of(name).is_none());
    let names = images.chain(plan.indexes.iter().map(|index| &index.name));
    let names: Vec<&String> = names.collect();
    let fields = names.iter().filter_map(|name| {
        let field = source.evaluated.origins.field(name)?;
        Some((field.to_owned(), (*name).clone()))
    });
    let mut tags: BTreeMap<String, String> = fields.collect();
    let latest = match &*names {
        [only] => Some((*only).clone()),
        _ => tags.get(DEFAULT).cloned(),
    };
    if let Some(latest) = latest {
        tags.entry(LATEST.to_owned()).or_insert(latest);
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests make files")]
    fn only_files_below_the_folder_have_names() {
        let place = tempfile::tempdir().expect("a folder");
        let place = place.path().canonicalize().expect("a folder");
        let root = place.join("root");
        std::fs::create_dir_all(root.join("sub/.hidden")).expect("a folder");
        for path in [
            "root/a.img",
            "root/sub/b.img",
            "root/sub/.hidden/c.img",
            "root/notes.txt",
            "outside.img",
        ] {
            std::fs::write(place.join(path), "image {}").expect("a file");
        }
        std::fs::create_dir_all(root.join("folder.img")).expect("a folder");
        let link = |to: &str, name: &str| {
            std::os::unix::fs::symlink(to, root.join(name)).expect("a link");
        };
        link("sub/b.img", "inside.img");
        link("../outside.img", "out.img");
        link("..", "up");
        link("notes.txt", "notes.img");
        link("sub/.hidden/c.img", "hidden.img");
        link("loop.img", "loop.img");
        link("nowhere.img", "nowhere.img");
        assert_eq!(file(&root, "a"), Some(root.join("a.img")));
        assert_eq!(file(&root, "sub/b"), Some(root.join("sub/b.img")));
        assert_eq!(file(&root, "inside"), Some(root.join("sub/b.img")));
        for name in [
            "out",
            "up/outside",
            "notes",
            "hidden",
            "loop",
            "nowhere",
            "folder",
            "sub",
            "c",
            "../outside",
            "sub/../../outside",
            "sub/.hidden/c",
            "/etc/passwd",
            "",
            ".",
            "..",
            "a.img",
            "a\0",
            "sub//b",
            "sub/b/",
        ] {
            assert_eq!(file(&root, name), None, "{name}");
        }
        let outside = place.join("outside");
        assert_eq!(file(&root, &outside.to_string_lossy()), None);
    }
}
