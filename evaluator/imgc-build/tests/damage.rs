//! Whole builds in memory, from a package that is made here: what a damaged or
//! half-filled store does to them, and what the store may not hide.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::AtomicBool;

use imgc_apt::Lock;
use imgc_build::{
    AccountError, BuildError, Builder, Built, Event, Events, Mirrors, Response, Sources, Transport,
    TransportError,
};
use imgc_layer::{EntryKind, TarWriter};
use imgc_plan::{Arch, Config, FileDigest, Image, Packages, Platform, User, Variant};
use imgc_store::{BlobDigest, MemoryStore, Store};
use imgc_tree::{Meta, TreePath};

/// A mirror that has one package under every address.
struct Mirror(Vec<u8>);

impl Transport for Mirror {
    fn get(&self, _: &str, from: u64) -> Result<Response, TransportError> {
        let rest = self.0[usize::try_from(from).expect("small")..].to_vec();
        Ok(Response {
            body: Box::new(std::io::Cursor::new(rest)),
            start: from,
        })
    }

    fn wait(&self, _: u32) {}
}

struct Deaf;

impl Events for Deaf {
    fn event(&self, _: Event) {}
}

impl Sources for Deaf {
    fn open(&self, _: &FileDigest) -> std::io::Result<Box<dyn Read>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// A package that is not compressed: damage to it is not found by a decompressor.
fn deb() -> Vec<u8> {
    let tar = |files: &[(&str, &str)]| {
        let mut tar = TarWriter::new(Vec::new());
        for (path, text) in files {
            let meta = Meta {
                mode: 0o644,
                ..Meta::default()
            };
            let kind = EntryKind::Regular {
                size: text.len() as u64,
                body: &mut text.as_bytes(),
            };
            let path = TreePath::new(path.as_bytes()).expect("a path");
            tar.entry(&path, &meta, kind).expect("an entry");
        }
        tar.finish().expect("an archive")
    };
    let control = "Package: a\nVersion: 1\nArchitecture: all\nMaintainer: A <a@mail.example>\n";
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar", tar(&[("control", control)])),
        (
            "data.tar",
            tar(&[("usr/share/a", "the package's own text")]),
        ),
    ];
    let mut deb = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let size = bytes.len();
        let header = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
            0, 0, 0, 100_644
        );
        deb.extend_from_slice(header.as_bytes());
        deb.extend_from_slice(&bytes);
    }
    deb
}

fn lock(deb: &[u8]) -> Lock {
    let digest = BlobDigest::of(deb).hex();
    let text = format!(
        "version = 2\n\n[[archive]]\nid = \"debian\"\ndist = \"trixie\"\nsuite = \"stable\"\n\
         codename = \"trixie\"\ndate = 2026-01-01T00:00:00Z\n\
         release = {{ sha256 = \"{digest}\", size = 1 }}\n\
         signers = [\n    \"41587F7DB8C774BCCF131416762F67A0B2C39DE4\",\n]\n\
         indices = [\n    {{ path = \"main/binary-amd64/Packages.xz\", sha256 = \"{digest}\", size = 1 }},\n]\n\n\
         [[set]]\nsuite = \"trixie\"\narch = \"amd64\"\nvariant = \"distroless\"\nrecommends = false\n\
         names = [\n    \"a\",\n]\narchives = [\n    \"trixie 2026-01-01T00:00:00Z\",\n]\n\
         packages = [\n    \"a 1 all\",\n]\ncalls = [\n    \"unpack a\",\n    \"pending\",\n]\n\n[pinned]\npackages = [\n    \
         {{ name = \"a\", version = \"1\", arch = \"all\", archive = \"debian\", \
         path = \"pool/a.deb\", size = {}, sha256 = \"{digest}\" }},\n]\n",
        deb.len()
    );
    Lock::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn image(user: Option<&str>) -> Image {
    Image {
        name: "app".to_owned(),
        platform: Platform { arch: Arch::Amd64 },
        packages: Some(Packages {
            suite: "trixie".to_owned(),
            variant: Variant::Distroless,
            recommends: false,
            names: vec!["a".to_owned()],
            archives: Vec::new(),
            skip: std::collections::BTreeMap::new(),
            effects: std::collections::BTreeMap::new(),
            exclude: Vec::new(),
            include: Vec::new(),
        }),
        groups: Vec::new(),
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
        files: Vec::new(),
        attributes: Vec::new(),
        config: Config {
            user: user.map(str::to_owned),
            ..Config::default()
        },
        layers: imgc_plan::Layers::default(),
        annotations: Default::default(),
        provided: Default::default(),
    }
}

fn build(store: &MemoryStore, user: Option<&str>) -> Result<Built, BuildError> {
    let deb = deb();
    let mirrors = Mirrors {
        bases: BTreeMap::from([(
            "debian".to_owned(),
            vec!["http://mirror.example/debian".to_owned()],
        )]),
        ..Mirrors::default()
    };
    let lock = lock(&deb);
    let builder = Builder {
        store,
        transport: &Mirror(deb),
        mirrors: &mirrors,
        keyrings: &BTreeMap::new(),
        events: &Deaf,
        sources: &Deaf,
        now: None,
        memory: 1 << 20,
        stop: &AtomicBool::new(false),
    };
    builder.build(&image(user), &lock)
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
