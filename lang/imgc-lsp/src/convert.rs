//! Data of `imgc-ide` as data of LSP. No questions are asked here.

use imgc_diag::Severity;
use imgc_ide::{CompletionKind, Encoding, FoldKind, LineIndex, Position, SymbolKind};
use imgc_syntax::TextRange;
use lsp_types as lsp;
use std::sync::Arc;

/// A text with its lines.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    /// The text.
    pub(crate) text: Arc<str>,
    index: LineIndex,
    encoding: Encoding,
}

impl Lines {
    /// The lines of a text.
    pub(crate) fn new(text: Arc<str>, encoding: Encoding) -> Self {
        let index = LineIndex::new(&text);
        Self {
            text,
            index,
            encoding,
        }
    }

    /// The byte at a place.
    pub(crate) fn offset(&self, position: lsp::Position) -> imgc_syntax::TextSize {
        let position = from_position(position);
        self.index.offset(&self.text, position, self.encoding)
    }

    /// The bytes of a range.
    pub(crate) fn bytes(&self, range: lsp::Range) -> TextRange {
        let (start, end) = (self.offset(range.start), self.offset(range.end));
        TextRange::new(start, end.max(start))
    }

    /// The place of a byte.
    pub(crate) fn position(&self, offset: imgc_syntax::TextSize) -> lsp::Position {
        let Position { line, column } = self.index.position(&self.text, offset, self.encoding);
        lsp::Position::new(line, column)
    }

    /// The range of bytes.
    pub(crate) fn range(&self, range: TextRange) -> lsp::Range {
        lsp::Range::new(self.position(range.start()), self.position(range.end()))
    }

    /// The bytes of a line, with its end.
    pub(crate) fn line(&self, line: u32) -> TextRange {
        self.index.line(line)
    }

    /// An edit.
    pub(crate) fn edit(&self, edit: &imgc_ide::TextEdit) -> lsp::TextEdit {
        self.replacement(edit.range, &edit.text)
    }

    /// Another text for a range, whose lines end as those of this text do.
    pub(crate) fn replacement(&self, range: TextRange, text: &str) -> lsp::TextEdit {
        let first_line = self.text.get(std::ops::Range::<usize>::from(self.line(0)));
        let is_windows = first_line.is_some_and(|line| line.ends_with("\r\n"));
        let text = if is_windows {
            text.replace("\r\n", "\n").replace('\n', "\r\n")
        } else {
            text.to_owned()
        };
        lsp::TextEdit::new(self.range(range), text)
    }

    /// Edits, in order.
    pub(crate) fn edits(&self, edits: &[imgc_ide::TextEdit]) -> Vec<lsp::TextEdit> {
        let mut sorted: Vec<&imgc_ide::TextEdit> = edits.iter().collect();
        sorted.sort_by_key(|edit| (edit.range.start(), edit.range.end()));
        sorted.into_iter().map(|edit| self.edit(edit)).collect()
    }
}

/// A place as `imgc-ide` has it.
pub(crate) fn from_position(position: lsp::Position) -> Position {
    Position {
        line: position.line,
        column: position.character,
    }
}

/// How bad a diagnostic is.
pub(crate) fn severity(severity: Severity) -> lsp::DiagnosticSeverity {
    match severity {
        Severity::Error => lsp::DiagnosticSeverity::ERROR,
        Severity::Warning => lsp::DiagnosticSeverity::WARNING,
    }
}

/// What a symbol is.
pub(crate) fn symbol_kind(kind: SymbolKind) -> lsp::SymbolKind {
    match kind {
        SymbolKind::Module => lsp::SymbolKind::MODULE,
        SymbolKind::Function => lsp::SymbolKind::FUNCTION,
        SymbolKind::Value => lsp::SymbolKind::VARIABLE,
        SymbolKind::Field => lsp::SymbolKind::FIELD,
        SymbolKind::Record => lsp::SymbolKind::OBJECT,
        SymbolKind::Type => lsp::SymbolKind::INTERFACE,
        SymbolKind::Text => lsp::SymbolKind::STRING,
        SymbolKind::Number => lsp::SymbolKind::NUMBER,
        SymbolKind::Truth => lsp::SymbolKind::BOOLEAN,
        SymbolKind::List => lsp::SymbolKind::ARRAY,
    }
}

/// What a completion is.
pub(crate) fn completion_kind(kind: CompletionKind) -> lsp::CompletionItemKind {
    match kind {
        CompletionKind::Keyword => lsp::CompletionItemKind::KEYWORD,
        CompletionKind::Snippet => lsp::CompletionItemKind::SNIPPET,
        CompletionKind::Variable => lsp::CompletionItemKind::VARIABLE,
        CompletionKind::Function => lsp::CompletionItemKind::FUNCTION,
        CompletionKind::Field => lsp::CompletionItemKind::FIELD,
        CompletionKind::Tag => lsp::CompletionItemKind::ENUM_MEMBER,
        CompletionKind::Type => lsp::CompletionItemKind::INTERFACE,
        CompletionKind::Module => lsp::CompletionItemKind::MODULE,
        CompletionKind::File => lsp::CompletionItemKind::FILE,
        CompletionKind::Folder => lsp::CompletionItemKind::FOLDER,
        CompletionKind::Package => lsp::CompletionItemKind::UNIT,
        CompletionKind::Value => lsp::CompletionItemKind::VALUE,
    }
}

/// What is folded.
pub(crate) fn fold_kind(kind: FoldKind) -> lsp::FoldingRangeKind {
    match kind {
        FoldKind::Region => lsp::FoldingRangeKind::Region,
        FoldKind::Comment => lsp::FoldingRangeKind::Comment,
    }
}

/// Words in Markdown.
pub(crate) fn markdown(value: String) -> lsp::MarkupContent {
    lsp::MarkupContent {
        kind: lsp::MarkupKind::Markdown,
        value,
    }
}

/// What a snippet leaves where the editor knows no snippets.
pub(crate) fn without_places(snippet: &str) -> String {
    let mut text = String::new();
    let mut rest = snippet.chars().peekable();
    let mut open = 0_usize;
    while let Some(c) = rest.next() {
        match c {
            '\\' => text.extend(rest.next()),
            '$' if rest.peek() == Some(&'{') => {
                rest.next();
                while rest.peek().is_some_and(char::is_ascii_digit) {
                    rest.next();
                }
                rest.next_if_eq(&':');
                open += 1;
            }
            '}' if open > 0 => open -= 1,
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_becomes_plain_text() {
        assert_eq!(
            without_places("if ${1:condition} then ${2} else ${0}"),
            "if condition then  else "
        );
        assert_eq!(without_places("config = { ${0} \\};"), "config = {  };");
    }
}
