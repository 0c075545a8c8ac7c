//! The archives that make up a suite, and what their `Release` must be.
//!
//! An archive is known by an id and a distribution, never by a host: where it is
//! fetched from is a matter of transport.

use crate::keys::Keyring;
use crate::release::Expect;
use crate::time::Epoch;

/// The suites that this version of imgc knows, oldest first.
pub const SUITES: [&str; 2] = ["bookworm", "trixie"];

/// One archive of a suite.
#[derive(Debug, Clone)]
pub struct ArchiveSource {
    /// The archive's id: `debian` or `debian-security`. A mirror is configured for
    /// an id.
    pub id: &'static str,
    /// The distribution: the folder below `dists/`, as in `trixie-updates`.
    pub dist: String,
    /// The `Label` of its `Release`.
    pub label: &'static str,
    /// The component that is used.
    pub component: &'static str,
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
    let main = Keyring::debian(suite, false).ok_or_else(unknown)?;
    let security = Keyring::debian(suite, true).ok_or_else(unknown)?;
    let source = |id, dist: String, label, keyring: &Keyring| ArchiveSource {
        id,
        dist,
        label,
        component: "main",
        keyring: keyring.clone(),
    };
    Ok(vec![
        source("debian", suite.to_owned(), "Debian", &main),
        source("debian", format!("{suite}-updates"), "Debian", &main),
        source(
            "debian-security",
            format!("{suite}-security"),
            "Debian-Security",
            &security,
        ),
    ])
}

impl ArchiveSource {
    /// The path of its `InRelease` below the archive's root.
    pub fn release_path(&self) -> String {
        self.path("InRelease")
    }

    /// The path of a file that its `Release` names, below the archive's root.
    pub fn path(&self, below_dist: &str) -> String {
        format!("dists/{}/{below_dist}", self.dist)
    }

    /// What its `Release` must be.
    pub fn expect(&self, now: Option<Epoch>, not_before: Option<Epoch>) -> Expect<'_> {
        Expect {
            dist: &self.dist,
            label: Some(self.label),
            now,
            not_before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_suite_has_three_archives() {
        for suite in SUITES {
            let sources = archives(suite).expect("a known suite");
            let found: Vec<_> = sources.iter().map(|s| (s.id, s.release_path())).collect();
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
}
