//! Values: which bindings are evaluated for a question, in parallel and within the
//! budget, and the plan that they make.

use imgc_diag::{Span, SpanRange, codes};
use imgc_plan::Plan;
use rustc_hash::FxHashSet;

use crate::host::{Given, gather};
use crate::ir::{ItemName, ModuleName};
use crate::load::file_id;
use crate::options::Options;
use crate::origins::Origins;
use crate::problem::Problem;
use crate::queries::{Database, Db as _, Item, body, lowered, value};
use crate::site::Site;
use crate::vm::value::Value;
use crate::vm::{Outcome, prepare};

use super::report::{Report, span};
use super::schedule::{Order, certain, each};
use super::{Findings, State};

/// How many bindings are evaluated on one thread, where only one is wanted.
const MANY: usize = 256;

/// What a question is about, after arguments and the choice of a field.
pub(super) struct Target {
    /// What was found so far. It has the modules of the target.
    pub(super) report: Report,
    /// The bindings whose values are wanted. None: something is wrong.
    pub(super) wanted: Vec<Item>,
    /// Whether they are the fields of a record.
    pub(super) fields: bool,
    /// A field of the value that is wanted in its place.
    pub(super) select: Option<String>,
    /// The file's name without `.img`, or the field's.
    pub(super) stem: String,
}

/// What evaluation has used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) steps: u64,
    pub(super) bytes: u64,
}

impl State {
    /// The plan of a file.
    pub(super) fn plan(
        &mut self,
        entry: &ModuleName,
        options: &Options,
    ) -> (Option<(Option<Plan>, Origins)>, Findings) {
        self.answer(entry, options, true, |db, target, _| {
            let mut problems = Vec::new();
            let gathered = gather_target(db, options, target, &mut problems);
            let failed = problems.iter().any(Problem::is_error);
            target.report.extend(db, problems);
            let gathered = gathered.filter(|_| !failed)?;
            let mut origins = Origins::default();
            for (image, place, site) in gathered.places {
                origins.insert(&image, place, span(db, site));
            }
            for (image, field) in gathered.fields {
                origins.insert_field(image, field);
            }
            Some((Some(gathered.plan), origins))
        })
    }

    /// Evaluates what a question is about and makes the answer of it. What does not
    /// depend on the schedule of threads is made of the first evaluation; where a budget
    /// is exhausted, of another one on one thread, that remembers nothing.
    pub(super) fn answer<T>(
        &mut self,
        entry: &ModuleName,
        options: &Options,
        apply: bool,
        make: impl Fn(&Database, &mut Target, Used) -> Option<T>,
    ) -> (Option<T>, Findings) {
        let mut target = self.target(entry, options, apply);
        if target.report.has_errors() {
            return (None, target.report.into_diagnostics(&self.db));
        }
        let certain = certain(&self.db, &target.report.program.sorted, &target.wanted);
        let is_parallel = target.wanted.len() > 1 || certain.len() > MANY;
        let mut is_alone = self.is_fresh && !is_parallel;
        self.is_fresh = false;
        let certain = is_parallel.then_some(certain);
        let (mut used, mut found, mut exhausted) = self.run(&target, options, certain);
        if exhausted && !is_alone {
            self.forget();
            target = self.target(entry, options, apply);
            (used, found, exhausted) = self.run(&target, options, None);
            is_alone = true;
        }
        let db = &self.db;
        if exhausted && !found.iter().any(Problem::is_error) {
            found = problems_of_all(db);
        }
        if exhausted
            && !found.iter().any(Problem::is_error)
            && let Some(site) = target.wanted.iter().find_map(|item| site_of(db, *item))
        {
            // What each binding used fits, and all of it together does not.
            found.push(budget(site, options, used));
        }
        target.report.extend(db, found);
        let mut answer = None;
        if !target.report.has_errors() && !exhausted {
            answer = make(db, &mut target, used);
        }
        let answer = answer.filter(|_| !target.report.has_errors());
        if answer.is_none() && !target.report.has_errors() {
            // Nothing fails without a word.
            let at = Span {
                file: file_id(entry),
                range: SpanRange { start: 0, end: 0 },
            };
            let message = "this file has no value, and imgc does not know why";
            let problem = Problem::new(codes::NOT_AN_IMAGE, at, message);
            target
                .report
                .problems
                .push(problem.help("this is a mistake in imgc: please report it, with the file"));
        }
        let findings = target.report.into_diagnostics(&self.db);
        if exhausted && is_alone {
            // What stopped for the budget is not to be remembered.
            self.forget();
        }
        (answer, findings)
    }

    /// Begins with an empty database.
    fn forget(&mut self) {
        self.checked.clear();
        self.earlier = self.earlier + self.db.counters();
        self.db = Database::new(self.world.clone());
        self.is_fresh = true;
    }

    /// Evaluates. Gives what was used, also by what was remembered, what is wrong with
    /// values, and whether more was used than is allowed.
    fn run(
        &self,
        target: &Target,
        options: &Options,
        certain: Option<Order>,
    ) -> (Used, Vec<Problem<Site>>, bool) {
        let db = &self.db;
        db.spent().reset(certain.as_ref().map_or(0, Order::len));
        let order = certain.unwrap_or_default();
        let before: FxHashSet<Item> = order.items().collect();
        let notes = each(db, &order, |db, note: &mut Note, items| {
            note.evaluate(db, items, &before);
        });
        for &item in &target.wanted {
            prepare(db, item);
        }
        let all = Note::of_all(notes);
        let (used, problems) = match all.and_rest(db, before, &target.wanted) {
            Some(used) => {
                debug_assert_eq!(used, evaluated(db, &target.wanted).0);
                (used, Vec::new())
            }
            None => evaluated(db, &target.wanted),
        };
        let limits = &options.limits;
        let is_exhausted =
            db.spent().is_exhausted() || used.steps > limits.steps || used.bytes > limits.bytes;
        (used, problems, is_exhausted)
    }
}

/// What a thread notes of the bindings that it evaluates, so that nobody has to look at
/// each of them again.
#[derive(Default)]
struct Note {
    used: Used,
    /// Whether anything is wrong with the values.
    has_problems: bool,
    /// What they used that is not in the order.
    others: Vec<Item>,
}

impl Note {
    /// Evaluates bindings of the order.
    fn evaluate(&mut self, db: &Database, items: &[Item], order: &FxHashSet<Item>) {
        for &item in items {
            let outcome = value(db, item);
            self.add(outcome);
            let others = outcome.used.iter().filter(|item| !order.contains(item));
            self.others.extend(others);
        }
        db.spent().done(items);
    }

    fn add(&mut self, outcome: &Outcome) {
        self.used.add(outcome);
        self.has_problems |= outcome.value.is_none() || !outcome.problems.is_empty();
    }

    /// What all threads noted.
    fn of_all(notes: Vec<Self>) -> Self {
        let mut sum = Self::default();
        for note in notes {
            sum.used.steps = sum.used.steps.saturating_add(note.used.steps);
            sum.used.bytes = sum.used.bytes.saturating_add(note.used.bytes);
            sum.has_problems |= note.has_problems;
            sum.others.extend(note.others);
        }
        sum
    }

    /// What was used, also by what is wanted and was not in the order, and all that it
    /// needed. `None`: something is wrong. Where nothing is, all of the order is needed.
    fn and_rest(
        mut self,
        db: &Database,
        mut order: FxHashSet<Item>,
        wanted: &[Item],
    ) -> Option<Used> {
        let mut queue = std::mem::take(&mut self.others);
        queue.extend(wanted);
        while let Some(item) = queue.pop() {
            if order.insert(item) {
                let outcome = value(db, item);
                self.add(outcome);
                queue.extend(&outcome.used);
            }
        }
        (!self.has_problems).then_some(self.used)
    }
}

impl Used {
    fn add(&mut self, outcome: &Outcome) {
        self.steps = self.steps.saturating_add(outcome.steps);
        self.bytes = self.bytes.saturating_add(outcome.bytes);
    }
}

/// What the bindings used that were evaluated for others, and what is wrong with them.
/// Each counts once, in the order of first use.
fn evaluated(db: &Database, wanted: &[Item]) -> (Used, Vec<Problem<Site>>) {
    let mut seen = FxHashSet::default();
    let mut used = Used::default();
    let mut problems = Vec::new();
    let mut queue: Vec<Item> = wanted.iter().rev().copied().collect();
    while let Some(item) = queue.pop() {
        if seen.insert(item) {
            let outcome = value(db, item);
            used.add(outcome);
            problems.extend_from_slice(&outcome.problems);
            queue.extend(outcome.used.iter().rev());
        }
    }
    (used, problems)
}

/// What is wrong with everything that was evaluated: where a budget ends in what a
/// binding was going to use, that is not known as used.
fn problems_of_all(db: &Database) -> Vec<Problem<Site>> {
    let mut items: Vec<Item> = db
        .spent()
        .totals()
        .into_iter()
        .map(|(item, _)| item)
        .collect();
    items.sort_by(|a, b| {
        let key = |item: &Item| (item.file(db).name(db), item.name(db));
        key(a).cmp(&key(b))
    });
    let items = items.into_iter();
    items
        .flat_map(|item| value(db, item).problems.clone())
        .collect()
}

/// That everything together used more than is allowed.
fn budget(site: Site, options: &Options, used: Used) -> Problem<Site> {
    let limits = &options.limits;
    let message = if used.bytes > limits.bytes && used.steps <= limits.steps {
        format!("evaluation takes more than {} bytes", limits.bytes)
    } else {
        format!("evaluation takes more than {} steps", limits.steps)
    };
    Problem::new(codes::BUDGET_EXCEEDED, site, message)
}

/// The value of a binding. `None`: what is wrong has been reported.
pub(super) fn value_of(db: &Database, item: Item) -> Option<&Value> {
    value(db, item).value.as_ref()
}

/// Where a binding's value is written.
pub(super) fn site_of(db: &Database, item: Item) -> Option<Site> {
    let body = body(db, item).as_ref()?;
    Some(Site::whole(item, body.root))
}

fn gather_target(
    db: &Database,
    options: &Options,
    target: &Target,
    problems: &mut Vec<Problem<Site>>,
) -> Option<crate::host::Gathered> {
    if !target.fields {
        let item = *target.wanted.first()?;
        let value = value_of(db, item)?;
        let value = match &target.select {
            Some(name) => value.as_record()?.get(name)?,
            None => value,
        };
        // What a module of imgc wrote is blamed on the file that calls it.
        let site = value.origin().map(|origin| db.site(origin));
        let site = site.filter(|site| !matches!(site.item.file(db).name(db), ModuleName::Std(_)));
        let given = Given::Whole {
            stem: &target.stem,
            site: site.or_else(|| site_of(db, item))?,
            value,
        };
        return Some(gather(db, options, &given, problems));
    }
    let mut fields = Vec::new();
    for &item in &target.wanted {
        let ItemName::Export(name) = item.name(db) else {
            continue;
        };
        let found = lowered(db, item.file(db)).get(item.name(db));
        let start = found.map(|binding| binding.place.start());
        fields.push((start, (&**name, site_of(db, item)?, value_of(db, item)?)));
    }
    // The order of the source.
    fields.sort_by_key(|(start, _)| *start);
    let fields: Vec<_> = fields.into_iter().map(|(_, field)| field).collect();
    let site = fields.first().map(|(_, site, _)| *site)?;
    Some(gather(
        db,
        options,
        &Given::Fields { site, fields },
        problems,
    ))
}
