//! The files of an image as a folder of this machine. Everything is made in a new folder,
//! in which nothing leads out: links are made last of all, and never gone through.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use imgc_oci::read::{Contents, Limits, Opened};
use imgc_tree::{Content, Ino, Kind, Meta, Node, TreePath};

use super::open::Held;
use crate::beside::folder_beside;
use crate::describe::{self, Problem};
use crate::terminal::Terminal;

/// Writes the files of an image to a folder that is not there, or is empty.
#[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
pub(super) fn write(
    folder: &Path,
    held: &Held<'_>,
    image: &Opened<'_>,
    contents: &Contents,
    terminal: &Terminal,
) -> Result<(), Problem> {
    let wrote = |error: io::Error| describe::disk("write", folder, &error);
    match folder.read_dir().map(|mut entries| entries.next()) {
        Ok(None) => {}
        Ok(Some(_)) => {
            let message = format!("{} is there, and not empty", folder.display());
            return Err(Problem::new(message).help("name a folder that is not there yet"));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(wrote(error)),
    }
    let (mut part, _lock) = folder_beside(folder).map_err(wrote)?;
    // The new folder's owner is who this process is.
    let is_root = part.path().metadata().map_err(wrote)?.uid() == 0;
    let mut making = Making {
        root: part.path().to_owned(),
        is_root,
        left_out: 0,
        foreign: 0,
        attributes: 0,
    };
    making.all(held, image, contents)?;
    fs::rename(part.path(), folder).map_err(wrote)?;
    part.disable_cleanup(true);
    making.notices(terminal);
    Ok(())
}

/// A folder that is being filled.
struct Making {
    root: PathBuf,
    is_root: bool,
    /// Devices and pipes.
    left_out: usize,
    /// What belongs to somebody else in the image.
    foreign: usize,
    /// What has extended attributes.
    attributes: usize,
}

impl Making {
    #[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
    fn all(
        &mut self,
        held: &Held<'_>,
        image: &Opened<'_>,
        contents: &Contents,
    ) -> Result<(), Problem> {
        let tree = &contents.tree;
        let mut names: BTreeMap<Ino, Vec<&TreePath>> = BTreeMap::new();
        for (path, ino) in tree.names() {
            let node = tree.node(ino);
            self.attributes += usize::from(!node.meta.xattrs.is_empty());
            self.foreign += usize::from(node.meta.uid != 0 || node.meta.gid != 0);
            if !node.is_directory() {
                names.entry(ino).or_default().push(path);
            } else if !path.is_root() {
                let place = self.place(path);
                fs::create_dir_all(&place)
                    .map_err(|error| describe::disk("write", &place, &error))?;
                // Whatever it will be, this process has to write in it.
                self.set_mode(&place, 0o700)
                    .map_err(|error| describe::disk("write", &place, &error))?;
            }
        }
        let files: Vec<(&Content, &Meta, &[&TreePath])> = names
            .iter()
            .filter_map(|(ino, paths)| match tree.node(*ino) {
                Node {
                    meta,
                    kind: Kind::Regular(content),
                } => Some((content, meta, &**paths)),
                _ => None,
            })
            .collect();
        let wanted: Vec<&Content> = files.iter().map(|(content, ..)| *content).collect();
        let mut failed = None;
        let visited = image.visit(&wanted, &Limits::IMAGE, &mut |at, body| {
            let (_, meta, paths) = files[at];
            self.file(paths, meta, body).inspect_err(|error| {
                failed = Some(describe::disk("write", &self.place(paths[0]), error));
            })
        });
        if let Some(problem) = failed {
            return Err(problem);
        }
        visited.map_err(|error| held.problem(&error))?;
        for (ino, paths) in &names {
            let Node { meta, kind } = tree.node(*ino);
            match kind {
                Kind::Symlink(target) => {
                    let made = self.link(paths, target, meta);
                    made.map_err(|error| describe::disk("write", &self.place(paths[0]), &error))?;
                }
                Kind::Regular(_) | Kind::Directory => {}
                _ => self.left_out += paths.len(),
            }
        }
        // The deepest first: a folder that nobody may write in is full by then.
        let folders: Vec<_> = tree
            .iter()
            .filter(|(_, node)| node.is_directory())
            .collect();
        for (path, node) in folders.into_iter().rev() {
            let place = self.place(path);
            let set = File::open(&place).and_then(|open| {
                self.own(&place, &node.meta)?;
                self.set_mode(&place, node.meta.mode)?;
                set_time(&open, &node.meta)
            });
            set.map_err(|error| describe::disk("write", &place, &error))?;
        }
        Ok(())
    }

    fn place(&self, path: &TreePath) -> PathBuf {
        self.root.join(std::ffi::OsStr::from_bytes(path.as_bytes()))
    }

    fn file(&self, paths: &[&TreePath], meta: &Meta, body: &mut dyn Read) -> io::Result<()> {
        let place = self.place(paths[0]);
        // Nothing stands there: what does was not made here.
        let mut file = File::options().write(true).create_new(true).open(&place)?;
        io::copy(body, &mut file)?;
        self.own(&place, meta)?;
        self.set_mode(&place, meta.mode)?;
        set_time(&file, meta)?;
        let mut others = paths[1..].iter();
        others.try_for_each(|other| fs::hard_link(&place, self.place(other)))
    }

    fn link(&self, paths: &[&TreePath], target: &[u8], meta: &Meta) -> io::Result<()> {
        for path in paths {
            let place = self.place(path);
            symlink(std::ffi::OsStr::from_bytes(target), &place)?;
            self.own(&place, meta)?;
        }
        Ok(())
    }

    fn own(&self, place: &Path, meta: &Meta) -> io::Result<()> {
        if !self.is_root {
            return Ok(());
        }
        lchown(place, Some(meta.uid), Some(meta.gid))
    }

    fn set_mode(&self, place: &Path, mode: u32) -> io::Result<()> {
        // Without the owner it is about, a file that runs as its owner is another thing.
        let mode = if self.is_root { mode } else { mode & 0o1777 };
        fs::set_permissions(place, Permissions::from_mode(mode))
    }

    fn notices(&self, terminal: &Terminal) {
        let mut notes = Vec::new();
        if !self.is_root && self.foreign > 0 {
            let count = self.foreign;
            notes.push(format!(
                "{count} files belong to others in the image, and to you here"
            ));
        }
        if !self.is_root {
            notes.push("no file runs as its owner or group here".to_owned());
        }
        if self.left_out > 0 {
            notes.push(format!("{} devices and pipes were left out", self.left_out));
        }
        if self.attributes > 0 {
            notes.push(format!(
                "{} files lack their extended attributes",
                self.attributes
            ));
        }
        if self.left_out + self.attributes > 0 || (!self.is_root && self.foreign > 0) {
            let mut problem = Problem::new("the folder is not all that the image is");
            for note in notes {
                problem = problem.note(note);
            }
            terminal.warning(&problem.help("tar:FILE has everything"));
        }
    }
}

fn set_time(file: &File, meta: &Meta) -> io::Result<()> {
    let amount = Duration::from_secs(meta.mtime.unsigned_abs());
    let time = match meta.mtime {
        0.. => SystemTime::UNIX_EPOCH.checked_add(amount),
        _ => SystemTime::UNIX_EPOCH.checked_sub(amount),
    };
    match time {
        Some(time) => file.set_modified(time),
        None => Ok(()),
    }
}
