//! Whether a file is a static program for one architecture.
//!
//! Reads only the parts of the file that say so, each of a bounded length. The
//! layouts and numbers are those of the `object` crate. Nothing is executed.

use imgc_plan::Arch;
use object::elf::{
    DT_NEEDED, DT_NULL, Dyn64, ELFCLASS64, ELFDATA2LSB, ELFMAG, ET_DYN, ET_EXEC, FileHeader64,
    PT_DYNAMIC, PT_INTERP, ProgramHeader64,
};
use object::{LittleEndian, pod};

use crate::world::{World, WorldError};

/// Why a file is not a static program for an architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ElfError {
    /// It is not an ELF file: `script` when it begins with `#!`.
    NotElf { script: bool },
    /// It is ELF, but not for 64 bits, little-endian.
    NotElf64,
    /// It is an object file, a core dump, or a shared library without an entry.
    NotProgram,
    /// It is for another machine.
    Machine(u16),
    /// It asks for an interpreter.
    Interpreter(String),
    /// It asks for shared libraries.
    Needs(u64),
    /// Its headers point outside the file, or are too large.
    Damaged,
    /// It could not be read.
    World(WorldError),
}

/// The longest table that is read, in bytes.
const MAX_TABLE: u64 = 4 * 1024 * 1024;
const HEADER: u64 = size_of::<FileHeader64<LittleEndian>>() as u64;
const PROGRAM_HEADER: u64 = size_of::<ProgramHeader64<LittleEndian>>() as u64;
const DYNAMIC: u64 = size_of::<Dyn64<LittleEndian>>() as u64;

/// The name of an architecture by its `e_machine`, for messages.
pub(crate) fn machine_name(machine: u16) -> String {
    if let Some(arch) = Arch::ALL.into_iter().find(|a| a.elf_machine() == machine) {
        return arch.to_string();
    }
    match machine {
        3 => "i386".to_owned(),
        21 => "ppc64".to_owned(),
        22 => "s390x".to_owned(),
        40 => "arm".to_owned(),
        243 => "riscv64".to_owned(),
        other => format!("machine {other}"),
    }
}

/// Checks the file at `path` in the project.
pub(crate) fn check(world: &dyn World, path: &str, arch: Arch) -> Result<(), ElfError> {
    let start = world
        .read(path, 0, HEADER as usize)
        .map_err(ElfError::World)?;
    if !start.starts_with(&ELFMAG) {
        let script = start.starts_with(b"#!");
        return Err(ElfError::NotElf { script });
    }
    if start.get(4) != Some(&ELFCLASS64.0) || start.get(5) != Some(&ELFDATA2LSB.0) {
        return Err(ElfError::NotElf64);
    }
    let end = LittleEndian;
    let (header, _) =
        pod::from_bytes::<FileHeader64<LittleEndian>>(&start).map_err(|()| ElfError::Damaged)?;
    let machine = header.e_machine.get(end).0;
    if machine != arch.elf_machine() {
        return Err(ElfError::Machine(machine));
    }
    let kind = header.e_type.get(end);
    if (kind != ET_EXEC && kind != ET_DYN) || header.e_entry.get(end) == 0 {
        return Err(ElfError::NotProgram);
    }
    let count = u64::from(header.e_phnum.get(end));
    if count == 0 || u64::from(header.e_phentsize.get(end)) != PROGRAM_HEADER {
        return Err(ElfError::Damaged);
    }
    let table = read(world, path, header.e_phoff.get(end), count * PROGRAM_HEADER)?;
    let (segments, _) =
        pod::slice_from_bytes::<ProgramHeader64<LittleEndian>>(&table, count as usize)
            .map_err(|()| ElfError::Damaged)?;
    let mut needed = 0;
    for segment in segments {
        let (at, size) = (segment.p_offset.get(end), segment.p_filesz.get(end));
        let kind = segment.p_type.get(end);
        if kind == PT_INTERP {
            let bytes = read(world, path, at, size.min(4096))?;
            let text = bytes.split(|&b| b == 0).next().unwrap_or_default();
            return Err(ElfError::Interpreter(
                String::from_utf8_lossy(text).into_owned(),
            ));
        }
        if kind == PT_DYNAMIC {
            let bytes = read(world, path, at, size)?;
            let (entries, _) =
                pod::slice_from_bytes::<Dyn64<LittleEndian>>(&bytes, (size / DYNAMIC) as usize)
                    .map_err(|()| ElfError::Damaged)?;
            needed += entries
                .iter()
                .map(|entry| entry.d_tag.get(end))
                .take_while(|&tag| tag != DT_NULL)
                .filter(|&tag| tag == DT_NEEDED)
                .count() as u64;
        }
    }
    if needed > 0 {
        return Err(ElfError::Needs(needed));
    }
    Ok(())
}

/// Exactly `len` bytes from `offset` on.
fn read(world: &dyn World, path: &str, offset: u64, len: u64) -> Result<Vec<u8>, ElfError> {
    if len > MAX_TABLE {
        return Err(ElfError::Damaged);
    }
    let bytes = world
        .read(path, offset, len as usize)
        .map_err(ElfError::World)?;
    if bytes.len() as u64 != len {
        return Err(ElfError::Damaged);
    }
    Ok(bytes)
}
