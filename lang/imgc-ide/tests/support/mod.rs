//! A project as a text, and answers as texts.

mod render;

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_eval::MemoryWorld;
use imgc_ide::{Catalogue, FilePosition, PackageFacts, PackageName, Workspace};
use imgc_syntax::{TextRange, TextSize};

pub(crate) use render::answer;

/// A project with a cursor.
pub(crate) struct Fixture {
    /// The files in order, without cursors.
    pub(crate) files: Vec<(String, String)>,
    /// Where the cursor is; else at the start of the first file.
    pub(crate) position: FilePosition,
    /// What is selected.
    pub(crate) range: TextRange,
}

impl Fixture {
    /// Reads `//- name` headers and `$0` cursors. Without a header, the file is `main.img`.
    pub(crate) fn parse(text: &str) -> Self {
        let mut files: Vec<(String, String)> = Vec::new();
        for line in text.split_inclusive('\n') {
            if let Some(name) = line.strip_prefix("//- ") {
                files.push((name.trim().to_owned(), String::new()));
                continue;
            }
            if files.is_empty() {
                files.push(("main.img".to_owned(), String::new()));
            }
            let (_, text) = files.last_mut().expect("a file");
            text.push_str(line);
        }
        let mut cursors: Vec<(String, u32)> = Vec::new();
        for (name, text) in &mut files {
            while let Some(at) = text.find("$0") {
                text.replace_range(at..at + 2, "");
                cursors.push((name.clone(), at as u32));
            }
        }
        let first = files.first().expect("a file").0.clone();
        let (file, start) = cursors.first().cloned().unwrap_or((first, 0));
        let end = cursors.get(1).map_or(start, |(_, end)| *end);
        let position = FilePosition {
            file: file.as_str().into(),
            offset: TextSize::new(start),
        };
        let range = TextRange::new(start.into(), end.into());
        Self {
            files,
            position,
            range,
        }
    }

    /// The project, opened: everything is in memory, some of it over the disk.
    pub(crate) fn workspace(&self) -> Workspace {
        let mut world = MemoryWorld::new();
        for (name, text) in imgc_stdlib::modules() {
            world = world.module(name, text);
        }
        for (name, text) in &self.files {
            world = world.file(name, text);
        }
        let mut workspace = Workspace::new(Arc::new(world), Arc::new(Packages)).expect("threads");
        for (name, _) in self.files.iter().filter(|(name, _)| name.ends_with(".img")) {
            workspace.add(name);
        }
        workspace
    }
}

/// A few packages.
#[derive(Debug)]
pub(crate) struct Packages;

const PACKAGES: [(&str, &str, &str, u64); 7] = [
    ("ca-certificates", "20250419", "Common CA certificates", 402),
    (
        "curl",
        "8.14.1-2",
        "command line tool for transferring data",
        508,
    ),
    ("curlftpfs", "0.9.2-9", "filesystem to access FTP hosts", 90),
    (
        "nginx",
        "1.26.3-3",
        "small, powerful, scalable web/proxy server",
        1368,
    ),
    (
        "python3",
        "3.13.5-1",
        "interactive high-level object-oriented language",
        98,
    ),
    (
        "tzdata",
        "2025b-4",
        "time zone and daylight-saving time data",
        1431,
    ),
    (
        "zlib1g",
        "1.3.1-1",
        "compression library - runtime",
        2_200_000,
    ),
];

impl Catalogue for Packages {
    fn package(&self, folder: &str, name: &str) -> Option<PackageFacts> {
        let found = PACKAGES.iter().find(|known| known.0 == name)?;
        let mut versions = vec![found.1.to_owned()];
        if name == "curl" {
            versions.push("7.88.1-10".to_owned());
        }
        Some(PackageFacts {
            name: name.to_owned(),
            versions,
            description: Some(found.2.to_owned()),
            installed_size: Some(found.3),
            closure: (name == "tzdata").then_some((5000, 3)),
            pinned: match name {
                "tzdata" => Some("2025b-4".to_owned()),
                "python3" => Some("3.13.4-1".to_owned()),
                _ if folder == "pinned" => Some("1".to_owned()),
                _ => None,
            },
        })
    }

    fn starting_with(&self, _: &str, prefix: &str, most: usize) -> Vec<PackageName> {
        let found = PACKAGES.iter().filter(|known| known.0.starts_with(prefix));
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|known| (known.0.len(), known.0));
        let names = found.into_iter().map(|known| PackageName {
            name: known.0.to_owned(),
            version: known.1.to_owned(),
        });
        names.take(most).collect()
    }

    fn similar(&self, _: &str, name: &str) -> Option<String> {
        let names = PACKAGES.iter().map(|known| known.0);
        imgc_diag::did_you_mean(name, names).map(str::to_owned)
    }
}

/// The texts of files by name.
pub(crate) type Texts = BTreeMap<String, String>;
