//! Parameters of functions and patterns of arms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imgc_diag::codes;
use imgc_syntax::TextRange;
use imgc_syntax::ast::{self, AstNode as _};

use crate::ir::{
    Arm, ArmPattern, Expr, ExprId, Lambda, LocalId, Parameter, PatternField, Payload, RecordPattern,
};
use crate::problem::Problem;

use super::Lowerer;
use super::scope::{Bound, Scope};

impl Lowerer<'_> {
    /// `pattern => body`
    pub(super) fn lambda(&mut self, e: &ast::Lambda<'_>) -> ExprId {
        let range = e.range();
        let mut scope = Scope::default();
        let mut places = Vec::new();
        let parameter = match e.pattern() {
            None => {
                return self.body.add(range, Expr::Poison);
            }
            Some(ast::Pattern::Name(pattern)) => {
                places.push(pattern.range());
                let annotation = pattern.ty().map(|ty| self.annotation(&ty));
                Parameter::Any(self.name_pattern(&pattern, &mut scope), annotation)
            }
            Some(ast::Pattern::Record(pattern)) => {
                places.push(pattern.range());
                let (pattern, names) = self.record_pattern(&pattern, true, &mut scope);
                places.extend(names);
                Parameter::Fields(pattern)
            }
        };
        self.scopes.push(scope);
        self.note_scope(e.body().map(|body| body.range()));
        let body = self.expr_or_poison(e.body(), range);
        self.scopes.pop();
        let id = self
            .body
            .add(range, Expr::Lambda(Lambda { parameter, body }));
        for (part, range) in places.into_iter().enumerate() {
            self.body.part(id, part, range);
        }
        id
    }

    /// `match e { … }`
    pub(super) fn match_on(&mut self, e: &ast::Match<'_>) -> ExprId {
        let range = e.range();
        let scrutinee = self.expr_or_poison(e.scrutinee(), range);
        let mut arms = Vec::new();
        let mut places = Vec::new();
        for arm in e.arms() {
            let mut scope = Scope::default();
            let pattern = arm.pattern();
            places.push(
                pattern
                    .as_ref()
                    .map_or(arm.range(), |pattern| pattern.range()),
            );
            let pattern = match pattern {
                None => ArmPattern::Poison,
                Some(pattern) => self.arm_pattern(&pattern, &mut scope),
            };
            self.scopes.push(scope);
            self.note_scope(arm.body().map(|body| body.range()));
            let body = self.expr_or_poison(arm.body(), arm.range());
            self.scopes.pop();
            arms.push(Arm { pattern, body });
        }
        let id = self.body.add(range, Expr::Match { scrutinee, arms });
        for (part, range) in places.into_iter().enumerate() {
            self.body.part(id, part, range);
        }
        id
    }

    fn arm_pattern(&mut self, pattern: &ast::ArmPattern<'_>, scope: &mut Scope) -> ArmPattern {
        match pattern {
            ast::ArmPattern::Name(pattern) => ArmPattern::Any(self.name_pattern(pattern, scope)),
            ast::ArmPattern::Literal(literal) => match literal.value() {
                Some(ast::PatternValue::Int(number)) => ArmPattern::Int(number),
                Some(ast::PatternValue::Str(text)) => ArmPattern::Str(text.into()),
                Some(ast::PatternValue::Bool(truth)) => ArmPattern::Bool(truth),
                None => ArmPattern::Poison,
            },
            ast::ArmPattern::Tag(tag) => {
                let Some(name) = tag.name().and_then(|name| self.tag_name(&name)) else {
                    return ArmPattern::Poison;
                };
                let payload = match tag.payload() {
                    None => Payload::None,
                    Some(ast::Pattern::Name(pattern)) => {
                        Payload::Any(self.name_pattern(&pattern, scope))
                    }
                    Some(ast::Pattern::Record(pattern)) => {
                        Payload::Fields(self.record_pattern(&pattern, false, scope).0)
                    }
                };
                ArmPattern::Tag(name, payload)
            }
        }
    }

    fn name_pattern(
        &mut self,
        pattern: &ast::NamePattern<'_>,
        scope: &mut Scope,
    ) -> Option<LocalId> {
        let name = pattern.name().filter(|_| !pattern.is_wildcard())?;
        let text: Arc<str> = name.text().into();
        let local = self.body.local(text.clone());
        scope.bind(text, name.range(), Bound::Local(local));
        Some(local)
    }

    /// A record pattern, and where the names of its fields stand. Defaults are lowered
    /// outside of the function.
    fn record_pattern(
        &mut self,
        pattern: &ast::RecordPattern<'_>,
        defaults: bool,
        scope: &mut Scope,
    ) -> (RecordPattern, Vec<TextRange>) {
        let mut fields: Vec<PatternField> = Vec::new();
        let mut seen: BTreeMap<Arc<str>, TextRange> = BTreeMap::new();
        let mut places = Vec::new();
        let names = pattern.fields().filter_map(|field| field.name());
        let names: Arc<BTreeSet<String>> =
            Arc::new(names.map(|name| name.text().to_string()).collect());
        for field in pattern.fields() {
            let Some(name) = field.name() else { continue };
            let (text, range): (Arc<str>, _) = (name.text().into(), name.range());
            let annotation = field.ty().map(|ty| self.annotation(&ty));
            let default = field.default().filter(|_| defaults);
            let default = default.map(|default| {
                self.defaults.push((text.clone(), names.clone()));
                let default = self.expr(&default);
                self.defaults.pop();
                default
            });
            if let Some(&earlier) = seen.get(&text) {
                let message = format!("the field `{text}` is twice in this pattern");
                let problem = Problem::new(codes::DUPLICATE_NAME, range, message);
                self.report(problem.label(earlier, "it is here first"));
                continue;
            }
            if text.starts_with(|first: char| first.is_ascii_uppercase()) {
                let message = format!("`{text}` can't be bound: it begins with a capital");
                let problem = Problem::new(codes::NAME_CASE, range, message).help(format!(
                    "take the whole record, and its field: `r => r.{text}`"
                ));
                self.report(problem);
            }
            seen.insert(text.clone(), range);
            let local = self.body.local(text.clone());
            scope.bind(text.clone(), range, Bound::Local(local));
            places.push(range);
            fields.push(PatternField {
                name: text,
                local,
                annotation,
                default,
            });
        }
        let open = pattern.has_rest();
        (RecordPattern { fields, open }, places)
    }
}
