//! mkfontscale, as mkfontdir calls it: the lists of the bitmap fonts in a folder, and of
//! the files that name encodings. Scalable fonts are only listed as `fonts.scale` has
//! them; that list comes from packages.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice as _};

use crate::commands::files::gzip;
use crate::commands::files::options::{Known, parse};
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "mkfontscale",
    origin: Origin::Package,
    run: list,
}];

fn list(process: &mut Process<'_, '_>) -> Outcome {
    let known = Known {
        short: "bsle:",
        long: &[],
    };
    let parsed = parse(&process.args[1..], &known)?;
    if !["b", "s", "l"].iter().all(|letter| parsed.has(letter)) {
        return Err(Stop::unsupported("mkfontscale is only known with -b -s -l"));
    }
    let mut encodings = Vec::new();
    for (_, folder) in parsed.options.iter().filter(|(letter, _)| *letter == 'e') {
        let folder = folder.clone().unwrap_or_default();
        named_in(process, &folder, &mut encodings)?;
    }
    encodings.sort_unstable();
    for folder in &parsed.operands {
        let path = process.path(folder);
        let fonts = fonts_in(process, &path)?;
        write(process, &path, "fonts.dir", &fonts)?;
        if !encodings.is_empty() {
            write(process, &path, "encodings.dir", &encodings)?;
        }
    }
    Ok(Status::OK)
}

fn write(
    process: &mut Process<'_, '_>,
    folder: &BString,
    name: &str,
    lines: &[BString],
) -> Result<(), Stop> {
    let path = [&folder[..], b"/", name.as_bytes()].concat();
    let mut text = format!("{}\n", lines.len()).into_bytes();
    text.extend(lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()));
    let files = &mut process.machine.files;
    // An old one is not written to.
    let _ = files.unlink(&path);
    let written = files.write(&path, text, 0o644);
    written.map_err(|error| Stop::unsupported(format!("{}: {error}", path.as_bstr())))?;
    Ok(())
}

/// Adds the encodings that the files of a folder are for, each with its file.
fn named_in(
    process: &mut Process<'_, '_>,
    folder: &BString,
    all: &mut Vec<BString>,
) -> Result<(), Stop> {
    let path = process.path(folder);
    let names = process.machine.files.list(&path).unwrap_or_default();
    for name in names {
        if !name.ends_with(b".enc") && !name.ends_with(b".enc.gz") {
            continue;
        }
        let at = [&path[..], b"/", &name].concat();
        let bytes = unpacked(process, &at)?;
        let mut lines = bytes.lines().map(|line| {
            let mut words = line.split(u8::is_ascii_whitespace);
            let words = words.by_ref().filter(|word| !word.is_empty());
            words.collect::<Vec<&[u8]>>()
        });
        let at = at.as_bstr();
        let is = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
        match lines.find(|words| !words.is_empty() && !words[0].starts_with(b"#")) {
            Some(words) if words.len() > 1 && is(words[0], "STARTENCODING") => {
                all.push(line(&words[1].to_ascii_lowercase(), at));
            }
            _ => continue,
        }
        for words in lines {
            match words.first() {
                Some(word) if is(word, "STARTMAPPING") => break,
                Some(word) if is(word, "ALIAS") && words.len() > 1 => {
                    all.push(line(&words[1].to_ascii_lowercase(), at));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn line(first: &[u8], second: &[u8]) -> BString {
    [first, b" ", second].concat().into()
}

/// The fonts of a folder, each with its name.
fn fonts_in(process: &mut Process<'_, '_>, folder: &BString) -> Result<Vec<BString>, Stop> {
    // By their names, which are there once.
    let mut fonts: BTreeMap<BString, BString> = BTreeMap::new();
    let scale = [&folder[..], b"/fonts.scale"].concat();
    let mut found = Vec::new();
    if let Ok(bytes) = process.machine.files.read(&scale) {
        for text in bytes.lines().skip(1) {
            let Some((file, name)) = text.trim_ascii().split_once_str(" ") else {
                continue;
            };
            found.push((name.trim_ascii().to_ascii_lowercase(), BString::from(file)));
        }
    }
    let names = process.machine.files.list(folder).unwrap_or_default();
    for file in names {
        let at = [&folder[..], b"/", &file].concat();
        let plain = file.strip_suffix(b".gz").unwrap_or(&file);
        let packed = [&b".Z"[..], b".bz2"].iter().any(|end| file.ends_with(end));
        if packed || plain.ends_with(b".snf") {
            return Err(Stop::unsupported(format!("the font {file} is not known")));
        }
        let name = if plain.ends_with(b".pcf") {
            name_in_pcf(&unpacked(process, &at)?)
        } else if plain.ends_with(b".bdf") {
            name_in_bdf(&unpacked(process, &at)?)
        } else {
            continue;
        };
        let name = name.ok_or_else(|| Stop::unsupported(format!("the font {file} has no name")))?;
        found.push((name.to_ascii_lowercase(), file));
    }
    for (name, file) in found {
        if let Some(other) = fonts.get(name.as_bstr()).filter(|other| **other != file) {
            let name = name.as_bstr();
            return Err(Stop::unsupported(format!(
                "the fonts {other} and {file} have one name, {name}"
            )));
        }
        fonts.insert(name.into(), file);
    }
    let mut lines: Vec<(BString, BString)> =
        fonts.into_iter().map(|(name, file)| (file, name)).collect();
    lines.sort_unstable();
    Ok(lines.iter().map(|(file, name)| line(file, name)).collect())
}

fn unpacked(process: &mut Process<'_, '_>, path: &[u8]) -> Result<Vec<u8>, Stop> {
    let bytes = process.machine.files.read(path);
    let bytes = bytes.map_err(|error| Stop::unsupported(format!("{}: {error}", path.as_bstr())))?;
    process.machine.spend(bytes.len() as u64 / 64)?;
    if !path.ends_with(b".gz") {
        return Ok(bytes.to_vec());
    }
    let unpacked = gzip::unpack(process, &bytes)?;
    unpacked.ok_or_else(|| Stop::unsupported(format!("{} can't be unpacked", path.as_bstr())))
}

/// The property FONT of a font in the X server's own form, the Portable Compiled Format.
fn name_in_pcf(bytes: &[u8]) -> Option<BString> {
    const PROPERTIES: u32 = 1;
    let little = |at: usize| -> Option<u32> {
        let four = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(four.try_into().ok()?))
    };
    if !bytes.starts_with(b"\x01fcp") {
        return None;
    }
    let tables = usize::try_from(little(4)?).ok()?.min(64);
    let table = (0..tables).find(|table| little(8 + table * 16) == Some(PROPERTIES))?;
    let start = usize::try_from(little(8 + table * 16 + 12)?).ok()?;
    let big_first = little(start)? & 4 != 0;
    let number = |at: usize| -> Option<usize> {
        let value = little(at)?;
        usize::try_from(if big_first { value.swap_bytes() } else { value }).ok()
    };
    let count = number(start.checked_add(4)?)?.min(bytes.len() / 9);
    let first = start.checked_add(8)?;
    // Padded to a multiple of four; the size of the texts is in front of them.
    let texts = first + (count * 9).next_multiple_of(4) + 4;
    let text = |at: usize| -> Option<&[u8]> {
        let rest = bytes.get(texts.checked_add(at)?..)?;
        Some(&rest[..rest.find_byte(0)?])
    };
    (0..count).find_map(|property| {
        let at = first + property * 9;
        let is_font = text(number(at)?)? == b"FONT" && bytes.get(at + 4) == Some(&1);
        is_font.then(|| text(number(at + 5)?).map(BString::from))?
    })
}

/// The line FONT of a font in the Bitmap Distribution Format.
fn name_in_bdf(bytes: &[u8]) -> Option<BString> {
    let mut lines = bytes.lines();
    let name = lines.find_map(|line| line.strip_prefix(b"FONT "))?;
    Some(name.trim_ascii().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::machine;

    /// A font with the one property FONT.
    fn pcf(name: &str) -> Vec<u8> {
        let mut bytes = b"\x01fcp\x01\0\0\0\x01\0\0\0\x0e\0\0\0\0\0\0\0\x18\0\0\0".to_vec();
        bytes.extend(14_u32.to_le_bytes());
        bytes.extend(1_u32.to_be_bytes());
        bytes.extend(0_u32.to_be_bytes());
        bytes.push(1);
        bytes.extend(5_u32.to_be_bytes());
        bytes.extend([0; 3]);
        bytes.extend(64_u32.to_be_bytes());
        bytes.extend(format!("FONT\0{name}\0").bytes());
        bytes
    }

    #[test]
    fn fonts_are_listed_by_their_names() {
        let mut m = machine();
        m.put("/usr/bin/mkfontscale", "\u{7f}ELF", 0o755);
        m.put("/f/fonts.scale", "1\nc.pfb -C-Sans-0\n", 0o644);
        m.put("/f/c.pfb", "", 0o644);
        m.put("/f/b.bdf", "STARTFONT 2.1\nFONT -B-Serif-10\n", 0o644);
        m.files
            .write(b"/f/a.pcf", pcf("-A-Fixed-20"), 0o644)
            .unwrap();
        m.put(
            "/e/x.enc",
            "# x\nSTARTENCODING Koi8-R\nALIAS k\nSTARTMAPPING u\nALIAS no\n",
            0o644,
        );
        let args = ["mkfontscale", "-b", "-s", "-l", "-e", "/e", "/f"];
        assert_eq!(m.run(&args).status, 0);
        let list = "3\na.pcf -a-fixed-20\nb.bdf -b-serif-10\nc.pfb -c-sans-0\n";
        assert_eq!(m.text("/f/fonts.dir"), list);
        assert_eq!(
            m.text("/f/encodings.dir"),
            "2\nk /e/x.enc\nkoi8-r /e/x.enc\n"
        );
        m.put("/f/d.bdf", "FONT -a-fixed-20\n", 0o644);
        assert!(m.run_with(&args, "").is_err());
        assert!(m.run_with(&["mkfontscale", "/f"], "").is_err());
    }

    #[test]
    fn broken_fonts_have_no_name() {
        let whole = pcf("x");
        assert_eq!(name_in_pcf(&whole).unwrap(), "x");
        for length in 0..whole.len() {
            assert_eq!(name_in_pcf(&whole[..length]), None, "{length}");
        }
        let mut wild = whole;
        wild[20..24].fill(0xff);
        assert_eq!(name_in_pcf(&wild), None);
    }
}
