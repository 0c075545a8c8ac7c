//! xargs.

use bstr::{BString, ByteSlice as _};

use super::failed;
use super::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Fd;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "xargs",
    origin: Origin::Essential,
    run: xargs,
}];

/// The most bytes of one command line.
const LINE: usize = 128 * 1024;

/// What goes into one command.
struct Batch {
    items: Vec<BString>,
    size: usize,
    lines: usize,
}

fn xargs(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+0a:d:E:e::I:i::L:l::n:oP:prs:tx",
        long: &[
            ("null", '0'),
            ("arg-file=", 'a'),
            ("delimiter=", 'd'),
            ("eof=?", 'e'),
            ("replace=?", 'i'),
            ("max-lines=?", 'l'),
            ("max-args=", 'n'),
            ("max-procs=", 'P'),
            ("no-run-if-empty", 'r'),
            ("max-chars=", 's'),
            ("verbose", 't'),
            ("exit", 'x'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.has("po") {
        return Err(Stop::unsupported("xargs can't ask"));
    }
    let number = |option| -> Result<Option<usize>, Stop> {
        let Some(text) = parsed.value(option) else {
            return Ok(None);
        };
        let number = text.to_str().ok().and_then(|text| text.parse().ok());
        let number = number.filter(|number| *number > 0);
        Ok(Some(number.ok_or_else(|| {
            Stop::unsupported(format!("xargs -{option} {text} is not known"))
        })?))
    };
    let (count, chars) = (number('n')?, number('s')?);
    let lines = match parsed.last("Ll") {
        Some('L') => number('L')?,
        Some(_) => Some(number('l')?.unwrap_or(1)),
        None => None,
    };
    let replace = parsed.last("Ii").map(|option| {
        let mark = parsed.value(option).cloned();
        mark.unwrap_or_else(|| "{}".into())
    });
    let bytes = match parsed.value('a').cloned() {
        Some(file) => match process.input(&file) {
            Ok(bytes) => bytes.to_vec(),
            Err(error) => return failed(process, format_args!("{file}: {error}")),
        },
        None => process.stdin(),
    };
    process.machine.spend(bytes.len() as u64 / 64)?;
    let end = parsed.value('E').or_else(|| parsed.value('e')).cloned();
    let split = parsed.last("0d").map(|option| match option {
        '0' => Ok(0),
        _ => delimiter(parsed.value('d')),
    });
    let read = match split {
        Some(separator) => separated(&bytes, separator?),
        None => match quoted(&bytes, replace.is_some(), end.as_ref()) {
            Some(read) => read,
            None => return failed(process, "unmatched quote"),
        },
    };
    let mut command = parsed.operands.clone();
    if command.is_empty() {
        command.push("echo".into());
    }
    if let Some(mark) = replace {
        return each(process, &command, &mark, read);
    }
    let fixed: usize = command.iter().map(|arg| arg.len() + 1).sum();
    let room = chars.unwrap_or(LINE).saturating_sub(fixed);
    let mut batch = Batch {
        items: Vec::new(),
        size: 0,
        lines: 0,
    };
    let mut status = Status::OK;
    let mut ran = false;
    for (item, ends_line) in read {
        let full = count.is_some_and(|count| batch.items.len() >= count)
            || lines.is_some_and(|lines| batch.lines >= lines)
            || (batch.size + item.len() + 1 > room && !batch.items.is_empty());
        if full {
            ran = true;
            if let Some(end) = run(process, &command, &mut batch, &mut status)? {
                return Ok(end);
            }
        }
        if item.len() + 1 > room {
            return failed(process, "argument line too long");
        }
        batch.size += item.len() + 1;
        batch.lines += usize::from(ends_line);
        batch.items.push(item);
    }
    if (!batch.items.is_empty() || (!ran && !parsed.has("r")))
        && let Some(end) = run(process, &command, &mut batch, &mut status)?
    {
        return Ok(end);
    }
    Ok(status)
}

fn delimiter(value: Option<&BString>) -> Result<u8, Stop> {
    let text = value.cloned().unwrap_or_default();
    match &text[..] {
        [one] => Ok(*one),
        [b'\\', rest @ ..] => match super::stat::escape(rest) {
            (bytes, used) if used == rest.len() && bytes.len() == 1 => Ok(bytes[0]),
            _ => Err(Stop::unsupported(format!("xargs -d {text} is not known"))),
        },
        _ => Err(Stop::unsupported(format!("xargs -d {text} is not known"))),
    }
}

fn separated(bytes: &[u8], separator: u8) -> Vec<(BString, bool)> {
    let bytes = bytes.strip_suffix(&[separator]).unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes
        .split(|&b| b == separator)
        .map(|item| (item.into(), true))
        .collect()
}

/// Items between blanks, with quotes and backslashes; whole lines for `-I`. Each says
/// whether it ends a line. None for a quote that is not closed.
fn quoted(bytes: &[u8], whole: bool, end: Option<&BString>) -> Option<Vec<(BString, bool)>> {
    let mut all = Vec::new();
    let mut item = BString::default();
    let mut started = false;
    let mut at = 0;
    while at <= bytes.len() {
        let byte = bytes.get(at).copied();
        at += 1;
        match byte {
            None | Some(b'\n') => {
                if started {
                    if end == Some(&item) {
                        return Some(all);
                    }
                    all.push((std::mem::take(&mut item), true));
                    started = false;
                } else if let Some(last) = all.last_mut().filter(|_| byte.is_some() && !whole) {
                    // A blank at the end of a line goes on with the next.
                    let blank = at >= 2 && matches!(bytes[at - 2], b' ' | b'\t');
                    last.1 |= !blank;
                }
            }
            Some(b' ' | b'\t') if !whole || !started => {
                if started {
                    if end == Some(&item) {
                        return Some(all);
                    }
                    all.push((std::mem::take(&mut item), false));
                    started = false;
                }
            }
            Some(quote @ (b'\'' | b'"')) => {
                let rest = &bytes[at..];
                let close = rest.find_byte(quote)?;
                if rest[..close].contains(&b'\n') {
                    return None;
                }
                item.extend_from_slice(&rest[..close]);
                started = true;
                at += close + 1;
            }
            Some(b'\\') => {
                item.extend(bytes.get(at));
                started = true;
                at += 1;
            }
            Some(byte) => {
                item.push(byte);
                started = true;
            }
        }
    }
    Some(all)
}

/// Runs the command for each item, which stands where `mark` is.
fn each(
    process: &mut Process<'_, '_>,
    command: &[BString],
    mark: &BString,
    read: Vec<(BString, bool)>,
) -> Outcome {
    let mut status = Status::OK;
    for (item, _) in read {
        let mut fill = |arg: &BString| BString::from(arg.replace(mark.as_slice(), &item));
        let mut args: Vec<BString> = vec![command[0].clone()];
        args.extend(command[1..].iter().map(&mut fill));
        if let Some(end) = start(process, args, &mut status)? {
            return Ok(end);
        }
    }
    Ok(status)
}

fn run(
    process: &mut Process<'_, '_>,
    command: &[BString],
    batch: &mut Batch,
    status: &mut Status,
) -> Result<Option<Status>, Stop> {
    let mut args = command.to_vec();
    args.append(&mut batch.items);
    (batch.size, batch.lines) = (0, 0);
    start(process, args, status)
}

/// Runs one command. Gives the status with which xargs ends at once, if it does.
fn start(
    process: &mut Process<'_, '_>,
    args: Vec<BString>,
    status: &mut Status,
) -> Result<Option<Status>, Stop> {
    let mut child = process.child(args);
    child.fds.insert(0, Fd::Null);
    match child.start()?.0 {
        0 => {}
        255 => return Ok(Some(Status(124))),
        end @ (126 | 127) => return Ok(Some(Status(end))),
        _ => *status = Status(123),
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn commands_get_their_arguments_in_batches() {
        let mut machine = machine();
        for (args, input, status, out) in [
            (
                &["xargs", "basename", "-a"][..],
                "a/b c\n'd e'\\ f\n",
                0,
                "b\nc\nd e f\n",
            ),
            (
                &["xargs", "-n1", "basename"][..],
                "a b\nc\n",
                0,
                "a\nb\nc\n",
            ),
            (&["xargs", "-r", "basename"][..], "\n", 0, ""),
            (&["xargs", "basename"][..], "", 123, ""),
            (
                &["xargs", "-0", "basename", "-a"][..],
                "a b\0c\0",
                0,
                "a b\nc\n",
            ),
            (
                &["xargs", "-I{}", "basename", "x/{}{}"][..],
                "a b\n  c\n",
                0,
                "a ba b\ncc\n",
            ),
            (
                &["xargs", "-L1", "dirname"][..],
                "a/b c/d\ne\n",
                0,
                "a\nc\n.\n",
            ),
            (
                &["xargs", "-d", "\\n", "basename", "-a"][..],
                "a 'b\nc",
                0,
                "a 'b\nc\n",
            ),
            (&["xargs", "no-such-command"][..], "a", 127, ""),
        ] {
            let ran = machine.run_with(args, input).expect("no stop");
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
        }
    }
}
