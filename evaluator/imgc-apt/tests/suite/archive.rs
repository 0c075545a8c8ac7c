//! A small archive, made and signed in a test: keys from fixed bytes, so that every
//! run signs the same.

use imgc_apt::Sha256;
use pgp::composed::{ArmorOptions, CleartextSignedMessage, SignedKeyDetails, SignedPublicKey};
use pgp::crypto::ed25519;
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{
    KeyFlags, PubKeyInner, PublicKey, SecretKey, SignatureConfig, SignatureType, Subpacket,
    SubpacketData, UserId,
};
use pgp::ser::Serialize as _;
use pgp::types::{
    Duration, Ed25519PublicParams, KeyDetails as _, KeyVersion, PacketHeaderVersion, Password,
    PlainSecretParams, PublicParams, SecretParams, SignedUser, Tag, Timestamp,
};

/// 2026-01-01 00:00:00 UTC: when keys are made, and what `Date` says if a test does
/// not say otherwise.
pub(crate) const NEW_YEAR: u64 = 1_767_225_600;
/// Seconds of a day.
pub(crate) const DAY: u64 = 86_400;

/// An Ed25519 key and its certificate.
pub(crate) struct TestKey {
    secret: SecretKey,
    certificate: SignedPublicKey,
}

/// What is not ordinary about a key.
#[derive(Default)]
pub(crate) struct Oddity {
    /// Seconds after which it expires.
    pub(crate) expires: Option<u32>,
    pub(crate) revoked: bool,
    /// It may only certify.
    pub(crate) no_signing: bool,
}

impl TestKey {
    pub(crate) fn new(seed: u8) -> Self {
        Self::odd(seed, &Oddity::default())
    }

    pub(crate) fn odd(seed: u8, odd: &Oddity) -> Self {
        let raw = ed25519::SecretKey::try_from_bytes([seed; 32], ed25519::Mode::Ed25519)
            .expect("32 bytes are a key");
        let created = Timestamp::from_secs(NEW_YEAR as u32);
        let inner = PubKeyInner::new(
            KeyVersion::V4,
            PublicKeyAlgorithm::Ed25519,
            created,
            None,
            PublicParams::Ed25519(Ed25519PublicParams::from(&raw)),
        )
        .expect("a key");
        let public = PublicKey::from_inner(inner).expect("a key");
        let params = SecretParams::Plain(PlainSecretParams::Ed25519(raw));
        let secret = SecretKey::new(public.clone(), params).expect("a key");
        let id = UserId::from_str(PacketHeaderVersion::New, "Test archive").expect("a name");
        let mut config = config(
            &secret,
            SignatureType::CertPositive,
            HashAlgorithm::Sha256,
            NEW_YEAR,
        );
        let mut flags = KeyFlags::default();
        flags.set_certify(true);
        flags.set_sign(!odd.no_signing);
        config
            .hashed_subpackets
            .push(Subpacket::regular(SubpacketData::KeyFlags(flags)).expect("small"));
        if let Some(seconds) = odd.expires {
            let life = SubpacketData::KeyExpirationTime(Duration::from_secs(seconds));
            config
                .hashed_subpackets
                .push(Subpacket::regular(life).expect("small"));
        }
        let signature = config
            .sign_certification(&secret, &public, &Password::empty(), Tag::UserId, &id)
            .expect("signs");
        let mut revocations = Vec::new();
        if odd.revoked {
            let config = self::config(
                &secret,
                SignatureType::KeyRevocation,
                HashAlgorithm::Sha256,
                NEW_YEAR,
            );
            let signature = config.sign_key(&secret, &Password::empty(), &public);
            revocations.push(signature.expect("signs"));
        }
        let users = vec![SignedUser::new(id, vec![signature])];
        let details = SignedKeyDetails::new(revocations, vec![], users, vec![]);
        Self {
            secret,
            certificate: SignedPublicKey::new(public, details, vec![]),
        }
    }

    /// Its certificate, binary.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.certificate.to_bytes().expect("writes")
    }

    /// Its fingerprint in upper-case hexadecimal digits.
    pub(crate) fn fingerprint(&self) -> String {
        hex::encode_upper(self.secret.fingerprint().as_bytes())
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        clear_sign(text, &[(self, HashAlgorithm::Sha256)], NEW_YEAR)
    }
}

/// Clear-signs a text with each key and hash, all at one time.
pub(crate) fn clear_sign(text: &str, keys: &[(&TestKey, HashAlgorithm)], at: u64) -> String {
    let message = CleartextSignedMessage::new_many(text.trim_end_matches('\n'), |signed| {
        keys.iter()
            .map(|(key, hash)| {
                let config = config(&key.secret, SignatureType::Text, *hash, at);
                config.sign(&key.secret, &Password::empty(), signed.as_bytes())
            })
            .collect()
    })
    .expect("signs");
    message
        .to_armored_string(ArmorOptions::default())
        .expect("writes")
}

fn config(key: &SecretKey, typ: SignatureType, hash: HashAlgorithm, at: u64) -> SignatureConfig {
    let mut config = SignatureConfig::v4(typ, PublicKeyAlgorithm::Ed25519, hash);
    let made = SubpacketData::SignatureCreationTime(Timestamp::from_secs(at as u32));
    let issuer = SubpacketData::IssuerFingerprint(key.fingerprint());
    config.hashed_subpackets = [made, issuer]
        .into_iter()
        .map(|data| Subpacket::regular(data).expect("small"))
        .collect();
    config
}

/// An archive: its compressed `Packages`, and the `Release` that names it.
pub(crate) struct Archive {
    pub(crate) xz: Vec<u8>,
    pub(crate) release: String,
}

impl Archive {
    /// An archive whose `Release` has these fields before the list of files.
    pub(crate) fn new(fields: &str, packages: &str) -> Self {
        let xz = compress(packages.as_bytes());
        let release = format!(
            "{fields}SHA256:\n {} {:>8} main/binary-amd64/Packages\n {} {:>8} main/binary-amd64/Packages.xz\n",
            Sha256::of(packages.as_bytes()),
            packages.len(),
            Sha256::of(&xz),
            xz.len(),
        );
        Self { xz, release }
    }
}

/// The fields of a `Release` for a distribution, of [`NEW_YEAR`].
pub(crate) fn fields(dist: &str) -> String {
    format!(
        "Origin: Debian\nLabel: Debian\nSuite: stable\nCodename: {dist}\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nAcquire-By-Hash: yes\nArchitectures: all amd64 arm64\nComponents: main contrib\n"
    )
}

/// The stanza of a package; its file is 10 bytes long, and its digest made up.
pub(crate) fn stanza(name: &str, version: &str, more: &str) -> String {
    let digest = Sha256::of(format!("{name} {version}").as_bytes());
    format!(
        "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{more}Filename: pool/main/{name}_{version}_amd64.deb\nSize: 10\nSHA256: {digest}\n\n"
    )
}

pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(bytes).expect("writes");
    encoder.finish().expect("writes")
}
