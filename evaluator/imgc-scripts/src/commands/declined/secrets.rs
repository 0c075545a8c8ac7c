//! Keys: every machine must have its own.

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
        origin: Origin::Helper(&[]),
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
        origin: Origin::Helper(&[]),
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

#[cfg(test)]
mod tests {
    use crate::testing::machine;

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
