//! Reads XML: elements, attributes and text. No entities but the five that XML has, and
//! of a document type only what changes nothing.

use std::borrow::Cow;

/// What comes next in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    Start(&'a str, Attributes<'a>),
    Text(Cow<'a, str>),
    End(&'a str),
    /// What stands in a document type, with what is in its brackets.
    DocumentType(&'a str),
}

/// Names and values.
pub(crate) type Attributes<'a> = Vec<(&'a str, Cow<'a, str>)>;

/// The events of `text`. None where it is no such XML.
pub(crate) fn read(text: &str) -> Option<Vec<Event<'_>>> {
    let mut events = Vec::new();
    each(text, &mut |event| events.push(event))?;
    Some(events)
}

/// Calls `heard` with the events of `text`. None where it is no such XML.
pub(crate) fn each<'a>(text: &'a str, heard: &mut dyn FnMut(Event<'a>)) -> Option<()> {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while !rest.is_empty() {
        let Some(inner) = rest.strip_prefix('<') else {
            let end = rest.find('<').unwrap_or(rest.len());
            heard(Event::Text(plain(&rest[..end])?));
            rest = &rest[end..];
            continue;
        };
        if let Some(comment) = inner.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
        } else if let Some(data) = inner.strip_prefix("![CDATA[") {
            let (data, after) = data.split_once("]]>")?;
            heard(Event::Text(Cow::Borrowed(data)));
            rest = after;
        } else if inner.starts_with('?') {
            rest = inner.split_once("?>")?.1;
        } else if let Some(kind) = inner.strip_prefix("!DOCTYPE") {
            rest = document_type(kind, heard)?;
        } else if let Some(name) = inner.strip_prefix('/') {
            let (name, after) = name.split_once('>')?;
            heard(Event::End(name.trim_end()));
            rest = after;
        } else {
            rest = element(inner, heard)?;
        }
    }
    Some(())
}

/// Reads behind a document type. Its text is an event, for who knows what is in it.
fn document_type<'a>(text: &'a str, heard: &mut dyn FnMut(Event<'a>)) -> Option<&'a str> {
    let mut rest = text;
    let mut depth = 0_usize;
    loop {
        let at = rest.find(['[', ']', '<', '>', '"', '\''])?;
        let after = &rest[at + 1..];
        rest = match rest.as_bytes()[at] {
            b'<' if after.starts_with("!--") => after[3..].split_once("-->")?.1,
            b'<' if after.starts_with('?') => after.split_once("?>")?.1,
            b'[' | b'<' => {
                depth += 1;
                after
            }
            b'>' if depth == 0 => {
                let said = &text[..text.len() - after.len() - 1];
                heard(Event::DocumentType(said));
                return Some(after);
            }
            b']' | b'>' => {
                depth = depth.checked_sub(1)?;
                after
            }
            b'"' => after.split_once('"')?.1,
            _ => after.split_once('\'')?.1,
        };
    }
}

fn element<'a>(text: &'a str, heard: &mut dyn FnMut(Event<'a>)) -> Option<&'a str> {
    let end = text.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/')?;
    let (name, mut rest) = text.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            heard(Event::Start(name, attributes));
            return Some(after);
        }
        if let Some(after) = rest.strip_prefix("/>") {
            heard(Event::Start(name, attributes));
            heard(Event::End(name));
            return Some(after);
        }
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after[1..].split_once(quote)?;
        attributes.push((key.trim_end(), plain(value)?));
        rest = after;
    }
}

/// Text without its entities.
fn plain(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('&') {
        return Some(Cow::Borrowed(text));
    }
    let mut parts = text.split('&');
    let mut plain = parts.next()?.to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';')?;
        plain.push(match name {
            "lt" => '<',
            "gt" => '>',
            "amp" => '&',
            "quot" => '"',
            "apos" => '\'',
            _ => {
                let number = name.strip_prefix('#')?;
                let code = match number.strip_prefix('x') {
                    Some(number) => u32::from_str_radix(number, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        plain.push_str(rest);
    }
    Some(Cow::Owned(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_attributes_and_text() {
        let events = read("<?xml version='1.0'?><!-- x --><a b = \"&lt;\" c='2'>&#65;<d/></a>");
        let pair = |key, value: &'static str| (key, Cow::Borrowed(value));
        assert_eq!(
            events,
            Some(vec![
                Event::Start("a", vec![pair("b", "<"), pair("c", "2")]),
                Event::Text("A".into()),
                Event::Start("d", Vec::new()),
                Event::End("d"),
                Event::End("a"),
            ])
        );
        assert_eq!(read("<a b></a>"), None);
        assert_eq!(read("&x;"), None);
        let text = "<!DOCTYPE a [<!-- ' ] -->\n<!ELEMENT a \">\">]><a/>";
        let said = " a [<!-- ' ] -->\n<!ELEMENT a \">\">]";
        let events = read(text).unwrap();
        assert_eq!(events[0], Event::DocumentType(said));
        assert_eq!(events.len(), 3);
        assert_eq!(read("<!ELEMENT a>"), None);
    }
}
