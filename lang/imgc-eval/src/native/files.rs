//! What the builtins that read files of the project do.

use imgc_diag::codes;

use super::{parsers, path};
use crate::look::{no_answer, project_file, project_folder};
use crate::path::shown;
use crate::problem::Problem;
use crate::vm::call::{Call, Eval};
use crate::vm::value::Value;
use crate::world::WorldError;

/// The longest text that is read, in bytes.
const MAX_READ: usize = 1024 * 1024;

/// `fileExists`
pub(crate) fn file_exists(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let file = path(&arguments[0])?;
    call.step(100)?;
    match call.stat(file) {
        Ok(_) => Ok(call.bool(true)),
        Err(WorldError::NotFound) => Ok(call.bool(false)),
        Err(error) => {
            let site = call.site_of_value(&arguments[0]);
            Err(no_answer(call, &error, file, site))
        }
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
    let site = call.site_of_value(&arguments[0]);
    project_folder(call, folder, site, "`readFile` reads a file")?;
    let entries = match call.list(folder) {
        Ok(entries) => entries,
        Err(error) => return Err(no_answer(call, &error, folder, site)),
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

fn read(call: &mut Call<'_>, builtin: &str, value: &Value) -> Eval<String> {
    let file = path(value)?;
    let site = call.site_of_value(value);
    call.step(100)?;
    project_file(call, file, site)?;
    let bytes = match call.read(file, 0, MAX_READ + 1) {
        Ok(bytes) => bytes,
        Err(error) => return Err(no_answer(call, &error, file, site)),
    };
    call.step(bytes.len() / 16)?;
    call.allocate(bytes.len())?;
    let long = bytes.len() > MAX_READ;
    let message = match String::from_utf8(bytes) {
        _ if long => format!("`{builtin}` reads at most 1 MiB, and this file is longer"),
        Ok(text) => return Ok(text),
        Err(_) => format!("`{builtin}` reads text, and this file is not UTF-8"),
    };
    Err(call.report(Problem::new(codes::UNREADABLE_FILE, site, message)))
}
