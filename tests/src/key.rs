//! An OpenPGP key of the tests' own, made when it is asked for.

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, KeyType, SecretKeyParamsBuilder, SignedPublicKey,
    SignedSecretKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails as _, Password, Timestamp};

/// A signing key.
#[derive(Debug)]
pub struct Key(SignedSecretKey);

impl Key {
    /// A new Ed25519 key.
    pub fn new() -> Self {
        let key = SecretKeyParamsBuilder::default()
            .key_type(KeyType::Ed25519Legacy)
            .can_sign(true)
            .can_certify(true)
            .primary_user_id("Test archive <test@mirror.example>".into())
            .build()
            .expect("the parameters are complete")
            .generate(rand::thread_rng())
            .expect("a key can be made");
        Self(key)
    }

    /// The public half, armoured.
    pub fn public(&self) -> String {
        SignedPublicKey::from(self.0.clone())
            .to_armored_string(ArmorOptions::default())
            .expect("a key can be written")
    }

    /// The public half, not armoured.
    pub fn public_bytes(&self) -> Vec<u8> {
        SignedPublicKey::from(self.0.clone())
            .to_bytes()
            .expect("a key can be written")
    }

    /// `text` clear-signed by each key with a hash, all in one block.
    pub fn clear_sign_by(text: &str, signers: &[(&Self, HashAlgorithm)]) -> String {
        let sign = |(key, hash): &(&Self, HashAlgorithm), text: &str| {
            let key = &key.0.primary_key;
            let mut config = SignatureConfig::v4(SignatureType::Text, key.algorithm(), *hash);
            config.hashed_subpackets = [
                SubpacketData::SignatureCreationTime(Timestamp::now()),
                SubpacketData::IssuerFingerprint(key.fingerprint()),
            ]
            .into_iter()
            .map(|data| Subpacket::regular(data).expect("it is small"))
            .collect();
            // Older programs look for the key by this alone.
            let id = SubpacketData::IssuerKeyId(key.legacy_key_id());
            config.unhashed_subpackets = vec![Subpacket::regular(id).expect("it is small")];
            config.sign(key, &Password::empty(), text.as_bytes())
        };
        CleartextSignedMessage::new_many(text, |text| {
            signers.iter().map(|signer| sign(signer, text)).collect()
        })
        .expect("the keys can sign")
        .to_armored_string(ArmorOptions::default())
        .expect("a message can be written")
    }

    /// `text` with a signature around it, as an `InRelease` is.
    pub fn clear_sign(&self, text: &str) -> String {
        CleartextSignedMessage::sign(
            rand::thread_rng(),
            text,
            &self.0.primary_key,
            &Password::empty(),
        )
        .expect("the key can sign")
        .to_armored_string(ArmorOptions::default())
        .expect("a message can be written")
    }
}

impl Default for Key {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_verifies_and_a_changed_text_does_not() {
        let key = Key::new();
        let public = SignedPublicKey::from(key.0.clone());
        let signed = key.clear_sign("Origin: Test\nLabel: Test\n");
        let (message, _) = CleartextSignedMessage::from_string(&signed).expect("a message");
        assert!(message.verify(&public).is_ok());
        let changed = signed.replace("Label: Test", "Label: Other");
        let (message, _) = CleartextSignedMessage::from_string(&changed).expect("a message");
        assert!(message.verify(&public).is_err());
    }
}
