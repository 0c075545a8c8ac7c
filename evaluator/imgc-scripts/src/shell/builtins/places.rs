//! Builtins about the current folder and what files get: `cd`, `umask`, `ulimit`.

use bstr::{BString, ByteSlice as _};

use super::super::flow::{Flow, Shell};
use crate::stop::Stop;

/// `cd`
pub(super) fn cd(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let mut args = &words[1..];
    let mut physical = false;
    while let Some(option) = args
        .first()
        .filter(|arg| arg.len() > 1 && arg.starts_with(b"-"))
    {
        args = &args[1..];
        match option.as_slice() {
            b"--" => break,
            b"-P" => physical = true,
            b"-L" => physical = false,
            b"-e" if shell.bash => {}
            _ => return Err(shell.fatal(&format!("cd: Illegal option {option}"))),
        }
    }
    let mut says = false;
    let target = match args.first() {
        None => match shell.state.value(b"HOME").cloned() {
            Some(home) => home,
            None if shell.bash => {
                shell.complain("cd: HOME not set");
                return Ok(1);
            }
            None => return Ok(0),
        },
        Some(dash) if dash == "-" => {
            says = true;
            shell.state.value(b"OLDPWD").cloned().unwrap_or_default()
        }
        Some(target) => target.clone(),
    };
    if target.is_empty() {
        return Ok(0);
    }
    if shell
        .state
        .value(b"CDPATH")
        .is_some_and(|path| !path.is_empty())
    {
        return Err(Stop::unsupported("CDPATH is not known").into());
    }
    let target = shell.process.path(&target);
    let files = &shell.process.machine.files;
    let found = files.resolve(&target, true);
    let Ok((real, true)) = found.map(|(real, _)| (real, files.is_directory(&target))) else {
        shell.complain(&format!("cd: can't cd to {target}"));
        return Ok(if shell.bash { 1 } else { 2 });
    };
    let folder = match physical {
        true => BString::from(format!("/{real}").as_bytes()),
        false => tidy(&target),
    };
    let folder = if physical { tidy(&folder) } else { folder };
    let old = shell.process.cwd.clone();
    let shown = shell.state.value(b"PWD").cloned().unwrap_or(old);
    shell.process.cwd = folder.clone();
    shell.state.set("OLDPWD", shown);
    shell.state.set("PWD", folder.clone());
    if says {
        shell.process.out(format!("{folder}\n"));
    }
    Ok(0)
}

/// A path without `.`, `..` and double slashes, links not looked at.
fn tidy(path: &[u8]) -> BString {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|&b| b == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let mut tidy = BString::default();
    for part in &parts {
        tidy.push(b'/');
        tidy.extend_from_slice(part);
    }
    if tidy.is_empty() {
        tidy.push(b'/');
    }
    tidy
}

/// `pushd` and `popd`
pub(super) fn stack(_: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    Err(Stop::unsupported(format!("{} is not known", words[0])).into())
}

/// `umask`
pub(super) fn umask(shell: &mut Shell<'_, '_, '_>, words: &[BString], _: bool) -> Result<u8, Flow> {
    let mut args = &words[1..];
    let symbolic = args.first().is_some_and(|arg| arg == "-S");
    if symbolic {
        args = &args[1..];
    }
    let umask = shell.process.umask;
    let Some(mask) = args.first() else {
        let text = match symbolic {
            false => format!("{umask:04o}\n"),
            true => {
                let letters = |shift: u32| {
                    let bits = !umask >> shift & 7;
                    [(4, 'r'), (2, 'w'), (1, 'x')]
                        .into_iter()
                        .filter(|(bit, _)| bits & bit != 0)
                        .map(|(_, letter)| letter)
                        .collect::<String>()
                };
                format!("u={},g={},o={}\n", letters(6), letters(3), letters(0))
            }
        };
        shell.process.out(text);
        return Ok(0);
    };
    let mask = mask.to_str_lossy();
    let new = if mask.starts_with(|c: char| c.is_ascii_digit()) {
        u32::from_str_radix(&mask, 8)
            .ok()
            .filter(|mask| *mask <= 0o777)
    } else {
        clauses(&mask, !umask & 0o777).map(|mode| !mode & 0o777)
    };
    match new {
        Some(new) => {
            shell.process.umask = new;
            Ok(0)
        }
        None => Err(shell.fatal(&format!("umask: Illegal mode: {mask}"))),
    }
}

/// What `u=rwx,g+w` makes of the permissions `mode`.
fn clauses(text: &str, mut mode: u32) -> Option<u32> {
    for clause in text.split(',') {
        let at = clause.find(['=', '+', '-'])?;
        let (who, what) = clause.split_at(at);
        let mut mask = 0;
        for letter in who.chars() {
            mask |= match letter {
                'u' => 0o700,
                'g' => 0o070,
                'o' => 0o007,
                'a' => 0o777,
                _ => return None,
            };
        }
        if who.is_empty() {
            mask = 0o777;
        }
        let mut letters = what.chars();
        let op = letters.next()?;
        let mut bits = 0;
        for letter in letters {
            bits |= match letter {
                'r' => 0o444,
                'w' => 0o222,
                'x' => 0o111,
                'u' => (mode >> 6 & 7) * 0o111,
                'g' => (mode >> 3 & 7) * 0o111,
                'o' => (mode & 7) * 0o111,
                _ => return None,
            };
        }
        mode = match op {
            '=' => mode & !mask | bits & mask,
            '+' => mode | bits & mask,
            _ => mode & !(bits & mask),
        };
    }
    Some(mode)
}

/// `ulimit`: limits bound nothing here.
pub(super) fn ulimit(
    shell: &mut Shell<'_, '_, '_>,
    words: &[BString],
    _: bool,
) -> Result<u8, Flow> {
    let sets = words[1..].iter().any(|word| !word.starts_with(b"-"));
    if !sets {
        shell.process.out("unlimited\n");
    }
    Ok(0)
}
