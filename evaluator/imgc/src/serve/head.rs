//! The head of a request, read from a connection: so many bytes at most, in so much time
//! at most. What a path means is not known here.

use std::io::{self, Read as _};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

/// The longest head, in bytes.
const LIMIT: usize = 16 * 1024;

/// The most headers.
const HEADERS: usize = 64;

/// What a request's head says, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    /// The server that the client thinks that it speaks to.
    pub(super) host: Option<String>,
    /// The header `Range`, unless it holds only under a condition.
    pub(super) range: Option<String>,
    /// Whether another request may follow.
    pub(super) goes_on: bool,
}

/// What came instead of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoHead {
    /// The client is gone, or said nothing.
    Gone,
    /// It began, and was too slow.
    Slow,
    /// It is longer than is read.
    Long,
    /// It is no HTTP.
    Bad,
}

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// For the first byte of a request.
    pub(super) idle: Duration,
    /// From the first byte of a head to its last.
    pub(super) head: Duration,
    /// For a piece of the answer to be taken.
    pub(super) piece: Duration,
}

/// What has come over a connection and is not used yet.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    bytes: Vec<u8>,
}

impl Incoming {
    /// Reads the next head.
    pub(super) fn head(&mut self, stream: &TcpStream, patience: &Patience) -> Result<Head, NoHead> {
        let mut until = None;
        loop {
            if !self.bytes.is_empty() {
                if let Some((head, length)) = parse(&self.bytes)? {
                    self.bytes.drain(..length);
                    return Ok(head);
                }
                if self.bytes.len() >= LIMIT {
                    return Err(NoHead::Long);
                }
                until.get_or_insert_with(|| now() + patience.head);
            }
            let wait = match until {
                None => patience.idle,
                Some(until) => until.saturating_duration_since(now()),
            };
            match self.more(stream, wait) {
                Ok(0) => return Err(NoHead::Gone),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) if until.is_some() => return Err(NoHead::Slow),
                Err(_) => return Err(NoHead::Gone),
            }
        }
    }

    fn more(&mut self, mut stream: &TcpStream, wait: Duration) -> io::Result<usize> {
        if wait.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(wait))?;
        let mut piece = [0; 4096];
        let most = piece.len().min(LIMIT - self.bytes.len());
        let read = stream.read(&mut piece[..most])?;
        self.bytes.extend_from_slice(&piece[..read]);
        Ok(read)
    }
}

impl Head {
    /// Whether the client thinks that it speaks to this machine. A page in a browser whose
    /// name was made to lead here thinks otherwise.
    pub(super) fn is_for_loopback(&self) -> bool {
        let Some(host) = &self.host else {
            return false;
        };
        let is_port = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let name = match host.rsplit_once(':') {
            Some((name, port)) if is_port(port) => name,
            _ => host,
        };
        let inner = name.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
        let ip = inner.unwrap_or(name).parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

/// The head at the beginning of `bytes` and its length, if all of it is there.
fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, NoHead> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(NoHead::Long),
        Err(_) => return Err(NoHead::Bad),
    };
    let is_new = request.version == Some(1);
    let mut head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: request.path.unwrap_or_default().to_owned(),
        host: None,
        range: None,
        goes_on: is_new,
    };
    let mut is_conditional = false;
    for header in request.headers.iter() {
        let text = || std::str::from_utf8(header.value).map_err(|_| NoHead::Bad);
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        if is("host") {
            if head.host.replace(text()?.trim().to_owned()).is_some() {
                return Err(NoHead::Bad);
            }
        } else if is("range") {
            head.range = Some(text()?.to_owned());
        } else if is("if-range") {
            is_conditional = true;
        } else if is("connection") {
            let mut options = text()?.split(',').map(str::trim);
            head.goes_on &= !options.any(|option| option.eq_ignore_ascii_case("close"));
        } else if is("transfer-encoding") || (is("content-length") && text()?.trim() != "0") {
            // No body is wanted, and none is read.
            head.goes_on = false;
        }
    }
    if is_new && head.host.is_none() {
        return Err(NoHead::Bad);
    }
    if is_conditional {
        head.range = None;
    }
    Ok(Some((head, length)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "whoever is slow is not waited for; no image depends on it"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Head>, NoHead> {
        parse(text.as_bytes()).map(|found| {
            found.map(|(head, length)| {
                assert_eq!(length, text.len());
                head
            })
        })
    }

    #[test]
    fn reads_what_matters() {
        let text = "GET /v2/ HTTP/1.1\r\nhost: localhost:5000\r\nRANGE: bytes=1-2\r\n\r\n";
        let head = read(text).ok().flatten().expect("a head");
        assert_eq!(
            (head.method.as_str(), head.target.as_str()),
            ("GET", "/v2/")
        );
        assert_eq!(head.range.as_deref(), Some("bytes=1-2"));
        assert!(head.goes_on && head.is_for_loopback());
        let conditional = text.replacen("host", "If-Range: \"x\"\r\nhost", 1);
        let head = read(&conditional).ok().flatten().expect("a head");
        assert_eq!(head.range, None);
        for end in [
            "Connection: keep-alive, Close",
            "Transfer-Encoding: chunked",
            "Content-Length: 3",
        ] {
            let text = text.replace("RANGE: bytes=1-2", end);
            let head = read(&text).ok().flatten().expect("a head");
            assert!(!head.goes_on, "{end}");
        }
        let old = read("GET / HTTP/1.0\r\n\r\n")
            .ok()
            .flatten()
            .expect("a head");
        assert!(!old.goes_on && !old.is_for_loopback());
    }

    #[test]
    fn waits_for_the_whole_and_refuses_what_is_none() {
        assert_eq!(read("GET /v2/ HTTP/1.1\r\nHost: a\r\n"), Ok(None));
        let many = "a: b\r\n".repeat(HEADERS + 1);
        for (text, no_head) in [
            ("GET /v2/ HTTP/1.1\r\n\r\n", NoHead::Bad),
            (
                "GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                NoHead::Bad,
            ),
            ("\x16\x03\x01", NoHead::Bad),
            ("GET /a b HTTP/1.1\r\n\r\n", NoHead::Bad),
            (&format!("GET / HTTP/1.1\r\n{many}\r\n"), NoHead::Long),
        ] {
            assert_eq!(read(text), Err(no_head), "{text}");
        }
    }

    #[test]
    fn tells_this_machine_from_others() {
        let host = |host: &str| {
            let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let head = read(&text).ok().flatten().expect("a head");
            head.is_for_loopback()
        };
        for near in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:5000",
            "127.9.9.9",
            "[::1]:1",
            "[::1]",
        ] {
            assert!(host(near), "{near}");
        }
        for far in [
            "",
            "evil.example",
            "localhost.evil.example:5000",
            "10.0.0.1:5000",
            "[::2]",
        ] {
            assert!(!host(far), "{far}");
        }
    }
}
