//! What an `InRelease` and an index must be to be let in.

use imgc_apt::{Expect, Index, IndexError, Keyring, Reason, Release, ReleaseError, TrustError};
use pgp::crypto::hash::HashAlgorithm;

use crate::archive::{Archive, DAY, NEW_YEAR, Oddity, TestKey, clear_sign, fields, stanza};

const KEY: u8 = 1;

fn expect() -> Expect<'static> {
    Expect {
        dist: "trixie",
        label: Some("Debian"),
        now: Some(NEW_YEAR + DAY),
        not_before: None,
    }
}

fn keyring(key: &TestKey) -> Keyring {
    Keyring::parse(&key.certificate()).expect("a keyring")
}

fn archive() -> Archive {
    Archive::new(&fields("trixie"), &stanza("a", "1", ""))
}

/// Signs a `Release` by the ordinary key and verifies it.
fn verify(release: &str, expect: &Expect<'_>) -> Result<Release, ReleaseError> {
    let key = TestKey::new(KEY);
    Release::verify(key.sign(release).as_bytes(), &keyring(&key), expect)
}

/// Verifies bytes as they are.
fn verify_bytes(bytes: &str) -> Result<Release, ReleaseError> {
    Release::verify(bytes.as_bytes(), &keyring(&TestKey::new(KEY)), &expect())
}

fn rejected(result: Result<Release, ReleaseError>) -> Vec<Reason> {
    match result {
        Err(ReleaseError::Trust(TrustError::Untrusted { rejected })) => {
            rejected.into_iter().map(|one| one.reason).collect()
        }
        other => panic!("expected no trusted signature, got {other:?}"),
    }
}

#[test]
fn a_good_archive_is_read_to_its_packages() {
    let archive = archive();
    let release = verify(&archive.release, &expect()).expect("good");
    assert_eq!(release.codename, "trixie");
    assert_eq!(release.date, NEW_YEAR);
    assert_eq!(release.signers, [TestKey::new(KEY).fingerprint()]);
    assert_eq!(release.components, ["main", "contrib"]);
    let file = release
        .indices("main", "amd64")
        .expect("an index")
        .remove(0);
    assert_eq!(file.path, "main/binary-amd64/Packages.xz");
    assert!(
        file.by_hash
            .starts_with("main/binary-amd64/by-hash/SHA256/")
    );
    let index = Index::parse_packed(&archive.xz, &file).expect("an index");
    let names: Vec<&str> = index.packages().map(|package| package.name()).collect();
    assert_eq!(names, ["a"]);
    assert!(matches!(
        release.indices("main", "s390x"),
        Err(ReleaseError::NoIndex { .. })
    ));
}

#[test]
fn what_gnupg_signs_with_rsa_is_good() {
    let keyring = Keyring::parse(include_bytes!("../data/gpg-rsa.asc")).expect("a keyring");
    let bytes = include_bytes!("../data/gpg-rsa.InRelease");
    let expect = Expect {
        label: Some("Test"),
        now: Some(NEW_YEAR + 2 * DAY),
        ..expect()
    };
    let release = Release::verify(bytes, &keyring, &expect).expect("good");
    assert_eq!(
        release.signers,
        ["72F58E380FB72FC1DCB8E4F8284E68FA8F281BC1"]
    );
    let text = std::str::from_utf8(bytes).expect("text");
    let changed = text.replace("Components: main", "Components: evil");
    assert!(matches!(
        Release::verify(changed.as_bytes(), &keyring, &expect),
        Err(ReleaseError::Trust(TrustError::BadSignature { .. }))
    ));
}

#[test]
fn a_changed_text_is_refused() {
    let signed = TestKey::new(KEY).sign(&archive().release);
    for (from, to) in [
        ("amd64", "amd65"),
        ("contrib\n", "contrib\nX: y\n"),
        ("Origin: Debian\n", ""),
    ] {
        let changed = signed.replacen(from, to, 1);
        assert_ne!(changed, signed);
        assert!(matches!(
            verify_bytes(&changed),
            Err(ReleaseError::Trust(TrustError::BadSignature { .. }))
        ));
    }
}

#[test]
fn only_one_block_and_nothing_around_it() {
    let signed = TestKey::new(KEY).sign(&archive().release);
    assert!(verify_bytes(&signed).is_ok());
    assert!(verify_bytes(&format!("{signed}\n\n")).is_ok());
    let header = "-----BEGIN PGP SIGNED MESSAGE-----\n";
    for changed in [
        format!("Evil: yes\n{signed}"),
        format!("\n{signed}"),
        format!("{signed}Evil: yes\n"),
        format!("{signed} "),
        format!("{signed}{signed}"),
        signed.replacen(header, &format!("{header}Evil: yes\n"), 1),
        signed.replacen("Origin", "-----BEGIN PGP SIGNATURE-----\n\nOrigin", 1),
        signed.replacen("Origin", "-Origin", 1),
        signed.replace('\n', "\r\n"),
        signed.replacen("Origin", "Ori\0gin", 1),
        signed.replacen("-----END PGP SIGNATURE-----", "", 1),
        signed[..signed.len() / 2].to_owned(),
        signed[..header.len()].to_owned(),
        String::new(),
    ] {
        assert!(
            matches!(
                verify_bytes(&changed),
                Err(ReleaseError::Trust(
                    TrustError::Split { .. } | TrustError::NotText | TrustError::Signatures(_)
                ))
            ),
            "{changed}"
        );
    }
}

#[test]
fn no_cut_of_a_signed_text_passes_or_panics() {
    let signed = TestKey::new(KEY).sign(&archive().release);
    for length in (0..signed.trim_end().len()).step_by(7) {
        assert!(verify_bytes(&signed[..length]).is_err(), "{length}");
    }
}

#[test]
fn white_space_at_line_ends_is_not_signed_and_not_read() {
    let signed = TestKey::new(KEY).sign(&archive().release);
    let changed = signed.replacen("Codename: trixie\n", "Codename: trixie \t\n", 1);
    let release = verify_bytes(&changed).expect("the same text");
    assert_eq!(release.codename, "trixie");
}

#[test]
fn escaped_dashes_are_read_as_they_were_signed() {
    // A line of dashes is no field: what is seen is the unescaped line.
    let release = archive().release + "-----BEGIN PGP SIGNATURE-----: x\n";
    assert!(matches!(
        verify(&release, &expect()),
        Err(ReleaseError::Stanza(_))
    ));
}

#[test]
fn an_unknown_key_is_not_enough_but_does_no_harm() {
    let release = archive().release;
    let (known, other) = (TestKey::new(KEY), TestKey::new(2));
    assert_eq!(
        rejected(verify_bytes(&other.sign(&release))),
        [Reason::UnknownKey]
    );
    let sha256 = HashAlgorithm::Sha256;
    let both = clear_sign(&release, &[(&other, sha256), (&known, sha256)], NEW_YEAR);
    let release = verify_bytes(&both).expect("one is enough");
    assert_eq!(release.signers, [known.fingerprint()]);
}

#[test]
fn weak_hashes_do_not_count() {
    let keyring = Keyring::parse(include_bytes!("../data/gpg-rsa.asc")).expect("a keyring");
    let bytes = include_bytes!("../data/gpg-rsa-sha1.InRelease");
    let expect = Expect {
        label: Some("Test"),
        now: Some(NEW_YEAR + 2 * DAY),
        ..expect()
    };
    assert_eq!(
        rejected(Release::verify(bytes, &keyring, &expect)),
        [Reason::WeakHash]
    );
    let (key, release) = (TestKey::new(KEY), archive().release);
    // A hash that is strong, but that no archive uses.
    let signed = clear_sign(&release, &[(&key, HashAlgorithm::Sha3_256)], NEW_YEAR);
    assert_eq!(rejected(verify_bytes(&signed)), [Reason::WeakHash]);
    let signed = clear_sign(&release, &[(&key, HashAlgorithm::Sha512)], NEW_YEAR);
    assert!(verify_bytes(&signed).is_ok());
}

#[test]
fn keys_that_must_not_sign_do_not_count() {
    let release = archive().release;
    let other = TestKey::new(9);
    let check = |odd: &Oddity, now: u64| {
        let key = TestKey::odd(KEY, odd);
        // The other key keeps the keyring from being empty.
        let rings = [key.certificate(), other.certificate()].concat();
        let keyring = Keyring::parse(&rings).expect("a keyring");
        let expect = Expect {
            now: Some(now),
            ..expect()
        };
        Release::verify(key.sign(&release).as_bytes(), &keyring, &expect)
    };
    let plain = Oddity::default();
    assert!(check(&plain, NEW_YEAR + DAY).is_ok());
    let revoked = Oddity {
        revoked: true,
        ..Oddity::default()
    };
    assert_eq!(rejected(check(&revoked, NEW_YEAR)), [Reason::KeyRevoked]);
    let certifies = Oddity {
        no_signing: true,
        ..Oddity::default()
    };
    assert_eq!(
        rejected(check(&certifies, NEW_YEAR)),
        [Reason::KeyMayNotSign]
    );
    let expires = Oddity {
        expires: Some(DAY as u32),
        ..Oddity::default()
    };
    assert!(check(&expires, NEW_YEAR + DAY - 1).is_ok());
    assert_eq!(
        rejected(check(&expires, NEW_YEAR + DAY)),
        [Reason::KeyExpired]
    );
    let future = NEW_YEAR - 2 * DAY;
    assert_eq!(rejected(check(&plain, future)), [Reason::Time]);
}

#[test]
fn a_keyring_needs_a_key_that_may_sign() {
    let odd = Oddity {
        revoked: true,
        ..Oddity::default()
    };
    let certificate = TestKey::odd(KEY, &odd).certificate();
    assert!(Keyring::parse(&certificate).is_err());
}

#[test]
fn another_distribution_is_refused() {
    let release = archive().release;
    let by_suite = Expect {
        dist: "stable",
        ..expect()
    };
    assert!(verify(&release, &by_suite).is_ok());
    for dist in ["bookworm", "trixie-updates", ""] {
        let expect = Expect { dist, ..expect() };
        assert!(matches!(
            verify(&release, &expect),
            Err(ReleaseError::OtherDist { .. })
        ));
    }
    let expect = Expect {
        label: Some("Debian-Security"),
        ..expect()
    };
    assert!(matches!(
        verify(&release, &expect),
        Err(ReleaseError::OtherLabel { .. })
    ));
}

#[test]
fn time_bounds_a_release() {
    let until = "Valid-Until: Sat, 03 Jan 2026 00:00:00 UTC\n";
    let release = Archive::new(&(fields("trixie") + until), "").release;
    let at = |now| verify(&release, &Expect { now, ..expect() });
    assert!(at(None).is_ok());
    assert!(at(Some(NEW_YEAR + 2 * DAY)).is_ok());
    assert!(matches!(
        at(Some(NEW_YEAR + 2 * DAY + 1)),
        Err(ReleaseError::Expired { .. })
    ));
    // Signed in time, dated ahead.
    let ahead = release.replace("Thu, 01 Jan 2026 00:00:00", "Fri, 02 Jan 2026 00:00:01");
    let expect_now = Expect {
        now: Some(NEW_YEAR),
        ..expect()
    };
    assert!(matches!(
        verify(&ahead, &expect_now),
        Err(ReleaseError::Future { .. })
    ));
    let seen = |not_before| {
        verify(
            &release,
            &Expect {
                not_before,
                ..expect()
            },
        )
    };
    assert!(seen(Some(NEW_YEAR)).is_ok());
    assert!(matches!(
        seen(Some(NEW_YEAR + 1)),
        Err(ReleaseError::Rollback { .. })
    ));
}

#[test]
fn a_malformed_release_is_refused() {
    let good = archive().release;
    let sha256_at = good.find("SHA256:").expect("a list");
    for (release, what) in [
        (
            good.replacen("Origin", "Codename: sid\nOrigin", 1),
            "a field twice",
        ),
        (
            good.replacen("Origin", "codename: sid\nOrigin", 1),
            "in another case",
        ),
        (
            good.replacen("Origin: Debian\n", "Origin: Debian\n\n", 1),
            "two stanzas",
        ),
        (good.replacen("Date: Thu", "Date: Fri", 1), "a wrong date"),
        (good.replacen("Date", "Data", 1), "no date"),
        (good[..sha256_at].to_owned(), "no list"),
        (
            good.replace("main/binary-amd64/Packages\n", "../../x\n"),
            "a path upwards",
        ),
        (
            good.replace("main/binary-amd64/Packages\n", "/etc/passwd\n"),
            "an absolute path",
        ),
        (good.replace("Packages.xz", "Packages"), "a file twice"),
        (good.replace("Suite: stable", "Suite: sta\"ble"), "a quote"),
        (format!("{good}\tx\n"), "a short line"),
        (
            format!("Snapshots: http://x\"/@SNAPSHOTID@\n{good}"),
            "a bad template",
        ),
    ] {
        assert_ne!(release, good, "{what}");
        assert!(verify(&release, &expect()).is_err(), "{what}");
    }
}

#[test]
fn the_template_of_snapshots_is_kept() {
    let template = "https://mirror.example/@SNAPSHOTID@/";
    let with = |value: &str| {
        let release = format!("Snapshots: {value}\n{}", archive().release);
        verify(&release, &expect()).expect("good").snapshots
    };
    assert_eq!(with(template).as_deref(), Some(template));
    assert_eq!(with("no"), None);
}

#[test]
fn an_index_must_be_the_one_that_is_signed() {
    let archive = archive();
    let release = verify(&archive.release, &expect()).expect("good");
    let file = release
        .indices("main", "amd64")
        .expect("an index")
        .remove(0);
    let mut changed = archive.xz.clone();
    changed[20] ^= 1;
    assert!(matches!(
        Index::parse_packed(&changed, &file),
        Err(IndexError::Hash { .. })
    ));
    let cut = &archive.xz[..archive.xz.len() - 1];
    assert!(matches!(
        Index::parse_packed(cut, &file),
        Err(IndexError::Hash { .. })
    ));
    // Signed, but not what it says.
    let mut lies = file.clone();
    let (sums, size) = file.unpacked.expect("it is listed");
    lies.unpacked = Some((sums, size - 1));
    assert!(matches!(
        Index::parse_packed(&archive.xz, &lies),
        Err(IndexError::Unpacked { .. })
    ));
    lies.unpacked = Some((sums, u64::MAX));
    assert_eq!(
        Index::parse_packed(&archive.xz, &lies).map(|_| ()),
        Err(IndexError::TooBig)
    );
    let mut truncated = file;
    truncated.size = cut.len() as u64;
    truncated.sums = imgc_apt::Checksums::of_sha256(imgc_apt::Sha256::of(cut));
    assert!(matches!(
        Index::parse_packed(cut, &truncated),
        Err(IndexError::Packing { .. } | IndexError::Unpacked { .. })
    ));
}

#[test]
fn a_malformed_index_is_refused() {
    let good = stanza("a", "1", "");
    assert_eq!(Index::parse(good.clone()).map(|index| index.len()), Ok(1));
    assert_eq!(Index::parse(String::new()).map(|index| index.len()), Ok(0));
    let path = "pool/main/a_1_amd64.deb";
    for (text, what) in [
        (good.replace(path, "../../x"), "a path upwards"),
        (good.replace(path, "pool/../../x"), "a path upwards"),
        (good.replace(path, "/etc/passwd"), "an absolute path"),
        (good.replace(path, "pool//x"), "an empty part"),
        (good.replace("Package: a", "Package: a b"), "a wrong name"),
        (
            good.replace("Package: a", "Package: ../a"),
            "a path as a name",
        ),
        (
            good.replace("Version: 1", "Version: 1_1"),
            "a wrong version",
        ),
        (good.replace("Size: 10", "Size: -10"), "a negative size"),
        (
            good.replace("Size: 10", "Size: 99999999999999999999"),
            "a giant size",
        ),
        (good.replace("SHA256: ", "SHA256: x"), "a wrong digest"),
        (good.replace("SHA256: ", "SHA1: "), "no digest"),
        (
            good.replace("Size: 10", "Size: 10\nSize: 11"),
            "a field twice",
        ),
        (good.replace("Size: 10", "Size: 10\nno field"), "no field"),
        (
            good.replace("Package: a", "Multi-Arch: some\nPackage: a"),
            "a wrong word",
        ),
    ] {
        assert_ne!(text, good, "{what}");
        assert!(Index::parse(text).is_err(), "{what}");
    }
}

/// A release with these two lists in place of its own.
fn listed(sha256: &str, sha512: &str) -> String {
    let good = archive().release;
    let (head, _) = good.split_once("SHA256:\n").expect("a list");
    let list = |name: &str, lines: &str| match lines {
        "" => String::new(),
        _ => format!("{name}:\n{lines}"),
    };
    format!("{head}{}{}", list("SHA256", sha256), list("SHA512", sha512))
}

#[test]
fn either_strong_digest_is_enough_and_both_must_fit() {
    use sha2::Digest as _;
    let text = stanza("a", "1", "");
    let size = text.len();
    let path = "main/binary-amd64/Packages";
    let line = |sum: &str| format!(" {sum} {size} {path}\n");
    let sha256 = line(&imgc_apt::Sha256::of(text.as_bytes()).to_string());
    let sha512 = line(&hex::encode(sha2::Sha512::digest(text.as_bytes())));
    let other = line(&hex::encode(sha2::Sha512::digest(b"other")));
    let read = |release: &str| {
        let release = verify(release, &expect()).expect("good");
        let file = release
            .indices("main", "amd64")
            .expect("an index")
            .remove(0);
        Index::parse_packed(text.as_bytes(), &file).map(|index| index.len())
    };
    for release in [
        listed(&sha256, ""),
        listed("", &sha512),
        listed(&sha256, &sha512),
    ] {
        assert_eq!(read(&release), Ok(1), "{release}");
    }
    assert!(matches!(
        read(&listed(&sha256, &other)),
        Err(IndexError::Hash { .. })
    ));
    let other_size = sha512.replace(&format!(" {size} "), " 1 ");
    assert!(verify(&listed(&sha256, &other_size), &expect()).is_err());
    assert!(verify(&listed("", &sha256), &expect()).is_err());
    let weak = listed("", "") + "MD5Sum:\n d41d8cd98f00b204e9800998ecf8427e 0 main/x\n";
    assert!(verify(&weak, &expect()).is_err());
}

#[test]
fn what_is_not_automatic_counts_less() {
    let priority = |more: &str| {
        let release = verify(&format!("{more}{}", archive().release), &expect()).expect("good");
        let source = imgc_apt::archives("trixie").expect("known").remove(0);
        source.priority(&release)
    };
    assert_eq!(priority(""), 500);
    assert_eq!(priority("NotAutomatic: yes\n"), 1);
    assert_eq!(
        priority("NotAutomatic: yes\nButAutomaticUpgrades: yes\n"),
        100
    );
}

#[test]
fn packages_of_every_architecture_may_stand_apart() {
    let sum = imgc_apt::Sha256::of(b"x");
    let all = format!(" {sum} 9 main/binary-all/Packages.gz\n");
    let good = archive().release + &all;
    let paths = |release: &str| -> Vec<String> {
        let release = verify(release, &expect()).expect("good");
        let files = release.indices("main", "amd64").expect("an index");
        files.into_iter().map(|file| file.path).collect()
    };
    let own = "main/binary-amd64/Packages.xz";
    assert_eq!(paths(&good), [own, "main/binary-all/Packages.gz"]);
    let none = format!("No-Support-for-Architecture-all: Packages\n{good}");
    assert_eq!(paths(&none), [own]);
    let other = good.replace("Architectures: all ", "Architectures: ");
    assert_eq!(paths(&other), [own]);
}
