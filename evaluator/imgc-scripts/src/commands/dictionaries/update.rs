//! update-dictcommon-hunspell, update-dictcommon-aspell, update-default-wordlist and
//! update-default-ispell.

use bstr::{BString, ByteSlice as _};

use super::hashes::activate;
use super::register::{self, Loaded, Register};
use super::{CACHE, ask, support, write};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

const ASPELL: &[&str] = &["68aea16201c624f6000dc52eb016d84f4918ce16931fedb66031c7d39b480a37"];

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "update-dictcommon-hunspell",
        origin: Origin::Helper(&[
            "038cb3e4b771110114f906cf61d283b7cc8bfae843e670f793a1ec290dbd0f3c",
        ]),
        run: hunspell,
    },
    Native {
        name: "update-dictcommon-aspell",
        origin: Origin::Helper(ASPELL),
        run: aspell,
    },
    Native {
        name: "update-default-aspell",
        origin: Origin::Helper(ASPELL),
        run: aspell,
    },
    Native {
        name: "update-default-wordlist",
        origin: Origin::Helper(&[
            "dee45462dcfd471b8752da5e4ef967a2f12eeb0a9b6e60c0cc0d3a1e3358050c",
            "88a57d728a8e4d6bd8ed827dca27ad9fb86a0034cbe8cec4185bc68598513647",
        ]),
        run: |process| default(process, &WORDLIST),
    },
    Native {
        name: "update-default-ispell",
        origin: Origin::Helper(&[
            "c7f95e880e8d6b7ebcfac17e306ed566bb47d30dfac46a66ceb677e7b1e0c283",
            "2775ca138804b300c76b0d4a1817f811a44e115f11151eba1a95c055404e2e00",
        ]),
        run: |process| default(process, &ISPELL),
    },
];

/// Where the links to the default of each kind are made.
const ETC: &str = "/etc/dictionaries-common";

/// A kind of dictionary that has a default.
struct Class {
    name: &'static str,
    folder: &'static str,
    /// The names of the links to the default, and the endings of what they lead to.
    links: &'static [(&'static str, &'static str)],
}

const WORDLIST: Class = Class {
    name: "wordlist",
    folder: "/usr/share/dict",
    links: &[("words", "")],
};

const ISPELL: Class = Class {
    name: "ispell",
    folder: "/usr/lib/ispell",
    links: &[("default.hash", ".hash"), ("default.aff", ".aff")],
};

fn hunspell(process: &mut Process<'_, '_>) -> Outcome {
    register::update(process, "hunspell")?;
    support::emacs(process)?;
    support::squirrelmail(process)?;
    Ok(Status::OK)
}

fn aspell(process: &mut Process<'_, '_>) -> Outcome {
    register::update(process, "aspell")?;
    support::emacs(process)?;
    support::squirrelmail(process)?;
    support::jed(process)?;
    tidy(process, "aspell")?;
    process.run(vec!["aspell-autobuildhash".into()])
}

/// What is left of removed dictionaries is to go. In a new system there is none.
fn tidy(process: &mut Process<'_, '_>, class: &str) -> Result<(), Stop> {
    let folder = format!("/var/lib/{class}");
    let Ok(names) = process.machine.files.list(folder.as_bytes()) else {
        return Ok(());
    };
    if names.is_empty() || names.iter().any(|name| name.ends_with(b".remove")) {
        return Err(Stop::unsupported(format!(
            "what is left in {folder} of removed dictionaries is not known"
        )));
    }
    Ok(())
}

/// Sets the default of a kind. Called by a script of a package, it only asks for that to
/// be done when dpkg comes to its triggers.
fn default(process: &mut Process<'_, '_>, class: &Class) -> Outcome {
    let (mut triggered, mut links) = (false, true);
    for option in &process.args[1..] {
        match option.as_slice() {
            b"--skip-symlinks" => links = false,
            b"--rebuild" => {}
            b"--triggered" => triggered = true,
            _ => {
                return Err(Stop::unsupported(format!(
                    "the option {option} is not known"
                )));
            }
        }
    }
    ask(process, &[b"version", b"2.0"])?;
    register::update(process, class.name)?;
    let all = Loaded::default().load(process, class.name)?.clone();
    prepare(process, class, &all)?;
    let name = class.name;
    if !triggered && activate(process, &format!("update-default-{name}"))? {
        return Ok(Status::OK);
    }
    let flag = format!("{CACHE}/flag-{name}-new");
    // It is there where a dictionary of this kind was configured.
    let _ = process.machine.files.unlink(flag.as_bytes());
    let question = format!("dictionaries-common/default-{name}");
    let (known, value) = ask(process, &[b"get", question.as_bytes()])?;
    let mut value = if known { value } else { BString::default() };
    let manual = value.to_ascii_lowercase().starts_with(b"manual");
    if !manual && all.is_empty() && !value.is_empty() {
        ask(process, &[b"set", question.as_bytes(), b""])?;
        value.clear();
    }
    let chosen = (!manual && !all.is_empty()).then_some(value);
    let chosen = match chosen {
        Some(value) if !all.contains_key(&value) => {
            return Err(Stop::unsupported(format!(
                "debconf's default of the kind {name} is none that is installed"
            )));
        }
        chosen => chosen,
    };
    note(process, class, chosen.as_ref())?;
    if class.name == "ispell" {
        for_ispell(process, &all, chosen.as_ref())?;
    }
    match chosen {
        Some(value) if links => link(process, class, &all, &value),
        _ => Ok(Status::OK),
    }
}

/// Makes the links that lead to the links to the default, or takes both away where there
/// is nothing of this kind.
fn prepare(process: &mut Process<'_, '_>, class: &Class, all: &Register) -> Result<(), Stop> {
    let files = &mut process.machine.files;
    for (link, _) in class.links {
        let from = format!("{}/{link}", class.folder);
        let to = format!("{ETC}/{link}");
        if !all.is_empty() {
            // As with the original, a link that leads nowhere stays as it is.
            if !files.exists(from.as_bytes()) {
                let _ = files.symlink(to.as_bytes(), from.as_bytes());
            }
            continue;
        }
        for path in [to, from] {
            let Ok(target) = files.read_link(path.as_bytes()) else {
                continue;
            };
            if !target.starts_with(b"/") {
                return Err(Stop::unsupported(format!(
                    "where {path} leads is not known"
                )));
            }
            if !files.exists(&target) {
                let _ = files.unlink(path.as_bytes());
            }
        }
    }
    Ok(())
}

/// Writes down the default.
fn note(process: &mut Process<'_, '_>, class: &Class, value: Option<&BString>) -> Result<(), Stop> {
    let path = format!("{CACHE}/{}-default", class.name);
    let old = format!("{ETC}/ispell-default");
    let files = &mut process.machine.files;
    let ispell = class.name == "ispell";
    match value {
        Some(value) => {
            write(process, &path, value.to_vec())?;
            if ispell {
                let files = &mut process.machine.files;
                let _ = files.unlink(old.as_bytes());
                let made = files.symlink(path.as_bytes(), old.as_bytes());
                made.map_err(|error| Stop::unsupported(format!("{old}: {error}")))?;
            }
        }
        None => {
            let _ = files.unlink(path.as_bytes());
            if ispell {
                let _ = files.unlink(old.as_bytes());
                write(process, &old, Vec::new())?;
            }
        }
    }
    Ok(())
}

fn for_ispell(
    process: &mut Process<'_, '_>,
    all: &Register,
    chosen: Option<&BString>,
) -> Result<(), Stop> {
    let names: Vec<u8> = all
        .keys()
        .flat_map(|name| [&name[..], b"\n"].concat())
        .collect();
    write(process, &format!("{CACHE}/ispell-dicts-list.txt"), names)?;
    let fields = chosen.and_then(|value| all.get(value));
    let name = fields.and_then(|fields| {
        let field = |name: &str| fields.get(name.as_bytes().as_bstr());
        match field("emacs-display") {
            Some(shown) if shown.eq_ignore_ascii_case(b"no") => None,
            _ => field("emacsen-name").or_else(|| field("hash-name")),
        }
    });
    let name = name.map_or_else(|| "nil".to_owned(), |name| format!("\"{name}\""));
    let text = format!(
        ";; File automatically generated by update-default-ispell\n;;\n\
         ;; Do not manually edit!! Use select-default-ispell script instead\n\n\
         (set-variable 'debian-ispell-dictionary {name})\n"
    );
    let path = format!("{CACHE}/emacsen-ispell-default.el");
    write(process, &path, text.into_bytes())?;
    let args = ["ispell-autobuildhash", "--triggered"].map(BString::from);
    if process.run(args.to_vec())? != Status::OK {
        return Err(Stop::unsupported("ispell-autobuildhash fails"));
    }
    support::emacs(process)?;
    support::jed(process)?;
    support::squirrelmail(process)?;
    tidy(process, "ispell")
}

/// Makes the links to the default.
fn link(process: &mut Process<'_, '_>, class: &Class, all: &Register, value: &BString) -> Outcome {
    let hash = all.get(value).and_then(|of| of.get(b"hash-name".as_bstr()));
    let hash = hash.cloned().unwrap_or_default();
    for (link, ending) in class.links {
        let to = format!("{}/{hash}{ending}", class.folder);
        if !process.machine.files.exists(to.as_bytes()) {
            process.complain(format_args!("could not make the default symlink to {to}"));
            return Ok(Status(2));
        }
        let from = format!("{ETC}/{link}");
        let args = ["ln", "-fs", &to, &from].map(BString::from);
        process.run(args.to_vec())?;
    }
    Ok(Status::OK)
}
