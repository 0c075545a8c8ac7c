//! Which packages share a layer.
//!
//! An image may say how many layers it wants for its packages, and may name groups itself.
//! One that does not say how many has up to [`USUAL`], each of a size that is [`WORTH`] it:
//! a small image has one. The rest is decided by what the packages are, never by what other images there are:
//! the same image has the same layers whatever it is built with. Images with packages in
//! common share layers all the same, as each of these rules gives them the same groups:
//! - what Debian extracts first, its essential set, is one group, the lowest;
//! - the largest packages have a layer each;
//! - all other packages share one, or several where that is very large and the image does
//!   not say how many;
//! - what scripts did, and dpkg's database, is on top.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imgc_apt::Call;
use imgc_layer::Compression;
use imgc_plan::{Layers, MAX_LAYERS};
use sha2::{Digest as _, Sha256};

use crate::parts::Part;

/// Into how many layers packages go where the image does not say, at most.
const USUAL: u32 = 8;

/// The least that has a layer of its own then, in compressed bytes.
const WORTH: u64 = 1 << 20;

/// How large the layer of all other packages may become then, in compressed bytes, before it
/// is cut: whoever pulls an update of one of them pulls its layer.
const OTHERS: u64 = 64 << 20;

/// Into how many layers it is cut at most, as a power of two.
const CUTS: u32 = 4;

/// What the lowest group is called.
pub(crate) const BASE: &str = "base";

/// Groups of packages, each for a layer, the lowest first: what it is called, and its
/// packages by their place in the order of installation.
pub(crate) type Groups = Vec<(String, Vec<usize>)>;

/// The groups for the layers below the one on top.
///
/// # Errors
/// A group of the image names a package that it does not have: the group, and the name.
pub(crate) fn groups(
    parts: &[Arc<Part>],
    calls: &[Call],
    layers: &Layers,
) -> Result<Groups, (String, String)> {
    let name = |at: usize| parts[at].fragment.package.name.as_str();
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for at in 0..parts.len() {
        by_name.entry(name(at)).or_default().push(at);
    }
    let size = |at: &usize| parts[*at].segment.size;
    let worth = layers.most.map_or(WORTH, |_| 0);
    let mut left: BTreeSet<usize> = (0..parts.len()).collect();
    let mut asked = Groups::new();
    for (group, names) in &layers.groups {
        let mut of = Vec::new();
        for wanted in names {
            let found = by_name.get(wanted.as_str());
            let found = found.ok_or_else(|| (group.clone(), wanted.clone()))?;
            of.extend(found.iter().filter(|at| left.remove(at)));
        }
        asked.push((group.clone(), of));
    }
    let asked_for = u32::try_from(asked.len()).unwrap_or(MAX_LAYERS);
    // One of them is on top.
    let mut room = layers
        .most
        .unwrap_or(USUAL)
        .min(MAX_LAYERS.saturating_sub(asked_for))
        .max(1)
        - 1;
    let mut groups = Groups::new();
    if room > 1 {
        let mut base = extracted_first(calls);
        base.retain(|at| left.contains(at));
        if !base.is_empty() && base.iter().map(size).sum::<u64>() >= worth {
            left.retain(|at| !base.contains(at));
            groups.push((BASE.to_owned(), base.into_iter().collect()));
            room -= 1;
        }
    }
    groups.extend(asked);
    if room > 0 {
        let mut large: Vec<usize> = left.iter().copied().collect();
        large.sort_by_key(|at| (std::cmp::Reverse(size(at)), name(*at)));
        let alone = large.iter().filter(|at| size(at) >= worth).count();
        // With room for all of them there is no layer of others.
        let alone = match usize::try_from(room).unwrap_or(usize::MAX) {
            room if room >= large.len() => alone,
            room => alone.min(room - 1),
        };
        let mut alone: Vec<usize> = large.drain(..alone).collect();
        alone.sort_by_key(|&at| name(at));
        groups.extend(alone.into_iter().map(|at| (name(at).to_owned(), vec![at])));
        let rest = large.iter().map(size).sum::<u64>();
        if !large.is_empty() && rest >= worth {
            let cuts = match layers.most {
                Some(_) => 0,
                None => (0..CUTS)
                    .find(|cuts| rest >> cuts <= OTHERS)
                    .unwrap_or(CUTS),
            };
            groups.extend(cut("others", large, cuts, name));
        }
    }
    for (_, group) in &mut groups {
        group.sort_by(|&a, &b| order(&parts[a], &parts[b]));
    }
    groups.retain(|(_, group)| !group.is_empty());
    Ok(groups)
}

/// How packages follow each other in their layer.
pub(crate) fn order(a: &Part, b: &Part) -> Ordering {
    let (a, b) = (&a.fragment.package, &b.fragment.package);
    (&a.name, &a.architecture).cmp(&(&b.name, &b.architecture))
}

/// The packages of the lowest layer, by their place in the order of installation, as far as
/// that can be told before any of them is unpacked. None where it can't: the image has groups
/// of its own or too few layers, or the packages, of `size` bytes each, may be too small.
pub(crate) fn lowest(
    calls: &[Call],
    layers: &Layers,
    size: impl Fn(usize) -> u64,
) -> Option<BTreeSet<usize>> {
    let has_room = layers.groups.is_empty() && layers.most.is_none_or(|most| most > 2);
    let first = extracted_first(calls);
    // Packages are hardly ever smaller as a layer.
    let is_worth = layers.most.is_some() || first.iter().map(|&at| size(at)).sum::<u64>() >= WORTH;
    (has_room && is_worth && !first.is_empty()).then_some(first)
}

/// What Debian's tools extract before anything else.
fn extracted_first(calls: &[Call]) -> BTreeSet<usize> {
    let first = calls.iter().filter_map(|call| match call {
        Call::Extract(first) => Some(first),
        _ => None,
    });
    first.flatten().copied().collect()
}

/// A group as up to `2^cuts` groups. Which one a package goes to depends on its name alone:
/// another package more changes no other group.
fn cut<'a>(
    group: &str,
    packages: Vec<usize>,
    cuts: u32,
    name: impl Fn(usize) -> &'a str,
) -> Groups {
    if cuts == 0 {
        return vec![(group.to_owned(), packages)];
    }
    let mut groups: BTreeMap<u8, Vec<usize>> = BTreeMap::new();
    for at in packages {
        let digest: [u8; 32] = Sha256::digest(name(at).as_bytes()).into();
        groups.entry(digest[0] >> (8 - cuts)).or_default().push(at);
    }
    let groups = groups.into_iter();
    groups
        .map(|(number, packages)| (format!("{group}-{}", number + 1), packages))
        .collect()
}

/// How the layers of an image are compressed.
pub(crate) fn compression(layers: &Layers) -> Compression {
    match layers.compression {
        imgc_plan::Compression::Zstd(level) => Compression::Zstd(level.into()),
        imgc_plan::Compression::Gzip(level) => Compression::Gzip(level.into()),
        imgc_plan::Compression::None => Compression::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_package_changes_one_part_of_a_large_group() {
        let names: Vec<String> = (0..200).map(|number| format!("lib{number}")).collect();
        let all = |count: usize| cut("others", (0..count).collect(), 3, |at| &names[at]);
        let (before, after) = (all(199), all(200));
        assert_eq!(before.len(), 8);
        assert_eq!(before[0].0, "others-1");
        let differ = before.iter().zip(&after).filter(|(a, b)| a != b);
        assert_eq!(differ.count(), 1);
        let mut together: Vec<usize> = after.into_iter().flat_map(|(_, part)| part).collect();
        together.sort_unstable();
        assert_eq!(together, (0..200).collect::<Vec<_>>());
        assert!(before.iter().all(|(_, part)| part.len() > 10));
    }
}
