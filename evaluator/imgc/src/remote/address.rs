//! Which addresses are asked for modules and images: HTTPS, and HTTP on this machine, where nobody
//! else can change what is sent. Only looks at text.

use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;

/// Checks an address that is about to be asked, also one that a redirect leads to.
///
/// # Errors
/// Why it is refused, in words for the user.
pub(crate) fn check(url: &str) -> Result<(), String> {
    let bad = || {
        format!(
            "`{}` is not an address",
            url.chars().take(200).collect::<String>()
        )
    };
    let uri: Uri = url.parse().map_err(|_| bad())?;
    let authority = uri.authority().ok_or_else(bad)?;
    if authority.as_str().contains('@') {
        return Err("an address with a user name or password is refused".to_owned());
    }
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if is_loopback(authority.host()) => Ok(()),
        Some("http") => Err(format!(
            "http: is refused for {}: use https:",
            authority.host()
        )),
        _ => Err(format!("only https: is asked, not `{url}`")),
    }
}

/// The address that `location` means in an answer from `url`: as it stands, or below the
/// same host.
pub(super) fn redirect(url: &str, location: &str) -> Option<String> {
    if location.contains("://") {
        return Some(location.to_owned());
    }
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?;
    if let Some(rest) = location.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    let authority = uri.authority()?;
    if location.starts_with('/') {
        return Some(format!("{scheme}://{authority}{location}"));
    }
    let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("{scheme}://{authority}{folder}/{location}"))
}

/// Whether two addresses are of one host and port, by one scheme.
pub(super) fn same_origin(a: &str, b: &str) -> bool {
    let origin = |url: &str| {
        let uri: Uri = url.parse().ok()?;
        Some((
            uri.scheme_str()?.to_owned(),
            uri.authority()?.as_str().to_ascii_lowercase(),
        ))
    };
    origin(a).is_some_and(|first| Some(first) == origin(b))
}

fn is_loopback(host: &str) -> bool {
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    match inner {
        Some(ip) => ip.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => host == "localhost" || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_addresses_are_asked() {
        for good in [
            "https://example.org/a.img",
            "http://localhost/a",
            "http://127.0.0.1:8080/a",
            "http://[::1]:1/a",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "http://example.org/a",
            "http://localhost.example/a",
            "http://127.0.0.1@example.org/a",
            "http://128.0.0.1/a",
            "https://user:word@example.org/a",
            "file:///etc/passwd",
            "ftp://example.org/a",
            "https://",
            "/a",
            "https://a b/",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn redirects_are_read_as_browsers_do() {
        let from = "https://example.org/a/b.img";
        let to = |location| redirect(from, location);
        assert_eq!(to("/c").as_deref(), Some("https://example.org/c"));
        assert_eq!(to("c").as_deref(), Some("https://example.org/a/c"));
        assert_eq!(
            to("//other.example/c").as_deref(),
            Some("https://other.example/c")
        );
        assert_eq!(to("http://x/").as_deref(), Some("http://x/"));
        assert!(same_origin(from, "https://EXAMPLE.org/c"));
        assert!(!same_origin(from, "https://example.org:444/c"));
        assert!(!same_origin(from, "http://example.org/c"));
    }
}
