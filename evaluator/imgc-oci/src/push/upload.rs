//! One blob on its way into a repository: asked for, mounted, or sent; the large in pieces,
//! which go on where they stopped.

use std::io::{Read as _, Seek as _, SeekFrom};

use imgc_store::Store;

use crate::Descriptor;
use crate::pull::RegistryAnswer;

use super::session::Session;
use super::{Fate, PushError};

/// Blobs of more bytes are sent in pieces of so many.
const PIECE: u64 = 16 * 1024 * 1024;

/// How many times a blob is tried again without any progress.
const TRIES: u32 = 5;

/// Sees to it that the repository has a blob.
pub(super) fn blob(
    session: &Session<'_>,
    store: &dyn Store,
    blob: &Descriptor,
    others: &[String],
) -> Result<Fate, PushError> {
    let what = blob.digest.to_string();
    let url = session.url(&format!("blobs/{}", blob.digest));
    let answer = session.tried("HEAD", &url, &[])?;
    if answer.status == 200 {
        session.check_digest(&answer, &blob.digest, &what)?;
        return Ok(Fate::There);
    }
    if answer.status != 404 {
        session.expect(&answer, &[200], &what)?;
    }
    let mut begun = None;
    for other in others {
        let path = format!("blobs/uploads/?mount={}&from={other}", blob.digest);
        let answer = session.tried("POST", &session.url(&path), &[])?;
        match answer.status {
            201 => {
                session.check_digest(&answer, &blob.digest, &what)?;
                return Ok(Fate::Mounted);
            }
            // Not there: an upload has begun in its place.
            202 => {
                begun = Some(answer);
                break;
            }
            _ => {}
        }
    }
    let mut failed = 0;
    loop {
        let answer = send(session, store, blob, begun.take(), &mut failed);
        failed += 1;
        if failed < TRIES && session.may_pass(&answer, failed) {
            continue;
        }
        let answer = answer?;
        session.expect(&answer, &[201, 204], &what)?;
        session.check_digest(&answer, &blob.digest, &what)?;
        return Ok(Fate::Sent(blob.size));
    }
}

/// One upload: the answer to its last request.
fn send(
    session: &Session<'_>,
    store: &dyn Store,
    blob: &Descriptor,
    begun: Option<RegistryAnswer>,
    failed: &mut u32,
) -> Result<RegistryAnswer, PushError> {
    let what = blob.digest.to_string();
    let begun = match begun {
        Some(begun) => begun,
        None => session.tried("POST", &session.url("blobs/uploads/"), &[])?,
    };
    session.expect(&begun, &[202], &what)?;
    let mut location = session.location(&begun, &what)?;
    let mut at = 0;
    while blob.size > PIECE && at < blob.size {
        let end = (at + PIECE).min(blob.size);
        let answer = piece(session, store, blob, &location, at..end);
        match &answer {
            Ok(answer) if answer.status == 202 || answer.status == 204 => {
                location = session.location(answer, &what)?;
                at = end;
                *failed = 0;
                continue;
            }
            // It may have more or less than we know of.
            Ok(answer) if answer.status == 416 => {}
            _ => {
                *failed += 1;
                if *failed >= TRIES || !session.may_pass(&answer, *failed) {
                    return answer;
                }
            }
        }
        *failed += 1;
        // How far it has come; an upload that is lost begins anew.
        let answer = session.tried("GET", &location, &[])?;
        if answer.status != 204 && answer.status != 202 || *failed >= TRIES {
            return Err(PushError::Transport {
                url: location,
                reason: "the upload broke off".to_owned(),
            });
        }
        at = arrived(&answer).filter(|at| *at <= blob.size).unwrap_or(0);
        location = session.location(&answer, &what)?;
    }
    let mark = if location.contains('?') { '&' } else { '?' };
    let url = format!("{location}{mark}digest={}", blob.digest);
    if at == blob.size && blob.size > 0 {
        return session.tried("PUT", &url, &[]);
    }
    let mut body = open(store, blob, 0)?;
    let headers = [("content-type", "application/octet-stream".to_owned())];
    session.send("PUT", &url, &headers, Some((blob.size, &mut body)))
}

/// Sends some bytes of a blob.
fn piece(
    session: &Session<'_>,
    store: &dyn Store,
    blob: &Descriptor,
    location: &str,
    range: std::ops::Range<u64>,
) -> Result<RegistryAnswer, PushError> {
    let length = range.end - range.start;
    let mut body = open(store, blob, range.start)?.take(length);
    let headers = [
        ("content-type", "application/octet-stream".to_owned()),
        (
            "content-range",
            format!("{}-{}", range.start, range.end - 1),
        ),
    ];
    session.send("PATCH", location, &headers, Some((length, &mut body)))
}

fn open(store: &dyn Store, blob: &Descriptor, from: u64) -> Result<imgc_store::Blob, PushError> {
    let found = store.open_sized(&blob.digest, blob.size)?;
    let mut found = found.ok_or(PushError::Lost(blob.digest))?;
    let sought = found.seek(SeekFrom::Start(from));
    sought.map_err(|source| PushError::Read {
        digest: blob.digest,
        source,
    })?;
    Ok(found)
}

/// How many bytes of an upload have arrived, by `Range: 0-N`. `0-0` is also what some
/// registries say of none: then one byte is sent again, or refused, and it begins anew.
fn arrived(answer: &RegistryAnswer) -> Option<u64> {
    let range = answer.headers.get("range")?;
    let range = range.trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let last: u64 = range.strip_prefix("0-")?.parse().ok()?;
    Some(if last == 0 { 0 } else { last + 1 })
}
