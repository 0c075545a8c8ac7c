//! Merged /usr: `/bin`, `/sbin`, `/lib` and their like are links into `/usr`, and what
//! a package puts below them stands in `/usr`.

use imgc_tree::{PathError, TreePath};

/// The folders that are links. Each is `usr/NAME`.
pub(crate) const ALIASES: [&str; 7] = ["bin", "sbin", "lib", "lib32", "lib64", "libo32", "libx32"];

/// The links that an image of `arch` has even where no package brings them.
pub(crate) fn links(arch: &str) -> impl Iterator<Item = &'static str> {
    let lib64 = matches!(
        arch,
        "amd64" | "loong64" | "mips64el" | "ppc64" | "ppc64el" | "sparc64" | "x32"
    );
    ALIASES
        .into_iter()
        .filter(move |name| matches!(*name, "bin" | "sbin" | "lib") || (*name == "lib64" && lib64))
}

/// Where `path` stands in the merged tree. A folder at an alias is the folder in
/// `/usr`; anything else at it stays (it should be the link itself).
///
/// # Errors
/// [`PathError`] where the path becomes too long.
pub(crate) fn place(path: &TreePath, directory: bool) -> Result<TreePath, PathError> {
    let mut parts = path.parts();
    let aliased = parts.next().is_some_and(is_alias);
    if aliased && (directory || parts.next().is_some()) {
        return TreePath::new(&[b"usr/", path.as_bytes()].concat());
    }
    Ok(path.clone())
}

/// Whether `name` is that of an alias in the root.
pub(crate) fn is_alias(name: &[u8]) -> bool {
    ALIASES.iter().any(|alias| alias.as_bytes() == name)
}

/// Whether a symbolic link at the alias `name` with `target` is the merged-/usr link.
pub(crate) fn is_link(name: &[u8], target: &[u8]) -> bool {
    let target = target.strip_prefix(b"/").unwrap_or(target);
    target.strip_prefix(b"usr/") == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewrites_what_is_below() {
        let place = |text: &str, directory| {
            let path = TreePath::new(text.as_bytes()).expect("a path");
            place(&path, directory).expect("a place").to_string()
        };
        assert_eq!(place("./bin/sh", false), "/usr/bin/sh");
        assert_eq!(place("lib", true), "/usr/lib");
        assert_eq!(place("lib", false), "/lib");
        assert_eq!(place("library/x", false), "/library/x");
        assert_eq!(place("opt/bin/x", false), "/opt/bin/x");
    }

    #[test]
    fn knows_the_links() {
        assert!(is_link(b"bin", b"usr/bin"));
        assert!(is_link(b"bin", b"/usr/bin"));
        assert!(!is_link(b"bin", b"usr/sbin"));
        assert_eq!(
            links("amd64").collect::<Vec<_>>(),
            ["bin", "sbin", "lib", "lib64"]
        );
        assert_eq!(links("arm64").collect::<Vec<_>>(), ["bin", "sbin", "lib"]);
    }
}
