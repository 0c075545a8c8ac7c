//! An image as the language describes it, with nothing left to evaluate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Base, Capability, FileDigest, ImagePath, Layers, Platform};

/// All that one `.img` file asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The images, by name, names unique, in the order of the source.
    pub images: Vec<Image>,
    /// The indexes, by name, in the order of the source. No index has the name of an image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<Index>,
    /// Where the contents that the images name stand in the project: a path
    /// relative to the project root, with `/` between its parts. This is how a
    /// build finds the bytes; it is no part of what an image is.
    pub sources: BTreeMap<FileDigest, String>,
}

/// One name for images of several platforms. The images are in [`Plan::images`] like any
/// other: what is done for an image is done for each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its name, by the rule of an image's.
    pub name: String,
    /// The names of its images, in the order of the index: at least one, none twice, each
    /// for another platform, and none part of another index.
    pub images: Vec<String>,
    /// Annotations of the index.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Index {
    /// What the image of an index is called: the index's name and Debian's of the
    /// architecture.
    pub fn member(name: &str, platform: Platform) -> String {
        format!("{name}-{}", platform.arch.debian())
    }
}

impl Plan {
    /// The index that an image is part of.
    pub fn index_of(&self, image: &str) -> Option<&Index> {
        let has = |index: &&Index| index.images.iter().any(|name| name == image);
        self.indexes.iter().find(has)
    }
}

/// One image for one platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its name on the command line and in the layout: `[a-z0-9]+([._-][a-z0-9]+)*`.
    pub name: String,
    /// Where it runs.
    pub platform: Platform,
    /// The image that it is laid over, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Base>,
    /// Debian packages, if it has any.
    pub packages: Option<Packages>,
    /// Groups to add, in source order. A user's own group is listed here too.
    pub groups: Vec<Group>,
    /// Users to add, in source order.
    pub users: Vec<User>,
    /// Files to add: sorted by path, no path twice.
    pub files: Vec<File>,
    /// Modes, owners and capabilities of what is there then, sorted by path, no path twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attributes>,
    /// What a runtime is told.
    pub config: Config,
    /// How it is cut into layers.
    #[serde(default, skip_serializing_if = "Layers::is_default")]
    pub layers: Layers,
    /// Annotations of its manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// What its programs ask for and something outside of it provides when it runs: names of
    /// libraries and paths of interpreters, each with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub provided: BTreeMap<String, String>,
}

/// The Debian packages of an image, as asked for: before solving.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Packages {
    /// The suite: `bookworm`, `trixie`.
    pub suite: String,
    /// What is installed beside the names.
    pub variant: Variant,
    /// Whether recommended packages are installed too.
    pub recommends: bool,
    /// The packages, sorted, each once: `curl`, `curl=8.14.1-2`,
    /// `curl/trixie-backports`, `curl:amd64`.
    pub names: Vec<String>,
    /// The archives beside those of the suite, in the order in which they are preferred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub archives: Vec<Archive>,
    /// The packages whose maintainer scripts are not interpreted, and why not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skip: BTreeMap<String, String>,
    /// What the scripts of packages come to, for packages whose scripts are not
    /// interpreted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub effects: BTreeMap<String, Effects>,
    /// Patterns of the paths that are not unpacked, sorted, each once. As dpkg's
    /// `path-exclude`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
    /// Patterns of the paths that are unpacked all the same, sorted, each once. As dpkg's
    /// `path-include`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
}

/// What is done to the tree in the place of a package's scripts, in the order of the
/// fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Effects {
    /// Paths to remove, sorted; a folder with all that is in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<ImagePath>,
    /// Groups to add, in source order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Group>,
    /// Users to add, in source order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<User>,
    /// Files, folders and links to add or replace, sorted by path, no path twice.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<File>,
    /// Modes and owners of what is there, sorted by path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attributes>,
}

/// The mode, owner and capabilities that a path is given. What is none stays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Attributes {
    /// The path.
    pub path: ImagePath,
    /// Its permission bits, at most `0o777`. The three bits below are off then, unless they
    /// are asked for.
    pub mode: Option<u32>,
    /// Whether a program runs as its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setuid: Option<bool>,
    /// Whether a program runs as its group, and what is made in a folder gets its group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setgid: Option<bool>,
    /// Whether only their owners may remove what is in a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<bool>,
    /// The owning user.
    pub user: Option<Owner>,
    /// The owning group.
    pub group: Option<Owner>,
    /// The capabilities of a program, sorted, each once: permitted and effective. An empty
    /// list takes them away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<Capability>>,
}

/// An archive of Debian packages.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Archive {
    /// The address below which `dists` and `pool` stand, without a slash at its end. None
    /// for Debian's own archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The distribution: the folder below `dists`.
    pub suite: String,
    /// The components: at least one, none twice.
    pub components: Vec<String>,
    /// The file of the project with the keys that may sign it. None for Debian's own
    /// archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<FileDigest>,
    /// The priority of its versions, in place of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
}

/// The package set that is there before a name is asked for, in mmdebstrap's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// Nothing: the asked packages and what they depend on.
    Distroless,
    /// The packages with `Essential: yes`.
    Essential,
    /// Those and apt.
    Apt,
    /// Those and every package of priority `required`.
    Minbase,
}

/// Who owns a file: a name of the image's own user database, or a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Owner {
    /// A numeric id.
    Id(u32),
    /// A name, looked up in `/etc/passwd` or `/etc/group` when the image is built.
    Name(String),
}

/// A file, folder or link to add to an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct File {
    /// Where.
    pub path: ImagePath,
    /// What.
    pub node: FileNode,
    /// The owning user.
    pub user: Owner,
    /// The owning group.
    pub group: Owner,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileNode {
    /// A regular file.
    Regular {
        /// Its bytes.
        content: Content,
        /// Its permission bits, at most `0o7777`.
        mode: u32,
        /// The capabilities that it runs with, sorted, each once: permitted and effective.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        capabilities: Vec<Capability>,
    },
    /// A folder. What is in it are entries of their own.
    Directory {
        /// Its permission bits, at most `0o7777`.
        mode: u32,
        /// Whether a folder that is there already keeps its mode and owner: one that
        /// only stands above copied files, with nothing said about it.
        keep: bool,
    },
    /// A symbolic link.
    Symlink {
        /// What it says, as written: absolute or relative, never resolved.
        target: String,
    },
    /// A folder with what an archive holds.
    Archive {
        /// The archive's bytes.
        content: Content,
        /// How many leading parts of each path are left out.
        #[serde(default, skip_serializing_if = "is_zero")]
        strip: u32,
        /// Patterns of the paths that are left out, sorted, each once. Paths are absolute
        /// from the folder on: `/bin/app`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exclude: Vec<String>,
        /// Patterns of the paths that are there all the same, sorted, each once.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        include: Vec<String>,
        /// Whether files keep their setuid and setgid bits. An archive that has such files is
        /// refused if not.
        #[serde(default, skip_serializing_if = "is_false")]
        setuid: bool,
    },
}

/// The bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// Text of the language itself.
    Text(String),
    /// A file of the project, found through [`Plan::sources`].
    Source {
        /// The digest of its bytes when it was evaluated.
        digest: FileDigest,
        /// Its length in bytes.
        size: u64,
    },
    /// A file that is fetched.
    Fetched {
        /// The digest that its bytes must have.
        digest: FileDigest,
        /// Where they can be had. It is no part of what is made: a derivation has none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        url: String,
    },
}

/// A user to add to `/etc/passwd` and `/etc/shadow`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct User {
    /// The login name: `[a-z_][a-z0-9_-]*`, at most 32 bytes.
    pub name: String,
    /// The user id.
    pub uid: u32,
    /// The primary group's id.
    pub gid: u32,
    /// The comment (GECOS) field. No colon, no newline.
    pub comment: String,
    /// Whether it is a system user, as `adduser --system` makes them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub system: bool,
    /// The home folder's path, if it is said. No colon, no control character.
    pub home: Option<ImagePath>,
    /// Whether the home folder is made.
    #[serde(default, skip_serializing_if = "is_false")]
    pub create_home: bool,
    /// The login shell, if it is said. No colon, no control character.
    pub shell: Option<ImagePath>,
    /// Names of further groups, sorted.
    pub groups: Vec<String>,
    /// The user ids that the user may map, for `/etc/subuid`. No two overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subuids: Vec<IdRange>,
    /// The group ids that the user may map, for `/etc/subgid`. No two overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subgids: Vec<IdRange>,
}

/// Ids that follow each other: `start` to `start + count - 1`, at least one, none above
/// 4294967294.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IdRange {
    /// The first.
    pub start: u32,
    /// How many.
    pub count: u32,
}

impl User {
    /// The home folder's path in `/etc/passwd`: for a system user `/nonexistent`, for
    /// others `/home/NAME`, if nothing is said.
    pub fn home(&self) -> String {
        match &self.home {
            Some(home) => home.to_string(),
            None if self.system => "/nonexistent".to_owned(),
            None => format!("/home/{}", self.name),
        }
    }

    /// The shell in `/etc/passwd`: one that lets nobody in, if nothing is said.
    pub fn shell(&self) -> &str {
        let said = self.shell.as_ref();
        said.map_or("/usr/sbin/nologin", ImagePath::as_str)
    }
}

impl IdRange {
    /// Whether an id is in both.
    pub fn overlaps(self, other: Self) -> bool {
        let end = |range: Self| u64::from(range.start) + u64::from(range.count);
        u64::from(self.start) < end(other) && u64::from(other.start) < end(self)
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// A group to add to `/etc/group`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Group {
    /// The name, under the same rule as a user's.
    pub name: String,
    /// The group id.
    pub gid: u32,
}

/// The OCI image configuration that the language can set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// What always runs, as an argument vector. Empty: none.
    pub entrypoint: Vec<String>,
    /// The default arguments. Empty: none.
    pub cmd: Vec<String>,
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// `USER`, `USER:GROUP`, or numbers.
    pub user: Option<String>,
    /// The folder in which the process starts.
    pub workdir: Option<ImagePath>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Ports that the process listens on, sorted.
    pub ports: Vec<Port>,
    /// Paths that hold data, sorted.
    pub volumes: Vec<ImagePath>,
    /// The signal that ends the process: `SIGTERM`.
    pub stop_signal: Option<String>,
    /// How a runtime finds out whether the process does its work. Docker's and podman's, not
    /// part of the OCI specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
}

/// A command that a runtime runs in the container again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healthcheck {
    /// The command: at least a program. It ends with 0 where all is well.
    pub test: Vec<String>,
    /// How long a runtime waits between two tests, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<u64>,
    /// How long a test may take, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,
    /// For how long failed tests do not count, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_period: Option<u64>,
    /// How many tests in a row must fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<u32>,
}

/// A port that a process listens on. Written `8080/tcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// 1 to 65535.
    pub number: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// The transport protocol of a [`Port`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}
