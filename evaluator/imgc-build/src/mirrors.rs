//! Where an archive's files can be had. Mirrors are transport: nothing that
//! comes from one is believed before a signature or a digest vouches for it.

use std::collections::BTreeMap;

/// What apt writes in a snapshot address for the moment it wants.
const SNAPSHOT_ID: &str = "@SNAPSHOTID@";

/// The addresses of each archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors {
    /// Base addresses by archive (`debian`), the first choice first. What follows
    /// the base is the path in the archive: `dists/…`, `pool/…`.
    pub bases: BTreeMap<String, Vec<String>>,
    /// Snapshot addresses by archive, with `@SNAPSHOTID@` for the moment, in apt's
    /// form.
    pub snapshots: BTreeMap<String, String>,
}

impl Mirrors {
    /// Every address of `path` in `archive`, the first choice first. An archive that is
    /// named by its address is there, where nothing else is said.
    ///
    /// With `moment`, seconds since 1970, the snapshot of that moment comes last.
    pub fn addresses(&self, archive: &str, path: &str, moment: Option<u64>) -> Vec<String> {
        let mut addresses = Vec::new();
        match self.bases.get(archive) {
            Some(bases) => {
                for base in bases {
                    addresses.push(format!("{}/{path}", base.trim_end_matches('/')));
                }
            }
            None if archive.contains(':') => addresses.push(format!("{archive}/{path}")),
            None => {}
        }
        if let (Some(moment), Some(template)) =
            (moment.and_then(compact), self.snapshots.get(archive))
        {
            let base = template.replace(SNAPSHOT_ID, &moment);
            addresses.push(format!("{}/{path}", base.trim_end_matches('/')));
        }
        addresses
    }
}

/// A moment as snapshot archives write it: `20260912T075541Z`. None after the year 9999.
fn compact(seconds: u64) -> Option<String> {
    let text = imgc_oci::rfc3339(seconds).ok()?;
    Some(text.replace(['-', ':'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_moments_as_snapshot_archives_do() {
        for (moment, text) in [
            (0, Some("19700101T000000Z")),
            (1_789_199_741, Some("20260912T075541Z")),
            (951_782_400, Some("20000229T000000Z")),
            (u64::MAX, None),
        ] {
            assert_eq!(compact(moment).as_deref(), text);
        }
    }

    #[test]
    fn the_snapshot_comes_last() {
        let mirrors = Mirrors {
            bases: BTreeMap::from([(
                "debian".to_owned(),
                vec!["http://mirror.example/d/".to_owned()],
            )]),
            snapshots: BTreeMap::from([(
                "debian".to_owned(),
                "http://snapshot.example/debian/@SNAPSHOTID@/".to_owned(),
            )]),
        };
        assert_eq!(
            mirrors.addresses("debian", "pool/a.deb", Some(0)),
            [
                "http://mirror.example/d/pool/a.deb",
                "http://snapshot.example/debian/19700101T000000Z/pool/a.deb"
            ]
        );
        assert_eq!(mirrors.addresses("debian", "pool/a.deb", None).len(), 1);
        assert!(mirrors.addresses("other", "pool/a.deb", None).is_empty());
        assert_eq!(
            mirrors.addresses("https://apt.example/x", "pool/a.deb", None),
            ["https://apt.example/x/pool/a.deb"]
        );
    }
}
