//! `imgc explain-scripts`: per package, what its maintainer scripts did to the image.

use std::collections::BTreeMap;

use imgc_build::{Effect, Pinning, Ran, Touched};
use serde::Serialize;

use crate::cli::ExplainScriptsArgs;
use crate::describe::Problem;
use crate::lock_file::LockFile;
use crate::progress::Progress;
use crate::remote::Policy;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::Work;

/// Installs the packages of every image of the file in memory, and prints what their
/// scripts did.
pub(crate) fn run(args: &ExplainScriptsArgs, terminal: &Terminal) -> Result<(), Failure> {
    let work = Work::begin(&args.work)?;
    let source = work.evaluate(&Target::of(&args.file), Policy::Add, terminal)?;
    let mut lock = LockFile::beside(&source.file)?;
    let progress = Progress::new(terminal.interactive, terminal.verbose);
    let builder = work.builder(&source, &progress);
    let mut images = Vec::new();
    let done = builder
        .pin(source.plan(), &mut lock.lock, Pinning::AddMissing)
        .and_then(|()| {
            for image in &source.plan().images {
                let ran = builder.scripts(image, &lock.lock)?;
                images.push((image.name.clone(), ran));
            }
            Ok(())
        });
    progress.finish();
    done.map_err(|error| crate::describe::Report::from(error).show(&source, terminal))?;
    source.project.remotes.pin(&mut lock.lock)?;
    lock.save(&work)?;
    let images: Vec<ImageDocument> = images
        .iter()
        .filter_map(|(name, ran)| Some(document(name, ran.as_ref()?, &args.package)))
        .collect();
    if images.is_empty() {
        return Err(Problem::new("no image of this file has packages".to_owned()).into());
    }
    if args.json {
        let images = Document { images: &images };
        let text = serde_json::to_string_pretty(&images).expect("a document is plain data");
        return terminal.result(&text);
    }
    for image in &images {
        if images.len() > 1 {
            terminal.result(&format!("{}:", image.name))?;
        }
        for package in &image.packages {
            for line in package.lines() {
                terminal.result(&line)?;
            }
        }
    }
    Ok(())
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    images: &'a [ImageDocument],
}

#[derive(Debug, Serialize)]
struct ImageDocument {
    name: String,
    packages: Vec<PackageDocument>,
}

/// A package with scripts.
#[derive(Debug, Serialize)]
struct PackageDocument {
    name: String,
    version: String,
    /// The scripts that were left out, as the image says.
    skipped: Vec<String>,
    /// Why, in the image's words.
    #[serde(skip_serializing_if = "String::is_empty")]
    reason: String,
    /// The scripts that were left out for what the image says instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<String>,
    /// What the image says instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stated: Vec<StatedDocument>,
    effects: Vec<EffectDocument>,
    declined: Vec<DeclinedDocument>,
}

/// One thing that happened to the tree.
#[derive(Debug, Serialize)]
struct EffectDocument {
    script: String,
    line: usize,
    command: String,
    what: &'static str,
    path: String,
}

/// One thing that was done in the place of the scripts.
#[derive(Debug, Serialize)]
struct StatedDocument {
    what: &'static str,
    path: String,
}

/// Work that was left to whoever starts the image.
#[derive(Debug, Serialize)]
struct DeclinedDocument {
    script: String,
    line: usize,
    command: String,
    reason: &'static str,
}

fn document(name: &str, ran: &Ran, only: &[String]) -> ImageDocument {
    let asked = |package: &str| {
        let plain = package.split(':').next().unwrap_or(package);
        only.is_empty() || only.iter().any(|name| name == plain || name == package)
    };
    let mut packages: BTreeMap<&str, PackageDocument> = BTreeMap::new();
    for (package, version) in ran.packages.iter().filter(|(package, _)| asked(package)) {
        let empty = PackageDocument {
            name: package.clone(),
            version: version.clone(),
            skipped: Vec::new(),
            reason: String::new(),
            replaced: Vec::new(),
            stated: Vec::new(),
            effects: Vec::new(),
            declined: Vec::new(),
        };
        packages.insert(package, empty);
    }
    for effect in &ran.effects {
        if let Some(package) = packages.get_mut(effect.line.package.as_str()) {
            let effect = effect_document(effect);
            // A loop that writes one file line by line is one thing to a reader.
            if package.effects.last() != Some(&effect) {
                package.effects.push(effect);
            }
        }
    }
    for declined in &ran.declined {
        if let Some(package) = packages.get_mut(declined.line.package.as_str()) {
            package.declined.push(DeclinedDocument {
                script: declined.line.script.clone(),
                line: declined.line.line,
                command: declined.line.command.clone(),
                reason: declined.reason,
            });
        }
    }
    for note in &ran.skipped {
        if let Some(package) = packages.get_mut(note.package.as_str()) {
            package.skipped.clone_from(&note.scripts);
            package.reason.clone_from(&note.reason);
        }
    }
    for done in &ran.stated {
        if let Some(package) = packages.get_mut(done.note.package.as_str()) {
            let scripts = done.note.scripts.iter();
            package.replaced = scripts.map(ToString::to_string).collect();
            let stated = done.touched.iter().map(|(path, touched)| StatedDocument {
                what: word(*touched),
                path: path.to_string(),
            });
            package.stated = stated.collect();
        }
    }
    let has_any = |package: &PackageDocument| {
        !package.stated.is_empty()
            || !package.skipped.is_empty()
            || !package.effects.is_empty()
            || !package.declined.is_empty()
    };
    ImageDocument {
        name: name.to_owned(),
        packages: packages.into_values().filter(has_any).collect(),
    }
}

fn word(touched: Touched) -> &'static str {
    match touched {
        Touched::Written => "written",
        Touched::Directory => "folder",
        Touched::Link => "link",
        Touched::Metadata => "mode",
        Touched::Removed => "removed",
    }
}

fn effect_document(effect: &Effect) -> EffectDocument {
    EffectDocument {
        script: effect.line.script.clone(),
        line: effect.line.line,
        command: effect.line.command.clone(),
        what: word(effect.touched),
        path: effect.path.to_string(),
    }
}

impl PartialEq for EffectDocument {
    fn eq(&self, other: &Self) -> bool {
        (
            &self.script,
            self.line,
            &self.command,
            self.what,
            &self.path,
        ) == (
            &other.script,
            other.line,
            &other.command,
            other.what,
            &other.path,
        )
    }
}

impl PackageDocument {
    fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} {}", self.name, self.version)];
        for script in &self.skipped {
            lines.push(format!(
                "  {script}: skipped, as the image says: {}",
                self.reason
            ));
        }
        for script in &self.replaced {
            lines.push(format!("  {script}: replaced by what the image says"));
        }
        for stated in &self.stated {
            let StatedDocument { what, path } = stated;
            lines.push(format!("  {:<14} {:<22} {what:<8} {path}", "effects", "-"));
        }
        for effect in &self.effects {
            let at = format!("{}:{}", effect.script, effect.line);
            lines.push(format!(
                "  {at:<14} {:<22} {:<8} {}",
                effect.command, effect.what, effect.path
            ));
        }
        for declined in &self.declined {
            let at = format!("{}:{}", declined.script, declined.line);
            lines.push(format!(
                "  {at:<14} {:<22} declined {}",
                declined.command, declined.reason
            ));
        }
        lines
    }
}
