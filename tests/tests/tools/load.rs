//! `imgc load`, into an engine that is none: it speaks podman's API or docker's, and
//! pulls as they do, only what it does not have.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use imgc_tests::sandbox::{Outcome, Sandbox};

use crate::client::{digest, get};
use crate::run;

const APP: &str = "let debian = import std/debian; in debian.image {
  suite = \"trixie\"; variant = \"essential\"; packages = [\"hello\", \"noise\"];
  files = { \"/etc/motd\" = ./motd; };
}";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Podman,
    Docker,
    Neither,
}

/// What the engine has, and what it was asked.
#[derive(Debug, Default)]
struct State {
    blobs: BTreeSet<String>,
    /// The sizes of the blobs of each pull.
    pulls: Vec<Vec<usize>>,
    /// Everything but pings, with `%3A` and `%2F` decoded.
    asked: Vec<String>,
    /// What the next pull ends with.
    fault: Option<(u16, String)>,
}

struct Engine {
    path: PathBuf,
    state: Arc<Mutex<State>>,
}

impl Engine {
    fn start(sandbox: &Sandbox, kind: Kind) -> Self {
        let path = sandbox.path("engine.sock");
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket");
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, kind, &shared);
            }
        });
        Self { path, state }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn load(&self, sandbox: &Sandbox, args: &[&str]) -> Outcome {
        let socket = self.path.to_str().expect("UTF-8");
        run(sandbox, &[&["load", "--socket", socket], args].concat())
    }
}

/// Answers one request. `imgc` looks first whether anybody is there at all.
fn answer(mut stream: UnixStream, kind: Kind, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut header = String::new();
    while header != "\r\n" {
        header.clear();
        reader.read_line(&mut header).expect("a header");
    }
    let asked = line.replace("%3A", ":").replace("%2F", "/");
    let mut words = asked.split(' ');
    let (method, target) = (words.next().expect("one"), words.next().expect("one"));
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let (status, headers, body) = if target == "/_ping" {
        let headers = match kind {
            Kind::Podman => "Api-Version: 1.41\r\nLibpod-Api-Version: 4.9.3-dev\r\n",
            Kind::Docker => "Api-Version: 1.45\r\n",
            Kind::Neither => "",
        };
        (200, headers, "OK".to_owned())
    } else {
        state.asked.push(format!("{method} {target}"));
        let (status, body) = act(&mut state, kind, target);
        (status, "Content-Type: application/json\r\n", body)
    };
    let head = format!(
        "HTTP/1.1 {status} Status\r\n{headers}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes());
}

fn act(state: &mut State, kind: Kind, target: &str) -> (u16, String) {
    let parameter = |name: &str| {
        let (_, query) = target.split_once('?').expect("a query");
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(key, _)| *key == name);
        found
            .map(|(_, value)| value.to_owned())
            .expect("a parameter")
    };
    let (from, tag) = if target.starts_with("/v4.9.3/libpod/images/pull?") {
        assert_eq!(parameter("tlsVerify"), "false");
        let reference = parameter("reference");
        let (from, tag) = reference.rsplit_once(':').expect("a tag");
        (from.to_owned(), tag.to_owned())
    } else if target.starts_with("/v1.45/images/create?") {
        (parameter("fromImage"), parameter("tag"))
    } else {
        return (
            if kind == Kind::Podman { 201 } else { 200 },
            "[]".to_owned(),
        );
    };
    if let Some((status, body)) = state.fault.take() {
        return (status, body);
    }
    let (address, name) = from.split_once('/').expect("a host");
    let secret = name.split('/').next().expect("a part");
    assert!(secret.len() == 32, "nobody guesses {name}");
    let manifest = get(address, &format!("/v2/{name}/manifests/{tag}"));
    assert_eq!(manifest.status, 200);
    let document = manifest.json();
    let mut sizes = Vec::new();
    for blob in document["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .chain([&document["config"]])
    {
        let wanted = blob["digest"].as_str().expect("a digest").to_owned();
        if state.blobs.contains(&wanted) {
            continue;
        }
        let blob = get(address, &format!("/v2/{name}/blobs/{wanted}"));
        assert_eq!(digest(&blob.body), wanted);
        sizes.push(blob.body.len());
        state.blobs.insert(wanted);
    }
    // Others on this machine don't know the way.
    let (_, plain) = name.split_once('/').expect("a name");
    let target = format!("/v2/{plain}/manifests/{tag}");
    get(address, &target).is_error(404, "NAME_UNKNOWN");
    state.pulls.push(sizes);
    let id = &manifest.digest()["sha256:".len()..];
    let said = match kind {
        Kind::Docker => "{\"status\":\"Pulling fs layer\",\"id\":\"x\"}\r\n".to_owned(),
        _ => format!("{{\"stream\":\"Copying\"}}\n{{\"images\":[\"{id}\"],\"id\":\"{id}\"}}\n"),
    };
    (200, said)
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", APP);
    sandbox.write("motd", "first\n");
    sandbox
}

#[test]
fn only_what_is_missing_travels() {
    for kind in [Kind::Podman, Kind::Docker] {
        let sandbox = sandbox();
        let engine = Engine::start(&sandbox, kind);
        let first = engine.load(&sandbox, &["app.img"]);
        let built = sandbox.build();
        assert_eq!(first.succeeds().stdout, format!("app:latest {built}\n"));
        assert_eq!(
            engine.state().pulls[0].len(),
            3,
            "two layers and what runs them"
        );

        sandbox.write("motd", "second\n");
        let second = engine.load(&sandbox, &["app.img", "-v"]);
        second.succeeds();
        let sizes = engine.state().pulls[1].clone();
        assert_eq!(sizes.len(), 2, "one layer and what runs it");
        assert!(sizes.iter().all(|size| *size < 2000), "{sizes:?}");
        let requests = second.stderr.lines().filter(|line| {
            line.starts_with("GET ") && line.contains("/blobs/") && line.contains(" 200 ")
        });
        assert_eq!(requests.count(), 2, "{}", second.stderr);
        assert!(
            second.stderr.contains("the engine fetched 2 of 3 blobs"),
            "{second:?}"
        );

        let third = engine.load(&sandbox, &["app.img"]);
        third.succeeds();
        assert_eq!(engine.state().pulls[2], [0; 0], "nothing changed");
    }
}

#[test]
fn the_engine_is_left_with_the_name_that_was_meant() {
    for kind in [Kind::Podman, Kind::Docker] {
        let sandbox = sandbox();
        let engine = Engine::start(&sandbox, kind);
        let load = engine.load(&sandbox, &["app.img", "--tag", "team/web:1.0"]);
        let digest = load.succeeds().stdout.clone();
        let id = digest
            .trim()
            .rsplit(':')
            .next()
            .expect("a digest")
            .to_owned();
        let asked = engine.state().asked.clone();
        let [pull, tag, untag] = &*asked else {
            panic!("{asked:?}");
        };
        let (_, from) = pull.split_once("127.0.0.1:").expect("it is on loopback");
        let from = from.split('&').next().expect("a reference");
        let from = format!("127.0.0.1:{}", from.trim_end_matches(":1.0"));
        if kind == Kind::Podman {
            let base = format!("POST /v4.9.3/libpod/images/{id}");
            assert_eq!(*tag, format!("{base}/tag?repo=localhost/team/web&tag=1.0"));
            assert_eq!(*untag, format!("{base}/untag?repo={from}&tag=1.0"));
        } else {
            let tagged = format!("POST /v1.45/images/{from}:1.0/tag?repo=team/web&tag=1.0");
            assert_eq!(*tag, tagged);
            let deleted = format!("DELETE /v1.45/images/{from}:1.0?noprune=true");
            assert_eq!(*untag, deleted);
        }
        let address = from.split('/').next().expect("an address");
        let gone = std::net::TcpStream::connect(address);
        assert!(gone.is_err(), "the registry was for this pull alone");
    }
}

#[test]
fn more_than_one_image() {
    let sandbox = sandbox();
    let record = "{ web = image { files = { \"/a\" = \"1\"; }; }; worker = image { files = { \"/a\" = \"2\"; }; }; }";
    sandbox.write("apps.img", record);
    let engine = Engine::start(&sandbox, Kind::Podman);
    let both = engine.load(&sandbox, &["apps.img"]);
    let lines: Vec<&str> = both.succeeds().stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].starts_with("web:latest sha256:"), "{lines:?}");
    assert!(lines[1].starts_with("worker:latest sha256:"), "{lines:?}");
    let one = engine.load(&sandbox, &["apps.img#worker", "--tag", "w"]);
    assert!(one.succeeds().stdout.starts_with("w:latest sha256:"));
    engine
        .load(&sandbox, &["apps.img", "--tag", "w"])
        .fails(2, &["--tag names one image"]);
}

#[test]
fn what_the_engine_says_is_said() {
    let sandbox = sandbox();
    for kind in [Kind::Podman, Kind::Docker] {
        let engine = Engine::start(&sandbox, kind);
        let name = if kind == Kind::Podman {
            "podman"
        } else {
            "docker"
        };
        for (status, body, words) in [
            (
                200,
                "{\"stream\":\"x\"}{\"error\":\"no space left\"}",
                "no space left",
            ),
            (
                500,
                "{\"cause\":\"c\",\"message\":\"it is tired\"}",
                "it is tired",
            ),
            (404, "nothing", "status 404"),
            (200, "{\"stream\":", "broke off"),
        ] {
            engine.state().fault = Some((status, body.to_owned()));
            let outcome = engine.load(&sandbox, &["app.img"]);
            outcome.fails(1, &[name, words]);
        }
        engine.state().fault = Some((200, "{\"error\":\"dial: connection refused\"}".to_owned()));
        engine
            .load(&sandbox, &["app.img"])
            .fails(1, &["does not reach this machine's loopback"]);
    }
    let podman = Engine::start(&sandbox, Kind::Podman);
    podman.state().fault = Some((200, "{\"stream\":\"done\"}".to_owned()));
    podman
        .load(&sandbox, &["app.img"])
        .fails(1, &["came to no image"]);
}

#[test]
fn without_an_engine_nothing_is_built() {
    let sandbox = sandbox();
    let fails = |outcome: Outcome, words: &[&str]| {
        outcome.fails(1, words);
        assert!(!sandbox.project("imgc.lock").exists());
    };
    let load = |args: &[&str]| run(&sandbox, &[&["load", "app.img"], args].concat());
    fails(
        load(&["--socket", "/nowhere/x.sock"]),
        &[
            "/nowhere/x.sock",
            "--socket",
            "systemctl --user start podman.socket",
        ],
    );
    let hosts = [("CONTAINER_HOST", "podman"), ("DOCKER_HOST", "docker")];
    for (variable, engine) in hosts {
        let with = |value: &str| {
            let run = sandbox.run().env(variable, value);
            run.args(&["load", "app.img", "--engine", engine]).outcome()
        };
        fails(
            with("unix:///nowhere/y.sock"),
            &["/nowhere/y.sock", variable],
        );
        fails(
            with("tcp://10.0.0.1:2375"),
            &["no unix socket", "on this machine"],
        );
        fails(with("ssh://user@host/x"), &["no unix socket"]);
    }
    let other = Engine::start(&sandbox, Kind::Docker);
    fails(
        other.load(&sandbox, &["app.img", "--engine", "podman"]),
        &["is the other engine"],
    );
    let neither = Engine::start(&sandbox, Kind::Neither);
    fails(
        neither.load(&sandbox, &["app.img"]),
        &["neither podman nor docker"],
    );
    let engine = Engine::start(&sandbox, Kind::Podman);
    engine
        .load(&sandbox, &["app.img", "--tag", "Not a name"])
        .fails(2, &["no name of an image"]);
    sandbox.write("app.img", "image { nam = 1; }");
    fails(engine.load(&sandbox, &["app.img"]), &["nam"]);
    assert_eq!(engine.state().asked.len(), 0, "it was not asked to pull");
    let variable = format!("unix://{}", engine.path.display());
    sandbox.write("app.img", "image {}");
    let run = sandbox.run().env("CONTAINER_HOST", &variable);
    run.args(&["load", "app.img"]).outcome().succeeds();
}
