//! In what order dpkg does what: the lock's calls, and dpkg's own order within them.

use std::collections::BTreeSet;

use imgc_apt::{Action, Call, Control, ControlError, Dpkg};
use imgc_dpkg::{Fragment, Schedule, Step};

/// dpkg's own order, as the installation asks for it.
#[derive(Debug)]
pub(crate) struct Order<'a>(Dpkg<'a>);

impl<'a> Order<'a> {
    /// The order in which `calls` install the fragments. The first `there` of them are
    /// installed already, and `calls` name the others from 0 on.
    ///
    /// # Errors
    /// Where a fragment's control file can't be read; its name comes with the error.
    pub(crate) fn new(
        fragments: &[&'a Fragment],
        there: usize,
        calls: &[Call],
        arch: &'a str,
    ) -> Result<Self, (String, ControlError)> {
        let mut controls = Vec::with_capacity(fragments.len());
        for fragment in fragments {
            let control = Control::parse(&fragment.control, arch);
            controls.push(control.map_err(|error| (fragment.package.qualified(), error))?);
        }
        let silent: BTreeSet<usize> = (0..fragments.len())
            .filter(|&index| fragments[index].file("postinst").is_none())
            .collect();
        let places: Vec<usize> = (there..fragments.len()).collect();
        let before = (0..there).map(Call::Assume);
        let calls = calls.iter().map(|call| call.clone().renamed(&places));
        let calls: Vec<Call> = before.chain(calls).collect();
        Ok(Self(Dpkg::new(controls, &calls, &silent)))
    }
}

impl Schedule for Order<'_> {
    fn next(&mut self) -> Option<Step> {
        self.0.next().map(|action| match action {
            Action::Extract(index) => Step::Extract(index),
            Action::Unpack(index) => Step::Unpack(index),
            Action::Configure(index) => Step::Configure(index),
            Action::Triggers(index) => Step::Triggers(index),
        })
    }

    fn activate(&mut self, interested: usize, waiting: Option<usize>) {
        self.0.activate(interested, waiting);
    }

    fn done(&mut self) {
        self.0.done();
    }
}
