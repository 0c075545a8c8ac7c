//! A project on the disk: what evaluation and building may read of it.
//!
//! The project root is the nearest folder above the `.img` file that is a
//! repository (it has a `.git`), else the file's own folder. Nothing outside it is
//! read, through whatever link.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use imgc_eval::{Entry, EntryKind, Stat, World, WorldError};
use imgc_plan::FileDigest;

use crate::remote::Remotes;

/// ELOOP of Linux: links in a circle. Its `ErrorKind` is not stable yet.
const LOOP: i32 = 40;

/// A folder as a [`World`].
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// The root, absolute, without links.
    root: PathBuf,
    /// The modules from elsewhere.
    pub(crate) remotes: Arc<Remotes>,
    /// Every path that was asked for, from the root.
    asked: Arc<Mutex<BTreeSet<String>>>,
}

impl Project {
    /// The project that `file` is in, and the file's path in it.
    ///
    /// # Errors
    /// What the system says of a file that can't be found.
    pub(crate) fn of(file: &Path, remotes: Arc<Remotes>) -> io::Result<(Self, String)> {
        let file = file.canonicalize()?;
        let folder = file.parent().unwrap_or(Path::new("/"));
        Self::below(&file, folder, remotes)
    }

    /// The project that a folder is in, and the folder's path in it.
    ///
    /// # Errors
    /// What the system says of a folder that can't be found.
    pub(crate) fn around(folder: &Path, remotes: Arc<Remotes>) -> io::Result<(Self, String)> {
        let folder = folder.canonicalize()?;
        Self::below(&folder, &folder, remotes)
    }

    fn below(path: &Path, folder: &Path, remotes: Arc<Remotes>) -> io::Result<(Self, String)> {
        let root = folder
            .ancestors()
            .find(|folder| folder.join(".git").exists())
            .unwrap_or(folder);
        let inner = path.strip_prefix(root).ok().and_then(Path::to_str);
        let inner = inner.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidFilename,
                "the file's name is not UTF-8",
            )
        })?;
        let root = root.to_owned();
        let asked = Arc::default();
        let project = Self {
            root,
            remotes,
            asked,
        };
        Ok((project, inner.to_owned()))
    }

    /// The project root, absolute, without links.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Every path that was asked for, absolute.
    pub(crate) fn asked(&self) -> Vec<PathBuf> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.iter().map(|path| self.root.join(path)).collect()
    }

    fn note(&self, path: &str) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !asked.contains(path) {
            asked.insert(path.to_owned());
        }
    }

    /// Opens a file of the project.
    pub(crate) fn open(&self, path: &str) -> Result<File, WorldError> {
        self.open_sized(path).map(|(file, _)| file)
    }

    /// Opens a file of the project, and says how many bytes it has.
    fn open_sized(&self, path: &str) -> Result<(File, u64), WorldError> {
        let (real, metadata) = self.real(path)?;
        if !metadata.is_file() {
            return Err(WorldError::WrongKind);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the binary gives the libraries their files"
        )]
        let file = File::open(&real).map_err(failed)?;
        Ok((file, metadata.len()))
    }

    /// Where `path` leads, if that is in the project, and what stands there.
    fn real(&self, path: &str) -> Result<(PathBuf, Metadata), WorldError> {
        self.note(path);
        if let Some(found) = self.without_links(path)? {
            return Ok(found);
        }
        let real = self.root.join(path).canonicalize().map_err(failed)?;
        if !real.starts_with(&self.root) {
            return Err(WorldError::Outside);
        }
        let metadata = real.metadata().map_err(failed)?;
        Ok((real, metadata))
    }

    /// The same where no link is on the way, as it mostly is: asked for each part below the
    /// root, which has none itself.
    fn without_links(&self, path: &str) -> Result<Option<(PathBuf, Metadata)>, WorldError> {
        let mut real = self.root.clone();
        let mut metadata = None;
        for part in Path::new(path).components() {
            let Component::Normal(part) = part else {
                return Ok(None);
            };
            real.push(part);
            let found = real.symlink_metadata().map_err(failed)?;
            if found.is_symlink() {
                return Ok(None);
            }
            metadata = Some(found);
        }
        Ok(metadata.map(|metadata| (real, metadata)))
    }
}

fn failed(error: io::Error) -> WorldError {
    match error.kind() {
        io::ErrorKind::NotFound => WorldError::NotFound,
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => WorldError::WrongKind,
        _ if error.raw_os_error() == Some(LOOP) => WorldError::Outside,
        _ => WorldError::Failed(error.to_string()),
    }
}

fn executable(metadata: &std::fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o100 != 0
}

impl World for Project {
    fn stat(&self, path: &str) -> Result<Stat, WorldError> {
        let (_, metadata) = self.real(path)?;
        Ok(if metadata.is_dir() {
            Stat::Directory
        } else if metadata.is_file() {
            Stat::File {
                size: metadata.len(),
                executable: executable(&metadata),
            }
        } else {
            Stat::Other
        })
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        let (real, _) = self.real(path)?;
        #[expect(clippy::disallowed_methods, reason = "sorted below")]
        let folder = std::fs::read_dir(&real).map_err(failed)?;
        let mut entries = Vec::new();
        for entry in folder {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().into_string().map_err(|name| {
                WorldError::Failed(format!("the name {} is not UTF-8", name.display()))
            })?;
            let metadata = entry.metadata().map_err(failed)?;
            let kind = if metadata.is_dir() {
                EntryKind::Directory
            } else if metadata.is_symlink() {
                let target = entry.path().read_link().map_err(failed)?;
                let target = target.into_os_string().into_string().map_err(|target| {
                    WorldError::Failed(format!("the link to {} is not UTF-8", target.display()))
                })?;
                EntryKind::Symlink { target }
            } else if metadata.is_file() {
                EntryKind::File {
                    executable: executable(&metadata),
                }
            } else {
                EntryKind::Other
            };
            entries.push(Entry { name, kind });
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn digest(&self, path: &str) -> Result<(FileDigest, u64), WorldError> {
        FileDigest::of_reader(self.open(path)?).map_err(failed)
    }

    fn read(&self, path: &str, offset: u64, len: usize) -> Result<Vec<u8>, WorldError> {
        let (mut file, size) = self.open_sized(path)?;
        if offset > 0 {
            file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        }
        let rest = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        // One more, so that the end is seen without more room.
        let mut bytes = Vec::with_capacity(rest.saturating_add(1).min(len));
        file.take(len as u64)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        Ok(bytes)
    }

    fn std_module(&self, name: &str) -> Option<String> {
        imgc_stdlib::module(name).map(str::to_owned)
    }

    fn remote_module(&self, address: &str) -> Result<String, WorldError> {
        self.remotes.module(address).map_err(WorldError::Failed)
    }

    fn std_modules(&self) -> Vec<String> {
        imgc_stdlib::modules()
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
    fn nothing_outside_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let project = folder.path().join("project");
        std::fs::create_dir_all(project.join("sub")).expect("a folder");
        std::fs::write(folder.path().join("secret"), "x").expect("a file");
        std::fs::write(project.join("app.img"), "1").expect("a file");
        std::os::unix::fs::symlink("../secret", project.join("link")).expect("a link");
        let (project, entry) =
            Project::of(&project.join("app.img"), Remotes::none()).expect("a project");
        assert_eq!(entry, "app.img");
        assert_eq!(project.stat("link"), Err(WorldError::Outside));
        std::os::unix::fs::symlink("..", project.root().join("up")).expect("a link");
        std::os::unix::fs::symlink("sub", project.root().join("in")).expect("a link");
        assert_eq!(project.stat("up/secret"), Err(WorldError::Outside));
        assert_eq!(project.stat("sub/../../secret"), Err(WorldError::Outside));
        assert_eq!(project.stat("in"), Ok(Stat::Directory));
        assert_eq!(project.read("app.img/x", 0, 1), Err(WorldError::WrongKind));
        assert_eq!(project.read("app.img", 1, 9), Ok(Vec::new()));
        assert_eq!(project.digest("../secret"), Err(WorldError::Outside));
        assert_eq!(project.read("sub", 0, 1), Err(WorldError::WrongKind));
        assert_eq!(project.read("none", 0, 1), Err(WorldError::NotFound));
        let (digest, size) = project.digest("app.img").expect("a digest");
        assert_eq!((digest, size), (FileDigest::of(b"1"), 1));
    }
}
