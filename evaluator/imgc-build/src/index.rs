//! The index of images that are built, as a derivation of its own.

use imgc_plan::{Action, Manifest};
use imgc_store::BlobDigest;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::realise::{About, Output, realise};
use crate::{BuildError, Builder, Built, abi};

/// An index that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    index: imgc_oci::Descriptor,
}

impl Output for Written {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        vec![(self.index.digest, self.index.size)]
    }
}

impl Builder<'_> {
    /// Writes an index of its images, in its order.
    ///
    /// # Errors
    /// The store's.
    pub fn index(
        &self,
        index: &imgc_plan::Index,
        images: &[&Built],
    ) -> Result<imgc_oci::Index, BuildError> {
        let named = images
            .iter()
            .map(|built| (built.image.manifest, built.image.platform));
        let manifests: Vec<_> = named.collect();
        let about = About {
            kind: "index",
            name: &index.name,
            said: json!({
                "manifests": manifests
                    .iter()
                    .map(|(manifest, platform)| format!("{platform} {}", manifest.digest))
                    .collect::<Vec<_>>(),
                "annotations": index.annotations,
            }),
        };
        let asked = (abi::INDEX, action(index, images));
        let written = realise(self, asked, about, || {
            let index = imgc_oci::write_index(self.store, &manifests, &index.annotations)?;
            Ok(Written { index })
        })?;
        Ok(imgc_oci::Index {
            index: written.index,
            images: images.iter().map(|built| built.image.clone()).collect(),
        })
    }
}

/// What is asked where an index is wanted.
pub(crate) fn action(index: &imgc_plan::Index, images: &[&Built]) -> Action {
    let manifests = images.iter().map(|built| Manifest {
        digest: built.image.manifest.digest,
        size: built.image.manifest.size,
        platform: built.image.platform,
    });
    Action::Index {
        manifests: manifests.collect(),
        annotations: index.annotations.clone(),
    }
}
