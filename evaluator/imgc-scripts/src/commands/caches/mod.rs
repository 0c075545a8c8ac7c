//! Caches and registries that are made of other files: libraries, certificates, types of
//! files, icons, settings, desktop entries.

pub(crate) mod der;
pub(crate) mod ldconfig;

mod desktop;
mod fonts;
mod help_tags;
mod hwdb;
mod icons;
mod info;
mod mailcap;
mod markup;
mod mime;
mod modules;
mod none;
mod placing;
mod rehash;
mod sax;
mod schemas;
mod sgml;
mod xml_catalog;

use super::Native;

/// The commands of this module's parts.
pub(crate) const NATIVES: &[&[Native]] = &[
    desktop::NATIVES,
    fonts::NATIVES,
    help_tags::NATIVES,
    hwdb::NATIVES,
    icons::NATIVES,
    info::NATIVES[0],
    info::NATIVES[1],
    ldconfig::NATIVES,
    mailcap::NATIVES,
    mime::NATIVES,
    modules::NATIVES,
    none::NATIVES,
    rehash::NATIVES,
    sax::NATIVES,
    schemas::NATIVES,
    schemas::DCONF,
    sgml::NATIVES,
    xml_catalog::NATIVES,
];
