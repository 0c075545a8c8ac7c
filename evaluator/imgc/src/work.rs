//! What every command does first: settings, store, evaluation.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use imgc_apt::{Lock, Request};
use imgc_build::{Builder, Events, Mirrors, Sources};
use imgc_plan::{FileDigest, Plan};
use imgc_store::DiskStore;

use crate::cli::{EvaluationArgs, WorkArgs};
use crate::describe::{self, Problem};
use crate::desk;
use crate::lock_file::LockFile;
use crate::network::Network;
use crate::project::Project;
use crate::registry::Bases;
use crate::remote::{Cache, Policy, Remotes};
use crate::settings::{Settings, SettingsError, StoreSettings};
use crate::target::Target;
use crate::terminal::{Failure, Terminal};
use imgc_eval::{Evaluated, Session};

/// What the commands work with.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) store: Arc<DiskStore>,
    pub(crate) network: Arc<Network>,
    bases: Bases,
    pub(crate) mirrors: Mirrors,
    pub(crate) keyrings: BTreeMap<String, imgc_apt::Keyring>,
    cache: Arc<Cache>,
    evaluation: EvaluationArgs,
    max_size: Option<u64>,
    memory: u64,
    /// Set when the command is to end.
    pub(crate) stop: Arc<AtomicBool>,
    /// What evaluation knows already. Files of one folder share it.
    sessions: Mutex<Vec<Known>>,
}

impl Drop for Work {
    fn drop(&mut self) {
        // The process ends: taking all that evaluation knows apart would only take time.
        let sessions = self
            .sessions
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::forget(std::mem::take(sessions));
    }
}

/// What evaluation knows of the files of one folder.
#[derive(Debug)]
struct Known {
    policy: Policy,
    lock: LockFile,
    project: Project,
    session: Session,
    /// Whether files may have changed since.
    is_old: bool,
}

/// Opens the store.
///
/// # Errors
/// A folder that can't be made or locked.
pub(crate) fn open_store(settings: &StoreSettings) -> Result<DiskStore, Problem> {
    let store = DiskStore::open_over(&settings.path, &settings.substituters);
    store.map_err(|error| describe::store(&error))
}

/// One file, evaluated.
#[derive(Debug)]
pub(crate) struct Source {
    /// As it was named.
    pub(crate) file: PathBuf,
    pub(crate) project: Project,
    pub(crate) evaluated: Evaluated,
    /// The lock beside it, as it was then.
    pub(crate) lock: LockFile,
    /// What it asks for.
    plan: Plan,
}

impl Work {
    /// Gathers the settings and opens the store.
    pub(crate) fn begin(args: &WorkArgs) -> Result<Self, Failure> {
        let settings = Settings::gather(args).map_err(|error| match error {
            SettingsError::Mirror(_) | SettingsError::Archive(_) => {
                Failure::Usage(error.to_string())
            }
            _ => Problem::new(error.to_string()).into(),
        })?;
        let mut keyrings = BTreeMap::new();
        for (archive, path) in &settings.keyrings {
            keyrings.insert(archive.clone(), read_keyring(path)?);
        }
        if let Some(jobs) = args.jobs {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(jobs.get())
                .build_global();
            pool.map_err(|error| Problem::new(format!("can't start {jobs} threads: {error}")))?;
        }
        let store = open_store(&settings.store)?;
        let store = Arc::new(store);
        let stop = Arc::<AtomicBool>::default();
        Ok(Self {
            cache: Arc::new(Cache::of(&store)),
            store,
            bases: Bases::new(args.evaluation.offline),
            network: Arc::new(Network::new(args.evaluation.offline, Arc::clone(&stop))),
            mirrors: settings.mirrors,
            keyrings,
            evaluation: args.evaluation.clone(),
            max_size: settings.store.max_size,
            memory: settings.memory,
            stop,
            sessions: Mutex::default(),
        })
    }

    /// What builds, with the files of `sources`.
    pub(crate) fn builder<'a>(
        &'a self,
        sources: &'a dyn Sources,
        events: &'a dyn Events,
    ) -> Builder<'a> {
        Builder {
            store: &*self.store,
            transport: &*self.network,
            registries: &self.bases,
            mirrors: &self.mirrors,
            keyrings: &self.keyrings,
            events,
            sources,
            now: now(),
            memory: self.memory,
            stop: &self.stop,
        }
    }

    /// Makes room after a build that made something, if the user set a limit.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn make_room(&self) -> Result<(), Problem> {
        if self.max_size.is_none() {
            return Ok(());
        }
        let limits = imgc_store::Limits {
            bytes: self.max_size,
            ..imgc_store::Limits::default()
        };
        let collected = self.store.collect(&limits);
        collected.map_err(|error| describe::store(&error))?;
        Ok(())
    }

    /// Evaluates a file, and shows what there is to say about it.
    ///
    /// # Errors
    /// [`Failure::Told`] for a file with errors; they have been shown.
    pub(crate) fn evaluate(
        &self,
        target: &Target,
        policy: Policy,
        terminal: &Terminal,
    ) -> Result<Source, Failure> {
        let source = self.look(target, policy)?;
        let evaluated = &source.evaluated;
        let is_module = policy == Policy::Update && is_module(evaluated);
        if !is_module {
            terminal.diagnostics(&evaluated.diagnostics, &evaluated.sources);
        }
        if evaluated.plan.is_none() && !is_module {
            return Err(Failure::Told);
        }
        Ok(source)
    }

    /// Evaluates a file, and shows nothing. One with errors asks for nothing.
    ///
    /// # Errors
    /// A file or a lock that can't be read.
    pub(crate) fn look(&self, target: &Target, policy: Policy) -> Result<Source, Problem> {
        let file = &target.file;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let locks: Vec<&LockFile> = sessions.iter().map(|known| &known.lock).collect();
        let lock = LockFile::known(file, &locks)?;
        let (project, entry) = self.project(file, policy, &lock.lock)?;
        let options = desk::options(&self.evaluation, target.select.as_deref());
        let at = sessions.iter().position(|known| {
            known.policy == policy
                && known.lock.path() == lock.path()
                && known.project.root() == project.root()
        });
        let known = match at {
            // With other pins, modules may be others.
            Some(at) if sessions[at].lock.lock == lock.lock => {
                sessions[at].lock = lock.clone();
                &mut sessions[at]
            }
            at => {
                at.map(|at| sessions.remove(at));
                sessions.push(Known {
                    policy,
                    lock: lock.clone(),
                    session: Session::new(Arc::new(project.clone())),
                    project,
                    is_old: false,
                });
                sessions.last_mut().expect("it has just been added")
            }
        };
        if std::mem::take(&mut known.is_old) {
            known.session.refresh();
        }
        let platforms = &self.evaluation.platforms;
        let evaluated = match &**platforms {
            [] => known.session.evaluate(&entry, &options),
            platforms => known.session.evaluate_for(&entry, &options, platforms),
        };
        let project = known.project.clone();
        Ok(Source {
            lock,
            file: file.clone(),
            project,
            plan: evaluated.plan.clone().unwrap_or_default(),
            evaluated,
        })
    }

    /// Files may have been edited since they were last looked at. What has not changed stays
    /// known.
    pub(crate) fn refresh(&self) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.iter_mut().for_each(|known| known.is_old = true);
    }

    /// Every path that evaluation has asked for.
    pub(crate) fn asked(&self) -> BTreeSet<PathBuf> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = sessions.iter().flat_map(|known| known.project.asked());
        asked.collect()
    }

    /// What the `.img` files of a folder ask for. None where one of the files has errors,
    /// so that nobody knows. A file that is no image, such as one that others import, asks
    /// for no packages.
    pub(crate) fn asked_in(&self, folder: &Path, lock: &Lock) -> Option<Asked> {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let mut asked = Asked::default();
        for entry in folder.read_dir().ok()? {
            let file = entry.ok()?.path();
            if file.extension().is_none_or(|extension| extension != "img") {
                continue;
            }
            let (project, entry) = self.project(&file, Policy::Pinned, lock).ok()?;
            let mut session = Session::new(Arc::new(project.clone()));
            let one = [self.evaluation.platform()];
            let platforms = match &*self.evaluation.platforms {
                [] => &one,
                platforms => platforms,
            };
            for &platform in platforms {
                let options = imgc_eval::Options {
                    platform,
                    ..desk::options(&self.evaluation, None)
                };
                let evaluated = session.evaluate(&entry, &options);
                asked.modules.extend(project.remotes.asked());
                if evaluated.plan.is_none() && desk::is_function(&mut session, &entry) {
                    // What it asks for depends on its arguments, which nobody knows here.
                    break;
                }
                let plan = match evaluated.plan {
                    None if is_module(&evaluated) => break,
                    plan => plan?,
                };
                for image in plan.images {
                    asked
                        .bases
                        .extend(image.base.as_ref().map(ToString::to_string));
                    if let Some(packages) = &image.packages {
                        let request = imgc_build::request(&image, packages);
                        asked.requests.push(request);
                    }
                }
            }
        }
        Some(asked)
    }

    fn project(
        &self,
        file: &Path,
        policy: Policy,
        lock: &Lock,
    ) -> Result<(Project, String), Problem> {
        let remotes = Remotes::new(policy, lock, &self.network, &self.cache);
        Project::of(file, Arc::new(remotes)).map_err(|error| describe::disk("read", file, &error))
    }
}

/// What the files of a folder ask for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The packages.
    pub(crate) requests: Vec<Request>,
    /// The addresses of modules.
    pub(crate) modules: Vec<String>,
    /// What images are laid over.
    pub(crate) bases: Vec<String>,
}

/// Whether nothing is wrong with a file but that it is no image.
fn is_module(evaluated: &Evaluated) -> bool {
    let mut errors = evaluated
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == imgc_diag::Severity::Error)
        .peekable();
    errors.peek().is_some() && errors.all(desk::is_no_image)
}

impl Source {
    /// What it asks for.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Asks for one of its images, or one index and its images, alone, by name.
    pub(crate) fn keep(&mut self, name: &str) {
        self.plan.indexes.retain(|index| index.name == name);
        let parts = self.plan.indexes.iter().flat_map(|index| &index.images);
        let parts: BTreeSet<String> = parts.cloned().collect();
        let is_kept = |image: &str| image == name || parts.contains(image);
        self.plan.images.retain(|image| is_kept(&image.name));
    }
}

/// The files of several sources.
pub(crate) struct AllSources<'a>(pub(crate) &'a [Source]);

impl Sources for AllSources<'_> {
    fn open(&self, digest: &FileDigest) -> std::io::Result<Box<dyn Read>> {
        let has = |source: &&Source| source.plan().sources.contains_key(digest);
        let source = self.0.iter().find(has);
        source.ok_or(std::io::ErrorKind::NotFound)?.open(digest)
    }
}

impl Sources for Source {
    fn open(&self, digest: &FileDigest) -> std::io::Result<Box<dyn Read>> {
        let path = self
            .plan()
            .sources
            .get(digest)
            .ok_or(std::io::ErrorKind::NotFound)?;
        let file = self.project.open(path);
        file.map(|file| Box::new(file) as _)
            .map_err(|error| std::io::Error::other(format!("{path}: {error}")))
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
fn read_keyring(path: &Path) -> Result<imgc_apt::Keyring, Problem> {
    let bytes = std::fs::read(path).map_err(|error| describe::disk("read", path, &error))?;
    imgc_apt::Keyring::parse(&bytes).map_err(|error| {
        Problem::new(format!(
            "the keyring {} can't be used: {error}",
            path.display()
        ))
    })
}

/// Seconds since 1970, to check signatures and `Valid-Until` by.
#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their time"
)]
pub(crate) fn now() -> Option<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}

/// The moment so many days before now; none before 1970.
pub(crate) fn days_ago(days: u32) -> Option<std::time::SystemTime> {
    let seconds = now()?.checked_sub(u64::from(days) * 86_400)?;
    Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}
