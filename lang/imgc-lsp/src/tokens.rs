//! Semantic tokens in the numbers of LSP, and what changed since an earlier answer.

use imgc_ide::{Modifier, SemanticToken, TokenType};
use lsp_types as lsp;

use crate::convert::Lines;

/// The sorts and what else is known, in the order of their numbers.
pub(crate) fn legend() -> lsp::SemanticTokensLegend {
    let types = TokenType::ALL.iter().map(|ty| match ty {
        TokenType::Keyword => lsp::SemanticTokenType::KEYWORD,
        TokenType::Comment => lsp::SemanticTokenType::COMMENT,
        TokenType::String => lsp::SemanticTokenType::STRING,
        TokenType::Number => lsp::SemanticTokenType::NUMBER,
        TokenType::Operator => lsp::SemanticTokenType::OPERATOR,
        TokenType::Namespace => lsp::SemanticTokenType::NAMESPACE,
        TokenType::Function => lsp::SemanticTokenType::FUNCTION,
        TokenType::Variable => lsp::SemanticTokenType::VARIABLE,
        TokenType::Parameter => lsp::SemanticTokenType::PARAMETER,
        TokenType::Property => lsp::SemanticTokenType::PROPERTY,
        TokenType::Type => lsp::SemanticTokenType::TYPE,
        TokenType::TypeParameter => lsp::SemanticTokenType::TYPE_PARAMETER,
        TokenType::EnumMember => lsp::SemanticTokenType::ENUM_MEMBER,
    });
    let modifiers = Modifier::ALL.iter().map(|modifier| match modifier {
        Modifier::Declaration => lsp::SemanticTokenModifier::DECLARATION,
        Modifier::DefaultLibrary => lsp::SemanticTokenModifier::DEFAULT_LIBRARY,
        Modifier::Documentation => lsp::SemanticTokenModifier::DOCUMENTATION,
    });
    lsp::SemanticTokensLegend {
        token_types: types.collect(),
        token_modifiers: modifiers.collect(),
    }
}

/// The tokens as LSP has them: each line for itself, places counted from the one before.
pub(crate) fn encode(lines: &Lines, tokens: &[SemanticToken]) -> Vec<lsp::SemanticToken> {
    let mut found = Vec::new();
    let mut before = lsp::Position::default();
    for token in tokens {
        let (first, last) = (
            lines.position(token.range.start()),
            lines.position(token.range.end()),
        );
        let ty = TokenType::ALL.iter().position(|ty| *ty == token.ty);
        let bits = token.modifiers.iter().filter_map(|modifier| {
            let at = Modifier::ALL.iter().position(|known| known == modifier)?;
            Some(1_u32 << at)
        });
        let bits: u32 = bits.sum();
        for line in first.line..=last.line {
            let start = if line == first.line {
                first
            } else {
                lsp::Position::new(line, 0)
            };
            let end = if line == last.line {
                last
            } else {
                // Without the end of the line.
                let range = lines.line(line);
                let text = &lines.text[std::ops::Range::<usize>::from(range)];
                let length = text.trim_end_matches(['\n', '\r']).len();
                let length = u32::try_from(length).unwrap_or_default();
                lines.position(range.start() + imgc_syntax::TextSize::new(length))
            };
            let length = end.character.saturating_sub(start.character);
            if length == 0 {
                continue;
            }
            let delta_line = start.line - before.line;
            let delta_start = if delta_line == 0 {
                start.character - before.character
            } else {
                start.character
            };
            found.push(lsp::SemanticToken {
                delta_line,
                delta_start,
                length,
                token_type: u32::try_from(ty.unwrap_or_default()).unwrap_or_default(),
                token_modifiers_bitset: bits,
            });
            before = start;
        }
    }
    found
}

/// What makes the later tokens of the earlier ones: one piece in the place of another.
pub(crate) fn difference(
    before: &[lsp::SemanticToken],
    after: &[lsp::SemanticToken],
) -> Vec<lsp::SemanticTokensEdit> {
    let same = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let (old, new) = (&before[same..], &after[same..]);
    let ends = old.iter().rev().zip(new.iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
    if old.is_empty() && new.is_empty() {
        return Vec::new();
    }
    // Each token is five numbers.
    let number = |tokens: usize| u32::try_from(tokens * 5).unwrap_or(u32::MAX);
    vec![lsp::SemanticTokensEdit {
        start: number(same),
        delete_count: number(old.len()),
        data: Some(new.to_vec()),
    }]
}
