//! The loop: what the editor says is taken in the order in which it comes, questions are
//! answered on other threads, and each answer is told once.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, Sender, select, unbounded};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types as lsp;
use lsp_types::notification::Notification as _;

use crate::answers::Running;
use crate::capabilities::{self, Client};
use crate::documents::Documents;
use crate::projects::{Done, OpenProject};
use crate::snap::{Snap, Told, address, std_module};
use crate::workers::Workers;
use crate::{Host, publish, requests};

/// Why serving ended badly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServeError(pub String);

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServeError {}

/// Serves the editor at a connection until it says that that is all.
///
/// # Errors
/// [`ServeError`] where the editor breaks the protocol, or goes away without a word.
pub fn serve(connection: Connection, host: Arc<dyn Host>) -> Result<(), ServeError> {
    let failed = |error: &dyn fmt::Display| ServeError(error.to_string());
    let (id, params) = connection
        .initialize_start()
        .map_err(|error| failed(&error))?;
    let params: lsp::InitializeParams =
        serde_json::from_value(params).map_err(|error| failed(&error))?;
    let client = Client::new(&params.capabilities);
    let answer = lsp::InitializeResult {
        capabilities: capabilities::server(&client),
        server_info: Some(lsp::ServerInfo {
            name: "imgc".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
    };
    let answer = serde_json::to_value(answer).map_err(|error| failed(&error))?;
    // Who has gone away is found out when nothing more comes.
    let _ = connection.sender.send(Response::new_ok(id, answer).into());
    let workers = Workers::start().map_err(|error| failed(&error))?;
    let (sender, done) = unbounded();
    let mut server = Server {
        sender: connection.sender.clone(),
        host,
        client: Arc::new(client),
        projects: BTreeMap::new(),
        documents: Documents::default(),
        workers,
        done: sender,
        running: Running::default(),
        tokens: Arc::default(),
        next: 0,
        is_over: false,
    };
    server.begin(&params);
    server.run(&connection, &done)
}

/// What the server knows of the editor and its files.
pub(crate) struct Server {
    pub(crate) sender: Sender<Message>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) client: Arc<Client>,
    pub(crate) projects: BTreeMap<PathBuf, OpenProject>,
    pub(crate) documents: Documents,
    pub(crate) workers: Workers,
    pub(crate) done: Sender<Done>,
    pub(crate) running: Running,
    pub(crate) tokens: Arc<Mutex<Told>>,
    /// The number of the next question to the editor.
    pub(crate) next: i32,
    /// Whether the editor has said that it needs nothing more.
    is_over: bool,
}

impl Server {
    fn begin(&mut self, params: &lsp::InitializeParams) {
        let folders = params.workspace_folders.iter().flatten();
        let mut roots: Vec<lsp::Uri> = folders.map(|folder| folder.uri.clone()).collect();
        #[expect(deprecated, reason = "editors that know no folders say this")]
        if roots.is_empty() {
            roots.extend(params.root_uri.clone());
        }
        for root in roots {
            self.add_folder(&root);
        }
    }

    /// Asks the editor to tell when files change on the disk.
    pub(crate) fn watch(&mut self) {
        if !self.client.watches {
            return;
        }
        // A build writes a layout, and its index last.
        let files = ["**/*.img", "**/imgc.lock", "**/*.oci/index.json"];
        let watchers = files.map(|glob| lsp::FileSystemWatcher {
            glob_pattern: lsp::GlobPattern::String(glob.to_owned()),
            kind: None,
        });
        let options = lsp::DidChangeWatchedFilesRegistrationOptions {
            watchers: watchers.to_vec(),
        };
        let registration = lsp::Registration {
            id: "files".to_owned(),
            method: lsp::notification::DidChangeWatchedFiles::METHOD.to_owned(),
            register_options: serde_json::to_value(options).ok(),
        };
        self.ask_editor::<lsp::request::RegisterCapability>(lsp::RegistrationParams {
            registrations: vec![registration],
        });
    }

    fn ask_editor<R: lsp::request::Request>(&mut self, params: R::Params) {
        self.next += 1;
        let request = Request::new(self.next.into(), R::METHOD.to_owned(), params);
        self.send(request.into());
    }

    pub(crate) fn send(&self, message: Message) {
        // Who has gone away needs no answer.
        let _ = self.sender.send(message);
    }

    fn run(&mut self, connection: &Connection, done: &Receiver<Done>) -> Result<(), ServeError> {
        loop {
            self.check();
            select! {
                recv(connection.receiver) -> message => {
                    let Ok(message) = message else {
                        return Err(ServeError("the editor is gone".to_owned()));
                    };
                    if self.take(message)? {
                        return Ok(());
                    }
                    // What has come already is taken first.
                    while let Ok(message) = connection.receiver.try_recv() {
                        if self.take(message)? {
                            return Ok(());
                        }
                    }
                }
                recv(done) -> done => {
                    if let Ok(done) = done {
                        self.tell(done);
                    }
                }
            }
        }
    }

    /// Takes a message. Says whether it was the last.
    fn take(&mut self, message: Message) -> Result<bool, ServeError> {
        match message {
            Message::Request(request) if is::<lsp::request::Shutdown>(&request) => {
                self.is_over = true;
                self.send(Response::new_ok(request.id, ()).into());
            }
            Message::Request(request) if self.is_over => {
                let code = ErrorCode::InvalidRequest as i32;
                let message = "the server has been told to end".to_owned();
                self.send(Response::new_err(request.id, code, message).into());
            }
            Message::Request(request) => self.question(request),
            Message::Notification(notification)
                if notification.method == lsp::notification::Exit::METHOD =>
            {
                return match self.is_over {
                    true => Ok(true),
                    false => Err(ServeError("the editor is gone".to_owned())),
                };
            }
            Message::Notification(_) if self.is_over => {}
            Message::Notification(notification) => self.notice(notification),
            // The editor has nothing to say that matters here.
            Message::Response(_) => {}
        }
        Ok(false)
    }

    /// Checks the projects that changed.
    fn check(&mut self) {
        let changed = self.projects.values_mut();
        let changed = changed.filter(|project| project.asked != project.generation);
        let roots: Vec<PathBuf> = changed
            .map(|project| {
                project.asked = project.generation;
                project.root.clone()
            })
            .collect();
        for root in roots {
            if let Some(project) = self.projects.get(&root) {
                project.evaluate();
            }
            self.check_project(&root);
        }
    }

    fn check_project(&mut self, root: &Path) {
        if self.client.pulls {
            return;
        }
        let Some(snap) = self.snap(root) else { return };
        let Some(project) = self.projects.get_mut(root) else {
            return;
        };
        project.round += 1;
        let (generation, round) = (project.generation, project.round);
        let written = std::mem::take(&mut project.written);
        let (done, root) = (self.done.clone(), root.to_owned());
        self.workers.run(Box::new(move || {
            let documents = snap.documents.clone();
            let tell = |files, is_all| {
                // Nobody is there any more when the server ends.
                let _ = done.send(Done::Checked {
                    root: root.clone(),
                    generation,
                    round,
                    files,
                    documents: documents.clone(),
                    is_all,
                });
            };
            // What is being written comes first.
            let work = AssertUnwindSafe(|| publish::check_files(&snap, &written));
            if let Ok(Ok(files)) = catch_unwind(work)
                && !files.is_empty()
            {
                tell(files, false);
            }
            let checked = catch_unwind(AssertUnwindSafe(|| publish::check(&snap)));
            drop(snap);
            if let Ok(Ok(files)) = checked {
                tell(files, true);
            }
        }));
    }

    /// Tells what a thread has found out.
    fn tell(&mut self, done: Done) {
        match done {
            Done::Checked {
                root,
                generation,
                round,
                files,
                documents,
                is_all,
            } => {
                let Some(project) = self.projects.get_mut(&root) else {
                    return;
                };
                if project.generation != generation || project.told_round > round {
                    return;
                }
                project.told_round = round;
                let mut files = files;
                for file in project.told.keys().filter(|_| is_all) {
                    files.entry(file.clone()).or_default();
                }
                let mut notices = Vec::new();
                for (file, diagnostics) in files {
                    let Some(uri) = address(&*self.host, &root, &file) else {
                        continue;
                    };
                    let version = documents.version(&uri);
                    let now = (version, diagnostics);
                    let before = project.told.get(&file);
                    if before == Some(&now) || before.is_none() && now == (None, Vec::new()) {
                        continue;
                    }
                    let diagnostics = now.1.clone();
                    if version.is_none() && diagnostics.is_empty() {
                        project.told.remove(&file);
                    } else {
                        project.told.insert(file, now);
                    }
                    notices.push(lsp::PublishDiagnosticsParams {
                        uri,
                        diagnostics,
                        version,
                    });
                }
                for notice in notices {
                    let method = lsp::notification::PublishDiagnostics::METHOD.to_owned();
                    self.send(Notification::new(method, notice).into());
                }
            }
            Done::Evaluated {
                root,
                generation,
                found,
                built,
            } => {
                let Some(project) = self.projects.get_mut(&root) else {
                    return;
                };
                if project.generation != generation {
                    return;
                }
                project.prepare();
                let is_same = *project.evaluated == found;
                if *project.built != built {
                    project.built = Arc::new(built);
                    self.ask_for_sizes();
                }
                let Some(project) = self.projects.get_mut(&root).filter(|_| !is_same) else {
                    return;
                };
                project.evaluated = Arc::new(found);
                self.check_project(&root);
                if self.client.pulls && self.client.refreshes {
                    self.ask_editor::<lsp::request::WorkspaceDiagnosticRefresh>(());
                }
            }
        }
    }

    /// Asks the editor to ask for what shows sizes.
    fn ask_for_sizes(&mut self) {
        if self.client.lens_refreshes {
            self.ask_editor::<lsp::request::CodeLensRefresh>(());
        }
        if self.client.hint_refreshes {
            self.ask_editor::<lsp::request::InlayHintRefreshRequest>(());
        }
    }

    /// A project at this moment.
    pub(crate) fn snap(&mut self, root: &Path) -> Option<Snap> {
        let project = self.projects.get_mut(root)?;
        Some(Snap {
            analysis: project.workspace.analysis(),
            root: root.to_owned(),
            client: self.client.clone(),
            host: self.host.clone(),
            documents: Arc::new(self.documents.clone()),
            evaluated: project.evaluated.clone(),
            built: project.built.clone(),
            tokens: self.tokens.clone(),
        })
    }

    /// The roots of all projects.
    pub(crate) fn roots(&self) -> Vec<PathBuf> {
        self.projects.keys().cloned().collect()
    }

    /// The project that a file is in, opened if it is not yet. A file that shows a module
    /// of imgc is in every project.
    pub(crate) fn project_of(&mut self, path: &Path) -> Option<PathBuf> {
        if std_module(&*self.host, path).is_some() {
            return self.projects.keys().next().cloned();
        }
        let project = self.host.project(path)?;
        let root = project.root.clone();
        if !self.projects.contains_key(&root) {
            let open = OpenProject::open(project, &self.host, &self.done).ok()?;
            self.projects.insert(root.clone(), open);
        }
        Some(root)
    }

    fn question(&mut self, request: Request) {
        let id = request.id.clone();
        if !requests::route(self, request) {
            let message = "imgc does not know this question".to_owned();
            let code = ErrorCode::MethodNotFound as i32;
            self.send(Response::new_err(id, code, message).into());
        }
    }
}

/// Whether a request is one of this kind.
pub(crate) fn is<R: lsp::request::Request>(request: &Request) -> bool {
    request.method == R::METHOD
}
