//! Architectures and platforms, in Debian's, OCI's and ELF's words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An architecture that Debian and OCI both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86, 64 bits.
    Amd64,
    /// ARM, 64 bits (OCI variant `v8`).
    Arm64,
}

/// A text that names no architecture that imgc knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform that imgc knows")]
pub struct ParseArchError(pub String);

impl Arch {
    /// All of them, in the order in which they are listed to people.
    pub const ALL: [Self; 2] = [Self::Amd64, Self::Arm64];

    /// Debian's name, as in `Architecture: amd64`.
    pub const fn debian(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// OCI's name (GOARCH).
    pub const fn oci(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }

    /// OCI's variant, where the architecture has one.
    pub const fn oci_variant(self) -> Option<&'static str> {
        match self {
            Self::Amd64 => None,
            Self::Arm64 => Some("v8"),
        }
    }

    /// `e_machine` of its ELF files.
    pub const fn elf_machine(self) -> u16 {
        match self {
            Self::Amd64 => 62,
            Self::Arm64 => 183,
        }
    }

    /// The directory of its libraries, as in `/usr/lib/x86_64-linux-gnu`.
    pub const fn multiarch(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
        }
    }
}

impl fmt::Display for Arch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.debian())
    }
}

impl FromStr for Arch {
    type Err = ParseArchError;

    fn from_str(text: &str) -> Result<Self, ParseArchError> {
        Self::ALL
            .into_iter()
            .find(|arch| arch.debian() == text || arch.oci() == text)
            .ok_or_else(|| ParseArchError(text.to_owned()))
    }
}

/// Where an image runs: Linux, and an architecture. Written `linux/amd64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Platform {
    /// The architecture.
    pub arch: Arch,
}

impl Platform {
    /// What an image is for when nothing says otherwise, on any machine.
    pub const DEFAULT: Self = Self { arch: Arch::Amd64 };
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.arch.oci())
    }
}

impl FromStr for Platform {
    type Err = ParseArchError;

    fn from_str(text: &str) -> Result<Self, ParseArchError> {
        let arch = text
            .strip_prefix("linux/")
            .ok_or_else(|| ParseArchError(text.to_owned()))?;
        arch.parse()
            .map(|arch| Self { arch })
            .map_err(|_| ParseArchError(text.to_owned()))
    }
}

impl TryFrom<String> for Platform {
    type Error = ParseArchError;

    fn try_from(text: String) -> Result<Self, ParseArchError> {
        text.parse()
    }
}

impl From<Platform> for String {
    fn from(platform: Platform) -> Self {
        platform.to_string()
    }
}
