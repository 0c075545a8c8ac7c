//! The same digest, from the live mirror: as another user, cold and warm, without a
//! network.

use std::process::Command;

use imgc_tests::sandbox::Outcome;

use crate::place::{PLACE, built, call, copy_examples, imgc_command, run};

/// Runs `program` with `args` before the `imgc` command line `rest`, with another store.
fn through(program: &str, args: &[&str], store: &str, rest: &[&str]) -> Outcome {
    let plain = imgc_command();
    let mut command = Command::new(program);
    command
        .env_clear()
        .current_dir(plain.get_current_dir().expect("a folder"));
    for (name, value) in plain.get_envs() {
        command.env(name, value.expect("a variable that is set"));
    }
    command
        .env("IMGC_STORE", PLACE.join(store))
        .env("PATH", "/usr/bin:/bin");
    run(command.args(args).arg(PLACE.join("imgc")).args(rest))
}

#[test]
fn root_and_another_user_build_the_same() {
    let expected = built("web", "amd64").digest;
    let folder = PLACE.join("nobody");
    copy_examples(&folder);
    std::fs::create_dir_all(PLACE.join("nobody/store")).expect("a folder");
    call(
        "chown",
        &[
            "-R",
            "65534:65534",
            folder.to_str().expect("a path in UTF-8"),
        ],
    );
    let file = folder.join("web/app.img").display().to_string();
    let output = format!("oci:{}", folder.join("web.oci").display());
    let user = [
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "--no-new-privs",
    ];
    let outcome = through(
        "setpriv",
        &user,
        "nobody/store",
        &["build", &file, "-o", &output],
    );
    assert_eq!(outcome.digest(), expected);
    let owners = call(
        "find",
        &[folder.to_str().expect("a path in UTF-8"), "-uid", "0"],
    );
    assert_eq!(owners, "", "it ran as another user");
}

#[test]
fn a_warm_build_needs_no_network() {
    let image = built("python", "amd64");
    let file = PLACE
        .join("out/python-amd64-project/python/app.img")
        .display()
        .to_string();
    let output = format!("oci:{}", PLACE.join("out/offline.oci").display());
    let args = ["build", "--locked", "--offline", &file, "-o", &output];
    // A network namespace with nothing in it, not even loopback.
    let outcome = through("unshare", &["--net"], "store", &args);
    assert_eq!(outcome.digest(), image.digest);
}

#[test]
fn a_cold_build_with_the_same_lock_is_the_same() {
    let image = built("web", "amd64");
    let file = PLACE
        .join("out/web-amd64-project/web/app.img")
        .display()
        .to_string();
    let output = format!("oci:{}", PLACE.join("out/cold.oci").display());
    let args = ["build", "--locked", "--jobs", "1", &file, "-o", &output];
    let outcome = through(
        "env",
        &["LC_ALL=tr_TR.UTF-8", "TZ=Asia/Kolkata"],
        "cold-store",
        &args,
    );
    assert_eq!(outcome.digest(), image.digest);
}
