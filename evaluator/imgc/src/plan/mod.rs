//! `imgc plan`: what a build would do, as text, JSON or a drawing.

mod dot;
mod svg;

use std::collections::BTreeMap;

use imgc_build::{BuildError, Graph, Node, State};
use serde::Serialize;

use crate::cli::PlanArgs;
use crate::describe::{Problem, Report};
use crate::progress::Progress;
use crate::remote::Policy;
use crate::size::human;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::{AllSources, Work};

/// Prints what building the images of some files takes. Nothing is fetched or made.
pub(crate) fn run(args: &PlanArgs, terminal: &Terminal) -> Result<(), Failure> {
    let work = Work::begin(&args.work)?;
    let mut sources = Vec::new();
    for file in &args.files {
        sources.push(work.evaluate(&Target::of(file), Policy::Pinned, terminal)?);
    }
    let mut locks = Vec::new();
    for source in &sources {
        locks.push(source.lock.lock.clone());
    }
    let pairs = sources.iter().zip(&locks);
    let images: Vec<_> = pairs
        .flat_map(|(source, lock)| source.plan().images.iter().map(move |image| (image, lock)))
        .collect();
    let progress = Progress::new(false, false);
    let all = AllSources(&sources);
    let indexes: Vec<_> = sources
        .iter()
        .flat_map(|source| &source.plan().indexes)
        .collect();
    let graph = work.builder(&all, &progress).plan(&images, &indexes);
    let graph = graph.map_err(|error| match error {
        BuildError::NotLocked { image, .. } => Problem::new(format!(
            "imgc.lock does not have the packages of the image `{image}`"
        ))
        .help("imgc build pins what is missing")
        .into(),
        BuildError::BaseNotLocked { image, .. } => Problem::new(format!(
            "imgc.lock does not have the base of the image `{image}`"
        ))
        .help("imgc build pins what is missing")
        .into(),
        error => Report::from(error).failure(),
    })?;
    if args.dot {
        return terminal.write(&dot::draw(&graph));
    }
    if args.svg {
        return terminal.write(&svg::draw(&graph));
    }
    let summary = Summary::of(&graph);
    if args.json {
        let document = Document {
            steps: &graph.nodes,
            summary,
        };
        let text = serde_json::to_string_pretty(&document).expect("a document is plain data");
        return terminal.result(&text);
    }
    for node in &graph.nodes {
        if args.all || matches!(node.state, State::Todo | State::Unknown) {
            terminal.result(&line(node))?;
        }
    }
    terminal.result(&summary.text())
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    steps: &'a [Node],
    summary: Summary,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Summary {
    /// How many steps there are in each state.
    states: BTreeMap<State, usize>,
    /// How many bytes will be fetched.
    fetch: u64,
}

impl Summary {
    fn of(graph: &Graph) -> Self {
        let mut states = BTreeMap::new();
        let mut fetch = 0;
        for node in &graph.nodes {
            *states.entry(node.state).or_default() += 1;
            if node.state == State::Todo {
                fetch += node.bytes.unwrap_or(0);
            }
        }
        Self { states, fetch }
    }

    fn text(&self) -> String {
        let count = |state| self.states.get(&state).copied().unwrap_or(0);
        let (todo, unknown) = (count(State::Todo), count(State::Unknown));
        let done = count(State::Done) + count(State::Unneeded);
        if todo + unknown == 0 {
            return format!("nothing to do: {done} steps are done or not needed");
        }
        let mut text = format!("{todo} steps to take");
        if unknown > 0 {
            text.push_str(&format!(", {unknown} that may be needed"));
        }
        text.push_str(&format!(", {done} done or not needed"));
        if self.fetch > 0 {
            text.push_str(&format!("; {} to fetch", human(self.fetch)));
        }
        text
    }
}

/// The state of a step, in a word.
fn word(state: State) -> &'static str {
    match state {
        State::Done => "done",
        State::Unneeded => "unneeded",
        State::Todo => "todo",
        State::Unknown => "unknown",
    }
}

fn line(node: &Node) -> String {
    let digest = node.derivation.map(|digest| digest.hex()[..12].to_owned());
    let digest = digest.unwrap_or_else(|| "-".repeat(12));
    let mut line = format!(
        "{:<8} {:<8} {digest} {}",
        word(node.state),
        node.kind,
        node.name
    );
    if let Some(bytes) = node.bytes {
        line.push_str(&format!(" ({})", human(bytes)));
    }
    line
}
