//! `imgc diff`: what differs between two images, built or only asked for.

mod compare;
mod plan;
mod show;

use imgc_oci::read::{Contents, Opened};
use serde::Serialize;

use super::open::{Held, Looking};
use super::packages;
use crate::cli::DiffArgs;
use crate::terminal::{Failure, Terminal};

/// Prints what differs between two images.
pub(crate) fn run(args: &DiffArgs, terminal: &Terminal) -> Result<(), Failure> {
    let looking = Looking::new(&args.look, terminal);
    let difference = match args.plan {
        true => plan::compare(args, &looking, terminal)?,
        false => images(args, &looking)?,
    };
    let text = if args.json {
        serde_json::to_string_pretty(&difference).expect("a document is plain data")
    } else if args.markdown {
        show::markdown(&difference)
    } else {
        show::text(&difference)
    };
    terminal.result(&text)?;
    if args.exit_code && difference.differs {
        return Err(Failure::Told);
    }
    Ok(())
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Difference {
    /// Whether anything differs.
    differs: bool,
    before: Side,
    after: Side,
    packages: Vec<Changed>,
    /// Fields of the configuration; an entry of a map or of the environment is
    /// `Env.NAME`.
    config: Vec<Changed>,
    files: Files,
    /// None where nothing was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<Layers>,
}

/// One of the two.
#[derive(Debug, Serialize)]
struct Side {
    /// As the command line has it.
    image: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
    /// What is pulled, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Uncompressed, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    uncompressed: Option<u64>,
}

/// Something of a name that is another on both sides, or is on one alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Changed {
    name: String,
    before: Option<String>,
    after: Option<String>,
    /// Whether a package is older than it was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    older: bool,
}

/// How many names of files differ.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Files {
    added: usize,
    removed: usize,
    changed: usize,
    /// Which. Only with `--files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<Vec<File>>,
}

/// A name that differs.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct File {
    path: String,
    /// `added`, `removed` or `changed`.
    change: &'static str,
    /// Of one that changed: `kind`, `content`, `mode`, `owner`, `target`, `device`,
    /// `attributes`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    what: Vec<&'static str>,
}

/// Whose layers are whose.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Layers {
    shared: usize,
    added: usize,
    removed: usize,
    /// What somebody pulls who has the one before, in bytes.
    pull: u64,
}

/// An image, read.
struct Read<'a> {
    held: &'a Held<'a>,
    image: Opened<'a>,
    contents: Contents,
}

fn images(args: &DiffArgs, looking: &Looking<'_>) -> Result<Difference, Failure> {
    let held = [looking.hold(&args.before)?, looking.hold(&args.after)?];
    let mut read = Vec::new();
    for held in &held {
        let image = held.open()?;
        let contents = held.contents(&image)?;
        read.push(Read {
            held,
            image,
            contents,
        });
    }
    let mut lists = Vec::new();
    for one in &read {
        let packages = packages::of(&one.image, &one.contents.tree);
        let packages = packages.map_err(|error| one.held.problem(&error))?;
        lists.push(packages.unwrap_or_default());
    }
    let (before, after) = (&read[0], &read[1]);
    let files = compare::files(&before.contents.tree, &after.contents.tree, args.files);
    let packages = compare::packages(&lists[0], &lists[1]);
    let config = compare::maps(
        &compare::config(&before.image),
        &compare::config(&after.image),
    );
    let layers = compare::layers(&before.image, &after.image);
    let differs = !packages.is_empty()
        || !config.is_empty()
        || files.added + files.removed + files.changed > 0
        || layers.added + layers.removed > 0
        || before.digest() != after.digest();
    Ok(Difference {
        differs,
        before: before.side(),
        after: after.side(),
        packages,
        config,
        files,
        layers: Some(layers),
    })
}

impl Read<'_> {
    /// The manifest's digest; an archive of docker has only its configuration's.
    fn digest(&self) -> String {
        let manifest = self.image.manifest.as_ref();
        let document = manifest.unwrap_or(&self.image.config);
        document.descriptor.digest.to_string()
    }

    fn side(&self) -> Side {
        Side {
            image: self.held.shown.clone(),
            digest: Some(self.digest()),
            size: Some(self.image.pulled()),
            uncompressed: Some(self.contents.lengths.iter().sum()),
        }
    }
}
