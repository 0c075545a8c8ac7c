//! Answers: each question is answered once, on a thread of its own. It is given up where
//! nobody waits for it, or where what it is about has changed.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lsp_server::{ErrorCode, Request, RequestId, Response};
use lsp_types as lsp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::server::{Server, is};
use crate::snap::{Answer, Failure, Snap};
use crate::uri;

/// Questions that are being answered, and whether nobody waits any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<Mutex<BTreeMap<RequestId, Arc<AtomicBool>>>>);

impl Running {
    /// Nobody waits for the answer any more.
    pub(crate) fn give_up(&self, id: &RequestId) {
        if let Some(is_over) = self.lock().get(id) {
            is_over.store(true, Ordering::Relaxed);
        }
    }

    fn begin(&self, id: RequestId) -> Arc<AtomicBool> {
        let is_over = Arc::new(AtomicBool::new(false));
        self.lock().insert(id, is_over.clone());
        is_over
    }

    fn end(&self, id: &RequestId) {
        self.lock().remove(id);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<RequestId, Arc<AtomicBool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Answers a question about one file on another thread.
    pub(crate) fn answer<P, R>(
        &mut self,
        request: Request,
        file: impl Fn(&P) -> &lsp::Uri,
        work: impl FnOnce(&Snap, P) -> Answer<R> + Send + 'static,
    ) where
        P: DeserializeOwned + Send + 'static,
        R: Serialize,
    {
        // Diagnostics are always a report.
        let nothing = match is::<lsp::request::DocumentDiagnosticRequest>(&request) {
            true => serde_json::json!({ "kind": "full", "items": [] }),
            false => serde_json::Value::Null,
        };
        let Some((id, params)) = self.params::<P>(request) else {
            return;
        };
        let root = uri::path(file(&params)).and_then(|path| self.project_of(&path));
        let snap = root.and_then(|root| self.snap(&root));
        let Some(snap) = snap else {
            // A file that is nowhere has nothing to be asked about.
            self.send(Response::new_ok(id, nothing).into());
            return;
        };
        self.start(id, move || work(&snap, params));
    }

    /// Answers a question about everything on another thread.
    pub(crate) fn answer_all<P, R>(
        &mut self,
        request: Request,
        work: impl FnOnce(&[Snap], P) -> Answer<R> + Send + 'static,
    ) where
        P: DeserializeOwned + Send + 'static,
        R: Serialize,
    {
        let Some((id, params)) = self.params::<P>(request) else {
            return;
        };
        let roots = self.roots().into_iter();
        let snaps: Vec<Snap> = roots.filter_map(|root| self.snap(&root)).collect();
        self.start(id, move || work(&snaps, params));
    }

    fn params<P: DeserializeOwned>(&self, request: Request) -> Option<(RequestId, P)> {
        match serde_json::from_value(request.params) {
            Ok(params) => Some((request.id, params)),
            Err(error) => {
                let code = ErrorCode::InvalidParams as i32;
                let response = Response::new_err(request.id, code, error.to_string());
                self.send(response.into());
                None
            }
        }
    }

    fn start<R: Serialize>(
        &mut self,
        id: RequestId,
        work: impl FnOnce() -> Answer<R> + Send + 'static,
    ) {
        let running = self.running.clone();
        let is_over = running.begin(id.clone());
        let sender = self.sender.clone();
        self.workers.run(Box::new(move || {
            let failed =
                |code: i32, message: &str| Response::new_err(id.clone(), code, message.to_owned());
            let response = if is_over.load(Ordering::Relaxed) {
                // The project may not wait for what is not done.
                drop(work);
                failed(ErrorCode::RequestCanceled as i32, "nobody waits for this")
            } else {
                match catch_unwind(AssertUnwindSafe(work)) {
                    Ok(Ok(answer)) => Response::new_ok(id.clone(), answer),
                    Ok(Err(Failure::Cancelled)) => failed(
                        ErrorCode::ContentModified as i32,
                        "what this is about has changed",
                    ),
                    Ok(Err(Failure::Refused(why))) => failed(ErrorCode::RequestFailed as i32, &why),
                    Err(_) => failed(
                        ErrorCode::InternalError as i32,
                        "this is a mistake in imgc: please report it",
                    ),
                }
            };
            running.end(&id);
            let _ = sender.send(response.into());
        }));
    }
}
