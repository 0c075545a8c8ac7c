//! `imgc build --explain`: why each step was taken.

use crate::progress::Progress;
use crate::terminal::Terminal;

/// Says why each step was taken, in the order in which an image is made.
pub(crate) fn explain(progress: &Progress, terminal: &Terminal) {
    let steps = progress.explained();
    let unpacked = steps.iter().filter(|step| step.kind == "unpack").count();
    for step in &steps {
        let head = format!("{} {}", step.kind, step.name);
        match &*step.why {
            [why] => terminal.line(&format!("{head}: {why}")),
            several => {
                terminal.line(&format!("{head}:"));
                for why in several {
                    terminal.line(&format!("  {why}"));
                }
            }
        }
    }
    let (realised, reused) = progress.realised();
    let others = realised - unpacked;
    terminal.line(&format!(
        "{unpacked} packages unpacked, {others} other steps taken, {reused} outputs reused"
    ));
}
