//! How bytes come from outside: a trait that the binary implements.
//!
//! Nothing here trusts what arrives. Whoever asked checks length and digest.

use std::fmt;
use std::io::Read;

/// Brings bytes from an address. Implementations are shared between threads.
pub trait Transport: Sync {
    /// Opens `url`, from its byte `from` on where the server can do that.
    ///
    /// # Errors
    /// [`TransportError`]. Failures while reading come as errors of the body.
    fn get(&self, url: &str, from: u64) -> Result<Response, TransportError>;

    /// Waits before the try that follows `failed` failed ones (1, 2, …).
    fn wait(&self, failed: u32);
}

/// An answer whose body has not been read yet.
pub struct Response {
    /// The bytes, from `start` on.
    pub body: Box<dyn Read + Send>,
    /// Where the body begins: what was asked for, or 0 where the server sends all.
    pub start: u64,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("start", &self.start)
            .finish_non_exhaustive()
    }
}

/// Why nothing came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There is no such file (404, 410; for a folder, no such file in it).
    #[error("not found")]
    NotFound,
    /// The server answered with another status.
    #[error("the server answered {0}")]
    Status(u16),
    /// No connection, or it broke.
    #[error("{0}")]
    Connection(String),
    /// The network is not to be used.
    #[error("the network is switched off (--offline)")]
    Offline,
}

impl TransportError {
    /// Whether the same request may go well a moment later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Connection(_) => true,
            Self::Status(status) => matches!(status, 408 | 425 | 429 | 500..=599),
            Self::NotFound | Self::Offline => false,
        }
    }
}
