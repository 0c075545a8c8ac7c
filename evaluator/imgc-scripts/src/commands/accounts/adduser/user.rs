//! New users, of the system and of people.

use bstr::{BString, ByteSlice as _};

use super::{Code, End, Run, Step};
use crate::commands::accounts::nss;
use crate::process::Status;
use crate::stop::Stop;

impl Run<'_, '_, '_> {
    pub(super) fn system_user(&mut self, name: &BString) -> Step<()> {
        let wanted = self.id("uid")?;
        self.system_user_is_new(name, wanted)?;
        let mut gid = self.id("gid")?;
        let mut ingroup = self
            .given
            .value("ingroup")
            .cloned()
            .filter(|name| !name.is_empty());
        let own_group = self.given.has("group");
        if ingroup.is_none() && gid.is_none() && !own_group {
            let nogroup = nss::group_named(self.process.machine, b"nogroup")?;
            gid = Some(nogroup.map_or(65_534, |group| group.gid).max(1));
        }
        self.check(name, wanted, own_group, true)?;
        let uid = match wanted {
            Some(uid) => uid,
            None => self.free_uid("system_uid", name)?,
        };
        if own_group && wanted.is_none() {
            gid = Some(self.free_gid("system_gid", name)?);
            ingroup = Some(name.clone());
        } else if let Some(gid) = gid {
            let group = nss::group_numbered(self.process.machine, gid)?;
            ingroup = group.map(|group| group.name);
        } else if let Some(ingroup) = &ingroup {
            let group = nss::group_named(self.process.machine, ingroup)?;
            gid = group.map(|group| group.gid);
        } else {
            gid = Some(uid);
            ingroup = Some(name.clone());
        }
        let (Some(gid), Some(ingroup)) = (gid, ingroup) else {
            return self.fail(Code::NoGroup, "no primary group is given");
        };
        self.say(format_args!("Adding system user `{name}' (UID {uid}) ..."));
        if own_group && nss::group_named(self.process.machine, name)?.is_none() {
            self.say(format_args!("Adding new group `{name}' (GID {gid}) ..."));
            self.call(&["groupadd", "-g", &gid.to_string()], &[name])?;
        }
        self.say(format_args!(
            "Adding new user `{name}' (UID {uid}) with group `{ingroup}' ..."
        ));
        let home = self.option("home", "/nonexistent");
        let shell = self.option("shell", "/usr/sbin/nologin");
        let (first, last) = self.range("system_uid");
        let number = BString::from(uid.to_string());
        let mut args = vec![
            "-r".into(),
            "-K".into(),
            format!("SYS_UID_MIN={first}").into(),
            "-K".into(),
            format!("SYS_UID_MAX={last}").into(),
        ];
        for (option, value) in [
            ("-d", &home),
            ("-g", &ingroup),
            ("-s", &shell),
            ("-u", &number),
        ] {
            args.push(BString::from(option));
            args.push(value.clone());
        }
        args.push(name.clone());
        self.call(&["useradd"], &args.iter().collect::<Vec<_>>())?;
        if let Some(comment) = self.given.value("comment").cloned() {
            self.comment(name, &comment)?;
        }
        self.home(&home, (uid, gid), false)
    }

    /// Ends the run where the user is there already, well or badly.
    fn system_user_is_new(&mut self, name: &BString, wanted: Option<u32>) -> Step<()> {
        let there = nss::user_named(self.process.machine, name)?;
        let Some(user) = there else {
            if let Some(uid) = wanted
                && uid != 0
                && nss::user_numbered(self.process.machine, uid)?.is_some()
            {
                return self.fail(
                    Code::Wrong,
                    format_args!("another user has the number {uid}"),
                );
            }
            return Ok(());
        };
        let differs = wanted.is_some_and(|uid| uid != user.uid);
        if !self.config.is_system("uid", user.uid) {
            let why = format_args!("there is a user {name}, not of the system");
            return self.fail(Code::Wrong, why);
        }
        if differs {
            let why = format_args!("there is a user {name} with another number");
            return self.fail(Code::Wrong, why);
        }
        self.say(format_args!(
            "The system user `{name}' already exists. Exiting."
        ));
        Err(End::Exit(Status::OK))
    }

    pub(super) fn user(&mut self, name: &BString) -> Step<()> {
        for setting in ["users_gid", "quotauser"] {
            if !self.config.text(setting).is_empty() {
                return Err(Stop::unsupported(format!("adduser's {setting} is not known")).into());
            }
        }
        if !self.given.has("disabled-password") && !self.given.has("disabled-login") {
            return Err(Stop::unsupported("adduser would ask for a password").into());
        }
        let wanted = self.id("uid")?;
        let gid = self.id("gid")?;
        let ingroup = self
            .given
            .value("ingroup")
            .cloned()
            .filter(|name| !name.is_empty());
        let users: BString = match self.config.text("users_group") {
            b"" => "users".into(),
            group => group.into(),
        };
        let private = self.config.yes("usergroups");
        let own_group = private && gid.is_none() && ingroup.is_none();
        self.check(name, wanted, own_group, false)?;
        self.say(format_args!("Adding user `{name}' ..."));
        let uid = match wanted {
            Some(uid) => uid,
            None if ingroup.is_some() => self.free_uid("uid", name)?,
            None => self.free_pair(name, private)?,
        };
        // The primary group: as asked, one's own, or that of all users.
        let primary = match (gid, &ingroup) {
            (Some(gid), _) => Some(gid),
            (None, Some(group)) => {
                nss::group_named(self.process.machine, group)?.map(|group| group.gid)
            }
            (None, None) if own_group => Some(uid),
            (None, None) if self.config.text("users_group").is_empty() => Some(100),
            (None, None) => nss::group_named(self.process.machine, &users)?.map(|g| g.gid),
        };
        let Some(primary) = primary else {
            return self.fail(Code::NoGroup, "no primary group is given");
        };
        if own_group {
            self.say(format_args!("Adding new group `{name}' ({primary}) ..."));
            self.call(&["groupadd", "-g", &primary.to_string()], &[name])?;
        }
        let group = nss::group_numbered(self.process.machine, primary)?;
        let group = group.map(|group| group.name).unwrap_or_default();
        self.say(format_args!(
            "Adding new user `{name}' ({uid}) with group `{group} ({primary})' ..."
        ));
        let home = match self.given.value("home").filter(|home| !home.is_empty()) {
            Some(home) => home.clone(),
            None => self.usual_home(name, &group),
        };
        let usual = if self.given.has("disabled-login") {
            "/usr/sbin/nologin".to_owned()
        } else {
            self.config.text("dshell").to_str_lossy().into_owned()
        };
        let shell = self.option("shell", &usual);
        let (gid, number) = (
            BString::from(primary.to_string()),
            BString::from(uid.to_string()),
        );
        let mut args = Vec::new();
        for (option, value) in [("-d", &home), ("-g", &gid), ("-s", &shell), ("-u", &number)] {
            args.push(BString::from(option));
            args.push(value.clone());
        }
        args.push(name.clone());
        self.call(&["useradd"], &args.iter().collect::<Vec<_>>())?;
        self.home(&home, (uid, primary), true)?;
        match self.given.value("comment").cloned() {
            Some(comment) => self.comment(name, &comment)?,
            // It would ask, and get no answers.
            None => self.call(&["chfn", "-f", ""], &[name])?,
        }
        self.extra_groups(name, private.then_some(&users))?;
        let local = "/usr/local/sbin/adduser.local";
        if self.process.is_executable(local.as_bytes()) {
            self.call(&[local], &[name, &number, &gid, &home])?;
        }
        Ok(())
    }

    fn extra_groups(&mut self, name: &BString, users: Option<&BString>) -> Step<()> {
        let mut extra: Vec<BString> = users.into_iter().cloned().collect();
        if self.given.has("add-extra-groups") || self.config.is_set("add_extra_groups") {
            let text = self.config.text("extra_groups");
            let words = text
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            extra.extend(words.map(BString::from));
        }
        for group in extra {
            let Some(there) = nss::group_named(self.process.machine, &group)? else {
                let why = format_args!("there is no group {group}");
                self.process.complain(why);
                continue;
            };
            if there.members.contains(name) {
                continue;
            }
            self.say(format_args!("Adding user `{name}' to group `{group}' ..."));
            let mut members = Vec::new();
            for member in there.members {
                if nss::user_named(self.process.machine, &member)?.is_some() {
                    members.push(member);
                }
            }
            members.push(name.clone());
            let members = BString::from(bstr::join(",", &members));
            self.call(&["gpasswd", "-M"], &[&members, &group])?;
        }
        Ok(())
    }

    /// Checks what can be wrong with a user and the group that is to be its own.
    fn check(
        &mut self,
        name: &BString,
        uid: Option<u32>,
        own_group: bool,
        system: bool,
    ) -> Step<()> {
        let machine = &mut *self.process.machine;
        if !system && nss::user_named(machine, name)?.is_some() {
            return self.fail(Code::Exists, format_args!("there is a user {name}"));
        }
        if let Some(uid) = uid
            && self.config.old
            && nss::user_numbered(machine, uid)?.is_some()
        {
            return self.fail(
                Code::IdInUse,
                format_args!("another user has the number {uid}"),
            );
        }
        if own_group {
            let group = nss::group_named(machine, name)?;
            if group.is_some() && !system {
                return self.fail(Code::Exists, format_args!("there is a group {name}"));
            }
            if let Some(uid) = uid
                && group.is_none()
                && nss::group_numbered(machine, uid)?.is_some()
                && (!system || self.config.old)
            {
                return self.fail(
                    Code::IdInUse,
                    format_args!("another group has the number {uid}"),
                );
            }
            return Ok(());
        }
        if let Some(group) = self.given.value("ingroup").cloned()
            && !group.is_empty()
            && nss::group_named(self.process.machine, &group)?.is_none()
        {
            return self.fail(Code::Missing, format_args!("there is no group {group}"));
        }
        if let Some(gid) = self.id("gid")?
            && nss::group_numbered(self.process.machine, gid)?.is_none()
        {
            return self.fail(
                Code::Missing,
                format_args!("there is no group with the number {gid}"),
            );
        }
        Ok(())
    }

    fn free_uid(&mut self, range: &str, name: &BString) -> Step<u32> {
        let (first, last) = self.range(range);
        let users = nss::users(self.process.machine)?;
        self.process
            .machine
            .spend(u64::from(last.saturating_sub(first)) / 64)?;
        match (first..=last).find(|id| users.iter().all(|user| user.uid != *id)) {
            Some(uid) => Ok(uid),
            None => self.fail(
                Code::NoId,
                format_args!("no number is free for the user {name}"),
            ),
        }
    }

    /// A number that is free for a user and for a group.
    fn free_pair(&mut self, name: &BString, private: bool) -> Step<u32> {
        let uids = self.range("uid");
        let gids = if private { uids } else { self.range("gid") };
        let (first, last) = (uids.0.min(gids.0), uids.1.max(gids.1));
        let users = nss::users(self.process.machine)?;
        let groups = nss::groups(self.process.machine)?;
        self.process
            .machine
            .spend(u64::from(last.saturating_sub(first)) / 64)?;
        let free = (first..=last).find(|id| {
            users.iter().all(|user| user.uid != *id) && groups.iter().all(|g| g.gid != *id)
        });
        match free {
            Some(uid) => Ok(uid),
            None => self.fail(
                Code::NoId,
                format_args!("no number is free for the user {name}"),
            ),
        }
    }

    fn comment(&mut self, name: &BString, comment: &BString) -> Step<()> {
        if !self.config.old {
            return self.call(&["usermod", "-c"], &[comment, name]);
        }
        if !comment.contains(&b',') {
            return self.call(&["chfn", "-f"], &[comment, name]);
        }
        // Perl's split drops empty parts at the end.
        let mut parts: Vec<BString> = comment.split_str(",").map(BString::from).collect();
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        parts.resize(parts.len().max(2), BString::default());
        self.call(&["chfn", "-f"], &[&parts[0], &"-r".into(), &parts[1], name])?;
        for (option, part) in ["-w", "-h", "-o"].iter().zip(&parts[2..]) {
            self.call(&["chfn", option], &[part, name])?;
        }
        Ok(())
    }

    /// The value of an option, if it has one, else `default`.
    fn option(&self, name: &str, default: &str) -> BString {
        let given = self.given.value(name).filter(|value| !value.is_empty());
        given.cloned().unwrap_or_else(|| default.into())
    }

    fn usual_home(&self, name: &BString, group: &BString) -> BString {
        let mut home = BString::from(self.config.text("dhome"));
        if self.config.yes("grouphomes") {
            home.push(b'/');
            home.extend_from_slice(group);
        }
        if self.config.yes("letterhomes") {
            home.push(b'/');
            home.extend(name.first());
        }
        home.push(b'/');
        home.extend_from_slice(name);
        home
    }
}
