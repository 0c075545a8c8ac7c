//! Rows of the builtins of templates. What they do is in `native/templates.rs`.

use super::{Row, Run};
use crate::native::templates;

/// The rows.
pub(super) const ROWS: &[Row] = &[Row::new(
    "Templates",
    "render",
    "Map String -> String -> String",
    Run::Plain(templates::render),
)
.text("A text with each `{{ name }}` replaced by the value of that name. A name that the map does not have, and one that the text does not use, are errors.")
.example("render { port = \"80\"; } \"listen {{ port }};\"", "\"listen 80;\"")];
