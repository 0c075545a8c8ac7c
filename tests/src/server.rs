//! A web server on loopback that serves files from memory, and misbehaves when it
//! is told to.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// What is between two pieces of a body that is dribbled.
const MOMENT: Duration = Duration::from_millis(20);

/// A misbehaviour, for one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Sends so many bytes of the body, then closes the connection.
    Cut(usize),
    /// Answers with this status and no body.
    Status(u16),
    /// Sends so many bytes of the body, then nothing more, and leaves the connection open.
    Stall(usize),
    /// Sends the body in pieces of so many bytes, with a moment between them.
    Dribble(usize),
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The path, without its leading slash.
    pub path: String,
    /// Where the asked range begins; 0 where all was asked for.
    pub from: usize,
    /// The status of the answer.
    pub status: u16,
}

/// The server. It ends with the process.
#[derive(Debug, Clone)]
pub struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    faults: Vec<(String, Fault)>,
    requests: Vec<Request>,
}

impl Server {
    /// A server on a free port, with nothing to serve.
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let port = listener
            .local_addr()
            .expect("a bound socket has an address")
            .port();
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

    /// The address of `path`.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }

    /// Serves `bytes` at `path` from now on.
    pub fn put(&self, path: &str, bytes: Vec<u8>) {
        self.state().files.insert(path.to_owned(), bytes);
    }

    /// What is served at `path`.
    pub fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.state().files.get(path).cloned()
    }

    /// Changes what is served at the only path that ends with `end`.
    pub fn change(&self, end: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let mut found = state
            .files
            .iter_mut()
            .filter(|(path, _)| path.ends_with(end));
        let (_, bytes) = found.next().expect("a path with this end");
        assert!(found.next().is_none(), "two paths end with {end}");
        change(bytes);
    }

    /// Serves nothing at `path` from now on. Gives what was served there.
    pub fn remove(&self, path: &str) -> Vec<u8> {
        self.state()
            .files
            .remove(path)
            .expect("something is served there")
    }

    /// The paths at which something is served.
    pub fn paths(&self) -> Vec<String> {
        self.state().files.keys().cloned().collect()
    }

    /// Serves at `other` too what is served here.
    pub fn copy_to(&self, other: &Self) {
        let files = self.state().files.clone();
        other.state().files.extend(files);
    }

    /// Misbehaves once, at the next request for a path that ends with `end`.
    pub fn fail_once(&self, end: &str, fault: Fault) {
        self.state().faults.push((end.to_owned(), fault));
    }

    /// The requests since the last call, in the order in which they came.
    pub fn take_requests(&self) -> Vec<Request> {
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
fn answer(stream: TcpStream, state: &Mutex<State>) {
    let Ok(reader) = stream.try_clone() else {
        return;
    };
    let Some((path, from)) = read_head(BufReader::new(reader)) else {
        return;
    };
    let (head, body, fault) = {
        let mut state = lock(state);
        let fault = state
            .faults
            .iter()
            .position(|(end, _)| path.ends_with(end.as_str()));
        let fault = fault.map(|at| state.faults.remove(at).1);
        let (status, head, body) = reply(state.files.get(&path), from, fault);
        state.requests.push(Request { path, from, status });
        (head, body, fault)
    };
    let mut stream = stream;
    let piece = match fault {
        Some(Fault::Dribble(piece)) => piece,
        _ => usize::MAX,
    };
    let mut sent = stream.write_all(head.as_bytes());
    for piece in body.chunks(piece) {
        sent = sent.and_then(|()| stream.write_all(piece));
        if matches!(fault, Some(Fault::Dribble(_))) && sent.is_ok() {
            std::thread::sleep(MOMENT);
        }
    }
    if matches!(fault, Some(Fault::Stall(_))) {
        // Until the client goes away.
        let _ = stream.read_to_end(&mut Vec::new());
    }
}

/// The path and the beginning of the asked range.
fn read_head(mut reader: BufReader<TcpStream>) -> Option<(String, usize)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let mut from = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            return Some((path, from));
        }
        if let Some(range) = header.strip_prefix("range: bytes=") {
            from = range.split('-').next()?.parse().ok()?;
        }
    }
}

fn reply(file: Option<&Vec<u8>>, from: usize, fault: Option<Fault>) -> (u16, String, Vec<u8>) {
    if let Some(Fault::Status(status)) = fault {
        return empty(status);
    }
    let Some(file) = file else { return empty(404) };
    if from > 0 && from >= file.len() {
        return empty(416);
    }
    let mut body = file[from..].to_vec();
    let length = body.len();
    let (status, range) = if from == 0 {
        (200, String::new())
    } else {
        let (last, all) = (file.len() - 1, file.len());
        (206, format!("Content-Range: bytes {from}-{last}/{all}\r\n"))
    };
    if let Some(Fault::Cut(at) | Fault::Stall(at)) = fault {
        body.truncate(at);
    }
    let head = format!(
        "HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n{range}Connection: close\r\n\r\n"
    );
    (status, head, body)
}

fn empty(status: u16) -> (u16, String, Vec<u8>) {
    let head =
        format!("HTTP/1.1 {status} Status\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    (status, head, Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(server: &Server, range: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).expect("it listens");
        let request = format!("GET /a/b HTTP/1.1\r\nHost: x\r\n{range}\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }

    #[test]
    fn serves_ranges_and_faults_once() {
        let server = Server::start();
        assert!(get(&server, "").starts_with("HTTP/1.1 404"));
        server.put("a/b", b"0123456789".to_vec());
        server.fail_once("/b", Fault::Cut(4));
        assert!(get(&server, "").ends_with("\r\n\r\n0123"));
        let rest = get(&server, "Range: bytes=4-\r\n");
        assert!(
            rest.starts_with("HTTP/1.1 206") && rest.ends_with("\r\n\r\n456789"),
            "{rest}"
        );
        server.fail_once("/b", Fault::Status(503));
        assert!(get(&server, "").starts_with("HTTP/1.1 503"));
        assert!(get(&server, "").ends_with("0123456789"));
        let statuses: Vec<u16> = server.take_requests().iter().map(|r| r.status).collect();
        assert_eq!(statuses, [404, 200, 206, 503, 200]);
    }
}
