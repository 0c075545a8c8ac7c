//! How much of a file survives one deleted token: the tree of the bindings that were not touched,
//! and the number of errors.
#![expect(clippy::disallowed_methods, reason = "tests read their data")]

use std::collections::BTreeMap;

use imgc_syntax::ast::{AstNode, Binding};
use imgc_syntax::{NodeOrToken, SyntaxNode, TextRange, parse};

/// A binding by its place: the key paths from the outermost binding to it, and its text.
type Inventory = BTreeMap<(String, String), usize>;

fn inventory(root: &SyntaxNode, without: Option<TextRange>) -> Inventory {
    let mut found = Inventory::new();
    for binding in root.descendants().filter_map(Binding::cast) {
        if without.is_some_and(|without| binding.range().intersect(without).is_some()) {
            continue;
        }
        let mut path: Vec<String> = binding
            .syntax()
            .ancestors()
            .filter_map(Binding::cast)
            .filter_map(|binding| Some(binding.key_path()?.syntax().text().to_string()))
            .collect();
        path.reverse();
        let entry = (path.join("/"), shape(binding.syntax()));
        *found.entry(entry).or_insert(0) += 1;
    }
    found
}

/// The node with its structure: kinds and tokens, without blanks.
fn shape(node: &SyntaxNode) -> String {
    let mut shape = String::new();
    for event in node.preorder_with_tokens() {
        match event {
            rowan::WalkEvent::Enter(NodeOrToken::Node(node)) => {
                shape.push_str(&format!("({:?} ", node.kind()));
            }
            rowan::WalkEvent::Enter(NodeOrToken::Token(token)) => {
                if !token.kind().is_trivia() {
                    shape.push_str(token.text());
                    shape.push(' ');
                }
            }
            rowan::WalkEvent::Leave(NodeOrToken::Node(_)) => shape.push(')'),
            rowan::WalkEvent::Leave(NodeOrToken::Token(_)) => {}
        }
    }
    shape
}

fn ratio(part: usize, whole: usize) -> f64 {
    f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap())
}

#[test]
fn one_deleted_token_harms_little() {
    let source = std::fs::read_to_string("tests/data/sample.img").unwrap();
    let whole = parse(&source);
    assert_eq!(whole.errors(), []);
    let tokens: Vec<_> = whole
        .syntax()
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .filter(|token| !token.kind().is_trivia())
        // Every third is enough, and takes a third of the time.
        .step_by(3)
        .collect();

    let (mut untouched, mut kept) = (0, 0);
    let (mut errors, mut most_errors, mut worst) = (0, 0, (1.0, 0));
    for token in &tokens {
        let range = token.text_range();
        let mut damaged = source.clone();
        damaged.replace_range(usize::from(range.start())..usize::from(range.end()), "");
        let parse = parse(&damaged);
        assert_eq!(parse.syntax().to_string(), damaged, "lossless");
        errors += parse.errors().len();
        most_errors = most_errors.max(parse.errors().len());

        let before = inventory(&whole.syntax(), Some(range));
        let mut after = inventory(&parse.syntax(), None);
        let (mut here, mut kept_here) = (0, 0);
        for (key, count) in before {
            here += count;
            kept_here += count.min(after.remove(&key).unwrap_or(0));
        }
        untouched += here;
        kept += kept_here;
        let share =
            f64::from(u32::try_from(kept_here).unwrap()) / f64::from(u32::try_from(here).unwrap());
        if share < worst.0 {
            worst = (share, usize::from(range.start()));
        }
    }
    let share = ratio(kept, untouched);
    let average = ratio(errors, tokens.len());
    let figures = format!(
        "{} deletions: {share:.4} of the untouched bindings kept (worst {:.2} at {}), \
         {average:.2} errors each (at most {most_errors})",
        tokens.len(),
        worst.0,
        worst.1,
    );
    assert!(share >= 0.99, "{figures}");
    assert!(worst.0 >= 0.8, "{figures}");
    assert!(average <= 1.0, "{figures}");
}
