//! Architectures and platforms, in Debian's, OCI's and ELF's words.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An architecture that Debian releases and OCI has a name for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86, 64 bits.
    Amd64,
    /// ARM, 64 bits (OCI variant `v8`).
    Arm64,
    /// ARM, 32 bits, with a floating point unit (OCI variant `v7`).
    Armhf,
    /// x86, 32 bits.
    I386,
    /// POWER, 64 bits, little-endian.
    Ppc64el,
    /// RISC-V, 64 bits.
    Riscv64,
    /// IBM Z, 64 bits, big-endian.
    S390x,
}

/// A text that names no architecture that imgc knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform that imgc knows")]
pub struct ParseArchError(pub String);

/// The machine and the form of an architecture's ELF files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ElfKind {
    /// `e_machine`.
    pub machine: u16,
    /// Whether they are of class 64, else of class 32.
    pub wide: bool,
    /// Whether their numbers are little-endian.
    pub little: bool,
}

/// What is known of an architecture. Debian's words are those of dpkg's `cputable` and
/// `tupletable`, OCI's those of the image specification ("Platform Variants"), the machines
/// those of the ELF registry.
struct Facts {
    debian: &'static str,
    oci: &'static str,
    variant: Option<&'static str>,
    multiarch: &'static str,
    elf: ElfKind,
}

impl Facts {
    const fn new(names: (&'static str, &'static str, &'static str), elf: (u16, u8)) -> Self {
        Self {
            debian: names.0,
            oci: names.1,
            variant: None,
            multiarch: names.2,
            elf: ElfKind {
                machine: elf.0,
                wide: elf.1 == 64,
                little: true,
            },
        }
    }
}

const AMD64: Facts = Facts::new(("amd64", "amd64", "x86_64-linux-gnu"), (62, 64));
const ARM64: Facts = Facts {
    variant: Some("v8"),
    ..Facts::new(("arm64", "arm64", "aarch64-linux-gnu"), (183, 64))
};
const ARMHF: Facts = Facts {
    variant: Some("v7"),
    ..Facts::new(("armhf", "arm", "arm-linux-gnueabihf"), (40, 32))
};
const I386: Facts = Facts::new(("i386", "386", "i386-linux-gnu"), (3, 32));
const PPC64EL: Facts = Facts::new(("ppc64el", "ppc64le", "powerpc64le-linux-gnu"), (21, 64));
const RISCV64: Facts = Facts::new(("riscv64", "riscv64", "riscv64-linux-gnu"), (243, 64));
const S390X: Facts = Facts {
    elf: ElfKind {
        machine: 22,
        wide: true,
        little: false,
    },
    ..Facts::new(("s390x", "s390x", "s390x-linux-gnu"), (22, 64))
};

impl Arch {
    /// All of them, in the order in which they are listed to people.
    pub const ALL: [Self; 7] = [
        Self::Amd64,
        Self::Arm64,
        Self::Armhf,
        Self::I386,
        Self::Ppc64el,
        Self::Riscv64,
        Self::S390x,
    ];

    const fn facts(self) -> &'static Facts {
        match self {
            Self::Amd64 => &AMD64,
            Self::Arm64 => &ARM64,
            Self::Armhf => &ARMHF,
            Self::I386 => &I386,
            Self::Ppc64el => &PPC64EL,
            Self::Riscv64 => &RISCV64,
            Self::S390x => &S390X,
        }
    }

    /// Debian's name, as in `Architecture: amd64`.
    pub const fn debian(self) -> &'static str {
        self.facts().debian
    }

    /// OCI's name (GOARCH).
    pub const fn oci(self) -> &'static str {
        self.facts().oci
    }

    /// OCI's variant, where the architecture has one.
    pub const fn oci_variant(self) -> Option<&'static str> {
        self.facts().variant
    }

    /// What its ELF files are.
    pub const fn elf(self) -> ElfKind {
        self.facts().elf
    }

    /// The directory of its libraries, as in `/usr/lib/x86_64-linux-gnu`.
    pub const fn multiarch(self) -> &'static str {
        self.facts().multiarch
    }

    /// The architecture of a name and a variant in OCI's words. Without a variant, `arm` is
    /// `v7`, as for containerd. None for what Debian does not release, such as `arm` with
    /// `v6`.
    pub fn of_oci(name: &str, variant: Option<&str>) -> Option<Self> {
        let variant = variant.filter(|variant| !variant.is_empty());
        Self::ALL
            .into_iter()
            .find(|arch| arch.oci() == name)
            .filter(|arch| variant.is_none() || variant == arch.oci_variant())
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

/// Where an image runs: Linux, and an architecture. Written `linux/amd64`, `linux/arm/v7`.
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
        write!(f, "linux/{}", self.arch.oci())?;
        // The one 64-bit ARM goes without saying; of the 32-bit ones there are several.
        match (self.arch, self.arch.oci_variant()) {
            (Arch::Arm64, _) | (_, None) => Ok(()),
            (_, Some(variant)) => write!(f, "/{variant}"),
        }
    }
}

impl FromStr for Platform {
    type Err = ParseArchError;

    /// Reads `linux/ARCH` or `linux/ARCH/VARIANT` with OCI's name, or `linux/ARCH` with
    /// Debian's.
    fn from_str(text: &str) -> Result<Self, ParseArchError> {
        let unknown = || ParseArchError(text.to_owned());
        let rest = text.strip_prefix("linux/").ok_or_else(unknown)?;
        let arch = match rest.split_once('/') {
            Some((_, "")) => None,
            Some((name, variant)) => Arch::of_oci(name, Some(variant)),
            None => rest.parse().ok(),
        };
        arch.map(|arch| Self { arch }).ok_or_else(unknown)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_read_in_ocis_and_debians_words() {
        for (texts, canonical) in [
            (&["linux/amd64"][..], "linux/amd64"),
            (&["linux/arm64", "linux/arm64/v8"], "linux/arm64"),
            (
                &["linux/arm/v7", "linux/arm", "linux/armhf"],
                "linux/arm/v7",
            ),
            (&["linux/386", "linux/i386"], "linux/386"),
            (&["linux/ppc64le", "linux/ppc64el"], "linux/ppc64le"),
            (&["linux/riscv64"], "linux/riscv64"),
            (&["linux/s390x"], "linux/s390x"),
        ] {
            for text in texts {
                let platform: Platform = text.parse().expect(text);
                assert_eq!(platform.to_string(), canonical);
            }
        }
        for text in [
            "amd64",
            "linux",
            "linux/",
            "linux/arm/v6",
            "linux/arm64/",
            "linux/amd64/v3",
            "linux/armhf/v7",
            "windows/amd64",
            "linux/ppc64",
        ] {
            assert!(text.parse::<Platform>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_architecture_has_names_of_its_own() {
        let all = Arch::ALL;
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.debian().parse(), Ok(*one));
            assert_eq!(Arch::of_oci(one.oci(), one.oci_variant()), Some(*one));
            let json = serde_json::to_string(one).expect("a name");
            assert_eq!(json, format!("\"{}\"", one.debian()));
            for other in &all[..at] {
                assert_ne!(one.multiarch(), other.multiarch());
                assert_ne!(one.elf(), other.elf());
            }
        }
    }
}
