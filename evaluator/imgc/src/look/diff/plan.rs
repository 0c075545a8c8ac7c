//! What two `.img` files ask for, with their locks. Nothing is built, and nothing fetched.

use std::collections::BTreeMap;

use imgc_plan::{Image, Plan};
use serde_json::Value;

use super::{Difference, Files, Side, compare};
use crate::cli::DiffArgs;
use crate::describe::Problem;
use crate::look::name::ImageName;
use crate::look::open::{Looking, several};
use crate::look::packages::Package;
use crate::remote::Policy;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};

/// Fields of an image's files that say where they are, and not what they are.
const PATH: &str = "path";

/// One evaluated image.
struct Asked {
    shown: String,
    packages: Vec<Package>,
    /// All but its packages' versions and its files, a line each.
    fields: BTreeMap<String, String>,
    files: BTreeMap<String, Value>,
}

/// Compares two files.
pub(super) fn compare(
    args: &DiffArgs,
    looking: &Looking<'_>,
    terminal: &Terminal,
) -> Result<Difference, Failure> {
    let before = asked(&args.before, looking, terminal)?;
    let after = asked(&args.after, looking, terminal)?;
    let packages = compare::packages(&before.packages, &after.packages);
    let config = compare::maps(&before.fields, &after.fields);
    let files = files(&before.files, &after.files, args.files);
    let differs = !packages.is_empty()
        || !config.is_empty()
        || files.added + files.removed + files.changed > 0;
    let side = |asked: Asked| Side {
        image: asked.shown,
        digest: None,
        size: None,
        uncompressed: None,
    };
    Ok(Difference {
        differs,
        before: side(before),
        after: side(after),
        packages,
        config,
        files,
        layers: None,
    })
}

fn asked(text: &str, looking: &Looking<'_>, terminal: &Terminal) -> Result<Asked, Failure> {
    let ImageName::Built(target) = ImageName::parse(text)? else {
        let problem = Problem::new(format!("{text} is no .img file"));
        let help = "--plan compares what files ask for; without it, images are compared";
        return Err(problem.help(help).into());
    };
    let Target { file, .. } = &target;
    let source = looking
        .work()?
        .evaluate(&target, Policy::Pinned, terminal)?;
    let Plan {
        images, indexes, ..
    } = source.plan();
    let platform = looking.platform();
    let of_platform = |image: &&Image| image.platform == platform;
    let found = match (&**images, &**indexes) {
        ([image], []) => Some(image),
        (images, [index]) if index.images.len() == images.len() => images.iter().find(of_platform),
        _ => None,
    };
    let Some(image) = found else {
        let names: Vec<String> = images.iter().map(|image| image.name.clone()).collect();
        return Err(several(&file.display().to_string(), &names)
            .help("of an index, --platform says which image")
            .into());
    };
    let mut packages = Vec::new();
    if let Some(wanted) = &image.packages {
        let request = imgc_build::request(image, wanted);
        let lock = &source.lock.lock;
        let set = lock.lookup(&request).ok_or_else(|| {
            let message = format!(
                "imgc.lock does not have the packages of the image `{}`",
                image.name
            );
            Problem::new(message)
                .note(format!("beside {}", file.display()))
                .help("imgc build pins what is missing")
        })?;
        packages.extend(set.packages.iter().map(package));
    }
    if let Some(base) = &image.base {
        let arch = image.platform.arch.debian();
        let locked = source.lock.lock.base(&base.to_string(), arch);
        let locked = locked.ok_or_else(|| {
            let message = format!("imgc.lock does not have the base of `{}`", image.name);
            Problem::new(message)
                .note(format!("beside {}", file.display()))
                .help("imgc build pins what is missing")
        })?;
        packages.extend(locked.packages.iter().map(package));
    }
    packages.sort();
    let (fields, files) = parts(image);
    Ok(Asked {
        shown: text.to_owned(),
        packages,
        fields,
        files,
    })
}

fn package(key: &imgc_apt::PackageKey) -> Package {
    Package {
        name: key.name.clone(),
        version: key.version.clone(),
        arch: key.arch.clone(),
    }
}

/// An image as plain data: its fields by name, and its files by path.
fn parts(image: &Image) -> (BTreeMap<String, String>, BTreeMap<String, Value>) {
    let document = serde_json::to_value(image).expect("a plan is plain data");
    let mut fields = BTreeMap::new();
    let mut files = BTreeMap::new();
    for (name, value) in document.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("files", Value::Array(list)) => {
                for file in list {
                    let path = file[PATH].as_str().unwrap_or_default().to_owned();
                    files.insert(path, file.clone());
                }
            }
            ("config", Value::Object(config)) => {
                for (name, value) in config {
                    compare::flatten(name, value, &mut fields);
                }
            }
            ("users" | "groups", Value::Array(list)) => {
                for one in list {
                    let own = one["name"].as_str().unwrap_or_default();
                    fields.insert(format!("{name}.{own}"), one.to_string());
                }
            }
            ("attributes", Value::Array(list)) => {
                for one in list {
                    let path = one[PATH].as_str().unwrap_or_default();
                    fields.insert(format!("{name}.{path}"), one.to_string());
                }
            }
            (name, value) => compare::flatten(name, value, &mut fields),
        }
    }
    (fields, files)
}

fn files(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>, list: bool) -> Files {
    let mut files = Files {
        list: list.then(Vec::new),
        ..Files::default()
    };
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    for path in paths {
        match (before.get(path), after.get(path)) {
            (None, _) => files.note(path.clone(), "added", Vec::new()),
            (_, None) => files.note(path.clone(), "removed", Vec::new()),
            (Some(old), Some(new)) if old != new => {
                files.note(path.clone(), "changed", what_differs(old, new));
            }
            _ => {}
        }
    }
    files
}

fn what_differs(old: &Value, new: &Value) -> Vec<&'static str> {
    let mut what = Vec::new();
    if old["user"] != new["user"] || old["group"] != new["group"] {
        what.push("owner");
    }
    if old["node"] != new["node"] {
        what.push("content");
    }
    what
}
