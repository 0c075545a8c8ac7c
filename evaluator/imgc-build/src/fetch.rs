//! Bytes from a mirror into the store: tried again, gone on with, and checked.
//!
//! A pinned file may come from any address: its digest vouches for it. Whatever
//! else comes is bounded here and verified by whoever asked.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use imgc_store::{BlobDigest, PartialWriter, Store, StoreError};

use crate::{Event, Events, Transport, TransportError};

/// How many tries in a row may bring next to nothing before an address is given up.
const TRIES: u32 = 4;

/// How many bytes a try must bring to count as one that brought something. A server that
/// sends less before each break would never end.
const PROGRESS: u64 = 64 * 1024;

/// What is fetched, and what vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// What it is, for messages: `libc6 2.41-12 amd64`.
    pub name: String,
    /// The digest that its bytes must have.
    pub digest: BlobDigest,
    /// The number of bytes that it must have.
    pub size: u64,
    /// Every address that may have it, the first choice first.
    pub addresses: Vec<String>,
}

/// Why something could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No address is configured.
    #[error("{0}: no mirror is known for it")]
    NoMirror(String),
    /// It isn't in the store, and the network may not be used.
    #[error("{0}: it is not in the store, and the network is switched off")]
    Offline(String),
    /// Every address failed.
    #[error("{name}: {}", tried.iter().map(|(url, why)| format!("{url}: {why}")).collect::<Vec<_>>().join("; "))]
    Failed {
        /// What was fetched.
        name: String,
        /// Each address, and why it failed.
        tried: Vec<(String, String)>,
        /// Whether some address had bytes, but others than were asked for.
        wrong: bool,
    },
    /// The address had other bytes than were asked for.
    #[error("{url} has {found_size} bytes with {found}, not those with {wanted}")]
    Other {
        /// The address.
        url: String,
        /// What its bytes should have been.
        wanted: BlobDigest,
        /// What they are.
        found: BlobDigest,
        /// How many they are.
        found_size: u64,
    },
    /// It was asked to stop.
    #[error("fetching was interrupted")]
    Interrupted,
    /// The store can't take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What fetching needs from outside.
#[derive(Clone, Copy)]
pub(crate) struct Fetcher<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) transport: &'a dyn Transport,
    pub(crate) events: &'a dyn Events,
    /// Set from outside, it ends all fetching.
    pub(crate) stop: &'a AtomicBool,
}

/// Why one address gave nothing.
enum Miss {
    /// A further try may bring it, or the rest of it.
    Passing(String),
    /// No further try would.
    Final(String),
    /// Bytes came, but others than were asked for: how many and which, if all came.
    Wrong(String, Option<(BlobDigest, u64)>),
    /// The network may not be used.
    Offline,
    /// It was asked to stop.
    Interrupted,
}

impl Fetcher<'_> {
    /// Brings a pinned file into the store, unless it is there.
    pub(crate) fn pinned(&self, pin: &Pin) -> Result<(), FetchError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(FetchError::Interrupted);
        }
        if self.store.contains(&pin.digest)? == Some(pin.size) {
            return Ok(());
        }
        if pin.addresses.is_empty() {
            return Err(FetchError::NoMirror(pin.name.clone()));
        }
        let mut tried = Vec::new();
        let mut some_wrong = false;
        for url in &pin.addresses {
            match self.pinned_from(url, pin, true)? {
                Ok(()) => return Ok(()),
                Err(Miss::Offline) => return Err(FetchError::Offline(pin.name.clone())),
                Err(Miss::Interrupted) => return Err(FetchError::Interrupted),
                Err(Miss::Passing(reason) | Miss::Final(reason)) => {
                    tried.push((url.clone(), reason));
                }
                Err(Miss::Wrong(reason, _)) => {
                    some_wrong = true;
                    tried.push((url.clone(), reason));
                }
            }
        }
        Err(FetchError::Failed {
            name: pin.name.clone(),
            tried,
            wrong: some_wrong,
        })
    }

    /// Brings a file into the store of which only the digest is known, at most `limit` bytes
    /// of it, unless it is there.
    pub(crate) fn digested(
        &self,
        url: &str,
        digest: BlobDigest,
        limit: u64,
    ) -> Result<(), FetchError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(FetchError::Interrupted);
        }
        if self.store.contains(&digest)?.is_some() {
            return Ok(());
        }
        let pin = Pin {
            name: url.to_owned(),
            digest,
            size: limit,
            addresses: Vec::new(),
        };
        match self.pinned_from(url, &pin, false)? {
            Ok(()) => Ok(()),
            Err(Miss::Offline) => Err(FetchError::Offline(pin.name)),
            Err(Miss::Interrupted) => Err(FetchError::Interrupted),
            Err(Miss::Wrong(_, Some((found, found_size)))) => Err(FetchError::Other {
                url: pin.name,
                wanted: digest,
                found,
                found_size,
            }),
            Err(Miss::Passing(reason) | Miss::Final(reason) | Miss::Wrong(reason, None)) => {
                Err(FetchError::Failed {
                    tried: vec![(pin.name.clone(), reason)],
                    name: pin.name,
                    wrong: false,
                })
            }
        }
    }

    /// One address: as many requests as it takes, as long as they bring something. Unless
    /// its size is `exact`, it is the most that is taken.
    fn pinned_from(
        &self,
        url: &str,
        pin: &Pin,
        exact: bool,
    ) -> Result<Result<(), Miss>, FetchError> {
        let mut failed = 0;
        let mut best = 0;
        let mut mismatched = false;
        loop {
            // Another process may have brought it while this one waited.
            let mut partial = self.store.partial(&pin.digest)?;
            let there = self.store.contains(&pin.digest)?;
            if there.is_some_and(|size| size == pin.size || !exact) {
                return Ok(Ok(()));
            }
            if partial.offset() > pin.size {
                partial.restart()?;
            }
            let began = partial.offset();
            let received = self.receive(url, pin, exact, &mut partial)?;
            let offset = partial.offset();
            let reason = match received {
                Ok(()) => match partial.finish(if exact { pin.size } else { offset }) {
                    Ok(()) => return Ok(Ok(())),
                    // What was there from before may have been the wrong part. From the
                    // second time on, all of it came from here.
                    Err(StoreError::Mismatch { .. }) if began > 0 && !mismatched => {
                        mismatched = true;
                        best = 0;
                        continue;
                    }
                    Err(StoreError::Mismatch {
                        found, found_size, ..
                    }) => {
                        let reason = format!(
                            "{found_size} bytes with {found} came, not {} with {}",
                            pin.size, pin.digest
                        );
                        return Ok(Err(Miss::Wrong(reason, Some((found, found_size)))));
                    }
                    Err(error) => return Err(error.into()),
                },
                Err(Miss::Passing(reason)) => reason,
                Err(miss) => return Ok(Err(miss)),
            };
            drop(partial);
            failed += 1;
            if offset >= best + PROGRESS {
                (failed, best) = (1, offset);
            }
            if failed >= TRIES {
                return Ok(Err(Miss::Passing(reason)));
            }
            self.events.event(Event::Retry {
                url: url.to_owned(),
                reason,
            });
            self.transport.wait(failed);
        }
    }

    /// One request: all that it brings, at most what is missing.
    fn receive(
        &self,
        url: &str,
        pin: &Pin,
        exact: bool,
        partial: &mut PartialWriter,
    ) -> Result<Result<(), Miss>, FetchError> {
        if exact && partial.offset() == pin.size && pin.size > 0 {
            return Ok(Ok(()));
        }
        let mut response = match self.transport.get(url, partial.offset()) {
            Ok(response) => response,
            Err(TransportError::Offline) => return Ok(Err(Miss::Offline)),
            Err(_) if self.stop.load(Ordering::Relaxed) => return Ok(Err(Miss::Interrupted)),
            Err(error) if error.is_passing() => return Ok(Err(Miss::Passing(error.to_string()))),
            Err(error) => return Ok(Err(Miss::Final(error.to_string()))),
        };
        if response.start != partial.offset() {
            partial.restart()?;
        }
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(Err(Miss::Interrupted));
            }
            let read = match response.body.read(&mut buffer) {
                Ok(read) => read,
                Err(_) if self.stop.load(Ordering::Relaxed) => {
                    return Ok(Err(Miss::Interrupted));
                }
                Err(error) => {
                    return Ok(Err(Miss::Passing(error.to_string())));
                }
            };
            if read == 0 {
                break;
            }
            if partial.offset() + read as u64 > pin.size {
                partial.restart()?;
                let what = if exact { "pinned" } else { "taken" };
                let reason = format!("more than the {} bytes that are {what} came", pin.size);
                return Ok(Err(Miss::Wrong(reason, None)));
            }
            let written = partial.write_all(&buffer[..read]);
            written.map_err(|error| {
                StoreError::from_io(error, "writing", std::path::Path::new("a download"))
            })?;
            self.events.event(Event::Fetched { bytes: read as u64 });
        }
        if exact && partial.offset() < pin.size {
            let reason = format!("{} of {} bytes came", partial.offset(), pin.size);
            return Ok(Err(Miss::Passing(reason)));
        }
        Ok(Ok(()))
    }

    /// Brings a file that nothing vouches for yet, at most `limit` bytes of it.
    pub(crate) fn unpinned(
        &self,
        name: &str,
        addresses: &[String],
        limit: u64,
    ) -> Result<Vec<u8>, FetchError> {
        if addresses.is_empty() {
            return Err(FetchError::NoMirror(name.to_owned()));
        }
        let mut tried = Vec::new();
        for url in addresses {
            let mut failed = 0;
            loop {
                let whole = self.whole(url, limit);
                if self.stop.load(Ordering::Relaxed) {
                    return Err(FetchError::Interrupted);
                }
                let reason = match whole {
                    Ok(bytes) => return Ok(bytes),
                    Err(TransportError::Offline) => {
                        return Err(FetchError::Offline(name.to_owned()));
                    }
                    Err(error) if !error.is_passing() => {
                        tried.push((url.clone(), error.to_string()));
                        break;
                    }
                    Err(error) => error.to_string(),
                };
                failed += 1;
                if failed >= TRIES {
                    tried.push((url.clone(), reason));
                    break;
                }
                self.events.event(Event::Retry {
                    url: url.clone(),
                    reason,
                });
                self.transport.wait(failed);
            }
        }
        Err(FetchError::Failed {
            name: name.to_owned(),
            tried,
            wrong: false,
        })
    }

    fn whole(&self, url: &str, limit: u64) -> Result<Vec<u8>, TransportError> {
        let response = self.transport.get(url, 0)?;
        let mut bytes = Vec::new();
        let read = response.body.take(limit + 1).read_to_end(&mut bytes);
        read.map_err(|error| TransportError::Connection(error.to_string()))?;
        if bytes.len() as u64 > limit {
            let reason = format!("more than {limit} bytes came");
            return Err(TransportError::Connection(reason));
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read};
    use std::sync::Mutex;

    use imgc_store::MemoryStore;

    use super::*;
    use crate::Response;

    /// Answers each request with the next of its answers.
    struct Script(Mutex<Vec<Answer>>);

    enum Answer {
        /// These bytes from the asked position on, then a broken connection.
        Broken(&'static [u8]),
        /// All of these bytes, whatever was asked.
        Whole(&'static [u8]),
        /// The bytes from the asked position on.
        Ranged(&'static [u8]),
        Status(u16),
    }

    struct Cut(&'static [u8]);

    impl Read for Cut {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            self.0.read(buffer)
        }
    }

    impl Transport for Script {
        fn get(&self, _: &str, from: u64) -> Result<Response, TransportError> {
            let skip = usize::try_from(from).expect("small");
            match self.0.lock().expect("the script").remove(0) {
                Answer::Broken(bytes) => Ok(Response {
                    body: Box::new(Cut(&bytes[skip..])),
                    start: from,
                }),
                Answer::Whole(bytes) => Ok(Response {
                    body: Box::new(bytes),
                    start: 0,
                }),
                Answer::Ranged(bytes) => Ok(Response {
                    body: Box::new(&bytes[skip..]),
                    start: from,
                }),
                Answer::Status(status) => Err(TransportError::Status(status)),
            }
        }

        fn wait(&self, _: u32) {}
    }

    struct Deaf;

    impl Events for Deaf {
        fn event(&self, _: Event) {}
    }

    fn fetch(answers: Vec<Answer>) -> (MemoryStore, Result<(), FetchError>, usize) {
        let store = MemoryStore::new();
        let script = Script(Mutex::new(answers));
        let fetcher = Fetcher {
            store: &store,
            transport: &script,
            events: &Deaf,
            stop: &AtomicBool::new(false),
        };
        let result = fetcher.pinned(&Pin {
            name: "a".to_owned(),
            digest: BlobDigest::of(b"hello world"),
            size: 11,
            addresses: vec!["http://mirror.example/a".to_owned()],
        });
        let left = script.0.into_inner().expect("the script").len();
        (store, result, left)
    }

    #[test]
    fn goes_on_where_the_connection_broke() {
        let answers = vec![
            Answer::Broken(b"hello"),
            Answer::Status(503),
            Answer::Ranged(b"hello world"),
        ];
        let (store, result, left) = fetch(answers);
        result.expect("fetched");
        assert_eq!(left, 0);
        assert_eq!(
            store
                .contains(&BlobDigest::of(b"hello world"))
                .expect("asked"),
            Some(11)
        );
    }

    #[test]
    fn begins_again_where_the_server_knows_no_ranges() {
        let (_, result, _) = fetch(vec![
            Answer::Broken(b"hello"),
            Answer::Whole(b"hello world"),
        ]);
        result.expect("fetched");
    }

    #[test]
    fn a_broken_beginning_is_not_kept() {
        let (_, result, left) = fetch(vec![
            Answer::Broken(b"hxllo"),
            Answer::Ranged(b"hello world"),
            Answer::Ranged(b"hello world"),
        ]);
        result.expect("fetched");
        assert_eq!(left, 0);
    }

    #[test]
    fn wrong_bytes_are_refused() {
        for bytes in [&b"hello_world"[..], b"hello world, and more"] {
            let (store, result, _) = fetch(vec![Answer::Whole(bytes)]);
            assert!(matches!(
                result,
                Err(FetchError::Failed { wrong: true, .. })
            ));
            assert_eq!(store.contains(&BlobDigest::of(bytes)).expect("asked"), None);
        }
    }

    #[test]
    fn wrong_bytes_in_pieces_come_to_an_end() {
        let answers = (0..100).map(|_| [Answer::Broken(b"hello"), Answer::Ranged(b"hello_world")]);
        let (_, result, left) = fetch(answers.flatten().collect());
        assert!(matches!(
            result,
            Err(FetchError::Failed { wrong: true, .. })
        ));
        assert!(left > 190, "{left}");
    }

    #[test]
    fn a_server_that_dribbles_is_given_up() {
        let answers = (1..=11).map(|end| Answer::Broken(&b"hello world"[..end]));
        let (_, result, left) = fetch(answers.collect());
        assert!(matches!(
            result,
            Err(FetchError::Failed { wrong: false, .. })
        ));
        assert_eq!(left, 7);
    }

    #[test]
    fn gives_up_after_some_tries() {
        let answers = (0..10).map(|_| Answer::Status(503)).collect();
        let (_, result, left) = fetch(answers);
        assert!(matches!(
            result,
            Err(FetchError::Failed { wrong: false, .. })
        ));
        assert_eq!(left, 6);
    }
}
