//! Text to tokens: every byte of the source is in exactly one token, blanks and comments too.
//! Strings come out as well-nested runs of tokens, even when their ends are missing.
//! No structure beyond strings is found here.

mod raw;

use logos::Logos;

use crate::error::{Errors, SyntaxCode, SyntaxError};
use crate::kind::SyntaxKind;
use crate::text::{quoted, range};

/// A token: its kind and its bytes. An empty one stands for the missing end of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: SyntaxKind,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Token {
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    pub(crate) fn text(self, source: &str) -> &str {
        source
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// Tokens and the mistakes in them.
#[derive(Debug, Default)]
pub(crate) struct Lexed {
    pub(crate) tokens: Vec<Token>,
    pub(crate) errors: Errors,
    /// Starts of the tokens that an error was reported for, or that a reported error spoils.
    pub(crate) tainted: Vec<u32>,
}

/// Words kept for later versions of the language.
const RESERVED: &[&str] = &["with", "or", "and", "rec"];

/// How long a token is, about, in real programs: for how many there is room at first.
const BYTES_A_TOKEN: usize = 4;

/// How often the lexer goes back after an indented string without an end.
/// Bounded, so that its time stays linear.
const MAX_REWINDS: u32 = 16;

/// Splits a source into tokens. The source is at most `MAX_SOURCE` long.
pub(crate) fn lex(source: &str) -> Lexed {
    let mut lexer = Lexer {
        source,
        at: 0,
        modes: Vec::new(),
        outer_line: None,
        last: None,
        rewinds: 0,
        quotes: None,
        unknown: None,
        out: Lexed::default(),
    };
    lexer.out.tokens.reserve(source.len() / BYTES_A_TOKEN);
    lexer.run();
    lexer.out
}

/// What surrounds the place that is being read. Without any mode, it is code.
#[derive(Debug)]
enum Mode {
    /// Between `"` and `"`. `open` is where the string begins.
    Line { open: usize },
    /// Between `"""` and `"""`, with the state to go back to.
    Indented {
        open: usize,
        tokens: usize,
        errors: usize,
        tainted: usize,
    },
    /// Between `${` and `}`, with the number of `{` that are open inside.
    Interp { open: usize, braces: u32 },
}

struct Lexer<'a> {
    source: &'a str,
    at: usize,
    modes: Vec<Mode>,
    /// Where in `modes` the outermost `Line` is.
    outer_line: Option<usize>,
    /// Kind of the last token that is not trivia.
    last: Option<SyntaxKind>,
    rewinds: u32,
    /// Where there are `"""` in the source, once somebody has asked.
    quotes: Option<Vec<usize>>,
    /// Where an unknown character was reported last.
    unknown: Option<usize>,
    out: Lexed,
}

impl Lexer<'_> {
    fn run(&mut self) {
        if self.source.starts_with('\u{feff}') {
            self.push(SyntaxKind::Whitespace, '\u{feff}'.len_utf8());
        }
        loop {
            while self.at < self.source.len() {
                match self.modes.last() {
                    None | Some(Mode::Interp { .. }) => self.code(),
                    Some(Mode::Line { .. }) => self.line_text(),
                    Some(Mode::Indented { .. }) => self.indented_text(),
                }
            }
            if !self.rewind() {
                break;
            }
        }
        self.close_down_to(0);
    }

    fn rest(&self) -> &str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Appends a token of `length` bytes.
    fn push(&mut self, kind: SyntaxKind, length: usize) {
        if !kind.is_trivia() {
            self.last = Some(kind);
        }
        let start = self.at;
        self.at += length;
        self.out.tokens.push(Token {
            kind,
            start: offset(start),
            end: offset(self.at),
        });
    }

    /// Appends bytes to the last token if it is of this kind, else as a token.
    fn extend(&mut self, kind: SyntaxKind, length: usize) {
        let at = offset(self.at);
        match self.out.tokens.last_mut() {
            Some(last) if last.kind == kind && last.end == at => {
                self.at += length;
                last.end = offset(self.at);
            }
            _ => self.push(kind, length),
        }
    }

    fn code(&mut self) {
        let mut lexer = raw::Code::lexer(self.rest());
        let found = lexer.next();
        let length = lexer.span().end;
        match found {
            None => {}
            Some(Err(())) => self.unknown(length),
            Some(Ok(raw::Code::Whitespace)) => self.blanks(length),
            Some(Ok(raw::Code::Comment)) => {
                let text = self.rest().get(..length).unwrap_or_default();
                let is_doc = text.starts_with("##") && !text.starts_with("###");
                let kind = if is_doc {
                    SyntaxKind::DocComment
                } else {
                    SyntaxKind::Comment
                };
                self.push(kind, length);
            }
            Some(Ok(raw::Code::LineOpen)) => {
                self.outer_line.get_or_insert(self.modes.len());
                self.modes.push(Mode::Line { open: self.at });
                self.push(SyntaxKind::StrOpen, length);
            }
            Some(Ok(raw::Code::IndentedOpen)) => {
                self.modes.push(Mode::Indented {
                    open: self.at,
                    tokens: self.out.tokens.len(),
                    errors: self.out.errors.len(),
                    tainted: self.out.tainted.len(),
                });
                self.push(SyntaxKind::StrOpen, length);
            }
            Some(Ok(raw::Code::SingleQuoted)) => self.single_quoted(length),
            Some(Ok(raw::Code::Ident)) => self.name(length),
            Some(Ok(raw::Code::LBrace)) => {
                if let Some(Mode::Interp { braces, .. }) = self.modes.last_mut() {
                    *braces += 1;
                }
                self.push(SyntaxKind::LBrace, length);
            }
            Some(Ok(raw::Code::RBrace)) => match self.modes.last_mut() {
                Some(Mode::Interp { braces: 0, .. }) => {
                    self.modes.pop();
                    self.push(SyntaxKind::InterpClose, length);
                }
                Some(Mode::Interp { braces, .. }) => {
                    *braces -= 1;
                    self.push(SyntaxKind::RBrace, length);
                }
                _ => self.push(SyntaxKind::RBrace, length),
            },
            Some(Ok(raw::Code::SlashSlash))
                if self.outer_line.is_none() && !self.after_operand() =>
            {
                self.slash_comment();
            }
            Some(Ok(other)) => self.push(other.kind(), length),
        }
    }

    /// Whether what was read last may be the left side of an operator.
    fn after_operand(&self) -> bool {
        self.last.is_some_and(|last| {
            matches!(
                last,
                SyntaxKind::Ident
                    | SyntaxKind::UpperIdent
                    | SyntaxKind::Int
                    | SyntaxKind::PathText
                    | SyntaxKind::StdModule
                    | SyntaxKind::StrClose
                    | SyntaxKind::RBrace
                    | SyntaxKind::RBracket
                    | SyntaxKind::RParen
                    | SyntaxKind::TrueKw
                    | SyntaxKind::FalseKw
                    | SyntaxKind::Dot
                    | SyntaxKind::BadToken
            )
        })
    }

    /// A `//` that has nothing to update: the line is taken as the comment that was meant.
    fn slash_comment(&mut self) {
        let slashes = range(self.at, self.at + 2);
        let line = self.rest().split('\n').next().unwrap_or_default();
        let length = line.len();
        self.out.errors.push(
            SyntaxError::new(
                SyntaxCode::SlashComment,
                slashes,
                "a comment begins with `#`",
            )
            .label("this is the operator that updates a record")
            .help("write `#`")
            .edit(slashes, "#"),
        );
        self.push(SyntaxKind::Comment, length);
    }

    /// Blanks in code. A line end also ends every one-line string around the code.
    fn blanks(&mut self, length: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        match text.find('\n') {
            Some(before) if self.outer_line.is_some() => {
                if before > 0 {
                    self.push(SyntaxKind::Whitespace, before);
                }
                self.line_end();
            }
            _ => self.extend(SyntaxKind::Whitespace, length),
        }
    }

    fn line_text(&mut self) {
        let mut lexer = raw::LineText::lexer(self.rest());
        let found = lexer.next();
        let length = lexer.span().end;
        match found {
            None => {}
            Some(Ok(raw::LineText::Text) | Err(())) => self.extend(SyntaxKind::StrText, length),
            Some(Ok(raw::LineText::Escape)) => self.push(SyntaxKind::StrEscape, length),
            Some(Ok(raw::LineText::Open)) => {
                self.modes.push(Mode::Interp {
                    open: self.at,
                    braces: 0,
                });
                self.push(SyntaxKind::InterpOpen, length);
            }
            Some(Ok(raw::LineText::Close)) => {
                self.modes.pop();
                self.outer_line = self.outer_line.filter(|&at| at < self.modes.len());
                self.push(SyntaxKind::StrClose, length);
            }
            Some(Ok(raw::LineText::LineEnd)) => self.line_end(),
        }
    }

    fn indented_text(&mut self) {
        let mut lexer = raw::IndentedText::lexer(self.rest());
        let found = lexer.next();
        let mut length = lexer.span().end;
        match found {
            None => {}
            Some(Ok(raw::IndentedText::Text) | Err(())) => {
                if self.outer_line.is_some() {
                    // Inside a one-line string, which ends with its line.
                    let text = self.rest().get(..length).unwrap_or_default();
                    match text.find('\n') {
                        Some(0) => return self.line_end(),
                        Some(before) => length = before,
                        None => {}
                    }
                }
                self.extend(SyntaxKind::StrText, length);
            }
            Some(Ok(raw::IndentedText::Escape)) => self.push(SyntaxKind::StrEscape, length),
            Some(Ok(raw::IndentedText::Open)) => {
                self.modes.push(Mode::Interp {
                    open: self.at,
                    braces: 0,
                });
                self.push(SyntaxKind::InterpOpen, length);
            }
            Some(Ok(raw::IndentedText::Close)) => {
                if self.looks_like_opening() && self.rewind() {
                    return;
                }
                self.modes.pop();
                self.push(SyntaxKind::StrClose, length);
            }
        }
    }

    /// Whether the `"""` at this place rather opens a string: then the one before has no end.
    /// What follows must have the end of the string that it opens.
    fn looks_like_opening(&mut self) -> bool {
        let before = self.source.get(..self.at).unwrap_or_default();
        let after = self.rest().get(3..).unwrap_or_default();
        before
            .trim_end_matches([' ', '\t'])
            .ends_with(['=', '(', '[', ','])
            && after
                .trim_start_matches([' ', '\t', '\r'])
                .starts_with('\n')
            && self.quotes_after(self.at + 3) % 2 == 1
    }

    /// How many `"""` there are from a place on, but for those behind a backslash.
    fn quotes_after(&mut self, from: usize) -> usize {
        let source = self.source;
        let quotes = self.quotes.get_or_insert_with(|| {
            let all = source.match_indices("\"\"\"").map(|(at, _)| at);
            all.filter(|&at| !source[..at].ends_with('\\')).collect()
        });
        quotes.len() - quotes.partition_point(|&at| at < from)
    }

    /// Goes back to the outermost indented string that is open, and ends it where the layout
    /// suggests: before the first line that is indented no deeper than the one it begins on.
    fn rewind(&mut self) -> bool {
        if self.rewinds >= MAX_REWINDS {
            return false;
        }
        let found = self
            .modes
            .iter()
            .enumerate()
            .find_map(|(depth, mode)| match *mode {
                Mode::Indented {
                    open,
                    tokens,
                    errors,
                    tainted,
                } => Some((depth, open, tokens, errors, tainted)),
                _ => None,
            });
        let Some((depth, open, tokens, errors, tainted)) = found else {
            return false;
        };
        self.rewinds += 1;
        self.modes.truncate(depth);
        self.outer_line = self.outer_line.filter(|&at| at < depth);
        self.out.tokens.truncate(tokens);
        self.out.errors.truncate(errors);
        self.out.tainted.truncate(tainted);
        self.at = open;
        self.push(SyntaxKind::StrOpen, 3);
        let length = text_without_end(self.source, open) - self.at;
        if length > 0 {
            self.push(SyntaxKind::StrText, length);
        }
        self.push(SyntaxKind::StrClose, 0);
        self.unterminated(open, 3);
        true
    }

    /// A line end in a one-line string: ends the outermost such string, and all inside it.
    fn line_end(&mut self) {
        self.close_down_to(self.outer_line.unwrap_or(0));
    }

    /// Ends modes with empty tokens until only `depth` are left. Reports the outermost string.
    fn close_down_to(&mut self, depth: usize) {
        let outermost = match self.modes.get(depth) {
            Some(&Mode::Line { open }) => Some((open, 1)),
            Some(&Mode::Indented { open, .. }) => Some((open, 3)),
            _ => None,
        };
        while self.modes.len() > depth {
            match self.modes.pop() {
                Some(Mode::Interp { open, .. }) => {
                    self.out.tainted.push(offset(open));
                    self.push(SyntaxKind::InterpClose, 0);
                }
                Some(Mode::Line { open }) => {
                    self.out.tainted.push(offset(open));
                    self.push(SyntaxKind::StrClose, 0);
                }
                Some(Mode::Indented { open, .. }) => {
                    self.out.tainted.push(offset(open));
                    self.push(SyntaxKind::StrClose, 0);
                }
                None => {}
            }
        }
        self.outer_line = self.outer_line.filter(|&at| at < depth);
        if let Some((open, quotes)) = outermost {
            self.unterminated(open, quotes);
        }
    }

    fn unterminated(&mut self, open: usize, quotes: usize) {
        self.out.tainted.push(offset(open));
        let help = if quotes == 1 {
            "end the string with `\"` on the same line; text of several lines stands in `\"\"\"`"
        } else {
            "end the text with `\"\"\"`; three quotes inside the text are written `\\\"\"\"`"
        };
        self.out.errors.push(
            SyntaxError::new(
                SyntaxCode::UnterminatedString,
                range(open, open + quotes),
                "this string has no end",
            )
            .label("begins here")
            .help(help),
        );
    }

    fn unknown(&mut self, length: usize) {
        // One for each line: more of them are mostly of one making, such as a quote that is missing.
        let continues = self.unknown.is_some_and(|before| {
            let between = self.source.get(before..self.at);
            between.is_some_and(|between| !between.contains('\n'))
        });
        let text = self.rest().get(..length).unwrap_or_default();
        let first = text.chars().next().unwrap_or_default();
        // NUL and the like have an error of their own.
        if !continues && !crate::check::is_forbidden(first) {
            let error = SyntaxError::new(
                SyntaxCode::UnknownCharacter,
                range(self.at, self.at + first.len_utf8()),
                format!("{} is not part of the language", quoted(&first.to_string())),
            );
            let error = match first {
                '/' => {
                    error.help("a division is `div a b`; `//` updates a record, `./x` is a path")
                }
                '&' => error.help("write `&&` for \"and\""),
                '$' => error.help("`${…}` stands in strings only"),
                '\\' => error.help("a function is written `x => …`"),
                '“' | '”' => error.help("strings stand in straight double quotes: `\"…\"`"),
                _ if first.is_alphabetic() => {
                    error.help("names have ASCII letters, digits, `_` and `-`")
                }
                _ => error,
            };
            self.out.errors.push(error);
            self.unknown = Some(self.at);
        }
        self.out.tainted.push(offset(self.at));
        self.extend(SyntaxKind::BadToken, length);
    }

    fn single_quoted(&mut self, length: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        let place = range(self.at, self.at + length);
        let inner = text.strip_prefix('\'').unwrap_or(text);
        let error = SyntaxError::new(
            SyntaxCode::SingleQuotes,
            place,
            "strings stand in double quotes",
        );
        let error = match inner.strip_suffix('\'') {
            Some(inner) if !inner.contains(['"', '\\', '$']) => {
                let instead = format!("\"{inner}\"");
                error
                    .help(format!("write {}", quoted(&instead)))
                    .edit(place, instead)
            }
            _ => error.help("write `\"…\"`"),
        };
        self.out.errors.push(error);
        self.out.tainted.push(offset(self.at));
        self.push(SyntaxKind::BadToken, length);
    }

    fn name(&mut self, length: usize) {
        let text = self.rest().get(..length).unwrap_or_default();
        if RESERVED.contains(&text) {
            let error = SyntaxError::new(
                SyntaxCode::ReservedWord,
                range(self.at, self.at + length),
                format!("`{text}` is a reserved word"),
            );
            let error = match text {
                "and" => error.help("\"and\" is written `&&`"),
                "or" => error.help("\"or\" is written `||`"),
                "with" => error.help("there is no `with`: select each field, `lib.name`"),
                "rec" => error.help("records are not recursive: use `let … in`"),
                _ => error.help(format!(
                    "choose another name; a field is quoted: `\"{text}\"`"
                )),
            };
            self.out.errors.push(error);
        }
        self.push(SyntaxKind::Ident, length);
    }
}

/// Where an indented string without an end should end.
fn text_without_end(source: &str, open: usize) -> usize {
    let before = source.get(..open).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let own = indentation(source.get(line_start..).unwrap_or_default());
    let mut at = open + 3;
    for line in source.get(at..).unwrap_or_default().split_inclusive('\n') {
        let first = at == open + 3;
        if !first && !line.trim().is_empty() && indentation(line) <= own {
            // The line end before belongs to the code again.
            return at - 1;
        }
        at += line.len();
    }
    source.len()
}

fn indentation(line: &str) -> usize {
    line.bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count()
}

/// Offsets fit: the source is at most `MAX_SOURCE` long.
fn offset(at: usize) -> u32 {
    u32::try_from(at).expect("the source is at most MAX_SOURCE long")
}
