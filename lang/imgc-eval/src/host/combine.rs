//! `extend`, `override` and `merge`: images from images.
//!
//! By one rule for all fields: lists append, records and maps merge, and two different
//! values of one thing are a conflict that shows both places. `override` replaces.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{ImagePath, Platform};

use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

use super::image::{ImageValue, Parts};
use super::packages::{join, names_of, none_there, with_names};
use super::scalars::{suite_of, variant_of};
use super::users::Accounts;
use super::{Said, field, keep};

/// What making an image from others is counted as.
const IMAGE: usize = 50;

/// What brings two images together, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// `extend`
    Extend,
    /// `merge`
    Merge,
}

/// How a value is shown in a conflict.
pub(super) trait Shown {
    /// The text.
    fn shown(&self) -> String;
}

/// `extend { … } image`
pub(crate) fn extend(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let [given, Value::Image(_, base)] = arguments else {
        return Err(Failed);
    };
    call.step(IMAGE)?;
    let mut failed = false;
    let joint = Joint::Extend;
    let parts = Parts::read(call, given, &mut failed);
    let mut image = ImageValue::clone(base);
    joint.scalar(call, "name", &mut image.name, &parts.name, &mut failed);
    joint.scalar(
        call,
        "platform",
        &mut image.platform,
        &parts.platform,
        &mut failed,
    );
    joint.scalar(call, "base", &mut image.base, &parts.base, &mut failed);
    if let Some(names) = field(given, "packages", &mut failed) {
        packages(call, &mut image, names, joint.name(), false, &mut failed);
    }
    if !parts.accounts.is_empty() {
        let accounts = base.accounts.join(call, &parts.accounts, &mut failed);
        image.accounts = Arc::new(accounts);
    }
    if !parts.attributes.is_empty() {
        let attributes = base
            .attributes
            .join(call, &parts.attributes, joint, &mut failed);
        image.attributes = Arc::new(attributes);
    }
    if let Some(config) = &parts.config {
        let joined = base.config.join(call, config, &joint, &mut failed);
        if let Some(joined) = keep(&mut failed, joined) {
            image.config = Arc::new(joined);
        }
    }
    if let Some(layers) = &parts.layers {
        let joined = base.layers.join(call, layers, joint, &mut failed);
        image.layers = Arc::new(joined);
    }
    joint.map(
        call,
        "annotations",
        &mut image.annotations,
        &parts.annotations,
        &mut failed,
    );
    joint.map(
        call,
        "provided",
        &mut image.provided,
        &parts.provided,
        &mut failed,
    );
    let target = image.target(call);
    let mut files = image.files.aim(call, target, &mut failed);
    if !parts.files.is_empty() {
        let placed = files.join_new(call, &parts.files, target, &joint, &mut failed);
        files = keep(&mut failed, placed).map_or(files, Arc::new);
    }
    image.files = files;
    finish(call, image, failed)
}

/// `override { … } image`
pub(crate) fn replace(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let [given, Value::Image(_, base)] = arguments else {
        return Err(Failed);
    };
    call.step(IMAGE)?;
    let mut failed = false;
    let parts = Parts::read(call, given, &mut failed);
    let mut image = ImageValue::clone(base);
    image.name = parts.name.or(image.name);
    if parts.has_platform {
        image.platform = parts.platform;
    }
    image.base = parts.base.or(image.base);
    if let Some(names) = field(given, "packages", &mut failed) {
        packages(call, &mut image, names, "override", true, &mut failed);
    }
    for part in ["suite", "variant"] {
        if let Some(value) = field(given, part, &mut failed) {
            source(call, &mut image, part, value, &mut failed);
        }
    }
    if !parts.accounts.is_empty() {
        let accounts = base.accounts.replace(call, parts.accounts, &mut failed);
        image.accounts = Arc::new(accounts);
    }
    if !parts.attributes.is_empty() {
        let attributes = base.attributes.replace(call, parts.attributes, &mut failed);
        image.attributes = Arc::new(attributes);
    }
    if let Some(config) = &parts.config {
        let replaced = base.config.replace(call, config);
        if let Some(replaced) = keep(&mut failed, replaced) {
            image.config = Arc::new(replaced);
        }
    }
    if let Some(layers) = &parts.layers {
        image.layers = Arc::new(base.layers.replace(layers));
    }
    image.annotations.extend(parts.annotations);
    image.provided.extend(parts.provided);
    let target = image.target(call);
    if parts.files.is_empty() {
        image.files = image.files.aim(call, target, &mut failed);
    } else {
        let files = base.files.replace(call, &parts.files, target, &mut failed);
        if let Some(files) = keep(&mut failed, files) {
            image.files = Arc::new(files);
        }
    }
    finish(call, image, failed)
}

/// `merge first second`
pub(crate) fn merge(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let [Value::Image(_, first), Value::Image(_, second)] = arguments else {
        return Err(Failed);
    };
    call.step(IMAGE)?;
    let mut failed = false;
    let joint = Joint::Merge;
    let mut image = ImageValue::clone(first);
    joint.scalar(call, "name", &mut image.name, &second.name, &mut failed);
    joint.scalar(
        call,
        "platform",
        &mut image.platform,
        &second.platform,
        &mut failed,
    );
    joint.scalar(call, "base", &mut image.base, &second.base, &mut failed);
    image.packages = match (&first.packages, &second.packages) {
        (Some(first), Some(second)) => {
            let joined = join(call, first, second, &joint, &mut failed);
            keep(&mut failed, joined).map(Arc::new)
        }
        (one, other) => one.as_ref().or(other.as_ref()).cloned(),
    };
    let asked = second.accounts.said();
    if !asked.is_empty() {
        let accounts: Accounts = first.accounts.join(call, asked, &mut failed);
        image.accounts = Arc::new(accounts);
    }
    let attributes = first
        .attributes
        .join(call, &second.attributes, joint, &mut failed);
    image.attributes = Arc::new(attributes);
    let config = first.config.join(call, &second.config, &joint, &mut failed);
    if let Some(config) = keep(&mut failed, config) {
        image.config = Arc::new(config);
    }
    let layers = first.layers.join(call, &second.layers, joint, &mut failed);
    image.layers = Arc::new(layers);
    joint.map(
        call,
        "annotations",
        &mut image.annotations,
        &second.annotations,
        &mut failed,
    );
    joint.map(
        call,
        "provided",
        &mut image.provided,
        &second.provided,
        &mut failed,
    );
    let target = image.target(call);
    let files = first.files.aim(call, target, &mut failed);
    let others = second.files.aim(call, target, &mut failed);
    let joined = files.join(call, &others, &joint, &mut failed);
    if let Some(joined) = keep(&mut failed, joined) {
        image.files = Arc::new(joined);
    }
    finish(call, image, failed)
}

impl Joint {
    /// The builtin.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Extend => "extend",
            Self::Merge => "merge",
        }
    }

    /// Sets what is not set. Two different values are a conflict.
    pub(super) fn scalar<T: Clone + PartialEq + Shown>(
        self,
        call: &mut Call<'_>,
        what: &str,
        base: &mut Option<Said<T>>,
        new: &Option<Said<T>>,
        failed: &mut bool,
    ) {
        match (&*base, new) {
            (None, new) => base.clone_from(new),
            (Some(old), Some(new)) if old.value != new.value => {
                *failed = true;
                let values = [old.value.shown(), new.value.shown()];
                self.conflict(call, &format!("`{what}`"), &values, old.site, new.site);
            }
            _ => {}
        }
    }

    /// Adds what is not there. Two different values for one key are a conflict.
    pub(super) fn map(
        self,
        call: &mut Call<'_>,
        what: &str,
        base: &mut BTreeMap<String, Said<String>>,
        new: &BTreeMap<String, Said<String>>,
        failed: &mut bool,
    ) {
        for (key, new) in new {
            let mut slot = base.remove(key);
            self.scalar(
                call,
                &format!("{what}.{key}"),
                &mut slot,
                &Some(new.clone()),
                failed,
            );
            base.extend(slot.map(|said| (key.clone(), said)));
        }
    }

    /// Reports two different values of `what`.
    pub(super) fn conflict(
        self,
        call: &mut Call<'_>,
        what: &str,
        values: &[String; 2],
        earlier: Site,
        later: Site,
    ) -> Failed {
        let [old, new] = values;
        let message = format!("{what} can't be both {old} and {new}");
        self.conflict_of(call, message, earlier, later)
    }

    /// Reports two things that exclude each other.
    pub(super) fn conflict_of(
        self,
        call: &mut Call<'_>,
        message: String,
        earlier: Site,
        later: Site,
    ) -> Failed {
        let help = match self {
            Self::Extend => "to replace what the image has, use `override`",
            Self::Merge => "say it in one of the images only, or replace it with `override` before",
        };
        let call_site = call.site();
        let problem = Problem::new(codes::CONFLICT, later, message)
            .label(earlier, "the image has the other one from here")
            .label(call_site, "in this call")
            .help(help);
        call.report(problem)
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        let mut text = String::new();
        crate::text::quote(self, &mut text);
        format!("`{text}`")
    }
}

impl Shown for Vec<String> {
    fn shown(&self) -> String {
        let mut text = String::new();
        for item in self {
            text.push_str(if text.is_empty() { "" } else { ", " });
            crate::text::quote(item, &mut text);
        }
        format!("`[{text}]`")
    }
}

impl Shown for ImagePath {
    fn shown(&self) -> String {
        shown(self)
    }
}

impl Shown for Platform {
    fn shown(&self) -> String {
        shown(self)
    }
}

fn shown(value: &dyn fmt::Display) -> String {
    value.to_string().shown()
}

/// Adds names to the packages of an image, or puts them in their place.
fn packages(
    call: &mut Call<'_>,
    image: &mut ImageValue,
    names: &Value,
    builtin: &str,
    replace: bool,
    failed: &mut bool,
) {
    let mut origins = Vec::new();
    let given = names_of(call, names, &mut origins, failed);
    let Some(base) = &image.packages else {
        // Nothing is asked for: then there is nothing to add to.
        if names.as_list().is_some_and(|list| !list.is_empty()) {
            *failed = true;
            none_there(call, names, builtin);
        }
        return;
    };
    let all = with_names(call, base, &given, &origins, replace);
    image.packages = keep(failed, all).map(Arc::new);
}

/// Replaces the suite or variant of an image.
fn source(
    call: &mut Call<'_>,
    image: &mut ImageValue,
    part: &str,
    value: &Value,
    failed: &mut bool,
) {
    let Some(base) = &image.packages else {
        *failed = true;
        none_there(call, value, "override");
        return;
    };
    let all = with_names(call, base, &[], &[], false);
    let Some(mut all) = keep(failed, all) else {
        return;
    };
    let place = if part == "suite" {
        let suite = suite_of(call, value);
        all.packages.suite = keep(failed, suite).unwrap_or_default();
        crate::origins::Place::Suite
    } else {
        let variant = variant_of(call, value);
        all.packages.variant = keep(failed, variant).unwrap_or(all.packages.variant);
        crate::origins::Place::Variant
    };
    let origin = value.origin().unwrap_or(call.origin);
    all.origins.retain(|(known, _)| *known != place);
    all.origins.push((place, origin));
    image.packages = Some(Arc::new(all));
}

fn finish(call: &mut Call<'_>, mut image: ImageValue, failed: bool) -> Eval {
    if failed {
        return Err(Failed);
    }
    image.site = call.site();
    Ok(Value::Image(call.origin, Arc::new(image)))
}
