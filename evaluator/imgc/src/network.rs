//! The transport over HTTP(S) and local folders.
//!
//! A server may be silent for a minute, and nobody who presses Ctrl-C waits so long. So
//! each answer is read by a thread of its own, which is left alone when the end has come:
//! it ends with the process.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use imgc_build::{Response, Transport, TransportError};

/// How long one answer's body may take. A download that takes longer goes on with
/// a further request from where it stopped, so this bounds silence, not size.
const BODY: Duration = Duration::from_secs(120);

/// How often whoever waits looks whether the end has come.
const LOOK: Duration = Duration::from_millis(100);

/// How many bytes of an answer are read at once, and how many such pieces may wait.
const PIECE: usize = 64 * 1024;
const WAITING: usize = 4;

/// HTTP(S) by ureq and rustls, `file:` by the file system.
#[derive(Debug)]
pub(crate) struct Network {
    agent: ureq::Agent,
    /// Goes nowhere but by HTTPS, for addresses that begin so: no redirect leads out of it.
    secure: ureq::Agent,
    /// Follows no redirect.
    single: ureq::Agent,
    offline: bool,
    /// Set when nobody waits for an answer any more.
    stop: Arc<AtomicBool>,
}

/// Status, headers by their names in small letters, and body.
pub(crate) type Answer = (u16, BTreeMap<String, String>, Vec<u8>);

impl Network {
    /// A transport that answers everything but `file:` with
    /// [`TransportError::Offline`] where `offline` is set. Set from outside, `stop` ends all
    /// waiting for packages and indices.
    pub(crate) fn new(offline: bool, stop: Arc<AtomicBool>) -> Self {
        let agent = |redirects, secure| {
            ureq::Agent::config_builder()
                .http_status_as_error(false)
                .https_only(secure)
                .timeout_connect(Some(Duration::from_secs(15)))
                .timeout_recv_response(Some(Duration::from_secs(30)))
                .timeout_recv_body(Some(BODY))
                .max_redirects(redirects)
                .max_redirects_will_error(redirects > 0)
                .user_agent(concat!("imgc/", env!("CARGO_PKG_VERSION")))
                .build()
                .into()
        };
        Self {
            agent: agent(5, false),
            secure: agent(5, true),
            single: agent(0, false),
            offline,
            stop,
        }
    }

    /// Whether the network is not to be used.
    pub(crate) fn is_offline(&self) -> bool {
        self.offline
    }

    /// One request without redirects, and at most one byte more than `limit` of the body.
    /// Whether the address may be asked is the caller's business.
    ///
    /// # Errors
    /// What the network says.
    pub(crate) fn once(
        &self,
        url: &str,
        headers: &[(&str, String)],
        limit: u64,
    ) -> Result<Answer, String> {
        let mut request = self.single.get(url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.call().map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let headers = crate::remote::headers_of(response.headers());
        let mut body = Vec::new();
        let mut reader = response.into_body().into_reader().take(limit + 1);
        let read = reader.read_to_end(&mut body);
        read.map_err(|error| error.to_string())?;
        Ok((status, headers, body))
    }
}

impl Transport for Network {
    fn get(&self, url: &str, from: u64) -> Result<Response, TransportError> {
        if let Some(path) = url.strip_prefix("file://") {
            return open(path, from);
        }
        if self.offline {
            return Err(TransportError::Offline);
        }
        let (send, pieces) = sync_channel(WAITING);
        let agent = match url.starts_with("https://") {
            true => self.secure.clone(),
            false => self.agent.clone(),
        };
        let url = url.to_owned();
        let reading = std::thread::Builder::new().name("download".to_owned());
        let spawned = reading.spawn(move || read(&agent, &url, from, &send));
        spawned.map_err(|error| TransportError::Connection(error.to_string()))?;
        let mut body = Body {
            pieces,
            piece: Vec::new(),
            at: 0,
            stop: Arc::clone(&self.stop),
        };
        match body.next() {
            Ok(Some(Piece::Start(start))) => Ok(Response {
                body: Box::new(body),
                start,
            }),
            Ok(Some(Piece::Refused(error))) => Err(error),
            Ok(_) => Err(TransportError::Connection("no answer".to_owned())),
            Err(error) => Err(TransportError::Connection(error.to_string())),
        }
    }

    fn wait(&self, failed: u32) {
        let mut left = Duration::from_millis(250 << failed.min(6));
        while !left.is_zero() && !self.stop.load(Ordering::Relaxed) {
            let now = left.min(LOOK);
            std::thread::sleep(now);
            left -= now;
        }
    }
}

/// What a reading thread has to tell, in this order.
enum Piece {
    /// Nothing will come.
    Refused(TransportError),
    /// Bytes will come, from this one on.
    Start(u64),
    /// They come.
    Bytes(Vec<u8>),
    /// They have come to their end, or broke off.
    End(io::Result<()>),
}

/// Asks for `url`, and tells `send` what comes. Whoever does not listen any more is the end
/// of it.
fn read(agent: &ureq::Agent, url: &str, from: u64, send: &SyncSender<Piece>) {
    let (mut body, start) = match request(agent, url, from) {
        Ok(answer) => answer,
        Err(error) => return drop(send.send(Piece::Refused(error))),
    };
    let mut told = send.send(Piece::Start(start));
    while told.is_ok() {
        let mut piece = vec![0; PIECE];
        match body.read(&mut piece) {
            Ok(0) => return drop(send.send(Piece::End(Ok(())))),
            Ok(read) => {
                piece.truncate(read);
                told = send.send(Piece::Bytes(piece));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return drop(send.send(Piece::End(Err(error)))),
        }
    }
}

/// The body of an answer, and where it begins.
fn request(
    agent: &ureq::Agent,
    url: &str,
    from: u64,
) -> Result<(impl Read + use<>, u64), TransportError> {
    let mut request = agent.get(url);
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    let response = request
        .call()
        .map_err(|error| TransportError::Connection(error.to_string()))?;
    let status = response.status().as_u16();
    let start = match status {
        200 => 0,
        206 => from,
        404 | 410 => return Err(TransportError::NotFound),
        // The range begins at or past the end: let the caller begin again.
        416 if from > 0 => return self::request(agent, url, 0),
        other => return Err(TransportError::Status(other)),
    };
    if status == 206 && !begins_at(&response, from) {
        return Err(TransportError::Connection(
            "the server sent another range".to_owned(),
        ));
    }
    Ok((response.into_body().into_reader(), start))
}

/// What a reading thread has sent.
struct Body {
    pieces: Receiver<Piece>,
    piece: Vec<u8>,
    /// How much of the piece has been taken.
    at: usize,
    stop: Arc<AtomicBool>,
}

impl Body {
    /// What comes next. None after the end.
    fn next(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(io::Error::other("interrupted"));
            }
            match self.pieces.recv_timeout(LOOK) {
                Ok(piece) => return Ok(Some(piece)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }
}

impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.next()? {
                Some(Piece::Bytes(piece)) => (self.piece, self.at) = (piece, 0),
                Some(Piece::End(end)) => {
                    // It is told once; whoever asks again has no thread to ask.
                    end?;
                    return Ok(0);
                }
                _ => return Ok(0),
            }
        }
        let taken = buf.len().min(self.piece.len() - self.at);
        buf[..taken].copy_from_slice(&self.piece[self.at..self.at + taken]);
        self.at += taken;
        Ok(taken)
    }
}

fn begins_at(response: &ureq::http::Response<ureq::Body>, from: u64) -> bool {
    let range = response
        .headers()
        .get("content-range")
        .and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {from}-")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
fn open(path: &str, from: u64) -> Result<Response, TransportError> {
    let fail = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => TransportError::NotFound,
        _ => TransportError::Connection(format!("{path}: {error}")),
    };
    let mut file = File::open(path).map_err(fail)?;
    file.seek(SeekFrom::Start(from)).map_err(fail)?;
    Ok(Response {
        body: Box::new(file.take(u64::MAX)),
        start: from,
    })
}
