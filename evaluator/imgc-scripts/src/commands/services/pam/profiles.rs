//! The profiles of `/usr/share/pam-configs`.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice as _};

use crate::process::Process;
use crate::stop::Stop;

const FOLDER: &str = "/usr/share/pam-configs";

/// All profiles, by the names of their files.
#[derive(Debug, Default)]
pub(super) struct Profiles {
    all: BTreeMap<BString, Profile>,
}

#[derive(Debug, Default)]
struct Profile {
    fields: BTreeMap<String, BString>,
    conflicts: BTreeSet<BString>,
}

/// Reads the profiles.
pub(super) fn load(process: &mut Process<'_, '_>) -> Result<Profiles, Stop> {
    let files = &mut process.machine.files;
    let names = files
        .list(FOLDER.as_bytes())
        .map_err(|error| Stop::unsupported(format!("{FOLDER}: {error}")))?;
    let mut profiles = Profiles::default();
    for name in names {
        if name.ends_with(b"~") || name.len() > 2 && name.starts_with(b"#") && name.ends_with(b"#")
        {
            continue;
        }
        let path = format!("{FOLDER}/{name}");
        let bytes = process.machine.files.read(path.as_bytes());
        let bytes = bytes.map_err(|error| Stop::unsupported(format!("{path}: {error}")))?;
        process.machine.spend(1 + bytes.len() as u64 / 256)?;
        if let Some(profile) = parse(&bytes) {
            profiles.all.insert(name, profile);
        }
    }
    Ok(profiles)
}

/// A profile. None for one with a module that does not exist any more.
fn parse(bytes: &[u8]) -> Option<Profile> {
    let mut profile = Profile::default();
    let mut field = String::new();
    for line in bytes.lines() {
        if let Some((name, value)) = header(line) {
            let name = name.to_str_lossy();
            field = name.strip_suffix("-Final").unwrap_or(&name).to_owned();
            if field == "Conflicts" {
                let names = value.split_str(", ").filter(|name| !name.is_empty());
                profile.conflicts.extend(names.map(BString::from));
            } else {
                profile.fields.insert(field.clone(), value.into());
            }
            continue;
        }
        let line = line.trim_ascii();
        let held = profile.fields.entry(field.clone()).or_default();
        if !matches!(line, b"" | b"0") {
            held.push(b'\n');
            held.extend_from_slice(line);
        }
        if held.contains_str("pam_tally") {
            return None;
        }
        let begin = held.len() - held.trim_ascii_start().len();
        held.drain(..begin);
    }
    let interactive = profile.fields.get("Session-Interactive-Only");
    if interactive.is_none_or(|value| value != "yes") {
        for end in ["-Type", "", "-Initial"] {
            let name = format!("Session-noninteractive{end}");
            match profile.fields.get(&format!("Session{end}")).cloned() {
                Some(value) => profile.fields.insert(name, value),
                None => profile.fields.remove(&name),
            };
        }
    }
    Some(profile)
}

/// `Name: value`; the value may be empty.
fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = line.find_byteset(b" \t\r\x0b\x0c").unwrap_or(line.len());
    let name = line[..end]
        .strip_suffix(b":")
        .filter(|name| !name.is_empty())?;
    Some((name, line[end..].trim_ascii_start()))
}

impl Profiles {
    pub(super) fn has(&self, name: &BString) -> bool {
        self.all.contains_key(name)
    }

    /// A field of a profile; empty where it has none.
    pub(super) fn field(&self, name: &BString, field: &str) -> BString {
        let profile = self.all.get(name);
        let value = profile.and_then(|profile| profile.fields.get(field));
        value.cloned().unwrap_or_default()
    }

    /// Whether the profile `name` does not go with `other`.
    pub(super) fn conflict(&self, name: &BString, other: &BString) -> bool {
        let profile = self.all.get(name);
        profile.is_some_and(|profile| profile.conflicts.contains(other))
    }

    /// All names, the highest priority first.
    pub(super) fn sorted(&self) -> Vec<BString> {
        let mut names: Vec<BString> = self.all.keys().cloned().collect();
        self.sort(&mut names);
        names
    }

    /// Sorts names: the highest priority first, then the last name first.
    pub(super) fn sort(&self, names: &mut [BString]) {
        let priority = |name: &BString| {
            let text = self.field(name, "Priority");
            let text = text.trim_ascii();
            let end = text.find_not_byteset(b"-0123456789").unwrap_or(text.len());
            text[..end]
                .to_str()
                .ok()
                .and_then(|text| text.parse::<i64>().ok())
                .unwrap_or(0)
        };
        names.sort_by(|a, b| priority(b).cmp(&priority(a)).then_with(|| b.cmp(a)));
    }

    /// The lines of a profile for a stack (`Auth`), `first` where none came before.
    pub(super) fn lines(&self, name: &BString, stack: &str, first: bool) -> BString {
        let initial = self.field(name, &format!("{stack}-Initial"));
        if first && !matches!(initial.as_slice(), b"" | b"0") {
            return initial;
        }
        self.field(name, stack)
    }
}
