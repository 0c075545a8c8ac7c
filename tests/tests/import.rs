//! `imgc import`: each Dockerfile below `tests/import` with what it becomes and what is told
//! about it. `IMGC_BLESS=1` writes both anew.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read and write their cases"
)]

use std::path::{Path, PathBuf};

use imgc_tests::sandbox::{Sandbox, repository};

/// The folders of the cases.
fn cases() -> Vec<PathBuf> {
    let folder = repository().join("tests/import");
    let entries = std::fs::read_dir(folder).expect("the cases");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("a case").path()).collect();
    cases.sort();
    cases
}

/// Puts a case into the project: its Dockerfile, and the files that it copies. A line of
/// `context.txt` is a path, or a path and its text.
fn place(sandbox: &Sandbox, case: &Path, below: &str) {
    let text = std::fs::read_to_string(case.join("Dockerfile")).expect("a Dockerfile");
    sandbox.write(&format!("{below}/Dockerfile"), text);
    let context = std::fs::read_to_string(case.join("context.txt")).unwrap_or_default();
    for line in context.lines() {
        let (path, text) = line.split_once('=').unwrap_or((line, "text"));
        let text = text.replace("\\n", "\n");
        sandbox.write(&format!("{below}/{path}"), text);
    }
}

/// Compares a text with a file, or writes it there.
fn is_as_in(file: &Path, text: &str) {
    if std::env::var_os("IMGC_BLESS").is_some() {
        std::fs::write(file, text).expect("a file");
        return;
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(
        text,
        expected,
        "{}: IMGC_BLESS=1 writes it anew",
        file.display()
    );
}

#[test]
fn every_dockerfile_becomes_an_image_that_is_whole() {
    let sandbox = Sandbox::with_packages(&[]);
    let cases = cases();
    assert!(cases.len() >= 25, "{}", cases.len());
    for case in cases {
        let name = case
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        place(&sandbox, &case, &name);
        let folder = sandbox.project(&name);
        let run = |args: &[&str]| sandbox.run().within(&folder).args(args).outcome();
        let imported = run(&["import", "--strict", "Dockerfile"]);
        is_as_in(&case.join("expected.img"), &imported.stdout);
        is_as_in(&case.join("notices.txt"), &imported.stderr);
        let lost = imported.stderr.matches(": left out: ").count();
        let comments = imported.stdout.matches("# left out: ").count();
        assert_eq!(lost, comments, "{name}");
        assert_eq!(imported.code, Some(i32::from(lost > 0)), "{name}");
        std::fs::write(folder.join("result.img"), &imported.stdout).expect("a result");
        // It is there to be left alone, and no result.
        std::fs::remove_file(folder.join("app.img")).unwrap_or_default();
    }
    // Every result is what the other commands want.
    sandbox.run().args(&["check"]).outcome().succeeds();
    sandbox.run().args(&["fmt", "--check"]).outcome().succeeds();
}

#[test]
fn a_file_that_is_there_stays() {
    let sandbox = Sandbox::with_packages(&[]);
    sandbox.write("Dockerfile", "FROM debian:trixie\n");
    sandbox.write("app.img", "mine");
    let args = ["import", "Dockerfile", "-o", "app.img"];
    sandbox
        .run()
        .args(&args)
        .outcome()
        .fails(1, &["app.img", "stays"]);
    let text = std::fs::read_to_string(sandbox.project("app.img")).expect("it is there");
    assert_eq!(text, "mine");
    sandbox
        .run()
        .args(&["import", "nowhere"])
        .outcome()
        .fails(1, &["nowhere"]);
    sandbox
        .run()
        .args(&["import", "--build-arg", "x", "Dockerfile"])
        .outcome()
        .fails(2, &["NAME=VALUE"]);
}

#[test]
fn arguments_folders_and_standard_input() {
    let sandbox = Sandbox::with_packages(&[]);
    sandbox.write(
        "docker/Dockerfile",
        "FROM debian:trixie\nARG V=1\nCOPY a-$V /a\n",
    );
    sandbox.write("a-2", "text");
    let args = [
        "import",
        "docker/Dockerfile",
        "--context",
        ".",
        "--build-arg",
        "V=2",
    ];
    let imported = sandbox.run().args(&args).outcome();
    imported.succeeds();
    assert!(imported.stdout.contains("\"/a\" = ./a-2;"), "{imported:?}");
    let args = [&args[..], &["-o", "docker/app.img"]].concat();
    sandbox.run().args(&args).outcome().succeeds();
    let text = std::fs::read_to_string(sandbox.project("docker/app.img"));
    // It would lie outside of the project, which is the file's own folder.
    let text = text.expect("it was written");
    assert!(text.starts_with("let\n"), "{text}");
    assert!(text.contains("# left out: COPY a-$V /a"), "{text}");
    let piped = sandbox
        .run()
        .args(&["import", "-"])
        .outcome_of(b"FROM debian:trixie\nCOPY a-2 /a\n");
    piped.succeeds();
    assert!(piped.stdout.contains("./a-2"), "{piped:?}");
}

#[test]
fn damaged_files_are_told_and_never_a_panic() {
    let sandbox = Sandbox::with_packages(&[]);
    let import = |text: &[u8]| sandbox.run().args(&["import", "-"]).outcome_of(text);
    for (text, word) in [
        (&b""[..], "FROM"),
        (b"# nothing\n", "FROM"),
        (b"RUN x\n", "FROM"),
        (b"\xff\xfe", "UTF-8"),
    ] {
        import(text).fails(1, &[word]);
    }
    let many = format!("FROM debian\n{}", "ENV a=b\n".repeat(5000));
    import(many.as_bytes()).fails(1, &["4096"]);
    let names: String = (0..9000).map(|at| format!(" p{at}")).collect();
    let many = format!("FROM debian\nRUN apt-get install -y{names}\n");
    import(many.as_bytes()).fails(1, &["too many"]);
    for text in [
        "FROM",
        "FROM \nRUN \\",
        "FROM debian AS\nCOPY\nADD x\nCOPY --from\nCOPY --chown x y\n",
        "FROM debian\nCOPY <<EOF /x\nno end",
        "FROM debian\nRUN <<\nRUN <<-\nRUN <<'\nCOPY <<\"\" x",
        "FROM debian\nENV\nENV x\nENV =\nENV x=\"\nLABEL\nARG\nARG =\nEXPOSE\nEXPOSE -\nEXPOSE 9-1",
        "FROM debian\nRUN apt-get install\nRUN apt-get -o\nRUN useradd\nRUN groupadd -g\nRUN ln\nRUN chmod\nRUN chown",
        "FROM debian\nRUN useradd -u 99999999999 x\nRUN useradd -\nRUN mkdir -m\nRUN install -d -m x y\n",
        "FROM debian\nUSER\nWORKDIR\nSTOPSIGNAL\nVOLUME\nVOLUME []\nSHELL\nSHELL []\nCMD\nENTRYPOINT []\nCMD [\"a\", 1]",
        "FROM debian\nRUN \u{e9}\u{202e} && '\u{e9} && $(\u{e9} && `\nENV \u{e9}=\u{e9}\nCOPY \u{e9} \u{e9}",
        "FROM debian\nENV A=${B:-${C:-${D:-${E:-x}}}}\nENV A=$A$A$A\nENV A=$A$A$A$A$A$A",
        "FROM x AS a\nFROM a AS a\nFROM a",
        "FROM debian@\nFROM :\nFROM @sha256:\nFROM /",
        "FROM scratch\nRUN apt-get install -y x && mkdir -p /tmp\nUSER nobody\nCMD x",
        "\u{feff}FROM debian\r\nRUN apt-get install -y \\\r\n  curl\r\n",
        "FROM debian\nCOPY [ / \nCOPY [x]/[a-/ /\nCOPY ../../../etc/passwd /\nCOPY / /\nCOPY . /\n",
    ] {
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end) && end % 29 == 28) {
            let outcome = import(&text.as_bytes()[..end]);
            if outcome.code == Some(0) {
                outcome.succeeds();
            } else {
                outcome.fails(1, &[]);
            }
        }
        let outcome = import(text.as_bytes());
        if outcome.code != Some(0) {
            outcome.fails(1, &[]);
        }
    }
}
