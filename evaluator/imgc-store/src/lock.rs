//! The right to realise one derivation. What holds it is the backend's.

use std::fmt;

/// One holder at a time, over all threads and processes that use the store. It
/// ends when this is dropped, and when the process dies.
pub struct KeyLock {
    _held: Box<dyn Send>,
}

impl KeyLock {
    pub(crate) fn new(held: impl Send + 'static) -> Self {
        Self {
            _held: Box::new(held),
        }
    }
}

impl fmt::Debug for KeyLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyLock")
    }
}
