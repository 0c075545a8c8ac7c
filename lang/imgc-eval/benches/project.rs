//! How long it takes to check and evaluate a project when nothing is remembered, and after
//! one line of one file changed. `tests/bench-language --edit` makes the project and runs
//! this; it prints rows of a Markdown table. With `--once` nothing but the first is done,
//! and once: that is for profilers.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads a folder, a variable and the clock, and prints"
)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use imgc_eval::{Entry, MemoryWorld, Options, Session, Stat, World, WorldError};
use imgc_plan::FileDigest;
use mimalloc::MiMalloc;

/// As in the binary.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A project in memory whose files change.
#[derive(Debug)]
struct Edited(Mutex<MemoryWorld>);

impl Edited {
    fn now(&self) -> std::sync::MutexGuard<'_, MemoryWorld> {
        self.0.lock().expect("nobody panics with it")
    }

    fn write(&self, path: &str, text: &str) {
        let mut world = self.now();
        *world = std::mem::take(&mut *world).file(path, text);
    }
}

impl World for Edited {
    fn stat(&self, path: &str) -> Result<Stat, WorldError> {
        self.now().stat(path)
    }

    fn list(&self, path: &str) -> Result<Vec<Entry>, WorldError> {
        self.now().list(path)
    }

    fn digest(&self, path: &str) -> Result<(FileDigest, u64), WorldError> {
        self.now().digest(path)
    }

    fn read(&self, path: &str, offset: u64, len: usize) -> Result<Vec<u8>, WorldError> {
        self.now().read(path, offset, len)
    }

    fn std_module(&self, name: &str) -> Option<String> {
        self.now().std_module(name)
    }

    fn std_modules(&self) -> Vec<String> {
        self.now().std_modules()
    }
}

fn main() {
    let Some(folder) = std::env::var_os("IMGC_BENCH_PROJECT") else {
        println!("no project: tests/bench-language --edit makes one");
        return;
    };
    let mut files = BTreeMap::new();
    let mut world = MemoryWorld::new();
    for entry in std::fs::read_dir(folder).expect("the folder of the project") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "img") {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = std::fs::read_to_string(&path).expect("a file");
            world = world.file(&name, &text);
            files.insert(name, text);
        }
    }
    let world = Arc::new(Edited(Mutex::new(world)));
    let options = Options::default();

    let is_once = std::env::args().any(|argument| argument == "--once");
    let mut cold = Vec::new();
    for _ in 0..if is_once { 1 } else { 10 } {
        let begin = Instant::now();
        let mut session = Session::new(world.clone());
        let checked = session.check("main.img", &options);
        assert!(
            checked.diagnostics.is_empty(),
            "{:?}",
            checked.diagnostics.first()
        );
        assert!(session.show("main.img", &options).text.is_some());
        cold.push(begin.elapsed());
    }
    report("checked and evaluated, nothing remembered", &mut cold);
    if is_once {
        return;
    }

    let mut session = Session::new(world.clone());
    let before = session.show("main.img", &options).text.expect("a value");
    for (what, old, new) in [
        ("after a comment", "## Service", "## The service"),
        (
            "after a value changed",
            "limits = { memory = 512;",
            "limits = { memory = 513;",
        ),
        (
            "after a value changed that all use",
            "port = next;",
            "port = next + 1;",
        ),
    ] {
        let mut edited = Vec::new();
        for round in 0..20 {
            let name = format!("m{}.img", round * 7);
            let text = &files[&name];
            assert!(text.contains(old), "{name}");
            world.write(&name, &text.replacen(old, new, 1));
            let begin = Instant::now();
            session.refresh();
            let checked = session.check("main.img", &options);
            assert!(
                checked.diagnostics.is_empty(),
                "{:?}",
                checked.diagnostics.first()
            );
            let shown = session.show("main.img", &options);
            edited.push(begin.elapsed());
            assert!(shown.text.is_some());
            world.write(&name, text);
            session.refresh();
            assert_eq!(
                session.show("main.img", &options).text.as_ref(),
                Some(&before)
            );
        }
        report(what, &mut edited);
    }
}

fn report(what: &str, times: &mut [std::time::Duration]) {
    times.sort();
    let milliseconds = |at: usize| times[at].as_secs_f64() * 1000.0;
    println!(
        "| {what} | {:.1} ms | least {:.1}, most {:.1} |",
        milliseconds(times.len() / 2),
        milliseconds(0),
        milliseconds(times.len() - 1)
    );
}
