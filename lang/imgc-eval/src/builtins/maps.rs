//! Rows of the builtins of maps and of values that may be missing. What they do is in
//! `native/maps.rs` and, where they call functions, in the machine.

use super::{Row, Run};
use crate::native::{Higher, maps};

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row(
        "entries",
        "Map a -> [{ name : String, value : a }]",
        Run::Plain(maps::entries),
    )
    .text("The names and values of a map, sorted by name. `toMap` makes a map of them again.")
    .example(
        "entries { b = 2; a = 1; }",
        "[{ name = \"a\"; value = 1; }, { name = \"b\"; value = 2; }]",
    ),
    row(
        "filterMap",
        "(String -> a -> Bool) -> Map a -> Map a",
        Run::Higher(Higher::FilterMap),
    )
    .text("The part of a map for which a function of name and value gives `true`.")
    .example(
        "filterMap (_name => n => n > 1) { a = 1; b = 2; }",
        "{ b = 2; }",
    ),
    row(
        "get",
        "String -> Map a -> Some a | None",
        Run::Plain(maps::get),
    )
    .text("The value of that name.")
    .example("get \"a\" { a = 1; }", "Some 1"),
    row(
        "getOr",
        "String -> a -> Map a -> a",
        Run::Plain(maps::get_or),
    )
    .text("The value of that name, or the one given where the map has none.")
    .example("getOr \"b\" 0 { a = 1; }", "0"),
    row("has", "String -> Map a -> Bool", Run::Plain(maps::has))
        .text("Whether a map has that name.")
        .example("has \"a\" { a = 1; }", "true"),
    row(
        "mapValues",
        "(a -> b) -> Map a -> Map b",
        Run::Higher(Higher::MapValues),
    )
    .text("The map of what a function gives for each value.")
    .example(
        "mapValues (n => n + 1) { a = 1; b = 2; }",
        "{ a = 2; b = 3; }",
    ),
    row("names", "Map a -> [String]", Run::Plain(maps::names))
        .text("The names of a map or record, sorted.")
        .example("names { b = 2; a = 1; }", "[\"a\", \"b\"]"),
    row(
        "remove",
        "[String] -> Map a -> Map a",
        Run::Plain(maps::remove),
    )
    .text("A map without those names. Names that it does not have do no harm.")
    .example("remove [\"a\", \"z\"] { a = 1; b = 2; }", "{ b = 2; }"),
    row(
        "toMap",
        "[{ name : String, value : a }] -> Map a",
        Run::Plain(maps::to_map),
    )
    .text("A map from names and values. A name that is given twice is an error.")
    .example(
        "toMap [{ name = \"b\"; value = 2; }, { name = \"a\"; value = 1; }]",
        "{ a = 1; b = 2; }",
    ),
    row("values", "Map a -> [a]", Run::Plain(maps::values))
        .text("The values of a map or record, sorted by their names.")
        .example("values { b = 2; a = 1; }", "[1, 2]"),
    row(
        "withDefault",
        "a -> (Some a | None) -> a",
        Run::Plain(maps::with_default),
    )
    .text("What `Some` carries; for `None`, the value given.")
    .example("[1, 2] |> head |> withDefault 0", "1"),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Maps", name, signature, run)
}
