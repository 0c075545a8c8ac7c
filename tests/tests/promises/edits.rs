//! Runs the pages of `tests/build`: after each edit, exactly which steps a build takes.
//!
//! A page is a story in one project, with one store. What stands under a `##` heading is a
//! step: blocks that change something, in order, then one block `ran`.
//!
//! - `file path=a.img`: a file of the project, with what is in the block.
//! - `edit path=a.img`: lines `- OLD` and `+ NEW`; what all the old ones say stands in the
//!   file once, and what the new ones say takes its place.
//! - `delete`: lines, each a file of the project that goes away.
//! - `archive day=2`: what the archive has from now on, a line for each package. See
//!   `imgc_tests::small`.
//! - `imgc`: lines, each the arguments of a run that has to go well.
//! - `harm`: lines `removed|emptied|truncated|flipped WHAT NAME`, which a disk may do to
//!   a file of the store. WHAT is a package's `deb`, `fragment`, `segment` or `record`, or
//!   an image's `manifest`, `config`, or the `list` of its lowest layer.
//! - `ran`: what `imgc build app.img` does; with `of=a.img,b.img` a build of these. Lines:
//!   `indices` where an index of the archive was asked for, `fetch PACKAGE`, and each step
//!   that was taken, `KIND NAME`, in the order in which an image is made; `KIND NAME: WHY`
//!   says why, too. With `image=A` the digest gets a name: where it is used again, the
//!   digest is the same, and other names are other digests. `A,B` are those of two images.
//!
//! Before each build, `imgc plan` is asked what it would do: what it says has to be done is
//! done, and what it says is there is not made. After each build that took a step, an
//! empty store gives the same digests.

use std::collections::{BTreeMap, BTreeSet};

use imgc_tests::deb::Deb;
use imgc_tests::sandbox::Sandbox;
use imgc_tests::small;
use imgc_tests::store::{Harm, StoreFolder};
use serde_json::Value;

use crate::pages::{Block, Step, pages};
use crate::store;

#[test]
fn after_each_edit_exactly_what_it_reaches_is_made() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let pages = pages();
    std::thread::scope(|scope| {
        let runs = pages.iter().map(|(page, steps)| {
            count += steps.len();
            let run = scope.spawn(move || Story::new().tell(steps));
            (page, run)
        });
        for (page, run) in runs.collect::<Vec<_>>() {
            let run = run.join();
            for (step, why) in run.unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
                wrong.push(format!("{page}:{}: {}\n{why}", step.line, step.heading));
            }
        }
    });
    assert!(count >= 20, "only {count} steps");
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

/// A page while it is told.
struct Story {
    sandbox: Sandbox,
    store: StoreFolder,
    /// The names that digests have been given.
    digests: BTreeMap<String, String>,
    /// What the last build said.
    last: Value,
}

impl Story {
    fn new() -> Self {
        let sandbox = Sandbox::with_packages(&[]);
        Self {
            store: store(&sandbox),
            sandbox,
            digests: BTreeMap::new(),
            last: Value::Null,
        }
    }

    /// The steps that do not hold, and why not.
    fn tell<'a>(&mut self, steps: &'a [Step]) -> Vec<(&'a Step, String)> {
        let mut wrong = Vec::new();
        for step in steps {
            if let Err(why) = self.step(step) {
                wrong.push((step, why));
            }
        }
        wrong
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let (ran, before) = step.blocks.split_last().expect("a step has blocks");
        assert_eq!(ran.kind, "ran", "{}: its last block", step.heading);
        for block in before {
            self.change(block, &step.heading);
        }
        let is_harmed = before.iter().any(|block| block.kind == "harm");
        self.build(ran, is_harmed)
    }

    fn change(&self, block: &Block, heading: &str) {
        let path = || block.words.get("path").expect("a block says its path");
        match &*block.kind {
            "file" => self.sandbox.write(path(), &block.text),
            "edit" => self.edit(path(), &block.text, heading),
            "delete" => {
                for line in block.text.lines() {
                    std::fs::remove_file(self.sandbox.project(line)).expect("the file is there");
                }
            }
            "archive" => {
                let packages: Vec<Deb> = block.text.lines().map(small::package).collect();
                let day = block.words["day"].parse().expect("a day");
                small::publish(&self.sandbox, &packages, day);
            }
            "imgc" => {
                for line in block.text.lines() {
                    let args: Vec<&str> = line.split_whitespace().collect();
                    self.sandbox.run().args(&args).outcome().succeeds();
                }
            }
            "harm" => block.text.lines().for_each(|line| self.harm(line)),
            kind => panic!("{heading}: a block can't be `{kind}`"),
        }
    }

    fn edit(&self, path: &str, text: &str, heading: &str) {
        let lines = |sign| {
            let lines = text.lines().filter_map(|line| line.strip_prefix(sign));
            let lines: Vec<&str> = lines
                .map(|line| line.strip_prefix(' ').unwrap_or(line))
                .collect();
            lines.join("\n")
        };
        let file = self.sandbox.project(path);
        let before = std::fs::read_to_string(&file).expect("a file of text");
        let old = lines('-');
        assert_eq!(before.matches(&old).count(), 1, "{heading}: {old}");
        std::fs::write(file, before.replace(&old, &lines('+'))).expect("a file");
    }

    fn harm(&self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [how, what, name] = words[..] else {
            panic!("`{line}` is no harm");
        };
        let harm = match how {
            "removed" => Harm::Removed,
            "emptied" => Harm::Emptied,
            "truncated" => Harm::Truncated,
            "flipped" => Harm::Flipped,
            _ => panic!("`{how}` is no harm"),
        };
        let unpacked = || self.store.unpacked().remove(name).expect("it is unpacked");
        let image = || {
            let images = self.last["images"].as_array().expect("images").iter();
            let mut images = images.filter(|image| image["name"] == name);
            images.next().expect("it was built")
        };
        let blob = |descriptor: &Value| hex(descriptor["digest"].as_str().expect("a digest"));
        let path = match what {
            "deb" => self.store.blob(&self.deb(name)),
            "fragment" => self.store.blob(&unpacked().fragment),
            "segment" => self.store.blob(&unpacked().segment),
            "record" => unpacked().record,
            "manifest" | "config" => self.store.blob(&blob(&image()[what])),
            "list" => self.store.list(&blob(&image()["layers"][0])),
            _ => panic!("`{what}` is nothing of a store"),
        };
        harm.strike(&path);
    }

    /// The digest of a package that the lock pins.
    fn deb(&self, name: &str) -> String {
        let lock = std::fs::read_to_string(self.sandbox.project("imgc.lock")).expect("a lock");
        let lock: toml::Table = lock.parse().expect("a lock is TOML");
        let packages = lock["pinned"]["packages"].as_array().expect("packages");
        let mut packages = packages.iter();
        let pin = packages.find(|package| package["name"].as_str() == Some(name));
        let pin = pin.expect("it is pinned");
        pin["sha256"].as_str().expect("a digest").to_owned()
    }

    fn build(&mut self, block: &Block, is_harmed: bool) -> Result<(), String> {
        let of = block.words.get("of").map_or("app.img", String::as_str);
        let files: Vec<&str> = of.split(',').collect();
        let planned = self.plan(&files);
        self.sandbox.server.take_requests();
        let args = ["build", "--json", "--explain"];
        let outcome = self.sandbox.run().args(&args).args(&files).outcome();
        outcome.succeeds();
        let last: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        let steps = last["steps"].as_array().expect("steps").clone();
        let ran = self.fetched().into_iter().chain(self.taken(&steps));
        let ran: Vec<(String, String)> = ran.collect();
        self.last = last;
        let mut wrong = compare(&block.text, &ran);
        if !ran.is_empty() {
            wrong.extend(self.compare_cold(&files));
        }
        wrong.extend(self.check_digests(block));
        if let Some(planned) = planned.filter(|_| !is_harmed) {
            wrong.extend(compare_plan(&planned, &ran));
        }
        match wrong.is_empty() {
            true => Ok(()),
            false => Err(wrong.join("\n")),
        }
    }

    /// What is other where the same is built from nothing.
    fn compare_cold(&self, files: &[&str]) -> Vec<String> {
        let store = self.sandbox.path("cold");
        let text = store.display().to_string();
        let out = format!("oci:{text}-out");
        let args = ["build", "--locked", "--json", "--store", &text, "-o", &out];
        let outcome = self.sandbox.run().args(&args).args(files).outcome();
        outcome.succeeds();
        let cold: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        for folder in ["cold", "cold-out"] {
            std::fs::remove_dir_all(self.sandbox.path(folder)).expect("a folder");
        }
        match cold["images"] == self.last["images"] {
            true => Vec::new(),
            false => vec![format!(
                "  from nothing it is\n{:#}\n  and here it is\n{:#}",
                cold["images"], self.last["images"]
            )],
        }
    }

    /// What `imgc plan` says has to be done, and may have to be. None where the lock does
    /// not have all packages.
    fn plan(&self, files: &[&str]) -> Option<[BTreeSet<String>; 2]> {
        let args = ["plan", "--json"];
        let outcome = self.sandbox.run().args(&args).args(files).outcome();
        if outcome.code != Some(0) {
            outcome.fails(1, &["imgc.lock does not have the packages"]);
            return None;
        }
        let plan: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
        let steps = plan["steps"].as_array().expect("steps");
        let of = |state: &str| {
            let steps = steps.iter().filter(|step| step["state"] == state);
            let names = steps.map(|step| {
                let name = step["name"].as_str().expect("a name");
                let name = name.split(' ').next().unwrap_or_default();
                format!("{} {name}", step["kind"].as_str().expect("a kind"))
            });
            names.collect::<BTreeSet<String>>()
        };
        Some([of("todo"), of("unknown")])
    }

    /// What was asked of the archive.
    fn fetched(&self) -> Vec<(String, String)> {
        let mut fetched = BTreeSet::new();
        for request in self.sandbox.server.take_requests() {
            let file = request.path.rsplit('/').next().expect("a path has an end");
            match file
                .strip_suffix(".deb")
                .and_then(|file| file.split_once('_'))
            {
                Some((name, _)) => fetched.insert(format!("fetch {name}")),
                // Before all packages.
                None => fetched.insert("\0".to_owned()),
            };
        }
        let words = fetched.into_iter().map(|line| match &*line {
            "\0" => "indices".to_owned(),
            _ => line,
        });
        words.map(|line| (line, String::new())).collect()
    }

    /// The steps that were taken, and why.
    fn taken(&self, steps: &[Value]) -> Vec<(String, String)> {
        let unpacked = self.store.unpacked();
        let line = |step: &Value| {
            let kind = step["kind"].as_str().expect("a kind");
            let name = step["name"].as_str().expect("a name");
            // `hello 1.0 all`; a frame is named by the segment that it is made of.
            let mut name = name.split(' ').next().expect("a word").to_owned();
            if kind == "frame" {
                let mut of = unpacked.iter();
                let of = of.find(|(_, one)| one.segment.starts_with(&name));
                name = of.expect("a package's segment").0.clone();
            }
            let why = step["why"].as_array().expect("reasons").iter();
            let why = why.map(|why| without_digests(why.as_str().expect("words")));
            let why: Vec<String> = why.collect();
            (format!("{kind} {name}"), why.join("; "))
        };
        let mut lines: Vec<(String, String)> = steps.iter().map(line).collect();
        // Frames come in the order of their digests, which nobody can check by hand.
        let kind = |line: &str| line.split(' ').next().map(str::to_owned);
        lines
            .chunk_by_mut(|a, b| kind(&a.0) == kind(&b.0))
            .for_each(<[_]>::sort);
        lines
    }

    fn check_digests(&mut self, block: &Block) -> Vec<String> {
        let names = block.words.get("image").map_or("", String::as_str);
        let images = self.last["images"].as_array().expect("images").iter();
        let found = images.map(|image| image["manifest"]["digest"].as_str().expect("a digest"));
        let found: Vec<String> = found.map(str::to_owned).collect();
        let mut wrong = Vec::new();
        for (name, digest) in names.split(',').filter(|name| !name.is_empty()).zip(found) {
            if let Some(known) = self.digests.get(name) {
                if *known != digest {
                    wrong.push(format!("{name} was {known}, and is {digest}"));
                }
                continue;
            }
            if let Some((other, _)) = self.digests.iter().find(|(_, known)| **known == digest) {
                wrong.push(format!("{name} is {other}: {digest}"));
            }
            self.digests.insert(name.to_owned(), digest);
        }
        wrong
    }
}

fn compare(expected: &str, ran: &[(String, String)]) -> Vec<String> {
    let expected: Vec<(&str, Option<&str>)> = expected
        .lines()
        .map(|line| match line.split_once(": ") {
            Some((step, why)) => (step, Some(why)),
            None => (line, None),
        })
        .collect();
    let is_same = expected.len() == ran.len()
        && expected
            .iter()
            .zip(ran)
            .all(|((step, why), (found, because))| {
                step == found && why.is_none_or(|why| why == because)
            });
    if is_same {
        return Vec::new();
    }
    let lines = ran.iter().map(|(step, why)| match &**why {
        "" => format!("    {step}\n"),
        why => format!("    {step}: {why}\n"),
    });
    vec![format!("  it did:\n{}", lines.collect::<String>())]
}

/// What of the plan did not come true.
fn compare_plan([todo, unknown]: &[BTreeSet<String>; 2], ran: &[(String, String)]) -> Vec<String> {
    // A plan does not know of what is made within an installation, and a plan of what is
    // locked asks for no index.
    let within = |step: &str| {
        ["frame ", "layer "]
            .iter()
            .any(|kind| step.starts_with(kind))
    };
    let ran = ran.iter().map(|(step, _)| step);
    let ran: BTreeSet<&String> = ran
        .filter(|step| !within(step) && *step != "indices")
        .collect();
    let mut wrong = Vec::new();
    for step in todo.iter().filter(|step| !ran.contains(step)) {
        wrong.push(format!("  imgc plan has `{step}`, which was not done"));
    }
    for step in ran {
        if !todo.contains(step) && !unknown.contains(step) {
            wrong.push(format!(
                "  imgc plan does not have `{step}`, which was done"
            ));
        }
    }
    wrong
}

/// A text with `…` in the place of every digest.
fn without_digests(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let digits = word.strip_prefix("sha256:").unwrap_or(word);
        let is_digest = digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if is_digest { "…" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The digits of a digest.
fn hex(digest: &str) -> String {
    let hex = digest.strip_prefix("sha256:");
    hex.expect("a sha256 digest").to_owned()
}
