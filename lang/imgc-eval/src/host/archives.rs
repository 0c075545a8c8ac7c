//! The archives that an image names beside those of its suite. What Debian has is told
//! later, by who reads archives; here stands only what their description must be.

use imgc_diag::codes;
use imgc_plan::{Archive, FileDigest};

use crate::look::no_answer;
use crate::origins::Place;
use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::{Origin, Value};

use super::scalars::suite_of;
use super::{field, items, keep, path_of, text};

/// What an archive is counted as: its fields are read, checked and written down.
const ARCHIVE: usize = 512;

/// The field `archives` of `debianPackages`. What is wrong is left out and remembered in
/// `failed`.
pub(super) fn read(
    call: &mut Call<'_>,
    given: &Value,
    keys: &mut Vec<(FileDigest, String)>,
    origins: &mut Vec<(Place, Origin)>,
    failed: &mut bool,
) -> Vec<Archive> {
    let mut archives: Vec<Archive> = Vec::new();
    let Some(list) = field(given, "archives", failed) else {
        return archives;
    };
    let list = items(call, list);
    for item in keep(failed, list).into_iter().flatten() {
        let archive = one(call, item, keys);
        let Some(archive) = keep(failed, archive) else {
            continue;
        };
        let origin = item.origin().unwrap_or(call.origin);
        let same = |known: &Archive| known.url == archive.url && known.suite == archive.suite;
        if archives.iter().any(same) {
            *failed = true;
            let message = format!("the archive `{}` stands here twice", archive.suite);
            bad(
                call,
                item,
                message,
                "name all of its components in one place",
            );
            continue;
        }
        origins.push((Place::Archive(archive.suite.clone()), origin));
        archives.push(archive);
    }
    archives
}

fn one(call: &mut Call<'_>, item: &Value, keys: &mut Vec<(FileDigest, String)>) -> Eval<Archive> {
    call.allocate(ARCHIVE)?;
    let mut failed = false;
    let mut suite = String::new();
    if let Some(value) = field(item, "suite", &mut failed) {
        let name = suite_of(call, value);
        suite = keep(&mut failed, name).unwrap_or_default();
    }
    let mut url = None;
    if let Some(value) = field(item, "url", &mut failed) {
        let address = address(call, value);
        url = keep(&mut failed, address);
    }
    let mut components = vec!["main".to_owned()];
    if let Some(value) = field(item, "components", &mut failed) {
        let names = names(call, value);
        components = keep(&mut failed, names).unwrap_or_default();
    }
    let mut file = None;
    if let Some(value) = field(item, "keys", &mut failed) {
        let path = path_of(value)?;
        match call.digest(&path) {
            Ok((digest, _)) => {
                keys.push((digest, path.to_string()));
                file = Some(digest);
            }
            Err(error) => {
                let site = call.site_of_value(value);
                return Err(no_answer(call, &error, &path, site));
            }
        }
    }
    let mut priority = None;
    if let Some(value) = field(item, "priority", &mut failed) {
        let number = number(call, value);
        priority = keep(&mut failed, number);
    }
    if failed {
        return Err(Failed);
    }
    match (&url, &file) {
        (Some(_), None) => Err(bad(
            call,
            item,
            "an archive with a `url` needs `keys`".to_owned(),
            "put the file of the keys that sign it into the project: `keys = ./vendor.asc;`",
        )),
        (None, Some(_)) => Err(bad(
            call,
            item,
            "an archive with `keys` needs a `url`".to_owned(),
            "leave `keys` out for an archive of Debian's: imgc knows who signs those",
        )),
        _ => Ok(Archive {
            url,
            suite,
            components,
            keys: file,
            priority,
        }),
    }
}

/// The address of an archive, without a slash at its end.
fn address(call: &mut Call<'_>, value: &Value) -> Eval<String> {
    let text = text(call, "an address", value)?;
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"\\<>`{}|^".contains(&b);
    let rest = ["https://", "http://", "file:///"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let trimmed = text.trim_end_matches('/');
    let good = rest.is_some_and(|rest| !rest.trim_end_matches('/').is_empty())
        && trimmed.len() <= 1024
        && text.bytes().all(plain);
    if good {
        return Ok(trimmed.to_owned());
    }
    let message = format!("`{text}` can't be the address of an archive");
    let help =
        "it begins with `https://`, `http://` or `file:///`; `dists` and `pool` stand below it";
    Err(bad(call, value, message, help))
}

/// The components of an archive: at least one, none twice.
fn names(call: &mut Call<'_>, value: &Value) -> Eval<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for item in items(call, value)? {
        let name = text(call, "a component", item)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._+".contains(&b);
        let good = (1..=128).contains(&name.len())
            && name.bytes().all(plain)
            && name
                .as_bytes()
                .first()
                .is_some_and(u8::is_ascii_alphanumeric);
        if !good {
            let message = format!("`{name}` can't be a component of an archive");
            return Err(bad(
                call,
                item,
                message,
                "such names are `main` or `non-free-firmware`",
            ));
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    if names.is_empty() {
        let message = "an archive without components has no packages".to_owned();
        return Err(bad(
            call,
            value,
            message,
            "leave the field out for `[\"main\"]`",
        ));
    }
    Ok(names)
}

/// A priority of apt_preferences(5).
fn number(call: &mut Call<'_>, value: &Value) -> Eval<i32> {
    let Value::Int(_, number) = value else {
        return Err(Failed);
    };
    match i32::try_from(*number) {
        Ok(number) if (-32_768..=32_767).contains(&number) && number != 0 => Ok(number),
        _ => {
            let message = format!("{number} can't be the priority of an archive");
            let help = "500 is that of any archive, 100 that of backports, 990 comes before both; below 0 is never";
            Err(bad(call, value, message, help))
        }
    }
}

fn bad(call: &mut Call<'_>, value: &Value, message: String, help: &str) -> Failed {
    let problem = Problem::new(codes::BAD_ARCHIVE, call.site_of_value(value), message);
    call.report(problem.help(help))
}
