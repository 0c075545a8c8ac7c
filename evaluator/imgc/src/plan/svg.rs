//! A plan drawn as SVG (W3C, Scalable Vector Graphics 1.1): a row for each image, its
//! packages as a field of small squares, then the steps that they go into. A square or
//! box says what it is when the pointer rests on it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use imgc_build::{Graph, Node, State};

/// The side of a package's square and the distance to the next, in pixels.
const CELL: usize = 14;
const STEP: usize = 18;
/// How many packages stand below each other.
const ROWS: usize = 8;
/// The size of a step's box, and the gap before it.
const WIDTH: usize = 150;
const HEIGHT: usize = 44;
const GAP: usize = 46;
const MARGIN: usize = 24;
/// Where the first image begins: below the legend.
const TOP: usize = 60;

/// The plan as an SVG document.
pub(super) fn draw(graph: &Graph) -> String {
    let mut body = String::new();
    let mut width = 0;
    let mut y = TOP;
    for (at, image) in graph.nodes.iter().enumerate() {
        if image.kind == "image" {
            let (right, height) = row(graph, at, y, &mut body);
            width = width.max(right);
            y += height + MARGIN;
        }
    }
    let (mut text, mut x) = (String::new(), MARGIN);
    let states = [State::Done, State::Todo, State::Unknown, State::Unneeded];
    for state in states {
        square(&mut text, x, 22, state, super::word(state));
        label(&mut text, x + CELL + 6, 33, super::word(state), 12);
        x += 110;
    }
    let (width, height) = (width.max(x) + MARGIN, y);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n{text}{body}</svg>\n"
    )
}

/// Draws an image; gives where it ends on the right, and its height.
fn row(graph: &Graph, image: usize, y: usize, to: &mut String) -> (usize, usize) {
    let nodes = &graph.nodes;
    let steps: Vec<usize> = nodes[image]
        .inputs
        .iter()
        .copied()
        .chain([image])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let inputs = steps.iter().flat_map(|&at| &nodes[at].inputs);
    let packages: BTreeSet<usize> = inputs
        .copied()
        .filter(|&at| nodes[at].kind == "unpack")
        .collect();
    label(to, MARGIN, y + 12, &nodes[image].name, 14);
    let top = y + 24;
    let mut x = MARGIN;
    for (place, &at) in packages.iter().enumerate() {
        let (column, line) = (place / ROWS, place % ROWS);
        let node = &nodes[at];
        let fetched = node
            .inputs
            .first()
            .map_or("", |&fetch| match nodes[fetch].state {
                State::Todo => ", to be fetched",
                _ => "",
            });
        let title = format!("unpack {}: {}{fetched}", node.name, super::word(node.state));
        let (left, above) = (MARGIN + column * STEP, top + line * STEP);
        square(to, left, above, node.state, &title);
        x = left + STEP;
    }
    let field = packages.len().min(ROWS) * STEP;
    let height = field.max(HEIGHT);
    let middle = top + height / 2;
    let mut from = (!packages.is_empty()).then_some(x);
    for &at in &steps {
        let left = match from {
            None => MARGIN,
            Some(from) => {
                let to_x = from + GAP;
                let _ = writeln!(
                    to,
                    "<path d=\"M{from} {middle} H{to_x} m-6 -4 l6 4 l-6 4\" fill=\"none\" stroke=\"#777777\"/>"
                );
                to_x
            }
        };
        boxed(to, left, middle - HEIGHT / 2, &nodes[at]);
        from = Some(left + WIDTH);
    }
    (from.unwrap_or(x), 24 + height)
}

fn boxed(to: &mut String, x: usize, y: usize, node: &Node) {
    let digest = node
        .derivation
        .map_or_else(String::new, |key| key.hex()[..12].to_owned());
    let title = format!(
        "{} {}: {} {digest}",
        node.kind,
        node.name,
        super::word(node.state)
    );
    let _ = writeln!(
        to,
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\" \
         fill=\"{}\" stroke=\"#777777\"/></g>",
        escaped(&title),
        color(node.state)
    );
    label(to, x + 10, y + 18, node.kind, 13);
    label(to, x + 10, y + 35, &digest, 11);
}

fn square(to: &mut String, x: usize, y: usize, state: State, title: &str) {
    let _ = writeln!(
        to,
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{CELL}\" height=\"{CELL}\" rx=\"2\" \
         fill=\"{}\" stroke=\"#999999\"/></g>",
        escaped(title),
        color(state)
    );
}

fn label(to: &mut String, x: usize, y: usize, text: &str, size: usize) {
    let text = escaped(text);
    let _ = writeln!(
        to,
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\">{text}</text>"
    );
}

fn color(state: State) -> &'static str {
    match state {
        State::Done => "#b9e0c3",
        State::Unneeded => "#e4e4e4",
        State::Todo => "#f7b95c",
        State::Unknown => "#fbe68f",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(kind: &'static str, name: &str, state: State, inputs: Vec<usize>) -> Node {
        Node {
            kind,
            name: name.to_owned(),
            derivation: None,
            state,
            bytes: None,
            inputs,
        }
    }

    #[test]
    fn every_package_and_step_is_in_the_drawing() {
        let mut nodes = Vec::new();
        for number in 0..20 {
            let name = format!("p{number} <1>");
            nodes.push(node("fetch", &name, State::Todo, Vec::new()));
            nodes.push(node("unpack", &name, State::Todo, vec![2 * number]));
        }
        let unpacks = (0..20).map(|number| 2 * number + 1).collect();
        nodes.push(node("install", "app", State::Unknown, unpacks));
        nodes.push(node("files", "app", State::Unknown, vec![40]));
        nodes.push(node("image", "app", State::Todo, vec![40, 41]));
        let text = draw(&Graph { nodes });
        for number in 0..20 {
            let title = format!("<title>unpack p{number} &lt;1&gt;: todo, to be fetched</title>");
            assert_eq!(text.matches(&title).count(), 1, "{title}");
        }
        for title in [
            "install app: unknown",
            "files app: unknown",
            "image app: todo",
        ] {
            assert!(
                text.contains(&format!("<title>{title} </title>")),
                "{title}"
            );
        }
        // Each step but the first has an arrow to it, and the first has one from the field.
        assert_eq!(text.matches("<path ").count(), 3);
        assert!(text.starts_with("<svg ") && text.ends_with("</svg>\n"));
    }
}
