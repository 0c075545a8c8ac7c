//! The transport over HTTP(S) and local folders.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::time::Duration;

use imgc_build::{Response, Transport, TransportError};

/// How long one answer's body may take. A download that takes longer goes on with
/// a further request from where it stopped, so this bounds silence, not size.
const BODY: Duration = Duration::from_secs(120);

/// HTTP(S) by ureq and rustls, `file:` by the file system.
#[derive(Debug)]
pub(crate) struct Network {
    agent: ureq::Agent,
    /// Follows no redirect.
    single: ureq::Agent,
    offline: bool,
}

/// Status, headers by their names in small letters, and body.
pub(crate) type Answer = (u16, BTreeMap<String, String>, Vec<u8>);

impl Network {
    /// A transport that answers everything but `file:` with
    /// [`TransportError::Offline`] where `offline` is set.
    pub(crate) fn new(offline: bool) -> Self {
        let agent = |redirects| {
            ureq::Agent::config_builder()
                .http_status_as_error(false)
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
            agent: agent(5),
            single: agent(0),
            offline,
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
        let mut request = self.agent.get(url);
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
            416 if from > 0 => return self.get(url, 0),
            other => return Err(TransportError::Status(other)),
        };
        if status == 206 && !begins_at(&response, from) {
            return Err(TransportError::Connection(
                "the server sent another range".to_owned(),
            ));
        }
        Ok(Response {
            body: Box::new(response.into_body().into_reader()),
            start,
        })
    }

    fn wait(&self, failed: u32) {
        std::thread::sleep(Duration::from_millis(250 << failed.min(6)));
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
