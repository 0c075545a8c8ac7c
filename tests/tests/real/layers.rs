//! Layers in other hands: however an image is cut and compressed, umoci unpacks the same
//! files from it.

use std::path::Path;

use crate::place::{PLACE, build, call, tag};

/// The images: a name, and what it says of its layers.
const IMAGES: [(&str, &str); 5] = [
    ("one", "layers = { most = 1; };"),
    ("unsaid", ""),
    (
        "eight",
        "layers = { most = 6; groups = { web = [\"curl\"]; }; };",
    ),
    ("many", "layers = { most = 120; compression = \"gzip\"; };"),
    ("plain", "layers = { most = 2; compression = \"none\"; };"),
];

/// Every path of a tree with its kind, mode, owner, time and link, and every file's digest.
fn listing(root: &Path) -> (String, String) {
    let script = |command: &str| {
        let text = format!("cd '{}' && {command}", root.display());
        call("sh", &["-c", &text])
    };
    (
        script("find . -printf '%p %y %m %U %G %T@ %l\\n' | LC_ALL=C sort"),
        script("find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"),
    )
}

#[test]
fn however_an_image_is_cut_it_unpacks_to_the_same_files() {
    let project = PLACE.join("out/layers-project");
    std::fs::create_dir_all(project.join(".git")).expect("a folder");
    let mut seen = Vec::new();
    for (name, layers) in IMAGES {
        let text = format!(
            "let debian = import std/debian; in
            debian.image {{
              name = \"{name}\"; variant = \"minbase\"; packages = [\"curl\"];
              users = [{{ name = \"app\"; uid = 1000; }}];
              files = {{ \"/srv/data\" = directory {{ mode = 0o700; user = \"app\"; }}; }};
              {layers}
            }}"
        );
        let file = project.join(format!("{name}.img"));
        std::fs::write(&file, text).expect("a file");
        let layout = PLACE.join("out").join(format!("layers-{name}.oci"));
        let image = build(&file, "amd64", &layout);
        let bundle = PLACE.join("out").join(format!("layers-{name}"));
        let source = format!("{}:{}", layout.display(), tag(&layout));
        let bundle_text = bundle.to_str().expect("a path in UTF-8");
        call("umoci", &["unpack", "--image", &source, bundle_text]);
        let layers = layers_of(&layout);
        seen.push((name, image.digest, layers, listing(&bundle.join("rootfs"))));
    }
    let (_, first, count, (paths, sums)) = &seen[0];
    assert_eq!(*count, 2);
    assert!(
        paths.lines().count() > 3_000,
        "{} paths",
        paths.lines().count()
    );
    for (name, digest, layers, (other_paths, other_sums)) in &seen[1..] {
        assert_ne!(digest, first, "{name}");
        assert!(layers > count, "{name}: {layers} layers");
        assert!(
            paths == other_paths,
            "{name}: {}",
            first_difference(paths, other_paths)
        );
        assert!(
            sums == other_sums,
            "{name}: {}",
            first_difference(sums, other_sums)
        );
    }
}

fn first_difference(one: &str, other: &str) -> String {
    let differs = one.lines().zip(other.lines()).find(|(a, b)| a != b);
    differs.map_or_else(
        || "one has more lines".to_owned(),
        |(a, b)| format!("{a:?} and {b:?}"),
    )
}

/// How many layers the image of a layout has.
fn layers_of(layout: &Path) -> usize {
    let read = |path: &Path| -> serde_json::Value {
        let bytes = std::fs::read(path).expect("a document");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let index = read(&layout.join("index.json"));
    let digest = index["manifests"][0]["digest"].as_str().expect("a digest");
    let hex = digest.strip_prefix("sha256:").expect("SHA-256");
    let manifest = read(&layout.join("blobs/sha256").join(hex));
    manifest["layers"].as_array().expect("layers").len()
}
