//! Blobs copied out of the store, verified on their way.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;

use imgc_plan::BlobDigest;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{Shared, joined};
use crate::StoreError;

/// How many bytes are copied at once.
const PIECE: usize = 128 * 1024;

/// Copies a blob's file. `out` shares its blocks where the file system can: a saving, not a
/// need, and whatever hinders it, the bytes are copied.
///
/// # Errors
/// [`StoreError::Absent`] for a damaged blob, in what reading and writing say.
pub(super) fn whole(mut file: File, digest: &BlobDigest, out: &mut File) -> io::Result<()> {
    if reflink_copy::reflink_file(&file, out).is_ok() {
        return copy(&mut file, digest, &mut io::sink());
    }
    out.set_len(0)?;
    copy(&mut file, digest, out)
}

/// Copies a joined blob: its parts side by side, each to its place. That the parts are those
/// of the blob, their list says, and its checksum.
///
/// # Errors
/// As [`whole`], for a part that is damaged or gone.
pub(super) fn joined(shared: &Shared, parts: &joined::Parts, out: &File) -> io::Result<()> {
    let mut at = 0;
    let placed = parts.iter().map(|(digest, size)| {
        at += size;
        (digest, *size, at - size)
    });
    let placed: Vec<_> = placed.collect();
    placed.into_par_iter().try_for_each(|(digest, size, at)| {
        let found = shared.find_file(digest)?;
        let Some((mut file, _)) = found.filter(|(_, len)| *len == size) else {
            return Err(StoreError::Absent(*digest).into());
        };
        copy(&mut file, digest, &mut Placed { out, at })
    })
}

/// Writes to a place in a file.
struct Placed<'a> {
    out: &'a File,
    /// Where the next bytes go, from the beginning.
    at: u64,
}

impl Write for Placed<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self.out.write_at(buf, self.at)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies all bytes, which must be those that `digest` names.
fn copy(from: &mut File, digest: &BlobDigest, out: &mut dyn Write) -> io::Result<()> {
    let mut hash = Sha256::new();
    let mut buf = vec![0; PIECE];
    loop {
        match from.read(&mut buf) {
            Ok(0) => break,
            Ok(read) => {
                hash.update(&buf[..read]);
                out.write_all(&buf[..read])?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    match BlobDigest::from_bytes(hash.finalize().into()) == *digest {
        true => Ok(()),
        false => Err(StoreError::Absent(*digest).into()),
    }
}
