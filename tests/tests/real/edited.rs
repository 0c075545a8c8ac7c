//! A project as it is while somebody works on it: with a mistake, and a name of a package that
//! is only begun. Editors are driven on it.

use imgc_tests::deb::Deb;
use imgc_tests::sandbox::Sandbox;

const APP: &str = r#"let
  debian = import std/debian;
  lib = import ./lib.img;
  greeting = lib.welcome   "you";
in
debian.image {
  name = "app"; variant = "distroless"; packages = ["hel"];
  files = { "/etc/motd" = greetin; };
}
"#;

const LIB: &str = "let\n  welcome = name => \"Hello, ${name}!\\n\";\nin { welcome; }\n";

/// The project: two files, a lock, and the indices of its packages in the store.
pub(crate) fn project() -> Sandbox {
    let sandbox = Sandbox::with_packages(&[
        Deb::new("hello", "2.10", "all"),
        Deb::new("help2man", "1.49", "all"),
    ]);
    std::fs::create_dir(sandbox.project(".git")).expect("a folder");
    sandbox.write(
        "app.img",
        "let debian = import std/debian; in\n\
         debian.image { variant = \"distroless\"; packages = [\"hello\"]; }\n",
    );
    sandbox.build();
    sandbox.write("app.img", APP);
    sandbox.write("lib.img", LIB);
    sandbox
}
