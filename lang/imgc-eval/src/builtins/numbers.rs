//! Rows of the builtins of numbers. What they do is in `native/numbers.rs`.

use super::{Row, Run};
use crate::native::numbers;

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row("abs", "Int -> Int", Run::Plain(numbers::abs))
        .text("A number without its sign.")
        .example("abs (-3)", "3"),
    row("div", "Int -> Int -> Int", Run::Plain(numbers::div))
        .text("The first number divided by the second, rounded down. Division by zero is an error.")
        .example("[div 7 2, div (-7) 2]", "[3, -4]"),
    row("max", "Int -> Int -> Int", Run::Plain(numbers::max))
        .text("The larger of two numbers.")
        .example("max 1 2", "2"),
    row("min", "Int -> Int -> Int", Run::Plain(numbers::min))
        .text("The smaller of two numbers.")
        .example("min 1 2", "1"),
    row("mod", "Int -> Int -> Int", Run::Plain(numbers::modulo))
        .text("What is left over when `div` divides the first number by the second. It has the sign of the second.")
        .example("[mod 7 2, mod (-7) 2]", "[1, 1]"),
    row("sum", "[Int] -> Int", Run::Plain(numbers::sum))
        .text("The sum of the numbers of a list.")
        .example("sum [1, 2, 3]", "6"),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Numbers", name, signature, run)
}
