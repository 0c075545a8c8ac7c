//! Services: deb-systemd-helper, systemctl, update-rc.d, sysusers, tmpfiles and their like.

mod deb_systemd_helper;
mod deb_systemd_invoke;
mod enable;
mod pam;
mod systemctl;
mod units;
mod update_rc;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    deb_systemd_helper::NATIVES,
    deb_systemd_invoke::NATIVES,
    pam::NATIVES,
    systemctl::NATIVES,
    update_rc::NATIVES,
];
