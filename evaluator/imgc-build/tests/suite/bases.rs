//! Images laid over others, in memory: bases that are made here, of good layers and of
//! hostile ones.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use imgc_apt::Lock;
use imgc_build::{BaseError, BuildError, Built, LayerKind, Pinning, Registries, RegistryError};
use imgc_layer::{EntryKind, TarWriter};
use imgc_oci::read::{Files, Found, Limits, StoreFiles, open_manifest};
use imgc_plan::{
    Arch, Base, Config, Content, File, FileNode, Image, ImagePath, Owner, Plan, Platform,
};
use imgc_store::{BlobDigest, MemoryStore, Store};
use imgc_tree::{Kind, Meta, Tree, TreePath};
use serde_json::{Value, json};

use crate::support::{bare, deb, lock, packages, with_builder};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A registry with one image.
#[derive(Default)]
struct Registry {
    blobs: BTreeMap<String, Vec<u8>>,
    index: Vec<u8>,
}

/// What is asked of it, on its way into a store.
struct Asked<'a>(&'a Registry, &'a dyn Store);

impl Registries for Registry {
    fn open<'a>(
        &'a self,
        _: &Base,
        store: &'a dyn Store,
    ) -> Result<Box<dyn Files + 'a>, RegistryError> {
        Ok(Box::new(Asked(self, store)))
    }
}

impl Files for Asked<'_> {
    fn open<'b>(&'b self, name: &str) -> io::Result<Option<Found<'b>>> {
        let bytes: &[u8] = match name {
            "index.json" => &self.0.index,
            "oci-layout" => br#"{"imageLayoutVersion":"1.0.0"}"#,
            name => match self.0.blobs.get(name) {
                None => return Ok(None),
                Some(bytes) => {
                    self.1.put(bytes)?;
                    bytes
                }
            },
        };
        Ok(Some(Found {
            size: bytes.len() as u64,
            reader: Box::new(bytes),
        }))
    }
}

/// A layer that is being made.
struct Layer {
    tar: TarWriter<Vec<u8>>,
}

impl Layer {
    fn new() -> Self {
        Self {
            tar: TarWriter::new(Vec::new()),
        }
    }

    fn entry(mut self, path: &str, mode: u32, kind: EntryKind<'_>) -> Self {
        let meta = Meta {
            mode,
            mtime: 5,
            ..Meta::default()
        };
        let path = TreePath::new(path.as_bytes()).expect("a path");
        self.tar.entry(&path, &meta, kind).expect("an entry");
        self
    }

    fn folder(self, path: &str) -> Self {
        self.entry(path, 0o755, EntryKind::Directory)
    }

    fn file(self, path: &str, text: &str) -> Self {
        let size = text.len() as u64;
        let body = &mut text.as_bytes();
        self.entry(path, 0o644, EntryKind::Regular { size, body })
    }

    fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(path, 0o777, EntryKind::Symlink(target.as_bytes()))
    }

    fn link(self, path: &str, target: &str) -> Self {
        let target = TreePath::new(target.as_bytes()).expect("a path");
        self.entry(path, 0o644, EntryKind::HardLink(&target))
    }

    fn bytes(self) -> Vec<u8> {
        self.tar.finish().expect("an archive")
    }
}

impl Registry {
    fn put(&mut self, bytes: Vec<u8>) -> Value {
        let digest = BlobDigest::of(&bytes);
        let size = bytes.len();
        self.blobs
            .insert(format!("blobs/sha256/{}", digest.hex()), bytes);
        json!({ "digest": digest.to_string(), "size": size })
    }

    /// An image of layers: how each is compressed, and its archive.
    fn image(layers: &[(&str, Vec<u8>)], more: &Value) -> Self {
        let mut registry = Self::default();
        let mut descriptors = Vec::new();
        let mut diff_ids = Vec::new();
        for (compression, archive) in layers {
            diff_ids.push(BlobDigest::of(archive).to_string());
            let bytes = match *compression {
                "+gzip" => {
                    let level = flate2::Compression::new(6);
                    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                    encoder.write_all(archive).expect("memory");
                    encoder.finish().expect("memory")
                }
                "+zstd" => zstd::encode_all(&**archive, 3).expect("memory"),
                _ => archive.clone(),
            };
            let mut descriptor = registry.put(bytes);
            descriptor["mediaType"] = format!("{LAYER}{compression}").into();
            descriptors.push(descriptor);
        }
        let mut config = json!({
            "architecture": "amd64", "os": "linux", "created": "2026-02-03T04:05:06.789Z",
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
            "history": [{ "created_by": "first" }],
        });
        for (name, value) in more.as_object().expect("an object") {
            config[name] = value.clone();
        }
        registry.finish(&config, &descriptors);
        registry
    }

    fn finish(&mut self, config: &Value, layers: &[Value]) {
        let mut config = self.put(config.to_string().into_bytes());
        config["mediaType"] = CONFIG.into();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
        });
        let mut manifest = self.put(manifest.to_string().into_bytes());
        manifest["mediaType"] = MANIFEST.into();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest] });
        self.index = index.to_string().into_bytes();
    }

    fn base(&self) -> Base {
        let index: Value = serde_json::from_slice(&self.index).expect("JSON");
        let digest = index["manifests"][0]["digest"].as_str().expect("a digest");
        format!("registry.example/base@{digest}")
            .parse()
            .expect("a base")
    }

    /// The image over it, pinned and built.
    fn build(
        &self,
        store: &MemoryStore,
        image: &Image,
        mut lock: Lock,
    ) -> Result<Built, BuildError> {
        let image = Image {
            base: Some(self.base()),
            ..image.clone()
        };
        with_builder(store, self, |builder| {
            let plan = Plan {
                images: vec![Image {
                    packages: None,
                    ..image.clone()
                }],
                ..Plan::default()
            };
            builder.pin(&plan, &mut lock, Pinning::AddMissing)?;
            builder.build(&image, &Lock::parse(&lock.render()).expect("a lock"))
        })
    }
}

fn text(path: &str, text: &str) -> File {
    File {
        path: ImagePath::new(path).expect("a path"),
        node: FileNode::Regular {
            content: Content::Text(text.to_owned()),
            mode: 0o644,
            capabilities: Vec::new(),
        },
        user: Owner::Id(0),
        group: Owner::Id(0),
    }
}

/// The files of what was built, as somebody reads them who knows only the documents.
fn tree(store: &MemoryStore, built: &Built) -> (Tree, Value) {
    let files = StoreFiles(store);
    let opened = open_manifest(&files, built.image.manifest, MANIFEST.to_owned(), None);
    let opened = opened.expect("an image");
    let config = serde_json::from_slice(&opened.config.bytes).expect("JSON");
    (
        opened.contents(&Limits::IMAGE).expect("its files").tree,
        config,
    )
}

fn paths(tree: &Tree) -> Vec<String> {
    let paths = tree.iter().map(|(path, _)| path.to_string());
    paths.filter(|path| path != "/").collect()
}

/// The reason why a base is refused.
fn refused(error: BuildError) -> String {
    match error {
        BuildError::Base { error, .. } => error.to_string(),
        other => panic!("{other}"),
    }
}

fn lower() -> Vec<u8> {
    Layer::new()
        .folder("d")
        .file("d/a", "a")
        .file("d/b", "b")
        .folder("gone")
        .file("gone/x", "x")
        .folder("opaque")
        .file("opaque/old", "old")
        .folder("turns")
        .file("turns/into", "a file")
        .file("one", "linked")
        .link("two", "one")
        .bytes()
}

#[test]
fn files_go_over_layers_of_every_kind_and_those_stay_as_they_are() {
    let middle = Layer::new()
        .file("d/.wh.b", "")
        .file(".wh.gone", "")
        .file("opaque/.wh..wh..opq", "")
        .file("opaque/new", "new")
        .file("turns", "is one");
    let top = Layer::new().file("d/c", &"c".repeat(9000)).bytes();
    let layers = [("+gzip", lower()), ("+zstd", middle.bytes()), ("", top)];
    let registry = Registry::image(&layers, &json!({}));
    let image = Image {
        files: vec![text("/d/mine", "mine"), text("/one", "other")],
        ..bare()
    };
    let store = MemoryStore::new();
    let built = registry
        .build(&store, &image, Lock::default())
        .expect("built");
    let (found, config) = tree(&store, &built);
    let expected = [
        "/d",
        "/d/a",
        "/d/c",
        "/d/mine",
        "/one",
        "/opaque",
        "/opaque/new",
        "/turns",
        "/two",
    ];
    assert_eq!(paths(&found), expected);
    let size = |path: &str| {
        let path = TreePath::new(path.as_bytes()).expect("a path");
        match &found.get(&path).expect("a file").kind {
            Kind::Regular(content) => content.size,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((size("one"), size("two"), size("d/c")), (5, 6, 9000));
    let manifest: Value = {
        let bytes = store
            .read(&built.image.manifest.digest, 1 << 20)
            .expect("an answer");
        serde_json::from_slice(&bytes.expect("a manifest")).expect("JSON")
    };
    let media: Vec<&str> = manifest["layers"]
        .as_array()
        .expect("layers")
        .iter()
        .map(|layer| layer["mediaType"].as_str().expect("a text"))
        .collect();
    assert_eq!(
        media,
        [
            &format!("{LAYER}+gzip"),
            &format!("{LAYER}+zstd"),
            LAYER,
            &format!("{LAYER}+zstd")
        ]
    );
    for (layer, (_, archive)) in config["rootfs"]["diff_ids"]
        .as_array()
        .expect("ids")
        .iter()
        .zip(&layers)
    {
        assert_eq!(*layer, json!(BlobDigest::of(archive).to_string()));
    }
    assert_eq!(config["history"].as_array().expect("a history").len(), 4);
    assert_eq!(config["created"], "2026-02-03T04:05:06Z");
    let kinds: Vec<&LayerKind> = built.contents.iter().map(|layer| &layer.what).collect();
    use LayerKind::{Base, Files};
    assert_eq!(kinds, [&Base, &Base, &Base, &Files]);
    // Again, in a store of its own: the same. Nothing of the registry is needed in the first.
    let again = registry.build(&MemoryStore::new(), &image, Lock::default());
    assert_eq!(again.expect("built"), built);
}

#[test]
fn what_the_base_tells_a_runtime_holds_where_the_image_says_nothing() {
    let said = json!({ "config": {
        "Env": ["PATH=/opt/bin", "A=base", "B=base"], "Cmd": ["serve"], "Entrypoint": ["/run.sh"],
        "User": "7", "WorkingDir": "/srv", "Labels": { "a": "base", "b": "base" },
        "ExposedPorts": { "80/tcp": {} }, "StopSignal": "SIGINT", "Hostname": "builder",
        "Healthcheck": { "Test": ["NONE"] },
    } });
    let registry = Registry::image(&[("", Layer::new().file("a", "a").bytes())], &said);
    let store = MemoryStore::new();
    let plain = registry
        .build(&store, &bare(), Lock::default())
        .expect("built");
    assert_eq!(plain.image.layers.len(), 1);
    let (_, config) = tree(&store, &plain);
    let mut expected = said["config"].clone();
    expected
        .as_object_mut()
        .expect("an object")
        .remove("Hostname");
    assert_eq!(config["config"], expected);
    let image = Image {
        config: Config {
            entrypoint: vec!["/app".to_owned()],
            env: BTreeMap::from([("A".to_owned(), "own".to_owned())]),
            labels: BTreeMap::from([("b".to_owned(), "own".to_owned())]),
            user: Some("8".to_owned()),
            ..Config::default()
        },
        ..bare()
    };
    let built = registry
        .build(&store, &image, Lock::default())
        .expect("built");
    let (_, config) = tree(&store, &built);
    let config = &config["config"];
    assert_eq!(config["Entrypoint"], json!(["/app"]));
    assert_eq!(config["Cmd"], Value::Null, "another entrypoint's arguments");
    assert_eq!(config["Env"], json!(["PATH=/opt/bin", "B=base", "A=own"]));
    assert_eq!(config["Labels"], json!({ "a": "base", "b": "own" }));
    assert_eq!(config["User"], "8");
    assert_eq!(config["StopSignal"], "SIGINT");
}

/// A system with one installed package, and the words of its status.
fn system(status: &str, more: impl FnOnce(Layer) -> Layer) -> Vec<u8> {
    let stanza = format!(
        "Package: old\nStatus: {status}\nMaintainer: A <a@mail.example>\nArchitecture: amd64\n\
         Version: 1\nDescription: old\n\n"
    );
    let mut layer = Layer::new();
    for name in ["bin", "sbin", "lib", "lib64"] {
        layer = layer.symlink(name, &format!("usr/{name}"));
    }
    let layer = layer
        .folder("usr")
        .folder("usr/share")
        .file("usr/share/old", "old")
        .file("etc/os-release", "ID=debian\nVERSION_CODENAME=trixie\n")
        .file("var/lib/dpkg/status", &stanza)
        .file("var/lib/dpkg/info/format", "1\n")
        .file(
            "var/lib/dpkg/info/old.list",
            "/.\n/usr\n/usr/share\n/usr/share/old\n",
        );
    more(layer).bytes()
}

/// The image with the package `a`, and a lock that has it over the base.
fn with_package(registry: &Registry) -> (Image, Lock) {
    let image = Image {
        packages: Some(packages()),
        ..bare()
    };
    let base = registry.base().digest.hex();
    let text = lock(&deb()).render();
    let text = text.replace(
        "recommends = false\n",
        &format!("recommends = false\nbase = \"{base}\"\n"),
    );
    (image, Lock::parse(&text).expect("a lock"))
}

fn over(archive: Vec<u8>) -> Result<(MemoryStore, Built), BuildError> {
    let registry = Registry::image(&[("+gzip", archive)], &json!({}));
    let (image, lock) = with_package(&registry);
    let store = MemoryStore::new();
    let built = registry.build(&store, &image, lock)?;
    Ok((store, built))
}

#[test]
fn a_package_goes_over_what_dpkg_has_installed() {
    let (store, built) = over(system("install ok installed", |layer| layer)).expect("built");
    let (found, _) = tree(&store, &built);
    assert_eq!(built.contents[1].packages, ["a"]);
    let paths = paths(&found);
    for path in [
        "/usr/share/old",
        "/usr/share/a",
        "/var/lib/dpkg/info/a.list",
        "/var/lib/dpkg/info/old.list",
    ] {
        assert!(paths.iter().any(|known| known == path), "{path}: {paths:?}");
    }
    let opened = StoreFiles(&store);
    let opened = open_manifest(&opened, built.image.manifest, MANIFEST.to_owned(), None);
    let opened = opened.expect("an image");
    let path = TreePath::new(b"var/lib/dpkg/status").expect("a path");
    let Kind::Regular(content) = &found.get(&path).expect("a status").kind else {
        panic!("it is a file");
    };
    let status = opened.read(&[content], &Limits::IMAGE).expect("its bytes");
    let status = String::from_utf8_lossy(&status[0]).into_owned();
    let names: Vec<&str> = status
        .lines()
        .filter_map(|line| line.strip_prefix("Package: "))
        .collect();
    assert_eq!(names, ["a", "old"]);
    assert_eq!(status.matches("Status: install ok installed\n").count(), 2);
    // The layer above has what is new, and what is not: nothing.
    let mut upper = Tree::new(0);
    let layer = built.image.layers[1].digest;
    let bytes = store
        .read(&layer, 1 << 20)
        .expect("an answer")
        .expect("a layer");
    let archive = zstd::decode_all(&*bytes).expect("zstd");
    imgc_layer::apply(&mut upper, &*archive, 0).expect("a layer");
    assert!(
        upper
            .get(&TreePath::new(b"usr/share/old").expect("a path"))
            .is_none()
    );
    assert!(!String::from_utf8_lossy(&archive).contains(".wh."));
}

#[test]
fn packages_are_refused_over_what_dpkg_could_not_go_on_from() {
    let why = |archive| match over(archive) {
        Ok(_) => panic!("it is built"),
        Err(error) => error.to_string(),
    };
    let half = why(system("install ok unpacked", |layer| layer));
    assert!(half.contains("`install ok unpacked`"), "{half}");
    let taken = why(system("install ok installed", |layer| {
        layer
            .file("usr/share/a", "of the old one")
            .file("var/lib/dpkg/info/old.list", "/.\n/usr/share/a\n")
    }));
    assert!(taken.contains("in the package a and in old"), "{taken}");
    let pending = why(system("install ok installed", |layer| {
        layer.file("var/lib/dpkg/triggers/Unincorp", "ldconfig -\n")
    }));
    assert!(pending.contains("triggers/Unincorp"), "{pending}");
    let setting = why(system("install ok installed", |layer| {
        layer.file("etc/dpkg/dpkg.cfg.d/x", "force-depends\n")
    }));
    assert!(setting.contains("`force-depends`"), "{setting}");
    let folder = why(Layer::new()
        .file("bin/x", "x")
        .file("var/lib/dpkg/status", "\n")
        .bytes());
    assert!(folder.contains("/bin is no link"), "{folder}");
    let none = why(Layer::new().file("x", "x").bytes());
    assert!(none.contains("no /var/lib/dpkg/status"), "{none}");
}

#[test]
fn what_the_base_leaves_out_is_left_out_of_packages_too() {
    let archive = system("install ok installed", |layer| {
        layer.file(
            "etc/dpkg/dpkg.cfg.d/docker",
            "# small\npath-exclude /usr/share/a\n",
        )
    });
    let (store, built) = over(archive).expect("built");
    let (found, _) = tree(&store, &built);
    let paths = paths(&found);
    assert!(!paths.iter().any(|path| path == "/usr/share/a"));
    assert!(paths.iter().any(|path| path == "/var/lib/dpkg/info/a.list"));
}

#[test]
fn a_lying_or_hostile_base_is_refused() {
    let build = |registry: &Registry| {
        let error = registry.build(&MemoryStore::new(), &bare(), Lock::default());
        refused(error.expect_err("a hostile base"))
    };
    let archive = || Layer::new().file("a", "a").bytes();
    // Another diff id than the archive has.
    let ids =
        json!({ "rootfs": { "type": "layers", "diff_ids": [BlobDigest::of(b"x").to_string()] } });
    let lying = build(&Registry::image(&[("+gzip", archive())], &ids));
    assert!(lying.contains("should have sha256:"), "{lying}");
    // Other bytes than the manifest names, of the same length.
    let mut registry = Registry::image(&[("", archive())], &json!({}));
    let name = format!("blobs/sha256/{}", BlobDigest::of(&archive()).hex());
    registry.blobs.get_mut(&name).expect("a layer")[600] ^= 1;
    let other = build(&registry);
    assert!(other.contains("should have sha256:"), "{other}");
    // Paths that lead outside.
    let mut escape = Layer::new().file("aa/x", "x").bytes();
    escape[..2].copy_from_slice(b"..");
    let sum: u32 = escape[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u32::from(*byte)
            }
        })
        .sum();
    escape[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let outside = build(&Registry::image(&[("", escape)], &json!({})));
    assert!(outside.contains("can't be read"), "{outside}");
    // For another platform, for whoever builds over it, and not to be passed on.
    let arm = json!({ "architecture": "arm64" });
    let arm = build(&Registry::image(&[("", archive())], &arm));
    assert!(arm.contains("linux/arm64"), "{arm}");
    let onbuild = json!({ "config": { "OnBuild": ["RUN x"] } });
    let onbuild = build(&Registry::image(&[("", archive())], &onbuild));
    assert!(onbuild.contains("ONBUILD"), "{onbuild}");
    // More bytes than the manifest says.
    let mut registry = Registry::image(&[("", archive())], &json!({}));
    registry.blobs.get_mut(&name).expect("a layer").push(0);
    let longer = build(&registry);
    assert!(longer.contains("bytes"), "{longer}");
}

#[test]
fn a_lock_that_says_something_else_is_not_believed() {
    let registry = Registry::image(&[("", Layer::new().file("a", "a").bytes())], &json!({}));
    let image = Image {
        base: Some(registry.base()),
        ..bare()
    };
    let plan = Plan {
        images: vec![image.clone()],
        ..Plan::default()
    };
    let mut lock = Lock::default();
    let store = MemoryStore::new();
    let (locked, missing) = with_builder(&store, &registry, |builder| {
        let missing = builder.pin(&plan, &mut lock, Pinning::Locked);
        let pinned = builder.pin(&plan, &mut lock, Pinning::AddMissing);
        (pinned, missing)
    });
    locked.expect("pinned");
    assert!(
        matches!(missing, Err(BuildError::BaseNotLocked { .. })),
        "{missing:?}"
    );
    assert_eq!(lock.bases()[0].layers.len(), 1);
    let mut wrong = lock.bases()[0].clone();
    wrong.config.size += 1;
    lock.pin_base(wrong).expect("a lock");
    let built = with_builder(&MemoryStore::new(), &registry, |builder| {
        builder.build(&image, &lock)
    });
    let error = built.expect_err("another configuration");
    assert!(
        matches!(&error, BuildError::Base { error, .. } if matches!(**error, BaseError::Lock(_))),
        "{error}"
    );
    let other = Image {
        platform: Platform { arch: Arch::Arm64 },
        ..image
    };
    let built = with_builder(&store, &registry, |builder| builder.build(&other, &lock));
    assert!(matches!(built, Err(BuildError::BaseNotLocked { .. })));
}
