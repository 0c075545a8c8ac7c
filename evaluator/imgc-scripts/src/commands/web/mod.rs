//! Web servers, PHP, Perl, Python and Java: a2enmod, phpenmod, py3compile, keystores.

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[];
