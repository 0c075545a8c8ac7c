//! What sort of mistake the parser stopped at, and what helps. It decides by what was found and by
//! what could have stood there. The words are elsewhere.

use crate::kind::SyntaxKind;
use crate::segment::{Entry, Item, Term};
use crate::wording::Mistake;

/// Where the parser stopped, and what it could have gone on with.
pub(crate) struct Stop {
    pub(crate) at: usize,
    pub(crate) expected: Vec<String>,
}

/// What to do about a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Put a terminal in where the parser stopped.
    PutIn(SyntaxKind),
    /// Take the item at an index for another terminal.
    Replace(usize, SyntaxKind),
    /// Leave out what stands before an index.
    SkipTo(usize),
    /// Leave out everything from where the parser stopped.
    Cut,
    GiveUp,
}

/// What sort of mistake it is that the parser stopped at, and what helps.
pub(crate) fn classify(entry: Entry, items: &[Item], stop: &Stop) -> (Mistake, Remedy) {
    let place = Place { entry, items, stop };
    place
        .wrong_token()
        .or_else(|| place.in_arm_pattern())
        .or_else(|| place.at_start())
        .or_else(|| place.in_declaration())
        .or_else(|| place.in_type())
        .or_else(|| place.in_expression())
        .unwrap_or(if place.found().is_some() {
            (Mistake::Unexpected, Remedy::Cut)
        } else {
            (Mistake::Expression, Remedy::GiveUp)
        })
}

/// The place where the parser stopped.
struct Place<'a> {
    entry: Entry,
    items: &'a [Item],
    stop: &'a Stop,
}

type Answer = Option<(Mistake, Remedy)>;

impl Place<'_> {
    fn expects(&self, terminal: &str) -> bool {
        self.stop
            .expected
            .iter()
            .any(|expected| expected == terminal)
    }

    fn found(&self) -> Option<&Item> {
        self.items.get(self.stop.at)
    }

    fn found_is(&self, kind: SyntaxKind) -> bool {
        self.found().is_some_and(|found| found.is(kind))
    }

    fn before(&self) -> Option<&Item> {
        self.stop
            .at
            .checked_sub(1)
            .and_then(|at| self.items.get(at))
    }

    fn before_is(&self, kind: SyntaxKind) -> bool {
        self.before().is_some_and(|before| before.is(kind))
    }

    /// Where the next token of a kind is.
    fn later(&self, kind: SyntaxKind) -> Option<usize> {
        let rest = self.items.get(self.stop.at..)?;
        let length = rest.iter().position(|item| item.is(kind))?;
        Some(self.stop.at + length)
    }

    fn earlier(&self, kind: SyntaxKind) -> bool {
        let mut before = self.items.iter().take(self.stop.at);
        before.any(|item| item.is(kind))
    }

    /// One token in the place of another.
    fn wrong_token(&self) -> Answer {
        let at = self.stop.at;
        let found = self.found().map(|found| found.term)?;
        let Term::Token(found) = found else {
            return None;
        };
        let takes_upper = self.before_is(SyntaxKind::UpperIdent) && self.entry != Entry::Arm
            || self.earlier(SyntaxKind::Arrow);
        match found {
            SyntaxKind::ThinArrow if self.expects("\"=>\"") => {
                Some((Mistake::ThinArrow, Remedy::Replace(at, SyntaxKind::Arrow)))
            }
            SyntaxKind::Arrow if self.expects("\"->\"") => Some((
                Mistake::TypeArrow,
                Remedy::Replace(at, SyntaxKind::ThinArrow),
            )),
            SyntaxKind::Arrow if takes_upper && self.before_is(SyntaxKind::UpperIdent) => Some((
                Mistake::UpperName,
                Remedy::Replace(at - 1, SyntaxKind::Ident),
            )),
            SyntaxKind::UpperIdent if at == 0 && self.entry == Entry::Param => {
                Some((Mistake::UpperParam, Remedy::Replace(at, SyntaxKind::Ident)))
            }
            SyntaxKind::Colon if self.expects("\"=>\"") => {
                Some((Mistake::Arrow, Remedy::Replace(at, SyntaxKind::Arrow)))
            }
            SyntaxKind::Colon if self.entry == Entry::Binding && self.expects("\"=\"") => {
                Some((Mistake::ColonForEquals, Remedy::Replace(at, SyntaxKind::Eq)))
            }
            SyntaxKind::Eq if self.entry == Entry::PatternField && self.expects("\"?\"") => Some((
                Mistake::DefaultEquals,
                Remedy::Replace(at, SyntaxKind::Question),
            )),
            SyntaxKind::Eq if self.entry == Entry::TypeField && self.expects("\":\"") => Some((
                Mistake::FieldEquals,
                Remedy::Replace(at, SyntaxKind::TypeColon),
            )),
            _ => None,
        }
    }

    /// Before the `=>` of an arm.
    fn in_arm_pattern(&self) -> Answer {
        if self.entry != Entry::Arm || self.earlier(SyntaxKind::Arrow) {
            return None;
        }
        let at = self.stop.at;
        match self.later(SyntaxKind::Arrow) {
            Some(0) => Some((Mistake::ArmPattern, Remedy::PutIn(SyntaxKind::Missing))),
            Some(arrow) if at == 0 && arrow == 1 => Some((
                Mistake::ArmPattern,
                Remedy::Replace(at, SyntaxKind::Missing),
            )),
            Some(arrow) if arrow > at => Some((Mistake::ArmPattern, Remedy::SkipTo(arrow))),
            _ if self.expects("\"=>\"") => {
                Some((Mistake::ArmArrow, Remedy::PutIn(SyntaxKind::Arrow)))
            }
            _ => Some((Mistake::ArmPattern, Remedy::GiveUp)),
        }
    }

    /// The first token of a segment that must begin with a name.
    fn at_start(&self) -> Answer {
        if self.stop.at > 0 {
            return None;
        }
        match self.entry {
            Entry::Binding
                if !self.found_is(SyntaxKind::Eq) && !self.found_is(SyntaxKind::TypeColon) =>
            {
                Some((Mistake::Binding, Remedy::GiveUp))
            }
            Entry::PatternField => Some((Mistake::Pattern, Remedy::GiveUp)),
            Entry::TypeField if !self.found_is(SyntaxKind::TypeColon) => {
                Some((Mistake::TypeField, Remedy::GiveUp))
            }
            Entry::Param if self.expects("missing") => {
                Some((Mistake::Pattern, Remedy::PutIn(SyntaxKind::Missing)))
            }
            _ => None,
        }
    }

    /// Before the `=` of a `type`.
    fn in_declaration(&self) -> Answer {
        let is_declaration = self.entry == Entry::Binding
            && self.items.first()?.is(SyntaxKind::TypeKw)
            && !self.earlier(SyntaxKind::Eq);
        if !is_declaration {
            return None;
        }
        let at = self.stop.at;
        if at == 1 {
            let remedy = if self.found_is(SyntaxKind::Ident) {
                Remedy::Replace(at, SyntaxKind::UpperIdent)
            } else {
                Remedy::GiveUp
            };
            return Some((Mistake::DeclaredName, remedy));
        }
        if self.found_is(SyntaxKind::UpperIdent) && self.later(SyntaxKind::Eq).is_some() {
            return Some((
                Mistake::UpperVariable,
                Remedy::Replace(at, SyntaxKind::Ident),
            ));
        }
        Some((Mistake::DeclaredEquals, Remedy::PutIn(SyntaxKind::Eq)))
    }

    fn in_type(&self) -> Answer {
        let at = self.stop.at;
        // After a type's name an argument could follow as well: then nothing is missing.
        let complete = self.expects("\"->\"");
        if self.expects("missing") && self.before_is(SyntaxKind::Bar) && !self.expects("typegroup")
        {
            let remedy = match self.found().map(|found| found.term) {
                Some(Term::Group(..) | Term::Token(SyntaxKind::Ident)) => {
                    Remedy::Replace(at, SyntaxKind::Missing)
                }
                _ => Remedy::PutIn(SyntaxKind::Missing),
            };
            return Some((Mistake::Alternative, remedy));
        }
        if self.expects("missing") && self.expects("typegroup") && !complete {
            let stands_for_it = self.found().is_some_and(|found| match found.term {
                Term::Group(..) => true,
                Term::Token(kind) => matches!(
                    kind,
                    SyntaxKind::Int
                        | SyntaxKind::PathText
                        | SyntaxKind::StdModule
                        | SyntaxKind::TrueKw
                        | SyntaxKind::FalseKw
                        | SyntaxKind::BadToken
                ),
                Term::Start(_) => false,
            });
            let remedy = if stands_for_it {
                Remedy::Replace(at, SyntaxKind::Missing)
            } else {
                Remedy::PutIn(SyntaxKind::Missing)
            };
            return Some((Mistake::Type, remedy));
        }
        if self.entry == Entry::TypeField && self.expects("\":\"") {
            return Some((Mistake::FieldColon, Remedy::PutIn(SyntaxKind::TypeColon)));
        }
        if !complete {
            return None;
        }
        let goes_on = match self.entry {
            Entry::Binding if !self.earlier(SyntaxKind::Eq) => self.later(SyntaxKind::Eq),
            Entry::PatternField => self.later(SyntaxKind::Question),
            _ => None,
        };
        let remedy = goes_on.map_or(Remedy::Cut, Remedy::SkipTo);
        let found = self.found()?;
        if found.is(SyntaxKind::Bar) {
            return Some((Mistake::Alternatives, remedy));
        }
        if begins_type(found) && !self.expects("typegroup") && self.earlier(SyntaxKind::Bar) {
            return Some((Mistake::AlternativePayload, remedy));
        }
        if self.entry == Entry::Type && found.is(SyntaxKind::Comma) {
            return Some((Mistake::SeveralTypes, Remedy::Cut));
        }
        goes_on.map(|_| (Mistake::Unexpected, remedy))
    }

    fn in_expression(&self) -> Answer {
        if self.before_is(SyntaxKind::Dot) && self.expects("missing") {
            return Some((Mistake::Name, Remedy::PutIn(SyntaxKind::Missing)));
        }
        // After an operand an argument could follow as well as an operator: then nothing is missing.
        if self.expects("missing") && !self.expects("\"+\"") {
            let mistake = if self.before_is(SyntaxKind::ImportKw) {
                Mistake::Import
            } else {
                Mistake::Expression
            };
            let is_type = matches!(
                self.found().map(|found| found.term),
                Some(Term::Group(SyntaxKind::TypeParen, _))
            );
            let remedy = if is_type {
                Remedy::Replace(self.stop.at, SyntaxKind::Missing)
            } else {
                Remedy::PutIn(SyntaxKind::Missing)
            };
            return Some((mistake, remedy));
        }
        let after_parameter = self.before().is_some_and(|before| {
            matches!(
                before.term,
                Term::Group(SyntaxKind::RecordPattern | SyntaxKind::NamePattern, _)
            )
        });
        if after_parameter && self.expects("\"=>\"") {
            return Some((Mistake::Arrow, Remedy::PutIn(SyntaxKind::Arrow)));
        }
        self.after_operand().or_else(|| self.without_equals())
    }

    /// After something that is complete.
    fn after_operand(&self) -> Answer {
        let found = self.found();
        let at_keyword = found.is_none()
            || self.found_is(SyntaxKind::ThenKw)
            || self.found_is(SyntaxKind::ElseKw);
        if at_keyword && self.expects("\"then\"") {
            return Some((
                self.incomplete(Mistake::Then),
                Remedy::PutIn(SyntaxKind::ThenKw),
            ));
        }
        if at_keyword && self.expects("\"else\"") {
            return Some((
                self.incomplete(Mistake::Else),
                Remedy::PutIn(SyntaxKind::ElseKw),
            ));
        }
        if at_keyword && self.expects("arms") {
            return Some((Mistake::Arms, Remedy::PutIn(SyntaxKind::Arms)));
        }
        // Only after a tag with its payload operators can follow, and arguments can't.
        if self.expects("\"+\"") && !self.expects("int") && found.is_some_and(begins_value) {
            return Some((Mistake::TagPayload, Remedy::Cut));
        }
        None
    }

    /// What lacks its word: the `if`, or the `assert`.
    fn incomplete(&self, word: Mistake) -> Mistake {
        match (innermost(self.items, self.stop.at), word) {
            (Some((SyntaxKind::AssertKw, _)), Mistake::Then) => Mistake::AssertThen,
            (Some((SyntaxKind::AssertKw, _)), _) => Mistake::AssertElse,
            _ => word,
        }
    }

    fn without_equals(&self) -> Answer {
        let lacks = self.entry == Entry::Binding
            && !self.earlier(SyntaxKind::Eq)
            && self.found().is_none_or(begins_value)
            && self.expects("\"=\"");
        lacks.then_some((Mistake::Equals, Remedy::PutIn(SyntaxKind::Eq)))
    }
}

/// The innermost `if` or `assert` before `at` that lacks a `then` or `else`: its kind and place.
pub(crate) fn innermost(items: &[Item], at: usize) -> Option<(SyntaxKind, Item)> {
    let mut open: Vec<(SyntaxKind, Item)> = Vec::new();
    for item in items.iter().take(at) {
        let Term::Token(kind) = item.term else {
            continue;
        };
        // The word that ends each: `if … then … else`, `assert … else … then`.
        let ends = match open.last() {
            Some((SyntaxKind::IfKw, _)) => kind == SyntaxKind::ElseKw,
            Some(_) => kind == SyntaxKind::ThenKw,
            None => false,
        };
        if ends {
            open.pop();
        } else if matches!(kind, SyntaxKind::IfKw | SyntaxKind::AssertKw) {
            open.push((kind, *item));
        }
    }
    open.last().copied()
}

/// Whether an expression can begin with an item.
fn begins_value(item: &Item) -> bool {
    match item.term {
        Term::Group(..) => true,
        Term::Token(kind) => matches!(
            kind,
            SyntaxKind::Ident
                | SyntaxKind::UpperIdent
                | SyntaxKind::Int
                | SyntaxKind::PathText
                | SyntaxKind::StdModule
                | SyntaxKind::ImportKw
                | SyntaxKind::IfKw
                | SyntaxKind::MatchKw
                | SyntaxKind::AssertKw
                | SyntaxKind::TrueKw
                | SyntaxKind::FalseKw
        ),
        Term::Start(_) => false,
    }
}

/// Whether a type can begin with an item.
fn begins_type(item: &Item) -> bool {
    matches!(
        item.term,
        Term::Group(SyntaxKind::TypeParen, _)
            | Term::Token(SyntaxKind::Ident | SyntaxKind::UpperIdent)
    )
}
