//! Requests to a registry over HTTP(S). What is asked and answered, it does not know.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use imgc_oci::{OpenAnswer, PushRequest, PushTransport, RegistryAnswer};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::describe::{self, Problem};
use crate::remote::{address, headers_of};

/// How long a server may be silent, and how long it may take to make of a blob what it
/// makes.
const SILENCE: Duration = Duration::from_secs(120);

/// How many bytes of an answer are read.
const MAX_ANSWER: u64 = 4 * 1024 * 1024 + 1;

/// The largest file of certificates, in bytes.
const MAX_CERTIFICATES: u64 = 1024 * 1024;

/// A registry over HTTP(S) by ureq and rustls.
#[derive(Debug)]
pub(crate) struct Web {
    agent: ureq::Agent,
    offline: bool,
}

impl Web {
    /// Believes the system's authorities, or only those of a file in PEM.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(crate) fn new(offline: bool, authorities: Option<&Path>) -> Result<Self, Problem> {
        let roots = match authorities {
            Some(file) => certificates(file)?,
            None => RootCerts::PlatformVerifier,
        };
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(Duration::from_secs(15)))
            .timeout_per_read(Some(SILENCE))
            .timeout_per_write(Some(SILENCE))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .user_agent(concat!("imgc/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Self { agent, offline })
    }

    fn check(&self, url: &str) -> Result<(), String> {
        address::check(url)?;
        match self.offline {
            true => Err("the network is switched off".to_owned()),
            false => Ok(()),
        }
    }

    fn answer(&self, request: PushRequest<'_>) -> Result<RegistryAnswer, ureq::Error> {
        let mut head = ureq::http::Request::builder()
            .method(request.method)
            .uri(request.url);
        for (name, value) in request.headers {
            head = head.header(*name, value);
        }
        let response = match request.body {
            Some((length, body)) => {
                let head = head.header("content-length", length);
                // Never more than was promised.
                let mut body = body.take(length);
                self.agent
                    .run(head.body(ureq::SendBody::from_reader(&mut body))?)?
            }
            None if matches!(request.method, "GET" | "HEAD") => self.agent.run(head.body(())?)?,
            None => self.agent.run(head.body(&[][..])?)?,
        };
        let status = response.status().as_u16();
        let headers = headers_of(response.headers());
        let mut body = Vec::new();
        let reader = response.into_body().into_reader();
        reader.take(MAX_ANSWER).read_to_end(&mut body)?;
        Ok(RegistryAnswer {
            status,
            headers,
            body,
        })
    }
}

impl PushTransport for Web {
    fn send(&self, request: PushRequest<'_>) -> Result<RegistryAnswer, String> {
        self.check(request.url)?;
        self.answer(request).map_err(|error| error.to_string())
    }

    fn open(&self, url: &str, headers: &[(&str, String)]) -> Result<OpenAnswer, String> {
        self.check(url)?;
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.call().map_err(|error| error.to_string())?;
        Ok(OpenAnswer {
            status: response.status().as_u16(),
            headers: headers_of(response.headers()),
            body: Box::new(response.into_body().into_reader()),
        })
    }

    fn wait(&self, failed: u32, seconds: u64) {
        let least = Duration::from_millis(250 << failed.min(5));
        std::thread::sleep(least.max(Duration::from_secs(seconds)));
    }
}

/// The certificates of a file.
#[expect(clippy::disallowed_methods, reason = "the user names the file")]
fn certificates(path: &Path) -> Result<RootCerts, Problem> {
    let read = |error| describe::disk("read", path, &error);
    let file = std::fs::File::open(path).map_err(read)?;
    let mut text = Vec::new();
    let taken = file.take(MAX_CERTIFICATES).read_to_end(&mut text);
    taken.map_err(read)?;
    let items: Result<Vec<PemItem<'static>>, ureq::Error> = parse_pem(&text).collect();
    let items = items
        .map_err(|error| Problem::new(format!("{} is not in PEM: {error}", path.display())))?;
    let found: Vec<_> = items
        .into_iter()
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        let message = format!("there is no certificate in {}", path.display());
        return Err(Problem::new(message).help("it begins with `-----BEGIN CERTIFICATE-----`"));
    }
    Ok(RootCerts::Specific(Arc::new(found)))
}
