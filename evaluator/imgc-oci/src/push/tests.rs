//! Tests of the push, against a registry in memory that can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use imgc_plan::Platform;
use imgc_store::MemoryStore;

use crate::{Image, Index};

use super::*;

const HOST: &str = "registry.example";

/// What a registry does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    None,
    /// The first so many answers are 429, with a wait.
    Busy(u32),
    /// Every so many requests with a body, the connection breaks in the middle.
    Breaks(u32),
    /// It answers with another digest.
    Lies,
    /// It says that it has blobs of which it has others.
    LiesOfBlobs,
    /// Uploads go to another host.
    Elsewhere,
    /// There is no room.
    Full,
}

struct Memory {
    fault: Fault,
    /// The login that is demanded: the header, and its challenge.
    login: Option<(String, &'static str)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By repository.
    blobs: BTreeMap<String, BTreeSet<BlobDigest>>,
    /// By repository and tag.
    manifests: BTreeMap<String, Vec<u8>>,
    /// What has arrived of the uploads, by number.
    uploads: Vec<Vec<u8>>,
    asked: Vec<String>,
    /// The hosts that were shown a login.
    shown: BTreeSet<String>,
    bodies: u32,
    busy: u32,
    waited: u64,
    bytes: u64,
}

fn answer(status: u16, headers: &[(&str, String)]) -> RegistryAnswer {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()));
    RegistryAnswer {
        status,
        headers: headers.collect(),
        body: Vec::new(),
    }
}

impl Memory {
    fn new(fault: Fault) -> Self {
        Self {
            fault,
            login: None,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().expect("no test panics within")
    }

    fn asked(&self, method: &str) -> usize {
        let state = self.state();
        state
            .asked
            .iter()
            .filter(|line| line.starts_with(method))
            .count()
    }
}

impl PushTransport for Memory {
    fn send(&self, request: PushRequest<'_>) -> Result<RegistryAnswer, String> {
        let mut state = self.state();
        let (_, rest) = request.url.split_once("://").expect("an address");
        let (host, path) = rest.split_once('/').expect("a path");
        state.asked.push(format!("{} {path}", request.method));
        let login = request
            .headers
            .iter()
            .find(|(name, _)| *name == "authorization");
        if login.is_some() {
            state.shown.insert(host.to_owned());
        }
        if let Fault::Busy(times) = self.fault
            && state.busy < times
        {
            state.busy += 1;
            return Ok(answer(429, &[("retry-after", "7".to_owned())]));
        }
        if path.starts_with("token?") {
            let mut found = answer(200, &[]);
            found.body = b"{\"token\":\"abc\"}".to_vec();
            return Ok(found);
        }
        if let Some((wanted, challenge)) = &self.login
            && host == HOST
            && login.is_none_or(|(_, sent)| sent != wanted)
        {
            return Ok(answer(
                401,
                &[("www-authenticate", (*challenge).to_owned())],
            ));
        }
        let mut bytes = Vec::new();
        if let Some((length, body)) = request.body {
            state.bodies += 1;
            let breaks = match self.fault {
                Fault::Breaks(every) => state.bodies.is_multiple_of(every),
                _ => false,
            };
            let limit = if breaks { length / 2 } else { length };
            body.take(limit).read_to_end(&mut bytes).expect("a body");
            state.bytes += bytes.len() as u64;
            if breaks {
                if let Some(number) = upload_of(path) {
                    state.uploads[number].extend(&bytes);
                }
                return Err("the connection broke".to_owned());
            }
            assert_eq!(bytes.len() as u64, length);
        }
        Ok(route(
            self,
            &mut state,
            request.method,
            path,
            request.headers,
            &bytes,
        ))
    }

    fn open(&self, url: &str, _: &[(&str, String)]) -> Result<OpenAnswer, String> {
        Err(format!("nothing is fetched: {url}"))
    }

    fn wait(&self, _: u32, seconds: u64) {
        self.state().waited += seconds;
    }
}

fn upload_of(path: &str) -> Option<usize> {
    let (_, rest) = path.split_once("/uploads/")?;
    rest.split('?').next()?.parse().ok()
}

fn route(
    memory: &Memory,
    state: &mut State,
    method: &str,
    path: &str,
    headers: &[(&str, String)],
    bytes: &[u8],
) -> RegistryAnswer {
    let path = path.strip_prefix("v2/").expect("the version");
    let digest_of = |bytes: &[u8]| match memory.fault {
        Fault::Lies => BlobDigest::of(b"other").to_string(),
        _ => BlobDigest::of(bytes).to_string(),
    };
    if let Some((name, tag)) = path.split_once("/manifests/") {
        let key = format!("{name}:{tag}");
        return match (method, state.manifests.get(&key)) {
            ("HEAD", Some(there)) => answer(200, &[("docker-content-digest", digest_of(there))]),
            ("HEAD", None) => answer(404, &[]),
            _ => {
                state.manifests.insert(key, bytes.to_vec());
                answer(201, &[("docker-content-digest", digest_of(bytes))])
            }
        };
    }
    let (name, rest) = path.split_once("/blobs/").expect("a blob");
    let host = match memory.fault {
        Fault::Elsewhere => "https://storage.example",
        _ => "",
    };
    let location = |number: usize| {
        (
            "location",
            format!("{host}/v2/{name}/blobs/uploads/{number}"),
        )
    };
    match (method, upload_of(path)) {
        ("HEAD", _) => {
            let digest: BlobDigest = rest.parse().expect("a digest");
            if memory.fault == Fault::LiesOfBlobs {
                let other = BlobDigest::of(b"other").to_string();
                return answer(200, &[("docker-content-digest", other)]);
            }
            let there = state
                .blobs
                .get(name)
                .is_some_and(|blobs| blobs.contains(&digest));
            answer(if there { 200 } else { 404 }, &[])
        }
        ("POST", _) => {
            if memory.fault == Fault::Full {
                let mut found = answer(507, &[]);
                found.body =
                    b"{\"errors\":[{\"code\":\"DENIED\",\"message\":\"no room\\u0007\"}]}".to_vec();
                return found;
            }
            if let Some((_, query)) = rest.split_once("?mount=") {
                let (digest, from) = query.split_once("&from=").expect("a repository");
                let digest: BlobDigest = digest.parse().expect("a digest");
                if state
                    .blobs
                    .get(from)
                    .is_some_and(|blobs| blobs.contains(&digest))
                {
                    state
                        .blobs
                        .entry(name.to_owned())
                        .or_default()
                        .insert(digest);
                    return answer(201, &[]);
                }
            }
            state.uploads.push(Vec::new());
            answer(202, &[location(state.uploads.len() - 1)])
        }
        ("GET", Some(number)) => {
            let last = state.uploads[number].len().saturating_sub(1);
            answer(204, &[location(number), ("range", format!("0-{last}"))])
        }
        ("PATCH", Some(number)) => {
            let range = headers.iter().find(|(name, _)| *name == "content-range");
            let start = range
                .expect("a range")
                .1
                .split('-')
                .next()
                .expect("a start")
                .parse();
            if start != Ok(state.uploads[number].len()) {
                return answer(416, &[]);
            }
            state.uploads[number].extend(bytes);
            answer(202, &[location(number)])
        }
        ("PUT", Some(number)) => {
            state.uploads[number].extend(bytes);
            let found = BlobDigest::of(&state.uploads[number]);
            if !path.ends_with(&format!("digest={found}")) {
                return answer(400, &[]);
            }
            state
                .blobs
                .entry(name.to_owned())
                .or_default()
                .insert(found);
            answer(201, &[("docker-content-digest", found.to_string())])
        }
        _ => panic!("{method} {path}"),
    }
}

fn push_image(
    transport: &dyn PushTransport,
    store: &MemoryStore,
    image: &Image,
    to: &Destination,
) -> Result<Pushed, PushError> {
    push(transport, store, Target::Image(image), to)
}

/// An image of a small and a large layer. It need not be one that runs.
fn image(store: &MemoryStore) -> Image {
    let put = |bytes: &[u8]| Descriptor {
        digest: store.put(bytes).expect("memory"),
        size: bytes.len() as u64,
    };
    let large: Vec<u8> = (0..17_000_000_u32)
        .map(|n| (n >> 8) as u8 ^ n as u8)
        .collect();
    Image {
        platform: Platform::DEFAULT,
        manifest: put(b"{\"schemaVersion\":2}"),
        config: put(b"{}"),
        layers: vec![put(b"small"), put(&large), put(b"small")],
    }
}

fn to(name: &str) -> Destination {
    Destination {
        reference: format!("oci://{HOST}/{name}").parse().expect("a name"),
        plain: false,
        credentials: None,
        others: Vec::new(),
    }
}

fn all_there(memory: &Memory, image: &Image, name: &str) {
    let state = memory.state();
    let blobs = &state.blobs[name];
    for blob in image.blobs().skip(1) {
        assert!(blobs.contains(&blob.digest));
    }
    let manifest = &state.manifests[&format!("{name}:1")];
    assert_eq!(BlobDigest::of(manifest), image.manifest.digest);
}

#[test]
fn what_is_there_is_not_sent_again() {
    let store = MemoryStore::default();
    let image = image(&store);
    let memory = Memory::new(Fault::None);
    let first = push_image(&memory, &store, &image, &to("team/app:1")).expect("pushed");
    assert_eq!((first.sent, first.there, first.mounted), (3, 0, 0));
    assert_eq!(first.bytes, 2 + 5 + 17_000_000);
    all_there(&memory, &image, "team/app");
    let asked = memory.state().asked.len();
    let again = push_image(&memory, &store, &image, &to("team/app:1")).expect("pushed");
    assert!(again.unchanged);
    assert_eq!(memory.state().asked.len(), asked + 1);
    // Another tag: the manifest alone.
    let tagged = push_image(&memory, &store, &image, &to("team/app:2")).expect("pushed");
    assert_eq!((tagged.sent, tagged.there), (0, 3));
    // Another repository takes them from the first.
    let mut other = to("other:1");
    other.others = vec!["team/app".to_owned()];
    let mounted = push_image(&memory, &store, &image, &other).expect("pushed");
    assert_eq!((mounted.sent, mounted.mounted), (0, 3));
    all_there(&memory, &image, "other");
    // Where it is not there, it is sent in the upload that has begun.
    other = to("third:1");
    other.others = vec!["nobody".to_owned()];
    let before = memory.asked("POST");
    let sent = push_image(&memory, &store, &image, &other).expect("pushed");
    assert_eq!((sent.sent, memory.asked("POST") - before), (3, 3));
}

#[test]
fn a_push_survives_what_passes() {
    let store = MemoryStore::default();
    let image = image(&store);
    for fault in [Fault::Busy(4), Fault::Breaks(2), Fault::Breaks(3)] {
        let memory = Memory::new(fault);
        let pushed = push_image(&memory, &store, &image, &to("app:1"));
        assert_eq!(pushed.expect("pushed").sent, 3, "{fault:?}");
        all_there(&memory, &image, "app");
        let state = memory.state();
        if fault == Fault::Busy(4) {
            assert_eq!(state.waited, 4 * 7);
        }
        // A large blob goes on where it broke off.
        assert!(state.bytes < 17_100_000, "{fault:?}: {}", state.bytes);
    }
    let memory = Memory::new(Fault::Breaks(1));
    let failed = push_image(&memory, &store, &image, &to("app:1"));
    assert!(
        matches!(failed, Err(PushError::Transport { .. })),
        "{failed:?}"
    );
    assert!(memory.state().manifests.is_empty());
}

#[test]
fn lies_are_found() {
    let store = MemoryStore::default();
    let image = image(&store);
    for fault in [Fault::Lies, Fault::LiesOfBlobs] {
        let memory = Memory::new(fault);
        let failed = push_image(&memory, &store, &image, &to("app:1"));
        assert!(
            matches!(failed, Err(PushError::Digest { .. })),
            "{failed:?}"
        );
    }
}

#[test]
fn what_a_registry_says_is_told() {
    let store = MemoryStore::default();
    let image = image(&store);
    let memory = Memory::new(Fault::Full);
    let failed = push_image(&memory, &store, &image, &to("app:1")).expect_err("no room");
    let text = failed.to_string();
    assert!(
        text.ends_with("the registry answered 507: DENIED: no room"),
        "{text}"
    );
}

#[test]
fn another_host_is_shown_no_login() {
    let store = MemoryStore::default();
    let image = image(&store);
    let mut memory = Memory::new(Fault::Elsewhere);
    let credentials = Credentials {
        user: "a".to_owned(),
        password: "b".to_owned(),
    };
    memory.login = Some((credentials.basic(), "Basic realm=\"x\""));
    let mut to = to("app:1");
    to.credentials = Some(credentials);
    push_image(&memory, &store, &image, &to).expect("pushed");
    let asked = memory.state().asked.len();
    assert!(asked > 6);
    let shown: Vec<String> = memory.state().shown.iter().cloned().collect();
    assert_eq!(shown, [HOST]);
}

#[test]
fn logins_are_answered_or_refused() {
    let store = MemoryStore::default();
    let image = image(&store);
    let mut memory = Memory::new(Fault::None);
    let challenge = "Bearer realm=\"https://registry.example/token\",service=\"s\"";
    memory.login = Some(("Bearer abc".to_owned(), challenge));
    push_image(&memory, &store, &image, &to("app:1")).expect("pushed");
    let asked = memory.state().asked.clone();
    let token = asked
        .iter()
        .find(|line| line.contains("token?"))
        .expect("a token");
    assert!(
        token.contains("scope=repository:app:pull%2Cpush"),
        "{token}"
    );
    for challenge in ["Basic realm=\"x\"", "Negotiate"] {
        let mut memory = Memory::new(Fault::None);
        memory.login = Some(("Basic other".to_owned(), challenge));
        let failed = push_image(&memory, &store, &image, &to("app:1")).expect_err("no login");
        match challenge {
            "Negotiate" => assert!(matches!(failed, PushError::Challenge(_))),
            _ => assert!(failed.to_string().contains("without a login"), "{failed}"),
        }
    }
    let mut memory = Memory::new(Fault::None);
    memory.login = Some(("Basic other".to_owned(), "Basic realm=\"x\""));
    let mut to = to("app:1");
    to.credentials = Some(Credentials {
        user: "a".to_owned(),
        password: "wrong".to_owned(),
    });
    let failed = push_image(&memory, &store, &image, &to).expect_err("another login");
    assert!(
        failed.to_string().contains("let `a` push to app"),
        "{failed}"
    );
    assert!(!format!("{failed:?}").contains("wrong"));
}

#[test]
fn an_index_comes_after_what_it_names() {
    let store = MemoryStore::default();
    let first = image(&store);
    let put = |bytes: &[u8]| Descriptor {
        digest: store.put(bytes).expect("memory"),
        size: bytes.len() as u64,
    };
    let second = Image {
        manifest: put(b"{\"schemaVersion\": 2}"),
        config: put(b"{ }"),
        ..first.clone()
    };
    let index = Index {
        index: put(b"index"),
        images: vec![first.clone(), second.clone()],
    };
    let memory = Memory::new(Fault::None);
    let target = Target::Index(&index);
    let pushed = push(&memory, &store, target, &to("app:1")).expect("pushed");
    // What both images have is sent once.
    assert_eq!((pushed.sent, pushed.there), (4, 0));
    let asked = memory.state().asked.clone();
    let put: Vec<_> = asked
        .iter()
        .filter_map(|line| line.strip_prefix("PUT v2/app/manifests/"))
        .collect();
    let (one, two) = (first.manifest.digest, second.manifest.digest);
    assert_eq!(put, [&*one.to_string(), &*two.to_string(), "1"]);
    assert_eq!(memory.state().manifests["app:1"], b"index");
    let again = push(&memory, &store, target, &to("app:1")).expect("pushed");
    assert!(again.unchanged);
}
