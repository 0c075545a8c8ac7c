//! What the editor tells without waiting for an answer: texts that are opened, changed and
//! closed, files and folders that change.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use lsp_server::{Notification, RequestId};
use lsp_types as lsp;
use lsp_types::notification::Notification as _;

use crate::documents::Document;
use crate::projects::OpenProject;
use crate::server::Server;
use crate::snap::std_module;
use crate::uri;

impl Server {
    pub(crate) fn notice(&mut self, notification: Notification) {
        use lsp::notification as on;
        let Notification { method, params } = notification;
        // What can't be read says nothing: there is nobody to tell.
        match method.as_str() {
            on::Initialized::METHOD => self.watch(),
            on::DidOpenTextDocument::METHOD => {
                if let Ok(params) = serde_json::from_value(params) {
                    self.opened(params);
                }
            }
            on::DidChangeTextDocument::METHOD => {
                if let Ok(params) = serde_json::from_value(params) {
                    self.changed(params);
                }
            }
            on::DidCloseTextDocument::METHOD => {
                if let Ok(params) = serde_json::from_value(params) {
                    self.closed(params);
                }
            }
            on::DidSaveTextDocument::METHOD => {
                // What evaluation reads beside `.img` files may be new too.
                self.projects.values_mut().for_each(OpenProject::refresh);
            }
            on::DidChangeWatchedFiles::METHOD => {
                if let Ok(params) = serde_json::from_value(params) {
                    self.watched(params);
                }
            }
            on::DidRenameFiles::METHOD => {
                if let Ok(params) = serde_json::from_value(params) {
                    self.renamed(params);
                }
            }
            on::DidChangeWorkspaceFolders::METHOD => {
                let params = serde_json::from_value(params);
                let Ok(lsp::DidChangeWorkspaceFoldersParams { event }) = params else {
                    return;
                };
                for folder in event.added {
                    self.add_folder(&folder.uri);
                }
                for folder in event.removed {
                    self.remove_folder(&folder.uri);
                }
            }
            on::Cancel::METHOD => {
                let params = serde_json::from_value(params);
                let Ok(lsp::CancelParams { id }) = params else {
                    return;
                };
                let id = match id {
                    lsp::NumberOrString::Number(id) => RequestId::from(id),
                    lsp::NumberOrString::String(id) => RequestId::from(id),
                };
                self.running.give_up(&id);
            }
            _ => {}
        }
    }

    fn opened(&mut self, params: lsp::DidOpenTextDocumentParams) {
        let opened = params.text_document;
        let Some(path) = uri::path(&opened.uri) else {
            return;
        };
        let text: Arc<str> = opened.text.into();
        let document = Document {
            version: opened.version,
            text: text.clone(),
        };
        self.documents.open(path.clone(), document);
        self.write(&path, text);
    }

    fn changed(&mut self, params: lsp::DidChangeTextDocumentParams) {
        let Some(path) = uri::path(&params.text_document.uri) else {
            return;
        };
        let version = params.text_document.version;
        let encoding = self.client.encoding;
        let text = self
            .documents
            .change(&path, version, params.content_changes, encoding);
        if let Some(text) = text {
            self.write(&path, text);
        }
    }

    fn write(&mut self, path: &Path, text: Arc<str>) {
        if std_module(&*self.host, path).is_some() {
            return;
        }
        let root = self.project_of(path);
        let project = root.and_then(|root| self.projects.get_mut(&root));
        if let Some(project) = project
            && let Some(inner) = project.inner(path)
        {
            project.write(&inner, text);
        }
    }

    fn closed(&mut self, params: lsp::DidCloseTextDocumentParams) {
        let uri = params.text_document.uri;
        let Some(path) = uri::path(&uri) else { return };
        if !self.documents.close(&path) {
            return;
        }
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.forget(&uri);
        drop(tokens);
        for project in self.projects.values_mut() {
            if let Some(inner) = project.inner(&path)
                && project.open.contains(&inner)
            {
                project.close(&inner);
            }
        }
    }

    fn watched(&mut self, params: lsp::DidChangeWatchedFilesParams) {
        // Who says nothing more means everything.
        let mut is_of_locks = params.changes.is_empty();
        for change in params.changes {
            let Some(path) = uri::path(&change.uri) else {
                continue;
            };
            is_of_locks |= path.ends_with("imgc.lock");
            if !is_program(&path) {
                continue;
            }
            let root = self.project_of(&path);
            let project = root.and_then(|root| self.projects.get_mut(&root));
            if let Some(project) = project
                && let Some(inner) = project.inner(&path)
            {
                if change.typ == lsp::FileChangeType::DELETED {
                    project.lose(&inner);
                } else {
                    project.discover(&inner);
                }
            }
        }
        for (root, project) in &mut self.projects {
            // To read the indices again takes a while, and only a lock names others.
            if is_of_locks {
                project.set_catalogue(self.host.catalogue(root));
            }
            project.refresh();
        }
    }

    /// Not every editor watches files.
    fn renamed(&mut self, params: lsp::RenameFilesParams) {
        for file in params.files {
            if let Some(old) = uri::of_text(&file.old_uri) {
                self.remove_folder(&old);
            }
            let Some(new) = uri::of_text(&file.new_uri) else {
                continue;
            };
            self.add_folder(&new);
            if let Some(path) = uri::path(&new).filter(|path| is_program(path)) {
                self.add_file(&path);
            }
        }
        self.projects.values_mut().for_each(OpenProject::refresh);
    }

    pub(crate) fn add_folder(&mut self, folder: &lsp::Uri) {
        let Some(folder) = uri::path(folder) else {
            return;
        };
        for file in self.host.files(&folder) {
            self.add_file(&file);
        }
    }

    fn add_file(&mut self, file: &Path) {
        let root = self.project_of(file);
        let project = root.and_then(|root| self.projects.get_mut(&root));
        if let Some(project) = project
            && let Some(inner) = project.inner(file)
        {
            project.discover(&inner);
        }
    }

    fn remove_folder(&mut self, folder: &lsp::Uri) {
        let Some(folder) = uri::path(folder) else {
            return;
        };
        for project in self.projects.values_mut() {
            let inside: Vec<String> = project
                .found
                .iter()
                .filter(|inner| project.root.join(inner).starts_with(&folder))
                .cloned()
                .collect();
            for inner in inside {
                project.lose(&inner);
            }
        }
    }
}

fn is_program(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "img")
}
