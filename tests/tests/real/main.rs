//! The examples, built from a live mirror, in the hands of programs that nobody here
//! wrote: podman with runc, docker, skopeo, umoci, crane, dpkg, apt, mmdebstrap.
//!
//! `tests/run` installs them and runs this as root. What is missing is a failure.
#![expect(
    clippy::disallowed_methods,
    reason = "tests start processes and read what they wrote"
)]

mod accounts;
mod bases;
mod clients;
mod edited;
mod emacs;
mod engines;
mod fidelity;
mod layers;
mod linked;
mod look;
mod mirror;
mod neovim;
mod oracle;
mod place;
mod platforms;
mod podman;
mod recipes;
mod registry;
mod running;
mod same;
mod software;
mod solver;
mod trouble;
mod trust;
mod versions;
