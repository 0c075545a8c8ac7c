//! `imgc init`: a project that builds at once. Writes files that are not there yet, and
//! changes none that are.

mod kinds;

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::beside::write_whole;
use crate::cli_start::InitArgs;
use crate::describe::{self, Problem};
use crate::init::kinds::Template;
use crate::terminal::{Failure, Terminal};

/// The file that git reads. Where it is there, lines are added to it.
const IGNORED: &str = ".gitignore";

/// Writes the files of a kind of project.
#[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
pub(crate) fn run(args: &InitArgs, terminal: &Terminal) -> Result<(), Failure> {
    let folder = args.folder.clone().unwrap_or_else(|| PathBuf::from("."));
    let files = kinds::files(args.kind);
    let in_the_way = in_the_way(&folder, &files);
    if !in_the_way.is_empty() {
        let mut problem = Problem::new("nothing is written: files stand in the way");
        for path in in_the_way {
            problem = problem.note(path.display().to_string());
        }
        return Err(problem.help("name another folder: imgc init DIR").into());
    }
    for file in &files {
        let path = folder.join(file.path);
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above)
                .map_err(|error| describe::disk("write", above, &error))?;
        }
        if file.path == IGNORED && path.exists() {
            continue;
        }
        write_whole(&path, |out| {
            out.write_all(file.bytes)?;
            match file.is_program {
                true => out.set_permissions(Permissions::from_mode(0o755)),
                false => Ok(()),
            }
        })?;
        terminal.result(&shown(&path))?;
    }
    if let Some(path) = ignore(&folder)? {
        terminal.result(&format!("{} (lines were added)", shown(&path)))?;
    }
    let image = shown(&folder.join("app.img"));
    terminal.line(&format!("next: imgc build {image}"));
    Ok(())
}

/// A path as people write it.
fn shown(path: &Path) -> String {
    let path = path.strip_prefix(".").unwrap_or(path);
    path.display().to_string()
}

/// What is there already of the files, and what stands where a folder has to be.
fn in_the_way(folder: &Path, files: &[Template]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut add = |path: &Path| {
        if !found.iter().any(|known| known == path) {
            found.push(path.to_owned());
        }
    };
    for file in files {
        let path = folder.join(file.path);
        let is_file = path.is_file();
        if path.symlink_metadata().is_ok() && !(file.path == IGNORED && is_file) {
            add(&path);
        }
        for above in path.ancestors().skip(1) {
            if above.as_os_str().is_empty() {
                break;
            }
            if above.symlink_metadata().is_ok() && !above.is_dir() {
                add(above);
            }
        }
    }
    found
}

/// Adds the lines that a `.gitignore` lacks. None where it lacks none.
fn ignore(folder: &Path) -> Result<Option<PathBuf>, Problem> {
    let path = folder.join(IGNORED);
    let text = crate::programs::read(&path)?;
    let lacks: Vec<&str> = kinds::IGNORED
        .lines()
        .filter(|line| !line.starts_with('#') && !text.lines().any(|known| known == *line))
        .collect();
    if lacks.is_empty() {
        return Ok(None);
    }
    let end = match text.is_empty() || text.ends_with('\n') {
        true => "",
        false => "\n",
    };
    let text = format!("{text}{end}{}\n", lacks.join("\n"));
    crate::beside::replace_text(&path, &text)?;
    Ok(Some(path))
}
