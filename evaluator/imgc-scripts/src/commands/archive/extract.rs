//! tar -x and tar -t.

use bstr::{BString, ByteSlice as _};
use std::io::Read as _;

use tar::{Archive, Entry, EntryType};

use super::tar::Job;
use crate::commands::accounts::nss;
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

/// One member, read.
struct Member {
    name: BString,
    link: BString,
    kind: EntryType,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: i64,
    bytes: Vec<u8>,
}

/// Lists the archive's names.
pub(super) fn list(process: &mut Process<'_, '_>, job: &Job, archive: &[u8]) -> Outcome {
    if job.verbose {
        return Err(Stop::unsupported("tar -tv is not known"));
    }
    each(process, job, archive, |process, member| {
        let mut line = member.name;
        line.push(b'\n');
        process.out(line);
        Ok(true)
    })
}

/// Puts the archive's members into the tree.
pub(super) fn extract(process: &mut Process<'_, '_>, job: &Job, archive: &[u8]) -> Outcome {
    // What folders get is set last, as if nothing had been put into them since.
    let mut folders: Vec<(BString, Member)> = Vec::new();
    let status = each(process, job, archive, |process, mut member| {
        if job.verbose {
            let mut line = member.name.clone();
            line.push(b'\n');
            process.write(if job.out { 2 } else { 1 }, &line);
        }
        if job.out {
            process.out(&member.bytes);
            return Ok(true);
        }
        let Some(name) = stripped(&member.name, job.strip) else {
            return Ok(true);
        };
        if name.split(|&b| b == b'/').any(|part| part == b"..") {
            process.complain(format_args!("{name}: Member name contains '..'"));
            return Ok(false);
        }
        let path = match job.absolute && name.starts_with(b"/") {
            true => name.clone(),
            false => {
                let inner = name.trim_start_with(|c| c == '/');
                BString::from([&job.folder, b"/".as_slice(), inner].concat())
            }
        };
        let path: BString = path.trim_end_with(|c| c == '/').into();
        if member.kind.is_hard_link() {
            let Some(link) = stripped(&member.link, job.strip) else {
                return Ok(true);
            };
            let inner = link.trim_start_with(|c| c == '/');
            member.link = [&job.folder, b"/".as_slice(), inner].concat().into();
        }
        let done = place(process, job, &path, &member)?;
        if done && member.kind.is_dir() {
            folders.push((path, member));
        }
        Ok(done)
    })?;
    for (path, member) in folders.into_iter().rev() {
        finish(process, job, &path, &member);
    }
    Ok(status)
}

/// Calls `act` with each member that the job wants; it says whether that went well.
fn each(
    process: &mut Process<'_, '_>,
    job: &Job,
    archive: &[u8],
    mut act: impl FnMut(&mut Process<'_, '_>, Member) -> Result<bool, Stop>,
) -> Outcome {
    let mut archive = Archive::new(archive);
    let Ok(entries) = archive.entries() else {
        return broken(process);
    };
    let mut found = vec![false; job.members.len()];
    let mut status = Status::OK;
    for entry in entries {
        process.machine.spend(1)?;
        let Ok(mut entry) = entry else {
            return broken(process);
        };
        let Some(member) = member(process, job, &mut entry)? else {
            return broken(process);
        };
        let bare = member.name.strip_suffix(b"/").unwrap_or(&member.name);
        let wanted = job.members.iter().enumerate().filter(|(_, (name, _))| {
            let name = name.strip_suffix(b"/").unwrap_or(name);
            bare.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        });
        let wanted: Vec<usize> = wanted.map(|(at, _)| at).collect();
        if !job.members.is_empty() && wanted.is_empty() || job.excludes(bare) {
            continue;
        }
        for at in wanted {
            found[at] = true;
        }
        process.machine.spend(member.bytes.len() as u64 / 256)?;
        if !act(process, member)? {
            status = Status(2);
        }
    }
    for ((name, _), found) in job.members.iter().zip(found) {
        if !found {
            process.complain(format_args!("{name}: Not found in archive"));
            status = Status(2);
        }
    }
    Ok(status)
}

fn broken(process: &mut Process<'_, '_>) -> Outcome {
    process.complain("This does not look like a tar archive");
    Ok(Status(2))
}

fn member(
    process: &mut Process<'_, '_>,
    job: &Job,
    entry: &mut Entry<'_, &[u8]>,
) -> Result<Option<Member>, Stop> {
    let header = entry.header();
    let kind = header.entry_type();
    let numbers = (|| {
        let (mode, mtime) = (header.mode().ok()?, header.mtime().ok()?);
        let uid = u32::try_from(header.uid().ok()?).ok()?;
        let gid = u32::try_from(header.gid().ok()?).ok()?;
        Some((mode & 0o7777, i64::try_from(mtime).ok()?, uid, gid))
    })();
    let Some((mode, mtime, mut uid, mut gid)) = numbers else {
        return Ok(None);
    };
    if !job.numeric {
        let user = header.username_bytes().map(<[u8]>::to_vec);
        let group = header.groupname_bytes().map(<[u8]>::to_vec);
        if let Some(user) = user.filter(|name| !name.is_empty()) {
            uid = nss::user_named(process.machine, &user)?.map_or(uid, |user| user.uid);
        }
        if let Some(group) = group.filter(|name| !name.is_empty()) {
            gid = nss::group_named(process.machine, &group)?.map_or(gid, |group| group.gid);
        }
    }
    let name = BString::from(entry.path_bytes().into_owned());
    let link = entry.link_name_bytes().map(|link| link.into_owned());
    let mut bytes = Vec::new();
    let limit = process.machine.setup.limits.file as u64;
    if entry.size() > limit || entry.read_to_end(&mut bytes).is_err() {
        return Ok(None);
    }
    Ok(Some(Member {
        name,
        link: link.unwrap_or_default().into(),
        kind,
        mode,
        uid,
        gid,
        mtime,
        bytes,
    }))
}

/// A name without its first `count` parts; none where nothing is left.
fn stripped(name: &BString, count: usize) -> Option<BString> {
    if count == 0 {
        return Some(name.clone());
    }
    let mut rest: &[u8] = name;
    for _ in 0..count {
        rest = rest.trim_start_with(|c| c == '/');
        rest = &rest[rest.find_byte(b'/')? + 1..];
    }
    let rest = rest.trim_start_with(|c| c == '/');
    (!rest.is_empty()).then(|| rest.into())
}

fn place(
    process: &mut Process<'_, '_>,
    job: &Job,
    path: &BString,
    member: &Member,
) -> Result<bool, Stop> {
    let files = &mut process.machine.files;
    if let Some(at) = path.rfind_byte(b'/').filter(|at| *at > 0)
        && files
            .mkdir_all(&path[..at], 0o777 & !process.umask)
            .is_err()
    {
        process.complain(format_args!("{path}: Cannot open"));
        return Ok(false);
    }
    let there = files.lnode(path).map(imgc_tree::Node::is_directory);
    if member.kind.is_dir() {
        if there == Some(true) || path.is_empty() {
            return Ok(true);
        }
        let removed = there.is_none() || files.unlink(path).is_ok();
        return Ok(removed && files.mkdir(path, 0o700).is_ok());
    }
    match there {
        Some(_) if job.keep => {
            process.complain(format_args!("{path}: Cannot open: File exists"));
            return Ok(false);
        }
        Some(true) if files.rmdir(path).is_err() => {
            process.complain(format_args!("{path}: Cannot open: Is a directory"));
            return Ok(false);
        }
        Some(false) => {
            let _gone = files.unlink(path);
        }
        _ => {}
    }
    let done = match member.kind {
        EntryType::Regular | EntryType::Continuous => {
            files.write(path, member.bytes.clone(), 0o600).map(|_| ())
        }
        EntryType::Symlink => files.symlink(&member.link, path),
        EntryType::Link => {
            let done = files.hard_link(&member.link, path);
            if let Err(error) = done {
                process.complain(format_args!("{path}: Cannot hard link: {error}"));
            }
            return Ok(done.is_ok());
        }
        _ => return Err(Stop::unsupported("tar can't make this kind of file")),
    };
    if let Err(error) = done {
        process.complain(format_args!("{path}: Cannot open: {error}"));
        return Ok(false);
    }
    finish(process, job, path, member);
    Ok(true)
}

/// Sets owner, mode and time of what is there.
fn finish(process: &mut Process<'_, '_>, job: &Job, path: &BString, member: &Member) {
    let path: &[u8] = if path.is_empty() { b"/" } else { path };
    let link = member.kind.is_symlink();
    let files = &mut process.machine.files;
    if job.owner {
        let _there = files.chown(path, Some(member.uid), Some(member.gid), false);
    }
    if !link {
        let mask = if job.masked { process.umask } else { 0 };
        let _there = files.chmod(path, member.mode & !mask);
    }
    if !job.touch {
        let _there = files.set_time(path, member.mtime, false);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn a_pipe_of_two_copies_a_folder() {
        let mut machine = machine();
        machine.put("/a/x/one", "1\n", 0o4755);
        machine.put("/a/two", "2\n", 0o640);
        machine.put("/etc/passwd", "root:x:0:0::/:\ndaemon:x:1:1::/:\n", 0o644);
        machine.files.symlink(b"two", b"/a/three").unwrap();
        machine
            .files
            .chown(b"/a/two", Some(1), Some(7), true)
            .unwrap();
        machine.files.chmod(b"/a/x", 0o2750).unwrap();
        machine.files.mkdir(b"/b", 0o755).unwrap();
        let copy = "(cd /a && tar cf - --exclude=nothing .) | tar -C /b -xpf - && \
            tar -C /a -c x two | tar t && tar -c -C /a two | tar -xO two && \
            tar -C /a -c . | tar x -C /b --strip-components=2";
        let ran = machine.run(&["sh", "-c", copy]);
        assert_eq!((ran.status, ran.err.as_str()), (0, ""));
        assert_eq!(ran.out, "x/\nx/one\ntwo\n2\n");
        let stat = machine.files.stat(b"/b/two", false).unwrap();
        assert_eq!((stat.mode, stat.uid, stat.gid), (0o640, 1, 7));
        assert_eq!(machine.files.stat(b"/b/x", false).unwrap().mode, 0o2750);
        assert_eq!(machine.files.stat(b"/b/x/one", false).unwrap().mode, 0o4755);
        assert_eq!(machine.files.read_link(b"/b/three").unwrap(), "two");
        assert_eq!(machine.text("/b/one"), "1\n");
        assert!(
            machine
                .run_with(&["tar", "cf", "/a.tar", "/a"], "")
                .is_err()
        );
        assert_eq!(machine.run(&["tar", "xf", "/none.tar"]).status, 2);
        machine.put("/bad.tar", "no archive at all", 0o644);
        assert_eq!(machine.run(&["tar", "xf", "/bad.tar"]).status, 2);
    }
}
