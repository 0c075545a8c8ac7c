//! The archives that packages come from: those that make up a suite, others of Debian,
//! and those of third parties.
//!
//! An archive is known by an id and a distribution. Debian's have a word for an id, never
//! a host: where they are fetched from is a matter of transport. A third party's id is
//! its address, which is the user's own.

use std::collections::BTreeMap;

use crate::keys::Keyring;
use crate::release::{Expect, Release, is_word};
use crate::sha256::Sha256;
use crate::solve::{Asked, Request, Wish};
use crate::time::Epoch;

/// The suites that this version of imgc knows, oldest first.
pub const SUITES: [&str; 2] = ["bookworm", "trixie"];

/// The architectures of each suite, in the order of the `Architectures` of its `Release`.
const ARCHITECTURES: [&[&str]; 2] = [
    &[
        "amd64", "arm64", "armel", "armhf", "i386", "mips64el", "mipsel", "ppc64el", "s390x",
    ],
    &[
        "amd64", "arm64", "armel", "armhf", "i386", "ppc64el", "riscv64", "s390x",
    ],
];

/// What of a Debian release stands beside it, by what follows its code name: not part of
/// a suite, and there when it is asked for.
const BESIDE: [(&str, &str); 3] = [
    ("-backports", "Debian Backports"),
    ("-backports-sloppy", "Debian Backports"),
    ("-proposed-updates", "Debian"),
];

/// One archive to read.
#[derive(Debug, Clone)]
pub struct ArchiveSource {
    /// The archive's id: `debian`, `debian-security`, or an address. A mirror is
    /// configured for an id.
    pub id: String,
    /// The distribution: the folder below `dists/`, as in `trixie-updates`.
    pub dist: String,
    /// The `Label` that its `Release` must have, if any one.
    pub label: Option<&'static str>,
    /// The components that are used, in the order in which they are preferred.
    pub components: Vec<String>,
    /// The priority of its versions, where its `Release` is not to say it.
    pub priority: Option<i32>,
    /// Who may sign it.
    pub keyring: Keyring,
}

/// A suite that imgc does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no suite `{name}`; known are {}", known.join(", "))]
pub struct UnknownSuite {
    /// What was asked for.
    pub name: String,
    /// The suites that there are.
    pub known: Vec<&'static str>,
}

/// Why archives can't be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The suite is not known.
    #[error(transparent)]
    Suite(#[from] UnknownSuite),
    /// The suite was not released for the architecture.
    #[error("{suite} has no packages for {arch}; {}", known_suites(known))]
    Architecture {
        /// The suite.
        suite: String,
        /// The architecture that was asked for.
        arch: String,
        /// The suites that have it.
        known: Vec<&'static str>,
    },
    /// Debian has no such distribution, as far as is known here.
    #[error("Debian has no archive `{dist}`; with {suite}, there are {}", known.join(", "))]
    Dist {
        /// What was asked for.
        dist: String,
        /// The image's suite.
        suite: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A third party's archive without keys.
    #[error("the archive {url} has no keys")]
    NoKeys {
        /// Its address.
        url: String,
    },
}

/// Which suites have an architecture, for a message.
fn known_suites(known: &[&str]) -> String {
    match known {
        [] => "no suite that imgc knows has".to_owned(),
        [one] => format!("{one} has"),
        more => format!("{} have", more.join(" and ")),
    }
}

/// Whether a suite was released for an architecture.
///
/// # Errors
/// [`ArchiveError::Architecture`] where not. Nothing is said about suites that are not known.
fn check_architecture(suite: &str, arch: &str) -> Result<(), ArchiveError> {
    let has = |at: usize| ARCHITECTURES[at].contains(&arch);
    let at = SUITES.iter().position(|known| *known == suite);
    if at.is_none_or(has) {
        return Ok(());
    }
    let known = SUITES.iter().enumerate().filter(|(at, _)| has(*at));
    Err(ArchiveError::Architecture {
        suite: suite.to_owned(),
        arch: arch.to_owned(),
        known: known.map(|(_, suite)| *suite).collect(),
    })
}

/// The archives of a suite, in the order in which the solver prefers them: the
/// release, its updates, its security updates.
///
/// # Errors
/// [`UnknownSuite`] for any name that is not in [`SUITES`]. Names that move from
/// release to release, such as `stable`, are not known.
pub fn archives(suite: &str) -> Result<Vec<ArchiveSource>, UnknownSuite> {
    let unknown = || UnknownSuite {
        name: suite.chars().take(80).collect(),
        known: SUITES.to_vec(),
    };
    let all = ["", "-updates", "-security"];
    all.into_iter()
        .map(|end| of_debian(suite, &format!("{suite}{end}")).ok_or_else(unknown))
        .collect()
}

/// The archives of a request: those of its suite, and those that it asks for, by name or
/// with a package of theirs (`curl/trixie-backports`). `keyrings` has the third parties'
/// keys by the digests of their files.
///
/// # Errors
/// An [`ArchiveError`] for an archive that is not known, or has no keys, and for an
/// architecture that the suite was not released for.
pub fn archives_of(
    request: &Request,
    keyrings: &BTreeMap<Sha256, Keyring>,
) -> Result<Vec<ArchiveSource>, ArchiveError> {
    let mut all = archives(&request.suite)?;
    check_architecture(&request.suite, &request.arch)?;
    for asked in &request.archives {
        let mut new = match &asked.url {
            Some(url) => {
                let keyring = asked.keys.and_then(|digest| keyrings.get(&digest));
                ArchiveSource {
                    id: url.clone(),
                    dist: asked.dist.clone(),
                    label: None,
                    components: Vec::new(),
                    priority: None,
                    keyring: keyring
                        .ok_or_else(|| ArchiveError::NoKeys { url: url.clone() })?
                        .clone(),
                }
            }
            None => debian(&request.suite, &asked.dist)?,
        };
        new.components.clone_from(&asked.components);
        new.priority = asked.priority;
        add(&mut all, new);
    }
    for text in &request.names {
        if let Some(Asked {
            wish: Wish::Suite(suite),
            ..
        }) = Asked::parse(text)
            && let Ok(new) = debian(&request.suite, suite)
        {
            add(&mut all, new);
        }
    }
    Ok(all)
}

/// Adds an archive. One that is there already gets the components and the priority.
fn add(all: &mut Vec<ArchiveSource>, new: ArchiveSource) {
    let same = |known: &&mut ArchiveSource| known.id == new.id && known.dist == new.dist;
    let Some(known) = all.iter_mut().find(same) else {
        all.push(new);
        return;
    };
    known.priority = new.priority.or(known.priority);
    for component in new.components {
        if !known.components.contains(&component) {
            known.components.push(component);
        }
    }
}

/// An archive of Debian that a suite may have beside its own.
fn debian(suite: &str, dist: &str) -> Result<ArchiveSource, ArchiveError> {
    of_debian(suite, dist).ok_or_else(|| {
        let all = ["", "-updates", "-security"].into_iter();
        let all = all.chain(BESIDE.iter().map(|(end, _)| *end));
        ArchiveError::Dist {
            dist: dist.chars().take(80).collect(),
            suite: suite.to_owned(),
            known: all.map(|end| format!("{suite}{end}")).collect(),
        }
    })
}

/// A distribution of one of Debian's releases, which has its code name as a beginning.
fn of_debian(codename: &str, dist: &str) -> Option<ArchiveSource> {
    let end = dist.strip_prefix(codename)?;
    let (id, label) = match end {
        "" | "-updates" => ("debian", "Debian"),
        "-security" => ("debian-security", "Debian-Security"),
        _ => {
            let (_, label) = BESIDE.iter().find(|(known, _)| *known == end)?;
            ("debian", *label)
        }
    };
    Some(ArchiveSource {
        id: id.to_owned(),
        dist: dist.to_owned(),
        label: Some(label),
        components: vec!["main".to_owned()],
        priority: None,
        keyring: Keyring::debian(codename, id == "debian-security")?,
    })
}

/// Tells whether `text` can be an archive's id: a word, or an address in plain characters
/// that does not end in a slash.
pub(crate) fn is_archive(text: &str) -> bool {
    is_word(text) || is_address(text)
}

/// Tells whether `text` can be the address of an archive.
fn is_address(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"\\<>`{}|^".contains(&b);
    let rest = ["https://", "http://", "file:///"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.ends_with('/'))
        && text.len() <= 1024
        && text.bytes().all(plain)
}

impl ArchiveSource {
    /// Where its `InRelease` is, below the archive's root.
    pub fn release_path(&self) -> String {
        self.path("InRelease")
    }

    /// Where something that its `Release` names is, below the archive's root.
    pub fn path(&self, below_dist: &str) -> String {
        format!("dists/{}/{below_dist}", self.dist)
    }

    /// What its `Release` must be.
    pub fn expect(&self, now: Option<Epoch>, not_before: Option<Epoch>) -> Expect<'_> {
        Expect {
            dist: &self.dist,
            label: self.label,
            now,
            not_before,
        }
    }

    /// The priority of its versions: what was asked for, else what its `Release` says of
    /// itself, as `apt_preferences(5)` has it.
    pub fn priority(&self, release: &Release) -> i32 {
        self.priority
            .unwrap_or(match (release.not_automatic, release.upgrades) {
                (false, _) => 500,
                (true, true) => 100,
                (true, false) => 1,
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::solve::{AskedArchive, Variant};

    fn found(request: &Request) -> Result<Vec<String>, ArchiveError> {
        let show = |source: ArchiveSource| {
            let components = source.components.join(",");
            let priority = source.priority.map_or(String::new(), |n| format!(" {n}"));
            format!("{} {} {components}{priority}", source.id, source.dist)
        };
        let all = archives_of(request, &BTreeMap::new())?;
        Ok(all.into_iter().map(show).collect())
    }

    fn asked(dist: &str, components: &[&str]) -> AskedArchive {
        AskedArchive {
            url: None,
            dist: dist.to_owned(),
            components: components.iter().map(|&name| name.to_owned()).collect(),
            keys: None,
            priority: None,
        }
    }

    fn request(names: &[&str], archives: Vec<AskedArchive>) -> Request {
        Request {
            suite: "trixie".to_owned(),
            arch: "amd64".to_owned(),
            variant: Variant::Apt,
            recommends: false,
            names: names.iter().map(|&name| name.to_owned()).collect(),
            archives,
            base: None,
        }
    }

    #[test]
    fn every_suite_has_three_archives() {
        for suite in SUITES {
            let sources = archives(suite).expect("a known suite");
            let found: Vec<_> = sources
                .iter()
                .map(|s| (s.id.as_str(), s.release_path()))
                .collect();
            assert_eq!(
                found,
                [
                    ("debian", format!("dists/{suite}/InRelease")),
                    ("debian", format!("dists/{suite}-updates/InRelease")),
                    (
                        "debian-security",
                        format!("dists/{suite}-security/InRelease")
                    ),
                ]
            );
        }
    }

    #[test]
    fn an_unknown_suite_names_the_known() {
        for name in ["stable", "", "sid", "../x"] {
            let error = archives(name).expect_err("unknown");
            assert_eq!(error.known, SUITES);
        }
        assert_eq!(
            archives("stable").expect_err("unknown").to_string(),
            "there is no suite `stable`; known are bookworm, trixie"
        );
    }

    #[test]
    fn a_suite_is_released_for_some_architectures() {
        let ask = |suite: &str, arch: &str| {
            let mut request = request(&[], Vec::new());
            (request.suite, request.arch) = (suite.to_owned(), arch.to_owned());
            found(&request).map_err(|error| error.to_string())
        };
        let both = ["amd64", "arm64", "armhf", "i386", "ppc64el", "s390x"];
        for arch in both {
            assert!(ask("bookworm", arch).is_ok() && ask("trixie", arch).is_ok());
        }
        assert!(ask("trixie", "riscv64").is_ok());
        let refused = |suite, arch| ask(suite, arch).expect_err("refused");
        assert_eq!(
            refused("bookworm", "riscv64"),
            "bookworm has no packages for riscv64; trixie has"
        );
        assert_eq!(
            refused("trixie", "alpha"),
            "trixie has no packages for alpha; no suite that imgc knows has"
        );
    }

    #[test]
    fn a_package_of_backports_brings_their_archive() {
        let all = found(&request(&["a/trixie-backports", "b/stable"], Vec::new()));
        assert_eq!(
            all.expect("archives"),
            [
                "debian trixie main",
                "debian trixie-updates main",
                "debian-security trixie-security main",
                "debian trixie-backports main",
            ]
        );
    }

    #[test]
    fn components_of_an_archive_that_is_there_are_added() {
        let mut extra = asked("trixie", &["main", "non-free-firmware"]);
        extra.priority = Some(900);
        let all = found(&request(
            &[],
            vec![extra, asked("trixie-backports", &["contrib"])],
        ));
        assert_eq!(
            all.expect("archives"),
            [
                "debian trixie main,non-free-firmware 900",
                "debian trixie-updates main",
                "debian-security trixie-security main",
                "debian trixie-backports contrib",
            ]
        );
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let wrong = found(&request(&[], vec![asked("sid", &["main"])])).expect_err("unknown");
        assert!(wrong.to_string().contains("trixie-backports"), "{wrong}");
        let mut vendor = asked("stable", &["main"]);
        vendor.url = Some("https://apt.example".to_owned());
        let wrong = found(&request(&[], vec![vendor])).expect_err("no keys");
        assert_eq!(
            wrong.to_string(),
            "the archive https://apt.example has no keys"
        );
    }

    #[test]
    fn ids_are_words_or_addresses() {
        for good in ["debian", "https://apt.example/debian", "file:///srv/apt"] {
            assert!(is_archive(good), "{good}");
        }
        for bad in [
            "",
            "a b",
            "https://",
            "https://a/",
            "ftp://a",
            "http://a\"b",
            "../x",
        ] {
            assert!(!is_archive(bad), "{bad}");
        }
    }
}
