//! find. Names in a folder come sorted, as the order of a real one is chance.

mod expression;
mod print;
mod regex;

use bstr::{BString, ByteSlice as _};

use self::expression::{Action, Expression, Parser, Test};
use super::folders::trimmed;
use super::glob;
use crate::Stat;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "find",
    origin: Origin::Essential,
    run: find,
}];

/// How deep folders may nest.
const DEPTH: usize = 700;
/// The most bytes of one command line.
const LINE: usize = 128 * 1024;

/// Which links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follow {
    Never,
    Named,
    Always,
}

/// What holds for the whole run.
struct Search<'e> {
    expression: &'e Expression,
    options: &'e expression::Options,
    follow: Follow,
    /// The arguments of every `-exec … +`.
    batches: Vec<(Vec<BString>, Vec<BString>, usize)>,
    status: Status,
    quit: bool,
}

/// The file that is looked at.
struct Entry<'a> {
    /// As it is shown.
    shown: &'a BString,
    /// Absolute.
    path: &'a BString,
    /// The operand that it was found under.
    start: &'a BString,
    stat: Stat,
    depth: usize,
}

fn find(process: &mut Process<'_, '_>) -> Outcome {
    let mut follow = Follow::Never;
    let mut args = process.args[1..].to_vec();
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        follow = match &arg[..] {
            b"-H" => Follow::Named,
            b"-L" => Follow::Always,
            b"-P" => Follow::Never,
            b"--" => {
                at += 1;
                break;
            }
            arg if arg.starts_with(b"-O") && arg.len() == 3 => follow,
            _ => break,
        };
        at += 1;
    }
    args.drain(..at);
    let begins = |arg: &BString| {
        (arg.len() > 1 && arg.starts_with(b"-")) || matches!(&arg[..], b"(" | b")" | b"!" | b",")
    };
    let end = args.iter().position(begins).unwrap_or(args.len());
    let mut paths = args[..end].to_vec();
    if paths.is_empty() {
        paths.push(".".into());
    }
    let mut parser = Parser::new(process, &args[end..]);
    let expression = match parser.whole()? {
        Ok(expression) => expression,
        Err(message) => {
            process.complain(message);
            return Ok(Status::FAILED);
        }
    };
    let options = parser.options;
    if options.follow {
        follow = Follow::Always;
    }
    let mut search = Search {
        expression: &expression,
        options: &options,
        follow,
        batches: options
            .batches
            .iter()
            .map(|c| (c.clone(), Vec::new(), 0))
            .collect(),
        status: Status::OK,
        quit: false,
    };
    for start in &paths {
        if search.quit {
            break;
        }
        let path = process.path(start);
        walk(
            process,
            &mut search,
            (start, start, &path),
            0,
            &mut Vec::new(),
        )?;
    }
    for at in 0..search.batches.len() {
        flush(process, &mut search, at)?;
    }
    Ok(search.status)
}

/// Looks at a file and what is below it.
fn walk(
    process: &mut Process<'_, '_>,
    search: &mut Search<'_>,
    (shown, start, path): (&BString, &BString, &BString),
    depth: usize,
    above: &mut Vec<imgc_tree::Ino>,
) -> Result<(), Stop> {
    process.machine.spend(1)?;
    if depth > DEPTH {
        return Err(Stop::unsupported("find goes too deep"));
    }
    let follow = match search.follow {
        Follow::Never => false,
        Follow::Named => depth == 0,
        Follow::Always => true,
    };
    let files = &process.machine.files;
    // A link to nothing is looked at itself.
    let found = match files.stat(path, follow) {
        Err(_) if follow => files.stat(path, false),
        found => found,
    };
    let stat = match found {
        Ok(stat) => stat,
        Err(error) => {
            process.complain(format_args!("'{shown}': {error}"));
            search.status = Status::FAILED;
            return Ok(());
        }
    };
    let folder = stat.kind == b'd';
    if folder && above.contains(&stat.ino) {
        process.complain(format_args!("File system loop detected; '{shown}'"));
        search.status = Status::FAILED;
        return Ok(());
    }
    let ino = stat.ino;
    let entry = Entry {
        shown,
        path,
        start,
        stat,
        depth,
    };
    let options = search.options;
    let look = depth >= options.min_depth;
    let mut pruned = false;
    if !options.depth_first && look {
        search_one(process, search, &entry, &mut pruned)?;
    }
    let enter = folder && depth < options.max_depth && (!pruned || options.depth_first);
    if enter && !search.quit {
        above.push(ino);
        for name in process.machine.files.list(path).unwrap_or_default() {
            let join = |folder: &BString| {
                let slash: &[u8] = if folder.ends_with(b"/") { b"" } else { b"/" };
                BString::from([folder, slash, &name[..]].concat())
            };
            let (shown, path) = (join(shown), join(path));
            // Something that was removed meanwhile is not there any more.
            if process.machine.files.lnode(&path).is_some() {
                walk(process, search, (&shown, start, &path), depth + 1, above)?;
            }
            if search.quit {
                break;
            }
        }
        above.pop();
    }
    if options.depth_first && look && !search.quit {
        search_one(process, search, &entry, &mut pruned)?;
    }
    Ok(())
}

fn search_one(
    process: &mut Process<'_, '_>,
    search: &mut Search<'_>,
    entry: &Entry<'_>,
    pruned: &mut bool,
) -> Result<(), Stop> {
    let expression = search.expression;
    evaluate(process, search, expression, entry, pruned)?;
    Ok(())
}

fn evaluate(
    process: &mut Process<'_, '_>,
    search: &mut Search<'_>,
    expression: &Expression,
    entry: &Entry<'_>,
    pruned: &mut bool,
) -> Result<bool, Stop> {
    if search.quit {
        return Ok(false);
    }
    Ok(match expression {
        Expression::All(parts) => {
            for part in parts {
                if !evaluate(process, search, part, entry, pruned)? {
                    return Ok(false);
                }
            }
            true
        }
        Expression::Any(parts) => {
            for part in parts {
                if evaluate(process, search, part, entry, pruned)? {
                    return Ok(true);
                }
            }
            false
        }
        Expression::List(parts) => {
            let mut last = true;
            for part in parts {
                last = evaluate(process, search, part, entry, pruned)?;
            }
            last
        }
        Expression::Not(part) => !evaluate(process, search, part, entry, pruned)?,
        Expression::Test(test) => holds(process, search, test, entry)?,
        Expression::Do(Action::Prune) => {
            *pruned = true;
            true
        }
        Expression::Do(action) => perform(process, search, action, entry)?,
    })
}

fn holds(
    process: &mut Process<'_, '_>,
    search: &Search<'_>,
    test: &Test,
    entry: &Entry<'_>,
) -> Result<bool, Stop> {
    let stat = &entry.stat;
    let files = &mut process.machine.files;
    Ok(match test {
        Test::Constant(value) => *value,
        Test::Name(pattern, fold) => {
            let name = super::names::base_name(entry.shown);
            glob::matches(pattern, name, *fold)
        }
        Test::Path(pattern, fold) => glob::matches(pattern, entry.shown, *fold),
        Test::Regex(regex) => regex.is_match(entry.shown),
        Test::LinkName(pattern, fold) => match files.read_link(entry.path) {
            Ok(target) if stat.kind == b'l' => glob::matches(pattern, &target, *fold),
            _ => false,
        },
        Test::Type(kinds) => kinds.contains(&stat.kind),
        Test::TargetType(kinds) => {
            let follow = search.follow != Follow::Always;
            let kind = files
                .stat(entry.path, follow)
                .map_or(b'l', |stat| stat.kind);
            kinds.contains(&kind)
        }
        Test::PermExactly(mode) => stat.mode == *mode,
        Test::PermAll(mode) => stat.mode & mode == *mode,
        Test::PermAny(mode) => *mode == 0 || stat.mode & mode != 0,
        Test::User(id) => id.holds(i64::from(stat.uid)),
        Test::Group(id) => id.holds(i64::from(stat.gid)),
        Test::NoUser => super::owners::user_name(process, stat.uid).is_none(),
        Test::NoGroup => super::owners::group_name(process, stat.gid).is_none(),
        Test::Size(number, unit) => {
            let units = i64::try_from(stat.size.div_ceil(*unit)).unwrap_or(i64::MAX);
            number.holds(units)
        }
        Test::Empty => match stat.kind {
            b'f' => stat.size == 0,
            b'd' => files.list(entry.path).is_ok_and(|names| names.is_empty()),
            _ => false,
        },
        Test::Links(number) => {
            let links = super::stat::links(process, entry.path, stat);
            number.holds(i64::try_from(links).unwrap_or(i64::MAX))
        }
        Test::SameFile(ino) => stat.ino == *ino,
        Test::Inode(number) => {
            let inode = super::stat::inode(stat.ino);
            number.holds(i64::try_from(inode).unwrap_or(i64::MAX))
        }
        Test::Newer(time, other) => {
            let now = files.epoch();
            if *time == now && stat.mtime == now && *other != Some(stat.ino) {
                return Err(Stop::unsupported("find compares files of the same second"));
            }
            stat.mtime > *time
        }
        Test::Age(number, unit) => {
            let age = files.epoch() - stat.mtime;
            // -mmin rounds up, -mtime rounds down.
            let units = if *unit == 60 {
                (age + 59).div_euclid(60)
            } else {
                age.div_euclid(*unit)
            };
            number.holds(units)
        }
        Test::Executable => stat.kind == b'd' || stat.mode & 0o111 != 0,
    })
}

fn perform(
    process: &mut Process<'_, '_>,
    search: &mut Search<'_>,
    action: &Action,
    entry: &Entry<'_>,
) -> Result<bool, Stop> {
    match action {
        Action::Print(end) => {
            process.out([&entry.shown[..], &[*end]].concat());
            Ok(true)
        }
        Action::Printf(pieces) => {
            let text = print::write(process, pieces, entry)?;
            process.out(text);
            Ok(true)
        }
        Action::Prune => Ok(true),
        Action::Quit => {
            search.quit = true;
            Ok(true)
        }
        Action::Delete => {
            let files = &mut process.machine.files;
            if entry.shown == "." {
                return Ok(true);
            }
            let done = if files
                .stat(entry.path, false)
                .is_ok_and(|stat| stat.kind == b'd')
            {
                files.rmdir(entry.path)
            } else {
                files.unlink(entry.path)
            };
            if let Err(error) = done {
                process.complain(format_args!("cannot delete '{}': {error}", entry.shown));
                search.status = Status::FAILED;
                return Ok(false);
            }
            Ok(true)
        }
        Action::Exec(command) => {
            let fill = |arg: &BString| BString::from(arg.replace("{}", entry.shown));
            let status = process.run(command.iter().map(fill).collect())?;
            Ok(status == Status::OK)
        }
        Action::ExecDir(command) => {
            let name = super::names::base_name(entry.shown);
            let called = if name == b"/" {
                b"/".to_vec()
            } else {
                [b"./", name].concat()
            };
            let fill = |arg: &BString| BString::from(arg.replace("{}", &called));
            let folder = trimmed(entry.path);
            let folder = folder.strip_suffix(base(folder)).unwrap_or(b"/").to_vec();
            let mut child = process.child(command.iter().map(fill).collect());
            child.cwd = super::names::plain(&folder);
            Ok(child.start()? == Status::OK)
        }
        Action::Batch(at) => {
            let room = LINE.saturating_sub(4096);
            if search.batches[*at].2 + entry.shown.len() + 1 > room {
                flush(process, search, *at)?;
            }
            let (_, items, size) = &mut search.batches[*at];
            *size += entry.shown.len() + 1;
            items.push(entry.shown.clone());
            Ok(true)
        }
    }
}

/// Runs an `-exec … +` with what it has.
fn flush(process: &mut Process<'_, '_>, search: &mut Search<'_>, at: usize) -> Result<(), Stop> {
    let (command, items, size) = &mut search.batches[at];
    if items.is_empty() {
        return Ok(());
    }
    *size = 0;
    let mut args = command.clone();
    args.append(items);
    if process.run(args)? != Status::OK {
        search.status = Status::FAILED;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn files_are_found_as_find_finds_them() {
        let mut machine = machine();
        machine.put("/a/b/f.conf", "abc", 0o644);
        machine.put("/a/b/e", "", 0o4755);
        machine.put("/a/c/g.conf", "", 0o600);
        machine.run(&["ln", "-s", "b", "/a/l"]);
        machine.run(&["ln", "-s", "none", "/a/d"]);
        for (args, status, out) in [
            (
                "find /a",
                0,
                "/a\n/a/b\n/a/b/e\n/a/b/f.conf\n/a/c\n/a/c/g.conf\n/a/d\n/a/l\n",
            ),
            ("find /a/ -maxdepth 1 -type d", 0, "/a/\n/a/b\n/a/c\n"),
            ("find /a -name *.conf ! -empty", 0, "/a/b/f.conf\n"),
            (
                "find /a -name b -prune -o -type f -print",
                0,
                "/a/c/g.conf\n",
            ),
            ("find /a -depth -path */c*", 0, "/a/c/g.conf\n/a/c\n"),
            ("find -L /a -xtype l", 0, "/a/d\n/a/l\n"),
            ("find -L /a -name f*", 0, "/a/b/f.conf\n/a/l/f.conf\n"),
            (
                "find /a -perm -4000 -printf %m|%f|%P|%h|%y|%d\\n",
                0,
                "4755|e|b/e|/a/b|f|2\n",
            ),
            (
                "find /a -perm /077 -type f -o -lname none",
                0,
                "/a/b/e\n/a/b/f.conf\n/a/d\n",
            ),
            ("find /a -regex .*/[a-f]\\.conf", 0, "/a/b/f.conf\n"),
            (
                "find /a ( -name e -o -name g* ) -exec basename {} .conf ;",
                0,
                "e\ng\n",
            ),
            (
                "find /a -type f -exec basename -a {} +",
                0,
                "e\nf.conf\ng.conf\n",
            ),
            ("find /a -size +0 -type f", 0, "/a/b/f.conf\n"),
            ("find /a -mindepth 2 -name f.conf -quit", 0, ""),
            ("find /none", 1, ""),
            ("find /a -xdev -name g* -newer /a", 0, ""),
        ] {
            machine.run(&["touch", "-d", "@5", "/a/c/g.conf"]);
            let args: Vec<&str> = args.split(' ').collect();
            let ran = machine.run(&args);
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{args:?}");
        }
        assert!(machine.run_with(&["find", "/a", "-frob"], "").is_err());
        assert_eq!(
            machine.run(&["find", "/a", "-type", "f", "-delete"]).status,
            0
        );
        assert_eq!(
            machine.run(&["find", "/a", "-type", "d", "-empty"]).out,
            "/a/b\n/a/c\n"
        );
    }
}
