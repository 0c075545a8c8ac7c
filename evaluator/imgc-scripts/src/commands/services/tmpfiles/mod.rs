//! systemd-tmpfiles(8): files, folders and links from `tmpfiles.d`.

mod apply;
mod lines;

use bstr::BString;

use self::lines::Line;
use super::specifiers;
use crate::commands::accounts::options::{self, Known, Takes};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "systemd-tmpfiles",
    origin: Origin::Package,
    run: tmpfiles,
}];

const OPTIONS: &[Known] = &[
    (0, "create", Takes::Nothing),
    (0, "remove", Takes::Nothing),
    (0, "clean", Takes::Nothing),
    (0, "boot", Takes::Nothing),
    (0, "graceful", Takes::Nothing),
    (0, "prefix", Takes::Value),
    (0, "exclude-prefix", Takes::Value),
    (b'E', "exclude-api", Takes::Nothing),
    (0, "root", Takes::Value),
    (0, "no-pager", Takes::Nothing),
];

/// What is right, but can't be made.
const CANT_CREATE: Status = Status(73);
/// What is not right.
const DATA: Status = Status(65);

fn tmpfiles(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if given
        .value("root")
        .is_some_and(|root| !matches!(root.as_slice(), b"/" | b""))
    {
        return Err(Stop::unsupported("only --root=/ is known"));
    }
    let actions = ["create", "remove", "clean"];
    if !actions.iter().any(|action| given.has(action)) {
        process.complain("one of --create, --remove and --clean is needed");
        return Ok(Status(1));
    }
    let mut without: Vec<BString> = given.values("exclude-prefix").cloned().collect();
    if given.has("exclude-api") {
        without.extend(["/dev", "/proc", "/run", "/sys"].map(BString::from));
    }
    let only: Vec<BString> = given.values("prefix").cloned().collect();
    let texts = match specifiers::files(process, "tmpfiles", &given.rest)? {
        Ok(texts) => texts,
        Err(name) => {
            process.complain(format_args!(
                "Failed to open '{name}': No such file or directory"
            ));
            return Ok(Status(1));
        }
    };
    let mut status = Status::OK;
    let mut all: Vec<Line> = Vec::new();
    for text in texts {
        for text in bstr::ByteSlice::lines(text.as_slice()) {
            let text = text.trim_ascii();
            if text.is_empty() || text.starts_with(b"#") {
                continue;
            }
            let chosen = |path: &BString| {
                let within = |prefix: &BString| is_within(path, prefix);
                (only.is_empty() || only.iter().any(within)) && !without.iter().any(within)
            };
            let line = match lines::read(process, text, given.has("boot"), chosen)? {
                lines::Read::Line(line) => line,
                lines::Read::Left => continue,
                lines::Read::Wrong(why) => {
                    process.complain(format_args!("{why}: {}", bstr::BStr::new(text)));
                    status = DATA;
                    continue;
                }
            };
            // Of two lines for one path, the first counts, except where both can.
            let again = all
                .iter()
                .any(|other| other.path == line.path && !other.goes_with(&line));
            if !again {
                all.push(line);
            }
        }
    }
    if given.has("remove") {
        for line in &all {
            apply::remove(process, line)?;
        }
    }
    if given.has("create") {
        // Patterns come last, what is above comes first.
        all.sort_by_key(Line::is_pattern);
        let mut done = vec![false; all.len()];
        for at in 0..all.len() {
            let mut order: Vec<usize> = (0..all.len())
                .filter(|other| {
                    *other != at
                        && !done[*other]
                        && !all[*other].is_pattern()
                        && is_within(&all[at].path, &all[*other].path)
                        && (all[*other].path != all[at].path || *other < at)
                })
                .collect();
            order.sort_by_key(|other| all[*other].path.len());
            order.push(at);
            for other in order {
                process.machine.spend(1)?;
                if !std::mem::replace(&mut done[other], true)
                    && !apply::create(process, &all[other])?
                    && status == Status::OK
                {
                    status = CANT_CREATE;
                }
            }
        }
    }
    Ok(status)
}

/// Whether `path` is `prefix` or below it.
fn is_within(path: &[u8], prefix: &[u8]) -> bool {
    let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests;
