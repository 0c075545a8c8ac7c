//! Trees out of tar archives, one row for each path. Layers are laid over each other as
//! the image specification says. Times are left out.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use sha2::{Digest as _, Sha256};
use tar::EntryType;

use crate::layout::Layout;

/// A tree: its rows, by absolute path.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The rows.
    pub rows: BTreeMap<String, Row>,
}

/// What is at a path. A hard link is the file that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// `f` a file, `d` a folder, `l` a symbolic link, `c` and `b` devices, `p` a pipe.
    pub kind: char,
    /// Permission bits. Those of a symbolic link are always 0777.
    pub mode: u32,
    /// User and group id.
    pub ids: (u64, u64),
    /// What it holds.
    pub content: Content,
    /// Extended attributes, sorted.
    pub xattrs: Vec<(String, Vec<u8>)>,
}

/// What a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing: a folder or a pipe.
    Nothing,
    /// The SHA-256 of a file.
    Bytes(String),
    /// Where a symbolic link leads.
    Link(String),
    /// The numbers of a device.
    Device(u32, u32),
}

impl Row {
    /// The columns that are not the same in `other`.
    pub fn differs_in(&self, other: &Self) -> Vec<&'static str> {
        let content = match other.content {
            Content::Nothing | Content::Bytes(_) => "contents",
            Content::Link(_) => "link",
            Content::Device(..) => "device",
        };
        [
            ("type", self.kind != other.kind),
            ("mode", self.mode != other.mode),
            ("owner", self.ids != other.ids),
            (content, self.content != other.content),
            ("attributes", self.xattrs != other.xattrs),
        ]
        .into_iter()
        .filter_map(|(name, differs)| differs.then_some(name))
        .collect()
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (uid, gid) = self.ids;
        write!(f, "{}{:04o} {uid}:{gid}", self.kind, self.mode)?;
        match &self.content {
            Content::Nothing => {}
            Content::Bytes(sum) => write!(f, " {sum:.12}")?,
            Content::Link(target) => write!(f, " -> {target}")?,
            Content::Device(major, minor) => write!(f, " {major}:{minor}")?,
        }
        for (name, value) in &self.xattrs {
            write!(f, " {name}={}", hex::encode(value))?;
        }
        Ok(())
    }
}

impl Tree {
    /// The tree of an image.
    ///
    /// # Panics
    /// Where a layer is no tar archive.
    pub fn of_layout(layout: &Layout) -> Self {
        let mut tree = Self::default();
        for layer in &layout.layers {
            tree.apply(&**layer);
        }
        tree
    }

    /// Lays a tar archive over the tree.
    ///
    /// # Panics
    /// Where it is no tar archive.
    pub fn apply(&mut self, archive: impl Read) {
        let mut archive = tar::Archive::new(archive);
        for entry in archive.entries().expect("a tar archive") {
            let mut entry = entry.expect("an entry");
            let path = absolute(&entry.path_bytes());
            let (folder, name) = path.rsplit_once('/').expect("an absolute path");
            if name == ".wh..wh..opq" {
                self.remove_below(folder);
            } else if let Some(name) = name.strip_prefix(".wh.") {
                let gone = format!("{folder}/{name}");
                self.rows.remove(&gone);
                self.remove_below(&gone);
            } else {
                let row = self.row(&path, &mut entry);
                self.rows.insert(path, row);
            }
        }
    }

    fn remove_below(&mut self, folder: &str) {
        let below = format!("{folder}/");
        self.rows.retain(|path, _| !path.starts_with(&below));
    }

    fn row(&self, path: &str, entry: &mut tar::Entry<'_, impl Read>) -> Row {
        let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
        let link = link.unwrap_or_default();
        let kind = entry.header().entry_type();
        if kind == EntryType::Link {
            let target = absolute(&link);
            let row = self.rows.get(&target);
            return row
                .unwrap_or_else(|| panic!("{path} is a link to {target}, which is not there"))
                .clone();
        }
        let header = entry.header();
        let mode = header.mode().expect("a mode") & 0o7777;
        let ids = (header.uid().expect("a uid"), header.gid().expect("a gid"));
        let device = || {
            let major = header.device_major().expect("a number").unwrap_or(0);
            let minor = header.device_minor().expect("a number").unwrap_or(0);
            Content::Device(major, minor)
        };
        let (kind, mode, content) = match kind {
            EntryType::Directory => ('d', mode, Content::Nothing),
            EntryType::Symlink => {
                let target = String::from_utf8_lossy(&link).into_owned();
                ('l', 0o777, Content::Link(target))
            }
            EntryType::Char => ('c', mode, device()),
            EntryType::Block => ('b', mode, device()),
            EntryType::Fifo => ('p', mode, Content::Nothing),
            _ => ('f', mode, Content::Bytes(String::new())),
        };
        let xattrs = attributes(entry);
        let content = match content {
            Content::Bytes(_) => {
                let mut sum = Sha256::new();
                let mut block = vec![0; 1 << 16];
                loop {
                    let read = entry.read(&mut block).expect("an entry's bytes");
                    if read == 0 {
                        break;
                    }
                    sum.update(&block[..read]);
                }
                Content::Bytes(hex::encode(sum.finalize()))
            }
            other => other,
        };
        Row {
            kind,
            mode,
            ids,
            content,
            xattrs,
        }
    }
}

fn attributes(entry: &mut tar::Entry<'_, impl Read>) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    if let Some(extensions) = entry.pax_extensions().expect("extended headers") {
        for extension in extensions {
            let extension = extension.expect("an extended header");
            let key = extension.key().expect("a key is UTF-8");
            if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                found.push((name.to_owned(), extension.value_bytes().to_owned()));
            }
        }
    }
    found.sort_unstable();
    found
}

fn absolute(path: &[u8]) -> String {
    let path = String::from_utf8_lossy(path);
    let path = path.strip_prefix("./").unwrap_or(&path);
    let path = path.trim_matches('/');
    if path == "." {
        return "/".to_owned();
    }
    format!("/{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, &str)]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_size(bytes.len() as u64);
            builder
                .append_data(&mut header, path, bytes.as_bytes())
                .expect("memory takes a tar archive");
        }
        builder.into_inner().expect("memory takes a tar archive")
    }

    #[test]
    fn a_layer_takes_away_what_it_says() {
        let mut tree = Tree::default();
        tree.apply(&*archive(&[("a/x", "1"), ("a/y", "2"), ("b/x", "3")]));
        tree.apply(&*archive(&[("a/.wh.x", ""), ("b/.wh..wh..opq", "")]));
        tree.apply(&*archive(&[("b/z", "4")]));
        let paths: Vec<&str> = tree.rows.keys().map(String::as_str).collect();
        assert_eq!(paths, ["/a/y", "/b/z"]);
    }
}
