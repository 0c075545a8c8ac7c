//! An isolated place to run `imgc` in: its own home, project, store and archive.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::archive::{Archive, Suite, packages};
use crate::deb::Deb;
use crate::key::Key;
use crate::server::Server;

/// The path of the `imgc` to test: `$IMGC_TEST_BINARY`, else the one that was built
/// with the tests.
///
/// # Panics
/// Where it was not built.
pub fn imgc() -> PathBuf {
    if let Some(given) = std::env::var_os("IMGC_TEST_BINARY") {
        return PathBuf::from(given);
    }
    // target/debug/deps/NAME-HASH -> target/debug/imgc
    let test = std::env::current_exe().expect("a test has a file");
    let folder = test
        .parent()
        .and_then(Path::parent)
        .expect("a test is in target/PROFILE/deps");
    let binary = folder.join("imgc");
    assert!(
        binary.is_file(),
        "{} is not there: `cargo test --workspace` builds it, and so does `cargo build -p imgc`",
        binary.display()
    );
    binary
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the tests are in the repository")
        .to_owned()
}

/// What a run gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Outcome {
    /// Checks that the run went well.
    ///
    /// # Panics
    /// Where it did not.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(
            self.code,
            Some(0),
            "it failed:\n{}{}",
            self.stdout,
            self.stderr
        );
        self.has_no_panic();
        self
    }

    /// Checks that the run failed with `code`, printed nothing on standard output, and
    /// said each of `words` on standard error.
    ///
    /// # Panics
    /// Where one of these does not hold.
    #[track_caller]
    pub fn fails(&self, code: i32, words: &[&str]) -> &Self {
        self.has_no_panic();
        let Self { stdout, stderr, .. } = self;
        assert_eq!(
            self.code,
            Some(code),
            "another exit code:\n{stdout}{stderr}"
        );
        assert_eq!(stdout, "", "a failed run prints no image");
        // Messages may be wrapped: compare words, not lines.
        let said = stderr
            .split_whitespace()
            .filter(|word| *word != "│")
            .collect::<Vec<_>>();
        let said = said.join(" ");
        for word in words {
            assert!(
                said.contains(word),
                "`{word}` is not in the message:\n{stderr}"
            );
        }
        self
    }

    /// The only image's digest, from the only line of standard output.
    ///
    /// # Panics
    /// Where standard output is not one line `NAME sha256:…`.
    #[track_caller]
    pub fn digest(&self) -> String {
        self.succeeds();
        let line = self
            .stdout
            .strip_suffix('\n')
            .unwrap_or_else(|| panic!("{self:?}"));
        assert!(!line.contains('\n'), "more than one line: {line}");
        let (name, digest) = line.split_once(' ').expect("NAME DIGEST");
        assert!(!name.is_empty() && !digest.contains(' '), "{line}");
        let hex = digest.strip_prefix("sha256:").expect("a sha256 digest");
        assert!(
            hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()),
            "{line}"
        );
        digest.to_owned()
    }

    #[track_caller]
    fn has_no_panic(&self) {
        for word in [
            "panicked",
            "RUST_BACKTRACE",
            "unreachable code",
            "internal error",
        ] {
            assert!(
                !self.stderr.contains(word),
                "a panic is no message:\n{}",
                self.stderr
            );
        }
        assert!(self.code.is_some(), "a signal ended it:\n{}", self.stderr);
    }
}

/// A home folder, a project and an archive of its own.
#[derive(Debug)]
pub struct Sandbox {
    dir: TempDir,
    /// The key that signs the archive.
    pub key: Key,
    /// What serves the archive, below `debian/` and `debian-security/`.
    pub server: Server,
}

impl Sandbox {
    /// A sandbox with the packages of [`packages`] and an empty project.
    pub fn new() -> Self {
        Self::with_packages(&packages())
    }

    /// A sandbox with `packages` in the suite `trixie`.
    pub fn with_packages(packages: &[Deb]) -> Self {
        let dir = TempDir::new().expect("a temporary folder");
        let sandbox = Self {
            dir,
            key: Key::new(),
            server: Server::start(),
        };
        for folder in ["home/.config/imgc", "home/.cache", "project"] {
            std::fs::create_dir_all(sandbox.path(folder)).expect("a folder");
        }
        sandbox.publish(packages);
        let keyring = sandbox.path("key.asc");
        std::fs::write(&keyring, sandbox.key.public()).expect("a file");
        let mut config = String::new();
        for archive in ["debian", "debian-security"] {
            let mirror = sandbox.server.url(archive);
            let keyring = keyring.display();
            config.push_str(&format!(
                "[archive.{archive}]\nmirror = \"{mirror}\"\nkeyring = \"{keyring}\"\n"
            ));
        }
        std::fs::write(sandbox.path("home/.config/imgc/config.toml"), config).expect("a file");
        sandbox
    }

    /// Puts an archive of `packages` on the server, with empty updates and security
    /// suites beside it.
    pub fn publish(&self, packages: &[Deb]) {
        let suite = |name, label| Suite { name, label };
        let key = &self.key;
        let mut debian = Archive::new(key, suite("trixie", "Debian"), packages);
        let date = "Sat, 01 Nov 2025 09:00:00 UTC";
        debian.add_suite(key, suite("trixie-updates", "Debian"), &[], date);
        let security = Archive::new(key, suite("trixie-security", "Debian-Security"), &[]);
        for (folder, archive) in [("debian", debian), ("debian-security", security)] {
            for (path, bytes) in archive.files() {
                self.server.put(&format!("{folder}/{path}"), bytes.clone());
            }
        }
    }

    /// A path in the sandbox.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.dir.path().join(relative)
    }

    /// A file of the project.
    pub fn project(&self, relative: &str) -> PathBuf {
        self.path("project").join(relative)
    }

    /// Writes a file of the project, and the folders above it.
    pub fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) {
        let path = self.project(relative);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    /// A run of `imgc` in the project, with an environment of its own.
    pub fn run(&self) -> Run {
        let mut command = Command::new(imgc());
        self.isolate(&mut command);
        Run(command)
    }

    /// As [`Sandbox::run`], below a shell with another file mode mask.
    pub fn run_with_umask(&self, umask: &str) -> Run {
        let mut command = Command::new("/bin/sh");
        let line = format!("umask {umask}; exec \"$0\" \"$@\"");
        command.args(["-c", &line]).arg(imgc());
        self.isolate(&mut command);
        Run(command)
    }

    fn isolate(&self, command: &mut Command) {
        command
            .env_clear()
            .env("HOME", self.path("home"))
            .env("XDG_CONFIG_HOME", self.path("home/.config"))
            .env("XDG_CACHE_HOME", self.path("home/.cache"))
            .current_dir(self.path("project"))
            .stdin(Stdio::null());
    }

    /// Builds `app.img` and gives the digest.
    ///
    /// # Panics
    /// Where the build fails.
    #[track_caller]
    pub fn build(&self) -> String {
        self.run().args(&["build", "app.img"]).outcome().digest()
    }

    /// Checks that a failed build left no layout and no lock half-written.
    ///
    /// # Panics
    /// Where there is one.
    #[track_caller]
    pub fn has_no_layout(&self) {
        let listing = std::fs::read_dir(self.path("project")).expect("the project's folder");
        for entry in listing {
            let name = entry.expect("an entry").file_name();
            let name = name.to_string_lossy();
            let expected = !name.ends_with(".oci") && !name.starts_with('.');
            assert!(
                expected && !name.contains("tmp"),
                "a failed build left {name}"
            );
        }
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self::new()
    }
}

/// A run that is being put together.
#[derive(Debug)]
pub struct Run(Command);

impl Run {
    /// With further arguments.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.0.args(args);
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// In another folder.
    #[must_use]
    pub fn within(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    /// Starts it, and ends it by SIGKILL after `delay`.
    pub fn kill_after(mut self, delay: std::time::Duration) {
        let command = self.0.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        std::thread::sleep(delay);
        // It may have come to its end already.
        let _ = child.kill();
        child.wait().expect("the program ends");
    }

    /// Runs it to its end with this as its standard input.
    ///
    /// # Panics
    /// Where it does not read all of it.
    pub fn outcome_of(mut self, input: &[u8]) -> Outcome {
        let command = self.0.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.to_owned();
        let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, &input));
        let output = child.wait_with_output().expect("the program ends");
        let written = writer.join().expect("it does not panic");
        written.expect("the program reads its input");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Starts it, with its output in pipes.
    pub fn spawn(mut self) -> std::process::Child {
        let command = self.0.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// Starts it, to be spoken to: with its input and its output in pipes.
    ///
    /// # Panics
    /// Where it can't be started.
    pub fn converse(mut self) -> std::process::Child {
        let command = self.0.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.spawn().expect("the program starts")
    }

    /// Runs it to its end.
    pub fn outcome(mut self) -> Outcome {
        let output = self.0.output().expect("the program starts");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }
}
