//! Reads options as getopt_long(3) does. It must not judge them: what a command does not
//! list is a stop.

use bstr::{BString, ByteSlice as _};

use crate::stop::Stop;

/// What a command knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// As for getopt(3): `ab:c::`. A `+` in front ends the options at the first operand.
    pub(crate) short: &'static str,
    /// Long names and what each is reported as. `name=` wants a value, `name=?` may have
    /// one.
    pub(crate) long: &'static [(&'static str, char)],
}

/// What a command line says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parsed {
    /// The options in order, with their values; empty where there is none.
    pub(crate) options: Vec<(char, Option<BString>)>,
    pub(crate) operands: Vec<BString>,
}

impl Parsed {
    /// Whether one of the letters of `which` was given.
    pub(crate) fn has(&self, which: &str) -> bool {
        self.options.iter().any(|(c, _)| which.contains(*c))
    }

    /// The last value of `which`.
    pub(crate) fn value(&self, which: char) -> Option<&BString> {
        let mut found = self.options.iter().rev().filter(|(c, _)| *c == which);
        found.next().and_then(|(_, value)| value.as_ref())
    }

    /// Which of the letters of `which` came last.
    pub(crate) fn last(&self, which: &str) -> Option<char> {
        let mut found = self
            .options
            .iter()
            .rev()
            .filter(|(c, _)| which.contains(*c));
        found.next().map(|(c, _)| *c)
    }
}

fn unknown(arg: &[u8]) -> Stop {
    Stop::unsupported(format!("the option {} is not known", arg.as_bstr()))
}

fn lacking(arg: &[u8]) -> Stop {
    Stop::unsupported(format!("the option {} lacks its value", arg.as_bstr()))
}

/// Reads `args` without the name of the command in front.
pub(crate) fn parse(args: &[BString], known: &Known) -> Result<Parsed, Stop> {
    let (stops, short) = match known.short.strip_prefix('+') {
        Some(rest) => (true, rest),
        None => (false, known.short),
    };
    let mut parsed = Parsed::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            parsed.operands.extend(rest.by_ref().cloned());
        } else if let Some(long) = arg.strip_prefix(b"--") {
            let (name, value) = match long.split_once_str("=") {
                Some((name, value)) => (name, Some(BString::from(value))),
                None => (long, None),
            };
            let (wants, code) = find_long(name, known.long).ok_or_else(|| unknown(arg))?;
            let value = match (wants, value) {
                (Wants::Nothing, Some(_)) => return Err(unknown(arg)),
                (Wants::Value, None) => Some(rest.next().cloned().ok_or_else(|| lacking(arg))?),
                (_, value) => value,
            };
            parsed.options.push((code, value));
        } else if arg.len() > 1 && arg[0] == b'-' {
            let mut at = 1;
            while at < arg.len() {
                let letter = arg[at];
                at += 1;
                let wants = find_short(letter, short).ok_or_else(|| unknown(arg))?;
                let value = match wants {
                    Wants::Nothing => None,
                    Wants::Maybe if at == arg.len() => None,
                    Wants::Value if at == arg.len() => {
                        Some(rest.next().cloned().ok_or_else(|| lacking(arg))?)
                    }
                    _ => {
                        let value = BString::from(&arg[at..]);
                        at = arg.len();
                        Some(value)
                    }
                };
                parsed.options.push((char::from(letter), value));
            }
        } else {
            parsed.operands.push(arg.clone());
            if stops {
                parsed.operands.extend(rest.by_ref().cloned());
            }
        }
    }
    Ok(parsed)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    Nothing,
    Value,
    Maybe,
}

fn find_short(letter: u8, short: &str) -> Option<Wants> {
    if letter == b':' {
        return None;
    }
    let at = short.as_bytes().find_byte(letter)?;
    let rest = &short[at + 1..];
    Some(if rest.starts_with("::") {
        Wants::Maybe
    } else if rest.starts_with(':') {
        Wants::Value
    } else {
        Wants::Nothing
    })
}

/// A long option by its name, or by a beginning that only one has.
fn find_long(name: &[u8], long: &[(&'static str, char)]) -> Option<(Wants, char)> {
    let split = |&(spelt, code): &(&'static str, char)| match spelt.strip_suffix("=?") {
        Some(name) => (name, Wants::Maybe, code),
        None => match spelt.strip_suffix('=') {
            Some(name) => (name, Wants::Value, code),
            None => (spelt, Wants::Nothing, code),
        },
    };
    let mut begins = Vec::new();
    for (spelt, wants, code) in long.iter().map(split) {
        if spelt.as_bytes() == name {
            return Some((wants, code));
        }
        if spelt.as_bytes().starts_with(name) {
            begins.push((wants, code));
        }
    }
    let same = begins.iter().all(|other| *other == begins[0]);
    if same { begins.first().copied() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Known = Known {
        short: "ab:c::",
        long: &[
            ("all", 'a'),
            ("by=", 'b'),
            ("colour=?", 'c'),
            ("alike", 'x'),
        ],
    };

    fn read(args: &[&str]) -> Result<Parsed, Stop> {
        let args: Vec<BString> = args.iter().map(|&arg| arg.into()).collect();
        parse(&args, &KNOWN)
    }

    #[test]
    fn reads_clusters_values_and_operands() {
        let parsed = read(&["x", "-ab1", "--by", "2", "-c", "--colour=red", "--", "-a"]).unwrap();
        let values: Vec<_> = parsed
            .options
            .iter()
            .map(|(c, v)| (*c, v.as_deref()))
            .collect();
        let one = |text: &'static str| Some(text.as_bytes());
        assert_eq!(
            values
                .iter()
                .map(|(c, v)| (*c, v.map(|v| &**v)))
                .collect::<Vec<_>>(),
            [
                ('a', None),
                ('b', one("1")),
                ('b', one("2")),
                ('c', None),
                ('c', one("red"))
            ]
        );
        assert_eq!(parsed.operands, ["x", "-a"]);
        assert_eq!(parsed.value('b'), Some(&"2".into()));
    }

    #[test]
    fn unknown_or_ambiguous_options_stop() {
        assert!(read(&["-z"]).is_err());
        assert!(read(&["--al"]).is_err());
        assert!(read(&["--all=1"]).is_err());
        assert!(read(&["-b"]).is_err());
        assert!(read(&["--col"]).is_ok());
    }
}
