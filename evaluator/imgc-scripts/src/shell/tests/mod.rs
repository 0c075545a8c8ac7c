//! Runs scripts, and compares with what real shells made of them; and what hostile
//! scripts come to.

use std::rc::Rc;

use bstr::BString;

use crate::process::Process;
use crate::streams::Fd;
use crate::testing::{Ran, machine};
use crate::{Call, Machine, Stop, Why};

const DASH: &str = include_str!("dash.txt");
const BASH: &str = include_str!("bash.txt");

/// Runs `text` as a script of `shell`, in the empty folder `/w`.
fn run(machine: &mut Machine<'_>, shell: &str, text: &str) -> Result<Ran, Stop> {
    machine.put("/o/t.sh", &format!("#!/bin/{shell}\n{text}"), 0o755);
    machine.put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", 0o644);
    machine.files.mkdir_all(b"/w", 0o755).expect("a folder");
    let (one, out) = Fd::output();
    let (two, err) = Fd::output();
    machine.spend_anew();
    let env = [
        ("PATH", crate::machine::PATH),
        ("HOME", "/root"),
        ("LC_ALL", "C.UTF-8"),
    ];
    let status = Process {
        machine,
        args: [shell, "/o/t.sh"].map(BString::from).into(),
        env: Rc::new(env.map(|(name, value)| (name.into(), value.into())).into()),
        cwd: "/w".into(),
        umask: 0o022,
        fds: [(0, Fd::Null), (1, one), (2, two)].into(),
    }
    .start()?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ran {
        status: status.0,
        out: text(out.take()),
        err: text(err.take()),
    })
}

/// Runs all scripts of a list.
fn compare(shell: &str, cases: &str) {
    let mut wrong = String::new();
    let mut count = 0;
    for case in cases.split("### script\n").skip(1) {
        let (script, expected) = case.split_once("--- ").expect("a result");
        let (head, out) = expected.split_once('\n').expect("a line");
        let (status, out) = match head.strip_suffix(" unended") {
            Some(status) => (status, out.strip_suffix('\n').expect("a newline")),
            None => (head, out),
        };
        let ran = run(&mut machine(), shell, script);
        let fine = ran
            .as_ref()
            .is_ok_and(|ran| ran.status.to_string() == status && ran.out == out);
        if !fine {
            wrong += &format!("{script}expected {status}:\n{out}got {ran:#?}\n\n");
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 40, "only {count} scripts");
}

#[test]
fn does_as_dash() {
    compare("dash", DASH);
}

#[test]
fn does_as_bash() {
    compare("bash", BASH);
}

/// What ends `text`, run as a script of dash.
fn stops(text: &str) -> Why {
    let mut machine = machine();
    match run(&mut machine, "dash", text) {
        Ok(ran) => panic!("{text:.60} did not stop: {ran:?}"),
        Err(stop) => stop.why,
    }
}

/// `inner` within `count` groups and conditions.
fn nest(count: usize, inner: &str) -> String {
    let (open, close) = ("{ if true; then ".repeat(count), "; fi; }".repeat(count));
    format!("{open}{inner}{close}")
}

#[test]
fn depth_is_bounded() {
    let within = [
        "f() { f; }; f".to_owned(),
        "f() { x=$(f); }; f".to_owned(),
        "f() { echo \"a ${x:-\"$(f)\"}\"; }; f".to_owned(),
        "f() { : | f; }; f".to_owned(),
        "f() { eval f; }; f".to_owned(),
        "f() { f | f & }; f".to_owned(),
        "f() { (trap f EXIT; exit 1); }; f".to_owned(),
        "echo '. /w/l' > l; . ./l".to_owned(),
        "echo 'x=$(sh /w/l)' > l; . ./l".to_owned(),
        "echo 'env sh /w/l' > l; . ./l".to_owned(),
        "echo 'echo /w/l | xargs sh' > l; . ./l".to_owned(),
        "echo 'find /w/l -exec sh {} \\;' > l; . ./l".to_owned(),
        "echo 'awk \"BEGIN { system(\\\"sh /w/l\\\") }\"' > l; . ./l".to_owned(),
        format!("{} true", "env ".repeat(5000)),
        format!("f() {{ {}; }}; f", nest(20, "f")),
        format!("f() {{ {}; }}; f", nest(4, "x=$(f)")),
        format!("f() {{ eval '{}'; }}; f", nest(10, "f")),
        format!("echo $(({}1))", "-".repeat(5000)),
        format!("echo $(({}1))", "a=".repeat(5000)),
    ];
    for text in within {
        assert!(matches!(stops(&text), Why::Budget(_)), "{text:.60}");
    }
    for text in [
        "(",
        "$(",
        "echo ${x:-",
        "\"$(",
        "if ",
        "case x in x) ",
        "{ ",
    ] {
        let why = stops(&text.repeat(5000));
        assert!(matches!(why, Why::Unsupported(_)), "{text}: {why:?}");
    }
}

#[test]
fn work_is_bounded() {
    let doubles = "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done";
    let matches = "x=$(printf '%090000d' 0); x=$x$x$x; echo ${x##*0*0*0*0*1}";
    for text in ["while :; do :; done", doubles, matches] {
        let mut machine = machine();
        machine.setup.limits.file = 4 << 20;
        machine.setup.limits.script_steps = 300_000;
        let stop = run(&mut machine, "dash", text).expect_err("it goes on for ever");
        assert!(matches!(stop.why, Why::Budget(_)), "{text}: {stop}");
    }
}

/// The stop of a maintainer script.
fn place(machine: &mut Machine<'_>, text: &str) -> String {
    let call = Call {
        package: "demo:amd64",
        arch: "amd64",
        instances: 1,
        script: "postinst",
        bytes: text.as_bytes(),
        args: &["configure", ""],
    };
    machine.script(&call).expect_err("a stop").to_string()
}

#[test]
fn a_stop_says_where() {
    let mut machine = machine();
    machine.put(
        "/usr/bin/helper",
        "#!/bin/sh\n\nulimit -n >/dev/null\nkill -l\n",
        0o755,
    );
    machine.put("/lib.sh", "# one\nf() {\n  kill -l\n}\n", 0o644);
    let at = place(
        &mut machine,
        "#!/bin/sh\nset -e\nif true; then\n  kill -l || true\nfi\n",
    );
    assert_eq!(
        at,
        "demo:amd64: postinst, line 4: kill -l: kill -l is not known"
    );
    let at = place(&mut machine, "#!/bin/sh\n\n\nx=$(helper a)\n");
    assert_eq!(
        at,
        "demo:amd64: /usr/bin/helper, line 4: kill -l: kill -l is not known"
    );
    let at = place(&mut machine, "#!/bin/sh\n. /lib.sh\n\nf x\n");
    assert_eq!(
        at,
        "demo:amd64: /lib.sh, line 3: kill -l: kill -l is not known"
    );
    let at = place(&mut machine, "#!/bin/sh\n: > /x\neval 'kill -l'\n");
    assert_eq!(
        at,
        "demo:amd64: postinst, line 3: kill -l: kill -l is not known"
    );
    let at = place(&mut machine, "#!/usr/bin/env python3\n");
    assert!(at.contains("it is a script for python3"), "{at}");
}

#[test]
fn effects_have_the_line_of_the_script() {
    let mut machine = machine();
    machine.put("/usr/bin/helper", "#!/bin/sh\n\n\n\n\n\n: > /made\n", 0o755);
    let text = "#!/bin/sh -e\n\n: > /one\nhelper\nf() {\n  : > /two\n}\nf\n";
    let call = Call {
        package: "demo",
        arch: "all",
        instances: 1,
        script: "postinst",
        bytes: text.as_bytes(),
        args: &[],
    };
    let before = machine.effects().len();
    assert_eq!(machine.script(&call), Ok(0));
    let effects = machine.effects()[before..].iter();
    let lines: Vec<(String, usize)> = effects
        .map(|effect| (effect.path.to_string(), effect.line.line))
        .collect();
    let paths = ["/one", "/made", "/two"];
    for (path, line) in paths.into_iter().zip([3, 4, 6]) {
        let found = lines
            .iter()
            .find(|(other, _)| path.ends_with(other.trim_start_matches('/')));
        assert_eq!(
            found.map(|(_, line)| *line),
            Some(line),
            "{path}: {lines:?}"
        );
    }
}

#[test]
fn the_first_line_gives_options() {
    let mut machine = machine();
    let call = |bytes: &'static [u8]| Call {
        package: "demo",
        arch: "all",
        instances: 1,
        script: "preinst",
        bytes,
        args: &["install"],
    };
    assert_eq!(
        machine.script(&call(b"#!/bin/sh -e\nfalse\nexit 5\n")),
        Ok(1)
    );
    assert_eq!(machine.script(&call(b"#!/bin/sh\nfalse\nexit 5\n")), Ok(5));
    assert_eq!(
        machine.script(&call(b"#! /bin/bash -eu\necho $nope\nexit 5\n")),
        Ok(1)
    );
    assert_eq!(
        machine.script(&call(
            b"#!/bin/sh\n[ \"$0 $1\" = \"/var/lib/dpkg/tmp.ci/preinst install\" ]\n"
        )),
        Ok(0)
    );
}

#[test]
fn bytes_of_any_encoding_stay() {
    let mut machine = machine();
    let bytes = b"#!/bin/sh\n# \xe9\nx='\xe9\xff'\necho \"$x\" > /latin\ncase \xe9 in ?) echo one >> /latin;; esac\n";
    let call = Call {
        package: "demo",
        arch: "all",
        instances: 1,
        script: "postinst",
        bytes,
        args: &[],
    };
    assert_eq!(machine.script(&call), Ok(0));
    assert_eq!(
        **machine.files.read(b"/latin").expect("a file"),
        *b"\xe9\xff\none\n"
    );
}
