//! What a page of the manual says, before it is Markdown or HTML.

/// The manual of one module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    /// `std/debian`, `lib.img`.
    pub(super) title: String,
    /// The comment that the file begins with, in Markdown.
    pub(super) text: String,
    /// The type of its value, where that is no record.
    pub(super) ty: Option<String>,
    /// Its names, under headings or without.
    pub(super) groups: Vec<(Option<String>, Vec<Entry>)>,
}

/// The manual of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// The name.
    pub(super) name: String,
    /// Its type.
    pub(super) ty: Option<String>,
    /// Whether nobody outside of the file sees it.
    pub(super) private: bool,
    /// Its comment, in Markdown.
    pub(super) text: String,
    /// A program, and what it gives.
    pub(super) example: Option<(String, String)>,
}

impl Page {
    /// Every name, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.groups.iter().flat_map(|(_, entries)| entries)
    }
}

impl Entry {
    /// `name : TYPE`, or the name alone.
    pub(super) fn signature(&self) -> String {
        match &self.ty {
            Some(ty) => format!("{} : {ty}", self.name),
            None => self.name.clone(),
        }
    }
}
