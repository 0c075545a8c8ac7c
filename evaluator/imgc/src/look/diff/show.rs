//! What differs, as text for a terminal and as Markdown for a pull request.

use super::{Changed, Difference, File, Files, Layers};
use crate::look::words;
use crate::size::human;

/// No value is shown longer than this, in characters.
const LONGEST: usize = 100;

/// How many files Markdown lists: a comment has a limit.
const LISTED: usize = 200;

/// Aligned lines.
pub(super) fn text(difference: &Difference) -> String {
    if !difference.differs {
        return "nothing differs".to_owned();
    }
    let mut lines = Vec::new();
    let packages = &difference.packages;
    if !packages.is_empty() {
        lines.push(format!("packages: {}", counts_of(packages)));
        rows(packages, &mut lines);
    }
    if !difference.config.is_empty() {
        lines.push(format!("configuration: {}", counts_of(&difference.config)));
        rows(&difference.config, &mut lines);
    }
    let files = &difference.files;
    if files.added + files.removed + files.changed > 0 {
        let hint = match files.list {
            Some(_) => "",
            None => " (--files lists them)",
        };
        lines.push(format!("files: {}{hint}", counts(files)));
    }
    for file in files.list.iter().flatten() {
        let File { path, change, what } = file;
        let mark = match *change {
            "added" => '+',
            "removed" => '-',
            _ => '~',
        };
        let what = match what.is_empty() {
            true => String::new(),
            false => format!("  ({})", what.join(", ")),
        };
        lines.push(format!("  {mark} {path}{what}"));
    }
    if let Some(layers) = &difference.layers {
        lines.push(format!("layers: {}", layers_text(layers)));
    }
    if let Some(size) = size_text(difference) {
        lines.push(format!("size: {size}"));
    }
    lines.join("\n")
}

/// Tables.
pub(super) fn markdown(difference: &Difference) -> String {
    let (before, after) = (&difference.before, &difference.after);
    let title = format!("### {} → {}", code(&before.image), code(&after.image));
    if !difference.differs {
        return format!("{title}\n\nNothing differs.");
    }
    let mut parts = vec![title];
    for (name, column, changes) in [
        ("Packages", "package", &difference.packages),
        ("Configuration", "field", &difference.config),
    ] {
        if changes.is_empty() {
            continue;
        }
        let mut table = format!(
            "**{name}**: {}\n\n| {column} | before | after |\n|---|---|---|",
            counts_of(changes)
        );
        for change in changes {
            let side =
                |value: &Option<String>| value.as_ref().map_or_else(String::new, |v| code(v));
            let older = if change.older { " (older)" } else { "" };
            table.push_str(&format!(
                "\n| {} | {} | {}{older} |",
                code(&change.name),
                side(&change.before),
                side(&change.after)
            ));
        }
        parts.push(table);
    }
    let files = &difference.files;
    if files.added + files.removed + files.changed > 0 {
        let mut text = format!("**Files**: {}", counts(files));
        if let Some(list) = &files.list {
            text.push_str("\n\n| file | change |\n|---|---|");
            for File { path, change, what } in list.iter().take(LISTED) {
                let what = match what.is_empty() {
                    true => String::new(),
                    false => format!(": {}", what.join(", ")),
                };
                text.push_str(&format!("\n| {} | {change}{what} |", code(path)));
            }
            let more = list.len().saturating_sub(LISTED);
            if more > 0 {
                text.push_str(&format!("\n\nand {more} more."));
            }
        }
        parts.push(text);
    }
    if let Some(layers) = &difference.layers {
        parts.push(format!("**Layers**: {}", layers_text(layers)));
    }
    if let Some(size) = size_text(difference) {
        parts.push(format!("**Size**: {size}"));
    }
    parts.join("\n\n")
}

fn rows(changes: &[Changed], lines: &mut Vec<String>) {
    let names: Vec<String> = changes.iter().map(|change| short(&change.name)).collect();
    let width = names.iter().map(|name| name.chars().count()).max();
    let width = width.unwrap_or(0).min(40);
    for (change, name) in changes.iter().zip(names) {
        let older = if change.older { " (older)" } else { "" };
        lines.push(match (&change.before, &change.after) {
            (Some(before), Some(after)) => {
                let (before, after) = (short(before), short(after));
                format!("  ~ {name:<width$}  {before} → {after}{older}")
            }
            (None, Some(after)) => format!("  + {name:<width$}  {}", short(after)),
            (Some(before), None) => format!("  - {name:<width$}  {}", short(before)),
            (None, None) => continue,
        });
    }
}

fn counts_of(changes: &[Changed]) -> String {
    let added = changes
        .iter()
        .filter(|change| change.before.is_none())
        .count();
    let removed = changes
        .iter()
        .filter(|change| change.after.is_none())
        .count();
    counts(&Files {
        added,
        removed,
        changed: changes.len() - added - removed,
        list: None,
    })
}

fn counts(files: &Files) -> String {
    let all = [
        (files.changed, "changed"),
        (files.added, "added"),
        (files.removed, "removed"),
    ];
    let some = all.iter().filter(|(count, _)| *count > 0);
    let some: Vec<String> = some
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    some.join(", ")
}

fn layers_text(layers: &Layers) -> String {
    format!(
        "{} shared, {} new, {} gone; {} to pull for who has the first",
        layers.shared,
        layers.added,
        layers.removed,
        human(layers.pull)
    )
}

fn size_text(difference: &Difference) -> Option<String> {
    let (before, after) = (difference.before.size?, difference.after.size?);
    let change = match before.abs_diff(after) {
        0 => "the same".to_owned(),
        amount if after > before => format!("+{}", human(amount)),
        amount => format!("-{}", human(amount)),
    };
    Some(format!("{} → {} ({change})", human(before), human(after)))
}

/// A value in one line, not too long.
fn short(text: &str) -> String {
    let text = words::plain(text.as_bytes());
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// A value that Markdown shows as it is.
fn code(text: &str) -> String {
    let text = short(text).replace('|', "\\|");
    // As many backticks around it as nothing in it has.
    let mut marks = "`".to_owned();
    while text.contains(&marks) {
        marks.push('`');
    }
    match text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        true => format!("{marks} {text} {marks}"),
        false => format!("{marks}{text}{marks}"),
    }
}
