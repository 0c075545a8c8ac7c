//! Programs that read images, and programs that read Debian systems, accept what was
//! built. And Debian's own tools accept the archive that the other tests are made with.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::PoisonError;

use imgc_tests::layout::Layout;
use imgc_tests::sandbox::Sandbox;
use tempfile::TempDir;

use crate::fidelity::APT;
use crate::place::{Built, PLACE, built, call, run, tag};

/// The examples that are held to everything here.
const EXAMPLES: [&str; 3] = ["web", "python", "distroless"];

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of the tests is UTF-8")
}

#[test]
fn the_layouts_are_as_the_specification_has_them() {
    for example in EXAMPLES {
        let image = built(example, "amd64");
        let layout = Layout::open(&image.layout);
        assert_eq!(layout.digest, image.digest);
        let history = layout.config["history"].as_array().expect("a history");
        let layers = history
            .iter()
            .filter(|entry| entry["empty_layer"] != true)
            .count();
        assert_eq!(layers, layout.layers.len(), "one entry for each layer");
    }
}

#[test]
fn an_image_has_what_the_scripts_of_its_packages_make() {
    let image = built("web", "amd64");
    let tree = Layout::open(&image.layout).tree();
    let text = |path: &str| String::from_utf8_lossy(&tree[path].bytes).into_owned();
    let certificates = text("etc/ssl/certs/ca-certificates.crt");
    let many = certificates.matches("BEGIN CERTIFICATE").count();
    assert!(many > 100, "{many} certificates");
    let hashed = tree.keys().filter(|path| {
        let name = path.strip_prefix("etc/ssl/certs/");
        name.is_some_and(|name| name.len() == 10 && name.ends_with(".0"))
    });
    assert!(hashed.count() > 100, "links by the hash of a certificate");
    let zone = tree["etc/localtime"].link.as_deref();
    assert_eq!(zone, Some("/usr/share/zoneinfo/Etc/UTC"));
    let skipped = "scripts of";
    assert!(!image.notes.contains(skipped), "{}", image.notes);
}

#[test]
fn skopeo_reads_and_copies() {
    for example in EXAMPLES {
        let image = built(example, "amd64");
        let source = format!("oci:{}", image.layout.display());
        let digest = call("skopeo", &["inspect", "--format", "{{.Digest}}", &source]);
        assert_eq!(digest.trim(), image.digest);
        let copy = PLACE.join("out").join(format!("{example}-copy"));
        call(
            "skopeo",
            &[
                "copy",
                "-q",
                &source,
                &format!("oci:{}:copy", copy.display()),
            ],
        );
        assert_eq!(Layout::open(&copy).digest, image.digest);
        // Decodes every layer, and compares its diff id.
        assert!(as_gzip(example, &image).join("index.json").is_file());
    }
}

/// The image with its layers decoded and compressed anew by skopeo, as gzip.
fn as_gzip(example: &str, image: &Built) -> PathBuf {
    let folder = TempDir::new_in(PLACE.join("out")).expect("a folder").keep();
    let source = format!("oci:{}", image.layout.display());
    let copy = format!("oci:{}:{example}", folder.display());
    let options = [
        "copy",
        "-q",
        "--dest-compress",
        "--dest-compress-format=gzip",
    ];
    call("skopeo", &[&options[..], &[&source, &copy]].concat());
    folder
}

/// Unpacks the image by umoci, as root, and gives the root folder of its files.
fn unpack(name: &str, image: &Built) -> PathBuf {
    let bundle = PLACE.join("out").join(name);
    let source = format!("{}:{}", image.layout.display(), tag(&image.layout));
    call("umoci", &["unpack", "--image", &source, text(&bundle)]);
    bundle.join("rootfs")
}

#[test]
fn umoci_unpacks_and_dpkg_accepts_the_tree() {
    for example in EXAMPLES {
        let image = built(example, "amd64");
        let root = unpack(&format!("{example}-bundle"), &image);
        let root_option = format!("--root={}", root.display());
        let verify = run(Command::new("dpkg").args([&root_option, "--verify"]));
        assert_eq!(
            verify.succeeds().stdout,
            "",
            "files differ from their packages"
        );
        assert_eq!(call("dpkg", &[&root_option, "--audit"]), "");
        let list = call("dpkg", &[&root_option, "-l"]);
        let packages: Vec<&str> = list
            .lines()
            .skip_while(|line| !line.starts_with("+++"))
            .collect();
        let installed = packages
            .iter()
            .skip(1)
            .filter(|line| line.starts_with("ii "))
            .count();
        assert!(installed > 3 && installed == packages.len() - 1, "{list}");
        let owner = call("dpkg", &[&root_option, "-S", "/usr/share/zoneinfo/UTC"]);
        assert!(
            example == "python" || owner.starts_with("tzdata:"),
            "{owner}"
        );
        check_tree(&root, example);
    }
}

/// What umoci made of owners, modes and links.
fn check_tree(root: &Path, example: &str) {
    let of = |format: &str, path: &str| {
        call("stat", &["-c", format, text(&root.join(path))])
            .trim()
            .to_owned()
    };
    assert_eq!(of("%a %u:%g", "tmp"), "1777 0:0");
    assert_eq!(of("%N", "bin").rsplit(' ').next(), Some("'usr/bin'"));
    if example != "distroless" {
        assert_eq!(of("%a %u:%g", "usr/bin/su"), "4755 0:0");
        assert_eq!(of("%a %u:%g", "usr/sbin/unix_chkpwd"), "2755 0:42");
        assert_eq!(of("%h", "usr/bin/perl"), "2", "a hard link stays one");
    }
    let passwd = std::fs::read_to_string(root.join("etc/passwd")).expect("users");
    assert_eq!(
        passwd.matches("\napp:x:10001:10001:").count(),
        1,
        "{passwd}"
    );
    assert_eq!(of("%a", "etc/shadow"), "640");
}

/// A registry on loopback. It ends when this is dropped.
struct Registry(Child, String);

impl Registry {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        let mut command = Command::new("crane");
        command.args(["registry", "serve", "--address", &address]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let registry = Self(command.spawn().expect("crane can be started"), address);
        for _ in 0..100 {
            if std::net::TcpStream::connect(&registry.1).is_ok() {
                return registry;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("no registry at {}", registry.1);
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn crane_validates() {
    let registry = Registry::start();
    for example in EXAMPLES {
        let image = built(example, "amd64");
        let name = format!("{}/{example}:latest", registry.1);
        let pushed = call("crane", &["push", "--insecure", text(&image.layout), &name]);
        assert!(pushed.trim().ends_with(&image.digest), "{pushed}");
        // crane reads the layers of gzip images alone. Of ours it compares manifest,
        // configuration and sizes; of a copy in gzip every layer and diff id too.
        validate(&["--fast", "--remote", &name]);
        let copy = format!("{}/{example}:gzip", registry.1);
        call(
            "crane",
            &["push", "--insecure", text(&as_gzip(example, &image)), &copy],
        );
        validate(&["--remote", &copy]);
    }
}

fn validate(args: &[&str]) {
    let validated = run(Command::new("crane")
        .args(["validate", "--insecure"])
        .args(args));
    assert!(
        validated.succeeds().stdout.starts_with("PASS"),
        "{validated:?}"
    );
}

#[test]
fn images_of_another_architecture_hold_only_its_programs() {
    for example in EXAMPLES {
        for (arch, machine) in [("amd64", 62_u16), ("arm64", 183)] {
            let layout = Layout::open(&built(example, arch).layout);
            assert_eq!(layout.config["architecture"], arch);
            let mut programs = 0;
            for (path, entry) in layout.tree() {
                if entry.bytes.starts_with(b"\x7fELF") {
                    let found = u16::from_le_bytes([entry.bytes[18], entry.bytes[19]]);
                    assert_eq!(found, machine, "{example} for {arch}: {path}");
                    programs += 1;
                }
            }
            assert!(programs > 2, "{example} for {arch} has {programs} programs");
        }
    }
}

#[test]
fn apt_and_dpkg_accept_the_archive_of_the_other_tests() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("apt");
    for below in ["lists/partial", "archives/partial", "out"] {
        std::fs::create_dir_all(folder.join(below)).expect("a folder");
    }
    let (mirror, at) = (sandbox.server.url("debian"), folder.display());
    let source = format!(
        "deb [signed-by={}] {mirror} trixie main\n",
        sandbox.path("key.asc").display()
    );
    std::fs::write(folder.join("sources.list"), source).expect("a file");
    std::fs::write(folder.join("status"), "").expect("a file");
    let config = format!(
        "Dir::Etc::sourcelist \"{at}/sources.list\";\nDir::Etc::sourceparts \"/nonexistent\";\n\
         Dir::State::lists \"{at}/lists\";\nDir::State::status \"{at}/status\";\n\
         Dir::Cache \"{at}\";\nAPT::Architecture \"amd64\";\nAPT::Sandbox::User \"root\";\n\
         Acquire::Check-Valid-Until \"true\";\nAcquire::Languages \"none\";\n\
         Acquire::http::Proxy \"DIRECT\";\n"
    );
    std::fs::write(folder.join("apt.conf"), config).expect("a file");
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .env("APT_CONFIG", folder.join("apt.conf"))
            .current_dir(folder.join("out"));
        run(command.args(args)).succeeds().clone()
    };
    let update = {
        let _alone = APT.write().unwrap_or_else(PoisonError::into_inner);
        apt(&["update", "-qq", "--error-on=any"])
    };
    assert_eq!(update.stderr, "", "apt has something to say about it");
    let plan = apt(&["install", "-s", "hello"]).stdout;
    assert!(
        plan.contains("Inst libhello1") && plan.contains("Inst hello"),
        "{plan}"
    );
    apt(&["download", "hello", "noise"]);
    for deb in ["hello_2.10-3_amd64.deb", "noise_1%3a2.0-1_all.deb"] {
        let contents = call(
            "dpkg-deb",
            &["--contents", text(&folder.join("out").join(deb))],
        );
        assert!(contents.contains("./usr/"), "{contents}");
    }
}
