//! Looking into images, against programs that do the same: umoci unpacks what `imgc ls` lists
//! and `imgc export` writes, and skopeo and tar read what `imgc export` writes.

use std::path::Path;

use crate::place::{PLACE, built, call, imgc_command, run, tag};

/// `imgc`, which has to go well. Gives its standard output.
#[track_caller]
fn imgc(args: &[&str]) -> String {
    run(imgc_command().args(args)).succeeds().stdout.clone()
}

/// A line for each name below a folder, as find prints it.
fn listing(root: &Path, form: &str) -> String {
    let text = format!(
        "cd '{}' && find . ! -type l -printf '{form}\\n' | LC_ALL=C sort; \
         find . -type l -printf '%p %l\\n' | LC_ALL=C sort",
        root.display()
    );
    call("sh", &["-c", &text])
}

#[test]
fn what_is_listed_and_exported_is_what_umoci_unpacks() {
    let image = built("python", "amd64");
    let place = PLACE.join("out/look");
    std::fs::create_dir_all(&place).expect("a folder");
    let source = format!("{}:{}", image.layout.display(), tag(&image.layout));
    let bundle = place.join("umoci");
    let bundle_text = bundle.to_str().expect("a path in UTF-8");
    call("umoci", &["unpack", "--image", &source, bundle_text]);
    let rootfs = bundle.join("rootfs");
    let layout = format!("oci:{}", image.layout.display());

    let mut listed: Vec<String> = imgc(&["ls", "-R", &layout])
        .lines()
        .map(str::to_owned)
        .collect();
    listed.sort();
    let find = format!("cd '{}' && find . -printf '/%P\\n'", rootfs.display());
    let found = call("sh", &["-c", &find]);
    let mut found: Vec<String> = found.lines().map(str::to_owned).collect();
    found.sort();
    assert!(found.len() > 1_000, "{} names", found.len());
    assert_eq!(listed, found);

    let folder = place.join("folder");
    imgc(&[
        "export",
        &layout,
        "-o",
        &format!("dir:{}", folder.display()),
    ]);
    let archive = place.join("rootfs.tar");
    imgc(&[
        "export",
        &layout,
        "-o",
        &format!("tar:{}", archive.display()),
    ]);
    let untarred = place.join("untarred");
    std::fs::create_dir_all(&untarred).expect("a folder");
    let (from, to) = (
        archive.display().to_string(),
        untarred.display().to_string(),
    );
    call(
        "tar",
        &[
            "--delay-directory-restore",
            "--numeric-owner",
            "-xpf",
            &from,
            "-C",
            &to,
        ],
    );
    let form = "%p %y %m %U %G %T@ %n";
    let expected = listing(&rootfs, form);
    for other in [&folder, &untarred] {
        let (rootfs, other) = (rootfs.display().to_string(), other.display().to_string());
        call("diff", &["-r", "--no-dereference", &rootfs, &other]);
    }
    assert!(
        listing(&untarred, form) == expected,
        "tar has another mode, owner or time"
    );
    // What has several names in umoci's folder has them in ours; the folders' own times are set.
    assert!(
        listing(&folder, form) == expected,
        "a folder has another mode, owner or time"
    );
}

#[test]
fn skopeo_reads_what_is_exported_and_imgc_what_skopeo_writes() {
    let image = built("distroless", "amd64");
    let place = PLACE.join("out/look-skopeo");
    std::fs::create_dir_all(&place).expect("a folder");
    let layout = format!("oci:{}", image.layout.display());
    let at = |form: &str, name: &str| format!("{form}:{}", place.join(name).display());
    let ours = at("docker-archive", "ours.tar");
    imgc(&["export", &layout, "-o", &ours]);
    let copied = at("oci", "copied.oci");
    call("skopeo", &["copy", &ours, &format!("{copied}:copied")]);
    // skopeo doesn't save layers that are zstd: it saves those that were exported.
    let saved = at("docker-archive", "saved.tar");
    call(
        "skopeo",
        &["copy", &ours, &format!("{saved}:example/app:1")],
    );
    let archived = at("oci-archive", "archived.tar");
    call("skopeo", &["copy", &layout, &format!("{archived}:app")]);
    let expected = imgc(&["ls", "-R", "--json", &layout]);
    for other in [&ours, &copied, &saved, &archived] {
        assert!(imgc(&["ls", "-R", "--json", other]) == expected, "{other}");
        let difference = imgc(&["diff", "--json", &layout, other]);
        let difference: serde_json::Value = serde_json::from_str(&difference).expect("JSON");
        assert_eq!(difference["packages"], serde_json::json!([]), "{other}");
        assert_eq!(difference["config"], serde_json::json!([]), "{other}");
    }
    let digest = |name: &str| {
        let document = imgc(&["inspect", "--json", name]);
        let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        document["digest"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(digest(&archived), image.digest);
}
