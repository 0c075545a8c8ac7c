//! The command line, continued: what somebody asks who begins with imgc. Nothing is done here.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `imgc init`.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The project's folder; it is made where it is not there. Default: the current folder.
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<PathBuf>,
    /// What the project is.
    #[arg(long, value_enum, default_value_t = Kind::Debian, value_name = "KIND")]
    pub(crate) kind: Kind,
}

/// What a new project is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// A tool of Debian's packages.
    Debian,
    /// A static binary, with certificates and time zones, and no shell.
    Static,
    /// A web application on Debian's Python.
    Python,
    /// A web application on Debian's Node.js.
    Node,
    /// A web site, served by nginx.
    Nginx,
}

/// `imgc import`.
#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The Dockerfile; `-` is standard input. Files are looked for in its folder.
    #[arg(value_name = "DOCKERFILE")]
    pub(crate) file: PathBuf,
    /// Where to write. Default: standard output, for a file beside the Dockerfile.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The folder that COPY and ADD take files from. Default: that of the Dockerfile.
    #[arg(long, value_name = "DIR")]
    pub(crate) context: Option<PathBuf>,
    /// A value for an ARG. May be given more than once.
    #[arg(long = "build-arg", value_name = "NAME=VALUE", value_parser = crate::cli::argument)]
    pub(crate) arguments: Vec<(String, String)>,
    /// End with 1 if anything was left out.
    #[arg(long)]
    pub(crate) strict: bool,
}

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
