//! The module that applies a file to the arguments of the command line.
//!
//! It has no text of the language: it is made from what is applied to what. So arguments
//! are typed and evaluated as everything else is.

use std::sync::Arc;

use imgc_syntax::TextRange;
use serde_json::Value as Json;

use crate::ir::{Expr, Field, ItemName, ModuleName};

use super::body::BodyBuilder;
use super::{Binding, Lowered};
use crate::queries::{Db, SourceFile};

/// The text that [`lower_call`] reads: the file `path`, the field of its record that is
/// the function, if the file itself is not, and the names of the arguments, sorted.
pub(crate) fn call_text(path: &str, field: Option<&str>, arguments: &[&str]) -> String {
    serde_json::json!([path, field, arguments]).to_string()
}

/// Lowers what [`call_text`] says. Every expression stands at the start.
pub(crate) fn lower_call(db: &dyn Db, file: SourceFile, text: &str) -> Lowered {
    let mut lowered = Lowered::default();
    let mut body = BodyBuilder::default();
    let start = TextRange::default();
    let said: Json = serde_json::from_str(text).unwrap_or_default();
    let path = said[0].as_str().unwrap_or_default();
    let arguments = said[2].as_array().map(Vec::as_slice).unwrap_or_default();

    let mut import = |body: &mut BodyBuilder, name: ModuleName| {
        let module = db.file(&name);
        lowered.imports.push((name.clone(), start));
        lowered.items.imports.push(name.clone());
        body.add(start, Expr::Import(module))
    };
    let mut function = import(&mut body, ModuleName::Project(path.into()));
    let mut fields = Vec::new();
    for name in arguments.iter().filter_map(Json::as_str) {
        let name: Arc<str> = name.into();
        let value = import(&mut body, ModuleName::Argument(name.clone()));
        fields.push(Field {
            name,
            annotation: None,
            value,
        });
    }
    if let Some(field) = said[1].as_str() {
        function = body.add(start, Expr::Select(function, field.into()));
    }
    let record = body.add(start, Expr::Record(fields));
    let root = body.add(start, Expr::Apply(function, record));
    let (body, spans) = body.finish(root, None, false);
    let item = db.item(file, &ItemName::Root);
    lowered.items.public.push(item);
    lowered.bindings.push(Binding {
        name: ItemName::Root,
        item,
        body: Arc::new(body),
        spans,
        place: start,
        doc: None,
    });
    lowered
}
