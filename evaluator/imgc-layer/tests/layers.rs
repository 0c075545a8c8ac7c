//! Trees to layers and back: determinism, reuse, differences, damage.

use std::io::{self, BufReader, Read};

use imgc_layer::{
    Compression, Contents, Entry, EntryKind, Frame, Layer, LayerError, PlanError, Recipe, Segment,
    SegmentUse, SegmentWriter, StoreContents, What, apply, assemble, decompress, plan_layer,
    plan_layers, recompress,
};
use imgc_store::{BlobDigest, MemoryStore, Store};
use imgc_tree::{Content, Data, Kind, Meta, Node, Tree, TreeDigest, TreePath};
use sha2::{Digest as _, Sha256};

fn path(text: impl AsRef<[u8]>) -> TreePath {
    TreePath::new(text.as_ref()).expect("a path")
}

fn file(text: &str) -> Node {
    Node::file(Content::inline(text.as_bytes()), 0o644, 1_000)
}

fn put(tree: &mut Tree, at: impl AsRef<[u8]>, node: Node) {
    let at = path(at);
    tree.make_parents(&at, 500).expect("parents");
    tree.insert(&at, node).expect("inserted");
}

fn link(tree: &mut Tree, at: &str, target: &str) {
    tree.make_parents(&path(at), 500).expect("parents");
    tree.link(&path(at), &path(target)).expect("linked");
}

fn layer(store: &MemoryStore, recipe: &Recipe) -> Layer {
    made(store, recipe, &StoreContents::new(store, None)).expect("a layer")
}

fn made(
    store: &MemoryStore,
    recipe: &Recipe,
    contents: &dyn Contents,
) -> Result<Layer, LayerError> {
    let frames: Vec<Frame> = recipe
        .segments
        .iter()
        .map(|&segment| segment.into())
        .collect();
    assemble(store, recipe, Compression::SEGMENT, &frames, contents)
}

fn archive(store: &MemoryStore, layer: &Layer) -> Vec<u8> {
    let blob = store.open(&layer.blob).expect("an answer").expect("a blob");
    assert_eq!(blob.len(), layer.size);
    let mut tar = Vec::new();
    decompress(BufReader::new(blob), layer.compression)
        .expect("zstd")
        .read_to_end(&mut tar)
        .expect("bytes");
    assert_eq!(tar.len() as u64, layer.tar_size);
    assert_eq!(
        <[u8; 32]>::from(Sha256::digest(&tar)),
        *layer.diff_id.as_bytes()
    );
    tar
}

fn lay(tree: &mut Tree, store: &MemoryStore, layer: &Layer) {
    apply(tree, archive(store, layer).as_slice(), u64::MAX).expect("applied");
}

/// Names in the order of the archive, read by the tar crate.
fn names(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("entries");
    entries
        .map(|entry| String::from_utf8_lossy(&entry.expect("an entry").path_bytes()).into_owned())
        .collect()
}

/// Writes a segment of files and links, as unpacking a package would.
fn segment(store: &MemoryStore, entries: &[(&str, &str, What)]) -> SegmentUse {
    let mut writer = SegmentWriter::new(store.writer().expect("a writer")).expect("zstd");
    let mut listed = Vec::new();
    for (at, text, what) in entries {
        let meta = Meta {
            mode: 0o644,
            mtime: 1_000,
            ..Meta::default()
        };
        let kind = match what {
            What::HardLink(target) => EntryKind::HardLink(target),
            What::Node(Kind::Directory) => EntryKind::Directory,
            What::Node(_) => EntryKind::Regular {
                size: text.len() as u64,
                body: &mut text.as_bytes(),
            },
        };
        let content = writer.entry(&path(at), &meta, kind).expect("written");
        let what = content.map_or_else(
            || what.clone(),
            |content| What::Node(Kind::Regular(content)),
        );
        listed.push(Entry {
            path: path(at),
            meta,
            what,
        });
    }
    let segment = writer.commit().expect("a segment");
    for entry in &mut listed {
        if let What::Node(Kind::Regular(content)) = &mut entry.what {
            segment.place(content);
            assert!(matches!(content.data, Data::Segment { id, .. } if id == segment.id()));
        }
    }
    SegmentUse {
        segment,
        entries: listed,
    }
}

fn regular() -> What {
    What::Node(Kind::Regular(Content::inline(&b""[..])))
}

/// A tree with the entries of segments, as installing packages would make it.
fn installed(segments: &[SegmentUse]) -> Tree {
    let mut tree = Tree::new(500);
    for entry in segments.iter().flat_map(|used| &used.entries) {
        tree.make_parents(&entry.path, 500).expect("parents");
        match &entry.what {
            What::HardLink(target) => tree.link(&entry.path, target),
            What::Node(kind) => {
                let node = Node {
                    meta: entry.meta.clone(),
                    kind: kind.clone(),
                };
                tree.insert(&entry.path, node)
            }
        }
        .expect("inserted");
    }
    tree
}

/// One of everything that a tree can hold.
fn varied() -> Tree {
    let mut tree = Tree::new(77);
    put(&mut tree, "etc/motd", file("hello\n"));
    put(&mut tree, "empty", file(""));
    put(&mut tree, "bin", Node::symlink(&b"usr/bin"[..], 9));
    put(&mut tree, "tmp", Node::directory(0o1777, 3));
    link(&mut tree, "usr/share/other", "etc/motd");
    put(
        &mut tree,
        "l",
        Node::symlink("ü/".repeat(90).as_bytes(), -1),
    );
    put(&mut tree, "z/".repeat(70) + "end", file("deep"));
    put(&mut tree, b"not\xfftext", file("bytes"));
    put(
        &mut tree,
        [&[b'n'; 150][..], b"\xff"].concat(),
        file("more bytes"),
    );
    put(&mut tree, "größe", file("text"));
    for (name, kind) in [
        ("dev/null", Kind::CharDevice { major: 1, minor: 3 }),
        ("dev/sda", Kind::BlockDevice { major: 8, minor: 0 }),
        ("dev/pipe", Kind::Fifo),
    ] {
        let meta = Meta {
            mode: 0o666,
            uid: 3_000_000,
            gid: u32::MAX,
            ..Meta::default()
        };
        put(&mut tree, name, Node { meta, kind });
    }
    let mut capable = file("ping");
    capable
        .meta
        .xattrs
        .insert("security.capability".into(), b"\x01\n=\0\n".to_vec());
    capable.meta.mode = 0o4755;
    put(&mut tree, "usr/bin/ping", capable);
    link(&mut tree, "usr/bin/ping6", "usr/bin/ping");
    tree
}

#[test]
fn a_tree_comes_back_from_its_layer() {
    let store = MemoryStore::new();
    let tree = varied();
    let recipe = plan_layer(&tree, None, &[]).expect("a recipe");
    let first = layer(&store, &recipe);
    assert_eq!(layer(&store, &recipe), first);
    assert_eq!(layer(&MemoryStore::new(), &recipe), first);
    let mut back = Tree::new(0);
    lay(&mut back, &store, &first);
    assert_eq!(back, tree);
    assert_eq!(TreeDigest::of(&back), TreeDigest::of(&tree));
    // A reader that nobody here wrote finds the same names.
    let listed = names(&archive(&store, &first));
    assert_eq!(listed.len(), tree.len());
    assert!(listed.iter().any(|name| name.contains("größe")));
}

#[test]
fn files_can_be_digested_instead_of_kept() {
    let store = MemoryStore::new();
    let made = layer(&store, &plan_layer(&varied(), None, &[]).expect("a recipe"));
    let mut back = Tree::new(0);
    apply(&mut back, archive(&store, &made).as_slice(), 4).expect("applied");
    assert_eq!(back, varied());
    let Some(Kind::Regular(content)) = back.get(&path("etc/motd")).map(|node| &node.kind) else {
        panic!("a file");
    };
    assert!(matches!(content.data, Data::Outside));
}

#[test]
fn an_empty_difference_is_an_empty_layer() {
    let store = MemoryStore::new();
    let recipe = plan_layer(&varied(), Some(&varied()), &[]).expect("a recipe");
    assert_eq!(recipe, Recipe::default());
    assert_eq!(archive(&store, &layer(&store, &recipe)), [0; 1024]);
}

#[test]
fn reused_and_loose_entries_make_the_same_tree() {
    let store = MemoryStore::new();
    let folder = What::Node(Kind::Directory);
    let one = segment(
        &store,
        &[
            ("usr", "", folder),
            ("usr/a", "the a", regular()),
            ("usr/a2", "", What::HardLink(path("usr/a"))),
        ],
    );
    let two = segment(
        &store,
        &[("etc/b", "the b", regular()), ("usr/c", "the c", regular())],
    );
    let used = [one, two];
    let mut tree = installed(&used);
    put(&mut tree, "etc/loose", file("loose"));
    link(&mut tree, "zz", "usr/a");

    let reused = plan_layer(&tree, None, &used).expect("a recipe");
    assert_eq!(reused.segments, [used[0].segment, used[1].segment]);
    let paths: Vec<_> = reused
        .loose
        .iter()
        .map(|entry| entry.path.clone())
        .collect();
    assert_eq!(paths, [path("etc/loose"), path("zz")]);
    assert_eq!(reused.loose[1].what, What::HardLink(path("usr/a")));
    let loose = plan_layer(&tree, None, &[]).expect("a recipe");
    assert!(loose.segments.is_empty());

    let (first, second) = (layer(&store, &reused), layer(&store, &loose));
    assert_ne!(first.blob, second.blob);
    for made in [first, second] {
        let mut back = Tree::new(0);
        lay(&mut back, &store, &made);
        assert_eq!(back, tree);
    }
    let order = [
        "./",
        "etc/",
        "usr/",
        "usr/a",
        "usr/a2",
        "etc/b",
        "usr/c",
        "etc/loose",
        "zz",
    ];
    assert_eq!(names(&archive(&store, &first)), order);
}

type Change = fn(&mut Tree);

#[test]
fn a_segment_that_does_not_stand_unchanged_is_taken_apart() {
    let store = MemoryStore::new();
    let one = segment(
        &store,
        &[
            ("a", "the a", regular()),
            ("b", "the b", regular()),
            ("c", "", What::HardLink(path("b"))),
        ],
    );
    let used = [one];
    let changes: [(&str, Change); 8] = [
        ("removed", |tree| {
            tree.remove(&path("a"));
        }),
        ("contents", |tree| put(tree, "a", file("other"))),
        ("mode", |tree| {
            let ino = tree.ino(&path("a")).expect("there");
            tree.node_mut(ino).meta.mode = 0o600;
        }),
        ("time", |tree| {
            let ino = tree.ino(&path("b")).expect("there");
            tree.node_mut(ino).meta.mtime = 999;
        }),
        ("unlinked", |tree| put(tree, "c", file("the b"))),
        ("linked", |tree| link(tree, "a", "b")),
        ("kind", |tree| put(tree, "a", Node::symlink(&b"b"[..], 1))),
        ("moved", |tree| {
            tree.remove(&path("c"));
            link(tree, "d", "b");
        }),
    ];
    assert_eq!(
        plan_layer(&installed(&used), None, &used)
            .expect("planned")
            .segments
            .len(),
        1
    );
    for (name, change) in changes {
        let mut tree = installed(&used);
        change(&mut tree);
        let recipe = plan_layer(&tree, None, &used).expect("a recipe");
        assert!(recipe.segments.is_empty(), "{name}");
        let mut back = Tree::new(0);
        lay(&mut back, &store, &layer(&store, &recipe));
        assert_eq!(back, tree, "{name}");
    }
}

#[test]
fn no_path_and_no_inode_is_brought_twice() {
    let store = MemoryStore::new();
    let one = segment(&store, &[("a", "same", regular()), ("b", "b", regular())]);
    let two = segment(&store, &[("a", "same", regular()), ("c", "c", regular())]);
    let three = segment(&store, &[("d", "same", regular())]);
    let nothing = segment(&store, &[("usr", "", What::Node(Kind::Directory))]);
    let used = [one, two, nothing, three];
    let mut tree = installed(&used);
    link(&mut tree, "d", "a");
    let recipe = plan_layer(&tree, None, &used).expect("a recipe");
    assert_eq!(recipe.segments, [used[0].segment]);
    let mut back = Tree::new(0);
    lay(&mut back, &store, &layer(&store, &recipe));
    assert_eq!(back, tree);
}

#[test]
fn a_difference_has_whiteouts_and_the_folders_above() {
    let store = MemoryStore::new();
    let mut base = Tree::new(1);
    put(&mut base, "root", Node::directory(0o700, 5));
    put(&mut base, "root/gone", file("gone"));
    put(&mut base, "root/dir/inside", file("x"));
    put(&mut base, "keep/file", file("kept"));
    put(&mut base, "folder/in", file("x"));
    put(&mut base, "plain", file("x"));
    put(&mut base, "l1", file("linked"));
    link(&mut base, "l2", "l1");
    let mut tree = base.clone();
    tree.remove(&path("root/gone"));
    tree.remove(&path("root/dir"));
    tree.remove(&path("folder"));
    put(&mut tree, "folder", file("a file now"));
    tree.remove(&path("plain"));
    put(&mut tree, "plain/now/a", file("folder"));
    link(&mut tree, "new/l3", "l1");

    let recipe = plan_layer(&tree, Some(&base), &[]).expect("a recipe");
    let made = layer(&store, &recipe);
    let expected = [
        "./",
        "new/",
        "plain/",
        "plain/now/",
        "root/",
        "root/.wh.dir",
        "root/.wh.gone",
        "folder",
        "l1",
        "l2",
        "new/l3",
        "plain/now/a",
    ];
    assert_eq!(names(&archive(&store, &made)), expected);
    let mut back = base;
    lay(&mut back, &store, &made);
    assert_eq!(back, tree);
}

#[test]
fn a_changed_folder_is_in_the_difference() {
    let mut base = Tree::new(1);
    put(&mut base, "a/b/c", file("x"));
    let mut tree = base.clone();
    let ino = tree.ino(&path("a/b")).expect("there");
    tree.node_mut(ino).meta.mode = 0o700;
    let recipe = plan_layer(&tree, Some(&base), &[]).expect("a recipe");
    let paths: Vec<_> = recipe.head.iter().map(|entry| entry.path.clone()).collect();
    assert_eq!(paths, [path(""), path("a"), path("a/b")]);
    assert!(recipe.loose.is_empty());
}

#[test]
fn a_name_that_reads_as_a_whiteout_is_refused() {
    let mut tree = Tree::new(0);
    put(&mut tree, "a/.wh.b", file(""));
    let refused = plan_layer(&tree, None, &[]);
    assert_eq!(refused, Err(PlanError::Reserved(path("a/.wh.b"))));
}

/// Many pairs of trees: the difference over the base is always the tree.
#[test]
fn differences_lead_from_any_tree_to_any_other() {
    let mut seed = 1_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    let mut grow = |tree: &mut Tree| {
        for _ in 0..12 {
            let depth = 1 + random(3);
            let name: Vec<_> = (0..depth)
                .map(|_| ["a", "b", "c", "a.b"][random(4) as usize])
                .collect();
            let at = path(name.join("/"));
            if tree.make_parents(&at, 1).is_err() {
                continue;
            }
            let files: Vec<TreePath> = tree
                .iter()
                .filter(|(_, node)| !node.is_directory())
                .map(|(path, _)| path.clone())
                .collect();
            // What the tree refuses is no change.
            let _ = match random(6) {
                0 => tree.remove(&at).then_some(()).ok_or(()),
                1 => tree
                    .insert(&at, Node::directory(0o700 + random(2) as u32, 1))
                    .map(drop)
                    .or(Err(())),
                2 if !files.is_empty() => {
                    let target = &files[random(files.len() as u64) as usize];
                    tree.link(&at, target).map(drop).or(Err(()))
                }
                3 => tree
                    .insert(&at, Node::symlink(&b"x"[..], 1))
                    .map(drop)
                    .or(Err(())),
                _ => tree
                    .insert(&at, file(["1", "2"][random(2) as usize]))
                    .map(drop)
                    .or(Err(())),
            };
        }
    };
    let store = MemoryStore::new();
    for round in 0..300 {
        let mut base = Tree::new(1);
        grow(&mut base);
        let mut tree = base.clone();
        grow(&mut tree);
        let lower = layer(&store, &plan_layer(&base, None, &[]).expect("a recipe"));
        let upper = layer(
            &store,
            &plan_layer(&tree, Some(&base), &[]).expect("a recipe"),
        );
        let mut back = Tree::new(0);
        lay(&mut back, &store, &lower);
        assert_eq!(back, base, "round {round}");
        lay(&mut back, &store, &upper);
        assert_eq!(back, tree, "round {round}");
    }
}

#[test]
fn contents_are_read_out_of_segments_in_any_order() {
    let store = MemoryStore::new();
    let texts: Vec<String> = (0..60)
        .map(|n| format!("{n} ").repeat(1 + n * 97))
        .collect();
    let paths: Vec<String> = (0..60).map(|n| format!("f{n}")).collect();
    let listed: Vec<_> = paths
        .iter()
        .zip(&texts)
        .map(|(at, text)| (at.as_str(), text.as_str(), regular()))
        .collect();
    let used = segment(&store, &listed);
    let contents = StoreContents::new(&store, None);
    let order = (0..60)
        .chain((0..60).rev())
        .chain((0..60).map(|n| n * 7 % 60));
    for at in order {
        let What::Node(Kind::Regular(content)) = &used.entries[at].what else {
            panic!("a file")
        };
        // One that is left in the middle must not disturb the next.
        let mut byte = [0; 1];
        if content.size > 0 {
            contents
                .open(content)
                .expect("open")
                .read_exact(&mut byte)
                .expect("a byte");
        }
        assert_eq!(
            contents.read(content, 1 << 20).expect("bytes"),
            texts[at].as_bytes()
        );
        assert!(contents.read(content, content.size - 1).is_err());
    }
}

/// More segments than are held open, some of several frames, several readers of one, and
/// one that is gone.
#[test]
fn contents_are_read_out_of_many_segments_at_once() {
    let store = MemoryStore::new();
    let text = |segment: usize, file: usize| {
        let lines = if segment.is_multiple_of(3) {
            100_000
        } else {
            50
        };
        let line = |n: usize| format!("{segment} {file} {} of them\n", n * n % 9_973);
        (0..lines + file).map(line).collect::<String>()
    };
    let mut files = Vec::new();
    for number in 0..7 {
        let texts: Vec<String> = (0..4).map(|file| text(number, file)).collect();
        let names = ["a", "b", "c", "d"];
        let listed: Vec<_> = names
            .iter()
            .zip(&texts)
            .map(|(at, text)| (*at, text.as_str(), regular()))
            .collect();
        let used = segment(&store, &listed);
        for (entry, text) in used.entries.into_iter().zip(texts) {
            let What::Node(Kind::Regular(content)) = entry.what else {
                panic!("a file")
            };
            files.push((content, text));
        }
    }
    let contents = StoreContents::new(&store, None);
    let mut gone = files[0].0.clone();
    gone.data = Data::Segment {
        id: imgc_tree::SegmentId([1; 32]),
        offset: 0,
    };
    let mut held = Vec::new();
    for step in 0..files.len() * 3 {
        let (content, text) = &files[step * 11 % files.len()];
        assert!(contents.open(&gone).is_err());
        if step % 2 == 0 {
            let mut begun = contents.open(content).expect("open");
            let mut first = [0; 9];
            begun.read_exact(&mut first).expect("bytes");
            assert_eq!(first, text.as_bytes()[..9]);
            held.push((begun, text));
        }
        let bytes = contents.read(content, 64 << 20).expect("bytes");
        assert!(bytes == text.as_bytes(), "{step}");
        if held.len() > 5 {
            let (mut begun, text) = held.remove(step % 5);
            let mut rest = String::new();
            begun.read_to_string(&mut rest).expect("the rest");
            assert!(rest == text[9..], "{step}");
        }
    }
}

struct Project(&'static [u8]);

impl Contents for Project {
    fn open<'a>(&'a self, _: &Content) -> io::Result<Box<dyn Read + 'a>> {
        Ok(Box::new(self.0))
    }
}

#[test]
fn a_file_that_has_changed_since_is_named() {
    let store = MemoryStore::new();
    let mut content = Content::inline(&b"as it was"[..]);
    content.data = Data::Outside;
    let mut tree = Tree::new(0);
    put(&mut tree, "srv/file", Node::file(content, 0o644, 0));
    let recipe = plan_layer(&tree, None, &[]).expect("a recipe");
    let make =
        |project: &dyn Contents| made(&store, &recipe, &StoreContents::new(&store, Some(project)));
    make(&Project(b"as it was")).expect("a layer");
    let error = make(&Project(b"as it is!")).expect_err("changed");
    assert!(matches!(&error, LayerError::Changed { path, .. } if *path == self::path("srv/file")));
    for other in [Project(b"shorter"), Project(b"rather longer")] {
        let error = make(&other).expect_err("changed");
        assert!(
            matches!(&error, LayerError::Content { path, .. } if *path == self::path("srv/file"))
        );
    }
    let error = made(&store, &recipe, &StoreContents::new(&store, None)).expect_err("unknown");
    assert!(matches!(error, LayerError::Content { source, .. }
        if source.kind() == io::ErrorKind::NotFound));
}

#[test]
fn a_damaged_segment_is_found_and_moved_aside() {
    let text = "some text ".repeat(50_000);
    let damages: [fn(&mut Vec<u8>); 5] = [
        |bytes| bytes[40] ^= 1,
        |bytes| *bytes.last_mut().expect("a byte") ^= 1,
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.push(0),
        Vec::clear,
    ];
    for damage in damages {
        let store = MemoryStore::new();
        let used = [segment(&store, &[("a", text.as_str(), regular())])];
        let recipe = plan_layer(&installed(&used), None, &used).expect("a recipe");
        let blob = used[0].segment.blob;
        let mut bytes = store.read(&blob, 1 << 20).expect("read").expect("there");
        damage(&mut bytes);
        store.corrupt(&blob, &bytes);
        let error = made(&store, &recipe, &StoreContents::new(&store, None));
        assert!(matches!(error, Err(LayerError::Segment(digest)) if digest == blob));
        assert_eq!(store.contains(&blob).expect("an answer"), None);
    }
}

#[test]
fn a_damaged_segment_that_is_taken_apart_is_moved_aside_too() {
    let text: String = (0..20_000_u32).map(|n| format!("{n} ")).collect();
    let store = MemoryStore::new();
    let entries = [("a", text.as_str(), regular()), ("b", "text", regular())];
    let used = [segment(&store, &entries)];
    let mut tree = installed(&used);
    put(&mut tree, "b", file("another"));
    let recipe = plan_layer(&tree, None, &used).expect("a recipe");
    assert_eq!(recipe.segments, []);
    let blob = used[0].segment.blob;
    let mut bytes = store.read(&blob, 1 << 20).expect("read").expect("there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    store.corrupt(&blob, &bytes);
    let error = made(&store, &recipe, &StoreContents::new(&store, None));
    assert!(matches!(error, Err(LayerError::Segment(digest)) if digest == blob));
    assert_eq!(store.contains(&blob).expect("an answer"), None);
}

#[test]
fn a_wrong_length_of_a_segment_is_found() {
    let store = MemoryStore::new();
    let used = [segment(&store, &[("a", "text", regular())])];
    let mut recipe = plan_layer(&installed(&used), None, &used).expect("a recipe");
    for tar_size in [512, 1023, 1025, 4096] {
        let blob = used[0].segment.blob;
        let bytes = store.read(&blob, 1 << 20).expect("read").expect("there");
        recipe.segments = vec![Segment {
            tar_size,
            ..used[0].segment
        }];
        let error = made(&store, &recipe, &StoreContents::new(&store, None));
        assert!(matches!(error, Err(LayerError::Segment(_))), "{tar_size}");
        assert_eq!(store.put(&bytes).expect("stored"), blob);
    }
}

#[test]
fn a_segment_refuses_a_link_to_nowhere() {
    let mut writer = SegmentWriter::new(Vec::new()).expect("zstd");
    let target = path("elsewhere");
    let error = writer
        .entry(&path("a"), &Meta::default(), EntryKind::HardLink(&target))
        .expect_err("nowhere");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let (frame, size) = writer.finish().expect("a frame");
    assert_eq!(size, 0);
    let mut bytes = Vec::new();
    decompress(frame.as_slice(), Compression::SEGMENT)
        .expect("zstd")
        .read_to_end(&mut bytes)
        .expect("bytes");
    assert!(bytes.is_empty());
    let _ = BlobDigest::of(&frame);
}

#[test]
fn damaged_archives_are_errors_and_never_panics() {
    let store = MemoryStore::new();
    let made = layer(&store, &plan_layer(&varied(), None, &[]).expect("a recipe"));
    let tar = archive(&store, &made);
    for end in (0..tar.len() - 1024).step_by(509) {
        assert!(apply(&mut Tree::new(0), &tar[..end], 10).is_err(), "{end}");
    }
    for at in (0..tar.len()).step_by(331) {
        let mut damaged = tar.clone();
        damaged[at] ^= 0x15;
        // A change in a file's body is no error of the archive.
        let _ = apply(&mut Tree::new(0), damaged.as_slice(), 10);
    }
    let mut header = tar::Header::new_ustar();
    header.set_path("huge").expect("a path");
    header.set_mode(0o644);
    header.set_size(u64::MAX);
    header.set_cksum();
    assert!(apply(&mut Tree::new(0), header.as_bytes().as_slice(), 10).is_err());
}

/// A segment as [`segment`] makes it, with folders.
fn with_folders(mut used: SegmentUse, folders: &[(&str, u32, i64)]) -> SegmentUse {
    for (at, mode, mtime) in folders {
        let meta = Meta {
            mode: *mode,
            mtime: *mtime,
            ..Meta::default()
        };
        used.entries.push(Entry {
            path: path(at),
            meta,
            what: What::Node(Kind::Directory),
        });
    }
    used
}

#[test]
fn several_layers_come_to_the_same_tree() {
    let store = MemoryStore::new();
    let libc = with_folders(
        segment(
            &store,
            &[
                ("usr/lib/libc", "libc", regular()),
                ("etc/ld", "l", regular()),
            ],
        ),
        &[
            ("usr", 0o755, 10),
            ("usr/lib", 0o755, 20),
            ("etc", 0o755, 10),
        ],
    );
    let perl = with_folders(
        segment(
            &store,
            &[
                ("usr/bin/perl", "perl", regular()),
                ("usr/bin/perl5", "", What::HardLink(path("usr/bin/perl"))),
            ],
        ),
        &[("usr", 0o755, 30), ("usr/bin", 0o755, 30)],
    );
    let odd = segment(&store, &[("opt/odd", "odd", regular())]);
    let changed = segment(&store, &[("etc/passwd", "old", regular())]);
    let mut tree = installed(&[libc.clone(), perl.clone(), odd.clone()]);
    put(&mut tree, "etc/passwd", file("new"));
    put(&mut tree, "var/lib/dpkg/status", file("status"));
    let groups = [vec![libc.clone()], vec![perl.clone(), changed.clone()]];
    let recipes = plan_layers(&tree, &groups, std::slice::from_ref(&odd)).expect("recipes");
    let places: Vec<_> = recipes.iter().map(|(place, _)| *place).collect();
    assert_eq!(places, [Some(0), Some(1), None]);
    assert_eq!(recipes[0].1.segments, [libc.segment]);
    assert_eq!(recipes[1].1.segments, [perl.segment]);
    assert_eq!(recipes[2].1.segments, [odd.segment]);
    let mut back = Tree::new(0);
    for (_, recipe) in &recipes {
        lay(&mut back, &store, &layer(&store, recipe));
    }
    assert_eq!(TreeDigest::of(&back), TreeDigest::of(&tree));
    // A group's layer is its own: another tree around it does not change it.
    put(&mut tree, "usr/lib/more", file("more"));
    put(&mut tree, "srv/other", file("other"));
    let others = plan_layers(&tree, &groups[..1], &[perl, odd]).expect("recipes");
    assert_eq!(others[0], recipes[0]);
    assert_ne!(others[1], recipes[1]);
    // As one layer it is the same tree again.
    let one = plan_layers(&tree, &[], &[libc]).expect("recipes");
    let mut back = Tree::new(0);
    one.iter()
        .for_each(|(_, recipe)| lay(&mut back, &store, &layer(&store, recipe)));
    assert_eq!(TreeDigest::of(&back), TreeDigest::of(&tree));
}

#[test]
fn a_hard_link_never_reaches_into_another_layer() {
    let store = MemoryStore::new();
    let perl = segment(&store, &[("usr/bin/perl", "perl", regular())]);
    let mut tree = installed(std::slice::from_ref(&perl));
    link(&mut tree, "usr/bin/again", "usr/bin/perl");
    let groups = [vec![perl]];
    let recipes = plan_layers(&tree, &groups, &[]).expect("recipes");
    assert_eq!(recipes.len(), 1);
    let mut back = Tree::new(0);
    lay(&mut back, &store, &layer(&store, &recipes[0].1));
    assert_eq!(TreeDigest::of(&back), TreeDigest::of(&tree));
}

#[test]
fn a_segment_is_compressed_anew() {
    let store = MemoryStore::new();
    let used = segment(&store, &[("usr/lib/libc", "libc", regular())]);
    let tree = installed(std::slice::from_ref(&used));
    let recipe = plan_layer(&tree, None, std::slice::from_ref(&used)).expect("a recipe");
    let zstd = layer(&store, &recipe);
    for compression in [
        Compression::Gzip(6),
        Compression::Zstd(10),
        Compression::None,
    ] {
        let frame = recompress(&store, &used.segment, compression).expect("a frame");
        let contents = StoreContents::new(&store, None);
        let made = assemble(&store, &recipe, compression, &[frame], &contents).expect("a layer");
        assert_eq!((made.diff_id, made.tar_size), (zstd.diff_id, zstd.tar_size));
        assert_ne!(made.blob, zstd.blob);
        assert_eq!(archive(&store, &made), archive(&store, &zstd));
    }
    store.corrupt(&used.segment.blob, b"no frame");
    let error = recompress(&store, &used.segment, Compression::Gzip(6)).expect_err("damaged");
    assert!(matches!(error, LayerError::Segment(blob) if blob == used.segment.blob));
}
