//! From the value of a file to a plan: the images that it is, each with its name.

use std::collections::BTreeMap;

use imgc_diag::codes;
use imgc_plan::{Index, Plan};

use crate::ir::ModuleName;
use crate::options::Options;
use crate::origins::Place;
use crate::problem::Problem;
use crate::queries::Db;
use crate::site::Site;
use crate::vm::value::Value;

use super::image::{ImageValue, bad_name, is_image_name};
use super::index::IndexValue;

/// What a file that is built evaluates to.
#[derive(Debug, Clone)]
pub(crate) enum Given<'a> {
    /// One value: an image, or a record of images.
    Whole {
        /// The file's name without `.img`, which names an image that has no name.
        stem: &'a str,
        /// Where the value is written.
        site: Site,
        /// The value.
        value: &'a Value,
    },
    /// The fields of the record that the file ends in, or those that were asked for by
    /// name, in the order of the source.
    Fields {
        /// Where the record is written.
        site: Site,
        /// The name, the place and the value of each field.
        fields: Vec<(&'a str, Site, &'a Value)>,
    },
}

/// The plan, and where its parts are written: by image, in the order in which places are
/// to be looked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Gathered {
    /// The plan. It is whole when no problem is an error.
    pub(crate) plan: Plan,
    /// The image's name, the part, and its place. Of one part, the first counts.
    pub(crate) places: Vec<(String, Place, Site)>,
    /// The images that stand in fields of a record: the name of each, and the field.
    pub(crate) fields: Vec<(String, String)>,
}

/// Gathers the plan. What is wrong is added to `problems`. Values that failed are passed
/// over: they have been reported.
pub(crate) fn gather(
    db: &dyn Db,
    options: &Options,
    given: &Given<'_>,
    problems: &mut Vec<Problem<Site>>,
) -> Gathered {
    let mut gathering = Gathering {
        db,
        options,
        gathered: Gathered::default(),
        bytes: 0,
        seen: BTreeMap::new(),
    };
    match given {
        Given::Whole { stem, site, value } => {
            match value {
                Value::Failed => {}
                Value::Image(_, image) => gathering.image(stem, *site, image, problems),
                Value::Index(_, index) => gathering.index(stem, *site, index, problems),
                Value::Record(_, record) => {
                    let fields: Vec<(&str, Site, &Value)> = record
                        .iter()
                        .map(|(name, value)| {
                            let at = value.origin().map_or(*site, |origin| db.site(origin));
                            (&**name, at, value)
                        })
                        .collect();
                    gathering.fields(*site, &fields, problems);
                }
                other => {
                    let message = format!("this file is not an image, but {}", kind(other));
                    let problem = Problem::new(codes::NOT_AN_IMAGE, *site, message);
                    problems.push(problem.note(
                        "a file that is built is an image, or a record whose fields are images",
                    ));
                }
            }
        }
        Given::Fields { site, fields } => gathering.fields(*site, fields, problems),
    }
    gathering.gathered
}

/// What a value is, with an article: `a string`.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Failed => "a mistake",
        Value::Int(..) => "a number",
        Value::Bool(..) => "a truth value",
        Value::Str(..) => "a string",
        Value::Path(..) => "a path",
        Value::List(..) => "a list",
        Value::Record(..) => "a record",
        Value::Tag(..) => "a tag",
        Value::Function(..) | Value::Builtin(..) => "a function",
        Value::Data(..) => "a part of a document",
        Value::Packages(..) => "Debian packages",
        Value::File(..) => "a file",
        Value::Image(..) => "an image",
        Value::Index(..) => "an index",
    }
}

/// The name of an image or an index: its own, or that of the field or file that it stands in.
fn named(
    own: Option<&str>,
    place: &str,
    site: Site,
    what: &str,
    problems: &mut Vec<Problem<Site>>,
) -> Option<String> {
    let name = own.unwrap_or(place);
    if own.is_some() || is_image_name(name) {
        return Some(name.to_owned());
    }
    let problem = bad_name(site, place);
    problems.push(problem.help(format!("give the {what} a `name`")));
    None
}

fn twice(name: &str, site: Site, earlier: Site) -> Problem<Site> {
    let message = format!("two images are named `{name}`");
    let problem = Problem::new(codes::DUPLICATE_IMAGE, site, message);
    problem.label(earlier, "the other one is here")
}

struct Gathering<'a> {
    db: &'a dyn Db,
    options: &'a Options,
    gathered: Gathered,
    bytes: u64,
    seen: BTreeMap<String, Site>,
}

impl Gathering<'_> {
    fn fields(
        &mut self,
        site: Site,
        fields: &[(&str, Site, &Value)],
        problems: &mut Vec<Problem<Site>>,
    ) {
        if fields.is_empty() {
            let message = "this file has no image: its record is empty";
            problems.push(Problem::new(codes::NOT_AN_IMAGE, site, message));
        }
        for (name, site, value) in fields {
            match value {
                Value::Failed => {}
                Value::Image(_, image) => {
                    let before = self.gathered.plan.images.len();
                    self.image(name, *site, image, problems);
                    if let Some(image) = self.gathered.plan.images.get(before) {
                        let field = (image.name.clone(), (*name).to_owned());
                        self.gathered.fields.push(field);
                    }
                }
                Value::Index(_, index) => {
                    let before = self.gathered.plan.indexes.len();
                    self.index(name, *site, index, problems);
                    if let Some(index) = self.gathered.plan.indexes.get(before) {
                        let all = std::iter::once(&index.name).chain(&index.images);
                        let fields = all.map(|one| (one.clone(), (*name).to_owned()));
                        self.gathered.fields.extend(fields);
                    }
                }
                other => {
                    let message = format!("`{name}` is not an image, but {}", kind(other));
                    let problem = Problem::new(codes::NOT_AN_IMAGE, *site, message);
                    problems.push(
                        problem.note("a file is an image, or a record whose fields are images"),
                    );
                }
            }
        }
    }

    /// Adds an image, under its own name or that of the field or file that it stands in.
    fn image(
        &mut self,
        place: &str,
        site: Site,
        image: &ImageValue,
        problems: &mut Vec<Problem<Site>>,
    ) {
        let own = image.name.as_ref();
        let name = named(own.map(|name| &*name.value), place, site, "image", problems);
        if let Some(name) = name {
            self.add(name, site, image, problems);
        }
    }

    /// Adds an index and its images. It has its own name, or the one that all its images
    /// say, or that of the field or file that it stands in.
    fn index(
        &mut self,
        place: &str,
        site: Site,
        index: &IndexValue,
        problems: &mut Vec<Problem<Site>>,
    ) {
        let mut said = index.images.iter().map(|image| image.name.as_ref());
        let first = said.next().flatten().map(|name| &*name.value);
        let shared = first
            .filter(|first| said.all(|other| other.is_some_and(|other| other.value == **first)));
        let own = index.name.as_ref().map(|name| &*name.value).or(shared);
        let Some(name) = named(own, place, site, "index", problems) else {
            return;
        };
        if let Some(earlier) = self.seen.insert(name.clone(), site) {
            problems.push(twice(&name, site, earlier));
            return;
        }
        let mut images = Vec::new();
        for image in &index.images {
            let platform = image.platform.map(|said| said.value);
            let member = Index::member(&name, platform.unwrap_or(self.options.platform));
            images.push(member.clone());
            self.add(member, site, image, problems);
        }
        self.gathered
            .places
            .push((name.clone(), Place::Image, site));
        self.gathered.plan.indexes.push(Index {
            name,
            images,
            annotations: index.annotations.clone(),
        });
    }

    /// Adds an image of that name.
    fn add(
        &mut self,
        name: String,
        site: Site,
        image: &ImageValue,
        problems: &mut Vec<Problem<Site>>,
    ) {
        // An image that stands in several fields is in the plan as often.
        self.bytes = self.bytes.saturating_add(image.bytes() as u64);
        if self.bytes > self.options.limits.bytes {
            let message = "the images of this file take more memory than is allowed";
            problems.push(Problem::new(codes::BUDGET_EXCEEDED, site, message));
            return;
        }
        if let Some(earlier) = self.seen.insert(name.clone(), site) {
            problems.push(twice(&name, site, earlier));
            return;
        }
        let packages = image.packages.iter();
        let packages = packages.flat_map(|packages| &packages.origins);
        let packages = packages.map(|(place, origin)| (place.clone(), self.db.site(*origin)));
        let fetched = image.files.fetched();
        let fetched = fetched.map(|(place, origin)| (place, self.db.site(origin)));
        let all: Vec<(Place, Site)> = image.places().chain(packages).chain(fetched).collect();
        for (place, at) in all {
            // What a module of imgc says was asked for where the image stands.
            let at = if self.is_own(at) { at } else { site };
            self.gathered.places.push((name.clone(), place, at));
        }
        let sources = &mut self.gathered.plan.sources;
        let packages = image.packages.iter();
        let own = image.files.iter();
        let own = own.filter_map(|placed| placed.source.as_ref());
        for (digest, path) in own.chain(packages.flat_map(|packages| &packages.sources)) {
            sources.entry(*digest).or_insert_with(|| path.clone());
        }
        let keys = image.packages.iter().flat_map(|packages| &packages.keys);
        for (digest, path) in keys {
            sources.entry(*digest).or_insert_with(|| path.clone());
        }
        let planned = image.planned(name, self.options.platform);
        if let Some(problem) = image.over_base(&planned) {
            problems.push(problem);
            return;
        }
        self.gathered.plan.images.push(planned);
    }

    /// Whether a place is in the project, not in a module that comes with imgc.
    fn is_own(&self, site: Site) -> bool {
        let file = site.item.file(self.db);
        !matches!(file.name(self.db), ModuleName::Std(_))
    }
}
