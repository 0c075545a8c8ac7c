//! OCI's documents: image configuration, manifest, index and layout; and the pull of a
//! small artifact.
//!
//! [`write_image`] puts an image's configuration and manifest into a store, [`write_index`]
//! an index of several,
//! [`Layout`] says what files a layout folder has and writes it as an archive,
//! [`validate`] reads an image back, [`pull_layer`] and [`push()`] ask a registry through
//! a transport. [`serve`] is the other side: a registry that can be read. [`read`] opens
//! images that others wrote. The formats are
//! those of the OCI image and distribution specifications 1.1. This crate touches no
//! files of the machine and no network: folders are made by whoever has a [`Layout`].

mod auth;
mod base;
mod config;
mod error;
mod image;
mod index;
mod json;
mod layout;
mod pull;
mod push;
pub mod read;
pub mod serve;
mod time;
mod validate;

pub use auth::Credentials;
pub use base::{BaseImage, BaseImageError, BaseLayer};
pub use config::DEFAULT_PATH;
pub use error::{OciError, Problem};
pub use image::{Descriptor, Image, ImageSpec, LayerUse, MANIFEST_ABI, write_image};
pub use index::{INDEX_ABI, Index, Target, Whole, write_index};
pub use layout::{Blobs, Layout, LayoutFile, Tagged};
pub use pull::{
    ArtifactReference, PullError, PulledLayer, ReferenceError, RegistryAnswer, RegistryImage,
    RegistryTransport, Version, pull_blob, pull_layer,
};
pub use push::{Destination, OpenAnswer, PushError, PushRequest, PushTransport, Pushed, push};
pub use time::rfc3339;
pub use validate::validate;
