//! Whole packages, good and hostile.

use super::*;
use crate::testing::{Deb, Keep, TarFile, ar, compress, path};

fn with(limits: &Limits, bytes: &[u8]) -> Result<Fragment, DebError> {
    unpack(bytes, limits, &mut Keep::default())
}

fn read(bytes: &[u8]) -> Result<Fragment, DebError> {
    with(&Limits::default(), bytes)
}

/// The error of a package with this data archive, as text.
fn refused(data: impl FnOnce(TarFile) -> TarFile) -> String {
    Deb::new("a")
        .data(data)
        .unpack()
        .expect_err("a bad package")
        .to_string()
}

fn members(control: &[u8], data: &[u8]) -> Vec<u8> {
    ar(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar", control),
        ("data.tar", data),
    ])
}

fn full() -> Deb {
    Deb::new("full")
        .control("conffiles", "/etc/full.conf\n")
        .control("postinst", "#!/bin/sh\n")
        .data(|data| {
            data.folder("./")
                .folder("./bin/")
                .file("./bin/sh", "shell")
                .folder("./etc/")
                .file("./etc/full.conf", "a conffile")
                .link("./usr/bin/dash", "./bin/sh")
                .symlink("./usr/bin/rbash", "sh")
                .raw(tar::EntryType::Char, "./dev/null", "", 0o666, b"")
                .raw(tar::EntryType::Fifo, "./run/fifo", "", 0o600, b"")
        })
}

#[test]
fn reads_every_compression_alike() {
    let plain = full().compressed("").fragment();
    for suffix in [".gz", ".xz", ".zst"] {
        assert_eq!(full().compressed(suffix).fragment(), plain, "{suffix}");
    }
    let mut sink = Keep::default();
    unpack(full().bytes().as_slice(), &Limits::default(), &mut sink).expect("a package");
    assert_eq!(
        sink.0,
        [
            "/usr/bin/sh 644 Regular(5 bytes)",
            "/etc/full.conf 644 Regular(10 bytes)",
            "/usr/bin/dash 644 HardLink(/usr/bin/sh)",
            "/usr/bin/rbash 777 Symlink(sh)",
            "/dev/null 666 CharDevice(1, 3)",
            "/run/fifo 600 Fifo",
        ]
    );
    assert_eq!(plain.entries[2].path, path("usr/bin/sh"));
    assert_eq!(plain.entries[2].original, Some(path("bin/sh")));
    assert_eq!(plain.entries[5].original, None);
    assert_eq!(plain.entries[2].md5, None);
    assert_eq!(
        plain.entries[4].md5.as_deref(),
        Some("fd445ff72ab285b2d59cb7942c09ae68")
    );
    assert_eq!(plain.package.qualified(), "full");
    assert_eq!(plain.files["postinst"].mode, 0o755);
    assert_eq!(plain.file("conffiles"), Some(&b"/etc/full.conf\n"[..]));
}

/// Where this fails, the version of `unpack` is to be raised: a store holds fragments of the
/// old form.
#[test]
fn the_bytes_of_a_fragment_are_what_they_were() {
    let mut fragment = full().fragment();
    fragment.entries[0].library = Some(crate::SharedLibrary {
        machine: 1,
        wide: true,
        flags: 2,
        soname: b"lib".to_vec(),
        libc: false,
    });
    fragment.entries[0].meta = Meta {
        mode: 3,
        uid: 4,
        gid: 5,
        mtime: 6,
        xattrs: [("user.a".to_owned(), vec![7])].into(),
    };
    fragment.entries[1].node = EntryNode::BlockDevice { major: 8, minor: 9 };
    let digest = hex::encode(Md5::digest(fragment.to_bytes()));
    assert_eq!(digest, "fb6ed2b654b240c93f3896a628e99d5e");
}

/// Small files where scripts read them, with their bytes, and no others.
#[test]
fn texts_are_kept() {
    let file = tar::EntryType::Regular;
    let fragment = Deb::new("text")
        .data(|tar| {
            tar.raw(file, "./etc/some.conf", "", 0o644, b"a = 1\n")
                .raw(file, "./etc/large.conf", "", 0o644, &[b'x'; 8193])
                .raw(
                    file,
                    "./usr/lib/systemd/system/a.service",
                    "",
                    0o644,
                    b"[Unit]\n",
                )
                .raw(file, "./usr/bin/etc", "", 0o755, b"a = 1\n")
                .raw(file, "./etc/empty", "", 0o644, b"")
        })
        .fragment();
    let texts = fragment.texts.iter().map(|text| match &text.data {
        imgc_tree::Data::Inline(bytes) => {
            assert_eq!(*text, Content::inline(Arc::clone(bytes)));
            String::from_utf8_lossy(bytes).into_owned()
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["a = 1\n", "[Unit]\n", ""]);
}

#[test]
fn a_fragment_survives_storing() {
    let mut fragment = full().fragment();
    fragment.files.get_mut("postinst").expect("a script").bytes = vec![0xff, 0];
    let bytes = fragment.to_bytes();
    assert_eq!(Fragment::from_bytes(&bytes), Some(fragment));
    assert_eq!(Fragment::from_bytes(&[&bytes[..], b"0"].concat()), None);
    for end in 0..bytes.len() {
        assert_eq!(Fragment::from_bytes(&bytes[..end]), None, "{end}");
    }
}

#[test]
fn keeps_the_attributes_that_belong_to_a_package() {
    let capability = b"\x01\0\0\x02\n \0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let fragment = Deb::new("a")
        .data(|data| {
            data.pax(&[
                ("SCHILY.xattr.security.capability", capability),
                ("SCHILY.xattr.user.origin", b"here"),
                ("SCHILY.xattr.security.selinux", b"label"),
                ("mtime", b"77.5"),
                ("path", b"./usr/bin/renamed"),
            ])
            .file("./usr/bin/ping", "x")
        })
        .fragment();
    let entry = &fragment.entries[0];
    assert_eq!(entry.path, path("usr/bin/renamed"));
    assert_eq!(entry.meta.mtime, 77);
    let kept: Vec<&str> = entry.meta.xattrs.keys().map(String::as_str).collect();
    assert_eq!(kept, ["security.capability", "user.origin"]);
    assert_eq!(entry.meta.xattrs["security.capability"], capability);
}

#[test]
fn reads_gnu_long_names() {
    let long = format!("./usr/{}", "long/".repeat(60));
    let kind = tar::EntryType::GNULongName;
    let linked = tar::EntryType::GNULongLink;
    let fragment = Deb::new("a")
        .data(|data| {
            data.raw(
                kind,
                "././@LongLink",
                "",
                0,
                format!("{long}file\0").as_bytes(),
            )
            .file("./short", "x")
            .raw(
                linked,
                "././@LongLink",
                "",
                0,
                format!("{long}file\0").as_bytes(),
            )
            .link("./usr/other", "./short")
        })
        .fragment();
    assert_eq!(fragment.entries[0].path, path(&format!("{long}file")));
    assert_eq!(
        fragment.entries[1].node,
        EntryNode::HardLink(path(&format!("{long}file")))
    );
}

#[test]
fn absolute_paths_stay_below_the_root() {
    let fragment = Deb::new("a").file("/sbin/init", "x").fragment();
    assert_eq!(fragment.entries[0].path, path("usr/sbin/init"));
}

#[test]
fn refuses_paths_that_lead_elsewhere() {
    assert!(refused(|data| data.file("./../etc/passwd", "")).contains("`..`"));
    assert!(refused(|data| data.file("./a\nb", "")).contains("newline"));
    assert!(refused(|data| data.symlink("./d", "/etc").file("./d/passwd", "")).contains("/d"));
    assert!(refused(|data| data.file("./d", "").folder("./d/e")).contains("not a folder"));
    assert!(refused(|data| data.link("./a", "./etc/shadow")).contains("links to"));
    assert!(refused(|data| data.folder("./d").link("./a", "./d")).contains("links to"));
    assert!(refused(|data| data.file("./a", "").link("./b", "../a")).contains("`..`"));
    assert!(refused(|data| data.symlink("./bin", "/tmp")).contains("/usr"));
    assert!(refused(|data| data.file("./lib", "")).contains("/usr"));
    assert!(refused(|data| data.symlink("./a", "")).contains("target"));
}

#[test]
fn refuses_what_is_there_twice() {
    assert!(refused(|data| data.file("./a", "").file("./a", "")).contains("twice"));
    assert!(refused(|data| data.file("./bin/a", "").file("./usr/bin/a", "")).contains("twice"));
    assert!(refused(|data| data.file("./a/b", "").file("./a", "")).contains("twice"));
    assert!(
        Deb::new("a")
            .data(|data| data.folder("./bin").folder("./usr/bin"))
            .unpack()
            .is_ok()
    );
    let twice = Deb::new("a")
        .control("postinst", "1")
        .control("postinst", "2")
        .unpack();
    assert!(twice.expect_err("twice").to_string().contains("twice"));
}

#[test]
fn refuses_entries_that_no_package_has() {
    let kind = tar::EntryType::GNUSparse;
    assert!(refused(|data| data.raw(kind, "./a", "", 0, b"")).contains("'S'"));
    let kind = tar::EntryType::XGlobalHeader;
    assert!(refused(|data| data.raw(kind, "./a", "", 0, b"")).contains("'g'"));
    assert!(refused(|data| data.pax(&[("size", b"9")]).file("./a", "x")).contains("size"));
    assert!(
        refused(|data| data.raw(tar::EntryType::Symlink, "./a", "b", 0, b"body")).contains("size")
    );
    assert!(refused(|data| data.pax(&[("uid", b"4294967296")]).file("./a", "")).contains("uid"));
}

#[test]
fn refuses_other_archives() {
    let control = Deb::new("a").control_tar();
    let data = TarFile::new().bytes();
    assert!(matches!(read(b""), Err(DebError::NotAr)));
    assert!(matches!(
        read(b"PK\x03\x04 something else"),
        Err(DebError::NotAr)
    ));
    assert!(matches!(
        read(b"!<arch>\n"),
        Err(DebError::Member {
            expected: "debian-binary",
            ..
        })
    ));
    let error = |members: &[(&str, &[u8])]| read(&ar(members)).expect_err("an error").to_string();
    assert!(error(&[("debian-binary", b"3.0\n")]).contains("3.0"));
    assert!(error(&[("debian-binary", b"2.0")]).contains("2.0"));
    let start = ("debian-binary", &b"2.0\n"[..]);
    assert!(error(&[start, ("data.tar", &data)]).contains("`control.tar`"));
    assert!(error(&[start, ("control.tar", &control)]).contains("`data.tar`, found the end"));
    assert!(error(&[start, ("control.tar.bz2", &control)]).contains("control.tar.bz2"));
    let twice = [start, ("control.tar", &control), ("control.tar", &control)];
    assert!(error(&twice).contains("expected the member `data.tar`, found `control.tar`"));
    let twice = [
        start,
        ("control.tar", &control),
        ("data.tar", &data),
        ("data.tar", &data),
    ];
    assert!(error(&twice).contains("expected the member `the end`"));
    let extra = [
        start,
        ("_x", b"1"),
        ("control.tar", &control),
        ("_y", b""),
        ("data.tar", &data),
        ("_z", b"123"),
    ];
    assert!(read(&ar(&extra)).is_ok());
}

#[test]
fn a_package_that_ends_anywhere_is_an_error() {
    for suffix in ["", ".gz", ".xz", ".zst"] {
        let bytes = full().compressed(suffix).bytes();
        let step = if suffix.is_empty() { 97 } else { 7 };
        for end in (0..bytes.len()).step_by(step) {
            assert!(
                read(&bytes[..end]).is_err(),
                "{suffix} cut at {end} of {}",
                bytes.len()
            );
        }
    }
    let bytes = full().bytes();
    let error = read(&bytes[..bytes.len() - 100]).expect_err("an error");
    assert!(
        matches!(&error, DebError::Truncated(member) if member == "data.tar.xz"),
        "{error}"
    );
}

#[test]
fn names_the_member_that_is_broken() {
    let control = Deb::new("a").control_tar();
    let data = TarFile::new().file("./a", "x").bytes();
    let error = |data: &[u8]| {
        read(&members(&control, data))
            .expect_err("an error")
            .to_string()
    };
    let garbage = [&data[..], b"garbage"].concat();
    assert_eq!(error(&garbage), "`data.tar` has something behind its end");
    assert_eq!(error(&data[..1024]), "`data.tar` is truncated");
    let mut flipped = data.clone();
    flipped[0] ^= 1;
    assert!(error(&flipped).starts_with("`data.tar` is corrupt"));
    for suffix in [".gz", ".xz", ".zst"] {
        let mut packed = compress(suffix, &data);
        packed.extend_from_slice(b"garbage!");
        let name = format!("data.tar{suffix}");
        let bytes = ar(&[
            ("debian-binary", b"2.0\n"),
            ("control.tar", &control),
            (&name, &packed),
        ]);
        let error = read(&bytes).expect_err("an error").to_string();
        assert!(error.contains(&name), "{error}");
    }
}

#[test]
fn a_flipped_bit_is_no_panic() {
    for suffix in ["", ".gz", ".xz", ".zst"] {
        let bytes = full().compressed(suffix).bytes();
        for at in (0..bytes.len()).step_by(if suffix.is_empty() { 41 } else { 3 }) {
            let mut broken = bytes.clone();
            broken[at] ^= 0x11;
            let _ = read(&broken);
        }
    }
}

#[test]
fn bounds_hold() {
    let many = || full().bytes();
    let limits = Limits {
        entries: 5,
        ..Limits::default()
    };
    assert!(matches!(
        with(&limits, &many()),
        Err(DebError::Entries { limit: 5, .. })
    ));
    let limits = Limits {
        depth: 2,
        ..Limits::default()
    };
    assert!(
        with(&limits, &many())
            .expect_err("depth")
            .to_string()
            .contains("parts")
    );
    let limits = Limits {
        metadata: 100,
        ..Limits::default()
    };
    assert!(matches!(
        with(&limits, &many()),
        Err(DebError::Metadata { limit: 100, .. })
    ));
    let limits = Limits {
        control: 1024,
        ..Limits::default()
    };
    assert!(matches!(
        with(&limits, &many()),
        Err(DebError::TooLarge { limit: 1024, .. })
    ));
    let limits = Limits {
        data: 1024,
        ..Limits::default()
    };
    let error = with(&limits, &many()).expect_err("data");
    assert!(
        error.to_string().starts_with("`data.tar.xz` is larger"),
        "{error}"
    );
}

#[test]
fn bombs_are_refused_early() {
    let zeros = "\0".repeat(4 << 20);
    for suffix in [".gz", ".xz", ".zst"] {
        let bytes = Deb::new("a").file("./a", &zeros).compressed(suffix).bytes();
        let limits = Limits {
            ratio: 100,
            ratio_from: 64 << 10,
            ..Limits::default()
        };
        let error = with(&limits, &bytes).expect_err("a bomb");
        assert!(
            matches!(error, DebError::Ratio { limit: 100, .. }),
            "{suffix}: {error}"
        );
        assert!(with(&Limits::default(), &bytes).is_ok());
    }
    // A long name is bounded before it is read.
    let kind = tar::EntryType::GNULongName;
    let name = refused(|data| data.raw(kind, "././@LongLink", "", 0, &vec![b'a'; 2 << 20]));
    assert!(name.contains("extension header"), "{name}");
}

#[test]
fn a_sink_must_keep_what_it_is_given() {
    struct Careless;
    impl Sink for Careless {
        fn entry(
            &mut self,
            _: &TreePath,
            _: &Meta,
            _: EntryKind<'_>,
        ) -> io::Result<Option<Content>> {
            Ok(Some(Content::inline(&b"other"[..])))
        }
    }
    let bytes = Deb::new("a").file("./a", "four").bytes();
    let error = unpack(bytes.as_slice(), &Limits::default(), &mut Careless);
    assert!(matches!(error, Err(DebError::Sink { path: at, .. }) if at == path("a")));
    let bytes = Deb::new("a").file("./a", "fiver").without_md5sums().bytes();
    let fragment = unpack(bytes.as_slice(), &Limits::default(), &mut Careless).expect("skipped");
    assert_eq!(
        fragment.entries[0].md5.as_deref(),
        Some("20d4382e56ef00debdec79d87713042d")
    );
}

#[test]
fn a_broken_body_is_an_error_whatever_the_sink_says() {
    struct Deaf;
    impl Sink for Deaf {
        fn entry(
            &mut self,
            _: &TreePath,
            _: &Meta,
            entry: EntryKind<'_>,
        ) -> io::Result<Option<Content>> {
            let EntryKind::Regular { size, body } = entry else {
                return Ok(None);
            };
            let _ = body.read_to_end(&mut Vec::new());
            Ok(Some(Content::inline(vec![0; size as usize])))
        }
    }
    let bytes = Deb::new("a")
        .file("./a", &"x".repeat(100_000))
        .compressed("")
        .bytes();
    let error = unpack(
        &bytes[..bytes.len() - 50_000],
        &Limits::default(),
        &mut Deaf,
    );
    assert!(matches!(error, Err(DebError::Truncated(_))), "{error:?}");
}

#[test]
fn control_information_is_checked() {
    let error = |deb: Deb| deb.unpack().expect_err("an error").to_string();
    assert!(error(Deb::new("../a")).contains("Package"));
    assert!(error(Deb::new("a").field("Depends: (")).contains("Depends"));
    assert!(error(Deb::new("a").control("conffiles", "etc/a\n")).contains("conffiles"));
    assert!(error(Deb::new("a").control("conffiles", "/../a\n")).contains("conffiles"));
    assert!(error(Deb::new("a").control("triggers", "interest ../../a\n")).contains("triggers"));
    assert!(error(Deb::new("a").control("sub/x", "")).contains("control file"));
    assert!(
        Deb::new("a")
            .control("list", "x")
            .fragment()
            .file("list")
            .is_none()
    );
}

/// A shared library of 64 bits that has a name of its own, and nothing else.
fn shared_library(soname: &str) -> Vec<u8> {
    let names = 64 + 2 * 56 + 48_u64;
    let size = names + 2 + soname.len() as u64;
    let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
    bytes.resize(16, 0);
    for half in [3_u16, 62, 1, 0] {
        bytes.extend(half.to_le_bytes());
    }
    for word in [0_u64, 64, 0] {
        bytes.extend(word.to_le_bytes());
    }
    for half in [0_u16, 0, 64, 56, 2, 64, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    for (kind, at, length) in [(1_u64, 0, size), (2, names - 48, 48)] {
        for word in [kind, at, at, at, length, length, 8] {
            bytes.extend(word.to_le_bytes());
        }
    }
    for word in [14_u64, 1, 5, names, 0, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([b"\0", soname.as_bytes(), b"\0"].concat());
    bytes
}

#[test]
fn libraries_are_looked_into() {
    let library = shared_library("libx.so.1");
    let file = tar::EntryType::Regular;
    let fragment = Deb::new("a")
        .data(|data| {
            data.raw(file, "./usr/lib/libx.so.1.2", "", 0o644, &library)
                .raw(file, "./usr/lib/plugin", "", 0o644, &library)
                .file("./usr/lib/libscript.so", "INPUT(libx.so.1)\n")
                .raw(file, "./usr/lib/libshort.so", "", 0o644, &library[..100])
        })
        .fragment();
    let found: Vec<_> = fragment
        .entries
        .iter()
        .map(|entry| &entry.library)
        .collect();
    let expected = crate::SharedLibrary {
        machine: 62,
        wide: true,
        flags: 0,
        soname: b"libx.so.1".to_vec(),
        libc: false,
    };
    assert_eq!(found, [&Some(expected), &None, &None, &None]);
    assert_eq!(Fragment::from_bytes(&fragment.to_bytes()), Some(fragment));
}
