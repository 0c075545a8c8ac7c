//! The digests of small whole images, for all time: who has built one with any release has
//! the digest that the next release gives.
//!
//! A golden changes on purpose alone. Where the bytes of a layer have to change, raise the
//! version in `imgc-build/src/abi.rs` (or `TAR_ABI`, `ZSTD_ABI`, `GZIP_ABI`,
//! `MANIFEST_ABI`) in the same commit, so that no store takes the old bytes for the new
//! ones; run this test, and put what it found here; say in CHANGELOG.md that digests
//! change, and why. Where one of these changes and nothing of that was meant, it is a
//! mistake. `imgc-oci/tests/goldens.rs` has the parts: it says which of them it is.

use imgc_tests::sandbox::Sandbox;
use imgc_tests::small;

use crate::lines;

const IMAGES: &str = r#"
let
  debian = import std/debian;
  base = debian.image {
    variant = "distroless";
    packages = ["hello", "scripted"];
  };
  app = extend {
    files = {
      "/etc/motd" = "hello\n";
      "/srv/link" = symlink "/etc/motd";
      "/srv/secret" = file { text = "s"; mode = 0o600; user = "app"; };
    };
    users = [{ name = "app"; uid = 1000; }];
    config = { user = "app"; cmd = ["/usr/bin/hello"]; env = { LANG = "C.UTF-8"; }; ports = [80]; };
  } base;
in {
  scratch = image { files = { "/etc/motd" = "hello\n"; }; config = { cmd = ["/hello"]; }; };
  packages = base;
  app = app;
  layers = override { layers = { most = 4; groups = { pair = ["hello", "scripted"]; }; }; } app;
  gzip = override { layers = { compression = "gzip"; }; } app;
  plain = override { layers = { compression = "none"; }; } app;
  arm = override { platform = "linux/arm64"; } app;
}
"#;

/// The images' names and digests.
const GOLDENS: &str = "\
scratch sha256:f2c6ba126a14cdc469812b67dfb5340545a57ac9017bf7e67b4e1c0e1abfff02
packages sha256:2c00883d1cc2a54ffa3d854772d2f8e5e049f4b4ecaad687b50753aa0d928ba9
app sha256:e661b5e8c94d45c39b276512abd64cdcead7190444a32c5b0fac3cf7b2c0e294
layers sha256:dfad6d3c1ad08c0a769d747a99eaa3a3a7e45cf6ffe409c5ac189ecac5381462
gzip sha256:e4ca6c005bfe9b5781da209576f634c3de271d31af97a2092611c5201ec995bb
plain sha256:12d7e482c4cbdc546c03bfe5816ea58ea74e8d69a7274949d6e9844bc0d994b9
arm sha256:11578804914a8b629a9892b60fc7ba9965bee31b89bf6c89b9c5cb960f115e69
";

#[test]
fn whole_images_have_the_digests_that_they_always_had() {
    let packages = [
        "hello 1.0 needs=libhello",
        "libhello 1.0 bytes=100000",
        "scripted 1.0 script=known",
    ];
    let sandbox = Sandbox::with_packages(&packages.map(small::package));
    sandbox.write("app.img", IMAGES);
    let found = lines(&sandbox.run().args(&["build", "app.img"]).outcome());
    let found: String = found.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(found, GOLDENS, "read the head of this file");
}
