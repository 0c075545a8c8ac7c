//! What only evaluation finds: values that are wrong, assertions that fail; and the images
//! that a file comes to.
//!
//! It has a session of its own over the same files, and works through them one after the
//! other on the thread of whoever asks. Nothing is built.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{Diagnostic, Severity, codes};
use imgc_eval::{Options, Session, World};
use imgc_plan::Image;

use crate::overlay::Overlay;

/// What evaluation finds.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// The images of the file. `None`: something is wrong, so that nobody knows.
    pub images: Option<Vec<PlannedImage>>,
}

/// An image that a file describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedImage {
    /// The field of the file's record; none where the file is the image.
    pub field: Option<String>,
    /// What it is to be.
    pub image: Image,
}

/// Evaluates files as they are being written.
pub struct Evaluator {
    session: Session,
    overlay: Arc<Overlay>,
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").finish_non_exhaustive()
    }
}

impl Evaluator {
    /// An evaluator of the files of a world.
    pub fn new(world: Arc<dyn World>) -> Self {
        let overlay = Arc::new(Overlay::over(world));
        let session = Session::new(overlay.clone());
        Self { session, overlay }
    }

    /// Puts these texts in the place of files, and asks the world again for the others.
    pub fn update(&mut self, texts: BTreeMap<String, Arc<str>>) {
        self.overlay.replace(texts);
        self.session.refresh();
    }

    /// What evaluation finds in a file that is right before. A function is not called, and
    /// a file that is no image is evaluated to whatever it is.
    pub fn findings(&mut self, entry: &str) -> Findings {
        let options = Options::default();
        let checked = self.session.check(entry, &options);
        let is_error = |found: &Diagnostic| found.severity == Severity::Error;
        if checked.diagnostics.iter().any(is_error) {
            return Findings::default();
        }
        let ty = self.session.type_of(entry, None).unwrap_or_default();
        if is_function(&ty) {
            return Findings {
                images: Some(Vec::new()),
                ..Findings::default()
            };
        }
        let is_no_image = |found: &Diagnostic| found.code == codes::NOT_AN_IMAGE;
        let evaluated = self.session.evaluate(entry, &options);
        let is_image = !evaluated.diagnostics.iter().any(is_no_image);
        let origins = evaluated.origins;
        let planned = evaluated.plan.map(|plan| plan.images);
        let images = planned
            .or_else(|| (!is_image).then(Vec::new))
            .map(|images| {
                let images = images.into_iter().map(|image| PlannedImage {
                    field: origins.field(&image.name).map(str::to_owned),
                    image,
                });
                images.collect()
            });
        let mut further = evaluated.diagnostics;
        further.retain(|found| !is_no_image(found));
        if !is_image {
            further.extend(self.session.show(entry, &options).diagnostics);
        }
        let mut found: Vec<Diagnostic> = Vec::new();
        for diagnostic in further {
            if !checked.diagnostics.contains(&diagnostic) && !found.contains(&diagnostic) {
                found.push(diagnostic);
            }
        }
        Findings {
            diagnostics: found,
            images,
        }
    }
}

/// Whether a type is that of a function: an arrow stands outside of all brackets.
pub(crate) fn is_function(ty: &str) -> bool {
    let mut depth = 0_usize;
    let mut before = ' ';
    for c in ty.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '>' if before == '-' && depth == 0 => return true,
            _ => {}
        }
        before = c;
    }
    false
}
