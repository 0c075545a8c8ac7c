//! Registries: what the command line calls an image there, who the user is for them, and
//! what to say of their errors. What is pushed and pulled, others know.

mod bases;
pub(crate) mod credentials;
mod transport;

use imgc_oci::{ArtifactReference, Destination, PushError, Version};

use crate::cli::RegistryArgs;
use crate::describe::Problem;

pub(crate) use bases::Bases;
pub(crate) use credentials::Login;
pub(crate) use transport::Web;

/// Reads `HOST[:PORT]/NAME[:TAG][@sha256:…]`; without a tag and a digest, it is `latest`. With
/// both, the digest counts.
///
/// # Errors
/// What is wrong with it, in words for the user.
pub(crate) fn named(text: &str) -> Result<ArtifactReference, String> {
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
    let whole = match (last.split_once(':'), digest) {
        (Some((last, _)), Some(digest)) => format!("oci://{folder}/{last}@{digest}"),
        (None, None) => format!("oci://{text}:latest"),
        _ => format!("oci://{text}"),
    };
    let first = text.split('/').next().unwrap_or_default();
    if !first.contains(['.', ':']) && first != "localhost" || !name.contains('/') {
        return Err(format!(
            "`{text}` names no registry: HOST/NAME:TAG, where HOST has a `.` or a port"
        ));
    }
    let reference: ArtifactReference = whole
        .parse()
        .map_err(|error: imgc_oci::ReferenceError| error.to_string().replace("oci://", ""))?;
    Ok(reference)
}

/// Makes sure that nobody speaks to a far registry without TLS.
///
/// # Errors
/// Which of the references is one of a far registry.
pub(crate) fn check(args: &RegistryArgs, references: &[ArtifactReference]) -> Result<(), String> {
    let far = references.iter().find(|one| !one.is_loopback());
    match far.filter(|_| args.insecure) {
        Some(far) => Err(format!(
            "--insecure is for a registry on this machine, not for {}",
            far.host
        )),
        None => Ok(()),
    }
}

/// A repository of a registry, and who asks it.
pub(crate) fn destination(
    reference: &ArtifactReference,
    args: &RegistryArgs,
    login: &Login,
    others: Vec<String>,
) -> Destination {
    Destination {
        reference: reference.clone(),
        plain: args.insecure,
        credentials: match login {
            Login::Known(credentials) => Some(credentials.clone()),
            _ => None,
        },
        others,
    }
}

/// What went wrong at a registry, and what to do. `done` is what did not come about: `pushed`.
pub(crate) fn problem(error: PushError, to: &Destination, login: &Login, done: &str) -> Problem {
    let mut problem = match &error {
        PushError::Store(error) => return crate::describe::store(error),
        PushError::Transport { .. } => {
            Problem::new(format!("{} can't be {done}: {error}", to.reference))
        }
        error => Problem::new(format!("{} was not {done}: {error}", to.reference)),
    };
    let host = &to.reference.host;
    match (&error, login) {
        (PushError::Unauthorized { .. }, Login::Elsewhere(what, file)) => {
            problem = problem.note(format!("{} knows a login, but {what}", file.display()));
            problem = problem.note("imgc runs no programs".to_owned());
            problem = problem.help(format!(
                "`podman login --authfile FILE {host}` keeps it in a file: REGISTRY_AUTH_FILE=FILE"
            ));
        }
        (PushError::Unauthorized { .. }, Login::Known(_)) => {
            problem = problem.help(format!("log in as somebody else: `podman login {host}`"));
        }
        (PushError::Unauthorized { .. }, Login::Nothing) => {
            problem = problem.help(format!(
                "log in: `podman login {host}`, or `docker login {host}`"
            ));
        }
        (PushError::Transport { .. }, _) if to.reference.is_loopback() && !to.plain => {
            problem = problem.help("a registry on this machine without TLS: --insecure");
        }
        (PushError::NotFound(_), _) if matches!(to.reference.version, Version::Tag(_)) => {
            problem = problem.help("look whether the name and the tag are right");
        }
        _ => {}
    }
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_their_registry() {
        let tagged = named("reg.example:5000/team/app").expect("a name");
        assert_eq!(tagged.to_string(), "reg.example:5000/team/app:latest");
        assert!(named("localhost/app:1").is_ok());
        for bad in [
            "app",
            "team/app:1",
            "reg.example/App",
            "reg.example/app@x",
            "",
        ] {
            assert!(named(bad).is_err(), "{bad}");
        }
        let digest = format!("reg.example/app@sha256:{}", "ab".repeat(32));
        assert_eq!(named(&digest).expect("a name").to_string(), digest);
        let both = format!("reg.example/app:1@sha256:{}", "ab".repeat(32));
        assert_eq!(named(&both).expect("a name").to_string(), digest);
    }
}
