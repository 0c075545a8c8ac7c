//! A package index: a `Packages` file, and what a `Release` says of it.
//!
//! The text is kept whole, and a package is a view of its stanza: 60,000
//! packages are read by finding their fields, not by copying them. Relation
//! fields are parsed by who needs them. Nothing here fetches, and nothing is
//! decompressed before its hash was compared.

use std::fmt;
use std::io::Read as _;

use liblzma::read::XzDecoder;
use liblzma::stream::Stream;

use crate::depends::{RelationError, Relations, is_name};
use crate::lock::LockedIndex;
use crate::release::IndexFile;
use crate::sha256::{Checksums, Sha256};
use crate::stanza::{Item, Items, StanzaError};
use crate::version::{self, VersionError};

/// The greatest size of an index, decompressed, in bytes.
pub const MAX_INDEX: u64 = 512 * 1024 * 1024;

/// The memory that the decompressor may take, in bytes. `xz -9` needs 65 MiB.
const MAX_DECODER: u64 = 256 * 1024 * 1024;

/// The packages of one index.
#[derive(Clone)]
pub struct Index {
    text: String,
    entries: Vec<Entry>,
    /// Positions in `entries`, sorted by name; one name in the order of the file.
    by_name: Vec<u32>,
}

/// One package of an [`Index`].
#[derive(Clone, Copy)]
pub struct Package<'a> {
    text: &'a str,
    entry: &'a Entry,
}

/// The value of `Multi-Arch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MultiArch {
    /// It serves packages of its own architecture.
    No,
    /// It can be installed for several architectures at once.
    Same,
    /// It serves packages of any architecture.
    Foreign,
    /// It serves packages of any architecture that ask with `:any`.
    Allowed,
}

impl MultiArch {
    /// The value as the field has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Same => "same",
            Self::Foreign => "foreign",
            Self::Allowed => "allowed",
        }
    }
}

/// Why an index is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The compressed bytes are not those that the `Release` names.
    #[error(
        "{path}: the bytes are not those that the Release names ({found_size} bytes, sha256 {found})"
    )]
    Hash {
        /// The index.
        path: String,
        /// The digest of what came.
        found: Sha256,
        /// Its length in bytes.
        found_size: u64,
    },
    /// The bytes are not compressed as they should be, or end too early.
    #[error("{path}: can't be decompressed: {error}")]
    Packing {
        /// The index.
        path: String,
        /// The decoder's words.
        error: String,
    },
    /// Decompressed, it is not what the `Release` names, or it is too big.
    #[error("{path}: decompressed, the bytes are not those that the Release names")]
    Unpacked {
        /// The index.
        path: String,
    },
    /// The text is not UTF-8.
    #[error("the index is not UTF-8 at byte {at}")]
    Utf8 {
        /// The first byte that is not.
        at: usize,
    },
    /// The text is not made of stanzas.
    #[error("the index is not well-formed: {0}")]
    Stanza(#[from] StanzaError),
    /// A package lacks a field that it must have.
    #[error("line {line}: a package has no {field}")]
    Missing {
        /// The line at which its stanza ends, counted from 1.
        line: usize,
        /// The field.
        field: &'static str,
    },
    /// A field's value is not one that it can have.
    #[error("line {line}: {field} can't be `{value}`")]
    Value {
        /// The line, counted from 1.
        line: usize,
        /// The field.
        field: &'static str,
        /// The value, cut short.
        value: String,
    },
    /// A version is not one.
    #[error("line {line}: {error}")]
    Version {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        error: VersionError,
    },
    /// It has more packages, or is longer, than an index may be.
    #[error("the index is too big")]
    TooBig,
}

/// A field that is looked at. The order is that of [`Entry::spans`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Package,
    Version,
    Architecture,
    Essential,
    Priority,
    PreDepends,
    Depends,
    Recommends,
    Conflicts,
    Breaks,
    Provides,
    MultiArch,
    Filename,
    Size,
    Sha256,
    InstalledSize,
    Source,
    Suggests,
    Replaces,
    Enhances,
}

const FIELDS: [(&str, Field); 20] = [
    ("Package", Field::Package),
    ("Version", Field::Version),
    ("Architecture", Field::Architecture),
    ("Essential", Field::Essential),
    ("Priority", Field::Priority),
    ("Pre-Depends", Field::PreDepends),
    ("Depends", Field::Depends),
    ("Recommends", Field::Recommends),
    ("Conflicts", Field::Conflicts),
    ("Breaks", Field::Breaks),
    ("Provides", Field::Provides),
    ("Multi-Arch", Field::MultiArch),
    ("Filename", Field::Filename),
    ("Size", Field::Size),
    ("SHA256", Field::Sha256),
    ("Installed-Size", Field::InstalledSize),
    ("Source", Field::Source),
    ("Suggests", Field::Suggests),
    ("Replaces", Field::Replaces),
    ("Enhances", Field::Enhances),
];

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// Begin and end of each field's value; (0, 0) where there is none. No value
    /// begins at 0, where the first field's name stands.
    spans: [(u32, u32); FIELDS.len()],
    size: u64,
    sha256: [u8; 32],
}

impl Index {
    /// Checks and decompresses what came for `file`, and reads it. The path of `file`
    /// says how it is compressed: `.xz`, `.gz`, or not.
    ///
    /// # Errors
    /// An [`IndexError`] when the bytes are not those that `file` names, when they
    /// can't be decompressed within the size that it gives, or when they are no
    /// index.
    pub fn parse_packed(bytes: &[u8], file: &IndexFile) -> Result<Self, IndexError> {
        check(bytes, &file.path, file.size, &file.sums)?;
        let limit = file.unpacked.map_or(MAX_INDEX, |(_, size)| size);
        if limit > MAX_INDEX {
            return Err(IndexError::TooBig);
        }
        let text = decompress(bytes, &file.path, limit)?;
        match &file.unpacked {
            Some((sums, size)) if text.len() as u64 != *size || !sums.fit(&text) => {
                let path = file.path.clone();
                return Err(IndexError::Unpacked { path });
            }
            None if text.len() as u64 > limit => return Err(IndexError::TooBig),
            _ => {}
        }
        Self::parse_bytes(text)
    }

    /// The same for an index that a lock names.
    ///
    /// # Errors
    /// As [`Index::parse_packed`].
    pub fn parse_locked(bytes: &[u8], locked: &LockedIndex) -> Result<Self, IndexError> {
        let sums = Checksums::of_sha256(locked.sha256);
        check(bytes, &locked.path, locked.size, &sums)?;
        let text = decompress(bytes, &locked.path, MAX_INDEX)?;
        Self::parse_bytes(text)
    }

    fn parse_bytes(text: Vec<u8>) -> Result<Self, IndexError> {
        let text = String::from_utf8(text).map_err(|error| IndexError::Utf8 {
            at: error.utf8_error().valid_up_to(),
        })?;
        Self::parse(text)
    }

    /// Reads an index's text.
    ///
    /// # Errors
    /// An [`IndexError`] with the line at which it is no index, or names a file
    /// outside the archive's pool.
    pub fn parse(text: String) -> Result<Self, IndexError> {
        if text.len() as u64 > MAX_INDEX {
            return Err(IndexError::TooBig);
        }
        let mut entries = Vec::new();
        let mut entry = Entry::default();
        let mut last = 0;
        for item in Items::new(&text) {
            match item? {
                Item::Field {
                    name,
                    value,
                    start,
                    line,
                } => {
                    last = line;
                    let Some(field) = Field::named(name) else {
                        continue;
                    };
                    let span = &mut entry.spans[field as usize];
                    if *span != (0, 0) {
                        return Err(StanzaError::Duplicate { line }.into());
                    }
                    // It fits: the text is below 2^32 bytes.
                    *span = (start as u32, (start + value.len()) as u32);
                    entry.check(field, value, line)?;
                }
                Item::End => {
                    for (name, field) in REQUIRED {
                        if entry.spans[field as usize] == (0, 0) {
                            return Err(IndexError::Missing {
                                line: last,
                                field: name,
                            });
                        }
                    }
                    entries.push(std::mem::take(&mut entry));
                }
            }
        }
        let name = |at: &u32| entries[*at as usize].value(&text, Field::Package);
        let mut by_name: Vec<u32> = (0..entries.len() as u32).collect();
        by_name.sort_by(|a, b| name(a).cmp(name(b)));
        Ok(Self {
            text,
            entries,
            by_name,
        })
    }

    /// How many packages there are, each version counted.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The packages, in the order of the file.
    pub fn packages(&self) -> impl ExactSizeIterator<Item = Package<'_>> {
        self.entries.iter().map(|entry| Package {
            text: &self.text,
            entry,
        })
    }

    /// The packages of that name: one for each version and architecture.
    pub fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = Package<'a>> {
        let view = |at: &u32| Package {
            text: &self.text,
            entry: &self.entries[*at as usize],
        };
        let from = self.by_name.partition_point(|at| view(at).name() < name);
        let length = self.by_name[from..].partition_point(|at| view(at).name() == name);
        self.by_name[from..from + length].iter().map(view)
    }

    /// The packages whose names begin so, sorted by name.
    pub fn starting_with<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = Package<'a>> + use<'a> {
        let view = |at: &u32| Package {
            text: &self.text,
            entry: &self.entries[*at as usize],
        };
        let from = self.by_name.partition_point(|at| view(at).name() < prefix);
        let rest = self.by_name[from..].iter().map(view);
        rest.take_while(move |package| package.name().starts_with(prefix))
    }
}

const REQUIRED: [(&str, Field); 6] = [
    ("Package", Field::Package),
    ("Version", Field::Version),
    ("Architecture", Field::Architecture),
    ("Filename", Field::Filename),
    ("Size", Field::Size),
    ("SHA256", Field::Sha256),
];

impl Field {
    fn named(name: &str) -> Option<Self> {
        // The names differ in case between archives' tools only in theory, but
        // the format says that case does not matter.
        FIELDS
            .iter()
            .find(|(known, _)| known.len() == name.len() && known.eq_ignore_ascii_case(name))
            .map(|(_, field)| *field)
    }
}

impl Entry {
    fn value<'a>(&self, text: &'a str, field: Field) -> &'a str {
        let (from, to) = self.spans[field as usize];
        &text[from as usize..to as usize]
    }

    fn check(&mut self, field: Field, value: &str, line: usize) -> Result<(), IndexError> {
        let ok = match field {
            Field::Package => is_name(value),
            Field::Architecture => is_architecture(value),
            Field::Filename => is_pool_path(value),
            Field::Version => {
                return version::check(value).map_err(|error| IndexError::Version { line, error });
            }
            Field::Size => decimal(value).map(|size| self.size = size).is_some(),
            Field::Sha256 => value
                .parse()
                .map(|digest: Sha256| self.sha256 = *digest.as_bytes())
                .is_ok(),
            Field::MultiArch => {
                matches!(value, "no" | "same" | "foreign" | "allowed")
            }
            _ => true,
        };
        if ok {
            return Ok(());
        }
        Err(IndexError::Value {
            line,
            field: FIELDS[field as usize].0,
            value: value.chars().take(200).collect(),
        })
    }
}

/// A number of at most 18 digits, so that sums of many don't overflow.
fn decimal(text: &str) -> Option<u64> {
    let plain = (1..=18).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok())?
}

/// Tells whether `text` can be an architecture.
pub(crate) fn is_architecture(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Tells whether `text` is a relative path that stays below where it begins.
pub(crate) fn is_pool_path(text: &str) -> bool {
    (1..=1024).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-._~:%/".contains(&b))
        && text.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Whether compressed bytes are the ones that are meant.
fn check(bytes: &[u8], path: &str, size: u64, sums: &Checksums) -> Result<(), IndexError> {
    if bytes.len() as u64 == size && sums.fit(bytes) {
        return Ok(());
    }
    Err(IndexError::Hash {
        path: path.to_owned(),
        found: Sha256::of(bytes),
        found_size: bytes.len() as u64,
    })
}

/// Decompresses an index, to one byte more than `most` at most. The ending of `path` says
/// how.
fn decompress(bytes: &[u8], path: &str, most: u64) -> Result<Vec<u8>, IndexError> {
    let broken = |error: String| IndexError::Packing {
        path: path.to_owned(),
        error,
    };
    let ending = path.rsplit_once('.').map(|(_, ending)| ending);
    let mut reader: Box<dyn std::io::Read + '_> = match ending {
        Some("xz") => {
            let stream = Stream::new_stream_decoder(MAX_DECODER, 0);
            let stream = stream.map_err(|error| broken(error.to_string()))?;
            Box::new(XzDecoder::new_stream(bytes, stream))
        }
        Some("gz") => Box::new(flate2::read::GzDecoder::new(bytes)),
        _ => Box::new(bytes),
    };
    let mut text = Vec::new();
    // The size is signed, but only what really comes is allocated.
    (&mut reader)
        .take(most + 1)
        .read_to_end(&mut text)
        .map_err(|error| broken(error.to_string()))?;
    drop(reader);
    Ok(text)
}

impl<'a> Package<'a> {
    fn get(&self, field: Field) -> &'a str {
        self.entry.value(self.text, field)
    }

    /// `Package`.
    pub fn name(&self) -> &'a str {
        self.get(Field::Package)
    }

    /// `Version`.
    pub fn version(&self) -> &'a str {
        self.get(Field::Version)
    }

    /// `Architecture`: `all`, or the one that the index is for.
    pub fn architecture(&self) -> &'a str {
        self.get(Field::Architecture)
    }

    /// `Essential: yes`.
    pub fn essential(&self) -> bool {
        self.get(Field::Essential) == "yes"
    }

    /// `Priority`; empty where there is none.
    pub fn priority(&self) -> &'a str {
        self.get(Field::Priority)
    }

    /// `Multi-Arch`.
    pub fn multi_arch(&self) -> MultiArch {
        match self.get(Field::MultiArch) {
            "same" => MultiArch::Same,
            "foreign" => MultiArch::Foreign,
            "allowed" => MultiArch::Allowed,
            _ => MultiArch::No,
        }
    }

    /// `Filename`: where the `.deb` is, relative to the archive's root.
    pub fn path(&self) -> &'a str {
        self.get(Field::Filename)
    }

    /// `Size` of the `.deb` in bytes.
    pub fn size(&self) -> u64 {
        self.entry.size
    }

    /// `SHA256` of the `.deb`.
    pub fn sha256(&self) -> Sha256 {
        Sha256::from_bytes(self.entry.sha256)
    }

    /// `Installed-Size`, in KiB, if there is one.
    pub fn installed_size(&self) -> Option<u64> {
        decimal(self.get(Field::InstalledSize))
    }

    /// The first line of `Description`, if there is one.
    pub fn description(&self) -> Option<&'a str> {
        let (from, _) = self.entry.spans[Field::Package as usize];
        let rest = self.text.get(from as usize..)?;
        let end = rest.find("\n\n").unwrap_or(rest.len());
        let mut lines = rest[..end].lines();
        let text = lines.find_map(|line| line.strip_prefix("Description:"))?;
        Some(text.trim())
    }

    /// The source package's name: `Source`, without a version, or the own name.
    pub fn source(&self) -> &'a str {
        let source = self.get(Field::Source).split_ascii_whitespace().next();
        source.unwrap_or(self.name())
    }

    /// The names in all relation fields, in the order in which apt reads them.
    pub(crate) fn mentioned(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let fields = [
            Field::PreDepends,
            Field::Depends,
            Field::Conflicts,
            Field::Breaks,
            Field::Recommends,
            Field::Suggests,
            Field::Replaces,
            Field::Enhances,
            Field::Provides,
        ];
        let texts = fields.map(|field| self.get(field));
        let relations = texts.into_iter().flat_map(|text| text.split([',', '|']));
        relations.map(|relation| {
            let name = relation.trim_start();
            let end = name.find(|c: char| c.is_ascii_whitespace() || "([:".contains(c));
            &name[..end.unwrap_or(name.len())]
        })
    }

    /// `Pre-Depends`.
    ///
    /// # Errors
    /// [`RelationError`] when the field can't be read.
    pub fn pre_depends(&self) -> Result<Relations<'a>, RelationError> {
        Relations::parse(self.get(Field::PreDepends))
    }

    /// `Depends`.
    ///
    /// # Errors
    /// [`RelationError`] when the field can't be read.
    pub fn depends(&self) -> Result<Relations<'a>, RelationError> {
        Relations::parse(self.get(Field::Depends))
    }

    /// `Recommends`.
    ///
    /// # Errors
    /// [`RelationError`] when the field can't be read.
    pub fn recommends(&self) -> Result<Relations<'a>, RelationError> {
        Relations::parse(self.get(Field::Recommends))
    }

    /// `Suggests`.
    ///
    /// # Errors
    /// [`RelationError`] when the field can't be read.
    pub fn suggests(&self) -> Result<Relations<'a>, RelationError> {
        Relations::parse(self.get(Field::Suggests))
    }

    /// `Conflicts`.
    ///
    /// # Errors
    /// [`RelationError`] when the field can't be read.
    pub fn conflicts(&self) -> Result<Relations<'a>, RelationError> {
        Relations::parse(self.get(Field::Conflicts))
    }

    /// `Breaks`.
    ///
    /// # Errors
    /// [`RelationError`] when the field can't be read.
    pub fn breaks(&self) -> Result<Relations<'a>, RelationError> {
        Relations::parse(self.get(Field::Breaks))
    }

    /// `Provides`.
    ///
    /// # Errors
    /// [`RelationError`] when the field can't be read.
    pub fn provides(&self) -> Result<Relations<'a>, RelationError> {
        Relations::parse(self.get(Field::Provides))
    }
}

impl fmt::Debug for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Index({} packages)", self.entries.len())
    }
}

impl fmt::Debug for Package<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, version) = (self.name(), self.version());
        write!(f, "Package({name} {version} {})", self.architecture())
    }
}
