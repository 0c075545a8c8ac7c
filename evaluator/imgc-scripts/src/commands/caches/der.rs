//! As much of DER and PEM as it takes to find a certificate's subject. It must not judge
//! certificates.

use bstr::ByteSlice as _;

/// A value with its tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
}

/// Takes the first value off `bytes`.
pub(super) fn take<'a>(bytes: &mut &'a [u8]) -> Option<Value<'a>> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first & 0x7f);
    if first & 0x80 != 0 {
        let (digits, more) = rest.split_at_checked(length)?;
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        length = digits
            .iter()
            .fold(0, |value, &digit| value << 8 | usize::from(digit));
        rest = more;
    }
    let (content, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(Value { tag, content })
}

/// A value with its tag and length in front.
pub(super) fn encode(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 128 {
        out.push(length.to_le_bytes()[0]);
    } else {
        let digits = length.to_be_bytes();
        let digits = digits.trim_start_with(|c| c == '\0');
        out.push(0x80 | digits.len().to_le_bytes()[0]);
        out.extend_from_slice(digits);
    }
    out.extend_from_slice(content);
    out
}

/// What a PEM block holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Certificate,
    Revocations,
}

/// The certificates and lists of revocations in a PEM file.
pub(crate) fn blocks(text: &[u8]) -> Vec<(Label, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open: Option<(Label, Vec<u8>)> = None;
    for line in text.lines() {
        let line = line.trim_ascii_end();
        let label = match line {
            b"-----BEGIN CERTIFICATE-----"
            | b"-----BEGIN X509 CERTIFICATE-----"
            | b"-----BEGIN TRUSTED CERTIFICATE-----" => Some(Label::Certificate),
            b"-----BEGIN X509 CRL-----" => Some(Label::Revocations),
            _ => None,
        };
        if let Some(label) = label {
            open = Some((label, Vec::new()));
        } else if line.starts_with(b"-----END ") {
            if let Some((label, text)) = open.take()
                && let Some(bytes) = base64(&text)
            {
                found.push((label, bytes));
            }
        } else if let Some((_, text)) = &mut open {
            text.extend_from_slice(line);
        }
    }
    found
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut held, mut bits) = (0_u32, 0);
    for &byte in text {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            b' ' | b'\t' => continue,
            _ => return None,
        };
        held = (held << 6 | u32::from(digit)) & 0xff_ffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits).to_le_bytes()[0]);
        }
    }
    Some(out)
}

/// The name that a certificate is about, or that revokes: the content of its sequence.
pub(super) fn name(label: Label, der: &[u8]) -> Option<&[u8]> {
    let mut outer = take(&mut &der[..])?.content;
    let mut fields = take(&mut outer)?.content;
    let skipped = match label {
        // Version, serial number, algorithm, issuer, validity.
        Label::Certificate => {
            if fields.first() == Some(&0xa0) {
                take(&mut fields)?;
            }
            4
        }
        // Version, algorithm.
        Label::Revocations => {
            if fields.first() == Some(&2) {
                take(&mut fields)?;
            }
            1
        }
    };
    for _ in 0..skipped {
        take(&mut fields)?;
    }
    let name = take(&mut fields)?;
    (name.tag == 0x30).then_some(name.content)
}

/// A name in OpenSSL's canonical form: strings in UTF-8, in small letters, with single
/// blanks.
pub(super) fn canonical(name: &[u8]) -> Option<Vec<u8>> {
    let mut rest = name;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let mut set = take(&mut rest)?.content;
        let mut parts = Vec::new();
        while !set.is_empty() {
            let mut pair = take(&mut set)?.content;
            let kind = take(&mut pair)?;
            let value = take(&mut pair)?;
            let mut part = encode(kind.tag, kind.content);
            match text(&value) {
                Some(text) => part.extend_from_slice(&encode(12, &plain(&text))),
                None => part.extend_from_slice(&encode(value.tag, value.content)),
            }
            parts.push(encode(0x30, &part));
        }
        parts.sort();
        out.extend_from_slice(&encode(0x31, &parts.concat()));
    }
    Some(out)
}

/// A string in UTF-8. None for a value that is no string, or a broken one.
fn text(value: &Value<'_>) -> Option<Vec<u8>> {
    let wide = |width: usize| {
        let digits = value.content.chunks(width);
        let code = digits.map(|chunk| chunk.iter().fold(0, |v, &b| v << 8 | u32::from(b)));
        let text: Option<String> = code.map(char::from_u32).collect();
        text.map(String::into_bytes)
    };
    match value.tag {
        // UTF8, Printable, IA5, Visible.
        12 | 19 | 22 | 26 => Some(value.content.to_vec()),
        // T61, read as Latin-1.
        20 => wide(1),
        // Universal and BMP.
        28 => wide(4),
        30 => wide(2),
        _ => None,
    }
}

fn plain(text: &[u8]) -> Vec<u8> {
    let space = |b: &u8| matches!(b, b' ' | 9..=13);
    let words = text.split(space).filter(|word| !word.is_empty());
    let words: Vec<Vec<u8>> = words.map(<[u8]>::to_ascii_lowercase).collect();
    bstr::join(" ", words)
}
