//! Requests and their answers.

use std::io::Read as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use imgc_plan::{Arch, Platform};
use imgc_store::MemoryStore;

use super::*;
use crate::{Descriptor, Image, Index};

/// Images `one` and `two` of the repository `app`, and one that can't be built.
struct Fixed {
    images: BTreeMap<&'static str, Whole>,
    built: Arc<AtomicUsize>,
}

impl Images for Fixed {
    fn tags(&self, name: &str) -> Result<Vec<String>, Refusal> {
        match name {
            "app" => {
                let tags = self.images.keys().map(ToString::to_string);
                Ok(tags.chain(["no\r\ntag".to_owned()]).collect())
            }
            "broken" => Err(Refusal::Failed("IMG0512: no such package".to_owned())),
            _ => Err(Refusal::NoName),
        }
    }

    fn build(&self, name: &str, wanted: Wanted<'_>) -> Result<Vec<Whole>, Refusal> {
        self.built.fetch_add(1, Ordering::SeqCst);
        let tags = self.tags(name)?;
        match wanted {
            Wanted::All => Ok(self.images.values().cloned().collect()),
            Wanted::Tag(tag) => match self.images.get(tag) {
                Some(image) => Ok(vec![image.clone()]),
                None => Err(Refusal::NoTag(format!("the tags are {}", tags.join(", ")))),
            },
        }
    }
}

struct Fixture {
    store: MemoryStore,
    registry: Registry,
    one: Image,
    two: Image,
    built: Arc<AtomicUsize>,
}

fn put(store: &MemoryStore, bytes: &[u8]) -> Descriptor {
    Descriptor {
        digest: store.put(bytes).expect("memory"),
        size: bytes.len() as u64,
    }
}

fn image(store: &MemoryStore, name: &str) -> Image {
    Image {
        platform: Platform { arch: Arch::Amd64 },
        manifest: put(store, format!("manifest of {name}").as_bytes()),
        config: put(store, format!("config of {name}").as_bytes()),
        layers: vec![put(store, format!("layer of {name}").as_bytes())],
    }
}

impl Fixture {
    fn new() -> Self {
        let store = MemoryStore::new();
        let (one, two) = (image(&store, "one"), image(&store, "two"));
        let built = Arc::new(AtomicUsize::new(0));
        let images = Fixed {
            images: BTreeMap::from([
                ("one", Whole::Image(one.clone())),
                ("two", Whole::Image(two.clone())),
            ]),
            built: Arc::clone(&built),
        };
        Self {
            registry: Registry::new(Arc::new(store.clone()), Box::new(images)),
            store,
            one,
            two,
            built,
        }
    }

    fn ask(&self, method: &str, target: &str, range: Option<&str>) -> Answer {
        self.registry.answer(&Request {
            method,
            target,
            range,
        })
    }

    fn get(&self, target: &str) -> Answer {
        self.ask("GET", target, None)
    }
}

fn bytes(answer: Answer) -> Vec<u8> {
    match answer.body {
        Body::Bytes(bytes) => bytes,
        Body::Blob(mut blob) => {
            let mut bytes = Vec::new();
            blob.read_to_end(&mut bytes).expect("a whole blob");
            bytes
        }
    }
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    let mut headers = answer.headers.iter();
    headers.find_map(|(key, value)| (*key == name).then_some(value.as_str()))
}

/// The status and the code of an error.
fn error(answer: Answer) -> (u16, String) {
    let status = answer.status;
    let document: serde_json::Value = serde_json::from_slice(&bytes(answer)).expect("JSON");
    let code = document["errors"][0]["code"].as_str().expect("a code");
    assert!(
        !document["errors"][0]["message"]
            .as_str()
            .expect("a message")
            .is_empty()
    );
    (status, code.to_owned())
}

#[track_caller]
fn is_error(answer: Answer, status: u16, code: &str) {
    assert_eq!(error(answer), (status, code.to_owned()));
}

#[test]
fn an_image_is_pulled_by_its_tag() {
    let fixture = Fixture::new();
    let base = fixture.get("/v2/");
    assert_eq!((base.status, bytes(base)), (200, b"{}".to_vec()));
    for method in ["HEAD", "GET"] {
        let manifest = fixture.ask(method, "/v2/app/manifests/one", None);
        assert_eq!(manifest.status, 200);
        assert_eq!(
            header(&manifest, "Content-Type"),
            Some(Target::Image(&fixture.one).media_type())
        );
        let digest = fixture.one.manifest.digest.to_string();
        assert_eq!(
            header(&manifest, "Docker-Content-Digest"),
            Some(digest.as_str())
        );
        assert_eq!(manifest.body.len(), fixture.one.manifest.size);
        assert_eq!(bytes(manifest), b"manifest of one");
    }
    for (blob, text) in [
        (fixture.one.config, "config of one"),
        (fixture.one.layers[0], "layer of one"),
    ] {
        let answer = fixture.get(&format!("/v2/app/blobs/{}", blob.digest));
        assert_eq!(answer.status, 200);
        assert_eq!(header(&answer, "Accept-Ranges"), Some("bytes"));
        assert_eq!(answer.body.len(), blob.size);
        assert_eq!(bytes(answer), text.as_bytes());
    }
}

#[test]
fn a_digest_is_looked_for_in_what_the_name_builds() {
    let fixture = Fixture::new();
    let of = |digest: BlobDigest| format!("/v2/app/manifests/{digest}");
    let two = of(fixture.two.manifest.digest);
    for _ in 0..3 {
        assert_eq!(bytes(fixture.get(&two)), b"manifest of two");
    }
    assert_eq!(fixture.built.load(Ordering::SeqCst), 1, "it is known then");
    is_error(
        fixture.get(&of(BlobDigest::of(b"other"))),
        404,
        "MANIFEST_UNKNOWN",
    );
    // A configuration is no manifest, though it is in the store.
    is_error(
        fixture.get(&of(fixture.two.config.digest)),
        404,
        "MANIFEST_UNKNOWN",
    );
    // It was removed to make room: it is made again.
    fixture
        .store
        .discard(&fixture.two.manifest.digest)
        .expect("memory");
    assert_eq!(fixture.get(&two).status, 500, "nobody makes it here");
    put(&fixture.store, b"manifest of two");
    assert_eq!(fixture.get(&two).status, 200);
}

#[test]
fn only_blobs_of_what_was_pulled_by_this_name_are_served() {
    let fixture = Fixture::new();
    let secret = put(&fixture.store, b"somebody's own").digest;
    let layer = fixture.one.layers[0].digest;
    let blob = |name: &str, digest: BlobDigest| fixture.get(&format!("/v2/{name}/blobs/{digest}"));
    is_error(blob("app", layer), 404, "BLOB_UNKNOWN");
    assert_eq!(fixture.get("/v2/app/manifests/one").status, 200);
    assert_eq!(blob("app", layer).status, 200);
    is_error(blob("other", layer), 404, "BLOB_UNKNOWN");
    is_error(blob("app", secret), 404, "BLOB_UNKNOWN");
    is_error(
        blob("app", fixture.two.layers[0].digest),
        404,
        "BLOB_UNKNOWN",
    );
    is_error(
        blob("app", fixture.one.manifest.digest),
        404,
        "BLOB_UNKNOWN",
    );
}

#[test]
fn ranges() {
    let fixture = Fixture::new();
    fixture.get("/v2/app/manifests/one");
    let target = format!("/v2/app/blobs/{}", fixture.one.layers[0].digest);
    let part = fixture.ask("GET", &target, Some("bytes=6-7"));
    assert_eq!(part.status, 206);
    assert_eq!(header(&part, "Content-Range"), Some("bytes 6-7/12"));
    assert_eq!(part.body.len(), 2);
    assert_eq!(bytes(part), b"of");
    let end = fixture.ask("GET", &target, Some("bytes=9-"));
    assert_eq!((end.status, bytes(end)), (206, b"one".to_vec()));
    let beyond = fixture.ask("GET", &target, Some("bytes=12-"));
    assert_eq!(header(&beyond, "Content-Range"), Some("bytes */12"));
    is_error(beyond, 416, "SIZE_INVALID");
    let odd = fixture.ask("GET", &target, Some("bytes=0-1,4-5"));
    assert_eq!((odd.status, odd.body.len()), (200, 12));
}

#[test]
fn a_damaged_blob_is_never_sent_to_its_end() {
    let fixture = Fixture::new();
    fixture.get("/v2/app/manifests/one");
    let digest = fixture.one.layers[0].digest;
    let target = format!("/v2/app/blobs/{digest}");
    fixture.store.corrupt(&digest, b"LAYER OF ONE");
    let answer = fixture.get(&target);
    assert_eq!(answer.status, 200);
    let Body::Blob(mut body) = answer.body else {
        panic!("a blob");
    };
    let mut read = Vec::new();
    assert!(body.read_to_end(&mut read).is_err());
    assert!(read.len() < 12, "{read:?}");
    is_error(fixture.get(&target), 404, "BLOB_UNKNOWN");
    fixture.store.corrupt(&digest, b"short");
    is_error(fixture.get(&target), 404, "BLOB_UNKNOWN");
}

#[test]
fn tags_come_in_order_and_in_pages() {
    let fixture = Fixture::new();
    let tags = |query: &str| {
        let answer = fixture.get(&format!("/v2/app/tags/list{query}"));
        assert_eq!(answer.status, 200);
        let link = header(&answer, "Link").map(str::to_owned);
        let document: serde_json::Value = serde_json::from_slice(&bytes(answer)).expect("JSON");
        assert_eq!(document["name"], "app");
        (document["tags"].to_string(), link)
    };
    assert_eq!(tags(""), (r#"["one","two"]"#.to_owned(), None));
    let next = "</v2/app/tags/list?n=1&last=one>; rel=\"next\"".to_owned();
    assert_eq!(tags("?n=1"), (r#"["one"]"#.to_owned(), Some(next)));
    assert_eq!(tags("?n=1&last=one"), (r#"["two"]"#.to_owned(), None));
    assert_eq!(tags("?n=0"), ("[]".to_owned(), None));
    assert_eq!(fixture.built.load(Ordering::SeqCst), 0, "nothing is built");
    is_error(fixture.get("/v2/none/tags/list"), 404, "NAME_UNKNOWN");
}

#[test]
fn what_is_not_there_has_the_codes_of_the_specification() {
    let fixture = Fixture::new();
    is_error(fixture.get("/v2/none/manifests/one"), 404, "NAME_UNKNOWN");
    is_error(fixture.get("/v2/app/manifests/x"), 404, "MANIFEST_UNKNOWN");
    is_error(fixture.get("/v2/app/manifests/.."), 404, "MANIFEST_UNKNOWN");
    is_error(fixture.get("/v2/../manifests/x"), 400, "NAME_INVALID");
    is_error(fixture.get("/v2/app/blobs/x"), 400, "DIGEST_INVALID");
    is_error(fixture.get("/elsewhere"), 404, "NAME_UNKNOWN");
    let broken = fixture.get("/v2/broken/manifests/latest");
    let text = String::from_utf8(bytes(broken)).expect("JSON");
    assert!(text.contains("IMG0512: no such package"), "{text}");
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get"] {
        let answer = fixture.ask(method, "/v2/app/blobs/uploads/", None);
        assert_eq!(header(&answer, "Allow"), Some("GET, HEAD"));
        is_error(answer, 405, "UNSUPPORTED");
    }
}

#[test]
fn nothing_refers_to_an_image() {
    let fixture = Fixture::new();
    let digest = fixture.one.manifest.digest;
    let target = format!("/v2/app/referrers/{digest}");
    is_error(fixture.get(&target), 404, "NAME_UNKNOWN");
    fixture.get("/v2/app/manifests/one");
    let answer = fixture.get(&target);
    assert_eq!(header(&answer, "Content-Type"), Some(INDEX));
    let document: serde_json::Value = serde_json::from_slice(&bytes(answer)).expect("JSON");
    assert_eq!(document["manifests"], serde_json::json!([]));
}

#[test]
fn an_index_leads_to_its_images() {
    let store = MemoryStore::new();
    let images = vec![image(&store, "one"), image(&store, "two")];
    let index = Index {
        index: put(&store, b"an index"),
        images: images.clone(),
    };
    let fixed = Fixed {
        images: BTreeMap::from([("both", Whole::Index(index.clone()))]),
        built: Arc::default(),
    };
    let registry = Registry::new(Arc::new(store), Box::new(fixed));
    let get = |target: &str| {
        registry.answer(&Request {
            method: "GET",
            target,
            range: None,
        })
    };
    let answer = get("/v2/app/manifests/both");
    assert_eq!(header(&answer, "Content-Type"), Some(INDEX));
    assert_eq!(bytes(answer), b"an index");
    let answer = get(&format!("/v2/app/manifests/{}", index.index.digest));
    assert_eq!(header(&answer, "Content-Type"), Some(INDEX));
    for image in &images {
        let answer = get(&format!("/v2/app/manifests/{}", image.manifest.digest));
        let media_type = Target::Image(image).media_type();
        assert_eq!(header(&answer, "Content-Type"), Some(media_type));
        let layer = get(&format!("/v2/app/blobs/{}", image.layers[0].digest));
        assert_eq!(layer.status, 200);
    }
}
