//! What one evaluation may use. Everything is counted, nothing is timed, so that
//! a program that is refused is refused on every machine.

use crate::options::Limits;
use crate::problem::Problem;
use crate::span::Span;
use imgc_diag::codes;

/// The counters of one evaluation.
#[derive(Debug)]
pub(super) struct Budget {
    /// Whether a limit was met. Nothing more is reported then.
    pub(super) exhausted: bool,
    limits: Limits,
    steps: u64,
    bytes: u64,
    depth: u32,
}

/// The limit that was met.
#[derive(Debug, Clone, Copy)]
pub(super) enum Exhausted {
    /// Too many steps.
    Steps(u64),
    /// Too many bytes.
    Bytes(u64),
    /// Too many expressions and calls in each other.
    Depth(u32),
    /// A limit was met before.
    Again,
}

impl Budget {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            exhausted: false,
            limits: Limits {
                depth: limits.depth.min(Limits::MAX_DEPTH),
                ..limits.clone()
            },
            steps: 0,
            bytes: 0,
            depth: 0,
        }
    }

    /// Counts steps.
    pub(super) fn step(&mut self, count: u64) -> Result<(), Exhausted> {
        self.steps = self.steps.saturating_add(count);
        if self.exhausted {
            return Err(Exhausted::Again);
        }
        if self.steps > self.limits.steps {
            return Err(Exhausted::Steps(self.limits.steps));
        }
        Ok(())
    }

    /// Counts bytes that are made, and the bytes that the arena holds now.
    pub(super) fn allocate(&mut self, bytes: u64, live: u64) -> Result<(), Exhausted> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.exhausted {
            return Err(Exhausted::Again);
        }
        if self.bytes.saturating_add(live) > self.limits.bytes {
            return Err(Exhausted::Bytes(self.limits.bytes));
        }
        Ok(())
    }

    /// Bytes that were made so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Goes one level deeper.
    pub(super) fn enter(&mut self) -> Result<(), Exhausted> {
        if self.exhausted {
            return Err(Exhausted::Again);
        }
        if self.depth >= self.limits.depth {
            return Err(Exhausted::Depth(self.limits.depth));
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back from where [`Budget::enter`] went.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

impl Exhausted {
    /// The report that the budget ended at `span`.
    pub(super) fn problem(self, span: Span) -> Problem {
        let (code, message) = match self {
            Self::Steps(limit) => (
                codes::BUDGET_EXCEEDED,
                format!("evaluation stopped here after {limit} steps"),
            ),
            Self::Bytes(limit) => (
                codes::BUDGET_EXCEEDED,
                format!("evaluation stopped here: its values take more than {limit} bytes"),
            ),
            Self::Depth(limit) => (
                codes::NESTED_TOO_DEEP,
                format!("expressions and calls nest more than {limit} levels deep here"),
            ),
            Self::Again => (codes::BUDGET_EXCEEDED, "evaluation has stopped".to_owned()),
        };
        Problem::new(code, span, message)
            .note("steps, bytes and depth are counted, so that this is the same on every machine")
    }
}
