//! What update-alternatives prints of its groups.

use super::Step;
use super::group::Group;
use super::links::Place;
use crate::process::Process;
use bstr::{BString, ByteVec as _};

/// `--display`, for people.
pub(super) fn display(process: &mut Process<'_, '_>, place: &Place, group: &Group) {
    let mut out = format!("{} - {} mode\n", group.name, group.status());
    match group.best(place.target(process, group).as_ref()) {
        Some(best) => out += &format!("  link best version is {}\n", best.file),
        None => out += "  link best version not available\n",
    }
    match place.target(process, group) {
        Some(file) => out += &format!("  link currently points to {file}\n"),
        None => out += "  link currently absent\n",
    }
    out += &format!("  link {} is {}\n", group.name, group.link);
    for slave in &group.slaves {
        out += &format!("  slave {} is {}\n", slave.name, slave.link);
    }
    for choice in &group.choices {
        out += &format!("{} - priority {}\n", choice.file, choice.priority);
        for slave in &group.slaves {
            if let Some(file) = choice.slave(&slave.name) {
                out += &format!("  slave {}: {file}\n", slave.name);
            }
        }
    }
    process.out(out);
}

/// `--query`, for programs.
pub(super) fn query(process: &mut Process<'_, '_>, place: &Place, group: &Group) {
    let mut out = format!("Name: {}\nLink: {}\n", group.name, group.link);
    if !group.slaves.is_empty() {
        out += "Slaves:\n";
        for slave in &group.slaves {
            out += &format!(" {} {}\n", slave.name, slave.link);
        }
    }
    out += &format!("Status: {}\n", group.status());
    if let Some(best) = group.best(place.target(process, group).as_ref()) {
        out += &format!("Best: {}\n", best.file);
    }
    match place.target(process, group) {
        Some(file) => out += &format!("Value: {file}\n"),
        None => out += "Value: none\n",
    }
    for choice in &group.choices {
        out += &format!(
            "\nAlternative: {}\nPriority: {}\n",
            choice.file, choice.priority
        );
        if !group.slaves.is_empty() {
            out += "Slaves:\n";
        }
        for slave in &group.slaves {
            if let Some(file) = choice.slave(&slave.name) {
                out += &format!(" {} {file}\n", slave.name);
            }
        }
    }
    process.out(out);
}

/// `--get-selections`.
pub(super) fn selections(process: &mut Process<'_, '_>, place: &Place) -> Step<()> {
    let mut out = BString::default();
    for group in place.all(process)? {
        let target = place.target(process, &group).unwrap_or_default();
        let (name, status) = (group.name.to_string(), group.status());
        out.push_str(format!("{name:<30} {status:<8} {target}\n"));
    }
    process.out(out);
    Ok(())
}
