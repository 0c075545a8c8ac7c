//! A tree to a deterministic layer.
//!
//! A layer is a tar archive of several zstd frames, one after the other: the
//! folders first, then [`Segment`]s (the files of one package each, compressed
//! when the package was unpacked), then all other entries. [`plan_layer`] decides
//! which segments stand unchanged in a tree, [`assemble`] writes the layer into the
//! store, [`apply`] reads an archive back, and [`TarReader`] one that somebody else wrote. This crate touches no files of the machine
//! and knows nothing of packages or of OCI's documents.

mod apply;
mod assemble;
mod contents;
mod cursor;
mod diff_id;
mod encode;
mod error;
mod frame;
mod plan;
mod read;
mod segment;

pub use apply::{Allowance, Keep, apply, apply_within};
pub use assemble::{Frame, Layer, assemble, check_segment, folders, recompress};
pub use contents::{Contents, StoreContents};
pub use diff_id::{DiffId, DiffIdError};
pub use encode::{Body, TAR_ABI, TarWriter};
pub use error::{LayerError, PlanError};
pub use frame::{Compression, FRAME, GZIP_ABI, ZSTD_ABI, ZSTD_LEVEL, decompress};
pub use imgc_tree::EntryKind;
pub use plan::{Entry, Recipe, SegmentUse, What, plan_group, plan_layer, plan_layers};
pub use read::{Item, ItemBody, ItemKind, TarReader};
pub use segment::{Segment, SegmentWriter, UNPLACED};
