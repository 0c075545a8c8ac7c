//! Layers that are written to a new layout while the rest of its image is still being made.
//!
//! It is a guess that the image will have them. What it doesn't have goes when the layout is
//! whole, and the folder is nowhere to be seen before.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use imgc_build::{Event, Events};
use imgc_store::{BlobDigest, Store};
use tempfile::TempDir;

use crate::beside::{above, folder_beside};
use crate::output::{BLOBS, Output, is_new};
use crate::progress::Progress;

/// Where layers go before their image is whole.
pub(crate) struct Placing<'a> {
    output: Option<&'a Output>,
    store: &'a dyn Store,
    place: Mutex<Place>,
}

/// A folder that layers are written to.
enum Place {
    /// None, or not any more.
    Nowhere,
    /// It is to be made, beside this one.
    Beside(PathBuf),
    /// It is there.
    Begun(PathBuf, Part),
}

/// A folder beside its place. It is locked as long as the file is open.
pub(crate) type Part = (TempDir, File);

impl<'a> Placing<'a> {
    /// For images of `store` that `output` will be asked to write; without one, for none.
    pub(crate) fn new(output: Option<&'a Output>, store: &'a dyn Store) -> Self {
        Self {
            output,
            store,
            place: Mutex::new(Place::Nowhere),
        }
    }

    /// Takes layers for images of these names from now on, if they go to one folder that is
    /// not there yet, in one that is: a build that fails leaves nothing.
    pub(crate) fn begin(&self, names: &[&str]) {
        let folder = self.output.and_then(|output| output.folder(names));
        let folder =
            folder.filter(|folder| above(folder).is_dir() && is_new(folder).unwrap_or(false));
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) =
            folder.map_or(Place::Nowhere, Place::Beside);
    }

    /// The folder that was begun for this one, with what is in it.
    pub(crate) fn take(&self, folder: &Path) -> Option<Part> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *place, Place::Nowhere) {
            Place::Begun(beside, part) if beside == folder => Some(part),
            _ => None,
        }
    }

    /// Writes a layer. Whatever hinders it: who writes the image will find it too.
    fn layer(&self, blob: &BlobDigest) {
        let Some(path) = self.path(blob) else { return };
        if !path.exists() {
            let _ = self.store.export(blob, &path);
        }
    }

    /// The file for a layer, in a folder that is there.
    #[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
    fn path(&self, blob: &BlobDigest) -> Option<PathBuf> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Place::Beside(folder) = &*place {
            let folder = folder.clone();
            *place = Place::Nowhere;
            let part = folder_beside(&folder).ok()?;
            std::fs::create_dir_all(part.0.path().join(BLOBS)).ok()?;
            *place = Place::Begun(folder, part);
        }
        match &*place {
            Place::Begun(_, (part, _)) => Some(part.path().join(BLOBS).join(blob.hex())),
            _ => None,
        }
    }
}

/// Tells of a build, and places its layers.
pub(crate) struct Telling<'a> {
    pub(crate) progress: &'a Progress,
    pub(crate) placing: &'a Placing<'a>,
}

impl Events for Telling<'_> {
    fn event(&self, event: Event) {
        self.progress.event(event);
    }

    fn layer(&self, blob: &BlobDigest, _: u64) {
        self.placing.layer(blob);
    }
}
