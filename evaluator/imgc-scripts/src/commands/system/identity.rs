//! id, groups, whoami, logname, users and who: nobody is logged in.

use bstr::{BString, ByteSlice as _};

use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::files::owners::{Group, User, group_name, groups, user_name, users};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "id",
        origin: Origin::Essential,
        run: id,
    },
    Native {
        name: "groups",
        origin: Origin::Essential,
        run: groups_of,
    },
    Native {
        name: "whoami",
        origin: Origin::Essential,
        run: whoami,
    },
    Native {
        name: "logname",
        origin: Origin::Essential,
        run: logname,
    },
    Native {
        name: "users",
        origin: Origin::Essential,
        run: nobody,
    },
    Native {
        name: "who",
        origin: Origin::Essential,
        run: nobody,
    },
];

/// Who acts, and the groups that it was started with, the own one first. Root has no
/// further ones.
fn acting(process: &mut Process<'_, '_>) -> (User, Vec<u32>) {
    let files = &process.machine.files;
    let (uid, gid) = (files.uid(), files.gid());
    let mut gids = vec![gid];
    let further = files.actor.iter().flat_map(|actor| &actor.groups);
    gids.extend(further.copied().filter(|further| *further != gid));
    let name = user_name(process, uid).unwrap_or_else(|| uid.to_string().into());
    let home = BString::default();
    let user = User {
        name,
        uid,
        gid,
        home,
    };
    (user, gids)
}

fn find(process: &mut Process<'_, '_>, name: &BString) -> Option<User> {
    let all = users(process);
    let named = all.iter().find(|user| user.name == *name).cloned();
    named.or_else(|| {
        let uid = name.to_str().ok()?.parse::<u32>().ok()?;
        all.into_iter().find(|user| user.uid == uid)
    })
}

/// The groups of a user, the own one first.
fn memberships(all: &[Group], user: &User) -> Vec<u32> {
    let mut gids = vec![user.gid];
    let member = |group: &&Group| group.members.contains(&user.name);
    for group in all.iter().filter(member) {
        if !gids.contains(&group.gid) {
            gids.push(group.gid);
        }
    }
    gids
}

fn id(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "agGnruz",
        long: &[
            ("group", 'g'),
            ("groups", 'G'),
            ("name", 'n'),
            ("real", 'r'),
            ("user", 'u'),
            ("zero", 'z'),
        ],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let all = groups(process);
    let subjects = match parsed.operands.as_slice() {
        [] => vec![acting(process)],
        names => {
            let mut found = Vec::new();
            for name in names {
                match find(process, name) {
                    Some(user) => {
                        let gids = memberships(&all, &user);
                        found.push((user, gids));
                    }
                    None => return failed(process, format_args!("'{name}': no such user")),
                }
            }
            found
        }
    };
    let end = if parsed.has("z") { "\0" } else { "\n" };
    for (user, gids) in subjects {
        let mut line = String::new();
        let user_called = user_name(process, user.uid);
        let mut group = |gid: u32| group_name(process, gid);
        let either = |name: Option<BString>, id: u32| match name {
            Some(name) if parsed.has("n") => name.to_string(),
            _ => id.to_string(),
        };
        match parsed.last("ugG") {
            Some('u') => line += &either(user_called, user.uid),
            Some('g') => line += &either(group(user.gid), user.gid),
            Some(_) => {
                let shown: Vec<String> = gids.iter().map(|&gid| either(group(gid), gid)).collect();
                line += &shown.join(if parsed.has("z") { "\0" } else { " " });
            }
            None => {
                let both = |name: Option<BString>, id: u32| match name {
                    Some(name) => format!("{id}({name})"),
                    None => id.to_string(),
                };
                let shown: Vec<String> = gids.iter().map(|&gid| both(group(gid), gid)).collect();
                line += &format!("uid={}", both(user_called, user.uid));
                line += &format!(" gid={}", both(group(user.gid), user.gid));
                line += &format!(" groups={}", shown.join(","));
            }
        }
        process.out(line + end);
    }
    Ok(Status::OK)
}

fn groups_of(process: &mut Process<'_, '_>) -> Outcome {
    let parsed = parse(
        &process.args[1..],
        &Known {
            short: "",
            long: &[],
        },
    )?;
    let all = groups(process);
    let name = |process: &mut Process<'_, '_>, gid: u32| {
        group_name(process, gid).map_or_else(|| gid.to_string(), |name| name.to_string())
    };
    if parsed.operands.is_empty() {
        let (_, gids) = acting(process);
        let shown: Vec<String> = gids.iter().map(|&gid| name(process, gid)).collect();
        process.out(shown.join(" ") + "\n");
        return Ok(Status::OK);
    }
    let mut status = Status::OK;
    for operand in &parsed.operands {
        let Some(user) = find(process, operand) else {
            process.complain(format_args!("'{operand}': no such user"));
            status = Status::FAILED;
            continue;
        };
        let gids = memberships(&all, &user);
        let shown: Vec<String> = gids.iter().map(|&gid| name(process, gid)).collect();
        process.out(format!("{operand} : {}\n", shown.join(" ")));
    }
    Ok(status)
}

fn whoami(process: &mut Process<'_, '_>) -> Outcome {
    parse(
        &process.args[1..],
        &Known {
            short: "",
            long: &[],
        },
    )?;
    let (user, _) = acting(process);
    process.out(format!("{}\n", user.name));
    Ok(Status::OK)
}

fn logname(process: &mut Process<'_, '_>) -> Outcome {
    parse(
        &process.args[1..],
        &Known {
            short: "",
            long: &[],
        },
    )?;
    failed(process, "no login name")
}

fn nobody(process: &mut Process<'_, '_>) -> Outcome {
    parse(
        &process.args[1..],
        &Known {
            short: "abdHlmpqrstTu",
            long: &[],
        },
    )?;
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn users_and_their_groups_are_told() {
        let mut machine = machine();
        machine.put(
            "/etc/passwd",
            "root:x:0:0::/root:\nwww:x:33:34::/:\n",
            0o644,
        );
        machine.put("/etc/group", "root:x:0:\nadm:x:4:www,x\nwww:x:34:\n", 0o644);
        for (args, status, out) in [
            (&["id"][..], 0, "uid=0(root) gid=0(root) groups=0(root)\n"),
            (&["id", "-u"][..], 0, "0\n"),
            (&["id", "-un"][..], 0, "root\n"),
            (
                &["id", "www"][..],
                0,
                "uid=33(www) gid=34(www) groups=34(www),4(adm)\n",
            ),
            (&["id", "-Gn", "www"][..], 0, "www adm\n"),
            (&["id", "-g", "33"][..], 0, "34\n"),
            (&["id", "nobody"][..], 1, ""),
            (&["groups", "www"][..], 0, "www : www adm\n"),
            (&["whoami"][..], 0, "root\n"),
            (&["logname"][..], 1, ""),
        ] {
            let ran = machine.run(args);
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
        }
    }
}
