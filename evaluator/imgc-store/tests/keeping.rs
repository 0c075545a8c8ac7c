//! Counting, verifying, keeping and collecting, on a store in a folder.
#![expect(
    clippy::disallowed_methods,
    reason = "it looks behind the store's back"
)]

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use imgc_plan::{BlobDigest, DrvDigest};
use imgc_store::{Count, DiskStore, Limits, Store as _};

struct Place {
    folder: tempfile::TempDir,
    store: DiskStore,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = DiskStore::open(folder.path()).expect("a store");
        Self { folder, store }
    }

    fn blob_path(&self, digest: &BlobDigest) -> PathBuf {
        let hex = digest.hex();
        self.store
            .root()
            .join("blobs/sha256")
            .join(&hex[..2])
            .join(hex)
    }

    /// Puts a blob that was last used so many days ago.
    fn put(&self, bytes: &[u8], days: u64) -> BlobDigest {
        let digest = self.store.put(bytes).expect("it is stored");
        self.age(&self.blob_path(&digest), days);
        digest
    }

    fn age(&self, path: &PathBuf, days: u64) {
        let file = File::open(path).expect("the file");
        file.set_modified(ago(days)).expect("it can be marked");
    }

    fn record(&self, key: u8, blobs: &[BlobDigest], days: u64) -> DrvDigest {
        let key = DrvDigest::from_bytes([key; 32]);
        let named: Vec<String> = blobs.iter().map(|blob| blob.hex()).collect();
        let record = format!("{{\"blobs\":[\"{}\"]}}", named.join("\",\""));
        self.store
            .record(&key, record.as_bytes())
            .expect("it is recorded");
        let hex = key.hex();
        self.age(
            &self.store.root().join("actions").join(&hex[..2]).join(&hex),
            days,
        );
        key
    }

    /// Puts parts that were last used so many days ago, and joins them.
    fn join(&self, parts: &[&[u8]], days: u64) -> (BlobDigest, Vec<BlobDigest>) {
        let digests: Vec<BlobDigest> = parts.iter().map(|part| self.put(part, days)).collect();
        let sizes = parts.iter().map(|part| part.len() as u64);
        let list: Vec<_> = digests.iter().copied().zip(sizes).collect();
        let whole = BlobDigest::of(&parts.concat());
        self.store.join(&whole, &list).expect("it is joined");
        self.age(&self.list_path(&whole), days);
        (whole, digests)
    }

    fn list_path(&self, digest: &BlobDigest) -> PathBuf {
        let hex = digest.hex();
        self.store.root().join("joined").join(&hex[..2]).join(hex)
    }

    fn has(&self, digest: &BlobDigest) -> bool {
        self.blob_path(digest).exists()
    }

    fn collect(&self, limits: Limits) -> imgc_store::Collected {
        self.store.collect(&limits).expect("it can be collected")
    }
}

fn ago(days: u64) -> SystemTime {
    SystemTime::now() - Duration::from_secs(days * 86_400)
}

fn bytes(limit: u64) -> Limits {
    Limits {
        bytes: Some(limit),
        ..Limits::default()
    }
}

#[test]
fn what_is_there_is_counted() {
    let place = Place::new();
    let blob = place.put(b"four", 0);
    place.put(b"seven..", 0);
    place.record(1, &[blob], 0);
    let usage = place.store.usage().expect("it can be counted");
    let expected = Count {
        files: 2,
        bytes: 11,
    };
    assert_eq!(usage.blobs, expected);
    assert_eq!(usage.actions.files, 1);
    assert_eq!(usage.partial, Count::default());
    assert_eq!(usage.corrupt, Count::default());
    assert_eq!(
        place.store.paths(&blob).expect("found"),
        Some(vec![place.blob_path(&blob)])
    );
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let place = Place::new();
    let old = place.put(&[1; 100], 30);
    let middle = place.put(&[2; 100], 20);
    let new = place.put(&[3; 100], 10);
    let collected = place.collect(bytes(200));
    assert_eq!(
        collected.blobs,
        Count {
            files: 1,
            bytes: 100
        }
    );
    assert_eq!(
        collected.kept,
        Count {
            files: 2,
            bytes: 200
        }
    );
    assert!(!place.has(&old) && place.has(&middle) && place.has(&new));
}

#[test]
fn a_blob_is_as_fresh_as_the_newest_record_that_names_it() {
    let place = Place::new();
    let old = place.put(&[1; 100], 30);
    let named = place.put(&[2; 100], 40);
    place.record(1, &[named], 1);
    place.collect(bytes(100));
    assert!(!place.has(&old) && place.has(&named));
}

#[test]
fn finding_a_blob_is_using_it() {
    let place = Place::new();
    let found = place.put(&[1; 100], 30);
    let other = place.put(&[2; 100], 20);
    place.store.contains(&found).expect("it can be asked");
    place.collect(bytes(100));
    assert!(place.has(&found) && !place.has(&other));
}

#[test]
fn a_record_goes_with_the_first_of_its_blobs() {
    let place = Place::new();
    let old = place.put(&[1; 100], 30);
    let new = place.put(&[2; 100], 1);
    let both = place.record(1, &[old, new], 30);
    let fresh = place.record(2, &[new], 30);
    let collected = place.collect(bytes(150));
    assert_eq!(collected.actions.files, 1);
    assert_eq!(place.store.action(&both).expect("it can be asked"), None);
    assert!(
        place
            .store
            .action(&fresh)
            .expect("it can be asked")
            .is_some()
    );
}

#[test]
fn a_root_keeps_all_that_its_documents_name() {
    let place = Place::new();
    let layer = place.put(&[7; 100], 90);
    let config = place.put(
        format!("{{\"layer\":\"sha256:{}\"}}", layer.hex()).as_bytes(),
        90,
    );
    let manifest = place.put(
        format!("{{\"config\":\"sha256:{}\"}}", config.hex()).as_bytes(),
        90,
    );
    let other = place.put(&[8; 100], 1);
    place.store.keep("app", &manifest).expect("it is kept");
    for blob in [&layer, &config, &manifest] {
        place.age(&place.blob_path(blob), 90);
    }
    let collected = place.collect(bytes(0));
    assert_eq!(collected.held.files, 3);
    assert!(place.has(&layer) && place.has(&config) && place.has(&manifest));
    assert!(!place.has(&other));
    assert!(place.store.release("app").expect("it is released"));
    assert!(!place.store.release("app").expect("it is gone already"));
    place.collect(bytes(0));
    // Asking for what the root names was using it.
    assert_eq!(place.store.usage().expect("counted").blobs.files, 0);
}

#[test]
fn the_name_of_a_root_is_the_name_of_a_file() {
    let place = Place::new();
    let blob = place.put(b"x", 0);
    for name in ["", ".", "../x", "a/b", ".hidden", "a b"] {
        assert!(place.store.keep(name, &blob).is_err(), "{name}");
    }
    place
        .store
        .keep("debian-slim@1.0", &blob)
        .expect("it is kept");
    let roots = place.store.roots().expect("listed");
    assert_eq!(
        roots.into_iter().collect::<Vec<_>>(),
        [("debian-slim@1.0".to_owned(), blob)]
    );
}

#[test]
fn what_a_running_build_used_stays() {
    let place = Place::new();
    let old = place.put(&[1; 100], 30);
    let used = place.put(&[2; 100], 30);
    let build = DiskStore::open(place.folder.path()).expect("a store");
    assert_eq!(build.contains(&used).expect("it can be asked"), Some(100));
    let made = build.put(&[3; 100]).expect("it is stored");
    place.collect(bytes(0));
    assert!(!place.has(&old) && place.has(&used) && place.has(&made));
    drop(build);
    place.collect(bytes(0));
    assert!(!place.has(&used) && !place.has(&made));
}

#[test]
fn a_dry_run_removes_nothing() {
    let place = Place::new();
    let old = place.put(&[1; 100], 30);
    let collected = place.collect(Limits {
        unused_since: Some(ago(7)),
        dry_run: true,
        ..Limits::default()
    });
    assert_eq!(
        collected.blobs,
        Count {
            files: 1,
            bytes: 100
        }
    );
    assert!(place.has(&old));
}

#[test]
fn damage_is_found_and_repaired() {
    let place = Place::new();
    let flipped = place.put(b"flipped", 0);
    let emptied = place.put(b"emptied", 0);
    let cut = place.put(b"cut short", 0);
    let whole = place.put(b"whole", 0);
    let torn = place.record(1, &[whole], 0);
    for (blob, bytes) in [(flipped, &b"flopped"[..]), (emptied, b""), (cut, b"cut")] {
        let path = place.blob_path(&blob);
        fs::remove_file(&path).expect("it can be removed");
        fs::write(&path, bytes).expect("it can be written");
    }
    let hex = torn.hex();
    let record = place
        .store
        .root()
        .join("actions")
        .join(&hex[..2])
        .join(&hex);
    fs::write(&record, "imgc-action 1 torn").expect("it can be written");
    fs::write(place.store.root().join("blobs/stray"), "x").expect("it can be written");
    let verify = |repair| place.store.verify(repair, &|_| {}).expect("it can be read");
    let found = verify(false);
    let mut expected = vec![flipped, emptied, cut];
    expected.sort_unstable();
    assert_eq!(found.damaged, expected);
    assert_eq!((found.torn.len(), found.foreign.len()), (1, 1));
    assert_eq!(found.blobs, Count { files: 1, bytes: 5 });
    assert_eq!(verify(true), found, "looking changed nothing");
    let after = verify(false);
    assert!(after.is_clean());
    assert_eq!(after.blobs.files, 1);
    assert_eq!(
        place.store.contains(&flipped).expect("it can be asked"),
        None
    );
    let collected = place.collect(Limits::default());
    assert_eq!(collected.leftovers.files, 3);
    assert_eq!(
        place.store.usage().expect("counted").corrupt,
        Count::default()
    );
}

#[test]
fn builds_and_collections_at_once_lose_nothing_that_is_used() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for build in 0..4_u8 {
            let folder = place.folder.path();
            scope.spawn(move || {
                for round in 0..40_u8 {
                    let store = DiskStore::open(folder).expect("a store");
                    let shared = store.put(&[round; 500]).expect("stored");
                    let own = store.put(&[round, build]).expect("stored");
                    for digest in [shared, own] {
                        let read = store.read(&digest, 1000).expect("readable");
                        assert_eq!(read.map(|bytes| BlobDigest::of(&bytes)), Some(digest));
                    }
                }
            });
        }
        scope.spawn(|| {
            for _ in 0..40 {
                place.collect(bytes(0));
            }
        });
    });
}

#[test]
fn a_store_below_is_read_and_never_changed() {
    let below = Place::new();
    let blob = below.put(b"below", 30);
    let emptied = below.put(b"emptied", 30);
    let key = below.record(1, &[blob], 30);
    let path = below.blob_path(&emptied);
    fs::remove_file(&path).expect("it can be removed");
    fs::write(&path, b"").expect("it can be written");
    let before = state(below.store.root());
    let folder = tempfile::tempdir().expect("a folder");
    let substituters = [below.folder.path().to_owned(), PathBuf::from("/nowhere")];
    let store = DiskStore::open_over(folder.path(), &substituters).expect("a store");
    assert_eq!(store.contains(&blob).expect("it can be asked"), Some(5));
    assert_eq!(
        store.read(&blob, 10).expect("readable"),
        Some(b"below".to_vec())
    );
    assert!(store.action(&key).expect("it can be asked").is_some());
    // What is there already is not written again, and a record may follow.
    assert_eq!(store.put(b"below").expect("it is there"), blob);
    let other = DrvDigest::of(b"above");
    store.record(&other, b"made above").expect("recorded");
    assert_eq!(
        store.paths(&blob).expect("found"),
        Some(vec![below.blob_path(&blob)])
    );
    assert_eq!(store.contains(&emptied).expect("it can be asked"), None);
    let own = store.put(b"own").expect("it is stored");
    store.discard(&own).expect("it is moved aside");
    assert_eq!(state(below.store.root()), before);
    assert_eq!(store.usage().expect("counted").blobs.files, 0);
}

#[test]
fn what_is_damaged_below_is_made_again_above() {
    let below = Place::new();
    let blob = below.put(b"below", 0);
    let path = below.blob_path(&blob);
    fs::remove_file(&path).expect("it can be removed");
    fs::write(&path, b"bolow").expect("it can be written");
    let folder = tempfile::tempdir().expect("a folder");
    let substituters = [below.folder.path().to_owned()];
    let store = DiskStore::open_over(folder.path(), &substituters).expect("a store");
    assert_eq!(store.read(&blob, 10).expect("readable"), None);
    assert_eq!(store.contains(&blob).expect("it can be asked"), None);
    assert_eq!(store.put(b"below").expect("it is stored"), blob);
    assert_eq!(
        store.read(&blob, 10).expect("readable"),
        Some(b"below".to_vec())
    );
}

/// Every file below `folder`, with when it was last changed.
fn state(folder: &std::path::Path) -> Vec<(PathBuf, SystemTime)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(state(&path));
        } else {
            let meta = path.metadata().expect("a file");
            all.push((path, meta.modified().expect("a time")));
        }
    }
    all.sort();
    all
}

#[test]
fn a_joined_blob_has_no_bytes_of_its_own() {
    let place = Place::new();
    let (whole, parts) = place.join(&[b"first", b"second"], 0);
    let usage = place.store.usage().expect("it can be counted");
    assert_eq!(usage.blobs.bytes, 11);
    assert_eq!(usage.joined.files, 1);
    assert!(!place.has(&whole));
    let paths = parts.iter().map(|part| place.blob_path(part)).collect();
    assert_eq!(place.store.paths(&whole).expect("found"), Some(paths));
}

#[test]
fn the_parts_of_what_is_kept_stay() {
    let place = Place::new();
    let (whole, parts) = place.join(&[b"first", b"second"], 30);
    let document = format!("{{\"layer\":\"{whole}\"}}");
    let document = place.put(document.as_bytes(), 30);
    place.store.keep("app", &document).expect("kept");
    place.collect(bytes(0));
    assert!(parts.iter().all(|part| place.has(part)));
    assert_eq!(place.store.contains(&whole).expect("asked"), Some(11));
    assert!(place.store.release("app").expect("released"));
    // Finding them was using them, an hour ago at most: only a limit takes them.
    place.collect(bytes(0));
    assert!(!parts.iter().any(|part| place.has(part)));
    assert_eq!(place.store.contains(&whole).expect("asked"), None);
    assert!(!place.list_path(&whole).exists());
}

#[test]
fn a_part_is_as_fresh_as_what_it_is_a_part_of() {
    let place = Place::new();
    let (whole, parts) = place.join(&[&[1; 50], &[2; 50]], 40);
    let other = place.put(&[3; 100], 30);
    let key = place.record(1, &[whole], 1);
    place.collect(bytes(100));
    assert!(!place.has(&other) && parts.iter().all(|part| place.has(part)));
    assert!(place.store.action(&key).expect("asked").is_some());
    fs::remove_file(place.blob_path(&parts[0])).expect("removed");
    assert_eq!(place.store.contains(&whole).expect("asked"), None);
}

#[test]
fn damage_in_a_joined_blob_is_found_where_it_is() {
    let place = Place::new();
    let (whole, parts) = place.join(&[b"first", b"second"], 0);
    let damage = |path: &PathBuf, bytes: &[u8]| {
        fs::remove_file(path).expect("removed");
        fs::write(path, bytes).expect("written");
    };
    // A flipped byte in a part.
    damage(&place.blob_path(&parts[1]), b"secOnd");
    let dest = place.folder.path().join("out");
    place
        .store
        .export(&whole, &dest)
        .expect_err("it is damaged");
    assert!(!dest.exists() && place.has(&parts[0]) && !place.has(&parts[1]));
    place.put(b"second", 0);
    place
        .store
        .export(&whole, &dest)
        .expect("it is whole again");
    // A list that names others.
    let (_, others) = place.join(&[b"third", b"fourth"], 0);
    let wrong = BlobDigest::of(b"wrong");
    place.store.join(&wrong, &[(others[0], 5)]).expect("joined");
    let verified = place.store.verify(true, &|_| {}).expect("verified");
    assert_eq!(verified.torn, [place.list_path(&wrong)]);
    assert_eq!(place.store.contains(&wrong).expect("asked"), None);
    // A torn list.
    let text = fs::read(place.list_path(&whole)).expect("a list");
    damage(&place.list_path(&whole), &text[..text.len() - 1]);
    assert_eq!(place.store.contains(&whole).expect("asked"), None);
    let verified = place.store.verify(false, &|_| {}).expect("verified");
    assert_eq!(verified.torn, [place.list_path(&whole)]);
}
