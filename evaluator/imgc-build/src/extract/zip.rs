//! Entries of a zip archive, as its directory at the end lists them.

use std::io::{BufReader, Read};
use std::ops::Range;

use flate2::bufread::DeflateDecoder;
use imgc_dpkg::Limits;
use imgc_store::Blob;
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};

use super::bounded::{Bounded, fault};
use super::paths::MAX_ENTRIES;
use super::{ExtractError, Fault, Kind, Sink};

/// The longest target of a symbolic link, in bytes.
const MAX_TARGET: u64 = 4096;

/// An entry of the directory.
struct Listed {
    path: Vec<u8>,
    /// With the bits that say what it is; none where the archive was not made on Unix.
    mode: u32,
    is_folder: bool,
    method: CompressionMethod,
    at: ZipArchiveEntryWayfinder,
}

/// Gives `sink` every entry.
pub(super) fn read(blob: Blob, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let size = blob.len();
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_seekable(blob, &mut buffer).map_err(|error| damaged(&error))?;
    let mut all: Vec<Listed> = Vec::new();
    let mut entries = archive.entries(&mut buffer);
    while let Some(entry) = entries.next_entry().map_err(|error| damaged(&error))? {
        if all.len() >= MAX_ENTRIES {
            return Err(ExtractError::TooMuch("200000 entries").into());
        }
        let path = entry.file_path().as_bytes().to_vec();
        if entry.flags().is_encrypted() {
            let why = "which is encrypted";
            return Err(refused(&path, why));
        }
        all.push(Listed {
            is_folder: entry.is_dir(),
            mode: entry.mode().value(),
            method: entry.compression_method(),
            at: entry.wayfinder(),
            path,
        });
    }
    // One bound for all of them: parts of the archive may be listed more than once.
    let mut left = Bounded::new(std::io::empty(), size).left();
    let mut spans: Vec<Range<u64>> = Vec::new();
    for listed in &all {
        let path = &listed.path;
        let entry = archive
            .get_entry(listed.at)
            .map_err(|error| damaged(&error))?;
        let (start, end) = entry.compressed_data_range();
        spans.push(start..end);
        let mut name = vec![0; RECOMMENDED_BUFFER_SIZE];
        let local = entry
            .local_header(&mut name)
            .map_err(|error| damaged(&error))?;
        if local.file_path().as_bytes() != path.as_slice() {
            return Err(refused(path, "which has another name where it stands"));
        }
        if listed.is_folder {
            sink.entry(path, 0, Kind::Directory, &mut std::io::empty())?;
            continue;
        }
        let reader = BufReader::with_capacity(64 * 1024, entry.reader());
        let inflated: Box<dyn Read + '_> = match listed.method {
            CompressionMethod::STORE => Box::new(reader),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(reader)),
            _ => {
                return Err(refused(
                    path,
                    "which is compressed in a way that imgc does not read",
                ));
            }
        };
        let verified = entry.verifying_reader(inflated);
        let mut body = Counted {
            input: verified,
            left: &mut left,
        };
        let kind = match listed.mode & 0o170_000 {
            0o100_000 | 0 => Kind::Regular,
            0o120_000 => {
                let mut target = Vec::new();
                let read = (&mut body).take(MAX_TARGET + 1).read_to_end(&mut target);
                read.map_err(|error| fault(&error))?;
                Kind::Symlink(target)
            }
            _ => Kind::Other,
        };
        sink.entry(path, listed.mode, kind, &mut body)?;
    }
    spans.sort_by_key(|span| span.start);
    if spans.windows(2).any(|two| two[0].end > two[1].start) {
        let why = "two entries share their bytes".to_owned();
        return Err(ExtractError::Damaged(why).into());
    }
    Ok(())
}

/// A body of which what comes is counted. Its sum has been seen to.
struct Counted<'a, R> {
    input: R,
    left: &'a mut u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.input.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => *self.left = left,
            None => {
                let ratio = Limits::default().ratio;
                return Err(std::io::Error::other(ExtractError::Ratio(ratio)));
            }
        }
        Ok(read)
    }
}

fn refused(path: &[u8], why: &'static str) -> Fault {
    let path = String::from_utf8_lossy(path).into_owned();
    ExtractError::Entry { path, why }.into()
}

fn damaged(error: &rawzip::Error) -> Fault {
    ExtractError::Damaged(error.to_string()).into()
}
