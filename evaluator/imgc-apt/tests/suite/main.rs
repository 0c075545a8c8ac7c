//! The crate as its callers see it: from signed bytes to a lock, with no network.
//!
//! Archives are made and signed in the tests. Nothing here knows a real archive.

mod archive;
mod foreign;
mod locking;
mod ordering;
mod solving;
mod trust;
