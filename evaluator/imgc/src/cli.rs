//! The command line: what can be asked, in clap's words. Nothing is done here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli_start::{CompletionsArgs, ImportArgs, InitArgs, ManArgs};
use crate::examples;
use crate::terminal::Failure;

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
  imgc build apps.img#web         build the field `web` of the file's record
  imgc load app.img               build, and give it to podman or docker
  imgc update app.img             take today's package versions into imgc.lock
  imgc update -p openssl app.img  the same for one package, and what it needs
  imgc why libc6 app.img          say what an image has a package for
  imgc store gc --max-size 20GB   make room
  imgc check --fix                correct what a machine can correct, here and below
  imgc init --kind python         start a project that builds at once
  imgc import Dockerfile          say in a .img file what a Dockerfile declares
  imgc eval -e '1 + 1'            say what an expression gives")]
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
    /// Start a project that builds at once: a `.img` file, the application's files, CI.
    #[command(after_help = examples::INIT)]
    Init(InitArgs),
    /// Say in a `.img` file what a Dockerfile declares, and tell what can't be said.
    #[command(after_help = examples::IMPORT)]
    Import(ImportArgs),
    /// Build images and write them as OCI layouts.
    #[command(after_help = examples::BUILD)]
    Build(BuildArgs),
    /// Say what a build would do, and do nothing.
    #[command(after_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Build images, and say what their layers are, what is shared, and what an edit costs.
    #[command(after_help = examples::LAYERS)]
    Layers(LayersArgs),
    /// Say what an image is: configuration, layers, packages.
    #[command(after_help = examples::INSPECT)]
    Inspect(InspectArgs),
    /// List the files of an image.
    #[command(after_help = examples::LS)]
    Ls(LsArgs),
    /// Print a file of an image.
    #[command(after_help = examples::CAT)]
    Cat(CatArgs),
    /// Say what differs between two images: packages, files, configuration, layers.
    #[command(after_help = examples::DIFF)]
    Diff(DiffArgs),
    /// Bring an image of a registry into the store.
    #[command(after_help = examples::PULL)]
    Pull(PullArgs),
    /// Write an image in another form: an archive, a layout, its files.
    #[command(after_help = examples::EXPORT)]
    Export(ExportArgs),
    /// Build images and put them into podman or docker, only what they don't have.
    #[command(after_help = examples::LOAD)]
    Load(LoadArgs),
    /// Build an image and send it to registries, only what they don't have.
    #[command(after_help = examples::PUSH)]
    Push(PushArgs),
    /// Be a registry that can be read: whoever pulls NAME gets NAME.img of a folder, built.
    #[command(after_help = examples::SERVE)]
    Serve(ServeArgs),
    /// Take the newest versions of all packages, or of some, into the lock.
    #[command(after_help = examples::UPDATE)]
    Update(UpdateArgs),
    /// Say what `update` would change, and write nothing.
    #[command(after_help = examples::OUTDATED)]
    Outdated(OutdatedArgs),
    /// Say what an image has a package for: who asked for it, or what needs it.
    #[command(after_help = examples::WHY)]
    Why(WhyArgs),
    /// Show which package of an image needs which.
    #[command(after_help = examples::TREE)]
    Tree(TreeArgs),
    /// Say what the packages' maintainer scripts did to an image: which files, by which line.
    #[command(after_help = examples::EXPLAIN_SCRIPTS)]
    ExplainScripts(ExplainScriptsArgs),
    /// Look after the store: its size, its health, what it keeps.
    #[command(after_help = examples::STORE)]
    Store(StoreArgs),
    /// Write files in the one style.
    #[command(after_help = examples::FMT)]
    Fmt(FmtArgs),
    /// Find mistakes without building anything.
    #[command(after_help = examples::CHECK)]
    Check(CheckArgs),
    /// Run the examples of files and evaluate everything in them.
    #[command(after_help = examples::TEST)]
    Test(TestArgs),
    /// Evaluate a file or an expression, and print its value.
    #[command(after_help = examples::EVAL)]
    Eval(EvalArgs),
    /// Ask the language one line at a time.
    #[command(after_help = examples::REPL)]
    Repl(ReplArgs),
    /// Be the language server of an editor, over standard input and output.
    #[command(after_help = examples::LSP)]
    Lsp,
    /// Print the manual of modules, or of the names that are always there.
    #[command(after_help = examples::DOC)]
    Doc(DocArgs),
    /// Say what the code of a diagnostic means, or list all codes.
    #[command(after_help = examples::EXPLAIN)]
    Explain {
        /// The code: IMG0512.
        #[arg(value_name = "CODE")]
        code: Option<String>,
    },
    /// Print the completions of a shell, for its own folder of them.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write those of all commands into a folder.
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

/// `imgc build`.
#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// The files to build; FILE#NAME is the field NAME of the file's record.
    #[arg(required = true, value_name = "FILE[#NAME]")]
    pub(crate) files: Vec<PathBuf>,
    /// Where to write: `oci:DIR` (a layout folder) or `oci-archive:FILE` (a tar of it).
    /// Default: the layout folder NAME.oci in the current folder, for each image.
    #[arg(short, long, value_name = "WHERE")]
    pub(crate) output: Option<String>,
    /// Fail instead of changing imgc.lock.
    #[arg(long)]
    pub(crate) locked: bool,
    /// Keep the images in the store, under their names, until `imgc store release`.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Build again whenever a file changes that the images are made of, until Ctrl-C.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Say of every step that was taken why, and how many were not needed.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Print one JSON document about the images instead of one line each.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc plan`.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// The files whose images would be built.
    #[arg(required = true, value_name = "FILE[#NAME]")]
    pub(crate) files: Vec<PathBuf>,
    /// Print the steps that are done or not needed, too.
    #[arg(long)]
    pub(crate) all: bool,
    /// Print one JSON document with all steps.
    #[arg(long, group = "form")]
    pub(crate) json: bool,
    /// Print the graph in the language of Graphviz.
    #[arg(long, group = "form")]
    pub(crate) dot: bool,
    /// Print the graph as a drawing in SVG.
    #[arg(long, group = "form")]
    pub(crate) svg: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc layers`.
#[derive(Debug, Args)]
pub(crate) struct LayersArgs {
    /// The files whose images are looked at.
    #[arg(required = true, value_name = "FILE[#NAME]")]
    pub(crate) files: Vec<PathBuf>,
    /// Fail instead of changing imgc.lock.
    #[arg(long)]
    pub(crate) locked: bool,
    /// Print one JSON document.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// How registries are asked.
#[derive(Debug, Default, Args)]
pub(crate) struct RegistryArgs {
    /// Speak HTTP without TLS, to a registry on this machine.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Believe only the authorities of this file, in PEM. Default: the system's.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

/// What every command takes that looks into images.
#[derive(Debug, Args)]
pub(crate) struct LookArgs {
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// Fail instead of changing imgc.lock.
    #[arg(long)]
    pub(crate) locked: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc inspect`.
#[derive(Debug, Args)]
pub(crate) struct InspectArgs {
    /// FILE.img[#NAME], which is built, oci:DIR, oci-archive:FILE, docker-archive:FILE or
    /// docker://HOST/NAME, with :TAG or @DIGEST; or the path of a layout or an archive.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// Print one JSON document instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// `imgc ls`.
#[derive(Debug, Args)]
pub(crate) struct LsArgs {
    /// FILE.img[#NAME], which is built, oci:DIR, oci-archive:FILE, docker-archive:FILE or
    /// docker://HOST/NAME, with :TAG or @DIGEST; or the path of a layout or an archive.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// The folder, or a file. Default: the root.
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<String>,
    /// Modes, owners, sizes, times and where links lead.
    #[arg(short, long)]
    pub(crate) long: bool,
    /// All that is below, too.
    #[arg(short = 'R', long)]
    pub(crate) recursive: bool,
    /// Print one JSON document instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// `imgc cat`.
#[derive(Debug, Args)]
pub(crate) struct CatArgs {
    /// FILE.img[#NAME], which is built, oci:DIR, oci-archive:FILE, docker-archive:FILE or
    /// docker://HOST/NAME, with :TAG or @DIGEST; or the path of a layout or an archive.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// The file. Links are followed, inside of the image.
    #[arg(value_name = "PATH")]
    pub(crate) path: String,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// `imgc diff`.
#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The image as it was: as for `inspect`.
    #[arg(value_name = "A")]
    pub(crate) before: String,
    /// The image as it is.
    #[arg(value_name = "B")]
    pub(crate) after: String,
    /// List the files that differ, too.
    #[arg(long)]
    pub(crate) files: bool,
    /// Compare what two `.img` files ask for, with their locks, and build nothing.
    #[arg(long)]
    pub(crate) plan: bool,
    /// End with 1 if anything differs.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Print one JSON document.
    #[arg(long, group = "form")]
    pub(crate) json: bool,
    /// Print Markdown, for a pull request.
    #[arg(long, group = "form")]
    pub(crate) markdown: bool,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// `imgc export`.
#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// FILE.img[#NAME], which is built, oci:DIR, oci-archive:FILE, docker-archive:FILE or
    /// docker://HOST/NAME, with :TAG or @DIGEST; or the path of a layout or an archive.
    #[arg(value_name = "IMAGE")]
    pub(crate) image: String,
    /// Where to write: `tar:FILE` (all its files in one archive), `dir:DIR` (its files in a
    /// folder), `docker-archive:FILE`, `oci-archive:FILE` or `oci:DIR`.
    #[arg(short, long, value_name = "WHERE")]
    pub(crate) output: String,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// `imgc pull`.
#[derive(Debug, Args)]
pub(crate) struct PullArgs {
    /// HOST[:PORT]/NAME[:TAG][@sha256:DIGEST]; without both, the tag is `latest`.
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: String,
    /// Write it, too: `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, `tar:FILE` or
    /// `dir:DIR`.
    #[arg(short, long, value_name = "WHERE")]
    pub(crate) output: Option<String>,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

/// `imgc load`.
#[derive(Debug, Args)]
pub(crate) struct LoadArgs {
    /// The files to build; FILE#NAME is the field NAME of the file's record.
    #[arg(required = true, value_name = "FILE[#NAME]")]
    pub(crate) files: Vec<PathBuf>,
    /// Which engine. Default: the first whose socket is there, podman first.
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(crate) engine: Option<Engine>,
    /// The engine's socket. Default: $CONTAINER_HOST, $DOCKER_HOST, and where podman and
    /// docker have it.
    #[arg(long, value_name = "PATH")]
    pub(crate) socket: Option<PathBuf>,
    /// What the engine calls the image: NAME or NAME:TAG. Default: the image's name, with
    /// the tag `latest`.
    #[arg(long, value_name = "NAME")]
    pub(crate) tag: Option<String>,
    /// Fail instead of changing imgc.lock.
    #[arg(long)]
    pub(crate) locked: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc push`.
#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// The file to build; FILE#NAME is the field NAME of the file's record.
    #[arg(value_name = "FILE[#NAME]")]
    pub(crate) file: PathBuf,
    /// Where the image goes: HOST[:PORT]/NAME[:TAG], without a tag `latest`. May be given
    /// more than once.
    #[arg(required = true, value_name = "REFERENCE")]
    pub(crate) references: Vec<String>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// Another repository of the registry that may have layers already, to be taken from
    /// there. May be given more than once.
    #[arg(long = "mount-from", value_name = "NAME")]
    pub(crate) others: Vec<String>,
    /// Fail instead of changing imgc.lock.
    #[arg(long)]
    pub(crate) locked: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// A container engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// Podman.
    Podman,
    /// Docker.
    Docker,
}

/// `imgc serve`.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The folder whose `.img` files can be pulled. Default: the current folder.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
    /// Where to listen; the port 0 takes a free one. There is no login and no encryption:
    /// on another address than loopback, everybody who reaches it reads the images.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:5000")]
    pub(crate) listen: String,
    /// Never change imgc.lock: an image whose packages are not pinned can't be pulled.
    #[arg(long)]
    pub(crate) locked: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The files whose packages and modules are updated.
    #[arg(required = true, value_name = "FILE[#NAME]")]
    pub(crate) files: Vec<PathBuf>,
    /// Update only this package; others change only where its new version needs them to,
    /// and modules stay. May be given more than once. An option, because any number of
    /// files may follow.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) package: Vec<String>,
    /// Say what would change, and write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print one JSON document instead of one line for each change.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc outdated`.
#[derive(Debug, Args)]
pub(crate) struct OutdatedArgs {
    /// The files whose packages and modules are looked at.
    #[arg(required = true, value_name = "FILE[#NAME]")]
    pub(crate) files: Vec<PathBuf>,
    /// End with 1 if anything is outdated.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Print one JSON document instead of one line for each change.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc why`.
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// The package.
    #[arg(value_name = "PACKAGE")]
    pub(crate) package: String,
    /// The file; FILE#NAME is the field NAME of its record.
    #[arg(value_name = "FILE[#NAME]")]
    pub(crate) file: PathBuf,
    /// Every package that needs it, instead of the shortest chain.
    #[arg(long)]
    pub(crate) all: bool,
    /// Print one JSON document, with the chain and every package that needs it.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc tree`.
#[derive(Debug, Args)]
pub(crate) struct TreeArgs {
    /// The file; FILE#NAME is the field NAME of its record.
    #[arg(value_name = "FILE[#NAME]")]
    pub(crate) file: PathBuf,
    /// Show what needs this package, instead of what packages need.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) invert: Option<String>,
    /// Show N levels below the first.
    #[arg(short, long, value_name = "N")]
    pub(crate) depth: Option<usize>,
    /// Show how much each package takes once it is installed, as it says itself.
    #[arg(long)]
    pub(crate) size: bool,
    /// Print one JSON document with all packages and what each needs.
    #[arg(long, conflicts_with_all = ["invert", "depth", "size"])]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc explain-scripts`.
#[derive(Debug, Args)]
pub(crate) struct ExplainScriptsArgs {
    /// The file; FILE#NAME is the field NAME of its record.
    #[arg(value_name = "FILE[#NAME]")]
    pub(crate) file: PathBuf,
    /// Only the scripts of this package. May be given more than once.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) package: Vec<String>,
    /// Print one JSON document instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) work: WorkArgs,
}

/// `imgc store`.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
    /// The store's folder. Default: $IMGC_STORE, else imgc in the XDG cache folder.
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) store: Option<PathBuf>,
    /// Print one JSON document instead of lines.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What `imgc store` does.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Say where the store is, what it holds and what it keeps.
    Info,
    /// Read every byte and compare it with its name; change nothing. Ends with 1 where
    /// something is wrong.
    Verify,
    /// The same, and take away what is wrong: the next build makes or fetches it again.
    Repair,
    /// Remove what was used longest ago. Safe while builds run.
    ///
    /// Without a size and without days: to the configured `max_size`, or else what was
    /// not used for 30 days.
    Gc {
        /// Until the store's blobs take this much at most: 500MB, 20GB.
        #[arg(long, value_name = "SIZE", value_parser = crate::size::parse)]
        max_size: Option<u64>,
        /// What was not used for so many days.
        #[arg(long, value_name = "DAYS")]
        unused: Option<u32>,
        /// Only say what would go.
        #[arg(short = 'n', long)]
        dry_run: bool,
    },
    /// Print the file that holds a blob. Read it, but never change it.
    Path {
        /// Its digest: sha256:….
        digest: String,
    },
    /// Keep an image no longer that `imgc build --keep` kept. What it needs goes when room
    /// is made.
    Release {
        /// The name that it is kept under.
        name: String,
    },
}

/// `imgc fmt`.
#[derive(Debug, Args)]
pub(crate) struct FmtArgs {
    /// The files, and folders to look for `.img` files in; `-` is standard input.
    /// Default: the current folder.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing; list what would change, and end with 1 if anything would.
    #[arg(long)]
    pub(crate) check: bool,
    /// Change nothing; print what would change, line by line.
    #[arg(long)]
    pub(crate) diff: bool,
}

/// `imgc check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The files, and folders to look for `.img` files in; `-` is standard input.
    /// Default: the current folder.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// Correct what a machine can correct.
    #[arg(long)]
    pub(crate) fix: bool,
    /// Print one JSON document instead of messages.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
}

/// `imgc test`.
#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// The files, and folders to look for `.img` files in. Default: the current folder.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) paths: Vec<PathBuf>,
    /// Print one JSON document instead of lines.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
}

/// `imgc eval`.
#[derive(Debug, Args)]
pub(crate) struct EvalArgs {
    /// The file; FILE#NAME is the field NAME of its record, `-` is standard input.
    #[arg(
        value_name = "FILE[#NAME]",
        required_unless_present = "expression",
        conflicts_with = "expression"
    )]
    pub(crate) file: Option<PathBuf>,
    /// An expression instead of a file, as if in a file of the current folder.
    #[arg(short, long, value_name = "EXPR")]
    pub(crate) expression: Option<String>,
    /// Print the value as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
}

/// `imgc repl`.
#[derive(Debug, Args)]
pub(crate) struct ReplArgs {
    /// A file whose names are there from the beginning.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
}

/// `imgc doc`.
#[derive(Debug, Args)]
pub(crate) struct DocArgs {
    /// Files, and modules such as std/debian. Default: all modules that come with imgc.
    #[arg(value_name = "FILE|std/NAME")]
    pub(crate) modules: Vec<PathBuf>,
    /// The names that are always there.
    #[arg(long, conflicts_with = "modules")]
    pub(crate) builtins: bool,
    /// Private bindings too.
    #[arg(long)]
    pub(crate) all: bool,
    /// What to write.
    #[arg(long, value_enum, default_value_t = DocFormat::Markdown, value_name = "FORMAT")]
    pub(crate) format: DocFormat,
    /// Write a page for each module into this folder, instead of all to standard output.
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
}

/// What `imgc doc` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocFormat {
    /// Pages for a browser, each with all that it needs.
    Html,
    /// Text for a repository.
    Markdown,
}

/// What every command takes that evaluates.
#[derive(Debug, Clone, Args)]
pub(crate) struct EvaluationArgs {
    /// The platform of images that don't name one; of several, and of an index, the one that
    /// is looked at. Several, with commas or given more than once, make an index of each
    /// image. Default: linux/amd64.
    #[arg(long = "platform", value_name = "linux/ARCH", value_delimiter = ',')]
    pub(crate) platforms: Vec<imgc_plan::Platform>,
    /// An argument for a file that is a function of named fields. May be given more
    /// than once.
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = argument)]
    pub(crate) arguments: Vec<(String, String)>,
    /// The store's folder. Default: $IMGC_STORE, else imgc in the XDG cache folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// Use no network.
    #[arg(long)]
    pub(crate) offline: bool,
}

impl EvaluationArgs {
    /// The platform of images that don't name one; the first of several.
    pub(crate) fn platform(&self) -> imgc_plan::Platform {
        let first = self.platforms.first().copied();
        first.unwrap_or(imgc_plan::Platform::DEFAULT)
    }

    /// Makes sure that there is one platform, for a command that takes no more.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub(crate) fn check_one_platform(&self) -> Result<(), Failure> {
        match &*self.platforms {
            [] | [_] => Ok(()),
            _ => Err(Failure::Usage(
                "this command takes one --platform: it looks at one image".to_owned(),
            )),
        }
    }
}

/// What every command takes that builds.
#[derive(Debug, Args)]
pub(crate) struct WorkArgs {
    #[command(flatten)]
    pub(crate) evaluation: EvaluationArgs,
    /// A Debian mirror: the address that `dists` and `pool` are below. May be given
    /// more than once; ARCHIVE is `debian` or `debian-security`, and a bare address is
    /// for `debian` and, beside it, `debian-security`. Default: $IMGC_MIRROR, the
    /// configuration file, the host's apt sources.
    #[arg(long, value_name = "[ARCHIVE=]URL")]
    pub(crate) mirror: Vec<String>,
    /// How many things to do at once. Default: the number of processors.
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// How much memory unpacking packages may take: `512M`. Default: 256M, or what the
    /// configuration file says.
    #[arg(long, value_name = "SIZE", value_parser = crate::size::parse)]
    pub(crate) memory: Option<u64>,
}

/// Reads `NAME=VALUE`.
pub(crate) fn argument(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
