//! Modules from elsewhere: pinned by `imgc.lock`, kept in the store by digest, fetched
//! where that is allowed. What the pins are written to is not decided here.

pub(crate) mod address;
mod fetch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};

use imgc_apt::{Lock, LockedModule, Sha256};
use imgc_store::{BlobDigest, DiskStore, Store as _};

use crate::describe::Problem;
use crate::network::Network;

pub(crate) use fetch::headers_of;

/// The largest module that is taken, in bytes.
const MAX_MODULE: u64 = 16 * 1024 * 1024;

/// What may be done about a module that is not pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    /// It is fetched and pinned: `imgc build`.
    Add,
    /// Nothing: `--locked`.
    Locked,
    /// Every module is fetched and pinned anew: `imgc update`.
    Update,
    /// Nothing: commands that do not write the lock.
    Pinned,
}

/// The modules of the files of one folder.
#[derive(Debug)]
pub(crate) struct Remotes {
    policy: Policy,
    network: Arc<Network>,
    cache: Arc<Cache>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    pins: BTreeMap<String, LockedModule>,
    /// What was answered, so that one evaluation sees one world.
    answers: BTreeMap<String, Result<String, String>>,
}

/// The store, opened when something is to be looked up in it.
#[derive(Debug)]
pub(crate) struct Cache {
    /// A store that somebody else has open, and closes: what evaluation knows may outlive
    /// all work, and must not keep the store open.
    lent: Option<Weak<DiskStore>>,
    open: OnceLock<Result<Arc<DiskStore>, String>>,
    folder: Option<std::path::PathBuf>,
}

impl Cache {
    /// A store that is open.
    pub(crate) fn of(store: &Arc<DiskStore>) -> Self {
        Self {
            lent: Some(Arc::downgrade(store)),
            open: OnceLock::new(),
            folder: None,
        }
    }

    /// The store in `folder`, or where the settings say.
    pub(crate) fn later(folder: Option<std::path::PathBuf>) -> Self {
        Self {
            lent: None,
            open: OnceLock::new(),
            folder,
        }
    }

    /// The store; why there is none, in words.
    pub(crate) fn store(&self) -> Result<Arc<DiskStore>, String> {
        if let Some(lent) = &self.lent {
            return lent
                .upgrade()
                .ok_or_else(|| "the store is closed".to_owned());
        }
        let open = || {
            let settings = crate::settings::store(self.folder.as_deref());
            let settings = settings.map_err(|error| error.to_string())?;
            let store = DiskStore::open_over(&settings.path, &settings.substituters);
            Ok(Arc::new(store.map_err(|error| error.to_string())?))
        };
        match self.open.get_or_init(open) {
            Ok(store) => Ok(Arc::clone(store)),
            Err(error) => Err(error.clone()),
        }
    }
}

impl Remotes {
    /// The modules that `lock` pins.
    pub(crate) fn new(
        policy: Policy,
        lock: &Lock,
        network: &Arc<Network>,
        cache: &Arc<Cache>,
    ) -> Self {
        let pins = lock.modules().iter();
        let pins = pins.map(|module| (module.address.clone(), module.clone()));
        Self {
            policy,
            network: Arc::clone(network),
            cache: Arc::clone(cache),
            state: Mutex::new(State {
                pins: pins.collect(),
                answers: BTreeMap::new(),
            }),
        }
    }

    /// No modules at all.
    #[cfg(test)]
    pub(crate) fn none() -> Arc<Self> {
        let cache = Arc::new(Cache::later(None));
        let network = Arc::new(Network::new(true, Arc::default()));
        Arc::new(Self::new(
            Policy::Pinned,
            &Lock::default(),
            &network,
            &cache,
        ))
    }

    /// The text of the module at `address`.
    ///
    /// # Errors
    /// Why it can't be had, in words for the user.
    pub(crate) fn module(&self, address: &str) -> Result<String, String> {
        let mut state = self.state();
        if let Some(answer) = state.answers.get(address) {
            return answer.clone();
        }
        let pin = state.pins.get(address).cloned();
        let answer = self.look_up(address, pin.as_ref());
        let answer = answer.and_then(|(text, module)| {
            // An address that the lock can't hold can't be pinned.
            let kept = Lock::default().pin_module(module.clone());
            kept.map_err(|error| error.to_string())?;
            state.pins.insert(address.to_owned(), module);
            Ok(text)
        });
        state.answers.insert(address.to_owned(), answer.clone());
        answer
    }

    /// The pins of the modules that were asked for and are there.
    pub(crate) fn used(&self) -> Vec<LockedModule> {
        let state = self.state();
        let good = state.answers.iter().filter(|(_, answer)| answer.is_ok());
        good.filter_map(|(address, _)| state.pins.get(address).cloned())
            .collect()
    }

    /// The addresses that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state().answers.keys().cloned().collect()
    }

    /// Writes the pins of what was used into `lock`.
    pub(crate) fn pin(&self, lock: &mut Lock) -> Result<(), Problem> {
        for module in self.used() {
            lock.pin_module(module)
                .map_err(|error| Problem::new(error.to_string()))?;
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn look_up(
        &self,
        address: &str,
        pin: Option<&LockedModule>,
    ) -> Result<(String, LockedModule), String> {
        let pin = pin.filter(|_| self.policy != Policy::Update);
        let Some(pin) = pin else {
            match self.policy {
                Policy::Add | Policy::Update => {}
                Policy::Locked => {
                    return Err(
                        "imgc.lock has no pin of it, and --locked forbids adding one; run \
                         it without --locked"
                            .to_owned(),
                    );
                }
                Policy::Pinned => {
                    return Err("imgc.lock has no pin of it: `imgc update` adds one".to_owned());
                }
            }
            let bytes = fetch::fetch(&self.network, address, None)?;
            let module = LockedModule {
                address: address.to_owned(),
                sha256: Sha256::of(&bytes),
                size: bytes.len() as u64,
            };
            self.keep(&bytes)?;
            return Ok((text(bytes)?, module));
        };
        let digest = BlobDigest::from_bytes(*pin.sha256.as_bytes());
        let kept = self.cache.store()?.read(&digest, MAX_MODULE);
        if let Some(bytes) = kept.map_err(|error| error.to_string())? {
            return Ok((text(bytes)?, pin.clone()));
        }
        if self.network.is_offline() {
            return Err("it is not in the store, and the network is switched off".to_owned());
        }
        let bytes = fetch::fetch(&self.network, address, Some(pin))?;
        let found = BlobDigest::of(&bytes);
        if found != digest {
            return Err(format!(
                "it has changed: imgc.lock pins {digest}, and {found} came; if the change is \
                 wanted, run `imgc update`"
            ));
        }
        self.keep(&bytes)?;
        Ok((text(bytes)?, pin.clone()))
    }

    fn keep(&self, bytes: &[u8]) -> Result<(), String> {
        let kept = self.cache.store()?.put(bytes);
        kept.map(drop).map_err(|error| error.to_string())
    }
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".to_owned())
}
