//! apt's job without effects: trust, indices, versions, solving, the lock.
//!
//! Bytes come in and values go out: this crate opens no file, no connection, and
//! asks no clock. The order of the work is its caller's:
//!
//! 1. [`archives`] says which archives a suite has.
//! 2. [`Release::verify`] checks and reads the `InRelease` of each.
//! 3. [`Index::parse_packed`] checks and reads the index that it names.
//! 4. [`solve`] chooses packages.
//! 5. [`Lock::insert`] pins them.

mod archives;
mod clearsign;
mod depends;
mod index;
mod keys;
mod lock;
mod release;
mod sha256;
mod solve;
mod stanza;
mod time;
mod version;

pub use archives::{ArchiveError, ArchiveSource, SUITES, UnknownSuite, archives, archives_of};
pub use clearsign::{MAX_SIGNED, Reason, Rejected, TrustError};
pub use depends::{Constraint, Group, Operator, Relation, RelationError, Relations, Restriction};
pub use index::{Index, IndexError, MAX_INDEX, MultiArch, Package};
pub use keys::{Keyring, KeyringError, MAX_KEYRING};
pub use lock::{
    ArchiveKey, Controlled, LOCK_VERSION, Lock, LockError, LockedArchive, LockedBase, LockedBlob,
    LockedIndex, LockedLayer, LockedModule, PackageKey, Pin, Set, Vouched,
};
pub use release::{Expect, IndexFile, Release, ReleaseError};
pub use sha256::{Checksums, Sha256, Sha256Error};
pub use solve::{
    Action, Asked, AskedArchive, Because, Call, Conflict, Control, ControlError, Dpkg, Keep, Link,
    Node, NodeNeed, Offer, Request, Selected, Solution, SolveError, Variant, Wish, graph, solve,
    solve_keeping, solve_over, unknown,
};
pub use stanza::StanzaError;
pub use time::{Epoch, parse_rfc3339};
pub use version::{Version, VersionError, check as check_version, compare as compare_versions};
