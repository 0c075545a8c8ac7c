//! What one evaluation may use. Everything is counted, nothing is timed, so that a
//! program that is refused is refused on every machine.
//!
//! [`Spent`] is shared by all bindings of an evaluation. Each binding has a [`Meter`],
//! which takes steps and bytes from it in portions and gives back what is left over.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::options::Limits;
use crate::queries::Item;
use crate::vm::layouts::Layouts;

/// How much a meter takes at once.
const PORTION: u64 = 1 << 16;

/// What an evaluation has used so far, and may use.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    steps: Counter,
    bytes: Counter,
    stopped: AtomicBool,
    /// What single bindings used: sorted by name before it is shown.
    totals: Mutex<FxHashMap<Item, Total>>,
    /// The bindings that were evaluated.
    done: RwLock<FxHashSet<Item>>,
}

/// What one binding used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Total {
    /// Steps.
    pub(crate) steps: u64,
    /// Bytes.
    pub(crate) bytes: u64,
}

/// A limit that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exhausted {
    /// Too many steps.
    Steps(u64),
    /// Too many bytes.
    Bytes(u64),
    /// A limit was met before, and has been reported.
    Again,
}

#[derive(Debug, Default)]
struct Counter {
    taken: AtomicU64,
}

/// What one binding uses.
#[derive(Debug)]
pub(crate) struct Meter {
    /// The binding.
    pub(crate) item: Item,
    limits: Total,
    /// Steps that were taken from [`Spent`] and not used.
    steps: i64,
    /// Bytes likewise.
    bytes: i64,
    taken: Total,
    told: Total,
    /// Whether a limit was met. Nothing goes on then.
    pub(crate) stopped: bool,
    /// Regular expressions that this binding has compiled.
    pub(crate) regexes: BTreeMap<String, Regex>,
    /// Names of records that this binding has updated.
    pub(crate) layouts: Layouts,
}

impl Spent {
    /// Begins a new evaluation, of about so many bindings.
    pub(crate) fn reset(&self, bindings: usize) {
        self.steps.taken.store(0, Ordering::Relaxed);
        self.bytes.taken.store(0, Ordering::Relaxed);
        self.stopped.store(false, Ordering::Relaxed);
        let mut totals = self.lock();
        totals.clear();
        totals.reserve(bindings);
        let mut done = self.done.write().unwrap_or_else(PoisonError::into_inner);
        done.clear();
        done.reserve(bindings);
    }

    /// Whether a limit was met.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Says that bindings have been evaluated.
    pub(crate) fn done(&self, items: &[Item]) {
        let done = self.done.write();
        done.unwrap_or_else(PoisonError::into_inner).extend(items);
    }

    /// Whether a binding is known to have been evaluated.
    pub(crate) fn is_done(&self, item: Item) -> bool {
        let done = self.done.read();
        done.unwrap_or_else(PoisonError::into_inner).contains(&item)
    }

    /// What each binding used, in no order.
    pub(crate) fn totals(&self) -> Vec<(Item, Total)> {
        let totals = self.lock();
        let totals = totals.iter().map(|(item, total)| (*item, *total));
        totals.collect()
    }

    fn lock(&self) -> MutexGuard<'_, FxHashMap<Item, Total>> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counter {
    /// Takes `needed`, and up to a portion more. `None`: that is more than there is.
    fn take(&self, needed: u64, limit: u64) -> Option<u64> {
        let mut got = 0;
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |taken| {
                let left = limit.saturating_sub(taken);
                got = left.min(needed.saturating_add(PORTION));
                (needed <= left).then_some(taken + got)
            });
        taken.ok().map(|_| got)
    }

    fn give_back(&self, count: u64) {
        let less = |taken: u64| Some(taken.saturating_sub(count));
        let order = Ordering::Relaxed;
        let _ = self.taken.fetch_update(order, order, less);
    }
}

impl Meter {
    /// A meter that has nothing yet.
    pub(crate) fn new(item: Item, limits: &Limits) -> Self {
        let limits = Total {
            steps: limits.steps,
            bytes: limits.bytes,
        };
        Self {
            item,
            limits,
            steps: 0,
            bytes: 0,
            taken: Total::default(),
            told: Total::default(),
            stopped: false,
            regexes: BTreeMap::new(),
            layouts: Layouts::default(),
        }
    }

    /// Counts steps. `true`: [`Meter::refill`] must be called.
    #[inline]
    pub(crate) fn step(&mut self, count: usize) -> bool {
        self.steps = self.steps.saturating_sub_unsigned(count as u64);
        self.steps < 0
    }

    /// Counts one step. `true`: [`Meter::refill`] must be called.
    #[inline]
    pub(crate) fn tick(&mut self) -> bool {
        self.steps -= 1;
        self.steps < 0
    }

    /// Whether so many steps may be counted without [`Meter::refill`].
    #[inline]
    pub(crate) fn has(&self, count: i64) -> bool {
        self.steps >= count
    }

    /// Counts bytes. `true`: [`Meter::refill`] must be called.
    #[inline]
    pub(crate) fn allocate(&mut self, count: usize) -> bool {
        self.bytes = self.bytes.saturating_sub_unsigned(count as u64);
        self.bytes < 0
    }

    /// Takes as much as is missing.
    #[cold]
    pub(crate) fn refill(&mut self, spent: &Spent) -> Result<(), Exhausted> {
        if self.stopped || spent.is_exhausted() {
            self.stopped = true;
            return Err(Exhausted::Again);
        }
        let missing = |left: i64| if left < 0 { left.unsigned_abs() } else { 0 };
        let (steps, bytes) = (missing(self.steps), missing(self.bytes));
        if steps > 0 {
            let Some(got) = spent.steps.take(steps, self.limits.steps) else {
                let limit = self.limits.steps;
                return Err(self.stop(spent, Exhausted::Steps(limit)));
            };
            self.steps = self.steps.saturating_add_unsigned(got);
            self.taken.steps += got;
        }
        if bytes > 0 {
            let Some(got) = spent.bytes.take(bytes, self.limits.bytes) else {
                let limit = self.limits.bytes;
                return Err(self.stop(spent, Exhausted::Bytes(limit)));
            };
            self.bytes = self.bytes.saturating_add_unsigned(got);
            self.taken.bytes += got;
        }
        Ok(())
    }

    /// Gives back what is left over: another binding may need it.
    pub(crate) fn release(&mut self, spent: &Spent) {
        let (steps, bytes) = (self.steps.max(0), self.bytes.max(0));
        spent.steps.give_back(steps.unsigned_abs());
        spent.bytes.give_back(bytes.unsigned_abs());
        self.taken.steps -= steps.unsigned_abs();
        self.taken.bytes -= bytes.unsigned_abs();
        self.steps -= steps;
        self.bytes -= bytes;
        self.tell(spent);
    }

    /// What was used.
    pub(crate) fn used(&self) -> Total {
        let used = |taken: u64, left: i64| taken.saturating_add_signed(left.saturating_neg());
        Total {
            steps: used(self.taken.steps, self.steps),
            bytes: used(self.taken.bytes, self.bytes),
        }
    }

    fn stop(&mut self, spent: &Spent, why: Exhausted) -> Exhausted {
        self.stopped = true;
        spent.stopped.store(true, Ordering::Relaxed);
        self.tell(spent);
        why
    }

    /// Adds what was used since the last time to the totals.
    fn tell(&mut self, spent: &Spent) {
        let used = self.used();
        if used == self.told && used != Total::default() {
            return;
        }
        let mut totals = spent.lock();
        let total = totals.entry(self.item).or_default();
        total.steps = total.steps.saturating_add(used.steps - self.told.steps);
        total.bytes = total.bytes.saturating_add(used.bytes - self.told.bytes);
        self.told = used;
    }
}
