//! su, runuser and setpriv: commands that another user runs. What they make is that
//! user's, and permissions hold for them. It must not read a login shell's settings but
//! those that the system has for all.

use bstr::{BString, ByteSlice as _};

use crate::actor::Actor;
use crate::commands::accounts::nss::{self, User};
use crate::commands::files::options::{Known, Parsed, parse};
use crate::commands::{Native, Origin};
use crate::machine::Machine;
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "su",
        origin: Origin::Essential,
        run: su,
    },
    Native {
        name: "runuser",
        origin: Origin::Essential,
        run: runuser,
    },
    Native {
        name: "setpriv",
        origin: Origin::Essential,
        run: setpriv,
    },
];

const SU: Known = Known {
    short: "c:fg:G:lmpPs:Tw:u:",
    long: &[
        ("command=", 'c'),
        ("session-command=", 'c'),
        ("fast", 'f'),
        ("group=", 'g'),
        ("supp-group=", 'G'),
        ("login", 'l'),
        ("preserve-environment", 'p'),
        ("pty", 'P'),
        ("no-pty", 'T'),
        ("shell=", 's'),
        ("whitelist-environment=", 'w'),
        ("user=", 'u'),
    ],
};

fn su(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(&process.args[1..], &SU)?;
    if parsed.has("u") {
        return Err(Stop::unsupported("the option -u is not known"));
    }
    shell_of(process, &parsed)
}

fn runuser(process: &mut Process<'_, '_>) -> Outcome {
    // With -u, everything from the first operand on is the command.
    let direct = Known {
        short: "+c:fg:G:lmpPs:Tw:u:",
        ..SU
    };
    let parsed = parse(&process.args[1..], &direct)?;
    let Some(name) = parsed.value('u').cloned() else {
        let parsed = parse(&process.args[1..], &SU)?;
        return shell_of(process, &parsed);
    };
    if parsed.has("cflmsw") {
        return Err(Stop::unsupported("this form of runuser is not known"));
    }
    if parsed.operands.is_empty() {
        process.complain("no command was specified");
        return Ok(Status::FAILED);
    }
    let Some(user) = known_user(process, &name)? else {
        return Ok(Status::FAILED);
    };
    let actor = actor_of(process.machine, &user, &parsed)?;
    as_actor(process, actor, parsed.operands, Vec::new(), None)
}

/// A shell of another user.
fn shell_of(process: &mut Process<'_, '_>, parsed: &Parsed) -> Outcome {
    let mut operands = parsed.operands.as_slice();
    let mut login = parsed.has("l");
    if operands.first().is_some_and(|arg| arg == "-") {
        login = true;
        operands = &operands[1..];
    }
    let (name, rest) = match operands.split_first() {
        Some((name, rest)) => (name.clone(), rest.to_vec()),
        None => ("root".into(), Vec::new()),
    };
    if parsed.has("w") {
        return Err(Stop::unsupported("the option -w is not known"));
    }
    let Some(user) = known_user(process, &name)? else {
        return Ok(Status::FAILED);
    };
    let actor = actor_of(process.machine, &user, parsed)?;
    let mut shell = match parsed.value('s') {
        Some(shell) => shell.clone(),
        None if user.shell.is_empty() => "/bin/sh".into(),
        None => user.shell.clone(),
    };
    let keep = parsed.has("mp") && !login;
    if keep && parsed.value('s').is_none() {
        shell = process
            .env
            .get(b"SHELL".as_bstr())
            .cloned()
            .unwrap_or(shell);
    }
    let mut args = vec![shell.clone()];
    if let Some(command) = parsed.value('c') {
        let mut command = command.clone();
        if login {
            command = [b"imgc_login\n", &command[..]].concat().into();
        }
        args.extend(["-c".into(), command]);
    }
    if login && parsed.value('c').is_none() {
        return Err(Stop::unsupported("a login without a command is not known"));
    }
    args.extend(rest);
    let mut env: Vec<(&str, BString)> = Vec::new();
    if !keep {
        env.extend([("HOME", user.home.clone()), ("SHELL", shell)]);
        if user.uid != 0 || login {
            env.extend([("USER", user.name.clone()), ("LOGNAME", user.name.clone())]);
        }
    }
    if !login {
        return as_actor(process, actor, args, env, None);
    }
    if !matches!(base(&args[0]), b"sh" | b"dash" | b"bash") {
        return Err(Stop::unsupported("a login with this shell is not known"));
    }
    // A login shell reads the settings for all, and its user's own.
    let own: &[&str] = match base(&args[0]) {
        b"bash" => &[".bash_profile", ".bash_login", ".profile"],
        _ => &[".profile"],
    };
    let has_own = own.iter().any(|name| {
        let path = [&user.home[..], b"/", name.as_bytes()].concat();
        process.machine.files.exists(&path)
    });
    if has_own {
        return Err(Stop::unsupported("a user's own profile is not known"));
    }
    let read = "[ ! -r /etc/profile ] || . /etc/profile";
    args[2] = args[2].replacen("imgc_login", read, 1).into();
    let path = match user.uid {
        0 => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        _ => "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
    };
    env.push(("PATH", path.into()));
    as_actor(process, actor, args, env, Some(user.home))
}

fn setpriv(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "+d",
        long: &[
            ("reuid=", 'u'),
            ("ruid=", 'X'),
            ("euid=", 'X'),
            ("regid=", 'g'),
            ("clear-groups", 'c'),
            ("keep-groups", 'k'),
            ("init-groups", 'i'),
            ("groups=", 'G'),
            ("no-new-privs", 'n'),
            ("nnp", 'n'),
            ("inh-caps=", 'C'),
            ("ambient-caps=", 'C'),
            ("bounding-set=", 'C'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if parsed.has("XGd") {
        return Err(Stop::unsupported("this form of setpriv is not known"));
    }
    if parsed.operands.is_empty() {
        process.complain("No program specified");
        return Ok(Status::FAILED);
    }
    let machine = &mut *process.machine;
    let mut actor = machine.files.actor.clone().unwrap_or(Actor {
        uid: 0,
        gid: 0,
        groups: Vec::new(),
    });
    let mut user = None;
    if let Some(name) = parsed.value('u') {
        user = match nss::number(name) {
            Some(uid) => {
                actor.uid = uid;
                nss::user_numbered(machine, uid)?
            }
            None => nss::user_named(machine, name)?,
        };
        match &user {
            Some(user) => actor.uid = user.uid,
            None if nss::number(name).is_some() => {}
            None => {
                process.complain("failed to parse reuid");
                return Ok(Status::FAILED);
            }
        }
    }
    if let Some(name) = parsed.value('g') {
        match (nss::number(name), nss::group_named(machine, name)?) {
            (Some(gid), _) => actor.gid = gid,
            (None, Some(group)) => actor.gid = group.gid,
            (None, None) => {
                process.complain("failed to parse regid");
                return Ok(Status::FAILED);
            }
        }
    }
    if parsed.has("i") {
        let Some(user) = &user else {
            process.complain("--init-groups requires --ruid or --reuid");
            return Ok(Status::FAILED);
        };
        actor.groups = further(machine, user)?;
    } else if parsed.has("c") {
        actor.groups.clear();
    }
    as_actor(process, actor, parsed.operands, Vec::new(), None)
}

fn known_user(process: &mut Process<'_, '_>, name: &[u8]) -> Result<Option<User>, Stop> {
    let user = nss::user_named(process.machine, name)?;
    if user.is_none() {
        process.complain(format_args!("user {} does not exist", name.as_bstr()));
    }
    Ok(user)
}

/// The groups that a user is a member of.
fn further(machine: &mut Machine<'_>, user: &User) -> Result<Vec<u32>, Stop> {
    let groups = nss::groups(machine)?.into_iter();
    let member = groups.filter(|group| group.members.contains(&user.name));
    Ok(member.map(|group| group.gid).collect())
}

/// Who acts as `user`, by the options for groups.
fn actor_of(machine: &mut Machine<'_>, user: &User, parsed: &Parsed) -> Result<Actor, Stop> {
    if parsed.has("gG") {
        return Err(Stop::unsupported("other groups for a user are not known"));
    }
    Ok(Actor {
        uid: user.uid,
        gid: user.gid,
        groups: further(machine, user)?,
    })
}

/// Runs a command as `actor`, with these variables changed.
fn as_actor(
    process: &mut Process<'_, '_>,
    actor: Actor,
    args: Vec<BString>,
    env: Vec<(&str, BString)>,
    folder: Option<BString>,
) -> Outcome {
    if process.machine.files.actor.is_some() {
        return Err(Stop::unsupported(
            "a user that is not root can't become another",
        ));
    }
    if actor.uid == 0 && actor.gid != 0 {
        return Err(Stop::unsupported("root with another group is not known"));
    }
    let root = actor.uid == 0;
    let held = process.machine.files.actor.take();
    process.machine.files.actor = (!root).then_some(actor);
    let mut child = process.child(args);
    for (name, value) in env {
        child.env_mut().insert(name.into(), value);
    }
    if let Some(folder) = folder {
        child.cwd = match child.machine.files.is_directory(&folder) {
            true => folder,
            false => "/".into(),
        };
    }
    let done = child.start();
    process.machine.files.actor = held;
    done
}

#[cfg(test)]
mod tests {
    use crate::Machine;
    use crate::testing::machine;

    fn with_users() -> Machine<'static> {
        let mut machine = machine();
        let passwd = "root:x:0:0::/root:/bin/bash\nwww:x:33:34::/srv:/usr/sbin/nologin\n\
            db:x:101:102::/var/db:/bin/sh\n";
        machine.put("/etc/passwd", passwd, 0o644);
        machine.put("/etc/group", "root:x:0:\nwww:x:34:\nssl:x:50:db\n", 0o644);
        machine.put("/secret/a", "", 0o600);
        machine.files.chmod(b"/secret", 0o700).unwrap();
        machine.files.chmod(b"/tmp", 0o1777).unwrap();
        machine
            .files
            .mkdir(b"/var/db", 0o755)
            .and_then(|()| machine.files.chown(b"/var/db", Some(101), Some(102), true))
            .unwrap();
        machine
    }

    #[test]
    fn what_another_user_makes_is_its() {
        let mut machine = with_users();
        let run = machine.run(&["su", "db", "-c", "echo x >/var/db/f; mkdir ~/d; id -un"]);
        assert_eq!((run.status, run.out.as_str()), (0, "db\n"));
        for path in ["/var/db/f", "/var/db/d"] {
            let stat = machine.files.stat(path.as_bytes(), true).unwrap();
            assert_eq!((stat.uid, stat.gid), (101, 102), "{path}");
        }
        assert_eq!(machine.run(&["id", "-u"]).out, "0\n");
        let ids = machine.run(&["runuser", "-u", "db", "--", "id", "-G"]);
        assert_eq!(ids.out, "102 50\n");
        let args = [
            "setpriv",
            "--reuid",
            "db",
            "--regid",
            "34",
            "--clear-groups",
        ];
        let ids = machine.run(&[&args[..], &["id", "-G"]].concat());
        assert_eq!(ids.out, "34\n");
    }

    #[test]
    fn permissions_hold_for_others() {
        let mut machine = with_users();
        for (command, status) in [
            ("echo x >/etc/f", 2),
            ("cat /secret/a", 1),
            ("test -O /var/db && test -G /var/db", 0),
            ("test -w /etc", 1),
            ("test -r /etc/passwd", 0),
            ("test -e /secret/a", 1),
            ("touch /tmp/f && rm /tmp/f", 0),
            ("rm /etc/passwd", 1),
            ("chown root /var/db", 1),
            ("chgrp ssl /var/db", 0),
            ("chmod 700 /etc", 1),
        ] {
            let ran = machine.run(&["su", "-s", "/bin/sh", "db", "-c", command]);
            assert_eq!(ran.status, status, "{command}: {}", ran.err);
        }
        assert!(machine.files.exists(b"/etc/passwd"));
    }

    #[test]
    fn users_without_a_shell_need_one() {
        let mut machine = with_users();
        let ran = machine.run(&["su", "-s", "/bin/sh", "www", "-c", "echo $HOME $USER"]);
        assert_eq!(ran.out, "/srv www\n");
        machine.put("/etc/profile", "FROM=profile\n", 0o644);
        let ran = machine.run(&["su", "-", "db", "-c", "echo $FROM; pwd"]);
        assert_eq!(ran.out, "profile\n/var/db\n");
        assert_eq!(machine.run(&["su", "nobody", "-c", "true"]).status, 1);
        machine.put("/var/db/.profile", "", 0o644);
        let ran = machine.run_with(&["su", "-", "db", "-c", "true"], "");
        assert!(ran.is_err());
    }
}
