//! Images laid over others of Debian's docker-registry. Packages over a base are what
//! `apt-get install` makes of it in a chroot, path for path: over a base of mmdebstrap, with
//! layers of somebody else, and over one that imgc has made.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::PoisonError;

use imgc_tests::fidelity::{self, Difference, Exclusions, Tree};
use imgc_tests::layout::Layout;
use imgc_tests::sandbox::Outcome;
use serde_json::Value;

use crate::fidelity::APT;
use crate::place::{PLACE, call, imgc_command, run};
use crate::podman::confined_output;
use crate::registry::Registry;

fn folder(name: &str) -> PathBuf {
    let folder = PLACE.join("out").join(name);
    std::fs::create_dir_all(folder.join(".git")).expect("a folder");
    folder
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Runs imgc in a project.
fn imgc(project: &Path, args: &[&str]) -> Outcome {
    let mut command = imgc_command();
    command.current_dir(project).args(args);
    // A login of whoever runs this is none of the test's.
    command.env("REGISTRY_AUTH_FILE", project.join("auth.json"));
    run(&mut command)
}

/// Debian with apt and nothing else, as an archive.
fn mmdebstrap(archive: &Path) {
    let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let (debian, security) = fidelity::mirrors();
    let security = security.expect("this machine's apt sources name a security archive");
    let source = |mirror: &str, dist: &str| format!("deb [signed-by={keys}] {mirror} {dist} main");
    let mut command = Command::new("mmdebstrap");
    command
        .env("LC_ALL", "C.UTF-8")
        .args(["--quiet", "--variant=apt", "trixie"])
        .arg(archive)
        .args([
            source(&debian, "trixie"),
            source(&debian, "trixie-updates"),
            source(&security, "trixie-security"),
        ]);
    let _quiet = APT.read().unwrap_or_else(PoisonError::into_inner);
    run(&mut command).succeeds();
}

/// A layer of somebody else, over that: a file more, one that is gone, and a folder that a
/// file takes the place of.
fn second_layer(archive: &Path) {
    let mut layer = tar::Builder::new(File::create(archive).expect("a file"));
    for (path, text) in [
        ("srv/app", "of the base\n"),
        ("etc/.wh.issue.net", ""),
        ("usr/.wh.games", ""),
        ("usr/games", "a file now\n"),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_700_000_000);
        header.set_size(text.len() as u64);
        header.set_cksum();
        let added = layer.append_data(&mut header, path, text.as_bytes());
        added.expect("an entry");
    }
    layer.finish().expect("an archive");
}

/// The same in a folder.
fn apply_second(root: &Path) {
    std::fs::remove_file(root.join("etc/issue.net")).expect("a file");
    std::fs::remove_dir_all(root.join("usr/games")).expect("a folder");
    for (path, text) in [("srv/app", "of the base\n"), ("usr/games", "a file now\n")] {
        std::fs::write(root.join(path), text).expect("a file");
    }
}

/// What is different, for a person. What apt itself leaves behind is not looked at: the
/// folder in which `dpkg-preconfigure`, which it calls before dpkg, unpacks questions.
fn differences(ours: &Tree, theirs: &Tree) -> Vec<String> {
    let compared = fidelity::compare(ours, theirs, &Exclusions::read());
    assert!(compared.compared > 3_000, "{}", compared.compared);
    let said = compared.differences.iter();
    said.filter(|one| one.path != "/var/cache/debconf/tmp.ci")
        .map(|Difference { path, what, sides }| format!("{path}: {what}\n  {sides}"))
        .collect()
}

fn blobs(manifest: &Value) -> Vec<&Value> {
    let layers = manifest["layers"].as_array().expect("layers");
    layers.iter().map(|layer| &layer["digest"]).collect()
}

#[test]
fn packages_over_a_base_are_as_apt_installs_them() {
    let registry = Registry::start("bases", false);
    let project = folder("bases");
    let (first, second) = (project.join("first.tar"), project.join("second.tar"));
    mmdebstrap(&first);
    second_layer(&second);
    let layout = shown(&project.join("base.oci"));
    let image = format!("{layout}:base");
    call("umoci", &["init", "--layout", &layout]);
    call("umoci", &["new", "--image", &image]);
    for archive in [&first, &second] {
        call(
            "umoci",
            &["raw", "add-layer", "--image", &image, &shown(archive)],
        );
    }
    let config = ["--config.env", "OF=base", "--config.workingdir", "/srv"];
    call(
        "umoci",
        &[&["config", "--image", &image], &config[..]].concat(),
    );
    let named = format!("docker://{}/debian:trixie", registry.address);
    let from = format!("oci:{image}");
    call(
        "skopeo",
        &["copy", "-q", "--dest-tls-verify=false", &from, &named],
    );
    let plain = "--tls-verify=false";
    let manifest = call("skopeo", &["inspect", plain, "--raw", &named]);
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    let digest = call(
        "skopeo",
        &["inspect", plain, "--format", "{{.Digest}}", &named],
    );

    let text = format!(
        "(import std/debian).image {{\n  name = \"app\"; suite = \"trixie\";\n  \
         base = \"{}/debian@{}\";\n  packages = [\"curl\", \"nginx-light\", \"python3-minimal\"];\n  \
         config = {{ cmd = [\"/usr/bin/curl\", \"--version\"]; }};\n}}\n",
        registry.address,
        digest.trim()
    );
    std::fs::write(project.join("app.img"), text).expect("a file");
    let ours = project.join("ours.oci");
    let to = format!("oci:{}", shown(&ours));
    let built = imgc(&project, &["build", "app.img", "-o", &to]);
    built.succeeds();
    let built = Layout::open(&ours);

    // The base's layers are its own, byte for byte, and one is added.
    let lower = blobs(&manifest);
    let all = blobs(&built.manifest);
    assert_eq!((&all[..2], all.len()), (&lower[..], 3));
    assert_eq!(built.config["config"]["WorkingDir"], "/srv");
    let env = built.config["config"]["Env"].to_string();
    assert!(env.contains("\"OF=base\""), "{env}");

    // In a root folder of the same base, apt and dpkg come to the same.
    let root = project.join("root");
    std::fs::create_dir_all(&root).expect("a folder");
    call("tar", &["-xpf", &shown(&first), "-C", &shown(&root)]);
    apply_second(&root);
    let policy = root.join("usr/sbin/policy-rc.d");
    std::fs::write(&policy, "#!/bin/sh\nexit 101\n").expect("a file");
    call("chmod", &["755", &shown(&policy)]);
    let mut apt = Command::new("chroot");
    apt.arg(&root).args(["env", "-i"]).args([
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL=C.UTF-8",
        "DEBIAN_FRONTEND=noninteractive",
        "sh",
        "-c",
        "apt-get update -q && apt-get install -y -q --no-install-recommends curl nginx-light \
         python3-minimal",
    ]);
    run(&mut apt).succeeds();
    std::fs::remove_file(&policy).expect("the policy");
    let reference = project.join("reference.tar");
    let xattrs = "--xattrs-include=*";
    call(
        "tar",
        &[
            "--xattrs",
            xattrs,
            "-C",
            &shown(&root),
            "-cf",
            &shown(&reference),
            ".",
        ],
    );
    let mut theirs = Tree::default();
    theirs.apply(BufReader::new(File::open(&reference).expect("an archive")));
    let found = differences(&Tree::of_layout(&built), &theirs);
    assert!(found.is_empty(), "{}", found.join("\n"));
    std::fs::remove_dir_all(&root).expect("the root folder");

    // It runs, as what it is.
    let ran = confined_output(&to, &[], &[]);
    assert!(ran.succeeds().stdout.starts_with("curl "), "{ran:?}");

    // Only what is above the base is sent, and nothing is asked of the registry again.
    let app = format!("{}/team/app:1", registry.address);
    let pushed = imgc(&project, &["push", "-v", "--insecure", "app.img", &app]);
    pushed.succeeds();
    let said = "sent 2 of 4 blobs";
    assert!(pushed.stderr.contains(said), "{pushed:?}");
    assert!(
        pushed.stderr.contains("mounted 2 from another repository"),
        "{pushed:?}"
    );
    drop(registry);
    let again = imgc(&project, &["build", "--offline", "--locked", "app.img"]);
    assert!(again.succeeds().stdout.contains(&built.digest), "{again:?}");
}

#[test]
fn packages_over_an_image_of_imgc_are_as_if_built_at_once() {
    let registry = Registry::start("bases-own", false);
    let project = folder("bases-own");
    let image = |name: &str, more: &str| {
        let text = format!(
            "(import std/debian).image {{ name = \"{name}\"; suite = \"trixie\"; {more} }}\n"
        );
        std::fs::write(project.join(format!("{name}.img")), text).expect("a file");
    };
    image("base", "packages = [\"ca-certificates\"];");
    let to = format!("{}/own/base:1", registry.address);
    let pushed = imgc(&project, &["push", "--insecure", "base.img", &to]);
    let line = pushed.succeeds().stdout.trim().replace(' ', "@");
    let packages = "\"adduser\", \"nginx-light\", \"python3-minimal\"";
    image(
        "over",
        &format!("base = \"{line}\"; packages = [{packages}];"),
    );
    image(
        "direct",
        &format!("packages = [\"ca-certificates\", {packages}];"),
    );
    let tree = |name: &str| {
        let layout = project.join(format!("{name}.oci"));
        let to = format!("oci:{}", shown(&layout));
        imgc(&project, &["build", &format!("{name}.img"), "-o", &to]).succeeds();
        Tree::of_layout(&Layout::open(&layout))
    };
    let found = differences(&tree("over"), &tree("direct"));
    assert!(found.is_empty(), "{}", found.join("\n"));

    // What can't be right is refused, and says why.
    image(
        "other",
        &format!("base = \"{line}\"; packages = [\"libc6=2.0\"];"),
    );
    let version = imgc(&project, &["build", "other.img"]);
    version.fails(1, &["libc6", "2.0"]);
    let text = format!(
        "(import std/debian).image {{ name = \"old\"; suite = \"bookworm\"; base = \"{line}\"; \
         packages = [\"hello\"]; }}\n"
    );
    std::fs::write(project.join("old.img"), text).expect("a file");
    let release = imgc(&project, &["build", "old.img"]);
    release.fails(1, &["it is trixie", "bookworm", "IMG0535"]);
}
