//! Work that many ask for at the same time, done once. Who asks while it is being done
//! does not get what was begun before he asked, as that may have looked at the world too
//! early: all who wait share the next turn.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The turns of each key.
#[derive(Debug)]
pub(super) struct Turns<K, V> {
    turns: Mutex<BTreeMap<K, Turn<V>>>,
    ended: Condvar,
}

#[derive(Debug)]
struct Turn<V> {
    /// How many were begun.
    begun: u64,
    /// Whether the last of them still goes on.
    running: bool,
    /// How many wait for a result, or work.
    present: usize,
    /// The number and the result of the last that came to its end.
    last: Option<(u64, V)>,
}

/// Whoever works. Dropped, also by a panic, it lets the next one go on.
struct Working<'a, K: Ord, V> {
    of: &'a Turns<K, V>,
    key: &'a K,
}

impl<K, V> Default for Turns<K, V> {
    fn default() -> Self {
        Self {
            turns: Mutex::default(),
            ended: Condvar::new(),
        }
    }
}

impl<K: Ord + Clone, V: Clone> Turns<K, V> {
    /// What `work` gives, begun by somebody after this was called.
    pub(super) fn take(&self, key: K, work: impl FnOnce() -> V) -> V {
        let mut turns = self.lock();
        let turn = turns.entry(key.clone()).or_insert(Turn {
            begun: 0,
            running: false,
            present: 0,
            last: None,
        });
        turn.present += 1;
        let wanted = turn.begun + 1;
        let value = loop {
            let turn = turns.get_mut(&key).expect("it stays while one is present");
            if let Some((number, value)) = &turn.last
                && *number >= wanted
            {
                break value.clone();
            }
            if turn.running {
                let woken = self.ended.wait(turns);
                turns = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            turn.running = true;
            turn.begun += 1;
            let number = turn.begun;
            drop(turns);
            let working = Working {
                of: self,
                key: &key,
            };
            let value = work();
            turns = self.lock();
            if let Some(turn) = turns.get_mut(&key) {
                turn.last = Some((number, value.clone()));
            }
            drop(turns);
            drop(working);
            turns = self.lock();
            break value;
        };
        if let Some(turn) = turns.get_mut(&key) {
            turn.present -= 1;
            if turn.present == 0 {
                turns.remove(&key);
            }
        }
        value
    }
}

impl<K: Ord, V> Turns<K, V> {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<K, Turn<V>>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Ord, V> Drop for Working<'_, K, V> {
    fn drop(&mut self) {
        if let Some(turn) = self.of.lock().get_mut(self.key) {
            turn.running = false;
        }
        self.of.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn who_waits_shares_the_next_turn() {
        let turns: Turns<&str, usize> = Turns::default();
        let count = AtomicUsize::new(0);
        let (began, may_end) = (Barrier::new(2), Barrier::new(2));
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                turns.take("a", || {
                    began.wait();
                    may_end.wait();
                    count.fetch_add(1, Ordering::SeqCst)
                })
            });
            began.wait();
            let later: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| turns.take("a", || count.fetch_add(1, Ordering::SeqCst))))
                .collect();
            while turns.lock()["a"].present < 9 {
                std::thread::yield_now();
            }
            // Another key waits for nobody.
            assert_eq!(turns.take("b", || 7), 7);
            may_end.wait();
            assert_eq!(first.join().ok(), Some(0));
            for one in later {
                assert_eq!(one.join().ok(), Some(1));
            }
        });
        assert_eq!(count.load(Ordering::SeqCst), 2);
        assert!(turns.lock().is_empty(), "nothing is kept");
    }

    #[test]
    fn a_panic_blocks_nobody() {
        let turns: Turns<&str, usize> = Turns::default();
        let failed = std::thread::scope(|scope| {
            let fails = scope.spawn(|| turns.take("a", || panic!("on purpose")));
            fails.join().is_err()
        });
        assert!(failed);
        assert_eq!(turns.take("a", || 1), 1);
    }
}
