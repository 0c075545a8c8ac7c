//! The links that enable, disable, mask and ask for units, as systemctl makes them.

use bstr::{BString, ByteSlice as _};

use super::units::{self, Found, Scope, Unit};
use crate::machine::Machine;
use crate::process::Process;
use crate::stop::Stop;

/// Why something is not done: what systemctl says.
pub(super) type Refused = String;

/// Enables units and those that they name with `Also=`.
pub(super) fn enable(
    process: &mut Process<'_, '_>,
    scope: &Scope,
    names: &[BString],
    force: bool,
) -> Result<Result<(), Refused>, Stop> {
    let units = match closure(process.machine, scope, names)? {
        Ok(units) => units,
        Err(refused) => return Ok(Err(refused)),
    };
    for unit in units {
        let wanted = unit.has_links() && unit.alias.is_empty();
        if units::is_template(&unit.name) && unit.default_instance.is_none() && wanted {
            return Ok(Err(format!("Unit {} has no default instance", unit.name)));
        }
        for (link, target) in links(scope, &unit) {
            if let Err(refused) = link_to(process, &link, &target, force)? {
                return Ok(Err(refused));
            }
        }
    }
    Ok(Ok(()))
}

/// The units of these names, with those that they name with `Also=`.
fn closure(
    machine: &mut Machine<'_>,
    scope: &Scope,
    names: &[BString],
) -> Result<Result<Vec<Unit>, Refused>, Stop> {
    let mut todo: Vec<(BString, bool)> = names.iter().rev().map(|n| (n.clone(), true)).collect();
    let mut seen: Vec<BString> = Vec::new();
    let mut units: Vec<Unit> = Vec::new();
    while let Some((name, asked)) = todo.pop() {
        if seen.contains(&name) {
            continue;
        }
        seen.push(name.clone());
        match units::find(machine, scope, &name)? {
            Found::Nothing if asked => return Ok(Err(format!("Unit {name} does not exist"))),
            Found::Masked if asked => return Ok(Err(format!("Unit {name} is masked"))),
            Found::Nothing | Found::Masked => {}
            Found::Unit(unit) => {
                let also = unit.also.iter().rev().map(|name| (name.clone(), false));
                todo.extend(also);
                if !units.iter().any(|other| other.name == unit.name) {
                    units.push(unit);
                }
            }
        }
    }
    Ok(Ok(units))
}

/// The links that enabling a unit makes: where, and to what.
fn links(scope: &Scope, unit: &Unit) -> Vec<(BString, BString)> {
    let mut links = Vec::new();
    for alias in &unit.alias {
        let mut alias = alias.clone();
        if units::is_template(&unit.name)
            && let Some(instance) = &unit.default_instance
            && units::is_template(&alias)
        {
            alias = alias.replace("@.", format!("@{instance}.")).into();
        }
        if alias != unit.name {
            links.push((units::join(scope.etc, &alias), unit.path.clone()));
        }
    }
    let mut name = unit.name.clone();
    if units::is_template(&name) {
        match &unit.default_instance {
            Some(instance) => name = name.replace("@.", format!("@{instance}.")).into(),
            // A template without an instance can't be wanted.
            None => return links,
        }
    }
    for (suffix, targets) in [
        ("wants", &unit.wanted_by),
        ("requires", &unit.required_by),
        ("upholds", &unit.upheld_by),
    ] {
        for target in targets {
            let at = format!("{}/{target}.{suffix}/{name}", scope.etc).into();
            links.push((at, unit.path.clone()));
        }
    }
    links
}

/// Makes a link, with the folder above it. One that says the same may be there.
fn link_to(
    process: &mut Process<'_, '_>,
    link: &BString,
    target: &BString,
    force: bool,
) -> Result<Result<(), Refused>, Stop> {
    let fail = |error: crate::Errno| Stop::unsupported(format!("{link}: {error}"));
    let end = link.rfind_byte(b'/').unwrap_or(0);
    let mode = 0o755 & !process.umask;
    let files = &mut process.machine.files;
    files.mkdir_all(&link[..end], mode).map_err(fail)?;
    if files.lnode(link).is_some() {
        let plain = |path: &[u8]| BString::from(path.strip_prefix(b"/usr").unwrap_or(path));
        match files.read_link(link) {
            Ok(other) if plain(&other) == plain(target) => return Ok(Ok(())),
            Ok(other) if !force => {
                return Ok(Err(format!(
                    "File '{link}' already exists and is a symlink to {other}"
                )));
            }
            Err(_) if !force => return Ok(Err(format!("File '{link}' already exists"))),
            _ => files.unlink(link).map_err(fail)?,
        }
    }
    files.symlink(target, link).map_err(fail)?;
    Ok(Ok(()))
}

/// Removes the links of units, and of those that they name with `Also=`.
pub(super) fn disable(
    machine: &mut Machine<'_>,
    scope: &Scope,
    names: &[BString],
) -> Result<(), Stop> {
    let mut todo: Vec<BString> = names.to_vec();
    let mut marked: Vec<BString> = Vec::new();
    while let Some(name) = todo.pop() {
        if marked.contains(&name) {
            continue;
        }
        if let Found::Unit(unit) = units::find(machine, scope, &name)? {
            todo.extend(unit.also.iter().cloned());
            if unit.name != name {
                todo.push(unit.name);
            }
        }
        marked.push(name);
    }
    // An alias that goes has links of its own.
    loop {
        let before = marked.len();
        clear(machine, &mut marked, &BString::from(scope.etc), 0)?;
        if marked.len() == before {
            return Ok(());
        }
    }
}

fn clear(
    machine: &mut Machine<'_>,
    marked: &mut Vec<BString>,
    folder: &BString,
    depth: usize,
) -> Result<(), Stop> {
    for name in machine.files.list(folder).unwrap_or_default() {
        machine.spend(1)?;
        let path = BString::from(format!("{folder}/{name}"));
        let Some(node) = machine.files.lnode(&path) else {
            continue;
        };
        if node.is_directory() {
            if depth == 0 {
                clear(machine, marked, &path, 1)?;
                let linked = [".wants", ".requires", ".upholds"];
                if linked.iter().any(|end| name.ends_with_str(end)) {
                    let _ = machine.files.rmdir(&path);
                }
            }
            continue;
        }
        let Ok(target) = machine.files.read_link(&path) else {
            continue;
        };
        if target == "/dev/null" {
            continue;
        }
        let last = target
            .rsplit_once_str("/")
            .map_or(&target[..], |(_, last)| last);
        let named = |marked: &[BString], name: &[u8]| {
            let template = units::template(name);
            marked.iter().any(|other| {
                *other == name || template.as_ref().is_some_and(|template| template == other)
            })
        };
        // The name of an instance counts for it, not its template's file.
        let mine = named(marked, &name) || named(marked, last) && !units::is_template(last);
        if mine {
            machine
                .files
                .unlink(&path)
                .map_err(|error| Stop::unsupported(format!("{path}: {error}")))?;
            if depth == 0 && !marked.contains(&name) {
                marked.push(name);
            }
        }
    }
    Ok(())
}

/// Links names to nothing, so that they can't be started.
pub(super) fn mask(
    process: &mut Process<'_, '_>,
    scope: &Scope,
    names: &[BString],
    force: bool,
) -> Result<Result<(), Refused>, Stop> {
    for name in names {
        let link = units::join(scope.etc, name);
        if let Err(refused) = link_to(process, &link, &"/dev/null".into(), force)? {
            return Ok(Err(refused));
        }
    }
    Ok(Ok(()))
}

/// Removes the masks of names.
pub(super) fn unmask(machine: &mut Machine<'_>, scope: &Scope, names: &[BString]) {
    for name in names {
        let link = units::join(scope.etc, name);
        let target = machine.files.read_link(&link);
        if target.is_ok_and(|target| target == "/dev/null") {
            // It was just there.
            let _ = machine.files.unlink(&link);
        }
    }
}

/// Whether a unit is enabled, in systemctl's word; none where it does not exist.
pub(super) fn state(
    machine: &mut Machine<'_>,
    scope: &Scope,
    name: &BString,
) -> Result<Option<&'static str>, Stop> {
    let unit = match units::find(machine, scope, name)? {
        Found::Nothing => return Ok(None),
        Found::Masked => return Ok(Some("masked")),
        Found::Unit(unit) => unit,
    };
    let (mut own, mut instance) = (false, false);
    let mut folders = vec![(BString::from(scope.etc), true)];
    for folder in machine.files.list(scope.etc.as_bytes()).unwrap_or_default() {
        folders.push((units::join(scope.etc, &folder), false));
    }
    for (folder, top) in folders {
        for link in machine.files.list(&folder).unwrap_or_default() {
            machine.spend(1)?;
            let Ok(target) = machine
                .files
                .read_link(&units::join(&folder.to_str_lossy(), &link))
            else {
                continue;
            };
            let last = target
                .rsplit_once_str("/")
                .map_or(&target[..], |(_, last)| last);
            if link == unit.name || !top && link == *name {
                own |= !(top && link == last);
            } else if top && last == unit.name.as_slice() {
                own = true;
            } else if units::template(&link).is_some_and(|template| template == unit.name) {
                instance = true;
            }
        }
    }
    let also = !unit.also.is_empty();
    Ok(Some(if unit.name != *name {
        "alias"
    } else if own || instance && unit.default_instance.is_some() {
        "enabled"
    } else if instance {
        "indirect"
    } else if unit.has_links() {
        "disabled"
    } else if also {
        "indirect"
    } else {
        "static"
    }))
}
