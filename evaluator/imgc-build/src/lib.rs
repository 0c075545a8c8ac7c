//! Schedules and realises the derivation graph: from a plan and a lock to images
//! in a store.
//!
//! [`Builder::pin`] fills the lock, [`Builder::build`] makes an image. The network,
//! the files of the project and whoever watches come in through traits. This crate
//! knows nothing of the language's syntax, of terminals, or of where results go.

mod abi;
mod accounts;
mod ahead;
mod archive;
mod attributes;
mod base;
mod brought;
mod budget;
mod builder;
mod error;
mod event;
mod extract;
mod fetch;
mod homes;
mod index;
mod known;
mod layering;
mod lookup;
mod mirrors;
mod order;
mod overlay;
mod own_files;
mod packages;
mod parts;
mod pin;
mod plan;
mod programs;
mod realise;
mod stated;
mod subids;
mod transport;
mod why;

pub use accounts::AccountError;
pub use base::{BaseError, Registries, RegistryError};
pub use builder::{Builder, Built, Failed, LayerContents, LayerKind, Ran, Sources};
pub use error::BuildError;
pub use event::{Event, Events};
pub use extract::ExtractError;
pub use fetch::{FetchError, Pin};
pub use imgc_dpkg::{Declined, Effect, Line, Touched};
pub use known::unknown_packages;
pub use lookup::built;
pub use mirrors::Mirrors;
pub use overlay::OverlayError;
pub use packages::{DeclinedWork, Report, Scripts, StatedWork};
pub use pin::{Pinning, request};
pub use plan::{Graph, Node, State};
pub use programs::{Lack, Program, lacking};
pub use transport::{Response, Transport, TransportError};
pub use why::Why;
