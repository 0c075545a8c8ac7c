//! Why a build stops. The wording for people is made in `imgc`.

use imgc_store::StoreError;

use crate::{AccountError, ExtractError, FetchError, OverlayError, Program};

/// Why an image can't be built or its packages can't be pinned.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// An archive's `InRelease` is not to be trusted.
    #[error("{archive}: {error}")]
    Release {
        /// The archive and its distribution.
        archive: String,
        /// Why not.
        error: imgc_apt::ReleaseError,
    },
    /// An archive's index can't be used.
    #[error("{archive}: {error}")]
    Index {
        /// The archive and its distribution.
        archive: String,
        /// Why not.
        error: imgc_apt::IndexError,
    },
    /// There is no such suite, or no such archive beside it.
    #[error("{error}")]
    Suite {
        /// The image that names it.
        image: String,
        /// Which ones there are.
        error: imgc_apt::ArchiveError,
    },
    /// The keys of an archive can't be used.
    #[error("the keys of the archive {suite} can't be used: {reason}")]
    Keys {
        /// The image that names them.
        image: String,
        /// The archive's distribution.
        suite: String,
        /// Why not.
        reason: String,
    },
    /// What was solved contradicts the lock.
    #[error("{0}")]
    Lock(#[from] imgc_apt::LockError),
    /// The packages can't be installed together, or there are none of the name.
    #[error("{error}")]
    Solve {
        /// The image whose packages they are.
        image: String,
        /// Why not.
        error: Box<imgc_apt::SolveError>,
    },
    /// The lock has no packages for an image, and may not be changed.
    #[error("the lock has no packages for the image `{image}`")]
    NotLocked {
        /// The image.
        image: String,
        /// What it asks for.
        request: Box<imgc_apt::Request>,
    },
    /// An image can't be laid over another.
    #[error("the base {base} can't be used: {error}")]
    Base {
        /// The image.
        image: String,
        /// What it is to be laid over.
        base: String,
        /// Why not.
        error: Box<crate::BaseError>,
    },
    /// The lock does not have what an image is laid over, and may not be changed.
    #[error("the lock does not have the base of the image `{image}`")]
    BaseNotLocked {
        /// The image.
        image: String,
        /// What it is laid over.
        base: String,
    },
    /// Something can't be had.
    #[error(transparent)]
    Fetch(FetchError),
    /// A package can't be unpacked.
    #[error("{package}: {error}")]
    Deb {
        /// The package: name, version, architecture.
        package: String,
        /// Why not.
        error: imgc_dpkg::DebError,
    },
    /// The packages can't be installed over each other.
    #[error("{0}")]
    Install(#[from] imgc_dpkg::InstallError),
    /// A package's control file says nothing that installing can go by.
    #[error("the control file of {package} can't be used: {error}")]
    Order {
        /// The package.
        package: String,
        /// What is wrong.
        error: imgc_apt::ControlError,
    },
    /// A user or group can't be added.
    #[error("{error}")]
    Account {
        /// The image.
        image: String,
        /// Why not.
        error: AccountError,
    },
    /// A file can't be placed.
    #[error("{error}")]
    Overlay {
        /// The image.
        image: String,
        /// Why not.
        error: OverlayError,
    },
    /// A file that the image names by its address and digest can't be had.
    #[error("{error}")]
    Fetched {
        /// The image.
        image: String,
        /// Its digest: 64 hexadecimal digits.
        digest: String,
        /// Why not.
        error: Box<FetchError>,
    },
    /// An archive that is put into an image can't be unpacked.
    #[error("the archive for {path} can't be unpacked: {error}")]
    Extract {
        /// The image.
        image: String,
        /// Where it is unpacked to.
        path: String,
        /// Why not.
        error: ExtractError,
    },
    /// Programs among the image's own files ask for what the image does not have.
    #[error("{} of the image's own programs can't be started", programs.len())]
    Programs {
        /// The image.
        image: String,
        /// The programs, by path.
        programs: Vec<Program>,
    },
    /// Bytes that are to go into an image can't be read.
    #[error("a file can't be read: {0}")]
    Reading(String),
    /// A group of packages that is to have a layer names one that is not there.
    #[error("the layer `{group}` names the package `{package}`, which the image does not have")]
    Group {
        /// The image.
        image: String,
        /// The group.
        group: String,
        /// The package.
        package: String,
    },
    /// A file of the project is not what it was when the image was evaluated.
    #[error("a file of the project changed while the image was built")]
    Changed,
    /// The build was asked to stop.
    #[error("the build was interrupted")]
    Interrupted,
    /// A layer can't be made.
    #[error("{0}")]
    Layer(#[from] imgc_layer::LayerError),
    /// The tree has a name that a layer can't hold.
    #[error("{0}")]
    Plan(#[from] imgc_layer::PlanError),
    /// The image's documents can't be written.
    #[error("{0}")]
    Oci(#[from] imgc_oci::OciError),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<FetchError> for BuildError {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Interrupted => Self::Interrupted,
            FetchError::Store(error) => Self::Store(error),
            error => Self::Fetch(error),
        }
    }
}
