//! JSON, TOML and YAML to data. Documents nest at most [`DEEPEST`] levels.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use imgc_diag::codes;
use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

use super::text;
use crate::problem::Problem;
use crate::vm::call::{Call, Eval};
use crate::vm::json;
use crate::vm::value::{Document, Value};

/// How deep documents nest.
const DEEPEST: usize = 128;
/// How many values the aliases of a YAML document may stand for together.
const MAX_ALIASED: usize = 100_000;

/// `parseJson`
pub(crate) fn parse_json(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    json(call, text(&arguments[0])?, "the text", &arguments[0])
}

/// `parseToml`
pub(crate) fn parse_toml(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    toml(call, text(&arguments[0])?, "the text", &arguments[0])
}

/// `parseYaml`
pub(crate) fn parse_yaml(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    yaml(call, text(&arguments[0])?, "the text", &arguments[0])
}

/// What a JSON text holds. `name` is what it is called, `value` what it comes from.
pub(super) fn json(call: &mut Call<'_>, text: &str, name: &str, value: &Value) -> Eval {
    begin(call, text)?;
    let parsed = serde_json::from_str(text).map(|Distinct(value)| value);
    let parsed = parsed.map_err(|error| {
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or_default();
        (error.line(), why.to_owned())
    });
    finish(call, parsed, "JSON", name, value)
}

/// What a TOML text holds.
pub(super) fn toml(call: &mut Call<'_>, text: &str, name: &str, value: &Value) -> Eval {
    begin(call, text)?;
    // Tables are looked up for each key, and the text is read twice.
    call.step(text.len() * 8)?;
    let line = |at: usize| {
        1 + text.as_bytes()[..at.min(text.len())]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
    };
    let parsed = match deep_key(text) {
        Some(line) => Err((line, "a key has too many parts".to_owned())),
        None => match text.parse::<::toml::Table>() {
            Ok(table) => from_toml(::toml::Value::Table(table), 0).map_err(|why| (0, why)),
            Err(error) => {
                let at = error.span().map_or(0, |span| line(span.start));
                Err((at, error.message().to_owned()))
            }
        },
    };
    finish(call, parsed, "TOML", name, value)
}

/// What a YAML text holds.
pub(super) fn yaml(call: &mut Call<'_>, text: &str, name: &str, value: &Value) -> Eval {
    begin(call, text)?;
    // It is read more slowly than the others.
    call.step(text.len() * 12)?;
    let parsed = from_yaml(text);
    finish(call, parsed, "YAML", name, value)
}

/// A JSON value in which no object has a name twice.
struct Distinct(Json);

struct DistinctVisitor;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DistinctVisitor)
    }
}

impl<'de> Visitor<'de> for DistinctVisitor {
    type Value = Distinct;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Distinct, E> {
        Ok(Distinct(Json::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Distinct, E> {
        Ok(Distinct(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Distinct, A::Error> {
        let mut list = Vec::new();
        while let Some(Distinct(item)) = access.next_element()? {
            list.push(item);
        }
        Ok(Distinct(Json::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Distinct, A::Error> {
        let mut map = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if map.contains_key(&name) {
                let message = format!("the name `{name}` is given twice");
                return Err(serde::de::Error::custom(message));
            }
            let Distinct(value) = access.next_value()?;
            map.insert(name, value);
        }
        Ok(Distinct(Json::Object(map)))
    }
}

/// What is wrong with a text: the line, or 0, and why.
type Wrong = (usize, String);

/// Counts before anything is read: no text holds more values than bytes.
fn begin(call: &mut Call<'_>, text: &str) -> Eval<()> {
    call.step(100 + text.len())?;
    call.allocate(text.len())
}

fn finish(
    call: &mut Call<'_>,
    parsed: Result<Json, Wrong>,
    format: &str,
    name: &str,
    value: &Value,
) -> Eval {
    match parsed {
        Ok(parsed) => {
            json::count(call, &parsed)?;
            let document = Document {
                value: parsed,
                place: name.into(),
            };
            Ok(Value::Data(call.origin, Arc::new(document)))
        }
        Err((line, why)) => {
            let name = if name.starts_with("./") {
                format!("`{name}`")
            } else {
                name.to_owned()
            };
            let line = match line {
                0 => String::new(),
                line => format!(", line {line}"),
            };
            let why = why.trim().lines().next().unwrap_or_default();
            let message = format!("{name} is no {format}{line}: {why}");
            let site = call.site_of_value(value);
            Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)))
        }
    }
}

/// The line of a key with more parts than documents may nest: each part is a level.
fn deep_key(text: &str) -> Option<usize> {
    let too_many = |line: &str| {
        let key = line.split(['=', '"', '\'', '#']).next().unwrap_or_default();
        key.matches('.').count() >= DEEPEST
    };
    // A key may also stand in an inline table, behind `{` or `,`.
    let deep = |line: &str| line.split(['{', ',']).any(too_many);
    text.lines().position(deep).map(|line| line + 1)
}

fn from_toml(value: ::toml::Value, depth: usize) -> Result<Json, String> {
    if depth > DEEPEST {
        return Err(too_deep());
    }
    Ok(match value {
        ::toml::Value::String(text) => Json::String(text),
        ::toml::Value::Integer(number) => Json::from(number),
        ::toml::Value::Float(number) => float(number)?,
        ::toml::Value::Boolean(truth) => Json::Bool(truth),
        ::toml::Value::Datetime(time) => Json::String(time.to_string()),
        ::toml::Value::Array(items) => {
            let items = items.into_iter().map(|item| from_toml(item, depth + 1));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        ::toml::Value::Table(table) => {
            let fields = table.into_iter();
            let fields = fields.map(|(name, value)| Ok((name, from_toml(value, depth + 1)?)));
            Json::Object(fields.collect::<Result<_, String>>()?)
        }
    })
}

fn float(number: f64) -> Result<Json, String> {
    let number = Number::from_f64(number).map(Json::Number);
    number.ok_or_else(|| "a number is infinite, or none".to_owned())
}

fn too_deep() -> String {
    format!("it nests more than {DEEPEST} levels deep")
}

/// A list or object that is being read.
enum Open {
    List(Vec<Json>),
    /// With the key whose value comes next.
    Object(Map<String, Json>, Option<String>),
}

/// What is being read of a YAML document.
#[derive(Default)]
struct Reader {
    open: Vec<(Open, usize)>,
    /// Values with a name, and how many values are in each.
    anchors: BTreeMap<usize, (Json, usize)>,
    aliased: usize,
    root: Option<Json>,
}

fn from_yaml(text: &str) -> Result<Json, Wrong> {
    let mut reader = Reader::default();
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) =
            event.map_err(|error| (error.marker().line(), error.info().to_owned()))?;
        let line = span.start.line();
        if let Event::DocumentStart(_) = event {
            documents += 1;
            if documents > 1 {
                return Err((line, "there is a second document".to_owned()));
            }
        }
        reader.event(event).map_err(|why| (line, why))?;
    }
    Ok(reader.root.unwrap_or(Json::Null))
}

impl Reader {
    fn event(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_key = matches!(self.open.last(), Some((Open::Object(_, None), _)));
                let value = if is_key {
                    Json::String(text.into_owned())
                } else {
                    scalar(&text, style, tag.as_deref())?
                };
                self.add(value, anchor)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor);
                let (value, size) = known.ok_or("an alias stands in what it names")?;
                self.aliased += size;
                if self.aliased > MAX_ALIASED {
                    return Err("its aliases stand for too much".to_owned());
                }
                let value = value.clone();
                self.add(value, 0)
            }
            Event::SequenceStart(anchor, _) => self.push(Open::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.push(Open::Object(Map::new(), None), anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                let (value, anchor) = match self.open.pop() {
                    Some((Open::List(items), anchor)) => (Json::Array(items), anchor),
                    Some((Open::Object(fields, _), anchor)) => (Json::Object(fields), anchor),
                    None => return Ok(()),
                };
                self.add(value, anchor)
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, open: Open, anchor: usize) -> Result<(), String> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep());
        }
        self.open.push((open, anchor));
        Ok(())
    }

    /// A value is whole.
    fn add(&mut self, value: Json, anchor: usize) -> Result<(), String> {
        if anchor > 0 {
            let size = size(&value);
            self.aliased += size;
            if self.aliased > MAX_ALIASED {
                return Err("its anchors name too much".to_owned());
            }
            self.anchors.insert(anchor, (value.clone(), size));
        }
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some((Open::List(items), _)) => items.push(value),
            Some((Open::Object(fields, key), _)) => match (key.take(), value) {
                (Some(name), value) => {
                    if fields.contains_key(&name) {
                        return Err(format!("the key `{name}` is given twice"));
                    }
                    fields.insert(name, value);
                }
                (None, Json::String(name)) => *key = Some(name),
                (None, _) => return Err("a key is no string".to_owned()),
            },
        }
        Ok(())
    }
}

/// How many values are in a value, itself too; a long text counts as many.
fn size(value: &Json) -> usize {
    let mut count = 0;
    let mut values = vec![value];
    while let Some(value) = values.pop() {
        count += 1;
        match value {
            Json::String(text) => count += text.len() / 32,
            Json::Array(items) => values.extend(items),
            Json::Object(fields) => {
                count += fields.keys().map(|name| 1 + name.len() / 32).sum::<usize>();
                values.extend(fields.values());
            }
            _ => {}
        }
    }
    count
}

/// A scalar by the core schema of YAML 1.2.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Json, String> {
    if let Some(tag) = tag {
        let plain = tag.handle == "tag:yaml.org,2002:";
        match tag.suffix.as_str() {
            "str" if plain => return Ok(Json::String(text.to_owned())),
            "int" | "float" | "bool" | "null" if plain => {}
            _ if tag.handle.is_empty() && tag.suffix == "!" => {
                return Ok(Json::String(text.to_owned()));
            }
            _ => {
                return Err(format!(
                    "the tag `{}{}` is not known",
                    tag.handle, tag.suffix
                ));
            }
        }
    } else if style != ScalarStyle::Plain {
        return Ok(Json::String(text.to_owned()));
    }
    Ok(match text {
        "" | "~" | "null" | "Null" | "NULL" => Json::Null,
        "true" | "True" | "TRUE" => Json::Bool(true),
        "false" | "False" | "FALSE" => Json::Bool(false),
        _ => match number(text) {
            Some(number) => number?,
            None => Json::String(text.to_owned()),
        },
    })
}

fn number(text: &str) -> Option<Result<Json, String>> {
    let digits = |text: &str, radix: u32| {
        !text.is_empty() && text.chars().all(|digit| digit.is_digit(radix))
    };
    let integer = |text: &str, radix: u32| match i64::from_str_radix(text, radix) {
        Ok(number) => Ok(Json::from(number)),
        Err(_) => Err(format!("the number {text} has more than 64 bits")),
    };
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(rest) = text.strip_prefix(prefix)
            && digits(rest, radix)
        {
            return Some(integer(rest, radix));
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits(unsigned, 10) {
        return Some(integer(text, 10));
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(float(f64::NAN));
    }
    let starts = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    let plain = unsigned
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+'));
    (starts && plain)
        .then(|| text.parse().ok().map(float))
        .flatten()
}
