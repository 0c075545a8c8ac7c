//! The `config` scripts of dictionaries-common and of lists of words, which are in Perl:
//! they choose the default of each kind and put the question to debconf.
//!
//! Each is known by its digest alone. They have been the same in Debian for years.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use super::{CACHE, ask, by_lower_case, joined, parts, text_at, value_of, write};
use crate::commands::Recognised;
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const SCRIPTS: &[Recognised] = &[
    Recognised {
        sha256: "347b4123c5e84014f207e61e6d6a6d42ace0d4bd806bd9ed682a07ba5b1fff54",
        run: common,
    },
    // Of nearly all lists of words.
    Recognised {
        sha256: "b18599ae2f770f303319f0c6ace0f531477875b4c85a87f415b46a7448423d80",
        run: |process| list_of_words(process, false),
    },
    // Of wamerican.
    Recognised {
        sha256: "b6711ad7172053067b2648fa2f6d346faced9c8ef2c6922f59bb69cb77e8f3bb",
        run: |process| list_of_words(process, true),
    },
];

const SELECT: &str = "/usr/share/dictionaries-common/dc-debconf-select.pl";
const DEFAULTS: &str = "/usr/share/dictionaries-common/dc-debconf-default-value.pl";

/// What is preferred where nothing is known of the language: the dictionaries' names, in
/// the order in which they are tried.
const PREFERRED: [&str; 35] = [
    "american",
    "miscfiles",
    "british",
    "canadian",
    "american",
    "british",
    "bulgarian",
    "catalan",
    "czech",
    "danish",
    "ngerman",
    "ogerman",
    "swiss",
    "esperanto",
    "spanish",
    "finnish",
    "faroese",
    "french",
    "irish",
    "gaelic",
    "galician-minimos",
    "manx",
    "hungarian",
    "italian",
    "lithuanian",
    "norwegian->bokma",
    "dutch",
    "norwegian->nynorsk",
    "polish",
    "portuguese",
    "brazilian",
    "russian",
    "swedish",
    "tagalog",
    "ukrainian",
];

const SUFFIXES: [&str; 7] = [
    "", "-insane", "-huge", "-large", "-medium", "-small", "-gut",
];

/// dictionaries-common's.
fn common(process: &mut Process<'_, '_>) -> Outcome {
    if !process.machine.files.exists(SELECT.as_bytes()) {
        return Err(Stop::unsupported("preconfiguring is not known"));
    }
    if process.machine.files.lnode(b"/etc/dictionary").is_some() {
        return Err(Stop::unsupported("an old /etc/dictionary is not known"));
    }
    ask(process, &[b"version", b"2.0"])?;
    for question in [
        "dictionaries-common/languages",
        "dictionaries-common/move_old_usr_dict",
        "dictionaries-common/remove_old_usr_dict_link",
        "shared/packages-ispell",
        "shared/packages-wordlist",
    ] {
        ask(process, &[b"unregister", question.as_bytes()])?;
    }
    ask(process, &[b"go"])?;
    select(process, "ispell")?;
    select(process, "wordlist")?;
    Ok(Status::OK)
}

/// A list of words'. `careful`: it looks for a newer dictionaries-common.
fn list_of_words(process: &mut Process<'_, '_>, careful: bool) -> Outcome {
    ask(process, &[b"version", b"2.0"])?;
    let files = &process.machine.files;
    let newer = files.exists(b"/usr/share/dictionaries-common/elanguages");
    if files.exists(SELECT.as_bytes()) && (newer || !careful) {
        select(process, "wordlist")?;
    }
    Ok(Status::OK)
}

/// A field of a question; none where debconf does not know the question.
fn field(
    process: &mut Process<'_, '_>,
    question: &[u8],
    name: &str,
) -> Result<Option<BString>, Stop> {
    let (known, text) = ask(process, &[b"metaget", question, name.as_bytes()])?;
    Ok(known.then_some(text))
}

/// The packages with dictionaries of a kind, and what each says in `name`.
fn of_packages(
    process: &mut Process<'_, '_>,
    class: &str,
    name: &str,
) -> Result<BTreeMap<BString, BString>, Stop> {
    let shared = format!("shared/packages-{class}");
    let owners = field(process, shared.as_bytes(), "owners")?.unwrap_or_default();
    let mut all = BTreeMap::new();
    for package in parts(&owners) {
        let question = [&package[..], b"/", name.as_bytes()].concat();
        if let Some(text) = field(process, &question, "default")? {
            all.insert(package, text.trim_ascii().into());
        }
    }
    Ok(all)
}

/// Puts the question for the default of a kind.
fn select(process: &mut Process<'_, '_>, class: &str) -> Result<(), Stop> {
    let question = format!("dictionaries-common/default-{class}");
    let question = question.as_bytes();
    let languages = of_packages(process, class, "languages")?;
    let mut new: Vec<BString> = languages.values().flat_map(|text| parts(text)).collect();
    new.sort_by(by_lower_case);
    new.dedup();
    let choices = joined(&new);
    let old = field(process, question, "choices-c")?.unwrap_or_default();
    let mut old = parts(&old);
    old.pop();
    old.sort_by(by_lower_case);
    let old = joined(&old);
    let ready = !new.is_empty() && process.machine.files.exists(DEFAULTS.as_bytes());
    let mut priority = None;
    if ready && old.is_empty() {
        priority = guess(process, class)?;
    }
    let noted = text_at(process, &format!("{CACHE}/{class}-default")).unwrap_or_default();
    let mut lines = noted.lines().map(<[u8]>::trim_ascii);
    let noted = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let mut value = value_of(process, &question.to_str_lossy())?;
    if let Some(noted) = noted
        && value != noted
        && new.iter().any(|name| name == noted)
    {
        ask(process, &[b"set", question, noted])?;
        value = noted.into();
    }
    if value.is_empty() && ready {
        priority = guess(process, class)?.or(priority);
        value = value_of(process, &question.to_str_lossy())?;
    }
    if new.is_empty() {
        return Ok(());
    }
    let right = value.starts_with(b"Manual") || new.contains(&value);
    let priority = priority.unwrap_or(if right { "medium" } else { "high" });
    if choices != old {
        ask(process, &[b"fset", question, b"seen", b"false"])?;
        if process.machine.files.is_directory(CACHE.as_bytes()) {
            write(
                process,
                &format!("{CACHE}/flag-{class}-new"),
                b"1\n".to_vec(),
            )?;
        }
    }
    let (_, seen) = ask(process, &[b"fget", question, b"seen"])?;
    if seen == "false" {
        let (names, shown) = both(process, class, &languages)?;
        ask(process, &[b"subst", question, b"choices", &names])?;
        ask(process, &[b"subst", question, b"echoices", &shown])?;
    }
    ask(process, &[b"input", priority.as_bytes(), question])?;
    ask(process, &[b"title", b"Dictionaries-common"])?;
    ask(process, &[b"go"])?;
    ask(process, &[b"subst", question, b"echoices", &choices])?;
    Ok(())
}

/// The names of the languages and what is shown for them, both in the order of the latter.
fn both(
    process: &mut Process<'_, '_>,
    class: &str,
    languages: &BTreeMap<BString, BString>,
) -> Result<(BString, BString), Stop> {
    let shown = of_packages(process, class, "elanguages")?;
    let mut all: BTreeMap<BString, BString> = BTreeMap::new();
    for (package, text) in languages {
        let names = parts(text);
        let others = shown.get(package).map_or_else(Vec::new, |text| parts(text));
        for (at, name) in names.iter().enumerate() {
            let other = if others.len() == names.len() {
                &others[at]
            } else {
                name
            };
            all.insert(name.clone(), other.clone());
        }
    }
    let mut pairs: Vec<(&BString, &BString)> = all.iter().collect();
    pairs.sort_by(|(_, a), (_, b)| by_lower_case(a, b));
    let names = joined(pairs.iter().map(|(name, _)| *name));
    let shown = joined(pairs.iter().map(|(_, shown)| *shown));
    Ok((names, shown))
}

/// Chooses a default, where there is none yet. Gives the priority of the question.
fn guess(process: &mut Process<'_, '_>, class: &str) -> Result<Option<&'static str>, Stop> {
    let question = format!("dictionaries-common/default-{class}");
    only_c(process, class)?;
    let shared = format!("shared/packages-{class}");
    let owners = field(process, shared.as_bytes(), "owners")?.unwrap_or_default();
    let mut languages: BTreeMap<BString, BString> = BTreeMap::new();
    for package in parts(&owners) {
        let of = |name: &str| format!("{package}/{name}");
        let mut text = value_of(process, &of("languages"))?;
        let (known, preferred) = ask(process, &[b"get", of("defaults").as_bytes()])?;
        if known {
            text = preferred;
        }
        languages.insert(package, text);
    }
    let Some(guess) = preferred(class, &languages) else {
        return Ok(None);
    };
    if value_of(process, &question)?.is_empty() {
        ask(process, &[b"set", question.as_bytes(), &guess])?;
    }
    Ok(Some("medium"))
}

/// The first of the dictionaries that are there, in the order for no language.
fn preferred(class: &str, languages: &BTreeMap<BString, BString>) -> Option<BString> {
    let letter = if class == "ispell" { "i" } else { "w" };
    for wanted in PREFERRED {
        let (name, variant) = wanted.split_once("->").unwrap_or((wanted, ""));
        let letter = if name == "miscfiles" { "" } else { letter };
        let mut packages = SUFFIXES
            .iter()
            .map(|suffix| format!("{letter}{name}{suffix}"));
        let Some(text) = packages.find_map(|name| languages.get(name.as_bytes().as_bstr())) else {
            continue;
        };
        let mut names = parts(text);
        names.retain(|name| {
            name.to_ascii_lowercase()
                .contains_str(variant.to_ascii_lowercase())
        });
        names.sort_by_key(|name| (name.to_ascii_lowercase().contains_str("tex"), name.clone()));
        if let Some(name) = names.first() {
            return Some(name.clone());
        }
    }
    None
}

/// Makes sure that nothing says which language the system is for.
fn only_c(process: &mut Process<'_, '_>, class: &str) -> Result<(), Stop> {
    let old = match class {
        "ispell" => "/etc/alternatives/ispell-dictionary.hash",
        _ => "/etc/alternatives/dictionary",
    };
    let language = value_of(process, "debian-installer/language")?;
    let get = |name: &str| {
        let value = process.env.get(name.as_bytes().as_bstr());
        value.filter(|value| !value.is_empty())
    };
    let env = get("LANG").or(get("LC_MESSAGES")).or(get("LC_ALL"));
    let c = env.is_some_and(|value| value == "C.UTF-8");
    if !c || !language.is_empty() || process.machine.files.lnode(old.as_bytes()).is_some() {
        return Err(Stop::unsupported(
            "a default for a language of the system is not known",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn american_english_comes_first() {
        let languages = |names: &[(&str, &str)]| -> BTreeMap<BString, BString> {
            let all = names.iter();
            all.map(|(a, b)| ((*a).into(), (*b).into())).collect()
        };
        let all = languages(&[
            ("wngerman", "deutsch (New German)"),
            ("wbritish-large", "british-large (British English - large)"),
        ]);
        assert_eq!(
            preferred("wordlist", &all).unwrap(),
            "british-large (British English - large)"
        );
        let all = languages(&[("inorwegian", "nynorsk (Nynorsk), bokmaal (Bokmål)")]);
        assert_eq!(preferred("ispell", &all).unwrap(), "bokmaal (Bokmål)");
        let all = languages(&[("ingerman", "x (TeX), z, y")]);
        assert_eq!(preferred("ispell", &all).unwrap(), "y");
        assert!(preferred("ispell", &languages(&[("ixx", "a")])).is_none());
    }
}
