//! ELF files of amd64 as far as a dynamic loader reads them. They do nothing.

/// A program with this interpreter that needs these libraries; without an interpreter, a
/// library.
pub fn dynamic(interpreter: Option<&str>, needed: &[&str]) -> Vec<u8> {
    let mut strings = vec![0];
    let mut words: Vec<u64> = Vec::new();
    for name in needed {
        words.extend([1, strings.len() as u64]);
        strings.extend(name.as_bytes());
        strings.push(0);
    }
    // A library has a name of its own.
    words.extend([14, 0]);
    let mut out = vec![0; 64 + 3 * 56];
    let mut place = |bytes: &[u8]| {
        out.resize(out.len().next_multiple_of(8), 0);
        let at = out.len() as u64;
        out.extend(bytes);
        at
    };
    let path = format!("{}\0", interpreter.unwrap_or_default());
    let path_at = place(path.as_bytes());
    let strings_at = place(&strings);
    words.extend([5, strings_at, 10, strings.len() as u64, 0, 0]);
    let words: Vec<u8> = words.into_iter().flat_map(u64::to_le_bytes).collect();
    let dynamic_at = place(&words);
    let length = out.len() as u64;
    let mut put = |at: usize, bytes: &[u8]| out[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[0x7f, b'E', b'L', b'F', 2, 1, 1]);
    // A shared object for x86-64.
    put(16, &[3, 0, 62, 0, 1]);
    put(32, &[64]);
    put(52, &[64, 0, 56, 0, 3]);
    let interpreted = if interpreter.is_some() { 3 } else { 4 };
    let segments = [
        (1u32, 0, length),
        (2, dynamic_at, words.len() as u64),
        (interpreted, path_at, path.len() as u64),
    ];
    for (number, (kind, at, size)) in segments.into_iter().enumerate() {
        let base = 64 + number * 56;
        put(base, &kind.to_le_bytes());
        for (field, value) in [(8, at), (16, at), (32, size), (40, size)] {
            put(base + field, &u64::to_le_bytes(value));
        }
    }
    out
}
