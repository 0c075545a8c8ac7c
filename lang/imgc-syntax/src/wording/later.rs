//! The words for mistakes in types, tags, `match` and `assert`.

use text_size::TextRange;

use super::{Mistake, Wording};
use crate::classify::innermost;
use crate::error::{SyntaxCode, SyntaxError};
use crate::kind::SyntaxKind;
use crate::segment::{Item, Term};
use crate::text::range;

/// What a mistake is about.
pub(super) struct Place<'a> {
    pub(super) items: &'a [Item],
    pub(super) at: usize,
    pub(super) before: Option<&'a Item>,
    pub(super) found: Option<Item>,
    /// What to point at.
    pub(super) range: TextRange,
    /// What was found, in words.
    pub(super) shown: &'a str,
    /// What is before it, in words.
    pub(super) after: Option<&'a str>,
}

impl Wording<'_> {
    /// The error for a mistake in a type.
    pub(super) fn in_type(&self, mistake: Mistake, place: &Place<'_>) -> SyntaxError {
        let Place { range, shown, .. } = *place;
        match mistake {
            Mistake::Type => {
                let message = match place.after {
                    Some(after) => format!("expected a type after {after}, found {shown}"),
                    None => format!("expected a type, found {shown}"),
                };
                SyntaxError::new(SyntaxCode::ExpectedType, range, message).help(
                    "a type is `Int`, `[String]`, `{ name : String }`, `Int -> Int`, `Always | OnFailure Int`, …",
                )
            }
            Mistake::SeveralTypes => SyntaxError::new(
                SyntaxCode::ExpectedType,
                range,
                format!("expected one type, found {shown}"),
            )
            .help(
                "all items of a list have one type, `[Int]`; several types stand in a record, `{ a : Int, b : String }`",
            ),
            Mistake::TypeArrow => {
                SyntaxError::new(SyntaxCode::Unexpected, range, "expected `->`, found `=>`")
                    .help("the type of a function is written `Int -> Int`")
                    .edit(range, "->")
            }
            Mistake::Alternative => SyntaxError::new(
                SyntaxCode::ExpectedType,
                range,
                format!("expected a tag after `|`, found {shown}"),
            )
            .help("a union is written `Always | OnFailure Int`; each alternative is a tag"),
            Mistake::Alternatives => {
                SyntaxError::new(SyntaxCode::ExpectedType, range, "what is before `|` is no tag")
                    .label("joins the tags of a union")
                    .help("each alternative is a tag with one type at most: `Always | OnFailure Int`")
            }
            Mistake::AlternativePayload => SyntaxError::new(
                SyntaxCode::TagPayload,
                range,
                format!("a tag carries one value, and {shown} would be its second"),
            )
            .help("put the type in parentheses, or several values in a record: `Tag { a : Int, b : Int }`"),
            Mistake::TypeField => SyntaxError::new(
                SyntaxCode::ExpectedType,
                range,
                format!("expected the name of a field, found {shown}"),
            )
            .help("the type of a record is written `{ name : String, home ? : String }`"),
            Mistake::FieldColon => {
                let end = place.before.map_or(range, |key| self.last_range_of(key)).end();
                SyntaxError::new(
                    SyntaxCode::ExpectedType,
                    TextRange::empty(end),
                    format!("expected `:` and a type, found {shown}"),
                )
                .label("expected `:`")
                .help("the type of a record is written `{ name : String, home ? : String }`")
            }
            Mistake::FieldEquals => {
                SyntaxError::new(SyntaxCode::ExpectedType, range, "expected `:`, found `=`")
                    .help("the type of a record is written `{ name : String, home ? : String }`")
                    .edit(range, ":")
            }
            Mistake::DeclaredName => self.declared_name(place),
            Mistake::UpperVariable => {
                let error = SyntaxError::new(
                    SyntaxCode::NameCase,
                    self.found_range(place),
                    "the parameter of a type begins with a small letter",
                );
                self.rename(error, place.found, false)
            }
            _ => {
                let end = place.before.map_or(range, |name| self.last_range_of(name)).end();
                SyntaxError::new(
                    SyntaxCode::MissingEquals,
                    TextRange::empty(end),
                    format!(
                        "expected `=` after {}, found {shown}",
                        place.after.unwrap_or("`type`")
                    ),
                )
                .label("expected `=`")
                .help("a type is declared by `type Name = Type;`")
            }
        }
    }

    fn declared_name(&self, place: &Place<'_>) -> SyntaxError {
        if place.found.is_some_and(|found| found.is(SyntaxKind::Ident)) {
            let error = SyntaxError::new(
                SyntaxCode::NameCase,
                self.found_range(place),
                "the name of a type begins with a capital",
            );
            return self.rename(error, place.found, true);
        }
        SyntaxError::new(
            SyntaxCode::ExpectedType,
            place.range,
            format!(
                "expected the name of a type after `type`, found {}",
                place.shown
            ),
        )
        .help("a type is declared by `type Name = Type;`")
    }

    /// The error for a name that is bound and begins with a capital: the parameter of a function.
    pub(super) fn upper_name(&self, mistake: Mistake, place: &Place<'_>) -> SyntaxError {
        let name = match mistake {
            Mistake::UpperName => place.before.copied(),
            _ => place.found,
        };
        let range = name.map_or(place.range, |name| self.range_of(&name));
        let error = SyntaxError::new(
            SyntaxCode::NameCase,
            range,
            "a parameter begins with a small letter",
        )
        .label("capitals are for tags and types");
        self.rename(error, name, false)
    }

    /// Adds the edit that writes a name with another first letter. Only this place is changed, so
    /// it is no fix where the name is used elsewhere.
    fn rename(&self, error: SyntaxError, name: Option<Item>, upper: bool) -> SyntaxError {
        let text = name
            .and_then(|name| self.tokens.get(name.start as usize))
            .map_or("", |token| token.text(self.source));
        let mut letters = text.chars();
        let Some(first) = letters.next().filter(char::is_ascii_alphabetic) else {
            return error;
        };
        let first = if upper {
            first.to_ascii_uppercase()
        } else {
            first.to_ascii_lowercase()
        };
        error.help(format!("write `{first}{}`", letters.as_str()))
    }

    /// The error for a mistake in a `match`.
    pub(super) fn in_match(&self, mistake: Mistake, place: &Place<'_>) -> SyntaxError {
        let Place { range, shown, .. } = *place;
        match mistake {
            Mistake::Arms => {
                let word = place.items.iter().take(place.at).rev();
                let word = word.into_iter().find(|item| item.is(SyntaxKind::MatchKw));
                SyntaxError::new(
                    SyntaxCode::IncompleteMatch,
                    word.map_or(range, |word| self.range_of(word)),
                    format!("this `match` has no arms: expected `{{` before {shown}"),
                )
                .help("a match is written `match value { Tag => a; Other n => b; _ => c; }`")
            }
            Mistake::ArmArrow => {
                let end = place
                    .before
                    .map_or(range, |before| self.last_range_of(before))
                    .end();
                let end = TextRange::empty(end);
                SyntaxError::new(
                    SyntaxCode::IncompleteMatch,
                    end,
                    format!(
                        "expected `=>` after {}, found {shown}",
                        place.after.unwrap_or("the pattern")
                    ),
                )
                .label("expected `=>`")
                .help("an arm is written `Tag => value;`")
            }
            _ => self.arm_pattern(place),
        }
    }

    fn arm_pattern(&self, place: &Place<'_>) -> SyntaxError {
        let error = SyntaxError::new(
            SyntaxCode::ExpectedArm,
            self.found_range(place),
            match place.after {
                Some(after) => format!("unexpected {} after {after}, in a pattern", place.shown),
                None => format!("expected a pattern, found {}", place.shown),
            },
        );
        let found = place.found.map(|found| found.term);
        match (place.after.is_some(), found) {
            (_, Some(Term::Token(SyntaxKind::Bar))) => {
                error.help("an arm has one pattern: write an arm for each")
            }
            (_, Some(Term::Token(SyntaxKind::Eq))) => error.help("an arm is written `Tag => value;`"),
            (false, Some(Term::Group(SyntaxKind::RecordPattern, _))) => {
                error.help("fields are taken from a tag's payload: `Tag { a, b } => …`")
            }
            (true, _) => error.help(
                "a tag's payload is taken by a name, `_` or `{ fields }`; match again inside of the arm",
            ),
            _ => error.help(
                "a pattern is a tag with a name or fields, a name, `_`, an integer, a string, `true` or `false`",
            ),
        }
    }

    /// The error for an `assert` that lacks a word.
    pub(super) fn incomplete_assert(&self, mistake: Mistake, place: &Place<'_>) -> SyntaxError {
        let word = if mistake == Mistake::AssertElse {
            "else"
        } else {
            "then"
        };
        let opened = innermost(place.items, place.at);
        SyntaxError::new(
            SyntaxCode::IncompleteAssert,
            opened.map_or(range(0, 0), |(_, item)| self.range_of(&item)),
            format!(
                "this `assert` has no `{word}`: expected it before {}",
                place.shown
            ),
        )
        .help("an `assert` is written `assert condition else \"message\" then value`")
    }

    /// The place of what was found, wherever it is.
    fn found_range(&self, place: &Place<'_>) -> TextRange {
        place
            .found
            .filter(|_| place.at < place.items.len())
            .map_or(place.range, |found| self.range_of(&found))
    }
}
