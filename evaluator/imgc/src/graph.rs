//! The packages of a file's images as the lock has them, and which needs which. Only
//! reads: neither the lock nor an archive's index is asked for anything new.

use std::path::Path;

use imgc_apt::{Node, Request};
use imgc_build::BuildError;

use crate::cli::WorkArgs;
use crate::describe::{Problem, Report};
use crate::lock_file::LockFile;
use crate::progress::Progress;
use crate::remote::Policy;
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use crate::work::Work;

/// The packages of an image.
#[derive(Debug)]
pub(crate) struct Graph {
    /// The image's name.
    pub(crate) image: String,
    /// What it asks for.
    pub(crate) request: Request,
    /// Its packages, sorted by name.
    pub(crate) nodes: Vec<Node>,
}

/// Reads the packages of every image of a file.
///
/// # Errors
/// Where the lock does not have them, or no image has packages.
pub(crate) fn load(
    args: &WorkArgs,
    file: &Path,
    terminal: &Terminal,
) -> Result<Vec<Graph>, Failure> {
    let work = Work::begin(args)?;
    let source = work.evaluate(&Target::of(file), Policy::Pinned, terminal)?;
    let lock = LockFile::beside(&source.file)?.lock;
    let progress = Progress::new(terminal.interactive, terminal.verbose);
    let builder = work.builder(&source, &progress);
    let mut graphs = Vec::new();
    for image in &source.plan().images {
        let Some(packages) = &image.packages else {
            continue;
        };
        match builder.graph(image, &lock) {
            Ok(nodes) => graphs.push(Graph {
                image: image.name.clone(),
                request: imgc_build::request(image, packages),
                nodes: nodes.unwrap_or_default(),
            }),
            Err(error) => {
                progress.finish();
                let report = match error {
                    BuildError::NotLocked { image, .. } => Report::Problem(
                        Problem::new(format!(
                            "imgc.lock does not have the packages of the image `{image}`"
                        ))
                        .help("imgc build pins what is missing"),
                    ),
                    error => error.into(),
                };
                return Err(report.show(&source, terminal));
            }
        }
    }
    progress.finish();
    if graphs.is_empty() {
        return Err(Problem::new("no image of this file has packages").into());
    }
    Ok(graphs)
}

impl Graph {
    /// The place of the package of that name. The name may end in an architecture.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let (name, arch) = match name.split_once(':') {
            Some((name, arch)) => (name, Some(arch)),
            None => (name, None),
        };
        self.nodes.iter().position(|node| {
            let own = node.name.split(':').next();
            own == Some(name) && arch.is_none_or(|arch| arch == node.arch)
        })
    }

    /// The packages that need one: each with the field and the dependency, in the order
    /// of their names.
    pub(crate) fn dependants(&self, at: usize) -> Vec<Edge<'_>> {
        let mut edges = Vec::new();
        for (by, node) in self.nodes.iter().enumerate() {
            for need in node.needs.iter().filter(|need| need.met_by.contains(&at)) {
                edges.push(Edge {
                    by,
                    field: need.field,
                    relation: &need.relation,
                });
            }
        }
        edges
    }

    /// The packages that a package needs, each once, in the order of its fields, with
    /// the strongest field.
    pub(crate) fn needed(&self, at: usize) -> Vec<(usize, &'static str)> {
        let mut all: Vec<(usize, &'static str)> = Vec::new();
        for need in &self.nodes[at].needs {
            for &met_by in &need.met_by {
                if all.iter().all(|(known, _)| *known != met_by) {
                    all.push((met_by, need.field));
                }
            }
        }
        all
    }

    /// `name version`.
    pub(crate) fn title(&self, at: usize) -> String {
        let node = &self.nodes[at];
        format!("{} {}", node.name, node.version)
    }

    /// Where chains begin: what was asked for, then what the variant has.
    pub(crate) fn roots(&self) -> Vec<usize> {
        let of = |wanted: fn(&Node) -> bool| {
            let nodes = self.nodes.iter().enumerate();
            nodes
                .filter(move |(_, node)| wanted(node))
                .map(|(at, _)| at)
        };
        let asked = of(|node| node.asked);
        asked
            .chain(of(|node| !node.asked && node.variant))
            .collect()
    }

    /// Why a package would be there though nothing needed it.
    pub(crate) fn standing(&self, at: usize) -> Option<String> {
        let node = &self.nodes[at];
        if node.asked {
            Some("asked for".to_owned())
        } else if node.variant {
            Some(format!("of the variant {}", self.request.variant.name()))
        } else {
            None
        }
    }
}

/// That one package needs another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge<'a> {
    /// Who needs it.
    pub(crate) by: usize,
    /// `Pre-Depends`, `Depends` or `Recommends`.
    pub(crate) field: &'static str,
    /// The dependency as the field has it.
    pub(crate) relation: &'a str,
}

/// That no image has a package of that name.
pub(crate) fn absent(name: &str, graphs: &[Graph]) -> Problem {
    let images: Vec<String> = graphs.iter().map(|g| format!("`{}`", g.image)).collect();
    let problem = Problem::new(format!(
        "there is no package `{name}` in {}",
        images.join(", ")
    ));
    let nodes = graphs.iter().flat_map(|graph| &graph.nodes);
    let mut close: Vec<&str> = nodes
        .map(|node| node.name.as_str())
        .filter(|other| other.contains(name) || name.contains(other))
        .collect();
    close.sort_unstable();
    close.dedup();
    close.truncate(5);
    if close.is_empty() {
        problem
    } else {
        problem.help(format!("there is {}", close.join(", ")))
    }
}
