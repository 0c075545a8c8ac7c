//! The binary: command line, environment, terminal, disk and network. The only
//! crate that knows them; it hands them to the others through traits.

mod allocator;
mod apt_sources;
mod beside;
mod build;
mod changes;
mod check;
mod cli;
mod cli_start;
mod describe;
mod desk;
mod doc;
mod eval;
mod examples;
mod explain;
mod explain_scripts;
mod fix;
mod fmt;
mod found;
mod graph;
mod import;
mod init;
mod lacking;
mod layers;
mod load;
mod lock_file;
mod look;
mod lsp;
mod manual;
mod network;
mod output;
mod placing;
mod plan;
mod product;
mod programs;
mod progress;
mod project;
mod push;
mod registry;
mod remote;
mod repl;
mod serve;
mod settings;
mod signals;
mod size;
mod steps;
mod store;
mod target;
mod terminal;
mod test;
mod tree;
mod update;
mod watch;
mod why;
mod work;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::terminal::Terminal;

#[global_allocator]
static ALLOCATOR: allocator::Mimalloc = allocator::Mimalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = Terminal::new(&cli.global);
    let done = match &cli.command {
        Command::Init(args) => init::run(args, &terminal),
        Command::Import(args) => import::run(args, &terminal),
        Command::Build(args) => build::run(args, &terminal),
        Command::Plan(args) => plan::run(args, &terminal),
        Command::Layers(args) => layers::run(args, &terminal),
        Command::Inspect(args) => look::inspect::run(args, &terminal),
        Command::Ls(args) => look::ls::run(args, &terminal),
        Command::Cat(args) => look::cat::run(args, &terminal),
        Command::Diff(args) => look::diff::run(args, &terminal),
        Command::Pull(args) => look::pull::run(args, &terminal),
        Command::Export(args) => look::export::run(args, &terminal),
        Command::Load(args) => load::run(args, &terminal),
        Command::Push(args) => push::run(args, &terminal),
        Command::Serve(args) => serve::run(args, &terminal),
        Command::Update(args) => update::run(args, &terminal),
        Command::Outdated(args) => update::outdated(args, &terminal),
        Command::Why(args) => why::run(args, &terminal),
        Command::Tree(args) => tree::run(args, &terminal),
        Command::ExplainScripts(args) => explain_scripts::run(args, &terminal),
        Command::Store(args) => store::run(args, &terminal),
        Command::Fmt(args) => fmt::run(args, &terminal),
        Command::Check(args) => check::run(args, &terminal),
        Command::Test(args) => test::run(args, &terminal),
        Command::Eval(args) => eval::run(args, &terminal),
        Command::Repl(args) => repl::run(args, &terminal),
        Command::Lsp => lsp::run(&terminal),
        Command::Doc(args) => doc::run(args, &terminal),
        Command::Explain { code } => explain::run(code.as_deref(), &terminal),
        Command::Completions(args) => manual::completions(args, &terminal),
        Command::Man(args) => manual::pages(args, &terminal),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit_code()
        }
    }
}
