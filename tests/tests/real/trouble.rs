//! A disk that is full.

use std::path::PathBuf;

use crate::place::{PLACE, built, call, copy_examples, imgc_command, run};

/// A small file system in memory. It is taken away when this is dropped.
struct Small(PathBuf);

impl Small {
    fn mount(name: &str, size: &str) -> Self {
        let folder = PLACE.join(name);
        std::fs::create_dir_all(&folder).expect("a folder");
        let small = Self(folder);
        call(
            "mount",
            &[
                "-t",
                "tmpfs",
                "-o",
                &format!("size={size}"),
                "imgc-test",
                small.text(),
            ],
        );
        small
    }

    fn grow(&self, size: &str) {
        call(
            "mount",
            &["-o", &format!("remount,size={size}"), self.text()],
        );
    }

    fn text(&self) -> &str {
        self.0.to_str().expect("a path in UTF-8")
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        run(std::process::Command::new("umount").arg(&self.0));
    }
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let expected = built("web", "amd64").digest;
    // Where it fills up: among the packages, among the unpacked, at the layers.
    for size in ["1m", "12m", "60m"] {
        let small = Small::mount("small", size);
        let project = PLACE.join(format!("out/small-{size}"));
        copy_examples(&project);
        let layout = project.join("web.oci");
        let build = || {
            let mut command = imgc_command();
            command.env("IMGC_STORE", small.0.join("store"));
            command.arg("build").arg(project.join("web/app.img"));
            run(command.arg("-o").arg(format!("oci:{}", layout.display())))
        };
        build().fails(1, &["the disk is full"]);
        assert!(!layout.exists(), "with {size}, a layout is there");
        small.grow("2g");
        assert_eq!(
            build().digest(),
            expected,
            "with {size}, and then with room"
        );
    }
}

#[test]
fn a_full_disk_below_the_layout() {
    let small = Small::mount("small-output", "4m");
    let file = PLACE.join("out/web-amd64-project/web/app.img");
    let expected = built("web", "amd64").digest;
    let layout = small.0.join("web.oci");
    let build = || {
        let mut command = imgc_command();
        command.arg("build").arg(&file);
        run(command.arg("-o").arg(format!("oci:{}", layout.display())))
    };
    build().fails(1, &["the disk is full"]);
    assert!(!layout.exists(), "half a layout is there");
    let left = std::fs::read_dir(&small.0).expect("the folder").count();
    assert_eq!(left, 0, "something is left beside it");
    small.grow("1g");
    assert_eq!(build().digest(), expected);
}
