//! What an image came to, if it has been built. Nothing is built and nothing is fetched.

use imgc_apt::Lock;
use imgc_plan::Image;
use imgc_store::Store;

use crate::builder::{Built, request_action};
use crate::pin;
use crate::{Mirrors, abi, realise};

/// The image that a build of this description with this lock gives, if the store has it
/// already. `store` is asked for only where the lock has the image's packages.
pub fn built(
    image: &Image,
    lock: &Lock,
    store: impl FnOnce() -> Option<Box<dyn Store>>,
) -> Option<Built> {
    // Where they can be had does not matter.
    let pinned = pin::pins(image, lock, &Mirrors::default()).ok()?;
    let store = store()?;
    let found = realise::find(&*store, abi::IMAGE, request_action(image, &pinned));
    found.ok().flatten()
}
