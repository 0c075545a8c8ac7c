//! gtk-update-icon-cache of GTK 3 and 4: the index of a theme's icons.

mod theme;

use bstr::{BString, ByteSlice as _};

use self::theme::{Listing, Theme};
use crate::Errno;
use crate::commands::files::failed;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[
    native("gtk-update-icon-cache"),
    native("gtk-update-icon-cache-3.0"),
    native("gtk4-update-icon-cache"),
];

const fn native(name: &'static str) -> Native {
    Native {
        name,
        origin: Origin::Package,
        run: update,
    }
}

fn update(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "ftiq",
        long: &[
            ("force", 'f'),
            ("ignore-theme-index", 't'),
            ("index-only", 'i'),
            ("quiet", 'q'),
        ],
    };
    let given = parse(&process.args[1..], &known)?;
    let [folder] = &given.operands[..] else {
        return Err(Stop::unsupported("a theme's icons need one folder"));
    };
    let folder = process.path(folder);
    let index = [&folder[..], b"/index.theme"].concat();
    if !given.has("t") && !process.machine.files.is_file(&index) {
        return failed(process, "No theme index file.");
    }
    let cache = [&folder[..], b"/icon-theme.cache"].concat();
    if !given.has("f") && process.machine.files.exists(&cache) {
        return Err(Stop::unsupported("whether a cache is old depends on time"));
    }
    let mut theme = Theme::default();
    let mut stopped = None;
    let mut list = |below: &[u8]| {
        let listing = listing(process, &[&folder[..], b"/", below].concat());
        listing.unwrap_or_else(|stop| {
            stopped = Some(stop);
            Vec::new()
        })
    };
    theme.scan(&mut list, b"", 0).map_err(Stop::unsupported)?;
    if let Some(stop) = stopped {
        return Err(stop);
    }
    let bytes = match theme.icons.len() {
        0 => None,
        _ => Some(theme.file().map_err(Stop::unsupported)?),
    };
    let mode = 0o644 & !process.umask;
    let files = &mut process.machine.files;
    let done = match files.unlink(&cache) {
        Ok(()) | Err(Errno::NoEntry) => bytes.map(|bytes| files.write(&cache, bytes, mode)),
        Err(error) => Some(Err(error)),
    };
    match done.transpose() {
        Ok(_) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("{}: {error}", cache.as_bstr())),
    }
}

fn listing(process: &mut Process<'_, '_>, folder: &[u8]) -> Result<Listing, Stop> {
    let mut names = process.machine.files.list(folder).unwrap_or_default();
    names.sort();
    process.machine.spend(names.len() as u64)?;
    let files = &process.machine.files;
    let one = |name: BString| {
        let path = [folder, b"/", &name].concat();
        let is_folder = files.is_directory(&path);
        (is_folder || files.is_file(&path)).then_some((name, is_folder))
    };
    Ok(names.into_iter().filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn a_theme_gets_its_index() {
        let mut m = machine();
        m.put("/usr/bin/gtk-update-icon-cache", "", 0o755);
        assert_eq!(m.run(&["gtk-update-icon-cache", "-f", "/i"]).status, 1);
        m.put("/i/index.theme", "", 0o644);
        m.put("/i/48x48/apps/gvim.png", "", 0o644);
        m.put("/i/scalable/apps/gvim.svg", "", 0o644);
        m.put("/i/top.png", "", 0o644);
        assert_eq!(
            m.run(&["gtk-update-icon-cache", "--force", "--quiet", "/i"])
                .status,
            0
        );
        let mut cache = b"\0\x01\0\0\0\0\0\x0c\0\0\0\x64\0\0\0\x0b".to_vec();
        cache.extend_from_slice(&[0xff; 36]);
        cache.extend_from_slice(b"\0\0\0\x3c\xff\xff\xff\xff\xff\xff\xff\xff");
        cache.extend_from_slice(b"\0\0\0\x48\0\0\0\x50gvim\0\0\0\0\0\0\0\x02");
        cache.extend_from_slice(b"\0\x01\0\x02\0\0\0\0\0\0\0\x04\0\0\0\0");
        cache.extend_from_slice(b"\0\0\0\x02\0\0\0\x70\0\0\0\x7c48x48/apps\0\0scalable/apps\0\0\0");
        assert_eq!(*m.files.read(b"/i/icon-theme.cache").unwrap(), cache);
        assert!(m.run_with(&["gtk-update-icon-cache", "/i"], "").is_err());
        m.files.remove_all(b"/i/48x48").unwrap();
        m.files.remove_all(b"/i/scalable").unwrap();
        assert_eq!(m.run(&["gtk-update-icon-cache", "-tf", "/i"]).status, 0);
        assert!(!m.files.exists(b"/i/icon-theme.cache"));
    }
}
