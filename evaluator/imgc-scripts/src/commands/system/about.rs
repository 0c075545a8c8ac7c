//! What a script can ask about its system: uname, arch, hostname, nproc, getconf,
//! ischroot, tty, stty, tput, locale. The answers are those of a chroot without a terminal,
//! and no more of the building machine's than what every machine shares.

use bstr::ByteSlice as _;

use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

use super::env::unknown;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "uname",
        origin: Origin::Essential,
        run: uname,
    },
    Native {
        name: "arch",
        origin: Origin::Essential,
        run: arch,
    },
    Native {
        name: "hostname",
        origin: Origin::Essential,
        run: hostname,
    },
    Native {
        name: "dnsdomainname",
        origin: Origin::Essential,
        run: domain,
    },
    Native {
        name: "domainname",
        origin: Origin::Essential,
        run: domain,
    },
    Native {
        name: "nproc",
        origin: Origin::Essential,
        run: nproc,
    },
    Native {
        name: "getconf",
        origin: Origin::Essential,
        run: getconf,
    },
    Native {
        name: "ischroot",
        origin: Origin::Essential,
        run: ischroot,
    },
    Native {
        name: "runlevel",
        origin: Origin::Package,
        run: runlevel,
    },
    Native {
        name: "tty",
        origin: Origin::Essential,
        run: tty,
    },
    Native {
        name: "stty",
        origin: Origin::Essential,
        run: stty,
    },
    Native {
        name: "tput",
        origin: Origin::Essential,
        run: tput,
    },
    Native {
        name: "mesg",
        origin: Origin::Essential,
        run: mesg,
    },
    Native {
        name: "locale",
        origin: Origin::Essential,
        run: locale,
    },
    Native {
        name: "paperconf",
        origin: Origin::Package,
        run: paperconf,
    },
];

/// The kernel that scripts see. They only ask whether it is new enough.
const RELEASE: &str = "6.12.0";
/// The name of the machine that scripts see.
const HOST: &str = "localhost";

/// The kernel's name of Debian's architecture.
fn machine_name(process: &Process<'_, '_>) -> Result<&'static str, Stop> {
    let name = &process.machine.setup.arch;
    let known = crate::arch::of(name).map(|known| known.kernel);
    known.ok_or_else(|| Stop::unsupported(format!("the kernel's name of {name} is not known")))
}

fn uname(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "asnrvmpio",
        long: &[
            ("all", 'a'),
            ("kernel-name", 's'),
            ("nodename", 'n'),
            ("kernel-release", 'r'),
            ("kernel-version", 'v'),
            ("machine", 'm'),
            ("processor", 'p'),
            ("hardware-platform", 'i'),
            ("operating-system", 'o'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.has("v") || parsed.has("a") {
        return Err(Stop::unsupported(
            "the version of the kernel is the building machine's",
        ));
    }
    if !parsed.operands.is_empty() {
        return failed(process, "extra operand");
    }
    let machine = machine_name(process)?;
    let mut words = Vec::new();
    for (letter, word) in [
        ("s", "Linux"),
        ("n", HOST),
        ("r", RELEASE),
        ("m", machine),
        ("p", "unknown"),
        ("i", "unknown"),
        ("o", "GNU/Linux"),
    ] {
        if parsed.has(letter) || (letter == "s" && parsed.options.is_empty()) {
            words.push(word);
        }
    }
    process.out(words.join(" ") + "\n");
    Ok(Status::OK)
}

fn arch(process: &mut Process<'_, '_>) -> Outcome {
    parse(
        &process.args[1..],
        &Known {
            short: "",
            long: &[],
        },
    )?;
    let machine = machine_name(process)?;
    process.out(format!("{machine}\n"));
    Ok(Status::OK)
}

/// Beside the name of the machine itself, what its `/etc/hosts` says of it. Nobody else is
/// asked: there is no network.
fn hostname(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "sfdaAiIb",
        long: &[
            ("short", 's'),
            ("fqdn", 'f'),
            ("long", 'f'),
            ("domain", 'd'),
            ("alias", 'a'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if !parsed.operands.is_empty() {
        return Err(Stop::unsupported("the name of the machine can't be set"));
    }
    match parsed.last("sfdaAiI") {
        None | Some('s') => process.out(format!("{HOST}\n")),
        Some(part @ ('f' | 'd' | 'a')) => return resolved(process, part),
        Some(_) => return Err(unknown("an address of the machine")),
    }
    Ok(Status::OK)
}

fn domain(process: &mut Process<'_, '_>) -> Outcome {
    if process.args.len() > 1 {
        return Err(unknown("this form of the command"));
    }
    if crate::process::base(&process.args[0]) == b"dnsdomainname" {
        return resolved(process, 'd');
    }
    process.out("(none)\n");
    Ok(Status::OK)
}

/// The name of the machine as its first name in `/etc/hosts` (`f`), the part of that after
/// a dot (`d`), or its other names (`a`).
fn resolved(process: &mut Process<'_, '_>, part: char) -> Outcome {
    let hosts = process.machine.files.read(b"/etc/hosts");
    let hosts = hosts.unwrap_or_default();
    process.machine.spend(hosts.len() as u64 / 256)?;
    let hosts = hosts.to_str_lossy();
    let mut lines = hosts.lines().map(|line| {
        let said = line.split('#').next().unwrap_or_default();
        said.split_ascii_whitespace().skip(1).collect::<Vec<_>>()
    });
    let Some(names) = lines.find(|names| names.contains(&HOST)) else {
        process.complain("Name or service not known");
        return Ok(Status(1));
    };
    match part {
        'f' => process.out(format!("{}\n", names[0])),
        'a' => process.out(format!("{}\n", names[1..].join(" "))),
        _ => {
            if let Some((_, domain)) = names[0].split_once('.') {
                process.out(format!("{domain}\n"));
            }
        }
    }
    Ok(Status::OK)
}

fn nproc(process: &mut Process<'_, '_>) -> Outcome {
    parse(
        &process.args[1..],
        &Known {
            short: "",
            long: &[("all", 'a'), ("ignore=", 'i')],
        },
    )?;
    process.out("1\n");
    Ok(Status::OK)
}

fn getconf(process: &mut Process<'_, '_>) -> Outcome {
    let words: Vec<&[u8]> = process.args[1..].iter().map(|arg| &arg[..]).collect();
    let known = crate::arch::of(&process.machine.setup.arch);
    let answer = match words.as_slice() {
        [b"LONG_BIT"] => match known.map(|known| known.wide) {
            Some(true) => "64",
            Some(false) => "32",
            None => return Err(unknown("this variable")),
        },
        [b"PAGESIZE" | b"PAGE_SIZE"] => "4096",
        [b"_NPROCESSORS_ONLN" | b"_NPROCESSORS_CONF"] => "1",
        [b"PATH"] => "/bin:/usr/bin",
        [b"NAME_MAX", _] => "255",
        [b"PATH_MAX", _] => "4096",
        _ => return Err(unknown("this variable")),
    };
    process.out(format!("{answer}\n"));
    Ok(Status::OK)
}

fn ischroot(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "ft",
        long: &[("default-false", 'f'), ("default-true", 't')],
    };
    parse(&process.args[1..], &known)?;
    Ok(Status::OK)
}

fn runlevel(process: &mut Process<'_, '_>) -> Outcome {
    process.out("unknown\n");
    Ok(Status::FAILED)
}

fn tty(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(
        &process.args[1..],
        &Known {
            short: "s",
            long: &[("silent", 's'), ("quiet", 's')],
        },
    )?;
    if !parsed.has("s") {
        process.out("not a tty\n");
    }
    Ok(Status::FAILED)
}

fn stty(process: &mut Process<'_, '_>) -> Outcome {
    failed(process, "'standard input': Inappropriate ioctl for device")
}

fn tput(process: &mut Process<'_, '_>) -> Outcome {
    let term = process.env.get(bstr::BStr::new("TERM"));
    if term.is_some_and(|term| !term.is_empty()) {
        return Err(Stop::unsupported("tput for a terminal is not known"));
    }
    process.complain("No value for $TERM and no -T specified");
    Ok(Status(2))
}

fn mesg(process: &mut Process<'_, '_>) -> Outcome {
    process.complain("no tty");
    Ok(Status(2))
}

/// The name of the paper, where the system has chosen one.
fn paperconf(process: &mut Process<'_, '_>) -> Outcome {
    let told = ["PAPERSIZE", "PAPERCONF"].map(|name| process.env.get(bstr::BStr::new(name)));
    if process.args.len() > 1 || told.iter().any(Option::is_some) {
        return Err(unknown("this form of paperconf"));
    }
    let said = process.machine.files.read(b"/etc/papersize");
    let said = said.map_err(|_| unknown("the paper of a system that has chosen none"))?;
    let mut lines = said.lines().map(<[u8]>::trim_ascii);
    let name = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    let name = name.and_then(|line| line.split(u8::is_ascii_whitespace).next());
    let name = name.ok_or_else(|| unknown("the paper of a system that has chosen none"))?;
    process.out([name, &b"\n"[..]].concat());
    Ok(Status::OK)
}

fn locale(process: &mut Process<'_, '_>) -> Outcome {
    let words: Vec<Vec<u8>> = process.args[1..].iter().map(|arg| arg.to_vec()).collect();
    let words: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
    let value = |name: &str| {
        let value = process.env.get(bstr::BStr::new(name));
        value
            .filter(|value| !value.is_empty())
            .map(ToString::to_string)
    };
    let plain = |name: Option<String>| {
        matches!(
            name.as_deref(),
            None | Some("C" | "POSIX" | "C.UTF-8" | "C.utf8")
        )
    };
    match words.as_slice() {
        // The paper of the C locale is A4, in millimetres.
        [key @ (b"width" | b"height")]
            if plain(["LC_ALL", "LC_PAPER", "LANG"].into_iter().find_map(value)) =>
        {
            process.out(match *key {
                b"width" => "210\n",
                _ => "297\n",
            });
            Ok(Status::OK)
        }
        [b"-a"] => {
            let files = &process.machine.files;
            if files.exists(b"/usr/lib/locale/locale-archive") {
                return Err(unknown("what a locale archive holds"));
            }
            let mut names = files.list(b"/usr/lib/locale").unwrap_or_default();
            names.retain(|name| {
                let folder = [b"/usr/lib/locale/", &name[..]].concat();
                files.is_directory(&folder) && name != "C.utf8"
            });
            names.extend(["C".into(), "C.utf8".into(), "POSIX".into()]);
            names.sort();
            let text = bstr::join("\n", names);
            process.out([&text[..], b"\n"].concat());
            Ok(Status::OK)
        }
        [b"charmap"] => {
            let name = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(value);
            let name = name.unwrap_or_default().to_ascii_lowercase();
            let utf8 = name.ends_with(".utf-8") || name.ends_with(".utf8");
            process.out(if utf8 { "UTF-8\n" } else { "ANSI_X3.4-1968\n" });
            Ok(Status::OK)
        }
        [] => {
            let all = value("LC_ALL");
            let lang = value("LANG");
            let mut text = format!("LANG={}\nLANGUAGE=", lang.clone().unwrap_or_default());
            text += &value("LANGUAGE").unwrap_or_default();
            for name in [
                "CTYPE",
                "NUMERIC",
                "TIME",
                "COLLATE",
                "MONETARY",
                "MESSAGES",
                "PAPER",
                "NAME",
                "ADDRESS",
                "TELEPHONE",
                "MEASUREMENT",
                "IDENTIFICATION",
            ] {
                let name = format!("LC_{name}");
                match (&all, value(&name)) {
                    (None, Some(own)) => text += &format!("\n{name}={own}"),
                    _ => {
                        let implied = all.clone().or_else(|| lang.clone());
                        text +=
                            &format!("\n{name}=\"{}\"", implied.unwrap_or_else(|| "POSIX".into()));
                    }
                }
            }
            text += &format!("\nLC_ALL={}\n", all.unwrap_or_default());
            process.out(text);
            Ok(Status::OK)
        }
        _ => Err(unknown("this form of locale")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn the_system_is_a_chroot_without_a_terminal() {
        let mut machine = machine();
        for (args, status, out) in [
            (&["uname"][..], 0, "Linux\n"),
            (&["uname", "-sm"][..], 0, "Linux x86_64\n"),
            (&["arch"][..], 0, "x86_64\n"),
            (&["ischroot", "-t"][..], 0, ""),
            (&["tty", "-s"][..], 1, ""),
            (&["stty", "size"][..], 1, ""),
            (&["getconf", "LONG_BIT"][..], 0, "64\n"),
            (&["locale", "width"][..], 0, "210\n"),
            (&["locale", "charmap"][..], 0, "UTF-8\n"),
            (&["locale", "-a"][..], 0, "C\nC.utf8\nPOSIX\n"),
            (&["hostname"][..], 0, "localhost\n"),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
        }
        assert!(machine.run_with(&["uname", "-v"], "").is_err());
    }

    #[test]
    fn other_names_of_the_machine_are_in_a_file() {
        let mut m = machine();
        for args in [["hostname", "-f"], ["hostname", "-d"], ["hostname", "-a"]] {
            let ran = m.run(&args);
            assert_eq!((ran.status, &*ran.out), (1, ""), "{args:?}");
        }
        assert_eq!(m.run(&["dnsdomainname"]).status, 1);
        assert_eq!(m.run(&["hostname", "-s"]).out, "localhost\n");
        m.put("/etc/hosts", "# h\n::1 a.b.c localhost d # e\n", 0o644);
        assert_eq!(m.run(&["hostname", "--fqdn"]).out, "a.b.c\n");
        assert_eq!(m.run(&["hostname", "-d"]).out, "b.c\n");
        assert_eq!(m.run(&["dnsdomainname"]).out, "b.c\n");
        assert_eq!(m.run(&["hostname", "-a"]).out, "localhost d\n");
        m.put("/etc/hosts", "127.0.0.1 localhost\n", 0o644);
        assert_eq!(m.run(&["hostname", "-f"]).out, "localhost\n");
        assert_eq!(m.run(&["hostname", "-d"]).out, "");
    }

    #[test]
    fn the_paper_is_what_the_system_chose() {
        let mut machine = machine();
        machine.put("/usr/bin/paperconf", "\u{7f}ELF", 0o755);
        assert!(machine.run_with(&["paperconf"], "").is_err());
        machine.put("/etc/papersize", "# paper\n\na4\n", 0o644);
        assert_eq!(machine.run(&["paperconf"]).out, "a4\n");
    }
}
