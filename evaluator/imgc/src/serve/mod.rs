//! `imgc serve`: a registry that can be read, whose images are built when they are pulled.

mod folder;
mod head;
mod server;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use imgc_oci::serve::Registry;

use crate::cli::ServeArgs;
use crate::describe::{self, Problem};
use crate::signals::Signals;
use crate::terminal::{Failure, Terminal};
use crate::work::Work;

use folder::Folder;
pub(crate) use server::{Log, Served, Server};

/// Serves a folder until a signal ends it.
pub(crate) fn run(args: &ServeArgs, terminal: &Terminal) -> Result<(), Failure> {
    let signals = Signals::block();
    let given = args.folder.as_deref().unwrap_or(Path::new("."));
    let root = given.canonicalize();
    let root = root.map_err(|error| describe::disk("read", given, &error))?;
    if !root.is_dir() {
        let problem = format!("{} is not a folder", given.display());
        let help = "imgc serve serves all `.img` files of a folder";
        return Err(Problem::new(problem).help(help).into());
    }
    let work = Work::begin(&args.work)?;
    let listener = listen(&args.listen)?;
    let store = Arc::clone(&work.store);
    let folder = Folder::new(root, work, args.locked, terminal);
    let registry = Registry::new(store, Box::new(folder));
    let log = log(terminal);
    let mut server =
        Server::start(listener, registry, log).map_err(|error| failed(&args.listen, &error))?;
    let address = server.address();
    if !address.ip().is_loopback() {
        terminal.warning(&open_to_all(address));
    }
    terminal.result(&address.to_string())?;
    signals.wait();
    server.stop();
    Ok(())
}

/// Listens where the command line says.
pub(crate) fn listen(at: &str) -> Result<TcpListener, Problem> {
    TcpListener::bind(at).map_err(|error| failed(at, &error))
}

/// A line for each request, if anybody wants to know.
pub(crate) fn log(terminal: &Terminal) -> Log {
    let terminal = terminal.clone();
    Box::new(move |served| {
        if terminal.verbose {
            terminal.line(&line(served));
        }
    })
}

/// Whatever a client sends, it is one line of plain text.
fn line(served: &Served<'_>) -> String {
    format!(
        "{} {} {} {} B {:.3} s",
        served.method.escape_default(),
        served.target.escape_default(),
        served.status,
        served.sent,
        served.took.as_secs_f64()
    )
}

fn failed(at: &str, error: &std::io::Error) -> Problem {
    let problem = Problem::new(format!("can't listen at {at}: {}", describe::plain(error)));
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            problem.help("take another port: --listen 127.0.0.1:0 takes one that is free")
        }
        _ => problem.help("name an address and a port: --listen 127.0.0.1:5000"),
    }
}

fn open_to_all(address: SocketAddr) -> Problem {
    Problem::new(format!(
        "whoever reaches {address} can read the images of this folder, and have them built"
    ))
    .note("there is no login and no encryption")
    .help(
        "on a network that others use, leave --listen out, and put a proxy with a login before it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_has_no_control_characters() {
        let served = Served {
            method: "GET",
            target: "/v2/\x1b[2J\n",
            status: 404,
            sent: 12,
            took: std::time::Duration::from_millis(1500),
        };
        let text = "GET /v2/\\u{1b}[2J\\n 404 12 B 1.500 s";
        assert_eq!(line(&served), text);
    }
}
