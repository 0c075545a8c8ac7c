//! What the caller of an evaluation decides.

use std::collections::BTreeMap;

use imgc_plan::Platform;

/// What the caller of an evaluation decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The platform of images that name none.
    pub platform: Platform,
    /// What the evaluation may use.
    pub limits: Limits,
    /// What a file that is a function of a record is applied to: a text for each field,
    /// read by the field's type. For a `String` and the host's names the text itself,
    /// else an expression of the language.
    pub arguments: BTreeMap<String, String>,
    /// The field that is asked for, of the record that the file ends in: `FILE#name`.
    pub select: Option<String>,
}

/// What an evaluation may use. Counted, never timed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Steps: an expression, an item that a builtin looks at.
    pub steps: u64,
    /// Bytes of all values that are made, kept or not.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 50_000_000,
            bytes: 512 * 1024 * 1024,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            platform: Platform::DEFAULT,
            limits: Limits::default(),
            arguments: BTreeMap::new(),
            select: None,
        }
    }
}
