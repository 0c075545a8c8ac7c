//! Files from elsewhere: `fetch`, and `unpack` for what archives hold.
//!
//! Only what the text says is looked at here. Bytes come, and are checked, when an image
//! is built.

use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Content, FileDigest};

use crate::problem::Problem;
use crate::vm::call::{Call, Eval, Failed};
use crate::vm::value::{Fetched, FileSource, Unpacked, Value};

use super::files::{file_value, origin, plain};
use super::packages::patterns;
use super::{field, keep, path_of, text};

/// How long an address may be, in bytes.
const MAX_URL: usize = 2048;
/// How many leading parts of paths can be left out.
const MAX_STRIP: i64 = 64;

/// `fetch { … }`
pub(crate) fn fetch(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let given = &arguments[0];
    let mut failed = false;
    let mut url = None;
    if let Some(value) = field(given, "url", &mut failed) {
        let address = address(call, value);
        url = keep(&mut failed, address);
    }
    let mut digest = None;
    if let Some(value) = field(given, "sha256", &mut failed) {
        let found = digest_of(call, value);
        digest = keep(&mut failed, found).map(|digest| (digest, origin(call, value)));
    }
    let (Some(url), Some((digest, at)), false) = (url, digest, failed) else {
        return Err(Failed);
    };
    call.allocate(size_of::<Fetched>())?;
    let file = plain(FileSource::Fetched(Arc::new(Fetched { url, digest, at })));
    Ok(Value::File(call.origin, Arc::new(file)))
}

/// `unpack { … }`
pub(crate) fn unpack(call: &mut Call<'_>, arguments: &[Value]) -> Eval {
    let given = &arguments[0];
    let mut failed = false;
    let mut archive = None;
    if let Some(value) = field(given, "source", &mut failed) {
        let source = source_of(call, value);
        archive = keep(&mut failed, source);
    }
    let mut strip = 0;
    if let Some(value) = field(given, "strip", &mut failed) {
        match value.as_int() {
            Some(number @ 0..=MAX_STRIP) => strip = u32::try_from(number).unwrap_or(0),
            _ => {
                failed = true;
                let message = format!("`strip` is a number from 0 to {MAX_STRIP}");
                let site = call.site_of_value(value);
                call.report(Problem::new(codes::INVALID_ARGUMENT, site, message));
            }
        }
    }
    let exclude = patterns(call, given, "exclude", &mut failed);
    let include = patterns(call, given, "include", &mut failed);
    let setuid = matches!(
        field(given, "setuid", &mut failed),
        Some(Value::Bool(_, true))
    );
    let source = archive.map(|archive| {
        FileSource::Archive(Arc::new(Unpacked {
            archive,
            strip,
            exclude,
            include,
            setuid,
        }))
    });
    file_value(call, source, given, failed)
}

/// Where a file comes from: the project, or elsewhere.
pub(super) fn source_of(call: &mut Call<'_>, value: &Value) -> Eval<FileSource> {
    match value {
        Value::File(_, file) => Ok(file.source.clone()),
        _ => Ok(FileSource::Regular(path_of(value)?, origin(call, value))),
    }
}

/// The content that is fetched.
pub(super) fn content(fetched: &Fetched) -> Content {
    Content::Fetched {
        digest: fetched.digest,
        url: fetched.url.clone(),
    }
}

/// Why a text is no address to fetch from.
fn wrong(text: &str) -> Option<&'static str> {
    let plain = |b: u8| b.is_ascii_graphic() && !b"\"\\<>`{}|^#".contains(&b);
    if text.len() > MAX_URL || !text.bytes().all(plain) {
        return Some("an address is ASCII without spaces, quotes or `#`, at most 2048 bytes");
    }
    let (rest, secure) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return Some("it begins with `https://`"),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("it has no user or password: this text may be read by many");
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() || authority.len() == rest.len() {
        return Some("it names a host, and the path of a file: `https://example.org/app.tar.gz`");
    }
    let ip = host.parse::<std::net::IpAddr>();
    if !secure && host != "localhost" && !ip.is_ok_and(|ip| ip.is_loopback()) {
        return Some("it begins with `https://`: others could read and see what is fetched");
    }
    None
}

fn address(call: &mut Call<'_>, value: &Value) -> Eval<String> {
    let text = text(call, "`url`", value)?;
    let Some(why) = wrong(text) else {
        return Ok(text.to_owned());
    };
    let site = call.site_of_value(value);
    let message = format!("`{text}` can't be fetched");
    let mut problem = Problem::new(codes::BAD_FETCH, site, message).note(why);
    if let Some(rest) = text.strip_prefix("http://")
        && wrong(&format!("https://{rest}")).is_none()
    {
        let mut quoted = String::new();
        crate::text::quote(&format!("https://{rest}"), &mut quoted);
        problem = problem.fix("use `https://`", vec![(site, quoted)]);
    }
    Err(call.report(problem))
}

fn digest_of(call: &mut Call<'_>, value: &Value) -> Eval<FileDigest> {
    let text = text(call, "`sha256`", value)?;
    if let Ok(digest) = FileDigest::from_hex(text) {
        return Ok(digest);
    }
    let site = call.site_of_value(value);
    let message = format!("`{text}` is not the SHA-256 of a file");
    let problem = Problem::new(codes::BAD_FETCH, site, message)
        .note("it has 64 hexadecimal digits, in small letters");
    let plain = text.trim().trim_start_matches("sha256:").to_lowercase();
    Err(call.report(if FileDigest::from_hex(&plain).is_ok() {
        problem.fix(
            "write its digits only",
            vec![(site, format!("\"{plain}\""))],
        )
    } else {
        problem.help(format!(
            "write \"{}\" if you do not know it: a build says the right one",
            "0".repeat(64)
        ))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_of_https_or_of_this_machine() {
        for good in [
            "https://example.org/a",
            "https://example.org:8443/a.tar.gz?x=1",
            "http://127.0.0.1:8000/a",
            "http://localhost/a",
            "http://[::1]:80/a",
        ] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for bad in [
            "",
            "example.org/a",
            "ftp://example.org/a",
            "http://example.org/a",
            "http://127.0.0.1.example.org/a",
            "http://localhost@example.org/a",
            "https://user:secret@example.org/a",
            "https:///a",
            "https://example.org",
            "https://example.org/a b",
            "https://example.org/a#b",
            "file:///etc/passwd",
        ] {
            assert!(wrong(bad).is_some(), "{bad}");
        }
    }
}
