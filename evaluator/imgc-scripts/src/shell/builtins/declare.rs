//! Builtins that declare variables: `export`, `readonly`, `local`, `declare`.

use bstr::BString;

use super::super::escapes::quote;
use super::super::flow::{Flow, Shell};
use super::super::state::{Held, Variable};
use super::super::words::name_length;
use crate::stop::Stop;

/// `name=value`, `name+=value` or `name` as an argument.
struct Argument<'w> {
    name: &'w [u8],
    value: Option<BString>,
    append: bool,
}

fn argument<'w>(shell: &mut Shell<'_, '_, '_>, word: &'w BString) -> Result<Argument<'w>, Flow> {
    let length = name_length(word);
    let (name, rest) = word.split_at(length);
    let append = shell.bash && rest.starts_with(b"+=");
    let value = rest.strip_prefix(if append { &b"+="[..] } else { b"=" });
    if length == 0 || (value.is_none() && !rest.is_empty()) {
        return Err(shell.fatal(&format!("{word}: bad variable name")));
    }
    let value = value.map(BString::from);
    Ok(Argument {
        name,
        value,
        append,
    })
}

/// `export` and `readonly`
pub(super) fn export(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    let exports = words[0] == "export";
    let (mut args, mut remove, mut print, mut functions) = (&words[1..], false, false, false);
    while let Some(option) = args
        .first()
        .filter(|arg| arg.len() > 1 && arg.starts_with(b"-"))
    {
        args = &args[1..];
        if option == "--" {
            break;
        }
        for &letter in &option[1..] {
            match letter {
                b'p' => print = true,
                b'n' if shell.bash && exports => remove = true,
                b'f' if shell.bash => functions = true,
                b'a' | b'A' if shell.bash && !exports => {}
                _ => return Err(shell.fatal(&format!("{}: Illegal option {option}", words[0]))),
            }
        }
    }
    if functions {
        return Err(Stop::unsupported("functions can't be exported").into());
    }
    if args.is_empty() || print {
        return Ok(list(shell, &words[0], exports));
    }
    for word in args {
        let argument = argument(shell, word)?;
        if let Some(value) = argument.value {
            shell.assign_text(argument.name, value, argument.append)?;
        }
        let variable = shell.state.entry(argument.name);
        if exports {
            variable.exported = !remove;
        } else {
            variable.readonly = true;
        }
    }
    Ok(0)
}

/// Lists variables as a shell reads them.
fn list(shell: &mut Shell<'_, '_, '_>, verb: &BString, exports: bool) -> u8 {
    let which = |variable: &Variable| match exports {
        true => variable.exported,
        false => variable.readonly,
    };
    let mut text = BString::default();
    for (name, variable) in shell.state.variables.iter().filter(|(_, v)| which(v)) {
        if shell.bash {
            let letter = if *verb == "export" { "x" } else { "r" };
            text.extend_from_slice(format!("declare -{letter} ").as_bytes());
        } else {
            text.extend_from_slice(verb);
            text.push(b' ');
        }
        text.extend_from_slice(name);
        if let Some(Held::Text(value)) = &variable.value {
            text.push(b'=');
            text.extend_from_slice(&match shell.bash {
                true => double_quote(value),
                false => quote(value),
            });
        }
        text.push(b'\n');
    }
    shell.process.out(&text);
    0
}

/// `text` in double quotes, as `declare` prints it.
fn double_quote(text: &[u8]) -> BString {
    let mut out = BString::from("\"");
    for &byte in text {
        if b"\"\\$`".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    out
}

/// `local`
pub(super) fn local(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    tested: bool,
) -> Result<u8, Flow> {
    if shell.state.scopes.is_empty() {
        return Err(shell.fatal("local: not in a function"));
    }
    if shell.bash {
        return declare(shell, words, tested);
    }
    for word in &words[1..] {
        if word == "-" {
            return Err(Stop::unsupported("local - is not known").into());
        }
        let argument = argument(shell, word)?;
        shell.localize(argument.name);
        if let Some(value) = argument.value {
            shell.assign(argument.name, value)?;
        }
    }
    Ok(0)
}

/// `declare` and `typeset`
pub(super) fn declare(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    let mut args = &words[1..];
    let mut letters = Vec::new();
    let mut off = Vec::new();
    while let Some(option) = args
        .first()
        .filter(|arg| arg.len() > 1 && (arg.starts_with(b"-") || arg.starts_with(b"+")))
    {
        args = &args[1..];
        if option == "--" {
            break;
        }
        let which = if option[0] == b'-' {
            &mut letters
        } else {
            &mut off
        };
        which.extend_from_slice(&option[1..]);
    }
    let known = |letter: &u8| b"aAgirxfFp".contains(letter);
    if let Some(&letter) = letters.iter().chain(&off).find(|letter| !known(letter)) {
        let letter = char::from(letter);
        return Err(Stop::unsupported(format!("declare -{letter} is not known")).into());
    }
    let has = |letter: u8| letters.contains(&letter);
    if has(b'f') || has(b'F') {
        let known = |name: &BString| shell.state.functions.contains_key(name);
        let all = args.iter().all(known);
        if has(b'f') && all && !shell.is_quiet() {
            return Err(Stop::unsupported("functions can't be printed").into());
        }
        if has(b'F') && all {
            let names = args
                .iter()
                .map(|name| format!("{name}\n"))
                .collect::<String>();
            shell.process.out(names);
        }
        return Ok(u8::from(!all));
    }
    if has(b'p') {
        return print(shell, args);
    }
    if args.is_empty() {
        return Err(Stop::unsupported("declare without names is not known").into());
    }
    for word in args {
        let argument = argument(shell, word)?;
        if !has(b'g') && !shell.state.scopes.is_empty() {
            shell.localize(argument.name);
        }
        let variable = shell.state.entry(argument.name);
        variable.integer |= has(b'i');
        variable.exported |= has(b'x');
        if off.contains(&b'x') {
            variable.exported = false;
        }
        if has(b'A') && !matches!(variable.value, Some(Held::Map(_))) {
            variable.value = Some(Held::Map(Default::default()));
        }
        if has(b'a') && !matches!(variable.value, Some(Held::Array(_))) {
            let old = match variable.value.take() {
                Some(Held::Text(text)) => [(0, text)].into(),
                _ => Default::default(),
            };
            variable.value = Some(Held::Array(old));
        }
        if let Some(value) = argument.value {
            shell.assign_text(argument.name, value, argument.append)?;
        }
        shell.state.entry(argument.name).readonly |= has(b'r');
    }
    Ok(0)
}

fn print(shell: &mut Shell<'_, '_, '_>, names: &[BString]) -> Result<u8, Flow> {
    let mut status = 0;
    for name in names {
        let Some(variable) = shell.state.variable(name).cloned() else {
            shell.complain(&format!("declare: {name}: not found"));
            status = 1;
            continue;
        };
        let Some(Held::Text(value)) = &variable.value else {
            return Err(Stop::unsupported("declare -p of an array is not known").into());
        };
        let mut letters = String::new();
        for (on, letter) in [
            (variable.integer, 'i'),
            (variable.readonly, 'r'),
            (variable.exported, 'x'),
        ] {
            if on {
                letters.push(letter);
            }
        }
        if letters.is_empty() {
            letters.push('-');
        }
        let value = double_quote(value);
        let mut text = BString::from(format!("declare -{letters} {name}="));
        text.extend_from_slice(&value);
        text.push(b'\n');
        shell.process.out(&text);
    }
    Ok(status)
}

impl Shell<'_, '_, '_> {
    /// Whether nobody sees what is printed.
    fn is_quiet(&self) -> bool {
        matches!(
            self.process.fds.get(&1),
            None | Some(crate::streams::Fd::Null)
        )
    }
}
