//! The names of the host: one table with signatures, words for the manual, examples,
//! and what they do.
//!
//! Each file of this folder holds the rows of one subject. The signature is text in the
//! syntax of types: the type checker reads it, and the manual shows it. What a row does
//! is in `native/` and `host/`, never here.

mod data;
mod files;
mod hashing;
mod images;
mod lists;
mod maps;
mod numbers;
mod regexes;
mod strings;
mod templates;

use std::sync::LazyLock;

use crate::vm::call::{Call, Eval};
use crate::vm::value::Value;

/// A name that every module can use: an index into the table, which is sorted by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Builtin(pub(crate) u16);

/// What the manual says of one builtin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltinDoc {
    /// Its name.
    pub name: &'static str,
    /// What it is about: `Lists`, `Strings` and so on.
    pub subject: &'static str,
    /// Its type, such as `(a -> b) -> [a] -> [b]`.
    pub signature: &'static str,
    /// What it gives.
    pub text: &'static str,
    /// A program that uses it.
    pub example: &'static str,
    /// What the program evaluates to, as `imgc eval` prints it. Empty: an image or a
    /// file, which has no text.
    pub value: &'static str,
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// What the manual says.
    pub(crate) doc: BuiltinDoc,
    /// What the variables of the signature may be: `("a", Limit::Ordered)`. Others may be
    /// any type.
    pub(crate) limits: &'static [(&'static str, Limit)],
    /// What it does.
    pub(crate) run: Run,
}

/// Which types a variable of a signature stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    /// What has an order: `Int`, `String`.
    Ordered,
    /// What can be compared: no functions, files, images in it.
    Equal,
    /// What `toString` takes: numbers, truth values, strings, and the host's names for them.
    Shown,
}

/// What a builtin does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Run {
    /// A value that is no function.
    Constant(fn(&mut Call<'_>) -> Eval),
    /// A function that calls no other: it gets all its arguments.
    Plain(fn(&mut Call<'_>, &[Value]) -> Eval),
    /// A function that calls functions, which the machine does for it.
    Higher(crate::native::Higher),
}

/// The rows of all files, sorted by name, each with its number of arguments.
static TABLE: LazyLock<Vec<(&'static Row, usize)>> = LazyLock::new(|| {
    let subjects = [
        data::ROWS,
        files::ROWS,
        hashing::ROWS,
        images::ROWS,
        lists::ROWS,
        maps::ROWS,
        numbers::ROWS,
        regexes::ROWS,
        strings::ROWS,
        templates::ROWS,
    ];
    let rows = subjects.into_iter().flatten();
    let mut table: Vec<_> = rows.map(|row| (row, arity(row.doc.signature))).collect();
    table.sort_by_key(|(row, _)| row.doc.name);
    table
});

/// What the manual says of every builtin, sorted by name.
pub fn builtin_docs() -> impl Iterator<Item = &'static BuiltinDoc> {
    TABLE.iter().map(|(row, _)| &row.doc)
}

impl Builtin {
    /// The builtin of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let at = TABLE.binary_search_by(|(row, _)| row.doc.name.cmp(name));
        Some(Self(u16::try_from(at.ok()?).ok()?))
    }

    /// Every builtin, sorted by name.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..TABLE.len()).filter_map(|at| u16::try_from(at).ok().map(Self))
    }

    /// What the manual says.
    pub(crate) fn doc(self) -> &'static BuiltinDoc {
        &self.row().doc
    }

    /// What the variables of its signature may be.
    pub(crate) fn limits(self) -> &'static [(&'static str, Limit)] {
        self.row().limits
    }

    /// What it does.
    pub(crate) fn run(self) -> Run {
        self.row().run
    }

    /// How many arguments it takes before it gives its value.
    pub(crate) fn arity(self) -> usize {
        TABLE[usize::from(self.0)].1
    }

    fn row(self) -> &'static Row {
        TABLE[usize::from(self.0)].0
    }
}

impl Row {
    /// A row whose variables may be any type.
    const fn new(
        subject: &'static str,
        name: &'static str,
        signature: &'static str,
        run: Run,
    ) -> Self {
        let doc = BuiltinDoc {
            name,
            subject,
            signature,
            text: "",
            example: "",
            value: "",
        };
        let limits = &[];
        Self { doc, limits, run }
    }

    /// The same with what it gives, in words.
    const fn text(mut self, text: &'static str) -> Self {
        self.doc.text = text;
        self
    }

    /// The same with a program and what that evaluates to.
    const fn example(mut self, example: &'static str, value: &'static str) -> Self {
        self.doc.example = example;
        self.doc.value = value;
        self
    }

    /// The same with what its variables may be.
    const fn limits(mut self, limits: &'static [(&'static str, Limit)]) -> Self {
        self.limits = limits;
        self
    }
}

/// How many arrows of a signature stand in no bracket.
fn arity(signature: &str) -> usize {
    let mut depth = 0;
    let mut arrows = 0;
    let mut before = ' ';
    for character in signature.chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if before == '-' && depth == 0 => arrows += 1,
            _ => {}
        }
        before = character;
    }
    arrows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_by_its_name_and_is_told_in_words() {
        assert!(
            TABLE.is_sorted_by(|a, b| a.0.doc.name < b.0.doc.name),
            "each name once"
        );
        for builtin in Builtin::all() {
            let doc = builtin.doc();
            assert_eq!(Builtin::find(doc.name), Some(builtin));
            assert!(doc.text.ends_with('.'), "{}", doc.name);
            assert!(doc.example.contains(doc.name), "{}", doc.name);
            let constant = matches!(builtin.run(), Run::Constant(_));
            assert_eq!(builtin.arity() == 0, constant, "{}", doc.name);
        }
        assert_eq!(Builtin::find("nope"), None);
    }

    #[test]
    fn arguments_are_the_arrows_outside_of_brackets() {
        assert_eq!(arity("Platform"), 0);
        assert_eq!(arity("(a -> b) -> [a] -> [b]"), 2);
        assert_eq!(arity("{ f : a -> b } -> [a -> b]"), 1);
    }
}
