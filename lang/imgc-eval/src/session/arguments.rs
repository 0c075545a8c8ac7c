//! What a question is about: the file, one field of it, or what its function gives for
//! the arguments of the command line.
//!
//! An argument is a module of its own: its text is the value. A small module applies the
//! file to them, so that arguments are checked and evaluated as everything else is.

use std::collections::BTreeMap;

use imgc_diag::{Code, Span, codes, did_you_mean};

use crate::ir::{Expr, ItemName, ModuleName, Parameter, Rest, TypeExpr};
use crate::load::{file_id, start_of};
use crate::options::Options;
use crate::problem::{Problem, list_names};
use crate::queries::{Database, Db as _, Item, SourceFile, body, items, parse, scheme};
use crate::resolve::{call_text, signature};
use crate::site::At;
use crate::site::Site;
use crate::text::quote;
use crate::types::{FieldKind, ParameterField, parameter_fields};

use super::State;
use super::check::public;
use super::report::{Report, span};
use super::run::Target;

impl State {
    /// What is evaluated for a question. With `apply`, a function is applied also where
    /// there are no arguments.
    pub(super) fn target(&mut self, entry: &ModuleName, options: &Options, apply: bool) -> Target {
        let report = self.check(entry, options);
        let mut target = Target {
            report,
            wanted: Vec::new(),
            fields: false,
            select: None,
            stem: stem(entry),
        };
        if target.report.has_errors() {
            return target;
        }
        let file = self.db.file(entry);
        if let Err(problem) = self.choose(file, entry, options, apply, &mut target) {
            target.report.problems.push(*problem);
        }
        target
    }

    fn choose(
        &mut self,
        file: SourceFile,
        entry: &ModuleName,
        options: &Options,
        apply: bool,
        target: &mut Target,
    ) -> Result<(), Box<Problem<Span>>> {
        let db = &self.db;
        let found = items(db, file);
        // The binding that may be a function, and what is selected behind it.
        let (item, select) = match (&found.exports, &options.select) {
            (Some(names), Some(name)) => {
                if !names.iter().any(|known| **known == **name) {
                    let names = names.iter().map(|name| &**name);
                    return Err(unknown_field(entry, name, names.collect()).into());
                }
                target.stem.clone_from(name);
                (db.item(file, &ItemName::Export((&**name).into())), None)
            }
            (Some(names), None) => {
                if let Some(name) = options.arguments.keys().next() {
                    return Err(no_function(entry, name).into());
                }
                if names.is_empty() && apply {
                    let message = "this file has no image: its record is empty";
                    let problem = Problem::new(codes::NOT_AN_IMAGE, start_of(entry), message);
                    return Err(problem.into());
                }
                target.wanted = public(db, file);
                target.fields = true;
                return Ok(());
            }
            (None, select) => (db.item(file, &ItemName::Root), select.clone()),
        };
        if let Some(name) = &select {
            target.stem.clone_from(name);
        }
        let wanted = parameter_fields(scheme(db, item));
        let is_called = !options.arguments.is_empty() || apply;
        let Some(fields) = wanted.filter(|_| is_called) else {
            if let Some(name) = options.arguments.keys().next() {
                return Err(no_function(entry, name).into());
            }
            if let Some(name) = &select {
                check_select(entry, &scheme_text(db, item), name)?;
            }
            target.wanted = vec![item];
            target.select = select;
            return Ok(());
        };
        self.call(entry, item, &fields, options, target)?;
        if let (Some(name), Some(item)) = (&select, target.wanted.first()) {
            let ty = scheme_text(&self.db, *item);
            check_select(entry, &ty, name)?;
        }
        target.select = select;
        Ok(())
    }

    /// Applies a function to the arguments.
    fn call(
        &mut self,
        entry: &ModuleName,
        item: Item,
        fields: &[ParameterField],
        options: &Options,
        target: &mut Target,
    ) -> Result<(), Box<Problem<Span>>> {
        let place = pattern(&self.db, item).unwrap_or_else(|| start_of(entry));
        for name in options.arguments.keys() {
            if !fields.iter().any(|field| *field.name == **name) {
                return Err(unknown_argument(&place, name, fields).into());
            }
        }
        let missing: Vec<&ParameterField> = fields
            .iter()
            .filter(|field| !field.optional && !options.arguments.contains_key(&*field.name))
            .collect();
        if !missing.is_empty() {
            return Err(missing_arguments(place, &missing, fields).into());
        }
        let ModuleName::Project(path) = entry else {
            return Ok(());
        };
        for (name, value) in &options.arguments {
            let field = fields.iter().find(|field| *field.name == **name);
            let module = ModuleName::Argument((&**name).into());
            self.texts.insert(module, Ok(written(field, value).into()));
        }
        let field = match item.name(&self.db) {
            ItemName::Export(name) => Some(&**name),
            ItemName::Let(..) | ItemName::Root => None,
        };
        let names: Vec<&str> = options.arguments.keys().map(String::as_str).collect();
        let text = call_text(path, field, &names);
        self.texts.insert(ModuleName::Call, Ok(text.into()));
        // Other texts than before, for all that is known.
        self.checked.clear();
        let report = self.check(&ModuleName::Call, options);
        if report.has_errors() {
            let found = bad_arguments(&self.db, item, &report, fields, options);
            target.report.problems.extend(found);
            return Ok(());
        }
        target.report = report;
        target.wanted = public(&self.db, self.db.file(&ModuleName::Call));
        Ok(())
    }
}

/// The name of a file without its folder and `.img`.
fn stem(entry: &ModuleName) -> String {
    let ModuleName::Project(path) = entry else {
        return String::new();
    };
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".img").unwrap_or(file).to_owned()
}

pub(super) fn scheme_text(db: &Database, item: Item) -> String {
    crate::types::show(scheme(db, item))
}

/// Where the pattern of a function stands.
fn pattern(db: &Database, item: Item) -> Option<Span> {
    let body = body(db, item).as_ref()?;
    let at = match body.expr(body.root) {
        Expr::Lambda(_) => At::part(body.root, 0),
        _ => At::whole(body.root),
    };
    Some(span(db, Site { item, at }))
}

/// The text of the module that an argument becomes.
fn written(field: Option<&ParameterField>, text: &str) -> String {
    let is_text = field.is_some_and(|field| match field.kind {
        FieldKind::String => {
            let is_number = text.parse::<i64>().is_ok();
            !(is_number && matches!(field.ty.as_str(), "Port" | "Owner"))
        }
        FieldKind::Int | FieldKind::Bool | FieldKind::Other => false,
    });
    if !is_text {
        return text.to_owned();
    }
    let mut quoted = String::new();
    quote(text, &mut quoted);
    quoted
}

/// What is wrong with the texts of arguments. The file itself is fine.
fn bad_arguments(
    db: &Database,
    item: Item,
    report: &Report,
    fields: &[ParameterField],
    options: &Options,
) -> Vec<Problem<Span>> {
    let mut found = Vec::new();
    for (name, text) in &options.arguments {
        let module = ModuleName::Argument((&**name).into());
        let errors = parse(db, db.file(&module)).errors();
        let id = file_id(&module);
        let mut problems = report.problems.iter().chain(&report.program.problems);
        let problem = problems.find(|problem| problem.is_error() && problem.place.file == id);
        let why = match (errors.first(), problem) {
            (Some(error), _) => error.message.clone(),
            (None, Some(problem)) => problem.message().to_owned(),
            (None, None) => continue,
        };
        let field = fields.iter().find(|field| *field.name == **name);
        let ty = field.map_or("", |field| field.ty.as_str());
        let message = format!("the argument `{name}` is a value of type `{ty}`, not `{text}`");
        let place = field_place(db, item, name);
        found.push(Problem::new(codes::BAD_ARGUMENT, place, message).note(why));
    }
    if found.is_empty() {
        found.extend(report.problems.iter().cloned());
    }
    found
}

/// Where a field of a function's pattern stands.
fn field_place(db: &Database, item: Item, name: &str) -> Span {
    let found = body(db, item).as_ref().and_then(|body| {
        let Expr::Lambda(lambda) = body.expr(body.root) else {
            return None;
        };
        let Parameter::Fields(pattern) = &lambda.parameter else {
            return None;
        };
        let field = pattern
            .fields
            .iter()
            .position(|field| *field.name == *name)?;
        let at = At::part(body.root, field + 1);
        Some(span(db, Site { item, at }))
    });
    found
        .or_else(|| pattern(db, item))
        .unwrap_or_else(|| start_of(item.file(db).name(db)))
}

fn unknown_argument(place: &Span, name: &str, fields: &[ParameterField]) -> Problem<Span> {
    let message = format!("there is no argument `{name}`");
    let problem = Problem::new(codes::UNKNOWN_ARGUMENT, place.clone(), message);
    let names: Vec<&str> = fields.iter().map(|field| &*field.name).collect();
    match did_you_mean(name, names.iter().copied()) {
        Some(similar) => problem.help(format!("did you mean `{similar}`?")),
        None => problem.note(format!("the arguments are {}", list_names(&names))),
    }
}

fn missing_arguments(
    place: Span,
    missing: &[&ParameterField],
    fields: &[ParameterField],
) -> Problem<Span> {
    let names: Vec<String> = missing
        .iter()
        .map(|field| format!("--arg {}=…", field.name))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let message = format!("this is a function: it needs {}", list_names(&names));
    let mut problem = Problem::new(codes::ARGUMENT_NEEDED, place, message);
    for field in fields {
        let default = if field.optional {
            ", has a default"
        } else {
            ""
        };
        problem = problem.note(format!("`{}`: {}{default}", field.name, field.ty));
    }
    problem
}

fn no_function(entry: &ModuleName, name: &str) -> Problem<Span> {
    let message = format!("there is nothing that takes the argument `{name}`");
    command_line(codes::UNKNOWN_ARGUMENT, entry, message)
        .note("arguments are for files that are a function of a record: `{ version } => …`")
}

fn unknown_field(entry: &ModuleName, name: &str, names: Vec<&str>) -> Problem<Span> {
    let file = file_id(entry);
    let message = format!("`{file}` has no field `{name}`");
    let problem = command_line(codes::UNKNOWN_SELECTION, entry, message);
    match did_you_mean(name, names.iter().copied()) {
        Some(similar) => problem.help(format!("did you mean `{file}#{similar}`?")),
        None => problem.note(format!("its fields are {}", list_names(&names))),
    }
}

fn command_line(code: Code, entry: &ModuleName, message: String) -> Problem<Span> {
    Problem::new(code, start_of(entry), message)
}

/// Whether a value of that type has the field that is asked for. A map may have it.
fn check_select(entry: &ModuleName, ty: &str, name: &str) -> Result<(), Box<Problem<Span>>> {
    match signature(ty) {
        TypeExpr::Record(fields, Rest::Closed) => {
            let names: BTreeMap<&str, ()> = fields.iter().map(|f| (&*f.name, ())).collect();
            if names.contains_key(name) {
                return Ok(());
            }
            Err(unknown_field(entry, name, names.into_keys().collect()).into())
        }
        TypeExpr::Poison | TypeExpr::Variable(_) | TypeExpr::Record(..) => Ok(()),
        TypeExpr::Host(host, _) if &*host == "Map" => Ok(()),
        _ => {
            let file = file_id(entry);
            let message = format!("`{file}` is no record: it has no field `{name}`");
            Err(command_line(codes::UNKNOWN_SELECTION, entry, message).into())
        }
    }
}
