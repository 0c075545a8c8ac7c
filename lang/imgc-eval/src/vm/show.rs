//! Values as text, in the syntax of the language.

use std::sync::Arc;

use crate::problem::Problem;
use crate::queries::{Db, Item};
use crate::site::Site;
use crate::text::{is_plain, quote};
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::meter::Meter;
use crate::vm::value::{Origin, Value};

/// Deeper than types nest.
const DEEPEST: u32 = 1_000;

/// The value of a binding as text. What has no literal is shown as `<image>` and the
/// like. `Err`: what is wrong, which may be nothing new.
pub(crate) fn show(db: &dyn Db, item: Item, value: &Value) -> Result<String, Vec<Problem<Site>>> {
    outside(db, item, value, |call, value| {
        let mut text = String::new();
        append(call, value, &mut text, false, 0)?;
        Ok(text)
    })
}

/// Does something with a value that is not evaluated any more, and counts it.
pub(super) fn outside<T>(
    db: &dyn Db,
    item: Item,
    value: &Value,
    work: impl FnOnce(&mut Call<'_>, &Value) -> Eval<T>,
) -> Result<T, Vec<Problem<Site>>> {
    let mut problems = Vec::new();
    let mut meter = Meter::new(item, db.settings().limits(db));
    let origin = value.origin().unwrap_or(Origin(0));
    let mut call = Call {
        db,
        origin,
        problems: &mut problems,
        meter: &mut meter,
    };
    let result = work(&mut call, value);
    meter.release(db.spent());
    result.map_err(|Failed| problems)
}

/// `atom`: it stands where a word must stand, as the payload of a tag does.
fn append(
    call: &mut Call<'_>,
    value: &Value,
    text: &mut String,
    atom: bool,
    depth: u32,
) -> Eval<()> {
    call.step(4)?;
    if depth > DEEPEST {
        return Err(Failed);
    }
    match value {
        Value::Failed => return Err(Failed),
        Value::Int(_, number) if atom && *number < 0 => piece(call, &format!("({number})"), text)?,
        Value::Int(_, number) => piece(call, &number.to_string(), text)?,
        Value::Bool(_, truth) => piece(call, &truth.to_string(), text)?,
        Value::Str(_, string) => {
            // An escape is at most eight times as long as its character.
            call.allocate(string.len() * 2)?;
            quote(string, text);
        }
        Value::Path(_, path) => piece(call, &format!("./{path}"), text)?,
        Value::List(_, items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    piece(call, ", ", text)?;
                }
                append(call, item, text, false, depth + 1)?;
            }
            text.push(']');
        }
        Value::Record(_, record) if record.values.is_empty() => piece(call, "{}", text)?,
        Value::Record(_, record) => {
            text.push('{');
            for (name, value) in record.iter() {
                name_of_field(call, name, text)?;
                append(call, value, text, false, depth + 1)?;
                text.push(';');
            }
            text.push_str(" }");
        }
        Value::Tag(_, tagged) => match &tagged.payload {
            None => piece(call, &tagged.tag, text)?,
            Some(payload) => {
                let (open, close) = if atom { ("(", ")") } else { ("", "") };
                piece(call, open, text)?;
                piece(call, &tagged.tag, text)?;
                text.push(' ');
                append(call, payload, text, true, depth + 1)?;
                piece(call, close, text)?;
            }
        },
        Value::Function(..) | Value::Builtin(..) => piece(call, "<function>", text)?,
        Value::Data(..) => piece(call, "<data>", text)?,
        Value::Packages(..) => piece(call, "<packages>", text)?,
        Value::File(..) => piece(call, "<file>", text)?,
        Value::Image(..) => piece(call, "<image>", text)?,
        Value::Index(..) => piece(call, "<index>", text)?,
    }
    Ok(())
}

fn name_of_field(call: &mut Call<'_>, name: &Arc<str>, text: &mut String) -> Eval<()> {
    call.allocate(name.len() + 6)?;
    text.push(' ');
    if is_plain(name) {
        text.push_str(name);
    } else {
        quote(name, text);
    }
    text.push_str(" = ");
    Ok(())
}

fn piece(call: &mut Call<'_>, piece: &str, text: &mut String) -> Eval<()> {
    call.allocate(piece.len())?;
    text.push_str(piece);
    Ok(())
}
