//! `image`: the outermost schema, and the image that it makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Base, BaseError, Image, Platform, Variant};

use crate::ir::Expr;
use crate::origins::Place;
use crate::problem::Problem;
use crate::queries::body;
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::{PackagesValue, Value};

use super::attributes::Marks;
use super::combine::Shown;
use super::config::{Settings, text_map};
use super::index::is_key;
use super::layers::Layering;
use super::placing::{Entry, Files, Target, entries};
use super::scalars::platform_of;
use super::users::{Accounts, Asked};
use super::{Said, default_platform, field, keep, text};

/// An image that may not have a name yet. Images that are made from each other share
/// their parts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ImageValue {
    /// Where it was made.
    pub(super) site: Site,
    /// Its name, if it says one.
    pub(super) name: Option<Said<String>>,
    /// Where it runs, if it says so.
    pub(super) platform: Option<Said<Platform>>,
    /// The image that it is laid over.
    pub(super) base: Option<Said<Base>>,
    /// Debian packages.
    pub(super) packages: Option<Arc<PackagesValue>>,
    /// Users and groups.
    pub(super) accounts: Arc<Accounts>,
    /// Files.
    pub(super) files: Arc<Files>,
    /// Modes, owners and capabilities of what is there.
    pub(super) attributes: Arc<Marks>,
    /// What a runtime is told.
    pub(super) config: Arc<Settings>,
    /// How it is cut into layers.
    pub(super) layers: Arc<Layering>,
    /// Annotations of its manifest.
    pub(super) annotations: Texts,
    /// What is provided from outside, each with the reason.
    pub(super) provided: Texts,
}

/// Texts by key, each with its place.
pub(super) type Texts = BTreeMap<String, Said<String>>;

/// What `image`, `extend` and `override` are given, without the packages.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) name: Option<Said<String>>,
    pub(super) platform: Option<Said<Platform>>,
    /// Whether the field is there: `defaultPlatform` names no platform.
    pub(super) has_platform: bool,
    pub(super) base: Option<Said<Base>>,
    pub(super) accounts: Asked,
    pub(super) files: Vec<Arc<Entry>>,
    pub(super) attributes: Marks,
    pub(super) config: Option<Settings>,
    pub(super) layers: Option<Layering>,
    pub(super) annotations: Texts,
    pub(super) provided: Texts,
}

/// Whether `name` is `[a-z0-9]+([._-][a-z0-9]+)*`.
pub(super) fn is_image_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 128
        && name
            .split(['.', '_', '-'])
            .all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// The report of a name that no image may have.
pub(super) fn bad_name(site: Site, name: &str) -> Problem<Site> {
    let message = format!("`{name}` can't be the name of an image");
    let problem = Problem::new(codes::INVALID_IMAGE_NAME, site, message)
        .note("small letters and digits, with single `.`, `_` or `-` between them");
    let lower = name.to_ascii_lowercase();
    if lower != name && is_image_name(&lower) {
        return problem.did_you_mean(site, name, &lower);
    }
    problem
}

/// The field `name`. A name that is wrong is remembered in `failed`.
pub(super) fn name_of(
    call: &mut Call<'_>,
    given: &Value,
    failed: &mut bool,
) -> Option<Said<String>> {
    let value = field(given, "name", failed)?;
    let text = text(call, "`name`", value);
    let text = keep(failed, text).filter(|text| !text.is_empty())?;
    let site = call.site_of_value(value);
    if !is_image_name(text) {
        *failed = true;
        call.report(bad_name(site, text));
    }
    Some(Said::new(text.to_owned(), site))
}

/// The field `base`. One that is wrong is remembered in `failed`; an empty text is none.
fn base_of(call: &mut Call<'_>, given: &Value, failed: &mut bool) -> Option<Said<Base>> {
    let value = field(given, "base", failed)?;
    let text = text(call, "`base`", value);
    let text = keep(failed, text).filter(|text| !text.is_empty())?;
    let site = call.site_of_value(value);
    match text.parse::<Base>() {
        Ok(base) => Some(Said::new(base, site)),
        Err(error) => {
            *failed = true;
            let problem = Problem::new(codes::BAD_BASE, site, error.to_string());
            call.report(match error {
                BaseError::NoDigest(name) => problem.help(format!(
                    "`imgc pull {name}` prints the name with the digest that it has now"
                )),
                _ => problem.help("write it as `imgc pull` prints it: `HOST/NAME@sha256:…`"),
            });
            None
        }
    }
}

impl Shown for Base {
    fn shown(&self) -> String {
        format!("`{self}`")
    }
}

/// `image { … }`
pub(crate) fn image(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let given = &arguments[0];
    let mut failed = false;
    let parts = Parts::read(call, given, &mut failed);
    let packages = match field(given, "packages", &mut failed) {
        Some(Value::Packages(_, packages)) => Some(packages.clone()),
        _ => None,
    };
    let mut image = ImageValue {
        site: call.site(),
        name: parts.name,
        platform: parts.platform,
        base: parts.base,
        packages,
        accounts: Arc::default(),
        files: Arc::new(Files::none(default_platform(call))),
        attributes: Arc::new(parts.attributes),
        config: Arc::new(parts.config.unwrap_or_default()),
        layers: Arc::new(parts.layers.unwrap_or_default()),
        annotations: parts.annotations,
        provided: parts.provided,
    };
    if !parts.accounts.is_empty() {
        image.accounts = Arc::new(Accounts::new(call, parts.accounts, &mut failed));
    }
    let target = image.target(call);
    image.files = Arc::new(Files::new(call, &parts.files, target, &mut failed));
    if failed {
        return Err(Failed);
    }
    call.allocate(size_of::<ImageValue>())?;
    Ok(Value::Image(call.origin, Arc::new(image)))
}

impl Parts {
    /// Reads the fields. What is wrong is left out and remembered in `failed`.
    pub(super) fn read(call: &mut Call<'_>, given: &Value, failed: &mut bool) -> Self {
        let name = name_of(call, given, failed);
        let mut platform = None;
        let mut has_platform = false;
        if let Some(value) = field(given, "platform", failed) {
            has_platform = true;
            let found = platform_of(call, value);
            let site = call.site_of_value(value);
            platform = keep(failed, found)
                .filter(|_| !is_default(call, site))
                .map(|found| Said::new(found, site));
        }
        let base = base_of(call, given, failed);
        let accounts = Asked::read(call, given, failed);
        let files = field(given, "files", failed)
            .map(|value| entries(call, value, failed))
            .unwrap_or_default();
        let attributes = Marks::read(call, given, failed);
        let config =
            field(given, "config", failed).map(|value| Settings::read(call, value, failed));
        let layers =
            field(given, "layers", failed).map(|value| Layering::read(call, value, failed));
        let mut annotations = Texts::new();
        if let Some(value) = field(given, "annotations", failed) {
            let found = text_map(call, "annotations", value, codes::BAD_LABEL, is_key);
            annotations = keep(failed, found).unwrap_or_default();
        }
        let provided = provided(call, given, failed);
        Self {
            name,
            platform,
            has_platform,
            base,
            accounts,
            files,
            attributes,
            config,
            layers,
            annotations,
            provided,
        }
    }
}

/// The field `provided`: names of libraries and paths of interpreters, each with a reason.
fn provided(call: &mut Call<'_>, given: &Value, failed: &mut bool) -> Texts {
    let Some(value) = field(given, "provided", failed) else {
        return Texts::new();
    };
    let is_name = |name: &str| {
        let path = name.strip_prefix('/').is_some_and(|rest| !rest.is_empty());
        !name.is_empty() && (path || !name.contains('/')) && !name.chars().any(char::is_control)
    };
    let reasons = value.as_record().into_iter();
    for (name, reason) in reasons.flat_map(crate::vm::value::Record::iter) {
        if reason.as_str().is_some_and(|text| text.trim().is_empty()) {
            *failed = true;
            let message = format!("nothing says who provides `{name}`");
            let site = call.site_of_value(reason);
            let problem = Problem::new(codes::BAD_PROVIDED, site, message);
            call.report(problem.help("such as \"the host's driver is mounted\""));
        }
    }
    let found = text_map(call, "provided", value, codes::BAD_PROVIDED, is_name);
    keep(failed, found).unwrap_or_default()
}

/// Whether the value at `site` is the word `defaultPlatform`: who writes that has not
/// chosen a platform.
fn is_default(call: &Call<'_>, site: Site) -> bool {
    let body = body(call.db, site.item);
    let expr = body
        .as_ref()
        .and_then(|body| body.exprs.get(site.at.expr.0 as usize));
    matches!(expr, Some(Expr::Builtin(builtin)) if builtin.doc().name == "defaultPlatform")
}

impl ImageValue {
    /// What its programs must be for.
    pub(super) fn target(&self, call: &Call<'_>) -> Target {
        Target {
            platform: self
                .platform
                .map_or(default_platform(call), |said| said.value),
            site: self.platform.map(|said| said.site),
        }
    }

    /// The plan's image of that name, for the platform if it says none.
    pub(super) fn planned(&self, name: String, platform: Platform) -> Image {
        Image {
            name,
            platform: self.platform.map_or(platform, |said| said.value),
            base: self.base.as_ref().map(|said| said.value.clone()),
            packages: self.packages.as_ref().map(|value| {
                let mut packages = value.packages.clone();
                // What is there before the names is the base then.
                if self.base.is_some() {
                    packages.variant = Variant::Distroless;
                }
                packages
            }),
            groups: self.accounts.groups().cloned().collect(),
            users: self.accounts.users().cloned().collect(),
            files: self
                .files
                .iter()
                .map(|placed| placed.file.clone())
                .collect(),
            attributes: self.attributes.planned(),
            config: self.config.config(),
            layers: self.layers.planned(),
            annotations: plain(&self.annotations),
            provided: plain(&self.provided),
        }
    }

    /// What an image with a base can't have.
    pub(super) fn over_base(&self, planned: &Image) -> Option<Problem<Site>> {
        let base = self.base.as_ref()?;
        let own = planned.platform.arch.debian();
        let mut names = planned.packages.iter().flat_map(|all| &all.names);
        let is_foreign = |name: &&String| {
            let who = name.split(['=', '/']).next().unwrap_or_default();
            let arch = who.split_once(':').map(|(_, arch)| arch);
            arch.is_some_and(|arch| ![own, "any", "all", "native"].contains(&arch))
        };
        let message = match names.find(is_foreign) {
            Some(name) => format!("`{name}` is of another architecture than the base"),
            None if !planned.layers.groups.is_empty() => {
                "an image with a base can't have groups of layers".to_owned()
            }
            None => return None,
        };
        Some(Problem::new(codes::BAD_BASE, base.site, message))
    }

    /// Where its parts are written, without its packages.
    pub(super) fn places(&self) -> impl Iterator<Item = (Place, Site)> {
        let site = self.name.as_ref().map_or(self.site, |said| said.site);
        std::iter::once((Place::Image, site))
            .chain(self.base.iter().map(|said| (Place::Base, said.site)))
            .chain(self.accounts.places())
            .chain(self.files.places())
            .chain(self.attributes.places())
            .chain(self.config.places())
    }

    /// About how many bytes it takes in a plan.
    pub(super) fn bytes(&self) -> usize {
        let packages = self.packages.iter();
        let names = packages.flat_map(|packages| &packages.packages.names);
        names.map(|name| name.len() + 64).sum::<usize>()
            + self.accounts.groups().count() * 256
            + self.accounts.users().count() * 512
            + self.files.bytes()
            + self.attributes.bytes()
            + self.config.bytes()
            + [&self.annotations, &self.provided]
                .into_iter()
                .flatten()
                .map(|(key, said)| key.len() + said.value.len() + 64)
                .sum::<usize>()
    }
}

fn plain(texts: &Texts) -> BTreeMap<String, String> {
    let texts = texts.iter();
    texts
        .map(|(key, said)| (key.clone(), said.value.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_rules() {
        for name in ["app", "a.b-c_d", "0"] {
            assert!(is_image_name(name), "{name}");
        }
        for name in ["", "App", "a..b", "-a", "a-", "a/b"] {
            assert!(!is_image_name(name), "{name}");
        }
    }
}
