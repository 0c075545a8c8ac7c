//! The commands of a RUN that add users and groups, with the defaults of Debian's own
//! commands.

use crate::import::convert::{Converter, item};
use crate::import::draft::{Section, Value};
use crate::import::entries::{Content, FileEntry, Group, Owner, Primary, User};
use crate::import::run::At;
use crate::import::tree::options;

/// The group that Debian has for users without one.
const NOGROUP: u32 = 65534;
/// The group `users` of Debian.
const USERS: u32 = 100;

/// What a command says of a user.
#[derive(Debug, Default)]
struct Asked<'a> {
    uid: Option<&'a str>,
    group: Option<&'a str>,
    groups: Vec<&'a str>,
    home: Option<&'a str>,
    shell: Option<&'a str>,
    comment: Option<&'a str>,
    makes_home: bool,
    is_system: bool,
    /// Whether the group is one that Debian has, and not one of the user's own.
    shared: Option<u32>,
}

impl Converter<'_> {
    pub(super) fn useradd(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        const WITH_VALUE: [&str; 18] = [
            "-u",
            "--uid",
            "-g",
            "--gid",
            "-G",
            "--groups",
            "-d",
            "--home-dir",
            "--home",
            "-s",
            "--shell",
            "-c",
            "--comment",
            "-p",
            "--password",
            "-K",
            "-e",
            "-k",
        ];
        let (options, names) = options(words, &WITH_VALUE);
        let mut asked = Asked::default();
        for (option, value) in options {
            match option.as_str() {
                "-u" | "--uid" => asked.uid = Some(value),
                "-g" | "--gid" => asked.group = Some(value),
                "-G" | "--groups" => asked.groups.extend(value.split(',')),
                "-d" | "--home-dir" | "--home" => asked.home = Some(value),
                "-s" | "--shell" => asked.shell = Some(value),
                "-c" | "--comment" => asked.comment = Some(value),
                "-m" | "--create-home" => asked.makes_home = true,
                "-r" | "--system" => asked.is_system = true,
                "-N" | "--no-user-group" => asked.shared = Some(USERS),
                "-M" | "--no-create-home" | "-U" | "--user-group" | "-o" | "--non-unique"
                | "-l" | "--no-log-init" => {}
                "-p" | "--password" => {
                    return Err("users have no passwords".to_owned());
                }
                other => return Err(format!("`{other}` is not known")),
            }
        }
        let [name] = names[..] else {
            return Err("it names no user, or several".to_owned());
        };
        asked.shell = asked.shell.or(Some("/bin/sh"));
        self.add_user(at, name, &asked)
    }

    pub(super) fn adduser(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        const WITH_VALUE: [&str; 7] = [
            "--uid",
            "--gid",
            "--ingroup",
            "--home",
            "--shell",
            "--gecos",
            "--comment",
        ];
        let (options, names) = options(words, &WITH_VALUE);
        let mut asked = Asked {
            makes_home: true,
            ..Asked::default()
        };
        let mut own_group = false;
        for (option, value) in options {
            match option.as_str() {
                "--uid" => asked.uid = Some(value),
                "--gid" | "--ingroup" => asked.group = Some(value),
                "--home" => asked.home = Some(value),
                "--shell" => asked.shell = Some(value),
                "--gecos" | "--comment" => asked.comment = Some(value).filter(|v| !v.is_empty()),
                "--system" => asked.is_system = true,
                "--group" => own_group = true,
                "--no-create-home" => asked.makes_home = false,
                "--disabled-password"
                | "--disabled-login"
                | "--quiet"
                | "-q"
                | "--force-badname"
                | "--allow-bad-names" => {}
                other => return Err(format!("`{other}` is not known")),
            }
        }
        match names[..] {
            [name] => {
                if asked.is_system {
                    asked.shell = asked.shell.or(Some("/usr/sbin/nologin"));
                    asked.makes_home &= asked.home.is_some();
                    asked.home = asked.home.or(Some("/nonexistent"));
                    if !own_group {
                        asked.shared = Some(NOGROUP);
                    }
                } else {
                    asked.shell = asked.shell.or(Some("/bin/bash"));
                }
                self.add_user(at, name, &asked)
            }
            [user, group] => self.add_to(user, &[group]),
            _ => Err("it names no user, or several".to_owned()),
        }
    }

    fn add_user(&mut self, at: At<'_>, name: &str, asked: &Asked<'_>) -> Result<(), String> {
        let home = asked
            .home
            .map_or_else(|| format!("/home/{name}"), str::to_owned);
        let primary = match (asked.group, asked.shared) {
            (Some(group), _) => self.primary(group)?,
            (None, Some(gid)) => Primary::Number(gid),
            (None, None) => Primary::Own,
        };
        let mut groups = Vec::new();
        for group in &asked.groups {
            groups.push(match group.parse::<u32>() {
                Ok(gid) => match self.group_named(gid) {
                    Some(name) => name,
                    None => return Err(format!("the group {gid} has no name here")),
                },
                Err(_) => (*group).to_owned(),
            });
        }
        let uid = match asked.uid {
            Some(uid) => uid.parse().map_err(|_| format!("`{uid}` is no number"))?,
            None => self.free(at, name, asked.is_system),
        };
        let user = User {
            name: name.to_owned(),
            uid,
            primary,
            groups,
            home: asked.home.map(str::to_owned),
            shell: asked.shell.unwrap_or("/bin/sh").to_owned(),
            comment: asked.comment.map(str::to_owned),
        };
        let owner = user.group_owner();
        let mut made = item(at.instruction, name, Value::User(user));
        made.shown = at.shown();
        made.line = at.line;
        self.draft.put(Section::Users, made);
        let is_there = self.draft.get(Section::Files, &home).is_some();
        if asked.makes_home && !self.is_in_base(&home) && !is_there {
            let mut entry = FileEntry::new(Content::Directory);
            entry.user = Some(Owner::Name(name.to_owned()));
            entry.group = Some(owner);
            let mut made = item(at.instruction, &home, Value::File(entry));
            made.shown = at.shown();
            made.line = at.line;
            self.draft.put(Section::Files, made);
            let why = format!("{home} has the mode 0755, and no copies of /etc/skel");
            self.draft.note(at.line, &why);
        }
        Ok(())
    }

    /// A number that nobody has yet, as `useradd` takes them: the next above all others,
    /// and for the system the next below.
    fn free(&mut self, at: At<'_>, name: &str, is_system: bool) -> u32 {
        let users = self.draft.items(Section::Users);
        let taken = users
            .chain(self.draft.items(Section::Groups))
            .filter_map(|item| match &item.value {
                Value::User(user) => Some(user.uid),
                Value::Group(group) => Some(group.gid),
                _ => None,
            });
        let number = match is_system {
            true => {
                let lowest = taken.filter(|number| (201..1000).contains(number)).min();
                lowest.unwrap_or(1000) - 1
            }
            false => {
                let highest = taken.filter(|number| (1000..60_000).contains(number)).max();
                highest.map_or(1000, |number| number + 1)
            }
        };
        let why = format!("`{name}` has no number in the Dockerfile: it gets {number}");
        self.draft.note(at.line, &why);
        number
    }

    fn primary(&self, group: &str) -> Result<Primary, String> {
        if let Ok(gid) = group.parse::<u32>() {
            let named = self.group_named(gid);
            return Ok(named.map_or(Primary::Number(gid), Primary::Name));
        }
        if self.draft.get(Section::Groups, group).is_some() {
            return Ok(Primary::Name(group.to_owned()));
        }
        match group {
            "nogroup" => Ok(Primary::Number(NOGROUP)),
            "users" => Ok(Primary::Number(USERS)),
            "root" => Ok(Primary::Number(0)),
            "www-data" => Ok(Primary::Number(33)),
            other => Err(format!("the number of the group `{other}` is not known")),
        }
    }

    /// The group of the image with this number.
    fn group_named(&self, gid: u32) -> Option<String> {
        self.draft
            .items(Section::Groups)
            .find_map(|item| match &item.value {
                Value::Group(group) if group.gid == gid => Some(group.name.clone()),
                _ => None,
            })
    }

    pub(super) fn groupadd(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        let (options, names) = options(words, &["-g", "--gid", "-K", "-p", "--password"]);
        let mut gid = None;
        let mut is_system = false;
        for (option, value) in options {
            match option.as_str() {
                "-g" | "--gid" => gid = Some(value),
                "-r" | "--system" => is_system = true,
                "-f" | "--force" | "-o" | "--non-unique" => {}
                other => return Err(format!("`{other}` is not known")),
            }
        }
        let [name] = names[..] else {
            return Err("it names no group, or several".to_owned());
        };
        self.add_group(at, name, gid, is_system)
    }

    pub(super) fn addgroup(&mut self, at: At<'_>, words: &[&str]) -> Result<(), String> {
        let (options, names) = options(words, &["--gid"]);
        let mut gid = None;
        let mut is_system = false;
        for (option, value) in options {
            match option.as_str() {
                "--gid" => gid = Some(value),
                "--system" => is_system = true,
                "--quiet" | "-q" | "--force-badname" => {}
                other => return Err(format!("`{other}` is not known")),
            }
        }
        match names[..] {
            [name] => self.add_group(at, name, gid, is_system),
            [user, group] => self.add_to(user, &[group]),
            _ => Err("it names no group, or several".to_owned()),
        }
    }

    fn add_group(
        &mut self,
        at: At<'_>,
        name: &str,
        gid: Option<&str>,
        is_system: bool,
    ) -> Result<(), String> {
        let gid = match gid {
            Some(gid) => gid.parse().map_err(|_| format!("`{gid}` is no number"))?,
            None => self.free(at, name, is_system),
        };
        let group = Group {
            name: name.to_owned(),
            gid,
        };
        let mut made = item(at.instruction, name, Value::Group(group));
        made.shown = at.shown();
        made.line = at.line;
        self.draft.put(Section::Groups, made);
        Ok(())
    }

    pub(super) fn usermod(&mut self, _at: At<'_>, words: &[&str]) -> Result<(), String> {
        let (options, names) = options(words, &["-G", "--groups"]);
        let mut groups: Vec<&str> = Vec::new();
        for (option, value) in options {
            match option.as_str() {
                "-a" | "--append" => {}
                "-G" | "--groups" => groups.extend(value.split(',')),
                other => return Err(format!("`{other}` is not known")),
            }
        }
        match names[..] {
            [user] => self.add_to(user, &groups),
            _ => Err("it names no user, or several".to_owned()),
        }
    }

    fn add_to(&mut self, name: &str, groups: &[&str]) -> Result<(), String> {
        let users = self.draft.items_mut(Section::Users);
        let mut users = users.filter(|item| item.key == name);
        let Some(Value::User(user)) = users.next().map(|item| &mut item.value) else {
            return Err(format!("the user `{name}` is not one of the Dockerfile"));
        };
        for group in groups {
            if !user.groups.iter().any(|known| known == group) {
                user.groups.push((*group).to_owned());
            }
        }
        Ok(())
    }
}
