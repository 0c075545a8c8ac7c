//! What Emacs, jed and SquirrelMail are told of dictionaries: a generated file for each.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice as _};

use super::register::{Fields, Loaded, Register};
use super::{CACHE, heading, parts, text_at, write};
use crate::process::Process;
use crate::stop::Stop;

/// The module that the original programs have in common.
const MODULE: &str = "/usr/share/perl5/Debian/DictionariesCommon.pm";

/// Whether the version of dictionaries-common is one that tells Emacs of enchant.
pub(super) fn knows_enchant(process: &mut Process<'_, '_>) -> bool {
    let module = text_at(process, MODULE);
    module.is_none_or(|text| text.contains_str("dico_loadenchantdb"))
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a BString> {
    fields.get(name.as_bytes().as_bstr())
}

fn or(fields: &Fields, name: &str, otherwise: &str) -> BString {
    let found = field(fields, name).cloned();
    found.unwrap_or_else(|| otherwise.into())
}

fn says_no(fields: &Fields, name: &str) -> bool {
    field(fields, name).is_some_and(|value| value == "no")
}

/// Writes what Emacs reads.
pub(super) fn emacs(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    let enchant = knows_enchant(process);
    let kinds: &[&str] = match enchant {
        true => &["ispell", "aspell", "hunspell", "enchant"],
        false => &["aspell", "hunspell", "ispell"],
    };
    let mut loaded = Loaded::default();
    let mut entries: BTreeMap<&str, BTreeMap<BString, BString>> = BTreeMap::new();
    let mut locales: BTreeMap<&str, BTreeMap<BString, BString>> = BTreeMap::new();
    for kind in kinds {
        let register = match *kind {
            "enchant" => of_enchant(process, &mut loaded)?,
            kind => loaded.load(process, kind)?.clone(),
        };
        for fields in register.values() {
            if says_no(fields, "emacs-display") {
                continue;
            }
            let (names, entry) = emacs_entry(fields);
            for name in names {
                let entry = [b"\"", &name[..], b"\"", &entry].concat();
                let of_kind = entries.entry(kind).or_default();
                of_kind.insert(name.clone(), entry.into());
                let own = field(fields, &format!("{kind}-locales"));
                let own = own.filter(|_| *kind != "ispell");
                for locale in own.map_or_else(Vec::new, |all| parts(all)) {
                    let of_kind = locales.entry(kind).or_default();
                    of_kind.insert(locale, name.clone());
                }
            }
        }
    }
    let mut text = heading(";;; ").into_bytes();
    for kind in kinds {
        let Some(of_kind) = entries.get(kind) else {
            continue;
        };
        text.extend_from_slice(format!("\n;; Adding {kind} dicts\n\n").as_bytes());
        for entry in of_kind.values().rev() {
            let head = format!("(add-to-list 'debian-{kind}-only-dictionary-alist\n  '(");
            text.extend_from_slice(&[head.as_bytes(), entry, b"))\n"].concat());
        }
        text.push(b'\n');
    }
    for kind in ["aspell", "hunspell", "enchant"] {
        if kind == "enchant" && !enchant {
            continue;
        }
        let Some(of_kind) = locales.get(kind) else {
            let none = format!("\n\n;; No emacsen-{kind}-equivs entries were found\n");
            text.extend_from_slice(none.as_bytes());
            continue;
        };
        let head = format!(
            "\n\n;; An alist that will try to map {kind} locales to emacsen names\n\n\
             (setq debian-{kind}-equivs-alist '(\n"
        );
        text.extend_from_slice(head.as_bytes());
        for (locale, name) in of_kind {
            let line = [b"     (\"", &locale[..], b"\" \"", name, b"\")\n"].concat();
            text.extend_from_slice(&line);
        }
        let tail = format!(
            "))\n\n;; Get default value for debian-{kind}-dictionary. Will be used if\n\
             ;; spellchecker is {kind} and ispell-local-dictionary is not set.\n\
             ;; We need to get it here, after debian-{kind}-equivs-alist is loaded\n\n\
             (setq debian-{kind}-dictionary (debian-ispell-get-{kind}-default))\n\n"
        );
        text.extend_from_slice(tail.as_bytes());
    }
    write(process, &format!("{CACHE}/emacsen-ispell-dicts.el"), text)
}

/// The names that Emacs has for a dictionary, and what follows a name in the list.
fn emacs_entry(fields: &Fields) -> (Vec<BString>, Vec<u8>) {
    let hash = or(fields, "hash-name", "");
    let mut args = match field(fields, "ispell-args") {
        Some(args) => args.clone(),
        None => [b"-d ", &hash[..]].concat().into(),
    };
    if !args.starts_with(b"-d") && args.find(" -d").is_none() {
        args.extend_from_slice(&[b" -d ", &hash[..]].concat());
    }
    let mut others = or(fields, "otherchars", "[']");
    if others.find("\\\"").is_none() {
        others = others.replacen("\"", "\\\"", 1).into();
    }
    let many = field(fields, "many-otherchars").is_some_and(|value| value == "yes");
    let extended = match field(fields, "extended-character-mode") {
        Some(mode) => [b"\"", &mode[..], b"\""].concat(),
        None => b"nil".to_vec(),
    };
    let coding = or(fields, "coding-system", "nil").to_ascii_lowercase();
    let words: Vec<&[u8]> = args
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .collect();
    let text = |text: &[u8]| [b"\"", text, b"\""].concat();
    let lines: [Vec<u8>; 8] = [
        Vec::new(),
        text(&or(fields, "casechars", "[a-zA-Z]")),
        text(&or(fields, "not-casechars", "[^a-zA-Z]")),
        text(&others),
        if many { b"t".to_vec() } else { b"nil".to_vec() },
        [b"(\"", &bstr::join("\" \"", words)[..], b"\")"].concat(),
        extended,
        coding,
    ];
    let name = field(fields, "emacsen-name").unwrap_or(&hash);
    let names = parts(field(fields, "emacsen-names").unwrap_or(name));
    (names, bstr::join("\n     ", lines))
}

/// The dictionaries that enchant finds: hunspell's, and aspell's beside them.
fn of_enchant(process: &mut Process<'_, '_>, loaded: &mut Loaded) -> Result<Register, Stop> {
    let mut merged = Register::new();
    let mut names = BTreeSet::new();
    for kind in ["hunspell", "aspell"] {
        for (language, fields) in loaded.load(process, kind)? {
            let hash = or(fields, "hash-name", "");
            let plain = match hash.as_slice() {
                [a, b] => a.is_ascii_lowercase() && b.is_ascii_lowercase(),
                [a, b, b'_', c, d] => {
                    [a, b].iter().all(|b| b.is_ascii_lowercase())
                        && [c, d].iter().all(|b| b.is_ascii_uppercase())
                }
                _ => false,
            };
            let name = field(fields, "emacsen-name").unwrap_or(&hash);
            if !plain || merged.contains_key(language) || !names.insert(name.clone()) {
                continue;
            }
            let mut fields = fields.clone();
            if let Some(locales) = field(&fields, &format!("{kind}-locales")).cloned() {
                fields.insert("enchant-locales".into(), locales);
            }
            merged.insert(language.clone(), fields);
        }
    }
    Ok(merged)
}

/// Writes what jed reads.
pub(super) fn jed(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    let mut text = heading("%%% ").into_bytes();
    let mut loaded = Loaded::default();
    for kind in ["aspell", "ispell"] {
        let register = loaded.load(process, kind)?;
        let (mut plain, mut wide) = (BTreeMap::new(), BTreeMap::new());
        for fields in register.values() {
            if says_no(fields, "jed-display") {
                continue;
            }
            let hash = or(fields, "hash-name", "");
            let name = field(fields, "emacsen-name").unwrap_or(&hash).clone();
            let further = characters(&or(fields, "additionalchars", ""));
            let others = or(fields, "otherchars", "'");
            let others = others.strip_prefix(b"[").unwrap_or(&others);
            let others = characters(others.strip_suffix(b"]").unwrap_or(others));
            let args = or(fields, "ispell-args", "");
            let mode = or(fields, "extended-character-mode", "");
            let call = |indent: &str, lines: &[&[u8]]| {
                let head = format!("{indent}{kind}_add_dictionary (\n");
                let ends = lines
                    .iter()
                    .map(|line| [indent.as_bytes(), b"  \"", line, b"\""].concat());
                let ends: Vec<Vec<u8>> = ends.collect();
                [head.as_bytes(), &bstr::join(",\n", ends), b");"].concat()
            };
            if kind == "ispell" {
                let lines: [&[u8]; 6] = [&name, &hash, &further, &others, &mode, &args];
                plain.insert(name.clone(), call("  ", &lines));
            } else {
                plain.insert(
                    name.clone(),
                    call("  ", &[&name, &hash, &further, &others, &args]),
                );
                let coding = or(fields, "coding-system", "l1");
                let [further, others] =
                    [further, others].map(|text| in_utf8(&text, &coding).ok_or(()));
                let (Ok(further), Ok(others)) = (further, others) else {
                    return Err(Stop::unsupported(format!(
                        "the coding {coding} is not known"
                    )));
                };
                let lines: [&[u8]; 5] = [&name, &hash, &further, &others, &args];
                let entry = call("    ", &lines);
                wide.insert(name, entry);
            }
        }
        if plain.is_empty() {
            continue;
        }
        let sorted = |all: BTreeMap<BString, Vec<u8>>| {
            let mut all: Vec<Vec<u8>> = all.into_values().collect();
            all.sort_unstable();
            bstr::join("\n", all)
        };
        text.extend_from_slice(format!("\n#ifexists {kind}_add_dictionary\n").as_bytes());
        if kind == "aspell" {
            text.extend_from_slice(b"  if (_slang_utf8_ok) {\n");
            text.extend_from_slice(&sorted(wide));
            text.extend_from_slice(b"\n  } else {\n");
            text.extend_from_slice(&sorted(plain));
            text.extend_from_slice(b"\n  }");
        } else {
            text.extend_from_slice(&sorted(plain));
        }
        text.extend_from_slice(b"\n#endif\n");
    }
    write(process, &format!("{CACHE}/jed-ispell-dicts.sl"), text)
}

/// `\303` and the like as the bytes that they stand for.
fn characters(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if let Some([b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7']) =
            text.get(at..at + 4)
        {
            out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
            at += 4;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    out
}

/// A text in UTF-8. None where its coding is not known here.
fn in_utf8(text: &[u8], coding: &BString) -> Option<Vec<u8>> {
    match coding.to_ascii_lowercase().as_slice() {
        b"l1" | b"iso-8859-1" | b"iso8859-1" | b"latin1" => {
            let text: String = text.iter().map(|&byte| char::from(byte)).collect();
            Some(text.into_bytes())
        }
        b"utf-8" | b"utf8" => text.to_str().is_ok().then(|| text.to_vec()),
        coding if coding.starts_with(b"iso") || coding.starts_with(b"koi8") => {
            text.is_ascii().then(|| text.to_vec())
        }
        _ => None,
    }
}

/// Writes what SquirrelMail reads.
pub(super) fn squirrelmail(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    let mut loaded = Loaded::default();
    let mut lines = Vec::new();
    for kind in ["aspell", "ispell", "hunspell"] {
        for (language, fields) in loaded.load(process, kind)? {
            if is_tex(language) {
                continue;
            }
            let name = match field(fields, "squirrelmail") {
                Some(name) if name.eq_ignore_ascii_case(b"no") => continue,
                Some(name) => name.clone(),
                None => match in_brackets(language) {
                    Some(name) => name,
                    None => continue,
                },
            };
            let params = params(fields);
            let call = format!("  '{name} ({kind})' => '{kind} -a ");
            lines.push([call.as_bytes(), &params, b"'"].concat());
        }
    }
    lines.sort_unstable();
    let mut text = b"<?php\n".to_vec();
    text.extend_from_slice(heading("### ").as_bytes());
    text.extend_from_slice(b"$SQSPELL_APP = array (\n");
    text.extend_from_slice(&bstr::join(",\n", lines));
    text.extend_from_slice(b"\n);\n");
    write(process, &format!("{CACHE}/sqspell.php"), text)
}

/// Whether it is a variant for TeX: `tex` with no letter beside it.
fn is_tex(language: &[u8]) -> bool {
    let lower = language.to_ascii_lowercase();
    let letter = |at: usize| lower.get(at).is_none_or(u8::is_ascii_lowercase);
    let mut found = lower.find_iter("tex");
    found.any(|at| at > 0 && !letter(at - 1) && !letter(at + 3))
}

/// What is in the brackets at the end.
fn in_brackets(language: &[u8]) -> Option<BString> {
    let text = language.strip_suffix(b")")?;
    // The longest beginning is what is before them.
    let open = text[..text.len().saturating_sub(1)].rfind_byte(b'(')?;
    Some(text[open + 1..].into())
}

fn params(fields: &Fields) -> Vec<u8> {
    let option = |letter: &str, name: &str| match field(fields, name) {
        Some(value) => [letter.as_bytes(), b" ", &value[..]].concat(),
        None => Vec::new(),
    };
    let args = or(fields, "ispell-args", "");
    let mut dictionary = option("-d", "hash-name");
    if args
        .split(u8::is_ascii_whitespace)
        .any(|word| word.starts_with(b"-d"))
    {
        dictionary.clear();
    }
    let mode = field(fields, "extended-character-mode").map_or_else(Vec::new, |mode| {
        let mode = mode.strip_prefix(b"~").unwrap_or(mode);
        [b"-T ", mode].concat()
    });
    let all = [
        dictionary,
        option("-w", "additionalchars"),
        mode,
        args.into(),
    ];
    bstr::join(" ", all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_characters_are_taken_apart() {
        assert_eq!(in_brackets(b"english (American)").unwrap(), "American");
        assert_eq!(in_brackets(b"a (b (c))").unwrap(), "c)");
        assert!(in_brackets(b"en_US").is_none());
        assert!(is_tex(b"german (new TeX mode)"));
        assert!(!is_tex(b"texan") && !is_tex(b"german tex"));
        assert_eq!(characters(b"a\\303\\251\\9"), b"a\xc3\xa9\\9");
        assert_eq!(in_utf8(b"\xe9", &"L1".into()).unwrap(), "\u{e9}".as_bytes());
        assert!(in_utf8(b"\xe9", &"iso-8859-2".into()).is_none());
    }
}
