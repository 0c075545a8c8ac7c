//! What every command does first: settings, store, evaluation.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use imgc_build::{Mirrors, Sources};
use imgc_eval::{Evaluated, Options};
use imgc_plan::{FileDigest, Plan};
use imgc_store::DiskStore;

use crate::cli::WorkArgs;
use crate::describe::{self, Problem};
use crate::network::Network;
use crate::project::Project;
use crate::settings::{Settings, SettingsError};
use crate::terminal::{Failure, Terminal};

/// What the commands work with.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) store: DiskStore,
    pub(crate) network: Network,
    pub(crate) mirrors: Mirrors,
    pub(crate) keyrings: BTreeMap<String, imgc_apt::Keyring>,
    options: Options,
}

/// One file, evaluated.
#[derive(Debug)]
pub(crate) struct Source {
    /// As it was named.
    pub(crate) file: PathBuf,
    pub(crate) project: Project,
    pub(crate) evaluated: Evaluated,
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
        Ok(Self {
            store: DiskStore::open(&settings.store).map_err(|error| describe::store(&error))?,
            network: Network::new(args.offline),
            mirrors: settings.mirrors,
            keyrings,
            options: Options {
                platform: args.platform,
                ..Options::default()
            },
        })
    }

    /// Evaluates a file, and shows what there is to say about it.
    ///
    /// # Errors
    /// [`Failure::Told`] for a file with errors; they have been shown.
    pub(crate) fn evaluate(&self, file: &Path, terminal: &Terminal) -> Result<Source, Failure> {
        let (project, entry) =
            Project::of(file).map_err(|error| describe::disk("read", file, &error))?;
        let evaluated = imgc_eval::evaluate(&project, &entry, &self.options);
        terminal.diagnostics(&evaluated.diagnostics, &evaluated);
        if evaluated.plan.is_none() {
            return Err(Failure::Told);
        }
        Ok(Source {
            file: file.to_owned(),
            project,
            evaluated,
        })
    }

    /// The packages that the images of a folder's `.img` files ask for. None where one of
    /// the files has errors, so that nobody knows. A file that is no image, such as one
    /// that others import, asks for nothing.
    pub(crate) fn requests_in(&self, folder: &Path) -> Option<Vec<imgc_apt::Request>> {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        let mut requests = Vec::new();
        for entry in folder.read_dir().ok()? {
            let file = entry.ok()?.path();
            if file.extension().is_none_or(|extension| extension != "img") {
                continue;
            }
            let (project, entry) = Project::of(&file).ok()?;
            let evaluated = imgc_eval::evaluate(&project, &entry, &self.options);
            let Some(plan) = evaluated.plan else {
                let no_image = |d: &imgc_diag::Diagnostic| d.code == imgc_diag::codes::NOT_AN_IMAGE;
                if evaluated.diagnostics.iter().any(no_image) {
                    continue;
                }
                return None;
            };
            for image in plan.images {
                if let Some(packages) = &image.packages {
                    requests.push(imgc_build::request(image.platform.arch, packages));
                }
            }
        }
        Some(requests)
    }
}

impl Source {
    /// What it asks for. [`Work::evaluate`] gives no source without.
    pub(crate) fn plan(&self) -> &Plan {
        self.evaluated
            .plan
            .as_ref()
            .expect("a source that was evaluated has a plan")
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
