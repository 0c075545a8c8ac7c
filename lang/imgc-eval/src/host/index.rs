//! `index`: images of several platforms under one name.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Arch, Platform};

use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

use super::config::text_map;
use super::image::{ImageValue, name_of};
use super::{Said, field, items, keep};

/// An index that may not have a name yet.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct IndexValue {
    /// Its name, if it says one.
    pub(super) name: Option<Said<String>>,
    /// Its images, in order, each for another platform.
    pub(super) images: Vec<Arc<ImageValue>>,
    /// Annotations.
    pub(super) annotations: BTreeMap<String, String>,
}

/// `index { … }`
pub(crate) fn index(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let given = &arguments[0];
    let mut failed = false;
    let name = name_of(call, given, &mut failed);
    let images = match field(given, "images", &mut failed) {
        Some(value) => {
            let found = images(call, value);
            keep(&mut failed, found).unwrap_or_default()
        }
        None => Vec::new(),
    };
    let mut annotations = BTreeMap::new();
    if let Some(value) = field(given, "annotations", &mut failed) {
        let found = text_map(call, "annotations", value, codes::BAD_LABEL, is_key);
        let found = keep(&mut failed, found).unwrap_or_default();
        annotations.extend(found.into_iter().map(|(key, said)| (key, said.value)));
    }
    if failed {
        return Err(Failed);
    }
    call.allocate(size_of::<IndexValue>() + images.len() * size_of::<Arc<ImageValue>>())?;
    let index = IndexValue {
        name,
        images,
        annotations,
    };
    Ok(Value::Index(call.origin, Arc::new(index)))
}

/// Whether a text can name an annotation.
pub(super) fn is_key(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0')
}

/// The images: at least one, and none for the platform of another.
fn images(call: &mut Call<'_>, value: &Value) -> Eval<Vec<Arc<ImageValue>>> {
    let given = items(call, value)?;
    if given.is_empty() {
        let message = "an index has at least one image";
        let problem = Problem::new(codes::BAD_INDEX, call.site_of_value(value), message);
        return Err(call.report(problem));
    }
    let mut images = Vec::new();
    let mut seen: BTreeMap<Arch, Site> = BTreeMap::new();
    let mut failed = false;
    for item in given {
        let Value::Image(_, image) = item else {
            failed = true;
            continue;
        };
        let target = image.target(call);
        let Platform { arch } = target.platform;
        let site = target.site.unwrap_or(image.site);
        if let Some(earlier) = seen.insert(arch, site) {
            failed = true;
            let message = format!("two images of the index are for {}", target.platform);
            let mut problem = Problem::new(codes::BAD_INDEX, site, message);
            if earlier != site {
                problem = problem.label(earlier, "the other one is here");
            }
            if target.site.is_none() {
                problem = problem.help(
                    "an image that names no platform is for the default one: give each its \
                     `platform`",
                );
            }
            call.report(problem);
        }
        images.push(image.clone());
    }
    if failed { Err(Failed) } else { Ok(images) }
}
