//! The database: what salsa remembers, and the tables from names to its inputs.
//!
//! Clones share everything, one for each thread. It knows no language.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;
use rustc_hash::FxHashMap;
use salsa::{Durability, Setter as _};

use super::counters::Executed;
use super::outside::{Outside, Question};
use super::{Counters, Db, Item, Kind, Settings, SourceFile};
use crate::ir::{ItemName, ModuleName};
use crate::options::Options;
use crate::site::{At, Site};
use crate::vm::meter::Spent;
use crate::vm::value::Origin;
use crate::world::World;

/// What is remembered. Cheap to clone; every clone must be gone before an input is set.
#[salsa::db]
#[derive(Clone)]
pub(crate) struct Database {
    storage: salsa::Storage<Self>,
    shared: Arc<Shared>,
    /// How often an input was changed through this clone.
    changes: u64,
    /// The modules that are being written, where only some are.
    written: Option<BTreeSet<ModuleName>>,
}

struct Shared {
    world: Arc<dyn World>,
    settings: Mutex<Option<Settings>>,
    // These are looked up by every query, and never walked. Names come from sources, which
    // must not choose their hashes.
    files: Mutex<HashMap<ModuleName, SourceFile>>,
    items: Mutex<FxHashMap<SourceFile, HashMap<ItemName, Item>>>,
    answers: Mutex<BTreeMap<Question, Outside>>,
    origins: Mutex<Given>,
    spent: Spent,
    executed: Executed,
}

/// The origins that were given out.
#[derive(Default)]
struct Given {
    /// The first origin of each range, ascending, and whose they are.
    ranges: Vec<(u32, Item)>,
    /// The last range of each binding: its first origin and how many they are.
    last: FxHashMap<Item, (u32, usize)>,
    /// The first that was not given out.
    next: u32,
}

#[salsa::db]
impl salsa::Database for Database {}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").finish_non_exhaustive()
    }
}

/// What is in a lock. No thread leaves a table half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Database {
    /// An empty database over a world.
    pub(crate) fn new(world: Arc<dyn World>) -> Self {
        let shared = Shared {
            world,
            settings: Mutex::default(),
            files: Mutex::default(),
            items: Mutex::default(),
            answers: Mutex::default(),
            origins: Mutex::default(),
            spent: Spent::default(),
            executed: Executed::default(),
        };
        Self {
            storage: salsa::Storage::default(),
            shared: Arc::new(shared),
            changes: 0,
            written: None,
        }
    }

    /// An empty database whose texts stay as they are, but for those that are
    /// [written](Self::write): what depends on none of these is not looked at again after
    /// every key.
    pub(crate) fn for_writing(world: Arc<dyn World>) -> Self {
        Self {
            written: Some(BTreeSet::new()),
            ..Self::new(world)
        }
    }

    /// Says that a module is being written from now on. What becomes less durable counts as
    /// changed, though it is the same: so that is left to its first change.
    pub(crate) fn write(&mut self, name: ModuleName) {
        if let Some(written) = &mut self.written {
            written.insert(name);
        }
    }

    /// What was executed so far.
    pub(crate) fn counters(&self) -> Counters {
        self.shared.executed.counters()
    }

    /// How often inputs were changed so far.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Sets the text of a module, and whether it is in a circle of imports. What is the
    /// same already changes nothing.
    pub(crate) fn set_text(&mut self, name: &ModuleName, text: Option<Arc<str>>) -> SourceFile {
        let file = self.file(name);
        if *file.text(self) == text {
            return file;
        }
        // The modules of imgc do not change. Others keep one durability, until they are
        // written.
        let durability = match (name, &self.written) {
            (ModuleName::Std(_), _) => Durability::HIGH,
            (_, Some(written)) if !written.contains(name) => Durability::MEDIUM,
            _ => Durability::LOW,
        };
        file.set_text(self).with_durability(durability).to(text);
        self.changes += 1;
        file
    }

    /// Says whether a module imports itself, directly or through others.
    pub(crate) fn set_circular(&mut self, file: SourceFile, circular: bool) {
        if file.circular(self) != circular {
            file.set_circular(self).to(circular);
            self.changes += 1;
        }
    }

    /// Sets what the caller decides.
    pub(crate) fn set_options(&mut self, options: &Options) {
        let settings = self.settings();
        if settings.platform(self) != options.platform {
            settings.set_platform(self).to(options.platform);
            self.changes += 1;
        }
        if *settings.limits(self) != options.limits {
            settings.set_limits(self).to(options.limits.clone());
            self.changes += 1;
        }
    }

    /// Asks the world again all that it was asked.
    pub(crate) fn refresh(&mut self) {
        let known: Vec<(Question, Outside)> = locked(&self.shared.answers)
            .iter()
            .map(|(question, outside)| (question.clone(), *outside))
            .collect();
        for (question, outside) in known {
            let answer = question.ask(self.world());
            if *outside.answer(self) != answer {
                outside.set_answer(self).to(answer);
                self.changes += 1;
            }
        }
    }
}

#[salsa::db]
impl Db for Database {
    fn world(&self) -> &dyn World {
        &*self.shared.world
    }

    fn file(&self, name: &ModuleName) -> SourceFile {
        let mut files = locked(&self.shared.files);
        if let Some(&file) = files.get(name) {
            return file;
        }
        let file = SourceFile::builder(name.clone(), None, false)
            .name_durability(Durability::NEVER_CHANGE)
            .circular_durability(Durability::MEDIUM)
            .new(self);
        files.insert(name.clone(), file);
        file
    }

    fn item(&self, file: SourceFile, name: &ItemName) -> Item {
        let mut items = locked(&self.shared.items);
        let items = items.entry(file).or_default();
        if let Some(&item) = items.get(name) {
            return item;
        }
        let item = Item::builder(file, name.clone())
            .durability(Durability::NEVER_CHANGE)
            .new(self);
        items.insert(name.clone(), item);
        item
    }

    fn outside(&self, question: Question) -> Outside {
        if let Some(&outside) = locked(&self.shared.answers).get(&question) {
            return outside;
        }
        // The world is asked without the lock: a digest may take long.
        let answer = question.ask(self.world());
        let mut answers = locked(&self.shared.answers);
        *answers.entry(question).or_insert_with(|| {
            Outside::builder(answer)
                .durability(Durability::MEDIUM)
                .new(self)
        })
    }

    fn settings(&self) -> Settings {
        *locked(&self.shared.settings).get_or_insert_with(|| {
            let Options {
                platform, limits, ..
            } = Options::default();
            Settings::builder(platform, limits)
                .durability(Durability::HIGH)
                .new(self)
        })
    }

    fn spent(&self) -> &Spent {
        &self.shared.spent
    }

    fn executes(&self, kind: Kind) {
        self.shared.executed.count(kind);
    }

    fn site(&self, origin: Origin) -> Site {
        let given = locked(&self.shared.origins);
        let after = given
            .ranges
            .partition_point(|(first, _)| *first <= origin.0);
        let (first, item) = given.ranges[after.saturating_sub(1)];
        let expr = crate::ir::ExprId(origin.0.saturating_sub(first));
        let at = At::whole(expr);
        Site { item, at }
    }

    fn origins(&self, item: Item, count: usize) -> Origin {
        let mut given = locked(&self.shared.origins);
        if let Some(&(first, room)) = given.last.get(&item)
            && count <= room
        {
            return Origin(first);
        }
        // A binding that grows while it is written soon has room.
        let room = count.max(1).next_power_of_two();
        let first = given.next;
        let after = u32::try_from(room)
            .ok()
            .and_then(|room| first.checked_add(room));
        // When all numbers are used up, the places of new values are wrong, and that is all.
        given.next = after.unwrap_or(first);
        given.ranges.push((first, item));
        given.last.insert(item, (first, room));
        Origin(first)
    }
}
