//! Which package is interested in which trigger (`deb-triggers(5)`). Nothing is
//! triggered: this only fills dpkg's database of interests.

use std::collections::BTreeMap;

use crate::ControlError;

/// A trigger that a package wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interest {
    /// A path with its leading slash, or a name.
    pub(crate) trigger: String,
    /// Whether the package that triggers it does not wait.
    pub(crate) noawait: bool,
}

/// Reads a `triggers` control file. Directives that activate a trigger are checked
/// and left out.
pub(crate) fn parse(bytes: &[u8]) -> Result<Vec<Interest>, ControlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ControlError::Utf8("triggers".to_owned()))?;
    let mut interests: Vec<Interest> = Vec::new();
    let mut known = BTreeMap::new();
    for line in text.lines() {
        let wrong = || ControlError::Trigger(line.to_owned());
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let (directive, trigger) = line.split_once([' ', '\t']).ok_or_else(wrong)?;
        let trigger = trigger.trim_start();
        let noawait = match directive {
            "interest" | "interest-await" => Some(false),
            "interest-noawait" => Some(true),
            "activate" | "activate-await" | "activate-noawait" => None,
            _ => return Err(wrong()),
        };
        if !is_trigger(trigger) {
            return Err(wrong());
        }
        if let Some(noawait) = noawait {
            // A trigger that is there twice counts as the last one says.
            let index = *known.entry(trigger).or_insert(interests.len());
            let interest = Interest {
                trigger: trigger.to_owned(),
                noawait,
            };
            match interests.get_mut(index) {
                Some(old) => *old = interest,
                None => interests.push(interest),
            }
        }
    }
    Ok(interests)
}

/// A path, or a name that can be a file's in dpkg's folder of triggers and is none
/// of the names that dpkg uses there itself.
fn is_trigger(text: &str) -> bool {
    let graphic = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    let path = text.starts_with('/') && !text.split('/').any(|part| part == "..");
    let name = !text.contains('/')
        && !text.starts_with('.')
        && !["File", "Lock", "Unincorp"].contains(&text);
    graphic && (path || name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_interests() {
        let text =
            b"# a comment\ninterest-noawait /usr/share/x # more\nactivate-noawait ldconfig\n\
            interest-noawait named\ninterest named\n";
        let interests = parse(text).expect("interests");
        assert_eq!(interests.len(), 2);
        assert_eq!(interests[0].trigger, "/usr/share/x");
        assert!(interests[0].noawait);
        assert_eq!(interests[1].trigger, "named");
        assert!(!interests[1].noawait);
        for bad in [
            "interest",
            "wish x",
            "interest ../x",
            "interest File",
            "interest /a/../b",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
