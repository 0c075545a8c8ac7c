//! The options of a command line, as `getopt_long` reads them. What they mean is the
//! command's.

use bstr::{BString, ByteSlice as _};

use crate::process::Process;
use crate::stop::Stop;

/// What a command takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// Letters, as for getopt(3): `a` alone, `b:` with a value, `c::` with one that must
    /// follow at once. A `+` in front stops at the first operand.
    pub(crate) letters: &'static str,
    /// Long names, each with the letter that it stands for and whether it takes a value,
    /// as letters have it. The letter of one that has no short form is a capital Greek
    /// one or whatever the command likes.
    pub(crate) long: &'static [(&'static str, char)],
}

/// One option: its letter and its value.
pub(crate) type Given = (char, BString);

/// The options and operands of a command line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parsed {
    pub(crate) options: Vec<Given>,
    pub(crate) operands: Vec<BString>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Value {
    None,
    Needed,
    Optional,
}

/// Reads the arguments of `process`.
///
/// # Errors
/// A [`Stop`] for an option that `spec` does not name, or whose value lacks.
pub(crate) fn parse(process: &Process<'_, '_>, spec: &Spec) -> Result<Parsed, Stop> {
    read(&process.args[1..], spec)
}

/// Reads `args`.
///
/// # Errors
/// As [`parse`].
pub(crate) fn read(args: &[BString], spec: &Spec) -> Result<Parsed, Stop> {
    let mut parsed = Parsed::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--" {
            parsed.operands.extend(rest.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix(b"--") {
            let (name, value) = match long.split_once_str("=") {
                Some((name, value)) => (name, Some(BString::from(value))),
                None => (long, None),
            };
            let letter = spec.named(name)?;
            let wants = spec.value(letter);
            let value = match (wants, value) {
                (Value::None, Some(_)) => return Err(unknown(arg)),
                (Value::None, None) | (Value::Optional, None) => BString::default(),
                (_, Some(value)) => value,
                (Value::Needed, None) => rest.next().ok_or_else(|| unknown(arg))?.clone(),
            };
            parsed.options.push((letter, value));
            continue;
        }
        let Some(letters) = arg.strip_prefix(b"-").filter(|rest| !rest.is_empty()) else {
            parsed.operands.push(arg.clone());
            if spec.letters.starts_with('+') {
                parsed.operands.extend(rest.cloned());
                break;
            }
            continue;
        };
        for (at, &letter) in letters.iter().enumerate() {
            let letter = char::from(letter);
            if !letter.is_ascii() || letter == ':' || !spec.letters.contains(letter) {
                return Err(unknown(arg));
            }
            let behind = BString::from(&letters[at + 1..]);
            let value = match spec.value(letter) {
                Value::None => {
                    parsed.options.push((letter, BString::default()));
                    continue;
                }
                Value::Needed if behind.is_empty() => {
                    rest.next().ok_or_else(|| unknown(arg))?.clone()
                }
                _ => behind,
            };
            parsed.options.push((letter, value));
            break;
        }
    }
    Ok(parsed)
}

/// The stop for an option that is not known.
pub(crate) fn unknown(arg: &BString) -> Stop {
    Stop::unsupported(format!("the option {arg} is not known"))
}

impl Spec {
    fn value(&self, letter: char) -> Value {
        let mut rest = self.letters.chars().skip_while(|c| *c != letter).skip(1);
        match (rest.next(), rest.next()) {
            (Some(':'), Some(':')) => Value::Optional,
            (Some(':'), _) => Value::Needed,
            _ => Value::None,
        }
    }

    /// The letter of a long option, which may be shortened.
    fn named(&self, name: &[u8]) -> Result<char, Stop> {
        let exact = self.long.iter().find(|(long, _)| long.as_bytes() == name);
        if let Some((_, letter)) = exact {
            return Ok(*letter);
        }
        let mut found = self
            .long
            .iter()
            .filter(|(long, _)| long.as_bytes().starts_with(name))
            .map(|(_, letter)| *letter);
        let stop = || Stop::unsupported(format!("the option --{} is not known", name.as_bstr()));
        let first = found.next().ok_or_else(stop)?;
        match found.all(|other| other == first) {
            true => Ok(first),
            false => Err(stop()),
        }
    }
}

impl Parsed {
    /// Whether an option was given.
    pub(crate) fn has(&self, letter: char) -> bool {
        self.options.iter().any(|(given, _)| *given == letter)
    }

    /// The last value of an option.
    pub(crate) fn last(&self, letter: char) -> Option<&BString> {
        let mut given = self.options.iter().rev();
        given
            .find(|(other, _)| *other == letter)
            .map(|(_, value)| value)
    }
}

/// A value that must be a number without a sign.
///
/// # Errors
/// A [`Stop`] where it is none.
pub(crate) fn number(value: &[u8]) -> Result<usize, Stop> {
    let text = value.to_str().ok();
    let digits = text.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    digits
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Stop::unsupported(format!("{} is no number", value.as_bstr())))
}

#[cfg(test)]
mod tests {
    use super::{Spec, read};
    use bstr::BString;

    const SPEC: Spec = Spec {
        letters: "ab:c::",
        long: &[("all", 'a'), ("beta", 'b'), ("gamma", 'c'), ("game", 'c')],
    };

    fn given(args: &[&str]) -> Option<(String, String)> {
        let args: Vec<BString> = args.iter().map(|&arg| arg.into()).collect();
        let parsed = read(&args, &SPEC).ok()?;
        let options = parsed.options.iter().map(|(c, v)| format!("{c}{v};"));
        Some((
            options.collect(),
            parsed.operands.iter().map(|o| format!("{o};")).collect(),
        ))
    }

    #[test]
    fn options_are_read_as_getopt_does() {
        for (args, options, operands) in [
            (&["-ab", "x", "y"][..], "a;bx;", "y;"),
            (&["y", "-bx", "-a", "-"], "bx;a;", "y;-;"),
            (&["-c", "-cx", "--", "-a"], "c;cx;", "-a;"),
            (&["--al", "--be=1", "--gam"], "a;b1;c;", ""),
            (&["--beta", "-a"], "b-a;", ""),
        ] {
            let want = Some((options.to_owned(), operands.to_owned()));
            assert_eq!(given(args), want, "{args:?}");
        }
        for args in [&["-x"][..], &["-b"], &["--all=1"], &["--omega"]] {
            assert_eq!(given(args), None, "{args:?}");
        }
    }
}
