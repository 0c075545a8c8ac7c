//! Files and folders that are made beside their place and moved there when they are whole.

use std::fs::{File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use tempfile::{NamedTempFile, TempDir};

use crate::describe::{self, Problem};

/// What the name of a thing begins and ends with until it is whole.
const PREFIX: &str = ".imgc-";
const SUFFIX: &str = ".part";

/// How old a thing is that its process has had the time to lock.
const SETTLED: Duration = Duration::from_secs(60);

/// Writes a file beside its place and moves it there when it is whole.
pub(crate) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> Result<(), Problem> {
    let done = file_beside(path).and_then(|mut part| {
        write(part.as_file_mut())?;
        part.as_file().sync_all()?;
        part.persist(path).map(drop).map_err(|error| error.error)
    });
    done.map_err(|error| describe::disk("write", path, &error))
}

/// Puts `text` in the place of a file's text, in one step. Its mode stays; behind a link,
/// the file that it leads to is replaced.
pub(crate) fn replace_text(path: &Path, text: &str) -> Result<(), Problem> {
    let failed = |error: std::io::Error| describe::disk("write", path, &error);
    let real = path.canonicalize().map_err(failed)?;
    let mode = real.metadata().map_err(failed)?.permissions();
    write_whole(&real, |file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(mode)
    })
}

/// A new file beside `path`.
fn file_beside(path: &Path) -> std::io::Result<NamedTempFile> {
    let above = above(path);
    remove_abandoned(above);
    let part = named()
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(above)?;
    lock(part.as_file());
    Ok(part)
}

/// A new folder beside `path`. It is locked as long as the file is open.
///
/// # Errors
/// What the disk says.
#[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
pub(crate) fn folder_beside(path: &Path) -> std::io::Result<(TempDir, File)> {
    let above = above(path);
    std::fs::create_dir_all(above)?;
    remove_abandoned(above);
    let part = named()
        .permissions(Permissions::from_mode(0o777))
        .tempdir_in(above)?;
    let open = File::open(part.path())?;
    lock(&open);
    Ok((part, open))
}

/// The name is one that nobody can know or has used: what stands in the folder is not
/// followed.
fn named() -> tempfile::Builder<'static, 'static> {
    let mut part = tempfile::Builder::new();
    part.prefix(PREFIX).suffix(SUFFIX);
    part
}

/// Says to others that this is being written. Where a file system has no locks, nothing is
/// ever taken for abandoned there, as nobody can lock it.
fn lock(part: &File) {
    let _ = part.try_lock();
}

/// Removes what a process that was killed has left in a folder: whatever is named so, has
/// been there for a while, and is locked by nobody. If it can't be, it stays.
#[expect(
    clippy::disallowed_methods,
    reason = "what nobody will finish is removed where it stands"
)]
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = folder.read_dir() else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !name.starts_with(PREFIX.as_bytes()) || !name.ends_with(SUFFIX.as_bytes()) {
            continue;
        }
        let path = entry.path();
        let Ok(meta) = entry.metadata() else { continue };
        let age = meta.modified().ok().and_then(|then| then.elapsed().ok());
        let kind = meta.file_type();
        if age.is_none_or(|age| age < SETTLED) || !(kind.is_dir() || kind.is_file()) {
            continue;
        }
        let Ok(open) = File::open(&path) else {
            continue;
        };
        if open.try_lock().is_ok() {
            let _ = match kind.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false => std::fs::remove_file(&path),
            };
        }
    }
}

/// The folder that a path is in.
pub(crate) fn above(path: &Path) -> &Path {
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    }
}
