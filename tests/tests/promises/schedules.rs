//! One digest on every schedule: whatever the number of threads, the budget of memory, and
//! what of the work is in the store already.

use std::path::{Path, PathBuf};

use imgc_tests::deb::Deb;
use imgc_tests::sandbox::Sandbox;
use imgc_tests::small;
use imgc_tests::store::StoreFolder;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::{is_clean, lines, number};

/// Images that share packages, in one layer and in many, in three compressions.
const APP: &str = r#"
let
  debian = import std/debian;
  base = debian.image {
    variant = "distroless";
    packages = ["pa", "pb", "pc", "pd", "pe", "pf", "scripted"];
    files = { "/etc/motd" = "hello\n"; };
    users = [{ name = "app"; uid = 1000; }];
  };
in {
  one = base;
  many = override { layers = { most = 6; groups = { pair = ["pa", "pf"]; }; }; } base;
  gzip = override { layers = { most = 3; compression = "gzip"; }; } base;
  plain = override { layers = { compression = "none"; }; } base;
  less = debian.image { variant = "distroless"; packages = ["pc", "scripted"]; };
}
"#;

fn packages() -> Vec<Deb> {
    let lines = [
        "pa 1 bytes=300000",
        "pb 1 bytes=200000 needs=pa",
        "pc 1 bytes=60000",
        "pd 1 bytes=40000",
        "pe 1 bytes=1000",
        "pf 1",
        "scripted 1 script=known",
    ];
    lines.map(small::package).to_vec()
}

/// A project of all images, and what a build of them says.
pub(crate) fn project() -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::with_packages(&packages());
    sandbox.write("app.img", APP);
    let expected = lines(&sandbox.run().args(&["build", "app.img"]).outcome());
    assert_eq!(expected.len(), 5, "{expected:?}");
    (sandbox, expected)
}

/// A build with a store of its own, into a folder of its own.
fn build(sandbox: &Sandbox, store: &Path, more: &[&str]) -> Vec<String> {
    let store = store.display().to_string();
    let out = format!("oci:{store}-out");
    let args = ["build", "app.img", "--store", &store, "-o", &out];
    lines(&sandbox.run().args(&args).args(more).outcome())
}

/// Takes about so many of eight files away.
fn thin_out(store: &StoreFolder, folders: &[&str], of_eight: u32, random: &mut StdRng) {
    for folder in folders {
        for path in store.files(folder) {
            if random.gen_ratio(of_eight, 8) {
                std::fs::remove_file(path).expect("it can be removed");
            }
        }
    }
}

#[test]
fn the_digests_are_those_of_every_schedule_and_store() {
    let (sandbox, expected) = project();
    let full = StoreFolder::new(&sandbox.path("home/.cache/imgc"));
    let jobs = ["1", "2", "3", "8", "16"];
    let memory = ["1M", "30M", "200M", "1G"];
    let mut random = StdRng::seed_from_u64(number("IMGC_TEST_SEED", 1));
    for round in 0..number("IMGC_TEST_SCHEDULES", 15) {
        let path: PathBuf = sandbox.path(&format!("store-{round}"));
        let store = StoreFolder::new(&path);
        let at = usize::try_from(round).expect("small");
        // Cold ones first, one for each number of threads.
        if at >= jobs.len() {
            full.copy_to(&path);
            match round % 5 {
                0 => thin_out(&store, &["blobs"], 4, &mut random),
                1 => thin_out(&store, &["actions"], 4, &mut random),
                2 => thin_out(&store, &["joined"], 4, &mut random),
                3 => thin_out(&store, &["blobs", "actions", "joined"], 4, &mut random),
                _ => thin_out(&store, &["blobs", "actions", "joined"], 1, &mut random),
            }
        }
        let (jobs, memory) = (jobs[at % jobs.len()], memory[at % memory.len()]);
        let more = ["--jobs", jobs, "--memory", memory];
        let found = build(&sandbox, &path, &more);
        assert_eq!(found, expected, "round {round}: {more:?}");
        is_clean(&sandbox, &["--store", &path.display().to_string()]);
        std::fs::remove_dir_all(path).expect("a store");
    }
}

#[test]
fn the_order_of_files_on_the_command_line_is_no_input() {
    let (sandbox, expected) = project();
    let mut random = StdRng::seed_from_u64(number("IMGC_TEST_SEED", 1));
    let mut names = ["one", "many", "gzip", "plain", "less"];
    for round in 0..3 {
        names.shuffle(&mut random);
        let store = sandbox.path(&format!("order-{round}"));
        let store = store.display().to_string();
        let files = names.map(|name| format!("app.img#{name}"));
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let out = format!("oci:{store}-out");
        let args = ["build", "--store", &store, "-o", &out];
        let mut found = lines(&sandbox.run().args(&args).args(&files).outcome());
        let mut expected = expected.clone();
        found.sort();
        expected.sort();
        // Images of `FILE#NAME` are called as they are in the file.
        assert_eq!(found, expected, "{files:?}");
    }
}
