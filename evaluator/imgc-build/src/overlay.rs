//! An image's own files, laid over the tree of its packages.

use std::collections::BTreeMap;

use imgc_plan::{CAPABILITY_ATTRIBUTE, Content as Wanted, File, FileCapabilities, FileNode, Owner};
use imgc_tree::{Content, Data, InsertError, Kind, Meta, Node, Tree, TreePath};

use crate::accounts::Accounts;

/// Why a file can't be laid over the packages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverlayError {
    /// The owner is a name that the image doesn't know.
    #[error("{path} is to belong to the {what} `{name}`, which the image doesn't have")]
    NoOwner {
        /// The file.
        path: String,
        /// `user` or `group`.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Two files are one, as a link of the packages leads from one to the other.
    #[error("{first} and {second} are the same file: both are {resolved} in this image")]
    Same {
        /// One of the paths.
        first: String,
        /// The other.
        second: String,
        /// Where both lead.
        resolved: TreePath,
    },
    /// The folder's path runs in a circle of links.
    #[error("{0} leads through a circle of symbolic links")]
    Circle(String),
    /// A mode or owner is to be changed of something that is not there.
    #[error("{0} is not there")]
    Absent(String),
    /// A bit or capability is asked for that the kernel would not look at.
    #[error("{what} has a meaning for {wanted}, and {path} is none")]
    NoMeaning {
        /// What is there.
        path: String,
        /// What is asked for.
        what: &'static str,
        /// What it is for.
        wanted: &'static str,
    },
    /// The file would undo the users and groups that the image adds.
    #[error("{0} is written from the image's `users` and `groups`")]
    Accounts(String),
    /// Something else stands there.
    #[error("{path} can't be placed: {error}")]
    Insert {
        /// The file.
        path: String,
        /// Why not.
        error: InsertError,
    },
}

/// Puts `files` into `tree`. Every node that is added was last changed at `epoch`.
/// Folders that are missing above a file are made: `0755 root:root`. A path that
/// leads through a link of the packages (`/bin/x`) goes where the link leads. Folders
/// don't replace links to folders.
///
/// # Errors
/// [`OverlayError`]; the tree may then hold some of the files.
pub(crate) fn overlay(
    tree: &mut Tree,
    files: &[File],
    accounts: &Accounts,
    epoch: u64,
) -> Result<(), OverlayError> {
    let mtime = i64::try_from(epoch).unwrap_or(i64::MAX);
    let mut placed: BTreeMap<TreePath, &File> = BTreeMap::new();
    for file in files {
        let path = destination(tree, file)?;
        if accounts.writes(&path) {
            return Err(OverlayError::Accounts(file.path.to_string()));
        }
        if let Some(first) = placed.insert(path.clone(), file)
            && !is_same_folder(first, file)
        {
            return Err(OverlayError::Same {
                first: first.path.to_string(),
                second: file.path.to_string(),
                resolved: path,
            });
        }
        let no_owner = |what, owner: &Owner| OverlayError::NoOwner {
            path: file.path.to_string(),
            what,
            name: match owner {
                Owner::Name(name) => name.clone(),
                Owner::Id(id) => id.to_string(),
            },
        };
        let uid = accounts
            .uid(&file.user)
            .ok_or_else(|| no_owner("user", &file.user))?;
        let gid = accounts
            .gid(&file.group)
            .ok_or_else(|| no_owner("group", &file.group))?;
        if matches!(file.node, FileNode::Directory { keep: true, .. })
            && tree.get(&path).is_some_and(Node::is_directory)
        {
            continue;
        }
        let (kind, mode) = node_kind(&file.node);
        let node = Node {
            meta: Meta {
                xattrs: attributes(&file.node),
                mode,
                uid,
                gid,
                mtime,
            },
            kind,
        };
        let placing = tree
            .make_parents(&path, mtime)
            .and_then(|()| tree.insert(&path, node));
        placing.map_err(|error| OverlayError::Insert {
            path: file.path.to_string(),
            error,
        })?;
    }
    Ok(())
}

/// Whether two entries ask for the same of one folder, as a project's folder does that
/// has both `bin` and `usr/bin`.
fn is_same_folder(one: &File, other: &File) -> bool {
    matches!(one.node, FileNode::Directory { .. })
        && (&one.node, &one.user, &one.group) == (&other.node, &other.user, &other.group)
}

/// Where the file goes: its folder's links followed, its own name not. A folder where a
/// link to a folder stands is that folder, as for dpkg: `/bin` stays a link.
fn destination(tree: &Tree, file: &File) -> Result<TreePath, OverlayError> {
    let insert = |error| OverlayError::Insert {
        path: file.path.to_string(),
        error,
    };
    let path = TreePath::new(file.path.relative().as_bytes())
        .map_err(|_| insert(InsertError::Directory(TreePath::root())))?;
    let Some(parent) = path.parent() else {
        return Ok(path);
    };
    let parent = tree
        .resolve(&parent)
        .ok_or_else(|| OverlayError::Circle(file.path.to_string()))?;
    let path = parent
        .join(path.name())
        .map_err(|_| insert(InsertError::Directory(path.clone())))?;
    if matches!(file.node, FileNode::Directory { .. })
        && let Some(there) = tree.resolve(&path)
        && tree.get(&there).is_some_and(Node::is_directory)
    {
        return Ok(there);
    }
    Ok(path)
}

/// The extended attributes of a file that is added.
fn attributes(node: &FileNode) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    if let FileNode::Regular { capabilities, .. } = node
        && !capabilities.is_empty()
        && let Some(value) = FileCapabilities::effective(capabilities).encode()
    {
        all.insert(CAPABILITY_ATTRIBUTE.to_owned(), value);
    }
    all
}

fn node_kind(node: &FileNode) -> (Kind, u32) {
    match node {
        FileNode::Regular {
            content: Wanted::Text(text),
            mode,
            ..
        } => (Kind::Regular(Content::inline(text.as_bytes())), *mode),
        FileNode::Regular {
            content: Wanted::Source { digest, size },
            mode,
            ..
        } => {
            let content = Content {
                size: *size,
                sha256: *digest.as_bytes(),
                data: Data::Outside,
            };
            (Kind::Regular(content), *mode)
        }
        FileNode::Regular {
            content: Wanted::Fetched { .. },
            ..
        }
        | FileNode::Archive { .. } => unreachable!("what comes from elsewhere has been brought"),
        FileNode::Directory { mode, keep: _ } => (Kind::Directory, *mode),
        FileNode::Symlink { target } => (Kind::Symlink(target.as_bytes().into()), 0o777),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imgc_plan::ImagePath;

    fn text(path: &str, user: Owner) -> File {
        File {
            path: ImagePath::new(path).expect("a path"),
            node: FileNode::Regular {
                content: Wanted::Text("x".to_owned()),
                mode: 0o644,
                capabilities: Vec::new(),
            },
            user,
            group: Owner::Id(0),
        }
    }

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).expect("a path")
    }

    fn merged() -> (Tree, Accounts) {
        let mut tree = Tree::new(0);
        tree.make_parents(&path("usr/bin/x"), 0).expect("parents");
        tree.insert(&path("bin"), Node::symlink(&b"usr/bin"[..], 0))
            .expect("a link");
        let accounts = Accounts::of(&tree, 0, &|_| unreachable!()).expect("accounts");
        (tree, accounts)
    }

    #[test]
    fn goes_where_links_lead() {
        let (mut tree, accounts) = merged();
        overlay(&mut tree, &[text("/bin/app", Owner::Id(7))], &accounts, 5).expect("placed");
        let node = tree.get(&path("usr/bin/app")).expect("a file");
        assert_eq!((node.meta.uid, node.meta.mtime), (7, 5));
    }

    #[test]
    fn refuses_one_file_by_two_names() {
        let (mut tree, accounts) = merged();
        let files = [
            text("/bin/app", Owner::Id(0)),
            text("/usr/bin/app", Owner::Id(0)),
        ];
        assert!(matches!(
            overlay(&mut tree, &files, &accounts, 0),
            Err(OverlayError::Same { .. })
        ));
    }

    fn folder(path: &str, mode: u32) -> File {
        File {
            node: FileNode::Directory { mode, keep: false },
            ..text(path, Owner::Id(0))
        }
    }

    #[test]
    fn a_copied_folder_leaves_the_one_that_is_there() {
        let (mut tree, accounts) = merged();
        tree.insert(&path("tmp"), Node::directory(0o1777, 0))
            .expect("a folder");
        let copied = |path| File {
            node: FileNode::Directory {
                mode: 0o755,
                keep: true,
            },
            ..text(path, Owner::Id(7))
        };
        let files = [copied("/srv"), copied("/tmp")];
        overlay(&mut tree, &files, &accounts, 0).expect("placed");
        let meta = |at: &str| {
            let meta = &tree.get(&path(at)).expect("a folder").meta;
            (meta.mode, meta.uid)
        };
        assert_eq!(meta("tmp"), (0o1777, 0));
        assert_eq!(meta("srv"), (0o755, 7));
        overlay(&mut tree, &[folder("/tmp", 0o700)], &accounts, 0).expect("placed");
        assert_eq!(tree.get(&path("tmp")).expect("a folder").meta.mode, 0o700);
    }

    #[test]
    fn refuses_a_file_of_accounts_beside_accounts() {
        let (mut tree, mut accounts) = merged();
        let files = [text("/etc/passwd", Owner::Id(0))];
        overlay(&mut tree, &files, &accounts, 0).expect("placed");
        let group = imgc_plan::Group {
            name: "app".to_owned(),
            gid: 7,
        };
        accounts.add(&[group], &[], 0).expect("added");
        assert!(matches!(
            overlay(&mut tree, &files, &accounts, 0),
            Err(OverlayError::Accounts(_))
        ));
    }

    #[test]
    fn a_folder_does_not_replace_a_link_to_a_folder() {
        let (mut tree, accounts) = merged();
        tree.insert(&path("gone"), Node::symlink(&b"nowhere"[..], 0))
            .expect("a link");
        let files = [
            folder("/bin", 0o700),
            text("/bin/app", Owner::Id(0)),
            folder("/gone", 0o755),
            folder("/usr/bin", 0o700),
        ];
        overlay(&mut tree, &files, &accounts, 0).expect("placed");
        let kind = |at: &str| tree.get(&path(at)).map(|node| node.kind.clone());
        assert!(matches!(kind("bin"), Some(Kind::Symlink(_))));
        assert!(matches!(kind("usr/bin/app"), Some(Kind::Regular(_))));
        assert_eq!(kind("gone"), Some(Kind::Directory));
        let mode = tree.get(&path("usr/bin")).expect("a folder").meta.mode;
        assert_eq!(mode, 0o700);

        let (mut tree, accounts) = merged();
        let files = [folder("/bin", 0o700), folder("/usr/bin", 0o755)];
        assert!(matches!(
            overlay(&mut tree, &files, &accounts, 0),
            Err(OverlayError::Same { .. })
        ));
    }

    #[test]
    fn refuses_unknown_owners() {
        let (mut tree, accounts) = merged();
        let files = [text("/x", Owner::Name("nobody-here".to_owned()))];
        let error = overlay(&mut tree, &files, &accounts, 0).expect_err("no such user");
        assert!(matches!(error, OverlayError::NoOwner { what: "user", .. }));
    }
}
