//! update-xmlcatalog of xml-core: catalogs of XML, and what is kept of their entries.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-xmlcatalog",
    origin: Origin::Helper(&["66a7ee901314863c9f2f3e6bd891af9bf73a216ad97ce9bf998311284102ea1f"]),
    run: update,
}];

const KEPT: &str = "/var/lib/xml-core";
const SHARE: &str = "/usr/share/xml-core";

/// A catalog, where its entries are kept, and the entry that is asked for.
struct Task {
    catalog: BString,
    kept: BString,
    key: BString,
    value: BString,
}

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "",
        long: &[
            ("add", 'a'),
            ("del", 'd'),
            ("file=", 'f'),
            ("id=", 'i'),
            ("local=", 'l'),
            ("package=", 'p'),
            ("root", 'r'),
            ("type=", 't'),
            ("verbose", 'v'),
            ("sort", 's'),
        ],
    };
    let given = parse(&process.args[1..], &known)?;
    let add = given.has("a");
    if add == given.has("d") {
        return failed(process, "error: one of 'add' and 'del' must be given");
    }
    let is_file = |path: &[u8]| process.machine.files.is_file(path);
    let (file, local, package) = (given.value('f'), given.value('l'), given.value('p'));
    let of_package = |package: &BString| BString::from(format!("/etc/xml/{package}.xml"));
    let usual = match (add, given.has("r"), package, local, file) {
        (true, true, Some(package), None, None) => is_file(&of_package(package)),
        (true, false, Some(_), Some(local), None) => is_file(local),
        (true, false, None, Some(_), Some(file)) => is_file(file),
        (false, true, None, None, None) => is_file(b"/etc/xml/catalog"),
        (false, false, Some(package), None, None) => is_file(&of_package(package)),
        (false, false, None, Some(local), None) => is_file(local),
        _ => false,
    };
    if !usual {
        return failed(
            process,
            "error: a catalog or file is not found, or not wanted",
        );
    }
    let (Some(kind), Some(id)) = (given.value('t'), given.value('i')) else {
        return failed(process, "error: type or id not given");
    };
    let kind = match &kind[..] {
        b"public" => "public",
        b"system" => "system",
        b"uri" => "uri",
        _ => return failed(process, "error: wrong type"),
    };
    let delegate = match kind {
        "public" => format!("delegatePublic publicIdStartString=\"{id}\""),
        "system" => format!("delegateSystem systemIdStartString=\"{id}\""),
        _ => format!("delegateURI uriStartString=\"{id}\""),
    };
    let none = BString::default();
    let (local, file) = (local.unwrap_or(&none), file.unwrap_or(&none));
    let task = if given.has("r") {
        let package = package.unwrap_or(&none);
        Task {
            catalog: "/etc/xml/catalog".into(),
            kept: format!("{KEPT}/catalog").into(),
            key: delegate.into(),
            value: format!("catalog=\"file:///etc/xml/{package}.xml\"").into(),
        }
    } else if let Some(package) = package {
        Task {
            catalog: of_package(package),
            kept: format!("{KEPT}/{package}").into(),
            key: delegate.into(),
            value: format!("catalog=\"file://{local}\"").into(),
        }
    } else {
        let key = match kind {
            "uri" => format!("uri name=\"{id}\""),
            kind => format!("{kind} {kind}Id=\"{id}\""),
        };
        Task {
            catalog: local.clone(),
            kept: format!("{KEPT}/{}", local.replace("/", "_").as_bstr()).into(),
            key: key.into(),
            value: format!("uri=\"{file}\"").into(),
        }
    };
    if task.key.contains(&b'>') || task.value.contains(&b'>') || !id.is_utf8() {
        return Err(Stop::unsupported("this entry of a catalog is not known"));
    }
    let Some(entries) = entries(process, &task, add)? else {
        return failed(process, "error: the entry can't be added or removed");
    };
    if entries.len() > 1 && !given.has("s") {
        return Err(Stop::unsupported(
            "the order of a catalog that is not sorted is by chance",
        ));
    }
    match write(process, &task, &entries) {
        Ok(()) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{}: {error}", task.catalog)),
    }
}

/// The entries that a catalog is to have; none where that can't be.
fn entries(
    process: &mut Process<'_, '_>,
    task: &Task,
    add: bool,
) -> Result<Option<BTreeMap<BString, BString>>, Stop> {
    let mut entries = BTreeMap::new();
    let kept = process.machine.files.read(&task.kept);
    if kept.is_err() && !add {
        return Ok(None);
    }
    for line in kept.unwrap_or_default().lines() {
        process.machine.spend(1)?;
        let mut parts = line.split(|&b| b == b'>');
        let mut part = || {
            let part = parts.next().unwrap_or_default();
            BString::from(part.strip_prefix(b"<").unwrap_or(part))
        };
        entries.insert(part(), part());
    }
    if !add {
        return Ok(entries.remove(&task.key).map(|_| entries));
    }
    let value = entries
        .entry(task.key.clone())
        .or_insert_with(|| task.value.clone());
    Ok((*value == task.value).then_some(entries))
}

fn write(
    process: &mut Process<'_, '_>,
    task: &Task,
    entries: &BTreeMap<BString, BString>,
) -> Result<(), Errno> {
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    if files.is_file(&task.catalog) {
        files.rename(&task.catalog, &[&task.catalog[..], b".old"].concat())?;
    }
    let mut kept = Vec::new();
    let mut lines = Vec::new();
    for (key, value) in entries {
        kept.extend_from_slice(&[b"<", &key[..], b"><", value, b">\n"].concat());
        lines.extend_from_slice(&[b"<", &key[..], b" ", value, b"/>\n"].concat());
    }
    if entries.is_empty() {
        // Both are written, and removed again.
        for path in [&task.kept, &task.catalog] {
            match files.unlink(path) {
                Ok(()) | Err(Errno::NoEntry) => {}
                Err(error) => return Err(error),
            }
        }
        return Ok(());
    }
    files.write(&task.kept, kept, mode)?;
    let header = files.read(format!("{SHARE}/catalog.header").as_bytes())?;
    let footer = files.read(format!("{SHARE}/catalog.footer").as_bytes())?;
    let text = [&header[..], &lines, &footer].concat();
    files.write(&task.catalog, text, mode).map(drop)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn catalogs_delegate() {
        let mut m = machine();
        m.put("/usr/sbin/update-xmlcatalog", "#!/usr/bin/perl\n", 0o755);
        m.put("/usr/share/xml-core/catalog.header", "<catalog>\n", 0o644);
        m.put("/usr/share/xml-core/catalog.footer", "</catalog>\n", 0o644);
        m.put("/var/lib/xml-core/x", "", 0o644);
        m.put("/etc/xml/x", "", 0o644);
        m.put("/c.xml", "", 0o644);
        let call = |rest: &[&'static str]| [&["update-xmlcatalog", "--sort"], rest].concat();
        let add = |kind, id| {
            call(&[
                "--add",
                "--type",
                kind,
                "--id",
                id,
                "--package",
                "p",
                "--local",
                "/c.xml",
            ])
        };
        assert_eq!(m.run(&add("system", "http://x/")).status, 0);
        assert_eq!(m.run(&add("public", "-//X")).status, 0);
        assert_eq!(m.run(&add("public", "-//X")).status, 0);
        assert_eq!(
            m.text("/etc/xml/p.xml"),
            "<catalog>\n<delegatePublic publicIdStartString=\"-//X\" catalog=\"file:///c.xml\"/>\n\
             <delegateSystem systemIdStartString=\"http://x/\" catalog=\"file:///c.xml\"/>\n\
             </catalog>\n"
        );
        assert!(m.files.exists(b"/etc/xml/p.xml.old"));
        assert_eq!(
            m.text("/var/lib/xml-core/p"),
            "<delegatePublic publicIdStartString=\"-//X\"><catalog=\"file:///c.xml\">\n\
             <delegateSystem systemIdStartString=\"http://x/\"><catalog=\"file:///c.xml\">\n"
        );
        let root = [
            "--add",
            "--type",
            "uri",
            "--id",
            "u",
            "--package",
            "p",
            "--root",
        ];
        assert_eq!(m.run(&call(&root)).status, 0);
        assert_eq!(
            m.text("/etc/xml/catalog"),
            "<catalog>\n<delegateURI uriStartString=\"u\" catalog=\"file:///etc/xml/p.xml\"/>\n\
             </catalog>\n"
        );
        let other = [
            "--add",
            "--type",
            "uri",
            "--id",
            "u",
            "--package",
            "q",
            "--root",
        ];
        assert_eq!(m.run(&call(&other)).status, 1);
        assert_eq!(
            m.run(&call(&["--del", "--root", "--type", "uri", "--id", "u"]))
                .status,
            0
        );
        assert!(!m.files.exists(b"/etc/xml/catalog"));
    }
}
