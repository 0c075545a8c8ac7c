//! `dpkg-query --showformat`: texts with `${FIELD;WIDTH}` in them.

use bstr::{BString, ByteSlice as _, ByteVec as _};

use super::status::Package;

/// A part of a format.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(BString),
    /// A field, in small letters, and its width; a negative one aligns to the left.
    Field(BString, i64),
}

/// A format, ready to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Format(Vec<Part>);

/// What a format needs beside the package's stanza.
pub(super) struct Around<'a> {
    pub(super) native: &'a [u8],
    pub(super) files: &'a [BString],
}

impl Format {
    /// Reads a format.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = BString::default();
        let mut rest = text;
        while let Some((&byte, after)) = rest.split_first() {
            match (byte, after.first()) {
                (b'\\', Some(&next)) => {
                    plain.push(match next {
                        b'n' => b'\n',
                        b't' => b'\t',
                        b'r' => b'\r',
                        other => other,
                    });
                    rest = &after[1..];
                }
                (b'$', Some(b'{')) => {
                    let end = after.find_byte(b'}').ok_or("missing closing brace")?;
                    let inner = &after[1..end];
                    let (name, width) = match inner.split_once_str(";") {
                        None => (inner, 0),
                        Some((name, width)) => {
                            let width = width.to_str_lossy().trim().parse();
                            (name, width.map_err(|_| "invalid number of the width")?)
                        }
                    };
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Field(name.to_ascii_lowercase().into(), width));
                    rest = &after[end + 1..];
                }
                _ => {
                    plain.push(byte);
                    rest = after;
                }
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// Whether the list of files is asked for.
    pub(super) fn needs_files(&self) -> bool {
        let files = |part: &Part| matches!(part, Part::Field(name, _) if name == "db-fsys:files");
        self.0.iter().any(files)
    }

    /// The text for a package.
    pub(super) fn show(&self, package: &Package, around: &Around<'_>) -> BString {
        let mut out = BString::default();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Field(name, width) => {
                    let value = value(package, name, around);
                    let size = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
                    let shown = if size == 0 {
                        value.len()
                    } else {
                        value.len().min(size)
                    };
                    // What is wider than anybody asks for is no reason to fill memory.
                    let padding = vec![b' '; size.min(65_536).saturating_sub(shown)];
                    if *width > 0 {
                        out.push_str(&padding);
                    }
                    out.push_str(&value[..shown]);
                    if *width < 0 {
                        out.push_str(&padding);
                    }
                }
            }
        }
        out
    }
}

fn value(package: &Package, name: &[u8], around: &Around<'_>) -> BString {
    let field = |name: &[u8]| package.field(name).unwrap_or_default();
    let known = package.is_known();
    match name {
        b"package" => package.name.clone(),
        b"architecture" => package.arch.clone(),
        b"binary:package" => package.title(around.native),
        b"binary:summary" | b"binary:synopsis" => summary(package).into(),
        b"status" => bstr::join(" ", [package.want(), package.flag(), package.state()]).into(),
        b"db:status-want" => package.want().into(),
        b"db:status-status" => package.state().into(),
        b"db:status-eflag" => package.flag().into(),
        b"db:status-abbrev" => abbreviation(package),
        b"db-fsys:files" => {
            let lines = around
                .files
                .iter()
                .map(|file| [b" ", file.as_slice(), b"\n"].concat());
            lines.collect::<Vec<_>>().concat().into()
        }
        b"source:package" => match source(package).0 {
            b"" => package.name.clone(),
            source => source.into(),
        },
        b"source:version" => source(package).1.into(),
        b"source:upstream-version" => {
            let version = source(package).1;
            let version = version
                .split_once_str(":")
                .map_or(version, |(_, rest)| rest);
            version
                .rsplit_once_str("-")
                .map_or(version, |(upstream, _)| upstream)
                .into()
        }
        b"essential" | b"protected" | b"multi-arch" if package.field(name).is_none() => {
            BString::from("no")
        }
        b"version" if !known => BString::default(),
        b"conffiles" => {
            let lines = field(name)
                .lines()
                .map(|line| [b" ", line.trim_ascii()].concat());
            bstr::join("\n", lines).into()
        }
        _ => field(name).into(),
    }
}

/// The first line of the description.
pub(super) fn summary(package: &Package) -> &[u8] {
    let text = package
        .field(b"description")
        .and_then(|text| text.lines().next());
    text.unwrap_or(b"(no description available)")
}

/// The source's name, empty where it is the package's, and its version.
fn source(package: &Package) -> (&[u8], &[u8]) {
    let version = package.field(b"version").unwrap_or_default();
    let Some(source) = package.field(b"source") else {
        return (b"", version);
    };
    match source.split_once_str(" (") {
        Some((name, version)) => (name, version.strip_suffix(b")").unwrap_or(version)),
        None => (source, version),
    }
}

/// The three letters of `dpkg -l`.
pub(super) fn abbreviation(package: &Package) -> BString {
    let want = match package.want() {
        b"install" => 'i',
        b"hold" => 'h',
        b"deinstall" => 'r',
        b"purge" => 'p',
        _ => 'u',
    };
    let state = match package.state() {
        b"config-files" => 'c',
        b"half-installed" => 'H',
        b"unpacked" => 'U',
        b"half-configured" => 'F',
        b"triggers-awaited" => 'W',
        b"triggers-pending" => 't',
        b"installed" => 'i',
        _ => 'n',
    };
    let flag = if package.flag() == b"ok" { ' ' } else { 'R' };
    format!("{want}{state}{flag}").into()
}
