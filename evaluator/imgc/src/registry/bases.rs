//! The images of registries that others are laid over: asked for with the user's login, and
//! only where the store does not have them.

use std::sync::OnceLock;

use imgc_build::{Registries, RegistryError};
use imgc_oci::RegistryImage;
use imgc_oci::read::Files;
use imgc_plan::Base;
use imgc_store::Store;

use super::{Web, credentials, destination, named, problem};
use crate::cli::RegistryArgs;
use crate::describe::Problem;

/// Registries, spoken to when the first image is asked for.
#[derive(Debug)]
pub(crate) struct Bases {
    offline: bool,
    web: OnceLock<Web>,
}

impl Bases {
    /// Asks nobody yet.
    pub(crate) fn new(offline: bool) -> Self {
        Self {
            offline,
            web: OnceLock::new(),
        }
    }

    fn opened<'a>(
        &'a self,
        base: &Base,
        store: &'a dyn Store,
    ) -> Result<RegistryImage<'a>, Problem> {
        let reference = named(&base.to_string()).map_err(Problem::new)?;
        let login = credentials::find(&reference.host, &reference.name)?;
        let web = match self.web.get() {
            Some(web) => web,
            None => {
                let web = Web::new(self.offline, None)?;
                self.web.get_or_init(|| web)
            }
        };
        // As for modules, one on this machine has no certificate.
        let args = RegistryArgs {
            insecure: reference.is_loopback(),
            ..RegistryArgs::default()
        };
        let from = destination(&reference, &args, &login, Vec::new());
        RegistryImage::open(web, store, &from)
            .map_err(|error| problem(error, &from, &login, "read"))
    }
}

impl Registries for Bases {
    fn open<'a>(
        &'a self,
        base: &Base,
        store: &'a dyn Store,
    ) -> Result<Box<dyn Files + 'a>, RegistryError> {
        match self.opened(base, store) {
            Ok(image) => Ok(Box::new(image)),
            Err(problem) => Err(RegistryError {
                message: problem.message,
                notes: problem.notes,
                help: problem.help,
            }),
        }
    }
}
