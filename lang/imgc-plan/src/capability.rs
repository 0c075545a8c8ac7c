//! Capabilities of files: their names, and the extended attribute in which Linux keeps
//! them.
//!
//! `security.capability` is a `struct vfs_cap_data` of revision 2, in little-endian words
//! (`include/uapi/linux/capability.h`): a magic word whose lowest bit says that the sets are
//! effective when the program begins, then permitted and inheritable, the low half of both
//! before the high half of both.

use serde::{Deserialize, Serialize};

/// The extended attribute that holds the capabilities of a file.
pub const CAPABILITY_ATTRIBUTE: &str = "security.capability";

/// The names, by their numbers in the kernel (`capabilities(7)`).
const NAMES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// `VFS_CAP_REVISION_2`.
const REVISION_2: u32 = 0x0200_0000;

/// A capability of Linux, by its number in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Capability(u8);

/// A text that is not the name of a capability.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a capability")]
pub struct UnknownCapability(String);

/// The capabilities of a file, as sets of bits: bit `n` is the capability of number `n`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileCapabilities {
    /// What a process has at once when it begins the program. The kernel knows all or none
    /// of the other two.
    pub effective: u64,
    /// What it may make effective.
    pub permitted: u64,
    /// What it keeps of its own inheritable ones.
    pub inheritable: u64,
}

impl Capability {
    /// The names of all, in the order of their numbers.
    pub const NAMES: &'static [&'static str] = &NAMES;

    /// The one of that name: `cap_net_bind_service`.
    pub fn named(name: &str) -> Option<Self> {
        let at = NAMES.iter().position(|known| *known == name)?;
        u8::try_from(at).ok().map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES[usize::from(self.0)]
    }

    /// The set of it alone.
    pub fn bit(self) -> u64 {
        1 << self.0
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> Self {
        capability.name().to_owned()
    }
}

impl TryFrom<String> for Capability {
    type Error = UnknownCapability;

    fn try_from(name: String) -> Result<Self, UnknownCapability> {
        Self::named(&name).ok_or(UnknownCapability(name))
    }
}

impl FileCapabilities {
    /// All that are known.
    const ALL: u64 = (1 << NAMES.len()) - 1;

    /// These, permitted and effective: `=ep`.
    pub fn effective(capabilities: &[Capability]) -> Self {
        let set = capabilities.iter().fold(0, |set, one| set | one.bit());
        Self {
            effective: set,
            permitted: set,
            inheritable: 0,
        }
    }

    /// Reads what `setcap` does (`cap_text_formats(7)`):
    /// `cap_net_raw,cap_net_admin=ep cap_chown+i`. None for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let mut sets = Self::default();
        let mut clauses = 0;
        for clause in text.split_whitespace() {
            clauses += 1;
            let at = clause.find(['=', '+', '-'])?;
            let (names, mut rest) = clause.split_at(at);
            let mut caps = 0_u64;
            for name in names.split(',') {
                let name = name.to_ascii_lowercase();
                caps |= match name.as_str() {
                    "" | "all" => Self::ALL,
                    name => match Capability::named(name) {
                        Some(capability) => capability.bit(),
                        None => 1 << name.parse::<u32>().ok().filter(|at| *at < 41)?,
                    },
                };
            }
            while let Some(op) = rest.chars().next() {
                let flags = &rest[1..];
                let end = flags.find(['=', '+', '-']).unwrap_or(flags.len());
                let has = |flag: char| flags[..end].contains(flag);
                if !flags[..end].chars().all(|flag| "eip".contains(flag)) {
                    return None;
                }
                for (flag, set) in [
                    ('e', &mut sets.effective),
                    ('p', &mut sets.permitted),
                    ('i', &mut sets.inheritable),
                ] {
                    match op {
                        '=' if has(flag) => *set |= caps,
                        '=' => *set &= !caps,
                        '+' if has(flag) => *set |= caps,
                        '-' if has(flag) => *set &= !caps,
                        _ => {}
                    }
                }
                rest = &flags[end..];
            }
        }
        (clauses > 0).then_some(sets)
    }

    /// The kernel's attribute, revision 2: 20 bytes. None where a file can't have these, as
    /// only some of them are effective.
    pub fn encode(self) -> Option<Vec<u8>> {
        if self.effective != 0 && self.effective != self.permitted | self.inheritable {
            return None;
        }
        let magic = REVISION_2 | u32::from(self.effective != 0);
        let mut out = magic.to_le_bytes().to_vec();
        for half in 0..2 {
            for set in [self.permitted, self.inheritable] {
                let bytes = set.to_le_bytes();
                out.extend_from_slice(&bytes[half * 4..half * 4 + 4]);
            }
        }
        Some(out)
    }

    /// Reads the attribute, of revision 2 or 3. None where it is shorter.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| -> Option<u64> {
            let four: [u8; 4] = bytes.get(at * 4..at * 4 + 4)?.try_into().ok()?;
            Some(u64::from(u32::from_le_bytes(four)))
        };
        let permitted = word(1)? | word(3)? << 32;
        let inheritable = word(2)? | word(4)? << 32;
        let effective = match word(0)? & 1 {
            0 => 0,
            _ => permitted | inheritable,
        };
        Some(Self {
            effective,
            permitted,
            inheritable,
        })
    }

    /// As `getcap` shows them: `cap_net_raw,cap_net_admin=ep`. None where they have not
    /// all the same flags.
    pub fn show(self) -> Option<String> {
        let all = self.permitted | self.inheritable;
        let same = |set: u64| set == 0 || set == all;
        if !(same(self.effective) && same(self.permitted) && same(self.inheritable)) {
            return None;
        }
        let names = NAMES
            .iter()
            .enumerate()
            .filter(|(at, _)| all >> at & 1 != 0);
        let names: Vec<&str> = names.map(|(_, name)| *name).collect();
        let mut text = names.join(",") + "=";
        for (flag, set) in [
            ('e', self.effective),
            ('i', self.inheritable),
            ('p', self.permitted),
        ] {
            if set != 0 {
                text.push(flag);
            }
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attribute_is_what_setcap_writes() {
        let bind = Capability::named("cap_net_bind_service").expect("a name");
        // `setcap cap_net_bind_service=ep FILE; getfattr -e hex -n security.capability FILE`
        let written = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        let sets = FileCapabilities::effective(&[bind]);
        assert_eq!(sets.encode().as_deref(), Some(&written[..]));
        assert_eq!(
            FileCapabilities::parse("cap_net_bind_service=ep"),
            Some(sets)
        );
        assert_eq!(FileCapabilities::decode(&written), Some(sets));
        let bpf = Capability::named("cap_bpf").expect("a name");
        let high = FileCapabilities::effective(&[bind, bpf]);
        let written = high.encode().expect("both are effective");
        assert_eq!(written[12..16], [0x80, 0, 0, 0], "{written:?}");
        assert_eq!(
            FileCapabilities::decode(&written).and_then(FileCapabilities::show),
            Some("cap_net_bind_service,cap_bpf=ep".to_owned())
        );
    }

    #[test]
    fn what_no_file_can_have_is_refused() {
        let mixed = FileCapabilities::parse("cap_chown=p cap_kill=ep").expect("it is read");
        assert_eq!((mixed.encode(), mixed.show()), (None, None));
        for text in ["", "cap_chown", "cap_none=ep", "41=ep", "cap_chown=x"] {
            assert_eq!(FileCapabilities::parse(text), None, "{text}");
        }
        assert_eq!(FileCapabilities::decode(&[1, 0, 0, 2]), None);
        let json = serde_json::from_str::<Capability>("\"cap_none\"");
        assert!(json.is_err());
    }
}
