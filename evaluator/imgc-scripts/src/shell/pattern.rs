//! Patterns as `case`, `${x#…}` and file names have them.

/// A character of a pattern or of a field: a byte, and whether it was quoted.
pub(super) type Mark = u16;

/// Set in a [`Mark`] that means itself.
pub(super) const QUOTED: Mark = 0x100;

/// The byte of a mark.
pub(super) fn byte(mark: Mark) -> u8 {
    (mark & 0xff) as u8
}

/// The bytes of marks.
pub(super) fn bytes(marks: &[Mark]) -> Vec<u8> {
    marks.iter().map(|&mark| byte(mark)).collect()
}

/// Whether something in `pattern` is more than itself. A bracket that nothing closes is
/// not: the command `[` is no pattern of files.
pub(super) fn is_pattern(pattern: &[Mark], extended: bool) -> bool {
    let is = |mark: Mark, b: u8| Mark::from(b) == mark;
    let closed = |rest: &[Mark]| rest.iter().any(|&mark| byte(mark) == b']');
    pattern.iter().enumerate().any(|(at, &mark)| {
        is(mark, b'*')
            || is(mark, b'?')
            || (is(mark, b'[') && closed(&pattern[at..]))
            || (extended && group(&pattern[at..]).is_some())
    })
}

/// How patterns match.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Matcher {
    /// Whether `?` and `[…]` take a whole character of UTF-8, as in bash.
    pub(super) wide: bool,
    /// Whether letters match both cases.
    pub(super) fold: bool,
    /// Whether `[^a]` means `[!a]`, as in bash.
    pub(super) caret: bool,
    /// Whether `@(a|b)` and the like are patterns.
    pub(super) extended: bool,
}

impl Matcher {
    /// Whether `pattern` matches all of `text`, found in at most `tries` tries, which are
    /// counted down. None where finding out takes more.
    pub(super) fn matches(self, pattern: &[Mark], text: &[u8], tries: &mut u64) -> Option<bool> {
        self.run(pattern, text, tries, 0)
    }

    fn run(
        self,
        mut pattern: &[Mark],
        mut text: &[u8],
        tries: &mut u64,
        depth: usize,
    ) -> Option<bool> {
        if depth > 40 {
            return None;
        }
        // Where to go on after the last star, with one more byte taken by it.
        let mut star: Option<(&[Mark], &[u8])> = None;
        loop {
            *tries = tries.checked_sub(1)?;
            if self.extended
                && let Some((kind, alternatives, rest)) = group(pattern)
            {
                if self.group(kind, &alternatives, rest, text, tries, depth)? {
                    return Some(true);
                }
            } else if let Some((&mark, rest)) = pattern.split_first() {
                if mark == Mark::from(b'*') {
                    star = Some((rest, text));
                    pattern = rest;
                    continue;
                }
                if let Some((left, taken)) = self.one(pattern, text) {
                    pattern = left;
                    text = &text[taken..];
                    continue;
                }
            } else if text.is_empty() {
                return Some(true);
            }
            match star {
                Some((after, from)) if !from.is_empty() => {
                    star = Some((after, &from[1..]));
                    pattern = after;
                    text = &from[1..];
                }
                _ => return Some(false),
            }
        }
    }

    /// Matches one element of a pattern that is no star: what is left of the pattern, and
    /// how many bytes it took.
    fn one<'p>(self, pattern: &'p [Mark], text: &[u8]) -> Option<(&'p [Mark], usize)> {
        let (&mark, rest) = pattern.split_first()?;
        let length = self.length(text);
        if mark == Mark::from(b'?') {
            return (length > 0).then_some((rest, length));
        }
        if mark == Mark::from(b'[')
            && let Some((found, left)) = self.bracket(rest, &text[..length])
        {
            return (found && length > 0).then_some((left, length));
        }
        // A backslash that an expansion gave escapes what follows it.
        let (mark, rest) = match rest.split_first() {
            Some((&next, rest)) if mark == Mark::from(b'\\') => (next, rest),
            _ => (mark, rest),
        };
        let same = text.first().is_some_and(|&b| self.same(byte(mark), b));
        same.then_some((rest, 1))
    }

    fn same(self, a: u8, b: u8) -> bool {
        a == b || (self.fold && a.eq_ignore_ascii_case(&b))
    }

    /// The length of the first character of `text`.
    fn length(self, text: &[u8]) -> usize {
        if !self.wide {
            return text.len().min(1);
        }
        bstr::decode_utf8(text).1
    }

    /// Whether the bracket expression whose inside `pattern` begins with holds the
    /// character; what is left behind it. None if it has no end.
    fn bracket<'p>(self, pattern: &'p [Mark], character: &[u8]) -> Option<(bool, &'p [Mark])> {
        let mut at = 0;
        let negated = pattern.first().is_some_and(|&mark| {
            mark == Mark::from(b'!') || (self.caret && mark == Mark::from(b'^'))
        });
        at += usize::from(negated);
        let from = at;
        let mut found = false;
        let wanted = code(character);
        loop {
            let mark = *pattern.get(at)?;
            if mark == Mark::from(b']') && at > from {
                return Some((found != negated, &pattern[at + 1..]));
            }
            if mark == Mark::from(b'[') && pattern.get(at + 1) == Some(&Mark::from(b':')) {
                let name = &pattern[at + 2..];
                let end = name
                    .windows(2)
                    .position(|w| w == [b':', b']'].map(Mark::from));
                if let Some(end) = end {
                    found |= class(&bytes(&name[..end]), character.first().copied(), self.fold);
                    at += end + 4;
                    continue;
                }
            }
            let (low, next) = self.member(pattern, at)?;
            at = next;
            let dash = pattern.get(at) == Some(&Mark::from(b'-'));
            if dash && pattern.get(at + 1).is_some_and(|&m| m != Mark::from(b']')) {
                let (high, next) = self.member(pattern, at + 1)?;
                at = next;
                found |= (low..=high).contains(&wanted) && !character.is_empty();
                if self.fold {
                    let other = swap_case(wanted);
                    found |= (low..=high).contains(&other);
                }
            } else {
                found |= low == wanted || (self.fold && low == swap_case(wanted));
            }
        }
    }

    /// A character of a bracket expression, as a number, and where the next is.
    fn member(self, pattern: &[Mark], mut at: usize) -> Option<(u32, usize)> {
        let mut mark = *pattern.get(at)?;
        if mark == Mark::from(b'\\') {
            at += 1;
            mark = *pattern.get(at)?;
        }
        if !self.wide || byte(mark) < 0x80 {
            return Some((u32::from(byte(mark)), at + 1));
        }
        let ahead = bytes(&pattern[at..pattern.len().min(at + 4)]);
        let length = self.length(&ahead);
        Some((code(&ahead[..length]), at + length))
    }

    fn group(
        self,
        kind: u8,
        alternatives: &[&[Mark]],
        rest: &[Mark],
        text: &[u8],
        tries: &mut u64,
        depth: usize,
    ) -> Option<bool> {
        let optional = matches!(kind, b'?' | b'*');
        if optional && self.run(rest, text, tries, depth + 1)? {
            return Some(true);
        }
        for end in 0..=text.len() {
            let (head, tail) = text.split_at(end);
            let mut any = false;
            for alternative in alternatives {
                any = any || self.run(alternative, head, tries, depth + 1)?;
            }
            if any == (kind == b'!') {
                continue;
            }
            if self.run(rest, tail, tries, depth + 1)? {
                return Some(true);
            }
            // Once more, for what is left; an empty match would go on forever.
            if matches!(kind, b'*' | b'+')
                && end > 0
                && self.group(b'+', alternatives, rest, tail, tries, depth + 1)?
            {
                return Some(true);
            }
        }
        Some(false)
    }
}

/// The kind of a group, its alternatives, and what follows it.
type Group<'p> = (u8, Vec<&'p [Mark]>, &'p [Mark]);

/// A pattern as `@(a|b)` at the beginning of `pattern`.
fn group(pattern: &[Mark]) -> Option<Group<'_>> {
    let kind = *pattern.first()?;
    if !b"?*+@!".iter().any(|&b| Mark::from(b) == kind) || pattern.get(1) != Some(&Mark::from(b'('))
    {
        return None;
    }
    let mut alternatives = Vec::new();
    let mut open = 1;
    let mut from = 2;
    for (at, &mark) in pattern.iter().enumerate().skip(2) {
        if mark == Mark::from(b'(') {
            open += 1;
        } else if mark == Mark::from(b')') {
            open -= 1;
            if open == 0 {
                alternatives.push(&pattern[from..at]);
                return Some((byte(kind), alternatives, &pattern[at + 1..]));
            }
        } else if mark == Mark::from(b'|') && open == 1 {
            alternatives.push(&pattern[from..at]);
            from = at + 1;
        }
    }
    None
}

/// The number of a character.
fn code(character: &[u8]) -> u32 {
    match bstr::decode_utf8(character) {
        (Some(c), _) if character.len() > 1 => u32::from(c),
        _ => character.first().copied().map_or(u32::MAX, u32::from),
    }
}

fn swap_case(code: u32) -> u32 {
    match u8::try_from(code) {
        Ok(b) if b.is_ascii_uppercase() => u32::from(b.to_ascii_lowercase()),
        Ok(b) => u32::from(b.to_ascii_uppercase()),
        Err(_) => code,
    }
}

/// Whether a byte is of the class `name`, as `alpha`.
fn class(name: &[u8], byte: Option<u8>, fold: bool) -> bool {
    let Some(byte) = byte else {
        return false;
    };
    match name {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => byte == b' ' || byte == b'\t',
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" | b"upper" if fold => byte.is_ascii_alphabetic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => byte.is_ascii_whitespace() || byte == 11,
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => false,
    }
}
