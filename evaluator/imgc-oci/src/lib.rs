//! OCI's documents: image configuration, manifest, index and layout.
//!
//! [`write_image`] puts an image's configuration and manifest into a store,
//! [`Layout`] says what files a layout folder has and writes it as an archive, and
//! [`validate`] reads an image back. The formats are those of the OCI image
//! specification 1.1. This crate touches no files of the machine: folders are made by
//! whoever has a [`Layout`].

mod config;
mod error;
mod image;
mod json;
mod layout;
mod time;
mod validate;

pub use config::DEFAULT_PATH;
pub use error::{OciError, Problem};
pub use image::{Descriptor, Image, ImageSpec, LayerUse, MANIFEST_ABI, write_image};
pub use layout::{Layout, LayoutFile, Tagged};
pub use time::rfc3339;
pub use validate::validate;
