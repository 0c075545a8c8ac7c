//! The types of the host: their names, their words, and the fields of its records.

use std::sync::Arc;

use super::ty::{Arena, Field, Ty};

/// A type of the host without parts. The order says what a literal is first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Host {
    Int,
    Bool,
    String,
    Path,
    Mode,
    Package,
    Platform,
    Suite,
    Variant,
    Port,
    Owner,
    File,
    Program,
    Packages,
    Image,
    Data,
    User,
    Group,
    Config,
    Effects,
    Attributes,
    Archive,
    Layers,
    Index,
    IdRange,
    Source,
    Health,
}

/// The type of a field of the host's records.
#[derive(Debug, Clone, Copy)]
enum Kind {
    One(Host),
    List(Host),
    Map(Host),
    /// A map of lists.
    Lists(Host),
}

type Table = &'static [(&'static str, bool, Kind)];

const USER: Table = &[
    ("name", false, Kind::One(Host::String)),
    ("uid", false, Kind::One(Host::Int)),
    ("gid", true, Kind::One(Host::Int)),
    ("group", true, Kind::One(Host::String)),
    ("groups", true, Kind::List(Host::String)),
    ("home", true, Kind::One(Host::String)),
    ("shell", true, Kind::One(Host::String)),
    ("comment", true, Kind::One(Host::String)),
    ("system", true, Kind::One(Host::Bool)),
    ("createHome", true, Kind::One(Host::Bool)),
    ("subuids", true, Kind::List(Host::IdRange)),
    ("subgids", true, Kind::List(Host::IdRange)),
];

const ID_RANGE: Table = &[
    ("start", false, Kind::One(Host::Int)),
    ("count", false, Kind::One(Host::Int)),
];

const GROUP: Table = &[
    ("name", false, Kind::One(Host::String)),
    ("gid", false, Kind::One(Host::Int)),
];

const CONFIG: Table = &[
    ("entrypoint", true, Kind::List(Host::String)),
    ("cmd", true, Kind::List(Host::String)),
    ("env", true, Kind::Map(Host::String)),
    ("user", true, Kind::One(Host::Owner)),
    ("workdir", true, Kind::One(Host::String)),
    ("labels", true, Kind::Map(Host::String)),
    ("ports", true, Kind::List(Host::Port)),
    ("volumes", true, Kind::List(Host::String)),
    ("stopSignal", true, Kind::One(Host::String)),
    ("healthcheck", true, Kind::One(Host::Health)),
];

const HEALTH: Table = &[
    ("test", false, Kind::List(Host::String)),
    ("interval", true, Kind::One(Host::String)),
    ("timeout", true, Kind::One(Host::String)),
    ("startPeriod", true, Kind::One(Host::String)),
    ("retries", true, Kind::One(Host::Int)),
];

const EFFECTS: Table = &[
    ("remove", true, Kind::List(Host::String)),
    ("groups", true, Kind::List(Host::Group)),
    ("users", true, Kind::List(Host::User)),
    ("files", true, Kind::Map(Host::File)),
    ("attributes", true, Kind::Map(Host::Attributes)),
];

const ATTRIBUTES: Table = &[
    ("mode", true, Kind::One(Host::Mode)),
    ("setuid", true, Kind::One(Host::Bool)),
    ("setgid", true, Kind::One(Host::Bool)),
    ("sticky", true, Kind::One(Host::Bool)),
    ("user", true, Kind::One(Host::Owner)),
    ("group", true, Kind::One(Host::Owner)),
    ("capabilities", true, Kind::List(Host::String)),
];

const ARCHIVE: Table = &[
    ("url", true, Kind::One(Host::String)),
    ("suite", false, Kind::One(Host::Suite)),
    ("components", true, Kind::List(Host::String)),
    ("keys", true, Kind::One(Host::Path)),
    ("priority", true, Kind::One(Host::Int)),
];

const LAYERS: Table = &[
    ("most", true, Kind::One(Host::Int)),
    ("groups", true, Kind::Lists(Host::Package)),
    ("compression", true, Kind::One(Host::String)),
];

/// The fields of a record of the host: name, whether it may be missing, type as text.
pub(super) fn fields_of(host: Host) -> Vec<(&'static str, bool, String)> {
    let table = match host {
        Host::User => USER,
        Host::Group => GROUP,
        Host::Config => CONFIG,
        Host::Effects => EFFECTS,
        Host::Attributes => ATTRIBUTES,
        Host::Archive => ARCHIVE,
        Host::Layers => LAYERS,
        Host::IdRange => ID_RANGE,
        Host::Health => HEALTH,
        _ => &[],
    };
    let fields = table.iter().map(|(name, optional, kind)| {
        let ty = match kind {
            Kind::One(host) => host.name().to_owned(),
            Kind::List(host) => format!("[{}]", host.name()),
            Kind::Map(host) => format!("Map {}", host.name()),
            Kind::Lists(host) => format!("Map [{}]", host.name()),
        };
        (*name, *optional, ty)
    });
    fields.collect()
}

impl Host {
    /// All of them, in order.
    pub(super) const ALL: [Self; 27] = [
        Self::Int,
        Self::Bool,
        Self::String,
        Self::Path,
        Self::Mode,
        Self::Package,
        Self::Platform,
        Self::Suite,
        Self::Variant,
        Self::Port,
        Self::Owner,
        Self::File,
        Self::Program,
        Self::Packages,
        Self::Image,
        Self::Data,
        Self::User,
        Self::Group,
        Self::Config,
        Self::Effects,
        Self::Attributes,
        Self::Archive,
        Self::Layers,
        Self::Index,
        Self::IdRange,
        Self::Source,
        Self::Health,
    ];

    /// Its name in the language.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Int => "Int",
            Self::Bool => "Bool",
            Self::String => "String",
            Self::Path => "Path",
            Self::Mode => "Mode",
            Self::Package => "Package",
            Self::Platform => "Platform",
            Self::Suite => "Suite",
            Self::Variant => "Variant",
            Self::Port => "Port",
            Self::Owner => "Owner",
            Self::File => "File",
            Self::Program => "Program",
            Self::Packages => "Packages",
            Self::Image => "Image",
            Self::Data => "Data",
            Self::User => "User",
            Self::Group => "Group",
            Self::Config => "Config",
            Self::Effects => "Effects",
            Self::Attributes => "Attributes",
            Self::Archive => "Archive",
            Self::Layers => "Layers",
            Self::Index => "Index",
            Self::IdRange => "IdRange",
            Self::Source => "Source",
            Self::Health => "Health",
        }
    }

    /// The type of that name.
    pub(super) fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|host| host.name() == name)
    }

    /// A value of it, in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Int => "a number",
            Self::Bool => "a truth value",
            Self::String => "a string",
            Self::Path => "a path",
            Self::Mode => "a mode",
            Self::Package => "the name of a package",
            Self::Platform => "a platform",
            Self::Suite => "a suite",
            Self::Variant => "a variant",
            Self::Port => "a port",
            Self::Owner => "a user or group",
            Self::File => "a file",
            Self::Program => "a program",
            Self::Packages => "Debian packages",
            Self::Image => "an image",
            Self::Data => "data",
            Self::User => "a user",
            Self::Group => "a group",
            Self::Config => "a config",
            Self::Effects => "the effects of a package's scripts",
            Self::Attributes => "the attributes of a path",
            Self::Archive => "an archive",
            Self::Layers => "layers",
            Self::Index => "an index",
            Self::IdRange => "a range of numbers",
            Self::Source => "where a file comes from",
            Self::Health => "a check of health",
        }
    }

    /// What is needed where it is expected, in words.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Bool => "`true` or `false`",
            Self::Path => "a path such as `./motd`",
            Self::Mode => "a number such as `0o644`",
            Self::Port => "a number or a string such as `\"53/udp\"`",
            Self::Owner => "a name or a number",
            Self::File => {
                "text, a path of the project, or a value of `file`, `directory`, `symlink`, `binary`, `fetch` or `unpack`"
            }
            Self::Source => "a path of the project, or a value of `fetch`",
            Self::Program => "a path, or a record with a path for each architecture",
            Self::Packages => "a value of `debianPackages`",
            Self::Platform => "a platform such as `\"linux/amd64\"`",
            Self::Suite => "a suite such as `\"trixie\"`",
            Self::Variant => "a variant such as `\"essential\"`",
            Self::User
            | Self::Group
            | Self::Config
            | Self::Effects
            | Self::Attributes
            | Self::Archive
            | Self::Layers
            | Self::IdRange
            | Self::Health => "a record",
            other => other.words(),
        }
    }

    /// Several values of it, in words.
    pub(super) fn plural(self) -> &'static str {
        match self {
            Self::Int => "numbers",
            Self::Bool => "truth values",
            Self::String => "strings",
            Self::Path => "paths",
            Self::Mode => "modes",
            Self::Package => "names of packages",
            Self::Platform => "platforms",
            Self::Suite => "suites",
            Self::Variant => "variants",
            Self::Port => "ports",
            Self::Owner => "users or groups",
            Self::File => "files",
            Self::Program => "programs",
            Self::Packages => "values of `debianPackages`",
            Self::Image => "images",
            Self::Data => "data",
            Self::User => "users",
            Self::Group => "groups",
            Self::Config => "configs",
            Self::Effects => "effects of packages' scripts",
            Self::Attributes => "attributes of paths",
            Self::Archive => "archives",
            Self::Layers => "values of layers",
            Self::Index => "indexes",
            Self::IdRange => "ranges of numbers",
            Self::Source => "sources of files",
            Self::Health => "checks of health",
        }
    }

    /// Whether it is a record with fields of its own.
    pub(super) fn is_schema(self) -> bool {
        matches!(
            self,
            Self::User
                | Self::Group
                | Self::Config
                | Self::Effects
                | Self::Attributes
                | Self::Archive
                | Self::Layers
                | Self::IdRange
                | Self::Health
        )
    }

    /// Whether literals that become it are checked.
    pub(super) fn is_checked(self) -> bool {
        matches!(
            self,
            Self::Mode
                | Self::Port
                | Self::Platform
                | Self::Suite
                | Self::Variant
                | Self::Package
                | Self::File
        )
    }
}

impl Arena {
    /// The record that a schema of the host is.
    pub(super) fn schema(&mut self, host: Host) -> Option<Ty> {
        let (index, table) = match host {
            Host::User => (0, USER),
            Host::Group => (1, GROUP),
            Host::Config => (2, CONFIG),
            Host::Effects => (3, EFFECTS),
            Host::Attributes => (4, ATTRIBUTES),
            Host::Archive => (5, ARCHIVE),
            Host::Layers => (6, LAYERS),
            Host::IdRange => (7, ID_RANGE),
            Host::Health => (8, HEALTH),
            _ => return None,
        };
        if let Some(ty) = self.tables[index] {
            return Some(ty);
        }
        let fields: Vec<Field> = table
            .iter()
            .map(|(name, optional, kind)| {
                let ty = match *kind {
                    Kind::One(host) => self.host(host),
                    Kind::List(host) => {
                        let item = self.host(host);
                        self.list(item)
                    }
                    Kind::Map(host) => {
                        let value = self.host(host);
                        self.map(value)
                    }
                    Kind::Lists(host) => {
                        let item = self.host(host);
                        let list = self.list(item);
                        self.map(list)
                    }
                };
                Field {
                    name: self.symbol(&Arc::from(*name)),
                    ty,
                    optional: *optional,
                }
            })
            .collect();
        let ty = self.record(fields, None);
        self.tables[index] = Some(ty);
        Some(ty)
    }
}
