//! Strings one behind the other, each with a null byte. A string that is the end of an
//! earlier one is not written again, as far as the search for it finds that one: the
//! order of adding and the search are those of systemd.

/// The strings, and a tree of their letters from the end.
#[derive(Debug)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    place: usize,
    length: usize,
    /// Letters in order, and the nodes below.
    below: Vec<(u8, usize)>,
}

impl Strings {
    /// No strings but the empty one, at the start.
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0],
            nodes: vec![Node::default()],
        }
    }

    /// All bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The string at `place`.
    pub(super) fn at(&self, place: usize) -> &[u8] {
        let rest = self.bytes.get(place..).unwrap_or_default();
        let end = rest.iter().position(|&b| b == 0);
        &rest[..end.unwrap_or(rest.len())]
    }

    /// The byte at `place`, which is null where a string ends.
    pub(super) fn byte(&self, place: usize) -> u8 {
        self.bytes.get(place).copied().unwrap_or(0)
    }

    /// The place of `string`, which has no null byte.
    pub(super) fn add(&mut self, string: &[u8]) -> usize {
        if string.is_empty() {
            return 0;
        }
        let mut at = 0;
        for depth in 0..=string.len() {
            let node = &self.nodes[at];
            let end = node.place + node.length;
            if depth == string.len() {
                return end - string.len();
            }
            if node.length >= string.len() && self.bytes[..end].ends_with(string) {
                return end - string.len();
            }
            let letter = string[string.len() - 1 - depth];
            match node
                .below
                .binary_search_by_key(&letter, |(letter, _)| *letter)
            {
                Ok(found) => at = node.below[found].1,
                Err(gap) => {
                    let new = self.nodes.len();
                    self.nodes[at].below.insert(gap, (letter, new));
                    break;
                }
            }
        }
        let place = self.bytes.len();
        self.bytes.extend_from_slice(string);
        self.bytes.push(0);
        self.nodes.push(Node {
            place,
            length: string.len(),
            below: Vec::new(),
        });
        place
    }
}

#[cfg(test)]
mod tests {
    use super::Strings;

    #[test]
    fn ends_are_shared() {
        let mut strings = Strings::new();
        assert_eq!(strings.add(b"abc"), 1);
        assert_eq!(strings.add(b"bc"), 2);
        assert_eq!(strings.add(b"xbc"), 5);
        assert_eq!(strings.add(b"c"), 3);
        assert_eq!(strings.add(b""), 0);
        assert_eq!(strings.bytes(), b"\0abc\0xbc\0");
        assert_eq!(strings.at(2), b"bc");
    }
}
