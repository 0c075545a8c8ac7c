//! Hostile archives in the hands of imgc, apt and gpgv: each offers a package that was
//! never to be had. Nothing that apt and gpgv refuse may be taken.
//!
//! Archives are made and signed here, and served from loopback. apt works in folders of
//! its own, and installs nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use imgc_tests::archive::{packages, sum};
use imgc_tests::deb::{Deb, xz};
use imgc_tests::key::Key;
use imgc_tests::sandbox::{Outcome, Sandbox};
use pgp::crypto::hash::HashAlgorithm;
use sha2::Digest as _;

use crate::place::run;

/// When the archives were made: an hour ago, so that nothing is old or new of itself.
const HOUR: u64 = 3600;

/// How many archives are tried at a time.
const THREADS: usize = 4;

/// What is done to an archive.
type Make = fn(&mut Evil<'_>);

/// Who takes the package: imgc, apt, gpgv. gpgv sees the signature alone.
type Verdicts = [bool; 3];

const ALL: Verdicts = [true, true, true];
const NONE: Verdicts = [false, false, false];
/// What is signed well, and must not be taken for what is signed.
const SIGNED: Verdicts = [false, false, true];
/// What imgc alone refuses.
const STRICT: Verdicts = [false, true, true];

/// Each archive, what is wrong with it, and the verdicts. apt's and gpgv's are those of
/// Debian bookworm.
const CASES: &[(&str, Verdicts, Make)] = &[
    ("nothing is wrong", ALL, |evil| evil.publish()),
    ("SHA512 alone", ALL, |evil| {
        evil.lists = vec!["SHA512"];
        evil.publish();
    }),
    ("SHA256 and SHA512", ALL, |evil| {
        evil.lists = vec!["SHA256", "SHA512"];
        evil.publish();
    }),
    (
        "a signature of a stranger beside",
        [true, true, false],
        |evil| {
            let text = evil.release();
            let signers = [
                (&evil.stranger, HashAlgorithm::Sha256),
                (&evil.sandbox.key, HashAlgorithm::Sha512),
            ];
            let signed = Key::clear_sign_by(&text, &signers);
            evil.serve(&signed);
        },
    ),
    ("not signed", NONE, |evil| {
        let text = evil.release();
        evil.serve(&text);
    }),
    ("signed by a stranger", NONE, |evil| {
        let signed = evil.stranger.clear_sign(&evil.release());
        evil.serve(&signed);
    }),
    ("the signature of another text", NONE, |evil| {
        let text = evil.release();
        let other = evil.sandbox.key.clear_sign("Origin: Debian\n");
        let (_, signature) = other
            .split_once("-----BEGIN PGP SIG")
            .expect("it is signed");
        let head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n";
        evil.serve(&format!("{head}{text}-----BEGIN PGP SIG{signature}"));
    }),
    ("changed after signing", NONE, |evil| {
        let signed = evil.signed();
        evil.serve(&signed.replace("Origin: Debian", "Origin: Debiam"));
    }),
    ("an index put in after signing", NONE, |evil| {
        let good = evil.good_release();
        let signed = evil.sandbox.key.clear_sign(&good);
        let (line, evils) = (evil.list_of(&good), evil.list_of(&evil.release()));
        evil.serve(&signed.replace(&line, &evils));
    }),
    ("signed over SHA-512 by RSA", ALL, |evil| {
        evil.by_gnupg("rsa2048", "SHA512", "never")
    }),
    ("signed over SHA-1", SIGNED, |evil| {
        evil.by_gnupg("rsa2048", "SHA1", "never")
    }),
    ("signed by a key of 1024 bits", STRICT, |evil| {
        evil.by_gnupg("rsa1024", "SHA512", "never")
    }),
    ("signed by a key that has expired", SIGNED, |evil| {
        evil.by_gnupg("ed25519", "SHA512", "5d")
    }),
    ("MD5Sum alone", SIGNED, |evil| {
        evil.lists = vec!["MD5Sum"];
        evil.publish();
    }),
    ("SHA1 alone", SIGNED, |evil| {
        evil.lists = vec!["SHA1"];
        evil.publish();
    }),
    ("a good block, then one of a stranger", NONE, |evil| {
        let good = evil.sandbox.key.clear_sign(&evil.good_release());
        let bad = evil.stranger.clear_sign(&evil.release());
        evil.serve(&format!("{good}{bad}"));
    }),
    ("a block of a stranger, then a good one", NONE, |evil| {
        let good = evil.sandbox.key.clear_sign(&evil.good_release());
        let bad = evil.stranger.clear_sign(&evil.release());
        evil.serve(&format!("{bad}{good}"));
    }),
    ("two good blocks", NONE, |evil| {
        let good = evil.sandbox.key.clear_sign(&evil.good_release());
        let other = evil.signed();
        evil.serve(&format!("{good}{other}"));
    }),
    ("a text before the block", SIGNED, |evil| {
        let good = evil.sandbox.key.clear_sign(&evil.good_release());
        let text = evil.release();
        evil.serve(&format!("{text}\n{good}"));
    }),
    ("a text after the block", SIGNED, |evil| {
        let good = evil.sandbox.key.clear_sign(&evil.good_release());
        let text = evil.release();
        evil.serve(&format!("{good}\n{text}"));
    }),
    ("an empty line before the block", SIGNED, |evil| {
        let signed = evil.signed();
        evil.serve(&format!("\n{signed}"));
    }),
    (
        "a field in the header of the block",
        [false, true, false],
        |evil| {
            let signed = evil.signed();
            evil.serve(&signed.replacen("\nHash: ", "\nOrigin: Debian\nHash: ", 1));
        },
    ),
    ("a text in the header of the block", NONE, |evil| {
        let good = evil.sandbox.key.clear_sign(&evil.good_release());
        let text = evil.release();
        evil.serve(&good.replacen("\n\n", &format!("\n \n{text}\n\n"), 1));
    }),
    ("a dash that is not escaped", NONE, |evil| {
        let text = evil.release();
        let signed = evil.sandbox.key.clear_sign(&format!("{text}- x\n"));
        evil.serve(&signed.replace("\n- - x", "\n- x"));
    }),
    ("a signature without an end", SIGNED, |evil| {
        let signed = evil.signed();
        evil.serve(
            signed
                .trim_end()
                .trim_end_matches("-----END PGP SIGNATURE-----"),
        );
    }),
    ("a NUL in the text", STRICT, |evil| {
        evil.more = "Description: a\0b\n".to_owned();
        evil.publish();
    }),
    ("the date twice", STRICT, |evil| {
        evil.more = format!("Date: {}\n", date(evil.now - 2 * HOUR));
        evil.publish();
    }),
    ("the suite twice, in another case", STRICT, |evil| {
        evil.more = "suite: bookworm\n".to_owned();
        evil.publish();
    }),
    ("the list twice", STRICT, |evil| {
        evil.lists = vec!["SHA256", "SHA256"];
        evil.publish();
    }),
    ("one path with two digests", STRICT, |evil| {
        let text = evil.release();
        let lines = evil.list_of(&evil.good_release());
        let signed = evil.sandbox.key.clear_sign(&format!("{text}{lines}"));
        evil.serve(&signed);
    }),
    ("two stanzas", STRICT, |evil| {
        let text = evil.release();
        let signed = evil
            .sandbox
            .key
            .clear_sign(&format!("{text}\nOrigin: More\n"));
        evil.serve(&signed);
    }),
    ("expired", SIGNED, |evil| {
        evil.more = format!("Valid-Until: {}\n", date(evil.now - HOUR / 2));
        evil.publish();
    }),
    ("of the future", SIGNED, |evil| {
        evil.date = evil.now + 48 * HOUR;
        evil.publish();
    }),
    ("without a date", STRICT, |evil| {
        let text = evil.release();
        let day = format!("Date: {}\n", date(evil.date));
        let signed = evil.sandbox.key.clear_sign(&text.replace(&day, ""));
        evil.serve(&signed);
    }),
    ("a date that is none", STRICT, |evil| {
        let text = evil.release();
        let day = date(evil.date);
        let signed = evil
            .sandbox
            .key
            .clear_sign(&text.replace(&day, "yesterday"));
        evil.serve(&signed);
    }),
    ("an end that is no date", SIGNED, |evil| {
        evil.more = "Valid-Until: never\n".to_owned();
        evil.publish();
    }),
    ("older than one that was seen", SIGNED, |evil| {
        evil.see_newer();
        evil.publish();
    }),
    ("frozen: seen, and expired since", SIGNED, |evil| {
        evil.see_newer();
        evil.date = evil.now - 40 * 24 * HOUR;
        evil.more = format!("Valid-Until: {}\n", date(evil.now - 33 * 24 * HOUR));
        evil.publish();
    }),
    ("another suite of the same key", STRICT, |evil| {
        evil.suite = "bookworm";
        evil.publish();
    }),
    ("another archive of the same key", STRICT, |evil| {
        evil.label = "Debian-Security";
        evil.publish();
    }),
    ("no name of a suite", STRICT, |evil| {
        let text = evil.release();
        let text = text
            .replace("Suite: trixie\n", "")
            .replace("Codename: trixie\n", "");
        let signed = evil.sandbox.key.clear_sign(&text);
        evil.serve(&signed);
    }),
    ("mixed: the index is of another state", SIGNED, |evil| {
        let signed = evil.sandbox.key.clear_sign(&evil.good_release());
        evil.serve(&signed);
    }),
    ("another index by its hash", SIGNED, |evil| {
        let good = evil.good_index.clone();
        let signed = evil.sandbox.key.clear_sign(&evil.good_release());
        let path = format!(
            "main/binary-amd64/by-hash/SHA256/{}",
            sum(&xz(good.as_bytes()))
        );
        let index = xz(evil.index.as_bytes());
        evil.serve(&signed);
        evil.put(&format!("dists/trixie/{path}"), index);
        evil.put(
            "dists/trixie/main/binary-amd64/Packages.xz",
            xz(good.as_bytes()),
        );
    }),
    ("an index that unpacks to another", SIGNED, |evil| {
        let good = evil.good_index.clone();
        let text = evil.release();
        let (size, digest) = (evil.index.len(), sum(evil.index.as_bytes()));
        let line = format!(" {digest} {size} main/binary-amd64/Packages\n");
        let good = format!(
            " {} {} main/binary-amd64/Packages\n",
            sum(good.as_bytes()),
            good.len()
        );
        assert!(text.contains(&line), "{text}");
        let signed = evil.sandbox.key.clear_sign(&text.replace(&line, &good));
        evil.serve(&signed);
    }),
    ("a list with a path upwards", STRICT, |evil| {
        let text = evil.release();
        let line = format!(" {} 1 ../../x\n", "0".repeat(64));
        let signed = evil.sandbox.key.clear_sign(&format!("{text}{line}"));
        evil.serve(&signed);
    }),
    ("Filename: ../../", STRICT, |evil| {
        evil.elsewhere("../../evil.deb")
    }),
    ("Filename: pool/../..", STRICT, |evil| {
        evil.elsewhere("pool/../../evil.deb")
    }),
    ("Filename: an absolute path", STRICT, |evil| {
        evil.elsewhere("/evil.deb")
    }),
    ("a package of other bytes", SIGNED, |evil| {
        evil.index = evil.good_index.clone();
        evil.publish();
        let path = evil.good_path.clone();
        let bytes = evil.bytes.clone();
        evil.put(&path, bytes);
    }),
    ("a package without a digest", SIGNED, |evil| {
        evil.index = without(&evil.index, "SHA256");
        evil.publish();
    }),
    ("a package with MD5 alone", SIGNED, |evil| {
        let weak = "MD5sum: 0123456789abcdef0123456789abcdef";
        evil.index = without(&evil.index, "SHA256").replace("Size:", &format!("{weak}\nSize:"));
        evil.publish();
    }),
    ("a package with two digests", STRICT, |evil| {
        let other = format!("SHA256: {}\nSHA256:", "0".repeat(64));
        evil.index = evil.index.replace("SHA256:", &other);
        evil.publish();
    }),
    ("no index for the architecture", SIGNED, |evil| {
        let text = evil.release().replace("binary-amd64", "binary-mips");
        let signed = evil.sandbox.key.clear_sign(&text);
        evil.serve(&signed);
    }),
];

/// An archive, and what it offers.
struct Evil<'a> {
    sandbox: &'a Sandbox,
    stranger: Key,
    now: u64,
    date: u64,
    suite: &'a str,
    label: &'a str,
    /// Further fields of the `Release`.
    more: String,
    /// The lists of digests that it has.
    lists: Vec<&'static str>,
    /// The index that offers what is not to be had.
    index: String,
    /// An index that does not.
    good_index: String,
    /// Where the good package is.
    good_path: String,
    /// The package that is not to be had.
    bytes: Vec<u8>,
}

impl<'a> Evil<'a> {
    fn new(sandbox: &'a Sandbox, now: u64) -> Self {
        let evil = Deb::new("app", "6.66", "all").file("usr/share/app", 0o644, "evil\n");
        let good = Deb::new("app", "1.0", "all").file("usr/share/app", 0o644, "good\n");
        let describe = |deb: &Deb, bytes: &[u8]| {
            let path = format!("pool/main/a/app/{}", deb.file_name());
            let (size, sum) = (bytes.len(), sum(bytes));
            let text = deb.paragraph();
            let index = format!("{text}Filename: {path}\nSize: {size}\nSHA256: {sum}\n\n");
            (path, index)
        };
        let (bytes, good_bytes) = (evil.build(), good.build());
        let (path, index) = describe(&evil, &bytes);
        let (good_path, good_index) = describe(&good, &good_bytes);
        let new = Self {
            sandbox,
            stranger: Key::new(),
            now,
            date: now - HOUR,
            suite: "trixie",
            label: "Debian",
            more: String::new(),
            lists: vec!["SHA256"],
            index,
            good_index,
            good_path: good_path.clone(),
            bytes: bytes.clone(),
        };
        new.put(&path, bytes);
        new.put(&good_path, good_bytes);
        let write = |name: &str, bytes: Vec<u8>| {
            std::fs::write(sandbox.path(name), bytes).expect("a file");
        };
        write("apt-key.asc", sandbox.key.public().into_bytes());
        write("key.gpg", sandbox.key.public_bytes());
        new
    }

    fn put(&self, path: &str, bytes: Vec<u8>) {
        self.sandbox.server.put(&format!("debian/{path}"), bytes);
    }

    fn release(&self) -> String {
        self.release_of(&self.index)
    }

    fn good_release(&self) -> String {
        self.release_of(&self.good_index)
    }

    fn release_of(&self, index: &str) -> String {
        let Self {
            suite, label, more, ..
        } = self;
        let date = date(self.date);
        let mut text = format!(
            "Origin: Debian\nLabel: {label}\nSuite: {suite}\nCodename: {suite}\nDate: {date}\n{more}\
             Acquire-By-Hash: yes\nArchitectures: all amd64\nComponents: main\n\
             No-Support-for-Architecture-all: Packages\n"
        );
        let packed = xz(index.as_bytes());
        for list in &self.lists {
            writeln!(text, "{list}:").expect("a string takes any text");
            for (name, bytes) in [("Packages", index.as_bytes()), ("Packages.xz", &packed)] {
                let (digest, size) = (digest(list, bytes), bytes.len());
                writeln!(text, " {digest} {size} main/binary-amd64/{name}")
                    .expect("a string takes any text");
            }
        }
        text
    }

    /// The lines of the list of a release.
    fn list_of(&self, release: &str) -> String {
        let (_, list) = release.split_once("SHA256:\n").expect("it has a list");
        list.to_owned()
    }

    fn signed(&self) -> String {
        self.sandbox.key.clear_sign(&self.release())
    }

    fn publish(&mut self) {
        let signed = self.signed();
        self.serve(&signed);
    }

    /// Has GnuPG make a key ten days ago, with the end that is said, and sign with it.
    fn by_gnupg(&mut self, algorithm: &str, hash: &str, end: &str) {
        let home = self.sandbox.path("gnupg");
        std::fs::create_dir_all(&home).expect("a folder");
        let mode = std::fs::Permissions::from_mode(0o700);
        std::fs::set_permissions(&home, mode).expect("its mode");
        let release = self.sandbox.path("Release");
        std::fs::write(&release, self.release()).expect("a file");
        let then = format!("{}!", self.now - 10 * 24 * HOUR);
        let gpg = |args: &[&str]| {
            let mut command = Command::new("gpg");
            command
                .env("GNUPGHOME", &home)
                .args(["--batch", "--yes", "--passphrase", ""]);
            command.args(["--faked-system-time", &then]);
            run(command.args(args)).succeeds().stdout.clone()
        };
        gpg(&[
            "--quick-generate-key",
            "archive@mirror.example",
            algorithm,
            "sign",
            end,
        ]);
        let release = release.display().to_string();
        let signed = gpg(&["--digest-algo", hash, "--clearsign", "-o", "-", &release]);
        let public = gpg(&["--armor", "--export"]);
        let keyring = self.sandbox.path("key.gpg").display().to_string();
        gpg(&["-o", &keyring, "--export"]);
        let mut end = Command::new("gpgconf");
        run(end.env("GNUPGHOME", &home).args(["--kill", "all"])).succeeds();
        // The other archives of the suite have their key still.
        let both = format!("{public}{}", self.sandbox.key.public());
        std::fs::write(self.sandbox.path("key.asc"), both).expect("a file");
        std::fs::write(self.sandbox.path("apt-key.asc"), public).expect("a file");
        self.serve(&signed);
    }

    /// Serves an `InRelease`, and the index that offers the package.
    fn serve(&mut self, in_release: &str) {
        self.put("dists/trixie/InRelease", in_release.as_bytes().to_vec());
        let index = xz(self.index.as_bytes());
        let folder = "dists/trixie/main/binary-amd64";
        for list in ["SHA256", "SHA512", "MD5Sum", "SHA1"] {
            let digest = digest(list, &index);
            self.put(&format!("{folder}/by-hash/{list}/{digest}"), index.clone());
        }
        self.put(&format!("{folder}/Packages.xz"), index);
    }

    /// Has both see a newer state, without the package.
    fn see_newer(&mut self) {
        let (date, index) = (self.date, self.index.clone());
        self.date = self.now - HOUR / 2;
        self.index = self.good_index.clone();
        self.publish();
        apt(self);
        imgc(self);
        (self.date, self.index) = (date, index);
    }

    /// Offers the package at another place than the pool.
    fn elsewhere(&mut self, path: &str) {
        let bytes = self.bytes.clone();
        self.put(path, bytes.clone());
        self.sandbox.server.put("evil.deb", bytes.clone());
        self.put("evil.deb", bytes);
        let line = self.index.lines().find(|line| line.starts_with("Filename"));
        let line = line.expect("it has a path").to_owned();
        self.index = self.index.replace(&line, &format!("Filename: {path}"));
        self.publish();
    }
}

/// `Sat, 01 Nov 2025 08:00:00 UTC`.
fn date(seconds: u64) -> String {
    let mut command = Command::new("date");
    command.env("LC_ALL", "C").args(["--utc", "-d"]);
    command
        .arg(format!("@{seconds}"))
        .arg("+%a, %d %b %Y %H:%M:%S UTC");
    run(&mut command).succeeds().stdout.trim().to_owned()
}

fn digest(list: &str, bytes: &[u8]) -> String {
    match list {
        "SHA256" => sum(bytes),
        "SHA512" => hex::encode(sha2::Sha512::digest(bytes)),
        // Nobody is to look at these.
        "SHA1" => sum(bytes)[..40].to_owned(),
        _ => sum(bytes)[..32].to_owned(),
    }
}

fn without(index: &str, field: &str) -> String {
    let keep = |line: &&str| !line.starts_with(&format!("{field}:"));
    let lines: Vec<&str> = index.lines().filter(keep).collect();
    lines.join("\n") + "\n\n"
}

/// Whether imgc pins the package and builds an image of it.
fn imgc(evil: &Evil<'_>) -> (bool, Outcome) {
    let sandbox = evil.sandbox;
    sandbox.write(
        "app.img",
        "(import std/debian).distroless { packages = [\"app\"]; }\n",
    );
    let update = sandbox.run().args(&["update", "app.img"]).outcome();
    let build = sandbox.run().args(&["build", "app.img"]).outcome();
    let lock = std::fs::read_to_string(sandbox.project("imgc.lock")).unwrap_or_default();
    let pinned = lock.contains(&sum(&evil.bytes));
    let done = build.code == Some(0) && pinned;
    (
        done,
        if update.code == Some(0) {
            build
        } else {
            update
        },
    )
}

/// Whether apt takes the archive and fetches the package.
fn apt(evil: &Evil<'_>) -> (bool, String) {
    let folder = evil.sandbox.path("apt");
    for part in ["etc", "lists/partial", "archives/partial", "out"] {
        std::fs::create_dir_all(folder.join(part)).expect("a folder");
    }
    let shown = folder.display().to_string();
    let key = evil.sandbox.path("apt-key.asc").display().to_string();
    let url = evil.sandbox.server.url("debian");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write(
        "sources.list",
        &format!("deb [signed-by={key}] {url} trixie main\n"),
    );
    write("status", "");
    write(
        "apt.conf",
        &format!(
            "APT::Architecture \"amd64\";\nAPT::Architectures {{ \"amd64\"; }};\n\
             APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n\
             Acquire::Check-Valid-Until \"true\";\nAcquire::Check-Date \"true\";\n\
             Dir::Etc \"{shown}/etc\";\nDir::Etc::sourcelist \"{shown}/sources.list\";\n\
             Dir::Etc::sourceparts \"{shown}/etc\";\nDir::Etc::parts \"{shown}/etc\";\n\
             Dir::State \"{shown}\";\nDir::State::lists \"{shown}/lists\";\n\
             Dir::State::status \"{shown}/status\";\nDir::Cache \"{shown}\";\n\
             Dir::Cache::archives \"{shown}/archives\";\n"
        ),
    );
    let command = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C")
            .env("APT_CONFIG", folder.join("apt.conf"))
            .current_dir(folder.join("out"))
            .args(args);
        run(&mut command)
    };
    let update = command(&["update", "--error-on=any"]);
    let download = command(&["download", "app"]);
    let mut taken = false;
    for entry in std::fs::read_dir(folder.join("out")).expect("a folder") {
        let path = entry.expect("an entry").path();
        // What apt refuses stays with another ending.
        let is_deb = path.extension().is_some_and(|ending| ending == "deb");
        taken |= is_deb && std::fs::read(&path).is_ok_and(|bytes| bytes == evil.bytes);
        std::fs::remove_file(path).expect("a file of this test");
    }
    (taken, format!("{}{}", update.stderr, download.stderr))
}

/// Whether gpgv finds a good signature.
fn gpgv(evil: &Evil<'_>) -> bool {
    let keyring = evil.sandbox.path("key.gpg");
    let signed = evil.sandbox.path("InRelease");
    let url = "debian/dists/trixie/InRelease";
    let bytes = evil.sandbox.server.get(url).expect("it is served");
    std::fs::write(&signed, bytes).expect("a file");
    let mut command = Command::new("gpgv");
    command.arg("--keyring").arg(keyring).arg(signed);
    command.env("GNUPGHOME", evil.sandbox.path("home"));
    run(&mut command).code == Some(0)
}

/// What became of an archive: the verdicts, and what is not as it should be.
fn judge(now: u64, (name, expected, make): &(&str, Verdicts, Make)) -> (Verdicts, Vec<String>) {
    let sandbox = Sandbox::with_packages(&packages());
    let mut evil = Evil::new(&sandbox, now);
    make(&mut evil);
    let (by_imgc, outcome) = imgc(&evil);
    let (by_apt, said) = apt(&evil);
    let found = [by_imgc, by_apt, gpgv(&evil)];
    let stderr = &outcome.stderr;
    let mut wrong = Vec::new();
    if by_imgc && !by_apt {
        wrong.push(format!("imgc takes what apt refuses: {name}"));
    }
    if found != *expected {
        wrong.push(format!(
            "{name}: {found:?}, not {expected:?}\nimgc: {stderr}\napt: {said}"
        ));
    }
    // Where a good package is to be had, that one may be taken.
    if !matches!(outcome.code, Some(0 | 1)) || stderr.contains("panicked") {
        wrong.push(format!("{name}: {:?} {stderr}", outcome.code));
    }
    (found, wrong)
}

#[test]
fn nothing_is_taken_that_apt_and_gpgv_refuse() {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("it is later").as_secs();
    let next = AtomicUsize::new(0);
    let judged = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(case) = CASES.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = judge(now, case);
                    let mut judged = judged.lock().expect("no panic");
                    judged.insert(case.0, verdict);
                }
            });
        }
    });
    let judged = judged.into_inner().expect("no panic");
    assert_eq!(judged.len(), CASES.len(), "each has a name of its own");
    let mut table = String::new();
    let mut wrong = Vec::new();
    for (name, (verdicts, what)) in judged {
        let word = |takes: bool| if takes { "takes" } else { "refuses" };
        let [one, two, three] = verdicts.map(word);
        writeln!(table, "{name:<42} {one:<8} {two:<8} {three}").expect("a string takes any text");
        wrong.extend(what);
    }
    assert!(wrong.is_empty(), "{table}\n{}", wrong.join("\n"));
    let good = CASES
        .iter()
        .filter(|(_, verdicts, _)| *verdicts == ALL)
        .count();
    let hostile = CASES.len() - good;
    assert!(hostile >= 30, "only {hostile} hostile archives");
}
