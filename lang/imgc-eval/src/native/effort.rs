//! How much work a regular expression is, read off its text: what compiling it takes, and
//! what searching takes for each byte.
//!
//! It is an upper bound in rough numbers. It understands no more of an expression than
//! that takes, and says nothing of mistakes in it.

/// What compiling any expression is counted as.
const COMPILING: usize = 20_000;
/// What compiling one state is counted as.
const STATE: usize = 300;
/// More states than a compiled expression may have: compiling ends there.
const MOST_STATES: usize = 20_000;
/// What reading a class is counted as.
const CLASS: usize = 5_000;
/// How many states a class of letters of all scripts has, `\w` or `\pL`.
const LARGE: usize = 64;
/// How many states a class such as `\d` or `[é]` has.
const MEDIUM: usize = 16;
/// How many states a class of ASCII has.
const SMALL: usize = 2;
/// What it takes to look for the other case of a whole class.
const FOLDING: usize = 40_000;
/// Expressions with more atoms may have so many states that they are searched without
/// remembering them, which takes much longer.
const MOST_ATOMS: usize = 16;

/// What is known of an expression.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Effort {
    /// Steps that compiling it takes.
    pub(super) compiling: usize,
    atoms: usize,
    /// Whether it looks at the edges of words, for which letters of all scripts must be
    /// known.
    edges: bool,
    /// Whether a search may read on after the end of what it finds.
    far: bool,
}

/// Characters that an expression takes, repetitions written out, and its states.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    atoms: usize,
    states: usize,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.atoms = self.atoms.saturating_add(other.atoms);
        self.states = self.states.saturating_add(other.states);
    }

    fn times(self, count: usize) -> Self {
        Self {
            atoms: self.atoms.saturating_mul(count),
            states: self.states.saturating_mul(count),
        }
    }
}

impl Effort {
    /// What is known of an expression by its text.
    pub(super) fn of(pattern: &str) -> Self {
        let mut scan = Scan {
            bytes: pattern.as_bytes(),
            ..Scan::default()
        };
        while scan.at < scan.bytes.len() {
            scan.next();
        }
        scan.effort()
    }

    /// Steps that a search through so many bytes takes. `ascii` says what they are.
    pub(super) fn search(&self, bytes: usize, ascii: bool) -> usize {
        if self.edges && !ascii || self.atoms > MOST_ATOMS {
            return self.capture(bytes);
        }
        bytes / 4
    }

    /// Steps that it takes to find where the groups are in a match of so many bytes.
    pub(super) fn capture(&self, bytes: usize) -> usize {
        bytes.saturating_mul(5 + self.atoms / 4)
    }

    /// Steps of a search that finds something while so many bytes are left after it.
    pub(super) fn ahead(&self, bytes: usize, ascii: bool) -> usize {
        if self.far {
            return 1 + self.search(bytes, ascii) / 4;
        }
        1 + self.search(bytes.min(self.atoms.saturating_mul(4)), ascii)
    }
}

/// A walk through an expression.
#[derive(Debug, Default)]
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The groups that are open: what stood before each.
    open: Vec<Size>,
    group: Size,
    /// What a repetition that follows would repeat.
    last: Size,
    /// All repetitions times each other.
    repeated: usize,
    classes: usize,
    folds: bool,
    spaced: bool,
    edges: bool,
    branches: bool,
    endless: usize,
    ends_endless: bool,
}

impl Scan<'_> {
    fn next(&mut self) {
        let byte = self.bytes[self.at];
        self.at += 1;
        self.ends_endless = false;
        match byte {
            b'\\' => self.escape(),
            b'[' => self.class(),
            b'(' => {
                self.branches = true;
                self.open.push(std::mem::take(&mut self.group));
                self.last = Size::default();
                self.flags();
            }
            b')' => {
                let mut inner = self.group;
                inner.add(Size {
                    atoms: 1,
                    states: 1,
                });
                self.group = self.open.pop().unwrap_or_default();
                self.atom(inner);
            }
            b'{' => self.count(),
            b'*' | b'+' => {
                self.endless += 1;
                self.ends_endless = true;
            }
            b'?' => self.branches = true,
            b'|' => {
                self.branches = true;
                self.one(1);
            }
            // It may mean nothing, and what follows repeat what stands before it.
            byte if byte.is_ascii_whitespace() => {
                let before = self.last;
                self.one(1);
                if before.atoms > 0 {
                    self.last = before;
                }
            }
            _ => self.one(1),
        }
    }

    fn atom(&mut self, size: Size) {
        self.group.add(size);
        self.last = size;
    }

    fn one(&mut self, states: usize) {
        self.atom(Size { atoms: 1, states });
    }

    fn escape(&mut self) {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        match byte {
            b'b' | b'B' | b'<' | b'>' => {
                self.edges = true;
                self.classes += 1;
                self.one(MEDIUM);
            }
            b'w' | b'W' | b'p' | b'P' => {
                self.classes += 1;
                self.one(LARGE);
            }
            b'd' | b'D' | b's' | b'S' => {
                self.classes += 1;
                self.one(MEDIUM);
            }
            _ => self.one(1),
        }
        let named = matches!(byte, b'p' | b'P' | b'x' | b'u' | b'U' | b'b');
        if named && self.bytes.get(self.at) == Some(&b'{') {
            let rest = &self.bytes[self.at..];
            let number = rest.get(1).is_some_and(u8::is_ascii_digit) && byte == b'b';
            if let Some(end) = rest.iter().position(|byte| *byte == b'}')
                && !number
            {
                self.at += end + 1;
            }
        }
    }

    /// A class in brackets, with those in it.
    fn class(&mut self) {
        self.classes += 1;
        let mut depth = 1;
        let mut states = SMALL;
        while depth > 0
            && let Some(byte) = self.bytes.get(self.at)
        {
            self.at += 1;
            match byte {
                b'\\' => {
                    let escaped = self.bytes.get(self.at).copied().unwrap_or_default();
                    self.at += 1;
                    states += match escaped {
                        b'w' | b'W' | b'p' | b'P' => LARGE,
                        escaped if escaped.is_ascii_alphanumeric() => MEDIUM,
                        _ => SMALL,
                    };
                    self.classes += usize::from(escaped.is_ascii_alphanumeric());
                }
                b'[' => {
                    depth += 1;
                    self.classes += 1;
                    states += MEDIUM;
                }
                b']' => depth -= 1,
                b'^' => states += MEDIUM,
                byte if !byte.is_ascii() => states += MEDIUM,
                _ => {}
            }
        }
        self.one(states);
    }

    /// What stands after the `(` of a group.
    fn flags(&mut self) {
        let rest = &self.bytes[self.at..];
        let Some(rest) = rest.strip_prefix(b"?") else {
            return;
        };
        let ends = |byte: &&u8| !byte.is_ascii_alphabetic() && **byte != b'-';
        let length = rest.iter().take_while(|byte| !ends(byte)).count();
        self.folds |= rest[..length].contains(&b'i');
        self.spaced |= rest[..length].contains(&b'x');
        self.at += 1 + length;
    }

    /// A counted repetition.
    fn count(&mut self) {
        let rest = &self.bytes[self.at..];
        let Some(end) = rest.iter().position(|byte| *byte == b'}') else {
            return self.one(1);
        };
        let text = String::from_utf8_lossy(&rest[..end]);
        let bounds = text
            .split(',')
            .filter_map(|bound| bound.trim().parse().ok());
        let most: usize = bounds.max().unwrap_or(1).max(1);
        self.branches |= text.contains(',');
        if text.trim_end().ends_with(',') {
            self.endless += 1;
        }
        self.at += end + 1;
        self.repeated = self.repeated.max(1).saturating_mul(most);
        self.group.add(self.last.times(most - 1));
        self.last = self.last.times(most);
    }

    fn effort(mut self) -> Effort {
        while let Some(before) = self.open.pop() {
            self.group.add(before);
        }
        if self.spaced {
            // Comments may hide what is repeated.
            self.group = self.group.times(self.repeated.max(1));
        }
        let class = if self.folds { FOLDING } else { CLASS };
        let states = self.group.states.min(MOST_STATES);
        let compiling = COMPILING + self.bytes.len() * 20 + states * STATE + self.classes * class;
        // An expression that ends where the first character does not fit that its only
        // repetition takes.
        let simple = self.endless == 1 && self.ends_endless && !self.branches;
        Effort {
            compiling,
            atoms: self.group.atoms,
            edges: self.edges,
            far: self.endless > 0 && !simple,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_multiply() {
        let atoms = |pattern: &str| Effort::of(pattern).atoms;
        assert_eq!(atoms("abc"), 3);
        assert_eq!(atoms("a{10}"), 10);
        assert!(atoms("(a|b){500}") >= 1_000);
        assert!(atoms("((a|b){20}){20}") >= 800);
        assert!(atoms("(?x)(a|b) # often\n {500}") >= 1_000);
        assert!(atoms("(a b) {500}") >= 1_000);
        assert_eq!(atoms(r"\x{e9}\pL[a-z]"), 4);
        for odd in [
            "{",
            "a{",
            "a{,}",
            ")",
            "(",
            "[",
            "[]",
            "\\",
            "(?",
            r"\p{",
            "a{99999999999}",
        ] {
            let _ = Effort::of(odd).search(10, false);
        }
    }

    #[test]
    fn what_is_dear_is_counted() {
        let compiling = |pattern: &str| Effort::of(pattern).compiling;
        assert!(compiling("^[a-z0-9.-]+$") < 30_000);
        assert!(compiling(r"^v(\d+)\.(\d+)$") < 45_000);
        assert!(compiling(r"\w{8}") > 100_000);
        assert!(compiling(&format!("(?i){}", r"\pL{0}".repeat(1_000))) > 35_000_000);
        let plain = Effort::of("a+");
        assert!(plain.search(1_000, false) < 1_000);
        assert!(Effort::of(r"\ba").search(1_000, false) > 4_000);
        assert!(Effort::of(r"\ba").search(1_000, true) < 1_000);
        assert!(Effort::of("(a|b)*a(a|b){12}").search(1_000, true) > 10_000);
    }

    #[test]
    fn a_search_may_read_far() {
        let ahead = |pattern: &str| Effort::of(pattern).ahead(1 << 20, true);
        for near in ["a", "a|b", r"\w+", "[a-z]{2}", "ab*"] {
            assert!(ahead(near) < 1_000, "{near}");
        }
        for far in ["a.*b|a", "a+?b|a", "a(.*b)?", "a(b.{2,}c)?"] {
            assert!(ahead(far) > 10_000, "{far}");
        }
    }
}
