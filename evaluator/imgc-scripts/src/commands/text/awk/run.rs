//! Runs awk programs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::{BString, ByteSlice as _};

use super::array::{Array, Key};
use super::input::{End, Reader};
use super::lexer::unescape;
use super::record::{Record, Separator};
use super::syntax::{
    Comparison, Expr, Function, Operator, Output, Pattern as RulePattern, Place, Program, Source,
    Statement, Var, special,
};
use super::value::Value;
use super::{Version, format};
use crate::commands::text::pattern::{Dialect, Flags, Pattern};
use crate::commands::text::spend_on;
use crate::process::{Outcome, Process, Status};
use crate::stop::{Stop, Why};
use crate::streams::{Fd, Open};

/// How deep calls and expressions may nest together.
const DEPTH: usize = 500;
/// The first descriptor for what print writes.
const FILES: u32 = 1000;

/// Runs `program`.
pub(super) fn run(
    process: &mut Process<'_, '_>,
    program: &Program,
    version: Version,
    separator: Option<BString>,
    assigned: &[BString],
    operands: &[BString],
) -> Outcome {
    let name = process.args.first().cloned().unwrap_or_default();
    let environment = process.env.clone();
    let mut awk = Awk {
        process,
        program,
        version,
        globals: program
            .arrays
            .iter()
            .map(|array| match array {
                true => Slot::Array(Rc::default()),
                false => Slot::Scalar(Value::None),
            })
            .collect(),
        frames: Vec::new(),
        record: Record::default(),
        patterns: BTreeMap::new(),
        out: Vec::new(),
        outputs: Vec::new(),
        next_file: FILES,
        inputs: BTreeMap::new(),
        main: None,
        next_operand: 1,
        read_any: false,
        active: vec![false; program.ranges],
        depth: 0,
        status: 0,
        broken: false,
        trouble: None,
    };
    for (number, text) in [
        (special::FS, " "),
        (special::OFS, " "),
        (special::RS, "\n"),
        (special::ORS, "\n"),
        (special::SUBSEP, "\u{1c}"),
        (special::CONVFMT, "%.6g"),
        (special::OFMT, "%.6g"),
        (special::FILENAME, ""),
    ] {
        awk.set_global(number, Value::text(text.as_bytes()));
    }
    for number in [special::NR, special::FNR, special::RSTART] {
        awk.set_global(number, Value::Number(0.0));
    }
    awk.set_global(special::RLENGTH, Value::Number(-1.0));
    let mut all = vec![name];
    all.extend_from_slice(operands);
    awk.set_global(special::ARGC, Value::Number(all.len() as f64));
    if let Slot::Array(array) = &awk.globals[special::ARGV] {
        for (number, arg) in (0..).zip(&all) {
            *array.borrow_mut().get(Key::Number(number)) = Value::input(arg);
        }
    }
    if let Slot::Array(array) = &awk.globals[special::ENVIRON] {
        for (name, value) in &environment {
            let key = Key::Text(name.as_slice().into());
            *array.borrow_mut().get(key) = Value::input(value);
        }
    }
    if let Some(separator) = separator {
        awk.set_global(special::FS, Value::Text(unescape(&separator).into()));
    }
    for text in assigned {
        if !awk.assign_operand(text)? {
            return Err(Stop::unsupported(format!("the assignment {text} is not known")).into());
        }
    }
    awk.all()?;
    awk.close_all()?;
    awk.flush();
    Ok(Status(awk.status))
}

/// Why the program ends before its end.
#[derive(Debug)]
pub(super) enum Ended {
    /// By exit.
    Exit,
    Stop(Stop),
}

impl From<Stop> for Ended {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

/// What a part of a program comes to.
pub(super) type Run<T> = Result<T, Ended>;

/// Whether a part of a program was left by exit.
fn ended(run: Run<()>) -> Result<bool, Stop> {
    match run {
        Ok(()) => Ok(false),
        Err(Ended::Exit) => Ok(true),
        Err(Ended::Stop(stop)) => Err(stop),
    }
}

/// How a statement ends.
#[derive(Debug)]
pub(super) enum Flow {
    On,
    Next,
    NextFile,
    Break,
    Continue,
    Return(Value),
}

/// A variable's place.
#[derive(Debug, Clone)]
pub(super) enum Slot {
    Scalar(Value),
    Array(Rc<RefCell<Array>>),
}

/// Where print writes.
enum Target {
    /// A descriptor.
    File(u32),
    /// What a command is given when it is run.
    Command(Vec<u8>),
}

/// A running program.
pub(super) struct Awk<'a, 'p, 'r> {
    pub(super) process: &'a mut Process<'p, 'r>,
    program: &'a Program,
    pub(super) version: Version,
    globals: Vec<Slot>,
    frames: Vec<Vec<Slot>>,
    record: Record,
    patterns: BTreeMap<Rc<[u8]>, Rc<Pattern>>,
    out: Vec<u8>,
    /// In the order of their first use. By kind and name: files and commands have names
    /// of their own.
    outputs: Vec<((bool, BString), Target)>,
    next_file: u32,
    inputs: BTreeMap<(bool, BString), Reader>,
    main: Option<Reader>,
    next_operand: usize,
    read_any: bool,
    active: Vec<bool>,
    depth: usize,
    pub(super) status: u8,
    /// Whether the last round of a loop ended by break.
    broken: bool,
    /// The status with which everything ends at once.
    trouble: Option<u8>,
}

impl Awk<'_, '_, '_> {
    /// Does all that a program does.
    fn all(&mut self) -> Result<(), Stop> {
        let program = self.program;
        let mut done = ended(self.phase(&program.begin))?;
        if !done && !(program.rules.is_empty() && program.end.is_empty()) {
            done = ended(self.rules())?;
        }
        // The end is reached by exit too, but not in trouble.
        if self.trouble.is_none() && (!done || !program.end.is_empty()) {
            ended(self.phase(&program.end))?;
        }
        self.status = self.trouble.unwrap_or(self.status);
        Ok(())
    }

    fn phase(&mut self, bodies: &[Vec<Statement>]) -> Run<()> {
        for body in bodies {
            self.block(body)?;
        }
        Ok(())
    }

    fn rules(&mut self) -> Run<()> {
        let program = self.program;
        'records: while self.next_record()? {
            for rule in &program.rules {
                self.process.machine.spend(1)?;
                if !self.selected(&rule.pattern)? {
                    continue;
                }
                let flow = match &rule.action {
                    None => {
                        let mut line = self.whole().to_vec();
                        line.extend_from_slice(&self.global_text(special::ORS));
                        self.print_to(None, &line)?;
                        Flow::On
                    }
                    Some(body) => self.block(body)?,
                };
                match flow {
                    Flow::Next => continue 'records,
                    Flow::NextFile => {
                        self.main = Some(Reader::default());
                        continue 'records;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn selected(&mut self, pattern: &RulePattern) -> Run<bool> {
        match pattern {
            RulePattern::All => Ok(true),
            RulePattern::If(expr) => self.truth(expr),
            RulePattern::Range(first, last, number) => {
                if !self.active[*number] && !self.truth(first)? {
                    return Ok(false);
                }
                self.active[*number] = !self.truth(last)?;
                Ok(true)
            }
        }
    }

    // Input.

    /// Reads the next record of the main input into `$0`.
    fn next_record(&mut self) -> Run<bool> {
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
    fn count(&mut self) {
        for number in [special::NR, special::FNR] {
            let value = self.global(number).number(self.version);
            self.set_global(number, Value::Number(value + 1.0));
        }
    }

    fn next_line(&mut self) -> Run<Option<Vec<u8>>> {
        loop {
            if self.main.is_some() {
                let end = self.record_end()?;
                if let Some(reader) = &mut self.main
                    && let Some(line) = reader.next(&end)?
                {
                    spend_on(self.process, line.len())?;
                    self.process.machine.spend(1)?;
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
    fn next_file(&mut self) -> Run<bool> {
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
    fn assign_operand(&mut self, text: &BString) -> Result<bool, Stop> {
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

    fn record_end(&mut self) -> Run<End> {
        let text = self.global_text(special::RS);
        Ok(match &*text {
            b"" => End::Paragraph,
            [byte] => End::Byte(*byte),
            _ => End::Pattern(self.pattern(&text)?),
        })
    }

    fn getline(&mut self, source: &Source, place: Option<&Place>) -> Run<Value> {
        let name = match source {
            Source::Input => None,
            Source::File(name) => Some((false, name)),
            Source::Command(name) => Some((true, name)),
        };
        let line = match name {
            None => self.next_line()?,
            Some((command, name)) => {
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

    fn print_to(&mut self, output: Option<&Output>, text: &[u8]) -> Run<()> {
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
    fn close_all(&mut self) -> Result<(), Stop> {
        while let Some(((_, name), _)) = self.outputs.last() {
            let name = name.clone();
            self.close(&name)?;
        }
        Ok(())
    }

    // Variables.

    fn global(&self, number: usize) -> Value {
        match &self.globals[number] {
            Slot::Scalar(value) => value.clone(),
            Slot::Array(_) => Value::None,
        }
    }

    pub(super) fn set_global(&mut self, number: usize, value: Value) {
        if let Slot::Scalar(slot) = &mut self.globals[number] {
            *slot = value;
        }
    }

    pub(super) fn global_text(&self, number: usize) -> Rc<[u8]> {
        self.string(&self.global(number))
    }

    /// A value as a string.
    pub(super) fn string(&self, value: &Value) -> Rc<[u8]> {
        let format = match (&self.globals[special::CONVFMT], value) {
            (Slot::Scalar(Value::Text(format) | Value::Input(format)), Value::Number(_)) => {
                Rc::clone(format)
            }
            _ => Rc::from(&b"%.6g"[..]),
        };
        value.string(&format, self.version)
    }

    fn read_var(&mut self, var: Var) -> Run<Value> {
        if var == Var::Global(special::NF) {
            self.split()?;
            return Ok(Value::Number(self.record.fields().len() as f64));
        }
        Ok(match var {
            Var::Global(number) => self.global(number),
            Var::Local(number) => match self.frames.last().and_then(|frame| frame.get(number)) {
                Some(Slot::Scalar(value)) => value.clone(),
                _ => return Err(Stop::unsupported("awk uses an array as a value").into()),
            },
        })
    }

    fn assign(&mut self, var: Var, value: Value) -> Result<(), Stop> {
        match var {
            Var::Global(special::CONVFMT | special::OFMT)
                if !is_plain_format(&self.string(&value)) =>
            {
                return Err(Stop::unsupported(
                    "this CONVFMT or OFMT of awk is not known",
                ));
            }
            Var::Global(special::NF) => {
                let count = value.number(self.version).clamp(0.0, 1e6) as usize;
                // The fields that are there count.
                if self.split().is_ok() {
                    self.record.set_count(count);
                }
            }
            Var::Global(number) => self.set_global(number, value),
            Var::Local(number) => {
                let slot = self
                    .frames
                    .last_mut()
                    .and_then(|frame| frame.get_mut(number));
                if let Some(Slot::Scalar(slot)) = slot {
                    *slot = value;
                }
            }
        }
        Ok(())
    }

    pub(super) fn array(&self, var: Var) -> Run<Rc<RefCell<Array>>> {
        let slot = match var {
            Var::Global(number) => self.globals.get(number),
            Var::Local(number) => self.frames.last().and_then(|frame| frame.get(number)),
        };
        match slot {
            Some(Slot::Array(array)) => Ok(Rc::clone(array)),
            _ => Err(Stop::unsupported("awk uses a value as an array").into()),
        }
    }

    fn key(&mut self, keys: &[Expr]) -> Run<Key> {
        if let [only] = keys {
            return Ok(match self.eval(only)? {
                Value::Number(number) if number.fract() == 0.0 && number.abs() < 2e9 => {
                    Key::Number(number as i64)
                }
                value => Key::Text(self.string(&value)),
            });
        }
        let separator = self.global_text(special::SUBSEP);
        let mut parts = Vec::new();
        for key in keys {
            let value = self.eval(key)?;
            parts.push(self.string(&value));
        }
        Ok(Key::Text(bstr::join(&separator, parts).into()))
    }

    // The record.

    /// Splits the record, unless its fields are there.
    fn split(&mut self) -> Run<()> {
        if !self.record.needs_split() {
            return Ok(());
        }
        let text = self.string(&self.record.whole().clone());
        spend_on(self.process, text.len())?;
        let separator = self.global_text(special::FS);
        let separator = self.separator(&separator)?;
        let fields = separator.split(&text)?;
        self.process.machine.spend(fields.len() as u64 / 4)?;
        self.record.set_fields(fields);
        Ok(())
    }

    /// `$0`.
    pub(super) fn whole(&mut self) -> Rc<[u8]> {
        if self.record.needs_join() {
            let glue = self.global_text(special::OFS);
            let parts: Vec<Rc<[u8]>> = self
                .record
                .fields()
                .iter()
                .map(|field| self.string(field))
                .collect();
            let joined = bstr::join(&glue, parts);
            self.record.set_joined(Value::Text(joined.into()));
        }
        self.string(self.record.whole())
    }

    pub(super) fn separator(&mut self, text: &Rc<[u8]>) -> Run<Separator> {
        Ok(match &**text {
            b" " => Separator::Blanks,
            b"" => Separator::Bytes,
            [byte] => Separator::Byte(*byte),
            // What a backslash makes plain is one byte too.
            [b'\\', byte] if !byte.is_ascii_alphanumeric() => Separator::Byte(*byte),
            _ => Separator::Pattern(self.pattern(text)?),
        })
    }

    /// The compiled pattern of this text.
    pub(super) fn pattern(&mut self, text: &Rc<[u8]>) -> Run<Rc<Pattern>> {
        if let Some(pattern) = self.patterns.get(text) {
            return Ok(Rc::clone(pattern));
        }
        let dialect = Dialect::Awk {
            intervals: !self.version.old,
        };
        let flags = Flags {
            utf8: false,
            ..Flags::default()
        };
        let pattern = Pattern::new(text, dialect, flags).map_err(|fault| {
            let text = text.as_bstr();
            Stop::unsupported(format!("awk's pattern {text} is not known: {fault}"))
        })?;
        let pattern = Rc::new(pattern);
        self.patterns.insert(Rc::clone(text), Rc::clone(&pattern));
        Ok(pattern)
    }

    /// The pattern that an expression is: between slashes, or a string's.
    pub(super) fn pattern_of(&mut self, expr: &Expr) -> Run<Rc<Pattern>> {
        let text = match super::parse::source(expr) {
            Some(source) => Rc::clone(source),
            None => {
                let value = self.eval(expr)?;
                self.string(&value)
            }
        };
        self.pattern(&text)
    }

    fn field_number(&mut self, expr: &Expr) -> Run<usize> {
        let number = self.eval(expr)?.number(self.version);
        if !(0.0..1e6).contains(&number) {
            return Err(Stop::unsupported("the number of a field is not known").into());
        }
        Ok(number as usize)
    }

    // Places.

    pub(super) fn read(&mut self, place: &Place) -> Run<Value> {
        match place {
            Place::Var(var) => self.read_var(*var),
            Place::Field(number) => match self.field_number(number)? {
                0 => {
                    let whole = self.whole();
                    Ok(match self.record.whole() {
                        Value::None => Value::None,
                        _ => Value::Input(whole),
                    })
                }
                number => {
                    self.split()?;
                    Ok(self.record.field(number))
                }
            },
            Place::Element(array, keys) => {
                let key = self.key(keys)?;
                let array = self.array(*array)?;
                let value = array.borrow_mut().get(key).clone();
                Ok(value)
            }
        }
    }

    pub(super) fn store(&mut self, place: &Place, value: Value) -> Run<()> {
        match place {
            Place::Var(var) => self.assign(*var, value)?,
            Place::Field(number) => match self.field_number(number)? {
                0 => self.record.set(match value {
                    Value::Number(_) | Value::None => Value::Input(self.string(&value)),
                    Value::Text(text) | Value::Input(text) => Value::Input(text),
                }),
                number => {
                    self.split()?;
                    self.process.machine.spend(number as u64 / 64)?;
                    self.record.set_field(number, value);
                }
            },
            Place::Element(array, keys) => {
                let key = self.key(keys)?;
                let array = self.array(*array)?;
                *array.borrow_mut().get(key) = value;
            }
        }
        Ok(())
    }

    // Statements.

    fn enter(&mut self) -> Run<()> {
        self.depth += 1;
        match self.depth > DEPTH {
            true => Err(Stop::new(Why::Budget("awk nests too deep")).into()),
            false => Ok(()),
        }
    }

    fn block(&mut self, body: &[Statement]) -> Run<Flow> {
        self.enter()?;
        for statement in body {
            self.process.machine.spend(1)?;
            let flow = self.statement(statement)?;
            if !matches!(flow, Flow::On) {
                self.depth -= 1;
                return Ok(flow);
            }
        }
        self.depth -= 1;
        Ok(Flow::On)
    }

    fn statement(&mut self, statement: &Statement) -> Run<Flow> {
        match statement {
            Statement::Expr(expr) => {
                self.eval(expr)?;
            }
            Statement::Print(args, output) => self.print(args, output.as_ref())?,
            Statement::Printf(args, output) => {
                let text = self.formatted(args)?;
                self.print_to(output.as_ref(), &text)?;
            }
            Statement::If(condition, then, other) => {
                let body = if self.truth(condition)? { then } else { other };
                return self.block(body);
            }
            Statement::While(condition, body) => {
                while self.truth(condition)? {
                    if let Some(flow) = self.round(body)? {
                        return Ok(flow);
                    }
                    if self.broken {
                        break;
                    }
                }
            }
            Statement::Do(body, condition) => loop {
                if let Some(flow) = self.round(body)? {
                    return Ok(flow);
                }
                if self.broken || !self.truth(condition)? {
                    break;
                }
            },
            Statement::For(first, condition, last, body) => {
                if let Some(first) = first {
                    self.statement(first)?;
                }
                loop {
                    let on = match condition {
                        Some(condition) => self.truth(condition)?,
                        None => true,
                    };
                    if !on {
                        break;
                    }
                    if let Some(flow) = self.round(body)? {
                        return Ok(flow);
                    }
                    if self.broken {
                        break;
                    }
                    if let Some(last) = last {
                        self.statement(last)?;
                    }
                }
            }
            Statement::ForIn(place, array, body) => {
                let array = self.array(*array)?;
                let keys = array.borrow_mut().keys();
                self.process.machine.spend(keys.len() as u64)?;
                for key in keys {
                    self.store(place, Value::Text(key))?;
                    if let Some(flow) = self.round(body)? {
                        return Ok(flow);
                    }
                    if self.broken {
                        break;
                    }
                }
            }
            Statement::Delete(array, keys) => {
                let key = match keys {
                    Some(keys) => Some(self.key(keys)?),
                    None => None,
                };
                let array = self.array(*array)?;
                match key {
                    Some(key) => array.borrow_mut().remove(&key),
                    None => array.borrow_mut().clear(),
                }
            }
            Statement::Next => return Ok(Flow::Next),
            Statement::NextFile => return Ok(Flow::NextFile),
            Statement::Break => return Ok(Flow::Break),
            Statement::Continue => return Ok(Flow::Continue),
            Statement::Exit(status) => {
                if let Some(status) = status {
                    let status = self.eval(status)?.number(self.version);
                    self.status = (status as i64 & 0xff) as u8;
                }
                return Err(Ended::Exit);
            }
            Statement::Return(value) => {
                let value = match value {
                    Some(value) => self.eval(value)?,
                    None => Value::None,
                };
                return Ok(Flow::Return(value));
            }
        }
        Ok(Flow::On)
    }

    /// One round of a loop. Gives what ends more than the loop.
    fn round(&mut self, body: &[Statement]) -> Run<Option<Flow>> {
        self.process.machine.spend(1)?;
        self.broken = false;
        match self.block(body)? {
            Flow::On | Flow::Continue => Ok(None),
            Flow::Break => {
                self.broken = true;
                Ok(None)
            }
            flow => Ok(Some(flow)),
        }
    }

    fn print(&mut self, args: &[Expr], output: Option<&Output>) -> Run<()> {
        let mut text = Vec::new();
        if args.is_empty() {
            text.extend_from_slice(&self.whole());
        }
        for (number, arg) in args.iter().enumerate() {
            if number > 0 {
                text.extend_from_slice(&self.global_text(special::OFS));
            }
            let value = self.eval(arg)?;
            match value {
                Value::Number(_) => {
                    let format = self.global_text(special::OFMT);
                    text.extend_from_slice(&value.string(&format, self.version));
                }
                value => text.extend_from_slice(&self.string(&value)),
            }
        }
        text.extend_from_slice(&self.global_text(special::ORS));
        self.print_to(output, &text)
    }

    /// What sprintf makes of its arguments.
    pub(super) fn formatted(&mut self, args: &[Expr]) -> Run<Vec<u8>> {
        let mut values = Vec::new();
        for arg in args {
            values.push(self.eval(arg)?);
        }
        let Some((form, rest)) = values.split_first() else {
            return Ok(Vec::new());
        };
        let form = self.string(form);
        let convert = self.global_text(special::CONVFMT);
        let made = format::sprintf(&form, rest, &convert, self.version)?;
        spend_on(self.process, made.len())?;
        Ok(made)
    }

    // Expressions.

    pub(super) fn truth(&mut self, expr: &Expr) -> Run<bool> {
        Ok(self.eval(expr)?.is_true(self.version))
    }

    /// The value of an expression.
    pub(super) fn eval(&mut self, expr: &Expr) -> Run<Value> {
        match expr {
            Expr::Number(number) => return Ok(Value::Number(*number)),
            Expr::Text(text) => return Ok(Value::Text(Rc::clone(text))),
            Expr::Place(place) => return self.read(place),
            _ => {}
        }
        self.enter()?;
        let value = self.compound(expr);
        self.depth -= 1;
        value
    }

    fn compound(&mut self, expr: &Expr) -> Run<Value> {
        match expr {
            Expr::Number(_) | Expr::Text(_) | Expr::Place(_) => self.eval(expr),
            Expr::Regex(source) => {
                let pattern = self.pattern(source)?;
                let whole = self.whole();
                spend_on(self.process, whole.len())?;
                Ok(Value::truth(pattern.is_match(&whole)?))
            }
            Expr::Assign(place, operator, right) => self.assign_place(place, *operator, right),
            Expr::If(condition, then, other) => {
                let expr = if self.truth(condition)? { then } else { other };
                self.eval(expr)
            }
            Expr::And(left, right) => Ok(Value::truth(self.truth(left)? && self.truth(right)?)),
            Expr::Or(left, right) => Ok(Value::truth(self.truth(left)? || self.truth(right)?)),
            Expr::Not(inner) => Ok(Value::truth(!self.truth(inner)?)),
            Expr::Negative(inner) => Ok(Value::Number(-self.eval(inner)?.number(self.version))),
            Expr::Positive(inner) => Ok(Value::Number(self.eval(inner)?.number(self.version))),
            Expr::Binary(operator, left, right) => {
                let left = self.eval(left)?.number(self.version);
                let right = self.eval(right)?.number(self.version);
                Ok(Value::Number(calculate(*operator, left, right)))
            }
            Expr::Concat(left, right) => {
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                let mut text = self.string(&left).to_vec();
                text.extend_from_slice(&self.string(&right));
                if text.len() > self.process.machine.setup.limits.file {
                    return Err(Stop::new(Why::Budget("a string of awk gets too long")).into());
                }
                spend_on(self.process, text.len())?;
                Ok(Value::Text(text.into()))
            }
            Expr::Compare(comparison, left, right) => {
                let left = self.eval(left)?;
                let right = self.eval(right)?;
                Ok(Value::truth(self.compare(*comparison, &left, &right)))
            }
            Expr::Match(negated, left, right) => {
                let text = self.eval(left)?;
                let text = self.string(&text);
                let pattern = self.pattern_of(right)?;
                spend_on(self.process, text.len())?;
                Ok(Value::truth(pattern.is_match(&text)? != *negated))
            }
            Expr::In(keys, array) => {
                let key = self.key(keys)?;
                let array = self.array(*array)?;
                let found = array.borrow_mut().has(&key);
                Ok(Value::truth(found))
            }
            Expr::Step(place, by, before) => {
                let old = self.read(place)?.number(self.version);
                self.store(place, Value::Number(old + by))?;
                Ok(Value::Number(if *before { old } else { old + by }))
            }
            Expr::Call(number, args) => self.call(*number, args),
            Expr::Builtin(which, args) => self.builtin(*which, args),
            Expr::Getline(source, place) => self.getline(source, place.as_ref()),
            Expr::Group(_) => {
                Err(Stop::unsupported("awk has a list where a value is wanted").into())
            }
        }
    }

    fn assign_place(
        &mut self,
        place: &Place,
        operator: Option<Operator>,
        right: &Expr,
    ) -> Run<Value> {
        let right = self.eval(right)?;
        let value = match operator {
            None => right,
            Some(operator) => {
                let right = right.number(self.version);
                let left = self.read(place)?.number(self.version);
                Value::Number(calculate(operator, left, right))
            }
        };
        self.store(place, value.clone())?;
        Ok(value)
    }

    fn compare(&self, comparison: Comparison, left: &Value, right: &Value) -> bool {
        let numbers = left
            .comparable(self.version)
            .zip(right.comparable(self.version));
        let order = match numbers {
            Some((left, right)) => left.partial_cmp(&right),
            None => Some(self.string(left).cmp(&self.string(right))),
        };
        match comparison {
            Comparison::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Comparison::LessEqual => order.is_some_and(std::cmp::Ordering::is_le),
            Comparison::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
            Comparison::NotEqual => !order.is_some_and(std::cmp::Ordering::is_eq),
            Comparison::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            Comparison::GreaterEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        }
    }

    fn call(&mut self, number: usize, args: &[Expr]) -> Run<Value> {
        let program = self.program;
        let function: &Function = &program.functions[number];
        if args.len() > function.params.len() {
            return Err(Stop::unsupported("a function of awk gets too many arguments").into());
        }
        let mut frame = Vec::new();
        for (at, param) in function.params.iter().enumerate() {
            let slot = match (args.get(at), param) {
                (Some(Expr::Place(Place::Var(var))), Some(true)) => Slot::Array(self.array(*var)?),
                (Some(arg), _) => match (arg, self.passed(arg)) {
                    (_, Some(array)) => Slot::Array(array),
                    (arg, None) => Slot::Scalar(self.eval(arg)?),
                },
                (None, Some(true)) => Slot::Array(Rc::default()),
                (None, _) => Slot::Scalar(Value::None),
            };
            frame.push(slot);
        }
        self.frames.push(frame);
        let flow = self.block(&function.body);
        self.frames.pop();
        match flow? {
            Flow::Return(value) => Ok(value),
            Flow::On => Ok(Value::None),
            _ => Err(Stop::unsupported("awk leaves a function by next").into()),
        }
    }

    /// The array that an argument is, if it is one.
    fn passed(&self, arg: &Expr) -> Option<Rc<RefCell<Array>>> {
        match arg {
            Expr::Place(Place::Var(var)) => self.array(*var).ok(),
            _ => None,
        }
    }
}

/// Whether a format of numbers is one like `%.6g`.
fn is_plain_format(format: &[u8]) -> bool {
    let digits = format
        .strip_prefix(b"%.")
        .and_then(|rest| rest.split_last());
    digits.is_some_and(|(conversion, digits)| {
        let few = (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
        few && b"eEfFgG".contains(conversion)
    })
}

fn calculate(operator: Operator, left: f64, right: f64) -> f64 {
    match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide if left == 0.0 && right == 0.0 => -f64::NAN,
        Operator::Divide => left / right,
        Operator::Remainder => left % right,
        Operator::Power => left.powf(right),
    }
}
