//! What scripts may ask about an architecture, in the words of the kernel, of dpkg, of GNU
//! and of systemd. It knows names only: what a processor can do is not asked here.

/// What is known of one of Debian's architectures.
#[derive(Debug)]
pub(crate) struct Known {
    /// Debian's name.
    pub(crate) debian: &'static str,
    /// The kernel's name, as `uname -m` says it. Of 32-bit ones, that of the oldest
    /// processor that Debian runs on.
    pub(crate) kernel: &'static str,
    /// dpkg's name of the folder of its libraries (`DEB_HOST_MULTIARCH`).
    pub(crate) triplet: &'static str,
    /// What GNU's `config.sub` makes of the type that Debian builds for.
    pub(crate) gnu: &'static str,
    /// systemd's name (systemd.unit(5), `ConditionArchitecture=`).
    pub(crate) systemd: &'static str,
    /// Whether addresses have 64 bits.
    pub(crate) wide: bool,
    /// Whether numbers in memory begin with their highest byte.
    pub(crate) big: bool,
}

const fn known(names: [&'static str; 5], wide: bool) -> Known {
    let [debian, kernel, triplet, gnu, systemd] = names;
    Known {
        debian,
        kernel,
        triplet,
        gnu,
        systemd,
        wide,
        big: false,
    }
}

#[rustfmt::skip]
const KNOWN: [Known; 9] = [
    known(["amd64", "x86_64", "x86_64-linux-gnu", "x86_64-pc-linux-gnu", "x86-64"], true),
    known(["arm64", "aarch64", "aarch64-linux-gnu", "aarch64-unknown-linux-gnu", "arm64"], true),
    known(["armel", "armv6l", "arm-linux-gnueabi", "arm-unknown-linux-gnueabi", "arm"], false),
    known(["armhf", "armv7l", "arm-linux-gnueabihf", "arm-unknown-linux-gnueabihf", "arm"], false),
    known(["i386", "i686", "i386-linux-gnu", "i686-pc-linux-gnu", "x86"], false),
    known(["loong64", "loongarch64", "loongarch64-linux-gnu", "loongarch64-unknown-linux-gnu", "loongarch64"], true),
    known(["ppc64el", "ppc64le", "powerpc64le-linux-gnu", "powerpc64le-unknown-linux-gnu", "ppc64-le"], true),
    known(["riscv64", "riscv64", "riscv64-linux-gnu", "riscv64-unknown-linux-gnu", "riscv64"], true),
    Known { big: true, ..known(["s390x", "s390x", "s390x-linux-gnu", "s390x-ibm-linux-gnu", "s390x"], true) },
];

/// What is known of an architecture, by Debian's name.
pub(crate) fn of(debian: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.debian == debian)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn architectures_are_found_by_debians_name() {
        let of = |name| of(name).map(|known| (known.kernel, known.triplet, known.big));
        assert_eq!(of("armhf"), Some(("armv7l", "arm-linux-gnueabihf", false)));
        assert_eq!(of("s390x"), Some(("s390x", "s390x-linux-gnu", true)));
        assert_eq!(of("aarch64"), None);
    }
}
