//! java, for the one program that maintainer scripts run with it: the one that puts the
//! system's certificates into Java's keystore. It must not be taken for a Java.
//!
//! The keystore has the format JKS, version 2: numbers are big-endian, and its end is the
//! SHA-1 digest of the password, a fixed text, and all before.

use std::collections::BTreeMap;

use bstr::ByteSlice as _;
use sha1::{Digest as _, Sha1};

use crate::commands::caches::der::{Label, blocks};
use crate::commands::files::failed;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::{Stop, Why};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "java",
    origin: Origin::Package,
    run: java,
}];

const KEYSTORE: &[u8] = b"/etc/ssl/certs/java/cacerts";
const MAGIC: [u8; 8] = [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2];

/// A certificate of the keystore.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Trusted {
    alias: String,
    /// Milliseconds since 1970.
    date: u64,
    der: Vec<u8>,
}

fn java(process: &mut Process<'_, '_>) -> Outcome {
    let args: Vec<Vec<u8>> = process.args[1..].iter().map(|arg| arg.to_vec()).collect();
    let args: Vec<&[u8]> = args
        .iter()
        .map(|arg| &arg[..])
        .filter(|arg| !arg.starts_with(b"-Xmx"))
        .collect();
    match args.as_slice() {
        [b"-version" | b"--version"] => Ok(Status::OK),
        [b"-jar", jar, b"-storepass", password] if base(jar) == b"ca-certificates-java.jar" => {
            update(process, password)
        }
        _ => Err(Stop::new(Why::Interpreter("Java".to_owned()))),
    }
}

/// Adds (`+PATH`) and removes (`-PATH`) the certificates that standard input names.
fn update(process: &mut Process<'_, '_>, password: &[u8]) -> Outcome {
    let mut all = match process.machine.files.read(KEYSTORE) {
        Ok(bytes) => {
            read(&bytes).ok_or_else(|| Stop::unsupported("Java's keystore is in another format"))?
        }
        Err(_) => Vec::new(),
    };
    let date = u64::try_from(process.machine.files.epoch()).unwrap_or(0) * 1000;
    for line in process.stdin().lines() {
        process.machine.spend(1)?;
        let Some((&sign, path)) = line.split_first() else {
            continue;
        };
        let name = base(path).to_str_lossy().to_lowercase();
        let alias = format!("debian:{name}");
        match sign {
            b'+' => {
                let file = process.path(path);
                let bytes = process.machine.files.read(&file).unwrap_or_default();
                let found = blocks(&bytes)
                    .into_iter()
                    .find(|(label, _)| *label == Label::Certificate);
                let Some((_, der)) = found else {
                    process.complain(format_args!(
                        "Warning: there was a problem reading {}",
                        path.as_bstr()
                    ));
                    continue;
                };
                match all.iter_mut().find(|entry| entry.alias == alias) {
                    Some(entry) => (entry.date, entry.der) = (date, der),
                    None => all.push(Trusted { alias, date, der }),
                }
                process.out(format!("Adding debian:{name}\n"));
            }
            b'-' => all.retain(|entry| entry.alias != alias),
            _ => {
                return Err(Stop::unsupported(
                    "this line for Java's keystore is not known",
                ));
            }
        }
    }
    let bytes = write(&all, password);
    let mode = 0o666 & !process.umask;
    match process.machine.files.write(KEYSTORE, bytes, mode) {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{}: {error}", KEYSTORE.as_bstr())),
    }
}

/// The order in which Java's `Hashtable` gives keys that were put into it in this order.
fn order(all: &[Trusted]) -> Vec<&Trusted> {
    let bucket = |entry: &Trusted, size: usize| {
        let add = |hash: u32, unit: u16| hash.wrapping_mul(31).wrapping_add(u32::from(unit));
        let hash = entry.alias.encode_utf16().fold(0_u32, add) & 0x7fff_ffff;
        hash as usize % size
    };
    // Newest first in each; a table that is three quarters full doubles, last bucket first.
    let mut table: Vec<Vec<&Trusted>> = vec![Vec::new(); 11];
    for (count, entry) in all.iter().enumerate() {
        if count >= table.len() * 3 / 4 {
            let size = table.len() * 2 + 1;
            let mut larger: Vec<Vec<&Trusted>> = vec![Vec::new(); size];
            for old in table.iter().rev() {
                for entry in old.iter().rev() {
                    larger[bucket(entry, size)].push(entry);
                }
            }
            table = larger;
        }
        let size = table.len();
        table[bucket(entry, size)].push(entry);
    }
    table
        .iter()
        .rev()
        .flat_map(|bucket| bucket.iter().rev().copied())
        .collect()
}

fn text(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    [
        &length.to_be_bytes(),
        &text.as_bytes()[..usize::from(length)],
    ]
    .concat()
}

fn write(all: &[Trusted], password: &[u8]) -> Vec<u8> {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes();
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&number(all.len()));
    for entry in order(all) {
        // 2 is a certificate that is trusted.
        out.extend_from_slice(&number(2));
        out.extend_from_slice(&text(&entry.alias));
        out.extend_from_slice(&entry.date.to_be_bytes());
        out.extend_from_slice(&text("X.509"));
        out.extend_from_slice(&number(entry.der.len()));
        out.extend_from_slice(&entry.der);
    }
    let mut digest = Sha1::new();
    for unit in password.to_str_lossy().encode_utf16() {
        digest.update(unit.to_be_bytes());
    }
    digest.update(b"Mighty Aphrodite");
    digest.update(&out);
    out.extend_from_slice(&digest.finalize());
    out
}

/// Reads a keystore of trusted certificates. None where it is another.
fn read(bytes: &[u8]) -> Option<Vec<Trusted>> {
    fn take<'b>(rest: &mut &'b [u8], length: usize) -> Option<&'b [u8]> {
        let (taken, more) = rest.split_at_checked(length)?;
        *rest = more;
        Some(taken)
    }
    fn number(rest: &mut &[u8], length: usize) -> Option<u64> {
        Some(
            take(rest, length)?
                .iter()
                .fold(0, |value, &byte| value << 8 | u64::from(byte)),
        )
    }
    let mut rest = bytes.strip_prefix(&MAGIC)?;
    let count = number(&mut rest, 4)?;
    let mut all: BTreeMap<String, Trusted> = BTreeMap::new();
    for _ in 0..count {
        if number(&mut rest, 4)? != 2 {
            return None;
        }
        let length = number(&mut rest, 2)?;
        let alias = take(&mut rest, usize::try_from(length).ok()?)?
            .to_str()
            .ok()?
            .to_owned();
        let date = number(&mut rest, 8)?;
        let length = number(&mut rest, 2)?;
        take(&mut rest, usize::try_from(length).ok()?)?;
        let length = number(&mut rest, 4)?;
        let der = take(&mut rest, usize::try_from(length).ok()?)?.to_vec();
        all.insert(alias.clone(), Trusted { alias, date, der });
    }
    Some(all.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn certificates_get_into_the_keystore() {
        let mut machine = machine();
        machine.put("/usr/bin/java", "", 0o755);
        machine
            .files
            .mkdir_all(b"/etc/ssl/certs/java", 0o755)
            .expect("a folder");
        for name in ["B", "a"] {
            let text = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
            machine.put(&format!("/etc/ssl/certs/{name}.pem"), text, 0o644);
        }
        let args = [
            "java",
            "-Xmx64m",
            "-jar",
            "/x/ca-certificates-java.jar",
            "-storepass",
            "changeit",
        ];
        let input = "+/etc/ssl/certs/B.pem\n+/etc/ssl/certs/a.pem\n";
        assert_eq!(machine.run_with(&args, input).expect("no stop").status, 0);
        let all = read(&machine.files.read(KEYSTORE).expect("a file")).expect("a keystore");
        assert_eq!(all.len(), 2);
        assert_eq!(
            (all[1].alias.as_str(), &all[1].der[..]),
            ("debian:b.pem", &[1, 2, 3][..])
        );
        machine
            .run_with(&args, "-/etc/ssl/certs/B.pem\n")
            .expect("no stop");
        let all = read(&machine.files.read(KEYSTORE).expect("a file")).expect("a keystore");
        assert_eq!(all.len(), 1);
        assert_eq!(order(&all)[0].alias, "debian:a.pem");
        assert!(machine.run_with(&["java", "-jar", "x.jar"], "").is_err());
    }
}
