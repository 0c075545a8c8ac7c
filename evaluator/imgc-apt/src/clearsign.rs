//! Clear-signed texts: splits one strictly, and verifies it against a keyring.
//!
//! The split is this crate's own, stricter than RFC 9580 section 7 asks, so that
//! no two readers can see two texts: one block, nothing around it, no carriage
//! returns. Only [`Verified::text`] may be parsed: it is what was hashed.

use std::io::Read as _;

use pgp::armor::Dearmor;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Packet, PacketParser, Signature, SignatureType, SubpacketData};
use pgp::types::KeyId;

use crate::keys::{Key, Keyring, Material};
use crate::time::Epoch;

/// The greatest size of a clear-signed text in bytes.
pub const MAX_SIGNED: usize = 16 * 1024 * 1024;

const MAX_ARMOR: usize = 256 * 1024;
const MAX_SIGNATURES: usize = 32;
const DAY: Epoch = 86_400;

/// Why a clear-signed text is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// It is longer than [`MAX_SIGNED`].
    #[error("the signed text has {0} bytes, more than any real one")]
    TooBig(usize),
    /// It is not UTF-8, or holds a NUL or a carriage return.
    #[error("the signed text is not plain UTF-8 text")]
    NotText,
    /// It is not one clear-signed block.
    #[error("line {line}: {problem}")]
    Split {
        /// Counted from 1.
        line: usize,
        /// What is wrong there.
        problem: &'static str,
    },
    /// The block of signatures can't be read.
    #[error("the signatures can't be read: {0}")]
    Signatures(String),
    /// A key of the keyring did not make the signature that is said to be its own.
    #[error("the signature by {key} is wrong: the text was changed, or another was signed")]
    BadSignature {
        /// The key's fingerprint.
        key: String,
    },
    /// No signature counts.
    #[error("no signature by a trusted key")]
    Untrusted {
        /// Each signature that was looked at, and why it does not count.
        rejected: Vec<Rejected>,
    },
}

/// A signature that does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// The fingerprint or the id of the key that it names; empty for none.
    pub key: String,
    /// Why it does not count.
    pub reason: Reason,
}

/// Why a signature does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Its key is not in the keyring.
    UnknownKey,
    /// Its hash is neither SHA-256 nor SHA-512.
    WeakHash,
    /// It is not a signature over a text, or says something of itself that must
    /// be understood and is not.
    Kind,
    /// Its key may not sign, or is too weak.
    KeyMayNotSign,
    /// Its key was revoked.
    KeyRevoked,
    /// Its key has expired.
    KeyExpired,
    /// It has expired.
    Expired,
    /// It was made in the future, before its key was, or at no time.
    Time,
}

/// A text that a trusted key signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    /// The text, line for line as it was hashed: without dash-escapes, and
    /// without white space at the ends of lines.
    pub(crate) text: String,
    /// The fingerprints of the keys whose signatures count, sorted.
    pub(crate) signers: Vec<String>,
}

/// Splits and verifies. `now` bounds the life of keys and signatures; without it,
/// a key must have been good when the signature was made.
pub(crate) fn verify(
    bytes: &[u8],
    keyring: &Keyring,
    now: Option<Epoch>,
) -> Result<Verified, TrustError> {
    let (text, armor) = split(bytes)?;
    let mut signers = Vec::new();
    let mut rejected = Vec::new();
    for signature in signatures(armor)? {
        match check(&signature, &text, keyring, now) {
            Ok(key) => signers.push(key.fingerprint.clone()),
            Err(Verdict::Wrong(key)) => return Err(TrustError::BadSignature { key }),
            Err(Verdict::NotCounted(reason)) => {
                let key = named_key(&signature);
                rejected.push(Rejected { key, reason });
            }
        }
    }
    if signers.is_empty() {
        return Err(TrustError::Untrusted { rejected });
    }
    signers.sort();
    signers.dedup();
    Ok(Verified { text, signers })
}

/// The signed text and the armored block of its signatures.
fn split(bytes: &[u8]) -> Result<(String, &str), TrustError> {
    if bytes.len() > MAX_SIGNED {
        return Err(TrustError::TooBig(bytes.len()));
    }
    let all = std::str::from_utf8(bytes).map_err(|_| TrustError::NotText)?;
    if all.contains(['\0', '\r']) {
        return Err(TrustError::NotText);
    }
    let fail = |line, problem| Err(TrustError::Split { line, problem });
    let mut lines = all.split_inclusive('\n').zip(1..);
    match lines.next() {
        Some(("-----BEGIN PGP SIGNED MESSAGE-----\n", _)) => {}
        _ => return fail(1, "a clear-signed text begins with its header"),
    }
    loop {
        match lines.next() {
            Some(("\n", _)) => break,
            Some((line, _)) if is_hash_header(line) => {}
            Some((_, at)) => return fail(at, "only `Hash` may stand before the signed text"),
            None => return fail(2, "the text ends in its header"),
        }
    }
    let mut text = String::with_capacity(all.len());
    let mut end = 1;
    let armor = loop {
        let Some((line, at)) = lines.next() else {
            return fail(end, "the text has no signature");
        };
        end = at;
        if line == "-----BEGIN PGP SIGNATURE-----\n" {
            // Where the line begins in the whole text.
            break &all[line.as_ptr() as usize - all.as_ptr() as usize..];
        }
        let plain = match line.strip_prefix("- ") {
            Some(escaped) => escaped,
            None if line.starts_with('-') => return fail(at, "a dash is not escaped"),
            None => line,
        };
        // RFC 9580, section 7.2: white space at the end of a line is not hashed.
        text.push_str(plain.trim_end_matches([' ', '\t', '\n']));
        text.push('\n');
    };
    // The newline before the signature is not part of the text.
    text.pop();
    for (line, at) in lines {
        end = at;
        if line.trim_end_matches('\n') == "-----END PGP SIGNATURE-----" {
            let rest = &all[line.as_ptr() as usize - all.as_ptr() as usize + line.len()..];
            if !rest.trim_end_matches('\n').is_empty() {
                return fail(at + 1, "something stands after the signature");
            }
            let armor = armor.trim_end_matches('\n');
            if armor.len() > MAX_ARMOR {
                return fail(at, "the signatures are longer than any real ones");
            }
            return Ok((text, armor));
        }
        if line.starts_with('-') {
            return fail(at, "a second block begins in the signature");
        }
    }
    fail(end, "the signature has no end")
}

fn is_hash_header(line: &str) -> bool {
    let Some(names) = line.trim_end().strip_prefix("Hash: ") else {
        return false;
    };
    let known = |name: &str| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    names.split(',').all(|name| known(name.trim()))
}

fn signatures(armor: &str) -> Result<Vec<Signature>, TrustError> {
    let mut packets = Vec::new();
    Dearmor::new(armor.as_bytes())
        .read_to_end(&mut packets)
        .map_err(|error| TrustError::Signatures(error.to_string()))?;
    let mut signatures = Vec::new();
    for packet in PacketParser::new(&packets[..]) {
        match packet {
            Ok(Packet::Signature(signature)) => signatures.push(signature),
            Ok(_) => {
                let problem = "something else stands among them".to_owned();
                return Err(TrustError::Signatures(problem));
            }
            Err(error) => return Err(TrustError::Signatures(error.to_string())),
        }
        if signatures.len() > MAX_SIGNATURES {
            let problem = format!("there are more than {MAX_SIGNATURES}");
            return Err(TrustError::Signatures(problem));
        }
    }
    Ok(signatures)
}

enum Verdict {
    /// A known key, and not its signature over this text.
    Wrong(String),
    NotCounted(Reason),
}

fn check<'a>(
    signature: &Signature,
    text: &str,
    keyring: &'a Keyring,
    now: Option<Epoch>,
) -> Result<&'a Key, Verdict> {
    let not = |reason| Err(Verdict::NotCounted(reason));
    let Some(config) = signature.config() else {
        return not(Reason::UnknownKey);
    };
    let ids = config.issuer_key_id();
    let fingerprints: Vec<String> = config
        .issuer_fingerprint()
        .into_iter()
        .map(|fingerprint| hex::encode_upper(fingerprint.as_bytes()))
        .collect();
    // Both may be there; a key must not be contradicted by either.
    let named = |key: &Key| {
        let by_id = ids.iter().all(|id: &&KeyId| **id == key.id);
        let by_fingerprint = fingerprints.iter().all(|name| *name == key.fingerprint);
        by_id && by_fingerprint && !(ids.is_empty() && fingerprints.is_empty())
    };
    let Some(key) = keyring.keys.iter().find(|key| named(key)) else {
        return not(Reason::UnknownKey);
    };
    let understood = config
        .hashed_subpackets()
        .all(|packet| !packet.is_critical || !is_strange(&packet.data));
    if config.typ != SignatureType::Text || !understood {
        return not(Reason::Kind);
    }
    // Before its bytes are looked at: with a weak hash they prove nothing.
    if !matches!(
        config.hash_alg,
        HashAlgorithm::Sha256 | HashAlgorithm::Sha512
    ) {
        return not(Reason::WeakHash);
    }
    if !key.may_sign {
        return not(Reason::KeyMayNotSign);
    }
    let verified = match &key.material {
        Material::Primary(public) => signature.verify(public, text.as_bytes()),
        Material::Subkey(public) => signature.verify(public, text.as_bytes()),
    };
    if verified.is_err() {
        return Err(Verdict::Wrong(key.fingerprint.clone()));
    }
    if key.revoked {
        return not(Reason::KeyRevoked);
    }
    let Some(made) = signature.created().map(|time| Epoch::from(time.as_secs())) else {
        return not(Reason::Time);
    };
    // Clocks differ: a day is let through, as apt does for `Date`.
    if made < key.created || now.is_some_and(|now| made > now.saturating_add(DAY)) {
        return not(Reason::Time);
    }
    let moment = now.unwrap_or(made).max(made);
    if key.expires.is_some_and(|end| moment >= end) {
        return not(Reason::KeyExpired);
    }
    let life = signature.signature_expiration_time();
    let life = life.map_or(0, |life| Epoch::from(life.as_secs()));
    if life > 0 && moment >= made + life {
        return not(Reason::Expired);
    }
    Ok(key)
}

/// A subpacket whose meaning is not known here.
fn is_strange(data: &SubpacketData) -> bool {
    matches!(
        data,
        SubpacketData::Experimental(..) | SubpacketData::Other(..) | SubpacketData::Notation(..)
    )
}

fn named_key(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().into_iter().next();
    let id = signature.issuer_key_id().into_iter().next();
    fingerprint
        .map(|fingerprint| hex::encode_upper(fingerprint.as_bytes()))
        .or_else(|| id.map(|id| hex::encode_upper(id.as_ref())))
        .unwrap_or_default()
}
