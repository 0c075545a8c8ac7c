//! The binary: command line, environment, terminal, disk and network. The only
//! crate that knows them; it hands them to the others through traits.

mod apt_sources;
mod build;
mod cli;
mod describe;
mod explain;
mod lock_file;
mod network;
mod output;
mod progress;
mod project;
mod settings;
mod terminal;
mod update;
mod work;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::terminal::Terminal;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(&cli.global);
    let done = match &cli.command {
        Command::Build(args) => build::run(args, &terminal),
        Command::Update(args) => update::run(args, &terminal),
        Command::Explain { code } => explain::run(code.as_deref(), &terminal),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit_code()
        }
    }
}
