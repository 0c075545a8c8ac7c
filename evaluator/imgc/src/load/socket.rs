//! HTTP over a unix socket: a transport for ureq, and requests to an engine.

use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// The longest answer, in bytes: of a pull, all of its progress.
const LONGEST: u64 = 64 * 1024 * 1024;

/// How long a short answer may take.
const SHORT: Duration = Duration::from_secs(60);

/// An engine's socket.
#[derive(Debug)]
pub(super) struct Socket {
    agent: Agent,
}

/// What an engine answers.
#[derive(Debug)]
pub(super) struct Answer {
    /// The HTTP status.
    pub(super) status: u16,
    response: ureq::http::Response<ureq::Body>,
}

impl Socket {
    /// The socket at `path`. Nothing is opened yet.
    pub(super) fn at(path: &Path) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // A proxy is for the network.
            .proxy(None)
            .timeout_connect(Some(SHORT))
            .max_idle_connections(0)
            .user_agent(concat!("imgc/", env!("CARGO_PKG_VERSION")))
            .build();
        let connector = ToSocket(path.to_owned());
        Self {
            agent: Agent::with_parts(config, connector, Nowhere),
        }
    }

    /// Asks for something that is there at once.
    pub(super) fn get(&self, path: &str) -> Result<Answer, String> {
        let request = self.agent.get(url(path)).config();
        let request = request.timeout_global(Some(SHORT)).build();
        answer(request.call())
    }

    /// Has something done that takes no time.
    pub(super) fn post(&self, path: &str) -> Result<Answer, String> {
        let request = self.agent.post(url(path)).config();
        let request = request.timeout_global(Some(SHORT)).build();
        answer(request.send_empty())
    }

    /// Has something done that takes as long as it takes.
    pub(super) fn begin(&self, path: &str) -> Result<Answer, String> {
        answer(self.agent.post(url(path)).send_empty())
    }

    /// Has something removed.
    pub(super) fn delete(&self, path: &str) -> Result<Answer, String> {
        let request = self.agent.delete(url(path)).config();
        let request = request.timeout_global(Some(SHORT)).build();
        answer(request.call())
    }
}

impl Answer {
    /// A header, in small letters.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.response.headers().get(name)?.to_str().ok()
    }

    /// The JSON documents of the body, one after the other, as they come.
    pub(super) fn documents(self) -> impl Iterator<Item = Result<Value, String>> {
        let body = self.response.into_body().into_reader().take(LONGEST);
        let documents = serde_json::Deserializer::from_reader(BufReader::new(body));
        let documents = documents.into_iter::<Value>();
        documents.map(|document| document.map_err(|error| error.to_string()))
    }

    /// What an answer of another status than the wanted one says.
    pub(super) fn complaint(self) -> String {
        let status = self.status;
        let first = self.documents().next().and_then(Result::ok);
        let message = first.as_ref().and_then(|error| {
            let message = error["message"].as_str();
            message.or_else(|| error["cause"].as_str())
        });
        match message {
            Some(message) => message.trim().to_owned(),
            None => format!("it answered with status {status}"),
        }
    }
}

/// The host is never looked up; engines want one.
fn url(path: &str) -> String {
    format!("http://localhost{path}")
}

fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let response = result.map_err(|error| match error {
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    })?;
    Ok(Answer {
        status: response.status().as_u16(),
        response,
    })
}

/// Finds no addresses: there is a path.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(
        &self,
        _: &ureq::http::Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        Ok(self.empty())
    }
}

/// Connects to the socket at a path.
#[derive(Debug)]
struct ToSocket(PathBuf);

impl Connector for ToSocket {
    type Out = UnixTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let (input, output) = (
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(UnixTransport {
            stream: UnixStream::connect(&self.0)?,
            buffers: LazyBuffers::new(input, output),
        }))
    }
}

/// One connection.
struct UnixTransport {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl std::fmt::Debug for UnixTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnixTransport").finish_non_exhaustive()
    }
}

impl Transport for UnixTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let wait = timeout.not_zero().map(|wait| *wait);
        self.stream.set_write_timeout(wait)?;
        let output = &self.buffers.output()[..amount];
        let written = self.stream.write_all(output);
        written.map_err(|error| in_time(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let wait = timeout.not_zero().map(|wait| *wait);
        self.stream.set_read_timeout(wait)?;
        let input = self.buffers.input_append_buf();
        let read = loop {
            match self.stream.read(input) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let read = read.map_err(|error| in_time(error, timeout))?;
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// No connection is used twice.
    fn is_open(&mut self) -> bool {
        false
    }
}

fn in_time(error: io::Error, timeout: NextTimeout) -> ureq::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}
