//! Programs of postgresql-common that its scripts call, and pam_getenv. There are no
//! clusters: what would make one is declined.

use bstr::{BString, ByteSlice as _};

use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "pg_conftool",
        origin: Origin::Helper(&[
            "c1be5511507054708800debeea5dcd69690d81e77a55185a41582e171f21f0dd",
            "b59fe4de50d8836cf422fa795eb602416bced1429a562447ac61c657b9df3737",
        ]),
        run: conftool,
    },
    Native {
        name: "pg_lsclusters",
        origin: Origin::Helper(&[
            "be3e60818710dcf86686c56e5132ce215598fb56b6524bb789f5b08ede334252",
            "f9b9807bbca1f4d1369005a86c75360c03ad36622dfe0697f4a4d1347eff0cb5",
        ]),
        run: clusters,
    },
    Native {
        name: "pg_updatedicts",
        origin: Origin::Helper(&[
            "ad42a79f5feaf58be51c3f165a2b3396a3b39390eda02cbcd7e411bab726dd78",
            "09718556663e83f2e6cec2d442a8de21b9fd4634f5df27dad461193f0f41d9d9",
        ]),
        run: dictionaries,
    },
    // It looks at the disks of clusters.
    Native {
        name: "pg_checksystem",
        origin: Origin::Helper(&[
            "a4bbc81602febc4b57d76cac40fe0828adf2811d43b9b8c5457d8f803a804a33",
        ]),
        run: |_| Ok(Status::OK),
    },
    Native {
        name: "pam_getenv",
        origin: Origin::Helper(&[
            "982cca7d6a9afe07d7ba3fc929082ef11ed1cadb88d253f6464bfc0a19730674",
        ]),
        run: getenv,
    },
];

/// `pg_conftool FILE show NAME`, with an absolute path; and where the data of a cluster
/// is, `pg_conftool VERSION CLUSTER show data_directory`.
fn conftool(process: &mut Process<'_, '_>) -> Outcome {
    let (mut boolean, mut short) = (false, false);
    let mut operands: Vec<BString> = Vec::new();
    for arg in &process.args[1..] {
        match arg.as_slice() {
            b"--boolean" => boolean = true,
            b"--short" => short = true,
            [b'-', letters @ ..] if letters.iter().all(|b| b"bs".contains(b)) => {
                boolean |= letters.contains(&b'b');
                short |= letters.contains(&b's');
            }
            [b'-', ..] => {
                return Err(Stop::unsupported(format!("the option {arg} is not known")));
            }
            _ => operands.push(arg.clone()),
        }
    }
    if let [version, cluster, command, name] = &operands[..]
        && (command, name) == (&"show".into(), &"data_directory".into())
        && short
        && !boolean
    {
        // The version is one that `pg_createcluster` was asked for, which counts as made.
        let asked = versions(process)?;
        if cluster == "main" && asked.contains(version) {
            process.out(format!("/var/lib/postgresql/{version}/main\n"));
            return Ok(Status::OK);
        }
        process.complain(format_args!("Cluster {version} {cluster} does not exist"));
        return Ok(Status::FAILED);
    }
    let [file, command, name] = &operands[..] else {
        return Err(Stop::unsupported("this form of pg_conftool is not known"));
    };
    if !file.starts_with(b"/") || command != "show" || name == "all" || !short {
        return Err(Stop::unsupported("this form of pg_conftool is not known"));
    }
    let mut all = Vec::new();
    if !settings(process, file, 0, &mut all)? {
        process.complain(format_args!("could not open {file}"));
        return Ok(Status::FAILED);
    }
    let mut found = all.into_iter().rev();
    let value = found.find(|(key, _)| key.eq_ignore_ascii_case(name));
    let value = value.map(|(_, value)| value);
    let Some(mut value) = value else {
        return Ok(Status::FAILED);
    };
    if boolean {
        let on = ["on", "true", "yes", "1"];
        let is_on = on
            .iter()
            .any(|word| value.eq_ignore_ascii_case(word.as_bytes()));
        value = if is_on { "on".into() } else { "off".into() };
    }
    process.out(format!("{value}\n"));
    Ok(Status::OK)
}

/// Collects what a configuration file says, and the folders that it includes. Whether it
/// is there.
fn settings(
    process: &mut Process<'_, '_>,
    file: &BString,
    depth: usize,
    all: &mut Vec<(BString, BString)>,
) -> Result<bool, Stop> {
    let Ok(bytes) = process.machine.files.read(file) else {
        return Ok(false);
    };
    for line in bytes.lines() {
        let unknown = || {
            let line = line.as_bstr();
            Stop::unsupported(format!("the line {line} of {file} is not known"))
        };
        let (key, value) = setting(line).map_err(|_| unknown())?;
        if !key.starts_with(b"include") {
            all.push((key.into(), value));
            continue;
        }
        if key != b"include_dir" || !value.starts_with(b"/") || depth > 4 {
            return Err(unknown());
        }
        let names = process.machine.files.list(&value).unwrap_or_default();
        let is_one = |name: &&BString| name.ends_with(b".conf") && !name.starts_with(b".");
        for name in names.iter().filter(is_one) {
            let path = BString::from([&value[..], b"/", name].concat());
            settings(process, &path, depth + 1, all)?;
        }
    }
    Ok(true)
}

/// A line of a configuration file; an empty name where it says nothing. The error is a
/// line of another form.
fn setting(line: &[u8]) -> Result<(&[u8], BString), &[u8]> {
    let text = line.trim_ascii();
    if text.is_empty() || text.starts_with(b"#") {
        return Ok((b"", BString::default()));
    }
    let end = text.find_byteset(b"= \t").ok_or(line)?;
    let key = &text[..end];
    let rest = text[end..].trim_ascii_start();
    let rest = rest.strip_prefix(b"=").unwrap_or(rest).trim_ascii_start();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
    if !key.iter().all(plain) {
        return Err(line);
    }
    let (value, tail) = match rest.strip_prefix(b"'") {
        Some(quoted) => quoted.split_once_str("'").ok_or(line)?,
        None => {
            let end = rest.find_byteset(b" \t#").unwrap_or(rest.len());
            rest.split_at(end)
        }
    };
    let tail = tail.trim_ascii_start();
    let fine = tail.is_empty() || tail.starts_with(b"#");
    if !fine || value.contains(&b'\\') {
        return Err(line);
    }
    Ok((key, value.into()))
}

/// `pg_lsclusters -h`: those that `pg_createcluster` was asked for. They count as made.
fn clusters(process: &mut Process<'_, '_>) -> Outcome {
    if process.args.len() != 2 || process.args[1] != "-h" {
        return Err(Stop::unsupported("pg_lsclusters is only known with -h"));
    }
    for version in versions(process)? {
        process.out(format!(
            "{version}  main    5432 down   postgres /var/lib/postgresql/{version}/main \
             /var/log/postgresql/postgresql-{version}-main.log\n"
        ));
    }
    Ok(Status::OK)
}

/// The versions that `pg_createcluster` was asked for a cluster of.
fn versions(process: &Process<'_, '_>) -> Result<Vec<BString>, Stop> {
    let versions = process.machine.files.list(b"/etc/postgresql");
    let versions = versions.unwrap_or_default();
    for version in &versions {
        let number = version.iter().all(|b| b.is_ascii_digit() || *b == b'.');
        let path = [b"/etc/postgresql/", &version[..]].concat();
        let clusters = process.machine.files.list(&path).unwrap_or_default();
        if !number || !clusters.is_empty() {
            return Err(Stop::unsupported("clusters of PostgreSQL are not known"));
        }
    }
    Ok(versions)
}

/// pg_updatedicts: hunspell's dictionaries in UTF-8, and links to them.
fn dictionaries(process: &mut Process<'_, '_>) -> Outcome {
    const CACHE: &str = "/var/cache/postgresql/dicts";
    let args = ["mkdir", "-p", CACHE].map(BString::from);
    process.run(args.to_vec())?;
    let mut versions = process
        .machine
        .files
        .list(b"/usr/share/postgresql")
        .unwrap_or_default();
    versions.retain(|version| {
        let of = |name: &str| format!("/usr/share/postgresql/{version}{name}");
        let program = format!("/usr/lib/postgresql/{version}/bin/psql");
        process
            .machine
            .files
            .is_directory(of("/tsearch_data").as_bytes())
            && process.is_executable(program.as_bytes())
    });
    for folder in ["/usr/share/hunspell", "/usr/share/myspell/dicts"] {
        let names = process.machine.files.list(folder.as_bytes());
        for name in names.unwrap_or_default() {
            let Some(stem) = name.strip_suffix(b".aff") else {
                continue;
            };
            let stem = stem.as_bstr();
            let [rules, words] = ["aff", "dic"].map(|ending| format!("{folder}/{stem}.{ending}"));
            let files = &mut process.machine.files;
            if files.read_link(rules.as_bytes()).is_ok() || !files.is_file(words.as_bytes()) {
                continue;
            }
            let Some(coding) = coding(&files.read(rules.as_bytes()).unwrap_or_default()) else {
                continue;
            };
            let locale = stem.to_ascii_lowercase();
            let locale = locale.as_bstr();
            for (from, ending) in [(rules, "affix"), (words, "dict")] {
                let to = format!("{CACHE}/{locale}.{ending}");
                let coding = coding.to_string();
                let args = ["iconv", "-f", &coding, "-t", "UTF-8", "-o", &to, &from];
                if process.run(args.map(BString::from).to_vec())? != Status::OK {
                    return Err(Stop::unsupported(format!("{from} can't be converted")));
                }
                for version in &versions {
                    let link =
                        format!("/usr/share/postgresql/{version}/tsearch_data/{locale}.{ending}");
                    let files = &mut process.machine.files;
                    if files.is_file(link.as_bytes()) && files.read_link(link.as_bytes()).is_err() {
                        continue;
                    }
                    let _ = files.unlink(link.as_bytes());
                    let made = files.symlink(to.as_bytes(), link.as_bytes());
                    made.map_err(|error| Stop::unsupported(format!("{link}: {error}")))?;
                }
            }
        }
    }
    Ok(Status::OK)
}

fn coding(rules: &[u8]) -> Option<BString> {
    rules.lines().find_map(|line| {
        let name = line.strip_prefix(b"SET ")?.trim_ascii_end();
        let word = |b: &u8| b.is_ascii_alphanumeric() || b"_-".contains(b);
        (!name.is_empty() && name.iter().all(word)).then(|| name.into())
    })
}

/// `pam_getenv -l NAME`: what `/etc/environment` says.
fn getenv(process: &mut Process<'_, '_>) -> Outcome {
    let mut args = process.args[1..].iter();
    let name = args.find(|arg| *arg != "-l" && *arg != "-s").cloned();
    let Some(name) = name else {
        process.complain("Usage: pam_getenv [-l] [-s] env_var");
        return Ok(Status(255));
    };
    let said = |bytes: &[u8]| {
        let lines = bytes.lines().map(<[u8]>::trim_ascii_start);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        lines.map(BString::from).collect::<Vec<BString>>()
    };
    let files = &mut process.machine.files;
    let rules = files.read(b"/etc/security/pam_env.conf");
    if rules.is_ok_and(|bytes| !said(&bytes).is_empty()) {
        return Err(Stop::unsupported("settings in pam_env.conf are not known"));
    }
    let lines = said(&files.read(b"/etc/environment").unwrap_or_default());
    let mut found = None;
    for line in lines {
        if line.ends_with(b"\\") || line.contains(&b'#') {
            return Err(Stop::unsupported(
                "this line of /etc/environment is not known",
            ));
        }
        let line = line.strip_prefix(b"export ").unwrap_or(&line);
        if let Some((key, value)) = line.split_once_str("=")
            && name == key
        {
            let quoted = value.strip_prefix(b"\"").or(value.strip_prefix(b"'"));
            let value = quoted.map_or(value, |value| {
                let end = value.find_byteset(b"\"'").unwrap_or(value.len());
                &value[..end]
            });
            found = Some(BString::from(value));
        }
    }
    if let Some(value) = found {
        process.out(format!("{value}\n"));
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn settings_are_shown() {
        let mut m = machine();
        m.put("/usr/bin/pg_conftool", "#!/usr/bin/perl\n", 0o755);
        let text = "# x\nssl = on\nname='a b' # y\ninclude_dir = '/etc/c.d'\n";
        m.put("/etc/c.d/b.conf", "Create true\n", 0o644);
        m.put("/etc/c.d/b.old", "ssl = off\n", 0o644);
        m.put("/etc/c.conf", text, 0o644);
        for (name, status, out) in [
            ("ssl", 0, "on\n"),
            ("name", 0, "off\n"),
            ("create", 0, "on\n"),
            ("none", 1, ""),
        ] {
            let ran = m.run(&["pg_conftool", "/etc/c.conf", "show", "-bs", name]);
            assert_eq!((ran.status, ran.out.as_str()), (status, out), "{name}");
        }
        let ran = m.run(&["pg_conftool", "-s", "/etc/c.conf", "show", "name"]);
        assert_eq!(ran.out, "a b\n");
        assert!(
            m.run_with(&["pg_conftool", "17", "main", "show", "x"], "")
                .is_err()
        );
    }

    #[test]
    fn declined_clusters_are_listed() {
        let mut m = machine();
        m.put("/usr/bin/pg_lsclusters", "#!/usr/bin/perl\n", 0o755);
        assert_eq!(m.run(&["pg_lsclusters", "-h"]).out, "");
        m.files.mkdir_all(b"/etc/postgresql/17", 0o755).unwrap();
        m.put("/usr/bin/pg_conftool", "#!/usr/bin/perl\n", 0o755);
        let show = |version| {
            [
                "pg_conftool",
                "-s",
                version,
                "main",
                "show",
                "data_directory",
            ]
        };
        assert_eq!(m.run(&show("17")).out, "/var/lib/postgresql/17/main\n");
        assert_eq!(m.run(&show("16")).status, 1);
        assert!(m.run(&["pg_lsclusters", "-h"]).out.starts_with("17 "));
        m.put("/etc/postgresql/17/main/postgresql.conf", "", 0o644);
        assert!(m.run_with(&["pg_lsclusters", "-h"], "").is_err());
    }

    #[test]
    fn dictionaries_are_converted_and_linked() {
        let mut m = machine();
        m.put("/usr/sbin/pg_updatedicts", "#!/usr/bin/perl\n", 0o755);
        m.put("/usr/lib/postgresql/17/bin/psql", "\u{7f}ELF", 0o755);
        m.put("/usr/share/hunspell/en_US.aff", "SET UTF-8\n", 0o644);
        m.put("/usr/share/hunspell/en_US.dic", "1\na\n", 0o644);
        let data = "/usr/share/postgresql/17/tsearch_data";
        m.files.mkdir_all(data.as_bytes(), 0o755).unwrap();
        assert_eq!(m.run(&["pg_updatedicts"]).status, 0);
        let link = format!("{data}/en_us.dict");
        let target = m.files.read_link(link.as_bytes()).unwrap();
        assert_eq!(target, "/var/cache/postgresql/dicts/en_us.dict");
        assert_eq!(m.text(&link), "1\na\n");
    }

    #[test]
    fn the_environment_is_read_from_its_file() {
        let mut m = machine();
        m.put("/usr/sbin/pam_getenv", "#!/usr/bin/perl\n", 0o755);
        m.put("/etc/security/pam_env.conf", "# none\n", 0o644);
        m.put("/etc/environment", "A=b\nLANG=\"de_DE\"\n", 0o644);
        assert_eq!(m.run(&["pam_getenv", "-l", "LANG"]).out, "de_DE\n");
        assert_eq!(m.run(&["pam_getenv", "-l", "LC_ALL"]).out, "");
    }
}
