//! An answer: status, headers, body. Sends nothing.

use imgc_store::BlobDigest;
use serde_json::json;

use super::BlobBody;

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What a request is answered.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, without those about the connection and without `Content-Length`.
    pub headers: Vec<(&'static str, String)>,
    /// The body. For `HEAD`, only its length is sent.
    pub body: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// A document.
    Bytes(Vec<u8>),
    /// A blob of the store, or a part of it.
    Blob(Box<BlobBody>),
}

impl Body {
    /// The number of its bytes.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob(blob) => blob.left(),
        }
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Answer {
    /// An error as the specification has it: a code of capital letters, and a message
    /// for people.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let errors = json!({ "errors": [{ "code": code, "message": message, "detail": null }] });
        Self::json(status, &errors)
    }

    pub(super) fn json(status: u16, document: &serde_json::Value) -> Self {
        let bytes = serde_json::to_vec(document).expect("a value is JSON");
        Self {
            status,
            ..Self::document("application/json", None, bytes)
        }
    }

    pub(super) fn document(media_type: &str, digest: Option<&BlobDigest>, bytes: Vec<u8>) -> Self {
        let mut headers = vec![
            ("Content-Type", media_type.to_owned()),
            // Who serves on a shared machine serves documents, never pages.
            ("X-Content-Type-Options", "nosniff".to_owned()),
            ("Docker-Distribution-API-Version", "registry/2.0".to_owned()),
        ];
        headers.extend(digest.map(|digest| ("Docker-Content-Digest", digest.to_string())));
        Self {
            status: 200,
            headers,
            body: Body::Bytes(bytes),
        }
    }

    pub(super) fn blob(status: u16, digest: &BlobDigest, body: BlobBody) -> Self {
        let answer = Self::document("application/octet-stream", Some(digest), Vec::new());
        Self {
            status,
            body: Body::Blob(Box::new(body)),
            ..answer
        }
        .with("Accept-Ranges", "bytes")
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
