//! The value of a file as text and as JSON.
//!
//! Values share their parts, and their texts do not: what showing takes is counted, on
//! top of what evaluation took.

use imgc_diag::codes;
use serde_json::Value as Json;

use crate::ir::{ItemName, ModuleName};
use crate::options::Options;
use crate::problem::Problem;
use crate::queries::{Database, Db as _, Item};
use crate::text::{is_plain, quote};
use crate::vm::value::Value;

use super::run::{Target, Used, site_of, value_of};
use super::{Findings, State};

/// The text and the JSON.
pub(super) type Both = (Option<String>, Option<Json>);

/// What is shown of a value: its text, and its JSON if it has one.
type Form = (String, Option<Json>);

impl State {
    /// The value of a file.
    pub(super) fn show(
        &mut self,
        entry: &ModuleName,
        options: &Options,
    ) -> (Option<Both>, Findings) {
        self.answer(entry, options, false, |db, target, used| {
            let before = spent(db);
            let shown = if target.fields {
                fields(db, target)
            } else {
                whole(db, target)
            };
            // The same for what was remembered and for what was evaluated just now.
            let now = spent(db);
            let steps = used
                .steps
                .saturating_add(now.steps.saturating_sub(before.steps));
            let bytes = used
                .bytes
                .saturating_add(now.bytes.saturating_sub(before.bytes));
            let limits = &options.limits;
            if db.spent().is_exhausted() || steps > limits.steps || bytes > limits.bytes {
                let place = target.wanted.first().and_then(|item| site_of(db, *item))?;
                let message = "the text of this value takes more steps or memory than is allowed";
                let problem = Problem::new(codes::BUDGET_EXCEEDED, place, message);
                target.report.extend(db, vec![problem]);
                return None;
            }
            let (text, json) = shown?;
            Some((Some(text), json))
        })
    }
}

fn spent(db: &Database) -> Used {
    let mut sum = Used::default();
    for (_, total) in db.spent().totals() {
        sum.steps = sum.steps.saturating_add(total.steps);
        sum.bytes = sum.bytes.saturating_add(total.bytes);
    }
    sum
}

fn whole(db: &Database, target: &Target) -> Option<Form> {
    let item = *target.wanted.first()?;
    let value = value_of(db, item)?;
    let value = match &target.select {
        None => value,
        Some(name) => value.as_record()?.get(name)?,
    };
    form(db, item, value)
}

fn form(db: &Database, item: Item, value: &Value) -> Option<Form> {
    let text = crate::vm::show::show(db, item, value).ok()?;
    // What has no JSON is no mistake here.
    let json = crate::vm::json::to_json(db, item, value).ok();
    Some((text, json))
}

/// The record of the public bindings.
fn fields(db: &Database, target: &Target) -> Option<Form> {
    if target.wanted.is_empty() {
        return Some(("{}".to_owned(), Some(Json::Object(serde_json::Map::new()))));
    }
    let mut text = "{".to_owned();
    let mut object = Some(serde_json::Map::new());
    for &item in &target.wanted {
        let ItemName::Export(name) = item.name(db) else {
            continue;
        };
        let (value, json) = form(db, item, value_of(db, item)?)?;
        text.push(' ');
        if is_plain(name) {
            text.push_str(name);
        } else {
            quote(name, &mut text);
        }
        text.push_str(" = ");
        text.push_str(&value);
        text.push(';');
        match (&mut object, json) {
            (Some(object), Some(json)) => {
                object.insert(name.to_string(), json);
            }
            _ => object = None,
        }
    }
    text.push_str(" }");
    Some((text, object.map(Json::Object)))
}
