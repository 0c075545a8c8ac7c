//! From a derivation to its output: asked of the store first, made once.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use imgc_plan::{Action, Derivation, DrvDigest};
use imgc_store::{BlobDigest, KeyLock, Sealed, Store, StoreError};

use crate::why::{self, Why};
use crate::{BuildError, Builder, Event};

/// What a derivation yields: a record of the blobs that it made.
pub(crate) trait Output: Serialize + DeserializeOwned {
    /// Every blob that must be in the store for the record to count, and its size.
    fn blobs(&self) -> Vec<(BlobDigest, u64)>;
}

/// What a derivation is about, for people.
pub(crate) struct About<'a> {
    /// What it makes: `unpack`, `install`, `files`, `image`.
    pub(crate) kind: &'static str,
    /// Whose: a package, an image.
    pub(crate) name: &'a str,
    /// What it is made of, as far as somebody who asks why it is made anew wants to know.
    /// Null where the answer is always that it was never made.
    pub(crate) said: Value,
}

/// The output of `action`, if the store has it.
///
/// # Errors
/// The store's.
pub(crate) fn find<T: Output>(
    store: &dyn Store,
    abi: u32,
    action: Action,
) -> Result<Option<T>, StoreError> {
    let key = Derivation { abi, action }.digest();
    Ok(found(store, &key)?.ok())
}

/// Records an output under the digest of `action` too.
///
/// # Errors
/// The store's.
pub(crate) fn remember<T: Output>(
    store: &dyn Store,
    abi: u32,
    action: Action,
    output: &T,
) -> Result<(), StoreError> {
    let key = Derivation { abi, action }.digest();
    let record = serde_json::to_vec(output).expect("an output is plain data");
    store.record(&key, &record)
}

/// Asks the store for the output of `action`, and makes it where it isn't there.
///
/// One thread of one process makes an output at a time; whoever waited finds it
/// made. `make` must depend on nothing but what `action` names, and must not ask for the
/// same derivation.
///
/// # Errors
/// What `make` says, or the store.
pub(crate) fn realise<T: Output>(
    builder: &Builder<'_>,
    asked: (u32, Action),
    about: About<'_>,
    make: impl FnOnce() -> Result<T, BuildError>,
) -> Result<T, BuildError> {
    let made = make_unkept(builder, asked, about, || Ok((make()?, Vec::new())))?;
    made.publish()?.record(builder.store)
}

/// An output that was found or made, and if it was made, what is to be done before it counts.
pub(crate) struct Unkept<T> {
    output: T,
    new: Option<New>,
}

/// What a new output needs before anyone finds it.
struct New {
    key: DrvDigest,
    sealed: Vec<Sealed>,
    /// What is remembered of it for whoever asks why it is made again: its kind, its name and
    /// what it was made of.
    said: (&'static str, String, Value),
    /// Nobody else makes it meanwhile.
    _lock: KeyLock,
}

impl<T: Output> Unkept<T> {
    /// Publishes the blobs that were sealed for it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn publish(mut self) -> Result<Self, BuildError> {
        let sealed = self.new.iter_mut().flat_map(|new| new.sealed.drain(..));
        for sealed in sealed {
            sealed.publish()?;
        }
        Ok(self)
    }

    /// Records the output, whose blobs are published, and gives it.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn record(self, store: &dyn Store) -> Result<T, BuildError> {
        if let Some(new) = &self.new {
            let record = serde_json::to_vec(&self.output).expect("an output is plain data");
            store.record(&new.key, &record)?;
            let (kind, name, said) = &new.said;
            why::remember(store, kind, name, said)?;
        }
        Ok(self.output)
    }
}

/// As [`realise`], but what is made is not recorded yet. `make` may give blobs that are only
/// sealed. Whoever makes many such outputs publishes and records them together: they are
/// flushed to the disk together then, beside other work.
///
/// # Errors
/// As [`realise`].
pub(crate) fn make_unkept<T: Output>(
    builder: &Builder<'_>,
    (abi, action): (u32, Action),
    about: About<'_>,
    make: impl FnOnce() -> Result<(T, Vec<Sealed>), BuildError>,
) -> Result<Unkept<T>, BuildError> {
    let Builder { store, events, .. } = *builder;
    let About { kind, name, said } = about;
    builder.check_stop()?;
    let key = Derivation { abi, action }.digest();
    let reuse = || events.event(Event::Reuse { kind });
    if let Ok(output) = found(store, &key)? {
        reuse();
        return Ok(Unkept { output, new: None });
    }
    let lock = store.lock(&key)?;
    let gone = match found(store, &key)? {
        Ok(output) => {
            reuse();
            return Ok(Unkept { output, new: None });
        }
        Err(gone) => gone,
    };
    events.event(Event::Realise {
        kind,
        name: name.to_owned(),
        key,
        why: match gone {
            Some(blob) => Why::Gone(blob),
            None => why::why(store, kind, name, &said)?,
        },
    });
    let made = make();
    events.event(Event::Realised {
        kind,
        name: name.to_owned(),
    });
    let (output, sealed) = made?;
    let new = New {
        key,
        sealed,
        said: (kind, name.to_owned(), said),
        _lock: lock,
    };
    Ok(Unkept {
        output,
        new: Some(new),
    })
}

/// The output that is recorded under a key; else, if there is a record, the blob of it that
/// is missing.
fn found<T: Output>(
    store: &dyn Store,
    key: &DrvDigest,
) -> Result<Result<T, Option<BlobDigest>>, StoreError> {
    let Some(record) = store.action(key)? else {
        return Ok(Err(None));
    };
    // A record of another shape is as good as none.
    let Ok(output) = serde_json::from_slice::<T>(&record) else {
        return Ok(Err(None));
    };
    for (digest, size) in output.blobs() {
        if store.contains(&digest)? != Some(size) {
            return Ok(Err(Some(digest)));
        }
    }
    Ok(Ok(output))
}
