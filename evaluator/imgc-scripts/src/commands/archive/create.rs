//! tar -c: the archive goes to a pipe, to be read by another tar.

use bstr::{BString, ByteSlice as _};
use imgc_tree::Kind;
use tar::{Builder, EntryType, Header};

use super::tar::Job;
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

/// Writes the archive of a job's members to standard output, or `nowhere`.
pub(super) fn create(process: &mut Process<'_, '_>, job: &Job, nowhere: bool) -> Outcome {
    if job.members.is_empty() {
        process.complain("Cowardly refusing to create an empty archive");
        return Ok(Status(2));
    }
    let mut builder = Builder::new(Vec::new());
    let mut status = Status::OK;
    for (name, folder) in &job.members {
        let mut todo = vec![name.clone()];
        while let Some(name) = todo.pop() {
            process.machine.spend(1)?;
            if job.excludes(&name) {
                continue;
            }
            let path = match name.starts_with(b"/") {
                true => name.clone(),
                false => BString::from([folder, b"/".as_slice(), &name].concat()),
            };
            match add(process, job, &mut builder, &name, &path)? {
                Some(below) => todo.extend(below),
                None => {
                    process.complain(format_args!(
                        "{name}: Cannot stat: No such file or directory"
                    ));
                    status = Status(2);
                }
            }
        }
    }
    let Ok(bytes) = builder.into_inner() else {
        return Err(Stop::unsupported("an archive can't be made"));
    };
    if !nowhere {
        process.write(1, &bytes);
    }
    Ok(status)
}

/// Adds a member. Gives what is below it, to be added last first; none where nothing is.
fn add(
    process: &mut Process<'_, '_>,
    job: &Job,
    builder: &mut Builder<Vec<u8>>,
    name: &BString,
    path: &BString,
) -> Result<Option<Vec<BString>>, Stop> {
    let files = &mut process.machine.files;
    let Ok(stat) = files.stat(path, job.follow) else {
        return Ok(None);
    };
    let node = match job.follow {
        true => files.node(path),
        false => files.lnode(path),
    };
    let Some(kind) = node.map(|node| node.kind.clone()) else {
        return Ok(None);
    };
    let odd = || Stop::unsupported(format!("{name} can't be put into an archive"));
    let mut inner: &[u8] = match job.absolute {
        true => name,
        false => name.trim_start_with(|c| c == '/'),
    };
    if inner.is_empty() {
        inner = b"./";
    }
    let mut header = Header::new_gnu();
    header.set_mode(stat.mode);
    header.set_uid(stat.uid.into());
    header.set_gid(stat.gid.into());
    header.set_mtime(u64::try_from(stat.mtime).unwrap_or(0));
    header.set_size(0);
    let mut below = Vec::new();
    let added = match kind {
        Kind::Directory => {
            header.set_entry_type(EntryType::Directory);
            if !job.flat {
                let names = files.list(path).unwrap_or_default();
                let slash = if name.ends_with(b"/") { "" } else { "/" };
                below = names
                    .iter()
                    .rev()
                    .map(|child| BString::from(format!("{name}{slash}{child}")))
                    .collect();
            }
            let inner = [inner.trim_end_with(|c| c == '/'), b"/"].concat();
            append(builder, &mut header, &inner, b"", b"")
        }
        Kind::Regular(_) => {
            if files.link_count(stat.ino) > 1 {
                return Err(Stop::unsupported(
                    "tar of files with many names is not known",
                ));
            }
            let Ok(bytes) = files.read_ino(stat.ino) else {
                return Ok(None);
            };
            process.machine.spend(bytes.len() as u64 / 256)?;
            header.set_entry_type(EntryType::Regular);
            header.set_size(bytes.len() as u64);
            append(builder, &mut header, inner, b"", &bytes)
        }
        Kind::Symlink(target) => {
            header.set_entry_type(EntryType::Symlink);
            append(builder, &mut header, inner, &target, b"")
        }
        _ => return Err(odd()),
    };
    added.map_err(|_| odd())?;
    if job.verbose {
        process.err(format!("{name}\n"));
    }
    Ok(Some(below))
}

/// Appends a member under a name that is written as it is, however long.
fn append(
    builder: &mut Builder<Vec<u8>>,
    header: &mut Header,
    name: &[u8],
    link: &[u8],
    bytes: &[u8],
) -> std::io::Result<()> {
    for (text, kind) in [
        (name, EntryType::GNULongName),
        (link, EntryType::GNULongLink),
    ] {
        if text.len() > 100 {
            let mut long = Header::new_gnu();
            long.set_entry_type(kind);
            long.set_size(text.len() as u64 + 1);
            long.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
            long.set_cksum();
            builder.append(&long, [text, b"\0"].concat().as_slice())?;
        }
    }
    let old = header.as_old_mut();
    for (field, text) in [(&mut old.name, name), (&mut old.linkname, link)] {
        let length = text.len().min(field.len());
        field[..length].copy_from_slice(&text[..length]);
    }
    header.set_cksum();
    builder.append(header, bytes)
}
