//! gettext, ngettext and envsubst: messages, which are not translated here.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice as _};

use super::options::{self, Spec};
use super::spend_on;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "gettext",
        origin: Origin::Package,
        run: gettext,
    },
    Native {
        name: "ngettext",
        origin: Origin::Package,
        run: ngettext,
    },
    Native {
        name: "envsubst",
        origin: Origin::Package,
        run: envsubst,
    },
];

/// Whether the locale may have translations: C.UTF-8 has none.
fn refuse_languages(process: &Process<'_, '_>) -> Result<(), Stop> {
    let value = |name: &str| process.env.get(bstr::BStr::new(name)).cloned();
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .into_iter()
        .filter_map(value)
        .find(|value| !value.is_empty())
        .unwrap_or_default();
    match locale.as_slice() {
        b"" | b"C" | b"POSIX" | b"C.UTF-8" | b"C.utf8" => Ok(()),
        _ => Err(Stop::unsupported("translated messages are not known")),
    }
}

fn gettext(process: &mut Process<'_, '_>) -> Outcome {
    refuse_languages(process)?;
    let spec = Spec {
        letters: "+d:eEhVns",
        long: &[("domain", 'd')],
    };
    let given = options::parse(process, &spec)?;
    let mut words = given.operands.clone();
    if given.has('s') {
        let text = bstr::join(" ", &words);
        process.out(if given.has('e') { escapes(&text) } else { text });
        process.out(if given.has('n') { "" } else { "\n" });
        return Ok(Status::OK);
    }
    // The first of two words is the domain.
    let Some(text) = words.pop() else {
        process.complain("missing arguments");
        return Ok(Status::FAILED);
    };
    process.out(if given.has('e') {
        escapes(&text)
    } else {
        text.into()
    });
    Ok(Status::OK)
}

fn escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        match (byte, byte == b'\\') {
            (_, true) => match rest.next() {
                Some(b'n') => out.push(b'\n'),
                Some(b't') => out.push(b'\t'),
                Some(b'\\') => out.push(b'\\'),
                Some(&other) => out.extend([b'\\', other]),
                None => out.push(b'\\'),
            },
            (byte, false) => out.push(byte),
        }
    }
    out
}

fn ngettext(process: &mut Process<'_, '_>) -> Outcome {
    refuse_languages(process)?;
    let spec = Spec {
        letters: "+d:eE",
        long: &[("domain", 'd')],
    };
    let given = options::parse(process, &spec)?;
    let words = match &given.operands[..] {
        [_, words @ ..] if words.len() == 3 => words,
        words => words,
    };
    let [one, many, count] = words else {
        process.complain("missing arguments");
        return Ok(Status::FAILED);
    };
    let text = if count == "1" { one } else { many };
    process.out(if given.has('e') {
        escapes(text)
    } else {
        text.to_vec()
    });
    Ok(Status::OK)
}

fn envsubst(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(
        process,
        &Spec {
            letters: "v",
            long: &[("variables", 'v')],
        },
    )?;
    let chosen: Option<BTreeSet<BString>> = given.operands.first().map(|text| {
        let parts = parts(text).into_iter();
        parts.filter_map(|(_, name)| Some(name?.into())).collect()
    });
    if given.has('v') {
        for (_, name) in given
            .operands
            .first()
            .map(|text| parts(text))
            .unwrap_or_default()
        {
            if let Some(name) = name {
                process.out([name, b"\n"].concat());
            }
        }
        return Ok(Status::OK);
    }
    let input = process.stdin();
    spend_on(process, input.len())?;
    let mut out = Vec::new();
    for (text, name) in parts(&input) {
        match name {
            Some(name)
                if chosen
                    .as_ref()
                    .is_none_or(|all| all.contains(name.as_bstr())) =>
            {
                let value = process.env.get(name.as_bstr());
                out.extend_from_slice(value.map_or(&b""[..], |value| value));
            }
            _ => out.extend_from_slice(text),
        }
    }
    process.out(out);
    Ok(Status::OK)
}

/// A text in parts: `$name` and `${name}` with their names, and what is between them.
fn parts(text: &[u8]) -> Vec<(&[u8], Option<&[u8]>)> {
    let mut parts = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest[0] != b'$' {
            at += 1;
            continue;
        }
        let brace = usize::from(rest.get(1) == Some(&b'{'));
        let name = &rest[1 + brace..];
        let len = name
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let digit = name.first().is_some_and(u8::is_ascii_digit);
        let closed = brace == 0 || name.get(len) == Some(&b'}');
        if len == 0 || digit || !closed {
            at += 1;
            continue;
        }
        if from < at {
            parts.push((&text[from..at], None));
        }
        let whole = 1 + len + 2 * brace;
        parts.push((&rest[..whole], Some(&name[..len])));
        at += whole;
        from = at;
    }
    if from < text.len() {
        parts.push((&text[from..], None));
    }
    parts
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn messages_stay_as_they_are() {
        let mut m = machine();
        for name in ["gettext", "ngettext", "envsubst"] {
            m.put(&format!("/usr/bin/{name}"), "", 0o755);
        }
        assert_eq!(m.run(&["gettext", "Hello"]).out, "Hello");
        assert_eq!(m.run(&["gettext", "-d", "x", "-s", "Hello"]).out, "Hello\n");
        assert_eq!(m.run(&["ngettext", "one", "many", "1"]).out, "one");
        assert_eq!(m.run(&["envsubst", "-v", "$A is ${B}"]).out, "A\nB\n");
        let ran = m
            .run_with(&["envsubst"], "${LC_ALL}: $none $ ${x\n")
            .expect("no stop");
        assert_eq!(ran.out, "C.UTF-8:  $ ${x\n");
        let ran = m
            .run_with(&["envsubst", "$PATH"], "$LC_ALL\n")
            .expect("no stop");
        assert_eq!(ran.out, "$LC_ALL\n");
    }
}
