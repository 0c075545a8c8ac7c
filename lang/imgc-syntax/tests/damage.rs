//! How much of a file survives one damaged token: the tree of the bindings that were not touched,
//! and the number of errors.
#![expect(clippy::disallowed_methods, reason = "tests read their data")]

use std::collections::BTreeMap;

use imgc_syntax::ast::{AstNode, Binding, TypeDecl};
use imgc_syntax::{SyntaxElement, SyntaxNode, SyntaxToken, TextRange, parse};

/// A binding by its place: the key paths from the outermost binding to it, and its text.
type Inventory = BTreeMap<(String, String), usize>;

/// Files of the repository that are damaged, beside the sample.
const FOLDERS: &[&str] = &["../../stdlib", "../../examples"];

/// A way to damage one token.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Delete,
    Duplicate,
    /// Exchanged with the token after it.
    Swap,
}

/// What many damages to a file did.
#[derive(Debug, Default)]
struct Figures {
    edits: usize,
    untouched: usize,
    kept: usize,
    errors: usize,
    most_errors: usize,
    /// The share that the worst edit left, in thousandths, and where it was.
    worst: Option<(usize, usize)>,
}

impl Figures {
    fn add(&mut self, more: &Self) {
        self.edits += more.edits;
        self.untouched += more.untouched;
        self.kept += more.kept;
        self.errors += more.errors;
        self.most_errors = self.most_errors.max(more.most_errors);
    }

    fn share(&self) -> f64 {
        ratio(self.kept, self.untouched)
    }

    fn average(&self) -> f64 {
        ratio(self.errors, self.edits)
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (worst, at) = self.worst.unwrap_or((1000, 0));
        write!(
            f,
            "{} edits: {:.4} of the untouched bindings kept (worst 0.{worst:03} at {at}), \
             {:.2} errors each (at most {})",
            self.edits,
            self.share(),
            self.average(),
            self.most_errors
        )
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole.max(1)).unwrap())
}

/// What is looked for: bindings and declarations of types.
fn is_item(node: SyntaxNode<'_>) -> bool {
    Binding::cast(node).is_some() || TypeDecl::cast(node).is_some()
}

/// The items of a tree: their places, their paths and texts.
fn items(root: SyntaxNode<'_>) -> Vec<(TextRange, (String, String))> {
    let path = |item: SyntaxNode<'_>| {
        let mut path: Vec<String> = item
            .ancestors()
            .filter_map(Binding::cast)
            .filter_map(|binding| Some(binding.key_path()?.syntax().text().to_string()))
            .collect();
        path.reverse();
        path.join("/")
    };
    root.descendants()
        .filter(|node| is_item(*node))
        .map(|item| (item.text_range(), (path(item), shape(item))))
        .collect()
}

/// How often each of the items is there that a range does not touch.
fn inventory(items: &[(TextRange, (String, String))], touched: Option<TextRange>) -> Inventory {
    let mut found = Inventory::new();
    for (place, item) in items {
        if touched.is_none_or(|touched| place.intersect(touched).is_none()) {
            *found.entry(item.clone()).or_insert(0) += 1;
        }
    }
    found
}

/// The node with its structure: kinds and tokens, without blanks.
fn shape(node: SyntaxNode<'_>) -> String {
    let mut shape = format!("({:?} ", node.kind());
    for element in node.children_with_tokens() {
        match element {
            SyntaxElement::Node(node) => shape.push_str(&self::shape(node)),
            SyntaxElement::Token(token) if token.kind().is_trivia() => {}
            SyntaxElement::Token(token) => {
                shape.push_str(token.text());
                shape.push(' ');
            }
        }
    }
    shape.push(')');
    shape
}

/// Damages every `step`th token of a source that has no errors.
fn damage(source: &str, damage: Damage, step: usize) -> Figures {
    let whole = parse(source);
    assert_eq!(whole.errors(), [], "{source}");
    let tokens: Vec<SyntaxToken<'_>> = whole
        .syntax()
        .tokens()
        .filter(|token| !token.kind().is_trivia())
        .collect();
    let whole = items(whole.syntax());
    let mut figures = Figures::default();
    for at in (0..tokens.len()).step_by(step) {
        let first = tokens[at].text_range();
        let (touched, instead) = match damage {
            Damage::Delete => (first, String::new()),
            Damage::Duplicate => (first, format!("{0} {0}", tokens[at].text())),
            Damage::Swap => {
                let Some(next) = tokens.get(at + 1) else {
                    continue;
                };
                let both = first.cover(next.text_range());
                let between = TextRange::new(first.end(), next.text_range().start());
                let between = &source[std::ops::Range::<usize>::from(between)];
                (
                    both,
                    format!("{}{between}{}", next.text(), tokens[at].text()),
                )
            }
        };
        let mut damaged = source.to_owned();
        damaged.replace_range(std::ops::Range::<usize>::from(touched), &instead);
        let parse = parse(&damaged);
        assert_eq!(parse.syntax().to_string(), damaged, "lossless");
        figures.edits += 1;
        figures.errors += parse.errors().len();
        figures.most_errors = figures.most_errors.max(parse.errors().len());

        let before = inventory(&whole, Some(touched));
        let mut after = inventory(&items(parse.syntax()), None);
        let (mut here, mut kept) = (0, 0);
        for (key, count) in before {
            here += count;
            kept += count.min(after.remove(&key).unwrap_or(0));
        }
        figures.untouched += here;
        figures.kept += kept;
        let share = kept * 1000 / here.max(1);
        if here > 0 && figures.worst.is_none_or(|(worst, _)| share < worst) {
            figures.worst = Some((share, first.start().into()));
        }
    }
    figures
}

fn sample() -> String {
    std::fs::read_to_string("tests/data/sample.img").unwrap()
}

/// Every `.img` file below a folder, in the order of their names.
fn sources(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry
            .extension()
            .is_some_and(|extension| extension == "img")
        {
            let text = std::fs::read_to_string(&entry).unwrap();
            found.push((entry.display().to_string(), text));
        }
    }
}

#[test]
fn one_deleted_token_harms_little() {
    let figures = damage(&sample(), Damage::Delete, 4);
    assert!(figures.share() >= 0.99, "{figures}");
    assert!(
        figures.worst.is_none_or(|(worst, _)| worst >= 800),
        "{figures}"
    );
    assert!(figures.average() <= 1.0, "{figures}");
}

#[test]
fn one_doubled_token_harms_little() {
    let figures = damage(&sample(), Damage::Duplicate, 6);
    assert!(figures.share() >= 0.98, "{figures}");
    assert!(figures.average() <= 1.5, "{figures}");
}

#[test]
fn two_swapped_tokens_harm_little() {
    let figures = damage(&sample(), Damage::Swap, 6);
    assert!(figures.share() >= 0.98, "{figures}");
    assert!(figures.average() <= 2.0, "{figures}");
}

#[test]
fn the_files_of_the_repository_survive_too() {
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(std::path::Path::new(folder), &mut files);
    }
    assert!(!files.is_empty());
    let mut all = Figures::default();
    for (_, source) in &files {
        for how in [Damage::Delete, Damage::Duplicate, Damage::Swap] {
            all.add(&damage(source, how, 2));
        }
    }
    assert!(all.share() >= 0.98, "{all}");
    assert!(all.average() <= 2.0, "{all}");
}
