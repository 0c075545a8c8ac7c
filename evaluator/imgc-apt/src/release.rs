//! The `InRelease` of an archive: its chain of trust, checked and read.
//!
//! [`Release::verify`] is the only way to a [`Release`], so that none exists whose
//! signature was not checked. Nothing here asks for the time: the caller says it.

use crate::clearsign::{self, TrustError};
use crate::index::{is_architecture, is_pool_path};
use crate::keys::Keyring;
use crate::sha256::{Checksums, Sha256};
use crate::stanza::{Item, Items, StanzaError};
use crate::time::{self, Epoch};

const DAY: Epoch = 86_400;
const MAX_FILES: usize = 100_000;

/// What a `Release` must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expect<'a> {
    /// The distribution that was asked for: `trixie-updates`. It must be the
    /// `Codename` or the `Suite`.
    pub dist: &'a str,
    /// The `Label` that it must have, if any one: `Debian`, `Debian-Security`.
    pub label: Option<&'a str>,
    /// The time. Without it, neither `Valid-Until` nor the future is checked, and
    /// keys must have been good when they signed.
    pub now: Option<Epoch>,
    /// The oldest `Date` that is let through: what the lock has seen.
    pub not_before: Option<Epoch>,
}

/// A verified `InRelease`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// SHA-256 of the whole `InRelease`, signatures included.
    pub sha256: Sha256,
    /// The length of the whole `InRelease` in bytes.
    pub size: u64,
    /// The fingerprints of the keys whose signatures count, sorted.
    pub signers: Vec<String>,
    /// `Origin`; empty where there is none.
    pub origin: String,
    /// `Label`; empty where there is none.
    pub label: String,
    /// `Suite`, which changes when a release ages: `stable`, `oldstable`.
    pub suite: String,
    /// `Codename`: `trixie`.
    pub codename: String,
    /// `Version`; empty where there is none.
    pub version: String,
    /// `Date`.
    pub date: Epoch,
    /// `Valid-Until`, if the archive gives one.
    pub valid_until: Option<Epoch>,
    /// `Architectures`.
    pub architectures: Vec<String>,
    /// `Components` without a prefix: `updates/main` is `main`.
    pub components: Vec<String>,
    /// `Acquire-By-Hash: yes`.
    pub by_hash: bool,
    /// `NotAutomatic: yes`: nothing is taken from it that is not asked for.
    pub not_automatic: bool,
    /// `ButAutomaticUpgrades: yes`.
    pub upgrades: bool,
    /// Whether packages of the architecture `all` have an index of their own.
    apart: bool,
    /// `Snapshots`: where old states of the archive are, with `@SNAPSHOTID@` for
    /// the moment.
    pub snapshots: Option<String>,
    /// `SHA256` and `SHA512`, sorted by path.
    files: Vec<File>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct File {
    path: String,
    sums: Checksums,
    size: u64,
}

/// An index as a `Release` names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexFile {
    /// Its path below the distribution: `main/binary-amd64/Packages.xz`.
    pub path: String,
    /// Its path by hash, which stays good while the archive is updated. The
    /// archive has it if [`Release::by_hash`] is set.
    pub by_hash: String,
    /// The digests of the bytes, compressed if they are.
    pub sums: Checksums,
    /// The length of those bytes.
    pub size: u64,
    /// The digests of the text and its length in bytes, where the `Release` has them.
    pub unpacked: Option<(Checksums, u64)>,
}

/// Why an `InRelease` is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// It is not signed as it must be.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It is not one stanza of fields.
    #[error("the Release is not well-formed: {0}")]
    Stanza(#[from] StanzaError),
    /// A field stands twice.
    #[error("the Release has {0} twice")]
    Duplicate(String),
    /// A field is not there.
    #[error("the Release has no {0}")]
    Missing(&'static str),
    /// A field can't be read.
    #[error("the Release's {field} can't be `{value}`")]
    Value {
        /// The field.
        field: &'static str,
        /// Its value, cut short.
        value: String,
    },
    /// It is for another distribution.
    #[error("asked for {asked}, got suite `{suite}`, codename `{codename}`")]
    OtherDist {
        /// What was asked for.
        asked: String,
        /// What came.
        suite: String,
        /// What came.
        codename: String,
    },
    /// It is another archive's.
    #[error("expected the label `{expected}`, got `{found}`")]
    OtherLabel {
        /// What must be.
        expected: String,
        /// What came.
        found: String,
    },
    /// It was made more than a day after now.
    #[error("the Release was made in the future, at {date}")]
    Future {
        /// Its `Date`, RFC 3339.
        date: String,
    },
    /// It is no longer valid.
    #[error("the Release was valid until {valid_until}")]
    Expired {
        /// Its `Valid-Until`, RFC 3339.
        valid_until: String,
    },
    /// It is older than one that was seen before.
    #[error("the Release is of {date}, older than the one of {seen}")]
    Rollback {
        /// Its `Date`, RFC 3339.
        date: String,
        /// The date that was seen before, RFC 3339.
        seen: String,
    },
    /// It has no index for this component and architecture.
    #[error("the Release has no {path}")]
    NoIndex {
        /// What was looked for.
        path: String,
    },
}

impl Release {
    /// Checks an `InRelease` and reads what is signed of it.
    ///
    /// # Errors
    /// A [`ReleaseError`] for the first thing that is not as `expect` and `keyring`
    /// want it.
    pub fn verify(
        bytes: &[u8],
        keyring: &Keyring,
        expect: &Expect<'_>,
    ) -> Result<Self, ReleaseError> {
        let verified = clearsign::verify(bytes, keyring, expect.now)?;
        let fields = Fields::read(&verified.text)?;
        let suite = fields.word("Suite")?;
        let codename = fields.word("Codename")?;
        let label = fields.text("Label").unwrap_or_default().to_owned();
        if expect.dist.is_empty() || (expect.dist != suite && expect.dist != codename) {
            return Err(ReleaseError::OtherDist {
                asked: expect.dist.to_owned(),
                suite,
                codename,
            });
        }
        if let Some(expected) = expect.label.filter(|expected| *expected != label) {
            return Err(ReleaseError::OtherLabel {
                expected: expected.to_owned(),
                found: label,
            });
        }
        let date = fields.date("Date")?.ok_or(ReleaseError::Missing("Date"))?;
        let valid_until = fields.date("Valid-Until")?;
        check_dates(date, valid_until, expect)?;
        let components = fields.words("Components");
        let architectures = fields.architectures()?;
        let apart = architectures.iter().any(|name| name == "all")
            && !fields
                .words("No-Support-for-Architecture-all")
                .any(|word| word == "Packages");
        // The security archive's components have a prefix that its paths lack.
        let bare = |name: &str| name.rsplit('/').next().unwrap_or(name).to_owned();
        Ok(Self {
            sha256: Sha256::of(bytes),
            size: bytes.len() as u64,
            signers: verified.signers,
            origin: fields.text("Origin").unwrap_or_default().to_owned(),
            label,
            suite,
            codename,
            version: fields.text("Version").unwrap_or_default().to_owned(),
            date,
            valid_until,
            architectures,
            components: components.map(bare).collect(),
            by_hash: fields.text("Acquire-By-Hash") == Some("yes"),
            not_automatic: fields.text("NotAutomatic") == Some("yes"),
            upgrades: fields.text("ButAutomaticUpgrades") == Some("yes"),
            apart,
            snapshots: fields.snapshots()?,
            files: fields.files()?,
        })
    }

    /// The indices of a component for an architecture: `main`, `amd64`. Packages of the
    /// architecture `all` may have one of their own.
    ///
    /// # Errors
    /// [`ReleaseError::NoIndex`] when the archive has none.
    pub fn indices(&self, component: &str, arch: &str) -> Result<Vec<IndexFile>, ReleaseError> {
        let of = |arch: &str| self.index(&format!("{component}/binary-{arch}/Packages"));
        let mut all: Vec<IndexFile> = of(arch).into_iter().collect();
        if self.apart {
            all.extend(of("all"));
        }
        if all.is_empty() {
            let path = format!("{component}/binary-{arch}/Packages.xz");
            return Err(ReleaseError::NoIndex { path });
        }
        Ok(all)
    }

    /// The index of which files the packages of a component for an architecture have,
    /// compressed with gzip, if the archive has one.
    pub fn contents(&self, component: &str, arch: &str) -> Option<IndexFile> {
        let packed = self.file(&format!("{component}/Contents-{arch}.gz"))?;
        Some(IndexFile {
            path: packed.path.clone(),
            by_hash: format!("{component}/by-hash/{}", packed.sums.by_hash()),
            sums: packed.sums,
            size: packed.size,
            unpacked: None,
        })
    }

    /// An index, by its path without an ending: the smallest form of it that can be read.
    fn index(&self, path: &str) -> Option<IndexFile> {
        let endings = [".xz", ".gz", ""].into_iter();
        let mut packed = endings.filter_map(|end| self.file(&format!("{path}{end}")));
        let packed = packed.next()?;
        let text = self.file(path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Some(IndexFile {
            path: packed.path.clone(),
            by_hash: format!("{folder}/by-hash/{}", packed.sums.by_hash()),
            sums: packed.sums,
            size: packed.size,
            unpacked: text.map(|text| (text.sums, text.size)),
        })
    }

    fn file(&self, path: &str) -> Option<&File> {
        let found = self
            .files
            .binary_search_by(|file| file.path.as_str().cmp(path));
        found.ok().map(|at| &self.files[at])
    }
}

fn check_dates(
    date: Epoch,
    valid_until: Option<Epoch>,
    expect: &Expect<'_>,
) -> Result<(), ReleaseError> {
    if let Some(seen) = expect.not_before.filter(|seen| date < *seen) {
        return Err(ReleaseError::Rollback {
            date: time::rfc3339(date),
            seen: time::rfc3339(seen),
        });
    }
    let Some(now) = expect.now else {
        return Ok(());
    };
    if date > now.saturating_add(DAY) {
        let date = time::rfc3339(date);
        return Err(ReleaseError::Future { date });
    }
    match valid_until {
        Some(end) if end < now => Err(ReleaseError::Expired {
            valid_until: time::rfc3339(end),
        }),
        _ => Ok(()),
    }
}

/// The fields of a `Release`, each once.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Self, ReleaseError> {
        let mut fields: Vec<(&str, &str)> = Vec::new();
        let mut ended = false;
        for item in Items::new(text) {
            match item? {
                Item::Field { line, .. } if ended => {
                    return Err(StanzaError::Line { line }.into());
                }
                Item::Field { name, value, .. } => {
                    if fields
                        .iter()
                        .any(|(seen, _)| seen.eq_ignore_ascii_case(name))
                    {
                        return Err(ReleaseError::Duplicate(name.to_owned()));
                    }
                    // The longest real one has about 25.
                    if fields.len() == 200 {
                        return Err(StanzaError::TooBig { line: 1 }.into());
                    }
                    fields.push((name, value));
                }
                Item::End => ended = true,
            }
        }
        Ok(Self(fields))
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        let found = self
            .0
            .iter()
            .find(|(seen, _)| seen.eq_ignore_ascii_case(name));
        found.map(|(_, value)| *value)
    }

    /// A field that names something; empty where there is none.
    fn word(&self, name: &'static str) -> Result<String, ReleaseError> {
        match self.text(name) {
            Some(text) if !is_word(text) => Err(wrong(name, text)),
            found => Ok(found.unwrap_or_default().to_owned()),
        }
    }

    fn words(&self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.text(name).unwrap_or_default().split_ascii_whitespace()
    }

    fn date(&self, name: &'static str) -> Result<Option<Epoch>, ReleaseError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        time::parse_release_date(text)
            .map(Some)
            .ok_or_else(|| wrong(name, text))
    }

    fn architectures(&self) -> Result<Vec<String>, ReleaseError> {
        let check = |word: &str| {
            let ok = is_architecture(word);
            ok.then(|| word.to_owned())
                .ok_or_else(|| wrong("Architectures", word))
        };
        self.words("Architectures").map(check).collect()
    }

    /// `Snapshots: no` says that there are none.
    fn snapshots(&self) -> Result<Option<String>, ReleaseError> {
        let Some(text) = self.text("Snapshots").filter(|text| *text != "no") else {
            return Ok(None);
        };
        if !is_template(text) {
            return Err(wrong("Snapshots", text));
        }
        Ok(Some(text.to_owned()))
    }

    /// The files of both lists. What is in both must have one size.
    fn files(&self) -> Result<Vec<File>, ReleaseError> {
        let mut files: Vec<File> = Vec::new();
        for (field, read) in [
            ("SHA256", Checksums::sha256 as fn(&str) -> Option<Checksums>),
            ("SHA512", Checksums::sha512),
        ] {
            files.extend(self.list(field, read)?);
        }
        if files.is_empty() && self.text("SHA256").or(self.text("SHA512")).is_none() {
            return Err(ReleaseError::Missing("SHA256"));
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let mut all: Vec<File> = Vec::with_capacity(files.len());
        for file in files {
            match all.last_mut().filter(|last| last.path == file.path) {
                None => all.push(file),
                Some(last) if last.size == file.size => last.sums = last.sums.with(file.sums),
                Some(_) => return Err(wrong("SHA512", &file.path)),
            }
        }
        Ok(all)
    }

    /// The files of one list.
    fn list(
        &self,
        field: &'static str,
        read: impl Fn(&str) -> Option<Checksums>,
    ) -> Result<Vec<File>, ReleaseError> {
        let text = self.text(field).unwrap_or_default();
        let mut files = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_ascii_whitespace().take(4).collect();
            let file = match words[..] {
                [sum, size, path]
                    if is_pool_path(path)
                        && size.len() <= 18
                        && size.bytes().all(|b| b.is_ascii_digit()) =>
                {
                    read(sum).zip(size.parse().ok()).map(|(sums, size)| File {
                        path: path.to_owned(),
                        sums,
                        size,
                    })
                }
                _ => None,
            };
            files.push(file.ok_or_else(|| wrong(field, line))?);
            if files.len() > MAX_FILES {
                return Err(wrong(field, "more files than any real archive has"));
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        if let Some(twice) = files.windows(2).find(|pair| pair[0].path == pair[1].path) {
            return Err(ReleaseError::Duplicate(format!("`{}`", twice[0].path)));
        }
        Ok(files)
    }
}

/// Tells whether `text` can be the template of `Snapshots`: an address in plain
/// characters, with the place for the moment.
pub(crate) fn is_template(text: &str) -> bool {
    text.len() <= 1024
        && (text.starts_with("https://") || text.starts_with("http://"))
        && text.contains("@SNAPSHOTID@")
        && text
            .bytes()
            .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

/// Tells whether `text` can be a suite, a codename, or an archive's id: it can be
/// part of a path and of a lock as it is.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.as_bytes()[0].is_ascii_alphanumeric()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'+'))
}

fn wrong(field: &'static str, value: &str) -> ReleaseError {
    let value = value.chars().take(200).collect();
    ReleaseError::Value { field, value }
}
