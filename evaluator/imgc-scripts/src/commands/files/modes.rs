//! File modes as chmod's operand has them: octal, and the symbolic form. It must not
//! touch a file.

/// The bits of user, group and others, and those of set-id and sticky.
const USER: u32 = 0o4700;
const GROUP: u32 = 0o2070;
const OTHERS: u32 = 0o1007;
const ALL: u32 = 0o7777;
const SET_ID: u32 = 0o6000;

/// A change of mode, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    op: u8,
    what: What,
    /// Whose bits; 0 for nobody named, where the umask decides.
    whose: u32,
    /// Bits that were named, and so are changed on folders too.
    named: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Bits(u32),
    /// The bits, and execution where the file has some or is a folder.
    BitsAndX(u32),
    /// What the file gives to those of this mask.
    Copy(u32),
}

impl Change {
    /// Reads `0644`, `u=rwx,g+rX,o-w`, `+x`, `u=g`. None where it is none.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        if text.first().is_some_and(u8::is_ascii_digit) {
            let value = octal(text)?;
            let named = if text.len() < 5 {
                (value & SET_ID) | 0o1777
            } else {
                ALL
            };
            return Some(Self(vec![Step {
                op: b'=',
                what: What::Bits(value),
                whose: ALL,
                named,
            }]));
        }
        let mut steps = Vec::new();
        for clause in text.split(|&b| b == b',') {
            clause_steps(clause, &mut steps)?;
        }
        Some(Self(steps))
    }

    /// The mode that this makes of `old`.
    pub(crate) fn apply(&self, old: u32, folder: bool, umask: u32) -> u32 {
        self.apply_named(old, folder, umask).0
    }

    /// The mode that this makes of `old`, and which bits were decided by it.
    pub(crate) fn apply_named(&self, old: u32, folder: bool, umask: u32) -> (u32, u32) {
        let mut mode = old & ALL;
        let mut decided = 0;
        for step in &self.0 {
            let kept = if folder { SET_ID & !step.named } else { 0 };
            let value = match step.what {
                What::Bits(bits) => bits,
                What::BitsAndX(bits) if folder || mode & 0o111 != 0 => bits | 0o111,
                What::BitsAndX(bits) => bits,
                What::Copy(of) => {
                    let bits = mode & of & 0o777;
                    let one = (bits | bits >> 3 | bits >> 6) & 7;
                    one * 0o111
                }
            };
            let reach = if step.whose == 0 { !umask } else { step.whose };
            let value = value & reach & !kept & ALL;
            match step.op {
                b'=' => {
                    let held = if step.whose == 0 { 0 } else { !step.whose };
                    let held = (held | kept) & ALL;
                    decided |= ALL & !held;
                    mode = (mode & held) | value;
                }
                b'+' => {
                    decided |= value;
                    mode |= value;
                }
                _ => {
                    decided |= value;
                    mode &= !value;
                }
            }
        }
        (mode, decided)
    }
}

fn octal(text: &[u8]) -> Option<u32> {
    let mut value: u32 = 0;
    for &digit in text {
        if !(b'0'..=b'7').contains(&digit) {
            return None;
        }
        value = value * 8 + u32::from(digit - b'0');
        if value > ALL {
            return None;
        }
    }
    (!text.is_empty()).then_some(value)
}

fn clause_steps(clause: &[u8], steps: &mut Vec<Step>) -> Option<()> {
    let ops = clause.iter().position(|b| b"+-=".contains(b))?;
    let mut whose = 0;
    for who in &clause[..ops] {
        whose |= match who {
            b'u' => USER,
            b'g' => GROUP,
            b'o' => OTHERS,
            b'a' => ALL,
            _ => return None,
        };
    }
    let mut rest = &clause[ops..];
    while let Some((&op, after)) = rest.split_first() {
        if !b"+-=".contains(&op) {
            return None;
        }
        let end = after
            .iter()
            .position(|b| b"+-=".contains(b))
            .unwrap_or(after.len());
        let (perms, next) = after.split_at(end);
        rest = next;
        let mut named = 0;
        let what = match perms {
            [b'0'..=b'7', ..] => {
                if whose != 0 {
                    return None;
                }
                whose = ALL;
                named = ALL;
                What::Bits(octal(perms)?)
            }
            b"u" => What::Copy(0o700),
            b"g" => What::Copy(0o070),
            b"o" => What::Copy(0o007),
            perms => {
                let (mut bits, mut x) = (0, false);
                for perm in perms {
                    bits |= match perm {
                        b'r' => 0o444,
                        b'w' => 0o222,
                        b'x' => 0o111,
                        b's' => SET_ID,
                        b't' => 0o1000,
                        b'X' => {
                            x = true;
                            0
                        }
                        _ => return None,
                    };
                }
                if x {
                    What::BitsAndX(bits)
                } else {
                    What::Bits(bits)
                }
            }
        };
        if named == 0 {
            let bits = match what {
                What::Bits(bits) | What::BitsAndX(bits) => bits,
                What::Copy(_) => 0,
            };
            named = if whose == 0 { bits } else { bits & whose };
        }
        steps.push(Step {
            op,
            what,
            whose,
            named,
        });
    }
    Some(())
}

/// `-rw-r--r--`, as ls shows it.
pub(crate) fn letters(kind: u8, mode: u32) -> String {
    let mut text = String::with_capacity(10);
    text.push(match kind {
        b'f' => '-',
        other => char::from(other),
    });
    for (shift, special, on, off) in [
        (6, 0o4000, 's', 'S'),
        (3, 0o2000, 's', 'S'),
        (0, 0o1000, 't', 'T'),
    ] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => on,
            (true, false) => off,
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, old: u32, folder: bool) -> u32 {
        let change = Change::parse(text.as_bytes()).expect("a mode");
        change.apply(old, folder, 0o022)
    }

    #[test]
    fn modes_are_as_chmod_makes_them() {
        assert_eq!(of("755", 0o2700, true), 0o2755);
        assert_eq!(of("00755", 0o2700, true), 0o755);
        assert_eq!(of("755", 0o4700, false), 0o755);
        assert_eq!(of("u=rwX,go=rX", 0o600, false), 0o644);
        assert_eq!(of("u=rwX,go=rX", 0o700, true), 0o755);
        assert_eq!(of("+x", 0o644, false), 0o755);
        assert_eq!(of("+w", 0o444, false), 0o644);
        assert_eq!(of("a+w", 0o444, false), 0o666);
        assert_eq!(of("g=u", 0o640, false), 0o660);
        assert_eq!(of("g+s,o-rwx", 0o755, true), 0o2750);
        assert_eq!(of("u+s", 0o755, false), 0o4755);
        assert_eq!(of("o+s", 0o755, false), 0o755);
        assert_eq!(of("+t", 0o755, true), 0o1755);
        assert_eq!(of("g=rx", 0o2770, true), 0o2750);
        assert_eq!(of("ug-s", 0o6755, true), 0o755);
        assert_eq!(of("a=", 0o777, false), 0);
        assert_eq!(of("u=rw,g=r,o=", 0o777, false), 0o640);
        assert_eq!(of("u+x-w", 0o644, false), 0o544);
        assert!(Change::parse(b"888").is_none());
        assert!(Change::parse(b"u+q").is_none());
        assert_eq!(letters(b'd', 0o1777), "drwxrwxrwt");
        assert_eq!(letters(b'f', 0o4644), "-rwSr--r--");
    }
}
