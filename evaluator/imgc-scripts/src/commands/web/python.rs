//! The compilers of Python modules. What they make are caches, in folders that an image
//! does not have; nothing else of Python is known.

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
}
