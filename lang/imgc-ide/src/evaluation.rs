//! What only evaluation finds: values that are wrong, assertions that fail; and the images
//! that a file comes to.
//!
//! It has a session of its own over the same files, and works through them one after the
//! other on the thread of whoever asks. Nothing is built.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{Diagnostic, Severity, codes};
use imgc_eval::{Options, Origins, Overlay, Session, World};
use imgc_plan::{Image, Plan};

/// What evaluation finds.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// The images of the file. `None`: something is wrong, so that nobody knows.
    pub images: Option<Vec<PlannedImage>>,
    /// The plan, where the file has images and nothing is wrong.
    pub plan: Option<Plan>,
    /// Where the parts of the plan are written.
    pub origins: Origins,
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
    options: Options,
}

/// What a file comes to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What only evaluation finds.
    pub findings: Vec<Diagnostic>,
    /// The plan, where the file has images and nothing is wrong.
    pub plan: Option<Plan>,
    /// Where the parts of the plan are written.
    pub origins: Origins,
    /// The value in the syntax of the language, where the file has no images and nothing
    /// is wrong.
    pub value: Option<String>,
    /// Whether it was evaluated, and is neither an image nor a record of images.
    pub is_no_image: bool,
    /// Whether it is a function, which is not called.
    pub is_function: bool,
}

impl std::fmt::Debug for Evaluator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evaluator").finish_non_exhaustive()
    }
}

impl Evaluator {
    /// An evaluator of the files of a world.
    pub fn new(world: Arc<dyn World>) -> Self {
        Self::with_options(world, Options::default())
    }

    /// An evaluator that evaluates with these options.
    pub fn with_options(world: Arc<dyn World>, options: Options) -> Self {
        let overlay = Arc::new(Overlay::over(world));
        let session = Session::new(overlay.clone());
        Self {
            session,
            overlay,
            options,
        }
    }

    /// Puts these texts in the place of files, and asks the world again for the others.
    pub fn update(&mut self, texts: BTreeMap<String, Arc<str>>) {
        self.overlay.replace(texts);
        self.session.refresh();
    }

    /// What evaluation finds in a file that is right before. A function is not called, and
    /// a file that is no image is evaluated to whatever it is.
    pub fn findings(&mut self, entry: &str) -> Findings {
        let outcome = self.outcome(entry);
        let origins = outcome.origins;
        let plan = outcome.plan;
        let planned = plan.as_ref().map(|plan| plan.images.clone());
        let is_other = outcome.is_function || outcome.is_no_image;
        let planned = planned.or_else(|| is_other.then(Vec::new));
        let images = planned.map(|images| {
            let images = images.into_iter().map(|image| PlannedImage {
                field: origins.field(&image.name).map(str::to_owned),
                image,
            });
            images.collect()
        });
        Findings {
            diagnostics: outcome.findings,
            images,
            plan,
            origins,
        }
    }

    /// The same, and what the file comes to.
    pub fn outcome(&mut self, entry: &str) -> Outcome {
        let options = &self.options;
        let checked = self.session.check(entry, options);
        let is_error = |found: &Diagnostic| found.severity == Severity::Error;
        if checked.diagnostics.iter().any(is_error) {
            return Outcome::default();
        }
        let ty = self.session.type_of(entry, None).unwrap_or_default();
        let mut outcome = Outcome {
            is_function: imgc_eval::is_function_type(&ty),
            ..Outcome::default()
        };
        if outcome.is_function {
            return outcome;
        }
        let is_no_image = |found: &Diagnostic| found.code == codes::NOT_AN_IMAGE;
        let evaluated = self.session.evaluate(entry, options);
        outcome.plan = evaluated.plan;
        outcome.origins = evaluated.origins;
        let mut further: Vec<Diagnostic> = evaluated.diagnostics;
        outcome.is_no_image = further.iter().any(is_no_image);
        further.retain(|found| !is_no_image(found));
        if outcome.is_no_image {
            let shown = self.session.show(entry, options);
            outcome.value = shown.text;
            further.extend(shown.diagnostics);
        }
        for diagnostic in further {
            let is_known = checked.diagnostics.contains(&diagnostic);
            if !is_known && !outcome.findings.contains(&diagnostic) {
                outcome.findings.push(diagnostic);
            }
        }
        outcome
    }
}
