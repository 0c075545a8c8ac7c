//! `imgc tree`: which package of an image needs which.

use serde::Serialize;

use crate::cli::TreeArgs;
use crate::graph::{self, Graph};
use crate::size;
use crate::terminal::{Failure, Terminal};

/// Prints the packages of every image of a file as a tree.
pub(crate) fn run(args: &TreeArgs, terminal: &Terminal) -> Result<(), Failure> {
    let graphs = graph::load(&args.work, &args.file, terminal)?;
    if args.json {
        let images = graphs.iter().map(document).collect();
        let text = serde_json::to_string_pretty(&Document { images });
        return terminal.result(&text.expect("a document is plain data"));
    }
    if let Some(name) = &args.invert
        && graphs.iter().all(|graph| graph.find(name).is_none())
    {
        return Err(graph::absent(name, &graphs).into());
    }
    for (number, graph) in graphs.iter().enumerate() {
        let roots = match &args.invert {
            None => graph.roots(),
            Some(name) => graph.find(name).into_iter().collect(),
        };
        if roots.is_empty() {
            continue;
        }
        if graphs.len() > 1 {
            let gap = if number > 0 { "\n" } else { "" };
            terminal.result(&format!("{gap}{}:", graph.image))?;
        }
        let mut drawing = Drawing {
            graph,
            inverted: args.invert.is_some(),
            depth: args.depth.unwrap_or(usize::MAX),
            sizes: args.size,
            expanded: vec![false; graph.nodes.len()],
            lines: Vec::new(),
        };
        for root in roots {
            drawing.draw(root);
        }
        terminal.result(&drawing.lines.join("\n"))?;
    }
    if args.size {
        for graph in &graphs {
            let all = graph.nodes.iter().filter_map(|node| node.installed_size);
            let bytes = all.fold(0, |sum: u64, kib| sum.saturating_add(bytes(kib)));
            terminal.line(&format!(
                "{}: {} packages, {} installed",
                graph.image,
                graph.nodes.len(),
                size::human(bytes)
            ));
        }
    }
    Ok(())
}

const fn bytes(kib: u64) -> u64 {
    kib.saturating_mul(1024)
}

/// A tree that is being drawn.
struct Drawing<'a> {
    graph: &'a Graph,
    /// Whether what needs a package stands below it.
    inverted: bool,
    depth: usize,
    sizes: bool,
    /// The packages below which everything was drawn.
    expanded: Vec<bool>,
    lines: Vec<String>,
}

/// A line that is still to be drawn.
struct Pending {
    at: usize,
    field: Option<&'static str>,
    /// For each level above, whether more follows in it; the last is its own.
    more: Vec<bool>,
}

impl Drawing<'_> {
    /// Draws a package and what is below it. Work, not the stack, grows with the depth.
    fn draw(&mut self, root: usize) {
        let mut pending = vec![Pending {
            at: root,
            field: None,
            more: Vec::new(),
        }];
        while let Some(next) = pending.pop() {
            let below = self.below(next.at);
            let repeated = self.expanded[next.at] && !below.is_empty();
            self.line(&next, repeated);
            if repeated || next.more.len() >= self.depth {
                continue;
            }
            self.expanded[next.at] = true;
            let count = below.len();
            for (number, (at, field)) in below.into_iter().enumerate().rev() {
                let mut more = next.more.clone();
                more.push(number + 1 < count);
                let field = Some(field);
                pending.push(Pending { at, field, more });
            }
        }
    }

    fn below(&self, at: usize) -> Vec<(usize, &'static str)> {
        if !self.inverted {
            return self.graph.needed(at);
        }
        let mut all: Vec<(usize, &'static str)> = Vec::new();
        for edge in self.graph.dependants(at) {
            if all.last().is_none_or(|(by, _)| *by != edge.by) {
                all.push((edge.by, edge.field));
            }
        }
        all
    }

    fn line(&mut self, next: &Pending, repeated: bool) {
        let mut line = String::new();
        if let Some((own, above)) = next.more.split_last() {
            for more in above {
                line.push_str(if *more { "│   " } else { "    " });
            }
            line.push_str(if *own { "├── " } else { "└── " });
        }
        line.push_str(&self.graph.title(next.at));
        if self.sizes
            && let Some(kib) = self.graph.nodes[next.at].installed_size
        {
            line.push_str(&format!(", {}", size::human(bytes(kib))));
        }
        if let Some(field @ "Recommends") = next.field {
            line.push_str(&format!(" ({field})"));
        }
        let standing = self.graph.standing(next.at);
        if let Some(standing) = standing.filter(|_| self.inverted || next.field.is_none()) {
            line.push_str(&format!(" ({standing})"));
        }
        if repeated {
            line.push_str(" (*)");
        }
        self.lines.push(line);
    }
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document<'a> {
    images: Vec<ImageDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct ImageDocument<'a> {
    image: &'a str,
    suite: &'a str,
    arch: &'a str,
    variant: &'a str,
    packages: Vec<PackageDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct PackageDocument<'a> {
    name: &'a str,
    version: &'a str,
    arch: &'a str,
    /// In bytes.
    installed_size: Option<u64>,
    asked: bool,
    variant: bool,
    needs: Vec<NeedDocument<'a>>,
}

#[derive(Debug, Serialize)]
struct NeedDocument<'a> {
    field: &'static str,
    relation: &'a str,
    /// The packages of the image that meet it.
    packages: Vec<&'a str>,
}

fn document(graph: &Graph) -> ImageDocument<'_> {
    let packages = graph.nodes.iter().map(|node| PackageDocument {
        name: &node.name,
        version: &node.version,
        arch: &node.arch,
        installed_size: node.installed_size.map(bytes),
        asked: node.asked,
        variant: node.variant,
        needs: node
            .needs
            .iter()
            .map(|need| NeedDocument {
                field: need.field,
                relation: &need.relation,
                packages: need
                    .met_by
                    .iter()
                    .map(|at| graph.nodes[*at].name.as_str())
                    .collect(),
            })
            .collect(),
    });
    ImageDocument {
        image: &graph.image,
        suite: &graph.request.suite,
        arch: &graph.request.arch,
        variant: graph.request.variant.name(),
        packages: packages.collect(),
    }
}
