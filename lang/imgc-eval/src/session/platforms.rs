//! One file for several platforms: it is evaluated for each, and every image that names no
//! platform of its own becomes an index.

use std::collections::{BTreeMap, BTreeSet};

use imgc_diag::{Diagnostic, codes};
use imgc_plan::{Image, Index, Plan, Platform};

use crate::options::Options;
use crate::origins::{Origins, Place};

use super::{Evaluated, Session};

impl Session {
    /// Evaluates a file for each of these platforms, to a plan with an index for each of its
    /// images. For one platform, as [`Session::evaluate`]: without an index.
    pub fn evaluate_for(
        &mut self,
        entry: &str,
        options: &Options,
        platforms: &[Platform],
    ) -> Evaluated {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        for &platform in platforms.iter().filter(|platform| seen.insert(**platform)) {
            let options = Options {
                platform,
                ..options.clone()
            };
            let mut evaluated = self.evaluate(entry, &options);
            match evaluated.plan.take() {
                Some(plan) => all.push((platform, plan, evaluated)),
                None => return evaluated,
            }
        }
        if let [(_, plan, evaluated)] = &mut *all {
            let plan = Some(std::mem::take(plan));
            return Evaluated {
                plan,
                ..evaluated.clone()
            };
        }
        combine(all).unwrap_or_else(|| self.evaluate(entry, options))
    }
}

/// The plans of one file for several platforms as one plan. None where there is no platform.
fn combine(all: Vec<(Platform, Plan, Evaluated)>) -> Option<Evaluated> {
    let (_, _, found) = all.first()?;
    let mut evaluated = Evaluated {
        plan: None,
        origins: Origins::default(),
        diagnostics: Vec::new(),
        sources: found.sources.clone(),
    };
    for (_, _, one) in &all {
        for diagnostic in &one.diagnostics {
            if !evaluated.diagnostics.contains(diagnostic) {
                evaluated.diagnostics.push(diagnostic.clone());
            }
        }
    }
    let mut plan = Plan::default();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    let indexes = all.iter().flat_map(|(_, plan, _)| &plan.indexes);
    for index in indexes.filter(|index| seen.insert(&index.name)) {
        let message = format!("`{}` is an index, and has platforms of its own", index.name);
        let help = "leave --platform out, or build the other images alone: FILE#NAME";
        wrong.push((index.name.clone(), message, help));
    }
    // Those of every platform, in the order of the first that has them.
    let mut seen = BTreeSet::new();
    let all_images = all.iter().flat_map(|(_, plan, _)| {
        let images = plan.images.iter();
        images.filter(|image| plan.index_of(&image.name).is_none())
    });
    let images: Vec<&Image> = all_images
        .filter(|image| seen.insert(image.name.as_str()))
        .collect();
    let names: BTreeSet<&str> = images.iter().map(|image| image.name.as_str()).collect();
    for image in images {
        match together(&image.name, &names, &all) {
            Ok((index, images)) => {
                for ((_, _, one), member) in all.iter().zip(&index.images) {
                    evaluated.origins.copy(&one.origins, &image.name, member);
                }
                evaluated
                    .origins
                    .copy(&found.origins, &image.name, &index.name);
                plan.images.extend(images);
                plan.indexes.push(index);
            }
            Err((message, help)) => wrong.push((image.name.clone(), message, help)),
        }
    }
    for (_, other, _) in &all {
        let sources = other.sources.iter();
        plan.sources
            .extend(sources.map(|(digest, path)| (*digest, path.clone())));
    }
    for (name, message, help) in &wrong {
        let mut origins = all.iter().map(|(_, _, one)| &one.origins);
        let at = origins.find_map(|origins| origins.get(name, &Place::Image));
        let diagnostic = at.map(|at| Diagnostic::error(codes::BAD_INDEX, at.clone(), message));
        evaluated
            .diagnostics
            .extend(diagnostic.map(|diagnostic| diagnostic.with_help(*help)));
    }
    evaluated.plan = wrong.is_empty().then_some(plan);
    Some(evaluated)
}

/// An index of the images of one name, and they.
///
/// # Errors
/// What is wrong, and what to do.
fn together(
    name: &str,
    names: &BTreeSet<&str>,
    all: &[(Platform, Plan, Evaluated)],
) -> Result<(Index, Vec<Image>), (String, &'static str)> {
    let mut images = Vec::new();
    for (platform, plan, _) in all {
        let found = plan.images.iter().find(|image| image.name == name);
        let Some(image) = found else {
            let message = format!("there is no image `{name}` for {platform}");
            return Err((message, "give it the same name for every platform"));
        };
        if image.platform != *platform {
            let message = format!("the image `{name}` names its platform: {}", image.platform);
            let help = "leave its `platform` out, or write an index: `index { images = …; }`";
            return Err((message, help));
        }
        let member = Index::member(name, *platform);
        if names.contains(&*member) {
            let message = format!("`{name}` for {platform} and another image are both `{member}`");
            return Err((message, "give one of them another name"));
        }
        images.push(Image {
            name: member,
            ..image.clone()
        });
    }
    let index = Index {
        name: name.to_owned(),
        images: images.iter().map(|image| image.name.clone()).collect(),
        annotations: BTreeMap::new(),
    };
    Ok((index, images))
}
