//! A project at one moment, with what answers need beside it. It is made on the thread that
//! reads, and asked on others.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use imgc_diag::{Diagnostic, FileId};
use imgc_ide::{Analysis, BuiltImage, Cancelled, Changes, Location};
use lsp_types as lsp;

use crate::capabilities::Client;
use crate::convert::Lines;
use crate::documents::Documents;
use crate::{Host, uri};

/// A project at one moment.
#[derive(Clone)]
pub(crate) struct Snap {
    /// The project.
    pub(crate) analysis: Analysis,
    /// Its root.
    pub(crate) root: PathBuf,
    /// What the editor can do.
    pub(crate) client: Arc<Client>,
    /// The machine.
    pub(crate) host: Arc<dyn Host>,
    /// The open texts.
    pub(crate) documents: Arc<Documents>,
    /// What evaluation has found, by file.
    pub(crate) evaluated: Arc<BTreeMap<FileId, Vec<Diagnostic>>>,
    /// What the images of open files came to, by file.
    pub(crate) built: Arc<BTreeMap<FileId, Vec<BuiltImage>>>,
    /// The tokens that were told last, by file.
    pub(crate) tokens: Arc<Mutex<Told>>,
}

/// The semantic tokens that were told, by address, each with its number.
#[derive(Debug, Default)]
pub(crate) struct Told {
    next: u64,
    by_file: BTreeMap<String, (String, Vec<lsp::SemanticToken>)>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked about has changed.
    Cancelled,
    /// It can't be done, in words for people.
    Refused(String),
}

impl From<Cancelled> for Failure {
    fn from(_: Cancelled) -> Self {
        Self::Cancelled
    }
}

/// An answer.
pub(crate) type Answer<T> = Result<T, Failure>;

impl Snap {
    /// The file at an address.
    pub(crate) fn file(&self, uri: &lsp::Uri) -> Answer<FileId> {
        let path = uri::path(uri).ok_or_else(|| unknown(uri))?;
        if let Some(module) = std_module(&*self.host, &path) {
            return Ok(FileId::new(&format!("std/{module}")));
        }
        let inner = path.strip_prefix(&self.root).ok().and_then(Path::to_str);
        inner.map(FileId::new).ok_or_else(|| unknown(uri))
    }

    /// A file with its lines.
    pub(crate) fn lines(&self, file: &FileId) -> Answer<Lines> {
        let text = self.analysis.text(file)?;
        let text = text.unwrap_or_else(|| Arc::from(""));
        Ok(Lines::new(text, self.client.encoding))
    }

    /// An open text with its lines. Unlike [`Snap::lines`], this needs nothing of the project.
    pub(crate) fn open(&self, uri: &lsp::Uri) -> Answer<(Arc<str>, Lines)> {
        let path = uri::path(uri).ok_or_else(|| unknown(uri))?;
        let document = self.documents.get(&path).ok_or_else(|| unknown(uri))?;
        let text = document.text.clone();
        Ok((text.clone(), Lines::new(text, self.client.encoding)))
    }

    /// The file and byte of a place.
    pub(crate) fn place(
        &self,
        at: &lsp::TextDocumentPositionParams,
    ) -> Answer<(FileId, Lines, imgc_syntax::TextSize)> {
        let file = self.file(&at.text_document.uri)?;
        let lines = self.lines(&file)?;
        let offset = lines.offset(at.position);
        Ok((file, lines, offset))
    }

    /// The address of a file; none for a module from elsewhere.
    pub(crate) fn uri(&self, file: &FileId) -> Option<lsp::Uri> {
        address(&*self.host, &self.root, file)
    }

    /// A place in a file, for the editor.
    pub(crate) fn location(&self, location: &Location) -> Answer<Option<lsp::Location>> {
        let Some(uri) = self.uri(&location.file) else {
            return Ok(None);
        };
        let lines = self.lines(&location.file)?;
        let range = lines.range(location.text_range());
        Ok(Some(lsp::Location { uri, range }))
    }

    /// Changes of files, with the versions that they are for.
    pub(crate) fn changes(&self, changes: &Changes) -> Answer<lsp::WorkspaceEdit> {
        let mut by_file: Vec<(lsp::Uri, Option<i32>, Vec<lsp::TextEdit>)> = Vec::new();
        for (file, edits) in changes {
            let Some(uri) = self.uri(file) else { continue };
            let lines = self.lines(file)?;
            let version = self.documents.version(&uri);
            by_file.push((uri, version, lines.edits(edits)));
        }
        if !self.client.versioned_edits {
            let changes = by_file.into_iter().map(|(uri, _, edits)| (uri, edits));
            return Ok(lsp::WorkspaceEdit {
                changes: Some(changes.collect()),
                ..Default::default()
            });
        }
        let edits = by_file.into_iter().map(|(uri, version, edits)| {
            let edits = edits.into_iter().map(lsp::OneOf::Left).collect();
            let text_document = lsp::OptionalVersionedTextDocumentIdentifier { uri, version };
            lsp::TextDocumentEdit {
                text_document,
                edits,
            }
        });
        Ok(lsp::WorkspaceEdit {
            document_changes: Some(lsp::DocumentChanges::Edits(edits.collect())),
            ..Default::default()
        })
    }

    /// Everything that is known to be wrong with a file.
    pub(crate) fn found(&self, file: &FileId) -> Answer<Vec<Diagnostic>> {
        let mut all = self.analysis.diagnostics()?;
        let mut found = all.remove(file).unwrap_or_default();
        let further = self.evaluated.get(file).into_iter().flatten();
        for diagnostic in further {
            if !found.contains(diagnostic) {
                found.push(diagnostic.clone());
            }
        }
        Ok(found)
    }

    /// What the images of a file came to.
    pub(crate) fn built(&self, file: &FileId) -> &[BuiltImage] {
        self.built.get(file).map_or(&[], Vec::as_slice)
    }

    /// Remembers the tokens of a file, and gives them a number.
    pub(crate) fn tell(&self, uri: &lsp::Uri, tokens: Vec<lsp::SemanticToken>) -> String {
        let mut told = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        told.next += 1;
        let id = told.next.to_string();
        let entry = (id.clone(), tokens);
        told.by_file.insert(uri.as_str().to_owned(), entry);
        id
    }

    /// The tokens of a file that have that number, if they were told last.
    pub(crate) fn told(&self, uri: &lsp::Uri, id: &str) -> Option<Vec<lsp::SemanticToken>> {
        let told = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (known, tokens) = told.by_file.get(uri.as_str())?;
        (known == id).then(|| tokens.clone())
    }
}

impl Told {
    /// Forgets the tokens of a file.
    pub(crate) fn forget(&mut self, uri: &lsp::Uri) {
        self.by_file.remove(uri.as_str());
    }
}

fn unknown(uri: &lsp::Uri) -> Failure {
    Failure::Refused(format!("{} is no file of a project", uri.as_str()))
}

/// The module of imgc that a file shows.
pub(crate) fn std_module(host: &dyn Host, path: &Path) -> Option<String> {
    let module = path.file_name()?.to_str()?.strip_suffix(".img")?;
    let is_shown = host.std_file(module).as_deref() == Some(path);
    is_shown.then(|| module.to_owned())
}

/// The address of a file of a project, or of one that shows a module of imgc.
pub(crate) fn address(host: &dyn Host, root: &Path, file: &FileId) -> Option<lsp::Uri> {
    let name = file.as_str();
    if name.contains("://") {
        return None;
    }
    if let Some(module) = name.strip_prefix("std/")
        && !name.ends_with(".img")
    {
        return uri::of_path(&host.std_file(module)?);
    }
    uri::of_path(&root.join(name))
}
