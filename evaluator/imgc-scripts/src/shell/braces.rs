//! Brace expansion of bash: `a{b,c}d` and `{1..3}`.

use std::rc::Rc;

use super::syntax::{Part, Word};
use crate::stop::{Stop, Why};

/// How many words one word may become.
const WORDS: usize = 10_000;

/// A unit of a word: a byte outside of quotes, or a part that braces leave alone.
#[derive(Clone)]
enum Unit {
    Byte(u8),
    Part(Rc<Part>),
}

/// The words that `word` stands for; none if it has no braces to expand.
///
/// # Errors
/// A [`Stop`] where there are too many.
pub(super) fn expand(word: &[Part]) -> Result<Option<Vec<Word>>, Stop> {
    let has = |part: &Part| matches!(part, Part::Literal(text) if text.contains(&b'{'));
    if !word.iter().any(has) {
        return Ok(None);
    }
    let mut units = Vec::new();
    for part in word {
        match part {
            Part::Literal(text) => units.extend(text.iter().map(|&b| Unit::Byte(b))),
            other => units.push(Unit::Part(Rc::new(other.clone()))),
        }
    }
    let Some(words) = alternatives(&units, 0) else {
        return Err(Stop::new(Why::Budget("braces make too many words")));
    };
    let words = words.iter().map(|units| rebuild(units)).collect();
    Ok(Some(words).filter(|words: &Vec<Word>| words.len() > 1))
}

fn rebuild(units: &[Unit]) -> Word {
    let mut word = Word::new();
    for unit in units {
        match unit {
            Unit::Byte(byte) => match word.last_mut() {
                Some(Part::Literal(text)) => text.push(*byte),
                _ => word.push(Part::Literal([*byte].into())),
            },
            Unit::Part(part) => word.push(Part::clone(part)),
        }
    }
    word
}

/// All words of `units`. None where there are too many.
fn alternatives(units: &[Unit], depth: usize) -> Option<Vec<Vec<Unit>>> {
    if depth > 20 {
        return None;
    }
    let mut from = 0;
    while let Some(open) = find(units, from, b'{') {
        from = open + 1;
        // `${` is no brace, and was parsed before.
        let Some((parts, close)) = parts(units, open) else {
            continue;
        };
        let mut inner = Vec::new();
        if parts.len() > 1 {
            for part in parts {
                inner.extend(alternatives(part, depth + 1)?);
            }
        } else if let Some(range) = range(parts[0]) {
            inner = range;
        } else {
            continue;
        }
        let tails = alternatives(&units[close + 1..], depth + 1)?;
        let mut words = Vec::new();
        for middle in &inner {
            for tail in &tails {
                if words.len() >= WORDS {
                    return None;
                }
                let head = units[..open].iter();
                words.push(head.chain(middle).chain(tail).cloned().collect());
            }
        }
        return Some(words);
    }
    Some(vec![units.to_vec()])
}

fn find(units: &[Unit], from: usize, byte: u8) -> Option<usize> {
    let rest = units.get(from..)?;
    let found = rest
        .iter()
        .position(|unit| matches!(unit, Unit::Byte(b) if *b == byte));
    found.map(|at| from + at)
}

/// What is between the brace at `open` and its end, at commas; and where that end is.
fn parts(units: &[Unit], open: usize) -> Option<(Vec<&[Unit]>, usize)> {
    let mut depth = 0;
    let mut from = open + 1;
    let mut parts = Vec::new();
    for (at, unit) in units.iter().enumerate().skip(open + 1) {
        match unit {
            Unit::Byte(b'{') => depth += 1,
            Unit::Byte(b'}') if depth == 0 => {
                parts.push(&units[from..at]);
                return Some((parts, at));
            }
            Unit::Byte(b'}') => depth -= 1,
            Unit::Byte(b',') if depth == 0 => {
                parts.push(&units[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    None
}

/// `1..3`, `a..e`, `1..9..2`
fn range(units: &[Unit]) -> Option<Vec<Vec<Unit>>> {
    let text: Option<String> = units
        .iter()
        .map(|unit| match unit {
            Unit::Byte(byte) => Some(char::from(*byte)),
            Unit::Part(_) => None,
        })
        .collect();
    let text = text?;
    let mut ends = text.split("..");
    let (first, last, step) = (ends.next()?, ends.next()?, ends.next());
    if ends.next().is_some() {
        return None;
    }
    let step: i64 = step.map_or(Some(1), |step| step.parse().ok())?;
    let step = step.unsigned_abs().max(1);
    let letter = |text: &str| match text.as_bytes() {
        [b] if b.is_ascii_alphabetic() => Some(i64::from(*b)),
        _ => None,
    };
    let (from, to, letters) = match (letter(first), letter(last)) {
        (Some(from), Some(to)) => (from, to, true),
        _ => (first.parse().ok()?, last.parse().ok()?, false),
    };
    let padded = |text: &str| text.trim_start_matches('-').starts_with('0') && text.len() > 1;
    let width = match padded(first) || padded(last) {
        true => first.len().max(last.len()),
        false => 0,
    };
    let count = i64::abs_diff(from, to) / step;
    if count >= WORDS as u64 {
        return None;
    }
    let word = |n: u64| {
        let by = i64::try_from(n * step).unwrap_or_default();
        let value = if from <= to { from + by } else { from - by };
        let text = match u8::try_from(value) {
            Ok(byte) if letters => char::from(byte).to_string(),
            _ => format!("{value:0width$}"),
        };
        text.bytes().map(Unit::Byte).collect()
    };
    Some((0..=count).map(word).collect())
}
