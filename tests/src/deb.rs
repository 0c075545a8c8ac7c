//! Makes `.deb` files: `ar` around two tar archives, as `deb(5)` says.

use std::fmt::Write as _;
use std::io::Write as _;

/// The time of everything in a made package, in seconds since 1970.
const MTIME: u64 = 1_700_000_000;

/// A package to make.
#[derive(Debug, Clone)]
pub struct Deb {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture: `amd64`, `arm64` or `all`.
    pub arch: String,
    fields: Vec<(String, String)>,
    control: Vec<(String, String, u32)>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    path: String,
    mode: u32,
    ids: (u64, u64),
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Folder,
    File(Vec<u8>),
    Symlink(String),
    HardLink(String),
}

impl Deb {
    /// An empty package.
    pub fn new(name: &str, version: &str, arch: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            arch: arch.to_owned(),
            fields: Vec::new(),
            control: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// With a further control field: `Depends`, `Essential`.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a member of the control archive: `conffiles` with mode 0644, or a
    /// maintainer script with mode 0755.
    #[must_use]
    pub fn control(mut self, name: &str, text: &str, mode: u32) -> Self {
        self.control.push((name.to_owned(), text.to_owned(), mode));
        self
    }

    /// With a folder of mode 0755, owned by root.
    #[must_use]
    pub fn folder(self, path: &str) -> Self {
        self.folder_of_mode(path, 0o755)
    }

    /// With a folder of another mode, owned by root.
    #[must_use]
    pub fn folder_of_mode(self, path: &str, mode: u32) -> Self {
        self.entry(path, mode, (0, 0), Kind::Folder)
    }

    /// With a file, owned by root. Its folders are added where they are missing.
    #[must_use]
    pub fn file(self, path: &str, mode: u32, bytes: impl AsRef<[u8]>) -> Self {
        self.owned_file(path, mode, (0, 0), bytes)
    }

    /// With a file that belongs to a user and group id.
    #[must_use]
    pub fn owned_file(
        self,
        path: &str,
        mode: u32,
        ids: (u64, u64),
        bytes: impl AsRef<[u8]>,
    ) -> Self {
        self.entry(path, mode, ids, Kind::File(bytes.as_ref().to_owned()))
    }

    /// With a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.entry(path, 0o777, (0, 0), Kind::Symlink(target.to_owned()))
    }

    /// With a hard link to a file that was added before.
    #[must_use]
    pub fn hard_link(self, path: &str, to: &str) -> Self {
        self.entry(path, 0o644, (0, 0), Kind::HardLink(to.to_owned()))
    }

    fn entry(mut self, path: &str, mode: u32, ids: (u64, u64), kind: Kind) -> Self {
        let mut above = Vec::new();
        let mut rest = path;
        while let Some((folder, _)) = rest.rsplit_once('/') {
            above.push(folder.to_owned());
            rest = folder;
        }
        for folder in above.into_iter().rev() {
            if !self.entries.iter().any(|entry| entry.path == folder) {
                self.entries.push(Entry {
                    path: folder,
                    mode: 0o755,
                    ids: (0, 0),
                    kind: Kind::Folder,
                });
            }
        }
        self.entries.push(Entry {
            path: path.to_owned(),
            mode,
            ids,
            kind,
        });
        self
    }

    /// The paths of its files and links.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.iter();
        let files = entries.filter(|entry| !matches!(entry.kind, Kind::Folder));
        files.map(|entry| entry.path.as_str())
    }

    /// The name of the file: `hello_1.0_amd64.deb`.
    pub fn file_name(&self) -> String {
        // The epoch is no part of a file name.
        let version = self
            .version
            .split_once(':')
            .map_or(&*self.version, |(_, rest)| rest);
        format!("{}_{version}_{}.deb", self.name, self.arch)
    }

    /// The control paragraph, as it also stands in an index.
    pub fn paragraph(&self) -> String {
        let mut text = format!(
            "Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: Test <test@mirror.example>\n",
            self.name, self.version, self.arch
        );
        for (name, value) in &self.fields {
            writeln!(text, "{name}: {value}").expect("a string takes any text");
        }
        writeln!(text, "Description: {} for tests", self.name).expect("a string takes any text");
        text
    }

    /// The bytes of the `.deb`, with both members compressed by xz.
    pub fn build(&self) -> Vec<u8> {
        let mut deb = b"!<arch>\n".to_vec();
        member(&mut deb, "debian-binary", b"2.0\n");
        member(&mut deb, "control.tar.xz", &xz(&self.control_tar()));
        member(&mut deb, "data.tar.xz", &xz(&self.data_tar()));
        deb
    }

    fn control_tar(&self) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        append(&mut tar, "./", 0o755, (0, 0), &Kind::Folder);
        let control = Kind::File(self.paragraph().into_bytes());
        append(&mut tar, "./control", 0o644, (0, 0), &control);
        for (name, text, mode) in &self.control {
            let kind = Kind::File(text.clone().into_bytes());
            append(&mut tar, &format!("./{name}"), *mode, (0, 0), &kind);
        }
        tar.into_inner().expect("memory takes a tar archive")
    }

    fn data_tar(&self) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        append(&mut tar, "./", 0o755, (0, 0), &Kind::Folder);
        for entry in &self.entries {
            let slash = if matches!(entry.kind, Kind::Folder) {
                "/"
            } else {
                ""
            };
            let path = format!("./{}{slash}", entry.path);
            append(&mut tar, &path, entry.mode, entry.ids, &entry.kind);
        }
        tar.into_inner().expect("memory takes a tar archive")
    }
}

/// `bytes` compressed by xz.
pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).expect("memory takes all bytes");
    encoder.finish().expect("memory takes all bytes")
}

fn append(tar: &mut tar::Builder<Vec<u8>>, path: &str, mode: u32, ids: (u64, u64), kind: &Kind) {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_mtime(MTIME);
    header.set_uid(ids.0);
    header.set_gid(ids.1);
    header.set_size(0);
    // The field is set as bytes: the crate's own call drops the `./` that dpkg writes.
    let name = &mut header.as_gnu_mut().expect("a GNU header").name;
    name[..path.len()].copy_from_slice(path.as_bytes());
    let (kind, link, bytes): (_, _, &[u8]) = match kind {
        Kind::Folder => (tar::EntryType::Directory, None, &[]),
        Kind::File(bytes) => (tar::EntryType::Regular, None, bytes),
        Kind::Symlink(target) => (tar::EntryType::Symlink, Some(target.clone()), &[]),
        Kind::HardLink(to) => (tar::EntryType::Link, Some(format!("./{to}")), &[]),
    };
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    if let Some(link) = link {
        let field = &mut header.as_gnu_mut().expect("a GNU header").linkname;
        field[..link.len()].copy_from_slice(link.as_bytes());
    }
    header.set_cksum();
    tar.append(&header, bytes)
        .expect("memory takes a tar archive");
}

fn member(deb: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    let size = bytes.len();
    let header = format!(
        "{name:<16}{MTIME:<12}{:<6}{:<6}{:<8}{size:<10}`\n",
        0, 0, 100_644
    );
    deb.extend_from_slice(header.as_bytes());
    deb.extend_from_slice(bytes);
    if size % 2 == 1 {
        deb.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_header_is_sixty_bytes() {
        let mut deb = Vec::new();
        member(&mut deb, "debian-binary", b"2.0\n");
        assert_eq!(deb.len(), 64);
        assert_eq!(&deb[58..60], b"`\n");
    }

    #[test]
    fn folders_come_before_their_files_and_once() {
        let deb = Deb::new("a", "1:2", "all")
            .file("usr/bin/a", 0o755, "x")
            .file("usr/b", 0o644, "");
        let paths: Vec<&str> = deb.entries.iter().map(|entry| &*entry.path).collect();
        assert_eq!(paths, ["usr", "usr/bin", "usr/bin/a", "usr/b"]);
        assert_eq!(deb.file_name(), "a_2_all.deb");
    }
}
