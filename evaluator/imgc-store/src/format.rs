//! The layout of a store's folder. This page is the format; there is no code here.
//!
//! ```text
//! v1/blobs/sha256/ab/HEX    a blob, named by the SHA-256 of its bytes
//! v1/joined/ab/HEX          the parts of a blob that has no file of its own
//! v1/actions/ab/HEX         an action record, named by its derivation's digest
//! v1/locks/HEX              a lock file for each derivation that was realised
//! v1/locks/open             held while a store is opened
//! v1/locks/use              held while something is found, or while something is removed
//! v1/roots/NAME             the digest of a blob that is kept, with all that it names
//! v1/tmp/SESSION/…          files that one open store is writing
//! v1/partial/HEX            the first bytes of a blob that is being downloaded
//! v1/corrupt/HEX            the last bytes that were found under a name but were not its blob
//! ```
//!
//! `HEX` is 64 lower-case hexadecimal digits and `ab` is their first two.
//!
//! # Modes
//! Blobs and lists of parts have mode `0444`, action records `0644` and folders `0755`, whatever the
//! umask is. Folders of temporary files have mode `0700`; lock files and partial
//! downloads are made under the umask, and so are the store's own folder and those
//! above it that are missing.
//!
//! # Publishing
//! A blob is written to `tmp`, made read-only, flushed to the disk, and renamed.
//! So a name in `blobs` always has its whole contents behind it, even after a loss
//! of power. The folders of renamed blobs are flushed together, before the next
//! action record is written: a record never outlives the blobs that it names. Many blobs
//! may be written before the first of them is flushed; none has its name before it is.
//!
//! # Action records
//! One line `imgc-action 1 SHA256 SIZE`, then `SIZE` bytes whose SHA-256 it is. A
//! record is not flushed to the disk: one that is torn by a loss of power fails its
//! checksum and reads as absent, which costs a rebuild and no more.
//!
//! # Joined blobs
//! One line `imgc-joined 1 SHA256 SIZE`, then `SIZE` bytes whose SHA-256 it is: a line
//! `HEX SIZE` for each part, in order. The blob `HEX` that the list is named by is the
//! parts' bytes, one after the other. Parts have files of their own. Without one of them
//! the blob is absent. As a record, a list is not flushed.
//!
//! # Locks
//! All locks are `flock` locks of open files, so they end with their process. Lock
//! files are never removed by this version. A lock counts only if the locked file
//! still stands under its name, so that removing lock files is safe too.
//!
//! # Temporary files
//! An open store has a folder of its own in `tmp` and holds a lock on it. Whoever
//! opens the store removes the folders there that nobody holds. Making, locking
//! and removing these folders is done under the lock `locks/open`.
//!
//! Its name is `s-SECONDS-` and something random: the seconds since 1970 at which it was
//! opened. What was used since then, while it lives, is not removed.
//!
//! # Use
//! The time of modification of a blob or a record says when it was last used, to the hour:
//! whoever finds it marks it, under the lock `locks/use` shared. Whoever removes things
//! holds that lock alone, and looks at the mark again before it removes. What was used
//! longest ago goes first. A record goes with the first of its blobs.
//!
//! # Roots
//! One line, `HEX`. The blob stays, and so does every blob that it names in its text, if
//! it is JSON of at most 4 MiB, and so on.
//!
//! # Partial downloads
//! Whoever appends to a file in `partial` holds a lock on it. A finished one is
//! verified, flushed, renamed to its blob, and then made read-only: until it has left
//! `partial`, whoever waits for it there must be able to open it.
