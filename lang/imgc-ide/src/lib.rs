//! What an editor may ask, answered as plain data.
//!
//! A [`Workspace`] is one project as it is being written, on one thread. An [`Analysis`] is
//! the project at one moment, to be asked on any other. This crate knows no protocol of
//! editors, no JSON, no disk: files come in through [`imgc_eval::World`], packages through
//! [`Catalogue`]. Offsets are bytes; [`LineIndex`] makes lines and columns of them.

mod actions;
mod calls;
mod catalogue;
mod completion;
mod definition;
mod diagnostics;
mod evaluation;
mod field_uses;
mod fields;
mod folding;
mod formatting;
mod hover;
mod inlay_hints;
mod lenses;
mod line_index;
mod links;
mod literal;
mod moves;
mod references;
mod rename;
mod selection;
mod semantic_tokens;
mod signature_help;
mod sizes;
mod spine;
mod symbol;
mod symbols;
mod syntax;

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{Diagnostic, FileId};
use imgc_eval::{FileView, Overlay, Semantics, Snapshot, Workbench, World};
use imgc_syntax::{TextRange, TextSize};

pub use actions::{Action, ActionKind};
pub use calls::{Call, CallItem};
pub use catalogue::{Catalogue, NoPackages, PackageFacts, PackageName, folder_of};
pub use completion::{Completion, CompletionKind, Documented};
pub use evaluation::{Evaluator, Findings, Outcome, PlannedImage};
pub use folding::{Fold, FoldKind};
pub use formatting::{format, format_range, format_typed};
pub use hover::Hover;
pub use imgc_eval::Cancelled;
pub use inlay_hints::{Hint, HintKind};
pub use lenses::Lens;
pub use line_index::{Encoding, LineIndex, Position};
pub use links::{Link, LinkTarget};
pub use moves::Move;
pub use references::Reference;
pub use rename::RenameError;
pub use semantic_tokens::{Modifier, SemanticToken, TokenType};
pub use signature_help::Signature;
pub use sizes::{BuiltImage, BuiltLayer, LayerOf};
pub use symbols::{Symbol, SymbolKind, WorkspaceSymbol};

/// A project as it is being written.
pub struct Workspace {
    bench: Workbench,
    overlay: Arc<Overlay>,
    catalogue: Arc<dyn Catalogue>,
}

/// A project at one moment.
#[derive(Clone)]
pub struct Analysis {
    snapshot: Snapshot,
    catalogue: Arc<dyn Catalogue>,
}

/// A byte of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePosition {
    /// The file.
    pub file: FileId,
    /// The byte.
    pub offset: TextSize,
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The file.
    pub file: FileId,
    /// First and one-past-last byte.
    pub range: imgc_diag::SpanRange,
}

/// A text in the place of another, in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextEdit {
    /// What is replaced; empty for an insertion.
    pub range: TextRange,
    /// What stands there afterwards.
    pub text: String,
}

/// Edits by file. Those of one file do not overlap.
pub type Changes = BTreeMap<FileId, Vec<TextEdit>>;

/// An answer, unless the project changed before there was one.
pub type Answer<T> = Result<T, Cancelled>;

/// What the features work with.
pub(crate) struct Context<'a> {
    pub(crate) semantics: &'a Semantics,
    pub(crate) catalogue: &'a dyn Catalogue,
}

impl std::fmt::Debug for Workspace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Workspace").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Analysis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analysis").finish_non_exhaustive()
    }
}

impl Location {
    /// The piece of a file at a range.
    #[must_use]
    pub fn new(file: FileId, range: TextRange) -> Self {
        let range = range.into();
        Self { file, range }
    }

    /// First and one-past-last byte.
    #[must_use]
    pub fn text_range(&self) -> TextRange {
        TextRange::new(self.range.start.into(), self.range.end.into())
    }
}

impl Workspace {
    /// A project without files.
    ///
    /// # Errors
    /// What the system says where there are no threads to be had.
    pub fn new(world: Arc<dyn World>, catalogue: Arc<dyn Catalogue>) -> Result<Self, String> {
        let overlay = Arc::new(Overlay::over(world));
        let bench = Workbench::new(overlay.clone())?;
        Ok(Self {
            bench,
            overlay,
            catalogue,
        })
    }

    /// Adds a file, by its path from the project's root.
    pub fn add(&mut self, path: &str) {
        self.bench.add(path);
    }

    /// Takes a file away.
    pub fn remove(&mut self, path: &str) {
        self.bench.remove(path);
    }

    /// Puts a text that is not saved in the place of a file; `None` takes it away.
    pub fn set_text(&mut self, path: &str, text: Option<Arc<str>>) {
        if self.overlay.set(path, text) {
            self.bench.touch(path);
        }
    }

    /// The texts that are not saved, by path.
    pub fn texts(&self) -> BTreeMap<String, Arc<str>> {
        self.overlay.all()
    }

    /// Says that files changed on the disk.
    pub fn refresh(&mut self) {
        self.bench.refresh();
    }

    /// What is known of packages.
    pub fn catalogue(&self) -> &Arc<dyn Catalogue> {
        &self.catalogue
    }

    /// Says that what is known of packages is another now.
    pub fn set_catalogue(&mut self, catalogue: Arc<dyn Catalogue>) {
        self.catalogue = catalogue;
    }

    /// The project as it is now. What is being answered about an earlier one ends: if anything
    /// has changed, this waits until every [`Analysis`] of it is gone. So none may be kept on
    /// this thread.
    pub fn analysis(&mut self) -> Analysis {
        Analysis {
            snapshot: self.bench.snapshot(),
            catalogue: self.catalogue.clone(),
        }
    }
}

/// Declares the questions that are about one file.
macro_rules! questions {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $ty:ty),*) -> $answer:ty = $path:path;)*) => {
        impl Analysis {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`Cancelled`] where the project changes before there is an answer.
                pub fn $name(&self, file: &FileId $(, $argument: $ty)*) -> Answer<$answer> {
                    self.on_file(file, |context, view| $path(context, view $(, $argument)*))
                }
            )*
        }
    };
}

questions! {
    /// What there is to say about what stands at a byte.
    hover(offset: TextSize) -> Option<Hover> = hover::hover;
    /// What may be written at a byte.
    completions(offset: TextSize) -> Vec<Completion> = completion::completions;
    /// The function that is being called at a byte.
    signature(offset: TextSize) -> Option<Signature> = signature_help::signature;
    /// Where what stands at a byte is defined.
    definition(offset: TextSize) -> Vec<Location> = definition::definition;
    /// Every place that means what stands at a byte.
    references(offset: TextSize, with_definition: bool) -> Vec<Reference> = references::references;
    /// The places of a file that mean what stands at a byte.
    highlights(offset: TextSize) -> Vec<Reference> = references::highlights;
    /// The name at a byte that could be another.
    prepare_rename(offset: TextSize) -> Result<TextRange, RenameError> = rename::prepare;
    /// The changes that give what stands at a byte another name.
    rename(offset: TextSize, name: &str) -> Result<Changes, RenameError> = rename::rename;
    /// The bindings and fields of a file, as a tree.
    symbols() -> Vec<Symbol> = symbols::of_file;
    /// What sort of thing each word of a file is.
    semantic_tokens() -> Vec<SemanticToken> = semantic_tokens::tokens;
    /// Types, versions and sizes beside what is written, in a part of a file. `built` is what
    /// is known of its images.
    inlay_hints(range: TextRange, built: &[BuiltImage]) -> Vec<Hint> = inlay_hints::hints;
    /// What can be changed at a range. `found` is what was diagnosed in the file.
    actions(range: TextRange, found: &[Diagnostic]) -> Vec<Action> = actions::actions;
    /// What can be folded.
    folds() -> Vec<Fold> = folding::folds;
    /// The ranges around a byte, the smallest first.
    selections(offset: TextSize) -> Vec<TextRange> = selection::selections;
    /// The paths and modules of a file, and where they lead.
    links() -> Vec<Link> = links::links;
    /// The images of a file, which can be built, and what they came to. `built` is what is
    /// known of them.
    lenses(built: &[BuiltImage]) -> Vec<Lens> = lenses::lenses;
    /// The function at a byte.
    callable(offset: TextSize) -> Option<CallItem> = calls::item;
    /// Who calls the function whose name stands at a byte.
    callers(offset: TextSize) -> Vec<Call> = calls::callers;
    /// What the function calls whose name stands at a byte.
    callees(offset: TextSize) -> Vec<Call> = calls::callees;
}

impl Analysis {
    /// Everything that is wrong, without evaluation.
    ///
    /// # Errors
    /// [`Cancelled`] where the project changes before there is an answer.
    pub fn diagnostics(&self) -> Answer<BTreeMap<FileId, Vec<Diagnostic>>> {
        diagnostics::diagnostics(self.snapshot.clone())
    }

    /// What is wrong with one file, as far as that file alone tells: at once, also where
    /// there are very many others.
    ///
    /// # Errors
    /// As [`Analysis::diagnostics`].
    pub fn file_diagnostics(&self, file: &FileId) -> Answer<Vec<Diagnostic>> {
        diagnostics::of_file(self.snapshot.clone(), file)
    }

    /// The top-level bindings of all files whose names are like `query`.
    ///
    /// # Errors
    /// As [`Analysis::diagnostics`].
    pub fn workspace_symbols(&self, query: &str) -> Answer<Vec<WorkspaceSymbol>> {
        self.ask(|context| symbols::in_workspace(context, query))
    }

    /// What there is to say about a completion, in Markdown.
    ///
    /// # Errors
    /// As [`Analysis::diagnostics`].
    pub fn resolve_completion(&self, of: &Documented) -> Answer<Option<String>> {
        self.ask(|context| completion::resolve(context, of))
    }

    /// The text of a file.
    ///
    /// # Errors
    /// As [`Analysis::diagnostics`].
    pub fn text(&self, file: &FileId) -> Answer<Option<Arc<str>>> {
        self.ask(|context| context.semantics.text(file))
    }

    /// The files, the project's and those that they import.
    ///
    /// # Errors
    /// As [`Analysis::diagnostics`].
    pub fn files(&self) -> Answer<Vec<FileId>> {
        self.ask(|context| context.semantics.files())
    }

    /// The changes that keep the meaning of every path when files get other names: of the
    /// texts as they are before.
    ///
    /// # Errors
    /// As [`Analysis::diagnostics`].
    pub fn moves(&self, moves: &[Move]) -> Answer<Changes> {
        self.ask(|context| moves::changes(context, moves))
    }

    fn ask<R: Send>(&self, work: impl FnOnce(&Context<'_>) -> R + Send) -> Answer<R> {
        let catalogue = self.catalogue.clone();
        self.snapshot.clone().ask(move |semantics| {
            let catalogue = &*catalogue;
            work(&Context {
                semantics,
                catalogue,
            })
        })
    }

    fn on_file<R: Send + Nothing>(
        &self,
        file: &FileId,
        work: impl FnOnce(&Context<'_>, &FileView<'_>) -> R + Send,
    ) -> Answer<R> {
        self.ask(|context| {
            let view = context.semantics.file(file);
            view.map_or_else(R::nothing, |view| work(context, &view))
        })
    }
}

/// The answer about a file that is not there.
trait Nothing {
    fn nothing() -> Self;
}

impl<T> Nothing for Option<T> {
    fn nothing() -> Self {
        None
    }
}

impl<T> Nothing for Vec<T> {
    fn nothing() -> Self {
        Vec::new()
    }
}

impl<T> Nothing for Result<T, RenameError> {
    fn nothing() -> Self {
        Err(RenameError("there is no such file".to_owned()))
    }
}
