//! The field `layers`: into how many layers an image's packages go, and how layers are
//! compressed.

use std::collections::BTreeMap;

use imgc_diag::codes;
use imgc_plan::{Compression, Layers, MAX_LAYERS};

use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::Value;

use super::combine::{Joint, Shown};
use super::scalars::check_bare_package;
use super::{Said, field, field_site, keep, text, texts};

/// The longest name of a group, in bytes.
const MAX_NAME: usize = 64;

/// The fields of a `layers`, each with its place.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Layering {
    most: Option<Said<u32>>,
    groups: BTreeMap<String, Said<Vec<String>>>,
    compression: Option<Said<Compression>>,
}

impl Layering {
    /// Reads the value of the field `layers`. What is wrong is left out and remembered in
    /// `failed`.
    pub(super) fn read(call: &mut Call<'_>, value: &Value, failed: &mut bool) -> Self {
        let mut layering = Self::default();
        if let Some(given) = field(value, "most", failed) {
            let at = call.site_of_value(given);
            let most = most(call, given);
            layering.most = keep(failed, most).map(|most| Said::new(most, at));
        }
        if let Some(given) = field(value, "groups", failed) {
            let groups = groups(call, given);
            layering.groups = keep(failed, groups).unwrap_or_default();
        }
        if let Some(given) = field(value, "compression", failed) {
            let at = call.site_of_value(given);
            let compression = compression(call, given);
            layering.compression = keep(failed, compression).map(|found| Said::new(found, at));
        }
        layering
    }

    /// This and `other`. Two different values of one thing are a conflict.
    pub(super) fn join(
        &self,
        call: &mut Call<'_>,
        other: &Self,
        joint: Joint,
        failed: &mut bool,
    ) -> Self {
        let mut all = self.clone();
        joint.scalar(call, "layers.most", &mut all.most, &other.most, failed);
        joint.scalar(
            call,
            "layers.compression",
            &mut all.compression,
            &other.compression,
            failed,
        );
        for (name, group) in &other.groups {
            let mut slot = all.groups.remove(name);
            let what = format!("layers.groups.{name}");
            joint.scalar(call, &what, &mut slot, &Some(group.clone()), failed);
            all.groups.extend(slot.map(|said| (name.clone(), said)));
        }
        all
    }

    /// This with what `other` says in the place of what is said here.
    pub(super) fn replace(&self, other: &Self) -> Self {
        let mut groups = self.groups.clone();
        groups.extend(other.groups.clone());
        Self {
            most: other.most.or(self.most),
            groups,
            compression: other.compression.or(self.compression),
        }
    }

    /// What the plan has of it.
    pub(super) fn planned(&self) -> Layers {
        let groups = self.groups.iter();
        Layers {
            most: self.most.map(|said| said.value),
            groups: groups
                .map(|(name, said)| (name.clone(), said.value.clone()))
                .collect(),
            compression: self
                .compression
                .map_or_else(Compression::default, |said| said.value),
        }
    }
}

fn most(call: &mut Call<'_>, value: &Value) -> Eval<u32> {
    let Value::Int(_, number) = value else {
        return Err(Failed);
    };
    let most = u32::try_from(*number).unwrap_or(0);
    if (1..=MAX_LAYERS).contains(&most) {
        return Ok(most);
    }
    let message = format!("`layers.most` is a number from 1 to {MAX_LAYERS}, not {number}");
    let problem = Problem::new(codes::BAD_LAYERS, call.site_of_value(value), message)
        .note("the file systems of container runtimes take about 127 layers in all");
    Err(call.report(problem))
}

fn groups(call: &mut Call<'_>, value: &Value) -> Eval<BTreeMap<String, Said<Vec<String>>>> {
    let record = value.as_record().ok_or(Failed)?;
    call.step(record.values.len())?;
    let mut failed = false;
    let mut groups: BTreeMap<String, Said<Vec<String>>> = BTreeMap::new();
    let mut of: BTreeMap<String, (String, crate::site::Site)> = BTreeMap::new();
    for (name, listed) in record.iter() {
        let site = field_site(call, value, name);
        if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
            failed = true;
            let message = format!("`{name}` can't be the name of a group of packages");
            call.report(Problem::new(codes::BAD_LAYERS, site, message));
            continue;
        }
        let what = format!("layers.groups.{name}");
        let Some(packages) = keep(&mut failed, texts(call, &what, listed)) else {
            continue;
        };
        let mut names = Vec::with_capacity(packages.len());
        for package in packages {
            if let Err(problem) = check_bare_package(&package.value, package.site) {
                failed = true;
                call.report(*problem);
                continue;
            }
            let own = (name.to_string(), package.site);
            match of.insert(package.value.clone(), own) {
                Some((other, earlier)) if other != **name => {
                    failed = true;
                    let message = format!(
                        "`{}` can't be in the layers `{other}` and `{name}` both",
                        package.value
                    );
                    let problem = Problem::new(codes::BAD_LAYERS, package.site, message);
                    call.report(problem.label(earlier, "it is in the other one here"));
                }
                _ => names.push(package.value),
            }
        }
        names.sort_unstable();
        names.dedup();
        groups.insert(
            name.to_string(),
            Said::new(names, call.site_of_value(listed)),
        );
    }
    let count = u32::try_from(groups.len()).unwrap_or(u32::MAX);
    if count > MAX_LAYERS {
        failed = true;
        let message = format!("{count} groups of packages are more than {MAX_LAYERS} layers");
        call.report(Problem::new(
            codes::BAD_LAYERS,
            call.site_of_value(value),
            message,
        ));
    }
    if failed { Err(Failed) } else { Ok(groups) }
}

fn compression(call: &mut Call<'_>, value: &Value) -> Eval<Compression> {
    let text = text(call, "`layers.compression`", value)?;
    text.parse().map_err(|error| {
        let site = call.site_of_value(value);
        let problem = Problem::new(codes::BAD_LAYERS, site, format!("{error}"));
        call.report(problem.help(
            "write `\"zstd\"`, `\"gzip\"` or `\"none\"`, with a level if it matters: `\"gzip:9\"`",
        ))
    })
}

impl Shown for u32 {
    fn shown(&self) -> String {
        format!("`{self}`")
    }
}

impl Shown for Compression {
    fn shown(&self) -> String {
        self.to_string().shown()
    }
}
