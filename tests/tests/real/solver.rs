//! The solver against `apt-get install -s`: requests that a seed decides, on the same
//! indices, and the same set of packages each time. What apt refuses is refused.
//!
//! `IMGC_TEST_REQUESTS` says how many requests for each suite, `IMGC_TEST_SEED` which.
//! `IMGC_TEST_REQUEST`, names with spaces between them, is a request to try alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use imgc_tests::sandbox::Outcome;

use crate::oracle::{Named, Oracle};
use crate::place::{PLACE, imgc_command, run};

/// How many requests there are, if nothing else is said.
const REQUESTS: usize = 6;

/// How often the mirror may change under a test.
const TRIES: usize = 3;

type Answer = Result<BTreeSet<Named>, String>;

/// Numbers that a seed decides (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).expect("48 bits") % end
    }
}

fn setting(name: &str, or: usize) -> usize {
    let given = std::env::var(name).ok();
    given.map_or(or, |text| text.parse().expect("a number"))
}

/// Requests of 1 to 5 packages, one name of twenty a virtual one. With foreign architectures,
/// every second name is of one of them.
fn requests(oracle: &Oracle) -> Vec<Vec<String>> {
    if let Ok(one) = std::env::var("IMGC_TEST_REQUEST") {
        return vec![one.split_whitespace().map(str::to_owned).collect()];
    }
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let mut provided: BTreeSet<&str> = BTreeSet::new();
    let mut foreign: BTreeSet<String> = BTreeSet::new();
    for stanza in oracle.stanzas() {
        names.insert(stanza["Package"]);
        let qualifier = oracle.qualifier(stanza["Architecture"]);
        if !qualifier.is_empty() {
            foreign.insert(format!("{}{qualifier}", stanza["Package"]));
        }
        let provides = stanza.get("Provides").copied().unwrap_or_default();
        provided.extend(
            provides
                .split(',')
                .filter_map(|one| one.split_whitespace().next()),
        );
    }
    let provided: Vec<&str> = provided.difference(&names).copied().collect();
    let names: Vec<&str> = names.into_iter().collect();
    let foreign: Vec<&str> = foreign.iter().map(String::as_str).collect();
    let mut random = Random(0x9E37_79B9 + setting("IMGC_TEST_SEED", 1) as u64);
    let mut all = BTreeSet::new();
    while all.len() < setting("IMGC_TEST_REQUESTS", REQUESTS) {
        let mut request = BTreeSet::new();
        for _ in 0..=random.below(5) {
            let from = if !foreign.is_empty() && random.below(2) == 0 {
                &foreign
            } else if random.below(20) == 0 {
                &provided
            } else {
                &names
            };
            request.insert(from[random.below(from.len())].to_owned());
        }
        all.insert(request.into_iter().collect());
    }
    all.into_iter().collect()
}

/// What is installed in an image of the variant `apt` before anything is asked for.
fn base(oracle: &Oracle) -> BTreeSet<Named> {
    let essential: BTreeSet<String> = oracle
        .stanzas()
        .filter(|stanza| stanza.get("Essential") == Some(&"yes"))
        .map(|stanza| stanza["Package"].to_owned())
        .collect();
    let mut essential: Vec<String> = essential.into_iter().collect();
    let converts = |stanza: &BTreeMap<&str, &str>| {
        let fields = ["Pre-Depends", "Depends"].map(|field| stanza.get(field).copied());
        let text = fields.map(Option::unwrap_or_default).concat();
        stanza.get("Essential") == Some(&"yes") && text.contains("usrmerge")
    };
    if oracle.stanzas().any(|stanza| converts(&stanza)) {
        // An image has its folders merged from the start, and nothing to convert.
        essential.insert(0, "usr-is-merged".to_owned());
    }
    let mut all = oracle
        .solve("none", false, &essential)
        .expect("the essential packages");
    oracle.install("essential", &all);
    all.extend(
        oracle
            .solve("essential", false, &["apt".to_owned()])
            .expect("apt"),
    );
    oracle.install("base", &all);
    all
}

/// apt's answers, with what is there before.
fn ask_apt(
    oracle: &Oracle,
    base: &BTreeSet<Named>,
    recommends: bool,
    requests: &[Vec<String>],
) -> Vec<Answer> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let share = requests.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let working: Vec<_> = requests
            .chunks(share)
            .map(|some| {
                scope.spawn(move || -> Vec<Answer> {
                    some.iter()
                        .map(|request| {
                            let mut all = oracle.solve("base", recommends, request)?;
                            all.extend(base.iter().cloned());
                            Ok(all)
                        })
                        .collect()
                })
            })
            .collect();
        let answers = working
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"));
        answers.collect()
    })
}

/// A file with an image for each of the requests, each on a line of its own.
fn write(
    folder: &Path,
    suite: &str,
    recommends: bool,
    requests: &[(usize, &Vec<String>)],
) -> PathBuf {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder.join(".git")).expect("a folder");
    let mut text = format!(
        "let\n  debian = import std/debian;\n  ask = packages => debian.image {{\n    \
         suite = \"{suite}\"; variant = \"apt\"; recommends = {recommends}; packages;\n  }};\nin {{\n"
    );
    for (at, names) in requests {
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        text.push_str(&format!("  r{at} = ask [{}];\n", names.join(", ")));
    }
    text.push_str("}\n");
    let file = folder.join("app.img");
    std::fs::write(&file, text).expect("a file");
    file
}

fn update(file: &Path) -> Outcome {
    run(imgc_command()
        .arg("update")
        .arg(file)
        .args(["--color", "never"]))
}

/// The sets of a lock by what was asked, and the digests of the releases it names.
fn read(
    oracle: &Oracle,
    lock: &Path,
) -> (BTreeMap<Vec<String>, BTreeSet<Named>>, BTreeSet<String>) {
    let text = std::fs::read_to_string(lock).expect("a lock");
    let lock: toml::Table = toml::from_str(&text).expect("TOML");
    let texts = |value: &toml::Value| -> Vec<String> {
        let list = value.as_array().expect("a list");
        list.iter()
            .map(|text| text.as_str().expect("a text").to_owned())
            .collect()
    };
    let tables = |name: &str| {
        let list = lock[name].as_array().expect("a list");
        list.iter().map(|table| table.as_table().expect("a table"))
    };
    let sets = tables("set").map(|set| {
        let packages = texts(&set["packages"]).into_iter().map(|package| {
            let mut words = package.split(' ');
            let name = words.next().expect("a name").to_owned();
            let version = words.next().expect("a version");
            let arch = oracle.qualifier(words.next().expect("an architecture"));
            format!("{name}{arch}={version}")
        });
        (texts(&set["names"]), packages.collect())
    });
    let releases = tables("archive").map(|archive| {
        let release = archive["release"]["sha256"].as_str();
        release.expect("a digest").to_owned()
    });
    (sets.collect(), releases.collect())
}

/// imgc's answers to requests that apt has answers to. None where the mirror has changed
/// since apt read it.
fn ask_imgc(
    oracle: &Oracle,
    suite: &str,
    recommends: bool,
    requests: &[(usize, &Vec<String>)],
    wrong: &mut Vec<String>,
) -> Option<BTreeMap<Vec<String>, BTreeSet<Named>>> {
    let folder = PLACE.join(format!("work/solver-{}-{recommends}", oracle.name()));
    let mut left = requests.to_vec();
    loop {
        let file = write(&folder, suite, recommends, &left);
        let outcome = update(&file);
        if outcome.code == Some(0) {
            let (sets, releases) = read(oracle, &folder.join("imgc.lock"));
            return (releases == oracle.releases).then_some(sets);
        }
        // One that is refused is told of, and the others are asked for again.
        let text = std::fs::read_to_string(&file).expect("a file");
        let (_, place) = outcome.stderr.split_once("app.img:").expect("a place");
        let digits: String = place.chars().take_while(char::is_ascii_digit).collect();
        let line: usize = digits.parse().expect("a line");
        let named = text.lines().nth(line - 1).unwrap_or_default().trim();
        let (name, _) = named.split_once(" = ").unwrap_or((named, ""));
        let before = left.len();
        left.retain(|(at, _)| format!("r{at}") != name);
        assert_eq!(
            left.len() + 1,
            before,
            "which one is it? {}",
            outcome.stderr
        );
        wrong.push(format!("only imgc refuses: {}", outcome.stderr));
    }
}

/// Checks that imgc refuses what apt refuses, and says which of the names it is about.
fn refused(
    oracle: &Oracle,
    suite: &str,
    recommends: bool,
    at: usize,
    names: &Vec<String>,
    said: &str,
) -> Option<String> {
    let folder = PLACE.join(format!("work/solver-{}-{recommends}-{at}", oracle.name()));
    let file = write(&folder, suite, recommends, &[(at, names)]);
    let outcome = update(&file);
    let stderr = &outcome.stderr;
    let names_one = names.iter().any(|name| stderr.contains(name.as_str()));
    if outcome.code == Some(1) && stderr.contains("IMG05") && names_one {
        return None;
    }
    Some(format!(
        "apt refuses {names:?}, imgc: {:?} {stderr}\napt: {said}",
        outcome.code
    ))
}

/// Compares all answers. None where the mirror changed.
fn compare(suite: &str, recommends: bool, foreign: &[&str]) -> Option<Vec<String>> {
    let oracle = Oracle::beside(suite, foreign);
    let base = base(&oracle);
    let requests = requests(&oracle);
    let theirs = ask_apt(&oracle, &base, recommends, &requests);
    let mut wrong = Vec::new();
    let numbered = || requests.iter().enumerate().zip(&theirs);
    let possible: Vec<(usize, &Vec<String>)> = numbered()
        .filter(|(_, answer)| answer.is_ok())
        .map(|(request, _)| request)
        .collect();
    let ours = ask_imgc(&oracle, suite, recommends, &possible, &mut wrong)?;
    for ((at, names), answer) in numbered() {
        match (answer, ours.get(names)) {
            (Ok(theirs), Some(ours)) if theirs == ours => {}
            (Ok(theirs), Some(ours)) => {
                let more: Vec<_> = ours.difference(theirs).collect();
                let less: Vec<_> = theirs.difference(ours).collect();
                wrong.push(format!("{names:?}: only imgc {more:?}, only apt {less:?}"));
            }
            // What is refused was told of above.
            (Ok(_), None) => {}
            (Err(said), _) => wrong.extend(refused(&oracle, suite, recommends, at, names, said)),
        }
    }
    Some(wrong)
}

#[track_caller]
fn same(suite: &str, foreign: &[&str]) {
    for recommends in [false, true] {
        let mut tries = (0..TRIES).filter_map(|_| compare(suite, recommends, foreign));
        let wrong = tries.next().expect("the mirror rests for a while");
        let count = wrong.len();
        assert!(
            wrong.is_empty(),
            "{count} answers differ:\n{}",
            wrong.join("\n")
        );
    }
}

#[test]
fn trixie_is_solved_as_apt_does() {
    same("trixie", &[]);
}

#[test]
fn bookworm_is_solved_as_apt_does() {
    same("bookworm", &[]);
}

#[test]
fn two_architectures_are_solved_as_apt_does() {
    same("trixie", &["arm64"]);
}
