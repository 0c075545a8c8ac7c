//! Entries of a tar archive.

use std::io::{self, Read};

use imgc_layer::{ItemKind, TarReader};

use super::bounded::fault;
use super::{ExtractError, Fault, Kind, Sink};

/// Gives `sink` every entry.
pub(super) fn read(input: impl Read, sink: &mut Sink<'_>) -> Result<(), Fault> {
    let mut tar = TarReader::new(input);
    while let Some(item) = tar.next_item().map_err(|error| fault(&error))? {
        let kind = match item.kind {
            ItemKind::Directory => Kind::Directory,
            ItemKind::Regular => Kind::Regular,
            ItemKind::Symlink(target) => Kind::Symlink(target),
            ItemKind::HardLink(target) => Kind::HardLink(target),
            ItemKind::CharDevice { .. } | ItemKind::BlockDevice { .. } | ItemKind::Fifo => {
                Kind::Other
            }
        };
        sink.entry(&item.path, item.meta.mode, kind, &mut tar.body())?;
    }
    if !tar.is_ended() {
        return Err(ExtractError::Damaged("it ends too early".to_owned()).into());
    }
    // The decompressor's own checks are behind the last byte.
    let rest = io::copy(&mut tar.into_inner(), &mut io::sink());
    rest.map_err(|error| fault(&error))?;
    Ok(())
}
