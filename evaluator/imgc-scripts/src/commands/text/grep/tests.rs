//! What GNU grep does with the same input.

use crate::testing::machine;

/// Arguments, standard input, exit status and output of the real program.
type Case = (&'static [&'static str], &'static str, u8, &'static str);

#[rustfmt::skip]
const CASES: &[Case] = &[
    (&["foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\nfoobar foo\n"),
    (&["-v", "o"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n\na.b*c\naa-aa\n[x]\\{2}\nbär\n"),
    (&["-c", "o"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "4\n"),
    (&["-n", "^foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "2:foo=bar\n6:foobar foo\n"),
    (&["-o", "fo*"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo\nfoo\nfoo\n"),
    (&["-io", "foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo\nFOO\nfoo\nfoo\n"),
    (&["-w", "foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\nfoobar foo\n"),
    (&["-ow", "fo*"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo\nfoo\n"),
    (&["-x", "FOO"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n"),
    (&["-q", "foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, ""),
    (&["-q", "nope"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 1, ""),
    (&["-l", "foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "(standard input)\n"),
    (&["-L", "foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, ""),
    (&["-F", "a.b*c"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "a.b*c\n"),
    (&["-Fx", "FOO"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n"),
    (&["-Fc", "."], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "1\n"),
    (&["-E", "foo|one"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "one two\nfoo=bar\nfoobar foo\n"),
    (&["-Eo", "o{1,2}"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "o\no\noo\no\noo\noo\n"),
    (&["-E", "^(foo|FOO)$"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n"),
    (&["-Eo", "(foo|foobar)( foo)?"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo\nfoobar foo\n"),
    (&["\\(a\\)\\1-"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "aa-aa\n"),
    (&["-E", "(a)\\1"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "aa-aa\n"),
    (&["a\\|n"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "one two\nfoo=bar\n# note\nfoobar foo\na.b*c\naa-aa\n"),
    (&["\\.b\\*"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "a.b*c\n"),
    (&["[[:upper:]]"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n"),
    (&["^$"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "\n"),
    (&["^[^#]"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "one two\nfoo=bar\nFOO\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n"),
    (&["\\<foo\\>"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\nfoobar foo\n"),
    (&["foo\\b"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\nfoobar foo\n"),
    (&["b.r"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\nfoobar foo\nbär\n"),
    (&["-o", "b.r$"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "bar\nbär\n"),
    (&["[]x]"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "[x]\\{2}\n"),
    (&["\\[x"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "[x]\\{2}\n"),
    (&["\\\\"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "[x]\\{2}\n"),
    (&["-m1", "foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\n"),
    (&["-A1", "FOO"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n# note\n"),
    (&["-B1", "FOO"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\nFOO\n"),
    (&["-C1", "-n", "note"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "3-FOO\n4:# note\n5-\n"),
    (&["-nb", "note"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "4:20:# note\n"),
    (&["-Hn", "note"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "(standard input):4:# note\n"),
    (&["-e", "one", "-e", "note"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "one two\n# note\n"),
    (&["one\nnote"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "one two\n# note\n"),
    (&["-iE", "FOO$"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\nfoobar foo\n"),
    (&["-vc", ""], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 1, ""),
    (&[""], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n"),
    (&["-E", "a{1"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 1, ""),
    (&["-E", "x||foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n"),
    (&["\\(foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 2, ""),
    (&["[b-a]"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 2, ""),
    (&["-P", "^fo+\\b"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\n"),
    (&["-oP", "\\w+(?:=)"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=\n"),
    (&["--", "-aa"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "aa-aa\n"),
    (&["-e", "-aa"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "aa-aa\n"),
    (&["-x", "-F", "FOO"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n"),
    (&["-s", "x", "/none"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 2, ""),
    (&["-z", "foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n\0"),
    (&["-hc", "foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "2\n"),
    (&["--color=auto", "FOO"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n"),
    (&["-E", ")"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 1, ""),
    (&["*"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "a.b*c\n"),
    (&["-E", "*a"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\nfoobar foo\na.b*c\naa-aa\n"),
    (&["\\{2\\}"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "[x]\\{2}\n"),
    (&["-1", "note"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "FOO\n# note\n\n"),
    (&["-y", "Foo"], "one two\nfoo=bar\nFOO\n# note\n\nfoobar foo\na.b*c\naa-aa\n[x]\\{2}\nbär\n", 0, "foo=bar\nFOO\nfoobar foo\n"),
];

#[test]
fn the_real_program_says_the_same() {
    for &(args, input, status, out) in CASES {
        let all = [&["grep"], args].concat();
        let ran = machine().run_with(&all, input).expect("no stop");
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (status, out),
            "{args:?} of {input:?}"
        );
    }
}

#[test]
fn files_and_folders_are_searched() {
    let mut m = machine();
    m.put("/d/a", "foo\nbar\n", 0o644);
    m.put("/d/e/b", "foo\n", 0o644);
    m.put("/d/bin", "foo\0bar\n", 0o644);
    m.put("/pats", "bar\nx\n", 0o644);
    for (args, status, out) in [
        (
            &["grep", "foo", "/d/a", "/d/e/b"][..],
            0,
            "/d/a:foo\n/d/e/b:foo\n",
        ),
        (&["grep", "-h", "foo", "/d/a", "/d/e/b"], 0, "foo\nfoo\n"),
        (&["grep", "-l", "bar", "/d/a", "/d/e/b"], 0, "/d/a\n"),
        (&["grep", "-L", "bar", "/d/a", "/d/e/b"], 0, "/d/e/b\n"),
        (&["grep", "-rl", "foo", "/d"], 0, "/d/a\n/d/bin\n/d/e/b\n"),
        (
            &["grep", "-r", "--include=b", "foo", "/d"],
            0,
            "/d/e/b:foo\n",
        ),
        (&["grep", "-r", "foo", "/d/a"], 0, "foo\n"),
        (&["grep", "-f", "/pats", "/d/a"], 0, "bar\n"),
        (&["grep", "foo", "/none", "/d/a"], 2, "/d/a:foo\n"),
        (&["grep", "-q", "foo", "/none", "/d/a"], 0, ""),
        (&["grep", "foo", "/d"], 2, ""),
        (&["grep", "foo", "/d/bin"], 0, ""),
        (&["grep", "-a", "foo", "/d/bin"], 0, "foo\0bar\n"),
        (&["egrep", "-c", "fo+|b", "/d/a"], 0, "2\n"),
        (&["fgrep", "fo", "/d/e/b"], 0, "foo\n"),
    ] {
        let ran = m.run(args);
        assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
    }
}

#[test]
fn what_is_not_known_stops() {
    for args in [
        &["-P", "a(?=b)"][..],
        &["-P", "a++"],
        &["-EF", "x"],
        &["--help"],
    ] {
        let all = [&["grep"], args].concat();
        assert!(machine().run_with(&all, "a\n").is_err(), "{args:?}");
    }
}
