//! New blobs: a temporary file, made read-only, flushed, renamed.
#![expect(clippy::disallowed_methods, reason = "the store is what keeps files")]

use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::mem;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use imgc_plan::BlobDigest;
use tempfile::NamedTempFile;

use super::{Shared, writeback};
use crate::blob::{BlobSink, SealedSink};
use crate::{BlobWriter, StoreError};

/// Large enough that a compressor's output goes to the system in few calls.
const BUFFER: usize = 128 * 1024;

/// Nobody writes to a blob again.
pub(super) const BLOB_MODE: u32 = 0o444;

struct DiskSink {
    temp: BufWriter<NamedTempFile>,
    shared: Arc<Shared>,
}

/// All bytes of a blob, in a file that nobody writes to again.
struct SealedFile {
    temp: NamedTempFile,
    shared: Arc<Shared>,
}

pub(super) fn writer(shared: &Arc<Shared>) -> Result<BlobWriter, StoreError> {
    let temp = BufWriter::with_capacity(BUFFER, shared.session.temp()?);
    Ok(BlobWriter::new(Box::new(DiskSink {
        temp,
        shared: Arc::clone(shared),
    })))
}

impl Write for DiskSink {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.temp.write(buf).map_err(|e| located(e, &self.temp))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.temp.flush().map_err(|e| located(e, &self.temp))
    }
}

/// An error of writing, with its file in it.
fn located(error: io::Error, temp: &BufWriter<NamedTempFile>) -> io::Error {
    StoreError::from_io(error, "writing", temp.get_ref().path()).into()
}

impl BlobSink for DiskSink {
    fn seal(self: Box<Self>) -> Result<Box<dyn SealedSink>, StoreError> {
        let Self { temp, shared } = *self;
        let path = temp.get_ref().path().to_owned();
        let temp = temp
            .into_inner()
            .map_err(|e| StoreError::from_io(e.into_error(), "writing", &path))?;
        temp.as_file()
            .set_permissions(Permissions::from_mode(BLOB_MODE))
            .map_err(|e| StoreError::from_io(e, "changing the mode of", &path))?;
        writeback::begin(temp.as_file());
        Ok(Box::new(SealedFile { temp, shared }))
    }
}

impl SealedSink for SealedFile {
    fn publish(self: Box<Self>, digest: &BlobDigest, size: u64) -> Result<(), StoreError> {
        let Self { temp, shared } = *self;
        publish(&shared, temp.as_file(), temp.path(), digest, size)?;
        // The name is gone from `tmp`: nothing is left to remove.
        mem::drop(temp.into_temp_path().keep());
        Ok(())
    }
}

/// Makes the file at `from` the blob `digest`: flushed, renamed. It takes the place of what
/// is there already: whoever made the bytes again may have found those to be damaged.
pub(super) fn publish(
    shared: &Shared,
    file: &File,
    from: &Path,
    digest: &BlobDigest,
    size: u64,
) -> Result<(), StoreError> {
    let hex = digest.hex();
    let folder = shared.blob_folder(&hex);
    let dest = folder.join(&hex);
    let meta = file
        .metadata()
        .map_err(|e| StoreError::from_io(e, "examining", from))?;
    let written = meta.len();
    if written != size {
        let short = io::Error::new(
            io::ErrorKind::WriteZero,
            format!("{written} bytes reached the file, {size} were written"),
        );
        return Err(StoreError::from_io(short, "writing", from));
    }
    file.sync_all()
        .map_err(|e| StoreError::from_io(e, "flushing", from))?;
    if make_folder(&folder)? {
        shared.touched(shared.root.join("blobs/sha256"));
    }
    // A folder in its place would stay there: it is moved aside.
    drop(shared.guard.using(|| shared.find_own(digest))?);
    fs::rename(from, &dest).map_err(|e| StoreError::from_io(e, "publishing", &dest))?;
    shared.touched(folder);
    shared.digested.add(digest, meta.modified().ok());
    Ok(())
}

/// Makes a folder with mode `0755`, unless it is there. Says whether it was made.
pub(super) fn make_folder(path: &Path) -> Result<bool, StoreError> {
    match fs::create_dir(path) {
        Ok(()) => fs::set_permissions(path, Permissions::from_mode(0o755))
            .map(|()| true)
            .map_err(|e| StoreError::from_io(e, "changing the mode of", path)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(StoreError::from_io(error, "creating the folder", path)),
    }
}

/// Flushes the names of all blobs that were published since the last time, or were to be
/// and stood there already. Others were found through a record, and are flushed.
pub(super) fn sync_folders(shared: &Shared) -> Result<(), StoreError> {
    // Whoever comes while another flushes may need just those folders: it waits.
    let _flushing = shared
        .flushing
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let taken = mem::take(
        &mut *shared
            .unsynced
            .lock()
            .unwrap_or_else(PoisonError::into_inner),
    );
    for folder in &taken {
        let flushed = match File::open(folder) {
            // What was put there already stands in a store below.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            opened => opened.and_then(|folder| folder.sync_all()),
        };
        if let Err(error) = flushed {
            let failed = StoreError::from_io(error, "flushing", folder);
            taken
                .iter()
                .for_each(|folder| shared.touched(folder.clone()));
            return Err(failed);
        }
    }
    Ok(())
}
