//! Addresses of files: `file:///a/b` and the path `/a/b`.

use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use lsp_types::Uri;

/// The path that an address names, if it is one of a file.
pub(crate) fn path(uri: &Uri) -> Option<PathBuf> {
    let text = uri.as_str();
    let rest = text.strip_prefix("file://")?;
    // Of another machine nothing is known.
    let start = rest.find('/')?;
    let host = &rest[..start];
    if !host.is_empty() && host != "localhost" {
        return None;
    }
    let mut bytes = Vec::new();
    let mut left = rest[start..].bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [left.next()?, left.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
    }
    let path = String::from_utf8(bytes).ok()?;
    Some(PathBuf::from(path))
}

/// The address of a file.
pub(crate) fn of_path(path: &Path) -> Option<Uri> {
    let mut text = String::from("file://");
    for byte in path.to_str()?.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
        if is_plain {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    Uri::from_str(&text).ok()
}

/// The address that a text is.
pub(crate) fn of_text(text: &str) -> Option<Uri> {
    Uri::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_addresses_and_back() {
        for name in ["/a/b.img", "/a b/ä.img", "/100%/[x]#y?z.img"] {
            let uri = of_path(Path::new(name)).expect("an address");
            assert_eq!(path(&uri), Some(PathBuf::from(name)), "{}", uri.as_str());
        }
        let of = |text: &str| path(&Uri::from_str(text).expect("an address"));
        assert_eq!(of("file:///a%20b"), Some(PathBuf::from("/a b")));
        assert_eq!(of("file://localhost/a"), Some(PathBuf::from("/a")));
        assert_eq!(of("file://elsewhere/a"), None);
        assert_eq!(of("untitled:Untitled-1"), None);
    }
}
