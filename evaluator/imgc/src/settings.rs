//! Settings: command line over environment over the user's configuration file
//! over the machine. The only place that reads the environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use serde::Deserialize;

use imgc_build::Mirrors;

use crate::apt_sources;
use crate::cli::WorkArgs;
use crate::size;

/// The archives that a mirror can be named for.
const ARCHIVES: [&str; 2] = ["debian", "debian-security"];

/// `config.toml` in the `imgc` folder of the XDG configuration folder.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    store: Option<StoreConfig>,
    #[serde(default)]
    build: BuildConfig,
    #[serde(default)]
    archive: BTreeMap<String, ArchiveConfig>,
}

/// `[build]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildConfig {
    memory: Option<String>,
}

/// `store = "DIR"`, or the section `[store]`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum StoreConfig {
    Folder(PathBuf),
    Section(StoreSection),
}

/// `[store]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreSection {
    path: Option<PathBuf>,
    max_size: Option<String>,
    #[serde(default)]
    substituters: Vec<PathBuf>,
}

/// Where the store is, and how it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoreSettings {
    /// The store's folder, absolute.
    pub(crate) path: PathBuf,
    /// How many bytes its blobs may have; after a build that made something, what was
    /// used longest ago goes.
    pub(crate) max_size: Option<u64>,
    /// Stores that are only read, absolute.
    pub(crate) substituters: Vec<PathBuf>,
}

/// `[archive.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchiveConfig {
    mirror: Option<OneOrMore>,
    snapshot: Option<String>,
    keyring: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// What the commands work with.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Where the store is, and how it is kept.
    pub(crate) store: StoreSettings,
    /// Where archives are.
    pub(crate) mirrors: Mirrors,
    /// Key files by archive, to be used instead of the embedded keys.
    pub(crate) keyrings: BTreeMap<String, PathBuf>,
    /// How much memory unpacking may take, in bytes.
    pub(crate) memory: u64,
}

/// How much memory unpacking may take where nobody says, in bytes.
const MEMORY: u64 = 256 << 20;

/// Why settings can't be used. The text is for the user.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SettingsError {
    /// A mirror address that is none.
    #[error("`{0}` is not a mirror: expected URL or ARCHIVE=URL, with http:, https: or file:")]
    Mirror(String),
    /// An archive that imgc doesn't know.
    #[error("there is no archive `{0}`: the archives are `debian` and `debian-security`")]
    Archive(String),
    /// The configuration file is wrong.
    #[error("the configuration file {} can't be used: {reason}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A size that is none.
    #[error("the configuration file says `{name}` {reason}")]
    Size {
        /// The setting.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// No home folder, and nothing that says where things go.
    #[error("there is no home folder: say where the store is with --store or IMGC_STORE")]
    NoHome,
}

impl Settings {
    /// Gathers the settings for `args`.
    pub(crate) fn gather(args: &WorkArgs) -> Result<Self, SettingsError> {
        let dirs = etcetera::choose_base_strategy().ok();
        let file = match &dirs {
            Some(dirs) => read_config(&dirs.config_dir().join("imgc/config.toml"))?,
            None => ConfigFile::default(),
        };
        let given = args.evaluation.store.as_deref();
        let store = store_settings(given, file.store, dirs.as_ref())?;
        let configured = file.build.memory.map(|text| size("memory", &text));
        let memory = args.memory.or(configured.transpose()?).unwrap_or(MEMORY);

        let mut mirrors = Mirrors {
            bases: apt_sources::of_host(),
            ..Mirrors::default()
        };
        let mut keyrings = BTreeMap::new();
        for (name, archive) in file.archive {
            check_archive(&name)?;
            if let Some(mirror) = archive.mirror {
                let urls = match mirror {
                    OneOrMore::One(url) => vec![url],
                    OneOrMore::More(urls) => urls,
                };
                for url in &urls {
                    check_url(url)?;
                }
                mirrors.bases.insert(name.clone(), urls);
            }
            if let Some(snapshot) = archive.snapshot {
                check_url(&snapshot)?;
                mirrors.snapshots.insert(name.clone(), snapshot);
            }
            if let Some(keyring) = archive.keyring {
                keyrings.insert(name, keyring);
            }
        }
        let from_environment = variable("IMGC_MIRROR").unwrap_or_default();
        let given: Vec<&str> = if args.mirror.is_empty() {
            from_environment.split_whitespace().collect()
        } else {
            args.mirror.iter().map(String::as_str).collect()
        };
        mirrors.bases.extend(parse_mirrors(&given)?);
        Ok(Self {
            store,
            mirrors,
            keyrings,
            memory,
        })
    }
}

/// The store's settings, for commands that need no other.
///
/// # Errors
/// As [`Settings::gather`].
pub(crate) fn store(given: Option<&Path>) -> Result<StoreSettings, SettingsError> {
    let dirs = etcetera::choose_base_strategy().ok();
    let file = match &dirs {
        Some(dirs) => read_config(&dirs.config_dir().join("imgc/config.toml"))?,
        None => ConfigFile::default(),
    };
    store_settings(given, file.store, dirs.as_ref())
}

/// The file that keeps what was typed into `imgc repl`.
pub(crate) fn history() -> Option<PathBuf> {
    let dirs = etcetera::choose_base_strategy().ok()?;
    let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_dir());
    Some(folder.join("imgc/history"))
}

/// The folder of the files that an editor shows: modules of imgc, pages of codes.
pub(crate) fn editor_folder() -> Option<PathBuf> {
    let dirs = etcetera::choose_base_strategy().ok()?;
    let folder = dirs.state_dir().unwrap_or_else(|| dirs.data_dir());
    Some(folder.join("imgc/editor"))
}

fn store_settings(
    given: Option<&Path>,
    configured: Option<StoreConfig>,
    dirs: Option<&impl BaseStrategy>,
) -> Result<StoreSettings, SettingsError> {
    let section = match configured {
        None => StoreSection::default(),
        Some(StoreConfig::Section(section)) => section,
        Some(StoreConfig::Folder(path)) => StoreSection {
            path: Some(path),
            ..StoreSection::default()
        },
    };
    let path = given
        .map(Path::to_owned)
        .or_else(|| folder_variable("IMGC_STORE"))
        .or(section.path)
        .or_else(|| dirs.map(|dirs| dirs.cache_dir().join("imgc")))
        .ok_or(SettingsError::NoHome)?;
    let absolute = |path: &Path| std::path::absolute(path).map_err(|_| SettingsError::NoHome);
    let max_size = section.max_size.map(|text| size("max_size", &text));
    let below = section.substituters.iter().map(|path| absolute(path));
    Ok(StoreSettings {
        path: absolute(&path)?,
        max_size: max_size.transpose()?,
        substituters: below.collect::<Result<_, _>>()?,
    })
}

/// A size in the configuration file, in bytes.
fn size(name: &'static str, text: &str) -> Result<u64, SettingsError> {
    size::parse(text).map_err(|reason| SettingsError::Size {
        name,
        reason: format!("`{text}`: {reason}"),
    })
}

/// A variable of the environment; empty counts as unset.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A folder that a variable of the environment names, which need not be UTF-8.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the environment"
)]
pub(crate) fn folder_variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the binary gives the libraries their files"
)]
fn read_config(path: &Path) -> Result<ConfigFile, SettingsError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(SettingsError::File {
                path: path.to_owned(),
                reason: error.to_string(),
            });
        }
    };
    toml::from_str(&text).map_err(|error| SettingsError::File {
        path: path.to_owned(),
        reason: error.to_string().trim_end().to_owned(),
    })
}

/// Reads `URL` and `ARCHIVE=URL`. An archive named outright wins over one that
/// follows from a bare address.
fn parse_mirrors(given: &[&str]) -> Result<BTreeMap<String, Vec<String>>, SettingsError> {
    let mut bare: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for text in given {
        match text.split_once('=') {
            Some((archive, url)) if !archive.contains([':', '/']) => {
                check_archive(archive)?;
                check_url(url)?;
                named
                    .entry(archive.to_owned())
                    .or_default()
                    .push(url.to_owned());
            }
            _ => {
                check_url(text)?;
                let base = text.trim_end_matches('/');
                bare.entry("debian".to_owned())
                    .or_default()
                    .push(base.to_owned());
                if let Some(parent) = base.strip_suffix("/debian") {
                    let beside = format!("{parent}/debian-security");
                    bare.entry("debian-security".to_owned())
                        .or_default()
                        .push(beside);
                }
            }
        }
    }
    bare.extend(named);
    Ok(bare)
}

fn check_archive(name: &str) -> Result<(), SettingsError> {
    // A third party's archive is known by its address.
    if ARCHIVES.contains(&name) || check_url(name).is_ok() {
        Ok(())
    } else {
        Err(SettingsError::Archive(name.to_owned()))
    }
}

fn check_url(url: &str) -> Result<(), SettingsError> {
    let rest = ["http://", "https://", "file:///"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    match rest {
        Some(rest) if !rest.is_empty() && !url.contains(char::is_whitespace) => Ok(()),
        _ => Err(SettingsError::Mirror(url.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_mirror_has_security_beside_it() {
        let mirrors = parse_mirrors(&["http://mirror.example/debian/"]).expect("a mirror");
        assert_eq!(mirrors["debian"], ["http://mirror.example/debian"]);
        assert_eq!(
            mirrors["debian-security"],
            ["http://mirror.example/debian-security"]
        );
    }

    #[test]
    fn a_named_archive_wins() {
        let given = [
            "debian-security=http://s.example/x",
            "http://mirror.example/debian",
        ];
        let mirrors = parse_mirrors(&given).expect("mirrors");
        assert_eq!(mirrors["debian-security"], ["http://s.example/x"]);
    }

    #[test]
    fn refuses_what_is_no_mirror() {
        assert!(matches!(
            parse_mirrors(&["mirror.example"]),
            Err(SettingsError::Mirror(_))
        ));
        assert!(matches!(
            parse_mirrors(&["ubuntu=http://m.example"]),
            Err(SettingsError::Archive(_))
        ));
        assert!(matches!(
            parse_mirrors(&["ftp://m.example/debian"]),
            Err(SettingsError::Mirror(_))
        ));
    }
}
