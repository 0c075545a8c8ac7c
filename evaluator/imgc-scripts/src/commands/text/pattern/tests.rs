//! What glibc's matcher does with the same patterns.

use super::{Dialect, Flags, Pattern};

/// The groups of the first match as text, `-` for one that took no part.
fn groups(dialect: Dialect, source: &str, hay: &str) -> String {
    let pattern = match Pattern::new(source.as_bytes(), dialect, Flags::default()) {
        Ok(pattern) => pattern,
        Err(fault) => return fault.to_string(),
    };
    let found = pattern.captures(hay.as_bytes(), 0).expect("no stop");
    let whole = pattern.find(hay.as_bytes(), 0).expect("no stop");
    let Some(found) = found else {
        assert_eq!(whole, None);
        return "no".to_owned();
    };
    assert_eq!(whole, found[0], "{source}");
    let text = |span: &Option<(usize, usize)>| {
        span.map_or("-".to_owned(), |(from, to)| hay[from..to].to_owned())
    };
    found.iter().map(text).collect::<Vec<_>>().join("|")
}

#[test]
fn the_longest_wins() {
    use Dialect::{Basic, Extended};
    for (dialect, source, hay, want) in [
        (Extended, "(a|ab)(c|bcd)(d*)", "abcd", "abcd|a|bcd|"),
        (Extended, "(x|xy)(ab|yab)*(c*)", "xyabcd", "xyabc|x|yab|c"),
        (Extended, "foo|foobar", "a foobar", "foobar"),
        (Extended, "(a?)(ab)?", "ab", "ab||ab"),
        (Extended, "a{2,3}", "caaaa", "aaa"),
        (Extended, "a||b", "b", "b"),
        (Extended, "()", "b", "|"),
        (Extended, "(a)|b", "b", "b|-"),
        (Extended, "^*a", "a", "Invalid preceding regular expression"),
        (Extended, "(a)|b\\1", "a", "Invalid back reference"),
        (Extended, "((a)|b)\\2", "aa", "aa|a|a"),
        (Extended, "a{1", "a", "Unmatched { or \\{"),
        (Extended, "(a", "a", "Unmatched ( or \\("),
        (Basic, "*a", "b*a", "*a"),
        (Basic, "\\(*a\\)", "b*a", "*a|*a"),
        (Basic, "a\\|bc*", "xbcc", "bcc"),
        (Basic, "a^b$c", "a^b$c", "a^b$c"),
        (Basic, "\\(a*\\)-\\1", "aa-a", "a-a|a"),
        (Basic, "[]a]*", "a]b", "a]"),
        (Basic, "[^]a]*", "b]b", "b"),
        (Basic, "[[:digit:]a-c-]*", "1-bx", "1-b"),
        (Basic, "[z-a]", "1-bx", "Invalid range end"),
        (Basic, "\\<b\\w*\\>", "ab bär", "bär"),
        (Basic, "x.z", "xyz xéz", "xyz"),
        (Basic, "é.", "éß", "éß"),
    ] {
        assert_eq!(groups(dialect, source, hay), want, "{source}");
    }
}

#[test]
fn dialects_differ() {
    use Dialect::{Awk, Emacs, GrepBasic, GrepExtended, SedBasic};
    let (with, without) = (Awk { intervals: true }, Awk { intervals: false });
    for (dialect, source, hay, want) in [
        (GrepExtended, "*a", "*a", "a"),
        (GrepExtended, "a{,2}", "aaa", "aa"),
        (GrepExtended, "a{", "a{", "a{"),
        (GrepBasic, "\\+a", "+a", "+a"),
        (GrepBasic, "a\\nb", "anb", "anb"),
        (SedBasic, "a\\nb", "a\nb", "a\nb"),
        (SedBasic, "[\\n]", "\\n\n", "\n"),
        (SedBasic, "[\\.]", "\\.", "\\"),
        (with, "a{2}", "aaa", "aa"),
        (without, "a{2}", "aaa{2}", "a{2}"),
        (with, "[\\]\\/]+", "x]/", "]/"),
        (with, "\\.\\/", "./", "./"),
        (Emacs, "a+\\(b\\|c\\)", "aac", "aac|c"),
    ] {
        assert_eq!(groups(dialect, source, hay), want, "{source}");
    }
}

#[test]
fn hostile_patterns_end() {
    let flags = Flags::default();
    let deep = "(".repeat(5000) + &")".repeat(5000);
    for source in [
        deep.as_str(),
        "((a{999}){999}){999}",
        "(a*)*\\1(b{9999}){9999}",
    ] {
        let _ = Pattern::new(source.as_bytes(), Dialect::Extended, flags);
    }
    let hard = Pattern::new(b"(a*)*(a*)*\\1b", Dialect::Extended, flags).expect("fine");
    assert!(hard.find("a".repeat(60).as_bytes(), 0).is_err());
}
