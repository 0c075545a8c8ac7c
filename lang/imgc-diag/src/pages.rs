//! A page for every code: what it means, a program that has it, and the program mended.
//!
//! The pages are the Markdown files of `codes/`; the book shows the same files, and
//! `imgc-eval` runs their programs. Nothing is said here that is not in them.

use crate::codes::Code;

macro_rules! pages {
    ($($number:literal)*) => {
        &[$(($number, include_str!(concat!("../codes/IMG", $number, ".md")))),*]
    };
}

/// The number of each code with its page, in ascending order.
const PAGES: &[(&str, &str)] = pages![
    "0101" "0102" "0103" "0104" "0105" "0106" "0107" "0108" "0109" "0110" "0111" "0112" "0113"
    "0114" "0115" "0116" "0117" "0118" "0119" "0120" "0121" "0122" "0123" "0124" "0125" "0126"
    "0127" "0128" "0129" "0130" "0131" "0132" "0133" "0134" "0135" "0136" "0201" "0202" "0203"
    "0204" "0205" "0206" "0207" "0208" "0209" "0210" "0211" "0301" "0302" "0303" "0304" "0305"
    "0306" "0307" "0308" "0309" "0310" "0311" "0312" "0313" "0314" "0315" "0316" "0317" "0318"
    "0319" "0401" "0402" "0403" "0404" "0405" "0406" "0407" "0408" "0501" "0502" "0503" "0504"
    "0505" "0506" "0507" "0508" "0509" "0510" "0511" "0512" "0513" "0514" "0515" "0516" "0517"
    "0518" "0519" "0520" "0521" "0522" "0523" "0524" "0525" "0526" "0527" "0528" "0529" "0531"
    "0532" "0533" "0534" "0535" "0545" "0550" "0551" "0552" "0553" "0554" "0555" "0601" "0602" "0603" "0604"
];

/// The page of a code, as Markdown.
#[must_use]
pub fn page(code: Code) -> &'static str {
    let name = code.to_string();
    let number = name.strip_prefix("IMG").unwrap_or_default();
    PAGES
        .binary_search_by_key(&number, |(number, _)| *number)
        .map_or("", |at| PAGES[at].1)
}

/// The page of a code as plain text for a terminal: without the marks of Markdown, programs
/// indented. Ends in a line end.
#[must_use]
pub fn plain(code: Code) -> String {
    let mut text = String::new();
    let mut in_block = false;
    let mut in_comment = false;
    let mut after_blank = true;
    for line in page(code).lines() {
        if in_comment || line == "<!--" {
            // Files that a program needs, for the tests.
            in_comment = line != "-->";
            continue;
        }
        if line.starts_with("```") {
            in_block = !in_block;
            continue;
        }
        let line = if in_block {
            line
        } else {
            line.trim_start_matches('#').trim_start()
        };
        // What was left out leaves no gap behind.
        if line.is_empty() && after_blank {
            continue;
        }
        after_blank = line.is_empty();
        if in_block && !line.is_empty() {
            text.push_str("    ");
        }
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{REGISTRY, UNKNOWN_PACKAGE};

    #[test]
    fn every_code_has_a_page() {
        assert_eq!(PAGES.len(), REGISTRY.len());
        for entry in REGISTRY {
            let code = entry.code;
            let page = page(code);
            let title = format!("# {code}: {}\n\n", entry.title);
            assert!(page.starts_with(&title), "{code} begins with its title");
            assert_eq!(page.matches("\n## Mended\n").count(), 1, "{code}");
            let wide = page.lines().find(|line| line.chars().count() > 90);
            assert_eq!(wide, None, "{code} fits a terminal");
        }
    }

    #[test]
    fn every_page_is_in_the_book() {
        let summary = include_str!("../../../book/src/SUMMARY.md");
        let mut lines = summary.lines().filter(|line| line.contains("](codes/IMG"));
        for entry in REGISTRY {
            let code = entry.code;
            let line = format!("  - [{code}: {}](codes/{code}.md)", entry.title);
            assert_eq!(lines.next(), Some(line.as_str()), "SUMMARY.md");
            let book = format!(
                "{}/../../book/src/codes/{code}.md",
                env!("CARGO_MANIFEST_DIR")
            );
            #[expect(
                clippy::disallowed_methods,
                reason = "the files of the repository are what is tested"
            )]
            let book = std::fs::read_to_string(book).unwrap_or_default();
            let wanted = format!("{{{{#include ../../../lang/imgc-diag/codes/{code}.md}}}}\n");
            assert_eq!(book, wanted, "book/src/codes/{code}.md");
        }
        assert_eq!(lines.next(), None, "SUMMARY.md lists no other codes");
    }

    #[test]
    fn a_page_reads_well_in_a_terminal() {
        let text = plain(UNKNOWN_PACKAGE);
        assert!(text.starts_with("IMG0512: unknown package\n\n"), "{text}");
        assert!(text.contains("\nMended\n\n    let\n"), "{text}");
        for entry in REGISTRY {
            let text = plain(entry.code);
            assert!(!text.contains("```"), "{text}");
            assert!(!text.contains("\n\n\n"), "{text}");
            assert!(!text.contains("<!--") && !text.contains("-->"), "{text}");
        }
    }
}
