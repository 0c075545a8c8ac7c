//! The compilers of Python modules. What they make are caches, in folders that an image
//! does not have; nothing else of Python is known.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::{Stop, Why};

/// py3compile and py3clean of python3 3.11 (bookworm) and 3.13 (trixie).
const COMPILE: &[&str] = &[
    "87beb3c2767a0df477deb7f5736bed2f2b60083729fc8509be531216805a754e",
    "c0396d2c99f502eaa0c16e86208e424ca8d41228d2d2fb0c0675b9845020728a",
];
const CLEAN: &[&str] = &[
    "918f4dc101a584876714778b4bf311740c2ba75eb21dc95b6c36261a8803bc81",
    "adf8b1c11580dd87d13a351a42354ce024028c67172ca894378af319d6e59b68",
];

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "py3compile",
        origin: Origin::Helper(COMPILE),
        run: nothing,
    },
    Native {
        name: "py3clean",
        origin: Origin::Helper(CLEAN),
        run: nothing,
    },
    Native {
        name: "pypy3compile",
        origin: Origin::Package,
        run: nothing,
    },
    Native {
        name: "pypy3clean",
        origin: Origin::Package,
        run: nothing,
    },
    Native {
        name: "py3versions",
        origin: Origin::Helper(&[
            "8b0eef6d34bd68477d81d89d8e6bf91d6a991cb5034351d564731aa013b6e7e7",
        ]),
        run: versions,
    },
    Native {
        name: "python3",
        origin: Origin::Package,
        run: python,
    },
    Native {
        name: "python3.9",
        origin: Origin::Package,
        run: python,
    },
    Native {
        name: "python3.10",
        origin: Origin::Package,
        run: python,
    },
    Native {
        name: "python3.11",
        origin: Origin::Package,
        run: python,
    },
    Native {
        name: "python3.12",
        origin: Origin::Package,
        run: python,
    },
    Native {
        name: "python3.13",
        origin: Origin::Package,
        run: python,
    },
    Native {
        name: "python3.14",
        origin: Origin::Package,
        run: python,
    },
];

fn nothing(_process: &mut Process<'_, '_>) -> Outcome {
    Ok(Status::OK)
}

/// py3versions: the versions of Python that Debian's defaults name, or those of them that
/// are there.
fn versions(process: &mut Process<'_, '_>) -> Outcome {
    const DEFAULTS: &[u8] = b"/usr/share/python3/debian_defaults";
    let (mut what, mut short) = (None, false);
    for arg in &process.args[1..] {
        match &arg[..] {
            b"-v" | b"--version" => short = true,
            b"-d" | b"--default" => what = Some('d'),
            b"-s" | b"--supported" => what = Some('s'),
            b"-i" | b"--installed" => what = Some('i'),
            letters if letters.starts_with(b"-") && letters.len() == 3 => {
                short |= letters[1..].contains(&b'v');
                what = letters[1..].iter().map(|&b| b.into()).find(|&c| c != 'v');
            }
            _ => {
                return Err(Stop::unsupported(format!(
                    "the argument {arg} is not known"
                )));
            }
        }
    }
    let bytes = process.machine.files.read(DEFAULTS).unwrap_or_default();
    let field = |name: &str| {
        let mut lines = bytes.lines();
        let value = lines.find_map(|line| {
            let value = line.strip_prefix(name.as_bytes())?.trim_ascii_start();
            Some(value.strip_prefix(b"=")?.trim_ascii())
        });
        value.map_or_else(Vec::new, |value| {
            let all = value.split(|&b| b == b',');
            all.map(|one| BString::from(one.trim_ascii())).collect()
        })
    };
    let default = field("default-version");
    let mut found = field("supported-versions");
    found.retain(|one| !default.contains(one));
    found.sort_unstable();
    found.extend(default.iter().cloned());
    match what {
        Some('d') => found = default,
        Some('s') => {}
        Some('i') => {
            found.retain(|one| {
                let path = [b"/usr/bin/", &one[..]].concat();
                process.machine.files.exists(&path)
            });
            found.sort_unstable();
        }
        _ => return Err(Stop::unsupported("this form of py3versions is not known")),
    }
    if short {
        for one in &mut found {
            *one = one.strip_prefix(b"python").unwrap_or(one).into();
        }
    }
    let mut text = bstr::join(" ", found);
    text.push(b'\n');
    process.out(text);
    Ok(Status::OK)
}

fn python(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = process.args[1..].iter();
    let mut program = None;
    while let Some(arg) = args.next() {
        match &arg[..] {
            // How Python is started makes no difference to a compiler.
            b"-E" | b"-S" | b"-O" | b"-OO" | b"-I" | b"-s" | b"-B" | b"-u" => {}
            b"-W" | b"-X" => {
                args.next();
            }
            b"-m" => {
                program = args.next();
                break;
            }
            _ => {
                program = Some(arg);
                break;
            }
        }
    }
    let Some(program) = program else {
        return Err(Stop::unsupported("Python without a program is not known"));
    };
    let name = base(program);
    match name.strip_suffix(b".py").unwrap_or(name) {
        b"py_compile" | b"compileall" => Ok(Status::OK),
        _ if program.contains(&b'/') => Err(Stop::new(Why::Interpreter("Python".to_owned()))),
        _ => Err(Stop::unsupported(format!(
            "the Python program {program} is not known"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn only_compilers_are_known() {
        let mut machine = machine();
        machine.put("/usr/bin/python3.13", "", 0o755);
        let ran = machine.run(&[
            "python3.13",
            "-E",
            "-S",
            "/usr/lib/python3.13/py_compile.py",
            "x.py",
        ]);
        assert_eq!(ran.status, 0);
        assert!(machine.run_with(&["python3.13", "-c", "pass"], "").is_err());
        assert!(machine.run_with(&["python3.13", "/x.py"], "").is_err());
    }

    #[test]
    fn versions_are_those_of_the_defaults() {
        let mut machine = machine();
        machine.put("/usr/bin/py3versions", "#!/usr/bin/python3\n", 0o755);
        machine.put("/usr/bin/python3.13", "", 0o755);
        let defaults = "[DEFAULT]\n# x\ndefault-version = python3.13\n\n\
            supported-versions = python3.13, python3.14\n";
        machine.put("/usr/share/python3/debian_defaults", defaults, 0o644);
        for (option, out) in [
            ("-i", "python3.13\n"),
            ("-s", "python3.14 python3.13\n"),
            ("-vs", "3.14 3.13\n"),
            ("-d", "python3.13\n"),
        ] {
            assert_eq!(machine.run(&["py3versions", option]).out, out, "{option}");
        }
        assert!(machine.run_with(&["py3versions", "-r"], "").is_err());
    }
}
