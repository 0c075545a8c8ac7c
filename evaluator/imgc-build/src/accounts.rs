//! Users and groups: `/etc/passwd`, `/etc/group`, `/etc/shadow`, `/etc/gshadow`, `/etc/subuid`,
//! `/etc/subgid`.
//!
//! Where a tree has none of them yet, Debian's own list is the beginning
//! (`base-passwd` ships it as `passwd.master` and `group.master`); without that
//! package, root alone.

use std::collections::BTreeSet;

use imgc_plan::{Group, IdRange, Owner, User};
use imgc_tree::{Content, InsertError, Node, Tree, TreePath};
use serde::{Deserialize, Serialize};

use crate::subids::SubIds;

/// Why an account can't be added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The name or the number of a user is taken by another.
    #[error("the user `{name}` ({uid}) can't be added: the image has `{other}` ({other_uid})")]
    User {
        /// The user to add.
        name: String,
        /// Its number.
        uid: u32,
        /// The user that is there.
        other: String,
        /// Its number.
        other_uid: u32,
    },
    /// The name or the number of a group is taken by another.
    #[error("the group `{name}` ({gid}) can't be added: the image has `{other}` ({other_gid})")]
    Group {
        /// The group to add.
        name: String,
        /// Its number.
        gid: u32,
        /// The group that is there.
        other: String,
        /// Its number.
        other_gid: u32,
    },
    /// A user is to be in a group that the image doesn't have.
    #[error("the user `{user}` is to be in the group `{group}`, which the image doesn't have")]
    NoGroup {
        /// The user.
        user: String,
        /// The group.
        group: String,
    },
    /// A user is in the image already, and is something else there.
    #[error("the image has the user `{name}` with the {what} `{there}`, not `{asked}`")]
    Differs {
        /// The user.
        name: String,
        /// What differs.
        what: &'static str,
        /// What the image has.
        there: String,
        /// What was asked for.
        asked: String,
    },
    /// A range of numbers has one that is somebody's already.
    #[error(
        "`{user}` can't have the numbers {} to {}: {path} in the image says `{other}`",
        range.start,
        u64::from(range.start) + u64::from(range.count) - 1
    )]
    Range {
        /// The user.
        user: String,
        /// The file.
        path: String,
        /// The range.
        range: IdRange,
        /// The line with the range that is there.
        other: String,
    },
    /// A home folder can't be made.
    #[error("the home of `{user}` can't be made at {home}: {reason}")]
    Home {
        /// The user.
        user: String,
        /// Where.
        home: String,
        /// Why not.
        reason: String,
    },
    /// The image is to run as a user or group that it doesn't have.
    #[error("the image is to run as `{0}`, which it doesn't have")]
    NoUser(String),
    /// What stands in the tree can't be read as such a file.
    #[error("{path} in the image is not a file of accounts: {reason}")]
    Unreadable {
        /// Which file.
        path: TreePath,
        /// Why not.
        reason: String,
    },
    /// The files can't be put into the tree.
    #[error(transparent)]
    Insert(#[from] InsertError),
}

/// The accounts of an image, in the order of their files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accounts {
    users: Vec<UserLine>,
    groups: Vec<GroupLine>,
    /// The lines of `/etc/shadow` that are there already: they stay, in their order.
    shadow: Vec<String>,
    /// The lines of `/etc/gshadow` that are there already.
    gshadow: Vec<String>,
    subuids: SubIds,
    subgids: SubIds,
    /// Whether the image adds any of its own.
    added: bool,
}

/// The names of all users and of all groups of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names {
    pub(crate) users: BTreeSet<String>,
    pub(crate) groups: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct UserLine {
    name: String,
    uid: u32,
    gid: u32,
    comment: String,
    home: String,
    shell: String,
    shadow: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct GroupLine {
    name: String,
    gid: u32,
    members: Vec<String>,
}

const MASTER: &str = "usr/share/base-passwd";
const SUBUID: &str = "etc/subuid";
const SUBGID: &str = "etc/subgid";

/// Whether the image's own users are added to the file at `path`: the frozen tree has its
/// bytes.
pub(crate) fn reads(path: &TreePath) -> bool {
    let mut all = FILES.into_iter().chain([SUBUID, SUBGID]);
    all.any(|file| path.as_bytes() == file.as_bytes())
}

/// What [`Accounts::write`] writes wherever a user or group was added.
const FILES: [&str; 4] = ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"];

impl Accounts {
    /// The accounts that `tree` has, or those that it would begin with. `read` gives
    /// a file's bytes; `epoch` is the day of the last password change.
    ///
    /// # Errors
    /// [`AccountError::Unreadable`] for a file that is not in the form of
    /// `passwd(5)`, `group(5)` or `shadow(5)`.
    pub(crate) fn of(
        tree: &Tree,
        epoch: u64,
        read: &dyn Fn(&Content) -> std::io::Result<Vec<u8>>,
    ) -> Result<Self, AccountError> {
        let text = |path: &str| file_text(tree, path, read);
        let shadow = text("etc/shadow")?.unwrap_or_default();
        let mut accounts = Self {
            users: Vec::new(),
            groups: Vec::new(),
            shadow: lines(&shadow),
            gshadow: lines(&text("etc/gshadow")?.unwrap_or_default()),
            subuids: SubIds::of(SUBUID, &text(SUBUID)?.unwrap_or_default()),
            subgids: SubIds::of(SUBGID, &text(SUBGID)?.unwrap_or_default()),
            added: false,
        };
        let passwd = match text("etc/passwd")? {
            Some(passwd) => passwd,
            None => text(&format!("{MASTER}/passwd.master"))?
                .unwrap_or_else(|| "root:*:0:0:root:/root:/bin/sh\n".to_owned()),
        };
        let group = match text("etc/group")? {
            Some(group) => group,
            None => {
                text(&format!("{MASTER}/group.master"))?.unwrap_or_else(|| "root:*:0:\n".to_owned())
            }
        };
        for line in passwd.lines().filter(|line| !line.is_empty()) {
            let user = parse_user(line, &shadow, epoch).ok_or_else(|| bad("etc/passwd", line))?;
            accounts.users.push(user);
        }
        for line in group.lines().filter(|line| !line.is_empty()) {
            accounts
                .groups
                .push(parse_group(line).ok_or_else(|| bad("etc/group", line))?);
        }
        Ok(accounts)
    }

    /// Whether `tree` has accounts, or brings a list of them.
    pub(crate) fn are_in(tree: &Tree) -> bool {
        [
            "etc/passwd",
            "etc/group",
            "usr/share/base-passwd/passwd.master",
        ]
        .iter()
        .any(|path| tree.get(&tree_path(path)).is_some())
    }

    /// Adds groups, then users.
    ///
    /// A user or group that is there already with the same name and number stays as
    /// it is, and may get further groups and ranges of numbers.
    ///
    /// # Errors
    /// [`AccountError`] where a name or number is taken, a user who is there is not what
    /// was asked for, or a group is missing.
    pub(crate) fn add(
        &mut self,
        groups: &[Group],
        users: &[User],
        epoch: u64,
    ) -> Result<(), AccountError> {
        self.added |= !groups.is_empty() || !users.is_empty();
        for group in groups {
            self.add_group(group)?;
        }
        for user in users {
            self.add_user(user, epoch)?;
        }
        Ok(())
    }

    fn add_group(&mut self, group: &Group) -> Result<(), AccountError> {
        let clash = self
            .groups
            .iter()
            .find(|g| g.name == group.name || g.gid == group.gid);
        match clash {
            Some(other) if other.name == group.name && other.gid == group.gid => Ok(()),
            Some(other) => Err(AccountError::Group {
                name: group.name.clone(),
                gid: group.gid,
                other: other.name.clone(),
                other_gid: other.gid,
            }),
            None => {
                let (name, gid) = (group.name.clone(), group.gid);
                self.groups.push(GroupLine {
                    name,
                    gid,
                    members: Vec::new(),
                });
                Ok(())
            }
        }
    }

    fn add_user(&mut self, user: &User, epoch: u64) -> Result<(), AccountError> {
        let clash = self
            .users
            .iter()
            .find(|u| u.name == user.name || u.uid == user.uid);
        match clash {
            Some(other) if other.name == user.name && other.uid == user.uid => {
                other.is_like(user)?;
            }
            Some(other) => {
                return Err(AccountError::User {
                    name: user.name.clone(),
                    uid: user.uid,
                    other: other.name.clone(),
                    other_uid: other.uid,
                });
            }
            None => self.users.push(UserLine {
                name: user.name.clone(),
                uid: user.uid,
                gid: user.gid,
                comment: user.comment.clone(),
                home: user.home(),
                shell: user.shell().to_owned(),
                shadow: secret(user, epoch),
            }),
        }
        for name in &user.groups {
            let group = self.groups.iter_mut().find(|group| group.name == *name);
            let group = group.ok_or_else(|| AccountError::NoGroup {
                user: user.name.clone(),
                group: name.clone(),
            })?;
            if !group.members.contains(&user.name) {
                group.members.push(user.name.clone());
            }
        }
        self.subuids.add(&user.name, &user.subuids)?;
        self.subgids.add(&user.name, &user.subgids)?;
        Ok(())
    }

    /// The home of a user, as `/etc/passwd` has it.
    pub(crate) fn home(&self, name: &str) -> Option<&str> {
        let user = self.users.iter().find(|user| user.name == name)?;
        Some(&user.home)
    }

    /// Whether users or groups were added to what the image had.
    pub(crate) fn added(&self) -> bool {
        self.added
    }

    /// Whether [`Accounts::write`] writes the file at `path`.
    pub(crate) fn writes(&self, path: &TreePath) -> bool {
        let mut written = self.written();
        written.any(|file| path.as_bytes() == file.as_bytes())
    }

    /// The files that [`Accounts::write`] writes, as paths of the tree.
    pub(crate) fn written(&self) -> impl Iterator<Item = &'static str> {
        let files = FILES.into_iter().filter(|_| self.added);
        let ranges = [&self.subuids, &self.subgids].into_iter();
        files.chain(ranges.filter_map(|ids| ids.written().map(|(file, _)| file)))
    }

    /// The names of all users, and of all groups.
    pub(crate) fn names(&self) -> Names {
        Names {
            users: self.users.iter().map(|user| user.name.clone()).collect(),
            groups: self.groups.iter().map(|group| group.name.clone()).collect(),
        }
    }

    /// The number of a user.
    pub(crate) fn uid(&self, owner: &Owner) -> Option<u32> {
        match owner {
            Owner::Id(id) => Some(*id),
            Owner::Name(name) => self.users.iter().find(|u| u.name == *name).map(|u| u.uid),
        }
    }

    /// The number of a group.
    pub(crate) fn gid(&self, owner: &Owner) -> Option<u32> {
        match owner {
            Owner::Id(id) => Some(*id),
            Owner::Name(name) => self.groups.iter().find(|g| g.name == *name).map(|g| g.gid),
        }
    }

    /// Writes the four files: passwd and group `0644 root:root`, shadow and gshadow
    /// `0640 root:shadow`. And where ranges of numbers were added, subuid and subgid,
    /// `0644 root:root`.
    ///
    /// # Errors
    /// [`AccountError::Insert`] where `/etc` is no folder.
    pub(crate) fn write(&self, tree: &mut Tree, epoch: u64) -> Result<(), AccountError> {
        let has = |all: &[String], name: &str| all.iter().any(|line| is_of(line, name));
        let (mut passwd, mut shadow) = (String::new(), self.shadow.clone());
        for user in &self.users {
            let UserLine {
                name,
                uid,
                gid,
                comment,
                home,
                shell,
                shadow: secret,
            } = user;
            passwd.push_str(&format!("{name}:x:{uid}:{gid}:{comment}:{home}:{shell}\n"));
            if !has(&shadow, name) {
                shadow.push(secret.clone());
            }
        }
        let (mut group, mut gshadow) = (String::new(), self.gshadow.clone());
        for GroupLine { name, gid, members } in &self.groups {
            let members = members.join(",");
            group.push_str(&format!("{name}:x:{gid}:{members}\n"));
            match gshadow.iter_mut().find(|line| is_of(line, name)) {
                None => gshadow.push(format!("{name}:!::{members}")),
                Some(line) => {
                    let kept = line.rfind(':').map_or(0, |at| at + 1);
                    line.replace_range(kept.., &members);
                }
            }
        }
        let mtime = i64::try_from(epoch).unwrap_or(i64::MAX);
        let shadow_gid = self.gid(&Owner::Name("shadow".to_owned())).unwrap_or(0);
        let mut files = vec![
            ("etc/passwd", passwd, 0o644, 0),
            ("etc/group", group, 0o644, 0),
            ("etc/shadow", file(&shadow), 0o640, shadow_gid),
            ("etc/gshadow", file(&gshadow), 0o640, shadow_gid),
        ];
        for ranges in [&self.subuids, &self.subgids] {
            let written = ranges.written();
            files.extend(written.map(|(path, text)| (path, text, 0o644, 0)));
        }
        for (path, text, mode, gid) in files {
            let path = tree_path(path);
            tree.make_parents(&path, mtime)?;
            let mut node = Node::file(Content::inline(text.into_bytes()), mode, mtime);
            node.meta.gid = gid;
            // A file that says the same already keeps its inode, and so its layer.
            let same = tree.get(&path).is_some_and(|old| {
                old.kind == node.kind && (old.meta.mode, old.meta.gid) == (mode, gid)
            });
            if !same {
                tree.insert(&path, node)?;
            }
        }
        Ok(())
    }
}

impl UserLine {
    /// Whether a user who is there is what is asked for. What is not said may be anything.
    fn is_like(&self, user: &User) -> Result<(), AccountError> {
        let home = user.home.as_ref().map(ToString::to_string);
        let shell = user.shell.as_ref().map(ToString::to_string);
        let comment = Some(user.comment.clone()).filter(|comment| !comment.is_empty());
        for (what, there, asked) in [
            ("group", self.gid.to_string(), Some(user.gid.to_string())),
            ("home", self.home.clone(), home),
            ("shell", self.shell.clone(), shell),
            ("comment", self.comment.clone(), comment),
        ] {
            if let Some(asked) = asked.filter(|asked| *asked != there) {
                return Err(AccountError::Differs {
                    name: user.name.clone(),
                    what,
                    there,
                    asked,
                });
            }
        }
        Ok(())
    }
}

/// The line of a new user in `/etc/shadow`: no password lets anybody in. As `useradd` writes
/// it with Debian's `/etc/login.defs`, a system user's has no rules for passwords.
fn secret(user: &User, epoch: u64) -> String {
    let (name, day) = (&user.name, epoch / 86_400);
    match user.system {
        true => format!("{name}:!:{day}::::::"),
        false => format!("{name}:!:{day}:0:99999:7:::"),
    }
}

/// The lines of a file that have something in them.
fn lines(text: &str) -> Vec<String> {
    let full = text.lines().filter(|line| !line.is_empty());
    full.map(str::to_owned).collect()
}

/// A file of these lines.
fn file(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Whether a line is of this user or group.
fn is_of(line: &str, name: &str) -> bool {
    line.strip_prefix(name)
        .is_some_and(|rest| rest.starts_with(':'))
}

fn tree_path(text: &str) -> TreePath {
    TreePath::new(text.as_bytes()).expect("a constant path is valid")
}

fn bad(path: &str, line: &str) -> AccountError {
    AccountError::Unreadable {
        path: tree_path(path),
        reason: format!("`{line}`"),
    }
}

fn file_text(
    tree: &Tree,
    path: &str,
    read: &dyn Fn(&Content) -> std::io::Result<Vec<u8>>,
) -> Result<Option<String>, AccountError> {
    let path = tree_path(path);
    let unreadable = |reason: String| AccountError::Unreadable {
        path: path.clone(),
        reason,
    };
    match tree.get(&path).map(|node| &node.kind) {
        None => Ok(None),
        Some(imgc_tree::Kind::Regular(content)) => {
            let bytes = read(content).map_err(|error| unreadable(error.to_string()))?;
            String::from_utf8(bytes)
                .map(Some)
                .map_err(|error| unreadable(error.to_string()))
        }
        Some(_) => Err(unreadable("it is not a regular file".to_owned())),
    }
}

fn parse_user(line: &str, shadow: &str, epoch: u64) -> Option<UserLine> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, comment, home, shell] = fields[..] else {
        return None;
    };
    let own = shadow
        .lines()
        .find(|line| line.split(':').next() == Some(name));
    Some(UserLine {
        name: name.to_owned(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        comment: comment.to_owned(),
        home: home.to_owned(),
        shell: shell.to_owned(),
        shadow: own.map_or_else(
            || format!("{name}:*:{}:0:99999:7:::", epoch / 86_400),
            str::to_owned,
        ),
    })
}

fn parse_group(line: &str) -> Option<GroupLine> {
    let fields: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = fields[..] else {
        return None;
    };
    let members = members.split(',').filter(|member| !member.is_empty());
    Some(GroupLine {
        name: name.to_owned(),
        gid: gid.parse().ok()?,
        members: members.map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use imgc_plan::ImagePath;

    use super::*;

    fn inline(content: &Content) -> std::io::Result<Vec<u8>> {
        match &content.data {
            imgc_tree::Data::Inline(bytes) => Ok(bytes.to_vec()),
            other => panic!("not inline: {other:?}"),
        }
    }

    fn user(name: &str, uid: u32, groups: &[&str]) -> User {
        User {
            name: name.to_owned(),
            uid,
            gid: uid,
            comment: String::new(),
            system: true,
            home: None,
            create_home: false,
            shell: None,
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            subuids: Vec::new(),
            subgids: Vec::new(),
        }
    }

    fn text(tree: &Tree, path: &str) -> String {
        let Some(imgc_tree::Kind::Regular(content)) = tree.get(&tree_path(path)).map(|n| &n.kind)
        else {
            panic!("{path} is no file");
        };
        String::from_utf8(inline(content).expect("bytes")).expect("text")
    }

    #[test]
    fn begins_with_root_alone() {
        let mut tree = Tree::new(0);
        let mut accounts = Accounts::of(&tree, 86_400, &inline).expect("accounts");
        let group = Group {
            name: "app".to_owned(),
            gid: 10_001,
        };
        accounts
            .add(&[group], &[user("app", 10_001, &[])], 86_400)
            .expect("added");
        accounts.write(&mut tree, 86_400).expect("written");
        assert_eq!(
            text(&tree, "etc/passwd"),
            "root:x:0:0:root:/root:/bin/sh\napp:x:10001:10001::/nonexistent:/usr/sbin/nologin\n"
        );
        assert_eq!(text(&tree, "etc/group"), "root:x:0:\napp:x:10001:\n");
        assert_eq!(
            text(&tree, "etc/shadow"),
            "root:*:1:0:99999:7:::\napp:!:1::::::\n"
        );
    }

    #[test]
    fn keeps_what_the_image_has() {
        let mut tree = Tree::new(0);
        let path = tree_path("usr/share/base-passwd/passwd.master");
        tree.make_parents(&path, 0).expect("parents");
        let master = Content::inline(
            &b"root:*:0:0:root:/root:/bin/bash\ndaemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
                [..],
        );
        tree.insert(&path, Node::file(master, 0o644, 0))
            .expect("a file");
        let mut accounts = Accounts::of(&tree, 0, &inline).expect("accounts");
        assert!(matches!(
            accounts.add(&[], &[user("app", 1, &[])], 0),
            Err(AccountError::User { other_uid: 1, .. })
        ));
        assert_eq!(accounts.add(&[], &[user("daemon", 1, &[])], 0), Ok(()));
        assert!(matches!(
            accounts.add(&[], &[user("app", 2, &["video"])], 0),
            Err(AccountError::NoGroup { .. })
        ));
        assert_eq!(accounts.uid(&Owner::Name("daemon".to_owned())), Some(1));
    }

    #[test]
    fn a_user_who_is_there_is_what_was_asked_for_or_it_is_an_error() {
        let mut tree = Tree::new(0);
        let put = |tree: &mut Tree, path: &str, text: &str| {
            tree.make_parents(&tree_path(path), 0).expect("parents");
            let node = Node::file(Content::inline(text.as_bytes()), 0o644, 0);
            tree.insert(&tree_path(path), node).expect("a file");
        };
        let www = "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n";
        put(&mut tree, "etc/passwd", www);
        put(&mut tree, "etc/group", "www-data:x:33:\naudio:x:29:\n");
        put(&mut tree, "etc/gshadow", "www-data:*::\naudio:*::\n");
        put(&mut tree, "etc/subuid", "other:100000:65536\n");
        let mut asked = user("www-data", 33, &["audio"]);
        let mut accounts = Accounts::of(&tree, 0, &inline).expect("accounts");
        accounts
            .add(&[], std::slice::from_ref(&asked), 0)
            .expect("a group more");
        accounts.write(&mut tree, 0).expect("written");
        assert_eq!(text(&tree, "etc/passwd"), www);
        assert_eq!(
            text(&tree, "etc/group"),
            "www-data:x:33:\naudio:x:29:www-data\n"
        );
        assert_eq!(
            text(&tree, "etc/gshadow"),
            "www-data:*::\naudio:*::www-data\n"
        );
        let refused = |asked: &User| {
            let mut accounts = Accounts::of(&tree, 0, &inline).expect("accounts");
            let added = accounts.add(&[], std::slice::from_ref(asked), 0);
            added.expect_err("it is refused").to_string()
        };
        asked.subuids = vec![imgc_plan::IdRange {
            start: 165_000,
            count: 1000,
        }];
        let range = refused(&asked);
        assert!(
            range.contains("165000 to 165999") && range.contains("other:"),
            "{range}"
        );
        asked.subuids.clear();
        asked.home = Some(ImagePath::new("/srv").expect("a path"));
        assert!(refused(&asked).contains("the home `/var/www`, not `/srv`"));
        asked.home = None;
        asked.gid = 29;
        assert!(refused(&asked).contains("the group `33`, not `29`"));
    }

    #[test]
    fn login_users_have_rules_for_passwords_and_system_users_none() {
        let mut tree = Tree::new(0);
        let mut accounts = Accounts::of(&tree, 86_400, &inline).expect("accounts");
        let mut login = user("login", 1000, &[]);
        login.system = false;
        login.shell = Some(ImagePath::new("/bin/bash").expect("a path"));
        login.subgids = vec![imgc_plan::IdRange {
            start: 100_000,
            count: 65_536,
        }];
        let users = [login, user("service", 201, &[])];
        accounts.add(&[], &users, 86_400).expect("added");
        assert!(accounts.writes(&tree_path("etc/subgid")));
        assert!(!accounts.writes(&tree_path("etc/subuid")));
        accounts.write(&mut tree, 86_400).expect("written");
        let lines = |path: &str| {
            let text = text(&tree, path);
            text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            lines("etc/passwd"),
            [
                "login:x:1000:1000::/home/login:/bin/bash",
                "service:x:201:201::/nonexistent:/usr/sbin/nologin"
            ]
        );
        assert_eq!(
            lines("etc/shadow"),
            ["login:!:1:0:99999:7:::", "service:!:1::::::"]
        );
        assert_eq!(text(&tree, "etc/subgid"), "login:100000:65536\n");
        assert!(tree.get(&tree_path("etc/subuid")).is_none());
    }
}
