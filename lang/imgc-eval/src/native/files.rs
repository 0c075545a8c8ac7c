//! What the builtins that read files of the project do.

use imgc_diag::{codes, did_you_mean};

use super::{parsers, path};
use crate::path::{join, shown};
use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;
use crate::world::{Stat, WorldError};

/// The longest text that is read, in bytes.
const MAX_READ: usize = 1024 * 1024;

/// `fileExists`
pub(crate) fn file_exists(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let file = path(&arguments[0])?;
    call.step(100)?;
    match call.stat(file) {
        Ok(_) => Ok(call.bool(true)),
        Err(WorldError::NotFound) => Ok(call.bool(false)),
        Err(error) => Err(unreadable(call, &error, file, &arguments[0])),
    }
}

/// `fileName`
pub(crate) fn file_name(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let file = path(&arguments[0])?;
    call.string(file.rsplit('/').next().unwrap_or_default())
}

/// `listDir`
pub(crate) fn list_dir(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let folder = path(&arguments[0])?;
    call.step(100)?;
    match call.stat(folder) {
        Ok(Stat::File { .. }) => {
            let message = format!("`{}` is a file, and a folder is needed", shown(folder));
            let site = call.site_of_value(&arguments[0]);
            return Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)));
        }
        Ok(_) => {}
        Err(error) => return Err(unreadable(call, &error, folder, &arguments[0])),
    }
    let entries = match call.list(folder) {
        Ok(entries) => entries,
        Err(error) => return Err(unreadable(call, &error, folder, &arguments[0])),
    };
    super::strings::parts(call, entries.iter().map(|entry| entry.name.as_str()))
}

/// `readFile`
pub(crate) fn read_file(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let text = read(call, "readFile", &arguments[0])?;
    call.made_string(text)
}

/// `readJson`
pub(crate) fn read_json(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let text = read(call, "readJson", &arguments[0])?;
    parsers::json(call, &text, &shown(path(&arguments[0])?), &arguments[0])
}

/// `readToml`
pub(crate) fn read_toml(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let text = read(call, "readToml", &arguments[0])?;
    parsers::toml(call, &text, &shown(path(&arguments[0])?), &arguments[0])
}

/// `readYaml`
pub(crate) fn read_yaml(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let text = read(call, "readYaml", &arguments[0])?;
    parsers::yaml(call, &text, &shown(path(&arguments[0])?), &arguments[0])
}

/// Reports what is no file. `value` is the path as it was given.
pub(super) fn check_file(call: &mut Call<'_>, file: &str, value: &Value) -> Eval<()> {
    call.step(100)?;
    match call.stat(file) {
        Ok(Stat::File { .. }) => Ok(()),
        Ok(Stat::Directory) => {
            let message = format!("`{}` is a folder, and a file is needed", shown(file));
            let site = call.site_of_value(value);
            Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)))
        }
        Ok(Stat::Other) => {
            let message = format!("`{}` is neither a file nor a folder", shown(file));
            let site = call.site_of_value(value);
            Err(call.report(Problem::new(codes::UNREADABLE_FILE, site, message)))
        }
        Err(error) => Err(unreadable(call, &error, file, value)),
    }
}

/// Reports that the outside has no answer.
pub(super) fn unreadable(
    call: &mut Call<'_>,
    error: &WorldError,
    file: &str,
    value: &Value,
) -> Failed {
    let site = call.site_of_value(value);
    let name = shown(file);
    let problem = match error {
        WorldError::NotFound => {
            let message = format!("there is no file or folder `{name}`");
            let problem = Problem::new(codes::FILE_NOT_FOUND, site, message);
            match similar(call, file) {
                Some(similar) => problem.help(format!("did you mean `{}`?", shown(&similar))),
                None => problem,
            }
        }
        WorldError::Outside => {
            let message =
                format!("a symbolic link on the way to `{name}` leads out of the project");
            Problem::new(codes::PATH_OUTSIDE_PROJECT, site, message)
                .note("an image is made from the files of its project only")
        }
        WorldError::WrongKind | WorldError::Failed(_) => {
            let message = format!("`{name}` can't be read: {error}");
            Problem::new(codes::UNREADABLE_FILE, site, message)
        }
    };
    call.report(problem)
}

fn read(call: &mut Call<'_>, builtin: &str, value: &Value) -> Eval<String> {
    let file = path(value)?;
    check_file(call, file, value)?;
    let bytes = match call.read(file, 0, MAX_READ + 1) {
        Ok(bytes) => bytes,
        Err(error) => return Err(unreadable(call, &error, file, value)),
    };
    call.step(bytes.len() / 16)?;
    call.allocate(bytes.len())?;
    let long = bytes.len() > MAX_READ;
    let message = match String::from_utf8(bytes) {
        _ if long => format!("`{builtin}` reads at most 1 MiB, and this file is longer"),
        Ok(text) => return Ok(text),
        Err(_) => format!("`{builtin}` reads text, and this file is not UTF-8"),
    };
    let site = call.site_of_value(value);
    Err(call.report(Problem::new(codes::UNREADABLE_FILE, site, message)))
}

/// A path beside the one that is missing.
fn similar(call: &mut Call<'_>, file: &str) -> Option<String> {
    let parts: Vec<&str> = file.split('/').collect();
    for at in 0..parts.len() {
        let folder = parts[..at].join("/");
        let here = join(&folder, parts[at]);
        if call.stat(&here).is_ok() {
            continue;
        }
        let entries = call.list(&folder).ok()?;
        let names = entries.iter().map(|entry| entry.name.as_str());
        let mut fixed = join(&folder, did_you_mean(parts[at], names)?);
        for part in &parts[at + 1..] {
            fixed = join(&fixed, part);
        }
        return call.stat(&fixed).is_ok().then_some(fixed);
    }
    None
}
