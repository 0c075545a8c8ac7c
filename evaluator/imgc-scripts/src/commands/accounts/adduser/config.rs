//! `/etc/adduser.conf` and `/etc/deluser.conf`, with adduser's defaults.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use crate::commands::accounts::nss;
use crate::machine::Machine;
use crate::stop::Stop;

/// The settings, by names in small letters.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    settings: BTreeMap<String, BString>,
    /// Whether it is adduser of Debian 12 or older: other statuses and rules.
    pub(crate) old: bool,
}

const DEFAULTS: &[(&str, &str)] = &[
    ("system", ""),
    ("only_if_empty", ""),
    ("remove_home", ""),
    ("home", ""),
    ("remove_all_files", ""),
    ("backup", ""),
    ("backup_to", "."),
    ("dshell", "/bin/bash"),
    ("first_system_uid", "100"),
    ("last_system_uid", "999"),
    ("first_uid", "1000"),
    ("last_uid", "59999"),
    ("first_system_gid", "100"),
    ("last_system_gid", "999"),
    ("first_gid", "1000"),
    ("last_gid", "59999"),
    ("dhome", "/home"),
    ("skel", "/etc/skel"),
    ("usergroups", "yes"),
    ("users_gid", ""),
    ("users_group", ""),
    ("grouphomes", "no"),
    ("letterhomes", "no"),
    ("quotauser", ""),
    ("dir_mode", "0700"),
    ("sys_dir_mode", "0755"),
    ("setgid_home", "no"),
    ("no_del_paths", ""),
    ("name_regex", ""),
    ("sys_name_regex", ""),
    ("exclude_fstypes", ""),
    ("skel_ignore_regex", r".(dpkg|ucf)-(old|new|dist)$"),
    ("extra_groups", "users"),
    ("add_extra_groups", "0"),
    ("uid_pool", ""),
    ("gid_pool", ""),
    ("reserve_uid_pool", "yes"),
    ("reserve_gid_pool", "yes"),
    ("loggerparms", ""),
    ("stdoutmsglevel", "warn"),
    ("stderrmsglevel", "warn"),
    ("logmsglevel", "info"),
];

impl Config {
    /// Reads the files at `paths`, those that are there.
    pub(crate) fn load(machine: &mut Machine<'_>, paths: &[BString]) -> Result<Self, Stop> {
        let defaults = DEFAULTS.iter();
        let mut config = Self {
            settings: defaults
                .map(|&(name, value)| (name.to_owned(), value.into()))
                .collect(),
            // The module came with the statuses.
            old: !machine
                .files
                .exists(b"/usr/share/perl5/Debian/AdduserRetvalues.pm"),
        };
        for path in paths {
            let bytes = machine.files.read(path).unwrap_or_default();
            machine.spend(bytes.len() as u64 / 256)?;
            for line in bytes.lines() {
                config.line(line);
            }
        }
        for pool in ["uid_pool", "gid_pool"] {
            if !config.text(pool).is_empty() {
                return Err(Stop::unsupported(format!("adduser's {pool} is not known")));
            }
        }
        Ok(config)
    }

    fn line(&mut self, line: &[u8]) {
        if line.starts_with(b"#") {
            return;
        }
        let Some((name, value)) = line.split_once_str("=") else {
            return;
        };
        let name = name.trim_ascii().to_str_lossy().to_ascii_lowercase();
        let mut value = value.trim_ascii_start();
        for quote in [b"\"", b"'"] {
            let inner = value
                .strip_prefix(quote)
                .and_then(|rest| rest.strip_suffix(quote));
            value = inner.unwrap_or(value);
        }
        if let Some(setting) = self.settings.get_mut(&name) {
            *setting = value.into();
        }
    }

    /// A setting as it is written; empty where there is none.
    pub(crate) fn text(&self, name: &str) -> &[u8] {
        self.settings.get(name).map_or(b"", |value| value)
    }

    /// A setting as a number.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        nss::number(self.text(name))
    }

    /// Whether a setting has `yes` in it.
    pub(crate) fn yes(&self, name: &str) -> bool {
        self.text(name).to_ascii_lowercase().contains_str("yes")
    }

    /// Whether Perl takes a setting as true.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        !matches!(self.text(name), b"" | b"0")
    }

    /// Whether `id` is one of a system account.
    pub(crate) fn is_system(&self, kind: &str, id: u32) -> bool {
        let first = self.number(&format!("first_system_{kind}"));
        let last = self.number(&format!("last_system_{kind}"));
        first.is_some_and(|first| id >= first) && last.is_some_and(|last| id <= last)
    }

    /// Whether the name is one that may be given. `bad` is how far rules are bent.
    pub(crate) fn allows(&self, name: &[u8], system: bool, bad: u8) -> Result<bool, Stop> {
        let matches = |pattern: &str| {
            let regex = regex::bytes::Regex::new(pattern);
            let regex = regex.map_err(|error| Stop::unsupported(format!("{pattern}: {error}")));
            Ok::<bool, Stop>(regex?.is_match(name))
        };
        let digits = name
            .strip_prefix(b"-")
            .filter(|_| !self.old)
            .unwrap_or(name);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) || name.len() > 32 {
            return Ok(false);
        }
        if !matches(r"^[^-+~:,\s/][^:,\s/]*$")? || !self.old && matches(r"^\.\.?$")? {
            return Ok(false);
        }
        let set = self.text(if system {
            "sys_name_regex"
        } else {
            "name_regex"
        });
        let pattern = match (set, self.old, system) {
            (b"", true, true) => r"^[a-z_][a-z0-9_-]*\$?$".into(),
            (b"", true, false) => r"^[a-z][a-z0-9_-]*\$?$".into(),
            (b"", false, true) => r"^[a-zA-Z_][a-zA-Z0-9_-]*\$?$".into(),
            (b"", false, false) => r"^[a-zA-Z][a-zA-Z0-9_-]*\$?$".into(),
            (set, ..) => set.to_str_lossy(),
        };
        if matches(&pattern)? {
            return Ok(true);
        }
        let posix = if self.old {
            r"^[_.A-Za-z0-9][-@_.A-Za-z0-9]*\$?$"
        } else {
            r"^[a-zA-Z0-9_.][a-zA-Z0-9_.-]*\$?$"
        };
        Ok((bad >= 2 || matches(posix)?) && bad > 0)
    }
}
