//! Runs awk programs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bstr::BString;

use super::array::{Array, Key};
use super::input::Reader;
use super::lexer::unescape;
use super::record::Record;
use super::syntax::{
    Expr, Output, Pattern as RulePattern, Place, Program, Statement, Var, special,
};
use super::value::Value;
use super::{Version, format};
use crate::commands::text::pattern::Pattern;
use crate::process::{Outcome, Process, Status};
use crate::stop::{Stop, Why};

/// How deep calls and expressions may nest together.
const DEPTH: usize = 300;
/// The first descriptor for what print writes.
pub(super) const FILES: u32 = 1000;

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
        for (name, value) in &*environment {
            let key = Key::Text(name.as_slice().into());
            *array.borrow_mut().get(key) = Value::input(value);
        }
    }
    if let Some(separator) = separator {
        awk.set_global(special::FS, Value::Text(unescape(&separator).into()));
    }
    for text in assigned {
        if !awk.assign_operand(text)? {
            return Err(Stop::unsupported(format!(
                "the assignment {text} is not known"
            )));
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
pub(super) enum Target {
    /// A descriptor.
    File(u32),
    /// What a command is given when it is run.
    Command(Vec<u8>),
}

/// A running program.
pub(super) struct Awk<'a, 'p, 'r> {
    pub(super) process: &'a mut Process<'p, 'r>,
    pub(super) program: &'a Program,
    pub(super) version: Version,
    pub(super) globals: Vec<Slot>,
    pub(super) frames: Vec<Vec<Slot>>,
    pub(super) record: Record,
    pub(super) patterns: BTreeMap<Rc<[u8]>, Rc<Pattern>>,
    pub(super) out: Vec<u8>,
    /// In the order of their first use. By kind and name: files and commands have names
    /// of their own.
    pub(super) outputs: Vec<((bool, BString), Target)>,
    pub(super) next_file: u32,
    pub(super) inputs: BTreeMap<(bool, BString), Reader>,
    pub(super) main: Option<Reader>,
    pub(super) next_operand: usize,
    pub(super) read_any: bool,
    pub(super) active: Vec<bool>,
    pub(super) depth: usize,
    pub(super) status: u8,
    /// The status with which everything ends at once.
    pub(super) trouble: Option<u8>,
}

impl Awk<'_, '_, '_> {
    /// Does all that a program does.
    fn all(&mut self) -> Result<(), Stop> {
        let program = self.program;
        let mut done = ended(self.phase(&program.begin))?;
        let reads = !program.rules.is_empty() || !program.end.is_empty();
        if reads && !done {
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

    // Statements.

    pub(super) fn enter(&mut self) -> Run<()> {
        self.depth += 1;
        match self.depth > DEPTH {
            true => Err(Stop::new(Why::Budget("awk nests too deep")).into()),
            false => Ok(()),
        }
    }

    pub(super) fn block(&mut self, body: &[Statement]) -> Run<Flow> {
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

    /// Does a statement. Every kind has a function of its own, as expressions have.
    fn statement(&mut self, statement: &Statement) -> Run<Flow> {
        match statement {
            Statement::Expr(expr) => self.eval(expr).map(|_| Flow::On),
            Statement::Print(args, output) => self.print(args, output.as_ref()).map(|()| Flow::On),
            Statement::Printf(args, output) => {
                self.printf(args, output.as_ref()).map(|()| Flow::On)
            }
            Statement::If(condition, then, other) => self.condition(condition, then, other),
            Statement::While(condition, body) => self.repeat(None, Some(condition), None, body),
            Statement::Do(body, condition) => self.repeat_first(body, condition),
            Statement::For(first, condition, last, body) => {
                self.repeat(first.as_deref(), condition.as_ref(), last.as_deref(), body)
            }
            Statement::ForIn(place, array, body) => self.for_in(place, *array, body),
            Statement::Delete(array, keys) => {
                self.delete(*array, keys.as_deref()).map(|()| Flow::On)
            }
            Statement::Next => Ok(Flow::Next),
            Statement::NextFile => Ok(Flow::NextFile),
            Statement::Break => Ok(Flow::Break),
            Statement::Continue => Ok(Flow::Continue),
            Statement::Exit(status) => self.exit(status.as_ref()),
            Statement::Return(value) => match value {
                Some(value) => self.eval(value).map(Flow::Return),
                None => Ok(Flow::Return(Value::None)),
            },
        }
    }

    fn condition(
        &mut self,
        condition: &Expr,
        then: &[Statement],
        other: &[Statement],
    ) -> Run<Flow> {
        let body = if self.truth(condition)? { then } else { other };
        self.block(body)
    }

    fn repeat(
        &mut self,
        first: Option<&Statement>,
        condition: Option<&Expr>,
        last: Option<&Statement>,
        body: &[Statement],
    ) -> Run<Flow> {
        if let Some(first) = first {
            self.statement(first)?;
        }
        loop {
            if let Some(condition) = condition
                && !self.truth(condition)?
            {
                return Ok(Flow::On);
            }
            match self.round(body)? {
                Flow::On => {}
                Flow::Break => return Ok(Flow::On),
                flow => return Ok(flow),
            }
            if let Some(last) = last {
                self.statement(last)?;
            }
        }
    }

    fn repeat_first(&mut self, body: &[Statement], condition: &Expr) -> Run<Flow> {
        loop {
            match self.round(body)? {
                Flow::On if self.truth(condition)? => {}
                Flow::On | Flow::Break => return Ok(Flow::On),
                flow => return Ok(flow),
            }
        }
    }

    fn for_in(&mut self, place: &Place, array: Var, body: &[Statement]) -> Run<Flow> {
        let array = self.array(array)?;
        let keys = array.borrow_mut().keys();
        let few = keys.len() < 2;
        self.version.same(few, "an order of the keys of an array")?;
        self.process.machine.spend(keys.len() as u64)?;
        for key in keys {
            self.store(place, Value::Text(key))?;
            match self.round(body)? {
                Flow::On => {}
                Flow::Break => break,
                flow => return Ok(flow),
            }
        }
        Ok(Flow::On)
    }

    fn delete(&mut self, array: Var, keys: Option<&[Expr]>) -> Run<()> {
        let key = match keys {
            Some(keys) => Some(self.key(keys)?),
            None => None,
        };
        let array = self.array(array)?;
        match key {
            Some(key) => array.borrow_mut().remove(&key),
            None => array.borrow_mut().clear(),
        }
        Ok(())
    }

    fn exit(&mut self, status: Option<&Expr>) -> Run<Flow> {
        if let Some(status) = status {
            let status = self.eval(status)?.number(self.version);
            self.status = (status as i64 & 0xff) as u8;
        }
        Err(Ended::Exit)
    }

    fn printf(&mut self, args: &[Expr], output: Option<&Output>) -> Run<()> {
        let text = self.formatted(args)?;
        self.print_to(output, &text)
    }

    /// One round of a loop: `continue` has ended no more than that.
    fn round(&mut self, body: &[Statement]) -> Run<Flow> {
        self.process.machine.spend(1)?;
        match self.block(body)? {
            Flow::Continue => Ok(Flow::On),
            flow => Ok(flow),
        }
    }

    pub(super) fn print(&mut self, args: &[Expr], output: Option<&Output>) -> Run<()> {
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
        self.kept(made.len())?;
        Ok(made)
    }
}
