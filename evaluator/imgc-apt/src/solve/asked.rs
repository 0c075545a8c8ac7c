//! How a package is asked for: a name, and perhaps a version, a suite, an architecture.
//! Reads the text, and knows nothing of what there is.

use crate::depends::is_name;
use crate::index::is_architecture;
use crate::release::is_word;
use crate::version;

/// A package that is asked for: `curl`, `curl=8.14.1-2`, `curl/trixie-backports`,
/// `libc6:arm64`, as apt takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The package's name.
    pub name: &'a str,
    /// The architecture, if one is said.
    pub arch: Option<&'a str>,
    /// Which of its versions.
    pub wish: Wish<'a>,
}

/// Which version of a package is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish<'a> {
    /// The one that the archives' priorities choose.
    Candidate,
    /// This one.
    Version(&'a str),
    /// The one that a distribution has, which is meant by its name below `dists`, its
    /// `Suite` or its `Codename`.
    Suite(&'a str),
}

impl<'a> Asked<'a> {
    /// Reads `NAME[:ARCH][=VERSION]` or `NAME[:ARCH][/SUITE]`. None for anything else.
    pub fn parse(text: &'a str) -> Option<Self> {
        let end = text.find(['=', '/']).unwrap_or(text.len());
        let (who, rest) = text.split_at(end);
        let (name, arch) = match who.split_once(':') {
            Some((name, arch)) => (name, Some(arch)),
            None => (who, None),
        };
        let wish = match rest.split_at_checked(1) {
            None => Wish::Candidate,
            Some(("=", version)) => Wish::Version(version),
            Some((_, suite)) => Wish::Suite(suite),
        };
        let good = is_name(name)
            && arch.is_none_or(is_architecture)
            && match wish {
                Wish::Candidate => true,
                Wish::Version(text) => version::check(text).is_ok(),
                Wish::Suite(text) => is_word(text),
            };
        good.then_some(Self { name, arch, wish })
    }

    /// The architecture that is asked for, if it is another one than `native`, the
    /// image's.
    pub fn foreign(&self, native: &str) -> Option<&'a str> {
        let own = |arch: &&str| *arch == native || ["all", "any", "native"].contains(arch);
        self.arch.filter(|arch| !own(arch))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_are_read() {
        let read = |text| {
            let asked = Asked::parse(text)?;
            Some((asked.name, asked.arch, asked.wish))
        };
        assert_eq!(read("curl"), Some(("curl", None, Wish::Candidate)));
        assert_eq!(
            read("curl=1:8.14.1-2+deb13u2"),
            Some(("curl", None, Wish::Version("1:8.14.1-2+deb13u2")))
        );
        assert_eq!(
            read("curl/trixie-backports"),
            Some(("curl", None, Wish::Suite("trixie-backports")))
        );
        assert_eq!(
            read("libc6:i386=2.41"),
            Some(("libc6", Some("i386"), Wish::Version("2.41")))
        );
        for wrong in [
            "",
            "=1",
            "curl=",
            "curl/",
            "curl:",
            "curl=1/x",
            "curl/a/b",
            "curl=a b",
            "curl:I386",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
