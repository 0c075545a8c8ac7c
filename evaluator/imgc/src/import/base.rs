//! What `FROM` begins with: which stages lead to the image, and which suite of Debian stands
//! for an image of a registry. Knows images by their names alone; fetches nothing.

use crate::import::dockerfile::Instruction;
use crate::import::draft::Base;
use crate::import::words::{self, Variables};

/// What is taken for an image whose Debian nobody knows.
const SUITE: &str = "trixie";

/// The suites that can be asked for, and the older ones.
const SUITES: [&str; 4] = ["bookworm", "trixie", "forky", "sid"];
const OLD: [&str; 5] = ["bullseye", "buster", "stretch", "jessie", "wheezy"];

/// A stage of a Dockerfile.
#[derive(Debug, Clone)]
pub(super) struct Stage<'a> {
    /// Its `FROM`.
    pub(super) from: &'a Instruction,
    /// The image, with variables replaced, or why it is not known.
    pub(super) image: Result<String, String>,
    /// The platform, if it is said and known.
    pub(super) platform: Option<Result<String, String>>,
    /// Its name, in small letters.
    pub(super) name: Option<String>,
    /// What follows.
    pub(super) body: &'a [Instruction],
}

/// What stands for an image.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Found {
    /// What is taken.
    pub(super) base: Base,
    /// Why that is not all, if it is not.
    pub(super) lost: Option<String>,
    /// What else is to be known.
    pub(super) notes: Vec<String>,
    /// Whether the environment of the image is known.
    pub(super) is_known: bool,
    /// The packages that stand for what the image has.
    pub(super) packages: &'static [&'static str],
}

/// The stages of a Dockerfile. `globals` has the arguments that stand before the first.
pub(super) fn stages<'a>(
    instructions: &'a [Instruction],
    globals: &Variables,
    escape: char,
) -> Vec<Stage<'a>> {
    let mut starts: Vec<usize> = Vec::new();
    for (at, instruction) in instructions.iter().enumerate() {
        if instruction.keyword == "FROM" {
            starts.push(at);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([instructions.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| {
            let from = &instructions[start];
            let words = words::split(&from.text, escape);
            let image = words.first().map_or("", String::as_str);
            let name = match &words[..] {
                [_, word, name, ..] if word.eq_ignore_ascii_case("as") => {
                    Some(name.to_ascii_lowercase())
                }
                _ => None,
            };
            Stage {
                from,
                image: words::expand(image, globals, escape),
                platform: from
                    .option("platform")
                    .map(|platform| words::expand(platform, globals, escape)),
                name,
                body: &instructions[start + 1..end],
            }
        })
        .collect()
}

/// The stages that the last one is made of, the first of them first.
pub(super) fn chain(stages: &[Stage<'_>]) -> Vec<usize> {
    let Some(mut at) = stages.len().checked_sub(1) else {
        return Vec::new();
    };
    let mut chain = vec![at];
    // A stage can only name one before it, so that this ends.
    while let Ok(image) = &stages[at].image
        && let Some(below) = named(&stages[..at], image)
    {
        chain.insert(0, below);
        at = below;
    }
    chain
}

/// The stage of a name.
pub(super) fn named(stages: &[Stage<'_>], name: &str) -> Option<usize> {
    let name = name.to_ascii_lowercase();
    stages
        .iter()
        .position(|stage| stage.name.as_deref() == Some(name.as_str()))
}

/// What stands for an image of a registry.
pub(super) fn of_image(image: &str) -> Found {
    if image == "scratch" {
        return Found {
            is_known: true,
            ..Found::default()
        };
    }
    let (named, digest) = match image.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (image, None),
    };
    let (name, tag) = match named.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (named, ""),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    let is_official = name == last
        || name == format!("library/{last}")
        || name.ends_with(&format!("/library/{last}"))
        || name == format!("docker.io/{last}");
    let words: Vec<&str> = tag.split('-').collect();
    let mut found = Found {
        base: Base {
            suite: Some(SUITE.to_owned()),
            variant: "minbase",
            slim: words.contains(&"slim"),
            ..Base::default()
        },
        ..Found::default()
    };
    if digest.is_some() {
        found.notes.push(
            "the digest of the image is not kept: imgc.lock pins each package instead".to_owned(),
        );
    }
    if last == "debian" && is_official {
        debian(tag, &words, &mut found);
        return found;
    }
    let known = words.iter().find(|word| SUITES.contains(word));
    if let Some(suite) = known {
        found.base.suite = Some((*suite).to_owned());
    }
    if name.contains("/distroless/") {
        if name.ends_with("debian12") {
            found.base.suite = Some("bookworm".to_owned());
        }
        found.base.variant = "distroless";
        found.packages = &["base-files", "ca-certificates", "netbase", "tzdata"];
    }
    let suite = found.base.suite.as_deref().unwrap_or(SUITE);
    let mut why = format!("only Debian itself can be built on; Debian {suite} stands in its place");
    if let Some(package) = package_of(last) {
        why.push_str(&format!(", without {last}: Debian has it as `{package}`"));
    } else {
        why.push_str(", without what else the image has");
    }
    found.lost = Some(why);
    found
}

/// The package that has what an image is named for.
fn package_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "python" => "python3",
        "node" => "nodejs",
        "nginx" => "nginx",
        "golang" => "golang",
        "rust" => "rustc",
        "openjdk" | "eclipse-temurin" => "default-jre-headless",
        "php" => "php-cli",
        "ruby" => "ruby",
        "perl" => "perl",
        "redis" | "valkey" => "redis-server",
        "postgres" => "postgresql",
        "httpd" => "apache2",
        _ => return None,
    })
}

/// What a tag of Debian's own images says.
fn debian(tag: &str, words: &[&str], found: &mut Found) {
    found.is_known = true;
    let first = words.first().copied().unwrap_or_default();
    let number = first.split('.').next().unwrap_or_default();
    let suite = match first {
        "" | "latest" | "stable" | "slim" => "trixie",
        "oldstable" => "bookworm",
        "testing" => "forky",
        "unstable" => "sid",
        _ => match number {
            "14" => "forky",
            "13" => "trixie",
            "12" => "bookworm",
            "11" => "bullseye",
            "10" => "buster",
            _ => first,
        },
    };
    if SUITES.contains(&suite) {
        found.base.suite = Some(suite.to_owned());
    } else if OLD.contains(&suite) {
        found.base.suite = Some("bookworm".to_owned());
        found.lost = Some(format!("{suite} is too old; bookworm stands in its place"));
    } else {
        found.lost = Some(format!(
            "no suite is known for `{tag}`; {SUITE} stands there"
        ));
    }
    if matches!(first, "" | "latest" | "stable" | "slim" | "oldstable") {
        let suite = found.base.suite.as_deref().unwrap_or(SUITE);
        let named = if tag.is_empty() { "no tag" } else { tag };
        found.notes.push(format!(
            "{named} is another suite after a release; {suite} stays"
        ));
    }
    for word in words.iter().skip(1) {
        let is_date = word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit());
        if *word == "backports" {
            found.lost = Some(format!(
                "packages from backports ask for them: `\"NAME/{suite}-backports\"`"
            ));
        } else if is_date {
            found.notes.push(
                "the date of the image is not kept: imgc.lock pins each package instead".to_owned(),
            );
        }
    }
    if first.contains('.') {
        found.notes.push(format!(
            "the point release {first} is not kept: imgc.lock pins each package instead"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_suites() {
        for (image, suite, slim, is_all) in [
            ("debian", "trixie", false, true),
            ("debian:trixie-slim", "trixie", true, true),
            ("debian:12", "bookworm", false, true),
            ("debian:12.5-slim", "bookworm", true, true),
            ("debian:bookworm-20250811-slim", "bookworm", true, true),
            ("docker.io/library/debian:sid", "sid", false, true),
            ("debian:trixie@sha256:00", "trixie", false, true),
            ("debian:bullseye", "bookworm", false, false),
            ("debian:whatever", "trixie", false, false),
            ("debian:trixie-backports", "trixie", false, false),
            ("python:3.12-slim-bookworm", "bookworm", true, false),
            ("reg.example:5000/debian", "trixie", false, false),
            ("alpine:3.20", "trixie", false, false),
        ] {
            let found = of_image(image);
            assert_eq!(found.base.suite.as_deref(), Some(suite), "{image}");
            assert_eq!(found.base.slim, slim, "{image}");
            assert_eq!(found.lost.is_none(), is_all, "{image}");
        }
        assert_eq!(of_image("scratch").base.suite, None);
    }

    #[test]
    fn the_last_stage_and_those_it_is_made_of() {
        let text = "FROM debian AS Base\nFROM golang AS build\nFROM base AS mid\nFROM mid\n";
        let file = crate::import::dockerfile::parse(text);
        let stages = stages(&file.instructions, &Variables::default(), '\\');
        assert_eq!(chain(&stages), [0, 2, 3]);
    }
}
