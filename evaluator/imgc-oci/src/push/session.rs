//! One repository of a registry, and who asks it: logs in where it is demanded, and tries
//! again where that may help. It knows no blobs.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::{Mutex, PoisonError};

use imgc_store::BlobDigest;
use serde::Deserialize;

use crate::auth::{self, Demand};
use crate::pull::RegistryAnswer;

use super::{Destination, OpenAnswer, PushError, PushRequest, PushTransport};

/// How many tries a request gets while it fails in a way that may pass.
const TRIES: u32 = 5;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// The longest that a registry may ask to wait, in seconds.
const MAX_WAIT: u64 = 60;

/// How much of what a registry says of an error is shown, in characters.
const SHOWN: usize = 300;

/// The largest answer that is read of a token's server, in bytes.
const MAX_DOCUMENT: usize = 4 * 1024 * 1024;

/// A repository.
pub(crate) struct Session<'a> {
    pub(super) transport: &'a dyn PushTransport,
    to: Destination,
    /// `https://HOST`
    origin: String,
    /// Whether nothing is to be sent.
    reads: bool,
    /// The header `authorization` that a challenge led to.
    login: Mutex<Option<String>>,
}

impl<'a> Session<'a> {
    pub(super) fn new(transport: &'a dyn PushTransport, to: &Destination) -> Self {
        let scheme = if to.plain { "http" } else { "https" };
        Self {
            transport,
            to: to.clone(),
            origin: format!("{scheme}://{}", to.reference.host),
            reads: false,
            login: Mutex::new(None),
        }
    }

    /// For one who only reads.
    pub(crate) fn reading(transport: &'a dyn PushTransport, from: &Destination) -> Self {
        Self {
            reads: true,
            ..Self::new(transport, from)
        }
    }

    /// What is asked.
    pub(crate) fn of(&self) -> &Destination {
        &self.to
    }

    /// The answer to a GET, redirects followed, with a login where the registry wants one:
    /// no other host is shown it. A status that may pass is tried again.
    pub(crate) fn open(
        &self,
        url: &str,
        headers: &[(&str, String)],
    ) -> Result<OpenAnswer, PushError> {
        let mut failed = 0;
        loop {
            let answer = self.open_once(url, headers);
            failed += 1;
            let seconds = match &answer {
                Ok(answer) if is_passing(answer.status) => wanted_wait(&answer.headers),
                Err(PushError::Transport { .. }) => 0,
                _ => return answer,
            };
            if failed == TRIES {
                return answer;
            }
            self.transport.wait(failed, seconds.min(MAX_WAIT));
        }
    }

    fn open_once(&self, url: &str, headers: &[(&str, String)]) -> Result<OpenAnswer, PushError> {
        let mut url = url.to_owned();
        let mut asked = false;
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.open_as(&url, headers, self.login().as_deref())?;
            match answer.status {
                401 if self.is_own(&url) && !asked => {
                    asked = true;
                    let challenge = answer.headers.get("www-authenticate");
                    let challenge = challenge.ok_or_else(|| self.refused())?;
                    let login = self.log_in(challenge)?;
                    *self.login.lock().unwrap_or_else(PoisonError::into_inner) = Some(login);
                }
                401 | 403 => return Err(self.refused()),
                301 | 302 | 303 | 307 | 308 => {
                    let what = "a redirect";
                    url = location(&answer.headers, &url, what)?;
                }
                _ => return Ok(answer),
            }
        }
        Err(PushError::Answer {
            what: url,
            reason: format!("more than {MAX_REDIRECTS} redirects"),
        })
    }

    fn open_as(
        &self,
        url: &str,
        headers: &[(&str, String)],
        login: Option<&str>,
    ) -> Result<OpenAnswer, PushError> {
        let mut all = headers.to_vec();
        if let Some(login) = login.filter(|_| self.is_own(url)) {
            all.push(("authorization", login.to_owned()));
        }
        let answer = self.transport.open(url, &all);
        answer.map_err(|reason| PushError::Transport {
            url: url.to_owned(),
            reason,
        })
    }

    /// Waits before another try: after so many failures.
    pub(crate) fn wait(&self, failed: u32) {
        self.transport.wait(failed, 0);
    }

    /// The address of something in the repository: `blobs/uploads/`.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/v2/{}/{path}", self.origin, self.to.reference.name)
    }

    /// Whether a tag names this manifest or index already.
    pub(super) fn names(
        &self,
        tag: &str,
        digest: &BlobDigest,
        media_type: &str,
    ) -> Result<bool, PushError> {
        let url = self.url(&format!("manifests/{tag}"));
        let headers = [("accept", media_type.to_owned())];
        let answer = self.tried("HEAD", &url, &headers)?;
        let named = answer.headers.get("docker-content-digest");
        Ok(answer.status == 200 && named.is_some_and(|named| *named == digest.to_string()))
    }

    /// Puts a manifest or an index under a tag or its digest: all or nothing.
    pub(super) fn put_manifest(
        &self,
        name: &str,
        manifest: &[u8],
        media_type: &str,
    ) -> Result<(), PushError> {
        let what = format!("the manifest of {}", self.to.reference);
        let url = self.url(&format!("manifests/{name}"));
        let headers = [("content-type", media_type.to_owned())];
        let answer = self.again(|| {
            let mut body = manifest;
            let length = manifest.len() as u64;
            self.send("PUT", &url, &headers, Some((length, &mut body)))
        })?;
        self.expect(&answer, &[201], &what)?;
        self.check_digest(&answer, &BlobDigest::of(manifest), &what)
    }

    /// A request without a body, tried again where that may help.
    pub(super) fn tried(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&str, String)],
    ) -> Result<RegistryAnswer, PushError> {
        self.again(|| self.send(method, url, headers, None))
    }

    /// Does something until it no longer fails in a way that may pass.
    fn again(
        &self,
        mut what: impl FnMut() -> Result<RegistryAnswer, PushError>,
    ) -> Result<RegistryAnswer, PushError> {
        let mut failed = 0;
        loop {
            let answer = what();
            failed += 1;
            if failed == TRIES || !self.may_pass(&answer, failed) {
                return answer;
            }
        }
    }

    /// Whether another try may help: then that is after a while.
    pub(super) fn may_pass(&self, answer: &Result<RegistryAnswer, PushError>, failed: u32) -> bool {
        let seconds = match answer {
            Ok(answer) if is_passing(answer.status) => wanted_wait(&answer.headers),
            Err(PushError::Transport { .. }) => 0,
            _ => return false,
        };
        self.transport.wait(failed, seconds.min(MAX_WAIT));
        true
    }

    /// One request, and once more with a login where the registry wants one: unless it has a
    /// body, which is not here a second time.
    pub(super) fn send(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&str, String)],
        body: Option<(u64, &mut dyn Read)>,
    ) -> Result<RegistryAnswer, PushError> {
        let has_body = body.is_some();
        let before = self.login();
        let answer = self.once(method, url, headers, body, before.as_deref())?;
        if answer.status != 401 || !self.is_own(url) {
            return Ok(answer);
        }
        let challenge = answer.headers.get("www-authenticate");
        let challenge = challenge.ok_or_else(|| self.refused())?;
        let login = self.log_in(challenge)?;
        if before.as_ref() == Some(&login) {
            return Err(self.refused());
        }
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = Some(login.clone());
        if has_body {
            // A token has run out: the caller sends the bytes again.
            return Err(PushError::Transport {
                url: url.to_owned(),
                reason: "the login has run out".to_owned(),
            });
        }
        let answer = self.once(method, url, headers, None, Some(&login))?;
        match answer.status {
            401 | 403 => Err(self.refused()),
            _ => Ok(answer),
        }
    }

    fn login(&self) -> Option<String> {
        let login = self.login.lock().unwrap_or_else(PoisonError::into_inner);
        login.clone()
    }

    /// Whether an address is the registry's own: no other host is shown who asks.
    fn is_own(&self, url: &str) -> bool {
        url.strip_prefix(&self.origin)
            .is_some_and(|rest| rest.starts_with('/'))
    }

    fn once(
        &self,
        method: &'static str,
        url: &str,
        headers: &[(&str, String)],
        body: Option<(u64, &mut dyn Read)>,
        login: Option<&str>,
    ) -> Result<RegistryAnswer, PushError> {
        let mut all = headers.to_vec();
        if let Some(login) = login.filter(|_| self.is_own(url)) {
            all.push(("authorization", login.to_owned()));
        }
        let request = PushRequest {
            method,
            url,
            headers: &all,
            body: body.map(|(length, body)| (length, body as &mut dyn Read)),
        };
        let answer = self.transport.send(request);
        answer.map_err(|reason| PushError::Transport {
            url: url.to_owned(),
            reason,
        })
    }

    /// The header `authorization` that a challenge asks for.
    fn log_in(&self, challenge: &str) -> Result<String, PushError> {
        let actions = if self.reads { "pull" } else { "pull,push" };
        let mut scopes = vec![format!("repository:{}:{actions}", self.to.reference.name)];
        let others = self.to.others.iter();
        scopes.extend(others.map(|name| format!("repository:{name}:pull")));
        let credentials = self.to.credentials.as_ref();
        let url = match auth::demand(challenge, &scopes) {
            Some(Demand::Password) => {
                return credentials
                    .map(auth::Credentials::basic)
                    .ok_or_else(|| self.refused());
            }
            Some(Demand::Token(url)) if !self.to.plain && url.starts_with("http://") => {
                let reason = "its server of tokens is asked without encryption";
                return Err(PushError::Challenge(reason.to_owned()));
            }
            Some(Demand::Token(url)) => url,
            None => {
                let shown = challenge.chars().take(SHOWN).collect();
                return Err(PushError::Challenge(shown));
            }
        };
        let headers: Vec<(&str, String)> = credentials
            .map(|credentials| ("authorization", credentials.basic()))
            .into_iter()
            .collect();
        let answer = self.again(|| {
            let request = PushRequest {
                method: "GET",
                url: &url,
                headers: &headers,
                body: None,
            };
            let answer = self.transport.send(request);
            answer.map_err(|reason| PushError::Transport {
                url: url.clone(),
                reason,
            })
        })?;
        if answer.status != 200 || answer.body.len() > MAX_DOCUMENT {
            return Err(self.refused());
        }
        auth::bearer(&answer.body).ok_or_else(|| self.refused())
    }

    fn refused(&self) -> PushError {
        let who = self.to.credentials.as_ref();
        PushError::Unauthorized {
            act: if self.reads { "read" } else { "push to" },
            host: self.to.reference.host.clone(),
            name: self.to.reference.name.clone(),
            who: match who {
                Some(credentials) => format!("`{}`", credentials.user),
                None => "anybody without a login".to_owned(),
            },
        }
    }

    /// The address that an answer names, from the repository's own.
    pub(super) fn location(
        &self,
        answer: &RegistryAnswer,
        what: &str,
    ) -> Result<String, PushError> {
        location(&answer.headers, &self.origin, what)
    }

    /// Makes sure that an answer has one of these statuses.
    pub(super) fn expect(
        &self,
        answer: &RegistryAnswer,
        wanted: &[u16],
        what: &str,
    ) -> Result<(), PushError> {
        match answer.status {
            status if wanted.contains(&status) => Ok(()),
            401 | 403 => Err(self.refused()),
            status => Err(PushError::Status {
                what: what.to_owned(),
                status,
                message: message(&answer.body),
            }),
        }
    }

    /// Makes sure that an answer names no other digest than this.
    pub(super) fn check_digest(
        &self,
        answer: &RegistryAnswer,
        digest: &BlobDigest,
        what: &str,
    ) -> Result<(), PushError> {
        match answer.headers.get("docker-content-digest") {
            Some(found) if *found != digest.to_string() => Err(PushError::Digest {
                what: what.to_owned(),
                found: found.chars().take(SHOWN).collect(),
            }),
            _ => Ok(()),
        }
    }
}

/// The address that an answer from `url` names.
fn location(
    headers: &BTreeMap<String, String>,
    url: &str,
    what: &str,
) -> Result<String, PushError> {
    let bad = |reason: &str| PushError::Answer {
        what: what.to_owned(),
        reason: reason.to_owned(),
    };
    let location = headers.get("location").ok_or_else(|| bad("no location"))?;
    let is_plain = location.bytes().all(|byte| byte.is_ascii_graphic());
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let host = rest.split('/').next().unwrap_or_default();
    match location {
        _ if !is_plain => Err(bad("a location that is no address")),
        location if scheme == "https" && location.starts_with("http://") => {
            Err(bad("a location without encryption"))
        }
        location if location.starts_with("//") => Ok(format!("{scheme}:{location}")),
        location if location.starts_with('/') => Ok(format!("{scheme}://{host}{location}")),
        location if location.starts_with("http") && location.contains("://") => {
            Ok(location.clone())
        }
        _ => Err(bad("a location that is no address")),
    }
}

/// Whether a status may be another the next time.
fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504)
}

/// How many seconds a registry asks to wait.
fn wanted_wait(headers: &BTreeMap<String, String>) -> u64 {
    let wanted = headers.get("retry-after");
    wanted
        .and_then(|wanted| wanted.trim().parse().ok())
        .unwrap_or(0)
}

/// The words of an error, as the specification has them; nothing where they are not there.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(Deserialize)]
    struct One {
        code: Option<String>,
        message: Option<String>,
    }
    let Ok(found) = serde_json::from_slice::<Errors>(body) else {
        return String::new();
    };
    let words = found.errors.into_iter().next().map(|one| {
        let words = [one.code, one.message];
        let words: Vec<String> = words.into_iter().flatten().collect();
        words.join(": ")
    });
    let words = words.unwrap_or_default();
    let shown = words.chars().filter(|c| !c.is_control());
    shown.take(SHOWN).collect()
}
