//! Modes, owners and capabilities of paths: the field `attributes` of an image and of
//! `effects`, and the bits and capabilities that `file` and `directory` take too.

use std::collections::BTreeMap;

use imgc_diag::codes;
use imgc_plan::{Attributes, Capability, ImagePath, Owner};

use crate::origins::Place;
use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::Call;
use crate::vm::value::Value;

use super::combine::Joint;
use super::files::owner_of;
use super::scalars::mode_of;
use super::{Said, field, field_site, image_path, keep, texts};

/// What one path is counted as: its fields are read and sorted in.
const PATH: usize = 40;

/// The bits of a mode that are asked for by name.
const BITS: [(&str, u32); 3] = [("setuid", 0o4000), ("setgid", 0o2000), ("sticky", 0o1000)];

/// What is said of paths, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Marks(BTreeMap<ImagePath, Said<Attributes>>);

/// The names of capabilities, for editors.
pub fn capability_names() -> &'static [&'static str] {
    Capability::NAMES
}

impl Marks {
    /// Reads the field `attributes`. What is wrong is left out and remembered in `failed`.
    pub(super) fn read(call: &mut Call<'_>, image: &Value, failed: &mut bool) -> Self {
        let mut all = BTreeMap::new();
        let Some(given) = field(image, "attributes", failed) else {
            return Self::default();
        };
        let Some(record) = given.as_record() else {
            *failed = true;
            return Self::default();
        };
        let count = record.values.len();
        let counted = call.step(count * PATH);
        keep(failed, counted);
        let counted = call.allocate(count * size_of::<(ImagePath, Said<Attributes>)>());
        if keep(failed, counted).is_none() {
            return Self::default();
        }
        for (name, value) in record.iter() {
            let site = field_site(call, given, name);
            let path = image_path(call, name, site);
            let Some(path) = keep(failed, path) else {
                continue;
            };
            let one = one(call, &path, value, site, failed);
            if all.insert(path, Said::new(one, site)).is_some() {
                *failed = true;
                let message = format!("two entries are of `{name}`");
                call.report(Problem::new(codes::DUPLICATE_PATH, site, message));
            }
        }
        Self(all)
    }

    /// Whether nothing is said.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and others. Two different things said of one path are a conflict.
    pub(super) fn join(
        &self,
        call: &mut Call<'_>,
        other: &Self,
        joint: Joint,
        failed: &mut bool,
    ) -> Self {
        let mut all = self.0.clone();
        let counted = call.step((self.0.len() + other.0.len()) * PATH);
        keep(failed, counted);
        for (path, new) in &other.0 {
            match all.get(path) {
                None => {
                    all.insert(path.clone(), new.clone());
                }
                Some(old) if old.value == new.value => {}
                Some(old) => {
                    *failed = true;
                    let message = format!("`attributes` says two different things of `{path}`");
                    joint.conflict_of(call, message, old.site, new.site);
                }
            }
        }
        Self(all)
    }

    /// These, with what others say in the place of what is said here of the same paths.
    pub(super) fn replace(&self, call: &mut Call<'_>, other: Self, failed: &mut bool) -> Self {
        let counted = call.step((self.0.len() + other.0.len()) * PATH);
        keep(failed, counted);
        let mut all = self.0.clone();
        all.extend(other.0);
        Self(all)
    }

    /// What is said, sorted by path.
    pub(super) fn planned(&self) -> Vec<Attributes> {
        self.0.values().map(|said| said.value.clone()).collect()
    }

    /// Where it is written.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, Site)> {
        let all = self.0.iter();
        all.map(|(path, said)| (Place::Attributes(path.to_string()), said.site))
    }

    /// About how many bytes it takes in a plan.
    pub(super) fn bytes(&self) -> usize {
        let paths = self.0.keys().map(|path| path.as_str().len());
        paths.sum::<usize>() + self.0.len() * size_of::<Attributes>()
    }
}

/// What is said of one path.
fn one(
    call: &mut Call<'_>,
    path: &ImagePath,
    value: &Value,
    site: Site,
    failed: &mut bool,
) -> Attributes {
    let mut mode = None;
    if let Some(given) = field(value, "mode", failed) {
        let given = mode_of(call, given);
        mode = keep(failed, given);
    }
    let [setuid, setgid, sticky] = BITS.map(|(name, _)| bit(value, name, failed));
    let one = Attributes {
        path: path.clone(),
        mode,
        setuid,
        setgid,
        sticky,
        user: owner(call, value, "user", failed),
        group: owner(call, value, "group", failed),
        capabilities: capabilities(call, value, failed),
    };
    let bits = setuid.or(setgid).or(sticky);
    let is_empty = mode.is_none() && bits.is_none() && one.capabilities.is_none();
    if is_empty && one.user.is_none() && one.group.is_none() && !*failed {
        *failed = true;
        let message = format!("nothing is said of `{path}`");
        let problem = Problem::new(codes::INVALID_ARGUMENT, site, message);
        call.report(problem.help("give it a `mode`, a `user`, a `group` or `capabilities`"));
    }
    one
}

fn owner(call: &mut Call<'_>, given: &Value, name: &str, failed: &mut bool) -> Option<Owner> {
    let given = field(given, name, failed)?;
    let owner = owner_of(call, &format!("`{name}`"), given);
    keep(failed, owner)
}

fn bit(given: &Value, name: &str, failed: &mut bool) -> Option<bool> {
    match field(given, name, failed)? {
        Value::Bool(_, value) => Some(*value),
        _ => {
            *failed = true;
            None
        }
    }
}

/// The bits that a value of `file` or `directory` asks for by name.
pub(super) fn bits(given: &Value, failed: &mut bool) -> u32 {
    let asked = BITS.map(|(name, bits)| match bit(given, name, failed) {
        Some(true) => bits,
        _ => 0,
    });
    asked.into_iter().sum()
}

/// A mode with such bits, as it is written in the language after `mode = `.
pub(super) fn written(mode: u32) -> String {
    let mut text = format!("0o{:o}", mode & 0o777);
    for (name, bits) in BITS {
        if mode & bits != 0 {
            text.push_str(&format!("; {name} = true"));
        }
    }
    text
}

/// The field `capabilities`, if it is there: sorted, each once.
pub(super) fn capabilities(
    call: &mut Call<'_>,
    given: &Value,
    failed: &mut bool,
) -> Option<Vec<Capability>> {
    let given = field(given, "capabilities", failed)?;
    let names = texts(call, "capabilities", given);
    let mut all = Vec::new();
    for name in keep(failed, names)? {
        match Capability::named(&name.value) {
            Some(capability) => all.push(capability),
            None => {
                *failed = true;
                call.report(unknown(&name));
            }
        }
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

/// The report of a text that is not the name of a capability.
fn unknown(name: &Said<String>) -> Problem<Site> {
    let Said { value: text, site } = name;
    let message = format!("`{text}` is not a capability of Linux");
    let problem = Problem::new(codes::BAD_CAPABILITY, *site, message);
    // As setcap and as container runtimes write them.
    let end = text.find(['=', '+', '-']).unwrap_or(text.len());
    let lower = text[..end].to_ascii_lowercase();
    let meant = [lower.clone(), format!("cap_{lower}")];
    if let Some(found) = meant.iter().find_map(|name| Capability::named(name)) {
        let problem = problem.did_you_mean(*site, text, found.name());
        return match end < text.len() {
            true => problem.note("the capabilities of a file are permitted and effective: `=ep`"),
            false => problem,
        };
    }
    let known = || Capability::NAMES.iter().copied();
    let mut longer = known().filter(|name| lower.len() > 4 && name.starts_with(&lower));
    let only = longer.next().filter(|_| longer.next().is_none());
    match only.or_else(|| imgc_diag::did_you_mean(&lower, known())) {
        Some(similar) => problem.did_you_mean(*site, text, similar),
        None => problem.help("their names are in capabilities(7): `cap_net_bind_service`"),
    }
}
