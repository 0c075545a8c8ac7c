//! dpkg's own order within its calls.
//!
//! dpkg keeps a queue of packages to configure. It takes the first; one whose
//! dependencies are not configured goes to the end. When a whole round gave
//! nothing, it tries harder: it breaks cycles of dependencies, then it processes
//! triggers. Where it takes all packages of its database, their order is that of
//! its hash table.
//!
//! This is that queue, without effects: [`Dpkg::next`] says what is done next. Its
//! caller does it and reports which triggers it activated.

use std::collections::{BTreeSet, VecDeque};

use super::cycles::Cycles;
use super::graph::Graph;
use super::{Call, Control};

/// What is done next. Packages are positions among those that [`Dpkg::new`] got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Its files are put in place, with no script run.
    Extract(usize),
    /// It is unpacked: `preinst`, its files, the triggers that these activate.
    Unpack(usize),
    /// It is configured: the triggers that it activates, conffiles, `postinst`.
    Configure(usize),
    /// Its `postinst` gets the triggers that are pending.
    Triggers(usize),
}

/// How often one package's triggers are processed in one call. Real ones need two;
/// more often, packages trigger each other for ever.
const MAX_TRIGGERED: u8 = 16;

/// dpkg's runs.
#[derive(Debug)]
pub struct Dpkg<'a> {
    controls: Vec<Control<'a>>,
    graph: Graph,
    calls: VecDeque<Call>,
    packages: Vec<Package>,
    /// What the current call does before its queue.
    extracting: VecDeque<usize>,
    unpacking: VecDeque<usize>,
    queue: VecDeque<usize>,
    /// Packages whose triggers were activated in this call.
    deferred: VecDeque<usize>,
    run: Run,
    /// What the caller is doing.
    doing: Option<Action>,
}

#[derive(Debug, Clone)]
struct Package {
    status: Status,
    /// Whether a cycle can be broken at it without harm: it has no `postinst`.
    silent: bool,
    /// Whether it has triggers to process.
    pending: bool,
    /// Whose triggers must be processed before it counts as installed.
    awaited: Vec<usize>,
    queued: bool,
    /// Whether this call configures it.
    wanted: bool,
    deferred: bool,
    triggered: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Absent,
    Unpacked,
    /// Its `postinst` is running.
    Halfway,
    Installed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Try {
    Normal,
    Cycles,
    Triggers,
    TriggerCycles,
    Versions,
    All,
}

/// What is known of the current call.
#[derive(Debug)]
struct Run {
    attempt: Try,
    idle: usize,
    /// Whether unmet dependencies stop nothing at last.
    force: bool,
    /// Whether triggers are processed.
    triggers: bool,
    cycles: Cycles,
    /// Whose triggers would let a package go on.
    helpful: Option<usize>,
    /// Whether the packages' fields come from the database, which writes `Depends`
    /// before `Pre-Depends`.
    from_database: bool,
    /// Whether the queue has run.
    drained: bool,
}

enum Check {
    Good,
    Later,
    Never,
}

impl<'a> Dpkg<'a> {
    /// Begins with nothing installed. `silent` are the packages that have no
    /// `postinst`.
    pub fn new(controls: Vec<Control<'a>>, calls: &[Call], silent: &BTreeSet<usize>) -> Self {
        let packages = (0..controls.len()).map(|at| Package {
            status: Status::Absent,
            silent: silent.contains(&at),
            pending: false,
            awaited: Vec::new(),
            queued: false,
            wanted: false,
            deferred: false,
            triggered: 0,
        });
        Self {
            graph: Graph::new(&controls),
            packages: packages.collect(),
            controls,
            calls: calls.iter().cloned().collect(),
            extracting: VecDeque::new(),
            unpacking: VecDeque::new(),
            queue: VecDeque::new(),
            deferred: VecDeque::new(),
            run: Run::new(false, false),
            doing: None,
        }
    }

    /// Reports that what is being done activated a trigger in which `interested` is
    /// interested, and that `waiting` counts as installed only when it is processed.
    /// Nothing happens if `interested` is not configured yet, as in dpkg.
    ///
    /// Triggers of files and of a package's own `triggers` file are reported at once;
    /// what a script activates, after [`Dpkg::done`].
    pub fn activate(&mut self, interested: usize, waiting: Option<usize>) {
        let package = &mut self.packages[interested];
        if package.status != Status::Installed {
            return;
        }
        package.pending = true;
        if self.run.triggers && !std::mem::replace(&mut package.deferred, true) {
            self.deferred.push_back(interested);
        }
        if let Some(waiting) = waiting {
            let awaited = &mut self.packages[waiting].awaited;
            if !awaited.contains(&interested) {
                awaited.push(interested);
            }
        }
    }

    /// What is done next, or `None` after the last. What was given before is done.
    #[expect(
        clippy::should_implement_trait,
        reason = "between two calls, triggers are reported"
    )]
    pub fn next(&mut self) -> Option<Action> {
        self.done();
        loop {
            let action = self.step();
            if action.is_some() {
                self.doing = action;
                return action;
            }
            let call = self.calls.pop_front()?;
            self.begin(call);
        }
    }

    /// Reports that what was given last is done, the script included.
    pub fn done(&mut self) {
        match self.doing.take() {
            Some(Action::Configure(at) | Action::Triggers(at)) => {
                self.packages[at].status = Status::Installed;
            }
            Some(Action::Extract(_) | Action::Unpack(_)) | None => {}
        }
    }

    fn begin(&mut self, call: Call) {
        let (force, triggers) = match &call {
            Call::Install(_) => (true, true),
            Call::Pending => (false, true),
            Call::Assume(_) | Call::Extract(_) | Call::Unpack(_) | Call::Configure(_) => {
                (false, false)
            }
        };
        self.run = Run::new(force, triggers);
        self.queue.clear();
        self.deferred.clear();
        for package in &mut self.packages {
            (package.queued, package.wanted, package.deferred) = (false, false, false);
            package.triggered = 0;
        }
        let queue = match call {
            Call::Assume(at) => {
                self.packages[at].status = Status::Installed;
                Vec::new()
            }
            Call::Extract(all) => {
                self.extracting.extend(all);
                Vec::new()
            }
            Call::Install(all) => {
                self.unpacking.extend(&all);
                all
            }
            Call::Unpack(all) => {
                self.unpacking.extend(all);
                Vec::new()
            }
            Call::Configure(all) => all,
            Call::Pending => self.unfinished(),
        };
        for at in queue {
            self.enqueue(at);
            self.packages[at].wanted = true;
        }
    }

    /// All packages that have something left to do, in the order of the hash table.
    fn unfinished(&self) -> Vec<usize> {
        let known =
            (0..self.packages.len()).filter(|at| self.packages[*at].status != Status::Absent);
        let mut known: Vec<usize> = known.collect();
        let key = |at: &usize| (self.controls[*at].name, self.controls[*at].arch);
        known.sort_by_key(key);
        // A name stands in its bin after those that were known before it. The
        // database is read in the order of the names.
        let mut bins: Vec<(u32, &str, usize)> = Vec::new();
        let mut seen = BTreeSet::new();
        for at in &known {
            let control = &self.controls[*at];
            for name in std::iter::once(&control.name).chain(&control.mentioned) {
                if seen.insert(*name) {
                    bins.push((bin(name), name, bins.len()));
                }
            }
        }
        bins.sort_by_key(|(bin, _, order)| (*bin, *order));
        let find = |name: &str| {
            let named = |at: &usize| self.controls[*at].name;
            let from = known.partition_point(|at| named(at) < name);
            let end = known.partition_point(|at| named(at) <= name);
            known[from..end].iter().copied()
        };
        let ordered = bins.iter().flat_map(|(_, name, _)| find(name));
        ordered
            .filter(|at| {
                let package = &self.packages[*at];
                package.status == Status::Unpacked || package.pending
            })
            .collect()
    }

    fn enqueue(&mut self, at: usize) {
        if !std::mem::replace(&mut self.packages[at].queued, true) {
            self.queue.push_back(at);
        }
    }

    fn step(&mut self) -> Option<Action> {
        if let Some(at) = self.extracting.pop_front() {
            return Some(Action::Extract(at));
        }
        if let Some(at) = self.unpacking.front().copied() {
            if let Some(first) = self.before_unpacking(at) {
                return Some(self.trigger(first));
            }
            self.unpacking.pop_front();
            self.packages[at].status = Status::Unpacked;
            return Some(Action::Unpack(at));
        }
        if !self.run.drained {
            let action = self.take();
            if action.is_some() {
                return action;
            }
            self.run.drained = true;
        }
        while let Some(at) = self.deferred.pop_front() {
            // One that was processed from the queue is not deferred any more.
            if std::mem::take(&mut self.packages[at].deferred)
                && let Some(action) = self.process(at, false)
            {
                return Some(action);
            }
        }
        None
    }

    /// Takes packages from the queue until one can be worked on.
    fn take(&mut self) -> Option<Action> {
        while let Some(mut at) = self.queue.pop_front() {
            self.packages[at].queued = false;
            let length = self.queue.len();
            let idle = self.run.idle;
            self.run.idle += 1;
            if idle > length * 3 + 2 {
                self.run.escalate();
            } else if self.run.idle > length * 2 + 2 {
                let helpful = self
                    .run
                    .helpful
                    .filter(|at| self.run.attempt >= Try::Triggers && self.packages[*at].pending);
                match helpful {
                    Some(helpful) => {
                        self.enqueue(at);
                        self.run.helpful = None;
                        at = helpful;
                    }
                    None => self.run.escalate(),
                }
            }
            let action = match self.packages[at].status {
                Status::Installed => self.process(at, true),
                Status::Unpacked => self.configure(at),
                Status::Absent | Status::Halfway => None,
            };
            if action.is_some() {
                return action;
            }
        }
        None
    }

    fn configure(&mut self, at: usize) -> Option<Action> {
        match self.check(at) {
            Check::Later => {
                self.packages[at].wanted = true;
                self.enqueue(at);
                None
            }
            // dpkg would leave it as it is. No lock has such a set.
            Check::Good | Check::Never => {
                self.run.idle = 0;
                self.packages[at].status = Status::Halfway;
                Some(Action::Configure(at))
            }
        }
    }

    fn process(&mut self, at: usize, queued: bool) -> Option<Action> {
        self.packages[at].deferred = false;
        if !self.packages[at].pending {
            self.settle(at);
            return None;
        }
        if queued && self.run.attempt < Try::Triggers {
            self.enqueue(at);
            return None;
        }
        match self.check(at) {
            Check::Later => {
                self.enqueue(at);
                None
            }
            Check::Never if !queued => None,
            Check::Good | Check::Never => {
                if self.packages[at].triggered == MAX_TRIGGERED {
                    self.packages[at].pending = false;
                    self.settle(at);
                    return None;
                }
                Some(self.trigger(at))
            }
        }
    }

    fn trigger(&mut self, at: usize) -> Action {
        self.run.idle = 0;
        let package = &mut self.packages[at];
        package.triggered = package.triggered.saturating_add(1);
        package.status = Status::Halfway;
        package.pending = false;
        self.settle(at);
        Action::Triggers(at)
    }

    /// Whose triggers must be processed so that what `at` pre-depends on is installed.
    fn before_unpacking(&self, at: usize) -> Option<usize> {
        let node = &self.graph.nodes[at];
        let groups = node.groups.iter().map(|group| &node.needs[group.clone()]);
        groups.filter(|needs| needs[0].pre).find_map(|needs| {
            let targets = || needs.iter().flat_map(|need| &need.targets);
            let installed = |at: &&usize| self.packages[**at].status == Status::Installed;
            let awaited = |at: &usize| self.packages[*at].awaited.first().copied();
            if targets().filter(installed).any(|at| awaited(at).is_none()) {
                return None;
            }
            let first = targets().filter(installed).find_map(awaited)?;
            self.packages[first].pending.then_some(first)
        })
    }

    /// Nobody waits for the triggers of this one any more.
    fn settle(&mut self, at: usize) {
        for package in &mut self.packages {
            package.awaited.retain(|awaited| *awaited != at);
        }
    }

    /// Whether what a package depends on is configured.
    fn check(&mut self, at: usize) -> Check {
        if self.run.attempt >= Try::Cycles {
            let packages = &self.packages;
            let broken = self.run.cycles.break_one(
                &self.graph,
                at,
                self.run.from_database,
                |at| packages[at].silent,
                |at| packages[at].wanted,
            );
            if broken {
                self.run.idle = 0;
            }
        }
        let mut check = Check::Good;
        let mut helpful = None;
        let mut helpless = false;
        let node = &self.graph.nodes[at];
        for group in &node.groups {
            let mut later = false;
            let mut good = false;
            let mut trigger = None;
            for number in group.clone() {
                if self.run.cycles.is_broken(at, number) {
                    good = true;
                    break;
                }
                for target in &node.needs[number].targets {
                    let package = &self.packages[*target];
                    match package.status {
                        Status::Absent => {}
                        Status::Installed if package.awaited.is_empty() => good = true,
                        Status::Installed => {
                            trigger = package.awaited.first().copied();
                            later = true;
                        }
                        Status::Unpacked | Status::Halfway => {
                            // Its own provision is good enough for itself.
                            let provided = node.needs[number].own != Some(*target);
                            good |= *target == at && provided && package.wanted;
                            later |= package.wanted;
                        }
                    }
                    if good {
                        break;
                    }
                }
                if good {
                    break;
                }
            }
            // At last dpkg goes on, if it is told to, or gives up. So that each package
            // is configured whatever its fields say, it always goes on here.
            if good || self.run.attempt == Try::All {
                continue;
            }
            if later || self.run.force {
                match trigger {
                    Some(trigger) => helpful = Some(trigger),
                    None => helpless = true,
                }
                if let Check::Good = check {
                    check = Check::Later;
                }
            } else {
                helpless = true;
                check = Check::Never;
            }
        }
        if !helpless && helpful.is_some() {
            self.run.helpful = helpful;
        }
        check
    }
}

impl Run {
    fn new(force: bool, triggers: bool) -> Self {
        Self {
            attempt: Try::Normal,
            idle: 0,
            force,
            triggers,
            cycles: Cycles::default(),
            helpful: None,
            from_database: !force,
            drained: false,
        }
    }

    /// Tries harder.
    fn escalate(&mut self) {
        self.idle = 0;
        self.attempt = match self.attempt {
            Try::Normal => Try::Cycles,
            Try::Cycles => Try::Triggers,
            Try::Triggers => Try::TriggerCycles,
            Try::TriggerCycles => Try::Versions,
            Try::Versions | Try::All => Try::All,
        };
    }
}

/// The bin of a name in dpkg's hash table: FNV-1a, 32 bits.
pub(super) fn bin(name: &str) -> u32 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    });
    hash % 65_521
}
