//! Cases in Markdown: what stands under one heading is one case.
//!
//! Fenced blocks say by the first word after the fence what they are:
//!
//! - `img`: the program; with `path=lib.img` another module of the project, with
//!   `path=https://…` one from elsewhere. A comment `# error: IMG0201 text` says that
//!   this line has that error, with the text in what it says (the text may be left out).
//!   `# warning:` likewise. `# revealed: Int` says the type of the top-level binding whose
//!   name stands on this line. `steps=`, `bytes=`, `platform=`, `select=` and `arg.name=`
//!   are options of the evaluation.
//! - `file path=a`, `exec path=a`: a file of the project; `dir path=a` a folder;
//!   `link path=a` a symbolic link to what the block says.
//! - `elf path=a machine=amd64 kind=static`: a program; other kinds are
//!   `interpreter`, `needs`, `object`, `damaged` and `script`.
//! - `value`: what the program evaluates to. Without it the program is an image.
//! - `json`: what it evaluates to, as JSON.
//! - `type`: lines `name : TYPE` for top-level bindings, or one type for the file.
//! - `fixed`: the program after the first change that each finding offers.
//! - `plan`: JSON that the plan has in it: objects may have further fields.
//!
//! It reads pages and compares. It knows nothing of evaluation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use imgc_diag::{Diagnostic, Severity, codes};
use imgc_eval::{MemoryWorld, Options, Session};
use serde_json::Value as Json;

/// The pages of a folder, by name.
#[expect(
    clippy::disallowed_methods,
    reason = "the pages are files of the repository"
)]
pub(crate) fn pages(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut pages: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("the folder of the pages")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|end| end == "md"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("a page");
            (name.into_owned(), text)
        })
        .collect();
    pages.sort();
    pages
}

/// The text of a file, by its path from this crate.
#[expect(
    clippy::disallowed_methods,
    reason = "the files of the repository are what is tested"
)]
pub(crate) fn text(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(path).expect("a file of the repository")
}

/// The text of every file of a folder of this crate and of the folders in it.
#[expect(
    clippy::disallowed_methods,
    reason = "the files of the repository are what is tested"
)]
pub(crate) fn sources(folder: &str) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders = vec![folder];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                texts.push(std::fs::read_to_string(path).expect("a source"));
            }
        }
    }
    texts
}

/// A fenced block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// The heading that it stands under.
    pub(crate) heading: String,
    /// The line after the opening fence, from 1 on.
    pub(crate) line: usize,
    /// The first word after the fence.
    pub(crate) kind: String,
    /// The other words: `key=value`.
    pub(crate) words: BTreeMap<String, String>,
    /// What is in it.
    pub(crate) text: String,
}

/// The blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut heading = String::new();
    let mut open: Option<(String, Block)> = None;
    for (index, line) in page.lines().enumerate() {
        if let Some((fence, block)) = &mut open {
            if line.trim() == fence {
                blocks.push(block.clone());
                open = None;
            } else {
                block.text.push_str(line);
                block.text.push('\n');
            }
        } else if line.starts_with("```") {
            let ticks = line.len() - line.trim_start_matches('`').len();
            let mut words = line[ticks..].split_whitespace();
            let block = Block {
                heading: heading.clone(),
                line: index + 2,
                kind: words.next().unwrap_or_default().to_owned(),
                words: words
                    .filter_map(|word| word.split_once('='))
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .collect(),
                text: String::new(),
            };
            open = Some(("`".repeat(ticks), block));
        } else if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim().to_owned();
        }
    }
    assert!(open.is_none(), "a block under `{heading}` is not closed");
    blocks
}

/// A world with the modules of imgc.
pub(crate) fn world() -> MemoryWorld {
    imgc_stdlib::modules()
        .iter()
        .fold(MemoryWorld::new(), |world, (name, text)| {
            world.module(name, text)
        })
}

/// A finding that a program says to expect.
#[derive(Debug, Clone)]
struct Expected {
    file: String,
    line: usize,
    severity: Severity,
    code: String,
    text: String,
}

fn expectations(file: &str, text: &str) -> Vec<Expected> {
    let mut found = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (mark, severity) in [
            ("# error: ", Severity::Error),
            ("# warning: ", Severity::Warning),
        ] {
            for piece in line.split(mark).skip(1) {
                let piece = piece.split("# error: ").next().unwrap_or_default();
                let piece = piece.split("# warning: ").next().unwrap_or_default();
                let piece = piece.split("# revealed: ").next().unwrap_or_default();
                let (code, text) = piece.trim().split_once(' ').unwrap_or((piece.trim(), ""));
                found.push(Expected {
                    file: file.to_owned(),
                    line: index + 1,
                    severity,
                    code: code.to_owned(),
                    text: text.trim().to_owned(),
                });
            }
        }
    }
    found
}

/// The types that a program says its bindings have: by line.
fn revealed(text: &str) -> Vec<(usize, String)> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let (_, ty) = line.split_once("# revealed: ")?;
            Some((index + 1, ty.trim().to_owned()))
        })
        .collect()
}

/// What a case is run with, from the words after its fences.
fn options(options: &mut Options, block: &Block) -> Result<(), String> {
    let number = |key: &str| -> Option<u64> { block.words.get(key)?.parse().ok() };
    let limits = &mut options.limits;
    limits.steps = number("steps").unwrap_or(limits.steps);
    limits.bytes = number("bytes").unwrap_or(limits.bytes);
    if let Some(platform) = block.words.get("platform") {
        options.platform = platform.parse().map_err(|e| format!("{e}"))?;
    }
    if let Some(name) = block.words.get("select") {
        options.select = Some(name.clone());
    }
    for (key, value) in &block.words {
        if let Some(name) = key.strip_prefix("arg.") {
            options.arguments.insert(name.to_owned(), value.clone());
        }
    }
    Ok(())
}

/// Runs one case: the blocks under one heading. Says what is wrong with it.
pub(crate) fn run(mut world: MemoryWorld, case: &[Block]) -> Result<(), String> {
    let mut settings = Options::default();
    let mut expected = Vec::new();
    let mut main = None;
    for block in case {
        let path = block.words.get("path").map(String::as_str);
        world = match (block.kind.as_str(), path) {
            ("img", path) => {
                let path = path.unwrap_or("main.img");
                if path == "main.img" && main.replace(block.text.clone()).is_some() {
                    return Err("two programs under one heading".to_owned());
                }
                expected.extend(expectations(path, &block.text));
                options(&mut settings, block)?;
                if path.contains("://") {
                    world.remote(path, &block.text)
                } else {
                    world.file(path, &block.text)
                }
            }
            ("file", Some(path)) => world.file(path, &block.text),
            ("exec", Some(path)) => world.executable(path, &block.text),
            ("dir", Some(path)) => world.directory(path),
            ("link", Some(path)) => world.symlink(path, block.text.trim()),
            ("elf", Some(path)) => {
                let word = |key: &str| block.words.get(key).map_or("", String::as_str);
                world.executable(path, elf(word("machine"), word("kind")))
            }
            _ => world,
        };
    }
    let Some(main) = main else {
        return Err("no program".to_owned());
    };
    let mut session = Session::new(Arc::new(world));
    types(&mut session, case, &main)?;
    let text_of = |kind: &str| case.iter().find(|block| block.kind == kind);
    if text_of("value").is_some() || text_of("json").is_some() {
        let shown = session.show("main.img", &settings);
        compare(&expected, &shown.diagnostics, &shown.sources)?;
        fixed(case, &main, &shown.diagnostics)?;
        let text = shown.text.unwrap_or_default();
        if let Some(value) = text_of("value").filter(|value| text != value.text.trim()) {
            let line = value.line;
            return Err(format!("the value (line {line}) is\n    {text}"));
        }
        if let Some(json) = text_of("json") {
            let wanted: Json = serde_json::from_str(&json.text).map_err(|e| format!("{e}"))?;
            if shown.json.as_ref() != Some(&wanted) {
                return Err(format!("the JSON is\n    {:?}", shown.json));
            }
        }
        return Ok(());
    }
    let evaluated = session.evaluate("main.img", &settings);
    fixed(case, &main, &evaluated.diagnostics)?;
    let not_images = |diagnostic: &Diagnostic| diagnostic.code == codes::NOT_AN_IMAGE;
    let wanted = codes::NOT_AN_IMAGE.to_string();
    if !expected.iter().any(|expected| expected.code == wanted)
        && text_of("plan").is_none()
        && evaluated.diagnostics.iter().any(not_images)
    {
        // An expression: it has a value, and that is all.
        let mut rest = evaluated.diagnostics.clone();
        rest.retain(|diagnostic| !not_images(diagnostic));
        return compare(&expected, &rest, &evaluated.sources);
    }
    compare(&expected, &evaluated.diagnostics, &evaluated.sources)?;
    if let Some(plan) = text_of("plan") {
        let wanted: Json = serde_json::from_str(&plan.text).map_err(|e| format!("plan: {e}"))?;
        let found = serde_json::to_value(&evaluated.plan).map_err(|e| format!("{e}"))?;
        within(&wanted, &found, "plan")?;
    }
    Ok(())
}

/// Compares the program after every change that is offered.
fn fixed(case: &[Block], main: &str, found: &[Diagnostic]) -> Result<(), String> {
    let Some(wanted) = case.iter().find(|block| block.kind == "fixed") else {
        return Ok(());
    };
    let fixes = found
        .iter()
        .filter_map(|diagnostic| diagnostic.fixes.first());
    let edits = fixes.flat_map(|fix| &fix.edits);
    let mut edits: Vec<_> = edits
        .filter(|edit| edit.span.file.as_str() == "main.img")
        .collect();
    edits.sort_by_key(|edit| edit.span.range);
    let mut text = main.to_owned();
    for edit in edits.into_iter().rev() {
        let range = edit.span.range.start as usize..edit.span.range.end as usize;
        text.replace_range(range, &edit.text);
    }
    if text == wanted.text {
        return Ok(());
    }
    Err(format!("the fixed program is\n{text}"))
}

/// Compares the types that a case expects.
fn types(session: &mut Session, case: &[Block], main: &str) -> Result<(), String> {
    let same = |what: &str, wanted: &str, found: Option<&str>| {
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        if found.map(words) == Some(words(wanted)) {
            return Ok(());
        }
        let found = found.unwrap_or("not there");
        Err(format!("the type of {what} is\n    {found}"))
    };
    for block in case.iter().filter(|block| block.kind == "type") {
        let named: Option<Vec<(&str, &str)>> = block
            .text
            .lines()
            .map(|line| line.split_once(" : "))
            .collect();
        let is_name = |name: &str| {
            let letter = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            name.chars().all(letter)
        };
        match named.filter(|lines| lines.iter().all(|(name, _)| is_name(name))) {
            Some(lines) => {
                for (name, wanted) in lines {
                    let found = session.type_of("main.img", Some(name));
                    same(&format!("`{name}`"), wanted, found.as_deref())?;
                }
            }
            None => {
                let found = session.type_of("main.img", None);
                same("the file", &block.text, found.as_deref())?;
            }
        }
    }
    let revealed = revealed(main);
    if revealed.is_empty() {
        return Ok(());
    }
    let info = session.module("main.img");
    for (line, wanted) in revealed {
        let found = info.bindings.iter().find(|binding| {
            let before = main.get(..binding.span.range.start as usize);
            before.is_some_and(|before| before.matches('\n').count() + 1 == line)
        });
        let what = format!("the binding in line {line}");
        same(&what, &wanted, found.map(|binding| binding.ty.as_str()))?;
    }
    Ok(())
}

fn compare(
    expected: &[Expected],
    found: &[Diagnostic],
    sources: &BTreeMap<imgc_diag::FileId, String>,
) -> Result<(), String> {
    let mut expected: Vec<&Expected> = expected.iter().collect();
    let mut wrong = Vec::new();
    for diagnostic in found {
        let span = &diagnostic.primary.span;
        let text = sources.get(&span.file).map_or("", String::as_str);
        let before = text.get(..span.range.start as usize).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let mut words = vec![diagnostic.message.clone()];
        words.extend(diagnostic.notes.iter().cloned());
        words.extend(diagnostic.help.iter().cloned());
        words.extend(diagnostic.related.iter().map(|label| label.text.clone()));
        let words = words.join(" | ");
        let at = expected.iter().position(|expected| {
            expected.file == span.file.as_str()
                && expected.line == line
                && expected.severity == diagnostic.severity
                && expected.code == diagnostic.code.to_string()
                && words.contains(&expected.text)
        });
        match at {
            Some(at) => {
                expected.remove(at);
            }
            None => wrong.push(format!(
                "    not expected: {}:{line}: {:?} {} {words}",
                span.file, diagnostic.severity, diagnostic.code
            )),
        }
    }
    for expected in expected {
        wrong.push(format!(
            "    missing: {}:{}: {} {}",
            expected.file, expected.line, expected.code, expected.text
        ));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

/// Whether `found` has everything that `wanted` has.
fn within(wanted: &Json, found: &Json, at: &str) -> Result<(), String> {
    match (wanted, found) {
        (Json::Object(wanted), Json::Object(found)) => {
            for (key, value) in wanted {
                let at = format!("{at}.{key}");
                let inner = found.get(key).ok_or_else(|| format!("{at} is missing"))?;
                within(value, inner, &at)?;
            }
            Ok(())
        }
        (Json::Array(wanted), Json::Array(all)) => {
            if wanted.len() != all.len() {
                return Err(format!("{at} is {found}"));
            }
            let pairs = wanted.iter().zip(all).enumerate();
            for (index, (wanted, found)) in pairs {
                within(wanted, found, &format!("{at}[{index}]"))?;
            }
            Ok(())
        }
        _ if wanted == found => Ok(()),
        _ => Err(format!("{at} is {found}")),
    }
}

/// A small ELF file (ELF specification, version 1.2, chapter 1, for 64 bits).
pub(crate) fn elf(machine: &str, kind: &str) -> Vec<u8> {
    if kind == "script" {
        return b"#!/bin/sh\n".to_vec();
    }
    let machine: u16 = match machine {
        "arm64" => 183,
        "ppc64el" => 21,
        "riscv64" => 243,
        _ => 62,
    };
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    bytes.resize(16, 0);
    bytes.extend(if kind == "object" { 1u16 } else { 3 }.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    bytes.extend(0x1000u64.to_le_bytes());
    bytes.extend(64u64.to_le_bytes());
    bytes.extend(0u64.to_le_bytes());
    bytes.extend(0u32.to_le_bytes());
    for half in [64u16, 56, 2, 64, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    let (first, text) = match kind {
        "interpreter" => (3u32, b"/lib64/ld-linux-x86-64.so.2\0".to_vec()),
        "needs" => {
            let entries = [1u64, 7, 0, 0];
            (2, entries.iter().flat_map(|n| n.to_le_bytes()).collect())
        }
        _ => (1, Vec::new()),
    };
    let offset = if kind == "damaged" { u64::MAX / 2 } else { 176 };
    let segments = [
        (first, offset, text.len() as u64),
        (if kind == "damaged" { 2 } else { 1 }, offset, 16),
    ];
    for (segment, at, size) in segments {
        bytes.extend(segment.to_le_bytes());
        bytes.extend(5u32.to_le_bytes());
        for word in [at, 0, 0, size, size, 8] {
            bytes.extend(word.to_le_bytes());
        }
    }
    bytes.extend(text);
    bytes
}
