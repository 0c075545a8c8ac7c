//! useradd(8).

use bstr::{BString, ByteSlice as _};

use super::defs::{self, Defs};
use super::fields::day;
use super::options::{self, Given, Known, Takes};
use super::table::{GROUP, GSHADOW, PASSWD, SHADOW, Table, join, list, row};
use super::{home, ids, nss};
use crate::commands::{Native, Origin};
use crate::machine::Machine;
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "useradd",
    origin: Origin::Essential,
    run: useradd,
}];

const OPTIONS: &[Known] = &[
    (0, "badname", Takes::Nothing),
    (b'b', "base-dir", Takes::Value),
    (b'c', "comment", Takes::Value),
    (b'd', "home-dir", Takes::Value),
    (b'e', "expiredate", Takes::Value),
    (b'f', "inactive", Takes::Value),
    (b'F', "add-subids-for-system", Takes::Nothing),
    (b'g', "gid", Takes::Value),
    (b'G', "groups", Takes::Value),
    (b'k', "skel", Takes::Value),
    (b'K', "key", Takes::Value),
    (b'l', "no-log-init", Takes::Nothing),
    (b'm', "create-home", Takes::Nothing),
    (b'M', "no-create-home", Takes::Nothing),
    (b'N', "no-user-group", Takes::Nothing),
    (b'o', "non-unique", Takes::Nothing),
    (b'p', "password", Takes::Value),
    (b'r', "system", Takes::Nothing),
    (b's', "shell", Takes::Value),
    (b'u', "uid", Takes::Value),
    (b'U', "user-group", Takes::Nothing),
];

/// What `/etc/default/useradd` sets.
struct Defaults {
    group: BString,
    home: BString,
    inactive: BString,
    expire: BString,
    shell: BString,
    skel: BString,
    mail: bool,
}

impl Defaults {
    fn load(machine: &mut Machine<'_>) -> Self {
        let bytes = machine
            .files
            .read(b"/etc/default/useradd")
            .unwrap_or_default();
        let get = |name: &str, default: &str| {
            let mut found = None;
            for line in bytes.lines() {
                if let Some(value) = line
                    .strip_prefix(name.as_bytes())
                    .and_then(|rest| rest.strip_prefix(b"="))
                {
                    found = Some(BString::from(value));
                }
            }
            found.unwrap_or_else(|| default.into())
        };
        Self {
            group: get("GROUP", "100"),
            home: get("HOME", "/home"),
            inactive: get("INACTIVE", "-1"),
            expire: get("EXPIRE", ""),
            shell: get("SHELL", "/bin/sh"),
            skel: get("SKEL", "/etc/skel"),
            mail: get("CREATE_MAIL_SPOOL", "no").eq_ignore_ascii_case(b"yes"),
        }
    }
}

fn useradd(process: &mut Process<'_, '_>) -> Outcome {
    let given = options::parse(process, OPTIONS)?;
    let mut defs = Defs::load(process.machine)?;
    for value in given.values("key") {
        defs.assign(value)?;
    }
    let defaults = Defaults::load(process.machine);
    let [name] = given.rest.as_slice() else {
        process.complain("one name is needed");
        return Ok(Status(2));
    };
    let plan = match plan(process, &given, &defs, &defaults, name)? {
        Ok(plan) => plan,
        Err(status) => return Ok(status),
    };
    write(process, &given, &defs, &defaults, &plan)
}

/// A user that is to be added.
struct Plan {
    name: BString,
    uid: u32,
    /// The primary group; made with this user where `own_group` says so.
    gid: u32,
    own_group: bool,
    groups: Vec<BString>,
    home: BString,
    shell: BString,
    subordinate: bool,
}

fn plan(
    process: &mut Process<'_, '_>,
    given: &Given,
    defs: &Defs,
    defaults: &Defaults,
    name: &BString,
) -> Result<Result<Plan, Status>, Stop> {
    macro_rules! fail {
        ($status:expr, $($text:tt)*) => {{
            process.complain(format_args!($($text)*));
            return Ok(Err(Status($status)));
        }};
    }
    let system = given.has("system");
    let wanted = match given.value("uid") {
        Some(text) => match nss::number(text) {
            Some(uid) if uid != u32::MAX => Some(uid),
            _ => fail!(3, "invalid user ID '{text}'"),
        },
        None => None,
    };
    let home = given.value("home-dir").cloned().unwrap_or_else(|| {
        let base = given.value("base-dir").unwrap_or(&defaults.home);
        BString::from([base.as_slice(), b"/", name.as_slice()].concat())
    });
    if !home.starts_with(b"/") || home.find_byteset(b":\n").is_some() {
        fail!(3, "invalid home directory '{home}'");
    }
    let shell = given.value("shell").unwrap_or(&defaults.shell).clone();
    if shell.find_byteset(b":\n").is_some() || !(shell.is_empty() || shell.starts_with(b"/")) {
        fail!(3, "invalid shell '{shell}'");
    }
    if let Some(comment) = given.value("comment")
        && comment.find_byteset(b":\n").is_some()
    {
        fail!(3, "invalid comment '{comment}'");
    }
    let mut gid = None;
    if let Some(text) = given.value("gid") {
        match nss::group_of(process.machine, text)? {
            Some(group) => gid = Some(group.gid),
            None => fail!(6, "group '{text}' does not exist"),
        }
    }
    let mut groups = Vec::new();
    for text in given
        .value("groups")
        .map_or_else(Vec::new, |text| list(text))
    {
        match nss::group_of(process.machine, &text)? {
            Some(group) => groups.push(group.name),
            None => fail!(6, "group '{text}' does not exist"),
        }
    }
    if given.has("user-group") && (gid.is_some() || given.has("no-user-group"))
        || given.has("create-home") && given.has("no-create-home")
    {
        fail!(2, "options exclude each other");
    }
    let own_group = given.has("user-group")
        || gid.is_none() && !given.has("no-user-group") && defs.yes("USERGROUPS_ENAB");
    if !given.has("badname") && !ids::is_user_name(name, defs.old) {
        fail!(if defs.old { 3 } else { 19 }, "invalid user name '{name}'");
    }
    if nss::user_named(process.machine, name)?.is_some() {
        fail!(9, "user '{name}' already exists");
    }
    if own_group && nss::group_named(process.machine, name)?.is_some() {
        fail!(9, "there is a group {name}");
    }
    let uid = match wanted {
        Some(uid) => {
            let taken = nss::user_numbered(process.machine, uid)?.is_some();
            if taken && !given.has("non-unique") {
                fail!(4, "UID {uid} is not unique");
            }
            uid
        }
        None => match ids::free(process.machine, defs, ids::Kind::User, system, None)? {
            Some(uid) => uid,
            None => fail!(4, "no user ID is free"),
        },
    };
    let gid = match gid {
        Some(gid) => gid,
        None if own_group => {
            let kind = ids::Kind::Group;
            match ids::free(process.machine, defs, kind, system, Some(uid))? {
                Some(gid) => gid,
                None => fail!(4, "no group ID is free"),
            }
        }
        None => match nss::group_of(process.machine, &defaults.group)? {
            Some(group) => group.gid,
            None => fail!(6, "group '{}' does not exist", defaults.group),
        },
    };
    let ordinary = wanted.is_none_or(|uid| {
        let (min, max) = ids::range(defs, ids::Kind::User, false);
        uid == 0 || (min..=max).contains(&uid)
    });
    Ok(Ok(Plan {
        name: name.clone(),
        uid,
        gid,
        own_group,
        groups,
        home,
        shell,
        subordinate: ordinary && (!system || given.has("add-subids-for-system")),
    }))
}

fn write(
    process: &mut Process<'_, '_>,
    given: &Given,
    defs: &Defs,
    defaults: &Defaults,
    plan: &Plan,
) -> Outcome {
    let machine = &mut *process.machine;
    let system = given.has("system");
    let Some(expire) = day(given.value("expiredate").unwrap_or(&defaults.expire)) else {
        process.complain("invalid date");
        return Ok(Status(3));
    };
    let inactive = number_or_none(given.value("inactive").unwrap_or(&defaults.inactive));
    let password = given
        .value("password")
        .cloned()
        .unwrap_or_else(|| "!".into());

    let mut shadow = Table::load(machine, SHADOW)?;
    let shown = if shadow.is_there() {
        "x".into()
    } else {
        password.clone()
    };
    let mut secret = vec![plan.name.clone(), password, defs::today(machine)];
    secret.extend(
        ["PASS_MIN_DAYS", "PASS_MAX_DAYS", "PASS_WARN_AGE"].map(|name| {
            let days = defs.number(name).filter(|days| !system && *days >= 0);
            days.map_or_else(BString::default, |days| days.to_string().into())
        }),
    );
    secret.extend([inactive, expire, BString::default()]);
    if secret[2] == "-1" {
        secret[2] = BString::default();
    }
    shadow.set(&secret);
    let mut passwd = Table::load(machine, PASSWD)?;
    let comment = given.value("comment").cloned().unwrap_or_default();
    passwd.set(&vec![
        plan.name.clone(),
        shown,
        plan.uid.to_string().into(),
        plan.gid.to_string().into(),
        comment,
        plan.home.clone(),
        plan.shell.clone(),
    ]);
    let mut group = Table::load(machine, GROUP)?;
    let mut gshadow = Table::load(machine, GSHADOW)?;
    if plan.own_group {
        let shown = if gshadow.is_there() { "x" } else { "!" };
        let gid = plan.gid.to_string();
        group.set(&row(&[&plan.name, shown.as_bytes(), gid.as_bytes(), b""]));
        gshadow.set(&row(&[&plan.name, b"!", b"", b""]));
    }
    for name in &plan.groups {
        for table in [&mut group, &mut gshadow] {
            if let Some(mut line) = table.row(name) {
                let mut members = list(&line[3]);
                if !members.contains(&plan.name) {
                    members.push(plan.name.clone());
                }
                line[3] = join(&members);
                table.set(&line);
            }
        }
    }
    if plan.subordinate && !ids::subordinate(machine, defs, &plan.name)? {
        process.complain("no range of subordinate IDs is free");
        return Ok(Status(16));
    }
    for table in [passwd, shadow, group, gshadow] {
        table.store(machine)?;
    }
    let wants = given.has("create-home")
        || !system && !given.has("no-create-home") && defs.yes("CREATE_HOME");
    if !wants {
        return Ok(Status::OK);
    }
    make_home(process, given, defs, defaults, plan)
}

fn make_home(
    process: &mut Process<'_, '_>,
    given: &Given,
    defs: &Defs,
    defaults: &Defaults,
    plan: &Plan,
) -> Outcome {
    let machine = &mut *process.machine;
    let owner = (plan.uid, plan.gid);
    if machine.files.exists(&plan.home) {
        process.complain("warning: the home directory already exists");
        return Ok(Status::OK);
    }
    let plain = 0o777 & !defs.number("UMASK").unwrap_or(0o022);
    let mode = defs.number("HOME_MODE").unwrap_or(plain);
    let mode = u32::try_from(mode).unwrap_or(0o755) & 0o7777;
    home::make(machine, &plan.home, owner, mode)?;
    let skel = given.value("skel").unwrap_or(&defaults.skel);
    home::copy(machine, skel, &plan.home, owner)?;
    if defaults.mail {
        return Err(Stop::unsupported("CREATE_MAIL_SPOOL=yes is not known"));
    }
    Ok(Status::OK)
}

/// A number of days as a file has it: nothing for -1.
fn number_or_none(text: &BString) -> BString {
    if text == "-1" {
        BString::default()
    } else {
        text.clone()
    }
}

#[cfg(test)]
mod tests {
    use crate::Machine;
    use crate::testing::machine;

    fn prepared() -> Machine<'static> {
        let mut m = machine();
        m.put(
            "/etc/login.defs",
            "UID_MIN 1000\nUID_MAX 60000\nPASS_MAX_DAYS 99999\nPASS_MIN_DAYS 0\nPASS_WARN_AGE 7\nUSERGROUPS_ENAB yes\nHOME_MODE 0700\n",
            0o644,
        );
        m.put("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n", 0o644);
        m.put(
            "/etc/group",
            "root:x:0:\naudio:x:29:\nusers:x:100:\n",
            0o644,
        );
        m.put("/etc/shadow", "root:*:20412:0:99999:7:::\n", 0o640);
        m.put("/etc/gshadow", "root:*::\naudio:*::\nusers:*::\n", 0o640);
        m.put("/etc/subuid", "", 0o644);
        m.put("/etc/subgid", "", 0o644);
        m.put("/etc/skel/.profile", "p\n", 0o644);
        m
    }

    #[test]
    fn a_system_user() {
        let mut m = prepared();
        assert_eq!(m.run(&["useradd", "-r", "s1"]).status, 0);
        assert!(
            m.text("/etc/passwd")
                .ends_with("\ns1:x:999:999::/home/s1:/bin/sh\n")
        );
        assert!(m.text("/etc/shadow").ends_with("\ns1:!:20412::::::\n"));
        assert!(m.text("/etc/group").ends_with("\ns1:x:999:\n"));
        assert!(m.text("/etc/gshadow").ends_with("\ns1:!::\n"));
        assert_eq!(m.text("/etc/subuid"), "");
        assert!(!m.files.exists(b"/home/s1"));
        assert_eq!(m.run(&["useradd", "s1"]).status, 9);
    }

    #[test]
    fn an_ordinary_user_with_a_home() {
        let mut m = prepared();
        let args = [
            "useradd",
            "-mG",
            "audio",
            "-c",
            "a b",
            "-s",
            "/bin/bash",
            "u1",
        ];
        assert_eq!(m.run(&args).status, 0);
        assert!(
            m.text("/etc/passwd")
                .ends_with("u1:x:1000:1000:a b:/home/u1:/bin/bash\n")
        );
        assert!(m.text("/etc/shadow").ends_with("u1:!:20412:0:99999:7:::\n"));
        assert!(m.text("/etc/group").contains("audio:x:29:u1\n"));
        assert!(m.text("/etc/gshadow").contains("audio:*::u1\n"));
        assert_eq!(m.text("/etc/subgid"), "u1:100000:65536\n");
        let home = m.files.stat(b"/home/u1", true).unwrap();
        assert_eq!((home.mode, home.uid, home.gid), (0o700, 1000, 1000));
        let file = m.files.stat(b"/home/u1/.profile", true).unwrap();
        assert_eq!((file.mode, file.uid, file.gid), (0o644, 1000, 1000));
        assert_eq!(m.run(&["useradd", "u2"]).status, 0);
        assert_eq!(m.text("/etc/subgid"), "u1:100000:65536\nu2:165536:65536\n");
    }

    #[test]
    fn errors_have_the_program_s_status() {
        let mut m = prepared();
        for (args, status) in [
            (&["useradd", "-u", "0", "x"][..], 4),
            (&["useradd", "-g", "nope", "x"], 6),
            (&["useradd", "-d", "rel", "x"], 3),
            (&["useradd", "a b"], 19),
            (&["useradd"], 2),
        ] {
            assert_eq!(m.run(args).status, status, "{args:?}");
        }
        assert_eq!(m.text("/etc/passwd"), "root:x:0:0:root:/root:/bin/bash\n");
        m.run_with(&["useradd", "-Z", "x", "y"], "").unwrap_err();
    }
}
