//! What the language server asks of the machine: projects, files, and files for people to
//! read. Nothing is fetched and nothing is built.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use imgc_build::LayerKind;
use imgc_diag::{Code, Diagnostic};
use imgc_eval::{Origins, World};
use imgc_ide::{BuiltLayer, Catalogue, LayerOf, NoPackages, PlannedImage};
use imgc_lsp::{Host, Project};
use imgc_plan::Plan;
use imgc_store::{DiskStore, Store};

use super::catalogue::Locked;
use crate::beside::write_whole;
use crate::describe;
use crate::desk::Files;
use crate::lock_file::LockFile;
use crate::network::Network;
use crate::project;
use crate::remote::{Cache, Policy, Remotes};
use crate::{found, settings};

/// The machine that the editor runs on.
#[derive(Debug)]
pub(crate) struct Machine {
    network: Arc<Network>,
    /// The lock that was read last.
    lock: Mutex<Option<LockFile>>,
}

impl Machine {
    /// The machine, without its network.
    pub(crate) fn new() -> Self {
        Self {
            network: Arc::new(Network::new(true, Arc::default())),
            lock: Mutex::default(),
        }
    }
}

impl Host for Machine {
    fn project(&self, file: &Path) -> Option<Project> {
        // The editor's paths stay as they are, also where links are in them.
        let folder = file.parent()?;
        let mut around = folder.ancestors();
        let root = around
            .find(|folder| folder.join(".git").exists())
            .unwrap_or(folder);
        let lock = LockFile::beside(file).map(|beside| beside.lock);
        let lock = lock.unwrap_or_default();
        let cache = Arc::new(Cache::later(None));
        let remotes = Remotes::new(Policy::Pinned, &lock, &self.network, &cache);
        let (world, inner) = project::Project::around(root, Arc::new(remotes)).ok()?;
        inner.is_empty().then(|| Project {
            root: root.to_owned(),
            world: Arc::new(world),
        })
    }

    fn catalogue(&self, root: &Path) -> Arc<dyn Catalogue> {
        match root.is_dir() {
            true => Arc::new(Locked::below(root)),
            false => Arc::new(NoPackages),
        }
    }

    fn files(&self, folder: &Path) -> Vec<PathBuf> {
        if !folder.is_dir() {
            return Vec::new();
        }
        found::files(&[folder.to_owned()]).unwrap_or_default()
    }

    fn std_file(&self, module: &str) -> Option<PathBuf> {
        let text = imgc_stdlib::module(module)?;
        shown("std", &format!("{module}.img"), text)
    }

    fn built(&self, file: &Path, image: &PlannedImage) -> Option<Vec<BuiltLayer>> {
        let mut last = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        let known: Vec<&LockFile> = last.iter().collect();
        let read = LockFile::known(file, &known).ok()?;
        let lock = &last.insert(read).lock;
        // The store is not kept open: others look after it meanwhile.
        let store = || {
            let settings = settings::store(None).ok()?;
            // Where there is none, none is made.
            let settings = settings.path.is_dir().then_some(settings)?;
            let store = DiskStore::open_over(&settings.path, &settings.substituters).ok()?;
            Some(Box::new(store) as Box<dyn Store>)
        };
        let built = imgc_build::built(&image.image, lock, store)?;
        let layers = built.image.layers.iter().zip(&built.contents);
        let layers = layers.map(|(layer, contents)| BuiltLayer {
            what: match &contents.what {
                LayerKind::Base => LayerOf::Base,
                LayerKind::Group(name) => LayerOf::Group(name.clone()),
                LayerKind::Packages => LayerOf::Packages,
                LayerKind::Files => LayerOf::Files,
            },
            size: layer.size,
        });
        Some(layers.collect())
    }

    fn further(
        &self,
        file: &Path,
        world: &dyn World,
        plan: &Plan,
        origins: &Origins,
    ) -> Vec<Diagnostic> {
        let Ok(beside) = LockFile::beside(file) else {
            return Vec::new();
        };
        let open = OnceCell::new();
        let store = || {
            let open: &Option<DiskStore> = open.get_or_init(|| {
                let settings = settings::store(None).ok()?;
                let settings = settings.path.is_dir().then_some(settings)?;
                DiskStore::open_over(&settings.path, &settings.substituters).ok()
            });
            open.as_ref().map(|store| store as &dyn Store)
        };
        let files = Files { plan, world };
        let errors = imgc_build::lacking(plan, &beside.lock, store, &files);
        let told = errors.iter();
        told.flat_map(|error| describe::diagnostics(error, origins))
            .collect()
    }

    fn code_page(&self, code: Code) -> Option<String> {
        let path = shown("codes", &format!("{code}.md"), imgc_diag::pages::page(code))?;
        let mut address = String::from("file://");
        for byte in path.to_str()?.bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
                address.push(char::from(byte));
            } else {
                address.push_str(&format!("%{byte:02X}"));
            }
        }
        Some(address)
    }
}

/// A file with a text for people to read, in a folder of the user's.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
fn shown(folder: &str, name: &str, text: &str) -> Option<PathBuf> {
    let folder = settings::editor_folder()?.join(folder);
    let path = folder.join(name);
    let is_there = std::fs::read_to_string(&path).is_ok_and(|there| there == text);
    if !is_there {
        std::fs::create_dir_all(&folder).ok()?;
        let written = write_whole(&path, |file| {
            std::io::Write::write_all(file, text.as_bytes())
        });
        written.ok()?;
    }
    Some(path)
}
