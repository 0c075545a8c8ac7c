//! The command line, continued: what somebody asks who begins with imgc. Nothing is done here.

use std::path::PathBuf;

use clap::Args;

/// `imgc completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

/// `imgc man`.
#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The folder for the pages of all commands. Default: only the main page, to standard
    /// output.
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
}
