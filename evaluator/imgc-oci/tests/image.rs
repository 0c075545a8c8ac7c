//! Images written, read back, damaged, and laid out.

use std::collections::BTreeMap;
use std::io::Read as _;

use imgc_layer::{Compression, DiffId, Layer, StoreContents, assemble, plan_layer};
use imgc_oci::{
    DEFAULT_PATH, Image, ImageSpec, Index, LayerUse, Layout, LayoutFile, OciError, Problem, Tagged,
    Target, validate, write_image, write_index,
};
use imgc_plan::{Arch, Config, ImagePath, Platform, Port, Protocol};
use imgc_store::{BlobDigest, MemoryStore, Store};
use imgc_tree::{Content, Node, Tree, TreePath};
use serde_json::{Value, json};

fn layer(store: &MemoryStore, text: &str) -> LayerUse {
    compressed(store, text, Compression::default())
}

fn compressed(store: &MemoryStore, text: &str, compression: Compression) -> LayerUse {
    let mut tree = Tree::new(0);
    let path = TreePath::new(b"file").expect("a path");
    let node = Node::file(Content::inline(text.as_bytes()), 0o644, 0);
    tree.insert(&path, node).expect("inserted");
    let recipe = plan_layer(&tree, None, &[]).expect("a recipe");
    let layer = assemble(
        store,
        &recipe,
        compression,
        &[],
        &StoreContents::new(store, None),
    )
    .expect("a layer");
    LayerUse {
        layer,
        created_by: format!("imgc {text}"),
    }
}

fn full_config() -> Config {
    let path = |text| ImagePath::new(text).expect("a path");
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    Config {
        entrypoint: vec!["/usr/bin/server".into()],
        cmd: vec!["--port".into(), "80".into()],
        env: map(&[("Z", "1"), ("A", "a=b")]),
        user: Some("app:app".into()),
        workdir: Some(path("/srv")),
        labels: (0..20)
            .map(|n| (format!("label.{n}"), n.to_string()))
            .collect(),
        ports: vec![
            Port {
                number: 53,
                protocol: Protocol::Udp,
            },
            Port {
                number: 8080,
                protocol: Protocol::Tcp,
            },
        ],
        volumes: vec![path("/b"), path("/a")],
        stop_signal: Some("SIGINT".into()),
        healthcheck: None,
    }
}

static NONE: std::collections::BTreeMap<String, String> = std::collections::BTreeMap::new();

fn spec<'a>(config: &'a Config, layers: &'a [LayerUse]) -> ImageSpec<'a> {
    ImageSpec {
        base: None,
        platform: Platform { arch: Arch::Arm64 },
        epoch: 1_000_000_000,
        config,
        annotations: &NONE,
        layers,
    }
}

fn document(store: &MemoryStore, digest: &BlobDigest) -> (String, Value) {
    let bytes = store.read(digest, 1 << 20).expect("read").expect("there");
    let text = String::from_utf8(bytes).expect("text");
    let value = serde_json::from_str(&text).expect("JSON");
    (text, value)
}

fn image(store: &MemoryStore) -> Image {
    let layers = [layer(store, "packages"), layer(store, "files")];
    write_image(store, &spec(&Config::default(), &layers)).expect("an image")
}

#[test]
fn the_configuration_says_all_that_the_image_says() {
    let store = MemoryStore::new();
    let layers = [layer(&store, "packages"), layer(&store, "files")];
    let image = write_image(&store, &spec(&full_config(), &layers)).expect("an image");
    let (text, value) = document(&store, &image.config.digest);
    let path = format!("PATH={DEFAULT_PATH}");
    assert_eq!(value["created"], "2001-09-09T01:46:40Z");
    assert_eq!(value["architecture"], "arm64");
    assert_eq!(value["variant"], "v8");
    assert_eq!(value["os"], "linux");
    let diff_ids = layers.each_ref().map(|used| used.layer.diff_id.to_string());
    assert_eq!(
        value["rootfs"],
        json!({"type": "layers", "diff_ids": diff_ids})
    );
    let history = ["imgc packages", "imgc files"]
        .map(|by| json!({"created": "2001-09-09T01:46:40Z", "created_by": by}));
    assert_eq!(value["history"], json!(history));
    let config = &value["config"];
    assert_eq!(config["Env"], json!(["A=a=b", path, "Z=1"]));
    assert_eq!(config["Entrypoint"], json!(["/usr/bin/server"]));
    assert_eq!(config["Cmd"], json!(["--port", "80"]));
    assert_eq!(config["User"], "app:app");
    assert_eq!(config["WorkingDir"], "/srv");
    assert_eq!(config["StopSignal"], "SIGINT");
    assert_eq!(
        config["ExposedPorts"],
        json!({"53/udp": {}, "8080/tcp": {}})
    );
    assert_eq!(config["Volumes"], json!({"/a": {}, "/b": {}}));
    assert_eq!(config["Labels"]["label.7"], "7");
    // The text itself: sorted, without white space.
    assert!(text.starts_with(r#"{"architecture":"arm64","config":{"Cmd":["--port","80"],"#));
    let labels: Vec<_> = text
        .match_indices("label.")
        .map(|(at, _)| &text[at..at + 8])
        .collect();
    assert!(labels.is_sorted());
}

#[test]
fn an_empty_configuration_has_a_path_and_no_empty_lists() {
    let store = MemoryStore::new();
    let image = write_image(&store, &spec(&Config::default(), &[])).expect("an image");
    let (_, value) = document(&store, &image.config.digest);
    assert_eq!(
        value["config"],
        json!({"Env": [format!("PATH={DEFAULT_PATH}")]})
    );
    validate(&store, &image.manifest.digest).expect("valid");
    let mut config = Config::default();
    config.env.insert("PATH".into(), "/bin".into());
    let image = write_image(&store, &spec(&config, &[])).expect("an image");
    let (_, value) = document(&store, &image.config.digest);
    assert_eq!(value["config"]["Env"], json!(["PATH=/bin"]));
}

#[test]
fn the_manifest_names_its_blobs() {
    let store = MemoryStore::new();
    let image = image(&store);
    let (_, value) = document(&store, &image.manifest.digest);
    let named = |kind: &str, blob: &imgc_oci::Descriptor| {
        let media_type = format!("application/vnd.oci.image.{kind}");
        json!({"mediaType": media_type, "digest": blob.digest.to_string(), "size": blob.size})
    };
    let expected = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": named("config.v1+json", &image.config),
        "layers": [
            named("layer.v1.tar+zstd", &image.layers[0]),
            named("layer.v1.tar+zstd", &image.layers[1]),
        ],
    });
    assert_eq!(value, expected);
    for blob in image.blobs() {
        assert_eq!(
            store.contains(&blob.digest).expect("an answer"),
            Some(blob.size)
        );
    }
    // The same on every run: maps of the libraries have no order of their own.
    for _ in 0..20 {
        assert_eq!(self::image(&MemoryStore::new()), image);
    }
}

#[test]
fn a_time_beyond_the_format_is_refused() {
    let config = Config::default();
    let spec = ImageSpec {
        base: None,
        epoch: u64::MAX,
        ..spec(&config, &[])
    };
    let error = write_image(&MemoryStore::new(), &spec).expect_err("too late");
    assert!(matches!(error, OciError::Time(u64::MAX)));
}

fn problem(store: &MemoryStore, image: &Image) -> (BlobDigest, Problem) {
    match validate(store, &image.manifest.digest) {
        Err(OciError::Invalid { blob, problem }) => (blob, problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn validation_finds_each_damage() {
    let store = MemoryStore::new();
    validate(&store, &image(&store).manifest.digest).expect("valid");

    let blobs = image(&store)
        .blobs()
        .map(|blob| blob.digest)
        .collect::<Vec<_>>();
    for digest in blobs {
        let store = MemoryStore::new();
        let image = image(&store);
        store.discard(&digest).expect("gone");
        assert_eq!(problem(&store, &image), (digest, Problem::Damaged));

        let store = MemoryStore::new();
        let image = self::image(&store);
        let mut bytes = store.read(&digest, 1 << 20).expect("read").expect("there");
        bytes[10] ^= 1;
        store.corrupt(&digest, &bytes);
        assert_eq!(problem(&store, &image), (digest, Problem::Damaged));
    }

    let store = MemoryStore::new();
    let image = image(&store);
    let wrong_size = image.layers[0].digest;
    store.corrupt(&wrong_size, b"x");
    let (blob, found) = problem(&store, &image);
    assert_eq!(blob, wrong_size);
    assert!(matches!(found, Problem::Size { found: 1, .. }));
}

#[test]
fn validation_does_not_believe_the_documents() {
    let store = MemoryStore::new();
    let good = layer(&store, "files");
    let make = |layer: Layer| {
        let layers = [LayerUse {
            layer,
            created_by: String::new(),
        }];
        write_image(&store, &spec(&Config::default(), &layers)).expect("an image")
    };
    let lying = make(Layer {
        diff_id: DiffId::from_bytes([1; 32]),
        ..good.layer
    });
    assert!(matches!(problem(&store, &lying).1, Problem::DiffId { .. }));
    let lying = make(Layer {
        size: 1,
        ..good.layer
    });
    assert!(matches!(
        problem(&store, &lying).1,
        Problem::Size { expected: 1, .. }
    ));
    let text = store.put(b"this is not zstd").expect("stored");
    let lying = make(Layer {
        blob: text,
        size: 16,
        ..good.layer
    });
    assert!(matches!(problem(&store, &lying).1, Problem::Compression(_)));

    let honest = make(good.layer);
    let (text, manifest) = document(&store, &honest.manifest.digest);
    for (from, to) in [
        (r#""schemaVersion":2"#, r#""schemaVersion":1"#),
        ("image.manifest.v1", "image.index.v1"),
        ("image.config.v1", "image.other.v1"),
        ("tar+zstd", "tar+gzip"),
        ("sha256:", "sha384:"),
        (r#""layers":["#, r#""layers":"no","x":["#),
    ] {
        assert!(text.contains(from), "{from}");
        let digest = store
            .put(text.replace(from, to).as_bytes())
            .expect("stored");
        let error = validate(&store, &digest).expect_err(to);
        assert!(matches!(error, OciError::Invalid { .. }), "{to}");
    }
    let mut fewer = manifest;
    fewer["layers"] = json!([]);
    let digest = store.put(fewer.to_string().as_bytes()).expect("stored");
    let error = validate(&store, &digest).expect_err("no layers");
    let count = Problem::Count {
        layers: 0,
        diff_ids: 1,
        history: 1,
    };
    assert!(matches!(error, OciError::Invalid { problem, .. } if problem == count));
}

#[test]
fn a_layout_has_each_blob_once() {
    let store = MemoryStore::new();
    let image = image(&store);
    let [a, b] = ["app", "other/name:1.0"].map(|reference| Tagged {
        reference,
        target: Target::Image(&image),
    });
    let layout = Layout::new(&[b, a]).expect("a layout");
    let files: BTreeMap<_, _> = layout.files().collect();
    assert_eq!(files.len(), 4 + 2);
    let LayoutFile::Bytes(bytes) = files["oci-layout"] else {
        panic!("bytes")
    };
    assert_eq!(bytes, br#"{"imageLayoutVersion":"1.0.0"}"#);
    let LayoutFile::Bytes(bytes) = files["index.json"] else {
        panic!("bytes")
    };
    let index: Value = serde_json::from_slice(bytes).expect("JSON");
    let named = |reference: &str| {
        json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": image.manifest.digest.to_string(),
            "size": image.manifest.size,
            "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"},
            "annotations": {"org.opencontainers.image.ref.name": reference},
        })
    };
    assert_eq!(
        index["manifests"],
        json!([named("other/name:1.0"), named("app")])
    );
    assert_eq!(
        index["mediaType"],
        "application/vnd.oci.image.index.v1+json"
    );
    let path = format!("blobs/sha256/{}", image.config.digest.hex());
    let config = LayoutFile::Blob {
        digest: image.config.digest,
        size: image.config.size,
    };
    assert_eq!(files[path.as_str()], &config);
}

#[test]
fn references_follow_the_specification() {
    let store = MemoryStore::new();
    let image = image(&store);
    let layout = |reference| {
        Layout::new(&[Tagged {
            reference,
            target: Target::Image(&image),
        }])
    };
    for good in ["a", "a/b", "v1.2.3", "name:tag", "a--b", "A@b+c_d"] {
        layout(good).expect(good);
    }
    for bad in ["", "/", "a/", "-a", "a..b", "a---b", "ä", "a b", "../x"] {
        let error = layout(bad).expect_err(bad);
        assert!(matches!(error, OciError::Reference(text, _) if text == bad));
    }
    let twice = Tagged {
        reference: "a",
        target: Target::Image(&image),
    };
    assert!(Layout::new(&[twice, twice]).is_err());
}

#[test]
fn an_archive_is_the_layout_and_always_the_same() {
    let store = MemoryStore::new();
    let image = image(&store);
    let layout = Layout::new(&[Tagged {
        reference: "app",
        target: Target::Image(&image),
    }])
    .expect("a layout");
    let write = || {
        let mut bytes = Vec::new();
        layout
            .write_archive(&store, &mut bytes)
            .expect("an archive");
        bytes
    };
    let bytes = write();
    assert_eq!(write(), bytes);
    let mut tree = Tree::new(0);
    imgc_layer::apply(&mut tree, bytes.as_slice(), u64::MAX).expect("a tree");
    let listed: Vec<_> = tree
        .iter()
        .map(|(path, _)| path.to_string())
        .skip(3)
        .collect();
    let expected: Vec<_> = layout.files().map(|(path, _)| format!("/{path}")).collect();
    assert_eq!(listed, expected);

    let digest = image.layers[0].digest;
    let mut bytes = Vec::new();
    store
        .open(&digest)
        .expect("open")
        .expect("there")
        .read_to_end(&mut bytes)
        .expect("bytes");
    bytes[20] ^= 1;
    store.corrupt(&digest, &bytes);
    let error = layout
        .write_archive(&store, Vec::new())
        .expect_err("damaged");
    assert!(
        matches!(error, OciError::Invalid { blob, problem: Problem::Damaged }
        if blob == digest)
    );
    let error = layout
        .write_archive(&store, Vec::new())
        .expect_err("missing");
    assert!(matches!(error, OciError::Invalid { blob, .. } if blob == digest));
}

#[test]
fn the_media_type_says_how_a_layer_is_compressed() {
    let store = MemoryStore::new();
    let layers = [
        (
            Compression::Zstd(3),
            "application/vnd.oci.image.layer.v1.tar+zstd",
        ),
        (
            Compression::Gzip(6),
            "application/vnd.oci.image.layer.v1.tar+gzip",
        ),
        (Compression::None, "application/vnd.oci.image.layer.v1.tar"),
    ];
    let uses = layers.map(|(compression, _)| compressed(&store, "text", compression));
    let config = Config::default();
    let image = write_image(&store, &spec(&config, &uses)).expect("an image");
    let (_, manifest) = document(&store, &image.manifest.digest);
    for (at, (_, expected)) in layers.iter().enumerate() {
        assert_eq!(manifest["layers"][at]["mediaType"], **expected);
    }
    validate(&store, &image.manifest.digest).expect("it is valid");
}

#[test]
fn an_index_names_its_manifests_with_their_platforms() {
    let store = MemoryStore::new();
    let image = image(&store);
    let arms = |text: &str| text.parse::<Platform>().expect("a platform");
    let manifests = [
        (image.manifest, arms("linux/arm64")),
        (image.config, arms("linux/arm/v7")),
        (image.config, arms("linux/386")),
    ];
    let none = BTreeMap::new();
    let index = write_index(&store, &manifests[..1], &none).expect("an index");
    let again = write_index(&store, &manifests[..1], &none).expect("an index");
    assert_eq!(index, again);
    let read = |digest| -> Value {
        let bytes = store
            .read(digest, 1 << 20)
            .expect("memory")
            .expect("a blob");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    assert_eq!(
        read(&index.digest),
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [{
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "digest": image.manifest.digest.to_string(),
                "size": image.manifest.size,
                "platform": {"architecture": "arm64", "os": "linux", "variant": "v8"},
            }],
        })
    );
    let said = BTreeMap::from([
        ("b".to_owned(), "1".to_owned()),
        ("a".to_owned(), "2".to_owned()),
    ]);
    let whole = write_index(&store, &manifests, &said).expect("an index");
    let document = read(&whole.digest);
    let platforms: Vec<&Value> = document["manifests"]
        .as_array()
        .expect("manifests")
        .iter()
        .map(|manifest| &manifest["platform"])
        .collect();
    assert_eq!(
        platforms,
        [
            &json!({"architecture": "arm64", "os": "linux", "variant": "v8"}),
            &json!({"architecture": "arm", "os": "linux", "variant": "v7"}),
            &json!({"architecture": "386", "os": "linux"}),
        ]
    );
    assert_eq!(document["annotations"], json!({"a": "2", "b": "1"}));

    // In a layout, it is one name, and its images are chosen by their platforms.
    let index = Index {
        index,
        images: vec![image.clone()],
    };
    let layout = Layout::new(&[Tagged {
        reference: "app",
        target: Target::Index(&index),
    }])
    .expect("a layout");
    let files: BTreeMap<_, _> = layout.files().collect();
    assert_eq!(files.len(), 5 + 2);
    let LayoutFile::Bytes(bytes) = files["index.json"] else {
        panic!("bytes")
    };
    let top: Value = serde_json::from_slice(bytes).expect("JSON");
    assert_eq!(
        top["manifests"],
        json!([{
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "digest": index.index.digest.to_string(),
            "size": index.index.size,
            "annotations": {"org.opencontainers.image.ref.name": "app"},
        }])
    );
}
