//! The home folders that adduser makes.

use bstr::{BString, ByteSlice as _};

use super::{Code, Run, Step};
use crate::Errno;
use crate::commands::accounts::home;
use crate::stop::Stop;

impl Run<'_, '_, '_> {
    /// Makes a home folder, unless it is there, or nobody wants it. `skeleton` says
    /// whether files are copied into it.
    pub(super) fn home(&mut self, home: &BString, owner: (u32, u32), skeleton: bool) -> Step<()> {
        let rest = home.trim_start_with(|c| c == '/');
        let nowhere = rest
            .strip_prefix(b"nonexistent")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
        let files = &self.process.machine.files;
        if nowhere || self.given.has("no-create-home") {
            self.say(format_args!("Not creating home directory `{home}'."));
            return Ok(());
        }
        if files.exists(home) {
            if skeleton || self.config.old {
                self.process
                    .complain(format_args!("{home} is there already"));
            }
            return Ok(());
        }
        self.say(format_args!("Creating home directory `{home}' ..."));
        let mode = self.mode();
        let umask = self.process.umask;
        let machine = &mut *self.process.machine;
        if machine.files.mkdir_all(home, 0o755 & !umask).is_err() {
            return self.fail(Code::BadConfig, format_args!("{home} can't be made"));
        }
        home::make(machine, home, owner, mode)?;
        let skel = BString::from(self.config.text("skel"));
        if skeleton && !skel.is_empty() && machine.files.is_directory(&skel) {
            self.say(format_args!("Copying files from `{skel}' ..."));
            let pattern = self.config.text("skel_ignore_regex").to_str_lossy();
            let ignored = regex::bytes::Regex::new(&pattern)
                .map_err(|error| Stop::unsupported(format!("{pattern}: {error}")))?;
            self.copy(&skel, home, owner, &ignored)?;
        }
        Ok(())
    }

    fn mode(&self) -> u32 {
        let (setting, default) = if self.given.has("system") {
            ("sys_dir_mode", 0o755)
        } else {
            ("dir_mode", 0o700)
        };
        let text = self.config.text(setting);
        let number = text
            .to_str()
            .ok()
            .and_then(|text| u32::from_str_radix(text, 8).ok());
        let mode = number.filter(|_| text.len() >= 3).unwrap_or(default) & 0o7777;
        mode | if self.config.yes("setgid_home") {
            0o2000
        } else {
            0
        }
    }

    fn copy(
        &mut self,
        from: &BString,
        to: &BString,
        owner: (u32, u32),
        ignored: &regex::bytes::Regex,
    ) -> Step<()> {
        let setgid = self.config.yes("setgid_home");
        for name in self.process.machine.files.list(from).unwrap_or_default() {
            self.process.machine.spend(1)?;
            let (old, new) = (
                home::below(from, name.as_ref()),
                home::below(to, name.as_ref()),
            );
            let files = &mut self.process.machine.files;
            let Ok(stat) = files.stat(&old, false) else {
                continue;
            };
            let skip = ignored.is_match(&name);
            let mut mode = stat.mode;
            let done = match stat.kind {
                _ if skip => Ok(()),
                b'l' => files
                    .read_link(&old)
                    .and_then(|target| files.symlink(&target, &new)),
                b'f' => {
                    let bytes = files.read(&old);
                    bytes.and_then(|bytes| files.write(&new, bytes.to_vec(), mode).map(|_| ()))
                }
                b'd' => {
                    mode |= if setgid && mode & 0o010 != 0 {
                        0o2000
                    } else {
                        0
                    };
                    files.mkdir(&new, mode)
                }
                _ => Err(Errno::Invalid),
            };
            let done = done.and_then(|()| {
                if skip {
                    return Ok(());
                }
                files.chown(&new, Some(owner.0), Some(owner.1), false)?;
                if stat.kind == b'l' {
                    Ok(())
                } else {
                    files.chmod(&new, mode)
                }
            });
            if let Err(error) = done {
                return self.fail(Code::BadConfig, format_args!("{new}: {error}"));
            }
            if stat.kind == b'd' {
                self.copy(&old, &new, owner, ignored)?;
            }
        }
        Ok(())
    }
}
