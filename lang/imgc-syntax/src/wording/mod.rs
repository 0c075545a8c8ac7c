//! The words for the mistakes that are found while parsing a segment.
//! It decides nothing about the tree.

mod later;

use text_size::TextRange;

use self::later::Place;
use crate::classify::innermost;
use crate::error::{SyntaxCode, SyntaxError};
use crate::kind::SyntaxKind;
use crate::lex::Token;
use crate::segment::{Entry, Item, Term};
use crate::text::{quoted, range};

/// A mistake in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// No name after a `.`.
    Name,
    /// No expression where one must stand.
    Expression,
    /// No module or path after `import`.
    Import,
    /// No `=>` after a parameter.
    Arrow,
    /// No `then`.
    Then,
    /// No `else`.
    Else,
    /// No `=` after a key.
    Equals,
    /// `:` after a key.
    ColonForEquals,
    /// `=` in the place of `?` in a pattern.
    DefaultEquals,
    /// Something else than a binding.
    Binding,
    /// Something else than a field of a pattern.
    Pattern,
    /// `->` in the place of `=>`.
    ThinArrow,
    /// A parameter that begins with a capital, before `=>`.
    UpperName,
    /// A parameter that begins with a capital, in parentheses.
    UpperParam,
    /// No `else` in an `assert`.
    AssertElse,
    /// No `then` in an `assert`.
    AssertThen,
    /// No arms after `match`.
    Arms,
    /// No `=>` in an arm.
    ArmArrow,
    /// Something else than a pattern in an arm.
    ArmPattern,
    /// A second payload.
    TagPayload,
    /// No type where one must stand.
    Type,
    /// A `,` after the type in a bracket.
    SeveralTypes,
    /// `=>` in the place of `->`.
    TypeArrow,
    /// Something else than a tag after `|`.
    Alternative,
    /// Something else than a tag before `|`.
    Alternatives,
    /// A second payload in a union.
    AlternativePayload,
    /// Something else than a field in a record type.
    TypeField,
    /// No `:` in a field of a record type.
    FieldColon,
    /// `=` in the place of that `:`.
    FieldEquals,
    /// Something else than a type's name after `type`.
    DeclaredName,
    /// A type's parameter that begins with a capital.
    UpperVariable,
    /// No `=` after a declared name.
    DeclaredEquals,
    /// A token that cannot stand there.
    Unexpected,
}

/// The text that words are about.
pub(crate) struct Wording<'a> {
    pub(crate) source: &'a str,
    pub(crate) tokens: &'a [Token],
}

impl Wording<'_> {
    /// The error for a mistake at `items[at]`, or at the segment's end.
    pub(crate) fn error(
        &self,
        mistake: Mistake,
        entry: Entry,
        items: &[Item],
        at: usize,
        end: Option<Item>,
    ) -> SyntaxError {
        let before = at.checked_sub(1).and_then(|at| items.get(at));
        let found = items.get(at).copied().or(end);
        let place = self.place(before, found);
        let shown = self.shown(found);
        let after = before.map(|before| self.shown(Some(*before)));
        let words = Place {
            items,
            at,
            before,
            found,
            range: place,
            shown: &shown,
            after: after.as_deref(),
        };
        match mistake {
            Mistake::UpperName | Mistake::UpperParam => self.upper_name(mistake, &words),
            Mistake::AssertElse | Mistake::AssertThen => self.incomplete_assert(mistake, &words),
            Mistake::Arms | Mistake::ArmArrow | Mistake::ArmPattern => {
                self.in_match(mistake, &words)
            }
            Mistake::Type
            | Mistake::SeveralTypes
            | Mistake::TypeArrow
            | Mistake::Alternative
            | Mistake::Alternatives
            | Mistake::AlternativePayload
            | Mistake::TypeField
            | Mistake::FieldColon
            | Mistake::FieldEquals
            | Mistake::DeclaredName
            | Mistake::UpperVariable
            | Mistake::DeclaredEquals => self.in_type(mistake, &words),
            Mistake::TagPayload => SyntaxError::new(
                SyntaxCode::TagPayload,
                place,
                format!("a tag carries one value, and {shown} would be its second"),
            )
            .help("put the value in parentheses, `Tag (f x)`, or several values in a record"),
            Mistake::Name => {
                let dot = before.map_or(place, |dot| self.range_of(dot));
                SyntaxError::new(
                    SyntaxCode::ExpectedName,
                    dot,
                    format!("expected a name after `.`, found {shown}"),
                )
                .label("a field's name is missing after this")
            }
            Mistake::Expression => self.expression(place, &shown, after, found),
            Mistake::Import => SyntaxError::new(
                SyntaxCode::BadImport,
                place,
                format!("expected a module or path after `import`, found {shown}"),
            )
            .help(
                "write `import std/debian`, `import ./lib.img` or `import \"https://…\"`; an import is never computed",
            ),
            Mistake::Arrow => {
                let error = SyntaxError::new(
                    SyntaxCode::Unexpected,
                    place,
                    format!("expected `=>` after the parameter, found {shown}"),
                );
                let error = error.help("a function is written `parameter => body`");
                match found {
                    Some(found) if found.is(SyntaxKind::Colon) => {
                        error.edit(self.range_of(&found), " =>")
                    }
                    _ => match before {
                        Some(before) => {
                            error.edit(TextRange::empty(self.last_range_of(before).end()), " =>")
                        }
                        None => error,
                    },
                }
            }
            Mistake::ThinArrow => {
                SyntaxError::new(SyntaxCode::Unexpected, place, "expected `=>`, found `->`")
                    .help("a function is written `parameter => body`; `->` stands in types")
                    .edit(place, "=>")
            }
            Mistake::Then | Mistake::Else => self.incomplete_if(mistake, items, at, &shown),
            Mistake::Equals => {
                let key_end = before.map_or(place, |key| self.last_range_of(key)).end();
                let missed = TextRange::empty(key_end);
                SyntaxError::new(
                    SyntaxCode::MissingEquals,
                    missed,
                    format!(
                        "expected `=` after {}, found {shown}",
                        after.unwrap_or_default()
                    ),
                )
                .label("expected `=`")
                .help("a binding is written `name = value;`")
            }
            Mistake::ColonForEquals => {
                SyntaxError::new(SyntaxCode::ColonForEquals, place, "expected `=`, found `:`")
                    .help("a binding is written `name = value;`")
                    .edit(place, " =")
            }
            Mistake::DefaultEquals => SyntaxError::new(
                SyntaxCode::ExpectedPattern,
                place,
                "expected `?`, found `=`",
            )
            .help("a default is written `name ? value`")
            .edit(place, "?"),
            Mistake::Binding => SyntaxError::new(
                SyntaxCode::ExpectedBinding,
                place,
                format!("expected a binding, found {shown}"),
            )
            .help("a binding is written `name = value;`"),
            Mistake::Pattern => SyntaxError::new(
                SyntaxCode::ExpectedPattern,
                place,
                format!("expected the name of a field, found {shown}"),
            )
            .help("a parameter is written `{ a, b ? default, ... }`"),
            Mistake::Unexpected => self.unexpected(place, &shown, entry, before, found),
        }
    }

    fn expression(
        &self,
        place: TextRange,
        shown: &str,
        after: Option<String>,
        found: Option<Item>,
    ) -> SyntaxError {
        let message = match after {
            Some(after) => format!("expected an expression after {after}, found {shown}"),
            None => format!("expected an expression, found {shown}"),
        };
        let error = SyntaxError::new(SyntaxCode::ExpectedExpression, place, message);
        let Some(found) = found else { return error };
        match found.term {
            Term::Token(SyntaxKind::IfKw) | Term::Group(SyntaxKind::LetHead, _) => error.help(
                format!("put the whole {shown} expression in parentheses to use it here"),
            ),
            Term::Group(SyntaxKind::RecordPattern | SyntaxKind::NamePattern, _) => {
                error.help("put the function in parentheses to use it here")
            }
            Term::Token(SyntaxKind::MatchKw | SyntaxKind::AssertKw) => error.help(format!(
                "put the whole {shown} expression in parentheses to use it here"
            )),
            Term::Token(SyntaxKind::Bar) => {
                error.help("write `||` for \"or\", `|>` to pass a value to a function")
            }
            Term::Token(SyntaxKind::TypeKw) => {
                error.help("types are declared among the bindings of a `let`: `type Name = Type;`")
            }
            Term::Group(SyntaxKind::TypeParen, _) => {
                error.help("a record is written `{ name = value; }`; this is a type")
            }
            Term::Group(SyntaxKind::Arms, _) => error.help("arms stand after `match value`"),
            _ => error,
        }
    }

    fn incomplete_if(
        &self,
        mistake: Mistake,
        items: &[Item],
        at: usize,
        shown: &str,
    ) -> SyntaxError {
        let word = if mistake == Mistake::Then {
            "then"
        } else {
            "else"
        };
        let place = innermost(items, at).map_or(range(0, 0), |(_, item)| self.range_of(&item));
        SyntaxError::new(
            SyntaxCode::IncompleteIf,
            place,
            format!("this `if` has no `{word}`: expected it before {shown}"),
        )
        .help("an `if` is written `if condition then a else b`")
    }

    fn unexpected(
        &self,
        place: TextRange,
        shown: &str,
        entry: Entry,
        before: Option<&Item>,
        found: Option<Item>,
    ) -> SyntaxError {
        let error = SyntaxError::new(SyntaxCode::Unexpected, place, format!("unexpected {shown}"));
        let error = match before {
            Some(before) => error.label(format!("cannot follow {}", self.shown(Some(*before)))),
            None => error,
        };
        let Some(found) = found else { return error };
        match found.term {
            Term::Token(kind) => match kind {
                SyntaxKind::Eq => error.help(if entry == Entry::Binding {
                    "write `==` to compare; if a new binding begins here, end the one before with `;`"
                } else {
                    "write `==` to compare; bindings stand in braces, `{ name = value; }`"
                }),
                SyntaxKind::EqEq
                | SyntaxKind::NotEq
                | SyntaxKind::Lt
                | SyntaxKind::LtEq
                | SyntaxKind::Gt
                | SyntaxKind::GtEq => error.help("comparisons do not chain: join them with `&&`"),
                SyntaxKind::Bang => error.help("write `!=` for \"not equal\""),
                SyntaxKind::Arrow => error.help("put the function in parentheses to use it here"),
                SyntaxKind::Comma => error.help(
                    "several values stand in a list, `[a, b]`; arguments follow each other, `f a b`",
                ),
                SyntaxKind::Semi => error.help("a file is one expression, without `;` at its end"),
                SyntaxKind::IfKw => error.help("put the `if` in parentheses to use it here"),
                SyntaxKind::MatchKw | SyntaxKind::AssertKw => {
                    error.help(format!("put the {shown} in parentheses to use it here"))
                }
                SyntaxKind::Bar => {
                    error.help("write `||` for \"or\", `|>` to pass a value to a function")
                }
                SyntaxKind::ThinArrow => {
                    error.help("a function is written `parameter => body`; `->` stands in types")
                }
                SyntaxKind::Colon | SyntaxKind::TypeColon => error.help(
                    "a type stands after the name in a binding, `name : Type = value;`, or in parentheses, `(value : Type)`",
                ),
                SyntaxKind::ImportKw => error.help("put the `import` in parentheses to use it here"),
                SyntaxKind::Question => {
                    error.help("a default is written in a parameter: `{ a ? 1 } => …`")
                }
                SyntaxKind::ThenKw | SyntaxKind::ElseKw => {
                    error.help("an `if` is written `if condition then a else b`")
                }
                SyntaxKind::TypeKw => {
                    error.help("types are declared among the bindings of a `let`: `type Name = Type;`")
                }
                _ => error,
            },
            Term::Group(SyntaxKind::LetHead, _) => {
                error.help("put the `let` in parentheses to use it here")
            }
            Term::Group(SyntaxKind::RecordPattern | SyntaxKind::NamePattern, _) => {
                error.help("put the function in parentheses to use it here")
            }
            Term::Group(SyntaxKind::Arms, _) => error.help("arms stand after `match value`"),
            Term::Group(SyntaxKind::TypeParen, _) => {
                error.help("types stand after the `:` of a binding or parameter")
            }
            Term::Group(..) | Term::Start(_) => error,
        }
    }

    /// What to point at: what was found, if it stands on the line of what was before it; else what
    /// was before it, as the mistake is on that line.
    fn place(&self, before: Option<&Item>, found: Option<Item>) -> TextRange {
        match (before, found) {
            (Some(before), Some(found)) if self.same_line(before, &found) => self.range_of(&found),
            (Some(before), _) => self.last_range_of(before),
            (None, Some(found)) => self.range_of(&found),
            (None, None) => range(self.source.len(), self.source.len()),
        }
    }

    fn same_line(&self, first: &Item, second: &Item) -> bool {
        let between = self.tokens.get(first.end as usize..second.start as usize);
        between.is_some_and(|tokens| {
            !tokens
                .iter()
                .any(|token| token.text(self.source).contains('\n'))
        })
    }

    /// All of a string in one line, else the item's first token. For one that was put in, the end
    /// of the token before it.
    pub(crate) fn range_of(&self, item: &Item) -> TextRange {
        if item.start == item.end {
            let before = (item.end as usize)
                .checked_sub(1)
                .and_then(|at| self.tokens.get(at));
            let end = before.map_or(0, |token| token.end as usize);
            return range(end, end);
        }
        self.token_range(item.start)
    }

    /// The token with an index.
    pub(crate) fn token_range(&self, index: u32) -> TextRange {
        let token = self.tokens.get(index as usize);
        token.map_or(range(0, 0), |token| {
            range(token.start as usize, token.end as usize)
        })
    }

    /// The item's last token, or the end of the token before it if it was put in.
    pub(crate) fn last_range_of(&self, item: &Item) -> TextRange {
        if item.start == item.end {
            return self.range_of(item);
        }
        let token = (item.end as usize)
            .checked_sub(1)
            .and_then(|at| self.tokens.get(at));
        token.map_or(range(0, 0), |token| {
            range(token.start as usize, token.end as usize)
        })
    }

    /// The item for a message, such as `` `;` `` or "a string".
    fn shown(&self, item: Option<Item>) -> String {
        let Some(item) = item else {
            return "the end of the file".to_owned();
        };
        match item.term {
            Term::Group(SyntaxKind::Str, _) => "a string".to_owned(),
            _ if item.start == item.end => "nothing".to_owned(),
            _ => {
                let token = self.tokens.get(item.start as usize);
                quoted(token.map_or("", |token| token.text(self.source)))
            }
        }
    }
}
