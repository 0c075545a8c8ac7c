//! Home folders, as `useradd --create-home` and `adduser` make them: a login user's is its
//! own alone and begins with what is in `/etc/skel`, a system user's can be read by all and
//! is empty.

use imgc_plan::User;
use imgc_tree::{Kind, Meta, Node, Tree, TreePath};

use crate::AccountError;
use crate::accounts::Accounts;

/// Makes the home folders that `users`, who are among `accounts`, ask for, last changed at `epoch`, and says where they
/// are. One that is there and belongs to its user stays as it is.
///
/// # Errors
/// [`AccountError::Home`] where something else stands there, and
/// [`AccountError::Insert`] where a folder above it is none.
pub(crate) fn make(
    tree: &mut Tree,
    users: &[User],
    accounts: &Accounts,
    epoch: u64,
) -> Result<Vec<TreePath>, AccountError> {
    let mtime = i64::try_from(epoch).unwrap_or(i64::MAX);
    let mut made = Vec::new();
    for user in users.iter().filter(|user| user.create_home) {
        // A user whom packages bring has the home that they say.
        let home = accounts.home(&user.name).map(str::to_owned);
        let home = home.unwrap_or_else(|| user.home());
        let wrong = |reason: String| AccountError::Home {
            user: user.name.clone(),
            home: home.clone(),
            reason,
        };
        let path = TreePath::new(home.as_bytes()).map_err(|error| wrong(error.to_string()))?;
        let circle = || wrong("it leads through a circle of links".to_owned());
        let place = tree.resolve(&path).ok_or_else(circle)?;
        if let Some(there) = tree.get(&place) {
            let Meta { uid, gid, .. } = there.meta;
            if !there.is_directory() {
                return Err(wrong("it is there, and no folder".to_owned()));
            }
            if (uid, gid) != (user.uid, user.gid) {
                return Err(wrong(format!("it is there, and belongs to {uid}:{gid}")));
            }
            continue;
        }
        let own = |node: &Node| {
            let mut node = node.clone();
            (node.meta.uid, node.meta.gid) = (user.uid, user.gid);
            node
        };
        let mode = if user.system { 0o755 } else { 0o700 };
        tree.make_parents(&place, mtime)?;
        tree.insert(&place, own(&Node::directory(mode, mtime)))?;
        if !user.system {
            for (within, node) in skeleton(tree) {
                let at = place
                    .join(&within)
                    .map_err(|error| wrong(error.to_string()))?;
                tree.insert(&at, own(&node))?;
            }
        }
        made.push(place);
    }
    Ok(made)
}

/// What stands in `/etc/skel`, folders before what is in them: files, folders and links.
fn skeleton(tree: &Tree) -> Vec<(Vec<u8>, Node)> {
    let path = TreePath::new(b"etc/skel").expect("a constant path is valid");
    let Some(skel) = tree.resolve(&path) else {
        return Vec::new();
    };
    let above = skel.as_bytes().len() + 1;
    let copied =
        |kind: &Kind| matches!(kind, Kind::Directory | Kind::Regular(_) | Kind::Symlink(_));
    let inside = tree
        .below(&skel)
        .filter(|(path, node)| **path != skel && copied(&node.kind));
    let all = inside.map(|(path, node)| (path.as_bytes()[above..].to_vec(), node.clone()));
    all.collect()
}

#[cfg(test)]
mod tests {
    use imgc_plan::ImagePath;
    use imgc_tree::Content;

    use super::*;

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).expect("a path")
    }

    fn user(name: &str, uid: u32, system: bool, home: Option<&str>) -> User {
        User {
            name: name.to_owned(),
            uid,
            gid: uid,
            comment: String::new(),
            system,
            home: home.map(|home| ImagePath::new(home).expect("a path")),
            create_home: true,
            shell: None,
            groups: Vec::new(),
            subuids: Vec::new(),
            subgids: Vec::new(),
        }
    }

    fn tree() -> Tree {
        let mut tree = Tree::new(0);
        tree.make_parents(&path("etc/skel/.config/x"), 1)
            .expect("parents");
        let profile = Node::file(Content::inline(&b"x"[..]), 0o644, 1);
        tree.insert(&path("etc/skel/.profile"), profile)
            .expect("a file");
        tree.make_parents(&path("srv/data"), 1).expect("parents");
        tree
    }

    fn accounts(tree: &Tree) -> Accounts {
        let read = |content: &Content| match &content.data {
            imgc_tree::Data::Inline(bytes) => Ok(bytes.to_vec()),
            _ => unreachable!("all files are inline"),
        };
        Accounts::of(tree, 0, &read).expect("accounts")
    }

    fn nobody() -> Accounts {
        accounts(&Tree::new(0))
    }

    #[test]
    fn a_user_of_the_packages_has_the_home_that_they_say() {
        let mut tree = tree();
        let passwd = &b"web:x:33:33:web:/var/www:/bin/sh\n"[..];
        let passwd = Node::file(Content::inline(passwd), 0o644, 0);
        tree.insert(&path("etc/passwd"), passwd).expect("a file");
        let known = accounts(&tree);
        let made = make(&mut tree, &[user("web", 33, false, None)], &known, 0);
        assert_eq!(made.expect("made"), [path("var/www")]);
    }

    #[test]
    fn homes_belong_to_their_users() {
        let mut tree = tree();
        let users = [
            user("login", 1000, false, None),
            user("service", 201, true, Some("/var/lib/service")),
        ];
        let made = make(&mut tree, &users, &nobody(), 5).expect("made");
        assert_eq!(made, [path("home/login"), path("var/lib/service")]);
        let meta = |at: &str| {
            let meta = &tree.get(&path(at)).unwrap_or_else(|| panic!("{at}")).meta;
            (meta.mode, meta.uid, meta.gid, meta.mtime)
        };
        assert_eq!(meta("home"), (0o755, 0, 0, 5));
        assert_eq!(meta("home/login"), (0o700, 1000, 1000, 5));
        assert_eq!(meta("home/login/.profile"), (0o644, 1000, 1000, 1));
        assert_eq!(meta("home/login/.config"), (0o755, 1000, 1000, 1));
        assert_eq!(meta("var/lib/service"), (0o755, 201, 201, 5));
        let again = make(&mut tree, &users, &nobody(), 9).expect("both are there");
        assert!(again.is_empty());
        let in_service = path("var/lib/service/.profile");
        assert!(tree.get(&in_service).is_none(), "a system user's is empty");
    }

    #[test]
    fn what_is_there_is_nobody_elses() {
        for (home, said) in [
            ("/srv", "belongs to 0:0"),
            ("/etc/skel/.profile", "no folder"),
        ] {
            let users = [user("app", 7, true, Some(home))];
            let error = make(&mut tree(), &users, &nobody(), 0).expect_err("it is taken");
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
