//! Syntax errors as diagnostics. The words are the parser's; here they get their stable codes.

use imgc_syntax::{SyntaxCode, SyntaxError};

use crate::codes::{self, Code};
use crate::diagnostic::{Diagnostic, Edit, FileId, Span};

/// The diagnostic for a syntax error in a file.
#[must_use]
pub fn from_syntax(file: &FileId, error: &SyntaxError) -> Diagnostic {
    let span = |range| Span::new(file.clone(), range);
    let mut diagnostic = Diagnostic::error(
        syntax_code(error.code),
        span(error.range),
        error.message.clone(),
    )
    .with_label(error.label.clone());
    for (range, label) in &error.related {
        diagnostic = diagnostic.with_related(span(*range), label.clone());
    }
    if let Some(help) = &error.help {
        diagnostic = diagnostic.with_help(help.clone());
    }
    if !error.fix.is_empty() {
        let edits = error
            .fix
            .iter()
            .map(|edit| Edit {
                span: span(edit.range),
                text: edit.text.clone(),
            })
            .collect();
        let title = error.help.clone().unwrap_or_else(|| error.message.clone());
        diagnostic = diagnostic.with_fix(title, edits);
    }
    diagnostic
}

/// The stable code of a sort of syntax error.
#[must_use]
pub fn syntax_code(code: SyntaxCode) -> Code {
    match code {
        SyntaxCode::SourceTooLarge => codes::SOURCE_TOO_LARGE,
        SyntaxCode::UnknownCharacter => codes::UNKNOWN_CHARACTER,
        SyntaxCode::ForbiddenCharacter => codes::FORBIDDEN_CHARACTER,
        SyntaxCode::UnterminatedString => codes::UNTERMINATED_STRING,
        SyntaxCode::SingleQuotes => codes::SINGLE_QUOTES,
        SyntaxCode::BadEscape => codes::BAD_ESCAPE,
        SyntaxCode::IndentedStringStart => codes::INDENTED_STRING_START,
        SyntaxCode::MixedIndentation => codes::MIXED_INDENTATION,
        SyntaxCode::IntegerTooLarge => codes::INTEGER_TOO_LARGE,
        SyntaxCode::BadNumber => codes::BAD_NUMBER,
        SyntaxCode::ReservedWord => codes::RESERVED_WORD,
        SyntaxCode::Unclosed => codes::UNCLOSED,
        SyntaxCode::StrayCloser => codes::STRAY_CLOSER,
        SyntaxCode::WrongCloser => codes::WRONG_CLOSER,
        SyntaxCode::MissingSemicolon => codes::MISSING_SEMICOLON,
        SyntaxCode::CommaBetweenBindings => codes::COMMA_BETWEEN_BINDINGS,
        SyntaxCode::SemicolonInList => codes::SEMICOLON_IN_LIST,
        SyntaxCode::ColonForEquals => codes::COLON_FOR_EQUALS,
        SyntaxCode::MissingEquals => codes::MISSING_EQUALS,
        SyntaxCode::ExpectedExpression => codes::EXPECTED_EXPRESSION,
        SyntaxCode::ExpectedName => codes::EXPECTED_NAME,
        SyntaxCode::ExpectedBinding => codes::EXPECTED_BINDING,
        SyntaxCode::ExpectedPattern => codes::EXPECTED_PATTERN,
        SyntaxCode::IncompleteIf => codes::INCOMPLETE_IF,
        SyntaxCode::BadImport => codes::BAD_IMPORT,
        SyntaxCode::Unexpected => codes::UNEXPECTED,
        SyntaxCode::SlashComment => codes::SLASH_COMMENT,
        SyntaxCode::BadPath => codes::BAD_PATH,
        SyntaxCode::TooDeep => codes::TOO_DEEP,
        SyntaxCode::NameCase => codes::NAME_CASE,
        SyntaxCode::ExpectedType => codes::EXPECTED_TYPE,
        SyntaxCode::ExpectedArm => codes::EXPECTED_ARM,
        SyntaxCode::IncompleteMatch => codes::INCOMPLETE_MATCH,
        SyntaxCode::IncompleteAssert => codes::INCOMPLETE_ASSERT,
        SyntaxCode::TagPayload => codes::TAG_PAYLOAD,
        SyntaxCode::MisplacedType => codes::MISPLACED_TYPE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sort_of_error_has_its_own_code() {
        let mut codes: Vec<Code> = SyntaxCode::ALL
            .iter()
            .map(|code| syntax_code(*code))
            .collect();
        assert!(codes.iter().all(|code| !code.title().is_empty()));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), SyntaxCode::ALL.len());
    }

    #[test]
    fn errors_keep_everything() {
        let parse = imgc_syntax::parse("{ a = [1, 2}; }");
        let diagnostic = from_syntax(&FileId::new("app.img"), &parse.errors()[0]);
        assert_eq!(diagnostic.code, codes::WRONG_CLOSER);
        assert_eq!(
            diagnostic.primary.span.range,
            crate::SpanRange { start: 11, end: 12 }
        );
        assert_eq!(diagnostic.primary.text, "expected `]`");
        assert_eq!(diagnostic.related[0].text, "opened here");
        assert_eq!(diagnostic.fixes[0].edits[0].text, "]");
    }
}
