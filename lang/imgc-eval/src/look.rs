//! What stands in the project, and what is said where there is no answer.
//!
//! It looks, and puts nothing into an image.

use imgc_diag::{codes, did_you_mean};

use crate::path;
use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::{Call, Eval, Failed};
use crate::world::{Entry as Listed, Stat, World, WorldError};

/// Who can say what stands in the project.
pub(crate) trait Look {
    /// What stands at `path`.
    fn stat(&mut self, path: &str) -> Result<Stat, WorldError>;
    /// What is in the folder at `path`.
    fn list(&mut self, path: &str) -> Result<Vec<Listed>, WorldError>;
}

impl Look for Call<'_> {
    fn stat(&mut self, path: &str) -> Result<Stat, WorldError> {
        Call::stat(self, path)
    }

    fn list(&mut self, path: &str) -> Result<Vec<Listed>, WorldError> {
        Call::list(self, path)
    }
}

impl Look for &dyn World {
    fn stat(&mut self, path: &str) -> Result<Stat, WorldError> {
        World::stat(*self, path)
    }

    fn list(&mut self, path: &str) -> Result<Vec<Listed>, WorldError> {
        World::list(*self, path)
    }
}

/// The report that the outside has no answer about a project file.
pub(crate) fn world_problem<P: Clone + PartialEq>(
    look: &mut dyn Look,
    error: &WorldError,
    path: &str,
    place: P,
) -> Problem<P> {
    let shown = path::shown(path);
    match error {
        WorldError::NotFound => {
            let message = format!("there is no file or folder `{shown}`");
            let problem = Problem::new(codes::FILE_NOT_FOUND, place, message);
            match similar_path(look, path) {
                Some(similar) => problem.help(format!("did you mean `{}`?", path::shown(&similar))),
                None => problem,
            }
        }
        WorldError::Outside => {
            let message =
                format!("a symbolic link on the way to `{shown}` leads out of the project");
            Problem::new(codes::PATH_OUTSIDE_PROJECT, place, message)
                .note("an image is made from the files of its project only")
        }
        WorldError::WrongKind | WorldError::Failed(_) => {
            let message = format!("`{shown}` can't be read: {error}");
            Problem::new(codes::UNREADABLE_FILE, place, message)
        }
    }
}

/// Reports what is no file.
pub(crate) fn project_file(call: &mut Call<'_>, path: &str, site: Site) -> Eval<()> {
    if project_stat(call, path, site)?.is_none() {
        let message = format!("`{}` is a folder, and a file is needed", path::shown(path));
        return Err(call.report(Problem::new(codes::INVALID_ARGUMENT, site, message)));
    }
    Ok(())
}

/// Reports what is no folder. `other` says what to do with a file.
pub(crate) fn project_folder(
    call: &mut Call<'_>,
    path: &str,
    site: Site,
    other: &'static str,
) -> Eval<()> {
    if project_stat(call, path, site)?.is_some() {
        let message = format!("`{}` is a file, and a folder is needed", path::shown(path));
        let problem = Problem::new(codes::INVALID_ARGUMENT, site, message);
        return Err(call.report(problem.help(other)));
    }
    Ok(())
}

/// Whether the owner may execute the file at `path`; `None` for a folder.
pub(crate) fn project_stat(call: &mut Call<'_>, path: &str, site: Site) -> Eval<Option<bool>> {
    match call.stat(path) {
        Ok(Stat::File { executable, .. }) => Ok(Some(executable)),
        Ok(Stat::Directory) => Ok(None),
        Ok(Stat::Other) => {
            let message = format!("`{}` is neither a file nor a folder", path::shown(path));
            Err(call.report(Problem::new(codes::UNREADABLE_FILE, site, message)))
        }
        Err(error) => Err(no_answer(call, &error, path, site)),
    }
}

/// Reports that the outside has no answer.
pub(crate) fn no_answer(call: &mut Call<'_>, error: &WorldError, path: &str, site: Site) -> Failed {
    let problem = world_problem(call, error, path, site);
    call.report(problem)
}

/// A path that exists and differs from `path` in its first missing part.
fn similar_path(look: &mut dyn Look, path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    for at in 0..parts.len() {
        let folder = parts[..at].join("/");
        let here = path::join(&folder, parts[at]);
        if look.stat(&here).is_ok() {
            continue;
        }
        let entries = look.list(&folder).ok()?;
        let names = entries.iter().map(|entry| entry.name.as_str());
        let similar = did_you_mean(parts[at], names)?;
        let mut fixed = path::join(&folder, similar);
        for part in &parts[at + 1..] {
            fixed = path::join(&fixed, part);
        }
        return look.stat(&fixed).is_ok().then_some(fixed);
    }
    None
}
