//! A table of strings as systemd's databases have it: one that ends another is not kept
//! twice.

use std::collections::BTreeMap;

/// The strings, each with a zero byte behind it, behind an empty one.
#[derive(Debug, Clone)]
pub(super) struct Strings {
    pub(super) bytes: Vec<u8>,
    nodes: Vec<Node>,
}

/// A string, and those that differ from it in the byte at this depth from the end.
#[derive(Debug, Clone, Default)]
struct Node {
    at: usize,
    length: usize,
    children: BTreeMap<u8, usize>,
}

impl Default for Strings {
    fn default() -> Self {
        Self {
            bytes: vec![0],
            nodes: vec![Node::default()],
        }
    }
}

impl Strings {
    /// Where a string is; it is added if it is nowhere.
    pub(super) fn add(&mut self, text: &[u8]) -> usize {
        if text.is_empty() {
            return 0;
        }
        let mut node = 0;
        for depth in 0..=text.len() {
            let Node { at, length, .. } = self.nodes[node];
            let ends = length >= text.len() && self.bytes[at..at + length].ends_with(text);
            if ends {
                return at + length - text.len();
            }
            let Some(byte) = text.len().checked_sub(depth + 1).map(|last| text[last]) else {
                break;
            };
            match self.nodes[node].children.get(&byte) {
                Some(child) => node = *child,
                None => {
                    let at = self.bytes.len();
                    self.bytes.extend_from_slice(text);
                    self.bytes.push(0);
                    let new = self.nodes.len();
                    self.nodes[node].children.insert(byte, new);
                    self.nodes.push(Node {
                        at,
                        length: text.len(),
                        children: BTreeMap::new(),
                    });
                    return at;
                }
            }
        }
        // The walk ends at a string that ends with this one.
        let Node { at, length, .. } = self.nodes[node];
        at + length - text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_shared() {
        let mut strings = Strings::default();
        assert_eq!(strings.add(b"abc"), 1);
        assert_eq!(strings.add(b"bc"), 2);
        assert_eq!(strings.add(b"xbc"), 5);
        assert_eq!(strings.add(b"bc"), 2);
        assert_eq!(strings.add(b""), 0);
        assert_eq!(strings.bytes, b"\0abc\0xbc\0");
    }
}
