//! The command line: what can be asked, in clap's words. Nothing is done here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Builds container images from `.img` files, with nothing executed.
#[derive(Debug, Parser)]
#[command(
    name = "imgc",
    version,
    about,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(after_help = "\
Exit codes: 0 done, 1 it could not be done, 2 the command line is wrong.
Examples:
  imgc build app.img              build, and write the layout app.oci here
  imgc build --locked app.img     the same, but never change imgc.lock (for CI)
  imgc update app.img             take today's package versions into imgc.lock")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

/// What holds for every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// When to colour messages; NO_COLOR switches colours off too.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, global = true, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    /// Write notes about the work even where standard error is no terminal.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Build images and write them as OCI layouts.
    Build(BuildArgs),
    /// Take the newest versions of all packages into the lock.
    Update(UpdateArgs),
    /// Say what the code of a diagnostic means, or list all codes.
    Explain {
        /// The code: IMG0512.
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
}

/// `imgc build`.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// The files to build.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Where to write: `oci:DIR` (a layout folder) or `oci-archive:FILE` (a tar of it).
    /// Default: the layout folder NAME.oci in the current folder, for each image.
    #[arg(short, long, value_name = "WHERE")]
    pub(crate) output: Option<String>,
    /// Fail instead of changing imgc.lock.
    #[arg(long)]
    pub(crate) locked: bool,
    /// Print one JSON document about the images instead of one line each.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The files whose packages are updated.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// What every command takes that evaluates or builds.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    /// The platform of images that don't name one.
    #[arg(long, value_name = "linux/ARCH", default_value = "linux/amd64")]
    pub(crate) platform: imgc_plan::Platform,
    /// The store's folder. Default: $IMGC_STORE, else imgc in the XDG cache folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// A Debian mirror: the address that `dists` and `pool` are below. May be given
    /// more than once; ARCHIVE is `debian` or `debian-security`, and a bare address is
    /// for `debian` and, beside it, `debian-security`. Default: $IMGC_MIRROR, the
    /// configuration file, the host's apt sources.
    #[arg(long, value_name = "[ARCHIVE=]URL")]
    pub(crate) mirror: Vec<String>,
    /// Use no network.
    #[arg(long)]
    pub(crate) offline: bool,
    /// How many things to do at once. Default: the number of processors.
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
}
