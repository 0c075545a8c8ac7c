//! `imgc why`: what an image has a package for.

use std::collections::VecDeque;

use serde::Serialize;

use crate::cli::WhyArgs;
use crate::graph::{self, Edge, Graph};
use crate::terminal::{Failure, Terminal};

/// Prints the chain that leads to a package, or everything that needs it.
pub(crate) fn run(args: &WhyArgs, terminal: &Terminal) -> Result<(), Failure> {
    let graphs = graph::load(&args.work, &args.file, terminal)?;
    let found: Vec<(&Graph, usize)> = graphs
        .iter()
        .filter_map(|graph| Some((graph, graph.find(&args.package)?)))
        .collect();
    if found.is_empty() {
        return Err(graph::absent(&args.package, &graphs).into());
    }
    if args.json {
        let images = found.iter().map(|(graph, at)| document(graph, *at));
        let images = Document {
            images: images.collect(),
        };
        let text = serde_json::to_string_pretty(&images).expect("a document is plain data");
        return terminal.result(&text);
    }
    for (graph, at) in found {
        if graphs.len() > 1 {
            terminal.result(&format!("{}:", graph.image))?;
        }
        let lines = if args.all {
            everyone(graph, at)
        } else {
            lines_of_chain(graph, at)
        };
        for line in lines {
            terminal.result(&line)?;
        }
    }
    Ok(())
}

/// The shortest chain to a package: the first of it, and then for each step who needs
/// whom. Of chains of one length, the first in the order of the roots.
fn chain(graph: &Graph, at: usize) -> (usize, Vec<(usize, Edge<'_>)>) {
    let mut came_from: Vec<Option<usize>> = vec![None; graph.nodes.len()];
    let mut queue: VecDeque<usize> = graph.roots().into();
    for root in &queue {
        came_from[*root] = Some(*root);
    }
    while let Some(next) = queue.pop_front() {
        if next == at {
            break;
        }
        for (needed, _) in graph.needed(next) {
            if came_from[needed].is_none() {
                came_from[needed] = Some(next);
                queue.push_back(needed);
            }
        }
    }
    let mut steps = Vec::new();
    let mut here = at;
    while let Some(before) = came_from[here].filter(|before| *before != here) {
        let edge = graph.dependants(here).into_iter().find(|e| e.by == before);
        let Some(edge) = edge else { break };
        steps.push((here, edge));
        here = before;
    }
    steps.reverse();
    (here, steps)
}

fn lines_of_chain(graph: &Graph, at: usize) -> Vec<String> {
    let (first, steps) = chain(graph, at);
    let standing = graph.standing(first).unwrap_or_default();
    let mut lines = vec![format!("{}: {standing}", graph.title(first))];
    for (depth, (to, edge)) in steps.iter().enumerate() {
        lines.push(format!(
            "{:indent$}{} {}: {}",
            "",
            edge.field,
            edge.relation,
            graph.title(*to),
            indent = 2 * (depth + 1)
        ));
    }
    lines
}

fn everyone(graph: &Graph, at: usize) -> Vec<String> {
    let title = graph.title(at);
    let mut lines = vec![match graph.standing(at) {
        Some(standing) => format!("{title}: {standing}"),
        None => title,
    }];
    for edge in graph.dependants(at) {
        lines.push(format!(
            "  {}: {} {}",
            graph.title(edge.by),
            edge.field,
            edge.relation
        ));
    }
    lines
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    images: Vec<ImageDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct ImageDocument<'a> {
    image: &'a str,
    package: &'a str,
    version: &'a str,
    asked: bool,
    variant: bool,
    /// From what was asked for down to the package.
    chain: Vec<Link<'a>>,
    needed_by: Vec<Dependant<'a>>,
}

#[derive(Debug, Serialize)]
struct Link<'a> {
    package: &'a str,
    version: &'a str,
    /// `asked`, `variant` or `needed`.
    because: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relation: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Dependant<'a> {
    package: &'a str,
    version: &'a str,
    field: &'static str,
    relation: &'a str,
}

fn document(graph: &Graph, at: usize) -> ImageDocument<'_> {
    let node = &graph.nodes[at];
    let (first, steps) = chain(graph, at);
    let root = &graph.nodes[first];
    let mut links = vec![Link {
        package: &root.name,
        version: &root.version,
        because: if root.asked { "asked" } else { "variant" },
        field: None,
        relation: None,
    }];
    links.extend(steps.iter().map(|(to, edge)| Link {
        package: &graph.nodes[*to].name,
        version: &graph.nodes[*to].version,
        because: "needed",
        field: Some(edge.field),
        relation: Some(edge.relation),
    }));
    let needed_by = graph.dependants(at).into_iter().map(|edge| Dependant {
        package: &graph.nodes[edge.by].name,
        version: &graph.nodes[edge.by].version,
        field: edge.field,
        relation: edge.relation,
    });
    ImageDocument {
        image: &graph.image,
        package: &node.name,
        version: &node.version,
        asked: node.asked,
        variant: node.variant,
        chain: links,
        needed_by: needed_by.collect(),
    }
}
