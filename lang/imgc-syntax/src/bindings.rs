//! What ends in `;`: the bindings of a record or `let`, and the arms of a `match`. Finds where each
//! begins and ends, also where a `;` is missing, has each parsed, and reports separators that are
//! wrong.

use text_size::TextRange;

use crate::arena::NodeId;
use crate::error::{Edit, SyntaxCode, SyntaxError};
use crate::group::Group;
use crate::kind::SyntaxKind;
use crate::segment::{Entry, Item, Term};

/// What ends a binding or arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    Semicolon,
    Comma,
    /// A new one begins.
    None,
    /// The bracket's end.
    End,
}

/// Parses all bindings or arms of a bracket.
pub(crate) fn parse(group: &mut Group<'_, '_>, entry: Entry, items: &[Item]) -> Vec<NodeId> {
    let mut nodes = Vec::new();
    let mut commas: Vec<Item> = Vec::new();
    // Commas beside a bracket that was lost are probably those of its list.
    let spoilt = group.close.tainted || items.iter().any(|item| item.tainted);
    // Once `:` or `,` was reported, the same again in this bracket is no news: more to mend at once.
    let mut colons = false;
    let mut reported: Option<usize> = None;
    let mut missed: Option<TextRange> = None;
    let mut from = 0;
    while from < items.len() {
        let rest = items.get(from..).unwrap_or_default();
        let (length, separator) = length(group, entry, rest);
        let segment = rest.get(..length).unwrap_or_default();
        let mut after = rest.get(length).copied().unwrap_or(group.end());
        after.tainted |= spoilt && (separator == Separator::Comma || !commas.is_empty());
        let has_separator = matches!(separator, Separator::Semicolon | Separator::Comma);
        from += length + usize::from(has_separator);
        if separator == Separator::Comma {
            commas.push(after);
        }
        if segment.is_empty() {
            if separator == Separator::Semicolon && !after.tainted {
                extra_semicolon(group, after, entry);
            }
            continue;
        }
        let colon = stray_colon(segment);
        let errors = group.parser.errors.len();
        let outcome = match colon {
            Some(at) if colons => {
                let mut segment = segment.to_vec();
                if let Some(item) = segment.get_mut(at) {
                    let edit = edit(group, item, " =");
                    item.term = Term::Token(SyntaxKind::Eq);
                    if let Some(reported) = reported {
                        group.parser.errors.more_edits(reported, [edit]);
                    }
                }
                group.parser.parse(entry, &segment, Some(after))
            }
            _ => group.parser.parse(entry, segment, Some(after)),
        };
        if colon.is_some() {
            colons = true;
            let is_new = group.parser.errors.code(errors) == Some(SyntaxCode::ColonForEquals);
            reported = reported.or(is_new.then_some(errors));
        }
        if let Some(node) = outcome.node {
            if let Some(rest) = outcome.rest {
                group.parser.arena.append(node, rest);
            }
            nodes.push(node);
        }
        if outcome.clean && !spoilt {
            misplaced(group, entry, segment);
        }
        if let Some(last) = segment.last()
            && !has_separator
            && outcome.clean
        {
            let place = TextRange::empty(group.wording().last_range_of(last).end());
            if separator == Separator::End && !commas.is_empty() {
                missed = Some(place);
            } else {
                missing_semicolon(group, place, entry);
            }
        }
    }
    if let Some(first) = commas.first()
        && !spoilt
    {
        let mut edits: Vec<Edit> = commas.iter().map(|comma| edit(group, comma, ";")).collect();
        edits.extend(missed.map(|range| Edit {
            range,
            text: ";".to_owned(),
        }));
        match reported {
            // It is a record as other languages write it: one mistake.
            Some(reported) => group.parser.errors.more_edits(reported, edits),
            None => wrong_commas(group, *first, edits, entry),
        }
    }
    nodes
}

/// The edit that writes something else in the place of a token.
fn edit(group: &Group<'_, '_>, item: &Item, text: &str) -> Edit {
    Edit {
        range: group.wording().range_of(item),
        text: text.to_owned(),
    }
}

/// How long the binding or arm at the start of `items` is, and what ends it.
fn length(group: &mut Group<'_, '_>, entry: Entry, items: &[Item]) -> (usize, Separator) {
    let (length, separator, doubtful) = match entry {
        Entry::Arm => arm_length(group, items),
        _ => binding_length(group, items),
    };
    // A type or key may go on in the next line with what looks like a key: `x : Map⏎ y = 1`.
    if let Some(at) = doubtful
        && !group
            .parser
            .is_fine(entry, items.get(..length).unwrap_or_default())
    {
        return (at, Separator::None);
    }
    (length, separator)
}

/// The third is where a binding begins unless what is before it goes on.
fn binding_length(group: &Group<'_, '_>, items: &[Item]) -> (usize, Separator, Option<usize>) {
    let mut first_eq = None;
    let mut colon = false;
    let mut doubtful = None;
    for (at, item) in items.iter().enumerate() {
        match item.term {
            Term::Token(SyntaxKind::Semi) => return (at, Separator::Semicolon, doubtful),
            Term::Token(SyntaxKind::Comma) => return (at, Separator::Comma, doubtful),
            Term::Token(SyntaxKind::TypeKw) if at > 0 => return (at, Separator::None, None),
            Term::Token(kind @ (SyntaxKind::Eq | SyntaxKind::TypeColon)) => {
                let is_eq = kind == SyntaxKind::Eq;
                match first_eq {
                    Some(first) => {
                        let key = key_start(items, at);
                        if key > first + 1 && key < at {
                            return (key, Separator::None, None);
                        }
                    }
                    None if is_eq => first_eq = Some(at),
                    None if colon => {
                        let key = key_start(items, at);
                        if key > 0 && key < at {
                            return (key, Separator::None, None);
                        }
                    }
                    None => colon = true,
                }
            }
            Term::Token(SyntaxKind::Colon) => colon = true,
            _ if at > 0 && starts_line(group, item) && begins_binding(items, at) => {
                let after_dot = items
                    .get(at - 1)
                    .is_some_and(|before| before.is(SyntaxKind::Dot));
                let goes_on = first_eq.is_none() && (colon || after_dot) || is_declaration(items);
                if !goes_on {
                    return (at, Separator::None, None);
                }
                doubtful = doubtful.or(Some(at));
            }
            _ => {}
        }
    }
    (items.len(), Separator::End, doubtful)
}

/// As [`binding_length`]. A second `=>` shows where another arm begins, if what is before it is
/// complete.
fn arm_length(group: &Group<'_, '_>, items: &[Item]) -> (usize, Separator, Option<usize>) {
    let mut first_arrow = None;
    for (at, item) in items.iter().enumerate() {
        match item.term {
            Term::Token(SyntaxKind::Semi) => return (at, Separator::Semicolon, None),
            Term::Token(SyntaxKind::Comma) => return (at, Separator::Comma, None),
            Term::Token(SyntaxKind::Arrow) => match first_arrow {
                None => first_arrow = Some(at),
                Some(first) => {
                    let start = pattern_start(items, at);
                    let before = start.checked_sub(1).and_then(|before| items.get(before));
                    let complete = before.is_some_and(ends_expression);
                    if start > first + 1 && start < at && complete {
                        return (start, Separator::None, None);
                    }
                }
            },
            _ if at > 0 && first_arrow.is_none() && starts_line(group, item) => {
                let before = at.checked_sub(1).and_then(|before| items.get(before));
                if before.is_some_and(ends_expression) && begins_arm(items, at) {
                    return (at, Separator::None, None);
                }
            }
            _ => {}
        }
    }
    (items.len(), Separator::End, None)
}

fn starts_line(group: &Group<'_, '_>, item: &Item) -> bool {
    let before = (item.start as usize).checked_sub(1);
    let before = before.and_then(|at| group.parser.tokens.get(at));
    before.is_some_and(|before| {
        before.kind == SyntaxKind::Whitespace && before.text(group.parser.source).contains('\n')
    })
}

fn is_declaration(items: &[Item]) -> bool {
    items
        .first()
        .is_some_and(|first| first.is(SyntaxKind::TypeKw))
}

fn is_key(item: Option<&Item>) -> bool {
    item.is_some_and(|item| {
        matches!(
            item.term,
            Term::Token(SyntaxKind::Ident | SyntaxKind::UpperIdent)
                | Term::Group(SyntaxKind::Str, _)
        )
    })
}

/// Longest key path that is looked for.
const LONGEST_KEY: usize = 32;

/// Where the `=` or `:` after the key path at `from` is.
fn key_end(items: &[Item], from: usize) -> Option<usize> {
    let mut at = from;
    while at < from + LONGEST_KEY && is_key(items.get(at)) {
        at += 1;
        if !items.get(at)?.is(SyntaxKind::Dot) {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn begins_binding(items: &[Item], from: usize) -> bool {
    key_end(items, from)
        .and_then(|at| items.get(at))
        .is_some_and(|item| item.is(SyntaxKind::Eq) || item.is(SyntaxKind::TypeColon))
}

/// Where the key path before the `=` or `:` at `end` begins; `end` itself if there is none.
fn key_start(items: &[Item], end: usize) -> usize {
    let mut start = end;
    for _ in 0..LONGEST_KEY {
        let Some(before) = start.checked_sub(1) else {
            break;
        };
        if !is_key(items.get(before)) {
            break;
        }
        start = before;
        match start.checked_sub(1) {
            Some(dot) if items.get(dot).is_some_and(|item| item.is(SyntaxKind::Dot)) => start = dot,
            _ => break,
        }
    }
    // A path that begins with `.` belongs to what is before it.
    if items
        .get(start)
        .is_some_and(|item| item.is(SyntaxKind::Dot))
    {
        end
    } else {
        start
    }
}

/// Where the pattern before the `=>` at `arrow` begins; `arrow` itself if there is none.
fn pattern_start(items: &[Item], arrow: usize) -> usize {
    let term = |back: usize| {
        let at = arrow.checked_sub(back)?;
        items.get(at).map(|item| item.term)
    };
    match (term(2), term(1)) {
        (
            Some(Term::Token(SyntaxKind::UpperIdent)),
            Some(Term::Token(SyntaxKind::Ident) | Term::Group(SyntaxKind::RecordPattern, _)),
        )
        | (Some(Term::Token(SyntaxKind::Minus)), Some(Term::Token(SyntaxKind::Int))) => arrow - 2,
        (
            _,
            Some(
                Term::Token(
                    SyntaxKind::Ident
                    | SyntaxKind::UpperIdent
                    | SyntaxKind::Int
                    | SyntaxKind::TrueKw
                    | SyntaxKind::FalseKw,
                )
                | Term::Group(SyntaxKind::Str, _),
            ),
        ) => arrow - 1,
        _ => arrow,
    }
}

fn begins_arm(items: &[Item], from: usize) -> bool {
    let arrow = items
        .iter()
        .skip(from)
        .take(3)
        .position(|item| item.is(SyntaxKind::Arrow));
    arrow.is_some_and(|length| length > 0 && pattern_start(items, from + length) == from)
}

/// Whether an expression may be complete after this.
fn ends_expression(item: &Item) -> bool {
    match item.term {
        Term::Token(kind) => matches!(
            kind,
            SyntaxKind::Ident
                | SyntaxKind::UpperIdent
                | SyntaxKind::Int
                | SyntaxKind::PathText
                | SyntaxKind::StdModule
                | SyntaxKind::TrueKw
                | SyntaxKind::FalseKw
        ),
        Term::Group(kind, _) => !matches!(
            kind,
            SyntaxKind::LetHead | SyntaxKind::RecordPattern | SyntaxKind::NamePattern
        ),
        Term::Start(_) => false,
    }
}

/// Where a `:` stands after the key of a binding that no type follows.
fn stray_colon(items: &[Item]) -> Option<usize> {
    key_end(items, 0).filter(|&at| items.get(at).is_some_and(|item| item.is(SyntaxKind::Colon)))
}

/// Reports what is well-formed and must not stand in such a bracket.
fn misplaced(group: &mut Group<'_, '_>, entry: Entry, segment: &[Item]) {
    let Some(first) = segment.first() else { return };
    let place = group.wording().range_of(first);
    let error = match first.term {
        _ if entry == Entry::Arm => {
            let Some(error) = wrong_pattern(group, segment) else {
                return;
            };
            error
        }
        Term::Token(SyntaxKind::TypeKw) if !group.is_let() => SyntaxError::new(
            SyntaxCode::MisplacedType,
            place,
            "a type is declared in a `let`, not in a record",
        )
        .help("move it into the `let` around the record"),
        Term::Token(SyntaxKind::UpperIdent) if group.is_let() || segment.len() == 1 => {
            let what = if group.is_let() {
                "a name that is bound begins with a small letter"
            } else {
                "no variable begins with a capital, so this field has no value"
            };
            SyntaxError::new(SyntaxCode::NameCase, place, what).help(
                "capitals are for tags, types, and the fields of records: `{ PATH = \"/bin\"; }`",
            )
        }
        _ => return,
    };
    group.parser.errors.push(error);
}

/// The error for a pattern that is well-formed as something else: a string with `${}`, fields with
/// defaults.
fn wrong_pattern(group: &Group<'_, '_>, segment: &[Item]) -> Option<SyntaxError> {
    let arena = &group.parser.arena;
    let range = |item: &Item| group.wording().range_of(item);
    match segment {
        [string, ..] if let Term::Group(SyntaxKind::Str, node) = string.term => {
            let computed = !arena.children(node).is_empty();
            computed.then(|| {
                SyntaxError::new(
                    SyntaxCode::ExpectedArm,
                    range(string),
                    "a string in a pattern is not computed",
                )
                .help("write it without `${}`, or compare in an `if`")
            })
        }
        [_, fields, ..] if let Term::Group(SyntaxKind::RecordPattern, node) = fields.term => {
            let defaults = arena.children(node).iter().any(|field| {
                let of_field = arena.children(*field);
                let mut parts = of_field.iter().filter_map(|part| arena.kind(*part));
                parts.any(SyntaxKind::is_expr)
            });
            defaults.then(|| {
                SyntaxError::new(
                    SyntaxCode::ExpectedArm,
                    range(fields),
                    "the fields of a payload have no defaults",
                )
                .help("defaults are for the parameters of functions")
            })
        }
        _ => None,
    }
}

fn extra_semicolon(group: &mut Group<'_, '_>, semicolon: Item, entry: Entry) {
    let place = group.wording().range_of(&semicolon);
    group.parser.errors.push(
        SyntaxError::new(SyntaxCode::Unexpected, place, "unexpected `;`")
            .label(format!("there is no {} before it", noun(entry)))
            .help("remove it")
            .edit(place, ""),
    );
}

fn missing_semicolon(group: &mut Group<'_, '_>, place: TextRange, entry: Entry) {
    let noun = noun(entry);
    group.parser.errors.push(
        SyntaxError::new(
            SyntaxCode::MissingSemicolon,
            place,
            format!("this {noun} does not end in `;`"),
        )
        .label("expected `;`")
        .help(format!("write `;` after every {noun}, the last one too"))
        .edit(place, ";"),
    );
}

fn wrong_commas(group: &mut Group<'_, '_>, first: Item, edits: Vec<Edit>, entry: Entry) {
    let mut error = SyntaxError::new(
        SyntaxCode::CommaBetweenBindings,
        group.wording().range_of(&first),
        "expected `;`, found `,`",
    )
    .help(format!(
        "{}s end in `;`; commas separate the elements of a list",
        noun(entry)
    ));
    error.fix = edits;
    group.parser.errors.push(error);
}

fn noun(entry: Entry) -> &'static str {
    if entry == Entry::Arm {
        "arm"
    } else {
        "binding"
    }
}
