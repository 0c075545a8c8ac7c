//! `imgc.lock` on the disk: beside the `.img` files of its folder.

use std::path::{Path, PathBuf};

use imgc_apt::{Lock, Request};

use crate::beside::write_whole;
use crate::describe::{self, Problem};
use crate::work::Work;

/// The largest lock that is read, in bytes.
const LIMIT: u64 = 64 * 1024 * 1024;

/// A lock and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct LockFile {
    path: PathBuf,
    /// What it says now; empty where there is no file.
    pub(crate) lock: Lock,
    /// The text on the disk.
    text: Option<String>,
    /// Whether it is as it was read.
    is_read: bool,
}

impl LockFile {
    /// Where the lock beside `file` stands, if there is one.
    pub(crate) fn place(file: &Path) -> PathBuf {
        file.with_file_name("imgc.lock")
    }

    /// Reads the lock beside `file`.
    pub(crate) fn beside(file: &Path) -> Result<Self, Problem> {
        Self::known(file, &[])
    }

    /// As [`beside`](Self::beside). One that says what one of `others` says is not parsed
    /// again.
    #[expect(
        clippy::disallowed_methods,
        reason = "the binary gives the libraries their files"
    )]
    pub(crate) fn known(file: &Path, others: &[&Self]) -> Result<Self, Problem> {
        let path = Self::place(file);
        let text = match std::fs::metadata(&path) {
            Ok(metadata) if metadata.len() > LIMIT => {
                return Err(Problem::new(format!("{} is too large", path.display())));
            }
            Ok(metadata) if !metadata.is_file() => {
                return Err(Problem::new(format!("{} is not a file", path.display())));
            }
            Ok(_) => Some(
                std::fs::read_to_string(&path)
                    .map_err(|error| describe::disk("read", &path, &error))?,
            ),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(describe::disk("read", &path, &error)),
        };
        if let Some(same) = others
            .iter()
            .find(|other| other.text == text && other.is_read)
        {
            return Ok(Self {
                path,
                ..(*same).clone()
            });
        }
        let lock = match &text {
            None => Lock::default(),
            Some(text) => Lock::parse(text).map_err(|error| {
                Problem::new(format!("{} can't be used: {error}", path.display()))
                    .help("take the file from version control, or remove it and run imgc update")
            })?,
        };
        Ok(Self {
            path,
            lock,
            text,
            is_read: true,
        })
    }

    /// What may be changed now.
    pub(crate) fn to_change(&self) -> Self {
        Self {
            is_read: false,
            ..self.clone()
        }
    }

    /// Where it stands.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Drops what no `.img` file of its folder asks for any more, if the lock says
    /// something else than the file.
    pub(crate) fn settle(&mut self, work: &Work) {
        if self.is_unchanged() {
            return;
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        if let Some(asked) = work.asked_in(folder, &self.lock) {
            self.lock.retain(|request| {
                // The platform may come from the command line: every one is kept.
                asked.requests.iter().any(|wanted| {
                    *request
                        == Request {
                            arch: request.arch.clone(),
                            ..wanted.clone()
                        }
                })
            });
            self.lock
                .retain_bases(|reference| asked.bases.iter().any(|asked| asked == reference));
            self.lock
                .retain_modules(|address| asked.modules.iter().any(|asked| asked == address));
        }
    }

    /// Writes the lock, settled, if it says something else than the file. Nothing pinned
    /// is no reason for a file.
    pub(crate) fn save(&mut self, work: &Work) -> Result<(), Problem> {
        if self.is_unchanged() {
            return Ok(());
        }
        self.settle(work);
        let text = self.lock.render();
        if self.text.as_deref() != Some(text.as_str()) {
            write_whole(&self.path, |file| {
                std::io::Write::write_all(file, text.as_bytes())
            })?;
            self.text = Some(text);
        }
        Ok(())
    }

    fn is_unchanged(&self) -> bool {
        match &self.text {
            Some(text) => *text == self.lock.render(),
            None => self.lock == Lock::default(),
        }
    }
}
