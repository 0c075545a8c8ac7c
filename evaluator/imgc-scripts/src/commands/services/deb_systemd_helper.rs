//! deb-systemd-helper of init-system-helpers: the links of units, and the notes under
//! `/var/lib/systemd` of what Debian's scripts have enabled and masked.
//!
//! It reads unit files line by line, whatever the section, with some oddities that are
//! kept: what it writes is compared byte for byte.

use bstr::{BString, ByteSlice as _};

use crate::commands::accounts::options::Takes;
use crate::commands::accounts::perl;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(crate) const NATIVES: &[Native] = &[Native {
    name: "deb-systemd-helper",
    origin: Origin::Essential,
    run: deb_systemd_helper,
}];

const OPTIONS: &[perl::Known] = &[
    ("quiet", Takes::Nothing),
    ("user", Takes::Nothing),
    ("system", Takes::Nothing),
];

/// A link that enabling a unit makes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    at: BString,
    target: BString,
}

/// A run for the units of the system, or of users.
struct Run<'a, 'p, 'r> {
    process: &'a mut Process<'p, 'r>,
    user: bool,
    purge: bool,
    systemctl: bool,
}

/// Ends the program with status 1.
struct Failed;

/// What goes on, fails, or stops.
type Step<T> = Result<Result<T, Failed>, Stop>;

fn deb_systemd_helper(process: &mut Process<'_, '_>) -> Outcome {
    let args = process.args.get(1..).unwrap_or_default();
    let given = perl::read(args, OPTIONS)?;
    let Some((action, units)) = given.rest.split_first() else {
        return Ok(Status::OK);
    };
    let mut options = given.options.iter().rev();
    let last = options.find(|(name, _)| *name != "quiet");
    let user = last.is_some_and(|(name, _)| *name == "user");
    let asked = process
        .env
        .get(bstr::BStr::new("_DEB_SYSTEMD_HELPER_PURGE"));
    let systemctl = ["/bin/systemctl", "/usr/bin/systemctl"];
    let mut run = Run {
        purge: action == "purge" || asked.is_some_and(|value| value == "1"),
        user,
        systemctl: systemctl
            .iter()
            .any(|path| process.is_executable(path.as_bytes())),
        process,
    };
    let asks = matches!(
        action.as_slice(),
        b"is-enabled" | b"was-enabled" | b"debian-installed"
    );
    let mut status = Status(u8::from(asks));
    for unit in units {
        run.process.machine.spend(1)?;
        match run.one(action, unit)? {
            Ok(true) => status = Status::OK,
            Ok(false) => {}
            Err(Failed) => return Ok(Status::FAILED),
        }
    }
    Ok(status)
}

impl Run<'_, '_, '_> {
    /// Does `action` for a unit. Says whether a question has the answer yes.
    fn one(&mut self, action: &BString, unit: &BString) -> Step<bool> {
        let path = self.find(unit);
        match action.as_slice() {
            b"is-enabled" => {
                let links = match self.closure(unit, &path, &mut Vec::new())? {
                    Ok(links) => links,
                    Err(failed) => return Ok(Err(failed)),
                };
                return Ok(Ok(links.iter().all(|link| self.is_link(&link.at))));
            }
            b"was-enabled" => {
                let links = self.state(unit);
                return Ok(Ok(links.iter().all(|link| self.is_link(link))));
            }
            b"debian-installed" => return Ok(Ok(self.is_noted(unit))),
            b"update-state" => {
                let links = match self.closure(unit, &path, &mut Vec::new())? {
                    Ok(links) => links,
                    Err(failed) => return Ok(Err(failed)),
                };
                let lines: Vec<BString> = links.into_iter().map(|link| link.at).collect();
                self.note(unit, &lines)?;
            }
            b"enable" => return Ok(self.enable(unit, &path)?.map(|()| false)),
            b"reenable" => {
                self.remove(&path)?;
                return Ok(self.link(unit, &path, true)?.map(|()| false));
            }
            b"disable" | b"purge" => {
                self.remove(&path)?;
                for user in [false, true] {
                    self.tidy(enabled(user).into());
                    let folder = units(user);
                    for name in self.visible(folder.as_bytes()) {
                        self.tidy(join(folder, &name));
                    }
                }
            }
            b"mask" => self.mask(&path)?,
            b"unmask" => {
                self.unmask(&path);
                for user in [false, true] {
                    self.tidy(masked(user).into());
                }
            }
            // As the program: what it does not know it does not do.
            _ => {}
        }
        Ok(Ok(false))
    }

    /// Where a unit's file is; its name where it is nowhere.
    fn find(&self, unit: &BString) -> BString {
        let kind = if self.user { "user" } else { "system" };
        for folder in ["/etc", "/lib", "/usr/lib"] {
            let path = BString::from(format!("{folder}/systemd/{kind}/{unit}"));
            if self.process.machine.files.is_file(&path) {
                return path;
            }
        }
        unit.clone()
    }

    fn is_link(&self, path: &[u8]) -> bool {
        self.process.machine.files.read_link(path).is_ok()
    }

    // The notes.

    fn note_path(&self, unit: &[u8]) -> BString {
        let name = base(unit).as_bstr();
        format!("{}/{name}.dsh-also", enabled(self.user)).into()
    }

    fn is_noted(&self, unit: &[u8]) -> bool {
        self.process.machine.files.is_file(&self.note_path(unit))
    }

    /// The links that were noted for a unit.
    fn state(&mut self, unit: &[u8]) -> Vec<BString> {
        let path = self.note_path(unit);
        let bytes = self.process.machine.files.read(&path).unwrap_or_default();
        bytes.lines().map(BString::from).collect()
    }

    fn note(&mut self, unit: &[u8], links: &[BString]) -> Result<(), Stop> {
        let path = self.note_path(unit);
        let mut bytes = Vec::new();
        for link in links {
            bytes.extend_from_slice(link);
            bytes.push(b'\n');
        }
        self.put(&path, bytes)?;
        let files = &mut self.process.machine.files;
        files
            .chmod(&path, 0o644)
            .map_err(|error| failed(&path, error))
    }

    /// Writes a file, with the folders above it.
    fn put(&mut self, path: &BString, bytes: Vec<u8>) -> Result<(), Stop> {
        self.folders(path)?;
        let mode = 0o666 & !self.process.umask;
        let written = self.process.machine.files.write(path, bytes, mode);
        written.map(|_| ()).map_err(|error| failed(path, error))
    }

    fn folders(&mut self, path: &BString) -> Result<(), Stop> {
        let end = path.rfind_byte(b'/').unwrap_or(0);
        let mode = 0o777 & !self.process.umask;
        let made = self.process.machine.files.mkdir_all(&path[..end], mode);
        made.map_err(|error| failed(path, error))
    }

    // Links.

    /// The links of a unit and of those that it names with `Also=`.
    fn closure(
        &mut self,
        unit: &BString,
        path: &BString,
        visited: &mut Vec<BString>,
    ) -> Step<Vec<Link>> {
        let name = BString::from(base(path));
        let bytes = self.process.machine.files.read(path);
        let Ok(bytes) = bytes else {
            self.process
                .complain(format_args!("error: unable to read {path}"));
            return Ok(Err(Failed));
        };
        self.process.machine.spend(1 + bytes.len() as u64 / 256)?;
        let folder = units(self.user);
        let mut links = Vec::new();
        let mut wanting = Vec::new();
        let mut wanted = name.clone();
        for line in bytes.lines() {
            let line = line.trim_ascii_start();
            let Some((key, text)) = line
                .split_once_str("=")
                .filter(|(_, text)| !text.is_empty())
            else {
                continue;
            };
            match key.to_ascii_lowercase().as_slice() {
                b"wantedby" | b"requiredby" => {
                    for value in words(text) {
                        let (value, quoted) = unquoted(value);
                        let suffix = match key {
                            _ if quoted.is_some() => "",
                            b"WantedBy" => ".wants",
                            b"RequiredBy" => ".requires",
                            _ => "",
                        };
                        wanting.push(format!("{folder}/{}{suffix}/", value.as_bstr()));
                    }
                }
                b"also" => {
                    for value in words(text) {
                        let value = BString::from(unquoted(value).0);
                        if value == name || visited.contains(&value) {
                            continue;
                        }
                        visited.push(value.clone());
                        let other = self.find(&value);
                        match self.closure(&value, &other, &mut visited.clone())? {
                            Ok(others) => links.extend(others),
                            Err(failed) => return Ok(Err(failed)),
                        }
                    }
                }
                b"alias" => {
                    for value in words(text) {
                        let (value, quoted) = unquoted(value);
                        if value == name.as_slice() {
                            continue;
                        }
                        // The name is what the last pattern found: the whole line, or
                        // the quote.
                        let found = quoted.map_or(text, |_| &text[..1]).as_bstr();
                        links.push(Link {
                            at: format!("{folder}/{found}").into(),
                            target: path.clone(),
                        });
                    }
                }
                b"defaultinstance" => {
                    let value = unquoted(text.trim_ascii()).0.as_bstr();
                    wanted = value.to_owned();
                    if let Some((before, after)) = name.rsplit_once_str("@")
                        && after.len() > 1
                        && after.starts_with(b".")
                        && after[1..]
                            .iter()
                            .all(|b| b.is_ascii_alphanumeric() || *b == b'_')
                    {
                        let (before, after) = (before.as_bstr(), after.as_bstr());
                        wanted = format!("{before}@{value}{after}").into();
                    } else {
                        wanted.clone_from(&name);
                    }
                }
                _ => {}
            }
        }
        let _ = unit;
        links.extend(wanting.into_iter().map(|folder| Link {
            at: format!("{folder}{wanted}").into(),
            target: path.clone(),
        }));
        Ok(Ok(links))
    }

    fn enable(&mut self, unit: &BString, path: &BString) -> Step<()> {
        if !self.systemctl {
            return self.link(unit, path, true);
        }
        let mut make = false;
        if self.is_noted(unit) {
            let links = match self.closure(unit, path, &mut Vec::new())? {
                Ok(links) => links,
                Err(failed) => return Ok(Err(failed)),
            };
            make = links.iter().any(|link| self.is_link(&link.at));
        } else {
            let whose = if self.user { "--global" } else { "--system" };
            let words = [
                "systemctl",
                "--root=/",
                whose,
                "--preset-mode=enable-only",
                "preset",
            ];
            let mut call: Vec<BString> = words.map(BString::from).into();
            call.push(unit.clone());
            if self.process.run(call)? != Status::OK {
                self.process
                    .complain(format_args!("error: systemctl preset failed on {unit}"));
                return Ok(Err(Failed));
            }
        }
        self.link(unit, path, make)
    }

    /// Notes the links of a unit, and makes those that were not noted before.
    fn link(&mut self, unit: &BString, path: &BString, make: bool) -> Step<()> {
        let links = match self.closure(unit, path, &mut Vec::new())? {
            Ok(links) => links,
            Err(failed) => return Ok(Err(failed)),
        };
        for link in links {
            let mut lines = self.state(unit);
            if !lines.contains(&link.at) {
                lines.push(link.at.clone());
            }
            self.note(unit, &lines)?;
            let mark = moved(&link.at, units(self.user), enabled(self.user));
            if self.process.machine.files.exists(&mark) {
                continue;
            }
            if make && !self.is_link(&link.at) {
                self.folders(&link.at)?;
                let made = self.process.machine.files.symlink(&link.target, &link.at);
                if made.is_err() {
                    self.process
                        .complain(format_args!("error: unable to link {}", link.at));
                    return Ok(Err(Failed));
                }
            }
            self.put(&mark, Vec::new())?;
        }
        Ok(Ok(()))
    }

    fn remove(&mut self, path: &BString) -> Result<(), Stop> {
        let mut todo = vec![path.clone()];
        let mut seen = Vec::new();
        while let Some(path) = todo.pop() {
            if seen.contains(&path) {
                continue;
            }
            self.process.machine.spend(1)?;
            let links = self.state(&path);
            let note = self.note_path(&path);
            let unlink = |run: &mut Self, path: &[u8]| {
                // What is not there need not be removed.
                let _ = run.process.machine.files.unlink(path);
            };
            if self.purge {
                unlink(self, &note);
            }
            for link in links {
                let there = self.is_link(&link);
                if self.purge || there {
                    let mark = moved(&link, units(self.user), enabled(self.user));
                    unlink(self, &mark);
                }
                if there {
                    unlink(self, &link);
                }
            }
            let bytes = self.process.machine.files.read(&path).unwrap_or_default();
            for line in bytes.lines() {
                let line = line.trim_ascii_start();
                if let Some((key, text)) = line.split_once_str("=")
                    && key.eq_ignore_ascii_case(b"also")
                    && !text.is_empty()
                {
                    todo.push(self.find(&text.into()));
                }
            }
            seen.push(path);
        }
        Ok(())
    }

    // Masks.

    fn mask(&mut self, path: &BString) -> Result<(), Stop> {
        let link = join(units(self.user), base(path));
        // A link to a device is a file that is there, though the tree has no device.
        let target = self.process.machine.files.read_link(&link).ok();
        if self.process.machine.files.exists(&link) || target.is_some_and(|to| to == "/dev/null") {
            return Ok(());
        }
        self.folders(&link)?;
        let files = &mut self.process.machine.files;
        let _ = files.unlink(&link);
        files
            .symlink(b"/dev/null", &link)
            .map_err(|error| failed(&link, error))?;
        let mark = moved(&link, units(self.user), masked(self.user));
        if !self.process.machine.files.exists(&mark) {
            self.put(&mark, Vec::new())?;
        }
        Ok(())
    }

    fn unmask(&mut self, path: &BString) {
        let link = join(units(self.user), base(path));
        let mark = moved(&link, units(self.user), masked(self.user));
        let files = &mut self.process.machine.files;
        let target = files.read_link(&link);
        if target.is_ok_and(|to| to == "/dev/null") && files.exists(&mark) {
            let _ = files.unlink(&link);
            let _ = files.unlink(&mark);
        }
    }

    /// Removes a folder where it and all below it is empty.
    fn tidy(&mut self, folder: BString) {
        for name in self.visible(&folder) {
            self.tidy(join(&folder.to_str_lossy(), &name));
        }
        let _ = self.process.machine.files.rmdir(&folder);
    }

    /// The folders in a folder, except hidden ones.
    fn visible(&self, folder: &[u8]) -> Vec<BString> {
        let names = self.process.machine.files.list(folder).unwrap_or_default();
        let folder = folder.to_str_lossy();
        let is_folder = |name: &BString| {
            self.process
                .machine
                .files
                .is_directory(&join(&folder, name))
                && name[0] != b'.'
        };
        names.into_iter().filter(is_folder).collect()
    }
}

fn units(user: bool) -> &'static str {
    if user {
        "/etc/systemd/user"
    } else {
        "/etc/systemd/system"
    }
}

fn enabled(user: bool) -> &'static str {
    if user {
        "/var/lib/systemd/deb-systemd-user-helper-enabled"
    } else {
        "/var/lib/systemd/deb-systemd-helper-enabled"
    }
}

fn masked(user: bool) -> &'static str {
    if user {
        "/var/lib/systemd/deb-systemd-user-helper-masked"
    } else {
        "/var/lib/systemd/deb-systemd-helper-masked"
    }
}

/// The path of what is at `path` below `from`, below `to`.
fn moved(path: &[u8], from: &str, to: &str) -> BString {
    match path.strip_prefix(from.as_bytes()) {
        Some(rest) => BString::from([to.as_bytes(), rest].concat()),
        None => path.into(),
    }
}

fn join(folder: &str, name: &[u8]) -> BString {
    BString::from([folder.as_bytes(), b"/", name].concat())
}

/// Words as Perl's split gives them: white space at the beginning makes an empty one.
fn words(text: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    if text.first().is_some_and(u8::is_ascii_whitespace) {
        words.push(&b""[..]);
    }
    words.extend(
        text.split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty()),
    );
    words
}

/// A value without the quotes around it, and the quote.
fn unquoted(value: &[u8]) -> (&[u8], Option<u8>) {
    match value {
        [first @ (b'"' | b'\''), inner @ .., last] if first == last => (inner, Some(*first)),
        _ => (value, None),
    }
}

fn failed(path: &BString, error: crate::Errno) -> Stop {
    Stop::unsupported(format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use crate::Machine;
    use crate::testing::machine;

    const STATE: &str = "/var/lib/systemd/deb-systemd-helper-enabled";

    fn prepared() -> Machine<'static> {
        let mut m = machine();
        m.put(
            "/usr/lib/systemd/system/ssh.service",
            "[Unit]\n[Install]\nWantedBy=multi-user.target\nAlias=sshd.service\nAlso=keys.service\n",
            0o644,
        );
        m.put(
            "/usr/lib/systemd/system/keys.service",
            "[Install]\nWantedBy=ssh.service ssh.socket\nAlso=ssh.service\n",
            0o644,
        );
        m.put(
            "/usr/lib/systemd/system/getty@.service",
            "[Install]\nWantedBy=getty.target\nDefaultInstance=tty1\n",
            0o644,
        );
        m
    }

    #[test]
    fn a_new_unit_is_enabled_and_noted() {
        let mut m = prepared();
        assert_eq!(
            m.run(&["deb-systemd-helper", "unmask", "ssh.service"])
                .status,
            0
        );
        let asked = [
            "deb-systemd-helper",
            "--quiet",
            "was-enabled",
            "ssh.service",
        ];
        assert_eq!(m.run(&asked).status, 0);
        assert_eq!(
            m.run(&["deb-systemd-helper", "enable", "ssh.service"])
                .status,
            0
        );
        assert_eq!(
            m.text(&format!("{STATE}/ssh.service.dsh-also")),
            "/etc/systemd/system/sshd.service\n\
             /etc/systemd/system/multi-user.target.wants/ssh.service\n\
             /etc/systemd/system/ssh.service.wants/keys.service\n\
             /etc/systemd/system/ssh.socket.wants/keys.service\n"
        );
        let link = m
            .files
            .read_link(b"/etc/systemd/system/multi-user.target.wants/ssh.service");
        assert_eq!(link.unwrap(), "/lib/systemd/system/ssh.service");
        let alias = m.files.read_link(b"/etc/systemd/system/sshd.service");
        assert_eq!(alias.unwrap(), "/lib/systemd/system/ssh.service");
        assert_eq!(
            m.text(&format!("{STATE}/multi-user.target.wants/ssh.service")),
            ""
        );
        assert_eq!(m.text(&format!("{STATE}/sshd.service")), "");
        assert_eq!(m.run(&asked).status, 0);
        let installed = ["deb-systemd-helper", "debian-installed", "ssh.service"];
        assert_eq!(m.run(&installed).status, 0);
        assert_eq!(
            m.run(&["deb-systemd-helper", "disable", "ssh.service"])
                .status,
            0
        );
        assert_eq!(m.run(&asked).status, 1);
        assert!(
            !m.files
                .exists(b"/etc/systemd/system/multi-user.target.wants")
        );
    }

    #[test]
    fn templates_have_a_default_instance() {
        let mut m = prepared();
        assert_eq!(
            m.run(&["deb-systemd-helper", "enable", "getty@.service"])
                .status,
            0
        );
        let link = m
            .files
            .read_link(b"/etc/systemd/system/getty.target.wants/getty@tty1.service");
        assert_eq!(link.unwrap(), "/lib/systemd/system/getty@.service");
    }

    #[test]
    fn update_state_only_notes() {
        let mut m = prepared();
        m.put(
            "/usr/lib/systemd/user/a.socket",
            "[Install]\nWantedBy=sockets.target\n",
            0o644,
        );
        let args = ["deb-systemd-helper", "--user", "update-state", "a.socket"];
        assert_eq!(m.run(&args).status, 0);
        let note = "/var/lib/systemd/deb-systemd-user-helper-enabled/a.socket.dsh-also";
        assert_eq!(
            m.text(note),
            "/etc/systemd/user/sockets.target.wants/a.socket\n"
        );
        assert!(!m.files.exists(b"/etc/systemd/user"));
        let args = ["deb-systemd-helper", "update-state", "nope.service"];
        assert_eq!(m.run(&args).status, 1);
    }

    #[test]
    fn masks_come_and_go() {
        let mut m = prepared();
        assert_eq!(
            m.run(&["deb-systemd-helper", "mask", "ssh.service"]).status,
            0
        );
        let link = b"/etc/systemd/system/ssh.service";
        assert_eq!(m.files.read_link(link).unwrap(), "/dev/null");
        assert_eq!(
            m.run(&["deb-systemd-helper", "unmask", "ssh.service"])
                .status,
            0
        );
        assert!(m.files.lnode(link).is_none());
        assert!(
            !m.files
                .exists(b"/var/lib/systemd/deb-systemd-helper-masked")
        );
    }
}
