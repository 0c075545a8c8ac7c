//! tsort: an order in which the first of each pair comes before the second.

use std::collections::BTreeMap;

use bstr::BString;

use crate::commands::files::failed;
use crate::commands::{Native, Origin};
use crate::process::{Outcome, Process, Status};
use crate::stop::Stop;

pub(super) const NATIVES: &[Native] = &[Native {
    name: "tsort",
    origin: Origin::Essential,
    run: tsort,
}];

/// What is known of one word.
#[derive(Debug, Default)]
struct Item {
    /// How many must come before it.
    before: usize,
    /// Those that must come after it; the last given is the first to be free.
    after: Vec<BString>,
}

fn tsort(process: &mut Process<'_, '_>) -> Outcome {
    let name = match process.args.as_slice() {
        [_] => BString::from("-"),
        [_, name] if name == "-" || !name.starts_with(b"-") => name.clone(),
        _ => return Err(Stop::unsupported("this form of tsort is not known")),
    };
    let text = match process.input(&name) {
        Ok(text) => text,
        Err(error) => return failed(process, format_args!("{name}: {error}")),
    };
    process.machine.spend(text.len() as u64 / 16)?;
    let words: Vec<&[u8]> = text
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .collect();
    if !words.len().is_multiple_of(2) {
        return failed(process, "input contains an odd number of tokens");
    }
    let mut items: BTreeMap<BString, Item> = BTreeMap::new();
    for pair in words.chunks(2) {
        let (first, second) = (BString::from(pair[0]), BString::from(pair[1]));
        items.entry(second.clone()).or_default();
        let item = items.entry(first.clone()).or_default();
        if first != second {
            item.after.push(second.clone());
            if let Some(item) = items.get_mut(&second) {
                item.before += 1;
            }
        }
    }
    let free = items.iter().filter(|(_, item)| item.before == 0);
    let mut queue: Vec<BString> = free.map(|(name, _)| name.clone()).collect();
    let mut at = 0;
    while let Some(name) = queue.get(at).cloned() {
        at += 1;
        process.out([name.as_slice(), b"\n"].concat());
        let after = items
            .get_mut(&name)
            .map(|item| std::mem::take(&mut item.after));
        for next in after.unwrap_or_default().into_iter().rev() {
            if let Some(item) = items.get_mut(&next) {
                item.before -= 1;
                if item.before == 0 {
                    queue.push(next);
                }
            }
        }
    }
    if at < items.len() {
        return Err(Stop::unsupported("tsort of a loop is not known"));
    }
    Ok(Status::OK)
}

#[cfg(test)]
mod tests {
    use crate::testing::machine;

    #[test]
    fn orders_as_the_program_does() {
        let mut machine = machine();
        for (input, want) in [
            ("a b\nb c\n", "a\nb\nc\n"),
            ("z z\n", "z\n"),
            (
                "d a c a b d f e f b b d e d e a d c d c e c d c\n",
                "f\nb\ne\nd\nc\na\n",
            ),
            (
                "a b a b c a c a a b c a c a c b c a c a c a c b\n",
                "c\na\nb\n",
            ),
            ("e a c d a d b a\n", "b\nc\ne\na\nd\n"),
            ("c d e c e f c d e c\n", "e\nf\nc\nd\n"),
        ] {
            let ran = machine.run_with(&["tsort"], input).unwrap();
            assert_eq!((ran.status, ran.out.as_str()), (0, want), "{input}");
        }
        assert_eq!(machine.run_with(&["tsort"], "a").unwrap().status, 1);
        assert!(machine.run_with(&["tsort"], "a b b a").is_err());
    }
}
