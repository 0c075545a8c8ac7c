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
    /// Every address of `path` in `archive`, the first choice first.
    ///
    /// With `moment`, seconds since 1970, the snapshot of that moment comes last.
    pub fn addresses(&self, archive: &str, path: &str, moment: Option<u64>) -> Vec<String> {
        let mut addresses = Vec::new();
        for base in self.bases.get(archive).into_iter().flatten() {
            addresses.push(format!("{}/{path}", base.trim_end_matches('/')));
        }
        if let (Some(moment), Some(template)) = (moment, self.snapshots.get(archive)) {
            let base = template.replace(SNAPSHOT_ID, &compact(moment));
            addresses.push(format!("{}/{path}", base.trim_end_matches('/')));
        }
        addresses
    }
}

/// A moment as snapshot archives write it: `20260912T075541Z`.
fn compact(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    // Days to a civil date, after Howard Hinnant's `civil_from_days`.
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z",
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_moments_as_snapshot_archives_do() {
        assert_eq!(compact(0), "19700101T000000Z");
        assert_eq!(compact(1_789_199_741), "20260912T075541Z");
        assert_eq!(compact(951_782_400), "20000229T000000Z");
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
    }
}
