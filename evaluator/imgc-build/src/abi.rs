//! The versions of the code behind each kind of derivation. One is raised whenever
//! the same action would give other bytes; the goldens in the tests notice.

use imgc_layer::{Compression, TAR_ABI, ZSTD_ABI};

/// Bytes that a pin names: they are what they are.
pub(crate) const FETCH: u32 = 1;
/// Uncompressing a layer of a base.
pub(crate) const ARCHIVE: u32 = 1;
/// Reading a `.deb` and normalising it.
pub(crate) const UNPACK: u32 = with_layer(4);
/// Installing fragments, interpreting their scripts, and writing dpkg's database.
pub(crate) const fn install(compression: Compression) -> u32 {
    compressed(8, compression)
}
/// Taking out of an archive what is wanted of it.
pub(crate) const EXTRACT: u32 = 1;
/// The files of a group of packages.
pub(crate) const fn layer(compression: Compression) -> u32 {
    compressed(1, compression)
}
/// Users, groups and files.
pub(crate) const fn files(compression: Compression) -> u32 {
    compressed(5, compression)
}
/// A package's files in another compression.
pub(crate) const fn frame(compression: Compression) -> u32 {
    compressed(1, compression)
}
/// Configuration and manifest.
pub(crate) const IMAGE: u32 = imgc_oci::MANIFEST_ABI;

/// Manifests of several platforms.
pub(crate) const INDEX: u32 = imgc_oci::INDEX_ABI;

/// A version that also changes with the tar writer's and the compressor's.
const fn with_layer(own: u32) -> u32 {
    own * 1_000_000 + TAR_ABI * 1_000 + ZSTD_ABI
}

const fn compressed(own: u32, compression: Compression) -> u32 {
    own * 1_000_000 + TAR_ABI * 1_000 + compression.abi()
}
