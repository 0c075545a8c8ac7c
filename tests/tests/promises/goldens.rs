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
scratch sha256:4777dc1aa76c608aac89cadd4a159223a288eac1f65d0d2f29a36a14fd39c3fe
packages sha256:b7bc17b5e10c082936f7c63a70e870b8a1e37890decdbd263dd2c8036fcb814b
app sha256:f71065bf58ee4559d49109a26e11787b01a196f2d941ada3a66fa22cf15d07cc
layers sha256:ad887dca73e74635d224414f4096b64a2fb78ee600964a81a3a4c31dda5c9df2
gzip sha256:a44a4e9ca7a1e6c5abf943e5e2459983548c058fd48335fa3d911df9ab32e2fa
plain sha256:f87cfccf8e25019d8c70e7d05a3c64703a73b359d87155666124d0eba6c05c25
arm sha256:323287a65aa152c7b17ae1fe7e61e7a183416504d39018498a8d7bfc16754fc2
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
