//! split: a file in parts.

use bstr::{BString, ByteSlice as _};

use super::lines::{input, size, with_ends};
use super::options::{self, Spec};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;
use crate::streams::Open;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "split",
    origin: Origin::Essential,
    run,
}];

const SPEC: Spec = Spec {
    letters: "a:b:dl:",
    long: &[
        ("suffix-length", 'a'),
        ("bytes", 'b'),
        ("lines", 'l'),
        // Without a first number.
        ("numeric-suffixes", 'd'),
    ],
};

fn run(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, &SPEC)?;
    let (name, prefix) = match given.operands.as_slice() {
        [] => ("-".into(), "x".into()),
        [name] => (name.clone(), "x".into()),
        [name, prefix] => (name.clone(), prefix.clone()),
        [_, _, third, ..] => {
            process.complain(format_args!("extra operand '{third}'"));
            return Ok(Status::FAILED);
        }
    };
    let count = |letter| given.last(letter).map(|text| size(text)).transpose();
    let (bytes_each, lines_each) = (count('b')?, count('l')?);
    if bytes_each.is_some() && lines_each.is_some() {
        process.complain("cannot split in more than one way");
        return Ok(Status::FAILED);
    }
    let Some(bytes) = input(process, &name)? else {
        return Ok(Status::FAILED);
    };
    let parts: Vec<Vec<u8>> = match bytes_each {
        Some(each) => bytes.chunks(each.max(1)).map(<[u8]>::to_vec).collect(),
        None => {
            let lines: Vec<&[u8]> = with_ends(&bytes, b'\n').collect();
            let parts = lines.chunks(lines_each.unwrap_or(1000).max(1));
            parts.map(<[&[u8]]>::concat).collect()
        }
    };
    if bytes_each == Some(0) || lines_each == Some(0) {
        process.complain("invalid number of lines: '0'");
        return Ok(Status::FAILED);
    }
    let letters: &[u8] = match given.has('d') {
        true => b"0123456789",
        false => b"abcdefghijklmnopqrstuvwxyz",
    };
    let length = match given.last('a') {
        Some(text) => size(text)?,
        // Longer endings are only made where a length is not given.
        None => 2,
    };
    let room = letters
        .len()
        .saturating_pow(u32::try_from(length).unwrap_or(u32::MAX));
    // With the last letter in front, the real program makes the endings longer.
    let limit = match given.has('a') {
        true => room,
        false => room - letters.len(),
    };
    if parts.len() > limit {
        return Err(Stop::unsupported("so many parts are not known"));
    }
    for (at, part) in parts.iter().enumerate() {
        let mut ending = vec![letters[0]; length];
        let mut rest = at;
        for letter in ending.iter_mut().rev() {
            *letter = letters[rest % letters.len()];
            rest /= letters.len();
        }
        let path = BString::from([&prefix[..], &ending].concat());
        let made = process.open(&path, Open::Write);
        if let Err(error) = made {
            process.complain(format_args!("{path}: {error}"));
            return Ok(Status::FAILED);
        }
        let at = process.path(&path);
        let files = &mut process.machine.files;
        let written = files.append(&at, part, 0o644);
        if let Err(error) = written {
            process.complain(format_args!("{}: {error}", path.as_bstr()));
            return Ok(Status::FAILED);
        }
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn files_are_split_as_split_does() {
        let mut m = machine();
        m.put("/tmp/f", "1\n2\n3\n4\n5", 0o644);
        assert_eq!(m.run(&["split", "-l", "2", "/tmp/f", "/tmp/p."]).status, 0);
        for (part, text) in [("aa", "1\n2\n"), ("ab", "3\n4\n"), ("ac", "5")] {
            assert_eq!(m.text(&format!("/tmp/p.{part}")), text);
        }
        m.run(&["split", "-d", "-a", "3", "-b", "4", "/tmp/f", "/tmp/n"]);
        assert_eq!(m.text("/tmp/n000"), "1\n2\n");
        assert_eq!(m.text("/tmp/n002"), "5");
        assert!(!m.files.exists(b"/tmp/n003"));
        assert_eq!(m.run(&["split", "/none"]).status, 1);
    }
}
