//! The part of a source that is drawn: the lines at the labels and their neighbours.
//!
//! Long lines are cut around the labels, and a label of many lines is cut to its first: a file of
//! one endless line must not fill the terminal. Every place keeps its true line and column.
//! Nothing is drawn here.

use std::collections::BTreeMap;
use std::ops::Range;

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::sources::harmless;

/// The longest line that is shown whole, in characters.
const LONGEST_LINE: usize = 200;
/// Characters that are kept at each side of a label's ends, where many labels share a long line.
const LEAST_KEPT: usize = 20;
/// The most lines that one label marks. A longer one marks its first line only.
const MOST_LINES: usize = 12;
/// Stands for what is cut out.
const CUT: char = '…';

/// Some lines of a source, harmless on a terminal.
#[derive(Debug)]
pub(crate) struct Excerpt {
    name: String,
    /// The lines that are shown, each with a line end.
    text: String,
    lines: Vec<Line>,
}

/// A line that is shown.
#[derive(Debug)]
struct Line {
    /// Its number in the source, from 0.
    number: usize,
    /// Where it begins in the source.
    source: usize,
    /// Where it stands in the excerpt, without its line end.
    shown: Range<usize>,
    pieces: Vec<Piece>,
}

/// A piece of a line that is shown as it is.
#[derive(Debug)]
struct Piece {
    source: Range<usize>,
    /// Where it begins in the excerpt.
    shown: usize,
    /// Characters of the line before it.
    column: usize,
}

/// A label's range, cut to what is marked.
struct Marked {
    start: usize,
    end: usize,
    /// Whether lines of it are not marked.
    is_cut: bool,
}

impl Excerpt {
    /// The part of `source` around `ranges`, and where those are in it. The ranges fit the source.
    pub(crate) fn new(
        name: String,
        source: &str,
        ranges: &[(usize, usize)],
    ) -> (Self, Vec<Range<usize>>) {
        let marked: Vec<Marked> = ranges
            .iter()
            .map(|&(start, end)| marked(source, start, end))
            .collect();
        let mut excerpt = Self {
            name,
            text: String::new(),
            lines: Vec::new(),
        };
        for (begin, number) in lines_at(source, &marked) {
            excerpt.push_line(source, begin, number, &marked);
        }
        let spans = marked
            .iter()
            .map(|label| {
                let start = excerpt.place(label.start);
                let end = if label.is_cut {
                    excerpt
                        .line_of(label.end)
                        .map_or(start, |line| line.shown.end)
                } else {
                    excerpt.place(label.end)
                };
                start..end.max(start)
            })
            .collect();
        (excerpt, spans)
    }

    fn push_line(&mut self, source: &str, begin: usize, number: usize, marked: &[Marked]) {
        let line = line_text(source, begin);
        let ends: Vec<usize> = marked
            .iter()
            .flat_map(|label| [label.start, label.end])
            .filter(|at| (begin..=begin + line.len()).contains(at))
            .map(|at| at - begin)
            .collect();
        let start = self.text.len();
        let mut pieces = Vec::new();
        let mut column = 0;
        let mut done = 0;
        for kept in kept(line, &ends) {
            if kept.start > done {
                self.text.push(CUT);
            }
            column += chars(line, done..kept.start);
            pieces.push(Piece {
                source: begin + kept.start..begin + kept.end,
                shown: self.text.len(),
                column,
            });
            let piece = line.get(kept.clone()).unwrap_or_default();
            self.text.push_str(&harmless(piece));
            column += piece.chars().count();
            done = kept.end;
        }
        let goes_on = marked
            .iter()
            .any(|label| label.is_cut && label.end == begin + line.len());
        if done < line.len() || goes_on {
            self.text.push(CUT);
        }
        self.lines.push(Line {
            number,
            source: begin,
            shown: start..self.text.len(),
            pieces,
        });
        self.text.push('\n');
    }

    /// The line that holds a byte of the source.
    fn line_of(&self, at: usize) -> Option<&Line> {
        let after = self.lines.partition_point(|line| line.source <= at);
        self.lines.get(after.checked_sub(1)?)
    }

    /// Where a byte of the source is in the excerpt. What is cut out is where its sign is.
    fn place(&self, at: usize) -> usize {
        let Some(line) = self.line_of(at) else {
            return 0;
        };
        for piece in &line.pieces {
            if at < piece.source.start {
                return piece.shown.saturating_sub(CUT.len_utf8());
            }
            if at <= piece.source.end {
                return piece.shown + (at - piece.source.start);
            }
        }
        line.shown.end
    }

    /// Index of the line that holds a byte of the excerpt.
    fn index(&self, at: usize) -> Option<usize> {
        let after = self.lines.partition_point(|line| line.shown.start <= at);
        after.checked_sub(1)
    }

    /// How many characters of its line stand before a byte of the excerpt, in the source.
    fn column(&self, line: &Line, at: usize) -> usize {
        let before = line.pieces.iter().rev().find(|piece| piece.shown <= at);
        before.map_or(0, |piece| {
            let end = at.min(piece.shown + piece.source.len());
            piece.column + chars(&self.text, piece.shown..end)
        })
    }

    fn follows(&self, index: usize) -> bool {
        let number = |index: usize| self.lines.get(index).map(|line| line.number);
        let before = index.checked_sub(1).and_then(number);
        before.is_some_and(|before| number(index) == Some(before + 1))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let end = span.offset() + span.len().saturating_sub(1);
        let bounds = self.index(span.offset()).zip(self.index(end));
        let (mut first, mut last) = bounds.ok_or(MietteError::OutOfBounds)?;
        // Lines with others between them are drawn apart.
        if (first + 1..=last).any(|index| !self.follows(index)) {
            return Err(MietteError::OutOfBounds);
        }
        let start = first;
        for _ in 0..lines_before {
            first -= usize::from(self.follows(first));
        }
        for _ in 0..lines_after {
            last += usize::from(self.follows(last + 1));
        }
        let (Some(begin), Some(end)) = (self.lines.get(first), self.lines.get(last)) else {
            return Err(MietteError::OutOfBounds);
        };
        let shown = begin.shown.start..end.shown.end + 1;
        let data = self
            .text
            .get(shown.clone())
            .ok_or(MietteError::OutOfBounds)?;
        // Without lines before, the place of the span itself is asked for.
        let column = match self.lines.get(start) {
            Some(line) if lines_before == 0 => self.column(line, span.offset()),
            _ => 0,
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            data.as_bytes(),
            (shown.start, shown.len()).into(),
            begin.number,
            column,
            last - first + 1,
        )))
    }
}

/// What of a label is marked.
fn marked(source: &str, start: usize, end: usize) -> Marked {
    let text = source.get(start..end).unwrap_or_default();
    // A line end at the label's end belongs to the line that it ends.
    let text = text.strip_suffix('\n').unwrap_or(text);
    let is_cut = text.bytes().filter(|&byte| byte == b'\n').count() >= MOST_LINES;
    let length = match text.find('\n') {
        Some(first) if is_cut => line_text(source, start).len().min(first),
        _ => text.len(),
    };
    Marked {
        start,
        end: start + length,
        is_cut,
    }
}

/// The lines to show, by where they begin, with their numbers: those of the labels, and one before
/// and after each label.
fn lines_at(source: &str, marked: &[Marked]) -> BTreeMap<usize, usize> {
    let mut lines = BTreeMap::new();
    for label in marked {
        let before = source.get(..label.start).unwrap_or_default();
        let mut begin = before.rfind('\n').map_or(0, |at| at + 1);
        let mut number = before.bytes().filter(|&byte| byte == b'\n').count();
        if let Some(end_before) = begin.checked_sub(1) {
            let before = source.get(..end_before).unwrap_or_default();
            lines.insert(before.rfind('\n').map_or(0, |at| at + 1), number - 1);
        }
        let mut is_last = false;
        loop {
            lines.insert(begin, number);
            let next = source.get(begin..).and_then(|rest| rest.find('\n'));
            let Some(next) = next.map(|length| begin + length + 1) else {
                break;
            };
            // After the last line end is no line, unless a label is there.
            if is_last || next > label.end && next == source.len() {
                break;
            }
            is_last = next > label.end;
            begin = next;
            number += 1;
        }
    }
    lines
}

/// The line that begins at `begin`, without its line end.
fn line_text(source: &str, begin: usize) -> &str {
    let rest = source.get(begin..).unwrap_or_default();
    let line = rest.split('\n').next().unwrap_or_default();
    line.strip_suffix('\r').unwrap_or(line)
}

/// The pieces of a line that are shown: all of a short one, and of a long one what is around the
/// labels' ends.
fn kept(line: &str, ends: &[usize]) -> Vec<Range<usize>> {
    let whole = 0..line.len();
    if line.chars().nth(LONGEST_LINE).is_none() {
        return vec![whole];
    }
    let mut ends: Vec<usize> = ends.to_vec();
    ends.sort_unstable();
    ends.dedup();
    if ends.is_empty() {
        ends.push(0);
    }
    let around = (LONGEST_LINE / (2 * ends.len())).max(LEAST_KEPT);
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for at in ends {
        let (before, after) = line.split_at_checked(at).unwrap_or((line, ""));
        let start = before.char_indices().rev().nth(around - 1);
        let start = start.map_or(0, |(at, _)| at);
        let end = after.char_indices().nth(around);
        let end = end.map_or(line.len(), |(length, _)| at + length);
        match pieces.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ => pieces.push(start..end),
        }
    }
    pieces
}

fn chars(text: &str, range: Range<usize>) -> usize {
    text.get(range).map_or(0, |text| text.chars().count())
}
