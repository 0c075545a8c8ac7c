//! `imgc inspect`: what an image is.

use std::collections::BTreeMap;

use imgc_oci::read::{Contents, Opened};
use imgc_store::BlobDigest;
use serde::Serialize;
use serde_json::{Map, Value};

use super::open::Looking;
use super::packages::{self, Package};
use super::rights::{self, Right};
use super::words;
use crate::cli::InspectArgs;
use crate::size::human;
use crate::terminal::{Failure, Terminal};

/// Prints what an image is.
pub(crate) fn run(args: &InspectArgs, terminal: &Terminal) -> Result<(), Failure> {
    let looking = Looking::new(&args.look, terminal);
    let held = looking.hold(&args.image)?;
    let image = held.open()?;
    let contents = held.contents(&image)?;
    let packages = packages::of(&image, &contents.tree).map_err(|error| held.problem(&error))?;
    let document = Document::of(&image, &contents, packages);
    if args.json {
        let text = serde_json::to_string_pretty(&document).expect("a document is plain data");
        return terminal.result(&text);
    }
    terminal.result(&document.text())
}

/// What `--json` prints. Sizes are in bytes.
#[derive(Debug, Serialize)]
struct Document {
    name: Option<String>,
    /// The manifest's. Archives of docker have none.
    digest: Option<BlobDigest>,
    /// The configuration's: docker's image id.
    config_digest: BlobDigest,
    platform: String,
    created: Option<String>,
    author: Option<String>,
    /// As the image has it, in docker's names.
    config: Map<String, Value>,
    annotations: BTreeMap<String, String>,
    layers: Vec<Layer>,
    /// What is pulled: manifest, configuration and layers.
    size: u64,
    /// All layers, uncompressed.
    uncompressed: u64,
    /// How many names there are.
    files: usize,
    /// Programs that may do more than whoever starts them.
    rights: Vec<Right>,
    /// None where there is no database of dpkg's.
    packages: Option<Vec<Package>>,
}

#[derive(Debug, Serialize)]
struct Layer {
    digest: BlobDigest,
    diff_id: String,
    media_type: String,
    size: u64,
    uncompressed: u64,
    /// What the history says of it.
    created_by: Option<String>,
}

impl Document {
    fn of(image: &Opened<'_>, contents: &Contents, packages: Option<Vec<Package>>) -> Self {
        let configuration = &image.configuration;
        let history = configuration.history().iter();
        let mut history = history.filter(|entry| entry.empty_layer != Some(true));
        let layers = image.layers.iter().zip(&contents.lengths);
        let layers: Vec<Layer> = layers
            .map(|(layer, length)| Layer {
                digest: layer.descriptor.digest,
                diff_id: layer.diff_id.to_string(),
                media_type: layer.media_type.clone(),
                size: layer.descriptor.size,
                uncompressed: *length,
                created_by: history.next().and_then(|entry| entry.created_by.clone()),
            })
            .collect();
        let config = configuration.settings();
        Self {
            name: image.name.clone(),
            digest: image.manifest.as_ref().map(|found| found.descriptor.digest),
            config_digest: image.config.descriptor.digest,
            platform: configuration.platform(),
            created: configuration.created.clone(),
            author: configuration.author.clone(),
            config: config
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect(),
            annotations: image.annotations.clone(),
            size: image.pulled(),
            uncompressed: contents.lengths.iter().sum(),
            files: contents.tree.len() - 1,
            rights: rights::of(contents),
            layers,
            packages,
        }
    }

    fn text(&self) -> String {
        let mut lines = Vec::new();
        let mut row = |name: &str, value: &str| {
            lines.push(format!("{name:<14} {}", words::plain(value.as_bytes())));
        };
        let texts = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        row("name", &texts(&self.name));
        let digest = self.digest.map(|digest| digest.to_string());
        row("digest", &texts(&digest));
        row("configuration", &self.config_digest.to_string());
        row("platform", &self.platform);
        row("created", &texts(&self.created));
        if let Some(author) = &self.author {
            row("author", author);
        }
        for (name, value) in &self.config {
            let name = title(name);
            match value {
                Value::Object(map) => {
                    for (at, (key, value)) in map.iter().enumerate() {
                        let name = if at == 0 { name.as_str() } else { "" };
                        match value {
                            Value::String(value) => row(name, &format!("{key}={value}")),
                            Value::Object(map) if map.is_empty() => row(name, key),
                            value => row(name, &format!("{key}={value}")),
                        }
                    }
                }
                Value::Array(list) if name == "env" => {
                    for (at, value) in list.iter().enumerate() {
                        let name = if at == 0 { name.as_str() } else { "" };
                        row(name, &one(value));
                    }
                }
                value => row(&name, &one(value)),
            }
        }
        for (at, (key, value)) in self.annotations.iter().enumerate() {
            row(
                if at == 0 { "annotations" } else { "" },
                &format!("{key}={value}"),
            );
        }
        row(
            "size",
            &format!(
                "{}, {} unpacked",
                human(self.size),
                human(self.uncompressed)
            ),
        );
        row("files", &self.files.to_string());
        for (at, right) in self.rights.iter().enumerate() {
            row(if at == 0 { "rights" } else { "" }, &right.line());
        }
        if let Some(packages) = &self.packages {
            row("packages", &format!("{} of Debian", packages.len()));
        }
        row("layers", &self.layers.len().to_string());
        for layer in &self.layers {
            let kind = layer.media_type.rsplit('.').next().unwrap_or_default();
            let by = layer.created_by.as_deref().unwrap_or_default();
            let by: String = by.chars().take(80).collect();
            let line = format!(
                "  {}  {:>9}  {kind:<8}  {}",
                &layer.digest.hex()[..12],
                human(layer.size),
                words::plain(by.as_bytes())
            );
            lines.push(line.trim_end().to_owned());
        }
        lines.join("\n")
    }
}

/// A field of docker's in the words of a `.img` file, where there are any.
fn title(name: &str) -> String {
    match name {
        "ExposedPorts" => "ports".to_owned(),
        "WorkingDir" => "workdir".to_owned(),
        "StopSignal" => "stop signal".to_owned(),
        other => other.to_lowercase(),
    }
}

fn one(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
