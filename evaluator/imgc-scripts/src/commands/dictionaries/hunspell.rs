//! hunspell's dictionaries that no package says anything of: what their own files say.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice as _};

use super::register::{Fields, Register};
use super::support;
use super::{joined, parts};
use crate::process::{Process, base};
use crate::stop::Stop;

const FOLDER: &str = "/usr/share/hunspell";

/// Names that Emacs has for languages.
const EMACS: [(&str, &str); 21] = [
    ("cs_CZ", "czech"),
    ("da_DK", "dansk"),
    ("de_DE", "german8"),
    ("en_GB", "british"),
    ("en_US", "american"),
    ("eo", "esperanto"),
    ("es", "castellano8"),
    ("es_ES", "castellano8"),
    ("fi_FI", "finnish"),
    ("fr_FR", "francais"),
    ("he_IL", "hebrew"),
    ("it_IT", "italiano"),
    ("nl_NL", "nederlands"),
    ("nn_NO", "norsk"),
    ("pl_PL", "polish"),
    ("pt_BR", "brasileiro"),
    ("pt_PT", "portugues"),
    ("ru_RU", "russian"),
    ("sk_SK", "slovak"),
    ("sl_SI", "slovenian"),
    ("sv_SE", "svenska"),
];

/// Adds to what packages say the dictionaries that are there without a word.
pub(super) fn merge(process: &mut Process<'_, '_>, said: Register) -> Result<Register, Stop> {
    if !process.machine.files.is_directory(FOLDER.as_bytes()) {
        return Ok(Register::new());
    }
    let mut found = Register::new();
    let mut locales: BTreeMap<BString, BTreeSet<BString>> = BTreeMap::new();
    let names = process.machine.files.list(FOLDER.as_bytes());
    for name in names.unwrap_or_default() {
        if name.starts_with(b".") || !name.ends_with(b".aff") {
            continue;
        }
        let path = [FOLDER.as_bytes(), b"/", &name[..]].concat();
        if !process.machine.files.exists(&path) {
            continue;
        }
        let language = language_of(&name);
        if let Ok(target) = process.machine.files.read_link(&path) {
            let original = language_of(base(&target));
            locales.entry(original).or_default().insert(language);
            continue;
        }
        let bytes = process.machine.files.read(&path);
        let bytes = bytes.map_err(|error| Stop::unsupported(format!("{name}: {error}")))?;
        process.machine.spend(bytes.len() as u64 / 256)?;
        locales
            .entry(language.clone())
            .or_default()
            .insert(language.clone());
        let fields = fields_of(&bytes, &language);
        found.insert(language, fields);
    }
    for (language, fields) in &mut found {
        if let Some(locales) = locales.get(language) {
            fields.insert("hunspell-locales".into(), joined(locales));
        }
        if let Some((_, name)) = EMACS.iter().find(|(code, _)| language == code) {
            fields.insert("emacsen-name".into(), (*name).into());
        }
    }
    let (mut emacs, mut hashes) = (BTreeSet::new(), BTreeSet::new());
    let new = support::knows_enchant(process);
    for fields in said.values() {
        let name = fields.get(b"emacsen-name".as_bstr());
        emacs.extend(name.cloned());
        if name.map_or(!new, |name| name != "english_american") {
            hashes.insert(fields[b"hash-name".as_bstr()].clone());
        }
    }
    found.retain(|_, fields| {
        let field = |name: &[u8]| fields.get(name.as_bstr());
        let locales = field(b"hunspell-locales").map_or_else(Vec::new, |all| parts(all));
        !(field(b"emacsen-name").is_some_and(|name| emacs.contains(name))
            || field(b"hash-name").is_some_and(|name| hashes.contains(name))
            || locales.iter().any(|locale| hashes.contains(locale)))
    });
    found.extend(said);
    Ok(found)
}

/// The name of a file without its ending.
fn language_of(name: &[u8]) -> BString {
    match name.strip_suffix(b"aff") {
        Some(stem) if !stem.is_empty() => stem[..stem.len() - 1].into(),
        _ => name.into(),
    }
}

/// What a file says: its coding, and the characters of its words.
fn fields_of(bytes: &[u8], language: &BString) -> Fields {
    let value = |key: &str| {
        let mut lines = bytes.lines().map(<[u8]>::trim_ascii_start);
        let value = lines.find_map(|line| line.strip_prefix(key.as_bytes()))?;
        Some(value.trim_ascii())
    };
    let mut fields = Fields::new();
    fields.insert("hash-name".into(), language.clone());
    fields.insert("emacsen-name".into(), language.clone());
    fields.insert("package".into(), "auto-detect".into());
    if let Some(coding) = value("SET") {
        let mut coding = coding.to_ascii_lowercase();
        if coding.starts_with(b"iso") && coding.get(3).is_some_and(u8::is_ascii_digit) {
            coding.insert(3, b'-');
        }
        fields.insert("coding-system".into(), coding.into());
    }
    if let Some(characters) = value("WORDCHARS") {
        let all = [b"[", characters, b"]"].concat();
        fields.insert("otherchars".into(), all.into());
    }
    if let Some(characters) = value("TRY") {
        let further: Vec<u8> = characters
            .iter()
            .copied()
            .filter(|b| !b.is_ascii())
            .collect();
        let octal: String = further.iter().map(|byte| format!("\\{byte:o}")).collect();
        fields.insert("casechars".into(), format!("[a-zA-Z{octal}]").into());
        fields.insert("not-casechars".into(), format!("[^a-zA-Z{octal}]").into());
        fields.insert("additionalchars".into(), further.into());
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_what_they_have() {
        let text = "# x\nSET ISO8859-1\nTRY esi\u{e9}\n WORDCHARS 0123 \n".as_bytes();
        let fields = fields_of(text, &"fr".into());
        let said: Vec<String> = fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            said,
            [
                "additionalchars=\u{e9}",
                "casechars=[a-zA-Z\\303\\251]",
                "coding-system=iso-8859-1",
                "emacsen-name=fr",
                "hash-name=fr",
                "not-casechars=[^a-zA-Z\\303\\251]",
                "otherchars=[0123]",
                "package=auto-detect",
            ]
        );
        assert_eq!(language_of(b"en_US.aff"), "en_US");
    }
}
