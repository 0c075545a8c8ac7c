//! Packages made in memory for the tests, good ones and broken ones.

use std::io::{self, Read as _, Write as _};

use imgc_tree::{Content, Meta, Tree, TreePath};

use crate::{DebError, EntryKind, Fragment, Limits, Sink, unpack};

/// The time of everything in these packages.
pub(crate) const MTIME: u64 = 1_000;

/// A tar archive that is being made.
pub(crate) struct TarFile(tar::Builder<Vec<u8>>);

impl TarFile {
    pub(crate) fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    /// Adds an entry. The name is written as it is, however wrong.
    pub(crate) fn raw(
        mut self,
        kind: tar::EntryType,
        name: &str,
        link: &str,
        mode: u32,
        body: &[u8],
    ) -> Self {
        let mut header = tar::Header::new_gnu();
        let gnu = header.as_gnu_mut().expect("a GNU header");
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(MTIME);
        header.set_size(body.len() as u64);
        if matches!(kind, tar::EntryType::Char | tar::EntryType::Block) {
            header.set_device_major(1).expect("a device's header");
            header.set_device_minor(3).expect("a device's header");
        }
        header.set_cksum();
        self.0.append(&header, body).expect("memory takes it");
        self
    }

    pub(crate) fn file(self, name: &str, body: &str) -> Self {
        self.raw(tar::EntryType::Regular, name, "", 0o644, body.as_bytes())
    }

    pub(crate) fn folder(self, name: &str) -> Self {
        self.raw(tar::EntryType::Directory, name, "", 0o755, b"")
    }

    pub(crate) fn symlink(self, name: &str, target: &str) -> Self {
        self.raw(tar::EntryType::Symlink, name, target, 0o644, b"")
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.raw(tar::EntryType::Link, name, target, 0o644, b"")
    }

    /// A PAX header for the next entry.
    pub(crate) fn pax(mut self, records: &[(&str, &[u8])]) -> Self {
        self.0
            .append_pax_extensions(records.iter().copied())
            .expect("memory takes it");
        self
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0.into_inner().expect("memory takes it")
    }
}

/// Compresses as the end of the name says: ``, `.gz`, `.xz` or `.zst`.
pub(crate) fn compress(suffix: &str, bytes: &[u8]) -> Vec<u8> {
    match suffix {
        ".gz" => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
            encoder.write_all(bytes).expect("memory takes it");
            encoder.finish().expect("memory takes it")
        }
        ".xz" => {
            let mut out = Vec::new();
            liblzma::read::XzEncoder::new(bytes, 1)
                .read_to_end(&mut out)
                .expect("memory takes it");
            out
        }
        ".zst" => zstd::stream::encode_all(bytes, 1).expect("memory takes it"),
        _ => bytes.to_vec(),
    }
}

/// An ar archive of these members.
pub(crate) fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let header = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            0,
            0,
            0,
            100_644,
            bytes.len()
        );
        out.extend_from_slice(header.as_bytes());
        out.extend_from_slice(bytes);
        if bytes.len() % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

/// A package that is being made.
pub(crate) struct Deb {
    stanza: String,
    control: Vec<(String, String, u32)>,
    pub(crate) data: TarFile,
    compression: &'static str,
}

impl Deb {
    /// A package of `amd64` in version 1 with an empty `md5sums`.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            stanza: format!(
                "Package: {name}\nVersion: 1\nArchitecture: amd64\nMaintainer: A <a@mail.example>\n\
                 Description: a test\n"
            ),
            control: vec![("md5sums".to_owned(), String::new(), 0o644)],
            data: TarFile::new(),
            compression: ".xz",
        }
    }

    pub(crate) fn field(mut self, line: &str) -> Self {
        self.stanza.push_str(line);
        self.stanza.push('\n');
        self
    }

    pub(crate) fn version(mut self, version: &str) -> Self {
        self.stanza = self
            .stanza
            .replace("Version: 1\n", &format!("Version: {version}\n"));
        self
    }

    pub(crate) fn control(mut self, name: &str, text: &str) -> Self {
        let mode = if ["preinst", "postinst", "config"].contains(&name) {
            0o755
        } else {
            0o644
        };
        self.control.push((name.to_owned(), text.to_owned(), mode));
        self
    }

    pub(crate) fn without_md5sums(mut self) -> Self {
        self.control.retain(|(name, ..)| name != "md5sums");
        self
    }

    pub(crate) fn data(mut self, add: impl FnOnce(TarFile) -> TarFile) -> Self {
        self.data = add(self.data);
        self
    }

    pub(crate) fn file(self, name: &str, body: &str) -> Self {
        self.data(|data| data.file(name, body))
    }

    pub(crate) fn compressed(mut self, suffix: &'static str) -> Self {
        self.compression = suffix;
        self
    }

    /// The uncompressed control archive.
    pub(crate) fn control_tar(&self) -> Vec<u8> {
        let mut tar = TarFile::new().folder("./").file("./control", &self.stanza);
        for (name, text, mode) in &self.control {
            let kind = tar::EntryType::Regular;
            tar = tar.raw(kind, &format!("./{name}"), "", *mode, text.as_bytes());
        }
        tar.bytes()
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        let suffix = self.compression;
        let control = compress(suffix, &self.control_tar());
        let data = compress(suffix, &self.data.bytes());
        ar(&[
            ("debian-binary", b"2.0\n"),
            (&format!("control.tar{suffix}"), &control),
            (&format!("data.tar{suffix}"), &data),
        ])
    }

    pub(crate) fn unpack(self) -> Result<Fragment, DebError> {
        unpack(
            self.bytes().as_slice(),
            &Limits::default(),
            &mut Keep::default(),
        )
    }

    pub(crate) fn fragment(self) -> Fragment {
        self.unpack().expect("a good package")
    }
}

/// Keeps contents in memory, and a line for each entry.
#[derive(Default)]
pub(crate) struct Keep(pub(crate) Vec<String>);

impl Sink for Keep {
    fn entry(
        &mut self,
        path: &TreePath,
        meta: &Meta,
        entry: EntryKind<'_>,
    ) -> io::Result<Option<Content>> {
        self.0.push(format!("{path} {:o} {entry:?}", meta.mode));
        let EntryKind::Regular { body, .. } = entry else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes)?;
        Ok(Some(Content::inline(bytes)))
    }
}

pub(crate) fn path(text: &str) -> TreePath {
    TreePath::new(text.as_bytes()).expect("a path")
}

/// The text of a file in a tree.
pub(crate) fn text(tree: &Tree, at: &str) -> String {
    let node = tree
        .get(&path(at))
        .unwrap_or_else(|| panic!("{at} is there"));
    let imgc_tree::Kind::Regular(Content {
        data: imgc_tree::Data::Inline(bytes),
        ..
    }) = &node.kind
    else {
        panic!("{at} is a file in memory");
    };
    String::from_utf8_lossy(bytes).into_owned()
}
