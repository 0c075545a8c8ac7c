//! Builtins about parameters and names: `shift`, `unset`, `getopts`, `alias`, `let`.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::super::escapes::quote;
use super::super::flow::{Flow, Shell};
use super::super::state::Held;
use super::super::syntax::Name;
use super::super::words::reference;
use super::control::operands;

/// `shift`
pub(super) fn shift(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let by = match operands(words).first() {
        None => 1,
        Some(word) => match word
            .to_str()
            .ok()
            .and_then(|word| word.parse::<usize>().ok())
        {
            Some(by) => by,
            None => return Err(shell.fatal(&format!("shift: Illegal number: {word}"))),
        },
    };
    if by > shell.state.positional.len() {
        return match shell.bash {
            true => Ok(1),
            false => Err(shell.fatal("shift: can't shift that many")),
        };
    }
    Rc::make_mut(&mut shell.state.positional).drain(..by);
    shell.state.option_at = 0;
    Ok(0)
}

/// `unset`
pub(super) fn unset(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let mut args = &words[1..];
    let (mut functions, mut variables) = (false, false);
    while let Some(option) = args.first().filter(|arg| arg.starts_with(b"-")) {
        args = &args[1..];
        match option.as_slice() {
            b"--" => break,
            b"-f" => functions = true,
            b"-v" => variables = true,
            _ => return Err(shell.fatal(&format!("unset: Illegal option {option}"))),
        }
    }
    for name in args {
        let is_variable = shell.state.variable(name).is_some();
        if functions || (shell.bash && !variables && !is_variable && !name.contains(&b'[')) {
            Rc::make_mut(&mut shell.state.functions).remove(name);
            continue;
        }
        match reference(name) {
            Some(Name::Variable(name)) => {
                shell.writable(&name)?;
                shell.state.restore(name, None);
            }
            Some(Name::Element(name, index)) if shell.bash => {
                let index = shell.index_of(&name, &index)?;
                match &mut shell.state.entry(&name).value {
                    Some(Held::Array(values)) => {
                        let index = index.to_str_lossy().parse().unwrap_or(0);
                        values.remove(&index);
                    }
                    Some(Held::Map(values)) => {
                        values.remove(&index);
                    }
                    _ => {}
                }
            }
            _ => return Err(shell.fatal(&format!("unset: {name}: bad variable name"))),
        }
    }
    Ok(0)
}

/// `getopts`
pub(super) fn getopts(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    let [spec, name, args @ ..] = operands(words) else {
        return Err(shell.fatal("getopts: usage: getopts optstring var [arg]"));
    };
    let args = match args.is_empty() {
        true => shell.state.positional.to_vec(),
        false => args.to_vec(),
    };
    let index = shell
        .state
        .value(b"OPTIND")
        .and_then(|index| index.to_str().ok()?.parse().ok());
    let mut index: usize = index.unwrap_or(1).max(1);
    let silent = spec.starts_with(b":");
    // Within a word, or at the beginning of the next.
    let mut at = shell.state.option_at;
    let word = args.get(index - 1).cloned().unwrap_or_default();
    if at == 0 || at >= word.len() {
        at = 1;
        if word.len() < 2 || !word.starts_with(b"-") || word == "--" {
            if word == "--" {
                index += 1;
            }
            shell.assign(b"OPTIND", index.to_string().into())?;
            shell.assign(name, "?".into())?;
            shell.state.restore("OPTARG".into(), None);
            return Ok(1);
        }
    }
    let letter = word[at];
    at += 1;
    let place = spec.iter().position(|&b| b == letter && b != b':');
    let takes = place.is_some_and(|place| spec.get(place + 1) == Some(&b':'));
    let mut found = BString::from(&[letter][..]);
    let mut value = None;
    let ends = at >= word.len();
    if place.is_none() {
        found = "?".into();
        if silent {
            value = Some([letter].into());
        } else {
            let letter = char::from(letter);
            shell.complain(&format!("Illegal option -{letter}"));
        }
    } else if takes {
        if !ends {
            value = Some(BString::from(&word[at..]));
        } else if let Some(next) = args.get(index) {
            value = Some(next.clone());
            index += 1;
        } else if silent {
            found = ":".into();
            value = Some([letter].into());
        } else {
            let letter = char::from(letter);
            shell.complain(&format!("No arg for -{letter} option"));
            found = "?".into();
        }
    }
    if ends || (takes && place.is_some()) {
        index += 1;
        at = 0;
    }
    shell.assign(b"OPTIND", index.to_string().into())?;
    match value {
        Some(value) => shell.assign(b"OPTARG", value)?,
        None if shell.bash || place.is_none() => shell.state.restore("OPTARG".into(), None),
        None => shell.assign(b"OPTARG", BString::default())?,
    }
    shell.assign(name, found)?;
    shell.state.option_at = at;
    Ok(0)
}

/// `alias`
pub(super) fn alias(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let args = operands(words);
    let show = |name: &BString, value: &BString| format!("{name}={}\n", quote(value));
    if args.is_empty() {
        let text: String = shell
            .state
            .aliases
            .iter()
            .map(|(n, v)| show(n, v))
            .collect();
        shell.process.out(text);
    }
    let mut status = 0;
    for word in args {
        if let Some((name, value)) = word
            .split_once_str("=")
            .filter(|(name, _)| !name.is_empty())
        {
            Rc::make_mut(&mut shell.state.aliases).insert(name.into(), value.into());
        } else if let Some(value) = shell.state.aliases.get(word) {
            let text = show(word, value);
            shell.process.out(text);
        } else {
            shell.complain(&format!("alias: {word} not found"));
            status = 1;
        }
    }
    Ok(status)
}

/// `unalias`
pub(super) fn unalias(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    let mut status = 0;
    for word in operands(words) {
        let aliases = Rc::make_mut(&mut shell.state.aliases);
        if word == "-a" {
            aliases.clear();
        } else if aliases.remove(word).is_none() {
            status = 1;
        }
    }
    Ok(status)
}

/// `let`
pub(super) fn assign_arithmetic(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    let mut value = 0;
    for word in operands(words) {
        value = shell.arithmetic(word)?;
    }
    Ok(u8::from(value == 0))
}
