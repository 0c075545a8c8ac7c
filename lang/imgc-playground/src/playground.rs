//! One project in memory, and the answers about it.
//!
//! What comes in is bounded before anything is done with it; what goes out is too. It
//! keeps nothing between two projects.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{Diagnostic, FileId};
use imgc_eval::{Limits, Options};
use imgc_ide::{Cancelled, Documented, Evaluator, Workspace};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::answers::{Evaluated, Finding, Hover, Offer, Token};
use crate::catalogue::Sample as SampleCatalogue;
use crate::drawing;
use crate::places::{Edit, Lines};
use crate::request::Request;
use crate::samples::{self, SAMPLES};

/// The most files, the most bytes that all have together, and of the name of one.
const MAX_FILES: usize = 16;
const MAX_BYTES: usize = 1 << 20;
const MAX_NAME: usize = 100;

/// The most findings, completions and words, and bytes of a value, that are told.
const MAX_FINDINGS: usize = 100;
const MAX_OFFERS: usize = 200;
const MAX_TOKENS: usize = 20_000;
const MAX_VALUE: usize = 256 << 10;

/// What an evaluation may use: less than natively, as somebody waits before a page.
const LIMITS: Limits = Limits {
    steps: 5_000_000,
    bytes: 128 << 20,
};

/// One project in memory.
#[derive(Default)]
pub struct Playground {
    texts: BTreeMap<String, Arc<str>>,
    open: Option<Open>,
    /// What the last completions are about.
    documented: Vec<Option<Documented>>,
}

/// What answers about a project.
struct Open {
    workspace: Workspace,
    evaluator: Evaluator,
}

/// What goes out.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Ok(Box<RawValue>),
    Error(String),
}

impl std::fmt::Debug for Playground {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Playground").finish_non_exhaustive()
    }
}

impl Open {
    fn of(texts: &BTreeMap<String, Arc<str>>) -> Result<Self, String> {
        let world = Arc::new(samples::world());
        let mut workspace = Workspace::new(world.clone(), Arc::new(SampleCatalogue))?;
        for (name, text) in texts {
            workspace.set_text(name, Some(text.clone()));
            workspace.add(name);
        }
        let options = Options {
            limits: LIMITS,
            ..Options::default()
        };
        let mut evaluator = Evaluator::with_options(world, options);
        evaluator.update(texts.clone());
        Ok(Self {
            workspace,
            evaluator,
        })
    }
}

impl Playground {
    /// Answers a request: an object with a field `ask`, as JSON. The answer has either
    /// `ok`, with what was asked for, or `error`, with the reason why there is no answer.
    pub fn answer(&mut self, request: &[u8]) -> Vec<u8> {
        let answer = match serde_json::from_slice(request) {
            Ok(request) => self.ask(request),
            Err(error) => Err(error.to_string()),
        };
        let answer = answer.map_or_else(Answer::Error, Answer::Ok);
        serde_json::to_vec(&answer).expect("an answer is plain data")
    }

    fn ask(&mut self, request: Request) -> Result<Box<RawValue>, String> {
        match request {
            Request::Samples {} => raw(&SAMPLES),
            Request::Open { files } => raw(&self.open(files)?),
            Request::Change { file, text } => raw(&self.change(file, text)?),
            Request::Check {} => {
                let analysis = self.opened()?.workspace.analysis();
                let found = analysis.diagnostics().map_err(words)?;
                let found: Vec<Diagnostic> = found.into_values().flatten().collect();
                drop(analysis);
                raw(&self.findings(&found))
            }
            Request::Evaluate { file } => raw(&self.evaluate(&file)?),
            Request::Hover { file, at } => {
                let (file, lines) = self.file(&file)?;
                let analysis = self.opened()?.workspace.analysis();
                let found = analysis.hover(&file, lines.byte(&file, at));
                raw(&found.map_err(words)?.map(|hover| Hover {
                    place: lines.piece(&file, hover.range),
                    text: hover.text,
                }))
            }
            Request::Complete { file, at } => {
                let (file, lines) = self.file(&file)?;
                let analysis = self.opened()?.workspace.analysis();
                let found = analysis.completions(&file, lines.byte(&file, at));
                let mut found = found.map_err(words)?;
                found.truncate(MAX_OFFERS);
                let offers = found.iter().map(|offer| Offer::of(offer, &file, &lines));
                let offers: Vec<Offer> = offers.collect();
                self.documented = found.into_iter().map(|offer| offer.documented).collect();
                raw(&offers)
            }
            Request::Describe { completion } => {
                let about = self.documented.get(completion).cloned().flatten();
                let analysis = self.opened()?.workspace.analysis();
                let found = about.map(|about| analysis.resolve_completion(&about));
                raw(&found.transpose().map_err(words)?.flatten())
            }
            Request::Format { file } => {
                let (file, lines) = self.file(&file)?;
                let text = self.texts.get(file.as_str()).map_or("", |text| &**text);
                let edits = imgc_ide::format(text);
                let edits = edits.iter().map(|edit| lines.edit(&file, edit));
                raw(&edits.collect::<Vec<Edit>>())
            }
            Request::Tokens { file } => {
                let (file, lines) = self.file(&file)?;
                let analysis = self.opened()?.workspace.analysis();
                let found = analysis.semantic_tokens(&file).map_err(words)?;
                let found = found.iter().take(MAX_TOKENS);
                let tokens = found.map(|token| Token::of(token, &file, &lines));
                raw(&tokens.collect::<Vec<Token>>())
            }
        }
    }

    fn open(&mut self, files: BTreeMap<String, String>) -> Result<(), String> {
        for name in files.keys() {
            check_name(name)?;
        }
        let files = files.into_iter();
        let texts = files.map(|(name, text)| (name, Arc::from(text)));
        let texts: BTreeMap<String, Arc<str>> = texts.collect();
        check_size(&texts)?;
        self.open = Some(Open::of(&texts)?);
        self.texts = texts;
        self.documented.clear();
        Ok(())
    }

    fn change(&mut self, file: String, text: String) -> Result<(), String> {
        if !self.texts.contains_key(&file) {
            return Err(format!("there is no file `{file}`"));
        }
        let mut texts = self.texts.clone();
        let text: Arc<str> = Arc::from(text);
        texts.insert(file.clone(), text.clone());
        check_size(&texts)?;
        let open = self.opened()?;
        open.workspace.set_text(&file, Some(text));
        open.evaluator.update(texts.clone());
        self.texts = texts;
        Ok(())
    }

    fn evaluate(&mut self, file: &str) -> Result<Evaluated, String> {
        self.file(file)?;
        let outcome = self.opened()?.evaluator.outcome(file);
        let lines = self.lines();
        let drawn = outcome.plan.as_ref();
        let drawn = drawn.map(|plan| drawing::draw(plan, &outcome.origins, &lines));
        let (images, more) = drawn.map_or((None, 0), |(images, more)| (Some(images), more));
        let json = outcome.plan.as_ref().map(|plan| {
            let text = serde_json::to_string_pretty(&plan.images);
            cut(text.unwrap_or_default())
        });
        Ok(Evaluated {
            findings: self.findings(&outcome.findings),
            images,
            more,
            json,
            value: outcome.value.map(cut),
            is_function: outcome.is_function,
        })
    }

    fn findings(&self, found: &[Diagnostic]) -> Vec<Finding> {
        let lines = self.lines();
        let found = found.iter().take(MAX_FINDINGS);
        found.map(|found| Finding::of(found, &lines)).collect()
    }

    fn opened(&mut self) -> Result<&mut Open, String> {
        let open = self.open.as_mut();
        open.ok_or_else(|| "no project is open".to_owned())
    }

    /// A file of the project, and the lines of all.
    fn file(&self, name: &str) -> Result<(FileId, Lines), String> {
        if !self.texts.contains_key(name) {
            return Err(format!("there is no file `{name}`"));
        }
        Ok((FileId::new(name), self.lines()))
    }

    fn lines(&self) -> Lines {
        let mut lines = Lines::default();
        for (name, text) in &self.texts {
            lines.add(FileId::new(name), text.clone());
        }
        lines
    }
}

fn raw(value: &impl Serialize) -> Result<Box<RawValue>, String> {
    serde_json::value::to_raw_value(value).map_err(|error| error.to_string())
}

fn words(cancelled: Cancelled) -> String {
    cancelled.to_string()
}

/// Names are paths below the root that mean the same everywhere.
fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let is_part = |part: &str| !part.starts_with('.') && part.chars().all(is_plain);
    let is_good = name.len() <= MAX_NAME
        && name.ends_with(".img")
        && name
            .split('/')
            .all(|part| !part.is_empty() && is_part(part));
    match is_good {
        true => Ok(()),
        false => Err(
            "the name of a file is a path of letters, digits, `-`, `_` and `.`, \
                      and ends in `.img`"
                .to_owned(),
        ),
    }
}

fn check_size(texts: &BTreeMap<String, Arc<str>>) -> Result<(), String> {
    let bytes: usize = texts.values().map(|text| text.len()).sum();
    if texts.is_empty() || texts.len() > MAX_FILES || bytes > MAX_BYTES {
        return Err(format!(
            "a project here has 1 to {MAX_FILES} files, and at most {} KiB in all",
            MAX_BYTES >> 10
        ));
    }
    Ok(())
}

/// A text, or as much of it as is told.
fn cut(mut text: String) -> String {
    if text.len() > MAX_VALUE {
        let mut end = MAX_VALUE;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str("\n…");
    }
    text
}
