//! Into how many layers an image goes, and how they are compressed.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most layers of packages that an image may ask for. The overlay file system of
/// Linux takes 128 with its mount options in one page, and engines 127.
pub const MAX_LAYERS: u32 = 120;

/// How an image is cut into layers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layers {
    /// Into how many layers the packages go, at most. What scripts do is in the last one.
    /// None leaves that to what the packages are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// Packages that have a layer together, beside the others: names of packages, sorted,
    /// each in one group, by the name of the group.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// How the layers are compressed.
    pub compression: Compression,
}

impl Layers {
    /// Whether it is what an image has that says nothing.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How layers are compressed. Written `zstd`, `zstd:19`, `gzip`, `gzip:9`, `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Compression {
    /// zstd, at a level of 1 to 19.
    Zstd(u8),
    /// gzip, at a level of 1 to 9.
    Gzip(u8),
    /// Not at all.
    None,
}

/// A text that names no [`Compression`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompressionError {
    /// Another kind.
    #[error("`{0}` is not a way to compress that imgc knows")]
    Unknown(String),
    /// A level that the kind does not have.
    #[error("{kind} has the levels 1 to {most}, not `{level}`")]
    Level {
        /// `zstd` or `gzip`.
        kind: &'static str,
        /// Its highest level.
        most: u8,
        /// What was asked for.
        level: String,
    },
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(ZSTD.1)
    }
}

/// The name, the usual level and the highest.
const ZSTD: (&str, u8, u8) = ("zstd", 3, 19);
const GZIP: (&str, u8, u8) = ("gzip", 6, 9);

impl FromStr for Compression {
    type Err = CompressionError;

    fn from_str(text: &str) -> Result<Self, CompressionError> {
        let (name, level) = match text.split_once(':') {
            Some((name, level)) => (name, Some(level)),
            None => (text, None),
        };
        let level_of = |(kind, usual, most): (&'static str, u8, u8)| match level {
            None => Ok(usual),
            Some(level) => match level.parse::<u8>() {
                Ok(number) if (1..=most).contains(&number) && number.to_string() == level => {
                    Ok(number)
                }
                _ => Err(CompressionError::Level {
                    kind,
                    most,
                    level: level.to_owned(),
                }),
            },
        };
        match name {
            "zstd" => level_of(ZSTD).map(Self::Zstd),
            "gzip" => level_of(GZIP).map(Self::Gzip),
            "none" if level.is_none() => Ok(Self::None),
            _ => Err(CompressionError::Unknown(text.to_owned())),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((name, usual, _), level) = match *self {
            Self::Zstd(level) => (ZSTD, level),
            Self::Gzip(level) => (GZIP, level),
            Self::None => return f.write_str("none"),
        };
        f.write_str(name)?;
        if level == usual {
            Ok(())
        } else {
            write!(f, ":{level}")
        }
    }
}

impl Serialize for Compression {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Compression {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compression_prints_as_it_is_written() {
        for text in ["zstd", "zstd:1", "zstd:19", "gzip", "gzip:9", "none"] {
            let read: Compression = text.parse().expect("it is known");
            assert_eq!(read.to_string(), text);
        }
        assert_eq!("gzip:6".parse(), Ok(Compression::Gzip(6)));
        assert_eq!("zstd:3".parse(), Ok(Compression::default()));
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        for text in [
            "", "xz", "ZSTD", "zstd:0", "zstd:20", "zstd:03", "gzip:10", "gzip:", "none:1",
        ] {
            assert!(text.parse::<Compression>().is_err(), "{text}");
        }
    }
}
