//! Expands `${…}`.

use bstr::{BString, ByteSlice as _};

use super::expand::{Context, Values, put};
use super::fields::Fields;
use super::flow::{Flow, Shell};
use super::pattern::{Mark, Matcher, byte};
use super::state::Held;
use super::syntax::{Name, Op, Parameter, Part, Word};
use crate::stop::{Stop, Why};

/// How often one match of a pattern looks at a character.
const TRIES: u64 = 1 << 28;

impl Shell<'_, '_, '_> {
    /// Expands a parameter into `fields`.
    pub(super) fn parameter(
        &mut self,
        parameter: &Parameter,
        fields: &mut Fields,
        context: Context,
    ) -> Result<(), Flow> {
        let Parameter { name, op } = parameter;
        if let Op::Test { kind, colon, word } = op {
            return self.tested(name, (*kind, *colon), word, fields, context);
        }
        let value = match op {
            Op::Plain => self.plain(name)?,
            Op::Slice { offset, length } => {
                let bounds = self.bounds(offset, length.as_ref())?;
                self.slice(name, bounds)?
            }
            Op::Remove { .. } | Op::Replace { .. } | Op::Case { .. } | Op::Transform(_) => {
                let change = self.change(op)?;
                let value = self.plain(name)?;
                self.changed(&change, value)?
            }
            _ => self.listed(name, op)?,
        };
        self.put_values(&value, fields, context.quoted);
        Ok(())
    }

    fn plain(&mut self, name: &Name) -> Result<Values, Flow> {
        let value = self.lookup(name)?;
        self.required(name, value)
    }

    fn changed(&mut self, change: &Change, value: Values) -> Result<Values, Flow> {
        Ok(match value {
            Values::One(text) => Values::One(change.apply(self, text)?),
            Values::Many(values, joined) => {
                let mut changed = Vec::with_capacity(values.len());
                for text in values {
                    changed.push(change.apply(self, text)?);
                }
                Values::Many(changed, joined)
            }
        })
    }

    /// What a parameter with an operator without a word gives.
    fn listed(&mut self, name: &Name, op: &Op) -> Result<Values, Flow> {
        match op {
            Op::Keys | Op::Names => {
                let (keys, joined) = self.keys(name);
                Ok(Values::Many(keys, joined))
            }
            Op::Indirect => {
                let Some(Values::One(target)) = self.lookup(name)? else {
                    return Err(self.fatal("invalid indirect expansion"));
                };
                let name = super::words::reference(&target);
                let name = name.ok_or_else(|| self.fatal("invalid variable name"))?;
                self.plain(&name)
            }
            Op::Length => {
                let value = self.plain(name)?;
                let length = match &value {
                    // dash measures all of `$@`, joined.
                    Values::Many(values, _) if !self.bash => {
                        self.length(&bstr::join(self.state.joint(), values))
                    }
                    Values::Many(values, _) => values.len(),
                    Values::One(text) => self.length(text),
                };
                Ok(Values::One(length.to_string().into()))
            }
            _ => Err(self.fatal("Bad substitution")),
        }
    }

    /// A value, or the mistake of `set -u`.
    fn required(&mut self, name: &Name, value: Option<Values>) -> Result<Values, Flow> {
        if let Some(value) = value {
            return Ok(value);
        }
        if self.state.options.nounset && !matches!(name, Name::Elements(..)) {
            let name = display(name);
            return Err(self.fatal(&format!("{name}: parameter not set")));
        }
        Ok(match name {
            Name::Elements(_, joined) => Values::Many(Vec::new(), *joined),
            _ => Values::One(BString::default()),
        })
    }

    fn put_values(&mut self, values: &Values, fields: &mut Fields, quoted: bool) {
        match values {
            Values::One(text) => put(fields, text, quoted),
            Values::Many(values, joined) => {
                if quoted && (*joined || !fields.splits()) {
                    let joint = match *joined || !self.bash {
                        true => self.state.joint(),
                        false => b" ".to_vec(),
                    };
                    fields.quoted(&bstr::join(&joint, values));
                } else if !fields.splits() {
                    let joint = match *joined || !self.bash {
                        true => self.state.joint(),
                        false => b" ".to_vec(),
                    };
                    fields.literal(&bstr::join(&joint, values));
                } else {
                    for (at, value) in values.iter().enumerate() {
                        if at > 0 {
                            fields.end();
                        }
                        put(fields, value, quoted);
                    }
                }
            }
        }
    }

    /// `${x-word}` and its kind.
    fn tested(
        &mut self,
        name: &Name,
        (kind, colon): (u8, bool),
        word: &Word,
        fields: &mut Fields,
        context: Context,
    ) -> Result<(), Flow> {
        let value = self.value_if(name, colon)?;
        match (kind, value.is_some()) {
            (b'+', true) | (b'-', false) => {
                if word.is_empty() && context.quoted {
                    fields.quoted(b"");
                }
                let inner = Context {
                    inner: true,
                    ..context
                };
                return self.expand(word, fields, inner);
            }
            (b'=', false) => {
                let text = match context.quoted {
                    true => self.quoted_text(word)?,
                    false => self.text(word)?,
                };
                self.assign_parameter(name, text.clone())?;
                put(fields, &text, context.quoted);
            }
            (b'?', false) => {
                let text = self.text(word)?;
                return Err(self.not_set(name, text, colon));
            }
            _ => match value.filter(|_| kind != b'+') {
                Some(value) => {
                    if context.quoted && value == Values::Many(Vec::new(), false) {
                        fields.quoted(b"");
                    }
                    self.put_values(&value, fields, context.quoted);
                }
                None if context.quoted => fields.quoted(b""),
                None => {}
            },
        }
        Ok(())
    }

    /// The value of a parameter that is set, and with `colon` not empty.
    fn value_if(&mut self, name: &Name, colon: bool) -> Result<Option<Values>, Flow> {
        let bash = self.bash;
        Ok(self.lookup(name)?.filter(|value| match value {
            Values::One(text) => !colon || !text.is_empty(),
            Values::Many(values, _) => match values.as_slice() {
                // dash takes `$@` as set whatever it holds.
                [] => !bash && !colon,
                [one] => !colon || !one.is_empty(),
                _ => true,
            },
        }))
    }

    fn assign_parameter(&mut self, name: &Name, text: BString) -> Result<(), Flow> {
        match name {
            Name::Variable(name) => self.assign(name, text),
            Name::Element(name, index) => {
                let index = self.index_of(name, index)?;
                self.assign_element(name, &index, text, false)
            }
            _ => Err(self.fatal("bad variable name")),
        }
    }

    fn not_set(&mut self, name: &Name, text: BString, colon: bool) -> Flow {
        let name = display(name);
        let message = match (text.is_empty(), colon) {
            (true, true) => "parameter not set or null".into(),
            (true, false) => "parameter not set".into(),
            (false, _) => text,
        };
        self.fatal(&format!("{name}: {message}"))
    }

    /// The names or indexes that `${!…}` lists, and whether they are joined.
    fn keys(&mut self, name: &Name) -> (Vec<BString>, bool) {
        match name {
            Name::Elements(name, joined) => {
                let held = self.state.variable(name).and_then(|v| v.value.as_ref());
                let keys = match held {
                    None => Vec::new(),
                    Some(Held::Text(_)) => vec!["0".into()],
                    Some(Held::Array(values)) => {
                        values.keys().map(|key| key.to_string().into()).collect()
                    }
                    Some(Held::Map(values)) => values.keys().cloned().collect(),
                };
                (keys, *joined)
            }
            Name::Variable(prefix) => {
                let names = self.state.variables.keys();
                let names = names.filter(|name| name.starts_with(prefix));
                (names.cloned().collect(), false)
            }
            _ => (Vec::new(), false),
        }
    }

    /// How long a text is: in bytes, and in bash in characters.
    pub(super) fn length(&self, text: &[u8]) -> usize {
        match self.bash {
            true => text.chars().count(),
            false => text.len(),
        }
    }

    /// The offset and length of a slice.
    fn bounds(
        &mut self,
        offset: &[Part],
        length: Option<&Word>,
    ) -> Result<(i64, Option<i64>), Flow> {
        let offset = self.quoted_text(offset)?;
        let offset = self.arithmetic(&offset)?;
        let Some(word) = length else {
            return Ok((offset, None));
        };
        let text = self.quoted_text(word)?;
        Ok((offset, Some(self.arithmetic(&text)?)))
    }

    fn slice(&mut self, name: &Name, (offset, length): (i64, Option<i64>)) -> Result<Values, Flow> {
        let value = self.plain(name)?;
        let size = match &value {
            Values::One(text) => self.length(text),
            Values::Many(values, _) => values.len(),
        };
        // `${@:0}` counts `$0` in.
        let with_name = matches!(name, Name::Special(b'@' | b'*'));
        let size = i64::try_from(size + usize::from(with_name)).unwrap_or(i64::MAX);
        let from = match offset {
            0.. => offset.min(size),
            _ => size.saturating_add(offset),
        };
        let to = match length {
            None => size,
            Some(length @ 0..) => from.saturating_add(length).min(size),
            Some(length) if !matches!(value, Values::Many(..)) => size.saturating_add(length),
            Some(_) => return Err(self.fatal("substring expression < 0")),
        };
        if from >= 0 && to < from && length.is_some_and(|length| length < 0) {
            return Err(self.fatal("substring expression < 0"));
        }
        let (from, to) = if from < 0 || to < from {
            (0, 0)
        } else {
            (from, to)
        };
        let (from, to) = (
            usize::try_from(from).unwrap_or_default(),
            usize::try_from(to).unwrap_or_default(),
        );
        Ok(match value {
            Values::One(text) => {
                let mut bounds: Vec<usize> = text.char_indices().map(|(at, ..)| at).collect();
                bounds.push(text.len());
                let at = |n: usize| bounds.get(n).copied().unwrap_or(text.len());
                Values::One(text[at(from)..at(to)].into())
            }
            Values::Many(mut values, joined) => {
                if with_name {
                    values.insert(0, self.name.clone());
                }
                Values::Many(values[from..to].to_vec(), joined)
            }
        })
    }

    fn change(&mut self, op: &Op) -> Result<Change, Flow> {
        Ok(match op {
            Op::Remove {
                suffix,
                longest,
                pattern,
            } => Change::Remove(*suffix, *longest, self.pattern(pattern)?),
            Op::Replace {
                how,
                pattern,
                replacement,
            } => {
                let pattern = self.pattern(pattern)?;
                Change::Replace(*how, pattern, self.pattern(replacement)?)
            }
            Op::Case { upper, all } => Change::Case(*upper, *all),
            Op::Transform(b'U') => Change::Case(true, true),
            Op::Transform(b'u') => Change::Case(true, false),
            Op::Transform(b'L') => Change::Case(false, true),
            _ => Change::Quote,
        })
    }

    /// How patterns match in this shell.
    pub(super) fn matcher(&self) -> Matcher {
        Matcher {
            wide: self.bash,
            fold: false,
            caret: self.bash,
            extended: self.is_extended(),
        }
    }

    /// Whether a pattern matches a text.
    pub(super) fn matches(&mut self, pattern: &[Mark], text: &[u8]) -> Result<bool, Flow> {
        self.matches_as(self.matcher(), pattern, text)
    }

    /// As `matches`, with a matcher of one's own.
    pub(super) fn matches_as(
        &mut self,
        matcher: Matcher,
        pattern: &[Mark],
        text: &[u8],
    ) -> Result<bool, Flow> {
        let mut tries = TRIES;
        let found = matcher.matches(pattern, text, &mut tries);
        self.process.machine.spend((TRIES - tries) / 16)?;
        found.ok_or_else(|| Stop::new(Why::Budget("a pattern takes too long")).into())
    }
}

/// What an operator does to a text.
enum Change {
    Remove(bool, bool, Vec<Mark>),
    Replace(u8, Vec<Mark>, Vec<Mark>),
    Case(bool, bool),
    Quote,
}

impl Change {
    fn apply(&self, shell: &mut Shell<'_, '_, '_>, text: BString) -> Result<BString, Flow> {
        Ok(match self {
            Self::Remove(suffix, longest, pattern) => {
                remove(shell, &text, *suffix, *longest, pattern)?
            }
            Self::Replace(how, pattern, by) => replace(shell, &text, *how, pattern, by)?,
            Self::Case(upper, all) => change_case(&text, *upper, *all),
            Self::Quote => super::escapes::quote(&text),
        })
    }
}

fn remove(
    shell: &mut Shell<'_, '_, '_>,
    text: &BString,
    suffix: bool,
    longest: bool,
    pattern: &[Mark],
) -> Result<BString, Flow> {
    // The shortest suffix begins at the end, the longest at the beginning.
    let mut tries: Vec<usize> = (0..=text.len()).collect();
    if suffix != longest {
        tries.reverse();
    }
    for at in tries {
        let (head, tail) = text.split_at(at);
        let (part, rest) = if suffix { (tail, head) } else { (head, tail) };
        if shell.matches(pattern, part)? {
            return Ok(rest.into());
        }
    }
    Ok(text.clone())
}

fn replace(
    shell: &mut Shell<'_, '_, '_>,
    text: &BString,
    how: u8,
    pattern: &[Mark],
    by: &[Mark],
) -> Result<BString, Flow> {
    if pattern.is_empty() && !matches!(how, b'#' | b'%') {
        return Ok(text.clone());
    }
    let mut out = BString::default();
    let mut at = 0;
    // The longest match from each place on.
    while at <= text.len() {
        if how == b'#' && at > 0 {
            break;
        }
        let mut found = None;
        for end in (at..=text.len()).rev() {
            if how == b'%' && end < text.len() {
                break;
            }
            if shell.matches(pattern, &text[at..end])? {
                found = Some(end);
                break;
            }
        }
        match found.filter(|&end| end > at || matches!(how, b'#' | b'%')) {
            Some(end) => {
                put_replacement(&mut out, by, &text[at..end]);
                at = end;
                if how != b'/' || at >= text.len() {
                    break;
                }
            }
            None => {
                let Some(&byte) = text.get(at) else { break };
                out.push(byte);
                at += 1;
            }
        }
        shell.count(out.len().max(64))?;
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
    Ok(out)
}

/// Adds a replacement, whose `&` stands for what was found.
fn put_replacement(out: &mut BString, by: &[Mark], found: &[u8]) {
    let mut marks = by.iter().peekable();
    while let Some(&mark) = marks.next() {
        let escaped = mark == Mark::from(b'\\');
        if escaped && let Some(&&next) = marks.peek().filter(|next| b"\\&".contains(&byte(***next)))
        {
            out.push(byte(next));
            marks.next();
        } else if mark == Mark::from(b'&') {
            out.extend_from_slice(found);
        } else {
            out.push(byte(mark));
        }
    }
}

fn change_case(text: &BString, upper: bool, all: bool) -> BString {
    let mut out = BString::default();
    for (at, (from, to, c)) in text.char_indices().enumerate() {
        let valid = c != char::REPLACEMENT_CHARACTER;
        if (!all && at > 0) || !valid {
            out.extend_from_slice(&text[from..to]);
        } else if upper {
            c.to_uppercase().for_each(|c| out.push_char_of(c));
        } else {
            c.to_lowercase().for_each(|c| out.push_char_of(c));
        }
    }
    out
}

/// Adds a character to bytes.
trait PushChar {
    fn push_char_of(&mut self, c: char);
}

impl PushChar for BString {
    fn push_char_of(&mut self, c: char) {
        self.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// A parameter's name for messages.
fn display(name: &Name) -> String {
    match name {
        Name::Special(b) => char::from(*b).to_string(),
        Name::Positional(n) => n.to_string(),
        Name::Variable(name) | Name::Element(name, _) | Name::Elements(name, _) => name.to_string(),
    }
}
