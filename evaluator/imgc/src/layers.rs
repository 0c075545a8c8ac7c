//! `imgc layers`: what the layers of images are, what they share, and what an edit costs
//! whoever pulls them again.

use std::collections::{BTreeMap, BTreeSet};

use imgc_build::{Built, LayerKind};
use imgc_store::BlobDigest;
use serde::Serialize;

use crate::build;
use crate::cli::LayersArgs;
use crate::size::human;
use crate::terminal::{Failure, Terminal};
use crate::work::Work;

/// How many packages of a layer are named.
const NAMED: usize = 6;

/// Builds images, and prints their layers.
pub(crate) fn run(args: &LayersArgs, terminal: &Terminal) -> Result<(), Failure> {
    let work = Work::begin(&args.work)?;
    let (built, progress) = build::all(&work, &args.files, args.locked, terminal, &|_| Ok(()))?;
    progress.finish();
    let images: Vec<(String, Built)> = built
        .into_iter()
        .flat_map(|product| product.images)
        .collect();
    let document = document(&images);
    if args.json {
        let text = serde_json::to_string_pretty(&document).expect("a document is plain data");
        return terminal.result(&text);
    }
    let several = document.images.len() > 1;
    for image in &document.images {
        terminal.result(&text(image, several))?;
    }
    if several {
        let Sharing {
            bytes,
            distinct,
            layers,
        } = document.sharing;
        terminal.result(&format!(
            "together: {} in {layers} layers; {} without sharing",
            human(distinct),
            human(bytes)
        ))?;
    }
    Ok(())
}

/// What `--json` prints. Sizes are of compressed layers, in bytes.
#[derive(Debug, Serialize)]
struct Document {
    images: Vec<Image>,
    sharing: Sharing,
}

#[derive(Debug, Serialize)]
struct Image {
    name: String,
    /// All its layers together.
    size: u64,
    layers: Vec<Layer>,
    pull: Pull,
}

#[derive(Debug, Serialize)]
struct Layer {
    digest: BlobDigest,
    size: u64,
    uncompressed: u64,
    /// `packages`, `files`, or the name of a group.
    what: String,
    packages: Vec<String>,
    /// The other images that have it.
    shared_with: Vec<String>,
}

/// What is pulled again after an edit, by somebody who has the image as it was.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Pull {
    /// After a change of the image's own files.
    files: u64,
    /// After a new version of a package: the mean over all packages, and the most.
    package: Option<Costs>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Costs {
    mean: u64,
    most: u64,
    /// The package that costs the most.
    of: String,
}

#[derive(Debug, Serialize)]
struct Sharing {
    /// All layers of all images, each as often as it is used.
    bytes: u64,
    /// Each layer once.
    distinct: u64,
    layers: usize,
}

fn document(built: &[(String, Built)]) -> Document {
    let mut users: BTreeMap<BlobDigest, BTreeSet<&str>> = BTreeMap::new();
    let mut sizes: BTreeMap<BlobDigest, u64> = BTreeMap::new();
    let mut bytes = 0;
    for (name, one) in built {
        for layer in &one.image.layers {
            users.entry(layer.digest).or_default().insert(name);
            sizes.insert(layer.digest, layer.size);
            bytes += layer.size;
        }
    }
    let images = built.iter().map(|(name, one)| {
        let layers = one.image.layers.iter().zip(&one.contents);
        let layers: Vec<Layer> = layers
            .map(|(layer, contents)| Layer {
                digest: layer.digest,
                size: layer.size,
                uncompressed: contents.tar_size,
                what: match &contents.what {
                    LayerKind::Base => "base".to_owned(),
                    LayerKind::Group(group) => group.clone(),
                    LayerKind::Packages => "packages".to_owned(),
                    LayerKind::Files => "files".to_owned(),
                },
                packages: contents.packages.clone(),
                shared_with: users[&layer.digest]
                    .iter()
                    .filter(|user| *user != name)
                    .map(|user| (*user).to_owned())
                    .collect(),
            })
            .collect();
        Image {
            name: name.clone(),
            size: layers.iter().map(|layer| layer.size).sum(),
            pull: pull(one, &layers),
            layers,
        }
    });
    Document {
        images: images.collect(),
        sharing: Sharing {
            bytes,
            distinct: sizes.values().sum(),
            layers: sizes.len(),
        },
    }
}

/// A file changes the layer of files; a package changes its own layer, and the one that
/// dpkg's database is in. The configuration changes with each.
fn pull(built: &Built, layers: &[Layer]) -> Pull {
    let config = built.image.config.size + built.image.manifest.size;
    let kinds = || {
        built
            .contents
            .iter()
            .map(|contents| &contents.what)
            .zip(layers)
    };
    let of = |wanted: LayerKind| {
        let found = kinds().find(|(kind, _)| **kind == wanted);
        found.map_or(0, |(_, layer)| layer.size)
    };
    let top = of(LayerKind::Packages);
    let mut costs = Vec::new();
    for (kind, layer) in kinds() {
        let own = match kind {
            LayerKind::Group(_) => layer.size,
            LayerKind::Base | LayerKind::Packages | LayerKind::Files => 0,
        };
        costs.extend(layer.packages.iter().map(|name| (own + top + config, name)));
    }
    let sum: u64 = costs.iter().map(|(cost, _)| cost).sum();
    let count = costs.len() as u64;
    let most = costs
        .iter()
        .max_by_key(|(cost, name)| (*cost, std::cmp::Reverse(*name)));
    Pull {
        files: of(LayerKind::Files) + config,
        package: most.map(|(cost, name)| Costs {
            mean: sum / count,
            most: *cost,
            of: (*name).clone(),
        }),
    }
}

fn text(image: &Image, several: bool) -> String {
    let count = image.layers.len();
    let mut lines = vec![format!(
        "{}: {count} layers, {}",
        image.name,
        human(image.size)
    )];
    for layer in &image.layers {
        let digest = &layer.digest.hex()[..12];
        let mut line = format!("  {digest}  {:>9}  {}", human(layer.size), layer.what);
        match &*layer.packages {
            [] => {}
            [one] if *one == layer.what => {}
            few if few.len() <= NAMED => line.push_str(&format!(": {}", few.join(", "))),
            many => {
                let (first, rest) = many.split_at(NAMED - 1);
                line.push_str(&format!(": {}, and {} more", first.join(", "), rest.len()));
            }
        }
        if several && !layer.shared_with.is_empty() {
            line.push_str(&format!("  (also in {})", layer.shared_with.join(", ")));
        }
        lines.push(line);
    }
    lines.push(format!(
        "  pulled after an edit of a file: {}",
        human(image.pull.files)
    ));
    if let Some(Costs { mean, most, of }) = &image.pull.package {
        lines.push(format!(
            "  pulled after an update of a package: {} in the mean, at most {} ({of})",
            human(*mean),
            human(*most)
        ));
    }
    lines.join("\n")
}
