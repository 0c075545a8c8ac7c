//! The calls of dpkg in a set, as the lock writes them: a line each, a verb and packages.
//!
//! Packages are named, or, where they are the next ones in the order of unpacking,
//! counted: `unpack +12`. A new version of a package so changes no line. A name that is
//! there for several architectures has one behind it: `configure libc6:i386`.

use std::borrow::Cow;

use super::PackageKey;
use crate::solve::Call;

/// The lines of `calls`.
pub(super) fn render(calls: &[Call], packages: &[PackageKey]) -> Vec<String> {
    let mut next = 0;
    let mut words = |verb: &str, all: &[usize], unpacks: bool| {
        let counted = all.iter().copied().eq(next..next + all.len());
        if unpacks {
            next += all.len();
        }
        if counted && all.len() > 1 {
            return format!("{verb} +{}", all.len());
        }
        let names = all.iter().map(|&at| word(&packages[at], packages));
        [Cow::Borrowed(verb)]
            .into_iter()
            .chain(names)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let line = |call: &Call| match call {
        Call::Assume(at) => words("assume", &[*at], false),
        Call::Extract(all) => words("extract", all, false),
        Call::Install(all) => words("install", all, true),
        Call::Unpack(all) => words("unpack", all, true),
        Call::Configure(all) => words("configure", all, false),
        Call::Pending => "pending".to_owned(),
    };
    calls.iter().map(line).collect()
}

/// Reads the lines. None where one is none, or where the packages would not each be
/// unpacked once and configured after that.
pub(super) fn parse(lines: &[String], packages: &[PackageKey]) -> Option<Vec<Call>> {
    let mut calls = Vec::with_capacity(lines.len());
    let mut unpacked = vec![false; packages.len()];
    let mut next = 0;
    for line in lines {
        let mut words = line.split(' ');
        let verb = words.next()?;
        let words: Vec<&str> = words.collect();
        let all = places(&words, next, packages)?;
        match verb {
            "install" | "unpack" => {
                for &at in &all {
                    if std::mem::replace(&mut unpacked[at], true) {
                        return None;
                    }
                }
                next += all.len();
            }
            "configure" if !all.iter().all(|&at| unpacked[at]) => return None,
            _ => {}
        }
        calls.push(match (verb, all.as_slice()) {
            ("assume", &[at]) => Call::Assume(at),
            ("extract", [_, ..]) => Call::Extract(all),
            ("install", [_, ..]) => Call::Install(all),
            ("unpack", [_, ..]) => Call::Unpack(all),
            ("configure", [_, ..]) => Call::Configure(all),
            ("pending", []) => Call::Pending,
            _ => return None,
        });
    }
    unpacked.iter().all(|&done| done).then_some(calls)
}

/// The places of the packages that the words name or count.
fn places(words: &[&str], next: usize, packages: &[PackageKey]) -> Option<Vec<usize>> {
    if let [word] = words
        && let Some(count) = word.strip_prefix('+')
    {
        let end = next.checked_add(count.parse().ok()?)?;
        return (end <= packages.len()).then(|| (next..end).collect());
    }
    let place = |text: &&str| {
        let name = text.split(':').next().unwrap_or(text);
        let named = |(_, key): &(usize, &PackageKey)| key.name == name;
        let mut all = packages.iter().enumerate().filter(named);
        all.find(|(_, key)| word(key, packages) == *text)
            .map(|(at, _)| at)
    };
    words.iter().map(place).collect()
}

/// How a package is named among others.
fn word<'p>(key: &'p PackageKey, packages: &[PackageKey]) -> Cow<'p, str> {
    let same = packages.iter().filter(|other| other.name == key.name);
    match same.count() {
        1 => Cow::Borrowed(&key.name),
        _ => Cow::Owned(format!("{}:{}", key.name, key.arch)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages() -> Vec<PackageKey> {
        let key = |name: &str| PackageKey {
            name: name.to_owned(),
            version: "1".to_owned(),
            arch: "all".to_owned(),
        };
        ["dash", "dpkg", "curl", "usr-is-merged", "zlib"]
            .map(key)
            .into()
    }

    #[test]
    fn what_is_written_is_read() {
        let calls = vec![
            Call::Assume(3),
            Call::Extract(vec![0, 1]),
            Call::Install(vec![0, 1]),
            Call::Unpack(vec![2]),
            Call::Unpack(vec![4, 3]),
            Call::Configure(vec![3]),
            Call::Pending,
        ];
        let lines = render(&calls, &packages());
        assert_eq!(
            lines,
            [
                "assume usr-is-merged",
                "extract +2",
                "install +2",
                "unpack curl",
                "unpack zlib usr-is-merged",
                "configure usr-is-merged",
                "pending",
            ]
        );
        assert_eq!(parse(&lines, &packages()), Some(calls));
    }

    #[test]
    fn architectures_are_told_apart() {
        let mut packages = packages();
        packages[1].name = "dash".to_owned();
        packages[1].arch = "i386".to_owned();
        let calls = vec![
            Call::Unpack(vec![0, 1, 2, 3, 4]),
            Call::Configure(vec![1]),
            Call::Configure(vec![0, 2]),
        ];
        let lines = render(&calls, &packages);
        assert_eq!(
            lines,
            [
                "unpack +5",
                "configure dash:i386",
                "configure dash:all curl"
            ]
        );
        assert_eq!(parse(&lines, &packages), Some(calls));
        let lines = ["unpack +5".to_owned(), "configure dash".to_owned()];
        assert_eq!(parse(&lines, &packages), None);
    }

    #[test]
    fn what_would_not_install_everything_once_is_refused() {
        for wrong in [
            &["unpack +4"][..],
            &["unpack +6"],
            &["unpack +5", "unpack dash"],
            &["unpack +5", "purge dash"],
            &["unpack +5", "pending now"],
            &["unpack +5", "configure bash"],
            &["configure dash", "unpack +5"],
            &["unpack +5", "configure"],
            &["unpack +18446744073709551615"],
            &["unpack +5", ""],
        ] {
            let lines: Vec<String> = wrong.iter().map(|&line| line.to_owned()).collect();
            assert_eq!(parse(&lines, &packages()), None, "{wrong:?}");
        }
    }
}
