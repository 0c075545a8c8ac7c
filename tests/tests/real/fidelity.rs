//! The trees that `imgc` makes are the trees that mmdebstrap makes, where dpkg installs
//! the packages and really runs their scripts. `tests/fidelity` has the sets of packages,
//! and the list of what may differ.
//!
//! Some sets are compared every time. The others take turns by the hour, so that the
//! runs of a day have all of them. `IMGC_FIDELITY=all` or `IMGC_FIDELITY=SET,SET` says
//! which, for whoever works on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, PoisonError, RwLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use imgc_tests::fidelity::{self, Comparison, Exclusions, Failed, Reference, Tree};
use imgc_tests::layout::Layout;

use crate::place::{PLACE, call, imgc_command, run};

/// The sets that are compared every time.
const ALWAYS: [&str; 4] = ["min", "web", "python3", "nginx"];

/// How many of the others are, each hour. Two, with the four above, take two processors
/// about four minutes.
const TURNS: usize = 2;

/// How many differences are printed for a set.
const SHOWN: usize = 60;

/// Held for writing by whoever has apt update its lists: Debian's images for containers
/// have apt take away every package that it fetched at that moment.
pub(crate) static APT: RwLock<()> = RwLock::new(());

/// The sets of packages by name.
static SETS: LazyLock<BTreeMap<String, Vec<String>>> = LazyLock::new(|| {
    let listing = std::fs::read_dir(fidelity::folder().join("sets")).expect("the sets");
    let mut sets = BTreeMap::new();
    for entry in listing {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        let text = std::fs::read_to_string(&path).expect("a set of packages");
        let packages = text.lines().filter(|line| !line.starts_with('#'));
        sets.insert(name.into_owned(), packages.map(str::to_owned).collect());
    }
    sets
});

/// The sets of this run.
static CHOSEN: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let names: Vec<&str> = SETS.keys().map(String::as_str).collect();
    let chosen = match std::env::var("IMGC_FIDELITY") {
        Ok(given) if given == "all" => names,
        Ok(given) => {
            let given: Vec<&str> = given.split(',').map(str::trim).collect();
            let unknown: Vec<&&str> = given.iter().filter(|name| !names.contains(name)).collect();
            assert!(
                unknown.is_empty(),
                "IMGC_FIDELITY has no set of {unknown:?}"
            );
            names
                .into_iter()
                .filter(|name| given.contains(name))
                .collect()
        }
        Err(_) => by_the_hour(&names, hour()),
    };
    say(&format!("compared with mmdebstrap: {}", chosen.join(", ")));
    chosen
});

/// The sets of every run, then those whose turn it is.
fn by_the_hour<'a>(names: &[&'a str], hour: usize) -> Vec<&'a str> {
    let (always, others): (Vec<&str>, Vec<&str>) =
        names.iter().partition(|name| ALWAYS.contains(name));
    assert_eq!(always.len(), ALWAYS.len(), "a set is not there: {names:?}");
    let turns = others.iter().cycle().skip(hour * TURNS % others.len());
    always
        .into_iter()
        .chain(turns.take(TURNS).copied())
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "which sets are compared is by the hour, and what they are is not"
)]
fn hour() -> usize {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let hours = since.expect("it is after 1970").as_secs() / 3600;
    usize::try_from(hours % 24).expect("an hour of a day")
}

/// Says it at once, whether the test passes or not.
fn say(line: &str) {
    // Where nobody listens, nothing is lost.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Where mmdebstrap works: in memory, three times as fast as on most disks. What is
/// mounted below the place of the tests, `tests/run` takes away.
fn memory(suite: &str) -> PathBuf {
    let folder = PLACE.join(format!("fidelity-{suite}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.to_str().expect("a path in UTF-8");
    // Half the memory at most: what doesn't fit fails, and is no danger to the machine.
    call(
        "mount",
        &["-t", "tmpfs", "-o", "size=50%,mode=755", "imgc-test", path],
    );
    folder
}

#[test]
fn trixie_is_as_dpkg_makes_it() {
    is_as_dpkg_makes_it("trixie");
}

#[test]
fn bookworm_is_as_dpkg_makes_it() {
    is_as_dpkg_makes_it("bookworm");
}

#[test]
fn each_set_has_its_hour() {
    let names: Vec<&str> = SETS.keys().map(String::as_str).collect();
    let mut seen: Vec<&str> = (0..24).flat_map(|hour| by_the_hour(&names, hour)).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, names);
}

/// One after the other: the two suites are two tests, and so at most two mmdebstraps
/// work at once.
fn is_as_dpkg_makes_it(suite: &str) {
    let folder = memory(suite);
    let exclusions = Exclusions::read();
    let mut wrong = String::new();
    for set in CHOSEN.iter() {
        let begin = now();
        let compared = compare(suite, set, &folder, &exclusions);
        let seconds = begin.elapsed().as_secs();
        let line = match &compared {
            Ok(comparison) => {
                let Comparison {
                    compared, excluded, ..
                } = comparison;
                let differ = comparison.differences.len();
                format!("{differ} of {compared} paths differ ({excluded} are left out)")
            }
            Err(why) => why.lines().next().unwrap_or_default().to_owned(),
        };
        say(&format!("{suite} {set}: {line}, {seconds} s"));
        match compared {
            Ok(comparison) => report(&mut wrong, suite, set, &comparison),
            Err(why) => writeln!(wrong, "\n{suite} {set}: {why}").expect("a string takes any text"),
        }
    }
    run(std::process::Command::new("umount").arg(&folder)).succeeds();
    assert!(
        wrong.is_empty(),
        "not as mmdebstrap makes it, in\n{}\n{wrong}",
        folder.display()
    );
}

#[expect(clippy::disallowed_methods, reason = "how long it took is printed")]
fn now() -> Instant {
    Instant::now()
}

fn report(to: &mut String, suite: &str, set: &str, comparison: &Comparison) {
    let differences = &comparison.differences;
    if differences.is_empty() {
        return;
    }
    writeln!(to, "\n{suite} {set}: {} paths differ", differences.len())
        .expect("a string takes any text");
    for difference in differences.iter().take(SHOWN) {
        let fidelity::Difference { path, what, sides } = difference;
        writeln!(to, "  {path}: {what}\n    {sides}").expect("a string takes any text");
    }
    if differences.len() > SHOWN {
        writeln!(to, "  …").expect("a string takes any text");
    }
}

/// Builds the set in both ways.
fn compare(
    suite: &str,
    set: &str,
    folder: &Path,
    exclusions: &Exclusions,
) -> Result<Comparison, String> {
    let packages = &SETS[set];
    let project = format!("fidelity-{suite}-{set}");
    let (ours, epoch) = make(&project, &image(suite, packages, ""), folder)?;
    let reference = Reference {
        suite,
        packages,
        epoch,
        dpkg: &[],
        folder,
    };
    let theirs = make_reference(&reference)?;
    Ok(fidelity::compare(&ours, &theirs, exclusions))
}

/// The tree that imgc makes of `text`, and its time in seconds since 1970.
fn make(project: &str, text: &str, folder: &Path) -> Result<(Tree, u64), String> {
    let project = PLACE.join("out").join(project);
    std::fs::create_dir_all(project.join(".git")).expect("a folder");
    let file = project.join("app.img");
    std::fs::write(&file, text).expect("a file");
    let layout = folder.join("ours.oci");
    let mut command = imgc_command();
    command.arg("build").arg(&file);
    let outcome = run(command.arg("-o").arg(format!("oci:{}", layout.display())));
    if outcome.code != Some(0) {
        return Err(format!("imgc refuses it\n{}", outcome.stderr));
    }
    let ours = Tree::of_layout(&Layout::open(&layout));
    std::fs::remove_dir_all(&layout).expect("the layout can be taken away");
    let lock = std::fs::read_to_string(project.join("imgc.lock")).expect("a lock");
    Ok((ours, fidelity::epoch_of_lock(&lock)))
}

fn make_reference(reference: &Reference<'_>) -> Result<Tree, String> {
    let _quiet = APT.read().unwrap_or_else(PoisonError::into_inner);
    let made = reference.make();
    made.map_err(|Failed(said)| format!("mmdebstrap fails\n{said}"))
}

/// Documentation but for the copyrights, translations but for one file, manuals, and a
/// conffile.
#[test]
fn what_is_excluded_is_as_dpkg_leaves_it_out() {
    let (exclude, include) = (
        [
            "/etc/cron.daily/*",
            "/usr/share/doc/*",
            "/usr/share/locale/*",
            "/usr/share/man/*",
        ],
        [
            "/usr/share/doc/*/copyright",
            "/usr/share/locale/locale.alias",
        ],
    );
    let folder = memory("filter");
    let more = format!("exclude = {exclude:?}; include = {include:?};");
    let packages = ["ca-certificates", "man-db"].map(str::to_owned);
    let text = image("trixie", &packages, &more);
    let (ours, epoch) = make("filter", &text, &folder).unwrap_or_else(|why| panic!("{why}"));
    let exclude = exclude.map(|pattern| format!("path-exclude={pattern}"));
    let include = include.map(|pattern| format!("path-include={pattern}"));
    let dpkg: Vec<String> = exclude.into_iter().chain(include).collect();
    let reference = Reference {
        suite: "trixie",
        packages: &packages,
        epoch,
        dpkg: &dpkg,
        folder: &folder,
    };
    let theirs = make_reference(&reference);
    let mut theirs = theirs.unwrap_or_else(|why| panic!("{why}"));
    run(std::process::Command::new("umount").arg(&folder)).succeeds();
    // The same settings, under the name of whoever wrote them.
    let settings = theirs.rows.remove("/etc/dpkg/dpkg.cfg.d/99mmdebstrap");
    let settings = settings.expect("mmdebstrap keeps dpkg's settings");
    theirs
        .rows
        .insert("/etc/dpkg/dpkg.cfg.d/imgc".to_owned(), settings);
    let comparison = fidelity::compare(&ours, &theirs, &Exclusions::read());
    assert!(comparison.compared > 2_000, "{comparison:?}");
    let mut wrong = String::new();
    report(&mut wrong, "trixie", "with patterns", &comparison);
    assert!(wrong.is_empty(), "{wrong}");
}

fn image(suite: &str, packages: &[String], more: &str) -> String {
    // What `merged` is to mmdebstrap: the oldest suite has it as a package.
    let merged = (suite == "bookworm").then_some("usr-is-merged");
    let names = packages.iter().map(String::as_str).chain(merged);
    let names: Vec<String> = names.map(|name| format!("\"{name}\"")).collect();
    format!(
        "(import std/debian).image {{\n  name = \"app\"; suite = \"{suite}\"; variant = \"minbase\";\n  \
         packages = [{}]; {more}\n}}\n",
        names.join(", ")
    )
}
