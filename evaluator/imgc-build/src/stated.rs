//! What an image states in the place of packages' scripts: done to the tree of the packages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use imgc_dpkg::{Stated, Touched};
use imgc_plan::{Effects, FileNode, Image, ImagePath, Owner};
use imgc_tree::{Content, Kind, Tree, TreePath};

use crate::accounts::Accounts;
use crate::overlay::overlay;
use crate::{attributes, homes};

/// The effects that an image states, by package.
pub(crate) struct StatedEffects<'a> {
    effects: BTreeMap<&'a str, &'a Effects>,
    /// The moment that everything is given, in seconds since 1970.
    epoch: u64,
    /// Gives the bytes of a file of accounts.
    read: &'a dyn Fn(&Content) -> std::io::Result<Vec<u8>>,
}

impl<'a> StatedEffects<'a> {
    /// Those of `image`. `read` gives the bytes of a file of the tree.
    pub(crate) fn of(
        image: &'a Image,
        epoch: u64,
        read: &'a dyn Fn(&Content) -> std::io::Result<Vec<u8>>,
    ) -> Self {
        let packages = image.packages.iter();
        let all = packages.flat_map(|packages| &packages.effects);
        Self {
            effects: all
                .map(|(name, effects)| (name.as_str(), effects))
                .collect(),
            epoch,
            read,
        }
    }
}

impl Stated for StatedEffects<'_> {
    fn has(&self, package: &str) -> bool {
        self.effects.contains_key(package)
    }

    fn apply(&self, package: &str, tree: &mut Tree) -> Result<Vec<(TreePath, Touched)>, String> {
        let mut touched = Vec::new();
        let Some(effects) = self.effects.get(package) else {
            return Ok(touched);
        };
        for path in &effects.remove {
            let at = there(tree, path)?;
            tree.remove(&at);
            touched.push((at, Touched::Removed));
        }
        let names_owners = effects
            .files
            .iter()
            .any(|file| named(&file.user, &file.group))
            || effects.attributes.iter().any(|one| {
                let is_name = |owner: &Option<Owner>| matches!(owner, Some(Owner::Name(_)));
                is_name(&one.user) || is_name(&one.group)
            });
        let adds = !effects.users.is_empty() || !effects.groups.is_empty();
        let accounts = match adds || names_owners {
            true => Accounts::of(tree, self.epoch, self.read),
            false => Accounts::of(&Tree::new(0), self.epoch, self.read),
        };
        let mut accounts = accounts.map_err(|error| error.to_string())?;
        if adds {
            let added = accounts.add(&effects.groups, &effects.users, self.epoch);
            added.map_err(|error| error.to_string())?;
            let written = accounts.write(tree, self.epoch);
            written.map_err(|error| error.to_string())?;
            for name in accounts.written() {
                let path = TreePath::new(name.as_bytes()).expect("a plain path");
                touched.push((path, Touched::Written));
            }
            let made = homes::make(tree, &effects.users, &accounts, self.epoch);
            let made = made.map_err(|error| error.to_string())?;
            for home in &made {
                // What it has besides is /etc/skel's.
                let all = tree.below(home);
                touched.extend(all.map(|(path, node)| (path.clone(), touch(&node.kind))));
            }
        }
        let placed = overlay(tree, &effects.files, &accounts, self.epoch);
        placed.map_err(|error| error.to_string())?;
        for file in &effects.files {
            let what = match file.node {
                FileNode::Regular { .. } => Touched::Written,
                FileNode::Directory { .. } | FileNode::Archive { .. } => Touched::Directory,
                FileNode::Symlink { .. } => Touched::Link,
            };
            touched.push((tree_path(&file.path)?, what));
        }
        let changed = attributes::change_all(tree, &effects.attributes, &accounts);
        let changed = changed.map_err(|error| error.to_string())?;
        touched.extend(changed.into_iter().map(|at| (at, Touched::Metadata)));
        Ok(touched)
    }
}

impl fmt::Debug for StatedEffects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packages: BTreeSet<&&str> = self.effects.keys().collect();
        f.debug_tuple("StatedEffects").field(&packages).finish()
    }
}

/// How something of this kind came to be where nothing was.
fn touch(kind: &Kind) -> Touched {
    match kind {
        Kind::Directory => Touched::Directory,
        Kind::Symlink(_) => Touched::Link,
        _ => Touched::Written,
    }
}

fn named(user: &Owner, group: &Owner) -> bool {
    matches!(user, Owner::Name(_)) || matches!(group, Owner::Name(_))
}

/// Where a path that must be there is in the tree. Its own name is no link that is followed.
fn there(tree: &Tree, path: &ImagePath) -> Result<TreePath, String> {
    let at = tree_path(path)?;
    let at = match at.parent() {
        None => Some(at),
        Some(parent) => tree
            .resolve(&parent)
            .and_then(|parent| parent.join(at.name()).ok()),
    };
    let at = at.filter(|at| tree.get(at).is_some());
    at.ok_or_else(|| format!("{path} is not there when the package is configured"))
}

fn tree_path(path: &ImagePath) -> Result<TreePath, String> {
    TreePath::new(path.relative().as_bytes()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use imgc_plan::{
        Arch, Attributes, Config, Content as Wanted, File, Group, Packages, Platform, User, Variant,
    };
    use imgc_tree::{Data, Node};

    use super::*;

    fn inline(content: &Content) -> std::io::Result<Vec<u8>> {
        match &content.data {
            Data::Inline(bytes) => Ok(bytes.to_vec()),
            other => panic!("not inline: {other:?}"),
        }
    }

    fn image_path(text: &str) -> ImagePath {
        ImagePath::new(text).expect("a path")
    }

    fn path(text: &str) -> TreePath {
        TreePath::new(text.as_bytes()).expect("a path")
    }

    fn image(effects: Effects) -> Image {
        Image {
            name: "app".to_owned(),
            platform: Platform { arch: Arch::Amd64 },
            base: None,
            packages: Some(Packages {
                suite: "trixie".to_owned(),
                variant: Variant::Distroless,
                recommends: false,
                names: vec!["a".to_owned()],
                archives: Vec::new(),
                skip: BTreeMap::new(),
                effects: BTreeMap::from([("a".to_owned(), effects)]),
                exclude: Vec::new(),
                include: Vec::new(),
            }),
            groups: Vec::new(),
            users: Vec::new(),
            files: Vec::new(),
            attributes: Vec::new(),
            config: Config::default(),
            layers: imgc_plan::Layers::default(),
            annotations: BTreeMap::new(),
            provided: BTreeMap::new(),
        }
    }

    /// A tree with a program, a link to it and a file.
    fn tree() -> Tree {
        let mut tree = Tree::new(0);
        tree.make_parents(&path("usr/bin/x"), 0).expect("parents");
        let file = |text: &str| Node::file(Content::inline(text.as_bytes()), 0o755, 0);
        tree.insert(&path("usr/bin/x"), file("x")).expect("a file");
        let link = Node::symlink(&b"usr/bin"[..], 0);
        tree.insert(&path("bin"), link).expect("a link");
        tree.insert(&path("gone"), file("y")).expect("a file");
        tree
    }

    fn apply(effects: Effects, tree: &mut Tree) -> Result<Vec<String>, String> {
        let image = image(effects);
        let stated = StatedEffects::of(&image, 86_400, &inline);
        assert!(stated.has("a") && !stated.has("b"));
        let touched = stated.apply("a", tree)?;
        Ok(touched.iter().map(|(path, _)| path.to_string()).collect())
    }

    #[test]
    fn effects_are_done_in_their_order() {
        let mut tree = tree();
        let name = || Owner::Name("app".to_owned());
        let effects = Effects {
            remove: vec![image_path("/gone")],
            groups: vec![Group {
                name: "app".to_owned(),
                gid: 70,
            }],
            users: vec![User {
                name: "app".to_owned(),
                uid: 70,
                gid: 70,
                comment: String::new(),
                system: true,
                home: Some(image_path("/srv")),
                create_home: false,
                shell: Some(image_path("/bin/sh")),
                groups: Vec::new(),
                subuids: Vec::new(),
                subgids: Vec::new(),
            }],
            files: vec![File {
                path: image_path("/gone/file"),
                node: FileNode::Regular {
                    content: Wanted::Text("text".to_owned()),
                    mode: 0o600,
                    capabilities: Vec::new(),
                },
                user: name(),
                group: Owner::Id(0),
            }],
            attributes: vec![Attributes {
                path: image_path("/bin/x"),
                mode: Some(0o755),
                setuid: None,
                setgid: Some(true),
                sticky: None,
                user: None,
                group: Some(name()),
                capabilities: None,
            }],
        };
        let touched = apply(effects, &mut tree).expect("it can be done");
        assert_eq!(touched.first().map(String::as_str), Some("/gone"));
        assert_eq!(touched.last().map(String::as_str), Some("/usr/bin/x"));
        let meta = |at: &str| {
            let meta = &tree.get(&path(at)).expect("a node").meta;
            (meta.mode, meta.uid, meta.gid)
        };
        assert_eq!(meta("gone/file"), (0o600, 70, 0));
        assert_eq!(meta("usr/bin/x"), (0o2755, 0, 70));
        let Some(Kind::Regular(passwd)) = tree.get(&path("etc/passwd")).map(|node| &node.kind)
        else {
            panic!("no passwd");
        };
        let passwd = String::from_utf8(inline(passwd).expect("bytes")).expect("text");
        assert!(
            passwd.ends_with("\napp:x:70:70::/srv:/bin/sh\n"),
            "{passwd}"
        );
    }

    #[test]
    fn all_that_a_user_brings_is_told() {
        let mut tree = tree();
        tree.make_parents(&path("etc/skel/.config/x"), 0)
            .expect("parents");
        let link = Node::symlink(&b".profile"[..], 0);
        tree.insert(&path("etc/skel/.config/link"), link)
            .expect("a link");
        let range = |start| imgc_plan::IdRange { start, count: 10 };
        let effects = Effects {
            users: vec![User {
                name: "app".to_owned(),
                uid: 1000,
                gid: 1000,
                comment: String::new(),
                system: false,
                home: Some(image_path("/srv/app")),
                create_home: true,
                shell: None,
                groups: Vec::new(),
                subuids: vec![range(100_000)],
                subgids: vec![range(200_000)],
            }],
            ..Effects::default()
        };
        let touched = apply(effects, &mut tree).expect("it can be done");
        let homes = ["/srv/app", "/srv/app/.config", "/srv/app/.config/link"];
        let files = ["passwd", "group", "shadow", "gshadow", "subuid", "subgid"];
        let all = files.iter().map(|name| format!("/etc/{name}"));
        let all: Vec<String> = all.chain(homes.map(str::to_owned)).collect();
        assert_eq!(touched, all);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let attributes = |path: &str, user: Option<Owner>| Effects {
            attributes: vec![Attributes {
                path: image_path(path),
                mode: Some(0o600),
                setuid: None,
                setgid: None,
                sticky: None,
                user,
                group: None,
                capabilities: None,
            }],
            ..Effects::default()
        };
        let remove = Effects {
            remove: vec![image_path("/nothing")],
            ..Effects::default()
        };
        let nobody = Some(Owner::Name("nobody-here".to_owned()));
        for (effects, said) in [
            (remove, "/nothing is not there"),
            (attributes("/bin/y", None), "/bin/y is not there"),
            (attributes("/bin/x", nobody), "the user `nobody-here`"),
        ] {
            let error = apply(effects, &mut tree()).expect_err("it can't be done");
            assert!(error.contains(said), "{error}");
        }
    }
}
