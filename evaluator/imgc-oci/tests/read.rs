//! Reading images that anybody may have written: layers that lie, escape, explode or run in
//! circles, and documents that name what is not there.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use imgc_oci::read::{
    ArchiveIndex, Contents, Files, Found, Limits, Opened, ReadError, Wanted, open_docker,
    open_layout,
};
use imgc_plan::{BlobDigest, Platform};
use imgc_tree::{Kind, TreePath};
use serde_json::{Value, json};
use tar::{EntryType, Header};

/// The files of a layout, in memory.
#[derive(Debug, Clone, Default)]
struct Map(BTreeMap<String, Vec<u8>>);

impl Files for Map {
    fn open<'a>(&'a self, name: &str) -> io::Result<Option<Found<'a>>> {
        Ok(self.0.get(name).map(|bytes| Found {
            size: bytes.len() as u64,
            reader: Box::new(bytes.as_slice()),
        }))
    }
}

impl Map {
    fn blob(&mut self, bytes: Vec<u8>) -> Value {
        let digest = BlobDigest::of(&bytes);
        let size = bytes.len();
        self.0.insert(name(&digest.to_string()), bytes);
        json!({ "digest": digest.to_string(), "size": size })
    }

    fn document(&mut self, media_type: &str, document: &Value) -> Value {
        let mut named = self.blob(document.to_string().into_bytes());
        named["mediaType"] = media_type.into();
        named
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

fn name(digest: &str) -> String {
    format!("blobs/sha256/{}", &digest["sha256:".len()..])
}

/// An image of these layers, each with what its media type ends in. Gives its descriptor.
fn image(map: &mut Map, layers: &[(&str, Vec<u8>)]) -> Value {
    let mut named = Vec::new();
    let mut diff_ids = Vec::new();
    for (kind, tar) in layers {
        diff_ids.push(BlobDigest::of(tar).to_string());
        let mut layer = map.blob(compress(kind, tar));
        layer["mediaType"] = format!("{LAYER}{kind}").into();
        named.push(layer);
    }
    let config = json!({
        "architecture": "amd64", "os": "linux", "config": { "Labels": null, "User": "app" },
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = map.document("application/vnd.oci.image.config.v1+json", &config);
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": named });
    map.document(MANIFEST, &manifest)
}

fn compress(kind: &str, tar: &[u8]) -> Vec<u8> {
    match kind {
        "+zstd" => zstd::encode_all(tar, 1).expect("zstd"),
        "+gzip" => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(tar).expect("gzip");
            out.finish().expect("gzip")
        }
        _ => tar.to_vec(),
    }
}

fn layout(map: &mut Map, manifests: &[Value]) {
    let index = json!({ "schemaVersion": 2, "manifests": manifests }).to_string();
    map.0.insert("index.json".to_owned(), index.into_bytes());
    let version = r#"{"imageLayoutVersion":"1.0.0"}"#;
    map.0.insert("oci-layout".to_owned(), version.into());
}

fn of_layers(layers: &[Vec<u8>]) -> Map {
    let mut map = Map::default();
    let layers: Vec<_> = layers.iter().map(|layer| ("", layer.clone())).collect();
    let named = image(&mut map, &layers);
    layout(&mut map, &[named]);
    map
}

fn open(map: &Map) -> Result<Opened<'_>, ReadError> {
    open_layout(map, &Wanted::Only, Platform::DEFAULT)
}

fn contents(layers: &[Vec<u8>]) -> Result<Contents, ReadError> {
    open(&of_layers(layers))?.contents(&Limits::IMAGE)
}

/// All paths of layers, but the root.
#[track_caller]
fn paths(layers: &[Vec<u8>]) -> Vec<String> {
    let contents = contents(layers).expect("an image");
    let paths = contents.tree.iter().skip(1);
    paths.map(|(path, _)| path.to_string()).collect()
}

/// A tar archive. An entry is `PATH=TEXT`, `PATH/`, `PATH->TARGET` or `PATH=>TARGET` (a hard
/// link).
fn tar(entries: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let (path, kind, target, text) = if let Some((path, target)) = entry.split_once("=>") {
            (path, EntryType::Link, target, "")
        } else if let Some((path, target)) = entry.split_once("->") {
            (path, EntryType::Symlink, target, "")
        } else if let Some((path, text)) = entry.split_once('=') {
            (path, EntryType::Regular, "", text)
        } else if entry.ends_with('/') {
            (*entry, EntryType::Directory, "", "")
        } else {
            (*entry, EntryType::Regular, "", "")
        };
        bytes.extend(raw(
            path.as_bytes(),
            kind,
            target.as_bytes(),
            text.as_bytes(),
        ));
    }
    bytes.extend([0; 1024]);
    bytes
}

/// An entry of any path, as no writer would write it.
fn raw(path: &[u8], kind: EntryType, target: &[u8], body: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..path.len()].copy_from_slice(path);
    header.as_old_mut().linkname[..target.len()].copy_from_slice(target);
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Directory {
        0o755
    } else {
        0o644
    });
    header.set_uid(7);
    header.set_gid(0);
    header.set_mtime(1);
    header.set_size(body.len() as u64);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn read(contents: &Contents, map: &Map, path: &str) -> String {
    let path = TreePath::new(path.as_bytes()).expect("a path");
    let node = contents.tree.get(&path).expect("it is there");
    let Kind::Regular(content) = &node.kind else {
        panic!("{path} is no file");
    };
    let opened = open(map).expect("an image");
    let bytes = opened.read(&[content], &Limits::IMAGE).expect("bytes");
    String::from_utf8(bytes.concat()).expect("text")
}

#[test]
fn reads_every_compression_and_the_bytes_of_files() {
    let layers = [
        ("", tar(&["a/", "a/x=one", "a/empty"])),
        ("+gzip", tar(&["a/y=two"])),
        ("+zstd", tar(&["a/x=three", "b=>a/y"])),
    ];
    let mut map = Map::default();
    let named = image(&mut map, &layers);
    layout(&mut map, &[named]);
    let opened = open(&map).expect("an image");
    assert_eq!(opened.configuration.platform(), "linux/amd64");
    assert_eq!(opened.configuration.setting("User"), Some(&json!("app")));
    assert_eq!(opened.configuration.setting("Labels"), None);
    let contents = opened.contents(&Limits::IMAGE).expect("contents");
    for (path, text) in [
        ("a/x", "three"),
        ("a/y", "two"),
        ("b", "two"),
        ("a/empty", ""),
    ] {
        assert_eq!(read(&contents, &map, path), text, "{path}");
    }
    // In the order of the layers, whatever the order in which they are asked for.
    let of = |path: &str| match &contents
        .tree
        .get(&TreePath::new(path.as_bytes()).expect("a path"))
        .expect("there")
        .kind
    {
        Kind::Regular(content) => content,
        _ => panic!("a file"),
    };
    let mut seen = Vec::new();
    let wanted = [of("a/x"), of("a/y"), of("a/empty")];
    let visited = opened.visit(&wanted, &Limits::IMAGE, &mut |at, _| {
        seen.push(at);
        Ok(())
    });
    visited.expect("visited");
    assert_eq!(seen, [2, 1, 0]);
    let lengths: Vec<u64> = layers.iter().map(|(_, tar)| tar.len() as u64).collect();
    assert_eq!(contents.lengths, lengths);
}

#[test]
fn whiteouts_hide_what_is_lower_and_nothing_else() {
    let lower = tar(&["a/", "a/x=1", "a/y=1", "a/d/", "a/d/z=1", "b=1"]);
    assert_eq!(
        paths(&[lower.clone(), tar(&["a/.wh.x", ".wh.b"])]),
        ["/a", "/a/d", "/a/d/z", "/a/y"]
    );
    assert_eq!(paths(&[lower.clone(), tar(&[".wh.a"])]), ["/b"]);
    // Wherever an opaque one stands, what its own layer has stays.
    for own in [
        tar(&["a/", "a/new=2", "a/d/", "a/d/w=2", "a/.wh..wh..opq"]),
        tar(&["a/.wh..wh..opq", "a/", "a/new=2", "a/d/w=2"]),
    ] {
        let found = paths(&[lower.clone(), own]);
        assert_eq!(found, ["/a", "/a/d", "/a/d/w", "/a/new", "/b"]);
    }
    // A whiteout and a new file of one name, in both orders.
    for own in [tar(&[".wh.b", "b=2"]), tar(&["b=2", ".wh.b"])] {
        let layers = [lower.clone(), own];
        let found = contents(&layers).expect("an image");
        assert_eq!(read(&found, &of_layers(&layers), "b"), "2");
    }
    // A folder that is gone and has something new, in its own layer.
    let own = tar(&["a/n=2", ".wh.a"]);
    assert_eq!(paths(&[lower.clone(), own]), ["/a", "/a/n", "/b"]);
    // A third layer hides what the second has. What was never there is no error.
    let found = paths(&[lower.clone(), tar(&["c=2"]), tar(&[".wh.c", ".wh.none"])]);
    assert!(!found.contains(&"/c".to_owned()));
    // What older engines kept for themselves is no part of the image.
    assert_eq!(
        paths(&[tar(&[
            ".wh..wh.plnk/",
            ".wh..wh.plnk/1.2",
            ".wh..wh.aufs",
            "x"
        ])]),
        ["/x"]
    );
}

#[test]
fn whiteouts_of_nothing_are_refused() {
    let lower = tar(&["a/", "a/x=1"]);
    for own in ["a/.wh.", "a/.wh..", "a/.wh...", "a/.wh.x/y=1"] {
        let error = contents(&[lower.clone(), tar(&[own])]);
        assert!(
            matches!(error, Err(ReadError::Layer { .. })),
            "{own}: {error:?}"
        );
    }
}

#[test]
fn kinds_replace_each_other() {
    let lower = tar(&["a/", "a/x=1", "f=1", "l->a"]);
    assert_eq!(paths(&[lower.clone(), tar(&["a=2"])]), ["/a", "/f", "/l"]);
    let upper = tar(&["f/", "f/y=2", "l/", "l/z=2"]);
    assert_eq!(
        paths(&[lower.clone(), upper]),
        ["/a", "/a/x", "/f", "/f/y", "/l", "/l/z"]
    );
    // Without an entry for the folder, the link is followed, inside of the image.
    let upper = tar(&["l/z=2"]);
    assert_eq!(paths(&[lower, upper]), ["/a", "/a/x", "/a/z", "/f", "/l"]);
    let up = tar(&["l->../../../../srv", "l/z=2"]);
    assert_eq!(paths(&[up]), ["/l", "/srv", "/srv/z"]);
}

#[test]
fn hard_links_reach_into_lower_layers() {
    let layers = [tar(&["a/", "a/x=1"]), tar(&["b=>a/x"]), tar(&["a/.wh.x"])];
    let found = contents(&layers).expect("an image");
    assert_eq!(read(&found, &of_layers(&layers), "b"), "1");
    let missing = contents(&[tar(&["a/", "b=>a/none"])]);
    assert!(matches!(missing, Err(ReadError::Layer { .. })));
    let folder = contents(&[tar(&["a/", "b=>a"])]);
    assert!(matches!(folder, Err(ReadError::Layer { .. })));
}

#[test]
fn no_path_leaves_the_image() {
    for path in [
        "../x=1",
        "a/../../x=1",
        "..",
        "a/..=1",
        "x=>../../etc/passwd",
    ] {
        let error = contents(&[tar(&[path])]);
        assert!(matches!(error, Err(ReadError::Layer { .. })), "{path}");
    }
    assert_eq!(
        paths(&[tar(&["/etc/", "//etc/x=1", "./etc/./y=1"])]),
        ["/etc", "/etc/x", "/etc/y"]
    );
}

#[test]
fn links_in_circles_end() {
    for layer in [
        tar(&["a->b", "b->a", "a/x=1"]),
        tar(&["a->a", "a/x=1"]),
        tar(&["a->a/a/a/a", "a/x=1"]),
    ] {
        let error = contents(&[layer]);
        assert!(matches!(error, Err(ReadError::Layer { .. })), "{error:?}");
    }
    // That nobody goes through is no error.
    assert_eq!(paths(&[tar(&["a->b", "b->a"])]), ["/a", "/b"]);
}

#[test]
fn a_file_is_no_folder() {
    let error = contents(&[tar(&["a=1", "a/b=1"])]);
    assert!(matches!(error, Err(ReadError::Layer { .. })));
    let error = contents(&[raw(b"./", EntryType::Symlink, b"x", b"")]);
    assert!(matches!(error, Err(ReadError::Layer { .. })));
}

#[test]
fn long_names_are_read_and_bounded() {
    let long = "d/".repeat(150) + "x";
    let mut layer = raw(
        b"././@LongLink",
        EntryType::GNULongName,
        b"",
        long.as_bytes(),
    );
    layer.extend(raw(b"cut", EntryType::Regular, b"", b"text"));
    layer.extend([0; 1024]);
    assert_eq!(paths(&[layer]).last(), Some(&format!("/{long}")));
    for size in [5_000, 2 << 20] {
        let name = vec![b'n'; size];
        let mut layer = raw(b"././@LongLink", EntryType::GNULongName, b"", &name);
        layer.extend(raw(b"cut", EntryType::Regular, b"", b"text"));
        layer.extend([0; 1024]);
        let error = contents(&[layer]);
        assert!(matches!(error, Err(ReadError::Layer { .. })), "{size}");
    }
}

#[test]
fn what_can_not_be_read_faithfully_is_refused() {
    let mut sparse = raw(b"x", EntryType::GNUSparse, b"", b"text");
    sparse.extend([0; 1024]);
    let mut unknown = raw(b"x", EntryType::new(b'V'), b"", b"");
    unknown.extend([0; 1024]);
    for layer in [sparse, unknown, vec![1; 2048]] {
        let error = contents(&[layer]);
        assert!(matches!(error, Err(ReadError::Layer { .. })));
    }
    // Nothing at all is an archive of nothing.
    assert!(paths(&[Vec::new(), vec![0; 1024]]).is_empty());
}

#[test]
fn whatever_is_cut_off_or_changed_is_damaged() {
    for kind in ["", "+gzip", "+zstd"] {
        let text = format!("x={}", "text ".repeat(3_000));
        let mut map = Map::default();
        let named = image(&mut map, &[(kind, tar(&["a/", &text]))]);
        layout(&mut map, &[named]);
        let files: Vec<String> = map.0.keys().cloned().collect();
        for file in files.iter().filter(|file| file.starts_with("blobs")) {
            let bytes = map.0[file].clone();
            for (what, damaged) in [
                ("cut", bytes[..bytes.len() / 2].to_vec()),
                ("longer", [&bytes[..], b"more"].concat()),
                ("changed", {
                    let mut bytes = bytes.clone();
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                    bytes
                }),
            ] {
                let mut map = map.clone();
                map.0.insert(file.clone(), damaged);
                let error = open(&map).and_then(|image| image.contents(&Limits::IMAGE));
                assert!(
                    matches!(
                        error,
                        Err(ReadError::Size { .. } | ReadError::Digest { .. })
                    ),
                    "{kind} {file} {what}: {error:?}"
                );
            }
            let mut map = map.clone();
            map.0.remove(file);
            let error = open(&map).and_then(|image| image.contents(&Limits::IMAGE));
            assert!(matches!(error, Err(ReadError::Missing(_))), "{error:?}");
        }
    }
}

#[test]
fn a_layer_that_is_not_its_diff_id_is_told() {
    let mut map = Map::default();
    let one = image(&mut map, &[("+zstd", tar(&["a=1"]))]);
    // The same configuration, over another layer.
    let bytes = map.0[&name(one["digest"].as_str().expect("a digest"))].clone();
    let mut manifest: Value = serde_json::from_slice(&bytes).expect("JSON");
    let mut other = map.blob(compress("+zstd", &tar(&["a=2"])));
    other["mediaType"] = format!("{LAYER}+zstd").into();
    manifest["layers"] = json!([other]);
    let named = map.document(MANIFEST, &manifest);
    layout(&mut map, &[named]);
    let error = open(&map).expect("documents").contents(&Limits::IMAGE);
    assert!(matches!(error, Err(ReadError::Digest { .. })), "{error:?}");
}

#[test]
fn bombs_are_stopped_by_counting() {
    let zeros = raw(b"x", EntryType::Regular, b"", &vec![0; 8 << 20]);
    let limits = Limits {
        free: 1 << 20,
        ratio: 100,
        ..Limits::IMAGE
    };
    for kind in ["+gzip", "+zstd"] {
        let mut map = Map::default();
        let named = image(&mut map, &[(kind, zeros.clone())]);
        layout(&mut map, &[named]);
        let opened = open(&map).expect("documents");
        let error = opened.contents(&limits);
        assert!(matches!(error, Err(ReadError::Layer { .. })), "{error:?}");
        assert!(opened.contents(&Limits::IMAGE).is_ok());
        // All layers together.
        let few = Limits {
            bytes: 8 << 20,
            ..Limits::IMAGE
        };
        assert!(opened.contents(&few).is_err());
    }
    let many: Vec<String> = (0..2_000).map(|n| format!("{n}=1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let map = of_layers(&[tar(&many)]);
    let opened = open(&map).expect("documents");
    for allowance in [(1_999, 1 << 20), (5_000, 6_000)] {
        let mut limits = Limits::IMAGE;
        (limits.allowance.entries, limits.allowance.names) = allowance;
        let error = opened.contents(&limits);
        assert!(
            matches!(error, Err(ReadError::Layer { .. })),
            "{allowance:?}"
        );
    }
    // Opaque whiteouts over and over look at all that is there each time.
    let mut entries = many.clone();
    entries.extend(std::iter::repeat_n(".wh..wh..opq", 500));
    let map = of_layers(&[tar(&entries)]);
    let mut limits = Limits::IMAGE;
    limits.allowance.steps = 1_000_000;
    assert!(open(&map).expect("documents").contents(&limits).is_err());
}

#[test]
fn names_digests_and_platforms_choose() {
    let mut map = Map::default();
    let mut one = image(&mut map, &[("", tar(&["one"]))]);
    let mut two = image(&mut map, &[("", tar(&["two"]))]);
    let digest = two["digest"].as_str().expect("a digest").to_owned();
    one["annotations"] = json!({ "org.opencontainers.image.ref.name": "app:1.0" });
    one["platform"] = json!({ "os": "linux", "architecture": "amd64" });
    two["platform"] = json!({ "os": "linux", "architecture": "arm64", "variant": "v8" });
    let inner = json!({ "schemaVersion": 2, "manifests": [one.clone(), two.clone(), {
        "mediaType": MANIFEST, "digest": one["digest"], "size": one["size"],
        "platform": { "os": "unknown", "architecture": "unknown" },
    }] });
    let mut nested = map.document(INDEX, &inner);
    nested["annotations"] = json!({ "org.opencontainers.image.ref.name": "both" });
    layout(&mut map, &[one, nested]);
    let arm = "linux/arm64".parse::<Platform>().expect("a platform");
    let first = |wanted: &Wanted, platform| -> Result<String, ReadError> {
        let contents = open_layout(&map, wanted, platform)?.contents(&Limits::IMAGE)?;
        let mut paths = contents.tree.iter().skip(1);
        Ok(paths.next().expect("a file").0.to_string())
    };
    let tag = |tag: &str| Wanted::Tag(tag.to_owned());
    for (wanted, platform, path) in [
        (tag("app:1.0"), Platform::DEFAULT, "/one"),
        (tag("1.0"), arm, "/one"),
        (tag("both"), Platform::DEFAULT, "/one"),
        (tag("both"), arm, "/two"),
        (
            Wanted::Digest(digest.parse().expect("a digest")),
            Platform::DEFAULT,
            "/two",
        ),
        (Wanted::Only, arm, "/two"),
    ] {
        assert_eq!(
            first(&wanted, platform).expect("an image"),
            path,
            "{wanted:?}"
        );
    }
    let error = first(&tag("none"), arm);
    assert!(matches!(error, Err(ReadError::NoImage { there, .. }) if there == ["app:1.0"]));
}

#[test]
fn docker_archives_are_read_with_links_in_them() {
    let layer = tar(&["x=1"]);
    let upper = tar(&["y=2"]);
    let digest = |bytes: &[u8]| BlobDigest::of(bytes).to_string();
    let config = json!({
        "architecture": "amd64", "os": "linux",
        "config": { "Env": ["A=b"], "Healthcheck": { "Test": ["CMD", "true"] } },
        "rootfs": { "type": "layers", "diff_ids": [digest(&layer), digest(&upper), digest(&layer)] },
    })
    .to_string();
    let gzip = compress("+gzip", &upper);
    let manifest = json!([{
        "Config": "config.json", "RepoTags": ["example/app:1"],
        "Layers": ["1/layer.tar", "2/layer.tar", "3/layer.tar"],
    }])
    .to_string();
    let mut archive = Vec::new();
    for (path, bytes) in [
        ("manifest.json", manifest.as_bytes()),
        ("config.json", config.as_bytes()),
        ("1/layer.tar", &layer),
        ("2/layer.tar", &gzip),
    ] {
        archive.extend(raw(path.as_bytes(), EntryType::Regular, b"", bytes));
    }
    archive.extend(raw(
        b"3/layer.tar",
        EntryType::Symlink,
        b"../1/layer.tar",
        b"",
    ));
    archive.extend(raw(b"4", EntryType::Symlink, b"4", b""));
    archive.extend([0; 1024]);
    let index = ArchiveIndex::read(io::Cursor::new(&archive)).expect("an index");
    assert_eq!(index.find("4"), None);
    let mut map = Map::default();
    for name in [
        "manifest.json",
        "config.json",
        "1/layer.tar",
        "2/layer.tar",
        "3/layer.tar",
    ] {
        let member = index.find(name).expect("a member");
        let from = usize::try_from(member.offset).expect("small");
        let to = from + usize::try_from(member.size).expect("small");
        map.0.insert(name.to_owned(), archive[from..to].to_vec());
    }
    for wanted in [Wanted::Only, Wanted::Tag("example/app:1".to_owned())] {
        let opened = open_docker(&map, &wanted, Platform::DEFAULT).expect("an image");
        assert_eq!(opened.name.as_deref(), Some("example/app:1"));
        let contents = opened.contents(&Limits::IMAGE).expect("contents");
        assert_eq!(contents.tree.len(), 3);
        assert_eq!(opened.layers[1].descriptor.digest, BlobDigest::of(&gzip));
    }
    let error = open_docker(&map, &Wanted::Tag("2".to_owned()), Platform::DEFAULT);
    assert!(matches!(error, Err(ReadError::NoImage { .. })));
    map.0.insert("1/layer.tar".to_owned(), upper);
    let opened = open_docker(&map, &Wanted::Only, Platform::DEFAULT).expect("documents");
    assert!(matches!(
        opened.contents(&Limits::IMAGE),
        Err(ReadError::Digest { .. })
    ));
}

#[test]
fn documents_that_are_none_are_errors() {
    let good = of_layers(&[tar(&["x"])]);
    for (file, text) in [
        ("index.json", "[".repeat(10_000)),
        ("index.json", "{}".to_owned()),
        (
            "index.json",
            r#"{"schemaVersion":2,"manifests":[]}"#.to_owned(),
        ),
        ("index.json", " ".repeat(5 << 20)),
        ("oci-layout", r#"{"imageLayoutVersion":"2.0.0"}"#.to_owned()),
    ] {
        let mut map = good.clone();
        map.0.insert(file.to_owned(), text.into_bytes());
        assert!(open(&map).is_err(), "{file}");
    }
    let mut map = Map::default();
    let mut named = map.document(MANIFEST, &json!({ "schemaVersion": 2, "manifests": [] }));
    layout(&mut map, &[named.clone()]);
    assert!(matches!(open(&map), Err(ReadError::Document { .. })));
    named["mediaType"] = INDEX.into();
    layout(&mut map, &[named]);
    assert!(matches!(open(&map), Err(ReadError::NoImage { .. })));
}

#[test]
fn no_changed_byte_is_a_panic() {
    let layer = tar(&["a/", "a/x=text", "l->a", "h=>a/x", "a/.wh.b", "l/y=1"]);
    for at in 0..layer.len() - 1024 {
        let mut damaged = layer.clone();
        damaged[at] ^= 1 << (at % 8);
        // All digests are right: only the archive is wrong, or says something else.
        if let Ok(contents) = contents(&[tar(&["a/b=1"]), damaged]) {
            assert!(
                contents
                    .tree
                    .iter()
                    .all(|(path, _)| path.parts().all(|part| part != b".."))
            );
        }
    }
}
