//! Where an engine's socket is: said on the command line or in the environment, or where
//! podman and docker have it.

use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use crate::cli::Engine;
use crate::describe::{self, Problem};

/// What the environment says, as far as it matters.
#[derive(Debug, Default, Clone)]
pub(super) struct Surroundings {
    /// `CONTAINER_HOST`.
    pub(super) container_host: Option<String>,
    /// `DOCKER_HOST`.
    pub(super) docker_host: Option<String>,
    /// `XDG_RUNTIME_DIR`.
    pub(super) runtime: Option<PathBuf>,
}

/// The socket to ask. One that was named has to be there; of the usual ones, the first
/// that answers is taken.
///
/// # Errors
/// What was looked at, and how to start an engine.
pub(super) fn socket(
    given: Option<&Path>,
    engine: Option<Engine>,
    around: &Surroundings,
) -> Result<PathBuf, Problem> {
    if let Some(path) = given {
        return opened(path, "--socket").map(|()| path.to_owned());
    }
    let wants = |one: Engine| engine.is_none_or(|engine| engine == one);
    for (variable, value, one) in [
        ("CONTAINER_HOST", &around.container_host, Engine::Podman),
        ("DOCKER_HOST", &around.docker_host, Engine::Docker),
    ] {
        if let Some(value) = value
            .as_ref()
            .filter(|value| wants(one) && !value.is_empty())
        {
            let path = path_of(variable, value)?;
            return opened(&path, variable).map(|()| path);
        }
    }
    let mut looked = Vec::new();
    let mut candidates = Vec::new();
    if wants(Engine::Podman) {
        let runtime = around.runtime.iter();
        candidates.extend(runtime.map(|folder| folder.join("podman/podman.sock")));
        candidates.push(PathBuf::from("/run/podman/podman.sock"));
    }
    if wants(Engine::Docker) {
        candidates.push(PathBuf::from("/var/run/docker.sock"));
    }
    for path in candidates {
        match UnixStream::connect(&path) {
            Ok(_) => return Ok(path),
            Err(error) => {
                looked.push(format!("{}: {}", path.display(), describe::plain(&error)));
            }
        }
    }
    let which = match engine {
        None => "no container engine answers",
        Some(Engine::Podman) => "podman does not answer",
        Some(Engine::Docker) => "docker does not answer",
    };
    let mut problem = Problem::new(which);
    for line in looked {
        problem = problem.note(line);
    }
    Err(problem.help(start(engine)))
}

/// How an engine is started: imgc itself starts nothing.
fn start(engine: Option<Engine>) -> &'static str {
    match engine {
        Some(Engine::Docker) => {
            "start it, `systemctl start docker`, or name its socket with --socket or DOCKER_HOST"
        }
        _ => {
            "start podman's socket, `systemctl --user start podman.socket` or `podman system \
             service --time=0 unix:///PATH`, or docker; another place is named with --socket"
        }
    }
}

fn opened(path: &Path, said: &str) -> Result<(), Problem> {
    let Err(error) = UnixStream::connect(path) else {
        return Ok(());
    };
    let message = format!(
        "the engine's socket {} can't be used: {}",
        path.display(),
        describe::plain(&error)
    );
    let problem = Problem::new(message).note(format!("it is named by {said}"));
    Err(match error.kind() {
        ErrorKind::PermissionDenied => problem.help(
            "the engine is another user's: use podman as yourself, or have its owner let you in",
        ),
        _ => problem.help(start(None)),
    })
}

/// The path in `unix:///run/podman/podman.sock`.
fn path_of(variable: &str, value: &str) -> Result<PathBuf, Problem> {
    match value.strip_prefix("unix://") {
        Some(path) if path.starts_with('/') => Ok(PathBuf::from(path)),
        _ => {
            let message = format!("{variable} is `{value}`, and no unix socket");
            let problem = Problem::new(message)
                .note("the engine fetches from imgc, so that it has to be on this machine");
            Err(problem.help(
                "name a socket with --socket PATH; for an engine elsewhere, `imgc build` and \
                 push the layout to a registry",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "tests make folders")]
    fn what_is_named_goes_before_what_is_usual() {
        let folder = tempfile::tempdir().expect("a folder");
        let socket_at = |name: &str| {
            let path = folder.path().join(name);
            std::mem::forget(UnixListener::bind(&path).expect("a socket"));
            path
        };
        let (podman, docker) = (socket_at("p"), socket_at("d"));
        let host = |path: &Path| Some(format!("unix://{}", path.display()));
        let around = Surroundings {
            container_host: host(&podman),
            docker_host: host(&docker),
            runtime: None,
        };
        let found = |engine| socket(None, engine, &around).ok();
        assert_eq!(found(None), Some(podman.clone()));
        assert_eq!(found(Some(Engine::Docker)), Some(docker.clone()));
        assert_eq!(
            socket(Some(&docker), Some(Engine::Podman), &around).ok(),
            Some(docker)
        );

        let runtime = folder.path().join("runtime");
        let usual = Surroundings {
            runtime: Some(runtime),
            ..Surroundings::default()
        };
        let find = || socket(None, Some(Engine::Podman), &usual);
        // Whether the machine that runs this has one of its own, nobody knows.
        if let Err(problem) = find() {
            assert!(problem.notes[0].contains("runtime/podman/podman.sock"));
            let help = problem.help.expect("what to do");
            assert!(
                help.contains("systemctl --user start podman.socket"),
                "{help}"
            );
        }
        std::fs::create_dir_all(folder.path().join("runtime/podman")).expect("a folder");
        let own = socket_at("runtime/podman/podman.sock");
        assert_eq!(find().ok(), Some(own));
    }

    #[test]
    fn an_engine_elsewhere_is_refused() {
        for host in [
            "ssh://user@host/run/p.sock",
            "tcp://10.0.0.1:2375",
            "unix://p.sock",
        ] {
            let around = Surroundings {
                container_host: Some(host.to_owned()),
                ..Surroundings::default()
            };
            let problem = socket(None, None, &around).expect_err("no socket");
            assert!(problem.message.contains(host), "{problem:?}");
        }
        let nowhere = socket(
            Some(Path::new("/nowhere/x")),
            None,
            &Surroundings::default(),
        );
        let problem = nowhere.expect_err("no socket");
        assert!(problem.message.contains("/nowhere/x"), "{problem:?}");
    }
}
