//! Where tokens stand in lines and columns.

use super::Sig;
use crate::kind::SyntaxKind;
use crate::lex::Token;

/// Where a significant token stands in the layout.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) line: u32,
    /// Blanks at the start of the line.
    pub(super) indent: u32,
    /// Whether it is the first of its line.
    pub(super) first: bool,
}

/// The places of the significant tokens, in their order.
pub(super) fn places(tokens: &[Token], source: &str, sigs: &[Sig]) -> Vec<Place> {
    let mut places = Vec::with_capacity(sigs.len());
    let mut place = Place {
        first: true,
        ..Place::default()
    };
    let mut next = sigs.iter().peekable();
    for (index, token) in tokens.iter().enumerate() {
        let text = token.text(source);
        if next.peek().is_some_and(|sig| sig.start as usize == index) {
            next.next();
            places.push(place);
            place.first = false;
        } else if let Some(at) = text.rfind('\n') {
            let lines = text.bytes().filter(|&byte| byte == b'\n').count();
            place.line += u32::try_from(lines).expect("fewer lines than bytes of source");
            place.indent = u32::try_from(text.len() - at - 1).expect("shorter than the source");
            place.first = token.kind.is_trivia();
        } else if token.kind == SyntaxKind::Whitespace && token.start == 0 {
            place.indent = u32::try_from(text.len()).expect("shorter than the source");
        }
    }
    places
}
