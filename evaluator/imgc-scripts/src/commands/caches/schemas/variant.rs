//! GLib's variants: reads them as text, by their type, and packs them. What would need a
//! type to be guessed is not read.

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// A number, a truth or a string, by its letter.
    Basic(u8),
    Array(Box<Type>),
    Maybe(Box<Type>),
    /// A tuple, or the two of an entry.
    Tuple(Vec<Type>),
}

/// How deep types may lie in each other.
const DEPTH: usize = 32;

/// Reads a type.
pub(super) fn parse_type(text: &str) -> Option<Type> {
    let mut rest = text.as_bytes();
    let parsed = next_type(&mut rest, 0)?;
    rest.is_empty().then_some(parsed)
}

fn next_type(rest: &mut &[u8], depth: usize) -> Option<Type> {
    let (&first, after) = rest.split_first()?;
    *rest = after;
    if depth > DEPTH {
        return None;
    }
    match first {
        b'b' | b'y' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'd' | b's' | b'o' | b'g' => {
            Some(Type::Basic(first))
        }
        b'a' => next_type(rest, depth + 1).map(|of| Type::Array(Box::new(of))),
        b'm' => next_type(rest, depth + 1).map(|of| Type::Maybe(Box::new(of))),
        b'(' | b'{' => {
            let end = if first == b'(' { b')' } else { b'}' };
            let mut parts = Vec::new();
            while *rest.first()? != end {
                parts.push(next_type(rest, depth + 1)?);
            }
            *rest = &rest[1..];
            Some(Type::Tuple(parts))
        }
        _ => None,
    }
}

impl Type {
    fn align(&self) -> usize {
        match self {
            Self::Basic(b'n' | b'q') => 2,
            Self::Basic(b'i' | b'u') => 4,
            Self::Basic(b'x' | b't' | b'd') => 8,
            Self::Basic(_) => 1,
            Self::Array(of) | Self::Maybe(of) => of.align(),
            Self::Tuple(parts) => parts.iter().map(Self::align).max().unwrap_or(1),
        }
    }

    fn is_fixed(&self) -> bool {
        match self {
            Self::Basic(letter) => !matches!(letter, b's' | b'o' | b'g'),
            Self::Array(_) | Self::Maybe(_) => false,
            Self::Tuple(parts) => parts.iter().all(Self::is_fixed),
        }
    }
}

fn align(bytes: &mut Vec<u8>, to: usize) {
    bytes.resize(bytes.len().next_multiple_of(to), 0);
}

/// Adds where parts end, each in as few bytes as will do.
fn frame(bytes: &mut Vec<u8>, ends: impl ExactSizeIterator<Item = usize>) {
    let count = ends.len();
    let size = [(1, 0xff), (2, 0xffff), (4, 0xffff_ffff)]
        .into_iter()
        .find(|(size, most)| bytes.len() + size * count <= *most)
        .map_or(8, |(size, _)| size);
    for end in ends {
        bytes.extend_from_slice(&end.to_le_bytes()[..size]);
    }
}

/// Packs a tuple of parts that are packed already.
pub(super) fn tuple(parts: &[(Type, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for (number, (kind, part)) in parts.iter().enumerate() {
        align(&mut bytes, kind.align());
        bytes.extend_from_slice(part);
        if !kind.is_fixed() && number + 1 < parts.len() {
            ends.push(bytes.len());
        }
    }
    if parts.iter().all(|(kind, _)| kind.is_fixed()) {
        let most = parts.iter().map(|(kind, _)| kind.align()).max();
        align(&mut bytes, most.unwrap_or(1));
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    frame(&mut bytes, ends.into_iter().rev());
    bytes
}

fn array(of: &Type, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for part in parts {
        align(&mut bytes, of.align());
        bytes.extend_from_slice(part);
        ends.push(bytes.len());
    }
    if !of.is_fixed() {
        frame(&mut bytes, ends.into_iter());
    }
    bytes
}

/// Packs a string.
pub(super) fn string(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\0"].concat()
}

/// Packs the value that `text` is, of this type.
pub(super) fn parse(text: &str, kind: &Type) -> Option<Vec<u8>> {
    let mut reader = Reader { rest: text };
    let value = reader.value(kind)?;
    reader.rest.trim().is_empty().then_some(value)
}

/// The least and the greatest value of a type of numbers, packed.
pub(super) fn bounds(kind: &Type) -> Option<(Vec<u8>, Vec<u8>)> {
    let Type::Basic(letter) = kind else {
        return None;
    };
    let (least, most) = match letter {
        b'd' => {
            let of = |value: f64| value.to_le_bytes().to_vec();
            return Some((of(f64::NEG_INFINITY), of(f64::INFINITY)));
        }
        b'y' => (0, i128::from(u8::MAX)),
        b'n' => (i128::from(i16::MIN), i128::from(i16::MAX)),
        b'q' => (0, i128::from(u16::MAX)),
        b'i' => (i128::from(i32::MIN), i128::from(i32::MAX)),
        b'u' => (0, i128::from(u32::MAX)),
        b'x' => (i128::from(i64::MIN), i128::from(i64::MAX)),
        b't' => (0, i128::from(u64::MAX)),
        _ => return None,
    };
    Some((number(*letter, least)?, number(*letter, most)?))
}

fn number(letter: u8, value: i128) -> Option<Vec<u8>> {
    Some(match letter {
        b'y' => u8::try_from(value).ok()?.to_le_bytes().to_vec(),
        b'n' => i16::try_from(value).ok()?.to_le_bytes().to_vec(),
        b'q' => u16::try_from(value).ok()?.to_le_bytes().to_vec(),
        b'i' => i32::try_from(value).ok()?.to_le_bytes().to_vec(),
        b'u' => u32::try_from(value).ok()?.to_le_bytes().to_vec(),
        b'x' => i64::try_from(value).ok()?.to_le_bytes().to_vec(),
        b't' => u64::try_from(value).ok()?.to_le_bytes().to_vec(),
        _ => return None,
    })
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn eat(&mut self, mark: &str) -> bool {
        self.rest = self.rest.trim_start();
        let after = self.rest.strip_prefix(mark);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || ",:)]}".contains(c));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }

    fn value(&mut self, kind: &Type) -> Option<Vec<u8>> {
        if self.eat("@") {
            let named = self.word();
            if parse_type(named)? != *kind {
                return None;
            }
        }
        match kind {
            Type::Basic(b's' | b'o' | b'g') => self.string().map(|text| string(&text)),
            Type::Basic(b'b') => match self.word() {
                "true" => Some(vec![1]),
                "false" => Some(vec![0]),
                _ => None,
            },
            Type::Basic(b'd') => {
                let word = self.word();
                let usual = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
                let value: f64 = word.chars().all(usual).then(|| word.parse().ok())??;
                Some(value.to_le_bytes().to_vec())
            }
            Type::Basic(letter) => {
                let word = self.word();
                let (sign, digits) = match word.strip_prefix('-') {
                    Some(digits) => (-1, digits),
                    None => (1, word.strip_prefix('+').unwrap_or(word)),
                };
                let value = if let Some(hex) = digits.strip_prefix("0x") {
                    i128::from_str_radix(hex, 16)
                } else if digits.len() > 1 && digits.starts_with('0') {
                    i128::from_str_radix(digits, 8)
                } else {
                    digits.parse()
                };
                number(*letter, sign * value.ok()?)
            }
            Type::Array(of) => {
                // What is written like a dictionary is one only if its type says so.
                let (open, close) = if self.rest.trim_start().starts_with('{') {
                    ("{", "}")
                } else {
                    ("[", "]")
                };
                if !self.eat(open) {
                    return None;
                }
                let mut parts = Vec::new();
                while !self.eat(close) {
                    if !parts.is_empty() && !self.eat(",") {
                        return None;
                    }
                    parts.push(if open == "{" {
                        let Type::Tuple(pair) = &**of else {
                            return None;
                        };
                        let [key, value] = pair.as_slice() else {
                            return None;
                        };
                        let first = self.value(key)?;
                        if !self.eat(":") {
                            return None;
                        }
                        let second = self.value(value)?;
                        tuple(&[(key.clone(), first), (value.clone(), second)])
                    } else {
                        self.value(of)?
                    });
                }
                Some(array(of, &parts))
            }
            Type::Maybe(of) => {
                if self.eat("nothing") {
                    return Some(Vec::new());
                }
                self.eat("just ");
                let mut value = self.value(of)?;
                if !of.is_fixed() {
                    value.push(0);
                }
                Some(value)
            }
            Type::Tuple(kinds) => {
                if !self.eat("(") {
                    return None;
                }
                let mut parts = Vec::new();
                for kind in kinds {
                    if !parts.is_empty() && !self.eat(",") {
                        return None;
                    }
                    parts.push((kind.clone(), self.value(kind)?));
                }
                if parts.len() == 1 {
                    self.eat(",");
                }
                self.eat(")").then(|| tuple(&parts))
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        self.rest = self.rest.trim_start();
        let mut chars = self.rest.chars();
        let quote = chars.next().filter(|c| matches!(c, '"' | '\''))?;
        let mut text = String::new();
        loop {
            match chars.next()? {
                c if c == quote => break,
                '\\' => text.push(match chars.next()? {
                    c @ ('\\' | '"' | '\'') => c,
                    'n' => '\n',
                    't' => '\t',
                    _ => return None,
                }),
                c => text.push(c),
            }
        }
        self.rest = chars.as_str();
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(text: &str, kind: &str) -> Option<Vec<u8>> {
        parse(text, &parse_type(kind).expect("a type"))
    }

    #[test]
    fn values_are_packed_by_their_type() {
        assert_eq!(packed("'a\\'b'", "s"), Some(b"a'b\0".to_vec()));
        assert_eq!(packed(" true ", "b"), Some(vec![1]));
        assert_eq!(packed("-2", "i"), Some(vec![0xfe, 0xff, 0xff, 0xff]));
        assert_eq!(packed("0x10", "y"), Some(vec![16]));
        assert_eq!(packed("300", "y"), None);
        assert_eq!(packed("1.0", "d"), Some(1f64.to_le_bytes().to_vec()));
        assert_eq!(
            packed("(-1, 2)", "(ii)"),
            Some(vec![255, 255, 255, 255, 2, 0, 0, 0])
        );
        assert_eq!(
            packed("['a', 'bc']", "as"),
            Some(b"a\0bc\0\x02\x05".to_vec())
        );
        assert_eq!(packed("[]", "a(ss)"), Some(Vec::new()));
        assert_eq!(packed("@as []", "as"), Some(Vec::new()));
        assert_eq!(packed("('a', 'b')", "(ss)"), Some(b"a\0b\0\x02".to_vec()));
        assert_eq!(
            packed("{'a': 1}", "a{sy}"),
            Some(b"a\0\x01\x02\x04".to_vec())
        );
        assert_eq!(packed("nothing", "mi"), Some(Vec::new()));
        assert_eq!(parse_type("av"), None);
    }
}
