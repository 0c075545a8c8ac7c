//! Options as getopt_long(3) reads them. What is not in the table is not guessed.

use bstr::{BString, ByteSlice as _};

use crate::process::Process;
use crate::stop::Stop;

/// Whether an option has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Nothing,
    Value,
    /// `--option=value` or `-ovalue`, or none.
    Maybe,
}

/// An option: its letter (0 for none), its long name (empty for none), its value.
pub(crate) type Known = (u8, &'static str, Takes);

/// What was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// By long name where there is one, else by letter; in order.
    pub(crate) options: Vec<(&'static str, BString)>,
    pub(crate) rest: Vec<BString>,
}

impl Given {
    /// Whether an option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| *given == name)
    }

    /// The last value of an option.
    pub(crate) fn value(&self, name: &str) -> Option<&BString> {
        let mut options = self.options.iter().rev();
        options
            .find(|(given, _)| *given == name)
            .map(|(_, value)| value)
    }

    /// All values of an option, in order.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &BString> {
        let options = self.options.iter();
        options.filter_map(move |(given, value)| (*given == name).then_some(value))
    }
}

/// Reads the arguments of a process. Options may stand behind other arguments, as glibc
/// has it.
///
/// # Errors
/// A stop for an option that is not in `table`.
pub(crate) fn parse(process: &Process<'_, '_>, table: &[Known]) -> Result<Given, Stop> {
    let args = process.args.get(1..).unwrap_or_default();
    read(args, table)
}

/// As [`parse`], over some arguments.
pub(crate) fn read(args: &[BString], table: &[Known]) -> Result<Given, Stop> {
    let mut given = Given::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            given.rest.extend(args.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix(b"--") {
            let (name, value) = match long.split_once_str("=") {
                Some((name, value)) => (name, Some(BString::from(value))),
                None => (long, None),
            };
            let known = long_option(name, table).ok_or_else(|| unknown(arg))?;
            let value = match (known.2, value) {
                (Takes::Nothing, Some(_)) => return Err(unknown(arg)),
                (Takes::Value, None) => args.next().cloned().ok_or_else(|| missing(arg))?,
                (_, value) => value.unwrap_or_default(),
            };
            given.options.push((known.1, value));
        } else if arg.len() > 1 && arg.starts_with(b"-") {
            letters(arg, table, &mut args, &mut given)?;
        } else {
            given.rest.push(arg.clone());
        }
    }
    Ok(given)
}

fn letters<'a>(
    arg: &BString,
    table: &[Known],
    args: &mut impl Iterator<Item = &'a BString>,
    given: &mut Given,
) -> Result<(), Stop> {
    let mut at = 1;
    while at < arg.len() {
        let letter = arg[at];
        at += 1;
        let known = table.iter().find(|(short, ..)| *short == letter);
        let known = known.ok_or_else(|| unknown(arg))?;
        let value = match known.2 {
            Takes::Nothing => BString::default(),
            Takes::Value if at == arg.len() => args.next().cloned().ok_or_else(|| missing(arg))?,
            Takes::Value | Takes::Maybe => {
                let value = BString::from(&arg[at..]);
                at = arg.len();
                value
            }
        };
        given.options.push((name(known), value));
    }
    Ok(())
}

/// A long option by its name, or the beginning of one that only one has.
fn long_option<'t>(name: &[u8], table: &'t [Known]) -> Option<&'t Known> {
    let exact = table.iter().find(|(_, long, _)| long.as_bytes() == name);
    if exact.is_some() || name.is_empty() {
        return exact;
    }
    let mut begin = table
        .iter()
        .filter(|(_, long, _)| long.as_bytes().starts_with(name));
    let first = begin.next()?;
    begin.next().is_none().then_some(first)
}

/// What an option is called in [`Given`].
fn name(known: &Known) -> &'static str {
    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    if known.1.is_empty() {
        let at = LETTERS.bytes().position(|b| b == known.0);
        return at.map_or("", |at| &LETTERS[at..=at]);
    }
    known.1
}

fn unknown(arg: &BString) -> Stop {
    Stop::unsupported(format!("the option {arg} is not known"))
}

fn missing(arg: &BString) -> Stop {
    Stop::unsupported(format!("the option {arg} has no value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Known] = &[
        (b'r', "system", Takes::Nothing),
        (b'g', "gid", Takes::Value),
        (0, "groups", Takes::Value),
        (b'x', "", Takes::Maybe),
    ];

    fn given(args: &[&str]) -> Result<Given, Stop> {
        let args: Vec<BString> = args.iter().map(|&arg| arg.into()).collect();
        read(&args, TABLE)
    }

    #[test]
    fn letters_and_names() {
        let got = given(&["-rg", "5", "name", "--gid=7", "--sys", "-xy", "--", "-r"]).unwrap();
        let options: Vec<(&str, &str)> = got
            .options
            .iter()
            .map(|(name, value)| (*name, std::str::from_utf8(value).unwrap()))
            .collect();
        assert_eq!(
            options,
            [
                ("system", ""),
                ("gid", "5"),
                ("gid", "7"),
                ("system", ""),
                ("x", "y")
            ]
        );
        assert_eq!(got.rest, ["name", "-r"]);
        assert_eq!(got.value("gid").unwrap(), "7");
    }

    #[test]
    fn what_is_not_known_stops() {
        given(&["--g=1"]).unwrap_err();
        given(&["-q"]).unwrap_err();
        given(&["--system=1"]).unwrap_err();
        given(&["-g"]).unwrap_err();
    }
}
