//! The lock's text: TOML, written by hand for good diffs, read strictly.
//!
//! Long lists have one entry on each line, so that a new version of a package is a
//! change of one line in each list that it stands in.

use std::fmt::Write as _;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{
    ArchiveKey, LOCK_VERSION, Lock, LockError, LockedArchive, LockedBase, LockedBlob, LockedIndex,
    LockedLayer, LockedModule, PackageKey, Pin, Set, base, calls, module,
};
use crate::archives::is_archive;
use crate::depends::is_name;
use crate::index::{is_architecture, is_pool_path};
use crate::release::{is_template, is_word};
use crate::sha256::Sha256;
use crate::solve::{Asked, AskedArchive, Request, Variant};
use crate::time;
use crate::version;

const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_SETS: usize = 4096;

const HEADER: &str = "\
# Made by imgc, and read by it: the Debian packages of this project's images, with
# the signed archives that vouch for them. Keep it under version control. Change it
# with `imgc update`, not by hand.
";

#[derive(Deserialize)]
struct Head {
    version: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: i64,
    #[serde(default)]
    archive: Vec<Spanned<ArchiveText>>,
    #[serde(default)]
    set: Vec<Spanned<SetText>>,
    #[serde(default)]
    pinned: PinnedText,
    #[serde(default)]
    module: Vec<Spanned<ModuleText>>,
    #[serde(default)]
    base: Vec<Spanned<BaseText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaseText {
    reference: String,
    arch: String,
    created: Option<Datetime>,
    manifest: FileText,
    config: FileText,
    layers: Vec<LayerText>,
    packages: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LayerText {
    sha256: String,
    size: u64,
    archive: String,
    compression: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModuleText {
    address: String,
    sha256: String,
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchiveText {
    id: String,
    dist: String,
    suite: String,
    codename: String,
    date: Datetime,
    release: FileText,
    signers: Vec<String>,
    snapshots: Option<String>,
    indices: Vec<IndexText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    sha256: String,
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexText {
    path: String,
    sha256: String,
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetText {
    suite: String,
    arch: String,
    #[serde(default)]
    foreign: Vec<String>,
    variant: String,
    recommends: bool,
    base: Option<String>,
    names: Vec<String>,
    #[serde(default)]
    beside: Vec<BesideText>,
    archives: Vec<Spanned<String>>,
    packages: Vec<Spanned<String>>,
    calls: Vec<String>,
}

/// An archive that is asked for beside those of the suite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BesideText {
    dist: String,
    components: Vec<String>,
    url: Option<String>,
    keys: Option<String>,
    priority: Option<i32>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct PinnedText {
    #[serde(default)]
    packages: Vec<Spanned<PinText>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PinText {
    name: String,
    version: String,
    arch: String,
    archive: String,
    path: String,
    size: u64,
    sha256: String,
}

pub(super) fn render(lock: &Lock) -> String {
    let mut out = String::from(HEADER);
    // Writing to a string can't fail.
    let _ = write_all(&mut out, lock);
    out
}

fn write_all(out: &mut String, lock: &Lock) -> std::fmt::Result {
    writeln!(out, "version = {LOCK_VERSION}")?;
    for archive in &lock.archives {
        writeln!(out, "\n[[archive]]")?;
        writeln!(out, "id = \"{}\"", archive.id)?;
        writeln!(out, "dist = \"{}\"", archive.dist)?;
        writeln!(out, "suite = \"{}\"", archive.suite)?;
        writeln!(out, "codename = \"{}\"", archive.codename)?;
        writeln!(out, "date = {}", time::rfc3339(archive.date))?;
        let LockedArchive { sha256, size, .. } = archive;
        writeln!(out, "release = {{ sha256 = \"{sha256}\", size = {size} }}")?;
        list(out, "signers", &archive.signers)?;
        if let Some(snapshots) = &archive.snapshots {
            writeln!(out, "snapshots = \"{snapshots}\"")?;
        }
        writeln!(out, "indices = [")?;
        for LockedIndex { path, sha256, size } in &archive.indices {
            writeln!(
                out,
                "    {{ path = \"{path}\", sha256 = \"{sha256}\", size = {size} }},"
            )?;
        }
        writeln!(out, "]")?;
    }
    for set in &lock.sets {
        let request = &set.request;
        writeln!(out, "\n[[set]]")?;
        writeln!(out, "suite = \"{}\"", request.suite)?;
        writeln!(out, "arch = \"{}\"", request.arch)?;
        let foreign = request.foreign();
        if !foreign.is_empty() {
            list(out, "foreign", &foreign)?;
        }
        writeln!(out, "variant = \"{}\"", request.variant.name())?;
        writeln!(out, "recommends = {}", request.recommends)?;
        if let Some(base) = &request.base {
            writeln!(out, "base = \"{base}\"")?;
        }
        list(out, "names", &request.names)?;
        write_beside(out, &request.archives)?;
        list(out, "archives", &set.archives)?;
        list(out, "packages", &set.packages)?;
        list(out, "calls", &calls::render(&set.calls, &set.packages))?;
    }
    if !lock.packages.is_empty() {
        writeln!(out, "\n[pinned]\npackages = [")?;
        for pin in &lock.packages {
            let PackageKey {
                name,
                version,
                arch,
            } = &pin.key;
            let Pin {
                archive,
                path,
                size,
                sha256,
                ..
            } = pin;
            writeln!(
                out,
                "    {{ name = \"{name}\", version = \"{version}\", arch = \"{arch}\", archive = \"{archive}\", path = \"{path}\", size = {size}, sha256 = \"{sha256}\" }},"
            )?;
        }
        writeln!(out, "]")?;
    }
    for base in &lock.bases {
        write_base(out, base)?;
    }
    for module in &lock.modules {
        let LockedModule {
            address,
            sha256,
            size,
        } = module;
        writeln!(out, "\n[[module]]\naddress = \"{address}\"")?;
        writeln!(out, "sha256 = \"{sha256}\"\nsize = {size}")?;
    }
    Ok(())
}

fn write_base(out: &mut String, base: &LockedBase) -> std::fmt::Result {
    writeln!(out, "\n[[base]]")?;
    writeln!(out, "reference = \"{}\"", base.reference)?;
    writeln!(out, "arch = \"{}\"", base.arch)?;
    if let Some(created) = base.created {
        writeln!(out, "created = {}", time::rfc3339(created))?;
    }
    for (name, blob) in [("manifest", base.manifest), ("config", base.config)] {
        let LockedBlob { sha256, size } = blob;
        writeln!(out, "{name} = {{ sha256 = \"{sha256}\", size = {size} }}")?;
    }
    writeln!(out, "layers = [")?;
    for layer in &base.layers {
        let LockedBlob { sha256, size } = layer.blob;
        let (archive, compression) = (&layer.archive, &layer.compression);
        writeln!(
            out,
            "    {{ sha256 = \"{sha256}\", size = {size}, archive = \"{archive}\", compression = \"{compression}\" }},"
        )?;
    }
    writeln!(out, "]")?;
    list(out, "packages", &base.packages)
}

fn write_beside(out: &mut String, archives: &[AskedArchive]) -> std::fmt::Result {
    if archives.is_empty() {
        return Ok(());
    }
    writeln!(out, "beside = [")?;
    for archive in archives {
        let names: Vec<String> = archive
            .components
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        let (dist, names) = (&archive.dist, names.join(", "));
        write!(out, "    {{ dist = \"{dist}\", components = [{names}]")?;
        if let Some(url) = &archive.url {
            write!(out, ", url = \"{url}\"")?;
        }
        if let Some(keys) = &archive.keys {
            write!(out, ", keys = \"{keys}\"")?;
        }
        if let Some(priority) = archive.priority {
            write!(out, ", priority = {priority}")?;
        }
        writeln!(out, " }},")?;
    }
    writeln!(out, "]")
}

fn list<T: std::fmt::Display>(out: &mut String, name: &str, items: &[T]) -> std::fmt::Result {
    if items.is_empty() {
        return writeln!(out, "{name} = []");
    }
    writeln!(out, "{name} = [")?;
    for item in items {
        writeln!(out, "    \"{item}\",")?;
    }
    writeln!(out, "]")
}

pub(super) fn parse(text: &str) -> Result<Lock, LockError> {
    if text.len() > MAX_BYTES {
        return Err(LockError::TooBig);
    }
    let place = Place { text };
    let head: Head = toml::from_str(text).map_err(|error| place.format(&error))?;
    match head.version {
        Some(found) if found == i64::from(LOCK_VERSION) => {}
        found => {
            return Err(LockError::Version {
                found: found.unwrap_or(0),
            });
        }
    }
    let file: File = toml::from_str(text).map_err(|error| place.format(&error))?;
    let entries = [
        file.archive.len(),
        file.set.len(),
        file.module.len(),
        file.base.len(),
    ];
    if entries.iter().any(|entries| *entries > MAX_SETS) {
        return Err(LockError::TooBig);
    }
    let mut lock = Lock::default();
    for archive in file.archive {
        let check = place.at(archive.span().start);
        let archive = check.archive(archive.into_inner())?;
        if lock.archive(&archive.key()).is_some() {
            return Err(check.duplicate(archive.key().to_string()));
        }
        lock.archives.push(archive);
    }
    let mut pins = Vec::new();
    for pin in file.pinned.packages {
        let check = place.at(pin.span().start);
        pins.push((check.pin(pin.into_inner())?, check.at));
    }
    pins.sort_by(|(a, _), (b, _)| a.key.cmp(&b.key));
    if let Some([_, (twice, at)]) = pins.windows(2).find(|pair| pair[0].0.key == pair[1].0.key) {
        return Err(place.at(*at).duplicate(twice.key.to_string()));
    }
    lock.packages = pins.into_iter().map(|(pin, _)| pin).collect();
    for set in file.set {
        let check = place.at(set.span().start);
        let set = check.set(set.into_inner(), &lock)?;
        if lock.lookup(&set.request).is_some() {
            return Err(check.duplicate("a set with the same request".to_owned()));
        }
        lock.sets.push(set);
    }
    for module in file.module {
        let check = place.at(module.span().start);
        let module = check.module(module.into_inner())?;
        if lock.module(&module.address).is_some() {
            return Err(check.duplicate(module.address));
        }
        lock.pin_module(module)?;
    }
    for base in file.base {
        let check = place.at(base.span().start);
        let base = check.base(base.into_inner())?;
        if lock.base(&base.reference, &base.arch).is_some() {
            return Err(check.duplicate(base.reference));
        }
        lock.pin_base(base)?;
    }
    lock.prune();
    lock.sort();
    Ok(lock)
}

/// Checks a request that is to be written.
pub(super) fn check_request(request: &Request) -> Result<(), LockError> {
    let fail = |field, value: &str| {
        let value = value.chars().take(200).collect();
        let line = None;
        Err(LockError::Value { line, field, value })
    };
    if !is_word(&request.suite) {
        return fail("suite", &request.suite);
    }
    if !is_architecture(&request.arch) {
        return fail("arch", &request.arch);
    }
    if let Some(name) = request
        .names
        .iter()
        .find(|name| Asked::parse(name).is_none())
    {
        return fail("names", name);
    }
    for archive in &request.archives {
        if let Some((field, value)) = wrong_in(archive) {
            return fail(field, value);
        }
    }
    Ok(())
}

/// What of an archive beside those of a suite can't be, with the name of its field.
fn wrong_in(archive: &AskedArchive) -> Option<(&'static str, &str)> {
    let AskedArchive {
        url,
        dist,
        components,
        ..
    } = archive;
    if !is_word(dist) {
        return Some(("dist", dist));
    }
    if let Some(name) = components.iter().find(|name| !is_word(name)) {
        return Some(("components", name));
    }
    if components.is_empty() {
        return Some(("components", ""));
    }
    let url = url.as_deref()?;
    (!url.contains(':') || !is_archive(url)).then_some(("url", url))
}

/// Finds lines. Only a failure needs one.
#[derive(Clone, Copy)]
struct Place<'a> {
    text: &'a str,
}

impl<'a> Place<'a> {
    fn at(self, at: usize) -> Check<'a> {
        let place = self;
        Check { place, at }
    }

    fn line(self, at: usize) -> Option<usize> {
        let before = self.text.as_bytes().get(..at)?;
        Some(before.iter().filter(|byte| **byte == b'\n').count() + 1)
    }

    fn format(self, error: &toml::de::Error) -> LockError {
        LockError::Format {
            line: error.span().and_then(|span| self.line(span.start)),
            message: error.message().to_owned(),
        }
    }
}

/// Checks the values of an entry that begins at a place.
#[derive(Clone, Copy)]
struct Check<'a> {
    place: Place<'a>,
    at: usize,
}

impl Check<'_> {
    fn value(&self, field: &'static str, value: &str) -> LockError {
        LockError::Value {
            line: self.place.line(self.at),
            field,
            value: value.chars().take(200).collect(),
        }
    }

    fn duplicate(&self, what: String) -> LockError {
        let line = self.place.line(self.at);
        LockError::Duplicate { line, what }
    }

    fn dangling(&self, what: &str) -> LockError {
        LockError::Dangling {
            line: self.place.line(self.at),
            what: what.chars().take(200).collect(),
        }
    }

    fn that(&self, ok: bool, field: &'static str, value: &str) -> Result<(), LockError> {
        if ok {
            return Ok(());
        }
        Err(self.value(field, value))
    }

    fn sha256(&self, text: &str) -> Result<Sha256, LockError> {
        text.parse().map_err(|_| self.value("sha256", text))
    }

    fn module(&self, text: ModuleText) -> Result<LockedModule, LockError> {
        self.that(module::is_address(&text.address), "address", &text.address)?;
        Ok(LockedModule {
            sha256: self.sha256(&text.sha256)?,
            address: text.address,
            size: text.size,
        })
    }

    fn base(&self, text: BaseText) -> Result<LockedBase, LockError> {
        self.that(
            base::is_reference(&text.reference),
            "reference",
            &text.reference,
        )?;
        self.that(is_architecture(&text.arch), "arch", &text.arch)?;
        let created = text.created.map(|date| date.to_string());
        let created = created.map(|date| {
            let read = time::parse_rfc3339(&date);
            read.ok_or_else(|| self.value("created", &date))
        });
        let blob = |text: FileText| {
            Ok(LockedBlob {
                sha256: self.sha256(&text.sha256)?,
                size: text.size,
            })
        };
        let mut layers = Vec::new();
        for layer in text.layers {
            let known = base::COMPRESSIONS.contains(&&*layer.compression);
            self.that(known, "compression", &layer.compression)?;
            layers.push(LockedLayer {
                blob: LockedBlob {
                    sha256: self.sha256(&layer.sha256)?,
                    size: layer.size,
                },
                archive: self.sha256(&layer.archive)?,
                compression: layer.compression,
            });
        }
        let mut packages = Vec::new();
        for package in text.packages {
            let words: Vec<&str> = package.splitn(3, ' ').collect();
            let &[name, version, arch] = words.as_slice() else {
                return Err(self.value("packages", &package));
            };
            let good = is_name(name) && version::check(version).is_ok() && is_architecture(arch);
            self.that(good, "packages", &package)?;
            packages.push(PackageKey {
                name: name.to_owned(),
                version: version.to_owned(),
                arch: arch.to_owned(),
            });
        }
        packages.sort();
        Ok(LockedBase {
            reference: text.reference,
            arch: text.arch,
            created: created.transpose()?,
            manifest: blob(text.manifest)?,
            config: blob(text.config)?,
            layers,
            packages,
        })
    }

    fn archive(&self, text: ArchiveText) -> Result<LockedArchive, LockError> {
        self.that(is_archive(&text.id), "id", &text.id)?;
        self.that(is_word(&text.dist), "dist", &text.dist)?;
        for (field, value) in [("suite", &text.suite), ("codename", &text.codename)] {
            self.that(value.is_empty() || is_word(value), field, value)?;
        }
        let date = text.date.to_string();
        let date = time::parse_rfc3339(&date).ok_or_else(|| self.value("date", &date))?;
        for signer in &text.signers {
            let hex = |b: u8| b.is_ascii_digit() || (b'A'..=b'F').contains(&b);
            let ok = matches!(signer.len(), 40 | 64) && signer.bytes().all(hex);
            self.that(ok, "signers", signer)?;
        }
        self.that(!text.signers.is_empty(), "signers", "")?;
        if let Some(snapshots) = &text.snapshots {
            self.that(is_template(snapshots), "snapshots", snapshots)?;
        }
        let mut indices = Vec::new();
        for index in text.indices {
            self.that(is_pool_path(&index.path), "path", &index.path)?;
            indices.push(LockedIndex {
                sha256: self.sha256(&index.sha256)?,
                path: index.path,
                size: index.size,
            });
        }
        indices.sort();
        if let Some(twice) = indices.windows(2).find(|pair| pair[0].path == pair[1].path) {
            return Err(self.duplicate(twice[0].path.clone()));
        }
        let mut signers = text.signers;
        signers.sort();
        Ok(LockedArchive {
            sha256: self.sha256(&text.release.sha256)?,
            size: text.release.size,
            id: text.id,
            dist: text.dist,
            suite: text.suite,
            codename: text.codename,
            date,
            signers,
            snapshots: text.snapshots,
            indices,
        })
    }

    fn pin(&self, text: PinText) -> Result<Pin, LockError> {
        self.that(is_name(&text.name), "name", &text.name)?;
        let version_ok = version::check(&text.version).is_ok();
        self.that(version_ok, "version", &text.version)?;
        self.that(is_architecture(&text.arch), "arch", &text.arch)?;
        self.that(is_archive(&text.archive), "archive", &text.archive)?;
        self.that(is_pool_path(&text.path), "path", &text.path)?;
        Ok(Pin {
            sha256: self.sha256(&text.sha256)?,
            key: PackageKey {
                name: text.name,
                version: text.version,
                arch: text.arch,
            },
            archive: text.archive,
            path: text.path,
            size: text.size,
        })
    }

    fn set(&self, text: SetText, lock: &Lock) -> Result<Set, LockError> {
        self.that(is_word(&text.suite), "suite", &text.suite)?;
        self.that(is_architecture(&text.arch), "arch", &text.arch)?;
        let variant = Variant::ALL
            .into_iter()
            .find(|variant| variant.name() == text.variant)
            .ok_or_else(|| self.value("variant", &text.variant))?;
        for name in &text.names {
            self.that(Asked::parse(name).is_some(), "names", name)?;
        }
        let mut names = text.names;
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(self.duplicate(twice[0].clone()));
        }
        let mut beside = Vec::new();
        for archive in text.beside {
            let keys = archive.keys.map(|text| self.sha256(&text)).transpose()?;
            let archive = AskedArchive {
                url: archive.url,
                dist: archive.dist,
                components: archive.components,
                keys,
                priority: archive.priority,
            };
            if let Some((field, value)) = wrong_in(&archive) {
                return Err(self.value(field, value));
            }
            beside.push(archive);
        }
        let request = Request {
            suite: text.suite,
            arch: text.arch,
            variant,
            recommends: text.recommends,
            names,
            archives: beside,
            base: text.base.map(|text| self.sha256(&text)).transpose()?,
        };
        // It says nothing that the names don't: it is there for whoever reads the lock.
        let foreign = request.foreign();
        self.that(text.foreign == foreign, "foreign", &text.foreign.join(", "))?;
        let mut archives = Vec::new();
        let mut ids = Vec::new();
        for reference in text.archives {
            let check = self.place.at(reference.span().start);
            let reference = reference.into_inner();
            let words: Vec<&str> = reference.splitn(3, ' ').collect();
            let found = match words[..] {
                [dist, date, ref address @ ..] => time::parse_rfc3339(date).and_then(|date| {
                    lock.archive(&ArchiveKey {
                        dist: dist.to_owned(),
                        date,
                        address: address.first().map(|&address| address.to_owned()),
                    })
                }),
                _ => None,
            };
            let archive = found.ok_or_else(|| check.dangling(&reference))?;
            ids.push(archive.id.as_str());
            archives.push(archive.key());
        }
        archives.sort();
        if let Some(twice) = archives.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(self.duplicate(twice[0].to_string()));
        }
        let mut packages: Vec<PackageKey> = Vec::new();
        let mut seen: Vec<(String, &str, usize)> = Vec::new();
        for reference in text.packages {
            let at = reference.span().start;
            let check = self.place.at(at);
            let reference = reference.into_inner();
            let words: Vec<&str> = reference.splitn(3, ' ').collect();
            let pin = match words[..] {
                [name, version, arch] => lock.pin(&PackageKey {
                    name: name.to_owned(),
                    version: version.to_owned(),
                    arch: arch.to_owned(),
                }),
                _ => None,
            };
            let pin = pin.ok_or_else(|| check.dangling(&reference))?;
            // What vouches for it must be there too.
            if !ids.contains(&pin.archive.as_str()) {
                return Err(check.dangling(&pin.archive));
            }
            let arch = match pin.key.arch.as_str() {
                "all" => &request.arch,
                arch => arch,
            };
            let known = arch == request.arch || foreign.contains(&arch);
            check.that(known, "packages", &reference)?;
            seen.push((pin.key.name.clone(), arch, at));
            packages.push(pin.key.clone());
        }
        seen.sort();
        let same =
            |pair: &&[(String, &str, usize)]| (&pair[0].0, pair[0].1) == (&pair[1].0, pair[1].1);
        if let Some([_, (twice, _, at)]) = seen.windows(2).find(same) {
            return Err(self.place.at(*at).duplicate(twice.clone()));
        }
        let calls = calls::parse(&text.calls, &packages)
            .ok_or_else(|| self.value("calls", &text.calls.join(", ")))?;
        Ok(Set {
            calls,
            request,
            archives,
            packages,
        })
    }
}
