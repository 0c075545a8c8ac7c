//! What a builtin may ask of the evaluation around it.
//!
//! The only way of `native/` and `host/` to the outside: it counts, reports, and
//! reads the project so that what was read is remembered as a dependency.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::FileDigest;
use regex::Regex;

use crate::ir::Expr;
use crate::problem::{MAX_PROBLEMS, Problem};
use crate::queries::{self, Db, Item};
use crate::site::Site;
use crate::vm::meter::{Exhausted, Meter};
use crate::vm::value::{Origin, Record, Tagged, Value};
use crate::world::{Entry, Stat, WorldError};

/// The value of something that may fail. What failed has been reported.
pub(crate) type Eval<T = Value> = Result<T, Failed>;

/// What is wrong has been reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// One call of a builtin.
pub(crate) struct Call<'a> {
    /// The database, for options.
    pub(crate) db: &'a dyn Db,
    /// Where the call is written.
    pub(crate) origin: Origin,
    /// What is wrong, found so far.
    pub(crate) problems: &'a mut Vec<Problem<Site>>,
    pub(super) meter: &'a mut Meter,
}

impl Call<'_> {
    /// Reports something. Unless it is a warning, what failed is given back.
    pub(crate) fn report(&mut self, problem: Problem<Site>) -> Failed {
        if !self.is_full() {
            self.problems.push(problem);
        }
        Failed
    }

    /// Whether nothing more is reported: the words for a mistake need not be looked
    /// for then. Many mistakes must not take long.
    pub(crate) fn is_full(&self) -> bool {
        self.meter.stopped || self.problems.len() >= MAX_PROBLEMS
    }

    /// The regular expressions that the binding has compiled. Which ones those are is the
    /// same every time, so that what is not compiled again need not be counted.
    pub(crate) fn regexes(&mut self) -> &mut BTreeMap<String, Regex> {
        &mut self.meter.regexes
    }

    /// Counts steps, before the work is done.
    #[inline]
    pub(crate) fn step(&mut self, count: usize) -> Eval<()> {
        if self.meter.step(count) {
            return self.refill();
        }
        Ok(())
    }

    /// Counts bytes, before they are made.
    #[inline]
    pub(crate) fn allocate(&mut self, bytes: usize) -> Eval<()> {
        if self.meter.allocate(bytes) {
            return self.refill();
        }
        Ok(())
    }

    #[cold]
    fn refill(&mut self) -> Eval<()> {
        let filled = self.meter.refill(self.db.spent());
        filled.map_err(|why| self.exhaust(why))
    }

    fn exhaust(&mut self, why: Exhausted) -> Failed {
        if let Some(problem) = exhausted(self.db, why, self.site()) {
            self.problems.push(problem);
        }
        Failed
    }

    /// Where the call is written.
    pub(crate) fn site(&self) -> Site {
        self.site_of(self.origin)
    }

    /// Where a value was written.
    pub(crate) fn site_of(&self, origin: Origin) -> Site {
        self.db.site(origin)
    }

    /// Where a value was written; a failure is where the call is.
    pub(crate) fn site_of_value(&self, value: &Value) -> Site {
        self.site_of(value.origin().unwrap_or(self.origin))
    }

    /// Where the name of a field was written: in the literal that `record` comes from,
    /// else where the field's value was written.
    pub(crate) fn site_of_field(&self, record: &Value, name: &str) -> Site {
        let site = self.site_of_value(record);
        if let Some(body) = queries::body(self.db, site.item)
            && let Some(Expr::Record(fields)) = body.exprs.get(site.at.expr.0 as usize)
            && let Some(field) = fields.iter().position(|field| &*field.name == name)
        {
            return Site::part(site.item, site.at.expr, field);
        }
        let value = record.as_record().and_then(|record| record.get(name));
        value.map_or(site, |value| self.site_of_value(value))
    }

    /// A number.
    pub(crate) fn int(&self, number: i64) -> Value {
        Value::Int(self.origin, number)
    }

    /// A truth value.
    pub(crate) fn bool(&self, truth: bool) -> Value {
        Value::Bool(self.origin, truth)
    }

    /// A string, counted.
    pub(crate) fn string(&mut self, text: &str) -> Eval {
        self.allocate(text.len() + 4 * size_of::<Value>())?;
        self.step(text.len() / 64)?;
        Ok(Value::Str(self.origin, Arc::new(text.to_owned())))
    }

    /// A string that has been made, counted.
    pub(crate) fn made_string(&mut self, text: String) -> Eval {
        self.allocate(text.len() + 4 * size_of::<Value>())?;
        self.step(text.len() / 64)?;
        Ok(Value::Str(self.origin, Arc::new(text)))
    }

    /// A list, counted.
    pub(crate) fn list_of(&mut self, items: Vec<Value>) -> Eval {
        self.allocate((items.len() + 2) * size_of::<Value>())?;
        Ok(Value::List(self.origin, Arc::new(items)))
    }

    /// A record or map of names that are sorted, each once, counted.
    pub(crate) fn record(&mut self, names: Arc<Vec<Arc<str>>>, values: Vec<Value>) -> Eval {
        self.allocate((values.len() + 2) * 2 * size_of::<Value>())?;
        let record = Record { names, values };
        Ok(Value::Record(self.origin, Arc::new(record)))
    }

    /// `Some value` or `None`.
    pub(crate) fn option(&mut self, payload: Option<Value>) -> Eval {
        self.allocate(4 * size_of::<Value>())?;
        let tag = if payload.is_some() { "Some" } else { "None" };
        let tag = Tagged {
            tag: tag.into(),
            payload,
        };
        Ok(Value::Tag(self.origin, Arc::new(tag)))
    }

    /// As [`World::stat`](crate::World::stat).
    pub(crate) fn stat(&mut self, path: &str) -> Result<Stat, WorldError> {
        queries::stat(self.db, path)
    }

    /// As [`World::list`](crate::World::list).
    pub(crate) fn list(&mut self, path: &str) -> Result<Vec<Entry>, WorldError> {
        queries::list(self.db, path)
    }

    /// As [`World::digest`](crate::World::digest).
    pub(crate) fn digest(&mut self, path: &str) -> Result<(FileDigest, u64), WorldError> {
        queries::digest(self.db, path)
    }

    /// As [`World::read`](crate::World::read).
    pub(crate) fn read(
        &mut self,
        path: &str,
        offset: u64,
        len: usize,
    ) -> Result<Vec<u8>, WorldError> {
        queries::read(self.db, path, offset, len)
    }
}

/// The report that a limit was met; `None` if that has been reported.
pub(super) fn exhausted(db: &dyn Db, why: Exhausted, site: Site) -> Option<Problem<Site>> {
    // What was stopped says nothing about the program: it is asked anew next time.
    db.report_untracked_read();
    let message = match why {
        Exhausted::Steps(limit) => format!("evaluation stopped here after {limit} steps"),
        Exhausted::Bytes(limit) => {
            format!("evaluation stopped here: its values take more than {limit} bytes")
        }
        Exhausted::Again => return None,
    };
    let mut problem = Problem::new(codes::BUDGET_EXCEEDED, site, message);
    let bytes = matches!(why, Exhausted::Bytes(_));
    let mut totals: Vec<(u64, String)> = db
        .spent()
        .totals()
        .into_iter()
        .map(|(item, total)| {
            let used = if bytes { total.bytes } else { total.steps };
            (used, name_of(db, item))
        })
        .filter(|(used, _)| *used > 0)
        .collect();
    totals.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let unit = if bytes { "bytes" } else { "steps" };
    for (used, name) in totals.into_iter().take(3) {
        problem = problem.note(format!("{name} took {used} {unit}"));
    }
    Some(problem.note("steps and bytes are counted, so that this is the same on every machine"))
}

/// A top-level binding in words.
fn name_of(db: &dyn Db, item: Item) -> String {
    use crate::ir::{ItemName, ModuleName};
    let module = match item.file(db).name(db) {
        ModuleName::Project(path) => crate::path::shown(path),
        ModuleName::Std(name) => format!("std/{name}"),
        ModuleName::Remote(address) => address.to_string(),
        ModuleName::Argument(_) | ModuleName::Call => "the command line".to_owned(),
    };
    match item.name(db) {
        ItemName::Let(name, _) | ItemName::Export(name) => format!("`{name}` of {module}"),
        ItemName::Root => format!("what {module} ends in"),
    }
}
