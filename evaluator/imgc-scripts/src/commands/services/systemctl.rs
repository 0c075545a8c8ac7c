//! systemctl(1), where no systemd runs: it changes links, and starts nothing.

use bstr::{BString, ByteSlice as _};

use super::enable;
use super::units::{self, Scope};
use crate::commands::accounts::options::{self, Given, Known, Takes};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "systemctl",
    origin: Origin::Package,
    run: systemctl,
}];

const OPTIONS: &[Known] = &[
    (b'a', "all", Takes::Nothing),
    (b'f', "force", Takes::Nothing),
    (b'l', "full", Takes::Nothing),
    (b'n', "lines", Takes::Value),
    (b'o', "output", Takes::Value),
    (b'p', "property", Takes::Value),
    (b'q', "quiet", Takes::Nothing),
    (b't', "type", Takes::Value),
    (b's', "signal", Takes::Value),
    (0, "global", Takes::Nothing),
    (0, "job-mode", Takes::Value),
    (0, "kill-who", Takes::Value),
    (0, "kill-whom", Takes::Value),
    (0, "no-ask-password", Takes::Nothing),
    (0, "no-block", Takes::Nothing),
    (0, "no-legend", Takes::Nothing),
    (0, "no-pager", Takes::Nothing),
    (0, "no-reload", Takes::Nothing),
    (0, "no-warn", Takes::Nothing),
    (0, "no-wall", Takes::Nothing),
    (0, "now", Takes::Nothing),
    (0, "plain", Takes::Nothing),
    (0, "preset-mode", Takes::Value),
    (0, "root", Takes::Value),
    (0, "runtime", Takes::Nothing),
    (0, "state", Takes::Value),
    (0, "system", Takes::Nothing),
    (0, "user", Takes::Nothing),
    (0, "value", Takes::Nothing),
    (0, "version", Takes::Nothing),
    (0, "wait", Takes::Nothing),
];

fn systemctl(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    if given.has("version") {
        let version = units::version(process.machine);
        process.out(format!("systemd {version} ({version})\n"));
        return Ok(Status::OK);
    }
    if given
        .value("root")
        .is_some_and(|root| !matches!(root.as_slice(), b"/" | b""))
    {
        return Err(Stop::unsupported("only --root=/ is known"));
    }
    if given.has("runtime") {
        return Err(Stop::unsupported("--runtime is not known"));
    }
    // Without a verb it lists what runs.
    let list = [BString::from("list-units")];
    let rest = if given.rest.is_empty() {
        &list[..]
    } else {
        &given.rest
    };
    let (verb, names) = rest.split_first().expect("one at least");
    match verb.to_str_lossy().as_ref() {
        // What needs a running systemd is left out, as in any chroot.
        "daemon-reload"
        | "daemon-reexec"
        | "start"
        | "stop"
        | "restart"
        | "reload"
        | "try-restart"
        | "condrestart"
        | "force-reload"
        | "reload-or-restart"
        | "try-reload-or-restart"
        | "reload-or-try-restart"
        | "condstop"
        | "condreload"
        | "kill"
        | "reset-failed"
        | "isolate"
        | "set-environment"
        | "unset-environment"
        | "import-environment"
        | "set-property"
        | "clean"
        | "freeze"
        | "thaw" => {
            process.complain(format_args!("no systemd runs here: {verb} is left out"));
            Ok(Status::OK)
        }
        "is-active" | "is-failed" | "status" | "show" | "list-units" | "list-timers"
        | "list-sockets" | "list-jobs" | "list-dependencies" | "cat" | "show-environment"
        | "help" => {
            process.complain("no systemd runs here");
            Ok(Status(1))
        }
        "is-system-running" => {
            if !given.has("quiet") {
                process.out("offline\n");
            }
            Ok(Status(1))
        }
        "enable" | "disable" | "reenable" | "preset" | "mask" | "unmask" | "is-enabled" => {
            let names = mangled(names)?;
            units_verb(process, &given, &verb.to_str_lossy(), names)
        }
        "set-default" => set_default(process, names),
        "get-default" => {
            let mut target = None;
            for folder in ["/etc/systemd/system", "/usr/lib/systemd/system"] {
                let path = format!("{folder}/default.target");
                let link = process.machine.files.read_link(path.as_bytes()).ok();
                target = target.or(link);
            }
            let Some(target) = target else {
                return Ok(Status(1));
            };
            let last = target.rsplit_str("/").next().unwrap_or_default().as_bstr();
            process.out(format!("{last}\n"));
            Ok(Status::OK)
        }
        other => Err(Stop::unsupported(format!("the verb {other} is not known"))),
    }
}

/// Names with a suffix.
fn mangled(names: &[BString]) -> Result<Vec<BString>, Stop> {
    let mut mangled = Vec::new();
    for name in names {
        if name.find_byteset(b"*?[/").is_some() {
            return Err(Stop::unsupported(format!(
                "{name} is no plain name of a unit"
            )));
        }
        let suffixes = [
            ".service",
            ".socket",
            ".target",
            ".device",
            ".mount",
            ".automount",
            ".swap",
            ".timer",
            ".path",
            ".slice",
            ".scope",
        ];
        let mut name = name.clone();
        if !suffixes.iter().any(|suffix| name.ends_with_str(suffix)) {
            name.extend_from_slice(b".service");
        }
        mangled.push(name);
    }
    Ok(mangled)
}

fn units_verb(
    process: &mut Process<'_, '_>,
    given: &Given,
    verb: &str,
    mut names: Vec<BString>,
) -> Outcome {
    if names.is_empty() {
        process.complain("Too few arguments.");
        return Ok(Status(1));
    }
    let user = given.has("user") || given.has("global");
    let scope = Scope::new(process.machine, user);
    let force = given.has("force");
    let mut status = Status::OK;
    if !user && matches!(verb, "enable" | "disable" | "is-enabled") {
        match sysv(process, given, &scope, verb, &mut names)? {
            Some(done) if names.is_empty() || done != Status::OK => return Ok(done),
            _ => {}
        }
    }
    let done = match verb {
        "is-enabled" => return is_enabled(process, given, &scope, &names),
        "enable" => enable::enable(process, &scope, &names, force)?,
        "disable" => {
            enable::disable(process.machine, &scope, &names)?;
            Ok(())
        }
        "reenable" => {
            enable::disable(process.machine, &scope, &names)?;
            enable::enable(process, &scope, &names, force)?
        }
        "preset" => preset(process, given, &scope, &names)?,
        "mask" => enable::mask(process, &scope, &names, force)?,
        _ => {
            enable::unmask(process.machine, &scope, &names);
            Ok(())
        }
    };
    if let Err(refused) = done {
        process.complain(format_args!("Failed to {verb} unit: {refused}"));
        return Ok(Status(1));
    }
    if given.has("now") && matches!(verb, "enable" | "disable" | "mask" | "reenable") {
        process.complain("--now needs a running systemd");
        status = Status(1);
    }
    Ok(status)
}

fn preset(
    process: &mut Process<'_, '_>,
    given: &Given,
    scope: &Scope,
    names: &[BString],
) -> Result<Result<(), String>, Stop> {
    let mode = given
        .value("preset-mode")
        .map_or("full".into(), |mode| mode.to_str_lossy());
    if !matches!(&*mode, "full" | "enable-only" | "disable-only") {
        return Err(Stop::unsupported(format!("the mode {mode} is not known")));
    }
    let (mut plus, mut minus) = (Vec::new(), Vec::new());
    for name in names {
        match units::find(process.machine, scope, name)? {
            units::Found::Nothing => return Ok(Err(format!("Unit {name} does not exist"))),
            // An alias is left to the unit that it names.
            units::Found::Unit(unit) if unit.name != *name => continue,
            units::Found::Masked | units::Found::Unit(_) => {}
        }
        let list = if units::is_preset(process.machine, scope, name)? {
            &mut plus
        } else {
            &mut minus
        };
        list.push(name.clone());
    }
    if mode != "enable-only" && !minus.is_empty() {
        enable::disable(process.machine, scope, &minus)?;
    }
    if mode == "disable-only" || plus.is_empty() {
        return Ok(Ok(()));
    }
    // Existing links are replaced.
    enable::enable(process, scope, &plus, given.has("force"))
}

fn is_enabled(
    process: &mut Process<'_, '_>,
    given: &Given,
    scope: &Scope,
    names: &[BString],
) -> Outcome {
    let old = units::version(process.machine) < 254;
    let mut enabled = false;
    let mut missing = true;
    for name in names {
        let state = enable::state(process.machine, scope, name)?;
        missing &= state.is_none();
        let Some(state) = state else {
            if old {
                let why = format_args!("Failed to get unit file state for {name}");
                process.complain(why);
                return Ok(Status(1));
            }
            if !given.has("quiet") {
                process.out("not-found\n");
            }
            continue;
        };
        enabled |= matches!(state, "enabled" | "static" | "indirect" | "alias");
        if !given.has("quiet") {
            process.out(format!("{state}\n"));
        }
    }
    Ok(match (enabled, missing) {
        (true, _) => Status::OK,
        (false, true) => Status(4),
        (false, false) => Status(1),
    })
}

/// Services that have a script in `/etc/init.d`: update-rc.d changes their links, as
/// systemd's `systemd-sysv-install` calls it. Those without a unit are done then.
fn sysv(
    process: &mut Process<'_, '_>,
    given: &Given,
    scope: &Scope,
    verb: &str,
    names: &mut Vec<BString>,
) -> Result<Option<Status>, Stop> {
    let skip = process.env.get(bstr::BStr::new("SYSTEMCTL_SKIP_SYSV"));
    let helper = process.is_executable(b"/usr/lib/systemd/systemd-sysv-install");
    if !helper || skip.is_some_and(|value| value == "1") {
        return Ok(None);
    }
    let mut done = None;
    for name in names.clone() {
        let Some(stem) = name.strip_suffix(b".service") else {
            continue;
        };
        let native = units::find(process.machine, scope, &name)? != units::Found::Nothing;
        let script = units::join("/etc/init.d", stem);
        if native && verb == "is-enabled" || !process.machine.files.exists(&script) {
            continue;
        }
        let status = sysv_links(process, verb, stem)?;
        if verb == "is-enabled" && !given.has("quiet") {
            process.out(if status == Status::OK {
                "enabled\n"
            } else {
                "disabled\n"
            });
        }
        if status != Status::OK {
            return Ok(Some(status));
        }
        if !native {
            done = Some(status);
            names.retain(|other| *other != name);
        }
    }
    Ok(done)
}

fn sysv_links(process: &mut Process<'_, '_>, verb: &str, name: &[u8]) -> Outcome {
    if verb == "is-enabled" {
        let on = ["/etc/rcS.d", "/etc/rc5.d"].iter().any(|folder| {
            let names = process
                .machine
                .files
                .list(folder.as_bytes())
                .unwrap_or_default();
            names.iter().any(|link| {
                link.len() == name.len() + 3 && link.starts_with(b"S") && link.ends_with(name)
            })
        });
        return Ok(Status(if on { 0 } else { 1 }));
    }
    for action in ["defaults", verb] {
        let call = vec!["/usr/sbin/update-rc.d".into(), name.into(), action.into()];
        let mut child = process.child(call);
        child
            .env_mut()
            .insert("_SKIP_SYSTEMD_NATIVE".into(), "1".into());
        let status = child.start()?;
        if status != Status::OK {
            return Ok(status);
        }
    }
    Ok(Status::OK)
}

fn set_default(process: &mut Process<'_, '_>, names: &[BString]) -> Outcome {
    let scope = Scope::new(process.machine, false);
    let names = mangled(names)?;
    let [name] = names.as_slice() else {
        return Ok(Status(1));
    };
    let units::Found::Unit(unit) = units::find(process.machine, &scope, name)? else {
        process.complain(format_args!(
            "Failed to set default target: Unit {name} does not exist"
        ));
        return Ok(Status(1));
    };
    let link = b"/etc/systemd/system/default.target";
    let files = &mut process.machine.files;
    let _ = files.unlink(link);
    let made = files.symlink(&unit.path, link);
    made.map_err(|error| Stop::unsupported(error.to_string()))?;
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::Machine;
    use crate::testing::machine;

    fn prepared() -> Machine<'static> {
        let mut m = machine();
        m.put("/usr/bin/systemctl", "\u{7f}ELF", 0o755);
        let folder = "/usr/lib/systemd/system";
        let unit = "[Install]\nWantedBy=m.target\nAlias=b.service\nAlso=c.socket\n";
        m.put(&format!("{folder}/a.service"), unit, 0o644);
        m.put(
            &format!("{folder}/c.socket"),
            "[Install]\nWantedBy=s.target\n",
            0o644,
        );
        m.put(&format!("{folder}/s.service"), "[Unit]\n", 0o644);
        m.put(
            &format!("{folder}/g@.service"),
            "[Install]\nWantedBy=g.target\nDefaultInstance=t\n",
            0o644,
        );
        m.put(
            &format!("{folder}-preset/90-x.preset"),
            "disable s*\ndisable c.*\n",
            0o644,
        );
        m
    }

    #[test]
    fn links_come_and_go() {
        let mut m = prepared();
        assert_eq!(m.run(&["systemctl", "is-enabled", "a"]).out, "disabled\n");
        assert_eq!(m.run(&["systemctl", "--root=/", "enable", "a"]).status, 0);
        for (link, unit) in [
            ("m.target.wants/a.service", "a.service"),
            ("b.service", "a.service"),
            ("s.target.wants/c.socket", "c.socket"),
        ] {
            let target = m
                .files
                .read_link(format!("/etc/systemd/system/{link}").as_bytes());
            assert_eq!(
                target.unwrap(),
                format!("/usr/lib/systemd/system/{unit}").as_str()
            );
        }
        for (name, state, status) in [
            ("a", "enabled\n", 0),
            ("b", "alias\n", 0),
            ("s.service", "static\n", 0),
            ("n", "not-found\n", 4),
        ] {
            let ran = m.run(&["systemctl", "is-enabled", name]);
            assert_eq!((&*ran.out, ran.status), (state, status), "{name}");
        }
        assert_eq!(m.run(&["systemctl", "disable", "a"]).status, 0);
        assert!(m.files.list(b"/etc/systemd/system").unwrap().is_empty());
        assert_eq!(m.run(&["systemctl", "enable", "n"]).status, 1);
    }

    #[test]
    fn presets_and_masks() {
        let mut m = prepared();
        let args = [
            "systemctl",
            "--root=/",
            "--system",
            "--preset-mode=enable-only",
            "preset",
        ];
        let preset = |m: &mut Machine<'_>, name| m.run(&[&args[..], &[name]].concat()).status;
        assert_eq!(preset(&mut m, "c.socket"), 0);
        assert!(!m.files.exists(b"/etc/systemd/system"));
        assert_eq!(preset(&mut m, "g@.service"), 0);
        assert!(
            m.files
                .lnode(b"/etc/systemd/system/g.target.wants/g@t.service")
                .is_some()
        );
        assert_eq!(
            m.run(&["systemctl", "is-enabled", "g@t.service"]).out,
            "enabled\n"
        );
        assert_eq!(m.run(&["systemctl", "mask", "s"]).status, 0);
        assert_eq!(m.run(&["systemctl", "is-enabled", "s"]).out, "masked\n");
        assert_eq!(m.run(&["systemctl", "enable", "s"]).status, 1);
        assert_eq!(m.run(&["systemctl", "unmask", "s"]).status, 0);
        assert_eq!(m.run(&["systemctl", "is-enabled", "s"]).out, "static\n");
    }

    #[test]
    fn nothing_runs() {
        let mut m = prepared();
        assert_eq!(m.run(&["systemctl", "--system", "daemon-reload"]).status, 0);
        assert_eq!(m.run(&["systemctl", "is-active", "--quiet", "a"]).status, 1);
        assert_eq!(m.run(&["systemctl"]).status, 1);
        assert_eq!(m.run(&["systemctl", "is-system-running"]).out, "offline\n");
        m.run_with(&["systemctl", "edit", "a"], "").unwrap_err();
    }
}
