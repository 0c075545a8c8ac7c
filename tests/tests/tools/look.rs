//! Looking into images: `imgc inspect`, `ls`, `cat`, `diff` and `export`, of images that were
//! built, of layouts and of archives.

use std::path::Path;

use imgc_tests::archive::sum;
use imgc_tests::layout::Layout;
use imgc_tests::sandbox::Sandbox;
use imgc_tests::small;
use serde_json::{Value, json};

use crate::{document, ends, run, text};

/// An image of one package, with files of its own, built into `app.oci`.
fn sandbox() -> Sandbox {
    let lines = ["hello 1.10 bytes=5000 script=known", "other 1"];
    let sandbox = Sandbox::with_packages(&lines.map(small::package));
    sandbox.write("app.img", source("hello"));
    sandbox.build();
    sandbox
}

fn source(message: &str) -> String {
    format!(
        r#"(import std/debian).distroless {{
  name = "app";
  packages = ["hello"];
  users = [{{ name = "app"; uid = 1000; }}];
  files = {{
    "/etc/motd" = "{message}\n";
    "/etc/issue" = symlink "motd";
    "/srv/data" = directory {{ mode = 0o700; user = "app"; }};
  }};
  config = {{ user = "app"; env = {{ A = "b"; }}; ports = [80]; labels = {{ x = "y"; }}; }};
}}
"#
    )
}

/// All names of an image with what they are, as `imgc ls` tells it.
fn listing(sandbox: &Sandbox, image: &str) -> Value {
    let outcome = run(sandbox, &["ls", "-R", "--json", image]);
    outcome.succeeds();
    document(&outcome)
}

#[test]
fn inspect_says_the_same_of_every_form() {
    let sandbox = sandbox();
    let layout = Layout::open(&sandbox.project("app.oci"));
    for form in ["oci-archive:a.tar", "docker-archive:d.tar", "oci:copy.oci"] {
        run(&sandbox, &["export", "app.img", "-o", form]).succeeds();
    }
    let mut seen = Vec::new();
    for image in [
        "app.img",
        "app.oci",
        "oci:app.oci",
        "oci:app.oci:app",
        &format!("oci:app.oci@{}", layout.digest),
        "a.tar",
        "oci-archive:a.tar:app",
        "oci:copy.oci",
        "d.tar",
        "docker-archive:d.tar:app:latest",
    ] {
        let outcome = run(&sandbox, &["inspect", "--json", image]);
        outcome.succeeds();
        let said = document(&outcome);
        assert_eq!(said["platform"], "linux/amd64", "{image}");
        assert_eq!(said["config"], layout.config["config"], "{image}");
        assert_eq!(said["created"], layout.config["created"], "{image}");
        let packages = said["packages"].as_array().expect("packages");
        let hello = json!({ "name": "hello", "version": "1.10", "arch": "all" });
        assert!(packages.contains(&hello), "{image}: {packages:?}");
        if !image.contains("d.tar") {
            assert_eq!(said["digest"], layout.digest, "{image}");
            let layers = said["layers"].as_array().expect("layers");
            for (layer, own) in layers.iter().zip(&layout.layers) {
                assert_eq!(layer["diff_id"], format!("sha256:{}", sum(own)));
                assert_eq!(layer["uncompressed"], own.len());
            }
            assert_eq!(layers.len(), layout.layers.len());
        }
        seen.push(listing(&sandbox, image));
    }
    assert!(
        seen.iter().all(|one| *one == seen[0]),
        "all have the same files"
    );
    let outcome = run(&sandbox, &["inspect", "app.oci"]);
    let said = &outcome.succeeds().stdout;
    for words in [
        "name           app\n",
        "user           app\n",
        "env            A=b\n",
    ] {
        assert!(said.contains(words), "{said}");
    }
    assert!(
        said.contains("ports          80/tcp\n") && said.contains(" of Debian\n"),
        "{said}"
    );
}

#[test]
fn ls_tells_what_the_layers_have() {
    let sandbox = sandbox();
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    let listing = listing(&sandbox, "app.img");
    let entries = listing["entries"].as_array().expect("entries");
    assert_eq!(entries.len(), tree.len());
    for entry in entries {
        let path = entry["path"]
            .as_str()
            .expect("a path")
            .trim_start_matches('/');
        let own = &tree[path];
        assert_eq!(entry["mode"], format!("{:04o}", own.mode), "{path}");
        assert_eq!(
            json!([entry["uid"], entry["gid"]]),
            json!(own.ids),
            "{path}"
        );
        assert_eq!(entry["mtime"], own.mtime, "{path}");
        if own.kind == b'0' {
            assert_eq!(entry["sha256"], sum(&own.bytes), "{path}");
            assert_eq!(entry["size"], own.bytes.len(), "{path}");
        }
    }
    let said = run(&sandbox, &["ls", "app.oci", "/usr/share/hello"]);
    assert_eq!(said.succeeds().stdout, "data\n");
    let said = run(&sandbox, &["ls", "-l", "app.oci", "/etc/issue"]);
    let line = &said.succeeds().stdout;
    assert!(
        line.starts_with("lrwxrwxrwx 0/0 0 ") && line.ends_with(" /etc/issue -> motd\n"),
        "{line}"
    );
    let said = run(&sandbox, &["ls", "-lR", "app.oci", "srv"]);
    assert!(
        said.succeeds().stdout.contains("drwx------ 1000/0 "),
        "{said:?}"
    );
    let said = run(&sandbox, &["ls", "app.oci", "/srv/dat"]);
    said.fails(
        1,
        &[
            "there is no /srv/dat",
            "/srv has data",
            "did you mean /srv/data?",
        ],
    );
}

#[test]
fn cat_prints_bytes_through_links_and_says_what_is_nearby() {
    let sandbox = sandbox();
    for image in ["app.img", "app.oci"] {
        for path in ["/etc/motd", "etc/issue", "/etc/./motd"] {
            let said = run(&sandbox, &["cat", image, path]);
            assert_eq!(said.succeeds().stdout, "hello\n", "{path}");
        }
    }
    let cat = |path: &str| run(&sandbox, &["cat", "app.oci", path]);
    cat("/etc/mtod").fails(1, &["there is no /etc/mtod", "did you mean /etc/motd?"]);
    cat("/none/of/it").fails(1, &["there is no /none/of/it", "/ has"]);
    cat("/etc/motd/x").fails(1, &["/etc/motd is no folder"]);
    cat("/srv").fails(1, &["/srv is a folder", "/srv/data"]);
    cat("../etc/motd").fails(2, &[".."]);
}

#[test]
fn names_that_lead_nowhere_say_what_was_expected() {
    let sandbox = sandbox();
    sandbox.write("plain/file", "");
    sandbox.write("x.tar", vec![0; 1024]);
    let inspect = |image: &str| run(&sandbox, &["inspect", image]);
    inspect("none.oci").fails(1, &["there is no image `none.oci`", "oci:DIR"]);
    inspect("plain").fails(1, &["plain is a folder, and no OCI layout"]);
    inspect("x.tar").fails(1, &["not of an image"]);
    inspect("oci-archive:app.img").fails(1, &["no uncompressed tar archive"]);
    inspect("oci:app.oci:ap").fails(1, &["no image is called `ap`", "there is app"]);
    inspect("oci:app.oci@sha256:0").fails(1, &["no digest"]);
    inspect("docker://app").fails(1, &["names no registry"]);
    let remote = ["inspect", "--offline", "docker://registry.example/app"];
    run(&sandbox, &remote).fails(
        1,
        &["registry.example/app:latest", "network is switched off"],
    );
}

#[test]
fn what_is_damaged_is_never_shown() {
    let sandbox = sandbox();
    let blobs = sandbox.project("app.oci/blobs/sha256");
    let listing = std::fs::read_dir(&blobs).expect("blobs");
    for entry in listing {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("a blob");
        let mut damaged = bytes.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        std::fs::write(&path, damaged).expect("written");
        for args in [
            &["ls", "-R"][..],
            &["inspect"],
            &["export", "-o", "tar:out.tar"],
        ] {
            let args = [args, &["app.oci"]].concat();
            run(&sandbox, &args).fails(1, &["damaged"]);
        }
        std::fs::write(&path, bytes).expect("written");
    }
    assert!(!sandbox.project("out.tar").exists());
}

#[test]
fn diff_says_what_an_edit_changed() {
    let sandbox = sandbox();
    let same = run(&sandbox, &["diff", "--exit-code", "app.img", "app.oci"]);
    assert_eq!(same.succeeds().stdout, "nothing differs\n");
    std::fs::create_dir(sandbox.project("new")).expect("a folder");
    let changed = source("other")
        .replace("A = \"b\"", "B = \"c\"")
        .replace("0o700", "0o750");
    sandbox.write("new/app.img", changed);
    // An older version of the package, in a lock of its own.
    small::publish(
        &sandbox,
        &[
            small::package("hello 1.9 bytes=5000"),
            small::package("other 1"),
        ],
        8,
    );
    let args = ["diff", "--files", "app.oci", "new/app.img"];
    let said = run(&sandbox, &args);
    let stdout = &said.succeeds().stdout;
    for words in [
        "packages: 1 changed\n  ~ hello  1.10 → 1.9 (older)\n",
        "  - Env.A    b\n",
        "  + Env.B    c\n",
        "  ~ /etc/motd  (content)\n",
        "  ~ /srv/data  (mode)\n",
        "  - /var/lib/scripted/state\n",
        "layers: 0 shared",
        "size: ",
    ] {
        assert!(stdout.contains(words), "{words} is not in\n{stdout}");
    }
    let json = run(
        &sandbox,
        &["diff", "--json", "app.oci", "new/app.img", "--exit-code"],
    );
    ends(&json, 1, &[]);
    let json = document(&json);
    assert_eq!(json["differs"], true);
    assert_eq!(json["packages"][0]["older"], true);
    assert_eq!(json["files"]["list"], Value::Null);
    let markdown = run(&sandbox, &["diff", "--markdown", "app.oci", "new/app.img"]);
    let markdown = &markdown.succeeds().stdout;
    assert!(
        markdown.contains("| `hello` | `1.10` | `1.9` (older) |"),
        "{markdown}"
    );
    // The same without building: the packages of the locks, and what the files say.
    let plan = run(
        &sandbox,
        &["diff", "--plan", "--files", "app.img", "new/app.img"],
    );
    let plan = &plan.succeeds().stdout;
    for words in [
        "~ hello  1.10 → 1.9 (older)",
        "env.A",
        "~ /etc/motd  (content)",
    ] {
        assert!(plan.contains(words), "{words} is not in\n{plan}");
    }
    assert!(!plan.contains("layers"), "{plan}");
    let none = run(&sandbox, &["diff", "--plan", "app.img", "app.oci"]);
    none.fails(1, &["app.oci is no .img file"]);
}

#[test]
fn export_writes_the_same_bytes_each_time_and_what_build_writes() {
    let sandbox = sandbox();
    run(
        &sandbox,
        &["build", "app.img", "-o", "oci-archive:built.tar"],
    )
    .succeeds();
    let read = |name: &str| std::fs::read(sandbox.project(name)).expect("a file");
    for (form, source) in [
        ("oci-archive", "app.img"),
        ("oci-archive", "app.oci"),
        ("docker-archive", "app.img"),
        ("docker-archive", "built.tar"),
        ("tar", "app.img"),
        ("tar", "app.oci"),
    ] {
        for name in ["1.tar", "2.tar"] {
            let to = format!("{form}:{name}");
            run(&sandbox, &["export", source, "-o", &to]).succeeds();
        }
        assert!(read("1.tar") == read("2.tar"), "{form} of {source}");
        let first = format!("{form}.tar");
        if sandbox.project(&first).exists() {
            assert!(read(&first) == read("1.tar"), "{form} of {source}");
        }
        std::fs::rename(sandbox.project("1.tar"), sandbox.project(&first)).expect("renamed");
    }
    assert!(read("oci-archive.tar") == read("built.tar"));
    // All files of the image, each once, folders first.
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    let bytes = read("tar.tar");
    let mut archive = tar::Archive::new(&*bytes);
    let mut kinds = Vec::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let path = String::from_utf8(entry.path_bytes().into_owned()).expect("UTF-8");
        let path = path
            .trim_start_matches("./")
            .trim_end_matches('/')
            .to_owned();
        let own = &tree[&path];
        assert_eq!(entry.header().mode().expect("a mode"), own.mode, "{path}");
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("bytes");
        assert_eq!(bytes, own.bytes, "{path}");
        kinds.push(entry.header().entry_type() == tar::EntryType::Directory);
    }
    assert_eq!(kinds.len(), tree.len());
    assert!(kinds.is_sorted_by(|a, b| a >= b), "folders come first");
}

#[test]
fn export_to_a_folder_stays_in_it() {
    let sandbox = sandbox();
    sandbox.write("full/file", "mine");
    run(&sandbox, &["export", "app.oci", "-o", "dir:full"]).fails(1, &["not empty"]);
    assert_eq!(text(&sandbox, "full/file"), "mine");
    run(&sandbox, &["export", "app.oci", "-o", "dir:root"]).succeeds();
    assert_eq!(text(&sandbox, "root/etc/motd"), "hello\n");
    let link = std::fs::read_link(sandbox.project("root/etc/issue")).expect("a link");
    assert_eq!(link, Path::new("motd"));
    let tree = Layout::open(&sandbox.project("app.oci")).tree();
    for (path, own) in tree.iter().filter(|(_, own)| own.kind == b'0') {
        let bytes = std::fs::read(sandbox.project("root").join(path)).expect("a file");
        assert_eq!(bytes, own.bytes, "{path}");
    }
    run(&sandbox, &["export", "app.oci", "-o", "zip:x"]).fails(2, &["`zip:x` is no output"]);
}

/// A layout `bad.oci` of one uncompressed layer.
fn write_layout(sandbox: &Sandbox, layer: &[u8]) {
    let blob = |bytes: &[u8]| {
        let hex = sum(bytes);
        sandbox.write(&format!("bad.oci/blobs/sha256/{hex}"), bytes);
        json!({ "digest": format!("sha256:{hex}"), "size": bytes.len() })
    };
    let of = |media_type: &str, mut named: Value| {
        named["mediaType"] = format!("application/vnd.oci.image.{media_type}").into();
        named
    };
    let layer = of("layer.v1.tar", blob(layer));
    let config = json!({ "rootfs": { "diff_ids": [layer["digest"]] } }).to_string();
    let config = of("config.v1+json", blob(config.as_bytes()));
    let manifest = json!({ "schemaVersion": 2, "config": config, "layers": [layer] });
    let manifest = of("manifest.v1+json", blob(manifest.to_string().as_bytes()));
    let index = json!({ "schemaVersion": 2, "manifests": [manifest] });
    sandbox.write("bad.oci/index.json", index.to_string());
    sandbox.write("bad.oci/oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);
}

#[test]
fn a_hostile_layer_writes_nothing_outside() {
    let sandbox = Sandbox::new();
    sandbox.write("victim/file", "mine");
    let victim = sandbox.project("victim");
    let victim = victim.to_str().expect("a path in UTF-8");
    let entry = |archive: &mut tar::Builder<Vec<u8>>, path: &str, link: Option<&str>| {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_mode(0o4755);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(if link.is_some() { 0 } else { 4 });
        if let Some(target) = link {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_link_name_literal(target).expect("a target");
        }
        header.set_cksum();
        let body: &[u8] = if link.is_some() { b"" } else { b"evil" };
        archive.append(&header, body).expect("an entry");
    };
    // Through links that lead out, by their own paths or up from anywhere.
    let mut archive = tar::Builder::new(Vec::new());
    entry(&mut archive, "absolute", Some(victim));
    entry(&mut archive, "absolute/file", None);
    entry(&mut archive, "up", Some("../../../../../../victim"));
    entry(&mut archive, "up/file", None);
    entry(&mut archive, "turn", Some("../victim/file"));
    entry(&mut archive, "turn", None);
    entry(&mut archive, "bell\x07", None);
    write_layout(&sandbox, &archive.into_inner().expect("an archive"));
    run(&sandbox, &["export", "bad.oci", "-o", "dir:out"]).succeeds();
    assert_eq!(text(&sandbox, "victim/file"), "mine");
    assert_eq!(text(&sandbox, "out/victim/file"), "evil");
    assert_eq!(text(&sandbox, &format!("out{victim}/file")), "evil");
    assert_eq!(text(&sandbox, "out/turn"), "evil");
    let listed = run(&sandbox, &["ls", "bad.oci"]);
    assert!(
        listed.succeeds().stdout.contains("bell\\x07\n"),
        "{listed:?}"
    );
    for path in ["../victim/file", "a/../../victim/file"] {
        let mut archive = tar::Builder::new(Vec::new());
        entry(&mut archive, path, None);
        write_layout(&sandbox, &archive.into_inner().expect("an archive"));
        let export = run(&sandbox, &["export", "bad.oci", "-o", "dir:other"]);
        export.fails(1, &["`..` part"]);
        assert!(!sandbox.project("other").exists());
    }
    assert_eq!(text(&sandbox, "victim/file"), "mine");
}
