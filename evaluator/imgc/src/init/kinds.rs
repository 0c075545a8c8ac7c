//! The files of each kind of project. Only texts: each is a file in `kinds`, or in `shared`
//! where all have it.

use crate::cli_start::Kind;

/// A file of a project.
#[derive(Debug, Clone, Copy)]
pub(super) struct Template {
    /// Its path in the project.
    pub(super) path: &'static str,
    /// What is in it.
    pub(super) bytes: &'static [u8],
    /// Whether it is to be executed.
    pub(super) is_program: bool,
}

/// What git is to leave alone.
pub(super) const IGNORED: &str = include_str!("shared/gitignore");

/// The files of a kind, the image first.
pub(super) fn files(kind: Kind) -> Vec<Template> {
    let mut files = match kind {
        Kind::Debian => vec![text("app.img", include_str!("kinds/debian/app.img"))],
        Kind::Static => vec![
            text("app.img", include_str!("kinds/static/app.img")),
            program(
                "bin/amd64/app",
                include_bytes!("../../../../examples/web/bin/amd64/server"),
            ),
            program(
                "bin/arm64/app",
                include_bytes!("../../../../examples/web/bin/arm64/server"),
            ),
        ],
        Kind::Python => vec![
            text("app.img", include_str!("kinds/python/app.img")),
            text("app/main.py", include_str!("kinds/python/app/main.py")),
        ],
        Kind::Node => vec![
            text("app.img", include_str!("kinds/node/app.img")),
            text("app/main.mjs", include_str!("kinds/node/app/main.mjs")),
            text(
                "app/package.json",
                include_str!("kinds/node/app/package.json"),
            ),
        ],
        Kind::Nginx => vec![
            text("app.img", include_str!("kinds/nginx/app.img")),
            text("site.conf", include_str!("kinds/nginx/site.conf")),
            text(
                "site/index.html",
                include_str!("kinds/nginx/site/index.html"),
            ),
        ],
    };
    files.push(text(".editorconfig", include_str!("shared/editorconfig")));
    files.push(text(
        ".github/workflows/image.yml",
        include_str!("shared/ci.yml"),
    ));
    files.push(text(".gitignore", IGNORED));
    files
}

const fn text(path: &'static str, text: &'static str) -> Template {
    Template {
        path,
        bytes: text.as_bytes(),
        is_program: false,
    }
}

const fn program(path: &'static str, bytes: &'static [u8]) -> Template {
    Template {
        path,
        bytes,
        is_program: true,
    }
}
