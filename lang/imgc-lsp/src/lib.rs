//! The language server: what editors ask over LSP, answered by `imgc-ide`.
//!
//! The only crate that knows LSP and JSON-RPC. It reads no disk and looks at no clock: what
//! it needs of the machine comes in through [`Host`]. It builds nothing and asks no network.

mod answers;
mod capabilities;
mod convert;
mod diagnostics;
mod documents;
mod notices;
mod projects;
mod publish;
mod requests;
mod server;
mod snap;
mod stdio;
mod tokens;
mod uri;
mod workers;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use imgc_diag::Diagnostic;
use imgc_diag::codes::Code;
use imgc_eval::{Origins, World};
use imgc_ide::{BuiltLayer, Catalogue, PlannedImage};
use imgc_plan::Plan;

pub use lsp_server::Connection;
pub use server::{ServeError, serve};

/// What the server asks of its machine.
pub trait Host: Send + Sync {
    /// The project that a file is in, whether the file is there or not. `None`: there can
    /// be none at that path.
    fn project(&self, file: &Path) -> Option<Project>;

    /// What is known of packages in a project, asked again when its locks may have changed.
    fn catalogue(&self, root: &Path) -> Arc<dyn Catalogue>;

    /// The `.img` files of a folder and of those in it.
    fn files(&self, folder: &Path) -> Vec<PathBuf>;

    /// A file with the text of a module of imgc, `std/…`, for people to read.
    fn std_file(&self, module: &str) -> Option<PathBuf>;

    /// The layers of an image, lowest first, if it has been built as it is described now.
    /// `file` is the file that describes it. Nothing is built.
    fn built(&self, file: &Path, image: &PlannedImage) -> Option<Vec<BuiltLayer>> {
        let _ = (file, image);
        None
    }

    /// What is wrong with the images of a file that only those know who build them, and know
    /// without building. `world` has the files of its project.
    fn further(
        &self,
        file: &Path,
        world: &dyn World,
        plan: &Plan,
        origins: &Origins,
    ) -> Vec<Diagnostic> {
        let _ = (file, world, plan, origins);
        Vec::new()
    }

    /// The address of the page of a code.
    fn code_page(&self, code: Code) -> Option<String>;
}

/// A project on the machine.
pub struct Project {
    /// Its root, absolute: files are known by their paths from there.
    pub root: PathBuf,
    /// Its files.
    pub world: Arc<dyn World>,
}

impl std::fmt::Debug for Project {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Project")
            .field("root", &self.root)
            .finish_non_exhaustive()
    }
}

/// Serves the editor at standard input and output until it says that that is all.
///
/// # Errors
/// [`ServeError`] where the editor breaks the protocol, or goes away without a word.
pub fn serve_stdio(host: Arc<dyn Host>) -> Result<(), ServeError> {
    let input = std::io::BufReader::new(std::io::stdin());
    let connected = stdio::connect(input, std::io::stdout());
    let (connection, threads) = connected.map_err(|error| ServeError(error.to_string()))?;
    let served = serve(connection, host);
    // Why nothing more came says more than that nothing did.
    threads.join()?;
    served
}
