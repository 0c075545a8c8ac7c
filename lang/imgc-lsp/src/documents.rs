//! The texts that the editor has open, as it says them, change by change.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgc_ide::{Encoding, LineIndex};
use lsp_types::TextDocumentContentChangeEvent;

use crate::convert::from_position;
use crate::uri;

/// The open texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Documents {
    by_path: BTreeMap<PathBuf, Document>,
}

/// An open text.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// The version that the editor counts.
    pub(crate) version: i32,
    /// The text.
    pub(crate) text: Arc<str>,
}

impl Documents {
    /// A text is open from now on.
    pub(crate) fn open(&mut self, path: PathBuf, document: Document) {
        self.by_path.insert(path, document);
    }

    /// A text is not open any more. Says whether it was.
    pub(crate) fn close(&mut self, path: &Path) -> bool {
        self.by_path.remove(path).is_some()
    }

    /// The text at a path, if it is open.
    pub(crate) fn get(&self, path: &Path) -> Option<&Document> {
        self.by_path.get(path)
    }

    /// The version of the text at an address, if it is open.
    pub(crate) fn version(&self, uri: &lsp_types::Uri) -> Option<i32> {
        Some(self.get(&uri::path(uri)?)?.version)
    }

    /// All of them, sorted by path.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&PathBuf, &Document)> {
        self.by_path.iter()
    }

    /// Makes changes to a text, one after the other. `None`: it is not open.
    pub(crate) fn change(
        &mut self,
        path: &Path,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Option<Arc<str>> {
        let document = self.by_path.get_mut(path)?;
        let mut text = document.text.to_string();
        for change in changes {
            let Some(range) = change.range else {
                text = change.text;
                continue;
            };
            let index = LineIndex::new(&text);
            let at = |position| usize::from(index.offset(&text, from_position(position), encoding));
            let (start, end) = (at(range.start), at(range.end));
            text.replace_range(start..end.max(start), &change.text);
        }
        document.version = version;
        document.text = text.into();
        Some(document.text.clone())
    }
}
