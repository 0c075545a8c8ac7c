//! One of the files of `/etc` that hold a line for every account, with fields between
//! colons. Lines that nobody touches stay as they are, byte for byte.

use bstr::{BString, ByteSlice as _};

use super::nss;
use crate::machine::Machine;
use crate::stop::Stop;

pub(crate) const PASSWD: &str = "/etc/passwd";
pub(crate) const GROUP: &str = "/etc/group";
pub(crate) const SHADOW: &str = "/etc/shadow";
pub(crate) const GSHADOW: &str = "/etc/gshadow";
pub(crate) const SUBUID: &str = "/etc/subuid";
pub(crate) const SUBGID: &str = "/etc/subgid";

/// The fields of a line.
pub(crate) type Row = Vec<BString>;

/// A file of accounts.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    path: &'static str,
    columns: usize,
    lines: Vec<BString>,
    there: bool,
    changed: bool,
}

impl Table {
    /// Reads the file at `path`. One that is not there has no lines, and is not made.
    pub(crate) fn load(machine: &mut Machine<'_>, path: &'static str) -> Result<Self, Stop> {
        let columns = match path {
            PASSWD => 7,
            SHADOW => 9,
            SUBUID | SUBGID => 3,
            _ => 4,
        };
        let bytes = machine.files.read(path.as_bytes());
        let there = bytes.is_ok();
        let bytes = bytes.unwrap_or_default();
        machine.spend(bytes.len() as u64 / 256)?;
        Ok(Self {
            path,
            columns,
            lines: bytes.lines().map(BString::from).collect(),
            there,
            changed: false,
        })
    }

    /// Whether the file is there.
    pub(crate) fn is_there(&self) -> bool {
        self.there
    }

    /// Makes the file, if it is not there, when the table is stored.
    pub(crate) fn make(&mut self) {
        self.there = true;
        self.changed = true;
    }

    /// The lines that can be read, as fields, in order.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row> {
        self.lines.iter().filter_map(|line| self.fields(line))
    }

    fn fields(&self, line: &BString) -> Option<Row> {
        if line.is_empty() || line.starts_with(b"#") || is_nis(line) {
            return None;
        }
        let fields: Row = line.split_str(":").map(BString::from).collect();
        (fields.len() == self.columns).then_some(fields)
    }

    fn at(&self, name: &[u8]) -> Option<usize> {
        self.lines.iter().position(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(b":"))
                && self.fields(line).is_some()
        })
    }

    /// The line of `name`.
    pub(crate) fn row(&self, name: &[u8]) -> Option<Row> {
        self.at(name).and_then(|at| self.fields(&self.lines[at]))
    }

    /// Whether there is a line of `name`.
    pub(crate) fn has(&self, name: &[u8]) -> bool {
        self.at(name).is_some()
    }

    /// Puts a line in the place of the one of the same name, or behind all others; those
    /// of NIS stay last.
    pub(crate) fn set(&mut self, row: &Row) {
        let line = BString::from(bstr::join(":", row));
        self.changed = true;
        let name = row.first().map_or(&b""[..], |name| name);
        if let Some(at) = self.at(name) {
            self.lines[at] = line;
            return;
        }
        let end = self.lines.iter().position(is_nis);
        self.lines.insert(end.unwrap_or(self.lines.len()), line);
    }

    /// Adds a line behind all others, whatever its name.
    pub(crate) fn push(&mut self, row: &Row) {
        self.changed = true;
        self.lines.push(BString::from(bstr::join(":", row)));
    }

    /// Removes the line of `name`. Says whether there was one.
    pub(crate) fn remove(&mut self, name: &[u8]) -> bool {
        let Some(at) = self.at(name) else {
            return false;
        };
        self.lines.remove(at);
        self.changed = true;
        true
    }

    /// Keeps only the rows for which `keep` says so. Lines that can't be read stay.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Row) -> bool) {
        let kept: Vec<bool> = self
            .lines
            .iter()
            .map(|line| self.fields(line).is_none_or(|row| keep(&row)))
            .collect();
        self.changed |= kept.contains(&false);
        let mut kept = kept.into_iter();
        self.lines.retain(|_| kept.next().unwrap_or(true));
    }

    /// Sorts the rows by `key`; lines that can't be read come first.
    pub(crate) fn sort<K: Ord>(&mut self, key: impl Fn(&Row) -> K) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.sort_by_cached_key(|line| self.fields(line).map(|row| key(&row)));
        self.lines = lines;
        self.changed = true;
    }

    /// Changes every row; what `change` says is whether it did.
    pub(crate) fn each(&mut self, mut change: impl FnMut(&mut Row) -> bool) {
        for at in 0..self.lines.len() {
            if let Some(mut row) = self.fields(&self.lines[at])
                && change(&mut row)
            {
                self.lines[at] = BString::from(bstr::join(":", &row));
                self.changed = true;
            }
        }
    }

    /// Writes the file, if it is there and something changed. Its mode and owner stay; a
    /// new one has those of the programs of this family.
    pub(crate) fn store(self, machine: &mut Machine<'_>) -> Result<(), Stop> {
        if !self.changed || !self.there {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for line in &self.lines {
            bytes.extend_from_slice(line);
            bytes.push(b'\n');
        }
        let files = &mut machine.files;
        let path = self.path.as_bytes();
        let hidden = matches!(self.path, SHADOW | GSHADOW);
        let new = hidden && !files.exists(path);
        let mode = if hidden { 0o440 } else { 0o644 };
        let written = files.write(path, bytes, mode);
        written.map_err(|error| Stop::unsupported(format!("{}: {error}", self.path)))?;
        if new && let Some(shadow) = nss::group_named(machine, b"shadow")? {
            // The file was just written.
            let _ = machine.files.chown(path, None, Some(shadow.gid), true);
        }
        Ok(())
    }
}

fn is_nis(line: &BString) -> bool {
    line.starts_with(b"+") || line.starts_with(b"-")
}

/// A row of these fields.
pub(crate) fn row(fields: &[&[u8]]) -> Row {
    fields.iter().map(|&field| BString::from(field)).collect()
}

/// The names of a list with commas.
pub(crate) fn list(field: &[u8]) -> Vec<BString> {
    let names = field.split_str(",");
    names
        .filter(|name| !name.is_empty())
        .map(BString::from)
        .collect()
}

/// Names as a list with commas.
pub(crate) fn join(names: &[BString]) -> BString {
    bstr::join(",", names).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    #[test]
    fn only_what_is_touched_changes() {
        let mut m = machine();
        m.put(GROUP, "# note\nroot:x:0:\nodd\nadm:x:4:a,b\n+::\n", 0o640);
        let mut table = Table::load(&mut m, GROUP).unwrap();
        assert_eq!(table.rows().count(), 2);
        assert_eq!(list(&table.row(b"adm").unwrap()[3]), ["a", "b"]);
        table.set(&["tty", "x", "5", ""].map(BString::from).to_vec());
        assert!(table.remove(b"root"));
        table.store(&mut m).unwrap();
        assert_eq!(m.text(GROUP), "# note\nodd\nadm:x:4:a,b\ntty:x:5:\n+::\n");
        assert_eq!(m.files.stat(GROUP.as_bytes(), true).unwrap().mode, 0o640);
    }

    #[test]
    fn a_missing_file_is_not_made() {
        let mut m = machine();
        let mut table = Table::load(&mut m, GSHADOW).unwrap();
        table.set(&["tty", "x", "5", ""].map(BString::from).to_vec());
        table.store(&mut m).unwrap();
        assert!(!m.files.exists(GSHADOW.as_bytes()));
    }
}
