//! Users and groups: adduser, useradd, groupadd, passwd, getent and their like.
//!
//! They all work on the same six files of `/etc`. `table` reads and writes them, `nss`
//! answers questions about them, `ids` chooses free numbers. Backups and locks, which
//! the real programs leave beside the files, are not made.

mod adduser;
mod aging;
mod convert;
mod defs;
mod deluser;
mod fields;
mod getent;
mod gpasswd;
mod groups;
mod home;
mod ids;
pub(crate) mod nss;
pub(crate) mod options;
mod passwd;
pub(crate) mod perl;
pub(crate) mod table;
mod update_passwd;
mod useradd;
mod userdel;
mod usermod;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    adduser::NATIVES,
    aging::NATIVES,
    convert::NATIVES,
    deluser::NATIVES,
    fields::NATIVES,
    getent::NATIVES,
    gpasswd::NATIVES,
    groups::NATIVES,
    passwd::NATIVES,
    update_passwd::NATIVES,
    useradd::NATIVES,
    userdel::NATIVES,
    usermod::NATIVES,
];
