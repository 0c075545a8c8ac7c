//! `imgc completions` and `imgc man`: what shells and `man` are told about the command line.
//! Made of the command line itself; says nothing of its own.

use std::io::Write as _;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use crate::beside::write_whole;
use crate::cli::Cli;
use crate::cli_start::{CompletionsArgs, ManArgs};
use crate::describe;
use crate::terminal::{Failure, Terminal};

/// Prints the completions of a shell.
pub(crate) fn completions(args: &CompletionsArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "imgc", &mut text);
    terminal.write(&String::from_utf8_lossy(&text))
}

/// Prints the main page, or writes the pages of all commands into a folder.
#[expect(clippy::disallowed_methods, reason = "this is what the user asked for")]
pub(crate) fn pages(args: &ManArgs, terminal: &Terminal) -> Result<(), Failure> {
    let mut pages = Vec::new();
    let mut command = Cli::command();
    command.build();
    collect(&command, &mut pages);
    let Some(folder) = &args.folder else {
        let main = pages.first().map(|(_, text)| text.as_slice());
        return terminal.write(&String::from_utf8_lossy(main.unwrap_or_default()));
    };
    std::fs::create_dir_all(folder).map_err(|error| describe::disk("write", folder, &error))?;
    for (name, text) in pages {
        let file = format!("{name}.1");
        write_whole(&folder.join(Path::new(&file)), |out| out.write_all(&text))?;
        terminal.result(&file)?;
    }
    Ok(())
}

/// The page of a command and those of the commands below it, named `imgc-store-gc`.
fn collect(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(command.clone())
        .title(name)
        .source(concat!("imgc ", env!("CARGO_PKG_VERSION")));
    // Nothing is written but memory.
    if man.render(&mut text).is_ok() {
        pages.push((name.to_owned(), text));
    }
    for below in command.get_subcommands() {
        if below.get_name() != "help" {
            collect(below, pages);
        }
    }
}
