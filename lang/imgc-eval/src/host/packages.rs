//! Debian packages: `debianPackages`, and packages that are added to an image.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Packages, Variant};

use crate::origins::Place;
use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::{Origin, PackagesValue, Value};

use super::archives;
use super::combine::{Joint, Shown};
use super::effects::{Stated, stated};
use super::scalars::{check_bare_package, package_of, suite_of, variant_name, variant_of};
use super::{field, field_site, items, keep, text, texts};

/// The longest pattern of paths, in bytes: dpkg reads lines of 1023.
const MAX_PATTERN: usize = 1000;

/// `debianPackages { … }`
pub(crate) fn debian_packages(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let given = &arguments[0];
    let mut failed = false;
    let mut origins = vec![(Place::Packages, call.origin)];
    let mut suite = String::new();
    if let Some(value) = field(given, "suite", &mut failed) {
        origins.push((Place::Suite, place(call, value)));
        let name = suite_of(call, value);
        suite = keep(&mut failed, name).unwrap_or_default();
    }
    let mut variant = Variant::Essential;
    if let Some(value) = field(given, "variant", &mut failed) {
        origins.push((Place::Variant, place(call, value)));
        let name = variant_of(call, value);
        variant = keep(&mut failed, name).unwrap_or(variant);
    }
    let recommends = matches!(
        field(given, "recommends", &mut failed),
        Some(Value::Bool(_, true))
    );
    let mut names = Vec::new();
    if let Some(value) = field(given, "names", &mut failed) {
        names = names_of(call, value, &mut origins, &mut failed);
    }
    let skip = skipped(call, given, &mut failed);
    let Stated { effects, sources } = stated(call, given, &mut failed);
    for name in effects.keys().filter(|name| skip.contains_key(*name)) {
        failed = true;
        let site = |call: &mut Call<'_>, part: &str| {
            let record = given.as_record().and_then(|record| record.get(part));
            record.map_or_else(|| call.site(), |record| field_site(call, record, name))
        };
        let (later, earlier) = (site(call, "effects"), site(call, "skip"));
        let message = format!("the scripts of `{name}` are both skipped and stated");
        let problem = Problem::new(codes::SKIPPED_AND_STATED, later, message);
        call.report(problem.label(earlier, "they are skipped here"));
    }
    let mut scripts = BTreeMap::new();
    for part in ["skip", "effects"] {
        let record = given.as_record().and_then(|record| record.get(part));
        let record = record.and_then(Value::as_record);
        for (name, value) in record.into_iter().flat_map(|record| record.iter()) {
            scripts.insert(name.to_string(), place(call, value));
        }
    }
    let exclude = patterns(call, given, "exclude", &mut failed);
    let include = patterns(call, given, "include", &mut failed);
    let mut keys = Vec::new();
    let archives = archives::read(call, given, &mut keys, &mut origins, &mut failed);
    if failed {
        return Err(Failed);
    }
    let packages = Packages {
        suite,
        variant,
        recommends,
        names,
        archives,
        skip,
        effects,
        exclude,
        include,
    };
    let value = PackagesValue {
        packages,
        keys,
        origins,
        scripts,
        sources,
    };
    Ok(Value::Packages(call.origin, Arc::new(value)))
}

/// The packages whose scripts are to be skipped, and the reasons. A reason is needed.
fn skipped(call: &mut Call<'_>, given: &Value, failed: &mut bool) -> BTreeMap<String, String> {
    let mut skip = BTreeMap::new();
    let Some(Value::Record(_, record)) = field(given, "skip", failed) else {
        return skip;
    };
    for (name, value) in record.iter() {
        let site = call.site_of_value(value);
        if let Err(problem) = check_bare_package(name, site) {
            *failed = true;
            call.report(*problem);
            continue;
        }
        let reason = text(call, "a reason", value);
        let Some(reason) = keep(failed, reason) else {
            continue;
        };
        if reason.trim().is_empty() {
            *failed = true;
            let message = format!("the scripts of `{name}` are skipped without a reason");
            let problem = Problem::new(codes::NO_REASON, site, message)
                .note("what a script would have done is missing from the image: whoever reads this should know why that is right")
                .help("say why: `\"the key is made at the first start\"`");
            call.report(problem);
            continue;
        }
        skip.insert(name.to_string(), reason.to_owned());
    }
    skip
}

/// The patterns of paths in a field, sorted, each once. They must mean to dpkg's settings
/// what they mean here.
pub(super) fn patterns(
    call: &mut Call<'_>,
    given: &Value,
    part: &str,
    failed: &mut bool,
) -> Vec<String> {
    let mut patterns = Vec::new();
    let Some(value) = field(given, part, failed) else {
        return patterns;
    };
    let list = texts(call, part, value);
    for pattern in keep(failed, list).unwrap_or_default() {
        let text = pattern.value;
        let problem = |message: &str| Problem::new(codes::BAD_PATTERN, pattern.site, message);
        let problem = if !text.starts_with('/') {
            let absolute = format!("write `\"/{}\"`", text.trim_start_matches("./"));
            problem("a pattern of paths begins with `/`").help(absolute)
        } else if text.chars().any(char::is_control) || text.ends_with(char::is_whitespace) {
            problem("a pattern of paths stands on one line and ends in no space")
        } else if text.len() > MAX_PATTERN {
            problem("a pattern of paths has at most 1000 bytes")
        } else if text.split('/').any(|part| matches!(part, "." | "..")) || text.contains("//") {
            problem("a pattern of paths has no empty, `.` or `..` part")
                .note("no path of a package has, so it would match nothing")
        } else {
            patterns.push(text);
            continue;
        };
        *failed = true;
        call.report(problem);
    }
    patterns.sort_unstable();
    patterns.dedup();
    patterns
}

/// The names of a list of packages, sorted, each once. What is wrong is left out and
/// remembered in `failed`.
pub(super) fn names_of(
    call: &mut Call<'_>,
    value: &Value,
    origins: &mut Vec<(Place, Origin)>,
    failed: &mut bool,
) -> Vec<String> {
    let mut names = Vec::new();
    let list = items(call, value);
    for item in keep(failed, list).into_iter().flatten() {
        let name = package_of(call, item);
        if let Some(name) = keep(failed, name) {
            // Lists of several sources may ask for the same package; the first
            // place is the one that is shown.
            origins.push((Place::Package(name.clone()), place(call, item)));
            names.push(name);
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}

/// The packages with `names` beside its own, or in their place.
pub(super) fn with_names(
    call: &mut Call<'_>,
    base: &PackagesValue,
    names: &[String],
    origins: &[(Place, Origin)],
    replace: bool,
) -> Eval<PackagesValue> {
    count(call, &base.packages.names, &base.origins)?;
    count(call, names, origins)?;
    let mut all = base.clone();
    if replace {
        all.packages.names.clear();
        all.origins
            .retain(|(place, _)| !matches!(place, Place::Package(_)));
    }
    let set: BTreeSet<&String> = all.packages.names.iter().chain(names).collect();
    all.packages.names = set.into_iter().cloned().collect();
    all.origins.extend(origins.iter().cloned());
    Ok(all)
}

/// The packages of two images.
pub(super) fn join(
    call: &mut Call<'_>,
    first: &PackagesValue,
    second: &PackagesValue,
    joint: &Joint,
    failed: &mut bool,
) -> Eval<PackagesValue> {
    let (one, two) = (&first.packages, &second.packages);
    let suites = (one.suite.clone(), two.suite.clone());
    let variant = |packages: &Packages| variant_name(packages.variant).to_owned();
    let recommends = |packages: &Packages| packages.recommends.to_string();
    let different = [
        (Place::Suite, "the suite", suites),
        (Place::Variant, "the variant", (variant(one), variant(two))),
        (
            Place::Packages,
            "`recommends`",
            (recommends(one), recommends(two)),
        ),
    ];
    for (part, what, (one, two)) in different {
        if one != two {
            let site = |call: &Call<'_>, packages: &PackagesValue| {
                let mut places = packages.origins.iter();
                let found = places.find(|(place, _)| *place == part);
                found.map_or_else(|| call.site(), |(_, origin)| call.site_of(*origin))
            };
            let (earlier, later) = (site(call, first), site(call, second));
            *failed = true;
            let values = [one.shown(), two.shown()];
            joint.conflict(call, what, &values, earlier, later);
        }
    }
    let mut both = with_names(call, first, &two.names, &second.origins, false)?;
    for archive in &two.archives {
        call.allocate(256)?;
        if !both.packages.archives.contains(archive) {
            both.packages.archives.push(archive.clone());
        }
    }
    both.keys.extend(second.keys.iter().cloned());
    for (name, reason) in &two.skip {
        let skip = &mut both.packages.skip;
        skip.entry(name.clone()).or_insert_with(|| reason.clone());
    }
    join_effects(call, &mut both, second, joint, failed);
    for (all, more) in [
        (&mut both.packages.exclude, &two.exclude),
        (&mut both.packages.include, &two.include),
    ] {
        all.extend(more.iter().cloned());
        all.sort_unstable();
        all.dedup();
    }
    Ok(both)
}

/// Adds the effects of `second`. One package can have only one account of its scripts.
fn join_effects(
    call: &mut Call<'_>,
    both: &mut PackagesValue,
    second: &PackagesValue,
    joint: &Joint,
    failed: &mut bool,
) {
    let site = |call: &Call<'_>, packages: &PackagesValue, name: &str| {
        let found = packages.scripts.get(name);
        found.map_or_else(|| call.site(), |origin| call.site_of(*origin))
    };
    let earlier = both.clone();
    for (name, effects) in &second.packages.effects {
        let there = earlier.packages.effects.get(name);
        if there.is_some_and(|there| there != effects) {
            *failed = true;
            let message = format!("two accounts of what the scripts of `{name}` do");
            let (earlier, later) = (site(call, &earlier, name), site(call, second, name));
            joint.conflict_of(call, message, earlier, later);
        }
        let effects = effects.clone();
        both.packages.effects.insert(name.clone(), effects);
    }
    let packages = &both.packages;
    let twice = packages.effects.keys();
    let twice = twice.filter(|name| packages.skip.contains_key(*name));
    for name in twice {
        *failed = true;
        let message = format!("the scripts of `{name}` are both skipped and stated");
        let (earlier, later) = (site(call, &earlier, name), site(call, second, name));
        joint.conflict_of(call, message, earlier, later);
    }
    for (name, origin) in &second.scripts {
        both.scripts.entry(name.clone()).or_insert(*origin);
    }
    both.sources.extend(second.sources.iter().cloned());
}

/// Reports packages for an image that has none to add them to.
pub(super) fn none_there(call: &mut Call<'_>, value: &Value, builtin: &str) -> Failed {
    let site = call.site_of_value(value);
    let message = format!("`{builtin}` gives packages to an image without Debian packages");
    let problem = Problem::new(codes::NO_PACKAGES, site, message)
        .note("an image says which suite of Debian its packages are from when it is made")
        .help("make the image with `debian.image { … }` of `std/debian`");
    let call_site = call.site();
    call.report(problem.label(call_site, "in this call"))
}

/// Where a value is written.
fn place(call: &Call<'_>, value: &Value) -> Origin {
    value.origin().unwrap_or(call.origin)
}

fn count(call: &mut Call<'_>, names: &[String], origins: &[(Place, Origin)]) -> Eval<()> {
    let bytes: usize = names.iter().map(|name| name.len() * 2 + 64).sum();
    call.step(origins.len())?;
    call.allocate(bytes)
}
