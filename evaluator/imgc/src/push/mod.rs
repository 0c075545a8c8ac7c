//! `imgc push`: builds an image and sends it to registries, only what they don't have.

use imgc_oci::{ArtifactReference, Destination, PushError, PushTransport, Pushed, Version};
use imgc_store::{Check, Store};

use crate::build::{self, Taking};
use crate::cli::PushArgs;
use crate::describe::{self, Problem};
use crate::product::Product;
use crate::registry::{self, Login, Web, credentials};
use crate::size;
use crate::terminal::{Failure, Terminal};
use crate::work::Work;

/// Builds an image and pushes it.
pub(crate) fn run(args: &PushArgs, terminal: &Terminal) -> Result<(), Failure> {
    let references: Result<Vec<_>, _> = args.references.iter().map(|text| named(text)).collect();
    let references = references.map_err(Failure::Usage)?;
    registry::check(&args.registry, &references).map_err(Failure::Usage)?;
    // Who has no login that can be used need not wait for a build to learn it.
    let logins: Result<Vec<Login>, Problem> = references
        .iter()
        .map(|to| credentials::find(&to.host, &to.name))
        .collect();
    let logins = logins?;
    let work = Work::begin(&args.work)?;
    let web = Web::new(work.network.is_offline(), args.registry.ca.as_deref())?;
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
            // What the registry has of a base need not be sent.
            let bases = product
                .images
                .iter()
                .filter_map(|(_, built)| built.base.as_ref());
            let bases = bases.filter_map(|base| base.repository.split_once('/'));
            let here = bases.filter(|(host, _)| *host == to.host);
            others.extend(here.map(|(_, name)| name.to_owned()));
            others.retain(|other| *other != to.name);
            let destination = registry::destination(to, &args.registry, login, others);
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

/// Reads a reference with a tag.
fn named(text: &str) -> Result<ArtifactReference, String> {
    let reference = registry::named(text)?;
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
    Err(registry::problem(error, to, login, "pushed").into())
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
    fn an_image_is_pushed_to_a_tag() {
        assert!(named("reg.example/app:1").is_ok());
        let digest = format!("reg.example/app@sha256:{}", "ab".repeat(32));
        assert!(named(&digest).expect_err("no tag").contains("to a tag"));
    }
}
