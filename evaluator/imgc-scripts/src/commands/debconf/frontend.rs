//! debconf's frontend: it loads a package's templates, runs its `config` script, and the
//! script itself, and answers both.
//!
//! Nothing is preconfigured: while a new system is made, apt's program for that is not
//! there yet when apt would run it.

use bstr::{BString, ByteSlice as _};

use super::database::{self, Database};
use super::session::{Reply, Session};
use crate::commands::{Native, Origin};
use crate::machine::Machine;
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;
use crate::streams::Fd;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "frontend",
    origin: Origin::Essential,
    run: frontend,
}];

/// What sourcing confmodule comes to where no frontend runs, which is so while
/// `DEBIAN_HAS_FRONTEND` is unset or empty: a frontend runs the script of `process` once
/// more from its beginning, with the arguments that it has now. The shell must exit with
/// the status that this gives.
pub(crate) fn enter(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.clone();
    start(process, args)
}

/// `/usr/share/debconf/frontend SCRIPT ARG…`.
fn frontend(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = process.args.split_off(1);
    if args.first().is_some_and(|arg| arg == "--") {
        args.remove(0);
    }
    start(process, args)
}

fn start(process: &mut Process<'_, '_>, args: Vec<BString>) -> Outcome {
    if process.machine.debconf.session.is_some() {
        process.complain("config.dat is locked by another process");
        return Ok(Status::FAILED);
    }
    let Some(script) = args.first().cloned() else {
        return Err(Stop::unsupported("debconf's frontend is given no script"));
    };
    let mail = process.machine.natives.contains_key("mail")
        || ["/usr/bin/mail", "/bin/mail"]
            .iter()
            .any(|path| process.is_executable(path.as_bytes()));
    database::load(process.machine);
    let of = Paths::of(process, &script);
    let mut session = Session::new(&of.package);
    session.mail = mail;
    if let Some(templates) = &of.templates {
        let read = process.machine.files.read(templates);
        let bytes = read.unwrap_or_default();
        process.machine.spend(bytes.len() as u64 / 64)?;
        if let Err(error) = process.machine.debconf.load_templates(&bytes, &of.package) {
            process.complain(error);
            return Ok(Status(255));
        }
    }
    process.machine.debconf.session = Some(session);
    if let Some(config) = of.config {
        let version = args.get(2).cloned().unwrap_or_default();
        let line = process.machine.files.line.clone();
        process.machine.files.line.script = "config".to_owned();
        let done = run(
            &mut process.child(vec![config, "configure".into(), version]),
            None,
        );
        process.machine.files.line = line;
        finish(process.machine);
        let mut session = Session::new(&of.package);
        session.mail = mail;
        process.machine.debconf.session = Some(session);
        match done {
            Ok(Status::OK) => {}
            other => {
                process.machine.debconf.session = None;
                return other;
            }
        }
    }
    let current = process.machine.current.clone();
    let bytes = current
        .filter(|(path, _)| *path == script)
        .map(|(_, bytes)| bytes);
    let done = run(&mut process.child(args), bytes.as_deref());
    finish(process.machine);
    database::save(process.machine);
    done
}

fn finish(machine: &mut Machine<'_>) {
    if let Some(session) = machine.debconf.session.take() {
        session.finish(&mut machine.debconf);
    }
}

/// Runs a script that talks to the frontend: of these bytes, else from the tree.
fn run(process: &mut Process<'_, '_>, bytes: Option<&[u8]>) -> Outcome {
    for name in ["DEBIAN_HAS_FRONTEND", "PERL_DL_NONLAZY"] {
        process.env_mut().insert(name.into(), "1".into());
    }
    let (out, said) = Fd::output();
    process.fds.insert(0, Fd::Null);
    process.fds.insert(1, out);
    let done = match bytes {
        Some(bytes) => process.interpret(bytes),
        None => process.start(),
    }?;
    // What a script writes to its first output goes to the frontend.
    for line in said.take().lines() {
        let word = line
            .split(u8::is_ascii_whitespace)
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if COMMANDS.contains(&word.to_str_lossy().as_ref()) {
            let line = line.as_bstr();
            return Err(Stop::unsupported(format!(
                "it writes `{line}` to debconf itself"
            )));
        }
    }
    Ok(done)
}

const COMMANDS: &[&str] = &[
    "capb",
    "clear",
    "data",
    "fget",
    "fset",
    "get",
    "go",
    "input",
    "metaget",
    "purge",
    "register",
    "reset",
    "set",
    "subst",
    "unregister",
    "version",
    "x_loadtemplatefile",
];

/// Sends lines to the frontend. The answers are in the session.
pub(super) fn say(
    process: &mut Process<'_, '_>,
    session: &mut Session,
    lines: &[u8],
) -> Result<(), Stop> {
    for line in lines.split(|&b| b == b'\n') {
        process.machine.spend(1 + line.len() as u64 / 64)?;
        if session.stopped {
            return Err(Stop::unsupported("debconf is used after db_stop"));
        }
        let database: &mut Database = &mut process.machine.debconf;
        let reply = session.line(database, line).map_err(Stop::unsupported)?;
        match reply {
            Reply::Say(answer) => session.answers.push_back(answer),
            Reply::Stop => session.stopped = true,
            Reply::Load(file, owner) => {
                let path = process.path(&file);
                let answer = match process.machine.files.read(&path) {
                    Err(error) => format!("10 failed to open {file}: {error}"),
                    Ok(bytes) => {
                        let loaded = process.machine.debconf.load_templates(&bytes, &owner);
                        loaded.map_or_else(|error| format!("100 {error}\\n"), |()| "0".to_owned())
                    }
                };
                session.answers.push_back(answer.into());
            }
        }
    }
    Ok(())
}

/// What the frontend finds for a script.
struct Paths {
    package: BString,
    templates: Option<BString>,
    config: Option<BString>,
}

impl Paths {
    fn of(process: &Process<'_, '_>, script: &BString) -> Self {
        let files = &process.machine.files;
        let name = base(script);
        let names: [&[u8]; 4] = [b"postinst", b"postrm", b"prerm", b"preinst"];
        let kind = names.into_iter().find(|kind| {
            name.strip_suffix(*kind)
                .is_some_and(|start| start.is_empty() || start.ends_with(b"."))
        });
        let stem = kind.map(|kind| &script[..script.len() - kind.len()]);
        let dotted = stem.is_some_and(|stem| stem.ends_with(b"."));
        let package: BString = match process.env.get(b"DEBCONF_PACKAGE".as_bstr()) {
            Some(package) if !package.is_empty() => package.clone(),
            _ if dotted && kind != Some(b"preinst") => {
                let stem = stem.map_or(&b""[..], base);
                stem.strip_suffix(b".").unwrap_or(stem).into()
            }
            // dpkg's folder of the package that is being unpacked says its bare name.
            _ => {
                let package = files.line.package.split(':').next();
                package.unwrap_or_default().into()
            }
        };
        let info = format!("/var/lib/dpkg/info/{}.", files.line.package);
        let beside = |what: &str, stem: &[u8]| {
            let path = BString::from([stem, what.as_bytes()].concat());
            // The control files of a package that is being unpacked may be with the others.
            let other = BString::from(format!("{info}{what}"));
            let found = [path, other].into_iter().find(|path| files.is_file(path));
            found.filter(|_| kind.is_some())
        };
        let stem = stem.unwrap_or_default();
        let configures = matches!(kind, Some(b"postinst" | b"preinst"));
        Self {
            templates: beside("templates", stem),
            config: beside("config", stem).filter(|_| configures),
            package,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Call;
    use crate::testing::machine;

    #[test]
    fn runs_config_before_the_script() {
        let mut machine = machine();
        let info = "/var/lib/dpkg/info/foo";
        let templates = "Template: foo/a\nType: boolean\nDefault: true\nDescription: A\n";
        machine.put(&format!("{info}.templates"), templates, 0o644);
        machine.put("/usr/share/debconf/confmodule", "", 0o644);
        let config = "#!/bin/sh\n. /usr/share/debconf/confmodule\necho config >>/log\n\
            db_input high foo/a || true\ndb_go\n";
        machine.put(&format!("{info}.config"), config, 0o755);
        let script = b"#!/bin/sh\necho start >>/log\n. /usr/share/debconf/confmodule\n\
            db_get foo/a\ndb_stop\necho \"$RET $1\" >>/log\n";
        let status = machine.script(&Call {
            package: "foo",
            arch: "all",
            instances: 1,
            script: "postinst",
            bytes: script,
            args: &["configure", ""],
        });
        assert_eq!(status, Ok(0));
        assert_eq!(
            machine.text("/log"),
            "start\nconfig\nstart\ntrue configure\n"
        );
        let config = "Name: foo/a\nTemplate: foo/a\nValue: true\nOwners: foo\nFlags: seen\n\n";
        assert_eq!(machine.text("/var/cache/debconf/config.dat"), config);
    }
}
