//! `imgc store`: counting, verifying, repairing, keeping and collecting, after real builds.

use std::path::{Path, PathBuf};

use imgc_tests::sandbox::{Outcome, Sandbox};
use imgc_tests::store::StoreFolder;
use serde_json::Value;

const APP: &str = "(import std/debian).image { name = \"app\"; suite = \"trixie\"; \
    variant = \"essential\"; packages = [\"noise\"]; }";

fn built() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", APP);
    sandbox.build();
    sandbox
}

fn store(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run().args(&["store"]).args(args).outcome()
}

fn json(sandbox: &Sandbox, args: &[&str]) -> Value {
    let outcome = store(sandbox, &[args, &["--json"]].concat());
    serde_json::from_str(&outcome.succeeds().stdout).expect("JSON")
}

/// The largest blob of the store.
fn largest(sandbox: &Sandbox) -> PathBuf {
    let mut all = Vec::new();
    files(&sandbox.path("home/.cache/imgc/v1/blobs"), &mut all);
    all.sort_by_key(|path| path.metadata().expect("a file").len());
    all.pop().expect("a blob")
}

fn files(folder: &Path, to: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, to);
        } else {
            to.push(path);
        }
    }
}

#[test]
fn what_a_build_left_is_counted_and_whole() {
    let sandbox = built();
    let info = json(&sandbox, &["info"]);
    let blobs = info["blobs"]["files"].as_u64().expect("a number");
    assert!(blobs > 5, "{info}");
    assert!(info["actions"]["files"].as_u64() > Some(2), "{info}");
    let text = store(&sandbox, &["info"]).succeeds().stdout.clone();
    assert!(text.starts_with("store       /"), "{text}");
    assert!(text.contains(&format!("\nblobs       {blobs}, ")), "{text}");
    let verified = json(&sandbox, &["verify"]);
    assert_eq!(verified["clean"], true);
    assert_eq!(verified["blobs"], info["blobs"]);
}

#[test]
fn a_flipped_byte_is_found_repaired_and_made_again() {
    let sandbox = built();
    let digest = sandbox.build();
    let blob = largest(&sandbox);
    let mut bytes = std::fs::read(&blob).expect("a blob");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::remove_file(&blob).expect("it can be removed");
    std::fs::write(&blob, bytes).expect("it can be written");
    let name = blob.file_name().expect("a name").to_string_lossy();
    let outcome = store(&sandbox, &["verify"]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome
            .stderr
            .contains(&format!("sha256:{name}: its bytes"))
    );
    assert!(outcome.stderr.contains("imgc store repair"));
    assert!(blob.exists(), "verifying changes nothing");
    store(&sandbox, &["repair"]).succeeds();
    assert!(!blob.exists());
    store(&sandbox, &["verify"]).succeeds();
    std::fs::remove_dir_all(sandbox.project("app.oci")).expect("a layout");
    assert_eq!(sandbox.build(), digest);
}

#[test]
fn what_is_kept_stays_and_the_next_build_makes_the_rest_again() {
    let sandbox = built();
    let kept = sandbox
        .run()
        .args(&["build", "--keep", "app.img"])
        .outcome();
    let digest = kept.digest();
    assert_eq!(json(&sandbox, &["info"])["roots"]["app"], *digest);
    let would = json(&sandbox, &["gc", "--max-size", "0", "--dry-run"]);
    let gone = json(&sandbox, &["gc", "--max-size", "0"]);
    assert_eq!(would["blobs"], gone["blobs"]);
    assert!(gone["blobs"]["files"].as_u64() > Some(0), "{gone}");
    // The manifest, the configuration, and the parts that the layer is joined of.
    let lists = StoreFolder::new(&sandbox.path("home/.cache/imgc")).files("joined");
    let [list] = &lists[..] else {
        panic!("{lists:?}")
    };
    let list = std::fs::read_to_string(list).expect("a list of parts");
    assert_eq!(
        gone["kept"]["files"],
        list.lines().count() - 1 + 2,
        "{gone}"
    );
    let path = store(&sandbox, &["path", &digest])
        .succeeds()
        .stdout
        .clone();
    let manifest = std::fs::read_to_string(path.trim()).expect("the manifest");
    assert!(manifest.contains("application/vnd.oci.image.manifest.v1+json"));
    assert_eq!(sandbox.build(), digest);
    store(&sandbox, &["release", "app"]).succeeds();
    store(&sandbox, &["release", "app"]).fails(1, &["nothing is kept under the name `app`"]);
    store(&sandbox, &["gc", "--max-size", "0"]).succeeds();
    assert_eq!(json(&sandbox, &["info"])["blobs"]["files"], 0);
    assert_eq!(sandbox.build(), digest);
}

#[test]
fn a_limit_of_the_configuration_is_kept_after_each_build() {
    let sandbox = built();
    let config = sandbox.path("home/.config/imgc/config.toml");
    let mut text = std::fs::read_to_string(&config).expect("the configuration");
    text.push_str("[store]\nmax_size = \"1kB\"\n");
    std::fs::write(&config, text).expect("a file");
    let digest = sandbox.build();
    sandbox.write(
        "app.img",
        APP.replace("\"noise\"", "\"noise\", \"scripted\""),
    );
    sandbox.run().args(&["build", "app.img"]).outcome();
    let info = json(&sandbox, &["info"]);
    assert_eq!(info["max_size"], 1000);
    assert!(info["blobs"]["bytes"].as_u64() <= Some(1000), "{info}");
    sandbox.write("app.img", APP);
    assert_eq!(sandbox.build(), digest);
}

#[test]
fn a_store_below_serves_a_build_without_the_network() {
    let sandbox = built();
    let digest = sandbox.build();
    let below = sandbox.path("shared");
    std::fs::rename(sandbox.path("home/.cache/imgc"), &below).expect("it can be moved");
    let config = sandbox.path("home/.config/imgc/config.toml");
    let mut text = std::fs::read_to_string(&config).expect("the configuration");
    text.push_str(&format!(
        "[store]\nsubstituters = [\"{}\"]\n",
        below.display()
    ));
    std::fs::write(&config, text).expect("a file");
    std::fs::remove_dir_all(sandbox.project("app.oci")).expect("a layout");
    let built = sandbox
        .run()
        .args(&["build", "--offline", "--locked", "app.img"]);
    assert_eq!(built.outcome().digest(), digest);
    assert_eq!(json(&sandbox, &["info"])["blobs"]["files"], 0);
}

#[test]
fn wrong_words_are_told() {
    let sandbox = built();
    store(&sandbox, &["path", "sha256:12"]).fails(2, &["is not a digest"]);
    let absent = format!("sha256:{}", "0".repeat(64));
    store(&sandbox, &["path", &absent]).fails(1, &["is not in the store"]);
    store(&sandbox, &["gc", "--max-size", "many"]).fails(2, &["expected a size such as 500MB"]);
}
