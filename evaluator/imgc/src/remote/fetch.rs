//! Bytes of a module from the network, by HTTP or from a registry. Every address on the
//! way is checked; nothing is pinned or kept here.

use std::collections::BTreeMap;

use imgc_apt::LockedModule;
use imgc_oci::{ArtifactReference, PullError, RegistryAnswer, RegistryTransport};
use imgc_store::BlobDigest;

use super::{MAX_MODULE, address};
use crate::network::Network;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// How many tries an address gets while it fails in a way that may pass.
const TRIES: u32 = 3;

/// The bytes that stand at `address` now. With a pin, a registry is asked for just those.
///
/// # Errors
/// Why they can't be had, in words for the user.
pub(super) fn fetch(
    network: &Network,
    address: &str,
    pin: Option<&LockedModule>,
) -> Result<Vec<u8>, String> {
    if address.starts_with("oci://") {
        return pull(network, address, pin);
    }
    let answer = get(network, address, &[], MAX_MODULE)?;
    match answer.status {
        200 if answer.body.len() as u64 > MAX_MODULE => Err(too_large()),
        200 => Ok(answer.body),
        404 | 410 => Err("the server has no such file".to_owned()),
        status => Err(format!("the server answered {status}")),
    }
}

fn too_large() -> String {
    format!("it is larger than {} MiB", MAX_MODULE >> 20)
}

fn pull(network: &Network, address: &str, pin: Option<&LockedModule>) -> Result<Vec<u8>, String> {
    let reference: ArtifactReference = address
        .parse()
        .map_err(|error: imgc_oci::ReferenceError| error.to_string())?;
    let transport = Registry(network);
    if let Some(pin) = pin {
        // A tag may have moved on; the bytes that are pinned may still be there.
        let digest = BlobDigest::from_bytes(*pin.sha256.as_bytes());
        match imgc_oci::pull_blob(&transport, &reference, &digest, pin.size) {
            Err(PullError::NotFound { .. }) => {}
            found => return found.map_err(|error| error.to_string()),
        }
    }
    let layer = imgc_oci::pull_layer(&transport, &reference, MAX_MODULE);
    match layer {
        Ok(layer) => Ok(layer.bytes),
        Err(PullError::TooLarge { .. }) => Err(too_large()),
        Err(error) => Err(error.to_string()),
    }
}

/// The network as a registry's client sees it.
struct Registry<'a>(&'a Network);

impl RegistryTransport for Registry<'_> {
    fn get(
        &self,
        url: &str,
        headers: &[(&str, String)],
        limit: u64,
    ) -> Result<RegistryAnswer, String> {
        get(self.0, url, headers, limit)
    }
}

/// An answer, redirects followed, tried again where that may help.
fn get(
    network: &Network,
    url: &str,
    headers: &[(&str, String)],
    limit: u64,
) -> Result<RegistryAnswer, String> {
    let mut failed = 0;
    loop {
        let answer = follow(network, url, headers, limit);
        let passing = match &answer {
            Ok(answer) => matches!(answer.status, 408 | 425 | 429 | 500..=599),
            Err(Miss::Connection(_)) => true,
            Err(Miss::Final(_)) => false,
        };
        failed += 1;
        if !passing || failed == TRIES {
            return answer.map_err(|(Miss::Connection(why) | Miss::Final(why))| why);
        }
        imgc_build::Transport::wait(network, failed);
    }
}

enum Miss {
    /// The network failed, perhaps not the next time.
    Connection(String),
    /// No further try would help.
    Final(String),
}

fn follow(
    network: &Network,
    url: &str,
    headers: &[(&str, String)],
    limit: u64,
) -> Result<RegistryAnswer, Miss> {
    let mut url = url.to_owned();
    let mut headers = headers.to_vec();
    for _ in 0..=MAX_REDIRECTS {
        address::check(&url).map_err(Miss::Final)?;
        if network.is_offline() {
            return Err(Miss::Final("the network is switched off".to_owned()));
        }
        let answer = network.once(&url, &headers, limit);
        let (status, answer_headers, body) = answer.map_err(Miss::Connection)?;
        let moved = matches!(status, 301 | 302 | 303 | 307 | 308);
        let location: Option<&String> = answer_headers.get("location").filter(|_| moved);
        let Some(location) = location else {
            return Ok(RegistryAnswer {
                status,
                headers: answer_headers,
                body,
            });
        };
        let next = address::redirect(&url, location);
        let next = next.ok_or_else(|| Miss::Final("it redirects to nowhere".to_owned()))?;
        address::check(&next)
            .map_err(|why| Miss::Final(format!("it redirects to {next}, and {why}")))?;
        if !address::same_origin(&url, &next) {
            headers.retain(|(name, _)| *name != "authorization");
        }
        url = next;
    }
    Err(Miss::Final(format!(
        "it redirects more than {MAX_REDIRECTS} times"
    )))
}

/// The headers of an answer by their names in small letters; of several of one name, the
/// first.
pub(crate) fn headers_of(headers: &ureq::http::HeaderMap) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            found
                .entry(name.as_str().to_owned())
                .or_insert_with(|| value.to_owned());
        }
    }
    found
}
