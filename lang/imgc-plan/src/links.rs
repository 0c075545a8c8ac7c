//! Symbolic links in a folder that is put into an image: where they lead.

use std::collections::BTreeMap;

/// How many links Linux follows in one path (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// Whether a link of a folder stays inside wherever it leads, given the links in the
/// folder (paths from it on, and targets), and how many steps that took. A link in a
/// circle leads nowhere.
pub fn stays_inside(links: &BTreeMap<String, String>, link: &str) -> (bool, usize) {
    let mut rest: Vec<&str> = link.rsplit('/').collect();
    let mut done: Vec<&str> = Vec::new();
    let (mut followed, mut steps) = (0, 0);
    while let Some(part) = rest.pop() {
        steps += 1;
        match part {
            "" | "." => continue,
            ".." => {
                if done.pop().is_none() {
                    return (false, steps);
                }
                continue;
            }
            part => done.push(part),
        }
        let Some(target) = links.get(&done.join("/")) else {
            continue;
        };
        if target.is_empty() || target.starts_with('/') {
            return (false, steps);
        }
        followed += 1;
        if followed > MAX_LINKS {
            break;
        }
        done.pop();
        rest.extend(target.rsplit('/'));
    }
    (true, steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stays(links: &[(&str, &str)], link: &str) -> bool {
        let links = links
            .iter()
            .map(|(at, to)| (at.to_string(), to.to_string()));
        stays_inside(&links.collect(), link).0
    }

    #[test]
    fn links_stay_inside_by_way_of_other_links() {
        assert!(stays(&[("a", "b/c")], "a"));
        assert!(stays(&[("top", "bin/../index")], "top"));
        assert!(!stays(&[("a/b", "../../c")], "a/b"));
        assert!(!stays(&[("a", "/etc")], "a"));
        assert!(!stays(&[("a", "")], "a"));
        // `sub/d/../etc` looks as if it were `sub/etc`, and is `../etc`.
        let links = [("sub/d", ".."), ("sub/x", "d/../etc")];
        assert!(stays(&links, "sub/d"));
        assert!(!stays(&links, "sub/x"));
        // The other way round: it looks as if it led out.
        assert!(stays(&[("d", "x/y"), ("a", "d/../../f")], "a"));
        assert!(stays(&[("a", "b"), ("b", "a")], "a"));
    }
}
