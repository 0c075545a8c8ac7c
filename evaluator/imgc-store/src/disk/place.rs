//! A file outside the store, put in its place in one step.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

use crate::StoreError;

/// Fills a new file next to `dest`, flushes it and renames it to `dest`. Its mode is
/// `0644`.
pub(crate) fn place(
    dest: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), StoreError> {
    let folder = match dest.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut temp = NamedTempFile::new_in(folder)
        .map_err(|error| StoreError::from_io(error, "creating a file in", folder))?;
    let file = temp.as_file_mut();
    fill(file)
        .and_then(|()| file.set_permissions(Permissions::from_mode(0o644)))
        .and_then(|()| file.sync_all())
        .map_err(|error| StoreError::from_io(error, "writing", dest))?;
    temp.persist(dest)
        .map_err(|error| StoreError::from_io(error.error, "publishing", dest))?;
    Ok(())
}
