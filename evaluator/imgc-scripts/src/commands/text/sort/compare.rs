//! sort's keys, and the ways in which they are compared.

use std::cmp::Ordering;

use crate::commands::text::number;

/// How a key is compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// `b` of a key's begin, and of its end.
    blanks: (bool, bool),
    dictionary: bool,
    fold: bool,
    printing: bool,
    pub(super) reverse: bool,
    /// Which of `g`, `h`, `M`, `n` and `V`.
    kinds: Vec<char>,
}

/// A key: from a place in a line to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// Field and character, counted from 0.
    from: (usize, usize),
    /// Field and character at which it ends, as given; none is the end of the line. The
    /// character 0 is the end of its field.
    to: Option<(usize, usize)>,
    pub(super) order: Order,
}

impl Order {
    /// Takes the option of this letter; others are none of an order.
    pub(super) fn set(&mut self, letter: char) -> bool {
        match letter {
            'b' => self.blanks = (true, true),
            'd' => self.dictionary = true,
            'f' => self.fold = true,
            'i' => self.printing = true,
            'r' => self.reverse = true,
            'g' | 'h' | 'M' | 'n' | 'V' => {
                if !self.kinds.contains(&letter) {
                    self.kinds.push(letter);
                }
            }
            _ => return false,
        }
        true
    }

    /// Whether it has options that exclude each other.
    pub(super) fn is_mixed(&self) -> bool {
        self.kinds.len() + usize::from(self.dictionary || self.printing) > 1
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The order of two keys, without `r`.
    pub(super) fn compare(&self, one: &[u8], other: &[u8]) -> Ordering {
        match self.kinds.first() {
            Some('n') => numeric(one, other),
            Some('h') => human(one, other),
            Some('g') => general(one, other),
            Some('M') => month(one).cmp(&month(other)),
            Some('V') => version(one, other),
            _ if self.dictionary || self.printing || self.fold => {
                let take = |byte: &&u8| {
                    (!self.dictionary || byte.is_ascii_alphanumeric() || blank(**byte))
                        && (!self.printing || matches!(byte, b' '..=b'~'))
                };
                let fold = |byte: &u8| match self.fold {
                    true => byte.to_ascii_uppercase(),
                    false => *byte,
                };
                let one = one.iter().filter(take).map(fold);
                one.cmp(other.iter().filter(take).map(fold))
            }
            _ => one.cmp(other),
        }
    }
}

impl Key {
    /// The key of all of a line.
    pub(super) fn whole(global: &Order) -> Self {
        Self {
            from: (0, 0),
            to: None,
            order: global.clone(),
        }
    }

    /// Reads `POS1[,POS2]`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut order = Order::default();
        let comma = text.iter().position(|&byte| byte == b',');
        let (first, second) = match comma {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        let (field, char, letters) = position(first)?;
        if field == 0 || char == Some(0) {
            return None;
        }
        for &letter in letters {
            match letter {
                b'b' => order.blanks.0 = true,
                letter => order.set(char::from(letter)).then_some(())?,
            }
        }
        let from = (field - 1, char.map_or(0, |char| char - 1));
        let to = match second {
            None => None,
            Some(text) => {
                let (field, char, letters) = position(text)?;
                for &letter in letters {
                    match letter {
                        b'b' => order.blanks.1 = true,
                        letter => order.set(char::from(letter)).then_some(())?,
                    }
                }
                Some((field.checked_sub(1)?, char.unwrap_or(0)))
            }
        };
        Some(Self { from, to, order })
    }

    /// Takes the order of the command line, if it has none of its own.
    pub(super) fn inherit(&mut self, global: &Order) {
        if self.order.is_default() {
            self.order = global.clone();
        }
    }

    /// The bytes of this key in a line.
    pub(super) fn of<'l>(&self, line: &'l [u8], separator: Option<u8>) -> &'l [u8] {
        let from = self.begin(line, separator);
        let to = self.end(line, separator).max(from);
        let key = &line[from..to];
        let plain = self.from == (0, 0) && self.to.is_none();
        match plain && self.order.blanks.0 {
            true => {
                let skip = key.iter().take_while(|byte| blank(**byte)).count();
                &key[skip..]
            }
            false => key,
        }
    }

    fn begin(&self, line: &[u8], separator: Option<u8>) -> usize {
        let mut at = 0;
        for _ in 0..self.from.0 {
            at = field(line, at, separator);
            if separator.is_some() && at < line.len() {
                at += 1;
            }
        }
        if self.order.blanks.0 {
            at += line[at..].iter().take_while(|byte| blank(**byte)).count();
        }
        (at + self.from.1).min(line.len())
    }

    fn end(&self, line: &[u8], separator: Option<u8>) -> usize {
        let Some((number, char)) = self.to else {
            return line.len();
        };
        let mut at = 0;
        let fields = if char == 0 { number + 1 } else { number };
        for done in 1..=fields {
            at = field(line, at, separator);
            if separator.is_some() && at < line.len() && (done < fields || char > 0) {
                at += 1;
            }
        }
        if char > 0 {
            if self.order.blanks.1 {
                at += line[at..].iter().take_while(|byte| blank(**byte)).count();
            }
            at = (at + char).min(line.len());
        }
        at
    }
}

/// The end of the field that begins at `at`.
fn field(line: &[u8], at: usize, separator: Option<u8>) -> usize {
    let rest = &line[at..];
    match separator {
        Some(separator) => {
            let len = rest.iter().position(|&byte| byte == separator);
            at + len.unwrap_or(rest.len())
        }
        None => {
            let blanks = rest.iter().take_while(|byte| blank(**byte)).count();
            let text = rest[blanks..]
                .iter()
                .take_while(|byte| !blank(**byte))
                .count();
            at + blanks + text
        }
    }
}

fn blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

/// `FIELD[.CHAR][LETTERS]`
fn position(text: &[u8]) -> Option<(usize, Option<usize>, &[u8])> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<usize>().ok();
    let len = digits(text);
    let field = number(&text[..len])?;
    let rest = &text[len..];
    match rest.strip_prefix(b".") {
        None => Some((field, None, rest)),
        Some(rest) => {
            let len = digits(rest);
            Some((field, Some(number(&rest[..len])?), &rest[len..]))
        }
    }
}

/// A number in text: whether it is negative, its digits before the point without zeros
/// in front, those behind it without zeros at the end, and what follows.
fn decimal(text: &[u8]) -> (bool, &[u8], &[u8], &[u8]) {
    let skip = text.iter().take_while(|byte| blank(**byte)).count();
    let text = &text[skip..];
    let negative = text.first() == Some(&b'-');
    let text = &text[usize::from(negative)..];
    let len = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, mut rest) = text.split_at(len);
    let zeros = whole.iter().take_while(|byte| **byte == b'0').count();
    let mut part = &b""[..];
    if let Some(behind) = rest.strip_prefix(b".") {
        let len = behind
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        part = &behind[..len];
        rest = &behind[len..];
        let zeros = part.iter().rev().take_while(|byte| **byte == b'0').count();
        part = &part[..part.len() - zeros];
    }
    (negative, &whole[zeros..], part, rest)
}

fn numeric(one: &[u8], other: &[u8]) -> Ordering {
    let value = |text| {
        let (negative, whole, part, _) = decimal(text);
        let zero = whole.is_empty() && part.is_empty();
        (negative && !zero, whole.len(), whole, part)
    };
    let (one, other) = (value(one), value(other));
    match (one.0, other.0) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (negative, _) => {
            let order = (one.1, one.2, one.3).cmp(&(other.1, other.2, other.3));
            if negative { order.reverse() } else { order }
        }
    }
}

fn human(one: &[u8], other: &[u8]) -> Ordering {
    let value = |text| {
        let (negative, whole, part, rest) = decimal(text);
        if whole.is_empty() && part.is_empty() {
            return 0;
        }
        let units = b"KMGTPEZYRQ";
        let unit = rest
            .first()
            .map(|byte| if *byte == b'k' { b'K' } else { *byte });
        let unit = unit.and_then(|unit| units.iter().position(|other| *other == unit));
        let rank = unit.map_or(1, |at| i32::try_from(at).unwrap_or(0) + 2);
        if negative { -rank } else { rank }
    };
    value(one)
        .cmp(&value(other))
        .then_with(|| numeric(one, other))
}

fn general(one: &[u8], other: &[u8]) -> Ordering {
    let value = |text: &[u8]| {
        let skip = text.iter().take_while(|byte| blank(**byte)).count();
        number::prefix(&text[skip..]).map(|(value, _)| value)
    };
    let (one, other) = (value(one), value(other));
    match (one, other) {
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(one), Some(other)) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
    }
}

fn month(text: &[u8]) -> usize {
    const MONTHS: [&[u8; 3]; 12] = [
        b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV",
        b"DEC",
    ];
    let skip = text.iter().take_while(|byte| blank(**byte)).count();
    let name = text[skip..].get(..3).map(<[u8]>::to_ascii_uppercase);
    let found = name.and_then(|name| MONTHS.iter().position(|month| month[..] == name));
    found.map_or(0, |at| at + 1)
}

/// The order of version numbers in file names.
pub(crate) fn version(one: &[u8], other: &[u8]) -> Ordering {
    if one.is_empty() || other.is_empty() {
        return one.len().cmp(&other.len());
    }
    match (one[0] == b'.', other[0] == b'.') {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (true, true) => {
            for special in [&b"."[..], b".."] {
                match (one == special, other == special) {
                    (true, true) => return Ordering::Equal,
                    (true, false) => return Ordering::Less,
                    (false, true) => return Ordering::Greater,
                    _ => {}
                }
            }
        }
        _ => {}
    }
    let (short, other_short) = (stem(one), stem(other));
    let order = parts(&one[..short], &other[..other_short]);
    order.then_with(|| parts(one, other))
}

/// The length of a name without its suffixes: dots, each with a letter or `~` behind
/// and then letters and digits, up to the end.
fn stem(name: &[u8]) -> usize {
    let mut found = None;
    let mut at = 0;
    while at < name.len() {
        let starts = name[at] == b'.'
            && name
                .get(at + 1)
                .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'~');
        if starts {
            found = found.or(Some(at));
            at += 2;
            while name
                .get(at)
                .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'~')
            {
                at += 1;
            }
        } else {
            found = None;
            at += 1;
        }
    }
    found.filter(|at| *at > 0).unwrap_or(name.len())
}

fn parts(one: &[u8], other: &[u8]) -> Ordering {
    let rank = |byte: Option<&u8>| match byte {
        None => -1,
        Some(b'0'..=b'9') => 0,
        Some(b'~') => -2,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    };
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let text = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_digit());
    let (mut i, mut j) = (0, 0);
    while i < one.len() || j < other.len() {
        while text(one.get(i)) || text(other.get(j)) {
            let order = rank(one.get(i)).cmp(&rank(other.get(j)));
            if order != Ordering::Equal {
                return order;
            }
            i += 1;
            j += 1;
        }
        while one.get(i) == Some(&b'0') {
            i += 1;
        }
        while other.get(j) == Some(&b'0') {
            j += 1;
        }
        let mut first = Ordering::Equal;
        while digit(one.get(i)) && digit(other.get(j)) {
            first = first.then(one[i].cmp(&other[j]));
            i += 1;
            j += 1;
        }
        if digit(one.get(i)) {
            return Ordering::Greater;
        }
        if digit(other.get(j)) {
            return Ordering::Less;
        }
        if first != Ordering::Equal {
            return first;
        }
    }
    Ordering::Equal
}
