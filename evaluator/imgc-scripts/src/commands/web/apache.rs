//! a2enmod and its like, which make Apache's links and note who made them; a2query; and
//! the check of a configuration.

use bstr::{BString, ByteSlice as _};

use crate::commands::files::glob;
use crate::commands::files::names::relative;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

/// a2enmod and a2query of apache2 2.4 in bookworm and trixie.
const SWITCH: &[&str] = &[
    "67b626cf27f0d5bfec947b776f66214866a19b5d3dfcdf30ef895423e69b4f1a",
    "7fb47d96c1024037981fa9339618b06d1debeab3db9bd5afb4f971c5f0a65965",
];
const QUERY: &[&str] = &["eb9388ecb2d67bd2f7850527669273f8e360fba4d97aa6c05bd6f5aafa4ea317"];

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "a2enmod",
        origin: Origin::Helper(SWITCH),
        run: switch,
    },
    Native {
        name: "a2dismod",
        origin: Origin::Helper(SWITCH),
        run: switch,
    },
    Native {
        name: "a2ensite",
        origin: Origin::Helper(SWITCH),
        run: switch,
    },
    Native {
        name: "a2dissite",
        origin: Origin::Helper(SWITCH),
        run: switch,
    },
    Native {
        name: "a2enconf",
        origin: Origin::Helper(SWITCH),
        run: switch,
    },
    Native {
        name: "a2disconf",
        origin: Origin::Helper(SWITCH),
        run: switch,
    },
    Native {
        name: "a2query",
        origin: Origin::Helper(QUERY),
        run: query,
    },
    Native {
        name: "apache2",
        origin: Origin::Package,
        run: apache,
    },
];

/// Modules that are not switched off without `-f`.
const ESSENTIAL: [&str; 17] = [
    "alias",
    "auth_basic",
    "authn_file",
    "authz_host",
    "authz_user",
    "autoindex",
    "deflate",
    "dir",
    "env",
    "filter",
    "logio",
    "mime",
    "negotiation",
    "setenvif",
    "unixd",
    "version",
    "watchdog",
];
/// How deep modules may depend on each other.
const DEPTH: usize = 50;

/// What is switched, and how.
struct Switch {
    enable: bool,
    /// `module`, `site` or `conf`.
    kind: &'static str,
    suffix: &'static str,
    available: BString,
    enabled: BString,
    modules: BString,
    state: BString,
    quiet: bool,
    force: bool,
    maintainer: bool,
    purge: bool,
}

fn join(folder: &[u8], name: &[u8], suffix: &str) -> BString {
    [folder, b"/", name, suffix.as_bytes()].concat().into()
}

fn switch(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "qfmp",
        long: &[
            ("quiet", 'q'),
            ("force", 'f'),
            ("maintmode", 'm'),
            ("purge", 'p'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let called = base(&process.args[0]).to_vec();
    let (enable, object) = match (called.strip_prefix(b"a2en"), called.strip_prefix(b"a2dis")) {
        (Some(object), _) => (true, object),
        (None, Some(object)) => (false, object),
        (None, None) => return Err(Stop::unsupported("this name of a2enmod is not known")),
    };
    let (kind, folder, suffix) = match object {
        b"mod" => ("module", "mods", ".load"),
        b"site" => ("site", "sites", ".conf"),
        b"conf" => ("conf", "conf", ".conf"),
        _ => return Err(Stop::unsupported("another instance of Apache is not known")),
    };
    if process.env.keys().any(|name| name.starts_with(b"APACHE_")) {
        return Err(Stop::unsupported(
            "a2enmod with variables of Apache is not known",
        ));
    }
    if parsed.operands.is_empty() {
        return Err(Stop::unsupported("a2enmod asks, and nobody answers"));
    }
    let switch = Switch {
        enable,
        kind,
        suffix,
        available: format!("/etc/apache2/{folder}-available").into(),
        enabled: format!("/etc/apache2/{folder}-enabled").into(),
        modules: "/etc/apache2/mods-enabled".into(),
        state: format!("/var/lib/apache2/{kind}").into(),
        quiet: parsed.has("q"),
        force: parsed.has("f"),
        maintainer: parsed.has("m"),
        purge: parsed.has("p"),
    };
    let choices = if enable {
        &switch.available
    } else {
        &switch.enabled
    };
    let mut status = Status::OK;
    let mut wanted = Vec::new();
    for operand in &parsed.operands {
        let name = operand.strip_suffix(suffix.as_bytes()).unwrap_or(operand);
        let found: Vec<BString> = if name.iter().any(|b| b"*?[{~ ".contains(b)) {
            let names = process.machine.files.list(choices).unwrap_or_default();
            let names = names
                .iter()
                .filter_map(|name| name.strip_suffix(suffix.as_bytes()));
            names
                .filter(|other| glob::matches(name, other, false))
                .map(BString::from)
                .collect()
        } else {
            // Without a pattern, the name stands for itself, there or not.
            vec![name.into()]
        };
        if found.is_empty() {
            process.err(format!(
                "ERROR: No {kind} found matching {}!\n",
                name.as_bstr()
            ));
            status = Status::FAILED;
        }
        wanted.extend(found);
    }
    for name in wanted {
        if !one(process, &switch, &name, 0)? {
            status = Status::FAILED;
        }
    }
    Ok(status)
}

fn error(process: &mut Process<'_, '_>, message: &str) -> Result<bool, Stop> {
    process.err(format!("ERROR: {message}\n"));
    Ok(false)
}

fn say(process: &mut Process<'_, '_>, switch: &Switch, message: &str) {
    if !switch.quiet {
        process.out(format!("{message}\n"));
    }
}

/// How a link stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Link {
    Right,
    Missing,
    Wrong(String),
}

fn check(process: &mut Process<'_, '_>, target: &[u8], link: &[u8]) -> Link {
    let files = &mut process.machine.files;
    if !files.exists(link) {
        if files.lnode(link).is_some() {
            let _ = files.unlink(link);
        }
        return Link::Missing;
    }
    if files.read_link(link).is_err() {
        return Link::Wrong(format!(
            "{} is a real file, not touching it",
            link.as_bstr()
        ));
    }
    if files.find(link, true) != files.find(target, true) {
        let (link, target) = (link.as_bstr(), target.as_bstr());
        return Link::Wrong(format!(
            "{link} exists but does not point to {target}, not touching it"
        ));
    }
    Link::Right
}

/// The modules that a file names behind `# Depends:` or `# Conflicts:`, in the comments
/// that it begins with.
fn named(process: &mut Process<'_, '_>, file: &[u8], what: &str) -> Vec<BString> {
    let bytes = process.machine.files.read(file).unwrap_or_default();
    let head = format!("# {what}:");
    for line in bytes.lines() {
        if let Some(rest) = line.strip_prefix(head.as_bytes())
            && rest.first().is_some_and(u8::is_ascii_whitespace)
        {
            let words = rest.split(u8::is_ascii_whitespace);
            return words
                .filter(|word| !word.is_empty())
                .map(BString::from)
                .collect();
        }
        let line = line.trim_ascii();
        if !(line.is_empty() || line.starts_with(b"#")) {
            break;
        }
    }
    Vec::new()
}

/// Switches one on or off. Says whether that went well.
fn one(
    process: &mut Process<'_, '_>,
    switch: &Switch,
    name: &BString,
    depth: usize,
) -> Result<bool, Stop> {
    process.machine.spend(1)?;
    if depth > DEPTH {
        return Err(Stop::unsupported("Apache's modules depend on each other"));
    }
    let module = switch.kind == "module";
    let mut name = name.clone();
    if module && switch.enable && name == "cgi" && threaded(process, switch) {
        process.out("Your MPM seems to be threaded. Selecting cgid instead of cgi.\n");
        name = "cgid".into();
    }
    let conf_target = join(&switch.available, &name, ".conf");
    let conf_link = join(&switch.enabled, &name, ".conf");
    let has_conf = module && process.machine.files.exists(&conf_target);
    let target = join(&switch.available, &name, switch.suffix);
    let link = join(&switch.enabled, &name, switch.suffix);
    if !process.machine.files.exists(&target) {
        let files = &mut process.machine.files;
        let dangling = |files: &crate::Files<'_>, link: &[u8]| {
            files.lnode(link).is_some() && !files.exists(link)
        };
        if dangling(files, &link) && !switch.enable {
            let _ = files.unlink(&link);
            if dangling(files, &conf_link) {
                let _ = files.unlink(&conf_link);
            }
            return Ok(true);
        }
        if switch.purge {
            return mark(process, switch, &name).map(|_| true);
        }
        return error(process, &format!("{} {name} does not exist!", switch.kind));
    }
    if module && switch.enable {
        for needed in named(process, &target, "Depends") {
            say(
                process,
                switch,
                &format!("Considering dependency {needed} for {name}:"),
            );
            if !one(process, switch, &needed, depth + 1)? {
                return error(
                    process,
                    &format!("Could not enable dependency {needed} for {name}, aborting"),
                );
            }
        }
        let mut clash = false;
        for other in named(process, &target, "Conflicts") {
            say(
                process,
                switch,
                &format!("Considering conflict {other} for {name}:"),
            );
            let there = join(&switch.available, &other, switch.suffix);
            let own = join(&switch.enabled, &other, switch.suffix);
            if check(process, &there, &own) == Link::Right {
                error(
                    process,
                    &format!(
                        "Module {other} is enabled - cannot proceed due to conflicts. It needs to be disabled first!"
                    ),
                )?;
                clash = true;
            }
        }
        if clash {
            return Ok(false);
        }
    } else if module {
        let mut depending = Vec::new();
        for other in process
            .machine
            .files
            .list(&switch.enabled)
            .unwrap_or_default()
        {
            let Some(other_name) = other.strip_suffix(b".load") else {
                continue;
            };
            let file = join(&switch.enabled, &other, "");
            if named(process, &file, "Depends").contains(&name) {
                depending.push(BString::from(other_name));
            }
        }
        if !depending.is_empty() && !switch.force {
            return error(
                process,
                &format!(
                    "The following modules depend on {name} and need to be disabled first: {}",
                    bstr::join(" ", &depending).as_bstr()
                ),
            );
        }
        for other in depending {
            if !one(process, switch, &other, depth + 1)? {
                return Ok(false);
            }
        }
    } else if switch.enable {
        for needed in named(process, &target, "Depends") {
            if !process
                .machine
                .files
                .exists(&join(&switch.modules, &needed, ".load"))
            {
                process.err(format!(
                    "WARNING: Module {needed} is not enabled, but {name} depends on it, aborting\n"
                ));
                return Ok(false);
            }
        }
    }
    if module && name == "cache_disk" {
        return Err(Stop::unsupported("the module cache_disk starts a service"));
    }
    if switch.enable {
        let conf = has_conf.then_some((&conf_target, &conf_link));
        turn_on(process, switch, &name, (&target, &link), conf)
    } else {
        turn_off(
            process,
            switch,
            &name,
            &link,
            has_conf.then_some(&conf_link),
        )
    }
}

fn turn_on(
    process: &mut Process<'_, '_>,
    switch: &Switch,
    name: &BString,
    (target, link): (&BString, &BString),
    conf: Option<(&BString, &BString)>,
) -> Result<bool, Stop> {
    let state = check(process, target, link);
    if let Link::Wrong(why) = state {
        return error(
            process,
            &format!("{} {name} not properly enabled: {why}", switch.kind),
        );
    }
    if let Some((conf_target, conf_link)) = conf {
        match check(process, conf_target, conf_link) {
            Link::Right => {}
            Link::Missing => {
                if state == Link::Right {
                    process.out(format!("Enabling config file {name}.conf.\n"));
                }
                if !add(process, conf_target, conf_link)? {
                    return Ok(false);
                }
            }
            Link::Wrong(why) => {
                return error(
                    process,
                    &format!("Config file {name}.conf not properly enabled: {why}"),
                );
            }
        }
    }
    if state == Link::Right {
        say(
            process,
            switch,
            &format!("{} {name} already enabled", switch.kind),
        );
        return Ok(true);
    }
    process.out(format!("Enabling {} {name}.\n", switch.kind));
    Ok(add(process, target, link)? && mark(process, switch, name)?)
}

fn turn_off(
    process: &mut Process<'_, '_>,
    switch: &Switch,
    name: &BString,
    link: &BString,
    conf: Option<&BString>,
) -> Result<bool, Stop> {
    let there = process.machine.files.lnode(link).is_some();
    let conf = conf.filter(|conf| process.machine.files.exists(conf));
    if !there && conf.is_none() {
        say(
            process,
            switch,
            &format!("{} {name} already disabled", switch.kind),
        );
        if switch.purge {
            mark(process, switch, name)?;
        }
        return Ok(true);
    }
    if there && switch.kind == "module" && !switch.force {
        let essential = name.to_str().is_ok_and(|name| ESSENTIAL.contains(&name));
        if essential {
            return Err(Stop::unsupported(format!(
                "a2dismod {name} asks, and nobody answers"
            )));
        }
    }
    let links = if there { Some(link) } else { None };
    for link in links.into_iter().chain(conf) {
        let files = &mut process.machine.files;
        if files.read_link(link).is_ok() {
            let _ = files.unlink(link);
        } else {
            error(
                process,
                &format!("{link} is not a symbolic link, not deleting"),
            )?;
        }
    }
    if there {
        mark(process, switch, name)?;
        process.out(format!("{} {name} disabled.\n", switch.kind));
    }
    Ok(true)
}

/// Makes a relative link.
fn add(process: &mut Process<'_, '_>, target: &BString, link: &BString) -> Result<bool, Stop> {
    let folder = &link[..link.rfind_byte(b'/').unwrap_or(0)];
    let written = relative(target.as_bstr(), folder.as_bstr());
    match process.machine.files.symlink(&written, link) {
        Ok(()) => Ok(true),
        Err(cause) => error(process, &format!("Could not create {link}: {cause}")),
    }
}

/// Notes who switched it.
fn mark(process: &mut Process<'_, '_>, switch: &Switch, name: &BString) -> Result<bool, Stop> {
    let what = if switch.enable { "enabled" } else { "disabled" };
    let who = if switch.maintainer { "maint" } else { "admin" };
    let folder = join(&switch.state, format!("{what}_by_{who}").as_bytes(), "");
    let mode = 0o777 & !process.umask;
    let files = &mut process.machine.files;
    if files.mkdir_all(&folder, mode).is_err() {
        return error(
            process,
            &format!("Failed to create marker directory: '{folder}'"),
        );
    }
    for state in files.list(&switch.state).unwrap_or_default() {
        let old = join(&join(&switch.state, &state, ""), name, "");
        if files.stat(&old, false).is_ok_and(|stat| stat.kind == b'f') {
            let _ = files.unlink(&old);
        }
    }
    if switch.purge {
        return Ok(false);
    }
    let mode = 0o666 & !process.umask;
    let marker = join(&folder, name, "");
    match process.machine.files.create(&marker, mode) {
        Ok(_) => Ok(true),
        Err(_) => error(process, &format!("Failed to create marker '{marker}'!")),
    }
}

/// Whether the module that runs Apache has threads.
fn threaded(process: &Process<'_, '_>, switch: &Switch) -> bool {
    let has = |name: &str| {
        process
            .machine
            .files
            .exists(&join(&switch.enabled, name.as_bytes(), ".load"))
    };
    !has("mpm_prefork") && (has("mpm_worker") || has("mpm_event"))
}

/// The names of what is enabled in a folder.
fn enabled(process: &Process<'_, '_>, folder: &str, suffix: &[u8]) -> Vec<BString> {
    let path = format!("/etc/apache2/{folder}-enabled");
    let names = process
        .machine
        .files
        .list(path.as_bytes())
        .unwrap_or_default();
    names
        .iter()
        .filter_map(|name| name.strip_suffix(suffix))
        .map(BString::from)
        .collect()
}

fn query(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = process.args[1..].to_vec();
    // A question without a name, at the end, is for all.
    if args
        .last()
        .is_some_and(|arg| matches!(&arg[..], b"-m" | b"-s" | b"-c"))
    {
        args.push("".into());
    }
    let parsed = parse(
        &args,
        &Known {
            short: "m:s:c:havMdq",
            long: &[],
        },
    )?;
    if parsed.has("hv") {
        return Err(Stop::unsupported("this question of a2query is not known"));
    }
    let modules = enabled(process, "mods", b".load");
    let running: Vec<&[u8]> = modules
        .iter()
        .filter_map(|name| name.strip_prefix(b"mpm_"))
        .collect();
    let running: Vec<&[u8]> = running
        .into_iter()
        .filter(|name| matches!(*name, b"event" | b"worker" | b"prefork"))
        .collect();
    if running.len() > 1 {
        process.err("There is more than one MPM loaded. Do not proceed due to undefined results\n");
        return Ok(Status::FAILED);
    }
    let quiet = parsed.has("q");
    for (option, kind) in [('m', "module"), ('s', "site"), ('c', "conf")] {
        let Some(pattern) = parsed.value(option) else {
            continue;
        };
        let names = match option {
            'm' => modules.clone(),
            's' => enabled(process, "sites", b".conf"),
            _ => enabled(process, "conf", b".conf"),
        };
        let status = state(process, kind, pattern, &names, quiet);
        if status != Status::OK {
            return Ok(status);
        }
    }
    let answers = [
        ("a", BString::from("20120211")),
        (
            "M",
            running
                .first()
                .map_or_else(|| "invalid".into(), |name| BString::from(*name)),
        ),
        ("d", "/usr/lib/apache2/modules/".into()),
    ];
    for (option, answer) in answers {
        if parsed.has(option) && !quiet {
            process.out(format!("{answer}\n"));
        }
    }
    Ok(Status::OK)
}

/// Who switched something, as the marks say.
fn who(process: &Process<'_, '_>, kind: &str, what: &str, name: &[u8]) -> Option<&'static str> {
    let name = name.strip_suffix(b".conf").unwrap_or(name).as_bstr();
    ["maint", "admin"].into_iter().find(|who| {
        let path = format!("/var/lib/apache2/{kind}/{what}_by_{who}/{name}");
        process.machine.files.exists(path.as_bytes())
    })
}

fn words(who: Option<&str>) -> &'static str {
    match who {
        Some("admin") => "site administrator",
        Some(_) => "maintainer script",
        None => "unknown",
    }
}

fn state(
    process: &mut Process<'_, '_>,
    kind: &str,
    pattern: &BString,
    names: &[BString],
    quiet: bool,
) -> Status {
    let pattern = pattern.strip_prefix(b"mod").unwrap_or(pattern);
    let mut cut = pattern.to_vec();
    for suffix in [".conf", ".load"] {
        cut = cut.replacen(suffix, "", 1);
    }
    let pattern = cut;
    let mut found = false;
    for name in names
        .iter()
        .filter(|name| pattern.is_empty() || **name == pattern)
    {
        found = true;
        let by = words(who(process, kind, "enabled", name));
        if !quiet {
            process.out(format!("{name} (enabled by {by})\n"));
        }
    }
    if found {
        return Status::OK;
    }
    let by = who(process, kind, "disabled", &pattern);
    if !quiet {
        let reason = by.map(|by| format!(" (disabled by {})", words(Some(by))));
        let pattern = pattern.as_bstr();
        process.err(format!(
            "No {kind} matches {pattern}{}\n",
            reason.unwrap_or_default()
        ));
    }
    match by {
        None => Status::FAILED,
        Some("admin") => Status(32),
        Some(_) => Status(33),
    }
}

/// apache2 itself is asked whether its configuration is right, before a reload that never
/// happens.
fn apache(process: &mut Process<'_, '_>) -> Outcome {
    match process.args[1..]
        .iter()
        .map(|arg| &arg[..])
        .collect::<Vec<_>>()
        .as_slice()
    {
        [b"-t"] => {
            process.err("Syntax OK\n");
            Ok(Status::OK)
        }
        _ => Err(Stop::unsupported(
            "apache2 can only check its configuration",
        )),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn modules_are_switched_with_their_marks() {
        let mut machine = machine();
        for program in ["a2enmod", "a2dismod", "a2enconf", "a2query"] {
            machine.put(&format!("/usr/sbin/{program}"), "", 0o755);
        }
        machine.put(
            "/etc/apache2/mods-available/a.load",
            "# Depends: b\nLoadModule a\n",
            0o644,
        );
        machine.put(
            "/etc/apache2/mods-available/b.load",
            "LoadModule b\n",
            0o644,
        );
        machine.put("/etc/apache2/mods-available/b.conf", "", 0o644);
        machine.put(
            "/etc/apache2/mods-available/mpm_event.load",
            "# Conflicts: mpm_prefork\n",
            0o644,
        );
        machine.put(
            "/etc/apache2/mods-available/mpm_prefork.load",
            "# Conflicts: mpm_event\n",
            0o644,
        );
        machine.put("/etc/apache2/conf-available/c.conf", "", 0o644);
        machine
            .files
            .mkdir_all(b"/etc/apache2/mods-enabled", 0o755)
            .expect("a folder");
        machine
            .files
            .mkdir_all(b"/etc/apache2/conf-enabled", 0o755)
            .expect("a folder");
        assert_eq!(machine.run(&["a2enmod", "-m", "-q", "a"]).status, 0);
        assert_eq!(
            machine
                .run(&[
                    "find",
                    "/etc/apache2/mods-enabled",
                    "/var/lib/apache2",
                    "!",
                    "-type",
                    "d",
                    "-printf",
                    "%p %l\\n"
                ])
                .out,
            "/etc/apache2/mods-enabled/a.load ../mods-available/a.load\n\
             /etc/apache2/mods-enabled/b.conf ../mods-available/b.conf\n\
             /etc/apache2/mods-enabled/b.load ../mods-available/b.load\n\
             /var/lib/apache2/module/enabled_by_maint/a \n\
             /var/lib/apache2/module/enabled_by_maint/b \n"
        );
        assert_eq!(
            machine.run(&["a2query", "-m", "a"]).out,
            "a (enabled by maintainer script)\n"
        );
        assert_eq!(machine.run(&["a2dismod", "b"]).status, 1);
        assert_eq!(machine.run(&["a2dismod", "-m", "-f", "b"]).status, 0);
        assert_eq!(machine.run(&["a2query", "-q", "-m", "a"]).status, 33);
        assert_eq!(machine.run(&["a2enmod", "mpm_event"]).status, 0);
        assert_eq!(machine.run(&["a2enmod", "mpm_prefork"]).status, 1);
        assert_eq!(machine.run(&["a2query", "-M"]).out, "event\n");
        assert_eq!(machine.run(&["a2enconf", "c.conf"]).status, 0);
        assert_eq!(machine.run(&["a2query", "-c", "none"]).status, 1);
        assert_eq!(machine.run(&["a2enmod", "none"]).status, 1);
    }
}
