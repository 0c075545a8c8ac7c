//! Rows of the builtins of regular expressions. What they do is in `native/regexes.rs`.

use super::{Row, Run};
use crate::native::regexes;

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row("capture", "String -> String -> Some [String] | None", Run::Plain(regexes::capture))
        .text("What the groups of a regular expression stand for, where it first matches. A group that takes no part is \"\".")
        .example("capture \"^([a-z]+)-([0-9]+)$\" \"app-12\"", "Some [\"app\", \"12\"]"),
    row("findAll", "String -> String -> [String]", Run::Plain(regexes::find_all))
        .text("Every piece of the second string that a regular expression matches, from left to right.")
        .example("findAll \"[0-9]+\" \"1, 22\"", "[\"1\", \"22\"]"),
    row("matches", "String -> String -> Bool", Run::Plain(regexes::matches))
        .text("Whether a regular expression matches anywhere in the second string. `^` and `$` are its beginning and end.")
        .example("matches \"^[a-z]+$\" \"app\"", "true"),
    row("replaceAll", "String -> String -> String -> String", Run::Plain(regexes::replace_all))
        .text("The last string with each match of a regular expression replaced by the second. In that, `$1` is the first group, and `$$` a `$`.")
        .example("replaceAll \"([a-z])([0-9])\" \"\\$2\\$1\" \"a1 b2\"", "\"1a 2b\""),
    row("splitRegex", "String -> String -> [String]", Run::Plain(regexes::split_regex))
        .text("The parts of the second string between the matches of a regular expression.")
        .example("splitRegex \", *\" \"a,b,  c\"", "[\"a\", \"b\", \"c\"]"),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Regular expressions", name, signature, run)
}
