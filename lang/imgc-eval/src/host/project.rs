//! Files of the project in an image: their content, folders with everything in them, and
//! programs.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Content, FileDigest, FileNode, ImagePath, Owner};

use crate::elf::{self, ElfError};
use crate::look::{no_answer, project_file};
use crate::path;
use crate::problem::Problem;
use crate::site::Site;
use crate::vm::call::{Call, Eval};
use crate::world::EntryKind;

use super::placing::{Entry, Places, Target};

/// How deep folders may stand in a folder that is copied.
const MAX_FOLDERS: usize = 100;

/// A regular file with the content of a project file, and where that stands.
pub(super) fn content(
    call: &mut Call<'_>,
    source: &str,
    mode: u32,
    site: Site,
) -> Eval<(FileNode, (FileDigest, String))> {
    let (digest, size) = match call.digest(source) {
        Ok(found) => found,
        Err(error) => return Err(no_answer(call, &error, source, site)),
    };
    let content = Content::Source { digest, size };
    let from = (digest, source.to_owned());
    let node = FileNode::Regular {
        content,
        mode,
        capabilities: Vec::new(),
    };
    Ok((node, from))
}

/// Puts a folder of the project in its place, with everything in it. Mode and owner of
/// the entry are the folder's; the owner is also that of what is in it. A folder of
/// which the entry says nothing leaves one that the image has as it is: `/tmp` stays
/// writable for all when a project's folder has a `tmp`.
pub(super) fn place_folder(
    call: &mut Call<'_>,
    places: &mut Places,
    entry: &Arc<Entry>,
    source: &str,
    site: Site,
) -> Eval<()> {
    let (target, value) = (&entry.path, &entry.file);
    // The root of an image is always there.
    if target.as_str() != "/" {
        let root = Owner::Id(0);
        let node = FileNode::Directory {
            mode: value.mode.unwrap_or(0o755) | value.bits,
            keep: value.mode.is_none()
                && value.bits == 0
                && value.user == root
                && value.group == root,
        };
        places.add(call, entry, target.clone(), node, None)?;
    }
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        if folder.matches('/').count() >= MAX_FOLDERS {
            let message = format!("folders stand more than {MAX_FOLDERS} levels deep in this one");
            return Err(call.report(Problem::new(codes::NESTED_TOO_DEEP, site, message)));
        }
        let from = path::join(source, &folder);
        let from = from.trim_end_matches('/');
        let entries = match call.list(from) {
            Ok(entries) => entries,
            Err(error) => return Err(no_answer(call, &error, from, site)),
        };
        for listed in entries {
            let within = path::join(&folder, &listed.name);
            let from = path::join(source, &within);
            let to = image_place(call, target, &within, &from, site)?;
            let mut source = None;
            let node = match listed.kind {
                EntryKind::File { executable } => {
                    let mode = if executable { 0o755 } else { 0o644 };
                    let (node, from) = content(call, &from, mode, site)?;
                    source = Some(from);
                    node
                }
                EntryKind::Directory => {
                    folders.push(within);
                    FileNode::Directory {
                        mode: 0o755,
                        keep: true,
                    }
                }
                EntryKind::Symlink { target } => {
                    links.insert(within, target.clone());
                    FileNode::Symlink { target }
                }
                EntryKind::Other => {
                    let shown = path::shown(&from);
                    let message = format!("`{shown}` is neither a file, a folder nor a link");
                    return Err(call.report(Problem::new(codes::UNREADABLE_FILE, site, message)));
                }
            };
            places.add(call, entry, to, node, source)?;
        }
    }
    for (link, target) in &links {
        let (stays, steps) = imgc_plan::stays_inside(&links, link);
        call.step(steps)?;
        if !stays {
            let shown = path::shown(&path::join(source, link));
            let message =
                format!("the link `{shown}` leads out of the copied folder, to `{target}`");
            let problem = Problem::new(codes::SYMLINK_ESCAPES, site, message);
            let problem = problem.help("write links out of the folder with `symlink`");
            return Err(call.report(problem));
        }
    }
    Ok(())
}

/// Checks that a file is a static program for a platform.
pub(super) fn check_program(
    call: &mut Call<'_>,
    source: &str,
    site: Site,
    target: Target,
) -> Eval<()> {
    project_file(call, source, site)?;
    let arch = target.platform.arch;
    let mut read = |offset, len| call.read(source, offset, len);
    let Err(error) = elf::check(&mut read, arch) else {
        return Ok(());
    };
    let shown = path::shown(source);
    let static_help = "link it statically: Go with `CGO_ENABLED=0`, Rust for a `-musl` target, C with `-static-pie`";
    let (code, message, help) = match error {
        ElfError::World(error) => return Err(no_answer(call, &error, source, site)),
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
        ElfError::Class(found) | ElfError::Machine(found) => (
            codes::WRONG_ARCHITECTURE,
            format!(
                "`{shown}` is a program for {}, and the image is for {arch}",
                elf::machine_name(found),
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
    let mut problem = Problem::new(code, site, message).help(help);
    if code == codes::WRONG_ARCHITECTURE
        && let Some(said) = target.site
    {
        problem = problem.label(said, "the platform is set here");
    }
    Err(call.report(problem))
}

/// Where in the image a part of a copied folder stands.
fn image_place(
    call: &mut Call<'_>,
    target: &ImagePath,
    within: &str,
    from: &str,
    site: Site,
) -> Eval<ImagePath> {
    target.join(within).map_err(|_| {
        let message = format!("`{}` can't be a path in an image", path::shown(from));
        call.report(Problem::new(codes::BAD_IMAGE_PATH, site, message))
    })
}
