//! Where things are written, where a value's origin does not say it.
//!
//! Values know the expression that they come from, and no more. The names of fields are
//! found in the program itself.

use imgc_plan::Platform;

use crate::ir::{BinaryOp, Body, Expr, ExprId};
use crate::queries::{Db, Item, body};
use crate::site::Site;
use crate::vm::call::Call;
use crate::vm::value::Value;

/// How many expressions are looked at: `a // b // c` in each other, and names for them.
const MAX_STEPS: usize = 256;

/// Where the name of a field was written: in the literal that `record` comes from, else
/// where the field's value was written.
pub(crate) fn field_site(call: &Call<'_>, record: &Value, name: &str) -> Site {
    if let Some(site) = written(call.db, record, name) {
        return site;
    }
    let value = record.as_record().and_then(|record| record.get(name));
    call.site_of_value(value.unwrap_or(record))
}

/// The platform of images that name none.
pub(crate) fn default_platform(call: &Call<'_>) -> Platform {
    call.db.settings().platform(call.db)
}

/// The place of the name `name`, in the literal that `record` was written as; of `a // b`
/// in `b`, else in `a`. `None` if it was not written so.
fn written(db: &dyn Db, record: &Value, name: &str) -> Option<Site> {
    let site = db.site(record.origin()?);
    // What to look at next is last: `b` of `a // b` comes before `a`.
    let mut todo = vec![(site.item, site.at.expr)];
    for _ in 0..MAX_STEPS {
        let (item, id) = todo.pop()?;
        let Some(body) = body(db, item) else {
            continue;
        };
        match body.exprs.get(id.0 as usize) {
            Some(Expr::Record(fields)) => {
                let found = fields.binary_search_by(|field| (*field.name).cmp(name));
                if let Ok(at) = found {
                    return Some(Site::part(item, id, at));
                }
            }
            Some(Expr::Binary(BinaryOp::Update, left, right)) => {
                todo.push((item, *left));
                todo.push((item, *right));
            }
            Some(Expr::Ascribe(inner, _)) => todo.push((item, *inner)),
            Some(Expr::Let { body, .. } | Expr::Assert { body, .. }) => todo.push((item, *body)),
            Some(Expr::Local(_)) => todo.extend(bound(body, id).map(|value| (item, value))),
            Some(Expr::Item(other)) => todo.extend(root(db, *other)),
            _ => {}
        }
    }
    None
}

/// The expression that a variable of an inner `let` stands for.
fn bound(body: &Body, id: ExprId) -> Option<ExprId> {
    let Expr::Local(local) = body.expr(id) else {
        return None;
    };
    // The numbers of variables are those of the body, so that one binding has it.
    let lets = body.exprs.iter().filter_map(|expr| match expr {
        Expr::Let { bindings, .. } => Some(bindings),
        _ => None,
    });
    let found = lets.flatten().find(|binding| binding.local == *local);
    found.map(|binding| binding.value)
}

fn root(db: &dyn Db, item: Item) -> Option<(Item, ExprId)> {
    let body = body(db, item).as_ref()?;
    Some((item, body.root))
}
