//! Why an image can't be read.

use std::io;

use imgc_store::BlobDigest;

/// Why an image can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file can't be read.
    #[error("{name}: {error}")]
    File {
        /// Its name in the layout.
        name: String,
        /// What the system says.
        error: io::Error,
    },
    /// A file that something refers to is not there.
    #[error("{0} is not there")]
    Missing(String),
    /// The bytes are not those that the digest names.
    #[error("{name} is damaged: it has the digest {found}, and should have {expected}")]
    Digest {
        /// The file.
        name: String,
        /// What refers to it says so.
        expected: String,
        /// What its bytes give.
        found: String,
    },
    /// A file has another size than is said of it.
    #[error("{name} has {found} bytes, and should have {expected}")]
    Size {
        /// The file.
        name: String,
        /// What refers to it says so.
        expected: u64,
        /// What it has.
        found: u64,
    },
    /// A document is not what it should be.
    #[error("{name} is no valid document: {problem}")]
    Document {
        /// The file.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A thing of a kind that is not read here.
    #[error("{name} has the media type `{media_type}`, which imgc doesn't read")]
    MediaType {
        /// The file.
        name: String,
        /// What it says that it is.
        media_type: String,
    },
    /// There is no image of that name.
    #[error("no image is called `{wanted}`")]
    NoImage {
        /// What was asked for.
        wanted: String,
        /// The names that there are.
        there: Vec<String>,
    },
    /// There are several images, and nobody said which.
    #[error("there are {} images", there.len())]
    Several {
        /// Their names.
        there: Vec<String>,
    },
    /// There is no image for the platform.
    #[error("there is no image for {wanted}")]
    Platform {
        /// What was asked for.
        wanted: String,
        /// The platforms that there are.
        there: Vec<String>,
    },
    /// A layer can't be read.
    #[error("the layer {digest} can't be read: {error}")]
    Layer {
        /// Its digest.
        digest: BlobDigest,
        /// Why.
        error: io::Error,
    },
    /// Whoever was given the bytes failed.
    #[error(transparent)]
    Taking(io::Error),
}
