//! What the reader of images says, and names of files, in words that a terminal can show.

use imgc_diag::did_you_mean;
use imgc_oci::read::ReadError;
use imgc_oci::rfc3339;
use imgc_tree::{Kind, Node, Tree, TreePath};

use crate::describe::Problem;

/// How many names of a folder are said.
const NAMED: usize = 8;

/// Why an image can't be read.
pub(super) fn reading(image: &str, error: &ReadError) -> Problem {
    let problem = Problem::new(format!("{image}: {error}"));
    let list = |names: &[String]| {
        let shown: Vec<String> = names
            .iter()
            .take(NAMED)
            .map(|name| plain(name.as_bytes()))
            .collect();
        let more = names.len().saturating_sub(NAMED);
        match more {
            0 => shown.join(", "),
            more => format!("{}, and {more} more", shown.join(", ")),
        }
    };
    match error {
        ReadError::NoImage { wanted, there } => {
            let close = did_you_mean(wanted, there.iter().map(String::as_str));
            let problem = match there.is_empty() {
                true => problem,
                false => problem.note(format!("there is {}", list(there))),
            };
            match close {
                Some(close) => problem.help(format!("did you mean `{close}`?")),
                None => problem,
            }
        }
        ReadError::Several { there } => problem
            .note(format!("there is {}", list(there)))
            .help("name one of them: :TAG or @DIGEST"),
        ReadError::Platform { there, .. } => problem
            .note(format!("there is {}", list(there)))
            .help("choose one with --platform"),
        _ => problem,
    }
}

/// Bytes as text that does nothing to a terminal.
pub(super) fn plain(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(is_harmful) => text.to_owned(),
        _ => bytes.escape_ascii().to_string(),
    }
}

/// Control characters, and those that turn the direction of text around.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A path, absolute.
pub(super) fn path(path: &TreePath) -> String {
    format!("/{}", plain(path.as_bytes()))
}

/// A time, in seconds since 1970.
pub(super) fn time(seconds: i64) -> String {
    let text = u64::try_from(seconds).ok().map(rfc3339);
    match text {
        Some(Ok(text)) => text,
        _ => seconds.to_string(),
    }
}

/// What something is, in a word.
pub(super) fn kind(node: &Node) -> &'static str {
    match node.kind {
        Kind::Directory => "folder",
        Kind::Regular(_) => "file",
        Kind::Symlink(_) => "link",
        Kind::CharDevice { .. } => "character device",
        Kind::BlockDevice { .. } => "block device",
        Kind::Fifo => "pipe",
    }
}

/// Nothing is at a path: what there is nearby.
pub(super) fn absent(tree: &Tree, wanted: &TreePath) -> Problem {
    let problem = Problem::new(format!("there is no {} in the image", path(wanted)));
    let mut missing = wanted.clone();
    let folder = loop {
        let Some(above) = missing.parent() else {
            return problem;
        };
        let real = tree.resolve(&above).filter(|real| tree.get(real).is_some());
        match real {
            Some(real) => break real,
            None => missing = above,
        }
    };
    if !tree.get(&folder).is_some_and(Node::is_directory) {
        return problem.note(format!("{} is no folder", path(&folder)));
    }
    let names: Vec<String> = tree
        .children(&folder)
        .map(|(path, _)| plain(path.name()))
        .collect();
    let name = plain(missing.name());
    let problem = match did_you_mean(&name, names.iter().map(String::as_str)) {
        Some(close) => {
            let close = folder.join(close.as_bytes());
            let close = close.map_or_else(|_| name, |close| path(&close));
            problem.help(format!("did you mean {close}?"))
        }
        None => problem,
    };
    let shown: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
    let list = match names.len().saturating_sub(NAMED) {
        0 if shown.is_empty() => "nothing".to_owned(),
        0 => shown.join(", "),
        more => format!("{}, and {more} more", shown.join(", ")),
    };
    problem.note(format!("{} has {list}", path(&folder)))
}
