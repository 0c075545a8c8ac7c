//! The layers of groups of packages, made while the packages are still being installed.
//!
//! Such a layer depends on nothing but its own packages, as long as no script changes one
//! of their files, and hardly any does. So it is begun before that is known. What turns
//! out otherwise is made again as it is, and what was made ahead is not used.

use std::sync::{Arc, Mutex, PoisonError};

use imgc_layer::{Compression, Layer, Recipe};
use imgc_plan::Action;
use imgc_store::BlobDigest;
use rayon::prelude::*;

use crate::layering::Groups;
use crate::parts::Part;
use crate::realise::{About, Output, realise};
use crate::{BuildError, Builder, abi};

/// A layer that was made before anyone knew whether it would be needed, and how.
#[derive(Debug)]
pub(crate) struct Ahead {
    /// How its layer is made.
    recipe: Recipe,
    made: Result<Layer, BuildError>,
}

impl Output for Layer {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        vec![(self.blob, self.size)]
    }
}

impl Builder<'_> {
    /// The layers of groups, as they are if all packages stand in the image as they were
    /// unpacked.
    pub(crate) fn ahead(
        &self,
        parts: &[Arc<Part>],
        groups: &Groups,
        compression: Compression,
    ) -> Vec<Ahead> {
        groups
            .par_iter()
            .map(|(name, group)| {
                let recipe = imgc_layer::plan_group(group.iter().map(|&at| parts[at].used()));
                let made = self.group_layer(name, &recipe, compression);
                Ahead { recipe, made }
            })
            .collect()
    }

    /// The layer of a group: one that was made ahead, if it is that.
    pub(crate) fn group_layer_of(
        &self,
        ahead: &Mutex<Vec<Ahead>>,
        name: &str,
        recipe: &Recipe,
        compression: Compression,
    ) -> Result<Layer, BuildError> {
        let mut all = ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.iter().position(|ahead| ahead.recipe == *recipe);
        let found = found.map(|at| all.swap_remove(at));
        drop(all);
        match found {
            Some(ahead) => ahead.made,
            None => self.group_layer(name, recipe, compression),
        }
    }

    /// The layer of a group: made once, whichever image has it.
    fn group_layer(
        &self,
        name: &str,
        recipe: &Recipe,
        compression: Compression,
    ) -> Result<Layer, BuildError> {
        // Before anything is locked: compressing uses the threads of the pool.
        let frames = self.frames(recipe, compression)?;
        let action = Action::Layer {
            folders: imgc_layer::folders(recipe)?,
            segments: recipe.segments.iter().map(|segment| segment.blob).collect(),
            compression: format!("{compression:?}"),
        };
        let about = About {
            kind: "layer",
            name,
            said: serde_json::Value::Null,
        };
        realise(self, (abi::layer(compression), action), about, || {
            self.assemble(recipe, compression, &frames)
        })
    }
}
