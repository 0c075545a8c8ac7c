//! In what order the bindings of a program are worked on: each after those that it needs,
//! and side by side where they do not need each other.
//!
//! So no work on one binding waits for work on another, and none nests in another. What
//! comes out does not depend on which thread takes what.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::queries::{Database, Entry, Item, Need, SourceFile, outline};

/// Bindings that are worth a second thread.
const MANY: usize = 64;

/// A thread takes one of so many bindings that are ready, and at most [`MOST`] at once.
const SHARE: usize = 32;
const MOST: usize = 16;

/// How often a thread that has nothing to do looks again before it sleeps, and how many
/// pauses of the processor are between: together some 100 microseconds.
const SPINS: usize = 50;
const PAUSE: usize = 50;

/// The bindings of a program, each after those that it needs.
pub(super) struct Schedule<'a> {
    files: Vec<&'a [Entry]>,
    /// How many bindings may wait for each other when one is evaluated, itself included:
    /// file by file.
    waiting: Vec<Vec<u32>>,
}

/// Bindings to work on, in an order in which each comes after those that it waits for.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// `None` is no work: what waits for a module waits for this.
    nodes: Vec<Option<Item>>,
    /// For how many others each waits.
    waits: Vec<u32>,
    /// Who waits for whom, the one that is waited for first.
    edges: Vec<(u32, u32)>,
}

impl<'a> Schedule<'a> {
    /// The schedule of modules that are sorted: each after those that it imports.
    pub(super) fn of(db: &'a Database, sorted: &[SourceFile]) -> Self {
        if sorted.len() > 1 {
            let files = sorted.par_iter().with_min_len(8);
            files.for_each_with(db.clone(), |db, &file| {
                outline(&*db, file);
            });
        }
        let mut deepest: FxHashMap<SourceFile, u32> = FxHashMap::default();
        let mut files = Vec::with_capacity(sorted.len());
        let mut waiting = Vec::with_capacity(sorted.len());
        for &file in sorted {
            let entries = outline(db, file);
            let mut found: Vec<u32> = Vec::with_capacity(entries.len());
            for entry in entries {
                // What is certainly needed is evaluated before.
                let uses = entry.uses.iter();
                let uses = uses.map(|(at, certain)| found[*at as usize] + u32::from(!certain));
                let imports = entry.imports.iter();
                let imports = imports.filter_map(|file| deepest.get(file).map(|most| most + 1));
                found.push(uses.chain(imports).max().unwrap_or(1));
            }
            deepest.insert(file, found.iter().copied().max().unwrap_or(1));
            files.push(entries.as_slice());
            waiting.push(found);
        }
        Self { files, waiting }
    }

    /// The bindings of each file.
    pub(super) fn files(&self) -> &[&'a [Entry]] {
        &self.files
    }

    /// All bindings.
    pub(super) fn order(&self, sorted: &[SourceFile]) -> Order {
        let mut order = Order::default();
        // What is done when the public bindings of a module are.
        let mut modules: FxHashMap<SourceFile, u32> = FxHashMap::default();
        for (entries, &file) in self.files.iter().zip(sorted) {
            let first = order.nodes.len() as u32;
            for entry in *entries {
                let node = order.push(Some(entry.item));
                for (at, _) in &entry.uses {
                    order.wait(first + at, node);
                }
                for module in entry.imports.iter().filter_map(|file| modules.get(file)) {
                    order.wait(*module, node);
                }
            }
            let module = order.push(None);
            for (node, _) in (first..).zip(*entries).filter(|(_, entry)| entry.public) {
                order.wait(node, module);
            }
            modules.insert(file, module);
        }
        order
    }

    /// The bindings of each file that are the first for which more than `most` may wait
    /// for each other. A longer chain holds this one.
    pub(super) fn too_deep(&self, most: u32) -> Vec<Item> {
        let files = self.files.iter().zip(&self.waiting);
        let found = files.filter_map(|(entries, waiting)| {
            let at = waiting.iter().position(|waiting| *waiting == most + 1)?;
            Some(entries[at].item)
        });
        found.collect()
    }
}

/// The bindings that are certainly evaluated for those that are wanted, these included.
pub(super) fn certain(db: &Database, sorted: &[SourceFile], wanted: &[Item]) -> Order {
    let files: Vec<&Vec<Entry>> = sorted.iter().map(|&file| outline(db, file)).collect();
    let entries = || files.iter().flat_map(|entries| entries.iter());
    let starts = files.iter().scan(0, |next, entries| {
        let start = *next;
        *next += entries.len();
        Some(start)
    });
    let starts: Vec<usize> = starts.collect();
    let is_asked = |entry: &Entry| entry.public || wanted.contains(&entry.item);
    let asked = (0..).zip(entries()).filter(|(_, entry)| is_asked(entry));
    let numbers: FxHashMap<Item, usize> = asked.map(|(at, entry)| (entry.item, at)).collect();
    let number = |start: usize, need: &Need| match need {
        Need::Here(at) => Some(start + *at as usize),
        Need::Elsewhere(item) => numbers.get(item).copied(),
    };
    let mut is_wanted = vec![false; entries().count()];
    for at in wanted.iter().filter_map(|item| numbers.get(item)) {
        is_wanted[*at] = true;
    }
    for (&start, entries) in starts.iter().zip(&files).rev() {
        for (at, entry) in entries.iter().enumerate().rev() {
            if is_wanted[start + at] {
                for need in entry.needs.iter().filter_map(|need| number(start, need)) {
                    is_wanted[need] = true;
                }
            }
        }
    }
    let mut order = Order::default();
    let mut nodes: Vec<u32> = vec![0; is_wanted.len()];
    for (&start, entries) in starts.iter().zip(&files) {
        for (at, entry) in (start..)
            .zip(entries.iter())
            .filter(|(at, _)| is_wanted[*at])
        {
            nodes[at] = order.push(Some(entry.item));
            for need in entry.needs.iter().filter_map(|need| number(start, need)) {
                order.wait(nodes[need], nodes[at]);
            }
        }
    }
    order
}

impl Order {
    fn push(&mut self, item: Option<Item>) -> u32 {
        let node = self.nodes.len() as u32;
        self.nodes.push(item);
        self.waits.push(0);
        node
    }

    fn wait(&mut self, before: u32, after: u32) {
        self.waits[after as usize] += 1;
        self.edges.push((before, after));
    }

    /// The bindings.
    pub(super) fn items(&self) -> impl Iterator<Item = Item> {
        self.nodes.iter().flatten().copied()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }
}

/// Does something with every binding of an order, some of them at once. Gives what each
/// thread noted.
pub(super) fn each<T: Default + Send>(
    db: &Database,
    order: &Order,
    work: impl Fn(&Database, &mut T, &[Item]) + Send + Sync,
) -> Vec<T> {
    let threads = rayon::current_num_threads();
    if threads < 2 || order.len() < MANY {
        let mut note = T::default();
        for item in order.nodes.iter().flatten() {
            work(db, &mut note, std::slice::from_ref(item));
        }
        return vec![note];
    }
    let shared = Shared::of(order);
    let workers = (0..threads).into_par_iter().with_max_len(1);
    let notes = workers.map_with(db.clone(), |db, _| shared.run(&*db, &work));
    notes.collect()
}

/// What the threads that work on an order share.
struct Shared<'a> {
    order: &'a Order,
    /// Who waits for each node: node by node.
    after: Vec<u32>,
    /// Where those of each node begin, and where the last ones end.
    starts: Vec<usize>,
    state: Mutex<State>,
    wake: Condvar,
}

/// What a thread works on: bindings, and their numbers in the order.
#[derive(Default)]
struct Taken {
    nodes: Vec<u32>,
    items: Vec<Item>,
}

/// How far the work is.
struct State {
    /// What waits for nothing any more, the next one last.
    ready: Vec<u32>,
    waits: Vec<u32>,
    /// How many are not done.
    left: usize,
    /// How many threads have nothing to do.
    idle: usize,
}

impl<'a> Shared<'a> {
    /// The beginning.
    fn of(order: &'a Order) -> Self {
        let mut starts = vec![0; order.len() + 1];
        for (before, _) in &order.edges {
            starts[*before as usize + 1] += 1;
        }
        for node in 0..order.len() {
            starts[node + 1] += starts[node];
        }
        let mut next = starts.clone();
        let mut after = vec![0; order.edges.len()];
        for (before, node) in &order.edges {
            let place = &mut next[*before as usize];
            after[*place] = *node;
            *place += 1;
        }
        let ready = (0..).zip(&order.waits).filter(|(_, waits)| **waits == 0);
        let mut ready: Vec<u32> = ready.map(|(node, _)| node).collect();
        ready.reverse();
        let state = State {
            ready,
            waits: order.waits.clone(),
            left: order.len(),
            idle: 0,
        };
        Self {
            order,
            after,
            starts,
            state: Mutex::new(state),
            wake: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works until nothing is left.
    fn run<T: Default>(&self, db: &Database, work: &impl Fn(&Database, &mut T, &[Item])) -> T {
        let _finish = Finish(self);
        let mut note = T::default();
        let mut taken = Taken::default();
        while self.next(&mut taken) {
            work(db, &mut note, &taken.items);
        }
        note
    }

    /// Notes what was taken as done, and takes what is next. Says whether anything is.
    fn next(&self, taken: &mut Taken) -> bool {
        taken.items.clear();
        let mut spins = 0;
        let mut state = self.lock();
        for done in taken.nodes.drain(..) {
            self.finish(&mut state, done);
        }
        while state.left > 0 {
            // Only a part of what is ready, so that all have something to do to the end.
            let share = (state.ready.len() / SHARE).clamp(1, MOST);
            while taken.items.len() < share
                && let Some(node) = state.ready.pop()
            {
                match self.order.nodes[node as usize] {
                    None => self.finish(&mut state, node),
                    Some(item) => {
                        taken.nodes.push(node);
                        taken.items.push(item);
                    }
                }
            }
            if !taken.items.is_empty() {
                if state.idle > 0 && !state.ready.is_empty() {
                    self.wake.notify_one();
                }
                return true;
            }
            if state.left == 0 {
                break;
            }
            if spins < SPINS {
                // What others are about to finish is soon ready: to sleep takes longer.
                spins += 1;
                drop(state);
                for _ in 0..PAUSE {
                    std::hint::spin_loop();
                }
                state = self.lock();
                continue;
            }
            state.idle += 1;
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        self.wake.notify_all();
        false
    }

    fn finish(&self, state: &mut State, done: u32) {
        state.left = state.left.saturating_sub(1);
        let place = done as usize;
        for after in &self.after[self.starts[place]..self.starts[place + 1]] {
            let waits = &mut state.waits[*after as usize];
            *waits -= 1;
            if *waits == 0 {
                state.ready.push(*after);
            }
        }
    }
}

/// Lets no thread wait for one that panicked.
struct Finish<'a>(&'a Shared<'a>);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.lock().left = 0;
        self.0.wake.notify_all();
    }
}
