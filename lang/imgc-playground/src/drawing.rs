//! A plan as a page draws it: each image with its parts, in a few words each.
//!
//! It is the plan as evaluation yields it: packages are what is asked for, and what they
//! need in turn is not known here. Of very many parts only the first are told.

use imgc_eval::{Origins, Place as Part};
use imgc_plan::{Config, Content, File, FileNode, Image, Owner, Packages, Plan, Variant};
use serde::Serialize;

use crate::places::{Lines, Piece};

/// The most images, and the most lines of a part, that are told.
const MOST: usize = 64;

/// An image.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Drawn {
    /// Its name.
    name: String,
    /// Where it runs.
    platform: String,
    /// Where it is written.
    place: Option<Piece>,
    /// What it is made of.
    parts: Vec<Group>,
}

/// A part of an image.
#[derive(Debug, Clone, Serialize)]
struct Group {
    /// `packages`, `users`, `files`, `config` or `layers`.
    kind: &'static str,
    /// A few words about it.
    title: String,
    /// Its lines.
    lines: Vec<Line>,
    /// How many more there are.
    more: usize,
}

/// A line of a part.
#[derive(Debug, Clone, Serialize)]
struct Line {
    /// What it is.
    text: String,
    /// What else there is to say.
    detail: String,
    /// Where it is written.
    place: Option<Piece>,
}

/// Where the parts of one image are written.
struct Source<'a> {
    image: &'a str,
    origins: &'a Origins,
    lines: &'a Lines,
}

/// The images of a plan, and how many more there are.
pub(crate) fn draw(plan: &Plan, origins: &Origins, lines: &Lines) -> (Vec<Drawn>, usize) {
    let images = plan.images.iter().take(MOST).map(|image| {
        let source = Source {
            image: &image.name,
            origins,
            lines,
        };
        source.image(image)
    });
    (images.collect(), plan.images.len().saturating_sub(MOST))
}

impl Source<'_> {
    fn place(&self, part: &Part) -> Option<Piece> {
        let span = self.origins.get(self.image, part)?;
        Some(self.lines.of_span(span))
    }

    fn image(&self, image: &Image) -> Drawn {
        let mut parts = Vec::new();
        if let Some(packages) = &image.packages {
            parts.push(self.packages(packages));
        }
        let users = image.users.iter().map(|user| Line {
            text: user.name.clone(),
            detail: format!("{}:{}", user.uid, user.gid),
            place: self.place(&Part::User(user.name.clone())),
        });
        parts.push(group("users", "users".to_owned(), users));
        let files = image.files.iter().map(|file| self.file(file));
        parts.push(group("files", "files".to_owned(), files));
        parts.push(self.config(&image.config));
        if !image.layers.is_default() {
            parts.push(layers(image));
        }
        parts.retain(|part| part.kind == "packages" || !part.lines.is_empty());
        Drawn {
            name: image.name.clone(),
            platform: image.platform.to_string(),
            place: self.place(&Part::Image),
            parts,
        }
    }

    fn packages(&self, packages: &Packages) -> Group {
        let variant = match packages.variant {
            Variant::Distroless => "nothing else",
            Variant::Essential => "essential",
            Variant::Apt => "essential and apt",
            Variant::Minbase => "minbase",
        };
        let title = format!("Debian {}, {variant}", packages.suite);
        let lines = packages.names.iter().map(|name| Line {
            text: name.clone(),
            detail: String::new(),
            place: self.place(&Part::Package(name.clone())),
        });
        group("packages", title, lines)
    }

    fn file(&self, file: &File) -> Line {
        let detail = match &file.node {
            FileNode::Regular { content, mode, .. } => match content {
                Content::Text(text) => format!("{} bytes, {mode:04o}", text.len()),
                Content::Source { size, .. } => format!("{size} bytes, {mode:04o}"),
                Content::Fetched { .. } => format!("fetched, {mode:04o}"),
            },
            FileNode::Archive { .. } => "from an archive".to_owned(),
            FileNode::Directory { mode, .. } => format!("folder, {mode:04o}"),
            FileNode::Symlink { target } => format!("-> {target}"),
        };
        let owner = match &file.user {
            Owner::Id(0) => String::new(),
            Owner::Id(id) => format!(", {id}"),
            Owner::Name(name) => format!(", {name}"),
        };
        Line {
            text: file.path.to_string(),
            detail: format!("{detail}{owner}"),
            place: self.place(&Part::File(file.path.to_string())),
        }
    }

    fn config(&self, config: &Config) -> Group {
        let list = |values: &[String]| serde_json::to_string(values).unwrap_or_default();
        let ports = config.ports.iter().map(|port| {
            let protocol = match port.protocol {
                imgc_plan::Protocol::Tcp => "tcp",
                imgc_plan::Protocol::Udp => "udp",
            };
            format!("{}/{protocol}", port.number)
        });
        let ports: Vec<String> = ports.collect();
        let pairs = |pairs: &std::collections::BTreeMap<String, String>| {
            let pairs = pairs.iter().map(|(name, value)| format!("{name}={value}"));
            pairs.collect::<Vec<_>>().join("  ")
        };
        let volumes = config.volumes.iter().map(ToString::to_string);
        let some = |text: &Option<String>| text.clone().unwrap_or_default();
        let many = |values: &[String]| match values {
            [] => String::new(),
            values => list(values),
        };
        let fields = [
            ("user", some(&config.user)),
            (
                "workdir",
                some(&config.workdir.as_ref().map(ToString::to_string)),
            ),
            ("entrypoint", many(&config.entrypoint)),
            ("cmd", many(&config.cmd)),
            ("ports", ports.join(", ")),
            ("env", pairs(&config.env)),
            ("volumes", volumes.collect::<Vec<_>>().join(", ")),
            ("stopSignal", some(&config.stop_signal)),
            ("labels", pairs(&config.labels)),
        ];
        let lines = fields.into_iter().filter(|(_, value)| !value.is_empty());
        let lines = lines.map(|(name, value)| Line {
            text: name.to_owned(),
            detail: value,
            place: self.place(&Part::Config(name.to_owned())),
        });
        group("config", "config".to_owned(), lines)
    }
}

fn layers(image: &Image) -> Group {
    let layers = &image.layers;
    let most = layers.most.map(|most| ("at most", most.to_string()));
    let compression = Some(("compression", layers.compression.to_string()));
    let lines = most
        .into_iter()
        .chain(compression)
        .map(|(name, value)| Line {
            text: name.to_owned(),
            detail: value,
            place: None,
        });
    let groups = layers.groups.iter().map(|(name, packages)| Line {
        text: name.clone(),
        detail: packages.join(", "),
        place: None,
    });
    group("layers", "layers".to_owned(), lines.chain(groups))
}

fn group(kind: &'static str, title: String, lines: impl Iterator<Item = Line>) -> Group {
    let mut all = lines;
    let lines: Vec<Line> = all.by_ref().take(MOST).collect();
    Group {
        kind,
        title,
        lines,
        more: all.count(),
    }
}
