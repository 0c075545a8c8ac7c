//! A container under podman with runc, without a network of its own beyond loopback.

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use imgc_tests::sandbox::Outcome;

use crate::place::{PLACE, call, run};

/// A running container. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Container {
    name: String,
    pid: String,
}

/// What every container has: no network, and few files and processes.
const LIMITS: &[&str] = &[
    "--network=none",
    "--ulimit",
    "nofile=1024:1024",
    "--ulimit",
    "nproc=1000:1000",
];

/// What a container gets that may do nothing.
const CONFINED: &[&str] = &[
    "--read-only",
    "--read-only-tmpfs=false",
    "--tmpfs=/tmp:rw,mode=1777",
    "--cap-drop=all",
    "--security-opt=no-new-privileges",
];

/// What a program of the image `source` prints, and how it ends, where it may do nothing.
#[track_caller]
pub(crate) fn confined_output(source: &str, options: &[&str], arguments: &[&str]) -> Outcome {
    let id = pulled(source);
    let mut command = podman();
    command
        .args(["run", "--rm"])
        .args(LIMITS)
        .args(CONFINED)
        .args(options)
        .arg(id)
        .args(arguments);
    run(&mut command)
}

/// Copies the image `source` into podman's storage, and gives its number. podman gives all
/// images of a layout the same name, and looks for the number of what it has copied by that
/// name: of two that are copied at once it may give the other's.
#[track_caller]
fn pulled(source: &str) -> String {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let pulled = run(podman().args(["pull", "-q", source]));
    pulled.succeeds().stdout.trim().to_owned()
}

fn podman() -> Command {
    let mut command = Command::new("podman");
    command.arg("--root").arg(PLACE.join("podman/root"));
    command.arg("--runroot").arg(PLACE.join("podman/run"));
    // Works where there is no systemd and no user session too.
    command.args(["--runtime=runc", "--cgroup-manager=cgroupfs"]);
    command
}

impl Container {
    /// Starts the image of the layout in `folder` as the container `name`.
    #[track_caller]
    pub(crate) fn start(name: &str, folder: &Path) -> Self {
        Self::start_with(name, folder, &[])
    }

    /// The same with another command than the image's own.
    #[track_caller]
    pub(crate) fn start_with(name: &str, folder: &Path, arguments: &[&str]) -> Self {
        Self::begin(name, &format!("oci:{}", folder.display()), &[], arguments)
    }

    /// Starts the image `source` with nothing that it may do: no capability, no way to get
    /// one, a root that can't be written to, and `/tmp` in memory. `options` go to podman.
    #[track_caller]
    pub(crate) fn confined(name: &str, source: &str, options: &[&str], arguments: &[&str]) -> Self {
        Self::begin(name, source, &[CONFINED, options].concat(), arguments)
    }

    #[track_caller]
    fn begin(name: &str, source: &str, options: &[&str], arguments: &[&str]) -> Self {
        let id = pulled(source);
        let mut command = podman();
        command
            .args(["run", "-d", "--name", name])
            .args(LIMITS)
            .args(options)
            .arg(id)
            .args(arguments);
        run(&mut command).succeeds();
        let mut container = Self {
            name: name.to_owned(),
            pid: String::new(),
        };
        container.look();
        container
    }

    /// Notes its process, which has to be there.
    #[track_caller]
    fn look(&mut self) {
        let pid = run(podman().args(["inspect", "-f", "{{.State.Pid}}", &self.name]));
        self.pid = pid.succeeds().stdout.trim().to_owned();
        assert_ne!(self.pid, "0", "it ended at once: {}", self.logs());
    }

    /// Starts it again, with what is in its volumes.
    #[track_caller]
    pub(crate) fn again(&mut self) {
        run(podman().args(["start", &self.name])).succeeds();
        self.look();
    }

    /// A line of the kernel's account of its first process, such as that of `Uid`.
    #[track_caller]
    pub(crate) fn status(&self, field: &str) -> String {
        let path = format!("/proc/{}/status", self.pid);
        let text = std::fs::read_to_string(path).expect("it runs");
        let line = text.lines().find_map(|line| line.strip_prefix(field));
        let line = line.and_then(|line| line.strip_prefix(':'));
        line.expect("a field of the kernel's").trim().to_owned()
    }

    /// Runs a program in it, as its own user.
    pub(crate) fn exec(&self, args: &[&str]) -> Outcome {
        run(podman().args(["exec", &self.name]).args(args))
    }

    /// What the program answers to a GET, from within the container's network. Waits for
    /// the program to listen.
    #[track_caller]
    pub(crate) fn get(&self, port: u16, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.0\r\nHost: test\r\n\r\n");
        self.ask(port, request.as_bytes())
    }

    /// What the program answers to `request` until it closes the connection.
    #[track_caller]
    pub(crate) fn ask(&self, port: u16, request: &[u8]) -> String {
        // Nothing but bash is needed: an image may have no client.
        let bytes: String = request.iter().map(|byte| format!("\\{byte:03o}")).collect();
        let script =
            format!("exec 3<>/dev/tcp/127.0.0.1/{port} && printf '{bytes}' >&3 && cat <&3");
        for _ in 0..100 {
            let mut command = Command::new("nsenter");
            command.args(["-t", &self.pid, "-n", "bash", "-c", &script]);
            let outcome = run(&mut command);
            if outcome.code == Some(0) && !outcome.stdout.is_empty() {
                return outcome.stdout;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("nothing answers on port {port}: {}", self.logs());
    }

    /// Waits until `args`, run in it, go well, and gives what they print.
    #[track_caller]
    pub(crate) fn until(&self, args: &[&str]) -> String {
        for _ in 0..300 {
            let outcome = self.exec(args);
            if outcome.code == Some(0) {
                return outcome.stdout;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{args:?} does not go well: {}", self.logs());
    }

    /// Ends it with its stop signal, and gives the exit code of its program.
    #[track_caller]
    pub(crate) fn stop(&self) -> String {
        run(podman().args(["stop", "-t", "20", &self.name])).succeeds();
        let code = run(podman().args(["inspect", "-f", "{{.State.ExitCode}}", &self.name]));
        code.succeeds().stdout.trim().to_owned()
    }

    /// What its programs printed.
    pub(crate) fn logs(&self) -> String {
        let logs = run(podman().args(["logs", &self.name]));
        logs.stdout + &logs.stderr
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        run(podman().args(["rm", "-f", "-v", "-t", "0", &self.name]));
    }
}

#[test]
fn podman_and_runc_are_there() {
    call("podman", &["--version"]);
    call("runc", &["--version"]);
}
