//! How long an editor waits in a project of 200 files and 10,000 lines: from a key to all
//! diagnostics, and for a completion among 60,000 packages. It makes the project itself, in
//! memory, and prints rows of a Markdown table. `cargo bench -p imgc-ide`.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark looks at the clock, and prints"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use imgc_diag::FileId;
use imgc_eval::MemoryWorld;
use imgc_ide::{Analysis, Catalogue, PackageFacts, PackageName, Workspace};
use imgc_syntax::{TextRange, TextSize};

/// Files beside the one that imports all.
const FILES: usize = 199;

/// Names of packages, sorted.
#[derive(Debug)]
struct Packages(Vec<String>);

impl Packages {
    fn many() -> Self {
        let mut names: Vec<String> = (0..60_000_u32)
            .map(|number| {
                format!(
                    "lib{}-package-{number}",
                    number.wrapping_mul(2_654_435_761) % 997
                )
            })
            .collect();
        names.sort();
        Self(names)
    }
}

impl Catalogue for Packages {
    fn package(&self, _: &str, name: &str) -> Option<PackageFacts> {
        let at = self.0.binary_search_by(|known| known.as_str().cmp(name));
        at.ok().map(|_| PackageFacts::default())
    }

    fn starting_with(&self, _: &str, prefix: &str, most: usize) -> Vec<PackageName> {
        let from = self.0.partition_point(|name| name.as_str() < prefix);
        let rest = self.0[from..].iter();
        let found = rest.take_while(|name| name.starts_with(prefix)).take(most);
        let found = found.map(|name| PackageName {
            name: name.clone(),
            version: "1.0-1".to_owned(),
        });
        found.collect()
    }
}

/// A file of fifty lines that imports the two before it.
fn module(number: usize) -> String {
    let mut text = String::from("## A service.\nlet\n  debian = import std/debian;\n");
    for before in [number.wrapping_sub(1), number.wrapping_sub(7)] {
        if before < number {
            text.push_str(&format!("  m{before} = import ./m{before}.img;\n"));
        }
    }
    let ports: Vec<String> = [number.wrapping_sub(1), number.wrapping_sub(7)]
        .iter()
        .filter(|before| **before < number)
        .map(|before| format!("m{before}.port"))
        .collect();
    let sum = ports.join(" + ");
    let sum = if sum.is_empty() { "0" } else { &sum };
    text.push_str(&format!(
        "  ## The port.\n  port = 1024 + {number};\n  below = {sum};\n"
    ));
    for line in 0..12 {
        text.push_str(&format!(
            "  value{line} = {{ name = \"service-{number}-{line}\"; limits = {{ memory = {line} + below; cpu = port; }}; }};\n"
        ));
    }
    for line in 0..8 {
        text.push_str(&format!(
            "  call{line} = map (n => n + value{line}.limits.memory) (range 0 {line});\n"
        ));
    }
    text.push_str("  all = [");
    for line in 0..8 {
        text.push_str(&format!("call{line}, "));
    }
    text.push_str("];\nin {\n  port;\n  total = length (concat all) + below;\n");
    for line in 0..12 {
        text.push_str(&format!("  name{line} = value{line}.name;\n"));
    }
    text.push_str(
        "  image = debian.image {\n    name = \"service\";\n    packages = [\"lib1\"];\n",
    );
    text.push_str(
        "    config = {\n      user = \"app\";\n      ports = [8080];\n    };\n  };\n}\n",
    );
    text
}

fn main() {
    let mut world = MemoryWorld::new();
    for (name, text) in imgc_stdlib::modules() {
        world = world.module(name, text);
    }
    let mut lines = 0;
    let mut main = String::from("let\n");
    for number in 0..FILES {
        let text = module(number);
        lines += text.lines().count();
        world = world.file(&format!("m{number}.img"), &text);
        main.push_str(&format!("  m{number} = import ./m{number}.img;\n"));
    }
    main.push_str("in {\n");
    for number in 0..FILES {
        main.push_str(&format!("  m{number} = m{number}.total;\n"));
    }
    main.push_str("}\n");
    lines += main.lines().count();
    world = world.file("main.img", &main);
    println!("{} files, {lines} lines", FILES + 1);

    let begin = Instant::now();
    let mut workspace =
        Workspace::new(Arc::new(world), Arc::new(Packages::many())).expect("threads");
    workspace.add("main.img");
    for number in 0..FILES {
        workspace.add(&format!("m{number}.img"));
    }
    let found = workspace.analysis().diagnostics().expect("nothing changes");
    let cold = begin.elapsed();
    assert!(found.is_empty(), "{:?}", found.values().next());
    report("all diagnostics, nothing remembered", &mut [cold]);

    for (what, file) in [
        ("in a file that nothing imports", "main.img"),
        ("in a file that two others import", "m180.img"),
        ("in a file that all others need", "m0.img"),
    ] {
        let text = match file {
            "main.img" => main.clone(),
            "m180.img" => module(180),
            _ => module(0),
        };
        let keys = " port2 = 1 + port;";
        let id = FileId::new(file);
        let mut times = typed(&mut workspace, file, &text, keys, |analysis, _| {
            analysis.file_diagnostics(&id).expect("nothing changes");
        });
        report(
            &format!("from a key to its file's diagnostics, {file}"),
            &mut times,
        );
        let mut times = typed(&mut workspace, file, &text, keys, |analysis, _| {
            analysis.diagnostics().expect("nothing changes");
        });
        report(
            &format!("from a key to all diagnostics, {file}, {what}"),
            &mut times,
        );
    }
    let text = module(180);
    let mut times = typed(
        &mut workspace,
        "m180.img",
        &text,
        " x = value;",
        |analysis, at| {
            let file = FileId::new("m180.img");
            analysis.completions(&file, at).expect("nothing changes");
        },
    );
    report("from a key to a completion of names", &mut times);
    let at = text.find("\"lib1\"").expect("a package") + 5;
    let analysis = workspace.analysis();
    let mut times: Vec<Duration> = (0..200)
        .map(|_| {
            let begin = Instant::now();
            let file = FileId::new("m180.img");
            let found = analysis.completions(&file, TextSize::new(at as u32));
            assert_eq!(found.expect("nothing changes").len(), 200);
            begin.elapsed()
        })
        .collect();
    report("a completion among 60,000 packages", &mut times);
    let file = FileId::new("m180.img");
    let whole = TextRange::up_to(TextSize::of(text.as_str()));
    let mut times: Vec<Duration> = (0..100)
        .map(|_| {
            let begin = Instant::now();
            analysis.semantic_tokens(&file).expect("nothing changes");
            analysis
                .inlay_hints(&file, whole, &[])
                .expect("nothing changes");
            analysis.symbols(&file).expect("nothing changes");
            begin.elapsed()
        })
        .collect();
    report("tokens, hints and symbols of a file", &mut times);
    let place = text.find("port = 1024").expect("the port");
    let mut times: Vec<Duration> = (0..20)
        .map(|_| {
            let begin = Instant::now();
            let found = analysis.references(&file, TextSize::new(place as u32), true);
            assert!(!found.expect("nothing changes").is_empty());
            begin.elapsed()
        })
        .collect();
    report("references", &mut times);
    println!("memory: {} MiB", resident() / 1024);
}

/// Types something at the end of the `let` of a file, key by key, many times.
fn typed(
    workspace: &mut Workspace,
    file: &str,
    text: &str,
    keys: &str,
    ask: impl Fn(&Analysis, TextSize),
) -> Vec<Duration> {
    let place = text.find("\nin {").expect("a let");
    let mut times = Vec::new();
    for _ in 0..20 {
        for (at, key) in keys.char_indices() {
            let end = at + key.len_utf8();
            let now = format!("{}{}{}", &text[..place], &keys[..end], &text[place..]);
            let begin = Instant::now();
            workspace.set_text(file, Some(now.into()));
            let analysis = workspace.analysis();
            ask(&analysis, TextSize::new((place + end) as u32));
            times.push(begin.elapsed());
        }
    }
    workspace.set_text(file, Some(text.into()));
    times
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort();
    let milliseconds = |at: usize| times[at].as_secs_f64() * 1000.0;
    println!(
        "| {what} | {:.1} ms | p99 {:.1} |",
        milliseconds(times.len() / 2),
        milliseconds((times.len() * 99 / 100).min(times.len() - 1)),
    );
}

/// The memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let words = line.and_then(|line| line.split_whitespace().nth(1));
    words.and_then(|word| word.parse().ok()).unwrap_or_default()
}
