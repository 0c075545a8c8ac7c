//! Images, from the program to the plan.

use imgc_diag::Severity;
use imgc_plan::{Content, FileNode, Image, Plan};

use crate::{MemoryWorld, Options, evaluate};

/// What a program gives: the plan if nothing is wrong, else the findings as
/// `CODE text-there: message`.
fn planned(world: MemoryWorld, text: &str) -> Result<Plan, Vec<String>> {
    let world = world.file("main.img", text);
    let evaluated = evaluate(std::sync::Arc::new(world), "main.img", &Options::default());
    evaluated.plan.ok_or_else(|| {
        let found = evaluated.diagnostics.iter();
        let errors = found.filter(|found| found.severity == Severity::Error);
        errors
            .map(|found| {
                let range = &found.primary.span.range;
                let there = &text[range.start as usize..range.end as usize];
                format!("{} {there}: {}", found.code, found.message)
            })
            .collect()
    })
}

fn plan(world: MemoryWorld, text: &str) -> Plan {
    planned(world, text).unwrap_or_else(|problems| panic!("{text}: {problems:?}"))
}

fn one(text: &str) -> Image {
    let mut plan = plan(MemoryWorld::new(), text);
    assert_eq!(plan.images.len(), 1);
    plan.images.remove(0)
}

fn wrong(world: MemoryWorld, text: &str) -> Vec<String> {
    planned(world, text).expect_err("it is wrong")
}

fn paths(image: &Image) -> Vec<&str> {
    image.files.iter().map(|file| file.path.as_str()).collect()
}

/// A static program without anything in it.
fn program(machine: u16) -> Vec<u8> {
    let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
    bytes.resize(16, 0);
    bytes.extend(2u16.to_le_bytes());
    bytes.extend(machine.to_le_bytes());
    bytes.extend(1u32.to_le_bytes());
    for word in [0x1000u64, 64, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0u32.to_le_bytes());
    for half in [64u16, 56, 1, 64, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend([0; 56]);
    bytes
}

#[test]
fn an_image_has_all_that_is_said() {
    let image = one(r#"image {
        name = "web";
        packages = debianPackages { suite = "trixie"; variant = "apt"; names = ["b0", "aa", "b0"]; };
        groups = [{ name = "data"; gid = 500; }];
        users = [{ name = "app"; uid = 10; }, { name = "b"; uid = 11; group = "data"; }];
        files = { "/a" = "text"; "/b" = symlink "a"; };
        config = { ports = [80, "53/udp"]; env = { A = "1"; }; user = "app"; };
    }"#);
    assert_eq!(image.name, "web");
    assert_eq!(image.packages.expect("packages").names, ["aa", "b0"]);
    let groups: Vec<_> = image
        .groups
        .iter()
        .map(|g| (g.name.as_str(), g.gid))
        .collect();
    assert_eq!(groups, [("data", 500), ("app", 10)]);
    assert_eq!(image.users[1].gid, 500);
    assert_eq!(image.files.len(), 2);
    assert_eq!(image.config.ports.len(), 2);
}

#[test]
fn mistakes_are_found_together_each_at_its_place() {
    let found = wrong(
        MemoryWorld::new(),
        r#"let env = { "A=" = "x"; }; in image {
            users = [{ name = "Root"; uid = 1; }, { name = "a"; uid = 0; }];
            files = { "etc" = "x"; "/x" = ./nope; };
            config = ({ user = "a b"; } // { env = env; }) // { ports = [80, 80]; };
        }"#,
    );
    let heads: Vec<_> = found
        .iter()
        .map(|text| text.split(": ").next().unwrap_or_default())
        .collect();
    assert_eq!(
        heads,
        [
            r#"IMG0519 "A=""#,
            r#"IMG0507 "Root""#,
            "IMG0510 0",
            r#"IMG0504 "etc""#,
            "IMG0401 ./nope",
            r#"IMG0507 "a b""#,
            "IMG0506 80",
        ]
    );
}

#[test]
fn names_of_updated_records_are_found_in_the_literal_that_has_them() {
    let files = |text: &str| {
        let text = format!("let base = {{ \"a\" = \"1\"; }}; in image {{ files = {text}; }}");
        wrong(MemoryWorld::new(), &text)
    };
    let found = files(r#"base // { "b" = "2"; }"#);
    assert!(found[0].starts_with(r#"IMG0504 "a": "#), "{found:?}");
    assert!(found[1].starts_with(r#"IMG0504 "b": "#), "{found:?}");
    // The right side wins.
    let found = files(r#"base // { "a" = "3"; }"#);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn extensions_append_and_merge() {
    let image = one(r#"extend {
            name = "x";
            packages = ["git", "aa"];
            users = [{ name = "b"; uid = 2; group = "data"; }, { name = "a"; uid = 1; }];
            files = { "/b" = "2"; "/a" = "1"; };
            config = { env = { B = "2"; A = "1"; }; ports = [81, 80]; cmd = ["x"]; };
        } (image {
            packages = debianPackages { suite = "trixie"; variant = "apt"; names = ["bb", "aa"]; };
            groups = [{ name = "data"; gid = 5; }];
            users = [{ name = "a"; uid = 1; }];
            files = { "/a" = "1"; "/c" = "3"; };
            config = { env = { A = "1"; }; ports = [80]; user = "a"; };
        })"#);
    assert_eq!(image.name, "x");
    assert_eq!(image.packages.expect("packages").names, ["aa", "bb", "git"]);
    let users: Vec<_> = image
        .users
        .iter()
        .map(|u| (u.name.as_str(), u.gid))
        .collect();
    assert_eq!(users, [("a", 1), ("b", 5)]);
    let files: Vec<_> = image.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(files, ["/a", "/b", "/c"]);
    assert_eq!(image.config.env.len(), 2);
    assert_eq!(image.config.ports.len(), 2);
    assert_eq!(image.config.user.as_deref(), Some("a"));
    assert_eq!(image.config.cmd, ["x"]);
}

#[test]
fn conflicts_show_both_values() {
    let found = wrong(
        MemoryWorld::new(),
        r#"extend {
            name = "y";
            packages = ["git"];
            users = [{ name = "a"; uid = 2; }];
            files = { "/a" = "2"; "/b" = "1"; };
            config = { env = { A = "2"; }; user = "b"; };
        } (image {
            name = "x";
            users = [{ name = "a"; uid = 1; }];
            files = { "/a" = "1"; "/b/c" = "1"; };
            config = { env = { A = "1"; }; user = "a"; };
        })"#,
    );
    let all = found.join("\n");
    assert_eq!(found.len(), 7, "{all}");
    for text in [
        r#"IMG0525 "y": `name` can't be both `"x"` and `"y"`"#,
        r#"IMG0526 ["git"]: "#,
        r#"IMG0508 "a": two users"#,
        r#"IMG0525 "/a": two different files at `/a`"#,
        r#"IMG0517 "/b/c": `/b/c` lies below `/b`"#,
        r#"IMG0525 "2": `config.env.A` can't be both `"1"` and `"2"`"#,
        r#"IMG0525 "b": `config.user`"#,
    ] {
        assert!(all.contains(text), "{text}\n{all}");
    }
}

#[test]
fn override_replaces() {
    let image = one(r#"override {
            name = "y";
            packages = ["git"];
            suite = "sid";
            users = [{ name = "b"; uid = 1; }];
            files = { "/a" = directory {}; };
            config = { env = { A = "2"; }; user = "b"; ports = []; };
        } (image {
            name = "x";
            packages = debianPackages { suite = "trixie"; variant = "apt"; names = ["aa"]; };
            users = [{ name = "a"; uid = 1; }];
            files = { "/a" = "1"; "/b/c" = "1"; };
            config = { env = { A = "1"; B = "1"; }; user = "a"; ports = [1]; };
        })"#);
    assert_eq!(image.name, "y");
    let packages = image.packages.expect("packages");
    assert_eq!(
        (packages.suite.as_str(), packages.names),
        ("sid", vec!["git".to_owned()])
    );
    assert_eq!(image.groups.len(), 1);
    assert_eq!(image.users[0].name, "b");
    assert!(matches!(image.files[0].node, FileNode::Directory { .. }));
    assert_eq!(image.files.len(), 2);
    assert_eq!(image.config.env.values().collect::<Vec<_>>(), ["2", "1"]);
    assert!(image.config.ports.is_empty());
}

#[test]
fn a_copied_folder_is_replaced_whole_or_in_part() {
    let world = || {
        let world = MemoryWorld::new().file("one/a/x", "1").file("one/b", "1");
        world.file("two/a/y", "2").file("two/b", "2")
    };
    let base = r#"image { files = { "/srv" = ./one; "/srv/own" = "x"; }; }"#;
    let part = plan(
        world(),
        &format!("override {{ files = {{ \"/srv/b\" = \"new\"; }}; }} ({base})"),
    );
    assert_eq!(
        paths(&part.images[0]),
        ["/srv", "/srv/a", "/srv/a/x", "/srv/b", "/srv/own"]
    );
    let text = FileNode::Regular {
        content: Content::Text("new".to_owned()),
        mode: 0o644,
        capabilities: Vec::new(),
    };
    assert_eq!(part.images[0].files[3].node, text);
    assert_eq!(part.sources.len(), 1, "one content is left");
    let whole = plan(
        world(),
        &format!("override {{ files = {{ \"/srv\" = ./two; }}; }} ({base})"),
    );
    assert_eq!(
        paths(&whole.images[0]),
        ["/srv", "/srv/a", "/srv/a/y", "/srv/b", "/srv/own"]
    );
    let both = wrong(
        world(),
        &format!("extend {{ files = {{ \"/srv\" = ./two; }}; }} ({base})"),
    );
    assert_eq!(both.len(), 1, "{both:?}");
    assert!(
        both[0].contains("two different files at `/srv/b`"),
        "{both:?}"
    );
}

#[test]
fn programs_follow_the_platform() {
    let world = || {
        let world = MemoryWorld::new().executable("amd", program(62));
        world.executable("arm", program(183))
    };
    let digest = |plan: &Plan| plan.sources.values().next().cloned();
    let base = r#"image { files = { "/p" = binary { amd64 = ./amd; arm64 = ./arm; }; }; }"#;
    assert_eq!(digest(&plan(world(), base)).as_deref(), Some("amd"));
    for builtin in ["extend", "override"] {
        let text = format!("{builtin} {{ platform = \"linux/arm64\"; }} ({base})");
        assert_eq!(digest(&plan(world(), &text)).as_deref(), Some("arm"));
    }
    let base = r#"image { files = { "/p" = binary ./amd; "/q" = binary { amd64 = ./amd; }; }; }"#;
    let found = wrong(
        world(),
        &format!("override {{ platform = \"linux/arm64\"; }} ({base})"),
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("IMG0515 ./amd: "), "{found:?}");
    assert!(
        found[1].contains("there is no program for arm64"),
        "{found:?}"
    );
    let text =
        r#"override { platform = "linux/arm64"; files = { "/p" = binary ./arm; "/q" = "x"; }; }"#;
    let replaced = plan(world(), &format!("{text} ({base})"));
    assert_eq!(digest(&replaced).as_deref(), Some("arm"));
}

#[test]
fn images_of_one_base_merge() {
    let text = r#"
        let base = image {
            packages = debianPackages { suite = "trixie"; variant = "apt"; names = ["aa"]; };
            users = [{ name = "a"; uid = 1; }];
            files = { "/a" = "1"; };
        }; in
        merge (extend { packages = ["bb"]; } base) (extend { files = { "/b" = "1"; }; } base)"#;
    let image = one(text);
    assert_eq!(image.packages.expect("packages").names, ["aa", "bb"]);
    assert_eq!(image.users.len(), 1);
    assert_eq!(image.files.len(), 2);
    let suites = r#"
        merge
            (image { packages = debianPackages { suite = "trixie"; variant = "apt"; names = []; }; })
            (image { packages = debianPackages { suite = "sid"; variant = "apt"; names = []; }; })"#;
    let found = wrong(MemoryWorld::new(), suites);
    assert!(
        found[0].contains(r#"the suite can't be both `"trixie"` and `"sid"`"#),
        "{found:?}"
    );
}

#[test]
fn who_names_the_default_platform_has_not_chosen() {
    let image =
        one(r#"extend { platform = "linux/arm64"; } (image { platform = defaultPlatform; })"#);
    assert_eq!(image.platform.to_string(), "linux/arm64");
    let image =
        one(r#"override { platform = defaultPlatform; } (image { platform = "linux/arm64"; })"#);
    assert_eq!(image.platform.to_string(), "linux/amd64");
}

#[test]
fn extending_many_files_is_not_quadratic() {
    use std::fmt::Write as _;
    let mut files = String::new();
    for n in 0..3_000 {
        write!(files, "\"/srv/{n}\" = \"x\"; ").expect("a string takes text");
    }
    let mut text = format!("let b0 = image {{ files = {{ {files} }}; }};\n");
    for n in 1..=100 {
        let config = format!("config = {{ env = {{ A{n} = \"\"; }}; }};");
        writeln!(text, "b{n} = extend {{ {config} }} b{};", n - 1).expect("a string takes text");
    }
    text.push_str("in b100");
    let image = one(&text);
    assert_eq!(image.files.len(), 3_000);
    assert_eq!(image.config.env.len(), 100);
}
