//! The host's schemas: from values of the language to parts of a plan.
//!
//! Types are checked before: a value here has the kind that the signature says, and
//! only what a type can't say is looked at. As many mistakes as possible are reported
//! at once, each at the literal that it is in. What a part of an image is called in
//! messages is its path: `users[1].uid`. Nothing here reads the outside but through
//! [`Call`].

mod archives;
mod attributes;
mod combine;
mod config;
mod effects;
mod fetch;
mod files;
mod gather;
mod health;
mod image;
mod index;
mod layers;
mod packages;
mod places;
mod placing;
mod project;
pub(crate) mod scalars;
#[cfg(test)]
mod tests;
mod users;

use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::ImagePath;

use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

pub use attributes::capability_names;
pub(crate) use combine::{extend, merge, replace};
pub(crate) use fetch::{fetch, unpack};
pub(crate) use files::{binary, directory, file, symlink};
pub(crate) use gather::{Gathered, Given, gather};
pub(crate) use image::{ImageValue, image};
pub(crate) use index::{IndexValue, index};
pub(crate) use packages::debian_packages;
pub(crate) use places::{default_platform, field_site};
pub(crate) use scalars::{mode, package, platform, port};

/// A part of an image, and where it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Said<T> {
    /// The part.
    pub(crate) value: T,
    /// Where.
    pub(crate) site: Site,
}

impl<T> Said<T> {
    fn new(value: T, site: Site) -> Self {
        Self { value, site }
    }
}

/// Takes the value and remembers a failure.
fn keep<T>(failed: &mut bool, value: Eval<T>) -> Option<T> {
    *failed |= value.is_err();
    value.ok()
}

/// The field of a record that was given. A value that failed has been reported.
fn field<'v>(record: &'v Value, name: &str, failed: &mut bool) -> Option<&'v Value> {
    match record.as_record()?.get(name)? {
        Value::Failed => {
            *failed = true;
            None
        }
        value => Some(value),
    }
}

/// The items of a list, counted.
fn items<'v>(call: &mut Call<'_>, value: &'v Value) -> Eval<&'v [Value]> {
    let list = value.as_list().ok_or(Failed)?;
    call.step(list.len())?;
    Ok(list)
}

/// A string without NUL.
fn text<'v>(call: &mut Call<'_>, what: &str, value: &'v Value) -> Eval<&'v str> {
    let Value::Str(_, text) = value else {
        return Err(Failed);
    };
    // It is looked through and copied, also where a list has it many times.
    call.step(text.len() / 64)?;
    call.allocate(text.len())?;
    if text.contains('\0') {
        let message = format!("{what} can't hold a NUL character");
        let problem = Problem::new(codes::INVALID_ARGUMENT, call.site_of_value(value), message);
        return Err(call.report(problem));
    }
    Ok(text)
}

fn texts(call: &mut Call<'_>, what: &str, value: &Value) -> Eval<Vec<Said<String>>> {
    let mut strings = Vec::new();
    let mut failed = false;
    for (index, item) in items(call, value)?.iter().enumerate() {
        let text = text(call, &format!("`{what}[{index}]`"), item);
        if let Some(text) = keep(&mut failed, text) {
            strings.push(Said::new(text.to_owned(), call.site_of_value(item)));
        }
    }
    if failed { Err(Failed) } else { Ok(strings) }
}

/// A path inside the image.
fn image_path_of(call: &mut Call<'_>, what: &str, value: &Value) -> Eval<ImagePath> {
    let text = text(call, what, value)?;
    let site = call.site_of_value(value);
    image_path(call, text, site)
}

fn image_path(call: &mut Call<'_>, text: &str, site: Site) -> Eval<ImagePath> {
    ImagePath::new(text).map_err(|error| {
        let mut problem = Problem::new(codes::BAD_IMAGE_PATH, site, format!("{error}"));
        if error == imgc_plan::ImagePathError::Relative && !text.is_empty() {
            problem = problem.help(format!("write `\"/{}\"`", text.trim_start_matches("./")));
        }
        call.report(problem)
    })
}

/// A number from 0 to the largest id. 4294967295 means "no id" to the kernel.
fn id(call: &mut Call<'_>, what: &str, value: &Value) -> Eval<u32> {
    let Value::Int(_, number) = value else {
        return Err(Failed);
    };
    match u32::try_from(*number) {
        Ok(id) if id != u32::MAX => Ok(id),
        _ => {
            let message = format!("{what} is a number from 0 to 4294967294, not {number}");
            let problem = Problem::new(codes::BAD_ID, call.site_of_value(value), message);
            Err(call.report(problem))
        }
    }
}

/// Adds what is known in the place of a name that is not.
fn unknown_name<P: Clone + PartialEq>(
    problem: Problem<P>,
    place: P,
    name: &str,
    known: &[&str],
) -> Problem<P> {
    match imgc_diag::did_you_mean(name, known.iter().copied()) {
        Some(similar) => problem.did_you_mean(place, name, similar),
        None => {
            let names = crate::problem::list_names(known);
            problem.note(format!("known are {names}"))
        }
    }
}

/// The path that a value is.
fn path_of(value: &Value) -> Eval<Arc<str>> {
    match value {
        Value::Path(_, path) => Ok((**path).clone()),
        _ => Err(Failed),
    }
}
