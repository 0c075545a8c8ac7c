//! `imgc cat`: a file of an image, byte for byte.

use std::io::{self, Write as _};

use imgc_oci::read::{Limits, ReadError};
use imgc_tree::{Kind, TreePath};

use super::open::Looking;
use super::words;
use crate::cli::CatArgs;
use crate::describe::Problem;
use crate::terminal::{Failure, Terminal};

/// Writes a file of an image to standard output.
pub(crate) fn run(args: &CatArgs, terminal: &Terminal) -> Result<(), Failure> {
    let looking = Looking::new(&args.look, terminal);
    let held = looking.hold(&args.image)?;
    let image = held.open()?;
    let tree = held.contents(&image)?.tree;
    let wanted =
        TreePath::new(args.path.as_bytes()).map_err(|error| Failure::Usage(error.to_string()))?;
    let real = tree.resolve(&wanted).ok_or_else(|| {
        let shown = words::path(&wanted);
        Problem::new(format!("{shown} leads through more than 40 links"))
    })?;
    let Some(node) = tree.get(&real) else {
        let problem = words::absent(&tree, &real);
        let problem = match real == wanted {
            true => problem,
            false => problem.note(format!("{} leads there", words::path(&wanted))),
        };
        return Err(problem.into());
    };
    let Kind::Regular(content) = &node.kind else {
        let (shown, kind) = (words::path(&real), words::kind(node));
        let problem = Problem::new(format!("{shown} is a {kind}, and no file"));
        let names: Vec<String> = tree
            .children(&real)
            .take(8)
            .map(|(path, _)| words::path(path))
            .collect();
        return Err(match names.is_empty() {
            true => problem,
            false => problem
                .note(format!("in it is {}", names.join(", ")))
                .help("imgc ls says what a folder has"),
        }
        .into());
    };
    let mut out = io::stdout().lock();
    let read = image.visit(&[content], &Limits::IMAGE, &mut |_, body| {
        io::copy(body, &mut out)?;
        out.flush()
    });
    match read {
        Ok(()) => Ok(()),
        // Whoever reads has seen enough.
        Err(ReadError::Taking(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(ReadError::Taking(error)) => {
            Err(Problem::new(format!("can't write the result: {error}")).into())
        }
        Err(error) => Err(held.problem(&error).into()),
    }
}
