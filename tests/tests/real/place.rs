//! Where the real tests work: a folder that everybody may read, the examples in it, and
//! the images built from them, each once.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};

use imgc_tests::sandbox::{Outcome, imgc, repository};

/// The folder of this run. `tests/run` makes it and takes it away.
pub(crate) static PLACE: LazyLock<PathBuf> = LazyLock::new(|| {
    let given = std::env::var_os("IMGC_TEST_PLACE").expect("`tests/run` says where to work");
    let place = PathBuf::from(given);
    for folder in ["", "work", "home", "out"] {
        std::fs::create_dir_all(place.join(folder)).expect("a folder");
    }
    // Another user has to reach all of it.
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    let binary = place.join("imgc");
    std::fs::copy(imgc(), &binary).expect("the binary");
    std::fs::set_permissions(&binary, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    copy_examples(&place.join("examples"));
    place
});

/// Puts a copy of the examples at `to`: a project of its own, without locks.
pub(crate) fn copy_examples(to: &Path) {
    std::fs::create_dir_all(to.join(".git")).expect("a folder");
    let mut command = Command::new("cp");
    command.args(["-r", "--no-preserve=mode,ownership"]);
    for example in ["web", "python", "distroless", "recipes"] {
        command.arg(repository().join("examples").join(example));
    }
    run(command.arg(to)).succeeds();
    for example in ["web", "python", "distroless"] {
        // A developer's own build may have left one.
        let _ = std::fs::remove_file(to.join(example).join("imgc.lock"));
    }
    for recipe in recipes() {
        let _ = std::fs::remove_file(to.join("recipes").join(recipe).join("imgc.lock"));
    }
    let mode = std::fs::Permissions::from_mode(0o755);
    for arch in ["amd64", "arm64"] {
        let server = to.join("web/bin").join(arch).join("server");
        std::fs::set_permissions(server, mode.clone()).expect("its mode");
    }
}

/// The examples of recipes, by their folders, sorted.
pub(crate) fn recipes() -> Vec<String> {
    let listing = std::fs::read_dir(repository().join("examples/recipes")).expect("a folder");
    let mut names: Vec<String> = listing
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Runs `command` to its end. A program that is missing is a failure.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Outcome {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.unwrap_or_else(|error| panic!("{name} can't be started: {error}"));
    Outcome {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a program that has to go well, and gives its standard output.
#[track_caller]
pub(crate) fn call(program: &str, args: &[&str]) -> String {
    run(Command::new(program).args(args))
        .succeeds()
        .stdout
        .clone()
}

/// `imgc` with a home of its own and the store that all real tests share.
pub(crate) fn imgc_command() -> Command {
    let mut command = Command::new(PLACE.join("imgc"));
    command
        .env_clear()
        .env("HOME", PLACE.join("home"))
        .env("IMGC_STORE", PLACE.join("store"))
        .current_dir(PLACE.join("work"));
    // How to reach the mirror is the machine's affair.
    for (name, value) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.to_ascii_lowercase().ends_with("_proxy") || name == "IMGC_MIRROR" {
            command.env(name, value);
        }
    }
    command
}

/// An image that was built.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    /// What the build printed.
    pub(crate) digest: String,
    /// The layout folder.
    pub(crate) layout: PathBuf,
    /// What the build said on standard error.
    pub(crate) notes: String,
}

type Cell = Arc<OnceLock<Built>>;

/// `example` for `arch`, built when it is asked for first.
pub(crate) fn built(example: &str, arch: &str) -> Built {
    static BUILT: Mutex<BTreeMap<String, Cell>> = Mutex::new(BTreeMap::new());
    let key = format!("{example}-{arch}");
    let cell = {
        let mut built = BUILT
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        Arc::clone(built.entry(key.clone()).or_default())
    };
    cell.get_or_init(|| {
        let layout = PLACE.join("out").join(format!("{key}.oci"));
        // The two architectures have a lock each: they are built at the same time.
        let project = PLACE.join("out").join(format!("{key}-project"));
        copy_examples(&project);
        build(&project.join(example).join("app.img"), arch, &layout)
    })
    .clone()
}

/// Builds `file` for `arch` into the folder `layout`.
#[track_caller]
pub(crate) fn build(file: &Path, arch: &str, layout: &Path) -> Built {
    let mut command = imgc_command();
    command
        .arg("build")
        .arg(file)
        .args(["--platform", &format!("linux/{arch}")]);
    let outcome = run(command.arg("-o").arg(format!("oci:{}", layout.display())));
    Built {
        digest: outcome.digest(),
        layout: layout.to_owned(),
        notes: outcome.stderr.clone(),
    }
}

/// The name that the layout in `folder` gives its image.
#[track_caller]
pub(crate) fn tag(folder: &Path) -> String {
    let index = std::fs::read(folder.join("index.json")).expect("an index");
    let index: serde_json::Value = serde_json::from_slice(&index).expect("JSON");
    let name = &index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"];
    name.as_str()
        .expect("the image has a name in its layout")
        .to_owned()
}
