//! The host's own apt sources, where the host is a Debian. Reads both of apt's
//! forms (`sources.list(5)`): one line each, and deb822 stanzas.

use std::collections::BTreeMap;
use std::path::Path;

/// Debian's releases that imgc knows: what stands in a source's suites.
const CODENAMES: [&str; 7] = [
    "bookworm",
    "trixie",
    "forky",
    "sid",
    "stable",
    "oldstable",
    "testing",
];

/// Only sources with Debian's component count: others call their suites by Debian's
/// names too.
const COMPONENT: &str = "main";

/// The base addresses of the archives `debian` and `debian-security`. Empty where
/// the host is no Debian or has no sources.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
pub(crate) fn of_host() -> BTreeMap<String, Vec<String>> {
    let os_release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !os_release
        .lines()
        .any(|line| matches!(line, "ID=debian" | "ID=\"debian\""))
    {
        return BTreeMap::new();
    }
    let mut files = vec![Path::new("/etc/apt/sources.list").to_owned()];
    if let Ok(folder) = std::fs::read_dir("/etc/apt/sources.list.d") {
        let mut names: Vec<_> = folder
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        names.sort();
        files.extend(names);
    }
    let mut found = BTreeMap::new();
    for file in files {
        let Ok(text) = std::fs::read_to_string(&file) else {
            continue;
        };
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("list") => one_line(&text, &mut found),
            Some("sources") => deb822(&text, &mut found),
            _ => {}
        }
    }
    found
}

fn one_line(text: &str, found: &mut BTreeMap<String, Vec<String>>) {
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        let Some(rest) = line.strip_prefix("deb ") else {
            continue;
        };
        let rest = match rest.trim_start().strip_prefix('[') {
            Some(options) => options.split_once(']').map_or("", |(_, rest)| rest),
            None => rest,
        };
        let mut words = rest.split_whitespace();
        if let (Some(url), Some(suite)) = (words.next(), words.next())
            && words.any(|component| component == COMPONENT)
        {
            note(url, suite, found);
        }
    }
}

fn deb822(text: &str, found: &mut BTreeMap<String, Vec<String>>) {
    for stanza in text.split("\n\n") {
        let mut fields: BTreeMap<String, String> = BTreeMap::new();
        let mut last = String::new();
        for line in stanza.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with([' ', '\t']) {
                if let Some(value) = fields.get_mut(&last) {
                    value.push_str(line);
                }
            } else if let Some((name, value)) = line.split_once(':') {
                last = name.trim().to_ascii_lowercase();
                fields.insert(last.clone(), value.to_owned());
            }
        }
        let words = |name: &str| {
            fields
                .get(name)
                .map_or("", String::as_str)
                .split_whitespace()
        };
        let disabled = words("enabled").next().is_some_and(|word| word == "no");
        let has_main = words("components").any(|word| word == COMPONENT);
        if disabled || !has_main || !words("types").any(|word| word == "deb") {
            continue;
        }
        for url in words("uris") {
            for suite in words("suites") {
                note(url, suite, found);
            }
        }
    }
}

/// Takes `url` for the archive that `suite` belongs to, if it is one of Debian's.
fn note(url: &str, suite: &str, found: &mut BTreeMap<String, Vec<String>>) {
    if !["http://", "https://", "file:///"]
        .iter()
        .any(|scheme| url.starts_with(scheme))
    {
        return;
    }
    let (codename, pocket) = suite.split_once(['-', '/']).unwrap_or((suite, ""));
    if !CODENAMES.contains(&codename) {
        return;
    }
    let archive = match pocket {
        "" | "updates" => "debian",
        "security" => "debian-security",
        _ => return,
    };
    let urls = found.entry(archive.to_owned()).or_default();
    let url = url.trim_end_matches('/').to_owned();
    if !urls.contains(&url) {
        urls.push(url);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let mut found = BTreeMap::new();
        one_line(
            "# deb http://no.example/debian trixie main\n\
             deb [arch=amd64 signed-by=/k] http://a.example/debian/ trixie main # here\n\
             deb-src http://no.example/debian trixie main\n\
             deb http://other.example/apt stable-foo main\n",
            &mut found,
        );
        deb822(
            "Types: deb deb-src\nURIs: http://s.example/debian-security\nSuites: trixie-security\n\
             Components: main\n\n\
             Types: deb\nEnabled: no\nURIs: http://no.example/debian\nSuites: trixie\nComponents: main\n\n\
             Types: deb\nURIs: http://a.example/debian http://b.example/debian\n\
             Suites: bookworm\n bookworm-updates\nComponents: contrib main\n\n\
             Types: deb\nURIs: http://vendor.example/apt\nSuites: bookworm\nComponents: stable\n",
            &mut found,
        );
        assert_eq!(
            found["debian"],
            ["http://a.example/debian", "http://b.example/debian"]
        );
        assert_eq!(
            found["debian-security"],
            ["http://s.example/debian-security"]
        );
        assert_eq!(found.len(), 2);
    }
}
