//! Commands of web servers and languages: a2enmod and its like, py3compile.

mod apache;
mod java;
mod lighttpd;
mod python;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    apache::NATIVES,
    java::NATIVES,
    lighttpd::NATIVES,
    python::NATIVES,
];
