//! What a dynamic loader reads of an ELF file. Layouts and numbers are those of the
//! `object` crate; the loader goes by segments, never by sections, and so does this.
//!
//! Files may be anybody's: every offset, count and length is checked.

use std::cell::Cell;

use imgc_plan::ElfKind;
use object::elf;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, ReadRef};

/// How many entries of one kind a file may have.
const MAX_ENTRIES: usize = 16 * 1024;

/// How many bytes all texts of a file have at most.
const MAX_TEXTS: usize = 1 << 20;

/// The longest name, in bytes.
const MAX_NAME: u64 = 4096;

/// What is known of a dynamic ELF file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What it is for.
    pub(crate) kind: ElfKind,
    /// The program that loads it (`PT_INTERP`).
    pub(crate) interpreter: Option<String>,
    /// The libraries that it asks for, in order.
    pub(crate) needed: Vec<String>,
    /// The name that it gives itself.
    pub(crate) soname: Option<String>,
    /// Where its libraries are, and those of its libraries (`DT_RPATH`).
    pub(crate) rpath: Option<String>,
    /// Where its libraries are (`DT_RUNPATH`).
    pub(crate) runpath: Option<String>,
    /// Whether the usual folders are not looked into.
    pub(crate) no_default: bool,
    /// The versions that it asks for: of which library, which one.
    pub(crate) asks: Vec<(String, String)>,
    /// The versions that it has.
    pub(crate) has: Vec<String>,
}

/// It is said to be ELF, and can't be read as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged;

/// Whether a file that begins so is an ELF file.
pub(crate) fn is_elf(start: &[u8]) -> bool {
    start.starts_with(&elf::ELFMAG)
}

/// Reads a file. None for one that no loader links: a static program, an object file.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Facts>, Damaged> {
    // The class stands behind the magic number.
    match bytes.get(4) {
        Some(2) => facts(elf::FileHeader64::<Endianness>::parse(bytes), bytes),
        Some(1) => facts(elf::FileHeader32::<Endianness>::parse(bytes), bytes),
        _ => Err(Damaged),
    }
}

/// A table of strings, and where addresses are in the file.
struct Texts<'d> {
    bytes: &'d [u8],
    start: u64,
    size: u64,
    /// How many bytes of texts may still be taken out: several may be one.
    left: Cell<usize>,
}

impl Texts<'_> {
    fn get(&self, at: u64) -> Result<String, Damaged> {
        if at >= self.size {
            return Err(Damaged);
        }
        let start = self.start.checked_add(at).ok_or(Damaged)?;
        let most = (self.size - at).min(MAX_NAME + 1);
        let end = start.checked_add(most).ok_or(Damaged)?;
        let found = self.bytes.read_bytes_at_until(start..end, 0);
        let found = found.map_err(|()| Damaged)?;
        let left = self.left.get().checked_sub(found.len()).ok_or(Damaged)?;
        self.left.set(left);
        Ok(String::from_utf8_lossy(found).into_owned())
    }
}

/// The entries of the dynamic segment that count here.
#[derive(Default)]
struct Dynamic {
    strings: Option<(u64, u64)>,
    needed: Vec<u64>,
    soname: Option<u64>,
    rpath: Option<u64>,
    runpath: Option<u64>,
    flags: u64,
    verneed: Option<u64>,
    verneed_count: u64,
    verdef: Option<u64>,
    verdef_count: u64,
}

fn facts<E: FileHeader<Endian = Endianness>>(
    header: Result<&E, object::read::Error>,
    bytes: &[u8],
) -> Result<Option<Facts>, Damaged> {
    let header = header.map_err(|_| Damaged)?;
    let end = header.endian().map_err(|_| Damaged)?;
    let kind = header.e_type(end);
    if kind != elf::ET_EXEC && kind != elf::ET_DYN {
        return Ok(None);
    }
    let segments = header.program_headers(end, bytes).map_err(|_| Damaged)?;
    let mut interpreter = None;
    let mut dynamic: Option<&[E::Dyn]> = None;
    for segment in segments {
        if segment.p_type(end) == elf::PT_INTERP {
            let size: u64 = segment.p_filesz(end).into();
            if size == 0 {
                // Debugging information alone: nothing starts it.
                return Ok(None);
            }
            let text = segment.data(end, bytes).map_err(|()| Damaged)?;
            let text = text.split(|&b| b == 0).next().unwrap_or_default();
            if text.is_empty() || text.len() as u64 > MAX_NAME {
                return Err(Damaged);
            }
            interpreter = Some(String::from_utf8_lossy(text).into_owned());
        }
        if let Some(found) = segment.dynamic(end, bytes).map_err(|_| Damaged)? {
            dynamic.get_or_insert(found);
        }
    }
    let Some(entries) = dynamic else {
        // A program with an interpreter and nothing to link asks for that all the same.
        return match interpreter {
            None => Ok(None),
            Some(_) => Ok(Some(Facts::of(header, end, interpreter))),
        };
    };
    let entries = collect::<E>(entries, end)?;
    // Addresses, to places in the file.
    let place = |address: u64| {
        let found = segments.iter().find_map(|segment| {
            let from: u64 = segment.p_vaddr(end).into();
            let size: u64 = segment.p_filesz(end).into();
            let offset: u64 = segment.p_offset(end).into();
            let is_load = segment.p_type(end) == elf::PT_LOAD;
            let inside = is_load && address >= from && address - from < size;
            inside.then(|| offset.checked_add(address - from)).flatten()
        });
        found.ok_or(Damaged)
    };
    let mut facts = Facts::of(header, end, interpreter);
    let asks_nothing = entries.needed.is_empty() && entries.soname.is_none();
    if asks_nothing && facts.interpreter.is_none() {
        // Static, and position-independent.
        return Ok(None);
    }
    let (address, size) = entries.strings.ok_or(Damaged)?;
    let texts = Texts {
        bytes,
        start: place(address)?,
        size,
        left: Cell::new(MAX_TEXTS),
    };
    let text = |at: Option<u64>| at.map(|at| texts.get(at)).transpose();
    facts.needed = entries
        .needed
        .iter()
        .map(|at| texts.get(*at))
        .collect::<Result<_, _>>()?;
    facts.soname = text(entries.soname)?;
    facts.rpath = text(entries.rpath)?;
    facts.runpath = text(entries.runpath)?;
    facts.no_default = entries.flags & elf::DF_1_NODEFLIB.0 != 0;
    if let Some(at) = entries.verneed {
        facts.asks = asked(bytes, end, place(at)?, entries.verneed_count, &texts)?;
    }
    if let Some(at) = entries.verdef {
        facts.has = defined(bytes, end, place(at)?, entries.verdef_count, &texts)?;
    }
    Ok(Some(facts))
}

impl Facts {
    fn of<E: FileHeader<Endian = Endianness>>(
        header: &E,
        end: Endianness,
        interpreter: Option<String>,
    ) -> Self {
        Self {
            kind: ElfKind {
                machine: header.e_machine(end).0,
                wide: header.is_type_64(),
                little: end == Endianness::Little,
            },
            interpreter,
            needed: Vec::new(),
            soname: None,
            rpath: None,
            runpath: None,
            no_default: false,
            asks: Vec::new(),
            has: Vec::new(),
        }
    }
}

fn collect<E: FileHeader<Endian = Endianness>>(
    entries: &[E::Dyn],
    end: Endianness,
) -> Result<Dynamic, Damaged> {
    let mut all = Dynamic::default();
    let mut strings = (None, None);
    for entry in entries {
        let value: u64 = entry.d_val(end).into();
        match entry.d_tag(end) {
            elf::DT_NULL => break,
            elf::DT_NEEDED => all.needed.push(value),
            elf::DT_SONAME => all.soname = Some(value),
            elf::DT_RPATH => all.rpath = Some(value),
            elf::DT_RUNPATH => all.runpath = Some(value),
            elf::DT_STRTAB => strings.0 = Some(value),
            elf::DT_STRSZ => strings.1 = Some(value),
            elf::DT_FLAGS_1 => all.flags = value,
            elf::DT_VERNEED => all.verneed = Some(value),
            elf::DT_VERNEEDNUM => all.verneed_count = value,
            elf::DT_VERDEF => all.verdef = Some(value),
            elf::DT_VERDEFNUM => all.verdef_count = value,
            _ => {}
        }
        if all.needed.len() > MAX_ENTRIES {
            return Err(Damaged);
        }
    }
    all.strings = strings.0.zip(strings.1);
    Ok(all)
}

/// The versions that a file asks for (`DT_VERNEED`), without those that may be missing.
fn asked(
    bytes: &[u8],
    end: Endianness,
    mut at: u64,
    count: u64,
    texts: &Texts<'_>,
) -> Result<Vec<(String, String)>, Damaged> {
    let mut all = Vec::new();
    let mut left = MAX_ENTRIES;
    for _ in 0..count {
        left = left.checked_sub(1).ok_or(Damaged)?;
        let need: &elf::Verneed<Endianness> = bytes.read_at(at).map_err(|()| Damaged)?;
        let file = texts.get(need.vn_file.get(end).into())?;
        let mut inner = next(at, need.vn_aux.get(end))?;
        for _ in 0..need.vn_cnt.get(end) {
            left = left.checked_sub(1).ok_or(Damaged)?;
            let aux: &elf::Vernaux<Endianness> = bytes.read_at(inner).map_err(|()| Damaged)?;
            // VER_FLG_WEAK: nothing is said where it is missing.
            if aux.vna_flags.get(end).0 & 2 == 0 {
                all.push((file.clone(), texts.get(aux.vna_name.get(end).into())?));
            }
            let step = aux.vna_next.get(end);
            if step == 0 {
                break;
            }
            inner = next(inner, step)?;
        }
        let step = need.vn_next.get(end);
        if step == 0 {
            break;
        }
        at = next(at, step)?;
    }
    Ok(all)
}

/// The versions that a file has (`DT_VERDEF`).
fn defined(
    bytes: &[u8],
    end: Endianness,
    mut at: u64,
    count: u64,
    texts: &Texts<'_>,
) -> Result<Vec<String>, Damaged> {
    let mut all = Vec::new();
    if count > MAX_ENTRIES as u64 {
        return Err(Damaged);
    }
    for _ in 0..count {
        let def: &elf::Verdef<Endianness> = bytes.read_at(at).map_err(|()| Damaged)?;
        // The first name is its own, the others are those of versions that it is made of.
        if def.vd_cnt.get(end) > 0 {
            let inner = next(at, def.vd_aux.get(end))?;
            let aux: &elf::Verdaux<Endianness> = bytes.read_at(inner).map_err(|()| Damaged)?;
            all.push(texts.get(aux.vda_name.get(end).into())?);
        }
        let step = def.vd_next.get(end);
        if step == 0 {
            break;
        }
        at = next(at, step)?;
    }
    Ok(all)
}

fn next(at: u64, step: u32) -> Result<u64, Damaged> {
    at.checked_add(step.into()).ok_or(Damaged)
}
