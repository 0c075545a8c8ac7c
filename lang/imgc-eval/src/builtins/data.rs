//! Rows of the builtins of JSON, TOML and YAML. What they do is in `native/data.rs` and
//! `native/parsers.rs`.

use super::{Limit, Row, Run};
use crate::native::{data, parsers};

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row("asBool", "Data -> Bool", Run::Plain(data::as_bool))
        .text("The truth value that data is. Anything else is an error.")
        .example("asBool (parseJson \"true\")", "true"),
    row("asInt", "Data -> Int", Run::Plain(data::as_int))
        .text("The whole number that data is. Anything else is an error.")
        .example("asInt (parseJson \"12\")", "12"),
    row("asList", "Data -> [Data]", Run::Plain(data::as_list))
        .text("The items of a list in data. Anything else is an error.")
        .example("parseJson \"[1, 2]\" |> asList |> map asInt", "[1, 2]"),
    row("asMap", "Data -> Map Data", Run::Plain(data::as_map))
        .text("The fields of an object in data. Anything else is an error.")
        .example("parseToml \"a = 1\" |> asMap |> mapValues asInt", "{ a = 1; }"),
    row("asString", "Data -> String", Run::Plain(data::as_string))
        .text("The string that data is. Anything else is an error: for numbers there is `asText`.")
        .example("asString (parseJson \"\\\"a\\\"\")", "\"a\""),
    row("asText", "Data -> String", Run::Plain(data::as_text))
        .text("The string, number or truth value that data is, as text. This is how numbers with a fraction are read.")
        .example("asText (parseToml \"a = 1.5\" |> field \"a\")", "\"1.5\""),
    row("field", "String -> Data -> Data", Run::Plain(data::field))
        .text("The field of an object in data. It is an error if there is none.")
        .example("asInt (field \"a\" (parseJson \"{\\\"a\\\": 1}\"))", "1"),
    row("isNull", "Data -> Bool", Run::Plain(data::is_null))
        .text("Whether data is `null`.")
        .example("isNull (parseJson \"null\")", "true"),
    row("optionalField", "String -> Data -> Some Data | None", Run::Plain(data::optional_field))
        .text("The field of an object in data. A field that is `null` is as good as none.")
        .example("match optionalField \"b\" (parseJson \"{}\") { Some b => asInt b; None => 0; }", "0"),
    row("parseJson", "String -> Data", Run::Plain(parsers::parse_json))
        .text("What a JSON text holds.")
        .example("parseJson \"{\\\"a\\\": [1]}\" |> toJson", "\"{\\\"a\\\":[1]}\""),
    row("parseToml", "String -> Data", Run::Plain(parsers::parse_toml))
        .text("What a TOML text holds. Dates are strings.")
        .example("parseToml \"a = [1]\" |> toJson", "\"{\\\"a\\\":[1]}\""),
    row("parseYaml", "String -> Data", Run::Plain(parsers::parse_yaml))
        .text("What a YAML text holds: one document of YAML 1.2.")
        .example("parseYaml \"a: [yes, 1]\" |> toJson", "\"{\\\"a\\\":[\\\"yes\\\",1]}\""),
    row("toJson", "a -> String", Run::Plain(data::to_json))
        .limits(&[("a", Limit::Equal)])
        .text("A value as JSON on one line, names sorted. A tag is its name, or an object with its name and payload.")
        .example("toJson { port = 80; on = [true]; }", "\"{\\\"on\\\":[true],\\\"port\\\":80}\""),
    row("toToml", "a -> String", Run::Plain(data::to_toml))
        .limits(&[("a", Limit::Equal)])
        .text("A record or map as TOML.")
        .example("toToml { port = 80; on = [true]; }", "\"on = [true]\\nport = 80\\n\""),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Data", name, signature, run)
}
