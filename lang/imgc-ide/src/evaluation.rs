//! What only evaluation finds: values that are wrong, assertions that fail.
//!
//! It has a session of its own over the same files, and works through them one after the
//! other on the thread of whoever asks. Nothing is built.

use std::collections::BTreeMap;
use std::sync::Arc;

use imgc_diag::{Diagnostic, Severity, codes};
use imgc_eval::{Options, Session, World};

use crate::overlay::Overlay;

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
    pub fn findings(&mut self, entry: &str) -> Vec<Diagnostic> {
        let options = Options::default();
        let checked = self.session.check(entry, &options);
        let is_error = |found: &Diagnostic| found.severity == Severity::Error;
        if checked.diagnostics.iter().any(is_error) {
            return Vec::new();
        }
        let ty = self.session.type_of(entry, None).unwrap_or_default();
        if is_function(&ty) {
            return Vec::new();
        }
        let is_no_image = |found: &Diagnostic| found.code == codes::NOT_AN_IMAGE;
        let evaluated = self.session.evaluate(entry, &options).diagnostics;
        let is_image = !evaluated.iter().any(is_no_image);
        let mut further: Vec<Diagnostic> = evaluated;
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
        found
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
