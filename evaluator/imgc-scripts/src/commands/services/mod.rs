//! Services: deb-systemd-helper, systemctl, update-rc.d, sysusers, tmpfiles and their like.

mod catalog;
mod deb_systemd_helper;
mod deb_systemd_invoke;
mod enable;
mod identity;
mod inetd;
mod invoke_rc;
mod pam;
mod postgresql;
mod specifiers;
mod sshd;
mod strings;
mod systemctl;
mod sysusers;
mod tmpfiles;
mod units;
mod update_rc;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    catalog::NATIVES,
    deb_systemd_helper::NATIVES,
    deb_systemd_invoke::NATIVES,
    identity::NATIVES,
    inetd::NATIVES,
    invoke_rc::NATIVES,
    pam::NATIVES,
    postgresql::NATIVES,
    sshd::NATIVES,
    systemctl::NATIVES,
    sysusers::NATIVES,
    tmpfiles::NATIVES,
    update_rc::NATIVES,
];
