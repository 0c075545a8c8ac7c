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

use crate::world::WorldError;

/// Gives at most so many bytes of the file from an offset on, as
/// [`World::read`](crate::World::read) does.
type Read<'a> = dyn FnMut(u64, usize) -> Result<Vec<u8>, WorldError> + 'a;

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

/// Checks a file of the project.
pub(crate) fn check(file: &mut Read<'_>, arch: Arch) -> Result<(), ElfError> {
    let start = file(0, HEADER as usize).map_err(ElfError::World)?;
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
    let table = read(file, header.e_phoff.get(end), count * PROGRAM_HEADER)?;
    let (segments, _) =
        pod::slice_from_bytes::<ProgramHeader64<LittleEndian>>(&table, count as usize)
            .map_err(|()| ElfError::Damaged)?;
    let mut needed = 0;
    let mut has_dynamic = false;
    for segment in segments {
        let (at, size) = (segment.p_offset.get(end), segment.p_filesz.get(end));
        let kind = segment.p_type.get(end);
        if kind == PT_INTERP {
            let bytes = read(file, at, size.min(4096))?;
            let text = bytes.split(|&b| b == 0).next().unwrap_or_default();
            return Err(ElfError::Interpreter(
                String::from_utf8_lossy(text).into_owned(),
            ));
        }
        if kind == PT_DYNAMIC {
            // There is at most one (ELF specification, chapter 5): so what is read stays
            // bounded.
            if std::mem::replace(&mut has_dynamic, true) {
                return Err(ElfError::Damaged);
            }
            let bytes = read(file, at, size)?;
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
fn read(file: &mut Read<'_>, offset: u64, len: u64) -> Result<Vec<u8>, ElfError> {
    if len > MAX_TABLE {
        return Err(ElfError::Damaged);
    }
    let bytes = file(offset, len as usize).map_err(ElfError::World)?;
    if bytes.len() as u64 != len {
        return Err(ElfError::Damaged);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryWorld;
    use crate::world::World;

    /// A program of the kind `kind` with these segments: type, offset, length.
    fn program(kind: u16, count: u16, segments: &[(u32, u64, u64)], rest: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        bytes.resize(16, 0);
        bytes.extend(kind.to_le_bytes());
        bytes.extend(62u16.to_le_bytes());
        bytes.extend(1u32.to_le_bytes());
        for word in [0x1000u64, 64, 0] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend(0u32.to_le_bytes());
        for half in [64, 56, count, 64, 0, 0] {
            bytes.extend(half.to_le_bytes());
        }
        for &(segment, at, size) in segments {
            bytes.extend(segment.to_le_bytes());
            bytes.extend(5u32.to_le_bytes());
            for word in [at, 0, 0, size, size, 8] {
                bytes.extend(word.to_le_bytes());
            }
        }
        bytes.extend(rest);
        bytes
    }

    fn checked(bytes: &[u8]) -> Result<(), ElfError> {
        let world = MemoryWorld::new().file("p", bytes);
        check(&mut |at, len| world.read("p", at, len), Arch::Amd64)
    }

    fn words(words: &[u64]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn static_pie_has_a_dynamic_segment_without_needs() {
        // DT_FLAGS_1 with DF_1_PIE, DT_NULL, and a DT_NEEDED after it that counts for nothing.
        let dynamic = words(&[0x6fff_fffb, 0x0800_0000, 0, 0, 1, 7]);
        let segments = [(1, 0, 64), (2, 176, 48)];
        assert_eq!(checked(&program(3, 2, &segments, &dynamic)), Ok(()));
        assert_eq!(checked(&program(2, 2, &segments, &dynamic)), Ok(()));
        let needs = words(&[1, 7, 1, 8, 0, 0]);
        assert_eq!(
            checked(&program(3, 2, &segments, &needs)),
            Err(ElfError::Needs(2))
        );
    }

    #[test]
    fn damaged_headers_are_said_to_be_so() {
        let good = program(3, 1, &[(1, 0, 64)], &[]);
        assert_eq!(checked(&good), Ok(()));
        for length in 6..good.len() {
            assert_eq!(checked(&good[..length]), Err(ElfError::Damaged), "{length}");
        }
        let damaged = [
            program(3, 0, &[], &[]),
            // As many headers as can be said, and none of them there.
            program(3, u16::MAX, &[(1, 0, 0)], &[]),
            program(3, 1, &[(2, u64::MAX - 8, 16)], &[]),
            program(3, 1, &[(2, 0, u64::MAX)], &[]),
            program(3, 1, &[(3, 0, u64::MAX)], &[]),
            // Two dynamic segments.
            program(3, 2, &[(2, 176, 16), (2, 176, 16)], &[0; 16]),
        ];
        for bytes in damaged {
            assert_eq!(checked(&bytes), Err(ElfError::Damaged));
        }
        let long = program(3, 1, &[(3, 120, 5)], b"/lib\0");
        assert_eq!(
            checked(&long),
            Err(ElfError::Interpreter("/lib".to_owned()))
        );
        let library = program(1, 1, &[(1, 0, 0)], &[]);
        assert_eq!(checked(&library), Err(ElfError::NotProgram));
    }
}
