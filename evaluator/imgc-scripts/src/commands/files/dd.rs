//! dd: parts of files, copied by blocks.

use bstr::{BString, ByteSlice as _};

use super::failed;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::{Stop, Why};

pub(super) const NATIVES: &[Native] = &[Native {
    name: "dd",
    origin: Origin::Essential,
    run: dd,
}];

/// What is asked for.
#[derive(Debug, Default)]
struct Job {
    from: Option<BString>,
    to: Option<BString>,
    input: usize,
    output: usize,
    skip: usize,
    seek: usize,
    count: Option<usize>,
    /// `conv=notrunc`
    keep: bool,
    /// Whether counts and places are in bytes.
    bytes: [bool; 3],
}

fn dd(process: &mut Process<'_, '_>) -> Outcome {
    let mut job = Job {
        input: 512,
        output: 512,
        ..Job::default()
    };
    for arg in process.args.split_off(1) {
        if let Err(error) = job.operand(&arg)? {
            return failed(process, error);
        }
    }
    let bytes = match job.read(process)? {
        Ok(bytes) => bytes,
        Err(error) => return failed(process, error),
    };
    process.machine.spend(bytes.len() as u64 / 256)?;
    let seek = match job.bytes[2] {
        true => job.seek,
        false => job.seek.saturating_mul(job.output),
    };
    let Some(to) = &job.to else {
        if seek > 0 {
            return Err(Stop::unsupported("dd seek= in a stream is not known"));
        }
        process.out(bytes);
        return Ok(Status::OK);
    };
    let path = process.path(to);
    if path == "/dev/null" {
        return Ok(Status::OK);
    }
    let mode = 0o666 & !process.umask;
    let limit = process.machine.setup.limits.file;
    let files = &mut process.machine.files;
    let made = files.create(&path, mode).and_then(|ino| {
        let held = files.read_ino(ino)?;
        let end = seek.saturating_add(bytes.len());
        if end > limit {
            files.fault = Some(Stop::new(Why::Budget("a file gets too large")));
            return Err(crate::Errno::Io);
        }
        let mut all = held.as_slice().to_vec();
        if !job.keep {
            all.truncate(seek);
        }
        all.resize(all.len().max(end), 0);
        all[seek..end].copy_from_slice(&bytes);
        files.set(ino, all)
    });
    match made {
        Ok(()) => Ok(Status::OK),
        Err(error) => failed(process, format_args!("failed to open '{to}': {error}")),
    }
}

impl Job {
    /// Reads `name=value`. What is wrong is dd's own mistake; what is not known stops.
    fn operand(&mut self, arg: &BString) -> Result<Result<(), String>, Stop> {
        let wrong = || Ok(Err(format!("unrecognized operand '{arg}'")));
        let Some((name, value)) = arg.split_once_str("=") else {
            return wrong();
        };
        match name {
            b"if" => self.from = Some(value.into()),
            b"of" => self.to = Some(value.into()),
            b"status" => {}
            b"conv" | b"oflag" | b"iflag" => {
                for word in value.split(|&b| b == b',') {
                    match word {
                        b"notrunc" => self.keep = true,
                        b"fsync" | b"fdatasync" | b"noerror" | b"sync" | b"dsync"
                        | b"fullblock"
                            if word != b"sync" || name != b"conv" => {}
                        b"skip_bytes" => self.bytes[1] = true,
                        b"seek_bytes" => self.bytes[2] = true,
                        b"count_bytes" => self.bytes[0] = true,
                        _ => return Err(Stop::unsupported(format!("dd {arg} is not known"))),
                    }
                }
            }
            b"bs" | b"ibs" | b"obs" | b"count" | b"skip" | b"seek" | b"iseek" | b"oseek" => {
                let Some(number) = number(value) else {
                    return Ok(Err(format!("invalid number: '{}'", value.as_bstr())));
                };
                match name {
                    b"bs" => (self.input, self.output) = (number, number),
                    b"ibs" => self.input = number,
                    b"obs" => self.output = number,
                    b"count" => self.count = Some(number),
                    b"skip" | b"iseek" => self.skip = number,
                    _ => self.seek = number,
                }
                if name.ends_with(b"bs") && number == 0 {
                    return Ok(Err(format!("invalid number: '{}'", value.as_bstr())));
                }
            }
            _ => return wrong(),
        }
        Ok(Ok(()))
    }

    fn read(&self, process: &mut Process<'_, '_>) -> Result<Result<Vec<u8>, String>, Stop> {
        let size = |count: usize, plain: bool| match plain {
            true => count,
            false => count.saturating_mul(self.input),
        };
        let most = self.count.map(|count| size(count, self.bytes[0]));
        let name = self.from.clone().unwrap_or_else(|| "-".into());
        if process.path(&name) == "/dev/zero" {
            let most = most.ok_or_else(|| Stop::unsupported("/dev/zero has no end"))?;
            if most > process.machine.setup.limits.file {
                return Err(Stop::new(Why::Budget("a file gets too large")));
            }
            return Ok(Ok(vec![0; most]));
        }
        let all = match process.input(&name) {
            Ok(all) => all,
            Err(error) => return Ok(Err(format!("failed to open '{name}': {error}"))),
        };
        let from = size(self.skip, self.bytes[1]).min(all.len());
        let rest = &all[from..];
        let most = most.map_or(rest.len(), |most| most.min(rest.len()));
        Ok(Ok(rest[..most].to_vec()))
    }
}

/// A number with its unit: `4k`, `1M`, `2MB`, `3x512`.
fn number(text: &[u8]) -> Option<usize> {
    let mut product: usize = 1;
    for part in text.split(|&b| b == b'x') {
        let end = part.iter().position(|b| !b.is_ascii_digit());
        let (digits, unit) = part.split_at(end.unwrap_or(part.len()));
        let unit = match unit {
            b"" | b"c" | b"B" => 1,
            b"w" => 2,
            b"b" => 512,
            b"k" | b"K" | b"KiB" => 1 << 10,
            b"M" | b"MiB" => 1 << 20,
            b"G" | b"GiB" => 1 << 30,
            b"kB" | b"KB" => 1000,
            b"MB" => 1_000_000,
            b"GB" => 1_000_000_000,
            _ => return None,
        };
        let count: usize = digits.to_str().ok()?.parse().ok()?;
        product = product.checked_mul(count)?.checked_mul(unit)?;
    }
    Some(product)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn blocks_are_copied() {
        let mut machine = machine();
        machine.put("/a", "0123456789", 0o644);
        machine.put("/b", "abcdefghij", 0o644);
        let dd = |args: &str| {
            let mut all = vec!["dd"];
            all.extend(args.split(' '));
            all.iter().map(|&arg| arg.to_owned()).collect::<Vec<_>>()
        };
        let mut run = |args: &str| {
            let args = dd(args);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            machine.run_with(&args, "input")
        };
        assert_eq!(
            run("if=/a bs=2 skip=1 count=2 status=none").unwrap().out,
            "2345"
        );
        assert_eq!(run("bs=1 count=3").unwrap().out, "inp");
        run("if=/a of=/b bs=1 count=2 seek=4 conv=notrunc").unwrap();
        run("if=/a of=/c bs=1 count=2 seek=3").unwrap();
        run("if=/dev/zero of=/z bs=1k count=2").unwrap();
        assert!(run("if=/dev/urandom of=/z count=1").is_err());
        assert!(run("if=/dev/zero of=/z").is_err());
        assert!(run("if=/a conv=ucase").is_err());
        assert_eq!(run("if=/none").unwrap().status, 1);
        assert_eq!(machine.text("/b"), "abcd01ghij");
        assert_eq!(machine.text("/c"), "\0\0\x0001");
        assert_eq!(machine.text("/z").len(), 2048);
    }
}
