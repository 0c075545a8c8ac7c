//! The changes between two files: where they are put, and how they are written.

use similar::DiffOp;

/// A change: lines of the old file, and those of the new one in their place.
pub(super) type Change = (usize, usize, usize, usize);

/// The changes, each moved as far down as it can be, as diff does.
pub(super) fn shifted(ops: Vec<DiffOp>, old: &[Vec<u8>], new: &[Vec<u8>]) -> Vec<Change> {
    let mut changed = [vec![false; old.len()], vec![false; new.len()]];
    for op in ops {
        let (_, from, to) = op.as_tag_tuple();
        if !matches!(op, DiffOp::Equal { .. }) {
            changed[0][from].fill(true);
            changed[1][to].fill(true);
        }
    }
    for (side, lines) in [old, new].into_iter().enumerate() {
        slide(&mut changed, side, lines);
    }
    let mut changes = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let (from, to) = (i, j);
        while changed[0].get(i) == Some(&true) {
            i += 1;
        }
        while changed[1].get(j) == Some(&true) {
            j += 1;
        }
        if (i, j) != (from, to) {
            changes.push((from, i, to, j));
        } else {
            i += 1;
            j += 1;
        }
    }
    changes
}

/// Moves the runs of changed lines of one side: up to join the run before, then down as
/// far as lines repeat, and back to where the other side has a change too.
fn slide(changed: &mut [Vec<bool>; 2], side: usize, lines: &[Vec<u8>]) {
    let [first, second] = changed;
    let (own, other) = if side == 0 {
        (first, second)
    } else {
        (second, first)
    };
    let at =
        |flags: &[bool], place: Option<usize>| place.is_some_and(|p| flags.get(p) == Some(&true));
    let (mut i, mut j) = (0, 0);
    loop {
        while i < lines.len() && !own[i] {
            while at(other, Some(j)) {
                j += 1;
            }
            j += 1;
            i += 1;
        }
        if i >= lines.len() {
            return;
        }
        let mut start = i;
        while at(own, Some(i)) {
            i += 1;
        }
        while at(other, Some(j)) {
            j += 1;
        }
        let mut corresponding;
        loop {
            let length = i - start;
            while start > 0 && lines[start - 1] == lines[i - 1] {
                start -= 1;
                own[start] = true;
                i -= 1;
                own[i] = false;
                while at(own, start.checked_sub(1)) {
                    start -= 1;
                }
                j = j.saturating_sub(1);
                while at(other, j.checked_sub(1)) {
                    j -= 1;
                }
            }
            corresponding = if at(other, j.checked_sub(1)) {
                i
            } else {
                lines.len()
            };
            while i < lines.len() && lines[start] == lines[i] {
                own[start] = false;
                start += 1;
                own[i] = true;
                i += 1;
                while at(own, Some(i)) {
                    i += 1;
                }
                j += 1;
                while at(other, Some(j)) {
                    j += 1;
                    corresponding = i;
                }
            }
            if length == i - start {
                break;
            }
        }
        while corresponding < i {
            start -= 1;
            own[start] = true;
            i -= 1;
            own[i] = false;
            j = j.saturating_sub(1);
            while at(other, j.checked_sub(1)) {
                j -= 1;
            }
        }
    }
}

fn push(mark: &str, line: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(mark.as_bytes());
    out.extend_from_slice(line);
    if !line.ends_with(b"\n") {
        out.extend_from_slice(b"\n\\ No newline at end of file\n");
    }
}

pub(super) fn normal(changes: &[Change], old: &[&[u8]], new: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let range = |from: usize, to: usize| match to - from {
        0 => from.to_string(),
        1 => (from + 1).to_string(),
        _ => format!("{},{to}", from + 1),
    };
    for &(from, to, start, end) in changes {
        let letter = match (from == to, start == end) {
            (true, _) => 'a',
            (_, true) => 'd',
            _ => 'c',
        };
        let head = format!("{}{letter}{}\n", range(from, to), range(start, end));
        out.extend_from_slice(head.as_bytes());
        for line in &old[from..to] {
            push("< ", line, &mut out);
        }
        if letter == 'c' {
            out.extend_from_slice(b"---\n");
        }
        for line in &new[start..end] {
            push("> ", line, &mut out);
        }
    }
    out
}

pub(super) fn unified(
    changes: &[Change],
    old: &[&[u8]],
    new: &[&[u8]],
    context: usize,
    out: &mut Vec<u8>,
) {
    let mut at = 0;
    while at < changes.len() {
        let mut end = at + 1;
        while end < changes.len() && changes[end].0 - changes[end - 1].1 <= 2 * context {
            end += 1;
        }
        let (first, last) = (changes[at], changes[end - 1]);
        let before = context.min(first.0);
        let after = context.min(old.len() - last.1);
        let range = |from: usize, to: usize| match to - from {
            0 => format!("{from},0"),
            1 => format!("{}", from + 1),
            count => format!("{},{count}", from + 1),
        };
        let head = format!(
            "@@ -{} +{} @@\n",
            range(first.0 - before, last.1 + after),
            range(first.2 - before, last.3 + after)
        );
        out.extend_from_slice(head.as_bytes());
        let mut line = first.0 - before;
        for &(from, to, start, end) in &changes[at..end] {
            for text in &old[line..from] {
                push(" ", text, out);
            }
            for text in &old[from..to] {
                push("-", text, out);
            }
            for text in &new[start..end] {
                push("+", text, out);
            }
            line = to;
        }
        for text in &old[line..line + after] {
            push(" ", text, out);
        }
        at = end;
    }
}
