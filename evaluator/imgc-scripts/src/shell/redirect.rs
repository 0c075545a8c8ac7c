//! Redirections.

use bstr::ByteSlice as _;

use super::flow::{Flow, Shell};
use super::syntax::{Redirect, RedirectKind, Word};
use crate::streams::{Fd, Open};

impl Shell<'_, '_, '_> {
    /// Redirects the descriptors of this shell. Says whether all went well; what did not
    /// is told on standard error.
    pub(super) fn redirect(&mut self, redirects: &[Redirect]) -> Result<bool, Flow> {
        for redirect in redirects {
            if !self.one_redirect(redirect)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn one_redirect(&mut self, redirect: &Redirect) -> Result<bool, Flow> {
        let to = |default: u32| redirect.fd.unwrap_or(default);
        match &redirect.kind {
            RedirectKind::Read(word) => self.open_at(to(0), word, Open::Read),
            RedirectKind::Write(word) => {
                if self.state.options.noclobber {
                    let path = self.text(word)?;
                    let path = self.process.path(&path);
                    if self.process.machine.files.is_file(&path) {
                        self.complain(&format!("cannot create {path}: File exists"));
                        return Ok(false);
                    }
                }
                self.open_at(to(1), word, Open::Write)
            }
            RedirectKind::Clobber(word) => self.open_at(to(1), word, Open::Write),
            RedirectKind::Append(word) => self.open_at(to(1), word, Open::Append),
            RedirectKind::ReadWrite(word) => self.open_at(to(0), word, Open::ReadWrite),
            RedirectKind::Duplicate { word, output } => {
                self.duplicate(to(u32::from(*output)), word, redirect.fd, *output)
            }
            RedirectKind::Both { word, append } => {
                let how = if *append { Open::Append } else { Open::Write };
                self.both(word, how)
            }
            RedirectKind::Here(text) => {
                let text = match text.get() {
                    Some(word) => self.quoted_text(word)?,
                    None => Default::default(),
                };
                let fd = Fd::input(Vec::from(text));
                self.process.fds.insert(to(0), fd);
                Ok(true)
            }
            RedirectKind::HereString(word) => {
                let mut text = self.text(word)?;
                text.push(b'\n');
                let fd = Fd::input(Vec::from(text));
                self.process.fds.insert(to(0), fd);
                Ok(true)
            }
        }
    }

    fn open_at(&mut self, number: u32, word: &Word, how: Open) -> Result<bool, Flow> {
        let path = self.text(word)?;
        let opened = self.process.open(&path, how);
        if let Some(stop) = self.process.machine.files.fault.take() {
            return Err(stop.into());
        }
        match opened {
            Ok(fd) => {
                self.process.fds.insert(number, fd);
                Ok(true)
            }
            Err(error) => {
                let verb = if how == Open::Read { "open" } else { "create" };
                self.complain(&format!("cannot {verb} {path}: {error}"));
                Ok(false)
            }
        }
    }

    fn both(&mut self, word: &Word, how: Open) -> Result<bool, Flow> {
        if !self.open_at(1, word, how)? {
            return Ok(false);
        }
        let fd = self.process.fds.get(&1).cloned().unwrap_or(Fd::Null);
        self.process.fds.insert(2, fd);
        Ok(true)
    }

    fn duplicate(
        &mut self,
        number: u32,
        word: &Word,
        given: Option<u32>,
        output: bool,
    ) -> Result<bool, Flow> {
        let text = self.text(word)?;
        if text == "-" {
            self.process.fds.remove(&number);
            return Ok(true);
        }
        let moves = self.bash && text.len() > 1 && text.ends_with(b"-");
        let digits = if moves {
            &text[..text.len() - 1]
        } else {
            &text[..]
        };
        let from: Option<u32> = digits.to_str().ok().and_then(|digits| digits.parse().ok());
        let Some(from) = from else {
            if self.bash && output && given.is_none() {
                return self.both(word, Open::Write);
            }
            return Err(self.fatal("Syntax error: Bad fd number"));
        };
        let Some(fd) = self.process.fds.get(&from).cloned() else {
            self.complain(&format!("{from}: Bad file descriptor"));
            return Ok(false);
        };
        if moves {
            self.process.fds.remove(&from);
        }
        self.process.fds.insert(number, fd);
        Ok(true)
    }
}
