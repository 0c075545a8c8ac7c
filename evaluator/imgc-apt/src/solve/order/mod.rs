//! The order of installation: what apt asks of dpkg, and what dpkg makes of it.
//!
//! The order decides which package's script makes the next user, so an image that
//! is to equal a debootstrapped system needs the very order of one. It has two
//! halves. [`calls`] is apt's: from control fields alone, in which calls of dpkg
//! packages are unpacked and configured. [`Dpkg`] is dpkg's: within the calls, in
//! which order packages are configured and triggers processed. That depends on
//! what the scripts do, so its caller reports it. Neither half knows a tree.

mod calls;
mod control;
mod cycles;
mod dpkg;
mod graph;
mod sorting;

#[cfg(test)]
mod tests;

pub(super) use calls::{Phases, calls, unpacking};
pub use control::{Control, ControlError};
pub use dpkg::{Action, Dpkg};

/// One run of dpkg. Packages are positions in [`Solution::packages`].
///
/// [`Solution::packages`]: crate::Solution::packages
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// This package counts as installed from the start, although it is unpacked only
    /// later: what it stands for is true of a new system.
    Assume(usize),
    /// The files of these packages are put in place, in this order, with no script
    /// run and no database written. What they need to run at all is then there.
    Extract(Vec<usize>),
    /// `dpkg --install --force-depends`: all are unpacked, in this order, then all
    /// are configured, then triggers are processed.
    Install(Vec<usize>),
    /// `dpkg --no-triggers --unpack`, in this order.
    Unpack(Vec<usize>),
    /// `dpkg --no-triggers --configure` of these.
    Configure(Vec<usize>),
    /// `dpkg --configure --pending`: what is unpacked is configured, then triggers
    /// are processed.
    Pending,
}

impl Call {
    /// The same with other numbers: `places` has for each number the new one.
    ///
    /// # Panics
    /// Where it has too few.
    pub fn renamed(self, places: &[usize]) -> Self {
        let rename = |all: Vec<usize>| all.into_iter().map(|at| places[at]).collect();
        match self {
            Self::Assume(at) => Self::Assume(places[at]),
            Self::Extract(all) => Self::Extract(rename(all)),
            Self::Install(all) => Self::Install(rename(all)),
            Self::Unpack(all) => Self::Unpack(rename(all)),
            Self::Configure(all) => Self::Configure(rename(all)),
            Self::Pending => Self::Pending,
        }
    }
}
