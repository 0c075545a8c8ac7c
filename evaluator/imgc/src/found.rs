//! The files that a command line names: files as they are, folders searched for `.img`
//! files. Only looks; reads no file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::describe::{self, Problem};

/// How deep folders are searched, and how many files are taken: no project is larger, and
/// a wrong folder, such as the root of the disk, comes to an end.
const MAX_DEPTH: usize = 64;
const MAX_FILES: usize = 100_000;

/// The files of `given`, or of the current folder. In a folder, `.img` files at any depth,
/// sorted by name; what is hidden is skipped, and links to folders are not followed.
/// Each file once.
///
/// # Errors
/// A path that is not there, or a folder that can't be read.
pub(crate) fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let here = [PathBuf::from(".")];
    let given = if given.is_empty() { &here } else { given };
    let mut files = Vec::new();
    for path in given {
        let metadata = path.metadata();
        let metadata = metadata.map_err(|error| describe::disk("read", path, &error))?;
        if metadata.is_dir() {
            search(path, 0, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok(files)
}

fn search(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let failed = |error: &std::io::Error| describe::disk("read", folder, error);
    let mut entries = Vec::new();
    for entry in folder.read_dir().map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        entries.push((entry.file_name(), entry.file_type()));
    }
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (name, kind) in entries {
        let kind = kind.map_err(|error| failed(&error))?;
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = match folder {
            folder if folder == Path::new(".") => PathBuf::from(&name),
            folder => folder.join(&name),
        };
        if kind.is_dir() && depth < MAX_DEPTH {
            search(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|extension| extension == "img") && path.is_file() {
            if files.len() == MAX_FILES {
                let message = format!("more than {MAX_FILES} files are below the folder");
                return Err(Problem::new(message).help("name a smaller folder"));
            }
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test makes its own files")]
    fn finds_files_sorted_and_leaves_hidden_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        for name in [
            "b.img",
            "a/z.img",
            "a/b/c.img",
            ".git/x.img",
            "a/.h.img",
            "n.txt",
        ] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, "1").expect("a file");
        }
        std::os::unix::fs::symlink(root, root.join("a/round")).expect("a link");
        let given = [root.join("n.txt"), root.to_owned(), root.join("b.img")];
        let found = files(&given).expect("files");
        let names: Vec<_> = found
            .iter()
            .filter_map(|path| path.strip_prefix(root).ok()?.to_str())
            .collect();
        assert_eq!(names, ["n.txt", "a/b/c.img", "a/z.img", "b.img"]);
        assert!(files(&[root.join("none")]).is_err());
    }
}
