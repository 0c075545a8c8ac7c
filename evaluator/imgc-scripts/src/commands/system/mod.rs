//! Small commands that ask about the system or start others: env, id, uname, date, xargs.

pub(crate) mod clock;
pub(crate) mod echo;
pub(crate) mod printf;
pub(crate) mod test;
pub(crate) mod truth;

mod about;
mod as_user;
mod checks;
mod emacsen;
mod env;
mod getopt;
mod identity;
mod linux_base;
mod perl;
mod processes;
mod run_parts;
mod space;
mod update_locale;
mod which;
mod wrappers;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    about::NATIVES,
    as_user::NATIVES,
    checks::NATIVES,
    clock::NATIVES,
    echo::NATIVES,
    emacsen::NATIVES,
    env::NATIVES,
    getopt::NATIVES,
    identity::NATIVES,
    linux_base::NATIVES,
    perl::NATIVES,
    printf::NATIVES,
    processes::NATIVES,
    run_parts::NATIVES,
    space::NATIVES,
    test::NATIVES,
    truth::NATIVES,
    update_locale::NATIVES,
    which::NATIVES,
    wrappers::NATIVES,
];
