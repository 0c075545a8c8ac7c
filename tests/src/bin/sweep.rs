//! Builds many packages of the archive by `imgc` and by mmdebstrap, and counts how many
//! trees are equal. Says which scripts are refused, and which paths are wrong, the most
//! frequent first. For developers: nothing passes or fails on it. `tests/sweep` runs it.
#![expect(
    clippy::disallowed_methods,
    reason = "it starts programs and reads what they wrote"
)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use imgc_tests::archive::sum;
use imgc_tests::fidelity::{self, Exclusions, Failed, Reference, Tree};
use imgc_tests::layout::Layout;

const USAGE: &str = "\
usage: tests/sweep [OPTIONS] [PACKAGE...]

Takes packages of the sections net, web, database, python, utils, devel and libs, of
priority optional or extra, in an order that the seed decides. Or those that are named.
Wants root and mmdebstrap. It may be run while others work: it is nice.

  -n N           how many (30)
  --seed SEED    which (1)
  --suite SUITE  of which suite (trixie)
  --imgc FILE    the program to try (target/release/imgc)
  --place DIR    where to work; a file system in memory is the quickest (/dev/shm)
  --group N      compare so many packages in one image first; each by itself where
                 such a tree differs, or can't be made (8)
  --refusals     only what is refused: nothing is compared, and that is much quicker";

/// The sections that images take packages from.
const SECTIONS: [&str; 7] = ["net", "web", "database", "python", "utils", "devel", "libs"];

/// The largest package that is taken, in KiB as the index has it.
const LARGEST: u64 = 200_000;

/// How often a package is tried again with a refused script skipped, to find the next.
const TRIES: usize = 12;

struct Options {
    count: usize,
    seed: String,
    suite: String,
    imgc: PathBuf,
    place: PathBuf,
    group: usize,
    refusals: bool,
    packages: Vec<String>,
}

/// What became of a package.
enum Fate {
    Equal,
    Built,
    Refused(Vec<String>),
    Wrong(Vec<String>),
    /// Neither can install it.
    Impossible,
    /// One of the two can't, and it is not about a script.
    Failed(String),
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        say(USAGE);
        return ExitCode::from(2);
    };
    let place = options
        .place
        .join(format!("imgc-sweep-{}", std::process::id()));
    std::fs::create_dir_all(&place).expect("a folder");
    let packages = if options.packages.is_empty() {
        draw(&options, &place)
    } else {
        options.packages.clone()
    };
    let sweep = Sweep {
        options: &options,
        project: place.join("project"),
        layout: place.join("ours.oci"),
        place: &place,
    };
    let fates = sweep.fates(&packages);
    std::fs::remove_dir_all(&place).expect("the folder can be taken away");
    let mut out = std::io::stdout().lock();
    out.write_all(table(&options, &fates).as_bytes())
        .expect("standard output takes it");
    ExitCode::SUCCESS
}

fn say(line: &str) {
    // Where nobody listens, nothing is lost.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

fn options() -> Option<Options> {
    let mut options = Options {
        count: 30,
        seed: "1".to_owned(),
        suite: "trixie".to_owned(),
        imgc: imgc_tests::sandbox::repository().join("target/release/imgc"),
        place: PathBuf::from("/dev/shm"),
        group: 8,
        refusals: false,
        packages: Vec::new(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match &*arg {
            "-n" => options.count = args.next()?.parse().ok()?,
            "--seed" => options.seed = args.next()?,
            "--suite" => options.suite = args.next()?,
            "--imgc" => options.imgc = PathBuf::from(args.next()?),
            "--group" => options.group = args.next()?.parse().ok().filter(|&n| n > 0)?,
            "--place" => options.place = PathBuf::from(args.next()?),
            "--refusals" => options.refusals = true,
            other if other.starts_with('-') => return None,
            _ => options.packages.push(arg),
        }
    }
    Some(options)
}

/// Packages of the archive, by the seed.
fn draw(options: &Options, place: &Path) -> Vec<String> {
    let (mirror, _) = fidelity::mirrors();
    let machine = text_of(Command::new("dpkg").arg("--print-architecture"));
    let (suite, machine) = (&options.suite, machine.trim());
    let address = format!("{mirror}/dists/{suite}/main/binary-{machine}/Packages.xz");
    let helper = "/usr/lib/apt/apt-helper";
    let file = place.join("Packages.xz");
    run(Command::new(helper)
        .args(["download-file", &address])
        .arg(&file));
    let packed = std::fs::File::open(&file).expect("the index");
    let mut index = String::new();
    liblzma::read::XzDecoder::new(packed)
        .read_to_string(&mut index)
        .expect("an index in UTF-8");
    let mut names: Vec<String> = index
        .split("\n\n")
        .filter_map(|paragraph| {
            let field = |name: &str| {
                let mut lines = paragraph.lines();
                lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            };
            let size: u64 = field("Installed-Size")?.parse().ok()?;
            let priority = ["optional", "extra"].contains(&field("Priority")?);
            let wanted = priority && SECTIONS.contains(&field("Section")?) && size <= LARGEST;
            wanted.then_some(field("Package")?.to_owned())
        })
        .collect();
    // As good as any order by chance, and the same everywhere.
    names.sort_by_cached_key(|name| sum(format!("{} {name}", options.seed).as_bytes()));
    names.dedup();
    names.truncate(options.count);
    names
}

/// A run, and where it works.
struct Sweep<'a> {
    options: &'a Options,
    place: &'a Path,
    project: PathBuf,
    layout: PathBuf,
}

impl Sweep<'_> {
    /// What becomes of each package. A group whose tree is equal is done with. Of any
    /// other, those that can't be built are taken out, and the rest is halved until it
    /// is known whose tree differs.
    fn fates(&self, packages: &[String]) -> Vec<(String, Fate)> {
        let mut fates = BTreeMap::new();
        for group in packages.chunks(self.options.group) {
            // In imgc the order of names says nothing. apt is asked in the same order.
            let mut group = group.to_vec();
            group.sort();
            let group = &group[..];
            let mut tell = |package: &String, fate: Fate| {
                say(&format!("{package}: {}", fate.line()));
                fates.insert(package.clone(), fate);
            };
            if self.is_equal(group) {
                group.iter().for_each(|package| tell(package, Fate::Equal));
                continue;
            }
            let mut built = Vec::new();
            for package in group {
                match self.try_to_build(package) {
                    Fate::Built if !self.options.refusals => built.push(package.clone()),
                    fate => tell(package, fate),
                }
            }
            let whole = built.len() == group.len();
            self.halve(&built, whole, &mut tell);
        }
        fates.into_iter().collect()
    }

    /// Compares packages that can be built each by itself, in ever smaller groups.
    /// `known` where the tree of all of them is known to differ.
    fn halve(&self, packages: &[String], known: bool, tell: &mut impl FnMut(&String, Fate)) {
        match packages {
            [] => {}
            [one] => tell(one, self.compare(packages)),
            _ if !known && self.is_equal(packages) => {
                packages.iter().for_each(|one| tell(one, Fate::Equal));
            }
            _ => {
                let (first, second) = packages.split_at(packages.len() / 2);
                self.halve(first, false, tell);
                self.halve(second, false, tell);
            }
        }
    }

    /// Whether the tree of all `packages` together is equal.
    fn is_equal(&self, packages: &[String]) -> bool {
        let several = packages.len() > 1 && !self.options.refusals;
        if !several || self.build(packages, &[]).is_err() {
            return false;
        }
        let fate = self.compare(packages);
        if !matches!(fate, Fate::Equal) {
            say(&format!("together {}: {}", packages.join(" "), fate.line()));
        }
        matches!(fate, Fate::Equal)
    }

    /// Builds a package, and again with each script skipped that is refused, to find all.
    fn try_to_build(&self, package: &str) -> Fate {
        let packages = [package.to_owned()];
        let mut skipped: Vec<String> = Vec::new();
        let mut reasons = Vec::new();
        let fate = loop {
            let Err(said) = self.build(&packages, &skipped) else {
                break Fate::Built;
            };
            match refusal(&said) {
                Some((reason, name)) if !skipped.contains(&name) && skipped.len() < TRIES => {
                    reasons.push(reason);
                    skipped.push(name);
                }
                _ if reasons.is_empty() => break self.failed(&packages, &said),
                _ => break Fate::Built,
            }
        };
        self.clear();
        if reasons.is_empty() {
            fate
        } else {
            Fate::Refused(reasons)
        }
    }

    /// Compares the image of `packages` with mmdebstrap's tree.
    fn compare(&self, packages: &[String]) -> Fate {
        let fate = match self.build(packages, &[]) {
            Err(said) => self.failed(packages, &said),
            Ok(()) => {
                let ours = Tree::of_layout(&Layout::open(&self.layout));
                let lock = self.project.join("imgc.lock");
                let lock = std::fs::read_to_string(lock).expect("a lock");
                match self.reference(packages, fidelity::epoch_of_lock(&lock)) {
                    Err(Failed(said)) => Fate::Failed(format!("mmdebstrap: {}", last(&said))),
                    Ok(theirs) => verdict(&ours, &theirs),
                }
            }
        };
        self.clear();
        fate
    }

    /// Builds an image. What `imgc` said is the error.
    fn build(&self, packages: &[String], skipped: &[String]) -> Result<(), String> {
        std::fs::create_dir_all(self.project.join(".git")).expect("a folder");
        let image = image(&self.options.suite, packages, skipped);
        std::fs::write(self.project.join("app.img"), image).expect("a file");
        let mut command = Command::new("nice");
        command
            .arg(&self.options.imgc)
            .args(["build", "app.img", "-o"])
            .arg(format!("oci:{}", self.layout.display()))
            .arg("--store")
            .arg(self.place.join("store"))
            .current_dir(&self.project)
            .stdin(Stdio::null());
        let output = command.output().expect("imgc can be started");
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn clear(&self) {
        for folder in [&self.project, &self.layout] {
            // The layout is not there where nothing was built.
            let _ = std::fs::remove_dir_all(folder);
        }
    }

    /// imgc can't build it, and that is not about a script.
    fn failed(&self, packages: &[String], said: &str) -> Fate {
        let first = said.lines().next().unwrap_or_default();
        if self.options.refusals {
            return Fate::Failed(format!("imgc: {first}"));
        }
        match self.reference(packages, 0) {
            Err(_) => Fate::Impossible,
            Ok(_) => Fate::Failed(format!("imgc: {first}")),
        }
    }

    fn reference(&self, packages: &[String], epoch: u64) -> Result<Tree, Failed> {
        let reference = Reference {
            suite: &self.options.suite,
            packages,
            epoch,
            dpkg: &[],
            folder: self.place,
        };
        reference.make()
    }
}

fn verdict(ours: &Tree, theirs: &Tree) -> Fate {
    let found = fidelity::compare(ours, theirs, &Exclusions::read());
    if found.differences.is_empty() {
        return Fate::Equal;
    }
    let paths = found.differences.iter();
    Fate::Wrong(
        paths
            .map(|wrong| format!("{} ({})", wrong.path, wrong.what))
            .collect(),
    )
}

/// The reason of a refusal with the place of it, and the package to skip.
fn refusal(said: &str) -> Option<(String, String)> {
    let (_, rest) = said.split_once("a maintainer script can't be interpreted: ")?;
    let (reason, rest) = rest.split_once("\n  in ")?;
    let (at, rest) = rest.split_once('\n')?;
    let (_, rest) = rest.split_once("skip = { \"")?;
    let (name, _) = rest.split_once('"')?;
    let reason = reason.replace('\n', " ");
    Some((format!("{reason} ({at})"), name.to_owned()))
}

fn image(suite: &str, packages: &[String], skipped: &[String]) -> String {
    let packages = packages.join("\", \"");
    let skipped = skipped.iter();
    let skip: String = skipped
        .map(|name| format!("\"{name}\" = \"sweep\"; "))
        .collect();
    let merged = if suite == "bookworm" {
        ", \"usr-is-merged\""
    } else {
        ""
    };
    format!(
        "(import std/debian).image {{ name = \"app\"; suite = \"{suite}\"; variant = \"minbase\"; \
         packages = [\"{packages}\"{merged}]; skip = {{ {skip}}}; }}\n"
    )
}

impl Fate {
    /// The word, and the first reasons.
    fn line(&self) -> String {
        let reasons: Vec<&str> = match self {
            Self::Refused(all) | Self::Wrong(all) => all.iter().map(String::as_str).collect(),
            Self::Failed(one) => vec![one],
            _ => Vec::new(),
        };
        let some = reasons[..reasons.len().min(6)].join("; ");
        let separator = if some.is_empty() { "" } else { ": " };
        format!("{}{separator}{some}", self.word())
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Built => "built",
            Self::Refused(_) => "refused",
            Self::Wrong(_) => "wrong",
            Self::Impossible => "not installable",
            Self::Failed(_) => "failed",
        }
    }
}

fn table(options: &Options, fates: &[(String, Fate)]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut why: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for (package, fate) in fates {
        *counts.entry(fate.word()).or_default() += 1;
        let reasons: Vec<&String> = match fate {
            Fate::Refused(all) | Fate::Wrong(all) => all.iter().collect(),
            Fate::Failed(one) => vec![one],
            _ => Vec::new(),
        };
        for reason in reasons {
            why.entry((fate.word(), reason)).or_default().push(package);
        }
    }
    let mut lines = vec![
        format!(
            "Suite {}, seed {}, {} packages.",
            options.suite,
            options.seed,
            fates.len()
        ),
        String::new(),
        "| outcome | packages |".to_owned(),
        "|---|---:|".to_owned(),
    ];
    lines.extend(
        counts
            .iter()
            .map(|(word, count)| format!("| {word} | {count} |")),
    );
    let mut why: Vec<_> = why.into_iter().collect();
    why.sort_by_key(|(_, packages)| std::cmp::Reverse(packages.len()));
    if !why.is_empty() {
        lines.push(String::new());
        lines.push("| outcome | why | packages | for instance |".to_owned());
        lines.push("|---|---|---:|---|".to_owned());
    }
    for ((word, reason), packages) in why {
        let some = packages[..packages.len().min(3)].join(", ");
        let count = packages.len();
        lines.push(format!("| {word} | `{reason}` | {count} | {some} |"));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn last(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

fn text_of(command: &mut Command) -> String {
    let output = command.output().expect("the program can be started");
    assert!(output.status.success(), "{command:?} failed");
    String::from_utf8(output.stdout).expect("its output is UTF-8")
}

fn run(command: &mut Command) {
    let status = command.stdout(Stdio::null()).status();
    let status = status.expect("the program can be started");
    assert!(status.success(), "{command:?} failed");
}
