//! Unit files as systemd finds and reads them: search paths, `[Install]` sections with
//! their drop-ins, presets. See systemd.unit(5) and systemd.preset(5).

use bstr::{BString, ByteSlice as _};

use crate::machine::Machine;
use crate::stop::Stop;

/// How many links and drop-ins of one unit are followed.
const DEPTH: usize = 32;

/// Where the units of the system or of users are.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// Where links are made.
    pub(super) etc: &'static str,
    folders: Vec<&'static str>,
    presets: [&'static str; 4],
}

impl Scope {
    /// The scope of the system's units, or of users'.
    pub(super) fn new(machine: &Machine<'_>, user: bool) -> Self {
        if user {
            return Self {
                etc: "/etc/systemd/user",
                folders: vec![
                    "/etc/systemd/user",
                    "/usr/local/lib/systemd/user",
                    "/usr/local/share/systemd/user",
                    "/usr/share/systemd/user",
                    "/usr/lib/systemd/user",
                ],
                presets: [
                    "/etc/systemd/user-preset",
                    "/run/systemd/user-preset",
                    "/usr/local/lib/systemd/user-preset",
                    "/usr/lib/systemd/user-preset",
                ],
            };
        }
        let mut folders = vec!["/etc/systemd/system", "/usr/local/lib/systemd/system"];
        if version(machine) < 254 {
            folders.push("/lib/systemd/system");
        }
        folders.push("/usr/lib/systemd/system");
        Self {
            etc: "/etc/systemd/system",
            folders,
            presets: [
                "/etc/systemd/system-preset",
                "/run/systemd/system-preset",
                "/usr/local/lib/systemd/system-preset",
                "/usr/lib/systemd/system-preset",
            ],
        }
    }
}

/// The version of systemd in the tree; that of Debian 13 where it can't be seen.
pub(super) fn version(machine: &Machine<'_>) -> u32 {
    let files = &machine.files;
    let mut folders = vec![BString::from("/usr/lib/systemd")];
    for name in files.list(b"/usr/lib").unwrap_or_default() {
        if name.contains_str("-linux-") {
            folders.push(format!("/usr/lib/{name}/systemd").into());
        }
    }
    for folder in folders {
        for name in files.list(&folder).unwrap_or_default() {
            let number = name
                .strip_prefix(b"libsystemd-shared-")
                .and_then(|rest| rest.strip_suffix(b".so"));
            if let Some(number) = number.and_then(|text| text.to_str().ok()?.parse().ok()) {
                return number;
            }
        }
    }
    257
}

/// A unit that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// It is nowhere.
    Nothing,
    /// It is a link to `/dev/null`, or empty.
    Masked,
    /// It is there.
    Unit(Unit),
}

/// A unit with what its `[Install]` section says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// Its own name, which an alias leads to.
    pub(super) name: BString,
    /// Its file.
    pub(super) path: BString,
    pub(super) alias: Vec<BString>,
    pub(super) wanted_by: Vec<BString>,
    pub(super) required_by: Vec<BString>,
    pub(super) upheld_by: Vec<BString>,
    pub(super) also: Vec<BString>,
    pub(super) default_instance: Option<BString>,
}

impl Unit {
    /// Whether enabling it makes links.
    pub(super) fn has_links(&self) -> bool {
        [
            &self.alias,
            &self.wanted_by,
            &self.required_by,
            &self.upheld_by,
        ]
        .iter()
        .any(|list| !list.is_empty())
    }
}

/// Looks for a unit by its name. Links to other units are followed.
pub(super) fn find(
    machine: &mut Machine<'_>,
    scope: &Scope,
    name: &BString,
) -> Result<Found, Stop> {
    let mut name = name.clone();
    for _ in 0..DEPTH {
        machine.spend(1)?;
        let template = template(&name);
        let names = [Some(&name), template.as_ref()];
        let mut found = None;
        for candidate in names.into_iter().flatten() {
            let mut paths = scope.folders.iter().map(|folder| join(folder, candidate));
            found = paths.find(|path| machine.files.lnode(path).is_some());
            if found.is_some() {
                break;
            }
        }
        let Some(path) = found else {
            return Ok(Found::Nothing);
        };
        let target = machine.files.read_link(&path).ok();
        match target {
            Some(target) if target == "/dev/null" => return Ok(Found::Masked),
            Some(target) => {
                let last = target
                    .rsplit_once_str("/")
                    .map_or(&target[..], |(_, last)| last);
                let known = last == name.as_slice()
                    || template
                        .as_ref()
                        .is_some_and(|template| last == template.as_slice());
                if !known {
                    // An instance stays one when its template is an alias.
                    name = instance_of(&name, last);
                    continue;
                }
                // A link to a file elsewhere with the same name.
                return read(machine, scope, name, path);
            }
            None => return read(machine, scope, name, path),
        }
    }
    Err(Stop::unsupported(format!(
        "the aliases of {name} have no end"
    )))
}

fn read(
    machine: &mut Machine<'_>,
    scope: &Scope,
    name: BString,
    path: BString,
) -> Result<Found, Stop> {
    let Ok(bytes) = machine.files.read(&path) else {
        return Ok(Found::Nothing);
    };
    if bytes.is_empty() {
        return Ok(Found::Masked);
    }
    machine.spend(bytes.len() as u64 / 256)?;
    let mut unit = Unit {
        name: name.clone(),
        path,
        ..Unit::default()
    };
    section(&bytes, &mut unit)?;
    // Drop-ins, sorted by their names over all folders; the first folder wins.
    let mut drops: Vec<(BString, BString)> = Vec::new();
    for owner in [template(&name), Some(name)].into_iter().flatten() {
        for folder in &scope.folders {
            let folder = BString::from(format!("{folder}/{owner}.d"));
            for file in machine.files.list(&folder).unwrap_or_default() {
                let known = drops.iter().any(|(other, _)| *other == file);
                if file.ends_with(b".conf") && !known {
                    let path = format!("{folder}/{file}").into();
                    drops.push((file, path));
                }
            }
        }
    }
    drops.sort();
    for (_, path) in drops {
        let bytes = machine.files.read(&path).unwrap_or_default();
        section(&bytes, &mut unit)?;
    }
    Ok(Found::Unit(unit))
}

/// Adds what an `[Install]` section says.
fn section(bytes: &[u8], unit: &mut Unit) -> Result<(), Stop> {
    let mut inside = false;
    let mut held: Vec<u8> = Vec::new();
    for line in bytes.lines() {
        let line = line.trim_ascii();
        if line.starts_with(b"#") || line.starts_with(b";") {
            continue;
        }
        if let Some(begin) = line.strip_suffix(b"\\") {
            held.extend_from_slice(begin);
            held.push(b' ');
            continue;
        }
        held.extend_from_slice(line);
        let line = std::mem::take(&mut held);
        if line.starts_with(b"[") {
            inside = line == b"[Install]";
            continue;
        }
        let Some((key, value)) = line.split_once_str("=").filter(|_| inside) else {
            continue;
        };
        let (key, value) = (key.trim_ascii(), value.trim_ascii());
        let list = match key {
            b"Alias" => &mut unit.alias,
            b"WantedBy" => &mut unit.wanted_by,
            b"RequiredBy" => &mut unit.required_by,
            b"UpheldBy" => &mut unit.upheld_by,
            b"Also" => &mut unit.also,
            b"DefaultInstance" => {
                unit.default_instance = (!value.is_empty()).then(|| value.into());
                continue;
            }
            _ => continue,
        };
        for word in value
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
        {
            let quote = |b: &u8| matches!(b, b'"' | b'\'');
            let word: BString = word
                .iter()
                .copied()
                .filter(|b| !quote(b))
                .collect::<Vec<_>>()
                .into();
            list.push(specifiers(&word, &unit.name)?);
        }
    }
    Ok(())
}

/// Replaces the specifiers that `[Install]` may use.
fn specifiers(word: &BString, name: &BString) -> Result<BString, Stop> {
    let mut done = BString::default();
    let mut bytes = word.iter();
    let (stem, _) = name.rsplit_once_str(".").unwrap_or((name, b""));
    let (prefix, instance) = stem.split_once_str("@").unwrap_or((stem, b""));
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            done.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => done.extend_from_slice(name),
            Some(b'N') => done.extend_from_slice(stem),
            Some(b'p') => done.extend_from_slice(prefix),
            Some(b'i') => done.extend_from_slice(instance),
            Some(b'j') => {
                let last = prefix.rsplit_str("-").next().unwrap_or(prefix);
                done.extend_from_slice(last);
            }
            Some(b'%') => done.push(b'%'),
            _ => {
                return Err(Stop::unsupported(format!(
                    "{word} has an unknown specifier"
                )));
            }
        }
    }
    Ok(done)
}

/// Whether presets say that a unit is to be enabled: the first line that fits; else yes.
pub(super) fn is_preset(
    machine: &mut Machine<'_>,
    scope: &Scope,
    name: &BString,
) -> Result<bool, Stop> {
    let mut files: Vec<(BString, BString)> = Vec::new();
    for folder in scope.presets {
        for file in machine.files.list(folder.as_bytes()).unwrap_or_default() {
            let known = files.iter().any(|(other, _)| *other == file);
            if file.ends_with(b".preset") && !known {
                let path = format!("{folder}/{file}").into();
                files.push((file, path));
            }
        }
    }
    files.sort();
    for (_, path) in files {
        let bytes = machine.files.read(&path).unwrap_or_default();
        machine.spend(1 + bytes.len() as u64 / 64)?;
        for line in bytes.lines() {
            let mut words = line
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            let (Some(verb), Some(pattern)) = (words.next(), words.next()) else {
                continue;
            };
            if !fits(pattern, name) {
                continue;
            }
            match verb {
                b"enable" if words.next().is_some() => {
                    let name = name.as_bstr();
                    return Err(Stop::unsupported(format!(
                        "the preset of {name} has instances"
                    )));
                }
                b"enable" => return Ok(true),
                b"disable" | b"ignore" => return Ok(false),
                _ => {}
            }
        }
    }
    Ok(true)
}

/// Whether a name fits a pattern with `*`, `?` and `[…]`, as fnmatch(3) has it.
pub(super) fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let Ok(pattern) = pattern.to_str() else {
        return pattern == name;
    };
    // Most names differ before the first sign.
    let plain = pattern.find(['*', '?', '[']);
    if plain.is_none() || !name.starts_with(&pattern.as_bytes()[..plain.unwrap_or_default()]) {
        return pattern.as_bytes() == name;
    }
    let mut regex = String::from("(?s-u)^");
    let mut rest = pattern.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' if rest.as_str().contains(']') => {
                regex.push('[');
                for letter in rest.by_ref() {
                    match letter {
                        '!' if regex.ends_with('[') => regex.push('^'),
                        '\\' | '[' | '&' | '~' => regex.extend(['\\', letter]),
                        ']' => break,
                        _ => regex.push(letter),
                    }
                }
                regex.push(']');
            }
            _ => regex.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push('$');
    regex::bytes::Regex::new(&regex).is_ok_and(|regex| regex.is_match(name))
}

/// The template of an instance: `a@.service` of `a@b.service`.
pub(super) fn template(name: &[u8]) -> Option<BString> {
    let (prefix, rest) = name.split_once_str("@")?;
    let (instance, suffix) = rest.rsplit_once_str(".")?;
    let (prefix, suffix) = (prefix.as_bstr(), suffix.as_bstr());
    (!instance.is_empty()).then(|| format!("{prefix}@.{suffix}").into())
}

/// Whether a name is one of a template: `a@.service`.
pub(super) fn is_template(name: &[u8]) -> bool {
    name.contains_str("@.")
}

/// The instance of the template `other` that `name` is, or `other` where it is none.
fn instance_of(name: &[u8], other: &[u8]) -> BString {
    let instance = name
        .split_once_str("@")
        .and_then(|(_, rest)| rest.rsplit_once_str("."))
        .map(|(instance, _)| instance)
        .filter(|instance| !instance.is_empty());
    match (instance, other.split_once_str("@.")) {
        (Some(instance), Some((prefix, suffix))) => {
            let (prefix, instance, suffix) =
                (prefix.as_bstr(), instance.as_bstr(), suffix.as_bstr());
            format!("{prefix}@{instance}.{suffix}").into()
        }
        _ => other.into(),
    }
}

/// The path of `name` in `folder`.
pub(super) fn join(folder: &str, name: &[u8]) -> BString {
    BString::from([folder.as_bytes(), b"/", name].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn units_are_found_through_aliases_and_templates() {
        let mut m = machine();
        m.spend_anew();
        m.put(
            "/usr/lib/systemd/system/a@.service",
            "[Install]\nWantedBy=x-%i.target\n",
            0o644,
        );
        m.put(
            "/etc/systemd/system/a@b.service.d/1.conf",
            "[Install]\nAlso=c.service\n",
            0o644,
        );
        m.files
            .symlink(b"a@.service", b"/usr/lib/systemd/system/d@.service")
            .unwrap();
        m.files
            .symlink(b"/dev/null", b"/etc/systemd/system/m.service")
            .unwrap();
        let scope = Scope::new(&m, false);
        let Found::Unit(unit) = find(&mut m, &scope, &"d@b.service".into()).unwrap() else {
            panic!("it is there");
        };
        assert_eq!(unit.name, "a@b.service");
        assert_eq!(unit.path, "/usr/lib/systemd/system/a@.service");
        assert_eq!(unit.wanted_by, ["x-b.target"]);
        assert_eq!(unit.also, ["c.service"]);
        assert_eq!(
            find(&mut m, &scope, &"m.service".into()).unwrap(),
            Found::Masked
        );
        assert_eq!(
            find(&mut m, &scope, &"n.service".into()).unwrap(),
            Found::Nothing
        );
    }

    #[test]
    fn the_first_preset_wins() {
        let mut m = machine();
        m.spend_anew();
        m.put(
            "/usr/lib/systemd/system-preset/90-x.preset",
            "disable a.*\nenable b.*\n",
            0o644,
        );
        m.put(
            "/etc/systemd/system-preset/10-y.preset",
            "# n\nenable a.s*\n",
            0o644,
        );
        let scope = Scope::new(&m, false);
        let mut preset = |name: &str| is_preset(&mut m, &scope, &name.into()).unwrap();
        assert!(preset("a.service"));
        assert!(!preset("a.path"));
        assert!(preset("z.service"));
    }

    #[test]
    fn patterns() {
        assert!(fits(b"a[0-9]?.*", b"a5x.service"));
        assert!(!fits(b"a[!0-9]*", b"a5"));
        assert!(fits(b"a.service", b"a.service") && !fits(b"a.service", b"a.service2"));
        assert!(!fits(b"a*", b"ba") && fits(b"*a", b"ba") && !fits(b"b*a", b"bab"));
        assert!(fits(b"a[", b"a[") && !fits(b"a[", b"a"));
    }
}
