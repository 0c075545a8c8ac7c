//! The formatter: one style for blanks, line ends and commas.
//!
//! Where lines break is the author's choice, made once for each bracket: if any of a bracket's own
//! gaps has a line end, all get one. Comments stay where they are, strings keep every byte, and
//! formatting again changes nothing. Only trivia and trailing commas change; that is checked.

mod choices;
mod types;

use crate::ast::{AstNode as _, File};
use crate::kind::SyntaxKind;
use crate::parse;
use crate::tree::{SyntaxElement, SyntaxNode, SyntaxToken};

/// Blanks for each level.
const INDENT: &str = "  ";

/// Longest line of a type that could be broken, in bytes.
const WIDTH: usize = 100;

/// The source in the one style, or nothing if it has syntax errors. Lines end as the first one
/// does, in `\n` or in `\r\n`.
#[must_use]
pub fn format(source: &str) -> Option<String> {
    let before = parse(source);
    if !before.errors().is_empty() {
        return None;
    }
    let formatted = Formatter::run(&before.tree());
    let after = parse(&formatted);
    let same = after.errors().is_empty() && same_meaning(before.syntax(), after.syntax());
    if !same {
        return None;
    }
    let first_line = source.split_inclusive('\n').next();
    let is_windows = first_line.is_some_and(|line| line.ends_with("\r\n"));
    Some(if is_windows {
        windows(after.syntax())
    } else {
        formatted
    })
}

/// The text of a tree with `\r\n` at the end of each line that does not end in a string.
fn windows(root: SyntaxNode<'_>) -> String {
    let mut out = String::with_capacity(root.text().len() * 33 / 32);
    for token in root.tokens() {
        match token.kind() {
            SyntaxKind::Whitespace => out.push_str(&token.text().replace('\n', "\r\n")),
            _ => out.push_str(token.text()),
        }
    }
    out
}

/// Whether two trees have the same tokens, but for blanks and commas and the ends of comments.
fn same_meaning(before: SyntaxNode<'_>, after: SyntaxNode<'_>) -> bool {
    let is_kept = |token: &SyntaxToken<'_>| {
        !matches!(token.kind(), SyntaxKind::Whitespace | SyntaxKind::Comma)
    };
    let mut after = after.tokens().filter(is_kept);
    for token in before.tokens().filter(is_kept) {
        let Some(other) = after.next() else {
            return false;
        };
        let same = match token.kind() {
            SyntaxKind::Comment | SyntaxKind::DocComment => {
                token.text().trim_end() == other.text().trim_end()
            }
            _ => token.text() == other.text(),
        };
        if !same || token.kind() != other.kind() {
            return false;
        }
    }
    after.next().is_none()
}

/// What stands between two tokens, unless a comment needs more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gap {
    Nothing,
    Blank,
    /// A line end if the source has one, else a blank.
    BlankOrLine,
    /// A line end, and an empty line if the source has one.
    Line,
    /// A line end and no empty line.
    Tight,
}

struct Formatter<'t> {
    out: String,
    /// Where in `out` the line that is being written begins.
    line: usize,
    gap: Gap,
    /// Level of the next token, if it begins a line.
    level: usize,
    /// Level of comments in the gap.
    comment_level: usize,
    /// Trivia since the last token.
    trivia: Vec<SyntaxToken<'t>>,
}

impl<'t> Formatter<'t> {
    fn run(file: &File<'t>) -> String {
        let mut formatter = Self {
            out: String::new(),
            line: 0,
            gap: Gap::Line,
            level: 0,
            comment_level: 0,
            trivia: Vec::new(),
        };
        for element in file.syntax().children_with_tokens() {
            formatter.element(element, 0);
        }
        formatter.before(Gap::Line, 0);
        formatter.flush();
        let mut out = formatter.out;
        out.truncate(out.trim_end().len());
        out.push('\n');
        out
    }

    /// Sets what stands before the next token. A line that begins there is at `level`.
    fn before(&mut self, gap: Gap, level: usize) {
        self.gap = gap;
        self.level = level;
        self.comment_level = level;
    }

    fn element(&mut self, element: SyntaxElement<'t>, level: usize) {
        match element {
            SyntaxElement::Node(node) => self.node(node, level),
            SyntaxElement::Token(token) => self.token(token),
        }
    }

    fn token(&mut self, token: SyntaxToken<'t>) {
        if token.kind().is_trivia() {
            self.trivia.push(token);
        } else {
            self.text(token.text());
        }
    }

    /// Writes the gap and a piece of the source.
    fn text(&mut self, text: &str) {
        self.flush();
        if let Some(at) = text.rfind('\n') {
            self.line = self.out.len() + at + 1;
        }
        self.out.push_str(text);
        self.before(Gap::Nothing, self.level);
    }

    /// Writes what stands before the next token: comments, and blanks or line ends.
    fn flush(&mut self) {
        let mut line_ends = 0;
        let mut after_comment = false;
        for token in std::mem::take(&mut self.trivia) {
            if token.kind() == SyntaxKind::Whitespace {
                line_ends += token.text().matches('\n').count();
                continue;
            }
            if self.out.is_empty() {
                // The file begins with it.
            } else if line_ends == 0 && !after_comment {
                self.out.push(' ');
            } else {
                let empty_line = line_ends > 1 && (after_comment || self.gap == Gap::Line);
                self.new_line(empty_line, self.comment_level);
            }
            self.out.push_str(token.text().trim_end());
            after_comment = true;
            line_ends = 0;
        }
        if self.out.is_empty() {
            return;
        }
        match self.gap {
            _ if after_comment => {
                let empty_line = line_ends > 1 && self.gap != Gap::Tight;
                self.new_line(empty_line, self.level);
            }
            Gap::Nothing => {}
            Gap::Blank => self.out.push(' '),
            Gap::BlankOrLine if line_ends == 0 => self.out.push(' '),
            Gap::BlankOrLine | Gap::Tight => self.new_line(false, self.level),
            Gap::Line => self.new_line(line_ends > 1, self.level),
        }
    }

    fn new_line(&mut self, empty_line: bool, level: usize) {
        self.out.push_str(if empty_line { "\n\n" } else { "\n" });
        self.line = self.out.len();
        for _ in 0..level {
            self.out.push_str(INDENT);
        }
    }

    /// Whether the next token will begin a line.
    fn begins_line(&self) -> bool {
        let line_end = self.trivia.iter().any(|token| token.text().contains('\n'));
        matches!(self.gap, Gap::Line | Gap::Tight) || self.gap == Gap::BlankOrLine && line_end
    }

    fn node(&mut self, node: SyntaxNode<'t>, level: usize) {
        match node.kind() {
            // Strings keep every byte, the code in them too.
            SyntaxKind::Str => self.text(node.text()),
            SyntaxKind::Record
            | SyntaxKind::List
            | SyntaxKind::RecordPattern
            | SyntaxKind::TypeList => self.bracket(node, level, Self::has_lines(node)),
            SyntaxKind::Paren | SyntaxKind::Ascribe => self.paren(node, level),
            SyntaxKind::Match => self.match_on(node, level),
            SyntaxKind::Assert => {
                let base = if self.begins_line() { level } else { level + 1 };
                self.assert(node, base);
            }
            SyntaxKind::Let => self.let_in(node, level),
            SyntaxKind::If => {
                let base = if self.begins_line() { level } else { level + 1 };
                self.if_else(node, base);
            }
            SyntaxKind::Binding => self.parts(node, level, |kind| match kind {
                SyntaxKind::Eq | SyntaxKind::Colon => (Gap::Blank, Gap::BlankOrLine),
                _ => (Gap::Nothing, Gap::Nothing),
            }),
            SyntaxKind::Lambda | SyntaxKind::Arm => self.parts(node, level, |kind| match kind {
                SyntaxKind::Arrow => (Gap::Blank, Gap::BlankOrLine),
                _ => (Gap::Nothing, Gap::Nothing),
            }),
            SyntaxKind::PatternField => self.parts(node, level, |kind| match kind {
                SyntaxKind::Question | SyntaxKind::Colon => (Gap::Blank, Gap::Blank),
                _ => (Gap::Nothing, Gap::Nothing),
            }),
            SyntaxKind::NamePattern => self.parts(node, level, |kind| match kind {
                SyntaxKind::Colon => (Gap::Blank, Gap::Blank),
                _ => (Gap::Nothing, Gap::Nothing),
            }),
            SyntaxKind::Import => self.parts(node, level, |kind| match kind {
                SyntaxKind::ImportKw => (Gap::Nothing, Gap::Blank),
                _ => (Gap::Nothing, Gap::Nothing),
            }),
            SyntaxKind::Binary => self.binary(node, level),
            SyntaxKind::Apply | SyntaxKind::Tag | SyntaxKind::TagPattern => self.apply(node, level),
            SyntaxKind::Select => self.select(node, level),
            kind if kind.is_type()
                || matches!(
                    kind,
                    SyntaxKind::TypeDecl | SyntaxKind::TypeField | SyntaxKind::TypeAlternative
                ) =>
            {
                self.type_node(node, level);
            }
            _ => self.parts(node, level, |_| (Gap::Nothing, Gap::Nothing)),
        }
    }

    /// The children one after the other, with the gaps that `around` gives for each token. What
    /// begins a line after a token is one level deeper.
    fn parts(
        &mut self,
        node: SyntaxNode<'t>,
        level: usize,
        around: impl Fn(SyntaxKind) -> (Gap, Gap),
    ) {
        let mut inner = level;
        let mut first = true;
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) if !token.kind().is_trivia() => {
                    let (before, after) = around(token.kind());
                    // Without a wish of its own, the gap after the token before it stays.
                    if !first && before != Gap::Nothing {
                        self.before(before, level + 1);
                    }
                    self.token(token);
                    self.before(after, level + 1);
                }
                SyntaxElement::Token(token) => self.token(token),
                // A type in lines of its own does not move the value after it.
                SyntaxElement::Node(child) if child.kind().is_type() => {
                    let deeper = !first && self.begins_line();
                    self.node(child, if deeper { level + 1 } else { level });
                }
                SyntaxElement::Node(child) => {
                    if !first && self.begins_line() {
                        inner = level + 1;
                    }
                    self.node(child, inner);
                }
            }
            first = false;
        }
    }

    fn binary(&mut self, node: SyntaxNode<'t>, level: usize) {
        let mut seen_operator = false;
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) if !token.kind().is_trivia() => {
                    self.before(Gap::BlankOrLine, level + 1);
                    self.token(token);
                    self.before(Gap::BlankOrLine, level + 1);
                    seen_operator = true;
                }
                SyntaxElement::Token(token) => self.token(token),
                // A chain goes on at one level. Other operands that hug a bracket close it at the
                // level of the line that they are on.
                SyntaxElement::Node(child) if child.kind() == SyntaxKind::Binary => {
                    self.node(child, level);
                }
                SyntaxElement::Node(child) => {
                    let deeper = seen_operator && self.on_own_line(level + 1);
                    self.node(child, if deeper { level + 1 } else { level });
                }
            }
        }
    }

    /// Whether the line that is being written, or the one about to begin, is at `level`.
    fn on_own_line(&self, level: usize) -> bool {
        if self.begins_line() {
            return self.level >= level;
        }
        let line = self.out.get(self.line..).unwrap_or_default();
        line.len() - line.trim_start().len() >= level * INDENT.len()
    }

    fn apply(&mut self, node: SyntaxNode<'t>, level: usize) {
        let mut first = true;
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(child) => {
                    let mut inner = level;
                    if !first {
                        self.before(Gap::BlankOrLine, level + 1);
                        inner += usize::from(self.on_own_line(level + 1));
                    }
                    self.node(child, inner);
                    first = false;
                }
            }
        }
    }

    fn select(&mut self, node: SyntaxNode<'t>, level: usize) {
        // `./a .b` without the blank would be the path `./a.b`.
        let base = node
            .children()
            .next()
            .and_then(|base| base.tokens().next_back());
        let path = base.is_some_and(|token| token.kind() == SyntaxKind::PathText);
        self.parts(node, level, |_| {
            (if path { Gap::Blank } else { Gap::Nothing }, Gap::Nothing)
        });
    }

    fn if_else(&mut self, node: SyntaxNode<'t>, level: usize) {
        let mut after_else = false;
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) if !token.kind().is_trivia() => {
                    if token.kind() != SyntaxKind::IfKw {
                        self.before(Gap::BlankOrLine, level);
                    }
                    self.token(token);
                    self.before(Gap::BlankOrLine, level + 1);
                    after_else = token.kind() == SyntaxKind::ElseKw;
                }
                SyntaxElement::Token(token) => self.token(token),
                SyntaxElement::Node(child) => {
                    if child.kind() == SyntaxKind::If && after_else && !self.begins_line() {
                        // `else if` goes on at the same level.
                        self.if_else(child, level);
                    } else {
                        let inner = if self.begins_line() { level + 1 } else { level };
                        self.node(child, inner);
                    }
                }
            }
        }
    }

    /// Whether any of the node's own gaps has a line end or comment.
    fn has_lines(node: SyntaxNode<'t>) -> bool {
        node.children_with_tokens()
            .filter_map(SyntaxElement::into_token)
            .any(Self::is_line)
    }

    /// Whether a token is a comment or has a line end.
    fn is_line(token: SyntaxToken<'t>) -> bool {
        matches!(token.kind(), SyntaxKind::Comment | SyntaxKind::DocComment)
            || token.kind() == SyntaxKind::Whitespace && token.text().contains('\n')
    }

    fn paren(&mut self, node: SyntaxNode<'t>, level: usize) {
        let lines = Self::has_lines(node);
        let (gap, inner) = if lines {
            (Gap::Tight, level + 1)
        } else {
            (Gap::Nothing, level)
        };
        for element in node.children_with_tokens() {
            match element {
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::RParen => {
                    self.before(gap, level);
                    self.comment_level = inner;
                    self.token(token);
                }
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::LParen => {
                    self.token(token);
                    self.before(gap, inner);
                }
                SyntaxElement::Token(token) if token.kind() == SyntaxKind::Colon => {
                    self.before(Gap::Blank, inner + 1);
                    self.token(token);
                    self.before(Gap::Blank, inner + 1);
                }
                other => self.element(other, inner),
            }
        }
    }

    /// Records, lists, record patterns and types: an opening, parts each with a separator, a closing.
    fn bracket(&mut self, node: SyntaxNode<'t>, level: usize, lines: bool) {
        let braces = !matches!(node.kind(), SyntaxKind::List | SyntaxKind::TypeList);
        let commas = !matches!(node.kind(), SyntaxKind::Record | SyntaxKind::TypeList);
        let empty = !lines && node.children().next().is_none() && !has_rest(node);
        let edge = match (lines, braces && !empty) {
            (true, _) => Gap::Tight,
            (false, true) => Gap::Blank,
            (false, false) => Gap::Nothing,
        };
        let between = if lines { Gap::Line } else { Gap::Blank };
        // The separator after the last part is there, or must be, in a bracket with lines.
        let last = node
            .children_with_tokens()
            .filter(|element| !element.kind().is_trivia() && !is_bracket(element.kind()))
            .filter(|element| element.kind() != SyntaxKind::Comma)
            .last();
        for element in node.children_with_tokens() {
            let kind = element.kind();
            if kind.is_trivia() {
                self.element(element, level + 1);
            } else if matches!(kind, SyntaxKind::LBrace | SyntaxKind::LBracket) {
                self.element(element, level);
                self.before(edge, level + 1);
            } else if matches!(kind, SyntaxKind::RBrace | SyntaxKind::RBracket) {
                self.before(edge, level);
                self.comment_level = level + 1;
                self.element(element, level);
            } else if matches!(kind, SyntaxKind::Comma | SyntaxKind::Semi) {
                if kind == SyntaxKind::Semi {
                    self.before(Gap::Nothing, level + 1);
                    self.element(element, level);
                }
                self.before(between, level + 1);
            } else {
                let inner = if lines { level + 1 } else { level };
                self.element(element, inner);
                // Commas are written here, not where the source has them.
                let is_last = last == Some(element);
                let is_rest = matches!(kind, SyntaxKind::Ellipsis | SyntaxKind::TypeRest);
                if commas && (!is_last || lines && !is_rest) {
                    self.out.push(',');
                }
                self.before(between, level + 1);
            }
        }
    }

    fn let_in(&mut self, node: SyntaxNode<'t>, level: usize) {
        let lines = Self::has_lines(node);
        let (gap, edge) = if lines {
            (Gap::Line, Gap::Tight)
        } else {
            (Gap::Blank, Gap::Blank)
        };
        let mut in_body = false;
        for element in node.children_with_tokens() {
            let kind = element.kind();
            match kind {
                SyntaxKind::InKw => {
                    self.before(edge, level);
                    self.comment_level = level + 1;
                    self.element(element, level);
                    self.before(Gap::BlankOrLine, level);
                    in_body = true;
                }
                SyntaxKind::LetKw => {
                    self.element(element, level);
                    self.before(edge, level + 1);
                }
                SyntaxKind::Semi => {
                    self.before(Gap::Nothing, level + 1);
                    self.element(element, level);
                    self.before(gap, level + 1);
                }
                _ => self.element(element, if in_body || !lines { level } else { level + 1 }),
            }
        }
    }
}

fn has_rest(node: SyntaxNode<'_>) -> bool {
    node.children_with_tokens()
        .any(|element| element.kind() == SyntaxKind::Ellipsis)
}

fn is_bracket(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::LBrace | SyntaxKind::RBrace | SyntaxKind::LBracket | SyntaxKind::RBracket
    )
}
