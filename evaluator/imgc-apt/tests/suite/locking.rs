//! The lock: what goes in, what comes out, what is refused.

use imgc_apt::{
    ArchiveSource, AskedArchive, Expect, Index, Keyring, Lock, LockError, LockedIndex, Release,
    Request, Sha256, Variant, Vouched, solve,
};

use crate::archive::{Archive, DAY, NEW_YEAR, TestKey, fields, stanza};

/// A verified archive with its index.
struct Ready {
    source: ArchiveSource,
    release: Release,
    file: LockedIndex,
    index: Index,
}

impl Ready {
    fn new(id: &'static str, dist: &str, date: &str, packages: &str) -> Self {
        let key = TestKey::new(1);
        let keyring = Keyring::parse(&key.certificate()).expect("a keyring");
        let fields = fields(dist).replace("Thu, 01 Jan 2026 00:00:00 UTC", date);
        let archive = Archive::new(&fields, packages);
        let expect = Expect {
            dist,
            label: None,
            now: None,
            not_before: None,
        };
        let signed = key.sign(&archive.release);
        let release = Release::verify(signed.as_bytes(), &keyring, &expect).expect("good");
        let file = release.indices("main", "amd64").expect("an index");
        let [file] = &file[..] else {
            panic!("one index");
        };
        Self {
            index: Index::parse_packed(&archive.xz, file).expect("an index"),
            source: ArchiveSource {
                id: id.to_owned(),
                dist: dist.to_owned(),
                label: None,
                components: vec!["main".to_owned()],
                priority: None,
                keyring,
            },
            release,
            file: LockedIndex {
                path: file.path.clone(),
                sha256: Sha256::of(&archive.xz),
                size: file.size,
            },
        }
    }

    fn vouched(&self) -> Vouched<'_> {
        Vouched {
            source: &self.source,
            release: &self.release,
            index: &self.file,
        }
    }
}

const JAN_1: &str = "Thu, 01 Jan 2026 00:00:00 UTC";
const JAN_2: &str = "Fri, 02 Jan 2026 00:00:00 UTC";

fn request(names: &[&str]) -> Request {
    Request {
        suite: "trixie".to_owned(),
        arch: "amd64".to_owned(),
        variant: Variant::Distroless,
        recommends: false,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        archives: Vec::new(),
        base: None,
    }
}

fn insert(lock: &mut Lock, request: &Request, archives: &[&Ready]) -> Result<(), LockError> {
    let indices: Vec<&Index> = archives.iter().map(|ready| &ready.index).collect();
    let vouched: Vec<Vouched<'_>> = archives.iter().map(|ready| ready.vouched()).collect();
    let solution = solve(request, &indices).expect("an answer");
    lock.insert(request, &vouched, &solution)
}

fn main_archive(date: &str, version: &str) -> Ready {
    let packages =
        stanza("a", version, "Depends: b\n") + &stanza("b", "1", "") + &stanza("c", "1", "");
    Ready::new("debian", "trixie", date, &packages)
}

fn security_archive() -> Ready {
    Ready::new(
        "debian-security",
        "trixie-security",
        JAN_2,
        &stanza("b", "1+deb13u1", ""),
    )
}

fn sample() -> Lock {
    let (main, security) = (main_archive(JAN_1, "1.0-1"), security_archive());
    let mut lock = Lock::default();
    insert(&mut lock, &request(&["a"]), &[&main, &security]).expect("goes in");
    insert(&mut lock, &request(&["c"]), &[&main, &security]).expect("goes in");
    lock
}

#[test]
fn the_text_is_settled() {
    insta::assert_snapshot!(sample().render());
}

#[test]
fn what_is_written_is_read() {
    let lock = sample();
    let text = lock.render();
    assert_eq!(Lock::parse(&text), Ok(lock));
    assert_eq!(Lock::parse(&text).map(|lock| lock.render()), Ok(text));
    let empty = Lock::default();
    assert_eq!(Lock::parse(&empty.render()), Ok(empty));
}

#[test]
fn a_set_says_its_foreign_architectures() {
    let foreign = |text: &str| text.replace("\"c\",\n]", "\"c\",\n    \"d:i386\",\n]");
    let text = foreign(&sample().render());
    assert_ne!(text, sample().render());
    // The names say it already, and both must say the same.
    assert!(matches!(
        Lock::parse(&text),
        Err(LockError::Value {
            field: "foreign",
            ..
        })
    ));
    let said = |of: &str| {
        let (before, after) = text.split_once("\"d:i386\"").expect("it is there");
        let at = before.rfind("variant = ").expect("it is there");
        let (before, rest) = before.split_at(at);
        format!("{before}foreign = [\n    \"{of}\",\n]\n{rest}\"d:i386\"{after}")
    };
    let lock = Lock::parse(&said("i386")).expect("a lock");
    assert_eq!(lock.render(), said("i386"));
    assert!(Lock::parse(&said("armhf")).is_err());
}

#[test]
fn a_set_is_found_by_what_was_asked() {
    let lock = sample();
    let set = lock.lookup(&request(&["a"])).expect("is there");
    let pins: Vec<String> = lock.pins(set).map(|pin| pin.key.to_string()).collect();
    assert_eq!(pins, ["b 1+deb13u1 amd64", "a 1.0-1 amd64"]);
    // The order and the number of the names don't matter.
    assert!(lock.lookup(&request(&["a", "a"])).is_some());
    let other = Request {
        recommends: true,
        ..request(&["a"])
    };
    assert!(lock.lookup(&other).is_none());
    assert!(lock.lookup(&request(&["a", "c"])).is_none());
}

#[test]
fn the_epoch_is_the_newest_date() {
    let lock = sample();
    let set = lock.lookup(&request(&["c"])).expect("is there");
    assert_eq!(lock.epoch(set), NEW_YEAR + DAY);
    assert_eq!(lock.not_before("debian", "trixie"), Some(NEW_YEAR));
    assert_eq!(lock.not_before("debian", "trixie-updates"), None);
}

#[test]
fn an_update_replaces_its_set_and_leaves_the_others() {
    let mut lock = sample();
    let (main, security) = (main_archive(JAN_2, "1.0-2"), security_archive());
    insert(&mut lock, &request(&["a"]), &[&main, &security]).expect("goes in");
    let dists: Vec<String> = lock
        .archives()
        .iter()
        .map(|a| a.key().to_string())
        .collect();
    // The set of `c` still names the older state.
    assert_eq!(
        dists,
        [
            "trixie 2026-01-01T00:00:00Z",
            "trixie 2026-01-02T00:00:00Z",
            "trixie-security 2026-01-02T00:00:00Z"
        ]
    );
    let pins: Vec<String> = lock.packages().iter().map(|p| p.key.to_string()).collect();
    assert_eq!(pins, ["a 1.0-2 amd64", "b 1+deb13u1 amd64", "c 1 amd64"]);
    assert_eq!(Lock::parse(&lock.render()), Ok(lock.clone()));

    insert(&mut lock, &request(&["c"]), &[&main, &security]).expect("goes in");
    assert_eq!(lock.archives().len(), 2);
    lock.retain(|request| request.names == ["c"]);
    assert_eq!(lock.packages().len(), 1);
    assert_eq!(lock.sets().len(), 1);
    lock.retain(|_| false);
    assert_eq!(lock, Lock::default());
}

#[test]
fn a_new_version_is_one_changed_line_in_each_list() {
    let before = sample();
    let mut after = before.clone();
    // The same state of the archive, were it to have another version of `a`.
    let mut main = main_archive(JAN_1, "1.0-2");
    main.release.sha256 = main_archive(JAN_1, "1.0-1").release.sha256;
    main.file = main_archive(JAN_1, "1.0-1").file;
    insert(&mut after, &request(&["a"]), &[&main, &security_archive()]).expect("goes in");
    let (before, after) = (before.render(), after.render());
    let changed = before.lines().zip(after.lines()).filter(|(a, b)| a != b);
    assert_eq!(before.lines().count(), after.lines().count());
    assert_eq!(changed.count(), 2);
}

#[test]
fn contradictions_are_refused_and_change_nothing() {
    let mut lock = sample();
    let before = lock.clone();
    // Another Release of the same date.
    let other = main_archive(JAN_1, "1.0-2");
    let result = insert(&mut lock, &request(&["b"]), &[&other, &security_archive()]);
    assert!(matches!(result, Err(LockError::Contradiction { .. })));
    // The same version with other bytes.
    let packages = stanza("c", "1", "").replace("Size: 10", "Size: 11");
    let other = Ready::new("debian", "trixie", JAN_2, &packages);
    let with = Request {
        variant: Variant::Minbase,
        ..request(&["c"])
    };
    let result = insert(&mut lock, &with, &[&other]);
    assert!(matches!(result, Err(LockError::Contradiction { .. })));
    assert_eq!(lock, before);
}

#[test]
fn a_lock_that_was_edited_wrongly_is_refused_with_its_line() {
    let text = sample().render();
    let line_of = |what: &str| {
        let at = text.find(what).expect("is there");
        text[..at].matches('\n').count() + 1
    };
    let check = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        Lock::parse(&text.replacen(from, to, 1)).expect_err(to)
    };
    let line = Some(line_of("{ name = \"a\""));
    let error = check("pool/main/a_1", "../../a_1");
    assert!(matches!(error, LockError::Value { field: "path", line: l, .. } if l == line));
    let error = check("{ name = \"a\"", "{ name = \"a\", host = \"x\"");
    assert!(matches!(error, LockError::Format { line: l, .. } if l == line));
    let reference = "    \"a 1.0-1 amd64\"";
    let error = check(reference, "    \"a 1.0-2 amd64\"");
    assert!(matches!(error, LockError::Dangling { line: l, .. } if l == Some(line_of(reference))));
    let error = check(reference, "    \"a 1.0-1 amd64\",\n    \"a 1.0-1 amd64\"");
    assert!(matches!(error, LockError::Duplicate { .. }));
    let error = check("version = 2\n", "version = 3\n");
    assert_eq!(error, LockError::Version { found: 3 });
    for (from, to) in [
        ("version = 2\n", ""),
        ("version = 2\n", "version = 2\nversion = 2\n"),
        ("version = 2\n", "version = 2\nx = 1\n"),
        ("variant = \"distroless\"", "variant = \"none\""),
        (
            "archives = [\n",
            "archives = [\n    \"sid 2026-01-01T00:00:00Z\",\n",
        ),
        ("archives = [\n", "archives = [\n    \"trixie\",\n"),
        ("date = 2026-01-01T00:00:00Z", "date = 2026-01-01"),
        ("size = 10", "size = -10"),
        ("suite = \"trixie\"", "suite = \"../x\""),
        ("names = [\n    \"a\",", "names = [\n    \"a\",\n    \"a\","),
        ("sha256 = \"", "sha256 = \"x"),
        ("signers = [\n", "signers = [\n    \"x\",\n"),
    ] {
        check(from, to);
    }
    for length in (0..text.len()).step_by(13) {
        let _ = Lock::parse(&text[..length]);
    }
}

#[test]
fn a_pin_needs_an_archive_that_vouches_for_it() {
    let text = sample().render();
    let without: Vec<&str> = text
        .lines()
        .filter(|line| *line != "    \"trixie-security 2026-01-02T00:00:00Z\",")
        .collect();
    assert!(matches!(
        Lock::parse(&without.join("\n")),
        Err(LockError::Dangling { .. })
    ));
}

#[test]
fn what_nothing_uses_is_dropped() {
    let lock = sample();
    let text = lock.render().replace("    \"c\",\n", "    \"d\",\n");
    let mut other = Lock::parse(&text).expect("a lock");
    other.retain(|request| request.names == ["a"]);
    assert_eq!(other.packages().len(), 2);
    assert!(!other.render().contains("name = \"c\""));
}

#[test]
fn an_archive_of_a_third_party_is_kept_with_its_keys() {
    let (main, vendor) = (
        main_archive(JAN_1, "1.0-1"),
        Ready::new(
            "https://apt.example/a",
            "trixie",
            JAN_1,
            &stanza("v", "2", "Depends: b\n"),
        ),
    );
    let mut asked = request(&["v=2", "a/trixie"]);
    asked.archives.push(AskedArchive {
        url: Some("https://apt.example/a".to_owned()),
        dist: "trixie".to_owned(),
        components: vec!["main".to_owned(), "more".to_owned()],
        keys: Some(Sha256::of(b"keys")),
        priority: Some(700),
    });
    let offers = [(&main, 500), (&vendor, 700)].map(|(ready, priority)| imgc_apt::Offer {
        index: &ready.index,
        priority,
        names: [ready.source.dist.as_str(), "stable", "trixie"],
    });
    let vouched = [main.vouched(), vendor.vouched()];
    let mut lock = Lock::default();
    let solution = solve(&asked, &offers).expect("an answer");
    lock.insert(&asked, &vouched, &solution).expect("goes in");
    let text = lock.render();
    assert_eq!(Lock::parse(&text).expect("a lock"), lock, "{text}");
    assert_eq!(
        lock.archives().len(),
        2,
        "of one name and one date, and not the same"
    );
    let set = lock.lookup(&asked).expect("it is there");
    let from: Vec<(&str, &str)> = lock
        .pins(set)
        .map(|pin| (pin.key.name.as_str(), pin.archive.as_str()))
        .collect();
    assert_eq!(
        from,
        [
            ("b", "debian"),
            ("a", "debian"),
            ("v", "https://apt.example/a")
        ]
    );
    asked.archives[0].priority = None;
    assert!(lock.lookup(&asked).is_none(), "another request");
    for (good, wrong) in [
        ("url = \"https://apt.example/a\"", "url = \"debian\""),
        ("components = [\"main\", \"more\"]", "components = []"),
        ("\"v=2\"", "\"v==2\""),
        ("dist = \"trixie\", comp", "dist = \"../x\", comp"),
    ] {
        assert!(text.contains(good), "{good} in {text}");
        assert!(Lock::parse(&text.replace(good, wrong)).is_err(), "{wrong}");
    }
}
