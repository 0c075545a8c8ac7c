//! Whether a file is a static program for one architecture.
//!
//! Reads only the parts of the file that say so, each of a bounded length. The
//! layouts and numbers are those of the `object` crate. Nothing is executed.

use imgc_plan::{Arch, ElfKind};
use object::elf::{
    DT_NEEDED, DT_NULL, ELFCLASS64, ELFDATA2LSB, ELFMAG, ET_DYN, ET_EXEC, FileHeader32,
    FileHeader64, PT_DYNAMIC, PT_INTERP,
};
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, pod};

use crate::world::WorldError;

/// Gives at most so many bytes of the file from an offset on, as
/// [`World::read`](crate::World::read) does.
type Read<'a> = dyn FnMut(u64, usize) -> Result<Vec<u8>, WorldError> + 'a;

/// Why a file is not a static program for an architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ElfError {
    /// It is not an ELF file: `script` when it begins with `#!`.
    NotElf { script: bool },
    /// It is ELF, but of another class or byte order than the architecture's.
    Class(ElfKind),
    /// It is an object file, a core dump, or a shared library without an entry.
    NotProgram,
    /// It is for another machine.
    Machine(ElfKind),
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
/// The length of the longer of the two headers.
const HEADER: usize = size_of::<FileHeader64<Endianness>>();

/// The name of an architecture by its ELF files, for messages.
pub(crate) fn machine_name(found: ElfKind) -> String {
    if let Some(arch) = Arch::ALL.into_iter().find(|arch| arch.elf() == found) {
        return arch.to_string();
    }
    let bits = if found.wide { 64 } else { 32 };
    let order = if found.little { "little" } else { "big" };
    let name = match found.machine {
        3 | 62 => "x86",
        20 | 21 => "POWER",
        22 => "IBM Z",
        40 | 183 => "ARM",
        243 => "RISC-V",
        other => return format!("machine {other}"),
    };
    format!("{name}, {bits} bits, {order}-endian")
}

/// Checks a file of the project.
pub(crate) fn check(file: &mut Read<'_>, arch: Arch) -> Result<(), ElfError> {
    let start = file(0, HEADER).map_err(ElfError::World)?;
    if !start.starts_with(&ELFMAG) {
        let script = start.starts_with(b"#!");
        return Err(ElfError::NotElf { script });
    }
    let damaged = ElfError::Damaged;
    let (Some(class), Some(order)) = (start.get(4), start.get(5)) else {
        return Err(damaged);
    };
    let wide = *class == ELFCLASS64.0;
    let little = *order == ELFDATA2LSB.0;
    let end = if little {
        Endianness::Little
    } else {
        Endianness::Big
    };
    if wide {
        program::<FileHeader64<Endianness>>(file, &start, end, arch)
    } else {
        program::<FileHeader32<Endianness>>(file, &start, end, arch)
    }
}

/// Checks a file with this kind of header, which `start` begins with.
fn program<E: FileHeader<Endian = Endianness>>(
    file: &mut Read<'_>,
    start: &[u8],
    end: Endianness,
    arch: Arch,
) -> Result<(), ElfError> {
    let (header, _) = pod::from_bytes::<E>(start).map_err(|()| ElfError::Damaged)?;
    let found = ElfKind {
        machine: header.e_machine(end).0,
        wide: header.is_type_64(),
        little: end == Endianness::Little,
    };
    let wanted = arch.elf();
    if found.machine != wanted.machine {
        return Err(ElfError::Machine(found));
    }
    if found != wanted {
        return Err(ElfError::Class(found));
    }
    let kind = header.e_type(end);
    let entry: u64 = header.e_entry(end).into();
    if (kind != ET_EXEC && kind != ET_DYN) || entry == 0 {
        return Err(ElfError::NotProgram);
    }
    let count = usize::from(header.e_phnum(end));
    let each = size_of::<E::ProgramHeader>();
    if count == 0 || usize::from(header.e_phentsize(end)) != each {
        return Err(ElfError::Damaged);
    }
    let table = read(file, header.e_phoff(end).into(), (count * each) as u64)?;
    let (segments, _) =
        pod::slice_from_bytes::<E::ProgramHeader>(&table, count).map_err(|()| ElfError::Damaged)?;
    let mut needed = 0;
    let mut has_dynamic = false;
    for segment in segments {
        let (at, size): (u64, u64) = (segment.p_offset(end).into(), segment.p_filesz(end).into());
        let kind = segment.p_type(end);
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
            let each = size_of::<E::Dyn>();
            let (entries, _) = pod::slice_from_bytes::<E::Dyn>(&bytes, bytes.len() / each)
                .map_err(|()| ElfError::Damaged)?;
            needed += entries
                .iter()
                .map(|entry| entry.d_tag(end))
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

    /// The smallest program of an architecture: one segment, and a header.
    fn smallest(arch: Arch) -> Vec<u8> {
        let elf = arch.elf();
        let put = |out: &mut Vec<u8>, value: u64, size: usize| {
            let bytes = value.to_be_bytes();
            let bytes = &bytes[8 - size..];
            match elf.little {
                true => out.extend(bytes.iter().rev()),
                false => out.extend(bytes),
            }
        };
        let (class, order) = (1 + u8::from(elf.wide), 2 - u8::from(elf.little));
        let mut out = vec![0x7f, b'E', b'L', b'F', class, order, 1];
        out.resize(16, 0);
        let (word, header, segment) = if elf.wide { (8, 64, 56) } else { (4, 52, 32) };
        put(&mut out, 2, 2);
        put(&mut out, u64::from(elf.machine), 2);
        put(&mut out, 1, 4);
        for value in [0x1000, header, 0] {
            put(&mut out, value, word);
        }
        put(&mut out, 0, 4);
        for value in [header, segment, 1, 40, 0, 0] {
            put(&mut out, value, 2);
        }
        put(&mut out, 1, 4);
        out.resize((header + segment) as usize, 0);
        out
    }

    #[test]
    fn a_program_is_of_one_architecture() {
        for of in Arch::ALL {
            let world = MemoryWorld::new().file("p", smallest(of));
            for wanted in Arch::ALL {
                let found = check(&mut |at, len| world.read("p", at, len), wanted);
                if of == wanted {
                    assert_eq!(found, Ok(()), "{of}");
                } else {
                    assert_eq!(found, Err(ElfError::Machine(of.elf())), "{of} {wanted}");
                    assert_eq!(machine_name(of.elf()), of.debian());
                }
            }
        }
        let mut big = smallest(Arch::Ppc64el);
        big[5] = 2;
        big[18..20].reverse();
        let world = MemoryWorld::new().file("p", &big);
        let Err(ElfError::Class(found)) =
            check(&mut |at, len| world.read("p", at, len), Arch::Ppc64el)
        else {
            panic!("a file of another byte order was taken");
        };
        assert_eq!(machine_name(found), "POWER, 64 bits, big-endian");
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
