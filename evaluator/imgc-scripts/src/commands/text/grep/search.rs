//! What grep does with the files that it is given.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::{Binary, Folders, Grep};
use crate::commands::text::{glob, spend_on};
use crate::process::Process;
use crate::stop::Stop;
use crate::streams::Fd;

impl Grep {
    fn complain(&mut self, process: &mut Process<'_, '_>, name: &[u8], what: impl ToString) {
        self.failed = true;
        if !self.silent {
            let what = what.to_string();
            process.complain(format_args!("{}: {what}", name.as_bstr()));
        }
    }

    pub(super) fn operand(
        &mut self,
        process: &mut Process<'_, '_>,
        name: &BString,
    ) -> Result<(), Stop> {
        let path = process.path(name);
        if name != "-" && process.machine.files.is_directory(&path) {
            return match self.folders {
                Folders::Skip => Ok(()),
                Folders::Read => {
                    self.complain(process, name, "Is a directory");
                    Ok(())
                }
                Folders::Recurse => {
                    let mut shown = name.clone();
                    if !shown.ends_with(b"/") {
                        shown.push(b'/');
                    }
                    self.folder(process, &path, &shown)
                }
            };
        }
        if name != "-" && !self.wanted(name) {
            return Ok(());
        }
        self.input(process, name)
    }

    fn wanted(&self, name: &[u8]) -> bool {
        let base = crate::process::base(name);
        let matches =
            |globs: &[BString]| globs.iter().any(|one| glob(one, base) || glob(one, name));
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }

    /// Searches a folder. `shown` is what its files' names begin with.
    pub(super) fn folder(
        &mut self,
        process: &mut Process<'_, '_>,
        path: &[u8],
        shown: &[u8],
    ) -> Result<(), Stop> {
        let path = process.path(path);
        // What is found in a folder needs its name.
        self.names |= self.names_in_folders;
        let names = process.machine.files.list(&path).unwrap_or_default();
        process.machine.spend(names.len() as u64)?;
        for name in names {
            let mut full = path.clone();
            full.push(b'/');
            full.extend_from_slice(&name);
            let mut show = BString::from(shown);
            show.extend_from_slice(&name);
            let Ok(stat) = process.machine.files.stat(&full, false) else {
                continue;
            };
            match stat.kind {
                b'd' if self.exclude_folders.iter().any(|g| glob(g, &name)) => {}
                b'd' => {
                    show.push(b'/');
                    self.folder(process, &full, &show)?;
                }
                b'f' if self.wanted(&name) => {
                    let read = process.machine.files.read(&full);
                    match read {
                        Ok(bytes) => self.search(process, &bytes, &show, Some(stat.ino))?,
                        Err(error) => self.complain(process, &show, error),
                    }
                }
                b'l' if self.wanted(&name) && self.folders == Folders::Recurse
                    // `-r` follows no links below its operands; `-R` is refused where
                    // that would matter.
                    && process.args.iter().any(|arg| is_dereference(arg)) =>
                {
                    return Err(Stop::unsupported("grep -R over links is not known"));
                }
                _ => {}
            }
            if self.quiet && self.matched {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn input(&mut self, process: &mut Process<'_, '_>, name: &[u8]) -> Result<(), Stop> {
        let path = process.path(name);
        let ino = process.machine.files.find(&path, true).ok();
        let ino = ino.filter(|_| name != b"-");
        match process.input(name) {
            Ok(bytes) => {
                let shown = match name {
                    b"-" => self.label.clone(),
                    _ => name.into(),
                };
                self.search(process, &bytes, &shown, ino)
            }
            Err(error) => {
                self.complain(process, name, error);
                Ok(())
            }
        }
    }

    fn is_selected(&self, line: &[u8]) -> Result<bool, Stop> {
        let found = match &self.pattern {
            Some(pattern) => pattern.is_match(line)?,
            None => false,
        };
        Ok(found != self.invert)
    }

    fn search(
        &mut self,
        process: &mut Process<'_, '_>,
        bytes: &Rc<Vec<u8>>,
        name: &[u8],
        ino: Option<imgc_tree::Ino>,
    ) -> Result<(), Stop> {
        let shows = !self.quiet && self.list.is_none();
        if let (Some(ino), Some(Fd::File(open))) = (ino, process.fds.get(&1))
            && shows
            && self.most > 1
            && open.borrow().ino == ino
        {
            self.complain(process, name, "input file is also the output");
            return Ok(());
        }
        spend_on(process, bytes.len())?;
        let nul = self.end != 0 && bytes.contains(&0);
        let binary = self.binary != Binary::Text && nul;
        if binary && self.binary == Binary::Skip {
            self.listed(name, 0);
            return Ok(());
        }
        // In a binary file a NUL ends a line too.
        let zapped = binary.then(|| bytes.replace("\0", "\n"));
        let bytes = zapped.as_deref().unwrap_or(bytes.as_slice());
        let mut count = 0;
        let mut context = Context::default();
        let mut says = false;
        let mut number = 0;
        let mut at = 0;
        while at < bytes.len() && count < self.most {
            let end = bytes[at..]
                .find_byte(self.end)
                .map_or(bytes.len(), |len| at + len);
            let line = &bytes[at..end];
            number += 1;
            process.machine.spend(1)?;
            let place = Place { number, offset: at };
            if self.is_selected(line)? {
                count += 1;
                self.matched = true;
                if self.quiet || self.list.is_some() {
                    break;
                }
                if !self.count {
                    if binary {
                        says = true;
                        break;
                    }
                    // A line that is no text is left out, and said at the end.
                    if self.binary != Binary::Text && self.utf8 && !line.is_utf8() {
                        says = true;
                    } else {
                        self.selected(bytes, &mut context, line, place, name)?;
                    }
                }
            } else if shows && !self.count && !binary {
                self.unselected(&mut context, line, place, name);
            }
            at = end + 1;
        }
        if count >= self.most && count > 0 && shows && !self.count && !binary {
            // What follows the last line that `-m` allows is context still.
            while at < bytes.len() && context.after > 0 {
                let end = bytes[at..]
                    .find_byte(self.end)
                    .map_or(bytes.len(), |len| at + len);
                number += 1;
                let line = &bytes[at..end];
                if self.is_selected(line)? {
                    break;
                }
                self.unselected(&mut context, line, Place { number, offset: at }, name);
                at = end + 1;
            }
        }
        if says && self.binary == Binary::Say {
            process.complain(format_args!("{}: binary file matches", name.as_bstr()));
        }
        if self.count && shows {
            if self.names {
                self.out.extend_from_slice(name);
                self.out.push(if self.null_names { 0 } else { b':' });
            }
            self.out.extend_from_slice(format!("{count}\n").as_bytes());
        }
        self.listed(name, count);
        Ok(())
    }

    fn listed(&mut self, name: &[u8], count: usize) {
        if self.list == Some(count > 0) {
            self.out.extend_from_slice(name);
            self.out.push(if self.null_names { 0 } else { b'\n' });
        }
    }

    fn selected(
        &mut self,
        bytes: &[u8],
        context: &mut Context,
        line: &[u8],
        place: Place,
        name: &[u8],
    ) -> Result<(), Stop> {
        let first = context
            .before
            .first()
            .map_or(place.number, |(_, place)| place.number);
        let gap = context.last == 0 || first > context.last + 1;
        if gap && self.contexts && self.printed {
            self.out.extend_from_slice(b"--\n");
        }
        self.printed = true;
        context.last = place.number;
        if self.only {
            return self.matches(line, place, name);
        }
        for ((from, to), place) in std::mem::take(&mut context.before) {
            self.line(&bytes[from..to], place, name, b'-');
        }
        self.line(line, place, name, b':');
        context.after = self.after;
        Ok(())
    }

    fn unselected(&mut self, context: &mut Context, line: &[u8], place: Place, name: &[u8]) {
        if self.only {
            return;
        }
        if context.after > 0 {
            context.after -= 1;
            context.last = place.number;
            self.line(line, place, name, b'-');
        } else if self.before > 0 {
            if context.before.len() == self.before {
                context.before.remove(0);
            }
            let span = (place.offset, place.offset + line.len());
            context.before.push((span, place));
        }
    }

    /// `-o`: every match on a line of its own.
    fn matches(&mut self, line: &[u8], place: Place, name: &[u8]) -> Result<(), Stop> {
        if self.invert {
            return Ok(());
        }
        let Some(pattern) = self.pattern.take() else {
            return Ok(());
        };
        let mut from = 0;
        while let Some((start, end)) = pattern.find(line, from)? {
            if start == end {
                let len = bstr::decode_utf8(&line[start..]).1.max(1);
                from = start + len;
                if from > line.len() {
                    break;
                }
                continue;
            }
            let offset = place.offset + start;
            let place = Place { offset, ..place };
            self.line(&line[start..end], place, name, b':');
            from = end;
        }
        self.pattern = Some(pattern);
        Ok(())
    }

    fn line(&mut self, line: &[u8], place: Place, name: &[u8], mark: u8) {
        if self.names {
            self.out.extend_from_slice(name);
            self.out.push(if self.null_names { 0 } else { mark });
        }
        for (wanted, number) in [(self.numbers, place.number), (self.offsets, place.offset)] {
            if wanted {
                self.out.extend_from_slice(number.to_string().as_bytes());
                self.out.push(mark);
            }
        }
        self.out.extend_from_slice(line);
        self.out.push(self.end);
    }
}

/// Where a line is.
#[derive(Debug, Clone, Copy)]
struct Place {
    number: usize,
    offset: usize,
}

/// The lines around those that are selected.
#[derive(Debug, Default)]
struct Context {
    /// Lines that may become context, with where they are.
    before: Vec<((usize, usize), Place)>,
    /// How many more lines are context.
    after: usize,
    /// The number of the last line that was printed; 0 for none.
    last: usize,
}

fn is_dereference(arg: &[u8]) -> bool {
    arg == b"--dereference-recursive"
        || (arg.starts_with(b"-") && !arg.starts_with(b"--") && arg.contains(&b'R'))
}
