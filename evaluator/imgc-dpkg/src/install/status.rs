//! dpkg's `status` file while packages are being installed: made when a script reads it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::Package;
use crate::control::Stanza;

/// How far a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// dpkg does not know it yet.
    Absent,
    /// Its `preinst` runs, or it is being unpacked.
    HalfInstalled,
    /// It is unpacked.
    Unpacked,
    /// Its `postinst` runs.
    HalfConfigured,
    /// It is configured.
    Installed,
}

/// The packages that dpkg knows, shared with whoever reads the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Statuses(Rc<RefCell<BTreeMap<(String, String), Known>>>);

#[derive(Debug)]
struct Known {
    /// Its stanza, but for the word that says how far it is: before that word, and after.
    stanza: [String; 2],
    /// None where the stanza stays as it is.
    state: Option<State>,
}

/// The line of a stanza that says how far a package is, cut where that word stands.
const LINE: (&str, &str) = ("Status: install ok ", "installed\n");

impl Statuses {
    /// Notes a package and the lines of its conffiles.
    pub(super) fn add(&self, package: &Package, control: &str, conffiles: &[String]) {
        // The stanza was read before; a wrong one would have ended the run.
        let stanza = Stanza::parse(control).and_then(|stanza| stanza.installed(conffiles));
        let stanza = stanza.unwrap_or_default();
        let (before, after) = stanza
            .split_once(&[LINE.0, LINE.1].concat())
            .unwrap_or((&stanza, ""));
        let known = Known {
            stanza: [[before, LINE.0].concat(), after.to_owned()],
            state: Some(State::HalfInstalled),
        };
        self.0.borrow_mut().insert(key(package), known);
    }

    /// Notes a package that is installed already, with its stanza.
    pub(super) fn keep(&self, package: &Package, stanza: &str) {
        self.keep_gone(&key(package), stanza);
    }

    /// Notes a stanza that stays as it is, by its name and architecture.
    pub(super) fn keep_gone(&self, key: &(String, String), stanza: &str) {
        let known = Known {
            stanza: [stanza.to_owned(), String::new()],
            state: None,
        };
        self.0.borrow_mut().insert(key.clone(), known);
    }

    /// Notes how far a package is.
    pub(super) fn set(&self, package: &Package, state: State) {
        if let Some(known) = self.0.borrow_mut().get_mut(&key(package)) {
            known.state = Some(state);
        }
    }

    /// The file's text now.
    pub(super) fn text(&self) -> Vec<u8> {
        let all = self.0.borrow();
        let parts = all.values().flat_map(|known| &known.stanza);
        let length: usize = parts.map(String::len).sum();
        let mut text = String::with_capacity(length + all.len() * 32);
        for known in all.values() {
            let [before, after] = &known.stanza;
            let word = known.state.map(State::word);
            let end = word.map_or("", |_| "\n");
            for part in [before, word.unwrap_or_default(), end, after, "\n"] {
                text.push_str(part);
            }
        }
        text.into_bytes()
    }
}

/// The place of a package in the file: by name, then by architecture.
fn key(package: &Package) -> (String, String) {
    (package.name.clone(), package.architecture.clone())
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Absent => "not-installed",
            Self::HalfInstalled => "half-installed",
            Self::Unpacked => "unpacked",
            Self::HalfConfigured => "half-configured",
            Self::Installed => "installed",
        }
    }
}
