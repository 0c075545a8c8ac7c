//! The bytes themselves. Whoever changes one of these digests changes the digest of
//! every image. The version constant of the code that writes them is to be raised
//! with it: `TAR_ABI`, `ZSTD_ABI`, `MANIFEST_ABI`.

use imgc_layer::{
    Compression, EntryKind, GZIP_ABI, Layer, SegmentWriter, StoreContents, TAR_ABI, ZSTD_ABI,
    assemble, plan_layer,
};
use imgc_oci::{Image, ImageSpec, LayerUse, Layout, MANIFEST_ABI, Tagged, Target, write_image};
use imgc_plan::{Config, Platform};
use imgc_store::{BlobDigest, MemoryStore, Store};
use imgc_tree::{Content, Kind, Meta, Node, Tree, TreePath};

fn path(text: &[u8]) -> TreePath {
    TreePath::new(text).expect("a path")
}

/// A small tree with one of everything.
fn tree() -> Tree {
    let mut tree = Tree::new(1_700_000_000);
    let mut put = |at: &[u8], node: Node| {
        tree.make_parents(&path(at), 1_600_000_000)
            .expect("parents");
        tree.insert(&path(at), node).expect("inserted");
    };
    let file = |text: &str| Node::file(Content::inline(text.as_bytes()), 0o644, 1_500_000_000);
    put(b"etc/motd", file("hello\n"));
    put(b"bin", Node::symlink(&b"usr/bin"[..], 1));
    put(b"tmp", Node::directory(0o1777, 2));
    put("größe".as_bytes(), file("text"));
    put(b"\xff", file("not text"));
    put(
        &[b'n'; 120],
        file(&"a longer text, repeated; ".repeat(10_000)),
    );
    let mut ping = file("ping");
    ping.meta = Meta {
        mode: 0o4755,
        uid: 3_000_000,
        gid: 7,
        mtime: -1,
        ..ping.meta
    };
    // cap_net_raw=ep, as the kernel stores it.
    let mut capability = vec![1, 0, 0, 2, 0, 0x20];
    capability.resize(20, 0);
    let xattrs = &mut ping.meta.xattrs;
    xattrs.insert("security.capability".into(), capability);
    put(b"usr/bin/ping", ping);
    let meta = Meta {
        mode: 0o600,
        ..Meta::default()
    };
    put(
        b"dev/null",
        Node {
            meta: meta.clone(),
            kind: Kind::CharDevice { major: 1, minor: 3 },
        },
    );
    put(
        b"dev/disk",
        Node {
            meta: meta.clone(),
            kind: Kind::BlockDevice { major: 8, minor: 0 },
        },
    );
    put(
        b"dev/pipe",
        Node {
            meta,
            kind: Kind::Fifo,
        },
    );
    tree.link(&path(b"usr/bin/ping6"), &path(b"usr/bin/ping"))
        .expect("linked");
    tree
}

fn layer(store: &MemoryStore) -> Layer {
    compressed(store, Compression::default())
}

fn compressed(store: &MemoryStore, compression: Compression) -> Layer {
    let recipe = plan_layer(&tree(), None, &[]).expect("a recipe");
    assemble(
        store,
        &recipe,
        compression,
        &[],
        &StoreContents::new(store, None),
    )
    .expect("a layer")
}

fn image(store: &MemoryStore) -> Image {
    let layers = [LayerUse {
        layer: layer(store),
        created_by: "imgc files".into(),
    }];
    let config = Config {
        cmd: vec!["/usr/bin/ping".into()],
        ..Config::default()
    };
    let platform = Platform::DEFAULT;
    let spec = ImageSpec {
        base: None,
        platform,
        epoch: 1_700_000_000,
        config: &config,
        annotations: &Default::default(),
        layers: &layers,
    };
    write_image(store, &spec).expect("an image")
}

#[test]
fn tar() {
    let store = MemoryStore::new();
    let made = layer(&store);
    let golden = "sha256:ea786b332be9168f6cd7356e337ea6fe408d86536881bd27909f598c29d67d1f";
    assert_eq!((TAR_ABI, made.diff_id.to_string().as_str()), (1, golden));
}

#[test]
fn zstd() {
    let store = MemoryStore::new();
    let golden = "sha256:5f2fd1ac55e75411dfac71eef8be891eb1b50e2361154d5ef5e75f6ba3f5210f";
    let found = layer(&store).blob.to_string();
    assert_eq!((ZSTD_ABI, found.as_str()), (2, golden));
}

#[test]
fn zstd_at_other_levels() {
    let store = MemoryStore::new();
    let found = [1, 19].map(|level| {
        compressed(&store, Compression::Zstd(level))
            .blob
            .to_string()
    });
    let golden = [
        "sha256:7aa7d1d3747aba30e6e0d1394c1645b2f7f23a3453393fe16a285960e36c3042",
        "sha256:08bf3379ac5c1fb2fd2dfc1aa402ca85f10f1194c636cfabe45e8a3cb4801c6d",
    ];
    assert_eq!((ZSTD_ABI, found), (2, golden.map(str::to_owned)));
}

#[test]
fn gzip() {
    let store = MemoryStore::new();
    let found = [1, 6, 9].map(|level| {
        compressed(&store, Compression::Gzip(level))
            .blob
            .to_string()
    });
    let golden = [
        "sha256:54f93b6e85aac02573efef51c364bdfd029ff52b4766a214aec8a4abefae2b6b",
        "sha256:69aeca404f8906dbbe57684123c4a4b58baebdb836f90acc6cf17beff784eb09",
        "sha256:d02943e1dab26d9c7621f3776e673e41cc6c284c69d74753c45af311468528be",
    ];
    assert_eq!((GZIP_ABI, found), (1, golden.map(str::to_owned)));
}

#[test]
fn not_compressed() {
    let store = MemoryStore::new();
    let made = compressed(&store, Compression::None);
    assert_eq!(made.blob.hex(), made.diff_id.hex());
    assert_eq!(made.diff_id, layer(&store).diff_id);
}

#[test]
fn segment() {
    let mut writer = SegmentWriter::new(Vec::new()).expect("zstd");
    let body = "some bytes that come again and again ".repeat(20_000);
    let meta = Meta {
        mode: 0o644,
        mtime: 1_500_000_000,
        ..Meta::default()
    };
    let kind = EntryKind::Regular {
        size: body.len() as u64,
        body: &mut body.as_bytes(),
    };
    writer
        .entry(&path(b"usr/share/text"), &meta, kind)
        .expect("written");
    let (frame, _) = writer.finish().expect("a frame");
    let golden = "sha256:fbbfb66551432ea0b03e9e319a9924ba1795dfef63365809b7b32941ee4f9430";
    let found = BlobDigest::of(&frame).to_string();
    assert_eq!((ZSTD_ABI, found.as_str()), (2, golden));
}

#[test]
fn config() {
    let store = MemoryStore::new();
    let golden = "sha256:f341efcd6983f2b85a7087454748861797c2571bd90985acf9721f923657e4ca";
    let found = image(&store).config.digest.to_string();
    assert_eq!((MANIFEST_ABI, found.as_str()), (1, golden));
}

#[test]
fn manifest() {
    let store = MemoryStore::new();
    let golden = "sha256:f81854d7dac6bca093bc8ffea862bb3db6c3cbdf69115bc61a8ba3734726e19d";
    let found = image(&store).manifest.digest.to_string();
    assert_eq!((MANIFEST_ABI, found.as_str()), (1, golden));
}

#[test]
fn archive() {
    let store = MemoryStore::new();
    let image = image(&store);
    let layout = Layout::new(&[Tagged {
        reference: "app",
        target: Target::Image(&image),
    }])
    .expect("a layout");
    let mut writer = store.writer().expect("a writer");
    layout
        .write_archive(&store, &mut writer)
        .expect("an archive");
    let golden = "sha256:103372c2f3cbfa296ab708527085a253a3c60a1f779f6c857fa06ca4cf0675b3";
    let found = writer.commit().expect("a blob").0.to_string();
    assert_eq!((MANIFEST_ABI, found.as_str()), (1, golden));
}
