//! Rows of the builtins of strings. What they do is in `native/strings.rs`.

use super::{Limit, Row, Run};
use crate::native::strings;

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row("characters", "String -> [String]", Run::Plain(strings::characters))
        .text("The characters of a string (Unicode scalar values), each as a string.")
        .example("characters \"añ\"", "[\"a\", \"ñ\"]"),
    row("endsWith", "String -> String -> Bool", Run::Plain(strings::ends_with))
        .text("Whether the second string ends with the first.")
        .example("endsWith \".conf\" \"app.conf\"", "true"),
    row("fail", "String -> a", Run::Plain(strings::fail))
        .text("No value: evaluation reports the string as an error at the call. For the arm of a `match` that must not be reached.")
        .example("match get \"a\" { a = 1; } { Some n => n; None => fail \"there is no a\"; }", "1"),
    row("hasText", "String -> String -> Bool", Run::Plain(strings::has_text))
        .text("Whether the first string stands in the second.")
        .example("hasText \"b\" \"abc\"", "true"),
    row("indent", "Int -> String -> String", Run::Plain(strings::indent))
        .text("A string with that many spaces before each line that is not empty.")
        .example("indent 2 \"a\\nb\\n\"", "\"  a\\n  b\\n\""),
    row("join", "String -> [String] -> String", Run::Plain(strings::join))
        .text("The strings of a list as one, with a separator between them.")
        .example("join \", \" [\"a\", \"b\"]", "\"a, b\""),
    row("lines", "String -> [String]", Run::Plain(strings::lines))
        .text("The lines of a string, without their ends (`\\n` or `\\r\\n`).")
        .example("lines \"a\\nb\\n\"", "[\"a\", \"b\"]"),
    row("lower", "String -> String", Run::Plain(strings::lower))
        .text("A string with the letters A to Z made small. Other letters stay as they are.")
        .example("lower \"Hello\"", "\"hello\""),
    row("padLeft", "Int -> String -> String -> String", Run::Plain(strings::pad_left))
        .text("The last string, filled on the left with the other until it has that many characters.")
        .example("padLeft 4 \"0\" \"42\"", "\"0042\""),
    row("removePrefix", "String -> String -> String", Run::Plain(strings::remove_prefix))
        .text("The second string without the first at its beginning, if it is there.")
        .example("removePrefix \"v\" \"v1.2\"", "\"1.2\""),
    row("removeSuffix", "String -> String -> String", Run::Plain(strings::remove_suffix))
        .text("The second string without the first at its end, if it is there.")
        .example("removeSuffix \".img\" \"app.img\"", "\"app\""),
    row("repeat", "Int -> String -> String", Run::Plain(strings::repeat))
        .text("A string that many times.")
        .example("repeat 3 \"ab\"", "\"ababab\""),
    row("replace", "String -> String -> String -> String", Run::Plain(strings::replace))
        .text("The last string with each place of the first replaced by the second.")
        .example("replace \".\" \"-\" \"1.2.3\"", "\"1-2-3\""),
    row("slice", "Int -> Int -> String -> String", Run::Plain(strings::slice))
        .text("The characters from the first number up to, and without, the second. The first character is number 0; what is not there is left out.")
        .example("slice 1 3 \"abcd\"", "\"bc\""),
    row("split", "String -> String -> [String]", Run::Plain(strings::split))
        .text("The parts of the second string between the places of the first, which is not empty.")
        .example("split \",\" \"a,b\"", "[\"a\", \"b\"]"),
    row("startsWith", "String -> String -> Bool", Run::Plain(strings::starts_with))
        .text("Whether the second string begins with the first.")
        .example("startsWith \"/etc/\" \"/etc/motd\"", "true"),
    row("textLength", "String -> Int", Run::Plain(strings::text_length))
        .text("The number of characters (Unicode scalar values).")
        .example("textLength \"añ\"", "2"),
    row("toInt", "String -> Some Int | None", Run::Plain(strings::to_int))
        .text("The number that a string is in decimal digits, perhaps after a `-`.")
        .example("[toInt \"-12\", toInt \"1x\"]", "[Some (-12), None]"),
    row("toString", "a -> String", Run::Plain(strings::to_string))
        .limits(&[("a", Limit::Shown)])
        .text("A number, a truth value, a path from the project's folder, or a string, as a string.")
        .example("toString 8080", "\"8080\""),
    row("trim", "String -> String", Run::Plain(strings::trim))
        .text("A string without white space at its beginning and end.")
        .example("trim \" a b\\n\"", "\"a b\""),
    row("upper", "String -> String", Run::Plain(strings::upper))
        .text("A string with the letters a to z made large. Other letters stay as they are.")
        .example("upper \"Hello\"", "\"HELLO\""),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Strings", name, signature, run)
}
