//! The names of the host: one table with their text for the manual.
//!
//! What they do is in `eval/` and `host/`. The book's page of builtins is checked
//! against this table.

/// A name that every module can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builtin {
    Binary,
    Concat,
    Contains,
    DebianPackages,
    DefaultPlatform,
    Directory,
    File,
    Filter,
    Fold,
    Get,
    Has,
    Image,
    Join,
    Length,
    Map,
    Names,
    Range,
    ReadFile,
    Sort,
    Split,
    Symlink,
    ToRecord,
    ToString,
    Values,
}

/// What the manual says of one builtin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltinDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is called.
    pub usage: &'static str,
    /// What it gives.
    pub text: &'static str,
}

struct Row(Builtin, u8, BuiltinDoc);

macro_rules! row {
    ($builtin:ident, $arity:literal, $name:literal, $usage:literal, $text:literal) => {
        Row(
            Builtin::$builtin,
            $arity,
            BuiltinDoc {
                name: $name,
                usage: $usage,
                text: $text,
            },
        )
    };
}

/// Sorted by name.
#[rustfmt::skip]
const TABLE: [Row; 24] = [
    row!(Binary, 1, "binary", "binary ./server",
        "A program of the project, mode `0o755`. It must be a static ELF file of the image's architecture. With a record, one program for each architecture: `binary { amd64 = ./a; arm64 = ./b; }`."),
    row!(Concat, 1, "concat", "concat [[1], [2, 3]]",
        "The lists of a list, one after the other."),
    row!(Contains, 2, "contains", "contains 2 [1, 2]",
        "Whether a list has a value."),
    row!(DebianPackages, 1, "debianPackages", "debianPackages { suite = \"trixie\"; variant = \"essential\"; names = [\"tzdata\"]; }",
        "Debian packages for the field `packages` of an image."),
    row!(DefaultPlatform, 0, "defaultPlatform", "defaultPlatform",
        "The platform that images are built for when they name none: a string such as `\"linux/amd64\"`."),
    row!(Directory, 1, "directory", "directory { mode = 0o700; user = \"app\"; }",
        "A folder with a mode and an owner. With `source`, everything in that folder of the project is copied too."),
    row!(File, 1, "file", "file { text = \"hello\"; mode = 0o600; }",
        "A file from `text` or from the project (`source`), with a mode and an owner."),
    row!(Filter, 2, "filter", "filter (n => n > 1) [1, 2]",
        "The items of a list for which a function gives `true`."),
    row!(Fold, 3, "fold", "fold (sum => n => sum + n) 0 [1, 2]",
        "One value from a list: the function gets what it gave last, and the next item."),
    row!(Get, 2, "get", "get \"a\" { a = 1; }",
        "The field of a record whose name is computed."),
    row!(Has, 2, "has", "has \"a\" { a = 1; }",
        "Whether a record has a field."),
    row!(Image, 1, "image", "image { name = \"app\"; files = { \"/etc/motd\" = \"hello\\n\"; }; }",
        "An image. Its fields are on the page about images."),
    row!(Join, 2, "join", "join \", \" [\"a\", \"b\"]",
        "The strings of a list as one string, with a separator between them."),
    row!(Length, 1, "length", "length [1, 2]",
        "The number of items of a list."),
    row!(Map, 2, "map", "map (n => n + 1) [1, 2]",
        "The list of what a function gives for each item."),
    row!(Names, 1, "names", "names { a = 1; b = 2; }",
        "The names of a record's fields, sorted."),
    row!(Range, 2, "range", "range 0 3",
        "The list of the numbers from the first up to, and without, the second."),
    row!(ReadFile, 1, "readFile", "readFile ./motd",
        "The text of a project file: UTF-8, at most 1 MiB."),
    row!(Sort, 1, "sort", "sort [\"b\", \"a\"]",
        "A list of numbers or of strings, sorted. Strings are sorted by their bytes."),
    row!(Split, 2, "split", "split \",\" \"a,b\"",
        "The parts of a string between separators."),
    row!(Symlink, 1, "symlink", "symlink \"/usr/bin/server\"",
        "A symbolic link with this target."),
    row!(ToRecord, 1, "toRecord", "toRecord [{ name = \"a\"; value = 1; }]",
        "A record from a list of names and values."),
    row!(ToString, 1, "toString", "toString 8080",
        "A number, a truth value or a string as a string."),
    row!(Values, 1, "values", "values { a = 1; b = 2; }",
        "The values of a record's fields, sorted by the fields' names."),
];

/// What the manual says of every builtin, sorted by name.
pub fn builtin_docs() -> impl Iterator<Item = &'static BuiltinDoc> {
    TABLE.iter().map(|row| &row.2)
}

impl Builtin {
    /// The builtin of that name.
    pub(crate) fn find(name: &str) -> Option<Self> {
        let at = TABLE.binary_search_by(|row| row.2.name.cmp(name)).ok()?;
        Some(TABLE[at].0)
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        TABLE[self as usize].2.name
    }

    /// How many arguments it takes before it gives its value.
    pub(crate) fn arity(self) -> usize {
        usize::from(TABLE[self as usize].1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum_and_of_the_names() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(row.0 as usize, index, "{}", row.2.name);
            assert_eq!(Builtin::find(row.2.name), Some(row.0));
            assert!(row.2.usage.contains(row.2.name));
        }
        assert!(TABLE.is_sorted_by_key(|row| row.2.name));
        assert_eq!(Builtin::find("nope"), None);
    }
}
