//! One file for several platforms: indexes, on the command line and in the language, and
//! what each command makes of them.

use imgc_tests::layout::Layout;
use imgc_tests::sandbox::{Outcome, Sandbox, repository};
use serde_json::{Value, json};

const PLAIN: &str = r#"
let debian = import std/debian; in
debian.image {
  suite = "trixie";
  variant = "essential";
  packages = ["hello", "noise"];
  files = { "/usr/bin/server" = binary { amd64 = ./amd64; arm64 = ./arm64; }; };
}
"#;

const INDEX: &str = r#"
let
  debian = import std/debian;
  app = platform => debian.image {
    platform;
    suite = "trixie";
    variant = "essential";
    packages = ["hello", "noise"];
    files = { "/usr/bin/server" = binary { amd64 = ./amd64; arm64 = ./arm64; }; };
  };
in
index { images = map app ["linux/amd64", "linux/arm64"]; }
"#;

const BOTH: &str = "linux/amd64,linux/arm64";

fn sandbox(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", text);
    for arch in ["amd64", "arm64"] {
        let server = repository().join("examples/web/bin").join(arch);
        #[expect(clippy::disallowed_methods, reason = "tests read their files")]
        let bytes = std::fs::read(server.join("server")).expect("the example's server");
        sandbox.write(arch, bytes);
    }
    sandbox
}

fn run(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    sandbox.run().args(args).outcome()
}

fn document(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.succeeds().stdout).expect("JSON")
}

#[test]
fn several_platforms_are_an_index() {
    let sandbox = sandbox(PLAIN);
    let outcome = run(&sandbox, &["build", "app.img", "--platform", BOTH]);
    let (digest, images) = Layout::open_index(&sandbox.project("app.oci"));
    assert_eq!(outcome.digest(), digest);
    let platforms: Vec<&str> = images.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64/v8"]);
    for ((_, image), arch) in images.iter().zip(["amd64", "arm64"]) {
        let tree = image.tree();
        let hello = format!("hello for {arch}\n");
        assert_eq!(tree["usr/bin/hello"].bytes, hello.as_bytes());
        let status = String::from_utf8_lossy(&tree["var/lib/dpkg/status"].bytes).into_owned();
        assert!(status.contains(&format!("Architecture: {arch}\n")));
    }
    // What both have is fetched once.
    let requests = sandbox.server.take_requests();
    let all = |end: &str| {
        requests
            .iter()
            .filter(|one| one.path.ends_with(end))
            .count()
    };
    assert_eq!(all("_all.deb"), 2, "base-passwd and noise");
    assert_eq!(all("hello_2.10-3_amd64.deb"), 1);
    assert_eq!(all("hello_2.10-3_arm64.deb"), 1);
    // Each image is what it is alone, and the lock has the packages of both.
    for ((_, image), arch) in images.iter().zip(["amd64", "arm64"]) {
        let platform = format!("linux/{arch}");
        let to = format!("oci:{arch}.oci");
        let args = [
            "build",
            "--locked",
            "app.img",
            "--platform",
            &platform,
            "-o",
            &to,
        ];
        assert_eq!(run(&sandbox, &args).digest(), image.digest);
    }
    // In another order it is another index, and twice the same platform is once.
    let args = ["build", "app.img", "-o", "oci:other.oci"];
    let turned = ["--platform", "linux/arm64", "--platform", "linux/amd64"];
    let outcome = run(&sandbox, &[&args[..], &turned].concat());
    assert_ne!(outcome.digest(), digest);
    let again = ["--platform", "linux/amd64,linux/arm64/v8,linux/arm64"];
    let outcome = run(&sandbox, &[&args[..], &again].concat());
    assert_eq!(outcome.digest(), digest);
}

#[test]
fn an_index_of_the_language_is_the_one_of_the_command_line() {
    let sandbox = sandbox(INDEX);
    let outcome = run(&sandbox, &["build", "app.img", "--json"]);
    let built = document(&outcome);
    let (digest, images) = Layout::open_index(&sandbox.project("app.oci"));
    assert_eq!(built["indexes"][0]["name"], "app");
    assert_eq!(built["indexes"][0]["index"]["digest"], digest.as_str());
    assert_eq!(
        built["indexes"][0]["images"],
        json!(["app-amd64", "app-arm64"])
    );
    for (image, name) in built["images"]
        .as_array()
        .expect("images")
        .iter()
        .zip(["app-amd64", "app-arm64"])
    {
        assert_eq!(image["name"], name);
        let digest = image["manifest"]["digest"].as_str().expect("a digest");
        assert!(images.iter().any(|(_, layout)| layout.digest == digest));
    }
    let named = "name = \"app\"; suite";
    sandbox.write("plain.img", PLAIN.replacen("suite", named, 1));
    let to = ["-o", "oci:plain.oci", "--platform", BOTH];
    let outcome = run(&sandbox, &[&["build", "plain.img"], &to[..]].concat());
    assert_eq!(outcome.digest(), digest);
    // An archive is the same.
    let outcome = run(&sandbox, &["build", "app.img", "-o", "oci-archive:app.tar"]);
    assert_eq!(outcome.digest(), digest);
    let args = ["inspect", "--json", "app.tar", "--platform", "linux/arm64"];
    let found = document(&run(&sandbox, &args));
    assert_eq!(found["digest"], images[1].1.digest.as_str());
}

#[test]
fn a_plan_has_the_index_after_its_images() {
    let sandbox = sandbox(INDEX);
    let index = |sandbox: &Sandbox| -> Value {
        let plan = document(&run(sandbox, &["plan", "--json", "app.img"]));
        let steps = plan["steps"].as_array().expect("steps").clone();
        let index = steps.last().expect("a step").clone();
        let inputs = index["inputs"].as_array().expect("inputs").clone();
        for (input, name) in inputs.iter().zip(["app-amd64", "app-arm64"]) {
            let step = &steps[input.as_u64().expect("a place") as usize];
            assert_eq!(
                (&step["kind"], &step["name"]),
                (&json!("image"), &json!(name))
            );
        }
        assert_eq!(inputs.len(), 2);
        index
    };
    let outcome = run(&sandbox, &["plan", "app.img"]);
    outcome.fails(1, &["imgc.lock does not have the packages"]);
    run(&sandbox, &["update", "app.img"]).succeeds();
    let before = index(&sandbox);
    assert_eq!(
        (&before["kind"], &before["state"]),
        (&json!("index"), &json!("unknown"))
    );
    run(&sandbox, &["build", "app.img"]).succeeds();
    assert_eq!(index(&sandbox)["state"], "done");
    let outcome = run(&sandbox, &["build", "app.img", "--json"]);
    assert_eq!(document(&outcome)["realised"], 0);
}

#[test]
fn commands_that_look_into_an_image_pick_one_by_its_platform() {
    let sandbox = sandbox(INDEX);
    run(&sandbox, &["build", "app.img"]).succeeds();
    for image in ["app.img", "app.oci"] {
        for (given, arch) in [
            (&[][..], "amd64"),
            (&["--platform", "linux/arm64"], "arm64"),
        ] {
            let args = [&["cat", image, "/usr/bin/hello"], given].concat();
            let outcome = run(&sandbox, &args);
            assert_eq!(outcome.succeeds().stdout, format!("hello for {arch}\n"));
            let args = [&["inspect", "--json", image], given].concat();
            let found = document(&run(&sandbox, &args));
            let platform = found["platform"].as_str().expect("a platform");
            assert!(platform.starts_with(&format!("linux/{arch}")));
        }
        let args = ["ls", image, "/usr/bin", "--platform", "linux/s390x"];
        run(&sandbox, &args).fails(1, &["linux/s390x", "linux/amd64"]);
        let args = ["ls", image, "--platform", BOTH];
        run(&sandbox, &args).fails(2, &["one --platform"]);
    }
    let args = [
        "export",
        "app.img",
        "--platform",
        "linux/arm64",
        "-o",
        "oci:arm.oci",
    ];
    run(&sandbox, &args).succeeds();
    assert_eq!(
        Layout::open(&sandbox.project("arm.oci")).config["architecture"],
        "arm64"
    );
    // Of each image of the index: its layers, and why a package is there.
    let layers = document(&run(&sandbox, &["layers", "--json", "app.img"]));
    assert_eq!(layers["images"].as_array().map(Vec::len), Some(2));
    let why = run(&sandbox, &["why", "libhello1", "app.img"]);
    for name in ["app-amd64", "app-arm64"] {
        assert!(why.succeeds().stdout.contains(name), "{why:?}");
    }
}

#[test]
fn an_index_that_is_kept_is_kept_with_its_images() {
    let sandbox = sandbox(INDEX);
    let digest = run(&sandbox, &["build", "--keep", "app.img"]).digest();
    run(&sandbox, &["store", "gc", "--max-size", "1"]).succeeds();
    let args = [
        "build",
        "--locked",
        "--offline",
        "app.img",
        "-o",
        "oci:again.oci",
    ];
    assert_eq!(run(&sandbox, &args).digest(), digest);
    let (_, images) = Layout::open_index(&sandbox.project("again.oci"));
    assert_eq!(images.len(), 2);
}

#[test]
fn an_image_with_a_platform_of_its_own_has_no_other() {
    let sandbox = sandbox("image { platform = \"linux/arm64\"; }");
    let both = ["--platform", BOTH];
    let build = |file: &str| run(&sandbox, &[&["build", file][..], &both].concat());
    build("app.img").fails(
        1,
        &[
            "IMG0534",
            "names its platform: linux/arm64",
            "write an index",
        ],
    );
    sandbox.write("index.img", "index { images = [image {}]; }");
    build("index.img").fails(1, &["IMG0534", "has platforms of its own"]);
    sandbox.write(
        "named.img",
        "image { name = replace \"/\" \"-\" (toString defaultPlatform); }",
    );
    build("named.img").fails(1, &["IMG0534", "for linux/arm64", "same name"]);
    sandbox.write(
        "two.img",
        "{ a = image {}; b = image { name = \"a-arm64\"; }; }",
    );
    build("two.img").fails(1, &["IMG0534", "both `a-arm64`"]);
    // One that only some platforms have, whichever comes first.
    sandbox.write(
        "fewer.img",
        "toMap ([{ name = \"a\"; value = image {}; }] ++ (if toString defaultPlatform == \
         \"linux/amd64\" then [{ name = \"b\"; value = image {}; }] else []))",
    );
    for order in ["linux/amd64,linux/arm64", "linux/arm64,linux/amd64"] {
        run(&sandbox, &["build", "fewer.img", "--platform", order])
            .fails(1, &["IMG0534", "there is no image `b` for linux/arm64"]);
    }
    // A program that is missing for one of them is told with its platform.
    let text = PLAIN.replace("arm64 = ./arm64; ", "");
    sandbox.write("some.img", text);
    build("some.img").fails(1, &["IMG0515", "there is no program for arm64"]);
    sandbox.has_no_layout();
    for command in ["eval", "check"] {
        let args = [&[command, "app.img"][..], &both].concat();
        run(&sandbox, &args).fails(2, &["one --platform"]);
    }
    let args = ["build", "app.img", "--platform", "linux/arm/v6"];
    run(&sandbox, &args).fails(2, &["linux/arm/v6"]);
}

#[test]
fn a_suite_without_an_architecture_says_which_has_it() {
    let sandbox = sandbox(&PLAIN.replace("trixie", "bookworm").replace(
        "  files = { \"/usr/bin/server\" = binary { amd64 = ./amd64; arm64 = ./arm64; }; };\n",
        "",
    ));
    let args = ["build", "app.img", "--platform", "linux/riscv64"];
    run(&sandbox, &args).fails(
        1,
        &[
            "IMG0505",
            "bookworm has no packages for riscv64; trixie has",
        ],
    );
    sandbox.has_no_layout();
}
