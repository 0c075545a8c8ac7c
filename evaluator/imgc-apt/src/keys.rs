//! Keys that may sign a `Release`: keyrings, and Debian's own keys.
//!
//! A key counts only by what it says of itself in signatures that verify. The
//! time is not asked here: a key's end is kept, and compared by who verifies.

use pgp::composed::{Deserializable as _, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{PublicKey, PublicSubkey, Signature, SignatureType, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, KeyId, PublicParams, Tag};

use crate::time::Epoch;

/// The greatest size of a keyring in bytes.
pub const MAX_KEYRING: usize = 4 * 1024 * 1024;

const MAX_KEYS: usize = 256;

/// Certificates that are trusted for one archive.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    pub(crate) keys: Vec<Key>,
}

/// A key that can make signatures: a primary key or one of its subkeys.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) material: Material,
    /// The fingerprint in upper-case hexadecimal digits.
    pub(crate) fingerprint: String,
    pub(crate) id: KeyId,
    pub(crate) created: Epoch,
    /// The first moment at which it is no longer good.
    pub(crate) expires: Option<Epoch>,
    pub(crate) revoked: bool,
    /// Whether its owner lets it sign, with an algorithm that is strong enough.
    pub(crate) may_sign: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Material {
    Primary(PublicKey),
    Subkey(PublicSubkey),
}

/// Why a keyring is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// It is too big.
    #[error("the keyring is bigger than {MAX_KEYRING} bytes or has more than {MAX_KEYS} keys")]
    TooBig,
    /// It is not a series of OpenPGP certificates.
    #[error("the keyring can't be read: {0}")]
    Format(String),
    /// No key in it may sign.
    #[error("the keyring has no key that may sign")]
    Empty,
}

impl Keyring {
    /// Reads OpenPGP certificates, binary or in ASCII armor.
    ///
    /// # Errors
    /// A [`KeyringError`] when the bytes are something else, or when no key in them
    /// may sign.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyringError> {
        if bytes.len() > MAX_KEYRING {
            return Err(KeyringError::TooBig);
        }
        let format = |error: pgp::errors::Error| KeyringError::Format(error.to_string());
        let mut keys = Vec::new();
        // Armor is text; the first byte of a binary certificate has its top bit set.
        let binary = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
        if binary {
            for certificate in SignedPublicKey::from_bytes_many(bytes).map_err(format)? {
                add(&mut keys, &certificate.map_err(format)?)?;
            }
        } else {
            let text = std::str::from_utf8(bytes)
                .map_err(|_| KeyringError::Format("neither binary nor armored".to_owned()))?;
            for block in armored_blocks(text) {
                let (certificates, _) = SignedPublicKey::from_string_many(block).map_err(format)?;
                for certificate in certificates {
                    add(&mut keys, &certificate.map_err(format)?)?;
                }
            }
        }
        if !keys.iter().any(|key: &Key| key.may_sign && !key.revoked) {
            return Err(KeyringError::Empty);
        }
        Ok(Self { keys })
    }

    /// The keys of several keyrings in one.
    pub fn union(keyrings: impl IntoIterator<Item = Self>) -> Self {
        let mut keys: Vec<Key> = keyrings.into_iter().flat_map(|ring| ring.keys).collect();
        keys.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint));
        keys.dedup_by(|a, b| {
            a.fingerprint == b.fingerprint && {
                // A revocation that one of them knows counts.
                b.revoked |= a.revoked;
                true
            }
        });
        Self { keys }
    }

    /// The fingerprints of the keys that may sign, in upper-case hexadecimal
    /// digits, sorted.
    pub fn fingerprints(&self) -> Vec<String> {
        let good = self.keys.iter().filter(|key| key.may_sign && !key.revoked);
        let mut all: Vec<String> = good.map(|key| key.fingerprint.clone()).collect();
        all.sort();
        all
    }

    /// Debian's keys for a release: `bookworm` or `trixie`.
    pub(crate) fn debian(codename: &str, security: bool) -> Option<Self> {
        let files: [&[u8]; 3] = match codename {
            "bookworm" => [
                include_bytes!("../keys/bookworm-stable.gpg"),
                include_bytes!("../keys/bookworm-automatic.gpg"),
                include_bytes!("../keys/bookworm-security-automatic.gpg"),
            ],
            "trixie" => [
                include_bytes!("../keys/trixie-stable.gpg"),
                include_bytes!("../keys/trixie-automatic.gpg"),
                include_bytes!("../keys/trixie-security-automatic.gpg"),
            ],
            _ => return None,
        };
        // Each archive is signed by keys of its own.
        let files = if security { &files[2..] } else { &files[..2] };
        let rings = files.iter().map(|bytes| {
            Self::parse(bytes).expect("the embedded keys are well-formed: a test reads them all")
        });
        Some(Self::union(rings))
    }
}

/// The blocks of a file that holds several armored certificates.
fn armored_blocks(text: &str) -> impl Iterator<Item = &str> {
    const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
    let mut starts: Vec<usize> = text.match_indices(BEGIN).map(|(at, _)| at).collect();
    if starts.is_empty() {
        // The parser says what is wrong with it.
        starts.push(0);
    }
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .map(|(from, to)| &text[from..to])
}

fn add(keys: &mut Vec<Key>, certificate: &SignedPublicKey) -> Result<(), KeyringError> {
    let primary = &certificate.primary_key;
    let details = &certificate.details;
    let own = |signature: &&Signature| is_strong(signature);

    // What a key says of itself: the newest of its own signatures over a name, and
    // over itself. Third parties' signatures are none of its own.
    let direct = details.direct_signatures.iter().filter(|signature| {
        signature.typ() == Some(SignatureType::Key) && signature.verify_key(primary).is_ok()
    });
    let direct = direct
        .filter(own)
        .max_by_key(|signature| signature.created());
    let named = details.users.iter().flat_map(|user| {
        user.signatures.iter().filter(|signature| {
            signature.is_certification()
                && signature.typ() != Some(SignatureType::CertRevocation)
                && signature
                    .verify_certification(primary, Tag::UserId, &user.id)
                    .is_ok()
        })
    });
    let named = named
        .filter(own)
        .max_by_key(|signature| signature.created());
    // A signature over the key itself may only name who can revoke it, so that the
    // one over a name comes first.
    let Some(newest) = named.or(direct) else {
        return Ok(());
    };
    let revoked = details
        .revocation_signatures
        .iter()
        .any(|signature| signature.verify_key(primary).is_ok());
    let created = Epoch::from(primary.created_at().as_secs());
    let ends = [Some(newest), direct].map(|signature| end(created, signature?));
    let primary_end = ends.into_iter().flatten().min();
    keys.push(Key {
        fingerprint: hex::encode_upper(primary.fingerprint().as_bytes()),
        id: primary.legacy_key_id(),
        created,
        expires: primary_end,
        revoked,
        may_sign: lets_sign(newest) && is_strong_key(primary.public_params()),
        material: Material::Primary(primary.clone()),
    });

    for subkey in &certificate.public_subkeys {
        let bindings = || {
            subkey.signatures.iter().filter(|signature| {
                signature
                    .verify_subkey_binding(primary, &subkey.key)
                    .is_ok()
            })
        };
        let binding = bindings()
            .filter(|signature| signature.typ() == Some(SignatureType::SubkeyBinding))
            .filter(own)
            .max_by_key(|signature| signature.created());
        let Some(binding) = binding else {
            continue;
        };
        let back_signed = binding.embedded_signature().is_some_and(|back| {
            is_strong(back)
                && back
                    .verify_primary_key_binding(&subkey.key, primary)
                    .is_ok()
        });
        let created = Epoch::from(subkey.key.created_at().as_secs());
        let ends = [end(created, binding), primary_end];
        keys.push(Key {
            fingerprint: hex::encode_upper(subkey.key.fingerprint().as_bytes()),
            id: subkey.key.legacy_key_id(),
            created,
            expires: ends.into_iter().flatten().min(),
            revoked: revoked
                || bindings().any(|s| s.typ() == Some(SignatureType::SubkeyRevocation)),
            may_sign: back_signed
                && lets_sign(binding)
                && is_strong_key(subkey.key.public_params()),
            material: Material::Subkey(subkey.key.clone()),
        });
    }
    if keys.len() > MAX_KEYS {
        return Err(KeyringError::TooBig);
    }
    Ok(())
}

fn end(created: Epoch, signature: &Signature) -> Option<Epoch> {
    let seconds = signature.key_expiration_time()?.as_secs();
    (seconds > 0).then(|| created + Epoch::from(seconds))
}

/// A key that says nothing of its purpose may do everything.
fn lets_sign(signature: &Signature) -> bool {
    let mut subpackets = signature
        .config()
        .into_iter()
        .flat_map(|config| config.hashed_subpackets());
    let silent = !subpackets.any(|packet| matches!(packet.data, SubpacketData::KeyFlags(_)));
    silent || signature.key_flags().sign()
}

fn is_strong(signature: &Signature) -> bool {
    matches!(
        signature.hash_alg(),
        Some(HashAlgorithm::Sha256 | HashAlgorithm::Sha384 | HashAlgorithm::Sha512)
    )
}

/// RSA of 2,048 bits and more, and EdDSA over Curve25519.
fn is_strong_key(params: &PublicParams) -> bool {
    match params {
        // It is written as the modulus, which begins with its length in bits.
        PublicParams::RSA(params) => match params.to_bytes().as_deref() {
            Ok([high, low, ..]) => u16::from_be_bytes([*high, *low]) >= 2048,
            _ => false,
        },
        PublicParams::EdDSALegacy(_) | PublicParams::Ed25519(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_keys_are_debians() {
        // The fingerprints that keys/README.md gives.
        let cases = [
            (
                "bookworm",
                false,
                vec![
                    "4CB50190207B4758A3F73A796ED0E7B82643E131",
                    "4D64FEC119C2029067D6E791F8D2585B8783D481",
                    "B8B80B5B623EAB6AD8775C45B7C5D7D6350947F8",
                ],
            ),
            (
                "bookworm",
                true,
                vec![
                    "05AB90340C0C5E797F44A8C8254CF3B5AEC0A8F0",
                    "B0CAB9266E8C3929798B3EEEBDE6D2B9216EC7A8",
                ],
            ),
            (
                "trixie",
                false,
                vec![
                    "04B54C3CDCA79751B16BC6B5225629DF75B188BD",
                    "41587F7DB8C774BCCF131416762F67A0B2C39DE4",
                    "B8E5F13176D2A7A75220028078DBA3BC47EF2265",
                ],
            ),
            (
                "trixie",
                true,
                vec![
                    "5E04A1E3223A19A20706E20F9904613D4CCE68C6",
                    "89C87ACEA5DD6B8E6A7068808E9F831205B4BA95",
                ],
            ),
        ];
        for (codename, security, fingerprints) in cases {
            let ring = Keyring::debian(codename, security).expect("a known release");
            assert_eq!(ring.fingerprints(), fingerprints, "{codename} {security}");
            assert!(ring.keys.iter().all(|key| key.expires.is_some()));
        }
        assert!(Keyring::debian("sid", false).is_none());
    }

    #[test]
    fn reads_armor_and_several_blocks() {
        let bytes = include_bytes!("../keys/trixie-stable.gpg");
        let (key, rest): (Vec<_>, Vec<_>) = SignedPublicKey::from_bytes_many(&bytes[..])
            .expect("packets")
            .partition(Result::is_ok);
        assert!(rest.is_empty());
        let armor = key[0]
            .as_ref()
            .expect("a certificate")
            .to_armored_string(pgp::composed::ArmorOptions::default())
            .expect("armor");
        let twice = format!("a comment\n{armor}\n{armor}");
        let ring = Keyring::parse(twice.as_bytes()).expect("a keyring");
        assert_eq!(ring.keys.len(), 2);
        assert_eq!(Keyring::union([ring.clone(), ring]).keys.len(), 1);
    }

    #[test]
    fn refuses_what_is_no_keyring() {
        for bytes in [
            &b""[..],
            b"hello",
            b"\x99\x01",
            b"\xff\xff\xff\xff\xff\xff",
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----",
        ] {
            assert!(Keyring::parse(bytes).is_err());
        }
        assert_eq!(
            Keyring::parse(&vec![0x99; MAX_KEYRING + 1]).map(|_| ()),
            Err(KeyringError::TooBig)
        );
    }
}
