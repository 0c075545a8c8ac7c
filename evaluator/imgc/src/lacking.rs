//! Programs that can't be started in their image, in the words of the user, and the edit
//! that adds the packages that they need.

use std::collections::BTreeSet;

use imgc_build::{Lack, Program};
use imgc_diag::{Diagnostic, Edit, Span, codes};
use imgc_eval::{Origins, Place};

/// A diagnostic for each program.
pub(crate) fn diagnostics(image: &str, programs: &[Program], origins: &Origins) -> Vec<Diagnostic> {
    let mut all: Vec<Diagnostic> = Vec::new();
    // One edit for all of them: two would stand at one place.
    let lacks = || programs.iter().flat_map(|program| &program.lacks);
    let sure = lacks().filter_map(|lack| match lack.packages() {
        [one] => Some(one.as_str()),
        _ => None,
    });
    let sure: BTreeSet<&str> = sure.collect();
    let edit = added(image, &sure, origins);
    for program in programs {
        let Some(span) = place(image, &program.path, origins) else {
            continue;
        };
        let diagnostic = diagnostic(program, span);
        let helps = program.lacks.iter().any(|lack| lack.packages().len() == 1);
        all.push(match &edit {
            Some(edit) if helps => {
                let names: Vec<&str> = sure.iter().copied().collect();
                let title = format!("add {} to the packages", names.join(", "));
                diagnostic.with_fix(title, vec![edit.clone()])
            }
            _ => diagnostic,
        });
    }
    all
}

/// Where a file is written: what a folder or an archive holds is written where that is.
fn place(image: &str, path: &str, origins: &Origins) -> Option<Span> {
    let mut at = path;
    loop {
        if let Some(span) = origins.get(image, &Place::File(at.to_owned())) {
            return Some(span.clone());
        }
        at = match at.rsplit_once('/') {
            Some(("", _)) if at != "/" => "/",
            Some((above, _)) if !above.is_empty() => above,
            _ => return origins.get(image, &Place::Image).cloned(),
        };
    }
}

fn diagnostic(program: &Program, span: Span) -> Diagnostic {
    let path = &program.path;
    let damaged = program.lacks.contains(&Lack::Damaged);
    let message = match damaged {
        true => format!("`{path}` is said to be a program, and its headers are damaged"),
        false => format!("`{path}` can't be started: the image lacks what it asks for"),
    };
    let mut diagnostic = Diagnostic::error(codes::MISSING_LIBRARY, span, message);
    let mut packages: BTreeSet<String> = BTreeSet::new();
    let mut unknown = None;
    for lack in &program.lacks {
        let from = |by: &str| match by == path {
            true => String::new(),
            false => format!(", which {by} asks for"),
        };
        let found = match lack.packages() {
            [] => String::new(),
            names => format!(": it is in {}", names.join(" or ")),
        };
        let line = match lack {
            Lack::Interpreter { path, .. } => format!("its interpreter {path} is missing{found}"),
            Lack::Library {
                name,
                by,
                elsewhere: Some(place),
                ..
            } => format!(
                "{name}{} is at {place}, where nobody looks for it",
                from(by)
            ),
            Lack::Library { name, by, .. } => format!("{name}{} is missing{found}", from(by)),
            Lack::Version {
                library,
                version,
                by,
                at,
            } => format!("{library} at {at} has no {version}{}", from(by)),
            Lack::Damaged => continue,
        };
        diagnostic = diagnostic.with_note(line);
        if !lack.packages().is_empty() {
            packages.insert(format!("\"{}\"", lack.packages()[0]));
        } else {
            unknown = unknown.or(Some(lack));
        }
    }
    let mut helps = Vec::new();
    if !packages.is_empty() {
        let names: Vec<String> = packages.into_iter().collect();
        helps.push(format!("add to the packages: {}", names.join(", ")));
    }
    match unknown {
        Some(Lack::Version { .. }) => helps.push(
            "take a program that was built for this suite, or a newer suite".to_owned(),
        ),
        Some(Lack::Library {
            elsewhere: Some(place),
            ..
        }) => {
            let folder = place.rsplit_once('/').map_or("/", |(folder, _)| folder);
            helps.push(format!(
                "name the folder in `config.env`: `LD_LIBRARY_PATH = \"{folder}\"`"
            ));
        }
        Some(lack) => helps.extend(lack.name().map(|name| {
            format!(
                "if something outside of the image provides it: `provided = {{ \"{name}\" = \"WHO\"; }}`"
            )
        })),
        None => {}
    }
    if damaged {
        helps.push("take it out, or build it again".to_owned());
    }
    diagnostic.with_help(helps.join("; "))
}

/// The edit that adds packages behind the last one that the image names in a list.
fn added(image: &str, names: &BTreeSet<&str>, origins: &Origins) -> Option<Edit> {
    if names.is_empty() {
        return None;
    }
    let literals = origins.iter().filter_map(|(of, place, span)| match place {
        // As long as the name in its quotes: it is written there, and not computed.
        Place::Package(name) if of == image => {
            let length = (span.range.end - span.range.start) as usize;
            (length == name.len() + 2).then_some(span)
        }
        _ => None,
    });
    let last = literals.max_by_key(|span| {
        (
            span.file.as_str() == of_image(image, origins),
            span.range.end,
        )
    })?;
    let mut span = last.clone();
    span.range.start = span.range.end;
    let text: Vec<String> = names.iter().map(|name| format!(", \"{name}\"")).collect();
    Some(Edit {
        span,
        text: text.concat(),
    })
}

/// The file that an image is written in.
fn of_image<'a>(image: &str, origins: &'a Origins) -> &'a str {
    let place = origins.get(image, &Place::Image);
    place.map_or("", |span| span.file.as_str())
}
