//! From a derivation to its output: asked of the store first, made once.

use serde::Serialize;
use serde::de::DeserializeOwned;

use imgc_plan::{Action, Derivation};
use imgc_store::{BlobDigest, Store, StoreError};

use crate::{BuildError, Event, Events};

/// What a derivation yields: a record of the blobs that it made.
pub(crate) trait Output: Serialize + DeserializeOwned {
    /// Every blob that must be in the store for the record to count, and its size.
    fn blobs(&self) -> Vec<(BlobDigest, u64)>;
}

/// Asks the store for the output of `action`, and makes it where it isn't there.
///
/// One thread of one process makes an output at a time; whoever waited finds it
/// made. `name` says in messages what it is about. `make` must depend on nothing
/// but what `action` names, and must not ask for the same derivation.
///
/// # Errors
/// What `make` says, or the store.
pub(crate) fn realise<T: Output>(
    store: &dyn Store,
    events: &dyn Events,
    (kind, abi, action): (&'static str, u32, Action),
    name: &str,
    make: impl FnOnce() -> Result<T, BuildError>,
) -> Result<T, BuildError> {
    let key = Derivation { abi, action }.digest();
    let find = || -> Result<Option<T>, StoreError> {
        let Some(record) = store.action(&key)? else {
            return Ok(None);
        };
        // A record of another shape is as good as none.
        let Ok(output) = serde_json::from_slice::<T>(&record) else {
            return Ok(None);
        };
        for (digest, size) in output.blobs() {
            if store.contains(&digest)? != Some(size) {
                return Ok(None);
            }
        }
        Ok(Some(output))
    };
    if let Some(output) = find()? {
        events.event(Event::Reuse { kind });
        return Ok(output);
    }
    let _lock = store.lock(&key)?;
    if let Some(output) = find()? {
        events.event(Event::Reuse { kind });
        return Ok(output);
    }
    events.event(Event::Realise {
        kind,
        name: name.to_owned(),
    });
    let output = make()?;
    let record = serde_json::to_vec(&output).expect("an output is plain data");
    store.record(&key, &record)?;
    Ok(output)
}
