//! What the page asks, as it comes in. Nothing is answered here.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::places::Place;

/// A question. Files are named by their paths from the project's root.
#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Request {
    /// The programs to begin with.
    Samples {},
    /// Puts these files in the place of all others.
    Open {
        /// Their texts, by name.
        files: BTreeMap<String, String>,
    },
    /// Puts another text in the place of a file.
    Change {
        /// The file.
        file: String,
        /// All of its text.
        text: String,
    },
    /// What is wrong in all files, without evaluation.
    Check {},
    /// What a file comes to, and what is found on the way.
    Evaluate {
        /// The file.
        file: String,
    },
    /// What there is to say about a place.
    Hover {
        /// The file.
        file: String,
        /// The place.
        at: Place,
    },
    /// What may be written at a place.
    Complete {
        /// The file.
        file: String,
        /// The place.
        at: Place,
    },
    /// What there is to say about one of the completions that were last asked for.
    Describe {
        /// Which one, counted from 0.
        completion: usize,
    },
    /// The edits that bring a file into the one style.
    Format {
        /// The file.
        file: String,
    },
    /// What sort of thing each word of a file is.
    Tokens {
        /// The file.
        file: String,
    },
}
