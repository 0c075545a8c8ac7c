//! The folder that a Dockerfile's files are in, on the disk. Reads names and kinds, and of
//! files only `.dockerignore`.

use std::path::{Component, Path, PathBuf};

use crate::import::copy::Context;
use crate::programs;

/// How many names of a folder are read.
const MAX_NAMES: usize = 4096;

/// A folder on the disk.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    /// What stands before the path of a file in it, seen from the `.img` file.
    prefix: String,
}

impl Disk {
    /// The folder `context`, for a `.img` file in `place`. Both are whole paths without links.
    pub(super) fn new(context: &Path, place: &Path) -> Self {
        let (mut ours, mut theirs) = (context.components(), place.components());
        let mut down: Vec<Component<'_>> = Vec::new();
        let mut up = 0;
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => break,
                (Some(a), Some(b)) if up == 0 && down.is_empty() && a == b => {}
                (a, b) => {
                    down.extend(a);
                    up += usize::from(b.is_some());
                }
            }
        }
        let mut prefix = match up {
            0 => "./".to_owned(),
            up => "../".repeat(up),
        };
        for part in down {
            prefix.push_str(&part.as_os_str().to_string_lossy());
            prefix.push('/');
        }
        Self {
            root: context.to_owned(),
            prefix,
        }
    }

    /// A path in the folder; none that a link leads out of it.
    fn real(&self, path: &str) -> Option<PathBuf> {
        let real = self.root.join(path).canonicalize().ok()?;
        real.starts_with(&self.root).then_some(real)
    }
}

impl Context for Disk {
    fn is_folder(&self, path: &str) -> Option<bool> {
        let metadata = self.real(path)?.metadata().ok()?;
        (metadata.is_dir() || metadata.is_file()).then(|| metadata.is_dir())
    }

    fn names(&self, folder: &str) -> Vec<String> {
        let Some(entries) = self.real(folder).and_then(|path| path.read_dir().ok()) else {
            return Vec::new();
        };
        let names = entries.flatten().take(MAX_NAMES);
        let mut names: Vec<String> = names
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }

    fn ignored(&self) -> Vec<String> {
        let text = programs::read(&self.root.join(".dockerignore")).unwrap_or_default();
        let lines = text.lines().map(str::trim);
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(str::to_owned)
            .collect()
    }

    fn literal(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_seen_from_the_file() {
        let literal = |context: &str, place: &str| {
            Disk::new(Path::new(context), Path::new(place)).literal("x")
        };
        assert_eq!(literal("/a/b", "/a/b"), "./x");
        assert_eq!(literal("/a/b", "/a"), "./b/x");
        assert_eq!(literal("/a", "/a/b/c"), "../../x");
        assert_eq!(literal("/a/b", "/a/c"), "../b/x");
    }
}
