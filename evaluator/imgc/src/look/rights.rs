//! Programs that may do more than whoever starts them: by `setuid`, `setgid` or capabilities.

use imgc_oci::read::Contents;
use imgc_plan::{CAPABILITY_ATTRIBUTE, FileCapabilities};
use imgc_tree::{Kind, Node};
use serde::Serialize;

use super::words;

/// A program, and what it may do.
#[derive(Debug, Serialize)]
pub(super) struct Right {
    path: String,
    /// The user that it runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    setuid: Option<u32>,
    /// The group that it runs as.
    #[serde(skip_serializing_if = "Option::is_none")]
    setgid: Option<u32>,
    /// As `getcap` shows them.
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<String>,
}

/// All programs of an image that have such rights, by path.
pub(super) fn of(contents: &Contents) -> Vec<Right> {
    let files = contents.tree.iter();
    let files = files.filter(|(_, node)| matches!(node.kind, Kind::Regular(_)));
    let rights = files.map(|(path, node)| {
        let meta = &node.meta;
        Right {
            path: words::path(path),
            setuid: (meta.mode & 0o4000 != 0).then_some(meta.uid),
            setgid: (meta.mode & 0o2000 != 0).then_some(meta.gid),
            capabilities: capabilities(node),
        }
    });
    let has = |right: &Right| {
        right.setuid.is_some() || right.setgid.is_some() || right.capabilities.is_some()
    };
    rights.filter(has).collect()
}

/// The capabilities of a program as `getcap` shows them; those that it has no short form
/// for as the attribute, in hexadecimal.
pub(super) fn capabilities(node: &Node) -> Option<String> {
    let value = node.meta.xattrs.get(CAPABILITY_ATTRIBUTE)?;
    let text = FileCapabilities::decode(value).and_then(FileCapabilities::show);
    Some(text.unwrap_or_else(|| value.iter().map(|byte| format!("{byte:02x}")).collect()))
}

impl Right {
    /// It on one line: `/usr/bin/su: setuid 0`.
    pub(super) fn line(&self) -> String {
        let mut what = Vec::new();
        what.extend(self.setuid.map(|uid| format!("setuid {uid}")));
        what.extend(self.setgid.map(|gid| format!("setgid {gid}")));
        what.extend(self.capabilities.clone());
        format!("{}: {}", self.path, what.join(", "))
    }
}
