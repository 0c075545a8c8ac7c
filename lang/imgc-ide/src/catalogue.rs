//! What is known of Debian packages without asking the network: the names, versions and
//! sizes that the lock and its indices have. Who implements it reads them.

/// The packages that the files of a folder can name.
pub trait Catalogue: Send + Sync {
    /// What is known of a package. `folder` is the folder of the file that names it, as a
    /// path from the project's root: the lock stands there.
    fn package(&self, folder: &str, name: &str) -> Option<PackageFacts>;

    /// The packages whose names begin so, at most so many: the shortest names first, those of
    /// a length in their order.
    fn starting_with(&self, folder: &str, prefix: &str, most: usize) -> Vec<PackageName>;

    /// The most similar name that there is, for one that there is not.
    fn similar(&self, folder: &str, name: &str) -> Option<String> {
        let _ = (folder, name);
        None
    }

    /// Reads what is read when a question about a folder comes first, so that the first
    /// question does not wait for it. Takes its time: for a thread of its own.
    fn prepare(&self, folder: &str) {
        let _ = folder;
    }
}

/// A catalogue that knows no packages.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPackages;

/// The name of a package, and what is shown beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageName {
    /// The name.
    pub name: String,
    /// The version that would be taken.
    pub version: String,
}

/// What is known of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackageFacts {
    /// The name.
    pub name: String,
    /// The versions that the indices have, the one that would be taken first.
    pub versions: Vec<String>,
    /// What it is, in a line.
    pub description: Option<String>,
    /// What it takes on the disk, in KiB.
    pub installed_size: Option<u64>,
    /// What it takes with everything that it needs, in KiB, and how many packages those
    /// are, itself included.
    pub closure: Option<(u64, usize)>,
    /// The version that the lock pins.
    pub pinned: Option<String>,
}

impl Catalogue for NoPackages {
    fn package(&self, _: &str, _: &str) -> Option<PackageFacts> {
        None
    }

    fn starting_with(&self, _: &str, _: &str, _: usize) -> Vec<PackageName> {
        Vec::new()
    }
}

impl PackageFacts {
    /// The version to show: the pinned one, else the one that would be taken.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        let first = self.versions.first().map(String::as_str);
        self.pinned.as_deref().or(first)
    }
}

/// The name of a package in a literal: without a version, an archive or an architecture.
pub(crate) fn bare_name(literal: &str) -> &str {
    let end = literal.find(['=', '/', ':']).unwrap_or(literal.len());
    &literal[..end]
}

/// The folder of a file, both as paths from the project's root.
pub fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}
