//! A plan in the language of Graphviz.

use imgc_build::{Graph, State};

/// The plan as a `digraph`.
pub(super) fn draw(graph: &Graph) -> String {
    let mut text = String::from(
        "digraph plan {\n  rankdir=LR;\n  node [shape=box, style=filled, fontname=\"sans-serif\"];\n",
    );
    for (at, node) in graph.nodes.iter().enumerate() {
        let color = match node.state {
            State::Done => "#d8eedd",
            State::Unneeded => "#eeeeee",
            State::Todo => "#fbd9a5",
            State::Unknown => "#fdf3c4",
        };
        let label = escaped(&format!("{} {}", node.kind, node.name));
        text.push_str(&format!(
            "  n{at} [label=\"{label}\", fillcolor=\"{color}\"];\n"
        ));
    }
    for (at, node) in graph.nodes.iter().enumerate() {
        for input in &node.inputs {
            text.push_str(&format!("  n{input} -> n{at};\n"));
        }
    }
    text.push_str("}\n");
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use imgc_build::Node;

    use super::*;

    #[test]
    fn a_graph_is_drawn_with_its_arrows() {
        let node = |kind, name: &str, inputs| Node {
            kind,
            name: name.to_owned(),
            derivation: None,
            state: State::Todo,
            bytes: None,
            inputs,
        };
        let graph = Graph {
            nodes: vec![
                node("fetch", "a \"b\"", Vec::new()),
                node("unpack", "a", vec![0]),
            ],
        };
        let text = draw(&graph);
        assert!(text.contains("n0 [label=\"fetch a \\\"b\\\"\""), "{text}");
        assert!(text.contains("n0 -> n1;"), "{text}");
        assert!(text.starts_with("digraph plan {") && text.ends_with("}\n"));
    }
}
