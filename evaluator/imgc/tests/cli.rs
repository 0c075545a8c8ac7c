//! Makes cargo build the binary before any test of the workspace runs: the tests of
//! the command line are in `tests/`, the one crate that may start a process.

use std::path::Path;

#[test]
fn the_binary_is_built() {
    assert!(Path::new(env!("CARGO_BIN_EXE_imgc")).is_file());
}
