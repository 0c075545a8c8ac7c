//! An image's own users, groups and files: the layer over its packages.

use imgc_layer::{Contents, Layer, StoreContents};
use imgc_plan::{Action, Image};
use imgc_store::BlobDigest;
use imgc_tree::{Content, Tree};
use serde::{Deserialize, Serialize};

use crate::accounts::Accounts;
use crate::overlay::overlay;
use crate::realise::{Output, realise};
use crate::{AccountError, BuildError, Builder, abi};

/// The largest `/etc/passwd` that is read, in bytes.
const ACCOUNTS: u64 = 16 << 20;

/// What `files` yields: a layer, unless it would be empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FilesLayer {
    pub(crate) layer: Option<Layer>,
}

impl Output for FilesLayer {
    fn blobs(&self) -> Vec<(BlobDigest, u64)> {
        self.layer
            .iter()
            .map(|layer| (layer.blob, layer.size))
            .collect()
    }
}

impl Builder<'_> {
    /// Lays the image's own files over `base`, whose layer is `under`.
    pub(crate) fn files_layer(
        &self,
        image: &Image,
        under: Option<&Layer>,
        epoch: u64,
        base: impl FnOnce() -> Result<Tree, BuildError>,
    ) -> Result<FilesLayer, BuildError> {
        let action = Action::Files {
            epoch,
            base: under.map(|layer| layer.blob),
            groups: image.groups.clone(),
            users: image.users.clone(),
            files: image.files.clone(),
        };
        let kind = ("files", abi::FILES, action);
        realise(self.store, self.events, kind, &image.name, || {
            let base = base()?;
            let tree = self.with_own_files(image, &base, epoch)?;
            let recipe = imgc_layer::plan_layer(&tree, under.map(|_| &base), &[])?;
            if under.is_some() && recipe.head.is_empty() && recipe.loose.is_empty() {
                return Ok(FilesLayer { layer: None });
            }
            let outside = Outside(self);
            let contents = StoreContents::new(self.store, Some(&outside));
            let layer = imgc_layer::assemble(self.store, &recipe, &contents);
            Ok(FilesLayer {
                layer: Some(layer?),
            })
        })
    }

    fn with_own_files(&self, image: &Image, base: &Tree, epoch: u64) -> Result<Tree, BuildError> {
        let account = |error| BuildError::Account {
            image: image.name.clone(),
            error,
        };
        let mut tree = base.clone();
        let contents = StoreContents::new(self.store, None);
        let read = |content: &Content| contents.read(content, ACCOUNTS);
        let mut accounts = Accounts::of(&tree, epoch, &read).map_err(account)?;
        if !image.users.is_empty() || !image.groups.is_empty() || Accounts::are_in(&tree) {
            accounts
                .add(&image.groups, &image.users, epoch)
                .map_err(account)?;
            accounts.write(&mut tree, epoch).map_err(account)?;
        }
        if let Some(user) = unknown_user(image, &accounts) {
            return Err(account(AccountError::NoUser(user)));
        }
        overlay(&mut tree, &image.files, &accounts, epoch).map_err(|error| {
            BuildError::Overlay {
                image: image.name.clone(),
                error,
            }
        })?;
        Ok(tree)
    }
}

/// A name in `config.user` that a runtime would not find.
fn unknown_user(image: &Image, accounts: &Accounts) -> Option<String> {
    use imgc_plan::Owner;
    let named = |name: &str| match name.parse() {
        Ok(id) => Owner::Id(id),
        Err(_) => Owner::Name(name.to_owned()),
    };
    let (user, group) = match image.config.user.as_deref()?.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (image.config.user.as_deref()?, None),
    };
    if accounts.uid(&named(user)).is_none() {
        return Some(user.to_owned());
    }
    group
        .filter(|group| accounts.gid(&named(group)).is_none())
        .map(str::to_owned)
}

/// The files of the project, by their digest.
struct Outside<'a, 'b>(&'a Builder<'b>);

impl Contents for Outside<'_, '_> {
    fn open<'a>(&'a self, content: &Content) -> std::io::Result<Box<dyn std::io::Read + 'a>> {
        self.0
            .sources
            .open(&imgc_plan::FileDigest::from_bytes(content.sha256))
    }
}
