//! A Dockerfile as instructions: lines joined, comments and here-documents taken out. Says
//! nothing about what an instruction means, and never fails: what is no instruction is one
//! with an unknown keyword.
//!
//! The format is that of the Dockerfile reference, with its parser directives.

/// An instruction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Instruction {
    /// Its first line, from 1.
    pub(super) line: usize,
    /// Its keyword in capitals.
    pub(super) keyword: String,
    /// What follows the options, on one line.
    pub(super) text: String,
    /// The options: `--name=value`, without the dashes. The value is empty where there is
    /// none.
    pub(super) options: Vec<(String, String)>,
    /// The here-documents that it begins, in their order.
    pub(super) documents: Vec<Document>,
    /// The comments right above it, without the mark.
    pub(super) comments: Vec<String>,
    /// Where the lines begin in `text`, and which they are.
    marks: Vec<(usize, usize)>,
}

/// A here-document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    /// The word that ends it, which COPY takes for the name of the file.
    pub(super) name: String,
    /// Whether variables are replaced in it: its word is not quoted.
    pub(super) expand: bool,
    /// Its text.
    pub(super) text: String,
    /// Its first line.
    pub(super) line: usize,
}

/// A whole Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dockerfile {
    /// The instructions, in their order.
    pub(super) instructions: Vec<Instruction>,
    /// What takes its meaning from the next character: `\`, or what a directive says.
    pub(super) escape: char,
}

impl Instruction {
    /// The line of the character at `offset` of the text.
    pub(super) fn line_at(&self, offset: usize) -> usize {
        let mark = self.marks.iter().rev().find(|(start, _)| *start <= offset);
        mark.map_or(self.line, |(_, line)| *line)
    }

    /// The value of an option.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let found = self.options.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// It as one line, for messages.
    pub(super) fn shown(&self) -> String {
        let mut shown = self.keyword.clone();
        for (name, value) in &self.options {
            shown.push_str(&format!(" --{name}"));
            if !value.is_empty() {
                shown.push_str(&format!("={value}"));
            }
        }
        format!("{shown} {}", self.text)
    }
}

/// Reads a Dockerfile.
pub(super) fn parse(text: &str) -> Dockerfile {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().collect();
    let escape = directives(&lines);
    let mut instructions = Vec::new();
    let mut comments = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            // Directives are no comments.
            if !(instructions.is_empty() && is_directive(comment)) {
                comments.push(comment.trim().to_owned());
            }
            at += 1;
        } else if trimmed.is_empty() {
            comments.clear();
            at += 1;
        } else {
            let mut instruction = joined(&lines, &mut at, escape);
            instruction.comments = std::mem::take(&mut comments);
            if matches!(instruction.keyword.as_str(), "RUN" | "COPY" | "ADD") {
                documents(&mut instruction, &lines, &mut at);
            }
            instructions.push(instruction);
        }
    }
    Dockerfile {
        instructions,
        escape,
    }
}

/// Whether a comment is a parser directive.
fn is_directive(comment: &str) -> bool {
    let name = comment.split_once('=').map(|(name, _)| name.trim());
    name.is_some_and(|name| {
        ["syntax", "escape", "check"].contains(&name.to_ascii_lowercase().as_str())
    })
}

/// The escape character that the directives name: they stand before everything else.
fn directives(lines: &[&str]) -> char {
    let comments = lines.iter().map_while(|line| line.trim().strip_prefix('#'));
    for comment in comments.take_while(|comment| is_directive(comment)) {
        if let Some((name, value)) = comment.split_once('=')
            && name.trim().eq_ignore_ascii_case("escape")
            && value.trim() == "`"
        {
            return '`';
        }
    }
    '\\'
}

/// An instruction with the lines that it goes on in. `at` is then behind them.
fn joined(lines: &[&str], at: &mut usize, escape: char) -> Instruction {
    let first = *at + 1;
    let mut text = String::new();
    let mut marks = Vec::new();
    let mut is_first = true;
    while let Some(line) = lines.get(*at) {
        let trimmed = line.trim_start();
        if !is_first && (trimmed.is_empty() || trimmed.starts_with('#')) {
            *at += 1;
            continue;
        }
        *at += 1;
        marks.push((text.len(), *at));
        let line = if is_first { trimmed } else { line };
        is_first = false;
        match continued(line, escape) {
            Some(part) => text.push_str(part),
            None => {
                text.push_str(line);
                break;
            }
        }
    }
    let whole = text.trim_end();
    let end = whole.find(char::is_whitespace).unwrap_or(whole.len());
    let mut rest = whole[end..].trim_start();
    let mut options = Vec::new();
    while let Some(found) = rest.strip_prefix("--") {
        let end = found.find(char::is_whitespace).unwrap_or(found.len());
        let (option, behind) = found.split_at(end);
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        options.push((name.to_owned(), value.to_owned()));
        rest = behind.trim_start();
    }
    let cut = whole.len() - rest.len();
    let marks = marks.into_iter();
    Instruction {
        line: first,
        keyword: whole[..end].to_ascii_uppercase(),
        text: rest.to_owned(),
        options,
        marks: marks
            .map(|(start, line)| (start.saturating_sub(cut), line))
            .collect(),
        ..Instruction::default()
    }
}

/// The line without the escape at its end, where it goes on in the next line.
fn continued(line: &str, escape: char) -> Option<&str> {
    let part = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    // An escaped escape is no continuation.
    (!part.ends_with(escape)).then_some(part)
}

/// Takes the here-documents of an instruction from the lines behind it.
fn documents(instruction: &mut Instruction, lines: &[&str], at: &mut usize) {
    for (tabs, name, expand) in marks_of_documents(&instruction.text) {
        let first = *at + 1;
        let mut text = String::new();
        while let Some(line) = lines.get(*at) {
            *at += 1;
            let line = if tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if line == name {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        instruction.documents.push(Document {
            name,
            expand,
            text,
            line: first,
        });
    }
}

/// Where here-documents begin in a line: whether tabs are cut, the word, and whether
/// variables are replaced. Not inside of quotes.
fn marks_of_documents(text: &str) -> Vec<(bool, String, bool)> {
    let mut found = Vec::new();
    let mut quote = None;
    let mut rest = text.char_indices().peekable();
    while let Some((start, c)) = rest.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\\') => drop(rest.next()),
            (None, '\'' | '"') => quote = Some(c),
            (None, '<') => {
                let behind = &text[start..];
                let length = behind.len() - behind.trim_start_matches('<').len();
                for _ in 1..length {
                    rest.next();
                }
                if length != 2 {
                    continue;
                }
                let word = &behind[2..];
                let (tabs, word) = match word.strip_prefix('-') {
                    Some(word) => (true, word),
                    None => (false, word),
                };
                let end = word.find(|c: char| c.is_whitespace() || "<>;&|()".contains(c));
                let word = &word[..end.unwrap_or(word.len())];
                let name: String = word.chars().filter(|c| !"'\"\\".contains(*c)).collect();
                if !name.is_empty() {
                    found.push((tabs, name.clone(), name == word));
                    // Its quotes are no quotes of the line.
                    let behind = start + 2 + usize::from(tabs) + word.len();
                    while rest.peek().is_some_and(|(at, _)| *at < behind) {
                        rest.next();
                    }
                }
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_known() {
        let text = "# syntax=docker/dockerfile:1\n\n# The base.\nfrom debian\nRUN a && \\\n  # why\n  b \\\n\n  && c\n";
        let file = parse(text);
        let [from, run] = &file.instructions[..] else {
            panic!("{file:?}");
        };
        assert_eq!((from.line, from.keyword.as_str()), (4, "FROM"));
        assert_eq!(from.comments, ["The base."]);
        assert_eq!(run.text, "a &&   b   && c");
        let line = |what: &str| run.line_at(run.text.find(what).expect("it is there"));
        assert_eq!((line("a"), line("b"), line("c")), (5, 7, 9));
    }

    #[test]
    fn options_and_directives() {
        let file = parse(
            "# escape=`\nFROM --platform=linux/arm64 debian\nCOPY --link --chown=a:b x `\n y\n",
        );
        assert_eq!(file.escape, '`');
        assert_eq!(file.instructions[0].option("platform"), Some("linux/arm64"));
        assert_eq!(file.instructions[1].option("link"), Some(""));
        assert_eq!(file.instructions[1].text, "x  y");
    }

    #[test]
    fn documents_are_taken_out() {
        let text = "FROM debian\nRUN cat <<-'EOF' > /x\n\ta $b\n\tEOF\nCOPY <<A <<B /y/\n1\nA\n2\nB\nUSER x\n";
        let file = parse(text);
        let names: Vec<_> = file.instructions.iter().map(|i| &i.keyword).collect();
        assert_eq!(names, ["FROM", "RUN", "COPY", "USER"]);
        let run = &file.instructions[1].documents[0];
        assert_eq!(
            (run.text.as_str(), run.expand, run.line),
            ("a $b\n", false, 3)
        );
        assert_eq!(file.instructions[2].documents[1].text, "2\n");
    }
}
