//! Errors in the words of the user: what, where, why, and what to do. The only
//! place that words the errors of the libraries.

use std::path::Path;

use imgc_apt::{ArchiveError, Because, Link, SolveError};
use imgc_build::{AccountError, BaseError, BuildError, ExtractError, FetchError, OverlayError};
use imgc_diag::{Diagnostic, codes};
use imgc_eval::{Origins, Place};
use imgc_oci::OciError;
use imgc_store::StoreError;

use crate::terminal::{Failure, Terminal};
use crate::work::Source;

/// Something that can't be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// One sentence that stands alone.
    pub(crate) message: String,
    /// What led to it, a line each.
    pub(crate) notes: Vec<String>,
    /// What to do about it.
    pub(crate) help: Option<String>,
}

impl Problem {
    /// A problem without notes.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            notes: Vec::new(),
            help: None,
        }
    }

    /// Adds a line of context.
    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Why a file could not be built: not yet shown.
#[derive(Debug)]
pub(crate) enum Report {
    /// The build's own error, which may have a place in the source.
    Build(Box<BuildError>),
    /// Anything else.
    Problem(Problem),
}

impl From<BuildError> for Report {
    fn from(error: BuildError) -> Self {
        Self::Build(Box::new(error))
    }
}

impl From<Problem> for Report {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Report {
    /// It in one line, for whoever can't see the source.
    pub(crate) fn short(&self, source: &Source) -> String {
        match self {
            Self::Problem(problem) => problem.message.clone(),
            Self::Build(error) => match diagnostics(error, &source.evaluated.origins).first() {
                Some(diagnostic) => short(diagnostic, source),
                None => build(error).message,
            },
        }
    }

    /// It, without a place in a source.
    pub(crate) fn failure(self) -> Failure {
        match self {
            Self::Problem(problem) => problem.into(),
            Self::Build(error) if matches!(*error, BuildError::Interrupted) => Failure::Interrupted,
            Self::Build(error) => build(&error).into(),
        }
    }

    /// Shows it: with the source where it has a place there, else as a failure.
    pub(crate) fn show(self, source: &Source, terminal: &Terminal) -> Failure {
        let error = match self {
            Self::Problem(problem) => return problem.into(),
            Self::Build(error) => error,
        };
        if matches!(*error, BuildError::Interrupted) {
            return Failure::Interrupted;
        }
        let diagnostics = diagnostics(&error, &source.evaluated.origins);
        if diagnostics.is_empty() {
            return build(&error).into();
        }
        terminal.diagnostics(&diagnostics, &source.evaluated.sources);
        Failure::Told
    }
}

/// A diagnostic in one line: `app.img:12: IMG0512: no package is called `x``.
pub(crate) fn short(diagnostic: &Diagnostic, source: &Source) -> String {
    let shown = imgc_diag::json(diagnostic, &source.evaluated.sources);
    let mut place = diagnostic.primary.span.file.to_string();
    if let Some(line) = shown["primary"]["start"]["line"].as_u64() {
        place = format!("{place}:{line}");
    }
    format!("{place}: {}: {}", diagnostic.code, diagnostic.message)
}

/// The disk says no.
pub(crate) fn disk(doing: &str, path: &Path, error: &std::io::Error) -> Problem {
    let problem = Problem::new(format!(
        "can't {doing} {}: {}",
        path.display(),
        plain(error)
    ));
    match error.kind() {
        std::io::ErrorKind::StorageFull => problem.help("make room on that disk, and run it again"),
        _ => problem,
    }
}

/// A system error without its number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}

/// The store says no.
pub(crate) fn store(error: &StoreError) -> Problem {
    match error {
        StoreError::Full { path, .. } => Problem::new(format!(
            "the disk is full: {} can't be written",
            path.display()
        ))
        .note("nothing half-written is left in the store or in the output")
        .help("make room, or put the store on another disk with --store DIR"),
        StoreError::Io {
            path,
            doing,
            source,
        } => {
            let what = path.display();
            Problem::new(format!(
                "the store fails: {doing} {what}: {}",
                plain(source)
            ))
            .help("another store can be named with --store DIR or IMGC_STORE")
        }
        StoreError::Absent(_) => Problem::new(format!("the store fails: {error}, or is damaged"))
            .help("run it again: what is damaged has been moved aside, and is made anew"),
        other => Problem::new(format!("the store fails: {other}")),
    }
}

/// An image's documents can't be made, or its blobs not be copied.
pub(crate) fn oci(error: &OciError) -> Problem {
    match error {
        OciError::Store(error) => store(error),
        OciError::Invalid {
            blob,
            problem: imgc_oci::Problem::Damaged,
        } => store(&StoreError::Absent(*blob)),
        other => Problem::new(other.to_string()),
    }
}

/// A build error that has places in the source: what is to be said at each.
pub(crate) fn diagnostics(error: &BuildError, origins: &Origins) -> Vec<Diagnostic> {
    match error {
        BuildError::Programs { image, programs } => {
            crate::lacking::diagnostics(image, programs, origins)
        }
        other => diagnostic(other, origins).into_iter().collect(),
    }
}

/// A build error that has a place in the source.
pub(crate) fn diagnostic(error: &BuildError, origins: &Origins) -> Option<Diagnostic> {
    let at = |image: &str, place: Place| {
        origins
            .get(image, &place)
            .or_else(|| origins.get(image, &Place::Image))
            .cloned()
    };
    match error {
        BuildError::Solve { image, error } => {
            let name = match &**error {
                SolveError::Unknown { name, .. }
                | SolveError::Virtual { name, .. }
                | SolveError::NoVersion { name, .. }
                | SolveError::NotInSuite { name, .. }
                | SolveError::Name(name)
                | SolveError::Twice { second: name, .. } => name,
                SolveError::Unsatisfiable { chain, .. } => &chain.first()?.package,
                SolveError::Conflict(conflict) => &conflict.chain.first()?.package,
                SolveError::Installed { name, .. } => name,
                SolveError::Incomplete { .. } | SolveError::Relation { .. } => return None,
            };
            let asked = origins.get(image, &Place::Package(name.clone()));
            let span = asked
                .or_else(|| origins.package(image, name))
                .or_else(|| origins.get(image, &Place::Image))?;
            Some(solve(error, span.clone()))
        }
        BuildError::Base { image, error, .. } => {
            let (place, help) = match &**error {
                BaseError::Release { .. } => (
                    Place::Base,
                    "`suite` says where packages come from: it is the base's own",
                ),
                BaseError::Registry(_) | BaseError::Read(_) | BaseError::Lock(_) => return None,
                BaseError::System(_) => {
                    (Place::Base, "leave the packages out, or take another base")
                }
                _ => (Place::Base, "take another base"),
            };
            let message = error.to_string();
            let message = format!("the base can't be used: {message}");
            let diagnostic = Diagnostic::error(codes::BAD_BASE, at(image, place)?, message);
            Some(diagnostic.with_help(help))
        }
        BuildError::Suite { image, error } => {
            let (code, place, label) = match error {
                ArchiveError::Suite(_) => (
                    codes::BAD_SUITE,
                    Place::Suite,
                    "not a suite that imgc knows",
                ),
                ArchiveError::Architecture { .. } => (
                    codes::BAD_PLATFORM,
                    Place::Suite,
                    "released for other architectures",
                ),
                ArchiveError::Dist { dist, .. } => (
                    codes::BAD_ARCHIVE,
                    Place::Archive(dist.clone()),
                    "not an archive that imgc knows",
                ),
                ArchiveError::NoKeys { .. } => {
                    (codes::BAD_ARCHIVE, Place::Packages, "nobody may sign it")
                }
            };
            let diagnostic = Diagnostic::error(code, at(image, place)?, error.to_string());
            Some(diagnostic.with_label(label))
        }
        BuildError::Keys { image, suite, .. } => Some(Diagnostic::error(
            codes::BAD_ARCHIVE,
            at(image, Place::Archive(suite.clone()))?,
            error.to_string(),
        )),
        BuildError::Account { image, error } => {
            let place = match error {
                AccountError::User { name, .. }
                | AccountError::Differs { name, .. }
                | AccountError::NoGroup { user: name, .. }
                | AccountError::Range { user: name, .. }
                | AccountError::Home { user: name, .. } => Place::User(name.clone()),
                AccountError::Group { name, .. } => Place::Group(name.clone()),
                AccountError::NoUser(_) => Place::Config("user".to_owned()),
                AccountError::Unreadable { .. } | AccountError::Insert(_) => return None,
            };
            let code = match error {
                AccountError::User { .. } | AccountError::Differs { .. } => codes::DUPLICATE_USER,
                AccountError::Range { .. } => codes::BAD_ID,
                AccountError::Home { .. } => codes::DUPLICATE_PATH,
                AccountError::Group { .. } => codes::DUPLICATE_GROUP,
                _ => codes::UNKNOWN_USER,
            };
            let help = match error {
                AccountError::NoUser(_) => "add it to `users`, or use a number",
                AccountError::NoGroup { .. } => "add the group to `groups`",
                AccountError::Differs { .. } => {
                    "leave that field out, and the user gets the groups and ranges that are said"
                }
                AccountError::Range { .. } => "take numbers that nobody has",
                AccountError::Home { .. } => {
                    "leave `createHome` out; `attributes` gives a folder its owner"
                }
                _ => "take another name or number",
            };
            Some(Diagnostic::error(code, at(image, place)?, error.to_string()).with_help(help))
        }
        BuildError::Overlay { image, error } => {
            let (path, code, help) = match error {
                OverlayError::NoOwner { path, .. } => (
                    path,
                    codes::UNKNOWN_USER,
                    "add it to `users` or `groups`, or use a number",
                ),
                OverlayError::Same { second, .. } => {
                    (second, codes::DUPLICATE_PATH, "keep one of the two")
                }
                OverlayError::Accounts(path) => (
                    path,
                    codes::DUPLICATE_PATH,
                    "leave the file out, or `users` and `groups`",
                ),
                OverlayError::Absent(path) => (
                    path,
                    codes::BAD_IMAGE_PATH,
                    "`attributes` is about what packages and `files` bring",
                ),
                OverlayError::NoMeaning { path, .. } => {
                    (path, codes::INVALID_ARGUMENT, "leave it out")
                }
                OverlayError::Circle(path) | OverlayError::Insert { path, .. } => {
                    (path, codes::BAD_IMAGE_PATH, "take another path")
                }
            };
            let mut places = [Place::File(path.clone()), Place::Attributes(path.clone())];
            if matches!(
                error,
                OverlayError::Absent(_) | OverlayError::NoMeaning { .. }
            ) {
                places.reverse();
            }
            let said = places.iter().find_map(|place| origins.get(image, place));
            let span = said.cloned().or_else(|| at(image, Place::Image))?;
            Some(Diagnostic::error(code, span, error.to_string()).with_help(help))
        }
        BuildError::Fetched {
            image,
            digest,
            error,
        } => Some(fetched(
            error,
            at(image, Place::Fetched(digest.clone()))?,
            origins
                .get(image, &Place::Fetched(digest.clone()))
                .is_some(),
        )),
        BuildError::Extract { image, path, error } => {
            let span = at(image, Place::File(path.clone()))?;
            let message = format!("the archive for `{path}` can't be unpacked: {error}");
            let help = match error {
                ExtractError::Kind => "name the file of an archive",
                ExtractError::Bzip2 => {
                    "pack it again, as its makers may offer it too: `.tar.gz`, `.tar.xz`, `.tar.zst`"
                }
                ExtractError::Damaged(_) => "compare it with what its makers say of it",
                ExtractError::TooMuch(_) | ExtractError::Ratio(_) => {
                    "take a smaller one, or unpack it into the project"
                }
                ExtractError::Entry { .. } => {
                    "leave it out with `exclude` if the image does not need it"
                }
                ExtractError::Nothing => "look into the archive with `tar tf` or `unzip -l`",
            };
            Some(Diagnostic::error(codes::BAD_CONTENTS, span, message).with_help(help))
        }
        _ => None,
    }
}

/// A file that can't be fetched. `exact` says that `span` is that of its digest.
fn fetched(error: &FetchError, span: imgc_diag::Span, exact: bool) -> Diagnostic {
    let FetchError::Other {
        url,
        wanted,
        found,
        found_size,
    } = error
    else {
        let problem = fetch(error);
        let mut diagnostic = Diagnostic::error(codes::FETCHED_OTHER, span, problem.message);
        for note in problem.notes {
            diagnostic = diagnostic.with_note(note);
        }
        return match error {
            FetchError::Offline(_) => {
                diagnostic.with_help("run it once without --offline: the store keeps it then")
            }
            _ => diagnostic.with_help("look at the address, or try again"),
        };
    };
    let message = format!("{url} is not the file that is asked for");
    let diagnostic = Diagnostic::error(codes::FETCHED_OTHER, span.clone(), message)
        .with_label("the digest of another file")
        .with_note(format!("expected {}", wanted.hex()))
        .with_note(format!("found    {} ({found_size} bytes)", found.hex()))
        .with_help("compare it with what its makers publish before you take it over");
    if !exact {
        return diagnostic;
    }
    let edit = imgc_diag::Edit {
        span,
        text: format!("\"{}\"", found.hex()),
    };
    diagnostic.with_fix("take over the digest of what is there now", vec![edit])
}

fn solve(error: &SolveError, span: imgc_diag::Span) -> Diagnostic {
    let code = match error {
        SolveError::Unknown { .. }
        | SolveError::Virtual { .. }
        | SolveError::NoVersion { .. }
        | SolveError::NotInSuite { .. } => codes::UNKNOWN_PACKAGE,
        SolveError::Name(_) => codes::BAD_PACKAGE_NAME,
        _ => codes::UNSOLVABLE_PACKAGES,
    };
    let diagnostic = Diagnostic::error(code, span.clone(), error.to_string());
    match error {
        SolveError::Unknown { suggestions, .. } => {
            let diagnostic = diagnostic.with_label("not in the archive");
            let Some(best) = suggestions.first() else {
                return diagnostic;
            };
            let edit = imgc_diag::Edit {
                span,
                text: format!("\"{best}\""),
            };
            let more = suggestions
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>();
            diagnostic
                .with_help(format!("did you mean {}?", more.join(" or ")))
                .with_fix(format!("write `{best}`"), vec![edit])
        }
        SolveError::Virtual { providers, .. } => diagnostic
            .with_label("not a package of its own")
            .with_help(format!("name one of: {}", providers.join(", "))),
        SolveError::Unsatisfiable {
            chain, available, ..
        } => {
            let mut diagnostic = diagnostic.with_label("asked for here");
            for line in steps(chain) {
                diagnostic = diagnostic.with_note(line);
            }
            if !available.is_empty() {
                diagnostic =
                    diagnostic.with_note(format!("the archive has: {}", available.join(", ")));
            }
            diagnostic
        }
        SolveError::Conflict(conflict) => {
            let mut diagnostic = diagnostic.with_label("asked for here");
            let other = steps(&conflict.other_chain);
            for line in steps(&conflict.chain).into_iter().chain(other) {
                diagnostic = diagnostic.with_note(line);
            }
            diagnostic.with_help("leave one of the two out")
        }
        SolveError::NoVersion { available, .. } | SolveError::NotInSuite { available, .. } => {
            let shown: Vec<&str> = available.iter().map(String::as_str).take(20).collect();
            diagnostic
                .with_label("not in the archives")
                .with_note(format!("the archives have: {}", shown.join(", ")))
        }
        SolveError::Twice { .. } => diagnostic.with_help("leave one of the two out"),
        SolveError::Installed { .. } => diagnostic
            .with_label("the base has another version")
            .with_help("leave the version out, or take a base that has it"),
        SolveError::Name(_) | SolveError::Relation { .. } | SolveError::Incomplete { .. } => {
            diagnostic
        }
    }
}

/// Why a package is there, a line for each step.
fn steps(chain: &[Link]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut before = "";
    for link in chain {
        let Link {
            package,
            version,
            because,
        } = link;
        lines.push(match because {
            Because::Asked => format!("{package} ({version}) is asked for"),
            Because::Variant => format!("{package} ({version}) is part of the variant"),
            Because::Installed => format!("{package} ({version}) is installed in the base"),
            Because::Needed { field, relation } => {
                format!("{package} ({version}): {before} has {field}: {relation}")
            }
        });
        before = package;
    }
    lines
}

/// A build error without a place.
fn build(error: &BuildError) -> Problem {
    match error {
        BuildError::Store(error) => store(error),
        BuildError::Fetch(error) => fetch(error),
        BuildError::NotLocked { image, request } => {
            let asked = if request.names.is_empty() {
                "no package by name".to_owned()
            } else {
                request.names.join(", ")
            };
            let (suite, arch, variant) = (&request.suite, &request.arch, request.variant.name());
            Problem::new(format!(
                "imgc.lock does not have the packages of the image `{image}`"
            ))
            .note(format!("it asks for {asked} ({suite} {arch}, {variant})"))
            .help("run it without --locked, and commit the imgc.lock that it writes")
        }
        BuildError::BaseNotLocked { image, base } => Problem::new(format!(
            "imgc.lock does not have the base of the image `{image}`"
        ))
        .note(format!("it is {base}"))
        .help("run it without --locked, and commit the imgc.lock that it writes"),
        BuildError::Base { error, base, .. } => match &**error {
            BaseError::Registry(error) => {
                let mut problem = Problem::new(error.message.clone());
                problem.notes.clone_from(&error.notes);
                problem.help.clone_from(&error.help);
                problem.note(format!("it is the base {base}"))
            }
            error => match store_error_within(error) {
                Some(error) => store(error),
                None => Problem::new(format!("the base {base} can't be used: {error}")),
            },
        },
        BuildError::Release {
            archive,
            error: imgc_apt::ReleaseError::NoIndex { path },
        } => Problem::new(format!("the archive {archive} has no {path}"))
            .help("build for a platform that it has packages for, or leave the archive out there"),
        BuildError::Release { archive, error } => Problem::new(format!(
            "the InRelease of {archive} is not to be trusted: {error}"
        ))
        .help("try another mirror with --mirror; if it says the same, tell its operators"),
        BuildError::Index { archive, error } => {
            Problem::new(format!("the index of {archive} can't be used: {error}"))
                .help("the mirror may be in the middle of an update: try again later, or another")
        }
        BuildError::Deb { package, error } => {
            if let Some(error) = store_error_within(error) {
                return store(error);
            }
            let problem = Problem::new(format!("the package {package} can't be unpacked: {error}"));
            with_causes(problem, error)
        }
        BuildError::Layer(imgc_layer::LayerError::Changed { .. }) => {
            Problem::new(format!("a file changed while the image was built: {error}"))
                .help("run it again")
        }
        BuildError::Layer(imgc_layer::LayerError::Store(error)) => store(error),
        BuildError::Layer(imgc_layer::LayerError::Segment(_)) => {
            Problem::new(error.to_string()).help("run it again: what is damaged is made anew")
        }
        BuildError::Install(imgc_dpkg::InstallError::Conflict { .. }) => Problem::new(format!(
            "the packages can't be installed together: {error}"
        ))
        .note("dpkg refuses that too: neither replaces the other, and no script diverted the file")
        .help("leave one of the two packages out"),
        BuildError::Install(imgc_dpkg::InstallError::Script(stop)) => script(stop),
        BuildError::Install(imgc_dpkg::InstallError::Failed {
            package,
            script,
            status,
            log,
        }) => failed(package, &script.to_string(), *status, log),
        BuildError::Install(imgc_dpkg::InstallError::Excluded { needed, .. }) => {
            Problem::new(error.to_string())
                .note("dpkg refuses that too")
                .help(format!(
                    "exclude what needs it as well, or include \"{needed}\""
                ))
        }
        BuildError::Install(error) => with_causes(Problem::new(error.to_string()), error),
        BuildError::Oci(error) => oci(error),
        other => match store_error_within(other) {
            Some(error) => store(error),
            None => Problem::new(other.to_string()),
        },
    }
}

/// A maintainer script that can't be interpreted faithfully.
fn script(stop: &imgc_dpkg::Stop) -> Problem {
    let place = &stop.place;
    let mut at = format!("{}: {}", place.package, place.script);
    if place.line > 0 {
        at = format!("{at}, line {}", place.line);
    }
    let mut problem = Problem::new(format!(
        "a maintainer script can't be interpreted: {}",
        stop.why
    ))
    .note(format!("in {at}"));
    if !place.argv.is_empty() {
        let words: Vec<String> = place.argv.iter().map(ToString::to_string).collect();
        problem = problem.note(format!("the command was: {}", words.join(" ")));
    }
    let name = place.package.split(':').next().unwrap_or_default();
    problem.help(format!(
        "if the image is right without what the package's scripts do, say so in it: \
         `skip = {{ \"{name}\" = \"WHY\"; }}`; or say what they do: `effects = {{ \"{name}\" = {{ … }}; }}`"
    ))
}

/// A maintainer script that failed, as it would have for dpkg.
fn failed(package: &str, script: &str, status: u8, log: &str) -> Problem {
    let mut problem = Problem::new(format!(
        "the {script} of {package} failed with status {status}"
    ));
    for line in log
        .lines()
        .rev()
        .take(8)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
    {
        problem = problem.note(line.to_owned());
    }
    problem.help("if dpkg runs it without failing, this is a mistake of imgc: please report it")
}

/// Adds what is behind `error`, a line each.
fn with_causes(mut problem: Problem, error: &dyn std::error::Error) -> Problem {
    let mut source = error.source();
    while let Some(cause) = source {
        problem = problem.note(cause.to_string());
        source = cause.source();
    }
    problem
}

/// The store's error inside another one, if that is what it is about.
fn store_error_within<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a StoreError> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref::<StoreError>() {
            return Some(found);
        }
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && let Some(found) = io
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<StoreError>())
        {
            return Some(found);
        }
        at = error.source();
    }
    None
}

fn fetch(error: &FetchError) -> Problem {
    match error {
        FetchError::Interrupted => Problem::new(error.to_string()),
        FetchError::NoMirror(name) => Problem::new(format!("no mirror is known for {name}"))
            .note("looked at --mirror, IMGC_MIRROR, the configuration file and the host's apt sources")
            .help("name a Debian mirror: --mirror http://HOST/debian"),
        FetchError::Offline(name) => {
            Problem::new(format!("{name} is not in the store, and --offline forbids fetching it"))
                .help("run it once without --offline")
        }
        FetchError::Failed { name, tried, wrong } => {
            let message = if *wrong {
                format!("{name} was not accepted: the bytes that came are not those that are pinned")
            } else {
                format!("{name} can't be fetched")
            };
            let mut problem = Problem::new(message);
            for (url, reason) in tried {
                problem = problem.note(format!("{url}: {reason}"));
            }
            let gone = tried.iter().all(|(_, reason)| reason == "not found");
            problem.help(if gone {
                "the mirror no longer has it: run imgc update, or name a snapshot of the archive in the \
                 configuration file"
            } else {
                "try again, or another mirror with --mirror"
            })
        }
        FetchError::Store(error) => store(error),
        FetchError::Other { .. } => Problem::new(error.to_string()),
    }
}
