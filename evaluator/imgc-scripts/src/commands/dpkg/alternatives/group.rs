//! A link group as its file in `/var/lib/dpkg/alternatives` has it: reading, changing and
//! writing that. It touches no links.

use bstr::{BStr, BString, ByteSlice as _};

/// A link group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: BString,
    pub(super) link: BString,
    pub(super) manual: bool,
    pub(super) slaves: Vec<Slave>,
    pub(super) choices: Vec<Choice>,
    /// Whether it is newer than its file.
    pub(super) modified: bool,
}

/// A link that goes along with the group's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slave {
    pub(super) name: BString,
    pub(super) link: BString,
}

/// What the group's link can lead to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) file: BString,
    pub(super) priority: i32,
    /// The slaves' files, by the slave's name. None is empty.
    pub(super) slaves: Vec<(BString, BString)>,
}

impl Choice {
    /// The file of a slave.
    pub(super) fn slave(&self, name: &[u8]) -> Option<&BStr> {
        let found = self.slaves.iter().find(|(slave, _)| slave == name);
        found.map(|(_, file)| file.as_bstr())
    }

    /// Sets the file of a slave.
    pub(super) fn set_slave(&mut self, name: &BStr, file: &BStr) {
        match self.slaves.iter_mut().find(|(slave, _)| slave == name) {
            Some(slave) => slave.1 = file.into(),
            None => self.slaves.push((name.into(), file.into())),
        }
    }
}

impl Group {
    /// Reads a group's file. `exists` says whether a file of the tree is there: choices
    /// whose file is not are dropped.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(
        name: &BStr,
        bytes: &[u8],
        exists: impl Fn(&[u8]) -> bool,
    ) -> Result<Self, String> {
        let mut lines = bytes.split_inclusive(|&b| b == b'\n');
        let mut line = |what: &str| -> Result<BString, String> {
            let line = lines.next().and_then(|line| line.strip_suffix(b"\n"));
            let line = line.ok_or_else(|| format!("{name} corrupt: missing {what}"));
            line.map(BString::from)
        };
        let mut group = Self {
            name: name.into(),
            ..Self::default()
        };
        match line("status")?.as_slice() {
            b"auto" => {}
            b"manual" => group.manual = true,
            _ => return Err(format!("{name} corrupt: invalid status")),
        }
        group.link = line("master link")?;
        loop {
            let name = line("slave name")?;
            if name.is_empty() {
                break;
            }
            let link = line("slave link")?;
            group.slaves.push(Slave { name, link });
        }
        loop {
            let file = line("master file")?;
            if file.is_empty() {
                break;
            }
            let priority = line("priority")?;
            let priority = priority.to_str_lossy().trim().parse::<i32>();
            let mut slaves = Vec::new();
            for slave in &group.slaves {
                let file = line("slave file")?;
                if !file.is_empty() {
                    slaves.push((slave.name.clone(), file));
                }
            }
            if !exists(&file) {
                group.modified = true;
                continue;
            }
            let priority =
                priority.map_err(|_| format!("{name} corrupt: the priority is no number"))?;
            group.choices.push(Choice {
                file,
                priority,
                slaves,
            });
        }
        Ok(group)
    }

    /// The group's file. Slaves that no choice has any more are dropped.
    pub(super) fn text(&mut self) -> Vec<u8> {
        self.slaves.retain(|slave| {
            let mut choices = self.choices.iter();
            choices.any(|choice| choice.slave(&slave.name).is_some())
        });
        self.slaves.sort_by(|a, b| a.name.cmp(&b.name));
        self.choices.sort_by(|a, b| a.file.cmp(&b.file));
        let mut text = Vec::new();
        let mut line = |line: &[u8]| {
            text.extend_from_slice(line);
            text.push(b'\n');
        };
        line(self.status().as_bytes());
        line(&self.link);
        for slave in &self.slaves {
            line(&slave.name);
            line(&slave.link);
        }
        line(b"");
        for choice in &self.choices {
            line(&choice.file);
            line(choice.priority.to_string().as_bytes());
            for slave in &self.slaves {
                line(choice.slave(&slave.name).unwrap_or_default());
            }
        }
        line(b"");
        text
    }

    /// `auto` or `manual`.
    pub(super) fn status(&self) -> &'static str {
        if self.manual { "manual" } else { "auto" }
    }

    pub(super) fn set_manual(&mut self, manual: bool) {
        self.modified |= self.manual != manual;
        self.manual = manual;
    }

    pub(super) fn set_link(&mut self, link: &BStr) {
        self.modified |= self.link != link;
        self.link = link.into();
    }

    pub(super) fn choice(&self, file: &[u8]) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.file == file)
    }

    pub(super) fn slave(&self, name: &[u8]) -> Option<&Slave> {
        self.slaves.iter().find(|slave| slave.name == name)
    }

    /// The choice of the highest priority: `current` if that is one, else the first.
    pub(super) fn best(&self, current: Option<&BString>) -> Option<&Choice> {
        let current = current.and_then(|file| self.choice(file));
        let mut best = current.or(self.choices.first())?;
        for choice in &self.choices {
            if choice.priority > best.priority {
                best = choice;
            }
        }
        Some(best)
    }

    pub(super) fn add_choice(&mut self, choice: Choice) {
        let old = self.choices.iter_mut().find(|old| old.file == choice.file);
        match old {
            Some(old) => *old = choice,
            None => self.choices.push(choice),
        }
        self.modified = true;
    }

    pub(super) fn remove_choice(&mut self, file: &[u8]) -> bool {
        let before = self.choices.len();
        self.choices.retain(|choice| choice.file != file);
        let removed = before != self.choices.len();
        self.modified |= removed;
        removed
    }

    /// Adds a slave, or gives it another link.
    pub(super) fn set_slave(&mut self, slave: &Slave) {
        match self.slaves.iter_mut().find(|old| old.name == slave.name) {
            Some(old) => {
                self.modified |= old.link != slave.link;
                old.link = slave.link.clone();
            }
            None => {
                self.slaves.push(slave.clone());
                self.modified = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_it_reads() {
        let text = "auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\n\n\
            /usr/bin/gawk\n10\n/usr/share/man/man1/gawk.1.gz\n/usr/bin/mawk\n5\n\n\n";
        let mut group = Group::parse(b"awk".into(), text.as_bytes(), |_| true).expect("a group");
        assert_eq!(group.text(), text.as_bytes());
        assert_eq!(group.best(None).expect("one").file, "/usr/bin/gawk");
        let less = Group::parse(b"awk".into(), text.as_bytes(), |file| {
            file.ends_with(b"mawk")
        });
        let mut less = less.expect("a group");
        assert!(less.modified);
        assert_eq!(less.text(), b"auto\n/usr/bin/awk\n\n/usr/bin/mawk\n5\n\n");
        assert!(Group::parse(b"awk".into(), b"auto\n/usr/bin/awk", |_| true).is_err());
    }
}
