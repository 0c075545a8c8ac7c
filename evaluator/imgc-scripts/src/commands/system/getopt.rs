//! getopt(1) of util-linux: options, sorted and quoted for a shell.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "getopt",
    origin: Origin::Essential,
    run: getopt,
}];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    Nothing,
    Value,
    Maybe,
}

/// What getopt was asked.
#[derive(Default)]
struct Ask {
    short: BString,
    long: Vec<(BString, Option<Wants>)>,
    name: BString,
    quiet: bool,
    silent: bool,
    unquoted: bool,
    alternative: bool,
    csh: bool,
    params: Vec<BString>,
}

fn getopt(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args[1..].to_vec();
    let Some(first) = args.first() else {
        process.complain("missing optstring argument");
        return Ok(Status(2));
    };
    let ask =
        if process.env.contains_key(b"GETOPT_COMPATIBLE".as_bstr()) || !first.starts_with(b"-") {
            // The old way: the first argument is the list, and nothing is quoted.
            let short = first.trim_start_with(|c| c == '-' || c == '+');
            Ask {
                short: short.into(),
                name: "getopt".into(),
                unquoted: true,
                params: args[1..].to_vec(),
                ..Ask::default()
            }
        } else {
            match own(&args)? {
                Ok(ask) => ask,
                Err(status) => return Ok(status),
            }
        };
    let posix = process.env.contains_key(b"POSIXLY_CORRECT".as_bstr());
    let (out, complaints) = sort(&ask, posix);
    if !ask.silent {
        process.out(out);
    }
    if !ask.quiet {
        for complaint in &complaints {
            process.err([&ask.name[..], b": ", complaint.as_bytes(), b"\n"].concat());
        }
    }
    Ok(if complaints.is_empty() {
        Status::OK
    } else {
        Status::FAILED
    })
}

/// Reads getopt's own options.
fn own(args: &[BString]) -> Result<Result<Ask, Status>, Stop> {
    let mut ask = Ask {
        name: "getopt".into(),
        ..Ask::default()
    };
    let mut short = None;
    let mut at = 0;
    while at < args.len() {
        let arg = &args[at];
        at += 1;
        if arg == "--" {
            break;
        }
        let (letters, joined): (BString, Option<BString>) =
            if let Some(long) = arg.strip_prefix(b"--") {
                let (name, value) = match long.split_once_str("=") {
                    Some((name, value)) => (name, Some(BString::from(value))),
                    None => (long, None),
                };
                let letter = match name {
                    b"alternative" => "a",
                    b"longoptions" | b"long" => "l",
                    b"name" => "n",
                    b"options" => "o",
                    b"quiet" => "q",
                    b"quiet-output" => "Q",
                    b"shell" => "s",
                    b"test" => "T",
                    b"unquoted" => "u",
                    _ => {
                        return Err(Stop::unsupported(format!(
                            "getopt's option {arg} is not known"
                        )));
                    }
                };
                (letter.into(), value)
            } else if arg.len() > 1 && arg.starts_with(b"-") {
                (arg[1..].into(), None)
            } else {
                at -= 1;
                break;
            };
        let mut rest = &letters[..];
        while let Some((&letter, after)) = rest.split_first() {
            rest = after;
            let mut value = || -> Option<BString> {
                if let Some(joined) = &joined {
                    return Some(joined.clone());
                }
                if !rest.is_empty() {
                    return Some(std::mem::take(&mut rest).into());
                }
                at += 1;
                args.get(at - 1).cloned()
            };
            match letter {
                b'a' => ask.alternative = true,
                b'q' => ask.quiet = true,
                b'Q' => ask.silent = true,
                b'u' => ask.unquoted = true,
                b'T' => return Ok(Err(Status(4))),
                b'o' | b'l' | b'n' | b's' => {
                    let Some(value) = value() else {
                        return Ok(Err(Status(2)));
                    };
                    match letter {
                        b'o' => short = Some(value),
                        b'n' => ask.name = value,
                        b's' => ask.csh = matches!(&value[..], b"csh" | b"tcsh"),
                        _ => ask.long.extend(long_names(&value)),
                    }
                }
                _ => {
                    return Err(Stop::unsupported(format!(
                        "getopt's option {arg} is not known"
                    )));
                }
            }
        }
    }
    let mut params = args[at..].to_vec();
    if short.is_none() {
        if params.is_empty() {
            return Ok(Err(Status(2)));
        }
        short = Some(params.remove(0));
    }
    ask.short = short.unwrap_or_default();
    ask.params = params;
    Ok(Ok(ask))
}

fn long_names(list: &BString) -> Vec<(BString, Option<Wants>)> {
    let names = list
        .split(|b| b", \t\n".contains(b))
        .filter(|name| !name.is_empty());
    let split = |name: &[u8]| match (name.strip_suffix(b"::"), name.strip_suffix(b":")) {
        (Some(name), _) => (name.into(), Some(Wants::Maybe)),
        (None, Some(name)) => (name.into(), Some(Wants::Value)),
        (None, None) => (name.into(), Some(Wants::Nothing)),
    };
    names.map(split).collect()
}

/// The sorted command line, and what is to be complained of.
fn sort(ask: &Ask, posix: bool) -> (Vec<u8>, Vec<String>) {
    let (mode, list) = match ask.short.split_first() {
        Some((sign @ (b'+' | b'-'), rest)) => (*sign, rest),
        _ if posix => (b'+', &ask.short[..]),
        _ => (0, &ask.short[..]),
    };
    let list = list.strip_prefix(b":").unwrap_or(list);
    let mut out = Vec::new();
    let mut operands: Vec<&BString> = Vec::new();
    let mut complaints = Vec::new();
    let mut rest = ask.params.iter();
    let value_out = |out: &mut Vec<u8>, value: &[u8]| {
        out.push(b' ');
        out.extend_from_slice(&quote(ask, value));
    };
    while let Some(arg) = rest.next() {
        let single = ask.alternative && arg.len() > 1 && arg[0] == b'-';
        if arg == "--" {
            operands.extend(rest.by_ref());
        } else if arg.starts_with(b"--") || (single && find_long(ask, arg).is_ok()) {
            match find_long(ask, arg) {
                Ok((name, wants, value)) => {
                    let value = match (wants, value) {
                        (Wants::Nothing, Some(_)) => {
                            complaints.push(format!("option '--{name}' doesn't allow an argument"));
                            continue;
                        }
                        (Wants::Value, None) => match rest.next() {
                            Some(value) => Some(value.clone()),
                            None => {
                                complaints.push(format!("option '--{name}' requires an argument"));
                                continue;
                            }
                        },
                        (_, value) => value,
                    };
                    out.extend_from_slice(&[b" --", &name[..]].concat());
                    if wants != Wants::Nothing {
                        value_out(&mut out, &value.unwrap_or_default());
                    }
                }
                Err(complaint) => complaints.push(complaint),
            }
        } else if arg.len() > 1 && arg[0] == b'-' {
            let mut letters = &arg[1..];
            while let Some((&letter, after)) = letters.split_first() {
                letters = after;
                let at = list.find_byte(letter).filter(|_| letter != b':');
                let Some(at) = at else {
                    complaints.push(format!("invalid option -- '{}'", char::from(letter)));
                    continue;
                };
                let colons = list[at + 1..].iter().take_while(|&&b| b == b':').count();
                let value = match colons {
                    0 => None,
                    1 if letters.is_empty() => match rest.next() {
                        Some(value) => Some(value.clone()),
                        None => {
                            let letter = char::from(letter);
                            complaints.push(format!("option requires an argument -- '{letter}'"));
                            continue;
                        }
                    },
                    _ => Some(BString::from(std::mem::take(&mut letters))),
                };
                out.extend_from_slice(&[b' ', b'-', letter]);
                if let Some(value) = value {
                    value_out(&mut out, &value);
                }
            }
        } else if mode == b'-' {
            value_out(&mut out, arg);
        } else {
            operands.push(arg);
            if mode == b'+' {
                operands.extend(rest.by_ref());
            }
        }
    }
    out.extend_from_slice(b" --");
    for operand in operands {
        value_out(&mut out, operand);
    }
    out.push(b'\n');
    (out, complaints)
}

/// The long option that `arg` names, by a beginning too, and its value.
fn find_long(ask: &Ask, arg: &BString) -> Result<(BString, Wants, Option<BString>), String> {
    let text = arg.trim_start_with(|c| c == '-');
    let (name, value) = match text.split_once_str("=") {
        Some((name, value)) => (name, Some(BString::from(value))),
        None => (text, None),
    };
    let mut begins = Vec::new();
    for (known, wants) in &ask.long {
        let wants = wants.unwrap_or(Wants::Nothing);
        if known == name {
            return Ok((known.clone(), wants, value));
        }
        if known.starts_with(name) {
            begins.push((known, wants));
        }
    }
    match begins.as_slice() {
        [(known, wants)] => Ok(((*known).clone(), *wants, value)),
        [] => Err(format!("unrecognized option '{arg}'")),
        _ => Err(format!("option '{arg}' is ambiguous")),
    }
}

/// A value in quotes for a shell.
fn quote(ask: &Ask, value: &[u8]) -> Vec<u8> {
    if ask.unquoted {
        return value.to_vec();
    }
    let mut out = vec![b'\''];
    for &byte in value {
        match byte {
            b'\'' => out.extend_from_slice(b"'\\''"),
            b'\\' if ask.csh => out.extend_from_slice(b"\\\\"),
            b'!' if ask.csh => out.extend_from_slice(b"'\\!'"),
            b'\n' if ask.csh => out.extend_from_slice(b"\\n"),
            other => out.push(other),
        }
    }
    out.push(b'\'');
    out
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn options_are_sorted_and_quoted() {
        let mut machine = machine();
        for (args, status, out) in [
            (
                &[
                    "getopt",
                    "-o",
                    "ab:c::",
                    "-l",
                    "long,val:,opt::",
                    "-n",
                    "me",
                    "--",
                    "x",
                    "-ab1",
                    "-c",
                    "-cz",
                    "--long",
                    "--val",
                    "a'b",
                    "--opt",
                    "--opt=q",
                    "y",
                ][..],
                0,
                " -a -b '1' -c '' -c 'z' --long --val 'a'\\''b' --opt '' --opt 'q' -- 'x' 'y'\n",
            ),
            (
                &["getopt", "ab:", "-a", "x", "-b", "y"][..],
                0,
                " -a -b y -- x\n",
            ),
            (
                &["getopt", "-o", "+a", "--", "-a", "x", "-a"][..],
                0,
                " -a -- 'x' '-a'\n",
            ),
            (&["getopt", "-o", "a", "--", "-z", "-a"][..], 1, " -a --\n"),
            (&["getopt", "-T"][..], 4, ""),
            (
                &[
                    "getopt",
                    "--options",
                    "a",
                    "--longoptions",
                    "alpha,beta",
                    "--",
                    "--al",
                ][..],
                0,
                " --alpha --\n",
            ),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
        }
    }
}
