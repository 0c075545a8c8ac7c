//! What only the store on disk must withstand: damage, dead processes, umasks.
#![expect(clippy::disallowed_methods, reason = "these tests damage files")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use imgc_store::{BlobDigest, Check, DiskStore, DrvDigest, Store, StoreError};

fn blob_path(store: &DiskStore, digest: &BlobDigest) -> PathBuf {
    let hex = digest.hex();
    store.root().join("blobs/sha256").join(&hex[..2]).join(hex)
}

/// Puts other bytes in the place of a read-only file.
fn damage(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).expect("removed");
    fs::write(path, bytes).expect("damaged");
}

/// File systems tell times apart that are further from each other than the system's tick.
const TICK: Duration = Duration::from_millis(20);

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).expect("a folder").count()
}

#[test]
fn the_layout_is_the_one_that_is_documented() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskStore::open(folder.path()).expect("a store");
    let digest = store.put(b"").expect("stored");
    let key = DrvDigest::of(b"");
    store.record(&key, b"x").expect("recorded");
    let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let blob = folder.path().join(format!("v1/blobs/sha256/e3/{hex}"));
    assert_eq!(blob_path(&store, &digest), blob);
    let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    assert_eq!(mode(&blob), 0o444);
    assert_eq!(mode(blob.parent().expect("a folder")), 0o755);
    let action = folder.path().join(format!("v1/actions/e3/{hex}"));
    assert_eq!(mode(&action), 0o644);
    let sum = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    let text = fs::read_to_string(action).expect("a record");
    assert_eq!(text, format!("imgc-action 1 {sum} 1\nx"));
}

#[test]
fn damaged_blobs_are_moved_aside_and_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskStore::open(folder.path()).expect("a store");
    let digest = store.put(b"some bytes").expect("stored");
    let path = blob_path(&store, &digest);

    damage(&path, b"");
    assert_eq!(store.contains(&digest).expect("an answer"), None);
    assert!(store.root().join("corrupt").join(digest.hex()).exists());
    store.put(b"some bytes").expect("stored again");

    damage(&path, b"some");
    assert!(store.open_sized(&digest, 10).expect("an answer").is_none());
    store.put(b"some bytes").expect("stored again");

    damage(&path, b"some bytEs");
    assert_eq!(
        store.verify_read(&digest).expect("an answer"),
        Check::Corrupt
    );
    assert_eq!(
        store.verify_read(&digest).expect("an answer"),
        Check::Absent
    );
    store.put(b"some bytes").expect("stored again");

    damage(&path, b"some bytEs");
    assert_eq!(store.read(&digest, 100).expect("an answer"), None);
    store.put(b"some bytes").expect("stored again");

    // It is replaced by whoever stores it, though nobody has found the damage.
    for bytes in [&b"some"[..], b"some bytEs", b"some bytes more", b""] {
        damage(&path, bytes);
        store.put(b"some bytes").expect("stored again");
        let intact = Check::Intact(10);
        assert_eq!(store.verify_read(&digest).expect("an answer"), intact);

        damage(&path, bytes);
        let mut writer = store.writer().expect("a writer");
        writer.write_all(b"some bytes").expect("written");
        writer.commit().expect("stored again");
        assert_eq!(store.verify_read(&digest).expect("an answer"), intact);
    }
}

#[test]
fn a_damaged_blob_is_never_exported() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskStore::open(&folder.path().join("store")).expect("a store");
    let digest = store.put(b"some bytes").expect("stored");
    let dest = folder.path().join("copy");
    fs::write(&dest, "what was there").expect("a file");
    sleep(TICK);
    damage(&blob_path(&store, &digest), b"some bytEs");
    let error = store.export(&digest, &dest).expect_err("damaged");
    assert!(matches!(error, StoreError::Absent(absent) if absent == digest));
    assert_eq!(fs::read(&dest).expect("a file"), b"what was there");
    assert_eq!(count(folder.path()), 2, "no temporary file is left");

    assert_eq!(store.contains(&digest).expect("an answer"), None);
    store.put(b"some bytes").expect("stored again");
    store.export(&digest, &dest).expect("exported");
    assert_eq!(fs::read(&dest).expect("a file"), b"some bytes");
}

#[test]
fn what_was_written_is_digested_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskStore::open(folder.path()).expect("a store");
    let part = store.put(b"some bytes").expect("stored");
    assert!(store.was_digested(&part));
    assert!(!store.was_digested(&part), "asked before");

    let twice = BlobDigest::of(b"some bytessome bytes");
    store
        .join(&twice, &[(part, 10), (part, 10)])
        .expect("joined");
    assert!(store.was_digested(&twice));
    assert!(!store.was_digested(&twice), "asked before");

    let again = DiskStore::open(folder.path()).expect("a store");
    assert!(!again.was_digested(&twice), "joined by another");
}

#[test]
fn what_was_written_to_is_digested_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskStore::open(folder.path()).expect("a store");
    let part = store.put(b"some bytes").expect("stored");
    let twice = BlobDigest::of(b"some bytessome bytes");
    store
        .join(&twice, &[(part, 10), (part, 10)])
        .expect("joined");
    sleep(TICK);
    damage(&blob_path(&store, &part), b"some bytEs");
    assert!(!store.was_digested(&part));
    assert!(!store.was_digested(&twice));

    let dest = folder.path().join("copy");
    let error = store.export(&twice, &dest).expect_err("damaged");
    assert!(matches!(error, StoreError::Absent(absent) if absent == twice));
    assert!(!dest.exists());
}

#[test]
fn a_torn_record_is_absent() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskStore::open(folder.path()).expect("a store");
    let key = DrvDigest::of(b"key");
    store.record(&key, b"a record").expect("recorded");
    let hex = key.hex();
    let path = store.root().join("actions").join(&hex[..2]).join(&hex);
    let whole = fs::read(&path).expect("bytes");
    for end in 0..whole.len() {
        fs::write(&path, &whole[..end]).expect("torn");
        assert_eq!(store.action(&key).expect("an answer"), None, "{end} bytes");
    }
    let mut other = whole.clone();
    *other.last_mut().expect("a byte") ^= 1;
    fs::write(&path, other).expect("damaged");
    assert_eq!(store.action(&key).expect("an answer"), None);
    fs::write(&path, whole).expect("mended");
    assert!(store.action(&key).expect("an answer").is_some());
}

#[test]
fn what_the_dead_left_is_removed_and_what_the_living_write_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let living = DiskStore::open(folder.path()).expect("a store");
    let tmp = living.root().join("tmp");
    let mut writer = living.writer().expect("a writer");
    writer.write_all(b"going on").expect("written");

    // A killed process: its files are there, its locks are not.
    fs::create_dir(tmp.join("s-dead")).expect("a folder");
    fs::write(tmp.join("s-dead/half"), b"half").expect("a file");
    fs::write(tmp.join("stray"), b"stray").expect("a file");
    let other = DiskStore::open(folder.path()).expect("a store");
    assert!(!tmp.join("s-dead").exists());
    assert!(!tmp.join("stray").exists());
    assert_eq!(count(&tmp), 2);
    drop(other);
    assert_eq!(count(&tmp), 1);

    let (digest, _) = writer.commit().expect("a blob");
    assert_eq!(living.contains(&digest).expect("an answer"), Some(8));
    let clone = living.clone();
    drop(living);
    assert_eq!(count(&tmp), 1, "a clone keeps the session");
    drop(clone);
    assert_eq!(count(&tmp), 0);
}

#[test]
fn nothing_temporary_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskStore::open(folder.path()).expect("a store");
    drop(store.writer().expect("a writer"));
    for _ in 0..2 {
        let mut writer = store.writer().expect("a writer");
        writer.write_all(b"twice the same").expect("written");
        writer.commit().expect("a blob");
    }
    let mut wrong = store.writer().expect("a writer");
    wrong.write_all(b"wrong").expect("written");
    wrong
        .commit_as(&BlobDigest::of(b"right"), 5)
        .expect_err("a mismatch");
    let sessions = fs::read_dir(store.root().join("tmp")).expect("a folder");
    for session in sessions {
        assert_eq!(count(&session.expect("an entry").path()), 0);
    }
}

#[test]
fn a_lock_on_a_removed_file_is_taken_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskStore::open(folder.path()).expect("a store");
    let key = DrvDigest::of(b"key");
    let path = store.root().join("locks").join(key.hex());
    let held = store.lock(&key).expect("the lock");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let lock = store.lock(&key).expect("the lock");
            assert!(path.exists(), "the lock is on a file that others find");
            drop(lock);
        });
        fs::remove_file(&path).expect("removed");
        drop(held);
        waiting.join().expect("no panic");
    });
}

#[test]
fn errors_name_the_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, b"").expect("a file");
    let error = DiskStore::open(&file.join("store")).expect_err("not a folder");
    assert!(matches!(&error, StoreError::Io { path, .. } if *path == file.join("store")));
}
