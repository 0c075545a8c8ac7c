// The grammar of the book ("Grammar"), for tree-sitter. It takes every program that is
// right; what is wrong in a program is for `imgc` to say.

const PREC = {
  lambda: 1,
  pipe: 2,
  or: 3,
  and: 4,
  equal: 5,
  order: 6,
  update: 7,
  concat: 8,
  sum: 9,
  product: 10,
  unary: 11,
  apply: 12,
  select: 13,
};

/** Items with `separator` between them, and one more at the end if you like. */
const list = (separator, item) =>
  optional(seq(item, repeat(seq(separator, item)), optional(separator)));

/** As `list`, and `...` at the end. */
const open = (item, rest) =>
  choice(
    optional(rest),
    seq(item, repeat(seq(",", item)), optional(","), optional(rest)),
  );

/** What operators join, where `operand` is what stands beside them. */
const binary = (operand) => {
  const left = (level, operator) =>
    prec.left(level, seq(operand, field("operator", operator), operand));
  const right = (level, operator) =>
    prec.right(level, seq(operand, field("operator", operator), operand));
  return choice(
    left(PREC.pipe, "|>"),
    left(PREC.or, "||"),
    left(PREC.and, "&&"),
    left(PREC.equal, choice("==", "!=")),
    left(PREC.order, choice("<", "<=", ">", ">=")),
    right(PREC.update, "//"),
    right(PREC.concat, "++"),
    left(PREC.sum, choice("+", "-")),
    left(PREC.product, "*"),
  );
};

module.exports = grammar({
  name: "img",

  extras: ($) => [/[ \t\r\n]/, $.comment],

  word: ($) => $.identifier,

  externals: ($) => [$._text_content, $._text_end],

  conflicts: ($) => [
    [$.matched_application],
    [$._matched, $.matched_application],
    [$.parameter_field, $._key],
    [$.typed_parameter, $._unbraced_atom],
  ],

  rules: {
    source_file: ($) => $._expression,

    comment: (_) => token(prec(-1, /#[^\n]*/)),

    _expression: ($) =>
      choice(
        $.let,
        $.function,
        $.if,
        $.match,
        $.assert,
        $.binary,
        $.unary,
        $.application,
        $._argument,
      ),

    let: ($) =>
      prec.right(
        PREC.lambda,
        seq(
          "let",
          repeat(seq(choice($.binding, $.type_declaration), ";")),
          "in",
          field("body", $._expression),
        ),
      ),
    binding: ($) =>
      seq(
        field("name", $.identifier),
        optional(seq(":", field("type", $._type))),
        "=",
        field("value", $._expression),
      ),
    type_declaration: ($) =>
      seq(
        "type",
        field("name", $.type_name),
        repeat(field("parameter", $.identifier)),
        "=",
        field("type", $._type),
      ),

    function: ($) =>
      prec.right(
        PREC.lambda,
        seq(field("parameter", $._parameter), "=>", field("body", $._expression)),
      ),
    _parameter: ($) => choice($.binding_parameter, $.typed_parameter, $.parameters),
    binding_parameter: ($) => $.identifier,
    typed_parameter: ($) => seq("(", $.identifier, optional(seq(":", $._type)), ")"),
    parameters: ($) => seq("{", open($.parameter_field, $.rest), "}"),
    parameter_field: ($) =>
      seq(
        field("name", $._field_name),
        optional(seq(":", field("type", $._type))),
        optional(seq("?", field("default", $._expression))),
      ),
    rest: (_) => "...",

    if: ($) =>
      prec.right(
        PREC.lambda,
        seq(
          "if",
          field("condition", $._expression),
          "then",
          field("consequence", $._expression),
          "else",
          field("alternative", $._expression),
        ),
      ),
    match: ($) =>
      seq("match", field("value", $._matched), "{", repeat(seq($.arm, ";")), "}"),
    // A brace after it begins an argument or the arms: what is in it tells.
    _matched: ($) =>
      choice(
        alias($.matched_binary, $.binary),
        alias($.matched_unary, $.unary),
        alias($.matched_application, $.application),
        $._argument,
      ),
    matched_binary: ($) => binary($._matched),
    matched_unary: ($) => prec(PREC.unary, seq(choice("!", "-"), $._matched)),
    matched_application: ($) =>
      seq(field("function", $._argument), repeat1(field("argument", $._argument))),
    arm: ($) => seq(field("pattern", $._pattern), "=>", field("value", $._expression)),
    _pattern: ($) =>
      choice(
        $.tag_pattern,
        $.binding_parameter,
        seq(optional("-"), $.integer),
        $.string,
        $.text,
        $.boolean,
      ),
    tag_pattern: ($) =>
      seq(field("tag", $.type_name), optional(choice($.binding_parameter, $.payload))),
    payload: ($) => seq("{", open($.payload_field, $.rest), "}"),
    payload_field: ($) => seq($._field_name, optional(seq(":", $._type))),
    assert: ($) =>
      prec.right(
        PREC.lambda,
        seq(
          "assert",
          field("condition", $._expression),
          "else",
          field("message", $._expression),
          "then",
          field("body", $._expression),
        ),
      ),

    binary: ($) => binary($._expression),
    unary: ($) => prec(PREC.unary, seq(choice("!", "-"), $._expression)),
    application: ($) =>
      prec.left(
        PREC.apply,
        seq(field("function", $._argument), repeat1(field("argument", $._argument))),
      ),
    _argument: ($) => choice($.select, $._expression_atom),
    select: ($) =>
      prec.left(PREC.select, seq($._argument, ".", field("field", $._key))),

    _expression_atom: ($) => choice($._unbraced_atom, $.record),
    _unbraced_atom: ($) =>
      choice(
        $.identifier,
        $.tag,
        $.integer,
        $.boolean,
        $.string,
        $.text,
        $.path,
        $.import,
        $.list,
        $.parenthesized,
      ),
    tag: ($) => $.type_name,
    import: ($) => seq("import", choice($.module, $.path, $.string)),
    list: ($) => seq("[", list(",", $._expression), "]"),
    record: ($) => seq("{", repeat(seq($.field, ";")), "}"),
    field: ($) =>
      choice(
        field("name", $._field_name),
        seq(
          field("name", $._key),
          repeat(seq(".", field("name", $._key))),
          optional(seq(":", field("type", $._type))),
          "=",
          field("value", $._expression),
        ),
      ),
    parenthesized: ($) => seq("(", $._expression, optional(seq(":", $._type)), ")"),

    _key: ($) => choice($._field_name, $.string),
    _field_name: ($) => choice(alias($.identifier, $.field_name), alias($.type_name, $.field_name)),

    _type: ($) => choice($.function_type, $.union_type, $._applied_type),
    function_type: ($) =>
      prec.right(seq(choice($.union_type, $._applied_type), "->", $._type)),
    union_type: ($) =>
      prec.right(
        choice(
          seq(
            optional("|"),
            $.tag_type,
            repeat1(seq("|", choice($.tag_type, $.rest))),
          ),
          seq("|", $.tag_type),
          seq("|", $.rest),
        ),
      ),
    tag_type: ($) => prec.right(seq(field("tag", $.type_name), optional($._type_atom))),
    _applied_type: ($) => choice($.applied_type, $._type_atom),
    applied_type: ($) => prec.right(1, seq($.type_name, repeat1($._type_atom))),
    _type_atom: ($) =>
      choice(
        $.type_name,
        alias($.identifier, $.type_variable),
        $.list_type,
        $.record_type,
        $.parenthesized_type,
      ),
    list_type: ($) => seq("[", $._type, "]"),
    record_type: ($) => seq("{", open($.field_type, $.row), "}"),
    row: ($) => prec.right(seq("...", optional(alias($.identifier, $.type_variable)))),
    field_type: ($) => seq(field("name", $._key), optional("?"), ":", field("type", $._type)),
    parenthesized_type: ($) => seq("(", $._type, ")"),

    identifier: (_) => /[a-z_][A-Za-z0-9_]*(-[A-Za-z][A-Za-z0-9_]*)*/,
    type_name: (_) => /[A-Z][A-Za-z0-9_]*(-[A-Za-z][A-Za-z0-9_]*)*/,
    module: (_) => /std(\/[A-Za-z_][A-Za-z0-9_-]*)+/,
    path: (_) => /\.\.?\/[A-Za-z0-9_.+@~%\/-]*/,
    boolean: (_) => choice("true", "false"),
    integer: (_) => /0x[0-9A-Fa-f]+(_[0-9A-Fa-f]+)*|0o[0-7]+(_[0-7]+)*|[0-9]+(_[0-9]+)*/,

    string: ($) =>
      seq(
        '"',
        repeat(
          choice(
            alias(token.immediate(prec(1, /[^"\\$\n]+|\$/)), $.string_content),
            $.escape,
            $.interpolation,
          ),
        ),
        token.immediate('"'),
      ),
    text: ($) =>
      seq(
        '"""',
        repeat(choice(alias($._text_content, $.string_content), $.escape, $.interpolation)),
        alias($._text_end, '"""'),
      ),
    escape: (_) => token.immediate(/\\([ntr"\\$]|u\{[0-9A-Fa-f]{1,6}\})/),
    interpolation: ($) => seq(token.immediate(prec(2, "${")), $._expression, "}"),
  },
});
