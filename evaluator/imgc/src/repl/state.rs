//! What a session of the REPL knows: definitions and a loaded file, as the text of a file
//! that is evaluated anew for each input. Reads no keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use imgc_diag::Severity;

use super::Answer;
use crate::cli::ReplArgs;
use crate::describe::Problem;
use crate::desk::{Desk, Desks, has_errors};
use crate::programs;
use crate::terminal::{Failure, Terminal};
use imgc_eval::{Options, Shown, builtin_docs};

/// The name of the text, in diagnostics.
const NAME: &str = "<repl>";

/// What the name of a declared type is kept behind.
const TYPE: &str = "type ";

/// The commands, with what they take and do.
pub(super) const COMMANDS: [(&str, &str, &str); 7] = [
    (":t", "EXPR", "the type of an expression"),
    (":doc", "NAME", "what a name is for"),
    (":load", "FILE", "the names of a file"),
    (":reload", "", "the loaded file as it is now"),
    (":names", "", "the names that are defined"),
    (":help", "", "this list"),
    (":q", "", "the end"),
];

/// The definitions so far, and where they are evaluated.
#[derive(Debug)]
pub(super) struct State {
    desks: Desks,
    options: Options,
    /// The text of each definition, `name = EXPR;` or `type Name = TYPE;`, by `name` or
    /// `type Name`.
    definitions: BTreeMap<String, String>,
    loaded: Option<Loaded>,
}

/// A file whose names are there.
#[derive(Debug)]
struct Loaded {
    file: PathBuf,
    /// The file as it is imported: a path literal.
    import: String,
    /// Its public names. None: it ends in no record, and has the name of the file.
    names: Option<Vec<String>>,
}

impl State {
    /// A session with the file of the command line, if there is one.
    pub(super) fn new(args: &ReplArgs, terminal: &Terminal) -> Result<Self, Failure> {
        args.evaluation.check_one_platform()?;
        let desks = Desks::new(&args.evaluation, true);
        let mut state = Self {
            options: desks.options(None),
            desks,
            definitions: BTreeMap::new(),
            loaded: None,
        };
        // That the folder can be read is said now, not at every input.
        state.desks.of_folder(Path::new("."))?;
        if let Some(file) = &args.file {
            state.load(file, terminal)?;
        }
        Ok(state)
    }

    /// Answers one input.
    ///
    /// # Errors
    /// A [`Failure`] where the answer can't be written.
    pub(super) fn input(&mut self, input: &str, terminal: &Terminal) -> Result<Answer, Failure> {
        let text = input.trim();
        if text.is_empty() || text.lines().all(|line| line.trim_start().starts_with('#')) {
            return Ok(Answer::Done);
        }
        let answer = if text.starts_with(':') {
            self.command(text, terminal)
        } else if let Some(name) = programs::definition(text) {
            self.define(name, text, terminal)
        } else {
            let shown = self.show(text)?;
            self.print(&shown, terminal)
        };
        match answer {
            Ok(answer) => Ok(answer),
            Err(Failure::Told) => Ok(Answer::Failed),
            Err(failure) => {
                terminal.failure(&failure);
                Ok(Answer::Failed)
            }
        }
    }

    fn command(&mut self, text: &str, terminal: &Terminal) -> Result<Answer, Failure> {
        let (command, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match (command, rest) {
            (":q" | ":quit", _) => return Ok(Answer::Quit),
            (":help" | ":h" | ":?", _) => {
                for (command, argument, what) in COMMANDS {
                    terminal.result(&format!("{:<14} {what}", format!("{command} {argument}")))?;
                }
                terminal.result("NAME = EXPR    a definition")?;
            }
            (":names" | ":n", _) => self.names(terminal)?,
            (":reload" | ":r", _) => {
                let file = self.loaded.as_ref().map(|loaded| loaded.file.clone());
                let file = file.ok_or_else(|| Problem::new("no file is loaded"))?;
                self.load(&file, terminal)?;
            }
            (":load" | ":l", file) if !file.is_empty() => self.load(Path::new(file), terminal)?,
            (":t" | ":type", text) if !text.is_empty() => {
                let ty = self.type_of(text, terminal)?;
                terminal.result(&ty)?;
            }
            (":doc" | ":d", name) if !name.is_empty() => self.doc(name, terminal)?,
            _ => {
                let known = COMMANDS.iter().find(|(name, ..)| *name == command);
                let problem = match known {
                    Some((name, argument, _)) => {
                        Problem::new(format!("expected {name} {argument}"))
                    }
                    None => Problem::new(format!("there is no command {command}")),
                };
                return Err(problem.help(":help lists the commands").into());
            }
        }
        Ok(Answer::Done)
    }

    fn define(&mut self, name: String, text: &str, terminal: &Terminal) -> Result<Answer, Failure> {
        let before = self
            .definitions
            .insert(name.clone(), programs::closed(text));
        // A type has no value: that the rest still holds is what is asked.
        let probe = if name.starts_with(TYPE) { "0" } else { &name };
        let shown = self.show(probe)?;
        if shown.text.is_some() {
            return Ok(Answer::Done);
        }
        match before {
            Some(before) => self.definitions.insert(name, before),
            None => self.definitions.remove(&name),
        };
        self.print(&shown, terminal)
    }

    fn print(&self, shown: &Shown, terminal: &Terminal) -> Result<Answer, Failure> {
        let mut diagnostics = shown.diagnostics.clone();
        // A warning about what was defined before has been heard, or is none of now.
        if shown.text.is_some() {
            diagnostics.clear();
        }
        diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
        terminal.diagnostics(&diagnostics, &shown.sources);
        match &shown.text {
            Some(text) => {
                terminal.result(text)?;
                Ok(Answer::Done)
            }
            None => Ok(Answer::Failed),
        }
    }

    fn names(&mut self, terminal: &Terminal) -> Result<(), Failure> {
        let types = self.definitions.iter();
        for (_, text) in types.filter(|(name, _)| name.starts_with(TYPE)) {
            terminal.result(text.trim_end_matches([';', '\n']))?;
        }
        for name in self.defined() {
            let ty = self.quiet_type(&name);
            let ty = ty.map(|ty| format!(" : {ty}")).unwrap_or_default();
            terminal.result(&format!("{name}{ty}"))?;
        }
        Ok(())
    }

    fn doc(&mut self, name: &str, terminal: &Terminal) -> Result<(), Failure> {
        let defined = self.defined().iter().any(|defined| defined == name);
        let builtin = builtin_docs().find(|doc| doc.name == name);
        if let Some(doc) = builtin.filter(|_| !defined) {
            terminal.result(&format!("{} : {}\n\n{}", doc.name, doc.signature, doc.text))?;
            if !doc.example.is_empty() {
                terminal.result(&format!("\n{}", doc.example))?;
            }
            if !doc.value.is_empty() {
                let value = doc.value.replace('\n', "\n# ");
                terminal.result(&format!("# {value}"))?;
            }
            return Ok(());
        }
        let std = name.strip_prefix("std/").and_then(imgc_stdlib::module);
        if let Some(text) = std {
            let doc = imgc_syntax::parse(text).tree().doc().unwrap_or_default();
            return terminal.result(&doc);
        }
        if !defined {
            let problem = Problem::new(format!("there is no name `{name}`"));
            return Err(problem.help(":names lists what is defined").into());
        }
        if let Some(ty) = self.quiet_type(name) {
            terminal.result(&format!("{name} : {ty}"))?;
        }
        let file = self.loaded.as_ref().map(|loaded| loaded.file.clone());
        if let Some(file) = file.filter(|_| !self.definitions.contains_key(name)) {
            let (desk, entry) = self.desks.of_file(&file)?;
            let module = desk.session.module(&entry);
            let mut bindings = module.bindings.into_iter();
            let binding = bindings.find(|binding| binding.name == name && binding.public);
            if let Some(doc) = binding.and_then(|binding| binding.doc) {
                terminal.result(&format!("\n{doc}"))?;
            }
        }
        Ok(())
    }

    /// Takes the names of a file in the place of those of the one before.
    fn load(&mut self, file: &Path, terminal: &Terminal) -> Result<(), Failure> {
        let (desk, entry) = self.desks.of_file(file)?;
        // The file may have changed since it was read.
        desk.session.refresh();
        let checked = desk.session.check(&entry, &Options::clone(&self.options));
        if has_errors(&checked.diagnostics) {
            terminal.diagnostics(&checked.diagnostics, &checked.sources);
            return Err(Failure::Told);
        }
        let public = desk.session.module(&entry).bindings.into_iter();
        let public: Vec<String> = public
            .filter(|binding| binding.public)
            .map(|binding| binding.name)
            .collect();
        let (_, here) = self.here()?;
        let import = path_literal(&here, &entry).ok_or_else(|| {
            Problem::new(format!("{} can't be written as a path", file.display()))
                .help("its name has other characters than a path literal may have")
        })?;
        self.loaded = Some(Loaded {
            file: file.to_owned(),
            import,
            names: (!public.is_empty()).then_some(public),
        });
        Ok(())
    }

    /// The desk of the current folder, and the path of the text in its project.
    fn here(&mut self) -> Result<(&mut Desk, String), Problem> {
        let desk = self.desks.of_folder(Path::new("."))?;
        let entry = desk.path(NAME);
        Ok((desk, entry))
    }

    /// Lays out the program that evaluates `text` with all that is defined.
    fn lay_out(&mut self, text: &str) -> Result<(&mut Desk, String), Problem> {
        let mut bindings = String::new();
        if let Some(loaded) = &self.loaded {
            match &loaded.names {
                Some(names) => {
                    let names = names.iter();
                    for name in names.filter(|name| !self.definitions.contains_key(*name)) {
                        let import = &loaded.import;
                        bindings.push_str(&format!("  {name} = (import {import}).{name};\n"));
                    }
                }
                None => {
                    let name = stem(&loaded.file);
                    if !self.definitions.contains_key(&name) {
                        bindings.push_str(&format!("  {name} = import {};\n", loaded.import));
                    }
                }
            }
        }
        for definition in self.definitions.values() {
            bindings.push_str(&format!("  {definition}\n"));
        }
        let program = if bindings.is_empty() {
            format!("{text}\n")
        } else {
            format!("let\n{bindings}in\n{text}\n")
        };
        let (desk, entry) = self.here()?;
        desk.put(&entry, &program);
        Ok((desk, entry))
    }

    fn show(&mut self, text: &str) -> Result<Shown, Problem> {
        let options = self.options.clone();
        let (desk, entry) = self.lay_out(text)?;
        Ok(desk.session.show(&entry, &options))
    }

    fn type_of(&mut self, text: &str, terminal: &Terminal) -> Result<String, Failure> {
        let options = self.options.clone();
        let (desk, entry) = self.lay_out(text)?;
        let mut checked = desk.session.check(&entry, &options);
        checked
            .diagnostics
            .retain(|diagnostic| diagnostic.severity == Severity::Error);
        terminal.diagnostics(&checked.diagnostics, &checked.sources);
        if !checked.diagnostics.is_empty() {
            return Err(Failure::Told);
        }
        let ty = desk.session.type_of(&entry, None);
        ty.ok_or_else(|| Problem::new("the type is not known").into())
    }

    /// The type of an expression, if it has one.
    pub(super) fn quiet_type(&mut self, text: &str) -> Option<String> {
        let (desk, entry) = self.lay_out(text).ok()?;
        desk.session.type_of(&entry, None)
    }

    /// The names of definitions and of the loaded file, sorted.
    pub(super) fn defined(&self) -> Vec<String> {
        let names = self.definitions.keys();
        let mut names: Vec<String> = names
            .filter(|name| !name.starts_with(TYPE))
            .cloned()
            .collect();
        if let Some(loaded) = &self.loaded {
            match &loaded.names {
                Some(more) => names.extend(more.iter().cloned()),
                None => names.push(stem(&loaded.file)),
            }
        }
        names.sort();
        names.dedup();
        names
    }
}

/// A name for what a file gives: its own, with what no name may have made `_`.
fn stem(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = stem.chars().map(plain).collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_lowercase() => name,
        _ => format!("file_{name}"),
    }
}

/// The path literal that leads from the file `from` to the file `to`, both from the
/// project's root.
fn path_literal(from: &str, to: &str) -> Option<String> {
    let above = |path: &str| {
        path.rsplit_once('/')
            .map_or("", |(above, _)| above)
            .to_owned()
    };
    let (from, to_folder) = (above(from), above(to));
    let parts = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    let (from, to_folder) = (parts(&from), parts(&to_folder));
    let shared = from
        .iter()
        .zip(&to_folder)
        .take_while(|(a, b)| a == b)
        .count();
    let up = "../".repeat(from.len() - shared);
    let start = if up.is_empty() { "./" } else { up.as_str() };
    let rest = parts(to)[shared..].join("/");
    let literal = format!("{start}{rest}");
    // Names may have characters that path literals don't.
    let parse = imgc_syntax::parse(&literal);
    let is_path = matches!(parse.tree().expr(), Some(imgc_syntax::ast::Expr::Path(_)));
    (is_path && parse.errors().is_empty()).then_some(literal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_lead_from_one_file_to_another() {
        for (from, to, literal) in [
            ("<repl>", "lib.img", Some("./lib.img")),
            ("a/<repl>", "a/b/c.img", Some("./b/c.img")),
            ("a/b/<repl>", "c.img", Some("../../c.img")),
            ("a/<repl>", "b/c.img", Some("../b/c.img")),
            ("<repl>", "a b.img", None),
        ] {
            assert_eq!(path_literal(from, to).as_deref(), literal, "{from} {to}");
        }
    }

    #[test]
    fn files_have_names() {
        for (file, name) in [
            ("lib.img", "lib"),
            ("a/my-app.img", "my_app"),
            ("1.img", "file_1"),
        ] {
            assert_eq!(stem(Path::new(file)), name);
        }
    }
}
