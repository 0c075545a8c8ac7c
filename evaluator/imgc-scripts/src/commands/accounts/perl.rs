//! Options as Perl's Getopt::Long reads them: one dash or two, any case, any beginning
//! that only one option has.

use bstr::{BString, ByteSlice as _};

use super::options::{Given, Takes};
use crate::stop::Stop;

/// An option: its names with `|` between them, its value. The first name counts.
pub(crate) type Known = (&'static str, Takes);

/// Reads `args`.
///
/// # Errors
/// A stop for an option that is not in `table`.
pub(crate) fn read(args: &[BString], table: &[Known]) -> Result<Given, Stop> {
    let mut given = Given::default();
    let mut args = args.iter().peekable();
    while let Some(arg) = args.next() {
        if arg == "--" {
            given.rest.extend(args.cloned());
            break;
        }
        let dashed = arg.strip_prefix(b"--").or_else(|| arg.strip_prefix(b"-"));
        let Some(text) = dashed.filter(|text| !text.is_empty()) else {
            given.rest.push(arg.clone());
            continue;
        };
        let (name, value) = match text.split_once_str("=") {
            Some((name, value)) => (name, Some(BString::from(value))),
            None => (text, None),
        };
        let Some((name, takes)) = find(name, table) else {
            return Err(Stop::unsupported(format!("the option {arg} is not known")));
        };
        let value = match (takes, value) {
            (Takes::Nothing, Some(_)) => {
                return Err(Stop::unsupported(format!("the option {arg} has no value")));
            }
            (Takes::Nothing, None) => BString::default(),
            (_, Some(value)) => value,
            (Takes::Value, None) => args
                .next()
                .cloned()
                .ok_or_else(|| Stop::unsupported(format!("the option {arg} needs a value")))?,
            (Takes::Maybe, None) => {
                let next = args.next_if(|next| !next.starts_with(b"-") || *next == "-");
                next.cloned().unwrap_or_default()
            }
        };
        given.options.push((name, value));
    }
    Ok(given)
}

fn find(name: &[u8], table: &[Known]) -> Option<(&'static str, Takes)> {
    let name = name.to_str().ok()?.to_ascii_lowercase();
    let names = || {
        table.iter().flat_map(|(names, takes)| {
            let first = names.split('|').next().unwrap_or(names);
            names.split('|').map(move |name| (name, first, *takes))
        })
    };
    if let Some((_, first, takes)) = names().find(|(known, ..)| *known == name) {
        return Some((first, takes));
    }
    let mut begin = names().filter(|(known, ..)| known.starts_with(&name));
    let (_, first, takes) = begin.next()?;
    begin
        .all(|(_, other, _)| other == first)
        .then_some((first, takes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Known] = &[
        ("gecos|comment", Takes::Maybe),
        ("quiet|q", Takes::Nothing),
        ("uid", Takes::Value),
    ];

    fn given(args: &[&str]) -> Result<Given, Stop> {
        let args: Vec<BString> = args.iter().map(|&arg| arg.into()).collect();
        read(&args, TABLE)
    }

    #[test]
    fn any_dash_and_any_case() {
        let got = given(&["-q", "--GECOS", "a b", "name", "--comm", "--uid", "-1"]).unwrap();
        assert_eq!(got.value("gecos").unwrap(), "");
        assert_eq!(got.values("gecos").count(), 2);
        assert_eq!(got.value("uid").unwrap(), "-1");
        assert!(got.has("quiet"));
        assert_eq!(got.rest, ["name"]);
        given(&["--nope"]).unwrap_err();
    }
}
