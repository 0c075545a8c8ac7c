//! Derivations: pure descriptions of the steps of a build, and their digest.
//!
//! # Canonical encoding
//! A derivation is encoded as JSON by serde, and this is the format: objects
//! have their fields in the order in which this file declares them, maps are
//! sorted by key, there is no white space, numbers are integers, and strings
//! are escaped as serde_json escapes them. [`DrvDigest`] is the SHA-256 of those
//! bytes. The digest covers the *outputs* of the inputs, never how they were
//! made: an input that comes out the same stops a rebuild there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Attributes, BlobDigest, Compression, DrvDigest, Effects, File, Group, Image, Layers, Platform,
    User,
};

/// One step of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Derivation {
    /// The version of the code that realises this kind of action. Raised
    /// whenever the same action would give other bytes.
    pub abi: u32,
    /// What is asked.
    pub action: Action,
}

/// The kinds of step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Bytes that a pin names, brought from a mirror.
    Fetch {
        /// The digest that the pin gives.
        sha256: BlobDigest,
        /// Their length in bytes.
        size: u64,
    },
    /// One `.deb`, decoded to a normalised fragment.
    Unpack {
        /// The `.deb`.
        deb: BlobDigest,
    },
    /// A layer of a base, decompressed: its archive as a blob of its own, whose digest is
    /// the layer's diff id.
    Archive {
        /// The layer as its registry has it.
        layer: BlobDigest,
        /// The digest that the base's configuration gives its archive.
        archive: BlobDigest,
        /// How it is compressed: `gzip`, `zstd`, `none`.
        compression: String,
    },
    /// Fragments, installed in order, to the layer of the packages.
    Install {
        /// The archives of the layers that they are installed over, lowest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        base: Vec<BlobDigest>,
        /// The architecture's Debian name.
        arch: String,
        /// The architectures beside it that packages may be of.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        foreign: Vec<String>,
        /// The moment that no file is newer than, in seconds since 1970.
        epoch: u64,
        /// The packages whose scripts are not interpreted, sorted.
        skip: Vec<String>,
        /// What is done in the place of the scripts of these packages.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        effects: BTreeMap<String, Effects>,
        /// Patterns of paths that are not unpacked.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        exclude: Vec<String>,
        /// Patterns of paths that are unpacked all the same.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        include: Vec<String>,
        /// The packages.
        packages: Inputs,
        /// What is asked of dpkg, as the lock writes it.
        calls: Vec<String>,
        /// How the tree is cut into layers.
        #[serde(default, skip_serializing_if = "Layers::is_default")]
        layers: Layers,
    },
    /// One package's files, compressed in another way.
    Frame {
        /// The files as they were unpacked.
        segment: BlobDigest,
        /// How they are compressed.
        compression: String,
    },
    /// The files of a group of packages, to a layer.
    Layer {
        /// The folders above them: the entries at the beginning of the archive, not
        /// compressed.
        folders: BlobDigest,
        /// Each package's files as they were unpacked, in the order of the archive.
        segments: Vec<BlobDigest>,
        /// How it is compressed.
        compression: String,
    },
    /// Users, groups and files over the packages' tree, to a layer.
    Files {
        /// The moment that files are given, in seconds since 1970.
        epoch: u64,
        /// The layers of the `install` output that they are laid over, lowest first.
        base: Vec<BlobDigest>,
        /// Groups to add.
        groups: Vec<Group>,
        /// Users to add.
        users: Vec<User>,
        /// Files to add.
        files: Vec<File>,
        /// Modes, owners and capabilities of what is there then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attributes: Vec<Attributes>,
        /// How the layer is compressed.
        compression: Compression,
        /// The names of what programs ask for and the image need not have, sorted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        provided: Vec<String>,
        /// The folders that `LD_LIBRARY_PATH` names in the image's environment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        library_path: Option<String>,
        /// The architecture whose programs are looked at, in Debian's words; none where no
        /// file can be a program.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arch: Option<String>,
        /// The own file that a container begins with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        starts: Option<String>,
    },
    /// What an archive holds, checked and written down.
    Extract {
        /// The archive.
        archive: BlobDigest,
        /// How many leading parts of each path are left out.
        strip: u32,
        /// Patterns of paths that are left out.
        exclude: Vec<String>,
        /// Patterns of paths that are there all the same.
        include: Vec<String>,
        /// Whether files keep their setuid and setgid bits.
        setuid: bool,
    },
    /// Manifests of several platforms, to an index.
    Index {
        /// The manifests, in the order of the index.
        manifests: Vec<Manifest>,
        /// Annotations of the index.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        annotations: BTreeMap<String, String>,
    },
    /// A whole image from its description and its pins: the question that a warm
    /// build asks first.
    Request {
        /// The description.
        image: Box<Image>,
        /// The manifest of the base, for the image's platform.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        base: Option<BlobDigest>,
        /// The moment that the lock gives, in seconds since 1970.
        epoch: u64,
        /// The pinned packages' digests, in the order in which they are unpacked.
        packages: Vec<BlobDigest>,
        /// What is asked of dpkg, as the lock writes it.
        calls: Vec<String>,
        /// The versions of the code behind the other kinds, by kind.
        abis: BTreeMap<String, u32>,
    },
}

/// A manifest of an [`Action::Index`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its digest.
    pub digest: BlobDigest,
    /// Its length in bytes.
    pub size: u64,
    /// Where its image runs.
    pub platform: Platform,
}

/// The packages of an [`Action::Install`], in the order in which they are unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inputs {
    /// The output of each one's `unpack`.
    Fragments(Vec<BlobDigest>),
    /// What each one's `unpack` is made of: a question that can be asked before its output
    /// is known, with the same answer.
    Debs {
        /// The packages.
        debs: Vec<BlobDigest>,
        /// The version of the code that unpacks them.
        abi: u32,
    },
}

impl Derivation {
    /// The canonical encoding.
    ///
    /// # Panics
    /// Never: every field has a JSON form.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a derivation is plain data")
    }

    /// The digest of the canonical encoding.
    pub fn digest(&self) -> DrvDigest {
        DrvDigest::of(&self.encode())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodings and their digests, of each kind of action with all that it may say. `BLOB`
    /// stands for the digest of nothing, without `sha256:`.
    const GOLDENS: [(&str, &str); 14] = [
        (
            r#"{"abi":1,"action":{"fetch":{"sha256":"sha256:BLOB","size":123}}}"#,
            "413cb1c1a057c8c340a80feff763d6ecf665da2c223585533f26df349bd65ee1",
        ),
        (
            r#"{"abi":2000001,"action":{"unpack":{"deb":"sha256:BLOB"}}}"#,
            "9b17574228b9e1d806eef5b6025dc986de1bebdf30fe1bc1a5f7c4084ef98c64",
        ),
        (
            r#"{"abi":3,"action":{"install":{"arch":"amd64","epoch":1762077600,"skip":[],"packages":{"fragments":["sha256:BLOB"]},"calls":["extract 0"]}}}"#,
            "d82affdd362d82cd58c95d61c415f9dfa25aebdb56620bb90ec1fa906291930c",
        ),
        (
            r#"{"abi":3,"action":{"install":{"arch":"arm64","foreign":["armhf"],"epoch":0,"skip":["hello"],"effects":{"app":{"remove":["/var/x"]}},"exclude":["/usr/share/doc/*"],"include":["/usr/share/doc/*/copyright"],"packages":{"debs":{"debs":["sha256:BLOB"],"abi":2}},"calls":[],"layers":{"most":3,"groups":{"web":["curl","nginx"]},"compression":"gzip:9"}}}}"#,
            "1ee19cbaecedfe767fb6d1c770bdb7fe646b5e7a1e30828e44a27f8c13c77b5e",
        ),
        (
            r#"{"abi":1,"action":{"archive":{"layer":"sha256:BLOB","archive":"sha256:BLOB","compression":"gzip"}}}"#,
            "89d372c6a4e20de213ceb7a09c2f13aa69bf33c8bb732651dcfeac1d221afc48",
        ),
        (
            r#"{"abi":3,"action":{"install":{"base":["sha256:BLOB"],"arch":"amd64","epoch":0,"skip":[],"packages":{"fragments":[]},"calls":[]}}}"#,
            "636f34298449f7afc5bb1cc79e60d6410694568be5d636c6f277c863725bfe70",
        ),
        (
            r#"{"abi":1,"action":{"request":{"image":{"name":"app","platform":"linux/amd64","base":"registry.example/a@sha256:BLOB","packages":null,"groups":[],"users":[],"files":[],"config":{"entrypoint":[],"cmd":[],"env":{},"user":null,"workdir":null,"labels":{},"ports":[],"volumes":[],"stop_signal":null}},"base":"sha256:BLOB","epoch":0,"packages":[],"calls":[],"abis":{}}}}"#,
            "e48fee8a0966fa070076fa72e0337cc4bd3137893549d27739f04733bf652ed2",
        ),
        (
            r#"{"abi":1,"action":{"frame":{"segment":"sha256:BLOB","compression":"Gzip(6)"}}}"#,
            "506c198896ba3d0778bcddc375a90886a0602ae797e68dd16554d1bfdfba030e",
        ),
        (
            r#"{"abi":1,"action":{"layer":{"folders":"sha256:BLOB","segments":["sha256:BLOB"],"compression":"Zstd(3)"}}}"#,
            "b535943e09566135f29127f54bb3b4f7dfda2ad3fe2e56cb0b676ea33558f4f8",
        ),
        (
            r#"{"abi":4,"action":{"files":{"epoch":0,"base":["sha256:BLOB"],"groups":[],"users":[],"files":[],"compression":"zstd"}}}"#,
            "50f19ed6ffac8388943c9a98a383ccb1fc44c2a127140efc380055fdf945cea4",
        ),
        (
            r#"{"abi":5,"action":{"files":{"epoch":0,"base":[],"groups":[],"users":[],"files":[{"path":"/opt/x","node":{"archive":{"content":{"fetched":{"digest":"sha256:BLOB"}},"strip":1,"exclude":["/doc/*"],"include":["/doc/a"],"setuid":true}},"user":0,"group":"app"}],"compression":"zstd","provided":["libcuda.so.1"],"library_path":"/opt/x/lib"}}}"#,
            "c2e44ed248c5c0eebb886a1add7da2a282818c37f274239ad9bc0332d9ac3d6c",
        ),
        (
            r#"{"abi":1,"action":{"extract":{"archive":"sha256:BLOB","strip":1,"exclude":["/doc/*"],"include":[],"setuid":false}}}"#,
            "34f8f23e668ebcb8e3e286e45f27efbfd4e8cb24cfa5d4739a38361feaabbd27",
        ),
        (
            r#"{"abi":1,"action":{"index":{"manifests":[{"digest":"sha256:BLOB","size":7,"platform":"linux/arm/v7"}],"annotations":{"a":"b"}}}}"#,
            "83703328e1d4c5bbdcce8752943bd2ee0f7122b052c9855a1da3fd9250b6ac86",
        ),
        (
            r#"{"abi":1,"action":{"request":{"image":{"name":"app","platform":"linux/amd64","packages":null,"groups":[],"users":[],"files":[],"config":{"entrypoint":["/bin/app"],"cmd":[],"env":{"A":"b"},"user":"65534","workdir":"/srv","labels":{},"ports":[{"number":80,"protocol":"tcp"}],"volumes":[],"stop_signal":null}},"epoch":0,"packages":["sha256:BLOB"],"calls":[],"abis":{"files":4,"install":3}}}}"#,
            "2837226e8f97e2483a926b6c216267f68cd5f9a693108e737a2a9480a0342944",
        ),
    ];

    #[test]
    fn the_encodings_and_digests_are_the_ones_that_they_always_were() {
        let blob = BlobDigest::of(b"").hex();
        for (text, digest) in GOLDENS {
            let text = text.replace("BLOB", &blob);
            let derivation: Derivation = serde_json::from_str(&text).expect(&text);
            assert_eq!(
                String::from_utf8(derivation.encode()).as_deref(),
                Ok(&*text)
            );
            assert_eq!(
                DrvDigest::of(text.as_bytes()).hex(),
                derivation.digest().hex()
            );
            assert_eq!(derivation.digest().hex(), digest, "{text}");
        }
    }
}
