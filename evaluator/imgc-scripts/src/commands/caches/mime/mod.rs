//! update-mime-database of shared-mime-info 2.2 to 2.4: from the descriptions in
//! `packages`, the files by which programs know types of files. All of them are made in
//! memory; this file only reads and writes.

mod cache;
mod lists;
mod magic;
mod source;

use bstr::{BString, ByteSlice as _};

use self::source::Database;
use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-mime-database",
    origin: Origin::Package,
    run: update,
}];

/// The folders in which files of types that are gone are looked for. The last is looked
/// at from 2.4 on.
const FOLDERS: &[&str] = &[
    "all",
    "uri",
    "print",
    "text",
    "application",
    "image",
    "audio",
    "inode",
    "video",
    "message",
    "model",
    "multipart",
    "x-content",
    "x-epoc",
    "x-scheme-handler",
    "font",
    "chemical",
];

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "",
        long: &[],
    };
    let given = parse(&process.args[1..], &known)?;
    let [folder] = &given.operands[..] else {
        return failed(process, "Usage: update-mime-database [-hvVn] MIME-DIR");
    };
    let mut folder = process.path(folder);
    while folder.len() > 1 && folder.ends_with(b"/") {
        folder.pop();
    }
    let packages = [&folder[..], b"/packages"].concat();
    if !process.machine.files.is_directory(&packages) {
        let packages = packages.as_bstr();
        return failed(
            process,
            format_args!("Directory '{packages}' does not exist!"),
        );
    }
    let version = version(process)?;
    let mut database = Database::default();
    let mut broken = Vec::new();
    for name in sources(process, &packages)? {
        let unknown = |error: &str| Stop::unsupported(format!("{name} is not known: {error}"));
        let bytes = process
            .machine
            .files
            .read(&[&packages, &b"/"[..], &name].concat());
        let bytes = bytes.map_err(|error| unknown(&error.to_string()))?;
        process.machine.spend(bytes.len() as u64 / 16)?;
        let text = bytes.to_str().map_err(|_| unknown("it is not UTF-8"))?;
        let said = database.read(text).map_err(|error| unknown(&error))?;
        broken.extend(said.into_iter().map(|said| format!("{name}: {said}")));
    }
    for said in broken {
        process.complain(said);
    }
    process.machine.spend(database.types.len() as u64 * 64)?;
    forget(process, &folder, &database, version)?;
    let files = lists::files(&mut database, version);
    for (name, bytes) in files.map_err(Stop::unsupported)? {
        process.machine.spend(1 + bytes.len() as u64 / 64)?;
        if let Err(error) = write(process, &folder, &name, bytes) {
            return failed(process, format_args!("{}: {error}", name.as_bstr()));
        }
    }
    Ok(Status::OK)
}

/// The version of the program, which it writes.
fn version(process: &mut Process<'_, '_>) -> Result<&'static str, Stop> {
    let query = ["dpkg-query", "-W", "-f", "${Version}", "shared-mime-info"].map(BString::from);
    let (_, version) = process.capture(query.to_vec())?;
    let upstream = version.split(|&b| b == b'-').next().unwrap_or_default();
    let known = ["2.2", "2.3", "2.4"];
    known
        .into_iter()
        .find(|known| known.as_bytes() == upstream)
        .ok_or_else(|| {
            let version = version.as_bstr();
            Stop::unsupported(format!("shared-mime-info {version} is not known"))
        })
}

/// The names of the descriptions, in the order in which they are read.
fn sources(process: &mut Process<'_, '_>, packages: &[u8]) -> Result<Vec<BString>, Stop> {
    let names = process.machine.files.list(packages);
    let mut names = names.map_err(|error| Stop::unsupported(error.to_string()))?;
    names.retain(|name| name.len() > 4 && name.ends_with(b".xml"));
    names.sort_by_key(|name| (name == "Override.xml", name.clone()));
    Ok(names)
}

/// Removes the files of types that are gone.
fn forget(
    process: &mut Process<'_, '_>,
    folder: &[u8],
    database: &Database,
    version: &str,
) -> Result<(), Stop> {
    let folders = match version {
        "2.4" => FOLDERS,
        _ => &FOLDERS[..FOLDERS.len() - 1],
    };
    for media in folders {
        let path = [folder, b"/", media.as_bytes()].concat();
        for name in process.machine.files.list(&path).unwrap_or_default() {
            process.machine.spend(1)?;
            let Some(subtype) = name.strip_suffix(b".xml").filter(|name| !name.is_empty()) else {
                continue;
            };
            let kind = [media.as_bytes(), b"/", subtype].concat();
            if database.types.get(&kind).is_none() {
                let _ = process
                    .machine
                    .files
                    .unlink(&[&path, &b"/"[..], &name].concat());
            }
        }
    }
    Ok(())
}

/// Puts a new file in the place of what is there.
fn write(
    process: &mut Process<'_, '_>,
    folder: &[u8],
    name: &[u8],
    bytes: Vec<u8>,
) -> Result<(), Errno> {
    let umask = process.umask;
    let path = [folder, b"/", name].concat();
    let files = &mut process.machine.files;
    if let Some(media) = name.rfind_byte(b'/') {
        let media = [folder, b"/", &name[..media]].concat();
        if !files.exists(&media) {
            files.mkdir(&media, 0o755 & !umask)?;
        }
    }
    match files.unlink(&path) {
        Ok(()) | Err(Errno::NoEntry) => {}
        Err(error) => return Err(error),
    }
    files.write(&path, bytes, 0o666 & !umask).map(drop)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    const EXAMPLE: &str = include_str!("golden/example.xml");
    /// As the real program of 2.4 makes it.
    const CACHE: &[u8] = include_bytes!("golden/mime.cache");

    #[test]
    fn all_files_are_made() {
        let mut m = machine();
        m.put("/usr/bin/update-mime-database", "", 0o755);
        m.put("/m/packages/example.xml", EXAMPLE, 0o644);
        m.put("/m/text/gone.xml", "", 0o644);
        assert!(m.run_with(&["update-mime-database", "/m"], "").is_err());
        let status = "Package: shared-mime-info\nStatus: install ok installed\n\
                      Architecture: amd64\nVersion: 2.4-5+b2\n";
        m.put("/var/lib/dpkg/status", status, 0o644);
        assert_eq!(m.run(&["update-mime-database", "/m/"]).status, 0);
        assert!(!m.files.exists(b"/m/text/gone.xml"));
        assert_eq!(m.files.read(b"/m/mime.cache").unwrap().as_slice(), CACHE);
        assert_eq!(m.text("/m/version"), "2.4\n");
        assert_eq!(
            m.text("/m/text/x-mistake.xml"),
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<mime-type \
             xmlns=\"http://www.freedesktop.org/standards/shared-mime-info\" \
             type=\"text/x-mistake\">\n  <!--Created automatically by update-mime-database. \
             DO NOT EDIT!-->\n  <comment>kept</comment>\n</mime-type>\n"
        );
        assert_eq!(
            m.text("/m/globs2"),
            "# This file was automatically generated by the\n\
             # update-mime-database command. DO NOT EDIT!\n\
             0:text/x-again:__NOGLOBS__\n80:application/x-Example:*.EXB:cs\n\
             80:application/x-Example:*.EXB\n60:text/x-again:*.xa\n\
             50:application/x-Example:example\n50:application/x-Example:*.exa\n\
             50:text/x-again:*.exa\n50:application/x-Example:example[0-9]\n"
        );
        assert_eq!(
            m.text("/m/treemagic"),
            "MIME-TreeMagic\0\n[70:x-content/example]\n>\"EXAMPLE\"=directory,non-empty\n\
             1>\"EXAMPLE/a\"=any,match-case,text/plain\n"
        );
        assert_eq!(m.run(&["update-mime-database", "/none"]).status, 1);
        let other = EXAMPLE.replace("<acronym>", "<x:acronym>");
        m.put("/m/packages/example.xml", &other, 0o644);
        assert!(m.run_with(&["update-mime-database", "/m"], "").is_err());
    }
}
