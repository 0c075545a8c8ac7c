//! A container under podman with runc, without a network of its own beyond loopback.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use imgc_tests::sandbox::Outcome;

use crate::place::{PLACE, call, run};

/// A running container. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Container {
    name: String,
    pid: String,
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
        let source = format!("oci:{}", folder.display());
        let pulled = run(podman().args(["pull", "-q", &source]));
        let id = pulled.succeeds().stdout.trim().to_owned();
        let limits = [
            "--ulimit",
            "nofile=1024:1024",
            "--ulimit",
            "nproc=1000:1000",
        ];
        let mut command = podman();
        command
            .args(["run", "-d", "--network=none", "--name", name])
            .args(limits)
            .arg(id)
            .args(arguments);
        run(&mut command).succeeds();
        let mut container = Self {
            name: name.to_owned(),
            pid: String::new(),
        };
        let pid = run(podman().args(["inspect", "-f", "{{.State.Pid}}", name]));
        container.pid = pid.succeeds().stdout.trim().to_owned();
        assert_ne!(container.pid, "0", "it ended at once: {}", container.logs());
        container
    }

    /// Runs a program in it, as its own user.
    pub(crate) fn exec(&self, args: &[&str]) -> Outcome {
        run(podman().args(["exec", &self.name]).args(args))
    }

    /// What the program answers to a GET, from within the container's network. Waits for
    /// the program to listen.
    #[track_caller]
    pub(crate) fn get(&self, port: u16, path: &str) -> String {
        // Nothing but bash is needed: an image may have no client.
        let script = format!(
            "exec 3<>/dev/tcp/127.0.0.1/{port} && \
             printf 'GET {path} HTTP/1.0\\r\\nHost: test\\r\\n\\r\\n' >&3 && cat <&3"
        );
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

    /// Ends it with its stop signal, and gives the exit code of its program.
    #[track_caller]
    pub(crate) fn stop(&self) -> String {
        run(podman().args(["stop", "-t", "20", &self.name])).succeeds();
        let code = run(podman().args(["inspect", "-f", "{{.State.ExitCode}}", &self.name]));
        code.succeeds().stdout.trim().to_owned()
    }

    fn logs(&self) -> String {
        let logs = run(podman().args(["logs", &self.name]));
        logs.stdout + &logs.stderr
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        run(podman().args(["rm", "-f", "-t", "0", &self.name]));
    }
}

#[test]
fn podman_and_runc_are_there() {
    call("podman", &["--version"]);
    call("runc", &["--version"]);
}
