//! What an image states in the place of packages' scripts: the field `effects` of
//! `debianPackages`.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Effects, FileDigest, ImagePath};

use crate::problem::Problem;
use crate::vm::call::{Call, Eval};
use crate::vm::value::{FileSource, Value};

use super::attributes::Marks;
use super::placing::{Entry, Files, Target, entries};
use super::scalars::check_bare_package;
use super::users::{Accounts, Asked};
use super::{default_platform, field, field_site, image_path, keep, texts};

/// The effects of each package, and where the contents that they name stand.
#[derive(Debug, Default)]
pub(super) struct Stated {
    pub(super) effects: BTreeMap<String, Effects>,
    pub(super) sources: Vec<(FileDigest, String)>,
}

/// Reads the field `effects`. What is wrong is left out and remembered in `failed`.
pub(super) fn stated(call: &mut Call<'_>, given: &Value, failed: &mut bool) -> Stated {
    let mut stated = Stated::default();
    let Some(all) = field(given, "effects", failed) else {
        return stated;
    };
    let Some(record) = all.as_record() else {
        *failed = true;
        return stated;
    };
    for (name, value) in record.iter() {
        let site = field_site(call, all, name);
        if let Err(problem) = check_bare_package(name, site) {
            *failed = true;
            call.report(*problem);
            continue;
        }
        let effects = effects_of(call, value, &mut stated.sources, failed);
        if effects == Effects::default() && !*failed {
            *failed = true;
            let message = format!("the scripts of `{name}` are left out without a word");
            let problem = Problem::new(codes::NO_REASON, site, message)
                .note("nothing is said to be done in their place")
                .help("if that is right, use `skip`, and say why");
            call.report(problem);
        }
        stated.effects.insert(name.to_string(), effects);
    }
    stated
}

fn effects_of(
    call: &mut Call<'_>,
    value: &Value,
    sources: &mut Vec<(FileDigest, String)>,
    failed: &mut bool,
) -> Effects {
    let asked = Asked::read(call, value, failed);
    let accounts = Accounts::new(call, asked, failed);
    let mut files: Vec<Arc<Entry>> = Vec::new();
    if let Some(given) = field(value, "files", failed) {
        files = entries(call, given, failed);
    }
    let other = |entry: &Entry| match entry.file.source {
        FileSource::Binary(_) => Some("a program is no effect of a script"),
        FileSource::Fetched(_) | FileSource::Archive(_) => {
            Some("a script's effects have only text and files of the project")
        }
        _ => None,
    };
    for entry in &files {
        if let Some(message) = other(entry) {
            *failed = true;
            let problem = Problem::new(codes::INVALID_ARGUMENT, entry.at, message);
            call.report(problem.help("put it into `files` of the image"));
        }
    }
    files.retain(|entry| other(entry).is_none());
    let target = Target {
        platform: default_platform(call),
        site: None,
    };
    let files = Files::new(call, &files, target, failed);
    sources.extend(files.iter().filter_map(|placed| placed.source.clone()));
    Effects {
        remove: removed(call, value, failed),
        groups: accounts.groups().cloned().collect(),
        users: accounts.users().cloned().collect(),
        files: files.iter().map(|placed| placed.file.clone()).collect(),
        attributes: Marks::read(call, value, failed).planned(),
    }
}

fn removed(call: &mut Call<'_>, value: &Value, failed: &mut bool) -> Vec<ImagePath> {
    let mut paths = Vec::new();
    if let Some(given) = field(value, "remove", failed) {
        let list = texts(call, "remove", given);
        for text in keep(failed, list).unwrap_or_default() {
            let path = image_path(call, &text.value, text.site).and_then(|path| {
                not_root(call, &path, text.site)?;
                Ok(path)
            });
            paths.extend(keep(failed, path));
        }
    }
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn not_root(call: &mut Call<'_>, path: &ImagePath, site: crate::site::Site) -> Eval<()> {
    if path.as_str() == "/" {
        let message = "`/` is the root of the image, which stays";
        return Err(call.report(Problem::new(codes::BAD_IMAGE_PATH, site, message)));
    }
    Ok(())
}
