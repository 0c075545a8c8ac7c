//! `imgc serve` and `imgc load` with the engines and clients that people have: podman and
//! docker through their sockets, skopeo and crane.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use imgc_tests::sandbox::Outcome;

use crate::place::{PLACE, call, imgc_command, run};

const NOTE: &str = r#"let debian = import std/debian; in
debian.image {
  name = "note";
  suite = "trixie";
  variant = "distroless";
  packages = ["base-files", "busybox-static"];
  files = { "/srv/note" = ./note; };
  config = { entrypoint = ["/usr/bin/busybox", "cat", "/srv/note", "-"]; };
}
"#;

/// A program that serves until this is dropped.
struct Service(Child);

impl Service {
    #[track_caller]
    fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{name} can't be started: {error}")))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // In good order: docker has programs of its own to end.
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").args(["-s", "TERM", &pid]).status();
        let _ = self.0.wait();
    }
}

/// An engine with a place of its own, and its socket.
struct Engine {
    name: &'static str,
    socket: PathBuf,
    command: Vec<String>,
    _service: Service,
}

impl Engine {
    #[track_caller]
    fn podman(place: &str) -> Self {
        let folder = PLACE.join(place);
        std::fs::create_dir_all(&folder).expect("a folder");
        let at = |name: &str| folder.join(name).display().to_string();
        // Locks of its own: the first podman after a start frees those in shared memory, of
        // every other too.
        let settings = format!(
            "[engine]\nlock_type = \"file\"\ntmp_dir = {:?}\n",
            at("tmp")
        );
        std::fs::write(folder.join("containers.conf"), settings).expect("a file");
        let settings = format!("CONTAINERS_CONF={}", at("containers.conf"));
        let command = [
            "env",
            &settings,
            "podman",
            "--root",
            &at("root"),
            "--runroot",
            &at("run"),
            "--runtime=runc",
            "--cgroup-manager=cgroupfs",
        ];
        let command: Vec<String> = command.map(str::to_owned).to_vec();
        let socket = folder.join("podman.sock");
        let mut service = Command::new(&command[0]);
        service.args(&command[1..]);
        service.args(["system", "service", "--time=0"]);
        service.arg(format!("unix://{}", socket.display()));
        Self::waited(
            "podman",
            socket,
            command,
            Self::quiet(&mut service, &folder),
        )
    }

    #[track_caller]
    fn docker(place: &str) -> Self {
        let folder = PLACE.join(place);
        std::fs::create_dir_all(&folder).expect("a folder");
        let at = |name: &str| folder.join(name).display().to_string();
        let socket = folder.join("docker.sock");
        let host = format!("unix://{}", socket.display());
        let mut service = Command::new("dockerd");
        service.args(["--host", &host, "--storage-driver=vfs", "--bridge=none"]);
        service.args([
            "--iptables=false",
            "--ip6tables=false",
            "--userland-proxy=false",
        ]);
        service.args(["--data-root", &at("data"), "--exec-root", &at("exec")]);
        service.args(["--pidfile", &at("pid")]);
        // An empty file of settings: the machine's own are another daemon's.
        std::fs::write(folder.join("daemon.json"), "{}").expect("a file");
        service.args(["--config-file", &at("daemon.json")]);
        let command = ["docker", "--host", &host].map(str::to_owned).to_vec();
        Self::waited(
            "docker",
            socket,
            command,
            Self::quiet(&mut service, &folder),
        )
    }

    /// Starts it, with what it says in a file.
    #[track_caller]
    fn quiet(service: &mut Command, folder: &Path) -> Service {
        let log = std::fs::File::create(folder.join("log")).expect("a file");
        let other = log.try_clone().expect("a file");
        Service::start(service.stdout(log).stderr(other))
    }

    #[track_caller]
    fn waited(name: &'static str, socket: PathBuf, command: Vec<String>, of: Service) -> Self {
        let engine = Self {
            name,
            socket,
            command,
            _service: of,
        };
        for _ in 0..300 {
            if engine.socket.exists() && engine.run(&["version"]).code == Some(0) {
                return engine;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = engine.socket.with_file_name("log");
        let log = std::fs::read_to_string(log).unwrap_or_default();
        panic!("{name} does not answer:\n{log}");
    }

    fn run(&self, args: &[&str]) -> Outcome {
        run(Command::new(&self.command[0])
            .args(&self.command[1..])
            .args(args))
    }

    /// The line that a container of the image prints. Its program prints it and then waits
    /// for the end of its input, which comes once the line is here: both engines can lose
    /// what a program has printed that ends at once, in the foreground and in their logs.
    #[track_caller]
    fn prints(&self, image: &str) -> String {
        let mut command = Command::new(&self.command[0]);
        command.args(&self.command[1..]).args([
            "run",
            "--rm",
            "--interactive",
            "--ulimit=nofile=1024:1024",
            "--ulimit=nproc=1000:1000",
            "--network=none",
            image,
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut running = command.spawn().expect("the engine runs");
        let mut line = String::new();
        let stdout = running.stdout.take().expect("a pipe");
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("a line");
        drop(running.stdin.take());
        let status = running.wait().expect("it ends");
        assert!(status.success(), "{} of {image}: {status}", self.name);
        line
    }

    #[track_caller]
    fn load(&self, file: &Path) -> Outcome {
        self.load_with(file, &[])
    }

    #[track_caller]
    fn load_with(&self, file: &Path, options: &[&str]) -> Outcome {
        let mut command = imgc_command();
        command.args(["load", "-v", "--engine", self.name, "--socket"]);
        run(command.arg(&self.socket).args(options).arg(file))
    }
}

/// A project with an image that prints a note.
#[track_caller]
fn project(name: &str) -> PathBuf {
    let project = PLACE.join("out").join(name);
    std::fs::create_dir_all(project.join(".git")).expect("a folder");
    std::fs::write(project.join("note.img"), NOTE).expect("a file");
    write(&project, "first\n");
    project
}

fn write(project: &Path, note: &str) {
    std::fs::write(project.join("note"), note).expect("a file");
}

/// The blobs that were fetched, by how many bytes each has.
fn fetched(outcome: &Outcome) -> Vec<u64> {
    let lines = outcome.stderr.lines();
    let blobs = lines.filter(|line| line.starts_with("GET ") && line.contains("/blobs/"));
    blobs
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            assert_eq!(words[2], "200", "{line}");
            words[3].parse().expect("a number of bytes")
        })
        .collect()
}

fn an_edit_moves_one_small_layer(engine: &Engine) {
    let project = project(&format!("load-{}", engine.name));
    let file = project.join("note.img");
    let first = engine.load(&file);
    assert!(first.succeeds().stdout.starts_with("note:latest sha256:"));
    // The configuration, and the layers of: busybox, the other packages, their
    // configuration, and what the image adds.
    assert_eq!(fetched(&first).len(), 5, "{}", first.stderr);
    assert_eq!(engine.prints("note"), "first\n");

    write(&project, "second\n");
    let second = engine.load(&file);
    let blobs = fetched(second.succeeds());
    assert_eq!(
        blobs.len(),
        2,
        "a configuration and a layer: {}",
        second.stderr
    );
    assert!(blobs.iter().all(|size| *size < 4096), "{blobs:?}");
    assert_ne!(first.stdout, second.stdout);
    assert_eq!(engine.prints("note"), "second\n");

    // Nothing is left of where it came from.
    let images = engine.run(&["images", "--digests"]);
    let images = &images.succeeds().stdout;
    assert!(
        images.contains("note") && !images.contains("127.0.0.1"),
        "{images}"
    );
    if engine.name == "podman" {
        let digest = second.stdout.trim().rsplit(' ').next().expect("a digest");
        assert!(images.contains(digest), "{images}");
    }
    let third = engine.load(&file);
    let blobs = fetched(third.succeeds());
    assert!(blobs.len() <= 1, "the configuration at most: {blobs:?}");

    // Of an index it takes the image of its own platform.
    write(&project, "of an index\n");
    let both = ["--platform", "linux/amd64,linux/arm64"];
    let index = engine.load_with(&file, &both);
    assert!(index.succeeds().stdout.starts_with("note:latest sha256:"));
    assert_eq!(fetched(&index).len(), 2, "{}", index.stderr);
    assert_eq!(engine.prints("note"), "of an index\n");
}

#[test]
fn podman_loads_only_what_it_does_not_have() {
    an_edit_moves_one_small_layer(&Engine::podman("load-podman"));
}

#[test]
fn docker_loads_only_what_it_does_not_have() {
    an_edit_moves_one_small_layer(&Engine::docker("load-docker"));
}

#[test]
fn what_clients_pull_is_what_a_build_makes() {
    let project = project("served");
    std::fs::write(project.join("broken.img"), "image { nam = \"x\"; }").expect("a file");
    let mut command = imgc_command();
    command
        .args(["serve", "--listen", "127.0.0.1:0"])
        .arg(&project);
    let mut serving = Service::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
    let mut address = String::new();
    let stdout = serving.0.stdout.as_mut().expect("a pipe");
    BufReader::new(stdout)
        .read_line(&mut address)
        .expect("a line");
    let address = address.trim();
    let note = format!("{address}/note");
    let mut command = imgc_command();
    command.arg("build").arg(project.join("note.img"));
    let layout = project.join("note.oci").display().to_string();
    let digest = run(command.args(["-o", &format!("oci:{layout}")])).digest();

    let source = format!("docker://{note}");
    let plain = "--tls-verify=false";
    let inspect = ["inspect", plain, "--format", "{{.Digest}}", &source];
    assert_eq!(call("skopeo", &inspect).trim(), digest);
    let copy = format!("oci:{}:copy", project.join("copy").display());
    call(
        "skopeo",
        &["copy", "-q", "--src-tls-verify=false", &source, &copy],
    );
    let copied = imgc_tests::layout::Layout::open(&project.join("copy"));
    assert_eq!(copied.digest, digest);
    assert_eq!(
        call("crane", &["digest", "--insecure", &note]).trim(),
        digest
    );
    assert_eq!(call("crane", &["ls", "--insecure", &note]).trim(), "latest");
    call(
        "crane",
        &["validate", "--insecure", "--fast", "--remote", &note],
    );

    let (podman, docker) = (Engine::podman("pull-podman"), Engine::docker("pull-docker"));
    podman.run(&["pull", "-q", plain, &note]).succeeds();
    docker.run(&["pull", "-q", &note]).succeeds();
    for engine in [&podman, &docker] {
        assert_eq!(engine.prints(&note), "first\n");
    }
    // An edit is there at the next pull.
    write(&project, "edited\n");
    podman.run(&["pull", "-q", plain, &note]).succeeds();
    docker.run(&["pull", "-q", &note]).succeeds();
    for engine in [&podman, &docker] {
        assert_eq!(engine.prints(&note), "edited\n");
    }

    // Whoever pulls what can't be built reads why.
    let broken = format!("{address}/broken");
    let source = format!("docker://{broken}");
    let crane = run(Command::new("crane").args(["manifest", "--insecure", &broken]));
    let skopeo = run(Command::new("skopeo").args(["inspect", plain, &source]));
    for outcome in [
        crane,
        skopeo,
        podman.run(&["pull", plain, &broken]),
        docker.run(&["pull", &broken]),
    ] {
        assert_ne!(outcome.code, Some(0));
        assert!(
            outcome.stderr.contains("broken.img:1: IMG0502: "),
            "{outcome:?}"
        );
    }
    assert_ne!(
        call("crane", &["digest", "--insecure", &note]).trim(),
        digest
    );
}
