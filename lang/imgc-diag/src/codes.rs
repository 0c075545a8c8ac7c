//! The registry of codes: everything that can be said about a source, in one table.
//! To add one: a constant and a row in [`REGISTRY`]. A number is never given to another meaning.
//! No diagnostics are made here.

use std::fmt;

/// Stable code of a diagnostic, shown as `IMG0201`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// What the registry says about a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// A few words.
    pub title: &'static str,
    /// A paragraph: what it means and what to do.
    pub explanation: &'static str,
}

impl Code {
    /// The code written as `IMG0201` or `img201`, if the registry has it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (prefix, digits) = text.split_at_checked(3)?;
        let well_formed =
            prefix.eq_ignore_ascii_case("img") && digits.bytes().all(|byte| byte.is_ascii_digit());
        let code = Self(digits.parse().ok()?);
        (well_formed && find(code).is_some()).then_some(code)
    }

    /// A few words about it.
    #[must_use]
    pub fn title(self) -> &'static str {
        find(self).map_or("", |entry| entry.title)
    }

    /// A paragraph about it.
    #[must_use]
    pub fn explanation(self) -> &'static str {
        find(self).map_or("", |entry| entry.explanation)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IMG{:04}", self.0)
    }
}

fn find(code: Code) -> Option<&'static Entry> {
    REGISTRY
        .binary_search_by_key(&code, |entry| entry.code)
        .ok()
        .and_then(|at| REGISTRY.get(at))
}

// Syntax: 01xx

/// Source too large.
pub const SOURCE_TOO_LARGE: Code = Code(101);
/// Unknown character.
pub const UNKNOWN_CHARACTER: Code = Code(102);
/// Forbidden character.
pub const FORBIDDEN_CHARACTER: Code = Code(103);
/// Unterminated string.
pub const UNTERMINATED_STRING: Code = Code(104);
/// String in single quotes.
pub const SINGLE_QUOTES: Code = Code(105);
/// Unknown escape.
pub const BAD_ESCAPE: Code = Code(106);
/// Text after the opening quotes.
pub const INDENTED_STRING_START: Code = Code(107);
/// Tabs and spaces in one indentation.
pub const MIXED_INDENTATION: Code = Code(108);
/// Integer too large.
pub const INTEGER_TOO_LARGE: Code = Code(109);
/// Ill-formed number.
pub const BAD_NUMBER: Code = Code(110);
/// Reserved word as a name.
pub const RESERVED_WORD: Code = Code(111);
/// Unclosed bracket.
pub const UNCLOSED: Code = Code(112);
/// Closing bracket without an opening.
pub const STRAY_CLOSER: Code = Code(113);
/// Wrong closing bracket.
pub const WRONG_CLOSER: Code = Code(114);
/// Missing semicolon.
pub const MISSING_SEMICOLON: Code = Code(115);
/// Comma between bindings.
pub const COMMA_BETWEEN_BINDINGS: Code = Code(116);
/// Semicolon in a list.
pub const SEMICOLON_IN_LIST: Code = Code(117);
/// Colon in the place of an equals sign.
pub const COLON_FOR_EQUALS: Code = Code(118);
/// Missing equals sign.
pub const MISSING_EQUALS: Code = Code(119);
/// Missing expression.
pub const EXPECTED_EXPRESSION: Code = Code(120);
/// Missing name.
pub const EXPECTED_NAME: Code = Code(121);
/// Not a binding.
pub const EXPECTED_BINDING: Code = Code(122);
/// Not a parameter.
pub const EXPECTED_PATTERN: Code = Code(123);
/// Incomplete `if`.
pub const INCOMPLETE_IF: Code = Code(124);
/// Bad import.
pub const BAD_IMPORT: Code = Code(125);
/// Unexpected token.
pub const UNEXPECTED: Code = Code(126);
/// Comment with slashes.
pub const SLASH_COMMENT: Code = Code(127);
/// Ill-formed path.
pub const BAD_PATH: Code = Code(128);
/// Nesting too deep.
pub const TOO_DEEP: Code = Code(129);

// Names: 02xx

/// Unbound name.
pub const UNBOUND_NAME: Code = Code(201);
/// Name bound twice.
pub const DUPLICATE_NAME: Code = Code(202);
/// Field given twice.
pub const DUPLICATE_FIELD: Code = Code(203);
/// Bindings in a circle.
pub const BINDING_CYCLE: Code = Code(204);
/// Unused binding.
pub const UNUSED_BINDING: Code = Code(205);
/// Computed field name.
pub const DYNAMIC_KEY: Code = Code(206);
/// Path or string bound by `let`.
pub const LET_PATH: Code = Code(207);

// Values and functions: 03xx

/// Wrong type.
pub const WRONG_TYPE: Code = Code(301);
/// Not a function.
pub const NOT_A_FUNCTION: Code = Code(302);
/// Unknown field.
pub const UNKNOWN_FIELD: Code = Code(303);
/// Missing field in an argument.
pub const MISSING_ARGUMENT_FIELD: Code = Code(304);
/// Unknown field in an argument.
pub const UNKNOWN_ARGUMENT_FIELD: Code = Code(305);
/// Division by zero.
pub const DIVISION_BY_ZERO: Code = Code(306);
/// Integer overflow.
pub const INTEGER_OVERFLOW: Code = Code(307);
/// Values that cannot be compared.
pub const NOT_COMPARABLE: Code = Code(308);
/// Assertion failed.
pub const ASSERTION_FAILED: Code = Code(309);
/// Index out of range.
pub const INDEX_OUT_OF_RANGE: Code = Code(310);
/// Evaluation budget exceeded.
pub const BUDGET_EXCEEDED: Code = Code(311);
/// Evaluation nested too deep.
pub const NESTED_TOO_DEEP: Code = Code(312);
/// Not an image.
pub const NOT_AN_IMAGE: Code = Code(313);
/// Invalid argument.
pub const INVALID_ARGUMENT: Code = Code(314);

// Files and imports: 04xx

/// File not found.
pub const FILE_NOT_FOUND: Code = Code(401);
/// Path outside the project.
pub const PATH_OUTSIDE_PROJECT: Code = Code(402);
/// Imports in a circle.
pub const IMPORT_CYCLE: Code = Code(403);
/// Unknown module.
pub const UNKNOWN_STD_MODULE: Code = Code(404);
/// Unreadable file.
pub const UNREADABLE_FILE: Code = Code(405);
/// Link out of its folder.
pub const SYMLINK_ESCAPES: Code = Code(406);
/// Import with errors.
pub const IMPORT_FAILED: Code = Code(407);

// Images: 05xx

/// Missing field.
pub const MISSING_FIELD: Code = Code(501);
/// Unknown field for the host.
pub const UNKNOWN_IMAGE_FIELD: Code = Code(502);
/// Bad mode.
pub const BAD_MODE: Code = Code(503);
/// Bad path in the image.
pub const BAD_IMAGE_PATH: Code = Code(504);
/// Unknown platform.
pub const BAD_PLATFORM: Code = Code(505);
/// Bad port.
pub const BAD_PORT: Code = Code(506);
/// Bad user or group name.
pub const BAD_USER_NAME: Code = Code(507);
/// User given twice.
pub const DUPLICATE_USER: Code = Code(508);
/// Group given twice.
pub const DUPLICATE_GROUP: Code = Code(509);
/// Bad user or group number.
pub const BAD_ID: Code = Code(510);
/// Unknown user or group.
pub const UNKNOWN_USER: Code = Code(511);
/// Unknown package.
pub const UNKNOWN_PACKAGE: Code = Code(512);
/// Bad package name.
pub const BAD_PACKAGE_NAME: Code = Code(513);
/// Not a static binary.
pub const NOT_A_STATIC_BINARY: Code = Code(514);
/// Binary of another architecture.
pub const WRONG_ARCHITECTURE: Code = Code(515);
/// Bad image name.
pub const INVALID_IMAGE_NAME: Code = Code(516);
/// Path given twice.
pub const DUPLICATE_PATH: Code = Code(517);
/// Unknown suite.
pub const BAD_SUITE: Code = Code(518);
/// Bad environment variable.
pub const BAD_ENVIRONMENT: Code = Code(519);
/// Bad signal.
pub const BAD_SIGNAL: Code = Code(520);
/// Bad label.
pub const BAD_LABEL: Code = Code(521);
/// Bad link target.
pub const BAD_SYMLINK_TARGET: Code = Code(522);
/// Image given twice.
pub const DUPLICATE_IMAGE: Code = Code(523);
/// Packages that can't be installed together.
pub const UNSOLVABLE_PACKAGES: Code = Code(524);

const fn entry(code: Code, title: &'static str, explanation: &'static str) -> Entry {
    Entry {
        code,
        title,
        explanation,
    }
}

/// Every code, in ascending order.
pub const REGISTRY: &[Entry] = &[
    // Syntax: 01xx
    entry(
        SOURCE_TOO_LARGE,
        "source too large",
        "A source file may have at most 16 MiB and four million tokens. Larger files are refused before they are \
         looked at. Data of that size belongs in a file of its own that the image takes in by \
         a path literal.",
    ),
    entry(
        UNKNOWN_CHARACTER,
        "unknown character",
        "A character stands where no token of the language can begin with it. Names have \
         ASCII letters, digits, `_` and `-`; other text belongs in a string or in a comment.",
    ),
    entry(
        FORBIDDEN_CHARACTER,
        "forbidden character",
        "The source holds a NUL, or a character that changes the direction in which text is \
         shown. Such characters can make a file look different from what it means. In a \
         string, write them as escapes: `\\u{202e}`.",
    ),
    entry(
        UNTERMINATED_STRING,
        "unterminated string",
        "A string has no end. A string in `\"` ends on the line on which it begins. Text of \
         several lines stands between `\"\"\"` and `\"\"\"`.",
    ),
    entry(
        SINGLE_QUOTES,
        "string in single quotes",
        "Strings stand in double quotes. There is only one kind of them, so `'a'` is written \
         `\"a\"`.",
    ),
    entry(
        BAD_ESCAPE,
        "unknown escape",
        "The escapes are `\\n`, `\\t`, `\\r`, `\\\"`, `\\\\`, `\\$` and `\\u{…}` with one to six \
         hexadecimal digits of a Unicode character. A backslash itself is written `\\\\`.",
    ),
    entry(
        INDENTED_STRING_START,
        "text after the opening quotes",
        "The text of an indented string begins on the line after the opening `\"\"\"`, so that \
         its indentation is clear. The indentation that all lines share is removed.",
    ),
    entry(
        MIXED_INDENTATION,
        "tabs and spaces in one indentation",
        "The lines of an indented string are indented with tabs in one place and with spaces \
         in another, so that it depends on the editor what they share. Use one of them. A tab \
         that belongs to the text is written `\\t`.",
    ),
    entry(
        INTEGER_TOO_LARGE,
        "integer too large",
        "Integers have 64 bits with a sign: the largest is 9223372036854775807.",
    ),
    entry(
        BAD_NUMBER,
        "ill-formed number",
        "Numbers are integers: decimal (`10_000`), octal (`0o755`) or hexadecimal (`0x1f`). A \
         `_` may stand between two digits. A decimal number does not begin with `0`: \
         elsewhere such numbers are octal, here octal ones begin with `0o`.",
    ),
    entry(
        RESERVED_WORD,
        "reserved word as a name",
        "`let`, `in`, `if`, `then`, `else`, `import`, `true`, `false` have a meaning of their \
         own. `match`, `with`, `assert`, `type`, `or`, `and`, `rec` are kept for later. None \
         of them can be a name. As the name of a field, quote it: `\"type\" = 1;`.",
    ),
    entry(
        UNCLOSED,
        "unclosed bracket",
        "A `{`, `[`, `(`, `${` or `let` has no end. The message points at the opening and at \
         the place where the end is missed.",
    ),
    entry(
        STRAY_CLOSER,
        "closing bracket without an opening",
        "A `}`, `]`, `)` or `in` has nothing to close. Either the opening is missing, or this \
         one is too many.",
    ),
    entry(
        WRONG_CLOSER,
        "wrong closing bracket",
        "A bracket is closed by one of another shape: `[` by `}`, say.",
    ),
    entry(
        MISSING_SEMICOLON,
        "missing semicolon",
        "Every binding in a record or `let` ends in `;`, the last one too.",
    ),
    entry(
        COMMA_BETWEEN_BINDINGS,
        "comma between bindings",
        "The bindings of a record or `let` each end in `;`. Commas separate the elements of a \
         list and the fields of a function's parameter.",
    ),
    entry(
        SEMICOLON_IN_LIST,
        "semicolon in a list",
        "The elements of a list, and the fields of a function's parameter, are separated by \
         commas.",
    ),
    entry(
        COLON_FOR_EQUALS,
        "colon in the place of an equals sign",
        "A binding is written `name = value;`.",
    ),
    entry(
        MISSING_EQUALS,
        "missing equals sign",
        "A binding is written `name = value;`. Only a single name may stand alone: `name;` \
         takes the value of that name from outside the record.",
    ),
    entry(
        EXPECTED_EXPRESSION,
        "missing expression",
        "An expression must stand here: after `=`, after an operator, between two commas, or \
         as the whole of a file.",
    ),
    entry(
        EXPECTED_NAME,
        "missing name",
        "After a `.` the name of a field must follow, or a string: `image.config`, \
         `files.\"/etc/motd\"`.",
    ),
    entry(
        EXPECTED_BINDING,
        "not a binding",
        "In a record and after `let` there are only bindings: `name = value;` or `name;`.",
    ),
    entry(
        EXPECTED_PATTERN,
        "not a parameter",
        "The parameter of a function is a name, or fields in braces: `{ a, b ? default, ... } \
         => …`.",
    ),
    entry(
        INCOMPLETE_IF,
        "incomplete `if`",
        "An `if` has both branches: `if condition then a else b`.",
    ),
    entry(
        BAD_IMPORT,
        "bad import",
        "`import` takes a module of the standard library (`import std/debian`) or a path \
         (`import ./lib.img`). It is static: the path cannot be computed.",
    ),
    entry(
        UNEXPECTED,
        "unexpected token",
        "A token stands where the expression before it is complete and no operator joins the \
         two.",
    ),
    entry(
        SLASH_COMMENT,
        "comment with slashes",
        "Comments begin with `#`. `//` is the operator that updates a record.",
    ),
    entry(
        BAD_PATH,
        "ill-formed path",
        "A path literal begins with `./` or `../` and has no empty parts.",
    ),
    entry(
        TOO_DEEP,
        "nesting too deep",
        "Expressions stand in one another more than 200 levels deep. Chains of operators \
         count too. Give parts a name with `let`.",
    ),
    // Names: 02xx
    entry(
        UNBOUND_NAME,
        "unbound name",
        "A name is used that no `let`, parameter or builtin gives. Records do not give names \
         to each other: their fields are not in scope inside them.",
    ),
    entry(
        DUPLICATE_NAME,
        "name bound twice",
        "One `let` or one parameter binds the same name twice.",
    ),
    entry(
        DUPLICATE_FIELD,
        "field given twice",
        "A record gives the same field twice. Nested paths merge (`a.b = 1; a.c = 2;`), but \
         each field has one value.",
    ),
    entry(
        BINDING_CYCLE,
        "bindings in a circle",
        "Bindings of a `let` need each other in a circle, so none of them has a value. The \
         language has no recursion by name; lists are worked on with `map`, `filter` and `fold`.",
    ),
    entry(
        UNUSED_BINDING,
        "unused binding",
        "A `let` binds a name that nothing uses.",
    ),
    entry(
        DYNAMIC_KEY,
        "computed field name",
        "The name of a field cannot hold `${…}`: which fields a record has is known without \
         evaluating it.",
    ),
    entry(
        LET_PATH,
        "path or string bound by `let`",
        "`let` binds plain names. Only the fields of a record may be written as paths \
         (`a.b = 1;`) or strings: write `a = { b = 1; };`.",
    ),
    // Values and functions: 03xx
    entry(
        WRONG_TYPE,
        "wrong type",
        "A value of another type is needed here. There are no implicit conversions: a number \
         becomes text only through a function.",
    ),
    entry(
        NOT_A_FUNCTION,
        "not a function",
        "Something is applied to an argument but is no function. In a list, elements are \
         separated by commas: `[\"a\" \"b\"]` applies `\"a\"` to `\"b\"`.",
    ),
    entry(
        UNKNOWN_FIELD,
        "unknown field",
        "A field is selected that the record does not have.",
    ),
    entry(
        MISSING_ARGUMENT_FIELD,
        "missing field in an argument",
        "The function's parameter names a field that has no default, and the argument does \
         not give it.",
    ),
    entry(
        UNKNOWN_ARGUMENT_FIELD,
        "unknown field in an argument",
        "The argument gives a field that the function's parameter does not name. A parameter \
         that ends in `...` lets further fields through.",
    ),
    entry(
        DIVISION_BY_ZERO,
        "division by zero",
        "A number is divided by zero.",
    ),
    entry(
        INTEGER_OVERFLOW,
        "integer overflow",
        "The result of a calculation does not fit in 64 bits.",
    ),
    entry(
        NOT_COMPARABLE,
        "values that cannot be compared",
        "Functions, and values of different types, cannot be compared. Order (`<`) is defined \
         for integers and for strings.",
    ),
    entry(
        ASSERTION_FAILED,
        "assertion failed",
        "The text states a condition, and it does not hold.",
    ),
    entry(
        INDEX_OUT_OF_RANGE,
        "index out of range",
        "A list has no element at this index. The first one is number 0.",
    ),
    entry(
        BUDGET_EXCEEDED,
        "evaluation budget exceeded",
        "Evaluation took more steps or memory than the budget allows. Steps are counted, not \
         measured in time, so the same source fails on every machine or on none.",
    ),
    entry(
        NESTED_TOO_DEEP,
        "evaluation nested too deep",
        "Function calls stand in one another deeper than allowed.",
    ),
    entry(
        NOT_AN_IMAGE,
        "not an image",
        "The file does not evaluate to an image.",
    ),
    entry(
        INVALID_ARGUMENT,
        "invalid argument",
        "The argument has the right type, but the function has no answer for it.",
    ),
    // Files and imports: 04xx
    entry(
        FILE_NOT_FOUND,
        "file not found",
        "A path names a file or folder that does not exist. Paths are relative to the file in \
         which they stand.",
    ),
    entry(
        PATH_OUTSIDE_PROJECT,
        "path outside the project",
        "A path leads out of the project's folder. Everything that an image is made of is \
         inside the project or pinned in the lock.",
    ),
    entry(
        IMPORT_CYCLE,
        "imports in a circle",
        "Files import each other in a circle.",
    ),
    entry(
        UNKNOWN_STD_MODULE,
        "unknown module",
        "The standard library has no module of this name.",
    ),
    entry(
        UNREADABLE_FILE,
        "unreadable file",
        "A file exists but cannot be read, is not UTF-8 where text is needed, or is neither a \
         file, a folder nor a link.",
    ),
    entry(
        SYMLINK_ESCAPES,
        "link out of its folder",
        "A folder holds a symbolic link that leads out of it, so that the image would depend \
         on what is not in it.",
    ),
    entry(
        IMPORT_FAILED,
        "import with errors",
        "The imported file has errors of its own. They are reported there.",
    ),
    // Images: 05xx
    entry(
        MISSING_FIELD,
        "missing field",
        "A record for the host lacks a field that has no default.",
    ),
    entry(
        UNKNOWN_IMAGE_FIELD,
        "unknown field for the host",
        "A record for the host (an image, a user, a file) has a field that its schema does \
         not know.",
    ),
    entry(
        BAD_MODE,
        "bad mode",
        "A mode is an integer from 0 to 0o7777, mostly written in octal: `0o644`.",
    ),
    entry(
        BAD_IMAGE_PATH,
        "bad path in the image",
        "A path in an image begins with `/`, and has no empty parts, no `.` and no `..`.",
    ),
    entry(
        BAD_PLATFORM,
        "unknown platform",
        "A platform is `linux/` and an architecture, such as `linux/amd64` or `linux/arm64`.",
    ),
    entry(
        BAD_PORT,
        "bad port",
        "A port is an integer from 1 to 65535, or text with a protocol: `\"53/udp\"`.",
    ),
    entry(
        BAD_USER_NAME,
        "bad user or group name",
        "The name of a user or group begins with a small letter or `_`, goes on with small \
         letters, digits, `_` and `-`, and has at most 32 characters.",
    ),
    entry(
        DUPLICATE_USER,
        "user given twice",
        "Two users have the same name or number.",
    ),
    entry(
        DUPLICATE_GROUP,
        "group given twice",
        "Two groups have the same name or number.",
    ),
    entry(
        BAD_ID,
        "bad user or group number",
        "Numbers of users and groups go up to 4294967294. Those that an image adds begin at 1: 0 \
         is root's.",
    ),
    entry(
        UNKNOWN_USER,
        "unknown user or group",
        "A user or group is named that the image does not have.",
    ),
    entry(
        UNKNOWN_PACKAGE,
        "unknown package",
        "The package archive has no package of this name for this architecture.",
    ),
    entry(
        BAD_PACKAGE_NAME,
        "bad package name",
        "The name of a Debian package has small letters, digits, `+`, `-` and `.`, at least \
         two of them, and begins with a letter or digit.",
    ),
    entry(
        NOT_A_STATIC_BINARY,
        "not a static binary",
        "`binary` takes a statically linked ELF executable: nothing in the image would load \
         the libraries that this one needs.",
    ),
    entry(
        WRONG_ARCHITECTURE,
        "binary of another architecture",
        "The executable is made for another architecture than the image.",
    ),
    entry(
        INVALID_IMAGE_NAME,
        "bad image name",
        "The name of an image has small letters and digits, with single `.`, `_` or `-` between \
         them. An image without `name` is named after its field or file.",
    ),
    entry(
        DUPLICATE_PATH,
        "path given twice",
        "Two entries of an image have the same path, or one lies below another that is no \
         folder.",
    ),
    entry(
        BAD_SUITE,
        "unknown suite",
        "The suite or variant of Debian is not one that is known.",
    ),
    entry(
        BAD_ENVIRONMENT,
        "bad environment variable",
        "The name of an environment variable is not empty and has no `=`; neither name nor \
         value has a NUL.",
    ),
    entry(
        BAD_SIGNAL,
        "bad signal",
        "A stop signal is a name such as `SIGTERM` or `SIGRTMIN+3`.",
    ),
    entry(
        BAD_LABEL,
        "bad label",
        "The key of a label is not empty and has no control characters.",
    ),
    entry(
        BAD_SYMLINK_TARGET,
        "bad link target",
        "The target of a symbolic link is not empty and has no NUL.",
    ),
    entry(
        DUPLICATE_IMAGE,
        "image given twice",
        "Two images of one file have the same name. An image without `name` is named after \
         the field that it stands in.",
    ),
    entry(
        UNSOLVABLE_PACKAGES,
        "packages that can't be installed together",
        "The packages that an image asks for, and all that they depend on, must be installable \
         together. Either a dependency is met by no package of the suite, or two packages exclude \
         each other. The notes say who asked for whom.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registry_is_sorted_and_complete() {
        for pair in REGISTRY.windows(2) {
            assert!(
                pair[0].code < pair[1].code,
                "{} before {}",
                pair[0].code,
                pair[1].code
            );
        }
        for entry in REGISTRY {
            assert!(
                !entry.title.is_empty() && !entry.title.ends_with('.'),
                "{}",
                entry.code
            );
            assert!(entry.explanation.ends_with('.'), "{}", entry.code);
            assert!(!entry.explanation.contains("  "), "{}", entry.code);
        }
    }

    #[test]
    fn every_constant_has_a_row() {
        let constants = include_str!("codes.rs").matches("\npub const ").count();
        assert_eq!(REGISTRY.len(), constants - 1, "all but REGISTRY itself");
    }

    #[test]
    fn codes_read_what_they_write() {
        for entry in REGISTRY {
            assert_eq!(Code::parse(&entry.code.to_string()), Some(entry.code));
            assert_eq!(entry.code.title(), entry.title);
            assert_eq!(entry.code.explanation(), entry.explanation);
        }
        assert_eq!(Code::parse("img201"), Some(UNBOUND_NAME));
        assert_eq!(Code::parse("IMG9999"), None);
        assert_eq!(Code::parse("IMG+201"), None);
        assert_eq!(Code::parse("nonsense"), None);
        assert_eq!(Code::parse("éé1"), None);
    }
}
