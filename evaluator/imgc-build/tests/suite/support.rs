//! What builds in memory are made of: a mirror with one package that is made here, a lock
//! that pins it, and an image.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::AtomicBool;

use imgc_apt::Lock;
use imgc_build::{
    Builder, Event, Events, Mirrors, Registries, RegistryError, Response, Sources, Transport,
    TransportError,
};
use imgc_layer::{EntryKind, TarWriter};
use imgc_oci::read::Files;
use imgc_plan::{Arch, Base, Config, FileDigest, Image, Packages, Platform, Variant};
use imgc_store::{BlobDigest, MemoryStore, Store};
use imgc_tree::{Meta, TreePath};

/// A mirror that has one package under every address.
pub(crate) struct Mirror(pub(crate) Vec<u8>);

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

pub(crate) struct Deaf;

impl Events for Deaf {
    fn event(&self, _: Event) {}
}

impl Sources for Deaf {
    fn open(&self, _: &FileDigest) -> std::io::Result<Box<dyn Read>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// A package that is not compressed: damage to it is not found by a decompressor.
pub(crate) fn deb() -> Vec<u8> {
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

pub(crate) fn lock(deb: &[u8]) -> Lock {
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

/// The packages of [`lock`].
pub(crate) fn packages() -> Packages {
    Packages {
        suite: "trixie".to_owned(),
        variant: Variant::Distroless,
        recommends: false,
        names: vec!["a".to_owned()],
        archives: Vec::new(),
        skip: BTreeMap::new(),
        effects: BTreeMap::new(),
        exclude: Vec::new(),
        include: Vec::new(),
    }
}

/// An image of nothing.
pub(crate) fn bare() -> Image {
    Image {
        name: "app".to_owned(),
        platform: Platform { arch: Arch::Amd64 },
        base: None,
        packages: None,
        groups: Vec::new(),
        users: Vec::new(),
        files: Vec::new(),
        attributes: Vec::new(),
        config: Config::default(),
        layers: imgc_plan::Layers::default(),
        annotations: Default::default(),
        provided: Default::default(),
    }
}

/// There are no registries.
impl Registries for Deaf {
    fn open<'a>(
        &'a self,
        _: &Base,
        _: &'a dyn Store,
    ) -> Result<Box<dyn Files + 'a>, RegistryError> {
        Err(RegistryError {
            message: "nobody answers".to_owned(),
            notes: Vec::new(),
            help: None,
        })
    }
}

/// Does something with what builds in memory.
pub(crate) fn with_builder<T>(
    store: &MemoryStore,
    registries: &dyn Registries,
    work: impl FnOnce(&Builder<'_>) -> T,
) -> T {
    let mirrors = Mirrors {
        bases: BTreeMap::from([(
            "debian".to_owned(),
            vec!["http://mirror.example/debian".to_owned()],
        )]),
        ..Mirrors::default()
    };
    work(&Builder {
        store,
        transport: &Mirror(deb()),
        registries,
        mirrors: &mirrors,
        keyrings: &BTreeMap::new(),
        events: &Deaf,
        sources: &Deaf,
        now: None,
        memory: 1 << 20,
        stop: &AtomicBool::new(false),
    })
}
