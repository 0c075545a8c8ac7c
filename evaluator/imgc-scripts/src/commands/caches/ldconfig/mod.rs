//! ldconfig: links for shared libraries, and the loader's cache of them.

mod cache;
mod elf;

use std::collections::BTreeSet;
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};
use imgc_tree::Ino;

use self::cache::Entry;
pub use self::elf::Library;
use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::glob;
use crate::commands::files::names::plain;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "ldconfig",
    origin: Origin::Essential,
    run: ldconfig,
}];

const CACHE: &[u8] = b"/etc/ld.so.cache";
/// How deep configuration files may include others.
const NESTED: usize = 20;

/// The libraries that a loader's cache has, in its order: name and path. None where it is
/// none.
pub fn cached_libraries(cache: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let (entries, _) = cache::read(cache)?;
    let entries = entries.into_iter();
    Some(entries.map(|entry| (entry.soname, entry.path)).collect())
}

fn ldconfig(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "c:C:f:iNnpr:vX",
        long: &[
            ("format=", 'c'),
            ("ignore-aux-cache", 'i'),
            ("print-cache", 'p'),
            ("verbose", 'v'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.value('r').is_some_and(|root| root != "/") {
        return Err(Stop::unsupported("ldconfig for another root is not known"));
    }
    if parsed.value('c').is_some_and(|format| format != "new") {
        return Err(Stop::unsupported("ldconfig for an old format is not known"));
    }
    let cache = parsed.value('C').cloned().unwrap_or_else(|| CACHE.into());
    let cache = process.path(&cache);
    if parsed.has("p") {
        return print(process, &cache);
    }
    let arch = crate::arch::of(&process.machine.setup.arch);
    let mut folders: Vec<Vec<u8>> = Vec::new();
    for operand in &parsed.operands {
        folders.push(process.path(operand).to_vec());
    }
    if !parsed.has("n") {
        let conf = parsed
            .value('f')
            .cloned()
            .unwrap_or_else(|| "/etc/ld.so.conf".into());
        let conf = process.path(&conf);
        configured(process, &conf, &mut folders, 0)?;
        if let Some(triplet) = arch.map(|known| known.triplet) {
            folders.push(format!("/lib/{triplet}").into());
            folders.push(format!("/usr/lib/{triplet}").into());
        }
        folders.extend([b"/lib".to_vec(), b"/usr/lib".to_vec()]);
    }
    let generator = match parsed.has("nN") {
        true => Vec::new(),
        false => generator(process)?,
    };
    let asks = asks_for_libc(&generator);
    let mut seen = BTreeSet::new();
    let mut entries = Vec::new();
    for folder in folders {
        let Ok(ino) = process.machine.files.find(&folder, true) else {
            continue;
        };
        if !process.machine.files.is_directory(&folder) || !seen.insert(ino) {
            continue;
        }
        search(process, &folder, !parsed.has("X"), asks, &mut entries)?;
    }
    if parsed.has("nN") {
        return Ok(Status::OK);
    }
    cache::sort(&mut entries);
    let big = arch.is_some_and(|known| known.big);
    let bytes = cache::write(&entries, &generator, big);
    let files = &mut process.machine.files;
    // A new file, which takes the old one's place.
    let written = match files.unlink(&cache) {
        Ok(()) | Err(Errno::NoEntry) => files.write(&cache, bytes, 0o644),
        Err(error) => Err(error),
    };
    match written {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(
            process,
            format_args!("can't create cache file {cache}: {error}"),
        ),
    }
}

/// The folders that a configuration file names.
fn configured(
    process: &mut Process<'_, '_>,
    conf: &[u8],
    folders: &mut Vec<Vec<u8>>,
    nested: usize,
) -> Result<(), Stop> {
    if nested > NESTED {
        return Err(Stop::unsupported(
            "the files of ld.so.conf include each other",
        ));
    }
    process.machine.spend(1)?;
    let Ok(bytes) = process.machine.files.read(conf) else {
        return Ok(());
    };
    for line in bytes.lines() {
        let line = line
            .split(|&b| b == b'#')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        let word = line
            .split(u8::is_ascii_whitespace)
            .next()
            .unwrap_or_default();
        match word {
            b"" | b"hwcap" => {}
            b"include" => {
                let patterns = line[word.len()..].split(u8::is_ascii_whitespace);
                for pattern in patterns.filter(|pattern| !pattern.is_empty()) {
                    for file in expand(process, conf, pattern)? {
                        configured(process, &file, folders, nested + 1)?;
                    }
                }
            }
            _ => {
                let path = line
                    .split(|&b| b == b'=')
                    .next()
                    .unwrap_or_default()
                    .trim_ascii();
                if path.starts_with(b"/") {
                    folders.push(plain(path).to_vec());
                }
            }
        }
    }
    Ok(())
}

/// The files that an include names, sorted.
fn expand(process: &Process<'_, '_>, conf: &[u8], pattern: &[u8]) -> Result<Vec<Vec<u8>>, Stop> {
    let beside = &conf[..conf.len() - base(conf).len()];
    let pattern = if pattern.starts_with(b"/") {
        pattern.to_vec()
    } else {
        [beside, pattern].concat()
    };
    let name = base(&pattern).to_vec();
    let folder = &pattern[..pattern.len() - name.len()];
    if folder.iter().any(|b| b"*?[".contains(b)) {
        return Err(Stop::unsupported(
            "a pattern of folders in ld.so.conf is not known",
        ));
    }
    let names = process.machine.files.list(folder).unwrap_or_default();
    let fits = |file: &BString| {
        glob::matches(&name, file, false) && (!file.starts_with(b".") || name.starts_with(b"."))
    };
    Ok(names
        .into_iter()
        .filter(fits)
        .map(|file| [folder, &file[..]].concat())
        .collect())
}

/// A library of a folder: under which file name, by which name of its own.
struct Found {
    name: BString,
    soname: Vec<u8>,
    flags: u32,
    link: bool,
}

/// Looks through a folder, makes the links in it, and adds what is there to `entries`.
fn search(
    process: &mut Process<'_, '_>,
    folder: &[u8],
    make_links: bool,
    asks: bool,
    entries: &mut Vec<Entry>,
) -> Result<(), Stop> {
    let mut all: Vec<Found> = Vec::new();
    for name in process.machine.files.list(folder).unwrap_or_default() {
        process.machine.spend(1)?;
        if name == "glibc-hwcaps" {
            return Err(Stop::unsupported("libraries in glibc-hwcaps are not known"));
        }
        if !Library::is_name(&name) {
            continue;
        }
        let path = [folder, b"/", &name[..]].concat();
        let files = &mut process.machine.files;
        let own = files.stat(&path, false).ok();
        let mut link = own.as_ref().is_some_and(|stat| stat.kind == b'l');
        let Ok(stat) = files.stat(&path, true) else {
            // A link to nothing goes.
            if link && make_links {
                let _ = files.unlink(&path);
            }
            continue;
        };
        if stat.kind != b'f' {
            continue;
        }
        let Some(library) = library(process, stat.ino)? else {
            continue;
        };
        let Some(flags) = library.kind(&process.machine.setup.arch, asks) else {
            continue;
        };
        let mut soname = library.soname.clone().unwrap_or_else(|| name.to_vec());
        if link && name != soname {
            // The name for linking, libx.so of libx.so.1, counts as a link; others are
            // files of their own.
            link = name.ends_with(b".so") && soname.starts_with(&name);
        }
        if link {
            soname = name.to_vec();
        }
        let same = all
            .iter_mut()
            .find(|other| other.soname == soname && other.flags == flags);
        match same {
            Some(other) => {
                let newer = cache::order(&other.name, &name).is_lt();
                if (!link && other.link) || (link == other.link && newer) {
                    other.name = name;
                    other.link = link;
                }
            }
            None => all.push(Found {
                name,
                soname,
                flags,
                link,
            }),
        }
    }
    for found in all {
        if !found.link && make_links {
            create_link(process, folder, &found);
        }
        let path = [folder, b"/", &found.soname[..]].concat();
        entries.push(Entry {
            flags: found.flags,
            soname: found.soname,
            path,
        });
    }
    Ok(())
}

/// Makes the link from a library's own name to its file, unless it leads there already.
fn create_link(process: &mut Process<'_, '_>, folder: &[u8], found: &Found) {
    if found.name == found.soname {
        return;
    }
    let path = |name: &[u8]| [folder, b"/", name].concat();
    let (own, file) = (path(&found.soname), path(&found.name));
    let files = &mut process.machine.files;
    if files.find(&own, true).is_ok() && files.find(&own, true) == files.find(&file, true) {
        return;
    }
    match files.stat(&own, false) {
        Ok(stat) if stat.kind != b'l' => {
            let own = own.as_bstr();
            process.complain(format_args!("{own} is not a symbolic link"));
            return;
        }
        Ok(_) => {
            let _ = files.unlink(&own);
        }
        Err(_) => {}
    }
    if let Err(error) = process.machine.files.symlink(&found.name, &own) {
        process.complain(format_args!("can't link {}: {error}", own.as_bstr()));
    }
}

/// What a file is as a library; known from before if it was looked at.
fn library(process: &mut Process<'_, '_>, ino: Ino) -> Result<Option<Rc<Library>>, Stop> {
    let digest = process.machine.files.digest(ino);
    if let Some(known) = digest.and_then(|digest| process.machine.libraries.get(&digest)) {
        return Ok(known.clone());
    }
    let Ok(bytes) = process.machine.files.glance(ino) else {
        return Ok(None);
    };
    process.machine.spend(1 + bytes.len() as u64 / 65536)?;
    let library = Library::read(&bytes).map(Rc::new);
    if let Some(digest) = digest {
        process.machine.libraries.insert(digest, library.clone());
    }
    Ok(library)
}

/// Whether an ldconfig of this name looks for which C library a file of i386 is. That of
/// 2.36 does, that of 2.41 does not.
fn asks_for_libc(generator: &[u8]) -> bool {
    let text = generator.to_str_lossy();
    let minor = text.rsplit_once("version 2.").map(|(_, minor)| minor);
    let digits = minor.map(|minor| minor.trim_end_matches(|c: char| !c.is_ascii_digit()));
    digits.is_some_and(|digits| digits.parse().is_ok_and(|minor: u32| minor <= 36))
}

/// How the tree's ldconfig calls itself: the text is in its program; else it follows from
/// the version of the package.
fn generator(process: &mut Process<'_, '_>) -> Result<Vec<u8>, Stop> {
    for path in ["/usr/sbin/ldconfig", "/sbin/ldconfig"] {
        let Ok(ino) = process.machine.files.find(path.as_bytes(), true) else {
            continue;
        };
        let digest = process.machine.files.digest(ino);
        if let Some((known, text)) = &process.machine.ldconfig
            && digest == Some(*known)
        {
            return Ok(text.to_vec());
        }
        let Ok(bytes) = process.machine.files.glance(ino) else {
            continue;
        };
        for at in bytes.find_iter(b"ldconfig (") {
            let text = &bytes[at..];
            let text = &text[..text.find_byte(0).unwrap_or(text.len())];
            if text.find(b" release version ").is_some() && text.len() < 200 {
                process.machine.ldconfig = digest.map(|digest| (digest, text.into()));
                return Ok(text.to_vec());
            }
        }
    }
    let status = process
        .machine
        .files
        .read(b"/var/lib/dpkg/status")
        .unwrap_or_default();
    for package in ["libc-bin", "libc6"] {
        let head = format!("Package: {package}");
        let mut within = false;
        for line in status.lines() {
            within = if line.starts_with(b"Package: ") {
                line == head.as_bytes()
            } else {
                within
            };
            let Some(version) = line.strip_prefix(b"Version: ").filter(|_| within) else {
                continue;
            };
            let upstream = version[..version.rfind_byte(b'-').unwrap_or(version.len())].as_bstr();
            let version = version.as_bstr();
            let text =
                format!("ldconfig (Debian GLIBC {version}) stable release version {upstream}");
            return Ok(text.into_bytes());
        }
    }
    Err(Stop::unsupported(
        "the version of the tree's C library is not known",
    ))
}

fn print(process: &mut Process<'_, '_>, path: &BString) -> Outcome {
    let bytes = process.machine.files.read(path).unwrap_or_default();
    let Some((entries, generator)) = cache::read(&bytes) else {
        return failed(process, format_args!("can't open cache file {path}"));
    };
    let mut text = format!("{} libs found in cache `{path}'\n", entries.len()).into_bytes();
    for entry in entries {
        let machine = match entry.flags >> 8 {
            3 => ",x86-64",
            4 => ",64bit",
            5 => ",64bit",
            8 => ",x32",
            9 => ",hard-float",
            0xa => ",AArch64",
            0xb => ",soft-float",
            0x10 | 0x12 => ",double-float",
            _ => "",
        };
        text.push(b'\t');
        text.extend_from_slice(&entry.soname);
        text.extend_from_slice(format!(" (libc6{machine}) => ").as_bytes());
        text.extend_from_slice(&entry.path);
        text.push(b'\n');
    }
    text.extend_from_slice(&[b"Cache generated by: ", &generator[..], b"\n"].concat());
    process.out(text);
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    /// A library for amd64 that calls itself `soname`: one segment, a dynamic section with
    /// the table of strings behind it.
    fn library(soname: &str) -> Vec<u8> {
        let strings = 64 + 2 * 56 + 3 * 16;
        let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        let two = |out: &mut Vec<u8>, values: &[u16]| {
            values
                .iter()
                .for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        };
        let eight = |out: &mut Vec<u8>, values: &[u64]| {
            values
                .iter()
                .for_each(|value| out.extend_from_slice(&value.to_le_bytes()));
        };
        two(&mut out, &[3, 62, 1, 0]);
        eight(&mut out, &[0, 64, 0]);
        two(&mut out, &[0, 0, 64, 56, 2, 64, 0, 0]);
        let size = (strings + 1 + soname.len() + 1) as u64;
        for (kind, at, length) in [(1_u64, 0, size), (2, 64 + 2 * 56, 48)] {
            eight(&mut out, &[kind | 4 << 32, at, at, at, length, length, 8]);
        }
        eight(&mut out, &[14, 1, 5, strings as u64, 0, 0]);
        out.extend_from_slice(&[b"\0", soname.as_bytes(), b"\0"].concat());
        out
    }

    #[test]
    fn the_version_is_in_the_generator() {
        let asks = |text: &str| super::asks_for_libc(text.as_bytes());
        assert!(asks(
            "ldconfig (Debian GLIBC 2.36-9+deb12u13) stable release version 2.36"
        ));
        assert!(!asks(
            "ldconfig (Debian GLIBC 2.41-12) stable release version 2.41"
        ));
        assert!(!asks(""));
    }

    #[test]
    fn libraries_get_links_and_lines() {
        let mut machine = machine();
        let generator = "Package: libc-bin\nVersion: 2.41-12\n";
        machine.put("/var/lib/dpkg/status", generator, 0o644);
        machine.put(
            "/etc/ld.so.conf",
            "include /etc/ld.so.conf.d/*.conf\n",
            0o644,
        );
        machine.put("/etc/ld.so.conf.d/x.conf", "# here\n/opt/lib\n", 0o644);
        machine
            .files
            .mkdir_all(b"/opt/lib", 0o755)
            .expect("a folder");
        for (path, soname) in [
            ("/opt/lib/libx.so.1.2", "libx.so.1"),
            ("/opt/lib/libx.so.1.10", "libx.so.1"),
            ("/usr/lib/liby.so.2", "liby.so.2"),
        ] {
            machine
                .files
                .write(path.as_bytes(), library(soname), 0o644)
                .expect("a file");
        }
        machine.put("/usr/lib/libscript.so", "INPUT(libx.so.1)\n", 0o644);
        machine.run(&["ln", "-s", "liby.so.2", "/usr/lib/liby.so"]);
        machine.run(&["ln", "-s", "gone", "/usr/lib/libgone.so.1"]);
        assert_eq!(machine.run(&["ldconfig"]).status, 0);
        assert_eq!(
            machine
                .files
                .read_link(b"/opt/lib/libx.so.1")
                .expect("a link"),
            "libx.so.1.10"
        );
        assert!(machine.files.lnode(b"/usr/lib/libgone.so.1").is_none());
        assert_eq!(
            machine.run(&["ldconfig", "-p"]).out,
            "3 libs found in cache `/etc/ld.so.cache'\n\
             \tliby.so.2 (libc6,x86-64) => /lib/liby.so.2\n\
             \tliby.so (libc6,x86-64) => /lib/liby.so\n\
             \tlibx.so.1 (libc6,x86-64) => /opt/lib/libx.so.1\n\
             Cache generated by: ldconfig (Debian GLIBC 2.41-12) stable release version 2.41\n"
        );
        let before = machine.files.read(b"/etc/ld.so.cache").expect("a file");
        machine.run(&["ldconfig"]);
        assert_eq!(
            machine.files.read(b"/etc/ld.so.cache").expect("a file"),
            before
        );
    }
}
