//! The programs to begin with, and the files that stand beside them. They are those of the
//! repository's `examples`, and a few small ones.

use imgc_eval::MemoryWorld;
use serde::Serialize;

/// A program to begin with.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Sample {
    /// What it is called.
    pub(crate) title: &'static str,
    /// The file that is evaluated.
    pub(crate) entry: &'static str,
    /// Its files with their texts, the entry first.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

/// All of them.
pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        title: "Web server",
        entry: "web/app.img",
        files: &[("web/app.img", include_str!("../../../examples/web/app.img"))],
    },
    Sample {
        title: "Python",
        entry: "python/app.img",
        files: &[(
            "python/app.img",
            include_str!("../../../examples/python/app.img"),
        )],
    },
    Sample {
        title: "Without a shell",
        entry: "distroless/app.img",
        files: &[(
            "distroless/app.img",
            include_str!("../../../examples/distroless/app.img"),
        )],
    },
    Sample {
        title: "Two files",
        entry: "services/app.img",
        files: &[
            (
                "services/app.img",
                include_str!("../examples/services/app.img"),
            ),
            (
                "services/common.img",
                include_str!("../examples/services/common.img"),
            ),
        ],
    },
    Sample {
        title: "Values",
        entry: "values/app.img",
        files: &[("values/app.img", include_str!("../examples/values/app.img"))],
    },
];

/// The project without its programs: the files that these name, and the modules of imgc.
pub(crate) fn world() -> MemoryWorld {
    let world = MemoryWorld::new()
        .executable(
            "web/bin/amd64/server",
            include_bytes!("../../../examples/web/bin/amd64/server"),
        )
        .executable(
            "web/bin/arm64/server",
            include_bytes!("../../../examples/web/bin/arm64/server"),
        )
        .file(
            "web/static/index.html",
            include_bytes!("../../../examples/web/static/index.html"),
        )
        .file(
            "python/app/main.py",
            include_bytes!("../../../examples/python/app/main.py"),
        )
        .file(
            "python/app/greeting.py",
            include_bytes!("../../../examples/python/app/greeting.py"),
        );
    let modules = imgc_stdlib::modules().iter();
    modules.fold(world, |world, (name, text)| world.module(name, text))
}
