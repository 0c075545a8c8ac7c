//! Loops in a graph of numbered nodes, found without recursion.

/// Disjoint loops in a graph: each as its nodes in order, the last leads to the
/// first. A graph without loops gives none, and a graph with loops at least one.
/// `edges[n]` are the nodes that `n` leads to.
pub(crate) fn find(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        OnWay,
        Done,
    }
    let mut marks = vec![Mark::New; edges.len()];
    let mut in_loop = vec![false; edges.len()];
    let mut loops = Vec::new();
    for start in 0..edges.len() {
        if marks[start] != Mark::New {
            continue;
        }
        // The way from `start`, each node with the edge to look at next.
        let mut way: Vec<(usize, usize)> = vec![(start, 0)];
        marks[start] = Mark::OnWay;
        while let Some((node, next)) = way.last_mut() {
            let Some(&target) = edges[*node].get(*next) else {
                marks[*node] = Mark::Done;
                way.pop();
                continue;
            };
            *next += 1;
            match marks[target] {
                Mark::New => {
                    marks[target] = Mark::OnWay;
                    way.push((target, 0));
                }
                Mark::OnWay => {
                    let from = way.iter().position(|(node, _)| *node == target);
                    let nodes: Vec<usize> = way[from.unwrap_or(0)..]
                        .iter()
                        .map(|(node, _)| *node)
                        .collect();
                    if nodes.iter().all(|&node| !in_loop[node]) {
                        for &node in &nodes {
                            in_loop[node] = true;
                        }
                        loops.push(nodes);
                    }
                }
                Mark::Done => {}
            }
        }
    }
    loops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_loops_of_any_length() {
        assert_eq!(find(&[vec![1], vec![2], vec![]]), Vec::<Vec<usize>>::new());
        assert_eq!(find(&[vec![0]]), [[0]]);
        assert_eq!(find(&[vec![1], vec![2], vec![1]]), [[1, 2]]);
        assert_eq!(
            find(&[vec![1], vec![0], vec![3], vec![2]]),
            [[0, 1], [2, 3]]
        );
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let mut edges: Vec<Vec<usize>> = (1..200_000).map(|next| vec![next]).collect();
        edges.push(Vec::new());
        assert!(find(&edges).is_empty());
    }
}
