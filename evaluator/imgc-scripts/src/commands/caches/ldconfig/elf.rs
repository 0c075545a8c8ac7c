//! What ldconfig reads of an ELF file: its machine, and the name that it gives itself.

use bstr::ByteSlice as _;
use object::elf;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};
use object::{Endianness, ReadRef};

/// What ldconfig reads of a shared library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Its machine, by the number in its header.
    pub machine: u16,
    /// Whether it is of 64 bits.
    pub wide: bool,
    /// The flags in its header.
    pub flags: u32,
    /// The name that it gives itself, if any.
    pub soname: Option<Vec<u8>>,
    /// Whether it is a part of the C library for version 6 of that, or needs one.
    pub libc: bool,
}

/// By these names older versions of ldconfig tell what is for version 6 of the C library.
const LIBC: [&[u8]; 2] = [b"libc.so.6\0", b"libm.so.6\0"];

impl Library {
    /// Reads a library. None where it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if let Ok(header) = elf::FileHeader64::<Endianness>::parse(bytes) {
            return library(header, bytes);
        }
        let header = elf::FileHeader32::<Endianness>::parse(bytes).ok()?;
        library(header, bytes)
    }

    /// Whether ldconfig looks into a file of this name (glibc's `elf/dl-is_dso.h`).
    pub fn is_name(name: &[u8]) -> bool {
        let prefix = name.starts_with(b"lib") || name.starts_with(b"ld-");
        let loader = name.starts_with(b"ld.so.") || name.starts_with(b"ld64.so.");
        let dpkg = name.ends_with(b".dpkg-new") || name.ends_with(b".dpkg-tmp");
        let named = (prefix && name.find(b".so").is_some()) || loader;
        named && !dpkg && !name.ends_with(b"-gdb.py")
    }

    /// What the cache calls its machine and C library, if it is for one that `arch`, by
    /// Debian's name, is host to. `asks` says whether ldconfig looks for which C library a
    /// file of i386 is, as it did up to glibc 2.36.
    pub(super) fn kind(&self, arch: &str, asks: bool) -> Option<u32> {
        let kind = flags(arch, self.machine, self.wide, self.flags);
        match kind {
            Some(3) if asks && self.machine == 3 && !self.libc => Some(1),
            _ => kind,
        }
    }
}

fn library<'d, E, R>(header: &'d E, data: R) -> Option<Library>
where
    E: FileHeader<Endian = Endianness>,
    R: ReadRef<'d>,
{
    let endian = header.endian().ok()?;
    if header.e_type(endian) != elf::ET_DYN {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    let mut soname = None;
    let mut strings = None;
    let mut needed: Vec<u64> = Vec::new();
    let mut dynamic = false;
    for segment in segments {
        for entry in segment
            .dynamic(endian, data)
            .ok()
            .flatten()
            .unwrap_or_default()
        {
            dynamic = true;
            let value: u64 = entry.d_val(endian).into();
            match entry.d_tag(endian) {
                elf::DT_SONAME => soname = Some(value),
                elf::DT_NEEDED => needed.push(value),
                elf::DT_STRTAB => strings = Some(value),
                elf::DT_NULL => break,
                _ => {}
            }
        }
    }
    if !dynamic {
        return None;
    }
    let strings = strings.and_then(|strings| {
        // The table is given by its address: a segment says where that is in the file.
        segments.iter().find_map(|segment| {
            let address: u64 = segment.p_vaddr(endian).into();
            let size: u64 = segment.p_filesz(endian).into();
            let offset: u64 = segment.p_offset(endian).into();
            let load = segment.p_type(endian) == elf::PT_LOAD;
            let within = load && (address..address.saturating_add(size)).contains(&strings);
            within.then(|| (strings - address).saturating_add(offset))
        })
    });
    let place = |at: u64| strings?.checked_add(at);
    let is_libc = |at: u64| {
        let length = LIBC[0].len() as u64;
        let bytes = place(at).and_then(|at| data.read_bytes_at(at, length).ok());
        bytes.is_some_and(|bytes| LIBC.contains(&bytes))
    };
    let libc = needed.into_iter().chain(soname).any(is_libc);
    let soname = soname.and_then(|at| {
        let end = data.len().ok()?;
        let name = data.read_bytes_at_until(place(at)?..end, 0).ok()?;
        Some(name.to_vec())
    });
    Some(Library {
        machine: header.e_machine(endian).0,
        wide: header.is_type_64(),
        flags: header.e_flags(endian).0,
        soname,
        libc,
    })
}

/// The flags of glibc's cache for a machine, if it is one that `arch` is host to.
fn flags(arch: &str, machine: u16, wide: bool, own: u32) -> Option<u32> {
    // 3 is an ELF file for glibc 2.
    let kind = match (arch, machine, wide) {
        ("amd64" | "i386", 62, true) => 0x300,
        ("amd64" | "i386", 62, false) => 0x800,
        ("amd64" | "i386", 3, false) => 0,
        ("arm64" | "armhf" | "armel", 183, true) => 0xa00,
        ("arm64" | "armhf" | "armel", 40, false) => match own & 0x600 {
            0x400 => 0x900,
            0x200 => 0xb00,
            _ => 0,
        },
        ("ppc64el" | "ppc64", 21, true) => 0x500,
        ("s390x", 22, true) => 0x400,
        ("s390x", 22, false) => 0,
        ("riscv64", 243, true) => match own & 6 {
            4 => 0x1000,
            0 => 0xf00,
            _ => return None,
        },
        ("loong64", 258, true) => match own & 7 {
            3 => 0x1200,
            1 => 0x1100,
            _ => return None,
        },
        _ => return None,
    };
    Some(kind | 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_and_loaders_are_looked_into() {
        for name in ["libc.so.6", "ld-linux.so.3", "ld64.so.1", "ld64.so.2"] {
            assert!(Library::is_name(name.as_bytes()), "{name}");
        }
        for name in ["ld64", "liba", "x.so", "liba.so.1.dpkg-new"] {
            assert!(!Library::is_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn older_versions_ask_which_c_library_a_file_of_i386_is_for() {
        let library = |machine, libc| Library {
            machine,
            wide: machine == 62,
            flags: 0,
            soname: None,
            libc,
        };
        assert_eq!(library(3, true).kind("amd64", true), Some(3));
        assert_eq!(library(3, false).kind("amd64", true), Some(1));
        assert_eq!(library(3, false).kind("amd64", false), Some(3));
        assert_eq!(library(62, false).kind("amd64", true), Some(0x303));
        assert_eq!(library(3, true).kind("arm64", true), None);
    }
}
