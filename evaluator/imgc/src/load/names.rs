//! Names of images in an engine: `NAME`, `NAME:TAG`, `HOST:PORT/NAME:TAG`. Nothing is
//! looked up.

use std::fmt;

/// A name with its tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// Everything before the tag.
    pub(super) repository: String,
    /// The tag.
    pub(super) tag: String,
}

impl Name {
    /// Reads a name; without a tag, it is `latest`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fail = |why: &str| Err(format!("`{text}` is no name of an image: {why}"));
        let (repository, tag) = match text.rsplit_once(':') {
            // What stands behind a port is no tag.
            Some((repository, tag)) if !tag.contains('/') => (repository, tag),
            _ => (text, "latest"),
        };
        let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let is_tag = tag.len() <= 128
            && tag.bytes().next().is_some_and(is_word)
            && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'));
        if !is_tag {
            return fail("the tag has other characters than letters, digits, `.`, `_` and `-`");
        }
        let (host, path) = match repository.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => {
                (Some(host), path)
            }
            _ => (None, repository),
        };
        let is_small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let is_part = |part: &str| {
            let ends = [part.bytes().next(), part.bytes().last()];
            ends.iter().all(|end| end.is_some_and(is_small))
                && part
                    .bytes()
                    .all(|b| is_small(b) || matches!(b, b'.' | b'_' | b'-'))
        };
        if repository.len() > 255 || !path.split('/').all(is_part) {
            return fail(
                "it has other characters than small letters, digits, and `.`, `_`, `-`, `/` between them",
            );
        }
        let is_host = |host: &str| {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':');
            host.bytes().all(plain)
        };
        if !host.is_none_or(is_host) {
            return fail("the host has other characters than a host has");
        }
        Ok(Self {
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        })
    }

    /// As podman has to be told it: without a host, a name is this machine's own.
    pub(super) fn with_host(&self) -> Self {
        let first = self.repository.split_once('/').map(|(first, _)| first);
        if first.is_some_and(|first| first.contains(['.', ':']) || first == "localhost") {
            return self.clone();
        }
        Self {
            repository: format!("localhost/{}", self.repository),
            tag: self.tag.clone(),
        }
    }

    /// All of it, for the query of an address.
    pub(super) fn in_query(&self) -> String {
        format!("{}%3A{}", self.repository_in_query(), self.tag)
    }

    /// Without the tag. Of all characters that it can have, two mean something there.
    pub(super) fn repository_in_query(&self) -> String {
        self.repository.replace(':', "%3A").replace('/', "%2F")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names() {
        for (text, repository, tag, whole) in [
            ("app", "app", "latest", "localhost/app:latest"),
            ("app:1.0", "app", "1.0", "localhost/app:1.0"),
            ("team/app:x", "team/app", "x", "localhost/team/app:x"),
            (
                "Registry.example:5000/app",
                "Registry.example:5000/app",
                "latest",
                "Registry.example:5000/app:latest",
            ),
            ("localhost/a:b", "localhost/a", "b", "localhost/a:b"),
        ] {
            let name = Name::parse(text).expect("a name");
            assert_eq!((&*name.repository, &*name.tag), (repository, tag), "{text}");
            assert_eq!(name.with_host().to_string(), whole);
        }
        let name = Name::parse("h.example:1/a:b").expect("a name");
        assert_eq!(name.in_query(), "h.example%3A1%2Fa%3Ab");
    }

    #[test]
    fn refuses_what_means_something_elsewhere() {
        for text in [
            "",
            ":x",
            "a:",
            "A",
            "a b",
            "a?x=y",
            "a&b",
            "a/../b",
            "a//b",
            "/a",
            "a/",
            "a@sha256:00",
            "a:b?c",
            "a#b",
            "a%2fb",
            "h_x.y:1/a",
            "ä",
            "a:-b",
            "-a",
            "a:b:c",
        ] {
            assert!(Name::parse(text).is_err(), "{text}");
        }
    }
}
