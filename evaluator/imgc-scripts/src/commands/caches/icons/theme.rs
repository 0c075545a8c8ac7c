//! The index of a theme's icons, `icon-theme.cache`. Numbers in it are big-endian, places
//! are counted from its start.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use crate::commands::caches::placing::Named;

/// What an icon's file is, by its ending.
const ENDINGS: &[(&[u8], u16)] = &[(b".png", 4), (b".svg", 2), (b".xpm", 1)];

/// How deep folders are looked at; links can lead round in circles.
const DEPTH: usize = 24;

/// What lies in a folder: names, in order, and whether they are folders.
pub(super) type Listing = Vec<(BString, bool)>;

/// An icon's images: folders by their numbers, and what there is in them.
type Images = Vec<(u16, u16)>;

/// The icons of a theme.
#[derive(Debug, Default)]
pub(super) struct Theme {
    pub(super) icons: Named<Images>,
    folders: Vec<BString>,
}

impl Theme {
    /// Looks at the folder `below` the theme's, which has no images itself.
    pub(super) fn scan(
        &mut self,
        list: &mut dyn FnMut(&[u8]) -> Listing,
        below: &[u8],
        depth: usize,
    ) -> Result<(), String> {
        if depth > DEPTH {
            return Err("the folders of a theme are too deep".to_owned());
        }
        let mut images = Named::default();
        let mut number = None;
        for (name, is_folder) in list(below) {
            if is_folder {
                let inner = match below {
                    b"" => name.to_vec(),
                    _ => [below, b"/", &name].concat(),
                };
                self.scan(list, &inner, depth + 1)?;
                continue;
            }
            if name.ends_with(b".icon") && !below.is_empty() {
                return Err("a file that tells of an icon is not known".to_owned());
            }
            let ending = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
            let Some((ending, flag)) = ending.filter(|_| !below.is_empty()) else {
                continue;
            };
            let icon = &name[..name.len() - ending.len()];
            let number = *number.get_or_insert_with(|| {
                self.folders.push(below.into());
                self.folders.len() - 1
            });
            let number = u16::try_from(number);
            let number = number.map_err(|_| "a theme has too many folders")?;
            images.entry(icon, || (number, 0)).1 |= flag;
        }
        for (icon, &(number, flags)) in images.iter() {
            self.icons.entry(icon, Vec::new).insert(0, (number, flags));
        }
        Ok(())
    }

    /// The bytes of the cache. An error says what can't be written.
    pub(super) fn file(&self) -> Result<Vec<u8>, String> {
        let size = buckets(self.icons.len() / 3);
        let mut buckets = vec![Vec::new(); size];
        for (name, images) in self.icons.iter() {
            if !name.iter().all(u8::is_ascii_graphic) || name.len() > 1000 {
                return Err(format!("the icon {} is not known", name.as_bstr()));
            }
            buckets[hash(name) as usize % size].insert(0, (name, images));
        }
        let mut bytes = vec![0, 1, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0];
        bytes.extend_from_slice(&place(size)?);
        let heads = bytes.len();
        bytes.resize(heads + 4 * size, 0xff);
        let mut strings = BTreeMap::new();
        for (nth, bucket) in buckets.iter().enumerate() {
            let mut before = heads + 4 * nth;
            for (name, images) in bucket {
                let start = bytes.len();
                bytes[before..before + 4].copy_from_slice(&place(start)?);
                before = start;
                bytes.extend_from_slice(&[0xff; 4]);
                bytes.extend_from_slice(&place(start + 12)?);
                strings.insert(*name, start + 12);
                let list = start + 12 + (name.len() + 1).next_multiple_of(4);
                bytes.extend_from_slice(&place(list)?);
                string(&mut bytes, name);
                bytes.extend_from_slice(&place(images.len())?);
                for (folder, flags) in *images {
                    bytes.extend_from_slice(&folder.to_be_bytes());
                    bytes.extend_from_slice(&flags.to_be_bytes());
                    bytes.extend_from_slice(&[0; 4]);
                }
            }
        }
        let start = bytes.len();
        bytes[8..12].copy_from_slice(&place(start)?);
        bytes.extend_from_slice(&place(self.folders.len())?);
        let mut at = start + 4 + 4 * self.folders.len();
        let mut names = Vec::new();
        for folder in &self.folders {
            // An icon may have the same name.
            let known = *strings.entry(folder).or_insert_with(|| {
                let here = at;
                string(&mut names, folder);
                at += (folder.len() + 1).next_multiple_of(4);
                here
            });
            bytes.extend_from_slice(&place(known)?);
        }
        bytes.extend_from_slice(&names);
        Ok(bytes)
    }
}

fn place(at: usize) -> Result<[u8; 4], String> {
    let at = u32::try_from(at).map_err(|_| "the icons are too many".to_owned())?;
    Ok(at.to_be_bytes())
}

/// A string with a null byte, up to the next word.
fn string(bytes: &mut Vec<u8>, string: &[u8]) {
    bytes.extend_from_slice(string);
    let size = (bytes.len() + 1).next_multiple_of(4);
    bytes.resize(size, 0);
}

/// The hash of an icon's name.
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0, |hash: u32, &byte| {
        hash.wrapping_mul(31)
            .wrapping_add_signed(i32::from(byte.cast_signed()))
    })
}

/// GLib's number of buckets for so many entries: the next of primes that lie apart.
fn buckets(entries: usize) -> usize {
    const PRIMES: &[usize] = &[
        11, 19, 37, 73, 109, 163, 251, 367, 557, 823, 1237, 1861, 2777, 4177, 6247, 9371, 14057,
        21089, 31627, 47431, 71143, 106_721, 160_073,
    ];
    let mut larger = PRIMES.iter().filter(|&&prime| prime > entries);
    larger.next().copied().unwrap_or(160_073)
}
