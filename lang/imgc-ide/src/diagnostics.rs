//! What is wrong in all files. The words are those of the language; nothing is added here.

use std::collections::BTreeMap;

use imgc_diag::{Diagnostic, FileId};
use imgc_eval::Snapshot;

use crate::Answer;

/// What is wrong, by file; files without a finding are not there.
pub(crate) fn diagnostics(snapshot: Snapshot) -> Answer<BTreeMap<FileId, Vec<Diagnostic>>> {
    snapshot.check()
}

/// What is wrong with one file, as far as that file alone tells.
pub(crate) fn of_file(snapshot: Snapshot, file: &FileId) -> Answer<Vec<Diagnostic>> {
    snapshot.check_file(file)
}
