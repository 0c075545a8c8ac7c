//! Whole builds in memory of images whose files come from elsewhere: fetched, and taken out
//! of archives that are made here, most of them by somebody who means no good.

use std::collections::BTreeMap;
use std::io::{Read, Write as _};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use imgc_apt::Lock;
use imgc_build::{
    BuildError, Builder, Built, ExtractError, FetchError, Mirrors, Response, Sources, Transport,
    TransportError,
};
use imgc_layer::{ItemKind, TarReader};
use imgc_plan::{
    Arch, Config, Content, File, FileDigest, FileNode, Image, ImagePath, Layers, Owner, Platform,
};
use imgc_store::{BlobDigest, MemoryStore, Store};

use crate::support::Deaf;

/// One file at every address, and how often it was asked for.
struct Web(Vec<u8>, Mutex<usize>);

impl Transport for Web {
    fn get(&self, url: &str, from: u64) -> Result<Response, TransportError> {
        *self.1.lock().expect("a number") += 1;
        if url.ends_with("/none") {
            return Err(TransportError::NotFound);
        }
        let rest = self.0[usize::try_from(from).expect("small")..].to_vec();
        Ok(Response {
            body: Box::new(std::io::Cursor::new(rest)),
            start: from,
        })
    }

    fn wait(&self, _: u32) {}
}

/// A project of one file.
struct Project(Vec<u8>);

impl Sources for Project {
    fn open(&self, _: &FileDigest) -> std::io::Result<Box<dyn Read>> {
        Ok(Box::new(std::io::Cursor::new(self.0.clone())))
    }
}

fn file(path: &str, node: FileNode) -> File {
    File {
        path: ImagePath::new(path).expect("a path"),
        node,
        user: Owner::Id(7),
        group: Owner::Id(0),
    }
}

fn image(files: Vec<File>) -> Image {
    Image {
        name: "app".to_owned(),
        platform: Platform { arch: Arch::Amd64 },
        base: None,
        packages: None,
        groups: Vec::new(),
        users: Vec::new(),
        files,
        attributes: Vec::new(),
        config: Config::default(),
        layers: Layers::default(),
        annotations: BTreeMap::new(),
        provided: BTreeMap::new(),
    }
}

fn built(store: &MemoryStore, web: &Web, image: &Image) -> Result<Built, BuildError> {
    let builder = Builder {
        store,
        transport: web,
        mirrors: &Mirrors::default(),
        keyrings: &BTreeMap::new(),
        registries: &Deaf,
        events: &Deaf,
        sources: &Project(web.0.clone()),
        now: None,
        memory: 1 << 20,
        stop: &AtomicBool::new(false),
    };
    builder.build(image, &Lock::default())
}

fn fetched(bytes: &[u8], url: &str) -> Content {
    Content::Fetched {
        digest: FileDigest::of(bytes),
        url: url.to_owned(),
    }
}

/// What is taken of an archive.
#[derive(Default, Clone)]
struct Take<'a> {
    strip: u32,
    exclude: &'a [&'a str],
    include: &'a [&'a str],
    setuid: bool,
}

fn archive(content: Content, take: &Take<'_>) -> FileNode {
    let texts = |all: &[&str]| all.iter().map(|text| (*text).to_owned()).collect();
    FileNode::Archive {
        content,
        strip: take.strip,
        exclude: texts(take.exclude),
        include: texts(take.include),
        setuid: take.setuid,
    }
}

/// What the only layer of an image holds: mode, path, and text or target.
fn held(store: &MemoryStore, built: &Built) -> Vec<String> {
    let layer = built.image.layers[0].digest;
    let bytes = store.read(&layer, 1 << 30).expect("read").expect("there");
    let tar = zstd::decode_all(&bytes[..]).expect("zstd");
    let mut reader = TarReader::new(&tar[..]);
    let mut lines = BTreeMap::new();
    while let Some(item) = reader.next_item().expect("an entry") {
        let path = String::from_utf8_lossy(&item.path).into_owned();
        let mut text = String::new();
        if item.kind == ItemKind::Regular {
            reader.body().read_to_string(&mut text).expect("a body");
        }
        if let ItemKind::Symlink(target) = &item.kind {
            text = format!("-> {}", String::from_utf8_lossy(target));
        }
        let line = format!("{:o} {} {path} {text}", item.meta.mode, item.meta.uid);
        lines.insert(path, line.trim_end().to_owned());
    }
    lines.remove("./");
    lines.into_values().collect()
}

/// A header and a body of a tar archive, with whatever name, type, link and mode.
fn entry(name: &str, kind: u8, link: &str, mode: u32, body: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    let mut put = |at: usize, text: &str| {
        header[at..at + text.len()].copy_from_slice(text.as_bytes());
    };
    put(0, name);
    put(100, &format!("{mode:07o}"));
    put(108, "0001750");
    put(116, "0001750");
    put(124, &format!("{:011o}", body.len()));
    put(136, "14444444444");
    put(148, "        ");
    put(156, std::str::from_utf8(&[kind]).expect("ASCII"));
    put(157, link);
    put(257, "ustar");
    put(263, "00");
    put(329, "0000001");
    put(337, "0000001");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header.extend(body);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut all = entries.concat();
    all.extend([0; 1024]);
    all
}

fn good() -> Vec<u8> {
    tar(&[
        entry("./app-1/", b'5', "", 0o700, b""),
        entry("app-1/bin/run", b'0', "", 0o711, b"run\n"),
        entry("app-1/bin/twin", b'1', "app-1/bin/run", 0o711, b""),
        entry("app-1/bin/link", b'2', "../doc/a", 0o777, b""),
        entry("app-1/doc/a", b'0', "", 0o600, b"a\n"),
        entry("app-1/doc/b", b'0', "", 0o646, b"b\n"),
    ])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).expect("written");
    out.finish().expect("a stream")
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = liblzma::write::XzEncoder::new(Vec::new(), 1);
    out.write_all(bytes).expect("written");
    out.finish().expect("a stream")
}

/// A zip archive of these files: name, mode, body.
fn zip(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut out);
    for (name, mode, body) in files {
        let (mut entry, config) = archive
            .new_file(rawzip::path::EntryPath::verbatim(name.as_bytes()))
            .compression_method(rawzip::CompressionMethod::DEFLATE)
            .unix_permissions(*mode)
            .start()
            .expect("an entry");
        let level = flate2::Compression::best();
        let encoder = flate2::write::DeflateEncoder::new(&mut entry, level);
        let mut writer = config.wrap(encoder);
        writer.write_all(body).expect("written");
        let (encoder, descriptor) = writer.finish().expect("finished");
        encoder.finish().expect("finished");
        entry.finish(descriptor).expect("an entry");
    }
    archive.finish().expect("an archive");
    out
}

fn unpacked(bytes: &[u8], take: &Take<'_>) -> Result<Vec<String>, BuildError> {
    let store = MemoryStore::new();
    let content = fetched(bytes, "https://example.org/a");
    let image = image(vec![file("/opt", archive(content, take))]);
    let built = built(&store, &Web(bytes.to_vec(), Mutex::default()), &image)?;
    Ok(held(&store, &built))
}

const ALL: [&str; 8] = [
    "755 7 opt/",
    "755 7 opt/bin/",
    "777 7 opt/bin/link -> ../doc/a",
    "755 7 opt/bin/run run",
    "755 7 opt/bin/twin run",
    "755 7 opt/doc/",
    "644 7 opt/doc/a a",
    "644 7 opt/doc/b b",
];

const STRIPPED: Take<'_> = Take {
    strip: 1,
    exclude: &[],
    include: &[],
    setuid: false,
};

#[test]
fn every_kind_of_archive_comes_to_the_same() {
    let tar = good();
    let zip = zip(&[
        ("app-1/bin/run", 0o100_711, b"run\n"),
        ("app-1/bin/twin", 0o100_711, b"run\n"),
        ("app-1/bin/link", 0o120_777, b"../doc/a"),
        ("app-1/doc/a", 0o100_600, b"a\n"),
        ("app-1/doc/b", 0o100_646, b"b\n"),
    ]);
    let zst = zstd::encode_all(&tar[..], 1).expect("zstd");
    for bytes in [tar.clone(), gzip(&tar), xz(&tar), zst, zip] {
        assert_eq!(unpacked(&bytes, &STRIPPED).expect("built"), ALL);
    }
}

#[test]
fn parts_of_an_archive_are_left_out() {
    let take = Take {
        exclude: &["/doc/*"],
        include: &["/doc/b"],
        ..STRIPPED
    };
    let mut wanted: Vec<&str> = ALL.to_vec();
    wanted.retain(|line| !line.contains("opt/doc/a a"));
    assert_eq!(unpacked(&good(), &take).expect("built"), wanted);
    let take = Take {
        exclude: &["/*"],
        include: &["/bin/run"],
        ..STRIPPED
    };
    let wanted = ["755 7 opt/", "755 7 opt/bin/", "755 7 opt/bin/run run"];
    assert_eq!(unpacked(&good(), &take).expect("built"), wanted);
    let take = Take {
        strip: 3,
        ..STRIPPED
    };
    assert!(matches!(
        unpacked(&good(), &take),
        Err(BuildError::Extract {
            error: ExtractError::Nothing,
            ..
        })
    ));
}

/// What is said of an archive that is refused.
fn refused(bytes: &[u8]) -> String {
    match unpacked(bytes, &Take::default()) {
        Err(BuildError::Extract { error, .. }) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(lines) => panic!("it was unpacked: {lines:?}"),
    }
}

#[test]
fn tricks_of_tar_archives_are_refused() {
    let regular = |name: &str| entry(name, b'0', "", 0o644, b"x");
    let link = |name: &str, target: &str| entry(name, b'2', target, 0o777, b"");
    for (entries, said) in [
        (vec![regular("../x")], "which leads upwards"),
        (vec![regular("a/../../x")], "which leads upwards"),
        (vec![regular("/etc/passwd")], "which is absolute"),
        (vec![regular("a\\b")], "has a `\\`"),
        (vec![regular("a"), regular("a")], "which is in it twice"),
        (vec![regular("a"), regular("./a")], "which is in it twice"),
        (
            vec![regular("a"), regular("a/b")],
            "below what is no folder",
        ),
        (vec![link("a", "/etc"), regular("b")], "leads out of it"),
        (vec![link("a", "../x")], "leads out of it"),
        (vec![link("a", "b"), link("b", "../x")], "leads out of it"),
        (
            vec![link("d/up", ".."), link("x", "d/up/../etc")],
            "leads out of it",
        ),
        (
            vec![link("a", "b"), regular("a/x")],
            "below what is no folder",
        ),
        (vec![link("a", "b"), regular("a")], "which is in it twice"),
        (vec![link("a", "")], "a link whose target is empty"),
        (
            vec![entry("a", b'1', "/etc/passwd", 0o644, b"")],
            "which is absolute",
        ),
        (
            vec![entry("a", b'1', "b", 0o644, b""), regular("b")],
            "not unpacked before it",
        ),
        (
            vec![link("b", "c"), entry("a", b'1', "b", 0o644, b"")],
            "not unpacked before it",
        ),
        (
            vec![entry("a", b'3', "", 0o644, b"")],
            "neither a file, a folder nor a link",
        ),
        (
            vec![entry("a", b'6', "", 0o644, b"")],
            "neither a file, a folder nor a link",
        ),
        (
            vec![entry("a", b'0', "", 0o4755, b"x")],
            "which runs with another's rights",
        ),
    ] {
        let bytes = tar(&entries);
        let refused = refused(&bytes);
        assert!(refused.contains(said), "{refused}: {said}");
    }
}

#[test]
fn rights_are_kept_where_they_are_asked_for() {
    let bytes = tar(&[entry("a", b'0', "", 0o4711, b"x")]);
    let take = Take {
        setuid: true,
        ..Take::default()
    };
    let wanted = ["755 7 opt/", "4755 7 opt/a x"];
    assert_eq!(unpacked(&bytes, &take).expect("built"), wanted);
}

#[test]
fn damaged_archives_are_refused() {
    let tar = good();
    for bytes in [
        tar[..tar.len() - 1024].to_vec(),
        tar[..700].to_vec(),
        gzip(&tar[..700]),
    ] {
        assert!(refused(&bytes).contains("it ends too early"));
    }
    let packed = gzip(&tar);
    assert!(refused(&packed[..packed.len() - 9]).starts_with("it is damaged"));
    let mut wrong = packed.clone();
    let at = wrong.len() - 6;
    wrong[at] ^= 1;
    assert!(refused(&wrong).starts_with("it is damaged"));
    let packed = xz(&tar);
    assert!(refused(&packed[..packed.len() - 9]).starts_with("it is damaged"));
    assert!(refused(b"BZh91AY&SY").contains("bzip2"));
    for bytes in [&b""[..], b"hello", &[0; 2000]] {
        assert!(refused(bytes).contains("it is neither"));
    }
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; 200 << 20];
    let bomb = tar(&[entry("a", b'0', "", 0o644, &zeros)]);
    let packed = zstd::encode_all(&bomb[..], 1).expect("zstd");
    assert!(packed.len() < 100_000);
    assert!(refused(&packed).contains("times as large"));
    let packed = zip(&[("a", 0o100_644, &zeros)]);
    assert!(packed.len() < 2_000_000);
    // A thousandth is what deflate comes to, at most.
    let refused = refused(&packed);
    assert!(refused.contains("times as large"), "{refused}");
}

#[test]
fn tricks_of_zip_archives_are_refused() {
    let one = |name: &str, mode| zip(&[(name, mode, b"x")]);
    for (bytes, said) in [
        (one("../x", 0o100_644), "which leads upwards"),
        (one("/x", 0o100_644), "which is absolute"),
        (one("a\\b", 0o100_644), "has a `\\`"),
        (one("a", 0o020_644), "neither a file, a folder nor a link"),
        (zip(&[("a", 0o120_777, b"/etc/passwd")]), "leads out of it"),
        (
            zip(&[("a", 0o100_644, b"x"), ("a", 0o100_644, b"y")]),
            "which is in it twice",
        ),
    ] {
        let refused = refused(&bytes);
        assert!(refused.contains(said), "{refused}: {said}");
    }
    let good = zip(&[("a", 0o100_644, b"some text")]);
    assert_eq!(unpacked(&good, &Take::default()).expect("built").len(), 2);
    // The sum in the directory at the end, and the name where the file stands.
    let at = good
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .expect("a directory");
    let mut wrong = good.clone();
    wrong[at + 16] ^= 1;
    assert!(refused(&wrong).starts_with("it is damaged"));
    let mut other = good.clone();
    other[30] = b'b';
    assert!(refused(&other).contains("another name"));
    for length in (0..good.len()).step_by(7) {
        assert!(unpacked(&good[..length], &Take::default()).is_err());
    }
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0xff;
        // Whatever comes of it, it ends.
        if let Ok(lines) = unpacked(&bytes, &Take::default()) {
            assert_eq!(lines[0], "755 7 opt/");
        }
    }
}

#[test]
fn what_is_fetched_is_checked_and_kept() {
    let bytes = b"a program".to_vec();
    let store = MemoryStore::new();
    let web = Web(bytes.clone(), Mutex::default());
    let node = |url| FileNode::Regular {
        content: fetched(b"a program", url),
        mode: 0o755,
        capabilities: Vec::new(),
    };
    let of = |url| image(vec![file("/bin/app", node(url))]);
    let first = built(&store, &web, &of("https://example.org/app")).expect("built");
    assert!(held(&store, &first).contains(&"755 7 bin/app a program".to_owned()));
    // Where it comes from is no part of what it is: nothing is made anew.
    let second = built(&store, &web, &of("https://other.example/none")).expect("built");
    assert_eq!(first, second);
    assert_eq!(*web.1.lock().expect("a number"), 1);
    // A new image takes it from the store.
    let mut third = of("https://other.example/none");
    third.files[0].user = Owner::Id(8);
    built(&store, &web, &third).expect("built");
    assert_eq!(*web.1.lock().expect("a number"), 1);
    // Unless it is damaged there.
    store.corrupt(&BlobDigest::of(&bytes), b"a problem");
    third.files[0].user = Owner::Id(9);
    let lost = built(&store, &web, &third).expect_err("it has to be fetched");
    assert!(matches!(lost, BuildError::Fetched { .. }), "{lost}");
    third.files[0].node = node("https://example.org/app");
    built(&store, &web, &third).expect("built");

    let other = Web(b"another program".to_vec(), Mutex::default());
    let wrong = built(&MemoryStore::new(), &other, &of("https://example.org/app"));
    let Err(BuildError::Fetched { digest, error, .. }) = wrong else {
        panic!("other bytes were taken");
    };
    assert_eq!(digest, BlobDigest::of(&bytes).hex());
    let FetchError::Other { found, .. } = *error else {
        panic!("{error}");
    };
    assert_eq!(found, BlobDigest::of(b"another program"));
}

#[test]
fn an_archive_of_the_project_is_unpacked_too() {
    let bytes = good();
    let content = Content::Source {
        digest: FileDigest::of(&bytes),
        size: bytes.len() as u64,
    };
    let image = image(vec![file("/opt", archive(content, &STRIPPED))]);
    let store = MemoryStore::new();
    let web = Web(bytes.clone(), Mutex::default());
    let made = built(&store, &web, &image).expect("built");
    assert_eq!(held(&store, &made), ALL);
    assert_eq!(*web.1.lock().expect("a number"), 0);
    // The project's file is another one by now.
    let changed = Web(b"changed".to_vec(), Mutex::default());
    let error = built(&MemoryStore::new(), &changed, &image).expect_err("changed");
    assert!(matches!(error, BuildError::Changed), "{error}");
}
