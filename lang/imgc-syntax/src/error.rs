//! Syntax errors as plain data: what went wrong, where, and what to do about it.
//! It does not find errors, and it does not draw them: `imgc-diag` turns them into diagnostics.

use text_size::TextRange;

/// Declares [`SyntaxCode`] with the list of its values.
macro_rules! syntax_codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What sort of mistake a syntax error is. `imgc-diag` gives each its stable code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum SyntaxCode {
            $($(#[$doc])* $name,)*
        }

        impl SyntaxCode {
            /// Every code, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

syntax_codes! {
    /// The source is larger than the parser accepts.
    SourceTooLarge,
    /// A character that no token begins with.
    UnknownCharacter,
    /// A NUL or a character that changes the direction of text.
    ForbiddenCharacter,
    /// A string without its end.
    UnterminatedString,
    /// A string in single quotes.
    SingleQuotes,
    /// An escape that does not exist.
    BadEscape,
    /// Text on the line of the opening `"""`.
    IndentedStringStart,
    /// Tabs and spaces in the indentation of one string.
    MixedIndentation,
    /// An integer beyond 64 bits.
    IntegerTooLarge,
    /// A digit that the base of its number does not have, or a number without digits.
    BadNumber,
    /// A reserved word or keyword in the place of a name.
    ReservedWord,
    /// A bracket, `${` or `let` that is not closed.
    Unclosed,
    /// A closing bracket or `in` that nothing opens.
    StrayCloser,
    /// A bracket closed by one of another shape.
    WrongCloser,
    /// A binding without its `;`.
    MissingSemicolon,
    /// A `,` between bindings.
    CommaBetweenBindings,
    /// A `;` in a list or pattern.
    SemicolonInList,
    /// A `:` in the place of a `=`.
    ColonForEquals,
    /// A binding without its `=`.
    MissingEquals,
    /// A place where an expression must stand, and none does.
    ExpectedExpression,
    /// A `.` without a name after it.
    ExpectedName,
    /// Something else than a binding among bindings.
    ExpectedBinding,
    /// Something else than a field in a record pattern.
    ExpectedPattern,
    /// An `if` without its `then` or `else`.
    IncompleteIf,
    /// An `import` of something else than a path or module.
    BadImport,
    /// A token that cannot stand where it does.
    Unexpected,
    /// A `//` that was meant as the start of a comment.
    SlashComment,
    /// A path literal with an empty part.
    BadPath,
    /// Expressions in one another beyond the limit.
    TooDeep,
    /// A capital where a small letter must be, or the other way round.
    NameCase,
    /// A place where a type must stand, and none does.
    ExpectedType,
    /// Something else than a pattern in an arm of a `match`.
    ExpectedArm,
    /// A `match` without arms, or an arm without its `=>`.
    IncompleteMatch,
    /// An `assert` without its `else` or `then`.
    IncompleteAssert,
    /// A tag with more than one payload.
    TagPayload,
    /// A type, or the declaration of one, where none can stand.
    MisplacedType,
}

/// An edit of the source: the text in `range` becomes `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Bytes of the source to replace. Empty for an insertion.
    pub range: TextRange,
    /// What stands there afterwards.
    pub text: String,
}

/// A mistake in the source's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// The sort of mistake.
    pub code: SyntaxCode,
    /// The smallest piece of source to blame. May be empty: then something is missing there.
    pub range: TextRange,
    /// One sentence that stands alone, without a full stop.
    pub message: String,
    /// A few words for the place itself. May be empty.
    pub label: String,
    /// Other places that explain this one, each with a few words.
    pub related: Vec<(TextRange, String)>,
    /// What to do about it.
    pub help: Option<String>,
    /// The edits that do what `help` says, to be applied together. Empty if there is no safe edit.
    pub fix: Vec<Edit>,
}

impl SyntaxError {
    /// An error with a message and no more.
    pub(crate) fn new(code: SyntaxCode, range: TextRange, message: impl Into<String>) -> Self {
        Self {
            code,
            range,
            message: message.into(),
            label: String::new(),
            related: Vec::new(),
            help: None,
            fix: Vec::new(),
        }
    }

    /// Sets the words for the place itself.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds another place.
    pub(crate) fn related(mut self, range: TextRange, label: impl Into<String>) -> Self {
        self.related.push((range, label.into()));
        self
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds an edit to the fix.
    pub(crate) fn edit(mut self, range: TextRange, text: impl Into<String>) -> Self {
        self.fix.push(Edit {
            range,
            text: text.into(),
        });
        self
    }
}

/// Errors as they are found. Keeps only so many: who has made a hundred mistakes reads no more.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<SyntaxError>);

impl Errors {
    /// How many are kept.
    const MOST: usize = 100;
    /// Edits of a fix that is kept. A larger one is left out: each edit takes memory.
    const MOST_EDITS: usize = 1_000;

    pub(crate) fn push(&mut self, mut error: SyntaxError) {
        if self.0.len() < Self::MOST {
            if error.fix.len() > Self::MOST_EDITS {
                error.fix = Vec::new();
            }
            self.0.push(error);
        }
    }

    /// Adds edits to the fix of an error that was pushed when there were `at` of them.
    pub(crate) fn more_edits(&mut self, at: usize, edits: impl IntoIterator<Item = Edit>) {
        if let Some(error) = self.0.get_mut(at).filter(|error| !error.fix.is_empty()) {
            error.fix.extend(edits);
            if error.fix.len() > Self::MOST_EDITS {
                error.fix = Vec::new();
            }
        }
    }

    /// The sort of an error that was pushed when there were `at` of them.
    pub(crate) fn code(&self, at: usize) -> Option<SyntaxCode> {
        self.0.get(at).map(|error| error.code)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// The errors in the order of the source, each once.
    ///
    /// On a line with a string that has no end, that is the only one: with the quotes shifted,
    /// the rest of the line is not what its author sees.
    pub(crate) fn finish(mut self, source: &str) -> Vec<SyntaxError> {
        let shifted: Vec<TextRange> = self
            .0
            .iter()
            .filter(|error| error.code == SyntaxCode::UnterminatedString)
            .filter(|error| usize::from(error.range.len()) == 1)
            .map(|error| line_of(source, error.range))
            .collect();
        self.0.retain(|error| {
            error.code == SyntaxCode::UnterminatedString
                || !shifted
                    .iter()
                    .any(|line| line.contains_inclusive(error.range.start()))
        });
        self.0
            .sort_by_key(|error| (error.range.start(), error.range.end(), error.code));
        self.0
            .dedup_by(|a, b| a.range == b.range && a.code == b.code);
        self.0
    }
}

/// The line in which a range begins, without its line end.
fn line_of(source: &str, place: TextRange) -> TextRange {
    let at = usize::from(place.start());
    let before = source.get(..at).unwrap_or_default();
    let after = source.get(at..).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let end = after.find('\n').map_or(source.len(), |length| at + length);
    crate::text::range(start, end)
}
