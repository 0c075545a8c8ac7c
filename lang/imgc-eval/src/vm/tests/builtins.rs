//! Every example of the table, and the edges of builtins.

use super::{check, run_db, world};
use crate::builtins::Builtin;
use crate::queries::testing::TestDb;

#[test]
fn every_example_of_the_table_gives_its_value() {
    let mut wrong = Vec::new();
    for builtin in Builtin::all() {
        let doc = builtin.doc();
        if doc.value.is_empty() || doc.subject == "Images" {
            continue;
        }
        let db = TestDb::with(world(), &[("main.img", doc.example)]);
        let found = run_db(&db);
        if found != doc.value {
            wrong.push(format!("{}: {found}, not {}", doc.name, doc.value));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn lists() {
    check(&[
        (
            "[all (n => n > 0) [], all (n => n > 1) [2, 1, 3]]",
            "[true, false]",
        ),
        (
            "[any (n => n > 0) [], any (n => n > 2) [2, 1, 3]]",
            "[false, true]",
        ),
        ("at 0 [7]", "7"),
        (
            "at 1 [7]",
            "IMG0310 1: there is no item 1: the list has only item 0",
        ),
        (
            "at (-1) [7, 8]",
            "IMG0310 -1: there is no item -1: the list has items 0 to 1",
        ),
        (
            "at 0 []",
            "IMG0310 0: there is no item 0: the list is empty",
        ),
        (
            "[concat [], concat [[]], concat [[1], [], [2, 3]]]",
            "[[], [], [1, 2, 3]]",
        ),
        (
            "concatMap (n => if n > 1 then [n] else []) [1, 2, 3]",
            "[2, 3]",
        ),
        (
            "[contains [1] [[2], [1]], contains { a = 1; } [{ a = 2; }]]",
            "[true, false]",
        ),
        (
            "[drop 0 [1, 2], drop 5 [1, 2], drop (-1) [1], take 0 [1], take 9 [1], take (-9) [1]]",
            "[[1, 2], [], [1], [], [1], []]",
        ),
        (
            "[find (n => n > 5) [1], find (n => n > 0) [1, 2]]",
            "[None, Some 1]",
        ),
        ("fold (a => b => a ++ [b]) [] [1, 2, 3]", "[1, 2, 3]"),
        (
            "groupBy (n => toString (mod n 2)) (range 0 5)",
            "{ \"0\" = [0, 2, 4]; \"1\" = [1, 3]; }",
        ),
        (
            "[head [], last [], head [1, 2], last [1, 2]]",
            "[None, None, Some 1, Some 2]",
        ),
        (
            "[indexOf 3 [1, 2], indexOf (Some 1) [None, Some 1]]",
            "[None, Some 1]",
        ),
        (
            "[iterate 0 (n => n + 1) 5, iterate (-3) (n => n + 1) 5, iterate 100 (n => n + 1) 0]",
            "[5, 5, 100]",
        ),
        ("map toString [1, 2]", "[\"1\", \"2\"]"),
        (
            "map (add => add 1) (map (a => b => a + b) [10, 20])",
            "[11, 21]",
        ),
        ("partition (n => n > 1) []", "{ no = []; yes = []; }"),
        (
            "[range 3 0, range 1 2, range (-2) 1]",
            "[[], [1], [-2, -1, 0]]",
        ),
        ("[reverse [], reverse [1, 2, 3]]", "[[], [3, 2, 1]]"),
        ("[sort [], sort [3, -1, 2]]", "[[], [-1, 2, 3]]"),
        (
            "sort [\"b\", \"B\", \"a\", \"é\", \"\"]",
            "[\"\", \"B\", \"a\", \"b\", \"é\"]",
        ),
        (
            "sortBy (p => p.k) [{ k = 2; v = 1; }, { k = 1; v = 2; }, { k = 2; v = 0; }] |> map (p => p.v)",
            "[2, 1, 0]",
        ),
        ("unique [[1], [2], [1], [], [2], []]", "[[1], [2], []]"),
        (
            "unique [\"b\", \"a\", \"b\", \"c\", \"a\"]",
            "[\"b\", \"a\", \"c\"]",
        ),
        ("[unique [], zip [] [1]]", "[[], []]"),
        (
            "zip [1, 2, 3] [\"a\", \"b\"] |> map (p => p.second)",
            "[\"a\", \"b\"]",
        ),
        ("length (zip (range 0 100) (range 0 50))", "50"),
    ]);
}

#[test]
fn maps() {
    check(&[
        ("entries {}", "[]"),
        ("toMap (entries { a = 1; b = 2; })", "{ a = 1; b = 2; }"),
        ("toMap []", "{}"),
        ("toMap [{ name = \"x y\"; value = 1; }]", "{ \"x y\" = 1; }"),
        (
            "toMap [{ name = \"a\"; value = 1; }, { name = \"a\"; value = 2; }]",
            "IMG0203 \"a\": the name `a` is given twice",
        ),
        (
            "filterMap (name => n => name == \"a\" || n > 2) { a = 1; b = 2; c = 3; }",
            "{ a = 1; c = 3; }",
        ),
        (
            "[get \"b\" { a = 1; }, get \"a\" { a = 1; }]",
            "[None, Some 1]",
        ),
        (
            "[getOr \"a\" 0 { a = 1; }, getOr \"z\" 0 { a = 1; }]",
            "[1, 0]",
        ),
        (
            "[has \"a\" { a = 1; }, has \"z\" { a = 1; }]",
            "[true, false]",
        ),
        ("mapValues (v => v + 1) {}", "{}"),
        (
            "[names { b = 1; a = 2; }, map toString (values { b = 1; a = 2; })]",
            "[[\"a\", \"b\"], [\"2\", \"1\"]]",
        ),
        (
            "[remove [] { a = 1; }, remove [\"a\"] { a = 1; }, remove [\"z\", \"a\"] { a = 1; b = 2; }]",
            "[{ a = 1; }, {}, { b = 2; }]",
        ),
        ("[withDefault 1 None, withDefault 1 (Some 2)]", "[1, 2]"),
        (
            "let long = repeat 4097 \"a\"; in toMap [{ name = long; value = 1; }]",
            "IMG0314 repeat 4097 \"a\": the name of a field has at most 4096 bytes",
        ),
        (
            "let long = repeat 4097 \"a\"; in groupBy (_n => long) [1]",
            "IMG0314 repeat 4097 \"a\": the name of a field has at most 4096 bytes",
        ),
    ]);
}

#[test]
fn strings_and_numbers() {
    check(&[
        (
            "[characters \"\", characters \"aé\"]",
            "[[], [\"a\", \"é\"]]",
        ),
        (
            "[endsWith \"\" \"a\", endsWith \"ab\" \"b\", startsWith \"a\" \"ab\"]",
            "[true, false, true]",
        ),
        (
            "fail \"no: ${toString 1}\"",
            "IMG0309 fail \"no: ${toString 1}\": no: 1",
        ),
        (
            "[hasText \"\" \"\", hasText \"z\" \"abc\"]",
            "[true, false]",
        ),
        ("indent 2 \"a\\n\\nb\"", "\"  a\\n\\n  b\""),
        (
            "[join \"-\" [], join \"-\" [\"a\"], join \"\" [\"a\", \"b\"]]",
            "[\"\", \"a\", \"ab\"]",
        ),
        (
            "[lines \"\", lines \"a\\r\\nb\", lines \"\\n\\n\"]",
            "[[], [\"a\", \"b\"], [\"\", \"\"]]",
        ),
        ("[lower \"AbÉ\", upper \"abé\"]", "[\"abÉ\", \"ABé\"]"),
        (
            "[padLeft 2 \"0\" \"123\", padLeft 5 \"ab\" \"x\", padLeft (-1) \"\" \"x\"]",
            "[\"123\", \"ababx\", \"x\"]",
        ),
        (
            "padLeft 2 \"\" \"x\"",
            "IMG0314 \"\": `padLeft` needs something to fill with",
        ),
        (
            "[removePrefix \"a\" \"b\", removeSuffix \"b\" \"ab\"]",
            "[\"b\", \"a\"]",
        ),
        (
            "[repeat 0 \"a\", repeat (-1) \"a\", repeat 4000000000000 \"\"]",
            "[\"\", \"\", \"\"]",
        ),
        (
            "[replace \"a\" \"\" \"banana\", replace \"aa\" \"b\" \"aaa\"]",
            "[\"bnn\", \"ba\"]",
        ),
        (
            "replace \"\" \"x\" \"a\"",
            "IMG0314 \"\": `replace` needs a text to replace that is not empty",
        ),
        (
            "[slice 0 1 \"éa\", slice 1 9 \"éa\", slice 2 1 \"abc\", slice (-5) 2 \"abc\"]",
            "[\"é\", \"a\", \"\", \"ab\"]",
        ),
        (
            "[split \",\" \"\", split \",\" \",a,\"]",
            "[[\"\"], [\"\", \"a\", \"\"]]",
        ),
        (
            "split \"\" \"a\"",
            "IMG0314 \"\": `split` needs a separator that is not empty",
        ),
        ("[textLength \"\", textLength \"é\"]", "[0, 1]"),
        (
            "map toInt [\"0\", \"-5\", \"+5\", \"\", \"-\", \"9223372036854775808\", \"1_0\"]",
            "[Some 0, Some (-5), None, None, None, None, None]",
        ),
        (
            "[toString true, toString \"a\", toString (-1), toString ./a/b]",
            "[\"true\", \"a\", \"-1\", \"./a/b\"]",
        ),
        ("trim \"\\t a \\n\"", "\"a\""),
        (
            "[div 7 2, div (-7) 2, div 7 (-2), div (-7) (-2), div 6 (-2)]",
            "[3, -4, -4, 3, -3]",
        ),
        (
            "[mod 7 2, mod (-7) 2, mod 7 (-2), mod (-7) (-2), mod 6 (-2)]",
            "[1, 1, -1, -1, 0]",
        ),
        ("div 1 0", "IMG0306 0: this is zero"),
        ("mod 1 (1 - 1)", "IMG0306 1 - 1: this is zero"),
        (
            "[abs 3, abs (-3), min 1 2, max 1 2, sum []]",
            "[3, 3, 1, 2, 0]",
        ),
        (
            "abs (-9223372036854775807 - 1)",
            "IMG0307 abs (-9223372036854775807 - 1): the result is no 64-bit number",
        ),
        (
            "div (-9223372036854775807 - 1) (-1)",
            "IMG0307 div (-9223372036854775807 - 1) (-1): the result is no 64-bit number",
        ),
        ("mod (-9223372036854775807 - 1) (-1)", "0"),
        (
            "sum [9223372036854775807, 1]",
            "IMG0307 sum [9223372036854775807, 1]: the result is no 64-bit number",
        ),
        (
            "sha256 \"abc\"",
            "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
        ),
    ]);
}

#[test]
fn regular_expressions() {
    check(&[
        (
            "[matches \"b\" \"abc\", matches \"^b\" \"abc\", matches \"\" \"\"]",
            "[true, false, true]",
        ),
        ("capture \"(a)|(b)\" \"b\"", "Some [\"\", \"b\"]"),
        (
            "[capture \"a\" \"a\", capture \"(z)\" \"a\"]",
            "[Some [], None]",
        ),
        ("findAll \"a*\" \"baa\"", "[\"\", \"aa\"]"),
        ("replaceAll \"x\" \"\\$0\\$0\" \"axb\"", "\"axxb\""),
        ("replaceAll \"[aeiou]\" \"\" \"education\"", "\"dctn\""),
        ("splitRegex \"[,;]\" \"a,b;c\"", "[\"a\", \"b\", \"c\"]"),
        (
            "matches \"(\" \"a\"",
            "IMG0314 \"(\": this is no regular expression: unclosed group",
        ),
        (
            "matches \"(?:(?:a{100}){100}){100}\" \"a\"",
            "IMG0314 \"(?:(?:a{100}){100}){100}\": this regular expression is too large",
        ),
    ]);
}

#[test]
fn templates() {
    check(&[
        ("render {} \"plain {x} }}\"", "\"plain {x} }}\""),
        (
            "render { a = \"1\"; b = \"2\"; } \"{{a}}{{ b }}{{a}}\"",
            "\"121\"",
        ),
        (
            "render { a = \"{{ b }}\"; b = \"2\"; } \"{{a}}{{b}}\"",
            "\"{{ b }}2\"",
        ),
        (
            "render { name = \"1\"; } \"\\n{{ nam }}\"",
            "IMG0314 \"\\n{{ nam }}\": line 2 of the template names `nam`, which is not given",
        ),
        (
            "render { a = \"1\"; b = \"1\"; } \"{{ a }}\"",
            "IMG0314 b: the template does not use `b`",
        ),
        (
            "render {} \"{{ a\"",
            "IMG0314 \"{{ a\": `{{` on line 1 of the template has no `}}`",
        ),
    ]);
}

#[test]
fn data() {
    check(&[
        (
            "parseJson \"[1, 2.5, null, true, \\\"x\\\", {}]\" |> asList |> map toJson",
            "[\"1\", \"2.5\", \"null\", \"true\", \"\\\"x\\\"\", \"{}\"]",
        ),
        (
            "parseJson \"{\\\"b\\\":1,\\\"a\\\":2}\" |> toJson",
            "\"{\\\"a\\\":2,\\\"b\\\":1}\"",
        ),
        ("parseJson \"{}\"", "<data>"),
        (
            "asInt (parseJson \"1.5\")",
            "IMG0301 asInt (parseJson \"1.5\"): `the text` is the number 1.5, and a whole number of 64 bits is needed",
        ),
        (
            "asInt (parseJson \"9223372036854775808\")",
            "IMG0301 asInt (parseJson \"9223372036854775808\"): `the text` is the number 9223372036854775808, and a whole number of 64 bits is needed",
        ),
        (
            "parseJson \"{\\\"a\\\":{\\\"b c\\\":[null]}}\" |> field \"a\" |> field \"b c\" |> asList |> map asString",
            "IMG0301 parseJson \"{\\\"a\\\":{\\\"b c\\\":[null]}}\" |> field \"a\" |> field \"b c\" |> asList |> map asString: `the text: a.\"b c\"[0]` is null, and a string is needed",
        ),
        (
            "parseJson \"{\\\"port\\\":1}\" |> field \"prot\"",
            "IMG0303 \"prot\": `the text` has no field `prot`",
        ),
        (
            "parseJson \"1\" |> field \"a\"",
            "IMG0301 parseJson \"1\" |> field \"a\": `the text` is the number 1, and an object is needed",
        ),
        (
            "let d = parseJson \"{\\\"a\\\":null,\\\"b\\\":1}\"; in map (n => match optionalField n d { Some x => asText x; None => \"-\"; }) [\"a\", \"b\", \"c\"]",
            "[\"-\", \"1\", \"-\"]",
        ),
        (
            "[isNull (parseJson \"null\"), isNull (parseJson \"0\")]",
            "[true, false]",
        ),
        (
            "[asBool (parseJson \"true\"), asText (parseJson \"true\") == \"true\"]",
            "[true, true]",
        ),
        ("parseJson \"1\" == parseJson \" 1 \"", "true"),
        (
            "unique (asList (parseJson \"[1, 1.0, 2, 1, [], {}, []]\")) |> map toJson",
            "[\"1\", \"1.0\", \"2\", \"[]\", \"{}\"]",
        ),
        (
            "parseJson \"[1,\\n2,,]\"",
            "IMG0314 \"[1,\\n2,,]\": the text is no JSON, line 2: expected value",
        ),
        (
            "parseToml \"a = 1\\na = 2\"",
            "IMG0314 \"a = 1\\na = 2\": the text is no TOML, line 2: duplicate key",
        ),
        (
            "parseToml \"d = 2024-01-02\\nf = 1.5\" |> toJson",
            "\"{\\\"d\\\":\\\"2024-01-02\\\",\\\"f\\\":1.5}\"",
        ),
        (
            "parseToml \"f = inf\"",
            "IMG0314 \"f = inf\": the text is no TOML: a number is infinite, or none",
        ),
        ("parseYaml \"\"  |> isNull", "true"),
        (
            "parseYaml \"a: &x {b: 1}\\nc: *x\\nd: ['1', 0x10, 1.5, ~, no, !!str 2, -3]\" |> toJson",
            "\"{\\\"a\\\":{\\\"b\\\":1},\\\"c\\\":{\\\"b\\\":1},\\\"d\\\":[\\\"1\\\",16,1.5,null,\\\"no\\\",\\\"2\\\",-3]}\"",
        ),
        (
            "parseYaml \"a: |\\n  x\\n  y\\n80: 1\" |> toJson",
            "\"{\\\"80\\\":1,\\\"a\\\":\\\"x\\\\ny\\\\n\\\"}\"",
        ),
        (
            "parseYaml \"a: 1\\na: 2\"",
            "IMG0314 \"a: 1\\na: 2\": the text is no YAML, line 2: the key `a` is given twice",
        ),
        (
            "parseYaml \"a: !thing 1\"",
            "IMG0314 \"a: !thing 1\": the text is no YAML, line 1: the tag `!thing` is not known",
        ),
        (
            "parseYaml \"---\\na: 1\\n---\\nb: 1\"",
            "IMG0314 \"---\\na: 1\\n---\\nb: 1\": the text is no YAML, line 3: there is a second document",
        ),
        (
            "parseYaml \"&a [*a]\"",
            "IMG0314 \"&a [*a]\": the text is no YAML, line 1: an alias stands in what it names",
        ),
        (
            "toJson { a = [1, true]; b = \"x\"; c = None; d = Some ./x; }",
            "\"{\\\"a\\\":[1,true],\\\"b\\\":\\\"x\\\",\\\"c\\\":\\\"None\\\",\\\"d\\\":{\\\"Some\\\":\\\"./x\\\"}}\"",
        ),
        (
            "toToml { t.a = 1; b = [\"x\"]; }",
            "\"b = [\\\"x\\\"]\\n\\n[t]\\na = 1\\n\"",
        ),
        (
            "toToml [1]",
            "IMG0314 [1]: this has no TOML: only a record or map can be a whole TOML text",
        ),
    ]);
}

#[test]
fn files() {
    let cases = [
        (
            "readFile ./mot",
            "IMG0401 ./mot: there is no file or folder `./mot`",
        ),
        (
            "readFile ./site",
            "IMG0314 ./site: `./site` is a folder, and a file is needed",
        ),
        (
            "readFile ./out",
            "IMG0402 ./out: a symbolic link on the way to `./out` leads out of the project",
        ),
        (
            "readFile ./binary",
            "IMG0405 ./binary: `readFile` reads text, and this file is not UTF-8",
        ),
        (
            "readFile ./long",
            "IMG0405 ./long: `readFile` reads at most 1 MiB, and this file is longer",
        ),
        (
            "listDir ./motd",
            "IMG0314 ./motd: `./motd` is a file, and a folder is needed",
        ),
        ("fileExists ./site", "true"),
        (
            "readJson ./bad.json",
            "IMG0314 ./bad.json: `./bad.json` is no JSON, line 2: expected value",
        ),
        (
            "readToml ./bad.toml",
            "IMG0314 ./bad.toml: `./bad.toml` is no TOML, line 2: string values must be quoted, expected literal string",
        ),
        (
            "readYaml ./bad.yaml",
            "IMG0314 ./bad.yaml: `./bad.yaml` is no YAML, line 3: while parsing a node, did not find expected node content",
        ),
        (
            "asString (field \"port\" (readJson ./app.json))",
            "IMG0301 asString (field \"port\" (readJson ./app.json)): `./app.json: port` is the number 8080, and a string is needed",
        ),
    ];
    for (program, expected) in cases {
        let db = TestDb::with(world(), &[("main.img", program)]);
        assert_eq!(run_db(&db), expected, "{program}");
    }
}
