//! A client of `imgc serve` that says what the test wants, and `imgc serve` itself.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command};
use std::time::Duration;

use imgc_tests::sandbox::{Outcome, Sandbox};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header of the answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks an error's status and code, and gives its message.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("Content-Type"), Some("application/json"));
        let error = &self.json()["errors"][0];
        assert_eq!(error["code"], code, "{error}");
        error["message"].as_str().expect("a message").to_owned()
    }

    pub(crate) fn digest(&self) -> String {
        digest(&self.body)
    }
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Sends the text of a request, and reads to the end of the connection.
#[track_caller]
pub(crate) fn send(address: &str, request: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let patience = Some(Duration::from_secs(120));
    stream.set_read_timeout(patience).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("it answers");
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(&bytes)));
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.expect("a status"),
        body: bytes.split_off(end + 4),
        head,
    }
}

#[track_caller]
pub(crate) fn ask(address: &str, method: &str, target: &str, headers: &str) -> Answer {
    let end = "Connection: close\r\n\r\n";
    send(
        address,
        &format!("{method} {target} HTTP/1.1\r\nHost: {address}\r\n{headers}{end}"),
    )
}

#[track_caller]
pub(crate) fn get(address: &str, target: &str) -> Answer {
    ask(address, "GET", target, "")
}

/// `imgc serve`, until this is dropped.
pub(crate) struct Serving {
    child: Option<Child>,
    pub(crate) address: String,
}

impl Serving {
    /// Serves the sandbox's project at a free port.
    #[track_caller]
    pub(crate) fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let run = sandbox.run().args(&["serve", "--listen", "127.0.0.1:0"]);
        Self::of(run.args(args).spawn())
    }

    /// A server that was started.
    #[track_caller]
    pub(crate) fn of(mut child: Child) -> Self {
        let stdout = child.stdout.as_mut().expect("a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("a line");
        let mut this = Self {
            child: Some(child),
            address: line.trim_end().to_owned(),
        };
        assert!(
            this.address.contains(':'),
            "no address: {:?}",
            this.end("KILL")
        );
        this
    }

    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> Answer {
        get(&self.address, target)
    }

    /// The manifest of a repository's tag, or digest.
    #[track_caller]
    pub(crate) fn manifest(&self, name: &str, version: &str) -> Answer {
        self.get(&format!("/v2/{name}/manifests/{version}"))
    }

    /// Ends it by a signal.
    #[track_caller]
    pub(crate) fn end(&mut self, signal: &str) -> Outcome {
        let child = self.child.take().expect("it runs");
        let mut kill = Command::new("kill");
        kill.args(["-s", signal, &child.id().to_string()]);
        assert!(kill.status().expect("kill can be started").success());
        let output = child.wait_with_output().expect("it ends");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
