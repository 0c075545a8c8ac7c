//! The sockets of a registry: a thread for each connection, so many at most, and nobody
//! is waited for without end. What is answered is the registry's.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use imgc_oci::serve::{Answer, Body, Registry, Request};

use super::head::{Head, Incoming, NoHead, Patience, now};

/// How many connections there are at a time. Who comes later waits.
const CONNECTIONS: usize = 64;

const PATIENCE: Patience = Patience {
    idle: Duration::from_secs(15),
    head: Duration::from_secs(15),
    piece: Duration::from_secs(60),
};

/// How long the end waits for answers that are on their way.
const GRACE: Duration = Duration::from_secs(5);

/// How many bytes are sent in one piece.
const PIECE: usize = 128 * 1024;

/// One request that was answered.
#[derive(Debug)]
pub(crate) struct Served<'a> {
    /// `GET`.
    pub(crate) method: &'a str,
    /// The path, as it came.
    pub(crate) target: &'a str,
    /// The status.
    pub(crate) status: u16,
    /// How many bytes of the body were sent.
    pub(crate) sent: u64,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Is told of every request.
pub(crate) type Log = Box<dyn Fn(&Served<'_>) + Send + Sync>;

/// A server that listens. Dropped, it stops.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    /// `None` once it has stopped: nothing holds the store then.
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    listening: JoinHandle<()>,
    connections: Arc<Connections>,
    /// Here too, so that the last one to let go of it is not a thread that nobody waits for.
    _answering: Arc<Answering>,
}

/// What requests are answered by.
struct Answering {
    registry: Registry,
    log: Log,
    patience: Patience,
    /// Whether only this machine reaches it.
    is_loopback: bool,
}

/// The connections that are open.
#[derive(Debug)]
struct Connections {
    most: usize,
    stopping: AtomicBool,
    open: Mutex<Open>,
    /// Told whenever one ends.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    by_number: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    /// Whether a request is being answered.
    busy: bool,
}

/// A connection's entry in the list. Dropped, also by a panic, it makes room.
struct Listed {
    connections: Arc<Connections>,
    number: u64,
}

impl std::fmt::Debug for Answering {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answering").finish_non_exhaustive()
    }
}

impl Server {
    /// Answers what comes to `listener` from now on.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn start(listener: TcpListener, registry: Registry, log: Log) -> io::Result<Self> {
        Self::start_with(listener, registry, log, PATIENCE, CONNECTIONS)
    }

    fn start_with(
        listener: TcpListener,
        registry: Registry,
        log: Log,
        patience: Patience,
        most: usize,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let answering = Arc::new(Answering {
            registry,
            log,
            patience,
            is_loopback: address.ip().is_loopback(),
        });
        let connections = Arc::new(Connections {
            most,
            stopping: AtomicBool::new(false),
            open: Mutex::default(),
            ended: Condvar::new(),
        });
        let listening = {
            let (answering, connections) = (Arc::clone(&answering), Arc::clone(&connections));
            std::thread::Builder::new()
                .name("listen".to_owned())
                .spawn(move || accept(&listener, &answering, &connections))?
        };
        Ok(Self {
            address,
            running: Some(Running {
                listening,
                connections,
                _answering: answering,
            }),
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets answers come to their end for some seconds, and
    /// closes what is left.
    pub(crate) fn stop(&mut self) {
        let Some(running) = self.running.take() else {
            return;
        };
        running.connections.begin_to_stop();
        // Whoever waits for the next connection gets one.
        let mut here = self.address;
        if here.ip().is_unspecified() {
            here.set_ip(match here {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        if TcpStream::connect_timeout(&here, Duration::from_secs(1)).is_ok() {
            // A panic there is no reason for one here.
            let _ = running.listening.join();
        }
        running.connections.close();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Connections {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn begin_to_stop(&self) {
        // With the list in hand: whoever waits for room has looked before, or sees it.
        let open = self.open();
        self.stopping.store(true, Ordering::SeqCst);
        drop(open);
        self.ended.notify_all();
    }

    fn close(&self) {
        let until = now() + GRACE;
        let mut open = self.open();
        for connection in open.by_number.values().filter(|one| !one.busy) {
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
        while !open.by_number.is_empty() {
            let left = until.saturating_duration_since(now());
            if left.is_zero() {
                break;
            }
            let woken = self.ended.wait_timeout(open, left);
            open = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        for connection in open.by_number.values() {
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
    }

    /// Puts a connection on the list, once there is room. None when all is to end.
    fn list(self: &Arc<Self>, stream: &TcpStream) -> io::Result<Option<Listed>> {
        let stream = stream.try_clone()?;
        let mut open = self.open();
        while open.by_number.len() >= self.most && !self.is_stopping() {
            let woken = self.ended.wait(open);
            open = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if self.is_stopping() {
            return Ok(None);
        }
        let number = open.next;
        open.next += 1;
        let busy = false;
        open.by_number.insert(number, Connection { stream, busy });
        let connections = Arc::clone(self);
        Ok(Some(Listed {
            connections,
            number,
        }))
    }
}

impl Listed {
    fn set_busy(&self, busy: bool) {
        let mut open = self.connections.open();
        if let Some(connection) = open.by_number.get_mut(&self.number) {
            connection.busy = busy;
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.connections.open().by_number.remove(&self.number);
        self.connections.ended.notify_all();
    }
}

fn accept(listener: &TcpListener, answering: &Arc<Answering>, connections: &Arc<Connections>) {
    loop {
        let accepted = listener.accept();
        if connections.is_stopping() {
            return;
        }
        let Ok((stream, _)) = accepted else {
            // Too many open files, say: somebody may close one.
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        let listed = match connections.list(&stream) {
            Ok(Some(listed)) => listed,
            Ok(None) => return,
            Err(_) => continue,
        };
        let answering = Arc::clone(answering);
        let thread = std::thread::Builder::new().name("request".to_owned());
        // Without a thread, the connection is closed.
        drop(thread.spawn(move || {
            converse(&stream, &answering, &listed);
            // Who waits for the end of the last connection may then take the store away.
            drop(answering);
            drop(listed);
        }));
    }
}

/// Answers the requests of one connection. A client that goes away is its own affair.
fn converse(stream: &TcpStream, answering: &Answering, listed: &Listed) {
    let _ = stream.set_nodelay(true);
    let mut incoming = Incoming::default();
    let patience = &answering.patience;
    while !listed.connections.is_stopping() {
        let head = match incoming.head(stream, patience) {
            Ok(head) => head,
            Err(no_head) => {
                refuse(stream, no_head, patience.piece);
                break;
            }
        };
        listed.set_busy(true);
        let goes_on = head.goes_on && !listed.connections.is_stopping();
        let began = now();
        let answer = answer(&head, answering);
        let status = answer.status;
        let (sent, done) = send(stream, answer, &head.method, goes_on, patience.piece);
        (answering.log)(&Served {
            method: &head.method,
            target: &head.target,
            status,
            sent,
            took: now().saturating_duration_since(began),
        });
        if !(done && goes_on) {
            break;
        }
        listed.set_busy(false);
    }
    linger(stream);
}

fn answer(head: &Head, answering: &Answering) -> Answer {
    if answering.is_loopback && !head.is_for_loopback() {
        let message = "this registry is for this machine alone: ask 127.0.0.1 or localhost";
        return Answer::error(403, "DENIED", message);
    }
    answering.registry.answer(&Request {
        method: &head.method,
        target: &head.target,
        range: head.range.as_deref(),
    })
}

fn refuse(stream: &TcpStream, no_head: NoHead, patience: Duration) {
    let (status, message) = match no_head {
        NoHead::Gone => return,
        NoHead::Slow => (408, "the request did not come to its end"),
        NoHead::Long => (431, "the request is too long"),
        NoHead::Bad => (400, "this is no HTTP request"),
    };
    let answer = Answer::error(status, "UNSUPPORTED", message);
    send(stream, answer, "GET", false, patience);
}

/// How many bytes of the body were sent, and whether that was all of it.
fn send(
    stream: &TcpStream,
    answer: Answer,
    method: &str,
    goes_on: bool,
    patience: Duration,
) -> (u64, bool) {
    let mut head = format!(
        "HTTP/1.1 {} {}\r\nContent-Length: {}\r\n",
        answer.status,
        reason(answer.status),
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !goes_on {
        head.push_str("Connection: close\r\n");
    }
    head.push_str("\r\n");
    let mut head = head.into_bytes();
    let mut sent = 0;
    match answer.body {
        _ if method == "HEAD" => (0, write(stream, &head, patience).is_ok()),
        Body::Bytes(bytes) => {
            head.extend(&bytes);
            match write(stream, &head, patience) {
                Ok(()) => (bytes.len() as u64, true),
                Err(_) => (0, false),
            }
        }
        Body::Blob(mut blob) => {
            if write(stream, &head, patience).is_err() {
                return (0, false);
            }
            let mut piece = vec![0; PIECE];
            loop {
                match blob.read(&mut piece) {
                    Ok(0) => return (sent, true),
                    Ok(read) if write(stream, &piece[..read], patience).is_ok() => {
                        sent += read as u64;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    // What is missing tells the client that something is wrong.
                    Ok(_) | Err(_) => return (sent, false),
                }
            }
        }
    }
}

/// Writes all of a piece in the time that there is for it.
fn write(mut stream: &TcpStream, mut piece: &[u8], patience: Duration) -> io::Result<()> {
    let until = now() + patience;
    while !piece.is_empty() {
        let left = until.saturating_duration_since(now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_write_timeout(Some(left))?;
        match stream.write(piece) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => piece = &piece[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Lets the client read the answer before the connection is gone, though some of what it
/// sent is not read.
fn linger(mut stream: &TcpStream) {
    if stream.shutdown(Shutdown::Write).is_err() {
        return;
    }
    let until = now() + Duration::from_secs(1);
    let mut waste = [0; 4096];
    for _ in 0..64 {
        let left = until.saturating_duration_since(now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return;
        }
        if !matches!(stream.read(&mut waste), Ok(1..)) {
            return;
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use imgc_oci::Whole;
    use imgc_oci::serve::{Images, Refusal, Wanted};
    use imgc_store::MemoryStore;

    use super::*;

    struct Nothing;

    impl Images for Nothing {
        fn tags(&self, _: &str) -> Result<Vec<String>, Refusal> {
            Ok(Vec::new())
        }

        fn build(&self, _: &str, _: Wanted<'_>) -> Result<Vec<Whole>, Refusal> {
            Err(Refusal::NoName)
        }
    }

    fn start(connections: usize) -> Server {
        let patience = Patience {
            idle: Duration::from_millis(400),
            head: Duration::from_millis(400),
            piece: Duration::from_secs(5),
        };
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let registry = Registry::new(Arc::new(MemoryStore::new()), Box::new(Nothing));
        let log: Log = Box::new(|_| ());
        Server::start_with(listener, registry, log, patience, connections).expect("a server")
    }

    fn say(server: &Server, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(server.address()).expect("it listens");
        stream.write_all(text.as_bytes()).expect("it reads");
        stream
    }

    fn rest(mut stream: TcpStream) -> String {
        let mut text = String::new();
        let patience = Some(Duration::from_secs(10));
        stream.set_read_timeout(patience).expect("a timeout");
        stream.read_to_string(&mut text).expect("an answer");
        text
    }

    const BASE: &str = "GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n";

    #[test]
    fn requests_follow_each_other_on_one_connection() {
        let server = start(4);
        let last = BASE.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
        let text = rest(say(&server, &format!("{BASE}{BASE}{last}")));
        assert_eq!(text.matches("HTTP/1.1 200 OK\r\n").count(), 3, "{text}");
        assert_eq!(text.matches("Connection: close").count(), 1, "{text}");
        let head = last.replace("GET", "HEAD");
        let text = rest(say(&server, &head));
        assert!(text.contains("Content-Length: 2\r\n") && text.ends_with("\r\n\r\n"));
    }

    #[test]
    fn odd_requests_are_refused() {
        let server = start(4);
        for (text, status) in [
            ("\x16\x03\x01\x02\r\n\r\n".to_owned(), 400),
            (format!("GET /{} HTTP/1.1\r\n", "a".repeat(20_000)), 431),
            (BASE.replace("localhost", "evil.example"), 403),
            (BASE.replace("GET /v2/", "GET http://localhost/v2/"), 404),
            (
                BASE.replace("GET", "PUT")
                    .replace("Host", "Content-Length: 3\r\nHost")
                    + "abc",
                405,
            ),
            ("GET /v2/ HTT".to_owned(), 408),
        ] {
            let answer = rest(say(&server, &text));
            let line = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&line), "{status}: {answer}");
        }
    }

    #[test]
    fn the_slow_and_the_many_do_not_keep_others_out() {
        let server = start(2);
        let slow: Vec<TcpStream> = (0..4).map(|_| say(&server, "GET /v2/")).collect();
        let text = rest(say(&server, &BASE.replace("1.1", "1.0")));
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        drop(slow);
        // Who says nothing is not answered, only left.
        assert_eq!(rest(say(&server, "")), "");
    }

    #[test]
    fn it_stops() {
        let mut server = start(2);
        let idle = say(&server, BASE);
        let address = server.address();
        let mut first = [0; 15];
        (&idle).read_exact(&mut first).expect("an answer");
        server.stop();
        assert!(rest(idle).ends_with("{}"));
        assert!(TcpStream::connect(address).is_err(), "nobody listens");
    }
}
