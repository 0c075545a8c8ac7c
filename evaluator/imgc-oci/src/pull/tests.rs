//! Tests of the pull, against a registry in memory.

use std::cell::RefCell;

use super::*;

const TEXT: &[u8] = b"{ answer = 42; }";

/// Answers by address; notes what it was asked, with the token.
#[derive(Default)]
struct Registry {
    answers: BTreeMap<String, RegistryAnswer>,
    /// Wants this token for everything but the token itself.
    token: Option<&'static str>,
    asked: RefCell<Vec<String>>,
}

impl RegistryTransport for Registry {
    fn get(&self, url: &str, headers: &[(&str, String)], _: u64) -> Result<RegistryAnswer, String> {
        self.asked.borrow_mut().push(url.to_owned());
        let sent = headers.iter().find(|(name, _)| *name == "authorization");
        let wanted = self.token.map(|token| format!("Bearer {token}"));
        let is_token = url.contains("/token?");
        if let Some(wanted) = wanted
            && !is_token
            && sent.is_none_or(|(_, sent)| *sent != wanted)
        {
            let challenge = "Bearer realm=\"https://auth.example/token\",service=\"reg\"";
            let header = ("www-authenticate".to_owned(), challenge.to_owned());
            return Ok(answer(401, b"", [header]));
        }
        self.answers.get(url).cloned().ok_or("no route".to_owned())
    }
}

fn answer<const N: usize>(
    status: u16,
    body: &[u8],
    headers: [(String, String); N],
) -> RegistryAnswer {
    RegistryAnswer {
        status,
        headers: headers.into(),
        body: body.to_vec(),
    }
}

fn manifest(layers: &str) -> String {
    format!("{{\"schemaVersion\":2,\"mediaType\":\"{MANIFEST}\",\"layers\":[{layers}]}}")
}

fn layer(bytes: &[u8], size: usize) -> String {
    format!(
        "{{\"mediaType\":\"x\",\"digest\":\"{}\",\"size\":{size}}}",
        BlobDigest::of(bytes)
    )
}

fn blob_url(bytes: &[u8]) -> String {
    format!(
        "https://registry.example/v2/lib/blobs/{}",
        BlobDigest::of(bytes)
    )
}

const MANIFEST_URL: &str = "https://registry.example/v2/lib/manifests/1";

fn registry(manifest: &str, blob: &[u8]) -> Registry {
    let mut registry = Registry::default();
    registry.answers.insert(
        MANIFEST_URL.to_owned(),
        answer(200, manifest.as_bytes(), []),
    );
    registry
        .answers
        .insert(blob_url(TEXT), answer(200, blob, []));
    registry
}

fn pull(registry: &Registry) -> Result<PulledLayer, PullError> {
    let reference = "oci://registry.example/lib:1".parse().expect("a name");
    pull_layer(registry, &reference, 1024)
}

#[test]
fn pulls_the_only_layer() {
    let registry = registry(&manifest(&layer(TEXT, TEXT.len())), TEXT);
    let pulled = pull(&registry).expect("it is there");
    assert_eq!(pulled.digest, BlobDigest::of(TEXT));
    assert_eq!(pulled.bytes, TEXT);
}

#[test]
fn logs_in_as_the_challenge_says_and_only_once() {
    let mut registry = registry(&manifest(&layer(TEXT, TEXT.len())), TEXT);
    registry.token = Some("secret");
    let token = "https://auth.example/token?scope=repository:lib:pull&service=reg";
    let body = answer(200, b"{\"token\":\"secret\"}", []);
    registry.answers.insert(token.to_owned(), body);
    pull(&registry).expect("it is there");
    let asked = registry.asked.borrow();
    assert_eq!(*asked, [MANIFEST_URL, token, MANIFEST_URL, &blob_url(TEXT)]);
    drop(asked);

    registry.answers.insert(
        token.to_owned(),
        answer(200, b"{\"token\":\"a\\r\\nb\"}", []),
    );
    assert!(matches!(
        pull(&registry),
        Err(PullError::Unauthorized { .. })
    ));
    registry.answers.insert(
        token.to_owned(),
        answer(200, b"{\"access_token\":\"other\"}", []),
    );
    assert!(matches!(
        pull(&registry),
        Err(PullError::Unauthorized { .. })
    ));
}

#[test]
fn verifies_manifest_and_layer() {
    let good = manifest(&layer(TEXT, TEXT.len()));
    let other = [b'x'; TEXT.len()];
    let wrong = pull(&registry(&good, &other));
    assert!(matches!(wrong, Err(PullError::Digest { .. })), "{wrong:?}");
    let longer = [TEXT, b"more"].concat();
    let long = pull(&registry(&good, &longer));
    assert!(matches!(long, Err(PullError::TooLarge { .. })), "{long:?}");

    let mut tagged = registry(&good, TEXT);
    let header = |digest: BlobDigest| ("docker-content-digest".to_owned(), digest.to_string());
    let with = |digest| answer(200, good.as_bytes(), [header(digest)]);
    let right = BlobDigest::of(good.as_bytes());
    tagged.answers.insert(MANIFEST_URL.to_owned(), with(right));
    pull(&tagged).expect("the digest is right");
    tagged
        .answers
        .insert(MANIFEST_URL.to_owned(), with(BlobDigest::of(b"")));
    assert!(matches!(pull(&tagged), Err(PullError::Digest { .. })));

    let digest = BlobDigest::of(b"another manifest");
    let url = format!("https://registry.example/v2/lib/manifests/{digest}");
    tagged.answers.insert(url, answer(200, good.as_bytes(), []));
    let reference = format!("oci://registry.example/lib@{digest}");
    let reference = reference.parse().expect("a name");
    let refused = pull_layer(&tagged, &reference, 1024);
    assert!(
        matches!(refused, Err(PullError::Digest { .. })),
        "{refused:?}"
    );
}

#[test]
fn bounds_what_is_taken() {
    let large = pull(&registry(&manifest(&layer(TEXT, 1025)), TEXT));
    assert!(
        matches!(large, Err(PullError::TooLarge { limit: 1024, .. })),
        "{large:?}"
    );
}

#[test]
fn refuses_other_manifests() {
    let one = layer(TEXT, TEXT.len());
    let index = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}";
    let bad_digest = manifest("{\"digest\":\"md5:1\",\"size\":1}");
    for text in [
        "not json",
        "{}",
        "{\"schemaVersion\":1,\"layers\":[]}",
        &manifest(""),
        &manifest(&format!("{one},{one}")),
        index,
        &bad_digest,
    ] {
        let refused = pull(&registry(text, TEXT));
        assert!(
            matches!(refused, Err(PullError::Manifest { .. })),
            "{text}: {refused:?}"
        );
    }
}

#[test]
fn says_what_is_missing() {
    let mut registry = Registry::default();
    registry
        .answers
        .insert(MANIFEST_URL.to_owned(), answer(404, b"", []));
    let missing = pull(&registry).expect_err("nothing is there");
    assert_eq!(
        missing.to_string(),
        "the registry has no registry.example/lib:1"
    );
    registry
        .answers
        .insert(MANIFEST_URL.to_owned(), answer(401, b"", []));
    assert!(matches!(
        pull(&registry),
        Err(PullError::Unauthorized { .. })
    ));
    registry
        .answers
        .insert(MANIFEST_URL.to_owned(), answer(500, b"", []));
    assert!(matches!(
        pull(&registry),
        Err(PullError::Status { status: 500, .. })
    ));
    registry.answers.clear();
    assert!(matches!(pull(&registry), Err(PullError::Transport { .. })));
}
