//! An image's own users, groups and files: the layer over its packages.

use std::cell::Cell;
use std::collections::BTreeSet;

use imgc_layer::{Contents, Frame, Layer, Recipe, StoreContents, What};
use imgc_plan::{Action, File, FileNode, Image};
use imgc_store::BlobDigest;
use imgc_tree::{Content, Data, Kind, Tree};
use serde::{Deserialize, Serialize};

use crate::accounts::{Accounts, Names};
use crate::brought::Brought;
use crate::layering;
use crate::overlay::overlay;
use crate::programs;
use crate::realise::{About, Output, realise};
use crate::{AccountError, BuildError, Builder, abi, attributes, homes};

/// The largest `/etc/passwd` that is read, in bytes.
const ACCOUNTS: u64 = 16 << 20;

/// The largest frozen tree that is read, in bytes.
const FROZEN: u64 = 1 << 30;

/// What `files` yields: a layer, unless it would be empty, and who may be named in the
/// configuration, which the derivation does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FilesLayer {
    pub(crate) layer: Option<Layer>,
    accounts: Names,
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
    /// Lays the image's own files over `base`, whose layers are `under`. `frozen` is the
    /// same tree, where the store has it: that is read first.
    ///
    /// # Errors
    /// [`AccountError::NoUser`] also where the layer was in the store: the image that it
    /// was made for may have run as somebody else.
    pub(crate) fn files_layer<'p>(
        &self,
        image: &Image,
        under: Vec<BlobDigest>,
        epoch: u64,
        frozen: Option<Frame>,
        base: impl FnOnce() -> Result<&'p Tree, BuildError>,
    ) -> Result<FilesLayer, BuildError> {
        let over = !under.is_empty();
        let lower: Vec<String> = under.iter().map(BlobDigest::hex).collect();
        let action = files_action(image, under, epoch);
        let compression = layering::compression(&image.layers);
        let about = About {
            kind: "files",
            name: &image.name,
            said: serde_json::json!({
                "base": lower,
                "groups": image.groups,
                "users": image.users,
                "files": image.files,
                "attributes": image.attributes,
                "epoch": epoch,
                "compression": image.layers.compression,
            }),
        };
        let made = realise(self, (abi::files(compression), action), about, || {
            let brought = self.bring(image)?;
            let outside = Outside {
                builder: self,
                brought: Some(&brought),
            };
            let contents = StoreContents::new(self.store, Some(&outside));
            let found = programs::found(image, &brought.files, &contents)?;
            let thawed = match frozen {
                // What is frozen has no libraries to look into.
                Some(frozen) if !programs::needs_libraries(&found) => {
                    self.store.read(&frozen.blob, FROZEN)?
                }
                _ => None,
            };
            let thawed = thawed.and_then(|bytes| Tree::thaw(&bytes));
            let plan = |base: &Tree| -> Result<_, BuildError> {
                let (tree, accounts) = self.with_own_files(image, &brought.files, base, epoch)?;
                if !found.is_empty() {
                    let found = found.clone();
                    let lacking = programs::check(image, &brought.files, found, &tree, &contents)?;
                    if !lacking.is_empty() {
                        return Err(BuildError::Programs {
                            image: image.name.clone(),
                            programs: lacking,
                        });
                    }
                }
                let recipe = imgc_layer::plan_layer(&tree, over.then_some(base), &[])?;
                Ok((recipe, accounts))
            };
            let planned = match &thawed {
                Some(thawed) => Some(plan(thawed)?),
                None => None,
            };
            let (recipe, accounts) = match planned {
                Some(planned) if !has_forgotten(&planned.0, &brought.files) => planned,
                // A hard link beside one that is replaced is written again, with its bytes.
                _ => plan(base()?)?,
            };
            if over && recipe.head.is_empty() && recipe.loose.is_empty() {
                let layer = None;
                return Ok(FilesLayer { layer, accounts });
            }
            let frames = self.frames(&recipe, compression)?;
            let layer = imgc_layer::assemble(self.store, &recipe, compression, &frames, &contents)?;
            let layer = Some(layer);
            Ok(FilesLayer { layer, accounts })
        })?;
        match unknown_user(image, &made.accounts) {
            None => Ok(made),
            Some(user) => Err(BuildError::Account {
                image: image.name.clone(),
                error: AccountError::NoUser(user),
            }),
        }
    }

    fn with_own_files(
        &self,
        image: &Image,
        files: &[File],
        base: &Tree,
        epoch: u64,
    ) -> Result<(Tree, Names), BuildError> {
        let account = |error| BuildError::Account {
            image: image.name.clone(),
            error,
        };
        let mut tree = base.clone();
        let contents = StoreContents::new(self.store, None);
        let damaged = Cell::new(None);
        let read = |content: &Content| {
            contents.read(content, ACCOUNTS).inspect_err(|_| {
                damaged.set(imgc_layer::check_segment(self.store, content).err());
            })
        };
        let accounts = Accounts::of(&tree, epoch, &read);
        if let Some(damaged) = damaged.take() {
            return Err(damaged.into());
        }
        let mut accounts = accounts.map_err(account)?;
        // Nobody is known by name in an image without such files.
        let mut names = Names::default();
        if !image.users.is_empty() || !image.groups.is_empty() || Accounts::are_in(&tree) {
            accounts
                .add(&image.groups, &image.users, epoch)
                .map_err(account)?;
            if accounts.added() {
                accounts.write(&mut tree, epoch).map_err(account)?;
                homes::make(&mut tree, &image.users, &accounts, epoch).map_err(account)?;
            }
            names = accounts.names();
        }
        let overlaid = |error| BuildError::Overlay {
            image: image.name.clone(),
            error,
        };
        overlay(&mut tree, files, &accounts, epoch).map_err(overlaid)?;
        attributes::change_all(&mut tree, &image.attributes, &accounts).map_err(overlaid)?;
        Ok((tree, names))
    }
}

/// What is asked where an image's own files are laid over `base`.
pub(crate) fn files_action(image: &Image, base: Vec<BlobDigest>, epoch: u64) -> Action {
    Action::Files {
        epoch,
        base,
        groups: image.groups.clone(),
        users: image.users.clone(),
        files: without_addresses(&image.files),
        attributes: image.attributes.clone(),
        compression: image.layers.compression,
        provided: image.provided.keys().cloned().collect(),
        library_path: image.config.env.get("LD_LIBRARY_PATH").cloned(),
        arch: has_outside(&image.files).then(|| image.platform.arch.debian().to_owned()),
        starts: programs::starts(image).map(str::to_owned),
    }
}

/// Whether any file comes from outside the language: only such can be programs.
fn has_outside(files: &[File]) -> bool {
    files.iter().any(|file| match &file.node {
        FileNode::Regular { content, .. } => !matches!(content, imgc_plan::Content::Text(_)),
        FileNode::Archive { .. } => true,
        _ => false,
    })
}

/// Files without where they can be had, which changes nothing.
pub(crate) fn without_addresses(files: &[File]) -> Vec<File> {
    let mut files = files.to_vec();
    for file in &mut files {
        if let FileNode::Regular { content, .. } | FileNode::Archive { content, .. } =
            &mut file.node
            && let imgc_plan::Content::Fetched { url, .. } = content
        {
            url.clear();
        }
    }
    files
}

/// Whether a layer needs bytes that a frozen tree does not have.
fn has_forgotten(recipe: &Recipe, files: &[File]) -> bool {
    let own: BTreeSet<&[u8; 32]> = files
        .iter()
        .filter_map(|file| match &file.node {
            FileNode::Regular {
                content: imgc_plan::Content::Source { digest, .. },
                ..
            } => Some(digest.as_bytes()),
            _ => None,
        })
        .collect();
    recipe.loose.iter().any(|entry| match &entry.what {
        What::Node(Kind::Regular(content)) => {
            matches!(content.data, Data::Outside) && !own.contains(&content.sha256)
        }
        _ => false,
    })
}

/// A name in `config.user` that a runtime would not find among these.
fn unknown_user(image: &Image, accounts: &Names) -> Option<String> {
    let text = image.config.user.as_deref()?;
    let (user, group) = match text.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (text, None),
    };
    let unknown = |name: &str, known: &BTreeSet<String>| {
        (name.parse::<u32>().is_err() && !known.contains(name)).then(|| name.to_owned())
    };
    unknown(user, &accounts.users).or_else(|| unknown(group?, &accounts.groups))
}

/// The files of the project and those that were brought, by their digest.
pub(crate) struct Outside<'a, 'b> {
    builder: &'a Builder<'b>,
    brought: Option<&'a Brought>,
}

impl<'a, 'b> Outside<'a, 'b> {
    /// The files of the project.
    pub(crate) fn project(builder: &'a Builder<'b>) -> Self {
        Self {
            builder,
            brought: None,
        }
    }
}

impl Contents for Outside<'_, '_> {
    fn open<'a>(&'a self, content: &Content) -> std::io::Result<Box<dyn std::io::Read + 'a>> {
        if let Some(brought) = self.brought
            && let Some(bytes) = brought.open(self.builder.store, &content.sha256)
        {
            return bytes;
        }
        let digest = imgc_plan::FileDigest::from_bytes(content.sha256);
        self.builder.sources.open(&digest)
    }
}
