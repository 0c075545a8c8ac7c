//! Pages of the manual as HTML that needs nothing else: styles inside, no scripts, light
//! and dark. Comments come from anybody: they can't bring markup or links that run.

use std::fmt::Write as _;

use imgc_syntax::SyntaxKind;
use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use super::page::{Entry, Page};

const STYLE: &str = "\
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --link: light-dark(#0550ae, #79b8ff); }
body { margin: 0 auto; padding: 1rem; max-width: 52rem; font: 1rem/1.55 system-ui, sans-serif; }
h1, h2, h3 { line-height: 1.2; margin: 2rem 0 .5rem; }
section { border-top: 1px solid var(--line); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; list-style: none; }
a { color: var(--link); }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
pre { overflow-x: auto; padding: .6rem .8rem; background: var(--soft); border-radius: .4rem; }
table { border-collapse: collapse; } td, th { border: 1px solid var(--line); padding: .2rem .6rem; }
.private { font-size: .8rem; opacity: .7; }
.k { color: light-dark(#8250df, #d2a8ff); } .s { color: light-dark(#0a6640, #7ee2b8); }
.n { color: light-dark(#953800, #ffa657); } .c { opacity: .65; font-style: italic; }
";

/// One document with these pages.
pub(super) fn pages(pages: &[Page]) -> String {
    let title = match pages {
        [page] => page.title.as_str(),
        _ => "Modules",
    };
    let mut body = String::new();
    for page in pages {
        write_page(&mut body, page, pages.len() > 1);
    }
    document(title, &body)
}

/// A document with links to the documents of pages.
pub(super) fn index(pages: &[Page], files: &[String]) -> String {
    let mut body = "<h1>Modules</h1>\n<ul>\n".to_owned();
    for (page, file) in pages.iter().zip(files) {
        let first = page.text.lines().next().unwrap_or_default();
        // Writing to a string can't fail.
        let _ = writeln!(
            body,
            "<li><a href=\"{}\">{}</a>: {}</li>",
            escape(file),
            escape(&page.title),
            escape(first)
        );
    }
    body.push_str("</ul>\n");
    document("Modules", &body)
}

fn document(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

fn write_page(out: &mut String, page: &Page, among_others: bool) {
    let id = |name: &str| match among_others {
        true => format!("{}:{name}", page.title),
        false => name.to_owned(),
    };
    let _ = writeln!(
        out,
        "<h1>{}</h1>\n{}",
        escape(&page.title),
        prose(&page.text)
    );
    if let Some(ty) = &page.ty {
        let _ = writeln!(out, "<pre><code>{}</code></pre>", escape(ty));
    }
    if page.entries().next().is_some() {
        out.push_str("<nav><ul>\n");
        for entry in page.entries() {
            let (name, id) = (escape(&entry.name), escape(&id(&entry.name)));
            let _ = writeln!(out, "<li><a href=\"#{id}\"><code>{name}</code></a></li>");
        }
        out.push_str("</ul></nav>\n");
    }
    for (heading, entries) in &page.groups {
        if let Some(heading) = heading {
            let _ = writeln!(out, "<h2>{}</h2>", escape(heading));
        }
        let level = if heading.is_some() { 3 } else { 2 };
        for entry in entries {
            write_entry(out, entry, &id(&entry.name), level);
        }
    }
}

fn write_entry(out: &mut String, entry: &Entry, id: &str, level: u8) {
    let private = match entry.private {
        true => " <span class=\"private\">private</span>",
        false => "",
    };
    let _ = writeln!(
        out,
        "<section id=\"{}\">\n<h{level}><code>{}</code>{private}</h{level}>",
        escape(id),
        escape(&entry.name)
    );
    if entry.ty.is_some() {
        let signature = escape(&entry.signature());
        let _ = writeln!(out, "<pre><code>{signature}</code></pre>");
    }
    out.push_str(&prose(&entry.text));
    if let Some((program, value)) = &entry.example {
        let _ = write!(out, "<pre><code>{}", highlight(program));
        if !value.is_empty() {
            let value = format!("# {}", value.replace('\n', "\n# "));
            let _ = write!(out, "\n<span class=\"c\">{}</span>", escape(&value));
        }
        out.push_str("</code></pre>\n");
    }
    out.push_str("</section>\n");
}

/// Markdown as HTML. Markup in it is shown as text, and links lead to pages only.
fn prose(markdown: &str) -> String {
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    let mut events: Vec<Event<'_>> = Vec::new();
    // The text of a block of code in the language, while it is gathered.
    let mut program: Option<String> = None;
    for event in parser {
        let event = match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language)))
                if language.split([' ', ',']).next() == Some("img") =>
            {
                program = Some(String::new());
                continue;
            }
            Event::End(TagEnd::CodeBlock) if program.is_some() => {
                let text = highlight(program.take().unwrap_or_default().trim_end());
                Event::Html(format!("<pre><code>{text}</code></pre>\n").into())
            }
            Event::Text(text) if program.is_some() => {
                program.get_or_insert_default().push_str(&text);
                continue;
            }
            Event::Html(html) | Event::InlineHtml(html) => Event::Text(html),
            Event::Start(Tag::Link {
                link_type,
                dest_url,
                title,
                id,
            }) => Event::Start(Tag::Link {
                link_type,
                dest_url: safe(dest_url),
                title,
                id,
            }),
            // A picture would be fetched from elsewhere: its text stays.
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => continue,
            other => other,
        };
        events.push(event);
    }
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events.into_iter());
    out
}

/// An address that only leads somewhere.
fn safe(address: CowStr<'_>) -> CowStr<'_> {
    let scheme = address.split(['/', '#', '?']).next().unwrap_or_default();
    let known = ["http:", "https:", "mailto:"];
    if !scheme.contains(':') || known.iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return address;
    }
    match address.get(..7) {
        Some(start) if start.eq_ignore_ascii_case("mailto:") => address,
        _ => "#".into(),
    }
}

/// A program with its words marked.
fn highlight(program: &str) -> String {
    let mut out = String::new();
    for token in imgc_syntax::parse(program).syntax().tokens() {
        let text = escape(token.text());
        match class(token.kind(), token.text()) {
            Some(class) => {
                let _ = write!(out, "<span class=\"{class}\">{text}</span>");
            }
            None => out.push_str(&text),
        }
    }
    out
}

fn class(kind: SyntaxKind, text: &str) -> Option<&'static str> {
    use SyntaxKind as K;
    const WORDS: [&str; 11] = [
        "let", "in", "if", "then", "else", "import", "match", "assert", "type", "true", "false",
    ];
    match kind {
        K::Comment | K::DocComment => Some("c"),
        K::StrOpen | K::StrText | K::StrEscape | K::StrClose => Some("s"),
        K::PathText | K::StdModule => Some("s"),
        K::Int => Some("n"),
        // As a key of a record they are names, which their kind says.
        _ if kind != K::Ident && WORDS.contains(&text) => Some("k"),
        _ => None,
    }
}

/// Text as HTML shows it, also between quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_bring_no_markup() {
        let html = prose(
            "a <script>x</script> **b** [a](javascript:x) [b](JavaScript:x) [c](https://example.org/) \
             [d](#e) ![i](https://example.org/i.png)\n\n<img src=x>\n",
        );
        assert!(
            html.contains("&lt;script&gt;") && html.contains("&lt;img"),
            "{html}"
        );
        assert!(
            !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        assert!(!html.to_lowercase().contains("javascript:"), "{html}");
        assert!(html.contains("<strong>b</strong>"), "{html}");
        assert!(html.contains("href=\"https://example.org/\"") && html.contains("href=\"#e\""));
    }

    #[test]
    fn programs_are_marked_and_escaped() {
        let html = prose("```img\nlet a = \"<\"; in 1 # c\n```\n");
        assert!(html.contains("<span class=\"k\">let</span>"), "{html}");
        assert!(html.contains("&lt;") && !html.contains("\"<\""), "{html}");
        assert!(html.contains("<span class=\"c\"># c</span>"), "{html}");
    }

    #[test]
    fn names_are_escaped_everywhere() {
        let entry = Entry {
            name: "a\"><b".to_owned(),
            ty: Some("<T>".to_owned()),
            private: true,
            text: String::new(),
            example: Some(("1 < 2".to_owned(), "true".to_owned())),
        };
        let page = Page {
            title: "<x>".to_owned(),
            text: String::new(),
            ty: None,
            groups: vec![(Some("<g>".to_owned()), vec![entry])],
        };
        let html = pages(&[page.clone(), page.clone()]);
        let index = index(&[page], &["a\".html".to_owned()]);
        for bad in ["<x>", "\"><b", "<T>", "<g>", "a\".html"] {
            assert!(!html.contains(bad) && !index.contains(bad), "{bad}");
        }
    }
}
