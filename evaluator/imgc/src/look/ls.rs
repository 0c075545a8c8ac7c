//! `imgc ls`: the files of an image.

use imgc_tree::{Kind, Node, Tree, TreePath};
use serde::Serialize;

use super::open::Looking;
use super::rights::capabilities;
use super::words;
use crate::cli::LsArgs;
use crate::describe::Problem;
use crate::terminal::{Failure, Terminal};

/// Prints the files of an image, or of a folder of it.
pub(crate) fn run(args: &LsArgs, terminal: &Terminal) -> Result<(), Failure> {
    let looking = Looking::new(&args.look, terminal);
    let held = looking.hold(&args.image)?;
    let image = held.open()?;
    let tree = held.contents(&image)?.tree;
    let wanted = args.path.as_deref().unwrap_or("/");
    let wanted =
        TreePath::new(wanted.as_bytes()).map_err(|error| Failure::Usage(error.to_string()))?;
    let folder = tree.resolve(&wanted);
    let folder = folder.filter(|path| tree.get(path).is_some_and(Node::is_directory));
    let mut found: Vec<(&TreePath, &Node)> = Vec::new();
    match &folder {
        Some(folder) if args.recursive => found.extend(tree.below(folder)),
        Some(folder) => {
            let children = tree.children(folder);
            found.extend(children.map(|(path, ino)| (path, tree.node(ino))));
        }
        None => {
            let (path, node) = entry(&tree, &wanted)?;
            found.extend(tree.below(path).take(1).map(|(path, _)| (path, node)));
        }
    }
    if args.json {
        let entries = found.iter().map(|(path, node)| Entry::of(path, node));
        let document = Document {
            entries: entries.collect(),
        };
        let text = serde_json::to_string_pretty(&document).expect("a document is plain data");
        return terminal.result(&text);
    }
    let is_whole = args.recursive || folder.is_none();
    let name = |path: &TreePath| match is_whole {
        true => words::path(path),
        false => words::plain(path.name()),
    };
    let text = match args.long {
        true => long(&found, &name),
        false => found.iter().map(|(path, _)| name(path) + "\n").collect(),
    };
    terminal.write(&text)
}

/// What stands at a path, whose folder may be behind links.
fn entry<'a>(tree: &'a Tree, wanted: &'a TreePath) -> Result<(&'a TreePath, &'a Node), Problem> {
    let absent = || words::absent(tree, wanted);
    let folder = wanted.parent().unwrap_or_else(TreePath::root);
    let folder = tree.resolve(&folder).ok_or_else(absent)?;
    let path = folder.join(wanted.name()).map_err(|_| absent())?;
    let found = tree.names().find(|(other, _)| **other == path);
    let (path, ino) = found.ok_or_else(absent)?;
    Ok((path, tree.node(ino)))
}

fn long(found: &[(&TreePath, &Node)], name: &dyn Fn(&TreePath) -> String) -> String {
    let rows: Vec<[String; 5]> = found
        .iter()
        .map(|(path, node)| {
            let mut name = name(path);
            if let Kind::Symlink(target) = &node.kind {
                name.push_str(&format!(" -> {}", words::plain(target)));
            }
            if let Some(capabilities) = capabilities(node) {
                name.push_str(&format!(" [{capabilities}]"));
            }
            let size = match &node.kind {
                Kind::Regular(content) => content.size.to_string(),
                Kind::CharDevice { major, minor } | Kind::BlockDevice { major, minor } => {
                    format!("{major},{minor}")
                }
                _ => "0".to_owned(),
            };
            let owner = format!("{}/{}", node.meta.uid, node.meta.gid);
            [mode(node), owner, size, words::time(node.meta.mtime), name]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (owners, sizes, times) = (width(1), width(2), width(3));
    let lines = rows.iter().map(|[mode, owner, size, time, name]| {
        format!("{mode} {owner:<owners$} {size:>sizes$} {time:<times$} {name}\n")
    });
    lines.collect()
}

/// The mode as `ls -l` has it.
fn mode(node: &Node) -> String {
    let kind = match node.kind {
        Kind::Directory => 'd',
        Kind::Regular(_) => '-',
        Kind::Symlink(_) => 'l',
        Kind::CharDevice { .. } => 'c',
        Kind::BlockDevice { .. } => 'b',
        Kind::Fifo => 'p',
    };
    let mode = node.meta.mode;
    let mut text = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (false, false) => '-',
            (false, true) => 'x',
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
        });
    }
    text
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Document {
    entries: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Entry {
    path: String,
    kind: &'static str,
    /// Permission bits, octal.
    mode: String,
    uid: u32,
    gid: u32,
    /// In seconds since 1970.
    mtime: i64,
    /// A file's length in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Where a symbolic link leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    /// What a program may do beyond its user: `cap_net_bind_service=ep`.
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<String>,
    /// The names of extended attributes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attributes: Vec<String>,
}

impl Entry {
    fn of(path: &TreePath, node: &Node) -> Self {
        let content = match &node.kind {
            Kind::Regular(content) => Some(content),
            _ => None,
        };
        Self {
            path: words::path(path),
            kind: words::kind(node),
            mode: format!("{:04o}", node.meta.mode),
            uid: node.meta.uid,
            gid: node.meta.gid,
            mtime: node.meta.mtime,
            size: content.map(|content| content.size),
            sha256: content.map(|content| {
                let digits = content.sha256.iter().map(|byte| format!("{byte:02x}"));
                digits.collect()
            }),
            target: match &node.kind {
                Kind::Symlink(target) => Some(words::plain(target)),
                _ => None,
            },
            capabilities: capabilities(node),
            attributes: node.meta.xattrs.keys().cloned().collect(),
        }
    }
}
