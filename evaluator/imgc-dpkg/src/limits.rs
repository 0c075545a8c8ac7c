//! How much a `.deb` may ask for. The numbers are bounds on memory, time and
//! disk, not rules of the format.

/// Bounds that [`crate::unpack`] holds a `.deb` to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The uncompressed size of the control archive, in bytes. It is kept in memory.
    pub control: u64,
    /// The uncompressed size of the data archive, in bytes. It is only streamed.
    pub data: u64,
    /// The number of tar headers in either archive, extension headers included.
    pub entries: u64,
    /// The bytes of all paths, link targets, attributes and kept texts of the data archive.
    pub metadata: u64,
    /// How many bytes one compressed byte may become.
    pub ratio: u64,
    /// How many bytes an archive may become before `ratio` counts.
    pub ratio_from: u64,
    /// The number of components of a path.
    pub depth: usize,
    /// The memory that a decompressor may take, in bytes.
    pub memory: u64,
}

impl Default for Limits {
    /// Room for every package of Debian: the largest are some gigabytes unpacked,
    /// have under a hundred thousand entries, and compress to a fiftieth.
    fn default() -> Self {
        Self {
            control: 16 << 20,
            data: 16 << 30,
            entries: 1_000_000,
            metadata: 256 << 20,
            ratio: 500,
            ratio_from: 64 << 20,
            depth: 128,
            memory: 256 << 20,
        }
    }
}
