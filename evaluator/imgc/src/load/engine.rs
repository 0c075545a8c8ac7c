//! What is asked of an engine, in podman's own API or in docker's: pull an image from
//! this machine, name it, forget where it came from.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cli::Engine as Kind;
use crate::describe::Problem;

use super::names::Name;
use super::socket::{Answer, Socket};

/// An engine that answers.
#[derive(Debug)]
pub(super) struct Engine {
    kind: Kind,
    /// What stands before every path: `/v4.3.1/libpod`.
    prefix: String,
    socket: Socket,
}

impl Engine {
    /// Asks who is there.
    ///
    /// # Errors
    /// Nobody who speaks this API.
    pub(super) fn hello(socket: Socket) -> Result<Self, Problem> {
        let answer = socket
            .get("/_ping")
            .map_err(|error| Problem::new(format!("the engine does not answer: {error}")))?;
        let version = |header: &str| {
            let version = answer.header(header)?;
            let plain = |b: u8| b.is_ascii_digit() || b == b'.';
            let is_version = !version.is_empty() && version.bytes().all(plain);
            is_version.then(|| version.to_owned())
        };
        let podman = answer.header("libpod-api-version").map(|version| {
            // `5.0.0-dev` speaks as 5.0.0 does.
            version.split('-').next().unwrap_or_default().to_owned()
        });
        let (kind, prefix) = match (podman, version("api-version")) {
            (Some(podman), _) if podman.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
                (Kind::Podman, format!("/v{podman}/libpod"))
            }
            (_, Some(docker)) if answer.status == 200 => (Kind::Docker, format!("/v{docker}")),
            _ => {
                let message = "what answers at the socket is neither podman nor docker";
                return Err(Problem::new(message));
            }
        };
        Ok(Self {
            kind,
            prefix,
            socket,
        })
    }

    /// Which one it is.
    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// Has it pull `from`, which has no host but this one, and gives the name that the
    /// image can be spoken of by. `note` is told how it goes.
    pub(super) fn pull(&self, from: &Name, note: &dyn Fn(&str)) -> Result<String, Problem> {
        let path = match self.kind {
            Kind::Podman => format!(
                "{}/images/pull?reference={}&tlsVerify=false&policy=always",
                self.prefix,
                from.in_query()
            ),
            Kind::Docker => format!(
                "{}/images/create?fromImage={}&tag={}",
                self.prefix,
                from.repository_in_query(),
                from.tag
            ),
        };
        let answer = self
            .socket
            .begin(&path)
            .map_err(|error| self.broken(&error))?;
        if answer.status != 200 {
            return Err(self.refuses(answer));
        }
        let mut said = Said::default();
        for document in answer.documents() {
            let document = document.map_err(|error| self.broken(&error))?;
            if let Some(line) = said.hear(&document) {
                note(&line);
            }
        }
        match (said.error, self.kind, said.id) {
            (Some(error), ..) => Err(self.says(&error)),
            (None, Kind::Podman, Some(id)) => Ok(id),
            (None, Kind::Podman, None) => Err(self.says("the pull came to no image")),
            (None, Kind::Docker, _) => Ok(from.to_string()),
        }
    }

    /// Gives `image` a name.
    pub(super) fn tag(&self, image: &str, name: &Name) -> Result<(), Problem> {
        let path = format!(
            "{}/images/{image}/tag?repo={}&tag={}",
            self.prefix,
            name.repository_in_query(),
            name.tag
        );
        self.done(self.socket.post(&path))
    }

    /// Takes the name away that it was pulled by.
    pub(super) fn untag(&self, image: &str, name: &Name) -> Result<(), Problem> {
        match self.kind {
            Kind::Podman => {
                let path = format!(
                    "{}/images/{image}/untag?repo={}&tag={}",
                    self.prefix,
                    name.repository_in_query(),
                    name.tag
                );
                self.done(self.socket.post(&path))
            }
            Kind::Docker => {
                let path = format!("{}/images/{name}?noprune=true", self.prefix);
                self.done(self.socket.delete(&path))
            }
        }
    }

    fn done(&self, answer: Result<Answer, String>) -> Result<(), Problem> {
        let answer = answer.map_err(|error| self.broken(&error))?;
        match answer.status {
            200..=299 => Ok(()),
            _ => Err(self.refuses(answer)),
        }
    }

    fn refuses(&self, answer: Answer) -> Problem {
        self.says(&answer.complaint())
    }

    fn says(&self, error: &str) -> Problem {
        let name = self.name();
        let problem = Problem::new(format!("{name} can't take the image: {error}"));
        let is_unreachable = ["connection refused", "no route", "network is unreachable"]
            .iter()
            .any(|words| error.contains(words));
        if is_unreachable {
            problem.help(
                "the engine does not reach this machine's loopback: it runs in a virtual machine \
                 or in a network of its own. `imgc build` and push the layout to a registry",
            )
        } else if error.contains("zstd") || error.contains("invalid tar header") {
            problem.help(
                "docker reads layers in zstd since version 23: for older ones, say \
                 `layers = { compression = \"gzip\"; }` in the image",
            )
        } else {
            problem
        }
    }

    fn broken(&self, error: &str) -> Problem {
        Problem::new(format!("{} broke off: {error}", self.name()))
    }

    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Podman => "podman",
            Kind::Docker => "docker",
        }
    }
}

/// What an engine said of a pull.
#[derive(Debug, Default)]
struct Said {
    id: Option<String>,
    error: Option<String>,
    /// Docker's last word about each layer: it tells of every piece that comes.
    layers: BTreeMap<String, String>,
}

impl Said {
    /// Takes one document, and gives a line for people.
    fn hear(&mut self, document: &Value) -> Option<String> {
        let text = |key: &str| document[key].as_str().map(str::to_owned);
        if let Some(error) = text("error").filter(|error| !error.is_empty()) {
            self.error.get_or_insert(error);
            return None;
        }
        if let Some(line) = text("stream") {
            return Some(line.trim_end().to_owned());
        }
        if let Some(status) = text("status") {
            let layer = text("id")?;
            if self.layers.len() > 10_000 || self.layers.get(&layer) == Some(&status) {
                return None;
            }
            let line = format!("{layer}: {status}");
            self.layers.insert(layer, status);
            return Some(line);
        }
        if let Some(id) = text("id") {
            let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit());
            self.id = is_id.then_some(id);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hears_podman_and_docker() {
        let mut said = Said::default();
        let mut hear = |document: Value| said.hear(&document);
        let line = hear(json!({ "stream": "Copying blob\n" }));
        assert_eq!(line.as_deref(), Some("Copying blob"));
        let pulling = json!({ "status": "Downloading", "id": "ab", "progressDetail": {} });
        assert_eq!(hear(pulling.clone()).as_deref(), Some("ab: Downloading"));
        assert_eq!(hear(pulling), None, "not every piece");
        assert_eq!(hear(json!({ "status": "Digest: sha256:00" })), None);
        assert_eq!(hear(json!({ "images": ["ab12"], "id": "ab12" })), None);
        assert_eq!(hear(json!({ "error": "no", "errorDetail": {} })), None);
        assert_eq!(hear(json!({ "id": "../x" })), None);
        assert_eq!(said.error.as_deref(), Some("no"));
        assert_eq!(said.id, None, "the last one is no id");
    }
}
