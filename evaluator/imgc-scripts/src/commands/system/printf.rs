//! printf, as coreutils, dash and bash have it.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "printf",
    origin: Origin::Essential,
    run: bash,
}];

/// `printf` of dash.
pub(crate) fn dash(process: &mut Process<'_, '_>) -> Outcome {
    run(process, false)
}

/// `printf` of bash and of coreutils.
pub(crate) fn bash(process: &mut Process<'_, '_>) -> Outcome {
    run(process, true)
}

fn run(process: &mut Process<'_, '_>, wide: bool) -> Outcome {
    let mut words = process.args.split_off(1);
    if words.first().is_some_and(|word| word == "--") {
        words.remove(0);
    }
    if words.is_empty() {
        process.complain("usage: printf format [arg ...]");
        return Ok(Status(if wide { 1 } else { 2 }));
    }
    if wide && words[0] == "-v" {
        return Err(Stop::unsupported("printf -v is for a shell"));
    }
    let (status, text) = format(process, &words, wide)?;
    process.out(&text);
    match process.fds.contains_key(&1) {
        true => Ok(status),
        false => Ok(Status::FAILED),
    }
}

/// What printf prints: `words` are its format and arguments. `wide` says that it is not
/// dash's.
pub(crate) fn format(
    process: &mut Process<'_, '_>,
    words: &[BString],
    wide: bool,
) -> Result<(Status, BString), Stop> {
    let Some((format, args)) = words.split_first() else {
        return Ok((Status::FAILED, BString::default()));
    };
    let mut printer = Printer {
        args: args.iter().cloned().collect(),
        out: BString::default(),
        failed: false,
        directive: false,
        wide,
    };
    loop {
        let left = printer.args.len();
        process.machine.spend(1 + format.len() as u64 / 16)?;
        let ended = printer.once(format)?;
        if printer.out.len() > process.machine.setup.limits.file / 4 {
            return Err(Stop::unsupported("printf prints too much"));
        }
        if ended || printer.args.is_empty() || printer.args.len() == left {
            break;
        }
    }
    if printer.directive {
        process.complain("invalid directive");
        return Ok((Status(if wide { 1 } else { 2 }), printer.out));
    }
    if !printer.failed {
        return Ok((Status::OK, printer.out));
    }
    process.complain("expected numeric value");
    Ok((Status::FAILED, printer.out))
}

struct Printer {
    args: std::collections::VecDeque<BString>,
    out: BString,
    failed: bool,
    /// Whether a conversion was wrong.
    directive: bool,
    wide: bool,
}

/// Flags, width and precision of a conversion.
#[derive(Default)]
struct Form {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The widest field and longest precision that is printed.
const WIDEST: usize = 1 << 20;

impl Printer {
    /// Prints the format once. Says whether `\c` ended everything.
    fn once(&mut self, format: &[u8]) -> Result<bool, Stop> {
        let mut rest = format;
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            match byte {
                b'\\' => {
                    let (taken, ended) = one_escape(rest, &mut self.out, Place::Format, self.wide);
                    if ended {
                        return Ok(true);
                    }
                    rest = &rest[taken..];
                }
                b'%' if rest.starts_with(b"%") => {
                    self.out.push(b'%');
                    rest = &rest[1..];
                }
                b'%' => {
                    let (taken, ended) = self.conversion(rest)?;
                    if ended {
                        return Ok(true);
                    }
                    rest = &rest[taken..];
                }
                byte => self.out.push(byte),
            }
        }
        Ok(false)
    }

    /// One conversion, from behind its `%` on: how long it is, and whether all ends.
    fn conversion(&mut self, text: &[u8]) -> Result<(usize, bool), Stop> {
        let mut form = Form::default();
        let mut at = 0;
        while let Some(&flag) = text.get(at) {
            match flag {
                b'-' => form.left = true,
                b'0' => form.zero = true,
                b'+' => form.plus = true,
                b' ' => form.space = true,
                b'#' => form.alternate = true,
                _ => break,
            }
            at += 1;
        }
        if text.get(at) == Some(&b'*') {
            at += 1;
            let width = self.number();
            form.left |= width < 0;
            form.width = usize::try_from(width.unsigned_abs()).unwrap_or(WIDEST);
        } else {
            let digits = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
            form.width = text[at..at + digits].to_str_lossy().parse().unwrap_or(0);
            at += digits;
        }
        if text.get(at) == Some(&b'.') {
            at += 1;
            if text.get(at) == Some(&b'*') {
                at += 1;
                form.precision = usize::try_from(self.number()).ok();
            } else {
                let digits = text[at..].iter().take_while(|b| b.is_ascii_digit()).count();
                let number = text[at..at + digits].to_str_lossy();
                form.precision = Some(number.parse().unwrap_or(0));
                at += digits;
            }
        }
        form.width = form.width.min(WIDEST);
        form.precision = form.precision.map(|precision| precision.min(WIDEST));
        while text.get(at).is_some_and(|b| b"hlLjzt".contains(b)) {
            at += 1;
        }
        let Some(&kind) = text.get(at) else {
            return Ok(self.wrong());
        };
        match kind {
            b's' => {
                let text = self.args.pop_front().unwrap_or_default();
                self.pad_text(&text, &form);
            }
            b'b' => {
                let text = self.args.pop_front().unwrap_or_default();
                let mut out = BString::default();
                let ended = escape(&text, &mut out, self.wide);
                self.pad_text(&out, &form);
                if ended {
                    return Ok((at + 1, true));
                }
            }
            b'c' => {
                let text = self.args.pop_front().unwrap_or_default();
                self.pad_text(&text[..text.len().min(1)], &form);
            }
            b'q' if self.wide => {
                let text = self.args.pop_front().unwrap_or_default();
                self.pad_text(&quoted(&text), &form);
            }
            b'd' | b'i' => {
                let value = self.number();
                let sign = if value < 0 {
                    "-"
                } else if form.plus {
                    "+"
                } else if form.space {
                    " "
                } else {
                    ""
                };
                self.pad_number(sign, &value.unsigned_abs().to_string(), &form);
            }
            b'u' | b'o' | b'x' | b'X' => {
                let value = self.number();
                let digits = match kind {
                    b'u' => format!("{}", value as u64),
                    b'o' => format!("{value:o}"),
                    b'x' => format!("{value:x}"),
                    _ => format!("{value:X}"),
                };
                let prefix = match kind {
                    b'o' if form.alternate => "0",
                    b'x' if form.alternate && value != 0 => "0x",
                    b'X' if form.alternate && value != 0 => "0X",
                    _ => "",
                };
                self.pad_number(prefix, &digits, &form);
            }
            b'f' | b'F' | b'e' | b'E' | b'g' | b'G' => self.real(kind, &form)?,
            b'(' | b'q' => return Err(Stop::unsupported("a conversion of printf is not known")),
            _ => return Ok(self.wrong()),
        }
        Ok((at + 1, false))
    }

    /// A conversion that there is not: all ends.
    fn wrong(&mut self) -> (usize, bool) {
        self.directive = true;
        (0, true)
    }

    fn real(&mut self, kind: u8, form: &Form) -> Result<(), Stop> {
        let text = self.args.pop_front().unwrap_or_default();
        let text = text.to_str_lossy();
        let value: f64 = match text.trim() {
            "" => 0.0,
            text => text.parse().unwrap_or_else(|_| {
                self.failed = true;
                0.0
            }),
        };
        if !matches!(kind, b'f' | b'F') || !value.is_finite() {
            return Err(Stop::unsupported("%e and %g of printf are not known"));
        }
        let digits = format!("{:.*}", form.precision.unwrap_or(6), value.abs());
        let sign = if value < 0.0 {
            "-"
        } else if form.plus {
            "+"
        } else {
            ""
        };
        let form = Form {
            left: form.left,
            zero: form.zero,
            width: form.width,
            ..Form::default()
        };
        self.pad_number(sign, &digits, &form);
        Ok(())
    }

    /// The next argument as a number.
    fn number(&mut self) -> i64 {
        let Some(text) = self.args.pop_front() else {
            return 0;
        };
        if let Some(&quote) = text.first()
            && (quote == b'"' || quote == b'\'')
        {
            let rest = &text[1..];
            return match (self.wide, bstr::decode_utf8(rest)) {
                (true, (Some(c), _)) => i64::from(u32::from(c)),
                _ => rest.first().copied().map_or(0, i64::from),
            };
        }
        let text = text.to_str_lossy();
        let trimmed = text.trim_start();
        let (negative, digits) = match trimmed.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        let (radix, digits) = if let Some(hex) = digits
            .strip_prefix("0x")
            .or_else(|| digits.strip_prefix("0X"))
        {
            (16, hex)
        } else if digits.len() > 1 && digits.starts_with('0') {
            (8, &digits[1..])
        } else {
            (10, digits)
        };
        let end = digits
            .find(|c: char| !c.is_digit(radix))
            .unwrap_or(digits.len());
        if end < digits.len() || (digits.is_empty() && !text.is_empty()) {
            self.failed = true;
        }
        let value = if end == 0 {
            0
        } else {
            let parsed = i128::from_str_radix(&digits[..end], radix);
            parsed.unwrap_or(i128::MAX)
        };
        let value = if negative { -value } else { value };
        match u64::try_from(value) {
            Ok(value) => value as i64,
            Err(_) => i64::try_from(value).unwrap_or_else(|_| {
                self.failed = true;
                if negative { i64::MIN } else { -1 }
            }),
        }
    }

    fn pad_text(&mut self, text: &[u8], form: &Form) {
        let text = &text[..form.precision.unwrap_or(text.len()).min(text.len())];
        let fill = form.width.saturating_sub(text.len());
        if !form.left {
            self.fill(b' ', fill);
        }
        self.out.extend_from_slice(text);
        if form.left {
            self.fill(b' ', fill);
        }
    }

    fn pad_number(&mut self, prefix: &str, digits: &str, form: &Form) {
        let zeros = form.precision.unwrap_or(1).saturating_sub(digits.len());
        let digits = if form.precision == Some(0) && digits == "0" {
            ""
        } else {
            digits
        };
        let length = prefix.len() + zeros + digits.len();
        let fill = form.width.saturating_sub(length);
        let zero = form.zero && !form.left && form.precision.is_none();
        if !form.left && !zero {
            self.fill(b' ', fill);
        }
        self.out.extend_from_slice(prefix.as_bytes());
        self.fill(b'0', zeros + if zero { fill } else { 0 });
        self.out.extend_from_slice(digits.as_bytes());
        if form.left {
            self.fill(b' ', fill);
        }
    }

    fn fill(&mut self, byte: u8, count: usize) {
        self.out.extend(std::iter::repeat_n(byte, count));
    }
}

/// `text` as a shell would read it again.
fn quoted(text: &[u8]) -> BString {
    if text.is_empty() {
        return "''".into();
    }
    if text.iter().any(|b| !(0x20..0x7f).contains(b)) {
        let mut out = BString::from("$'");
        for &byte in text {
            match byte {
                b'\n' => out.extend_from_slice(b"\\n"),
                b'\t' => out.extend_from_slice(b"\\t"),
                b'\\' | b'\'' => out.extend_from_slice(&[b'\\', byte]),
                0x20..=0x7e | 0x80.. => out.push(byte),
                _ => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            }
        }
        out.push(b'\'');
        return out;
    }
    let mut out = BString::default();
    for &byte in text {
        if !(byte.is_ascii_alphanumeric() || b"%+-./:=@_,^".contains(&byte)) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

/// Where an escape stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the format of printf.
    Format,
    /// In what echo or `%b` prints: octal numbers begin with 0, `\c` ends all.
    Text,
}

/// Adds `text` to `out` with its escapes replaced. Says whether `\c` ended it. `wide` says
/// that it is not dash's.
pub(crate) fn escape(text: &[u8], out: &mut BString, wide: bool) -> bool {
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (taken, ended) = one_escape(rest, out, Place::Text, wide);
        if ended {
            return true;
        }
        rest = &rest[taken..];
    }
    false
}

/// One escape, from behind its backslash on: how long it is, and whether it was `\c`.
fn one_escape(text: &[u8], out: &mut BString, place: Place, wide: bool) -> (usize, bool) {
    let number = |from: usize, most: usize, radix: u32| {
        let digits = text[from..].iter().take(most);
        let digits = digits.map_while(|&b| char::from(b).to_digit(radix));
        digits.fold((0u32, 0), |(value, length), digit| {
            (value.wrapping_mul(radix).wrapping_add(digit), length + 1)
        })
    };
    let Some(&letter) = text.first() else {
        out.push(b'\\');
        return (0, false);
    };
    let byte = match letter {
        b'a' => 7,
        b'b' => 8,
        b'e' => 27,
        b'E' if wide => 27,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'"' if wide && place == Place::Format => letter,
        b'c' if place == Place::Text => return (1, true),
        b'0'..=b'7' => {
            let zero = usize::from(letter == b'0' && place == Place::Text);
            let (value, length) = number(zero, 3, 8);
            out.push((value & 0xff) as u8);
            return (zero + length, false);
        }
        b'x' if wide => {
            let (value, length) = number(1, 2, 16);
            if length == 0 {
                out.extend_from_slice(b"\\x");
            } else {
                out.push((value & 0xff) as u8);
            }
            return (1 + length, false);
        }
        b'u' | b'U' if wide => {
            let (value, length) = number(1, if letter == b'u' { 4 } else { 8 }, 16);
            match char::from_u32(value) {
                Some(c) if length > 0 => {
                    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => out.extend_from_slice(&[b'\\', letter]),
            }
            return (1 + length, false);
        }
        other => {
            out.extend_from_slice(&[b'\\', other]);
            return (1, false);
        }
    };
    out.push(byte);
    (1, false)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn prints_as_coreutils() {
        let mut machine = machine();
        for (args, status, out) in [
            (&["printf", "%s-%d\\n", "a", "3", "b"][..], 0, "a-3\nb-0\n"),
            (
                &["printf", "%5.2s|%-4d|%04x|%+d\\n", "abc", "7", "255", "5"],
                0,
                "   ab|7   |00ff|+5\n",
            ),
            (&["printf", "%b\\n", "a\\tb\\0101"], 0, "a\tbA\n"),
            (&["printf", "%q\\n", "a b"], 0, "a\\ b\n"),
            (&["printf", "\\x41\\101\\n"], 0, "AA\n"),
            (&["printf", "%d\\n", "x"], 1, "0\n"),
            (&["printf", "%.3f\\n", "2.5"], 0, "2.500\n"),
            (&["printf", "%c%c%%\\n", "abc", "d"], 0, "ad%\n"),
            (&["printf"], 1, ""),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
        }
        let stop = machine
            .run_with(&["printf", "%e\\n", "1"], "")
            .expect_err("a stop");
        assert!(stop.to_string().contains("%e and %g"), "{stop}");
    }
}
