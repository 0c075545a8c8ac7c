//! What is chosen for a request, in which order, and what is said when there is no
//! answer.

use imgc_apt::{Because, Index, Offer, Request, SolveError, Variant, solve};
use proptest::prelude::*;

use crate::archive::stanza;

fn index(packages: &[(&str, &str, &str)]) -> Index {
    let text: String = packages
        .iter()
        .map(|(name, version, more)| stanza(name, version, more))
        .collect();
    Index::parse(text).expect("an index")
}

fn request(variant: Variant, names: &[&str]) -> Request {
    Request {
        suite: "trixie".to_owned(),
        arch: "amd64".to_owned(),
        variant,
        recommends: false,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        archives: Vec::new(),
        base: None,
    }
}

fn names(request: &Request, indices: &[&Index]) -> Result<Vec<String>, SolveError> {
    let solution = solve(request, indices)?;
    let packages = solution.packages.iter();
    Ok(packages
        .map(|selected| format!("{}={}", selected.package.name(), selected.package.version()))
        .collect())
}

/// The answer to names, without a variant, from one index.
fn asked(packages: &[(&str, &str, &str)], wanted: &[&str]) -> Result<Vec<String>, SolveError> {
    names(&request(Variant::Distroless, wanted), &[&index(packages)])
}

#[test]
fn what_is_needed_comes_first() {
    let packages = [
        ("a", "1", "Depends: b, c\nPre-Depends: d\n"),
        ("b", "1", "Depends: c (>= 1)\n"),
        ("c", "1", ""),
        ("d", "1", ""),
        ("e", "1", ""),
    ];
    assert_eq!(
        asked(&packages, &["a"]).expect("an answer"),
        ["d=1", "c=1", "b=1", "a=1"]
    );
}

#[test]
fn cycles_are_cut_the_same_way_each_time() {
    let packages = [
        ("libc6", "1", "Depends: libgcc\n"),
        ("libgcc", "1", "Depends: gcc-base, libc6\n"),
        ("gcc-base", "1", ""),
    ];
    let order = ["gcc-base=1", "libgcc=1", "libc6=1"];
    assert_eq!(asked(&packages, &["libc6"]).expect("an answer"), order);
}

#[test]
fn the_highest_version_of_all_archives_is_the_candidate() {
    let main = index(&[("a", "1.0-1", ""), ("b", "2", "")]);
    let security = index(&[("a", "1.0-1+deb13u1", ""), ("b", "2", "")]);
    let request = request(Variant::Distroless, &["a", "b"]);
    let solution = solve(&request, &[&main, &security]).expect("an answer");
    let found: Vec<(&str, usize)> = solution
        .packages
        .iter()
        .map(|selected| (selected.package.version(), selected.index))
        .collect();
    // Of equal versions, the first archive's is taken.
    assert_eq!(found, [("1.0-1+deb13u1", 1), ("2", 0)]);
}

#[test]
fn what_nobody_asked_for_gives_way_to_what_excludes_it() {
    let packages = [
        ("a", "1", "Depends: common\nRecommends: full\n"),
        ("common", "1", "Recommends: tool\n"),
        ("tool", "1", "Depends: small | full\n"),
        ("small", "1", "Depends: small-data\n"),
        ("small-data", "1", ""),
        ("full", "1", "Conflicts: small\n"),
    ];
    let request = |names: &[&str]| Request {
        recommends: true,
        ..request(Variant::Distroless, names)
    };
    let index = index(&packages);
    let answer = |wanted: &[&str]| {
        let mut found = names(&request(wanted), &[&index]).expect("an answer");
        found.sort();
        found
    };
    // What came with it alone goes too.
    assert_eq!(answer(&["a"]), ["a=1", "common=1", "full=1", "tool=1"]);
    let kept = ["a=1", "common=1", "small-data=1", "small=1", "tool=1"];
    assert_eq!(answer(&["a", "small"]), kept);
}

#[test]
fn what_only_can_meet_the_need_of_an_asked_package_does_not_give_way() {
    let packages = [
        ("a", "1", "Depends: b, x | y\n"),
        ("b", "1", "Depends: c\n"),
        ("c", "1", "Conflicts: x\n"),
        ("x", "1", ""),
        ("y", "1", ""),
    ];
    assert_eq!(
        asked(&packages, &["a"]).expect("an answer"),
        ["c=1", "b=1", "y=1", "a=1"]
    );
}

#[test]
fn alternatives_prefer_what_is_there() {
    let packages = [
        ("a", "1", "Depends: x | y\n"),
        ("b", "1", "Depends: y\n"),
        ("c", "1", "Depends: none | y\n"),
        ("x", "1", ""),
        ("y", "1", ""),
    ];
    assert_eq!(asked(&packages, &["a"]).expect("an answer"), ["x=1", "a=1"]);
    assert_eq!(asked(&packages, &["c"]).expect("an answer"), ["y=1", "c=1"]);
    // Asked for by name, before any alternative is looked at.
    assert_eq!(
        asked(&packages, &["a", "y"]).expect("an answer"),
        ["y=1", "a=1"]
    );
    // Chosen before, for another package.
    assert_eq!(
        asked(&packages, &["b", "a"]).expect("an answer"),
        ["y=1", "a=1", "b=1"]
    );
}

#[test]
fn virtual_packages_are_met_by_their_providers() {
    let packages = [
        ("a", "1", "Depends: awk\n"),
        ("gawk", "1", "Priority: optional\nProvides: awk\n"),
        ("mawk", "1", "Priority: required\nProvides: awk\n"),
        ("b", "1", "Depends: api (>= 2)\n"),
        ("old", "1", "Provides: api (= 1)\n"),
        ("new", "1", "Provides: api (= 2)\n"),
        ("loose", "1", "Provides: api\n"),
    ];
    assert_eq!(
        asked(&packages, &["a"]).expect("an answer"),
        ["mawk=1", "a=1"]
    );
    assert_eq!(
        asked(&packages, &["a", "gawk"]).expect("an answer"),
        ["gawk=1", "a=1"]
    );
    assert_eq!(
        asked(&packages, &["b"]).expect("an answer"),
        ["new=1", "b=1"]
    );
}

#[test]
fn between_equal_providers_the_one_named_last_is_taken() {
    let packages = [
        ("first", "1", "Suggests: zebra\n"),
        ("apple", "1", "Provides: fruit\n"),
        ("zebra", "1", "Provides: fruit\n"),
        ("x", "1", "Depends: fruit\n"),
    ];
    assert_eq!(
        asked(&packages, &["x"]).expect("an answer"),
        ["apple=1", "x=1"]
    );
    assert_eq!(
        asked(&packages[1..], &["x"]).expect("an answer"),
        ["zebra=1", "x=1"]
    );
}

#[test]
fn qualifiers_and_architectures_count() {
    let packages = [
        (
            "a",
            "1",
            "Depends: python3:any, only-arm [arm64], foo:native, bar:amd64\n",
        ),
        ("python3", "1", "Multi-Arch: allowed\n"),
        ("b", "1", "Depends: plain:any\n"),
        ("plain", "1", ""),
        ("foo", "1", ""),
        ("bar", "1", ""),
    ];
    let all = ["python3=1", "foo=1", "bar=1", "a=1"];
    assert_eq!(asked(&packages, &["a"]).expect("an answer"), all);
    assert!(matches!(
        asked(&packages, &["b"]),
        Err(SolveError::Unsatisfiable { .. })
    ));
}

#[test]
fn a_conflict_is_avoided_where_it_can_be() {
    let packages = [
        ("a", "1", "Depends: x | y, z\n"),
        ("x", "1", ""),
        ("y", "1", ""),
        // The first choice for `a` turns out to be wrong only here.
        ("z", "1", "Conflicts: x\n"),
    ];
    let found = asked(&packages, &["a"]).expect("an answer");
    assert_eq!(found, ["y=1", "z=1", "a=1"]);
    let far = [
        ("a", "1", "Depends: x | y, p | q, r | s, z\n"),
        ("p", "1", ""),
        ("q", "1", ""),
        ("r", "1", ""),
        ("s", "1", ""),
        ("x", "1", "Breaks: z (<< 2)\n"),
        ("y", "1", ""),
        ("z", "1", ""),
    ];
    let found = asked(&far, &["a"]).expect("an answer");
    assert_eq!(found, ["y=1", "p=1", "r=1", "z=1", "a=1"]);
}

#[test]
fn a_package_may_provide_what_it_conflicts_with() {
    let mta = "Provides: mta\nConflicts: mta\n";
    let packages = [("exim", "1", mta), ("postfix", "1", mta)];
    assert_eq!(asked(&packages, &["exim"]).expect("an answer"), ["exim=1"]);
    assert!(matches!(
        asked(&packages, &["exim", "postfix"]),
        Err(SolveError::Conflict(_))
    ));
}

#[test]
fn recommends_on_demand_and_never_at_a_price() {
    let packages = [
        ("a", "1", "Recommends: good, gone, bad, loop\nDepends: b\n"),
        ("b", "1", ""),
        ("good", "1", ""),
        ("bad", "1", "Depends: missing\n"),
        ("loop", "1", "Conflicts: b\n"),
    ];
    let indices = index(&packages);
    let mut request = request(Variant::Distroless, &["a"]);
    assert_eq!(
        names(&request, &[&indices]).expect("an answer"),
        ["b=1", "a=1"]
    );
    request.recommends = true;
    let found = names(&request, &[&indices]).expect("an answer");
    assert_eq!(found, ["b=1", "a=1", "good=1"]);
}

#[test]
fn variants_bring_their_packages_first() {
    let packages = [
        ("a", "1", "Priority: optional\nDepends: m | n\n"),
        ("apt", "1", "Priority: important\nDepends: adduser\n"),
        ("adduser", "1", "Priority: important\n"),
        (
            "base",
            "1",
            "Essential: yes\nPriority: required\nDepends: n\n",
        ),
        ("m", "1", "Priority: optional\n"),
        ("n", "1", "Priority: optional\n"),
        ("tzdata", "1", "Priority: required\n"),
    ];
    let index = index(&packages);
    let found =
        |variant, wanted: &[&str]| names(&request(variant, wanted), &[&index]).expect("an answer");
    assert_eq!(found(Variant::Distroless, &["a"]), ["m=1", "a=1"]);
    assert_eq!(found(Variant::Distroless, &[]), [] as [String; 0]);
    assert_eq!(found(Variant::Essential, &["a"]), ["n=1", "base=1", "a=1"]);
    assert_eq!(
        found(Variant::Apt, &["a"]),
        ["n=1", "base=1", "adduser=1", "apt=1", "a=1"]
    );
    assert_eq!(
        found(Variant::Minbase, &["a"]),
        ["n=1", "base=1", "tzdata=1", "adduser=1", "apt=1", "a=1"]
    );
}

#[test]
fn images_are_merged_from_the_start() {
    let packages = [
        ("a", "1", "Depends: usrmerge | usr-is-merged\n"),
        ("usrmerge", "1", ""),
        ("usr-is-merged", "1", ""),
    ];
    let found = asked(&packages, &["a"]).expect("an answer");
    assert_eq!(found, ["usr-is-merged=1", "a=1"]);
}

#[test]
fn what_every_image_has_brings_nothing_recommended() {
    let packages = [
        ("a", "1", "Recommends: nice\n"),
        ("apt", "1", "Recommends: manual\n"),
        ("base", "1", "Essential: yes\nRecommends: manual\n"),
        ("manual", "1", ""),
        ("nice", "1", ""),
    ];
    let index = index(&packages);
    let mut request = request(Variant::Essential, &["a"]);
    request.recommends = true;
    let found = names(&request, &[&index]).expect("an answer");
    assert_eq!(found, ["base=1", "a=1", "nice=1"]);
    request.variant = Variant::Apt;
    let found = names(&request, &[&index]).expect("an answer");
    assert_eq!(found, ["apt=1", "base=1", "a=1", "nice=1"]);
}

#[test]
fn a_name_that_one_package_provides_is_that_package() {
    let packages = [
        ("mawk", "1", "Provides: awk\n"),
        ("tool", "2", "Provides: tool-api (= 2), tool-api-2\n"),
    ];
    assert_eq!(asked(&packages, &["tool-api"]).expect("one"), ["tool=2"]);
    assert_eq!(
        asked(&packages, &["awk", "mawk"]).expect("the same twice"),
        ["mawk=1"]
    );
}

#[test]
fn conflicts_with_another_architecture_are_about_others() {
    let packages = [
        ("a", "1", "Depends: b, c\n"),
        ("b", "1", "Conflicts: c:i386\nBreaks: c:any (<< 1)\n"),
        ("c", "1", "Conflicts: b:i386\n"),
    ];
    assert_eq!(
        asked(&packages, &["a"]).expect("an answer"),
        ["b=1", "c=1", "a=1"]
    );
    let native = packages.map(|(name, version, more)| match name {
        "b" => (name, version, "Conflicts: c:amd64\n"),
        _ => (name, version, more),
    });
    assert!(matches!(
        asked(&native, &["a"]),
        Err(SolveError::Conflict(_))
    ));
}

/// What is chosen from a suite and its backports, of which nothing comes by itself.
fn with_backports(wanted: &[&str]) -> Result<Vec<String>, SolveError> {
    let main = index(&[
        ("app", "1", "Depends: lib (>= 1), tool\n"),
        ("lib", "1", ""),
        ("tool", "1", ""),
    ]);
    let security = index(&[("app", "1+deb13u1", "Depends: lib, tool\n")]);
    let backports = index(&[
        (
            "app",
            "2~bpo13+1",
            "Depends: lib (>= 2~), tool, extra | tool\n",
        ),
        ("lib", "2~bpo13+1", "Depends: new\n"),
        ("new", "2~bpo13+1", ""),
        ("tool", "2~bpo13+1", ""),
    ]);
    let offer = |index, priority, dist| Offer {
        index,
        priority,
        names: [dist, "", ""],
    };
    let offers = [
        offer(&main, 500, "trixie"),
        offer(&security, 500, "trixie-security"),
        offer(&backports, 100, "trixie-backports"),
    ];
    let solution = solve(&request(Variant::Distroless, wanted), &offers)?;
    let mut all: Vec<String> = solution
        .packages
        .iter()
        .map(|selected| format!("{}={}", selected.package.name(), selected.package.version()))
        .collect();
    all.sort();
    Ok(all)
}

#[test]
fn priorities_come_before_versions() {
    assert_eq!(
        with_backports(&["app"]).expect("an answer"),
        ["app=1+deb13u1", "lib=1", "tool=1"]
    );
    // What only the others have is taken from them.
    assert_eq!(
        with_backports(&["new"]).expect("an answer"),
        ["new=2~bpo13+1"]
    );
}

#[test]
fn a_version_can_be_asked_for() {
    assert_eq!(
        with_backports(&["app=1", "app", "tool:amd64=2~bpo13+1"]).expect("an answer"),
        ["app=1", "lib=1", "tool=2~bpo13+1"]
    );
    let Err(SolveError::NoVersion { available, .. }) = with_backports(&["app=3"]) else {
        panic!("there is none");
    };
    assert_eq!(
        available,
        [
            "2~bpo13+1 (trixie-backports)",
            "1+deb13u1 (trixie-security)",
            "1 (trixie)"
        ]
    );
    // Nothing else comes with it: the lib of the suite is too old.
    assert!(matches!(
        with_backports(&["app=2~bpo13+1"]),
        Err(SolveError::Unsatisfiable { .. })
    ));
    assert_eq!(
        with_backports(&["app=1", "app=2~bpo13+1"]),
        Err(SolveError::Twice {
            first: "app=1".to_owned(),
            second: "app=2~bpo13+1".to_owned()
        })
    );
}

#[test]
fn a_package_of_a_suite_brings_from_there_what_it_needs() {
    assert_eq!(
        with_backports(&["app/trixie-backports"]).expect("an answer"),
        ["app=2~bpo13+1", "lib=2~bpo13+1", "new=2~bpo13+1", "tool=1"]
    );
    assert_eq!(
        with_backports(&["app/trixie"]).expect("an answer"),
        ["app=1", "lib=1", "tool=1"]
    );
    let Err(SolveError::NotInSuite { available, .. }) = with_backports(&["new/trixie"]) else {
        panic!("it is elsewhere");
    };
    assert_eq!(available, ["2~bpo13+1 (trixie-backports)"]);
}

#[test]
fn what_no_architecture_has_is_refused() {
    assert!(matches!(
        with_backports(&["lib:i386"]),
        Err(SolveError::Unknown { arch, .. }) if arch == "i386"
    ));
    assert_eq!(
        with_backports(&["lib_x!"]),
        Err(SolveError::Name("lib_x!".to_owned()))
    );
}

#[test]
fn an_unknown_name_is_explained() {
    let packages = [
        ("ca-certificates", "1", ""),
        ("curl", "1", ""),
        ("exim", "1", "Provides: mta\n"),
        ("postfix", "1", "Provides: mta\n"),
    ];
    let Err(SolveError::Unknown { suggestions, .. }) = asked(&packages, &["ca-certificate"]) else {
        panic!("unknown");
    };
    assert_eq!(suggestions, ["ca-certificates"]);
    let Err(SolveError::Virtual { providers, .. }) = asked(&packages, &["mta"]) else {
        panic!("virtual");
    };
    assert_eq!(providers, ["exim", "postfix"]);
    for name in ["", "../x", "é", &"x".repeat(10_000)] {
        assert!(asked(&packages, &[name]).is_err());
    }
}

#[test]
fn what_can_not_be_met_says_who_asked() {
    let packages = [
        ("a", "1", "Depends: b\n"),
        ("b", "2", "Depends: c (>= 3) | d\n"),
        ("c", "1", ""),
    ];
    let Err(SolveError::Unsatisfiable {
        chain,
        wanted,
        available,
    }) = asked(&packages, &["a"])
    else {
        panic!("unsatisfiable");
    };
    assert_eq!(wanted, "c (>= 3) | d");
    assert_eq!(available, ["c 1"]);
    let links: Vec<(&str, &Because)> = chain
        .iter()
        .map(|link| (link.package.as_str(), &link.because))
        .collect();
    let needed = Because::Needed {
        field: "Depends",
        relation: "b".to_owned(),
    };
    assert_eq!(links, [("a", &Because::Asked), ("b", &needed)]);
}

#[test]
fn a_conflict_names_both_and_who_asked_for_them() {
    let packages = [
        ("a", "1", "Depends: x\n"),
        ("b", "1", "Depends: y\n"),
        ("x", "1", ""),
        ("y", "1", "Breaks: x (<< 2)\n"),
    ];
    let Err(SolveError::Conflict(conflict)) = asked(&packages, &["a", "b"]) else {
        panic!("a conflict");
    };
    assert_eq!(
        (conflict.package.as_str(), conflict.other.as_str()),
        ("y", "x")
    );
    assert_eq!((conflict.owner.as_str(), conflict.field), ("y", "Breaks"));
    assert_eq!(conflict.relation, "x (<< 2)");
    let names = |chain: &[imgc_apt::Link]| -> Vec<String> {
        chain.iter().map(|link| link.package.clone()).collect()
    };
    assert_eq!(names(&conflict.chain), ["b", "y"]);
    assert_eq!(names(&conflict.other_chain), ["a", "x"]);
}

#[test]
fn a_field_that_can_not_be_read_names_its_package() {
    let packages = [("a", "1", "Depends: b (>> )\n")];
    assert!(matches!(
        asked(&packages, &["a"]),
        Err(SolveError::Relation { package, .. }) if package == "a"
    ));
}

#[test]
fn a_long_chain_needs_no_deep_stack() {
    let text: String = (0..20_000)
        .map(|n| stanza(&format!("p{n}"), "1", &format!("Depends: p{}\n", n + 1)))
        .chain([stanza("p20000", "1", "")])
        .collect();
    let index = Index::parse(text).expect("an index");
    let request = request(Variant::Distroless, &["p0"]);
    let solution = solve(&request, &[&index]).expect("an answer");
    assert_eq!(solution.packages.len(), 20_001);
    assert_eq!(solution.packages[0].package.name(), "p20000");
}

#[test]
fn a_search_without_an_answer_ends() {
    let mut packages = vec![("a".to_owned(), "Depends: ".to_owned())];
    for n in 0..40 {
        packages[0].1 += &format!("x{n} | y{n}, ");
        packages.push((format!("x{n}"), String::new()));
        packages.push((format!("y{n}"), String::new()));
    }
    packages[0].1 += "z\n";
    // Every choice before it is in the way of `z`.
    let all: Vec<String> = (0..40).map(|n| format!("x{n}, y{n}")).collect();
    packages.push(("z".to_owned(), format!("Conflicts: {}\n", all.join(", "))));
    let text: String = packages
        .iter()
        .map(|(name, more)| stanza(name, "1", more))
        .collect();
    let index = Index::parse(text).expect("an index");
    let request = request(Variant::Distroless, &["a"]);
    assert!(matches!(
        solve(&request, &[&index]),
        Err(SolveError::Conflict(_))
    ));
}

proptest! {
    /// Whatever the packages are: an answer holds, and is the same each time.
    #[test]
    fn answers_hold(edges in prop::collection::vec((0..8u8, 0..4u8, 0..8u8, 0..8u8), 0..24)) {
        let mut fields = vec![[const { String::new() }; 4]; 8];
        for (from, kind, to, other) in edges {
            fields[from as usize][kind as usize] += &match kind {
                0 | 1 => format!("p{to} | p{other}, "),
                _ => format!("p{to}, "),
            };
        }
        let text: String = fields.iter().enumerate().map(|(n, field)| {
            let [depends, pre, conflicts, provides] = field;
            let more = format!(
                "Depends: {depends}\nPre-Depends: {pre}\nConflicts: {conflicts}\nProvides: {provides}\n"
            );
            stanza(&format!("p{n}"), "1", &more)
        }).collect();
        let index = Index::parse(text).expect("an index");
        let request = request(Variant::Distroless, &["p0", "p1"]);
        let first = names(&request, &[&index]);
        prop_assert_eq!(&first, &names(&request, &[&index]));
        let Ok(solution) = solve(&request, &[&index]) else {
            return Ok(());
        };
        let all: Vec<_> = solution.packages.iter().map(|selected| selected.package).collect();
        let meets = |package: &imgc_apt::Package<'_>, name: &str| {
            package.name() == name
                || package.provides().expect("readable").groups.iter()
                    .any(|group| group.alternatives[0].name == name)
        };
        for package in &all {
            let needs = [package.depends(), package.pre_depends()];
            for group in needs.into_iter().flat_map(|needs| needs.expect("readable").groups) {
                let met = group.alternatives.iter()
                    .any(|wanted| all.iter().any(|other| meets(other, wanted.name)));
                prop_assert!(met, "{:?} lacks {}", package, group);
            }
            for group in package.conflicts().expect("readable").groups {
                let name = group.alternatives[0].name;
                let others = all.iter().filter(|other| other.name() != package.name());
                for other in others {
                    prop_assert!(!meets(other, name), "{:?} with {:?}", package, other);
                }
            }
        }
    }
}

#[test]
fn packages_are_found_by_the_beginning_of_their_names() {
    let index = index(&[
        ("curl", "1", "Description: a tool\n of many lines\n"),
        ("zlib", "1", ""),
        ("curlftpfs", "2", "Description:a file system\n"),
        ("cur", "1", ""),
        ("curl", "2", ""),
    ]);
    let names = |prefix: &'static str| {
        let found = index.starting_with(prefix);
        found.map(|package| package.name()).collect::<Vec<_>>()
    };
    assert_eq!(names("curl"), ["curl", "curl", "curlftpfs"]);
    assert_eq!(names("z"), ["zlib"]);
    assert_eq!(names(""), ["cur", "curl", "curl", "curlftpfs", "zlib"]);
    assert!(names("x").is_empty());
    let about = index.starting_with("").map(|package| package.description());
    let about: Vec<_> = about.collect();
    assert_eq!(
        about,
        [None, Some("a tool"), None, Some("a file system"), None]
    );
}
