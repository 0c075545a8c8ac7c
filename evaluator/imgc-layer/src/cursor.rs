//! A segment that is open: it is read on, or from elsewhere. Frames before what is wanted
//! are skipped as they are, without being decompressed.

use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};

use imgc_store::Blob;
use zstd::stream::raw::{Decoder, InBuffer, Operation as _, OutBuffer};

use crate::frame::{FRAME, full_frame};

/// How many compressed bytes are read at once.
const BUFFER: usize = 128 * 1024;

/// Reads a segment, wherever it is asked to. It takes some 3 MB of memory.
pub(crate) struct Cursor {
    blob: BufReader<Blob>,
    decoder: Decoder<'static>,
    /// How far it has been read, in uncompressed bytes.
    at: u64,
    /// Where frames begin in the blob, as far as that is known.
    starts: Vec<u64>,
}

impl Cursor {
    /// At the beginning of a blob of zstd frames.
    ///
    /// # Errors
    /// That of starting the decompressor.
    pub(crate) fn new(blob: Blob) -> io::Result<Self> {
        Ok(Self {
            blob: BufReader::with_capacity(BUFFER, blob),
            decoder: Decoder::new()?,
            at: 0,
            starts: vec![0],
        })
    }

    /// At the beginning of another blob, with the decompressor and its memory.
    ///
    /// # Errors
    /// That of starting the decompressor anew.
    pub(crate) fn turn_to(mut self, blob: Blob) -> io::Result<Self> {
        self.decoder.reinit()?;
        Ok(Self {
            blob: BufReader::with_capacity(BUFFER, blob),
            decoder: self.decoder,
            at: 0,
            starts: vec![0],
        })
    }

    /// How far it has been read, in uncompressed bytes.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Goes to an offset in the uncompressed bytes. Whether it got there: a segment may
    /// end before. Where frames are skipped, their ends are believed.
    ///
    /// # Errors
    /// Those of reading and of decompressing. The cursor is of no use then.
    pub(crate) fn go_to(&mut self, offset: u64) -> io::Result<bool> {
        let frame = FRAME as u64;
        if offset < self.at || offset / frame > self.at / frame {
            let (begin, start) = self.frame_of(offset)?;
            if offset < self.at || begin > self.at {
                self.blob.seek(SeekFrom::Start(start))?;
                self.decoder.reinit()?;
                self.at = begin;
            }
        }
        let skip = offset - self.at;
        Ok(io::copy(&mut self.take(skip), &mut io::sink())? == skip)
    }

    /// The nearest frame at or before an offset: where its contents begin, and where it
    /// stands in the blob.
    fn frame_of(&mut self, offset: u64) -> io::Result<(u64, u64)> {
        let wanted = usize::try_from(offset / FRAME as u64).unwrap_or(usize::MAX);
        if wanted >= self.starts.len() {
            // The buffer stays as it is: what it was read from must stand where it stood.
            let blob = self.blob.get_mut();
            let here = blob.stream_position()?;
            while let Some(&start) = self.starts.last()
                && wanted >= self.starts.len()
                && let Some(size) = full_frame(blob, start)?
            {
                self.starts.push(start + size);
            }
            blob.seek(SeekFrom::Start(here))?;
        }
        let at = wanted.min(self.starts.len() - 1);
        Ok((at as u64 * FRAME as u64, self.starts[at]))
    }
}

impl Read for Cursor {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        loop {
            let input = self.blob.fill_buf()?;
            let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(&mut *buf));
            self.decoder.run(&mut from, &mut to)?;
            let (used, made, ended) = (from.pos(), to.pos(), input.is_empty());
            self.blob.consume(used);
            self.at += made as u64;
            if made > 0 || ended {
                return Ok(made);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use imgc_store::{MemoryStore, Store as _};

    use super::*;
    use crate::ZSTD_LEVEL;
    use crate::frame::tests::{self as frame, varied};

    fn blob(bytes: &[u8]) -> Blob {
        let store = MemoryStore::default();
        let digest = store.put(bytes).expect("stored");
        store.open(&digest).expect("a store").expect("a blob")
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        frame::packed(bytes, ZSTD_LEVEL, FRAME)
    }

    fn read(cursor: &mut Cursor, offset: usize, size: usize) -> Vec<u8> {
        assert!(cursor.go_to(offset as u64).expect("read"));
        let mut bytes = Vec::new();
        let read = cursor.take(size as u64).read_to_end(&mut bytes);
        read.expect("decompressed");
        assert_eq!(cursor.at(), (offset + bytes.len()) as u64);
        bytes
    }

    /// Frames of ours, one that is larger, and one that says no size.
    #[test]
    fn every_place_is_read_in_any_order() {
        let bytes = varied(FRAME as u32);
        let ours = packed(&bytes[..3 * FRAME + 5]);
        let large = zstd::bulk::compress(&bytes[..FRAME + 9], 1).expect("zstd");
        let silent = zstd::encode_all(&bytes[7..FRAME], 1).expect("zstd");
        let all = [
            &bytes[..3 * FRAME + 5],
            &bytes[..FRAME + 9],
            &bytes[7..FRAME],
        ]
        .concat();
        let mut cursor = Cursor::new(blob(&[ours, large, silent].concat())).expect("a cursor");
        let places = [
            0,
            2 * FRAME,
            10,
            FRAME - 1,
            3 * FRAME + 4,
            FRAME,
            5 * FRAME - 3,
            3 * FRAME + 6,
            4 * FRAME + 100,
            1,
            2 * FRAME - 1,
            2 * FRAME + 1,
        ];
        for offset in places {
            for size in [0, 1, 1000, FRAME + 1] {
                let end = (offset + size).min(all.len());
                let found = read(&mut cursor, offset, size);
                assert!(found == all[offset..end], "{size} bytes at {offset}");
            }
        }
        assert!(!cursor.go_to(all.len() as u64 + 1).expect("read"));
    }

    #[test]
    fn a_cursor_turns_to_another_blob() {
        let bytes = varied(FRAME as u32 / 2);
        let mut cursor = Cursor::new(blob(&packed(&bytes))).expect("a cursor");
        assert!(read(&mut cursor, FRAME + 3, 5) == bytes[FRAME + 3..FRAME + 8]);
        let mut cursor = cursor.turn_to(blob(&packed(b"other"))).expect("a cursor");
        assert_eq!(read(&mut cursor, 1, 9), b"ther");
    }

    #[test]
    fn damage_is_an_error() {
        let bytes = varied(FRAME as u32 / 2);
        let mut packed = packed(&bytes);
        // The last frame ends early; the first one is whole.
        packed.truncate(packed.len() - 100);
        let mut cursor = Cursor::new(blob(&packed)).expect("a cursor");
        assert!(read(&mut cursor, 3, 5) == bytes[3..8]);
        assert!(
            !cursor
                .go_to(2 * FRAME as u64 - 1)
                .expect("as far as it goes")
        );
        // The first block is of a type that there is none of: behind the magic number, the
        // descriptor, the window and a size of four bytes.
        packed[10] |= 6;
        let mut cursor = Cursor::new(blob(&packed)).expect("a cursor");
        assert!(cursor.go_to(FRAME as u64).is_err());
        let mut cursor = Cursor::new(blob(&packed)).expect("a cursor");
        assert!(cursor.go_to(3).is_err());
    }
}
