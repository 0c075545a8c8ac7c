//! The settings of the shadow tools: `/etc/login.defs`, as login.defs(5) describes it.

use bstr::{BString, ByteSlice as _};

use crate::machine::Machine;
use crate::stop::Stop;

/// The settings, with those of `-K` over them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Defs {
    settings: Vec<(BString, BString)>,
    /// Whether the tools are those of Debian 12 or older: some rules changed since.
    pub(crate) old: bool,
}

impl Defs {
    /// Reads the file; all is unset where it is not there.
    pub(crate) fn load(machine: &mut Machine<'_>) -> Result<Self, Stop> {
        let bytes = machine.files.read(b"/etc/login.defs").unwrap_or_default();
        machine.spend(bytes.len() as u64 / 256)?;
        let mut defs = Self {
            settings: Vec::new(),
            old: is_old(machine),
        };
        for line in bytes.lines() {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            let end = line.find_byteset(b" \t").unwrap_or(line.len());
            let (name, value) = line.split_at(end);
            let value = value.trim_start_with(|c| matches!(c, ' ' | '\t' | '"'));
            let value = value.split(|&b| b == b'"').next().unwrap_or_default();
            defs.set(name, value);
        }
        Ok(defs)
    }

    /// Sets a value, as `-K NAME=VALUE` does.
    pub(crate) fn set(&mut self, name: &[u8], value: &[u8]) {
        let value = BString::from(value);
        match self.settings.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.settings.push((name.into(), value)),
        }
    }

    /// Sets what `NAME=VALUE` says.
    ///
    /// # Errors
    /// A stop where there is no `=`.
    pub(crate) fn assign(&mut self, text: &BString) -> Result<(), Stop> {
        let (name, value) = text
            .split_once_str("=")
            .ok_or_else(|| Stop::unsupported(format!("-K {text} is not NAME=VALUE")))?;
        self.set(name, value);
        Ok(())
    }

    /// A value as it is written.
    pub(crate) fn text(&self, name: &str) -> Option<&BString> {
        let found = self.settings.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    /// Whether a value is `yes`.
    pub(crate) fn yes(&self, name: &str) -> bool {
        self.text(name)
            .is_some_and(|value| value.eq_ignore_ascii_case(b"yes"))
    }

    /// A number: decimal, octal behind `0`, or hexadecimal behind `0x`.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        let text = self.text(name)?.to_str().ok()?.trim();
        let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let number = if let Some(hex) = text.strip_prefix("0x") {
            i64::from_str_radix(hex, 16)
        } else if text.len() > 1 && text.starts_with('0') {
            i64::from_str_radix(text, 8)
        } else {
            text.parse()
        };
        number.ok().map(|number| number * sign)
    }

    /// A number as an id.
    pub(crate) fn id(&self, name: &str, default: u32) -> u32 {
        let number = self.number(name);
        number
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or(default)
    }
}

/// Whether the tree has the shadow tools of Debian 12 or older: they came with groupmems.
pub(crate) fn is_old(machine: &Machine<'_>) -> bool {
    machine.files.exists(b"/usr/sbin/groupmems")
}

/// Today, in days since 1970, as shadow has it: -1 for the first day.
pub(crate) fn today(machine: &Machine<'_>) -> BString {
    let day = machine.setup.epoch.div_euclid(86_400);
    BString::from(if day == 0 {
        "-1".to_owned()
    } else {
        day.to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn values_are_read_as_the_tools_do() {
        let mut m = machine();
        m.put(
            "/etc/login.defs",
            "# A 1\nUID_MIN\t\t 1000\nUMASK 022\nX \"y z\"\nH 0x10\n",
            0o644,
        );
        let mut defs = Defs::load(&mut m).unwrap();
        assert_eq!(defs.id("UID_MIN", 5), 1000);
        assert_eq!(defs.number("UMASK"), Some(0o22));
        assert_eq!(defs.text("X").unwrap(), "y z");
        assert_eq!(defs.number("H"), Some(16));
        assert_eq!(defs.number("A"), None);
        defs.assign(&"UID_MIN=7".into()).unwrap();
        assert_eq!(defs.id("UID_MIN", 5), 7);
        assert_eq!(today(&m), "20412");
    }
}
