//! seq.

use bstr::ByteSlice as _;

use super::number::{Layout, float};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "seq",
    origin: Origin::Essential,
    run,
}];

/// A decimal number: its value times ten to the power of its digits behind the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Decimal {
    value: i128,
    digits: u32,
    width: usize,
}

impl Decimal {
    fn parse(text: &[u8]) -> Option<Self> {
        let text = text.to_str().ok()?;
        let body = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, part) = body.split_once('.').unwrap_or((body, ""));
        let digits = [whole, part].concat();
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plain || digits.len() > 30 {
            return None;
        }
        let value: i128 = digits.parse().ok()?;
        let negative = text.starts_with('-');
        Some(Self {
            value: if negative { -value } else { value },
            digits: u32::try_from(part.len()).ok()?,
            width: whole.len().max(1) + usize::from(negative),
        })
    }

    fn scaled(self, digits: u32) -> i128 {
        self.value * 10_i128.pow(digits - self.digits)
    }
}

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let mut separator = b"\n".to_vec();
    let mut equal = false;
    let mut format = None;
    let mut numbers = Vec::new();
    let mut args = process.args[1..].iter();
    while let Some(arg) = args.next() {
        let next = |value: &[u8], args: &mut std::slice::Iter<'_, _>| match value.is_empty() {
            true => args.next().map(|arg: &bstr::BString| arg.to_vec()),
            false => Some(value.to_vec()),
        };
        let need = || Stop::unsupported("an option of seq lacks its value");
        let number = arg
            .get(1)
            .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'.');
        if !arg.starts_with(b"-") || number {
            numbers.push(arg.clone());
        } else if arg == "-w" || arg == "--equal-width" {
            equal = true;
        } else if let Some(value) = arg.strip_prefix(b"--separator=") {
            separator = value.to_vec();
        } else if let Some(value) = arg.strip_prefix(b"--format=") {
            format = Some(value.to_vec());
        } else if let Some(value) = arg.strip_prefix(b"-s") {
            separator = next(value, &mut args).ok_or_else(need)?;
        } else if let Some(value) = arg.strip_prefix(b"-f") {
            format = Some(next(value, &mut args).ok_or_else(need)?);
        } else {
            return Err(super::options::unknown(arg));
        }
    }
    let mut parsed = Vec::new();
    for number in &numbers {
        let Some(decimal) = Decimal::parse(number) else {
            let exotic = number.iter().any(u8::is_ascii_digit);
            if exotic {
                return Err(Stop::unsupported(format!("seq of {number} is not known")));
            }
            process.complain(format_args!("invalid floating point argument: '{number}'"));
            return Ok(Status::FAILED);
        };
        parsed.push(decimal);
    }
    let one = Decimal {
        value: 1,
        digits: 0,
        width: 1,
    };
    let (first, step, last) = match parsed[..] {
        [last] => (one, one, last),
        [first, last] => (first, one, last),
        [first, step, last] => (first, step, last),
        _ => {
            process.complain("missing or extra operand");
            return Ok(Status::FAILED);
        }
    };
    let all = first.digits.max(step.digits).max(last.digits);
    // What is shown has the digits of the first number and the step alone.
    let shown = first.digits.max(step.digits);
    let (from, by, to) = (first.scaled(all), step.scaled(all), last.scaled(all));
    if by == 0 {
        process.complain("invalid Zero increment value: '0'");
        return Ok(Status::FAILED);
    }
    let count = if (by > 0) == (from <= to) || from == to {
        (to - from) / by + 1
    } else {
        0
    };
    let count = u64::try_from(count.max(0)).unwrap_or(u64::MAX);
    process.machine.spend(count)?;
    let point = if shown > 0 { 1 + shown as usize } else { 0 };
    let end = from + by * i128::from(count.saturating_sub(1));
    let width = match equal {
        true => text(from, all, shown)
            .len()
            .max(text(end, all, shown).len())
            .max(first.width.max(last.width) + point),
        false => 0,
    };
    let mut out = Vec::new();
    for at in 0..count {
        if at > 0 {
            out.extend_from_slice(&separator);
        }
        let value = from + by * i128::from(at);
        let body = match &format {
            Some(format) => formatted(format, value, all)?,
            None => {
                let plain = text(value, all, shown);
                match plain.strip_prefix('-') {
                    Some(rest) => format!("-{rest:0>w$}", w = width.saturating_sub(1)),
                    None => format!("{plain:0>width$}"),
                }
            }
        };
        out.extend_from_slice(body.as_bytes());
    }
    if count > 0 {
        out.push(b'\n');
    }
    process.out(out);
    Ok(Status::OK)
}

/// A number with `shown` of its `digits` digits behind the point.
fn text(value: i128, digits: u32, shown: u32) -> String {
    let value = value / 10_i128.pow(digits - shown);
    let sign = if value < 0 { "-" } else { "" };
    let (value, scale) = (value.unsigned_abs(), 10_u128.pow(shown));
    match shown {
        0 => format!("{sign}{value}"),
        shown => format!(
            "{sign}{}.{:0w$}",
            value / scale,
            value % scale,
            w = shown as usize
        ),
    }
}

/// A number in a format with one `%g`, `%f` or `%e`.
fn formatted(format: &[u8], value: i128, digits: u32) -> Result<String, Stop> {
    let wrong = || Stop::unsupported("this format of seq is not known");
    let format = format.to_str().map_err(|_| wrong())?;
    let (before, rest) = format.split_once('%').ok_or_else(wrong)?;
    let mut layout = Layout::default();
    let flags = rest.len() - rest.trim_start_matches(['-', '+', ' ', '#', '0']).len();
    for flag in rest[..flags].chars() {
        match flag {
            '-' => layout.left = true,
            '+' => layout.plus = true,
            ' ' => layout.space = true,
            '#' => layout.alternate = true,
            _ => layout.zero = true,
        }
    }
    let rest = &rest[flags..];
    let at = rest
        .find(|char: char| !char.is_ascii_digit() && char != '.')
        .ok_or_else(wrong)?;
    let (width, precision) = rest[..at].split_once('.').unwrap_or((&rest[..at], "6"));
    let number = |text: &str| match text {
        "" => Ok(0),
        text => text.parse::<usize>().map_err(|_| wrong()),
    };
    layout.width = number(width)?.min(1000);
    layout.precision = Some(number(precision)?.min(100));
    let (letter, after) = rest[at..].split_at(1);
    if !matches!(letter, "g" | "f" | "e") || after.contains('%') || before.contains('%') {
        return Err(wrong());
    }
    let value = value as f64 / 10_f64.powi(digits as i32);
    Ok(format!(
        "{before}{}{after}",
        float(value, letter.as_bytes()[0], layout)
    ))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn sequences_are_as_seq_writes_them() {
        for (args, want) in [
            (&["seq", "3"][..], "1\n2\n3\n"),
            (&["seq", "2", "4"], "2\n3\n4\n"),
            (&["seq", "5", "-2", "1"], "5\n3\n1\n"),
            (&["seq", "0"], ""),
            (&["seq", "-w", "8", "10"], "08\n09\n10\n"),
            (&["seq", "-s", ",", "3"], "1,2,3\n"),
            (&["seq", "1", "0.5", "2"], "1.0\n1.5\n2.0\n"),
            (&["seq", "-f", "x%03g", "2"], "x001\nx002\n"),
            (&["seq", "-1", "1"], "-1\n0\n1\n"),
        ] {
            assert_eq!(machine().run(args).out, want, "{args:?}");
        }
        assert_eq!(machine().run(&["seq", "x"]).status, 1);
        assert!(machine().run_with(&["seq", "999999999999"], "").is_err());
    }
}
