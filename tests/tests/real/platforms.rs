//! Images for other processors than this machine's: every ELF file in them is for the
//! architecture that was asked for, by a reader of the test's own, and their programs run
//! under qemu's user mode. glibc's own ldconfig finds the cache as it is.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use imgc_tests::layout::Layout;
use imgc_tests::sandbox::Outcome;

use crate::mirror::Mirror;
use crate::place::{PLACE, imgc_command, run};

/// What the program of each architecture ends with.
const ANSWER: i32 = 42;

/// An architecture, in the words of those who are asked.
struct Machine {
    debian: &'static str,
    /// As `--platform` has it.
    platform: &'static str,
    /// As qemu has it.
    qemu: &'static str,
    /// As the kernel has it.
    kernel: &'static str,
    /// `e_machine`, `EI_CLASS`, `EI_DATA`, and the flags of a program.
    elf: (u16, u8, u8, u32),
    /// Instructions that end the process with [`ANSWER`].
    code: &'static [u8],
}

const ARM64: Machine = Machine {
    debian: "arm64",
    platform: "linux/arm64",
    qemu: "aarch64",
    kernel: "aarch64",
    elf: (183, 2, 1, 0),
    // mov x8, #93; mov x0, #42; svc #0
    code: &[
        0xa8, 0x0b, 0x80, 0xd2, 0x40, 0x05, 0x80, 0xd2, 1, 0, 0, 0xd4,
    ],
};
const ARMHF: Machine = Machine {
    debian: "armhf",
    platform: "linux/arm/v7",
    qemu: "arm",
    kernel: "armv7l",
    elf: (40, 1, 1, 0x0500_0400),
    // mov r7, #1; mov r0, #42; svc #0
    code: &[1, 0x70, 0xa0, 0xe3, 42, 0, 0xa0, 0xe3, 0, 0, 0, 0xef],
};
const RISCV64: Machine = Machine {
    debian: "riscv64",
    platform: "linux/riscv64",
    qemu: "riscv64",
    kernel: "riscv64",
    elf: (243, 2, 1, 5),
    // li a7, 93; li a0, 42; ecall
    code: &[
        0x93, 0x08, 0xd0, 0x05, 0x13, 0x05, 0xa0, 0x02, 0x73, 0, 0, 0,
    ],
};
const I386: Machine = Machine {
    debian: "i386",
    platform: "linux/386",
    qemu: "i386",
    kernel: "i686",
    elf: (3, 1, 1, 0),
    // mov $1, %eax; mov $42, %ebx; int $0x80
    code: &[0xb8, 1, 0, 0, 0, 0xbb, 42, 0, 0, 0, 0xcd, 0x80],
};
const PPC64EL: Machine = Machine {
    debian: "ppc64el",
    platform: "linux/ppc64le",
    qemu: "ppc64le",
    kernel: "ppc64le",
    elf: (21, 2, 1, 2),
    // li r0, 1; li r3, 42; sc
    code: &[1, 0, 0, 0x38, 42, 0, 0x60, 0x38, 2, 0, 0, 0x44],
};
const S390X: Machine = Machine {
    debian: "s390x",
    platform: "linux/s390x",
    qemu: "s390x",
    kernel: "s390x",
    elf: (22, 2, 2, 0),
    // lghi %r2, 42; svc 1
    code: &[0xa7, 0x29, 0, 42, 0x0a, 1],
};

impl Machine {
    /// A static program of one segment: the headers, and the instructions behind them.
    fn program(&self) -> Vec<u8> {
        let (machine, class, order, flags) = self.elf;
        let mut out = vec![0x7f, b'E', b'L', b'F', class, order, 1];
        out.resize(16, 0);
        let put = |out: &mut Vec<u8>, value: u64, size: usize| {
            let bytes = value.to_be_bytes();
            let bytes = &bytes[8 - size..];
            match order {
                1 => out.extend(bytes.iter().rev()),
                _ => out.extend(bytes),
            }
        };
        let wide = class == 2;
        let (word, header, segment) = if wide { (8, 64, 56) } else { (4, 52, 32) };
        let (base, start) = (0x1_0000, header + segment);
        let length = start + self.code.len() as u64;
        put(&mut out, 2, 2);
        put(&mut out, machine.into(), 2);
        put(&mut out, 1, 4);
        for value in [base + start, header, 0] {
            put(&mut out, value, word);
        }
        put(&mut out, flags.into(), 4);
        for value in [header, segment, 1, if wide { 64 } else { 40 }, 0, 0] {
            put(&mut out, value, 2);
        }
        // Read and run; where its flags stand is what the two classes differ in.
        put(&mut out, 1, 4);
        if wide {
            put(&mut out, 5, 4);
        }
        for value in [0, base, base, length, length] {
            put(&mut out, value, word);
        }
        if !wide {
            put(&mut out, 5, 4);
        }
        put(&mut out, 0x1000, word);
        out.extend(self.code);
        out
    }

    /// Runs a program of the root folder with its processor played by qemu.
    fn run(&self, root: &Path, args: &[&str]) -> Outcome {
        let mut command = Command::new("chroot");
        command.arg(root).arg("/qemu").args(args);
        run(command.env_clear().env("PATH", "/usr/sbin:/usr/bin"))
    }
}

/// Builds an index of a file for these machines, into the folder `layout`.
#[track_caller]
fn build(name: &str, file: &Path, machines: &[&Machine], layout: &Path) -> Outcome {
    let arches: Vec<&str> = machines.iter().map(|machine| machine.debian).collect();
    let platforms: Vec<&str> = machines.iter().map(|one| one.platform).collect();
    let mut command = imgc_command();
    command
        .arg("build")
        .arg(file)
        .args(["--platform", &platforms.join(",")])
        .args(["-o", &format!("oci:{}", layout.display())]);
    run(Mirror::new(name, &arches).serve(&mut command))
}

/// How many ELF files are below a folder, where all of them are for a machine.
#[track_caller]
fn count_elf(root: &Path, machine: &Machine) -> usize {
    let mut count = 0;
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let kind = entry.file_type().expect("its kind");
            if kind.is_dir() {
                folders.push(entry.path());
            }
            if !kind.is_file() {
                continue;
            }
            let mut start = Vec::new();
            let file = std::fs::File::open(entry.path()).expect("a file");
            file.take(20)
                .read_to_end(&mut start)
                .expect("its beginning");
            if !start.starts_with(b"\x7fELF") {
                continue;
            }
            let two = [start[18], start[19]];
            let found = match start[5] {
                1 => u16::from_le_bytes(two),
                _ => u16::from_be_bytes(two),
            };
            let (wanted, class, order, _) = machine.elf;
            assert_eq!(
                (found, start[4], start[5]),
                (wanted, class, order),
                "{} is not for {}",
                entry.path().display(),
                machine.debian
            );
            count += 1;
        }
    }
    count
}

/// Writes an image's files into a folder, with qemu for its machine beside them.
#[track_caller]
fn unpack(layout: &Path, machine: &Machine) -> PathBuf {
    let root = layout.with_extension(machine.debian);
    let mut command = imgc_command();
    command.arg("export").arg(layout);
    command.args(["--platform", machine.platform, "-o"]);
    run(command.arg(format!("dir:{}", root.display()))).succeeds();
    root
}

fn give_qemu(root: &Path, machine: &Machine) {
    let qemu = format!("/usr/bin/qemu-{}-static", machine.qemu);
    std::fs::copy(&qemu, root.join("qemu")).unwrap_or_else(|error| panic!("{qemu}: {error}"));
    // perl opens it, and an empty file does.
    std::fs::write(root.join("dev/null"), "").expect("a file");
}

/// What holds for every image with a C library and dpkg.
#[track_caller]
fn check(root: &Path, machine: &Machine) {
    let count = count_elf(root, machine);
    assert!(count > 100, "only {count} ELF files");
    give_qemu(root, machine);
    let says = |args: &[&str]| machine.run(root, args).succeeds().stdout.clone();
    assert_eq!(says(&["/usr/bin/uname", "-m"]).trim(), machine.kernel);
    let words = ["/usr/bin/dpkg", "--print-architecture"];
    assert_eq!(says(&words).trim(), machine.debian);
    assert_eq!(says(&["/usr/bin/dpkg", "--audit"]), "");
    assert_eq!(says(&["/bin/sh", "-c", "echo $((6 * 7))"]), "42\n");
    // glibc's own ldconfig makes the same cache, to the byte.
    says(&["/usr/sbin/ldconfig", "-X", "-C", "/tmp/cache"]);
    let read = |path: &str| std::fs::read(root.join(path)).expect("a cache");
    assert!(
        read("tmp/cache") == read("etc/ld.so.cache"),
        "ldconfig makes another cache for {}",
        machine.debian
    );
}

/// Folders of programs, and a file that names all of them.
fn project(name: &str, text: &str, machines: &[&Machine]) -> PathBuf {
    let project = PLACE.join("out").join(name);
    std::fs::create_dir_all(project.join(".git")).expect("a folder");
    for machine in machines {
        let path = project.join(machine.debian);
        std::fs::write(&path, machine.program()).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    }
    let programs = machines.iter().map(|one| one.debian);
    let programs: String = programs
        .map(|name| format!("{name} = ./{name}; "))
        .collect();
    let file = project.join("app.img");
    std::fs::write(&file, text.replace("PROGRAMS", &programs)).expect("a file");
    file
}

#[test]
fn python_and_a_static_program_for_three_other_processors() {
    let machines = [&ARM64, &ARMHF, &RISCV64];
    let text = r#"let debian = import std/debian; in
debian.image {
  suite = "trixie";
  packages = ["python3"];
  files = { "/usr/bin/answer" = binary { PROGRAMS}; };
}
"#;
    let file = project("processors", text, &machines);
    let layout = PLACE.join("out/processors.oci");
    let outcome = build("processors", &file, &machines, &layout);
    let (digest, images) = Layout::open_index(&layout);
    assert_eq!(outcome.digest(), digest);
    let platforms: Vec<&str> = images.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        platforms,
        ["linux/arm64/v8", "linux/arm/v7", "linux/riscv64"]
    );
    std::thread::scope(|scope| {
        for machine in machines {
            let layout = &layout;
            scope.spawn(move || {
                let root = unpack(layout, machine);
                check(&root, machine);
                let answer = machine.run(&root, &["/usr/bin/answer"]);
                assert_eq!(answer.code, Some(ANSWER), "{answer:?}");
                let program = "import ctypes, hashlib, platform, sys; \
                     print(platform.machine(), ctypes.sizeof(ctypes.c_void_p), sys.byteorder, \
                     hashlib.sha256(b'').hexdigest()[:8])";
                let said = machine.run(&root, &["/usr/bin/python3", "-c", program]);
                let size = if machine.elf.1 == 2 { 8 } else { 4 };
                assert_eq!(
                    said.succeeds().stdout,
                    format!("{} {size} little e3b0c442\n", machine.kernel)
                );
                std::fs::remove_dir_all(root).expect("the folder goes");
            });
        }
    });
}

#[test]
fn the_essential_packages_of_the_other_architectures() {
    let machines = [&I386, &PPC64EL, &S390X];
    let text = r#"let debian = import std/debian; in
debian.image {
  suite = "trixie";
  variant = "essential";
  files = { "/usr/bin/answer" = binary { PROGRAMS}; };
}
"#;
    let file = project("essential", text, &machines);
    let layout = PLACE.join("out/essential.oci");
    let outcome = build("essential", &file, &machines, &layout);
    let (digest, images) = Layout::open_index(&layout);
    assert_eq!(outcome.digest(), digest);
    let platforms: Vec<&str> = images.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(platforms, ["linux/386", "linux/ppc64le", "linux/s390x"]);
    std::thread::scope(|scope| {
        for machine in machines {
            let layout = &layout;
            scope.spawn(move || {
                let root = unpack(layout, machine);
                check(&root, machine);
                let answer = machine.run(&root, &["/usr/bin/answer"]);
                assert_eq!(answer.code, Some(ANSWER), "{answer:?}");
                let program = "print unpack('H*', pack('I', 1)), ' ', length(pack('P', 'x'))";
                let said = machine.run(&root, &["/usr/bin/perl", "-e", program]);
                let order = if machine.elf.2 == 1 {
                    "01000000"
                } else {
                    "00000001"
                };
                let size = if machine.elf.1 == 2 { 8 } else { 4 };
                assert_eq!(said.succeeds().stdout, format!("{order} {size}"));
                std::fs::remove_dir_all(root).expect("the folder goes");
            });
        }
    });
}
