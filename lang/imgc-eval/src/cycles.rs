//! Loops in a graph of numbered nodes, found without recursion and in linear time.

/// The loops of a graph.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Loops {
    /// Disjoint loops: each as its nodes in order, the last leads to the first. A
    /// graph with loops has at least one here.
    pub(crate) loops: Vec<Vec<usize>>,
    /// Nodes that close a loop with a node of those above. Without them and the
    /// nodes of `loops`, the graph has no loop.
    pub(crate) others: Vec<usize>,
}

/// Finds the loops of a graph. `edges[n]` are the nodes that `n` leads to.
pub(crate) fn find(edges: &[Vec<usize>]) -> Loops {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        /// On the way from the start, at this step of it.
        OnWay(usize),
        Done,
    }
    let mut marks = vec![Mark::New; edges.len()];
    let mut found = Loops::default();
    for start in 0..edges.len() {
        if marks[start] != Mark::New {
            continue;
        }
        // The way from `start`, each node with the edge to look at next.
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        marks[start] = Mark::OnWay(0);
        // The loops that the way goes along: the first and last step of each.
        let mut taken: Vec<(usize, usize)> = Vec::new();
        while let Some((node, next)) = way.last_mut() {
            let node = *node;
            let Some(&target) = edges[node].get(*next) else {
                marks[node] = Mark::Done;
                way.pop();
                while taken.last().is_some_and(|(first, _)| *first >= way.len()) {
                    taken.pop();
                }
                continue;
            };
            *next += 1;
            match marks[target] {
                Mark::New => {
                    marks[target] = Mark::OnWay(way.len());
                    way.push((target, 0));
                }
                Mark::OnWay(from) => {
                    let top = way.len() - 1;
                    if taken
                        .last()
                        .is_some_and(|(_, last)| from <= (*last).min(top))
                    {
                        found.others.push(node);
                        continue;
                    }
                    taken.push((from, top));
                    let nodes = way[from..].iter().map(|(node, _)| *node);
                    found.loops.push(nodes.collect());
                }
                Mark::Done => {}
            }
        }
    }
    found
}

/// The names of a loop's nodes as a way: `` `a` -> `b` -> `a` ``. Of many only the
/// first are named.
pub(crate) fn way(names: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 12;
    let count = names.len();
    let mut steps: Vec<String> = names.take(SHOWN).map(|name| format!("`{name}`")).collect();
    let first = steps.first().cloned();
    if count > SHOWN {
        steps.push(format!("{} more", count - SHOWN));
    }
    steps.extend(first);
    steps.join(" -> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loops(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
        find(edges).loops
    }

    #[test]
    fn finds_loops_of_any_length() {
        assert_eq!(find(&[vec![1], vec![2], vec![]]), Loops::default());
        assert_eq!(loops(&[vec![0]]), [[0]]);
        assert_eq!(loops(&[vec![1], vec![2], vec![1]]), [[1, 2]]);
        assert_eq!(
            loops(&[vec![1], vec![0], vec![3], vec![2]]),
            [[0, 1], [2, 3]]
        );
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let mut edges: Vec<Vec<usize>> = (1..200_000).map(|next| vec![next]).collect();
        edges.push(Vec::new());
        assert_eq!(find(&edges), Loops::default());
    }

    #[test]
    fn many_loops_take_linear_time() {
        const COUNT: usize = 200_000;
        // Each leads to the next and to the one before, or to the first.
        let both = |node: usize| vec![node.saturating_sub(1), (node + 1) % COUNT];
        let first = |node: usize| vec![0, (node + 1) % COUNT];
        let far = |node: usize| vec![(node + 1) % COUNT, node / 2];
        assert!(!loops(&(0..COUNT).map(both).collect::<Vec<_>>()).is_empty());
        assert!(!loops(&(0..COUNT).map(first).collect::<Vec<_>>()).is_empty());
        assert!(!loops(&(0..COUNT).map(far).collect::<Vec<_>>()).is_empty());
    }

    #[test]
    fn nothing_goes_round_without_what_was_found() {
        // Every graph of four nodes.
        for graph in 0..1_u32 << 16 {
            let edges: Vec<Vec<usize>> = (0..4)
                .map(|from| {
                    (0..4)
                        .filter(|to| graph >> (from * 4 + to) & 1 == 1)
                        .collect()
                })
                .collect();
            let found = find(&edges);
            let mut seen: Vec<usize> = found.loops.concat();
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(all, seen.len(), "disjoint: {graph:#b}");
            for nodes in &found.loops {
                for (at, node) in nodes.iter().enumerate() {
                    assert!(edges[*node].contains(&nodes[(at + 1) % nodes.len()]));
                }
            }
            assert_eq!(
                found.loops.is_empty(),
                found.others.is_empty() && seen.is_empty()
            );
            let cut = |node: &usize| seen.contains(node) || found.others.contains(node);
            let left = (0..4)
                .map(|node| {
                    let targets = edges[node].iter().copied();
                    targets.filter(|to| !cut(&node) && !cut(to)).collect()
                })
                .collect::<Vec<Vec<usize>>>();
            assert_eq!(find(&left), Loops::default(), "{graph:#b}");
        }
    }

    #[test]
    fn long_ways_are_cut() {
        let names = |count: usize| (0..count).map(|number| number.to_string());
        assert_eq!(way(names(2)), "`0` -> `1` -> `0`");
        assert!(way(names(100)).ends_with("`11` -> 88 more -> `0`"));
    }
}
