//! update-info-dir of install-info: makes the list of manuals anew. It takes manuals as
//! their folder gives them, which is by chance; here the last name comes first, as file
//! systems in memory mostly have it, where the files of the essential set are older.

use bstr::{BString, ByteSlice as _};
use imgc_tree::Kind;

use crate::Errno;
use crate::commands::files::failed;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-info-dir",
    origin: Origin::Helper(&["2e22271d7ff33c1fec17c691de7e71316e06ddd3589922538fdf5e2f2a74b1a6"]),
    run: update,
}];

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let folder = match &process.args[1..] {
        [] => BString::from("/usr/share/info"),
        [folder] if !folder.starts_with(b"-") => process.path(folder),
        _ => {
            return Err(Stop::unsupported(
                "an option of update-info-dir is not known",
            ));
        }
    };
    for settings in [&b"/etc/environment"[..], b"/etc/default/locale"] {
        let text = process.machine.files.read(settings).unwrap_or_default();
        let set = |line: &[u8]| !line.starts_with(b"#") && line.contains_str("LC_ALL");
        if text.lines().any(set) {
            return Err(Stop::unsupported("a list in another language is not known"));
        }
    }
    if !process.machine.files.is_directory(&folder) {
        return failed(process, format_args!("Not a directory: {folder}."));
    }
    let list = [&folder[..], b"/dir"].concat();
    if let Err(error) = keep(process, &list) {
        return failed(process, format_args!("{}: {error}", list.as_bstr()));
    }
    let mut manuals = Vec::new();
    find(process, &folder, &mut manuals)?;
    manuals.sort();
    for manual in manuals.into_iter().rev() {
        let odd = |b: &u8| b.is_ascii_whitespace() || *b == b'\\';
        if manual.iter().any(odd) {
            return Err(Stop::unsupported(format!(
                "the manual {manual} is not known"
            )));
        }
        // What one manual does wrong does not count.
        process.run(vec!["install-info".into(), manual, list.clone().into()])?;
    }
    Ok(Status::OK)
}

/// Keeps a list beside its place, which is free then.
fn keep(process: &mut Process<'_, '_>, list: &[u8]) -> Result<(), Errno> {
    let files = &mut process.machine.files;
    if files.is_file(list) {
        let bytes = files.read(list)?;
        let old = [list, b".old"].concat();
        match files.unlink(&old) {
            Ok(()) | Err(Errno::NoEntry) => {}
            Err(error) => return Err(error),
        }
        let mode = files.stat(list, true)?.mode & 0o777 & !process.umask;
        files.write(&old, bytes.to_vec(), mode)?;
        files.unlink(list)?;
    }
    Ok(())
}

/// The manuals in a folder and below it.
fn find(
    process: &mut Process<'_, '_>,
    folder: &[u8],
    manuals: &mut Vec<BString>,
) -> Result<(), Stop> {
    for name in process.machine.files.list(folder).unwrap_or_default() {
        process.machine.spend(1)?;
        let path = BString::from([folder, b"/", &name].concat());
        match process.machine.files.lnode(&path).map(|node| &node.kind) {
            Some(Kind::Directory) => find(process, &path, manuals)?,
            Some(Kind::Regular(_)) if is_manual(base(&path)) => manuals.push(path),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a file is neither a list, a part of a manual, nor a picture.
fn is_manual(name: &[u8]) -> bool {
    let plain = name.strip_suffix(b".gz").unwrap_or(name);
    if plain == b"dir" || plain == b"dir.old" {
        return false;
    }
    if name.ends_with(b".png") || name.ends_with(b".jpg") {
        return false;
    }
    let part = plain.rsplit(|&b| b == b'-').next().unwrap_or_default();
    let number = match part {
        [a] => a.is_ascii_digit(),
        [a, b] => (b'1'..=b'9').contains(a) && b.is_ascii_digit(),
        _ => false,
    };
    !(number && plain.len() > part.len())
}

#[cfg(test)]
mod tests {
    use super::is_manual;
    use crate::testing::machine;

    #[test]
    fn a_list_is_made_anew() {
        let mut m = machine();
        m.put("/usr/bin/install-info", "", 0o755);
        m.put("/usr/sbin/update-info-dir", "#!/bin/sh\n", 0o755);
        let text = "INFO-DIR-SECTION B\nSTART-INFO-DIR-ENTRY\n* x: (x).  X.\nEND-INFO-DIR-ENTRY\n";
        m.put("/usr/share/info/x.info", text, 0o644);
        m.put("/usr/share/info/x.info-1", text, 0o644);
        m.put("/usr/share/info/dir", "old\n", 0o644);
        assert_eq!(m.run(&["update-info-dir"]).status, 0);
        assert_eq!(m.text("/usr/share/info/dir.old"), "old\n");
        let line = format!("* Menu:\n\nB\n{:32}X.\n", "* x: (x).");
        assert!(m.text("/usr/share/info/dir").ends_with(&line));
        assert_eq!(m.run(&["update-info-dir", "/none"]).status, 1);
    }

    #[test]
    fn parts_are_no_manuals() {
        for name in ["dir.gz", "dir.old", "a-1", "a-12.gz", "x.png"] {
            assert!(!is_manual(name.as_bytes()), "{name}");
        }
        for name in ["a.info.gz", "a-01", "a-b", "1", "a-123.gz"] {
            assert!(is_manual(name.as_bytes()), "{name}");
        }
    }
}
