//! adduser(8) and addgroup(8): what they choose, and which of the shadow tools they call.

pub(crate) mod config;
mod homes;
mod user;

use std::fmt;

use bstr::{BString, ByteSlice as _};

use self::config::Config;
use super::options::{Given, Takes};
use super::{nss, perl};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

/// adduser of bookworm (3.134) and trixie (3.152).
const KNOWN: &[&str] = &[
    "ad8ec15dc661b2ccb236584721c8395a0dd910151d486b0c1440b715ba1beb70",
    "16c0383967a1f56fc023a02d98064a2778576d9c27152c85b64ed1f9a7a1a127",
];

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "adduser",
        origin: Origin::Helper(KNOWN),
        run: adduser,
    },
    Native {
        name: "addgroup",
        origin: Origin::Helper(KNOWN),
        run: adduser,
    },
];

const OPTIONS: &[perl::Known] = &[
    ("add-extra-groups|add_extra_groups", Takes::Nothing),
    ("allow-all-names", Takes::Nothing),
    (
        "force-badname|allow-badname|allow-bad-names",
        Takes::Nothing,
    ),
    ("comment|gecos", Takes::Maybe),
    ("conf|c", Takes::Maybe),
    ("debug", Takes::Nothing),
    ("stdoutmsglevel", Takes::Value),
    ("stderrmsglevel", Takes::Value),
    ("logmsglevel", Takes::Value),
    ("disabled-login", Takes::Nothing),
    ("disabled-password", Takes::Nothing),
    ("firstgid", Takes::Value),
    ("firstuid", Takes::Value),
    ("gid", Takes::Value),
    ("group", Takes::Nothing),
    ("home", Takes::Value),
    ("ingroup", Takes::Value),
    ("lastgid", Takes::Value),
    ("lastuid", Takes::Value),
    ("no-create-home", Takes::Nothing),
    ("quiet|q", Takes::Nothing),
    ("shell", Takes::Value),
    ("system", Takes::Nothing),
    ("uid", Takes::Value),
    ("verbose", Takes::Nothing),
];

/// A run of adduser.
struct Run<'a, 'p, 'r> {
    process: &'a mut Process<'p, 'r>,
    given: Given,
    config: Config,
    /// Whether what is done is said on standard output.
    verbose: bool,
}

/// The statuses of adduser since 3.139; before, all were 1.
#[derive(Debug, Clone, Copy)]
enum Code {
    Exists = 11,
    Missing = 12,
    Wrong = 13,
    IdInUse = 21,
    NoId = 22,
    BadName = 31,
    BadHome = 32,
    NoGroup = 43,
    BadCall = 51,
    BadConfig = 52,
    Exclusive = 53,
    CallFailed = 82,
}

/// What goes on, or ends the program.
type Step<T> = Result<T, End>;

/// The end of a run.
enum End {
    /// With a status.
    Exit(Status),
    /// By a stop.
    Stop(Stop),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

fn adduser(process: &mut Process<'_, '_>) -> Outcome {
    let given = perl::read(process.args.get(1..).unwrap_or_default(), OPTIONS)?;
    let mut paths: Vec<BString> = given.values("conf").cloned().collect();
    if paths.is_empty() {
        paths.push("/etc/adduser.conf".into());
    }
    let config = Config::load(process.machine, &paths)?;
    let folders = "/bin:/usr/bin:/sbin:/usr/sbin";
    process.env_mut().insert("PATH".into(), folders.into());
    let loud = given.has("verbose") || given.has("debug");
    let mut run = Run {
        verbose: loud || config.old && !given.has("quiet"),
        process,
        given,
        config,
    };
    match run.all() {
        Ok(()) => Ok(Status::OK),
        Err(End::Exit(status)) => Ok(status),
        Err(End::Stop(stop)) => Err(stop),
    }
}

impl Run<'_, '_, '_> {
    fn all(&mut self) -> Step<()> {
        let name = base(&self.process.args[0]).to_vec();
        let (system, group) = (self.given.has("system"), self.given.has("group"));
        let groups = name == b"addgroup";
        if let [user, group_name] = self.given.rest.as_slice() {
            let (user, group_name) = (user.clone(), group_name.clone());
            if groups || system || group {
                return self.fail(Code::BadCall, "one name is enough here");
            }
            return self.join(&user, &group_name);
        }
        let name = match self.given.rest.as_slice() {
            [name] if !name.is_empty() => name.clone(),
            _ => return self.fail(Code::BadCall, "a name is needed, or two"),
        };
        let choices = ["group", "ingroup", "gid"];
        let chosen = choices
            .iter()
            .filter(|option| self.given.has(option))
            .count();
        if (system || !groups) && chosen > 1 {
            let why = "only one of --group, --ingroup and --gid can be given";
            return self.fail(Code::Exclusive, why);
        }
        if self
            .given
            .value("home")
            .is_some_and(|home| !home.starts_with(b"/"))
        {
            return self.fail(Code::BadHome, "a home is an absolute path");
        }
        let comment = self.given.value("comment");
        if comment.is_some_and(|text| text.iter().any(|b| b.is_ascii_control() || *b == b':')) {
            return self.fail(Code::BadCall, "a comment has no such characters");
        }
        let bad = if self.given.has("allow-all-names") {
            2
        } else {
            u8::from(self.given.has("force-badname"))
        };
        if !self.config.allows(&name, system, bad)? {
            return self.fail(
                Code::BadName,
                format_args!("the name {name} is not allowed"),
            );
        }
        match (groups || group && !system, system) {
            (true, true) => self.system_group(&name),
            (true, false) => self.group(&name),
            (false, true) => self.system_user(&name),
            (false, false) => self.user(&name),
        }
    }

    fn system_group(&mut self, name: &BString) -> Step<()> {
        let gid = self.id("gid")?;
        let there = nss::group_named(self.process.machine, name)?;
        if let Some(there) = there {
            let differs = gid.is_some_and(|gid| gid != there.gid);
            if self.config.is_system("gid", there.gid) && (self.config.old || !differs) {
                return Err(End::Exit(Status::OK));
            }
            return self.fail(Code::Wrong, format_args!("there is a group {name}"));
        }
        if let Some(gid) = gid
            && nss::group_numbered(self.process.machine, gid)?.is_some()
        {
            let code = if gid == 0 { Code::IdInUse } else { Code::Wrong };
            return self.fail(code, format_args!("another group has the number {gid}"));
        }
        let gid = match gid {
            Some(gid) => gid,
            None => self.free_gid("system_gid", name)?,
        };
        self.add_group(name, gid)
    }

    fn group(&mut self, name: &BString) -> Step<()> {
        if nss::group_named(self.process.machine, name)?.is_some() {
            return self.fail(Code::Exists, format_args!("there is a group {name}"));
        }
        let gid = match self.id("gid")? {
            Some(gid) if nss::group_numbered(self.process.machine, gid)?.is_some() => {
                let why = format_args!("another group has the number {gid}");
                return self.fail(Code::IdInUse, why);
            }
            Some(gid) => gid,
            None => self.free_gid("gid", name)?,
        };
        self.add_group(name, gid)
    }

    fn join(&mut self, user: &BString, group: &BString) -> Step<()> {
        if nss::user_named(self.process.machine, user)?.is_none() {
            return self.fail(Code::Missing, format_args!("there is no user {user}"));
        }
        let Some(there) = nss::group_named(self.process.machine, group)? else {
            return self.fail(Code::Missing, format_args!("there is no group {group}"));
        };
        if there.members.contains(user) {
            return Ok(());
        }
        self.say(format_args!("Adding user `{user}' to group `{group}' ..."));
        self.call(&["/usr/sbin/usermod", "-a", "-G"], &[group, user])
    }

    // Steps that several of them take.

    fn add_group(&mut self, name: &BString, gid: u32) -> Step<()> {
        self.say(format_args!("Adding group `{name}' (GID {gid}) ..."));
        self.call(&["groupadd", "-g", &gid.to_string()], &[name])
    }

    fn free_gid(&mut self, range: &str, name: &BString) -> Step<u32> {
        let (first, last) = self.range(range);
        let groups = nss::groups(self.process.machine)?;
        self.process
            .machine
            .spend(u64::from(last.saturating_sub(first)) / 64)?;
        let free = (first..=last).find(|id| groups.iter().all(|group| group.gid != *id));
        match free {
            Some(gid) => Ok(gid),
            None => self.fail(
                Code::NoId,
                format_args!("no number is free for the group {name}"),
            ),
        }
    }

    /// The range of `uid`, `gid`, `system_uid`, `system_gid`, as options and settings say.
    fn range(&self, of: &str) -> (u32, u32) {
        let kind = of.strip_prefix("system_").unwrap_or(of);
        let get = |end: &str, default: u32| {
            let given = self.given.value(&format!("{end}{kind}"));
            let given = given
                .and_then(|text| nss::number(text))
                .filter(|id| *id != 0);
            given
                .or_else(|| self.config.number(&format!("{end}_{of}")))
                .unwrap_or(default)
        };
        (get("first", 1000), get("last", 59_999))
    }

    /// The number that an option gives.
    fn id(&mut self, option: &str) -> Step<Option<u32>> {
        match self.given.value(option).map(|text| nss::number(text)) {
            None => Ok(None),
            Some(Some(id)) => Ok(Some(id)),
            Some(None) => self.fail(Code::BadCall, format_args!("--{option} needs a number")),
        }
    }

    /// Runs a program; its failure is this one's.
    fn call(&mut self, program: &[&str], args: &[&BString]) -> Step<()> {
        let program = program.iter().map(|&word| BString::from(word));
        let all: Vec<BString> = program.chain(args.iter().map(|&arg| arg.clone())).collect();
        let shown = bstr::join(" ", &all);
        let status = self.process.run(all)?;
        if status == Status::OK {
            return Ok(());
        }
        let why = format!("{} ended with the status {}", shown.as_bstr(), status.0);
        self.fail(Code::CallFailed, why)
    }

    fn say(&mut self, what: impl fmt::Display) {
        if self.verbose {
            self.process.out(format!("{what}\n"));
        }
    }

    fn fail<T>(&mut self, code: Code, why: impl fmt::Display) -> Step<T> {
        self.process.complain(why);
        let status = if self.config.old { 1 } else { code as u8 };
        Err(End::Exit(Status(status)))
    }
}

#[cfg(test)]
mod tests;
