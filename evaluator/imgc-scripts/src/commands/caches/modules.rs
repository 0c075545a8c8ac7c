//! Lists of loadable modules: gio-querymodules, gdk-pixbuf-query-loaders and
//! gtk-query-immodules-3.0. Their programs load each module and ask it. Nothing is loaded
//! here: what modules answer is known for those of Debian, and others are refused.

use bstr::{BString, ByteSlice as _};

use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status, base};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    Native {
        name: "gio-querymodules",
        origin: Origin::Package,
        run: points,
    },
    Native {
        name: "gdk-pixbuf-query-loaders",
        origin: Origin::Package,
        run: loaders,
    },
    Native {
        name: "gtk-query-immodules-3.0",
        origin: Origin::Package,
        run: |process| methods(process, false),
    },
    Native {
        name: "gtk-query-immodules-2.0",
        origin: Origin::Package,
        run: |process| methods(process, true),
    },
];

/// Modules of GIO, and the extension points that they announce.
const POINTS: &[(&str, &str)] = &[
    ("libdconfsettings.so", "gsettings-backend"),
    ("libgiognomeproxy.so", "gio-proxy-resolver"),
    ("libgiognutls.so", "gio-tls-backend"),
    ("libgiolibproxy.so", "gio-proxy-resolver"),
    (
        "libgioremote-volume-monitor.so",
        "gio-native-volume-monitor,gio-volume-monitor",
    ),
    ("libgvfsdbus.so", "gio-vfs,gio-volume-monitor"),
    ("libprintbackend-cups.so", "gtk-print-backend"),
    ("libprintbackend-file.so", "gtk-print-backend"),
];

/// Loaders of images: paragraphs of a file's name, and what is said of it.
const LOADERS: &str = include_str!("loaders.txt");

/// As `LOADERS`: GTK 3's modules of input methods.
const METHODS: &str = include_str!("immodules.txt");

/// As `METHODS`, of GTK 2.
const METHODS_2: &str = include_str!("immodules2.txt");

/// The bytes of a file where there are any: it can be loaded. Nothing for a link that
/// leads nowhere.
fn loadable(process: &mut Process<'_, '_>, path: &[u8]) -> Result<bool, Stop> {
    process.machine.spend(1)?;
    Ok(process.machine.files.is_file(path))
}

fn points(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "",
        long: &[],
    };
    let folders = parse(&process.args[1..], &known)?.operands;
    if folders.is_empty() {
        return failed(
            process,
            "Usage: gio-querymodules <directory1> [<directory2> ...]",
        );
    }
    for folder in folders {
        let path = process.path(&folder);
        let names = match process.machine.files.list(&path) {
            Ok(names) => names,
            Err(error) => {
                process.complain(format_args!("Unable to open directory {folder}: {error}"));
                continue;
            }
        };
        let mut lines = String::new();
        for name in names {
            if !name.starts_with(b"lib") || !name.ends_with(b".so") {
                continue;
            }
            if !loadable(process, &[&path[..], b"/", &name].concat())? {
                continue;
            }
            let found = POINTS.iter().find(|(known, _)| *known == name);
            let (name, points) = found
                .ok_or_else(|| Stop::unsupported(format!("the module {name} is not known")))?;
            lines.push_str(&format!("{name}: {points}\n"));
        }
        let cache = [&path[..], b"/giomodule.cache"].concat();
        let done = write(process, &cache, lines.into_bytes());
        if let Err(error) = done {
            process.complain(format_args!(
                "Unable to create {}: {error}",
                cache.as_bstr()
            ));
        }
    }
    Ok(Status::OK)
}

/// Puts a new file in the place of `path`, or removes it where there is nothing to say.
fn write(process: &mut Process<'_, '_>, path: &[u8], bytes: Vec<u8>) -> Result<(), Errno> {
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    match files.unlink(path) {
        Ok(()) | Err(Errno::NoEntry) => {}
        Err(error) => return Err(error),
    }
    if !bytes.is_empty() {
        files.write(path, bytes, mode)?;
    }
    Ok(())
}

fn loaders(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "",
        long: &[],
    };
    let modules = parse(&process.args[1..], &known)?.operands;
    if modules.is_empty() {
        return Err(Stop::unsupported("gdk-pixbuf-query-loaders needs modules"));
    }
    let mut text = BString::from(format!(
        "# GdkPixbuf Image Loader Modules file\n# Automatically generated file, do not edit\n\
         # Created by gdk-pixbuf-query-loaders from gdk-pixbuf-{}\n#\n",
        version(process)?
    ));
    for module in modules {
        let path = process.path(&module);
        if !loadable(process, &path)? {
            continue;
        }
        paragraph(&mut text, &path, LOADERS, "\n")?;
    }
    text.push(b'\n');
    process.out(text);
    Ok(Status::OK)
}

/// Writes what `known` says of the module at `path`.
fn paragraph(text: &mut BString, path: &[u8], known: &str, end: &str) -> Result<(), Stop> {
    let name = base(path).as_bstr();
    let said = known.split("\n\n").find_map(|part| {
        let (first, rest) = part.split_once('\n')?;
        (name == first).then_some(rest)
    });
    let said = said.ok_or_else(|| Stop::unsupported(format!("the module {name} is not known")))?;
    let said = said.trim_end_matches('\n');
    text.extend_from_slice(&[&b"\""[..], path, b"\"", end.as_bytes()].concat());
    text.extend_from_slice(&[said.as_bytes(), b"\n\n"].concat());
    Ok(())
}

/// Lists the input methods of GTK 3, or of GTK 2.
fn methods(process: &mut Process<'_, '_>, old: bool) -> Outcome {
    if process.args[1..] != ["--update-cache"] {
        return Err(Stop::unsupported(
            "gtk-query-immodules can only update its cache",
        ));
    }
    if old && process.machine.setup.arch != "amd64" {
        return Err(Stop::unsupported(
            "the folders of GTK 2 are not known on this architecture",
        ));
    }
    // The program is in a folder with its package's name, in the architecture's folder.
    let program = process.path(&process.args[0].clone());
    let mut parts = program.rsplitn(3, |&b| b == b'/').skip(1);
    let (Some(package), Some(folder)) = (parts.next(), parts.next()) else {
        return Err(Stop::unsupported(
            "this place of gtk-query-immodules is not known",
        ));
    };
    let (package, folder) = (BString::from(package), BString::from(folder));
    let query = ["dpkg-query", "-W", "-f", "${Version}\\n"].map(BString::from);
    let (_, version) = process.capture([&query[..], std::slice::from_ref(&package)].concat())?;
    let version = version
        .split(|b| b"-+~\n".contains(b))
        .next()
        .unwrap_or_default();
    if version.is_empty() {
        return Err(Stop::unsupported("the version of GTK is not known"));
    }
    let version = version.as_bstr();
    let home = process.env.get(b"HOME".as_bstr());
    let own = home.map_or_else(|| "/root".into(), |home| home.to_string()) + "/.gtk-2.0";
    let (name, abi, host, own) = match old {
        true => ("gtk-2.0", "2.10.0", "x86_64-pc-linux-gnu", Some(own)),
        false => ("gtk-3.0", "3.0.0", "linux", None),
    };
    let shared = format!("{folder}/{name}");
    // Debian's GTK 2 of bookworm looks in the folder of no architecture too.
    let plain = match (old, &package[..]) {
        (false, _) | (true, b"libgtk2.0-0t64") => None,
        (true, b"libgtk2.0-0") => Some("/usr/lib/gtk-2.0".to_owned()),
        _ => return Err(Stop::unsupported("this GTK 2 is not known")),
    };
    let bases = own.iter().chain([&shared]).chain(&plain);
    let path = bases.map(|base| {
        format!(
            "{base}/{abi}/{host}/immodules:{base}/{abi}/immodules:{base}/{host}/immodules:\
             {base}/immodules"
        )
    });
    let path = path.collect::<Vec<_>>().join(":");
    let mut text = BString::from(format!(
        "# GTK+ Input Method Modules file\n# Automatically generated file, do not edit\n\
         # Created by {program} from gtk+-{version}\n#\n# ModulesPath = {path}\n#\n"
    ));
    let known = if old { METHODS_2 } else { METHODS };
    for place in path.split(':') {
        let names = process.machine.files.list(place.as_bytes());
        for name in names.unwrap_or_default() {
            let module = [place.as_bytes(), b"/", &name].concat();
            if name.ends_with(b".so") && loadable(process, &module)? {
                paragraph(&mut text, &module, known, " \n")?;
            }
        }
    }
    let cache = format!("{shared}/{abi}/immodules.cache");
    match write(process, cache.as_bytes(), text.into()) {
        Ok(()) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{cache}: {error}")),
    }
}

/// The version of the library that the program would run with, by the name of its file:
/// `libgdk_pixbuf-2.0.so.0.4200.12` is 2.42.12.
fn version(process: &mut Process<'_, '_>) -> Result<String, Stop> {
    let program = process.path(&process.args[0].clone());
    // The program is in a folder beside the library.
    let folder = program.rsplit(|&b| b == b'/').nth(1).map_or(0, |last| {
        program.len() - base(&program).len() - last.len() - 1
    });
    let names = process.machine.files.list(&program[..folder]);
    let found = names.unwrap_or_default().into_iter().find_map(|name| {
        let name = name.to_str().ok()?.to_owned();
        let (minor, micro) = name
            .strip_prefix("libgdk_pixbuf-2.0.so.0.")?
            .split_once('.')?;
        let minor: u32 = minor.parse().ok()?;
        Some(format!("2.{}.{micro}", minor / 100))
    });
    found.ok_or_else(|| Stop::unsupported("the version of gdk-pixbuf is not known"))
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn modules_are_listed_where_there_are_any() {
        let mut machine = machine();
        machine.put("/usr/lib/glib-2.0/gio-querymodules", "", 0o755);
        let query = "/usr/lib/glib-2.0/gio-querymodules";
        machine.put("/m/giomodule.cache", "old", 0o600);
        assert_eq!(machine.run(&[query, "/m"]).status, 0);
        assert!(!machine.files.exists(b"/m/giomodule.cache"));
        assert_eq!(machine.run(&[query, "/none"]).status, 0);
        machine.put("/m/libdconfsettings.so", "x", 0o644);
        machine.put("/m/readme", "x", 0o644);
        assert_eq!(machine.run(&[query, "/m"]).status, 0);
        assert_eq!(
            machine.text("/m/giomodule.cache"),
            "libdconfsettings.so: gsettings-backend\n"
        );
        machine.put("/m/libnew.so", "x", 0o644);
        assert!(machine.run_with(&[query, "/m"], "").is_err());
    }

    #[test]
    fn loaders_say_what_they_load() {
        let mut machine = machine();
        let query = "/usr/lib/a/gdk-pixbuf-2.0/gdk-pixbuf-query-loaders";
        machine.put(query, "", 0o755);
        machine.put("/l/libpixbufloader-gif.so", "x", 0o644);
        assert!(
            machine
                .run_with(&[query, "/l/libpixbufloader-gif.so"], "")
                .is_err()
        );
        machine.put("/usr/lib/a/libgdk_pixbuf-2.0.so.0.4200.12", "", 0o644);
        let ran = machine.run(&[query, "/l/libpixbufloader-gif.so"]);
        assert_eq!(
            ran.out,
            "# GdkPixbuf Image Loader Modules file\n# Automatically generated file, do not edit\n\
             # Created by gdk-pixbuf-query-loaders from gdk-pixbuf-2.42.12\n#\n\
             \"/l/libpixbufloader-gif.so\"\n\"gif\" 4 \"gdk-pixbuf\" \"GIF\" \"LGPL\"\n\
             \"image/gif\" \"\"\n\"gif\" \"\"\n\"GIF8\" \"\" 100\n\n\n"
        );
    }

    #[test]
    fn input_methods_are_listed() {
        let mut machine = machine();
        let query = "/usr/lib/a/libgtk-3-0t64/gtk-query-immodules-3.0";
        machine.put(query, "", 0o755);
        machine.put(
            "/var/lib/dpkg/status",
            "Package: libgtk-3-0t64\nStatus: install ok installed\nArchitecture: amd64\n\
             Version: 3.24.49-3\n",
            0o644,
        );
        machine.put("/usr/lib/a/gtk-3.0/3.0.0/immodules/im-ipa.so", "x", 0o644);
        assert_eq!(machine.run(&[query, "--update-cache"]).status, 0);
        let text = machine.text("/usr/lib/a/gtk-3.0/3.0.0/immodules.cache");
        assert!(text.contains(&format!("# Created by {query} from gtk+-3.24.49\n#\n")));
        assert!(text.ends_with(
            "#\n\"/usr/lib/a/gtk-3.0/3.0.0/immodules/im-ipa.so\" \n\
             \"ipa\" \"IPA\" \"gtk30\" \"/usr/share/locale\" \"\" \n\n"
        ));
        let old = query.replace("3.0", "2.0").replace("gtk-3-", "gtk2.0-");
        machine.put(&old, "", 0o755);
        machine.put("/usr/lib/a/gtk-2.0/2.10.0/immodules/im-ipa.so", "x", 0o644);
        machine.put(
            "/var/lib/dpkg/status",
            "Package: libgtk2.0-0t64\nStatus: install ok installed\nArchitecture: amd64\n\
             Version: 2.24.33-7\n\nPackage: libgtk-3-0t64\nStatus: install ok installed\n\
             Architecture: amd64\nVersion: 3.24.49-3\n",
            0o644,
        );
        assert_eq!(machine.run(&[&old, "--update-cache"]).status, 0);
        let text = machine.text("/usr/lib/a/gtk-2.0/2.10.0/immodules.cache");
        let host = "x86_64-pc-linux-gnu";
        assert!(text.contains(&format!("/.gtk-2.0/2.10.0/{host}/immodules:")));
        assert!(text.contains(&format!(":/usr/lib/a/gtk-2.0/{host}/immodules:")));
        assert!(text.ends_with("\n\"ipa\" \"IPA\" \"gtk20\" \"/usr/share/locale\" \"\" \n\n"));
        machine.put("/usr/lib/a/gtk-3.0/3.0.0/immodules/im-x.so", "x", 0o644);
        assert!(machine.run_with(&[query, "--update-cache"], "").is_err());
    }
}
