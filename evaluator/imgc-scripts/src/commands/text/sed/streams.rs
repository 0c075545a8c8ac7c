//! What sed reads and writes: lines, files that are edited in place.

use bstr::{BString, ByteSlice as _};
use imgc_tree::{Content, Node};

use super::parse::Address;
use super::run::{Append, File, Range, Sed};
use crate::commands::text::spend_on;
use crate::stop::Stop;

impl Sed<'_, '_, '_> {
    // Input.

    /// Opens the next file that can be read, if the current one is at its end.
    pub(super) fn open(&mut self) -> Result<bool, Stop> {
        loop {
            if let Some(file) = &self.current {
                if file.at < file.bytes.len() {
                    return Ok(true);
                }
                if self.next_name >= self.names.len() {
                    return Ok(false);
                }
            }
            let Some(name) = self.names.get(self.next_name).cloned() else {
                return Ok(false);
            };
            self.next_name += 1;
            self.close_file()?;
            if self.settings.in_place.is_some() && name == "-" {
                return Err(Stop::unsupported("sed -i of standard input is not known"));
            }
            let path = self.process.path(&name);
            match self.process.input(&name) {
                Ok(bytes) => {
                    spend_on(self.process, bytes.len())?;
                    if self.settings.in_place.is_some() {
                        self.edited = Some(path);
                        self.flush();
                    }
                    if self.settings.separate {
                        self.number = 0;
                        for (state, command) in self.active.iter_mut().zip(&self.script.commands) {
                            *state = match command.from == Some(Address::Line(0)) {
                                true => Range::On(0),
                                false => Range::Off,
                            };
                        }
                    }
                    self.current = Some(File { name, bytes, at: 0 });
                }
                Err(crate::Errno::IsDirectory) if self.settings.in_place.is_some() => {
                    let words = format_args!("couldn't edit {name}: not a regular file");
                    self.process.complain(words);
                    self.status = 4;
                }
                Err(crate::Errno::IsDirectory) => {
                    let words = format_args!("read error on {name}: Is a directory");
                    self.process.complain(words);
                    self.status = 4;
                    self.next_name = self.names.len();
                }
                Err(error) => {
                    self.process
                        .complain(format_args!("can't read {name}: {error}"));
                    self.status = 2;
                }
            }
        }
    }

    /// Whether the line in the pattern space is the last one.
    pub(super) fn is_last(&mut self) -> bool {
        match &self.current {
            Some(file) if file.at < file.bytes.len() => return false,
            _ if self.settings.separate => return true,
            _ => {}
        }
        // Files that are empty or can't be read don't count.
        let rest = self.names[self.next_name..].to_vec();
        !rest.iter().any(|name| {
            if name == "-" {
                let fd = self.process.fds.get(&0).cloned();
                return match fd {
                    Some(crate::streams::Fd::Input(input)) => {
                        let input = input.borrow();
                        input.at < input.bytes.len()
                    }
                    Some(crate::streams::Fd::File(_)) => true,
                    _ => false,
                };
            }
            let path = self.process.path(name);
            let read = self.process.machine.files.read(&path);
            read.is_ok_and(|bytes| !bytes.is_empty())
        })
    }

    /// Reads the next line into the pattern space, or behind it.
    pub(super) fn read(&mut self, append: bool) -> Result<bool, Stop> {
        self.replaced = false;
        if !self.open()? {
            return Ok(false);
        }
        let Some(file) = &mut self.current else {
            return Ok(false);
        };
        let rest = &file.bytes[file.at..];
        let found = rest.find_byte(self.settings.end);
        let line = &rest[..found.unwrap_or(rest.len())];
        if append {
            self.space.push(self.settings.end);
        } else {
            self.space.clear();
        }
        self.space.extend_from_slice(line);
        file.at += line.len() + usize::from(found.is_some());
        let more = self.next_name < self.names.len() && !self.settings.separate;
        self.ended = found.is_some() || more;
        self.number += 1;
        self.process.machine.spend(1)?;
        Ok(true)
    }

    /// Ends the current file: one that is edited gets its new bytes.
    pub(super) fn close_file(&mut self) -> Result<(), Stop> {
        let Some(path) = self.edited.take() else {
            return Ok(());
        };
        let bytes = std::mem::take(&mut self.out);
        self.lacks_end = false;
        let files = &mut self.process.machine.files;
        let mut path = path;
        if self.settings.follow
            && let Ok((real, Some(_))) = files.resolve(&path, true)
        {
            path = format!("/{real}").replace("//", "/").into();
        }
        let Ok(stat) = files.stat(&path, true) else {
            return Ok(());
        };
        let suffix = self.settings.in_place.clone().unwrap_or_default();
        if !suffix.is_empty() {
            let base = crate::process::base(&path).to_vec();
            let name = match suffix.contains(&b'*') {
                true => suffix.replace("*", &base),
                false => [base.as_slice(), &suffix].concat(),
            };
            let folder = &path[..path.len() - base.len()];
            let backup = match name.contains(&b'/') {
                true => self.process.path(&name),
                false => BString::from([folder, &name].concat()),
            };
            let files = &mut self.process.machine.files;
            if files.rename(&path, &backup).is_err() {
                return Err(Stop::unsupported("sed -i can't keep its copy"));
            }
        }
        let files = &mut self.process.machine.files;
        let mut node = Node::file(Content::inline(bytes.as_slice()), stat.mode, files.epoch());
        (node.meta.uid, node.meta.gid) = (stat.uid, stat.gid);
        files
            .insert(&path, node)
            .map_err(|error| Stop::unsupported(format!("sed -i can't write: {error}")))?;
        Ok(())
    }

    // Output.

    /// Ends the output's last line, if that lacks its newline.
    pub(super) fn end_output(&mut self) {
        if std::mem::take(&mut self.lacks_end) {
            self.out.push(b'\n');
        }
    }

    pub(super) fn print(&mut self, bytes: &[u8]) {
        self.end_output();
        self.out.extend_from_slice(bytes);
    }

    pub(super) fn print_space(&mut self) {
        self.end_output();
        self.out.extend_from_slice(&self.space);
        if self.ended {
            self.out.push(self.settings.end);
        } else {
            self.lacks_end = true;
        }
    }

    pub(super) fn flush(&mut self) {
        if self.edited.is_none() {
            let out = std::mem::take(&mut self.out);
            self.process.out(out);
        }
    }

    pub(super) fn write_to(&mut self, output: usize, bytes: &[u8], ended: bool) {
        let number = self.outputs[output];
        let mut text = Vec::new();
        if self.lack.insert(number, !ended) == Some(true) {
            text.push(b'\n');
        }
        text.extend_from_slice(bytes);
        if ended {
            text.push(self.settings.end);
        }
        if number == 1 && self.edited.is_none() {
            // In order with the rest; whether a newline lacks is another matter.
            self.out.extend_from_slice(&text);
        } else {
            self.process.write(number, &text);
        }
    }

    pub(super) fn dump_append(&mut self) -> Result<(), Stop> {
        for append in std::mem::take(&mut self.append) {
            match append {
                Append::Text(text) => self.print(&text),
                Append::File(name) => {
                    self.flush();
                    let read = match name.as_slice() {
                        b"/dev/stdin" => self.process.input(b"-"),
                        name => self.process.input(name),
                    };
                    if let Ok(bytes) = read {
                        spend_on(self.process, bytes.len())?;
                        self.print(&bytes);
                    }
                }
            }
        }
        Ok(())
    }
}
