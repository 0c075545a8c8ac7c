//! Files: their constructors, and the field `files` of an image.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::codes;
use imgc_plan::{Arch, Content, File, FileDigest, FileNode, ImagePath, Owner, Platform};

use crate::eval::{Eval, Evaluator, Failed};
use crate::origins::Place;
use crate::problem::Problem;
use crate::span::Span;
use crate::value::{Data, FileSource, FileValue, Record, Value};

use super::{expected, keep};

/// How many files one image may add.
const MAX_FILES: usize = 200_000;

/// The files of an image, and where their contents stand in the project.
pub(super) type Placed = (Vec<File>, Vec<(FileDigest, String)>);

/// Files while they are put in their places.
#[derive(Debug, Default)]
pub(super) struct Places {
    files: BTreeMap<ImagePath, (File, Span)>,
    sources: Vec<(FileDigest, String)>,
}

impl Evaluator<'_> {
    /// `file { … }`
    pub(crate) fn host_file(&mut self, value: &Value, call: Span) -> Eval {
        let mut failed = false;
        let known = ["group", "mode", "source", "text", "user"];
        let record = self.host_record("`file`", value, &known, &[], &mut failed)?;
        let source = match (record.get("source"), record.get("text")) {
            (Some(source), None) => {
                let path = self.host_project_path("`source`", &source.value);
                keep(&mut failed, path).map(|path| FileSource::Regular(path, source.value.span))
            }
            (None, Some(text)) => match &text.value.data {
                Data::Str(text) => Some(FileSource::Text(text.clone())),
                _ => {
                    self.report(expected("`text`", "a string", &text.value));
                    None
                }
            },
            (Some(source), Some(text)) => {
                let message = "a file has either `text` or `source`";
                let problem = Problem::new(codes::INVALID_ARGUMENT, text.span, message);
                self.report(problem.label(source.span, "`source` is here"));
                None
            }
            (None, None) => {
                if !failed {
                    let message = "`file` needs the field `text` or `source`";
                    let at = value.span.first_byte();
                    self.report(Problem::new(codes::MISSING_FIELD, at, message));
                }
                None
            }
        };
        self.file_value(source, &record, failed, call)
    }

    /// `directory { … }`
    pub(crate) fn host_directory(&mut self, value: &Value, call: Span) -> Eval {
        let mut failed = false;
        let known = ["group", "mode", "source", "user"];
        let record = self.host_record("`directory`", value, &known, &[], &mut failed)?;
        let source = match record.get("source") {
            None => Some(FileSource::Directory(None)),
            Some(source) => {
                let path = self.host_project_path("`source`", &source.value);
                keep(&mut failed, path)
                    .map(|path| FileSource::Directory(Some((path, source.value.span))))
            }
        };
        self.file_value(source, &record, failed, call)
    }

    /// `symlink "…"`
    pub(crate) fn host_symlink(&mut self, value: &Value, call: Span) -> Eval {
        let target = match &value.data {
            Data::Str(text) => text.clone(),
            _ => return Err(self.report(expected("the target of a link", "a string", value))),
        };
        if target.is_empty() || target.contains('\0') || target.len() > 4095 {
            let message =
                "the target of a link is not empty, and has at most 4095 bytes and no NUL";
            let problem = Problem::new(codes::BAD_SYMLINK_TARGET, value.span, message);
            return Err(self.report(problem));
        }
        Ok(made(FileSource::Symlink(target), call))
    }

    /// `binary …`
    pub(crate) fn host_binary(&mut self, value: &Value, call: Span) -> Eval {
        let takes = "a path, or a record with a path for each architecture";
        match &value.data {
            Data::Path(path) => {
                let programs = vec![(None, path.clone(), value.span)];
                Ok(made(FileSource::Binary(programs), call))
            }
            Data::Record(_) => {
                let mut failed = false;
                let known: Vec<&str> = Arch::ALL.iter().map(|arch| arch.debian()).collect();
                let record = self.host_record("`binary`", value, &known, &[], &mut failed)?;
                let mut programs = Vec::new();
                for arch in Arch::ALL {
                    let Some(field) = record.get(arch.debian()) else {
                        continue;
                    };
                    let what = format!("the program for {arch}");
                    let path = self.host_project_path(&what, &field.value);
                    if let Some(path) = keep(&mut failed, path) {
                        programs.push((Some(arch), path, field.value.span));
                    }
                }
                if failed {
                    return Err(Failed);
                }
                Ok(made(FileSource::Binary(programs), call))
            }
            _ => Err(self.report(expected("the argument of `binary`", takes, value))),
        }
    }

    fn file_value(
        &mut self,
        source: Option<FileSource>,
        record: &Record,
        mut failed: bool,
        call: Span,
    ) -> Eval {
        let mut mode = None;
        if let Some(field) = record.get("mode") {
            let given = self.host_mode(&field.value);
            mode = keep(&mut failed, given);
        }
        let mut owners = [Owner::Id(0), Owner::Id(0)];
        for (name, owner) in ["user", "group"].into_iter().zip(&mut owners) {
            if let Some(field) = record.get(name) {
                let given = self.host_owner(&format!("`{name}`"), &field.value);
                *owner = keep(&mut failed, given).unwrap_or(Owner::Id(0));
            }
        }
        let (Some(source), false) = (source, failed) else {
            return Err(Failed);
        };
        let [user, group] = owners;
        let file = FileValue {
            source,
            mode,
            user,
            group,
        };
        Ok(Value {
            data: Data::File(Arc::new(file)),
            span: call,
        })
    }

    fn host_mode(&mut self, value: &Value) -> Eval<u32> {
        let Data::Int(number) = value.data else {
            let problem = expected("a mode", "a number such as `0o644`", value);
            return Err(self.report(problem));
        };
        match u32::try_from(number) {
            Ok(mode) if mode <= 0o7777 => Ok(mode),
            _ => {
                let message = format!("a mode is a number from 0 to 0o7777, not {number}");
                let problem = Problem::new(codes::BAD_MODE, value.span, message);
                Err(self.report(problem.help("write it in octal: `0o644`")))
            }
        }
    }

    fn host_owner(&mut self, what: &str, value: &Value) -> Eval<Owner> {
        match &value.data {
            Data::Int(_) => Ok(Owner::Id(self.host_id(what, value)?)),
            Data::Str(name) if super::users::is_user_name(name) => {
                Ok(Owner::Name(name.to_string()))
            }
            Data::Str(name) => {
                let message = format!("`{name}` can't be the name of a user or group");
                Err(self.report(Problem::new(codes::BAD_USER_NAME, value.span, message)))
            }
            _ => Err(self.report(expected(what, "a name or a number", value))),
        }
    }

    fn host_project_path(&mut self, what: &str, value: &Value) -> Eval<Arc<str>> {
        match &value.data {
            Data::Path(path) => Ok(path.clone()),
            Data::Str(_) => {
                let problem = expected(what, "a path of the project", value);
                Err(self.report(problem.help("a path has no quotes: `./server`")))
            }
            _ => Err(self.report(expected(what, "a path of the project", value))),
        }
    }

    /// The field `files`.
    pub(super) fn host_files(
        &mut self,
        value: &Value,
        platform: Platform,
        origins: &mut Vec<(Place, Span)>,
    ) -> Eval<Placed> {
        let Data::Record(record) = &value.data else {
            let takes = "a record of paths and files";
            return Err(self.report(expected("`files`", takes, value)));
        };
        let mut failed = false;
        let mut places = Places::default();
        for field in &record.fields {
            self.step(1, field.span)?;
            let path = self.image_path(&field.name, field.span);
            let Some(path) = keep(&mut failed, path) else {
                continue;
            };
            let file = match &field.value.data {
                Data::File(file) => file.clone(),
                Data::Str(text) => Arc::new(plain(FileSource::Text(text.clone()))),
                Data::Path(source) => {
                    let source = FileSource::Project(source.clone(), field.value.span);
                    Arc::new(plain(source))
                }
                _ => {
                    failed = true;
                    let what = format!("the file `{}`", field.name);
                    let takes = "text, a path of the project, or a value of `file`, `directory`, `symlink` or `binary`";
                    self.report(expected(&what, takes, &field.value));
                    continue;
                }
            };
            let placed = self.place_file(
                &mut places,
                &path,
                &file,
                platform,
                field.span,
                field.value.span,
            );
            keep(&mut failed, placed);
        }
        failed |= self.below_files(&places);
        if failed {
            return Err(Failed);
        }
        let mut files = Vec::new();
        for (path, (file, span)) in places.files {
            origins.push((Place::File(path.into()), span));
            files.push(file);
        }
        Ok((files, places.sources))
    }

    fn place_file(
        &mut self,
        places: &mut Places,
        path: &ImagePath,
        value: &FileValue,
        platform: Platform,
        key: Span,
        at: Span,
    ) -> Eval<()> {
        let node = match &value.source {
            FileSource::Text(text) => {
                // Copied, also where many files have the same text.
                self.allocate(text.len(), key)?;
                FileNode::Regular {
                    content: Content::Text(text.to_string()),
                    mode: value.mode.unwrap_or(0o644),
                }
            }
            FileSource::Symlink(target) => FileNode::Symlink {
                target: target.to_string(),
            },
            FileSource::Directory(None) => FileNode::Directory {
                mode: value.mode.unwrap_or(0o755),
                keep: false,
            },
            FileSource::Directory(Some((source, span))) => {
                if path.as_str() == "/" && value.mode.is_some() {
                    let message = "the root of the image keeps its mode";
                    let problem = Problem::new(codes::INVALID_ARGUMENT, at, message);
                    return Err(self.report(problem.help("leave `mode` out")));
                }
                self.project_folder(source, *span)?;
                return self.place_folder(places, path, source, value, key, *span);
            }
            FileSource::Project(source, span) | FileSource::Regular(source, span) => {
                match self.project_stat(source, *span)? {
                    None if matches!(value.source, FileSource::Regular(..)) => {
                        let message = "this is a folder, and `file` takes a file";
                        let problem = Problem::new(codes::INVALID_ARGUMENT, *span, message);
                        return Err(self.report(problem.help("use `directory`")));
                    }
                    None => return self.place_folder(places, path, source, value, key, *span),
                    Some(executable) => {
                        let mode = if executable { 0o755 } else { 0o644 };
                        self.content(places, source, value.mode.unwrap_or(mode), *span)?
                    }
                }
            }
            FileSource::Binary(programs) => {
                let fits = |wanted: &Option<Arch>| wanted.is_none_or(|arch| arch == platform.arch);
                let program = programs.iter().find(|(arch, ..)| fits(arch));
                let Some((_, source, span)) = program else {
                    let message = format!("there is no program for {} here", platform.arch);
                    let problem = Problem::new(codes::WRONG_ARCHITECTURE, at, message)
                        .note(format!("the image is for {platform}"))
                        .help(format!("add `{} = ./…;`", platform.arch));
                    return Err(self.report(problem));
                };
                self.check_program(source, *span, platform)?;
                self.content(places, source, value.mode.unwrap_or(0o755), *span)?
            }
        };
        if path.as_str() == "/" {
            let message =
                "`/` is the root of the image: only a folder of the project can be put there";
            return Err(self.report(Problem::new(codes::BAD_IMAGE_PATH, key, message)));
        }
        self.place(places, path.clone(), node, value, key)
    }

    /// A regular file with the content of a project file.
    pub(super) fn content(
        &mut self,
        places: &mut Places,
        source: &str,
        mode: u32,
        span: Span,
    ) -> Eval<FileNode> {
        let (digest, size) = match self.world.digest(source) {
            Ok(found) => found,
            Err(error) => return Err(self.world_problem(&error, source, span)),
        };
        places.sources.push((digest, source.to_owned()));
        let content = Content::Source { digest, size };
        Ok(FileNode::Regular { content, mode })
    }

    /// Puts one node in its place.
    pub(super) fn place(
        &mut self,
        places: &mut Places,
        path: ImagePath,
        node: FileNode,
        value: &FileValue,
        key: Span,
    ) -> Eval<()> {
        self.step(1, key)?;
        self.allocate(size_of::<File>() + path.as_str().len(), key)?;
        if places.files.len() >= MAX_FILES {
            let message = format!("an image adds at most {MAX_FILES} files");
            return Err(self.report(Problem::new(codes::BUDGET_EXCEEDED, key, message)));
        }
        let file = File {
            path: path.clone(),
            node,
            user: value.user.clone(),
            group: value.group.clone(),
        };
        if let Some((_, earlier)) = places.files.insert(path.clone(), (file, key)) {
            let message = format!("two entries put a file at `{path}`");
            let problem = Problem::new(codes::DUPLICATE_PATH, key, message)
                .label(earlier, "the other one is here");
            return Err(self.report(problem));
        }
        Ok(())
    }

    /// Reports what lies below something that is no folder.
    fn below_files(&mut self, places: &Places) -> bool {
        let mut failed = false;
        for (path, (_, span)) in &places.files {
            if self
                .step(path.as_str().matches('/').count(), *span)
                .is_err()
            {
                return true;
            }
            let ancestors = path.as_str().match_indices('/').skip(1);
            let file = ancestors
                .filter_map(|(at, _)| ImagePath::new(&path.as_str()[..at]).ok())
                .filter_map(|above| places.files.get_key_value(&above))
                .find(|(_, (file, _))| !matches!(file.node, FileNode::Directory { .. }));
            if let Some((above, (_, earlier))) = file {
                failed = true;
                let message = format!("`{path}` lies below `{above}`, which is no folder");
                self.report(
                    Problem::new(codes::DUPLICATE_PATH, *span, message)
                        .label(*earlier, "it is here"),
                );
            }
        }
        failed
    }
}

/// A file with the default mode that belongs to root.
fn plain(source: FileSource) -> FileValue {
    FileValue {
        source,
        mode: None,
        user: Owner::Id(0),
        group: Owner::Id(0),
    }
}

fn made(source: FileSource, span: Span) -> Value {
    Value {
        data: Data::File(Arc::new(plain(source))),
        span,
    }
}
