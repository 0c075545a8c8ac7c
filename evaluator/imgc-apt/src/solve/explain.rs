//! What helps a person whose request has no answer.

use super::universe::Universe;
use crate::depends::Group;

/// The names that look like `name`, the closest first, at most five.
pub(super) fn similar<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Vec<String> {
    let limit = (name.chars().count() / 3).clamp(1, 3);
    let mut close: Vec<(usize, &str)> = known
        // The distance is at least the difference of the lengths.
        .filter(|other| other.len().abs_diff(name.len()) <= limit)
        .map(|other| (strsim::osa_distance(name, other), other))
        .filter(|(distance, _)| *distance <= limit)
        .collect();
    close.sort_unstable();
    close.dedup();
    close.truncate(5);
    close
        .into_iter()
        .map(|(_, other)| other.to_owned())
        .collect()
}

/// What there is of the names in a group, each as `name version`.
pub(super) fn available(universe: &Universe<'_>, group: &Group<'_>) -> Vec<String> {
    let names = group.alternatives.iter().map(|relation| relation.name);
    let found = names.flat_map(|name| universe.named(name));
    let mut all: Vec<String> = found
        .map(|id| format!("{} {}", universe.shown(id), universe.package(id).version()))
        .collect();
    all.dedup();
    all
}
