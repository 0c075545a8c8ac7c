//! update-perl-sax-parsers of libxml-sax-perl: which modules of Perl read XML. What a
//! module can do is asked of it by the real program; for those of Debian it is known.

use bstr::BString;

use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "update-perl-sax-parsers",
    origin: Origin::Helper(&[
        "3db7ac29cc8c8f6af2784b7b43cb2da1e18ff11f3cf16d9809e8851355519afd",
        "beeec3f2d9a9bbab01f6cfc07970f4bc9c26968adb80362238260ddd6591ee6b",
    ]),
    run: update,
}];

const FOLDER: &str = "/var/lib/libxml-sax-perl/ParserDetails.d";
const FILE: &str = "/etc/perl/XML/SAX/ParserDetails.ini";
const SUMS: &str = "/var/lib/libxml-sax-perl/ParserDetails.ini.md5sum";

const NAMESPACES: &str = "http://xml.org/sax/features/namespaces";
const GENERAL: &str = "http://xml.org/sax/features/external-general-entities";
const PARAMETER: &str = "http://xml.org/sax/features/external-parameter-entities";

/// Modules, and what they can do.
const MODULES: &[(&str, &[&str])] = &[
    ("XML::SAX::PurePerl", &[NAMESPACES]),
    ("XML::LibXML::SAX", &[NAMESPACES]),
    ("XML::LibXML::SAX::Parser", &[NAMESPACES]),
    ("XML::SAX::Expat", &[GENERAL, PARAMETER, NAMESPACES]),
    (
        "XML::SAX::ExpatXS",
        &[
            GENERAL,
            PARAMETER,
            NAMESPACES,
            "http://xml.org/sax/features/xmlns-uris",
            "http://xmlns.perl.org/sax/join-character-data",
            "http://xmlns.perl.org/sax/locator",
            "http://xmlns.perl.org/sax/ns-attributes",
            "http://xmlns.perl.org/sax/recstring",
            "http://xmlns.perl.org/sax/version-2.1",
            "http://xmlns.perl.org/sax/xmlns-uris",
        ],
    ),
];

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "",
        long: &[
            ("add=", 'a'),
            ("remove=", 'r'),
            ("update", 'u'),
            ("quiet", 'q'),
            ("priority=", 'p'),
            ("ucf=", 'f'),
        ],
    };
    let given = parse(&process.args[1..], &known)?;
    let priority = match given.value('p') {
        None => 50,
        Some(text) => match text.to_string().parse::<u32>() {
            Ok(priority) => priority,
            Err(_) => return Err(Stop::unsupported("this priority is not known")),
        },
    };
    let path = |module: &BString| match priority {
        0 => format!("{FOLDER}/{module}"),
        priority => format!("{FOLDER}/{priority}-{module}"),
    };
    let said = |process: &mut Process<'_, '_>, text: String| {
        if !given.has("q") {
            process.out(format!("update-perl-sax-parsers: {text}...\n"));
        }
    };
    if let Some(module) = given.value('a') {
        let about = format!("Registering Perl SAX parser {module} with priority {priority}");
        said(process, about);
        let found = MODULES.iter().find(|(known, _)| module == known);
        let Some((name, features)) = found else {
            return Err(Stop::unsupported(format!(
                "what {module} can do is not known"
            )));
        };
        let mut text = format!("[{name}]\n");
        for feature in *features {
            text.push_str(&format!("{feature} = 1\n"));
        }
        text.push_str("\n\n");
        let path = path(module);
        let mode = 0o666 & !process.umask;
        let files = &mut process.machine.files;
        let done = match files.unlink(path.as_bytes()) {
            Ok(()) | Err(Errno::NoEntry) => files.write(path.as_bytes(), text.into(), mode),
            Err(error) => Err(error),
        };
        return match done {
            Ok(_) => Ok(Status::OK),
            Err(error) => failed(process, format_args!("Cannot write to {path}: {error}")),
        };
    }
    if let Some(module) = given.value('r') {
        let about = format!("Unregistering Perl SAX parser {module} with priority {priority}");
        said(process, about);
        let _ = process.machine.files.unlink(path(module).as_bytes());
        return Ok(Status::OK);
    }
    if !given.has("u") {
        return Ok(Status::OK);
    }
    said(
        process,
        "Updating overall Perl SAX parser modules info file".to_owned(),
    );
    let Ok(mut names) = process.machine.files.list(FOLDER.as_bytes()) else {
        return failed(process, format_args!("Cannot access {FOLDER}"));
    };
    names.sort();
    let mut text = Vec::new();
    for name in names {
        let path = format!("{FOLDER}/{name}");
        let Ok(bytes) = process.machine.files.read(path.as_bytes()) else {
            return failed(process, format_args!("Cannot read from {path}"));
        };
        text.extend_from_slice(&bytes);
    }
    collect(
        process,
        text,
        given.value('f').is_some_and(|text| text == "0"),
    )
}

/// Puts the whole in its place: through ucf, or as it is.
fn collect(process: &mut Process<'_, '_>, text: Vec<u8>, direct: bool) -> Outcome {
    let mode = 0o666 & !process.umask;
    if direct {
        let files = &mut process.machine.files;
        return match files.write(FILE.as_bytes(), text, mode) {
            Ok(_) => Ok(Status::OK),
            Err(error) => failed(process, format_args!("Cannot write to {FILE}: {error}")),
        };
    }
    let serial = process.machine.next_serial();
    let temporary = format!("/tmp/sax-parsers.{serial}");
    let files = &mut process.machine.files;
    if let Err(error) = files.write(temporary.as_bytes(), text, 0o644) {
        return failed(process, format_args!("{temporary}: {error}"));
    }
    let ucf = ["ucf", "--debconf-ok", "--sum-file", SUMS, &temporary, FILE];
    process.run(ucf.map(BString::from).to_vec())?;
    let _ = process.machine.files.unlink(temporary.as_bytes());
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn parsers_are_registered() {
        let mut m = machine();
        let program = "update-perl-sax-parsers";
        m.put(
            "/usr/bin/update-perl-sax-parsers",
            "#!/usr/bin/perl\n",
            0o755,
        );
        m.put("/etc/perl/XML/SAX/x", "", 0o644);
        m.put("/var/lib/libxml-sax-perl/ParserDetails.d/9", "", 0o644);
        let add = [program, "--add", "XML::SAX::PurePerl", "--priority", "10"];
        assert_eq!(m.run(&add).status, 0);
        assert_eq!(
            m.run(&[program, "--quiet", "--add", "XML::LibXML::SAX"])
                .out,
            ""
        );
        assert!(m.run_with(&[program, "--add", "XML::Other"], "").is_err());
        assert_eq!(m.run(&[program, "--update", "--ucf", "0"]).status, 0);
        let line = "http://xml.org/sax/features/namespaces = 1\n\n\n";
        assert_eq!(
            m.text("/etc/perl/XML/SAX/ParserDetails.ini"),
            format!("[XML::SAX::PurePerl]\n{line}[XML::LibXML::SAX]\n{line}")
        );
        assert_eq!(m.run(&[program, "--remove", "XML::LibXML::SAX"]).status, 0);
        let gone = b"/var/lib/libxml-sax-perl/ParserDetails.d/50-XML::LibXML::SAX";
        assert!(!m.files.exists(gone));
    }
}
