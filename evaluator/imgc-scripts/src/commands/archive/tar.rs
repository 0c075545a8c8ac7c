//! tar: its options, and listing. Making archives is in `create`, taking them apart in
//! `extract`.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::create;
use super::extract;
use super::unpack::{Packing, unpack};
use crate::commands::files::failed;
use crate::commands::files::glob::matches;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Program, Status};
use crate::stop::Stop;
use crate::streams::Fd;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "tar",
    origin: Origin::Essential,
    run: tar,
}];

/// Letters that have no short form of their own: A patterns that leave out, B components
/// to strip, C folders (as tar has it), D files as they come, E no recursion, F an owner,
/// G a group, H zstd, I a mode, K an order of names, L a moment, N nothing of meaning.
const KNOWN: Known = Known {
    short: "xctf:zjJC:pvkOmhPaSUoW",
    long: &[
        ("extract", 'x'),
        ("get", 'x'),
        ("create", 'c'),
        ("list", 't'),
        ("file=", 'f'),
        ("gzip", 'z'),
        ("gunzip", 'z'),
        ("bzip2", 'j'),
        ("xz", 'J'),
        ("zstd", 'H'),
        ("auto-compress", 'a'),
        ("directory=", 'C'),
        ("preserve-permissions", 'p'),
        ("same-permissions", 'p'),
        ("same-owner", 's'),
        ("no-same-owner", 'o'),
        ("no-same-permissions", 'Q'),
        ("numeric-owner", 'n'),
        ("verbose", 'v'),
        ("keep-old-files", 'k'),
        ("to-stdout", 'O'),
        ("touch", 'm'),
        ("dereference", 'h'),
        ("absolute-names", 'P'),
        ("exclude=", 'A'),
        ("strip-components=", 'B'),
        ("overwrite", 'N'),
        ("unlink-first", 'U'),
        ("one-file-system", 'N'),
        ("sparse", 'S'),
        ("no-recursion", 'E'),
        ("sort=", 'K'),
        ("mtime=", 'L'),
        ("owner=", 'F'),
        ("group=", 'G'),
        ("warning=", 'w'),
        ("format=", 'w'),
    ],
};

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Job {
    pub(super) folder: BString,
    /// Operands, each with the folder that it is in.
    pub(super) members: Vec<(BString, BString)>,
    pub(super) exclude: Vec<BString>,
    pub(super) strip: usize,
    pub(super) verbose: bool,
    /// `-k`
    pub(super) keep: bool,
    /// `-O`
    pub(super) out: bool,
    /// `-m`
    pub(super) touch: bool,
    /// `-h`
    pub(super) follow: bool,
    /// `-P`
    pub(super) absolute: bool,
    /// Whether owners are those of the archive.
    pub(super) owner: bool,
    /// Whether owners are taken by their numbers alone.
    pub(super) numeric: bool,
    /// Whether the umask counts.
    pub(super) masked: bool,
    /// Whether what is in folders is left out.
    pub(super) flat: bool,
}

impl Job {
    /// Whether a member is left out.
    pub(super) fn excludes(&self, name: &[u8]) -> bool {
        // A pattern is of a whole name, or of what begins after one of its slashes.
        let name = name.strip_suffix(b"/").unwrap_or(name);
        self.exclude.iter().any(|pattern| {
            let starts = name.find_iter(b"/").map(|at| at + 1);
            std::iter::once(0)
                .chain(starts)
                .any(|at| matches(pattern, &name[at..], false))
        })
    }
}

fn tar(process: &mut Process<'_, '_>) -> Outcome {
    let args = modern(&process.args[1..]);
    // Folders apply to the operands after them, so that arguments are read one by one.
    let parsed = parse(&args, &KNOWN)?;
    let has = |letters: &str| parsed.has(letters);
    let mut job = Job {
        folder: process.cwd.clone(),
        exclude: Vec::new(),
        verbose: has("v"),
        keep: has("k"),
        out: has("O"),
        touch: has("m"),
        follow: has("h"),
        absolute: has("P"),
        owner: !has("o"),
        numeric: has("n"),
        masked: has("Q"),
        flat: has("E"),
        ..Job::default()
    };
    if has("SLFGW") {
        return Err(Stop::unsupported("this option of tar is not known"));
    }
    for (letter, value) in &parsed.options {
        let Some(value) = value else { continue };
        match letter {
            'A' => job.exclude.push(value.clone()),
            'B' => {
                let number = value.to_str().ok().and_then(|text| text.parse().ok());
                let Some(number) = number else {
                    return failed(process, "Invalid number of elements").map(|_| Status(2));
                };
                job.strip = number;
            }
            'C' => job.folder = inside(process, &job.folder.clone(), value),
            'K' if value != "none" && value != "name" => {
                return Err(Stop::unsupported("this order of tar is not known"));
            }
            _ => {}
        }
    }
    let folders = parsed.options.iter().filter(|(c, _)| *c == 'C').count();
    if folders > 1 {
        return Err(Stop::unsupported(
            "more than one folder for tar is not known",
        ));
    }
    if !process.machine.files.is_directory(&job.folder) {
        let folder = job.folder.clone();
        process.complain(format_args!(
            "{folder}: Cannot open: No such file or directory"
        ));
        return Ok(Status(2));
    }
    let operands = parsed.operands.iter();
    job.members = operands
        .map(|name| (name.clone(), job.folder.clone()))
        .collect();
    let packing = match parsed.last("zjJH") {
        Some('z') => Some(Packing::Gzip),
        Some('j') => Some(Packing::Bzip2),
        Some('J') => Some(Packing::Xz),
        Some(_) => Some(Packing::Zstd),
        None => None,
    };
    let file = parsed.value('f').filter(|name| *name != "-").cloned();
    match parsed.last("xct") {
        Some('c') => {
            let pipe = matches!(process.fds.get(&1), Some(Fd::Output(_) | Fd::Null));
            let nowhere = file.as_ref().is_some_and(|name| name == "/dev/null");
            if packing.is_some() || !(nowhere || file.is_none() && pipe) {
                return Err(Stop::unsupported(
                    "the bytes of an archive hang on when its files were made",
                ));
            }
            create::create(process, &job, nowhere)
        }
        Some(mode) => {
            let Some(archive) = read(process, file, packing)? else {
                return Ok(Status(2));
            };
            match mode {
                'x' => extract::extract(process, &job, &archive),
                _ => extract::list(process, &job, &archive),
            }
        }
        None => failed(process, "You must specify one of the options").map(|_| Status(2)),
    }
}

/// The arguments with the old form, letters without a dash, made new.
fn modern(args: &[BString]) -> Vec<BString> {
    let Some((first, rest)) = args.split_first() else {
        return Vec::new();
    };
    if first.starts_with(b"-") {
        return args.to_vec();
    }
    let mut rest = rest.iter();
    let mut made = Vec::new();
    for &letter in first.iter() {
        made.push(BString::from([b'-', letter]));
        if matches!(letter, b'f' | b'C')
            && let Some(value) = rest.next()
        {
            made.push(value.clone());
        }
    }
    made.extend(rest.cloned());
    made
}

fn inside(process: &Process<'_, '_>, folder: &BString, name: &[u8]) -> BString {
    if name.starts_with(b"/") {
        return process.path(name);
    }
    [folder, b"/".as_slice(), name].concat().into()
}

/// The bytes of an archive, unpacked. None where that fails, which has been said.
fn read(
    process: &mut Process<'_, '_>,
    file: Option<BString>,
    packing: Option<Packing>,
) -> Result<Option<Rc<Vec<u8>>>, Stop> {
    let name = file.unwrap_or_else(|| "-".into());
    let bytes = match process.input(&name) {
        Ok(bytes) => bytes,
        Err(error) => {
            process.complain(format_args!("{name}: Cannot open: {error}"));
            return Ok(None);
        }
    };
    let found = Packing::of(&bytes);
    let Some(found) = found else {
        if packing.is_some() && !bytes.is_empty() {
            process.complain("Child returned status 1");
            return Ok(None);
        }
        return Ok(Some(bytes));
    };
    if packing.is_some_and(|packing| packing != found) || packing.is_none() && name == "-" {
        process.complain("Archive is compressed. Use another option");
        return Ok(None);
    }
    if process.program(found.program().into()) == Program::Absent {
        process.complain(format_args!("{}: Cannot exec", found.program()));
        return Ok(None);
    }
    let unpacked = unpack(process, &bytes, found)?;
    if unpacked.is_none() {
        process.complain("Unexpected EOF in archive");
    }
    Ok(unpacked.map(Rc::new))
}
