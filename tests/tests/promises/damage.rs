//! Damage to any file of a store: found, never handed out, and mended by the next build
//! itself.

use std::path::{Path, PathBuf};

use imgc_tests::archive::sum;
use imgc_tests::layout::Layout;
use imgc_tests::sandbox::Sandbox;
use imgc_tests::small;
use imgc_tests::store::{Harm, StoreFolder};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{Rng as _, SeedableRng as _};

use crate::schedules::project;
use crate::{is_clean, lines, number, store};

const APP: &str = r#"(import std/debian).image {
  variant = "distroless";
  packages = ["pa", "pb", "scripted"];
  files = { "/etc/motd" = "hello\n"; };
  layers = { most = 3; };
}"#;

fn built() -> (Sandbox, String) {
    let lines = [
        "pa 1 bytes=60000",
        "pb 1 bytes=30000",
        "scripted 1 script=known",
    ];
    let sandbox = Sandbox::with_packages(&lines.map(small::package));
    sandbox.write("app.img", APP);
    let digest = sandbox.build();
    (sandbox, digest)
}

fn forget_the_layout(sandbox: &Sandbox) {
    std::fs::remove_dir_all(sandbox.project("app.oci")).expect("a layout");
}

/// All files of a store that hold anything.
fn all(store: &StoreFolder) -> Vec<PathBuf> {
    let folders = ["blobs", "joined", "actions"];
    folders
        .iter()
        .flat_map(|folder| store.files(folder))
        .collect()
}

/// Builds, and checks that a whole layout comes of it.
#[track_caller]
fn mends(sandbox: &Sandbox, digest: &str, what: &str) {
    let outcome = sandbox.run().args(&["build", "app.img"]).outcome();
    assert_eq!(outcome.code, Some(0), "{what}: {}", outcome.stderr);
    assert_eq!(outcome.digest(), digest, "{what}");
    // It reads and digests every blob.
    assert_eq!(
        Layout::open(&sandbox.project("app.oci")).digest,
        digest,
        "{what}"
    );
}

#[test]
fn any_one_file_that_is_harmed_is_mended_by_the_next_build() {
    let (sandbox, digest) = built();
    let store = store(&sandbox);
    let mut at = 0;
    while let Some(path) = all(&store).get(at).cloned() {
        // Each file once, each harm in turn.
        let harm = Harm::ALL[at % Harm::ALL.len()];
        at += 1;
        let what = format!("{harm:?} {}", path.display());
        harm.strike(&path);
        if harm != Harm::Removed {
            let verify = sandbox.run().args(&["store", "verify"]).outcome();
            assert_eq!(verify.code, Some(1), "{what} is not found");
        }
        forget_the_layout(&sandbox);
        mends(&sandbox, &digest, &what);
        // What nobody asked for may still be harmed: that is for `repair`.
        sandbox.run().args(&["store", "repair"]).outcome();
        is_clean(&sandbox, &[]);
    }
    assert!(at > 12, "{at} files");
}

#[test]
fn every_file_that_is_harmed_at_once_is_mended_by_one_build() {
    let (sandbox, digest) = built();
    let store = store(&sandbox);
    for harm in Harm::ALL {
        // The layers' parts alone, all blobs, everything.
        let parts = store.unpacked().into_values();
        let parts: Vec<PathBuf> = parts.map(|one| store.blob(&one.segment)).collect();
        for files in [parts, store.files("blobs"), all(&store)] {
            for path in files.iter().filter(|path| path.is_file()) {
                harm.strike(path);
            }
            forget_the_layout(&sandbox);
            mends(
                &sandbox,
                &digest,
                &format!("{harm:?} of {} files", files.len()),
            );
            sandbox.run().args(&["store", "repair"]).outcome();
            is_clean(&sandbox, &[]);
        }
    }
}

/// `IMGC_TEST_HARMS` says how often, `IMGC_TEST_SEED` which.
#[test]
fn any_mix_of_harm_to_several_images_is_mended_by_one_build() {
    let (sandbox, expected) = project();
    let store = store(&sandbox);
    let mut random = StdRng::seed_from_u64(number("IMGC_TEST_SEED", 1));
    for round in 0..number("IMGC_TEST_HARMS", 5) {
        let share = random.gen_range(0.02..0.9);
        let mut harmed = 0;
        for path in all(&store) {
            if random.gen_bool(share) {
                let harm = Harm::ALL.choose(&mut random).expect("there are some");
                harm.strike(&path);
                harmed += 1;
            }
        }
        let out = format!("oci:mixed-{round}");
        let args = ["build", "app.img", "-o", &out, "--jobs", "4"];
        let outcome = sandbox.run().args(&args).outcome();
        let what = format!("round {round}, {harmed} harmed: {}", outcome.stderr);
        assert_eq!(outcome.code, Some(0), "{what}");
        assert_eq!(lines(&outcome), expected, "{what}");
        // What was written is what is named, byte by byte.
        let out = sandbox.project(&format!("mixed-{round}"));
        for path in files(&out.join("blobs")) {
            let name = path.file_name().expect("a name").to_string_lossy();
            let bytes = std::fs::read(&path).expect("a blob");
            assert_eq!(sum(&bytes), name, "{what}");
        }
        std::fs::remove_dir_all(out).expect("a layout");
        sandbox.run().args(&["store", "repair"]).outcome();
        is_clean(&sandbox, &[]);
    }
}

#[test]
fn an_archive_is_written_whole_or_not_at_all() {
    let (sandbox, digest) = built();
    let store = store(&sandbox);
    let args = ["build", "app.img", "-o", "oci-archive:app.tar"];
    let write = || {
        let outcome = sandbox.run().args(&args).outcome();
        assert_eq!(outcome.digest(), digest);
        std::fs::read(sandbox.project("app.tar")).expect("an archive")
    };
    let whole = write();
    for harm in Harm::ALL {
        for path in store.files("blobs") {
            harm.strike(&path);
        }
        assert!(write() == whole, "{harm:?}: another archive");
    }
}

#[test]
fn a_new_image_of_damaged_packages_is_the_one_of_whole_ones() {
    let (sandbox, before) = built();
    let store = store(&sandbox);
    // In each compression, the parts are read on another way.
    for compression in ["zstd", "gzip", "none", "zstd:1"] {
        let layers = format!("layers = {{ compression = \"{compression}\"; most");
        sandbox.write("app.img", APP.replace("layers = { most", &layers));
        let cold = sandbox.path(&format!("cold-{compression}"));
        let cold = cold.display().to_string();
        let args = ["build", "app.img", "-o", "oci:cold", "--store", &cold];
        let expected = sandbox.run().args(&args).outcome().digest();
        assert!(compression == "zstd" || expected != before);
        for unpacked in store.unpacked().values() {
            Harm::Flipped.strike(&store.blob(&unpacked.segment));
        }
        forget_the_layout(&sandbox);
        mends(&sandbox, &expected, compression);
        std::fs::remove_dir_all(sandbox.project("cold")).expect("a layout");
        sandbox.run().args(&["store", "repair"]).outcome();
    }
}

#[test]
fn a_store_that_can_t_be_made_is_said_and_one_below_serves_it() {
    let (sandbox, digest) = built();
    // Root may write everywhere: what it can't is to make a folder below a file.
    let file = sandbox.path("no-folder");
    std::fs::write(&file, "").expect("a file");
    let path = file.join("store").display().to_string();
    let args = ["build", "app.img", "--store", &path];
    let outcome = sandbox.run().args(&args).outcome();
    outcome.fails(1, &["no-folder"]);
    let below = sandbox.path("below");
    std::fs::rename(sandbox.path("home/.cache/imgc"), &below).expect("it can be moved");
    let before = state(&below);
    let config = sandbox.path("home/.config/imgc/config.toml");
    let mut text = std::fs::read_to_string(&config).expect("the configuration");
    text.push_str(&format!(
        "[store]\nsubstituters = [\"{}\"]\n",
        below.display()
    ));
    std::fs::write(&config, text).expect("a file");
    // A part of a layer below is damaged: it is made above, and stays as it is below.
    let folder = StoreFolder::new(&below);
    let part = folder
        .unpacked()
        .remove("pa")
        .expect("it is unpacked")
        .segment;
    Harm::Flipped.strike(&folder.blob(&part));
    let harmed = std::fs::read(folder.blob(&part)).expect("a blob");
    forget_the_layout(&sandbox);
    mends(&sandbox, &digest, "below");
    assert_eq!(std::fs::read(folder.blob(&part)).expect("a blob"), harmed);
    assert_eq!(
        state(&below),
        before,
        "a store that is only read was changed"
    );
    is_clean(&sandbox, &[]);
}

/// The names and sizes of all files of a folder.
fn state(folder: &Path) -> Vec<(PathBuf, u64)> {
    let size = |path: &PathBuf| path.metadata().expect("a file").len();
    let all = files(folder).into_iter();
    all.map(|path| (path.clone(), size(&path))).collect()
}

/// All files of a folder and of the folders in it, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => all.push(path),
            }
        }
    }
    all.sort();
    all
}
