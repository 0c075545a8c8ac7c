//! An OpenPGP key of the tests' own, made when it is asked for.

use pgp::composed::{
    ArmorOptions, CleartextSignedMessage, KeyType, SecretKeyParamsBuilder, SignedPublicKey,
    SignedSecretKey,
};
use pgp::types::Password;

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
