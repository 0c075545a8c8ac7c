//! `imgc push`: builds an image and sends it to registries, only what they don't have.

mod credentials;
mod transport;

use imgc_oci::{ArtifactReference, Destination, PushError, PushTransport, Pushed, Version};
use imgc_store::{Check, Store};

use crate::build::{self, Taking};
use crate::cli::PushArgs;
use crate::describe::{self, Problem};
use crate::product::Product;
use crate::size;
use crate::terminal::{Failure, Terminal};
use crate::work::Work;

use credentials::Login;
use transport::Web;

/// Builds an image and pushes it.
pub(crate) fn run(args: &PushArgs, terminal: &Terminal) -> Result<(), Failure> {
    let references: Result<Vec<_>, _> = args.references.iter().map(|text| named(text)).collect();
    let references = references.map_err(Failure::Usage)?;
    if args.insecure
        && let Some(far) = references.iter().find(|one| !one.is_loopback())
    {
        let message = format!(
            "--insecure is for a registry on this machine, not for {}",
            far.host
        );
        return Err(Failure::Usage(message));
    }
    // Who has no login that can be used need not wait for a build to learn it.
    let logins: Result<Vec<Login>, Problem> = references
        .iter()
        .map(|to| credentials::find(&to.host, &to.name))
        .collect();
    let logins = logins?;
    let work = Work::begin(&args.work)?;
    let web = Web::new(work.network.is_offline(), args.ca.as_deref())?;
    let files = std::slice::from_ref(&args.file);
    let lines = std::cell::RefCell::new(Vec::new());
    let (built, progress) = build::all(&work, files, args.locked, terminal, &|built| {
        lines.borrow_mut().clear();
        let product = only(built)?;
        let mut seen: Vec<&ArtifactReference> = Vec::new();
        for (to, login) in references.iter().zip(&logins) {
            let mut others = args.others.clone();
            let before = seen.iter().filter(|other| other.host == to.host);
            others.extend(before.map(|other| other.name.clone()));
            others.retain(|other| *other != to.name);
            let destination = Destination {
                reference: to.clone(),
                plain: args.insecure,
                credentials: match login {
                    Login::Known(credentials) => Some(credentials.clone()),
                    _ => None,
                },
                others,
            };
            let pushed = push(&web, &*work.store, product, &destination, login)?;
            let digest = product.digest();
            lines
                .borrow_mut()
                .push((format!("{to} {digest}"), summary(&pushed)));
            seen.push(to);
        }
        Ok(())
    })?;
    build::warn_all(&built, terminal);
    build::note_work(&progress);
    for (result, note) in lines.into_inner() {
        progress.note(&note);
        terminal.result(&result)?;
    }
    if progress.realised().0 > 0 {
        work.make_room()?;
    }
    Ok(())
}

/// Reads `HOST[:PORT]/NAME[:TAG]`; without a tag, it is `latest`.
fn named(text: &str) -> Result<ArtifactReference, String> {
    let path = text.rsplit('/').next().unwrap_or_default();
    let tag = if path.contains([':', '@']) {
        ""
    } else {
        ":latest"
    };
    let reference: ArtifactReference = format!("oci://{text}{tag}")
        .parse()
        .map_err(|error: imgc_oci::ReferenceError| error.to_string().replace("oci://", ""))?;
    let first = text.split('/').next().unwrap_or_default();
    if !first.contains(['.', ':']) && first != "localhost" {
        return Err(format!(
            "`{text}` names no registry: HOST/NAME:TAG, where HOST has a `.` or a port"
        ));
    }
    match reference.version {
        Version::Tag(_) => Ok(reference),
        Version::Digest(_) => Err(format!(
            "`{text}` names a digest, and an image is pushed to a tag: HOST/NAME:TAG"
        )),
    }
}

fn only(built: &[Product]) -> Result<&Product, Problem> {
    match built {
        [one] => Ok(one),
        many => {
            let names: Vec<&str> = many.iter().map(|product| &*product.name).collect();
            let message = format!("the file has several images: {}", names.join(", "));
            Err(Problem::new(message).help("say which one is pushed: FILE#NAME"))
        }
    }
}

fn push(
    web: &dyn PushTransport,
    store: &dyn Store,
    product: &Product,
    to: &Destination,
    login: &Login,
) -> Result<Pushed, Taking> {
    let error = match imgc_oci::push(web, store, product.target(), to) {
        Ok(pushed) => return Ok(pushed),
        Err(error) => error,
    };
    if matches!(error, PushError::Lost(_)) || matches!(error, PushError::Status { status: 400, .. })
    {
        // The registry digests what it gets: perhaps the store's bytes are not the blob's.
        for blob in product.target().blobs() {
            let found = store.verify_read(&blob.digest);
            if found.map_err(|error| describe::store(&error))? != Check::Intact(blob.size) {
                return Err(Taking::Damaged);
            }
        }
    }
    let mut problem = Problem::new(match &error {
        PushError::Store(error) => return Err(describe::store(error).into()),
        PushError::Transport { .. } => format!("{} can't be pushed: {error}", to.reference),
        error => format!("{} was not pushed: {error}", to.reference),
    });
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
        _ => {}
    }
    Err(problem.into())
}

/// What was done, in words.
fn summary(pushed: &Pushed) -> String {
    if pushed.unchanged {
        return "the registry has this image under this tag".to_owned();
    }
    let all = pushed.there + pushed.mounted + pushed.sent;
    let bytes = size::human(pushed.bytes);
    let mounted = match pushed.mounted {
        0 => String::new(),
        mounted => format!(", mounted {mounted} from another repository"),
    };
    format!("sent {} of {all} blobs, {bytes}{mounted}", pushed.sent)
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
        assert!(named(&digest).expect_err("no tag").contains("to a tag"));
    }
}
