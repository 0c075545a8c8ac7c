//! Paths of the project, as text: no disk is looked at.

/// The folder of a file, both from the project root; empty for the root.
pub(crate) fn folder(file: &str) -> &str {
    file.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The path from the root that `written` means in `folder`. `None` if it leads
/// out of the root, or holds what no path may hold.
pub(crate) fn resolve(folder: &str, written: &str) -> Option<String> {
    if written.starts_with('/') || written.contains('\0') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(written.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// `name` below `folder`.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// How a path from the root is shown to people.
pub(crate) fn shown(path: &str) -> String {
    format!("./{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let resolved = |folder, written| resolve(folder, written);
        assert_eq!(resolved("", "./a/b").as_deref(), Some("a/b"));
        assert_eq!(resolved("x/y", "../a").as_deref(), Some("x/a"));
        assert_eq!(resolved("x", "./").as_deref(), Some("x"));
        assert_eq!(resolved("x", "../../a"), None);
        assert_eq!(resolved("x", "./a/../../../a"), None);
        assert_eq!(resolved("", ".."), None);
        assert_eq!(resolved("", "/etc/passwd"), None);
    }
}
