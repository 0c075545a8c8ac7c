//! glib-compile-schemas: the settings that programs have, packed in one file.

mod compile;
mod dconf;
mod gvdb;
mod variant;

use bstr::{BString, ByteSlice as _};

use self::compile::Compiler;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "glib-compile-schemas",
    origin: Origin::Package,
    run: compile,
}];

pub(super) use dconf::NATIVES as DCONF;

fn compile(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "",
        long: &[("targetdir=", 't')],
    };
    let parsed = parse(&process.args[1..], &known)?;
    let [folder] = parsed.operands.as_slice() else {
        return failed(process, "You should give exactly one directory name");
    };
    let from = process.path(folder);
    let to = parsed
        .value('t')
        .map_or(from.clone(), |to| process.path(to));
    let names = match process.machine.files.list(&from) {
        Ok(names) => names,
        Err(error) => {
            return failed(
                process,
                format_args!("Error opening directory {folder}: {error}"),
            );
        }
    };
    let ends = [&b".gschema.xml"[..], b".enums.xml"];
    // Enumerations come first, as schemas of any file use them.
    let sources: Vec<BString> = ends
        .iter()
        .rev()
        .flat_map(|end| names.iter().filter(|name| name.ends_with(end)).cloned())
        .collect();
    let cache = [&to[..], b"/gschemas.compiled"].concat();
    if sources.is_empty() {
        let removed = process.machine.files.unlink(&cache).is_ok();
        let done = if removed {
            "removed existing output file"
        } else {
            "doing nothing"
        };
        process.out(format!("No schema files found: {done}.\n"));
        return Ok(Status::OK);
    }
    let mut compiler = Compiler::default();
    for name in &sources {
        let text = text(process, &from, name)?;
        let done = compiler.schemas(&text);
        done.map_err(|error| unknown(name, &error))?;
    }
    for name in &names {
        if name.ends_with(b".gschema.override") {
            let text = text(process, &from, name)?;
            let done = compiler.overrides(&text);
            done.map_err(|error| unknown(name, &error))?;
        }
    }
    let bytes = compiler.pack().map_err(|error| unknown(folder, &error))?;
    let mode = 0o666 & !process.umask;
    let files = &mut process.machine.files;
    let _ = files.unlink(&cache);
    match files.write(&cache, bytes, mode) {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{}: {error}", cache.as_bstr())),
    }
}

fn unknown(name: &BString, error: &str) -> Stop {
    Stop::unsupported(format!("the schemas of {name} are not known: {error}"))
}

fn text(process: &mut Process<'_, '_>, folder: &[u8], name: &BString) -> Result<String, Stop> {
    let path = [folder, b"/", name].concat();
    let bytes = process.machine.files.read(&path);
    let bytes = bytes.map_err(|error| unknown(name, &error.to_string()))?;
    process.machine.spend(bytes.len() as u64 / 16)?;
    let text = bytes
        .to_str()
        .map_err(|_| unknown(name, "it is not UTF-8"))?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn without_schemas_there_is_nothing() {
        let mut machine = machine();
        let compile = "/usr/lib/glib-2.0/glib-compile-schemas";
        machine.put(compile, "", 0o755);
        assert_eq!(machine.run(&[compile, "/s"]).status, 1);
        machine.put("/s/gschemas.compiled", "x", 0o644);
        assert_eq!(machine.run(&[compile, "/s"]).status, 0);
        assert!(!machine.files.exists(b"/s/gschemas.compiled"));
        assert_eq!(
            machine.run(&[compile, "/s"]).out,
            "No schema files found: doing nothing.\n"
        );
        machine.put("/s/x.gschema.xml", "<schemalist>", 0o644);
        assert!(machine.run_with(&[compile, "/s"], "").is_err());
    }
}
