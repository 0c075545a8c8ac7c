//! The registry of codes: everything that can be said about a source, in one table.
//! To add one: a constant and a row in [`REGISTRY`]. A number is never given to another meaning.
//! No diagnostics are made here.

use std::fmt;

/// Stable code of a diagnostic, shown as `IMG0201`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(u16);

/// What the registry says about a code. Its page is in [`crate::pages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// A few words.
    pub title: &'static str,
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
/// Name in the wrong case.
pub const NAME_CASE: Code = Code(130);
/// Missing type.
pub const EXPECTED_TYPE: Code = Code(131);
/// Not the pattern of an arm.
pub const EXPECTED_ARM: Code = Code(132);
/// Incomplete `match`.
pub const INCOMPLETE_MATCH: Code = Code(133);
/// Incomplete `assert`.
pub const INCOMPLETE_ASSERT: Code = Code(134);
/// Tag with two payloads.
pub const TAG_PAYLOAD: Code = Code(135);
/// Type out of place.
pub const MISPLACED_TYPE: Code = Code(136);

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
/// Unknown type.
pub const UNKNOWN_TYPE: Code = Code(208);
/// Wrong arguments of a type.
pub const TYPE_ARGUMENTS: Code = Code(209);
/// Type made of itself.
pub const RECURSIVE_TYPE: Code = Code(210);
/// Type too large.
pub const TYPE_TOO_LARGE: Code = Code(211);

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
/// Optional field.
pub const OPTIONAL_FIELD: Code = Code(315);
/// Type that is a part of itself.
pub const INFINITE_TYPE: Code = Code(316);
/// Values without an arm.
pub const NOT_EXHAUSTIVE: Code = Code(317);
/// Arm that is never reached.
pub const UNREACHABLE_ARM: Code = Code(318);
/// Annotation that promises too much.
pub const ANNOTATION_TOO_GENERAL: Code = Code(319);

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
/// Module from elsewhere that can't be had.
pub const REMOTE_MODULE: Code = Code(408);

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
/// Two values for one thing.
pub const CONFLICT: Code = Code(525);
/// Packages for an image that has none.
pub const NO_PACKAGES: Code = Code(526);
/// Text of a file that looks like a path.
pub const PATH_IN_QUOTES: Code = Code(527);
/// A package whose scripts are skipped without a reason.
pub const NO_REASON: Code = Code(528);
/// Bad archive.
pub const BAD_ARCHIVE: Code = Code(529);
/// A pattern of paths that dpkg would not understand.
pub const BAD_PATTERN: Code = Code(531);
/// A package whose scripts are both skipped and stated.
pub const SKIPPED_AND_STATED: Code = Code(532);
/// Bad layers.
pub const BAD_LAYERS: Code = Code(533);
/// An index without images, or with two for one platform.
pub const BAD_INDEX: Code = Code(534);
/// The base of an image that names no image of a registry for ever, or has more than it may.
pub const BAD_BASE: Code = Code(535);
/// Bad capability.
pub const BAD_CAPABILITY: Code = Code(545);
/// Bad address or digest of a file that is fetched.
pub const BAD_FETCH: Code = Code(550);
/// Fetched bytes that are not those that were asked for.
pub const FETCHED_OTHER: Code = Code(551);
/// Archive that can't be unpacked.
pub const BAD_CONTENTS: Code = Code(552);
/// Program that asks for what the image does not have.
pub const MISSING_LIBRARY: Code = Code(553);
/// Something provided from outside without a reason.
pub const BAD_PROVIDED: Code = Code(554);
/// Bad check of health.
pub const BAD_HEALTHCHECK: Code = Code(555);

// The command line: 06xx

/// Argument that is needed.
pub const ARGUMENT_NEEDED: Code = Code(601);
/// Argument that nothing takes.
pub const UNKNOWN_ARGUMENT: Code = Code(602);
/// Argument of another type.
pub const BAD_ARGUMENT: Code = Code(603);
/// Field that the file does not have.
pub const UNKNOWN_SELECTION: Code = Code(604);

const fn entry(code: Code, title: &'static str) -> Entry {
    Entry { code, title }
}

/// Every code, in ascending order.
pub const REGISTRY: &[Entry] = &[
    // Syntax: 01xx
    entry(SOURCE_TOO_LARGE, "source too large"),
    entry(UNKNOWN_CHARACTER, "unknown character"),
    entry(FORBIDDEN_CHARACTER, "forbidden character"),
    entry(UNTERMINATED_STRING, "unterminated string"),
    entry(SINGLE_QUOTES, "string in single quotes"),
    entry(BAD_ESCAPE, "unknown escape"),
    entry(INDENTED_STRING_START, "text after the opening quotes"),
    entry(MIXED_INDENTATION, "tabs and spaces in one indentation"),
    entry(INTEGER_TOO_LARGE, "integer too large"),
    entry(BAD_NUMBER, "ill-formed number"),
    entry(RESERVED_WORD, "reserved word as a name"),
    entry(UNCLOSED, "unclosed bracket"),
    entry(STRAY_CLOSER, "closing bracket without an opening"),
    entry(WRONG_CLOSER, "wrong closing bracket"),
    entry(MISSING_SEMICOLON, "missing semicolon"),
    entry(COMMA_BETWEEN_BINDINGS, "comma between bindings"),
    entry(SEMICOLON_IN_LIST, "semicolon in a list"),
    entry(COLON_FOR_EQUALS, "colon in the place of an equals sign"),
    entry(MISSING_EQUALS, "missing equals sign"),
    entry(EXPECTED_EXPRESSION, "missing expression"),
    entry(EXPECTED_NAME, "missing name"),
    entry(EXPECTED_BINDING, "not a binding"),
    entry(EXPECTED_PATTERN, "not a parameter"),
    entry(INCOMPLETE_IF, "incomplete `if`"),
    entry(BAD_IMPORT, "bad import"),
    entry(UNEXPECTED, "unexpected token"),
    entry(SLASH_COMMENT, "comment with slashes"),
    entry(BAD_PATH, "ill-formed path"),
    entry(TOO_DEEP, "nesting too deep"),
    entry(NAME_CASE, "name in the wrong case"),
    entry(EXPECTED_TYPE, "missing type"),
    entry(EXPECTED_ARM, "not the pattern of an arm"),
    entry(INCOMPLETE_MATCH, "incomplete `match`"),
    entry(INCOMPLETE_ASSERT, "incomplete `assert`"),
    entry(TAG_PAYLOAD, "tag with two payloads"),
    entry(MISPLACED_TYPE, "type out of place"),
    // Names: 02xx
    entry(UNBOUND_NAME, "unbound name"),
    entry(DUPLICATE_NAME, "name bound twice"),
    entry(DUPLICATE_FIELD, "field given twice"),
    entry(BINDING_CYCLE, "bindings in a circle"),
    entry(UNUSED_BINDING, "unused binding"),
    entry(DYNAMIC_KEY, "computed field name"),
    entry(LET_PATH, "path or string bound by `let`"),
    entry(UNKNOWN_TYPE, "unknown type"),
    entry(TYPE_ARGUMENTS, "wrong arguments of a type"),
    entry(RECURSIVE_TYPE, "type made of itself"),
    entry(TYPE_TOO_LARGE, "type too large"),
    // Values and functions: 03xx
    entry(WRONG_TYPE, "wrong type"),
    entry(NOT_A_FUNCTION, "not a function"),
    entry(UNKNOWN_FIELD, "unknown field"),
    entry(MISSING_ARGUMENT_FIELD, "missing field in an argument"),
    entry(UNKNOWN_ARGUMENT_FIELD, "unknown field in an argument"),
    entry(DIVISION_BY_ZERO, "division by zero"),
    entry(INTEGER_OVERFLOW, "integer overflow"),
    entry(NOT_COMPARABLE, "values that cannot be compared"),
    entry(ASSERTION_FAILED, "assertion failed"),
    entry(INDEX_OUT_OF_RANGE, "index out of range"),
    entry(BUDGET_EXCEEDED, "evaluation budget exceeded"),
    entry(NESTED_TOO_DEEP, "evaluation nested too deep"),
    entry(NOT_AN_IMAGE, "not an image"),
    entry(INVALID_ARGUMENT, "invalid argument"),
    entry(OPTIONAL_FIELD, "field that may be missing"),
    entry(INFINITE_TYPE, "type that is a part of itself"),
    entry(NOT_EXHAUSTIVE, "values without an arm"),
    entry(UNREACHABLE_ARM, "arm that is never reached"),
    entry(ANNOTATION_TOO_GENERAL, "annotation that promises too much"),
    // Files and imports: 04xx
    entry(FILE_NOT_FOUND, "file not found"),
    entry(PATH_OUTSIDE_PROJECT, "path outside the project"),
    entry(IMPORT_CYCLE, "imports in a circle"),
    entry(UNKNOWN_STD_MODULE, "unknown module"),
    entry(UNREADABLE_FILE, "unreadable file"),
    entry(SYMLINK_ESCAPES, "link out of its folder"),
    entry(IMPORT_FAILED, "import with errors"),
    entry(REMOTE_MODULE, "module from elsewhere that can't be had"),
    // Images: 05xx
    entry(MISSING_FIELD, "missing field"),
    entry(UNKNOWN_IMAGE_FIELD, "unknown field for the host"),
    entry(BAD_MODE, "bad mode"),
    entry(BAD_IMAGE_PATH, "bad path in the image"),
    entry(BAD_PLATFORM, "unknown platform"),
    entry(BAD_PORT, "bad port"),
    entry(BAD_USER_NAME, "bad user or group name"),
    entry(DUPLICATE_USER, "user given twice"),
    entry(DUPLICATE_GROUP, "group given twice"),
    entry(BAD_ID, "bad user or group number"),
    entry(UNKNOWN_USER, "unknown user or group"),
    entry(UNKNOWN_PACKAGE, "unknown package"),
    entry(BAD_PACKAGE_NAME, "bad package name"),
    entry(NOT_A_STATIC_BINARY, "not a static binary"),
    entry(WRONG_ARCHITECTURE, "binary of another architecture"),
    entry(INVALID_IMAGE_NAME, "bad image name"),
    entry(DUPLICATE_PATH, "path given twice"),
    entry(BAD_SUITE, "unknown suite"),
    entry(BAD_ENVIRONMENT, "bad environment variable"),
    entry(BAD_SIGNAL, "bad signal"),
    entry(BAD_LABEL, "bad label"),
    entry(BAD_SYMLINK_TARGET, "bad link target"),
    entry(DUPLICATE_IMAGE, "image given twice"),
    entry(
        UNSOLVABLE_PACKAGES,
        "packages that can't be installed together",
    ),
    entry(CONFLICT, "two different values"),
    entry(NO_PACKAGES, "packages for an image without Debian packages"),
    entry(PATH_IN_QUOTES, "path in quotes"),
    entry(NO_REASON, "scripts skipped without a reason"),
    entry(BAD_ARCHIVE, "bad archive"),
    entry(BAD_PATTERN, "bad pattern of paths"),
    entry(SKIPPED_AND_STATED, "scripts both skipped and stated"),
    entry(BAD_LAYERS, "bad layers"),
    entry(BAD_INDEX, "bad index"),
    entry(BAD_BASE, "bad base"),
    entry(BAD_CAPABILITY, "bad capability"),
    entry(BAD_FETCH, "bad address or digest of a fetched file"),
    entry(FETCHED_OTHER, "other bytes than those asked for"),
    entry(BAD_CONTENTS, "archive that can't be unpacked"),
    entry(MISSING_LIBRARY, "program without its libraries"),
    entry(BAD_PROVIDED, "bad name of what is provided"),
    entry(BAD_HEALTHCHECK, "bad check of health"),
    // The command line: 06xx
    entry(ARGUMENT_NEEDED, "argument that is needed"),
    entry(UNKNOWN_ARGUMENT, "argument that nothing takes"),
    entry(BAD_ARGUMENT, "argument of another type"),
    entry(UNKNOWN_SELECTION, "field that the file does not have"),
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
        }
        assert_eq!(Code::parse("img201"), Some(UNBOUND_NAME));
        assert_eq!(Code::parse("IMG9999"), None);
        assert_eq!(Code::parse("IMG+201"), None);
        assert_eq!(Code::parse("nonsense"), None);
        assert_eq!(Code::parse("éé1"), None);
    }
}
