//! Files of the project: what stands there, folders with everything in them, and
//! what is said when there is no answer.

use std::collections::BTreeMap;

use imgc_diag::{codes, did_you_mean};
use imgc_plan::{FileNode, ImagePath, Owner, Platform};

use crate::elf::{self, ElfError};
use crate::eval::{Eval, Evaluator, Failed};
use crate::path;
use crate::problem::Problem;
use crate::span::Span;
use crate::value::FileValue;
use crate::world::{EntryKind, Stat, WorldError};

use super::files::Places;

/// How deep folders may stand in a folder that is copied.
const MAX_FOLDERS: usize = 100;

/// How many links Linux follows in one path (path_resolution(7)).
const MAX_LINKS: usize = 40;

impl Evaluator<'_> {
    /// Whether the owner may execute the file at `path`; `None` for a folder.
    pub(super) fn project_stat(&mut self, path: &str, span: Span) -> Eval<Option<bool>> {
        match self.world.stat(path) {
            Ok(Stat::File { executable, .. }) => Ok(Some(executable)),
            Ok(Stat::Directory) => Ok(None),
            Ok(Stat::Other) => {
                let message = format!("`{}` is neither a file nor a folder", path::shown(path));
                Err(self.report(Problem::new(codes::UNREADABLE_FILE, span, message)))
            }
            Err(error) => Err(self.world_problem(&error, path, span)),
        }
    }

    /// Reports what is no file.
    pub(crate) fn project_file(&mut self, path: &str, span: Span) -> Eval<()> {
        if self.project_stat(path, span)?.is_none() {
            let message = format!("`{}` is a folder, and a file is needed", path::shown(path));
            return Err(self.report(Problem::new(codes::INVALID_ARGUMENT, span, message)));
        }
        Ok(())
    }

    /// Reports what is no folder.
    pub(super) fn project_folder(&mut self, path: &str, span: Span) -> Eval<()> {
        if self.project_stat(path, span)?.is_some() {
            let message = format!("`{}` is a file, and a folder is needed", path::shown(path));
            let problem = Problem::new(codes::INVALID_ARGUMENT, span, message);
            return Err(self.report(problem.help("use `file`")));
        }
        Ok(())
    }

    /// Puts a folder of the project in its place, with everything in it. `mode` and
    /// owner of `value` are the folder's; the owner is also that of what is in it. A
    /// folder of which `value` says nothing leaves one that the image has as it is:
    /// `/tmp` stays writable for all when a project's folder has a `tmp`.
    pub(super) fn place_folder(
        &mut self,
        places: &mut Places,
        target: &ImagePath,
        source: &str,
        value: &FileValue,
        key: Span,
        span: Span,
    ) -> Eval<()> {
        // The root of an image is always there.
        if target.as_str() != "/" {
            let root = Owner::Id(0);
            let node = FileNode::Directory {
                mode: value.mode.unwrap_or(0o755),
                keep: value.mode.is_none() && value.user == root && value.group == root,
            };
            self.place(places, target.clone(), node, value, key)?;
        }
        let mut links: BTreeMap<String, String> = BTreeMap::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            if folder.matches('/').count() >= MAX_FOLDERS {
                let message =
                    format!("folders stand more than {MAX_FOLDERS} levels deep in this one");
                return Err(self.report(Problem::new(codes::NESTED_TOO_DEEP, span, message)));
            }
            let from = path::join(source, &folder);
            let from = from.trim_end_matches('/');
            let entries = match self.world.list(from) {
                Ok(entries) => entries,
                Err(error) => return Err(self.world_problem(&error, from, span)),
            };
            for entry in entries {
                let within = path::join(&folder, &entry.name);
                let from = path::join(source, &within);
                let to = target.join(&within).map_err(|_| {
                    let message = format!("`{}` can't be a path in an image", path::shown(&from));
                    self.report(Problem::new(codes::BAD_IMAGE_PATH, span, message))
                })?;
                let node = match entry.kind {
                    EntryKind::File { executable } => {
                        let mode = if executable { 0o755 } else { 0o644 };
                        self.content(places, &from, mode, span)?
                    }
                    EntryKind::Directory => {
                        folders.push(within);
                        FileNode::Directory {
                            mode: 0o755,
                            keep: true,
                        }
                    }
                    EntryKind::Symlink { target } => {
                        links.insert(within.clone(), target.clone());
                        FileNode::Symlink { target }
                    }
                    EntryKind::Other => {
                        let shown = path::shown(&from);
                        let message = format!("`{shown}` is neither a file, a folder nor a link");
                        return Err(self.report(Problem::new(
                            codes::UNREADABLE_FILE,
                            span,
                            message,
                        )));
                    }
                };
                self.place(places, to, node, value, key)?;
            }
        }
        for (link, target) in &links {
            self.stays_inside(&links, link, target, source, span)?;
        }
        Ok(())
    }

    /// Reports a link that leads out of the folder, also by way of other links in it.
    fn stays_inside(
        &mut self,
        links: &BTreeMap<String, String>,
        link: &str,
        target: &str,
        source: &str,
        span: Span,
    ) -> Eval<()> {
        let (stays, steps) = stays_inside(links, link);
        self.step(steps, span)?;
        if stays {
            return Ok(());
        }
        let shown = path::shown(&path::join(source, link));
        let message = format!("the link `{shown}` leads out of the copied folder, to `{target}`");
        let problem = Problem::new(codes::SYMLINK_ESCAPES, span, message);
        Err(self.report(problem.help("write links out of the folder with `symlink`")))
    }

    /// Checks that a file is a static program for a platform.
    pub(super) fn check_program(
        &mut self,
        source: &str,
        span: Span,
        platform: Platform,
    ) -> Eval<()> {
        self.project_file(source, span)?;
        let Err(error) = elf::check(self.world, source, platform.arch) else {
            return Ok(());
        };
        let shown = path::shown(source);
        let static_help = "link it statically: Go with `CGO_ENABLED=0`, Rust for a `-musl` target, C with `-static-pie`";
        let (code, message, help) = match error {
            ElfError::World(error) => return Err(self.world_problem(&error, source, span)),
            ElfError::NotElf { script: true } => (
                codes::NOT_A_STATIC_BINARY,
                format!("`{shown}` is a script, not a static program"),
                "put a script into the image by its path, and its interpreter as a package",
            ),
            ElfError::NotElf { script: false } => (
                codes::NOT_A_STATIC_BINARY,
                format!("`{shown}` is not an ELF program"),
                "put other files into the image by their path, without `binary`",
            ),
            ElfError::NotElf64 => (
                codes::WRONG_ARCHITECTURE,
                format!("`{shown}` is not a 64-bit little-endian ELF program"),
                "build it for the architecture of the image",
            ),
            ElfError::Machine(machine) => (
                codes::WRONG_ARCHITECTURE,
                format!(
                    "`{shown}` is a program for {}, and the image is for {}",
                    elf::machine_name(machine),
                    platform.arch
                ),
                "name one program for each architecture: `binary { amd64 = ./a; arm64 = ./b; }`",
            ),
            ElfError::NotProgram => (
                codes::NOT_A_STATIC_BINARY,
                format!("`{shown}` is an ELF file, but not a program"),
                "name the program that the linker made",
            ),
            ElfError::Interpreter(interpreter) => (
                codes::NOT_A_STATIC_BINARY,
                format!("`{shown}` is linked dynamically: it asks for `{interpreter}`"),
                static_help,
            ),
            ElfError::Needs(count) => (
                codes::NOT_A_STATIC_BINARY,
                format!("`{shown}` is linked dynamically: it asks for {count} shared libraries"),
                static_help,
            ),
            ElfError::Damaged => (
                codes::NOT_A_STATIC_BINARY,
                format!("the ELF headers of `{shown}` are damaged"),
                "build it again",
            ),
        };
        Err(self.report(Problem::new(code, span, message).help(help)))
    }

    /// Reports that the outside has no answer.
    pub(crate) fn world_problem(&mut self, error: &WorldError, path: &str, span: Span) -> Failed {
        let problem = world_problem(self.world, error, path, span);
        self.report(problem)
    }
}

/// Whether a link of a folder stays inside wherever it leads, given the links in the
/// folder, and how many steps that took. A link in a circle leads nowhere.
fn stays_inside(links: &BTreeMap<String, String>, link: &str) -> (bool, usize) {
    let mut rest: Vec<&str> = link.rsplit('/').collect();
    let mut done: Vec<&str> = Vec::new();
    let (mut followed, mut steps) = (0, 0);
    while let Some(part) = rest.pop() {
        steps += 1;
        match part {
            "" | "." => continue,
            ".." => {
                if done.pop().is_none() {
                    return (false, steps);
                }
                continue;
            }
            part => done.push(part),
        }
        let Some(target) = links.get(&done.join("/")) else {
            continue;
        };
        if target.is_empty() || target.starts_with('/') {
            return (false, steps);
        }
        followed += 1;
        if followed > MAX_LINKS {
            break;
        }
        done.pop();
        rest.extend(target.rsplit('/'));
    }
    (true, steps)
}

/// The report that the outside has no answer about a project file.
pub(crate) fn world_problem(
    world: &dyn crate::world::World,
    error: &WorldError,
    path: &str,
    span: Span,
) -> Problem {
    let shown = path::shown(path);
    match error {
        WorldError::NotFound => {
            let message = format!("there is no file or folder `{shown}`");
            let problem = Problem::new(codes::FILE_NOT_FOUND, span, message);
            match similar_path(world, path) {
                Some(similar) => problem.help(format!("did you mean `{}`?", path::shown(&similar))),
                None => problem,
            }
        }
        WorldError::Outside => Problem::new(
            codes::PATH_OUTSIDE_PROJECT,
            span,
            format!("a symbolic link on the way to `{shown}` leads out of the project"),
        )
        .note("an image is made from the files of its project only"),
        WorldError::WrongKind | WorldError::Failed(_) => Problem::new(
            codes::UNREADABLE_FILE,
            span,
            format!("`{shown}` can't be read: {error}"),
        ),
    }
}

/// A path that exists and differs from `path` in its first missing part.
fn similar_path(world: &dyn crate::world::World, path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    for at in 0..parts.len() {
        let folder = parts[..at].join("/");
        let here = path::join(&folder, parts[at]);
        if world.stat(&here).is_ok() {
            continue;
        }
        let entries = world.list(&folder).ok()?;
        let names = entries.iter().map(|entry| entry.name.as_str());
        let similar = did_you_mean(parts[at], names)?;
        let mut fixed = path::join(&folder, similar);
        for part in &parts[at + 1..] {
            fixed = path::join(&fixed, part);
        }
        return world.stat(&fixed).is_ok().then_some(fixed);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stays(links: &[(&str, &str)], link: &str) -> bool {
        let links = links
            .iter()
            .map(|(at, to)| (at.to_string(), to.to_string()));
        stays_inside(&links.collect(), link).0
    }

    #[test]
    fn links_stay_inside_by_way_of_other_links() {
        assert!(stays(&[("a", "b/c")], "a"));
        assert!(stays(&[("top", "bin/../index")], "top"));
        assert!(!stays(&[("a/b", "../../c")], "a/b"));
        assert!(!stays(&[("a", "/etc")], "a"));
        assert!(!stays(&[("a", "")], "a"));
        // `sub/d/../etc` looks as if it were `sub/etc`, and is `../etc`.
        let links = [("sub/d", ".."), ("sub/x", "d/../etc")];
        assert!(stays(&links, "sub/d"));
        assert!(!stays(&links, "sub/x"));
        // The other way round: it looks as if it led out.
        assert!(stays(&[("d", "x/y"), ("a", "d/../../f")], "a"));
        assert!(stays(&[("a", "b"), ("b", "a")], "a"));
    }
}
