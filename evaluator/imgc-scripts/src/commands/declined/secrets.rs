//! Keys: every machine must have its own.

use bstr::BString;

use crate::commands::accounts::options::{self, Known, Takes};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "ssh-keygen",
        origin: Origin::Package,
        run: ssh_keygen,
    },
    Native {
        name: "make-ssl-cert",
        origin: Origin::Package,
        run: make_ssl_cert,
    },
    Native {
        name: "rndc-confgen",
        origin: Origin::Package,
        run: rndc_confgen,
    },
    Native {
        name: "tsig-keygen",
        origin: Origin::Package,
        run: |process| {
            decline(
                process,
                "a key of a name server does not belong in an image",
            )
        },
    },
    Native {
        name: "unbound-control-setup",
        origin: Origin::Package,
        run: |process| decline(process, "keys of a name server do not belong in an image"),
    },
    Native {
        name: "unbound-anchor",
        origin: Origin::Package,
        run: |process| {
            decline(
                process,
                "an anchor of trust would be fetched from the network",
            )
        },
    },
    Native {
        name: "dropbearkey",
        origin: Origin::Package,
        run: |process| decline(process, "a machine's host keys do not belong in an image"),
    },
];

fn decline(process: &mut Process<'_, '_>, reason: &'static str) -> Outcome {
    process.machine.decline(reason);
    Ok(Status::OK)
}

fn ssh_keygen(process: &mut Process<'_, '_>) -> Outcome {
    let has = |option: &str| process.args.iter().any(|arg| arg == option);
    if has("-l") || has("-y") || has("-B") {
        // It shows a key that was not made.
        return Ok(Status::OK);
    }
    if has("-A") || has("-t") || has("-f") && has("-N") {
        return decline(process, "a machine's host keys do not belong in an image");
    }
    Err(Stop::unsupported("this use of ssh-keygen is not known"))
}

fn make_ssl_cert(process: &mut Process<'_, '_>) -> Outcome {
    let made = "a private key does not belong in an image";
    match process.args.get(1).map(|arg| arg.as_slice()) {
        Some(b"generate-default-snakeoil") => decline(process, made),
        Some(b"--force-overwrite") => decline(process, made),
        _ => Err(Stop::unsupported("this use of make-ssl-cert is not known")),
    }
}

const RNDC: &[Known] = &[
    (b'a', "", Takes::Nothing),
    (b'A', "", Takes::Value),
    (b'b', "", Takes::Value),
    (b'c', "", Takes::Value),
    (b'k', "", Takes::Value),
    (b'q', "", Takes::Nothing),
    (b'r', "", Takes::Value),
    (b't', "", Takes::Value),
    (b'u', "", Takes::Value),
];

fn rndc_confgen(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, RNDC)?;
    if !given.has("a") {
        return Err(Stop::unsupported("a key would be written to the script"));
    }
    // Scripts set the owner of the file, so that there must be one.
    let default = "/etc/bind/rndc.key".into();
    let path = process.path(given.value("c").unwrap_or(&default));
    let written = process.machine.files.write(&path, Vec::new(), 0o600);
    written.map_err(|error| Stop::unsupported(format!("{path}: {error}")))?;
    decline(
        process,
        "a key of a name server does not belong in an image",
    )
}

/// openssl, where it would make a key, a certificate or random bytes. The files are made
/// without contents, as scripts set their owner and mode; whoever reads one finds that it
/// is no key.
pub(crate) fn openssl(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.clone();
    let word = args.get(1).cloned().unwrap_or_default();
    let has = |names: &[&str]| args.iter().any(|arg| names.iter().any(|name| arg == name));
    let makes = match word.as_slice() {
        b"ecparam" => has(&["-genkey"]),
        b"req" => has(&["-new", "-newkey", "-x509"]),
        b"x509" => has(&["-req", "-signkey", "-CA"]),
        _ => true,
    };
    let values = |wanted: &[u8]| {
        let at = args.iter().position(|arg| arg == wanted)?;
        args.get(at + 1).cloned()
    };
    let out: Vec<BString> = [&b"-out"[..], b"-keyout"]
        .into_iter()
        .filter_map(values)
        .collect();
    if !makes || out.is_empty() {
        return Err(Stop::unsupported(format!(
            "this use of openssl {word} is not known"
        )));
    }
    for name in out {
        let path = process.path(&name);
        let key = word == "genrsa" || word == "genpkey" || args.contains(&"-keyout".into());
        let mode = if key { 0o600 } else { 0o666 & !process.umask };
        let written = process.machine.files.write(&path, Vec::new(), mode);
        if let Err(error) = written {
            process.complain(format_args!("Can't open \"{name}\" for writing: {error}"));
            return Ok(Status(1));
        }
    }
    decline(process, "a secret does not belong in an image")
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn openssl_makes_no_secret() {
        let mut m = machine();
        m.put("/usr/bin/openssl", "\u{7f}ELF", 0o755);
        let ran = m.run(&[
            "sh",
            "-c",
            "umask 077; openssl rand -base64 -out /cookie 42",
        ]);
        assert_eq!((ran.status, m.text("/cookie").as_str()), (0, ""));
        assert_eq!(m.files.stat(b"/cookie", true).unwrap().mode, 0o600);
        let request = "req -x509 -nodes -newkey rsa:2048 -keyout /k.pem -out /c.pem -subj /CN=x";
        let request: Vec<&str> = ["openssl"].into_iter().chain(request.split(' ')).collect();
        assert_eq!(m.run(&request).status, 0);
        assert!(m.files.is_file(b"/k.pem") && m.files.is_file(b"/c.pem"));
        assert_eq!(m.declined().len(), 2);
        for known in [["openssl", "rand", "16"], ["openssl", "x509", "-text"]] {
            m.run_with(&known, "").unwrap_err();
        }
    }

    #[test]
    fn no_key_is_made() {
        let mut m = machine();
        m.put("/usr/bin/ssh-keygen", "\u{7f}ELF", 0o755);
        m.put("/usr/sbin/rndc-confgen", "\u{7f}ELF", 0o755);
        m.put("/etc/bind/named.conf", "", 0o644);
        let file = "/etc/ssh/ssh_host_rsa_key";
        assert_eq!(
            m.run(&["ssh-keygen", "-q", "-f", file, "-N", "", "-t", "rsa"])
                .status,
            0
        );
        assert_eq!(m.run(&["ssh-keygen", "-l", "-f", file]).status, 0);
        assert!(!m.files.exists(file.as_bytes()));
        assert_eq!(
            m.run(&["rndc-confgen", "-r", "/dev/urandom", "-a"]).status,
            0
        );
        assert_eq!(m.text("/etc/bind/rndc.key"), "");
        let reasons: Vec<&str> = m
            .declined()
            .iter()
            .map(|declined| declined.reason)
            .collect();
        assert_eq!(
            reasons,
            [
                "a machine's host keys do not belong in an image",
                "a key of a name server does not belong in an image"
            ]
        );
    }
}
