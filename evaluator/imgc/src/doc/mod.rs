//! `imgc doc`: the manual of modules, and of the names that are always there.

mod html;
mod markdown;
mod page;

use std::path::{Path, PathBuf};

use crate::beside::write_whole;
use crate::cli::{DocArgs, DocFormat};
use crate::describe::{self, Problem};
use crate::desk::{Desk, Desks};
use crate::terminal::{Failure, Terminal};
use imgc_eval::builtin_docs;

use page::{Entry, Page};

/// Writes the manual that is asked for: to standard output, or a page each to a folder.
pub(crate) fn run(args: &DocArgs, terminal: &Terminal) -> Result<(), Failure> {
    let pages = if args.builtins {
        vec![builtins()]
    } else {
        modules(args, terminal)?
    };
    let Some(folder) = &args.output else {
        let text = match args.format {
            DocFormat::Html => html::pages(&pages),
            DocFormat::Markdown => markdown::pages(&pages),
        };
        return terminal.write(&text);
    };
    #[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
    std::fs::create_dir_all(folder).map_err(|error| describe::disk("write", folder, &error))?;
    let (extension, one): (_, fn(&Page) -> String) = match args.format {
        DocFormat::Html => ("html", |page| html::pages(std::slice::from_ref(page))),
        DocFormat::Markdown => ("md", |page| markdown::pages(std::slice::from_ref(page))),
    };
    let mut names: Vec<String> = Vec::new();
    for page in &pages {
        let name = file_name(page, extension);
        if names.contains(&name) {
            let message = format!("two modules would be written to {name}");
            return Err(Problem::new(message).help("write them one by one").into());
        }
        write(&folder.join(&name), &one(page), terminal)?;
        names.push(name);
    }
    if let [_, _, ..] = pages.as_slice() {
        let index = match args.format {
            DocFormat::Html => html::index(&pages, &names),
            DocFormat::Markdown => markdown::index(&pages, &names),
        };
        write(&folder.join(format!("index.{extension}")), &index, terminal)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str, terminal: &Terminal) -> Result<(), Failure> {
    write_whole(path, |file| {
        std::io::Write::write_all(file, text.as_bytes())
    })?;
    terminal.result(&path.display().to_string())
}

/// `std/debian` to `std-debian.md`; what is odd in a name becomes a dash.
fn file_name(page: &Page, extension: &str) -> String {
    let stem = page.title.strip_suffix(".img").unwrap_or(&page.title);
    let plain = |c: char| {
        if c.is_alphanumeric() || matches!(c, '_' | '-') {
            c
        } else {
            '-'
        }
    };
    let stem: String = stem.chars().map(plain).collect();
    format!("{}.{extension}", stem.trim_matches('-'))
}

fn modules(args: &DocArgs, terminal: &Terminal) -> Result<Vec<Page>, Failure> {
    args.evaluation.check_one_platform()?;
    let mut desks = Desks::new(&args.evaluation, true);
    let all: Vec<PathBuf> = imgc_stdlib::modules()
        .iter()
        .map(|(name, _)| PathBuf::from(format!("std/{name}")))
        .collect();
    let given = if args.modules.is_empty() {
        &all
    } else {
        &args.modules
    };
    let mut pages = Vec::new();
    for path in given {
        let shown = path.display().to_string();
        let name = shown.strip_prefix("std/").unwrap_or_default();
        let is_std = imgc_stdlib::module(name).is_some() && !path.exists();
        let (desk, entry) = if is_std {
            std_entry(&mut desks, name)?
        } else {
            desks.of_file(path)?
        };
        let checked = desk
            .session
            .check(&entry, &crate::desk::options(&args.evaluation, None));
        if crate::desk::has_errors(&checked.diagnostics) {
            terminal.diagnostics(&checked.diagnostics, &checked.sources);
            return Err(Failure::Told);
        }
        pages.push(module(desk, &entry, shown, args.all));
    }
    Ok(pages)
}

/// A module of imgc, laid on the desk as if it were a file of the current folder.
fn std_entry<'a>(desks: &'a mut Desks, name: &str) -> Result<(&'a mut Desk, String), Problem> {
    let desk = desks.of_folder(Path::new("."))?;
    let entry = desk.path(&format!("std {name}.img"));
    desk.put(&entry, imgc_stdlib::module(name).unwrap_or_default());
    Ok((desk, entry))
}

fn module(desk: &mut Desk, entry: &str, title: String, all: bool) -> Page {
    let module = desk.session.module(entry);
    let has_bindings = module.bindings.iter().any(|binding| binding.public);
    let value = module.ty.filter(|_| !has_bindings);
    let bindings = module.bindings.into_iter();
    let entries = bindings
        .filter(|binding| all || binding.public)
        .map(|binding| Entry {
            name: binding.name,
            ty: Some(binding.ty),
            private: !binding.public,
            text: binding.doc.unwrap_or_default(),
            example: None,
        });
    Page {
        title,
        text: module.doc.unwrap_or_default(),
        ty: value,
        groups: vec![(None, entries.collect())],
    }
}

fn builtins() -> Page {
    let mut groups: Vec<(Option<String>, Vec<Entry>)> = Vec::new();
    for doc in builtin_docs() {
        let subject = Some(doc.subject.to_owned());
        let entry = Entry {
            name: doc.name.to_owned(),
            ty: Some(doc.signature.to_owned()),
            private: false,
            text: doc.text.to_owned(),
            example: (!doc.example.is_empty())
                .then(|| (doc.example.to_owned(), doc.value.to_owned())),
        };
        match groups.iter_mut().find(|(name, _)| *name == subject) {
            Some((_, entries)) => entries.push(entry),
            None => groups.push((subject, vec![entry])),
        }
    }
    groups.sort_by(|(a, _), (b, _)| a.cmp(b));
    Page {
        title: "Builtins".to_owned(),
        text: "The names that are there in every file.".to_owned(),
        ty: None,
        groups,
    }
}
