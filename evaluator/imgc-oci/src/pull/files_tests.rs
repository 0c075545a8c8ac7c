//! Tests of reading from a registry, against one in memory that can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;

use imgc_store::MemoryStore;

use super::*;
use crate::{Credentials, OpenAnswer, PushRequest, RegistryAnswer};

const HOST: &str = "registry.example";

#[derive(Debug, Default)]
struct Memory {
    /// By path.
    there: BTreeMap<String, Vec<u8>>,
    /// Where paths lead in the place of an answer.
    redirects: BTreeMap<String, String>,
    /// Each body breaks off after so many bytes.
    breaks: Option<usize>,
    /// The first so many answers are 429.
    busy: u32,
    /// Whether all of a blob is sent where a part was asked for.
    ignores_ranges: bool,
    /// Whether a password is demanded.
    password: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    asked: Vec<String>,
    waits: Vec<(u32, u64)>,
    /// The hosts that were shown a login.
    shown: BTreeSet<String>,
}

/// Gives some bytes, then fails.
struct Breaking(Cursor<Vec<u8>>);

impl io::Read for Breaking {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buf)? {
            0 => Err(io::Error::other("the connection broke")),
            count => Ok(count),
        }
    }
}

impl Memory {
    fn with(mut self, path: &str, bytes: &[u8]) -> Self {
        self.there.insert(path.to_owned(), bytes.to_vec());
        self
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test panics within")
    }
}

impl PushTransport for Memory {
    fn send(&self, request: PushRequest<'_>) -> Result<RegistryAnswer, String> {
        Err(format!("nothing is sent: {}", request.url))
    }

    fn open(&self, url: &str, headers: &[(&str, String)]) -> Result<OpenAnswer, String> {
        let (_, rest) = url.split_once("://").expect("an address");
        let (host, path) = rest.split_once('/').expect("a path");
        let header = |name: &str| headers.iter().find(|(found, _)| *found == name);
        let mut state = self.state();
        state.asked.push(path.to_owned());
        if header("authorization").is_some() {
            state.shown.insert(host.to_owned());
        }
        let answer = |status: u16, headers: &[(&str, &str)], bytes: &[u8]| OpenAnswer {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: Box::new(Cursor::new(bytes.to_vec())),
        };
        if state.asked.len() <= self.busy as usize {
            return Ok(answer(429, &[("retry-after", "9")], b""));
        }
        if self.password && host == HOST && header("authorization").is_none() {
            let challenge = [("www-authenticate", "Basic realm=\"x\"")];
            return Ok(answer(401, &challenge, b""));
        }
        if let Some(to) = self.redirects.get(path) {
            return Ok(answer(307, &[("location", to)], b""));
        }
        let Some(bytes) = self.there.get(path) else {
            return Ok(answer(404, &[], b""));
        };
        let range = header("range").filter(|_| !self.ignores_ranges);
        let from = range.map_or(0, |(_, range)| {
            let from = range.strip_prefix("bytes=").expect("bytes");
            from.trim_end_matches('-').parse().expect("a number")
        });
        let status = if from > 0 { 206 } else { 200 };
        let rest = &bytes[from..];
        let mut found = answer(status, &[], rest);
        if let Some(most) = self.breaks.filter(|most| rest.len() > *most) {
            found.body = Box::new(Breaking(Cursor::new(rest[..most].to_vec())));
        }
        Ok(found)
    }

    fn wait(&self, failed: u32, seconds: u64) {
        self.state().waits.push((failed, seconds));
    }
}

fn from(reference: &str) -> Destination {
    Destination {
        reference: format!("oci://{reference}").parse().expect("a reference"),
        plain: false,
        credentials: Some(Credentials {
            user: "me".to_owned(),
            password: "secret".to_owned(),
        }),
        others: Vec::new(),
    }
}

fn of_tag() -> Destination {
    from(&format!("{HOST}/app:1"))
}

fn blob_path(bytes: &[u8]) -> String {
    format!("v2/app/blobs/{}", BlobDigest::of(bytes))
}

const MANIFEST: &[u8] = br#"{"schemaVersion":2}"#;

fn registry() -> Memory {
    Memory::default().with("v2/app/manifests/1", MANIFEST)
}

fn whole(image: &RegistryImage<'_>, name: &str) -> io::Result<Option<Vec<u8>>> {
    let Some(found) = image.open(name)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    let mut reader = found.reader;
    reader.read_to_end(&mut bytes)?;
    assert_eq!(bytes.len() as u64, found.size);
    Ok(Some(bytes))
}

#[test]
fn a_registry_is_a_layout_that_is_fetched_as_it_is_read() {
    let blob = b"a layer".repeat(1000);
    let registry = registry().with(&blob_path(&blob), &blob);
    let store = MemoryStore::new();
    let destination = of_tag();
    let image = RegistryImage::open(&registry, &store, &destination).expect("an image");
    assert_eq!(image.digest(), BlobDigest::of(MANIFEST));
    assert_eq!(image.fetched(), MANIFEST.len() as u64);
    let index = whole(&image, "index.json").expect("read").expect("there");
    let index: serde_json::Value = serde_json::from_slice(&index).expect("JSON");
    let named = &index["manifests"][0];
    assert_eq!(named["digest"], BlobDigest::of(MANIFEST).to_string());
    assert_eq!(
        named["mediaType"],
        "application/vnd.oci.image.manifest.v1+json"
    );
    assert_eq!(
        named["annotations"]["org.opencontainers.image.ref.name"],
        "1"
    );
    let name = format!("blobs/sha256/{}", BlobDigest::of(&blob).hex());
    for _ in 0..2 {
        assert_eq!(whole(&image, &name).expect("read").expect("there"), blob);
    }
    let asked = registry.state().asked.clone();
    assert_eq!(
        asked,
        ["v2/app/manifests/1".to_owned(), blob_path(&blob)],
        "once each"
    );
    let none = format!("blobs/sha256/{}", BlobDigest::of(b"nothing").hex());
    assert_eq!(whole(&image, &none).expect("an answer"), None);
}

#[test]
fn what_is_pinned_and_there_needs_no_registry() {
    let store = MemoryStore::new();
    let pinned = from(&format!("{HOST}/app@{}", BlobDigest::of(MANIFEST)));
    let nothing = Memory::default();
    let error = RegistryImage::open(&nothing, &store, &pinned).expect_err("not there");
    assert!(matches!(error, PushError::NotFound(_)), "{error}");
    store.put(MANIFEST).expect("stored");
    let asked = nothing.state().asked.len();
    RegistryImage::open(&nothing, &store, &pinned).expect("an image");
    assert_eq!(nothing.state().asked.len(), asked);
}

#[test]
fn other_bytes_are_refused() {
    let store = MemoryStore::new();
    let digest = BlobDigest::of(b"what is wanted");
    let path = format!("v2/app/manifests/{digest}");
    let lies = registry()
        .with(&path, MANIFEST)
        .with(&format!("v2/app/blobs/{digest}"), b"something else");
    let pinned = from(&format!("{HOST}/app@{digest}"));
    let error = RegistryImage::open(&lies, &store, &pinned).expect_err("another manifest");
    assert!(error.to_string().contains(&digest.to_string()), "{error}");
    let destination = of_tag();
    let image = RegistryImage::open(&lies, &store, &destination).expect("an image");
    let error = image.bring(&digest).expect_err("another blob");
    assert!(error.to_string().contains("other bytes"), "{error}");
    assert_eq!(store.contains(&digest).expect("asked"), None);
}

#[test]
fn an_index_leads_to_manifests() {
    let child = br#"{"schemaVersion":2,"layers":[]}"#;
    let digest = BlobDigest::of(child);
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"x","digest":"{digest}","size":31}}]}}"#
    );
    let registry = Memory::default()
        .with("v2/app/manifests/1", index.as_bytes())
        .with(&format!("v2/app/manifests/{digest}"), child);
    let store = MemoryStore::new();
    let destination = of_tag();
    let image = RegistryImage::open(&registry, &store, &destination).expect("an image");
    let layout = whole(&image, "index.json").expect("read").expect("there");
    let layout = String::from_utf8(layout).expect("text");
    assert!(
        layout.contains("application/vnd.oci.image.index.v1+json"),
        "{layout}"
    );
    let name = format!("blobs/sha256/{}", digest.hex());
    assert_eq!(whole(&image, &name).expect("read").expect("there"), child);
}

#[test]
fn what_breaks_off_goes_on() {
    let blob: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
    let mut registry = registry().with(&blob_path(&blob), &blob);
    registry.breaks = Some(150_000);
    let store = MemoryStore::new();
    let destination = of_tag();
    let image = RegistryImage::open(&registry, &store, &destination).expect("an image");
    image.bring(&BlobDigest::of(&blob)).expect("fetched");
    assert_eq!(
        image.fetched(),
        (blob.len() + MANIFEST.len()) as u64,
        "nothing twice"
    );
    assert_eq!(registry.state().waits.len(), 2);
}

#[test]
fn one_that_never_comes_is_given_up() {
    let blob = b"a layer".repeat(1000);
    let mut registry = registry().with(&blob_path(&blob), &blob);
    registry.breaks = Some(0);
    let store = MemoryStore::new();
    let destination = of_tag();
    let error = RegistryImage::open(&registry, &store, &destination);
    assert!(error.is_err(), "not even the manifest");
    registry.breaks = Some(MANIFEST.len());
    let image = RegistryImage::open(&registry, &store, &destination).expect("an image");
    let error = image
        .bring(&BlobDigest::of(&blob))
        .expect_err("a few bytes each time");
    assert!(error.to_string().contains("broke"), "{error}");
    assert_eq!(registry.state().waits.len(), 4 + 4);
}

#[test]
fn one_that_begins_anew_each_time_is_given_up() {
    let blob = vec![7; 400_000];
    let mut registry = registry().with(&blob_path(&blob), &blob);
    registry.breaks = Some(200_000);
    registry.ignores_ranges = true;
    let store = MemoryStore::new();
    let destination = of_tag();
    let image = RegistryImage::open(&registry, &store, &destination).expect("an image");
    let error = image
        .bring(&BlobDigest::of(&blob))
        .expect_err("never more than half");
    assert!(error.to_string().contains("broke"), "{error}");
}

#[test]
fn a_blob_is_as_long_as_its_manifest_says() {
    let blob = vec![7; 1000];
    let digest = BlobDigest::of(&blob);
    for size in [999, 1001] {
        let manifest = format!(
            r#"{{"schemaVersion":2,"layers":[{{"mediaType":"x","digest":"{digest}","size":{size}}}]}}"#
        );
        let registry = Memory::default()
            .with("v2/app/manifests/1", manifest.as_bytes())
            .with(&blob_path(&blob), &blob);
        let store = MemoryStore::new();
        let destination = of_tag();
        let image = RegistryImage::open(&registry, &store, &destination).expect("an image");
        let error = image.bring(&digest).expect_err("another length");
        assert!(error.to_string().contains("another length"), "{error}");
        assert_eq!(store.contains(&digest).expect("asked"), None);
    }
}

#[test]
fn no_redirect_leaves_encryption() {
    let mut registry = registry();
    registry.redirects.insert(
        "v2/app/manifests/1".to_owned(),
        "http://127.0.0.1/x".to_owned(),
    );
    let store = MemoryStore::new();
    let destination = of_tag();
    let error = RegistryImage::open(&registry, &store, &destination).expect_err("not followed");
    assert!(error.to_string().contains("without encryption"), "{error}");
    assert_eq!(registry.state().asked.len(), 1);
}

#[test]
fn a_busy_registry_is_waited_for() {
    let mut registry = registry();
    registry.busy = 2;
    let store = MemoryStore::new();
    let destination = of_tag();
    RegistryImage::open(&registry, &store, &destination).expect("an image");
    assert_eq!(registry.state().waits, [(1, 9), (2, 9)]);
}

#[test]
fn another_host_is_not_shown_who_asks() {
    let blob = b"a layer".repeat(10);
    let mut registry = registry().with("elsewhere/blob", &blob);
    registry.password = true;
    registry.redirects.insert(
        blob_path(&blob),
        "https://storage.example/elsewhere/blob".to_owned(),
    );
    let store = MemoryStore::new();
    let destination = of_tag();
    let image = RegistryImage::open(&registry, &store, &destination).expect("an image");
    image.bring(&BlobDigest::of(&blob)).expect("fetched");
    let shown = registry.state().shown.clone();
    assert_eq!(shown, BTreeSet::from([HOST.to_owned()]));
    registry.redirects.insert(
        "v2/app/manifests/1".to_owned(),
        format!("https://{HOST}/v2/app/manifests/1"),
    );
    let error = RegistryImage::open(&registry, &store, &destination).expect_err("a circle");
    assert!(error.to_string().contains("redirects"), "{error}");
}

#[test]
fn a_login_that_is_not_known_is_said() {
    let mut registry = registry();
    registry.password = true;
    let store = MemoryStore::new();
    let mut destination = of_tag();
    destination.credentials = None;
    let error = RegistryImage::open(&registry, &store, &destination).expect_err("no login");
    let words = error.to_string();
    assert!(
        words.contains("does not let anybody without a login read app"),
        "{words}"
    );
}
