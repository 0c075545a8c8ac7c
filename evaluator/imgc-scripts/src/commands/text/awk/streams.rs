//! What an awk program reads and writes: records, files, commands.

use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::array::Key;
use super::input::{End, Reader};
use super::lexer::unescape;
use super::run::{Awk, Ended, FILES, Run, Slot, Target};
use super::syntax::{Output, Place, Source, Var, special};
use super::value::Value;
use crate::commands::text::spend_on;
use crate::stop::Stop;
use crate::streams::{Fd, Open};

const NOT_ASCII: &str = "input that is not ASCII";

impl Awk<'_, '_, '_> {
    // Input.

    /// Reads the next record of the main input into `$0`.
    pub(super) fn next_record(&mut self) -> Run<bool> {
        match self.next_line()? {
            Some(line) => {
                self.count();
                self.record.set(Value::Input(line.into()));
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// Counts a record.
    pub(super) fn count(&mut self) {
        for number in [special::NR, special::FNR] {
            let value = self.global(number).number(self.version);
            self.set_global(number, Value::Number(value + 1.0));
        }
    }

    pub(super) fn next_line(&mut self) -> Run<Option<Vec<u8>>> {
        loop {
            if self.main.is_some() {
                let end = self.record_end()?;
                if let Some(reader) = &mut self.main
                    && let Some(line) = reader.next(&end)?
                {
                    spend_on(self.process, line.len())?;
                    self.process.machine.spend(1)?;
                    self.version.same(line.is_ascii(), NOT_ASCII)?;
                    return Ok(Some(line));
                }
                self.main = None;
            }
            if !self.next_file()? {
                return Ok(None);
            }
        }
    }

    /// Opens the next operand that is a file; standard input where there is none.
    pub(super) fn next_file(&mut self) -> Run<bool> {
        loop {
            let count = self.global(special::ARGC).number(self.version);
            if self.next_operand as f64 >= count {
                if self.read_any {
                    return Ok(false);
                }
                self.read_any = true;
                let bytes = self.process.input(b"-").unwrap_or_default();
                self.main = Some(Reader::new(bytes));
                return Ok(true);
            }
            let key = Key::Number(i64::try_from(self.next_operand).unwrap_or(i64::MAX));
            self.next_operand += 1;
            let name = match &self.globals[special::ARGV] {
                Slot::Array(array) => {
                    let mut array = array.borrow_mut();
                    if !array.has(&key) {
                        continue;
                    }
                    array.get(key).clone()
                }
                Slot::Scalar(_) => continue,
            };
            let name = BString::from(self.string(&name).to_vec());
            if name.is_empty() || self.assign_operand(&name)? {
                continue;
            }
            self.read_any = true;
            match self.process.input(&name) {
                Ok(bytes) => {
                    self.set_global(special::FILENAME, Value::input(&name));
                    self.set_global(special::FNR, Value::Number(0.0));
                    self.main = Some(Reader::new(bytes));
                    return Ok(true);
                }
                Err(error) => {
                    self.flush();
                    self.process
                        .complain(format_args!("cannot open {name} ({error})"));
                    self.trouble = Some(2);
                    return Err(Ended::Exit);
                }
            }
        }
    }

    /// Does an assignment `name=value` of the command line; false where it is none.
    pub(super) fn assign_operand(&mut self, text: &BString) -> Result<bool, Stop> {
        let Some((name, value)) = text.split_once_str("=") else {
            return Ok(false);
        };
        let starts = name
            .first()
            .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
        if !starts || !name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            return Ok(false);
        }
        if let Some(&number) = self.program.globals.get(name) {
            self.assign(Var::Global(number), Value::Input(unescape(value).into()))?;
        }
        Ok(true)
    }

    pub(super) fn record_end(&mut self) -> Run<End> {
        let text = self.global_text(special::RS);
        Ok(match &*text {
            b"" => End::Paragraph,
            [byte] => End::Byte(*byte),
            _ => End::Pattern(self.pattern(&text)?),
        })
    }

    pub(super) fn getline(&mut self, source: &Source, place: Option<&Place>) -> Run<Value> {
        let name = match source {
            Source::Input => None,
            Source::File(name) => Some((false, name)),
            Source::Command(name) => Some((true, name)),
        };
        let line = match name {
            None => self.next_line()?,
            Some((command, name)) => {
                // gawk counts the records of commands.
                self.version.same(!command, "the records of a command")?;
                let name = self.eval(name)?;
                let name = BString::from(self.string(&name).to_vec());
                let key = (command, name.clone());
                if !self.inputs.contains_key(&key) {
                    let bytes = match command {
                        true => self.shell(&name, None, true)?.1,
                        false => match self.process.input(&name) {
                            Ok(bytes) => bytes.to_vec(),
                            Err(_) => return Ok(Value::Number(-1.0)),
                        },
                    };
                    self.inputs.insert(key.clone(), Reader::new(Rc::new(bytes)));
                }
                let end = self.record_end()?;
                match self.inputs.get_mut(&key) {
                    Some(reader) => reader.next(&end)?,
                    None => None,
                }
            }
        };
        self.process.machine.spend(1)?;
        let Some(line) = line else {
            return Ok(Value::Number(0.0));
        };
        spend_on(self.process, line.len())?;
        self.version.same(line.is_ascii(), NOT_ASCII)?;
        // Unlike other awks, mawk does not count the records of commands.
        if matches!(source, Source::Input) {
            self.count();
        }
        let value = Value::Input(line.into());
        match place {
            Some(place) => self.store(place, value)?,
            None => self.record.set(value),
        }
        Ok(Value::Number(1.0))
    }

    // Output.

    /// Gives what was printed to standard output.
    pub(super) fn flush(&mut self) {
        let out = std::mem::take(&mut self.out);
        self.process.out(out);
    }

    /// Runs a command by the shell. Gives its status, and its output if that is wanted.
    pub(super) fn shell(
        &mut self,
        command: &[u8],
        input: Option<Vec<u8>>,
        capture: bool,
    ) -> Result<(u8, Vec<u8>), Stop> {
        if input.is_none() {
            self.flush();
        }
        let args = vec!["sh".into(), "-c".into(), BString::from(command)];
        let mut child = self.process.child(args);
        if let Some(input) = input {
            child.fds.insert(0, Fd::input(input));
        }
        if capture {
            let (out, bytes) = Fd::output();
            child.fds.insert(1, out);
            let status = child.start()?;
            return Ok((status.0, bytes.take()));
        }
        Ok((child.start()?.0, Vec::new()))
    }

    pub(super) fn print_to(&mut self, output: Option<&Output>, text: &[u8]) -> Run<()> {
        spend_on(self.process, text.len())?;
        let Some(output) = output else {
            self.out.extend_from_slice(text);
            let alone = self.outputs.iter().all(|((command, _), _)| !command);
            if alone && self.out.len() > 1 << 20 {
                self.flush();
            }
            return Ok(());
        };
        let (expr, how) = match output {
            Output::File(expr) => (expr, Some(Open::Write)),
            Output::Append(expr) => (expr, Some(Open::Append)),
            Output::Pipe(expr) => (expr, None),
        };
        let name = self.eval(expr)?;
        let name = BString::from(self.string(&name).to_vec());
        if how.is_some() && (name == "/dev/stdout" || name == "-") {
            self.out.extend_from_slice(text);
            return Ok(());
        }
        let key = (how.is_none(), name.clone());
        if !self.outputs.iter().any(|(other, _)| *other == key) {
            let target = match how {
                None => {
                    // What was printed until now comes before the command's output.
                    self.flush();
                    Target::Command(Vec::new())
                }
                Some(_) if name == "/dev/stderr" => Target::File(2),
                Some(how) => match self.process.open(&name, how) {
                    Ok(fd) => {
                        self.next_file += 1;
                        self.process.fds.insert(self.next_file, fd);
                        Target::File(self.next_file)
                    }
                    Err(error) => {
                        self.process
                            .complain(format_args!("cannot open \"{name}\": {error}"));
                        self.trouble = Some(2);
                        return Err(Ended::Exit);
                    }
                },
            };
            self.outputs.push((key.clone(), target));
        }
        let target = self.outputs.iter_mut().find(|(other, _)| *other == key);
        match target.map(|(_, target)| target) {
            Some(Target::File(number)) => {
                let number = *number;
                self.process.write(number, text);
            }
            Some(Target::Command(bytes)) => bytes.extend_from_slice(text),
            None => {}
        }
        Ok(())
    }

    /// `close`: the status of a command, 0 for a file, -1 for what was not open.
    pub(super) fn close(&mut self, name: &[u8]) -> Result<f64, Stop> {
        let mut result = -1.0;
        for command in [false, true] {
            if self
                .inputs
                .remove(&(command, BString::from(name)))
                .is_some()
            {
                result = 0.0;
            }
        }
        while let Some(at) = self
            .outputs
            .iter()
            .position(|((_, other), _)| other == name)
        {
            match self.outputs.remove(at).1 {
                Target::File(number) => {
                    if number >= FILES {
                        self.process.fds.remove(&number);
                    }
                    result = 0.0;
                }
                Target::Command(bytes) => {
                    // What is printed meanwhile comes after the command's output, as long
                    // as it fits the real one's buffer.
                    if self.out.len() >= 4096 {
                        return Err(Stop::unsupported("awk prints much beside a command"));
                    }
                    result = f64::from(self.shell(name, Some(bytes), false)?.0);
                }
            }
        }
        Ok(result)
    }

    /// Ends the commands that are still open, the last one first.
    pub(super) fn close_all(&mut self) -> Result<(), Stop> {
        while let Some(((_, name), _)) = self.outputs.last() {
            let name = name.clone();
            self.close(&name)?;
        }
        Ok(())
    }
}
