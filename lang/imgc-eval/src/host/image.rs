//! `image` and `debianPackages`: the outermost schemas.

use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Config, Packages, Platform, Variant};

use crate::eval::{Eval, Evaluator, Failed};
use crate::origins::Place;
use crate::problem::Problem;
use crate::span::Span;
use crate::value::{Data, ImageValue, PackagesValue, Value};

use super::{expected, keep};

const FIELDS: [&str; 7] = [
    "config", "files", "groups", "name", "packages", "platform", "users",
];
const VARIANTS: [&str; 4] = ["distroless", "essential", "apt", "minbase"];

/// Whether `name` is `[a-z0-9]+([._-][a-z0-9]+)*`.
pub(crate) fn is_image_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 128
        && name
            .split(['.', '_', '-'])
            .all(|part| !part.is_empty() && part.bytes().all(plain))
}

/// Whether `name` is the name of a Debian package (Debian policy, 5.6.1).
fn is_package_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() >= 2
        && name.len() <= 255
        && name.as_bytes().first().copied().is_some_and(plain)
        && name
            .bytes()
            .all(|byte| plain(byte) || matches!(byte, b'+' | b'-' | b'.'))
}

fn is_suite(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= 64
        && name
            .split(['-', '.'])
            .all(|part| !part.is_empty() && part.bytes().all(plain))
}

impl Evaluator<'_> {
    /// `image { … }`
    pub(crate) fn host_image(&mut self, value: &Value, call: Span) -> Eval {
        let mut failed = false;
        let record = self.host_record("an image", value, &FIELDS, &[], &mut failed)?;
        let before = self.bytes();
        let mut origins = vec![(Place::Image, call)];

        let mut name = None;
        if let Some(field) = record.get("name") {
            let text = self.host_string("`name`", &field.value);
            let text = keep(&mut failed, text).filter(|text| !text.is_empty());
            if let Some(text) = text {
                origins[0].1 = field.value.span;
                if !is_image_name(&text) {
                    failed = true;
                    self.report(bad_name(field.value.span, &text));
                }
                name = Some(text.to_string());
            }
        }
        let mut platform = self.options.platform;
        if let Some(field) = record.get("platform") {
            let given = self.host_platform(&field.value);
            platform = keep(&mut failed, given).unwrap_or(platform);
        }
        let mut packages = None;
        if let Some(field) = record.get("packages") {
            if let Data::Packages(found) = &field.value.data {
                // Copied for each image that has them.
                let count = found.origins.len();
                self.step(count, field.span)?;
                self.allocate(count * 2 * size_of::<(Place, Span)>(), field.span)?;
                origins.extend(found.origins.iter().cloned());
                packages = Some(found.packages.clone());
            } else {
                failed = true;
                let problem = expected("`packages`", "a value of `debianPackages`", &field.value);
                self.report(
                    problem
                        .help("`(import std/debian).image` takes names of packages in this field"),
                );
            }
        }
        let users = self.host_users(&record, &mut origins);
        let (groups, users) = keep(&mut failed, users).unwrap_or_default();
        let mut files = Vec::new();
        let mut sources = Vec::new();
        if let Some(field) = record.get("files") {
            let placed = self.host_files(&field.value, platform, &mut origins);
            if let Some(placed) = keep(&mut failed, placed) {
                (files, sources) = placed;
            }
        }
        let mut config = Config::default();
        if let Some(field) = record.get("config") {
            let given = self.host_config(&field.value, &mut origins);
            config = keep(&mut failed, given).unwrap_or_default();
        }
        if failed {
            return Err(Failed);
        }
        for (_, span) in &mut origins {
            *span = self.project_span(*span);
        }
        let image = ImageValue {
            name,
            platform,
            packages,
            groups,
            users,
            files,
            config,
            origins,
            sources,
            bytes: usize::try_from(self.bytes() - before).unwrap_or(usize::MAX),
        };
        Ok(Value {
            data: Data::Image(Arc::new(image)),
            span: call,
        })
    }

    fn host_platform(&mut self, value: &Value) -> Eval<Platform> {
        let text = self.host_string("`platform`", value)?;
        text.parse().map_err(|_| {
            let known: Vec<String> = imgc_plan::Arch::ALL
                .into_iter()
                .map(|arch| Platform { arch }.to_string())
                .collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let message = format!("`{text}` is not a platform that imgc knows");
            let problem = Problem::new(codes::BAD_PLATFORM, value.span, message);
            self.unknown_name(problem, value.span, &text, &known)
        })
    }

    /// `debianPackages { … }`
    pub(crate) fn host_packages(&mut self, value: &Value, call: Span) -> Eval {
        let mut failed = false;
        let known = ["names", "recommends", "suite", "variant"];
        let required = ["names", "suite", "variant"];
        let record = self.host_record("`debianPackages`", value, &known, &required, &mut failed)?;
        let mut origins = vec![(Place::Packages, call)];

        let mut suite = String::new();
        if let Some(field) = record.get("suite") {
            let text = self.host_string("`suite`", &field.value);
            if let Some(text) = keep(&mut failed, text) {
                if !is_suite(&text) {
                    failed = true;
                    let message = format!("`{text}` can't be the name of a suite");
                    let problem = Problem::new(codes::BAD_SUITE, field.value.span, message);
                    self.report(problem.help("write the code name: `trixie`"));
                }
                origins.push((Place::Suite, field.value.span));
                suite = text.to_string();
            }
        }
        let mut variant = Variant::Essential;
        if let Some(field) = record.get("variant") {
            let text = self.host_string("`variant`", &field.value);
            if let Some(text) = keep(&mut failed, text) {
                origins.push((Place::Variant, field.value.span));
                variant = match &*text {
                    "distroless" => Variant::Distroless,
                    "essential" => Variant::Essential,
                    "apt" => Variant::Apt,
                    "minbase" => Variant::Minbase,
                    _ => {
                        failed = true;
                        let span = field.value.span;
                        let message = format!("`{text}` is not a variant");
                        let problem = Problem::new(codes::BAD_SUITE, span, message);
                        self.unknown_name(problem, span, &text, &VARIANTS);
                        variant
                    }
                };
            }
        }
        let mut recommends = false;
        if let Some(field) = record.get("recommends") {
            let given = self.host_bool("`recommends`", &field.value);
            recommends = keep(&mut failed, given).unwrap_or_default();
        }
        let mut names = Vec::new();
        if let Some(field) = record.get("names") {
            let given = self.host_strings("`packages`", &field.value);
            for (name, span) in keep(&mut failed, given).unwrap_or_default() {
                if !is_package_name(&name) {
                    failed = true;
                    let message = format!("`{name}` can't be the name of a Debian package");
                    self.report(Problem::new(codes::BAD_PACKAGE_NAME, span, message));
                }
                // Lists of several sources may ask for the same package; the first
                // place is the one that is shown.
                origins.push((Place::Package(name.to_string()), span));
                names.push(name.to_string());
            }
        }
        if failed {
            return Err(Failed);
        }
        names.sort_unstable();
        names.dedup();
        let packages = Packages {
            suite,
            variant,
            recommends,
            names,
        };
        Ok(Value {
            data: Data::Packages(Arc::new(PackagesValue { packages, origins })),
            span: call,
        })
    }
}

/// The report of a name that no image may have.
pub(crate) fn bad_name(span: Span, name: &str) -> Problem {
    let message = format!("`{name}` can't be the name of an image");
    let problem = Problem::new(codes::INVALID_IMAGE_NAME, span, message)
        .note("small letters and digits, with single `.`, `_` or `-` between them");
    let lower = name.to_ascii_lowercase();
    if lower != name && is_image_name(&lower) {
        return problem.did_you_mean(span, name, &lower);
    }
    problem
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
        for name in ["libstdc++6", "0ad", "tzdata", "python3.13"] {
            assert!(is_package_name(name), "{name}");
        }
        for name in ["", "a", "Tzdata", "-a", "tz data", "tzdata=1", "a:b"] {
            assert!(!is_package_name(name), "{name}");
        }
        assert!(is_suite("trixie-backports"));
        assert!(!is_suite("../trixie"));
    }
}
