//! Runs the examples in the `##` comments of the modules that come with imgc.

use crate::support::{blocks, run, world};

#[test]
fn every_example_of_the_modules_holds() {
    let mut wrong = Vec::new();
    for (name, text) in imgc_stdlib::modules() {
        let comments: String = text
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("##"))
            .map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
            .collect();
        let blocks = blocks(&comments);
        let programs: Vec<_> = blocks.iter().filter(|block| block.kind == "img").collect();
        assert!(!programs.is_empty(), "{name} has examples");
        for program in programs {
            if let Err(why) = run(world(), std::slice::from_ref(program)) {
                wrong.push(format!("{name}:\n{}{why}", program.text));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
