//! Bytes in serialised values: as text where they are UTF-8, else in hexadecimal.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Written<'a> {
    Text(std::borrow::Cow<'a, str>),
    Hex(String),
}

pub(crate) fn serialize<S: Serializer>(
    bytes: impl AsRef<[u8]>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let bytes = bytes.as_ref();
    match std::str::from_utf8(bytes) {
        Ok(text) => Written::Text(text.into()),
        Err(_) => Written::Hex(hex::encode(bytes)),
    }
    .serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>, B: From<Vec<u8>>>(
    deserializer: D,
) -> Result<B, D::Error> {
    match Written::deserialize(deserializer)? {
        Written::Text(text) => Ok(text.into_owned().into_bytes().into()),
        Written::Hex(digits) => hex::decode(digits)
            .map(B::from)
            .map_err(serde::de::Error::custom),
    }
}
