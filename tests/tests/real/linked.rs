//! Programs that are linked dynamically, put into images as files: refused without their
//! libraries, whose packages are named, and running with them.

use std::path::{Path, PathBuf};
use std::process::Command;

use imgc_tests::sandbox::Outcome;

use crate::mirror::Mirror;
use crate::place::{PLACE, call, imgc_command, run};
use crate::podman::confined_output;

const SOURCE: &str = "#include <stdio.h>\nextern const char *zlibVersion(void);\n\
    int main(void) { printf(\"zlib %s\\n\", zlibVersion()); return 0; }\n";

fn project(name: &str) -> PathBuf {
    let folder = PLACE.join("out").join(name);
    std::fs::create_dir_all(folder.join(".git")).expect("a folder");
    folder
}

fn image(packages: &str) -> String {
    format!(
        "let debian = import std/debian; in debian.distroless {{
          packages = [{packages}];
          files = {{ \"/usr/local/bin/app\" = file {{ source = ./app; mode = 0o755; }}; }};
          config = {{ entrypoint = [\"/usr/local/bin/app\"]; user = 65534; }};
        }}\n"
    )
}

/// `imgc` with a command, for a file and an architecture, of packages from a mirror.
fn asked(mirror: &Mirror, command: &str, file: &Path, arch: &str, to: &[&str]) -> Outcome {
    let mut imgc = imgc_command();
    let platform = format!("linux/{arch}");
    imgc.arg(command)
        .arg(file)
        .args(["--platform", &platform])
        .args(to);
    run(mirror.serve(&mut imgc))
}

/// The packages that a failed build names.
#[track_caller]
fn named(failed: &Outcome) -> String {
    failed.fails(1, &["IMG0553", "`/usr/local/bin/app` can't be started"]);
    let words: Vec<&str> = failed
        .stderr
        .split_whitespace()
        .filter(|word| *word != "│")
        .collect();
    let words = words.join(" ");
    let (_, rest) = words
        .split_once("add to the packages: ")
        .unwrap_or_else(|| panic!("{}", failed.stderr));
    let names = rest.split(' ').take_while(|word| word.starts_with('"'));
    names.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_program_that_gcc_made_runs_with_the_packages_that_are_named() {
    let folder = project("linked");
    let mirror = Mirror::new("linked", &["amd64"]);
    std::fs::write(folder.join("app.c"), SOURCE).expect("a file");
    let (source, app) = (folder.join("app.c"), folder.join("app"));
    let mut gcc = Command::new("gcc");
    gcc.arg(source).arg("-o").arg(&app).arg("-l:libz.so.1");
    run(&mut gcc).succeeds();
    let file = folder.join("app.img");
    std::fs::write(&file, image("\"tzdata\"")).expect("a file");
    let names = named(&asked(&mirror, "build", &file, "amd64", &[]));
    assert_eq!(names, "\"libc6\", \"zlib1g\"");
    std::fs::write(&file, image(&format!("\"tzdata\", {names}"))).expect("a file");
    let layout = folder.join("app.oci");
    let to = format!("oci:{}", layout.display());
    asked(&mirror, "build", &file, "amd64", &["-o", &to]).succeeds();
    let output = confined_output(&to, &[], &[]);
    assert!(
        output.succeeds().stdout.starts_with("zlib 1."),
        "{output:?}"
    );
}

#[test]
fn a_program_for_another_architecture_is_read_by_its_rules() {
    let folder = project("linked-arm64");
    let mirror = Mirror::new("linked-arm64", &["arm64"]);
    let file = folder.join("app.img");
    let hello = "let debian = import std/debian; in debian.distroless { packages = [\"bc\"]; }\n";
    std::fs::write(&file, hello).expect("a file");
    let whole = folder.join("whole");
    let to = format!("dir:{}", whole.display());
    asked(&mirror, "export", &file, "arm64", &["-o", &to]).succeeds();
    std::fs::copy(whole.join("usr/bin/bc"), folder.join("app")).expect("a copy");
    std::fs::write(&file, image("\"tzdata\"")).expect("a file");
    let failed = asked(&mirror, "build", &file, "arm64", &[]);
    failed.fails(1, &["/lib/ld-linux-aarch64.so.1 is missing"]);
    let names = named(&failed);
    for name in ["\"libc6\"", "\"libreadline8t64\""] {
        assert!(names.contains(name), "{names}");
    }
    std::fs::write(&file, image(&names)).expect("a file");
    let layout = folder.join("app.oci");
    let to = format!("oci:{}", layout.display());
    asked(&mirror, "build", &file, "arm64", &["-o", &to]).succeeds();
    let shown = call("skopeo", &["inspect", &to, "--format", "{{.Architecture}}"]);
    assert_eq!(shown.trim(), "arm64");
}
