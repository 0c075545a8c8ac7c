//! A web server whose answers have statuses and headers of the test's choice.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

/// What is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Answered only to who sends this header; others get 401 with these headers.
    pub(crate) authorization: Option<String>,
}

/// The server. It ends with the process.
#[derive(Debug, Clone)]
pub(crate) struct Web {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    replies: BTreeMap<String, Reply>,
    /// Path and `authorization` of each request.
    requests: Vec<(String, Option<String>)>,
}

impl Web {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || answer(stream, &shared));
            }
        });
        Self { port, state }
    }

    /// `127.0.0.1:PORT`.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.host())
    }

    /// Answers `path`, which may have a query, with a body from now on.
    pub(crate) fn put(&self, path: &str, body: impl AsRef<[u8]>) {
        let body = body.as_ref().to_vec();
        let status = 200;
        self.reply(
            path,
            Reply {
                status,
                body,
                ..Reply::default()
            },
        );
    }

    pub(crate) fn redirect(&self, path: &str, to: &str) {
        let headers = vec![("Location".to_owned(), to.to_owned())];
        let status = 302;
        self.reply(
            path,
            Reply {
                status,
                headers,
                ..Reply::default()
            },
        );
    }

    pub(crate) fn reply(&self, path: &str, reply: Reply) {
        self.state().replies.insert(format!("/{path}"), reply);
    }

    pub(crate) fn remove(&self, path: &str) {
        self.state().replies.remove(&format!("/{path}"));
    }

    /// The requests since the last call: path and `authorization`.
    pub(crate) fn take_requests(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut self.state().requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Answers one request. A client that goes away is its own affair.
fn answer(mut stream: TcpStream, state: &Mutex<State>) {
    let Ok(reader) = stream.try_clone() else {
        return;
    };
    let Some((path, authorization)) = read_head(BufReader::new(reader)) else {
        return;
    };
    let reply = {
        let mut state = lock(state);
        state.requests.push((path.clone(), authorization.clone()));
        let missing = Reply {
            status: 404,
            ..Reply::default()
        };
        let mut reply = state.replies.get(&path).cloned().unwrap_or(missing);
        if reply.authorization.is_some() && reply.authorization != authorization {
            reply.status = 401;
            reply.body.clear();
        }
        reply
    };
    let mut head = format!(
        "HTTP/1.1 {} Status\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("Connection: close\r\n\r\n");
    let _ = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(&reply.body));
}

fn read_head(mut reader: BufReader<TcpStream>) -> Option<(String, Option<String>)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut authorization = None;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if line.trim_end().is_empty() {
            return Some((path, authorization));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            authorization = Some(value.trim().to_owned());
        }
    }
}
