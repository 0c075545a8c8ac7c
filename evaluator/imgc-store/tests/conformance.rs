//! What every store must do, asked of each backend.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use imgc_store::{BlobDigest, Check, DiskStore, DrvDigest, MemoryStore, Store, StoreError};

/// A way to get another handle to the same store, as another process would.
type Reopen = Arc<dyn Fn() -> Box<dyn Store> + Send + Sync>;

/// Each case for each backend, as a test of its own.
macro_rules! conformance {
    ($($name:ident)*) => {
        mod disk {
            $(#[test]
            fn $name() {
                let folder = tempfile::tempdir().expect("a folder");
                let path = folder.path().join("store");
                super::$name(Arc::new(move || {
                    Box::new(super::DiskStore::open(&path).expect("a store"))
                }));
            })*
            use std::sync::Arc;
        }

        mod memory {
            $(#[test]
            fn $name() {
                let store = super::MemoryStore::new();
                super::$name(Arc::new(move || Box::new(store.clone())));
            })*
            use std::sync::Arc;
        }
    };
}

conformance! {
    blobs_come_back
    a_dropped_writer_leaves_nothing
    sealed_blobs_are_published_later
    a_wrong_blob_is_refused
    actions_come_back
    a_key_has_one_holder
    try_lock_does_not_wait
    a_download_goes_on
    a_wrong_download_is_dropped
    a_finished_download_lets_the_next_one_in
    many_writers_of_one_blob
    exports
    limits_and_discards
    joined_blobs
}

fn text(store: &dyn Store, digest: &BlobDigest) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut blob = store.open(digest).expect("an open store").expect("a blob");
    assert_eq!(blob.len(), {
        blob.read_to_end(&mut bytes).expect("bytes");
        bytes.len() as u64
    });
    bytes
}

fn blobs_come_back(reopen: Reopen) {
    let store = reopen();
    let missing = BlobDigest::of(b"missing");
    assert!(store.open(&missing).expect("an answer").is_none());
    assert_eq!(store.contains(&missing).expect("an answer"), None);
    assert_eq!(
        store.verify_read(&missing).expect("an answer"),
        Check::Absent
    );

    let mut writer = store.writer().expect("a writer");
    writer.write_all(b"hello ").expect("written");
    writer.write_all(b"world").expect("written");
    assert_eq!(writer.size(), 11);
    let (digest, size) = writer.commit().expect("a blob");
    assert_eq!((digest, size), (BlobDigest::of(b"hello world"), 11));

    let other = reopen();
    assert_eq!(text(&*other, &digest), b"hello world");
    assert_eq!(other.contains(&digest).expect("an answer"), Some(11));
    assert_eq!(
        other.verify_read(&digest).expect("an answer"),
        Check::Intact(11)
    );
    assert_eq!(other.put(b"hello world").expect("stored"), digest);
    let mut blob = other.open(&digest).expect("an answer").expect("a blob");
    blob.seek(SeekFrom::Start(6)).expect("moved");
    let mut rest = String::new();
    blob.read_to_string(&mut rest).expect("text");
    assert_eq!(rest, "world");

    let empty = store.put(b"").expect("stored");
    assert_eq!(text(&*other, &empty), b"");
}

fn a_dropped_writer_leaves_nothing(reopen: Reopen) {
    let store = reopen();
    let mut writer = store.writer().expect("a writer");
    writer.write_all(b"half").expect("written");
    drop(writer);
    assert_eq!(
        store.contains(&BlobDigest::of(b"half")).expect("an answer"),
        None
    );
}

fn a_wrong_blob_is_refused(reopen: Reopen) {
    let store = reopen();
    let wanted = BlobDigest::of(b"wanted");
    for (bytes, size) in [(&b"other!"[..], 6), (b"wanted", 7)] {
        let mut writer = store.writer().expect("a writer");
        writer.write_all(bytes).expect("written");
        let error = writer.commit_as(&wanted, size).expect_err("a mismatch");
        let StoreError::Mismatch {
            expected,
            expected_size,
            found,
            found_size,
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((expected, expected_size), (wanted, size));
        assert_eq!((found, found_size), (BlobDigest::of(bytes), 6));
        assert_eq!(store.contains(&wanted).expect("an answer"), None);
    }
    let mut writer = store.writer().expect("a writer");
    writer.write_all(b"wanted").expect("written");
    writer.commit_as(&wanted, 6).expect("a blob");
    assert_eq!(text(&*store, &wanted), b"wanted");
}

fn actions_come_back(reopen: Reopen) {
    let store = reopen();
    let key = DrvDigest::of(b"asked");
    assert_eq!(store.action(&key).expect("an answer"), None);
    for record in [&b"first\nrecord"[..], b"", b"second"] {
        store.record(&key, record).expect("recorded");
        assert_eq!(
            reopen().action(&key).expect("an answer").as_deref(),
            Some(record)
        );
    }
}

fn a_key_has_one_holder(reopen: Reopen) {
    let key = DrvDigest::of(b"key");
    let inside = AtomicUsize::new(0);
    let made = AtomicUsize::new(0);
    thread::scope(|scope| {
        for at in 0..8 {
            let (reopen, inside, made) = (&reopen, &inside, &made);
            scope.spawn(move || {
                // Half of them share nothing but the store's place.
                let store = reopen();
                let second = if at % 2 == 0 { reopen() } else { store };
                for _ in 0..5 {
                    let lock = second.lock(&key).expect("the lock");
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    if second.action(&key).expect("an answer").is_none() {
                        thread::yield_now();
                        made.fetch_add(1, Ordering::SeqCst);
                        second.record(&key, b"made").expect("recorded");
                    }
                    inside.fetch_sub(1, Ordering::SeqCst);
                    drop(lock);
                }
            });
        }
    });
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

fn try_lock_does_not_wait(reopen: Reopen) {
    let (one, two) = (reopen(), reopen());
    let key = DrvDigest::of(b"key");
    let held = one.try_lock(&key).expect("an answer").expect("the lock");
    assert!(one.try_lock(&key).expect("an answer").is_none());
    assert!(two.try_lock(&key).expect("an answer").is_none());
    assert!(
        two.try_lock(&DrvDigest::of(b"other"))
            .expect("an answer")
            .is_some()
    );
    drop(held);
    assert!(two.try_lock(&key).expect("an answer").is_some());
}

fn a_download_goes_on(reopen: Reopen) {
    let digest = BlobDigest::of(b"all of it");
    let mut first = reopen().partial(&digest).expect("a partial");
    assert_eq!(first.offset(), 0);
    first.write_all(b"all ").expect("written");
    drop(first);

    let store = reopen();
    let mut second = store.partial(&digest).expect("a partial");
    assert_eq!(second.offset(), 4);
    assert_eq!(store.contains(&digest).expect("an answer"), None);
    second.write_all(b"of it").expect("written");
    second.finish(9).expect("a blob");
    assert_eq!(text(&*store, &digest), b"all of it");
    assert_eq!(store.partial(&digest).expect("a partial").offset(), 0);
}

fn a_wrong_download_is_dropped(reopen: Reopen) {
    let store = reopen();
    let digest = BlobDigest::of(b"all of it");
    let mut partial = store.partial(&digest).expect("a partial");
    partial.write_all(b"somewhat else").expect("written");
    let error = partial.finish(9).expect_err("a mismatch");
    assert!(matches!(error, StoreError::Mismatch { found_size: 13, .. }));
    assert_eq!(store.contains(&digest).expect("an answer"), None);

    let mut partial = store.partial(&digest).expect("a partial");
    assert_eq!(partial.offset(), 0);
    partial.write_all(b"wrong").expect("written");
    partial.restart().expect("emptied");
    partial.write_all(b"all of it").expect("written");
    partial.finish(9).expect("a blob");
    assert_eq!(text(&*store, &digest), b"all of it");
}

/// The second waits for the first, and must not write into what has become a blob.
fn a_finished_download_lets_the_next_one_in(reopen: Reopen) {
    let digest = BlobDigest::of(b"all of it");
    let mut first = reopen().partial(&digest).expect("a partial");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let store = reopen();
            let mut second = store.partial(&digest).expect("a partial");
            assert_eq!(second.offset(), 0);
            second.write_all(b"spoilt").expect("written");
        });
        first.write_all(b"all of it").expect("written");
        first.finish(9).expect("a blob");
        waiting.join().expect("no panic");
    });
    assert_eq!(text(&*reopen(), &digest), b"all of it");
}

fn many_writers_of_one_blob(reopen: Reopen) {
    let bytes = vec![7; 300_000];
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let store = reopen();
                let mut writer = store.writer().expect("a writer");
                writer.write_all(&bytes).expect("written");
                let (digest, _) = writer.commit().expect("a blob");
                assert_eq!(
                    store.verify_read(&digest).expect("read"),
                    Check::Intact(300_000)
                );
            });
        }
    });
}

fn exports(reopen: Reopen) {
    let store = reopen();
    let folder = tempfile::tempdir().expect("a folder");
    let dest = folder.path().join("blob");
    let digest = store.put(b"bytes").expect("stored");
    for _ in 0..2 {
        store.export(&digest, &dest).expect("exported");
    }
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&dest)
        .expect("a file");
    file.write_all(b" of the user").expect("written");
    assert_eq!(text(&*store, &digest), b"bytes");
    let missing = BlobDigest::of(b"missing");
    let error = store.export(&missing, &dest).expect_err("absent");
    assert!(matches!(error, StoreError::Absent(digest) if digest == missing));
    let nowhere = folder.path().join("no/where");
    let error = store.export(&digest, &nowhere).expect_err("no folder");
    assert!(error.to_string().contains("no"), "{error}");
}

fn limits_and_discards(reopen: Reopen) {
    let store = reopen();
    let digest = store.put(b"12345").expect("stored");
    assert_eq!(
        store.read(&digest, 5).expect("read").as_deref(),
        Some(&b"12345"[..])
    );
    let error = store.read(&digest, 4).expect_err("too large");
    assert!(matches!(
        error,
        StoreError::TooLarge {
            size: 5,
            limit: 4,
            ..
        }
    ));
    assert!(store.open_sized(&digest, 5).expect("an answer").is_some());
    assert!(store.open_sized(&digest, 6).expect("an answer").is_none());
    assert_eq!(store.contains(&digest).expect("an answer"), None);
    store.discard(&digest).expect("nothing to do");
}

fn sealed_blobs_are_published_later(reopen: Reopen) {
    let store = reopen();
    let seal = |bytes: &[u8]| {
        let mut writer = store.writer().expect("a writer");
        writer.write_all(bytes).expect("written");
        let sealed = writer.seal().expect("sealed");
        assert_eq!(sealed.digest(), BlobDigest::of(bytes));
        assert_eq!(sealed.size(), bytes.len() as u64);
        sealed
    };
    let (first, second, dropped) = (seal(b"first"), seal(b"second"), seal(b"dropped"));
    for bytes in [&b"first"[..], b"second", b"dropped"] {
        let found = store.contains(&BlobDigest::of(bytes)).expect("an answer");
        assert_eq!(found, None, "nothing is published yet");
    }
    drop(dropped);
    second.publish().expect("published");
    first.publish().expect("published");
    drop(store);
    let store = reopen();
    assert_eq!(text(&*store, &BlobDigest::of(b"first")), b"first");
    assert_eq!(text(&*store, &BlobDigest::of(b"second")), b"second");
    let dropped = BlobDigest::of(b"dropped");
    assert_eq!(store.contains(&dropped).expect("an answer"), None);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a file that was exported is read"
)]
fn joined_blobs(reopen: Reopen) {
    let store = reopen();
    let parts = [&b"one, "[..], b"", b"two, ", b"three"].map(|part| {
        let digest = store.put(part).expect("stored");
        (digest, part.len() as u64)
    });
    let whole = BlobDigest::of(b"one, two, three");
    store.join(&whole, &parts).expect("joined");
    drop(store);
    let store = reopen();
    assert_eq!(store.contains(&whole).expect("an answer"), Some(15));
    assert_eq!(text(&*store, &whole), b"one, two, three");
    assert_eq!(
        store.read(&whole, 15).expect("read").as_deref(),
        Some(&b"one, two, three"[..])
    );
    let mut blob = store.open(&whole).expect("open").expect("a blob");
    for (at, expected) in [(5, "two, three"), (0, "one, two"), (12, "ree")] {
        let mut buf = vec![0; expected.len()];
        blob.seek(SeekFrom::Start(at)).expect("a place");
        blob.read_exact(&mut buf).expect("bytes");
        assert_eq!(buf, expected.as_bytes());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let dest = folder.path().join("whole");
    store.export(&whole, &dest).expect("exported");
    assert_eq!(std::fs::read(&dest).expect("a file"), b"one, two, three");
}
