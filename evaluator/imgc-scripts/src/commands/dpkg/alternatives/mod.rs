//! update-alternatives: its command line. The groups are `group`'s, the links `links`'.
//!
//! Nothing is written to `/var/log/alternatives.log`: a log of the run is no part of an
//! image.

mod group;
mod links;
mod show;

use bstr::{BStr, BString, ByteSlice as _};

use self::group::{Choice, Group, Slave};
use self::links::Place;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-alternatives",
    origin: Origin::Essential,
    run: update_alternatives,
}];

/// A failure of the program itself, after its message.
const WRONG: Status = Status(2);

/// What ends a run early: a status, or a stop.
pub(super) enum End {
    Status(Status),
    Stop(Stop),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        Self::Stop(stop)
    }
}

type Step<T> = Result<T, End>;

/// What is asked for.
enum Action {
    Install(Group, Choice),
    Remove(BString, BString),
    RemoveAll(BString),
    Set(BString, BString),
    Auto(BString),
    Config(BString),
    Display(BString),
    Query(BString),
    List(BString),
    GetSelections,
    SetSelections,
    All,
    Print(&'static str),
}

fn update_alternatives(process: &mut Process<'_, '_>) -> Outcome {
    match main(process) {
        Ok(()) => Ok(Status::OK),
        Err(End::Status(status)) => Ok(status),
        Err(End::Stop(stop)) => Err(stop),
    }
}

fn main(process: &mut Process<'_, '_>) -> Step<()> {
    let args = process.args.split_off(1);
    let (action, place) = parse(process, args)?;
    act(process, &place, action)
}

/// Says what is wrong, and ends.
fn wrong<T>(process: &mut Process<'_, '_>, message: impl std::fmt::Display) -> Step<T> {
    process.complain(format_args!("error: {message}"));
    Err(End::Status(WRONG))
}

fn parse(process: &mut Process<'_, '_>, args: Vec<BString>) -> Step<(Action, Place)> {
    let mut place = Place::new(process);
    let mut action: Option<Action> = None;
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let mut next = |count: usize| -> Option<Vec<BString>> {
            let taken: Vec<BString> = args.by_ref().take(count).collect();
            (taken.len() == count).then_some(taken)
        };
        let one = |action: fn(BString) -> Action, taken: Option<Vec<BString>>| {
            taken.and_then(|taken| taken.into_iter().next()).map(action)
        };
        let new = match arg.as_slice() {
            b"--install" => next(4).and_then(|taken| install(&taken)),
            b"--remove" => next(2).map(|t| Action::Remove(t[0].clone(), t[1].clone())),
            b"--set" => next(2).map(|t| Action::Set(t[0].clone(), t[1].clone())),
            b"--remove-all" => one(Action::RemoveAll, next(1)),
            b"--auto" => one(Action::Auto, next(1)),
            b"--config" => one(Action::Config, next(1)),
            b"--display" => one(Action::Display, next(1)),
            b"--query" => one(Action::Query, next(1)),
            b"--list" => one(Action::List, next(1)),
            b"--all" => Some(Action::All),
            b"--get-selections" => Some(Action::GetSelections),
            b"--set-selections" => Some(Action::SetSelections),
            b"--version" => Some(Action::Print("Debian update-alternatives version 1.22.\n")),
            b"--help" => Some(Action::Print("Usage: update-alternatives\n")),
            b"--slave" => {
                let done = match (next(3), &mut action) {
                    (Some(slave), Some(Action::Install(group, choice))) => {
                        add_slave(group, choice, slave)
                    }
                    _ => Err("--slave needs --install before it, and three arguments".to_owned()),
                };
                if let Err(message) = done {
                    return wrong(process, message);
                }
                continue;
            }
            b"--altdir" | b"--admindir" | b"--log" | b"--root" | b"--instdir" => {
                let Some(value) = next(1).and_then(|taken| taken.into_iter().next()) else {
                    return wrong(process, format_args!("{arg} needs a value"));
                };
                place.set(&arg, value);
                continue;
            }
            b"--force" => {
                place.force = true;
                continue;
            }
            b"--quiet" => {
                place.quiet = true;
                continue;
            }
            b"--skip-auto" | b"--verbose" | b"--debug" => continue,
            _ => return wrong(process, format_args!("unknown option '{arg}'")),
        };
        let Some(new) = new else {
            return wrong(process, format_args!("{arg} needs other arguments"));
        };
        if action.is_some() {
            return wrong(process, "two commands are given");
        }
        action = Some(new);
    }
    match action {
        Some(action) => Ok((action, place)),
        None => wrong(process, "no command is given"),
    }
}

fn install(taken: &[BString]) -> Option<Action> {
    let [link, name, file, priority] = taken else {
        return None;
    };
    let group = Group {
        name: name.clone(),
        link: link.clone(),
        ..Group::default()
    };
    let priority = priority.to_str().ok()?.trim_start().parse().ok()?;
    let choice = Choice {
        file: file.clone(),
        priority,
        slaves: Vec::new(),
    };
    (link != file).then_some(Action::Install(group, choice))
}

fn add_slave(group: &mut Group, choice: &mut Choice, slave: Vec<BString>) -> Result<(), String> {
    let Ok([link, name, file]) = <[BString; 3]>::try_from(slave) else {
        return Err("--slave needs three arguments".to_owned());
    };
    if link == file {
        return Err(format!("<link> '{link}' is the same as <path>"));
    }
    if group.name == name || group.slave(&name).is_some() {
        return Err(format!("duplicate slave name {name}"));
    }
    if group.link == link || group.slaves.iter().any(|slave| slave.link == link) {
        return Err(format!("duplicate slave link {link}"));
    }
    choice.set_slave(name.as_ref(), file.as_ref());
    group.slaves.push(Slave { name, link });
    Ok(())
}

fn act(process: &mut Process<'_, '_>, place: &Place, action: Action) -> Step<()> {
    match action {
        Action::Print(text) => {
            process.out(text);
            Ok(())
        }
        Action::GetSelections => show::selections(process, place),
        Action::SetSelections => set_selections(process, place),
        Action::All => Err(Stop::unsupported("--all asks a person").into()),
        Action::Install(wanted, choice) => {
            check(process, place, &wanted, &choice)?;
            let old = place.load(process, wanted.name.as_ref())?;
            let mut group = old.unwrap_or_else(|| Group {
                modified: true,
                slaves: Vec::new(),
                ..wanted.clone()
            });
            let current = place.current(process, &mut group);
            place.evolve(
                process,
                &mut group,
                &wanted,
                current.as_ref().map(|file| file.as_ref()),
                &choice,
            )?;
            group.add_choice(choice);
            let new = (!group.manual)
                .then(|| group.best(current.as_ref()).map(|best| best.file.clone()))
                .flatten();
            place.update(process, &mut group, current, new)
        }
        Action::Remove(name, file) => {
            let Some(mut group) = place.load(process, name.as_ref())? else {
                return Ok(());
            };
            let current = place.current(process, &mut group);
            let mut new = None;
            group.remove_choice(&file);
            if current.as_ref() == Some(&file) {
                if group.manual {
                    place.inform(
                        process,
                        format_args!(
                            "removing manually selected alternative - switching {name} to auto mode"
                        ),
                    );
                }
                group.set_manual(false);
                new = group.best(current.as_ref()).map(|best| best.file.clone());
            }
            place.update(process, &mut group, current, new)
        }
        Action::RemoveAll(name) => {
            let mut group = known(process, place, &name)?;
            let current = place.current(process, &mut group);
            group.choices.clear();
            place.update(process, &mut group, current, None)
        }
        Action::Set(name, file) => {
            let mut group = known(process, place, &name)?;
            let current = place.current(process, &mut group);
            if group.choice(&file).is_none() {
                let message = format!("alternative {file} for {name} not registered; not setting");
                return wrong(process, message);
            }
            group.set_manual(true);
            place.update(process, &mut group, current, Some(file))
        }
        Action::Auto(name) => {
            let mut group = known(process, place, &name)?;
            let current = place.current(process, &mut group);
            group.set_manual(false);
            let new = group.best(current.as_ref()).map(|best| best.file.clone());
            place.update(process, &mut group, current, new)
        }
        Action::Config(name) => {
            // Nobody answers: the choice stays.
            if !process.stdin().is_empty() {
                return Err(Stop::unsupported("--config asks a person").into());
            }
            let mut group = known(process, place, &name)?;
            let current = place.current(process, &mut group);
            place.update(process, &mut group, current, None)
        }
        Action::Display(name) => {
            let group = known(process, place, &name)?;
            show::display(process, place, &group);
            Ok(())
        }
        Action::Query(name) => {
            let group = known(process, place, &name)?;
            show::query(process, place, &group);
            Ok(())
        }
        Action::List(name) => {
            let group = known(process, place, &name)?;
            for choice in &group.choices {
                process.out([choice.file.as_slice(), b"\n"].concat());
            }
            Ok(())
        }
    }
}

/// A group that must be there.
fn known(process: &mut Process<'_, '_>, place: &Place, name: &BString) -> Step<Group> {
    match place.load(process, name.as_ref())? {
        Some(group) => Ok(group),
        None => wrong(process, format_args!("no alternatives for {name}")),
    }
}

/// Whether a group may be installed beside the others.
fn check(process: &mut Process<'_, '_>, place: &Place, group: &Group, choice: &Choice) -> Step<()> {
    let mut problem = None;
    let mut names = vec![(&group.name, &group.link, choice.file.as_bstr())];
    for slave in &group.slaves {
        let file = choice.slave(&slave.name).unwrap_or_default();
        names.push((&slave.name, &slave.link, file));
    }
    for (name, link, file) in &names {
        if name.find_byteset("/ \t\n\r").is_some() {
            problem = Some(format!(
                "alternative name ({name}) must not contain '/' and spaces"
            ));
        } else if !link.starts_with(b"/") || link.contains(&b'\n') {
            problem = Some(format!(
                "alternative link is not absolute as it should be: {link}"
            ));
        } else if !file.starts_with(b"/") || file.contains(&b'\n') {
            problem = Some(format!(
                "alternative path is not absolute as it should be: {file}"
            ));
        }
    }
    if problem.is_none() && !process.machine.files.exists(&place.real(&choice.file)) {
        problem = Some(format!("alternative path {} doesn't exist", choice.file));
    }
    if problem.is_none() {
        for other in place.all(process)? {
            problem = problem.or_else(|| conflict(group, &other));
        }
    }
    match problem {
        Some(problem) => wrong(process, problem),
        None => Ok(()),
    }
}

/// Why a group can't be installed beside another one, or beside its old self.
fn conflict(group: &Group, other: &Group) -> Option<String> {
    let (name, master) = (&group.name, &other.name);
    if name == master {
        return group.slaves.iter().find_map(|slave| {
            let taken = |old: &&Slave| old.link == slave.link && old.name != slave.name;
            let old = other.slaves.iter().find(taken)?;
            let link = &slave.link;
            Some(format!(
                "alternative link {link} is already managed by {} (slave of {name})",
                old.name
            ))
        });
    }
    if other.slave(name).is_some() {
        return Some(format!(
            "alternative {name} can't be master: it is a slave of {master}"
        ));
    }
    for slave in &group.slaves {
        if slave.name == *master || other.slave(&slave.name).is_some() {
            let slave = &slave.name;
            return Some(format!(
                "alternative {slave} can't be slave of {name}: {master} has it"
            ));
        }
    }
    let links = |group: &Group| {
        let slaves = group.slaves.iter().map(|slave| slave.link.clone());
        slaves.chain([group.link.clone()]).collect::<Vec<BString>>()
    };
    let theirs = links(other);
    let taken = links(group).into_iter().find(|link| theirs.contains(link));
    taken.map(|link| format!("alternative link {link} is already managed by {master}"))
}

/// Lines of `NAME STATUS PATH`.
fn set_selections(process: &mut Process<'_, '_>, place: &Place) -> Step<()> {
    let input = process.stdin();
    for line in input.lines() {
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        let (Some(name), Some(status), Some(file)) = (words.next(), words.next(), words.next())
        else {
            return wrong(process, "invalid line of selections");
        };
        let name = BString::from(name);
        let Some(group) = place.load(process, name.as_ref())? else {
            place.inform(process, format_args!("skip unknown alternative {name}"));
            continue;
        };
        let shown = BStr::new(file);
        let action = if status == b"auto" {
            place.inform(
                process,
                format_args!("selecting alternative {name} as auto"),
            );
            Action::Auto(name)
        } else if group.choice(file).is_some() {
            place.inform(
                process,
                format_args!("selecting alternative {name} as choice {shown}"),
            );
            Action::Set(name, file.into())
        } else {
            place.inform(
                process,
                format_args!(
                    "alternative {name} unchanged because choice {shown} is not available"
                ),
            );
            continue;
        };
        act(process, place, action)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::Machine;
    use crate::testing::machine;

    fn install(machine: &mut Machine<'_>, file: &str, priority: &str, slave: &str) -> u8 {
        let args = [
            "update-alternatives",
            "--install",
            "/usr/bin/prog",
            "prog",
            file,
            priority,
            "--slave",
            "/usr/bin/prog.1",
            "prog.1",
            slave,
        ];
        machine.run(&args).status
    }

    fn link(machine: &Machine<'_>, path: &str) -> String {
        let target = machine.files.read_link(path.as_bytes());
        target.map_or_else(|error| error.to_string(), |target| target.to_string())
    }

    #[test]
    fn the_best_choice_wins_and_slaves_follow() {
        let mut machine = machine();
        for file in ["/b/one", "/b/two", "/m/one"] {
            machine.put(file, "x", 0o755);
        }
        assert_eq!(install(&mut machine, "/b/one", "10", "/m/one"), 0);
        assert_eq!(link(&machine, "/usr/bin/prog"), "/etc/alternatives/prog");
        assert_eq!(link(&machine, "/etc/alternatives/prog.1"), "/m/one");
        assert_eq!(install(&mut machine, "/b/two", "20", "/m/missing"), 0);
        assert_eq!(link(&machine, "/etc/alternatives/prog"), "/b/two");
        assert!(machine.files.lnode(b"/usr/bin/prog.1").is_none());
        let text = "auto\n/usr/bin/prog\nprog.1\n/usr/bin/prog.1\n\n/b/one\n10\n/m/one\n\
            /b/two\n20\n/m/missing\n\n";
        assert_eq!(machine.text("/var/lib/dpkg/alternatives/prog"), text);

        let set = machine.run(&["update-alternatives", "--set", "prog", "/b/one"]);
        assert_eq!(set.status, 0);
        assert_eq!(link(&machine, "/etc/alternatives/prog.1"), "/m/one");
        let query = machine.run(&["update-alternatives", "--query", "prog"]).out;
        assert!(
            query.contains("Status: manual\nBest: /b/two\nValue: /b/one\n"),
            "{query}"
        );
        for file in ["/b/one", "/b/two"] {
            let removed = machine.run(&["update-alternatives", "--remove", "prog", file]);
            assert_eq!(removed.status, 0);
        }
        assert!(machine.files.lnode(b"/usr/bin/prog").is_none());
        assert!(
            machine
                .files
                .lnode(b"/var/lib/dpkg/alternatives/prog")
                .is_none()
        );
    }

    #[test]
    fn a_real_file_is_not_replaced() {
        let mut machine = machine();
        machine.put("/b/one", "x", 0o755);
        machine.put("/usr/bin/prog", "own", 0o755);
        assert_eq!(install(&mut machine, "/b/one", "10", "/m/one"), 0);
        assert_eq!(machine.text("/usr/bin/prog"), "own");
        assert_eq!(install(&mut machine, "/b/none", "10", "/m/one"), 2);
        let unknown = machine.run(&["update-alternatives", "--set", "none", "/x"]);
        assert_eq!(unknown.status, 2);
        let unknown = machine.run(&["update-alternatives", "--remove", "none", "/x"]);
        assert_eq!(unknown.status, 0);
    }
}
