//! `imgc build --watch`: again after each change, until a signal ends it.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use imgc_tests::sandbox::Sandbox;

/// How long a build may take.
const SOON: Duration = Duration::from_secs(60);

const APP: &str = "image { files = { \"/page\" = ./page; }; }\n";

struct Watching {
    child: Child,
    results: Receiver<String>,
    messages: Receiver<String>,
}

/// The lines of a stream, as they come.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

impl Watching {
    fn start(sandbox: &Sandbox) -> Self {
        let mut child = sandbox.run().args(&["build", "--watch", "app.img"]).spawn();
        Self {
            results: lines(child.stdout.take().expect("a pipe")),
            messages: lines(child.stderr.take().expect("a pipe")),
            child,
        }
    }

    /// Waits for a message with these words.
    fn says(&self, words: &str) {
        while !self
            .messages
            .recv_timeout(SOON)
            .expect(words)
            .contains(words)
        {}
    }

    /// Waits for the next result, and until it watches again.
    fn built(&self) -> String {
        let line = self.results.recv_timeout(SOON).expect("a result");
        self.says("watching ");
        line
    }
}

#[test]
fn each_change_is_built_until_a_signal_ends_it() {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", APP);
    sandbox.write("page", "one");
    let mut watching = Watching::start(&sandbox);
    let one = watching.built();
    sandbox.write("page", "two");
    let two = watching.built();
    assert_ne!(one, two);
    // Of a mistake it tells, and goes on.
    sandbox.write("app.img", "image { fils = {}; }\n");
    watching.says("IMG0502");
    watching.says("watching ");
    sandbox.write("app.img", APP);
    assert_eq!(watching.built(), two);
    sandbox.write("page", "one");
    assert_eq!(watching.built(), one);
    // Without a change it does nothing.
    let quiet = Duration::from_millis(600);
    assert!(watching.results.recv_timeout(quiet).is_err());
    let mut kill = Command::new("kill");
    kill.args(["-s", "INT", &watching.child.id().to_string()]);
    assert!(kill.status().expect("kill can be started").success());
    assert_eq!(watching.child.wait().expect("it ends").code(), Some(0));
    assert_eq!(sandbox.build(), one.split_once(' ').expect("a digest").1);
}
