//! What evaluation asks of the project's files, remembered with the answers.
//!
//! An answer is an input: who asked depends on it, and is done again only when a later
//! look at the project gives another answer.

use imgc_plan::FileDigest;

use super::Db;
use crate::world::{Entry, Stat, World, WorldError};

/// A question about the file or folder at a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Question {
    /// Its kind and length.
    Stat(Box<str>),
    /// Its entries.
    List(Box<str>),
    /// The digest of its bytes, and how many they are.
    Digest(Box<str>),
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// To [`Question::Stat`].
    Stat(Result<Stat, WorldError>),
    /// To [`Question::List`].
    List(Result<Vec<Entry>, WorldError>),
    /// To [`Question::Digest`].
    Digest(Result<(FileDigest, u64), WorldError>),
}

/// A question with its answer.
#[salsa::input]
#[derive(Debug)]
pub(crate) struct Outside {
    /// The answer.
    #[returns(ref)]
    pub(crate) answer: Answer,
}

impl Question {
    /// Asks the world.
    pub(super) fn ask(&self, world: &dyn World) -> Answer {
        match self {
            Self::Stat(path) => Answer::Stat(world.stat(path)),
            Self::List(path) => Answer::List(world.list(path)),
            Self::Digest(path) => Answer::Digest(world.digest(path)),
        }
    }
}

/// As [`World::stat`].
pub(crate) fn stat(db: &dyn Db, path: &str) -> Result<Stat, WorldError> {
    match db.outside(Question::Stat(path.into())).answer(db) {
        Answer::Stat(answer) => answer.clone(),
        _ => Err(WorldError::NotFound),
    }
}

/// As [`World::list`].
pub(crate) fn list(db: &dyn Db, path: &str) -> Result<Vec<Entry>, WorldError> {
    match db.outside(Question::List(path.into())).answer(db) {
        Answer::List(answer) => answer.clone(),
        _ => Err(WorldError::NotFound),
    }
}

/// As [`World::digest`].
pub(crate) fn digest(db: &dyn Db, path: &str) -> Result<(FileDigest, u64), WorldError> {
    match db.outside(Question::Digest(path.into())).answer(db) {
        Answer::Digest(answer) => answer.clone(),
        _ => Err(WorldError::NotFound),
    }
}

/// As [`World::read`]. Depends on the digest of the whole file: what is read in parts is
/// small, or ends up in an image, which needs the digest too.
pub(crate) fn read(
    db: &dyn Db,
    path: &str,
    offset: u64,
    len: usize,
) -> Result<Vec<u8>, WorldError> {
    digest(db, path)?;
    db.world().read(path, offset, len)
}
