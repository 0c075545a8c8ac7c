//! Triggers (`deb-triggers(5)`): who is interested in which, and who is to be told.
//!
//! As dpkg has it: only a package that is installed can be told; what it is told are the
//! names of its triggers, the latest first, each once.

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

/// What a `triggers` control file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Directives {
    /// What the package wants to hear of.
    pub(crate) interests: Vec<Interest>,
    /// What it triggers whenever it is unpacked, configured or removed.
    pub(crate) activates: Vec<Activation>,
}

/// A trigger that a package sets off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Activation {
    /// A path with its leading slash, or a name.
    pub(crate) trigger: String,
    /// Whether the package does not wait for whoever is interested.
    pub(crate) noawait: bool,
}

/// The interests of the packages so far, and what waits to be told.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    /// By path or name: packages, and whether whoever triggers them does not wait, in the
    /// order in which they became interested.
    interested: BTreeMap<String, Vec<(usize, bool)>>,
    /// Of what packages are to be told, the latest first.
    waiting: BTreeMap<usize, Vec<String>>,
}

/// Hears which package is to be told, and whether whoever triggered it waits for that.
pub(crate) trait Hears {
    /// `interested` is to be told.
    fn told(&mut self, interested: usize, awaited: bool);
}

impl Triggers {
    /// Notes what a package, by its index, wants to hear of.
    pub(crate) fn add(&mut self, package: usize, interests: &[Interest]) {
        for interest in interests {
            let all = self.interested.entry(interest.trigger.clone()).or_default();
            if !all.iter().any(|(other, _)| *other == package) {
                all.push((package, interest.noawait));
            }
        }
    }

    /// Reads who was interested before: dpkg's files, by name, in which packages stand by
    /// their names there. `File` has a path and a package in each line, the others a package.
    pub(crate) fn read(
        &mut self,
        files: &BTreeMap<String, String>,
        places: &BTreeMap<String, usize>,
    ) {
        for (name, text) in files {
            for line in text.lines() {
                let (trigger, package) = match (name.as_str(), line.split_once(' ')) {
                    ("File", Some((path, package))) => (path, package),
                    ("File", None) => continue,
                    _ => (name.as_str(), line),
                };
                let (package, noawait) = match package.strip_suffix("/noawait") {
                    Some(package) => (package, true),
                    None => (package, false),
                };
                if let Some(&at) = places.get(package) {
                    let trigger = trigger.to_owned();
                    self.add(at, &[Interest { trigger, noawait }]);
                }
            }
        }
    }

    /// Something happened to the file at `path`, without a leading slash: whoever is
    /// interested in it or in a folder above it, and is `installed`, is to be told.
    pub(crate) fn touch(
        &mut self,
        path: &[u8],
        noawait: bool,
        installed: impl Fn(usize) -> bool,
        hears: &mut dyn Hears,
    ) {
        let Ok(path) = std::str::from_utf8(path) else {
            return;
        };
        let mut end = path.len();
        loop {
            let trigger = format!("/{}", &path[..end]);
            self.activate(&trigger, noawait, &installed, hears);
            match path[..end].rfind('/') {
                Some(at) => end = at,
                None => break,
            }
        }
    }

    /// The trigger of this name, or path with a leading slash, is activated.
    pub(crate) fn activate(
        &mut self,
        trigger: &str,
        noawait: bool,
        installed: impl Fn(usize) -> bool,
        hears: &mut dyn Hears,
    ) {
        for &(package, lax) in self.interested.get(trigger).into_iter().flatten() {
            if !installed(package) {
                continue;
            }
            let names = self.waiting.entry(package).or_default();
            if !names.iter().any(|name| name == trigger) {
                names.insert(0, trigger.to_owned());
            }
            hears.told(package, !noawait && !lax);
        }
    }

    /// Of what `package` is to be told; it waits no more.
    pub(crate) fn take(&mut self, package: usize) -> Vec<String> {
        self.waiting.remove(&package).unwrap_or_default()
    }
}

/// Reads a `triggers` control file.
pub(crate) fn parse(bytes: &[u8]) -> Result<Directives, ControlError> {
    let text = std::str::from_utf8(bytes).map_err(|_| ControlError::Utf8("triggers".to_owned()))?;
    let mut interests: Vec<Interest> = Vec::new();
    let mut activates = Vec::new();
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
        if noawait.is_none() {
            activates.push(Activation {
                trigger: trigger.to_owned(),
                noawait: directive == "activate-noawait",
            });
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
    Ok(Directives {
        interests,
        activates,
    })
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
        let Directives {
            interests,
            activates,
        } = parse(text).expect("directives");
        assert_eq!(activates.len(), 1);
        assert_eq!(activates[0].trigger, "ldconfig");
        assert!(activates[0].noawait);
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

    #[test]
    fn who_is_installed_is_told_the_latest_first() {
        let interest = |trigger: &str, noawait| Interest {
            trigger: trigger.to_owned(),
            noawait,
        };
        let mut triggers = Triggers::default();
        let mut heard = Heard::default();
        let x = [interest("/usr/share/x", true), interest("named", true)];
        triggers.add(0, &x);
        triggers.add(1, &[interest("/usr/share", false), interest("named", true)]);
        triggers.touch(b"usr/share/x/y", false, |_| true, &mut heard);
        triggers.touch(b"usr/shareholders", false, |_| true, &mut heard);
        triggers.activate("named", false, |package| package == 0, &mut heard);
        triggers.activate("named", false, |package| package == 0, &mut heard);
        triggers.activate("unheard", false, |_| true, &mut heard);
        assert_eq!(heard.0, [(0, false), (1, true), (0, false), (0, false)]);
        assert_eq!(triggers.take(0), ["named", "/usr/share/x"]);
        assert_eq!(triggers.take(1), ["/usr/share"]);
        assert!(triggers.take(0).is_empty());
    }

    #[derive(Default)]
    struct Heard(Vec<(usize, bool)>);

    impl Hears for Heard {
        fn told(&mut self, interested: usize, awaited: bool) {
            self.0.push((interested, awaited));
        }
    }
}
