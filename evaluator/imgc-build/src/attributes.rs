//! Modes, owners and capabilities of what is in a tree already.

use std::collections::BTreeMap;

use imgc_plan::{Attributes, CAPABILITY_ATTRIBUTE, FileCapabilities, Owner};
use imgc_tree::{Kind, Node, Tree, TreePath};

use crate::OverlayError;
use crate::accounts::Accounts;

/// The bits of a mode that let a file run as somebody else.
const RUNS_AS: u32 = 0o6000;

/// Gives paths their modes, owners and capabilities, and says where they are. No file is
/// spoken of twice: which of two words counts, nobody could know.
///
/// # Errors
/// As [`change`], and [`OverlayError::Same`] where two paths lead to one file.
pub(crate) fn change_all(
    tree: &mut Tree,
    all: &[Attributes],
    accounts: &Accounts,
) -> Result<Vec<TreePath>, OverlayError> {
    let mut changed = BTreeMap::new();
    let mut places = Vec::with_capacity(all.len());
    for one in all {
        let at = change(tree, one, accounts)?;
        if let Some(first) = changed.insert(tree.ino(&at), &one.path) {
            return Err(OverlayError::Same {
                first: first.to_string(),
                second: one.path.to_string(),
                resolved: at,
            });
        }
        places.push(at);
    }
    Ok(places)
}

/// Gives a path its mode, owner and capabilities, and says where it is. Links are followed,
/// as `chmod`, `chown` and `setcap` do. As with `chown`, a program that gets another owner
/// loses its bits and capabilities, unless they are asked for.
///
/// # Errors
/// [`OverlayError`] where nothing is there, an owner is not known, or a bit has no meaning
/// for what is there.
fn change(
    tree: &mut Tree,
    attributes: &Attributes,
    accounts: &Accounts,
) -> Result<TreePath, OverlayError> {
    let path = attributes.path.to_string();
    let absent = || OverlayError::Absent(path.clone());
    let at = TreePath::new(attributes.path.relative().as_bytes()).map_err(|_| absent())?;
    let at = tree.resolve(&at).ok_or_else(absent)?;
    let ino = tree.ino(&at).ok_or_else(absent)?;
    let node = tree.node(ino);
    let old = &node.meta;
    let no_owner = |what, owner: &Owner| OverlayError::NoOwner {
        path: path.clone(),
        what,
        name: match owner {
            Owner::Name(name) => name.clone(),
            Owner::Id(id) => id.to_string(),
        },
    };
    let mut new = old.clone();
    if let Some(owner) = &attributes.user {
        new.uid = accounts.uid(owner).ok_or_else(|| no_owner("user", owner))?;
    }
    if let Some(owner) = &attributes.group {
        new.gid = accounts
            .gid(owner)
            .ok_or_else(|| no_owner("group", owner))?;
    }
    let is_file = matches!(node.kind, Kind::Regular(_));
    if is_file && (new.uid, new.gid) != (old.uid, old.gid) {
        new.mode &= !RUNS_AS;
        new.xattrs.remove(CAPABILITY_ATTRIBUTE);
    }
    new.mode = attributes.mode.unwrap_or(new.mode);
    for (asked, bit) in [
        (attributes.setuid, 0o4000),
        (attributes.setgid, 0o2000),
        (attributes.sticky, 0o1000),
    ] {
        match asked {
            Some(true) => new.mode |= bit,
            Some(false) => new.mode &= !bit,
            None => {}
        }
    }
    if let Some(capabilities) = &attributes.capabilities {
        let value = FileCapabilities::effective(capabilities).encode();
        match value.filter(|_| !capabilities.is_empty()) {
            Some(value) => new.xattrs.insert(CAPABILITY_ATTRIBUTE.to_owned(), value),
            None => new.xattrs.remove(CAPABILITY_ATTRIBUTE),
        };
    }
    check(&path, node, attributes, new.mode)?;
    tree.node_mut(ino).meta = new;
    Ok(at)
}

/// Refuses what the kernel would not look at.
fn check(path: &str, node: &Node, attributes: &Attributes, mode: u32) -> Result<(), OverlayError> {
    let is_folder = node.is_directory();
    let starts = matches!(node.kind, Kind::Regular(_)) && mode & 0o111 != 0;
    let has_capabilities = attributes.capabilities.iter().any(|all| !all.is_empty());
    let asked = [
        (
            attributes.setuid == Some(true),
            starts,
            "setuid",
            "a program",
        ),
        (
            attributes.setgid == Some(true),
            starts || is_folder,
            "setgid",
            "a program or a folder",
        ),
        (
            attributes.sticky == Some(true),
            is_folder,
            "sticky",
            "a folder",
        ),
        (has_capabilities, starts, "capabilities", "a program"),
    ];
    for (is_asked, has_meaning, what, wanted) in asked {
        if is_asked && !has_meaning {
            return Err(OverlayError::NoMeaning {
                path: path.to_owned(),
                what,
                wanted,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use imgc_plan::{Capability, ImagePath};
    use imgc_tree::Content;

    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).expect("a path")
    }

    /// A program that runs as its owner, a file, a folder, and a link to the program.
    fn tree() -> Tree {
        let mut tree = Tree::new(0);
        tree.make_parents(&path("usr/bin/x"), 0).expect("parents");
        let file = |mode| Node::file(Content::inline(&b"x"[..]), mode, 0);
        for (at, node) in [
            ("usr/bin/su", file(0o4755)),
            ("usr/bin/data", file(0o644)),
            ("tmp", Node::directory(0o755, 0)),
            ("su", Node::symlink(&b"usr/bin/su"[..], 0)),
        ] {
            tree.insert(&path(at), node).expect("inserted");
        }
        tree
    }

    fn on(path: &str) -> Attributes {
        Attributes {
            path: ImagePath::new(path).expect("a path"),
            mode: None,
            setuid: None,
            setgid: None,
            sticky: None,
            user: None,
            group: None,
            capabilities: None,
        }
    }

    /// The mode, owner and capabilities of the only thing that changes.
    fn changed(attributes: &Attributes) -> Result<(u32, u32, Option<Vec<u8>>), OverlayError> {
        let mut tree = tree();
        let accounts = Accounts::of(&tree, 0, &|_| unreachable!()).expect("accounts");
        let at = change(&mut tree, attributes, &accounts)?;
        let meta = &tree.get(&at).expect("it is there").meta;
        Ok((
            meta.mode,
            meta.uid,
            meta.xattrs.get(CAPABILITY_ATTRIBUTE).cloned(),
        ))
    }

    #[test]
    fn no_file_is_spoken_of_twice() {
        let mut tree = tree();
        let nobody = Accounts::of(&Tree::new(0), 0, &|_| unreachable!()).expect("accounts");
        let all = [on("/su"), on("/usr/bin/su")];
        let error = change_all(&mut tree, &all, &nobody).expect_err("one file");
        assert!(matches!(error, OverlayError::Same { .. }), "{error}");
    }

    #[test]
    fn what_is_said_changes_and_the_rest_stays() {
        let bind = Capability::named("cap_net_bind_service").expect("a name");
        let value = FileCapabilities::effective(&[bind]).encode();
        let capabilities = |all: &[Capability]| Attributes {
            capabilities: Some(all.to_vec()),
            ..on("/su")
        };
        let given = changed(&capabilities(&[bind])).expect("changed");
        assert_eq!(given, (0o4755, 0, value.clone()), "a link is followed");
        assert_eq!(changed(&capabilities(&[])).expect("changed").2, None);
        let attributes = Attributes {
            mode: Some(0o750),
            ..on("/usr/bin/su")
        };
        assert_eq!(changed(&attributes).expect("changed").0, 0o750);
        let attributes = Attributes {
            setuid: Some(false),
            ..on("/usr/bin/su")
        };
        assert_eq!(changed(&attributes).expect("changed").0, 0o755);
        let attributes = Attributes {
            mode: Some(0o777),
            sticky: Some(true),
            ..on("/tmp")
        };
        assert_eq!(changed(&attributes).expect("changed").0, 0o1777);
    }

    #[test]
    fn another_owner_is_not_run_as_unless_that_is_asked_for() {
        let mut attributes = Attributes {
            user: Some(Owner::Id(7)),
            ..on("/usr/bin/su")
        };
        assert_eq!(changed(&attributes).expect("changed"), (0o755, 7, None));
        attributes.setuid = Some(true);
        assert_eq!(changed(&attributes).expect("changed"), (0o4755, 7, None));
        attributes.user = Some(Owner::Id(0));
        attributes.setuid = None;
        assert_eq!(changed(&attributes).expect("changed"), (0o4755, 0, None));
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        let bind = Capability::named("cap_net_bind_service").expect("a name");
        let on_folder = Attributes {
            capabilities: Some(vec![bind]),
            ..on("/tmp")
        };
        let on_data = Attributes {
            setuid: Some(true),
            ..on("/usr/bin/data")
        };
        let on_file = Attributes {
            sticky: Some(true),
            ..on("/usr/bin/su")
        };
        for (attributes, said) in [
            (on_folder, "capabilities"),
            (on_data, "setuid"),
            (on_file, "sticky"),
            (
                Attributes {
                    mode: Some(0o600),
                    ..on("/gone")
                },
                "/gone",
            ),
            (
                Attributes {
                    user: Some(Owner::Name("nobody-here".to_owned())),
                    ..on("/tmp")
                },
                "nobody-here",
            ),
        ] {
            let error = changed(&attributes).expect_err("it has no meaning");
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
