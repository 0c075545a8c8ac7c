//! Whole builds in memory, from a package that is made here: what a damaged or
//! half-filled store does to them, and what the store may not hide.

use imgc_build::{AccountError, BuildError, Built};
use imgc_plan::{Config, Image, User};
use imgc_store::{BlobDigest, MemoryStore, Store};

use crate::support::{Deaf, bare, deb, lock, packages, with_builder};

fn image(user: Option<&str>) -> Image {
    Image {
        packages: Some(packages()),
        users: vec![User {
            name: "app".to_owned(),
            uid: 1000,
            gid: 0,
            comment: String::new(),
            system: false,
            home: None,
            create_home: false,
            shell: None,
            groups: Vec::new(),
            subuids: Vec::new(),
            subgids: Vec::new(),
        }],
        config: Config {
            user: user.map(str::to_owned),
            ..Config::default()
        },
        ..bare()
    }
}

fn build(store: &MemoryStore, user: Option<&str>) -> Result<Built, BuildError> {
    with_builder(store, &Deaf, |builder| {
        builder.build(&image(user), &lock(&deb()))
    })
}

/// A store with the given blobs of another, and no record of how they were made.
fn with_blobs(blobs: &[&[u8]]) -> MemoryStore {
    let store = MemoryStore::new();
    for bytes in blobs {
        store.put(bytes).expect("stored");
    }
    store
}

#[test]
fn a_damaged_package_is_never_unpacked_and_is_fetched_again() {
    let good = build(&MemoryStore::new(), None).expect("built");
    let deb = deb();
    let digest = BlobDigest::of(&deb);
    let text = b"the package's own";
    let at = deb
        .windows(text.len())
        .position(|window| window == text)
        .expect("the text is not compressed");
    // A byte of a file's text, and one of the archive's structure.
    for at in [at, 70] {
        let store = with_blobs(&[&deb]);
        let mut damaged = deb.clone();
        damaged[at] ^= 1;
        store.corrupt(&digest, &damaged);
        assert_eq!(build(&store, None).expect("built"), good);
        let kept = store.read(&digest, 1 << 20).expect("an answer");
        assert_eq!(kept.as_deref(), Some(&*deb));
    }
}

#[test]
fn who_is_named_in_the_configuration_is_checked_in_a_warm_store_too() {
    let store = MemoryStore::new();
    build(&store, None).expect("built");
    build(&store, Some("app:root")).expect("built");
    for (text, missing) in [("nobody-here", "nobody-here"), ("app:none", "none")] {
        let error = build(&store, Some(text)).expect_err("nobody of that name");
        let cold = build(&MemoryStore::new(), Some(text)).expect_err("nobody of that name");
        assert_eq!(error.to_string(), cold.to_string());
        assert!(matches!(error, BuildError::Account { error, .. }
            if error == AccountError::NoUser(missing.to_owned())));
    }
}
