//! What a command line names: a file, or with `FILE#NAME` a field of its record. Only
//! splits names; reads nothing.

use std::path::{Path, PathBuf};

/// A file, and perhaps a field of its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// The file.
    pub(crate) file: PathBuf,
    /// The field.
    pub(crate) select: Option<String>,
}

impl Target {
    /// Reads `FILE` or `FILE#NAME`. A file that has a `#` in its name, and is there, is
    /// that file.
    pub(crate) fn of(given: &Path) -> Self {
        let whole = || Self {
            file: given.to_owned(),
            select: None,
        };
        let Some((file, name)) = given.to_str().and_then(|text| text.rsplit_once('#')) else {
            return whole();
        };
        if file.is_empty() || name.is_empty() || given.exists() {
            return whole();
        }
        Self {
            file: file.into(),
            select: Some(name.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_mark_separates_unless_it_is_part_of_a_file() {
        let target = |text: &str| {
            let Target { file, select } = Target::of(Path::new(text));
            (file.display().to_string(), select)
        };
        assert_eq!(target("a.img"), ("a.img".to_owned(), None));
        assert_eq!(
            target("a#b.img#web"),
            ("a#b.img".to_owned(), Some("web".to_owned()))
        );
        for text in ["#web", "a.img#"] {
            assert_eq!(target(text), (text.to_owned(), None));
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a#b");
        tempfile::NamedTempFile::new()
            .and_then(|file| file.persist(&path).map_err(|error| error.error))
            .expect("a file");
        assert_eq!(Target::of(&path).select, None);
    }
}
