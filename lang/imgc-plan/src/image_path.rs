//! A path inside an image.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An absolute, normalised path inside an image: `/usr/bin/server`.
///
/// It begins with `/`, has no empty, `.` or `..` component, no NUL byte and no
/// slash at the end, and is at most 4,096 bytes long. The root is `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImagePath(String);

/// Why a text is not an [`ImagePath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImagePathError {
    /// The first byte is not `/`.
    #[error("a path in an image begins with `/`")]
    Relative,
    /// A component is empty, `.` or `..`.
    #[error("a path in an image has no empty, `.` or `..` part")]
    NotNormal,
    /// A NUL byte, or more than 4,096 bytes.
    #[error("a path in an image has no NUL byte and at most 4096 bytes")]
    Bytes,
}

impl ImagePath {
    /// Checks `text`. One slash at the end is dropped.
    ///
    /// # Errors
    /// [`ImagePathError`] says which rule `text` breaks.
    pub fn new(text: &str) -> Result<Self, ImagePathError> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(ImagePathError::Relative);
        };
        if text.len() > 4096 || text.contains('\0') {
            return Err(ImagePathError::Bytes);
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if !rest.is_empty() && rest.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(ImagePathError::NotNormal);
        }
        Ok(Self(format!("/{rest}")))
    }

    /// The path with its leading slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path without its leading slash; empty for the root.
    pub fn relative(&self) -> &str {
        &self.0[1..]
    }

    /// This path with `relative` below it.
    ///
    /// # Errors
    /// As [`ImagePath::new`].
    pub fn join(&self, relative: &str) -> Result<Self, ImagePathError> {
        Self::new(&format!("{}/{relative}", self.0.trim_end_matches('/')))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ImagePath {
    type Error = ImagePathError;

    fn try_from(text: String) -> Result<Self, ImagePathError> {
        Self::new(&text)
    }
}

impl From<ImagePath> for String {
    fn from(path: ImagePath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_normal_absolute_paths() {
        assert_eq!(
            ImagePath::new("/usr/bin/").map(String::from),
            Ok("/usr/bin".to_owned())
        );
        assert_eq!(ImagePath::new("/").map(String::from), Ok("/".to_owned()));
        assert_eq!(ImagePath::new("usr"), Err(ImagePathError::Relative));
        assert_eq!(ImagePath::new("/usr//bin"), Err(ImagePathError::NotNormal));
        assert_eq!(
            ImagePath::new("/usr/../etc"),
            Err(ImagePathError::NotNormal)
        );
        assert_eq!(ImagePath::new("/a\0b"), Err(ImagePathError::Bytes));
    }

    #[test]
    fn joins_below() {
        let root = ImagePath::new("/").expect("the root");
        assert_eq!(
            root.join("etc/motd").map(String::from),
            Ok("/etc/motd".to_owned())
        );
        assert!(root.join("../x").is_err());
    }
}
