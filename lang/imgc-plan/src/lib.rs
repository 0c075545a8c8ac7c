//! What evaluation yields: images described as plain data, the derivations that
//! building them asks for, and their digests.
//!
//! This crate computes no file contents and knows neither the syntax of the
//! language nor how an image is made. Everything in it is a value that can be
//! compared, encoded and printed.

mod base;
mod capability;
mod derivation;
mod digest;
mod image;
mod image_path;
mod layers;
mod links;
mod platform;

pub use base::{Base, BaseError};
pub use capability::{CAPABILITY_ATTRIBUTE, Capability, FileCapabilities, UnknownCapability};
pub use derivation::{Action, Derivation, Inputs, Manifest};
pub use digest::{BlobDigest, DigestError, DrvDigest, FileDigest};
pub use image::{
    Archive, Attributes, Config, Content, Effects, File, FileNode, Group, Healthcheck, IdRange,
    Image, Index, Owner, Packages, Plan, Port, Protocol, User, Variant,
};
pub use image_path::{ImagePath, ImagePathError};
pub use layers::{Compression, CompressionError, Layers, MAX_LAYERS};
pub use links::stays_inside;
pub use platform::{Arch, ElfKind, ParseArchError, Platform};
