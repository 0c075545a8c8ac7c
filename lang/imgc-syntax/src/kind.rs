//! The kinds of tokens and nodes in a syntax tree.
//! It says what there is, not how it is found: no lexing and no grammar here.

/// Declares [`SyntaxKind`] with the list of its values.
macro_rules! syntax_kinds {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Kind of a token or node.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        pub enum SyntaxKind {
            $($(#[$doc])* $name,)*
        }

        /// Every kind, for tests.
        #[cfg(test)]
        pub(crate) const ALL: &[SyntaxKind] = &[$(SyntaxKind::$name,)*];
    };
}

syntax_kinds! {
    /// Blanks and line ends.
    Whitespace,
    /// `# …` to the end of the line.
    Comment,
    /// `## …` to the end of the line.
    DocComment,
    /// Text that is no token of the language.
    BadToken,

    /// `let`.
    LetKw,
    /// `in`.
    InKw,
    /// `if`.
    IfKw,
    /// `then`.
    ThenKw,
    /// `else`.
    ElseKw,
    /// `import`.
    ImportKw,
    /// `true`.
    TrueKw,
    /// `false`.
    FalseKw,
    /// `match`.
    MatchKw,
    /// `assert`.
    AssertKw,
    /// `type`.
    TypeKw,
    /// A name that begins with a small letter or `_`. A reserved word used as a name is one too,
    /// with an error.
    Ident,
    /// A name that begins with a capital: a tag or a type, or the name of a field.
    UpperIdent,
    /// An integer, such as `10_000` or `0o755`. May be ill-formed, with an error.
    Int,
    /// A path, such as `./a/b.txt`.
    PathText,
    /// A module of the standard library, such as `std/debian`.
    StdModule,
    /// `"` or `"""` at the start of a string.
    StrOpen,
    /// Literal text in a string.
    StrText,
    /// An escape in a string, such as `\n`. May be ill-formed, with an error.
    StrEscape,
    /// `"` or `"""` at the end of a string.
    StrClose,
    /// `${` in a string.
    InterpOpen,
    /// The `}` that ends a `${`.
    InterpClose,
    /// `{`.
    LBrace,
    /// `}`.
    RBrace,
    /// `[`.
    LBracket,
    /// `]`.
    RBracket,
    /// `(`.
    LParen,
    /// `)`.
    RParen,
    /// `=`.
    Eq,
    /// `==`.
    EqEq,
    /// `!=`.
    NotEq,
    /// `<`.
    Lt,
    /// `<=`.
    LtEq,
    /// `>`.
    Gt,
    /// `>=`.
    GtEq,
    /// `&&`.
    AndAnd,
    /// `||`.
    OrOr,
    /// `!`.
    Bang,
    /// `+`.
    Plus,
    /// `-`.
    Minus,
    /// `*`.
    Star,
    /// `//`.
    SlashSlash,
    /// `++`.
    PlusPlus,
    /// `|>`.
    PipeGt,
    /// `=>`.
    Arrow,
    /// `->`.
    ThinArrow,
    /// `|`.
    Bar,
    /// `;`.
    Semi,
    /// `,`.
    Comma,
    /// `.`.
    Dot,
    /// `...`.
    Ellipsis,
    /// `?`.
    Question,
    /// `:`.
    Colon,

    /// The whole file: one expression.
    File,
    /// `let BINDINGS in e`.
    Let,
    /// `x => e`, `{ a, b } => e` or `(x : T) => e`.
    Lambda,
    /// `if c then a else b`.
    If,
    /// `match e { Pattern => e; }`.
    Match,
    /// `assert c else "why" then e`.
    Assert,
    /// Two operands and an operator.
    Binary,
    /// An operator and one operand.
    Unary,
    /// A function and one argument: `f x`.
    Apply,
    /// `e.name` or `e."name"`.
    Select,
    /// An integer or a truth value.
    Literal,
    /// A string, one-line or indented.
    Str,
    /// `${e}` in a string.
    Interpolation,
    /// A path as an expression.
    Path,
    /// `import std/debian`, `import ./lib.img` or `import "https://…"`.
    Import,
    /// `[a, b]`.
    List,
    /// `{ a = 1; }`.
    Record,
    /// `(e)`.
    Paren,
    /// `(e : T)`.
    Ascribe,
    /// The use of a name.
    Ref,
    /// `Always`, or `OnFailure 3` with a payload.
    Tag,
    /// What could not be understood, or (empty) what is missing.
    Error,
    /// `a.b = e;`, `a : T = e;` or `a;`. The `;` is not part of it.
    Binding,
    /// `type Name a = T;`. The `;` is not part of it.
    TypeDecl,
    /// The `a.b` of a binding: names and strings.
    KeyPath,
    /// A name where it is bound or selected.
    Name,
    /// The `x` of `x => e`, or the `(x : T)` of a function.
    NamePattern,
    /// The `{ a, b ? 1, c : T, ... }` of a function.
    RecordPattern,
    /// One field of a record pattern.
    PatternField,
    /// `Pattern => e` in a `match`. The `;` is not part of it.
    Arm,
    /// The `Tag` or `Tag payload` of an arm.
    TagPattern,
    /// The integer, string or truth value of an arm.
    LiteralPattern,

    /// `Int`: the name of a type.
    TypeName,
    /// `a`: a type variable.
    TypeVar,
    /// `Map T`.
    TypeApply,
    /// `[T]`.
    TypeList,
    /// `{ a : T, b ? : T, ... }`.
    TypeRecord,
    /// One field of a record type.
    TypeField,
    /// The `...` or `...r` of a record type.
    TypeRest,
    /// `A -> B`.
    TypeFunction,
    /// `A | B T | ...`.
    TypeUnion,
    /// One tag of a union, with its payload.
    TypeAlternative,
    /// `(T)` among types.
    TypeParen,
    /// What could not be understood, or (empty) what is missing, where a type must stand.
    ErrorType,

    /// Inside the parser only: the bindings of a `let`, without the body.
    LetHead,
    /// Inside the parser only: the arms of a `match`, in their braces.
    Arms,
    /// Inside the parser only: what stands between the parentheses of an ascription.
    Typed,
    /// Inside the parser only: the place of an expression, type or name that is missing.
    Missing,
    /// Inside the parser only: a `:` that a type follows.
    TypeColon,
}

impl SyntaxKind {
    /// Whether tokens of this kind carry no meaning: blanks and comments.
    #[must_use]
    pub fn is_trivia(self) -> bool {
        matches!(self, Self::Whitespace | Self::Comment | Self::DocComment)
    }

    /// Whether nodes of this kind are expressions, erroneous ones included.
    #[must_use]
    pub fn is_expr(self) -> bool {
        matches!(
            self,
            Self::Let
                | Self::Lambda
                | Self::If
                | Self::Match
                | Self::Assert
                | Self::Binary
                | Self::Unary
                | Self::Apply
                | Self::Select
                | Self::Literal
                | Self::Str
                | Self::Path
                | Self::Import
                | Self::List
                | Self::Record
                | Self::Paren
                | Self::Ascribe
                | Self::Ref
                | Self::Tag
                | Self::Error
        )
    }

    /// Whether nodes of this kind are types, erroneous ones included.
    #[must_use]
    pub fn is_type(self) -> bool {
        matches!(
            self,
            Self::TypeName
                | Self::TypeVar
                | Self::TypeApply
                | Self::TypeList
                | Self::TypeRecord
                | Self::TypeFunction
                | Self::TypeUnion
                | Self::TypeParen
                | Self::ErrorType
        )
    }
}
