//! Generates the parser's tables from the grammar.

fn main() {
    lalrpop::process_src().expect("the grammar has no conflicts");
}
