//! dpkg's list of overrides, `/var/lib/dpkg/statoverride`: a line each, `USER GROUP MODE
//! PATH`, with `#` before a number in place of a name.

use std::collections::BTreeMap;

use imgc_tree::TreePath;

use crate::merged;

/// Reads the file: mode, user and group by path. `user` and `group` look names up. What
/// has an unknown name is left out.
pub(crate) fn parse(
    bytes: &[u8],
    user: impl Fn(&str) -> Option<u32>,
    group: impl Fn(&str) -> Option<u32>,
) -> BTreeMap<TreePath, (u32, u32, u32)> {
    let id = |text: &str, named: &dyn Fn(&str) -> Option<u32>| match text.strip_prefix('#') {
        Some(number) => number.parse().ok(),
        None => named(text),
    };
    let line = |line: &str| {
        let mut words = line.splitn(4, ' ');
        let uid = id(words.next()?, &user)?;
        let gid = id(words.next()?, &group)?;
        let mode = u32::from_str_radix(words.next()?, 8).ok()?;
        let path = TreePath::new(words.next()?.as_bytes()).ok()?;
        Some((merged::place(&path, false).ok()?, (mode, uid, gid)))
    };
    String::from_utf8_lossy(bytes)
        .lines()
        .filter_map(line)
        .collect()
}

/// The id of `name` in the text of an `/etc/passwd` or `/etc/group`.
pub(crate) fn id_of(table: &[u8], name: &str) -> Option<u32> {
    String::from_utf8_lossy(table).lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::path;

    #[test]
    fn names_and_numbers() {
        let passwd = b"root:x:0:0:root:/root:/bin/bash\nman:x:6:12::/:/bin/sh\n";
        let text = b"root #7 4755 /bin/x\nman man 755 /var/cache/man\nnobody root 1 /y\n";
        let all = parse(text, |name| id_of(passwd, name), |_| Some(12));
        assert_eq!(
            all.into_iter().collect::<Vec<_>>(),
            [
                (path("usr/bin/x"), (0o4755, 0, 7)),
                (path("var/cache/man"), (0o755, 6, 12)),
            ]
        );
    }
}
