//! The tree of matches and their properties, and the file `hwdb.bin` that holds it.
//! Numbers in it are little-endian, places are counted from its start.

use super::strings::Strings;

/// The sizes of the header, a node, a child of one, and a property.
const HEADER: usize = 80;
const NODE: usize = 24;
const CHILD: usize = 16;
const VALUE: usize = 32;

/// Matches, and what they say.
#[derive(Debug)]
pub(super) struct Trie {
    strings: Strings,
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    /// The place of what all below begin with.
    prefix: usize,
    /// Letters in order, and the nodes below.
    below: Vec<(u8, usize)>,
    /// In the order of their keys.
    values: Vec<Value>,
}

#[derive(Debug)]
struct Value {
    key: usize,
    value: usize,
    source: usize,
    line: u32,
    priority: u16,
}

/// A property, and where it is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Property<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) source: &'a [u8],
    pub(super) line: u32,
    pub(super) priority: u16,
}

impl Trie {
    pub(super) fn new() -> Self {
        Self {
            strings: Strings::new(),
            nodes: vec![Node::default()],
        }
    }

    /// Says something of all that matches `search`.
    pub(super) fn insert(&mut self, search: &[u8], property: &Property<'_>) {
        let byte = |at: usize| search.get(at).copied().unwrap_or(0);
        let (mut at, mut read) = (0, 0);
        loop {
            let prefix = self.nodes[at].prefix;
            let mut same = 0;
            loop {
                let letter = self.strings.byte(prefix + same);
                if letter == 0 {
                    break;
                }
                if letter != byte(read + same) {
                    self.split(at, same, letter);
                    break;
                }
                same += 1;
            }
            read += same;
            let letter = byte(read);
            if letter == 0 {
                return self.say(at, property);
            }
            let below = &self.nodes[at].below;
            match below.binary_search_by_key(&letter, |(letter, _)| *letter) {
                Ok(found) => at = below[found].1,
                Err(gap) => {
                    let prefix = self.strings.add(&search[read + 1..]);
                    let new = self.nodes.len();
                    self.nodes.push(Node {
                        prefix,
                        ..Node::default()
                    });
                    self.nodes[at].below.insert(gap, (letter, new));
                    return self.say(new, property);
                }
            }
            read += 1;
        }
    }

    /// Ends a node's prefix before its byte `same`, which is `letter`. The rest goes to a
    /// node below.
    fn split(&mut self, at: usize, same: usize, letter: u8) {
        let prefix = self.nodes[at].prefix;
        let start = self.strings.at(prefix)[..same].to_vec();
        let place = self.strings.add(&start);
        let new = self.nodes.len();
        let node = Node {
            prefix: place,
            below: vec![(letter, new)],
            values: Vec::new(),
        };
        let mut rest = std::mem::replace(&mut self.nodes[at], node);
        rest.prefix = prefix + same + 1;
        self.nodes.push(rest);
    }

    fn say(&mut self, at: usize, property: &Property<'_>) {
        let key = self.strings.add(property.key);
        let value = self.strings.add(property.value);
        let source = self.strings.add(property.source);
        let new = Value {
            key,
            value,
            source,
            line: property.line,
            priority: property.priority,
        };
        let strings = &self.strings;
        let values = &mut self.nodes[at].values;
        match values.binary_search_by(|value| strings.at(value.key).cmp(property.key)) {
            Ok(found) => {
                let key = values[found].key;
                values[found] = Value { key, ..new };
            }
            Err(gap) => values.insert(gap, new),
        }
    }

    /// The bytes of the file, of this version of systemd.
    pub(super) fn file(&self, version: u64) -> Vec<u8> {
        let size = |node: &Node| NODE + CHILD * node.below.len() + VALUE * node.values.len();
        let strings = HEADER + self.nodes.iter().map(size).sum::<usize>();
        let mut bytes = vec![0; HEADER];
        let mut places = vec![0; self.nodes.len()];
        // A node lies behind all that are below it.
        let mut open = vec![(0, 0)];
        while let Some((at, child)) = open.pop() {
            let node = &self.nodes[at];
            if let Some((_, below)) = node.below.get(child) {
                open.push((at, child + 1));
                open.push((*below, 0));
                continue;
            }
            places[at] = bytes.len();
            word(&mut bytes, strings + node.prefix);
            bytes.extend_from_slice(&[u8::try_from(node.below.len()).unwrap_or(u8::MAX)]);
            bytes.extend_from_slice(&[0; 7]);
            word(&mut bytes, node.values.len());
            for (letter, below) in &node.below {
                bytes.extend_from_slice(&[*letter, 0, 0, 0, 0, 0, 0, 0]);
                word(&mut bytes, places[*below]);
            }
            for value in &node.values {
                word(&mut bytes, strings + value.key);
                word(&mut bytes, strings + value.value);
                word(&mut bytes, strings + value.source);
                bytes.extend_from_slice(&value.line.to_le_bytes());
                bytes.extend_from_slice(&value.priority.to_le_bytes());
                bytes.extend_from_slice(&[0; 2]);
            }
        }
        let nodes = bytes.len() - HEADER;
        bytes.extend_from_slice(self.strings.bytes());
        let mut header = b"KSLPHHRH".to_vec();
        header.extend_from_slice(&version.to_le_bytes());
        let sizes = [bytes.len(), HEADER, NODE, CHILD, VALUE, places[0], nodes];
        for size in sizes {
            word(&mut header, size);
        }
        word(&mut header, self.strings.bytes().len());
        bytes[..HEADER].copy_from_slice(&header);
        bytes
    }
}

fn word(bytes: &mut Vec<u8>, word: usize) {
    bytes.extend_from_slice(&(word as u64).to_le_bytes());
}
