//! Pieces of programs that are written out: functions that take anything, and links of
//! chains of `|>`. It makes no programs.

use super::Type;

/// Functions that leave open what they take, and may be used with two types at once.
/// `@` stands for the function, `A` and `B` for arguments of two types; what comes out is
/// of the type of `A`.
pub(super) const POLYMORPHIC: &[(&str, &str)] = &[
    ("x => x", "let same = @ B; in @ A"),
    (
        "f => x => f (f x)",
        "let same = @ (x => x) B; in @ (x => x) A",
    ),
    ("x => y => x", "@ A (@ B A)"),
    (
        "x => y => { first = x; second = y; }",
        "(@ (@ A B) (@ B A)).first.first",
    ),
    (
        "c => x => y => if c then x else y",
        "let k = @ true B B; in @ false A A",
    ),
    (
        "x => [x]",
        "withDefault A (head (@ A ++ take (length (@ B)) []))",
    ),
    (
        "o => d => match o { Some x => x; None => d; }",
        "let k = @ (Some B) B; in @ (Some A) A",
    ),
    (
        "r => r.alpha",
        "let k = @ { alpha = B; beta = A; }; in @ { alpha = A; zeta = k; }",
    ),
    (
        "r => r // { alpha = 1; }",
        "(@ { alpha = B; beta = A; }).beta",
    ),
    (
        "r => s => r // { alpha = s; }",
        "(@ (@ { zeta = A; } B) A).alpha",
    ),
    (
        "{ k ? 1, v } => v",
        "let n = @ { v = B; }; in @ { k = 2; v = A; }",
    ),
    (
        "x => match x { Off => None; Low n => Some n; rest => None; }",
        "withDefault A (@ (Low A))",
    ),
    ("f => g => x => g (f x)", "@ (x => { v = x; }) (r => r.v) A"),
];

/// Links of a chain of `|>`: what each takes, how it is written, and what it gives.
pub(super) const LINKS: &[(Kind, &str, Kind)] = {
    use Kind::{Bool, Int, Ints, Map, Option, String, Strings};
    &[
        (Ints, "map (n => mod n 7)", Ints),
        (Ints, "filter (n => n > 2)", Ints),
        (Ints, "sort |> reverse", Ints),
        (Ints, "unique", Ints),
        (Ints, "take 3 |> drop 1", Ints),
        (Ints, "sortBy (n => 0 - n)", Ints),
        (Ints, "concatMap (n => [n, 1])", Ints),
        (Ints, "map (n => [n]) |> concat", Ints),
        (Ints, "partition (n => n > 1) |> (p => p.yes)", Ints),
        (Ints, "sum", Int),
        (Ints, "fold (a => n => max a n) 0", Int),
        (Ints, "length", Int),
        (Ints, "map toString", Strings),
        (Ints, "head", Option),
        (Ints, "last", Option),
        (Ints, "find (n => n > 1)", Option),
        (Ints, "indexOf 1", Option),
        (Ints, "contains 3", Bool),
        (Ints, "all (n => n > 0)", Bool),
        (Ints, "any (n => n > 0)", Bool),
        (
            Ints,
            "zip [\"a\", \"b\"] |> map (p => p.first + toString p.second)",
            Strings,
        ),
        (Option, "withDefault 0", Int),
        (Int, "toString", String),
        (Int, "abs |> min 20 |> range 0", Ints),
        (Int, "iterate 3 (n => mod (n + 1) 100)", Int),
        (Strings, "join \",\"", String),
        (Strings, "map upper", Strings),
        (Strings, "filter (startsWith \"a\")", Strings),
        (Strings, "concatMap (split \" \")", Strings),
        (
            Strings,
            "unique |> map (s => { name = s; value = textLength s; }) |> toMap",
            Map,
        ),
        (Strings, "groupBy upper |> mapValues length", Map),
        (String, "lower", String),
        (String, "trim", String),
        (String, "replace \"a\" \"b\"", String),
        (String, "padLeft 4 \"0\"", String),
        (String, "indent 2", String),
        (String, "removePrefix \"a\" |> removeSuffix \"c\"", String),
        (String, "lines", Strings),
        (String, "characters", Strings),
        (String, "textLength", Int),
        (String, "toInt", Option),
        (String, "hasText \"a\"", Bool),
        (String, "matches \"[a-c]+\"", Bool),
        (Map, "names", Strings),
        (Map, "values", Ints),
        (Map, "mapValues (n => mod n 50)", Map),
        (Map, "filterMap (_ => n => n > 1)", Map),
        (Map, "remove [\"a\"]", Map),
        (Map, "entries |> map (e => e.value)", Ints),
        (Map, "get \"a\"", Option),
        (Map, "getOr \"a\" 0", Int),
        (Map, "has \"a\"", Bool),
    ]
};

/// A type that links of chains work on: `Ints` is `[Int]`, `Map` a map of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Bool,
    Int,
    Ints,
    Map,
    Option,
    String,
    Strings,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Bool,
        Self::Int,
        Self::Ints,
        Self::Map,
        Self::Option,
        Self::String,
        Self::Strings,
    ];

    pub(super) fn ty(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int => Type::Int,
            Self::Ints => Type::List(Box::new(Type::Int)),
            Self::Map => Type::Map(Box::new(Type::Int)),
            Self::Option => Type::Option(Box::new(Type::Int)),
            Self::String => Type::String,
            Self::Strings => Type::List(Box::new(Type::String)),
        }
    }
}

/// Whether values of the type can't be compared.
pub(super) fn has_function(ty: &Type) -> bool {
    match ty {
        Type::Function(..) | Type::Host(_) => true,
        Type::List(part) | Type::Option(part) | Type::Map(part) => has_function(part),
        Type::Record(fields) => fields.iter().any(|(_, ty)| has_function(ty)),
        Type::Int | Type::Bool | Type::String | Type::Choice => false,
    }
}
