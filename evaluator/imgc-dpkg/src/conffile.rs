//! The `conffiles` control file (`deb-conffiles(5)`).

use crate::ControlError;

/// One configuration file that dpkg keeps for its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conffile {
    /// Its path as the package writes it, with the leading slash.
    pub(crate) path: String,
    /// Whether it is gone from the package, to be removed on an upgrade.
    pub(crate) remove_on_upgrade: bool,
}

/// Reads the file. dpkg refuses what this refuses.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Conffile>, ControlError> {
    let text =
        std::str::from_utf8(bytes).map_err(|_| ControlError::Utf8("conffiles".to_owned()))?;
    let mut conffiles = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        let (flag, path) = match line.split_once(' ') {
            Some((flag, path)) if !line.starts_with('/') => (Some(flag), path),
            _ => (None, line),
        };
        if line.is_empty() {
            continue;
        }
        if !path.starts_with('/') || flag.is_some_and(|flag| flag != "remove-on-upgrade") {
            return Err(ControlError::Conffile(line.to_owned()));
        }
        conffiles.push(Conffile {
            path: path.to_owned(),
            remove_on_upgrade: flag.is_some(),
        });
    }
    Ok(conffiles)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_paths_and_the_flag() {
        let conffiles = parse(b"/etc/a b \n\nremove-on-upgrade /etc/c\n").expect("conffiles");
        let shown: Vec<_> = conffiles
            .iter()
            .map(|conffile| (conffile.path.as_str(), conffile.remove_on_upgrade))
            .collect();
        assert_eq!(shown, [("/etc/a b", false), ("/etc/c", true)]);
        assert!(parse(b"etc/a\n").is_err());
        assert!(parse(b"unknown /etc/a\n").is_err());
        assert!(parse(b"/etc/\xff\n").is_err());
    }
}
