//! The projects that the editor's files are in, each with its own database, and a thread
//! that evaluates it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Sender, unbounded};
use imgc_diag::{Diagnostic, FileId};
use imgc_eval::World;
use imgc_ide::{BuiltImage, BuiltLayer, Catalogue, Evaluator, PlannedImage, Workspace, folder_of};
use lsp_types as lsp;

use crate::documents::Documents;
use crate::{Host, Project};

/// What a thread has done.
#[derive(Debug)]
pub(crate) enum Done {
    /// The files of a project were checked.
    Checked {
        /// The root of the project.
        root: PathBuf,
        /// The state of the project that it is about.
        generation: u64,
        /// Which check of the project it is: a later one knows more.
        round: u64,
        /// What is wrong with open files and those that are wrong, ready to be told.
        files: BTreeMap<FileId, Vec<lsp::Diagnostic>>,
        /// The open texts at that moment.
        documents: Arc<Documents>,
        /// Whether these are all files; else those that were written.
        is_all: bool,
    },
    /// The open files of a project were evaluated.
    Evaluated {
        /// The root of the project.
        root: PathBuf,
        /// The state of the project that it is about.
        generation: u64,
        /// What is wrong, by file.
        found: BTreeMap<FileId, Vec<Diagnostic>>,
        /// What the images came to when they were built, by file.
        built: BTreeMap<FileId, Vec<BuiltImage>>,
    },
}

/// A project that is open.
#[derive(Debug)]
pub(crate) struct OpenProject {
    /// The root.
    pub(crate) root: PathBuf,
    /// The files as they are written.
    pub(crate) workspace: Workspace,
    /// The files that were found on the disk.
    pub(crate) found: BTreeSet<String>,
    /// The files that are open.
    pub(crate) open: BTreeSet<String>,
    /// How often anything changed.
    pub(crate) generation: u64,
    /// How often the project was checked, and which check was told last.
    pub(crate) round: u64,
    pub(crate) told_round: u64,
    /// The open files that were written since the project was checked.
    pub(crate) written: BTreeSet<String>,
    /// The state that is being checked, or was.
    pub(crate) asked: u64,
    /// What evaluation has found, by file, as long as that file is as it was.
    pub(crate) evaluated: Arc<BTreeMap<FileId, Vec<Diagnostic>>>,
    /// What the images of open files came to when they were built, by file.
    pub(crate) built: Arc<BTreeMap<FileId, Vec<BuiltImage>>>,
    /// What was told last, by file.
    pub(crate) told: BTreeMap<FileId, (Option<i32>, Vec<lsp::Diagnostic>)>,
    /// The folders whose packages were read ahead.
    prepared: BTreeSet<String>,
    evaluations: Sender<Evaluation>,
}

/// What is to be evaluated.
#[derive(Debug)]
struct Evaluation {
    generation: u64,
    texts: BTreeMap<String, Arc<str>>,
    entries: BTreeSet<String>,
}

impl OpenProject {
    /// Opens a project.
    pub(crate) fn open(
        project: Project,
        host: &Arc<dyn Host>,
        done: &Sender<Done>,
    ) -> Result<Self, String> {
        let Project { root, world } = project;
        let workspace = Workspace::new(world.clone(), host.catalogue(&root))?;
        let evaluations = evaluate(root.clone(), world, host.clone(), done.clone())?;
        Ok(Self {
            root,
            workspace,
            found: BTreeSet::new(),
            open: BTreeSet::new(),
            generation: 1,
            round: 0,
            told_round: 0,
            written: BTreeSet::new(),
            asked: 0,
            evaluated: Arc::default(),
            built: Arc::default(),
            told: BTreeMap::new(),
            prepared: BTreeSet::new(),
            evaluations,
        })
    }

    /// The path of a file from the root.
    pub(crate) fn inner(&self, path: &Path) -> Option<String> {
        let inner = path.strip_prefix(&self.root).ok()?;
        inner.to_str().map(str::to_owned)
    }

    /// A file is on the disk.
    pub(crate) fn discover(&mut self, inner: &str) {
        if self.found.insert(inner.to_owned()) {
            self.workspace.add(inner);
            self.generation += 1;
        }
    }

    /// A file is not on the disk any more.
    pub(crate) fn lose(&mut self, inner: &str) {
        if self.found.remove(inner) && !self.open.contains(inner) {
            self.workspace.remove(inner);
        }
        self.generation += 1;
    }

    /// The text of an open file is this.
    pub(crate) fn write(&mut self, inner: &str, text: Arc<str>) {
        if self.open.insert(inner.to_owned()) {
            self.workspace.add(inner);
        }
        self.written.insert(inner.to_owned());
        self.workspace.set_text(inner, Some(text));
        self.changed(inner);
    }

    /// A file is not open any more.
    pub(crate) fn close(&mut self, inner: &str) {
        self.open.remove(inner);
        self.workspace.set_text(inner, None);
        if !self.found.contains(inner) {
            self.workspace.remove(inner);
        }
        self.changed(inner);
    }

    /// Files on the disk changed.
    pub(crate) fn refresh(&mut self) {
        self.workspace.refresh();
        self.generation += 1;
    }

    /// What is known of packages is another now.
    pub(crate) fn set_catalogue(&mut self, catalogue: Arc<dyn Catalogue>) {
        self.workspace.set_catalogue(catalogue);
        self.prepared.clear();
    }

    /// Reads the packages of open files ahead, on a thread that nobody waits for: the whole
    /// index of a suite takes a second. Called once there is nothing more urgent.
    pub(crate) fn prepare(&mut self) {
        let folders = self.open.iter().map(|inner| folder_of(inner).to_owned());
        let folders: BTreeSet<String> = folders.collect();
        let fresh: Vec<String> = folders.difference(&self.prepared).cloned().collect();
        if fresh.is_empty() {
            return;
        }
        let catalogue = self.workspace.catalogue().clone();
        self.prepared.extend(fresh.iter().cloned());
        let work = move || fresh.iter().for_each(|folder| catalogue.prepare(folder));
        // Without it, the first question takes longer.
        let _ = thread::Builder::new()
            .name("packages".to_owned())
            .spawn(work);
    }

    fn changed(&mut self, inner: &str) {
        self.generation += 1;
        let id = FileId::new(inner);
        if self.evaluated.contains_key(&id) {
            // Its places have moved.
            let mut evaluated = (*self.evaluated).clone();
            evaluated.remove(&id);
            self.evaluated = Arc::new(evaluated);
        }
    }

    /// Asks for the open files to be evaluated.
    pub(crate) fn evaluate(&self) {
        // Whoever evaluates is there as long as the project is.
        let _ = self.evaluations.send(Evaluation {
            generation: self.generation,
            texts: self.workspace.texts(),
            entries: self.open.clone(),
        });
    }
}

/// What the images of files came to when they were last known to be built.
#[derive(Debug, Default)]
struct Known(BTreeMap<PathBuf, Vec<(PlannedImage, Vec<BuiltLayer>)>>);

impl Known {
    /// What the images of a file came to: as they are now, else as they were. `images` is
    /// none where nobody knows what the file describes.
    fn built(
        &mut self,
        host: &dyn Host,
        file: &Path,
        images: Option<&[PlannedImage]>,
    ) -> Vec<BuiltImage> {
        let before = self.0.remove(file).unwrap_or_default();
        let tell = |image: &PlannedImage, layers: &[BuiltLayer], is_old| BuiltImage {
            field: image.field.clone(),
            layers: layers.to_vec(),
            is_old,
        };
        let mut told = Vec::new();
        let mut after = Vec::new();
        match images {
            None => {
                told.extend(
                    before
                        .iter()
                        .map(|(image, layers)| tell(image, layers, true)),
                );
                after = before;
            }
            Some(images) => {
                for image in images {
                    if let Some(layers) = host.built(file, image) {
                        told.push(tell(image, &layers, false));
                        after.push((image.clone(), layers));
                        continue;
                    }
                    let same = |(known, _): &&(PlannedImage, Vec<BuiltLayer>)| {
                        known.field == image.field
                            && known.image.name == image.image.name
                            && known.image.platform == image.image.platform
                    };
                    if let Some((known, layers)) = before.iter().find(same) {
                        // What was built may be gone from the store.
                        told.push(tell(known, layers, known.image != image.image));
                        after.push((known.clone(), layers.clone()));
                    }
                }
            }
        }
        if !after.is_empty() {
            self.0.insert(file.to_owned(), after);
        }
        told
    }
}

/// Starts the thread that evaluates a project. It ends when nobody can ask it any more.
fn evaluate(
    root: PathBuf,
    world: Arc<dyn World>,
    host: Arc<dyn Host>,
    done: Sender<Done>,
) -> Result<Sender<Evaluation>, String> {
    let (sender, asked) = unbounded::<Evaluation>();
    let work = move || {
        let mut evaluator = Evaluator::new(world.clone());
        let mut known = Known::default();
        while let Ok(mut next) = asked.recv() {
            // Only the latest counts.
            while let Ok(later) = asked.try_recv() {
                next = later;
            }
            evaluator.update(next.texts);
            let mut found: BTreeMap<FileId, Vec<Diagnostic>> = BTreeMap::new();
            let mut built = BTreeMap::new();
            for entry in &next.entries {
                if !asked.is_empty() {
                    break;
                }
                let findings = evaluator.findings(entry);
                let images = findings.images.as_deref();
                let of_file = known.built(&*host, &root.join(entry), images);
                if !of_file.is_empty() {
                    built.insert(FileId::new(entry), of_file);
                }
                let mut diagnostics = findings.diagnostics;
                if let Some(plan) = &findings.plan {
                    let file = root.join(entry);
                    diagnostics.extend(host.further(&file, &*world, plan, &findings.origins));
                }
                for diagnostic in diagnostics {
                    let file = diagnostic.primary.span.file.clone();
                    let of_file = found.entry(file).or_default();
                    if !of_file.contains(&diagnostic) {
                        of_file.push(diagnostic);
                    }
                }
            }
            let told = done.send(Done::Evaluated {
                root: root.clone(),
                generation: next.generation,
                found,
                built,
            });
            if told.is_err() {
                return;
            }
        }
    };
    let thread = thread::Builder::new().name("evaluate".to_owned());
    thread.spawn(work).map_err(|error| error.to_string())?;
    Ok(sender)
}
