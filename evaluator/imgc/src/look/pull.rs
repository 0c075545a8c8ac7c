//! `imgc pull`: an image of a registry into the store, and from there into another form.

use crate::cli::PullArgs;
use crate::registry;
use crate::size;
use crate::terminal::{Failure, Terminal};

use super::export::{self, Form};
use super::open::Looking;

/// Brings an image into the store, and says by which digest it is pinned.
pub(crate) fn run(args: &PullArgs, terminal: &Terminal) -> Result<(), Failure> {
    let reference = registry::named(&args.reference).map_err(Failure::Usage)?;
    let form = args.output.as_deref().map(Form::parse).transpose();
    let form = form.map_err(Failure::Usage)?;
    let looking = Looking::new(&args.look, terminal);
    args.look.work.evaluation.check_one_platform()?;
    let held = looking.hold_reference(&args.reference, &reference)?;
    let image = held.open()?;
    let (digest, fetched) = held.bring(&image)?;
    if let Some(form) = &form {
        export::write(form, &held, &image, terminal)?;
    }
    if fetched > 0 {
        terminal.line(&format!("fetched {}", size::human(fetched)));
        looking.work()?.make_room()?;
    }
    let name = format!("{}/{}", reference.host, reference.name);
    terminal.result(&format!("{name}@{digest}"))
}
