//! What a file's images came to, under the names that they are handed on by: an image, or an
//! index with its images.

use imgc_build::Built;
use imgc_oci::{Image, Target, Whole};
use imgc_plan::Platform;
use imgc_store::BlobDigest;

use crate::describe::Problem;

/// An image or an index that was built.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    /// Its name.
    pub(crate) name: String,
    /// What the name stands for.
    pub(crate) whole: Whole,
    /// Its images with their own names: one, or those of the index in its order.
    pub(crate) images: Vec<(String, Built)>,
}

impl Product {
    /// An image under its own name.
    pub(crate) fn image(name: String, built: Built) -> Self {
        Self {
            whole: Whole::Image(built.image.clone()),
            images: vec![(name.clone(), built)],
            name,
        }
    }

    /// What the name stands for, looked at.
    pub(crate) fn target(&self) -> Target<'_> {
        self.whole.target()
    }

    /// The digest of the manifest, or of the index.
    pub(crate) fn digest(&self) -> BlobDigest {
        self.target().descriptor().digest
    }

    /// Whether it has images of several platforms.
    pub(crate) fn is_index(&self) -> bool {
        matches!(self.whole, Whole::Index(_))
    }

    /// The image; of an index, that of a platform.
    ///
    /// # Errors
    /// The index has none for the platform.
    pub(crate) fn of_platform(&self, platform: Platform) -> Result<&Image, Problem> {
        let mut images = self.images.iter().map(|(_, built)| &built.image);
        let found = match self.whole {
            Whole::Image(_) => images.next(),
            Whole::Index(_) => images.find(|image| image.platform == platform),
        };
        found.ok_or_else(|| {
            let there = self.images.iter().map(|(_, built)| built.image.platform);
            let there: Vec<String> = there.map(|platform| platform.to_string()).collect();
            let message = format!("the index `{}` has no image for {platform}", self.name);
            Problem::new(message).help(format!(
                "say which one is meant with --platform: {}",
                there.join(", ")
            ))
        })
    }
}
