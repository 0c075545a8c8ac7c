//! deluser(8) and delgroup(8).

use bstr::BString;

use super::adduser::config::Config;
use super::nss;
use super::options::Takes;
use super::perl;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

/// deluser of bookworm (3.134) and trixie (3.152).
const KNOWN: &[&str] = &[
    "79352ddc341d192b8a9f50a8266229179dbad37618126fd4fc741e32aec2145b",
    "d07d4bb2315039c459f96f7c1db2d5feea8321a36b13c7b84db3cc64b4ac8190",
];

pub(crate) const NATIVES: &[Native] = &[
    Native {
        name: "deluser",
        origin: Origin::Helper(KNOWN),
        run: deluser,
    },
    Native {
        name: "delgroup",
        origin: Origin::Helper(KNOWN),
        run: deluser,
    },
];

const OPTIONS: &[perl::Known] = &[
    ("conf|c", Takes::Value),
    ("debug", Takes::Nothing),
    ("stdoutmsglevel", Takes::Value),
    ("stderrmsglevel", Takes::Value),
    ("logmsglevel", Takes::Value),
    ("group", Takes::Nothing),
    ("system", Takes::Nothing),
    ("only-if-empty", Takes::Nothing),
    ("no-preserve-root", Takes::Nothing),
    ("quiet|q", Takes::Nothing),
    ("verbose", Takes::Nothing),
];

fn deluser(process: &mut Process<'_, '_>) -> Outcome {
    let given = perl::read(process.args.get(1..).unwrap_or_default(), OPTIONS)?;
    let mut paths: Vec<BString> = given.values("conf").cloned().collect();
    if paths.is_empty() {
        paths = vec!["/etc/adduser.conf".into(), "/etc/deluser.conf".into()];
    }
    let config = Config::load(process.machine, &paths)?;
    for setting in ["remove_home", "remove_all_files", "backup"] {
        if config.is_set(setting) {
            return Err(Stop::unsupported(format!(
                "deluser's {setting} is not known"
            )));
        }
    }
    process
        .env_mut()
        .insert("PATH".into(), "/bin:/usr/bin:/sbin:/usr/sbin".into());
    let system = given.has("system") || config.is_set("system");
    let status = |old: u8, new: u8| Ok(Status(if config.old { old } else { new }));
    // Newer versions look only at the name that they are called by.
    let is_group = base(&process.args[0]) == b"delgroup" || config.old && given.has("group");
    match given.rest.as_slice() {
        [name] if is_group => {
            let Some(group) = nss::group_named(process.machine, name)? else {
                process.complain(format_args!("there is no group {name}"));
                return if system {
                    Ok(Status::OK)
                } else {
                    status(3, 12)
                };
            };
            if system && !config.is_system("gid", group.gid) {
                process.complain(format_args!("{name} is no group of the system"));
                return status(3, 13);
            }
            let empty = given.has("only-if-empty") || config.is_set("only_if_empty");
            if empty && !group.members.is_empty() {
                process.complain(format_args!("the group {name} has members"));
                return status(5, 41);
            }
            let done = process.run(vec!["groupdel".into(), name.clone()])?;
            if done == Status::OK {
                Ok(done)
            } else {
                status(1, 82)
            }
        }
        [name] => {
            let user = nss::user_named(process.machine, name)?;
            if system && user.is_none() {
                return Ok(Status::OK);
            }
            let Some(user) = user else {
                process.complain(format_args!("there is no user {name}"));
                return status(2, 12);
            };
            if system && !config.is_system("uid", user.uid) {
                process.complain(format_args!("{name} is no user of the system"));
                return status(1, 13);
            }
            if user.uid == 0 && !given.has("no-preserve-root") {
                process.complain("the root account is not deleted");
                return status(9, 55);
            }
            let crontab = format!("/var/spool/cron/crontabs/{name}");
            if process.machine.files.exists(crontab.as_bytes()) {
                return Err(Stop::unsupported(format!("{name} has a crontab")));
            }
            let done = process.run(vec!["/usr/sbin/userdel".into(), name.clone()])?;
            if done == Status::OK {
                Ok(done)
            } else {
                status(1, 82)
            }
        }
        [user, group] => {
            let Some(there) = nss::user_named(process.machine, user)? else {
                process.complain(format_args!("there is no user {user}"));
                return status(2, 12);
            };
            let Some(from) = nss::group_named(process.machine, group)? else {
                process.complain(format_args!("there is no group {group}"));
                return status(3, 12);
            };
            if there.gid == from.gid {
                process.complain("it is the user's primary group");
                return status(7, 43);
            }
            if !from.members.contains(user) {
                process.complain(format_args!("{user} is no member"));
                return status(6, 42);
            }
            let mut members = Vec::new();
            for member in from.members {
                if member != *user && nss::user_named(process.machine, &member)?.is_some() {
                    members.push(member);
                }
            }
            let members = BString::from(bstr::join(",", &members));
            let call = vec![
                "/usr/bin/gpasswd".into(),
                "-M".into(),
                members,
                group.clone(),
            ];
            let done = process.run(call)?;
            if done == Status::OK {
                Ok(done)
            } else {
                status(1, 82)
            }
        }
        _ => {
            process.complain("a name is needed, or two");
            status(1, 51)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn users_and_groups_go() {
        let mut m = machine();
        m.put("/usr/share/perl5/Debian/AdduserRetvalues.pm", "", 0o644);
        m.put("/usr/sbin/deluser", "#!/usr/bin/perl\n", 0o755);
        m.put("/usr/sbin/delgroup", "#!/usr/bin/perl\n", 0o755);
        m.put(
            "/etc/passwd",
            "root:x:0:0::/:/bin/sh\nu:x:100:5::/:/bin/sh\n",
            0o644,
        );
        m.put("/etc/group", "a:x:101:root,u\nb:x:5:\n", 0o644);
        assert_eq!(m.run(&["deluser", "u", "a"]).status, 0);
        assert_eq!(m.text("/etc/group"), "a:x:101:root\nb:x:5:\n");
        assert_eq!(m.run(&["deluser", "u", "b"]).status, 43);
        assert_eq!(m.run(&["deluser", "--quiet", "--system", "u"]).status, 0);
        assert_eq!(m.run(&["deluser", "--quiet", "--system", "u"]).status, 0);
        assert_eq!(m.run(&["deluser", "u"]).status, 12);
        assert_eq!(m.run(&["delgroup", "--system", "b"]).status, 13);
        assert_eq!(m.run(&["delgroup", "--only-if-empty", "a"]).status, 41);
        assert_eq!(m.run(&["delgroup", "a"]).status, 0);
        assert_eq!(m.text("/etc/group"), "b:x:5:\n");
        m.run_with(&["deluser", "--remove-home", "root"], "")
            .unwrap_err();
    }
}
