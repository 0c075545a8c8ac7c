//! An editor that follows a script, over a connection in memory: it asserts on every
//! answer that it gets one, and that it is about the right version.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use imgc_diag::codes::Code;
use imgc_eval::{Entry, MemoryWorld, Stat, World, WorldError};
use imgc_ide::{Catalogue, NoPackages, PackageFacts, PackageName};
use imgc_lsp::{Connection, Host, Project, ServeError, serve};
use lsp_server::{Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};

/// How long an answer may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// The files of the machine, by absolute path: roots are the folders right below `/`.
#[derive(Debug, Default)]
pub(crate) struct Disk(pub(crate) Mutex<BTreeMap<String, String>>);

impl Disk {
    pub(crate) fn write(&self, path: &str, text: &str) {
        let mut files = self.0.lock().expect("nobody panics with it");
        files.insert(path.to_owned(), text.to_owned());
    }

    pub(crate) fn remove(&self, path: &str) {
        self.0.lock().expect("nobody panics with it").remove(path);
    }
}

/// The files below one folder.
struct Folder {
    disk: Arc<Disk>,
    root: String,
}

impl Folder {
    fn now(&self) -> MemoryWorld {
        let mut world = MemoryWorld::new();
        for (name, text) in imgc_stdlib::modules() {
            world = world.module(name, text);
        }
        let files = self.disk.0.lock().expect("nobody panics with it");
        for (path, text) in files.iter() {
            let inner = path.strip_prefix(&self.root);
            if let Some(inner) = inner.and_then(|inner| inner.strip_prefix('/')) {
                world = world.file(inner, text);
            }
        }
        world
    }
}

impl World for Folder {
    fn stat(&self, path: &str) -> Result<Stat, WorldError> {
        self.now().stat(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        self.now().list(path)
    }

    fn digest(&self, path: &str) -> Result<(imgc_plan::FileDigest, u64), WorldError> {
        self.now().digest(path)
    }

    fn read(&self, path: &str, offset: u64, len: usize) -> Result<Vec<u8>, WorldError> {
        self.now().read(path, offset, len)
    }

    fn std_module(&self, name: &str) -> Option<String> {
        imgc_stdlib::module(name).map(str::to_owned)
    }

    fn std_modules(&self) -> Vec<String> {
        let modules = imgc_stdlib::modules().iter();
        modules.map(|(name, _)| (*name).to_owned()).collect()
    }
}

/// The machine.
#[derive(Debug)]
struct Machine {
    disk: Arc<Disk>,
}

impl Host for Machine {
    fn project(&self, file: &Path) -> Option<Project> {
        let text = file.to_str()?;
        let root = text.strip_prefix('/')?.split('/').next()?;
        let root = format!("/{root}");
        Some(Project {
            root: PathBuf::from(&root),
            world: Arc::new(Folder {
                disk: self.disk.clone(),
                root,
            }),
        })
    }

    fn catalogue(&self, root: &Path) -> Arc<dyn Catalogue> {
        let files = self.disk.0.lock().expect("nobody panics with it");
        let lock = root.join("imgc.lock");
        match files.get(lock.to_str().expect("a path")) {
            Some(version) => Arc::new(OnePackage(version.clone(), self.disk.clone())),
            None => Arc::new(NoPackages),
        }
    }

    fn files(&self, folder: &Path) -> Vec<PathBuf> {
        let files = self.disk.0.lock().expect("nobody panics with it");
        let paths = files.keys().map(PathBuf::from);
        let found = paths.filter(|path| {
            path.starts_with(folder) && path.extension().is_some_and(|end| end == "img")
        });
        found.collect()
    }

    fn std_file(&self, module: &str) -> Option<PathBuf> {
        imgc_stdlib::module(module)?;
        Some(PathBuf::from(format!("/cache/{module}.img")))
    }

    fn code_page(&self, code: Code) -> Option<String> {
        Some(format!("https://book.example/{code}.html"))
    }
}

/// `tzdata` alone.
#[derive(Debug)]
struct OnePackage(String, Arc<Disk>);

impl Catalogue for OnePackage {
    fn package(&self, _: &str, name: &str) -> Option<PackageFacts> {
        (name == "tzdata").then(|| PackageFacts {
            name: name.to_owned(),
            versions: vec![self.0.clone()],
            pinned: Some(self.0.clone()),
            ..PackageFacts::default()
        })
    }

    fn starting_with(&self, _: &str, prefix: &str, _: usize) -> Vec<PackageName> {
        let package = PackageName {
            name: "tzdata".to_owned(),
            version: self.0.clone(),
        };
        let is_wanted = package.name.starts_with(prefix);
        is_wanted.then_some(package).into_iter().collect()
    }

    fn prepare(&self, folder: &str) {
        self.1.write(&format!("/prepared/{folder}"), &self.0);
    }
}

/// An editor.
pub(crate) struct Editor {
    connection: Connection,
    server: Option<JoinHandle<Result<(), ServeError>>>,
    next: i32,
    /// What the server can do.
    pub(crate) capabilities: Value,
    /// What was told without being asked, the newest last.
    pub(crate) notices: Vec<Notification>,
    /// What the server asked.
    pub(crate) questions: Vec<Request>,
    /// Answers that nobody has taken yet.
    answers: BTreeMap<i32, Response>,
    versions: BTreeMap<String, i32>,
    pub(crate) disk: Arc<Disk>,
}

impl Editor {
    /// An editor of the folders `roots` on a machine with these files.
    pub(crate) fn start(files: &[(&str, &str)], roots: &[&str], capabilities: Value) -> Self {
        let disk = Arc::new(Disk::default());
        for (path, text) in files {
            disk.write(path, text);
        }
        let (client, server) = Connection::memory();
        let machine = Machine { disk: disk.clone() };
        let server = std::thread::spawn(move || serve(server, Arc::new(machine)));
        let mut editor = Self {
            connection: client,
            server: Some(server),
            next: 0,
            capabilities: Value::Null,
            notices: Vec::new(),
            questions: Vec::new(),
            answers: BTreeMap::new(),
            versions: BTreeMap::new(),
            disk,
        };
        let folders: Vec<Value> = roots
            .iter()
            .map(|root| json!({ "uri": uri(root), "name": root }))
            .collect();
        let said = editor.ask(
            "initialize",
            json!({ "capabilities": capabilities, "workspaceFolders": folders }),
        );
        editor.capabilities = said["capabilities"].clone();
        editor.notify("initialized", json!({}));
        editor
    }

    /// What a usual editor can do.
    pub(crate) fn usual() -> Value {
        json!({
            "textDocument": {
                "completion": { "completionItem": { "snippetSupport": true } },
                "documentSymbol": { "hierarchicalDocumentSymbolSupport": true },
            },
            "workspace": { "workspaceEdit": { "documentChanges": true } },
        })
    }

    /// The same, of one that asks for diagnostics.
    pub(crate) fn pulling() -> Value {
        let mut said = Self::usual();
        said["textDocument"]["diagnostic"] = json!({});
        said["workspace"]["diagnostic"] = json!({ "refreshSupport": true });
        said
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        let notice = Notification::new(method.to_owned(), params);
        let sent = self.connection.sender.send(notice.into());
        sent.expect("the server is there");
    }

    /// Asks without waiting.
    pub(crate) fn send(&mut self, method: &str, params: Value) -> i32 {
        self.next += 1;
        let request = Request::new(RequestId::from(self.next), method.to_owned(), params);
        let sent = self.connection.sender.send(request.into());
        sent.expect("the server is there");
        self.next
    }

    /// The response to a question.
    pub(crate) fn response(&mut self, id: i32) -> Response {
        loop {
            if let Some(response) = self.answers.remove(&id) {
                return response;
            }
            self.take();
        }
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        let response = self.response(id);
        assert!(response.error.is_none(), "{method}: {:?}", response.error);
        response.result.unwrap_or_default()
    }

    /// Asks about a file at a place.
    pub(crate) fn at(&mut self, method: &str, path: &str, line: u32, column: u32) -> Value {
        self.ask(
            method,
            json!({
                "textDocument": { "uri": uri(path) },
                "position": { "line": line, "character": column },
            }),
        )
    }

    /// Takes one message.
    pub(crate) fn take(&mut self) {
        let message = self.connection.receiver.recv_timeout(PATIENCE);
        match message.expect("a message in time") {
            Message::Response(response) => {
                let id: i32 = response.id.to_string().parse().expect("a number");
                let before = self.answers.insert(id, response);
                assert!(before.is_none(), "a question is answered once");
            }
            Message::Notification(notice) => {
                self.check_version(&notice);
                self.notices.push(notice);
            }
            Message::Request(request) => {
                let response = Response::new_ok(request.id.clone(), Value::Null);
                let sent = self.connection.sender.send(response.into());
                sent.expect("the server is there");
                self.questions.push(request);
            }
        }
    }

    /// No diagnostics are about a version that is still to come.
    fn check_version(&self, notice: &Notification) {
        if notice.method == "textDocument/publishDiagnostics" {
            let uri = notice.params["uri"].as_str().expect("an address");
            if let Some(version) = notice.params["version"].as_i64() {
                let now = self.versions.get(uri).copied().unwrap_or_default();
                assert!(version <= i64::from(now), "{uri}: {version} of {now}");
            }
        }
    }

    pub(crate) fn open(&mut self, path: &str, text: &str) {
        self.versions.insert(uri(path), 1);
        self.notify(
            "textDocument/didOpen",
            json!({ "textDocument": {
                "uri": uri(path), "languageId": "img", "version": 1, "text": text,
            } }),
        );
    }

    /// Replaces a range of an open text; all of it where there is none.
    pub(crate) fn change(&mut self, path: &str, range: Value, text: &str) -> i32 {
        let version = self.versions.entry(uri(path)).or_default();
        *version += 1;
        let version = *version;
        let mut change = json!({ "text": text });
        if !range.is_null() {
            change["range"] = range;
        }
        self.notify(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": uri(path), "version": version },
                "contentChanges": [change],
            }),
        );
        version
    }

    pub(crate) fn close(&mut self, path: &str) {
        self.versions.remove(&uri(path));
        self.notify(
            "textDocument/didClose",
            json!({ "textDocument": { "uri": uri(path) } }),
        );
    }

    /// The diagnostics of a version of a file, once they are told and `is_wanted`.
    pub(crate) fn diagnostics(
        &mut self,
        path: &str,
        version: Option<i32>,
        is_wanted: impl Fn(&[Value]) -> bool,
    ) -> Vec<Value> {
        let wanted = uri(path);
        loop {
            let found = self.notices.iter().rev().find(|notice| {
                notice.method == "textDocument/publishDiagnostics"
                    && notice.params["uri"] == wanted.as_str()
            });
            if let Some(found) = found
                && found.params["version"].as_i64() == version.map(i64::from)
            {
                let found = found.params["diagnostics"].as_array().expect("a list");
                if is_wanted(found) {
                    return found.clone();
                }
            }
            self.take();
        }
    }

    /// Says that that is all, and waits for the server to end.
    pub(crate) fn end(mut self) {
        self.ask("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        let server = self.server.take().expect("it was started");
        let ended = server.join().expect("the server does not panic");
        assert_eq!(ended, Ok(()));
    }
}

/// The address of a file.
pub(crate) fn uri(path: &str) -> String {
    format!("file://{path}")
}

/// A range on one line.
pub(crate) fn range(line: u32, start: u32, end: u32) -> Value {
    json!({
        "start": { "line": line, "character": start },
        "end": { "line": line, "character": end },
    })
}

/// The codes of diagnostics.
pub(crate) fn codes(found: &[Value]) -> Vec<String> {
    let codes = found.iter().map(|found| found["code"].as_str());
    codes.map(|code| code.expect("a code").to_owned()).collect()
}
