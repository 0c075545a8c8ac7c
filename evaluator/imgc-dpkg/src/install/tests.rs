//! Packages together in a tree, and the database of them, byte for byte.

use std::sync::Arc;

use imgc_tree::{Content, Data, Kind, Node, TreePath};

use super::*;
use crate::testing::{Deb, path, text};

static ALL: std::sync::LazyLock<PathFilter> = std::sync::LazyLock::new(PathFilter::default);
static NOBODY: BTreeSet<String> = BTreeSet::new();

fn options(arch: &str) -> Options<'_> {
    Options {
        arch,
        foreign: &[],
        epoch: 2_000,
        skip: &NOBODY,
        stated: &(),
        filter: &ALL,
        limits: Limits::default(),
    }
}

/// Files that are all in memory.
struct Inline;

impl Reader for Inline {
    fn read(&self, content: &Content) -> Result<Arc<[u8]>, String> {
        match &content.data {
            Data::Inline(bytes) => Ok(Arc::clone(bytes)),
            _ => Err("it is elsewhere".to_owned()),
        }
    }
}

fn installed(debs: impl IntoIterator<Item = Deb>) -> Result<Installed, InstallError> {
    let fragments: Vec<Fragment> = debs.into_iter().map(Deb::fragment).collect();
    plain(&fragments.iter().collect::<Vec<_>>(), &options("amd64"))
}

fn plain(fragments: &[&Fragment], options: &Options<'_>) -> Result<Installed, InstallError> {
    install(
        fragments,
        &mut Plain::new(fragments.len()),
        options,
        &Inline,
    )
}

fn tree(debs: impl IntoIterator<Item = Deb>) -> Tree {
    installed(debs).expect("packages that fit").tree
}

fn target(tree: &Tree, at: &str) -> Option<String> {
    match &tree.get(&path(at))?.kind {
        Kind::Symlink(target) => Some(String::from_utf8_lossy(target).into_owned()),
        _ => None,
    }
}

fn list(tree: &Tree, name: &str) -> String {
    text(tree, &format!("var/lib/dpkg/info/{name}.list"))
}

#[test]
fn an_empty_tree_has_merged_usr_and_an_empty_database() {
    let tree = tree([]);
    let paths: Vec<String> = tree.names().map(|(path, _)| path.to_string()).collect();
    assert_eq!(
        paths,
        [
            "/",
            "/bin",
            "/lib",
            "/lib64",
            "/sbin",
            "/usr",
            "/usr/bin",
            "/usr/lib",
            "/usr/lib64",
            "/usr/sbin",
            "/var",
            "/var/lib",
            "/var/lib/dpkg",
            "/var/lib/dpkg/alternatives",
            "/var/lib/dpkg/arch",
            "/var/lib/dpkg/info",
            "/var/lib/dpkg/info/format",
            "/var/lib/dpkg/parts",
            "/var/lib/dpkg/status",
            "/var/lib/dpkg/triggers",
            "/var/lib/dpkg/triggers/Unincorp",
            "/var/lib/dpkg/updates",
        ]
    );
    assert_eq!(target(&tree, "lib64").as_deref(), Some("usr/lib64"));
    assert_eq!(text(&tree, "var/lib/dpkg/info/format"), "1\n");
    assert_eq!(text(&tree, "var/lib/dpkg/arch"), "amd64\n");
    assert_eq!(text(&tree, "var/lib/dpkg/status"), "");
}

#[test]
fn the_database_is_dpkgs() {
    let b = Deb::new("libb1")
        .version("2:1.0-3")
        .field("Multi-Arch: same")
        .field("Depends: libc6 (>= 2.36)")
        .control("triggers", "interest-noawait /usr/share/b\ninterest bee\n")
        .control("postinst", "#!/bin/sh\n")
        .file("./lib/x86_64-linux-gnu/libb.so.1", "b");
    let a = Deb::new("a")
        .field("Section: admin")
        .control(
            "conffiles",
            "/etc/a.conf\n/etc/gone\nremove-on-upgrade /etc/old\n",
        )
        .control("triggers", "interest /etc/a.d\n")
        .control("prerm", "1")
        .data(|data| {
            data.folder("./")
                .folder("./etc/")
                .file("./etc/a.conf", "a conffile")
        });
    let tree = tree([b, a]);
    assert_eq!(
        text(&tree, "var/lib/dpkg/status"),
        "Package: a\nStatus: install ok installed\nSection: admin\n\
         Maintainer: A <a@mail.example>\nArchitecture: amd64\nVersion: 1\nConffiles:\n \
         /etc/a.conf fd445ff72ab285b2d59cb7942c09ae68\n /etc/gone newconffile\n \
         /etc/old newconffile remove-on-upgrade\nDescription: a test\n\n\
         Package: libb1\nStatus: install ok installed\nMaintainer: A <a@mail.example>\n\
         Architecture: amd64\nMulti-Arch: same\nVersion: 2:1.0-3\nDepends: libc6 (>= 2.36)\n\
         Description: a test\n\n"
    );
    assert_eq!(list(&tree, "a"), "/.\n/etc\n/etc/a.conf\n");
    assert_eq!(
        list(&tree, "libb1:amd64"),
        "/lib/x86_64-linux-gnu/libb.so.1\n"
    );
    assert_eq!(text(&tree, "usr/lib/x86_64-linux-gnu/libb.so.1"), "b");
    assert_eq!(
        text(&tree, "var/lib/dpkg/triggers/File"),
        "/usr/share/b libb1:amd64/noawait\n/etc/a.d a\n"
    );
    assert_eq!(text(&tree, "var/lib/dpkg/triggers/bee"), "libb1:amd64\n");
    let script = tree
        .get(&path("var/lib/dpkg/info/libb1:amd64.postinst"))
        .expect("a script");
    assert_eq!((script.meta.mode, script.meta.mtime), (0o755, 1_000));
    assert!(tree.get(&path("var/lib/dpkg/info/a.prerm")).is_some());
}

#[test]
fn missing_md5sums_are_made() {
    let a = Deb::new("a")
        .without_md5sums()
        .control("conffiles", "/etc/a\n")
        .data(|data| {
            data.file("./etc/a", "1")
                .file("./bin/b", "fiver")
                .link("./bin/c", "./bin/b")
        });
    assert_eq!(
        text(&tree([a]), "var/lib/dpkg/info/a.md5sums"),
        "c4ca4238a0b923820dcc509a6f75849b  etc/a\n\
         20d4382e56ef00debdec79d87713042d  bin/b\n20d4382e56ef00debdec79d87713042d  bin/c\n"
    );
}

#[test]
fn times_end_at_the_epoch() {
    let a = Deb::new("a")
        .file("./a", "")
        .data(|data| data.pax(&[("mtime", b"3000")]).file("./b", ""));
    let tree = tree([a]);
    let mtime = |at| tree.get(&path(at)).expect("a file").meta.mtime;
    assert_eq!(
        (mtime("a"), mtime("b"), mtime("bin")),
        (1_000, 2_000, 2_000)
    );
}

#[test]
fn the_first_package_decides_a_folders_metadata() {
    let folder = |name, mode| {
        Deb::new(name).data(|data| data.raw(tar::EntryType::Directory, "./d", "", mode, b""))
    };
    let tree = tree([folder("a", 0o700), folder("b", 0o755)]);
    assert_eq!(tree.get(&path("d")).expect("a folder").meta.mode, 0o700);
    assert_eq!(list(&tree, "b"), "/d\n");
}

#[test]
fn links_to_folders_and_folders_stay() {
    let link = || Deb::new("a").data(|data| data.folder("./real").symlink("./d", "real"));
    let folder = || Deb::new("b").data(|data| data.folder("./d").file("./d/x", "x"));
    let first = tree([link(), folder()]);
    assert_eq!(target(&first, "d").as_deref(), Some("real"));
    assert_eq!(text(&first, "real/x"), "x");
    let second = tree([folder(), link()]);
    assert!(second.get(&path("d")).is_some_and(Node::is_directory));
    assert_eq!(list(&second, "a"), "/real\n/d\n");
    let again = Deb::new("c").data(|data| data.symlink("./d", "real"));
    assert!(installed([link(), again]).is_ok());
    let other = Deb::new("c").data(|data| data.symlink("./d", "other"));
    assert!(matches!(
        installed([link(), other]),
        Err(InstallError::Conflict { .. })
    ));
}

#[test]
fn the_links_of_merged_usr_may_be_in_packages() {
    let base =
        || Deb::new("base-files").data(|data| data.symlink("./bin", "usr/bin").folder("./usr/bin"));
    let tree = tree([Deb::new("a").file("./bin/a", ""), base(), base_like()]);
    assert_eq!(target(&tree, "bin").as_deref(), Some("usr/bin"));
    assert_eq!(tree.get(&path("bin")).expect("a link").meta.mtime, 1_000);
    assert_eq!(list(&tree, "base-files"), "/bin\n/usr/bin\n");

    fn base_like() -> Deb {
        Deb::new("b").data(|data| data.symlink("./bin", "usr/bin"))
    }
}

#[test]
fn links_never_lead_out_of_the_root() {
    let a = Deb::new("a").data(|data| data.symlink("./out", "../../../etc"));
    let b = Deb::new("b").file("./out/passwd", "x");
    assert_eq!(text(&tree([a, b]), "etc/passwd"), "x");
    let a = Deb::new("a").data(|data| data.symlink("./loop", "loop"));
    let b = Deb::new("b").file("./loop/x", "x");
    assert!(matches!(installed([a, b]), Err(InstallError::Loop { .. })));
    let a = Deb::new("a").file("./plain", "");
    let b = Deb::new("b").file("./plain/x", "x");
    assert!(
        matches!(installed([a, b]), Err(InstallError::Insert { package, .. }) if package == "b")
    );
}

#[test]
fn a_file_of_two_packages_is_a_conflict() {
    for other in ["./usr/bin/x", "./bin/x"] {
        let error = installed([
            Deb::new("a").file("./bin/x", ""),
            Deb::new("b").file(other, ""),
        ]);
        let Err(InstallError::Conflict {
            path: at,
            package,
            other,
        }) = error
        else {
            panic!("{error:?}");
        };
        assert_eq!(
            (at, package.as_str(), other.as_str()),
            (path("usr/bin/x"), "b", "a")
        );
    }
    let folder = Deb::new("b").data(|data| data.folder("./x"));
    let error = installed([Deb::new("a").file("./x", ""), folder]);
    assert!(
        matches!(error, Err(InstallError::Conflict { .. })),
        "{error:?}"
    );
    let folder = Deb::new("b").data(|data| data.folder("./x").file("./x/y", ""));
    let error = installed([folder, Deb::new("a").file("./x", "")]);
    assert!(
        matches!(error, Err(InstallError::Conflict { .. })),
        "{error:?}"
    );
}

#[test]
fn the_package_that_replaces_owns_the_file() {
    let old = || {
        Deb::new("old")
            .file("./bin/x", "old")
            .file("./bin/y", "old")
    };
    let new = |relation: &str| {
        Deb::new("new")
            .field(&format!("Replaces: {relation}"))
            .file("./bin/x", "new")
    };
    for debs in [[old(), new("old (<< 2)")], [new("old (<< 2)"), old()]] {
        let tree = tree(debs);
        assert_eq!(text(&tree, "usr/bin/x"), "new");
        assert_eq!(list(&tree, "new"), "/bin/x\n");
        assert_eq!(list(&tree, "old"), "/bin/y\n");
    }
    for relation in ["old (<< 1)", "other"] {
        let error = installed([old(), new(relation)]);
        assert!(
            matches!(error, Err(InstallError::Conflict { .. })),
            "{error:?}"
        );
    }
}

// The next three were compared with what dpkg 1.21 does with the same packages.

#[test]
fn a_conffile_of_two_packages_is_obsolete_in_one() {
    let old = || {
        Deb::new("old")
            .control("conffiles", "/etc/x\n")
            .file("./etc/x", "fiver")
    };
    let new = || {
        Deb::new("new")
            .field("Replaces: old")
            .file("./etc/x", "a conffile")
    };
    let also = || new().control("conffiles", "/etc/x\n");
    let (fiver, other) = (
        "20d4382e56ef00debdec79d87713042d",
        "fd445ff72ab285b2d59cb7942c09ae68",
    );
    for (debs, line) in [
        ([old(), also()], format!(" /etc/x {fiver} obsolete\n")),
        ([also(), old()], format!(" /etc/x {other} obsolete\n")),
        ([old(), new()], format!(" /etc/x {fiver}\n")),
        ([new(), old()], " /etc/x newconffile obsolete\n".to_owned()),
    ] {
        let tree = tree(debs);
        let status = text(&tree, "var/lib/dpkg/status");
        let (_, old) = status.split_once("Package: old\n").expect("a stanza");
        assert!(old.contains(&line), "{line}{status}");
        assert_eq!(text(&tree, "etc/x"), "a conffile");
        assert_eq!(list(&tree, "old"), "");
    }
}

#[test]
fn links_to_the_same_folder_are_no_conflict() {
    let a = || Deb::new("a").data(|data| data.folder("./usr/real").symlink("./usr/d", "real"));
    let absolute = Deb::new("b").data(|data| data.symlink("./usr/d", "/usr/real"));
    let roundabout = Deb::new("c").data(|data| data.symlink("./usr/d", "../../usr/./d/../real"));
    let tree = tree([a(), absolute, roundabout]);
    assert_eq!(target(&tree, "usr/d").as_deref(), Some("real"));
    let elsewhere = Deb::new("b").data(|data| data.symlink("./usr/d", "/usr"));
    assert!(matches!(
        installed([a(), elsewhere]),
        Err(InstallError::Conflict { .. })
    ));
}

#[test]
fn hard_links_share_an_inode() {
    let linked = || {
        Deb::new("a").without_md5sums().data(|data| {
            data.file("./x", "fiver")
                .link("./y", "./x")
                .link("./bin/z", "./y")
        })
    };
    let other = || Deb::new("b").field("Replaces: a").file("./x", "2");
    let ino = |tree: &Tree, at| tree.ino(&path(at)).expect("a name");
    let alone = tree([linked()]);
    assert_eq!(ino(&alone, "x"), ino(&alone, "y"));
    assert_eq!(ino(&alone, "x"), ino(&alone, "usr/bin/z"));
    // The first name becomes another package's: the others keep their inode.
    let before = tree([linked(), other()]);
    assert_eq!(
        (text(&before, "x"), text(&before, "y")),
        ("2".to_owned(), "fiver".to_owned())
    );
    assert_eq!(ino(&before, "y"), ino(&before, "usr/bin/z"));
    // The first name is another package's: the others are linked to that.
    let after = tree([other(), linked()]);
    assert_eq!(ino(&after, "x"), ino(&after, "usr/bin/z"));
    assert_eq!(text(&after, "y"), "2");
    assert_eq!(text(&after, "var/lib/dpkg/info/a.md5sums"), "");
}

#[test]
fn packages_must_fit_together() {
    let error = installed([Deb::new("a"), Deb::new("a").version("2")]);
    assert!(matches!(error, Err(InstallError::Twice(name)) if name == "a"));
    let fragment = Deb::new("a").fragment();
    let error = plain(&[&fragment], &options("arm64"));
    assert!(matches!(error, Err(InstallError::Architecture { .. })));
    let mut broken = fragment.clone();
    broken.control = "nothing".to_owned();
    assert!(matches!(
        plain(&[&broken], &options("amd64")),
        Err(InstallError::Control { .. })
    ));
    let cyclic = Fragment {
        entries: vec![crate::Entry {
            path: path("x"),
            original: None,
            meta: imgc_tree::Meta::default(),
            node: crate::EntryNode::HardLink(path("x")),
            md5: None,
            library: None,
        }],
        ..fragment
    };
    assert!(plain(&[&cyclic], &options("amd64")).is_err());
}

#[test]
fn the_order_of_installation_changes_no_file() {
    let debs = || ["a", "b", "c"].map(|name| Deb::new(name).file(&format!("./usr/{name}"), name));
    let mut reversed = debs();
    reversed.reverse();
    assert_eq!(tree(debs()), tree(reversed));
    let root = TreePath::root();
    assert_eq!(tree(debs()).get(&root).expect("the root").meta.mode, 0o755);
}

// Compared with what dpkg 1.21 does with the same package and patterns.

fn documented() -> Deb {
    Deb::new("a")
        .without_md5sums()
        .control("conffiles", "/etc/a.conf\n/etc/keep.conf\n")
        .data(|data| {
            data.folder("./etc/")
                .file("./etc/a.conf", "1")
                .file("./etc/keep.conf", "fiver")
                .folder("./opt/")
                .file("./opt/h1", "h")
                .link("./opt/h2", "./opt/h1")
                .folder("./usr/")
                .folder("./usr/share/")
                .folder("./usr/share/doc/")
                .folder("./usr/share/doc/a/")
                .file("./usr/share/doc/a/README", "r")
                .file("./usr/share/doc/a/copyright", "c")
                .folder("./usr/share/doc/a/deep/")
                .symlink("./usr/share/doc/a/link", "README")
                .folder("./usr/share/man/")
                .folder("./usr/share/man/man1/")
                .file("./usr/share/man/man1/a.1", "m")
        })
}

fn filtered(
    debs: impl IntoIterator<Item = Deb>,
    exclude: &[&str],
    include: &[&str],
) -> Result<Installed, InstallError> {
    let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
    let filter = PathFilter::new(&owned(exclude), &owned(include));
    let fragments: Vec<Fragment> = debs.into_iter().map(Deb::fragment).collect();
    let options = Options {
        filter: &filter,
        ..options("amd64")
    };
    plain(&fragments.iter().collect::<Vec<_>>(), &options)
}

#[test]
fn what_is_excluded_is_not_unpacked_and_stays_in_the_list() {
    let whole = list(&tree([documented()]), "a");
    let exclude = [
        "/etc/a.conf",
        "/opt/h2",
        "/usr/share/doc/*",
        "/usr/share/man/*",
    ];
    let installed = filtered([documented()], &exclude, &["/usr/share/doc/*/copyright"]);
    let tree = installed.expect("it fits").tree;
    let there: Vec<String> = tree
        .names()
        .map(|(path, _)| path.to_string())
        .filter(|path| {
            ["/etc/", "/opt/", "/usr/share/"]
                .iter()
                .any(|at| path.starts_with(at))
        })
        .collect();
    assert_eq!(
        there,
        [
            "/etc/dpkg",
            "/etc/dpkg/dpkg.cfg.d",
            "/etc/dpkg/dpkg.cfg.d/imgc",
            "/etc/keep.conf",
            "/opt/h1",
            "/usr/share/doc",
            "/usr/share/doc/a",
            "/usr/share/doc/a/copyright",
            "/usr/share/doc/a/deep",
            "/usr/share/doc/a/link",
            "/usr/share/man",
        ]
    );
    assert_eq!(list(&tree, "a"), whole);
    assert_eq!(
        text(&tree, "var/lib/dpkg/info/a.md5sums"),
        "20d4382e56ef00debdec79d87713042d  etc/keep.conf\n\
         2510c39011c5be704182423e3a695e91  opt/h1\n\
         4a8a08f09d37b73795649038408b5f33  usr/share/doc/a/copyright\n"
    );
    let status = text(&tree, "var/lib/dpkg/status");
    let conffiles = " /etc/a.conf newconffile\n /etc/keep.conf 20d4382e56ef00debdec79d87713042d\n";
    assert!(status.contains(conffiles), "{status}");
    assert_eq!(
        text(&tree, "etc/dpkg/dpkg.cfg.d/imgc"),
        "path-exclude=/etc/a.conf\npath-exclude=/opt/h2\npath-exclude=/usr/share/doc/*\n\
         path-exclude=/usr/share/man/*\npath-include=/usr/share/doc/*/copyright\n"
    );
}

#[test]
fn what_needs_something_excluded_is_refused() {
    let refused = |exclude: &[&str], include: &[&str], at: &str| {
        let error = filtered([documented()], exclude, include);
        let Err(InstallError::Excluded { path: found, .. }) = error else {
            panic!("{exclude:?}: {error:?}");
        };
        assert_eq!(found, path(at), "{exclude:?}");
    };
    refused(&["/opt/h1"], &[], "opt/h2");
    refused(&["/usr/share/man/man1"], &[], "usr/share/man/man1/a.1");
    let copyright = ["/usr/share/doc/a/copyright"];
    refused(
        &["/usr/share/doc/*"],
        &copyright,
        "usr/share/doc/a/copyright",
    );
    let folder = ["/usr/share/doc/a/copyright", "/usr/share/doc/a"];
    assert!(filtered([documented()], &["/usr/share/doc/*"], &folder).is_ok());
}

#[test]
fn what_is_excluded_is_its_packages_all_the_same() {
    let man = ["/usr/share/man/*"];
    let page = || Deb::new("b").file("./usr/share/man/man1/a.1", "b");
    let error = filtered([documented(), page()], &man, &[]);
    assert!(
        matches!(error, Err(InstallError::Conflict { .. })),
        "{error:?}"
    );
    let replaces = || page().field("Replaces: a");
    let both = filtered([documented(), replaces()], &man, &[])
        .expect("it fits")
        .tree;
    for package in ["a", "b"] {
        assert!(
            list(&both, package).contains("/usr/share/man/man1/a.1\n"),
            "{package}"
        );
    }
}

#[test]
fn patterns_are_those_of_fnmatch() {
    let doc = |exclude: &str| {
        let tree = filtered([documented()], &[exclude], &[])
            .expect("it fits")
            .tree;
        tree.get(&path("usr/share/doc/a/README")).is_none()
    };
    for pattern in [
        "/usr/share/doc/[ab]/READM[!x]",
        "/*/README",
        "/usr/share/doc/a/?EADME",
    ] {
        assert!(doc(pattern), "{pattern}");
    }
    for pattern in [
        "/usr/share/doc/a/README/",
        "/usr/share/doc/a/readme",
        "/README",
    ] {
        assert!(!doc(pattern), "{pattern}");
    }
}

/// States one link in the place of the scripts of `a`.
#[derive(Debug)]
struct OneLink;

impl Stated for OneLink {
    fn has(&self, package: &str) -> bool {
        package == "a"
    }

    fn apply(&self, _package: &str, tree: &mut Tree) -> Result<Vec<(TreePath, Touched)>, String> {
        let at = path("usr/link");
        if tree.get(&at).is_some() {
            return Err("it is there".to_owned());
        }
        tree.insert(&at, Node::symlink(&b"b"[..], 0))
            .map_err(|error| error.to_string())?;
        Ok(vec![(at, Touched::Link)])
    }
}

#[test]
fn what_is_stated_is_done_in_the_place_of_scripts() {
    let a = |script: &str| {
        Deb::new("a")
            .control("postinst", script)
            .control("preinst", "#!/bin/sh\nexit 1\n")
    };
    let install_both = |a: Deb| {
        let fragments = [a.fragment(), Deb::new("b").file("./usr/b", "").fragment()];
        let options = Options {
            stated: &OneLink,
            ..options("amd64")
        };
        plain(&fragments.iter().collect::<Vec<_>>(), &options)
    };
    let installed = install_both(a("#!/bin/sh\nexit 1\n")).expect("no script runs");
    assert_eq!(target(&installed.tree, "usr/link").as_deref(), Some("b"));
    let [done] = &installed.stated[..] else {
        panic!("{:?}", installed.stated);
    };
    assert_eq!(
        done.note.scripts,
        [ScriptName::Preinst, ScriptName::Postinst]
    );
    assert_eq!(done.touched, [(path("usr/link"), Touched::Link)]);
    let there = a("").file("./usr/link", "");
    let error = install_both(there);
    assert!(
        matches!(error, Err(InstallError::Stated { .. })),
        "{error:?}"
    );
}

/// A package for two architectures, in an image of the first.
fn for_both(make: impl Fn(Deb) -> Deb) -> [Fragment; 2] {
    let deb = || make(Deb::new("lib").field("Multi-Arch: same"));
    let mut foreign = deb().fragment();
    foreign.package.architecture = "i386".to_owned();
    foreign.control = foreign
        .control
        .replace("Architecture: amd64", "Architecture: i386");
    [deb().fragment(), foreign]
}

fn with_i386(fragments: &[Fragment]) -> Result<Installed, InstallError> {
    let options = Options {
        foreign: &["i386".to_owned()],
        ..options("amd64")
    };
    plain(&fragments.iter().collect::<Vec<_>>(), &options)
}

#[test]
fn two_architectures_of_a_package_share_files_that_are_equal() {
    let script = "#!/bin/sh\necho $DPKG_MAINTSCRIPT_PACKAGE:$DPKG_MAINTSCRIPT_ARCH \
                  $DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT >> /said\n";
    let mut both = for_both(|deb| {
        let deb = deb.file("./usr/share/doc", "the same");
        let deb = deb.file("./etc/lib.conf", "a = 1\n");
        deb.control("conffiles", "/etc/lib.conf\n")
            .control("postinst", script)
    });
    let tree = with_i386(&both).expect("they go together").tree;
    assert_eq!(text(&tree, "var/lib/dpkg/arch"), "amd64\ni386\n");
    assert_eq!(text(&tree, "said"), "lib:amd64 2\nlib:i386 2\n");
    assert_eq!(text(&tree, "etc/lib.conf"), "a = 1\n");
    assert!(tree.get(&path("etc/lib.conf.dpkg-new")).is_none());
    assert!(list(&tree, "lib:amd64").ends_with("/usr/share/doc\n/etc/lib.conf\n"));
    assert_eq!(list(&tree, "lib:amd64"), list(&tree, "lib:i386"));
    let status = text(&tree, "var/lib/dpkg/status");
    let archs: Vec<&str> = status
        .lines()
        .filter(|line| line.starts_with("Architecture: "))
        .collect();
    assert_eq!(archs, ["Architecture: amd64", "Architecture: i386"]);
    assert_eq!(status.matches(" /etc/lib.conf ").count(), 2);
    // What is not the same can't be shared.
    let node = |at: usize| crate::EntryNode::Regular(Content::inline(vec![at as u8]));
    for (at, fragment) in both.iter_mut().enumerate() {
        let shared = |entry: &&mut crate::Entry| entry.path == path("usr/share/doc");
        fragment
            .entries
            .iter_mut()
            .find(shared)
            .expect("a file")
            .node = node(at);
    }
    let error = with_i386(&both).expect_err("they differ");
    assert!(matches!(error, InstallError::Shared { .. }), "{error}");
}

#[test]
fn a_foreign_package_of_one_kind_has_no_architecture_in_its_name() {
    let mut tool = Deb::new("tool").file("./usr/tool", "").fragment();
    tool.package.architecture = "i386".to_owned();
    let tree = with_i386(&[tool.clone()]).expect("a package").tree;
    assert!(list(&tree, "tool").ends_with("/usr/tool\n"));
    let error = plain(&[&tool], &options("amd64")).expect_err("no foreign architecture");
    assert!(
        matches!(error, InstallError::Architecture { .. }),
        "{error}"
    );
}

#[test]
fn no_service_may_start_while_scripts_run() {
    let script = "#!/bin/sh\n/usr/sbin/policy-rc.d x start; echo $? > /said\n";
    let package = Deb::new("a").file("./usr/sbin/a", "");
    let tree = tree([package.control("postinst", script)]);
    assert_eq!(text(&tree, "said"), "101\n");
    assert!(tree.get(&path("usr/sbin/policy-rc.d")).is_none());
}

#[test]
fn what_scripts_leave_in_tmp_is_gone() {
    let script = "#!/bin/sh\nset -e\necho x > /tmp/a\necho y > /var/b\n";
    let package = Deb::new("a").data(|data| data.folder("./tmp").folder("./var"));
    let tree = tree([package.control("postinst", script)]);
    let there = |at| tree.get(&path(at)).is_some();
    assert!(there("tmp") && there("var/b") && !there("tmp/a"));
}

#[test]
fn a_file_that_a_package_diverts_may_be_in_another_one_too() {
    let divert = "#!/bin/sh\nset -e\n\
                  dpkg-divert --package b --add --rename --divert /x.orig /x\n";
    let first = Deb::new("a").file("./x", "of a");
    let both = |second: Deb| installed([Deb::new("a").file("./x", "of a"), second]);
    let tree = tree([
        first,
        Deb::new("b").file("./x", "of b").control("preinst", divert),
    ]);
    assert_eq!(text(&tree, "x"), "of b");
    assert_eq!(text(&tree, "x.orig"), "of a");
    assert_eq!(list(&tree, "a"), "/x\n");
    // Without the diversion they can't be installed together.
    assert!(both(Deb::new("b").file("./x", "of b")).is_err());
}
