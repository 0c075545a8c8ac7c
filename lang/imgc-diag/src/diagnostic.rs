//! The diagnostic: plain data, built step by step.
//! It holds no source text, and does not know how it is shown.

use std::fmt;
use std::sync::Arc;

use imgc_syntax::TextRange;

use crate::codes::Code;

/// Name of a source file as users know it, such as `app.img` or `std/debian`. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(Arc<str>);

impl FileId {
    /// The file with this name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for FileId {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

/// A piece of a source file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First and one-past-last byte. May be empty: then something is missing there.
    pub range: SpanRange,
}

impl Span {
    /// The piece of `file` at `range`.
    #[must_use]
    pub fn new(file: FileId, range: TextRange) -> Self {
        Self {
            file,
            range: range.into(),
        }
    }
}

/// Bytes of a source file: `start..end`. The same as [`TextRange`], but ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanRange {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset of the byte after the last.
    pub end: u32,
}

impl From<TextRange> for SpanRange {
    fn from(range: TextRange) -> Self {
        Self {
            start: range.start().into(),
            end: range.end().into(),
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is built.
    Error,
    /// The result stands, but is probably not what was meant.
    Warning,
}

/// A place with a few words about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The words. May be empty.
    pub text: String,
}

/// An edit of a source file: what stands in `span` becomes `text`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// What is replaced. Empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// A change that a machine may apply.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fix {
    /// What the change does, as a command: "add the missing `;`".
    pub title: String,
    /// The edits, to be applied together. They do not overlap.
    pub edits: Vec<Edit>,
}

/// A finding about sources: one mistake, told once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Diagnostic {
    /// Stable code, with a page of its own.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// One sentence that stands alone, without a full stop.
    pub message: String,
    /// The smallest place to blame, with a few words.
    pub primary: Label,
    /// Other places that explain this one. They may be in other files.
    pub related: Vec<Label>,
    /// Context: what led here.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
    /// Changes that a machine may apply; any one of them is enough.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Label {
                span,
                text: String::new(),
            },
            related: Vec::new(),
            notes: Vec::new(),
            help: None,
            fixes: Vec::new(),
        }
    }

    /// A warning at a place.
    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message)
        }
    }

    /// Sets the words at the primary place.
    #[must_use]
    pub fn with_label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn with_related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds a sentence of context.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a change that a machine may apply.
    #[must_use]
    pub fn with_fix(mut self, title: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fixes.push(Fix {
            title: title.into(),
            edits,
        });
        self
    }
}
