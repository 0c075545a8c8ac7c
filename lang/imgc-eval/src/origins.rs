//! Where the parts of a plan are written.
//!
//! A side table: places never enter the plan, so that reformatting a file changes
//! no plan. Later stages look here for the text to point at.

use std::collections::BTreeMap;

use imgc_diag::Span;

/// A part of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The image itself.
    Image,
    /// What it is laid over.
    Base,
    /// Its packages as a whole.
    Packages,
    /// The suite.
    Suite,
    /// The variant.
    Variant,
    /// A package, as it is asked for.
    Package(String),
    /// An archive beside those of the suite, by its distribution.
    Archive(String),
    /// A user, by name.
    User(String),
    /// A group, by name.
    Group(String),
    /// A file, by its absolute path in the image. What a copied folder holds is
    /// written where the folder is.
    File(String),
    /// What `attributes` says of a path, by its absolute path in the image.
    Attributes(String),
    /// A field of `config`, by its name.
    Config(String),
    /// The digest of a file that is fetched: its 64 hexadecimal digits.
    Fetched(String),
}

/// For every part of every image, where it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    places: BTreeMap<String, BTreeMap<Place, Span>>,
    fields: BTreeMap<String, String>,
}

impl Origins {
    /// Where a part of the image named `image` is written. A part that was said
    /// more than once has its first place.
    pub fn get(&self, image: &str, place: &Place) -> Option<&Span> {
        self.places.get(image)?.get(place)
    }

    /// Every part, by image and place.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Place, &Span)> {
        self.places.iter().flat_map(|(image, places)| {
            places
                .iter()
                .map(move |(p, span)| (image.as_str(), p, span))
        })
    }

    /// Where the package of that name is asked for, in whatever way: `curl=8.14.1-2` is
    /// the package `curl`.
    pub fn package(&self, image: &str, name: &str) -> Option<&Span> {
        let places = self.places.get(image)?;
        let named = |place: &Place| match place {
            Place::Package(asked) => asked
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', '/', ':'])),
            _ => false,
        };
        let mut found = places.iter().filter(|(place, _)| named(place));
        found.next().map(|(_, span)| span)
    }

    /// The field of the file's record that the image named `image` stands in. `None`: the
    /// file is the image, or there is no such image.
    pub fn field(&self, image: &str) -> Option<&str> {
        self.fields.get(image).map(String::as_str)
    }

    /// Takes over where the image named `image` is written in `others`, for one named `to`.
    pub(crate) fn copy(&mut self, others: &Self, image: &str, to: &str) {
        if let Some(places) = others.places.get(image) {
            self.places.insert(to.to_owned(), places.clone());
        }
        if let Some(field) = others.fields.get(image) {
            self.fields.insert(to.to_owned(), field.clone());
        }
    }

    pub(crate) fn insert_field(&mut self, image: String, field: String) {
        self.fields.insert(image, field);
    }

    pub(crate) fn insert(&mut self, image: &str, place: Place, span: Span) {
        let places = self.places.entry(image.to_owned()).or_default();
        places.entry(place).or_insert(span);
    }
}
