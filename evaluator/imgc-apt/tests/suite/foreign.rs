//! Packages of several architectures in one image: which go together, and which serve which.

use imgc_apt::{Call, Index, Request, SolveError, Variant, solve};

use crate::archive::stanza;

/// An index of an architecture.
fn index(arch: &str, packages: &[(&str, &str, &str)]) -> Index {
    let text = packages.iter().map(|(name, version, more)| {
        let (more, own) = match more.strip_prefix("all ") {
            Some(more) => (more, "all"),
            None => (*more, arch),
        };
        let text = stanza(name, version, more);
        text.replace("Architecture: amd64", &format!("Architecture: {own}"))
    });
    Index::parse(text.collect()).expect("an index")
}

fn request(names: &[&str]) -> Request {
    Request {
        suite: "trixie".to_owned(),
        arch: "amd64".to_owned(),
        variant: Variant::Distroless,
        recommends: false,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        archives: Vec::new(),
        base: None,
    }
}

/// The chosen packages, sorted, where both architectures have the same ones.
fn both(packages: &[(&str, &str, &str)], names: &[&str]) -> Result<Vec<String>, SolveError> {
    asked(packages, packages, names)
}

fn asked(
    native: &[(&str, &str, &str)],
    foreign: &[(&str, &str, &str)],
    names: &[&str],
) -> Result<Vec<String>, SolveError> {
    let indices = [index("amd64", native), index("i386", foreign)];
    let solution = solve(&request(names), &indices.iter().collect::<Vec<_>>())?;
    let packages = solution.packages.iter().map(|selected| selected.package);
    let mut all: Vec<String> = packages
        .map(|package| format!("{}:{}", package.name(), package.architecture()))
        .collect();
    all.sort();
    Ok(all)
}

const LIBRARIES: [(&str, &str, &str); 5] = [
    ("app", "1", "Depends: lib, tool, data, script:any\n"),
    ("lib", "1", "Multi-Arch: same\nDepends: data\n"),
    ("tool", "1", "Multi-Arch: foreign\n"),
    ("data", "1", "all Multi-Arch: foreign\n"),
    ("script", "1", "Multi-Arch: allowed\n"),
];

#[test]
fn a_foreign_package_takes_what_serves_it_from_the_own_architecture() {
    let mut packages = LIBRARIES.to_vec();
    assert_eq!(
        both(&packages, &["app:i386"]).expect("an answer"),
        [
            "app:i386",
            "data:all",
            "lib:i386",
            "script:amd64",
            "tool:amd64"
        ]
    );
    // Only what is `allowed` meets `:any`.
    packages[0].2 = "Depends: tool:any\n";
    assert!(matches!(
        both(&packages, &["app:i386"]),
        Err(SolveError::Unsatisfiable { .. })
    ));
    // A package of all architectures belongs to the own one, and serves others only where
    // it says so.
    packages[0].2 = "Depends: data\n";
    packages[3].2 = "all ";
    assert!(matches!(
        both(&packages, &["app:i386"]),
        Err(SolveError::Unsatisfiable { .. })
    ));
}

#[test]
fn siblings_go_together_in_one_version() {
    let own = [("lib", "1", "Multi-Arch: same\n")];
    let names = ["lib", "lib:i386"];
    assert_eq!(
        both(&own, &names).expect("an answer"),
        ["lib:amd64", "lib:i386"]
    );
    let rebuilt = [("lib", "1+b1", "Multi-Arch: same\n")];
    let error = asked(&own, &rebuilt, &names).expect_err("two versions");
    assert_eq!(
        error.to_string(),
        "lib:i386 and lib can't be installed together: lib:i386 has Multi-Arch: same, in the \
         version 1+b1"
    );
    let error = both(&[("lib", "1", "")], &names).expect_err("of one kind");
    assert_eq!(
        error.to_string(),
        "lib:i386 and lib can't be installed together: lib:i386 has Multi-Arch: no"
    );
}

#[test]
fn what_is_excluded_is_excluded_for_all_architectures() {
    let packages = [
        ("a", "1", "Conflicts: b\n"),
        ("b", "1", ""),
        ("c", "1", "Conflicts: b:amd64\n"),
        (
            "d",
            "1",
            "Multi-Arch: same\nProvides: x\nConflicts: d, x\nReplaces: x\n",
        ),
    ];
    assert!(matches!(
        both(&packages, &["a", "b:i386"]),
        Err(SolveError::Conflict(_))
    ));
    assert_eq!(
        both(&packages, &["b:i386", "c"]).expect("an answer"),
        ["b:i386", "c:amd64"]
    );
    // Not the same package for another architecture.
    assert_eq!(
        both(&packages, &["d", "d:i386"]).expect("an answer"),
        ["d:amd64", "d:i386"]
    );
}

#[test]
fn a_name_means_the_own_architecture_where_that_has_it() {
    let native = [
        ("lib", "1", "Multi-Arch: same\n"),
        ("all", "1", "all Multi-Arch: foreign\n"),
    ];
    let foreign = [
        ("lib", "1", "Multi-Arch: same\n"),
        ("wine32", "1", "Depends: lib\nProvides: wine\n"),
    ];
    let answer = |names: &[&str]| asked(&native, &foreign, names).expect("an answer");
    assert_eq!(answer(&["lib:amd64"]), ["lib:amd64"]);
    assert_eq!(answer(&["lib:native"]), ["lib:amd64"]);
    assert_eq!(answer(&["lib:any"]), ["lib:amd64"]);
    assert_eq!(answer(&["lib:i386"]), ["lib:i386"]);
    assert_eq!(answer(&["lib:i386", "wine32"]), ["lib:i386", "wine32:i386"]);
    assert_eq!(answer(&["wine:i386"]), ["lib:i386", "wine32:i386"]);
    // One of all architectures serves this one.
    assert_eq!(answer(&["all:i386"]), ["all:all"]);
    // Nothing is foreign where no foreign architecture is asked for.
    assert!(matches!(
        asked(&native, &foreign, &["wine32"]),
        Err(SolveError::Unknown { arch, .. }) if arch == "amd64"
    ));
    assert_eq!(
        request(&["a:i386", "b:arm64", "c:amd64", "d:any", "e"]).foreign(),
        ["arm64", "i386"]
    );
}

#[test]
fn each_architecture_is_unpacked_and_configured_for_itself() {
    let packages = [
        ("app", "1", "Pre-Depends: lib\n"),
        ("lib", "1", "Multi-Arch: same\n"),
    ];
    let indices = [index("amd64", &packages), index("i386", &packages)];
    let indices: Vec<&Index> = indices.iter().collect();
    let solution = solve(&request(&["app:i386", "lib"]), &indices).expect("an answer");
    let named = |at: &usize| {
        let package = solution.packages[*at].package;
        format!("{}:{}", package.name(), package.architecture())
    };
    let unpacked = solution.calls.iter().filter_map(|call| match call {
        Call::Unpack(all) => Some(all.iter().map(named).collect::<Vec<_>>()),
        _ => None,
    });
    let configured = solution.calls.iter().filter_map(|call| match call {
        Call::Configure(all) => Some(all.iter().map(named).collect::<Vec<_>>()),
        _ => None,
    });
    assert_eq!(
        unpacked.collect::<Vec<_>>().concat(),
        ["lib:i386", "app:i386", "lib:amd64"]
    );
    assert_eq!(configured.collect::<Vec<_>>().concat(), ["lib:i386"]);
}
