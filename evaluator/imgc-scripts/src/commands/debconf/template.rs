//! debconf's template files (`debconf-devel(7)`): reading them. What becomes of the
//! templates is the database's.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _, ByteVec as _};

/// A template of a file: its fields by name, in small letters. The long part of a field
/// `x` is the field `extended_x`.
pub(super) type Fields = BTreeMap<BString, BString>;

/// Reads a file of templates. Each has a field `template` that is not empty.
///
/// # Errors
/// What is wrong with it; then the templates before it, too.
pub(super) fn parse(bytes: &[u8]) -> (Vec<Fields>, Option<String>) {
    let mut all = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let end = rest.find("\n\n").map_or(rest.len(), |at| at + 2);
        let stanza = rest[..end].trim_with(|c| c == '\n');
        rest = &rest[end..];
        match fields(stanza) {
            Ok(fields) => all.push(fields),
            Err(error) => return (all, Some(error)),
        }
    }
    (all, None)
}

fn fields(stanza: &[u8]) -> Result<Fields, String> {
    let mut fields = Fields::new();
    let mut open: Option<Field> = None;
    for line in stanza.split(|&b| b == b'\n') {
        if let Some((name, value)) = head(line) {
            close(&mut fields, open.take())?;
            open = Some(Field {
                name: name.to_ascii_lowercase().into(),
                value: trim_end(value).into(),
                extended: BString::default(),
            });
            continue;
        }
        let Some((first, text)) = line.split_first() else {
            continue;
        };
        if !is_space(*first) {
            return Err(format!("template parse error near `{}'", line.as_bstr()));
        }
        // Before the first field, text goes nowhere.
        let mut nowhere = BString::default();
        let extended = open
            .as_mut()
            .map_or(&mut nowhere, |field| &mut field.extended);
        let joined = extended.is_empty() || extended.ends_with(b"\n") || extended.ends_with(b" ");
        if text == b"." {
            extended.push_str("\n\n");
        } else if text.first().copied().is_some_and(is_space) {
            if !joined {
                extended.push(b'\n');
            }
            extended.push_str(trim_end(text));
            extended.push(b'\n');
        } else {
            if !joined {
                extended.push(b' ');
            }
            extended.push_str(trim_end(text));
        }
    }
    close(&mut fields, open)?;
    match fields.get(b"template".as_bstr()) {
        Some(name) if !name.is_empty() && name != "0" => Ok(fields),
        _ => Err("a template does not contain a 'Template:' line".to_owned()),
    }
}

struct Field {
    name: BString,
    value: BString,
    extended: BString,
}

fn close(fields: &mut Fields, field: Option<Field>) -> Result<(), String> {
    let Some(field) = field.filter(|field| !field.name.is_empty()) else {
        return Ok(());
    };
    let extended = field.extended.trim_end_with(|c| c == '\n');
    if fields.contains_key(&field.name) {
        return Err(format!(
            "a template has a duplicate field \"{}\"",
            field.name
        ));
    }
    if !extended.is_empty() {
        let name = [b"extended_", field.name.as_slice()].concat();
        fields.insert(name.into(), extended.into());
    }
    fields.insert(field.name, field.value);
    Ok(())
}

/// `NAME: VALUE`, without the one space after the colon.
fn head(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.find_byte(b':')?;
    let (name, value) = (&line[..colon], &line[colon + 1..]);
    let known = |b: &u8| b.is_ascii_alphanumeric() || b"-_@.".contains(b);
    let value = match value.split_first() {
        Some((first, rest)) if is_space(*first) => rest,
        _ => value,
    };
    name.iter().all(known).then_some((name, value))
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|&b| !is_space(b));
    &text[..end.map_or(0, |at| at + 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_the_lines_of_the_long_text() {
        let text = "Template: a/b\nType: select\nChoices: x, y \nDescription: Short\n\
            Description-de.UTF-8: Kurz\n Lang\n\n\nTemplate: c\nType: note\n\
            Description: D\n one\n two\n .\n three\n  verbatim  \n  more\n four\n";
        let (all, error) = parse(text.as_bytes());
        assert_eq!(error, None);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0][b"choices".as_bstr()], "x, y");
        assert_eq!(all[0][b"description-de.utf-8".as_bstr()], "Kurz");
        assert_eq!(all[0][b"extended_description-de.utf-8".as_bstr()], "Lang");
        assert_eq!(
            all[1][b"extended_description".as_bstr()],
            "one two\n\nthree\n verbatim\n more\nfour"
        );
    }

    #[test]
    fn says_what_is_wrong() {
        for bad in [
            "Type: note\n",
            "Template: a\nTemplate: b\n",
            "Template: a\nType: note\n# no\n",
            "Template: a\nType: note\n\n\n\n\nTemplate: b\nType: note\n",
        ] {
            assert!(parse(bad.as_bytes()).1.is_some(), "{bad}");
        }
    }
}
