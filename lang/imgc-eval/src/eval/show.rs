//! Values as text, in the syntax of the language.

use crate::span::Span;
use crate::text::{is_plain, quote};
use crate::value::{Data, Value};

use super::{Eval, Evaluator, Failed};

impl Evaluator<'_> {
    /// The value as text. What has no literal is shown as `<image>` and the like.
    pub(crate) fn show(&mut self, value: &Value) -> Eval<String> {
        let mut text = String::new();
        self.show_in(value, value.span, &mut text)?;
        Ok(text)
    }

    // Values nest no deeper than `MAX_VALUE_DEPTH`.
    fn show_in(&mut self, value: &Value, span: Span, text: &mut String) -> Eval<()> {
        let before = text.len();
        self.step(1, span)?;
        match &value.data {
            Data::Int(number) => text.push_str(&number.to_string()),
            Data::Bool(truth) => text.push_str(if *truth { "true" } else { "false" }),
            Data::Str(string) => quote(string, text),
            Data::Path(path) => {
                text.push_str("./");
                text.push_str(path);
            }
            Data::List(list) => {
                text.push('[');
                for (index, item) in list.items.iter().enumerate() {
                    if index > 0 {
                        text.push_str(", ");
                    }
                    self.show_in(item, span, text)?;
                }
                text.push(']');
                return Ok(());
            }
            Data::Record(record) if record.fields.is_empty() => text.push_str("{}"),
            Data::Record(record) => {
                text.push('{');
                for field in &record.fields {
                    text.push(' ');
                    if is_plain(&field.name) {
                        text.push_str(&field.name);
                    } else {
                        quote(&field.name, text);
                    }
                    text.push_str(" = ");
                    self.allocate(field.name.len(), span)?;
                    self.show_in(&field.value, span, text)?;
                    text.push(';');
                }
                text.push_str(" }");
                return Ok(());
            }
            Data::Lambda(_) | Data::Builtin(..) => text.push_str("<function>"),
            Data::Packages(_) => text.push_str("<packages>"),
            Data::File(_) => text.push_str("<file>"),
            Data::Image(_) => text.push_str("<image>"),
            Data::Failed => return Err(Failed),
        }
        self.allocate(text.len() - before, span)
    }
}
