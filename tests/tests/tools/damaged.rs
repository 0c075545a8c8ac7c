//! `imgc serve` from a store that is damaged while it serves.

use imgc_tests::sandbox::Sandbox;
use imgc_tests::store::{Harm, StoreFolder};

use crate::client::{Serving, ask};

const APP: &str = "(import std/debian).image { suite = \"trixie\"; \
    variant = \"distroless\"; packages = [\"libhello1\", \"noise\"]; \
    files = { \"/etc/motd\" = \"hello\"; }; layers = { most = 3; }; }";

#[test]
fn a_damaged_part_is_never_served_and_the_next_pull_has_it_again() {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", APP);
    let digest = sandbox.build();
    let store = StoreFolder::new(&sandbox.path("home/.cache/imgc"));
    let serving = Serving::start(&sandbox, &[]);
    let manifest = serving.manifest("app", "latest").json();
    let layers = manifest["layers"].as_array().expect("layers").iter();
    let layers: Vec<(&str, u64)> = layers
        .map(|layer| {
            let digest = layer["digest"].as_str().expect("a digest");
            (digest, layer["size"].as_u64().expect("a size"))
        })
        .collect();
    assert!(layers.len() > 2, "{manifest}");
    let blob = |layer: &str, headers: &str| {
        let target = format!("/v2/app/blobs/{layer}");
        ask(&serving.address, "GET", &target, headers)
    };
    for range in ["", "Range: bytes=10-49\r\n"] {
        // Whoever pulls by the digest, or by the tag, has it made again.
        for version in [&*digest, "latest"] {
            for part in store.unpacked().into_values() {
                Harm::Flipped.strike(&store.blob(&part.segment));
            }
            let mut refused = 0;
            for (layer, size) in &layers {
                let answer = blob(layer, range);
                match (range, answer.status) {
                    (_, 404) => refused += 1,
                    ("", 200) if answer.digest() == *layer => {}
                    // It ends before its end: nobody takes it for whole.
                    ("", 200) => {
                        assert!(answer.body.len() < usize::try_from(*size).expect("small"));
                        refused += 1;
                    }
                    // Of a layer that nobody harmed.
                    (_, 206) => assert_eq!(answer.body.len(), 40),
                    _ => panic!("{answer:?}"),
                }
            }
            assert!(refused >= 2, "a damaged layer was served");
            let answer = serving.manifest("app", version);
            assert_eq!((answer.status, answer.digest()), (200, digest.clone()));
            for (layer, _) in &layers {
                let answer = blob(layer, "");
                assert_eq!((answer.status, answer.digest()), (200, (*layer).to_owned()));
            }
        }
    }
}
