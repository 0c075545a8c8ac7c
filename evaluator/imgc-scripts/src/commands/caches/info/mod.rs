//! install-info: puts a manual in the list of manuals. What removes one, or says itself
//! where a manual belongs, is not known.

mod all;
mod dir;

use bstr::{BString, ByteSlice as _};

use self::dir::{Manual, NEW};
use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::gzip::unpack;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

/// The commands of this module's parts.
pub(super) const NATIVES: &[&[Native]] = &[all::NATIVES, INSTALL];

const INSTALL: &[Native] = &[Native {
    name: "install-info",
    origin: Origin::Package,
    run: install,
}];

fn install(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "",
        long: &[
            ("quiet", 'q'),
            ("silent", 'q'),
            ("info-dir=", 'D'),
            ("infodir=", 'D'),
            ("dir-file=", 'd'),
            ("info-file=", 'i'),
        ],
    };
    let given = parse(&process.args[1..], &known)?;
    let mut operands = given.operands.iter().cloned();
    let manual = given.value('i').cloned().or_else(|| operands.next());
    let list = match (given.value('d'), given.value('D')) {
        (Some(list), None) => Some(list.clone()),
        (None, Some(folder)) => Some([&folder[..], b"/dir"].concat().into()),
        (None, None) => operands.next(),
        _ => None,
    };
    let (Some(manual), Some(list), None) = (manual, list, operands.next()) else {
        return failed(process, "a manual and a list are wanted");
    };
    if process
        .env
        .contains_key(b"INSTALL_INFO_NO_INDENT".as_bstr())
    {
        return Err(Stop::unsupported(
            "entries without indentation are not known",
        ));
    }
    let list = process.path(&list);
    if !process.machine.files.exists(&list) {
        let mode = 0o666 & !process.umask;
        if let Err(error) = process.machine.files.write(&list, NEW.to_vec(), mode) {
            return failed(process, format_args!("{list}: {error}"));
        }
    }
    let Some(text) = text(process, &manual)? else {
        return failed(process, format_args!("{manual}: it can't be read"));
    };
    process.machine.spend(text.len() as u64 / 32)?;
    let Some(found) = Manual::read(&text) else {
        return failed(process, "an entry begins or ends without the other");
    };
    if found.is_empty() {
        process.complain(format_args!("warning: no info dir entry in `{manual}'"));
        return Ok(Status::OK);
    }
    let Ok(old) = process.machine.files.read(&list) else {
        return failed(process, format_args!("{list}: it can't be read"));
    };
    process.machine.spend(old.len() as u64)?;
    let new = found.add_to(&old);
    let new = new.ok_or_else(|| Stop::unsupported(format!("the list {list} is not known")))?;
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    let done = match files.unlink(&list) {
        Ok(()) | Err(Errno::NoEntry) => files.write(&list, new, mode),
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{list}: {error}")),
    }
}

/// The text of a manual, which may be packed. None where there is none to speak of.
fn text(process: &mut Process<'_, '_>, manual: &BString) -> Result<Option<Vec<u8>>, Stop> {
    let path = process.path(manual);
    let mut found = None;
    for ending in ["", ".gz", ".xz", ".bz2", ".zst", ".lz", ".lzma"] {
        let path = [&path[..], ending.as_bytes()].concat();
        if process.machine.files.is_file(&path) {
            found = process.machine.files.read(&path).ok();
            break;
        }
    }
    let Some(bytes) = found.filter(|bytes| bytes.len() >= 13) else {
        return Ok(None);
    };
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return unpack(process, &bytes);
    }
    let packed: [&[u8]; 6] = [
        b"\xfd7zXZ",
        b"BZh",
        b"BZ0",
        b"LZIP",
        b"\xffLZMA",
        b"\x28\xb5\x2f\xfd",
    ];
    if packed.iter().any(|magic| bytes.starts_with(magic)) {
        return Err(Stop::unsupported(format!(
            "how {manual} is packed is not known"
        )));
    }
    Ok(Some(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn manuals_are_listed() {
        let mut m = machine();
        m.put("/usr/bin/install-info", "", 0o755);
        let of = |sections: &str, entries: &str| {
            format!("This is x.\n{sections}START-INFO-DIR-ENTRY\n{entries}END-INFO-DIR-ENTRY\n")
        };
        let utilities = "INFO-DIR-SECTION Individual utilities\n";
        m.put(
            "/i/a",
            &of(
                "INFO-DIR-SECTION Basics\n",
                "* Ab c: (a).  Words of\n  it.\n",
            ),
            0o644,
        );
        m.put(
            "/i/b",
            &of(utilities, "* b: (b)B c.    Beta.\n* a: (b)A.  Alpha\n"),
            0o644,
        );
        let long = "* Basic things of all kinds: (c).  So long that it goes on and on in the \
                    next line.\n";
        m.put("/i/c", &of("INFO-DIR-SECTION Basics\n", long), 0o644);
        m.put("/i/none", "This has no entry.\n", 0o644);
        for name in ["/i/none", "/i/b", "/i/c", "/i/a", "/i/a"] {
            assert_eq!(m.run(&["install-info", name, "/i/dir"]).status, 0);
        }
        let text = m.text("/i/dir");
        let (head, menu) = text.split_once("\n* Menu:\n\n").unwrap();
        assert!(head.ends_with("to select it.\n"));
        let wide = |name: &str| format!("{name:48}");
        assert_eq!(
            menu,
            format!(
                "Basics\n* Ab c: (a).                    Words of it.\n\
                 * Basic things of all kinds: (c).\n{:32}So long that it goes on and on in the \
                 next \n{:34}line.\n\nIndividual utilities\n{}Alpha\n{}Beta.\n",
                "",
                "",
                wide("* a: (b)A."),
                wide("* b: (b)B c.")
            )
        );
        assert_eq!(m.run(&["install-info", "/i/gone", "/i/dir"]).status, 1);
        assert!(
            m.run_with(&["install-info", "--delete", "/i/a", "/i/dir"], "")
                .is_err()
        );
    }
}
