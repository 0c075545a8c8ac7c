//! How often queries were executed: so that tests and people see what is done again.

use std::sync::atomic::{AtomicU64, Ordering};

/// The kinds of queries that are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text to tree.
    Parse,
    /// Tree to bindings.
    Resolve,
    /// Types of a binding.
    Infer,
    /// Value of a binding.
    Evaluate,
}

/// How much work a session has done since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Files that were parsed.
    pub parsed: u64,
    /// Files whose names were resolved.
    pub resolved: u64,
    /// Top-level bindings whose types were inferred.
    pub inferred: u64,
    /// Top-level bindings that were evaluated.
    pub evaluated: u64,
}

/// The counters of all threads.
#[derive(Debug, Default)]
pub(crate) struct Executed([AtomicU64; 4]);

impl Executed {
    /// Counts one.
    pub(crate) fn count(&self, kind: Kind) {
        self.0[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted.
    pub(crate) fn counters(&self) -> Counters {
        let of = |kind: Kind| self.0[kind as usize].load(Ordering::Relaxed);
        Counters {
            parsed: of(Kind::Parse),
            resolved: of(Kind::Resolve),
            inferred: of(Kind::Infer),
            evaluated: of(Kind::Evaluate),
        }
    }
}

impl Counters {
    /// What was done since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self {
            parsed: self.parsed.saturating_sub(earlier.parsed),
            resolved: self.resolved.saturating_sub(earlier.resolved),
            inferred: self.inferred.saturating_sub(earlier.inferred),
            evaluated: self.evaluated.saturating_sub(earlier.evaluated),
        }
    }
}

impl std::ops::Add for Counters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            parsed: self.parsed + other.parsed,
            resolved: self.resolved + other.resolved,
            inferred: self.inferred + other.inferred,
            evaluated: self.evaluated + other.evaluated,
        }
    }
}
