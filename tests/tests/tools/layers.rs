//! `imgc layers`: what layers hold, what images share, and what an edit costs.

use imgc_tests::sandbox::Sandbox;
use imgc_tests::small;
use serde_json::Value;

/// Two images with one package in common, and each with one of its own.
fn sandbox() -> Sandbox {
    let lines = ["large 1 bytes=400000", "middle 1 bytes=90000", "small 1"];
    let sandbox = Sandbox::with_packages(&lines.map(small::package));
    sandbox.write(
        "app.img",
        r#"let
  debian = import std/debian;
  made = own => debian.distroless {
    packages = ["large", own];
    files = { "/etc/motd" = "hello\n"; };
    layers = { most = 3; };
  };
in { one = made "middle"; two = made "small"; }
"#,
    );
    sandbox
}

fn layers(sandbox: &Sandbox) -> Value {
    let outcome = sandbox
        .run()
        .args(&["layers", "--json", "app.img"])
        .outcome();
    serde_json::from_str(&outcome.succeeds().stdout).expect("JSON")
}

fn size(layer: &Value) -> u64 {
    layer["size"].as_u64().expect("a size")
}

#[test]
fn what_is_shared_is_said_and_counted_once() {
    let sandbox = sandbox();
    let said = layers(&sandbox);
    let images = said["images"].as_array().expect("images");
    let mut all = 0;
    for (image, own, other) in [(&images[0], "middle", "two"), (&images[1], "small", "one")] {
        let layers = image["layers"].as_array().expect("layers");
        let kinds: Vec<&str> = layers
            .iter()
            .filter_map(|layer| layer["what"].as_str())
            .collect();
        assert_eq!(kinds, ["large", own, "packages", "files"]);
        assert_eq!(layers[0]["packages"], serde_json::json!(["large"]));
        assert_eq!(layers[0]["shared_with"], serde_json::json!([other]));
        assert_eq!(layers[1]["shared_with"], serde_json::json!([]));
        let sum: u64 = layers.iter().map(size).sum();
        assert_eq!(image["size"], sum);
        all += sum;
        // A file brings its layer; a package its own, and the one with dpkg's database.
        let pull = &image["pull"];
        let file = pull["files"].as_u64().expect("bytes");
        assert!(
            file > size(&layers[3]) && file < size(&layers[3]) + 4_000,
            "{pull}"
        );
        assert_eq!(pull["package"]["of"], "large");
        let most = pull["package"]["most"].as_u64().expect("bytes");
        assert_eq!(
            most - (file - size(&layers[3])),
            size(&layers[0]) + size(&layers[2])
        );
    }
    let large = &images[0]["layers"][0];
    assert_eq!(large["digest"], images[1]["layers"][0]["digest"]);
    assert_eq!(said["sharing"]["bytes"], all);
    let distinct = said["sharing"]["distinct"].as_u64().expect("bytes");
    assert!(distinct <= all - size(large), "{distinct} of {all}");
}

#[test]
fn a_group_of_a_package_that_is_not_there_is_told() {
    let sandbox = sandbox();
    sandbox.write(
        "app.img",
        r#"(import std/debian).distroless {
  packages = ["small"]; layers = { groups = { web = ["large"]; }; };
}"#,
    );
    sandbox.run().args(&["layers", "app.img"]).outcome().fails(
        1,
        &["the layer `web` names the package `large`", "does not have"],
    );
}
