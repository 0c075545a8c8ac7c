//! openssl rehash and c_rehash: links to certificates by a hash of their subject.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};
use sha1::{Digest as _, Sha1};

use super::der::{Label, blocks, canonical, name};
use crate::commands::declined::secrets;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "openssl",
        origin: Origin::Package,
        run: openssl,
    },
    Native {
        name: "c_rehash",
        origin: Origin::Helper(C_REHASH),
        run: c_rehash,
    },
];

/// c_rehash of openssl 3.0 (bookworm) and 3.5 (trixie).
const C_REHASH: &[&str] = &[
    "a7291907d22a664ad0ee7424c6c5ef51c014e8a3fb0c454d8e858542c24ced2d",
    "b074a27ab91b25b1e3963c2399072ca012cdb3e3ef28115fc3bbef05923ccca0",
];

fn openssl(process: &mut Process<'_, '_>) -> Outcome {
    match process.args.get(1).map(|word| &word[..]) {
        Some(b"rehash") => {
            process.args.remove(0);
            rehash(process)
        }
        Some(
            b"rand" | b"genrsa" | b"genpkey" | b"gendsa" | b"ecparam" | b"req" | b"dhparam"
            | b"x509",
        ) => secrets::openssl(process),
        Some(b"version") => Err(Stop::unsupported("the version of openssl is not known")),
        _ => {
            let word = process.args.get(1).cloned().unwrap_or_default();
            Err(Stop::unsupported(format!("openssl {word} is not known")))
        }
    }
}

fn c_rehash(process: &mut Process<'_, '_>) -> Outcome {
    rehash(process)
}

fn rehash(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "nv",
        long: &[],
    };
    let args: Vec<BString> = process.args[1..].to_vec();
    let parsed = parse(&args, &known)?;
    let mut folders = parsed.operands.clone();
    if folders.is_empty() {
        let set = process.env.get(b"SSL_CERT_DIR".as_bstr()).cloned();
        let set = set.unwrap_or_else(|| "/usr/lib/ssl/certs".into());
        folders.extend(set.split(|&b| b == b':').map(BString::from));
    }
    let mut status = Status::OK;
    for folder in folders {
        let path = process.path(&folder);
        if parsed.has("v") {
            process.out(format!("Doing {folder}\n"));
        }
        if !process.machine.files.is_directory(&path) {
            status = failed(process, format_args!("skipping {folder}, can't read it"))?;
            continue;
        }
        one(process, &path, parsed.has("n"))?;
    }
    Ok(status)
}

/// Whether a name is one that rehash gives: `a1b2c3d4.0`, `a1b2c3d4.r0`.
fn is_hash(name: &[u8]) -> bool {
    let Some((hash, number)) = name.split_once_str(".") else {
        return false;
    };
    let number = number.strip_prefix(b"r").unwrap_or(number);
    hash.len() == 8
        && hash.iter().all(u8::is_ascii_hexdigit)
        && !number.is_empty()
        && number.iter().all(u8::is_ascii_digit)
}

/// A certificate's fingerprint and file.
type Named = ([u8; 20], BString);

fn one(process: &mut Process<'_, '_>, folder: &[u8], keep: bool) -> Result<(), Stop> {
    let names = process.machine.files.list(folder).unwrap_or_default();
    let join = |name: &[u8]| [folder, b"/", name].concat();
    // For every hash: the fingerprints and names that have it, in order.
    let mut wanted: BTreeMap<(u32, bool), Vec<Named>> = BTreeMap::new();
    let mut old = Vec::new();
    for name in names {
        process.machine.spend(1)?;
        let path = join(&name);
        let files = &mut process.machine.files;
        if is_hash(&name) {
            if files.stat(&path, false).is_ok_and(|stat| stat.kind == b'l') {
                old.push(name);
            }
            continue;
        }
        let ends = [&b".pem"[..], b".crt", b".cer", b".crl"];
        if !ends
            .iter()
            .any(|end| name.to_ascii_lowercase().ends_with(end))
            || !files.is_file(&path)
        {
            continue;
        }
        let Ok(bytes) = files.read(&path) else {
            continue;
        };
        process.machine.spend(bytes.len() as u64 / 256)?;
        let found = blocks(&bytes);
        let [(label, der)] = found.as_slice() else {
            process.complain(format_args!(
                "warning: skipping {name}, it does not contain exactly one certificate or CRL"
            ));
            continue;
        };
        let Some(hash) = hash(*label, der) else {
            process.complain(format_args!("warning: skipping {name}, it can't be read"));
            continue;
        };
        let fingerprint: [u8; 20] = Sha1::digest(der).into();
        let same = wanted
            .entry((hash, *label == Label::Revocations))
            .or_default();
        if same.iter().any(|(other, _)| *other == fingerprint) {
            process.complain(format_args!(
                "warning: skipping duplicate certificate in {name}"
            ));
            continue;
        }
        same.push((fingerprint, name));
    }
    if keep {
        return Ok(());
    }
    let mut links: BTreeMap<BString, BString> = BTreeMap::new();
    for ((hash, revokes), names) in wanted {
        for (number, (_, name)) in names.into_iter().enumerate() {
            let mark = if revokes { "r" } else { "" };
            links.insert(format!("{hash:08x}.{mark}{number}").into(), name);
        }
    }
    let files = &mut process.machine.files;
    for name in old {
        let right = links.get(&name);
        if right.is_some() && files.read_link(&join(&name)).ok().as_ref() == right {
            links.remove(&name);
        } else {
            let _ = files.unlink(&join(&name));
        }
    }
    for (link, name) in links {
        let made = process.machine.files.symlink(&name, &join(&link));
        if let Err(error) = made {
            process.complain(format_args!("can't symlink {link}: {error}"));
        }
    }
    Ok(())
}

/// OpenSSL's hash of the name that a certificate is about, or of who revokes.
fn hash(label: Label, der: &[u8]) -> Option<u32> {
    let digest = Sha1::digest(canonical(name(label, der)?)?);
    let first: [u8; 4] = digest[..4].try_into().ok()?;
    Some(u32::from_le_bytes(first))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    /// A certificate of `C=XX, O=  Two   WORDS `.
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nMIIBozCCAU2gAwIBAgIUckimzctJMxGeTTGomzRf3pg+SRMwDQYJKoZIhvcNAQEL\n\
BQAwJjELMAkGA1UEBhMCWFgxFzAVBgNVBAoMDiAgVHdvICAgV09SRFMgMB4XDTI2\n\
MTEyMjA3NDEwN1oXDTI2MTEyMzA3NDEwN1owJjELMAkGA1UEBhMCWFgxFzAVBgNV\n\
BAoMDiAgVHdvICAgV09SRFMgMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAMmk2DmN\n\
WRuXT5VWc+yMN3ogIW2dtfXDOhbIh0t+3/rhfAwO4SJ7md8iczvxTkP3HaXaaFli\n\
ryAXeSmmHmoeAO8CAwEAAaNTMFEwHQYDVR0OBBYEFN98VSIOoTlf5O0SgxmKC59s\n\
/FVeMB8GA1UdIwQYMBaAFN98VSIOoTlf5O0SgxmKC59s/FVeMA8GA1UdEwEB/wQF\n\
MAMBAf8wDQYJKoZIhvcNAQELBQADQQCRzsmavl96c+qaQBNQJ+2X9YzuF+Q6snVG\n\
Zt1e38A0sd8xqn4p3iP4N2qTgL2LCDs4ldNzmllaKRZEIAbOkMJH\n-----END CERTIFICATE-----\n";

    #[test]
    fn certificates_get_links_by_their_subject() {
        let mut machine = machine();
        machine.put("/usr/bin/openssl", "", 0o755);
        machine.put("/c/b.pem", PEM, 0o644);
        machine.put("/c/a.crt", PEM, 0o644);
        machine.put("/c/both.crt", &PEM.repeat(2), 0o644);
        machine.put("/c/x.txt", PEM, 0o644);
        machine.run(&["ln", "-s", "gone.pem", "/c/00000000.0"]);
        assert_eq!(machine.run(&["openssl", "rehash", "/c"]).status, 0);
        assert!(machine.files.lnode(b"/c/00000000.0").is_none());
        let links = machine.run(&["find", "/c", "-type", "l", "-printf", "%f %l\\n"]);
        assert_eq!(links.out, "21efc056.0 a.crt\n");
        assert!(machine.run_with(&["openssl", "genrsa"], "").is_err());
    }
}
