//! How much a machine may do. Counted, so that every machine stops at the same place.

/// The bounds of interpreting the scripts of one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps: a command is one, and commands count more where they look at much.
    pub steps: u64,
    /// Steps of one script.
    pub script_steps: u64,
    /// The largest file that a command reads or writes, and the most that one stream
    /// holds, in bytes.
    pub file: usize,
    /// How deep scripts, functions and substitutions may nest.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 2_000_000_000,
            script_steps: 100_000_000,
            file: 256 << 20,
            depth: 100,
        }
    }
}
