//! "Did you mean": the most similar name.

/// The candidate most similar to `name`, if one is similar enough to be meant.
///
/// Similar is: at most a third of the letters differ, or only the case. Of equally similar ones
/// the first in the alphabet is taken, so that the order of the candidates does not matter.
#[must_use]
pub fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Names that long are not compared: the cost grows with the product of the lengths.
    const LONGEST: usize = 64;
    // Nor is a name compared with more than so many: nobody could have meant just one of them.
    const MOST: usize = 1_000;
    if name.len() > LONGEST {
        return None;
    }
    let length = name.chars().count();
    let limit = (length / 3).clamp(1, 4);
    let near: Vec<&str> = candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST && *candidate != name)
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .take(MOST + 1)
        .collect();
    if near.len() > MOST {
        return None;
    }
    near.into_iter()
        .filter_map(|candidate| {
            let distance = if candidate.eq_ignore_ascii_case(name) {
                0
            } else {
                strsim::damerau_levenshtein(name, candidate)
            };
            // Not everything replaced: `a` is not similar to `b`.
            let similar = distance <= limit && distance < candidate.chars().count();
            similar.then_some((distance, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let names = ["packages", "platform", "users", "config", "groups"];
        assert_eq!(did_you_mean("pakages", names), Some("packages"));
        assert_eq!(did_you_mean("user", names), Some("users"));
        assert_eq!(did_you_mean("USERS", names), Some("users"));
        assert_eq!(did_you_mean("cofnig", names), Some("config"));
        assert_eq!(did_you_mean("entrypoint", names), None);
        assert_eq!(did_you_mean("x", ["y", "z"]), None);
        assert_eq!(did_you_mean("x", []), None);
        assert_eq!(did_you_mean(&"x".repeat(100), names), None);
    }

    #[test]
    fn a_crowd_has_no_most_similar_one() {
        let names: Vec<String> = (1_000..3_000)
            .map(|number| format!("name{number}"))
            .collect();
        assert_eq!(
            did_you_mean("nam1000", names.iter().map(String::as_str)),
            None
        );
    }

    #[test]
    fn order_does_not_matter() {
        assert_eq!(did_you_mean("ac", ["ab", "aa"]), Some("aa"));
        assert_eq!(did_you_mean("ac", ["aa", "ab"]), Some("aa"));
    }
}
