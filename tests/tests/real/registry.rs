//! `imgc push` to Debian's docker-registry and `imgc pull` from it: without TLS, then with TLS
//! and a password. skopeo, podman and crane have it as it was pushed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use imgc_tests::layout::Layout;
use imgc_tests::sandbox::Outcome;

use crate::place::{PLACE, call, imgc_command, run};

/// `secret word`, as `htpasswd -B` writes it.
const PASSWORDS: &str = "somebody:$2b$04$lxw1n3YSgZuede6Rd2bjtuwFdofJVk.TVgoB.2myoneqR6AkFwc2C\n";

const APP: &str = r#"let debian = import std/debian; in
debian.image {
  name = "app";
  suite = "trixie";
  variant = "distroless";
  packages = ["base-files", "busybox-static", "tzdata"];
  files = { "/srv/note" = ./note; };
}
"#;

/// A registry that serves until this is dropped.
pub(crate) struct Registry {
    pub(crate) address: String,
    folder: PathBuf,
    child: Child,
}

impl Registry {
    /// Starts one whose data are in a folder of their own.
    #[track_caller]
    pub(crate) fn start(name: &str, secure: bool) -> Self {
        let folder = PLACE.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        // A port that was free a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        let address = format!("localhost:{}", port.expect("a port").port());
        let at = |name: &str| folder.join(name).display().to_string();
        let mut settings = format!(
            "version: 0.1\nlog:\n  accesslog:\n    disabled: false\nstorage:\n  filesystem:\n    \
             rootdirectory: {}\nhttp:\n  addr: {address}\n",
            at("data")
        );
        if secure {
            certificate(&folder);
            std::fs::write(folder.join("passwords"), PASSWORDS).expect("a file");
            settings += &format!(
                "  tls:\n    certificate: {}\n    key: {}\nauth:\n  htpasswd:\n    realm: test\n    \
                 path: {}\n",
                at("server.crt"),
                at("server.key"),
                at("passwords")
            );
        }
        std::fs::write(folder.join("settings.yml"), settings).expect("a file");
        let log = std::fs::File::create(folder.join("log")).expect("a file");
        let child = Command::new("docker-registry")
            .args(["serve", &at("settings.yml")])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("docker-registry can't be started: {error}"));
        let registry = Self {
            address,
            folder,
            child,
        };
        for _ in 0..300 {
            if std::net::TcpStream::connect(&registry.address).is_ok() {
                return registry;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("it does not answer: {}", registry.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// How many blobs were sent to it so far: each begins so.
    fn uploads(&self) -> usize {
        let log = self.log();
        let begun = |line: &&str| line.contains("\"POST /v2/") && !line.contains("\" 401 ");
        log.lines().filter(begun).count()
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An authority, and a certificate for `localhost` that it has signed.
fn certificate(folder: &Path) {
    let at = |name: &str| folder.join(name).display().to_string();
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    let mut authority = Command::new("openssl");
    authority
        .args(["req", "-x509", "-days", "30", "-subj", "/CN=test authority"])
        .args(key);
    authority.args(["-keyout", &at("ca.key"), "-out", &at("ca.crt")]);
    run(&mut authority).succeeds();
    let mut server = Command::new("openssl");
    server
        .args(["req", "-x509", "-days", "30", "-subj", "/CN=localhost"])
        .args(key);
    server.args(["-addext", "subjectAltName=DNS:localhost"]);
    server.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    server.args(["-CA", &at("ca.crt"), "-CAkey", &at("ca.key")]);
    server.args(["-keyout", &at("server.key"), "-out", &at("server.crt")]);
    run(&mut server).succeeds();
}

fn project(name: &str) -> PathBuf {
    let project = PLACE.join("out").join(name);
    std::fs::create_dir_all(project.join(".git")).expect("a folder");
    std::fs::write(project.join("app.img"), APP).expect("a file");
    std::fs::write(project.join("note"), "first\n").expect("a file");
    project
}

fn push(project: &Path, args: &[&str]) -> Outcome {
    let mut command = imgc_command();
    command
        .current_dir(project)
        .args(["push", "-v", "app.img"])
        .args(args);
    // A login of whoever runs this is none of the test's.
    command.env("REGISTRY_AUTH_FILE", project.join("auth.json"));
    run(&mut command)
}

#[test]
fn what_is_pushed_is_what_was_built_and_nothing_is_sent_twice() {
    let registry = Registry::start("registry", false);
    let project = project("pushed");
    let app = format!("{}/team/app:1", registry.address);
    let first = push(&project, &["--insecure", &app]);
    let line = first.succeeds().stdout.trim().to_owned();
    let digest = line.rsplit(' ').next().expect("a digest").to_owned();
    assert_eq!(line, format!("{app} {digest}"));
    let blobs = registry.uploads();
    assert!(
        first
            .stderr
            .contains(&format!("sent {blobs} of {blobs} blobs")),
        "{first:?}"
    );

    // skopeo, podman and crane have it, byte for byte.
    let source = format!("docker://{app}");
    let plain = "--tls-verify=false";
    let inspect = ["inspect", plain, "--format", "{{.Digest}}", &source];
    assert_eq!(call("skopeo", &inspect).trim(), digest);
    let copy = project.join("copy");
    let target = format!("oci:{}:copy", copy.display());
    call(
        "skopeo",
        &["copy", "-q", "--src-tls-verify=false", &source, &target],
    );
    let copied = Layout::open(&copy);
    assert_eq!(copied.digest, digest);
    assert!(copied.tree().contains_key("srv/note"));
    call(
        "crane",
        &["validate", "--insecure", "--fast", "--remote", &app],
    );
    assert_eq!(
        call("crane", &["digest", "--insecure", &app]).trim(),
        digest
    );
    let at = |name: &str| {
        PLACE
            .join("registry-podman")
            .join(name)
            .display()
            .to_string()
    };
    let podman = [
        "--root",
        &at("root"),
        "--runroot",
        &at("run"),
        "--storage-driver=vfs",
    ];
    call(
        "podman",
        &[&podman[..], &["pull", "-q", plain, &app]].concat(),
    );

    // Again: nothing; another tag: nothing but the manifest; another repository: mounted.
    let again = push(&project, &["--insecure", &app]);
    assert!(
        again
            .succeeds()
            .stderr
            .contains("the registry has this image"),
        "{again:?}"
    );
    let tag = format!("{}/team/app:2", registry.address);
    let other = format!("{}/other", registry.address);
    let more = push(&project, &["--insecure", &tag, &other]);
    assert_eq!(
        more.succeeds().stdout,
        format!("{tag} {digest}\n{other}:latest {digest}\n")
    );
    assert!(
        more.stderr.contains(&format!("sent 0 of {blobs} blobs")),
        "{more:?}"
    );
    assert!(
        more.stderr
            .contains(&format!("mounted {blobs} from another")),
        "{more:?}"
    );
    assert_eq!(
        registry.uploads(),
        2 * blobs,
        "mounts are asked for so, too"
    );

    // One file: its layer and the configuration.
    std::fs::write(project.join("note"), "second\n").expect("a file");
    let edited = push(&project, &["--insecure", &app]);
    assert!(
        edited
            .succeeds()
            .stderr
            .contains(&format!("sent 2 of {blobs} blobs")),
        "{edited:?}"
    );
    assert_ne!(
        call("crane", &["digest", "--insecure", &app]).trim(),
        digest
    );
}

#[test]
fn an_index_comes_with_all_its_images() {
    let registry = Registry::start("registry-index", false);
    let project = project("pushed-index");
    let index = format!("{}/app:1", registry.address);
    let pushed = push(
        &project,
        &[
            "--insecure",
            &index,
            "--platform",
            "linux/amd64,linux/arm64",
        ],
    );
    let line = pushed.succeeds().stdout.trim().to_owned();
    let digest = line.rsplit(' ').next().expect("a digest").to_owned();
    let platforms = |text: &str| -> Vec<String> {
        let found: serde_json::Value = serde_json::from_str(text).expect("JSON");
        assert_eq!(
            found["mediaType"],
            "application/vnd.oci.image.index.v1+json"
        );
        let all = found["manifests"].as_array().expect("manifests").iter();
        all.map(|one| one["platform"]["architecture"].to_string())
            .collect()
    };
    let manifest = call("crane", &["manifest", "--insecure", &index]);
    assert_eq!(platforms(&manifest), ["\"amd64\"", "\"arm64\""]);
    let found = call("crane", &["digest", "--insecure", &index]);
    assert_eq!(found.trim(), digest);
    let remote = ["validate", "--insecure", "--fast", "--remote", &index];
    call("crane", &remote);

    let source = format!("docker://{index}");
    let plain = "--tls-verify=false";
    let raw = call("skopeo", &["inspect", plain, "--raw", &source]);
    assert_eq!(raw, manifest);
    let copy = project.join("copy");
    let target = format!("oci:{}:copy", copy.display());
    let all = ["copy", "-q", "--all", "--src-tls-verify=false"];
    call("skopeo", &[&all[..], &[&source, &target]].concat());
    let (copied, images) = Layout::open_index(&copy);
    assert_eq!(copied, digest);
    for (arch, (platform, image)) in ["amd64", "arm64"].into_iter().zip(&images) {
        assert!(platform.starts_with(&format!("linux/{arch}")), "{platform}");
        let status = &image.tree()["var/lib/dpkg/status"].bytes;
        let text = String::from_utf8_lossy(status).into_owned();
        assert!(text.contains(&format!("Architecture: {arch}")), "{text}");
        // skopeo, podman and crane each take the image of one platform from it.
        let config = [
            "--override-arch",
            arch,
            "inspect",
            plain,
            "--config",
            &source,
        ];
        let found: serde_json::Value =
            serde_json::from_str(&call("skopeo", &config)).expect("JSON");
        assert_eq!(found["architecture"], arch);
        let platform = format!("linux/{arch}");
        let one = ["digest", "--insecure", "--platform", &platform, &index];
        assert_eq!(call("crane", &one).trim(), image.digest);
        let at = |name: &str| {
            let folder = PLACE.join("registry-index-podman").join(name);
            folder.display().to_string()
        };
        let (root, state) = (at("root"), at("run"));
        let podman = ["--root", &root, "--runroot", &state, "--storage-driver=vfs"];
        let pull = ["pull", "-q", plain, "--arch", arch, &index];
        let id = call("podman", &[&podman[..], &pull].concat());
        let ask = [
            "image",
            "inspect",
            "--format",
            "{{.Architecture}}",
            id.trim(),
        ];
        assert_eq!(call("podman", &[&podman[..], &ask].concat()).trim(), arch);
    }
    let again = push(
        &project,
        &[
            "--insecure",
            &index,
            "--platform",
            "linux/amd64,linux/arm64",
        ],
    );
    assert!(
        again
            .succeeds()
            .stderr
            .contains("the registry has this image"),
        "{again:?}"
    );
}

#[test]
fn a_registry_with_tls_and_a_password_takes_it_from_who_may() {
    let registry = Registry::start("registry-tls", true);
    let project = project("pushed-tls");
    let app = format!("{}/app:1", registry.address);
    let authority = registry.folder.join("ca.crt").display().to_string();
    let secure = ["--ca", &authority, &app];

    let unknown = push(&project, &[&app]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("ertificate"), "{unknown:?}");
    let plain = push(&project, &["--insecure", &app]);
    assert_eq!(plain.code, Some(1), "{plain:?}");
    let nobody = push(&project, &secure);
    assert_eq!(nobody.code, Some(1));
    assert!(nobody.stderr.contains("without a login"), "{nobody:?}");
    assert!(
        nobody
            .stderr
            .contains(&format!("podman login {}", registry.address)),
        "{nobody:?}"
    );

    let login = |password: &str| {
        let file = project.join("auth.json").display().to_string();
        let certificates = project.join("certificates");
        std::fs::create_dir_all(&certificates).expect("a folder");
        std::fs::copy(&authority, certificates.join("ca.crt")).expect("a copy");
        let certificates = certificates.display().to_string();
        let command = ["login", "--authfile", &file, "--cert-dir", &certificates];
        let user = ["-u", "somebody", "-p", password, &registry.address];
        run(Command::new("skopeo").args(command).args(user))
    };
    login("secret word").succeeds();
    let pushed = push(&project, &secure);
    let digest = pushed
        .succeeds()
        .stdout
        .trim()
        .rsplit(' ')
        .next()
        .expect("a digest")
        .to_owned();
    let inspect = ["inspect", "--format", "{{.Digest}}", "--authfile"];
    let file = project.join("auth.json").display().to_string();
    let certificates = project.join("certificates").display().to_string();
    let source = format!("docker://{app}");
    let rest = [&*file, "--cert-dir", &*certificates, &*source];
    assert_eq!(
        call("skopeo", &[&inspect[..], &rest[..]].concat()).trim(),
        digest
    );

    // The wrong password is not taken, and is in no message.
    let wrong = format!(
        "{{\"auths\":{{\"{}\":{{\"username\":\"somebody\",\"password\":\"guess\"}}}}}}",
        registry.address
    );
    std::fs::write(project.join("auth.json"), wrong).expect("a file");
    let refused = push(&project, &secure);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused
            .stderr
            .contains("does not let `somebody` push to app"),
        "{refused:?}"
    );
    assert!(!refused.stderr.contains("guess"), "{refused:?}");
    let read = ["inspect", "--ca", &authority];
    let image = format!("docker://{app}");
    let refused = look(&project, &[&read[..], &[&*image]].concat());
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("does not let `somebody` read app"),
        "{refused:?}"
    );
    login("secret word").succeeds();
    let pull = ["pull", "--ca", &authority, &app];
    let pulled = look(&project, &pull);
    let name = format!("{}/app@{digest}\n", registry.address);
    assert_eq!(pulled.succeeds().stdout, name);

    let helper = "{\"credsStore\":\"pass\",\"credHelpers\":{\"HOST\":\"pass\"}}";
    let helper = helper.replace("HOST", &registry.address);
    std::fs::write(project.join("auth.json"), helper).expect("a file");
    let helped = push(&project, &secure);
    assert!(
        helped.stderr.contains("`docker-credential-pass` keeps it"),
        "{helped:?}"
    );
}

/// A command that reads images, with a store of its own.
fn look(project: &Path, args: &[&str]) -> Outcome {
    let mut command = imgc_command();
    command
        .current_dir(project)
        .args(args)
        .arg("--store")
        .arg(project.join("store"));
    command.env("REGISTRY_AUTH_FILE", project.join("auth.json"));
    run(&mut command)
}

#[test]
fn what_is_pulled_is_what_was_pushed() {
    let registry = Registry::start("registry-pull", false);
    let project = project("pulled");
    let app = format!("{}/app:1", registry.address);
    let pushed = push(&project, &["--insecure", &app]);
    let digest = pushed.succeeds().stdout.trim().to_owned();
    let digest = digest.rsplit(' ').next().expect("a digest");
    let pinned = format!("{}/app@{digest}", registry.address);

    // Each blob is fetched once, whoever reads it.
    let image = format!("docker://{app}");
    let inspected = look(&project, &["inspect", "--insecure", "--json", &image]);
    let said: serde_json::Value = serde_json::from_str(&inspected.succeeds().stdout).expect("JSON");
    assert!(said.to_string().contains(digest), "{said}");
    let fetched = |registry: &Registry| registry.log().matches("\"GET /v2/app/blobs/").count();
    let before = fetched(&registry);
    let note = look(&project, &["cat", "--insecure", &image, "/srv/note"]);
    assert_eq!(note.succeeds().stdout, "first\n");
    assert_eq!(fetched(&registry), before);

    // All of it, byte for byte; what is in the store is not fetched again.
    let pull = ["pull", "--insecure", &app, "-o", "oci:pulled"];
    let pulled = look(&project, &pull);
    assert_eq!(pulled.succeeds().stdout, format!("{pinned}\n"));
    let layout = Layout::open(&project.join("pulled"));
    assert_eq!(layout.digest, digest);
    assert!(layout.tree().contains_key("srv/note"));
    look(&project, &pull).succeeds();
    assert_eq!(fetched(&registry), before);

    // The same image as skopeo has it: with gzip, then in docker's formats.
    let source = format!("docker://{app}");
    let gzip = format!("oci:{}:gzip", project.join("gzip").display());
    // In a registry of its own: skopeo would take the layers that the other one has.
    let docker = Registry::start("registry-docker", false);
    let other = format!("docker://{}/other:1", docker.address);
    let plain = ["copy", "-q", "--src-tls-verify=false"];
    let form = ["--dest-compress", "--dest-compress-format=gzip"];
    call(
        "skopeo",
        &[&plain[..], &form[..], &[&source, &gzip]].concat(),
    );
    let plain = ["copy", "-q", "--dest-tls-verify=false", "--format=v2s2"];
    call("skopeo", &[&plain[..], &[&gzip, &other]].concat());
    let form = look(&project, &["inspect", "--insecure", "--json", &other]);
    let form = form.succeeds().stdout.clone();
    assert!(form.contains("application/vnd.docker"), "{form}");
    let same = look(&project, &["diff", "--insecure", "app.img", &other]);
    assert!(!same.stdout.contains("files:"), "{same:?}");
    std::fs::write(project.join("note"), "second\n").expect("a file");
    let differs = look(
        &project,
        &["diff", "--insecure", "--files", "app.img", &other],
    );
    assert!(differs.stdout.contains("srv/note"), "{differs:?}");

    // What is not there; and what is pinned and in the store, when nobody answers.
    let missing = format!("{}/app:none", registry.address);
    let missing = look(&project, &["pull", "--insecure", &missing]);
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.stderr.contains("the registry has no "),
        "{missing:?}"
    );
    let far = look(&project, &["pull", "--insecure", "registry.example/app"]);
    assert_eq!(far.code, Some(2), "{far:?}");
    drop(registry);
    let alone = look(&project, &["pull", "--insecure", "--offline", &pinned]);
    assert_eq!(alone.succeeds().stdout, format!("{pinned}\n"));
}
