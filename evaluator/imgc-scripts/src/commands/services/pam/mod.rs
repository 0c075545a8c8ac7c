//! pam-auth-update of libpam-runtime: the managed blocks of `/etc/pam.d/common-*`.

mod profiles;
mod stacks;

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice as _};

use self::profiles::Profiles;
use crate::commands::debconf;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "pam-auth-update",
    // That of bookworm and that of trixie.
    origin: Origin::Helper(&[
        "b46dcfcd89682917c2840e0b42ad6cfd0bd18ec4930e58ac840a63356e3cae61",
        "861082578098d25ed7e02d7d7bab7287effc6a378d5e43a4631744f1665cf91e",
    ]),
    run: pam_auth_update,
}];

const QUESTION: &str = "libpam-runtime/profiles";
const OVERRIDE: &str = "libpam-runtime/override";

/// What is asked for.
#[derive(Debug, Default)]
struct Asked {
    force: bool,
    package: bool,
    remove: BTreeSet<BString>,
    disable: BTreeSet<BString>,
    enable: BTreeSet<BString>,
}

impl Asked {
    fn read(args: &[BString]) -> Result<Self, Stop> {
        let mut asked = Self::default();
        let mut args = args.iter().peekable();
        while let Some(arg) = args.next() {
            let list = match arg.as_slice() {
                b"--force" => {
                    asked.force = true;
                    continue;
                }
                b"--package" => {
                    asked.package = true;
                    continue;
                }
                b"--root" => {
                    let root = args.next().cloned().unwrap_or_default();
                    if !matches!(root.as_slice(), b"" | b"/") {
                        return Err(Stop::unsupported("only an empty --root is known"));
                    }
                    continue;
                }
                b"--remove" => &mut asked.remove,
                b"--disable" => &mut asked.disable,
                b"--enable" => &mut asked.enable,
                _ => return Err(Stop::unsupported(format!("the option {arg} is not known"))),
            };
            while let Some(name) = args.next_if(|next| !next.starts_with(b"--")) {
                list.insert(name.clone());
            }
            asked.package |= !list.is_empty();
        }
        Ok(asked)
    }
}

fn pam_auth_update(process: &mut Process<'_, '_>) -> Outcome {
    let frontend = process.env.get(bstr::BStr::new("DEBIAN_HAS_FRONTEND"));
    if frontend.is_none_or(|value| value.is_empty()) {
        return debconf::enter(process);
    }
    let asked = Asked::read(process.args.get(1..).unwrap_or_default())?;
    let mut force = asked.force;
    say(process, &["VERSION", "2.0"])?;
    say(process, &["CAPB", "backup", "escape"])?;
    let profiles = profiles::load(process)?;
    let templates = "/var/lib/dpkg/info/libpam-runtime.templates";
    say(
        process,
        &["X_LOADTEMPLATEFILE", templates, "libpam-runtime"],
    )?;
    let mut sorted = profiles.sorted();
    sorted.retain(|name| !asked.remove.contains(name));
    let shown: Vec<BString> = sorted
        .iter()
        .map(|name| profiles.field(name, "Name"))
        .collect();
    ask(
        process,
        &["SUBST", QUESTION, "profile_names"],
        &bstr::join(", ", &sorted),
    )?;
    ask(
        process,
        &["SUBST", QUESTION, "profiles"],
        &bstr::join(", ", &shown),
    )?;

    let changes = stacks::changes(process);
    let mut enabled = match &changes {
        Some(changes) => {
            let kept = changes
                .modules
                .iter()
                .filter(|name| !asked.remove.contains(*name));
            kept.cloned().collect()
        }
        None => answer(process, QUESTION)?,
    };
    let bytes = process
        .machine
        .files
        .read(b"/var/lib/pam/seen")
        .unwrap_or_default();
    let mut seen: BTreeSet<BString> = bytes.lines().map(BString::from).collect();
    enabled.retain(|name| profiles.has(name));
    enabled.extend(
        sorted
            .iter()
            .filter(|name| asked.enable.contains(*name))
            .cloned(),
    );
    enabled.retain(|name| !asked.disable.contains(name));
    seen.extend(asked.disable.iter().cloned());
    let mut priority = if asked.package { "medium" } else { "high" };
    if enabled.is_empty() {
        seen.clear();
        if !force {
            priority = "high";
        }
    }
    let unseen = |name: &&BString| !seen.contains(*name);
    let fresh = sorted.iter().filter(unseen);
    enabled.extend(
        fresh
            .filter(|name| profiles.field(name, "Default") == "yes")
            .cloned(),
    );
    profiles.sort(&mut enabled);
    enabled.dedup();
    let new = sorted.iter().any(|name| unseen(&name));
    say(process, &["SETTITLE", "libpam-runtime/title"])?;
    if changes.is_none() && !force {
        say(process, &["INPUT", "high", OVERRIDE])?;
        say(process, &["GO"])?;
        force = answer(process, OVERRIDE)? == ["true"];
    }
    if changes.is_none() && !force {
        process.complain("/etc/pam.d/common-* was changed by hand, and stays as it is");
        return Ok(Status::OK);
    }
    enabled = settle(process, &profiles, enabled, priority, new || !asked.package)?;
    let mut lines = Vec::new();
    for name in &sorted {
        lines.extend_from_slice(name);
        lines.push(b'\n');
    }
    stacks::put(process, &"/var/lib/pam/seen".into(), lines)?;
    if stacks::write(process, &profiles, &enabled, changes.as_ref(), force)? {
        say(process, &["FSET", OVERRIDE, "seen", "false"])?;
        say(process, &["SET", OVERRIDE, "false"])?;
    }
    Ok(Status::OK)
}

/// Asks until no two of the profiles are in conflict. Nobody answers, so that the
/// profiles with the lower priority give way.
fn settle(
    process: &mut Process<'_, '_>,
    profiles: &Profiles,
    mut enabled: Vec<BString>,
    priority: &str,
    again: bool,
) -> Result<Vec<BString>, Stop> {
    for _ in 0..10 {
        let mut conflicts = Vec::new();
        if again {
            say(process, &["FSET", QUESTION, "seen", "false"])?;
        }
        ask(process, &["SET", QUESTION], &bstr::join(", ", &enabled))?;
        say(process, &["INPUT", priority, QUESTION])?;
        say(process, &["GO"])?;
        enabled = answer(process, QUESTION)?;
        for name in enabled.clone() {
            let lost = |other: &BString| profiles.conflict(&name, other);
            for other in enabled.iter().filter(|other| lost(other)) {
                let (one, two) = (profiles.field(&name, "Name"), profiles.field(other, "Name"));
                conflicts.push(format!("{one}, {two}"));
            }
            enabled.retain(|other| !lost(other));
        }
        if !conflicts.is_empty() {
            let text = conflicts.join("\\n");
            let question = "libpam-runtime/conflicts";
            ask(process, &["SUBST", question, "conflicts"], text.as_bytes())?;
            say(process, &["INPUT", "high", question])?;
        }
        ask(process, &["SET", QUESTION], &bstr::join(", ", &enabled))?;
        if !enabled.is_empty() && conflicts.is_empty() {
            return Ok(enabled);
        }
        if enabled.is_empty() {
            say(
                process,
                &["INPUT", "high", "libpam-runtime/no_profiles_chosen"],
            )?;
            say(process, &["FSET", QUESTION, "seen", "false"])?;
        }
    }
    Err(Stop::unsupported("no profiles of PAM remain"))
}

fn say(process: &mut Process<'_, '_>, words: &[&str]) -> Result<BString, Stop> {
    let words: Vec<BString> = words.iter().map(|&word| word.into()).collect();
    Ok(debconf::call(process, &words)?.1)
}

/// As [`say`], with a text behind the words.
fn ask(process: &mut Process<'_, '_>, words: &[&str], text: &[u8]) -> Result<(), Stop> {
    let mut words: Vec<BString> = words.iter().map(|&word| word.into()).collect();
    words.push(text.into());
    debconf::call(process, &words)?;
    Ok(())
}

/// The answer to a question, as a list.
fn answer(process: &mut Process<'_, '_>, question: &str) -> Result<Vec<BString>, Stop> {
    let text = say(process, &["GET", question])?;
    let names = text.split_str(", ").filter(|name| !name.is_empty());
    Ok(names.map(BString::from).collect())
}

#[cfg(test)]
mod tests;
