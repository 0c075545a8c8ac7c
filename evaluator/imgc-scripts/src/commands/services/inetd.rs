//! update-inetd: entries of `/etc/inetd.conf`. No inetd runs that would be told of it.

use bstr::{BString, ByteSlice as _};
use regex::bytes::Regex;

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-inetd",
    origin: Origin::Helper(&["b17f9b5b31a46684e14589f4934da492f4f97dc857aad99215843249e56649fa"]),
    run: update,
}];

/// What is asked for.
struct Request {
    mode: &'static str,
    group: BString,
    pattern: BString,
    comment: BString,
    file: BString,
    multi: bool,
}

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let mut request = Request {
        mode: "",
        group: "OTHER".into(),
        pattern: BString::default(),
        comment: "#<off># ".into(),
        file: "/etc/inetd.conf".into(),
        multi: false,
    };
    let mut rest = process.args[1..].iter().cloned();
    let mut operands: Vec<BString> = Vec::new();
    while let Some(arg) = rest.next() {
        let mut value = |at: &mut BString| -> Result<(), Stop> {
            let value = rest.next().filter(|value| !value.is_empty());
            *at = value.ok_or_else(|| Stop::unsupported(format!("{arg} lacks its value")))?;
            Ok(())
        };
        match arg.as_slice() {
            b"--add" => request.mode = "add",
            b"--remove" => request.mode = "remove",
            b"--enable" => request.mode = "enable",
            b"--disable" => request.mode = "disable",
            b"--multi" => request.multi = true,
            b"--verbose" => {}
            b"--group" => value(&mut request.group)?,
            b"--pattern" => value(&mut request.pattern)?,
            b"--comment-chars" => value(&mut request.comment)?,
            b"--file" => value(&mut request.file)?,
            other if other.starts_with(b"-") => {
                return Err(Stop::unsupported(format!("the option {arg} is not known")));
            }
            _ => {
                operands.push(arg);
                operands.extend(rest.by_ref());
            }
        }
    }
    let ([operand], false) = (&operands[..], request.mode.is_empty()) else {
        return Err(Stop::unsupported("this form of update-inetd is not known"));
    };
    let path = process.path(&request.file);
    let Ok(bytes) = process.machine.files.read(&path) else {
        return Ok(Status::OK);
    };
    let lines: Vec<BString> = bytes.lines().map(BString::from).collect();
    let names = operand.split(|&b| b == b',');
    let new = match request.mode {
        "add" => add(&request, &lines, operand)?,
        "remove" => Some(remove(&request, &lines, operand)?),
        mode => {
            let mut all = lines.clone();
            for name in names {
                all = match mode {
                    "enable" => enable(&request, all, name)?,
                    _ => disable(&request, all, name)?,
                };
            }
            Some(all)
        }
    };
    let Some(new) = new.filter(|new| *new != lines) else {
        return Ok(Status::OK);
    };
    let text: Vec<u8> = new
        .iter()
        .flat_map(|line| [line, &b"\n"[..]].concat())
        .collect();
    // The file is made anew.
    let files = &mut process.machine.files;
    let done = files
        .unlink(&path)
        .and_then(|()| files.write(&path, text, 0o644));
    done.map_err(|error| Stop::unsupported(format!("{path}: {error}")))?;
    Ok(Status::OK)
}

fn regex(parts: &[&[u8]]) -> Result<Regex, Stop> {
    let text = parts.concat();
    let known = text.to_str().ok().and_then(|text| {
        let mut builder = regex::bytes::RegexBuilder::new(text);
        builder.unicode(false).build().ok()
    });
    known.ok_or_else(|| Stop::unsupported(format!("the pattern {} is not known", text.as_bstr())))
}

fn has(lines: &[BString], what: &Regex) -> bool {
    lines.iter().any(|line| what.is_match(line))
}

/// The lines with a new entry; none where nothing is to be done.
fn add(
    request: &Request,
    lines: &[BString],
    entry: &BString,
) -> Result<Option<Vec<BString>>, Stop> {
    let entry: BString = entry.replace("\\t", "\t").into();
    let first = regex(&[br"(\W*\w+)\s+.*"])?;
    let service = first.replace(&entry, &b"$1"[..]).into_owned();
    let mark = regex(&[b"^#([A-Za-z].*)"])?;
    let plain = mark.replace(&service, &b"$1"[..]).into_owned();
    let of = |text: &[u8]| regex(&[b"^", text, br"(?:\s|$)"]);
    if has(lines, &of(&[&request.comment[..], &plain].concat())?) {
        return enable(request, lines.to_vec(), &plain).map(Some);
    }
    if has(lines, &of(&plain)?) {
        return match has(lines, &alike(request, &entry)?) {
            true => Ok(None),
            false => Err(Stop::unsupported(
                "update-inetd would ask about an entry of the same name",
            )),
        };
    }
    let commented = service.strip_prefix(b"#");
    if has(lines, &of(&[br"#\s*", &plain[..]].concat())?)
        || commented.is_some_and(|name| of(name).is_ok_and(|of| has(lines, &of)))
    {
        return Ok(None);
    }
    let group = regex(&[b"^#:", &request.group.to_ascii_uppercase(), b":"])?;
    let filled = regex(&[b"[a-zA-Z#]"])?;
    let (mut found, mut added) = (false, false);
    let mut all = Vec::new();
    for line in lines {
        found |= group.is_match(line);
        if found && !filled.is_match(line) {
            all.push(entry.clone());
            (found, added) = (false, true);
        }
        all.push(line.clone());
    }
    if !added {
        all.push(entry);
    }
    Ok(Some(all))
}

/// What matches an entry with other programs and arguments too.
fn alike(request: &Request, entry: &BString) -> Result<Regex, Stop> {
    let mut text = entry
        .strip_prefix(&request.comment[..])
        .unwrap_or(entry)
        .to_vec();
    for (from, to) in [
        (&br"^#([A-Za-z].*)"[..], &b"$1"[..]),
        (
            br"^(\w\S+\W+\w+\W+\w\S+\W+\w\S+\W+\w\S+\W+\S+\W+\S+).*",
            b"$1",
        ),
        (b"[ \t]+", br"\s+"),
        (br"\\s\+/\S+\\s\+/\S+", br"\s+\S+\s+\S+"),
    ] {
        text = regex(&[from])?.replace_all(&text, to).into_owned();
    }
    regex(&[&text])
}

fn remove(request: &Request, lines: &[BString], name: &BString) -> Result<Vec<BString>, Stop> {
    let comment = regex::escape(&request.comment.to_str_lossy());
    let entry = regex(&[b"^(?:", comment.as_bytes(), b")?", name, br"(?:\s|$)"])?;
    let pattern = regex(&[&request.pattern])?;
    let mut all = lines.to_vec();
    all.retain(|line| !(entry.is_match(line) && pattern.is_match(line)));
    if lines.len() - all.len() > 1 && !request.multi {
        return Err(Stop::unsupported("update-inetd would ask which entry goes"));
    }
    Ok(all)
}

fn enable(request: &Request, lines: Vec<BString>, name: &[u8]) -> Result<Vec<BString>, Stop> {
    let entry = regex(&[b"^", &request.comment, name, br"\s+\w+\s+"])?;
    let pattern = regex(&[&request.pattern])?;
    let with = |line: BString| match entry.is_match(&line) && pattern.is_match(&line) {
        true => line[request.comment.len()..].into(),
        false => line,
    };
    Ok(lines.into_iter().map(with).collect())
}

fn disable(request: &Request, lines: Vec<BString>, name: &[u8]) -> Result<Vec<BString>, Stop> {
    let entry = regex(&[b"^", name, br"\s+\w+\s+"])?;
    let pattern = regex(&[&request.pattern])?;
    let is_one = |line: &BString| entry.is_match(line) && pattern.is_match(line);
    if lines.iter().filter(|line| is_one(line)).count() > 1 && !request.multi {
        return Err(Stop::unsupported(
            "update-inetd would ask which entry is meant",
        ));
    }
    let with = |line: BString| match is_one(&line) {
        true => [&request.comment[..], &line].concat().into(),
        false => line,
    };
    Ok(lines.into_iter().map(with).collect())
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn entries_get_into_their_groups() {
        let mut m = machine();
        m.put("/usr/sbin/update-inetd", "#!/usr/bin/perl\n", 0o755);
        let entry = r"finger\tstream tcp nowait nobody /usr/sbin/tcpd /usr/sbin/in.fingerd";
        let args = ["update-inetd", "--group", "INFO", "--add", entry];
        assert_eq!(m.run(&args).status, 0);
        assert!(!m.files.exists(b"/etc/inetd.conf"));
        let text = "#:INFO: x\n\n#:OTHER: y\n\n";
        m.put("/etc/inetd.conf", text, 0o600);
        assert_eq!(m.run(&args).status, 0);
        assert_eq!(m.run(&args).status, 0);
        let line = entry.replace(r"\t", "\t");
        let whole = format!("#:INFO: x\n{line}\n\n#:OTHER: y\n\n");
        assert_eq!(m.text("/etc/inetd.conf"), whole);
        assert_eq!(m.files.stat(b"/etc/inetd.conf", true).unwrap().mode, 0o644);
        m.run(&["update-inetd", "--disable", "finger"]);
        assert_eq!(
            m.text("/etc/inetd.conf"),
            whole.replace("finger\t", "#<off># finger\t")
        );
        // One that is switched off is switched on again.
        m.run(&args);
        assert_eq!(m.text("/etc/inetd.conf"), whole);
        m.run(&["update-inetd", "--remove", "fin.*tcp"]);
        assert_eq!(m.text("/etc/inetd.conf"), text);
        let off = "## x\nftp\n#talk dgram udp wait root /a a\n";
        m.put("/etc/inetd.conf", off, 0o644);
        let talk = "talk dgram udp wait root /b b";
        m.run(&["update-inetd", "--add", talk]);
        assert_eq!(m.text("/etc/inetd.conf"), off);
        let other = "ftp stream tcp nowait root /b b";
        assert!(m.run_with(&["update-inetd", "--add", other], "").is_err());
    }
}
