//! apt's list of packages in the order in which they should be unpacked.
//!
//! The list begins sorted by importance. Then it is walked four times, each time
//! along fewer dependencies, and each walk gives the list for the next: first all
//! dependencies bring packages near those that need them, at last only those that
//! must hold when a package is unpacked move anything. Fields that exclude other
//! packages never matter, because nothing of an image is replaced or removed.

use super::graph::{Graph, Need};

/// What is known of the packages before a run of apt.
pub(super) struct Situation {
    /// Those that are installed already.
    pub(super) present: Vec<bool>,
    /// Those that this run installs.
    pub(super) changing: Vec<bool>,
    /// Those that apt configures as soon as they are unpacked: the essential ones
    /// and what they depend on by name.
    pub(super) immediate: Vec<bool>,
}

/// Which dependencies are followed before a package is added to the list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Primary {
    /// `Pre-Depends`; and for what those lead to, all.
    Critical,
    /// All that are not met yet.
    All,
    /// `Pre-Depends`; and `Depends` of what is configured at once, and of what is
    /// visited on behalf of another package.
    Unmet,
}

struct Frame {
    at: usize,
    primary: Primary,
    /// Whether the second pass over the dependencies has begun.
    second: bool,
    /// The next alternative.
    next: usize,
    /// Packages to visit for an alternative, the first one last, and how.
    targets: Vec<usize>,
    inner: Primary,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    White,
    Open,
    Added,
}

/// The packages that change, sorted. `scores` are as apt counts them; of equal ones,
/// the order of `names` decides.
pub(super) fn sorted(
    graph: &Graph,
    situation: &Situation,
    scores: &[u32],
    names: &[&str],
) -> Vec<usize> {
    let mut list: Vec<usize> = (0..graph.nodes.len())
        .filter(|at| situation.changing[*at])
        .collect();
    list.sort_by(|a, b| {
        let importance = scores[*b].cmp(&scores[*a]);
        importance.then_with(|| names[*a].cmp(names[*b]))
    });
    for (primary, with_depends) in [
        (Primary::Critical, true),
        (Primary::Critical, false),
        (Primary::Critical, false),
        (Primary::Unmet, false),
    ] {
        let mut walk = Walk {
            graph,
            situation,
            with_depends,
            marks: vec![Mark::White; graph.nodes.len()],
            list: Vec::with_capacity(list.len()),
        };
        for at in list {
            walk.visit(at, primary);
        }
        list = walk.list;
    }
    list
}

struct Walk<'g> {
    graph: &'g Graph,
    situation: &'g Situation,
    with_depends: bool,
    marks: Vec<Mark>,
    list: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, root: usize, primary: Primary) {
        let mut stack = Vec::new();
        stack.extend(self.open(root, primary));
        while let Some(depth) = stack.len().checked_sub(1) {
            let frame: &mut Frame = &mut stack[depth];
            if let Some(next) = frame.targets.pop() {
                let opened = self.open(next, frame.inner);
                stack.extend(opened);
                continue;
            }
            let at = frame.at;
            let need = self.graph.nodes[at].needs.get(frame.next);
            match need {
                Some(need) => {
                    frame.next += 1;
                    let inner = if frame.second {
                        (!need.pre).then_some(frame.primary)
                    } else {
                        self.follow(need, frame.primary, at, depth == 0)
                    };
                    if let Some(inner) = inner {
                        frame.inner = inner;
                        frame.targets.extend(need.targets.iter().rev());
                    }
                }
                None if self.with_depends && !frame.second => {
                    frame.second = true;
                    frame.next = 0;
                }
                None => {
                    self.marks[at] = Mark::Added;
                    self.list.push(at);
                    stack.pop();
                }
            }
        }
    }

    fn open(&mut self, at: usize, primary: Primary) -> Option<Frame> {
        if self.marks[at] != Mark::White || !self.situation.changing[at] {
            return None;
        }
        self.marks[at] = Mark::Open;
        let primary = match primary {
            Primary::Critical if self.situation.immediate[at] => Primary::All,
            other => other,
        };
        Some(Frame {
            at,
            primary,
            second: false,
            next: 0,
            targets: Vec::new(),
            inner: primary,
        })
    }

    /// Whether the targets of a dependency are visited, and how.
    fn follow(&self, need: &Need, primary: Primary, at: usize, root: bool) -> Option<Primary> {
        let considered = match primary {
            Primary::Critical => need.pre,
            Primary::All => true,
            Primary::Unmet => need.pre || !root || self.situation.immediate[at],
        };
        let met =
            |target: &usize| self.marks[*target] == Mark::Added || self.situation.present[*target];
        let begun = need.named.is_some_and(|at| self.marks[at] != Mark::White);
        if !considered || begun || need.targets.iter().any(met) {
            return None;
        }
        Some(match primary {
            Primary::Critical => Primary::All,
            other => other,
        })
    }
}
