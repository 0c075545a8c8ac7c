//! What an image's own files need from elsewhere: fetched, and taken out of archives.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek as _, SeekFrom};

use imgc_plan::{Content, File, FileDigest, FileNode, Image};
use imgc_store::{BlobDigest, Check, Store, StoreError};

use crate::extract::{Extracted, Held, Wanted, What};
use crate::realise::{self, About, realise};
use crate::{BuildError, Builder, Event, FetchError, abi};

/// The largest file that is fetched, in bytes.
const MAX_FETCHED: u64 = 16 << 30;

/// The largest list of what an archive holds that is read, in bytes.
const MAX_ENTRIES: u64 = 1 << 30;

/// An image's own files, and where the bytes of those are that came from elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    /// The files, as if all of them were the project's.
    pub(crate) files: Vec<File>,
    /// By digest: a blob, where in it they begin, and how many they are.
    bytes: BTreeMap<[u8; 32], (BlobDigest, u64, u64)>,
}

impl Brought {
    /// Opens a content. None for one that is the project's.
    pub(crate) fn open<'a>(
        &self,
        store: &'a dyn Store,
        sha256: &[u8; 32],
    ) -> Option<io::Result<Box<dyn Read + 'a>>> {
        let (blob, offset, size) = *self.bytes.get(sha256)?;
        let open = || {
            let opened = store.open(&blob).map_err(io::Error::other)?;
            let mut opened = opened.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            opened.seek(SeekFrom::Start(offset))?;
            Ok(Box::new(opened.take(size)) as Box<dyn Read>)
        };
        Some(open())
    }
}

/// What is fetched for an image: by digest, where it can be had.
pub(crate) fn fetched(image: &Image) -> BTreeMap<FileDigest, &str> {
    let contents = image.files.iter().filter_map(|file| match &file.node {
        FileNode::Regular { content, .. } | FileNode::Archive { content, .. } => Some(content),
        _ => None,
    });
    let fetched = contents.filter_map(|content| match content {
        Content::Fetched { digest, url } => Some((*digest, url.as_str())),
        _ => None,
    });
    fetched.collect()
}

/// The archives that an image unpacks, and what it takes of each.
pub(crate) fn archives(image: &Image) -> Vec<(&File, Wanted<'_>)> {
    let files = image.files.iter();
    files
        .filter_map(|file| Some((file, wanted(file)?)))
        .collect()
}

/// What a file takes of an archive. None for one that is not out of an archive.
fn wanted(file: &File) -> Option<Wanted<'_>> {
    let FileNode::Archive {
        content: Content::Source { digest, .. } | Content::Fetched { digest, .. },
        strip,
        exclude,
        include,
        setuid,
    } = &file.node
    else {
        return None;
    };
    Some(Wanted {
        archive: BlobDigest::from_bytes(*digest.as_bytes()),
        strip: *strip,
        exclude,
        include,
        setuid: *setuid,
    })
}

impl Builder<'_> {
    /// Brings what an image's own files need from elsewhere into the store.
    ///
    /// # Errors
    /// [`BuildError::Fetched`] and [`BuildError::Extract`], and the store's.
    pub(crate) fn bring(&self, image: &Image) -> Result<Brought, BuildError> {
        let mut brought = Brought::default();
        let fetched = fetched(image);
        let mut absent = 0;
        for digest in fetched.keys() {
            // Damaged bytes are moved aside, and fetched again.
            let blob = BlobDigest::from_bytes(*digest.as_bytes());
            absent += usize::from(!matches!(self.store.verify_read(&blob)?, Check::Intact(_)));
        }
        if absent > 0 {
            let (files, bytes) = (absent, 0);
            self.events.event(Event::FetchTotal { files, bytes });
        }
        for (digest, url) in fetched {
            let blob = BlobDigest::from_bytes(*digest.as_bytes());
            let done = self.fetcher().digested(url, blob, MAX_FETCHED);
            done.map_err(|error| match error {
                FetchError::Interrupted | FetchError::Store(_) => error.into(),
                error => BuildError::Fetched {
                    image: image.name.clone(),
                    digest: digest.hex(),
                    error: Box::new(error),
                },
            })?;
            let size = self.store.contains(&blob)?;
            let size = size.ok_or(StoreError::Absent(blob))?;
            brought.bytes.insert(*digest.as_bytes(), (blob, 0, size));
        }
        for file in &image.files {
            match &file.node {
                FileNode::Archive { .. } => self.unpacked_to(image, file, &mut brought)?,
                FileNode::Regular {
                    content: Content::Fetched { digest, .. },
                    mode,
                    capabilities,
                } => {
                    let size = brought.bytes.get(digest.as_bytes());
                    let node = FileNode::Regular {
                        content: Content::Source {
                            digest: *digest,
                            size: size.map_or(0, |(_, _, size)| *size),
                        },
                        mode: *mode,
                        capabilities: capabilities.clone(),
                    };
                    brought.files.push(File {
                        node,
                        ..file.clone()
                    });
                }
                _ => brought.files.push(file.clone()),
            }
        }
        brought.files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(brought)
    }

    /// The files of an archive, below the path of `file`.
    fn unpacked_to(
        &self,
        image: &Image,
        file: &File,
        brought: &mut Brought,
    ) -> Result<(), BuildError> {
        let Some(wanted) = wanted(file) else {
            return Ok(());
        };
        if let FileNode::Archive {
            content: Content::Source { digest, size },
            ..
        } = &file.node
        {
            self.take_in(digest, *size)?;
        }
        let extracted = self.extracted(image, file, &wanted)?;
        let list = self.store.read(&extracted.entries, MAX_ENTRIES)?;
        let absent = || StoreError::Absent(extracted.entries);
        let list: Vec<Held> =
            serde_json::from_slice(&list.ok_or_else(absent)?).map_err(|_| absent())?;
        let folder = |path| File {
            path,
            node: FileNode::Directory {
                mode: 0o755,
                keep: true,
            },
            user: file.user.clone(),
            group: file.group.clone(),
        };
        if file.path.as_str() != "/" {
            brought.files.push(folder(file.path.clone()));
        }
        for held in list {
            let path = file
                .path
                .join(&held.path)
                .map_err(|_| BuildError::Extract {
                    image: image.name.clone(),
                    path: file.path.to_string(),
                    error: crate::ExtractError::Entry {
                        path: held.path.clone(),
                        why: "which can't be a path in an image",
                    },
                })?;
            let node = match held.what {
                What::Directory => {
                    brought.files.push(folder(path));
                    continue;
                }
                What::Symlink { target } => FileNode::Symlink { target },
                What::File {
                    mode,
                    size,
                    sha256,
                    offset,
                } => {
                    let place = (extracted.data, offset, size);
                    brought.bytes.insert(*sha256.as_bytes(), place);
                    FileNode::Regular {
                        content: Content::Source {
                            digest: sha256,
                            size,
                        },
                        mode,
                        capabilities: Vec::new(),
                    }
                }
            };
            brought.files.push(File {
                path,
                node,
                user: file.user.clone(),
                group: file.group.clone(),
            });
        }
        Ok(())
    }

    /// What an archive in the store holds. What is damaged in the store is made again, once.
    fn extracted(
        &self,
        image: &Image,
        file: &File,
        wanted: &Wanted<'_>,
    ) -> Result<Extracted, BuildError> {
        let asked = || (abi::EXTRACT, wanted.action());
        if let Some(found) = realise::find::<Extracted>(self.store, abi::EXTRACT, wanted.action())?
        {
            self.store.verify_read(&found.data)?;
        }
        let about = About {
            kind: "extract",
            name: file.path.as_str(),
            said: serde_json::Value::Null,
        };
        realise(self, asked(), about, || {
            self.extract(wanted)?.map_err(|error| BuildError::Extract {
                image: image.name.clone(),
                path: file.path.to_string(),
                error,
            })
        })
    }

    /// Takes a file of the project into the store, unless it is there.
    fn take_in(&self, digest: &FileDigest, size: u64) -> Result<(), BuildError> {
        let blob = BlobDigest::from_bytes(*digest.as_bytes());
        if matches!(self.store.verify_read(&blob)?, Check::Intact(_)) {
            return Ok(());
        }
        let reading = |error| StoreError::from_io(error, "reading", std::path::Path::new("."));
        let mut writer = self.store.writer()?;
        let source = self.sources.open(digest).map_err(reading)?;
        io::copy(&mut source.take(size + 1), &mut writer).map_err(reading)?;
        writer.commit_as(&blob, size).map_err(|error| match error {
            StoreError::Mismatch { .. } => BuildError::Changed,
            error => error.into(),
        })
    }
}
