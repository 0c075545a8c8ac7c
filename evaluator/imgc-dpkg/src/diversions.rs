//! dpkg's list of diversions, `/var/lib/dpkg/diversions`: three lines each, the path,
//! where it is diverted to, and the package that may keep it (`:` for none).

use std::collections::BTreeMap;

use imgc_tree::TreePath;

use crate::merged;

/// The diversions of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Diversions(BTreeMap<TreePath, (TreePath, String)>);

impl Diversions {
    /// Reads the file. What can't be a path is left out: dpkg-divert writes none.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let lines: Vec<&[u8]> = bytes.split(|&b| b == b'\n').collect();
        let path = |bytes: &[u8]| {
            let path = TreePath::new(bytes).ok()?;
            merged::place(&path, false).ok()
        };
        let of = |three: &[&[u8]]| {
            let package = String::from_utf8_lossy(three[2]).into_owned();
            Some((path(three[0])?, (path(three[1])?, package)))
        };
        Self(lines.chunks_exact(3).filter_map(of).collect())
    }

    /// Where a file of `package` goes that it has at `path`; none where it stays.
    pub(crate) fn of(&self, path: &TreePath, package: &str) -> Option<TreePath> {
        let (to, owner) = self.0.get(path)?;
        (owner != package).then(|| to.clone())
    }

    /// Where the files of others go that they have at `path`, if `package` diverts it.
    pub(crate) fn moved_by(&self, path: &TreePath, package: &str) -> Option<TreePath> {
        let (to, owner) = self.0.get(path)?;
        (owner == package).then(|| to.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::path;

    #[test]
    fn the_package_that_diverts_keeps_its_file() {
        let text = b"/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/x\n/usr/bin/x.old\n:\n";
        let all = Diversions::parse(text);
        assert_eq!(all.of(&path("usr/bin/sh"), "dash"), None);
        assert_eq!(
            all.of(&path("usr/bin/sh"), "bash"),
            Some(path("usr/bin/sh.distrib"))
        );
        assert_eq!(all.of(&path("usr/bin/x"), "x"), Some(path("usr/bin/x.old")));
        assert_eq!(all.of(&path("usr/bin/y"), "x"), None);
        assert_eq!(Diversions::parse(b""), Diversions::default());
    }
}
