//! The list of what two honest builds may differ in. A line that gives no reason is
//! refused.

use super::folder;

/// Paths that are not compared.
#[derive(Debug, Clone)]
pub struct Exclusions(Vec<String>);

impl Exclusions {
    /// Reads the list of the repository.
    ///
    /// # Panics
    /// Where it can't be read, or has a line without a reason.
    pub fn read() -> Self {
        let path = folder().join("exclude.txt");
        let text = std::fs::read_to_string(path).expect("the list of exclusions");
        Self::parse(&text).unwrap_or_else(|line| panic!("exclude.txt: no path and reason: {line}"))
    }

    /// Reads a list.
    ///
    /// # Errors
    /// The line that is not a path with a reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for line in text.lines() {
            let (pattern, reason) = line.split_once('#').unwrap_or((line, ""));
            let (pattern, reason) = (pattern.trim(), reason.trim());
            if pattern.is_empty() {
                continue;
            }
            let is_path = pattern.starts_with('/') || pattern.starts_with("**/");
            if !is_path || reason.is_empty() {
                return Err(line.to_owned());
            }
            patterns.push(pattern.to_owned());
        }
        Ok(Self(patterns))
    }

    /// Whether `path`, or a folder above it, is on the list.
    pub fn has(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
        let above: Vec<&str> = ends.map(|at| &path[..at]).chain([path]).collect();
        self.0.iter().any(|pattern| {
            let mut above = above.iter();
            above.any(|path| matches(pattern.as_bytes(), path.as_bytes()))
        })
    }
}

/// Whether all of `path` is what `pattern` stands for.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return path.is_empty();
    };
    if *first != b'*' {
        return path.first() == Some(first) && matches(rest, &path[1..]);
    }
    let (rest, deep) = match rest.strip_prefix(b"*") {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let mut at = 0;
    loop {
        if matches(rest, &path[at..]) {
            return true;
        }
        if at == path.len() || (path[at] == b'/' && !deep) {
            return false;
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_stands_for_what_is_below_it_too() {
        let list = "/run # a\n/var/log/* # b\n**/__pycache__ # c\n/etc/ssh/ssh_host_* # d\n";
        let list = Exclusions::parse(list).expect("a list");
        for path in [
            "/run",
            "/run/lock/x",
            "/var/log/apt/term.log",
            "/usr/lib/python3/__pycache__/a.pyc",
            "/etc/ssh/ssh_host_rsa_key",
        ] {
            assert!(list.has(path), "{path}");
        }
        for path in ["/", "/runner", "/var/log", "/etc/ssh", "/srv/run"] {
            assert!(!list.has(path), "{path}");
        }
    }

    #[test]
    fn each_line_of_the_list_has_a_reason() {
        assert!(Exclusions::read().has("/etc/machine-id"));
        assert_eq!(
            Exclusions::parse("/etc/x\n").err().as_deref(),
            Some("/etc/x")
        );
        assert!(Exclusions::parse("etc/x # a reason\n").is_err());
    }
}
