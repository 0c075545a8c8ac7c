//! Rows of the builtins of lists. What they do is in `native/lists.rs` and, where they
//! call functions, in the machine.

use super::{Limit, Row, Run};
use crate::native::{Higher, lists};

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row("all", "(a -> Bool) -> [a] -> Bool", Run::Higher(Higher::All))
        .text("Whether a function gives `true` for every item. Items after the first `false` are not looked at.")
        .example("all (n => n > 0) [1, 2]", "true"),
    row("any", "(a -> Bool) -> [a] -> Bool", Run::Higher(Higher::Any))
        .text("Whether a function gives `true` for an item. Items after the first `true` are not looked at.")
        .example("any (n => n > 1) [1, 2]", "true"),
    row("at", "Int -> [a] -> a", Run::Plain(lists::at))
        .text("The item of that number; the first is number 0. It is an error if there is none.")
        .example("at 1 [\"a\", \"b\"]", "\"b\""),
    row("concat", "[[a]] -> [a]", Run::Plain(lists::concat))
        .text("The lists of a list, one after the other.")
        .example("concat [[1], [2, 3]]", "[1, 2, 3]"),
    row("concatMap", "(a -> [b]) -> [a] -> [b]", Run::Higher(Higher::ConcatMap))
        .text("The lists that a function gives for each item, one after the other.")
        .example("concatMap (n => [n, n * 10]) [1, 2]", "[1, 10, 2, 20]"),
    row("contains", "a -> [a] -> Bool", Run::Plain(lists::contains))
        .limits(&[("a", Limit::Equal)])
        .text("Whether a list has a value.")
        .example("contains 2 [1, 2]", "true"),
    row("drop", "Int -> [a] -> [a]", Run::Plain(lists::drop))
        .text("A list without its first items: without as many as the number says, or all.")
        .example("drop 1 [1, 2, 3]", "[2, 3]"),
    row("filter", "(a -> Bool) -> [a] -> [a]", Run::Higher(Higher::Filter))
        .text("The items for which a function gives `true`.")
        .example("filter (n => n > 1) [1, 2]", "[2]"),
    row("find", "(a -> Bool) -> [a] -> Some a | None", Run::Higher(Higher::Find))
        .text("The first item for which a function gives `true`.")
        .example("find (n => n > 1) [1, 2, 3]", "Some 2"),
    row("fold", "(b -> a -> b) -> b -> [a] -> b", Run::Higher(Higher::Fold))
        .text("One value from a list: the function gets what it gave last, and the next item.")
        .example("fold (sum => n => sum + n) 0 [1, 2]", "3"),
    row("groupBy", "(a -> String) -> [a] -> Map [a]", Run::Higher(Higher::GroupBy))
        .text("The items by the text that a function gives for each. Items of one group keep their order.")
        .example("groupBy (n => if n < 2 then \"few\" else \"many\") [1, 2, 3]", "{ few = [1]; many = [2, 3]; }"),
    row("head", "[a] -> Some a | None", Run::Plain(lists::head))
        .text("The first item.")
        .example("head [1, 2]", "Some 1"),
    row("indexOf", "a -> [a] -> Some Int | None", Run::Plain(lists::index_of))
        .limits(&[("a", Limit::Equal)])
        .text("The number of the first item that is equal to a value.")
        .example("indexOf \"b\" [\"a\", \"b\"]", "Some 1"),
    row("iterate", "Int -> (a -> a) -> a -> a", Run::Higher(Higher::Iterate))
        .text("What a function gives when it is called that many times, each time with what it gave last.")
        .example("iterate 3 (n => n * 2) 1", "8"),
    row("last", "[a] -> Some a | None", Run::Plain(lists::last))
        .text("The last item.")
        .example("last [1, 2]", "Some 2"),
    row("length", "[a] -> Int", Run::Plain(lists::length))
        .text("The number of items.")
        .example("length [1, 2]", "2"),
    row("map", "(a -> b) -> [a] -> [b]", Run::Higher(Higher::Map))
        .text("The list of what a function gives for each item.")
        .example("map (n => n + 1) [1, 2]", "[2, 3]"),
    row("partition", "(a -> Bool) -> [a] -> { no : [a], yes : [a] }", Run::Higher(Higher::Partition))
        .text("The items for which a function gives `true`, and the others.")
        .example("partition (n => n > 1) [1, 2, 3]", "{ no = [1]; yes = [2, 3]; }"),
    row("range", "Int -> Int -> [Int]", Run::Plain(lists::range))
        .text("The numbers from the first up to, and without, the second.")
        .example("range 0 3", "[0, 1, 2]"),
    row("reverse", "[a] -> [a]", Run::Plain(lists::reverse))
        .text("The items from the last to the first.")
        .example("reverse [1, 2]", "[2, 1]"),
    row("sort", "[a] -> [a]", Run::Plain(lists::sort))
        .limits(&[("a", Limit::Ordered)])
        .text("A list of numbers or of strings, sorted. Strings are sorted by their bytes.")
        .example("sort [\"b\", \"a\"]", "[\"a\", \"b\"]"),
    row("sortBy", "(a -> b) -> [a] -> [a]", Run::Higher(Higher::SortBy))
        .limits(&[("b", Limit::Ordered)])
        .text("The items, sorted by the number or string that a function gives for each. Items with equal ones keep their order.")
        .example("sortBy (name => textLength name) [\"bb\", \"aaa\", \"c\"]", "[\"c\", \"bb\", \"aaa\"]"),
    row("take", "Int -> [a] -> [a]", Run::Plain(lists::take))
        .text("The first items of a list: as many as the number says, or all.")
        .example("take 2 [1, 2, 3]", "[1, 2]"),
    row("unique", "[a] -> [a]", Run::Plain(lists::unique))
        .limits(&[("a", Limit::Equal)])
        .text("The items, each value once: where it is first.")
        .example("unique [2, 1, 2]", "[2, 1]"),
    row("zip", "[a] -> [b] -> [{ first : a, second : b }]", Run::Plain(lists::zip))
        .text("The items of two lists in pairs, as many as the shorter list has.")
        .example("zip [1, 2] [\"a\", \"b\"]", "[{ first = 1; second = \"a\"; }, { first = 2; second = \"b\"; }]"),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Lists", name, signature, run)
}
