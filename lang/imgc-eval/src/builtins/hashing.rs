//! Rows of the builtins of hashes. What they do is in `native/hashing.rs`.

use super::{Row, Run};
use crate::native::hashing;

/// The rows.
pub(super) const ROWS: &[Row] = &[
    row("sha256", "String -> String", Run::Plain(hashing::sha256))
        .text("The SHA-256 of a string's bytes, as 64 hexadecimal digits.")
        .example(
            "sha256 \"\"",
            "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        ),
    row(
        "sha256File",
        "Path -> String",
        Run::Plain(hashing::sha256_file),
    )
    .text("The SHA-256 of a project file, as 64 hexadecimal digits.")
    .example(
        "sha256File ./motd",
        "\"a2c064616af4c66c576821616646bdfad5556a263b4b007847605118971f4389\"",
    ),
];

const fn row(name: &'static str, signature: &'static str, run: Run) -> Row {
    Row::new("Hashes", name, signature, run)
}
