//! Programs that are made here, byte by byte, and the images that they are in.

use std::collections::{BTreeMap, BTreeSet};

use imgc_layer::StoreContents;
use imgc_plan::{Arch, Config, FileNode, ImagePath, Layers, Owner, Platform};
use imgc_store::MemoryStore;
use imgc_tree::Node;

use super::naming::{look_up, package_names};
use super::*;

/// What an ELF file of amd64 says.
#[derive(Default, Clone)]
struct Made<'a> {
    interpreter: &'a str,
    needed: &'a [&'a str],
    soname: &'a str,
    rpath: &'a str,
    runpath: &'a str,
    asks: &'a [(&'a str, &'a str)],
    has: &'a [&'a str],
    machine: u16,
}

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Made<'_> {
    /// The file: its segments lie at the addresses of their places.
    fn bytes(&self) -> Vec<u8> {
        let mut strings = vec![0];
        let mut text = |text: &str| {
            let at = strings.len() as u64;
            strings.extend(text.as_bytes());
            strings.push(0);
            at
        };
        let mut dynamic: Vec<(u64, u64)> = Vec::new();
        for name in self.needed {
            dynamic.push((1, text(name)));
        }
        for (tag, value) in [(14, self.soname), (15, self.rpath), (29, self.runpath)] {
            if !value.is_empty() {
                dynamic.push((tag, text(value)));
            }
        }
        let mut verneed: Vec<u8> = Vec::new();
        for (at, (file, version)) in self.asks.iter().enumerate() {
            let next = if at + 1 == self.asks.len() { 0 } else { 32u32 };
            verneed.extend([1, 0, 1, 0]);
            verneed.extend((text(file) as u32).to_le_bytes());
            verneed.extend(16u32.to_le_bytes());
            verneed.extend(next.to_le_bytes());
            verneed.extend([0; 8]);
            verneed.extend((text(version) as u32).to_le_bytes());
            verneed.extend([0; 4]);
        }
        let mut verdef: Vec<u8> = Vec::new();
        for (at, version) in self.has.iter().enumerate() {
            let next = if at + 1 == self.has.len() { 0 } else { 28u32 };
            verdef.extend([1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
            verdef.extend(20u32.to_le_bytes());
            verdef.extend(next.to_le_bytes());
            verdef.extend((text(version) as u32).to_le_bytes());
            verdef.extend([0; 4]);
        }
        let mut out = vec![0; 64 + 3 * 56];
        let mut place = |bytes: &[u8]| {
            out.resize(out.len().next_multiple_of(8), 0);
            let at = out.len() as u64;
            out.extend(bytes);
            at
        };
        let interpreter = place(format!("{}\0", self.interpreter).as_bytes());
        dynamic.push((5, place(&strings)));
        dynamic.push((10, strings.len() as u64));
        if !self.asks.is_empty() {
            dynamic.push((0x6fff_fffe, place(&verneed)));
            dynamic.push((0x6fff_ffff, self.asks.len() as u64));
        }
        if !self.has.is_empty() {
            dynamic.push((0x6fff_fffc, place(&verdef)));
            dynamic.push((0x6fff_fffd, self.has.len() as u64));
        }
        dynamic.push((0, 0));
        let words = dynamic.iter().flat_map(|(tag, value)| [*tag, *value]);
        let words: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        let at = place(&words);
        let length = out.len() as u64;
        put(&mut out, 0, &[0x7f, b'E', b'L', b'F', 2, 1, 1]);
        put(&mut out, 16, &3u16.to_le_bytes());
        let machine = if self.machine == 0 { 62 } else { self.machine };
        put(&mut out, 18, &machine.to_le_bytes());
        put(&mut out, 20, &1u32.to_le_bytes());
        put(&mut out, 32, &64u64.to_le_bytes());
        put(&mut out, 52, &64u16.to_le_bytes());
        put(&mut out, 54, &56u16.to_le_bytes());
        put(&mut out, 56, &3u16.to_le_bytes());
        let interpreted = if self.interpreter.is_empty() { 4u32 } else { 3 };
        let segments = [
            (1u32, 0, length),
            (2, at, words.len() as u64),
            (interpreted, interpreter, self.interpreter.len() as u64 + 1),
        ];
        for (number, (kind, at, size)) in segments.into_iter().enumerate() {
            let base = 64 + number * 56;
            put(&mut out, base, &kind.to_le_bytes());
            for (field, value) in [(8, at), (16, at), (32, size), (40, size)] {
                put(&mut out, base + field, &u64::to_le_bytes(value));
            }
        }
        out
    }
}

fn image() -> Image {
    Image {
        base: None,
        name: "app".to_owned(),
        platform: Platform { arch: Arch::Amd64 },
        packages: None,
        groups: Vec::new(),
        users: Vec::new(),
        files: Vec::new(),
        attributes: Vec::new(),
        config: Config::default(),
        layers: Layers::default(),
        annotations: BTreeMap::new(),
        provided: BTreeMap::new(),
    }
}

/// What these own files lack, a line each, in an image that has the others too.
fn lacking(image: &Image, own: &[(&str, Made<'_>)], others: &[(&str, Made<'_>)]) -> Vec<String> {
    let mut tree = Tree::new(0);
    let mut files = Vec::new();
    let mut found = Vec::new();
    let all = own.iter().chain(others);
    for (at, (path, made)) in all.enumerate() {
        let bytes = made.bytes();
        let path_in_tree = TreePath::new(path.trim_start_matches('/').as_bytes()).expect("a path");
        tree.make_parents(&path_in_tree, 0).expect("parents");
        let node = Node::file(Content::inline(bytes.clone()), 0o755, 0);
        tree.insert(&path_in_tree, node).expect("placed");
        if at < own.len() {
            let facts = elf::read(&bytes).expect("not damaged");
            if let Some(facts) = facts {
                found.push((files.len(), Found::Dynamic(facts)));
            }
            files.push(File {
                path: ImagePath::new(path).expect("a path"),
                node: FileNode::Directory {
                    mode: 0o755,
                    keep: true,
                },
                user: Owner::Id(0),
                group: Owner::Id(0),
            });
        }
    }
    let store = MemoryStore::new();
    let contents = StoreContents::new(&store, None);
    let programs = check(image, &files, found, &tree, &contents).expect("checked");
    let mut lines = Vec::new();
    for program in programs {
        for lack in program.lacks {
            lines.push(match lack {
                Lack::Interpreter { path, .. } => format!("{}: {path}", program.path),
                Lack::Library {
                    name,
                    by,
                    elsewhere,
                    ..
                } => {
                    let place = elsewhere.map_or(String::new(), |at| format!(" at {at}"));
                    format!("{}: {name} of {by}{place}", program.path)
                }
                Lack::Version {
                    library,
                    version,
                    by,
                    at,
                } => format!("{}: {library} {version} of {by} at {at}", program.path),
                Lack::Damaged => format!("{}: damaged", program.path),
            });
        }
    }
    lines
}

fn program<'a>(needed: &'a [&'a str]) -> Made<'a> {
    Made {
        interpreter: LOADER,
        needed,
        ..Made::default()
    }
}

fn library<'a>(soname: &'a str, needed: &'a [&'a str]) -> Made<'a> {
    Made {
        soname,
        needed,
        ..Made::default()
    }
}

#[test]
fn a_file_is_read_as_it_was_made() {
    let made = Made {
        rpath: "/a",
        runpath: "$ORIGIN/../lib",
        soname: "libx.so.1",
        asks: &[("libc.so.6", "GLIBC_2.34"), ("libm.so.6", "GLIBC_2.2.5")],
        has: &["libx.so.1", "X_1.0"],
        ..program(&["libc.so.6", "libm.so.6"])
    };
    let facts = elf::read(&made.bytes()).expect("whole").expect("dynamic");
    assert_eq!(facts.interpreter.as_deref(), Some(LOADER));
    assert_eq!(facts.needed, ["libc.so.6", "libm.so.6"]);
    assert_eq!(facts.soname.as_deref(), Some("libx.so.1"));
    assert_eq!(facts.rpath.as_deref(), Some("/a"));
    assert_eq!(facts.runpath.as_deref(), Some("$ORIGIN/../lib"));
    let asks = [
        ("libc.so.6".to_owned(), "GLIBC_2.34".to_owned()),
        ("libm.so.6".to_owned(), "GLIBC_2.2.5".to_owned()),
    ];
    assert_eq!(facts.asks, asks);
    assert_eq!(facts.has, ["libx.so.1", "X_1.0"]);
    assert_eq!(facts.kind, Arch::Amd64.elf());
}

/// Whatever is wrong with a file, reading it ends, and never panics.
#[test]
fn damaged_files_are_read_to_an_end() {
    let made = Made {
        runpath: "/x",
        soname: "liba.so",
        asks: &[("libc.so.6", "GLIBC_2.34"), ("libm.so.6", "GLIBC_2.2.5")],
        has: &["liba.so", "A_1"],
        ..program(&["libc.so.6", "libm.so.6"])
    };
    let good = made.bytes();
    let whole = elf::read(&good).expect("whole");
    assert!(whole.is_some());
    for length in 0..good.len() {
        let cut = elf::read(&good[..length]);
        assert!(cut != Ok(whole.clone()), "{length}");
    }
    let mut refused = 0;
    for at in 0..good.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = good.clone();
            bytes[at] = value;
            refused += usize::from(elf::read(&bytes).is_err());
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn what_is_there_is_found_and_what_is_not_is_told_at_once() {
    let loader = (LOADER, library("ld-linux-x86-64.so.2", &[]));
    let libc = (
        "/usr/lib/x86_64-linux-gnu/libc.so.6",
        library("libc.so.6", &[]),
    );
    let app = ("/usr/bin/app", program(&["liba.so.1", "libc.so.6"]));
    let a = (
        "/usr/lib/liba.so.1",
        library("liba.so.1", &["libb.so.2", "libc.so.6"]),
    );
    let b = (
        "/lib/x86_64-linux-gnu/libb.so.2",
        library("libb.so.2", &["libc.so.6"]),
    );
    let others = [loader.clone(), libc.clone(), a.clone(), b];
    assert_eq!(
        lacking(&image(), std::slice::from_ref(&app), &others),
        Vec::<String>::new()
    );
    let lacks = [
        "/usr/bin/app: /lib64/ld-linux-x86-64.so.2",
        "/usr/bin/app: libc.so.6 of /usr/bin/app",
        "/usr/bin/app: libb.so.2 of /usr/lib/liba.so.1",
    ];
    assert_eq!(
        lacking(
            &image(),
            std::slice::from_ref(&app),
            std::slice::from_ref(&a)
        ),
        lacks
    );
    // What something outside provides is not asked for.
    let mut image = image();
    for name in ["/lib64/ld-linux-x86-64.so.2", "libc.so.6", "libb.so.2"] {
        let reason = "mounted".to_owned();
        image.provided.insert(name.to_owned(), reason);
    }
    assert_eq!(lacking(&image, &[app], &[a]), Vec::<String>::new());
}

#[test]
fn a_library_of_another_machine_is_none() {
    let loader = (LOADER, library("", &["x"]));
    let app = ("/app", program(&["liba.so"]));
    let arm = Made {
        machine: 183,
        ..library("liba.so", &[])
    };
    let others = [loader, ("/usr/lib/liba.so", arm)];
    let lacks = ["/app: liba.so of /app"];
    assert_eq!(
        lacking(&image(), std::slice::from_ref(&app), &others),
        lacks
    );
    // A program for another machine is none of the image's.
    let foreign = Made {
        machine: 183,
        ..app.1
    };
    let facts = elf::read(&foreign.bytes())
        .expect("whole")
        .expect("dynamic");
    assert_ne!(facts.kind, Arch::Amd64.elf());
}

#[test]
fn folders_are_looked_into_by_the_rules_of_the_loader() {
    let loader = (LOADER, library("ld", &[]));
    let at = |folder: &'static str| (folder, library("liba.so", &[]));
    let with = |made: Made<'static>, place: &'static str| {
        lacking(
            &image(),
            &[("/opt/x/bin/app", made)],
            &[loader.clone(), at(place)],
        )
    };
    let app = program(&["liba.so"]);
    let runpath = |runpath| Made {
        runpath,
        ..app.clone()
    };
    let rpath = |rpath| Made {
        rpath,
        ..app.clone()
    };
    let none = Vec::<String>::new();
    assert_eq!(
        with(runpath("/y:$ORIGIN/../lib"), "/opt/x/lib/liba.so"),
        none
    );
    assert_eq!(with(rpath("${ORIGIN}/../lib"), "/opt/x/lib/liba.so"), none);
    assert_eq!(
        with(runpath("/y/$LIB"), "/y/lib/x86_64-linux-gnu/liba.so"),
        none
    );
    // With RUNPATH, RPATH counts for nothing.
    let both = Made {
        rpath: "/z",
        ..runpath("/y")
    };
    let lacks = ["/opt/x/bin/app: liba.so of /opt/x/bin/app at /z/liba.so"];
    assert_eq!(with(both, "/z/liba.so"), lacks);
    let lacks = ["/opt/x/bin/app: liba.so of /opt/x/bin/app at /usr/local/lib/liba.so"];
    assert_eq!(with(app.clone(), "/usr/local/lib/liba.so"), lacks);
    let mut image = image();
    let paths = "/none:/usr/local/lib".to_owned();
    image.config.env.insert("LD_LIBRARY_PATH".to_owned(), paths);
    let others = [loader, at("/usr/local/lib/liba.so")];
    assert_eq!(lacking(&image, &[("/app", app)], &others), none);
}

#[test]
fn rpath_is_inherited_and_runpath_is_not() {
    let loader = (LOADER, library("ld", &[]));
    let a = ("/x/liba.so", library("liba.so", &["libb.so"]));
    let b = ("/x/libb.so", library("libb.so", &[]));
    let app = program(&["liba.so"]);
    let rpath = Made {
        rpath: "/x",
        ..app.clone()
    };
    let runpath = Made {
        runpath: "/x",
        ..app
    };
    let others = [loader, a, b];
    let with = |made| lacking(&image(), &[("/app", made)], &others);
    assert_eq!(with(rpath), Vec::<String>::new());
    assert_eq!(with(runpath), ["/app: libb.so of /x/liba.so at /x/libb.so"]);
}

#[test]
fn versions_must_be_there() {
    let loader = (LOADER, library("ld", &[]));
    let libc = |has| Made {
        has,
        ..library("libc.so.6", &[])
    };
    let app = Made {
        asks: &[("libc.so.6", "GLIBC_2.34"), ("libc.so.6", "GLIBC_2.38")],
        ..program(&["libc.so.6"])
    };
    let with = |has| {
        let others = [loader.clone(), ("/usr/lib/libc.so.6", libc(has))];
        lacking(&image(), &[("/app", app.clone())], &others)
    };
    assert_eq!(
        with(&["libc.so.6", "GLIBC_2.34", "GLIBC_2.38"]),
        Vec::<String>::new()
    );
    // One without any versions is linked all the same.
    assert_eq!(with(&[]), Vec::<String>::new());
    let lacks = ["/app: libc.so.6 GLIBC_2.38 of /app at /usr/lib/libc.so.6"];
    assert_eq!(with(&["libc.so.6", "GLIBC_2.34"]), lacks);
}

#[test]
fn a_library_that_others_load_needs_what_is_anywhere_in_the_image() {
    let plugin = (
        "/opt/x/plugin.so",
        library("plugin.so", &["libx.so", "liby.so"]),
    );
    let x = ("/opt/x/deep/libx.so", library("libx.so", &[]));
    let lacks = ["/opt/x/plugin.so: liby.so of /opt/x/plugin.so"];
    assert_eq!(lacking(&image(), &[plugin], &[x]), lacks);
}

#[test]
fn the_loader_of_musl_has_its_own_rules() {
    let made = Made {
        interpreter: "/lib/ld-musl-x86_64.so.1",
        ..program(&["libc.musl-x86_64.so.1", "liba.so"])
    };
    let loader = ("/lib/ld-musl-x86_64.so.1", library("libc.so", &[]));
    let a = ("/usr/local/lib/liba.so", library("liba.so", &["libc.so"]));
    let app = [("/app", made)];
    let others = [loader, a];
    assert_eq!(lacking(&image(), &app, &others), Vec::<String>::new());
    let lacks = ["/app: liba.so of /app"];
    assert_eq!(lacking(&image(), &app, &others[..1]), lacks);
}

#[test]
fn the_script_that_is_started_has_its_interpreter() {
    let script = |path: &str, text: &str| File {
        path: ImagePath::new(path).expect("a path"),
        node: FileNode::Regular {
            content: imgc_plan::Content::Text(text.to_owned()),
            mode: 0o755,
            capabilities: Vec::new(),
        },
        user: Owner::Id(0),
        group: Owner::Id(0),
    };
    let files = [
        script("/start", "#! /bin/sh -eu\necho\n"),
        script("/other", "#!/usr/bin/python3\n"),
    ];
    let mut tree = Tree::new(0);
    for path in ["start", "other"] {
        let path = TreePath::new(path.as_bytes()).expect("a path");
        let node = Node::file(Content::inline(&b""[..]), 0o755, 0);
        tree.insert(&path, node).expect("placed");
    }
    let store = MemoryStore::new();
    let contents = StoreContents::new(&store, None);
    let lacking = |image: &Image, tree: &Tree| {
        let found = found(image, &files, &contents).expect("read");
        assert!(!needs_libraries(&found));
        check(image, &files, found, tree, &contents).expect("checked")
    };
    let mut image = image();
    assert_eq!(lacking(&image, &tree), []);
    image.config.entrypoint = vec!["/start".to_owned()];
    let lacks = lacking(&image, &tree);
    assert_eq!(lacks.len(), 1);
    assert_eq!(lacks[0].path, "/start");
    assert_eq!(lacks[0].lacks[0].name(), Some("/bin/sh"));
    let shell = TreePath::new(b"bin/sh").expect("a path");
    tree.make_parents(&shell, 0).expect("parents");
    let node = Node::file(Content::inline(&b""[..]), 0o755, 0);
    tree.insert(&shell, node).expect("placed");
    assert_eq!(lacking(&image, &tree), []);
}

#[test]
fn indices_of_contents_name_packages() {
    let index = "bin/sh    shells/dash\n\
        usr/lib/x86_64-linux-gnu/liba.so.1 libs/liba1,non-free/libs/liba1-fast\n\
        usr/share/with space  x/y\n\
        broken\n\
        lib64/ld-linux-x86-64.so.2\t\tlibs/libc6\n";
    let paths = [
        "/usr/lib/x86_64-linux-gnu/liba.so.1",
        "/lib64/ld-linux-x86-64.so.2",
        "/none",
    ];
    let paths: BTreeSet<String> = paths.map(str::to_owned).into();
    let mut found = BTreeMap::new();
    look_up(index.as_bytes(), &paths, &mut found).expect("read");
    let names = |path: &str| -> Vec<&str> {
        let names = found.get(path).into_iter().flatten();
        names.map(String::as_str).collect()
    };
    assert_eq!(
        names("/usr/lib/x86_64-linux-gnu/liba.so.1"),
        ["liba1", "liba1-fast"]
    );
    assert_eq!(names("/lib64/ld-linux-x86-64.so.2"), ["libc6"]);
    assert_eq!(found.len(), 2);
}

#[test]
fn packages_are_named_after_libraries() {
    for (library, package) in [
        ("libssl.so.3", "libssl3"),
        ("libX11.so.6", "libx11-6"),
        ("libstdc++.so.6", "libstdc++6"),
        ("libgtk-3.so.0", "libgtk-3-0"),
        ("liblber_r.so.2", "liblber-r2"),
    ] {
        let names = package_names(library);
        assert!(names.contains(&package.to_owned()), "{names:?}");
        assert!(names.contains(&format!("{package}t64")), "{names:?}");
    }
    assert_eq!(package_names("ld-linux"), Vec::<String>::new());
}

#[test]
fn what_a_container_begins_with_is_asked_for_where_it_is_an_own_file() {
    let mut image = image();
    let own = |path: &str, node: FileNode| imgc_plan::File {
        path: ImagePath::new(path).expect("a path"),
        node,
        user: Owner::Id(0),
        group: Owner::Id(0),
    };
    let text = FileNode::Regular {
        content: imgc_plan::Content::Text("#!/bin/none\n".to_owned()),
        mode: 0o755,
        capabilities: Vec::new(),
    };
    image.files = vec![own("/app/run.sh", text)];
    image.config.entrypoint = vec!["/usr/bin/python3".to_owned(), "/app/run.sh".to_owned()];
    let before = crate::own_files::files_action(&image, Vec::new(), 0);
    assert_eq!(starts(&image), None);
    image.config.entrypoint.remove(0);
    assert_eq!(starts(&image), Some("/app/run.sh"));
    // What is looked at is part of what is asked.
    assert_ne!(
        before,
        crate::own_files::files_action(&image, Vec::new(), 0)
    );
}

#[test]
fn a_path_of_any_length_ends() {
    let tree = Tree::new(0);
    assert_eq!(loader::file(&tree, &"/..".repeat(1_000_000)), None);
    assert_eq!(
        loader::file(&tree, &format!("/{}", "a/".repeat(2_000))),
        None
    );
}
