//! Files before their places in an image are known: `file`, `directory`, `symlink` and
//! `binary`.

use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Arch, Owner};

use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::{FileSource, FileValue, Origin, Value};

use super::attributes::{bits, capabilities};
use super::scalars::mode_of;
use super::users::bad_user_name;
use super::{field, field_site, id, keep, path_of};

/// `file { … }`
pub(crate) fn file(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let given = &arguments[0];
    let mut failed = false;
    let text = field(given, "text", &mut failed);
    let source = match (field(given, "source", &mut failed), text) {
        (Some(source), None) => {
            let source = super::fetch::source_of(call, source);
            keep(&mut failed, source)
        }
        (None, Some(Value::Str(_, text))) => Some(FileSource::Text(text.clone())),
        (Some(_), Some(_)) => {
            failed = true;
            let (text, source) = (
                field_site(call, given, "text"),
                field_site(call, given, "source"),
            );
            let message = "a file has either `text` or `source`";
            let problem = Problem::new(codes::INVALID_ARGUMENT, text, message);
            call.report(problem.label(source, "`source` is here"));
            None
        }
        _ => {
            if !failed {
                failed = true;
                let message = "`file` needs the field `text` or `source`";
                let site = call.site_of_value(given);
                call.report(Problem::new(codes::MISSING_FIELD, site, message));
            }
            None
        }
    };
    file_value(call, source, given, failed)
}

/// `directory { … }`
pub(crate) fn directory(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let given = &arguments[0];
    let mut failed = false;
    let source = match field(given, "source", &mut failed) {
        None => Some(FileSource::Directory(None)),
        Some(source) => {
            let origin = origin(call, source);
            keep(&mut failed, path_of(source))
                .map(|path| FileSource::Directory(Some((path, origin))))
        }
    };
    file_value(call, source, given, failed)
}

/// `symlink "…"`
pub(crate) fn symlink(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let target = arguments[0].as_str().ok_or(Failed)?;
    if target.is_empty() || target.contains('\0') || target.len() > 4095 {
        let message = "the target of a link is not empty, and has at most 4095 bytes and no NUL";
        let site = call.site_of_value(&arguments[0]);
        return Err(call.report(Problem::new(codes::BAD_SYMLINK_TARGET, site, message)));
    }
    call.allocate(target.len())?;
    let file = plain(FileSource::Symlink(Arc::from(target)));
    Ok(Value::File(call.origin, Arc::new(file)))
}

/// `binary …`
pub(crate) fn binary(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let given = &arguments[0];
    let mut failed = false;
    let mut programs = Vec::new();
    if given.as_record().is_some() {
        for arch in Arch::ALL {
            if let Some(program) = field(given, arch.debian(), &mut failed) {
                let origin = origin(call, program);
                let path = keep(&mut failed, path_of(program));
                programs.extend(path.map(|path| (Some(arch), path, origin)));
            }
        }
    } else {
        programs.push((None, path_of(given)?, origin(call, given)));
    }
    if failed {
        return Err(Failed);
    }
    let file = plain(FileSource::Binary(programs));
    Ok(Value::File(call.origin, Arc::new(file)))
}

/// The file that a value in the field `files` is: also text, or a path.
pub(super) fn file_of(call: &mut Call<'_>, value: &Value) -> Eval<Arc<FileValue>> {
    match value {
        Value::File(_, file) => Ok(file.clone()),
        Value::Str(_, text) => Ok(Arc::new(plain(FileSource::Text(text.clone())))),
        Value::Path(_, path) => {
            let source = FileSource::Project((**path).clone(), origin(call, value));
            Ok(Arc::new(plain(source)))
        }
        _ => Err(Failed),
    }
}

pub(super) fn file_value(
    call: &mut Call<'_>,
    source: Option<FileSource>,
    given: &Value,
    mut failed: bool,
) -> Eval {
    let mut mode = None;
    if let Some(value) = field(given, "mode", &mut failed) {
        let given = mode_of(call, value);
        mode = keep(&mut failed, given);
    }
    let bits = bits(given, &mut failed);
    let capabilities = capabilities(call, given, &mut failed).unwrap_or_default();
    let mut owners = [Owner::Id(0), Owner::Id(0)];
    for (name, owner) in ["user", "group"].into_iter().zip(&mut owners) {
        if let Some(value) = field(given, name, &mut failed) {
            let given = owner_of(call, &format!("`{name}`"), value);
            *owner = keep(&mut failed, given).unwrap_or(Owner::Id(0));
        }
    }
    let (Some(source), false) = (source, failed) else {
        return Err(Failed);
    };
    let [user, group] = owners;
    let file = FileValue {
        source,
        mode,
        bits,
        user,
        group,
        capabilities,
    };
    Ok(Value::File(call.origin, Arc::new(file)))
}

/// Who a file belongs to: a name or a number.
pub(super) fn owner_of(call: &mut Call<'_>, what: &str, value: &Value) -> Eval<Owner> {
    match value {
        Value::Int(..) => Ok(Owner::Id(id(call, what, value)?)),
        Value::Str(_, name) if super::users::is_user_name(name) => {
            Ok(Owner::Name(name.to_string()))
        }
        Value::Str(_, name) => {
            let site = call.site_of_value(value);
            Err(call.report(bad_user_name(site, name)))
        }
        _ => Err(Failed),
    }
}

pub(super) fn origin(call: &Call<'_>, value: &Value) -> Origin {
    value.origin().unwrap_or(call.origin)
}

/// A file with the default mode that belongs to root.
pub(super) fn plain(source: FileSource) -> FileValue {
    FileValue {
        source,
        mode: None,
        bits: 0,
        user: Owner::Id(0),
        group: Owner::Id(0),
        capabilities: Vec::new(),
    }
}
