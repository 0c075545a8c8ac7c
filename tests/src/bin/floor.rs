//! The least that making a layer of packages can take: their bytes decoded, digested and
//! compressed by the libraries that imgc uses, on all processors, and nothing else. For
//! the benchmarks.
//!
//! `floor DEB…` prints the wall time in seconds, and on standard error what was done.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program that reads files and prints its result"
)]

use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use sha2::{Digest as _, Sha256};

fn main() {
    let mut debs: Vec<(u64, PathBuf)> = std::env::args_os()
        .skip(1)
        .map(|path| {
            let path = PathBuf::from(path);
            let size = path.metadata().expect("a package").len();
            (size, path)
        })
        .collect();
    // The largest first: they would be waited for at the end.
    debs.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let next = AtomicUsize::new(0);
    let (read, unpacked, packed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let begin = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((_, path)) = debs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let deb = std::fs::read(path).expect("a package");
                    let (tar, zstd) = work(&deb);
                    read.fetch_add(deb.len() as u64, Ordering::Relaxed);
                    unpacked.fetch_add(tar, Ordering::Relaxed);
                    packed.fetch_add(zstd, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{:.3}", begin.elapsed().as_secs_f64());
    eprintln!(
        "{} packages, {} bytes, decoded to {} and compressed to {}, {threads} threads",
        debs.len(),
        read.into_inner(),
        unpacked.into_inner(),
        packed.into_inner()
    );
}

/// The package digested, its data decoded, those bytes digested and compressed, and what
/// that comes to digested. Gives the sizes of the last two.
fn work(deb: &[u8]) -> (u64, u64) {
    Sha256::digest(deb);
    let data = data(deb);
    let mut out = Digested(Sha256::new(), 0);
    let mut encoder = zstd::stream::write::Encoder::new(&mut out, 3).expect("zstd");
    encoder.include_checksum(true).expect("a checksum");
    let mut hash = Sha256::new();
    let (mut reader, mut size) = (data, 0);
    let mut buffer = vec![0; 128 * 1024];
    loop {
        let read = reader.read(&mut buffer).expect("data");
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        encoder.write_all(&buffer[..read]).expect("compressed");
        size += read as u64;
    }
    encoder.finish().expect("compressed");
    hash.finalize();
    out.0.finalize();
    (size, out.1)
}

/// The decoder of the member `data.tar.*` of an ar archive.
fn data(deb: &[u8]) -> Box<dyn Read + '_> {
    let mut at = 8;
    while let Some(head) = deb.get(at..at + 60) {
        let text =
            |range: std::ops::Range<usize>| String::from_utf8_lossy(&head[range]).into_owned();
        let size: usize = text(48..58).trim().parse().expect("a size");
        let body = &deb[at + 60..at + 60 + size];
        let name = text(0..16);
        match name.trim().trim_end_matches('/') {
            "data.tar.xz" => return Box::new(liblzma::bufread::XzDecoder::new(body)),
            "data.tar.zst" => {
                let decoder = zstd::stream::read::Decoder::with_buffer(body);
                return Box::new(decoder.expect("zstd"));
            }
            "data.tar" => return Box::new(body),
            _ => at += 60 + size + size % 2,
        }
    }
    panic!("a package without data, or in another compression than xz and zstd");
}

/// Digests and counts what is written.
struct Digested(Sha256, u64);

impl Write for Digested {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        self.1 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
