//! `imgc load`: builds images and has an engine on this machine pull them, from a
//! registry that is there for this one pull. Only what the engine does not have travels.

mod engine;
mod find;
mod names;
mod socket;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use imgc_oci::Whole;
use imgc_oci::serve::{Images, Refusal, Registry, Wanted};

use crate::build;
use crate::cli::{Engine as Kind, EvaluationArgs, LoadArgs};
use crate::describe::Problem;
use crate::product::Product;
use crate::serve::{self, Log, Server};
use crate::settings::{folder_variable, variable};
use crate::size;
use crate::terminal::{Failure, Terminal};
use crate::work::Work;

use engine::Engine;
use find::Surroundings;
use names::Name;
use socket::Socket;

/// Builds images and loads them into an engine.
pub(crate) fn run(args: &LoadArgs, terminal: &Terminal) -> Result<(), Failure> {
    let tag = args.tag.as_deref().map(Name::parse).transpose();
    let tag = tag.map_err(Failure::Usage)?;
    let around = Surroundings {
        container_host: variable("CONTAINER_HOST"),
        docker_host: variable("DOCKER_HOST"),
        runtime: folder_variable("XDG_RUNTIME_DIR"),
    };
    // Who has no engine need not wait for a build to learn it.
    let path = find::socket(args.socket.as_deref(), args.engine, &around)?;
    let engine = Engine::hello(Socket::at(&path))?;
    if args.engine.is_some_and(|wanted| wanted != engine.kind()) {
        let message = format!("what answers at {} is the other engine", path.display());
        return Err(Problem::new(message).help("leave --engine out").into());
    }
    let work = Work::begin(&args.work)?;
    let (built, progress) = build::all(&work, &args.files, args.locked, terminal, &|_| Ok(()))?;
    if tag.is_some() && built.len() > 1 {
        let message = format!("--tag names one image, and there are {}", built.len());
        return Err(Failure::Usage(message));
    }
    build::warn_all(&built, terminal);
    build::note_work(&progress);
    let built = aimed(built, &args.work.evaluation)?;

    let secret = secret()?;
    let images = built.iter();
    let images = images.map(|one| (format!("{secret}/{}", one.name), one.whole.clone()));
    let offered = Offered(images.collect());
    let sent = Arc::new(Sent::default());
    let listener = serve::listen("127.0.0.1:0")?;
    let registry = Registry::new(Arc::clone(&work.store) as _, Box::new(offered));
    let server = Server::start(listener, registry, counting(&sent, terminal));
    let mut server =
        server.map_err(|error| Problem::new(format!("can't serve images: {error}")))?;
    for product in &built {
        let name = &product.name;
        let to = match &tag {
            Some(tag) => tag.clone(),
            None => Name::parse(name).map_err(Problem::new)?,
        };
        let from = Name {
            repository: format!("{}/{secret}/{name}", server.address()),
            tag: to.tag.clone(),
        };
        sent.begin();
        let note = |line: &str| {
            if terminal.verbose {
                progress.note(line);
            }
        };
        load(&engine, &from, &to, &note)?;
        let layers = product.images.iter().map(|(_, one)| one.image.layers.len());
        progress.note(&sent.summary(layers.max().unwrap_or(0)));
        terminal.result(&format!("{to} {}", product.digest()))?;
    }
    server.stop();
    if progress.realised().0 > 0 {
        work.make_room()?;
    }
    Ok(())
}

/// An engine takes the image of its own platform from an index: where the command line names
/// one, it is given that alone.
fn aimed(built: Vec<Product>, args: &EvaluationArgs) -> Result<Vec<Product>, Problem> {
    let [platform] = *args.platforms else {
        return Ok(built);
    };
    let aimed = built.into_iter().map(|product| {
        let image = product.of_platform(platform)?.clone();
        let whole = Whole::Image(image);
        Ok(Product { whole, ..product })
    });
    aimed.collect()
}

fn load(engine: &Engine, from: &Name, to: &Name, note: &dyn Fn(&str)) -> Result<(), Problem> {
    let image = engine.pull(from, note)?;
    let to = match engine.kind() {
        Kind::Podman => to.with_host(),
        Kind::Docker => to.clone(),
    };
    let tagged = engine.tag(&image, &to);
    // Also where it has no better name: nobody can pull it by this one again.
    let untagged = engine.untag(&image, from);
    tagged.and(untagged)
}

/// What nobody else on this machine can guess: the images are for the engine alone.
fn secret() -> Result<String, Problem> {
    let mut bytes = [0; 16];
    let filled = getrandom::fill(&mut bytes);
    filled.map_err(|error| Problem::new(format!("the system has no random numbers: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Images that are built already, by the names of their repositories.
struct Offered(BTreeMap<String, Whole>);

impl Images for Offered {
    fn tags(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let found = self.0.get(name).ok_or(Refusal::NoName);
        found.map(|_| vec!["latest".to_owned()])
    }

    fn build(&self, name: &str, _: Wanted<'_>) -> Result<Vec<Whole>, Refusal> {
        let found = self.0.get(name).ok_or(Refusal::NoName);
        found.map(|image| vec![image.clone()])
    }
}

/// What the engine fetched.
#[derive(Debug, Default)]
struct Sent {
    blobs: AtomicU64,
    bytes: AtomicU64,
}

impl Sent {
    fn begin(&self) {
        self.blobs.store(0, Ordering::SeqCst);
        self.bytes.store(0, Ordering::SeqCst);
    }

    fn summary(&self, layers: usize) -> String {
        let blobs = self.blobs.load(Ordering::SeqCst);
        let bytes = size::human(self.bytes.load(Ordering::SeqCst));
        format!(
            "the engine fetched {blobs} of {} blobs, {bytes}",
            layers + 1
        )
    }
}

/// Counts blobs, beside what is told anyway.
fn counting(sent: &Arc<Sent>, terminal: &Terminal) -> Log {
    let sent = Arc::clone(sent);
    let log = serve::log(terminal);
    Box::new(move |served| {
        if served.method == "GET" && served.target.contains("/blobs/") && served.sent > 0 {
            sent.blobs.fetch_add(1, Ordering::SeqCst);
            sent.bytes.fetch_add(served.sent, Ordering::SeqCst);
        }
        log(served);
    })
}
