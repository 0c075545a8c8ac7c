//! `/etc/subuid` and `/etc/subgid`: which numbers a user may map into a namespace
//! (`subuid(5)`), one line for each range: `USER:START:COUNT`.

use imgc_plan::IdRange;

use crate::AccountError;

/// One of the two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubIds {
    /// Its path, without the slash in front.
    path: &'static str,
    lines: Vec<String>,
    added: bool,
}

impl SubIds {
    /// The file of that text at `path`.
    pub(crate) fn of(path: &'static str, text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty());
        Self {
            path,
            lines: lines.map(str::to_owned).collect(),
            added: false,
        }
    }

    /// Adds ranges of a user. One that the user has already stays as it is.
    ///
    /// # Errors
    /// [`AccountError::Range`] where a range has a number that is in another one.
    pub(crate) fn add(&mut self, user: &str, ranges: &[IdRange]) -> Result<(), AccountError> {
        for range in ranges {
            let line = format!("{user}:{}:{}", range.start, range.count);
            if self.lines.contains(&line) {
                continue;
            }
            let taken = self.lines.iter();
            let taken =
                taken.filter(|line| parse(line).is_some_and(|there| there.overlaps(*range)));
            if let Some(other) = taken.clone().next() {
                return Err(AccountError::Range {
                    user: user.to_owned(),
                    path: format!("/{}", self.path),
                    range: *range,
                    other: other.clone(),
                });
            }
            self.lines.push(line);
            self.added = true;
        }
        Ok(())
    }

    /// Its path and text, if anything was added.
    pub(crate) fn written(&self) -> Option<(&'static str, String)> {
        let text = self.lines.iter().map(|line| format!("{line}\n"));
        self.added.then(|| (self.path, text.collect()))
    }
}

/// The range of a line.
fn parse(line: &str) -> Option<IdRange> {
    let fields: Vec<&str> = line.split(':').collect();
    let [_, start, count] = fields[..] else {
        return None;
    };
    Some(IdRange {
        start: start.parse().ok()?,
        count: count.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u32, count: u32) -> IdRange {
        IdRange { start, count }
    }

    #[test]
    fn ranges_are_lines_that_do_not_overlap() {
        let mut file = SubIds::of("etc/subuid", "");
        assert_eq!(file.written(), None);
        file.add("a", &[range(100_000, 65_536)]).expect("added");
        file.add("b", &[range(165_536, 65_536)]).expect("added");
        file.add("a", &[range(100_000, 65_536)]).expect("the same");
        let text = "a:100000:65536\nb:165536:65536\n".to_owned();
        assert_eq!(file.written(), Some(("etc/subuid", text.clone())));
        let mut file = SubIds::of("etc/subuid", &text);
        for overlapping in [range(0, 100_001), range(231_071, 1), range(120_000, 5)] {
            let error = file.add("c", &[overlapping]).expect_err("they overlap");
            assert!(error.to_string().contains("/etc/subuid"), "{error}");
        }
        assert_eq!(file.written(), None);
    }
}
